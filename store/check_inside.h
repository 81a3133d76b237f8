/* What the files of a check share: check.c looks at the records, check_derived.c compares what follows from them, check_repair.c makes it anew.
 * Nobody else includes it. */
#ifndef VD_CHECK_INSIDE_H
#define VD_CHECK_INSIDE_H

#include "check.h"
#include "inside.h"

/* What is kept of each record while all are compared with each other. */
struct vd_checked {
	uint64_t arrival, seq;
	struct vd_id id, prev;
	uint32_t author;          /* place in `authors` */
	uint8_t group;            /* place in `in` */
	uint8_t lane;
	bool has_prev, bad, stub;
	bool wanted;              /* a stub whose body is wanted */
	uint8_t why_not;          /* … and why not, one of VD_STORED_WHY_NOT */
	uint32_t bulk_bytes;      /* of its body, in the bulk lane, if that is here or wanted */
};

struct vd_checked_author {
	uint8_t key[VD_KEY_BYTES];
	bool sound;
};

/* One check. */
struct vd_checking {
	struct vd_store *store;
	struct vd_write *write;
	struct vd_check *out;
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t group_count;
	struct vd_checked *seen;
	size_t count, cap;
	struct vd_checked_author *authors;
	size_t author_count;
	uint64_t *bad;            /* arrivals to be dropped */
	size_t bad_count, bad_cap;
	struct vd_lane_data *lane; /* recomputed, one at a time */
	struct vd_readers readers;
	uint64_t indexed;         /* how far the index has come */
	struct vd_buf room;
	struct vd_reading reading;
	int err;                  /* something could not be looked at, whatever it says; sticky */
};

/* Place of a group among ours; negative: none. */
int vd_checking_group(const struct vd_checking *, const uint8_t group[VD_GROUP_BYTES]);
bool vd_checked_same_chain(const struct vd_checked *, const struct vd_checked *);

/* --- check_derived.c: what does not match is counted in out->derived_bad --- */

/* Is the record indexed by all it says? */
int vd_checking_index(struct vd_checking *, MDB_txn *, const struct vd_record *, uint64_t arrival);
/* Lists, lanes and what the index keeps, against all records, which stand in the order of their chains. */
int vd_checking_derived(struct vd_checking *);
/* Every entry of ITEMS and LISTS that there should be for record i. */
void vd_checking_entries(struct vd_checking *, size_t i,
                         void (*visit)(void *ctx, enum vd_table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival), void *ctx);
/* c->lane, from the records that are good. */
void vd_checking_lane(struct vd_checking *, size_t group, uint8_t lane);

/* What the good ones of the bulk lane add up to. */
void vd_checking_bulk(const struct vd_checking *, uint64_t *here, uint64_t *wanted);

/* --- check_own.c --- */

/* Counts what is missing of our own chains; when all records are judged, in the order of their chains. */
int vd_checking_own(struct vd_checking *);

/* --- check_repair.c --- */

/* Drops what is bad, and makes all that is derived anew. */
int vd_checking_repair(struct vd_checking *);

#endif
