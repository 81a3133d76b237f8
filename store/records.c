#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/compact.h"
#include "proto/err.h"

enum { PASSED_MAX = 32768 }; /* records looked at in one snapshot */

void vd_list_key(const struct vd_store *s, const char *use, const struct vd_slice *parts, size_t count,
                 uint8_t key[VD_LIST_KEY_BYTES])
{
	vd_vault_list_key(s->vault, use, parts, count, VD_LIST_KEY_BYTES, key);
}

bool vd_is_list(enum vd_table table)
{
	return table == VD_TABLE_ITEMS || table == VD_TABLE_LISTS || table == VD_TABLE_INDEX;
}

/* There are as many lists of items as records, and who looks for one compares its id anyway: shorter keys will do. */
size_t vd_list_bytes(enum vd_table table)
{
	return table == VD_TABLE_ITEMS ? 5 : VD_LIST_KEY_BYTES;
}

void vd_item_list(const struct vd_store *s, const uint8_t *group, const uint8_t item[VD_ITEM_BYTES],
                  uint8_t key[VD_LIST_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(item, VD_ITEM_BYTES) };

	vd_vault_list_key(s->vault, "item", parts, 2, vd_list_bytes(VD_TABLE_ITEMS), key);
}

void vd_lane_list(const struct vd_store *s, const char *use, const uint8_t *group, uint8_t lane,
                  uint8_t key[VD_LIST_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(&lane, 1) };

	vd_list_key(s, use, parts, 2, key);
}

void vd_prev_list(const struct vd_store *s, const uint8_t *group, const uint8_t *author, uint8_t lane, uint64_t seq,
                  const struct vd_id *prev, uint8_t key[VD_LIST_KEY_BYTES])
{
	uint8_t number[8];
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(author, VD_KEY_BYTES), vd_slice(&lane, 1),
		                    vd_slice(number, sizeof(number)), vd_slice(prev->b, VD_ID_BYTES) };

	vd_set_u64(number, seq);
	vd_list_key(s, "prev", parts, 5, key);
}

int vd_list_read(struct vd_store *s, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *after, uint64_t *out, size_t max,
                 size_t *n)
{
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*n = 0;
	if (rc)
		return rc;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, table), &cursor));
	if (!rc) {
		rc = vd_list_some(cursor, list, after, out, max, n);
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	return rc;
}

/* Nothing at all, a stub with at most one reason why its body is not wanted, or dropped. */
bool vd_stored_flags_ok(uint8_t flags)
{
	switch (flags) {
	case 0:
	case VD_STORED_STUB:
	case VD_STORED_STUB | VD_STORED_WAITING:
	case VD_STORED_STUB | VD_STORED_UNWANTED:
	case VD_STORED_DROPPED:
	case VD_STORED_DROPPED | VD_STORED_STUB:
		return true;
	}
	return false;
}

bool vd_flags_wanted(uint8_t flags)
{
	return flags == VD_STORED_STUB;
}

struct vd_place vd_place_of(const struct vd_stored *stored)
{
	return (struct vd_place){ stored->arrival, stored->received_ms, stored->flags, stored->compact };
}

int vd_stored_encode(const struct vd_record *record, uint32_t number, uint8_t flags, uint64_t received_ms, struct vd_buf *out)
{
	struct vd_compact_author room[VD_COMPACT_ALONE];
	struct vd_compact stream;

	vd_compact_alone(&stream, room, record->group, record->author);
	vd_buf_put_u8(out, flags | VD_STORED_COMPACT);
	vd_buf_put(out, record->id.b, VD_STORED_CHECK_BYTES);
	vd_buf_put_varint(out, number);
	vd_buf_put_varint(out, vd_zigzag(received_ms - record->time_ms));
	return vd_compact_encode(&stream, record, out);
}

/* The opened value may stand in the room itself: what is put behind it must not move it. */
static int make_way(struct vd_buf *room, struct vd_rd *r)
{
	enum { HEAD_ROOM = 1024 };     /* a header and a signature at most */
	bool inside = room->p && r->p >= room->p && r->p < room->p + room->n;
	size_t at = inside ? (size_t)(r->p - room->p) : 0, more = HEAD_ROOM + r->n;

	if (!inside)
		return VD_OK;
	if (!vd_buf_extend(room, more))
		return VD_ENOMEM;
	room->n -= more;
	r->p = room->p + at;
	return VD_OK;
}

