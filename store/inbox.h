/* Inbox: what a locked device receives and passes on without reading it.
 *
 * Locked, there is no key in memory. So there are no sessions over a network, which begin with a link key; nothing is written, listed, exported or judged; and what the
 * device itself wrote stays in its sealed store. What can be done is to carry: segments of a stick (PROTOCOL.md section 7) are sealed files under
 * random names, and are copied as they are, from the stick into `home`/inbox and from there to the next stick that lacks them. Nobody looks at more than name
 * and size, so it may be noise, or another group's. Unlocked, all of it is judged as what stands on a stick is, and what was taken in goes.
 *
 * `inbox` holds <id>.bin: not looked at yet; <id>.old: looked at, and not for us, or not yet (it is passed on, and goes when there is no room for
 * what is new); <hash of id>.had, of no bytes: was taken in, and is not copied again; `kept`, u64, if a person set what is kept free of the disk
 * (shares.h), which stands in the sealed store besides: it is left free here, too. Who has the disk sees which segments wait here; of those that were
 * taken in only who has the stick, too, can tell. */
#ifndef VD_INBOX_H
#define VD_INBOX_H

#include <stdatomic.h>

#include "store.h"

enum {
	VD_INBOX_BYTES_MAX = 256 << 20, /* of all of it */
	VD_INBOX_FILES_MAX = 4096,      /* segments; and as many that were had */
	VD_INBOX_LOOK_MAX = 65536,      /* entries of a folder that are looked at */
};

struct vd_inbox_result {
	uint64_t received, sent;        /* segments copied from and to the stick */
	uint64_t bytes_in, bytes_out;
	uint64_t odd;                   /* on the stick, named like segments, of a size that none has: torn */
	uint64_t left;                  /* on the stick, and no room for them here; … */
	bool at_reserve;                /* … as some of them would take what is kept free of the disk: */
	uint64_t reserve_bytes;
	uint64_t unsent;                /* here, and no room for them on the stick */
	bool read_only;                 /* the stick takes no writes */
	bool safe_to_remove;            /* what was written is durable and was read back */
};
/* One visit to a stick while locked; the newest first. Each copy is whole or not there, on either side. VD_ENOTFOUND: no such folder; VD_ENOSTORE: no such
 * home; VD_ENOSPACE: some are left or unsent, all others were copied; VD_EINVAL: `cache` on the stick is no folder; VD_EBUSY: another one is at it; VD_EIO,
 * VD_ENOMEM. */
int vd_inbox_exchange(const char *home, const char *stick_dir, struct vd_inbox_result *);

/* So much of the disk is to be kept free while locked: what vd_shares_set sets. VD_ENOSPACE, VD_EIO: it is as before. */
int vd_inbox_keep_free(const char *home, uint64_t bytes);

struct vd_inbox_taken {
	uint64_t files, kept;           /* looked at to the end and removed; kept: not for us, or what they build on is missing */
	uint64_t received;              /* records: new here, or with their body at last */
};
/* Merges what is in the inbox and removes each file when what it held is durable. `stop` (may be NULL): ends early when it becomes true, losing nothing. VD_ENOSPACE, VD_EIO:
 * the others wait. VD_EBUSY as above. Without an inbox: 0, at once. */
int vd_inbox_take_in(struct vd_store *, const atomic_bool *stop, struct vd_inbox_taken *);

#endif
