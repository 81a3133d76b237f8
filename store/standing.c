/* What counts of what people wrote: quarantine, redactions that hold, and what a role allowed (PROTOCOL.md section 6). Nothing of it is
 * stored with a record: it is asked of the group as it is now, and so changes back by itself. */
#include <stdlib.h>
#include <string.h>

#include "standing.h"
#include "proto/err.h"

enum { WEIGHED_MAX = 16 }; /* redactions of one record by one author, the first that came */

/* Records of the group that some redaction names: hardly ever more than a few. */
struct vd_standing_group {
	struct vd_group *group;
	struct vd_arrivals redacted;
};

struct vd_standing_removed {
	const struct vd_group *group;
	uint8_t author[VD_KEY_BYTES];
	struct vd_arrivals accepted;
};

struct vd_standing_late {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_id redacted;
	uint64_t arrival;
};

bool vd_is_redaction(const struct vd_record *record, struct vd_id *redacted)
{
	return record->lane == VD_LANE_URGENT && vd_record_redacts(record, redacted);
}

bool vd_is_redactable(const struct vd_record *record)
{
	struct vd_id ignored;

	return record->lane != VD_LANE_CONTROL && !vd_is_redaction(record, &ignored);
}

/* --- starting and ending --- */

static int add_late(struct vd_standings *st, const struct vd_record *record, const struct vd_id *redacted, uint64_t arrival)
{
	struct vd_standing_late *late = reallocarray(st->late, st->late_count + 1, sizeof(*late));

	if (!late)
		return VD_ENOMEM;
	st->late = late;
	late += st->late_count++;
	*late = (struct vd_standing_late){ .redacted = *redacted, .arrival = arrival };
	memcpy(late->group, record->group, VD_GROUP_BYTES);
	return VD_OK;
}

/* The index could not be written: what came since is looked through, so that what was redacted is hidden all the same. */
static int find_late(struct vd_standings *st, uint64_t cursor)
{
	struct vd_page page = { .last = cursor };
	int rc = VD_OK;

	while (!rc && !page.end) {
		rc = vd_page_read(st->store, NULL, VD_LANE_URGENT, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			struct vd_record record;
			struct vd_id redacted;

			if (!page.entries[i].err && !vd_record_decode(vd_page_raw(&page, &page.entries[i]), &record) &&
			    vd_is_redaction(&record, &redacted))
				rc = add_late(st, &record, &redacted, page.entries[i].arrival);
		}
	}
	vd_page_deinit(&page);
	return rc;
}

int vd_standings_init(struct vd_standings *st, struct vd_store *s)
{
	struct vd_index_state state = { 0 };
	int rc;

	*st = (struct vd_standings){ .store = s };
	rc = vd_index_current(s, &state, &st->current);
	if (rc == VD_EDAMAGED) {
		state.cursor = 0;
		st->current = false;
		rc = VD_OK;
	}
	st->cursor = st->current ? UINT64_MAX : state.cursor;
	return rc || st->current ? rc : find_late(st, state.cursor);
}

void vd_standings_deinit(struct vd_standings *st)
{
	for (size_t i = 0; i < st->group_count; i++)
		vd_arrivals_deinit(&st->groups[i].redacted);
	for (size_t i = 0; i < st->removed_count; i++)
		vd_arrivals_deinit(&st->removed[i].accepted);
	free(st->groups);
	free(st->removed);
	free(st->late);
	vd_reading_wipe(&st->reading);
	*st = (struct vd_standings){ 0 };
}

static int txn_open(const struct vd_standings *st, MDB_txn **txn)
{
	*txn = st->txn;
	return st->txn ? VD_OK : vd_db_read(st->store->db, txn);
}

static void txn_close(const struct vd_standings *st, MDB_txn *txn)
{
	if (txn != st->txn)
		vd_db_done(st->store->db, txn);
}

/* --- what is read when first needed --- */

