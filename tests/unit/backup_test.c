/* A backup is whole or refused, opens for whom it was made, tells nobody else anything, and restores into a store that goes on safely. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "backup_cast.h"
#include "store/backup_file.h"
#include "store/db.h"
#include "store/inside.h"

/* --- there and back --- */

static void open_as(struct scene *sc, struct who *w, const char *home, bool sealed)
{
	arrive(sc, w);
	snprintf(w->home, sizeof(w->home), "%s", home);
	assert_int_equal(vd_store_open_with(home, secret_of(sealed), &w->store), 0);
	reload(sc, w);
}

static bool contains(const char *path, struct vd_slice what)
{
	struct vd_buf bytes = { 0 };
	FILE *f = fopen(path, "rb");
	bool found;
	int c;

	assert_non_null(f);
	while ((c = fgetc(f)) != EOF)
		vd_buf_put_u8(&bytes, (uint8_t)c);
	fclose(f);
	found = bytes.n && memmem(bytes.p, bytes.n, what.p, what.n);
	vd_buf_deinit(&bytes);
	return found;
}

/* As many numbers as records, however far one lies from the next. */
static void assert_numbers(struct vd_store *s, uint64_t records)
{
	uint64_t numbers[7], after = 0, count = 0, received_ms;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	size_t n = 7;

	while (n == 7) {
		assert_int_equal(vd_store_numbers(s, after, numbers, 7, &n), 0);
		for (size_t i = 0; i < n; i++) {
			assert_true(numbers[i] > after);
			after = numbers[i];
			assert_int_equal(vd_store_read(s, after, &raw, &record, &received_ms), 0);
			count++;
		}
	}
	assert_int_equal(count, records);
	vd_buf_deinit(&raw);
}

static void there_and_back(bool before, bool after)
{
	struct vd_backup_stats made, tried, back;
	struct stage st;
	struct who again;
	uint64_t when;

	raise_stage(&st, before, 200);
	assert_int_equal(vd_backup_last(st.rosa.store, &when), VD_ENOTFOUND);
	back_up(&st, &made);
	assert_int_equal(vd_backup_last(st.rosa.store, &when), 0);
	assert_true(when == st.sc.now_ms && made.made_ms == when && made.records > 200);
	assert_false(contains(st.file, pass(canary)));
	assert_int_equal(verify(&st, phrase, &tried), 0);
	assert_memory_equal(&tried, &made, sizeof(made));
	assert_true(names_in(st.scratch) == 0);
	assert_int_equal(restore(&st, phrase, after, &back), 0);
	assert_memory_equal(&back, &made, sizeof(made));
	open_as(&st.sc, &again, st.restored, after);
	assert_int_equal(vd_store_readable(again.store), !after);
	cast_same_lanes(st.rosa.store, again.store, st.sc.id);
	assert_numbers(st.rosa.store, made.records);
	assert_numbers(again.store, made.records);
	assert_memory_equal(again.author, st.rosa.author, VD_KEY_BYTES);
	assert_int_equal(vd_backup_last(again.store, &when), 0);
	assert_true(when == made.made_ms);
	assert_int_equal(restore(&st, phrase, after, &back), VD_EEXISTS);
	leave(&again); /* all of it is sound */
	disband(&st.sc);
}

static void test_backup__readable_to_readable(void **state)
{
	(void)state;
	there_and_back(false, false);
}

static void test_backup__readable_to_sealed(void **state)
{
	(void)state;
	there_and_back(false, true);
}

static void test_backup__sealed_to_readable(void **state)
{
	(void)state;
	there_and_back(true, false);
}

static void test_backup__sealed_to_sealed(void **state)
{
	(void)state;
	there_and_back(true, true);
}

/* Of a store without any group, and one whose backup fills its last message to the brim or ends in a new one. */
static void test_backup__of_any_size(void **state)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };
	const struct vd_backup_key with = { .passphrase = pass(phrase) };
	struct vd_backup_stats stats;
	struct stage st = { 0 };
	char fill[2000];

	(void)state;
	raise_stage(&st, false, 0);
	memset(fill, 'x', sizeof(fill));
	for (size_t i = 0; i < 200; i++) {
		struct vd_write *w;

		assert_int_equal(vd_write_begin(st.rosa.store, &w), 0);
		assert_int_equal(vd_write_note(w, "fill", vd_slice(&i, sizeof(i)), vd_slice(fill, i == 199 ? 1 : sizeof(fill) - i)), 0);
		assert_int_equal(vd_write_commit(w), 0);
		if (i % 8)
			continue;
		assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), 0);
		assert_int_equal(stats.bytes % VD_CHUNK_BYTES, VD_BACKUP_HEAD);
		assert_int_equal(vd_backup_verify(st.file, &with, st.scratch, &stats), 0);
	}
	disband(&st.sc);
}

