/* Reconcile: one lane, one round, one peer: finds what differs and sends what the other lacks. PROTOCOL.md section 9.
 *
 * The initiator chooses how (a few symbols, a salted pass, a list, everything), the other end decodes. The session owns the
 * messages' order and the records that arrive; this owns the snapshot, the decoder and the lists of what is to be sent. */
#ifndef VD_RECONCILE_H
#define VD_RECONCILE_H

#include "compact.h"
#include "digest.h"
#include "gaps.h"
#include "message.h"
#include "port.h"
#include "salted.h"
#include "sketch.h"

enum vd_method {
	VD_METHOD_NONE,   /* not started; the other end: nothing came yet */
	VD_METHOD_SYMBOLS,/* of the standing sketch */
	VD_METHOD_SALTED, /* of a sketch made for this round */
	VD_METHOD_LIST,   /* every item of one end, mostly the one that has fewer */
	VD_METHOD_ALL,    /* the initiator, which has next to nothing, takes all of the other's */
	VD_METHOD_GIVE,   /* the initiator gives all of its own to one that has next to nothing */
};

/* What the salted passes of all sessions of a node take up. */
struct vd_salt_budget {
	uint64_t bytes;
};

struct vd_reconcile {
	struct vd_salt_budget *budget; /* borrowed; NULL: none */
	uint64_t taken;            /* bytes of it */
	const struct vd_port *port;
	const uint8_t *group;      /* id; borrowed */
	const uint8_t *salt;       /* the group's; borrowed */
	const struct vd_declined_set *apart; /* what either end declines: as if it were not there; borrowed */
	uint8_t lane;
	bool initiator;

	/* the moment of this round's LANES */
	uint64_t latest;           /* no record of it has a higher arrival number */
	uint64_t ours, theirs;     /* counts */
	struct vd_digest digest;   /* ours; with what the decode found put in and taken out it must become theirs */
	uint8_t our_hash[VD_HASH_BYTES], their_hash[VD_HASH_BYTES];
	struct vd_symbol *symbols; /* standing or salted: so many of them are here by now … */
	size_t symbol_count, symbol_max; /* … of those that can be had */

	enum vd_method method;
	bool distrust;             /* items here have lied: only a salted pass will do */
	bool gives;                /* set by the session: nothing is asked of the other end */
	bool hold;                 /* set by the session: no records yet, lane 0 comes first */
	bool withhold;             /* the same: in this round the other end gets no record, however many it lacks */
	uint64_t withheld;         /* … and so many it did not get */
	bool finished;             /* everything we shall send in this lane is in the lists below */
	bool settled_out, settled_in;
	uint64_t failed;           /* 0, or what SETTLED says of a decode that failed */
	bool mismatch;             /* decoded, everything came, and the digests still say no */
	uint32_t mores;            /* round trips of this lane beyond the first */

	/* initiator */
	uint8_t salted_salt[VD_SALT_BYTES];
	bool announce;             /* SALTED, or ALL, is to be sent */
	size_t symbols_sent, burst;/* sent, and to be sent before we wait */
	bool answer_empty;         /* asked for more than there is */
	bool exhausted;            /* … and was told so */
	uint64_t wanted;           /* items the other has named */

	/* other end */
	struct vd_peeler *peeler;
	uint64_t more;             /* MORE to be sent */
	uint64_t *wants;           /* items to be sent */
	size_t want_count, want_capacity, want_sent;

	/* both */
	struct vd_salted salted;
	uint8_t arrival_bits;      /* so many hold the numbers of the moment's records */
	struct {
		bool ours;         /* we tell it, the other end compares */
		bool begun;        /* its first message was sent, or came */
		uint8_t bits;      /* of an item */
		struct vd_gaps gaps;
		uint64_t total, seen; /* entries; theirs that came */
		uint64_t wanted;   /* of them the end that compares lacks */
		size_t at;         /* of our entries, in order: sent, or compared */
		size_t kept;       /* those to be sent: in their place, at the start of `arrivals` */
		struct vd_buf wants; /* who compares: a bit for each entry, the first is the highest of the first byte */
		size_t wants_at;   /* bytes of it sent; who lists: heard */
	} list;
	uint64_t *arrivals;        /* records to be sent; of a list, until it is through, the entries of salted */
	size_t arrival_count, arrival_capacity, arrival_sent;
	bool scan;                 /* … or all of the lane, from here */
	uint64_t scan_after;
};

