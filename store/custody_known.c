/* What a keeper is known to hold: by its receipt, and by what a session with it showed. */
#include "custody_inside.h"

#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "proto/err.h"

enum {
	CANDIDATES = 4,            /* records of one item */
	LATE_MAX = 4096,           /* records of a lane that came since a session, for it to be told which were here then */
};

/* What an item stands for here. */
struct vd_named {
	uint8_t item[VD_ITEM_BYTES];
	bool used;
	bool here, linked;         /* in a run of ours, with its body; whether or not its body is here */
	struct vd_stretch at, link; /* where; high: its seq */
};

/* --- what items stand for --- */

static struct vd_named *name_of(struct vd_custody *c, const uint8_t item[VD_ITEM_BYTES])
{
	size_t i = (size_t)vd_get_u64(item) & (c->name_room - 1);

	while (c->names[i].used && memcmp(c->names[i].item, item, VD_ITEM_BYTES) != 0)
		i = (i + 1) & (c->name_room - 1);
	return &c->names[i];
}

static int grow_names(struct vd_custody *c)
{
	struct vd_named *old = c->names;
	size_t room = c->name_room;

	if (2 * (c->name_count + 1) <= room)
		return VD_OK;
	c->names = calloc(room ? 2 * room : 256, sizeof(*c->names));
	if (!c->names) {
		c->names = old;
		return VD_ENOMEM;
	}
	c->name_room = room ? 2 * room : 256;
	for (size_t i = 0; i < room; i++)
		if (old[i].used)
			*name_of(c, old[i].item) = old[i];
	free(old);
	return VD_OK;
}

/* Looks it up. Where two records have one item nobody can tell which is meant. */
static int find_item(struct vd_custody *c, struct vd_named *n)
{
	struct vd_arrival found[CANDIDATES];
	const struct vd_run *run = NULL;
	const struct vd_runs *chain;
	struct vd_record r;
	struct vd_port port;
	size_t count = 0;
	int rc;

	vd_store_port(c->store, &port);
	rc = port.find_item(port.ctx, vd_group_id(c->group), VD_ANY_LANE, n->item, found, CANDIDATES, &count);
	if (rc || count != 1 || found[0].arrival > c->cursor)
		return rc;
	rc = vd_store_read(c->store, found[0].arrival, &c->raw, &r, NULL);
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	chain = vd_custody_chain_of(c, r.author);
	if (chain) {
		uint8_t lane = r.lane;
		uint64_t seq = r.seq;
		bool stub = r.stub;

		rc = vd_custody_run_of(c, chain, VD_LINKS + lane, seq, &found[0].id, &run);
		n->linked = run != NULL;
		if (run)
			n->link = vd_custody_stretch_of(c, chain, VD_LINKS + lane, run, seq);
		run = NULL;
		if (!rc && !stub)
			rc = vd_custody_run_of(c, chain, lane, seq, &found[0].id, &run);
		n->here = run != NULL;
		if (run)
			n->at = vd_custody_stretch_of(c, chain, lane, run, seq);
	}
	return rc;
}

static int look_up(struct vd_custody *c, const uint8_t item[VD_ITEM_BYTES], const struct vd_named **out)
{
	int rc = grow_names(c);
	struct vd_named *n;

	if (rc)
		return rc;
	n = name_of(c, item);
	*out = n;
	if (n->used)
		return VD_OK;
	memcpy(n->item, item, VD_ITEM_BYTES);
	n->used = true;
	c->name_count++;
	return find_item(c, n);
}

