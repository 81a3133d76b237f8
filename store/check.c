#include "check.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"
#include "proto/sign.h"

/* What is kept of each record while all are compared with each other. */
struct seen {
	uint64_t arrival, seq;
	struct vd_id id, prev;
	uint32_t author;          /* place in `authors` */
	uint8_t group;            /* place in `in` */
	uint8_t lane;
	bool has_prev, bad;
	bool wanted;              /* a stub whose body is wanted */
	bool waiting, unwanted;   /* … or has to wait, or was redacted */
};

struct author {
	uint8_t key[VD_KEY_BYTES];
	bool sound;
};

struct checking {
	struct vd_store *store;
	struct vd_write *write;
	struct vd_check *out;
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t group_count;
	struct seen *seen;
	size_t count, cap;
	struct author *authors;
	size_t author_count;
	uint64_t *bad;            /* arrivals to be dropped */
	size_t bad_count, bad_cap;
	struct vd_lane_data *lane; /* recomputed, one at a time */
	struct vd_readers readers;
	uint64_t indexed;         /* how far the index has come */
	struct vd_buf room;
	int err;                  /* something could not be looked at, whatever it says; sticky */
};

static int add_bad(struct checking *c, uint64_t arrival)
{
	if (c->bad_count == c->bad_cap) {
		size_t cap = c->bad_cap ? 2 * c->bad_cap : 16;
		uint64_t *bad = realloc(c->bad, cap * sizeof(*bad));

		if (!bad)
			return VD_ENOMEM;
		c->bad = bad;
		c->bad_cap = cap;
	}
	c->bad[c->bad_count++] = arrival;
	c->out->bad++;
	return VD_OK;
}

static int author_of(struct checking *c, const uint8_t key[VD_KEY_BYTES], uint32_t *out)
{
	struct author *authors;

	/* A chain's records stand together, so the last one found is most often the next one sought. */
	for (size_t i = c->author_count; i-- > 0;) {
		if (!memcmp(c->authors[i].key, key, VD_KEY_BYTES)) {
			*out = (uint32_t)i;
			return VD_OK;
		}
	}
	authors = realloc(c->authors, (c->author_count + 1) * sizeof(*authors));
	if (!authors)
		return VD_ENOMEM;
	c->authors = authors;
	memcpy(authors[c->author_count].key, key, VD_KEY_BYTES);
	authors[c->author_count].sound = vd_sign_key_ok(key);
	*out = (uint32_t)c->author_count++;
	return VD_OK;
}

static int group_of(const struct checking *c, const uint8_t group[VD_GROUP_BYTES])
{
	for (size_t i = 0; i < c->group_count; i++) {
		if (!memcmp(c->in[i].group, group, VD_GROUP_BYTES))
			return (int)i;
	}
	return -1;
}

