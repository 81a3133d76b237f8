/* Making anew what follows from the records, without those that are bad. */
#include "check_inside.h"
#include "lanes.h"
#include "pool.h"
#include "shares_inside.h"
#include "proto/err.h"

static void put_entry(void *ctx, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival)
{
	vd_effects_entry(ctx, table, list, arrival);
}

/* A dropped record keeps its arrival number, which must never name another one. */
static int drop_bad(struct vd_checking *c)
{
	int rc = VD_OK;

	for (size_t i = 0; i < c->bad_count && !rc; i++)
		rc = vd_stored_drop(c->write, c->bad[i]);
	return rc ? rc : vd_stored_settle(c->write);
}

static int apply_repair(void *ctx, MDB_txn *txn)
{
	static const enum vd_table rebuilt[] = { VD_TABLE_ITEMS, VD_TABLE_LISTS, VD_TABLE_INDEX };
	struct vd_checking *c = ctx;
	int rc = 0;

	for (size_t i = 0; i < 3 && !rc; i++)
		rc = mdb_drop(txn, vd_db_table(c->store->db, rebuilt[i]), 0);
	if (!rc)
		rc = vd_effects_apply(&c->write->effects, c->store, txn);
	for (size_t group = 0; group < c->group_count && !rc; group++) {
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			vd_checking_lane(c, group, lane);
			rc = vd_lane_put(c->store, txn, c->lane);
		}
	}
	return rc;
}

/* How many records there are of each author; and what was remembered of the lanes is void. */
static int recount_shares(struct vd_checking *c)
{
	uint64_t repairs, here, wanted;
	uint8_t again[8];
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
		const struct vd_checked *one = &c->seen[i];

		rc = vd_share_recount(c->write, c->in[one->group].group, c->authors[one->author].key, one->lane, !one->bad);
	}
	vd_checking_bulk(c, &here, &wanted);
	vd_share_recount_bulk(c->write, here, wanted);
	vd_shares_put(c->write);
	return rc;
}

int vd_checking_repair(struct vd_checking *c)
{
	int rc = vd_pool_relist(c->write);

	if (!rc)
		rc = drop_bad(c);
	if (rc)
		return rc;
	for (size_t i = 0; i < c->count; i++)
		if (!c->seen[i].bad)
			vd_checking_entries(c, i, put_entry, &c->write->effects);
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
