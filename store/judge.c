/* Judging a batch against what is stored, with all workers. */
#include <string.h>

#include "judge.h"
#include "proto/err.h"

bool vd_same_chain(const struct vd_record *a, const struct vd_record *b)
{
	return a->lane == b->lane && !memcmp(a->author, b->author, VD_KEY_BYTES);
}

bool vd_precedes(const struct vd_record *a, const struct vd_record *b)
{
	return b->has_prev && a->seq + 1 == b->seq && a->lane == b->lane && !memcmp(a->id.b, b->prev.b, VD_ID_BYTES) &&
	       !memcmp(a->author, b->author, VD_KEY_BYTES) && !memcmp(a->group, b->group, VD_GROUP_BYTES);
}

/* --- what is stored vouches --- */

/* Looks things up in one snapshot, which is opened when the first is asked about. */
struct vouching {
	struct vd_store *store;
	struct vd_tops *tops;            /* NULL: nothing is known */
	struct vd_record last;           /* who was asked about last, and how far theirs go */
	uint64_t top;
	bool opened;
	MDB_txn *txn;
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t count;
	MDB_cursor *items, *lists;
	struct vd_reading reading;
};

static void vouching_open(struct vouching *v)
{
	struct vd_store *s = v->store;

	v->opened = true;
	if (vd_db_read(s->db, &v->txn))
		v->txn = NULL;
	else if (vd_memberships(s, v->txn, v->in, &v->count) || mdb_cursor_open(v->txn, vd_db_table(s->db, VD_TABLE_ITEMS), &v->items) ||
	         mdb_cursor_open(v->txn, vd_db_table(s->db, VD_TABLE_LISTS), &v->lists))
		v->count = 0;
}

static void vouching_close(struct vouching *v)
{
	if (v->items)
		mdb_cursor_close(v->items);
	if (v->lists)
		mdb_cursor_close(v->lists);
	vd_db_done(v->store->db, v->txn);
	vd_reading_wipe(&v->reading);
	*v = (struct vouching){ .store = v->store };
}

/* Of whom nothing is here. Else, or where that cannot be read, it is not known. */
static uint64_t first_top(struct vd_store *s, const struct vd_record *record)
{
	uint64_t records[VD_LANES];

	return !vd_shares_held(s, record->group, record->author, records) && !records[record->lane] ? 0 : VD_TOP_UNKNOWN;
}

static bool vouched(void *ctx, const struct vd_record *record)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vouching *v = ctx;
	struct vd_stored stored;
	uint64_t arrival = 0;
	bool yes = false;

	if (v->tops && !vd_same_chain(&v->last, record)) {
		v->last = *record;
		v->top = vd_tops_get(v->tops, record->author, record->lane);
		if (v->top == VD_TOP_UNKNOWN)
			v->top = first_top(v->store, record);
	}
	if (v->tops && record->seq > v->top)
		return false;
	if (!v->opened)
		vouching_open(v);
	if (!v->items || !v->lists)
		return false;
	/* The same id is the same header and signature, and those were verified when they came. */
	for (size_t i = 0; i < v->count && !yes; i++) {
		if (!memcmp(v->in[i].group, record->group, VD_GROUP_BYTES))
			yes = !vd_find_stored(v->store, v->txn, v->items, &v->in[i], &record->id, &v->reading, &stored);
	}
	if (yes)
		return true;
	vd_prev_list(v->store, record->group, record->author, record->lane, record->seq + 1, &record->id, list);
	while (!yes && !vd_list_next(v->lists, list, &arrival)) {
		struct vd_record next;

		yes = !vd_stored_get(v->store, v->txn, arrival, &v->reading, &stored) && !vd_stored_view(&stored, &next) &&
		      vd_precedes(record, &next);
	}
	return yes;
}

bool vd_vouched(void *ctx, const struct vd_record *record)
{
	struct vouching v = { .store = ctx };
	bool yes = vouched(&v, record);

	vouching_close(&v);
	return yes;
}

static void check_part(void *ctx, size_t from, size_t to)
{
	vd_chain_check(ctx, from, to);
}

void vd_store_check_batch(struct vd_store *s, struct vd_batch *batch, size_t checks)
{
	enum { PART = 16, WORTH = 32 }; /* signatures: a millisecond's worth, and when a thread is worth waking */

	vd_workers_do(checks < WORTH ? NULL : vd_store_workers(s), checks, PART, check_part, batch);
}

/* Here they are but a hint: a signature more is checked if somebody else wrote meanwhile. */
static void note_tops(struct vd_store *s, struct vd_tops *tops, const struct vd_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct vd_record *record = &batch->entries[i].record;
		uint64_t top;

		if (batch->entries[i].verdict || (i + 1 < batch->count && vd_same_chain(record, &batch->entries[i + 1].record)))
			continue;
		top = vd_tops_get(tops, record->author, record->lane);
		if (top == VD_TOP_UNKNOWN)
			top = first_top(s, record);
		if (record->seq > top)
			vd_tops_put(tops, record->author, record->lane, record->seq);
	}
}

int vd_store_judge_next(struct vd_store *s, struct vd_group *group, struct vd_batch *batch, struct vd_tops *tops)
{
	struct vouching v = { .store = s, .tops = tops };
	struct vd_chain_port port = { &v, vouched };
	size_t checks;
	int rc = vd_chain_plan(batch, group, &port, &checks);

	if (!rc) {
		vd_store_check_batch(s, batch, checks);
		vd_chain_settle(batch, &port);
		if (tops)
			note_tops(s, tops, batch);
	}
	vouching_close(&v);
	return rc;
}

int vd_store_judge(struct vd_store *s, struct vd_group *group, struct vd_batch *batch)
{
	return vd_store_judge_next(s, group, batch, NULL);
}
