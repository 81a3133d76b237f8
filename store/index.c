#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "lanes.h"
#include "standing.h"
#include "tend_inside.h"
#include "proto/err.h"

enum { STATE_BYTES = 6 * 8, STATE_BYTES_ONCE = 4 * 8, BATCH_RECORDS = 16384, TRIES = 8 };

/* The value "index". */
static int read_state(struct vd_store *s, struct vd_index_state *out)
{
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc = vd_value_read(s, "index", NULL, 0, &value);

	*out = (struct vd_index_state){ .first_day = UINT64_MAX };
	if (rc == VD_ENOTFOUND)
		return VD_OK;
	/* One that knew nothing of redactions: everything is looked at again. */
	if (!rc && value.n != STATE_BYTES_ONCE) {
		r = vd_rd(vd_buf_slice(&value));
		out->cursor = vd_rd_u64(&r);
		out->control = vd_rd_u64(&r);
		out->first_day = vd_rd_u64(&r);
		out->last_day = vd_rd_u64(&r);
		out->redactions = vd_rd_u64(&r);
		out->opens = vd_rd_u64(&r);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc;
}

static void put_state(struct vd_write *w, const struct vd_index_state *state)
{
	uint8_t value[STATE_BYTES];

	vd_set_u64(value, state->cursor);
	vd_set_u64(value + 8, state->control);
	vd_set_u64(value + 16, state->first_day);
	vd_set_u64(value + 24, state->last_day);
	vd_set_u64(value + 32, state->redactions);
	vd_set_u64(value + 40, state->opens);
	vd_effects_value(&w->effects, w->store, "index", NULL, 0, vd_slice(value, sizeof(value)));
}

int vd_index_state(struct vd_store *s, struct vd_index_state *out)
{
	return read_state(s, out);
}

/* --- entries --- */

void vd_index_list(const struct vd_store *s, enum vd_index_use use, const uint8_t *group, struct vd_slice what,
                   uint8_t list[VD_LIST_KEY_BYTES])
{
	static const char *const names[] = { "id", "author", "day", "kind", "about", "replaces", "redacts", "part", "expires" };
	struct vd_slice parts[] = { vd_slice(group, group ? VD_GROUP_BYTES : 0), what };

	vd_list_key(s, names[use], parts, 2, list);
}

/* The last key of each use: most records share day, kind and author with the one before. */
struct memo {
	struct {
		bool set;
		uint8_t group[VD_GROUP_BYTES];
		uint8_t what[VD_ID_BYTES + VD_KEY_BYTES];
		size_t n;
		uint8_t list[VD_LIST_KEY_BYTES];
	} last[VD_INDEX_USES];
};

/* A transaction of the index. */
struct entering {
	struct vd_write *write;
	const struct vd_readers *readers;
	uint64_t control;          /* control records when the readers were loaded */
	struct vd_index_state state;
	struct memo memo;
	struct removed {           /* authors without a role of whom something came */
		struct vd_group *group;
		uint8_t author[VD_KEY_BYTES];
	} *removed;
	size_t removed_count;
	struct vd_spanning spans;
	struct vd_buf room;
};

static void enter(struct entering *e, enum vd_index_use use, const uint8_t *group, struct vd_slice what, uint64_t arrival)
{
	uint8_t nobody[VD_GROUP_BYTES] = { 0 };
	const uint8_t *id = group ? group : nobody;
	struct memo *memo = &e->memo;

	_Static_assert(VD_KIND_MAX <= VD_KEY_BYTES, "a kind fits the memo");
	if (!memo->last[use].set || memo->last[use].n != what.n || memcmp(memo->last[use].what, what.p, what.n) ||
	    memcmp(memo->last[use].group, id, VD_GROUP_BYTES)) {
		memo->last[use].set = true;
		memo->last[use].n = what.n;
		memcpy(memo->last[use].what, what.p, what.n);
		memcpy(memo->last[use].group, id, VD_GROUP_BYTES);
		vd_index_list(e->write->store, use, group, what, memo->last[use].list);
	}
	vd_effects_entry(&e->write->effects, VD_TABLE_INDEX, memo->last[use].list, arrival);
}

static void unopened_list(const struct vd_store *s, uint8_t list[VD_LIST_KEY_BYTES])
{
	vd_list_key(s, "unopened", NULL, 0, list);
}

struct vd_rd vd_replaced(const struct vd_content *content)
{
	const struct vd_value *ids = vd_content_get(content, "replaces", VD_MP_ARRAY, 0);

	return ids ? vd_value_items(ids) : vd_rd(vd_slice(NULL, 0));
}

bool vd_replaced_next(struct vd_rd *items, struct vd_id *out)
{
	struct vd_value item;

	while (vd_value_next(items, &item)) {
		if (item.type != VD_MP_BIN || item.bytes.n != VD_ID_BYTES)
			continue;
		memcpy(out->b, item.bytes.p, VD_ID_BYTES);
		return true;
	}
	return false;
}

/* What the body says: kind, about and replaces. A body that does not open now may do so when keys, roles or the body itself come. */
static int enter_content(struct entering *e, struct vd_group *group, const struct vd_record *record, uint64_t arrival)
{
	struct vd_effects *effects = &e->write->effects;
	uint8_t list[VD_LIST_KEY_BYTES];
	const struct vd_value *about;
	struct vd_content content;
	struct vd_rd replaced;
	struct vd_id id;
	int rc;

	vd_buf_reset(&e->room);
	unopened_list(e->write->store, list);
	rc = vd_group_open_body(group, record, &e->room);
	if (rc == VD_ENOMEM)
		return rc;
	if (rc == VD_EKEY || rc == VD_EAUTHOR) {
		vd_effects_entry(effects, VD_TABLE_LISTS, list, arrival);
		return VD_OK;
	}
	vd_effects_entry_remove(effects, VD_TABLE_LISTS, list, arrival);
	if (rc || vd_content_decode(vd_buf_slice(&e->room), &content))
		return VD_OK; /* unreadable for ever, or a stub: then `filled` will tell */
	enter(e, VD_INDEX_KIND, record->group, content.kind, arrival);
	about = vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES);
	if (about)
		enter(e, VD_INDEX_ABOUT, NULL, about->bytes, arrival);
	for (replaced = vd_replaced(&content); vd_replaced_next(&replaced, &id);)
		enter(e, VD_INDEX_REPLACES, NULL, vd_slice(id.b, VD_ID_BYTES), arrival);
	return VD_OK;
}

