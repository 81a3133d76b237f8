#include "lent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "store/vault.h"

enum { LOOK_MS = 250, ORDER_MS = 300 /* to end in good order */ };

enum { KEPT, LOCKED, WIPED };

static struct {
	struct vd_cli *cli;
	const struct vd_vault *vault;
	int folder, lending;         /* -1: the key is our own */
	int stop[2];
	pthread_t thread;
	bool started;
	atomic_int how;
} watch = { .folder = -1, .lending = -1, .stop = { -1, -1 } };

static int look(void)
{
	if (faccessat(watch.folder, "vault", F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return WIPED;
	return watch.lending >= 0 && !vd_ctl_lends(watch.lending) ? LOCKED : KEPT;
}

static int say(struct vd_cli *cli)
{
	if (atomic_load(&watch.how) == WIPED)
		return vd_refuse(cli, VD_EXIT_NO_STORE, "no-store", VD_MSG_HINT_STORE_GONE, VD_MSG_STORE_GONE, cli->home, NULL);
	return vd_refuse(cli, VD_EXIT_KEY, "locked", VD_MSG_HINT_KEY_TAKEN, VD_MSG_KEY_TAKEN, NULL);
}

static bool stopped_within(int ms)
{
	struct pollfd stop = { .fd = watch.stop[0], .events = POLLIN };

	return poll(&stop, 1, ms) > 0;
}

static void *look_after(void *none)
{
	int how = KEPT;

	while (!how) {
		if (stopped_within(LOOK_MS))
			return none;
		how = look();
	}
	atomic_store(&watch.how, how);
	vd_vault_forget((struct vd_vault *)(uintptr_t)watch.vault);
	vd_interrupt_softly();
	if (!stopped_within(ORDER_MS))
		_exit(say(watch.cli));
	return none;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_all(void)
{
	close_one(&watch.folder);
	close_one(&watch.lending);
	close_one(&watch.stop[0]);
	close_one(&watch.stop[1]);
}

void vd_lent_watch(struct vd_cli *cli, bool lent)
{
	sigset_t all, before;

	if (watch.started || vd_store_readable(cli->store))
		return;
	watch.cli = cli;
	watch.vault = vd_store_vault(cli->store);
	watch.folder = open(cli->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	watch.lending = lent && watch.folder >= 0 ? openat(watch.folder, "ctl.lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (watch.folder < 0 || pipe2(watch.stop, O_CLOEXEC)) {
		close_all();
		return;
	}
	/* What interrupts is for the main thread, which waits for it. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	watch.started = !pthread_create(&watch.thread, NULL, look_after, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!watch.started)
		close_all();
}

void vd_lent_stop(void)
{
	if (!watch.started)
		return;
	close_one(&watch.stop[1]);
	pthread_join(watch.thread, NULL);
	watch.started = false;
	close_all();
}

bool vd_lent_over(void)
{
	return atomic_load(&watch.how) != KEPT;
}

int vd_lent_code(struct vd_cli *cli, int code)
{
	return vd_lent_over() && code ? say(cli) : code;
}
