/* Control socket, the daemon's half: home/ctl, and home/ctl.lock, which the daemon of a store holds as long as it lives.
 * One line in (at most VD_CTL_LINE), one line out. Only processes of the same user are answered; a client that sends no line
 * in time, sends too long a one or does not read its answer is dropped. */
#ifndef VD_CTL_SERVER_H
#define VD_CTL_SERVER_H

#include <sys/un.h>
#include <uv.h>

#include "ctl.h"
#include "store/vault.h"

enum {
	VD_CTL_LINE = 192,              /* bytes, newline included: the longest command carries a key in hex */
	VD_CTL_CLIENTS_MAX = 16,        /* one more displaces the oldest */
	VD_CTL_IDLE_MS = 10000,
	VD_CTL_ANSWER_MAX = 1024 * 1024,
};

/* The socket's address, however long the name of the folder: it goes by way of the open folder when it does not fit. */
struct vd_ctl_place {
	struct sockaddr_un address;
	int folder;
};
/* VD_ENOTFOUND: no such folder. */
int vd_ctl_place_open(const char *home, struct vd_ctl_place *);
void vd_ctl_place_close(struct vd_ctl_place *);

enum vd_ctl_command { VD_CTL_UNKNOWN, VD_CTL_POKE, VD_CTL_STATUS, VD_CTL_SYNC, VD_CTL_KEY, VD_CTL_LOCK, VD_CTL_UNLOCK, VD_CTL_WIPE };

/* Collects one line from pieces. */
struct vd_ctl_line {
	char text[VD_CTL_LINE];
	size_t n;
};
/* Takes bytes up to and including the first newline: 0 and *command when the line is whole (more bytes are ignored),
 * VD_EAGAIN when it is not yet, VD_ECAP when it is too long. */
int vd_ctl_line_feed(struct vd_ctl_line *, struct vd_slice, enum vd_ctl_command *command);

/* The key that an unlock line carries; false: it is none. */
bool vd_ctl_line_key(const struct vd_ctl_line *, uint8_t key[VD_VAULT_KEY_BYTES]);

struct vd_ctl;
/* What a client asks. The line is wiped when the answer is given. */
struct vd_ctl_asked {
	enum vd_ctl_command command;
	const struct vd_ctl_line *line;
	int client;                     /* its socket, for who answers it without ever returning */
};
/* Appends the answer, without its newline. False: it is answered later, by the process that this one becomes (vd_ctl_pass). */
typedef bool vd_ctl_answer(void *ctx, const struct vd_ctl_asked *, struct vd_buf *answer);

/* What goes from a process to the one that it becomes by exec: so no other daemon can come between, and whoever connects meanwhile waits. */
struct vd_ctl_passed {
	int lock, listener;             /* -1: nothing was passed */
	int waiting[VD_CTL_CLIENTS_MAX];/* whose answer is still to come */
	size_t waiting_count;
};

/* Takes the lock and listens. VD_EBUSY: another daemon has this store. VD_ENOMEM, VD_EIO. With `passed` (may be NULL) it goes on where that
 * stopped, takes its descriptors whatever becomes of it, and says "ok" to those that wait. */
int vd_ctl_open(uv_loop_t *, const char *home, vd_ctl_answer *, void *ctx, struct vd_ctl_passed *passed, struct vd_ctl **out);
/* Descriptors of their own for who comes after. VD_EIO. */
int vd_ctl_pass(const struct vd_ctl *, struct vd_ctl_passed *);
/* Shows, or no longer shows, those who borrowed the key that it is still theirs (vd_ctl_lends). Only one process does at a time. */
int vd_ctl_lend(struct vd_ctl *, bool);
/* From now on vd_ctl_close leaves the socket's name where it is: it goes on by what was passed. */
void vd_ctl_stays(struct vd_ctl *);
/* Removes the socket, drops clients. The lock is held until vd_ctl_free, for which the loop must run once more. */
void vd_ctl_close(struct vd_ctl *);
void vd_ctl_free(struct vd_ctl *); /* NULL is fine */

#endif
