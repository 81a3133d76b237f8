/* Heard: who is known to have our control records, as sessions show it. */
#ifndef VD_DAEMON_HEARD_H
#define VD_DAEMON_HEARD_H

#include "store/store.h"

/* A comparison with that device has found lane 0 equal up to this arrival number of ours (vd_session_stats.control_through; 0: none
 * has). Writes only when that says more than what is noted: when a control record came in between. */
int vd_heard_note(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t through);

#endif
