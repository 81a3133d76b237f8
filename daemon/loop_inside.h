/* What loop.c, loop_command.c and locked.c share; nobody else includes it. */
#ifndef VD_LOOP_INSIDE_H
#define VD_LOOP_INSIDE_H

#include <stdatomic.h>

#include "calls.h"
#include "discover.h"
#include "disk.h"
#include "hearsay.h"
#include "panic.h"
#include "sticks.h"
#include "store/inbox.h"
#include "store/store.h"
#include "tcp.h"
#include "tending.h"
#include "token.h"
#include "writer.h"

struct daemon {
	const struct vd_conf *conf;
	uv_loop_t loop;
	struct vd_store *store;       /* NULL: locked */
	struct vd_port port;
	struct vd_node *node;
	struct vd_tcp *tcp;
	struct vd_writer *writer;
	struct vd_tending tending;
	struct vd_hearsay hearsay;
	struct vd_sticks sticks;
	uint64_t tended_ms;           /* when it was last wished for */
	struct vd_ctl *ctl;
	struct vd_discover *discover; /* NULL: no interface was named */
	struct vd_calls calls;
	struct vd_group *groups[VD_STORE_GROUPS_MAX];
	size_t group_count;
	uint64_t generation;          /* sum over the groups: moves when keys may have */
	uint64_t latest;              /* arrival number up to which the node was told */
	int look_err;                 /* of the last look at the store */
	struct vd_disk disk;
	struct sockaddr_storage bound[VD_CONF_LISTEN_MAX];
	bool bound_dual;
	size_t bound_count;
	uv_timer_t poll, calling;
	uv_signal_t terminate, interrupt;
	bool handles, running, stopping; /* what is up: signals; the rest of an open store; and going down */
	bool anew;                    /* to be locked: this process goes on as another, without keys */
	int err;                      /* what it ends with */
	uv_work_t inbox;              /* what came while it was locked is being taken in */
	atomic_bool inbox_stop;
	struct vd_inbox_taken taken;
	int inbox_err;
	struct vd_token_guard guard;
	uv_timer_t token_timer;       /* until a token that opens a slot is seen */
	bool token_waits;             /* that runs */
	bool token_stays_out;         /* it was there when somebody locked: it counts again once it was gone */
	bool token_useless;           /* that was said of what is there */
	uint8_t useless[VD_HASH_BYTES];
	struct vd_passed passed;      /* by the one before, and to the one after */
	uint64_t drops_ms;            /* unproved callers that went: counted from here */
	unsigned drops;
};

/* The store may have grown by other hands. */
void vd_loop_look(struct daemon *);
/* Calls whoever is due, and sets the timer for who is next. */
void vd_loop_call(struct daemon *);
/* A vd_ctl_answer (ctl_server.h); ctx: the daemon. */
bool vd_loop_command(void *ctx, const struct vd_ctl_asked *, struct vd_buf *answer);
/* What an open store has beyond what stands when it is locked. */
int vd_loop_start_running(struct daemon *);
/* Whatever is up goes down; the loop ends when the last link has. */
void vd_loop_stop(struct daemon *);

#endif
