/* Tending: vd_store_tend over all groups of the store, on a thread of libuv's pool, so that the loop waits for no medium. */
#ifndef VD_TENDING_H
#define VD_TENDING_H

#include <uv.h>

#include "store/store.h"
#include "store/tend.h"

struct vd_tending {
	uv_work_t work;
	uv_loop_t *loop;
	struct vd_store *store;      /* borrowed */
	void (*done)(void *ctx, int rc, const struct vd_tended *); /* on the loop's thread */
	void *ctx;
	bool busy, again;
	int rc;
	struct vd_tended tended;
};

void vd_tending_init(struct vd_tending *, uv_loop_t *, struct vd_store *, void (*done)(void *, int, const struct vd_tended *), void *ctx);
/* Soon; once more when it is at it. The loop runs on until it is done. */
void vd_tending_wish(struct vd_tending *);

#endif
