#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static volatile sig_atomic_t graceful_now, pending;
static pthread_t main_thread;

static void on_signal(int number)
{
	(void)number;
	if (!graceful_now || pending)
		_exit(VD_EXIT_INTERRUPTED);
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
