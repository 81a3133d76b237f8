#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/ctl_server.h"
#include "proto/err.h"

/* --- a server in a thread of its own, as the daemon is a process of its own --- */

struct server {
	char home[512];
	uv_loop_t loop;
	uv_async_t stop;
	struct vd_ctl *ctl;
	pthread_t thread;
	size_t answer_bytes;
	bool lock_waits;
	struct vd_ctl_passed *passed; /* NULL: it ends */
};

static bool on_command(void *ctx, const struct vd_ctl_asked *asked, struct vd_buf *answer)
{
	static const char *const names[] = {"unknown", "poke", "status", "sync", "key", "lock", "unlock", "wipe"};
	const struct server *server = ctx;
	uint8_t key[VD_VAULT_KEY_BYTES];

	if (asked->command == VD_CTL_LOCK && server->lock_waits)
		return false;
	vd_buf_put_slice(answer, vd_slice_str(names[asked->command]));
	if (asked->command == VD_CTL_UNLOCK)
		vd_buf_put_slice(answer, vd_slice_str(vd_ctl_line_key(asked->line, key) && key[0] == 0x01 && key[63] == 0xef ? " it" : " none"));
	for (size_t i = 0; i < server->answer_bytes; i++)
		vd_buf_put_u8(answer, '.');
	return true;
}

static void on_stop(uv_async_t *stop)
{
	struct server *server = stop->data;

	if (server->passed) {
		assert_int_equal(vd_ctl_pass(server->ctl, server->passed), 0);
		vd_ctl_stays(server->ctl);
	}
	vd_ctl_close(server->ctl);
	uv_close((uv_handle_t *)stop, NULL);
}

static void *serve(void *arg)
{
	struct server *server = arg;

	uv_run(&server->loop, UV_RUN_DEFAULT);
	return NULL;
}

static struct server *start(const char *below)
{
	struct server *server = calloc(1, sizeof *server);
	char folder[] = "/tmp/ctl-test.XXXXXX";

	assert_non_null(server);
	assert_non_null(mkdtemp(folder));
	snprintf(server->home, sizeof server->home, "%s%s", folder, below);
	if (*below)
		assert_int_equal(mkdir(server->home, 0700), 0);
	uv_loop_init(&server->loop);
	uv_async_init(&server->loop, &server->stop, on_stop);
	server->stop.data = server;
	assert_int_equal(vd_ctl_open(&server->loop, server->home, on_command, server, NULL, &server->ctl), 0);
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
	return server;
}

static void stop(struct server *server)
{
	char path[600];

	uv_async_send(&server->stop);
	pthread_join(server->thread, NULL);
	vd_ctl_free(server->ctl);
	assert_int_equal(uv_loop_close(&server->loop), 0);
	snprintf(path, sizeof path, "%s/ctl", server->home);
	assert_int_not_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/ctl.lock", server->home);
	unlink(path);
	rmdir(server->home);
	if (strlen(server->home) > 30) {
		*strrchr(server->home, '/') = '\0';
		rmdir(server->home);
	}
	free(server);
}

static int dial(const struct server *server)
{
	struct vd_ctl_place place;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(vd_ctl_place_open(server->home, &place), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&place.address, sizeof place.address), 0);
	vd_ctl_place_close(&place);
	return fd;
}

static int dial_errno(const char *home)
{
	struct vd_ctl_place place;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), code;

	assert_int_equal(vd_ctl_place_open(home, &place), 0);
	code = connect(fd, (const struct sockaddr *)&place.address, sizeof place.address) ? errno : 0;
	vd_ctl_place_close(&place);
	close(fd);
	return code;
}

static void assert_answers(const struct server *server, const char *line, const char *wanted)
{
	struct vd_buf answer = {0};

	assert_int_equal(vd_ctl_request(server->home, line, &answer), 0);
	assert_int_equal(answer.n, strlen(wanted));
	assert_memory_equal(answer.p, wanted, answer.n);
	vd_buf_deinit(&answer);
}

