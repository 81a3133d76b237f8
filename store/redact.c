/* The bodies' half of tending: what was redacted long enough ago goes, and what is not redacted any more is wanted again. The stub keeps
 * its place in the set either way.
 *
 * A body goes only by a clock that can be believed: a battery that died, or a date typed wrong, destroys nothing. Ours is when it has run for
 * a week without a jump, as far as we looked; or when two others lately wrote at about the time it shows.
 *
 * The value "redacted" of a group: u64 day and u64 control records when bodies were last looked at ‖ u64 when the next is due ‖ u64 our clock
 * then ‖ u64 our clock when it was first looked at, or jumped last. */
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum {
	BATCH_BODIES = 1024,
	SEEN_BYTES = 5 * 8,
	JUMP_DAYS = 10,      /* between two looks, and between us and others: a jump */
	STEADY_DAYS = 7,     /* without one: the clock can be believed */
	LATELY_RECORDS = 64, /* that came last, among which we look for others' times */
};

static const uint64_t redact_ms = (uint64_t)VD_REDACT_DAYS * VD_DAY_MS;

struct tending {
	struct vd_store *store;
	const uint8_t *id;             /* of the group */
	struct vd_readers readers;     /* our own: as of now, whatever the caller's knows */
	struct vd_group *group;
	struct vd_membership in;
	uint64_t now_ms, control, next_ms;
	uint64_t jumped_ms;            /* when our clock did last */
	bool believed;                 /* it can be */
	struct vd_write *write;
	struct vd_standings standings;
	struct vd_arrivals unopened;   /* what their bodies said cannot be told now */
	struct vd_arrivals written;    /* chunks can be met twice: each changes once in a transaction */
	struct vd_tended tended;       /* by this transaction */
	struct vd_reading reading;
	struct vd_buf raw, body;
};

/* --- what the index says of a body that goes --- */

static void forget_entry(struct vd_write *w, enum vd_index_use use, const uint8_t *group, struct vd_slice what, uint64_t arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_index_list(w->store, use, group, what, list);
	vd_effects_entry_remove(&w->effects, VD_TABLE_INDEX, list, arrival);
}

static int forget(struct tending *t, const struct vd_record *record, uint64_t arrival)
{
	struct vd_write *w = t->write;
	uint8_t list[VD_LIST_KEY_BYTES];
	const struct vd_value *about;
	struct vd_content content;
	struct vd_rd replaced;
	struct vd_id id;
	int rc;

	vd_list_key(w->store, "unopened", NULL, 0, list);
	vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrival);
	vd_buf_reset(&t->body);
	rc = vd_group_open_body(t->group, record, &t->body);
	if (rc == VD_ENOMEM)
		return rc;
	/* It may have opened once: when our role was another, or before it was spoilt and came again as a stub. */
	if (rc == VD_EAUTHOR || rc == VD_ENOTFOUND)
		return vd_arrivals_add(&t->unopened, arrival, false);
	if (rc || vd_content_decode(vd_buf_slice(&t->body), &content))
		return VD_OK;
	forget_entry(w, VD_INDEX_KIND, record->group, content.kind, arrival);
	about = vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES);
	if (about)
		forget_entry(w, VD_INDEX_ABOUT, NULL, about->bytes, arrival);
	for (replaced = vd_replaced(&content); vd_replaced_next(&replaced, &id);)
		forget_entry(w, VD_INDEX_REPLACES, NULL, vd_slice(id.b, VD_ID_BYTES), arrival);
	return VD_OK;
}

/* What every record has in the index whatever its body says. */
static void keys_of_header(const struct vd_store *s, const struct vd_record *record, uint8_t keys[3][VD_LIST_KEY_BYTES])
{
	uint8_t day[8];

	vd_set_u64(day, record->time_ms / VD_DAY_MS);
	vd_index_list(s, VD_INDEX_ID, NULL, vd_slice(record->id.b, VD_INDEX_ID_PREFIX), keys[0]);
	vd_index_list(s, VD_INDEX_AUTHOR, record->group, vd_slice(record->author, VD_KEY_BYTES), keys[1]);
	vd_index_list(s, VD_INDEX_DAY, record->group, vd_slice(day, sizeof(day)), keys[2]);
}

struct sweeping {
	struct tending *tending;
	MDB_txn *txn;
};

static int sweep_one(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	struct sweeping *sweeping = ctx;
	struct tending *t = sweeping->tending;
	uint64_t arrival = vd_get_u64(entry + VD_LIST_KEY_BYTES);
	uint8_t keys[3][VD_LIST_KEY_BYTES];
	struct vd_stored stored;
	struct vd_record record;
	int rc;

	if (!vd_arrivals_held(&t->unopened, arrival))
		return VD_OK;
	rc = vd_stored_get(t->store, sweeping->txn, arrival, &t->reading, &stored);
	if (rc || vd_stored_view(&stored, &record))
		return rc == VD_ENOMEM ? rc : VD_OK;
	keys_of_header(t->store, &record, keys);
	for (size_t i = 0; i < 3; i++) {
		if (!memcmp(entry, keys[i], VD_LIST_KEY_BYTES))
			return VD_OK;
	}
	vd_effects_remove(&t->write->effects, VD_TABLE_INDEX, entry, VD_ENTRY_BYTES);
	return VD_OK;
}

