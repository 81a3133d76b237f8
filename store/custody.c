#include "custody_inside.h"

#include <stdlib.h>
#include <string.h>

#include "kept.h"
#include "proto/err.h"

enum {
	WALK_STEPS = 4096,         /* down a forked chain to find out which branch a record is of … */
	WALK_ALL = 65536,          /* … and of all such walks together; what they do not find is not known to be held */
};

static int by_author(const void *a, const void *b)
{
	return memcmp(((const struct vd_runs *)a)->author, ((const struct vd_runs *)b)->author, VD_KEY_BYTES);
}

const struct vd_runs *vd_custody_chain_of(const struct vd_custody *c, const uint8_t author[VD_KEY_BYTES])
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

int vd_custody_run_of(struct vd_custody *c, const struct vd_runs *chain, uint8_t lane, uint64_t seq, const struct vd_id *id, const struct vd_run **out)
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

struct vd_stretch vd_custody_stretch_of(const struct vd_custody *c, const struct vd_runs *chain, uint8_t lane, const struct vd_run *run, uint64_t seq)
{
	return (struct vd_stretch){ .chain = (uint32_t)(chain - c->chains), .lane = lane, .run = (uint8_t)(run - chain->lanes[lane].runs), .high = seq };
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
		struct vd_ahead ahead;
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
		if (!vd_ahead_read(c->store, vd_group_id(c->group), d->author, &ahead) && ahead.heard_ms > k->heard_ms && !vd_receipt_ahead(ahead.heard_ms, c->now_ms) &&
		    vd_receipt_ahead(ahead.shown_ms, c->now_ms))
			k->ahead_ms = ahead.shown_ms;
		if (!vd_kept_timely(&kept, c->now_ms))
			k->ahead_ms = kept.receipt.time_ms > kept.receipt.count ? kept.receipt.time_ms : kept.receipt.count;
		k->keep_until = kept.doubtful || !vd_kept_timely(&kept, c->now_ms) ? 0 : kept.receipt.keep_until;
		k->lapsed = k->keep_until && k->keep_until < c->now_ms / VD_DAY_MS;
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
		rc = vd_custody_name_heads(c);
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

bool vd_custody_replaced(struct vd_group *group, const struct vd_keeper *k)
{
	const struct vd_device *it = vd_group_find(group, k->author);

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (d->role != VD_ROLE_NONE && !(d->flags & VD_GRANT_PAPER) && !memcmp(d->person, k->person, VD_PERSON_BYTES) && d->since_ms > it->since_ms &&
		    k->said_ms <= d->since_ms + VD_RECEIPT_AHEAD_MS)
			return true;
	}
	return false;
}

/* --- one record --- */

static bool reaches(const struct vd_known *k, size_t count, const struct vd_stretch *at)
{
	for (size_t i = 0; i < count; i++) {
		const struct vd_stretch *r = &k->reaches[i];

		if (r->chain == at->chain && r->lane == at->lane && r->run == at->run && r->low <= at->high && at->high <= r->high)
			return true;
	}
	return false;
}

struct acking {
	const struct vd_custody *custody;
	const bool *who;
	bool yes;
};

static int see_ack(void *ctx, const struct vd_found *found)
{
	struct acking *a = ctx;

	for (size_t i = 0; i < a->custody->count && !found->body; i++)
		/* What was answered before a backup was restored may be gone since. */
		a->yes |= (!a->who || a->who[i]) && a->custody->known[i].loaded && !a->custody->known[i].restored &&
		          !memcmp(found->record->author, a->custody->keepers[i].author, VD_KEY_BYTES);
	return a->yes ? 1 : 0;
}

