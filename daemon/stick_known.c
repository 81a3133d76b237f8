/* What everybody has already need not be on a stick that has not room for all: it goes last, and makes room first. */
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "stick_inside.h"
#include "store/custody.h"

struct gaps {
	struct vd_gap *p;         /* of whomever; by author, lane and place */
	size_t count, capacity;
};

static int by_place(const void *a, const void *b)
{
	const struct vd_gap *x = a, *y = b;
	int order = memcmp(x->author, y->author, VD_KEY_BYTES);

	if (!order)
		order = x->lane < y->lane ? -1 : x->lane > y->lane;
	return order ? order : x->low < y->low ? -1 : x->low > y->low;
}

/* Each run is in it that one of them is not known to hold. *all: nothing is known to be held by everybody. */
static int load_gaps(struct vd_custody *c, struct gaps *out, bool *all)
{
	size_t keepers = vd_custody_count(c);
	bool *who = calloc(keepers + 1, sizeof(*who));
	int rc = who ? VD_OK : VD_ENOMEM;

	*all = keepers == 0;
	for (size_t i = 0; i < keepers; i++)
		*all = *all || !vd_custody_keeper(c, i)->told;
	for (size_t i = 0; i < keepers && !rc && !*all; i++) {
		struct vd_missing missing;
		struct vd_gap *found = NULL;
		size_t count = 0;

		who[i] = true;
		rc = vd_custody_missing(c, who, &missing, &found, &count);
		who[i] = false;
		*all = *all || (!rc && missing.unsure);
		for (size_t j = 0; j < count && !rc; j++) {
			if (vd_room(&out->p, out->count, &out->capacity, 64, sizeof(*out->p)))
				out->p[out->count++] = found[j];
			else
				rc = VD_ENOMEM;
		}
		free(found);
	}
	free(who);
	if (out->count)
		qsort(out->p, out->count, sizeof(*out->p), by_place);
	return rc;
}

struct vd_everywhere {
	struct vd_store *store;
	struct vd_custody *custody;
	struct gaps gaps;
	struct vd_buf raw;
};

int vd_everywhere_open(struct vd_visit *v, size_t g, struct vd_everywhere **out)
{
	struct vd_everywhere *e = calloc(1, sizeof(*e));
	bool all = true;
	int rc = VD_ENOMEM;

	*out = NULL;
	if (e) {
		e->store = v->store;
		rc = vd_custody_open(v->store, v->groups.group[g], &e->custody);
	}
	if (!rc)
		rc = load_gaps(e->custody, &e->gaps, &all);
	if (!rc && !all) {
		*out = e;
		return VD_OK;
	}
	vd_everywhere_close(e);
	/* Who does not know who has what takes nothing for held. */
	return rc == VD_ENOMEM ? rc : VD_OK;
}

void vd_everywhere_close(struct vd_everywhere *e)
{
	if (!e)
		return;
	vd_custody_close(e->custody);
	free(e->gaps.p);
	vd_buf_deinit(&e->raw);
	free(e);
}

static bool is_missing(const struct gaps *gaps, const struct vd_record *r)
{
	struct vd_gap here = { .lane = r->lane };
	size_t low = 0, high = gaps->count;

	memcpy(here.author, r->author, VD_KEY_BYTES);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_place(&gaps->p[middle], &here) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < gaps->count && gaps->p[low].lane == r->lane && !memcmp(gaps->p[low].author, r->author, VD_KEY_BYTES); low++)
		if (r->seq >= gaps->p[low].low && r->seq <= gaps->p[low].high)
			return true;
	return false;
}

int vd_everywhere_has(struct vd_everywhere *e, uint64_t number, bool *yes)
{
	struct vd_record r;
	int rc = vd_store_read(e->store, number, &e->raw, &r, NULL);

	/* Most that are not are found so; what is in no run of a chain is in no gap either. */
	*yes = !rc && !is_missing(&e->gaps, &r);
	for (size_t i = 0; *yes && !rc && i < vd_custody_count(e->custody); i++) {
		enum vd_holding how;

		rc = vd_custody_holds(e->custody, i, number, &r, &how);
		*yes = !rc && how != VD_HOLDS_NOT;
	}
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Moves what is known to be everywhere behind all else. */
static int part(struct vd_queue *q, struct vd_everywhere *e)
{
	uint64_t *last = calloc(q->count + 1, sizeof(*last));
	size_t ends[2 * VD_LANES], kept = 0, moved = 0, at = 0;
	int rc = last ? VD_OK : VD_ENOMEM;

	for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
		for (; at < q->lane_ends[lane] && !rc; at++) {
			bool everywhere = false;

			if (lane != VD_LANE_CONTROL)
				rc = vd_everywhere_has(e, q->numbers[at], &everywhere);
			if (everywhere)
				last[moved++] = q->numbers[at];
			else
				q->numbers[kept++] = q->numbers[at];
		}
		ends[lane] = kept;
		ends[VD_LANES + lane] = moved;
	}
	if (!rc) {
		memcpy(q->numbers + kept, last, moved * sizeof(*last));
		for (int lane = 0; lane < VD_LANES; lane++) {
			q->lane_ends[lane] = ends[lane];
			q->lane_ends[VD_LANES + lane] = kept + ends[VD_LANES + lane];
		}
	}
	free(last);
	return rc;
}

int vd_visit_known_last(struct vd_visit *v, size_t g)
{
	struct vd_everywhere *e = NULL;
	int rc = v->queues[g].count ? vd_everywhere_open(v, g, &e) : VD_OK;

	if (!rc && e)
		rc = part(&v->queues[g], e);
	vd_everywhere_close(e);
	return rc;
}
