/* Tops: how far the chains of authors go of whom everything here came by one merge, batch after batch. What lies beyond its author's top
 * cannot be here, nor name or be named by anything that is: it need not be looked for, and an empty store takes records in without a
 * single search. All zero is a valid start. */
#ifndef VD_TOPS_H
#define VD_TOPS_H

#include <stddef.h>
#include <stdint.h>

#include "proto/limits.h"

enum { VD_TOPS_MAX = 4096 };
#define VD_TOP_UNKNOWN UINT64_MAX

struct vd_tops {
	struct vd_top {
		uint8_t author[VD_KEY_BYTES];
		uint8_t lane;
		uint64_t seq;
	} *list;
	size_t count, capacity;
	uint64_t next;    /* the arrival number that followed the last batch: if another is next now, somebody else wrote, and nothing is known */
};

/* The highest seq, or VD_TOP_UNKNOWN. */
uint64_t vd_tops_get(const struct vd_tops *, const uint8_t author[VD_KEY_BYTES], uint8_t lane);
/* Forgets rather than fails: beyond VD_TOPS_MAX, or without memory, it stays unknown. */
void vd_tops_put(struct vd_tops *, const uint8_t author[VD_KEY_BYTES], uint8_t lane, uint64_t seq);
void vd_tops_deinit(struct vd_tops *);

#endif
