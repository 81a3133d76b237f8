/* What hostile devices do, with the keys and grants that they really have. */
#ifndef SIM_HOSTILE_H
#define SIM_HOSTILE_H

#include "story.h"
#include "stranger.h"

enum { HOSTILE_LATER = 12, HOSTILE_ONES = 3 };

/* A store's port that lies: about what is in it, whom it declines, what it has; and keeps some of it back. */
struct liar {
	struct story *s;
	struct vd_port honest;
	uint8_t keeps_back;       /* records whose id begins with less */
};

struct hostile {
	struct story *s;
	struct strangers strangers;
	struct liar liars[HOSTILE_ONES];
	size_t liar_count;
	struct vd_buf later[HOSTILE_LATER]; /* shown some other time */
	size_t later_count;
	size_t flooded;
};

void hostile_init(struct hostile *, struct story *);
void hostile_deinit(struct hostile *);
/* From now on that host's node lies. */
void hostile_lie(struct hostile *, size_t host);
/* It learns what its store holds: as long as it does not know of its removal. */
void hostile_learn(struct story *, size_t host);
/* One deed more. */
void hostile_deed(struct hostile *, size_t host);
/* The same of a coordinator in lane 0. */
void hostile_coordinate(struct hostile *, size_t host);
/* What was kept for later comes out. */
void hostile_show_later(struct hostile *);
/* `count` connections to a host, opened and left. */
void hostile_open(struct hostile *, size_t host, size_t at, size_t count);

#endif
