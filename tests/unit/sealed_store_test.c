/* A sealed store on the disk: what can be read there, and what its shape tells. */
#include "tests/unit/sealed_cast.h"

/* --- nothing readable --- */

static int tick(void *ctx, const struct vd_found *found)
{
	(void)found;
	++*(size_t *)ctx;
	return VD_OK;
}

static void test_sealed__nothing_readable(void **state)
{
	const struct cast_place *p = *state;
	struct looking l;
	struct scene c;
	size_t n = 0;

	fill(&c, 0, p, &words);
	assert_false(vd_store_readable(c.a));
	assert_int_equal(vd_query(c.a, &(struct vd_query){ .kind = said[0][KIND] }, tick, &n), 0);
	assert_int_equal(n, 40);
	l = look_for_all(&c, 0, p->home);
	assert_true(l.sought > 200);
	assert_int_equal(l.found, 0);
	leave(&c);
}

/* That the search would find it. */
static void test_sealed__readable_is_readable(void **state)
{
	const struct cast_place *p = *state;
	struct looking l;
	struct scene c;

	fill(&c, 0, p, NULL);
	assert_true(vd_store_readable(c.a));
	l = look_for_all(&c, 0, p->home);
	assert_true(l.found > l.sought / 2);
	leave(&c);
}

static void test_sealed__only_with_its_secret(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = made(p->home, "x", &words), *none = NULL;
	struct vd_secret lent;
	uint8_t key[VD_VAULT_KEY_BYTES];
	char vault[256], away[256];
	struct vd_salvage saved;

	memcpy(key, vd_vault_key(vd_store_vault(s)), sizeof(key));
	vd_store_close(s);
	lent = (struct vd_secret){ .key = key };
	assert_int_equal(vd_store_open(p->home, &none), VD_EKEY);
	assert_int_equal(vd_store_open_with(p->home, &wrong, &none), VD_EKEY);
	assert_int_equal(vd_store_create_with(p->home, "y", &words, &cheap), VD_EEXISTS);
	assert_int_equal(vd_store_create(p->home, "y"), VD_EEXISTS);
	assert_int_equal(vd_store_salvage(p->home, NULL, cast_now, &saved), VD_EKEY);
	vd_store_close(opened(p->home, &lent));
	key[0] ^= 1;
	assert_int_equal(vd_store_open_with(p->home, &lent, &none), VD_EKEY);
	/* Without its slots it is not taken for a readable one. */
	snprintf(vault, sizeof(vault), "%s/vault", p->home);
	snprintf(away, sizeof(away), "%s/away", p->home);
	assert_int_equal(rename(vault, away), 0);
	assert_int_equal(vd_store_open(p->home, &none), VD_EDAMAGED);
	assert_int_equal(vd_store_open_with(p->home, &words, &none), VD_EDAMAGED);
	assert_int_equal(vd_store_create(p->home, "y"), VD_EEXISTS);
	assert_int_equal(rename(away, vault), 0);
	/* A readable one needs no secret, and takes any. */
	vd_store_close(made(p->other, "z", NULL));
	vd_store_close(opened(p->other, &words));
}

/* Nothing that is written after the keys went reaches the disk. */
static void test_sealed__forgotten(void **state)
{
	const struct cast_place *p = *state;
	struct scene c;
	struct vd_write *w;
	struct vd_id id;
	uint64_t records, more, bytes;

	fill(&c, 0, p, &words);
	assert_int_equal(vd_store_size(c.a, &records, &bytes), 0);
	assert_int_equal(vd_write_begin(c.a, &w), 0);
	assert_int_equal(cast_own(w, c.ga, "before", cast_now, &id), 0);
	vd_vault_forget((struct vd_vault *)(uintptr_t)vd_store_vault(c.a));
	assert_int_not_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_size(c.a, &more, &bytes), VD_EKEY);
	/* Taking away what a key of zeros names is no better. */
	assert_int_equal(vd_write_begin(c.a, &w), 0);
	assert_int_equal(vd_write_note(w, said[0][KIND], vd_slice_str(said[0][TEXT]), vd_slice(NULL, 0)), 0);
	assert_int_equal(vd_write_commit(w), VD_EKEY);
	assert_int_equal(vd_store_read(c.a, 1, &c.stranger, &(struct vd_record){ 0 }, NULL), VD_EKEY);
	vd_store_close(c.a);
	c.a = opened(p->home, &words);
	assert_int_equal(vd_store_read(c.a, 1, &c.stranger, &(struct vd_record){ 0 }, NULL), 0);
	assert_int_equal(vd_store_size(c.a, &more, &bytes), 0);
	assert_int_equal(more, records);
	leave(&c);
}

