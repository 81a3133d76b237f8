/* Control records stand twice (twice.c): no broken page takes anybody's place. */
#include "tests/unit/broken.h"
#include "tests/unit/merge_cast.h"

#include "store/salvage.h"

enum { CONTROL_MAX = 32 };

struct scene {
	struct cast c;
	struct vd_batch control;
	struct vd_buf first[CONTROL_MAX], second[CONTROL_MAX]; /* values, as they stand in b's file */
	bool older;
};

static void older_key(const struct vd_store *s, uint64_t arrival, uint8_t key[VD_INDEX_KEY_BYTES])
{
	uint8_t number[8] = { 0 };
	struct vd_slice part = vd_slice(number, sizeof(number));

	vd_set_u64(number, arrival);
	vd_value_key(s, "control again", &part, 1, key);
}

/* Second copies get the names that they had in older stores. */
static void make_older(struct scene *s)
{
	uint8_t key[VD_INDEX_KEY_BYTES], older[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_write *w;

	assert_int_equal(vd_write_begin(s->c.b, &w), 0);
	for (size_t i = 0; i < s->control.count; i++) {
		uint64_t arrival;
		MDB_txn *txn;

		assert_int_equal(vd_store_find(s->c.b, &s->control.entries[i].record.id, &arrival), 0);
		vd_twice_key(s->c.b, arrival, key);
		older_key(s->c.b, arrival, older);
		vd_buf_reset(&value);
		assert_int_equal(vd_db_read(s->c.b->db, &txn), 0);
		assert_int_equal(vd_value_get(s->c.b, txn, key, &value), 0);
		vd_db_done(s->c.b->db, txn);
		vd_effects_put(&w->effects, s->c.b, VD_TABLE_VALUES, older, sizeof(older), vd_buf_slice(&value));
		vd_effects_remove(&w->effects, VD_TABLE_VALUES, key, sizeof(key));
	}
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&value);
}

/* As they stand now; in a sealed store what is written again has other bytes. */
static void read_values(struct scene *s)
{
	for (size_t i = 0; i < s->control.count; i++) {
		uint8_t number[8] = { 0 }, key[VD_INDEX_KEY_BYTES];
		uint64_t arrival;

		vd_buf_reset(&s->first[i]);
		vd_buf_reset(&s->second[i]);
		assert_int_equal(vd_store_find(s->c.b, &s->control.entries[i].record.id, &arrival), 0);
		vd_set_u64(number, arrival);
		value_bytes(s->c.b, VD_TABLE_RECORDS, number, sizeof(number), &s->first[i]);
		(s->older ? older_key : vd_twice_key)(s->c.b, arrival, key);
		value_bytes(s->c.b, VD_TABLE_VALUES, key, sizeof(key), &s->second[i]);
	}
}

static void begin(struct scene *s, const struct cast_place *p, bool older)
{
	memset(s, 0, sizeof(*s));
	s->older = older;
	start(&s->c, p);
	cast_add(s->c.b, s->c.gb, "what was seen", NULL);
	cast_gather(s->c.b, VD_LANE_CONTROL, &s->control);
	vd_batch_seal(&s->control);
	assert_in_range(s->control.count, 3, CONTROL_MAX);
	if (older)
		make_older(s);
	read_values(s);
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

static void break_values(struct scene *s, const char *home, const struct vd_buf *values, bool tables)
{
	assert_int_equal(break_file(home, values, s->control.count, tables), s->control.count);
}

static void salvaged(const struct cast_place *p, bool first, bool older)
{
	struct vd_salvage saved;
	struct scene s;

	begin(&s, p, older);
	break_values(&s, p->other, first ? s.first : s.second, true);
	assert_int_equal(vd_store_salvage(p->other, rest_secret(), cast_now, &saved), 0);
	assert_int_equal(saved.check.bad, 0);
	whole(&s, p->other);
	finish(&s);
}

static void test_twice__salvage_from_the_second(void **state)
{
	salvaged(*state, true, false);
}

static void test_twice__salvage_from_the_first(void **state)
{
	salvaged(*state, false, false);
}

static void test_twice__salvage_from_an_older_second(void **state)
{
	salvaged(*state, true, true);
}

/* How many are wrong; then none is. */
static void mend(struct scene *s, const char *home, size_t bad)
{
	struct vd_check check;

	assert_int_equal(vd_store_open(home, &s->c.b), 0);
	assert_int_equal(vd_check(s->c.b, false, &check), 0);
	assert_int_equal(check.bad, bad);
	assert_int_equal(vd_check(s->c.b, true, &check), 0);
	assert_int_equal(check.bad, 0);
	read_values(s);
	vd_store_close(s->c.b);
}

/* The table is whole, what stands in it is not: repair puts the copy there, and what it finds of no use anew. */
static void mended(const struct cast_place *p, bool older)
{
	struct scene s;

	begin(&s, p, older);
	break_values(&s, p->other, s.first, false);
	mend(&s, p->other, s.control.count);
	/* then the copy that was used before */
	break_values(&s, p->other, s.second, false);
	s.older = false;
	mend(&s, p->other, 0);
	/* what it wrote is of use */
	break_values(&s, p->other, s.first, false);
	mend(&s, p->other, s.control.count);
	whole(&s, p->other);
	finish(&s);
}

static void test_twice__mended_in_place(void **state)
{
	mended(*state, false);
}

static void test_twice__mended_from_older_names(void **state)
{
	mended(*state, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_twice__salvage_from_the_second, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__salvage_from_the_first, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__salvage_from_an_older_second, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__mended_in_place, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_twice__mended_from_older_names, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
