#include "record.h"

#include <string.h>

#include "err.h"
#include "hash.h"
#include "mp.h"
#include "sign.h"

#define DOMAIN "vereda record"

enum {
	AD_FIELDS = 9, /* the header without body length and hash, which the body's envelope cannot know */
	EXT_REDACTS = 1, EXT_REDACTS_BYTES = 1 + VD_ID_BYTES, EXT_HANDS_KEYS = 2,
	EXT_PART = 3, EXT_PART_BYTES = 1 + VD_ID_BYTES + 1 + 4, EXT_BYTES = EXT_PART_BYTES, /* the longest */
};

static const uint64_t BELOW_2_53 = (UINT64_C(1) << 53) - 1; /* exact in JSON and in IEEE doubles */

static void take_id(struct vd_rd *r, bool *has, struct vd_id *out)
{
	struct vd_slice s = vd_mp_bin(r, VD_ID_BYTES);

	*has = s.n > 0;
	*out = (struct vd_id){ 0 };
	if (s.n && s.n != VD_ID_BYTES)
		vd_rd_fail(r, VD_EFORMAT);
	else if (s.n)
		memcpy(out->b, s.p, VD_ID_BYTES);
}

static void take_bytes(struct vd_rd *r, uint8_t *out, size_t n)
{
	struct vd_slice s = vd_mp_bin_exact(r, n);

	if (s.n)
		memcpy(out, s.p, n);
}

/* The header's elements, in order; what newer versions append is checked for form and passed over. */
static void decode_header(struct vd_rd *r, struct vd_record *out)
{
	uint32_t count = vd_mp_array(r, VD_HEADER_FIELDS_MAX);

	out->version = (uint8_t)vd_mp_uint(r, VD_VERSION_MAX);
	take_bytes(r, out->group, VD_GROUP_BYTES);
	take_bytes(r, out->author, VD_KEY_BYTES);
	out->lane = (uint8_t)vd_mp_uint(r, VD_LANES - 1);
	out->seq = vd_mp_uint(r, BELOW_2_53);
	take_id(r, &out->has_prev, &out->prev);
	out->time_ms = vd_mp_uint(r, BELOW_2_53);
	out->has_expires = vd_mp_peek(r) != VD_MP_NIL;
	out->expires_day = 0;
	if (out->has_expires)
		out->expires_day = (uint32_t)vd_mp_uint(r, UINT32_MAX);
	else
		vd_mp_nil(r);
	out->ext = vd_mp_bin(r, VD_EXT_MAX);
	out->body_bytes = (uint32_t)vd_mp_uint(r, VD_BODY_MAX);
	take_bytes(r, out->body_hash, VD_HASH_BYTES);
	for (uint32_t i = VD_HEADER_FIELDS; i < count && !r->err; i++)
		vd_mp_skip(r, VD_DEPTH_MAX - 1);

	if (count < VD_HEADER_FIELDS || (out->version == 1 && count != VD_HEADER_FIELDS))
		vd_rd_fail(r, VD_EFORMAT);
	if (!out->version || !out->seq || (out->seq == 1 && out->has_prev))
		vd_rd_fail(r, VD_EFORMAT);
}

int vd_record_view(struct vd_slice raw, struct vd_record *out)
{
	struct vd_rd r = vd_rd(raw);

	decode_header(&r, out);
	if (r.err)
		return r.err;
	out->raw = raw;
	out->header = vd_slice(raw.p, raw.n - r.n);
	if (out->header.n > VD_HEADER_MAX)
		return VD_ECAP;
	out->signature = vd_rd_take(&r, VD_SIGNATURE_BYTES);
	out->stub = out->body_bytes && !r.n;
	out->body = vd_rd_take(&r, out->stub ? 0 : out->body_bytes);
	if (vd_rd_end(&r))
		return VD_EFORMAT;
	vd_hash1(VD_HASH_RECORD_ID, out->id.b, vd_slice(raw.p, out->header.n + VD_SIGNATURE_BYTES));
	return VD_OK;
}

