/* A hostile coordinator's control records: each properly signed, some of them two of one number. */
#include "hostile.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

static uint64_t chance(struct hostile *h, uint64_t below)
{
	return story_chance(h->s, below);
}

static const uint8_t *key_of(struct hostile *h, size_t who)
{
	return h->s->n.w.writers[who].identity.author;
}

/* Somebody who is not itself. */
static size_t some_victim(struct hostile *h, size_t host)
{
	size_t victim;

	do
		victim = (size_t)chance(h, h->s->n.w.count);
	while (victim == h->s->n.hosts[host].who);
	return victim;
}

static int make_grant(struct hostile *h, struct vd_group *view, struct vd_buf *content)
{
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES];
	struct story *s = h->s;
	struct vd_card card;
	size_t who;

	if (s->puppet_count < STORY_PUPPETS_MAX)
		s->puppets[s->puppet_count++] = world_newcomer(&s->n.w);
	who = s->puppets[chance(h, s->puppet_count)];
	/* sometimes one of itself, or somebody honest, with another role or person */
	if (chance(h, 5) == 0)
		who = (size_t)chance(h, s->n.w.count);
	for (size_t i = 0; i < s->n.host_count; i++)
		s->ones[i].favoured |= s->n.hosts[i].who == who;
	world_bytes(&s->n.w, person, sizeof(person));
	world_bytes(&s->n.w, nonce, sizeof(nonce));
	story_must(vd_card_create(&s->n.w.writers[who].identity, &card));
	return vd_group_make_grant(view, &card, person, 1 + (enum vd_role)chance(h, 4), chance(h, 3) == 0, "puppet", nonce, content);
}

static int make_revoke(struct hostile *h, size_t host, struct vd_group *view, struct vd_buf *content)
{
	const uint8_t (*device)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])key_of(h, some_victim(h, host));
	struct vd_removal removal = { .devices = device, .device_count = 1, .reason = "none" };
	const struct vd_device *d = vd_group_find(view, *device);
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_epoch_keys keys;

	if (d && chance(h, 2))
		removal.person = d->person;
	world_bytes(&h->s->n.w, &keys, sizeof(keys));
	world_bytes(&h->s->n.w, nonce, sizeof(nonce));
	return vd_group_make_revoke(view, &removal, &keys, nonce, content);
}

static int make_about(struct hostile *h, struct vd_group *view, struct vd_buf *content)
{
	size_t acts = vd_group_act_count(view);
	struct vd_id id = vd_group_act(view, (size_t)chance(h, acts))->id;

	if (chance(h, 2))
		return vd_group_make_approve(view, &id, content);
	if (h->s->written_count)
		id = h->s->written[chance(h, h->s->written_count)].id;
	return vd_group_make_review(view, &id, chance(h, 2), content);
}

static int make_something(struct hostile *h, size_t host, struct vd_buf *content)
{
	struct vd_group *view = h->s->ones[host].view;
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_epoch_keys keys;

	world_bytes(&h->s->n.w, &keys, sizeof(keys));
	world_bytes(&h->s->n.w, nonce, sizeof(nonce));
	switch (chance(h, 9)) {
	case 0:
	case 1:
	case 2:
		return make_grant(h, view, content);
	case 3:
	case 4:
		return make_revoke(h, host, view, content);
	case 5:
		return make_about(h, view, content);
	case 6:
		return vd_group_make_epoch(view, &keys, NULL, 0, content);
	case 7:
		if (!vd_group_epoch_count(view))
			return VD_EKEY;
		return vd_group_make_epoch_for(view, vd_group_epoch_id(view, chance(h, vd_group_epoch_count(view))),
		                               key_of(h, some_victim(h, host)), content);
	}
	return vd_group_make_name(view, "nobody", nonce, content);
}

static uint64_t some_time(struct hostile *h, size_t host)
{
	return chance(h, 3) ? story_time(h->s, host) : chance(h, 2) ? 0 : UINT64_C(4070908800000);
}

/* Signs it, with a byte of it changed or not; whoever is in that half may see it (2: whoever). */
static void put_out(struct hostile *h, size_t host, struct vd_buf *content, uint64_t half)
{
	struct story *s = h->s;
	struct vd_record_fields f = story_fields(s, s->n.hosts[host].who, VD_LANE_CONTROL, some_time(h, host));
	struct vd_buf raw = { 0 };

	if (content->n && chance(h, 6) == 0)
		content->p[chance(h, content->n)] ^= (uint8_t)(1 + chance(h, 255));
	story_sign(s, s->n.hosts[host].who, &f, vd_buf_slice(content), &raw);
	if (half == 2 || chance(h, 2))
		story_keep(s, host, vd_buf_slice(&raw));
	for (uint64_t i = half == 2 ? chance(h, 3) : 2; i; i--) {
		size_t to = (size_t)chance(h, s->n.host_count / 2);

		story_show(s, half == 2 ? to : 2 * to + (size_t)half, vd_buf_slice(&raw));
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(content);
}

void hostile_coordinate(struct hostile *h, size_t host)
{
	struct vd_buf content = { 0 };
	size_t who = h->s->n.hosts[host].who;
	struct writer before;

	hostile_learn(h->s, host);
	before = h->s->n.w.writers[who];
	if (chance(h, 3)) {
		if (!make_something(h, host, &content))
			put_out(h, host, &content, 2);
	} else {
		for (uint64_t half = 0; half < 2; half++) {
			h->s->n.w.writers[who] = before;
			if (!make_something(h, host, &content))
				put_out(h, host, &content, half);
		}
	}
	vd_buf_deinit(&content);
}
