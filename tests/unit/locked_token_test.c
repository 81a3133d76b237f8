/* A token at a running daemon: the store opens with it, and is locked when it goes. */
#include "tests/unit/locked_cast.h"

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(test_token__opens_and_its_absence_locks),
		TEST(test_token__a_busy_daemon_is_locked_all_the_same),
		TEST(test_token__that_opens_nothing_is_said_once),
		TEST(test_token__does_not_undo_what_somebody_locked),
		TEST(test_token__seen_later_locks_when_it_goes),
		TEST(test_token__not_there_at_start),
		TEST(test_token__a_folder_or_a_pipe_is_none),
	};

	if (sodium_init() < 0 || vd_sign_selftest())
		return 1;
	if (argc > 1)
		return run_daemon(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
