#include "tests/unit/store_cast.h"

#include <sys/stat.h>

#include "proto/err.h"
#include "store/db.h"
#include "store/lists.h"

/* A table of lists beside what it should hold. */
struct world {
	struct vd_db *db;
	uint8_t (*entries)[VD_ENTRY_BYTES];
	size_t count;
	const struct vd_entry_change *changes;
	size_t change_count;
	uint64_t random;
};

enum { MOST = 60000 };

static uint64_t draw(struct world *w, uint64_t below)
{
	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (w->random >> 11) % below;
}

static void begin(struct world *w, const struct cast_place *p)
{
	*w = (struct world){ .random = 7 };
	assert_int_equal(mkdir(p->other, 0700), 0);
	assert_int_equal(vd_db_open(p->other, true, &w->db), 0);
	w->entries = calloc(MOST, sizeof(*w->entries));
	assert_non_null(w->entries);
}

static void end(struct world *w)
{
	free(w->entries);
	vd_db_close(w->db);
}

static int by_entry(const void *a, const void *b)
{
	return memcmp(a, b, VD_ENTRY_BYTES);
}

static int by_change(const void *a, const void *b)
{
	return memcmp(((const struct vd_entry_change *)a)->entry, ((const struct vd_entry_change *)b)->entry, VD_ENTRY_BYTES);
}

static int apply(void *ctx, MDB_txn *txn)
{
	struct world *w = ctx;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, vd_db_table(w->db, VD_TABLE_LISTS), &cursor);

	assert_int_equal(rc, 0);
	rc = vd_lists_change(cursor, w->changes, w->change_count);
	mdb_cursor_close(cursor);
	return rc;
}

/* The same in the table and in the array. */
static void change(struct world *w, struct vd_entry_change *changes, size_t count)
{
	size_t kept = 0;

	qsort(changes, count, sizeof(*changes), by_change);
	for (size_t i = 0; i < count; i++) {
		if (kept && !memcmp(changes[kept - 1].entry, changes[i].entry, VD_ENTRY_BYTES))
			continue;
		changes[kept++] = changes[i];
	}
	w->changes = changes;
	w->change_count = kept;
	assert_int_equal(vd_db_lock(w->db), 0);
	assert_int_equal(vd_db_change(w->db, apply, w), 0);
	vd_db_unlock(w->db);
	for (size_t i = 0; i < kept; i++) {
		uint8_t(*found)[VD_ENTRY_BYTES] = bsearch(changes[i].entry, w->entries, w->count, VD_ENTRY_BYTES, by_entry);

		if (found && changes[i].remove) {
			memmove(found, found + 1, (size_t)(w->entries + w->count - found - 1) * VD_ENTRY_BYTES);
			w->count--;
		} else if (!found && !changes[i].remove) {
			assert_true(w->count < MOST);
			memcpy(w->entries[w->count++], changes[i].entry, VD_ENTRY_BYTES);
			qsort(w->entries, w->count, VD_ENTRY_BYTES, by_entry);
		}
	}
}

static int expect_next(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	struct world *w = ctx;

	assert_true(w->change_count < w->count);
	assert_memory_equal(entry, w->entries[w->change_count], VD_ENTRY_BYTES);
	w->change_count++;
	return 0;
}

static MDB_cursor *look(struct world *w, MDB_txn **txn)
{
	MDB_cursor *cursor;

	assert_int_equal(vd_db_read(w->db, txn), 0);
	assert_int_equal(mdb_cursor_open(*txn, vd_db_table(w->db, VD_TABLE_LISTS), &cursor), 0);
	return cursor;
}

/* Many at once, from behind the entry, or from the list's begin. */
static void compare_some(const struct world *w, MDB_cursor *cursor, size_t i, bool begin, size_t max)
{
	const uint8_t *list = w->entries[i];
	uint64_t *out = malloc(max * sizeof(*out)), after = begin ? 0 : vd_get_u64(list + VD_LIST_KEY_BYTES);
	size_t n, next = i + 1;

	while (begin && next && !memcmp(w->entries[next - 1], list, VD_LIST_KEY_BYTES) && vd_get_u64(w->entries[next - 1] + VD_LIST_KEY_BYTES))
		next--;
	assert_non_null(out);
	assert_int_equal(vd_list_some(cursor, list, &after, out, max, &n), 0);
	assert_true(n <= max);
	for (size_t k = 0; k < n; k++, next++) {
		assert_true(next < w->count);
		assert_memory_equal(w->entries[next], list, VD_LIST_KEY_BYTES);
		assert_int_equal(out[k], vd_get_u64(w->entries[next] + VD_LIST_KEY_BYTES));
	}
	if (n)
		assert_int_equal(after, out[n - 1]);
	if (n < max)
		assert_true(next == w->count || memcmp(w->entries[next], list, VD_LIST_KEY_BYTES) != 0);
	free(out);
}

