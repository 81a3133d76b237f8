/* Building a store anew from what can still be read of a broken database file. */
#ifndef VD_SALVAGE_H
#define VD_SALVAGE_H

#include "check.h"

struct vd_salvage {
	uint64_t records;       /* in the new store */
	uint64_t lost, lost_own; /* records that were there and are not, as far as can be told: by the numbers between others, and by our own chains; of those,
	                         * ours. At the end of all, others' cannot be told; what was missing of ours before counts again */
	char kept[32];          /* the broken file, beside the new one: "data.mdb.damaged-1" */
	struct vd_check check;  /* of the new store, when it was repaired */
};

/* Reads every page of `home`/data.mdb, whatever state it is in, without LMDB: what pages with keys lead to, and then each value with pages of its own
 * that no key led to, if it says which it is (stored.h) - sealed or not, each is opened at most once; keeps it under another name, and puts a new one in
 * its place with each record whose bytes are what was stored, the groups, identities and notes; then rebuilds what is derived, and
 * goes on behind the own records found. What is missing comes back from others. A sealed store needs a secret (vault.h; else NULL).
 *   VD_EEXISTS    nothing is broken: nothing was changed
 *   VD_ENOTFOUND  not even the groups, or who we are in them, is left: nothing was changed
 *   VD_EKEY       it is sealed, and not for this secret
 *   VD_EBUSY      another process has the store open
 *   VD_EVERSION, VD_ENOSTORE, VD_EDENIED, VD_ENOSPACE, VD_EIO, VD_ENOMEM: nothing was changed */
int vd_store_salvage(const char *home, const struct vd_secret *, uint64_t now_ms, struct vd_salvage *out);

#endif
