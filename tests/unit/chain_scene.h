/* Devices that sign, and the raw records they wrote, for tests and fuzzing of batches. */
#ifndef CHAIN_SCENE_H
#define CHAIN_SCENE_H

#include <stdlib.h>
#include <string.h>

#include "proto/chain.h"
#include "proto/err.h"
#include "proto/group.h"
#include "proto/id.h"
#include "proto/sign.h"

#define SCENE_CHECK(condition) ((condition) ? (void)0 : abort())

enum { SCENE_WRITERS = 5, SCENE_MAX = 512 };

struct writer {
	struct vd_identity identity;
	uint64_t seq[VD_LANES];
	struct vd_id prev[VD_LANES];
};

struct scene {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_group *view;          /* all control records in it: creators need one */
	struct writer writers[SCENE_WRITERS]; /* 0 founds */
	struct vd_buf raw[SCENE_MAX];
	size_t count;
};

static inline struct vd_slice scene_at(const struct scene *s, size_t i)
{
	return vd_buf_slice(&s->raw[i]);
}

static inline struct vd_record scene_record(const struct scene *s, size_t i)
{
	struct vd_record r;

	SCENE_CHECK(vd_record_decode(scene_at(s, i), &r) == 0);
	return r;
}

/* How a record is made wrong before its author writes on, naming it as it is. */
enum scene_how { SCENE_HONEST, SCENE_BAD_SIGNATURE, SCENE_NEWER_VERSION };

/* Appends the writer's next record in that lane; its number. */
static inline size_t scene_write(struct scene *s, size_t by, uint8_t lane, struct vd_slice body, enum scene_how how)
{
	struct writer *w = &s->writers[by];
	struct vd_record_fields f = { .lane = lane, .seq = ++w->seq[lane], .has_prev = w->seq[lane] > 1,
		                      .prev = w->prev[lane], .time_ms = 1700000000000 + s->count };
	struct vd_buf *raw;
	struct vd_record r;

	SCENE_CHECK(s->count < SCENE_MAX);
	raw = &s->raw[s->count];
	if (!f.has_prev)
		memset(&f.prev, 0, sizeof(f.prev));
	memcpy(f.group, s->group, sizeof(f.group));
	memcpy(f.author, w->identity.author, sizeof(f.author));
	SCENE_CHECK(vd_record_create(&f, body, w->identity.author_secret, raw, &w->prev[lane]) == 0);
	r = scene_record(s, s->count);
	if (how == SCENE_BAD_SIGNATURE)
		raw->p[r.header.n] ^= 1;
	if (how == SCENE_NEWER_VERSION) {
		raw->p[1] = VD_VERSION + 1; /* element 0, behind the array's own byte */
		SCENE_CHECK(vd_sign("vereda record", r.header, w->identity.author_secret, raw->p + r.header.n) == 0);
	}
	w->prev[lane] = scene_record(s, s->count).id;
	return s->count++;
}

/* The next control record, also added to the view. */
static inline size_t scene_control(struct scene *s, size_t by, struct vd_buf *content)
{
	size_t at = scene_write(s, by, VD_LANE_CONTROL, vd_buf_slice(content), SCENE_HONEST);
	struct vd_record r = scene_record(s, at);

	SCENE_CHECK(vd_group_add(s->view, &r) == 0);
	vd_buf_deinit(content);
	return at;
}

/* `by` must be who the view belongs to. */
static inline size_t scene_grant(struct scene *s, struct vd_group *view, size_t by, size_t to, enum vd_role role)
{
	static const uint8_t person[VD_PERSON_BYTES] = { 1 }, nonce[VD_BODY_NONCE_BYTES] = { 1 };
	struct vd_buf content = { 0 };
	struct vd_card card;

	SCENE_CHECK(vd_card_create(&s->writers[to].identity, &card) == 0);
	SCENE_CHECK(vd_group_make_grant(view, &card, person, role, 0, "n", nonce, &content) == 0);
	return scene_control(s, by, &content);
}

static inline int scene_descending(const void *a, const void *b)
{
	return memcmp(((const struct writer *)b)->identity.author, ((const struct writer *)a)->identity.author, VD_KEY_BYTES);
}

/* Founds the group: record 0, and record 1, an epoch, without which no grant can name anyone. */
static inline void scene_init(struct scene *s)
{
	static const uint8_t salt[VD_SALT_BYTES] = { 7 }, person[VD_PERSON_BYTES] = { 1 };
	static const struct vd_epoch_keys keys = { { { 1 }, { 2 }, { 3 } } };
	struct vd_buf content = { 0 };

	memset(s, 0, sizeof(*s));
	for (uint8_t i = 0; i < SCENE_WRITERS; i++) {
		uint8_t seed[VD_IDENTITY_SEED_BYTES] = { i, 1 };

		vd_identity_from_seed(seed, &s->writers[i].identity);
	}
	/* So that walking a batch by author meets those who are admitted before those who admit. */
	qsort(s->writers, SCENE_WRITERS, sizeof(s->writers[0]), scene_descending);
	vd_group_make_id(s->writers[0].identity.author, salt, s->group);
	s->view = vd_group_new(s->group, &s->writers[0].identity);
	SCENE_CHECK(s->view && vd_group_make_founding(&s->writers[0].identity, person, salt, &content) == 0);
	scene_control(s, 0, &content);
	SCENE_CHECK(vd_group_make_epoch(s->view, &keys, NULL, 0, &content) == 0);
	scene_control(s, 0, &content);
}

static inline void scene_deinit(struct scene *s)
{
	for (size_t i = 0; i < s->count; i++)
		vd_buf_deinit(&s->raw[i]);
	vd_group_free(s->view);
}

/* What a node knows: the group, and which records of the scene it has stored. */
struct keeper {
	const struct scene *scene;
	struct vd_group *group;
	bool stored[SCENE_MAX];
};

static inline bool keeper_vouched(void *ctx, const struct vd_record *r)
{
	const struct keeper *k = ctx;

	for (size_t i = 0; i < k->scene->count; i++) {
		struct vd_record s;

		if (!k->stored[i])
			continue;
		s = scene_record(k->scene, i);
		if (s.lane == r->lane && s.seq == r->seq + 1 && !memcmp(s.author, r->author, VD_KEY_BYTES) && s.has_prev &&
		    !memcmp(s.prev.b, r->id.b, VD_ID_BYTES))
			return true;
	}
	return false;
}

static inline void keeper_init(struct keeper *k, const struct scene *s)
{
	memset(k, 0, sizeof(*k));
	k->scene = s;
	k->group = vd_group_new(s->group, NULL);
	SCENE_CHECK(k->group);
}

static inline size_t scene_index(const struct scene *s, const struct vd_id *id)
{
	for (size_t i = 0; i < s->count; i++) {
		struct vd_record r = scene_record(s, i);

		if (!memcmp(r.id.b, id->b, VD_ID_BYTES))
			return i;
	}
	abort();
}

/* Verifies the batch and stores what is valid; how many were new. */
static inline size_t keeper_take(struct keeper *k, struct vd_batch *batch, uint64_t *verified)
{
	const struct vd_chain_port port = { k, keeper_vouched };
	size_t fresh = 0;

	SCENE_CHECK(vd_chain_verify(batch, k->group, &port, verified) == 0);
	for (size_t i = 0; i < batch->count; i++) {
		size_t at;

		if (batch->entries[i].verdict)
			continue;
		at = scene_index(k->scene, &batch->entries[i].record.id);
		fresh += !k->stored[at];
		k->stored[at] = true;
	}
	return fresh;
}

#endif
