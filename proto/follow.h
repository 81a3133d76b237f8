/* Follow: keeps a group up with the control records of a store, which come in any order. */
#ifndef VD_FOLLOW_H
#define VD_FOLLOW_H

#include "group.h"
#include "port.h"

/* All zero but for the group is a valid beginning. */
struct vd_follow {
	struct vd_group *group;  /* borrowed */
	uint64_t after;          /* arrival number of the last control record looked at */
	struct vd_batch waiting; /* stored, by authors whom nothing in the group entitles yet */
	uint64_t tried;          /* the group's generation when `waiting` was last offered */
};

void vd_follow_deinit(struct vd_follow *);
/* Adds what arrived since the last time, and what had to wait for it. A record that the store cannot read is passed over.
 * VD_ENOMEM or the port's error: what was read is in the group, call again. */
int vd_follow_store(struct vd_follow *, const struct vd_port *);

#endif
