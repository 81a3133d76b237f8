/* Sticks as this store knows them: what a person calls them, when they were last seen, and up to where they hold our records.
 *
 * A stick's id is this store's own: random, written nowhere else. On a medium a stick is known again by its anchor, if it has one, and else by the segments on it
 * (daemon/stick_which.h). */
#ifndef VD_STICKS_H
#define VD_STICKS_H

#include <time.h>

#include "proto/seal.h"
#include "store.h"

enum {
	VD_STICK_ID_BYTES = 16,
	VD_STICKS_MAX = 256,       /* of more, the one not marked that was seen longest ago is forgotten */
	VD_STICK_VISITS = 16,      /* of each the latest */
};

/* A segment of ours that stays until we take it away, of the last visit on which we left one: the name its file has, and since when, as the medium says. */
struct vd_anchor {
	uint8_t id[VD_SEGMENT_ID_BYTES];
	struct timespec written;
};

struct vd_stick {
	uint8_t id[VD_STICK_ID_BYTES];
	bool marked;               /* a person lets the daemon write to it */
	char name[VD_NAME_MAX + 1];/* "" when none was given */
	uint64_t first_ms, seen_ms;/* by our clock */
	struct {
		uint64_t at_ms, through; /* then it held all of ours up to that arrival number, all groups, each with the body that we have */
	} visits[VD_STICK_VISITS];   /* through: ascending */
	size_t visit_count;
	bool anchored;             /* it has: */
	struct vd_anchor anchor;
	uint64_t spared;           /* up to there some may not be on it which each device with a role was known to hold; 0: none */
};

/* VD_ENOTFOUND, VD_EDAMAGED. */
int vd_stick_get(struct vd_store *, const uint8_t id[VD_STICK_ID_BYTES], struct vd_stick *out);
/* Writes it, whether it was known or not. */
int vd_stick_put(struct vd_store *, const struct vd_stick *);
/* Its name, its mark and what it held; one that comes back is a new one, unmarked, by the id it had. One that is not known: nothing happens. */
int vd_stick_forget(struct vd_store *, const uint8_t id[VD_STICK_ID_BYTES]);
/* All of them, the one seen last first; the caller frees. */
int vd_sticks(struct vd_store *, struct vd_stick **out, size_t *count);
/* A visit ended at now_ms that found all of ours up to `through` on it, but for what is `spared`. Known or not; writes. */
int vd_stick_visited(struct vd_store *, const uint8_t id[VD_STICK_ID_BYTES], uint64_t now_ms, uint64_t through, uint64_t spared);
/* From now on, known or not, that is its anchor; writes. */
int vd_stick_anchor(struct vd_store *, const uint8_t id[VD_STICK_ID_BYTES], uint64_t now_ms, const struct vd_anchor *);
/* Since when it is known to hold that record; 0: it is not known to. */
uint64_t vd_stick_since(const struct vd_stick *, uint64_t arrival);

#endif
