/* Told: whose receipts an end of a session keeps, so that each hands on what the other lacks. PROTOCOL.md sections 8 and 9. */
#ifndef VD_TOLD_H
#define VD_TOLD_H

#include "bytes.h"
#include "limits.h"

enum {
	VD_TOLD_DIGEST = 8,
	VD_TOLD_NAME = 8,            /* bytes of an author's key. Who grinds a key that begins as another's keeps one of two receipts from being handed on by sessions */
	VD_TOLD_BYTES = VD_TOLD_NAME + 8,
};

/* A receipt that is kept. */
struct vd_told {
	uint8_t author[VD_KEY_BYTES];
	uint64_t count;
	size_t bytes;
};

/* What a store tells of the receipts it keeps. */
struct vd_told_list {
	struct vd_told *told;        /* ascending by author, ours among them; the caller frees it */
	size_t count;
	bool gives;                  /* this device says what it holds … */
	uint64_t through;            /* of higher counts it believes none: they are from the future */
	uint64_t mine;               /* … and its last receipt says all that a new one would; 0: there is more to say */
};

/* Appends their names, those of ascending authors. */
void vd_told_encode(const struct vd_told *, size_t count, struct vd_buf *out);
/* VD_EFORMAT; VD_ECAP: more than a group has devices. */
int vd_told_check(struct vd_slice names);
void vd_told_digest(struct vd_slice names, uint8_t out[VD_TOLD_DIGEST]);
/* Is neither it among the names, nor a later one of the same author? These were checked. */
bool vd_told_lacks(struct vd_slice names, const struct vd_told *);

/* Receipts one after the other, each behind its length. */
void vd_receipts_put(struct vd_slice receipt, struct vd_buf *out);
/* The next of them; `rest` begins as all. False: no more, or what stands there is none. */
bool vd_receipts_next(struct vd_slice *rest, struct vd_slice *out);
/* VD_EFORMAT: not just that. */
int vd_receipts_check(struct vd_slice);

#endif
