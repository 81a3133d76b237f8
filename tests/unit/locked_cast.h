/* A daemon whose store can be locked, what it answers, and what must not be found in its memory. */
#ifndef LOCKED_CAST_H
#define LOCKED_CAST_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "daemon/ctl_server.h"
#include "daemon/loop.h"
#include "daemon/panic.h"
#include "daemon/token.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "store/child.h"
#include "store/store.h"
#include "store/vault.h"

enum { PATIENCE_MS = 60000, CANARIES_MAX = 16, CANARY_BYTES = 96 };

static char top[64], home[128], token[128];
static const uint8_t token_bytes[40] = "forty bytes of a key file on a USB stick";
static uint8_t vault_key[VD_VAULT_KEY_BYTES];
static char key_hex[2 * VD_VAULT_KEY_BYTES + 1];

/* The daemon is this program, too: in it they must not stand as they are. */
static char group_name[64], member_name[64], text[96];

static inline void spell(char *out, const char *shifted)
{
	for (; *shifted; shifted++)
		*out++ = *shifted == ' ' ? ' ' : (char)(*shifted - 1);
	*out = '\0';
}

static inline void spell_all(void)
{
	spell(group_name, "Dvfodb efm sjp rvf obejf opncsb");
	spell(member_name, "Sptbmcb ef mb wfsfeb bmub");
	spell(text, "uxp cpbut xjui mjhiut pgg qbttfe uif tfdpoe cfoe bu gpvs");
}

/* --- what must not be found in its memory --- */

static struct canary {
	const char *what;
	size_t n;
	uint8_t bytes[CANARY_BYTES];
	bool while_unlocked;           /* else: it need not stand in memory in this form */
} canaries[CANARIES_MAX];
static size_t canary_count;

static inline void plant(const char *what, const void *bytes, size_t n, bool while_unlocked)
{
	struct canary *c = &canaries[canary_count++];

	assert_true(canary_count <= CANARIES_MAX && n <= CANARY_BYTES);
	c->what = what;
	c->n = n;
	c->while_unlocked = while_unlocked;
	memcpy(c->bytes, bytes, n);
}

static inline uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static inline const struct vd_secret *secret(void)
{
	static const struct vd_secret s = {.token = {token_bytes, sizeof token_bytes}};

	return &s;
}

static inline void make_store(bool sealed)
{
	struct vd_store *store;
	struct vd_group *group;
	struct vd_write *write;
	struct vd_id id;
	uint8_t group_id[VD_GROUP_BYTES];
	struct vd_buf content = {0};
	struct vd_field field = {vd_slice_str("text"), {.type = VD_MP_STR, .bytes = vd_slice_str(text)}};

	assert_int_equal(vd_store_create_with(home, "laptop", sealed ? secret() : NULL, NULL), 0);
	assert_int_equal(vd_store_open_with(home, secret(), &store), 0);
	assert_int_equal(vd_store_found(store, group_name, member_name, clock_ms(), group_id), 0);
	assert_int_equal(vd_store_group(store, group_id, &group), 0);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	struct vd_draft draft = {.lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .content = vd_buf_slice(&content), .now_ms = clock_ms()};
	assert_int_equal(vd_write_begin(store, &write), 0);
	assert_int_equal(vd_write_own(write, group, &draft, &id), 0);
	assert_int_equal(vd_write_commit(write), 0);
	vd_buf_deinit(&content);

	canary_count = 0;
	if (sealed) {
		memcpy(vault_key, vd_vault_key(vd_store_vault(store)), sizeof vault_key);
		vd_hex(key_hex, vault_key, sizeof vault_key);
		plant("vault key", vault_key, 32, true);
		plant("names' key", vault_key + 32, 32, true);
		plant("vault key in hex", key_hex, 64, false);
	}
	const struct vd_identity *identity = vd_group_identity(group);
	plant("identity's signing seed", identity->author_secret, 32, true);
	plant("identity's box key", identity->box_secret, 32, true);
	const struct vd_epoch_keys *keys = vd_group_epoch_keys(group, 0);
	plant("link key", keys->key[VD_KEY_LINK], VD_KEY_BYTES, true);
	plant("members' key", keys->key[VD_KEY_MEMBERS], VD_KEY_BYTES, true);
	plant("group's name", group_name, strlen(group_name), false);
	plant("member's name", member_name, strlen(member_name), false);
	plant("text", text, strlen(text), false);
	plant("group id", group_id, sizeof group_id, true);
	plant("record id", id.b, sizeof id.b, false);
	plant("author", identity->author, VD_KEY_BYTES, true);
	char hex[2 * VD_GROUP_BYTES + 1];
	vd_hex(hex, group_id, VD_GROUP_BYTES);
	plant("group id in hex", hex, 2 * VD_GROUP_BYTES, false);
	vd_group_free(group);
	vd_store_close(store);
}

