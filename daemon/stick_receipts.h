/* Receipts on a stick: which of those known here it lacks, and which files of ours hold nothing that it would lack without them. PROTOCOL.md
 * section 7, receipts. */
#ifndef VD_STICK_RECEIPTS_H
#define VD_STICK_RECEIPTS_H

#include "stick_inside.h"

/* Once all is read and settled: fills in v->receipts and v->receipts_due. */
int vd_visit_receipts(struct vd_visit *, size_t g);
/* Does all that this segment's receipts say stand elsewhere too: among v->receipts, which are being written or were, or in a segment that stays? */
bool vd_visit_receipts_covered(const struct vd_visit *, size_t g, const struct vd_segment *);
/* Is that a file of ours with nothing in it but receipts that stand elsewhere too? It may go. */
bool vd_visit_receipts_spent(const struct vd_visit *, size_t g, const struct vd_segment *);
/* To a segment's note: whose receipts stand in it. */
void vd_visit_note_receipts(const struct vd_visit *, size_t g, struct vd_segment *);

#endif
