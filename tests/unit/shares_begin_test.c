/* An attachment is begun only where it can be finished, however its chunks come. */
#include "tests/unit/view_cast.h"

#include <sodium.h>

#include "proto/attachment.h"
#include "store/shares.h"
#include "store/tend.h"

enum { CHUNKS = 4, CHUNK_BYTES = 15000 };

/* A record with a picture, and its chunks, all by that device; their names are name, name0, name1, … */
static void picture(struct village *v, size_t by, const char *name)
{
	static uint8_t data[CHUNK_BYTES];
	struct vd_attachment what = { .name = vd_slice_str("a.bin"), .type = vd_slice_str("application/octet-stream"), .size = CHUNKS * CHUNK_BYTES, .chunks = CHUNKS };
	struct vd_buf elements = { 0 }, content = { 0 };
	struct vd_part part = { .attachment = 0 };

	vd_attachment_encode(&what, &elements);
	{
		struct vd_field field = { vd_slice_str("attachments"), { .type = VD_MP_ARRAY, .bytes = vd_buf_slice(&elements), .number = 1 } };
		struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++v->clock };

		assert_int_equal(vd_content_encode(vd_slice_str("document"), &field, 1, &content), 0);
		part.of = village_put(v, by, &draft, &content, name);
	}
	for (part.number = 0; part.number < CHUNKS; part.number++) {
		struct vd_draft draft = { .lane = VD_LANE_BULK, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++v->clock, .part = &part };
		char chunk[12];

		randombytes_buf(data, sizeof(data));
		assert_int_equal(vd_chunk_encode(vd_slice(data, sizeof(data)), &content), 0);
		snprintf(chunk, sizeof(chunk), "%.1s%u", name, part.number);
		village_put(v, by, &draft, &content, chunk);
	}
	vd_buf_deinit(&elements);
}

static unsigned parts(const struct village *v, size_t i, const char *name)
{
	unsigned n = 0;

	for (unsigned k = 0; k < CHUNKS; k++) {
		char chunk[12];

		snprintf(chunk, sizeof(chunk), "%.1s%u", name, k);
		n += village_whole(v, i, chunk);
	}
	return n;
}

static void bound(struct village *v, size_t i, uint64_t bytes)
{
	struct vd_shares set;

	assert_int_equal(vd_shares_get(v->s[i], &set), 0);
	set.bulk_bytes = bytes;
	assert_int_equal(vd_shares_set(v->s[i], &set, v->clock), 0);
}

static bool told(const struct village *v, size_t i)
{
	struct vd_declined_set set;

	assert_int_equal(vd_shares_declined(v->s[i], v->id, &set), 0);
	return set.bulk_bodies;
}

static uint64_t wanted(const struct village *v, size_t i)
{
	uint64_t here, want;

	assert_int_equal(vd_shares_bulk(v->s[i], &here, &want), 0);
	return want;
}

struct scene {
	struct village v;
	size_t writer, small, courier;
};

/* Three pictures; the small device has room for two and a half. */
static void begin(struct scene *s, const struct cast_place *p)
{
	village_start(&s->v, p);
	s->writer = village_join(&s->v, VD_ROLE_MEMBER, 3);
	s->small = village_join(&s->v, VD_ROLE_MEMBER, 4);
	s->courier = village_join(&s->v, VD_ROLE_COURIER, 5);
	village_sync(&s->v);
	picture(&s->v, s->writer, "a");
	picture(&s->v, s->writer, "b");
	picture(&s->v, s->writer, "c");
	bound(&s->v, s->small, CHUNKS * CHUNK_BYTES * 5 / 2 + 8192);
	bound(&s->v, s->courier, CHUNKS * CHUNK_BYTES * 5 / 2 + 8192);
}

static void check_two_and_none(struct scene *s)
{
	uint64_t most;
	bool full;

	assert_int_equal(parts(&s->v, s->small, "a"), CHUNKS);
	assert_int_equal(parts(&s->v, s->small, "b"), CHUNKS);
	assert_int_equal(parts(&s->v, s->small, "c"), 0);
	assert_int_equal(wanted(&s->v, s->small), 0);
	assert_true(told(&s->v, s->small));
	assert_int_equal(vd_shares_bulk_full(s->v.s[s->small], &full, &most), 0);
	assert_true(full);
	/* With room it is wanted as a whole, and nobody is told any more. */
	bound(&s->v, s->small, CHUNKS * CHUNK_BYTES * 4);
	assert_true(wanted(&s->v, s->small) >= CHUNKS * CHUNK_BYTES);
	assert_false(told(&s->v, s->small));
	village_carry(&s->v, s->writer, s->small);
	assert_int_equal(parts(&s->v, s->small, "c"), CHUNKS);
	village_end(&s->v);
}

static void test_begin__in_one_batch(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_carry(&s.v, s.writer, s.small);
	check_two_and_none(&s);
}

static const char *const all[] = { "a", "a0", "a1", "a2", "a3", "b", "b0", "b1", "b2", "b3", "c", "c0", "c1", "c2", "c3" };

static void test_begin__one_by_one(void **state)
{
	struct scene s;

	begin(&s, *state);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		village_hand(&s.v, s.writer, s.small, all[i], false);
	check_two_and_none(&s);
}

/* Stubs alone: two are wanted, and the third is not. */
static void test_begin__as_stubs(void **state)
{
	struct scene s;
	uint64_t count = 0;

	begin(&s, *state);
	for (size_t i = 0; i < 15; i++)
		village_hand(&s.v, s.writer, s.small, all[i], i % 5 != 0);
	assert_int_equal(parts(&s.v, s.small, "a") + parts(&s.v, s.small, "b"), 0);
	/* The next day it is looked at again, and there is no more room for it. */
	assert_int_equal(vd_shares_release(s.v.s[s.small], s.v.g[s.small], s.v.clock + 2 * (uint64_t)VD_DAY_MS, &count), 0);
	assert_int_equal(count, 0);
	village_carry(&s.v, s.writer, s.small);
	check_two_and_none(&s);
}

/* What came from its end is wanted when there is room: it waits in whatever order. */
static void test_begin__backwards(void **state)
{
	struct scene s;

	begin(&s, *state);
	bound(&s.v, s.small, 0);
	village_hand(&s.v, s.writer, s.small, "a", false);
	for (size_t i = 5; i-- > 1;)
		village_hand(&s.v, s.writer, s.small, all[i], true);
	assert_int_equal(wanted(&s.v, s.small), 0);
	bound(&s.v, s.small, CHUNKS * CHUNK_BYTES * 2);
	assert_true(wanted(&s.v, s.small) >= CHUNKS * CHUNK_BYTES);
	village_end(&s.v);
}

/* Who cannot read what it is takes what comes, as far as there is room. */
static void test_begin__unread(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_carry(&s.v, s.writer, s.courier);
	assert_int_equal(parts(&s.v, s.courier, "a") + parts(&s.v, s.courier, "b"), 2 * CHUNKS);
	assert_true(parts(&s.v, s.courier, "c") > 0 && parts(&s.v, s.courier, "c") < CHUNKS);
	village_end(&s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_begin__in_one_batch, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_begin__one_by_one, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_begin__as_stubs, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_begin__backwards, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_begin__unread, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