/* How many of them stand in what another process has in memory; says which. */
static inline size_t search(pid_t pid, bool say)
{
	char path[64], line[512];
	size_t found = 0, room = 0;
	bool seen[CANARIES_MAX] = {false};
	uint8_t *bytes = NULL;
	FILE *maps;
	int mem;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	mem = open(path, O_RDONLY | O_CLOEXEC);
	assert_non_null(maps);
	assert_true(mem >= 0);
	while (fgets(line, sizeof line, maps)) {
		unsigned long from, to;
		char may[8];

		if (sscanf(line, "%lx-%lx %7s", &from, &to, may) != 3 || may[0] != 'r' || to - from > (1UL << 31))
			continue;
		if (to - from > room) {
			room = to - from;
			free(bytes);
			bytes = malloc(room);
			assert_non_null(bytes);
		}
		ssize_t n = pread(mem, bytes, to - from, (off_t)from);
		for (size_t i = 0; n > 0 && i < canary_count; i++)
			seen[i] = seen[i] || memmem(bytes, (size_t)n, canaries[i].bytes, canaries[i].n);
	}
	fclose(maps);
	close(mem);
	free(bytes);
	for (size_t i = 0; i < canary_count; i++) {
		found += seen[i];
		if (seen[i] && say)
			print_error("in memory: %s\n", canaries[i].what);
		if (!seen[i] && canaries[i].while_unlocked && !say)
			print_error("not in memory: %s\n", canaries[i].what);
	}
	return found;
}

static inline size_t must_show(void)
{
	size_t n = 0;

	for (size_t i = 0; i < canary_count; i++)
		n += canaries[i].while_unlocked;
	return n;
}

static inline void assert_clean(pid_t pid)
{
	assert_int_equal(search(pid, true), 0);
}

/* So that the search can find anything at all. */
static inline void assert_full(pid_t pid)
{
	assert_true(search(pid, false) >= must_show());
}

/* --- the daemon --- */

static struct process {
	pid_t pid;
	int log;
	char seen[65536];
	size_t seen_bytes;
} one;

static inline bool read_log(const char *wanted)
{
	struct pollfd poll_fd = {one.log, POLLIN, 0};

	while (!strstr(one.seen, wanted)) {
		if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
			return false;
		ssize_t n = read(one.log, one.seen + one.seen_bytes, sizeof one.seen - 1 - one.seen_bytes);
		if (n <= 0)
			return false;
		one.seen_bytes += (size_t)n;
	}
	return true;
}

/* This program again, as a daemon: it starts anew as itself. */
static inline void start(const char *option, const char *value, const char *until)
{
	char program[] = "locked_test", home_is[] = "--home", listen_on[] = "--listen", at[] = "127.0.0.1:0";
	char *argv[] = {program, home_is, home, listen_on, at, (char *)(uintptr_t)option, (char *)(uintptr_t)value, NULL};
	int ends[2];

	memset(&one, 0, sizeof one);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	one.pid = fork();
	assert_true(one.pid >= 0);
	if (!one.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no daemon behind */
		dup2(ends[1], STDERR_FILENO);
		execv("/proc/self/exe", argv);
		_exit(99);
	}
	close(ends[1]);
	one.log = ends[0];
	assert_true(read_log(until));
}

/* Holds up the loop, from a handler that the alarm calls in it; only in a life that starts unlocked. */
static inline void hang(int number)
{
	static const char line[] = "test: hangs\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof line - 1);

	(void)number;
	(void)n;
	for (;;)
		pause();
}

static inline void hang_soon(void)
{
	struct itimerval soon = {.it_value = {1, 0}};

	signal(SIGALRM, hang);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static inline int run_daemon(int argc, char **argv)
{
	struct vd_conf conf;
	char message[VD_CONF_MESSAGE];

	vd_panic_stops = getenv("VD_TEST_STOPS") != NULL;
	bool hangs = getenv("VD_TEST_HANGS") != NULL;
	unsetenv("VD_TEST_HANGS");
	vd_panic_start(argv);
	if (hangs)
		hang_soon();
	return vd_conf_parse(argc, argv, &conf, message) ? 98 : -vd_loop_run(&conf);
}

static inline int ended(void)
{
	int status;

	assert_int_equal(waitpid(one.pid, &status, 0), one.pid);
	close(one.log);
	one.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline void ask(const char *line, const char *wanted)
{
	struct vd_buf answer = {0};

	assert_int_equal(vd_ctl_request(home, line, &answer), 0);
	vd_buf_put_u8(&answer, 0);
	assert_string_equal((char *)answer.p, wanted);
	vd_buf_wipe(&answer);
}

static inline void unlock(void)
{
	char line[200];

	snprintf(line, sizeof line, "unlock %s", key_hex);
	ask(line, "ok");
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/locked-test.XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(home, sizeof home, "%s/home", top);
	snprintf(token, sizeof token, "%s/token", top);
	unsetenv("VD_TEST_STOPS");
	spell_all();
	return 0;
}

static inline int teardown(void **state)
{
	char command[256];

	(void)state;
	if (one.pid > 0) {
		kill(one.pid, SIGKILL);
		ended();
	}
	snprintf(command, sizeof command, "chmod -R u+w %s; rm -rf %s", top, top);
	return system(command);
}

static inline void forget_log(void)
{
	memset(one.seen, 0, sizeof one.seen);
	one.seen_bytes = 0;
}

static inline int stop(void)
{
	kill(one.pid, SIGTERM);
	return ended();
}

static inline bool status_has(const char *words)
{
	struct vd_buf answer = {0};
	bool has;

	assert_int_equal(vd_ctl_request(home, "status", &answer), 0);
	has = memmem(answer.p, answer.n, words, strlen(words));
	vd_buf_deinit(&answer);
	return has;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
