/* The child that foreign files are opened in: what it cannot do, and what becomes of a file whose child dies, hangs or raves. */
#include "mesh_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "store/child.h"

/* ---- what it cannot do ---- */

struct deed {
	const char *name;
	bool (*done)(int file, int socket); /* in the child: did it succeed? */
	bool needs_seccomp;
};

static bool do_open(int file, int socket)
{
	(void)file, (void)socket;
	return open("/dev/null", O_RDONLY) >= 0;
}
static bool do_socket(int file, int other)
{
	(void)file, (void)other;
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool do_exec(int file, int socket)
{
	char *const none[] = { (char[]){ "sh" }, NULL };

	(void)file, (void)socket;
	return execve("/bin/sh", none, none + 1) == 0;
}
static bool do_fork(int file, int socket)
{
	(void)file, (void)socket;
	return fork() >= 0;
}
static bool do_kill(int file, int socket)
{
	(void)file, (void)socket;
	return kill(getppid(), 0) == 0;
}
static bool do_trace(int file, int socket)
{
	(void)file, (void)socket;
	return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}
static bool do_duplicate(int file, int socket)
{
	(void)socket;
	return dup(file) >= 0;
}
static bool do_unlink(int file, int socket)
{
	(void)file, (void)socket;
	return unlink("/tmp/vd_child_test_there_is_none") == 0 || errno == ENOENT;
}
static bool do_protect(int file, int socket)
{
	(void)file, (void)socket;
	return mprotect((void *)((uintptr_t)&do_protect & ~(uintptr_t)4095), 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0;
}
static bool do_memory(int file, int socket)
{
	volatile char *p = malloc(4 * 1024 * 1024);

	(void)file, (void)socket;
	if (p)
		p[4096] = 1;
	return p != NULL;
}
static bool do_map(int file, int socket)
{
	(void)socket;
	return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, file, 0) != MAP_FAILED;
}
static bool do_other_descriptors(int file, int socket)
{
	char byte;

	for (int fd = 0; fd < 256; fd++)
		if (fd != file && fd != socket && !(vd_child_watched() && fd <= STDERR_FILENO) && (read(fd, &byte, 0) == 0 || errno != EBADF))
			return true;
	return false;
}
/* Out of time long before it is through: one second of it was allowed. */
static bool do_much(int file, int socket)
{
	volatile uint64_t n = 0;
	struct timespec now = { 0 };

	(void)file, (void)socket;
	do {
		n++;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	} while (now.tv_sec < 20);
	return true;
}
static bool do_read(int file, int socket)
{
	char byte;

	(void)socket;
	return pread(file, &byte, 1, 0) == 1;
}

static void do_deed(void *ctx, int file, int socket)
{
	const struct deed *deed = ctx;
	char yes = deed->done(file, socket) ? 'y' : 'n';

	if (write(socket, &yes, 1) != 1)
		_exit(1);
}

/* 'y': done; 'n': refused; 0: it was the child's end. */
static char outcome(const struct deed *deed)
{
	struct deed copy = *deed;
	struct vd_child child;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	char said = 0;

	assert_true(file >= 0);
	assert_int_equal(vd_child_start(&child, do_deed, NULL, &copy, file, 1), 0);
	if (!vd_child_hear(&child, &said, 1))
		said = 0;
	vd_child_end(&child);
	close(file);
	return said;
}

static void test_child__runs_into_every_wall(void **state)
{
	static const struct deed deeds[] = {
		{ "open", do_open, true }, { "socket", do_socket, true }, { "exec", do_exec, true }, { "fork", do_fork, true },
		{ "kill", do_kill, true }, { "trace", do_trace, true }, { "duplicate", do_duplicate, true }, { "unlink", do_unlink, true },
		{ "make code writable", do_protect, true }, { "map", do_map, true }, { "memory", do_memory, true },
		{ "other descriptors", do_other_descriptors, false }, { "much time", do_much, false },
	};
	const struct deed read_file = { "read", do_read, false };

	(void)state;
	assert_int_equal(outcome(&read_file), 'y');
	if (!vd_child_wall_stands())
		print_message("# NO SECCOMP HERE (a sanitizer, valgrind, or the kernel): only limits are tried\n");
	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		if (deeds[i].needs_seccomp && !vd_child_wall_stands())
			continue;
		if (outcome(&deeds[i]) == 'y')
			fail_msg("the child could: %s", deeds[i].name);
	}
}

