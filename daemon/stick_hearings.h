/* What devices say on a stick of which control records they have: PROTOCOL.md section 7, hearings. */
#ifndef VD_STICK_HEARINGS_H
#define VD_STICK_HEARINGS_H

#include "stick_segments.h"

/* Remembers (vd_store_heard) what the hearings show that were read on this visit, of group number g. */
int vd_hearings_heed(struct vd_store *, struct vd_group *, size_t g, const struct vd_segments *);

enum vd_hears { VD_HEARS_UNKNOWN, VD_HEARS, VD_HEARS_NOT };
/* Does that device have act number `act`, as segments in use say? VD_HEARS_NOT: it found something on the stick that does not open to it,
 * and lacked that act then; of our own device another copy said so. `known`: room for vd_group_knows. */
enum vd_hears vd_hearings_of(struct vd_group *, size_t g, const struct vd_segments *, const uint8_t device[VD_KEY_BYTES], size_t act,
                             bool *known);

/* What we are to say: appends the hearing to *out, or nothing when all that we know shows otherwise, or it is said already. `shut`: something
 * did not open. */
int vd_hearings_ours(struct vd_group *, size_t g, const struct vd_segments *, bool shut, struct vd_buf *out);
/* Would we say the same now? */
bool vd_hearing_is_current(struct vd_group *, const struct vd_segment *, bool shut);
/* Is that a file of ours with nothing in it but a hearing that is out of date? It may go. */
bool vd_hearing_is_spent(struct vd_group *, size_t g, const struct vd_segment *, bool shut);

#endif
