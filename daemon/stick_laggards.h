/* Who may not have the keys to read what is written now, so that a stick must bring them: PROTOCOL.md section 7, catch-up segments. */
#ifndef VD_STICK_LAGGARDS_H
#define VD_STICK_LAGGARDS_H

#include "stick_segments.h"

struct vd_laggards {
	uint8_t (*devices)[VD_KEY_BYTES];
	size_t count;
};

/* Devices of the group (number g on this stick) that have a role, are not known to have the epoch to write with, and are served by no
 * segment of the stick, once that is settled, and that the epoch is sealed to. None when we lack that epoch ourselves. Cheap unless there is one; remembers who turned
 * out to have it. *out is to be deinit in any case. */
int vd_laggards_find(struct vd_store *, struct vd_group *, size_t g, const struct vd_segments *, struct vd_laggards *out);
void vd_laggards_deinit(struct vd_laggards *);

#endif