static int name_head(struct vd_custody *c, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run)
{
	const struct vd_run *link = lane >= VD_LINKS ? run : NULL;
	struct vd_item item;
	struct vd_named *n;
	int rc = grow_names(c);

	if (rc)
		return rc;
	vd_item_of(vd_group_salt(c->group), &run->head, &item);
	n = name_of(c, item.b);
	c->name_count += !n->used;
	n->used = true;
	memcpy(n->item, item.b, VD_ITEM_BYTES);
	if (!link) {
		n->here = true;
		n->at = vd_custody_stretch_of(c, chain, lane, run, run->high);
		/* Walking down a fork is for later. */
		if (!chain->lanes[VD_LINKS + lane].forked)
			rc = vd_custody_run_of(c, chain, VD_LINKS + lane, run->high, &run->head, &link);
	}
	if (link && !rc) {
		n->linked = true;
		n->link = vd_custody_stretch_of(c, chain, VD_LINKS + lane % VD_LINKS, link, run->high);
	}
	return rc;
}

int vd_custody_name_heads(struct vd_custody *c)
{
	int rc = VD_OK;

	for (size_t i = 0; i < c->chain_count; i++)
		for (uint8_t lane = 0; lane < VD_LINKS + VD_LANES; lane++)
			for (size_t k = 0; k < c->chains[i].lanes[lane].count && !rc; k++)
				rc = name_head(c, &c->chains[i], lane, &c->chains[i].lanes[lane].runs[k]);
	return rc;
}

/* --- what a keeper said --- */

static int by_place(const void *a, const void *b)
{
	const struct vd_stretch *x = a, *y = b;

	if (x->chain != y->chain)
		return x->chain < y->chain ? -1 : 1;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return x->high < y->high ? -1 : x->high > y->high;
}

static int add_reach(struct vd_known *k, size_t *capacity, const struct vd_stretch *at, uint64_t low, uint64_t high)
{
	if (low > high)
		return VD_OK;
	if (!vd_room(&k->reaches, k->count, capacity, 16, sizeof(*k->reaches)))
		return VD_ENOMEM;
	k->reaches[k->count] = *at;
	k->reaches[k->count].low = low;
	k->reaches[k->count++].high = high;
	return VD_OK;
}

/* Down from there, as far as the run goes: below it what they hold may be of another branch than what we have there. */
static uint64_t reach_of(const struct vd_custody *c, const struct vd_stretch *at, uint64_t length)
{
	uint64_t low = c->chains[at->chain].lanes[at->lane].runs[at->run].low;

	return length - 1 < at->high - low ? at->high - (length - 1) : low;
}

static int take_span(struct vd_custody *c, struct vd_known *k, size_t *capacity, const struct vd_named *n, uint64_t length)
{
	const struct vd_runs *chain = &c->chains[n->linked ? n->link.chain : n->at.chain];
	uint8_t lane = (n->linked ? n->link.lane : n->at.lane) % VD_LINKS;
	bool forked = chain->lanes[VD_LINKS + lane].forked;
	uint64_t low = n->linked ? reach_of(c, &n->link, length) : 0;
	int rc = n->linked ? add_reach(k, capacity, &n->link, low, n->link.high) : VD_OK;

	if (n->here && (forked || !n->linked))
		return rc ? rc : add_reach(k, capacity, &n->at, reach_of(c, &n->at, length), n->at.high);
	/* Whatever is here of those seqs is on the way, also below a body that is not here. */
	for (size_t i = 0; i < chain->lanes[lane].count && !rc && !forked; i++) {
		const struct vd_run *run = &chain->lanes[lane].runs[i];
		struct vd_stretch at = vd_custody_stretch_of(c, chain, lane, run, run->high);

		rc = add_reach(k, capacity, &at, run->low > low ? run->low : low, run->high < n->link.high ? run->high : n->link.high);
	}
	return rc;
}

static int take_spans(struct vd_custody *c, struct vd_known *k, struct vd_slice spans)
{
	size_t capacity = 0;
	struct vd_span span;
	int rc = VD_OK;

	while (!rc && vd_receipt_next(&spans, &span)) {
		const struct vd_named *n;

		rc = look_up(c, span.item, &n);
		if (!rc && (n->here || n->linked))
			rc = take_span(c, k, &capacity, n, span.length);
	}
	if (k->count)
		qsort(k->reaches, k->count, sizeof(*k->reaches), by_place);
	return rc;
}

/* --- what a session with a keeper showed --- */

