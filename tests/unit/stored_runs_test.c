/* Records that came together and stand together (stored.h): in the table, when some change, when some are damaged. */
#include "tests/unit/broken.h"
#include "tests/unit/merge_cast.h"

#include "store/inside.h"
#include "store/salvage.h"
#include "store/sealing.h"

enum { MANY = 70 };

struct scene {
	struct cast c;
	struct vd_batch whole, stubs;   /* in lane order, which is their order of arrival */
	uint64_t first;                 /* arrival number of the first in b */
};

static void come(struct scene *s, struct vd_batch *batch, struct vd_merge *merge)
{
	memset(merge, 0, sizeof(*merge));
	assert_int_equal(vd_store_merge(s->c.b, s->c.gb, batch, merge), 0);
}

static void begin(struct scene *s, const struct cast_place *p, bool bodies)
{
	struct vd_merge merge;
	struct vd_write *w;

	memset(s, 0, sizeof(*s));
	start(&s->c, p);
	assert_int_equal(vd_write_begin(s->c.a, &w), 0);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(cast_own(w, s->c.ga, "the guard changed at dusk and one pickup stayed", cast_now + 1000u * (unsigned)i, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	cast_gather(s->c.a, VD_LANE_NORMAL, &s->whole);
	vd_batch_seal(&s->whole);
	for (size_t i = 0; i < s->whole.count; i++)
		cut(s->whole.entries[i].record.raw, &s->stubs);
	vd_batch_seal(&s->stubs);
	come(s, bodies ? &s->whole : &s->stubs, &merge);
	assert_int_equal(merge.fresh, MANY);
	s->first = merge.first_arrival;
}

static void finish(struct scene *s)
{
	vd_batch_deinit(&s->whole);
	vd_batch_deinit(&s->stubs);
	end(&s->c);
}

/* Some of a batch. */
static void pick(const struct vd_batch *from, size_t first, size_t count, struct vd_batch *out)
{
	for (size_t i = first; i < first + count; i++)
		assert_int_equal(vd_batch_add(out, from->entries[i].record.raw), 0);
}

struct table {
	size_t values, overflow_pages, largest, in_largest;
	uint64_t last[1024];           /* their keys */
};

static void look(struct vd_store *s, struct table *out)
{
	MDB_cursor *cursor;
	MDB_stat stat;
	MDB_val k, v;
	MDB_txn *txn;

	memset(out, 0, sizeof(*out));
	assert_int_equal(vd_db_read(s->db, &txn), 0);
	assert_int_equal(mdb_stat(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &stat), 0);
	assert_int_equal(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor), 0);
	while (!mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		out->last[out->values++] = vd_get_u64(k.mv_data);
		out->largest = v.mv_size > out->largest ? v.mv_size : out->largest;
	}
	out->overflow_pages = stat.ms_overflow_pages;
	mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
}

/* The first and last number of the value in which that one stands. */
static void run_of(struct vd_store *s, uint64_t arrival, uint64_t *first, uint64_t *last)
{
	struct table t;
	size_t i = 0;

	look(s, &t);
	while (t.last[i] < arrival)
		i++;
	*first = i ? t.last[i - 1] + 1 : 1;
	*last = t.last[i];
}

static void expect(const struct scene *s, const struct vd_batch *as, size_t i)
{
	struct vd_buf raw = { 0 };
	struct vd_record r;
	uint64_t received, arrival;

	assert_int_equal(vd_store_read(s->c.b, s->first + i, &raw, &r, &received), 0);
	assert_true(vd_slice_eq(r.raw, as->entries[i].record.raw));
	assert_true(received > cast_now);
	assert_int_equal(vd_store_find(s->c.b, &as->entries[i].record.id, &arrival), 0);
	assert_int_equal(arrival, s->first + i);
	vd_buf_deinit(&raw);
}

struct walked {
	uint64_t last;
	size_t count;
};

static int walk_one(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct walked *w = ctx;

	(void)received_ms;
	(void)raw;
	assert_true(arrival > w->last);
	w->last = arrival;
	w->count++;
	return 0;
}

static void test_stored_runs__stand_together(void **state)
{
	uint64_t numbers[7], after = 0, records, bytes, latest;
	struct walked all = { 0 }, behind = { 0 };
	size_t n = 1, count = 0;
	struct scene s;
	struct table t;

	begin(&s, *state, true);
	look(s.c.b, &t);
	assert_int_equal(vd_store_size(s.c.b, &records, &bytes), 0);
	assert_true(t.values < records - MANY + MANY / 4);
	/* no more than a page each, and none without need */
	assert_true(t.largest <= 4080);
	assert_true(t.overflow_pages > 0 && t.overflow_pages <= MANY / 8);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, &s.whole, i);
	for (size_t i = MANY; i-- > 0;)
		expect(&s, &s.whole, i);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, &s.whole, i * 29 % MANY);
	while (n) {
		assert_int_equal(vd_store_numbers(s.c.b, after, numbers, 7, &n), 0);
		for (size_t i = 0; i < n; i++, count++) {
			assert_int_equal(numbers[i], after + 1);
			after = numbers[i];
		}
	}
	assert_int_equal(count, records);
	assert_int_equal(vd_store_latest(s.c.b, &latest), 0);
	assert_int_equal(latest, s.first + MANY - 1);
	assert_int_equal(vd_store_walk(s.c.b, NULL, VD_ANY_LANE, 0, walk_one, &all), 0);
	assert_int_equal(all.count, records);
	/* from within one */
	assert_int_equal(vd_store_walk(s.c.b, NULL, VD_ANY_LANE, s.first + 9, walk_one, &behind), 0);
	assert_int_equal(behind.count, MANY - 10);
	finish(&s);
}

