/* Several processes, kills, full disks, torn files. */
#include <lmdb.h>
#include "tests/unit/store_cast.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/check.h"
#include "store/db.h"
#include "store/index.h"

/* In a child: asserts of cmocka do not reach the parent, so a child says what went wrong by its exit status. */
#define MUST(x) do { if (x) _exit(__LINE__ % 200 + 1); } while (0)

static struct vd_store *opened(const char *home)
{
	struct vd_store *s;

	assert_int_equal(vd_store_open(home, &s), 0);
	return s;
}

static void sound(struct vd_store *s)
{
	struct vd_check check;

	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad, 0);
	assert_int_equal(check.derived_bad, 0);
}

static void waited(pid_t pid, int expected)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), expected);
}

static void write_many(const char *home, const uint8_t *id, int commits, int each)
{
	struct vd_store *s;
	struct vd_group *g;

	MUST(vd_store_open(home, &s));
	MUST(vd_store_group(s, id, &g));
	for (int i = 0; i < commits; i++) {
		struct vd_write *w;

		MUST(vd_write_begin(s, &w));
		for (int j = 0; j < each; j++)
			MUST(cast_own(w, g, "hola", cast_now, NULL));
		MUST(vd_write_commit(w));
	}
	vd_group_free(g);
	vd_store_close(s);
}

/* One chain, without gap or fork, however many processes wrote to it. */
static void dense(struct vd_store *s, uint64_t count)
{
	struct vd_batch batch = { 0 };
	struct vd_record *last = NULL;

	cast_gather(s, VD_LANE_NORMAL, &batch);
	vd_batch_seal(&batch);
	assert_int_equal(batch.count, count);
	for (size_t i = 0; i < batch.count; i++) {
		struct vd_record *r = &batch.entries[i].record;

		assert_int_equal(r->seq, i + 1);
		if (last)
			assert_memory_equal(r->prev.b, last->id.b, VD_ID_BYTES);
		last = r;
	}
	vd_batch_deinit(&batch);
}

static void test_store__two_processes_write_one_chain(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	pid_t pid[2];

	vd_group_free(cast_found(s, id));
	vd_store_close(s);
	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			write_many(p->home, id, 30, 3);
			_exit(0);
		}
	}
	waited(pid[0], 0);
	waited(pid[1], 0);
	s = opened(p->home);
	dense(s, 180);
	sound(s);
	vd_store_close(s);
}

static void test_store__two_processes_found_and_init_at_once(void **state)
{
	const struct cast_place *p = *state;
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_group *g[2];
	struct vd_store *s;
	pid_t pid[2];
	size_t count;

	for (int i = 0; i < 2; i++) {
		pid[i] = fork();
		if (!pid[i]) {
			uint8_t id[VD_GROUP_BYTES];
			int rc = vd_store_create(p->home, "x");

			MUST(rc && rc != VD_EEXISTS);
			MUST(vd_store_open(p->home, &s));
			MUST(vd_store_found(s, "G", "M", cast_now, id));
			vd_store_close(s);
			_exit(rc ? 100 : 0);
		}
	}
	for (int i = 0, made = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 100));
		made += WEXITSTATUS(status) == 0;
		if (i)
			assert_int_equal(made, 1);
	}
	s = opened(p->home);
	assert_int_equal(vd_store_groups(s, groups, &count), 0);
	assert_int_equal(count, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(vd_store_group(s, groups[i], &g[i]), 0);
	assert_memory_not_equal(vd_group_identity(g[0])->author, vd_group_identity(g[1])->author, VD_KEY_BYTES);
	vd_group_free(g[0]);
	vd_group_free(g[1]);
	sound(s);
	vd_store_close(s);
}

/* The map starts far too small: transactions are applied again until it fits, and nothing is counted twice. */
static void test_store__map_grows(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s;
	struct vd_group *g;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_write *w;

	vd_db_set_start(64 * 1024);
	s = cast_store(p->home);
	g = cast_found(s, id);
	for (int round = 0; round < 3; round++) {
		assert_int_equal(vd_write_begin(s, &w), 0);
		for (int i = 0; i < 700; i++)
			assert_int_equal(cast_own(w, g, "hola", cast_now, NULL), 0);
		assert_int_equal(vd_write_note(w, "n", vd_slice_str("k"), vd_slice(&round, sizeof(round))), 0);
		assert_int_equal(vd_write_commit(w), 0);
	}
	dense(s, 2100);
	sound(s);
	vd_group_free(g);
	vd_store_close(s);
	vd_db_set_start(4 << 20);
}

