/* Tend: what a device does for a group unasked, after its store grew and now and then.
 *
 * A coordinator: makes a new epoch when the one to write with is sealed to somebody without a role, and seals it, and the older ones that
 * it has, or that a member handed over, to devices with a role that lack them; not while its own acts are braked (acts.h). A member: hands the
 * coordinators the keys of epochs that none of them has. Everyone: drops bodies that were redacted, or expired, long enough ago, and wants back those whose
 * redaction does not hold any more; wants the bodies that had to wait for their author's share;
 * and where the medium is nearly full, lets go of bodies that enough others keep (prune.h). */
#ifndef VD_TEND_H
#define VD_TEND_H

#include "store.h"

/* False: there was no vereda yet when our clock says it is, or there will be none. By such a clock nothing is destroyed. */
bool vd_clock_can_be(uint64_t now_ms);

struct vd_tended {
	bool epoch_made;
	bool braked;          /* there was something to do for a coordinator, and it was not done */
	size_t sealed_to;     /* keys of an epoch for a device that lacked them */
	size_t handed;        /* epochs whose keys were handed to the coordinators */
	uint64_t redacted;    /* bodies that went: redacted long enough ago; … */
	uint64_t expired;     /* … whose day, and a week, was over; … */
	uint64_t pruned;      /* … to make room, while others keep them */
	uint64_t wanted;      /* bodies that are wanted again */
};
/* Cheap when there is nothing to do. Adds to *out. `group` is ours and grows by what is written. */
int vd_store_tend(struct vd_store *, struct vd_group *group, uint64_t now_ms, struct vd_tended *out);
/* The same for who waits for it. The bodies that were redacted, and the keys that were handed over, are found by what indexes readable content: as
 * long as that is behind by so much that catching up would take longer than a large sync or import, and by no more than a day, they are left
 * to another time. */
int vd_store_tend_quick(struct vd_store *, struct vd_group *group, uint64_t now_ms, struct vd_tended *out);

/* Of all that, only the bodies that were redacted or expired, in every group of the store: what falls due by time alone, on a device that nothing
 * comes to. Reads a value a group when nothing is due. */
int vd_store_tend_redacted(struct vd_store *, uint64_t now_ms, struct vd_tended *out);

#endif
