#include "compact.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"

/* The first byte. */
enum {
	LANE = 0x03,
	PREV = 0x0c,         /* how prev is told: */
	PREV_NONE = 0x00,
	PREV_KEY = 0x04,     /* in full */
	PREV_LAST = 0x08,    /* it is the last of this author and lane, and seq one higher */
	WHOLE = 0x0c,        /* alone: what follows is the record as it is */
	AUTHOR = 0x10,       /* the author's key follows; else its number */
	EXPIRES = 0x20,
	STUB = 0x40,
};

#define DAY_MS UINT64_C(86400000)

void vd_compact_init(struct vd_compact *c, const uint8_t group[VD_GROUP_BYTES])
{
	memcpy(c->group, group, VD_GROUP_BYTES);
	c->authors = NULL;
	c->capacity = 0;
	c->seen = 0;
}

void vd_compact_reset(struct vd_compact *c, const uint8_t group[VD_GROUP_BYTES])
{
	memcpy(c->group, group, VD_GROUP_BYTES);
	c->seen = 0;
}

void vd_compact_deinit(struct vd_compact *c)
{
	free(c->authors);
	c->authors = NULL;
	c->capacity = 0;
	c->seen = 0;
}

static size_t known(const struct vd_compact *c)
{
	return c->seen < VD_COMPACT_AUTHORS ? (size_t)c->seen : VD_COMPACT_AUTHORS;
}

static int grow(struct vd_compact *c, size_t capacity)
{
	struct vd_compact_author *authors = realloc(c->authors, capacity * sizeof(*authors));

	if (!authors)
		return VD_ENOMEM;
	c->authors = authors;
	c->capacity = capacity;
	return VD_OK;
}

int vd_compact_reserve(struct vd_compact *c)
{
	return c->capacity == VD_COMPACT_AUTHORS ? VD_OK : grow(c, VD_COMPACT_AUTHORS);
}

/* Room for one more author, before anything is changed. */
static int reserve(struct vd_compact *c)
{
	if (known(c) < c->capacity || c->capacity == VD_COMPACT_AUTHORS)
		return VD_OK;
	return grow(c, c->capacity ? 2 * c->capacity : 4);
}

static struct vd_compact_author *add(struct vd_compact *c, const uint8_t key[VD_KEY_BYTES])
{
	size_t number = (size_t)(c->seen++ % VD_COMPACT_AUTHORS);
	struct vd_compact_author *a = &c->authors[number];

	*a = (struct vd_compact_author){ 0 };
	memcpy(a->key, key, VD_KEY_BYTES);
	memcpy(&c->starts[number], key, sizeof(c->starts[number]));
	return a;
}

int vd_compact_know(struct vd_compact *c, const uint8_t author[VD_KEY_BYTES])
{
	if (reserve(c))
		return VD_ENOMEM;
	add(c, author);
	return VD_OK;
}

static struct vd_compact_author *find(const struct vd_compact *c, const uint8_t key[VD_KEY_BYTES])
{
	uint64_t start;

	memcpy(&start, key, sizeof(start));
	for (size_t i = 0; i < known(c); i++)
		if (c->starts[i] == start && memcmp(c->authors[i].key, key, VD_KEY_BYTES) == 0)
			return &c->authors[i];
	return NULL;
}

static void note(struct vd_compact_last *last, const struct vd_record *r)
{
	last->id = r->id;
	last->seq = r->seq;
	last->time_ms = r->time_ms;
}

/* ---- writing ---- */

void vd_compact_put_whole(struct vd_slice raw, struct vd_buf *out)
{
	vd_buf_put_u8(out, WHOLE);
	vd_buf_put_slice(out, raw);
}

bool vd_compact_stands_whole(const uint8_t group[VD_GROUP_BYTES], const struct vd_record *r)
{
	return r->version != VD_VERSION || r->ext.n || memcmp(r->group, group, VD_GROUP_BYTES) != 0;
}

/* How a record is to be told. */
struct form {
	struct vd_compact_author *author; /* NULL: by its key */
	bool whole, follows;
	uint64_t seq, time, expires;      /* differences */
};

static bool follows(const struct vd_compact_last *last, const struct vd_record *r)
{
	return r->has_prev && last->seq && r->seq == last->seq + 1 && memcmp(r->prev.b, last->id.b, VD_ID_BYTES) == 0;
}

/* Leaves room for its author. */
static int choose(struct vd_compact *c, const struct vd_record *r, struct form *f)
{
	static const struct vd_compact_last none;
	const struct vd_compact_last *last = &none;

	*f = (struct form){ .whole = vd_compact_stands_whole(c->group, r) };
	if (f->whole)
		return VD_OK;
	f->author = find(c, r->author);
	if (f->author)
		last = &f->author->last[r->lane];
	else if (reserve(c))
		return VD_ENOMEM;
	f->follows = follows(last, r);
	f->seq = vd_zigzag(r->seq - last->seq);
	f->time = vd_zigzag(r->time_ms - last->time_ms);
	f->expires = vd_zigzag(r->expires_day - r->time_ms / DAY_MS);
	return VD_OK;
}

static void move_on(struct vd_compact *c, const struct vd_record *r, const struct form *f)
{
	if (!f->whole)
		note(&(f->author ? f->author : add(c, r->author))->last[r->lane], r);
}

