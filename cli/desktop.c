#include "desktop.h"

#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fail.h"

enum { LOOK_MS = 20, LOOKS_MAX = 150 };

static void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* All of it is the summary: in the body some desktops obey markup. */
static void notify(const char *text)
{
	extern char **environ;
	char *const argv[] = { (char *)(uintptr_t)"notify-send", (char *)(uintptr_t)"--app-name=vereda", (char *)(uintptr_t)"--",
		               (char *)(uintptr_t)text, NULL };
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ))
		return;
	for (int i = 0; i < LOOKS_MAX; i++) {
		if (waitpid(pid, NULL, WNOHANG))
			return;
		sleep_ms(LOOK_MS);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

void vd_desktop_say(struct vd_cli *cli, enum vd_msg msg, ...)
{
	const char *args[VD_PLACES + 1], *bus = getenv("DBUS_SESSION_BUS_ADDRESS");
	struct vd_buf text = { 0 };
	va_list list;

	va_start(list, msg);
	vd_places(list, args);
	va_end(list);
	if (!bus || !*bus)
		return;
	vd_text_format(cli->lang, msg, args, true, &text);
	vd_buf_put_u8(&text, '\0');
	if (!text.failed)
		notify((const char *)text.p);
	vd_buf_deinit(&text);
}
