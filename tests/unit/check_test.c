#include "tests/unit/store_cast.h"

#include "store/check.h"
#include "store/db.h"
#include "store/index.h"

/* Spoils one table of the store behind its back. */
struct spoil {
	struct vd_db *db;
	enum vd_table table;
	bool all;      /* every entry, or the last one only */
	bool flip;     /* a byte of the last value */
};

static int apply(void *ctx, MDB_txn *txn)
{
	struct spoil *x = ctx;
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc;

	if (x->all)
		return mdb_drop(txn, vd_db_table(x->db, x->table), 0);
	rc = mdb_cursor_open(txn, vd_db_table(x->db, x->table), &cursor);
	if (rc)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	if (!rc && !x->flip)
		rc = mdb_cursor_del(cursor, 0);
	if (!rc && x->flip) {
		uint8_t key[32], *copy = malloc(v.mv_size);
		MDB_val nk = { k.mv_size, key }, nv = { v.mv_size, copy };

		memcpy(key, k.mv_data, k.mv_size);
		memcpy(copy, v.mv_data, v.mv_size);
		copy[v.mv_size - 1] ^= 1;
		rc = mdb_put(txn, vd_db_table(x->db, x->table), &nk, &nv, 0);
		free(copy);
	}
	mdb_cursor_close(cursor);
	return rc;
}

static void spoil(const char *home, enum vd_table table, bool all, bool flip)
{
	struct spoil x = { .table = table, .all = all, .flip = flip };

	assert_int_equal(vd_db_open(home, false, &x.db), 0);
	assert_int_equal(vd_db_lock(x.db), 0);
	assert_int_equal(vd_db_change(x.db, apply, &x), 0);
	vd_db_unlock(x.db);
	vd_db_close(x.db);
}

static void fill(const char *home, uint8_t id[VD_GROUP_BYTES])
{
	struct vd_store *s = cast_store(home);
	struct vd_group *g = cast_found(s, id);

	for (int i = 0; i < 10; i++)
		cast_add(s, g, "hola", NULL);
	assert_int_equal(vd_index_catch_up(s), 0);
	vd_group_free(g);
	vd_store_close(s);
}

/* Told, repaired, and then as good as new. */
static void expect_repair(const char *home, uint64_t bad)
{
	struct vd_check check;
	struct vd_store *s;

	assert_int_equal(vd_store_open(home, &s), 0);
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad, bad);
	assert_true(check.bad + check.derived_bad > 0);
	assert_int_equal(check.repaired, 0);
	assert_int_equal(vd_check(s, true, &check), 0);
	assert_true(check.repaired > 0);
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad, 0);
	assert_int_equal(check.derived_bad, 0);
	assert_int_equal(vd_index_catch_up(s), 0);
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.derived_bad, 0);
	vd_store_close(s);
}

static void test_check__sound(void **state)
{
	const struct cast_place *p = *state;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_check check;
	struct vd_store *s;

	fill(p->home, id);
	assert_int_equal(vd_store_open(p->home, &s), 0);
	assert_int_equal(vd_check(s, true, &check), 0);
	assert_int_equal(check.records, 14);
	assert_int_equal(check.bad + check.derived_bad + check.repaired, 0);
	vd_store_close(s);
}

static void test_check__indexes_lost(void **state)
{
	static const enum vd_table tables[] = { VD_TABLE_ITEMS, VD_TABLE_LISTS, VD_TABLE_INDEX };
	const struct cast_place *p = *state;

	for (size_t i = 0; i < 6; i++) {
		char home[256];
		uint8_t id[VD_GROUP_BYTES];

		snprintf(home, sizeof(home), "%s/%zu", p->top, i);
		fill(home, id);
		spoil(home, tables[i / 2], i % 2 == 0, false);
		expect_repair(home, 0);
	}
}

static void test_check__record_lost_or_spoilt(void **state)
{
	const struct cast_place *p = *state;
	uint8_t id[VD_GROUP_BYTES];

	fill(p->home, id);
	spoil(p->home, VD_TABLE_RECORDS, false, true);
	expect_repair(p->home, 1);
	fill(p->other, id);
	spoil(p->other, VD_TABLE_RECORDS, false, false);
	expect_repair(p->other, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_check__sound, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_check__indexes_lost, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_check__record_lost_or_spoilt, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