static int by_place_down(const void *a, const void *b)
{
	return by_place(b, a);
}

/* The records of a lane that came after that, as far as they are of runs: each at its seq, those of a run together, the highest first. */
static int find_late(struct vd_custody *c, uint8_t lane, uint64_t through, struct vd_stretch *late, size_t *count)
{
	enum { AT_ONCE = 256 };
	uint64_t numbers[AT_ONCE];
	size_t n = AT_ONCE;
	int rc = VD_OK;

	*count = 0;
	while (!rc && n == AT_ONCE) {
		rc = vd_store_lane_numbers(c->store, vd_group_id(c->group), lane, through, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			const struct vd_run *run = NULL;
			const struct vd_runs *chain;
			struct vd_record r;
			struct vd_id id;

			through = numbers[i];
			if (*count == LATE_MAX)
				return VD_ECAP;
			rc = vd_store_read(c->store, numbers[i], &c->raw, &r, NULL);
			if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED) {
				rc = VD_OK;
				continue;
			}
			chain = rc ? NULL : vd_custody_chain_of(c, r.author);
			id = r.id;
			/* Of a forked chain nobody can tell cheaply; nothing is taken for held there. */
			if (chain && !r.stub && !chain->lanes[lane].forked)
				rc = vd_custody_run_of(c, chain, lane, r.seq, &id, &run);
			if (run)
				late[(*count)++] = vd_custody_stretch_of(c, chain, lane, run, r.seq);
		}
	}
	if (*count)
		qsort(late, *count, sizeof(*late), by_place_down);
	return rc;
}

/* All of a run but what came late. */
static int take_run(struct vd_custody *c, struct vd_known *k, size_t *capacity, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run,
                    const struct vd_stretch *late, size_t count)
{
	const struct vd_stretch at = vd_custody_stretch_of(c, chain, lane, run, run->high);
	uint64_t top = run->high;
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		if (late[i].chain != at.chain || late[i].run != at.run)
			continue;
		rc = add_reach(k, capacity, &at, late[i].high + 1, top);
		top = late[i].high - 1;
	}
	return rc ? rc : add_reach(k, capacity, &at, run->low, top);
}

static int take_met_lane(struct vd_custody *c, struct vd_known *k, size_t *capacity, uint8_t lane, struct vd_stretch *late)
{
	size_t count;
	int rc = find_late(c, lane, k->through[lane], late, &count);

	if (rc)
		return rc == VD_ECAP ? VD_OK : rc;
	for (size_t i = 0; i < c->chain_count && !rc; i++) {
		const struct vd_run_lane *l = &c->chains[i].lanes[lane];

		for (size_t j = 0; j < l->count && !l->forked && !rc; j++)
			rc = take_run(c, k, capacity, &c->chains[i], lane, &l->runs[j], late, count);
	}
	return rc;
}

/* What it said later, by its own count, counts instead: it may have lost what it held, and another set as large tells nothing of that. */
static bool is_void(const struct vd_met *met, const struct vd_kept *kept, uint64_t now_ms, uint8_t lane)
{
	const struct vd_receipt_lane *later = &kept->receipt.lanes[lane];

	return kept->receipt.count > met->held.said[lane] && vd_kept_timely(kept, now_ms) &&
	       (kept->receipt.restored || !later->whole || memcmp(later->digest, met->held.digest[lane], VD_RECEIPT_DIGEST) != 0);
}

static int take_met(struct vd_custody *c, size_t i, struct vd_known *k, const struct vd_kept *kept)
{
	struct vd_stretch *late = NULL;
	size_t capacity = k->count;
	struct vd_met met;
	int rc = vd_met_read(c->store, vd_group_id(c->group), c->keepers[i].author, &met);

	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
		if (!met.held.through[lane] || (kept && is_void(&met, kept, c->now_ms, lane)))
			continue;
		if (!late && !(late = calloc(LATE_MAX, sizeof(*late))))
			rc = VD_ENOMEM;
		k->through[lane] = met.held.through[lane];
		if (!rc)
			rc = take_met_lane(c, k, &capacity, lane, late);
	}
	free(late);
	return rc;
}

