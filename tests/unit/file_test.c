#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/file.h"

static char folder[] = "/tmp/vd-file-XXXXXX";
static char target[64];

static void clear(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

static int setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(target, sizeof(target), "%s/out.vb", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	clear();
	return rmdir(folder);
}

static int entries(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir)))
		n += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return n;
}

static void put(const char *name, const char *text, time_t age_s)
{
	char path[128];
	struct timespec times[2] = { { .tv_sec = time(NULL) - age_s } };
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	times[1] = times[0];
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return access(path, F_OK) == 0;
}

static void assert_target(const char *text)
{
	struct vd_buf got = { 0 };

	assert_int_equal(vd_file_read(target, 1 << 20, &got), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&got), vd_slice_str(text)));
	vd_buf_deinit(&got);
}

static void test_file__appears_whole_on_commit(void **state)
{
	struct vd_file_out *f;
	struct stat st;

	(void)state;
	for (int read_back = 0; read_back <= 1; read_back++) {
		clear();
		assert_int_equal(vd_file_create(target, &f), 0);
		assert_int_equal(vd_file_write(f, vd_slice_str("one ")), 0);
		assert_int_equal(vd_file_write(f, vd_slice_str("two")), 0);
		assert_int_equal(vd_file_size(f), 7);
		assert_false(there("out.vb"));
		assert_int_equal(entries(), 1);
		assert_int_equal(vd_file_commit(f, read_back), 0);
		assert_int_equal(entries(), 1);
		assert_target("one two");
		assert_int_equal(stat(target, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_file__replaces_what_stood_there(void **state)
{
	struct vd_file_out *f;

	(void)state;
	clear();
	put("out.vb", "old", 0);
	assert_int_equal(vd_file_create(target, &f), 0);
	assert_int_equal(vd_file_write(f, vd_slice_str("new")), 0);
	assert_target("old");
	assert_int_equal(vd_file_commit(f, true), 0);
	assert_target("new");
}

static void test_file__abort_leaves_nothing(void **state)
{
	struct vd_file_out *f;

	(void)state;
	clear();
	put("out.vb", "old", 0);
	assert_int_equal(vd_file_create(target, &f), 0);
	assert_int_equal(vd_file_write(f, vd_slice_str("new")), 0);
	vd_file_abort(f);
	vd_file_abort(NULL);
	assert_int_equal(entries(), 1);
	assert_target("old");
}

/* The medium gives back other bytes: someone else's write through the file's own name. */
static void test_file__read_back_notices_other_bytes(void **state)
{
	struct vd_file_out *f;
	struct dirent *entry;
	DIR *dir;
	int fd = -1;

	(void)state;
	for (int cut = 0; cut <= 1; cut++) {
		clear();
		assert_int_equal(vd_file_create(target, &f), 0);
		assert_int_equal(vd_file_write(f, vd_slice_str("as it was written")), 0);
		dir = opendir(folder);
		while ((entry = readdir(dir)))
			if (!fnmatch(".out.vb.??????.tmp", entry->d_name, 0))
				fd = openat(dirfd(dir), entry->d_name, O_WRONLY);
		closedir(dir);
		assert_true(fd >= 0);
		assert_int_equal(cut ? ftruncate(fd, 3) : pwrite(fd, "A", 1, 0), cut ? 0 : 1);
		close(fd);
		assert_int_equal(vd_file_commit(f, true), VD_EDAMAGED);
		assert_int_equal(entries(), 0);
	}
}

static void test_file__full_disk_leaves_nothing(void **state)
{
	struct rlimit before, small;
	struct vd_file_out *f;
	static uint8_t block[10000];
	int rc = 0;

	(void)state;
	clear();
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 25000;
	assert_int_equal(vd_file_create(target, &f), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 5 && !rc; i++)
		rc = vd_file_write(f, vd_slice(block, sizeof(block)));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rc, VD_ENOSPACE);
	vd_file_abort(f);
	assert_int_equal(entries(), 0);
}

static void test_file__no_such_folder(void **state)
{
	struct vd_file_out *f;
	char path[128];

	(void)state;
	clear();
	snprintf(path, sizeof(path), "%s/none/out", folder);
	assert_int_equal(vd_file_create(path, &f), VD_ENOTFOUND);
	/* A folder stands where the file should: noticed at the latest at the rename, and the temporary file goes. */
	snprintf(path, sizeof(path), "%s/.dir", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(vd_file_create(path, &f), 0);
	assert_int_equal(vd_file_commit(f, false), VD_EINVAL);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(entries(), 0);
}

static void test_file__sweeps_only_stale_temporary_files_of_its_own(void **state)
{
	enum { DAY = 24 * 60 * 60 };
	struct vd_file_out *f;

	(void)state;
	clear();
	put("out.vb.abcdef.tmp", "stale", DAY + 60);
	put("out.vb.ABCDEF.tmp", "alive", DAY - 60);
	put("other.vb.abcdef.tmp", "not of this file", 9 * DAY);
	put("out.vb.abcdefg.tmp", "no name of ours", 9 * DAY);
	put("out.vb", "old", 9 * DAY);
	put("x.tmp", "no name of ours", 9 * DAY);
	put(".out.vb.abcdef.tmp", "stale", DAY + 60);
	put(".out.vb.ABCDEF.tmp", "alive", DAY - 60);
	assert_int_equal(vd_file_create(target, &f), 0);
	vd_file_abort(f);
	assert_false(there("out.vb.abcdef.tmp") || there(".out.vb.abcdef.tmp"));
	assert_true(there(".out.vb.ABCDEF.tmp"));
	assert_true(there("out.vb.ABCDEF.tmp"));
	assert_true(there("other.vb.abcdef.tmp"));
	assert_true(there("out.vb.abcdefg.tmp"));
	assert_true(there("out.vb"));
	vd_file_sweep(folder, NULL);
	assert_false(there("other.vb.abcdef.tmp"));
	assert_true(there("out.vb.ABCDEF.tmp"));
	assert_true(there("out.vb"));
	assert_true(there("x.tmp"));
}

static bool is_ours(void *ctx, const char *base, const char tail[VD_FILE_TAIL + 1])
{
	++*(int *)ctx;
	return !strcmp(base, "out.vb") && !strcmp(tail, "aaaaaa");
}

static void test_file__sweeps_its_own_however_young(void **state)
{
	struct vd_file_out *f;
	int asked = 0;

	(void)state;
	clear();
	put("out.vb.aaaaaa.tmp", "ours, dead", 0);
	put("out.vb.aaaaab.tmp", "another's", 0);
	put("out.vbx.aaaaaa.tmp", "another", 0);
	put("aaaaaa.tmp", "no name of ours", 0);
	put("out.vb", "old", 0);
	assert_int_equal(vd_file_create_as(target, "aaaaaa", &f), VD_EEXISTS);
	vd_file_sweep_own(folder, is_ours, &asked);
	assert_int_equal(asked, 3);
	assert_false(there("out.vb.aaaaaa.tmp"));
	assert_true(there("out.vb.aaaaab.tmp") && there("out.vbx.aaaaaa.tmp") && there("aaaaaa.tmp") && there("out.vb"));
	/* One that is being written stays. */
	assert_int_equal(vd_file_create_as(target, "aaaaaa", &f), 0);
	vd_file_sweep_own(folder, is_ours, &asked);
	assert_true(there("out.vb.aaaaaa.tmp"));
	assert_int_equal(vd_file_write(f, vd_slice_str("new")), 0);
	assert_int_equal(vd_file_commit(f, true), 0);
	assert_false(there("out.vb.aaaaaa.tmp"));
	vd_file_sweep_own("/nowhere", is_ours, &asked);
}

/* What somebody who was killed left of a bundle or its volumes goes with the next of that name; what is being written stays, all of it. */
static void test_file__sweeps_a_set_nobody_writes(void **state)
{
	static const char *const dead[] = { ".out.vb.abcdef.tmp", ".out.vb.001.abcdef.tmp", ".out.vb.999.abcdef.tmp" };
	static const char *const others[] = { "out.vb.abcdef.tmp", ".out.vb.12.abcdef.tmp", ".out.vb.001x.abcdef.tmp", ".out.vbx.abcdef.tmp", ".out.v.abcdef.tmp",
		                              ".out.vb.001", "out.vb", "out.vb.001" };
	struct vd_file_out *first, *second;
	char path[96];

	(void)state;
	clear();
	for (size_t i = 0; i < 3; i++)
		put(dead[i], "dead", 0);
	for (size_t i = 0; i < 8; i++)
		put(others[i], "not of it", 0);
	/* A set that is being written, of which but the first has its descriptor still. */
	snprintf(path, sizeof(path), "%s.001", target);
	assert_int_equal(vd_file_create(path, &first), 0);
	vd_file_hold(first);
	assert_int_equal(vd_file_finish(first, true), 0);
	snprintf(path, sizeof(path), "%s.002", target);
	assert_int_equal(vd_file_create(path, &second), 0);
	assert_int_equal(vd_file_finish(second, true), 0);
	vd_file_sweep_set(target);
	assert_int_equal(entries(), 3 + 8 + 2);
	assert_int_equal(vd_file_place(second), 0);
	assert_int_equal(vd_file_place(first), 0);
	vd_file_sweep_set(target);
	assert_int_equal(entries(), 8 + 1); /* out.vb.001 stood there */
	for (size_t i = 0; i < 8; i++)
		assert_true(there(others[i]));
	assert_true(there("out.vb.002"));
	vd_file_sweep_set("/nowhere/x");
	clear();
}

static void test_file__read_has_a_cap(void **state)
{
	struct vd_buf got = { 0 };

	(void)state;
	clear();
	put("out.vb", "12345678", 0);
	vd_buf_put(&got, "before", 6);
	assert_int_equal(vd_file_read(target, 7, &got), VD_ECAP);
	assert_int_equal(got.n, 6);
	assert_int_equal(vd_file_read(target, 8, &got), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&got), vd_slice_str("before12345678")));
	clear();
	assert_int_equal(vd_file_read(target, 8, &got), VD_ENOTFOUND);
	assert_int_equal(vd_file_read(folder, 8, &got), VD_EINVAL);
	vd_buf_deinit(&got);
}

static void test_file__standard_output(void **state)
{
	struct vd_file_out *f;
	int ends[2], saved = dup(STDOUT_FILENO);
	char got[8] = { 0 };

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(vd_file_create("-", &f), 0);
	fflush(stdout);
	dup2(ends[1], STDOUT_FILENO);
	assert_int_equal(vd_file_write(f, vd_slice_str("piped")), 0);
	assert_int_equal(vd_file_commit(f, true), 0);
	dup2(saved, STDOUT_FILENO);
	assert_int_equal(read(ends[0], got, sizeof(got)), 5);
	assert_string_equal(got, "piped");
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file__appears_whole_on_commit),
		cmocka_unit_test(test_file__replaces_what_stood_there),
		cmocka_unit_test(test_file__abort_leaves_nothing),
		cmocka_unit_test(test_file__read_back_notices_other_bytes),
		cmocka_unit_test(test_file__full_disk_leaves_nothing),
		cmocka_unit_test(test_file__no_such_folder),
		cmocka_unit_test(test_file__sweeps_only_stale_temporary_files_of_its_own),
		cmocka_unit_test(test_file__sweeps_its_own_however_young),
		cmocka_unit_test(test_file__sweeps_a_set_nobody_writes),
		cmocka_unit_test(test_file__read_has_a_cap),
		cmocka_unit_test(test_file__standard_output),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
