/* Inside of a session, shared by session.c (its life, messages, the host's side), session_hello.c (what the ends first say),
 * session_round.c (which lanes differ, and the next round), session_flow.c (batches in, pushes and bodies out), session_told.c
 * (receipts) and session_take.c (a peer that only gives). */
#ifndef VD_SESSION_PRIV_H
#define VD_SESSION_PRIV_H

#include "reconcile.h"
#include "session.h"

/* SETTLED names a lane, or this: no body more is wanted. */
enum { VD_LANE_BODIES = VD_LANES };

/* After giving up: one round that may bring something, one that sees what is left. */
enum { VD_ROUNDS_AGAIN = 2 };

enum { VD_WHOLE_ALL = (1 << VD_LANES) - 1 };

struct vd_set_mark {
	uint64_t count;
	uint8_t hash[VD_HASH_BYTES];
};

struct vd_session_lane {
	struct vd_reconcile r;
	bool active;              /* differs in this round and is not settled */
	bool started;             /* initiator: the method is chosen */
	bool weighs;              /* … and salts a large lane */
	bool distrust;            /* what the last decode said was not so: salt the next */
	uint64_t expected;        /* difference to expect in the next round */
	struct vd_set_mark ids, wanted, their_wanted; /* as LANES said; ids before it: as our HELLO does */

	/* new records */
	bool pushing, grew;
	uint64_t push_after;      /* arrival number: the peer has, or was offered, everything up to it */
	uint64_t compared;        /* … and this was the last when hello or LANES was made */
	uint64_t received;        /* from the peer since the last LANES */

	/* bodies */
	bool ask, asked;          /* BODIES to be sent; sent and not yet answered */
	bool again;               /* its wanted bodies changed meanwhile: from the first one when that is answered */
	uint64_t asked_through;   /* arrival number of the last body asked for; those up to it are answered or about to be */
	bool answering;           /* theirs */
	uint64_t *answers;        /* arrivals */
	size_t answer_count, answer_sent;
	struct vd_buf nobody;     /* items */
};

/* Receipts. Of each end's own only what the other cannot tell by itself is sent, when their sets are equal; others' as they are. */
struct vd_session_told {
	bool known;               /* who the peer is */
	uint8_t peer[VD_KEY_BYTES];
	bool keeps, on;           /* we keep receipts, as our hello says; so do they */
	bool gives, they_give;    /* own ones */
	uint32_t mine, theirs;    /* each end's last one, if that says all there is to say, as the hellos name it; 0: it does not */
	uint32_t had, has;        /* the one of ours that they have, and that we have of them; 0: none */
	uint64_t kept;            /* that one's whole count, as of our HELLO or LANES */
	uint8_t digest[VD_TOLD_DIGEST], said[VD_TOLD_DIGEST], their_digest[VD_TOLD_DIGEST]; /* of others': ours, as they know it; theirs */

	size_t names;             /* bytes of ours */

	bool once;                /* the sets were found equal */
	bool say, hello;          /* we wait for our own; it is for equal hellos, else for the LANES that are due */
	bool brief_due;           /* to be sent */
	struct vd_buf brief;
	bool awaits;              /* theirs for equal hellos is to come */
	struct vd_buf their_brief; /* … for the LANES that follow did */
	uint32_t trips;
	uint64_t bytes, records;  /* of the session, when the sets were last found equal */
	uint64_t received;        /* … records, when our own was last said */
	uint64_t spare;           /* bytes that our own may take in this comparison */

	uint64_t through;         /* of higher counts we take none */
	bool ask, asked;          /* TOLD to be sent; sent and not yet answered */
	bool later;               /* to be sent at ask_ms, if the session is still there */
	uint8_t vain[2 * VD_TOLD_DIGEST]; /* ours and theirs when an answer was empty */
	struct vd_buf answer;     /* to theirs: receipts */
	bool answering;
	struct vd_buf came;       /* to ours, so far */
	uint64_t say_ms, ask_ms, answer_ms, brief_ms; /* not again before */
	struct vd_words words;    /* for our host */
};

struct vd_session {
	bool initiator;
	struct vd_group *group;
	const struct vd_port *port;
	const struct vd_port *shown; /* what the peer is told of: port, or one that has nothing */
	uint8_t seed[VD_SALT_BYTES];
	uint64_t salts;           /* drawn from seed */
	uint8_t salt[VD_SALT_BYTES]; /* the group's */

	bool hello_made, hello_out, hello_in;
	uint8_t summary[VD_HASH_BYTES];
	struct vd_declined_set declined; /* by us, as our hello says */
	struct vd_declined_set apart;    /* … or by them: left out from the first LANES on */
	uint64_t counts[VD_LANES];
	uint64_t named;           /* control records of theirs, as their hello said */
	bool control_first;       /* gives nothing of the other lanes until lane 0 was found equal */
	uint8_t estimates[VD_LANES][VD_ESTIMATES];
	uint8_t whole;            /* bit l: in lane l we had every body when our sets were marked last */
	uint8_t whole_said;       /* … as the peer was told */
	uint8_t their_whole;

	uint8_t round;
	struct vd_set_mark named_last[2 * VD_LANES]; /* by the last LANES of either end: ids, then wanted; before it, empty sets */
	bool lanes_due;           /* our LANES of this round are to be sent */
	bool awaiting;            /* initiator: the other end's LANES are to come */
	bool equal;               /* as of the last comparison */
	bool gave_up;
	uint32_t rounds_left;     /* before our own set must have grown */
	uint64_t refill_ms;       /* the other end: when time earns it new ones */
	uint32_t round_mores;     /* as counted in round_trips */
	uint64_t own_count;       /* at the last LANES, to see growth */
	struct vd_session_lane lanes[VD_LANES];
	struct vd_terms terms;
	struct vd_salt_budget *budget;
	bool asking, they_ask;    /* for bodies; ends with SETTLED */
	uint64_t recheck_ms;      /* initiator: compare again then; UINT64_MAX: no need */
	uint64_t recheck_wait_ms; /* after giving up: longer each time */
	uint64_t generation;      /* the group's, when we gave up */

