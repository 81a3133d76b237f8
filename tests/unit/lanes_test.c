#include "tests/unit/store_cast.h"

#include "store/check.h"
#include "store/db.h"

/* What the values of lanes are told by: their length. */
enum {
	BLOCK = (VD_ITEM_BYTES + 8) * VD_SKETCH_BLOCK,
	WANTED = VD_DIGEST_STORED_BYTES,
	HEAD = VD_DIGEST_STORED_BYTES + 8 + 4 + 4 * (VD_SKETCH_SYMBOLS / VD_SKETCH_BLOCK) + 8,
	AROUND = 16, /* a vault's own bytes, at most */
	VALUES_MAX = 1024,
};

static bool is(const MDB_val *v, size_t n)
{
	size_t bucket = (4 + n + 127) / 128 * 128;

	if (getenv("VD_TEST_SEALED"))
		return v->mv_size >= bucket && v->mv_size < bucket + 64;
	return v->mv_size >= n && v->mv_size < n + AROUND;
}

struct value {
	uint8_t key[32];
	size_t key_n, n;
	uint8_t *p;
};

/* Every value of that length, as it was. */
struct values {
	struct vd_db *db;
	size_t length;
	struct value all[VALUES_MAX];
	size_t count;
	int (*change)(struct values *, MDB_txn *);
	MDB_dbi table;
};

static int collect(struct values *x, MDB_txn *txn)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, x->table, &cursor);

	while (!rc && !(rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)))
		if (is(&v, x->length)) {
			struct value *one = &x->all[x->count++];

			assert_true(x->count < VALUES_MAX && k.mv_size <= sizeof(one->key));
			memcpy(one->key, k.mv_data, k.mv_size);
			one->key_n = k.mv_size;
			one->n = v.mv_size;
			one->p = malloc(v.mv_size);
			memcpy(one->p, v.mv_data, v.mv_size);
		}
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int put(struct values *x, MDB_txn *txn, const struct value *at, const uint8_t *p, size_t n)
{
	MDB_val k = { at->key_n, (void *)(uintptr_t)at->key }, v = { n, (void *)(uintptr_t)p };

	return n ? mdb_put(txn, x->table, &k, &v, 0) : mdb_del(txn, x->table, &k, NULL);
}

static int back(struct values *x, MDB_txn *txn)
{
	int rc = 0;

	for (size_t i = 0; i < x->count && !rc; i++)
		rc = put(x, txn, &x->all[i], x->all[i].p, x->all[i].n);
	return rc;
}

static int flip(struct values *x, MDB_txn *txn)
{
	for (size_t i = 0; i < x->count; i++)
		x->all[i].p[(i + 1) * 997 % x->all[i].n] ^= 1;
	return back(x, txn);
}

static int cut(struct values *x, MDB_txn *txn)
{
	for (size_t i = 0; i < x->count; i++)
		x->all[i].n--;
	return back(x, txn);
}

static int gone(struct values *x, MDB_txn *txn)
{
	for (size_t i = 0; i < x->count; i++)
		x->all[i].n = 0;
	return back(x, txn);
}

static int astray(struct values *x, MDB_txn *txn)
{
	int rc = 0;

	for (size_t i = 0; i < x->count && !rc; i++)
		rc = put(x, txn, &x->all[i], x->all[(i + 1) % x->count].p, x->all[i].n);
	return rc;
}

static int apply(void *ctx, MDB_txn *txn)
{
	struct values *x = ctx;

	x->table = vd_db_table(x->db, VD_TABLE_VALUES);
	return x->change(x, txn);
}

static void values_change(const char *home, struct values *x, int (*change)(struct values *, MDB_txn *))
{
	x->change = change;
	assert_int_equal(vd_db_open(home, false, &x->db), 0);
	assert_int_equal(vd_db_lock(x->db), 0);
	assert_int_equal(vd_db_change(x->db, apply, x), 0);
	vd_db_unlock(x->db);
	vd_db_close(x->db);
}

static void values_free(struct values *x)
{
	for (size_t i = 0; i < x->count; i++)
		free(x->all[i].p);
	free(x);
}

/* Every value of that length is collected, and changed. */
static void spoil(const char *home, size_t length, int (*how)(struct values *, MDB_txn *))
{
	struct values *x = calloc(1, sizeof(*x));

	x->length = length;
	values_change(home, x, collect);
	assert_true(x->count >= 2); /* of lanes 0 and 2 */
	values_change(home, x, how);
	values_free(x);
}

struct picture {
	struct vd_lane_state state[VD_LANES];
	struct vd_symbol symbols[VD_LANES][VD_SKETCH_SYMBOLS];
};