/* Another process made the map larger while we had it open: reading and writing go on. */
static void test_store__map_resized_by_another(void **state)
{
	const struct cast_place *p = *state;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_store *s;
	uint64_t latest;
	int go[2], done[2];
	char byte = 0;
	pid_t pid;

	vd_db_set_start(512 * 1024);
	s = cast_store(p->home);
	vd_group_free(cast_found(s, id));
	vd_store_close(s);
	assert_int_equal(pipe(go) | pipe(done), 0);
	pid = fork(); /* before we open it: an LMDB environment must not cross a fork */
	if (!pid) {
		MUST(read(go[0], &byte, 1) != 1);
		write_many(p->home, id, 3, 1000);
		MUST(write(done[1], &byte, 1) != 1);
		_exit(0);
	}
	s = opened(p->home);
	assert_int_equal(vd_store_latest(s, &latest), 0);
	assert_int_equal(latest, 4);
	assert_int_equal(write(go[1], &byte, 1), 1);
	assert_int_equal(read(done[0], &byte, 1), 1);
	assert_int_equal(vd_store_latest(s, &latest), 0);
	assert_int_equal(latest, 3004);
	waited(pid, 0);
	{
		struct vd_group *g;

		assert_int_equal(vd_store_group(s, id, &g), 0);
		cast_add(s, g, "hola", NULL);
		vd_group_free(g);
	}
	dense(s, 3001);
	sound(s);
	vd_store_close(s);
	vd_db_set_start(4 << 20);
	close(go[0]), close(go[1]), close(done[0]), close(done[1]);
}

/* kill -9 at any moment: what was acknowledged is there, and the store is sound. */
static void test_store__killed_while_writing(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	uint64_t acknowledged = 0;

	vd_group_free(cast_found(s, id));
	vd_store_close(s);
	for (unsigned round = 0; round < 12; round++) {
		struct vd_lane_state lane;
		int said[2];
		uint64_t n;
		pid_t pid;

		assert_int_equal(pipe(said), 0);
		pid = fork();
		if (!pid) {
			struct vd_group *g;

			MUST(vd_store_open(p->home, &s));
			MUST(vd_store_group(s, id, &g));
			for (;;) {
				struct vd_write *w;

				MUST(vd_write_begin(s, &w));
				for (int j = 0; j < 5; j++)
					MUST(cast_own(w, g, "hola", cast_now, NULL));
				MUST(vd_write_commit(w));
				MUST(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0));
				MUST(write(said[1], &lane.digest.count, 8) != 8);
			}
		}
		close(said[1]);
		if (round % 2) /* from the middle of a transaction that follows an acknowledged one */
			assert_int_equal(read(said[0], &acknowledged, 8), 8);
		usleep(1000 + 1300 * round);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(said[0], &n, 8) == 8)
			acknowledged = n;
		close(said[0]);
		s = opened(p->home);
		assert_int_equal(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
		assert_true(lane.digest.count >= acknowledged);
		assert_int_equal(lane.digest.count % 5, 0);
		dense(s, lane.digest.count);
		sound(s);
		vd_store_close(s);
	}
	assert_true(acknowledged > 0);
}

/* Kill during init: either a store or none, and init then works or says that there is one. */
static void test_store__killed_during_init(void **state)
{
	const struct cast_place *p = *state;

	for (unsigned round = 0; round < 20; round++) {
		char command[1024];
		struct vd_store *s;
		pid_t pid = fork();
		int rc;

		if (!pid) {
			MUST(vd_store_create(p->home, "x"));
			_exit(0);
		}
		usleep(300 * round);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		rc = vd_store_open(p->home, &s);
		if (rc) {
			assert_int_equal(rc, VD_ENOSTORE);
			assert_int_equal(vd_store_create(p->home, "y"), 0);
			s = opened(p->home);
		} else {
			assert_int_equal(vd_store_create(p->home, "y"), VD_EEXISTS);
		}
		vd_store_close(s);
		snprintf(command, sizeof(command), "rm -rf %s", p->home);
		assert_int_equal(system(command), 0);
	}
}

static int count_visit(void *ctx, const struct vd_found *found)
{
	assert_int_equal(found->body, 0);
	++*(int *)ctx;
	return 0;
}

/* A full disk, played by a limit on file size: a clear error, everything readable, and it goes on when there is
 * room. */
