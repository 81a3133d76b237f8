#include "stored.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

/* Nothing at all, a stub with at most one reason why its body is not wanted, or dropped. */
bool vd_stored_flags_ok(uint8_t flags)
{
	uint8_t why = flags & VD_STORED_WHY_NOT, rest = flags & (uint8_t)~VD_STORED_WHY_NOT;

	if (why)
		return rest == VD_STORED_STUB && !(why & (why - 1));
	return !(rest & (uint8_t)~(VD_STORED_STUB | VD_STORED_DROPPED));
}

const char *vd_why_not_list(uint8_t flags)
{
	switch (flags & VD_STORED_WHY_NOT) {
	case VD_STORED_WAITING: return "waiting";
	case VD_STORED_UNWANTED: return "unwanted";
	case VD_STORED_EXPIRED: return "expired";
	case VD_STORED_PRUNED: return "pruned";
	}
	return NULL;
}

bool vd_flags_wanted(uint8_t flags)
{
	return flags == VD_STORED_STUB;
}

struct vd_place vd_place_of(const struct vd_stored *stored)
{
	return (struct vd_place){ stored->arrival, stored->received_ms, stored->flags, stored->compact, stored->alone };
}

int vd_stored_view(const struct vd_stored *stored, struct vd_record *out)
{
	if (!stored->compact)
		return vd_record_decode(stored->raw, out);
	*out = stored->view;
	return VD_OK;
}

/* --- one value --- */

void vd_reading_wipe(struct vd_reading *r)
{
	vd_buf_wipe(&r->value);
	vd_buf_wipe(&r->raws);
	if (r->ones)
		sodium_memzero(r->ones, r->cap * sizeof(*r->ones));
	free(r->ones);
	vd_compact_deinit(&r->stream);
	sodium_memzero(r, sizeof(*r));
}

static struct vd_read_one *one_more(struct vd_reading *r)
{
	if (!vd_room(&r->ones, r->read, &r->cap, 1, sizeof(*r->ones)))
		return NULL;
	r->ones[r->read] = (struct vd_read_one){ .stored = { .arrival = r->first + r->read, .flags = r->flags } };
	return &r->ones[r->read];
}

static int read_whole(struct vd_reading *r)
{
	struct vd_read_one *one = one_more(r);
	struct vd_rd rest = r->rest;

	if (!one)
		return VD_ENOMEM;
	one->stored.alone = true;
	one->stored.received_ms = vd_rd_u64(&rest);
	vd_rd_copy(&rest, one->stored.id.b, VD_ID_BYTES);
	if (rest.err || rest.n > VD_RECORD_MAX)
		return VD_EDAMAGED;
	one->stored.raw = vd_rd_take(&rest, rest.n);
	/* Nothing is left of a dropped one: a flag alone hides no record. */
	if (r->flags & VD_STORED_DROPPED) {
		if (one->stored.raw.n || !sodium_is_zero(one->stored.id.b, VD_ID_BYTES))
			return VD_EDAMAGED;
		one->err = VD_ENOTFOUND;
	}
	r->read++;
	return VD_OK;
}

/* One that is damaged leaves the stream without what the next is told by: those have other ids then. */
static int decode(struct vd_reading *r, struct vd_slice in, struct vd_stored *out)
{
	struct vd_rd rest = vd_rd(in);
	uint8_t check[VD_STORED_CHECK_BYTES], i = 0;
	int rc;

	vd_rd_copy(&rest, check, sizeof(check));
	check[0] = (uint8_t)(check[0] - r->count);
	rc = rest.err ? VD_EDAMAGED : vd_compact_decode(&r->stream, vd_slice(rest.p, rest.n), &r->raws, &out->view);
	if (rc)
		return rc == VD_ENOMEM ? rc : VD_EDAMAGED;
	if (memcmp(out->view.id.b, check, sizeof(check)) || out->view.stub != (bool)(r->flags & VD_STORED_STUB))
		return VD_EDAMAGED;
	while (i < r->authors && memcmp(r->stream.authors[i].key, out->view.author, VD_KEY_BYTES))
		i++;
	if (i == r->authors)
		return VD_EDAMAGED;
	out->number = r->numbers[i];
	if (!r->read)
		r->later += out->view.time_ms;
	out->received_ms = r->later;
	out->id = out->view.id;
	out->raw = out->view.raw;
	out->compact = true;
	out->alone = r->count == 1;
	return VD_OK;
}

/* The next of a run. VD_ENOMEM: it is still the next. */
static int read_next(struct vd_reading *r)
{
	struct vd_read_one *one = one_more(r);
	struct vd_rd rest = r->rest;
	uint64_t n = r->read + 1u == r->count ? rest.n : vd_rd_varint(&rest);
	struct vd_slice form = { 0 };

	if (!one)
		return VD_ENOMEM;
	if (n > rest.n)
		rest.err = VD_EDAMAGED;
	else
		form = vd_rd_take(&rest, (size_t)n);
	one->err = rest.err ? VD_EDAMAGED : decode(r, form, &one->stored);
	if (one->err == VD_ENOMEM)
		return VD_ENOMEM;
	r->rest = rest;
	r->read++;
	return VD_OK;
}

