/* Wipe: makes a store unreadable, keys first. What a flash medium keeps of overwritten bytes nobody can promise. */
#ifndef VD_WIPE_H
#define VD_WIPE_H

#include <stdbool.h>
#include <stddef.h>

/* What must be at hand to wipe in a moment, from a signal handler: the vault file open, and the folder that holds the store's files. All fields are
 * vd_wipe_prepare's. */
struct vd_wipe {
	int vault_fd, home_fd;   /* -1: none */
	bool sealed;             /* so that without its slots nobody reads its database */
};
/* VD_ENOSTORE: no such folder, or nothing in it has the shape of a store (names.h), nor of what an interrupted wipe left; *w holds nothing
 * then. VD_EIO. A home that cannot be written to is no error here. */
int vd_wipe_prepare(const char *home, struct vd_wipe *);
void vd_wipe_release(struct vd_wipe *);
/* Overwrites every key slot in place and syncs it, then unlinks the slots' file. Async-signal-safe, needs no space, repeats what an interrupted one left. A link in
 * the place of the slots' file is followed. True: no slot stands any more. */
bool vd_wipe_keys(const struct vd_wipe *);
/* After the keys: all else in the home that is the store's, and nothing besides. What is readable without a slot is overwritten with zeros and synced; a sealed
 * database loses its first pages and its length, also for who still has it open: mapped pages of it are gone (SIGBUS). Then all is unlinked, what a store is known by
 * last. Async-signal-safe too, but takes the medium's time. False: something of it stands; what could not be overwritten is unlinked at least. */
bool vd_wipe_rest(const struct vd_wipe *);
/* Prepares and does the rest, for who has no signal to handle. VD_ENOSTORE as above; VD_EIO: something stands. */
int vd_wipe_files(const char *home);

#endif