static void test_store__full_disk(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id);
	struct rlimit before, limit;
	struct vd_query query = { .kind = "message", .limit = 3 };
	struct vd_lane_state lane;
	uint64_t records, bytes, acknowledged = 0, arrival;
	char hex[2 * VD_ID_BYTES + 1];
	struct vd_id id_of;
	int rc = 0, visits = 0;

	cast_add(s, g, "hola", &id_of);
	acknowledged = 1;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(vd_store_size(s, &records, &bytes), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)bytes + 3000000 + 1234; /* not a whole page: the last write is cut short */
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (!rc) {
		struct vd_write *w;

		rc = vd_write_begin(s, &w);
		assert_int_equal(rc, 0);
		for (int i = 0; i < 50; i++)
			assert_int_equal(cast_own(w, g, "hola", cast_now, NULL), 0);
		rc = vd_write_commit(w);
		if (!rc)
			acknowledged += 50;
		assert_true(acknowledged < 100000);
	}
	assert_int_equal(rc, VD_ENOSPACE);
	assert_true(acknowledged > 50);
	assert_int_equal(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, acknowledged);
	dense(s, acknowledged);
	/* Questions are answered though the index cannot be written. */
	assert_int_equal(vd_query(s, &query, count_visit, &visits), 0);
	assert_int_equal(visits, 3);
	vd_hex(hex, id_of.b, VD_ID_BYTES);
	assert_int_equal(vd_store_find_prefix(s, hex, &arrival), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	cast_add(s, g, "hola", NULL);
	dense(s, acknowledged + 1);
	sound(s);
	vd_group_free(g);
	vd_store_close(s);
}

static void copy_file(const char *from, const char *to, long keep)
{
	char command[1024];

	snprintf(command, sizeof(command),
	         "rm -rf %s && mkdir -m 700 %s && head -c %ld %s/data.mdb > %s/data.mdb", to, to, keep, from,
	         to);
	assert_int_equal(system(command), 0);
	assert_int_equal(rest_copy(from, to), 0);
}

/* Opens and reads everything in a child: whatever the file holds, it must not die of a signal. */
static int read_all_of(const char *home)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct vd_batch batch = { 0 };
		struct vd_store *s;
		int rc = vd_store_open(home, &s);

		if (rc)
			_exit(-rc);
		rc = vd_store_walk(s, NULL, 255, 0, cast_collect, &batch);
		_exit(rc < 0 ? -rc : batch.count == 304 ? 0 : 99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void test_store__torn_file(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id);
	struct vd_write *w;
	uint64_t records, bytes;
	char path[512];
	FILE *f;

	assert_int_equal(vd_write_begin(s, &w), 0);
	for (int i = 0; i < 300; i++)
		assert_int_equal(cast_own(w, g, "hola", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_size(s, &records, &bytes), 0);
	vd_group_free(g);
	vd_store_close(s);

	copy_file(p->home, p->other, (long)bytes);
	assert_int_equal(read_all_of(p->other), 0);
	for (long keep = 0; keep < (long)bytes; keep += keep < 9000 ? 997 : 32768) {
		int rc;

		copy_file(p->home, p->other, keep);
		rc = read_all_of(p->other);
		if (keep < (long)bytes / 2)
			assert_int_equal(rc, VD_EDAMAGED);
		else if (rc) /* else only pages that nothing refers to are missing, and all records are there */
			assert_int_equal(rc, VD_EDAMAGED);
	}
	assert_int_equal(vd_store_create(p->other, "x"), VD_EEXISTS); /* never over something that may be mended */

	/* Not ours at all. */
	snprintf(path, sizeof(path), "%s/data.mdb", p->other);
	f = fopen(path, "w");
	for (int i = 0; i < 50000; i++)
		fputc(i * 7, f);
	fclose(f);
	assert_int_equal(read_all_of(p->other), VD_EDAMAGED);

	/* An LMDB of another version. */
	copy_file(p->home, p->other, (long)bytes);
	f = fopen(path, "r+");
	fseek(f, (long)(sizeof(size_t) + 8 + 4), SEEK_SET);
	fputc(9, f);
	fclose(f);
	assert_int_equal(read_all_of(p->other), VD_EVERSION);
}

/* A record as it stands in the file, sealed or not. */
static void stored_bytes(const char *path, uint64_t arrival, struct vd_buf *out)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;
	uint8_t key[8];
	MDB_val k = { sizeof(key), key }, v;

	vd_set_u64(key, arrival);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 1), 0);
	assert_int_equal(mdb_env_open(env, path, MDB_RDONLY | MDB_NOSUBDIR | MDB_NOLOCK, 0), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "records", 0, &table), 0);
	assert_int_equal(mdb_get(txn, table, &k, &v), 0);
	vd_buf_put(out, v.mv_data, v.mv_size);
	mdb_txn_abort(txn);
	mdb_env_close(env);
}

/* Every byte that belongs to the record is guarded: flipped on disk, it is told, dropped on request, and
 * fetched again. */
