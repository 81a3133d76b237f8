/* Receipt: a device's signed word of which records of one group it holds, with their bodies. It travels by any route, so that who wrote
 * a record learns where it arrived. PROTOCOL.md section 7, receipts. */
#ifndef VD_RECEIPT_H
#define VD_RECEIPT_H

#include "group.h"

enum {
	VD_RECEIPT_DIGEST = 16,      /* bytes of a lane's digest hash: nobody finds two sets with one in 2^64 trials of a hash of the whole */
	VD_RECEIPT_HEAD_MIN = 1 + 1 + VD_KEY_BYTES + 8 + 8 + 4 + VD_LANES, /* with four empty lanes */
	VD_RECEIPT_HEAD_MAX = VD_RECEIPT_HEAD_MIN + VD_LANES * (9 + VD_RECEIPT_DIGEST),
	VD_SPAN_MIN = VD_ITEM_BYTES + 1,
	VD_BRIEF_MIN = 1 + 1 + 1 + VD_SIGNATURE_BYTES,
	VD_BRIEF_MAX = 1 + 10 + 10 + 5 + VD_SIGNATURE_BYTES, /* … with no lane in it */
};

/* Records of one author and lane that are held without a gap: the one that has this item, and as many as `length` says, itself
 * included, along prev. */
struct vd_span {
	uint8_t item[VD_ITEM_BYTES];
	uint64_t length;             /* from 1 */
};

struct vd_receipt {
	uint8_t author[VD_KEY_BYTES];
	uint64_t count;              /* rises with each receipt of that device */
	uint64_t time_ms;            /* its clock */
	uint32_t keep_until;         /* a day number: it promises not to drop bodies for want of space before; 0: no promise */
	bool restored;               /* it knows that it was restored from a backup, or copied: what it said before may hold no more */
	struct vd_receipt_lane {
		uint64_t count;          /* records, stubs among them */
		uint8_t digest[VD_RECEIPT_DIGEST]; /* of their ids; zero if there are none */
		bool whole;              /* each with its body */
	} lanes[VD_LANES];
	struct vd_slice spans;       /* for vd_receipt_next; borrowed from what was decoded */
};

/* Appends our word, signed: the author is ours whatever *r says, its `spans` are not looked at. Of `spans`, the most urgent first, as many as
 * fit into VD_RECEIPT_MAX; `spans` is sorted, and each item stands once. VD_EKEY: no identity; VD_EINVAL: a length of 0. */
int vd_receipt_make(struct vd_group *, const struct vd_receipt *r, struct vd_span *spans, size_t count, struct vd_buf *out);
/* The same of another device, r's author, with the signature that it gave; whether that holds is for vd_receipt_verify to say. */
int vd_receipt_restore(const struct vd_receipt *r, struct vd_span *spans, size_t count, const uint8_t signature[VD_SIGNATURE_BYTES], struct vd_buf *out);
/* Its form; borrows. VD_EFORMAT; VD_EVERSION: of a newer vereda. */
int vd_receipt_decode(struct vd_slice, struct vd_receipt *out);
/* The same, and whether it is the word of a device that has a role: VD_ESIGNATURE; VD_EAUTHOR. */
int vd_receipt_verify(struct vd_group *, struct vd_slice, struct vd_receipt *out);
/* The next span of a decoded receipt; `rest` begins as its `spans`. False: no more. */
bool vd_receipt_next(struct vd_slice *rest, struct vd_span *out);
/* A receipt in brief is what of it whoever holds the same cannot tell by itself: all but author, lanes and spans. Of lanes in which the reader holds
 * something else these stand in it, too. Bits of lanes: */
struct vd_brief {
	uint8_t named;               /* its spans are in it … */
	uint8_t marked;              /* … and its count and digest; all of them are named */
	const uint8_t *signature;    /* once decoded; borrowed */
};
/* Appends one that decodes. `spans`: of its spans those of the lanes that `how` names, as they stand in it. VD_ENOMEM. */
int vd_receipt_shorten(struct vd_slice receipt, const struct vd_brief *how, struct vd_slice spans, struct vd_buf *out);
/* *out: of its lanes `whole` is set, of marked ones all; its spans are those of named ones. Borrows. VD_EFORMAT. */
int vd_receipt_brief_decode(struct vd_slice, struct vd_receipt *out, struct vd_brief *how);
/* Do two receipts say the same, but for when, and until when it is promised? */
bool vd_receipt_same(struct vd_slice a, struct vd_slice b);

#endif
