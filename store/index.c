#include "index.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum { STATE_BYTES = 4 * 8, BATCH_RECORDS = 16384 };

/* The value "index". */
static int read_state(struct vd_store *s, struct vd_index_state *out)
{
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc = vd_value_read(s, "index", NULL, 0, &value);

	*out = (struct vd_index_state){ .first_day = UINT64_MAX };
	if (rc == VD_ENOTFOUND)
		return VD_OK;
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		out->cursor = vd_rd_u64(&r);
		out->control = vd_rd_u64(&r);
		out->first_day = vd_rd_u64(&r);
		out->last_day = vd_rd_u64(&r);
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
	vd_effects_value(&w->effects, w->store, "index", NULL, 0, vd_slice(value, sizeof(value)));
}

int vd_index_state(struct vd_store *s, struct vd_index_state *out)
{
	return read_state(s, out);
}

/* --- the groups whose bodies we may open --- */

void vd_readers_deinit(struct vd_readers *r)
{
	for (size_t i = 0; i < r->count; i++)
		vd_group_free(r->groups[i]);
	*r = (struct vd_readers){ 0 };
}

int vd_readers_init(struct vd_readers *r, struct vd_store *s, const uint8_t *only)
{
	uint8_t ids[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;
	int rc = vd_store_groups(s, ids, &count);

	r->count = 0;
	for (size_t i = 0; i < count && !rc; i++) {
		if (only && memcmp(only, ids[i], VD_GROUP_BYTES))
			continue;
		rc = vd_store_group(s, ids[i], &r->groups[r->count]);
		if (!rc)
			r->count++;
	}
	if (rc)
		vd_readers_deinit(r);
	return rc;
}

struct vd_group *vd_readers_find(const struct vd_readers *r, const uint8_t group[VD_GROUP_BYTES])
{
	for (size_t i = 0; i < r->count; i++) {
		if (!memcmp(vd_group_id(r->groups[i]), group, VD_GROUP_BYTES))
			return r->groups[i];
	}
	return NULL;
}

/* --- entries --- */

void vd_index_list(const struct vd_store *s, enum vd_index_use use, const uint8_t *group, struct vd_slice what,
                   uint8_t list[VD_LIST_KEY_BYTES])
{
	static const char *const names[] = { "id", "author", "day", "kind", "about", "replaces" };
	struct vd_slice parts[] = { vd_slice(group, group ? VD_GROUP_BYTES : 0), what };

	vd_list_key(s, names[use], parts, 2, list);
}

/* The last key of each use: most records share day, kind and author with the one before. */
struct memo {
	struct {
		bool set;
		uint8_t group[VD_GROUP_BYTES];
		uint8_t what[VD_KEY_BYTES];
		size_t n;
		uint8_t list[VD_LIST_KEY_BYTES];
	} last[VD_INDEX_USES];
};

static void enter(struct vd_write *w, struct memo *memo, enum vd_index_use use, const uint8_t *group,
                  struct vd_slice what, uint64_t arrival)
{
	uint8_t nobody[VD_GROUP_BYTES] = { 0 };
	const uint8_t *id = group ? group : nobody;

	_Static_assert(VD_KIND_MAX <= VD_KEY_BYTES, "a kind fits the memo");
	if (!memo->last[use].set || memo->last[use].n != what.n || memcmp(memo->last[use].what, what.p, what.n) ||
	    memcmp(memo->last[use].group, id, VD_GROUP_BYTES)) {
		memo->last[use].set = true;
		memo->last[use].n = what.n;
		memcpy(memo->last[use].what, what.p, what.n);
		memcpy(memo->last[use].group, id, VD_GROUP_BYTES);
		vd_index_list(w->store, use, group, what, memo->last[use].list);
	}
	vd_effects_entry(&w->effects, VD_TABLE_INDEX, memo->last[use].list, arrival);
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

/* What the body says: kind, about and replaces. A body that does not open now may do so when keys or the body itself come. */
static int enter_content(struct vd_write *w, struct memo *memo, struct vd_group *group,
                         const struct vd_record *record, uint64_t arrival, struct vd_buf *room)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	const struct vd_value *about;
	struct vd_content content;
	struct vd_rd replaced;
	struct vd_id id;
	int rc;

	vd_buf_reset(room);
	unopened_list(w->store, list);
	rc = vd_group_open_body(group, record, room);
	if (rc == VD_ENOMEM)
		return rc;
	if (rc == VD_EKEY) {
		vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, arrival);
		return VD_OK;
	}
	vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrival);
	if (rc || vd_content_decode(vd_buf_slice(room), &content))
		return VD_OK; /* unreadable for ever, or a stub: then `filled` will tell */
	enter(w, memo, VD_INDEX_KIND, record->group, content.kind, arrival);
	about = vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES);
	if (about)
		enter(w, memo, VD_INDEX_ABOUT, NULL, about->bytes, arrival);
	for (replaced = vd_replaced(&content); vd_replaced_next(&replaced, &id);)
		enter(w, memo, VD_INDEX_REPLACES, NULL, vd_slice(id.b, VD_ID_BYTES), arrival);
	return VD_OK;
}

static int enter_record(struct vd_write *w, struct memo *memo, const struct vd_readers *readers,
                        struct vd_slice raw, uint64_t arrival, struct vd_index_state *state,
                        struct vd_buf *room)
{
	struct vd_record record;
	struct vd_group *group;
	uint8_t day[8];
	uint64_t number;

