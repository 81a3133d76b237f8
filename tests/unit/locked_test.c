/* The daemon of a sealed store, as a process of its own: locked, unlocked, locked again, wiped; and what its memory holds meanwhile. */
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

static void spell(char *out, const char *shifted)
{
	for (; *shifted; shifted++)
		*out++ = *shifted == ' ' ? ' ' : (char)(*shifted - 1);
	*out = '\0';
}

static void spell_all(void)
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

static void plant(const char *what, const void *bytes, size_t n, bool while_unlocked)
{
	struct canary *c = &canaries[canary_count++];

	assert_true(canary_count <= CANARIES_MAX && n <= CANARY_BYTES);
	c->what = what;
	c->n = n;
	c->while_unlocked = while_unlocked;
	memcpy(c->bytes, bytes, n);
}

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const struct vd_secret *secret(void)
{
	static const struct vd_secret s = {.token = {token_bytes, sizeof token_bytes}};

	return &s;
}

static void make_store(bool sealed)
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
static size_t search(pid_t pid, bool say)
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

static size_t must_show(void)
{
	size_t n = 0;

	for (size_t i = 0; i < canary_count; i++)
		n += canaries[i].while_unlocked;
	return n;
}

static void assert_clean(pid_t pid)
{
	assert_int_equal(search(pid, true), 0);
}

/* So that the search can find anything at all. */
static void assert_full(pid_t pid)
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

static bool read_log(const char *wanted)
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

static void forget_log(void)
{
	memset(one.seen, 0, sizeof one.seen);
	one.seen_bytes = 0;
}

/* This program again, as a daemon: it starts anew as itself. */
static void start(const char *option, const char *value, const char *until)
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
static void hang(int number)
{
	static const char line[] = "test: hangs\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof line - 1);

	(void)number;
	(void)n;
	for (;;)
		pause();
}

static void hang_soon(void)
{
	struct itimerval soon = {.it_value = {1, 0}};

	signal(SIGALRM, hang);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static int run_daemon(int argc, char **argv)
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

static int ended(void)
{
	int status;

	assert_int_equal(waitpid(one.pid, &status, 0), one.pid);
	close(one.log);
	one.pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int stop(void)
{
	kill(one.pid, SIGTERM);
	return ended();
}

static void ask(const char *line, const char *wanted)
{
	struct vd_buf answer = {0};

	assert_int_equal(vd_ctl_request(home, line, &answer), 0);
	vd_buf_put_u8(&answer, 0);
	assert_string_equal((char *)answer.p, wanted);
	vd_buf_wipe(&answer);
}

static bool status_has(const char *words)
{
	struct vd_buf answer = {0};
	bool has;

	assert_int_equal(vd_ctl_request(home, "status", &answer), 0);
	has = memmem(answer.p, answer.n, words, strlen(words));
	vd_buf_deinit(&answer);
	return has;
}

static void unlock(void)
{
	char line[200];

	snprintf(line, sizeof line, "unlock %s", key_hex);
	ask(line, "ok");
}

static char address[64];

static void note_address(void)
{
	const char *at = strstr(one.seen, "<6>listening addr=");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "<6>listening addr=%63s", address), 1);
}

static int setup(void **state)
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

static int teardown(void **state)
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

/* --- lock and unlock --- */

static void test_locked__starts_without_a_key_and_tells_nothing(void **state)
{
	char line[200];

	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	assert_null(strstr(one.seen, "listening"));
	assert_true(status_has("\"locked\":true,\"listen\":[],\"peers\":[]"));
	ask("poke", "error: locked");
	ask("sync", "error: locked");
	ask("key", "error: locked");
	ask("lock", "ok");
	snprintf(line, sizeof line, "unlock %s", key_hex);
	line[100] = line[100] == '0' ? '1' : '0';
	ask(line, "error: key");
	ask("unlock 00", "error: key");
	assert_true(status_has("\"locked\":true"));
	assert_clean(one.pid);
	assert_int_equal(stop(), 0);
}

