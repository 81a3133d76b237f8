#include <stdlib.h>
#include <string.h>

#include "inside.h"
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

void vd_group_list(const struct vd_store *s, const char *use, const uint8_t *group, uint8_t list[VD_LIST_KEY_BYTES])
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);

	vd_list_key(s, use, &part, 1, list);
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

int vd_find_stored(struct vd_store *s, MDB_txn *txn, MDB_cursor *cursor, const struct vd_membership *in,
                   const struct vd_id *id, struct vd_reading *reading, struct vd_stored *out)
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
		rc = vd_stored_get(s, txn, arrival, reading, out);
		if (!rc && !memcmp(out->id.b, id->b, VD_ID_BYTES))
			return VD_OK;
		if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED)
			return rc;
	}
}

int vd_store_numbers(struct vd_store *s, uint64_t after, uint64_t *numbers, size_t max, size_t *n)
{
	struct vd_reading reading = { 0 };
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
		struct vd_stored stored;

		rc = vd_stored_open(s, txn, &k, &v, &reading);
		after = !rc && after + 1 < reading.first ? reading.first - 1 : after;
		while (!rc && after < reading.last && *n < max) {
			numbers[*n] = ++after;
			/* Dropped ones stand alone: others need not be looked at. */
			*n += reading.first != reading.last || vd_reading_record(&reading, after, &stored) != VD_ENOTFOUND;
		}
		if (!rc)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

int vd_store_redacted_numbers(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t after, uint64_t *numbers, size_t max, size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_group_list(s, "unwanted", group, list);
	return vd_list_read(s, VD_TABLE_LISTS, list, &after, numbers, max, n);
}

int vd_store_expired_numbers(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t after, uint64_t *numbers, size_t max, size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_group_list(s, "expired", group, list);
	return vd_list_read(s, VD_TABLE_LISTS, list, &after, numbers, max, n);
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

/* `rc`: of reading it. */
static int page_take(int rc, const struct vd_stored *read, const uint8_t *group, uint8_t lane, bool raws, struct vd_page *page)
{
	struct vd_stored stored = *read;
	struct vd_page_entry *entry;

	if (rc == VD_ENOTFOUND || rc == VD_ENOMEM)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (!rc && !vd_raw_in(stored.raw, group, lane)) {
		/* Of another group, or spoilt just where the group is named? */
		if (sound(stored.raw, &stored.id, stored.flags & VD_STORED_STUB))
			return VD_OK;
		rc = VD_EDAMAGED;
	}
	entry = page_add(page, read->arrival);
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
	entry->why_not = stored.flags & VD_STORED_WHY_NOT;
	if (raws) {
		entry->at = page->bytes.n;
		entry->n = stored.raw.n;
		vd_buf_put_slice(&page->bytes, stored.raw);
	}
	return vd_buf_check(&page->bytes);
}

static bool page_full(const struct vd_page *page, size_t max)
{
	return page->count >= max || page->bytes.n >= VD_PAGE_BYTES;
}

/* The next records of a lane, by its list. */
static int page_of_list(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, size_t max,
                        bool raws, struct vd_reading *reading, struct vd_page *page)
{
	enum { LISTED = 64 };
	uint64_t arrivals[LISTED], after = page->last;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_stored stored;
	MDB_cursor *entries;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &entries));

	if (rc)
		return rc;
	vd_lane_list(s, "lane", group, lane, list);
	while (!rc && !page->end && !page_full(page, max)) {
		size_t most = max - page->count < LISTED ? max - page->count : LISTED, n, i = 0;
		int listed = vd_list_some(entries, list, &after, arrivals, most, &n);

		/* An entry without its record: `check` tells. */
		for (; i < n && !rc && page->bytes.n < VD_PAGE_BYTES; i++) {
			page->last = arrivals[i];
			rc = page_take(vd_stored_get(s, txn, page->last, reading, &stored), &stored, NULL, VD_ANY_LANE, raws, page);
		}
		rc = rc ? rc : listed;
		page->end = !rc && i == n && n < most;
	}
	mdb_cursor_close(entries);
	return rc;
}

static int page_of_all(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, size_t max,
                       bool raws, struct vd_reading *reading, struct vd_page *page)
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
	while (!rc && !page_full(page, max) && passed < PASSED_MAX) {
		struct vd_stored stored;

		rc = vd_stored_open(s, txn, &k, &v, reading);
		if (!rc && page->last + 1 < reading->first)
			page->last = reading->first - 1;
		for (; !rc && page->last < reading->last && !page_full(page, max); passed++) {
			page->last++;
			rc = page_take(vd_reading_record(reading, page->last, &stored), &stored, group, lane, raws, page);
		}
		if (!rc && page->last == reading->last)
			rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	page->end = rc == MDB_NOTFOUND;
	mdb_cursor_close(cursor);
	return page->end ? VD_OK : vd_db_err(rc);
}

int vd_page_read(struct vd_store *s, const uint8_t *group, uint8_t lane, uint64_t after, size_t max, bool raws,
                 struct vd_page *page)
{
	struct vd_reading own = { 0 }, *reading;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	reading = vd_reading_borrow(s, &own);
	page->count = 0;
	page->last = after;
	page->end = false;
	vd_buf_reset(&page->bytes);
	if (group && lane != VD_ANY_LANE)
		rc = page_of_list(s, txn, group, lane, max, raws, reading, page);
	else
		rc = page_of_all(s, txn, group, lane, max, raws, reading, page);
	vd_reading_return(s, reading);
	vd_db_done(s->db, txn);
	return rc;
}
