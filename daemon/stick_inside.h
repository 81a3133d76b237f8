/* What the two halves of a visit to a stick share: link_stick.c reads it, stick_write.c adds what it lacks. Nobody else includes it. */
#ifndef VD_STICK_INSIDE_H
#define VD_STICK_INSIDE_H

#include "link_stick.h"
#include "stick_segments.h"
#include "store/arrivals.h"
#include "store/bundle.h"

struct vd_visit {
	struct vd_store *store;
	struct vd_bundle_groups groups;
	const char *dir;
	char *cache;
	struct vd_segments segments;
	struct vd_segment_say say[VD_STORE_GROUPS_MAX];
	struct vd_buf hearing[VD_STORE_GROUPS_MAX]; /* to be left in each group */
	struct vd_arrivals stick;    /* of our records, what the stick holds */
	struct vd_arrivals wanted;   /* our stubs whose body we want */
	const struct vd_bundle_watch *watch;
	uint64_t to_read, bytes_read, records_read; /* for it: of the segments that are to be read, and of those that were */
	size_t pending;              /* segments that could not be taken whole: more may be when what their records build on has come */
	struct vd_stick_result *result;
};

/* Of a file in the stick's folder; the caller's. NULL: no memory. */
char *vd_visit_path(const struct vd_visit *, const char *name);

/* --- stick_write.c --- */

/* Writes what the stick lacks, as far as it has room: *full grows true when that was not all. */
int vd_visit_write(struct vd_visit *, bool *full);
/* The arrival numbers (uint64_t) of our records that the stick lacks, or of whose body it lacks and we have. */
int vd_visit_lacking(struct vd_visit *, struct vd_buf *out);
/* A courier writes nothing that it could go with, and who cannot open everything may wait for an answer: they leave it in a file of its
 * own, and the one before it, which they wrote and which holds nothing else, goes. */
int vd_visit_leave_hearing(struct vd_visit *, size_t g, bool shut);

#endif
