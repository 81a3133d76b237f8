/* What its author signed an end for: the body goes a week after that day, on every node, by a clock that can be believed (clock.c). Not before it was
 * here for as long as its author meant it to be kept, and the week, by what our clock ran: theirs may have been wrong when it was written, or ours be now. What
 * never came is wanted for the week. The stub keeps its place in the set. If the clock goes back, what went too early is wanted again. */
#include <string.h>

#include "inside.h"
#include "standing.h"
#include "tend_inside.h"
#include "proto/err.h"

enum { BATCH_BODIES = 1024, GRACE_DAYS = 7 };

struct expiring {
	struct vd_store *store;
	const uint8_t *id;             /* of the group */
	uint32_t today;
	struct vd_clock clock;
	struct vd_readers readers;
	struct vd_membership in;
	struct vd_write *write;
	struct vd_letting letting;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_tended tended;       /* by this transaction */
	struct vd_reading reading;
};

bool vd_may_expire(const struct vd_record *record)
{
	/* With an end before it was written its author's clock had gone back. It says nothing of how long that was meant to be. */
	bool meant = record->expires_day * (uint64_t)VD_DAY_MS + VD_DAY_MS > record->time_ms;

	return record->has_expires && meant && record->body_bytes && vd_is_redactable(record) && !vd_record_hands_keys(record);
}

static bool is_over(const struct expiring *e, const struct vd_record *record)
{
	return vd_may_expire(record) && e->today >= GRACE_DAYS && record->expires_day <= e->today - GRACE_DAYS;
}

/* Has it been here for long enough? */
static bool has_lived(const struct expiring *e, const struct vd_stored *stored, const struct vd_record *record)
{
	uint64_t end_ms = record->expires_day * (uint64_t)VD_DAY_MS, grace_ms = GRACE_DAYS * (uint64_t)VD_DAY_MS,
	         meant_ms = !record->stub && end_ms > record->time_ms ? end_ms - record->time_ms : 0;

	return vd_clock_lived(&e->clock, stored->arrival) >= meant_ms + grace_ms;
}

/* From the lists of what will expire. */
static int let_go(struct expiring *e, const struct vd_stored *stored, const struct vd_record *record)
{
	if (!is_over(e, record) || !has_lived(e, stored, record))
		return VD_OK;
	vd_effects_entry_remove(&e->write->effects, VD_TABLE_INDEX, e->list, stored->arrival);
	return stored->flags & VD_STORED_EXPIRED ? VD_OK : vd_let_go(&e->letting, stored, record, VD_STORED_EXPIRED, &e->tended.expired);
}

/* From the list of what went for that. */
static int want_back(struct expiring *e, const struct vd_stored *stored, const struct vd_record *record)
{
	struct vd_place place = vd_place_of(stored);

	if (is_over(e, record) || !(stored->flags & VD_STORED_EXPIRED))
		return VD_OK;
	e->tended.wanted++;
	return vd_write_again(e->write, &e->in, &place, record, 0);
}

static int each(struct expiring *e, const uint64_t *arrivals, size_t n,
                int (*visit)(struct expiring *, const struct vd_stored *, const struct vd_record *))
{
	struct vd_stored stored;
	struct vd_record record;
	MDB_txn *txn = NULL;
	int rc = vd_readers_init(&e->readers, e->store, e->id);
	struct vd_group *group = vd_readers_find(&e->readers, e->id);

	if (!rc && (!group || !vd_group_salt(group))) {
		vd_readers_deinit(&e->readers);
		return VD_OK; /* its founding is lost: it comes again */
	}
	if (!rc) {
		memcpy(e->in.group, e->id, VD_GROUP_BYTES);
		memcpy(e->in.salt, vd_group_salt(group), VD_SALT_BYTES);
		rc = vd_db_read(e->store->db, &txn);
	}
	e->letting = (struct vd_letting){ .write = e->write, .group = group, .in = &e->in };
	e->write->snapshot = txn;
	for (size_t i = 0; i < n && !rc; i++) {
		rc = vd_stored_get(e->store, txn, arrivals[i], &e->reading, &stored);
		if (rc || vd_stored_view(&stored, &record) || memcmp(record.group, e->id, VD_GROUP_BYTES))
			rc = rc == VD_ENOMEM ? rc : VD_OK; /* spoilt or dropped: `check` tells */
		else
			rc = visit(e, &stored, &record);
	}
	if (!rc)
		rc = vd_let_go_end(&e->letting, txn);
	e->write->snapshot = NULL;
	vd_db_done(e->store->db, txn);
	vd_letting_deinit(&e->letting);
	vd_readers_deinit(&e->readers);
	return rc;
}

/* All of e->list, so many in a transaction. */
static int walk(struct expiring *e, enum vd_table table, int (*visit)(struct expiring *, const struct vd_stored *, const struct vd_record *),
                struct vd_tended *out)
{
	uint64_t arrivals[BATCH_BODIES], after = 0;
	size_t n = BATCH_BODIES;
	int rc = VD_OK;

