/* What a share held back and comes in after all: bodies that waited, and authors who are not declined any more. */
#include "shares_inside.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

enum { RELEASE_AT_ONCE = 2048 }; /* waiting stubs in one transaction */

/* Whoever has share left is not declined any more: a bound was lifted, a role given back. */
static int review_declined(struct vd_write *w, struct vd_group *group)
{
	struct vd_declining *d;
	struct vd_membership in;
	int rc = vd_declining_of(w, vd_group_id(group), &d);

	memcpy(in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(group), VD_SALT_BYTES);
	for (size_t i = rc ? 0 : d->set.count; i-- > 0 && !rc;) {
		struct vd_declined who = d->set.who[i];
		struct vd_share *share;

		rc = vd_share_of(w, vd_group_id(group), who.author, &share);
		if (!rc)
			rc = vd_share_accepted(w, group, &in, share, who.lane);
		if (!rc && share->records[who.lane] < vd_share_limit(&w->set, share, who.lane, !vd_group_may_connect(group, who.author)))
			d->moved |= vd_declined_remove(&d->set, who.lane, who.author);
	}
	return rc;
}

/* One waiting stub: wanted again, if its author's share of today has room beside what was wanted again today. */
static int release_one(struct vd_write *w, MDB_txn *txn, const struct vd_membership *in, uint64_t arrival, uint64_t day,
                       struct vd_reading *reading, uint64_t *count)
{
	struct vd_slice part = vd_slice(in->group, VD_GROUP_BYTES);
	struct vd_stored stored = { 0 };
	struct vd_record record;
	struct vd_share *share;
	struct vd_place place;
	bool leave;
	int rc = vd_stored_get(w->store, txn, arrival, reading, &stored);

	if (rc == VD_ENOMEM || rc == VD_EIO)
		return rc;
	if (rc || !(stored.flags & VD_STORED_WAITING) || vd_stored_view(&stored, &record)) {
		uint8_t list[VD_LIST_KEY_BYTES];

		vd_list_key(w->store, "waiting", &part, 1, list);
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrival);
		return VD_OK;
	}
	rc = vd_share_of(w, record.group, record.author, &share);
	if (rc)
		return rc;
	if (share->released_day != day)
		share->released_bytes = 0;
	share->released_day = day;
	if (share->released_bytes + record.body_bytes + (share->day == day ? share->day_bytes : 0) > w->set.day_bytes)
		return VD_OK;
	if (record.lane == VD_LANE_BULK) {
		rc = vd_share_bulk_load(w);
		if (rc)
			return rc;
		leave = vd_share_bulk_left(w, &record) || !vd_share_bulk_fits(w, w->bulk.here + w->bulk.wanted, record.body_bytes);
		if (!leave)
			rc = vd_share_bulk_begin(w, in, NULL, &record, w->bulk.here + w->bulk.wanted, false, &leave);
		if (rc)
			return rc;
		if (leave) {
			vd_share_bulk_leave(w, &record);
			return VD_OK;
		}
	}
	share->released_bytes += record.body_bytes;
	share->moved = true;
	++*count;
	place = vd_place_of(&stored);
	return vd_write_again(w, in, &place, &record, 0);
}

/* Goes through the group's list from behind *after, so many at once; *end at its end. */
static int release_some(struct vd_write *w, struct vd_group *group, uint64_t *after, uint64_t day, bool *end, uint64_t *count)
{
	struct vd_slice part = vd_slice(vd_group_id(group), VD_GROUP_BYTES);
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_reading reading = { 0 };
	struct vd_membership in;
	MDB_cursor *cursor = NULL;
	MDB_txn *txn;
	int rc = vd_db_read(w->store->db, &txn);

	if (rc)
		return rc;
	w->snapshot = txn;
	memcpy(in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(group), VD_SALT_BYTES);
	vd_list_key(w->store, "waiting", &part, 1, list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(w->store->db, VD_TABLE_LISTS), &cursor));
	for (size_t i = 0; i < RELEASE_AT_ONCE && !rc; i++) {
		rc = vd_list_next(cursor, list, after);
		if (!rc)
			rc = release_one(w, txn, &in, *after, day, &reading, count);
	}
	*end = rc == VD_ENOTFOUND;
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(w->store->db, txn);
	w->snapshot = NULL;
	vd_reading_wipe(&reading);
	return *end ? VD_OK : rc;
}

