/* What follows from the records: lists, lanes, and what the index keeps. Is it what they say? */
#include <stdlib.h>
#include <string.h>

#include "check_inside.h"
#include "lanes.h"
#include "standing.h"
#include "tend_inside.h"
#include "proto/err.h"

static bool has_entry(struct vd_checking *c, MDB_txn *txn, enum vd_table table,
                      const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival)
{
	MDB_cursor *cursor;
	bool has;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(c->store->db, table), &cursor));

	if (rc) {
		c->err = rc;
		return true;
	}
	has = vd_list_has(cursor, list, arrival);
	mdb_cursor_close(cursor);
	return has;
}

static void count_if(struct vd_checking *c, bool bad)
{
	c->out->derived_bad += bad;
}

/* --- the index --- */

static void compare_indexed(struct vd_checking *c, MDB_txn *txn, enum vd_index_use use, const uint8_t *group,
                            struct vd_slice what, uint64_t arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_index_list(c->store, use, group, what, list);
	count_if(c, !has_entry(c, txn, VD_TABLE_INDEX, list, arrival));
}

/* Is a redaction listed by what it names, and that as redacted? */
static int compare_redaction(struct vd_checking *c, MDB_txn *txn, const struct vd_record *record, uint64_t arrival)
{
	uint8_t what[VD_ID_BYTES + VD_KEY_BYTES], list[VD_LIST_KEY_BYTES];
	int group = vd_checking_group(c, record->group), rc;
	struct vd_stored stored;
	struct vd_record named;
	MDB_cursor *items;
	struct vd_id id;

	if (!vd_is_redaction(record, &id))
		return VD_OK;
	memcpy(what, id.b, VD_ID_BYTES);
	memcpy(what + VD_ID_BYTES, record->author, VD_KEY_BYTES);
	compare_indexed(c, txn, VD_INDEX_REDACTS, record->group, vd_slice(what, sizeof(what)), arrival);
	compare_indexed(c, txn, VD_INDEX_REDACTS, record->group, vd_slice(id.b, VD_ID_BYTES), arrival);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(c->store->db, VD_TABLE_ITEMS), &items));
	if (rc)
		return rc;
	rc = vd_find_stored(c->store, txn, items, &c->in[group], &id, &c->reading, &stored);
	mdb_cursor_close(items);
	if (!rc && stored.arrival <= c->indexed && !vd_stored_view(&stored, &named) && vd_is_redactable(&named)) {
		vd_group_list(c->store, "redacted", record->group, list);
		count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, stored.arrival));
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_checking_index(struct vd_checking *c, MDB_txn *txn, const struct vd_record *record, uint64_t arrival)
{
	struct vd_group *group = vd_readers_find(&c->readers, record->group);
	const struct vd_value *about;
	struct vd_content content;
	uint8_t list[VD_LIST_KEY_BYTES], day[8];
	struct vd_rd replaced;
	struct vd_part part;
	struct vd_id id;
	uint8_t bucket[4];
	int rc;

	if (arrival > c->indexed)
		return VD_OK;
	rc = compare_redaction(c, txn, record, arrival);
	if (rc)
		return rc;
	vd_set_u64(day, record->time_ms / VD_DAY_MS);
	compare_indexed(c, txn, VD_INDEX_ID, NULL, vd_slice(record->id.b, VD_INDEX_ID_PREFIX), arrival);
	compare_indexed(c, txn, VD_INDEX_AUTHOR, record->group, vd_slice(record->author, VD_KEY_BYTES), arrival);
	compare_indexed(c, txn, VD_INDEX_DAY, record->group, vd_slice(day, sizeof(day)), arrival);
	vd_set_u32(bucket, record->expires_day / VD_EXPIRES_BUCKET);
	if (group && vd_may_expire(record) && !record->stub)
		compare_indexed(c, txn, VD_INDEX_EXPIRES, record->group, vd_slice(bucket, sizeof(bucket)), arrival);
	if (vd_record_part(record, &part)) {
		compare_indexed(c, txn, VD_INDEX_PART, record->group, vd_slice(part.of.b, VD_ID_BYTES), arrival);
		return VD_OK;
	}
	/* Its body came later than the index: that is put right at the next catch-up. */
	for (size_t i = 0; i < 2; i++) {
		vd_list_key(c->store, i ? "filled" : "unopened", NULL, 0, list);
		if (has_entry(c, txn, VD_TABLE_LISTS, list, arrival))
			return VD_OK;
	}
	vd_buf_reset(&c->room);
	rc = group ? vd_group_open_body(group, record, &c->room) : VD_EGROUP;
	if (rc == VD_ENOMEM)
		return rc;
	if (rc || vd_content_decode(vd_buf_slice(&c->room), &content))
		return VD_OK;
	compare_indexed(c, txn, VD_INDEX_KIND, record->group, content.kind, arrival);
	about = vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES);
	if (about)
		compare_indexed(c, txn, VD_INDEX_ABOUT, NULL, about->bytes, arrival);
	for (replaced = vd_replaced(&content); vd_replaced_next(&replaced, &id);)
		compare_indexed(c, txn, VD_INDEX_REPLACES, NULL, vd_slice(id.b, VD_ID_BYTES), arrival);
	return VD_OK;
}

