/* What a person set, what an author has, whom this device declines, and what may come in. */
#include "shares_inside.h"

#include <stdlib.h>
#include <string.h>

#include "inbox.h"
#include "proto/err.h"

/* The value "share" group, author: u64 records of each lane ‖ u64 day ‖ u64 bytes of bodies that came on it ‖ u64 day ‖ u64 bytes of
 * waiting bodies that were wanted again on it. Notes "config": u64 each. */
enum { SHARE_BYTES = 8 * (VD_LANES + 4) };
static const char config[] = "config";

/* --- what a person set --- */

static int setting(struct vd_store *s, const char *key, uint64_t *value)
{
	struct vd_buf bytes = { 0 };
	int rc = vd_store_note(s, config, vd_slice_str(key), &bytes);

	if (!rc && bytes.n != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*value = vd_get_u64(bytes.p);
	vd_buf_deinit(&bytes);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_shares_get(struct vd_store *s, struct vd_shares *out)
{
	int rc;

	*out = (struct vd_shares){ VD_AUTHOR_RECORDS, (uint64_t)VD_AUTHOR_DAY_MIB << 20, (uint64_t)VD_RESERVE_MIB << 20, VD_RECEIPT_DAYS, VD_BULK_ALL };
	rc = setting(s, "share.records", &out->records);
	if (!rc)
		rc = setting(s, "share.day", &out->day_bytes);
	if (!rc)
		rc = setting(s, "reserve", &out->reserve_bytes);
	if (!rc)
		rc = setting(s, "promise", &out->promise_days);
	return rc ? rc : setting(s, "bulk.max", &out->bulk_bytes);
}

static int put_setting(struct vd_write *w, const char *key, uint64_t value)
{
	uint8_t bytes[8];

	vd_set_u64(bytes, value);
	return vd_write_note(w, config, vd_slice_str(key), vd_slice(bytes, sizeof(bytes)));
}

int vd_shares_set(struct vd_store *s, const struct vd_shares *set, uint64_t now_ms)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	uint64_t ignored = 0;
	struct vd_write *w;
	size_t count = 0;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = put_setting(w, "share.records", set->records);
	if (!rc)
		rc = put_setting(w, "share.day", set->day_bytes);
	if (!rc)
		rc = put_setting(w, "reserve", set->reserve_bytes);
	if (!rc)
		rc = put_setting(w, "promise", set->promise_days);
	if (!rc)
		rc = put_setting(w, "bulk.max", set->bulk_bytes);
	if (rc) {
		vd_write_abort(w);
		return rc;
	}
	rc = vd_write_end(w);
	/* Who carries while it is locked reads it there. Where it cannot be written, the next who takes in what was carried does (inbox.c). */
	if (!rc && vd_inbox_keep_free(s->home, set->reserve_bytes) == VD_ENOMEM)
		rc = VD_ENOMEM;
	if (!rc)
		rc = vd_store_groups(s, groups, &count);
	for (size_t i = 0; i < count && !rc; i++) {
		struct vd_group *group;

		rc = vd_store_group(s, groups[i], &group);
		if (rc)
			break;
		rc = vd_share_release(s, group, now_ms / VD_DAY_MS, true, &ignored);
		vd_group_free(group);
	}
	return rc;
}

/* --- what an author has --- */

static int read_share(struct vd_store *s, MDB_txn *txn, struct vd_share *share)
{
	struct vd_slice parts[] = { vd_slice(share->group, VD_GROUP_BYTES), vd_slice(share->author, VD_KEY_BYTES) };
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	vd_value_key(s, "share", parts, 2, key);
	rc = vd_value_get(s, txn, key, &value);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		for (size_t l = 0; l < VD_LANES; l++)
			share->records[l] = vd_rd_u64(&r);
		share->day = vd_rd_u64(&r);
		share->day_bytes = vd_rd_u64(&r);
		share->released_day = vd_rd_u64(&r);
		share->released_bytes = vd_rd_u64(&r);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int load(struct vd_write *w, struct vd_share *share)
{
	MDB_txn *txn;
	int rc = vd_write_snapshot(w, &txn);

	if (rc)
		return rc;
	rc = read_share(w->store, txn, share);
	vd_write_snapshot_done(w, txn);
	return rc;
}

static uint64_t used_on(const struct vd_share *share, uint64_t now_ms)
{
	return share->day == now_ms / VD_DAY_MS ? share->day_bytes : 0;
}

static bool is_later(const struct vd_shares *set, const struct vd_share *share, uint64_t bytes, uint64_t now_ms)
{
	uint64_t used = used_on(share, now_ms);

	return used >= set->day_bytes || bytes > set->day_bytes - used;
}

int vd_share_later_in(struct vd_store *s, MDB_txn *txn, const struct vd_shares *set, const uint8_t *group, const uint8_t *author, uint64_t bytes, uint64_t now_ms,
                      bool *later)
{
	struct vd_share share = { 0 };
	int rc;

	memcpy(share.group, group, VD_GROUP_BYTES);
	memcpy(share.author, author, VD_KEY_BYTES);
	rc = read_share(s, txn, &share);
	*later = !rc && is_later(set, &share, bytes, now_ms);
	return rc;
}

int vd_shares_later(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t bytes, uint64_t now_ms, bool *later)
{
	struct vd_shares set;
	MDB_txn *txn;
	int rc = vd_shares_get(s, &set);

	*later = false;
	if (!rc)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	rc = vd_share_later_in(s, txn, &set, group, author, bytes, now_ms, later);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_shares_held(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t records[VD_LANES])
{
	struct vd_share share = { 0 };
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	memcpy(share.group, group, VD_GROUP_BYTES);
	memcpy(share.author, author, VD_KEY_BYTES);
	if (!rc) {
		rc = read_share(s, txn, &share);
		vd_db_done(s->db, txn);
	}
	memcpy(records, share.records, sizeof(share.records));
	return rc;
}

static bool is_of(const struct vd_share *share, const uint8_t *group, const uint8_t *author)
{
	return !memcmp(share->author, author, VD_KEY_BYTES) && !memcmp(share->group, group, VD_GROUP_BYTES);
}

int vd_share_of(struct vd_write *w, const uint8_t *group, const uint8_t *author, struct vd_share **out)
{
	struct vd_share *one;
	int rc;

	/* An author's records come together. */
	for (size_t i = w->share_count; i-- > 0;) {
		if (is_of(&w->shares[i], group, author)) {
			*out = &w->shares[i];
			return VD_OK;
		}
	}
	if (!vd_room(&w->shares, w->share_count, &w->share_cap, 8, sizeof(*w->shares)))
		return VD_ENOMEM;
	one = &w->shares[w->share_count];
	*one = (struct vd_share){ 0 };
	memcpy(one->group, group, VD_GROUP_BYTES);
	memcpy(one->author, author, VD_KEY_BYTES);
	rc = load(w, one);
	/* It counts anew until a repair counts what is there; from one, for nought says that there is nothing. */
	for (size_t l = 0; rc == VD_EDAMAGED && l < VD_LANES; l++)
		one->records[l] = 1;
	if (rc && rc != VD_EDAMAGED)
		return rc;
	w->share_count++;
	*out = one;
	return VD_OK;
}

int vd_share_count(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint8_t lane, int n)
{
	struct vd_share *share;
	int rc = vd_share_of(w, group, author, &share);

	if (rc)
		return rc;
	share->records[lane] += (uint64_t)(int64_t)n;
	share->moved = true;
	return VD_OK;
}

int vd_share_records(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t *out)
{
	struct vd_share *share;
	int rc = vd_share_of(w, group, author, &share);

	*out = rc ? 0 : share->records[lane];
	return rc;
}

int vd_share_recount(struct vd_write *w, const uint8_t *group, const uint8_t *author, uint8_t lane, bool one_more)
{
	struct vd_share *share;
	int rc = vd_share_of(w, group, author, &share);

	if (rc)
		return rc;
	if (!share->recounted)
		memset(share->records, 0, sizeof(share->records));
	share->recounted = share->moved = true;
	share->records[lane] += one_more;
	return VD_OK;
}

static void put_share(struct vd_write *w, const struct vd_share *share)
{
	struct vd_slice parts[] = { vd_slice(share->group, VD_GROUP_BYTES), vd_slice(share->author, VD_KEY_BYTES) };
	uint8_t value[SHARE_BYTES];

	for (size_t l = 0; l < VD_LANES; l++)
		vd_set_u64(value + 8 * l, share->records[l]);
	vd_set_u64(value + 8 * VD_LANES, share->day);
	vd_set_u64(value + 8 * VD_LANES + 8, share->day_bytes);
	vd_set_u64(value + 8 * VD_LANES + 16, share->released_day);
	vd_set_u64(value + 8 * VD_LANES + 24, share->released_bytes);
	vd_effects_value(&w->effects, w->store, "share", parts, 2, vd_slice(value, sizeof(value)));
}

/* --- the declined --- */

int vd_declining_read(struct vd_store *s, MDB_txn *txn, const uint8_t *group, struct vd_declined_set *out)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	out->count = 0;
	vd_value_key(s, "declined", &part, 1, key);
	rc = vd_value_get(s, txn, key, &value);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		rc = vd_declined_decode(&r, out) || vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_shares_declined(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], struct vd_declined_set *out)
{
	struct vd_share_bulk bulk = { 0 };
	struct vd_shares set;
	MDB_txn *txn;
	int rc = vd_shares_get(s, &set);

	if (!rc)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	rc = vd_declining_read(s, txn, group, out);
	if (!rc)
		rc = vd_share_bulk_read(s, txn, &bulk);
	vd_db_done(s->db, txn);
	/* Not to its last byte: one more might not fit, and would have come in vain. Nor where an attachment had no room as a whole: stubs tell which has some. */
	out->bulk_bodies = !rc && set.bulk_bytes != VD_BULK_ALL &&
	                   (bulk.here > set.bulk_bytes || set.bulk_bytes - bulk.here < VD_BODY_MAX ||
	                    (!bulk.wanted && set.bulk_bytes - bulk.here < bulk.lacking));
	return rc;
}

/* Writes the list down and lets go of it. */
static void put_declining(struct vd_write *w)
{
	struct vd_declining *d = w->declining;

	w->declining = NULL;
	if (d && d->moved) {
		struct vd_slice part = vd_slice(d->group, VD_GROUP_BYTES);
		struct vd_buf value = { 0 };

		if (d->set.count)
			vd_declined_encode(&d->set, &value);
		if (value.failed)
			w->effects.failed = true;
		vd_effects_value(&w->effects, w->store, "declined", &part, 1, vd_buf_slice(&value));
		vd_buf_deinit(&value);
	}
	free(d);
}

int vd_declining_of(struct vd_write *w, const uint8_t *group, struct vd_declining **out)
{
	struct vd_declining *one = w->declining;
	MDB_txn *txn;
	int rc;

	if (one && !memcmp(one->group, group, VD_GROUP_BYTES)) {
		*out = one;
		return VD_OK;
	}
	one = calloc(1, sizeof(*one));
	if (!one)
		return VD_ENOMEM;
	memcpy(one->group, group, VD_GROUP_BYTES);
	rc = vd_write_snapshot(w, &txn);
	if (!rc) {
		rc = vd_declining_read(w->store, txn, group, &one->set);
		vd_write_snapshot_done(w, txn);
	}
	if (rc) {
		free(one);
		return rc;
	}
	put_declining(w);
	w->declining = *out = one;
	return VD_OK;
}

static int decline(struct vd_write *w, const struct vd_record *record)
{
	struct vd_declining *d;
	int rc = vd_declining_of(w, record->group, &d);

	/* Beyond that they are declined all the same, but nobody is told. */
	if (rc || d->set.count >= VD_DECLINED_MAX || vd_declined_has(&d->set, record->lane, record->author))
		return rc;
	d->moved = vd_declined_add(&d->set, record->lane, record->author);
	return VD_OK;
}

/* --- what comes --- */

uint64_t vd_share_limit(const struct vd_shares *set, const struct vd_share *share, uint8_t lane, bool stray)
{
	uint64_t strays = VD_AUTHOR_STRAYS + share->accepted[lane];

	return stray && strays < set->records ? strays : set->records;
}

int vd_share_settings(struct vd_write *w)
{
	int rc = w->has_set ? VD_OK : vd_shares_get(w->store, &w->set);

	w->has_set = !rc;
	return rc;
}

/* Has the author share left today for the body? Takes it if so. */
static bool take_body(const struct vd_write *w, struct vd_share *share, uint64_t bytes, bool here, uint64_t now_ms)
{
	if (is_later(&w->set, share, bytes, now_ms))
		return false;
	if (here) {
		share->day_bytes = used_on(share, now_ms) + bytes;
		share->day = now_ms / VD_DAY_MS;
		share->moved = true;
	}
	return true;
}

int vd_share_later(struct vd_write *w, const struct vd_record *record, uint64_t now_ms, bool *later)
{
	struct vd_share *share;
	int rc = vd_share_of(w, record->group, record->author, &share);

	*later = !rc && is_later(&w->set, share, record->body_bytes, now_ms);
	return rc;
}

int vd_share_admit(struct vd_write *w, const struct vd_record *record, bool own, bool stray, bool fresh, uint64_t now_ms,
                   enum vd_share_word *out)
{
	bool bounded = !own && record->lane != VD_LANE_CONTROL, leave;
	struct vd_share *share;
	uint64_t beside;
	int rc = vd_share_of(w, record->group, record->author, &share);

	*out = VD_SHARE_TAKE;
	if (rc)
		return rc;
	if (bounded && fresh && share->records[record->lane] >= vd_share_limit(&w->set, share, record->lane, stray)) {
		*out = VD_SHARE_DECLINE;
		return decline(w, record);
	}
	if (bounded && record->lane == VD_LANE_BULK) {
		rc = vd_share_bulk_load(w);
		if (rc)
			return rc;
		/* A body that was wanted has its place among what is wanted. */
		beside = w->bulk.here + w->bulk.admitted + (fresh || record->stub ? w->bulk.wanted : 0);
		leave = vd_share_bulk_left(w, record) || !vd_share_bulk_fits(w, beside, record->body_bytes);
		if (fresh && !leave)
			rc = vd_share_bulk_begin(w, w->bulk.in, w->bulk.batch, record, beside, true, &leave);
		if (rc)
			return rc;
		if (leave)
			*out = VD_SHARE_WAIT;
		if (*out == VD_SHARE_WAIT)
			vd_share_bulk_leave(w, record);
	}
	if (*out == VD_SHARE_TAKE && bounded && !take_body(w, share, record->body_bytes, !record->stub, now_ms))
		*out = VD_SHARE_LATER;
	if (*out == VD_SHARE_TAKE && bounded && record->lane == VD_LANE_BULK)
		w->bulk.admitted += record->body_bytes;
	if (fresh) {
		share->records[record->lane]++;
		share->moved = true;
	}
	return VD_OK;
}

int vd_share_refuse(struct vd_write *w, const struct vd_record *record)
{
	int rc = vd_share_count(w, record->group, record->author, record->lane, -1);

	return rc ? rc : decline(w, record);
}

/* The records up to its heads, as far as their seq tells. A head that is not here yet may stand for any number. */
int vd_share_accepted(struct vd_write *w, struct vd_group *group, const struct vd_membership *in, struct vd_share *share, uint8_t lane)
{
	const struct vd_id *ids;
	size_t count = vd_group_accepted(group, share->author, lane, &ids);
	struct vd_reading reading = { 0 };
	MDB_cursor *items = NULL;
	uint64_t total = 0;
	MDB_txn *txn;
	int rc = count ? vd_db_read(w->store->db, &txn) : VD_OK;

	if (rc || !count)
		return rc;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(w->store->db, VD_TABLE_ITEMS), &items));
	for (size_t i = 0; i < count && !rc && total < w->set.records; i++) {
		struct vd_stored stored;
		struct vd_record head;

		rc = vd_find_stored(w->store, txn, items, in, &ids[i], &reading, &stored);
		if (rc == VD_ENOTFOUND || (!rc && vd_stored_view(&stored, &head))) {
			total = w->set.records;
			rc = VD_OK;
		} else if (!rc) {
			total += head.seq < w->set.records ? head.seq : w->set.records;
		}
	}
	if (items)
		mdb_cursor_close(items);
	vd_db_done(w->store->db, txn);
	vd_reading_wipe(&reading);
	share->accepted[lane] = total;
	return rc;
}

