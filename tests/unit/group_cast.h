/* Several devices that act in one group, each knowing what it has heard, for tests of which acts count. Roles are written as a
 * word, a letter a device: C coordinator, M member, R reporter, K courier, - none, and a blank for a device never granted. */
#ifndef GROUP_CAST_H
#define GROUP_CAST_H

#include "group_fixture.h"

enum { CAST = 8 };

struct cast {
	struct dice dice;
	struct actor actors[CAST]; /* 0 founds the group */
	struct vd_group *views[CAST];
	struct history history;
	uint8_t id[VD_GROUP_BYTES];
};

static inline void hear(struct cast *c, size_t who)
{
	history_replay(&c->history, c->views[who], NULL);
}

static inline void hear_all(struct cast *c)
{
	for (size_t i = 0; i < CAST; i++)
		hear(c, i);
}

/* What `by` writes, with nobody else knowing of it yet. */
static inline struct vd_id say(struct cast *c, size_t by, struct vd_buf *content)
{
	struct vd_record r = history_control(&c->history, &c->actors[by], c->id, content);

	assert_int_equal(vd_group_add(c->views[by], &r), 0);
	return r.id;
}

static inline struct vd_id new_epoch(struct cast *c, size_t by)
{
	struct vd_buf content = {0};
	struct vd_epoch_keys keys;

	dice_fill(&c->dice, &keys, sizeof(keys));
	assert_int_equal(vd_group_make_epoch(c->views[by], &keys, NULL, 0, &content), 0);
	return say(c, by, &content);
}

static inline struct vd_id grant_as(struct cast *c, size_t by, size_t whom, enum vd_role role, const uint8_t *person, uint32_t flags)
{
	struct vd_card card = card_of(&c->actors[whom]);
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_grant(c->views[by], &card, person, role, flags, "one", nonce, &content), 0);
	return say(c, by, &content);
}

static inline struct vd_id grants(struct cast *c, size_t by, size_t whom, enum vd_role role)
{
	return grant_as(c, by, whom, role, c->actors[whom].person, 0);
}

static inline struct vd_id seals(struct cast *c, size_t by, size_t whom)
{
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_epoch_for(c->views[by], vd_group_epoch_id(c->views[by], 0), c->actors[whom].identity.author, &content), 0);
	return say(c, by, &content);
}

/* With the keys, as `admit` does. */
static inline struct vd_id admits(struct cast *c, size_t by, size_t whom, enum vd_role role)
{
	struct vd_id grant = grants(c, by, whom, role);

	seals(c, by, whom);
	return grant;
}

/* Removes the device `whom`, and with `person` the member; `accepted`: of lane 0, if `heads`. */
static inline struct vd_id revokes_but(struct cast *c, size_t by, size_t whom, const uint8_t *person, const struct vd_id *accepted,
                                       size_t heads)
{
	struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])c->actors[whom].identity.author, .device_count = 1,
	                             .person = person, .reason = "why", .heads = {accepted}, .head_count = {heads}};
	struct vd_buf content = {0};
	struct vd_epoch_keys keys;

	dice_fill(&c->dice, &keys, sizeof(keys));
	assert_int_equal(vd_group_make_revoke(c->views[by], &removal, &keys, nonce, &content), 0);
	return say(c, by, &content);
}

/* The last act by `whom` that `by` knows of. */
static inline struct vd_id last_act(struct cast *c, size_t by, size_t whom, size_t *count)
{
	struct vd_id last = {{0}};

	*count = 0;
	for (size_t i = 0; i < vd_group_act_count(c->views[by]); i++)
		if (memcmp(vd_group_act(c->views[by], i)->author, c->actors[whom].identity.author, VD_KEY_BYTES) == 0) {
			last = vd_group_act(c->views[by], i)->id;
			*count = 1;
		}
	return last;
}

