/* Inside of a node, shared by node.c (connections, messages, wishes, time) and node_peer.c (whom they lead to); pipe.c draws from a ratchet of its
 * own the same way. */
#ifndef VD_NODE_PRIV_H
#define VD_NODE_PRIV_H

#include "follow.h"
#include "node.h"
#include "reconcile.h"

/* A group that the node speaks for. */
struct vd_speaks {
	struct vd_group *group;
	struct vd_follow control;
};

/* What sessions with one device learnt, for the next. */
struct vd_acquaintance {
	const struct vd_speaks *speaks; /* NULL: free */
	uint8_t peer[VD_KEY_BYTES];
	struct vd_terms terms;
	uint64_t gave;       /* when it had no role, and gave us its control records: how many it named. 0: never */
	uint64_t refused_ms; /* until then it has used up what it may make us verify in vain, in all its sessions */
};

enum vd_conn_state {
	VD_CONN_SHAKING, /* channel not open */
	VD_CONN_LIVE,
	VD_CONN_ENDING,  /* CLOSED was wished; what is queued still leaves */
};

struct vd_conn {
	uint32_t number;
	enum vd_conn_state state;
	bool initiator;
	uint64_t since_ms;
	struct vd_channel *channel;
	struct vd_session *session; /* once open */
	struct vd_speaks *speaks;
	uint8_t peer[VD_KEY_BYTES];
	int err;
	uint64_t generation;   /* of the group when the peer was last seen to have a role */
	bool more;             /* the session may have something to say */
	bool committing;       /* its batch is wished for */
	bool saying, words;    /* our own receipt is; who has the store was told that there are words of theirs */
	uint64_t refused;      /* records, as far as the peer was charged for them */
	uint64_t opened;       /* its place in the order of proofs */
	bool spare;            /* a better session with this peer is open: ends when settled */
	bool told, complete;   /* that it settled, when `moved` and `shown` were these, and with both ends the same or not */
	uint64_t moved, shown; /* shown: of what the peer holds, the arrival numbers together */
	bool holds;            /* one message the session could not take yet */
	uint8_t held_type;
	struct vd_buf held;
};

struct vd_node {
	const struct vd_port *port;
	uint8_t ratchet[VD_KEY_BYTES];
	struct vd_speaks **groups;
	size_t group_count;
	struct vd_conn *conns[VD_PEERS_MAX];
	size_t conn_count;
	uint32_t last_number;
	uint64_t opened_count;
	struct vd_wish *wishes;
	size_t wish_first, wish_count, wish_capacity;
	struct vd_salt_budget salted;
	struct vd_acquaintance known[VD_KNOWN_MAX];
	size_t known_next;     /* the place that is given away next */
};

/* node.c */
/* Draws up to VD_CHANNEL_SEED_BYTES and moves on: nobody who sees the state later can tell what was drawn before. */
void vd_node_draw(uint8_t ratchet[VD_NODE_SEED_BYTES], uint8_t *out, size_t out_n);
/* A wish of this connection for the host, with what is known of it now. */
void vd_node_tell(struct vd_node *, enum vd_wish_what, struct vd_conn *);
/* The connection is over: says why to the peer if it can hear (`bye`: an enum vd_bye, or -1 for no word), and to the host. What came is
 * still offered for commit. */
void vd_node_end(struct vd_node *, struct vd_conn *, int err, int bye);
/* The same with the word that goes with the error. */
void vd_node_fail(struct vd_node *, struct vd_conn *, int err);

/* node_peer.c */
/* What is remembered of its peer; NULL: nothing. */
struct vd_acquaintance *vd_node_known(struct vd_node *, const struct vd_conn *);
/* Keeps what the session, which is there, leaves for the next with this peer. */
struct vd_acquaintance *vd_node_remember(struct vd_node *, const struct vd_conn *);
/* Every record that is not valid costs us a verification, and the peer next to nothing: it is charged for them. False when it has
 * gone too far: its session has ended. */
bool vd_node_charge(struct vd_node *, uint64_t now_ms, struct vd_conn *);
/* As the group stands now. False: the connection has ended. Who is removed is not told why, nor by a word that it was. */
bool vd_node_belongs(struct vd_node *, struct vd_conn *);
/* A device that was coordinator and has no role gives its control records: a stronger revocation may be among them. What it gave before
 * we do not take again; and when it has none by them, that is all. False: the connection has ended. */
bool vd_node_may_go_on(struct vd_node *, struct vd_conn *);
/* A connection has just been opened: is there another with the same peer, and which of them stays? */
void vd_node_pair(struct vd_node *, struct vd_conn *newest);

#endif