/* --- what a keeper wrote --- */

/* The highest seq of those runs that it is shown to hold; 0: none. */
static uint64_t top_of(const struct vd_known *k, uint32_t chain, uint8_t lane)
{
	uint64_t top = 0;

	for (size_t i = 0; i < k->shown; i++)
		if (k->reaches[i].chain == chain && k->reaches[i].lane == lane && k->reaches[i].high > top)
			top = k->reaches[i].high;
	return top;
}

/* Above what it said: what it wrote since. What it had written by then, and did not say, it has lost. */
static int take_since(struct vd_custody *c, struct vd_known *k, size_t *capacity, const struct vd_runs *own, uint8_t lane, uint64_t said_ms)
{
	const struct vd_run_lane *l = &own->lanes[lane];
	uint64_t top = top_of(k, (uint32_t)(own - c->chains), lane);
	int rc = VD_OK;

	for (size_t i = 0; i < l->count && !rc; i++) {
		const struct vd_run *run = &l->runs[i];
		struct vd_stretch at = vd_custody_stretch_of(c, own, lane, run, run->high);
		struct vd_record r;
		uint64_t arrival;

		if (run->high <= top)
			continue;
		rc = vd_store_find(c->store, &run->head, &arrival);
		if (!rc)
			rc = vd_store_read(c->store, arrival, &c->raw, &r, NULL);
		if (!rc && r.time_ms >= said_ms)
			rc = add_reach(k, capacity, &at, run->low > top ? run->low : top + 1, run->high);
		rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	}
	return rc;
}

static int take_own(struct vd_custody *c, size_t i, struct vd_known *k, uint64_t said_ms)
{
	const struct vd_runs *own = vd_custody_chain_of(c, c->keepers[i].author);
	size_t capacity = k->count;
	int rc = VD_OK;

	k->shown = k->count;
	for (uint8_t lane = 0; lane < VD_LANES && own && !k->restored && !rc; lane++) {
		uint32_t chain = (uint32_t)(own - c->chains);

		k->wrote_all[lane] = !k->trusted || k->same[lane] || (!top_of(k, chain, lane) && !top_of(k, chain, VD_LINKS + lane));
		if (!k->wrote_all[lane])
			rc = take_since(c, k, &capacity, own, lane, said_ms);
		if (!k->wrote_all[lane] && !rc)
			rc = take_since(c, k, &capacity, own, VD_LINKS + lane, said_ms);
	}
	return rc;
}

int vd_custody_load(struct vd_custody *c, size_t i, struct vd_known **out)
{
	struct vd_known *k = &c->known[i];
	struct vd_kept kept;
	uint64_t said_ms = 0;
	int rc;

	*out = k;
	if (k->loaded)
		return VD_OK;
	rc = vd_kept_read(c->store, vd_group_id(c->group), c->keepers[i].author, &kept);
	if (!rc) {
		k->trusted = !kept.doubtful && vd_kept_timely(&kept, c->now_ms);
		k->restored = kept.receipt.restored;
		said_ms = kept.receipt.time_ms;
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			const struct vd_receipt_lane *theirs = &kept.receipt.lanes[lane];

			k->same_ids[lane] = k->trusted && theirs->count == c->lanes[lane].count &&
			                    memcmp(theirs->digest, c->lanes[lane].digest, VD_RECEIPT_DIGEST) == 0;
			k->same[lane] = k->same_ids[lane] && theirs->whole;
		}
		if (k->trusted)
			rc = take_spans(c, k, kept.receipt.spans);
		if (!rc)
			rc = take_met(c, i, k, &kept);
		vd_kept_deinit(&kept);
	} else if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED) {
		rc = take_met(c, i, k, NULL);
	}
	if (!rc)
		rc = take_own(c, i, k, said_ms);
	k->loaded = !rc;
	return rc;
}
