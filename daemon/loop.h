/* The daemon: one store, one node, their links, discovery and control socket on one loop. */
#ifndef VD_LOOP_H
#define VD_LOOP_H

#include "conf.h"

/* Runs until SIGTERM or SIGINT, then ends cleanly: goodbyes said, the running commit finished. 0, or why it could not start:
 * VD_ENOSTORE, VD_EBUSY (another daemon has the store), VD_EINVAL or VD_EIO (cannot listen), or as vd_store_open says. Has
 * logged the reason. */
int vd_loop_run(const struct vd_conf *);

#endif
