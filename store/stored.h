/* What stands in the table of records: one record, or a run of several that came one after the other, most often of one author's chain, so that
 * each is told by the one before it (proto/compact.h).
 *
 * A value stands under the arrival number of its last record; those before that have the numbers below it, without a gap. So a record is in the
 * first value that does not stand below its number, and the last key is the highest number that was given.
 *
 * A record stands in one of two ways. Whole and alone: flags, u64 received_ms, id, and the record as it is. So do control records: they are few, and
 * must be told from a broken file without any other help. Compact, in a run of 1 to VD_STORED_RUN_MAX:
 *   u8 flags with VD_STORED_COMPACT, which all of them have; u8 how many records
 *   if it has more than VD_STORED_RUN_HALF bytes, and so pages of its own: flags with VD_STORED_SAYS, and here varint the arrival number of its last,
 *   u32 bytes of what follows; so it is found when the page with its key and length is lost (salvage.h), for 7 bytes in 3500. Nobody else asks them
 *   varint by how much they were received after the first one's own time (zigzag)
 *   u8 how many authors, and of each a varint, its number (authors.c): all of one group, in the order in which they first wrote
 *   of each record: varint bytes of what follows (not of the last, which takes the rest); the first VD_STORED_CHECK_BYTES of its id, the first byte
 *   plus the number of records; its compact form, in a stream in which those authors stand and nothing else
 *
 * A run is cut so that pages are full: it is one whole page of its own, or less than half of one. What changes later - a body came or went -
 * takes its run apart: what changes alike, and what stands between, stands together from then on, or alone.
 *
 * What is damaged takes with it what stands behind it in its run and is told by it; a damaged beginning the whole run, and so does anything in a
 * sealed store: never more than VD_STORED_RUN_MAX records. */
#ifndef VD_STORED_H
#define VD_STORED_H

#include <lmdb.h>

#include "proto/compact.h"
#include "proto/record.h"

struct vd_store;
struct vd_write;
struct vd_author;

enum {
	VD_STORED_HEAD = 1 + 8 + VD_ID_BYTES,       /* flags, received_ms, id: in front of a record that stands whole */
	VD_STORED_STUB = 1, VD_STORED_DROPPED = 2,  /* flags; dropped: `check --repair` found it damaged */
	VD_STORED_WAITING = 4, VD_STORED_UNWANTED = 8, /* of a stub whose body is not wanted: until its author has share left;
	                                                * or until somebody wants it back */
	VD_STORED_EXPIRED = 32, VD_STORED_PRUNED = 64, /* the same: for good; while others are known to keep it */
	VD_STORED_WHY_NOT = VD_STORED_WAITING | VD_STORED_UNWANTED | VD_STORED_EXPIRED | VD_STORED_PRUNED, /* at most one of them */
	VD_STORED_COMPACT = 16, VD_STORED_SAYS = 128, /* in the file alone */
	VD_STORED_SAYS_BYTES = 1 + 1 + 10 + 4,      /* of a value: at most so many say where it ends and belongs */
	VD_STORED_CHECK_BYTES = 4,
	VD_STORED_RUN_MAX = 32,                            /* records; to read the last, all are read: about a microsecond each */
	VD_STORED_RUN_BYTES = 3964,                        /* of a run, sealed or not: one page of 4 KiB, LMDB's head and the seal's included … */
	VD_STORED_RUN_MOST = 3500,                         /* … and from that on it is worth one; … */
	VD_STORED_RUN_HALF = 1916,                         /* … else at most that: two in a page beside LMDB's keys */
};

/* A stored record as read; slices borrow from the reading. */
struct vd_stored {
	uint64_t arrival, received_ms;
	uint8_t flags;
	struct vd_id id;
	struct vd_slice raw;
	bool alone;                /* in its value */
	bool compact;              /* it stood so, and: */
	uint32_t number;           /* its author's */
	struct vd_record view;     /* what vd_record_decode makes of raw */
};

/* What of it is needed to put another in its place. */
struct vd_place {
	uint64_t arrival, received_ms;
	uint8_t flags;
	bool compact, alone;
};
struct vd_place vd_place_of(const struct vd_stored *);

bool vd_stored_flags_ok(uint8_t flags);
/* Is it a stub whose body we want? */
bool vd_flags_wanted(uint8_t flags);
/* The name of the list of LISTS, of a group, on which a stub with that reason stands; NULL: there is none. */
const char *vd_why_not_list(uint8_t flags);

/* --- reading --- */

/* A value, opened, and what was read of it: who reads one record after the other opens each run once. Zero is a good start; it holds what was
 * sealed, and is wiped at the end. For one thread. */