int vd_record_decode(struct vd_slice raw, struct vd_record *out)
{
	uint8_t hash[VD_HASH_BYTES];
	int rc = vd_record_view(raw, out);

	if (rc || out->stub)
		return rc;
	vd_hash1(VD_HASH_BODY, hash, out->body);
	return memcmp(hash, out->body_hash, VD_HASH_BYTES) ? VD_ESIGNATURE : VD_OK;
}

int vd_record_verify(const struct vd_record *record)
{
	return vd_sign_verify(DOMAIN, record->header, record->author, record->signature.p);
}

bool vd_record_redacts(const struct vd_record *record, struct vd_id *out)
{
	if (record->ext.n != EXT_REDACTS_BYTES || record->ext.p[0] != EXT_REDACTS)
		return false;
	memcpy(out->b, record->ext.p + 1, VD_ID_BYTES);
	return true;
}

bool vd_record_hands_keys(const struct vd_record *record)
{
	return record->lane == VD_LANE_NORMAL && record->ext.n == 1 && record->ext.p[0] == EXT_HANDS_KEYS;
}

bool vd_record_part(const struct vd_record *record, struct vd_part *out)
{
	if (record->lane != VD_LANE_BULK || record->ext.n != EXT_PART_BYTES || record->ext.p[0] != EXT_PART)
		return false;
	memcpy(out->of.b, record->ext.p + 1, VD_ID_BYTES);
	out->attachment = record->ext.p[1 + VD_ID_BYTES];
	out->number = vd_get_u32(record->ext.p + 2 + VD_ID_BYTES);
	return true;
}

static size_t make_ext(const struct vd_record_fields *f, uint8_t ext[EXT_BYTES])
{
	if (f->redacts) {
		ext[0] = EXT_REDACTS;
		memcpy(ext + 1, f->redacts->b, VD_ID_BYTES);
		return EXT_REDACTS_BYTES;
	}
	if (f->hands_keys) {
		ext[0] = EXT_HANDS_KEYS;
		return 1;
	}
	if (!f->part)
		return 0;
	ext[0] = EXT_PART;
	memcpy(ext + 1, f->part->of.b, VD_ID_BYTES);
	ext[1 + VD_ID_BYTES] = f->part->attachment;
	vd_set_u32(ext + 2 + VD_ID_BYTES, f->part->number);
	return EXT_PART_BYTES;
}

/* Elements 0 to 8. */
static void put_common(const struct vd_record_fields *f, struct vd_buf *out)
{
	uint8_t ext[EXT_BYTES];

	vd_mp_put_uint(out, VD_VERSION);
	vd_mp_put_bin(out, vd_slice(f->group, VD_GROUP_BYTES));
	vd_mp_put_bin(out, vd_slice(f->author, VD_KEY_BYTES));
	vd_mp_put_uint(out, f->lane);
	vd_mp_put_uint(out, f->seq);
	vd_mp_put_bin(out, vd_slice(f->prev.b, f->has_prev ? VD_ID_BYTES : 0));
	vd_mp_put_uint(out, f->time_ms);
	if (f->has_expires)
		vd_mp_put_uint(out, f->expires_day);
	else
		vd_mp_put_nil(out);
	vd_mp_put_bin(out, vd_slice(ext, make_ext(f, ext)));
}

void vd_record_ad(const struct vd_record_fields *fields, struct vd_buf *out)
{
	vd_mp_put_array(out, AD_FIELDS);
	put_common(fields, out);
}

void vd_record_ad_of(const struct vd_record *record, struct vd_buf *out)
{
	struct vd_rd r = vd_rd(record->header);
	struct vd_slice elements;

	vd_mp_array(&r, VD_HEADER_FIELDS_MAX);
	elements = vd_slice(r.p, r.n);
	for (int i = 0; i < AD_FIELDS; i++)
		vd_mp_skip(&r, 0);
	vd_mp_put_array(out, AD_FIELDS);
	vd_buf_put(out, elements.p, elements.n - r.n);
}

static bool fields_ok(const struct vd_record_fields *f)
{
	return f->lane < VD_LANES && f->seq && f->seq <= BELOW_2_53 && f->time_ms <= BELOW_2_53 &&
	       !(f->seq == 1 && f->has_prev);
}

