#include "attached.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

static int in_order(const void *x, const void *y)
{
	const struct vd_attached_chunk *a = x, *b = y;

	if (a->attachment != b->attachment)
		return a->attachment < b->attachment ? -1 : 1;
	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	if (a->stub != b->stub)
		return a->stub ? 1 : -1;
	return a->arrival < b->arrival ? -1 : a->arrival > b->arrival;
}

/* Only the author's own device can say what belongs to its record. */
static int add(const struct vd_stored *stored, const struct vd_record *of, struct vd_attached *out)
{
	struct vd_record record;
	struct vd_part part;

	if (vd_stored_view(stored, &record) || memcmp(record.author, of->author, VD_KEY_BYTES) || memcmp(record.group, of->group, VD_GROUP_BYTES) ||
	    !vd_record_part(&record, &part) || memcmp(part.of.b, of->id.b, VD_ID_BYTES))
		return VD_OK;
	if (!vd_room(&out->chunks, out->count, &out->cap, 16, sizeof(*out->chunks)))
		return VD_ENOMEM;
	out->chunks[out->count++] = (struct vd_attached_chunk){ stored->arrival, part.number, part.attachment, record.body_bytes, record.stub,
		                                                  stored->flags & VD_STORED_WAITING, stored->flags & VD_STORED_PRUNED };
	return VD_OK;
}

int vd_attached_find(struct vd_store *s, const struct vd_record *of, struct vd_attached *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_reading reading = { 0 };
	MDB_cursor *cursor = NULL;
	uint64_t arrival = 0;
	bool damaged = false;
	MDB_txn *txn;
	/* Where it cannot be written (a full disk, a medium that is only read), what it knew before is found. */
	int rc = vd_index_catch_up(s);

	*out = (struct vd_attached){ 0 };
	if (rc == VD_ENOMEM)
		return rc;
	rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	vd_index_list(s, VD_INDEX_PART, of->group, vd_slice(of->id.b, VD_ID_BYTES), list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor));
	while (!rc && !(rc = vd_list_next(cursor, list, &arrival))) {
		struct vd_stored stored;

		rc = vd_stored_get(s, txn, arrival, &reading, &stored);
		damaged |= rc == VD_EDAMAGED || rc == VD_ENOTFOUND;
		if (!rc)
			rc = add(&stored, of, out);
		else if (rc == VD_EDAMAGED || rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	if (out->count)
		qsort(out->chunks, out->count, sizeof(*out->chunks), in_order);
	return rc != VD_ENOTFOUND ? rc : damaged ? VD_EDAMAGED : VD_OK;
}

void vd_attached_deinit(struct vd_attached *a)
{
	free(a->chunks);
	*a = (struct vd_attached){ 0 };
}

uint32_t vd_attached_count(const struct vd_attached *a, uint8_t attachment, uint32_t chunks, uint32_t *stubs)
{
	const struct vd_attached_chunk *last = NULL;
	uint32_t here = 0, without = 0;

	for (size_t i = 0; i < a->count; i++) {
		const struct vd_attached_chunk *c = &a->chunks[i];

		if (c->attachment != attachment || c->number >= chunks || (last && last->number == c->number))
			continue;
		last = c;
		here += !c->stub;
		without += c->stub;
	}
	if (stubs)
		*stubs = without;
	return here;
}

bool vd_attached_waits(const struct vd_attached *a, uint8_t attachment, uint32_t chunks)
{
	uint32_t without, here = vd_attached_count(a, attachment, chunks, &without);

	for (size_t i = 0; i < a->count; i++)
		if (a->chunks[i].attachment == attachment && a->chunks[i].number < chunks && a->chunks[i].waits)
			return true;
	return here + without < chunks;
}

bool vd_attached_pruned(const struct vd_attached *a, uint8_t attachment, uint32_t chunks)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->chunks[i].attachment == attachment && a->chunks[i].number < chunks && a->chunks[i].pruned)
			return true;
	return false;
}

struct writing {
	struct vd_store *store;
	struct vd_group *group;
	struct vd_file_out *out;
	crypto_generichash_state hash;
	uint64_t left;               /* bytes that the file must still have */
	struct vd_buf raw, body;
};

static int write_chunk(struct writing *w, uint64_t arrival)
{
	struct vd_record record;
	struct vd_slice data;
	int rc = vd_store_read(w->store, arrival, &w->raw, &record, NULL);

	vd_buf_reset(&w->body);
	if (!rc)
		rc = vd_group_open_body(w->group, &record, &w->body);
	if (rc)
		return rc == VD_ESIGNATURE || rc == VD_EFORMAT ? VD_EDAMAGED : rc;
	if (vd_chunk_decode(vd_buf_slice(&w->body), &data) || data.n > w->left)
		return VD_EDAMAGED;
	w->left -= data.n;
	crypto_generichash_update(&w->hash, data.p, data.n);
	return vd_file_write(w->out, data);
}

int vd_attached_write(struct vd_store *s, struct vd_group *group, const struct vd_attached *a, uint8_t which, const struct vd_attachment *what,
                      struct vd_file_out *out)
{
	struct writing w = { .store = s, .group = group, .out = out, .left = what->size };
	uint8_t hash[VD_HASH_BYTES];
	uint32_t next = 0;
	int rc = VD_OK;

	crypto_generichash_init(&w.hash, NULL, 0, sizeof(hash));
	for (size_t i = 0; i < a->count && next < what->chunks && !rc; i++) {
		if (a->chunks[i].attachment != which || a->chunks[i].number != next || a->chunks[i].stub)
			continue;
		rc = write_chunk(&w, a->chunks[i].arrival);
		next++;
	}
	if (!rc && next < what->chunks)
		rc = VD_ENOTFOUND;
	crypto_generichash_final(&w.hash, hash, sizeof(hash));
	if (!rc && (w.left || memcmp(hash, what->hash, sizeof(hash))))
		rc = VD_EDAMAGED;
	sodium_memzero(&w.hash, sizeof(w.hash));
	vd_buf_wipe(&w.raw);
	vd_buf_wipe(&w.body);
	return rc;
}