/* --- shape --- */

enum { TABLES = 6, SIZES_MAX = 1 << 16 };

struct shape {
	uint64_t entries[TABLES];
	size_t overflow[TABLES], size_count;
	size_t sizes[SIZES_MAX]; /* of each value, table after table, ascending; of packed lists only how many entries they have */
	off_t bytes;
};

static int by_size(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void shape_of(const char *home, struct shape *out)
{
	static const char *const tables[TABLES] = { "records", "items", "lists", "index", "values", "pool" };
	char path[256];
	struct stat st;
	MDB_env *env;
	MDB_txn *txn;

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "%s/data.mdb", home);
	assert_int_equal(stat(path, &st), 0);
	out->bytes = st.st_size;
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	for (size_t i = 0; i < TABLES; i++) {
		size_t first = out->size_count;
		MDB_cursor *cursor;
		MDB_stat stat_;
		MDB_val k, v;
		MDB_dbi table;

		assert_int_equal(mdb_dbi_open(txn, tables[i], 0, &table), 0);
		assert_int_equal(mdb_stat(txn, table, &stat_), 0);
		out->overflow[i] = stat_.ms_overflow_pages;
		assert_int_equal(mdb_cursor_open(txn, table, &cursor), 0);
		if (vd_is_list((enum vd_table)i)) { /* how far random keys are apart is nobody's secret */
			assert_int_equal(vd_lists_count(cursor, &out->entries[i]), 0);
			mdb_cursor_close(cursor);
			continue;
		}
		out->entries[i] = stat_.ms_entries;
		while (!mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
			assert_true(out->size_count < SIZES_MAX);
			out->sizes[out->size_count++] = v.mv_size;
		}
		mdb_cursor_close(cursor);
		qsort(out->sizes + first, out->size_count - first, sizeof(size_t), by_size);
	}
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

/* Who compares two disks learns nothing of what was said, by whom, of what kind, where. */
static void test_sealed__equal_shapes(void **state)
{
	static struct shape shape[2];
	struct cast_place *second = NULL;
	struct scene c;

	fill(&c, 0, *state, &words);
	leave(&c);
	shape_of(((struct cast_place *)*state)->home, &shape[0]);
	assert_int_equal(cast_setup((void **)&second), 0);
	fill(&c, 1, second, &wrong);
	leave(&c);
	shape_of(second->home, &shape[1]);
	assert_true(shape[0].entries[0] > 10 && shape[0].entries[5] == 1);
	assert_memory_equal(shape[0].entries, shape[1].entries, sizeof(shape[0].entries));
	assert_memory_equal(shape[0].overflow, shape[1].overflow, sizeof(shape[0].overflow));
	assert_int_equal(shape[0].size_count, shape[1].size_count);
	assert_memory_equal(shape[0].sizes, shape[1].sizes, shape[0].size_count * sizeof(size_t));
	/* Pages split where random keys fall: the same history twice differs by as much. */
	assert_true(labs((long)(shape[0].bytes - shape[1].bytes)) <= shape[0].bytes / 32);
	cast_teardown((void **)&second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sealed__nothing_readable, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__readable_is_readable, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__only_with_its_secret, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__forgotten, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_sealed__equal_shapes, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