static int decode_compact(struct vd_rd *r, int (*author_of)(void *ctx, uint64_t number, struct vd_author *), void *ctx, struct vd_buf *room,
                          struct vd_stored *out)
{
	uint8_t check[VD_STORED_CHECK_BYTES];
	struct vd_compact_author authors[VD_COMPACT_ALONE];
	struct vd_compact stream;
	struct vd_author who;
	uint64_t number, received;
	int rc;

	vd_rd_copy(r, check, sizeof(check));
	number = vd_rd_varint(r);
	received = vd_rd_varint(r);
	rc = r->err ? VD_EDAMAGED : author_of(ctx, number, &who);
	if (!rc)
		rc = make_way(room, r);
	if (rc)
		return rc;
	vd_compact_alone(&stream, authors, who.group, who.key);
	rc = vd_compact_decode(&stream, vd_slice(r->p, r->n), room, &out->view);
	if (rc)
		return rc == VD_ENOMEM ? rc : VD_EDAMAGED;
	if (memcmp(out->view.id.b, check, sizeof(check)) || out->view.stub != (bool)(out->flags & VD_STORED_STUB))
		return VD_EDAMAGED;
	out->received_ms = out->view.time_ms + vd_unzigzag(received);
	out->id = out->view.id;
	out->raw = out->view.raw;
	return VD_OK;
}

int vd_stored_decode(struct vd_slice value, int (*author_of)(void *ctx, uint64_t number, struct vd_author *), void *ctx, struct vd_buf *room,
                     struct vd_stored *out)
{
	struct vd_rd r = vd_rd(value);

	out->flags = vd_rd_u8(&r);
	out->compact = out->flags & VD_STORED_COMPACT;
	out->flags &= (uint8_t)~VD_STORED_COMPACT;
	if (!vd_stored_flags_ok(out->flags) || (out->compact && out->flags & VD_STORED_DROPPED))
		return VD_EDAMAGED;
	if (out->compact)
		return decode_compact(&r, author_of, ctx, room, out);
	out->received_ms = vd_rd_u64(&r);
	vd_rd_copy(&r, out->id.b, VD_ID_BYTES);
	if (r.err || r.n > VD_RECORD_MAX)
		return VD_EDAMAGED;
	out->raw = vd_rd_take(&r, r.n);
	if (!(out->flags & VD_STORED_DROPPED))
		return VD_OK;
	/* Nothing is left of a dropped one: a flag alone hides no record. */
	return out->raw.n || !sodium_is_zero(out->id.b, VD_ID_BYTES) ? VD_EDAMAGED : VD_ENOTFOUND;
}

int vd_stored_view(const struct vd_stored *stored, struct vd_record *out)
{
	if (!stored->compact)
		return vd_record_decode(stored->raw, out);
	*out = stored->view;
	return VD_OK;
}

struct reading {
	struct vd_store *store;
	MDB_txn *txn;
};

static int author_of(void *ctx, uint64_t number, struct vd_author *out)
{
	struct reading *reading = ctx;

	return vd_author_of(reading->store, reading->txn, number, out);
}

int vd_stored_open(struct vd_store *s, MDB_txn *txn, uint64_t arrival, MDB_val value, struct vd_buf *room, struct vd_stored *out)
{
	uint8_t key[8], spot[VD_SPOT_BYTES];
	struct reading reading = { s, txn };
	struct vd_slice opened;
	int rc;

	vd_set_u64(key, arrival);
	vd_buf_reset(room);
	rc = vd_vault_open(s->vault, vd_spot(VD_TABLE_RECORDS, key, sizeof(key), spot),
	                   vd_slice(value.mv_data, value.mv_size), room, &opened);
	out->arrival = arrival;
	return rc ? rc : vd_stored_decode(opened, author_of, &reading, room, out);
}

int vd_stored_get(struct vd_store *s, MDB_txn *txn, uint64_t arrival, struct vd_buf *room, struct vd_stored *out)
{
	uint8_t key[8];
	MDB_val k = { sizeof(key), key }, v;
	int rc;

	vd_set_u64(key, arrival);
	rc = vd_db_err(mdb_get(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &k, &v));
	return rc ? rc : vd_stored_open(s, txn, arrival, v, room, out);
}

int vd_stored_read(struct vd_store *s, uint64_t arrival, struct vd_buf *raw, struct vd_stored *out)
{
	struct vd_buf room = { 0 };
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_stored_get(s, txn, arrival, &room, out);
	if (!rc) {
		vd_buf_put_slice(raw, out->raw);
		rc = vd_buf_check(raw);
		out->raw = vd_slice(NULL, 0);
	}
	vd_db_done(s->db, txn);
	vd_buf_wipe(&room);
	return rc;
}