/* Most records have no answer: that is seen at once. */
static int has_answers(struct vd_custody *c, const struct vd_id *id, bool *yes)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor = NULL;
	MDB_txn *txn;
	int rc = vd_db_read(c->store->db, &txn);

	if (rc)
		return rc;
	vd_index_list(c->store, VD_INDEX_ABOUT, NULL, vd_slice(id->b, VD_ID_BYTES), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(c->store->db, VD_TABLE_INDEX), &cursor));
	if (!rc)
		rc = vd_list_next(cursor, list, &arrival);
	*yes = !rc;
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(c->store->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_custody_acked(struct vd_custody *c, const bool *who, const struct vd_id *id, bool *yes)
{
	const struct vd_query query = { .group = vd_group_id(c->group), .kind = "ack", .about = id };
	struct acking a = { .custody = c, .who = who };
	bool any = false;
	int rc = has_answers(c, id, &any);

	if (any && !rc)
		rc = vd_query(c->store, &query, see_ack, &a);
	*yes = a.yes;
	return rc == VD_EDAMAGED || rc == 1 ? VD_OK : rc;
}

static int has_acked(struct vd_custody *c, size_t i, const struct vd_id *id, bool *yes)
{
	bool *who = calloc(c->count, sizeof(*who));
	int rc;

	if (!who)
		return VD_ENOMEM;
	who[i] = true;
	rc = vd_custody_acked(c, who, id, yes);
	free(who);
	return rc;
}

/* Does one of the first `count` stretches reach it among those runs? */
static int find_span_in(struct vd_custody *c, const struct vd_known *k, size_t count, const struct vd_runs *chain, uint8_t lane,
                        const struct vd_record *record, enum vd_holding *out)
{
	const struct vd_run *run;
	int rc = vd_custody_run_of(c, chain, lane, record->seq, &record->id, &run);

	if (!rc && run) {
		struct vd_stretch at = vd_custody_stretch_of(c, chain, lane, run, record->seq);

		if (reaches(k, count, &at))
			*out = VD_HOLDS_SPAN;
	}
	return rc;
}

static int find_span(struct vd_custody *c, const struct vd_known *k, const struct vd_runs *chain, const struct vd_record *record, enum vd_holding *out)
{
	uint8_t links = VD_LINKS + record->lane;
	int rc = record->stub ? VD_OK : find_span_in(c, k, k->shown, chain, record->lane, record, out);

	if (!rc && *out == VD_HOLDS_NOT && (record->stub || !chain->lanes[links].forked))
		rc = find_span_in(c, k, k->shown, chain, links, record, out);
	return rc;
}

/* By what the device showed or said. */
static int find_said(struct vd_custody *c, size_t i, const struct vd_known *k, uint64_t arrival, const struct vd_record *record, enum vd_holding *out)
{
	const struct vd_runs *chain = vd_custody_chain_of(c, record->author);
	bool acked = false;
	int rc = VD_OK;

	if (k->through[record->lane] >= arrival) {
		*out = VD_HOLDS_MET;
		return VD_OK;
	}
	/* Of a stub spans come first: they still tell when the lanes differ again. */
	if (k->same[record->lane] && arrival <= c->cursor && !record->stub)
		*out = VD_HOLDS_LANE;
	else if (chain && k->shown && arrival <= c->cursor)
		rc = find_span(c, k, chain, record, out);
	if (!rc && *out == VD_HOLDS_NOT && k->same[record->lane] && arrival <= c->cursor)
		*out = VD_HOLDS_LANE;
	if (rc || *out != VD_HOLDS_NOT)
		return rc;
	if (record->lane == VD_LANE_URGENT)
		rc = has_acked(c, i, &record->id, &acked);
	if (acked)
		*out = VD_HOLDS_ACK;
	return rc;
}

/* That it wrote it counts unless what it said later leaves it out. */
static int find_written(struct vd_custody *c, const struct vd_known *k, uint64_t arrival, const struct vd_record *record, bool *yes)
{
	enum vd_holding how = VD_HOLDS_NOT;
	const struct vd_runs *chain = vd_custody_chain_of(c, record->author);
	int rc = VD_OK;

	*yes = k->wrote_all[record->lane];
	if (!*yes && !k->restored && chain && arrival <= c->cursor) {
		rc = find_span_in(c, k, k->count, chain, record->stub ? VD_LINKS + record->lane : record->lane, record, &how);
		*yes = how != VD_HOLDS_NOT;
	}
	return rc;
}

int vd_custody_holds(struct vd_custody *c, size_t i, uint64_t arrival, const struct vd_record *record, enum vd_holding *out)
{
	struct vd_known *k;
	bool wrote = false;
	int rc = vd_custody_load(c, i, &k);

	*out = VD_HOLDS_NOT;
	if (!rc && !memcmp(record->author, c->keepers[i].author, VD_KEY_BYTES))
		rc = find_written(c, k, arrival, record, &wrote);
	if (rc)
		return rc;
	if (wrote) {
		*out = VD_HOLDS_OWN;
		return VD_OK;
	}
	return find_said(c, i, k, arrival, record, out);
}

/* Does it hold a record of that run of links, or one above it? What stands above names what is below, by its predecessors. */
static bool leads_below(const struct vd_known *k, const struct vd_stretch *at)
{
	for (size_t i = 0; i < k->shown; i++) {
		const struct vd_stretch *r = &k->reaches[i];

		if (r->chain == at->chain && r->lane == at->lane && r->run == at->run && r->high >= at->high)
			return true;
	}
	return false;
}

int vd_custody_knows(struct vd_custody *c, size_t i, uint64_t arrival, const struct vd_record *record, bool *yes)
{
	const struct vd_runs *chain = vd_custody_chain_of(c, record->author);
	uint8_t links = VD_LINKS + record->lane;
	const struct vd_run *run = NULL;
	struct vd_known *k;
	int rc = vd_custody_confirmed(c, i, arrival, record, yes);

	if (rc || *yes || arrival > c->cursor)
		return rc;
	rc = vd_custody_load(c, i, &k);
	*yes = !rc && k->same_ids[record->lane];
	if (!rc && !*yes && chain)
		rc = vd_custody_run_of(c, chain, links, record->seq, &record->id, &run);
	if (!rc && run) {
		struct vd_stretch at = vd_custody_stretch_of(c, chain, links, run, record->seq);

		*yes = leads_below(k, &at);
	}
	return rc;
}

int vd_custody_same_ids(struct vd_custody *c, size_t i, uint8_t lane, bool *yes)
{
	struct vd_known *k;
	int rc = vd_custody_load(c, i, &k);

	*yes = !rc && k->same_ids[lane];
	return rc;
}

int vd_custody_confirmed(struct vd_custody *c, size_t i, uint64_t arrival, const struct vd_record *record, bool *yes)
{
	enum vd_holding how = VD_HOLDS_NOT;
	struct vd_known *k;
	int rc = vd_custody_load(c, i, &k);

	if (!rc)
		rc = find_said(c, i, k, arrival, record, &how);
	*yes = how != VD_HOLDS_NOT;
	return rc;
}
