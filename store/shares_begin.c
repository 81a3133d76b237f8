/* An attachment is not begun where it cannot be finished: nobody can use a part of a picture, and what is whole may have the room. */
#include "shares_inside.h"

#include <string.h>

#include "proto/attachment.h"
#include "proto/err.h"

enum { PLENTY_MIB = 2 * VD_ATTACHED_MIB }; /* of room: whatever it is, it fits */

static bool is_of(const struct vd_part *part, const uint8_t *author, const struct vd_part *other, const uint8_t *by)
{
	return part->attachment == other->attachment && !memcmp(part->of.b, other->of.b, VD_ID_BYTES) && !memcmp(author, by, VD_KEY_BYTES);
}

int vd_share_bulk_anew(struct vd_write *w)
{
	int rc = vd_share_bulk_load(w);

	w->bulk.moved |= !rc && w->bulk.lacking;
	w->bulk.lacking = 0;
	return rc;
}

/* Is the chunk before it here, of the same attachment? *waits: as a stub that waits. */
static int goes_on(struct vd_store *s, MDB_txn *txn, MDB_cursor *items, const struct vd_membership *in, const struct vd_record *record,
                   const struct vd_part *part, bool *yes, bool *waits)
{
	struct vd_reading reading = { 0 };
	struct vd_stored stored;
	struct vd_record before;
	struct vd_part last;
	int rc = record->has_prev ? vd_find_stored(s, txn, items, in, &record->prev, &reading, &stored) : VD_ENOTFOUND;

	*yes = !rc && !vd_stored_view(&stored, &before) && vd_record_part(&before, &last) && is_of(part, record->author, &last, before.author);
	*waits = *yes && stored.flags & VD_STORED_WAITING;
	vd_reading_wipe(&reading);
	return rc == VD_ENOMEM || rc == VD_EIO ? rc : VD_OK;
}

/* How many chunks that record attaches there; 0: it does not tell us. */
static int count_chunks(struct vd_write *w, const struct vd_membership *in, const struct vd_record *record, const struct vd_part *part, uint32_t *chunks)
{
	struct vd_attachment found[VD_ATTACHMENTS_MAX];
	struct vd_buf body = { 0 };
	struct vd_content content;
	int rc = w->bulk.group ? VD_OK : vd_store_group(w->store, in->group, &w->bulk.group);

	if (!rc)
		rc = vd_group_open_body(w->bulk.group, record, &body);
	if (!rc)
		rc = vd_content_decode(vd_buf_slice(&body), &content);
	if (!rc && part->attachment < vd_attachments_of(&content, found))
		*chunks = found[part->attachment].chunks;
	vd_buf_wipe(&body);
	return rc == VD_ENOMEM || rc == VD_EIO ? rc : VD_OK;
}

static int find_chunks(struct vd_write *w, MDB_txn *txn, MDB_cursor *items, const struct vd_membership *in, const struct vd_batch *batch,
                       const struct vd_record *chunk, const struct vd_part *part, uint32_t *chunks)
{
	struct vd_reading reading = { 0 };
	struct vd_stored stored;
	struct vd_record record;
	int rc;

	*chunks = 0;
	for (size_t i = 0; batch && i < batch->count; i++)
		if (!batch->entries[i].verdict && !memcmp(batch->entries[i].record.id.b, part->of.b, VD_ID_BYTES) &&
		    !memcmp(batch->entries[i].record.author, chunk->author, VD_KEY_BYTES))
			return count_chunks(w, in, &batch->entries[i].record, part, chunks);
	rc = vd_find_stored(w->store, txn, items, in, &part->of, &reading, &stored);
	if (!rc && !vd_stored_view(&stored, &record) && !memcmp(record.author, chunk->author, VD_KEY_BYTES))
		rc = count_chunks(w, in, &record, part, chunks);
	vd_reading_wipe(&reading);
	return rc == VD_ENOMEM || rc == VD_EIO ? rc : VD_OK;
}

/* All its chunks but the last are of one size. */
static int judge(struct vd_write *w, MDB_txn *txn, const struct vd_membership *in, const struct vd_batch *batch, const struct vd_record *record,
                 const struct vd_part *part, uint64_t beside, bool fresh, bool *leave)
{
	MDB_cursor *items = NULL;
	bool begun = false, waits = false;
	uint32_t chunks = 0;
	uint64_t bytes;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(w->store->db, VD_TABLE_ITEMS), &items));

	if (!rc)
		rc = goes_on(w->store, txn, items, in, record, part, &begun, &waits);
	*leave = fresh && waits;
	if (!rc && (!begun || (waits && !fresh)))
		rc = find_chunks(w, txn, items, in, batch, record, part, &chunks);
	if (!rc && part->number < chunks) {
		bytes = (uint64_t)(chunks - part->number) * record->body_bytes;
		*leave = !vd_share_bulk_fits(w, beside, bytes);
		if (*leave) {
			w->bulk.lacking = bytes;
			w->bulk.moved = true;
		}
	}
	if (items)
		mdb_cursor_close(items);
	return rc;
}

int vd_share_bulk_begin(struct vd_write *w, const struct vd_membership *in, const struct vd_batch *batch, const struct vd_record *record, uint64_t beside,
                        bool fresh, bool *leave)
{
	struct vd_part part;
	MDB_txn *txn;
	int rc;

	*leave = false;
	if (w->set.bulk_bytes == VD_BULK_ALL || vd_share_bulk_fits(w, beside, (uint64_t)PLENTY_MIB << 20) || !vd_record_part(record, &part) ||
	    (w->bulk.has_begun && is_of(&part, record->author, &w->bulk.begun, w->bulk.begun_author)))
		return VD_OK;
	rc = vd_write_snapshot(w, &txn);
	if (rc)
		return rc;
	rc = judge(w, txn, in, batch, record, &part, beside, fresh, leave);
	vd_write_snapshot_done(w, txn);
	if (!rc && !*leave) {
		w->bulk.has_begun = true;
		w->bulk.begun = part;
		memcpy(w->bulk.begun_author, record->author, VD_KEY_BYTES);
	}
	return rc;
}
