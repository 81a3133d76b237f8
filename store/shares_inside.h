/* What one author may take (shares.h), as a transaction asks and counts it. Inside the store only. */
#ifndef VD_SHARES_INSIDE_H
#define VD_SHARES_INSIDE_H

#include "inside.h"

/* Of one author in one group, as the transaction will leave it. */
struct vd_share {
	uint8_t group[VD_GROUP_BYTES], author[VD_KEY_BYTES];
	uint64_t records[VD_LANES];
	uint64_t accepted[VD_LANES];  /* of one without a role: what a revocation accepted of theirs, at most */
	uint64_t day, day_bytes;      /* bodies that came on that day of ours */
	uint64_t released_day, released_bytes; /* waiting bodies that were wanted again on that day */
	bool moved, recounted;
};
struct vd_declining {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_declined_set set;
	bool moved;
};
enum vd_share_word {
	VD_SHARE_TAKE,
	VD_SHARE_WAIT,    /* … as a stub that waits */
	VD_SHARE_LATER,   /* … for a later day: the author's share of this one is used up */
	VD_SHARE_DECLINE, /* not at all; the list says so */
};

/* --- what a transaction asks --- */

/* Reads what the bounds are before a batch is judged by them, and what an author without a role is allowed. */
int vd_shares_prepare(struct vd_write *, const struct vd_membership *, const struct vd_batch *);
/* May it come in? Counts it, or its body if it is not `fresh`; for `own` records and control the answer is always yes. */
int vd_share_admit(struct vd_write *, const struct vd_record *, bool own, bool stray, bool fresh, uint64_t now_ms,
                   enum vd_share_word *out);
/* A record of the bulk lane whose body has so many bytes stands with these flags from now on; with `was` until now, NULL: it is new. */
int vd_share_bulk(struct vd_write *, const uint8_t *was, uint8_t is, uint32_t bytes);
/* Has its author no share left on this day for its body, as the transaction will leave it? And in a snapshot, by these bounds? */
int vd_share_later(struct vd_write *, const struct vd_record *, uint64_t now_ms, bool *later);
int vd_share_later_in(struct vd_store *, MDB_txn *, const struct vd_shares *, const uint8_t *group, const uint8_t *author, uint64_t bytes, uint64_t now_ms,
                      bool *later);
/* It will not come in after all. */
int vd_share_refuse(struct vd_write *, const struct vd_record *);
/* So many records more, whoever brought them. */
int vd_share_count(struct vd_write *, const uint8_t *group, const uint8_t *author, uint8_t lane, int n);
/* How many of theirs are here, as the transaction will leave it; of one whose count was lost at least one. */
int vd_share_records(struct vd_write *, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t *out);
/* One more for a count that begins anew in this transaction (n 0: only begins). */
int vd_share_recount(struct vd_write *, const uint8_t *group, const uint8_t *author, uint8_t lane, bool one_more);
/* So many bytes of bodies of the bulk lane are here, and so many wanted. */
void vd_share_recount_bulk(struct vd_write *, uint64_t here, uint64_t wanted);
void vd_shares_put(struct vd_write *);

/* --- of the files that share this out: shares.c, shares_bulk.c, shares_waiting.c --- */

/* An author's share as the transaction will leave it. Valid until the next one is asked for. */
int vd_share_of(struct vd_write *, const uint8_t *group, const uint8_t *author, struct vd_share **out);
/* What a person set is in w->set from then on. */
int vd_share_settings(struct vd_write *);
/* What a revocation accepted of an author without a role, in share->accepted. */
int vd_share_accepted(struct vd_write *, struct vd_group *, const struct vd_membership *, struct vd_share *, uint8_t lane);
/* How many records of the author are taken in that lane; stray: who has no role. */
uint64_t vd_share_limit(const struct vd_shares *, const struct vd_share *, uint8_t lane, bool stray);
/* Whom this device declines in the group: in a snapshot, and as the transaction will leave it (the transaction's). */
int vd_declining_read(struct vd_store *, MDB_txn *, const uint8_t *group, struct vd_declined_set *out);
int vd_declining_of(struct vd_write *, const uint8_t *group, struct vd_declining **out);

/* Bytes of bodies of the bulk lane that are here and wanted, and of the last attachment that was not begun for want of room: in a snapshot, and into w->bulk. */
struct vd_share_bulk {
	uint64_t here, wanted, lacking;
};
int vd_share_bulk_read(struct vd_store *, MDB_txn *, struct vd_share_bulk *);
int vd_share_bulk_load(struct vd_write *);
void vd_share_bulk_put(struct vd_write *);
/* Is there room for so many bytes more beside those? To be asked after vd_share_settings. */
bool vd_share_bulk_fits(const struct vd_write *, uint64_t beside, uint64_t bytes);
/* There is none for that record: in this transaction what comes behind it of the same attachment waits, too, even where it is small enough. Nobody can use a
 * tail, and what is whole may have the room. */
void vd_share_bulk_leave(struct vd_write *, const struct vd_record *);
bool vd_share_bulk_left(const struct vd_write *, const struct vd_record *);

/* --- shares_begin.c --- */

/* All that waits is looked at: whether something still lacks room is found on the way. */
int vd_share_bulk_anew(struct vd_write *);

/* A chunk for which there is room beside those bytes: is it one of an attachment that is not here yet, and has no room as a whole? Then *leave. What it
 * comes to is told by the record that attaches it, if that is here or in the batch (may be NULL) and can be read; else nothing is left for it. `fresh`: it
 * came just now, and not out of those that wait, which stand in any order. */
int vd_share_bulk_begin(struct vd_write *, const struct vd_membership *, const struct vd_batch *, const struct vd_record *, uint64_t beside, bool fresh,
                        bool *leave);

/* As vd_shares_release on that day of ours. anew: also if what waits was gone through on it. */
int vd_share_release(struct vd_store *, struct vd_group *, uint64_t day, bool anew, uint64_t *count);

#endif