static bool has_entry(struct checking *c, MDB_txn *txn, enum vd_table table,
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

static void count_if(struct checking *c, bool bad)
{
	c->out->derived_bad += bad;
}

static void compare_indexed(struct checking *c, MDB_txn *txn, enum vd_index_use use, const uint8_t *group,
                            struct vd_slice what, uint64_t arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_index_list(c->store, use, group, what, list);
	count_if(c, !has_entry(c, txn, VD_TABLE_INDEX, list, arrival));
}

/* Is a redaction listed by what it names, and that as redacted? */
static int compare_redaction(struct checking *c, MDB_txn *txn, const struct vd_record *record, uint64_t arrival)
{
	uint8_t what[VD_ID_BYTES + VD_KEY_BYTES], list[VD_LIST_KEY_BYTES];
	int group = group_of(c, record->group), rc;
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
	rc = vd_find_stored(c->store, txn, items, &c->in[group], &id, &c->room, &stored);
	mdb_cursor_close(items);
	if (!rc && stored.arrival <= c->indexed && !vd_stored_view(&stored, &named) && vd_is_redactable(&named)) {
		vd_group_list(c->store, "redacted", record->group, list);
		count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, stored.arrival));
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* Is the record indexed by all it says? */
static int compare_index(struct checking *c, MDB_txn *txn, const struct vd_record *record, uint64_t arrival)
{
	struct vd_group *group = vd_readers_find(&c->readers, record->group);
	const struct vd_value *about;
	struct vd_content content;
	uint8_t list[VD_LIST_KEY_BYTES], day[8];
	struct vd_rd replaced;
	struct vd_id id;
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

/* One stored record: its bytes, its id, its place. */
static int look_at(struct checking *c, MDB_txn *txn, const struct vd_page *page, const struct vd_page_entry *entry)
{
	struct vd_record record;
	struct seen *one;
	int group, rc;

	c->out->records++;
	if (entry->err || vd_record_decode(vd_page_raw(page, entry), &record) ||
	    memcmp(record.id.b, entry->id.b, VD_ID_BYTES) || record.stub != entry->stub)
		return add_bad(c, entry->arrival);
	group = group_of(c, record.group);
	if (group < 0) {
		count_if(c, true); /* the list of groups is what is wrong: such a record is never dropped */
		return VD_OK;
	}
	if (c->count == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 1024;
		struct seen *seen = realloc(c->seen, cap * sizeof(*seen));

		if (!seen)
			return VD_ENOMEM;
		c->seen = seen;
		c->cap = cap;
	}
	one = &c->seen[c->count];
	*one = (struct seen){ .arrival = entry->arrival,
		              .seq = record.seq,
		              .id = record.id,
		              .prev = record.prev,
		              .group = (uint8_t)group,
		              .lane = record.lane,
		              .has_prev = record.has_prev,
		              .wanted = entry->wanted,
		              .waiting = entry->why_not & VD_STORED_WAITING,
		              .unwanted = entry->why_not & VD_STORED_UNWANTED };
	c->count++;
	rc = author_of(c, record.author, &one->author);
	return rc ? rc : compare_index(c, txn, &record, entry->arrival);
}

static int look_at_all(struct checking *c)
{
	struct vd_page page = { 0 };
	int rc = VD_OK;

	while (!rc && !page.end) {
		MDB_txn *txn = NULL;

		rc = vd_page_read(c->store, NULL, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, true, &page);
		if (!rc)
			rc = vd_db_read(c->store->db, &txn);
		for (size_t i = 0; i < page.count && !rc; i++)
			rc = look_at(c, txn, &page, &page.entries[i]);
		vd_db_done(c->store->db, txn);
	}
	vd_page_deinit(&page);
	return rc;
}

/* --- signatures: heads first, then back by hash --- */

static int by_chain(const void *x, const void *y)
{
	const struct seen *a = x, *b = y;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	if (a->author != b->author)
		return a->author < b->author ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq > b->seq ? -1 : 1;
	return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

static bool same_chain(const struct seen *a, const struct seen *b)
{
	return a->group == b->group && a->lane == b->lane && a->author == b->author;
}

static int verify(struct checking *c, struct seen *one, struct vd_buf *raw)
{
	struct vd_record record;
	int rc = vd_store_read(c->store, one->arrival, raw, &record, NULL);

	if (!rc)
		rc = c->authors[one->author].sound ? vd_record_verify(&record) : VD_ESIGNATURE;
	if (rc == VD_ENOMEM || rc == VD_EIO)
		return rc;
	one->bad = rc != VD_OK;
	return one->bad ? add_bad(c, one->arrival) : VD_OK;
}

static int verify_all(struct checking *c)
{
	struct vd_buf raw = { 0 };
	size_t later = 0;         /* first record with seq one higher or more that may vouch */
	int rc = VD_OK;

	if (c->count)
		qsort(c->seen, c->count, sizeof(*c->seen), by_chain);
	for (size_t i = 0; i < c->count && !rc; i++) {
		struct seen *one = &c->seen[i];
		bool vouched = false;

		while (later < i && (!same_chain(&c->seen[later], one) || c->seen[later].seq > one->seq + 1))
			later++;
		for (size_t j = later; j < i && c->seen[j].seq == one->seq + 1 && !vouched; j++)
			vouched = !c->seen[j].bad && c->seen[j].has_prev &&
			          !memcmp(c->seen[j].prev.b, one->id.b, VD_ID_BYTES);
		if (!vouched)
			rc = verify(c, one, &raw);
	}
	vd_buf_deinit(&raw);
	return rc;
}

/* --- derived data --- */

/* How many entries a list has. */
static int compare_length(struct checking *c, MDB_txn *txn, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t wanted)
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

/* Recomputes c->lane from the records that are good. */
static void recompute(struct checking *c, size_t group, uint8_t lane)
{
	memset(c->lane, 0, sizeof(*c->lane));
	vd_lane_touch_all(c->lane);
	memcpy(c->lane->group, c->in[group].group, VD_GROUP_BYTES);
	c->lane->lane = lane;
	vd_lane_list(c->store, "lane", c->lane->group, lane, c->lane->list);
	vd_lane_list(c->store, "wanted", c->lane->group, lane, c->lane->wanted_list);
	for (size_t i = 0; i < c->count; i++) {
		const struct seen *one = &c->seen[i];
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
	}
}

static int compare_lane(struct checking *c, MDB_txn *txn)
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
		rc = compare_length(c, txn, c->lane->list, c->lane->state.digest.count);
		if (!rc)
			rc = compare_length(c, txn, c->lane->wanted_list, c->lane->state.wanted.count);
	}
	free(stored);
	return rc;
}

/* Why a stub's body is not wanted has a list of its own. */
static const char *list_why(const struct seen *one)
{
	return one->waiting ? "waiting" : one->unwanted ? "unwanted" : NULL;
}

/* Is every entry there that points to this record? */
static void compare_entries(struct checking *c, MDB_txn *txn, const struct seen *one)
{
	const uint8_t *group = c->in[one->group].group;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_item item;

	vd_item_of(c->in[one->group].salt, &one->id, &item);
	vd_item_list(c->store, group, item.b, list);
	count_if(c, !has_entry(c, txn, VD_TABLE_ITEMS, list, one->arrival));
	vd_lane_list(c->store, "lane", group, one->lane, list);
	count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, one->arrival));
	if (one->wanted) {
		vd_lane_list(c->store, "wanted", group, one->lane, list);
		count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, one->arrival));
	}
	if (list_why(one)) {
		vd_group_list(c->store, list_why(one), group, list);
		count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, one->arrival));
	}
}

