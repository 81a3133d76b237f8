#include "custody.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "kept.h"
#include "proto/err.h"

enum {
	WALK_STEPS = 4096,         /* down a forked chain to find out which branch a record is of … */
	WALK_ALL = 65536,          /* … and of all such walks together; what they do not find is not known to be held */
	CANDIDATES = 4,            /* records of one item */
	LATE_MAX = 4096,           /* records of a lane that came since a session, for it to be told which were here then */
};

/* A span of a receipt, as far as it lies in a run of ours. */
struct reach {
	uint32_t chain;            /* place among the authors */
	uint8_t lane, run;
	uint64_t high, low;
};

/* What an item stands for here. */
struct named {
	uint8_t item[VD_ITEM_BYTES];
	bool used, here;           /* here: in a run of ours */
	struct reach at;           /* high: its seq */
};

struct known {
	bool loaded, trusted;      /* trusted: there is a receipt, it is not doubtful, and not from the future */
	bool restored;
	bool same[VD_LANES];       /* its lane is ours, with every body */
	uint64_t through[VD_LANES];/* a session showed that it holds all of ours up to there; 0: none did */
	struct reach *reaches;     /* ascending */
	size_t count;
};

struct vd_custody {
	struct vd_store *store;
	struct vd_group *group;
	uint64_t now_ms;
	uint64_t cursor;           /* of the index: what came later is in no run */
	struct vd_receipt_lane lanes[VD_LANES];
	struct vd_runs *chains;    /* of each device of the group, by author */
	size_t chain_count;
	struct vd_keeper *keepers;
	struct known *known;
	size_t count;
	struct named *names;       /* a table of 2^n */
	size_t name_count, name_room;
	size_t steps_left;
	struct vd_buf raw;
};

static int by_author(const void *a, const void *b)
{
	return memcmp(((const struct vd_runs *)a)->author, ((const struct vd_runs *)b)->author, VD_KEY_BYTES);
}