/* --- redactions --- */

static void mark_redacted(struct entering *e, const uint8_t *group, uint64_t arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_group_list(e->write->store, "redacted", group, list);
	vd_effects_entry(&e->write->effects, VD_TABLE_LISTS, list, arrival);
}

/* A redaction: by what it names, and that on the group's list if it is here. */
static int enter_redaction(struct entering *e, const struct vd_record *record, const struct vd_id *redacted, uint64_t arrival)
{
	uint8_t what[VD_ID_BYTES + VD_KEY_BYTES];
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_store *s = e->write->store;
	struct vd_reading reading = { 0 };
	struct vd_stored stored;
	struct vd_record named;
	MDB_cursor *items;
	size_t count = 0, i = 0;
	MDB_txn *txn;
	bool mark;
	int rc;

	memcpy(what, redacted->b, VD_ID_BYTES);
	memcpy(what + VD_ID_BYTES, record->author, VD_KEY_BYTES);
	enter(e, VD_INDEX_REDACTS, record->group, vd_slice(what, sizeof(what)), arrival);
	enter(e, VD_INDEX_REDACTS, record->group, vd_slice(redacted->b, VD_ID_BYTES), arrival);
	e->state.redactions++;
	rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	rc = vd_memberships(s, txn, in, &count);
	while (i < count && memcmp(in[i].group, record->group, VD_GROUP_BYTES))
		i++;
	if (!rc)
		rc = i == count ? VD_ENOTFOUND : vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_ITEMS), &items));
	if (!rc) {
		rc = vd_find_stored(s, txn, items, &in[i], redacted, &reading, &stored);
		mdb_cursor_close(items);
	}
	vd_db_done(s->db, txn);
	mark = !rc && !vd_stored_view(&stored, &named) && vd_is_redactable(&named);
	vd_reading_wipe(&reading);
	if (mark)
		mark_redacted(e, record->group, stored.arrival);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* Did a redaction come before what it names? */
