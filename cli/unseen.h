/* What a person has not seen yet: what came since they last looked, and what came before and could not be shown then: sealed, its
 * content not here, in quarantine. It may be an alert, and opens by itself long after it came. */
#ifndef VD_UNSEEN_H
#define VD_UNSEEN_H

#include "cli.h"

enum { VD_UNSEEN_MAX = 500 };   /* what a note holds; of more the newest */

struct vd_unseen {
	uint64_t mark;                   /* highest arrival number when they looked */
	uint64_t waiting[VD_UNSEEN_MAX]; /* arrival numbers up to it, ascending */
	size_t count;
};

bool vd_unseen_has(const struct vd_unseen *, uint64_t arrival);
/* Is it not shown now, and may it be one day, when a key, its content or a coordinator's word comes? */
bool vd_unseen_waits(const struct vd_found *);
/* None that is unseen has this arrival number, or a lower one. */
uint64_t vd_unseen_after(const struct vd_unseen *);
/* Nothing looked at yet, when there is no note or it makes no sense. */
void vd_unseen_read(struct vd_store *, struct vd_slice key, struct vd_unseen *out);
int vd_unseen_write(struct vd_store *, struct vd_slice key, const struct vd_unseen *);

/* What will be unseen when all that can be shown up to `mark` has been: of that which is unseen in both, what cannot be shown now and
 * may be one day. Asks like `asked`, but for what only an open body tells. `other` may be NULL. *next may be `seen`. 0, or as vd_query:
 * then *next is right but for what is damaged. */
int vd_unseen_next(struct vd_store *, const struct vd_query *asked, const struct vd_unseen *seen, const struct vd_unseen *other,
                   uint64_t mark, struct vd_unseen *next);

#endif