/* Bodies come for some of a run: what changed alike stands together from then on, and so do their neighbours, which stay as they are. */
static void test_stored_runs__some_change(void **state)
{
	struct vd_batch some = { 0 };
	struct vd_merge merge;
	struct table before, after;
	uint64_t first, last;
	struct scene s;

	begin(&s, *state, false);
	look(s.c.b, &before);
	pick(&s.whole, 5, 2, &some);
	pick(&s.whole, 40, 1, &some);
	run_of(s.c.b, s.first + 5, &first, &last);
	assert_true(first < last && last < s.first + 40);
	come(&s, &some, &merge);
	assert_int_equal(merge.filled, 3);
	look(s.c.b, &after);
	assert_true(after.values >= before.values + 4 && after.values < before.values + 10);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, i == 5 || i == 6 || i == 40 ? &s.whole : &s.stubs, i);
	run_of(s.c.b, s.first + 5, &first, &last);
	assert_true(first == s.first + 5 && last == s.first + 6);
	run_of(s.c.b, s.first + 4, &first, &last);
	assert_true(first == s.first && last == s.first + 4);
	/* another, where the rest begins */
	vd_batch_reset(&some);
	pick(&s.whole, 7, 1, &some);
	come(&s, &some, &merge);
	assert_int_equal(merge.filled, 1);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, (i >= 5 && i <= 7) || i == 40 ? &s.whole : &s.stubs, i);
	come(&s, &s.whole, &merge);
	assert_int_equal(merge.filled, MANY - 4);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, &s.whole, i);
	cast_same_lanes(s.c.a, s.c.b, s.c.id);
	vd_batch_deinit(&some);
	finish(&s);
}

struct spoiling {
	struct vd_db *db;
	uint64_t last;
	size_t at;      /* of the value, as it stands in the file: in thousandths */
};