static void look(struct vd_store *s, const uint8_t *id, struct picture *out)
{
	for (uint8_t l = 0; l < VD_LANES; l++)
		assert_int_equal(vd_store_lane(s, id, l, &out->state[l], out->symbols[l], VD_SKETCH_SYMBOLS), 0);
}

static void expect_sound(struct vd_store *s)
{
	struct vd_check check;

	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
}

static void fill(const char *home, uint8_t id[VD_GROUP_BYTES], struct picture *out)
{
	struct vd_store *s = cast_store(home);
	struct vd_group *g = cast_found(s, id);

	for (int i = 0; i < 10; i++)
		cast_add(s, g, "hola", NULL);
	if (out)
		look(s, id, out);
	vd_group_free(g);
	vd_store_close(s);
}

static const struct {
	size_t length;
	int (*how)(struct values *, MDB_txn *);
} ways[] = { { HEAD, flip },  { HEAD, cut },  { HEAD, gone },  { HEAD, astray },  { WANTED, flip }, { WANTED, cut },
	     { WANTED, gone }, { BLOCK, flip }, { BLOCK, cut }, { BLOCK, gone },  { BLOCK, astray } };
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

/* Whoever reads next gets what was there before, and so does everybody after. */
static void test_lanes__healed_when_read(void **state)
{
	static struct picture before, after;
	const struct cast_place *p = *state;

	for (size_t i = 0; i < WAYS; i++) {
		uint8_t id[VD_GROUP_BYTES];
		struct vd_store *s;
		char home[256];

		snprintf(home, sizeof(home), "%s/%zu", p->top, i);
		fill(home, id, &before);
		spoil(home, ways[i].length, ways[i].how);
		assert_int_equal(vd_store_open(home, &s), 0);
		look(s, id, &after);
		assert_memory_equal(&before, &after, sizeof(before));
		expect_sound(s);
		vd_store_close(s);
	}
}

/* Whoever writes next adds to what was there before. */
static void test_lanes__healed_when_written(void **state)
{
	const struct cast_place *p = *state;

	for (size_t i = 0; i < WAYS; i++) {
		uint8_t id[VD_GROUP_BYTES];
		struct vd_lane_state lane;
		struct vd_store *s;
		struct vd_group *g;
		char home[256];

		snprintf(home, sizeof(home), "%s/%zu", p->top, i);
		fill(home, id, NULL);
		spoil(home, ways[i].length, ways[i].how);
		assert_int_equal(vd_store_open(home, &s), 0);
		assert_int_equal(vd_store_group(s, id, &g), 0);
		for (int k = 0; k < 3; k++)
			cast_add(s, g, "otra vez", NULL);
		assert_int_equal(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
		assert_int_equal(lane.digest.count, 13);
		/* what the three were not in is healed when somebody reads it */
		for (uint8_t l = 0; l < VD_LANES; l++) {
			static struct vd_symbol symbols[VD_SKETCH_SYMBOLS];

			assert_int_equal(vd_store_lane(s, id, l, &lane, symbols, VD_SKETCH_SYMBOLS), 0);
		}
		expect_sound(s);
		vd_group_free(g);
		vd_store_close(s);
	}
}

/* Values of an earlier moment: all of them, and each kind alone. */
static void test_lanes__stale(void **state)
{
	static const size_t lengths[] = { HEAD, WANTED, BLOCK };
	static struct picture before, after;
	const struct cast_place *p = *state;

	for (size_t i = 0; i < 4; i++) {
		struct values *old[3];
		uint8_t id[VD_GROUP_BYTES];
		struct vd_store *s;
		struct vd_group *g;
		char home[256];

		snprintf(home, sizeof(home), "%s/%zu", p->top, i);
		fill(home, id, NULL);
		for (size_t k = 0; k < 3; k++) {
			old[k] = calloc(1, sizeof(*old[k]));
			old[k]->length = lengths[k];
			values_change(home, old[k], collect);
		}
		assert_int_equal(vd_store_open(home, &s), 0);
		assert_int_equal(vd_store_group(s, id, &g), 0);
		cast_add(s, g, "algo nuevo", NULL);
		look(s, id, &before);
		vd_group_free(g);
		vd_store_close(s);
		for (size_t k = 0; k < 3; k++) {
			if (i == k || i == 3)
				values_change(home, old[k], back);
			values_free(old[k]);
		}
		assert_int_equal(vd_store_open(home, &s), 0);
		look(s, id, &after);
		assert_memory_equal(&before, &after, sizeof(before));
		expect_sound(s);
		vd_store_close(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lanes__healed_when_read, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lanes__healed_when_written, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lanes__stale, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