static int read_authors(struct vd_reading *r, int (*author_of)(void *ctx, uint64_t number, struct vd_author *), void *ctx)
{
	uint8_t group[VD_GROUP_BYTES];
	struct vd_author who;

	r->authors = vd_rd_u8(&r->rest);
	if (!r->authors || r->authors > r->count)
		return VD_EDAMAGED;
	for (uint8_t i = 0; i < r->authors; i++) {
		uint64_t number = vd_rd_varint(&r->rest);
		int rc = r->rest.err ? VD_EDAMAGED : author_of(ctx, number, &who);

		if (rc)
			return rc;
		if (!i)
			vd_compact_reset(&r->stream, memcpy(group, who.group, sizeof(group)));
		if (memcmp(who.group, group, sizeof(group)))
			return VD_EDAMAGED;
		if (vd_compact_know(&r->stream, who.key))
			return VD_ENOMEM;
		r->numbers[i] = (uint32_t)number;
	}
	return VD_OK;
}

/* What they take once put together is set aside at once: nothing moves while it is borrowed. */
static int read_run(struct vd_reading *r, bool says, int (*author_of)(void *ctx, uint64_t number, struct vd_author *), void *ctx)
{
	enum { HEAD_ROOM = VD_HEADER_MAX + VD_SIGNATURE_BYTES };
	int rc;

	r->count = vd_rd_u8(&r->rest);
	if (says) {
		vd_rd_varint(&r->rest);
		vd_rd_u32(&r->rest);
	}
	r->later = vd_unzigzag(vd_rd_varint(&r->rest));
	if (!r->count || r->count > VD_STORED_RUN_MAX || r->count > r->last || r->flags & VD_STORED_DROPPED)
		return VD_EDAMAGED;
	r->first = r->last - r->count + 1;
	rc = read_authors(r, author_of, ctx);
	if (rc)
		return rc;
	vd_buf_reset(&r->raws);
	if (!vd_buf_extend(&r->raws, (size_t)r->count * HEAD_ROOM + r->value.n))
		return VD_ENOMEM;
	r->raws.n = 0;
	rc = read_next(r);
	return rc ? rc : r->ones[0].err;
}

/* `value` stands in r->value. */
static int begin(struct vd_reading *r, struct vd_slice value, uint64_t last, int (*author_of)(void *ctx, uint64_t number, struct vd_author *),
                 void *ctx)
{
	bool compact, says;

	r->rest = vd_rd(value);
	r->flags = vd_rd_u8(&r->rest);
	compact = r->flags & VD_STORED_COMPACT;
	says = compact && r->flags & VD_STORED_SAYS;
	r->flags &= (uint8_t)~(VD_STORED_COMPACT | (says ? VD_STORED_SAYS : 0));
	r->first = r->last = last;
	r->count = 1;
	r->read = 0;
	r->damaged = false;
	if (!vd_stored_flags_ok(r->flags))
		return VD_EDAMAGED;
	return compact ? read_run(r, says, author_of, ctx) : read_whole(r);
}

int vd_reading_begin(struct vd_reading *r, struct vd_slice value, uint64_t last, int (*author_of)(void *ctx, uint64_t number, struct vd_author *),
                     void *ctx)
{
	r->snapshot = 0;
	vd_buf_reset(&r->value);
	vd_buf_put_slice(&r->value, value);
	return vd_buf_check(&r->value) ? VD_ENOMEM : begin(r, vd_buf_slice(&r->value), last, author_of, ctx);
}

bool vd_stored_says(struct vd_slice beginning, uint64_t *last, uint64_t *bytes)
{
	const uint8_t both = VD_STORED_COMPACT | VD_STORED_SAYS;
	struct vd_rd rest = vd_rd(beginning);
	uint8_t flags = vd_rd_u8(&rest), count = vd_rd_u8(&rest);

	*last = vd_rd_varint(&rest);
	*bytes = vd_rd_u32(&rest);
	*bytes += beginning.n - rest.n;
	return !rest.err && (flags & both) == both && vd_stored_flags_ok(flags & (uint8_t)~both) && count && count <= VD_STORED_RUN_MAX;
}

int vd_reading_record(struct vd_reading *r, uint64_t arrival, struct vd_stored *out)
{
	const struct vd_read_one *one;

	out->arrival = arrival;
	if (arrival < r->first || arrival > r->last)
		return VD_ENOTFOUND;
	if (r->damaged)
		return VD_EDAMAGED;
	while (r->read <= arrival - r->first) {
		int rc = read_next(r);

		if (rc)
			return rc;
	}
	one = &r->ones[arrival - r->first];
	*out = one->stored;
	return one->err;
}