static int spoil(void *ctx, MDB_txn *txn)
{
	const struct spoiling *x = ctx;
	uint8_t key[8], copy[4096];
	MDB_val k = { sizeof(key), key }, v;
	int rc;

	vd_set_u64(key, x->last);
	rc = mdb_get(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, &v);
	if (rc || v.mv_size > sizeof(copy))
		return VD_ECAP;
	memcpy(copy, v.mv_data, v.mv_size);
	copy[1 + (v.mv_size - 1) * x->at / 1000] ^= 1;
	v.mv_data = copy;
	return mdb_put(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, &v, 0);
}

/* Flips a bit of the second run of MANY. Gives how many records of it are lost by that, and the first of them. */
static size_t break_run(struct scene *s, size_t at, size_t *first_bad)
{
	struct spoiling x = { .db = s->c.b->db, .at = at };
	uint64_t first, last;
	struct vd_buf raw = { 0 };
	struct vd_record r;
	size_t bad = 0;

	run_of(s->c.b, s->first, &first, &last);
	run_of(s->c.b, last + 1, &first, &x.last);
	assert_true(x.last > first + 6);
	assert_int_equal(vd_db_lock(s->c.b->db), 0);
	assert_int_equal(vd_db_change(s->c.b->db, spoil, &x), 0);
	vd_db_unlock(s->c.b->db);
	for (size_t i = 0; i < MANY; i++) {
		int rc = vd_store_read(s->c.b, s->first + i, &raw, &r, NULL);

		if (rc) {
			assert_int_equal(rc, VD_EDAMAGED);
			assert_true(s->first + i >= first && s->first + i <= x.last);
			*first_bad = bad++ ? *first_bad : i;
		} else {
			assert_true(vd_slice_eq(r.raw, s->whole.entries[i].record.raw));
			assert_true(!bad || s->first + i > x.last);
		}
	}
	vd_buf_deinit(&raw);
	/* What stands before the damage is read as before, where it is not sealed. */
	if (rest_secret() || at == 0)
		assert_int_equal(bad, x.last - first + 1);
	else
		assert_true(bad > 1 && bad < x.last - first);
	return bad;
}

/* Told for each of them, and good copies take their places. */
static void damaged_comes_again(const struct cast_place *p, size_t at)
{
	struct vd_batch some = { 0 };
	struct vd_merge merge;
	struct vd_check check;
	struct scene s;
	size_t bad, first;

	begin(&s, p, true);
	bad = break_run(&s, at, &first);
	assert_int_equal(vd_check(s.c.b, false, &check), 0);
	assert_int_equal(check.bad, bad);
	/* one of them first: the others wait for theirs */
	pick(&s.whole, first + 1, 1, &some);
	come(&s, &some, &merge);
	assert_int_equal(merge.filled, 1);
	expect(&s, &s.whole, first + 1);
	come(&s, &s.whole, &merge);
	assert_int_equal(merge.filled, bad - 1);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, &s.whole, i);
	vd_batch_deinit(&some);
	finish(&s);
}