static bool prev_here(const struct checking *c, size_t i)
{
	const struct seen *one = &c->seen[i];

	for (size_t j = i + 1; j < c->count && same_chain(one, &c->seen[j]) && c->seen[j].seq + 1 >= one->seq; j++) {
		if (!c->seen[j].bad && c->seen[j].seq + 1 == one->seq &&
		    !memcmp(c->seen[j].id.b, one->prev.b, VD_ID_BYTES))
			return true;
	}
	return false;
}

static void waiting_list(const struct checking *c, const struct seen *one, uint8_t list[VD_LIST_KEY_BYTES])
{
	vd_prev_list(c->store, c->in[one->group].group, c->authors[one->author].key, one->lane, one->seq, &one->prev, list);
}

static int count_items(const struct checking *c, MDB_txn *txn, uint64_t *out)
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

static int compare_all(struct checking *c)
{
	uint64_t good = 0, items;
	MDB_txn *txn;
	int rc = vd_db_read(c->store->db, &txn);

	if (rc)
		return rc;
	for (size_t i = 0; i < c->count; i++) {
		uint8_t list[VD_LIST_KEY_BYTES];

		if (c->seen[i].bad)
			continue;
		good++;
		compare_entries(c, txn, &c->seen[i]);
		if (c->seen[i].has_prev && !prev_here(c, i)) {
			waiting_list(c, &c->seen[i], list);
			count_if(c, !has_entry(c, txn, VD_TABLE_LISTS, list, c->seen[i].arrival));
		}
	}
	if (!c->bad_count) {
		rc = count_items(c, txn, &items);
		count_if(c, rc == VD_EDAMAGED || (!rc && items != good));
		rc = rc == VD_EDAMAGED ? VD_OK : rc;
	}
	for (size_t group = 0; group < c->group_count && !rc; group++) {
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			recompute(c, group, lane);
			rc = compare_lane(c, txn);
		}
	}
	vd_db_done(c->store->db, txn);
	return rc;
}

/* Is what the index keeps of removed authors what their records say? */
static int compare_accepted(struct checking *c)
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

/* --- repair --- */

static void rebuild_entries(struct checking *c)
{
	struct vd_effects *e = &c->write->effects;

	for (size_t i = 0; i < c->count; i++) {
		const struct seen *one = &c->seen[i];
		const uint8_t *group = c->in[one->group].group;
		uint8_t list[VD_LIST_KEY_BYTES];
		struct vd_item item;

		if (one->bad)
			continue;
		vd_item_of(c->in[one->group].salt, &one->id, &item);
		vd_item_list(c->store, group, item.b, list);
		vd_effects_entry(e, VD_TABLE_ITEMS, list, one->arrival);
		vd_lane_list(c->store, "lane", group, one->lane, list);
		vd_effects_entry(e, VD_TABLE_LISTS, list, one->arrival);
		if (one->wanted) {
			vd_lane_list(c->store, "wanted", group, one->lane, list);
			vd_effects_entry(e, VD_TABLE_LISTS, list, one->arrival);
		}
		if (list_why(one)) {
			vd_group_list(c->store, list_why(one), group, list);
			vd_effects_entry(e, VD_TABLE_LISTS, list, one->arrival);
		}
		if (one->has_prev && !prev_here(c, i)) {
			waiting_list(c, one, list);
			vd_effects_entry(e, VD_TABLE_LISTS, list, one->arrival);
		}
	}
}

