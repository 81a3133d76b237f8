/* Node: all sessions of one device. Feed, drain, deadline: the daemon, `vereda sync`, the simulator and an embedding app drive
 * the same object; only they own sockets and clocks. */
#ifndef VD_NODE_H
#define VD_NODE_H

#include "channel.h"
#include "session.h"

struct vd_node;

enum { VD_NODE_SEED_BYTES = 32 };

/* `port` is borrowed. Randomness is drawn from `seed` (fresh, 32 bytes) by a ratchet. NULL: no memory. */
struct vd_node *vd_node_new(const struct vd_port *port, const uint8_t seed[VD_NODE_SEED_BYTES]);
void vd_node_free(struct vd_node *);
/* Groups this node speaks for; borrowed, added before the first connection of theirs. VD_EEXISTS. */
int vd_node_add_group(struct vd_node *, struct vd_group *);

/* A connection a link has made (`group`: which group we call for) or accepted (group NULL). *conn is its number from now on.
 * VD_ECAP: too many; close it. */
int vd_node_connect(struct vd_node *, uint64_t now_ms, const uint8_t *group, uint32_t *conn);
/* The same for a device that may be behind: under that older epoch, of VD_EPOCH_BYTES, where it proves itself first. Under the epoch
 * to write with it is a plain call. VD_EKEY: we lack that epoch's link key. */
int vd_node_call_back(struct vd_node *, uint64_t now_ms, const uint8_t *group, const uint8_t *epoch, uint32_t *conn);
/* The group's epochs that may be called under: number 0 is the one to write with, then newest first. NULL: no more. */
const uint8_t *vd_node_epoch(const struct vd_node *, const uint8_t *group, size_t i);
int vd_node_accept(struct vd_node *, uint64_t now_ms, uint32_t *conn);
/* The same where we have said that prologue already, of VD_CHANNEL_PROLOGUE_BYTES; NULL: we have not. */
int vd_node_answer(struct vd_node *, uint64_t now_ms, const uint8_t *prologue, uint32_t *conn);
/* Bytes from the link. VD_EAGAIN: not taken (and none of them), stop reading until vd_node_wants_input. Any other error: the
 * connection is over; a CLOSED wish follows, send what vd_node_drain still gives, then close. */
int vd_node_feed(struct vd_node *, uint64_t now_ms, uint32_t conn, struct vd_slice raw);
bool vd_node_wants_input(const struct vd_node *, uint32_t conn);
/* Appends up to `max` bytes to be sent to *out. A peer that does not read is for the link to notice: it knows what left. */
int vd_node_drain(struct vd_node *, uint64_t now_ms, uint32_t conn, size_t max, struct vd_buf *out);
/* The link is gone: forgets the connection, its wishes and its batch. */
void vd_node_closed(struct vd_node *, uint32_t conn);
/* End politely: BYE, then a CLOSED wish. */
void vd_node_bye(struct vd_node *, uint64_t now_ms, uint32_t conn);
/* End it for want of a place, politely: the peer may call again later. */
void vd_node_busy(struct vd_node *, uint64_t now_ms, uint32_t conn);
/* Others wrote to the store: read what is new (control records into the groups) and push it. */
int vd_node_grew(struct vd_node *, uint64_t now_ms);
uint64_t vd_node_deadline(const struct vd_node *);
void vd_node_tick(struct vd_node *, uint64_t now_ms);
/* The same for one connection: UINT64_MAX, and nothing, when there is none. */
uint64_t vd_node_deadline_of(const struct vd_node *, uint32_t conn);
void vd_node_tick_one(struct vd_node *, uint64_t now_ms, uint32_t conn);

enum vd_wish_what {
	VD_WISH_COMMIT,  /* store `batch`, then vd_node_committed(conn) */
	VD_WISH_CLOSED,  /* `err` says why (0: done; VD_EBUSY: there are others with this peer, or too many at all; VD_EAUTHOR: it has no role,
	                  * or none any more, which it is not told: `peer`, `group` when it proved to be who it is); close the link after
	                  * draining */
	VD_WISH_OPENED,  /* proved: `peer`, `member`, `group`. Not of one that has no role, from which we take control records and which gets
	                  * nothing, as long as they give it none */
	VD_WISH_SETTLED, /* nothing left to exchange, `stats` so far (complete: both hold the same); again when that changes, more
	                  * was exchanged, or a comparison has shown more of what the peer holds */
	VD_WISH_SAY,     /* make our receipt of what is stored now, then vd_node_said. Only of a port that has receipts, as the next */
	VD_WISH_WORDS,   /* keep what the peer said of what devices hold: vd_node_words */
};

struct vd_wish {
	enum vd_wish_what what;
	uint32_t conn;
	int err;
	struct vd_batch *batch;
	struct vd_group *group;
	uint8_t peer[VD_KEY_BYTES], member[VD_PERSON_BYTES]; /* the device, and whose it is */
	struct vd_session_stats stats;
	uint64_t bytes_out, bytes_in;
};

/* Next wish in order; false when there is none. */
bool vd_node_wish(struct vd_node *, struct vd_wish *out);
void vd_node_committed(struct vd_node *, uint64_t now_ms, uint32_t conn, int rc);
/* Nothing: there is none. */
void vd_node_said(struct vd_node *, uint64_t now_ms, uint32_t conn, struct vd_slice receipt);
/* Moves it to *out, whose buffer is the caller's. False: there is nothing any more. */
bool vd_node_words(struct vd_node *, uint32_t conn, struct vd_words *out);
/* Is a proved session with this device open, which has a role? Never more than two are, each taking a place of VD_PEERS_MAX. */
bool vd_node_has_peer(const struct vd_node *, const uint8_t *group, const uint8_t peer[VD_KEY_BYTES]);
/* At rest: nothing to exchange, nothing to commit. */
bool vd_node_settled(const struct vd_node *, uint32_t conn);
/* Whose records the session leaves out, because one of the ends takes no more of them; NULL: there is none. Borrowed, until the next call. */
const struct vd_declined_set *vd_node_apart(const struct vd_node *, uint32_t conn);
/* Raw bytes waiting to leave on a connection. */
bool vd_node_wants_output(const struct vd_node *, uint32_t conn);

#endif