/* --- lanes --- */

/* How many entries a list has. */
static int compare_length(struct vd_checking *c, MDB_txn *txn, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t wanted)
{
	uint64_t arrival = 0, n = 0;
	MDB_cursor *cursor;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(c->store->db, VD_TABLE_LISTS), &cursor));

	if (rc)
		return rc;
	while (!vd_list_next(cursor, list, &arrival))
		n++;
	mdb_cursor_close(cursor);
	count_if(c, n != wanted);
	return VD_OK;
}

void vd_checking_lane(struct vd_checking *c, size_t group, uint8_t lane)
{
	memset(c->lane, 0, sizeof(*c->lane));
	vd_lane_touch_all(c->lane);
	memcpy(c->lane->group, c->in[group].group, VD_GROUP_BYTES);
	c->lane->lane = lane;
	vd_lane_list(c->store, "lane", c->lane->group, lane, c->lane->list);
	vd_lane_list(c->store, "wanted", c->lane->group, lane, c->lane->wanted_list);
	for (size_t i = 0; i < c->count; i++) {
		const struct vd_checked *one = &c->seen[i];
		struct vd_item item;

		if (one->bad || one->group != group || one->lane != lane)
			continue;
		vd_item_of(c->in[group].salt, &one->id, &item);
		vd_digest_add(&c->lane->state.digest, &one->id);
		vd_sketch_apply(c->lane->symbols, 0, VD_SKETCH_SYMBOLS, &item, +1);
		if (one->arrival > c->lane->head.last)
			c->lane->head.last = one->arrival;
		if (one->wanted)
			vd_digest_add(&c->lane->state.wanted, &one->id);
		c->lane->state.stubs += one->stub;
	}
}

static int compare_lane(struct vd_checking *c, MDB_txn *txn)
{
	struct vd_lane_data *stored = malloc(sizeof(*stored));
	int rc;

	if (!stored)
		return VD_ENOMEM;
	rc = vd_lane_read(c->store, txn, c->lane->group, c->lane->lane, &stored->state, stored->symbols,
	                  VD_SKETCH_SYMBOLS);
	if (rc == VD_EDAMAGED) {
		count_if(c, true);
		rc = VD_OK;
	} else if (!rc) {
		bool sketch_ok = true;

		for (size_t i = 0; i < VD_SKETCH_SYMBOLS && sketch_ok; i++) {
			const struct vd_symbol *a = &stored->symbols[i], *b = &c->lane->symbols[i];

			sketch_ok = a->check == b->check && a->count == b->count &&
			            !memcmp(a->sum, b->sum, VD_ITEM_BYTES);
		}
		count_if(c, !sketch_ok);
		count_if(c, !vd_digest_eq(&stored->state.digest, &c->lane->state.digest));
		count_if(c, !vd_digest_eq(&stored->state.wanted, &c->lane->state.wanted));
		count_if(c, stored->state.stubs != c->lane->state.stubs);
		rc = compare_length(c, txn, c->lane->list, c->lane->state.digest.count);
		if (!rc)
			rc = compare_length(c, txn, c->lane->wanted_list, c->lane->state.wanted.count);
	}
	free(stored);
	return rc;
}

/* --- entries --- */

static bool prev_here(const struct vd_checking *c, size_t i)
{
	const struct vd_checked *one = &c->seen[i];

	for (size_t j = i + 1; j < c->count && vd_checked_same_chain(one, &c->seen[j]) && c->seen[j].seq + 1 >= one->seq; j++) {
		if (!c->seen[j].bad && c->seen[j].seq + 1 == one->seq &&
		    !memcmp(c->seen[j].id.b, one->prev.b, VD_ID_BYTES))
			return true;
	}
	return false;
}

