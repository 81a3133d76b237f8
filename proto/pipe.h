/* Pipe: one byte stream between two ends of which neither called, and every group that both are in, one session after the other.
 * PROTOCOL.md section 8, "On a pipe". Pure: bytes in, bytes out; it has a node for each turn. */
#ifndef VD_PIPE_H
#define VD_PIPE_H

#include "node.h"

struct vd_pipe;

enum {
	VD_PIPE_TURNS_MAX = 8, /* of one group: an end that came to take no more of somebody says so in a new session */
};

/* What became of one group. */
struct vd_pipe_met {
	struct vd_group *group;
	bool done;                    /* no turn is for it any more */
	bool opened;                  /* both proved */
	bool complete;                /* both hold the same, but for whom either end declines */
	bool refused;                 /* with VD_EAUTHOR: `peer` proved to be that, and has no role */
	int err;                      /* why its last session ended; 0: done, or the other end is not in it as far as it shows */
	unsigned turns;
	uint8_t peer[VD_KEY_BYTES];   /* once opened or refused */
	struct vd_session_stats stats; /* of the last turn; sent, received, round_trips, refused: of all */
	struct vd_declined_set apart; /* whose records were left out */
};

/* `port` and the groups (at least one) are borrowed until free. `yields`: the other end shall begin. `seed`: fresh random. NULL: no
 * memory. */
struct vd_pipe *vd_pipe_new(const struct vd_port *port, struct vd_group *const *groups, size_t count, bool yields,
                            const uint8_t seed[VD_NODE_SEED_BYTES]);
void vd_pipe_free(struct vd_pipe *);

/* Bytes from the other end: all are taken, those that wait as well, so ask vd_pipe_wants_input before reading more. */
void vd_pipe_feed(struct vd_pipe *, uint64_t now_ms, struct vd_slice raw);
bool vd_pipe_wants_input(const struct vd_pipe *);
/* The other end says no more. What came before is good. */
void vd_pipe_ended(struct vd_pipe *, uint64_t now_ms);
/* Appends up to `max` bytes to be sent. VD_ENOMEM. */
int vd_pipe_drain(struct vd_pipe *, uint64_t now_ms, size_t max, struct vd_buf *out);
bool vd_pipe_wants_output(const struct vd_pipe *);
/* A batch to be stored, or NULL; then vd_pipe_committed. The same one until then. */
struct vd_batch *vd_pipe_batch(const struct vd_pipe *, struct vd_group **group);
void vd_pipe_committed(struct vd_pipe *, uint64_t now_ms, int rc);
/* Our receipt of what is stored in a group now is wanted: make it, then vd_pipe_said, with nothing if there is none. */
bool vd_pipe_asks_word(const struct vd_pipe *, struct vd_group **group);
void vd_pipe_said(struct vd_pipe *, uint64_t now_ms, struct vd_slice receipt);
/* Moves what a peer said of what devices hold to *out, to be kept. False: nothing new. */
bool vd_pipe_words(struct vd_pipe *, struct vd_group **group, uint8_t peer[VD_KEY_BYTES], struct vd_words *out);
/* UINT64_MAX: none; so it is until the other end has said its first 32 bytes, for which the host waits as it sees fit. */
uint64_t vd_pipe_deadline(const struct vd_pipe *);
void vd_pipe_tick(struct vd_pipe *, uint64_t now_ms);
/* Says goodbye, if anybody is there, and is over. */
void vd_pipe_stop(struct vd_pipe *, uint64_t now_ms);

/* The other end's first 32 bytes have come. */
bool vd_pipe_heard(const struct vd_pipe *);
/* Nothing more will be read, and once vd_pipe_wants_output says no, nothing sent: close it. */
bool vd_pipe_over(const struct vd_pipe *);
/* Why the whole was over: 0 done (look at each group); VD_EGROUP: the other end is in none of the groups, as far as it shows;
 * VD_ECLOSED: it went away or owed something for too long; VD_EEXISTS: what comes is what we say; VD_EFORMAT, VD_ECAP,
 * VD_ESIGNATURE: what comes is not the protocol; else what vd_pipe_committed was told, or VD_ENOMEM. */
int vd_pipe_err(const struct vd_pipe *);
/* In the order given. Borrowed. */
const struct vd_pipe_met *vd_pipe_groups(const struct vd_pipe *, size_t *count);

#endif
