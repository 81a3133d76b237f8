/* A body goes, its stub stays: what the index says of it goes, too. */
#include <string.h>

#include "named.h"
#include "tend_inside.h"
#include "proto/err.h"

static void forget_entry(struct vd_write *w, enum vd_index_use use, const uint8_t *group, struct vd_slice what, uint64_t arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_index_list(w->store, use, group, what, list);
	vd_effects_entry_remove(&w->effects, VD_TABLE_INDEX, list, arrival);
}

static int forget(struct vd_letting *l, const struct vd_record *record, uint64_t arrival)
{
	struct vd_write *w = l->write;
	uint8_t list[VD_LIST_KEY_BYTES];
	const struct vd_value *about;
	struct vd_content content;
	struct vd_rd replaced;
	struct vd_part part;
	struct vd_id id;
	int rc;

	if (vd_record_part(record, &part))
		return VD_OK; /* never opened for it */
	vd_list_key(w->store, "unopened", NULL, 0, list);
	vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, arrival);
	vd_buf_reset(&l->body);
	rc = vd_group_open_body(l->group, record, &l->body);
	if (rc == VD_ENOMEM)
		return rc;
	/* It may have opened once: when our role was another, or before it was spoilt and came again as a stub. */
	if (rc == VD_EAUTHOR || rc == VD_ENOTFOUND)
		return vd_arrivals_add(&l->unopened, arrival, false);
	if (rc || vd_content_decode(vd_buf_slice(&l->body), &content))
		return VD_OK;
	forget_entry(w, VD_INDEX_KIND, record->group, content.kind, arrival);
	about = vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES);
	if (about)
		forget_entry(w, VD_INDEX_ABOUT, NULL, about->bytes, arrival);
	for (replaced = vd_replaced(&content); vd_replaced_next(&replaced, &id);)
		forget_entry(w, VD_INDEX_REPLACES, NULL, vd_slice(id.b, VD_ID_BYTES), arrival);
	return VD_OK;
}

int vd_let_go(struct vd_letting *l, const struct vd_stored *stored, const struct vd_record *record, uint8_t why, uint64_t *bodies)
{
	struct vd_place place = vd_place_of(stored);
	struct vd_record stub;
	int rc = forget(l, record, stored->arrival);

	if (!rc)
		rc = vd_named_forget(l->write, record);
	if (!rc)
		rc = vd_record_decode(vd_slice(record->raw.p, record->header.n + record->signature.n), &stub);
	if (rc)
		return rc;
	*bodies += !record->stub;
	return vd_write_again(l->write, l->in, &place, &stub, why);
}

/* What every record has in the index whatever its body says. */
static void keys_of_header(const struct vd_store *s, const struct vd_record *record, uint8_t keys[4][VD_LIST_KEY_BYTES])
{
	uint8_t day[8], bucket[4];

	vd_set_u64(day, record->time_ms / VD_DAY_MS);
	vd_set_u32(bucket, record->expires_day / VD_EXPIRES_BUCKET);
	vd_index_list(s, VD_INDEX_ID, NULL, vd_slice(record->id.b, VD_INDEX_ID_PREFIX), keys[0]);
	vd_index_list(s, VD_INDEX_AUTHOR, record->group, vd_slice(record->author, VD_KEY_BYTES), keys[1]);
	vd_index_list(s, VD_INDEX_DAY, record->group, vd_slice(day, sizeof(day)), keys[2]);
	vd_index_list(s, VD_INDEX_EXPIRES, record->group, vd_slice(bucket, sizeof(bucket)), keys[3]);
}

struct sweeping {
	struct vd_letting *letting;
	MDB_txn *txn;
	struct vd_reading reading;
};

static int sweep_one(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	struct sweeping *sweeping = ctx;
	struct vd_letting *l = sweeping->letting;
	struct vd_store *s = l->write->store;
	uint64_t arrival = vd_get_u64(entry + VD_LIST_KEY_BYTES);
	uint8_t keys[4][VD_LIST_KEY_BYTES];
	struct vd_stored stored;
	struct vd_record record;
	int rc;

	if (!vd_arrivals_held(&l->unopened, arrival))
		return VD_OK;
	rc = vd_stored_get(s, sweeping->txn, arrival, &sweeping->reading, &stored);
	if (rc || vd_stored_view(&stored, &record))
		return rc == VD_ENOMEM ? rc : VD_OK;
	keys_of_header(s, &record, keys);
	for (size_t i = 0; i < 4; i++) {
		if (!memcmp(entry, keys[i], VD_LIST_KEY_BYTES))
			return VD_OK;
	}
	vd_effects_remove(&l->write->effects, VD_TABLE_INDEX, entry, VD_ENTRY_BYTES);
	return VD_OK;
}

/* Through the whole index, for all of them at once: hardly ever. */
int vd_let_go_end(struct vd_letting *l, MDB_txn *txn)
{
	struct sweeping sweeping = { .letting = l, .txn = txn };
	MDB_cursor *cursor;
	int rc;

	if (!l->unopened.count)
		return VD_OK;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(l->write->store->db, VD_TABLE_INDEX), &cursor));
	if (rc)
		return rc;
	rc = vd_lists_walk(cursor, sweep_one, &sweeping);
	mdb_cursor_close(cursor);
	vd_reading_wipe(&sweeping.reading);
	return rc;
}

void vd_letting_deinit(struct vd_letting *l)
{
	vd_arrivals_deinit(&l->unopened);
	vd_buf_wipe(&l->body);
}
