/* What a member is known to have: all of their devices. What is not known to be there is sent. */
#ifndef VD_KNOWN_H
#define VD_KNOWN_H

#include "store/custody.h"

/* All zero: nobody, who has nothing. */
struct vd_known {
	struct vd_custody *custody;
	size_t keepers[VD_SLOTS];   /* their devices, by number of custody.h */
	size_t count;
	uint64_t control;           /* control records up to this arrival number are with each */
};

/* Of at most VD_SLOTS devices. Borrows store and group until vd_known_deinit. */
int vd_known_init(struct vd_known *, struct vd_store *, struct vd_group *, const uint8_t (*devices)[VD_KEY_BYTES], size_t count);
void vd_known_deinit(struct vd_known *);
bool vd_known_has(const struct vd_known *, uint64_t arrival, const struct vd_record *);

#endif