/* By walking, by going on and back from every entry, by asking for what is and is not there, and for many at once. */
static void compare(struct world *w)
{
	MDB_txn *txn;
	MDB_cursor *cursor = look(w, &txn);
	uint64_t count;

	w->change_count = 0;
	assert_int_equal(vd_lists_walk(cursor, expect_next, w), 0);
	assert_int_equal(w->change_count, w->count);
	assert_int_equal(vd_lists_count(cursor, &count), 0);
	assert_int_equal(count, w->count);
	for (size_t i = 0; i < w->count; i++) {
		const uint8_t *list = w->entries[i];
		uint64_t own = vd_get_u64(list + VD_LIST_KEY_BYTES), at = own;
		bool next = i + 1 < w->count && !memcmp(w->entries[i + 1], list, VD_LIST_KEY_BYTES);
		bool back = i && !memcmp(w->entries[i - 1], list, VD_LIST_KEY_BYTES);

		assert_int_equal(vd_list_next(cursor, list, &at), next ? 0 : VD_ENOTFOUND);
		assert_int_equal(at, next ? vd_get_u64(w->entries[i + 1] + VD_LIST_KEY_BYTES) : own);
		at = own;
		assert_int_equal(vd_list_back(cursor, list, &at), back ? 0 : VD_ENOTFOUND);
		assert_int_equal(at, back ? vd_get_u64(w->entries[i - 1] + VD_LIST_KEY_BYTES) : own);
		assert_true(vd_list_has(cursor, list, own));
		assert_int_equal(own != UINT64_MAX && vd_list_has(cursor, list, own + 1),
		                 next && vd_get_u64(w->entries[i + 1] + VD_LIST_KEY_BYTES) == own + 1);
		if (i % 61 == 0) {
			compare_some(w, cursor, i, false, 1 + i % 7);
			compare_some(w, cursor, i, true, MOST);
		}
	}
	mdb_cursor_close(cursor);
	vd_db_done(w->db, txn);
}

static void one_of(struct world *w, uint64_t lists, uint64_t arrivals, struct vd_entry_change *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	/* spread over the whole range, some with zeros at the end */
	vd_set_u64(list, (1 + draw(w, lists)) * (UINT64_MAX / (lists + 1)));
	if (draw(w, 2))
		memset(list + 5, 0, 3);
	vd_entry_key(list, draw(w, arrivals), out->entry);
	out->remove = draw(w, 3) == 0;
}

static void churn(struct world *w, uint64_t lists, uint64_t arrivals, size_t rounds)
{
	struct vd_entry_change changes[400];

	for (size_t round = 0; round < rounds; round++) {
		size_t count = 1 + (size_t)draw(w, 400);

		for (size_t i = 0; i < count; i++)
			one_of(w, lists, arrivals, &changes[i]);
		change(w, changes, count);
		if (round % 5 == 0)
			compare(w);
	}
	compare(w);
}

static void test_lists__as_a_sorted_array(void **state)
{
	static const struct {
		uint64_t lists, arrivals;
	} shapes[] = { { 1, 5000 }, { 3, UINT64_MAX / 2 }, { 50, 300 }, { 100000, 50 }, { UINT64_MAX / 4, UINT64_MAX / 4 } };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct cast_place p = *(struct cast_place *)*state;
		struct world w;

		snprintf(p.other + strlen(p.other), 24, "-%zu", i);
		begin(&w, &p);
		churn(&w, shapes[i].lists, shapes[i].arrivals, 16);
		end(&w);
	}
}

static void test_lists__the_ends_of_the_range(void **state)
{
	struct vd_entry_change changes[8];
	uint8_t list[VD_LIST_KEY_BYTES];
	struct world w;
	size_t n = 0;

	begin(&w, *state);
	for (int i = 0; i < 4; i++) {
		memset(list, i / 2 ? 0xff : 0, sizeof(list));
		vd_entry_key(list, i % 2 ? UINT64_MAX : 0, changes[n].entry);
		changes[n++].remove = false;
	}
	change(&w, changes, n);
	compare(&w);
	for (size_t i = 0; i < n; i++) {
		struct vd_entry_change gone = changes[i];

		gone.remove = true;
		change(&w, &gone, 1);
		compare(&w);
	}
	end(&w);
}

