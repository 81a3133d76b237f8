/* A person at a terminal. */
#include <errno.h>
#include <termios.h>
#include <unistd.h>

#include "admin.h"

bool vd_can_ask(const struct vd_cli *cli)
{
	return !cli->opt.no_input && !cli->opt.json && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static bool read_line(char *room, size_t cap)
{
	size_t n = 0;
	ssize_t got;
	char c;

	for (;;) {
		got = read(STDIN_FILENO, &c, 1);
		if (got < 0 && errno == EINTR && !vd_interrupted())
			continue;
		if (got <= 0)
			return false;
		if (c == '\n')
			break;
		if (n + 1 >= cap)
			return false;
		room[n++] = c;
	}
	if (n && room[n - 1] == '\r')
		n--;
	room[n] = '\0';
	return true;
}

bool vd_ask(struct vd_cli *cli, bool hidden, char *room, size_t cap, enum vd_msg msg, const char *first, const char *second)
{
	struct termios before, quiet;
	bool ok, silenced = false;

	vd_say_flush(cli);
	vd_progress(cli, msg, first, second, NULL);
	/* Whatever ends it, the terminal must show again what is typed: a signal only ends the waiting. */
	if (hidden && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		vd_interrupt_graceful(true);
		silenced = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
	}
	ok = read_line(room, cap);
	if (silenced) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		vd_progress(cli, VD_MSG_NONE, NULL);
	}
	if (hidden)
		vd_interrupt_graceful(false);
	return ok && !vd_interrupted();
}