static int enter_if_redacted(struct entering *e, const struct vd_record *record, uint64_t arrival)
{
	struct vd_store *s = e->write->store;
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t first = 0;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc;

	if (!e->state.redactions)
		return VD_OK; /* there are none here */
	rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	vd_index_list(s, VD_INDEX_REDACTS, record->group, vd_slice(record->id.b, VD_ID_BYTES), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor));
	if (!rc) {
		rc = vd_list_next(cursor, list, &first);
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	if (!rc)
		mark_redacted(e, record->group, arrival);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* --- one record --- */

/* Of an author without a role what is accepted may have grown. */
static int note_removed(struct entering *e, struct vd_group *group, const uint8_t *author)
{
	const struct vd_device *device;
	struct removed *removed;

	for (size_t i = e->removed_count; i-- > 0;) {
		if (e->removed[i].group == group && !memcmp(e->removed[i].author, author, VD_KEY_BYTES))
			return VD_OK;
	}
	device = vd_group_find(group, author);
	if (!device || device->role != VD_ROLE_NONE)
		return VD_OK;
	removed = reallocarray(e->removed, e->removed_count + 1, sizeof(*removed));
	if (!removed)
		return VD_ENOMEM;
	e->removed = removed;
	removed += e->removed_count++;
	removed->group = group;
	memcpy(removed->author, author, VD_KEY_BYTES);
	return VD_OK;
}

enum why { FRESH, WRITTEN_AGAIN, KEYS_CAME };

static int enter_record(struct entering *e, struct vd_slice raw, uint64_t arrival, enum why why)
{
	struct vd_record record;
	struct vd_group *group;
	struct vd_id redacted;
	struct vd_part part;
	uint8_t day[8], bucket[4];
	uint64_t number;
	int rc = VD_OK;

	if (vd_record_decode(raw, &record))
		return VD_OK; /* spoilt: `check` tells */
	group = vd_readers_find(e->readers, record.group);
	number = record.time_ms / VD_DAY_MS;
	vd_set_u64(day, number);
	if (number < e->state.first_day)
		e->state.first_day = number;
	if (number > e->state.last_day)
		e->state.last_day = number;
	enter(e, VD_INDEX_ID, NULL, vd_slice(record.id.b, VD_INDEX_ID_PREFIX), arrival);
	enter(e, VD_INDEX_AUTHOR, record.group, vd_slice(record.author, VD_KEY_BYTES), arrival);
	enter(e, VD_INDEX_DAY, record.group, vd_slice(day, sizeof(day)), arrival);
	if (!group)
		return VD_OK;
	/* What was written again before it was entered at all is entered soon. */
	rc = why == FRESH || (why == WRITTEN_AGAIN && arrival <= e->state.cursor) ?
	     vd_spanning_enter(&e->spans, e->write->store, &record, why == FRESH) : VD_OK;
	vd_set_u32(bucket, record.expires_day / VD_EXPIRES_BUCKET);
	if (vd_may_expire(&record))
		enter(e, VD_INDEX_EXPIRES, record.group, vd_slice(bucket, sizeof(bucket)), arrival);
	/* A chunk says nothing to people, and is not opened for it. */
	if (!rc && vd_record_part(&record, &part))
		enter(e, VD_INDEX_PART, record.group, vd_slice(part.of.b, VD_ID_BYTES), arrival);
	else if (!rc)
		rc = enter_content(e, group, &record, arrival);
	if (rc || record.lane == VD_LANE_CONTROL)
		return rc;
	if (vd_is_redaction(&record, &redacted))
		rc = enter_redaction(e, &record, &redacted, arrival);
	else
		rc = enter_if_redacted(e, &record, arrival);
	return rc ? rc : note_removed(e, group, record.author);
}

void vd_index_reset(struct vd_write *w, struct vd_group *group)
{
	struct vd_slice part = vd_slice(vd_group_id(group), VD_GROUP_BYTES);

	for (size_t i = 0; i < vd_group_device_count(group); i++)
		vd_followed_forget(w, group, vd_group_device(group, i)->author);
	vd_spans_forget(w, group);
	vd_effects_value(&w->effects, w->store, "redacted", &part, 1, vd_slice(NULL, 0));
}

/* --- catching up --- */

int vd_control_count(struct vd_store *s, uint64_t *out)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_lanes_count(s, txn, VD_LANE_CONTROL, out);
	vd_db_done(s->db, txn);
	return rc;
}

