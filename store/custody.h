/* Custody: which device holds which record of a group with its body, as far as this device can know. PROTOCOL.md section 7, receipts.
 *
 * Known by: the latest receipt of each device, wherever it came from; what a session with it showed; that it wrote the record itself, unless a receipt
 * it made after that leaves it out; an `ack` of it. None of it changes the set. What is known is what a device said last: one that was restored since,
 * and was not heard of, may have lost what it held. */
#ifndef VD_CUSTODY_H
#define VD_CUSTODY_H

#include "proto/receipt.h"
#include "proto/session.h"
#include "store.h"

/* By which way word of a device came. */
enum vd_route_kind { VD_ROUTE_NONE, VD_ROUTE_LINK, VD_ROUTE_STICK, VD_ROUTE_FILE };
enum { VD_ROUTE_TEXT = 96 };
struct vd_route {
	enum vd_route_kind kind;
	char text[VD_ROUTE_TEXT];  /* LINK: an address; STICK: its id in hex (sticks.h); else nothing */
};

/* ---- receipts ---- */

/* Is that count from the future? It is about its maker's clock; one that is a day ahead of ours is wrong, or ours is. */
enum { VD_RECEIPT_AHEAD_MS = 86400000 };
bool vd_receipt_ahead(uint64_t count, uint64_t now_ms);

/* Appends our receipt as of now: the last one while it says all there is to say, else a new one, which is kept as our last. It
 * promises to keep bodies for VD_RECEIPT_DAYS while the medium has room, and never takes a promise back. Catches the index up, unless so much came that this
 * would take long: then it says less than it might. VD_EKEY: no identity here; VD_ENOTFOUND: an empty group. */
int vd_custody_say(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_buf *out);
/* Does this device keep to itself what it holds? Then it makes no receipt and leaves none; what others say it hands on. A person's choice: a
 * receipt tells who reads it that this device was here. */
int vd_custody_silent(struct vd_store *, bool *out);
int vd_custody_silence(struct vd_store *, bool silent);
/* Verifies receipts of this group and keeps those of devices with a role that are later than what is kept. What is none is passed
 * over. One from the future (VD_RECEIPT_AHEAD_MS) is believed by nobody, is not handed on, and gives way to any that is not; where one is kept that can
 * be believed, it is noted that it came, and what its maker's clock showed.
 * *kept (may be NULL): how many. Of two with one count by one device, which it cannot have made as it should, one is kept, and says
 * nothing about what is held. */
int vd_custody_keep(struct vd_store *, struct vd_group *, const struct vd_slice *receipts, size_t count, const struct vd_route *,
                    uint64_t now_ms, size_t *kept);
/* The latest receipts here that can be believed (as of now), of devices with a role, our own among them: ascending by author. */
int vd_custody_told(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_told **out, size_t *count); /* caller frees */
/* The same, and what of ours a session would say (told.h). */
int vd_custody_list(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_told_list *out);
/* Receipts to be handed on. Zero is none. */
struct vd_receipts {
	struct vd_buf bytes;
	struct vd_slice *list;     /* each, in bytes */
	struct vd_told *told;      /* whose each is */
	size_t count;
};
/* Ours as of now (vd_custody_say), and then others', of which `lacks` (NULL: of all) says that they are wanted, as long as all are at most max_bytes.
 * None when we can sign none. To be deinit in any case. */
int vd_receipts_gather(struct vd_store *, struct vd_group *, uint64_t now_ms, size_t max_bytes, bool (*lacks)(void *ctx, const struct vd_told *), void *ctx,
                       struct vd_receipts *);
void vd_receipts_deinit(struct vd_receipts *);
/* Appends that device's. VD_ENOTFOUND. */
int vd_custody_receipt(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], struct vd_buf *out);
/* Is the latest one of that device of no use, as it made two of one count? Then both must be found where they stand. */
int vd_custody_doubtful(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], bool *yes);
/* *count: of our last receipt, if by the lanes as they are now it says all that a new one would; else 0. */
int vd_custody_said(struct vd_store *, struct vd_group *, uint64_t now_ms, uint64_t *count);
/* The latest day until which our receipts promise to keep bodies of that group; 0: none. VD_EDAMAGED. */
int vd_custody_promised(struct vd_store *, struct vd_group *, uint32_t *day);

/* What a session with a device showed of what it holds (vd_session_stats.held), and when: kept when it says more than what is noted, or an hour went by. It
 * counts until a receipt with a higher count than the device's last then, as far as that is known, and none from the future, says that it was restored,
 * or that the lane is not what it was then, each record with its body: that receipt counts instead. */
int vd_custody_met(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_held *,
                   const struct vd_route *, uint64_t now_ms);

/* What a device said in a session: keeps others' receipts (vd_custody_keep), and its own, if by it the device holds what is here now: what it left out of
 * it is told from that. *kept (may be NULL): how many. */
int vd_custody_heed(struct vd_store *, struct vd_group *, const uint8_t device[VD_KEY_BYTES], const struct vd_words *, const struct vd_route *,
                    uint64_t now_ms, size_t *kept);

/* ---- what they say of our clock ---- */

