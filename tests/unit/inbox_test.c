#include "mesh_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "daemon/link_stick.h"
#include "store/inbox.h"
#include "store/shares.h"

struct cast {
	struct mesh mesh;
	struct person hub, ana, luz;
	char stick[128], other[128], inbox[160];
};

static int setup(void **state)
{
	struct cast *c = calloc(1, sizeof(*c));

	mesh_of_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	snprintf(c->stick, sizeof(c->stick), "%s/usb", c->mesh.top);
	snprintf(c->other, sizeof(c->other), "%s/usb2", c->mesh.top);
	snprintf(c->inbox, sizeof(c->inbox), "%s/inbox", vd_store_home(c->hub.store));
	assert_int_equal(mkdir(c->stick, 0700), 0);
	assert_int_equal(mkdir(c->other, 0700), 0);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	mesh_end_three(&c->mesh, &c->hub, &c->ana, &c->luz);
	free(c);
	return 0;
}

static void visit(struct cast *c, struct person *p, const char *stick)
{
	struct vd_stick_result result;

	assert_int_equal(vd_stick_sync(p->store, stick, &result), 0);
	person_reload(p, &c->mesh);
}

static struct vd_inbox_result exchange(struct cast *c, const char *stick, int expected)
{
	struct vd_inbox_result r;

	assert_int_equal(vd_inbox_exchange(vd_store_home(c->hub.store), stick, &r), expected);
	return r;
}

static struct vd_inbox_taken take_in(struct cast *c, int expected)
{
	struct vd_inbox_taken t;

	assert_int_equal(vd_inbox_take_in(c->hub.store, NULL, &t), expected);
	person_reload(&c->hub, &c->mesh);
	return t;
}

/* Files in a folder whose names end so. */
static int files(const char *folder, const char *ending)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)))
		n += strlen(entry->d_name) > 4 && !strcmp(entry->d_name + strlen(entry->d_name) - 4, ending);
	if (dir)
		closedir(dir);
	return n;
}

static void put(const char *folder, const char *name, uint64_t size, bool noise)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	if (noise) {
		uint8_t bytes[256];

		randombytes_buf(bytes, sizeof(bytes));
		assert_int_equal(pwrite(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	}
	close(fd);
}

static void put_number(const char *folder, unsigned number, const char *ending, uint64_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "%032x%s", number, ending);
	put(folder, name, size, false);
}

static void cache_of(const char *stick, char out[160])
{
	snprintf(out, 160, "%s/cache", stick);
}

static void test_inbox__carries_unopened_and_takes_in_later(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_result r;
	struct vd_inbox_taken t;
	uint64_t before;

	person_write(&c->ana, VD_LANE_NORMAL, 50, 200);
	visit(c, &c->ana, c->stick);
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.received, 1);
	assert_int_equal(r.sent, 0);
	assert_true(r.safe_to_remove);
	/* it goes on to who can read it, by a stick that the writer never saw */
	r = exchange(c, c->other, 0);
	assert_int_equal(r.sent, 1);
	assert_int_equal(r.received, 0);
	before = person_records(&c->luz);
	visit(c, &c->luz, c->other);
	assert_int_equal(person_records(&c->luz), before + 50);
	/* nothing differs, nothing moves */
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.bytes_in + r.bytes_out, 0);

	t = take_in(c, 0);
	assert_int_equal(t.received, 50);
	assert_int_equal(t.files, 1);
	assert_int_equal(files(c->inbox, ".bin") + files(c->inbox, ".old"), 0);
	/* what was had does not come again */
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.received, 0);
	t = take_in(c, 0);
	assert_int_equal(t.received + t.files + t.kept, 0);
}

