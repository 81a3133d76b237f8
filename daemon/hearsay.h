/* Hearsay: what sessions bring of receipts is kept, and our own made, on a thread of libuv's pool, so that the loop waits for no medium. It has its own
 * copy of each group that it was needed for, and keeps that up with the store. */
#ifndef VD_HEARSAY_H
#define VD_HEARSAY_H

#include <uv.h>

#include "heard.h"
#include "proto/follow.h"

enum { VD_HEARSAY_MAX = 2 * VD_PEERS_MAX }; /* jobs: one of each sort for every session */

struct vd_hearsay_job {
	uint32_t conn;
	bool say;                      /* else `words` are to be kept */
	uint8_t group[VD_GROUP_BYTES], peer[VD_KEY_BYTES];
	struct vd_route route;
	struct vd_words words;
	struct vd_buf own;             /* what became of `say` */
};

struct vd_hearsay {
	uv_work_t work;
	uv_loop_t *loop;
	struct vd_store *store;        /* borrowed */
	struct vd_port port;
	void (*said)(void *ctx, uint32_t conn, struct vd_slice receipt); /* on the loop's thread */
	void *ctx;
	bool busy;
	struct vd_hearsay_job waiting[VD_HEARSAY_MAX], working[VD_HEARSAY_MAX]; /* the loop's; the other thread's while it is busy */
	size_t waiting_count, working_count;
	struct vd_follow groups[VD_STORE_GROUPS_MAX]; /* the other thread's */
	size_t group_count;
};

void vd_hearsay_init(struct vd_hearsay *, uv_loop_t *, struct vd_store *, void (*said)(void *ctx, uint32_t conn, struct vd_slice), void *ctx);
/* After the loop has ended. All zero is fine. */
void vd_hearsay_deinit(struct vd_hearsay *);
/* `said` is told our receipt, or nothing: soon, but not before this has returned. VD_ECAP: it will not be. */
int vd_hearsay_say(struct vd_hearsay *, uint32_t conn, const uint8_t group[VD_GROUP_BYTES]);
/* Takes *words over, and leaves nothing there. With too much to do already it is dropped: another session says it again. */
void vd_hearsay_keep(struct vd_hearsay *, const uint8_t group[VD_GROUP_BYTES], const uint8_t peer[VD_KEY_BYTES], struct vd_words *words,
                     const struct vd_route *);

#endif