static void test_locked__unlocks_lends_and_forgets_all(void **state)
{
	char lent[200], line[200];

	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	for (int turn = 0; turn < 3; turn++) {
		forget_log();
		unlock();
		assert_true(read_log("<6>unlocked"));
		note_address();
		assert_true(status_has("\"locked\":false"));
		assert_true(status_has("\"listen\":[\"127"));
		snprintf(lent, sizeof lent, "key %s", key_hex);
		ask("key", lent);
		unlock();
		snprintf(line, sizeof line, "unlock %s", key_hex);
		line[50] = line[50] == '0' ? '1' : '0';
		ask(line, "error: key");
		assert_full(one.pid);
		ask("lock", "ok");
		/* Already: not in a while. */
		assert_clean(one.pid);
		assert_int_equal(waitpid(one.pid, NULL, WNOHANG), 0);
		assert_true(status_has("\"locked\":true"));
		ask("key", "error: locked");
	}
	assert_int_equal(stop(), 0);
}

static void test_locked__listens_where_it_did(void **state)
{
	char before[64];

	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	unlock();
	assert_true(read_log("<6>unlocked"));
	note_address();
	strcpy(before, address);
	ask("lock", "ok");
	forget_log();
	unlock();
	assert_true(read_log("<6>unlocked"));
	note_address();
	assert_string_equal(address, before);
	assert_int_equal(stop(), 0);
}

static void test_locked__no_other_daemon_comes_between(void **state)
{
	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	for (int turn = 0; turn < 5; turn++) {
		pid_t rivals[4];

		unlock();
		for (size_t i = 0; i < 4; i++) {
			rivals[i] = fork();
			if (!rivals[i]) {
				uv_loop_t loop;
				struct vd_ctl *ctl;
				int tries = 2000, rc;

				uv_loop_init(&loop);
				do
					rc = vd_ctl_open(&loop, home, NULL, NULL, NULL, &ctl);
				while (rc == VD_EBUSY && --tries);
				_exit(rc == VD_EBUSY ? 0 : 1);
			}
		}
		ask("lock", "ok");
		for (size_t i = 0; i < 4; i++) {
			int status;

			waitpid(rivals[i], &status, 0);
			assert_int_equal(status, 0);
		}
	}
	assert_int_equal(stop(), 0);
}

static void test_locked__a_signal_locks_at_once(void **state)
{
	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	unlock();
	assert_full(one.pid);
	/* A daemon that is stuck: it handles the signal as soon as it runs at all. */
	kill(one.pid, SIGSTOP);
	forget_log();
	kill(one.pid, SIGUSR1);
	kill(one.pid, SIGCONT);
	/* nobody asked for the lines between */
	assert_true(read_log("<6>locked"));
	assert_clean(one.pid);
	unlock();
	assert_int_equal(stop(), 0);
}

static void test_locked__a_readable_store_has_nothing_to_lock(void **state)
{
	char line[200] = "unlock ";

	(void)state;
	make_store(false);
	start(NULL, NULL, "<6>ready");
	ask("lock", "error: readable");
	ask("key", "error: readable");
	memset(line + 7, '0', 128);
	ask(line, "error: readable");
	kill(one.pid, SIGUSR1);
	assert_true(status_has("\"locked\":false"));
	assert_int_equal(stop(), 0);
}

/* Whatever moment it dies at, the store is whole and sealed. */
static void test_locked__killed_at_any_moment(void **state)
{
	(void)state;
	make_store(true);
	for (unsigned moment = 0; moment < 24; moment++) {
		struct vd_store *store;
		pid_t other;

		start(NULL, NULL, "<6>locked");
		if (moment % 2)
			unlock();
		other = fork();
		if (!other) {
			struct vd_buf answer = {0};
			char line[200];

			snprintf(line, sizeof line, "unlock %s", key_hex);
			_exit(vd_ctl_request(home, moment % 2 ? "lock" : line, &answer) == 99);
		}
		usleep(moment * 1500);
		kill(one.pid, SIGKILL);
		assert_int_equal(ended(), -SIGKILL);
		waitpid(other, NULL, 0);
		assert_int_equal(vd_store_open(home, &store), VD_EKEY);
		assert_int_equal(vd_store_open_with(home, secret(), &store), 0);
		vd_store_close(store);
	}
}

