#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"

static volatile sig_atomic_t graceful_now, pending, worded;
static pthread_t main_thread;
static pid_t main_process;
static struct vd_buf last_word; /* unchanged while `worded` */

/* Children have a copy of it, and the same key pressed on a terminal reaches them as well. */
static void say_last_word(void)
{
	ssize_t ignored;

	if (!worded || getpid() != main_process)
		return;
	ignored = write(STDERR_FILENO, last_word.p, last_word.n);
	(void)ignored;
}

static void on_signal(int number)
{
	(void)number;
	if (!graceful_now || pending) {
		say_last_word();
		_exit(VD_EXIT_INTERRUPTED);
	}
	pending = 1;
}

static void on_look(int number)
{
	(void)number;
}

void vd_interrupt_init(void)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;

	main_thread = pthread_self();
	main_process = getpid();
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal; /* no SA_RESTART: sleeping and polling must end */
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct sigaction old;

		/* nohup and shells without job control hand down "ignore": keep it, except for the one that CLI.md promises. */
		if (numbers[i] == SIGHUP && sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler == SIG_IGN)
			continue;
		sigaction(numbers[i], &action, NULL);
	}
	action.sa_handler = on_look;
	sigaction(SIGURG, &action, NULL);
	action.sa_handler = SIG_IGN; /* a closed pipe is a failed write, which is looked at */
	sigaction(SIGPIPE, &action, NULL);
}

void vd_interrupt_softly(void)
{
	pending = 1;
	pthread_kill(main_thread, SIGURG); /* what waits in a system call is to look */
}

void vd_interrupt_graceful(bool graceful)
{
	graceful_now = graceful;
}

bool vd_interrupted(void)
{
	return pending;
}

void vd_interrupt_word(struct vd_cli *cli, enum vd_msg hint, enum vd_msg what)
{
	worded = 0;
	vd_buf_deinit(&last_word);
	last_word = (struct vd_buf){ 0 };
	if (!what)
		return;
	/* Over the line of progress that may stand there. */
	if (!cli->opt.json && isatty(STDERR_FILENO))
		vd_buf_put_slice(&last_word, vd_slice_str("\r\033[K"));
	vd_fail_line(cli, "interrupted", what, hint, &last_word);
	worded = !last_word.failed;
}
