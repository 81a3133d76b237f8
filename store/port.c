/* The store behind a session: proto/port.h on LMDB. */
#include <string.h>

#include "custody.h"
#include "inside.h"
#include "judge.h"
#include "proto/err.h"

static int port_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *state,
                     struct vd_symbol *symbols, size_t n)
{
	return vd_store_lane(ctx, group, lane, state, symbols, n);
}

static int port_lane_without(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving,
                             struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	return vd_shares_lane(ctx, group, lane, leaving, state, symbols, n);
}

static int port_declined(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	return vd_shares_declined(ctx, group, out);
}

/* Is all that is said of it the stub? *record is what `raw` is. */
static bool is_withheld(struct vd_store *s, const struct vd_stored *stored, struct vd_slice raw, struct vd_record *record)
{
	return !(stored->flags & VD_STORED_STUB) && !vd_record_view(raw, record) && vd_store_withholds(s, record);
}

static struct vd_arrival arrival_of(struct vd_store *s, const struct vd_stored *stored)
{
	struct vd_record record;
	struct vd_arrival out = { .arrival = stored->arrival, .id = stored->id,
		                  .stub = stored->flags & VD_STORED_STUB || is_withheld(s, stored, stored->raw, &record) };

	memcpy(out.author, vd_raw_author(stored->raw), VD_KEY_BYTES);
	return out;
}

/* Records on a list, from behind `arrival`, loaded one by one; `lane`: only those of it. */
static int on_list(struct vd_store *s, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES],
                   const uint8_t *group, uint8_t lane, uint64_t arrival, struct vd_arrival *out, size_t max, size_t *n)
{
	struct vd_reading own = { 0 }, *reading;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	*n = 0;
	if (rc)
		return rc;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, table), &cursor));
	if (rc) {
		vd_db_done(s->db, txn);
		return rc;
	}
	reading = vd_reading_borrow(s, &own);
	while (*n < max && !(rc = vd_list_next(cursor, list, &arrival))) {
		struct vd_stored stored;

		int got = vd_stored_get(s, txn, arrival, reading, &stored);

		if (got == VD_EDAMAGED)
			vd_store_unread_one(s);
		if (got || !vd_raw_in(stored.raw, group, lane))
			continue; /* dropped or spoilt */
		out[(*n)++] = arrival_of(s, &stored);
	}
	vd_reading_return(s, reading);
	mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int port_find_item(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES],
                          struct vd_arrival *out, size_t max, size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_item_list(ctx, group, item, list);
	return on_list(ctx, VD_TABLE_ITEMS, list, group, lane, 0, out, max, n);
}

static int port_wanted(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max,
                       size_t *n)
{
	uint8_t list[VD_LIST_KEY_BYTES];

	vd_lane_list(ctx, "wanted", group, lane, list);
	return on_list(ctx, VD_TABLE_LISTS, list, group, lane, after, out, max, n);
}

/* Is that the record which was stored? In a sealed store, and where records stand compact, reading has shown it. */
static bool is_sound(struct vd_store *s, const struct vd_stored *stored, struct vd_slice raw)
{
	struct vd_record record;

	return stored->compact || !vd_store_readable(s) || (!vd_record_decode(raw, &record) && !memcmp(record.id.b, stored->id.b, VD_ID_BYTES));
}

/* A spoilt one is as if it were not here: the others must not suffer, and who took it would refuse it. */
static int port_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	struct vd_stored stored;
	struct vd_record record;
	size_t start = out->n;
	int rc = vd_stored_read(ctx, arrival, out, &stored);

	if (rc != VD_EDAMAGED && (rc || is_sound(ctx, &stored, vd_slice(out->p + start, out->n - start)))) {
		if (!rc && is_withheld(ctx, &stored, vd_slice(out->p + start, out->n - start), &record))
			out->n = start + record.header.n + record.signature.n;
		return rc;
	}
	out->n = start;
	vd_store_unread_one(ctx);
	return VD_ENOTFOUND;
}

static int port_scan(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out,
                     size_t max, size_t *n)
{
	struct vd_page page = { .last = after };
	int rc = VD_OK;

	*n = 0;
	while (!rc && !page.end && *n < max) {
		rc = vd_page_read(ctx, group, lane, page.last, max - *n, false, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			const struct vd_page_entry *entry = &page.entries[i];

			if (entry->err) {
				vd_store_unread_one(ctx);
				continue;
			}
			out[*n] = (struct vd_arrival){ .arrival = entry->arrival, .id = entry->id, .stub = entry->stub };
			memcpy(out[(*n)++].author, entry->author, VD_KEY_BYTES);
		}
	}
	vd_page_deinit(&page);
	return rc;
}

static int port_numbers(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	return vd_store_lane_numbers(ctx, group, lane, after, out, max, n);
}

static bool port_vouched(void *ctx, const struct vd_record *record)
{
	return vd_vouched(ctx, record);
}

static void port_check(void *ctx, struct vd_batch *batch, size_t checks)
{
	vd_store_check_batch(ctx, batch, checks);
}

void vd_store_unread_one(struct vd_store *s)
{
	atomic_fetch_add(&s->unread, 1);
}

uint64_t vd_store_unread(struct vd_store *s)
{
	return atomic_load(&s->unread);
}

static int port_told(void *ctx, struct vd_group *group, struct vd_told_list *out)
{
	return vd_custody_list(ctx, group, vd_now_ms(), out);
}

static int port_receipt(void *ctx, const uint8_t *group, const uint8_t device[VD_KEY_BYTES], struct vd_buf *out)
{
	return vd_custody_receipt(ctx, group, device, out);
}

void vd_store_port(struct vd_store *s, struct vd_port *port)
{
	*port = (struct vd_port){
		.ctx = s,
		.lane = port_lane,
		.lane_without = port_lane_without,
		.declined = port_declined,
		.find_item = port_find_item,
		.read = port_read,
		.scan = port_scan,
		.numbers = port_numbers,
		.wanted = port_wanted,
		.vouched = port_vouched,
		.check = port_check,
		.told = port_told,
		.receipt = port_receipt,
	};
}