/* --- token --- */

static void put_token(const void *bytes, size_t n)
{
	char beside[160];
	int fd;

	snprintf(beside, sizeof beside, "%s.new", token);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
	assert_int_equal(rename(beside, token), 0);
}

static size_t times(const char *words)
{
	size_t n = 0;

	for (const char *at = one.seen; (at = strstr(at, words)); at++)
		n++;
	return n;
}

static void test_token__opens_and_its_absence_locks(void **state)
{
	(void)state;
	make_store(true);
	put_token(token_bytes, sizeof token_bytes);
	start("--token", token, "<6>ready");
	assert_true(status_has("\"locked\":false"));
	for (int turn = 0; turn < 3; turn++) {
		forget_log();
		assert_full(one.pid);
		if (turn == 1)
			put_token("some other bytes, and as many of them as", 40);
		else
			assert_int_equal(unlink(token), 0);
		assert_true(read_log("<6>locked"));
		assert_non_null(strstr(one.seen, "<5>token gone"));
		assert_clean(one.pid);
		assert_true(status_has("\"locked\":true"));
		forget_log();
		put_token(token_bytes, sizeof token_bytes);
		assert_true(read_log("<6>unlocked by=token"));
	}
	/* touched, or written anew with the same bytes: nothing happens */
	put_token(token_bytes, sizeof token_bytes);
	forget_log();
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_true(status_has("\"locked\":false"));
	assert_int_equal(stop(), 0);
}

/* The loop hangs, and the token goes: the guard does not wait for it. */
static void test_token__a_busy_daemon_is_locked_all_the_same(void **state)
{
	(void)state;
	make_store(true);
	put_token(token_bytes, sizeof token_bytes);
	setenv("VD_TEST_HANGS", "1", 1);
	start("--token", token, "<6>ready");
	assert_true(read_log("test: hangs"));
	forget_log();
	assert_int_equal(unlink(token), 0);
	assert_true(read_log("<6>locked"));
	unsetenv("VD_TEST_HANGS");
	assert_clean(one.pid);
	assert_int_equal(stop(), 0);
}

static void test_token__that_opens_nothing_is_said_once(void **state)
{
	(void)state;
	make_store(true);
	put_token("some other bytes, and as many of them as", 40);
	start("--token", token, "<6>locked");
	usleep(4 * VD_TOKEN_LOOK_MS * 1000);
	put_token("short", 5);
	assert_true(read_log("<4>token is no key file"));
	assert_int_equal(times("<4>token opens no slot"), 1);
	put_token(token_bytes, sizeof token_bytes);
	assert_true(read_log("<6>unlocked by=token"));
	assert_int_equal(times("<4>token"), 2);
	assert_int_equal(stop(), 0);
}

static void test_token__does_not_undo_what_somebody_locked(void **state)
{
	(void)state;
	make_store(true);
	put_token(token_bytes, sizeof token_bytes);
	start("--token", token, "<6>ready");
	ask("lock", "ok");
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_true(status_has("\"locked\":true"));
	/* by hand it opens, with the token there; it is pulled */
	unlock();
	assert_true(read_log("<6>token seen"));
	forget_log();
	assert_int_equal(unlink(token), 0);
	assert_true(read_log("<6>locked"));
	assert_clean(one.pid);
	put_token(token_bytes, sizeof token_bytes);
	assert_true(read_log("<6>unlocked by=token"));
	assert_int_equal(stop(), 0);
}