int vd_latest(struct vd_store *s, MDB_txn *txn, uint64_t *arrival)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);

	*arrival = 0;
	if (rc)
		return vd_db_err(rc);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	if (!rc && k.mv_size != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*arrival = vd_get_u64(k.mv_data);
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

int vd_find_stored(struct vd_store *s, MDB_txn *txn, MDB_cursor *cursor, const struct vd_membership *in,
                   const struct vd_id *id, struct vd_buf *room, struct vd_stored *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_item item;
	uint64_t arrival = 0;
	int rc;

	vd_item_of(in->salt, id, &item);
	vd_item_list(s, in->group, item.b, list);
	for (;;) {
		rc = vd_list_next(cursor, list, &arrival);
		if (rc)
			return rc;
		rc = vd_stored_get(s, txn, arrival, room, out);
		if (!rc && !memcmp(out->id.b, id->b, VD_ID_BYTES))
			return VD_OK;
		if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED)
			return rc;
	}
}

int vd_store_numbers(struct vd_store *s, uint64_t after, uint64_t *numbers, size_t max, size_t *n)
{
	enum { SMALL = 128 }; /* no value of a dropped one is larger, sealed or not: others need not be opened */
	struct vd_buf room = { 0 };
	struct vd_stored stored;
	MDB_cursor *cursor = NULL;
	uint8_t key[8];
	MDB_val k = { sizeof(key), key }, v;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*n = 0;
	if (rc)
		return rc;
	rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);
	vd_set_u64(key, after + 1);
	if (!rc)
		rc = after == UINT64_MAX ? MDB_NOTFOUND : mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (!rc && *n < max) {
		if (k.mv_size != sizeof(key)) {
			rc = VD_EDAMAGED;
			break;
		}
		numbers[*n] = vd_get_u64(k.mv_data);
		*n += v.mv_size > SMALL || vd_stored_open(s, txn, numbers[*n], v, &room, &stored) != VD_ENOTFOUND;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_buf_wipe(&room);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

int vd_store_lane_numbers(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, uint64_t after, uint64_t *numbers,
                          size_t max, size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_lane_list(s, "lane", group, lane, list);
	return vd_list_read(s, VD_TABLE_LISTS, list, &after, numbers, max, n);
}

void vd_page_deinit(struct vd_page *page)
{
	free(page->entries);
	vd_buf_deinit(&page->bytes);
	*page = (struct vd_page){ 0 };
}

struct vd_slice vd_page_raw(const struct vd_page *page, const struct vd_page_entry *entry)
{
	return vd_slice(page->bytes.p + entry->at, entry->n);
}

static bool sound(struct vd_slice raw, const struct vd_id *id, bool stub)
{
	struct vd_record record;

	return !vd_record_decode(raw, &record) && !memcmp(record.id.b, id->b, VD_ID_BYTES) && record.stub == stub;
}

bool vd_page_sound(const struct vd_page *page, const struct vd_page_entry *entry)
{
	return !entry->err && sound(vd_page_raw(page, entry), &entry->id, entry->stub);
}

static struct vd_page_entry *page_add(struct vd_page *page, uint64_t arrival)
{
	if (!vd_room(&page->entries, page->count, &page->cap, 64, sizeof(*page->entries)))
		return NULL;
	page->entries[page->count] = (struct vd_page_entry){ .arrival = arrival };
	return &page->entries[page->count++];
}

/* Is the raw record of that group and lane? Elements 1 and 3 of a canonical header stand at fixed places: no
 * need to decode. */
bool vd_raw_in(struct vd_slice raw, const uint8_t *group, uint8_t lane)
{
	size_t array = raw.n && raw.p[0] == 0xdc ? 3 : 1; /* its header is wide for 16 elements */
	size_t at = array + 1 + 2;                        /* behind the version and a bin's header */
	size_t lane_at = at + VD_GROUP_BYTES + 2 + VD_KEY_BYTES;

	if (raw.n <= lane_at)
		return false;
	return (!group || !memcmp(raw.p + at, group, VD_GROUP_BYTES)) &&
	       (lane == VD_ANY_LANE || raw.p[lane_at] == lane);
}

const uint8_t *vd_raw_author(struct vd_slice raw)
{
	size_t at = (raw.n && raw.p[0] == 0xdc ? 3 : 1) + 1 + 2 + VD_GROUP_BYTES + 2;

	return raw.n < at + VD_KEY_BYTES ? NULL : raw.p + at;
}

static int page_take(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, uint64_t arrival, MDB_val value,
                     bool raws, struct vd_buf *room, struct vd_page *page)
{
	struct vd_stored stored;
	struct vd_page_entry *entry;
	int rc = vd_stored_open(s, txn, arrival, value, room, &stored);

	if (rc == VD_ENOTFOUND || rc == VD_ENOMEM)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (!rc && !vd_raw_in(stored.raw, group, lane)) {
		/* Of another group, or spoilt just where the group is named? */
		if (sound(stored.raw, &stored.id, stored.flags & VD_STORED_STUB))
			return VD_OK;
		rc = VD_EDAMAGED;
	}
	entry = page_add(page, arrival);
	if (!entry)
		return VD_ENOMEM;
	if (rc) {
		entry->err = rc;
		return VD_OK;
	}
	entry->received_ms = stored.received_ms;
	entry->id = stored.id;
	entry->stub = stored.flags & VD_STORED_STUB;
	memcpy(entry->author, vd_raw_author(stored.raw), VD_KEY_BYTES);
	entry->wanted = vd_flags_wanted(stored.flags);
	entry->why_not = stored.flags & (VD_STORED_WAITING | VD_STORED_UNWANTED);
	if (raws) {
		entry->at = page->bytes.n;
		entry->n = stored.raw.n;
		vd_buf_put_slice(&page->bytes, stored.raw);
	}
	return vd_buf_check(&page->bytes);
}

/* The next records of a lane, by its list. */
static int page_of_list(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, size_t max,
                        bool raws, struct vd_buf *room, struct vd_page *page)
{
	enum { LISTED = 64 };
	uint64_t arrivals[LISTED], after = page->last;
	uint8_t list[VD_LIST_KEY_BYTES], key[8];
	MDB_cursor *entries = NULL, *records = NULL;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &entries));

	if (!rc)
		rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &records));
	vd_lane_list(s, "lane", group, lane, list);
	while (!rc && !page->end && page->count < max && page->bytes.n < VD_PAGE_BYTES) {
		size_t most = max - page->count < LISTED ? max - page->count : LISTED, n, i = 0;
		int listed = vd_list_some(entries, list, &after, arrivals, most, &n);

		for (; i < n && !rc && page->bytes.n < VD_PAGE_BYTES; i++) {
			MDB_val k = { sizeof(key), key }, v;

			page->last = arrivals[i];
			vd_set_u64(key, page->last);
			rc = mdb_cursor_get(records, &k, &v, MDB_SET);
			if (rc == MDB_NOTFOUND)
				rc = VD_OK; /* an entry without its record: `check` tells */
			else if (!rc)
				rc = page_take(s, txn, NULL, VD_ANY_LANE, page->last, v, raws, room, page);
			rc = vd_db_err(rc);
		}
		rc = rc ? rc : listed;
		page->end = !rc && i == n && n < most;
	}
	if (entries)
		mdb_cursor_close(entries);
	if (records)
		mdb_cursor_close(records);
	return rc;
}