static void put_head(const struct vd_compact *c, const struct vd_record *r, const struct form *f, struct vd_buf *out)
{
	int prev = f->follows ? PREV_LAST : r->has_prev ? PREV_KEY : PREV_NONE;

	vd_buf_put_u8(out, (uint8_t)(r->lane | prev | (f->author ? 0 : AUTHOR) | (r->has_expires ? EXPIRES : 0) | (r->stub ? STUB : 0)));
	if (f->author)
		vd_buf_put_u8(out, (uint8_t)(f->author - c->authors));
	else
		vd_buf_put(out, r->author, VD_KEY_BYTES);
	if (prev == PREV_KEY)
		vd_buf_put(out, r->prev.b, VD_ID_BYTES);
	if (!f->follows)
		vd_buf_put_varint(out, f->seq);
	vd_buf_put_varint(out, f->time);
	if (r->has_expires)
		vd_buf_put_varint(out, f->expires);
}

int vd_compact_encode(struct vd_compact *c, const struct vd_record *r, struct vd_buf *out)
{
	size_t start = out->n;
	struct form f;

	if (choose(c, r, &f))
		return VD_ENOMEM;
	if (f.whole) {
		vd_compact_put_whole(r->raw, out);
	} else {
		put_head(c, r, &f, out);
		vd_buf_put_slice(out, r->signature);
		if (r->stub) {
			vd_buf_put_varint(out, r->body_bytes);
			vd_buf_put(out, r->body_hash, VD_HASH_BYTES);
		} else {
			vd_buf_put_slice(out, r->body);
		}
	}
	if (vd_buf_check(out)) {
		out->n = start;
		return VD_ENOMEM;
	}
	move_on(c, r, &f);
	return VD_OK;
}

int vd_compact_measure(struct vd_compact *c, const struct vd_record *r, size_t *bytes)
{
	size_t n = 1 + VD_SIGNATURE_BYTES;
	struct form f;

	if (choose(c, r, &f))
		return VD_ENOMEM;
	n += f.author ? 1 : (size_t)VD_KEY_BYTES;
	n += f.follows ? 0 : (r->has_prev ? (size_t)VD_ID_BYTES : 0) + vd_varint_bytes(f.seq);
	n += vd_varint_bytes(f.time) + (r->has_expires ? vd_varint_bytes(f.expires) : 0);
	n += r->stub ? vd_varint_bytes(r->body_bytes) + VD_HASH_BYTES : r->body.n;
	*bytes = f.whole ? 1 + r->raw.n : n;
	move_on(c, r, &f);
	return VD_OK;
}

/* ---- reading ---- */

bool vd_compact_is_whole(struct vd_slice in)
{
	return in.n && in.p[0] == WHOLE;
}

static int take_whole(struct vd_slice raw, struct vd_buf *out, struct vd_record *record)
{
	size_t start = out->n;
	int rc = vd_record_decode(raw, record);
	ptrdiff_t ext = rc ? 0 : record->ext.p - raw.p;

	if (rc)
		return rc;
	vd_buf_put_slice(out, raw);
	if (vd_buf_check(out)) {
		out->n = start;
		return VD_ENOMEM;
	}
	record->raw.p = record->header.p = out->p + start;
	record->ext.p = record->raw.p + ext;
	record->signature.p = record->header.p + record->header.n;
	record->body.p = record->signature.p + record->signature.n;
	return VD_OK;
}

int vd_compact_decode(struct vd_compact *c, struct vd_slice in, struct vd_buf *out, struct vd_record *record)
{
	static const struct vd_compact_last none;
	struct vd_rd r = vd_rd(in);
	struct vd_record_fields f = { .has_expires = false };
	struct vd_compact_author *author = NULL;
	const struct vd_compact_last *last = &none;
	uint8_t flags = vd_rd_u8(&r), prev = flags & PREV, stub_hash[VD_HASH_BYTES];
	struct vd_slice signature;
	uint64_t stub_bytes = 0, expires = 0;
	int rc;

	if (!r.err && flags == WHOLE)
		return take_whole(vd_slice(r.p, r.n), out, record);
	if (flags & ~(LANE | PREV | AUTHOR | EXPIRES | STUB) || prev == WHOLE)
		return VD_EFORMAT;
	f.lane = flags & LANE;
	memcpy(f.group, c->group, VD_GROUP_BYTES);
	if (flags & AUTHOR) {
		vd_rd_copy(&r, f.author, VD_KEY_BYTES);
		if (reserve(c))
			return VD_ENOMEM;
	} else {
		uint8_t number = vd_rd_u8(&r);

		if (r.err || number >= known(c))
			return VD_EFORMAT;
		author = &c->authors[number];
		last = &author->last[f.lane];
		memcpy(f.author, author->key, VD_KEY_BYTES);
	}
	f.has_prev = prev != PREV_NONE;
	if (prev == PREV_KEY)
		vd_rd_copy(&r, f.prev.b, VD_ID_BYTES);
	if (prev == PREV_LAST) {
		if (!last->seq)
			return VD_EFORMAT;
		f.prev = last->id;
		f.seq = last->seq + 1;
	} else {
		f.seq = last->seq + vd_unzigzag(vd_rd_varint(&r));
	}
	f.time_ms = last->time_ms + vd_unzigzag(vd_rd_varint(&r));
	f.has_expires = flags & EXPIRES;
	if (f.has_expires)
		expires = f.time_ms / DAY_MS + vd_unzigzag(vd_rd_varint(&r));
	f.expires_day = (uint32_t)expires;
	signature = vd_rd_take(&r, VD_SIGNATURE_BYTES);
	if (flags & STUB) {
		stub_bytes = vd_rd_varint(&r);
		vd_rd_copy(&r, stub_hash, VD_HASH_BYTES);
	}
	if (r.err || expires > UINT32_MAX || (flags & STUB && (!stub_bytes || stub_bytes > VD_BODY_MAX || r.n)))
		return VD_EFORMAT;
	rc = vd_record_join(&f, signature.p, vd_slice(r.p, r.n), (uint32_t)stub_bytes, stub_hash, out, record);
	if (!rc)
		note(&(author ? author : add(c, f.author))->last[f.lane], record);
	return rc;
}