static void damaged_is_repaired(const struct cast_place *p, size_t at)
{
	struct vd_merge merge;
	struct vd_check check;
	uint64_t latest;
	struct scene s;
	size_t bad, first;

	begin(&s, p, true);
	bad = break_run(&s, at, &first);
	assert_int_equal(vd_store_latest(s.c.b, &latest), 0);
	assert_int_equal(vd_check(s.c.b, true, &check), 0);
	assert_int_equal(check.bad, bad);
	for (size_t i = 0; i < MANY; i++)
		if (i < first || i >= first + bad)
			expect(&s, &s.whole, i);
	assert_int_equal(vd_check(s.c.b, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	come(&s, &s.whole, &merge);
	assert_int_equal(merge.fresh, bad);
	assert_int_equal(merge.first_arrival, latest + 1);
	cast_same_lanes(s.c.a, s.c.b, s.c.id);
	finish(&s);
}

static void test_stored_runs__damaged(void **state)
{
	static const size_t places[] = { 0, 500 };
	const struct cast_place *p = *state;
	struct cast_place at;

	for (size_t i = 0; i < 4; i++) {
		snprintf(at.home, sizeof(at.home), "%s/%zua", p->top, i);
		snprintf(at.other, sizeof(at.other), "%s/%zub", p->top, i);
		(i % 2 ? damaged_is_repaired : damaged_comes_again)(&at, places[i / 2]);
	}
}

/* Salvage gives everything back under its own number: runs as they stand, and of one that was taken apart, or is damaged, each that is left. */
static void test_stored_runs__salvage(void **state)
{
	const struct cast_place *p = *state;
	uint64_t records, bytes, first, last, broken_first, broken_last;
	struct vd_batch some = { 0 };
	struct vd_buf value = { 0 };
	struct vd_salvage saved;
	uint8_t key[8];
	struct vd_merge merge;
	struct table before, after;
	struct scene s;

	begin(&s, p, false);
	run_of(s.c.b, s.first, &first, &last);
	run_of(s.c.b, last + 1, &broken_first, &broken_last);
	/* of the first run one has its body */
	pick(&s.whole, 3, 1, &some);
	come(&s, &some, &merge);
	vd_set_u64(key, broken_last);
	value_bytes(s.c.b, VD_TABLE_RECORDS, key, sizeof(key), &value);
	assert_int_equal(vd_store_size(s.c.b, &records, &bytes), 0);
	look(s.c.b, &before);
	vd_group_free(s.c.gb);
	vd_store_close(s.c.b);
	assert_int_equal(break_file(p->other, &value, 1, true), 1);
	assert_int_equal(vd_store_salvage(p->other, rest_secret(), cast_now, &saved), 0);
	assert_true(saved.records < records && saved.records >= records - (broken_last + 1 - broken_first));
	assert_int_equal(records - saved.records == broken_last + 1 - broken_first, rest_secret() != NULL);
	assert_int_equal(saved.lost, records - saved.records);
	assert_int_equal(saved.lost_own, 0);
	assert_int_equal(vd_store_open(p->other, &s.c.b), 0);
	assert_int_equal(vd_store_group(s.c.b, s.c.id, &s.c.gb), 0);
	for (size_t i = 0; i < MANY; i++)
		if (s.first + i < broken_first || s.first + i > broken_last)
			expect(&s, i == 3 ? &s.whole : &s.stubs, i);
	look(s.c.b, &after);
	/* what is left of the broken run stands alone, and what of the first does where older copies stand, too; one more marks where numbers go on */
	assert_true(after.values <= before.values + broken_last + 1 - broken_first + last + 1 - first);
	come(&s, &s.stubs, &merge);
	assert_int_equal(merge.fresh, records - saved.records);
	assert_true(merge.first_arrival > broken_last);
	vd_buf_deinit(&value);
	vd_batch_deinit(&some);
	finish(&s);
}

/* The runs with pages of their own. */
static size_t paged_runs(struct vd_store *s, uint64_t first[64], uint64_t last[64])
{
	MDB_cursor *cursor;
	MDB_val k, v;
	MDB_txn *txn;
	size_t n = 0;

	assert_int_equal(vd_db_read(s->db, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor), 0);
	while (!mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (v.mv_size <= 2022) /* LMDB's bound, of pages of 4 KiB */
			continue;
		assert_true(n < 64);
		last[n++] = vd_get_u64(k.mv_data);
	}
	mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	for (size_t i = 0; i < n; i++)
		run_of(s, last[i], &first[i], &last[i]);
	return n;
}

static uint8_t *file_of(const char *path, size_t *bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t *file;
	struct stat st;

	assert_true(fd >= 0 && !fstat(fd, &st));
	file = malloc(*bytes = (size_t)st.st_size);
	assert_non_null(file);
	assert_int_equal(read(fd, file, *bytes), st.st_size);
	close(fd);
	return file;
}

static bool salvage_without(const char *home, const uint8_t *file, size_t bytes, size_t page, uint64_t now_ms, struct vd_salvage *saved)
{
	static const uint8_t nothing[4096];
	char path[300], kept[340];
	int fd, rc;

	snprintf(path, sizeof(path), "%s/data.mdb", home);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, file, bytes), (ssize_t)bytes);
	assert_int_equal(pwrite(fd, nothing, sizeof(nothing), (off_t)(page * sizeof(nothing))), sizeof(nothing));
	close(fd);
	rc = vd_store_salvage(home, rest_secret(), now_ms, saved);
	if (rc == VD_ENOTFOUND || rc == VD_EEXISTS) /* who we are stood there; or nothing that is used */
		return false;
	assert_int_equal(rc, 0);
	snprintf(kept, sizeof(kept), "%s/%s", home, saved->kept);
	assert_int_equal(unlink(kept), 0);
	return true;
}