/* The group is read again only when an author without a role comes to the end of what is allowed anyway: the caller's may be another
 * thread's. */
static int prepare_strays(struct vd_write *w, const struct vd_membership *in, const struct vd_batch *batch)
{
	const struct vd_record *last = NULL;
	struct vd_group *group = NULL;
	int rc = VD_OK;

	for (size_t i = 0; i < batch->count && !rc; i++) {
		const struct vd_record *record = &batch->entries[i].record;
		struct vd_share *share;

		if (!batch->entries[i].stray || (last && last->lane == record->lane && !memcmp(last->author, record->author, VD_KEY_BYTES)))
			continue;
		last = record;
		rc = vd_share_of(w, record->group, record->author, &share);
		if (rc || share->records[record->lane] + batch->count <= VD_AUTHOR_STRAYS)
			continue;
		if (!group)
			rc = vd_store_group(w->store, in->group, &group);
		if (!rc)
			rc = vd_share_accepted(w, group, in, share, record->lane);
	}
	vd_group_free(group);
	return rc;
}

int vd_shares_prepare(struct vd_write *w, const struct vd_membership *in, const struct vd_batch *batch)
{
	int rc = vd_share_settings(w);

	w->bulk.admitted = 0;
	w->bulk.batch = batch;
	w->bulk.in = in;
	return rc ? rc : prepare_strays(w, in, batch);
}

void vd_shares_put(struct vd_write *w)
{
	for (size_t i = 0; i < w->share_count; i++)
		if (w->shares[i].moved)
			put_share(w, &w->shares[i]);
	vd_share_bulk_put(w);
	put_declining(w);
}
