#include "stick_which.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "link_stick.h"
#include "proto/err.h"
#include "stick_turn.h"

enum {
	ZONE_S = 900, ZONES = 104,  /* FAT keeps local time: a machine of another zone, or in summer, is off by quarters of an hour, up to 26 hours */
	COARSE_MS = 2000, FINE_MS = 20, /* as exactly as media keep it: FAT, and those that keep fractions of a second */
	RENEWED_AT_ONCE = 64,       /* segments on a visit: each is a commit */
};

/* Is that the time that was noted of the same file? */
static bool is_same_time(const struct timespec *noted, const struct timespec *now)
{
	int64_t off_s = (int64_t)now->tv_sec - (int64_t)noted->tv_sec, zones = (off_s + (off_s < 0 ? -ZONE_S / 2 : ZONE_S / 2)) / ZONE_S;
	int64_t off_ms = (off_s - zones * ZONE_S) * 1000 + (now->tv_nsec - noted->tv_nsec) / 1000000;
	int64_t most = now->tv_nsec && noted->tv_nsec ? FINE_MS : COARSE_MS;

	return zones >= -ZONES && zones <= ZONES && off_ms >= -most && off_ms <= most;
}

static const struct vd_stick *find(const struct vd_stick *known, size_t count, const uint8_t id[VD_STICK_ID_BYTES])
{
	for (size_t i = 0; i < count; i++)
		if (memcmp(known[i].id, id, VD_STICK_ID_BYTES) == 0)
			return &known[i];
	return NULL;
}

/* Of two that were copied onto each other, one that is marked, and that which was seen last. */
static const struct vd_stick *by_anchor(const struct vd_segments *all, const struct vd_stick *known, size_t count)
{
	const struct vd_stick *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct vd_segment *s = known[i].anchored ? vd_segments_find(all, known[i].anchor.id) : NULL;

		if (s && is_same_time(&known[i].anchor.written, &s->written) && (!best || (known[i].marked && !best->marked)))
			best = &known[i];
	}
	return best;
}

/* Those that stand on one that has an anchor say nothing here. */
static bool by_votes(const struct vd_segments *all, uint8_t id[VD_STICK_ID_BYTES])
{
	size_t best = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct vd_segment *s = &all->p[i];
		size_t votes = 0;

		/* Few sticks were ever copied: the first is mostly it. */
		if (!s->on_stick || s->elsewhere || (best && memcmp(s->stick, id, VD_STICK_ID_BYTES) == 0))
			continue;
		for (size_t k = 0; k < all->count; k++)
			votes += all->p[k].on_stick && !all->p[k].elsewhere && memcmp(all->p[k].stick, s->stick, VD_STICK_ID_BYTES) == 0;
		if (votes <= best)
			continue;
		best = votes;
		memcpy(id, s->stick, VD_STICK_ID_BYTES);
	}
	return best > 0;
}

int vd_stick_recognise(struct vd_store *store, struct vd_segments *all, struct vd_stick *out)
{
	const struct vd_stick *anchored, *note;
	struct vd_stick *known = NULL;
	size_t count = 0;
	int rc = vd_sticks(store, &known, &count);

	*out = (struct vd_stick){ .marked = false };
	if (rc)
		return rc;
	anchored = by_anchor(all, known, count);
	for (size_t i = 0; i < all->count; i++) {
		note = all->p[i].on_stick ? find(known, count, all->p[i].stick) : NULL;
		all->p[i].elsewhere = note && note->anchored && note != anchored;
	}
	if (anchored) {
		*out = *anchored;
	} else if (by_votes(all, out->id)) {
		note = find(known, count, out->id);
		/* One that was forgotten. */
		if (note)
			*out = *note;
	} else {
		rc = VD_ENOTFOUND;
	}
	free(known);
	return rc;
}

static int find_which(struct vd_store *store, const char *dir, struct vd_stick *out)
{
	struct vd_bundle_groups groups = { .count = 0 };
	struct vd_segments segments = { .count = 0 };
	uint64_t latest = 0;
	char *cache = NULL;
	int rc = asprintf(&cache, "%s/cache", dir) < 0 ? VD_ENOMEM : vd_segments_list(&segments, cache);

	free(cache);
	if (!rc)
		rc = vd_store_latest(store, &latest);
	if (!rc && segments.count)
		rc = vd_bundle_groups_load(store, &groups);
	for (size_t i = 0; i < segments.count && !rc; i++)
		rc = vd_segment_recall(&segments, i, store, &groups, latest);
	if (!rc)
		rc = vd_stick_recognise(store, &segments, out);
	if (!rc && !out->seen_ms)
		rc = VD_ENOTFOUND;
	vd_segments_deinit(&segments);
	vd_bundle_groups_free(&groups);
	return rc;
}

int vd_stick_which(struct vd_store *store, const char *dir, uint32_t wait_ms, struct vd_stick *out)
{
	struct stat st;
	int turn = -1, rc = VD_OK;

	*out = (struct vd_stick){ .marked = false };
	if (!stat(dir, &st))
		rc = vd_stick_turn_begin(vd_store_home(store), &st, wait_ms, &turn);
	if (!rc)
		rc = find_which(store, dir, out);
	vd_stick_turn_end(turn);
	return rc;
}

int vd_visit_renew(struct vd_visit *v)
{
	size_t renewed = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < v->segments.count && renewed < RENEWED_AT_ONCE && !rc; i++) {
		if (!v->segments.p[i].elsewhere || v->segments.p[i].state != VD_SEGMENT_KNOWN)
			continue;
		renewed++;
		rc = vd_segment_move(v->store, &v->segments.p[i], v->stick_id);
	}
	return rc;
}
