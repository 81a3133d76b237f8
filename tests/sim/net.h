/* Nodes in one process, on virtual time: the very node code, stores in memory, and links that carry bytes late, in pieces, or no
 * more. Everything follows from the world's seed. */
#ifndef SIM_NET_H
#define SIM_NET_H

#include "world.h"

enum { NET_HOSTS_MAX = 64, NET_WIRES_MAX = 256 };

struct host {
	struct memory m;
	struct vd_group *group;
	struct vd_node *node;
	size_t who;              /* its writer in the world */
	bool forger;             /* flips bytes of what it sends, and holds what nobody may hold */
	uint64_t settled, failed; /* sessions */
};

/* One direction of a wire. */
struct pipe {
	struct vd_buf bytes;
	uint64_t at_ms;          /* when its first bytes arrive */
};

struct wire {
	bool up;
	struct host *end[2];     /* [0] called */
	uint32_t conn[2];
	bool live[2];            /* the node at that end still knows the connection */
	bool closing[2];         /* that end wished to close: no more bytes to it */
	bool proved[2], settled[2], complete[2];
	int err[2];
	struct vd_batch *batch[2]; /* being written, until … */
	uint64_t batch_ms[2];
	struct pipe to[2];
	uint64_t latency_ms, bytes;
	uint64_t turns[2];       /* times that end took something */
	uint64_t bytes_per_s;    /* 0: no bound */
	struct vd_session_stats stats[2];
};

/* Whoever talks to hosts without being one: hears the wishes that are about no wire, and acts when something may have happened. */
struct net_strangers {
	void *ctx;
	void (*wish)(void *ctx, struct host *, const struct vd_wish *);
	bool (*act)(void *ctx); /* true: something moved */
};

struct net {
	struct world w;
	const struct net_strangers *strangers; /* NULL: none */
	uint64_t now_ms;
	struct host hosts[NET_HOSTS_MAX];
	size_t host_count;
	struct wire wires[NET_WIRES_MAX];
	size_t commit_ms;        /* a commit takes up to that */
	uint64_t violations;     /* rules broken between two ends of which none is a forger */
	size_t piece_bytes;      /* bytes arrive in pieces of up to that */
};

void net_init(struct net *, uint64_t seed, size_t hosts);
void net_deinit(struct net *);
/* One host more, a newcomer: granted by host 0, it knows its welcome. Others hear of it from host 0. */
size_t net_newcomer(struct net *);
/* One host more, with that identity: whoever `from` is has handed it all control records it has. */
size_t net_welcomed(struct net *, size_t who, const struct host *from);
/* Host 0 makes a new epoch; nobody else has heard of it. */
void net_epoch(struct net *);
/* Host 0 removes that one. */
void net_revoke(struct net *, size_t host);
/* A connection from one host to another; NULL when either refuses. */
struct wire *net_connect(struct net *, size_t from, size_t to, uint64_t latency_ms);
/* A call back under an older epoch of the caller's. */
struct wire *net_call_back(struct net *, size_t from, size_t to, uint64_t latency_ms, const uint8_t *epoch);
/* Under the newest epoch that the other knows as well, as trying one after the other would find out. */
struct wire *net_call(struct net *, size_t from, size_t to, uint64_t latency_ms);
/* The cable is pulled: what is under way is lost. */
void net_cut(struct net *, struct wire *);
/* Moves time on, and everything that happens until then. */
void net_run(struct net *, uint64_t ms);
/* Until the wire's session has settled on both ends, or ended; false when it took longer than `ms`. */
bool net_run_session(struct net *, struct wire *, uint64_t ms);
/* Ends it politely and waits for the close. */
void net_bye(struct net *, struct wire *);
/* A host writes a record of its own and pushes it. */
struct vd_id net_write(struct net *, size_t host, uint8_t lane, size_t bytes);
/* All that a host could send, as a stick or bundle carries it; given to another, whenever and however often. One body in
 * `stubs` stays behind (0: none). */
void net_export(struct net *, const struct host *, size_t stubs, struct vd_batch *out);
void net_import(struct net *, size_t host, const struct vd_batch *);

#endif
