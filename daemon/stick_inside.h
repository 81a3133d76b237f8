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
	size_t lane_ends[2 * VD_LANES]; /* where those of the next lane begin; and once more, of what is known to be everywhere and goes last: the spare ones */
};

static inline size_t vd_queue_spare(const struct vd_queue *q)
{
	return q->lane_ends[VD_LANES - 1];
}

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
	bool anchors;                /* it is to be known again: stick_which.h */
	bool anchored, anchor_is_new; /* it has one: */
	uint8_t anchor[VD_SEGMENT_ID_BYTES];
	struct vd_route route;       /* of what came from it */
	struct vd_arrivals stick;    /* of our records, what the stick holds */
	struct vd_arrivals wanted;   /* our stubs whose body we want */
	struct vd_queue queues[VD_STORE_GROUPS_MAX];
	const struct vd_stick_wish *wish;
	uint64_t used_bytes;         /* by segments, whoever's */
	uint64_t medium_bytes;       /* of all of it, or what somebody wants used of it */
	uint64_t segment_bytes;      /* no file gets larger; less than usual once the medium refused one */
	uint64_t to_read, bytes_read, records_read; /* for it: of the segments that are to be read, and of those that were */
	bool shut;                   /* something stands there that none of our keys opens, and nobody says that it is out of use */
	bool removed;                /* the folder is to be made durable */
	uint64_t spared;             /* the highest number of a spare record that found no room */
	size_t pending;              /* segments that could not be taken whole: more may be when what their records build on has come */
	uint64_t now_ms;             /* by our clock */
	uint32_t expired_through[VD_STORE_GROUPS_MAX]; /* vd_store_expired_through */
	struct vd_stick_result *result;
};

/* What the stick holds, by the segments that are in use: fills in v->stick, from the start if it was before. */
int vd_visit_count(struct vd_visit *);
/* Of a file in the stick's folder; the caller's. NULL: no memory. */
char *vd_visit_path(const struct vd_visit *, const char *name);

/* --- stick_write.c --- */

/* Writes what the stick lacks, as far as it has room: *full grows true when that was not all. */
int vd_visit_write(struct vd_visit *, bool *full);
/* Where a hearing or receipts are due that went into no segment with records: into a file of their own, and the ones before it, which we
 * wrote and which hold nothing else, go. A hearing is due so of a courier, who writes nothing that it could go with, and of who cannot open
 * everything and may wait for an answer. */
int vd_visit_leave_word(struct vd_visit *, size_t g);
/* For the stick to be known again by: one control record, which need not be lacking there. VD_ENOSPACE, VD_EKEY, VD_ENOTFOUND: not written. */
int vd_visit_write_anchor(struct vd_visit *, size_t g);
/* Is one of them due, or is anything to be said of segments? */
bool vd_visit_has_word(const struct vd_visit *, size_t g);

/* --- stick_foreign.c --- */

/* Of segments not read yet which none of so many keys opened on an earlier visit to this stick, all but VD_FOREIGN_TRIED are passed over. */
enum { VD_FOREIGN_TRIED = 8 };
/* How many keys we have of all groups: they come with control records, and are never lost. */
size_t vd_foreign_keys(const struct vd_bundle_groups *);
int vd_foreign_recall(struct vd_store *, const uint8_t stick[VD_STICK_ID_BYTES], struct vd_segments *, size_t keys);
/* Of those that were never tried, or were forgotten, so many that no key opens are tried on a visit, half of them from the oldest and half from the newest
 * on: each costs some milliseconds. The others are `untried`. */
enum { VD_FOREIGN_MOST = 512 };
/* Remembers those that none of so many opened now. */
int vd_foreign_note(struct vd_visit *, size_t keys);

/* --- stick_queue.c --- */

/* The first of ours that the stick lacks, or whose body it lacks and we have; 0: there is none. */
int vd_visit_lacks(struct vd_visit *, uint64_t *first);
/* Fills the queues of all groups, from the start if they were filled before. They are the caller's to free. */
int vd_visit_queue(struct vd_visit *);

/* --- stick_known.c --- */

/* What each device with a role but this one is known to hold of a group, with its body. */
struct vd_everywhere;
/* *out: NULL when that is nothing. Borrows the visit's store and group. */
int vd_everywhere_open(struct vd_visit *, size_t g, struct vd_everywhere **out);
/* Of the record of ours under that number. One that cannot be read is not known to be. */
int vd_everywhere_has(struct vd_everywhere *, uint64_t number, bool *yes);
void vd_everywhere_close(struct vd_everywhere *); /* NULL is fine */
/* Puts behind all else in that queue what is everywhere: with little room it can stay out. Control records stay where they are. */
int vd_visit_known_last(struct vd_visit *, size_t g);

/* --- stick_room.c --- */

/* Of a record in a chunk, beside its own: no compact form is larger. */
enum { VD_VISIT_ENTRY_BYTES = 8 };
/* What may use the room of a stick how far. */
enum vd_room_for {
	VD_ROOM_URGENT,              /* alerts, control records, hearings, what is to be said of segments, receipts: all of it */
	VD_ROOM_NEWS,                /* without the reserve */
	VD_ROOM_SPARE,               /* what everybody is known to have: a quarter of a new stick stays free besides, for news; any other has no room for it */
};
int vd_visit_room(struct vd_visit *, enum vd_room_for, uint64_t *out);
/* Is anything to be written for that group, as it stands in its queue or is to be said? */
bool vd_visit_has_to_write(const struct vd_visit *, size_t g);
/* Where there may be too little room for the queues: puts what is known to be everywhere behind all else in them, and if what stands before that finds
 * none, removes segments of ours of which each record is known to be everywhere, the oldest first, until it does. PROTOCOL.md section 7, a full stick. */
int vd_visit_make_room(struct vd_visit *);

/* Once all is written: where there is little room for others' news, removes some segments of ours that are known to be everywhere and hold no control
 * records. Receipts of theirs that stand nowhere else are due then. */
int vd_visit_leave_room(struct vd_visit *);

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
/* May that one be replaced at all? Those who can open it are those who will open what we write now. */
bool vd_folds_may_take(const struct vd_visit *, size_t g, const struct vd_segment *);
void vd_folds_deinit(struct vd_folds *);
/* The segment that took them stands there, durable: they go. */
int vd_folds_remove(struct vd_visit *, const struct vd_folds *);
/* Removes segments of ours which an earlier visit of ours replaced by one that holds all of them, if it was interrupted before it could, and copies of them (below). And what was removed
 * on this visit is removed for good. */
int vd_visit_tidy(struct vd_visit *);
/* A file of this group, if it still is: what stands there now may be somebody else's. Not the anchor, unless another is held. It is `gone` if it went. */
int vd_visit_remove(struct vd_visit *, struct vd_segment *);

/* --- stick_copies.c --- */

/* Removes segments of ours each record of which stands in others of ours, too: what two visits at once wrote, or one that did not know of the other. At most
 * so many on a visit. */
enum { VD_COPIES_REMOVED = 8 };
int vd_visit_remove_copies(struct vd_visit *, size_t g);

/* --- stick_shed.c --- */

/* Of bodies that expired here, so many are looked at on a visit to find how much of a segment they are. */
enum { VD_SHED_LOOKED_AT = 4096 };
/* A segment of ours that is to be written anew without bodies which it should not hold any more: one that a redaction has taken here; or so many that
 * expired here that what is written anew is at most three times what goes. *out is NULL when there is none. */
int vd_visit_shed(struct vd_visit *, size_t g, struct vd_segment **out);

#endif
