/* Verifies a whole store: every record decodes, is valid, is indexed, and the derived data equals what the records say. */
#ifndef VD_CHECK_H
#define VD_CHECK_H

#include "store.h"

struct vd_check {
	uint64_t records, bad, repaired; /* bad: records whose bytes are not what was signed */
	uint64_t derived_bad;   /* indexes, digests, sketches that did not match */
	uint64_t own_missing, own_last; /* what this device wrote and is not here (or bad); of those, newer than all that is. Zeros: nothing could be written
	                         * here, so nobody looked */
};

/* VD_EDAMAGED: the database file itself is broken; nothing was looked at further.
 * repair: rebuilds derived data, and drops records that fail (their bytes are not what was signed; peers still have them). */
int vd_check(struct vd_store *, bool repair, struct vd_check *out);

#endif
