/* Who plays in the store's tests: stores in folders of their own, a group, someone who joins it. */
#ifndef STORE_CAST_H
#define STORE_CAST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/sign.h"
#include "store/store.h"
#include "tests/unit/rest_cast.h"

static const uint64_t cast_now = 1780000000000;

struct cast_place {
	char top[64], home[128], other[128];
};

static inline int cast_setup(void **state)
{
	struct cast_place *p = calloc(1, sizeof(*p));

	strcpy(p->top, "/tmp/vd_store_XXXXXX");
	if (!mkdtemp(p->top))
		return -1;
	snprintf(p->home, sizeof(p->home), "%s/a/home", p->top);
	snprintf(p->other, sizeof(p->other), "%s/b", p->top);
	*state = p;
	return 0;
}

static inline int cast_teardown(void **state)
{
	struct cast_place *p = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", p->top);
	free(*state);
	return system(command);
}

static inline struct vd_store *cast_store(const char *home)
{
	struct vd_store *s;

	assert_int_equal(vd_store_create(home, "laptop"), 0);
	assert_int_equal(vd_store_open(home, &s), 0);
	return s;
}

static inline struct vd_group *cast_found(struct vd_store *s, uint8_t id[VD_GROUP_BYTES])
{
	struct vd_group *g;

	assert_int_equal(vd_store_found(s, "Cuenca", "Rosa", cast_now, id), 0);
	assert_int_equal(vd_store_group(s, id, &g), 0);
	return g;
}

static inline int cast_own_kind(struct vd_write *w, struct vd_group *g, uint8_t lane, const char *kind,
                                const char *text, const struct vd_id *about, uint64_t when, struct vd_id *id)
{
	struct vd_field fields[2] = { { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } } };
	struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_MEMBERS, .now_ms = when };
	struct vd_buf content = { 0 };
	struct vd_id unused;
	int rc;

	if (about)
		fields[1] =
			(struct vd_field){ vd_slice_str("about"),
			                   { .type = VD_MP_BIN, .bytes = vd_slice(about->b, VD_ID_BYTES) } };
	assert_int_equal(vd_content_encode(vd_slice_str(kind), fields, about ? 2 : 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	rc = vd_write_own(w, g, &draft, id ? id : &unused);
	vd_buf_deinit(&content);
	return rc;
}

static inline int cast_own(struct vd_write *w, struct vd_group *g, const char *text, uint64_t when, struct vd_id *id)
{
	return cast_own_kind(w, g, VD_LANE_NORMAL, "message", text, NULL, when, id);
}

static inline void cast_add(struct vd_store *s, struct vd_group *g, const char *text, struct vd_id *id)
{
	struct vd_write *w;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(cast_own(w, g, text, cast_now, id), 0);
	assert_int_equal(vd_write_commit(w), 0);
}

static inline int cast_collect(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)arrival;
	(void)received_ms;
	return vd_batch_add(ctx, raw);
}

/* Every raw record of a lane (255: all) of that store. */
static inline void cast_gather(struct vd_store *s, uint8_t lane, struct vd_batch *batch)
{
	assert_int_equal(vd_store_walk(s, NULL, lane, 0, cast_collect, batch), 0);
}

/* The newcomer's card is admitted by the first store's group; *grant is what the welcome names. */
static inline void cast_admit(struct vd_store *s, struct vd_group *g, const struct vd_identity *newcomer,
                              uint8_t grant[VD_ID_BYTES])
{
	uint8_t person[VD_PERSON_BYTES] = { 7 }, nonce[VD_BODY_NONCE_BYTES] = { 9 };
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .now_ms = cast_now };
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_card card;
	struct vd_id id;

	assert_int_equal(vd_card_create(newcomer, &card), 0);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_group_make_grant(g, &card, person, VD_ROLE_MEMBER, 0, "Inés", nonce, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_own(w, g, &draft, &id), 0);
	memcpy(grant, id.b, VD_ID_BYTES);
	vd_buf_reset(&content);
	assert_int_equal(vd_group_make_epoch_for(g, vd_group_epoch_id(g, 0), newcomer->author, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_own(w, g, &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
}

/* `t` joins the group of `s`. */
static inline struct vd_group *cast_join(struct vd_store *s, struct vd_group *g, struct vd_store *t)
{
	struct vd_identity newcomer;
	struct vd_batch control = { 0 };
	uint8_t grant[VD_ID_BYTES];
	struct vd_group *joined;

	assert_int_equal(vd_store_next_identity(t, &newcomer), 0);
	cast_admit(s, g, &newcomer, grant);
	cast_gather(s, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_join(t, vd_group_id(g), &control, grant), 0);
	assert_int_equal(vd_store_join(t, vd_group_id(g), &control, grant), VD_EEXISTS);
	assert_int_equal(vd_store_group(t, vd_group_id(g), &joined), 0);
	assert_int_equal(vd_group_role(joined), VD_ROLE_MEMBER);
	vd_batch_deinit(&control);
	return joined;
}

/* Everything of `from` goes to `to`. */
static inline void cast_carry(struct vd_store *from, struct vd_store *to, struct vd_group *g, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };

	memset(merge, 0, sizeof(*merge));
	cast_gather(from, 255, &batch);
	assert_int_equal(vd_store_merge(to, g, &batch, merge), 0);
	vd_batch_deinit(&batch);
}

static inline void cast_same_lanes(struct vd_store *a, struct vd_store *b, const uint8_t *group)
{
	static struct vd_symbol sa[VD_SKETCH_SYMBOLS], sb[VD_SKETCH_SYMBOLS];
	struct vd_lane_state la, lb;

	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		assert_int_equal(vd_store_lane(a, group, lane, &la, sa, VD_SKETCH_SYMBOLS), 0);
		assert_int_equal(vd_store_lane(b, group, lane, &lb, sb, VD_SKETCH_SYMBOLS), 0);
		assert_true(vd_digest_eq(&la.digest, &lb.digest));
		assert_memory_equal(sa, sb, sizeof(sa));
	}
}

#endif