static void append(struct world *w, uint64_t first, size_t count)
{
	static struct vd_entry_change changes[4 * 1000];
	uint8_t list[VD_LIST_KEY_BYTES];

	for (size_t i = 0; i < 4 * count; i++) {
		vd_set_u64(list, UINT64_C(0x3fffffffffffffff) * (i % 4 + 1) / 2);
		vd_entry_key(list, first + i / 4, changes[i].entry);
		changes[i].remove = false;
	}
	qsort(changes, 4 * count, sizeof(changes[0]), by_change);
	w->changes = changes;
	w->change_count = 4 * count;
	assert_int_equal(vd_db_lock(w->db), 0);
	assert_int_equal(vd_db_change(w->db, apply, w), 0);
	vd_db_unlock(w->db);
}

/* Lists that grow at their end, by a few or by many at a time, take two bytes an entry, pages half empty included. */
static void test_lists__dense(void **state)
{
	for (size_t step = 1; step <= 1000; step *= 10) {
		struct cast_place p = *(struct cast_place *)*state;
		struct world w;
		MDB_txn *txn;
		MDB_stat stat;
		size_t total = step == 1 ? 400 : 200 * step < 20000 ? 200 * step : 20000;

		snprintf(p.other + strlen(p.other), 24, "-%zu", step);
		begin(&w, &p);
		for (uint64_t at = 1; at <= total; at += step)
			append(&w, at, step);
		assert_int_equal(vd_db_read(w.db, &txn), 0);
		assert_int_equal(mdb_stat(txn, vd_db_table(w.db, VD_TABLE_LISTS), &stat), 0);
		assert_true((stat.ms_leaf_pages + stat.ms_branch_pages) * stat.ms_psize < 8 * total + 4 * 4096);
		vd_db_done(w.db, txn);
		end(&w);
	}
}

/* --- what a bad disk makes of a block --- */

static int pass(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	int order = memcmp(ctx, entry, VD_ENTRY_BYTES);

	assert_true(order < 0);
	memcpy(ctx, entry, VD_ENTRY_BYTES);
	return 0;
}

static int verdict(const void *key, size_t key_n, const void *value, size_t n)
{
	MDB_val k = { key_n, (void *)(uintptr_t)key }, v = { n, (void *)(uintptr_t)value };
	uint8_t last[VD_ENTRY_BYTES] = { 0 };

	return vd_lists_block(&k, &v, pass, last);
}

static void test_lists__damaged(void **state)
{
	static const uint8_t key[VD_ENTRY_BYTES] = { 1, 0, 0, 0, 0, 0, 0, 0, [15] = 9 };
	static const uint8_t good[] = { 1, 5, 0x80, 1, 0, 1, 3 };
	uint8_t value[sizeof(good) + 1];

	(void)state;
	assert_int_equal(verdict(key, sizeof(key), NULL, 0), 0);
	assert_int_equal(verdict(key, sizeof(key), good, sizeof(good)), 0);
	assert_int_equal(verdict(key, sizeof(key) - 1, good, sizeof(good)), VD_EDAMAGED);
	for (size_t n = 1; n < sizeof(good); n++) /* whole after the second and the third entry */
		assert_int_equal(verdict(key, sizeof(key), good, n), n == 2 || n == 4 ? 0 : VD_EDAMAGED);
	memcpy(value, good, sizeof(good));
	value[0] = 0;
	assert_int_equal(verdict(key, sizeof(key), value, sizeof(good)), VD_EDAMAGED);
	value[0] = VD_LIST_KEY_BYTES + 1;
	assert_int_equal(verdict(key, sizeof(key), value, sizeof(good)), VD_EDAMAGED);
	/* list keys beyond the end: 1 + 255 */
	assert_int_equal(verdict(key, sizeof(key), "\1\0\377\1\3", 5), VD_EDAMAGED);
	assert_int_equal(verdict(key, sizeof(key), "\1\0\376\1\3", 5), 0);
	assert_int_equal(verdict(key, sizeof(key), "\1\0\0\3", 4), VD_EDAMAGED); /* no other list after all */
	/* arrivals beyond the end: 9 + (2^64 - 9) */
	assert_int_equal(verdict(key, sizeof(key), "\1\367\377\377\377\377\377\377\377\377\1", 11), VD_EDAMAGED);
	assert_int_equal(verdict(key, sizeof(key), "\1\366\377\377\377\377\377\377\377\377\1", 11), 0);
	assert_int_equal(verdict(key, sizeof(key), "\1\205\0", 3), VD_EDAMAGED); /* not the shortest form */
	/* the key has more bytes than it says */
	memcpy(value, key, 1);
	assert_int_equal(verdict("\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\11", VD_ENTRY_BYTES, good, sizeof(good)), VD_EDAMAGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists__as_a_sorted_array, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lists__the_ends_of_the_range, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_lists__dense, cast_setup, cast_teardown),
		cmocka_unit_test(test_lists__damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
