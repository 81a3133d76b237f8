#include <string.h>

#include "pool.h"
#include "proto/err.h"
#include "proto/sign.h"

/* The value "pool": u64 next number, u64 count, u64 bytes. An entry: id ‖ raw record. */
enum { STATE_BYTES = 24 };

static void pooled_list(const struct vd_store *s, const struct vd_id *id, uint8_t key[VD_LIST_KEY_BYTES])
{
	struct vd_slice part = vd_slice(id->b, VD_ID_BYTES);

	vd_list_key(s, "pooled", &part, 1, key);
}

static void author_list(const struct vd_store *s, const uint8_t author[VD_KEY_BYTES], uint8_t key[VD_LIST_KEY_BYTES])
{
	struct vd_slice part = vd_slice(author, VD_KEY_BYTES);

	vd_list_key(s, "pooled by", &part, 1, key);
}

static int start(struct vd_store *s, MDB_txn *txn, struct vd_pool_adding *a)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	if (a->started)
		return VD_OK;
	vd_value_key(s, "pool", NULL, 0, key);
	rc = vd_value_get(s, txn, key, &value);
	r = vd_rd(vd_buf_slice(&value));
	if (!rc) {
		a->next = vd_rd_u64(&r);
		a->count = vd_rd_u64(&r);
		a->bytes = vd_rd_u64(&r);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	a->started = true;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int open_entry(struct vd_store *s, const MDB_val *k, const MDB_val *v, struct vd_buf *room,
                      struct vd_record *out)
{
	uint8_t spot[VD_SPOT_BYTES];
	struct vd_slice value;
	struct vd_id id;
	struct vd_rd r;
	int rc;

	vd_buf_reset(room);
	if (k->mv_size != 8)
		return VD_EDAMAGED;
	rc = vd_vault_open(s->vault, vd_spot(VD_TABLE_POOL, k->mv_data, k->mv_size, spot),
	                   vd_slice(v->mv_data, v->mv_size), room, &value);
	if (rc)
		return rc;
	r = vd_rd(value);
	vd_rd_copy(&r, id.b, VD_ID_BYTES);
	return r.err || vd_record_decode(vd_rd_take(&r, r.n), out) || memcmp(out->id.b, id.b, VD_ID_BYTES) ? VD_EDAMAGED
	                                                                                                    : VD_OK;
}

static void forget(struct vd_write *w, struct vd_pool_adding *a, uint64_t number, size_t bytes,
                   const struct vd_record *record)
{
	uint8_t key[8], list[VD_LIST_KEY_BYTES];

	vd_set_u64(key, number);
	vd_effects_remove(&w->effects, VD_TABLE_POOL, key, sizeof(key));
	if (record) {
		pooled_list(w->store, &record->id, list);
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, number);
		author_list(w->store, record->author, list);
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, list, number);
	}
	a->count -= a->count > 0;
	a->bytes -= bytes < a->bytes ? bytes : a->bytes;
}

/* Drops the oldest until `bytes` more fit. */
static int make_room(struct vd_write *w, MDB_txn *txn, struct vd_pool_adding *a, size_t bytes)
{
	struct vd_buf room = { 0 };
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, vd_db_table(w->store->db, VD_TABLE_POOL), &cursor);

	if (rc)
		return vd_db_err(rc);
	while (a->count && (a->count + 1 > VD_POOL_RECORDS || a->bytes + bytes > VD_POOL_BYTES)) {
		uint8_t from[8];
		MDB_val k = { sizeof(from), from }, v;
		struct vd_record record;

		vd_set_u64(from, a->dropped_to + 1);
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		if (rc || k.mv_size != 8)
			break; /* what is left was added by this very transaction */
		a->dropped_to = vd_get_u64(k.mv_data);
		rc = open_entry(w->store, &k, &v, &room, &record);
		forget(w, a, a->dropped_to, v.mv_size, rc ? NULL : &record);
	}
	mdb_cursor_close(cursor);
	vd_buf_deinit(&room);
	return VD_OK;
}

/* What waits of this author, by what is stored: an author of several lanes comes by once for each in a batch. */
static int turn_to(struct vd_store *s, MDB_txn *txn, MDB_cursor *lists, struct vd_pool_adding *a,
                   const uint8_t author[VD_KEY_BYTES])
{
	uint8_t list[VD_LIST_KEY_BYTES], key[8];
	uint64_t number = 0;
	int rc;

	if (a->author.set && !memcmp(a->author.key, author, VD_KEY_BYTES))
		return VD_OK;
	a->author.set = true;
	memcpy(a->author.key, author, VD_KEY_BYTES);
	a->author.sound = vd_sign_key_ok(author);
	a->author.count = a->author.bytes = 0;
	author_list(s, author, list);
	while (!(rc = vd_list_next(lists, list, &number))) {
		MDB_val k = { sizeof(key), key }, v;

		vd_set_u64(key, number);
		if (mdb_get(txn, vd_db_table(s->db, VD_TABLE_POOL), &k, &v))
			continue;
		a->author.count++;
		a->author.bytes += v.mv_size;
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* Waits there already? Otherwise: may it? */
static int may_wait(struct vd_store *s, MDB_txn *txn, struct vd_pool_adding *a, const struct vd_record *record, bool *waits)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t number = 0;
	MDB_cursor *lists;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &lists));

	if (rc)
		return rc;
	pooled_list(s, &record->id, list);
	rc = vd_list_next(lists, list, &number);
	*waits = !rc || (a->added && !memcmp(a->last.b, record->id.b, VD_ID_BYTES));
	if (rc == VD_ENOTFOUND && !*waits)
		rc = turn_to(s, txn, lists, a, record->author);
	mdb_cursor_close(lists);
	if (*waits || (rc && rc != VD_ENOTFOUND))
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	if (a->added >= VD_POOL_RECORDS / 2) /* no single batch may push out everything else */
		return VD_EAUTHOR;
	if (a->author.count >= VD_POOL_AUTHOR || a->author.bytes + record->raw.n > VD_POOL_AUTHOR_BYTES)
		return VD_EAUTHOR;
	return a->author.sound ? vd_record_verify(record) : VD_ESIGNATURE;
}