/* Removes a device, and accepts what `by` knows that it did so far. */
static inline struct vd_id revokes(struct cast *c, size_t by, size_t whom)
{
	size_t count;
	struct vd_id last = last_act(c, by, whom, &count);

	return revokes_but(c, by, whom, NULL, &last, count);
}

/* A view of who has forgotten all but the first n records. */
static inline void forget(struct cast *c, size_t who, size_t n)
{
	vd_group_free(c->views[who]);
	c->views[who] = vd_group_new(c->id, &c->actors[who].identity);
	for (size_t i = 0; i < n; i++) {
		struct vd_record r = decoded(history_at(&c->history, i));

		assert_int_equal(vd_group_add(c->views[who], &r), 0);
	}
}

static inline struct vd_id approves(struct cast *c, size_t by, struct vd_id about)
{
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_approve(c->views[by], &about, &content), 0);
	return say(c, by, &content);
}

static inline struct vd_id restores(struct cast *c, size_t by, size_t whom)
{
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_restore(c->views[by], c->actors[whom].identity.author, nonce, &content), 0);
	return say(c, by, &content);
}

/* The founder, with an epoch, and then coordinators 1 to `coordinators`, each granted by the founder. All know it. */
static inline void cast_begin(struct cast *c, size_t coordinators)
{
	struct vd_buf content = {0};

	memset(c, 0, sizeof(*c));
	c->dice.state = 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < CAST; i++)
		c->actors[i] = actor_new(i + 1);
	vd_group_make_id(c->actors[0].identity.author, salt, c->id);
	for (size_t i = 0; i < CAST; i++) {
		c->views[i] = vd_group_new(c->id, &c->actors[i].identity);
		assert_non_null(c->views[i]);
	}
	assert_int_equal(vd_group_make_founding(&c->actors[0].identity, c->actors[0].person, salt, &content), 0);
	say(c, 0, &content);
	new_epoch(c, 0);
	for (size_t i = 1; i <= coordinators; i++)
		admits(c, 0, i, VD_ROLE_COORDINATOR);
	hear_all(c);
}

static inline void cast_end(struct cast *c)
{
	for (size_t i = 0; i < CAST; i++)
		vd_group_free(c->views[i]);
	history_free(&c->history);
}

static inline void shuffle(struct dice *d, size_t *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = dice_roll(d, i), swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}

static inline void roles_in(const struct cast *c, struct vd_group *g, char word[CAST + 1])
{
	for (size_t i = 0; i < CAST; i++) {
		const struct vd_device *d = vd_group_find(g, c->actors[i].identity.author);

		word[i] = d ? "-CMRK"[d->role] : ' ';
		assert_int_equal(vd_group_may_connect(g, c->actors[i].identity.author), d && d->role != VD_ROLE_NONE);
	}
	word[CAST] = 0;
	for (size_t i = CAST; i && word[i - 1] == ' '; i--)
		word[i - 1] = 0;
}

/* All that was said, in many orders of arrival: everybody comes to see these roles. */
static inline void assert_roles(struct cast *c, const char *want)
{
	size_t order[200];
	char word[CAST + 1];

	assert_in_range(c->history.count, 1, 200);
	for (int round = 0; round < 24; round++) {
		struct vd_group *g = vd_group_new(c->id, &c->actors[round % CAST].identity);

		shuffle(&c->dice, order, c->history.count);
		for (size_t i = 0; round < 2 && i < c->history.count; i++)
			order[i] = round ? c->history.count - 1 - i : i;
		assert_int_equal(history_replay(&c->history, g, order), 0);
		roles_in(c, g, word);
		assert_string_equal(word, want);
		vd_group_free(g);
	}
	hear_all(c);
}

static inline const struct vd_act *act_of(struct vd_group *g, struct vd_id id)
{
	for (size_t i = 0; i < vd_group_act_count(g); i++)
		if (memcmp(vd_group_act(g, i)->id.b, id.b, sizeof(id.b)) == 0)
			return vd_group_act(g, i);
	fail();
	return NULL;
}

#endif
