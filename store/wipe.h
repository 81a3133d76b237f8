/* Wipe: makes a store unreadable, keys first. What a flash medium keeps of overwritten bytes nobody can promise. */
#ifndef VD_WIPE_H
#define VD_WIPE_H

#include <stdbool.h>
#include <stddef.h>

/* What must be at hand to wipe in a moment, from a signal handler: the vault file open, and the names of the store's files. All fields are
 * vd_wipe_prepare's. */
struct vd_wipe {
	int vault_fd, home_fd;   /* -1: none */
};
/* VD_ENOSTORE, VD_EIO. */
int vd_wipe_prepare(const char *home, struct vd_wipe *);
void vd_wipe_release(struct vd_wipe *);
/* Overwrites every key slot in place and syncs it, then unlinks the slots' file, the database and all else in the home that is ours. Async-signal-safe, needs no
 * space, repeats what an interrupted one left. True: no slot stands any more. */
bool vd_wipe_keys(const struct vd_wipe *);
/* After the keys: overwrites what is left of a readable store's files with zeros before unlinking, as far as the medium lets us; not from a handler. */
int vd_wipe_files(const char *home);

#endif
