/* What somebody lets a stick be filled with, and what stayed here for want of room. */
#ifndef VD_CLI_STICK_ROOM_H
#define VD_CLI_STICK_ROOM_H

#include "cli.h"
#include "daemon/link_stick.h"

/* --max, in bytes; 0 when it was not given. `folders`: whether all targets are. A usage error: said. */
int vd_stick_room(struct vd_cli *, bool folders, uint64_t *max_bytes);
/* {lane: records}, of those that stayed here. */
json_t *vd_stick_room_left(const struct vd_stick_result *);
/* Says how many records of which lanes found no room there. The exit code. */
int vd_stick_room_say(struct vd_cli *, const char *dir, const struct vd_stick_result *);

#endif
