#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "inside.h"
#include "standing.h"
#include "proto/err.h"

enum { DAYS_MAX = 1500 }; /* of a range looked up day by day; a longer one walks */

struct match {
	uint64_t time_ms;  /* author's, capped at arrival time: no wrong clock jumps ahead of everybody for ever */
	uint8_t author[VD_KEY_BYTES], lane;
	bool hidden;       /* by its standing: history leads through it all the same */
	uint64_t seq;
	uint64_t arrival;
	struct vd_id id;
};

struct query {
	struct vd_store *store;
	const struct vd_query *asked;
	const struct vd_id *replaced;  /* candidates must replace this one; NULL: need not */
	struct vd_readers readers;
	struct vd_standings standings;
	struct match *matches;
	size_t count, cap;
	bool opened;       /* the index at hand lists only what could be opened once */
	bool damaged;      /* something stored was not what it must be: all the rest is handed over first */
	struct vd_buf raw, body, needle, hay;
};

/* --- search: ASCII case and common accents folded --- */

/* Base letters of U+00C0 to U+017F; '.' stands for one that folds to nothing else. */
static const char base_letters[] =
	"aaaaaaaceeeeiiiidnooooo.ouuuuy.s"
	"aaaaaaaceeeeiiiidnooooo.ouuuuy.y"
	"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllll"
	"llnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static void fold(struct vd_slice text, struct vd_buf *out)
{
	_Static_assert(sizeof(base_letters) == 0x180 - 0xc0 + 1, "one letter each");
	vd_buf_reset(out);
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		unsigned code;

		if (c >= 'A' && c <= 'Z')
			c = (uint8_t)(c | 0x20);
		if (c < 0xc3 || c > 0xcd || i + 1 == text.n) {
			vd_buf_put_u8(out, c);
			continue;
		}
		code = (c & 0x1fu) << 6 | (text.p[i + 1] & 0x3fu);
		if (code >= 0x300 && code < 0x370) {
			i++; /* a combining accent: what it stands on is there already */
		} else if (code >= 0xc0 && code < 0x180 && base_letters[code - 0xc0] != '.') {
			vd_buf_put_u8(out, (uint8_t)base_letters[code - 0xc0]);
			i++;
		} else {
			vd_buf_put_u8(out, c);
		}
	}
}

static bool holds(struct query *q, struct vd_slice text)
{
	fold(text, &q->hay);
	return !q->needle.n || (q->hay.n && memmem(q->hay.p, q->hay.n, q->needle.p, q->needle.n));
}

static bool text_matches(struct query *q, const struct vd_content *content)
{
	for (uint32_t i = 0; i < content->count; i++) {
		const struct vd_value *value = &content->fields[i].value;
		struct vd_value item;
		struct vd_rd items;

		if (value->type == VD_MP_STR && holds(q, value->bytes))
			return true;
		if (value->type != VD_MP_ARRAY)
			continue;
		items = vd_value_items(value);
		while (vd_value_next(&items, &item)) {
			if (item.type == VD_MP_STR && holds(q, item.bytes))
				return true;
		}
	}
	return false;
}

/* --- one record --- */

static bool content_matches(struct query *q, const struct vd_content *content)
{
	const struct vd_query *asked = q->asked;

	if (asked->kind && !vd_slice_eq(content->kind, vd_slice_str(asked->kind)))
		return false;
	if (asked->about) {
		const struct vd_value *about = vd_content_get(content, "about", VD_MP_BIN, VD_ID_BYTES);

		if (!about || memcmp(about->bytes.p, asked->about->b, VD_ID_BYTES))
			return false;
	}
	if (q->replaced) {
		struct vd_rd ids = vd_replaced(content);
		bool named = false;
		struct vd_id id;

		while (!named && vd_replaced_next(&ids, &id))
			named = !memcmp(id.b, q->replaced->b, VD_ID_BYTES);
		if (!named)
			return false;
	}
	return !asked->search || text_matches(q, content);
}

