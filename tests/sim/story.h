/* A story with hostile devices in it: who there is, what honest ones write and do, and what must hold in the end. */
#ifndef SIM_STORY_H
#define SIM_STORY_H

#include "net.h"

enum {
	STORY_HOSTS = 17,      /* at the beginning */
	STORY_ALL = 20,        /* with those who are admitted on the way */
	STORY_SHARE = 18,      /* records of one author in a lane that others take */
	STORY_WRITTEN_MAX = 1024,
	STORY_BAD_MAX = 1024,
	STORY_EPOCHS_MAX = 128,
	STORY_PUPPETS_MAX = 6, /* identities that a hostile coordinator admits to itself */
};

/* Behind each host. */
struct one {
	enum vd_role role;     /* as the honest mean it */
	bool hostile;
	bool doubtful;         /* honest, but admitted by a hostile coordinator and not accepted: may have no role */
	bool favoured;         /* honest, and a hostile coordinator gave it a role: may have got more keys by that, or fewer */
	bool away;
	uint8_t side;          /* of a partition */
	uint64_t clock_ms;     /* added to the true time */
	size_t wrote[VD_LANES];
	struct vd_group *view; /* a hostile one's: what it acts from; knows nothing of its removal */
	size_t learnt;         /* records of its store that it has looked at for that */
};

/* What an honest device wrote. */
struct written {
	struct vd_id id;
	size_t host;
	uint8_t audience, epoch[VD_EPOCH_BYTES];
	uint32_t named;        /* hosts, a bit each */
	uint64_t closed;       /* writers without a role, as its author knew, while the epoch was clean: a bit each */
	struct vd_buf content;
};

struct story {
	struct net n;
	bool narrow;           /* items collide */
	struct one ones[STORY_ALL];
	size_t coordinator;    /* the hostile one's number */
	size_t puppets[STORY_PUPPETS_MAX], puppet_count; /* numbers of writers */
	struct written written[STORY_WRITTEN_MAX];
	size_t written_count;
	struct vd_id bad[STORY_BAD_MAX]; /* may be nowhere */
	size_t bad_count;
	uint8_t epochs[STORY_EPOCHS_MAX][VD_EPOCH_BYTES]; /* made by honest coordinators */
	size_t epoch_count;
};

/* Founder, coordinators, members, reporters, couriers; three of them hostile, one a coordinator. */
void story_init(struct story *, uint64_t seed);
void story_deinit(struct story *);
uint64_t story_chance(struct story *, uint64_t below);
void story_must(int rc);

/* Signs the writer's next record of a lane as its chain stands; `time_ms` is what it says. */
struct vd_record_fields story_fields(struct story *, size_t who, uint8_t lane, uint64_t time_ms);
struct vd_id story_sign(struct story *, size_t who, const struct vd_record_fields *, struct vd_slice body, struct vd_buf *raw);
uint64_t story_time(struct story *, size_t host);
/* The host's own store takes it; a host is shown it as a stick or bundle would, and judges it. */
void story_keep(struct story *, size_t host, struct vd_slice raw);
void story_show(struct story *, size_t host, struct vd_slice raw);
/* Signs control content, keeps it. */
struct vd_id story_act(struct story *, size_t host, struct vd_buf *content);

/* Honest. */
void story_write(struct story *, size_t host);
/* As every device does unasked: a clean epoch, all of them sealed to all; keys for coordinators who lack them. True when there was something
 * to do. */
bool story_tend(struct story *, size_t host);
/* Host `by` admits a newcomer, that gets the next number; false when it may not. */
bool story_admit(struct story *, size_t by, enum vd_role, uint32_t flags);
/* Host `by` removes that writer's device; of its control records only what `accepted` (may be NULL) leads to goes on counting. */
bool story_revoke(struct story *, size_t by, size_t who, const struct vd_id *accepted);

/* verdict.c: do all honest devices with a role hold the same? */
bool story_has_role(struct story *, size_t host);
bool story_converged(struct story *);
/* Prints who differs from the founder, and in what: lane, number of the author, seq. */
void story_tell(struct story *);
/* NULL: everything that must hold does. */
const char *story_judge(struct story *);

#endif
