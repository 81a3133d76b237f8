/* The TCP connections of one node on one libuv loop: the few lines that move bytes between sockets and proto/node.h. The daemon
 * drives many with it, the command line's `sync` one. Everything here belongs to the loop's thread.
 *
 * Its time is what a flood takes: each signature, question and handshake costs some. So it is on the account (accounts.h) of the member
 * for whom it was spent, whatever device or connection they came by; of all strangers together until they have proved themselves.
 * Whoever lately took much more than somebody else who is there is heavy. After anything was done for a heavy member, all heavy
 * members owe a rest VD_TCP_REST_TIMES as long: nothing is read from them, sent to them, or told them as committed. The same, apart,
 * for strangers, and for accepting, which may cost no more than a look at who has knocked: VD_TCP_STRANGERS_REST_TIMES each. So floods,
 * by however many connections, leave the others half of the time or more, and a slice is a batch of signatures (VD_BATCH_CHECKS) at
 * most. A rest is begun when VD_TCP_OWED_MS are owed, so that many small things are done at once. Those who took much, with nobody
 * else to wait for, get VD_TCP_TURN_MS before the sockets are looked at again.
 *
 * Of the strangers one may be a friend. So a rest is not kept, up to VD_TCP_FIRST_OWED_MS of it, by one from an address from which
 * came less than a VD_TCP_FIRST_PART-th of what all of them took lately: three flights, and it is no stranger.
 *
 * Places go by member, too: at most VD_TCP_MEMBER_IN each of those accepted. When all are taken one at rest makes room, else one of the
 * member who has most, if that is more than the newcomer's. */
#ifndef VD_TCP_H
#define VD_TCP_H

#include <uv.h>

#include "address.h"
#include "proto/node.h"

struct vd_tcp;

enum {
	VD_TCP_LISTENERS_MAX = 8,
	VD_TCP_READ_BYTES = 64 * 1024,
	/* Handed to a socket and not yet taken by the kernel; beyond it nothing is drained, so that an alert overtakes in the
	 * session what has not left it: while a line is slow nothing but the rest of one write waits here. */
	VD_TCP_QUEUE_BYTES = 4 * 1024,
	VD_TCP_WRITE_BYTES = 16 * 1024,
	VD_TCP_UNSENT_BYTES = 16 * 1024, /* held unsent by the kernel, for the same reason */
	VD_TCP_CONNECT_MS = 10000,       /* for one address to answer */
	VD_TCP_END_MS = 5000,            /* to flush and part, once a session is over */
	VD_TCP_SILENCE_MS = 2000,        /* after the prologue, or four times as long as that took: the one called knows no such epoch */
	VD_TCP_BACKS_MAX = 8,            /* older epochs that one call tries then */
	VD_TCP_UNPROVED_SAME = 8,        /* from one IPv4 address or /64 of IPv6; a newcomer displaces the oldest of them */
	VD_TCP_UNPROVED_IN = VD_HALF_OPEN_MAX - 8, /* from anywhere: leaves room for those we call. Then the oldest of the address
	                                            * that holds the most gives way */
	VD_TCP_IN_MAX = VD_PEERS_MAX - 16,   /* accepted, proved or not: so many calls always find a place … */
	VD_TCP_PROVED_IN = VD_TCP_IN_MAX - 8, /* … and so many newcomers, whom strangers cannot keep out for ever */
	VD_TCP_MEMBER_IN = 8,            /* of them from the devices of one member: one of these at rest makes room, or the newcomer is
	                                  * told to come later */
	VD_TCP_ACCEPT_COUNT = 32,        /* accepted within … */
	VD_TCP_ACCEPT_MS = 4,            /* … so long; more wait in the system's queue */
	VD_TCP_TURN_MS = 20,             /* for those who took much lately, then the others' sockets are looked at again */
	VD_TCP_REST_TIMES = 3,           /* as long as what was last done for them, those who took most of the loop's time rest … */
	VD_TCP_STRANGERS_REST_TIMES = 7, /* … and so, each by themselves, do strangers and those who knock: a quarter for both */
	VD_TCP_OWED_MS = 5,              /* not yet rested for; no timer here is finer */
	VD_TCP_FIRST_OWED_MS = 50,       /* and that much before a stranger waits of whose address we know little */
	VD_TCP_FIRST_PART = 16,
	VD_TCP_OUT_MAX = VD_PEERS_MAX - 24,  /* calls: beyond any of these the session at rest for longest makes room */
};

enum vd_link_state {
	VD_LINK_RESOLVING,
	VD_LINK_CONNECTING,
	VD_LINK_OPEN,   /* bytes flow to and from the node */
	VD_LINK_ENDING, /* the node said its last: flush, then shut our side down */
	VD_LINK_PARTED, /* ours is down, waiting for theirs */
	VD_LINK_CLOSED, /* waiting for callbacks and a running commit */
};

