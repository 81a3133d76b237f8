/* A set of arrival numbers: which of this store's records a file or stick holds, and of which only the stub. Two bits a record of
 * the store, whatever the number of files. All zero is the empty set. */
#ifndef VD_ARRIVALS_H
#define VD_ARRIVALS_H

#include "proto/bytes.h"

struct vd_arrivals {
	struct vd_buf held, whole; /* bitmaps: bit 0 of byte 0 is number 0, which is never used */
};

void vd_arrivals_deinit(struct vd_arrivals *);
/* Whole once is whole for good. VD_ENOMEM. */
int vd_arrivals_add(struct vd_arrivals *, uint64_t arrival, bool stub);
bool vd_arrivals_held(const struct vd_arrivals *, uint64_t arrival);
bool vd_arrivals_whole(const struct vd_arrivals *, uint64_t arrival);
/* The smallest number above `after` and up to `latest` that is not held whole; 0 when there is none. Jumps over what is held a
 * machine word at a time. */
uint64_t vd_arrivals_next_lacking(const struct vd_arrivals *, uint64_t after, uint64_t latest);

/* The list a store keeps for a segment: ascending, each varint of 2 × (difference to the one before) + 1 if only its stub is there. */
int vd_arrivals_encode(const struct vd_arrivals *, struct vd_buf *out);
/* Adds a list's numbers. VD_EDAMAGED: no such list, or a number above `latest`. */
int vd_arrivals_decode(struct vd_arrivals *, struct vd_slice list, uint64_t latest);

#endif
