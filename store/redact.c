/* The bodies' half of tending: what was redacted long enough ago goes, and what is not redacted any more is wanted again. The stub keeps
 * its place in the set either way.
 *
 * A body goes only by a clock that can be believed, and when a redaction has been here for that long by what our clock ran (clock.c).
 *
 * The value "redacted" of a group: u64 day and u64 control records when bodies were last looked at ‖ u64 when the next is due. */
#include <string.h>

#include "inside.h"
#include "standing.h"
#include "tend_inside.h"
#include "proto/err.h"

enum {
	BATCH_BODIES = 1024,
	SEEN_BYTES = 3 * 8,
};

static const uint64_t redact_ms = (uint64_t)VD_REDACT_DAYS * VD_DAY_MS;

struct tending {
	struct vd_store *store;
	const uint8_t *id;             /* of the group */
	struct vd_readers readers;     /* our own: as of now, whatever the caller's knows */
	struct vd_group *group;
	struct vd_membership in;
	uint64_t now_ms, control, next_ms;
	bool believed;                 /* our clock can be */
	struct vd_clock clock;
	struct vd_write *write;
	struct vd_standings standings;
	struct vd_letting letting;
	struct vd_arrivals written;    /* chunks can be met twice: each changes once in a transaction */
	struct vd_tended tended;       /* by this transaction */
	struct vd_reading reading;
};

/* --- one record --- */

static int tend_one(struct tending *t, MDB_txn *txn, uint64_t arrival);

/* The chunks of one that is due: each is judged by itself, for anybody can say that theirs is one. */
static int tend_parts(struct tending *t, MDB_txn *txn, const struct vd_id *of)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	int rc;

	vd_index_list(t->store, VD_INDEX_PART, t->id, vd_slice(of->b, VD_ID_BYTES), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(t->store->db, VD_TABLE_INDEX), &cursor));
	if (rc)
		return rc;
	while (!(rc = vd_list_next(cursor, list, &arrival)) && !(rc = tend_one(t, txn, arrival)))
		;
	mdb_cursor_close(cursor);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int tend_one(struct tending *t, MDB_txn *txn, uint64_t arrival)
{
	struct vd_judged judged;
	struct vd_stored stored;
	struct vd_record record;
	struct vd_place place;
	struct vd_part part;
	struct vd_id id;
	bool due, gone, whole;
	int rc = vd_stored_get(t->store, txn, arrival, &t->reading, &stored);

	if (rc || vd_stored_view(&stored, &record))
		return rc == VD_ENOMEM ? rc : VD_OK; /* spoilt or dropped: `check` tells */
	/* What expired is gone for good, whatever was said of it. */
	if (memcmp(record.group, t->id, VD_GROUP_BYTES) || !record.body_bytes || (stored.flags & VD_STORED_EXPIRED) ||
	    vd_arrivals_held(&t->written, arrival))
		return VD_OK;
	rc = vd_standing_of(&t->standings, t->group, arrival, &record, &judged);
	if (rc)
		return rc;
	gone = stored.flags & VD_STORED_UNWANTED;
	due = judged.redacted && t->believed && t->now_ms >= judged.since_ms && t->now_ms - judged.since_ms >= redact_ms &&
	      vd_clock_lived(&t->clock, judged.arrival) >= redact_ms;
	/* What is due by a clock that is not believed is looked at again tomorrow. */
	if (judged.redacted && !due && !gone && judged.since_ms + redact_ms > t->now_ms && judged.since_ms + redact_ms < t->next_ms)
		t->next_ms = judged.since_ms + redact_ms;
	id = record.id;
	whole = !vd_record_part(&record, &part);
	if (due != gone && (due || !judged.redacted))
		rc = vd_arrivals_add(&t->written, arrival, false);
	if (due && !gone && !rc)
		rc = vd_let_go(&t->letting, &stored, &record, VD_STORED_UNWANTED, &t->tended.redacted);
	if (due && whole && !rc)
		rc = tend_parts(t, txn, &id);
	if (due || rc || judged.redacted || !gone)
		return rc;
	t->tended.wanted++;
	place = vd_place_of(&stored);
	return vd_write_again(t->write, &t->in, &place, &record, 0);
}

/* --- all of them --- */

static void put_seen(struct tending *t)
{
	struct vd_slice part = vd_slice(t->id, VD_GROUP_BYTES);
	uint8_t value[SEEN_BYTES];

	vd_set_u64(value, t->now_ms / VD_DAY_MS);
	vd_set_u64(value + 8, t->control);
	vd_set_u64(value + 16, t->next_ms);
	vd_effects_value(&t->write->effects, t->store, "redacted", &part, 1, vd_slice(value, sizeof(value)));
}