/* Is there anything at all to be looked at? */
static int idle(struct vd_store *s, const uint8_t *group, uint64_t day, bool *out)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_declined_set declined;
	struct vd_buf value = { 0 };
	MDB_cursor *cursor = NULL;
	uint64_t arrival = 0;
	MDB_txn *txn;
	int rc = vd_value_read(s, "released", &part, 1, &value);
	bool done = !rc && value.n == 8 && vd_get_u64(value.p) == day;

	vd_buf_deinit(&value);
	if (rc && rc != VD_ENOTFOUND)
		return rc;
	rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	rc = vd_declining_read(s, txn, group, &declined);
	if (!rc)
		rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor));
	vd_list_key(s, "waiting", &part, 1, list);
	if (!rc && !done)
		rc = vd_list_next(cursor, list, &arrival);
	*out = !declined.count && (done || rc == VD_ENOTFOUND);
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_share_release(struct vd_store *s, struct vd_group *group, uint64_t day, bool anew, uint64_t *count)
{
	struct vd_slice part = vd_slice(vd_group_id(group), VD_GROUP_BYTES);
	uint64_t after = 0, wanted = *count;
	bool end = false, none = false;
	uint8_t today[8];
	int rc = vd_group_salt(group) ? idle(s, part.p, anew ? UINT64_MAX : day, &none) : VD_EINVAL;

	vd_set_u64(today, day);
	while (!rc && !none && !end) {
		struct vd_write *w;

		rc = vd_write_begin(s, &w);
		if (rc)
			return rc;
		rc = vd_share_settings(w);
		if (!rc && !after)
			rc = review_declined(w, group);
		if (!rc && !after)
			rc = vd_share_bulk_anew(w);
		if (!rc)
			rc = release_some(w, group, &after, day, &end, &wanted);
		if (!rc && end)
			vd_effects_value(&w->effects, s, "released", &part, 1, vd_slice(today, sizeof(today)));
		if (rc)
			vd_write_abort(w);
		else
			rc = vd_write_end(w);
		if (!rc)
			*count = wanted;
	}
	return rc;
}

int vd_shares_release(struct vd_store *s, struct vd_group *group, uint64_t now_ms, uint64_t *count)
{
	return vd_share_release(s, group, now_ms / VD_DAY_MS, false, count);
}

/* One that waits: counted, if it is for that. */
static int note_later(struct vd_store *s, MDB_txn *txn, const struct vd_shares *set, const struct vd_record *r, uint64_t now_ms, struct vd_later *later,
                      size_t *count)
{
	size_t i = 0;
	bool yes;
	int rc;

	while (i < *count && memcmp(later[i].author, r->author, VD_KEY_BYTES) != 0)
		i++;
	if (i == VD_LATER_MOST)
		return VD_OK;
	rc = vd_share_later_in(s, txn, set, r->group, r->author, r->body_bytes, now_ms, &yes);
	if (rc || !yes)
		return rc;
	if (i == *count) {
		later[i].bodies = 0;
		memcpy(later[i].author, r->author, VD_KEY_BYTES);
		++*count;
	}
	later[i].bodies++;
	return VD_OK;
}

int vd_shares_later_all(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_later later[VD_LATER_MOST], size_t *count)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_reading reading = { 0 };
	MDB_cursor *cursor = NULL;
	struct vd_shares set;
	uint64_t arrival = 0;
	MDB_txn *txn;
	int rc = vd_shares_get(s, &set);

	*count = 0;
	if (!rc)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	vd_list_key(s, "waiting", &part, 1, list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor));
	for (size_t i = 0; i < VD_LATER_WALKED && !rc && !(rc = vd_list_next(cursor, list, &arrival)); i++) {
		struct vd_stored stored;
		struct vd_record record;

		rc = vd_stored_get(s, txn, arrival, &reading, &stored);
		if (!rc && (stored.flags & VD_STORED_WAITING) && !vd_stored_view(&stored, &record))
			rc = note_later(s, txn, &set, &record, now_ms, later, count);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}
