/* Hearing: what a device leaves on a stick to say which control records it has, and whether something there does not open to it.
 * PROTOCOL.md section 7, entry 7. */
#ifndef VD_HEARING_H
#define VD_HEARING_H

#include "group.h"

enum {
	VD_HEARING_HEADS = 8,
	VD_HEARING_MAX = 1 + VD_KEY_BYTES + VD_HEARING_HEADS * VD_ID_BYTES + VD_SIGNATURE_BYTES,
};

struct vd_hearing {
	bool shut;                             /* there is what none of its keys opened: another group's, or it lacks an epoch */
	uint8_t author[VD_KEY_BYTES];
	struct vd_id heads[VD_HEARING_HEADS];  /* it has these control records and what is in their past; ascending */
	size_t count;                          /* 1 to VD_HEARING_HEADS: the latest */
};

/* Appends ours, signed. VD_EKEY: no identity; VD_ENOTFOUND: no control record. */
int vd_hearing_make(struct vd_group *, bool shut, struct vd_buf *out);
/* Its form. VD_EFORMAT. */
int vd_hearing_decode(struct vd_slice, struct vd_hearing *out);
/* The same, and whether its author says so: VD_ESIGNATURE; VD_EAUTHOR: none of the group's. */
int vd_hearing_verify(struct vd_group *, struct vd_slice, struct vd_hearing *out);
/* Sets known[i] for each act of the group that it shows; there are vd_group_act_count. */
void vd_hearing_shows(struct vd_group *, const struct vd_hearing *, bool *known);

#endif