/* One page of a store is zeroed. Does it hold records, and yet nothing else is lost but what stood in it? */
static bool without_page(const char *home, const uint8_t *file, size_t bytes, size_t page, const uint64_t *first, const uint64_t *last, size_t runs,
                         uint64_t records, bool own)
{
	struct vd_buf raw = { 0 };
	struct vd_salvage saved;
	struct vd_record r;
	struct vd_store *s;

	if (!salvage_without(home, file, bytes, page, cast_now, &saved))
		return false;
	/* what is lost is told, as far as own records stand behind it */
	assert_int_equal(own ? saved.lost : 0, own ? records - saved.records : saved.lost_own);
	assert_true(!own || saved.lost_own == saved.lost);
	assert_int_equal(vd_store_open(home, &s), 0);
	assert_int_equal(vd_check(s, true, &saved.check), 0);
	assert_int_equal(saved.check.bad + saved.check.derived_bad + (own ? 0 : saved.check.own_missing), 0);
	for (size_t i = 0; i < runs; i++)
		for (uint64_t at = first[i]; at <= last[i]; at++)
			assert_int_equal(vd_store_read(s, at, &raw, &r, NULL), 0);
	vd_store_close(s);
	vd_buf_deinit(&raw);
	return true;
}

/* A leaf of LMDB's with numbers for keys, as records have them. */
static bool has_numbers(const uint8_t *page)
{
	uint16_t node, key;

	memcpy(&node, page + 16, sizeof(node));
	if (page[10] != 2 || node > 4096 - 8)
		return false;
	memcpy(&key, page + node + 6, sizeof(key));
	return key == 8;
}

/* The page with the keys of many runs is lost: the runs are not. */
static void keys_are_lost(struct scene *s, const char *home, struct vd_store **store, struct vd_group **group, bool own)
{
	uint64_t records, all_bytes;
	uint64_t first[64], last[64];
	size_t runs = paged_runs(*store, first, last), bytes, leaves = 0;
	char path[300];
	uint8_t *file;

	assert_true(runs >= 2);
	assert_int_equal(vd_store_size(*store, &records, &all_bytes), 0);
	vd_group_free(*group);
	vd_store_close(*store);
	snprintf(path, sizeof(path), "%s/data.mdb", home);
	file = file_of(path, &bytes);
	for (size_t page = 2; page < bytes / 4096; page++)
		if (has_numbers(file + page * 4096))
			leaves += without_page(home, file, bytes, page, first, last, runs, records, own);
	assert_true(leaves > 0);
	free(file);
	assert_int_equal(vd_store_open(home, store), 0);
	assert_int_equal(vd_store_group(*store, s->c.id, group), 0);
}

static void test_stored_runs__keys_lost_of_own(void **state)
{
	const struct cast_place *p = *state;
	struct scene s;

	begin(&s, p, true);
	keys_are_lost(&s, p->home, &s.c.a, &s.c.ga, true);
	finish(&s);
}

