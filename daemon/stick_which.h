/* Which stick is it? Nothing on it says so. One that a person marked has an *anchor*: a segment of ours that nobody else takes away, of the last visit on which we
 * left one. It is that stick when its anchor stands there, and its file is the one that we wrote, by the time that the medium keeps of it: what was copied,
 * file by file or by a locked device, has another time, and a copy of before our last visit another segment. Any other is the one on which most of its segments were seen. */
#ifndef VD_STICK_WHICH_H
#define VD_STICK_WHICH_H

#include "stick_inside.h"

/* Once all segments are recalled: *out, its note, or VD_ENOTFOUND, if this store knows none of them. Tells of each segment whether it is `elsewhere`. */
int vd_stick_recognise(struct vd_store *, struct vd_segments *, struct vd_stick *out);

/* Of a visit that keeps an anchor. A segment was written, as we have learnt: it is the anchor from now on, if it is the first of this visit. Before anything goes for its sake. */
int vd_anchor_written(struct vd_visit *, const char *name);
/* Is that the anchor? */
bool vd_anchor_is(const struct vd_visit *, const struct vd_segment *);
/* Another one than `but` is to be the anchor (NULL: any): one of ours that stands there, or one that is written for it: a segment of one control record, which
 * looks like any other, to those who can open it too. *held: there is one now. */
int vd_anchor_hold(struct vd_visit *, const struct vd_segment *but, bool *held);
/* What was to be written was: is there an anchor, if there is to be one? Else it is held. */
int vd_anchor_keep(struct vd_visit *);
/* Segments that this stick was told by before it was another's copy are its own from now on. */
int vd_visit_renew(struct vd_visit *);

#endif