static int page_of_all(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, size_t max,
                       bool raws, struct vd_buf *room, struct vd_page *page)
{
	uint8_t key[8];
	MDB_cursor *cursor;
	MDB_val k = { sizeof(key), key }, v;
	size_t passed = 0;
	int rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);

	if (rc)
		return vd_db_err(rc);
	if (page->last == UINT64_MAX) {
		rc = MDB_NOTFOUND;
	} else {
		vd_set_u64(key, page->last + 1);
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	}
	while (!rc && page->count < max && page->bytes.n < VD_PAGE_BYTES && passed++ < PASSED_MAX) {
		if (k.mv_size != 8) {
			rc = VD_EDAMAGED;
			break;
		}
		page->last = vd_get_u64(k.mv_data);
		rc = page_take(s, txn, group, lane, page->last, v, raws, room, page);
		if (!rc)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	page->end = rc == MDB_NOTFOUND;
	mdb_cursor_close(cursor);
	return page->end ? VD_OK : vd_db_err(rc);
}

int vd_page_read(struct vd_store *s, const uint8_t *group, uint8_t lane, uint64_t after, size_t max, bool raws,
                 struct vd_page *page)
{
	struct vd_buf room = { 0 };
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	page->count = 0;
	page->last = after;
	page->end = false;
	vd_buf_reset(&page->bytes);
	if (group && lane != VD_ANY_LANE)
		rc = page_of_list(s, txn, group, lane, max, raws, &room, page);
	else
		rc = page_of_all(s, txn, group, lane, max, raws, &room, page);
	vd_db_done(s->db, txn);
	vd_buf_wipe(&room);
	return rc;
}