/* A dropped record keeps its arrival number, which must never name another one. */
static void drop_bad(struct checking *c)
{
	uint8_t value[VD_STORED_HEAD] = { VD_STORED_DROPPED }, key[8];

	for (size_t i = 0; i < c->bad_count; i++) {
		vd_set_u64(key, c->bad[i]);
		vd_effects_put(&c->write->effects, c->store, VD_TABLE_RECORDS, key, sizeof(key),
		               vd_slice(value, sizeof(value)));
	}
}

static int apply_repair(void *ctx, MDB_txn *txn)
{
	static const enum vd_table rebuilt[] = { VD_TABLE_ITEMS, VD_TABLE_LISTS, VD_TABLE_INDEX };
	struct checking *c = ctx;
	int rc = 0;

	for (size_t i = 0; i < 3 && !rc; i++)
		rc = mdb_drop(txn, vd_db_table(c->store->db, rebuilt[i]), 0);
	if (!rc)
		rc = vd_effects_apply(&c->write->effects, c->store, txn);
	for (size_t group = 0; group < c->group_count && !rc; group++) {
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			recompute(c, group, lane);
			rc = vd_lane_put(c->store, txn, c->lane);
		}
	}
	return rc;
}

/* How many records there are of each author; and what was remembered of the lanes is void. */
static int recount_shares(struct checking *c)
{
	uint8_t again[8];
	uint64_t repairs;
	MDB_txn *txn;
	int rc = vd_db_read(c->store->db, &txn);

	if (rc)
		return rc;
	rc = vd_repairs(c->store, txn, &repairs);
	vd_db_done(c->store->db, txn);
	vd_set_u64(again, rc ? 1 : repairs + 1);
	vd_effects_value(&c->write->effects, c->store, "repairs", NULL, 0, vd_slice(again, sizeof(again)));
	rc = VD_OK;
	for (size_t i = 0; i < c->count && !rc; i++) {
		const struct seen *one = &c->seen[i];

		rc = vd_share_recount(c->write, c->in[one->group].group, c->authors[one->author].key, one->lane, !one->bad);
	}
	vd_shares_put(c->write);
	return rc;
}

static int repair_all(struct checking *c)
{
	int rc = vd_pool_relist(c->write);

	if (rc)
		return rc;
	drop_bad(c);
	rebuild_entries(c);
	rc = recount_shares(c);
	if (rc)
		return rc;
	/* The index starts again by itself, and so does what follows from it. */
	for (size_t i = 0; i < c->readers.count; i++)
		vd_index_reset(c->write, c->readers.groups[i]);
	vd_effects_value(&c->write->effects, c->store, "index", NULL, 0, vd_slice(NULL, 0));
	if (c->write->effects.failed)
		return VD_ENOMEM;
	rc = vd_db_change(c->store->db, apply_repair, c);
	if (!rc)
		c->out->repaired = c->out->bad + c->out->derived_bad;
	return rc;
}

int vd_check(struct vd_store *s, bool repair, struct vd_check *out)
{
	struct checking c = { .store = s, .out = out, .lane = malloc(sizeof(*c.lane)) };
	struct vd_index_state index;
	MDB_txn *txn;
	int rc = c.lane ? VD_OK : VD_ENOMEM;

	*out = (struct vd_check){ 0 };
	/* Nobody writes while we compare; nor does anybody to a medium that can only be read. */
	if (!rc && (repair || !vd_db_read_only(s->db)))
		rc = vd_write_begin(s, &c.write);
	if (!rc)
		rc = vd_db_walk(s->db); /* before LMDB is sent through every page of it */
	if (!rc)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		goto done;
	rc = vd_memberships(s, txn, c.in, &c.group_count);
	vd_db_done(s->db, txn);
	if (!rc)
		rc = vd_readers_init(&c.readers, s, NULL);
	if (!rc)
		rc = vd_index_state(s, &index);
	c.indexed = rc ? 0 : index.cursor;
	if (!rc)
		rc = look_at_all(&c);
	if (!rc)
		rc = verify_all(&c);
	if (!rc)
		rc = compare_all(&c);
	if (!rc)
		rc = compare_accepted(&c);
	if (!rc)
		rc = c.err;
	if (!rc && repair && (out->bad || out->derived_bad))
		rc = repair_all(&c);
done:
	vd_write_abort(c.write);
	free(c.seen);
	free(c.authors);
	free(c.bad);
	vd_readers_deinit(&c.readers);
	vd_buf_wipe(&c.room);
	free(c.lane);
	return rc;
}