static void test_backup__end_at_a_border(void **state)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };
	const struct vd_backup_key with = { .passphrase = pass(phrase) };
	const size_t plain = VD_CHUNK_BYTES - 17;
	char file[] = "/tmp/vd_backup_border_XXXXXX";
	uint8_t *bytes = calloc(1, 2 * plain + 2);
	int fd = mkstemp(file);

	(void)state;
	close(fd);
	memset(bytes, 7, 2 * plain + 2);
	for (size_t n = 2 * plain - 2; n <= 2 * plain + 2; n++) {
		struct vd_backup_out *out;
		struct vd_backup_in *in;
		uint64_t size;

		assert_int_equal(vd_backup_out_open(file, &to, &out), 0);
		assert_int_equal(vd_backup_out_put(out, vd_slice(bytes, n)), 0);
		assert_int_equal(vd_backup_out_commit(out, &size), 0);
		assert_int_equal(vd_backup_in_open(open(file, O_RDONLY | O_CLOEXEC), &with, &in), 0);
		assert_true(vd_backup_in_bytes(in) == size);
		assert_int_equal(vd_backup_in_get(in, bytes, n), 0);
		assert_int_equal(vd_backup_in_end(in), 0);
		vd_backup_in_close(in);
	}
	unlink(file);
	free(bytes);
}

/* --- for whom --- */

static void test_backup__for_nobody_or_too_little(void **state)
{
	struct vd_backup_stats stats;
	struct vd_backup_for to = { .cost = &cheap };
	struct stage st;

	(void)state;
	raise_stage(&st, false, 1);
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), VD_EINVAL);
	to.passphrase = pass("seven77");
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), VD_EINVAL);
	to.passphrase = pass(phrase);
	to.paper_count = VD_BACKUP_PAPERS + 1;
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), VD_EINVAL);
	to.paper_count = 1; /* a box key of small order */
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), VD_EINVAL);
	to.paper_count = 0;
	assert_int_equal(vd_backup_create(st.rosa.store, &to, "-", 1, &stats), VD_EINVAL);
	assert_int_equal(vd_backup_create(st.rosa.store, &to, "/nowhere/at/all", 1, &stats), VD_ENOTFOUND);
	assert_int_equal(access(st.file, F_OK), -1);
	disband(&st.sc);
}

static void test_backup__wrong_passphrase(void **state)
{
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 3);
	back_up(&st, &stats);
	assert_int_equal(verify(&st, "correct horse batterz", &stats), VD_EKEY);
	assert_int_equal(verify(&st, "", &stats), VD_EKEY);
	assert_int_equal(restore(&st, "correct horse", false, &stats), VD_EKEY);
	nothing_restored(&st);
	disband(&st.sc);
}

/* Made with one keyboard, opened with another: é as one code point, or as e and a mark. */
static void test_backup__one_text_two_spellings(void **state)
{
	static const char *const ways[] = { "r\xc3\xado de caf\xc3\xa9", "ri\xcc\x81o de cafe\xcc\x81", "r\xc3\xado de cafe" };
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 3);
	for (int i = 0; i < 2; i++) {
		const struct vd_backup_for to = { .passphrase = pass(ways[i]), .cost = &cheap };

		assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, st.sc.now_ms, &stats), 0);
		assert_int_equal(verify(&st, ways[i], &stats), 0);
		assert_int_equal(verify(&st, ways[1 - i], &stats), 0);
		assert_int_equal(verify(&st, ways[2], &stats), VD_EKEY);
	}
	disband(&st.sc);
}

static void paper_of(const char *words, struct vd_identity *identity, struct vd_backup_paper *paper)
{
	uint8_t bytes[VD_PAPER_BYTES] = { 0 };

	memcpy(bytes, words, strlen(words));
	vd_identity_from_paper(bytes, identity);
	memcpy(paper->author, identity->author, VD_KEY_BYTES);
	memcpy(paper->box, identity->box, VD_KEY_BYTES);
}

