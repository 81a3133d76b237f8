/* Inside of custody, shared by custody.c (opening it, and one record), custody_known.c (what one keeper holds) and custody_missing.c (what
 * nobody does). Nobody else includes it. */
#ifndef VD_CUSTODY_INSIDE_H
#define VD_CUSTODY_INSIDE_H

#include "custody.h"
#include "inside.h"

/* A span of a receipt, as far as it lies in a run of ours. */
struct vd_stretch {
	uint32_t chain;            /* place among the authors */
	uint8_t lane, run;         /* lane: VD_LINKS + lane where bodies that are not here count, too */
	uint64_t high, low;
};

/* What a keeper is known to hold. */
struct vd_known {
	bool loaded, trusted;      /* trusted: there is a receipt, it is not doubtful, and not from the future */
	bool restored;
	bool same_ids[VD_LANES];   /* its lane is ours … */
	bool same[VD_LANES];       /* … with every body */
	uint64_t through[VD_LANES];/* a session showed that it holds all of ours up to there; 0: none did */
	struct vd_stretch *reaches;
	size_t shown;              /* so many of them by what it said or a session showed; the others it may have written since */
	size_t count;
	bool wrote_all[VD_LANES];  /* nothing tells which of its own records it still has: it wrote them, so it has them */
};

struct vd_named; /* custody_known.c */

struct vd_custody {
	struct vd_store *store;
	struct vd_group *group;
	uint64_t now_ms;
	uint64_t cursor;           /* of the index: what came later is in no run */
	struct vd_receipt_lane lanes[VD_LANES];
	struct vd_runs *chains;    /* of each device of the group, by author */
	size_t chain_count;
	struct vd_keeper *keepers;
	struct vd_known *known;
	size_t count;
	struct vd_named *names;    /* a table of 2^n */
	size_t name_count, name_room;
	size_t steps_left;
	struct vd_buf raw;
};

/* custody.c */
/* NULL: no device of the group. */
const struct vd_runs *vd_custody_chain_of(const struct vd_custody *, const uint8_t author[VD_KEY_BYTES]);
/* The run that leads to that id at that seq. *out: NULL when it is in none, or that is not known. */
int vd_custody_run_of(struct vd_custody *, const struct vd_runs *chain, uint8_t lane, uint64_t seq, const struct vd_id *id, const struct vd_run **out);
struct vd_stretch vd_custody_stretch_of(const struct vd_custody *, const struct vd_runs *chain, uint8_t lane, const struct vd_run *, uint64_t seq);
/* Did one of `who` (for each keeper whether it is one of them; NULL: all) that is loaded answer the record with an `ack`, by which it has it? */
int vd_custody_acked(struct vd_custody *, const bool *who, const struct vd_id *, bool *yes);

/* custody_known.c */
/* What the heads of our runs are called: most spans begin where a run of ours does. */
int vd_custody_name_heads(struct vd_custody *);
/* Reads what keeper i is known to hold, once. *out is the custody's. */
int vd_custody_load(struct vd_custody *, size_t i, struct vd_known **out);

#endif
