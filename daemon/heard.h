/* Heard: who is known to have our control records, and who holds what, as sessions show it. */
#ifndef VD_DAEMON_HEARD_H
#define VD_DAEMON_HEARD_H

#include "store/custody.h"

/* What a session with a device has shown so far. */
struct vd_shown {
	uint64_t control_through;  /* vd_session_stats */
	struct vd_held held;
	struct vd_route route;     /* by which way it was met */
	bool told;                 /* it told whom it declines: */
	struct vd_declined_set apart; /* those, and whom we do */
};
struct vd_route vd_route_link(const char *where); /* an address or a name, cut to what fits */
/* Its stats, where it is, and whom the session left out (copied; NULL: not known). */
struct vd_shown vd_shown_of(const struct vd_session_stats *, const char *where, const struct vd_declined_set *apart);

/* Notes it (vd_store_heard_set, vd_custody_met), and whom it declines (declines.h). Writes only when that says more than what is
 * noted: when records came in between; or an hour later. */
int vd_heard_note(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_shown *);

/* What a device said of what is held, kept as of now (vd_custody_heed). Nothing depends on it: what cannot be kept is said again in another session. */
void vd_heard_words(struct vd_store *, struct vd_group *, const uint8_t device[VD_KEY_BYTES], const struct vd_words *, const struct vd_route *);
/* Our own receipt as of now (vd_custody_say); nothing if there is none. */
void vd_heard_say(struct vd_store *, struct vd_group *, struct vd_buf *out);

#endif
