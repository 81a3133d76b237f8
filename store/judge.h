/* Which records of a batch are valid beside what is stored (proto/chain.h). Inside the store only. */
#ifndef VD_JUDGE_H
#define VD_JUDGE_H

#include "inside.h"

/* Of one author's lane? Is `a` the record that `b` names as its predecessor, and may be? */
bool vd_same_chain(const struct vd_record *a, const struct vd_record *b);
bool vd_precedes(const struct vd_record *a, const struct vd_record *b);
/* As vd_chain_port asks it. */
bool vd_vouched(void *store, const struct vd_record *);
/* vd_chain_verify against what is stored, with all workers. */
int vd_store_judge(struct vd_store *, struct vd_group *, struct vd_batch *);
/* The same for one who brings batch after batch: tops, other ones than those for committing, spare looking up what cannot be here. */
int vd_store_judge_next(struct vd_store *, struct vd_group *, struct vd_batch *, struct vd_tops *);
/* The planned checks of a batch, with all workers if there are enough of them. */
void vd_store_check_batch(struct vd_store *, struct vd_batch *, size_t checks);

#endif
