/* Validity of many records at once, heads first: the one rule of PROTOCOL.md section 3 on every path. */
#ifndef VD_CHAIN_H
#define VD_CHAIN_H

#include "record.h"

struct vd_group;

/* Records taken in together, from a session, a bundle or a stick. Owns the bytes. All zero is a valid empty batch. */
struct vd_batch {
	struct vd_batch_entry *entries;
	size_t count, capacity;
	struct vd_buf bytes;      /* every raw record, one after the other */
};

struct vd_batch_entry {
	size_t at;                /* offset of the raw record in bytes */
	struct vd_record record;  /* views, valid from vd_batch_seal() on */
	int verdict;              /* VD_EAGAIN until verified; then 0, or why not */
};

void vd_batch_deinit(struct vd_batch *);
void vd_batch_reset(struct vd_batch *);
/* Copies and decodes one raw record. A malformed one is VD_EFORMAT (or as vd_record_decode says) and is not added. */
int vd_batch_add(struct vd_batch *, struct vd_slice raw);
/* Points the views into the (now unmoving) bytes. Called by vd_chain_verify. */
void vd_batch_seal(struct vd_batch *);

/* Questions about what is stored already. */
struct vd_chain_port {
	void *ctx;
	/* Is a stored (therefore valid) record of the same group, author and lane, seq one higher, naming this id in prev? */
	bool (*vouched)(void *ctx, const struct vd_record *);
};

/* Sets every entry's verdict and sorts entries by lane, author, seq ascending:
 *   0            valid, its author granted (lane 0: entitled)
 *   VD_EGROUP    of another group
 *   VD_EAUTHOR   author not granted, or control by one not entitled: for the pool, lane 0 may grow
 *   VD_ESIGNATURE neither its own signature nor a valid successor vouches
 *   VD_EFORMAT   lane 0 whose body is no control content, or is a stub
 * Valid control records are added to `group` on the way, so that a grant in the batch admits the records behind it;
 * loops until nothing more becomes valid. Verified singly are only records that no successor vouches for; *verified, if
 * not NULL, counts those signature checks. VD_ENOMEM. */
int vd_chain_verify(struct vd_batch *, struct vd_group *group, const struct vd_chain_port *, uint64_t *verified);

#endif