static bool header_matches(const struct query *q, struct vd_group *group, const struct vd_record *record)
{
	const struct vd_query *asked = q->asked;

	if (record->lane == VD_LANE_CONTROL && !asked->control)
		return false;
	if (asked->group && memcmp(asked->group, record->group, VD_GROUP_BYTES))
		return false;
	if ((asked->has_since && record->time_ms < asked->since_ms) ||
	    (asked->has_until && record->time_ms >= asked->until_ms))
		return false;
	if (asked->author && memcmp(asked->author, record->author, VD_KEY_BYTES))
		return false;
	if (asked->person) {
		const struct vd_device *device = vd_group_find(group, record->author);

		if (!device || memcmp(device->person, asked->person, VD_PERSON_BYTES))
			return false;
	}
	return true;
}

/* Opens the body into q->body; the code of why not. */
static int open_content(struct query *q, struct vd_group *group, const struct vd_record *record,
                        struct vd_content *out)
{
	int rc;

	vd_buf_reset(&q->body);
	rc = vd_group_open_body(group, record, &q->body);
	return rc ? rc : vd_content_decode(vd_buf_slice(&q->body), out);
}

/* Is it to be shown, as it stands? */
static int stands(struct query *q, struct vd_group *group, uint64_t arrival, const struct vd_record *record, bool *out)
{
	struct vd_judged judged;
	int rc;

	*out = q->asked->hidden && !q->asked->quarantined;
	if (*out)
		return VD_OK;
	rc = vd_standing_of(&q->standings, group, arrival, record, &judged);
	*out = judged.standing == (q->asked->quarantined ? VD_STANDING_QUARANTINED : VD_STANDING_SHOWN);
	return rc;
}

static bool considered(const struct query *q, uint64_t arrival)
{
	for (size_t i = 0; i < q->count; i++) {
		if (q->matches[i].arrival == arrival)
			return true;
	}
	return false;
}

/* A device that is taken to have been a courier all along. */
static bool opens_nothing(struct vd_group *group)
{
	const struct vd_identity *self = vd_group_identity(group);
	const struct vd_device *device = self ? vd_group_find(group, self->author) : NULL;

	return device && device->most == VD_ROLE_COURIER;
}

static int consider(struct query *q, uint64_t arrival, uint64_t received_ms, const struct vd_id *id,
                    struct vd_slice raw)
{
	const struct vd_query *asked = q->asked;
	struct vd_content content;
	struct vd_record record;
	struct vd_group *group;
	struct vd_part part;
	struct match *match;
	bool shown;
	int rc;

	if (arrival <= asked->after || (q->replaced && considered(q, arrival)))
		return VD_OK;
	if (vd_record_decode(raw, &record) || memcmp(record.id.b, id->b, VD_ID_BYTES)) {
		q->damaged = true;
		return VD_OK;
	}
	group = vd_readers_find(&q->readers, record.group);
	if (!group || !header_matches(q, group, &record))
		return VD_OK;
	if ((vd_record_hands_keys(&record) && !asked->kind) || vd_record_part(&record, &part))
		return VD_OK; /* says nothing to people */
	rc = stands(q, group, arrival, &record, &shown);
	if (rc || (!shown && !asked->history))
		return rc;
	if (asked->kind || asked->about || asked->search || q->replaced) {
		rc = open_content(q, group, &record, &content);
		q->damaged |= rc == VD_EKEY && q->opened && !opens_nothing(group); /* a key is never given back: its record is spoilt */
		if (rc || !content_matches(q, &content))
			return VD_OK;
	}
	if (!vd_room(&q->matches, q->count, &q->cap, 256, sizeof(*q->matches)))
		return VD_ENOMEM;
	match = &q->matches[q->count++];
	*match = (struct match){ .time_ms = record.time_ms < received_ms ? record.time_ms : received_ms,
		                 .lane = record.lane, .hidden = !shown, .seq = record.seq, .arrival = arrival, .id = record.id };
	memcpy(match->author, record.author, sizeof(match->author));
	return VD_OK;
}

