/* Pruning: bodies of others that go to make room, while enough others are known to keep them. The stub stays in the set, and says so; when
 * too few keep it any more, the body is wanted again.
 *
 * A body goes only if two other members have each told by a receipt that they hold it and until when they will, twelve days from now at least
 * (custody.h); if every promise of this device's own has been over for as long; if this device did not write it; and by a clock that can be believed (clock.c), or a wrong one would
 * take a promise for kept. So of three who hold something the first may let go, and the other two may not: none destroys the last copy known. */
#ifndef VD_PRUNE_H
#define VD_PRUNE_H

#include "store.h"

enum { VD_PRUNE_KEEPERS = 2, VD_PRUNE_DAYS = 30 }; /* members who must keep it; and how old a record must be to go unasked */

struct vd_prune_rule {
	uint8_t lanes;             /* bit l: lane l, 1 to 3. The bulk lane goes first, urgent ones last; in a lane what came first */
	uint64_t older_ms;         /* only what was written, and came, that long ago */
	uint64_t most_bytes;       /* of bodies: then it is enough */
	bool dry;                  /* only counted */
};
struct vd_pruned {
	uint64_t records, bytes;   /* bodies that went, or would */
	uint64_t own, young, few;  /* that stay: written here, not old enough, kept by too few others */
	uint32_t promised_until;   /* a day: until then this device has promised to keep everything, and nothing goes; 0: no promise lives */
};
/* Adds to *out. VD_EAGAIN: the clock cannot be believed, nothing went. */
int vd_prune(struct vd_store *, struct vd_group *, const struct vd_prune_rule *, uint64_t now_ms, struct vd_pruned *out);
/* Somebody here needs it: what went of that record, and of what it attaches, to make room is wanted again from now on (*wanted bodies; 0: nothing had gone), and
 * is as young as if it had come now, all of it. VD_ENOSPACE: there is no room. */
int vd_prune_undo(struct vd_store *, struct vd_group *, const struct vd_record *, uint64_t now_ms, uint64_t *wanted);

#endif
