/* Stick: a folder as a passive peer. Reads what is new on it, adds what it lacks. PROTOCOL.md section 7, Stick. */
#ifndef VD_LINK_STICK_H
#define VD_LINK_STICK_H

#include "store/sticks.h"

struct vd_stick_result {
	uint64_t received, sent;     /* records: new here, or with their body at last; added to the stick */
	uint64_t bytes_in, bytes_out;/* of segments read and written */
	uint64_t segments_read, segments_bad, segments_torn, segments_foreign;
	uint64_t segments_untried;   /* new ones that were not looked at, since too many before them opened to none of our keys: on the next visit */
	uint64_t heads_bad;          /* of segments_bad: all records of it are whole, one of its two heads is not */
	uint64_t chunks, chunks_bad; /* of the segments read on this visit; the bad ones were refused */
	uint64_t declined;           /* records on it that were not taken, because their author's share of this device is used up */
	uint64_t later;              /* records that were read, and whose body waits for a later day of their author's share (store/shares.h) */
	uint64_t left[VD_LANES];     /* records of each lane that are here and not there, for want of room or because it takes no writes */
	uint64_t spared;             /* records that are here and not there, for want of room, and that each device with a role is known to hold */
	bool busy;                   /* another visit of this store's is under way there: VD_EBUSY, and nothing was read or written */
	bool others;                 /* somebody else was writing there: what was to be read went into another file meanwhile */
	bool unreadable;             /* some are spoilt here, and are not there: `check` */
	bool full;                   /* some of `left` found no room there */
	bool at_max;                 /* what was written is bounded by the wish, not by the medium */
	bool forgets;                /* what was written was not there when it was read back; VD_EIO then */
	bool read_only;              /* the medium takes no writes: it was only read */
	bool unsaid;                 /* likewise, and a receipt or a hearing was to be left there; or there was no room for receipts */
	bool complete;               /* all that is on it is here but what was declined, nothing of it damaged, and all that is here is on it, as far as
	                              * we know so that everyone with a role can read it, or is `spared` */
	bool safe_to_remove;         /* what was written is durable and was read back; nothing is under way */
};

/* One visit, for every group of the store. Interruptible at any moment without loss: segments appear whole or not at all. Costs what
 * differs: of segments that this store has read or written before only sizes, and the heads of a few, are looked at.
 * VD_ENOTFOUND: no such folder. VD_EINVAL: its `cache` is a file or a link (vd_stick_odd). VD_ENOSPACE: could not add everything (the most urgent that fits was; what was read is kept).
 * VD_EDAMAGED, VD_ETORN: some segments are damaged or torn, or someone found them so, and were not replaced before this visit. Their
 * whole chunks were taken, what they lack was added anew, and others are told: who has all of one replaces it on its next visit.
 * VD_EIO: the medium failed or went away. VD_EBUSY, with result->busy: this device is at it already. */
int vd_stick_sync(struct vd_store *, const char *dir, struct vd_stick_result *);
/* The same as somebody wants it. */
struct vd_bundle_watch;
struct vd_stick_wish {
	const struct vd_bundle_watch *watch; /* looks on while it is read (bundle.h); may be NULL */
	uint64_t max_bytes;                  /* of all segments on the stick, once it was written; 0: what the medium has, but for a 64th of it, 8 to 64 KiB. Of
	                                      * either, records of lanes 2 and 3 leave a reserve: a quarter, 136 or 204 to 545 kB */
	bool anchor;                         /* it is to be known again for sure, since it is about to be marked */
	uint32_t wait_ms;                    /* at most, for another visit of this store's to that stick to end; 0: not at all */
};
int vd_stick_sync_as(struct vd_store *, const char *dir, const struct vd_stick_wish *, struct vd_stick_result *);

/* No segment gets larger: an interrupted visit loses one, alerts are on the stick before the next is begun, and FAT has files of 4 GiB at most. */
enum { VD_STICK_SEGMENT_BYTES = 16 * 1024 * 1024 };

/* Is there something named cache which is no folder? A link would lead us elsewhere. */
bool vd_stick_odd(const char *dir);
/* Which stick stands there, by the names and times of its segments alone: no file on it is opened. VD_ENOTFOUND: none that this store has seen, for all it can tell.
 * VD_EBUSY: this device is at it, and was for so long: what stands there changes, and what is known of it. */
int vd_stick_which(struct vd_store *, const char *dir, uint32_t wait_ms, struct vd_stick *out);
enum { VD_STICK_TURN_MS = 5000 }; /* that a person may wait */

/* --- stick_check.c: is all that a stick holds known to be elsewhere? --- */

struct vd_stick_check {
	uint64_t records;            /* on it with their body, as far as they are ours to know; but those whose body went here as it was redacted or over */
	uint64_t unconfirmed;        /* of them, those that no other device said or showed that it holds (not by having written them, nor by a device that
	                              * another of its member may have replaced since); and those that are not here */
	uint64_t absent;             /* of these, the latter: sync first */
	uint64_t left;               /* … and of which only the content is not: a bound of this device keeps it away, or it has yet to come */
	uint64_t waiting;            /* of those that are confirmed, what only couriers or this member's own devices are known to have */
	uint64_t lapsed;             /* … and what is confirmed only by those whose promise to keep it is over */
	uint64_t foreign;            /* segments that nothing here opens: what is in them nobody here can tell */
	uint64_t bad;                /* segments that are damaged or torn */
	bool safe;                   /* nothing of all that */
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES]; /* those of which some of what is here is unconfirmed */
	size_t group_count;
};

/* Reads only. VD_ENOTFOUND: no such folder. Errors otherwise as vd_bundle_merge. */
int vd_stick_check(struct vd_store *, const char *dir, struct vd_stick_check *out);

#endif
