/* Wiping the store of a running daemon: no key slot is left, whoever asked for it and whatever happens meanwhile. */
#include "tests/unit/locked_cast.h"

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

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
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
