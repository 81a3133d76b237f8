#include "tests/unit/store_cast.h"

#include "store/check.h"
#include "store/inside.h"

/* The values of a lane: what it says of itself, what of it is wanted, its symbols. */
enum kind { HEAD, WANTED, BLOCK, KINDS };
enum { BLOCKS = VD_SKETCH_SYMBOLS / VD_SKETCH_BLOCK };

struct value {
	uint8_t key[VD_INDEX_KEY_BYTES];
	size_t n;
	uint8_t *p;
};

/* Every value of that kind, as it was. */
struct values {
	struct vd_db *db;
	struct value all[VD_LANES * BLOCKS];
	size_t count;
	int (*change)(struct values *, MDB_txn *);
	MDB_dbi table;
};

/* Those that there are of the named. */
static int collect(struct values *x, MDB_txn *txn)
{
	size_t count = 0;

	for (size_t i = 0; i < x->count; i++) {
		MDB_val k = { sizeof(x->all[i].key), x->all[i].key }, v;
		int rc = mdb_get(txn, x->table, &k, &v);

		if (rc == MDB_NOTFOUND)
			continue;
		if (rc)
			return rc;
		memmove(x->all[count].key, x->all[i].key, sizeof(x->all[i].key));
		x->all[count].n = v.mv_size;
		x->all[count].p = malloc(v.mv_size);
		memcpy(x->all[count++].p, v.mv_data, v.mv_size);
	}
	x->count = count;
	return 0;
}