static void test_ctl__a_line_in_a_line_out(void **state)
{
	struct server *server = start("");
	struct stat st;
	char path[600];

	(void)state;
	snprintf(path, sizeof path, "%s/ctl", server->home);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_answers(server, "poke", "poke");
	assert_answers(server, "status", "status");
	assert_answers(server, "sync", "sync");
	assert_answers(server, "", "unknown");
	assert_answers(server, "pok", "unknown");
	assert_answers(server, "poker", "unknown");
	assert_answers(server, "POKE", "unknown");
	assert_answers(server, "key", "key");
	assert_answers(server, "lock", "lock");
	assert_answers(server, "wipe", "wipe");
	assert_answers(server, "unlock", "unknown");
	stop(server);
}

static void test_ctl__a_key_is_128_hex_digits(void **state)
{
	struct server *server = start("");
	char line[200] = "unlock ";

	(void)state;
	assert_answers(server, line, "unlock none");
	for (size_t i = 0; i < 64; i++)
		strcat(line, i == 0 ? "01" : i == 63 ? "eF" : "7a");
	assert_answers(server, line, "unlock it");
	strcat(line, "0");
	assert_answers(server, line, "unlock none");
	line[7 + 127] = '\0';
	assert_answers(server, line, "unlock none");
	strcat(line, "g");
	assert_answers(server, line, "unlock none");
	line[7 + 127] = 'f';
	line[30] = ' ';
	assert_answers(server, line, "unlock none");
	line[30] = ':';
	assert_answers(server, line, "unlock none");
	stop(server);
}

/* As a process does that becomes another: the second has the lock and the socket before the first is gone, and answers whom that kept waiting. */
static void test_ctl__passes_on_without_a_gap(void **state)
{
	struct server *server = start(""), second = {0};
	struct vd_ctl_passed passed;
	struct vd_ctl *third;
	char home[sizeof server->home], answer[8] = {0};
	int asking, early;

	(void)state;
	snprintf(home, sizeof home, "%s", server->home);
	snprintf(second.home, sizeof second.home, "%s", home);
	server->lock_waits = true;
	asking = dial(server);
	assert_int_equal(send(asking, "lock\n", 5, MSG_NOSIGNAL), 5);
	assert_answers(server, "poke", "poke"); /* by then it has read the line before */
	server->passed = &passed;
	uv_async_send(&server->stop);
	pthread_join(server->thread, NULL);
	early = dial(&second); /* nobody accepts it yet, and it is not refused */
	assert_int_equal(send(early, "poke\n", 5, MSG_NOSIGNAL), 5);
	vd_ctl_free(server->ctl);
	assert_int_equal(uv_loop_close(&server->loop), 0);
	uv_loop_init(&second.loop);
	assert_int_equal(vd_ctl_open(&second.loop, home, on_command, &second, NULL, &third), VD_EBUSY);
	assert_int_equal(vd_ctl_open(&second.loop, home, on_command, &second, &passed, &second.ctl), 0);
	assert_int_equal(passed.lock, -1);
	assert_int_equal(recv(asking, answer, sizeof answer, MSG_WAITALL), 3);
	assert_string_equal(answer, "ok\n");
	uv_async_init(&second.loop, &second.stop, on_stop);
	second.stop.data = &second;
	assert_int_equal(pthread_create(&second.thread, NULL, serve, &second), 0);
	memset(answer, 0, sizeof answer);
	assert_int_equal(recv(early, answer, sizeof answer, MSG_WAITALL), 5);
	assert_string_equal(answer, "poke\n");
	close(asking);
	close(early);
	uv_async_send(&second.stop);
	pthread_join(second.thread, NULL);
	vd_ctl_free(second.ctl);
	assert_int_equal(uv_loop_close(&second.loop), 0);
	assert_int_equal(dial_errno(home), ENOENT);
	free(server);
	strcat(home, "/ctl.lock");
	unlink(home);
	*strrchr(home, '/') = '\0';
	rmdir(home);
}

