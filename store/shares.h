/* Shares: what one author may take of this device's disk, whoever brings it. Local policy, never validity: another device may take what
 * this one does not, and a session leaves out what either declines (proto/declined.h).
 *
 * Of an author in one lane so many records are taken; of one whose device has no role, far fewer, beyond what was accepted of theirs.
 * Past that a record is declined: not stored, counted, and lane and author stand on the group's list, which the next HELLO says.
 * Of an author's bodies so much is taken in a day of ours; past that a record is kept as a stub whose body waits for a later day.
 * Of the bulk lane so many bytes of bodies are kept, whoever wrote them; past that its records are kept as stubs, too, and peers are told to
 * send none. An attachment that has no room as a whole is not begun, where what it comes to can be read. Its bodies that were left for either reason are wanted again when there is room.
 * Control records and our own writing have no such bounds. All counts move in the commit that brings the records: one value an author.
 *
 * Besides, so much of the medium stays free for control records and for wiping: where less is free, or would be, nothing else is taken in. */
#ifndef VD_SHARES_H
#define VD_SHARES_H

#include "store.h"

/* What a person may set. */
enum { VD_RESERVE_SMALL_PART = 16 }; /* of a small medium, so much of it is kept free at most */
struct vd_shares {
	uint64_t records;     /* of one author in one lane */
	uint64_t day_bytes;   /* of one author's bodies in a day */
	uint64_t reserve_bytes; /* of the medium, kept free; less on a small one */
	uint64_t promise_days; /* for which receipts promise to keep bodies (custody.h), where the medium has room; 0: they promise nothing */
	uint64_t bulk_bytes;  /* of bodies of the bulk lane, in all groups; VD_BULK_ALL: whatever comes */
};
#define VD_BULK_ALL UINT64_MAX
/* As set, or else as proto/limits.h says. */
int vd_shares_get(struct vd_store *, struct vd_shares *);
/* Lifts what the new bounds do not hold back any more. */
int vd_shares_set(struct vd_store *, const struct vd_shares *, uint64_t now_ms);

/* What is free of the medium, and what stays kept of it: with less than this, nothing but control records is taken in. Where less than that is free,
 * half of what is free in the database's own file counts, too: it is written to first. VD_EIO. */
int vd_shares_room(struct vd_store *, uint64_t *free_bytes, uint64_t *kept_bytes);

/* Bytes of bodies of the bulk lane that are here, and that are wanted. */
int vd_shares_bulk(struct vd_store *, uint64_t *here_bytes, uint64_t *wanted_bytes);
/* Is there no room for another beside them? *most_bytes: the bound. */
int vd_shares_bulk_full(struct vd_store *, bool *full, uint64_t *most_bytes);

/* Wants the bodies that had to wait, as far as their authors have share left today: once in a day, oldest first; and takes off the list of
 * the declined whose share is not used up (any more). Adds to *count the bodies that are wanted again. Cheap when there is nothing to do. */
int vd_shares_release(struct vd_store *, struct vd_group *, uint64_t now_ms, uint64_t *count);
/* Whom this device declines in the group now. */
int vd_shares_declined(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], struct vd_declined_set *);
/* How many records of an author are here, in each lane. */
int vd_shares_held(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t records[VD_LANES]);
/* Has the author no share left on this day of ours for a body of so many bytes? */
int vd_shares_later(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t bytes, uint64_t now_ms, bool *later);
/* Authors in the group whose bodies wait for that, each once, with how many of them do; of the first VD_LATER_WALKED that wait. */
enum { VD_LATER_WALKED = 4096, VD_LATER_MOST = 32 };
struct vd_later {
	uint8_t author[VD_KEY_BYTES];
	uint64_t bodies;
};
int vd_shares_later_all(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_later later[VD_LATER_MOST], size_t *count);
/* A lane without what `leaving` names (proto/port.h): what an author adds to it is worked out once, and remembered. */
int vd_shares_lane(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_leaving *leaving,
                   struct vd_lane_state *, struct vd_symbol *symbols, size_t n);

#endif