/* Ana does not know who wrote what is in the newer file, which is looked at first: the older one says it. */
static void test_inbox__order_does_not_matter(void **state)
{
	struct cast *c = *state;
	struct person newcomer = { 0 };
	struct vd_inbox_result r;
	struct vd_inbox_taken t;

	mesh_add_person(&c->mesh, &c->hub, &newcomer);
	visit(c, &c->hub, c->stick);
	person_write(&newcomer, VD_LANE_URGENT, 3, 20);
	visit(c, &newcomer, c->stick);
	assert_int_equal(vd_inbox_exchange(vd_store_home(c->ana.store), c->stick, &r), 0);
	assert_int_equal(r.received, 2);
	assert_int_equal(vd_inbox_take_in(c->ana.store, NULL, &t), 0);
	assert_int_equal(t.kept, 0);
	assert_int_equal(t.files, 2);
	person_reload(&c->ana, &c->mesh);
	assert_true(mesh_equal(&c->mesh, &c->ana, &newcomer));
	person_leave(&newcomer);
}

static void test_inbox__what_is_not_for_us_is_passed_on(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_result r;
	struct vd_inbox_taken t;
	char cache[160];

	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	put(cache, "00112233445566778899aabbccddeeff.bin", vd_sealed_bytes(2), true);
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.received, 1);
	t = take_in(c, 0);
	assert_int_equal(t.kept, 1);
	assert_int_equal(files(c->inbox, ".old"), 1);
	r = exchange(c, c->other, 0);
	assert_int_equal(r.sent, 1);
	cache_of(c->other, cache);
	assert_int_equal(files(cache, ".bin"), 1);
}

static void test_inbox__only_what_looks_like_a_segment(void **state)
{
	static const char *const names[] = { "notes.txt", "00112233445566778899aabbccddeeff", "00112233445566778899aabbccddeeff.exe",
		                             "00112233445566778899AABBCCDDEEFF.bin", "00112233445566778899aabbccddeeff.old",
		                             "00112233445566778899aabbccddeeff.had" };
	struct cast *c = *state;
	struct vd_inbox_result r;
	char cache[160], path[300];

	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		put(cache, names[i], vd_sealed_bytes(1), true);
	put(cache, "10112233445566778899aabbccddeeff.bin", vd_sealed_bytes(1) - 1, true);
	put(cache, "20112233445566778899aabbccddeeff.bin", 0, false);
	put(cache, "30112233445566778899aabbccddeeff.bin", vd_sealed_bytes(VD_INBOX_BYTES_MAX / 65536 + 1), false);
	snprintf(path, sizeof(path), "%s/40112233445566778899aabbccddeeff.bin", cache);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/50112233445566778899aabbccddeeff.bin", cache);
	assert_int_equal(mkfifo(path, 0600), 0);
	snprintf(path, sizeof(path), "%s/60112233445566778899aabbccddeeff.bin", cache);
	assert_int_equal(mkdir(path, 0700), 0);
	r = exchange(c, c->stick, VD_ENOSPACE);
	assert_int_equal(r.received, 0);
	assert_int_equal(r.odd, 2);
	assert_int_equal(r.left, 1);
	assert_int_equal(files(c->inbox, ".bin"), 0);
}

static void test_inbox__no_stick_no_home_no_folder(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_result r;
	char cache[160];

	exchange(c, "/nonexistent", VD_ENOTFOUND);
	assert_int_equal(vd_inbox_exchange("/nonexistent", c->stick, &r), VD_ENOSTORE);
	take_in(c, 0);
	cache_of(c->stick, cache);
	assert_int_equal(symlink("/tmp", cache), 0);
	exchange(c, c->stick, VD_EINVAL);
	/* an empty one is not even given a folder */
	exchange(c, c->other, 0);
	cache_of(c->other, cache);
	assert_int_not_equal(access(cache, F_OK), 0);
}

