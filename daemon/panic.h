/* What veredad does at once, whatever it is busy with: from a signal handler, on a stack of its own, touching neither heap nor lock.
 *
 *   SIGUSR2  wipes: the vault key in memory, the key slots on the disk (both within 100 ms, as far as the medium lets us), then the files, then all of the process's
 *            memory, and ends. For a panic button, `vereda wipe`, and whoever can send a signal.
 *   SIGUSR1  locks: overwrites the process's memory and executes itself anew, without keys. Of a readable store there is nothing to lock: it is ignored.
 *
 * Overwriting memory: all that is private, writable and there (the heaps, the stacks of all threads, what is in locked pages), but for the area that
 * does the work. So no copy of a key, a name or a text that somebody forgot to wipe is left, neither in the process, for a moment that may be the last, nor in
 * pages that the kernel hands out or not. What it cannot reach: commands that run with a key that was lent (they end by themselves), registers of other threads, what the kernel buffers (sockets, pipes, pages of files, which hold
 * sealed bytes only), and what had reached the swap. Where /proc is not to be had, or something watches us (a sanitizer, valgrind), the memory goes back to the kernel
 * as it is, and the kernel clears it before anyone else sees it. */
#ifndef VD_PANIC_H
#define VD_PANIC_H

#include "ctl_server.h"
#include "conf.h"

/* What goes to the process that comes after, besides its arguments and environment. */
struct vd_passed {
	struct vd_ctl_passed ctl;
	struct sockaddr_storage bound[VD_CONF_LISTEN_MAX]; /* where it listened: ports that were free ones */
	size_t bound_count;
	bool stay_locked;              /* somebody asked for it: a token that is there does not unlock, one that comes does */
};

/* First of all in main, before walls and threads: takes what an earlier life of this process passed on, out of the environment. Borrows argv for good. SIGUSR1 and
 * SIGUSR2 wait from here until vd_panic_ready. */
void vd_panic_start(char **argv);
/* What that was; the caller has its descriptors from now on. The second time, nothing. */
void vd_panic_taken(struct vd_passed *);
/* Opens what wiping needs. Both signals are heeded from here on. VD_ENOSTORE, VD_ENOMEM, VD_EIO: they do what they always do. */
int vd_panic_ready(const char *home);
/* All other signals, once there are handlers for them: a process that started anew has held them back until here. */
void vd_panic_heed(void);
/* The vault whose key is to be forgotten first; NULL: none is open (any more). Borrowed. */
void vd_panic_vault(const struct vd_vault *);
/* What to pass on when it must be locked: copies and takes the descriptors. VD_ECAP. Until then, and after NULL, SIGUSR1 does nothing. */
int vd_panic_pass(const struct vd_passed *);
/* Locks now. Returns only when nothing was given to pass on. */
void vd_panic_lock(void);
/* The same in so many seconds, by SIGALRM, unless this process is another by then. */
void vd_panic_lock_within(unsigned seconds);
/* Wipes now, and tells that client. */
void vd_panic_wipe(int client) __attribute__((noreturn));

/* Tests: stops (SIGSTOP) when all is overwritten, before it ends. */
extern bool vd_panic_stops;

#endif
