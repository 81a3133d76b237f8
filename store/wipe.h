/* Wipe: makes a store unreadable, keys first. What a flash medium keeps of overwritten bytes nobody can promise. */
#ifndef VD_WIPE_H
#define VD_WIPE_H

#include <stdbool.h>
#include <stddef.h>

/* What must be at hand to wipe in a moment, from a signal handler: the vault file open, and the folder that holds the store's files. All fields are
 * vd_wipe_prepare's. */
struct vd_wipe {
	int vault_fd, home_fd;   /* -1: none */
};
/* VD_ENOSTORE, VD_EIO. A home that cannot be written to is no error here. */
int vd_wipe_prepare(const char *home, struct vd_wipe *);
void vd_wipe_release(struct vd_wipe *);
/* Overwrites every key slot in place and syncs it, then unlinks the slots' file, the database and all else in the home that is ours. Async-signal-safe, needs no
 * space, repeats what an interrupted one left. True: no slot stands any more. What is readable without a slot stays for vd_wipe_rest: a store that was
 * never sealed, and what sealing one left; unlinked, it could not be overwritten. */
bool vd_wipe_keys(const struct vd_wipe *);
/* After the keys: overwrites what is left of ours with zeros, syncs and unlinks it. Async-signal-safe too, but takes the medium's time. False: something of it
 * stands; what could not be overwritten is unlinked at least. */
bool vd_wipe_rest(const struct vd_wipe *);
/* The same for who has no signal to handle. VD_ENOSTORE: no such folder; VD_EIO: something stands. */
int vd_wipe_files(const char *home);

#endif