static void entering_deinit(struct entering *e)
{
	vd_write_abort(e->write);
	free(e->removed);
	vd_spanning_deinit(&e->spans);
	vd_buf_wipe(&e->room);
}

/* VD_EAGAIN: another process added control records since the readers were loaded. */
static int entering_init(struct entering *e, struct vd_store *s, const struct vd_readers *readers, uint64_t control)
{
	uint64_t now;
	int rc;

	*e = (struct entering){ .readers = readers, .control = control };
	rc = vd_write_begin(s, &e->write);
	if (rc)
		return rc;
	rc = vd_control_count(s, &now);
	if (!rc && now != control)
		rc = VD_EAGAIN;
	if (!rc)
		rc = read_state(s, &e->state); /* another process may have been here */
	return rc;
}

/* Brings up to date what is kept of the authors noted, and commits. What is too much for one transaction is gone on with as if
 * control records had come. */
static int entering_end(struct entering *e)
{
	size_t budget = BATCH_RECORDS;
	bool more = false;
	struct vd_write *w = e->write;
	int rc = VD_OK;

	for (size_t i = 0; i < e->removed_count && !rc; i++)
		rc = vd_followed_update(w, e->removed[i].group, e->removed[i].author, &budget, &more);
	if (rc)
		return rc;
	if (more)
		e->state.control = UINT64_MAX;
	vd_spanning_put(&e->spans, w);
	put_state(w, &e->state);
	e->write = NULL;
	return vd_write_end(w);
}

/* One transaction's worth of new records. */
static int enter_new(struct vd_store *s, const struct vd_readers *readers, uint64_t control, bool *end)
{
	struct vd_page page = { 0 };
	struct entering e;
	size_t done = 0;
	int rc = entering_init(&e, s, readers, control);

	while (!rc && !page.end && done < BATCH_RECORDS) {
		rc = vd_page_read(s, NULL, VD_ANY_LANE, e.state.cursor, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			if (!page.entries[i].err)
				rc = enter_record(&e, vd_page_raw(&page, &page.entries[i]), page.entries[i].arrival, FRESH);
		}
		e.state.cursor = page.last;
		done += page.count;
	}
	*end = page.end;
	if (!rc)
		rc = entering_end(&e);
	entering_deinit(&e);
	vd_page_deinit(&page);
	return rc;
}

/* Looks again at the records of one list; `settle`: they leave it. */
static int enter_again(struct vd_store *s, const struct vd_readers *readers, uint64_t control, const char *use, bool settle)
{
	uint64_t arrivals[VD_PAGE_RECORDS], after = 0;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_buf raw = { 0 };
	size_t n = 0;
	int rc;

	vd_list_key(s, use, NULL, 0, list);
	do {
		struct entering e;

		rc = entering_init(&e, s, readers, control);
		if (!rc)
			rc = vd_list_read(s, VD_TABLE_LISTS, list, &after, arrivals, VD_PAGE_RECORDS, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			struct vd_record record;

			if (settle)
				vd_effects_entry_remove(&e.write->effects, VD_TABLE_LISTS, list, arrivals[i]);
			if (!vd_store_read(s, arrivals[i], &raw, &record, NULL))
				rc = enter_record(&e, record.raw, arrivals[i], settle ? WRITTEN_AGAIN : KEYS_CAME);
		}
		if (!rc)
			rc = entering_end(&e);
		entering_deinit(&e);
	} while (!rc && n == VD_PAGE_RECORDS);
	vd_buf_deinit(&raw);
	return rc;
}