	while (!rc && n == BATCH_BODIES) {
		rc = vd_list_read(e->store, table, e->list, &after, arrivals, BATCH_BODIES, &n);
		if (rc || !n)
			return rc;
		rc = vd_write_begin(e->store, &e->write);
		if (rc)
			return rc;
		e->tended = (struct vd_tended){ 0 };
		rc = each(e, arrivals, n, visit);
		if (rc)
			vd_write_abort(e->write);
		else
			rc = vd_write_end(e->write);
		if (!rc) {
			out->expired += e->tended.expired;
			out->wanted += e->tended.wanted;
		}
	}
	return rc;
}

static int put_day(struct expiring *e)
{
	struct vd_slice part = vd_slice(e->id, VD_GROUP_BYTES);
	uint8_t value[8];
	struct vd_write *w;
	int rc = vd_write_begin(e->store, &w);

	if (!rc) {
		w->takes_in = true; /* not worth the reserve */
		vd_set_u64(value, e->today);
		vd_effects_value(&w->effects, e->store, "expired", &part, 1, vd_slice(value, sizeof(value)));
		rc = vd_write_end(w);
	}
	/* Where it cannot be written down, it is looked at again. */
	return rc == VD_ENOMEM || rc == VD_EKEY ? rc : VD_OK;
}

static int read_day(struct expiring *e, uint64_t *day)
{
	struct vd_slice part = vd_slice(e->id, VD_GROUP_BYTES);
	struct vd_buf value = { 0 };
	int rc = vd_value_read(e->store, "expired", &part, 1, &value);

	*day = !rc && value.n == 8 ? vd_get_u64(value.p) : 0;
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static int walk_all(struct expiring *e, uint64_t last_day, struct vd_tended *out)
{
	int rc = VD_OK;

	if (e->today < last_day) {
		vd_group_list(e->store, "expired", e->id, e->list);
		rc = walk(e, VD_TABLE_LISTS, want_back, out);
	}
	for (uint32_t bucket = 0; !rc && e->today >= GRACE_DAYS && bucket <= (e->today - GRACE_DAYS) / VD_EXPIRES_BUCKET; bucket++) {
		uint8_t key[4];

		vd_set_u32(key, bucket);
		vd_index_list(e->store, VD_INDEX_EXPIRES, e->id, vd_slice(key, sizeof(key)), e->list);
		rc = walk(e, VD_TABLE_INDEX, let_go, out);
	}
	return rc;
}

int vd_tend_expired(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, struct vd_tended *out)
{
	uint64_t day = now_ms / VD_DAY_MS, last_day;
	struct expiring e = { .store = s, .id = group, .today = day < UINT32_MAX ? (uint32_t)day : UINT32_MAX };
	bool believed = false;
	int rc = vd_clock_look(s, group, now_ms);

	if (!rc)
		rc = read_day(&e, &last_day);
	if (rc || last_day == e.today)
		return rc;
	rc = vd_index_catch_up(s);
	if (!rc)
		rc = vd_clock_believed(s, group, now_ms, UINT64_MAX, &believed);
	if (!rc && believed)
		rc = vd_clock_read(s, now_ms, &e.clock);
	if (!rc && believed)
		rc = walk_all(&e, last_day, out);
	if (!rc)
		rc = put_day(&e);
	vd_reading_wipe(&e.reading);
	return rc == VD_EBUSY ? VD_OK : rc; /* another time */
}

int vd_store_expired_through(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint32_t *day)
{
	uint64_t today = now_ms / VD_DAY_MS;
	bool believed = false;
	int rc = vd_clock_believed(s, group, now_ms, UINT64_MAX, &believed);

	*day = !rc && believed && today > GRACE_DAYS && today - GRACE_DAYS <= UINT32_MAX ? (uint32_t)(today - GRACE_DAYS) : 0;
	return rc;
}

bool vd_store_is_over(const struct vd_record *record, uint32_t expired_through)
{
	return expired_through && vd_may_expire(record) && record->expires_day <= expired_through;
}

bool vd_store_withholds(struct vd_store *s, const struct vd_record *record)
{
	uint64_t now_ms = vd_now_ms(), today = now_ms / VD_DAY_MS, minute = now_ms / 60000, of = vd_get_u64(record->group), asked;
	uint32_t day;

	if (today <= GRACE_DAYS || today > UINT32_MAX || !vd_store_is_over(record, (uint32_t)(today - GRACE_DAYS)))
		return false;
	asked = atomic_load(&s->over_asked) ^ of;
	if (asked >> 1 != minute) {
		if (vd_store_expired_through(s, record->group, now_ms, &day))
			return false;
		asked = minute << 1 | (day != 0);
		atomic_store(&s->over_asked, asked ^ of);
	}
	return asked & 1;
}
