/* Heard: who is known to have our control records, and who holds what, as sessions show it. */
#ifndef VD_DAEMON_HEARD_H
#define VD_DAEMON_HEARD_H

#include "store/custody.h"

/* What a session with a device has shown so far. */
struct vd_shown {
	uint64_t control_through;  /* vd_session_stats */
	struct vd_held held;
	struct vd_route route;     /* by which way it was met */
};
/* Its stats, and where it is: an address or a name, cut to what fits. */
struct vd_shown vd_shown_of(const struct vd_session_stats *, const char *where);

/* Notes it (vd_store_heard_set, vd_custody_met). Writes only when that says more than what is noted: when records came in between; or an hour
 * later. */
int vd_heard_note(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_shown *);

#endif