static void test_inbox__is_bounded_and_keeps_what_nobody_looked_at(void **state)
{
	const uint64_t size = vd_sealed_bytes(63);
	const unsigned count = (unsigned)(VD_INBOX_BYTES_MAX / size);
	struct cast *c = *state;
	struct vd_inbox_result r;
	char cache[160], path[300];

	exchange(c, c->other, 0); /* makes the folder */
	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	for (unsigned i = 0; i < count; i++)
		put_number(c->inbox, i, ".bin", size);
	put_number(cache, 1000000, ".bin", size);
	r = exchange(c, c->stick, VD_ENOSPACE);
	assert_int_equal(r.received, 0);
	assert_int_equal(r.left, 1);
	assert_int_equal(files(c->inbox, ".bin"), count);
	/* one that was looked at goes for it: the older of two */
	for (unsigned i = 0; i < 2; i++) {
		struct timespec when[2] = { { 1700000000 + i, 0 }, { 1700000000 + i, 0 } };
		char old[300];

		snprintf(path, sizeof(path), "%s/%032x.bin", c->inbox, i);
		snprintf(old, sizeof(old), "%s/%032x.old", c->inbox, i);
		assert_int_equal(rename(path, old), 0);
		assert_int_equal(utimensat(AT_FDCWD, old, when, 0), 0);
	}
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.received, 1);
	assert_int_equal(files(c->inbox, ".old"), 1);
	snprintf(path, sizeof(path), "%s/%032x.old", c->inbox, 1);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_inbox__files_are_counted(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_result r;
	char cache[160];

	exchange(c, c->other, 0);
	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	/* of no size: had. They do not count, and do not stay for ever */
	for (unsigned i = 0; i < VD_INBOX_FILES_MAX + 5; i++)
		put_number(c->inbox, i, ".had", 0);
	put_number(cache, 1000000, ".bin", vd_sealed_bytes(1));
	r = exchange(c, c->stick, 0);
	assert_int_equal(r.received, 1);
	take_in(c, 0);
	assert_int_equal(files(c->inbox, ".had"), VD_INBOX_FILES_MAX);
}

/* What is kept free of the disk is left free: the usual, what a person set, and of a small disk a sixteenth. */
static void test_inbox__leaves_what_is_kept_free(void **state)
{
	static const uint64_t mib = 1 << 20;
	struct cast *c = *state;
	struct vd_shares set;
	struct vd_inbox_result r;
	char cache[160], kept[256];
	int fd;

	exchange(c, c->other, 0); /* makes the folder */
	if (mount("none", c->inbox, "tmpfs", 0, "size=320m"))
		skip();
	snprintf(kept, sizeof(kept), "%s/kept", c->inbox);
	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	for (unsigned i = 0; i < 20; i++)
		put_number(cache, i + 1, ".bin", vd_sealed_bytes(159)); /* 10 MiB */
	/* Somebody else has some: 320 less that is 180 free, less a sixteenth is 160. */
	put_number(c->inbox, 99, ".dat", 0);
	snprintf(kept, sizeof(kept), "%s/%032x.dat", c->inbox, 99);
	fd = open(kept, O_WRONLY);
	assert_int_equal(posix_fallocate(fd, 0, 140 * (off_t)mib), 0);
	close(fd);
	snprintf(kept, sizeof(kept), "%s/kept", c->inbox);
	r = exchange(c, c->stick, VD_ENOSPACE);
	assert_true(r.at_reserve && r.safe_to_remove);
	assert_int_equal(r.reserve_bytes, 20 * mib);
	assert_int_equal(r.received, 16);
	assert_int_equal(r.left, 4);
	/* Set, it holds while locked as well; and so it does when it is set back. */
	assert_int_equal(vd_shares_get(c->hub.store, &set), 0);
	set.reserve_bytes = 8 * mib;
	assert_int_equal(vd_shares_set(c->hub.store, &set, c->hub.now_ms), 0);
	r = exchange(c, c->stick, VD_ENOSPACE);
	assert_int_equal(r.reserve_bytes, 8 * mib);
	assert_int_equal(r.received, 1);
	/* Lost, it is written again by who takes in what was carried. */
	assert_int_equal(unlink(kept), 0);
	take_in(c, 0);
	assert_int_equal(access(kept, F_OK), 0);
	set.reserve_bytes = 32 * mib;
	assert_int_equal(vd_shares_set(c->hub.store, &set, c->hub.now_ms), 0);
	assert_int_equal(access(kept, F_OK), -1);
	assert_int_equal(umount(c->inbox), 0);
}

