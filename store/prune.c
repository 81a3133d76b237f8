#include "prune.h"

#include <string.h>

#include "attached.h"
#include "custody.h"
#include "inside.h"
#include "standing.h"
#include "tend_inside.h"
#include "proto/err.h"

enum {
	AT_ONCE = 1024,        /* bodies in a transaction */
	SURE_DAYS = 12,        /* for which others' promises must live on, and ours be over: more than a clock that is believed may be wrong by */
	LOW = 2,               /* times what is kept free of the medium: with less, bodies go unasked … */
	ENOUGH = 3,            /* … until there is that much */
};

struct pruning {
	struct vd_store *store;
	struct vd_group *group;
	struct vd_membership in;
	const struct vd_prune_rule *rule;
	uint64_t now_ms;
	uint32_t today;
	struct vd_custody *custody;
	struct vd_pruned *out;
	uint64_t going[AT_ONCE];   /* arrivals */
	uint64_t going_bytes;
	size_t count;
	struct vd_buf raw;
};

/* --- who keeps what --- */

/* Does the promise live? By the day it names; and by how long it was for, and how long ago by our clock it came, should one of the two be set wrong. */
static bool lives(const struct pruning *p, const struct vd_keeper *k)
{
	uint64_t said = k->said_ms / VD_DAY_MS, heard = k->heard_ms / VD_DAY_MS;

	return k->told && k->keep_until >= p->today + SURE_DAYS && k->keep_until > said && heard <= p->today &&
	       p->today - heard + SURE_DAYS <= k->keep_until - said;
}

/* Is it known to be held by so many members, other than us, who promise to keep it? `going`: in a way that can still be told once its body has gone. */
static int kept_by_others(struct pruning *p, uint64_t arrival, const struct vd_record *record, bool going, bool *out)
{
	const struct vd_device *we = vd_group_find(p->group, vd_group_identity(p->group)->author);
	const struct vd_keeper *first = NULL;
	int rc = VD_OK;

	*out = false;
	for (size_t i = 0; i < vd_custody_count(p->custody) && !rc && !*out; i++) {
		const struct vd_keeper *k = vd_custody_keeper(p->custody, i);
		enum vd_holding how;

		/* Devices of one member may share a bag: also with this one. */
		if (!lives(p, k) || (first && !memcmp(first->person, k->person, VD_PERSON_BYTES)) ||
		    (we && !memcmp(we->person, k->person, VD_PERSON_BYTES)))
			continue;
		rc = vd_custody_holds(p->custody, i, arrival, record, &how);
		/* Who only answered it may have let go since; and that a lane is the same cannot be told any more once something new came. */
		if (rc || how == VD_HOLDS_NOT || how == VD_HOLDS_ACK || (how == VD_HOLDS_LANE && going))
			continue;
		*out = first != NULL;
		first = first ? first : k;
	}
	return rc;
}

static bool is_own(const struct pruning *p, const struct vd_record *record)
{
	return !memcmp(record->author, vd_group_identity(p->group)->author, VD_KEY_BYTES);
}

