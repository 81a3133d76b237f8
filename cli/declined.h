/* Whose records a device takes no more of, because their share of its disk is used up: for people. */
#ifndef VD_CLI_DECLINED_H
#define VD_CLI_DECLINED_H

#include "daemon/link_tcp.h"
#include "heard.h"

/* What one exchange left out. */
struct vd_left_out {
	uint64_t here, there;      /* records that this device did not take; records here of authors of whom the other takes no more */
	struct vd_buf here_of, there_of; /* their authors, for people */
};
void vd_left_out_deinit(struct vd_left_out *);
/* Adds what was left out of an exchange with a device. */
int vd_left_out_session(struct vd_left_out *, struct vd_cli *, struct vd_group *, const struct vd_sync_result *);
/* Adds whom this device declines in these groups, none twice in one: `here` is counted elsewhere. Who cannot be named is left out. */
void vd_left_out_groups(struct vd_left_out *, struct vd_cli *, uint8_t (*groups)[VD_GROUP_BYTES], size_t count);
/* Says it. VD_EXIT_PARTLY, or VD_EXIT_DONE when nothing was left out. */
int vd_left_out_say(struct vd_left_out *, struct vd_cli *, const char *target);

#endif
