/* Control records stand twice: who is in, and the keys to everything else, hang on them, so one broken page takes nobody's place. The second
 * copy stands among the values, and so on another page than the first: u64 arrival ‖ the record as it stands whole (stored.h). Its name is eight
 * bytes of ones, which no hash begins with, and its arrival number: what is written behind everything else fills its pages, and those of the
 * values that change all the time stay few. A vault turns that name as any other. Older stores have copies under names that are hashes. */
#include <string.h>

#include "inside.h"
#include "proto/err.h"

_Static_assert(VD_INDEX_KEY_BYTES == 16, "ones, and an arrival number");

void vd_twice_key(const struct vd_store *s, uint64_t arrival, uint8_t key[VD_INDEX_KEY_BYTES])
{
	memset(key, 0xff, 8);
	vd_set_u64(key + 8, arrival);
	vd_vault_turn_key(s->vault, key, key);
}

static void older_key(const struct vd_store *s, uint64_t arrival, uint8_t key[VD_INDEX_KEY_BYTES])
{
	uint8_t number[8] = { 0 };
	struct vd_slice part = vd_slice(number, sizeof(number));

	vd_set_u64(number, arrival);
	vd_value_key(s, "control again", &part, 1, key);
}

bool vd_twice_read(struct vd_slice value, uint64_t *arrival, struct vd_slice *whole)
{
	struct vd_record record;
	struct vd_slice raw;

	if (value.n < 8 + VD_STORED_HEAD)
		return false;
	*arrival = vd_get_u64(value.p);
	*whole = vd_slice(value.p + 8, value.n - 8);
	raw = vd_slice(whole->p + VD_STORED_HEAD, whole->n - VD_STORED_HEAD);
	return !whole->p[0] && *arrival && !vd_record_decode(raw, &record) && record.lane == VD_LANE_CONTROL && !record.stub &&
	       !memcmp(record.id.b, whole->p + 1 + 8, VD_ID_BYTES);
}

static void put(struct vd_write *w, uint64_t arrival, uint64_t received_ms, const struct vd_record *record)
{
	uint8_t key[VD_INDEX_KEY_BYTES];

	vd_twice_key(w->store, arrival, key);
	vd_buf_reset(&w->value);
	vd_buf_put_u64(&w->value, arrival);
	vd_buf_put_u8(&w->value, 0);
	vd_buf_put_u64(&w->value, received_ms);
	vd_buf_put(&w->value, record->id.b, VD_ID_BYTES);
	vd_buf_put_slice(&w->value, record->raw);
	if (vd_buf_check(&w->value))
		w->err = VD_ENOMEM;
	else
		vd_effects_put(&w->effects, w->store, VD_TABLE_VALUES, key, sizeof(key), vd_buf_slice(&w->value));
}

void vd_twice_put(struct vd_write *w, uint64_t arrival, uint64_t received_ms, const struct vd_record *record)
{
	if (record->lane == VD_LANE_CONTROL && !record->stub && !w->err)
		put(w, arrival, received_ms, record);
}

/* --- check --repair --- */

static int copy_under(struct vd_store *s, MDB_txn *txn, const uint8_t key[VD_INDEX_KEY_BYTES], uint64_t arrival, struct vd_buf *value,
                      struct vd_slice *whole)
{
	uint64_t number;
	int rc;

	vd_buf_reset(value);
	rc = vd_value_get(s, txn, key, value);
	if (!rc && (!vd_twice_read(vd_buf_slice(value), &number, whole) || number != arrival))
		rc = VD_ENOTFOUND;
	return rc == VD_EDAMAGED ? VD_ENOTFOUND : rc;
}

/* The copy of what stands, or stood, under that number. VD_ENOTFOUND: there is none, or it is damaged too. */
static int copy_of(struct vd_store *s, uint64_t arrival, struct vd_buf *value, struct vd_slice *whole)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	vd_twice_key(s, arrival, key);
	rc = copy_under(s, txn, key, arrival, value, whole);
	if (rc == VD_ENOTFOUND) {
		older_key(s, arrival, key);
		rc = copy_under(s, txn, key, arrival, value, whole);
	}
	vd_db_done(s->db, txn);
	return rc;
}

/* Is that one stored, and sound, anywhere? */
static bool stands(struct vd_store *s, const uint8_t *id, struct vd_buf *raw)
{
	struct vd_record record;
	struct vd_id wanted;
	uint64_t arrival;

	memcpy(wanted.b, id, VD_ID_BYTES);
	return !vd_store_find(s, &wanted, &arrival) && !vd_store_read(s, arrival, raw, &record, NULL) && !memcmp(record.id.b, id, VD_ID_BYTES);
}

static int mend(struct vd_write *w, const struct vd_page *page, const struct vd_page_entry *entry, struct vd_buf *value, struct vd_buf *raw)
{
	struct vd_record record;
	struct vd_slice whole;
	bool sound = !entry->err && !vd_record_decode(vd_page_raw(page, entry), &record) && !memcmp(record.id.b, entry->id.b, VD_ID_BYTES);
	int rc;

	if (sound && (record.lane != VD_LANE_CONTROL || record.stub))
		return VD_OK;
	rc = copy_of(w->store, entry->arrival, value, &whole);
	if (rc && rc != VD_ENOTFOUND)
		return rc;
	if (sound) {
		if (rc || memcmp(whole.p + 1 + 8, record.id.b, VD_ID_BYTES) != 0)
			vd_twice_put(w, entry->arrival, entry->received_ms, &record);
		return w->err;
	}
	if (rc || stands(w->store, whole.p + 1 + 8, raw))
		return VD_OK;
	rc = vd_record_decode(vd_slice(whole.p + VD_STORED_HEAD, whole.n - VD_STORED_HEAD), &record);
	return rc ? rc : vd_stored_put_again(w, &(struct vd_place){ .arrival = entry->arrival, .received_ms = vd_get_u64(whole.p + 1), .alone = true }, &record, 0);
}

int vd_twice_mend(struct vd_store *s)
{
	struct vd_page page = { 0 };
	struct vd_buf value = { 0 }, raw = { 0 };
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	while (!rc && !page.end) {
		rc = vd_page_read(s, NULL, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++)
			rc = mend(w, &page, &page.entries[i], &value, &raw);
	}
	vd_page_deinit(&page);
	vd_buf_deinit(&value);
	vd_buf_deinit(&raw);
	if (!rc)
		return vd_write_end(w);
	vd_write_abort(w);
	return rc;
}