static void test_backup__paper_keys(void **state)
{
	struct vd_backup_for to = { .paper_count = VD_BACKUP_PAPERS };
	struct vd_identity papers[VD_BACKUP_PAPERS], other;
	struct vd_backup_stats stats;
	struct vd_backup_paper unused;
	struct vd_backup_key with = { 0 };
	struct stage st;
	struct who again;

	(void)state;
	raise_stage(&st, true, 20);
	for (size_t i = 0; i < VD_BACKUP_PAPERS; i++)
		paper_of((const char[]){ (char)('a' + i), '\0' }, &papers[i], &to.papers[i]);
	paper_of("z", &other, &unused);
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), 0);
	for (size_t i = 0; i < VD_BACKUP_PAPERS; i++) {
		with.paper = &papers[i];
		assert_int_equal(vd_backup_verify(st.file, &with, st.scratch, &stats), 0);
		assert_false(contains(st.file, vd_slice(papers[i].box, VD_KEY_BYTES)));
	}
	with.paper = &other;
	assert_int_equal(vd_backup_restore(st.file, &with, st.restored, NULL, NULL, &stats), VD_EKEY);
	/* No passphrase: what stands in its place is random, and so is its cost. */
	with = (struct vd_backup_key){ .passphrase = pass(phrase) };
	assert_true(vd_backup_restore(st.file, &with, st.restored, NULL, NULL, &stats) == VD_EKEY ||
	            vd_backup_restore(st.file, &with, st.restored, NULL, NULL, &stats) == VD_EFORMAT);
	nothing_restored(&st);
	with = (struct vd_backup_key){ .paper = &papers[VD_BACKUP_PAPERS - 1] };
	assert_int_equal(vd_backup_restore(st.file, &with, st.restored, NULL, NULL, &stats), 0);
	open_as(&st.sc, &again, st.restored, false);
	cast_same_lanes(st.rosa.store, again.store, st.sc.id);
	leave(&again);
	/* Both ways. */
	to.passphrase = pass(phrase);
	to.cost = &cheap;
	to.paper_count = 1;
	assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), 0);
	with = (struct vd_backup_key){ .paper = &papers[0] };
	assert_int_equal(vd_backup_verify(st.file, &with, st.scratch, &stats), 0);
	assert_int_equal(verify(&st, phrase, &stats), 0);
	disband(&st.sc);
}

/* --- what touches the disk of verify --- */

static int scratch_fd;

/* Keeps what verify writes, which has no name, beyond its end. */
static bool keep_scratch(void)
{
	char link[64], target[256];

	for (int fd = 3; fd < 64 && scratch_fd < 0; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strstr(target, "/scratch/") && strstr(target, "data.mdb (deleted)"))
			scratch_fd = open(link, O_RDONLY | O_CLOEXEC);
	}
	return false;
}

static void scratch_is_sealed(bool sealed)
{
	const struct vd_backup_key with = { .passphrase = pass(phrase), .stop = keep_scratch };
	struct vd_backup_stats stats;
	char link[64];
	struct stage st;

	raise_stage(&st, sealed, 300);
	back_up(&st, &stats);
	if (!sealed) { /* the test can fail */
		char data[160];

		snprintf(data, sizeof(data), "%s/data.mdb", st.rosa.home);
		assert_true(contains(data, pass(canary))); /* the device's name */
	}
	scratch_fd = -1;
	assert_int_equal(vd_backup_verify(st.file, &with, st.scratch, &stats), 0);
	assert_true(scratch_fd >= 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", scratch_fd);
	assert_true(lseek(scratch_fd, 0, SEEK_END) > 300 * 300);
	assert_false(contains(link, pass(canary)));
	assert_false(contains(link, pass("Cuenca")));
	assert_false(contains(link, vd_slice(st.sc.id, VD_GROUP_BYTES)));
	close(scratch_fd);
	disband(&st.sc);
}

static void test_backup__scratch_is_sealed(void **state)
{
	(void)state;
	scratch_is_sealed(false);
	scratch_is_sealed(true);
}

/* --- whole or not there --- */

static int stop_after;

static bool stop_some_time(void)
{
	return stop_after-- == 0;
}

static void test_backup__stopped(void **state)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap, .stop = stop_some_time };
	const struct vd_backup_key with = { .passphrase = pass(phrase), .stop = stop_some_time };
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 300);
	for (int i = 0; i < 4; i++) {
		stop_after = i;
		assert_int_equal(vd_backup_create(st.rosa.store, &to, st.file, 1, &stats), VD_ECLOSED);
		assert_int_equal(access(st.file, F_OK), -1);
	}
	back_up(&st, &stats);
	for (int i = 0; i < 4; i++) {
		stop_after = i;
		assert_int_equal(vd_backup_verify(st.file, &with, st.scratch, &stats), VD_ECLOSED);
		stop_after = i;
		assert_int_equal(vd_backup_restore(st.file, &with, st.restored, &token, NULL, &stats), VD_ECLOSED);
		nothing_restored(&st);
	}
	disband(&st.sc);
}

