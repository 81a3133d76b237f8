#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

/* As a service manager listens; `path` may start with '@'. */
static int manager(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(at.sun_path, path, strlen(path));
	if (*path == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path))), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void assert_told(int fd, const char *state)
{
	char text[64] = {0};

	assert_int_equal(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), strlen(state));
	assert_string_equal(text, state);
}

static void test_notify__tells_the_manager(void **state)
{
	char folder[] = "/tmp/notify-test.XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/socket", folder);
	int fd = manager(path);
	vd_notify("READY=1");
	assert_told(fd, "READY=1");
	close(fd);
	unlink(path);
	rmdir(folder);
	snprintf(path, sizeof path, "@vereda-notify-test-%d", (int)getpid());
	fd = manager(path);
	vd_notify("STOPPING=1");
	assert_told(fd, "STOPPING=1");
	close(fd);
}

static void test_notify__no_manager_is_no_error(void **state)
{
	char path[200];

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	vd_notify("READY=1");
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	const char *const useless[] = {"", "relative", "/nonexistent/socket", path};
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
		setenv("NOTIFY_SOCKET", useless[i], 1);
		vd_notify("READY=1");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notify__tells_the_manager),
		cmocka_unit_test(test_notify__no_manager_is_no_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
