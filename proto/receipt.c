#include "receipt.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "sign.h"

static const char domain[] = "vereda receipt";

enum { VERSION = 1, RESTORED = 1 << VD_LANES, FLAGS = 2 * RESTORED - 1, SIGNED = VD_GROUP_BYTES + VD_HASH_BYTES };
enum { OTHER_TIME = 2 * RESTORED, NAMES = 4 * RESTORED, BRIEF_FLAGS = 8 * RESTORED - 1, ALL_LANES = (1 << VD_LANES) - 1 }; /* of a brief one alone */

/* What is signed: whose it is, so that it says nothing in another group, and a hash of all but the signature. */
static struct vd_slice message_of(const uint8_t group[VD_GROUP_BYTES], struct vd_slice said, uint8_t room[SIGNED])
{
	memcpy(room, group, VD_GROUP_BYTES);
	vd_hash1(VD_HASH_RECEIPT, room + VD_GROUP_BYTES, said);
	return vd_slice(room, SIGNED);
}

static int by_item(const void *a, const void *b)
{
	return memcmp(((const struct vd_span *)a)->item, ((const struct vd_span *)b)->item, VD_ITEM_BYTES);
}

static void put_mark(const struct vd_receipt_lane *lane, struct vd_buf *out)
{
	vd_buf_put_varint(out, lane->count);
	if (lane->count)
		vd_buf_put(out, lane->digest, VD_RECEIPT_DIGEST);
}

static void rd_mark(struct vd_rd *r, struct vd_receipt_lane *lane)
{
	lane->count = vd_rd_varint(r);
	if (lane->count)
		vd_rd_copy(r, lane->digest, VD_RECEIPT_DIGEST);
}

static void put_head(const uint8_t *author, const struct vd_receipt *r, struct vd_buf *out)
{
	uint8_t flags = r->restored ? RESTORED : 0;

	for (int lane = 0; lane < VD_LANES; lane++)
		flags = (uint8_t)(flags | r->lanes[lane].whole << lane);
	vd_buf_put_u8(out, VERSION);
	vd_buf_put_u8(out, flags);
	vd_buf_put(out, author, VD_KEY_BYTES);
	vd_buf_put_u64(out, r->count);
	vd_buf_put_u64(out, r->time_ms);
	vd_buf_put_u32(out, r->keep_until);
	for (int lane = 0; lane < VD_LANES; lane++)
		put_mark(&r->lanes[lane], out);
}

/* As many as fit, and then by item, each once. */
static int put_spans(struct vd_span *spans, size_t count, size_t room, struct vd_buf *out)
{
	size_t n = 0, used = 0;

	for (; n < count; n++) {
		if (spans[n].length == 0)
			return VD_EINVAL;
		if (room - used < VD_ITEM_BYTES + vd_varint_bytes(spans[n].length))
			break;
		used += VD_ITEM_BYTES + vd_varint_bytes(spans[n].length);
	}
	if (n)
		qsort(spans, n, sizeof(*spans), by_item);
	for (size_t i = 0; i < n; i++) {
		if (i && memcmp(spans[i - 1].item, spans[i].item, VD_ITEM_BYTES) == 0)
			continue;
		vd_buf_put(out, spans[i].item, VD_ITEM_BYTES);
		vd_buf_put_varint(out, spans[i].length);
	}
	return VD_OK;
}

static int put_all(const uint8_t *author, const struct vd_receipt *r, struct vd_span *spans, size_t count, struct vd_buf *out)
{
	size_t from = out->n;
	int rc;

	put_head(author, r, out);
	rc = put_spans(spans, count, VD_RECEIPT_MAX - VD_SIGNATURE_BYTES - (out->n - from), out);
	return rc ? rc : vd_buf_check(out);
}

int vd_receipt_make(struct vd_group *g, const struct vd_receipt *r, struct vd_span *spans, size_t count, struct vd_buf *out)
{
	const struct vd_identity *us = vd_group_identity(g);
	uint8_t room[SIGNED], signature[VD_SIGNATURE_BYTES];
	size_t from = out->n;
	int rc;

	if (!us)
		return VD_EKEY;
	rc = put_all(us->author, r, spans, count, out);
	if (!rc)
		rc = vd_sign(domain, message_of(vd_group_id(g), vd_slice(out->p + from, out->n - from), room), us->author_secret, signature);
	if (rc)
		return rc;
	vd_buf_put(out, signature, sizeof(signature));
	return vd_buf_check(out);
}

int vd_receipt_restore(const struct vd_receipt *r, struct vd_span *spans, size_t count, const uint8_t signature[VD_SIGNATURE_BYTES], struct vd_buf *out)
{
	int rc = put_all(r->author, r, spans, count, out);

	if (rc)
		return rc;
	vd_buf_put(out, signature, VD_SIGNATURE_BYTES);
	return vd_buf_check(out);
}

int vd_receipt_shorten(struct vd_slice bytes, const struct vd_brief *how, struct vd_slice spans, struct vd_buf *out)
{
	struct vd_receipt r;
	int rc = vd_receipt_decode(bytes, &r);

	if (rc)
		return rc;
	vd_buf_put_u8(out, (uint8_t)(bytes.p[1] | (r.time_ms != r.count ? OTHER_TIME : 0) | (how->named ? NAMES : 0)));
	vd_buf_put_varint(out, r.count);
	if (r.time_ms != r.count)
		vd_buf_put_varint(out, r.time_ms);
	vd_buf_put_varint(out, r.keep_until);
	vd_buf_put(out, bytes.p + bytes.n - VD_SIGNATURE_BYTES, VD_SIGNATURE_BYTES);
	if (how->named) {
		vd_buf_put_u8(out, (uint8_t)(how->named | how->marked << VD_LANES));
		for (int lane = 0; lane < VD_LANES; lane++)
			if (how->marked >> lane & 1)
				put_mark(&r.lanes[lane], out);
		vd_buf_put_slice(out, spans);
	}
	return vd_buf_check(out);
}

