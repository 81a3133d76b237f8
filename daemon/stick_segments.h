/* The segments of one stick, and what they say about each other: which are damaged, which were replaced. Decides what still counts
 * and what is to be said in the next segment. PROTOCOL.md section 7, Stick. */
#ifndef VD_STICK_SEGMENTS_H
#define VD_STICK_SEGMENTS_H

#include <time.h>

#include "store/bundle.h"
#include "store/sticks.h"

enum {
	VD_SEGMENT_NAME = 2 * VD_SEGMENT_ID_BYTES + 4, /* hex and ".bin" */
	VD_SEGMENT_SAY_MAX = 1024,                     /* names of either kind said to a group on one visit; the others on later ones */
	VD_SEGMENT_FOR_MAX = VD_SLOTS - 1,             /* devices one catch-up segment is for: the link slot is the last */
	VD_SEGMENT_RECEIPT = VD_KEY_BYTES + 8,
};

enum vd_segment_state {
	VD_SEGMENT_UNREAD,  /* or nothing in it is for us */
	VD_SEGMENT_KNOWN,   /* read or written on an earlier visit, wholly */
	VD_SEGMENT_LOST,    /* known, but the file is no longer what it was */
	VD_SEGMENT_WHOLE,   /* read just now */
	VD_SEGMENT_DAMAGED,
	VD_SEGMENT_TORN,
};

struct vd_segment {
	uint8_t id[VD_SEGMENT_ID_BYTES];
	char name[VD_SEGMENT_NAME + 1];
	uint64_t size;
	struct timespec written;  /* as the medium says */
	enum vd_segment_state state;
	uint64_t declined;        /* records of it that were not taken, because their author's share is used up */
	bool pending;             /* holds what may become ours when more has come */
	bool foreign;             /* none of our keys opens it, as far as we know */
	bool no_key;              /* likewise; and not for being of a newer version, say */
	bool passed;              /* … and it is not tried now */
	bool untried;             /* not read on this visit, as too many others opened to no key */
	size_t group;             /* its place among the groups; VD_STORE_GROUPS_MAX: not known */
	struct vd_bundle_key key; /* that opens it, once it was opened */
	bool before;              /* KNOWN: it was read before a repair, which may have taken some of it */
	bool as_noted;            /* KNOWN: of the size it had then; and key is what opened it */
	struct vd_buf list;       /* of our records, what it holds: a list of arrivals.h */
	struct vd_buf notices;    /* u8 entry type and the other's id, each once, all on this stick */
	struct vd_buf devices;    /* author keys of those it says it is for, at most VD_SEGMENT_FOR_MAX */
	struct vd_buf hearing;    /* what it says that a device has heard; as it stands there, not verified */
	struct vd_buf receipts;   /* of each receipt in it, not verified: author key and u64 count, VD_SEGMENT_RECEIPT bytes */
	bool receipts_alone;      /* nothing else stands in it, and all of them count */
	bool on_stick;            /* the store knows on which stick it stands, or stood when it was seen last: this one */
	uint8_t stick[VD_STICK_ID_BYTES];
	bool elsewhere;           /* … and that is another one than this, which has an anchor */
	bool ours;                /* this store wrote it */
	uint64_t said[4];         /* bit g: a segment of group g says so; see stick_segments.c */
	size_t noted[2];          /* in which turn last: each notice once */
	bool gone;                /* removed on this visit */
	bool drop;                /* settled: its contents are written anew */
};

struct vd_segments {
	struct vd_segment *p;     /* by id */
	size_t count;
	size_t noting, turn;      /* whose notices are being read; counts the readings */
};

/* What a group is to be told: ids. */
struct vd_segment_say {
	struct vd_buf damaged, replaced;
};

/* The segments in a folder; VD_ENOTFOUND when there is none. Nothing else in it is looked at. */
int vd_segments_list(struct vd_segments *, const char *folder);
void vd_segments_deinit(struct vd_segments *);

/* The one of that id; NULL: none. */
struct vd_segment *vd_segments_find(const struct vd_segments *, const uint8_t id[VD_SEGMENT_ID_BYTES]);
/* For qsort, of pointers to them: the oldest first, as the medium says. */
int vd_segment_by_age(const void *, const void *);
/* Fills in what the store knows of it: KNOWN (whatever the file looks like now), or leaves it UNREAD. */
int vd_segment_recall(struct vd_segments *, size_t i, struct vd_store *, const struct vd_bundle_groups *, uint64_t latest);
/* Looks at the heads of a KNOWN one that stands at `path`: LOST when it was cut or none of our keys opens it. One that opens, but is another file than was
 * noted under that name, is UNREAD, and nothing is known of it: what the noted one held stands there no more. Likewise one that is gone. VD_ENOMEM. */
int vd_segment_look(struct vd_segment *, struct vd_store *, const struct vd_bundle_groups *, const char *path);
/* Remembers it for later visits: size, key, list, notices, devices, hearing, receipts, its stick, and whether it is ours. */
int vd_segment_learn(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const struct vd_segment *);
/* It stands on that stick, from now on: its note alone, which says of nothing else that it is otherwise. */
int vd_segment_move(struct vd_store *, const struct vd_segment *, const uint8_t stick[VD_STICK_ID_BYTES]);
/* Reading segment i: what to give to vd_bundle_merge_into. Empties its notices, devices, hearing and receipts. */
struct vd_bundle_notices vd_segment_notices(struct vd_segments *, size_t i);
/* Those notices count from now on. */
void vd_segment_heed(struct vd_segments *, size_t i);
/* Out of use: a segment of its own group says so. Maybe: one of whatever group. */
bool vd_segment_replaced(const struct vd_segment *);
/* Is it, or is too little left of it to tell whose it was, and one of our groups says so? Then there is nothing to be mended. */
bool vd_segment_is_over(const struct vd_segment *);
bool vd_segment_maybe_replaced(const struct vd_segment *);
/* Once settled: does one of its own group in use say that it is damaged? */
bool vd_segment_called_damaged(const struct vd_segment *);
/* What was just written replaces it. */
void vd_segment_replace(struct vd_segment *);
/* What it says counts: whole or known, and not replaced. */
bool vd_segment_in_use(const struct vd_segment *);
/* Is it a catch-up segment? What stands only there does not count as being on the stick: others open no slot of it. */
bool vd_segment_is_catch_up(const struct vd_segment *);
/* Once settled: does a segment of group g that stays in use say it is for this device, and hold that record of ours? */
bool vd_segments_serve(const struct vd_segments *, size_t g, const uint8_t device[VD_KEY_BYTES], uint64_t arrival);

/* Once all are read: which are dropped, and what is to be said to each of the groups. */
int vd_segments_settle(struct vd_segments *, struct vd_segment_say say[VD_STORE_GROUPS_MAX]);

#endif