	struct vd_reconcile_outlet out;
	struct vd_compact heard;  /* the stream of records that they send */
	struct vd_batch in, commit;
	size_t most;              /* records of `in`, see VD_BATCH_FIRST */
	bool committing, flush;   /* `commit` is out; `in` is to follow at once */
	uint64_t in_since_ms;
	uint64_t *echo;           /* ring of id prefixes */
	size_t echo_count, echo_next;

	struct vd_session_told told;

	uint64_t now_ms;          /* of the last event */
	uint64_t heard_ms;        /* last sign of life */
	uint64_t quiet_ms;        /* heard since then without saying anything; UINT64_MAX: nothing heard */
	bool idle;                /* nothing to send: what is missing must come from the peer */
	bool alive_due;
	struct vd_session_stats stats;
};

/* session_hello.c */
/* Appends our HELLO. Whichever comes first, ours or theirs, sets the moment that ours speaks of. */
int vd_session_put_hello(struct vd_session *, struct vd_buf *out);
int vd_session_take_hello(struct vd_session *, struct vd_slice payload);
/* What came since our hello used up somebody's share, and no lane that is more urgent is being reconciled: say so in a new session.
 * `round_over`: whatever is. VD_EBUSY. */
int vd_session_call_again(struct vd_session *, bool round_over);

/* session_round.c */
void vd_set_mark_of(const struct vd_digest *, struct vd_set_mark *out);
/* A pass over a lane costs us in proportion to its records, and the peer, who asks for it, a few bytes: has it used up what it may? */
bool vd_session_may_pass(struct vd_session *, uint64_t records);
/* A comparison found every lane the same at both ends. */
void vd_session_all_equal(struct vd_session *);
void vd_session_mark_whole(struct vd_session *, uint8_t lane, const struct vd_lane_state *);
void vd_session_put_whole(struct vd_session *, struct vd_buf *out);
int vd_session_take_whole(struct vd_session *, struct vd_slice payload);
void vd_session_put_lanes(struct vd_session *, struct vd_buf *out);
int vd_session_take_lanes(struct vd_session *, struct vd_slice payload);
/* A message of the lane that it names, which is being reconciled. */
int vd_session_take_of_lane(struct vd_session *, uint8_t type, struct vd_slice payload);
/* The slowest lane's exchanges are what we waited for. */
void vd_session_count_trips(struct vd_session *);
/* After every event: lanes that are through, and the next round when all are. */
int vd_session_advance(struct vd_session *);

/* session_told.c */
/* What our hello says; as of now. */
int vd_session_told_begin(struct vd_session *);
void vd_session_told_put_hello(struct vd_session *, struct vd_buf *out);
void vd_session_told_take_hello(struct vd_session *, struct vd_rd *);
/* Both hellos are known, which take so many bytes together. */
void vd_session_told_met(struct vd_session *, bool equal, size_t hellos);
/* The moment of our LANES, which will probably be found equal, or were: our own receipt is to go with them. */
int vd_session_told_moment(struct vd_session *);
/* LANES were equal, or differ. */
void vd_session_told_compared(struct vd_session *, bool equal);
/* Will the LANES of the round that begins be found equal, as far as one can tell? */
bool vd_session_told_likely(const struct vd_session *);
/* Is our digest not as the peer knows it? */
bool vd_session_told_differs(const struct vd_session *);
/* LANES are to wait for our own. */
bool vd_session_told_holds(const struct vd_session *);
bool vd_session_told_busy(const struct vd_session *);
/* When to ask for what had to wait; UINT64_MAX: nothing. Then _ask does. */
uint64_t vd_session_told_later(const struct vd_session *);
void vd_session_told_ask(struct vd_session *);
/* It waits for something of the peer's, and for nothing else. */
bool vd_session_told_waits(const struct vd_session *);
void vd_session_told_give_up(struct vd_session *);
int vd_session_take_receipt(struct vd_session *, struct vd_slice payload);
int vd_session_take_told(struct vd_session *, struct vd_slice payload);
int vd_session_take_receipts(struct vd_session *, struct vd_slice payload);
/* As vd_session_drain: our own receipt; and others', which come last. */
int vd_session_drain_receipt(struct vd_session *, uint8_t *type, struct vd_buf *out);
int vd_session_drain_told(struct vd_session *, uint8_t *type, struct vd_buf *out);
void vd_session_told_deinit(struct vd_session *);

/* session_flow.c */
int vd_session_take_records(struct vd_session *, uint64_t now_ms, struct vd_slice payload);
/* Takes the batch in no more before what is being committed is? */
bool vd_session_full(const struct vd_session *);
/* Verifies what has come and offers it for commit, or marks it to follow the batch that is out. */
int vd_session_close_batch(struct vd_session *);
/* Every record that came is durable. */
bool vd_session_flushed(const struct vd_session *);
int vd_session_push(struct vd_session *, struct vd_session_lane *, uint8_t lane, struct vd_buf *out);
void vd_session_bodies_begin(struct vd_session *);
/* What came of the bodies asked for is durable: those that did not come are denied. */
void vd_session_bodies_flushed(struct vd_session *);
int vd_session_take_bodies(struct vd_session *, struct vd_slice payload);
int vd_session_take_nobody(struct vd_session *, struct vd_slice payload);
/* As vd_session_drain, of bodies asked for and answered. */
int vd_session_drain_bodies(struct vd_session *, uint8_t *type, struct vd_buf *out);

#endif