	if (vd_record_decode(raw, &record))
		return VD_OK; /* spoilt: `check` tells */
	group = vd_readers_find(readers, record.group);
	number = record.time_ms / VD_DAY_MS;
	vd_set_u64(day, number);
	if (number < state->first_day)
		state->first_day = number;
	if (number > state->last_day)
		state->last_day = number;
	enter(w, memo, VD_INDEX_ID, NULL, vd_slice(record.id.b, VD_INDEX_ID_PREFIX), arrival);
	enter(w, memo, VD_INDEX_AUTHOR, record.group, vd_slice(record.author, VD_KEY_BYTES), arrival);
	enter(w, memo, VD_INDEX_DAY, record.group, vd_slice(day, sizeof(day)), arrival);
	return group ? enter_content(w, memo, group, &record, arrival, room) : VD_OK;
}

/* --- catching up --- */

/* Control records over all groups: when they grew, so may have our keys. */
static int control_count(struct vd_store *s, uint64_t *out)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_lane_state lane;
	size_t count;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*out = 0;
	if (rc)
		return rc;
	rc = vd_memberships(s, txn, in, &count);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = vd_lane_read(s, txn, in[i].group, VD_LANE_CONTROL, &lane, NULL, 0);
		*out += lane.digest.count;
	}
	vd_db_done(s->db, txn);
	return rc;
}

/* Arrivals on one of the lists of what must be looked at again, at most `max`. */
static int on_list(struct vd_store *s, const char *use, uint64_t *after, uint64_t *out, size_t max, size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*n = 0;
	if (rc)
		return rc;
	vd_list_key(s, use, NULL, 0, list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor));
	if (!rc) {
		while (*n < max && !(rc = vd_list_next(cursor, list, after)))
			out[(*n)++] = *after;
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* One transaction's worth of new records. */
static int enter_new(struct vd_store *s, const struct vd_readers *readers, struct vd_index_state *state, bool *end)
{
	struct vd_page page = { 0 };
	struct vd_buf room = { 0 };
	struct memo memo = { 0 };
	struct vd_write *w;
	size_t done = 0;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = read_state(s, state); /* another process may have been here */
	while (!rc && !page.end && done < BATCH_RECORDS) {
		rc = vd_page_read(s, NULL, VD_ANY_LANE, state->cursor, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			const struct vd_page_entry *entry = &page.entries[i];

			if (!entry->err)
				rc = enter_record(w, &memo, readers, vd_page_raw(&page, entry), entry->arrival,
				                  state, &room);
		}
		state->cursor = page.last;
		done += page.count;
	}
	*end = page.end;
	if (!rc)
		put_state(w, state);
	if (rc)
		vd_write_abort(w);
	else
		rc = vd_write_end(w);
	vd_page_deinit(&page);
	vd_buf_wipe(&room);
	return rc;
}

/* Looks again at the records of one list; `settle`: they leave it. */
static int enter_again(struct vd_store *s, const struct vd_readers *readers, const char *use, bool settle,
                       uint64_t control)
{
	uint64_t arrivals[VD_PAGE_RECORDS], after = 0;
	struct vd_buf room = { 0 }, raw = { 0 };
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_index_state state;
	struct memo memo = { 0 };
	struct vd_write *w;
	size_t n = 0;
	int rc;

	vd_list_key(s, use, NULL, 0, list);
	do {
		rc = vd_write_begin(s, &w);
		if (rc)
			break;
		rc = read_state(s, &state);
		if (!rc)
			rc = on_list(s, use, &after, arrivals, VD_PAGE_RECORDS, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			struct vd_record record;

			if (settle)
				vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrivals[i]);
			if (!vd_store_read(s, arrivals[i], &raw, &record, NULL))
				rc = enter_record(w, &memo, readers, record.raw, arrivals[i], &state, &room);
		}
		if (!rc && n < VD_PAGE_RECORDS && !settle)
			state.control = control;
		if (!rc)
			put_state(w, &state);
		if (rc)
			vd_write_abort(w);
		else
			rc = vd_write_end(w);
	} while (!rc && n == VD_PAGE_RECORDS);
	vd_buf_wipe(&room);
	vd_buf_deinit(&raw);
	return rc;
}

int vd_index_catch_up(struct vd_store *s)
{
	uint64_t latest, control, one, after = 0;
	struct vd_readers readers = { 0 };
	struct vd_index_state state;
	bool end = false;
	size_t filled;
	int rc = read_state(s, &state);

	if (!rc)
		rc = vd_store_latest(s, &latest);
	if (!rc)
		rc = control_count(s, &control);
	if (!rc)
		rc = on_list(s, "filled", &after, &one, 1, &filled);
	if (rc || (state.cursor >= latest && state.control == control && !filled))
		return rc;
	rc = vd_readers_init(&readers, s, NULL);
	if (!rc && filled)
		rc = enter_again(s, &readers, "filled", true, control);
	if (!rc && state.control != control)
		rc = enter_again(s, &readers, "unopened", false, control);
	while (!rc && !end && state.cursor < latest)
		rc = enter_new(s, &readers, &state, &end);
	vd_readers_deinit(&readers);
	return rc;
}