static void test_store__flipped_record(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home), *b = cast_store(p->other);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id), *gb = cast_join(s, g, b);
	struct vd_merge merge;
	struct vd_check check;
	struct vd_record r;
	struct vd_buf raw = { 0 }, file = { 0 }, stored = { 0 };
	struct vd_id ids[3];
	uint64_t arrival[3], latest;
	char path[512];
	uint8_t *at;
	FILE *f;
	int c;

	for (int i = 0; i < 3; i++)
		cast_add(s, g, "hola", &ids[i]);
	cast_carry(s, b, gb, &merge);
	for (int i = 0; i < 3; i++)
		assert_int_equal(vd_store_find(s, &ids[i], &arrival[i]), 0);
	assert_int_equal(vd_store_read(s, arrival[1], &raw, &r, NULL), 0);
	vd_group_free(g);
	vd_store_close(s);

	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	f = fopen(path, "r+");
	while ((c = fgetc(f)) != EOF)
		vd_buf_put_u8(&file, (uint8_t)c);
	stored_bytes(path, arrival[1], &stored);
	at = memmem(file.p, file.n, stored.p, stored.n);
	assert_non_null(at);
	while (at) { /* LMDB may have left older copies of the page */
		fseek(f, (long)(at - file.p) + 150, SEEK_SET);
		fputc(at[150] ^ 0x40, f);
		at = memmem(at + 1, file.n - (size_t)(at + 1 - file.p), stored.p, stored.n);
	}
	vd_buf_deinit(&stored);
	fclose(f);

	s = opened(p->home);
	assert_int_equal(vd_store_group(s, id, &g), 0);
	assert_int_equal(vd_store_read(s, arrival[1], &raw, &r, NULL), VD_EDAMAGED);
	assert_int_equal(vd_store_read(s, arrival[2], &raw, &r, NULL), 0);
	assert_int_equal(vd_index_catch_up(s), 0);
	assert_int_equal(vd_store_latest(s, &latest), 0);
	assert_int_equal(vd_check(s, false, &check), 0);
	assert_int_equal(check.bad, 1);
	assert_int_equal(check.repaired, 0);
	assert_int_equal(vd_check(s, true, &check), 0);
	assert_true(check.repaired >= 1);
	sound(s);
	assert_int_equal(vd_store_read(s, arrival[1], &raw, &r, NULL), VD_ENOTFOUND);
	assert_int_equal(vd_store_find(s, &ids[1], &arrival[1]), VD_ENOTFOUND);
	cast_carry(b, s, g, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(merge.first_arrival, latest + 1);
	sound(s);
	cast_same_lanes(s, b, id);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&file);
	vd_group_free(g);
	vd_group_free(gb);
	vd_store_close(s);
	vd_store_close(b);
}

/* The daemon's two threads: one merges while the other reads, and the map grows under both. */
struct two {
	struct vd_store *s;
	struct vd_group *g;
	int failed;
	bool done;
};

static void *write_along(void *ctx)
{
	struct two *two = ctx;

	for (int i = 0; i < 60 && !two->failed; i++) {
		struct vd_write *w;

		if (vd_write_begin(two->s, &w))
			two->failed = __LINE__;
		for (int j = 0; j < 50 && !two->failed; j++) {
			if (cast_own(w, two->g, "hola", cast_now, NULL))
				two->failed = __LINE__;
		}
		if (vd_write_commit(w))
			two->failed = __LINE__;
	}
	__atomic_store_n(&two->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void test_store__two_threads(void **state)
{
	const struct cast_place *p = *state;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_lane_state lane;
	struct two two = { 0 };
	uint64_t last = 0;
	pthread_t thread;

	vd_db_set_start(256 * 1024);
	two.s = cast_store(p->home);
	two.g = cast_found(two.s, id);
	assert_int_equal(pthread_create(&thread, NULL, write_along, &two), 0);
	while (!__atomic_load_n(&two.done, __ATOMIC_ACQUIRE)) {
		struct vd_batch batch = { 0 };
		uint64_t latest;

		assert_int_equal(vd_store_latest(two.s, &latest), 0);
		assert_int_equal(vd_store_lane(two.s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
		assert_true(lane.digest.count % 50 == 0 && lane.digest.count + 4 >= latest);
		assert_true(latest >= last);
		last = latest;
		cast_gather(two.s, VD_LANE_CONTROL, &batch);
		assert_int_equal(batch.count, 4);
		vd_batch_deinit(&batch);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(two.failed, 0);
	dense(two.s, 3000);
	sound(two.s);
	vd_group_free(two.g);
	vd_store_close(two.s);
	vd_db_set_start(4 << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store__two_processes_write_one_chain, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__two_processes_found_and_init_at_once, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__map_grows, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__map_resized_by_another, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__two_threads, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__killed_while_writing, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__killed_during_init, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__full_disk, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__torn_file, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__flipped_record, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
