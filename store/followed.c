/* Which records of a removed author a revocation accepts: the heads it names, and what leads to one of them over prev.
 *
 * The value "accepted" group, author: 16 bytes that stand for the heads it was made for ‖ u8 1 if there is more to follow ‖ u32 n ‖ n ids
 * where following goes on, most of them of records that are not here ‖ the arrival numbers of what is accepted. It is derived: the index
 * keeps it, so that who reads need not follow chains. */
#include <stdlib.h>
#include <string.h>

#include "standing.h"
#include "proto/err.h"

enum { PART_BYTES = VD_ID_BYTES + 1 + 8 };

struct accepting {
	struct vd_store *store;
	MDB_txn *txn;
	MDB_cursor *items;
	struct vd_membership in;
	const uint8_t *author;
	uint8_t heads[VD_INDEX_KEY_BYTES]; /* stands for what the group says is accepted */
	struct vd_buf open;                /* parts: id, lane, seq of who has to have it (a head: VD_ANY_LANE) */
	struct vd_arrivals accepted;
	bool grew, more;
	struct vd_reading reading;
};

static void value_parts(const uint8_t *group, const uint8_t *author, struct vd_slice parts[2])
{
	parts[0] = vd_slice(group, VD_GROUP_BYTES);
	parts[1] = vd_slice(author, VD_KEY_BYTES);
}

static void put_part(struct vd_buf *open, const struct vd_id *id, uint8_t lane, uint64_t seq)
{
	vd_buf_put(open, id->b, VD_ID_BYTES);
	vd_buf_put_u8(open, lane);
	vd_buf_put_u64(open, seq);
}

static int by_bytes(const void *x, const void *y)
{
	return memcmp(x, y, PART_BYTES);
}

/* From the heads on, as the group names them. */
static int begin_anew(struct accepting *a, struct vd_group *group)
{
	struct vd_slice parts[3];

	vd_buf_reset(&a->open);
	for (uint8_t lane = VD_LANE_URGENT; lane < VD_LANES; lane++) {
		const struct vd_id *ids;
		size_t count = vd_group_accepted(group, a->author, lane, &ids);

		for (size_t i = 0; i < count; i++)
			put_part(&a->open, &ids[i], VD_ANY_LANE, 0);
	}
	if (a->open.n)
		qsort(a->open.p, a->open.n / PART_BYTES, PART_BYTES, by_bytes);
	value_parts(a->in.group, a->author, parts);
	parts[2] = vd_buf_slice(&a->open);
	vd_value_key(a->store, "accepted heads", parts, 3, a->heads);
	a->grew = a->more = true;
	return vd_buf_check(&a->open);
}