/* What says it is the lock and is not does not count. */
static void test_ctl__a_false_lock_is_none(void **state)
{
	struct server *server = start("");
	struct vd_ctl_passed passed = {.lock = -1, .listener = -1};
	struct vd_ctl *second;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	passed.lock = dup(STDERR_FILENO);
	passed.listener = dup(STDERR_FILENO);
	assert_int_equal(vd_ctl_open(&loop, server->home, on_command, server, &passed, &second), VD_EBUSY);
	assert_int_equal(passed.listener, -1);
	assert_int_equal(uv_loop_close(&loop), 0);
	stop(server);
}

static void test_ctl__a_long_folder_name_is_no_obstacle(void **state)
{
	char below[140];

	(void)state;
	memset(below, 'x', sizeof below);
	below[0] = '/';
	below[sizeof below - 1] = '\0';
	struct server *server = start(below);
	assert_answers(server, "poke", "poke");
	stop(server);
}

static void test_ctl__a_long_answer_arrives_whole(void **state)
{
	struct server *server = start("");
	struct vd_buf answer = {0};

	(void)state;
	server->answer_bytes = 500000;
	assert_int_equal(vd_ctl_request(server->home, "status", &answer), 0);
	assert_int_equal(answer.n, 500000 + strlen("status"));
	vd_buf_deinit(&answer);
	stop(server);
}

/* Nobody waits for a daemon that was stopped; who it is, the kernel says. */
static void test_ctl__a_stopped_daemon_is_noticed(void **state)
{
	struct server *server = start("");
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct vd_buf answer = {0};
	char path[600];
	int status;
	pid_t found, pid = fork();

	(void)state;
	snprintf(path, sizeof path, "%s/stops", server->home);
	snprintf(at.sun_path, sizeof at.sun_path, "%.90s/ctl", path);
	if (!pid) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		if (mkdir(path, 0700) || bind(fd, (const struct sockaddr *)&at, sizeof at) || listen(fd, 1))
			_exit(1);
		raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(vd_ctl_process(pid), VD_CTL_STOPPED);
	assert_int_equal(vd_ctl_request_within(path, "lock", 60000, &answer, &found), VD_EAGAIN); /* not after a minute */
	assert_int_equal(found, pid);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	assert_int_equal(vd_ctl_process(pid), VD_CTL_ENDED);
	unlink(at.sun_path);
	rmdir(path);
	vd_buf_deinit(&answer);
	stop(server);
}

static void test_ctl__lending_is_seen_from_outside(void **state)
{
	struct server *server = start("");
	char path[600];
	uv_loop_t loop;
	struct vd_ctl *ctl;
	int fd;

	(void)state;
	snprintf(path, sizeof path, "%s/lends", server->home);
	assert_int_equal(mkdir(path, 0700), 0);
	uv_loop_init(&loop);
	assert_int_equal(vd_ctl_open(&loop, path, on_command, server, NULL, &ctl), 0);
	strcat(path, "/ctl.lock");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_false(vd_ctl_lends(fd));
	assert_int_equal(vd_ctl_lend(ctl, true), 0);
	assert_true(vd_ctl_lends(fd));
	assert_int_equal(vd_ctl_lend(ctl, false), 0);
	assert_false(vd_ctl_lends(fd));
	assert_int_equal(vd_ctl_lend(ctl, true), 0);
	vd_ctl_close(ctl); /* however it goes */
	assert_false(vd_ctl_lends(fd));
	uv_run(&loop, UV_RUN_DEFAULT);
	vd_ctl_free(ctl);
	uv_loop_close(&loop);
	close(fd);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	stop(server);
}

static void test_ctl__no_daemon_is_said_so(void **state)
{
	struct server *server = start("");
	struct vd_buf answer = {0};
	char path[600];

	(void)state;
	assert_int_equal(vd_ctl_request("/nonexistent", "poke", &answer), VD_ENOTFOUND);
	assert_int_equal(vd_ctl_request("/tmp", "poke", &answer), VD_ENOTFOUND);
	/* a daemon that was killed leaves its socket behind; the next one takes its place */
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(path, sizeof path, "%s/left", server->home);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%.90s/ctl", path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	close(fd);
	assert_int_equal(vd_ctl_request(path, "poke", &answer), VD_ENOTFOUND);
	uv_loop_t loop;
	struct vd_ctl *ctl;
	uv_loop_init(&loop);
	assert_int_equal(vd_ctl_open(&loop, path, on_command, server, NULL, &ctl), 0);
	vd_ctl_close(ctl);
	uv_run(&loop, UV_RUN_DEFAULT);
	vd_ctl_free(ctl);
	uv_loop_close(&loop);
	strcat(path, "/ctl.lock");
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	stop(server);
	vd_buf_deinit(&answer);
}