/* Opened by hand while the token was away: its absence is nothing to it, until it was seen. */
static void test_token__seen_later_locks_when_it_goes(void **state)
{
	(void)state;
	make_store(true);
	start("--token", token, "<6>locked");
	unlock();
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_true(status_has("\"locked\":false"));
	/* what opens no slot is no token of this store: it comes and goes */
	put_token("some other bytes, and as many of them as", 40);
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_int_equal(unlink(token), 0);
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_true(status_has("\"locked\":false"));
	for (int turn = 0; turn < 2; turn++) { /* the second time it is the token that opened it */
		forget_log();
		put_token(token_bytes, sizeof token_bytes);
		assert_true(read_log(turn ? "<6>unlocked by=token" : "<6>token seen"));
		assert_true(status_has("\"locked\":false"));
		assert_full(one.pid);
		forget_log();
		assert_int_equal(unlink(token), 0);
		assert_true(read_log("<6>locked"));
		assert_non_null(strstr(one.seen, "<5>token gone"));
		assert_clean(one.pid);
		assert_true(status_has("\"locked\":true"));
	}
	/* locked by hand while it is looked after: it stays locked, though the token is there */
	unlock();
	put_token(token_bytes, sizeof token_bytes);
	assert_true(read_log("<6>token seen"));
	forget_log();
	ask("lock", "ok");
	assert_true(read_log("<6>locked"));
	usleep(3 * VD_TOKEN_LOOK_MS * 1000);
	assert_true(status_has("\"locked\":true"));
	assert_int_equal(stop(), 0);
}

static void test_token__not_there_at_start(void **state)
{
	(void)state;
	make_store(true);
	start("--token", token, "<6>locked");
	put_token(token_bytes, sizeof token_bytes);
	assert_true(read_log("<6>unlocked by=token"));
	assert_full(one.pid);
	assert_int_equal(stop(), 0);
}

static void test_token__a_folder_or_a_pipe_is_none(void **state)
{
	struct vd_token_mark mark;
	struct vd_buf bytes = {0};
	uint8_t many[VD_VAULT_TOKEN_MAX + 1] = {0};

	(void)state;
	assert_int_equal(vd_token_read(token, &bytes, &mark), VD_ENOTFOUND);
	assert_int_equal(vd_token_read(top, &bytes, &mark), VD_EFORMAT);
	assert_int_equal(mkfifo(token, 0600), 0);
	assert_int_equal(vd_token_read(token, &bytes, &mark), VD_EFORMAT);
	unlink(token);
	for (size_t n = VD_VAULT_TOKEN_MIN - 1; n <= VD_VAULT_TOKEN_MIN; n++) {
		put_token(many, n);
		assert_int_equal(vd_token_read(token, &bytes, &mark), n < VD_VAULT_TOKEN_MIN ? VD_EFORMAT : 0);
	}
	for (size_t n = VD_VAULT_TOKEN_MAX; n <= VD_VAULT_TOKEN_MAX + 1; n++) {
		put_token(many, n);
		assert_int_equal(vd_token_read(token, &bytes, &mark), n > VD_VAULT_TOKEN_MAX ? VD_EFORMAT : 0);
	}
	vd_buf_wipe(&bytes);
}

/* --- wipe --- */

static size_t files_left(void)
{
	char command[256], count[16] = "";
	FILE *pipe;

	snprintf(command, sizeof command, "find %s -type f ! -name ctl.lock | wc -l", home);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	assert_non_null(fgets(count, sizeof count, pipe));
	pclose(pipe);
	return strtoul(count, NULL, 10);
}

/* Stopped when its work is done, and before it is gone: what does it hold? */
static void assert_wiped_memory(void)
{
	int status;

	assert_int_equal(waitpid(one.pid, &status, WUNTRACED), one.pid);
	assert_true(WIFSTOPPED(status));
	assert_clean(one.pid);
	kill(one.pid, SIGCONT);
}

static void test_wipe__by_signal_leaves_no_key(void **state)
{
	struct vd_store *store;

	(void)state;
	if (vd_child_watched())
		skip();
	make_store(true);
	setenv("VD_TEST_STOPS", "1", 1);
	start(NULL, NULL, "<6>locked");
	unlock();
	assert_full(one.pid);
	kill(one.pid, SIGUSR2);
	assert_wiped_memory();
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
	assert_int_equal(vd_store_open_with(home, secret(), &store), VD_ENOSTORE);
}

