#include "mp.h"

#include <msgpack.h>
#include <string.h>

#include "err.h"

static int append(void *data, const char *p, size_t n)
{
	struct vd_buf *out = data;

	vd_buf_put(out, p, n);
	return out->failed ? -1 : 0;
}

static msgpack_packer packer(struct vd_buf *out)
{
	msgpack_packer p;

	msgpack_packer_init(&p, out, append);
	return p;
}

void vd_mp_put_array(struct vd_buf *out, uint32_t count)
{
	msgpack_packer p = packer(out);

	msgpack_pack_array(&p, count);
}

void vd_mp_put_uint(struct vd_buf *out, uint64_t v)
{
	msgpack_packer p = packer(out);

	msgpack_pack_uint64(&p, v);
}

void vd_mp_put_bin(struct vd_buf *out, struct vd_slice s)
{
	msgpack_packer p = packer(out);

	msgpack_pack_bin(&p, s.n);
	if (s.n)
		msgpack_pack_bin_body(&p, s.p, s.n);
}

void vd_mp_put_str(struct vd_buf *out, struct vd_slice s)
{
	msgpack_packer p = packer(out);

	msgpack_pack_str(&p, s.n);
	if (s.n)
		msgpack_pack_str_body(&p, s.p, s.n);
}

void vd_mp_put_bool(struct vd_buf *out, bool v)
{
	msgpack_packer p = packer(out);

	if (v)
		msgpack_pack_true(&p);
	else
		msgpack_pack_false(&p);
}

void vd_mp_put_nil(struct vd_buf *out)
{
	msgpack_packer p = packer(out);

	msgpack_pack_nil(&p);
}

enum vd_mp_type vd_mp_peek(const struct vd_rd *r)
{
	uint8_t tag;

	if (r->err || !r->n)
		return VD_MP_NONE;
	tag = r->p[0];
	if (tag <= 0x7f || (tag >= 0xcc && tag <= 0xcf))
		return VD_MP_UINT;
	if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd)
		return VD_MP_ARRAY;
	if ((tag & 0xe0) == 0xa0 || (tag >= 0xd9 && tag <= 0xdb))
		return VD_MP_STR;
	if (tag >= 0xc4 && tag <= 0xc6)
		return VD_MP_BIN;
	if (tag == 0xc0)
		return VD_MP_NIL;
	if (tag == 0xc2 || tag == 0xc3)
		return VD_MP_BOOL;
	return VD_MP_NONE;
}

static bool expect(struct vd_rd *r, enum vd_mp_type type)
{
	if (vd_mp_peek(r) == type)
		return true;
	vd_rd_fail(r, VD_EFORMAT);
	return false;
}

/* A big-endian number of 1, 2, 4 or 8 bytes that would not have fitted a shorter form, whose limit is `fits`. */
static uint64_t wide(struct vd_rd *r, unsigned bytes, uint64_t fits)
{
	uint64_t v = bytes == 1 ? vd_rd_u8(r) : bytes == 2 ? vd_rd_u16(r) : bytes == 4 ? vd_rd_u32(r) : vd_rd_u64(r);

	if (v <= fits)
		vd_rd_fail(r, VD_EFORMAT);
	return r->err ? 0 : v;
}

static uint64_t capped(struct vd_rd *r, uint64_t v, uint64_t max)
{
	if (v > max)
		vd_rd_fail(r, VD_ECAP);
	return r->err ? 0 : v;
}

uint64_t vd_mp_uint(struct vd_rd *r, uint64_t max)
{
	uint64_t v;
	uint8_t tag;

	if (!expect(r, VD_MP_UINT))
		return 0;
	tag = vd_rd_u8(r);
	switch (tag) {
	case 0xcc: v = wide(r, 1, 0x7f); break;
	case 0xcd: v = wide(r, 2, UINT8_MAX); break;
	case 0xce: v = wide(r, 4, UINT16_MAX); break;
	case 0xcf: v = wide(r, 8, UINT32_MAX); break;
	default: v = tag;
	}
	return capped(r, v, max);
}

uint32_t vd_mp_array(struct vd_rd *r, uint32_t max)
{
	uint64_t count;
	uint8_t tag;

	if (!expect(r, VD_MP_ARRAY))
		return 0;
	tag = vd_rd_u8(r);
	switch (tag) {
	case 0xdc: count = wide(r, 2, 15); break;
	case 0xdd: count = wide(r, 4, UINT16_MAX); break;
	default: count = tag & 0x0f;
	}
	return (uint32_t)capped(r, count, max);
}

struct vd_slice vd_mp_bin(struct vd_rd *r, size_t max)
{
	uint64_t n;

	if (!expect(r, VD_MP_BIN))
		return vd_slice(NULL, 0);
	switch (vd_rd_u8(r)) {
	case 0xc4: n = vd_rd_u8(r); break;
	case 0xc5: n = wide(r, 2, UINT8_MAX); break;
	default: n = wide(r, 4, UINT16_MAX);
	}
	return vd_rd_take(r, (size_t)capped(r, n, max));
}

struct vd_slice vd_mp_bin_exact(struct vd_rd *r, size_t n)
{
	struct vd_slice s = vd_mp_bin(r, SIZE_MAX);

	if (!r->err && s.n != n)
		vd_rd_fail(r, VD_EFORMAT);
	return r->err ? vd_slice(NULL, 0) : s;
}

struct vd_slice vd_mp_str(struct vd_rd *r, size_t max)
{
	struct vd_slice s;
	uint64_t n;
	uint8_t tag;

	if (!expect(r, VD_MP_STR))
		return vd_slice(NULL, 0);
	tag = vd_rd_u8(r);
	switch (tag) {
	case 0xd9: n = wide(r, 1, 31); break;
	case 0xda: n = wide(r, 2, UINT8_MAX); break;
	case 0xdb: n = wide(r, 4, UINT16_MAX); break;
	default: n = tag & 0x1f;
	}
	s = vd_rd_take(r, (size_t)capped(r, n, max));
	if (s.n && (memchr(s.p, 0, s.n) || !vd_utf8_ok(s)))
		vd_rd_fail(r, VD_EFORMAT);
	return r->err ? vd_slice(NULL, 0) : s;
}

bool vd_mp_bool(struct vd_rd *r)
{
	return expect(r, VD_MP_BOOL) && vd_rd_u8(r) == 0xc3;
}

void vd_mp_nil(struct vd_rd *r)
{
	if (expect(r, VD_MP_NIL))
		vd_rd_u8(r);
}

void vd_mp_skip(struct vd_rd *r, unsigned depth)
{
	uint32_t count;

	switch (vd_mp_peek(r)) {
	case VD_MP_NIL: vd_mp_nil(r); break;
	case VD_MP_BOOL: vd_mp_bool(r); break;
	case VD_MP_UINT: vd_mp_uint(r, UINT64_MAX); break;
	case VD_MP_BIN: vd_mp_bin(r, SIZE_MAX); break;
	case VD_MP_STR: vd_mp_str(r, SIZE_MAX); break;
	case VD_MP_ARRAY:
		if (!depth) {
			vd_rd_fail(r, VD_ECAP);
			return;
		}
		/* The loop ends with the bytes, whatever the count claims. */
		count = vd_mp_array(r, UINT32_MAX);
		for (uint32_t i = 0; i < count && !r->err; i++)
			vd_mp_skip(r, depth - 1);
		break;
	case VD_MP_NONE: vd_rd_fail(r, VD_EFORMAT);
	}
}