static void put_header(const struct vd_record_fields *f, uint32_t body_bytes, const uint8_t hash[VD_HASH_BYTES], struct vd_buf *out)
{
	vd_mp_put_array(out, VD_HEADER_FIELDS);
	put_common(f, out);
	vd_mp_put_uint(out, body_bytes);
	vd_mp_put_bin(out, vd_slice(hash, VD_HASH_BYTES));
}

int vd_record_join(const struct vd_record_fields *fields, const uint8_t *signature, struct vd_slice body, uint32_t stub_bytes,
                   const uint8_t *stub_hash, struct vd_buf *out, struct vd_record *record)
{
	size_t start = out->n, header_n;

	if (!fields_ok(fields) || fields->redacts || fields->hands_keys || fields->part || body.n > VD_BODY_MAX || stub_bytes > VD_BODY_MAX || (stub_bytes && body.n))
		return VD_EFORMAT;
	*record = (struct vd_record){
		.version = VD_VERSION, .lane = fields->lane, .seq = fields->seq, .has_prev = fields->has_prev, .time_ms = fields->time_ms,
		.has_expires = fields->has_expires, .stub = stub_bytes > 0, .body_bytes = stub_bytes ? stub_bytes : (uint32_t)body.n,
	};
	memcpy(record->group, fields->group, VD_GROUP_BYTES);
	memcpy(record->author, fields->author, VD_KEY_BYTES);
	if (fields->has_prev)
		record->prev = fields->prev;
	if (fields->has_expires)
		record->expires_day = fields->expires_day;
	if (stub_bytes)
		memcpy(record->body_hash, stub_hash, VD_HASH_BYTES);
	else
		vd_hash1(VD_HASH_BODY, record->body_hash, body);
	put_header(fields, record->body_bytes, record->body_hash, out);
	header_n = out->n - start;
	vd_buf_put(out, signature, VD_SIGNATURE_BYTES);
	vd_buf_put_slice(out, body);
	if (vd_buf_check(out)) {
		out->n = start;
		return VD_ENOMEM;
	}
	record->raw = vd_slice(out->p + start, out->n - start);
	record->header = vd_slice(record->raw.p, header_n);
	record->signature = vd_slice(record->raw.p + header_n, VD_SIGNATURE_BYTES);
	record->body = vd_slice(record->signature.p + VD_SIGNATURE_BYTES, body.n);
	record->ext = vd_slice(record->raw.p, 0);
	vd_hash1(VD_HASH_RECORD_ID, record->id.b, vd_slice(record->raw.p, header_n + VD_SIGNATURE_BYTES));
	return VD_OK;
}

int vd_record_create(const struct vd_record_fields *fields, struct vd_slice body,
                     const uint8_t secret[VD_SECRET_SIGN_BYTES], struct vd_buf *out, struct vd_id *id)
{
	uint8_t hash[VD_HASH_BYTES], signature[VD_SIGNATURE_BYTES];
	size_t start = out->n, header_n;
	int rc;

	/* libsodium keeps the public key in the second half of the secret one. */
	if (!fields_ok(fields) || body.n > VD_BODY_MAX || memcmp(fields->author, secret + VD_KEY_BYTES, VD_KEY_BYTES))
		return VD_EINVAL;
	vd_hash1(VD_HASH_BODY, hash, body);
	put_header(fields, (uint32_t)body.n, hash, out);
	rc = vd_buf_check(out);
	if (rc)
		goto done;
	header_n = out->n - start;
	rc = vd_sign(DOMAIN, vd_slice(out->p + start, header_n), secret, signature);
	if (rc)
		goto done;
	vd_buf_put(out, signature, sizeof(signature));
	vd_buf_put_slice(out, body);
	rc = vd_buf_check(out);
	if (rc)
		goto done;
	vd_hash1(VD_HASH_RECORD_ID, id->b, vd_slice(out->p + start, header_n + VD_SIGNATURE_BYTES));
done:
	if (rc)
		out->n = start;
	return rc;
}
