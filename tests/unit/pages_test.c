#include "tests/unit/store_cast.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#include "store/pages.h"

/* A small database with tables, overflow pages and pages given back, made by LMDB itself. */
static void make(const char *folder)
{
	static uint8_t value[20000];
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 2), 0);
	assert_int_equal(mdb_env_open(env, folder, 0, 0600), 0);
	for (unsigned round = 0; round < 3; round++) {
		assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
		assert_int_equal(mdb_dbi_open(txn, round % 2 ? "one" : "two", MDB_CREATE, &dbi), 0);
		for (unsigned i = 0; i < 300; i++) {
			MDB_val k = { sizeof(i), &i }, v = { i % 50 ? 40 : sizeof(value), value };

			assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
		}
		for (unsigned i = 0; i < 300; i += 7) {
			MDB_val k = { sizeof(i), &i };

			assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
		}
		assert_int_equal(mdb_txn_commit(txn), 0);
	}
	mdb_env_close(env);
}

static int verdict(int fd)
{
	struct vd_pages pages;
	int rc = vd_pages_read(fd, &pages);

	return rc ? rc : vd_pages_walk(fd, &pages);
}

static int opened(const struct cast_place *p)
{
	char path[512];
	int fd;

	make(p->other);
	snprintf(path, sizeof(path), "%s/data.mdb", p->other);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_pages__sound(void **state)
{
	struct vd_pages pages;
	int fd = opened(*state);

	assert_int_equal(verdict(fd), 0);
	assert_int_equal(vd_pages_read(fd, &pages), 0);
	assert_true(pages.last_page < pages.file_pages);
	close(fd);
}

static int count_one(void *ctx, const struct vd_pages_piece *piece)
{
	size_t *count = ctx;

	assert_int_equal(piece->key_n, 0);
	*count += piece->n >= 20000;
	return 0;
}

/* Values with pages of their own are found when no page with a key is left; pages that say they reach beyond the file are not. */
static void test_pages__values_without_keys(void **state)
{
	size_t before = 0, after = 0, none = 0;
	uint8_t page[4096], far[4] = { 0xff, 0xff, 0xff, 0x7f };
	int fd = opened(*state);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(vd_pages_scan_values(fd, count_one, &before), 0);
	assert_true(before >= 10); /* two tables, six each, of which one or two were deleted */
	for (off_t at = 0; at < st.st_size; at += 4096) {
		assert_int_equal(pread(fd, page, sizeof(page), at), sizeof(page));
		if (page[10] != 4)
			assert_int_equal(pwrite(fd, memset(page, 0, sizeof(page)), sizeof(page), at), sizeof(page));
	}
	assert_int_equal(vd_pages_scan_values(fd, count_one, &after), 0);
	assert_int_equal(after, before);
	for (off_t at = 0; at < st.st_size; at += 4096)
		assert_int_equal(pwrite(fd, far, sizeof(far), at + 12), sizeof(far));
	assert_int_equal(vd_pages_scan_values(fd, count_one, &none), 0);
	assert_int_equal(none, 0);
	close(fd);
}

static void test_pages__cut_anywhere(void **state)
{
	int fd = opened(*state);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	for (off_t n = st.st_size - 1; n >= 0; n -= n % 4096 ? n % 4096 : 1) {
		int rc;

		assert_int_equal(ftruncate(fd, n), 0);
		rc = verdict(fd);
		assert_true(rc == 0 || rc == VD_EDAMAGED);
		assert_true(rc || n > st.st_size / 2); /* only what nothing refers to may be missing */
	}
	close(fd);
}

/* No flipped byte crashes the reader, and one in a page's head, its list of nodes or a meta page does not go
 * unseen. */
static void test_pages__flipped_anywhere(void **state)
{
	int fd = opened(*state), told = 0;
	struct vd_pages pages;

	assert_int_equal(vd_pages_read(fd, &pages), 0);
	for (uint64_t page = 0; page < pages.file_pages; page++) {
		for (uint64_t at = 0; at < pages.page_bytes; at += at < 64 ? 1 : 61) {
			uint8_t byte, other;
			int rc;

			assert_int_equal(pread(fd, &byte, 1, (off_t)(page * pages.page_bytes + at)), 1);
			other = byte ^ 0x81;
			assert_int_equal(pwrite(fd, &other, 1, (off_t)(page * pages.page_bytes + at)), 1);
			rc = verdict(fd);
			assert_true(rc == 0 || rc == VD_EDAMAGED || rc == VD_EVERSION);
			told += rc != 0;
			assert_int_equal(pwrite(fd, &byte, 1, (off_t)(page * pages.page_bytes + at)), 1);
		}
	}
	assert_true(told > 100);
	assert_int_equal(verdict(fd), 0);
	close(fd);
}

static void test_pages__not_a_database(void **state)
{
	const struct cast_place *p = *state;
	uint8_t noise[9000];
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/file", p->top);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(verdict(fd), VD_EDAMAGED);
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (uint8_t)(i * 31);
	assert_int_equal(write(fd, noise, sizeof(noise)), sizeof(noise));
	assert_int_equal(verdict(fd), VD_EDAMAGED);
	close(fd);
	fd = open(p->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(verdict(fd), VD_EDAMAGED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_pages__values_without_keys, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_pages__sound, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_pages__cut_anywhere, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_pages__flipped_anywhere, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_pages__not_a_database, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
