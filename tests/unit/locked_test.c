/* The daemon of a sealed store, as a process of its own: locked, unlocked, locked again, wiped; and what its memory holds meanwhile. */
#include "tests/unit/locked_cast.h"

static char address[64];

static void note_address(void)
{
	const char *at = strstr(one.seen, "<6>listening addr=");

	assert_non_null(at);
	assert_int_equal(sscanf(at, "<6>listening addr=%63s", address), 1);
}

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
	};

	if (sodium_init() < 0 || vd_sign_selftest())
		return 1;
	if (argc > 1)
		return run_daemon(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
