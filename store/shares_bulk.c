/* The bound of the bulk lane: bytes of bodies that are here, and that are wanted, over all groups. */
#include "shares_inside.h"

#include <string.h>

#include "proto/err.h"

/* The value "bulk": u64 bytes that are here ‖ u64 that are wanted ‖ u64 of the last attachment not begun for want of room (not there in older ones). */
enum { BULK_BYTES = 3 * 8, BULK_OLD_BYTES = 2 * 8 };

int vd_share_bulk_read(struct vd_store *s, MDB_txn *txn, struct vd_share_bulk *out)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	int rc;

	*out = (struct vd_share_bulk){ 0 };
	vd_value_key(s, "bulk", NULL, 0, key);
	rc = vd_value_get(s, txn, key, &value);
	if (!rc && value.n != BULK_BYTES && value.n != BULK_OLD_BYTES)
		rc = VD_EDAMAGED;
	if (!rc) {
		out->here = vd_get_u64(value.p);
		out->wanted = vd_get_u64(value.p + 8);
		out->lacking = value.n == BULK_BYTES ? vd_get_u64(value.p + 16) : 0;
	}
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc; /* it counts anew until a repair counts what is there */
}

int vd_share_bulk_load(struct vd_write *w)
{
	struct vd_share_bulk bulk = { 0 };
	MDB_txn *txn;
	int rc = w->bulk.read ? VD_OK : vd_write_snapshot(w, &txn);

	if (rc || w->bulk.read)
		return rc;
	rc = vd_share_bulk_read(w->store, txn, &bulk);
	vd_write_snapshot_done(w, txn);
	w->bulk.here = bulk.here;
	w->bulk.wanted = bulk.wanted;
	w->bulk.lacking = bulk.lacking;
	w->bulk.read = !rc;
	return rc;
}

static int read_bulk(struct vd_store *s, struct vd_share_bulk *out)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_share_bulk_read(s, txn, out);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_shares_bulk(struct vd_store *s, uint64_t *here_bytes, uint64_t *wanted_bytes)
{
	struct vd_share_bulk bulk;
	int rc = read_bulk(s, &bulk);

	*here_bytes = bulk.here;
	*wanted_bytes = bulk.wanted;
	return rc;
}

int vd_shares_bulk_full(struct vd_store *s, bool *full, uint64_t *most_bytes)
{
	struct vd_share_bulk bulk;
	struct vd_shares set;
	int rc = vd_shares_get(s, &set);

	if (!rc)
		rc = read_bulk(s, &bulk);
	if (rc)
		return rc;
	*most_bytes = set.bulk_bytes;
	*full = set.bulk_bytes != VD_BULK_ALL && (bulk.here + bulk.wanted > set.bulk_bytes || set.bulk_bytes - bulk.here - bulk.wanted < VD_BODY_MAX ||
	                                          set.bulk_bytes - bulk.here - bulk.wanted < bulk.lacking);
	return VD_OK;
}

static void add(uint64_t *sum, uint64_t bytes, bool less)
{
	*sum = !less ? *sum + bytes : *sum > bytes ? *sum - bytes : 0;
}

static void count_bulk(struct vd_write *w, uint8_t flags, uint32_t bytes, bool less)
{
	if (!(flags & VD_STORED_STUB))
		add(&w->bulk.here, bytes, less);
	else if (vd_flags_wanted(flags))
		add(&w->bulk.wanted, bytes, less);
}

int vd_share_bulk(struct vd_write *w, const uint8_t *was, uint8_t is, uint32_t bytes)
{
	int rc = vd_share_bulk_load(w);

	if (rc)
		return rc;
	if (was)
		count_bulk(w, *was, bytes, true);
	count_bulk(w, is, bytes, false);
	w->bulk.moved = true;
	return VD_OK;
}

void vd_share_recount_bulk(struct vd_write *w, uint64_t here, uint64_t wanted)
{
	w->bulk.here = here;
	w->bulk.wanted = wanted;
	w->bulk.read = w->bulk.moved = true;
}

void vd_share_bulk_put(struct vd_write *w)
{
	uint8_t value[BULK_BYTES];

	if (!w->bulk.moved)
		return;
	vd_set_u64(value, w->bulk.here);
	vd_set_u64(value + 8, w->bulk.wanted);
	vd_set_u64(value + 16, w->bulk.lacking);
	vd_effects_value(&w->effects, w->store, "bulk", NULL, 0, vd_slice(value, sizeof(value)));
}

bool vd_share_bulk_fits(const struct vd_write *w, uint64_t beside, uint64_t bytes)
{
	uint64_t most = w->set.bulk_bytes;

	return most == VD_BULK_ALL || (beside <= most && bytes <= most - beside);
}

void vd_share_bulk_leave(struct vd_write *w, const struct vd_record *record)
{
	w->bulk.has_left = vd_record_part(record, &w->bulk.left);
	memcpy(w->bulk.left_author, record->author, VD_KEY_BYTES);
}

bool vd_share_bulk_left(const struct vd_write *w, const struct vd_record *record)
{
	struct vd_part part;

	return w->bulk.has_left && vd_record_part(record, &part) && part.attachment == w->bulk.left.attachment &&
	       memcmp(part.of.b, w->bulk.left.of.b, VD_ID_BYTES) == 0 && memcmp(record->author, w->bulk.left_author, VD_KEY_BYTES) == 0;
}
