/* A set of arrival numbers: which of this store's records a file or stick holds, and of which only the stub. Two bits a number, and
 * nothing for long stretches without any: a restored store has numbers far apart. All zero is the empty set. */
#ifndef VD_ARRIVALS_H
#define VD_ARRIVALS_H

#include "proto/bytes.h"

enum { VD_ARRIVALS_PAGE = 4096 }; /* numbers */

struct vd_arrivals_page {
	uint64_t first;            /* a multiple of VD_ARRIVALS_PAGE */
	uint64_t *held, *whole;    /* bitmaps */
};

struct vd_arrivals {
	struct vd_arrivals_page *pages; /* ascending, none without a number */
	size_t count, capacity;
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
/* The number behind *at (0: the first) of the list that r reads. False at its end, or where r->err says that it is no list. */
bool vd_arrivals_list_next(struct vd_rd *r, uint64_t latest, uint64_t *at, bool *stub);

#endif