static int prepare(struct pruning *p, struct vd_store *s, struct vd_group *group, uint64_t now_ms)
{
	uint64_t day = now_ms / VD_DAY_MS;

	p->store = s;
	p->group = group;
	p->now_ms = now_ms;
	p->today = day < UINT32_MAX - SURE_DAYS ? (uint32_t)day : UINT32_MAX - SURE_DAYS;
	if (!vd_group_identity(group) || !vd_group_salt(group))
		return VD_EKEY;
	memcpy(p->in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(p->in.salt, vd_group_salt(group), VD_SALT_BYTES);
	return vd_custody_open_at(s, group, now_ms, &p->custody);
}

static void finish(struct pruning *p)
{
	vd_custody_close(p->custody);
	vd_buf_wipe(&p->raw);
}

static bool is_promised(const struct pruning *p, uint32_t until)
{
	return until && until + (uint64_t)SURE_DAYS >= p->today;
}

/* When we last said until when: what our clock showed then must be what it shows now. */
static int said_last(struct vd_store *s, struct vd_group *group, uint64_t *since_ms)
{
	struct vd_receipt receipt;
	struct vd_buf bytes = { 0 };
	int rc = vd_custody_receipt(s, vd_group_id(group), vd_group_identity(group)->author, &bytes);

	*since_ms = UINT64_MAX;
	if (!rc && !vd_receipt_decode(vd_buf_slice(&bytes), &receipt))
		*since_ms = receipt.time_ms;
	vd_buf_deinit(&bytes);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* --- letting go --- */

/* Those gathered, in one transaction. Our promise is looked at again under the writers' lock: another process may have said a receipt. */
static int let_go(struct pruning *p)
{
	struct vd_letting letting = { .group = p->group, .in = &p->in };
	struct vd_reading reading = { 0 };
	uint64_t bodies = 0;
	struct vd_write *w;
	MDB_txn *txn = NULL;
	uint32_t promised;
	int rc = vd_write_begin(p->store, &w);

	if (rc)
		return rc;
	letting.write = w;
	rc = vd_custody_promised(p->store, p->group, &promised);
	if (!rc && is_promised(p, promised))
		rc = VD_EAGAIN;
	if (!rc)
		rc = vd_db_read(p->store->db, &txn);
	w->snapshot = txn;
	for (size_t i = 0; i < p->count && !rc; i++) {
		struct vd_stored stored;
		struct vd_record record;

		rc = vd_stored_get(p->store, txn, p->going[i], &reading, &stored);
		if (rc || vd_stored_view(&stored, &record) || record.stub)
			rc = rc == VD_ENOMEM ? rc : VD_OK;
		else
			rc = vd_let_go(&letting, &stored, &record, VD_STORED_PRUNED, &bodies);
	}
	if (!rc)
		rc = vd_let_go_end(&letting, txn);
	w->snapshot = NULL;
	vd_db_done(p->store->db, txn);
	vd_letting_deinit(&letting);
	vd_reading_wipe(&reading);
	if (rc)
		vd_write_abort(w);
	else
		rc = vd_write_end(w);
	return rc;
}

static int flush(struct pruning *p)
{
	int rc = p->rule->dry || !p->count ? VD_OK : let_go(p);

	if (!rc) {
		p->out->records += p->count;
		p->out->bytes += p->going_bytes;
	}
	p->count = 0;
	p->going_bytes = 0;
	return rc;
}

static bool is_enough(const struct pruning *p)
{
	return p->out->bytes + p->going_bytes >= p->rule->most_bytes;
}

static bool is_young(const struct pruning *p, const struct vd_record *record, uint64_t received_ms)
{
	uint64_t since_ms = record->time_ms > received_ms ? record->time_ms : received_ms;

	return since_ms > p->now_ms || p->now_ms - since_ms < p->rule->older_ms;
}

/* The value "asked" of a record: u64 our clock when somebody wanted it, and what it attaches, back. */
static int asked_lately(struct pruning *p, const struct vd_record *record, bool *yes)
{
	struct vd_slice part = vd_slice(record->id.b, VD_ID_BYTES);
	struct vd_record as = *record;
	struct vd_buf value = { 0 };
	struct vd_part of;
	int rc;

	if (vd_record_part(record, &of))
		part = vd_slice(of.of.b, VD_ID_BYTES);
	rc = vd_value_read(p->store, "asked", &part, 1, &value);
	as.time_ms = 0;
	*yes = !rc && value.n == 8 && is_young(p, &as, vd_get_u64(value.p));
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static int consider(struct pruning *p, uint64_t arrival)
{
	struct vd_record record, gone;
	uint64_t received_ms;
	bool kept, young;
	int rc = vd_store_read(p->store, arrival, &p->raw, &record, &received_ms);

	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	if (record.stub || !record.body_bytes || !vd_is_redactable(&record) || vd_record_hands_keys(&record))
		return VD_OK;
	if (is_own(p, &record)) {
		p->out->own++;
		return VD_OK;
	}
	young = is_young(p, &record, received_ms);
	if (!young)
		rc = asked_lately(p, &record, &young);
	if (rc || young) {
		p->out->young += young;
		return rc;
	}
	gone = record;
	/* Asked as it will be once it has gone: what could not be told then would be wanted back at once. */
	gone.stub = true;
	rc = kept_by_others(p, arrival, &gone, true, &kept);
	if (rc)
		return rc;
	if (!kept) {
		p->out->few++;
		return VD_OK;
	}
	p->going[p->count++] = arrival;
	p->going_bytes += record.body_bytes;
	return p->count == AT_ONCE || is_enough(p) ? flush(p) : VD_OK;
}

static int prune_lane(struct pruning *p, uint8_t lane)
{
	uint64_t numbers[256], after = 0;
	size_t n = 256;
	int rc = VD_OK;

	while (!rc && n == 256 && !is_enough(p)) {
		rc = vd_store_lane_numbers(p->store, p->in.group, lane, after, numbers, 256, &n);
		for (size_t i = 0; i < n && !rc && !is_enough(p); i++)
			rc = consider(p, numbers[i]);
		if (n)
			after = numbers[n - 1];
	}
	return rc;
}

int vd_prune(struct vd_store *s, struct vd_group *group, const struct vd_prune_rule *rule, uint64_t now_ms, struct vd_pruned *out)
{
	struct pruning p = { .rule = rule, .out = out };
	struct vd_pruned none = { 0 };
	uint64_t since_ms;
	uint32_t promised;
	bool believed = false;
	int rc = vd_group_identity(group) ? vd_clock_look(s, vd_group_id(group), now_ms) : VD_EKEY;

	if (!rc)
		rc = said_last(s, group, &since_ms);
	if (!rc)
		rc = vd_clock_believed(s, vd_group_id(group), now_ms, since_ms, &believed);
	if (!rc && !believed)
		rc = VD_EAGAIN;
	if (!rc)
		rc = prepare(&p, s, group, now_ms);
	if (!rc)
		rc = vd_custody_promised(s, group, &promised);
	/* As long as our own promise lives nothing is even counted. */
	if (!rc && is_promised(&p, promised)) {
		if (promised + SURE_DAYS > out->promised_until)
			out->promised_until = promised + SURE_DAYS;
		p.out = &none;
	}
	for (uint8_t lane = VD_LANE_BULK; lane > VD_LANE_CONTROL && !rc && p.out == out; lane--)
		if (rule->lanes >> lane & 1)
			rc = prune_lane(&p, lane);
	if (!rc)
		rc = flush(&p);
	finish(&p);
	return rc;
}

/* --- back --- */

static int want_one(struct vd_write *w, const struct vd_membership *in, uint64_t arrival, struct vd_reading *reading, uint64_t *wanted)
{
	struct vd_stored stored;
	struct vd_record record;
	struct vd_place place;
	int rc = vd_stored_get(w->store, w->snapshot, arrival, reading, &stored);

	if (rc || vd_stored_view(&stored, &record) || !(stored.flags & VD_STORED_PRUNED))
		return rc == VD_ENOMEM ? rc : VD_OK;
	place = vd_place_of(&stored);
	++*wanted;
	return vd_write_again(w, in, &place, &record, 0);
}

int vd_prune_undo(struct vd_store *s, struct vd_group *group, const struct vd_record *record, uint64_t now_ms, uint64_t *wanted)
{
	struct vd_slice part = vd_slice(record->id.b, VD_ID_BYTES);
	struct vd_reading reading = { 0 };
	struct vd_attached attached;
	struct vd_membership in;
	struct vd_write *w;
	MDB_txn *txn = NULL;
	uint64_t arrival = 0;
	uint8_t value[8];
	int rc = vd_group_salt(group) ? vd_attached_find(s, record, &attached) : VD_EKEY;

	*wanted = 0;
	if (rc == VD_EKEY)
		return rc;
	if (!rc || rc == VD_EDAMAGED)
		rc = vd_store_find(s, &record->id, &arrival);
	if (!rc)
		rc = vd_write_begin(s, &w);
	if (rc) {
		vd_attached_deinit(&attached);
		return rc;
	}
	memcpy(in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(group), VD_SALT_BYTES);
	rc = vd_db_read(s->db, &txn);
	w->snapshot = txn;
	w->takes_in = true;
	if (!rc)
		rc = want_one(w, &in, arrival, &reading, wanted);
	for (size_t i = 0; i < attached.count && !rc; i++)
		rc = want_one(w, &in, attached.chunks[i].arrival, &reading, wanted);
	if (!rc && *wanted) {
		vd_set_u64(value, now_ms);
		vd_effects_value(&w->effects, s, "asked", &part, 1, vd_slice(value, sizeof(value)));
	}
	w->snapshot = NULL;
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	vd_attached_deinit(&attached);
	if (rc || !*wanted)
		vd_write_abort(w);
	else
		rc = vd_write_end(w);
	return rc;
}

/* --- unasked --- */

/* The value "pruned": u64 day on which we looked last ‖ u64 our clock when the reserve was reached then or later that day (0: it was not). */
enum { LOOKED_BYTES = 2 * 8, AGAIN_MS = 3600000 };
struct looked {
	uint64_t day, full_ms;
};

static int read_looked(struct vd_store *s, const uint8_t *group, struct looked *out)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, "pruned", &part, 1, &value);

	*out = (struct looked){ 0 };
	if (!rc && value.n == LOOKED_BYTES)
		*out = (struct looked){ vd_get_u64(value.p), vd_get_u64(value.p + 8) };
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static int put_looked(struct vd_store *s, const uint8_t *group, const struct looked *looked)
{
	struct vd_slice part = vd_slice(group, VD_GROUP_BYTES);
	uint8_t value[LOOKED_BYTES];
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	vd_set_u64(value, looked->day);
	vd_set_u64(value + 8, looked->full_ms);
	if (!rc) {
		vd_effects_value(&w->effects, s, "pruned", &part, 1, vd_slice(value, sizeof(value)));
		rc = vd_write_end(w);
	}
	return rc == VD_ENOMEM || rc == VD_EKEY ? rc : VD_OK;
}

/* What too few others still keep is wanted again: one run of the list. */
static int want_some(struct pruning *p, const uint64_t *arrivals, size_t n, uint64_t *wanted)
{
	struct vd_reading reading = { 0 };
	struct vd_write *w;
	MDB_txn *txn = NULL;
	uint64_t back = 0;
	bool keep[AT_ONCE] = { false };
	int rc = VD_OK;

	for (size_t i = 0; i < n && !rc; i++) {
		struct vd_record record;

		rc = vd_store_read(p->store, arrivals[i], &p->raw, &record, NULL);
		if (!rc)
			rc = kept_by_others(p, arrivals[i], &record, false, &keep[i]);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
	}
	if (!rc)
		rc = vd_write_begin(p->store, &w);
	if (rc)
		return rc;
	rc = vd_db_read(p->store->db, &txn);
	w->snapshot = txn;
	for (size_t i = 0; i < n && !rc; i++)
		if (!keep[i])
			rc = want_one(w, &p->in, arrivals[i], &reading, &back);
	w->snapshot = NULL;
	vd_db_done(p->store->db, txn);
	vd_reading_wipe(&reading);
	if (rc)
		vd_write_abort(w);
	else
		rc = vd_write_end(w);
	*wanted += rc ? 0 : back;
	return rc;
}

static int want_back(struct vd_store *s, struct vd_group *group, uint64_t now_ms, uint64_t *wanted)
{
	uint64_t arrivals[AT_ONCE], after = 0;
	uint8_t list[VD_LIST_KEY_BYTES];
	struct pruning p = { 0 };
	size_t n = AT_ONCE;
	int rc = VD_OK;

	vd_group_list(s, "pruned", vd_group_id(group), list);
	while (!rc && n == AT_ONCE) {
		rc = vd_list_read(s, VD_TABLE_LISTS, list, &after, arrivals, AT_ONCE, &n);
		if (!rc && n && !p.custody)
			rc = prepare(&p, s, group, now_ms);
		if (!rc && n)
			rc = want_some(&p, arrivals, n, wanted);
	}
	finish(&p);
	return rc;
}

/* Where the medium is nearly full. What went before is room inside the database. */
static int make_room(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	uint64_t free_bytes, kept_bytes, spare_bytes, total;
	struct vd_prune_rule rule = { .lanes = 1 << VD_LANE_BULK | 1 << VD_LANE_NORMAL, .older_ms = VD_PRUNE_DAYS * (uint64_t)VD_DAY_MS };
	struct vd_pruned pruned = { 0 };
	int rc = vd_shares_room(s, &free_bytes, &kept_bytes);

	if (!rc)
		rc = vd_db_room(s->db, &free_bytes, &total);
	if (!rc)
		rc = vd_db_spare(s->db, &spare_bytes);
	if (rc || free_bytes + spare_bytes >= LOW * kept_bytes)
		return rc;
	rule.most_bytes = ENOUGH * kept_bytes - free_bytes - spare_bytes;
	rc = vd_prune(s, group, &rule, now_ms, &pruned);
	out->pruned += pruned.records;
	return rc == VD_EAGAIN ? VD_OK : rc;
}

int vd_tend_space(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	struct looked last, now = { .day = now_ms / VD_DAY_MS };
	bool due, again;
	int rc = read_looked(s, vd_group_id(group), &last);

	if (rc || !vd_group_identity(group) || !vd_group_salt(group))
		return rc;
	due = last.day != now.day;
	/* A disk that fills up waits for no day: nothing is taken in any more. */
	now.full_ms = vd_reserve_reached(s) ? now_ms : 0;
	again = now.full_ms && (!last.full_ms || now_ms < last.full_ms || now_ms - last.full_ms >= AGAIN_MS);
	if (due)
		rc = want_back(s, group, now_ms, &out->wanted);
	if (!rc && (due || again))
		rc = make_room(s, group, now_ms, out);
	if (!rc && (due || again))
		rc = put_looked(s, vd_group_id(group), &now);
	return rc == VD_EBUSY || rc == VD_EKEY ? VD_OK : rc; /* another time */
}