static void test_ctl__one_daemon_a_store(void **state)
{
	struct server *server = start("");
	struct vd_ctl *second;
	uv_loop_t loop;

	(void)state;
	uv_loop_init(&loop);
	assert_int_equal(vd_ctl_open(&loop, server->home, on_command, server, NULL, &second), VD_EBUSY);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_answers(server, "poke", "poke"); /* the first one's socket is untouched */
	stop(server);
}

static void test_ctl__pieces_make_a_line(void **state)
{
	static const char line[] = "status\n";
	struct server *server = start("");
	int fd = dial(server);
	char answer[16] = {0};

	(void)state;
	for (size_t i = 0; i < strlen(line); i++) {
		assert_int_equal(write(fd, line + i, 1), 1);
		usleep(1000);
	}
	assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), 7);
	assert_string_equal(answer, "status\n");
	close(fd);
	stop(server);
}

static void test_ctl__rude_clients_harm_only_themselves(void **state)
{
	struct server *server = start("");
	int idle[2 * VD_CTL_CLIENTS_MAX], fd;
	char noise[4096], byte;

	(void)state;
	server->answer_bytes = 900000; /* more than a socket holds */
	for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
		idle[i] = dial(server);
	/* too long a line: dropped without a word */
	fd = dial(server);
	memset(noise, 'x', sizeof noise);
	assert_true(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
	/* gone before its answer; not reading its answer */
	fd = dial(server);
	assert_int_equal(send(fd, "status\n", 7, MSG_NOSIGNAL), 7);
	close(fd);
	fd = dial(server);
	assert_int_equal(send(fd, "status\n", 7, MSG_NOSIGNAL), 7);
	struct vd_buf answer = {0};
	assert_int_equal(vd_ctl_request(server->home, "poke", &answer), 0);
	vd_buf_deinit(&answer);
	close(fd);
	for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
		close(idle[i]);
	stop(server);
}

static void test_ctl__line_is_bounded(void **state)
{
	enum vd_ctl_command command;
	char text[VD_CTL_LINE + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	for (size_t n = VD_CTL_LINE - 2; n <= VD_CTL_LINE; n++) {
		struct vd_ctl_line line = {.n = 0};

		text[n] = '\n';
		assert_int_equal(vd_ctl_line_feed(&line, vd_slice(text, n), &command), n < VD_CTL_LINE ? VD_EAGAIN : VD_ECAP);
		if (n < VD_CTL_LINE)
			assert_int_equal(vd_ctl_line_feed(&line, vd_slice("\n", 1), &command), 0);
		text[n] = 'x';
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ctl__a_line_in_a_line_out),
		cmocka_unit_test(test_ctl__a_key_is_128_hex_digits),
		cmocka_unit_test(test_ctl__passes_on_without_a_gap),
		cmocka_unit_test(test_ctl__a_false_lock_is_none),
		cmocka_unit_test(test_ctl__a_long_folder_name_is_no_obstacle),
		cmocka_unit_test(test_ctl__a_long_answer_arrives_whole),
		cmocka_unit_test(test_ctl__a_stopped_daemon_is_noticed),
		cmocka_unit_test(test_ctl__lending_is_seen_from_outside),
		cmocka_unit_test(test_ctl__no_daemon_is_said_so),
		cmocka_unit_test(test_ctl__one_daemon_a_store),
		cmocka_unit_test(test_ctl__pieces_make_a_line),
		cmocka_unit_test(test_ctl__rude_clients_harm_only_themselves),
		cmocka_unit_test(test_ctl__line_is_bounded),
	};

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
