#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/store.h"
#include "store/vault.h"
#include "store/wipe.h"

static char top[64], home[128];
static const struct vd_secret token = { .token = { (const uint8_t *)"a key file of more than thirty-two bytes", 40 } };

static char *at(const char *name)
{
	static char path[8][256];
	static size_t turn;
	char *p = path[turn++ % 8];

	snprintf(p, sizeof(path[0]), "%s/%s", home, name);
	return p;
}

static void put(const char *name, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool there(const char *name)
{
	struct stat st;

	return !lstat(at(name), &st);
}

/* Of an open file, whatever became of its name. */
static bool all_zeros(int fd)
{
	uint8_t bytes[4096];
	off_t offset = 0;
	ssize_t n;

	while ((n = pread(fd, bytes, sizeof(bytes), offset)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (bytes[i])
				return false;
		offset += n;
	}
	return offset > 0;
}

static void make(bool sealed)
{
	assert_int_equal(vd_store_create_with(home, "laptop", sealed ? &token : NULL, NULL), 0);
}

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/wipe-test.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(home, sizeof(home), "%s/home", top);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

static void test_wipe__slots_are_overwritten_where_they_stand(void **state)
{
	struct vd_wipe w;
	int fd;

	(void)state;
	make(true);
	put("vault.old", "vereda vault: the slots before the last change");
	put("vault.new", "vereda vault: those of a change that was interrupted");
	fd = open(at("vault"), O_RDONLY | O_CLOEXEC);
	int old = open(at("vault.old"), O_RDONLY | O_CLOEXEC), new = open(at("vault.new"), O_RDONLY | O_CLOEXEC);
	assert_false(all_zeros(fd));
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(all_zeros(fd));
	assert_true(all_zeros(old));
	assert_true(all_zeros(new));
	assert_false(there("vault") || there("vault.old") || there("vault.new"));
	/* once more, there is nothing to do */
	assert_true(vd_wipe_keys(&w));
	assert_true(vd_wipe_rest(&w));
	vd_wipe_release(&w);
	assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
	close(fd);
	close(old);
	close(new);
}

/* Of a store that was once readable, the bytes of that time go by overwriting: unlinked, nobody could. */
static void test_wipe__what_is_readable_is_overwritten(void **state)
{
	struct vd_wipe w;
	int fd, aside, left;

	(void)state;
	make(false);
	fd = open(at("data.mdb"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(there("data.mdb"));
	assert_false(all_zeros(fd));
	assert_int_equal(vd_wipe_files(home), 0);
	assert_true(all_zeros(fd));
	assert_false(there("data.mdb"));
	close(fd);
	vd_wipe_release(&w);

	make(true);
	put("data.mdb.damaged-1", "set aside before it was sealed");
	assert_int_equal(mkdir(at("sealing"), 0700), 0);
	put("sealing/readable.mdb", "readable still");
	aside = open(at("data.mdb.damaged-1"), O_RDONLY | O_CLOEXEC);
	left = open(at("sealing/readable.mdb"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(vd_wipe_rest(&w));
	assert_true(all_zeros(aside));
	assert_true(all_zeros(left));
	assert_false(there("sealing") || there("data.mdb.damaged-1"));
	vd_wipe_release(&w);
	close(aside);
	close(left);
}

/* To who has it open, too. */
static void test_wipe__a_sealed_database_is_emptied_where_it_stands(void **state)
{
	struct vd_wipe w;
	struct stat st;
	int fd;

	(void)state;
	make(true);
	fd = open(at("data.mdb"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(vd_wipe_rest(&w));
	vd_wipe_release(&w);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	close(fd);
}

static void test_wipe__follows_the_slots_to_where_a_link_leads(void **state)
{
	struct vd_wipe w;
	char elsewhere[128];
	int fd;

	(void)state;
	make(true);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", top);
	assert_int_equal(rename(at("vault"), elsewhere), 0);
	assert_int_equal(symlink(elsewhere, at("vault")), 0);
	fd = open(elsewhere, O_RDONLY | O_CLOEXEC);
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(all_zeros(fd));
	vd_wipe_release(&w);
	close(fd);
	/* to a medium that is not here */
	unlink(elsewhere);
	unlink(at("vault"));
	assert_int_equal(symlink(elsewhere, at("vault")), 0);
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_false(vd_wipe_keys(&w));
	assert_true(there("vault"));
	vd_wipe_release(&w);
}

/* Whatever somebody keeps in a folder, also one beside whose files a store stands. */
static const char *const strangers[] = {
	"backup-family.tar", "vault.kdbx", "vaults", "reserved-seats.txt", "data.mdb.txt", "data.mdb.damaged-", "data.mdb.damaged-x", "data.mdb-copy", "lock.mdb.old",
	"walked-dogs", "ctl.txt", "new/photo.jpg", "inbox/mail", "inbox/00112233445566778899aabbccddeeff.txt", "inbox/00112233445566778899aabbccddeeff",
	"inbox/00112233445566778899aabbccddeeff.bin.tmp", "inbox/.00112233445566778899aabbccddeeff.bin", "sealing/wax",
};
enum { STRANGERS = sizeof(strangers) / sizeof(strangers[0]) };

static void put_strangers(void)
{
	mkdir(home, 0700);
	mkdir(at("new"), 0700);
	mkdir(at("inbox"), 0700);
	mkdir(at("sealing"), 0700);
	for (size_t i = 0; i < STRANGERS; i++)
		put(strangers[i], "somebody's");
}

static void test_wipe__a_folder_without_a_store(void **state)
{
	static const char *const names[] = { "vault", "reserve", "lock.mdb", "walked", "ctl", "ctl.lock", "data.mdb" };
	struct vd_wipe w;

	(void)state;
	put_strangers();
	assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
	assert_int_equal(vd_wipe_files(home), VD_ENOSTORE);
	/* Nor do our names make one, when something else stands under them: no store is made over it either. */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		put(names[i], "my own list of things");
		assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
		assert_int_equal(vd_store_create(home, "laptop"), VD_EEXISTS);
		assert_true(there(names[i]));
		unlink(at(names[i]));
	}
	for (size_t i = 0; i < STRANGERS; i++)
		assert_true(there(strangers[i]));
}

/* Another program's LMDB file has the same name. */
static void test_wipe__another_programs_database(void **state)
{
	struct vd_wipe w;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;

	(void)state;
	assert_int_equal(mkdir(home, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 2), 0);
	assert_int_equal(mdb_env_open(env, home, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "accounts", MDB_CREATE, &dbi), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	unlink(at("lock.mdb"));
	assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
	assert_true(there("data.mdb"));
}

static void test_wipe__touches_nothing_else(void **state)
{
	struct vd_wipe w;

	(void)state;
	make(true);
	put_strangers();
	put("notes.txt", "not ours");
	char outside[128];
	snprintf(outside, sizeof(outside), "%s/outside", top);
	int fd = open(outside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "elsewhere", 9), 9);
	assert_int_equal(symlink(outside, at("data.mdb.link")), 0);
	put("inbox/00112233445566778899aabbccddeeff.bin", "a segment");
	put("inbox/00112233445566778899aabbccddeeff.bin.aB3xYz.tmp", "while it is copied");
	put("inbox/.00112233445566778899aabbccddeeff.bin.aB3xYz.tmp", "as of late");
	assert_int_equal(vd_wipe_prepare(home, &w), 0);
	assert_true(vd_wipe_keys(&w));
	assert_true(vd_wipe_rest(&w));
	vd_wipe_release(&w);
	assert_true(there("notes.txt"));
	assert_true(there("data.mdb.link"));
	for (size_t i = 0; i < STRANGERS; i++)
		assert_true(there(strangers[i]));
	assert_false(there("inbox/00112233445566778899aabbccddeeff.bin") || there("inbox/00112233445566778899aabbccddeeff.bin.aB3xYz.tmp"));
	assert_false(there("inbox/.00112233445566778899aabbccddeeff.bin.aB3xYz.tmp"));
	assert_false(there("data.mdb") || there("lock.mdb") || there("vault"));
	assert_false(all_zeros(fd));
	close(fd);
}

static void test_wipe__of_nothing(void **state)
{
	struct vd_wipe w;

	(void)state;
	assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
	assert_int_equal(vd_wipe_files(home), VD_ENOSTORE);
	assert_int_equal(mkdir(home, 0700), 0);
	assert_int_equal(vd_wipe_prepare(home, &w), VD_ENOSTORE);
}

/* In a mount namespace of its own: 0 as it should be, 77 not possible here. */
static int on_a_disk_that_takes_no_writes(void)
{
	struct vd_wipe w;
	struct vd_store *store;

	if (unshare(CLONE_NEWNS | (geteuid() ? CLONE_NEWUSER : 0)) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(home, home, NULL, MS_BIND, NULL) || mount(NULL, home, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL))
		return 77;
	if (vd_wipe_prepare(home, &w))
		return 1;
	if (vd_wipe_keys(&w))
		return 2;
	if (vd_wipe_rest(&w))
		return 3;
	vd_wipe_release(&w);
	if (vd_wipe_files(home) != VD_EIO)
		return 4;
	umount2(home, MNT_DETACH);
	if (vd_store_open_with(home, &token, &store))
		return 5;
	vd_store_close(store);
	return 0;
}

static void test_wipe__says_what_it_could_not(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	make(true);
	pid = fork();
	if (!pid)
		_exit(on_a_disk_that_takes_no_writes());
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_wipe__goes_on_where_it_was_interrupted(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < 20; moment++) {
		struct vd_store *store;
		struct vd_wipe w;
		pid_t pid;
		int rc;

		make(true);
		pid = fork();
		if (!pid) {
			if (vd_wipe_prepare(home, &w))
				_exit(1);
			(void)vd_wipe_keys(&w);
			(void)vd_wipe_rest(&w);
			_exit(0);
		}
		usleep(moment * 60);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		/* whole and sealed, or nobody's any more; never readable */
		assert_int_not_equal(vd_store_open(home, &store), 0);
		rc = vd_store_open_with(home, &token, &store);
		if (!rc)
			vd_store_close(store);
		rc = vd_wipe_prepare(home, &w);
		if (rc) /* it was at its end */
			assert_int_equal(rc, VD_ENOSTORE);
		else
			assert_true(vd_wipe_keys(&w) && vd_wipe_rest(&w));
		vd_wipe_release(&w);
		assert_int_equal(vd_store_open_with(home, &token, &store), VD_ENOSTORE);
		assert_int_equal(rmdir(home), 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_wipe__slots_are_overwritten_where_they_stand),
		TEST(test_wipe__what_is_readable_is_overwritten),
		TEST(test_wipe__a_sealed_database_is_emptied_where_it_stands),
		TEST(test_wipe__follows_the_slots_to_where_a_link_leads),
		TEST(test_wipe__a_folder_without_a_store),
		TEST(test_wipe__another_programs_database),
		TEST(test_wipe__touches_nothing_else),
		TEST(test_wipe__of_nothing),
		TEST(test_wipe__says_what_it_could_not),
		TEST(test_wipe__goes_on_where_it_was_interrupted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