static void test_stored_runs__keys_lost_of_others(void **state)
{
	const struct cast_place *p = *state;
	struct scene s;

	begin(&s, p, true);
	keys_are_lost(&s, p->other, &s.c.b, &s.c.gb, false);
	finish(&s);
}

/* What a repair lost of our own comes back: no copy of us wrote it, unless it is from later. */
static void test_stored_runs__lost_own_comes_again(void **state)
{
	const struct cast_place *p = *state;
	struct vd_salvage saved;
	struct vd_batch one = { 0 };
	struct vd_merge merge;
	uint64_t noticed_ms;
	size_t bytes, tried = 0;
	uint8_t *file;
	char path[300];
	struct scene s;

	begin(&s, p, true);
	pick(&s.whole, MANY - 3, 1, &one); /* another comes after it, and is lost too */
	vd_batch_seal(&one);
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	vd_group_free(s.c.ga);
	vd_store_close(s.c.a);
	file = file_of(path, &bytes);
	for (size_t page = 2; page < bytes / 4096; page++)
		for (int later = 0; later < 2 && has_numbers(file + page * 4096); later++) {
			if (!salvage_without(p->home, file, bytes, page, cast_now + (later ? 0 : 1000u * MANY), &saved) || !saved.lost_own)
				continue;
			assert_int_equal(vd_store_open(p->home, &s.c.a), 0);
			assert_int_equal(vd_store_group(s.c.a, s.c.id, &s.c.ga), 0);
			memset(&merge, 0, sizeof(merge));
			assert_int_equal(vd_store_merge(s.c.a, s.c.ga, &one, &merge), 0);
			assert_int_equal(merge.fresh, 1);
			assert_int_equal(vd_store_elsewhere(s.c.a, s.c.id, vd_group_identity(s.c.ga)->author, &noticed_ms), later ? 0 : VD_ENOTFOUND);
			vd_group_free(s.c.ga);
			vd_store_close(s.c.a);
			tried++;
		}
	assert_true(tried >= 2);
	free(file);
	vd_batch_deinit(&one);
	assert_int_equal(vd_store_open(p->home, &s.c.a), 0);
	assert_int_equal(vd_store_group(s.c.a, s.c.id, &s.c.ga), 0);
	finish(&s);
}

/* What a device writes in one go stands together as well; what it writes alone, alone. */
static void test_stored_runs__own(void **state)
{
	uint64_t records, bytes, first, last;
	struct vd_batch all = { 0 };
	struct table before, after;
	struct scene s;

	begin(&s, *state, true);
	look(s.c.a, &before);
	assert_int_equal(vd_store_size(s.c.a, &records, &bytes), 0);
	assert_true(before.values < records - MANY + MANY / 4);
	run_of(s.c.a, records, &first, &last);
	assert_true(first < last && last == records);
	cast_add(s.c.a, s.c.ga, "alone", NULL);
	cast_add(s.c.a, s.c.ga, "alone too", NULL);
	look(s.c.a, &after);
	assert_int_equal(after.values, before.values + 2);
	cast_gather(s.c.a, VD_LANE_NORMAL, &all);
	vd_batch_seal(&all);
	assert_int_equal(all.count, MANY + 2);
	for (size_t i = 0; i < MANY; i++)
		assert_true(vd_slice_eq(all.entries[i].record.raw, s.whole.entries[i].record.raw));
	vd_batch_deinit(&all);
	finish(&s);
}

/* What we wrote is told by our identity when both copies of our name are lost; whoever else wrote is not, in a sealed store, but that came from
 * somewhere, and comes again. */
