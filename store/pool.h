/* The pool: records whose author is not known yet. Inside the store only. */
#ifndef VD_POOL_H
#define VD_POOL_H

#include "inside.h"

/* Adds records to the pool, dropping the oldest when it is full. Authors whom nobody admitted cost nothing to make up, so
 * what is not kept is no loss: it comes again once lane 0 grew. */
struct vd_pool_adding {
	uint64_t next, count, bytes, dropped_to;
	bool started;
	size_t added;
	struct {
		uint8_t key[VD_KEY_BYTES];
		bool set, sound;
		size_t count, bytes;   /* that wait */
	} author;                      /* of the last record */
	struct vd_id last;
};
/* VD_ESIGNATURE: not signed by its author, VD_EAUTHOR: their share or the batch's is used up; not added then. */
int vd_pool_add(struct vd_write *, MDB_txn *, struct vd_pool_adding *, const struct vd_record *);
void vd_pool_add_end(struct vd_write *, const struct vd_pool_adding *);
int vd_pool_remove(struct vd_write *, MDB_txn *, struct vd_pool_adding *, const struct vd_record *);
/* Lists every record of the pool anew: the lists were emptied by a repair. */
int vd_pool_relist(struct vd_write *);
/* Appends the pool's records of a group to the batch. */
int vd_pool_take(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *);

#endif