static void do_die_by_open(void *ctx, int file, int socket)
{
	(void)ctx, (void)file, (void)socket;
	(void)!open("/dev/null", O_RDONLY);
	for (;;)
		;
}

/* Not refused, ended: whoever tries that is not our parser any more. */
static void test_child__a_forbidden_call_is_its_end(void **state)
{
	struct vd_child child;
	siginfo_t how = { 0 };

	(void)state;
	if (!vd_child_wall_stands())
		skip();
	assert_int_equal(vd_child_start(&child, do_die_by_open, NULL, NULL, STDIN_FILENO, 5), 0);
	assert_int_equal(waitid(P_PID, (id_t)child.pid, &how, WEXITED | WNOWAIT), 0);
	assert_int_equal(how.si_code, CLD_KILLED); /* and left no core */
	assert_int_equal(how.si_status, SIGSYS);
	vd_child_end(&child);
}

static void test_child__is_reaped_and_leaves_no_descriptor(void **state)
{
	const struct deed read_file = { "read", do_read, false };
	int before = dup(STDIN_FILENO), after;

	(void)state;
	close(before);
	for (int i = 0; i < 20; i++)
		assert_int_equal(outcome(&read_file), 'y');
	after = dup(STDIN_FILENO);
	close(after);
	assert_int_equal(after, before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void do_wait(void *ctx, int file, int socket)
{
	char byte;

	(void)ctx, (void)file;
	while (read(socket, &byte, 1) == 1 && write(socket, &byte, 1) == 1)
		;
}

/* What a terminal sends to all of us must not make a good file a damaged one. */
static void test_child__heeds_us_alone(void **state)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2 };
	struct vd_child child;
	char byte = 'a', back = 0;

	(void)state;
	assert_int_equal(vd_child_start(&child, do_wait, NULL, NULL, STDIN_FILENO, 5), 0);
	assert_true(vd_child_tell(&child, &byte, 1) && vd_child_hear(&child, &back, 1)); /* it has begun */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		kill(child.pid, numbers[i]);
	assert_true(vd_child_tell(&child, &byte, 1) && vd_child_hear(&child, &back, 1));
	kill(child.pid, SIGKILL);
	assert_false(vd_child_hear(&child, &back, 1));
	while (vd_child_tell(&child, &byte, 1)) /* no SIGPIPE for us */
		usleep(1000);
	vd_child_end(&child);
	assert_false(vd_child_tell(&child, &byte, 1));
	assert_false(vd_child_hear(&child, &byte, 1));
	vd_child_end(&child);
}

static void do_end_when_alone(void *ctx, int file, int socket)
{
	int *alive = ctx;
	char byte;

	(void)file;
	while (read(socket, &byte, 1) == 1)
		;
	(void)alive;
}

static void test_child__ends_with_us(void **state)
{
	int pipe_of[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(pipe_of), 0);
	if (fork() == 0) {
		struct vd_child child;

		/* The pipe's end is the file that it is given: open as long as it lives. */
		if (vd_child_start(&child, do_end_when_alone, NULL, NULL, pipe_of[1], 5))
			_exit(1);
		_exit(0);
	}
	close(pipe_of[1]);
	assert_int_equal(read(pipe_of[0], &byte, 1), 0);
	close(pipe_of[0]);
	while (wait(NULL) > 0)
		;
}

static void wipe(void *ctx)
{
	memset(ctx, 0, 16);
}

static void do_tell_secret(void *ctx, int file, int socket)
{
	(void)file;
	if (write(socket, ctx, 16) != 16)
		_exit(1);
}

static void test_child__has_forgotten_before_it_begins(void **state)
{
	char secret[16] = "not for others", said[16] = "not zero";
	const char zeros[16] = { 0 };
	struct vd_child child;

	(void)state;
	assert_int_equal(vd_child_start(&child, do_tell_secret, wipe, secret, STDIN_FILENO, 5), 0);
	assert_true(vd_child_hear(&child, said, sizeof(said)));
	vd_child_end(&child);
	assert_memory_equal(said, zeros, sizeof(zeros));
	assert_string_equal(secret, "not for others");
}

/* ---- what becomes of the file ---- */