static int put(struct values *x, MDB_txn *txn, const struct value *at, const uint8_t *p, size_t n)
{
	MDB_val k = { sizeof(at->key), (void *)(uintptr_t)at->key }, v = { n, (void *)(uintptr_t)p };

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
		rc = put(x, txn, &x->all[i], x->all[(i + 1) % x->count].p, x->all[(i + 1) % x->count].n);
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

/* only: of that lane, or VD_ANY_LANE: all of them. */
static struct values *values_of(const char *home, const uint8_t *id, enum kind kind, uint8_t only)
{
	static const char *const uses[KINDS] = { "digest", "wanted digest", "sketch" };
	struct values *x = calloc(1, sizeof(*x));
	struct vd_store *s;

	assert_non_null(x);
	assert_int_equal(vd_store_open(home, &s), 0);
	for (uint8_t lane = 0; lane < VD_LANES; lane++)
		for (uint32_t block = 0; block < (kind == BLOCK ? BLOCKS : 1) && (only == VD_ANY_LANE || only == lane); block++) {
			uint8_t number[4] = { 0 };
			struct vd_slice parts[] = { vd_slice(id, VD_GROUP_BYTES), vd_slice(&lane, 1), vd_slice(number, sizeof(number)) };

			vd_set_u32(number, block);
			vd_value_key(s, uses[kind], parts, kind == BLOCK ? 3 : 2, x->all[x->count++].key);
		}
	vd_store_close(s);
	values_change(home, x, collect);
	assert_true(x->count >= 2); /* of lanes 0 and 2 */
	return x;
}

/* Every value of that kind is changed. */
static void spoil(const char *home, const uint8_t *id, enum kind kind, int (*how)(struct values *, MDB_txn *))
{
	struct values *x = values_of(home, id, kind, VD_ANY_LANE);

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
	enum kind kind;
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
		spoil(home, id, ways[i].kind, ways[i].how);
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
		spoil(home, id, ways[i].kind, ways[i].how);
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
	static struct picture before, after;
	const struct cast_place *p = *state;

	for (size_t i = 0; i <= KINDS; i++) {
		struct values *old[KINDS];
		uint8_t id[VD_GROUP_BYTES];
		struct vd_store *s;
		struct vd_group *g;
		char home[256];

		snprintf(home, sizeof(home), "%s/%zu", p->top, i);
		fill(home, id, NULL);
		for (size_t k = 0; k < KINDS; k++)
			old[k] = values_of(home, id, (enum kind)k, VD_ANY_LANE);
		assert_int_equal(vd_store_open(home, &s), 0);
		assert_int_equal(vd_store_group(s, id, &g), 0);
		cast_add(s, g, "algo nuevo", NULL);
		look(s, id, &before);
		vd_group_free(g);
		vd_store_close(s);
		for (size_t k = 0; k < KINDS; k++) {
			if (i == k || i == KINDS)
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

/* Symbols as all records of the lane make them. */
static void expect_symbols(struct vd_store *s, struct vd_group *g, const uint8_t *id, uint8_t l, size_t count)
{
	static struct vd_symbol made[VD_SKETCH_SYMBOLS], stored[VD_SKETCH_SYMBOLS];
	struct vd_batch batch = { 0 };
	struct vd_lane_state lane;
	struct vd_item item;

	memset(made, 0, sizeof(made));
	cast_gather(s, l, &batch);
	vd_batch_seal(&batch);
	assert_int_equal(batch.count, count);
	for (size_t i = 0; i < batch.count; i++) {
		vd_item_of(vd_group_salt(g), &batch.entries[i].record.id, &item);
		vd_sketch_apply(made, 0, VD_SKETCH_SYMBOLS, &item, +1);
	}
	assert_int_equal(vd_store_lane(s, id, l, &lane, stored, VD_SKETCH_SYMBOLS), 0);
	assert_memory_equal(made, stored, sizeof(made));
	vd_batch_deinit(&batch);
}

static size_t full_blocks(const char *home, const uint8_t *id, uint8_t lane, size_t *count)
{
	enum { FULL = (VD_ITEM_BYTES + 8) * VD_SKETCH_BLOCK };
	struct values *blocks = values_of(home, id, BLOCK, lane);
	size_t full = 0;

	*count = blocks->count;
	for (size_t i = 0; i < blocks->count; i++)
		full += blocks->all[i].n > FULL;
	values_free(blocks);
	return full;
}

/* In the control lane of a readable store a block says which symbols there are while these are few; any other has all of them. */
static void test_lanes__few_and_many(void **state)
{
	static const size_t more[] = { 1, 4, 150, 1 };
	const struct cast_place *p = *state;
	uint8_t id[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_store *s = cast_store(p->home);
	struct vd_group *g = cast_found(s, id);
	size_t control, normal = 0, blocks;
	struct vd_batch founding = { 0 };

	cast_gather(s, VD_LANE_CONTROL, &founding);
	control = founding.count;
	vd_batch_deinit(&founding);
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		size_t full;

		for (size_t k = 0; k < more[i]; k++) {
			const uint8_t seed[VD_IDENTITY_SEED_BYTES] = { (uint8_t)i, (uint8_t)k };
			struct vd_identity newcomer;

			vd_identity_from_seed(seed, &newcomer);
			cast_admit(s, g, &newcomer, grant);
			control += 2;
		}
		cast_add(s, g, "hola", NULL);
		expect_symbols(s, g, id, VD_LANE_CONTROL, control);
		expect_symbols(s, g, id, VD_LANE_NORMAL, ++normal);
		vd_group_free(g);
		vd_store_close(s);
		full = full_blocks(p->home, id, VD_LANE_CONTROL, &blocks);
		if (rest_secret())
			assert_int_equal(full, blocks);
		else
			assert_true(control < 200 ? !full : full && full < blocks);
		full = full_blocks(p->home, id, VD_LANE_NORMAL, &blocks);
		assert_int_equal(full, blocks);
		assert_int_equal(vd_store_open(p->home, &s), 0);
		assert_int_equal(vd_store_group(s, id, &g), 0);
		expect_symbols(s, g, id, VD_LANE_CONTROL, control);
		expect_sound(s);
	}
	vd_group_free(g);
	vd_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lanes__healed_when_read, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lanes__healed_when_written, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lanes__few_and_many, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lanes__stale, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
