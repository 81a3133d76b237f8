/* Bulk: records in any number, judged and committed in large batches while the next one is being read. One way in for import, sticks and
 * whatever else brings many at once. The caller reads and judges, with all workers; a thread of its own commits. Where no thread is to
 * be had it is all done here, one after the other.
 *
 * A batch that brings control records is committed before anything behind it is judged: they say who may be here. */
#ifndef VD_BULK_H
#define VD_BULK_H

#include "store.h"

struct vd_bulk;

enum {
	VD_BULK_RECORDS = 6144,            /* a batch: its pages all over the indexes are what a commit holds in memory … */
	VD_BULK_BYTES = 3584 * 1024,       /* … and its records, three times, in buffers that double: so they fit into 4 MiB each */
};

/* Gets each batch when it is durable: verdict and arrival number (0: find it) of its entries are set. On the committing thread, one at a
 * time. What it returns other than 0 ends the bulk as a failed commit does. */
typedef int vd_bulk_stored(void *ctx, const struct vd_batch *);

/* Borrows store and group until vd_bulk_end; control records are added to the group. *merge (borrowed as well) is added to, and is the caller's
 * to look at after vd_bulk_idle, vd_bulk_flush and vd_bulk_end alone. stored may be NULL. VD_ENOMEM. */
int vd_bulk_begin(struct vd_store *, struct vd_group *, struct vd_merge *, vd_bulk_stored *, void *ctx, struct vd_bulk **out);
/* To be filled with vd_batch_add; the same one each time, empty again after vd_bulk_push. */
struct vd_batch *vd_bulk_batch(struct vd_bulk *);
/* Judges it and has it committed. Errors as vd_store_merge, also of an earlier batch: nothing is taken in after one. */
int vd_bulk_push(struct vd_bulk *);
/* Returns when all that was pushed is durable, or cannot be. */
int vd_bulk_idle(struct vd_bulk *);
/* Both. */
int vd_bulk_flush(struct vd_bulk *);
/* Waits for the commit that is under way, and leaves out what was not pushed. NULL is fine. */
void vd_bulk_end(struct vd_bulk *);

#endif
