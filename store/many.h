/* Many: stored records read in large numbers, by all workers, while those before them are being used. */
#ifndef VD_MANY_H
#define VD_MANY_H

#include "store.h"

enum { VD_MANY_AT_ONCE = 1024 };

struct vd_many_one {
	int err;                  /* VD_ENOTFOUND; VD_EDAMAGED: its bytes are not what was stored; VD_ENOMEM, VD_EIO, or that no snapshot could be had */
	struct vd_record record;  /* as vd_record_decode gives it */
	size_t at, ext_at;        /* inside */
};

struct vd_many;

/* VD_ENOMEM. */
int vd_many_new(struct vd_store *, struct vd_many **out);
void vd_many_free(struct vd_many *); /* waits for what is under way; NULL is fine */
/* Begins to read these, at most VD_MANY_AT_ONCE; they stay the caller's, unchanged until they were taken. Only after the last were taken. */
void vd_many_ask(struct vd_many *, const uint64_t *arrivals, size_t count);
/* Those asked for last, in their order, once all are read. Valid until the next but one are asked for. */
const struct vd_many_one *vd_many_take(struct vd_many *);

#endif