static int read_redacted(const struct vd_standings *st, struct vd_group *group, struct vd_arrivals *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = txn_open(st, &txn);

	if (rc)
		return rc;
	vd_group_list(st->store, "redacted", vd_group_id(group), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(st->store->db, VD_TABLE_LISTS), &cursor));
	if (!rc) {
		while (!(rc = vd_list_next(cursor, list, &arrival)) && !(rc = vd_arrivals_add(out, arrival, false)))
			;
		mdb_cursor_close(cursor);
	}
	txn_close(st, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int group_of(struct vd_standings *st, struct vd_group *group, const struct vd_standing_group **out)
{
	struct vd_standing_group *groups;
	int rc;

	for (size_t i = 0; i < st->group_count; i++) {
		*out = &st->groups[i];
		if (st->groups[i].group == group)
			return VD_OK;
	}
	groups = reallocarray(st->groups, st->group_count + 1, sizeof(*groups));
	if (!groups)
		return VD_ENOMEM;
	st->groups = groups;
	groups += st->group_count;
	*groups = (struct vd_standing_group){ .group = group };
	rc = read_redacted(st, group, &groups->redacted);
	if (rc)
		vd_arrivals_deinit(&groups->redacted);
	else
		st->group_count++;
	*out = groups;
	return rc;
}

static int accepted_of(struct vd_standings *st, struct vd_group *group, const uint8_t *author, const struct vd_arrivals **out)
{
	struct vd_standing_removed *removed;
	MDB_txn *txn;
	int rc;

	for (size_t i = st->removed_count; i-- > 0;) {
		*out = &st->removed[i].accepted;
		if (st->removed[i].group == group && !memcmp(st->removed[i].author, author, VD_KEY_BYTES))
			return VD_OK;
	}
	removed = reallocarray(st->removed, st->removed_count + 1, sizeof(*removed));
	if (!removed)
		return VD_ENOMEM;
	st->removed = removed;
	removed += st->removed_count;
	*removed = (struct vd_standing_removed){ .group = group };
	memcpy(removed->author, author, VD_KEY_BYTES);
	rc = txn_open(st, &txn);
	if (rc)
		return rc;
	rc = vd_followed(st->store, txn, group, author, st->current, &removed->accepted);
	txn_close(st, txn);
	if (!rc)
		st->removed_count++;
	*out = &removed->accepted;
	return rc;
}

/* A run of records is mostly of one author. NULL: nobody ever admitted them, as far as is known. */
static const struct vd_device *author_of(struct vd_standings *st, struct vd_group *group, const uint8_t *author)
{
	if (st->last_group != group || memcmp(st->last_author, author, VD_KEY_BYTES)) {
		st->last = vd_group_find(group, author);
		st->last_group = group;
		memcpy(st->last_author, author, VD_KEY_BYTES);
	}
	return st->last;
}

/* --- quarantine --- */

static int quarantined(struct vd_standings *st, struct vd_group *group, const struct vd_device *author, uint64_t arrival,
                       const struct vd_record *record, enum vd_review *review, bool *out)
{
	const struct vd_arrivals *accepted;
	int rc;

	*out = false;
	*review = VD_REVIEW_NONE;
	if (author && author->role != VD_ROLE_NONE)
		return VD_OK;
	*review = vd_group_reviewed(group, &record->id);
	*out = *review == VD_REVIEW_LEFT;
	if (*review != VD_REVIEW_NONE)
		return VD_OK;
	rc = accepted_of(st, group, record->author, &accepted);
	*out = !rc && !vd_arrivals_held(accepted, arrival);
	return rc;
}

/* --- redaction --- */

struct redacting {
	struct vd_standings *st;
	struct vd_group *group;
	const struct vd_record *record;
	const struct vd_id *what;      /* itself, or what it is a chunk of */
	const struct vd_device *author; /* of the record */
	MDB_txn *txn;
	uint64_t time_ms;              /* of the one in `out` */
	size_t holding;                /* by one author */
	struct vd_judged *out;
};

static bool may_redact(const struct redacting *r, const struct vd_device *who)
{
	return who->most == VD_ROLE_COORDINATOR || !memcmp(who->author, r->record->author, VD_KEY_BYTES) ||
	       (r->author && !memcmp(who->person, r->author->person, VD_PERSON_BYTES));
}

/* One redaction that is stored under that number, if it is what it must be. */
static int weigh(struct redacting *r, uint64_t arrival)
{
	struct vd_standings *st = r->st;
	const struct vd_device *who;
	struct vd_stored stored;
	struct vd_record record;
	struct vd_id redacted;
	enum vd_review review;
	uint64_t since_ms;
	bool sleeps;
	int rc = vd_stored_get(st->store, r->txn, arrival, &st->reading, &stored);

	if (rc)
		return rc == VD_ENOMEM ? rc : VD_OK; /* spoilt or dropped: `check` tells */
	if (vd_stored_view(&stored, &record) || !vd_is_redaction(&record, &redacted) ||
	    memcmp(redacted.b, r->what->b, VD_ID_BYTES) || memcmp(record.group, r->record->group, VD_GROUP_BYTES))
		return VD_OK;
	who = vd_group_find(r->group, record.author);
	if (!who || !may_redact(r, who))
		return VD_OK;
	rc = quarantined(st, r->group, who, arrival, &record, &review, &sleeps);
	if (rc || sleeps)
		return rc;
	r->holding++;
	since_ms = record.time_ms > stored.received_ms ? record.time_ms : stored.received_ms;
	if (!r->out->redacted || since_ms < r->out->since_ms)
		r->out->since_ms = since_ms;
	if (!r->out->redacted || arrival < r->out->arrival)
		r->out->arrival = arrival;
	if (!r->out->redacted || record.time_ms < r->time_ms ||
	    (record.time_ms == r->time_ms && memcmp(record.id.b, r->out->redaction.b, VD_ID_BYTES) < 0)) {
		r->time_ms = record.time_ms;
		r->out->redaction = record.id;
	}
	r->out->redacted = true;
	return VD_OK;
}

/* Only what somebody wrote who may redact this record is read: what others write about it costs nothing, and who says it a thousand times
 * has said it. */
static int weigh_by(struct redacting *r, MDB_cursor *cursor, const struct vd_device *who)
{
	uint8_t what[VD_ID_BYTES + VD_KEY_BYTES], list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	int rc;

	memcpy(what, r->what->b, VD_ID_BYTES);
	memcpy(what + VD_ID_BYTES, who->author, VD_KEY_BYTES);
	vd_index_list(r->st->store, VD_INDEX_REDACTS, r->record->group, vd_slice(what, sizeof(what)), list);
	r->holding = 0;
	while (!(rc = r->holding < WEIGHED_MAX ? VD_OK : VD_ENOTFOUND) && !(rc = vd_list_next(cursor, list, &arrival)) && !(rc = weigh(r, arrival)))
		;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int weigh_all(struct redacting *r)
{
	struct vd_standings *st = r->st;
	MDB_cursor *cursor;
	int rc = txn_open(st, &r->txn);

	if (rc)
		return rc;
	rc = vd_db_err(mdb_cursor_open(r->txn, vd_db_table(st->store->db, VD_TABLE_INDEX), &cursor));
	if (!rc) {
		for (size_t i = 0; i < vd_group_device_count(r->group) && !rc; i++) {
			const struct vd_device *who = vd_group_device(r->group, i);

			if (may_redact(r, who))
				rc = weigh_by(r, cursor, who);
		}
		mdb_cursor_close(cursor);
	}
	for (size_t i = 0; i < st->late_count && !rc; i++) {
		if (!memcmp(st->late[i].redacted.b, r->what->b, VD_ID_BYTES))
			rc = weigh(r, st->late[i].arrival);
	}
	txn_close(st, r->txn);
	return rc;
}

static bool named_late(const struct vd_standings *st, const struct vd_record *record, const struct vd_id *what)
{
	for (size_t i = 0; i < st->late_count; i++) {
		if (!memcmp(st->late[i].redacted.b, what->b, VD_ID_BYTES) &&
		    !memcmp(st->late[i].group, record->group, VD_GROUP_BYTES))
			return true;
	}
	return false;
}

/* Does the index know any redaction of that? */
static int named_at_all(const struct vd_standings *st, const struct vd_record *record, const struct vd_id *what, bool *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = txn_open(st, &txn);

	if (rc)
		return rc;
	vd_index_list(st->store, VD_INDEX_REDACTS, record->group, vd_slice(what->b, VD_ID_BYTES), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(st->store->db, VD_TABLE_INDEX), &cursor));
	if (!rc) {
		rc = vd_list_next(cursor, list, &arrival);
		mdb_cursor_close(cursor);
	}
	txn_close(st, txn);
	*out = !rc || named_late(st, record, what);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int redacted(struct vd_standings *st, struct vd_group *group, const struct vd_device *author, uint64_t arrival,
                    const struct vd_record *record, struct vd_judged *out)
{
	struct redacting r = { .st = st, .group = group, .record = record, .author = author, .out = out };
	const struct vd_standing_group *named;
	struct vd_part part;
	bool with_all;
	int rc = group_of(st, group, &named);

	r.what = &record->id;
	/* Of what came after the index had to stop, the list does not know. */
	if (!rc && (vd_arrivals_held(&named->redacted, arrival) || arrival > st->cursor || named_late(st, record, r.what)) && vd_is_redactable(record))
		rc = weigh_all(&r);
	/* A chunk goes with what it is of, whether that is here or not. */
	if (rc || !vd_record_part(record, &part))
		return rc;
	r.what = &part.of;
	rc = named_at_all(st, record, r.what, &with_all);
	return !rc && with_all ? weigh_all(&r) : rc;
}

/* --- what a role allowed --- */

static bool entitled(const struct vd_device *author, const struct vd_record *record)
{
	struct vd_body_prefix prefix;
	int rc;

	switch (author ? author->most : VD_ROLE_NONE) {
	case VD_ROLE_COORDINATOR:
	case VD_ROLE_MEMBER:
		return true;
	case VD_ROLE_REPORTER:
		if (record->version > VD_VERSION || record->stub)
			return true; /* to whom it is written nobody here can tell */
		rc = vd_body_peek(record->body, &prefix);
		return rc == VD_EVERSION || (!rc && prefix.audience == VD_AUDIENCE_NAMED);
	case VD_ROLE_COURIER:
	case VD_ROLE_NONE:
		break;
	}
	return false;
}

int vd_standing_of(struct vd_standings *st, struct vd_group *group, uint64_t arrival, const struct vd_record *record,
                   struct vd_judged *out)
{
	const struct vd_device *author;
	bool sleeps;
	int rc;

	*out = (struct vd_judged){ .standing = VD_STANDING_SHOWN };
	if (record->lane == VD_LANE_CONTROL)
		return VD_OK;
	author = author_of(st, group, record->author);
	rc = quarantined(st, group, author, arrival, record, &out->review, &sleeps);
	if (!rc)
		rc = redacted(st, group, author, arrival, record, out);
	if (out->redacted)
		out->standing = VD_STANDING_REDACTED;
	else if (sleeps)
		out->standing = VD_STANDING_QUARANTINED;
	else if (!entitled(author, record))
		out->standing = VD_STANDING_NOT_ENTITLED;
	return rc;
}