int vd_pool_add(struct vd_write *w, MDB_txn *txn, struct vd_pool_adding *a, const struct vd_record *record)
{
	uint8_t list[VD_LIST_KEY_BYTES], key[8];
	size_t before = w->effects.bytes.n;
	bool waits = false;
	uint64_t number;
	int rc = start(w->store, txn, a);

	if (!rc)
		rc = may_wait(w->store, txn, a, record, &waits);
	if (rc || waits)
		return rc;
	rc = make_room(w, txn, a, VD_ID_BYTES + 1 + record->raw.n);
	if (rc)
		return rc;
	number = ++a->next;
	vd_set_u64(key, number);
	vd_buf_reset(&w->value);
	vd_buf_put(&w->value, record->id.b, VD_ID_BYTES);
	vd_buf_put_slice(&w->value, record->raw);
	if (w->value.failed)
		w->effects.failed = true;
	vd_effects_put(&w->effects, w->store, VD_TABLE_POOL, key, sizeof(key), vd_buf_slice(&w->value));
	pooled_list(w->store, &record->id, list);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, number);
	author_list(w->store, record->author, list);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, number);
	a->count++;
	a->bytes += w->effects.bytes.n - before;
	a->author.count++;
	a->author.bytes += record->raw.n;
	a->last = record->id;
	a->added++;
	return w->effects.failed ? VD_ENOMEM : VD_OK;
}

void vd_pool_add_end(struct vd_write *w, const struct vd_pool_adding *a)
{
	uint8_t value[STATE_BYTES];

	if (!a->started)
		return;
	vd_set_u64(value, a->next);
	vd_set_u64(value + 8, a->count);
	vd_set_u64(value + 16, a->bytes);
	vd_effects_value(&w->effects, w->store, "pool", NULL, 0, vd_slice(value, sizeof(value)));
}

int vd_pool_remove(struct vd_write *w, MDB_txn *txn, struct vd_pool_adding *a, const struct vd_record *record)
{
	uint8_t list[VD_LIST_KEY_BYTES], key[8];
	uint64_t number = 0;
	MDB_cursor *cursor;
	int rc = start(w->store, txn, a);

	if (!rc)
		rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(w->store->db, VD_TABLE_LISTS), &cursor));
	if (rc)
		return rc;
	pooled_list(w->store, &record->id, list);
	while (!(rc = vd_list_next(cursor, list, &number))) {
		MDB_val k = { sizeof(key), key }, v;

		vd_set_u64(key, number);
		rc = mdb_get(txn, vd_db_table(w->store->db, VD_TABLE_POOL), &k, &v);
		if (!rc)
			forget(w, a, number, v.mv_size, record);
		else if (rc != MDB_NOTFOUND)
			break;
	}
	mdb_cursor_close(cursor);
	return rc == VD_ENOTFOUND ? VD_OK : vd_db_err(rc);
}

/* Every record that waits, oldest first. One that cannot be read is passed over; non-zero from `visit` ends it. */
static int each_waiting(struct vd_store *s, int (*visit)(void *ctx, uint64_t number, const struct vd_record *), void *ctx)
{
	struct vd_buf room = { 0 };
	MDB_cursor *cursor;
	MDB_txn *txn;
	MDB_val k, v;
	int rc = vd_db_read(s->db, &txn), stop = 0;

	if (rc)
		return rc;
	rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_POOL), &cursor);
	if (rc) {
		vd_db_done(s->db, txn);
		return vd_db_err(rc);
	}
	for (rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); !rc && !stop; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		struct vd_record record;

		if (!open_entry(s, &k, &v, &room, &record))
			stop = visit(ctx, vd_get_u64(k.mv_data), &record);
	}
	mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_buf_deinit(&room);
	if (stop)
		return stop;
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

struct taking {
	const uint8_t *group;
	struct vd_batch *batch;
};

static int take_waiting(void *ctx, uint64_t number, const struct vd_record *record)
{
	struct taking *t = ctx;

	(void)number;
	if (memcmp(record->group, t->group, VD_GROUP_BYTES))
		return 0;
	return vd_batch_add(t->batch, record->raw) == VD_ENOMEM ? VD_ENOMEM : 0;
}

int vd_pool_take(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *batch)
{
	struct taking t = { group, batch };

	return each_waiting(s, take_waiting, &t);
}

static int relist_waiting(void *ctx, uint64_t number, const struct vd_record *record)
{
	struct vd_write *w = ctx;
	uint8_t list[VD_LIST_KEY_BYTES];

	pooled_list(w->store, &record->id, list);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, number);
	author_list(w->store, record->author, list);
	vd_effects_entry(&w->effects, VD_TABLE_LISTS, list, number);
	return 0;
}

int vd_pool_relist(struct vd_write *w)
{
	return each_waiting(w->store, relist_waiting, w);
}