static void test_wipe__by_command_answers_when_the_slots_are_gone(void **state)
{
	char vault[200];

	(void)state;
	make_store(true);
	snprintf(vault, sizeof vault, "%s/vault", home);
	start(NULL, NULL, "<6>locked");
	unlock();
	ask("wipe", "ok");
	assert_int_not_equal(access(vault, F_OK), 0);
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
}

static void test_wipe__a_locked_one(void **state)
{
	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	ask("wipe", "ok");
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
	make_store(true);
	start(NULL, NULL, "<6>locked");
	for (int i = 0; i < 5; i++)
		kill(one.pid, SIGUSR2);
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
}

static void test_wipe__a_readable_one(void **state)
{
	(void)state;
	make_store(false);
	start(NULL, NULL, "<6>ready");
	ask("wipe", "ok");
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
}

/* After the old slots were replaced: the file at hand is not the one of that name. */
static void test_wipe__slots_changed_meanwhile(void **state)
{
	static const uint8_t other[40] = "another forty bytes on another USB stick";
	const struct vd_secret second = {.token = {other, sizeof other}}, lent = {.key = vault_key};
	struct vd_vault *vault;

	(void)state;
	make_store(true);
	start(NULL, NULL, "<6>locked");
	unlock();
	assert_int_equal(vd_vault_open_home(home, &lent, &vault), 0);
	assert_int_equal(vd_vault_slot_add(home, vault, &second, NULL, NULL), 0);
	vd_vault_free(vault);
	kill(one.pid, SIGUSR2);
	assert_int_equal(ended(), 0);
	assert_int_equal(files_left(), 0);
}

/* --- where the machine ends the attempt --- */

static void test_wipe__killed_at_any_moment(void **state)
{
	(void)state;
	for (unsigned moment = 0; moment < 16; moment++) {
		struct vd_store *store;

		make_store(true);
		start(NULL, NULL, "<6>locked");
		unlock();
		kill(one.pid, SIGUSR2);
		usleep(moment * 400);
		kill(one.pid, SIGKILL);
		ended();
		int rc = vd_store_open_with(home, secret(), &store);
		/* whole, or none that a secret opens; and never readable */
		if (!rc)
			vd_store_close(store);
		assert_true(!rc || rc == VD_ENOSTORE || rc == VD_EDAMAGED || rc == VD_EKEY);
		if (rc)
			assert_int_not_equal(vd_store_open(home, &store), 0);
		teardown(NULL);
		setup(NULL);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_locked__starts_without_a_key_and_tells_nothing),
		TEST(test_locked__unlocks_lends_and_forgets_all),
		TEST(test_locked__listens_where_it_did),
		TEST(test_locked__no_other_daemon_comes_between),
		TEST(test_locked__a_signal_locks_at_once),
		TEST(test_locked__a_readable_store_has_nothing_to_lock),
		TEST(test_locked__killed_at_any_moment),
		TEST(test_token__opens_and_its_absence_locks),
		TEST(test_token__a_busy_daemon_is_locked_all_the_same),
		TEST(test_token__that_opens_nothing_is_said_once),
		TEST(test_token__does_not_undo_what_somebody_locked),
		TEST(test_token__seen_later_locks_when_it_goes),
		TEST(test_token__not_there_at_start),
		TEST(test_token__a_folder_or_a_pipe_is_none),
		TEST(test_wipe__by_signal_leaves_no_key),
		TEST(test_wipe__by_command_answers_when_the_slots_are_gone),
		TEST(test_wipe__a_locked_one),
		TEST(test_wipe__a_readable_one),
		TEST(test_wipe__slots_changed_meanwhile),
		TEST(test_wipe__killed_at_any_moment),
	};

	if (sodium_init() < 0 || vd_sign_selftest())
		return 1;
	if (argc > 1)
		return run_daemon(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