/* A disk that takes no more than so many bytes of a file. */
static int in_a_small_disk(struct stage *st, int what, rlim_t bytes)
{
	const struct vd_backup_for to = { .passphrase = pass(phrase), .cost = &cheap };
	struct rlimit before, small;
	struct vd_backup_stats stats;
	int rc;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = bytes;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	rc = what == 0 ? vd_backup_create(st->rosa.store, &to, st->file, 1, &stats) :
	     what == 1 ? verify(st, phrase, &stats) : restore(st, phrase, what == 2, &stats);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	return rc;
}

static void test_backup__full_disk(void **state)
{
	struct vd_backup_stats stats;
	char old[160];
	struct stage st;

	(void)state;
	raise_stage(&st, false, 300);
	for (rlim_t bytes = 0; bytes < 256 << 10; bytes += 50000) {
		assert_int_equal(in_a_small_disk(&st, 0, bytes), VD_ENOSPACE);
		assert_int_equal(access(st.file, F_OK), -1);
	}
	back_up(&st, &stats);
	snprintf(old, sizeof(old), "%s.old", st.file);
	assert_int_equal(link(st.file, old), 0);
	assert_int_equal(in_a_small_disk(&st, 0, 100000), VD_ENOSPACE); /* what stood there stands */
	assert_int_equal(verify(&st, phrase, &stats), 0);
	for (int what = 1; what < 4; what++) {
		for (rlim_t bytes = 8192; bytes < 512 << 10; bytes += 70000) {
			assert_int_equal(in_a_small_disk(&st, what, bytes), VD_ENOSPACE);
			nothing_restored(&st);
		}
	}
	disband(&st.sc);
}

static void empty_restored(struct stage *st)
{
	char command[200];

	snprintf(command, sizeof(command), "rm -rf '%s'", st->restored);
	assert_int_equal(system(command), 0);
}

/* Killed at any moment: no store, or a whole one; and a second try works. */
static void killed(bool sealed, bool to_sealed)
{
	struct vd_backup_stats stats;
	struct timespec start, end;
	struct stage st;
	int whole = 0, none = 0;

	raise_stage(&st, sealed, 150);
	back_up(&st, &stats);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(restore(&st, phrase, to_sealed, &stats), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	empty_restored(&st);
	for (int round = 0; round < 30; round++) {
		uint64_t took_us = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000 + (uint64_t)((end.tv_nsec - start.tv_nsec) / 1000);
		struct vd_store *s;
		pid_t child = fork();
		int rc;

		if (!child) {
			rc = restore(&st, phrase, to_sealed, &stats);
			_exit(rc ? 1 : 0);
		}
		usleep(randombytes_uniform((uint32_t)took_us * 3 / 2 + 1));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &rc, 0), child);
		assert_true(WIFSIGNALED(rc) || WEXITSTATUS(rc) == 0);
		rc = vd_store_open_with(st.restored, secret_of(to_sealed), &s);
		if (rc) {
			assert_true(rc == VD_ENOSTORE || rc == VD_EDAMAGED);
			none++;
			/* The next try is not in the way of the first. */
			assert_int_equal(restore(&st, phrase, to_sealed, &stats), 0);
			assert_int_equal(vd_store_open_with(st.restored, secret_of(to_sealed), &s), 0);
		} else {
			whole++;
		}
		cast_same_lanes(st.rosa.store, s, st.sc.id);
		vd_store_close(s);
		assert_true(names_in(st.restored) < 8);
		empty_restored(&st);
	}
	print_message("killed: %d whole, %d none\n", whole, none);
	disband(&st.sc);
}

static void test_backup__killed_while_restoring(void **state)
{
	(void)state;
	killed(false, true);
	killed(true, false);
}