/* One connection. Others read it; the fields from `tcp` on are tcp.c's own. */
struct vd_link {
	enum vd_link_state state;
	uint64_t number;                 /* of this run, for the log */
	bool outgoing, proved, settled;
	uint8_t peer[VD_KEY_BYTES];      /* once proved, or refused */
	uint8_t member[VD_PERSON_BYTES]; /* once proved, or something of its is stored: whose device that is */
	struct vd_group *group;          /* once proved */
	struct vd_group *refused;        /* ended with VD_EAUTHOR: the group in which `peer`, who proved to be that, has no role */
	struct sockaddr_storage address;
	uint64_t since_ms;               /* made; then proved */
	uint64_t settled_ms;             /* when last */
	uint64_t bytes_in, bytes_out;
	struct vd_session_stats stats;   /* as of the last settling or the end */
	int err;                         /* why it ended; 0: done */
	void *owner;                     /* who called, as told to vd_tcp_call */

	struct vd_tcp *tcp;
	struct vd_link *next;
	uv_tcp_t uv;
	uv_shutdown_t shutdown;
	uv_connect_t connect;
	uv_getaddrinfo_t resolve;
	struct addrinfo *found, *candidate;
	uint8_t called_group[VD_GROUP_BYTES], called_epoch[VD_EPOCH_BYTES];
	bool one_epoch;                  /* call under called_epoch, and no other */
	size_t older;                    /* else under that one of the group's epochs: 0 is the one to write with */
	bool again;                      /* the socket closes to be opened once more */
	uint64_t dialled_ms, bytes_before; /* of this socket: when it was called; bytes_in of those before */
	uint32_t conn;
	bool in_node, committing, reading, handle, resolving, ended_by_them;
	bool committed;                  /* it is, with that result, and its session is to be told when the turn comes */
	int commit_rc;
	struct vd_buf held;              /* bytes that the node could not take yet */
	uint64_t deadline_ms;            /* of the state; UINT64_MAX when it has none */
	uint64_t progress_ms;            /* when the write queue last shrank */
	size_t queued;
};

/* Told to whoever drives. They may call vd_tcp functions; the link stays valid until `closed` returned. */
struct vd_tcp_events {
	void *ctx;
	/* Store the batch, then vd_tcp_committed(link->conn): exactly once, now or later. */
	void (*commit)(void *ctx, struct vd_link *, struct vd_group *, struct vd_batch *);
	void (*opened)(void *ctx, struct vd_link *);
	void (*settled)(void *ctx, struct vd_link *);
	void (*closed)(void *ctx, struct vd_link *);
	/* Make our receipt for that group, then vd_tcp_said: once, now or later. These two are NULL where the node's port has no receipts. */
	void (*say)(void *ctx, struct vd_link *, struct vd_group *);
	/* Keep what that device said, which has proved to be at the other end. Who is told may take its buffer, and leave none. */
	void (*words)(void *ctx, struct vd_link *, struct vd_group *, const uint8_t peer[VD_KEY_BYTES], struct vd_words *);
};

/* Borrows all three; NULL: no memory. */
struct vd_tcp *vd_tcp_new(uv_loop_t *, struct vd_node *, const struct vd_tcp_events *);
/* *bound gets the address with its real port. VD_EBUSY: taken; VD_EINVAL: not an address of this machine; VD_EDENIED: a port
 * for root alone; VD_ECAP. */
int vd_tcp_listen(struct vd_tcp *, const struct sockaddr *, bool dual, struct sockaddr_storage *bound);
/* Calls for one group; `host` may be a name, all its addresses are tried. Who is silent to the epoch to write with is called back
 * under the older ones, one after the other. What becomes of it is told by events, at least `closed`, never from within the call.
 * VD_ENOMEM, VD_ECAP: no place, and none of our calls is at rest. */
int vd_tcp_call(struct vd_tcp *, const char *host, uint16_t port, const uint8_t group[VD_GROUP_BYTES], void *owner);
/* The same for one whose beacon told where it is, and the epoch (of VD_EPOCH_BYTES) that it knows. */
int vd_tcp_call_address(struct vd_tcp *, const struct sockaddr *, const uint8_t group[VD_GROUP_BYTES], const uint8_t *epoch,
                        void *owner);
void vd_tcp_committed(struct vd_tcp *, uint32_t conn, int rc);
void vd_tcp_said(struct vd_tcp *, uint32_t conn, struct vd_slice receipt);
/* Ends one politely. */
void vd_tcp_bye(struct vd_tcp *, struct vd_link *);
/* Moves what can be moved: after vd_node_grew and whatever else the driver did to the node. */
void vd_tcp_pump(struct vd_tcp *);
/* Accepts and calls no more and says goodbye everywhere; vd_tcp_count() falls to 0 within VD_TCP_END_MS and the running commits. */
void vd_tcp_stop(struct vd_tcp *);
size_t vd_tcp_count(const struct vd_tcp *);
struct vd_link *vd_tcp_first(struct vd_tcp *); /* then ->next */
/* After vd_tcp_stop, count 0 and a last run of the loop. NULL is fine. */
void vd_tcp_free(struct vd_tcp *);

/* What a person would call its state: calling, greeting, syncing, settled, differs (nothing more to be done, and the sets are not
 * the same), closing. */
const char *vd_link_word(const struct vd_link *);

/* Monotonic: the node's clock. */
uint64_t vd_tcp_now(void);

#endif