/* --- where to look --- */

static int consider_list(struct query *q, enum vd_index_use use, const uint8_t *group, struct vd_slice what)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = q->asked->after;
	struct vd_reading reading = { 0 };
	MDB_cursor *cursor = NULL;
	MDB_txn *txn;
	int rc = vd_db_read(q->store->db, &txn);

	if (rc)
		return rc;
	q->standings.txn = txn;
	q->opened = use == VD_INDEX_KIND || use == VD_INDEX_ABOUT || use == VD_INDEX_REPLACES;
	vd_index_list(q->store, use, group, what, list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(q->store->db, VD_TABLE_INDEX), &cursor));
	while (!rc && !(rc = vd_list_next(cursor, list, &arrival))) {
		struct vd_stored stored;

		rc = vd_stored_get(q->store, txn, arrival, &reading, &stored);
		if (!rc) {
			rc = consider(q, arrival, stored.received_ms, &stored.id, stored.raw);
		} else if (rc != VD_ENOMEM) {
			q->damaged = true;
			rc = VD_OK;
		}
	}
	if (cursor)
		mdb_cursor_close(cursor);
	q->standings.txn = NULL;
	vd_db_done(q->store->db, txn);
	vd_reading_wipe(&reading);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int consider_groups(struct query *q, enum vd_index_use use, struct vd_slice what)
{
	int rc = VD_OK;

	for (size_t i = 0; i < q->readers.count && !rc; i++)
		rc = consider_list(q, use, vd_group_id(q->readers.groups[i]), what);
	return rc;
}

/* What is in quarantine is of people without a role. */
static int consider_removed(struct query *q)
{
	int rc = VD_OK;

	for (size_t i = 0; i < q->readers.count; i++) {
		struct vd_group *group = q->readers.groups[i];

		for (size_t at = 0; at < vd_group_device_count(group) && !rc; at++) {
			const struct vd_device *device = vd_group_device(group, at);

			if (device->role == VD_ROLE_NONE)
				rc = consider_list(q, VD_INDEX_AUTHOR, vd_group_id(group), vd_slice(device->author, VD_KEY_BYTES));
		}
	}
	return rc;
}

static int consider_days(struct query *q, uint64_t first, uint64_t last)
{
	int rc = VD_OK;

	for (uint64_t day = first; day <= last && !rc; day++) {
		uint8_t what[8];

		vd_set_u64(what, day);
		rc = consider_groups(q, VD_INDEX_DAY, vd_slice(what, sizeof(what)));
	}
	return rc;
}

static int consider_all(struct query *q)
{
	struct vd_page page = { .last = q->asked->after };
	int rc = VD_OK;

	while (!rc && !page.end) {
		rc = vd_page_read(q->store, q->asked->group, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			if (page.entries[i].err)
				q->damaged = true;
			else
				rc = consider(q, page.entries[i].arrival, page.entries[i].received_ms,
				              &page.entries[i].id, vd_page_raw(&page, &page.entries[i]));
		}
	}
	vd_page_deinit(&page);
	return rc;
}

/* --- history --- */

