/* What a removal can accept of somebody's records. Inside the store only. */
#ifndef VD_ACCEPTED_H
#define VD_ACCEPTED_H

#include "inside.h"

struct vd_accepted {
	struct vd_id heads[VD_LANES][VD_LIST_MAX];
	size_t count[VD_LANES];
};
/* Of each lane the records of these authors that are stored here and that no other one names as its predecessor: at most VD_LIST_MAX, the
 * authors taking turns, the highest seq first. `undo` (may be NULL): in lane 0 without it, what leads to it, and what may. The index
 * should be caught up, or it takes longer. VD_ENOTFOUND: `undo` is no control record of theirs. */
int vd_accepted_heads(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t (*authors)[VD_KEY_BYTES], size_t count,
                      const struct vd_id *undo, struct vd_accepted *out);
/* Visits what is stored here of an author, but what is spoilt, until `visit` returns other than 0. */
int vd_author_walk(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES],
                   int (*visit)(void *ctx, uint64_t received_ms, const struct vd_record *), void *ctx);

#endif