static const struct vd_runs *chain_of(const struct vd_custody *c, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_runs *low = c->chains;

	for (size_t n = c->chain_count; n;) {
		int order = memcmp(author, low[n / 2].author, VD_KEY_BYTES);

		if (!order)
			return &low[n / 2];
		if (order > 0) {
			low += n / 2 + 1;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return NULL;
}

/* --- which run a record is of --- */

static int read_id(struct vd_custody *c, const struct vd_id *id, struct vd_record *out)
{
	uint64_t arrival;
	int rc = vd_store_find(c->store, id, &arrival);

	return rc ? rc : vd_store_read(c->store, arrival, &c->raw, out, NULL);
}

/* Does the run lead to that id at that seq? */
static int leads_to(struct vd_custody *c, const struct vd_run *run, uint64_t seq, const struct vd_id *id, bool *yes)
{
	struct vd_id at = run->head;
	uint64_t high = run->high;
	struct vd_record r;
	int rc = VD_OK;

	*yes = false;
	if (high - seq > WALK_STEPS)
		return VD_OK;
	for (; high > seq && c->steps_left; high--, c->steps_left--) {
		rc = read_id(c, &at, &r);
		if (rc || !r.has_prev)
			return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
		at = r.prev;
	}
	*yes = high == seq && memcmp(at.b, id->b, VD_ID_BYTES) == 0;
	return VD_OK;
}

/* *out: NULL when it is in none, or that is not known. */
static int run_of(struct vd_custody *c, const struct vd_runs *chain, uint8_t lane, uint64_t seq, const struct vd_id *id, const struct vd_run **out)
{
	const struct vd_run_lane *l = &chain->lanes[lane];
	int rc = VD_OK;

	*out = NULL;
	for (size_t i = 0; i < l->count && !rc && !*out; i++) {
		bool yes = !l->forked;

		if (l->runs[i].low > seq || l->runs[i].high < seq)
			continue;
		if (l->forked)
			rc = leads_to(c, &l->runs[i], seq, id, &yes);
		if (yes)
			*out = &l->runs[i];
	}
	return rc;
}

static struct reach reach_of(const struct vd_custody *c, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run, uint64_t seq)
{
	return (struct reach){ .chain = (uint32_t)(chain - c->chains), .lane = lane, .run = (uint8_t)(run - chain->lanes[lane].runs), .high = seq };
}

/* --- what items stand for --- */

static struct named *name_of(struct vd_custody *c, const uint8_t item[VD_ITEM_BYTES])
{
	size_t i = (size_t)vd_get_u64(item) & (c->name_room - 1);

	while (c->names[i].used && memcmp(c->names[i].item, item, VD_ITEM_BYTES) != 0)
		i = (i + 1) & (c->name_room - 1);
	return &c->names[i];
}

static int grow_names(struct vd_custody *c)
{
	struct named *old = c->names;
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
static int find_item(struct vd_custody *c, struct named *n)
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
	if (rc || count != 1 || found[0].stub || found[0].arrival > c->cursor)
		return rc;
	rc = vd_store_read(c->store, found[0].arrival, &c->raw, &r, NULL);
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	chain = chain_of(c, r.author);
	if (chain) {
		uint8_t lane = r.lane;
		uint64_t seq = r.seq;

		rc = run_of(c, chain, lane, seq, &found[0].id, &run);
		n->here = run != NULL;
		if (run)
			n->at = reach_of(c, chain, lane, run, seq);
	}
	return rc;
}

static int look_up(struct vd_custody *c, const uint8_t item[VD_ITEM_BYTES], const struct named **out)
{
	int rc = grow_names(c);
	struct named *n;

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

/* Most spans begin where a run of ours does. */
static int name_heads(struct vd_custody *c)
{
	int rc = VD_OK;

	for (size_t i = 0; i < c->chain_count; i++)
		for (uint8_t lane = 0; lane < VD_LANES; lane++)
			for (size_t k = 0; k < c->chains[i].lanes[lane].count; k++) {
				const struct vd_run *run = &c->chains[i].lanes[lane].runs[k];
				struct vd_item item;
				struct named *n;

				rc = grow_names(c);
				if (rc)
					return rc;
				vd_item_of(vd_group_salt(c->group), &run->head, &item);
				n = name_of(c, item.b);
				c->name_count += !n->used;
				*n = (struct named){ .used = true, .here = true, .at = reach_of(c, &c->chains[i], lane, run, run->high) };
				memcpy(n->item, item.b, VD_ITEM_BYTES);
			}
	return rc;
}

/* --- what a keeper said --- */

static int by_place(const void *a, const void *b)
{
	const struct reach *x = a, *y = b;

	if (x->chain != y->chain)
		return x->chain < y->chain ? -1 : 1;
	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return x->high < y->high ? -1 : x->high > y->high;
}

static int take_spans(struct vd_custody *c, struct known *k, struct vd_slice spans)
{
	size_t capacity = 0;
	struct vd_span span;
	int rc = VD_OK;

	while (!rc && vd_receipt_next(&spans, &span)) {
		const struct named *n;
		struct reach *r;
		uint64_t low;

		rc = look_up(c, span.item, &n);
		if (rc || !n->here)
			continue;
		if (!vd_room(&k->reaches, k->count, &capacity, 16, sizeof(*k->reaches)))
			return VD_ENOMEM;
		r = &k->reaches[k->count++];
		*r = n->at;
		/* Below our run what they hold may be of another branch than what we have there. */
		low = c->chains[r->chain].lanes[r->lane].runs[r->run].low;
		r->low = span.length - 1 < r->high - low ? r->high - (span.length - 1) : low;
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

static int add_reach(struct known *k, size_t *capacity, const struct reach *at, uint64_t low, uint64_t high)
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

/* The records of a lane that came after that, as far as they are of runs: each at its seq, those of a run together, the highest first. */
static int find_late(struct vd_custody *c, uint8_t lane, uint64_t through, struct reach *late, size_t *count)
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
			chain = rc ? NULL : chain_of(c, r.author);
			id = r.id;
			/* Of a forked chain nobody can tell cheaply; nothing is taken for held there. */
			if (chain && !r.stub && !chain->lanes[lane].forked)
				rc = run_of(c, chain, lane, r.seq, &id, &run);
			if (run)
				late[(*count)++] = reach_of(c, chain, lane, run, r.seq);
		}
	}
	if (*count)
		qsort(late, *count, sizeof(*late), by_place_down);
	return rc;
}

/* All of a run but what came late. */
static int take_run(struct vd_custody *c, struct known *k, size_t *capacity, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run,
                    const struct reach *late, size_t count)
{
	const struct reach at = reach_of(c, chain, lane, run, run->high);
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

static int take_met_lane(struct vd_custody *c, struct known *k, size_t *capacity, uint8_t lane, struct reach *late)
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

/* What it said later counts more: it may have lost what it held. Met by a clock that was in the future, nobody knows which was later. */
static bool is_void(const struct vd_met *met, const struct vd_kept *kept, uint64_t now_ms, uint8_t lane)
{
	return (kept->heard_ms >= met->seen_ms || met->seen_ms > now_ms) && (kept->receipt.restored || kept->receipt.lanes[lane].count < met->held.count[lane]);
}

static int take_met(struct vd_custody *c, size_t i, struct known *k, const struct vd_kept *kept)
{
	struct reach *late = NULL;
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

static int load(struct vd_custody *c, size_t i, struct known **out)
{
	struct known *k = &c->known[i];
	struct vd_kept kept;
	int rc;

	*out = k;
	if (k->loaded)
		return VD_OK;
	rc = vd_kept_read(c->store, vd_group_id(c->group), c->keepers[i].author, &kept);
	if (!rc) {
		k->trusted = !kept.doubtful && vd_kept_timely(&kept, c->now_ms);
		k->restored = kept.receipt.restored;
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			const struct vd_receipt_lane *theirs = &kept.receipt.lanes[lane];

			k->same[lane] = k->trusted && theirs->whole && theirs->count == c->lanes[lane].count &&
			                memcmp(theirs->digest, c->lanes[lane].digest, VD_RECEIPT_DIGEST) == 0;
		}
		if (k->trusted)
			rc = take_spans(c, k, kept.receipt.spans);
		if (!rc)
			rc = take_met(c, i, k, &kept);
		vd_kept_deinit(&kept);
	} else if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED) {
		rc = take_met(c, i, k, NULL);
	}
	k->loaded = !rc;
	return rc;
}

/* --- opening --- */

static int add_keepers(struct vd_custody *c)
{
	const struct vd_identity *us = vd_group_identity(c->group);
	size_t devices = vd_group_device_count(c->group);
	int rc = VD_OK;

	c->keepers = calloc(devices + 1, sizeof(*c->keepers));
	c->known = calloc(devices + 1, sizeof(*c->known));
	if (!c->keepers || !c->known)
		return VD_ENOMEM;
	for (size_t i = 0; i < devices && !rc; i++) {
		const struct vd_device *d = vd_group_device(c->group, i);
		struct vd_keeper *k = &c->keepers[c->count];
		struct vd_kept kept;
		struct vd_met met;

		if (d->role == VD_ROLE_NONE || d->flags & VD_GRANT_PAPER || (us && !memcmp(us->author, d->author, VD_KEY_BYTES)))
			continue;
		c->count++;
		memcpy(k->author, d->author, VD_KEY_BYTES);
		memcpy(k->person, d->person, VD_PERSON_BYTES);
		if (!vd_met_read(c->store, vd_group_id(c->group), d->author, &met) && met.seen_ms <= c->now_ms) {
			k->heard_ms = met.seen_ms;
			k->route = met.route;
		}
		rc = vd_kept_read(c->store, vd_group_id(c->group), d->author, &kept);
		if (rc) {
			rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
			continue;
		}
		k->told = true;
		k->said_ms = kept.receipt.time_ms;
		if (kept.heard_ms > k->heard_ms && kept.heard_ms <= c->now_ms) {
			k->heard_ms = kept.heard_ms;
			k->route = kept.route;
		}
		k->keep_until = kept.doubtful || !vd_kept_timely(&kept, c->now_ms) ? 0 : kept.receipt.keep_until;
		vd_kept_deinit(&kept);
	}
	return rc;
}

static int add_chains(struct vd_custody *c)
{
	size_t devices = vd_group_device_count(c->group);
	int rc = VD_OK;

	c->chains = calloc(devices + 1, sizeof(*c->chains));
	if (!c->chains)
		return VD_ENOMEM;
	for (; c->chain_count < devices && !rc; c->chain_count++) {
		struct vd_runs *chain = &c->chains[c->chain_count];
		const uint8_t *author = vd_group_device(c->group, c->chain_count)->author;

		rc = vd_runs_read(c->store, vd_group_id(c->group), author, chain);
		if (rc == VD_EDAMAGED) {
			*chain = (struct vd_runs){ 0 };
			memcpy(chain->author, author, VD_KEY_BYTES);
			rc = VD_OK;
		}
	}
	if (c->chain_count)
		qsort(c->chains, c->chain_count, sizeof(*c->chains), by_author);
	return rc;
}

bool vd_custody_ready(struct vd_store *s, uint64_t now_ms)
{
	return !vd_index_may_wait(s, now_ms);
}

int vd_custody_open(struct vd_store *s, struct vd_group *group, struct vd_custody **out)
{
	return vd_custody_open_at(s, group, vd_now_ms(), out);
}

int vd_custody_open_at(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_custody **out)
{
	struct vd_custody *c = calloc(1, sizeof(*c));
	struct vd_index_state state;
	int rc = c ? vd_index_catch_up(s) : VD_ENOMEM;

	if (!rc)
		rc = vd_group_salt(group) ? vd_index_state(s, &state) : VD_ENOTFOUND;
	if (rc)
		goto done;
	c->store = s;
	c->now_ms = now_ms;
	c->group = group;
	c->cursor = state.cursor;
	c->steps_left = WALK_ALL;
	rc = vd_custody_lanes(s, vd_group_id(group), c->lanes);
	if (!rc)
		rc = add_chains(c);
	if (!rc)
		rc = add_keepers(c);
	if (!rc)
		rc = name_heads(c);
	if (rc)
		goto done;
	*out = c;
	c = NULL;
done:
	vd_custody_close(c);
	return rc;
}

void vd_custody_close(struct vd_custody *c)
{
	if (!c)
		return;
	for (size_t i = 0; c->known && i < c->count; i++)
		free(c->known[i].reaches);
	free(c->known);
	free(c->keepers);
	free(c->chains);
	free(c->names);
	vd_buf_deinit(&c->raw);
	free(c);
}

size_t vd_custody_count(const struct vd_custody *c)
{
	return c->count;
}

const struct vd_keeper *vd_custody_keeper(const struct vd_custody *c, size_t i)
{
	return &c->keepers[i];
}

/* --- one record --- */

static bool reaches(const struct known *k, const struct reach *at)
{
	for (size_t i = 0; i < k->count; i++) {
		const struct reach *r = &k->reaches[i];

		if (r->chain == at->chain && r->lane == at->lane && r->run == at->run && r->low <= at->high && at->high <= r->high)
			return true;
	}
	return false;
}

struct acking {
	const uint8_t *author;
	bool yes;
};

static int see_ack(void *ctx, const struct vd_found *found)
{
	struct acking *a = ctx;

	a->yes = a->yes || (found->body == 0 && !memcmp(found->record->author, a->author, VD_KEY_BYTES));
	return a->yes ? 1 : 0;
}

static int has_acked(struct vd_custody *c, const uint8_t *author, const struct vd_id *id, bool *yes)
{
	const struct vd_query query = { .group = vd_group_id(c->group), .kind = "ack", .author = author, .about = id };
	struct acking a = { .author = author };
	int rc = vd_query(c->store, &query, see_ack, &a);

	*yes = a.yes;
	return rc == VD_EDAMAGED || rc == 1 ? VD_OK : rc;
}

int vd_custody_holds(struct vd_custody *c, size_t i, uint64_t arrival, const struct vd_record *record, enum vd_holding *out)
{
	const struct vd_runs *chain = chain_of(c, record->author);
	const struct vd_run *run = NULL;
	struct known *k;
	bool acked = false;
	int rc = load(c, i, &k);

	*out = VD_HOLDS_NOT;
	if (rc)
		return rc;
	if (!k->restored && !memcmp(record->author, c->keepers[i].author, VD_KEY_BYTES)) {
		*out = VD_HOLDS_OWN;
		return VD_OK;
	}
	if (k->through[record->lane] >= arrival) {
		*out = VD_HOLDS_MET;
		return VD_OK;
	}
	if (k->same[record->lane] && arrival <= c->cursor) {
		*out = VD_HOLDS_LANE;
		return VD_OK;
	}
	if (chain && k->count && !record->stub && arrival <= c->cursor)
		rc = run_of(c, chain, record->lane, record->seq, &record->id, &run);
	if (!rc && run) {
		struct reach at = reach_of(c, chain, record->lane, run, record->seq);

		if (reaches(k, &at)) {
			*out = VD_HOLDS_SPAN;
			return VD_OK;
		}
	}
	if (!rc && record->lane == VD_LANE_URGENT)
		rc = has_acked(c, c->keepers[i].author, &record->id, &acked);
	if (acked)
		*out = VD_HOLDS_ACK;
	return rc;
}

/* --- many --- */

struct sweep {
	struct vd_custody *c;
	const bool *who;
	struct vd_missing *out;
	struct vd_gap **gaps;
	size_t *gap_count, gap_room;
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
static uint64_t next_hole(const struct sweep *s, const struct reach *at, uint64_t top, uint64_t lowest, uint64_t *down)
{
	bool again = true;

	*down = lowest;
	while (again && top >= lowest && top) {
		again = false;
		*down = lowest;
		for (size_t i = 0; i < s->c->count; i++) {
			const struct known *k = &s->c->known[i];

			for (size_t j = 0; (!s->who || s->who[i]) && j < k->count; j++) {
				const struct reach *r = &k->reaches[j];

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

static int sweep_run(struct sweep *s, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run)
{
	const struct reach at = reach_of(s->c, chain, lane, run, run->high);
	uint64_t top = run->high, down;
	int rc = VD_OK;

	while (!rc && (top = next_hole(s, &at, top, run->low, &down))) {
		rc = add_gap(s, chain, lane, run, top, down);
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
		if (author ? !s->c->known[i].restored && !memcmp(s->c->keepers[i].author, author, VD_KEY_BYTES) : s->c->known[i].same[lane])
			return true;
	}
	return false;
}

int vd_custody_missing(struct vd_custody *c, const bool *who, struct vd_missing *out, struct vd_gap **gaps, size_t *gap_count)
{
	struct sweep s = { .c = c, .who = who, .out = out, .gaps = gaps, .gap_count = gap_count };
	struct known *k;
	int rc = VD_OK;

	*out = (struct vd_missing){ .unsure = false };
	if (gaps) {
		*gaps = NULL;
		*gap_count = 0;
	}
	for (size_t i = 0; i < c->count && !rc; i++)
		if (!who || who[i])
			rc = load(c, i, &k);
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
