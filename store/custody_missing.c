/* What no device of some is known to hold, for all records at once. */
#include <stdlib.h>
#include <string.h>

#include "custody_inside.h"
#include "proto/err.h"

enum { ANSWERS = 4096 }; /* urgent records nobody's receipt reaches that are looked at for an `ack`, of all gaps together; others count as missing */

struct sweep {
	struct vd_custody *c;
	const bool *who;
	struct vd_missing *out;
	struct vd_gap **gaps;
	size_t *gap_count, gap_room;
	size_t answers_left;
};

static int add_gap(struct sweep *s, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run, uint64_t high, uint64_t low)
{
	struct vd_gap *gap;

	s->out->records[lane] += high - low + 1;
	if (!s->gaps)
		return VD_OK;
	if (!vd_room(s->gaps, *s->gap_count, &s->gap_room, 16, sizeof(**s->gaps)))
		return VD_ENOMEM;
	gap = &(*s->gaps)[(*s->gap_count)++];
	*gap = (struct vd_gap){ .lane = lane, .high = high, .low = low, .above = run->head, .above_seq = run->high };
	memcpy(gap->author, chain->author, VD_KEY_BYTES);
	return VD_OK;
}

/* Of the seqs up to `top`, from the run's lowest: the highest that nobody of `who` reaches, or 0; *down: how far down it stays so. */
static uint64_t next_hole(const struct sweep *s, const struct vd_stretch *at, uint64_t top, uint64_t lowest, uint64_t *down)
{
	bool again = true;

	*down = lowest;
	while (again && top >= lowest && top) {
		again = false;
		*down = lowest;
		for (size_t i = 0; i < s->c->count; i++) {
			const struct vd_known *k = &s->c->known[i];

			for (size_t j = 0; (!s->who || s->who[i]) && j < k->count; j++) {
				const struct vd_stretch *r = &k->reaches[j];

				if (r->chain != at->chain || r->lane != at->lane || r->run != at->run || r->low > top)
					continue;
				if (r->high >= top) {
					top = r->low - 1;
					again = true;
				} else if (r->high + 1 > *down) {
					*down = r->high + 1;
				}
				if (again)
					break;
			}
			if (again)
				break;
		}
	}
	return top >= lowest ? top : 0;
}

/* What of a gap an `ack` fills. */
struct answering {
	struct sweep *sweep;
	const struct vd_runs *chain;
	const struct vd_run *run;
	uint64_t high;             /* of those below which nothing is known yet */
};

static int heed_answer(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct answering *a = ctx;
	bool yes;
	int rc = vd_custody_acked(a->sweep->c, a->sweep->who, &r->id, &yes);

	(void)arrival;
	if (rc || !yes)
		return rc;
	if (a->high > r->seq)
		rc = add_gap(a->sweep, a->chain, r->lane, a->run, a->high, r->seq + 1);
	a->high = r->seq - 1;
	return rc;
}

static int add_unanswered(struct sweep *s, const struct vd_runs *chain, const struct vd_run *run, uint64_t high, uint64_t low)
{
	const struct vd_gap gap = { .high = high, .low = low, .above = run->head, .above_seq = run->high };
	struct answering a = { .sweep = s, .chain = chain, .run = run, .high = high };
	uint64_t steps = run->high - low + 1;
	size_t max = steps < s->answers_left ? (size_t)steps : s->answers_left;
	int rc = vd_custody_walk(s->c->store, &gap, max, heed_answer, &a, NULL);

	s->answers_left -= max;
	if (!rc && a.high >= low)
		rc = add_gap(s, chain, VD_LANE_URGENT, run, a.high, low);
	return rc;
}

static int sweep_run(struct sweep *s, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run)
{
	const struct vd_stretch at = vd_custody_stretch_of(s->c, chain, lane, run, run->high);
	uint64_t top = run->high, down;
	int rc = VD_OK;

	while (!rc && (top = next_hole(s, &at, top, run->low, &down))) {
		rc = lane == VD_LANE_URGENT ? add_unanswered(s, chain, run, top, down) : add_gap(s, chain, lane, run, top, down);
		top = down - 1;
	}
	return rc;
}

/* Does one of `who` hold whatever is of that author, or all of that lane? */
static bool any_holds_all(const struct sweep *s, const uint8_t *author, uint8_t lane)
{
	for (size_t i = 0; i < s->c->count; i++) {
		if (s->who && !s->who[i])
			continue;
		if (author ? s->c->known[i].wrote_all[lane] && !memcmp(s->c->keepers[i].author, author, VD_KEY_BYTES) : s->c->known[i].same[lane])
			return true;
	}
	return false;
}

int vd_custody_missing(struct vd_custody *c, const bool *who, struct vd_missing *out, struct vd_gap **gaps, size_t *gap_count)
{
	struct sweep s = { .c = c, .who = who, .out = out, .gaps = gaps, .gap_count = gap_count, .answers_left = ANSWERS };
	struct vd_known *k;
	int rc = VD_OK;

	*out = (struct vd_missing){ .unsure = false };
	if (gaps) {
		*gaps = NULL;
		*gap_count = 0;
	}
	for (size_t i = 0; i < c->count && !rc; i++)
		if (!who || who[i])
			rc = vd_custody_load(c, i, &k);
	for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
		if (any_holds_all(&s, NULL, lane))
			continue;
		for (size_t i = 0; i < c->chain_count && !rc; i++) {
			const struct vd_run_lane *l = &c->chains[i].lanes[lane];

			if ((!l->count && !l->dropped) || any_holds_all(&s, c->chains[i].author, lane))
				continue;
			for (size_t j = 0; j < l->count && !rc; j++)
				rc = sweep_run(&s, &c->chains[i], lane, &l->runs[j]);
			out->records[lane] += l->dropped;
			out->unsure |= l->dropped > 0;
		}
	}
	if (rc && gaps) {
		free(*gaps);
		*gaps = NULL;
		*gap_count = 0;
	}
	return rc;
}

int vd_custody_walk(struct vd_store *s, const struct vd_gap *gap, size_t max, int (*visit)(void *ctx, uint64_t arrival, const struct vd_record *),
                    void *ctx, uint64_t *left)
{
	struct vd_id at = gap->above;
	uint64_t seq = gap->above_seq;
	struct vd_buf raw = { 0 };
	int rc = VD_OK;

	for (; !rc && seq >= gap->low && seq && max; seq--, max--) {
		struct vd_record r;
		uint64_t arrival;

		rc = vd_store_find(s, &at, &arrival);
		if (!rc)
			rc = vd_store_read(s, arrival, &raw, &r, NULL);
		if (!rc && seq <= gap->high)
			rc = visit(ctx, arrival, &r);
		if (!rc && seq > gap->low && !r.has_prev)
			break;
		if (!rc)
			at = r.prev;
	}
	if (left)
		*left = seq >= gap->low ? (seq < gap->high ? seq : gap->high) - gap->low + 1 : 0;
	vd_buf_deinit(&raw);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}