/* Verify leaves nothing however it ends. */
static void test_backup__killed_while_verifying(void **state)
{
	struct vd_backup_stats stats;
	struct stage st;

	(void)state;
	raise_stage(&st, false, 150);
	back_up(&st, &stats);
	for (int round = 1; round < 20; round++) {
		pid_t child = fork();
		int status;

		if (!child)
			_exit(verify(&st, phrase, &stats) ? 1 : 0);
		usleep((useconds_t)(round * 1500));
		kill(child, SIGTERM);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(names_in(st.scratch) == 0);
	}
	disband(&st.sc);
}

/* --- a restored device is a copy --- */

static int count_lane(struct scene *sc, struct who *w, uint8_t lane)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(w->store, sc->id, lane, &state, NULL, 0), 0);
	return (int)state.digest.count;
}

/* Wrote more after the backup, and others have it; goes on from the backup; nothing is refused or lost anywhere. `write_first`: before it hears
 * of what it had written. */
static void restored_and_goes_on(bool write_first)
{
	struct vd_backup_stats stats;
	struct who again;
	struct vd_id id;
	uint64_t when, before, after;
	struct stage st;

	raise_stage(&st, false, 10);
	back_up(&st, &stats);
	assert_int_equal(vd_store_latest(st.rosa.store, &before), 0);
	for (int i = 0; i < 5; i++)
		say(&st.sc, &st.rosa, VD_LANE_NORMAL, "after the backup", &id);
	meet(&st.rosa, &st.ines);
	assert_int_equal(restore(&st, phrase, true, &stats), 0);
	open_as(&st.sc, &again, st.restored, true);
	assert_int_equal(vd_store_latest(again.store, &after), 0);
	assert_true(after > before + 1000); /* no number will name two records */
	assert_int_equal(vd_store_elsewhere(again.store, st.sc.id, again.author, &when), VD_ENOTFOUND);
	if (write_first)
		say(&st.sc, &again, VD_LANE_NORMAL, "first words of the restored", &id);
	meet(&again, &st.ines);
	say(&st.sc, &again, VD_LANE_NORMAL, "second words", &id);
	say(&st.sc, &again, VD_LANE_URGENT, "urgent words", &id);
	meet(&again, &st.ines);
	/* The first was not lost after all: it hears of its copy, and both go on. */
	say(&st.sc, &st.rosa, VD_LANE_NORMAL, "the first lives", &id);
	meet(&st.rosa, &st.ines);
	meet(&again, &st.ines);
	meet(&st.rosa, &again);
	cast_same_lanes(again.store, st.ines.store, st.sc.id);
	cast_same_lanes(again.store, st.rosa.store, st.sc.id);
	assert_int_equal(count_lane(&st.sc, &again, VD_LANE_NORMAL), 10 + 5 + 1 + 1 + write_first);
	assert_int_equal(count_lane(&st.sc, &again, VD_LANE_URGENT), 2);
	assert_int_equal(vd_store_elsewhere(again.store, st.sc.id, again.author, &when), 0);
	assert_int_equal(vd_store_elsewhere(st.rosa.store, st.sc.id, again.author, &when), 0);
	leave(&again);
	disband(&st.sc);
}

static void test_backup__restored_hears_first(void **state)
{
	(void)state;
	restored_and_goes_on(false);
}

static void test_backup__restored_writes_first(void **state)
{
	(void)state;
	restored_and_goes_on(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup__readable_to_readable),
		cmocka_unit_test(test_backup__readable_to_sealed),
		cmocka_unit_test(test_backup__sealed_to_readable),
		cmocka_unit_test(test_backup__sealed_to_sealed),
		cmocka_unit_test(test_backup__of_any_size),
		cmocka_unit_test(test_backup__end_at_a_border),
		cmocka_unit_test(test_backup__for_nobody_or_too_little),
		cmocka_unit_test(test_backup__wrong_passphrase), cmocka_unit_test(test_backup__one_text_two_spellings),
		cmocka_unit_test(test_backup__paper_keys),
		cmocka_unit_test(test_backup__scratch_is_sealed),
		cmocka_unit_test(test_backup__stopped),
		cmocka_unit_test(test_backup__full_disk),
		cmocka_unit_test(test_backup__killed_while_restoring),
		cmocka_unit_test(test_backup__killed_while_verifying),
		cmocka_unit_test(test_backup__restored_hears_first),
		cmocka_unit_test(test_backup__restored_writes_first),
	};

	if (sodium_init() < 0 || vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
