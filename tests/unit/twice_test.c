/* Control records stand twice (twice.c): no broken page takes anybody's place. */
#include "tests/unit/broken.h"
#include "tests/unit/merge_cast.h"

#include "store/salvage.h"

enum { CONTROL_MAX = 32 };

struct scene {
	struct cast c;
	struct vd_batch control;
	struct vd_buf first[CONTROL_MAX], second[CONTROL_MAX]; /* values, as they stand in b's file */
};

static void second_key(struct vd_store *s, uint64_t arrival, uint8_t key[VD_INDEX_KEY_BYTES])
{
	uint8_t number[8] = { 0 };
	struct vd_slice part = vd_slice(number, sizeof(number));

	vd_set_u64(number, arrival);
	vd_value_key(s, "control again", &part, 1, key);
}

static void begin(struct scene *s, const struct cast_place *p)
{
	memset(s, 0, sizeof(*s));
	start(&s->c, p);
	cast_add(s->c.b, s->c.gb, "what was seen", NULL);
	cast_gather(s->c.b, VD_LANE_CONTROL, &s->control);
	vd_batch_seal(&s->control);
	assert_in_range(s->control.count, 3, CONTROL_MAX);
	for (size_t i = 0; i < s->control.count; i++) {
		uint8_t number[8] = { 0 }, key[VD_INDEX_KEY_BYTES];
		uint64_t arrival;

		assert_int_equal(vd_store_find(s->c.b, &s->control.entries[i].record.id, &arrival), 0);
		vd_set_u64(number, arrival);
		value_bytes(s->c.b, VD_TABLE_RECORDS, number, sizeof(number), &s->first[i]);
		second_key(s->c.b, arrival, key);
		value_bytes(s->c.b, VD_TABLE_VALUES, key, sizeof(key), &s->second[i]);
	}
	vd_group_free(s->c.gb);
	vd_store_close(s->c.b);
}

/* Nobody lost their place, and nothing is wrong. */
static void whole(struct scene *s, const char *home)
{
	struct vd_batch now = { 0 };

	assert_int_equal(vd_store_open(home, &s->c.b), 0);
	assert_int_equal(vd_store_group(s->c.b, s->c.id, &s->c.gb), 0);
	cast_gather(s->c.b, VD_LANE_CONTROL, &now);
	vd_batch_seal(&now);
	assert_int_equal(now.count, s->control.count);
	for (size_t i = 0; i < now.count; i++) {
		bool found = false;

		for (size_t k = 0; k < now.count; k++)
			found |= vd_slice_eq(now.entries[k].record.raw, s->control.entries[i].record.raw);
		assert_true(found);
	}
	assert_true(vd_group_is_author(s->c.gb, vd_group_identity(s->c.gb)->author));
	cast_add(s->c.b, s->c.gb, "and it goes on", NULL);
	vd_batch_deinit(&now);
}

static void finish(struct scene *s)
{
	for (size_t i = 0; i < CONTROL_MAX; i++) {
		vd_buf_deinit(&s->first[i]);
		vd_buf_deinit(&s->second[i]);
	}
	vd_batch_deinit(&s->control);
	end(&s->c);
}

static void salvaged(const struct cast_place *p, bool first)
{
	struct vd_salvage saved;
	struct scene s;

	begin(&s, p);
	break_file(p->other, first ? s.first : s.second, s.control.count, true);
	assert_int_equal(vd_store_salvage(p->other, rest_secret(), cast_now, &saved), 0);
	assert_int_equal(saved.check.bad, 0);
	whole(&s, p->other);
	finish(&s);
}

static void test_twice__salvage_from_the_second(void **state)
{
	salvaged(*state, true);
}

static void test_twice__salvage_from_the_first(void **state)
{
	salvaged(*state, false);
}

/* The table is whole, what stands in it is not: repair puts the copy there, and what it finds of no use anew. */
static void test_twice__mended_in_place(void **state)
{
	const struct cast_place *p = *state;
	struct vd_check check;
	struct scene s;

	for (int turn = 0; turn < 2; turn++) {
		if (!turn)
			begin(&s, p);
		/* then the copy that was used before */
		break_file(p->other, turn ? s.second : s.first, s.control.count, false);
		assert_int_equal(vd_store_open(p->other, &s.c.b), 0);
		assert_int_equal(vd_check(s.c.b, false, &check), 0);
		assert_int_equal(check.bad, turn ? 0 : s.control.count);
		assert_int_equal(vd_check(s.c.b, true, &check), 0);
		assert_int_equal(check.bad, 0);
		vd_store_close(s.c.b);
	}
	/* what it wrote is of use */
	break_file(p->other, s.first, s.control.count, false);
	assert_int_equal(vd_store_open(p->other, &s.c.b), 0);
	assert_int_equal(vd_check(s.c.b, true, &check), 0);
	assert_int_equal(check.bad, 0);
	vd_store_close(s.c.b);
	whole(&s, p->other);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_twice__salvage_from_the_second, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__salvage_from_the_first, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__mended_in_place, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
