/* What the parts of a visit to a stick share: link_stick.c reads it, stick_write.c adds what it lacks, stick_fold.c keeps its files few.
 * Nobody else includes it. */
#ifndef VD_STICK_INSIDE_H
#define VD_STICK_INSIDE_H

#include "link_stick.h"
#include "stick_segments.h"
#include "store/arrivals.h"
#include "store/bundle.h"

/* What of a group the stick lacks, the most urgent first. */
struct vd_queue {
	uint64_t *numbers;           /* arrivals */
	size_t count, capacity, at;  /* at: of the first that was not written yet */
	size_t lane_ends[2 * VD_LANES]; /* where those of the next lane begin; and once more, of what is known to be everywhere and goes last */
};

struct vd_visit {
	struct vd_store *store;
	struct vd_bundle_groups groups;
	const char *dir;
	char *cache;
	struct vd_segments segments;
	struct vd_segment_say say[VD_STORE_GROUPS_MAX];
	struct vd_buf hearing[VD_STORE_GROUPS_MAX]; /* to be left in each group */
	struct vd_receipts receipts[VD_STORE_GROUPS_MAX]; /* likewise, if anything is written */
	bool receipts_due[VD_STORE_GROUPS_MAX];     /* … and even if nothing else is */
	bool receipts_left[VD_STORE_GROUPS_MAX];    /* they stand there now */
	uint8_t stick_id[VD_STICK_ID_BYTES];
	struct vd_route route;       /* of what came from it */
	struct vd_arrivals stick;    /* of our records, what the stick holds */
	struct vd_arrivals wanted;   /* our stubs whose body we want */
	struct vd_queue queues[VD_STORE_GROUPS_MAX];
	const struct vd_stick_wish *wish;
	uint64_t used_bytes;         /* by segments, whoever's */
	uint64_t segment_bytes;      /* no file gets larger; less than usual once the medium refused one */
	uint64_t to_read, bytes_read, records_read; /* for it: of the segments that are to be read, and of those that were */
	bool shut;                   /* something stands there that none of our keys opens, and nobody says that it is out of use */
	bool removed;                /* the folder is to be made durable */
	size_t pending;              /* segments that could not be taken whole: more may be when what their records build on has come */
	struct vd_stick_result *result;
};

/* Of a file in the stick's folder; the caller's. NULL: no memory. */
char *vd_visit_path(const struct vd_visit *, const char *name);

/* --- stick_write.c --- */

/* Writes what the stick lacks, as far as it has room: *full grows true when that was not all. */
int vd_visit_write(struct vd_visit *, bool *full);
/* Where a hearing or receipts are due that went into no segment with records: into a file of their own, and the ones before it, which we
 * wrote and which hold nothing else, go. A hearing is due so of a courier, who writes nothing that it could go with, and of who cannot open
 * everything and may wait for an answer. */
int vd_visit_leave_word(struct vd_visit *, size_t g);
/* Is one of them due, or is anything to be said of segments? */
bool vd_visit_has_word(const struct vd_visit *, size_t g);

/* --- stick_foreign.c --- */

/* Of segments not read yet which none of so many keys opened on an earlier visit to this stick, all but VD_FOREIGN_TRIED are passed over. */
enum { VD_FOREIGN_TRIED = 8 };
int vd_foreign_recall(struct vd_visit *, size_t keys);
/* Remembers those that none of so many opened now. */
int vd_foreign_note(struct vd_visit *, size_t keys);

/* --- stick_queue.c --- */

/* The first of ours that the stick lacks, or whose body it lacks and we have; 0: there is none. */
int vd_visit_lacks(struct vd_visit *, uint64_t *first);
/* Fills the queues of all groups. They are the caller's to free. */
int vd_visit_queue(struct vd_visit *);

/* --- stick_known.c --- */

/* Puts behind all else in that queue what each device with a role is known to hold: with little room it can stay out. Control records stay where they are. */
int vd_visit_known_last(struct vd_visit *, size_t g);

/* --- stick_fold.c --- */

/* Segments of ours that may go into the next one of their group, each with what it says: PROTOCOL.md section 7, folding. */
enum { VD_FOLDS_MAX = 8 };
struct vd_folds {
	struct vd_bundle_fill fills[VD_FOLDS_MAX];
	struct vd_segment *segments[VD_FOLDS_MAX];
	struct vd_buf damaged[VD_FOLDS_MAX], replaced[VD_FOLDS_MAX];
	struct vd_slice hearing;     /* of one of them, which would be said again now; borrowed */
	size_t count;
};
/* The smallest first, and before all others `shed`, if it is not NULL. To be deinit in any case. */
int vd_folds_find(struct vd_visit *, size_t g, struct vd_segment *shed, struct vd_folds *);
/* The smallest segment of ours in which a body stands that a redaction has taken here; *out is NULL when there is none. It is to be written anew without. */
int vd_folds_shed(struct vd_visit *, size_t g, struct vd_segment **out);
void vd_folds_deinit(struct vd_folds *);
/* The segment that took them stands there, durable: they go. */
int vd_folds_remove(struct vd_visit *, const struct vd_folds *);
/* Removes segments of ours which an earlier visit of ours replaced by one that holds all of them, if it was interrupted before it could. And what was removed
 * on this visit is removed for good. */
int vd_visit_tidy(struct vd_visit *);
/* A file of this group, if it still is: what stands there now may be somebody else's. */
int vd_visit_remove(struct vd_visit *, const struct vd_segment *);

#endif
