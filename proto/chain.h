/* Validity of many records at once, heads first: the one rule of PROTOCOL.md section 3 on every path. */
#ifndef VD_CHAIN_H
#define VD_CHAIN_H

#include "compact.h"

struct vd_group;

/* Records taken in together, from a session, a bundle or a stick. Owns the bytes. All zero is a valid empty batch. */
struct vd_batch {
	struct vd_batch_entry *entries;
	size_t count, capacity;
	struct vd_buf bytes;      /* every raw record, one after the other */
	uint64_t verified;        /* signature checks that judging it took */
	uint32_t *checks;         /* vd_chain_plan: places of the entries whose own signature is to be checked */
	size_t check_count;
};

struct vd_batch_entry {
	size_t at;                /* offset of the raw record in bytes */
	size_t ext_at;            /* of its ext in the raw record */
	struct vd_record record;  /* views, valid from vd_batch_seal() on */
	bool stray;               /* valid, of lanes 1 to 3, and its author's device has no role now */
	int verdict;              /* VD_EAGAIN until verified; then 0, or why not */
	bool vouched;             /* a valid successor in the batch names it; of several copies, marked is the last */
	enum vd_proof {           /* what is known of its signature, whatever vouches for it */
		VD_PROOF_NONE, VD_PROOF_GOOD, VD_PROOF_BAD
	} proof;
	uint64_t arrival;         /* of whoever stored it: its number there; 0 until then, or it was not stored or noted */
};

void vd_batch_deinit(struct vd_batch *);
void vd_batch_reset(struct vd_batch *);
/* Copies and decodes one raw record. A malformed one is VD_EFORMAT (or as vd_record_decode says) and is not added. VD_ENOMEM.
 * How many and how much is the caller's to bound. Ends the validity of views until the next vd_batch_seal(). */
int vd_batch_add(struct vd_batch *, struct vd_slice raw);
/* The same with the next of a stream of compact ones; hashed here, once. Refused or not, the stream's context has moved on, but for
 * VD_EFORMAT where there is no whole record behind the flag (vd_compact_is_whole): then it is no stream of records. */
int vd_batch_add_compact(struct vd_batch *, struct vd_compact *, struct vd_slice in);
/* Takes the last one added back. */
void vd_batch_drop_last(struct vd_batch *);
/* Points the views into the (now unmoving) bytes. Called by vd_chain_verify. */
void vd_batch_seal(struct vd_batch *);

/* Questions about what is stored already. */
struct vd_chain_port {
	void *ctx;
	/* Is a stored (therefore valid) record of the same group, author and lane, seq one higher, naming this id in prev? Or is it
	 * stored itself? It is one of the batch's entries. */
	bool (*vouched)(void *ctx, const struct vd_record *);
};

/* Sets every entry's verdict, afresh if called again, and sorts the group's entries by lane, author, seq, id ascending:
 *   0            valid, its author granted (lane 0: entitled)
 *   VD_EGROUP    of another group
 *   VD_EAUTHOR   author not granted, or control by one not entitled: for the pool, lane 0 may grow
 *   VD_ESIGNATURE neither its own signature nor a valid successor vouches
 *   VD_EFORMAT   lane 0 whose body is no control content, or is a stub
 *   VD_ECAP      lane 0 over VD_CONTROL_MAX
 * Valid control records are added to `group` on the way, so that a grant in the batch admits the records behind it;
 * loops until nothing more becomes valid. Only a record of verdict 0 vouches for its predecessor. The founding record is
 * the exception to the chain: seq 1, and its own signature must hold. Verified singly are only records that no successor
 * vouches for; *verified, if not NULL, grows by those signature checks. `port` may be NULL: nothing is stored yet.
 * VD_ENOMEM: the group may have grown; verdicts already given hold. */
int vd_chain_verify(struct vd_batch *, struct vd_group *group, const struct vd_chain_port *, uint64_t *verified);

/* vd_chain_verify in three steps, for who has several threads; each is pure, and a batch is judged after the last.
 * 1. Everything that needs the group: control records are judged for good, of the others who may not be here is told, and *checks are
 *    planned: entries that nothing in the batch names, if all that is in it is valid. VD_ENOMEM, VD_ECAP (more than 2^32 entries). */
int vd_chain_plan(struct vd_batch *, struct vd_group *group, const struct vd_chain_port *, size_t *checks);
/* 2. The signature checks of [from, to) of the plan. Any threads, each another part, at the same time. */
void vd_chain_check(struct vd_batch *, size_t from, size_t to);
/* 3. The verdicts. What only a bad record vouched for, and what was not checked, is verified here. */
void vd_chain_settle(struct vd_batch *, const struct vd_chain_port *);

#endif
