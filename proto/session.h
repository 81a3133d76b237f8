/* Session: reconciles one group with one peer. PROTOCOL.md sections 8 and 9. Messages in, messages out; no socket, no clock
 * of its own. The simulator, the fuzzers and the daemon run this very code. */
#ifndef VD_SESSION_H
#define VD_SESSION_H

#include "group.h"
#include "message.h"
#include "port.h"
#include "receipt.h"

struct vd_session;
struct vd_salt_budget; /* reconcile.h */

/* What the peer holds, as comparisons have shown: all of ours in a lane up to that arrival number, each with its body; 0: that was not shown. */
struct vd_held {
	uint64_t through[VD_LANES];
	uint8_t digest[VD_LANES][VD_RECEIPT_DIGEST]; /* of the lane then, as a receipt has it */
	uint64_t said[VD_LANES];      /* count of the peer's receipt that was here then; 0: none */
	uint32_t last;                /* of its last one, at HELLO, the low 32 bits; 0: it did not tell */
};

/* What one session moved, for people and benches. */
struct vd_session_stats {
	uint64_t sent, received;      /* records */
	uint64_t sent_bytes;          /* of those sent, in their compact form */
	uint64_t refused;             /* records that came and were not valid */
	uint64_t declined;            /* records that came though one of the ends takes no more of that author's */
	uint64_t theirs_apart;        /* records they have by authors of whom we alone take no more */
	uint64_t reconcile_bytes;     /* message bytes out and in that were neither RECORDS nor others' receipts, or their names */
	uint64_t rounds;
	uint32_t round_trips;         /* after the handshake: times we waited for an answer */
	uint64_t control_through;     /* the peer has our control records up to this arrival number; 0: no comparison has shown it */
	struct vd_held held;          /* … and of each lane, with every body */
	bool declines_more;           /* ended because this device came to take no more of somebody: call again, now it says so */
	bool complete;                /* last LANES or HELLO were equal, all is durable, and no body wanted that the other may have */
};

/* Bodies a peer has not: those wanted with an arrival number up to `through`, as long as the hash of its own wanted set is this. */
struct vd_denied {
	uint8_t wanted[VD_HASH_BYTES];
	uint64_t through;
};

/* What a peer said about what devices hold, for who has the store to verify and keep. Zero is nothing. */
struct vd_words {
	struct vd_buf own;            /* the peer said itself what it holds: its receipt in brief (receipt.h) */
	struct vd_buf others;         /* of others it brought receipts (told.h) */
};
void vd_words_deinit(struct vd_words *);

/* `group` and `port` are borrowed. salt_seed: fresh random, for salted passes. NULL: no memory. */
struct vd_session *vd_session_new(bool initiator, struct vd_group *group, const struct vd_port *port, uint64_t now_ms,
                                  const uint8_t salt_seed[VD_SALT_BYTES]);
void vd_session_free(struct vd_session *);
/* What a session with a peer leaves for the next. */
struct vd_terms {
	struct vd_denied denied[VD_LANES]; /* everything the peer did send is durable */
	uint64_t passes_ms; /* until then the peer has used up what it may make us pass over */
};
/* What earlier sessions with this peer left, and a budget for all sessions of the node, borrowed for the session's life; either may
 * be NULL. Before the first message. */
void vd_session_recall(struct vd_session *, const struct vd_terms *, struct vd_salt_budget *);
/* Who the peer is: from here on receipts are exchanged, if the port has any. Before the first message. */
void vd_session_meets(struct vd_session *, const uint8_t peer[VD_KEY_BYTES]);
/* The session runs under another epoch than the group's to write with: the peer, as far as the handshake shows, does not know it.
 * It gets records of lane 0 alone until a comparison finds that lane equal; of it everything is taken, as ever. Before the first
 * message. */
void vd_session_control_first(struct vd_session *);
/* The peer has no role, but its control records belong to the set, and may give it one: they are taken, and nothing else. It is told
 * nothing: all sets of ours are empty as far as it hears, and as the other end we wait for its hello. Before the first message. */
void vd_session_take_only(struct vd_session *);
bool vd_session_takes_only(const struct vd_session *);
/* … until the peer has a role: from the next round on it is a session like any other. An error ends it. */
int vd_session_give_too(struct vd_session *);
/* Taking only: the peer has given its control records, and they are durable. */
bool vd_session_has_taken(const struct vd_session *);
/* How many control records the peer's hello named; 0: none yet. */
uint64_t vd_session_named(const struct vd_session *);
/* As of now. Borrowed. */
const struct vd_terms *vd_session_terms(const struct vd_session *);

/* One message from the peer. A broken rule is VD_EFORMAT or VD_ECAP: end the session. VD_EBUSY: what it asks for costs more than we
 * can give now, another time it may be granted; or we decline more than we said, see stats. VD_EAGAIN: not taken, a batch is being
 * committed or the queue is full; offer it again after vd_session_committed or draining. */
int vd_session_feed(struct vd_session *, uint64_t now_ms, uint8_t type, struct vd_slice payload);
/* Next message to send: 1 with *type and the payload appended to *out, 0 when there is none now, or an error. */
int vd_session_drain(struct vd_session *, uint64_t now_ms, uint8_t *type, struct vd_buf *out);
/* A verified batch to be committed, or NULL. Its refused entries have their verdicts; store those with verdict 0 (and pool
 * VD_EAUTHOR ones). Owned by the session; stays put until vd_session_committed. */
struct vd_batch *vd_session_batch(struct vd_session *);
/* The batch is durable (rc 0), or why not: the session ends with that error. */
int vd_session_committed(struct vd_session *, uint64_t now_ms, int rc);
/* It wants our own receipt of what is stored now (vd_receipt_make), and waits for vd_session_said. */
bool vd_session_asks_word(const struct vd_session *);
/* Nothing: there is none. */
void vd_session_said(struct vd_session *, struct vd_slice receipt);
/* Did the peer say something new? Moves it to *out; false: it did not. */
bool vd_session_has_words(const struct vd_session *);
bool vd_session_words(struct vd_session *, struct vd_words *out);
/* No more will come: what came is offered for commit now (or after the batch that is out). */
int vd_session_flush(struct vd_session *);
/* The store grew by other hands (a person wrote, another session brought): push what is new. */
void vd_session_grew(struct vd_session *, uint64_t now_ms);
/* Bytes came that are no whole message yet: the peer is alive. */
void vd_session_heard(struct vd_session *, uint64_t now_ms);
/* Whose records this session leaves out, because one of the ends takes no more of them. Borrowed. */
const struct vd_declined_set *vd_session_apart(const struct vd_session *);
/* Nothing left to exchange and both sides know it; or reconciling was given up (stats say: not complete). */
bool vd_session_settled(const struct vd_session *);
const struct vd_session_stats *vd_session_stats(const struct vd_session *);
/* When it wants vd_session_tick, UINT64_MAX for never. */
uint64_t vd_session_deadline(const struct vd_session *);
/* VD_ECLOSED: the peer owes us something for too long. */
int vd_session_tick(struct vd_session *, uint64_t now_ms);

#endif