struct cast {
	struct mesh mesh;
	struct person hub, ana;
	char bundle[256];
	struct vd_bundle_stats written;
	uint64_t chunks;
};

static int setup(void **state)
{
	const struct vd_bundle_choice all = { 0 };
	struct cast *c = calloc(1, sizeof(*c));
	struct vd_buf file = { 0 };

	mesh_start(&c->mesh, &c->hub);
	mesh_add_person(&c->mesh, &c->hub, &c->ana);
	person_write(&c->hub, VD_LANE_NORMAL, 200, 2000);
	snprintf(c->bundle, sizeof(c->bundle), "%s/out.vb", c->mesh.top);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_BUNDLE, &all, c->bundle, true, &c->written), 0);
	file_get(c->bundle, &file);
	assert_true(vd_sealed_layout(file.n, &c->chunks));
	vd_buf_deinit(&file);
	*state = c;
	return 0;
}

static int teardown(void **state)
{
	struct cast *c = *state;

	vd_child_test = (struct vd_child_test){ 0 };
	person_leave(&c->hub);
	person_leave(&c->ana);
	mesh_end(&c->mesh);
	free(c);
	return 0;
}

enum { FIRST = 0, MIDDLE = 3 }; /* answers: which key it is, then one a chunk */

static void die_first(unsigned count, int socket)
{
	(void)socket;
	if (count == FIRST)
		_exit(0);
}
static void die_midway(unsigned count, int socket)
{
	(void)socket;
	if (count == MIDDLE)
		raise(SIGKILL), _exit(9);
}
static void crash_midway(unsigned count, int socket)
{
	(void)socket;
	if (count == MIDDLE)
		__builtin_trap();
}
static void loop_midway(unsigned count, int socket)
{
	(void)socket;
	for (volatile uint64_t n = 0; count == MIDDLE; n++)
		;
}
static void garbage(int socket, uint8_t with, size_t n)
{
	uint8_t bytes[4096];

	memset(bytes, with, sizeof(bytes));
	for (; n; n -= n < sizeof(bytes) ? n : sizeof(bytes))
		if (write(socket, bytes, n < sizeof(bytes) ? n : sizeof(bytes)) < 0)
			_exit(1);
}
static void rave_midway(unsigned count, int socket)
{
	if (count == MIDDLE)
		garbage(socket, 0xff, 300000);
}
static void rave_zeros_midway(unsigned count, int socket)
{
	if (count == MIDDLE)
		garbage(socket, 0, 300000);
}
/* Three bytes too many move all that follows. */
static void stumble_midway(unsigned count, int socket)
{
	if (count == MIDDLE)
		garbage(socket, 3, 3);
}

static void hurt(struct cast *c, void (*how)(unsigned, int), struct vd_bundle_stats *stats, int *rc)
{
	vd_child_test = (struct vd_child_test){ .patience_s = 6, .before_answer = how };
	*rc = vd_bundle_merge(c->ana.store, c->bundle, false, NULL, stats);
	vd_child_test = (struct vd_child_test){ 0 };
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_child__what_came_before_it_died_counts(void **state)
{
	static void (*const ways[])(unsigned, int) = { die_midway, crash_midway, loop_midway, rave_midway, rave_zeros_midway, stumble_midway };
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	uint64_t stored = 0;
	int rc;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		hurt(c, ways[i], &stats, &rc);
		assert_int_equal(rc, VD_EDAMAGED);
		assert_int_equal(stats.chunks_ok, MIDDLE - 1);
		assert_true(stats.chunks_bad > 1);
		assert_int_equal(stats.chunks_ok + stats.chunks_bad, c->chunks);
		assert_int_equal(stats.merge.refused, 0);
		if (i == 0) {
			stored = stats.merge.fresh;
			assert_true(stored > 10 && stored < 190);
		}
		assert_int_equal(stats.merge.fresh + stats.merge.known, stats.records);
	}
	/* Nothing of it was remembered as bad: the whole file still gives all. */
	assert_int_equal(vd_bundle_merge(c->ana.store, c->bundle, false, NULL, &stats), 0);
	assert_int_equal(stats.merge.fresh, 200 - stored);
}

static void test_child__dead_at_once_is_a_damaged_file(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	int rc;

	hurt(c, die_first, &stats, &rc);
	assert_int_equal(rc, VD_EDAMAGED);
	assert_int_equal(stats.records, 0);
	assert_null(stats.group);
}