static void take_flags(uint8_t flags, struct vd_receipt *out)
{
	out->restored = flags & RESTORED;
	for (int lane = 0; lane < VD_LANES; lane++)
		out->lanes[lane].whole = flags >> lane & 1;
}

bool vd_receipt_next(struct vd_slice *rest, struct vd_span *out)
{
	struct vd_rd r = vd_rd(*rest);

	vd_rd_copy(&r, out->item, VD_ITEM_BYTES);
	out->length = vd_rd_varint(&r);
	if (r.err)
		return false;
	*rest = vd_slice(r.p, r.n);
	return true;
}

static bool spans_ok(struct vd_slice spans)
{
	struct vd_span span, last = { .length = 0 };

	while (spans.n) {
		if (!vd_receipt_next(&spans, &span) || !span.length || (last.length && by_item(&last, &span) >= 0))
			return false;
		last = span;
	}
	return true;
}

int vd_receipt_brief_decode(struct vd_slice bytes, struct vd_receipt *out, struct vd_brief *how)
{
	struct vd_rd r = vd_rd(bytes);
	uint8_t flags = vd_rd_u8(&r), lanes;
	uint64_t until;

	*out = (struct vd_receipt){ .count = vd_rd_varint(&r) };
	out->time_ms = flags & OTHER_TIME ? vd_rd_varint(&r) : out->count;
	until = vd_rd_varint(&r);
	out->keep_until = (uint32_t)until;
	take_flags(flags, out);
	*how = (struct vd_brief){ .signature = vd_rd_take(&r, VD_SIGNATURE_BYTES).p };
	lanes = flags & NAMES ? vd_rd_u8(&r) : 0;
	how->named = lanes & ALL_LANES;
	how->marked = lanes >> VD_LANES;
	for (int lane = 0; lane < VD_LANES; lane++)
		if (how->marked >> lane & 1)
			rd_mark(&r, &out->lanes[lane]);
	if (r.err || flags > BRIEF_FLAGS || until > UINT32_MAX || how->marked & ~how->named)
		return VD_EFORMAT;
	if ((flags & OTHER_TIME && out->time_ms == out->count) || (flags & NAMES && !how->named) || (r.n && !how->named))
		return VD_EFORMAT;
	out->spans = vd_slice(r.p, r.n);
	return spans_ok(out->spans) ? VD_OK : VD_EFORMAT;
}

int vd_receipt_decode(struct vd_slice bytes, struct vd_receipt *out)
{
	struct vd_rd r = vd_rd(bytes);
	uint8_t version = vd_rd_u8(&r), flags = vd_rd_u8(&r);

	*out = (struct vd_receipt){ .count = 0 };
	take_flags(flags, out);
	if (r.err || bytes.n > VD_RECEIPT_MAX)
		return VD_EFORMAT;
	if (version != VERSION)
		return version > VERSION ? VD_EVERSION : VD_EFORMAT;
	vd_rd_copy(&r, out->author, VD_KEY_BYTES);
	out->count = vd_rd_u64(&r);
	out->time_ms = vd_rd_u64(&r);
	out->keep_until = vd_rd_u32(&r);
	for (int lane = 0; lane < VD_LANES; lane++)
		rd_mark(&r, &out->lanes[lane]);
	if (r.err || flags > FLAGS || r.n < VD_SIGNATURE_BYTES)
		return VD_EFORMAT;
	out->spans = vd_slice(r.p, r.n - VD_SIGNATURE_BYTES);
	return spans_ok(out->spans) ? VD_OK : VD_EFORMAT;
}

int vd_receipt_verify(struct vd_group *g, struct vd_slice bytes, struct vd_receipt *out)
{
	uint8_t room[SIGNED];
	struct vd_slice said;
	int rc = vd_receipt_decode(bytes, out);

	if (rc)
		return rc;
	if (!vd_group_may_connect(g, out->author) || !vd_sign_key_ok(out->author))
		return VD_EAUTHOR;
	said = vd_slice(bytes.p, bytes.n - VD_SIGNATURE_BYTES);
	return vd_sign_verify(domain, message_of(vd_group_id(g), said, room), out->author, bytes.p + said.n);
}

bool vd_receipt_same(struct vd_slice a, struct vd_slice b)
{
	struct vd_receipt x, y;

	if (vd_receipt_decode(a, &x) || vd_receipt_decode(b, &y) || x.restored != y.restored || memcmp(x.author, y.author, VD_KEY_BYTES) != 0 ||
	    !vd_slice_eq(x.spans, y.spans))
		return false;
	for (int lane = 0; lane < VD_LANES; lane++)
		if (x.lanes[lane].count != y.lanes[lane].count || x.lanes[lane].whole != y.lanes[lane].whole ||
		    memcmp(x.lanes[lane].digest, y.lanes[lane].digest, VD_RECEIPT_DIGEST) != 0)
			return false;
	return true;
}
