/* Receipts on a stick: which of those known here it lacks, and which files of ours hold nothing that it would lack without them. PROTOCOL.md
 * section 7, receipts. */
#ifndef VD_STICK_RECEIPTS_H
#define VD_STICK_RECEIPTS_H

#include "stick_inside.h"

enum { VD_WORD_RECEIPTS_BYTES = 56 * 1024 }; /* of those in a file of their own: it has one chunk, as it has for one of them */
/* Once all is read and settled: fills in v->receipts, with at most so many bytes, and v->receipts_due. To be deinit if it was filled before. */
int vd_visit_receipts(struct vd_visit *, size_t g, size_t max_bytes);
/* Does all that this segment's receipts say stand elsewhere too: among v->receipts, which are being written or were, or in a segment that stays? */
bool vd_visit_receipts_covered(const struct vd_visit *, size_t g, const struct vd_segment *);
/* Is that a file with nothing in it but receipts, and do all of them stand elsewhere too, if it is another's in what this visit wrote? Then *spent: it may
 * go. Not before receipts were written on this visit. */
int vd_visit_receipts_spent(const struct vd_visit *, size_t g, const struct vd_segment *, bool *spent);
/* Where a file of one chunk has no room, files with nothing but receipts make it, if they can and this visit will hand on what they say: *made. What they said
 * is in v->receipts then, or will be again when there is room; a cut now leaves it to the next visitor. */
int vd_visit_receipts_give_way(struct vd_visit *, size_t g, bool *made);
/* To a segment's note: whose receipts stand in it. */
void vd_visit_note_receipts(const struct vd_visit *, size_t g, struct vd_segment *);

#endif