/* One bit at a time of what it says, header first. */
static struct {
	unsigned answer;
	size_t at;
	uint8_t with;
	bool beyond; /* there is no such byte: shared with the child */
} *spoiling;

static void spoil(unsigned count, void *head, size_t head_bytes, void *body, size_t body_bytes)
{
	if (count != spoiling->answer)
		return;
	spoiling->beyond = spoiling->at >= head_bytes + body_bytes;
	if (spoiling->at < head_bytes)
		((uint8_t *)head)[spoiling->at] ^= spoiling->with;
	else if (!spoiling->beyond)
		((uint8_t *)body)[spoiling->at - head_bytes] ^= spoiling->with;
}

static void test_child__every_byte_it_says_may_be_wrong(void **state)
{
	static const uint8_t flips[] = { 0x01, 0xff };
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	size_t damaged = 0, tried = 0;

	spoiling = mmap(NULL, sizeof(*spoiling), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(spoiling, MAP_FAILED);
	vd_child_test = (struct vd_child_test){ .patience_s = 1, .spoil = spoil };
	/* Which key it is; the first chunk, with its manifest and first entries. */
	for (spoiling->answer = 0; spoiling->answer < 2; spoiling->answer++) {
		spoiling->beyond = false;
		for (spoiling->at = 0; !spoiling->beyond && spoiling->at < 160; spoiling->at++) {
			for (size_t i = 0; i < sizeof(flips) && !spoiling->beyond; i++) {
				int rc;

				spoiling->with = flips[i];
				rc = vd_bundle_merge(c->ana.store, c->bundle, true, NULL, &stats);
				tried++;
				damaged += rc == VD_EDAMAGED;
				assert_true(rc == 0 || rc == VD_EDAMAGED || rc == VD_EGROUP || rc == VD_ETORN || rc == VD_EKEY || rc == VD_EIO ||
				            rc == VD_EVERSION || rc == VD_EFORMAT || rc == VD_ENOMEM);
				assert_true(stats.merge.fresh <= 200 && stats.chunks_ok <= c->chunks && stats.chunks_ok + stats.chunks_bad <= c->chunks);
			}
		}
	}
	assert_true(tried > 300 && damaged > 30);
	munmap(spoiling, sizeof(*spoiling));
}

/* Neither the one that opens files nor what it says may touch the store: it is the same after, and still ours alone. */
static void test_child__many_files_one_after_the_other(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;

	for (int i = 0; i < 30; i++)
		assert_int_equal(vd_bundle_merge(c->ana.store, c->bundle, i % 2, NULL, &stats), 0);
	person_write(&c->ana, VD_LANE_NORMAL, 5, 100);
	assert_int_equal(vd_bundle_merge(c->ana.store, c->bundle, false, NULL, &stats), 0);
	assert_int_equal(stats.merge.known, stats.records);
}

static atomic_bool busy;

static void *keep_busy(void *none)
{
	for (size_t n = 1; atomic_load(&busy); n = n * 7 % 5003) {
		void *p = malloc(n * 100);

		memset(p, 1, n * 100);
		free(p);
	}
	return none;
}

/* Other threads hold the allocator's locks when it is forked. */
static void test_child__of_a_process_with_threads(void **state)
{
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	pthread_t others[3];

	atomic_store(&busy, true);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&others[i], NULL, keep_busy, NULL), 0);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(vd_bundle_merge(c->ana.store, c->bundle, true, NULL, &stats), 0);
		assert_int_equal(stats.merge.fresh, 200);
	}
	atomic_store(&busy, false);
	for (size_t i = 0; i < 3; i++)
		pthread_join(others[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_child__runs_into_every_wall),
		cmocka_unit_test(test_child__a_forbidden_call_is_its_end),
		cmocka_unit_test(test_child__is_reaped_and_leaves_no_descriptor),
		cmocka_unit_test(test_child__heeds_us_alone),
		cmocka_unit_test(test_child__ends_with_us),
		cmocka_unit_test(test_child__has_forgotten_before_it_begins),
		cmocka_unit_test_setup_teardown(test_child__what_came_before_it_died_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child__dead_at_once_is_a_damaged_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child__every_byte_it_says_may_be_wrong, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child__many_files_one_after_the_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child__of_a_process_with_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