void vd_checking_entries(struct vd_checking *c, size_t i,
                         void (*visit)(void *ctx, enum vd_table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival), void *ctx)
{
	const struct vd_checked *one = &c->seen[i];
	const uint8_t *group = c->in[one->group].group;
	const char *why = vd_why_not_list(one->why_not);
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_item item;

	vd_item_of(c->in[one->group].salt, &one->id, &item);
	vd_item_list(c->store, group, item.b, list);
	visit(ctx, VD_TABLE_ITEMS, list, one->arrival);
	vd_lane_list(c->store, "lane", group, one->lane, list);
	visit(ctx, VD_TABLE_LISTS, list, one->arrival);
	if (one->wanted) {
		vd_lane_list(c->store, "wanted", group, one->lane, list);
		visit(ctx, VD_TABLE_LISTS, list, one->arrival);
	}
	if (why) {
		vd_group_list(c->store, why, group, list);
		visit(ctx, VD_TABLE_LISTS, list, one->arrival);
	}
	if (one->has_prev && !prev_here(c, i)) {
		vd_prev_list(c->store, group, c->authors[one->author].key, one->lane, one->seq, &one->prev, list);
		visit(ctx, VD_TABLE_LISTS, list, one->arrival);
	}
}

struct comparing {
	struct vd_checking *checking;
	MDB_txn *txn;
};

static void compare_entry(void *ctx, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival)
{
	struct comparing *comparing = ctx;

	count_if(comparing->checking, !has_entry(comparing->checking, comparing->txn, table, list, arrival));
}

static int count_items(const struct vd_checking *c, MDB_txn *txn, uint64_t *out)
{
	MDB_cursor *cursor;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(c->store->db, VD_TABLE_ITEMS), &cursor));

	*out = 0;
	if (rc)
		return rc;
	rc = vd_lists_count(cursor, out);
	mdb_cursor_close(cursor);
	return rc;
}

static int compare_all(struct vd_checking *c)
{
	struct comparing comparing = { .checking = c };
	uint64_t good = 0, items;
	MDB_txn *txn;
	int rc = vd_db_read(c->store->db, &txn);

	if (rc)
		return rc;
	comparing.txn = txn;
	for (size_t i = 0; i < c->count; i++) {
		if (c->seen[i].bad)
			continue;
		good++;
		vd_checking_entries(c, i, compare_entry, &comparing);
	}
	if (!c->bad_count) {
		rc = count_items(c, txn, &items);
		count_if(c, rc == VD_EDAMAGED || (!rc && items != good));
		rc = rc == VD_EDAMAGED ? VD_OK : rc;
	}
	for (size_t group = 0; group < c->group_count && !rc; group++) {
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			vd_checking_lane(c, group, lane);
			rc = compare_lane(c, txn);
		}
	}
	vd_db_done(c->store->db, txn);
	return rc;
}

/* Is what the index keeps of removed authors what their records say? */
static int compare_accepted(struct vd_checking *c)
{
	struct vd_index_state state;
	bool current, right;
	MDB_txn *txn = NULL;
	int rc = vd_index_current(c->store, &state, &current);

	if (rc || !current)
		return rc == VD_EDAMAGED ? VD_OK : rc;
	rc = vd_db_read(c->store->db, &txn);
	for (size_t i = 0; i < c->readers.count && !rc; i++) {
		struct vd_group *group = c->readers.groups[i];

		for (size_t at = 0; at < vd_group_device_count(group) && !rc; at++) {
			const struct vd_device *device = vd_group_device(group, at);

			if (device->role != VD_ROLE_NONE)
				continue;
			rc = vd_followed_check(c->store, txn, group, device->author, &right);
			count_if(c, !rc && !right);
		}
	}
	vd_db_done(c->store->db, txn);
	return rc;
}

void vd_checking_bulk(const struct vd_checking *c, uint64_t *here, uint64_t *wanted)
{
	*here = *wanted = 0;
	for (size_t i = 0; i < c->count; i++)
		if (!c->seen[i].bad)
			*(c->seen[i].wanted ? wanted : here) += c->seen[i].bulk_bytes;
}

static int compare_bulk(struct vd_checking *c)
{
	uint64_t here, wanted, kept_here, kept_wanted;
	int rc = vd_shares_bulk(c->store, &kept_here, &kept_wanted);

	vd_checking_bulk(c, &here, &wanted);
	count_if(c, !rc && !c->bad_count && (here != kept_here || wanted != kept_wanted));
	return rc;
}

int vd_checking_derived(struct vd_checking *c)
{
	int rc = compare_all(c);

	if (!rc)
		rc = compare_bulk(c);
	return rc ? rc : compare_accepted(c);
}