/* Adds a record by its id. One that is not here, or cannot be read, has no more history to tell. */
static int consider_one(struct query *q, const struct vd_id *id)
{
	uint64_t arrival, received_ms;
	struct vd_record record;
	int rc = vd_store_find(q->store, id, &arrival);

	if (!rc && considered(q, arrival))
		return VD_OK;
	if (!rc)
		rc = vd_store_read(q->store, arrival, &q->raw, &record, &received_ms);
	if (!rc)
		rc = consider(q, arrival, received_ms, &record.id, record.raw);
	q->damaged |= rc == VD_EDAMAGED;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Adds what one of the records found says it replaces. */
static int consider_replaced(struct query *q, const struct match *match)
{
	struct vd_content content;
	struct vd_id ids[VD_LIST_MAX];
	struct vd_record record;
	struct vd_group *group;
	struct vd_rd items;
	size_t n = 0;
	int rc = vd_store_read(q->store, match->arrival, &q->raw, &record, NULL);

	q->damaged |= rc == VD_EDAMAGED;
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	group = vd_readers_find(&q->readers, record.group);
	if (!group || open_content(q, group, &record, &content))
		return VD_OK;
	for (items = vd_replaced(&content); n < VD_LIST_MAX && vd_replaced_next(&items, &ids[n]);)
		n++;
	for (size_t i = 0; i < n && !rc; i++)
		rc = consider_one(q, &ids[i]);
	return rc;
}

/* From record to record, both ways, until nothing is added; all within the group of the first. */
static int consider_history(struct query *q)
{
	const struct vd_query *asked = q->asked;
	struct vd_query narrow = *asked;
	struct vd_record first;
	uint64_t arrival;
	int rc = vd_store_find(q->store, asked->history, &arrival);

	if (!rc)
		rc = vd_store_read(q->store, arrival, &q->raw, &first, NULL);
	q->damaged |= rc == VD_EDAMAGED;
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	if (!narrow.group)
		narrow.group = first.group;
	q->asked = &narrow;
	rc = consider_one(q, asked->history);
	for (size_t i = 0; i < q->count && !rc; i++) {
		struct match match = q->matches[i];

		rc = consider_replaced(q, &match);
		q->replaced = &match.id;
		if (!rc)
			rc = consider_list(q, VD_INDEX_REPLACES, NULL, vd_slice(match.id.b, VD_ID_BYTES));
		q->replaced = NULL;
	}
	q->asked = asked;
	return rc;
}

/* The narrowest index that answers; every candidate is compared with all that was asked anyway. */
static int look_in_index(struct query *q, const struct vd_index_state *state)
{
	const struct vd_query *asked = q->asked;
	uint64_t first, last;

	if (asked->history)
		return consider_history(q);
	if (asked->about)
		return consider_list(q, VD_INDEX_ABOUT, NULL, vd_slice(asked->about->b, VD_ID_BYTES));
	if (asked->author)
		return consider_groups(q, VD_INDEX_AUTHOR, vd_slice(asked->author, VD_KEY_BYTES));
	if (asked->quarantined)
		return consider_removed(q);
	if (asked->kind)
		return consider_groups(q, VD_INDEX_KIND, vd_slice_str(asked->kind));
	if (!asked->has_since && !asked->has_until)
		return consider_all(q);
	first = state->first_day;
	if (asked->has_since && asked->since_ms / VD_DAY_MS > first)
		first = asked->since_ms / VD_DAY_MS;
	last = state->last_day;
	if (asked->has_until && asked->until_ms / VD_DAY_MS < last)
		last = asked->until_ms / VD_DAY_MS;
	if (first > last)
		return VD_OK;
	return last - first < DAYS_MAX ? consider_days(q, first, last) : consider_all(q);
}

static int look(struct query *q)
{
	struct vd_index_state state;
	int caught_up = vd_index_catch_up(q->store), rc;

	rc = vd_standings_init(&q->standings, q->store);
	if (rc)
		return rc;
	if (!caught_up)
		caught_up = vd_index_state(q->store, &state);
	q->damaged |= caught_up == VD_EDAMAGED;
	if (!caught_up)
		return look_in_index(q, &state);
	/* Neither keeps anybody from reading. */
	if (caught_up != VD_ENOSPACE && caught_up != VD_EIO && caught_up != VD_EBUSY && caught_up != VD_EDAMAGED)
		return caught_up;
	return q->asked->history ? consider_history(q) : consider_all(q);
}

/* --- handing over --- */

/* An author's times never go back, so that within one millisecond seq tells what came after what. */
static int by_time(const void *x, const void *y)
{
	const struct match *a = x, *b = y;
	int order;

	if (a->time_ms != b->time_ms)
		return a->time_ms < b->time_ms ? -1 : 1;
	order = memcmp(a->author, b->author, sizeof(a->author));
	if (order)
		return order;
	if (a->lane != b->lane)
		return a->lane < b->lane ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	order = memcmp(a->id.b, b->id.b, VD_ID_BYTES);
	return order ? order : a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

static int hand_over(struct query *q, uint64_t arrival, int (*visit)(void *ctx, const struct vd_found *), void *ctx)
{
	struct vd_found found = { .arrival = arrival };
	struct vd_judged judged = { 0 };
	struct vd_content content;
	struct vd_record record;
	int rc = vd_store_read(q->store, arrival, &q->raw, &record, &found.received_ms);

	if (rc)
		return rc;
	found.record = &record;
	found.group = vd_readers_find(&q->readers, record.group);
	if (found.group)
		rc = vd_standing_of(&q->standings, found.group, arrival, &record, &judged);
	if (rc)
		return rc;
	found.standing = judged.standing;
	found.review = judged.review;
	found.redaction = judged.redaction;
	found.body = found.group ? open_content(q, found.group, &record, &content) : VD_EGROUP;
	if (found.body == VD_ENOMEM)
		return VD_ENOMEM;
	found.content = found.body ? NULL : &content;
	found.gone = VD_GONE_NOT;
	if (record.stub)
		rc = vd_store_gone(q->store, arrival, &found.gone);
	return rc ? rc : visit(ctx, &found);
}

static void query_deinit(struct query *q)
{
	vd_standings_deinit(&q->standings);
	vd_readers_deinit(&q->readers);
	free(q->matches);
	vd_buf_deinit(&q->raw);
	vd_buf_wipe(&q->body);
	vd_buf_wipe(&q->needle);
	vd_buf_wipe(&q->hay);
}

/* What only led from one shown to another goes before the newest are counted. */
static void drop_hidden(struct query *q)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->count; i++) {
		if (!q->matches[i].hidden)
			q->matches[kept++] = q->matches[i];
	}
	q->count = kept;
}