/* The last words of the other devices that have a role: of each its latest receipt, or what it wrote last of the 64 records that came last here. */
struct vd_others {
	size_t about, ahead;          /* of them: from at most ten days ago, and here since our clock jumped last; from the future by more than VD_RECEIPT_AHEAD_MS */
	uint64_t newest_ms;           /* the latest; 0: there is none */
	uint8_t newest[VD_KEY_BYTES]; /* … whose it is */
};
int vd_custody_others(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_others *out);
/* Has our clock jumped within a week, or does it since it was looked at last? So does that of a device that nobody used for ten days. */
int vd_clock_leapt(struct vd_store *, uint64_t now_ms, bool *yes);

/* ---- who holds what ---- */

/* A device with a role that is not ours and is no paper key. */
struct vd_keeper {
	uint8_t author[VD_KEY_BYTES];
	uint8_t person[VD_PERSON_BYTES];
	bool told;                 /* there is a receipt */
	uint64_t said_ms;          /* when it was made, by the device's clock */
	uint64_t heard_ms;         /* when it came, or when we last met it, by our clock; 0: neither, or the clock was wrong then: that is yet to come */
	struct vd_route route;     /* … and by which way */
	uint32_t keep_until;       /* day of its promise; 0: none */
	bool lapsed;               /* … which is over */
	uint64_t ahead_ms;         /* what it said last is from the future, and not believed: what its clock showed; 0: it is not */
};

enum vd_holding {
	VD_HOLDS_NOT,              /* not known to */
	VD_HOLDS_OWN,              /* it wrote it, and said nothing to the contrary since */
	VD_HOLDS_MET,              /* a session with it showed so */
	VD_HOLDS_LANE,             /* its lane is the same as ours, each record with its body */
	VD_HOLDS_SPAN,             /* a span of its receipt reaches it */
	VD_HOLDS_ACK,              /* it said so in an `ack` */
};

struct vd_custody;

/* Is that quick? Not while so much came lately that the index lets it wait (tend.h). */
bool vd_custody_ready(struct vd_store *, uint64_t now_ms);
/* As of now; catches the index up. Borrows store and group, which is to stay as it is. */
int vd_custody_open(struct vd_store *, struct vd_group *, struct vd_custody **out);
/* The same as of that time: what is from the future then is not believed. */
int vd_custody_open_at(struct vd_store *, struct vd_group *, uint64_t now_ms, struct vd_custody **out);
void vd_custody_close(struct vd_custody *); /* NULL is fine */
size_t vd_custody_count(const struct vd_custody *);
const struct vd_keeper *vd_custody_keeper(const struct vd_custody *, size_t i);
/* Was another device of its member admitted since its last word, but for a day by which clocks differ? Then it may be one that was wiped or lost, and that one what
 * came in its place: who destroys something is not to count on it. */
bool vd_custody_replaced(struct vd_group *, const struct vd_keeper *);
/* Is keeper i known to hold the record that stands under that number, with its body? */
int vd_custody_holds(struct vd_custody *, size_t i, uint64_t arrival, const struct vd_record *, enum vd_holding *out);
/* The same by what its device showed or said since: that it wrote the record does not count, as it may have been lost after that. */
int vd_custody_confirmed(struct vd_custody *, size_t i, uint64_t arrival, const struct vd_record *, bool *yes);
/* Of a record whose content went by rule (vd_store_erased), so that nobody holds it any more: is it known to have the stub, by its digest, or what leads to
 * that by `prev`, or to have held it whole? That it wrote it does not count. */
int vd_custody_knows(struct vd_custody *, size_t i, uint64_t arrival, const struct vd_record *, bool *yes);
/* Does its last word show that it has all records of that lane that are here, and no others, with or without their bodies? */
int vd_custody_same_ids(struct vd_custody *, size_t i, uint8_t lane, bool *yes);

/* Records that are here with their body and that no device of some is known to hold. */
struct vd_missing {
	uint64_t records[VD_LANES];
	bool unsure;               /* an author's chain here is too broken to tell: counted as missing */
};
/* A run of them, one after the other along `prev`. */
struct vd_gap {
	uint8_t author[VD_KEY_BYTES];
	uint8_t lane;
	uint64_t high, low;        /* seq */
	struct vd_id above;        /* a record from which `prev` leads to them … */
	uint64_t above_seq;        /* … and its seq, `high` or more */
};
/* `who`: for each keeper whether it is one of them; NULL: all. By the same word as vd_custody_holds, but that it looks for an `ack` of at most 4,096 urgent
 * records: independent of how many records there are. *gaps (may be NULL; the caller frees): *gap_count of them. */
int vd_custody_missing(struct vd_custody *, const bool *who, struct vd_missing *, struct vd_gap **gaps, size_t *gap_count);
/* Visits the records of a gap, the newest first, until `visit` returns other than 0; at most `max`, those passed on the way from `above` among
 * them. *left (may be NULL): how many it did not come to. */
int vd_custody_walk(struct vd_store *, const struct vd_gap *, size_t max, int (*visit)(void *ctx, uint64_t arrival, const struct vd_record *), void *ctx,
                    uint64_t *left);

#endif