/* --- in the table --- */

struct finding {
	struct vd_store *store;
	MDB_txn *txn;
};

static int author_of(void *ctx, uint64_t number, struct vd_author *out)
{
	struct finding *finding = ctx;

	return vd_author_of(finding->store, finding->txn, number, out);
}

/* Which numbers may be in a value that does not say so any more? */
static int note_damage(struct vd_store *s, MDB_txn *txn, const MDB_val *key, struct vd_reading *r)
{
	MDB_val k = *key, v;
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);

	if (rc)
		return vd_db_err(rc);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_KEY);
	if (!rc)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
	r->first = !rc && k.mv_size == 8 ? vd_get_u64(k.mv_data) + 1 : 1;
	if (r->last >= VD_STORED_RUN_MAX && r->first < r->last - VD_STORED_RUN_MAX + 1)
		r->first = r->last - VD_STORED_RUN_MAX + 1;
	mdb_cursor_close(cursor);
	r->damaged = true;
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

int vd_stored_open(struct vd_store *s, MDB_txn *txn, const MDB_val *key, const MDB_val *value, struct vd_reading *r)
{
	bool readable = vd_vault_readable(s->vault);
	struct finding finding = { s, txn };
	uint8_t spot[VD_SPOT_BYTES];
	struct vd_slice opened;
	uint64_t last;
	int rc;

	if (key->mv_size != 8)
		return VD_EDAMAGED;
	last = vd_get_u64(key->mv_data);
	if (vd_vault_forgotten(s->vault))
		return VD_EKEY;
	if (r->snapshot && r->snapshot == mdb_txn_id(txn) && r->last == last)
		return VD_OK;
	r->snapshot = 0;
	vd_buf_reset(&r->value);
	rc = vd_vault_open(s->vault, vd_spot(VD_TABLE_RECORDS, key->mv_data, key->mv_size, spot), vd_slice(value->mv_data, value->mv_size), &r->value,
	                   &opened);
	if (!rc && readable) { /* it lasts longer than the snapshot */
		vd_buf_put_slice(&r->value, opened);
		opened = vd_buf_slice(&r->value);
		rc = vd_buf_check(&r->value);
	}
	if (!rc)
		rc = begin(r, opened, last, author_of, &finding);
	if (rc == VD_EDAMAGED || rc == VD_EVERSION || (rc == VD_EKEY && readable)) {
		r->last = last;
		rc = note_damage(s, txn, key, r);
	}
	if (!rc)
		r->snapshot = mdb_txn_id(txn);
	return rc;
}

int vd_stored_get(struct vd_store *s, MDB_txn *txn, uint64_t arrival, struct vd_reading *r, struct vd_stored *out)
{
	uint8_t key[8];
	MDB_val k = { sizeof(key), key }, v;
	MDB_cursor *cursor;
	int rc;

	out->arrival = arrival;
	if (r->snapshot && r->snapshot == mdb_txn_id(txn) && arrival >= r->first && arrival <= r->last && !vd_vault_forgotten(s->vault))
		return vd_reading_record(r, arrival, out);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor));
	if (rc)
		return rc;
	vd_set_u64(key, arrival);
	rc = vd_db_err(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE));
	if (!rc)
		rc = vd_stored_open(s, txn, &k, &v, r);
	mdb_cursor_close(cursor);
	return rc ? rc : vd_reading_record(r, arrival, out);
}

struct vd_reading *vd_reading_borrow(struct vd_store *s, struct vd_reading *own)
{
	return pthread_mutex_trylock(&s->lately_mutex) ? own : &s->lately;
}

void vd_reading_return(struct vd_store *s, struct vd_reading *r)
{
	if (r == &s->lately)
		pthread_mutex_unlock(&s->lately_mutex);
	else
		vd_reading_wipe(r);
}

int vd_stored_read(struct vd_store *s, uint64_t arrival, struct vd_buf *raw, struct vd_stored *out)
{
	struct vd_reading own = { 0 }, *reading;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	reading = vd_reading_borrow(s, &own);
	rc = vd_stored_get(s, txn, arrival, reading, out);
	if (!rc) {
		vd_buf_put_slice(raw, out->raw);
		rc = vd_buf_check(raw);
		out->raw = vd_slice(NULL, 0);
		out->view = (struct vd_record){ 0 };
	}
	vd_reading_return(s, reading);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_latest(struct vd_store *s, MDB_txn *txn, uint64_t *arrival)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);

	*arrival = 0;
	if (rc)
		return vd_db_err(rc);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_LAST);
	if (!rc && k.mv_size != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*arrival = vd_get_u64(k.mv_data);
	mdb_cursor_close(cursor);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}
