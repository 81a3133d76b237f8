/* Sticks that sync by themselves: folders that appear in a --stick-dir, of which a person marked one once (store/sticks.h). Each is visited
 * when it appears, one after the other, on a thread of libuv's pool, and then left alone until it has gone and come back: whoever was told that it is
 * done may pull it. Of any other nothing is read but the names in its folder of segments, and nothing is written.
 *
 * Each second the folders are listed; that costs less than to look after mounts, and sees whatever way a stick came. One is told from the next
 * at the same place by its mount, device and inode. */
#ifndef VD_DAEMON_STICKS_H
#define VD_DAEMON_STICKS_H

#include <stdatomic.h>
#include <uv.h>

#include "conf.h"
#include "link_stick.h"

enum {
	VD_STICKS_SEEN_MAX = 64,      /* folders at one time; more are passed over */
	VD_STICKS_END_MS = 5000,      /* for a visit that is being made when veredad is to end: then it ends as by a power cut, which loses nothing */
	VD_STICKS_AGAIN_MS = 30000,   /* one that could not be visited for want of memory, or since others were at it */
};

struct vd_seen {
	char path[PATH_MAX];
	uint64_t mount, device, inode;
	bool there;                   /* as of the last look */
	bool due;                     /* to be visited, not before … */
	uint64_t at_ms;
};

struct vd_sticks {
	uv_loop_t *loop;              /* NULL: not begun */
	struct vd_store *store;       /* borrowed */
	const struct vd_conf *conf;
	void (*done)(void *ctx);      /* a visit is over, on the loop's thread */
	void *ctx;
	struct vd_seen *seen;
	size_t count;
	uv_work_t work;
	uv_timer_t end;
	bool busy, stopping;
	char path[PATH_MAX];          /* of the visit */
	struct vd_stick stick;
	bool marked;
	int rc;
	struct vd_stick_result result;
};

void vd_sticks_init(struct vd_sticks *, uv_loop_t *, struct vd_store *, const struct vd_conf *, void (*done)(void *ctx), void *ctx);
/* What came, what went; and the next visit, if there is one to be made. */
void vd_sticks_look(struct vd_sticks *, uint64_t now_ms);
/* Begins no more visits. One that is being made has VD_STICKS_END_MS, then the process ends, with status 0. */
void vd_sticks_stop(struct vd_sticks *);
void vd_sticks_deinit(struct vd_sticks *);

#endif