/* After control records came: what is kept of everybody without a role. Done when it fitted into one transaction. */
static int accept_again(struct vd_store *s, const struct vd_readers *readers, uint64_t control, uint64_t opens)
{
	bool more = true;
	int rc = VD_OK;

	while (!rc && more) {
		size_t budget = BATCH_RECORDS;
		struct entering e;

		rc = entering_init(&e, s, readers, control);
		more = false;
		for (size_t i = 0; i < readers->count; i++) {
			struct vd_group *group = readers->groups[i];

			for (size_t at = 0; at < vd_group_device_count(group) && !rc; at++) {
				const struct vd_device *device = vd_group_device(group, at);

				if (device->role == VD_ROLE_NONE)
					rc = vd_followed_update(e.write, group, device->author, &budget, &more);
			}
		}
		if (!rc && !more) {
			e.state.control = control;
			e.state.opens = opens;
		}
		if (!rc)
			rc = entering_end(&e);
		entering_deinit(&e);
	}
	return rc;
}

struct behind {
	struct vd_index_state state;
	uint64_t latest, control;
	bool new_records, new_control, filled;
};

static int how_far(struct vd_store *s, struct behind *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t after = 0, one;
	size_t filled = 0;
	int rc = read_state(s, &out->state);

	if (!rc)
		rc = vd_store_latest(s, &out->latest);
	if (!rc)
		rc = vd_control_count(s, &out->control);
	vd_list_key(s, "filled", NULL, 0, list);
	if (!rc)
		rc = vd_list_read(s, VD_TABLE_LISTS, list, &after, &one, 1, &filled);
	out->new_records = out->state.cursor < out->latest;
	out->new_control = out->state.control != out->control;
	out->filled = filled;
	return rc;
}

int vd_index_current(struct vd_store *s, struct vd_index_state *state, bool *current)
{
	struct behind b;
	int rc = how_far(s, &b);

	*state = b.state;
	*current = !rc && !b.new_records && !b.new_control && !b.filled;
	return rc;
}

bool vd_index_waits(struct vd_store *s, uint64_t now_ms, uint64_t *since_ms)
{
	struct vd_page page = { 0 };
	struct behind b;
	bool may = false;

	if (how_far(s, &b) || !b.new_records || b.latest - b.state.cursor <= VD_INDEX_MANY)
		return false;
	if (!vd_page_read(s, NULL, VD_ANY_LANE, b.state.cursor, 1, false, &page) && page.count && !page.entries[0].err) {
		*since_ms = page.entries[0].received_ms;
		may = *since_ms <= now_ms && now_ms - *since_ms < VD_DAY_MS;
	}
	vd_page_deinit(&page);
	return may;
}

bool vd_index_may_wait(struct vd_store *s, uint64_t now_ms)
{
	uint64_t since_ms;

	return vd_index_waits(s, now_ms, &since_ms);
}

/* `again`: only what was there before, and was written again since. */
static int catch_up(struct vd_store *s, bool again)
{
	struct vd_readers readers = { 0 };
	uint64_t opens = 0;
	bool end = false;
	struct behind b;
	int rc = how_far(s, &b);

	if (rc || !(b.filled || (!again && (b.new_records || b.new_control))))
		return rc;
	rc = vd_readers_init(&readers, s, NULL);
	if (!rc && b.filled)
		rc = enter_again(s, &readers, b.control, "filled", true);
	if (again) {
		vd_readers_deinit(&readers);
		return rc;
	}
	if (!rc)
		rc = vd_readers_opens(&readers, s, &opens);
	if (!rc && b.new_control && b.state.opens != opens)
		rc = enter_again(s, &readers, b.control, "unopened", false);
	while (!rc && !end && b.new_records)
		rc = enter_new(s, &readers, b.control, &end);
	if (!rc)
		rc = read_state(s, &b.state);
	if (!rc && b.state.control != b.control)
		rc = accept_again(s, &readers, b.control, opens);
	vd_readers_deinit(&readers);
	return rc;
}

static int try_to_catch_up(struct vd_store *s, bool again)
{
	int rc = VD_EAGAIN;

	for (int i = 0; i < TRIES && rc == VD_EAGAIN; i++)
		rc = catch_up(s, again);
	return rc == VD_EAGAIN ? VD_EBUSY : rc;
}

int vd_index_catch_up(struct vd_store *s)
{
	return try_to_catch_up(s, false);
}

int vd_index_settle(struct vd_store *s)
{
	return try_to_catch_up(s, true);
}
