/* Strangers: connections to a host by what is no node. Some know nothing, some know the keys of the group and are devices of it,
 * and say what no node would say. */
#ifndef SIM_STRANGER_H
#define SIM_STRANGER_H

#include "net.h"

enum stranger_manner {
	STRANGER_SILENT,  /* opens and says nothing */
	STRANGER_NOISE,   /* random bytes */
	STRANGER_REPLAY,  /* the bytes of an earlier one */
	STRANGER_LEAVES,  /* proves itself, and goes */
	STRANGER_STAYS,   /* proves itself, and says nothing more */
	STRANGER_MANGLES, /* a session of which messages are changed, lost, doubled, repeated, made up */
	STRANGER_FLOODS,  /* a session, and records on and on */
	STRANGER_MANNERS,
};

enum { STRANGERS_MAX = 128, STRANGER_KEPT = 6 };

struct stranger {
	struct host *at;
	uint32_t conn;
	bool live, closing, failed;
	enum stranger_manner manner;
	struct vd_group *group;     /* borrowed */
	struct vd_channel *channel;
	struct vd_session *session;
	struct memory *m;           /* of whom it acts for */
	size_t left;                /* messages that it may still send */
	struct vd_batch *batch;     /* of the host's, to be committed */
	struct { uint8_t type; struct vd_buf payload; } kept[STRANGER_KEPT];
	size_t kept_count;
	uint64_t number;
};

struct strangers {
	struct net *n;
	struct net_strangers port;
	struct stranger all[STRANGERS_MAX];
	struct vd_buf recorded;     /* what one of them once sent */
	uint64_t turns;             /* times that hosts took something of theirs */
	size_t most_proved;         /* at once, at one host */
	uint64_t opened, refused, proved, ended; /* how many; … by a rule they broke */
};

void strangers_init(struct strangers *, struct net *);
void strangers_deinit(struct strangers *);
/* One to host `at`, as the device that `group` (borrowed for as long) is of, with `m` for a store. False: the host has no place for it. */
bool stranger_come(struct strangers *, size_t at, enum stranger_manner, struct vd_group *group, struct memory *m);
/* The one that has not proved itself for longest is sent away. */
void stranger_displace(struct strangers *);
/* All go without a word. */
void strangers_leave(struct strangers *);
size_t strangers_live(const struct strangers *, bool proved);

#endif