/* Takes the lane's moment: all zero before, `lane` state as the port gave it is what LANES will say. Symbols of it are read when they
 * are needed. VD_ENOMEM or the port's error. */
int vd_reconcile_begin(struct vd_reconcile *, const struct vd_port *, const uint8_t *group, const uint8_t *salt,
                       const struct vd_declined_set *apart, uint8_t lane, bool initiator, struct vd_lane_state *out);
/* A lane's state without what `apart` names, passing over at most that many records that are not remembered (*may_pass, less those
 * passed over afterwards). VD_EBUSY. */
int vd_reconcile_state(const struct vd_port *, const uint8_t *group, const struct vd_declined_set *apart, uint8_t lane,
                       uint64_t *may_pass, struct vd_lane_state *, struct vd_symbol *symbols, size_t n);
void vd_reconcile_end(struct vd_reconcile *); /* frees; all zero again */
/* What the other end's LANES says. */
void vd_reconcile_theirs(struct vd_reconcile *, uint64_t count, const uint8_t hash[VD_HASH_BYTES]);
bool vd_reconcile_differs(const struct vd_reconcile *);
/* Initiator: would it salt a lane so large that no other should be salted at the same time? */
bool vd_reconcile_weighs(const struct vd_reconcile *, uint64_t expected);
/* Initiator: chooses the method for a difference of about `expected`, salted_salt fresh, and starts.
 * VD_EBUSY: the budget is used up. */
int vd_reconcile_start(struct vd_reconcile *, uint64_t expected, const uint8_t salted_salt[VD_SALT_BYTES]);

/* One message of this lane and round, `body` behind round and lane. VD_EFORMAT, VD_ECAP: a broken rule. VD_EAGAIN: not taken,
 * drain first. VD_EBUSY as above. */
int vd_reconcile_feed(struct vd_reconcile *, uint8_t type, struct vd_slice body);
/* A record of this lane came from the other end. */
void vd_reconcile_received(struct vd_reconcile *, const struct vd_id *);
/* What a session sends records through: all of them in one stream of compact ones. Owned by the session. */
struct vd_reconcile_outlet {
	struct vd_compact stream;
	struct vd_buf raw, compact; /* of the record at hand */
	uint64_t *sent, *sent_bytes; /* counted there: records, and bytes of their compact forms */
	bool bulk_bare;              /* the other end takes no bodies of the bulk lane: it gets stubs there */
};

/* Next message: 1, 0 or an error. `round` goes into it. */
int vd_reconcile_drain(struct vd_reconcile *, uint8_t round, uint8_t *type, struct vd_buf *out, struct vd_reconcile_outlet *);
/* Of a list that is through: about so many that differ were taken for others, whose first bits they share. */
uint64_t vd_reconcile_list_missed(const struct vd_reconcile *);
/* Both ends have said SETTLED. */
bool vd_reconcile_done(const struct vd_reconcile *);

/* Appends varint length ‖ compact record to a RECORDS message. Skips one that is gone or spoilt, or whose author is in `apart` (NULL: nobody
 * is). */
int vd_reconcile_put_record(const struct vd_port *, uint64_t arrival, const struct vd_declined_set *apart, struct vd_buf *out,
                            struct vd_reconcile_outlet *);
/* Records that one item may mean, as find_item gives them. */
enum { VD_ITEM_MATCHES = 4 };
/* Bytes of RECORDS after which a message is sent: small in the lanes that urgent ones must overtake. */
size_t vd_reconcile_message_bytes(uint8_t lane);

#endif