static void test_stored_runs__salvage_own(void **state)
{
	const struct cast_place *p = *state;
	size_t different = rest_secret() ? VD_AUTHOR_COPIES : 1; /* in a readable store both copies are the same bytes, and each bit is to change once */
	struct vd_buf names[VD_AUTHOR_COPIES] = { { 0 } };
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_batch all = { 0 };
	struct vd_salvage saved;
	uint64_t records, bytes;
	struct scene s;

	begin(&s, p, true);
	for (unsigned i = 0; i < VD_AUTHOR_COPIES; i++) {
		vd_author_key(s.c.a, 0, i, key);
		value_bytes(s.c.a, VD_TABLE_VALUES, key, sizeof(key), &names[i]);
	}
	assert_int_equal(vd_store_size(s.c.a, &records, &bytes), 0);
	vd_group_free(s.c.ga);
	vd_store_close(s.c.a);
	assert_int_equal(break_file(p->home, names, different, true), different);
	assert_int_equal(vd_store_salvage(p->home, rest_secret(), cast_now, &saved), 0);
	assert_int_equal(saved.records, records);
	assert_int_equal(vd_store_open(p->home, &s.c.a), 0);
	assert_int_equal(vd_store_group(s.c.a, s.c.id, &s.c.ga), 0);
	cast_add(s.c.a, s.c.ga, "and it goes on", NULL);
	cast_gather(s.c.a, VD_LANE_NORMAL, &all);
	vd_batch_seal(&all);
	assert_int_equal(all.count, MANY + 1);
	for (size_t i = 0; i < MANY; i++)
		assert_true(vd_slice_eq(all.entries[i].record.raw, s.whole.entries[i].record.raw));
	assert_int_equal(all.entries[MANY].record.seq, s.whole.entries[MANY - 1].record.seq + 1);
	vd_batch_deinit(&all);
	for (unsigned i = 0; i < VD_AUTHOR_COPIES; i++)
		vd_buf_deinit(&names[i]);
	finish(&s);
}

/* A readable store that is sealed later: its runs still take a page each. */
static void test_stored_runs__sealed_later(void **state)
{
	const struct cast_place *p = *state;
	static const struct vd_secret token = { .token = { (const uint8_t *)"a key file of more than thirty-two bytes", 40 } };
	struct table before, after;
	struct scene s;

	if (rest_secret())
		skip();
	begin(&s, p, true);
	look(s.c.b, &before);
	vd_group_free(s.c.gb);
	vd_store_close(s.c.b);
	assert_int_equal(vd_store_seal(p->other, &token, NULL), 0);
	assert_int_equal(vd_store_open_with(p->other, &token, &s.c.b), 0);
	assert_int_equal(vd_store_group(s.c.b, s.c.id, &s.c.gb), 0);
	look(s.c.b, &after);
	assert_int_equal(after.values, before.values);
	assert_int_equal(after.overflow_pages, before.overflow_pages);
	for (size_t i = 0; i < MANY; i++)
		expect(&s, &s.whole, i);
	finish(&s);
}

/* Values of another form are not read as if they were of this one. */
static void test_stored_runs__of_another_format(void **state)
{
	const struct cast_place *p = *state;
	uint8_t value[1 + VD_STORE_DEVICE_BYTES] = { VD_STORE_FORMAT };
	struct vd_store *s;
	struct vd_write *w;

	for (int other = -1; other <= 1; other += 2) {
		char home[300];

		snprintf(home, sizeof(home), "%s/%d", p->top, other);
		s = cast_store(home);
		assert_int_equal(vd_write_begin(s, &w), 0);
		value[0] = (uint8_t)(VD_STORE_FORMAT + other);
		vd_effects_value(&w->effects, s, "store", NULL, 0, vd_slice(value, sizeof(value)));
		assert_int_equal(vd_write_commit(w), 0);
		vd_store_close(s);
		assert_int_equal(vd_store_open(home, &s), VD_EVERSION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stored_runs__stand_together, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__some_change, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__damaged, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__salvage, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__own, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__salvage_own, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__keys_lost_of_own, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__keys_lost_of_others, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__lost_own_comes_again, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__sealed_later, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored_runs__of_another_format, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
