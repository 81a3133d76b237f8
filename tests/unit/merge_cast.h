/* Two stores of one group, and records as their authors would write them, or should not. */
#ifndef MERGE_CAST_H
#define MERGE_CAST_H

#include "tests/unit/store_cast.h"

#include "store/check.h"

struct cast {
	struct vd_store *a, *b;
	struct vd_group *ga, *gb;
	uint8_t id[VD_GROUP_BYTES];
};

static inline void start(struct cast *c, const struct cast_place *p)
{
	c->a = cast_store(p->home);
	c->b = cast_store(p->other);
	c->ga = cast_found(c->a, c->id);
	c->gb = cast_join(c->a, c->ga, c->b);
}

static inline void end(struct cast *c)
{
	struct vd_check check;

	assert_int_equal(vd_check(c->a, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	assert_int_equal(vd_check(c->b, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	vd_group_free(c->ga);
	vd_group_free(c->gb);
	vd_store_close(c->a);
	vd_store_close(c->b);
}

/* The raw record without its body. */
static inline void cut(struct vd_slice raw, struct vd_batch *out)
{
	struct vd_record r;

	assert_int_equal(vd_record_decode(raw, &r), 0);
	assert_int_equal(vd_batch_add(out, vd_slice(raw.p, r.header.n + r.signature.n)), 0);
}

/* One record as the identity of `g` would write it, of the given lane, seq, prev and time; `spoilt`: its signature does
 * not hold. */
static inline void forge_as(struct vd_group *g, struct vd_record_fields fields, bool spoilt, struct vd_buf *raw,
                            struct vd_id *id)
{
	const struct vd_identity *self = vd_group_identity(g);
	struct vd_record r;

	memcpy(fields.group, vd_group_id(g), VD_GROUP_BYTES);
	memcpy(fields.author, self->author, VD_KEY_BYTES);
	vd_buf_reset(raw);
	assert_int_equal(vd_record_create(&fields, vd_slice_str("a body"), self->author_secret, raw, id), 0);
	assert_int_equal(vd_record_decode(vd_buf_slice(raw), &r), 0);
	raw->p[r.header.n + 40] ^= spoilt;
	assert_int_equal(vd_record_decode(vd_buf_slice(raw), &r), 0);
	*id = r.id;
}

/* In the urgent lane. */
static inline void forge(struct vd_group *g, uint64_t seq, const struct vd_id *prev, bool spoilt, struct vd_buf *raw,
                         struct vd_id *id)
{
	struct vd_record_fields fields = { .lane = VD_LANE_URGENT, .seq = seq, .has_prev = prev != NULL, .time_ms = cast_now };

	if (prev)
		fields.prev = *prev;
	forge_as(g, fields, spoilt, raw, id);
}

static inline void merge_raw(struct cast *c, const struct vd_buf *raw, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };

	memset(merge, 0, sizeof(*merge));
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(raw)), 0);
	assert_int_equal(vd_store_merge(c->b, c->gb, &batch, merge), 0);
	vd_batch_deinit(&batch);
}

#endif