/* Has nothing happened since the last time that could make a difference now? What was redacted since is not due for a month. */
static int seen(struct tending *t, bool *out)
{
	struct vd_slice part = vd_slice(t->id, VD_GROUP_BYTES);
	struct vd_buf value = { 0 };
	int rc = vd_value_read(t->store, "redacted", &part, 1, &value);

	*out = !rc && value.n == SEEN_BYTES && vd_get_u64(value.p) == t->now_ms / VD_DAY_MS &&
	       vd_get_u64(value.p + 8) == t->control && t->now_ms < vd_get_u64(value.p + 16);
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Judges them and gathers what follows into the transaction. The group is loaded under the writers' lock: a revocation that came a moment
 * ago must not be missed, for what goes here may be the last copy. */
static int tend_some(struct tending *t, const uint64_t *arrivals, size_t n)
{
	MDB_txn *txn = NULL;
	int rc = vd_readers_init(&t->readers, t->store, t->id);

	t->group = vd_readers_find(&t->readers, t->id);
	if (!rc && (!t->group || !vd_group_salt(t->group))) {
		vd_readers_deinit(&t->readers);
		return VD_OK; /* its founding is lost: nothing can be judged before it comes again */
	}
	if (!rc) {
		memcpy(t->in.group, t->id, VD_GROUP_BYTES);
		memcpy(t->in.salt, vd_group_salt(t->group), VD_SALT_BYTES);
		rc = vd_standings_init(&t->standings, t->store);
	}
	if (!rc)
		rc = vd_db_read(t->store->db, &txn);
	t->standings.txn = t->write->snapshot = txn;
	t->letting = (struct vd_letting){ .write = t->write, .group = t->group, .in = &t->in };
	for (size_t i = 0; i < n && !rc; i++)
		rc = tend_one(t, txn, arrivals[i]);
	if (!rc)
		rc = vd_let_go_end(&t->letting, txn);
	t->write->snapshot = NULL;
	vd_db_done(t->store->db, txn);
	vd_standings_deinit(&t->standings);
	vd_readers_deinit(&t->readers);
	vd_letting_deinit(&t->letting);
	vd_arrivals_deinit(&t->written);
	return rc;
}

/* One transaction. */
static int tend_batch(struct tending *t, const char *use, uint64_t *after, bool last, bool *end)
{
	uint64_t arrivals[BATCH_BODIES];
	uint8_t list[VD_LIST_KEY_BYTES];
	size_t n;
	int rc = vd_write_begin(t->store, &t->write);

	if (rc)
		return rc;
	t->tended = (struct vd_tended){ 0 };
	vd_group_list(t->store, use, t->id, list);
	rc = vd_list_read(t->store, VD_TABLE_LISTS, list, after, arrivals, BATCH_BODIES, &n);
	*end = n < BATCH_BODIES;
	if (!rc && n)
		rc = tend_some(t, arrivals, n);
	if (!rc && *end && last)
		put_seen(t);
	if (rc)
		vd_write_abort(t->write);
	else
		rc = vd_write_end(t->write);
	t->write = NULL;
	return rc;
}

/* Where nothing was ever redacted, nothing is written down of having looked. */
static int never_any(struct vd_store *s, const uint8_t *group, const char *const lists[2], bool *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	size_t n = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < 2 && !rc && !n; i++) {
		uint64_t after = 0, one;

		vd_group_list(s, lists[i], group, list);
		rc = vd_list_read(s, VD_TABLE_LISTS, list, &after, &one, 1, &n);
	}
	*out = !rc && !n;
	return rc;
}

int vd_tend_bodies(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_tended *out)
{
	/* What has gone first: a redaction that was lost itself names it no more. */
	static const char *const lists[] = { "unwanted", "redacted" };
	struct tending t = { .store = s, .id = group, .now_ms = now_ms, .next_ms = UINT64_MAX };
	bool nothing = false;
	int rc = vd_clock_look(s, group, now_ms);

	if (!rc)
		rc = vd_control_count(s, &t.control);
	if (!rc)
		rc = seen(&t, &nothing);
	if (!rc && !nothing)
		rc = vd_index_catch_up(s);
	if (!rc && !nothing)
		rc = never_any(s, group, lists, &nothing);
	if (!rc && !nothing)
		rc = vd_clock_believed(s, group, now_ms, UINT64_MAX, &t.believed);
	if (!rc && !nothing)
		rc = vd_clock_read(s, now_ms, &t.clock);
	for (size_t i = 0; i < 2 && !rc && !nothing; i++) {
		uint64_t after = 0;
		bool end = false;

		while (!rc && !end) {
			rc = tend_batch(&t, lists[i], &after, i == 1, &end);
			if (!rc) {
				out->redacted += t.tended.redacted;
				out->wanted += t.tended.wanted;
			}
		}
	}
	vd_reading_wipe(&t.reading);
	return rc == VD_EBUSY ? VD_OK : rc; /* another time */
}