/* Through the whole index, for all of them at once: hardly ever. */
static int sweep(struct tending *t, MDB_txn *txn)
{
	struct sweeping sweeping = { t, txn };
	MDB_cursor *cursor;
	int rc;

	if (!t->unopened.count)
		return VD_OK;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(t->store->db, VD_TABLE_INDEX), &cursor));
	if (rc)
		return rc;
	rc = vd_lists_walk(cursor, sweep_one, &sweeping);
	mdb_cursor_close(cursor);
	return rc;
}

/* --- one record --- */

static int forgo(struct tending *t, const struct vd_stored *stored, const struct vd_record *record)
{
	struct vd_place place = vd_place_of(stored);
	struct vd_record stub;
	int rc = forget(t, record, stored->arrival);

	if (!rc)
		rc = vd_record_decode(vd_slice(record->raw.p, record->header.n + record->signature.n), &stub);
	if (rc)
		return rc;
	t->tended.dropped += !record->stub;
	return vd_write_again(t->write, &t->in, &place, &stub, VD_STORED_UNWANTED);
}

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
	if (memcmp(record.group, t->id, VD_GROUP_BYTES) || !record.body_bytes || vd_arrivals_held(&t->written, arrival))
		return VD_OK;
	rc = vd_standing_of(&t->standings, t->group, arrival, &record, &judged);
	if (rc)
		return rc;
	gone = stored.flags & VD_STORED_UNWANTED;
	due = judged.redacted && t->believed && t->now_ms >= judged.since_ms && t->now_ms - judged.since_ms >= redact_ms;
	/* What is due by a clock that is not believed is looked at again tomorrow. */
	if (judged.redacted && !due && !gone && judged.since_ms + redact_ms > t->now_ms && judged.since_ms + redact_ms < t->next_ms)
		t->next_ms = judged.since_ms + redact_ms;
	id = record.id;
	whole = !vd_record_part(&record, &part);
	if (due != gone && (due || !judged.redacted))
		rc = vd_arrivals_add(&t->written, arrival, false);
	if (due && !gone && !rc)
		rc = forgo(t, &stored, &record);
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
	vd_set_u64(value + 24, t->now_ms);
	vd_set_u64(value + 32, t->jumped_ms);
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
	t->jumped_ms = t->now_ms;
	if (!rc && value.n == SEEN_BYTES && t->now_ms >= vd_get_u64(value.p + 24) && t->now_ms - vd_get_u64(value.p + 24) <= JUMP_DAYS * (uint64_t)VD_DAY_MS)
		t->jumped_ms = vd_get_u64(value.p + 32);
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static bool is_about_now(const struct tending *t, uint64_t time_ms)
{
	return (time_ms > t->now_ms ? time_ms - t->now_ms : t->now_ms - time_ms) <= JUMP_DAYS * (uint64_t)VD_DAY_MS;
}

/* Did two others, of those whose records came last, write at about the time that our clock shows? */
static int others_agree(struct tending *t, bool *out)
{
	uint8_t authors[2][VD_KEY_BYTES];
	struct vd_group *group = NULL;
	size_t count = 0;
	uint64_t arrival = 0;
	int rc = vd_store_group(t->store, t->id, &group);

	if (!rc)
		rc = vd_store_latest(t->store, &arrival);
	for (int i = 0; i < LATELY_RECORDS && arrival && count < 2 && !rc; i++, arrival--) {
		const struct vd_device *author;
		struct vd_record record;

		rc = vd_store_read(t->store, arrival, &t->raw, &record, NULL);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
		else if (!rc && !memcmp(record.group, t->id, VD_GROUP_BYTES) && is_about_now(t, record.time_ms) &&
		         memcmp(record.author, vd_group_identity(group)->author, VD_KEY_BYTES) &&
		         (!count || memcmp(record.author, authors[0], VD_KEY_BYTES)) && (author = vd_group_find(group, record.author)) &&
		         author->role != VD_ROLE_NONE)
			memcpy(authors[count++], record.author, VD_KEY_BYTES);
	}
	vd_group_free(group);
	*out = count == 2;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int believe(struct tending *t)
{
	t->believed = t->now_ms - t->jumped_ms >= STEADY_DAYS * (uint64_t)VD_DAY_MS;
	return t->believed ? VD_OK : others_agree(t, &t->believed);
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
	for (size_t i = 0; i < n && !rc; i++)
		rc = tend_one(t, txn, arrivals[i]);
	if (!rc)
		rc = sweep(t, txn);
	t->write->snapshot = NULL;
	vd_db_done(t->store->db, txn);
	vd_standings_deinit(&t->standings);
	vd_readers_deinit(&t->readers);
	vd_arrivals_deinit(&t->unopened);
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
	int rc = vd_control_count(s, &t.control);

	if (!rc)
		rc = seen(&t, &nothing);
	if (!rc && !nothing)
		rc = vd_index_catch_up(s);
	if (!rc && !nothing)
		rc = never_any(s, group, lists, &nothing);
	if (!rc && !nothing)
		rc = believe(&t);
	for (size_t i = 0; i < 2 && !rc && !nothing; i++) {
		uint64_t after = 0;
		bool end = false;

		while (!rc && !end) {
			rc = tend_batch(&t, lists[i], &after, i == 1, &end);
			if (!rc) {
				out->dropped += t.tended.dropped;
				out->wanted += t.tended.wanted;
			}
		}
	}
	vd_reading_wipe(&t.reading);
	vd_buf_wipe(&t.raw);
	vd_buf_wipe(&t.body);
	return rc == VD_EBUSY ? VD_OK : rc; /* another time */
}
