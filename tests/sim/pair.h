/* Two sessions joined back to back, message by message, with every message counted. */
#ifndef SIM_PAIR_H
#define SIM_PAIR_H

#include "world.h"

struct message {
	uint8_t type;
	struct vd_buf payload;
};

struct end {
	struct memory m;
	struct vd_group *group;
	struct vd_session *s;
	struct message *queue; /* on the way to this end */
	size_t first, count;
	bool hold_commits, hold_words;
	size_t kept;           /* receipts, hearsay.h */
	int rc;                /* what ended it */
	uint64_t bytes_in, messages_in[VD_MSG_END];
};

struct pair {
	struct world w;
	struct end a, b; /* a is the initiator */
	uint64_t now_ms;
	uint32_t trips;  /* there and back, after the hellos */
};

void pair_init(struct pair *, uint64_t seed, size_t people);
void pair_deinit(struct pair *);
void pair_connect(struct pair *);
/* Writes `count` records by anyone into either store, or both. */
void pair_write(struct pair *, size_t count, uint8_t lane, bool in_a, bool in_b);
/* People whom only this end knows: so many control records more. */
void pair_admit(struct pair *, struct end *, size_t people);
/* Ids known to both that never travel. */
void pair_common(struct pair *, size_t count, uint8_t lane);
/* All that `from` has to say goes to the other's queue, then is fed; commits at once. True if anything moved. */
bool pair_turn(struct pair *, struct end *from, struct end *to);
/* Stores what the end's session offers. */
void pair_commit(struct pair *, struct end *);
/* Keeps what it heard, and says what it is asked for; also part of pair_turn. */
void pair_heed(struct pair *, struct end *);
/* … of that only this: its own word, if the session asks for one. */
void end_say(struct end *);
/* Until nobody has anything to say; false when a session ended with an error. */
bool pair_run(struct pair *);
/* Moves time to the next deadline and ticks. */
void pair_tick(struct pair *, uint64_t ms);

#endif
