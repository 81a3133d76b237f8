/* What stands on a stick so that everyone with a role can read it, and what only for some: PROTOCOL.md section 7, Stick. */
#ifndef VD_STICK_REACH_H
#define VD_STICK_REACH_H

#include "store/bundle.h"

struct vd_reach {
	const struct vd_bundle_groups *groups;
	struct vd_arrivals control;        /* of our records, those of the control lane */
	struct vd_reach_answer *answers;
	size_t count, capacity;
};

/* Of these groups, borrowed, as the store has them now. To be deinit in any case. */
int vd_reach_init(struct vd_reach *, struct vd_store *, const struct vd_bundle_groups *);
void vd_reach_deinit(struct vd_reach *);
/* Adds to *stick what counts as being on it by a segment that this key opens and that holds this list. */
int vd_reach_add(struct vd_reach *, const struct vd_bundle_key *, struct vd_slice list, struct vd_arrivals *stick);
/* Can everyone with a role, as far as we know, read what we write now? Not where an epoch must first be sealed to somebody. */
bool vd_reach_all(struct vd_group *);

#endif