static void test_inbox__one_at_a_time(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_taken t;
	int fd;

	exchange(c, c->other, 0);
	fd = open(c->inbox, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	exchange(c, c->stick, VD_EBUSY);
	assert_int_equal(vd_inbox_take_in(c->hub.store, NULL, &t), VD_EBUSY);
	close(fd);
	take_in(c, 0);
}

static void test_inbox__stops_when_told(void **state)
{
	struct cast *c = *state;
	atomic_bool stop = true;
	struct vd_inbox_taken t;

	person_write(&c->ana, VD_LANE_NORMAL, 5, 200);
	visit(c, &c->ana, c->stick);
	exchange(c, c->stick, 0);
	assert_int_equal(vd_inbox_take_in(c->hub.store, &stop, &t), 0);
	assert_int_equal(t.files, 0);
	assert_int_equal(files(c->inbox, ".bin"), 1);
	assert_int_equal(take_in(c, 0).received, 5);
}

/* A file that was damaged on its way gives what is whole. */
static void test_inbox__damaged_copies_give_their_whole_chunks(void **state)
{
	struct cast *c = *state;
	struct vd_inbox_taken t;
	struct dirent *entry;
	char path[512];
	struct vd_buf here = { 0 }, there = { 0 };
	char source[512], cache[160];
	DIR *dir;

	person_write(&c->ana, VD_LANE_NORMAL, 400, 1000);
	visit(c, &c->ana, c->stick);
	exchange(c, c->stick, 0);
	cache_of(c->stick, cache);
	dir = opendir(c->inbox);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", c->inbox, entry->d_name);
		snprintf(source, sizeof(source), "%s/%s", cache, entry->d_name);
	}
	closedir(dir);
	file_get(path, &here);
	file_get(source, &there);
	assert_int_equal(here.n, there.n);
	assert_memory_equal(here.p, there.p, here.n);
	vd_buf_deinit(&here);
	vd_buf_deinit(&there);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "spoilt", 6, 200000), 6);
	close(fd);
	t = take_in(c, 0);
	assert_true(t.received > 100 && t.received < 400);
	/* on the stick it is still whole */
	visit(c, &c->hub, c->stick);
	assert_true(person_records(&c->hub) >= person_records(&c->ana));
}

/* Killed while copying: what stands under a segment's name is whole, on both sides. */
static void test_inbox__killed_at_any_moment(void **state)
{
	struct cast *c = *state;
	char cache[160];

	cache_of(c->stick, cache);
	assert_int_equal(mkdir(cache, 0700), 0);
	for (unsigned i = 0; i < 40; i++)
		put_number(cache, i, ".bin", vd_sealed_bytes(4));
	for (unsigned moment = 0; moment < 12; moment++) {
		pid_t pid = fork();
		uint64_t chunks;
		DIR *dir;

		if (!pid) {
			struct vd_inbox_result r;

			(void)!vd_inbox_exchange(vd_store_home(c->hub.store), moment % 2 ? c->other : c->stick, &r);
			_exit(0);
		}
		usleep(moment * 2000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		for (int side = 0; side < 2; side++) {
			struct dirent *entry;

			cache_of(c->other, cache);
			dir = opendir(side ? cache : c->inbox);
			while (dir && (entry = readdir(dir))) {
				struct stat st;

				if (strlen(entry->d_name) != 36)
					continue;
				assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st, 0), 0);
				assert_true(vd_sealed_layout((uint64_t)st.st_size, &chunks));
			}
			if (dir)
				closedir(dir);
		}
	}
	exchange(c, c->stick, 0);
	exchange(c, c->other, 0);
	assert_int_equal(files(c->inbox, ".bin"), 40);
	cache_of(c->other, cache);
	assert_int_equal(files(cache, ".bin"), 40);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inbox__carries_unopened_and_takes_in_later),
		TEST(test_inbox__order_does_not_matter),
		TEST(test_inbox__what_is_not_for_us_is_passed_on),
		TEST(test_inbox__only_what_looks_like_a_segment),
		TEST(test_inbox__no_stick_no_home_no_folder),
		TEST(test_inbox__is_bounded_and_keeps_what_nobody_looked_at),
		TEST(test_inbox__files_are_counted),
		TEST(test_inbox__leaves_what_is_kept_free),
		TEST(test_inbox__one_at_a_time),
		TEST(test_inbox__stops_when_told),
		TEST(test_inbox__damaged_copies_give_their_whole_chunks),
		TEST(test_inbox__killed_at_any_moment),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