struct vd_reading {
	size_t snapshot;           /* LMDB's number of it; 0: nothing is open */
	uint64_t first, last;      /* arrival numbers */
	bool damaged;              /* all of it */
	size_t read;               /* records so far, and what came of each: */
	struct vd_read_one {
		int err;
		struct vd_stored stored;
	} *ones;
	size_t cap;
	uint8_t flags, count, authors;
	uint32_t numbers[VD_STORED_RUN_MAX]; /* theirs, as the stream has them */
	uint64_t later;            /* how much they were received after the first one's time; from then on, when */
	struct vd_rd rest;
	struct vd_buf value, raws;
	struct vd_compact stream;
};
void vd_reading_wipe(struct vd_reading *); /* a good start again */
/* Begins with a value as it is when opened, which stands under `last`; it is copied. `author_of` says whose a number is, 0 or an error, which is
 * returned. VD_EDAMAGED: it, its beginning or its first record; VD_ENOMEM. */
int vd_reading_begin(struct vd_reading *, struct vd_slice value, uint64_t last, int (*author_of)(void *ctx, uint64_t number, struct vd_author *),
                     void *ctx);
/* A value that begins so: the arrival number of its last record, and how many bytes it has, if it says that. */
bool vd_stored_says(struct vd_slice beginning, uint64_t *last, uint64_t *bytes);
/* One of its records. VD_ENOTFOUND: dropped, or not in it; VD_EDAMAGED, VD_ENOMEM. *out lasts until the next begins. */
int vd_reading_record(struct vd_reading *, uint64_t arrival, struct vd_stored *out);

/* Opens a value of the records table in a snapshot, unless it is open. VD_EDAMAGED is for vd_reading_record to say of each number that may be in it. */
int vd_stored_open(struct vd_store *, MDB_txn *, const MDB_val *key, const MDB_val *value, struct vd_reading *);
/* VD_ENOTFOUND (also for a dropped one), VD_EDAMAGED. */
int vd_stored_get(struct vd_store *, MDB_txn *, uint64_t arrival, struct vd_reading *, struct vd_stored *out);
/* What was read last of the store, for who reads a little at a time and goes on there soon; if another thread has it, `own`. To be given back, which
 * wipes it if it is `own`. */
struct vd_reading *vd_reading_borrow(struct vd_store *, struct vd_reading *own);
void vd_reading_return(struct vd_store *, struct vd_reading *);
/* The same in a snapshot of its own, with a borrowed reading: appends the record to *raw; out->raw and view are nothing. */
int vd_stored_read(struct vd_store *, uint64_t arrival, struct vd_buf *raw, struct vd_stored *out);
/* As vd_record_decode of its raw bytes, cheaper when that is known. */
int vd_stored_view(const struct vd_stored *, struct vd_record *);
int vd_latest(struct vd_store *, MDB_txn *, uint64_t *arrival);

/* --- writing: stored_write.c --- */

/* A run being gathered. Zero is a good start. */
struct vd_stored_run {
	uint64_t last;             /* arrival number of its last record */
	uint8_t flags, count, authors;
	uint64_t received_ms, time_ms; /* the latter of the first */
	uint8_t group[VD_GROUP_BYTES];
	uint32_t numbers[VD_STORED_RUN_MAX];
	struct {
		uint16_t n;            /* bytes of its compact form */
		uint8_t authors;       /* of it and those before it */
		uint8_t check[VD_STORED_CHECK_BYTES];
	} ones[VD_STORED_RUN_MAX];
	struct vd_compact stream;
	struct vd_buf forms;
};
void vd_stored_run_deinit(struct vd_stored_run *);
/* Adds the next record, by the author of that number. VD_ECAP: it does not belong there, or has no room; VD_ENOMEM. Then nothing has changed. */
int vd_stored_run_add(struct vd_stored_run *, const struct vd_record *, uint32_t number, uint64_t arrival, uint8_t flags, uint64_t received_ms);
/* Appends the value of its first `count` records to *out. VD_ENOMEM. */
int vd_stored_run_encode(const struct vd_stored_run *, size_t count, struct vd_buf *out);
/* Appends the value of one compact record that stands alone. VD_ENOMEM. */
int vd_stored_encode(const struct vd_record *, uint32_t number, uint64_t arrival, uint8_t flags, uint64_t received_ms, struct vd_buf *out);

/* What changes of what stands in runs, until all of it is known: those of one run change together. */
struct vd_stored_changes {
	struct vd_stored_change {
		uint64_t arrival, received_ms;
		struct vd_id id;
		uint8_t flags;
		bool whole;
		size_t order, at, n;       /* its bytes in raws */
	} *list;
	size_t count, cap;
	struct vd_buf raws;
};
void vd_stored_changes_deinit(struct vd_stored_changes *);

/* In a transaction: puts a record behind the one before it. */
int vd_stored_put(struct vd_write *, uint64_t arrival, const struct vd_record *, uint8_t flags, uint64_t received_ms, bool whole);
/* Puts it in the place of another. */
int vd_stored_put_again(struct vd_write *, const struct vd_place *, const struct vd_record *, uint8_t flags);
/* Nothing but its number is left of what stands there. */
int vd_stored_drop(struct vd_write *, uint64_t arrival);
/* What came, and what changes in runs: to be done before the transaction is committed. */
int vd_stored_settle(struct vd_write *);

#endif