int vd_query(struct vd_store *s, const struct vd_query *asked, int (*visit)(void *ctx, const struct vd_found *),
             void *ctx)
{
	struct query q = { .store = s, .asked = asked };
	size_t first = 0;
	int rc = vd_readers_init(&q.readers, s, asked->group);

	if (!rc && asked->search) {
		fold(vd_slice_str(asked->search), &q.needle);
		rc = vd_buf_check(&q.needle);
	}
	if (!rc)
		rc = look(&q);
	drop_hidden(&q);
	if (!rc && q.count)
		qsort(q.matches, q.count, sizeof(*q.matches), by_time);
	if (asked->limit && q.count > asked->limit)
		first = q.count - asked->limit;
	for (size_t i = first; i < q.count && !rc; i++) {
		rc = hand_over(&q, q.matches[i].arrival, visit, ctx);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED) {
			q.damaged = true; /* the others must not suffer */
			rc = VD_OK;
		}
	}
	if (!rc && q.damaged)
		rc = VD_EDAMAGED;
	query_deinit(&q);
	return rc;
}

int vd_query_one(struct vd_store *s, uint64_t arrival, int (*visit)(void *ctx, const struct vd_found *), void *ctx)
{
	struct query q = { .store = s };
	int rc = vd_index_catch_up(s);

	if (rc == VD_ENOMEM)
		return rc; /* whatever else: what the index does not know is looked up */
	rc = vd_readers_init(&q.readers, s, NULL);
	if (!rc)
		rc = vd_standings_init(&q.standings, s);
	if (!rc)
		rc = hand_over(&q, arrival, visit, ctx);
	query_deinit(&q);
	return rc;
}