/* Goes on from what is kept. VD_ENOTFOUND: nothing, or nothing that fits. */
static int read_kept(struct accepting *a)
{
	uint8_t key[VD_INDEX_KEY_BYTES], heads[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_slice parts[2];
	uint64_t latest;
	struct vd_rd r;
	uint32_t n;
	bool more;
	int rc;

	value_parts(a->in.group, a->author, parts);
	vd_value_key(a->store, "accepted", parts, 2, key);
	rc = vd_value_get(a->store, a->txn, key, &value);
	if (!rc)
		rc = vd_latest(a->store, a->txn, &latest);
	if (rc)
		goto done;
	r = vd_rd(vd_buf_slice(&value));
	vd_rd_copy(&r, heads, sizeof(heads));
	more = vd_rd_u8(&r);
	n = vd_rd_u32(&r);
	rc = VD_ENOTFOUND;
	if (r.err || n > r.n / PART_BYTES || memcmp(heads, a->heads, sizeof(heads)))
		goto done;
	vd_buf_reset(&a->open);
	vd_buf_put_slice(&a->open, vd_rd_take(&r, (size_t)n * PART_BYTES));
	if (r.err || vd_arrivals_decode(&a->accepted, vd_slice(r.p, r.n), latest)) {
		vd_arrivals_deinit(&a->accepted);
		goto done;
	}
	a->grew = false;
	a->more = more;
	rc = vd_buf_check(&a->open);
done:
	vd_buf_deinit(&value);
	return rc == VD_EDAMAGED ? VD_ENOTFOUND : rc;
}

static bool may_follow(const struct accepting *a, const struct vd_record *record, uint8_t lane, uint64_t seq)
{
	if (record->lane == VD_LANE_CONTROL || memcmp(record->author, a->author, VD_KEY_BYTES))
		return false;
	return lane == VD_ANY_LANE || (record->lane == lane && record->seq == seq);
}

/* Back from one record. What is not here stays in *rest, and so does where the budget ended. */
static int follow(struct accepting *a, const uint8_t *part, size_t *budget, struct vd_buf *rest)
{
	uint8_t lane = part[VD_ID_BYTES];
	uint64_t seq = vd_get_u64(part + VD_ID_BYTES + 1);
	struct vd_id id;

	memcpy(id.b, part, VD_ID_BYTES);
	for (;;) {
		struct vd_stored stored;
		struct vd_record record;
		int rc;

		if (!*budget) {
			a->more = true;
			break;
		}
		rc = vd_find_stored(a->store, a->txn, a->items, &a->in, &id, &a->reading, &stored);
		if (rc == VD_ENOTFOUND || (!rc && vd_stored_view(&stored, &record)))
			break; /* spoilt is as good as not here: another copy may come */
		if (rc)
			return rc;
		if (!may_follow(a, &record, lane, seq) || vd_arrivals_held(&a->accepted, stored.arrival))
			return VD_OK;
		rc = vd_arrivals_add(&a->accepted, stored.arrival, false);
		if (rc)
			return rc;
		--*budget;
		a->grew = true;
		if (!record.has_prev || record.seq == 1)
			return VD_OK;
		id = record.prev;
		lane = record.lane;
		seq = record.seq - 1;
	}
	put_part(rest, &id, lane, seq);
	return vd_buf_check(rest);
}

static int follow_all(struct accepting *a, size_t *budget)
{
	struct vd_buf rest = { 0 };
	int rc = vd_db_err(mdb_cursor_open(a->txn, vd_db_table(a->store->db, VD_TABLE_ITEMS), &a->items));

	if (rc)
		return rc;
	a->more = false;
	for (size_t at = 0; at + PART_BYTES <= a->open.n && !rc; at += PART_BYTES)
		rc = follow(a, a->open.p + at, budget, &rest);
	mdb_cursor_close(a->items);
	if (!rc && (rest.n != a->open.n || (rest.n && memcmp(rest.p, a->open.p, rest.n)))) {
		a->grew = true;
		vd_buf_deinit(&a->open);
		a->open = rest;
	} else {
		vd_buf_deinit(&rest);
	}
	return rc;
}

static int accepting_init(struct accepting *a, struct vd_store *s, MDB_txn *txn, struct vd_group *group, const uint8_t *author)
{
	*a = (struct accepting){ .store = s, .txn = txn, .author = author };
	if (!vd_group_salt(group))
		return VD_EGROUP;
	memcpy(a->in.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(a->in.salt, vd_group_salt(group), VD_SALT_BYTES);
	return begin_anew(a, group);
}

static void accepting_deinit(struct accepting *a)
{
	vd_buf_deinit(&a->open);
	vd_arrivals_deinit(&a->accepted);
	vd_reading_wipe(&a->reading);
}

int vd_followed(struct vd_store *s, MDB_txn *txn, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], bool kept,
                struct vd_arrivals *out)
{
	size_t budget = SIZE_MAX;
	struct accepting a;
	int rc = accepting_init(&a, s, txn, group, author);

	if (!rc && kept)
		rc = read_kept(&a);
	if (rc == VD_ENOTFOUND)
		rc = VD_OK;
	if (!rc && a.more)
		rc = follow_all(&a, &budget);
	if (!rc) {
		*out = a.accepted;
		a.accepted = (struct vd_arrivals){ 0 };
	}
	accepting_deinit(&a);
	return rc == VD_EGROUP ? VD_OK : rc;
}

static int put_kept(struct vd_write *w, const struct accepting *a)
{
	struct vd_buf value = { 0 };
	struct vd_slice parts[2];
	int rc;

	vd_buf_put(&value, a->heads, sizeof(a->heads));
	vd_buf_put_u8(&value, a->more);
	vd_buf_put_u32(&value, (uint32_t)(a->open.n / PART_BYTES));
	vd_buf_put_slice(&value, vd_buf_slice(&a->open));
	rc = vd_arrivals_encode(&a->accepted, &value);
	value_parts(a->in.group, a->author, parts);
	if (!rc)
		vd_effects_value(&w->effects, w->store, "accepted", parts, 2, vd_buf_slice(&value));
	vd_buf_deinit(&value);
	return rc;
}

int vd_followed_update(struct vd_write *w, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], size_t *budget, bool *more)
{
	struct accepting a;
	MDB_txn *txn;
	int rc = vd_db_read(w->store->db, &txn);

	if (rc)
		return rc;
	rc = accepting_init(&a, w->store, txn, group, author);
	if (!rc)
		rc = read_kept(&a);
	if (rc == VD_ENOTFOUND)
		rc = VD_OK;
	if (!rc && (a.more || a.open.n))
		rc = follow_all(&a, budget);
	vd_db_done(w->store->db, txn);
	if (!rc && a.grew)
		rc = put_kept(w, &a);
	if (!rc)
		*more |= a.more;
	accepting_deinit(&a);
	return rc == VD_EGROUP ? VD_OK : rc;
}

void vd_followed_forget(struct vd_write *w, struct vd_group *group, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_slice parts[2];

	value_parts(vd_group_id(group), author, parts);
	vd_effects_value(&w->effects, w->store, "accepted", parts, 2, vd_slice(NULL, 0));
}

int vd_followed_check(struct vd_store *s, MDB_txn *txn, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], bool *right)
{
	struct vd_arrivals kept = { 0 }, followed = { 0 };
	struct vd_buf a = { 0 }, b = { 0 };
	int rc = vd_followed(s, txn, group, author, true, &kept);

	if (!rc)
		rc = vd_followed(s, txn, group, author, false, &followed);
	if (!rc)
		rc = vd_arrivals_encode(&kept, &a);
	if (!rc)
		rc = vd_arrivals_encode(&followed, &b);
	*right = rc || vd_slice_eq(vd_buf_slice(&a), vd_buf_slice(&b));
	vd_arrivals_deinit(&kept);
	vd_arrivals_deinit(&followed);
	vd_buf_deinit(&a);
	vd_buf_deinit(&b);
	return rc;
}
