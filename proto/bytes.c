#include "bytes.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"

struct vd_slice vd_slice(const void *p, size_t n)
{
	return (struct vd_slice){ p, n };
}

struct vd_slice vd_slice_str(const char *s)
{
	return vd_slice(s, strlen(s));
}

int vd_slice_cmp(struct vd_slice a, struct vd_slice b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;

	if (order)
		return order;
	return a.n < b.n ? -1 : a.n > b.n;
}

bool vd_slice_eq(struct vd_slice a, struct vd_slice b)
{
	return a.n == b.n && vd_slice_cmp(a, b) == 0;
}

void vd_buf_deinit(struct vd_buf *b)
{
	free(b->p);
	*b = (struct vd_buf){ 0 };
}

void vd_buf_wipe(struct vd_buf *b)
{
	if (b->p)
		sodium_memzero(b->p, b->cap);
	vd_buf_deinit(b);
}

void vd_buf_reset(struct vd_buf *b)
{
	b->n = 0;
	b->failed = false;
}

int vd_buf_check(const struct vd_buf *b)
{
	return b->failed ? VD_ENOMEM : VD_OK;
}

uint8_t *vd_buf_extend(struct vd_buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	if (!b->p || n > b->cap - b->n) {
		size_t cap = b->cap ? b->cap : 64;
		uint8_t *p;

		while (cap - b->n < n) {
			if (cap > SIZE_MAX / 2)
				goto fail;
			cap *= 2;
		}
		/* Not realloc: a buffer may hold a secret, and the old block must not survive unwiped. */
		p = malloc(cap);
		if (!p)
			goto fail;
		if (b->n)
			memcpy(p, b->p, b->n);
		if (b->p)
			sodium_memzero(b->p, b->n);
		free(b->p);
		b->p = p;
		b->cap = cap;
	}
	b->n += n;
	return b->p + b->n - n;
fail:
	b->failed = true;
	return NULL;
}

void vd_buf_put(struct vd_buf *b, const void *p, size_t n)
{
	uint8_t *dst = vd_buf_extend(b, n);

	if (dst && n)
		memcpy(dst, p, n);
}

void vd_buf_put_slice(struct vd_buf *b, struct vd_slice s)
{
	vd_buf_put(b, s.p, s.n);
}

void vd_buf_put_u8(struct vd_buf *b, uint8_t v)
{
	vd_buf_put(b, &v, 1);
}

void vd_buf_put_u16(struct vd_buf *b, uint16_t v)
{
	uint8_t raw[2];

	vd_set_u16(raw, v);
	vd_buf_put(b, raw, sizeof(raw));
}

void vd_buf_put_u32(struct vd_buf *b, uint32_t v)
{
	uint8_t raw[4];

	vd_set_u32(raw, v);
	vd_buf_put(b, raw, sizeof(raw));
}

void vd_buf_put_u64(struct vd_buf *b, uint64_t v)
{
	uint8_t raw[8];

	vd_set_u64(raw, v);
	vd_buf_put(b, raw, sizeof(raw));
}

void vd_buf_put_varint(struct vd_buf *b, uint64_t v)
{
	uint8_t raw[VD_VARINT_MAX];

	vd_buf_put(b, raw, vd_put_varint(raw, v));
}

size_t vd_put_varint(uint8_t to[VD_VARINT_MAX], uint64_t v)
{
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		to[n++] = (uint8_t)(v | 0x80);
	to[n++] = (uint8_t)v;
	return n;
}

void vd_buf_drop(struct vd_buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	if (n)
		memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

struct vd_slice vd_buf_slice(const struct vd_buf *b)
{
	return vd_slice(b->p, b->n);
}

size_t vd_varint_bytes(uint64_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

uint64_t vd_zigzag(uint64_t difference)
{
	return difference >> 63 ? ~(difference << 1) : difference << 1;
}

uint64_t vd_unzigzag(uint64_t zigzag)
{
	return zigzag & 1 ? ~(zigzag >> 1) : zigzag >> 1;
}

bool vd_room(void *array, size_t count, size_t *capacity, size_t least, size_t each)
{
	size_t more = *capacity ? 2 * *capacity : least;
	void *p;

	if (count < *capacity)
		return true;
	if (*capacity > SIZE_MAX / 2)
		return false;
	memcpy(&p, array, sizeof(p));
	p = reallocarray(p, more, each);
	if (!p)
		return false;
	memcpy(array, &p, sizeof(p));
	*capacity = more;
	return true;
}

struct vd_rd vd_rd(struct vd_slice s)
{
	return (struct vd_rd){ .p = s.p, .n = s.n };
}

void vd_rd_fail(struct vd_rd *r, int err)
{
	if (!r->err)
		r->err = err;
	r->n = 0;
}

struct vd_slice vd_rd_take(struct vd_rd *r, size_t n)
{
	struct vd_slice out = { r->p, n };

	if (r->err || n > r->n) {
		vd_rd_fail(r, VD_EFORMAT);
		return vd_slice(NULL, 0);
	}
	if (n)
		r->p += n;
	r->n -= n;
	return out;
}

void vd_rd_copy(struct vd_rd *r, void *dst, size_t n)
{
	struct vd_slice s = vd_rd_take(r, n);

	if (s.n)
		memcpy(dst, s.p, s.n);
	else if (n)
		memset(dst, 0, n);
}

uint8_t vd_rd_u8(struct vd_rd *r)
{
	struct vd_slice s = vd_rd_take(r, 1);

	return s.n ? s.p[0] : 0;
}

uint16_t vd_rd_u16(struct vd_rd *r)
{
	struct vd_slice s = vd_rd_take(r, 2);

	return s.n ? vd_get_u16(s.p) : 0;
}

uint32_t vd_rd_u32(struct vd_rd *r)
{
	struct vd_slice s = vd_rd_take(r, 4);

	return s.n ? vd_get_u32(s.p) : 0;
}

uint64_t vd_rd_u64(struct vd_rd *r)
{
	struct vd_slice s = vd_rd_take(r, 8);

	return s.n ? vd_get_u64(s.p) : 0;
}

uint64_t vd_rd_varint(struct vd_rd *r)
{
	size_t most = r->err ? 0 : r->n;
	unsigned shift = 0;
	uint64_t v = 0;

	for (size_t i = 0; i < most && shift < 64; i++, shift += 7) {
		uint8_t byte = r->p[i];
		uint64_t group = byte & 0x7f;

		if ((shift == 63 && group > 1) || (shift && byte == 0))
			break;
		v |= group << shift;
		if (byte & 0x80)
			continue;
		r->p += i + 1;
		r->n -= i + 1;
		return v;
	}
	vd_rd_fail(r, VD_EFORMAT);
	return 0;
}

int vd_rd_end(const struct vd_rd *r)
{
	if (r->err)
		return r->err;
	return r->n ? VD_EFORMAT : VD_OK;
}

uint16_t vd_get_u16(const uint8_t *p)
{
	return (uint16_t)((unsigned)p[0] << 8 | p[1]);
}

uint32_t vd_get_u32(const uint8_t *p)
{
	return (uint32_t)vd_get_u16(p) << 16 | vd_get_u16(p + 2);
}

uint64_t vd_get_u64(const uint8_t *p)
{
	return (uint64_t)vd_get_u32(p) << 32 | vd_get_u32(p + 4);
}

void vd_set_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

void vd_set_u32(uint8_t *p, uint32_t v)
{
	vd_set_u16(p, (uint16_t)(v >> 16));
	vd_set_u16(p + 2, (uint16_t)v);
}

void vd_set_u64(uint8_t *p, uint64_t v)
{
	vd_set_u32(p, (uint32_t)(v >> 32));
	vd_set_u32(p + 4, (uint32_t)v);
}

void vd_hex(char *dst, const void *src, size_t n)
{
	sodium_bin2hex(dst, 2 * n + 1, src, n);
}

int vd_unhex(uint8_t *dst, size_t cap, const char *src, size_t *n)
{
	const char *end = NULL;
	size_t length = strlen(src);

	if (length % 2 || length / 2 > cap)
		return VD_EFORMAT;
	if (sodium_hex2bin(dst, cap, src, length, NULL, n, &end) || end != src + length)
		return VD_EFORMAT;
	return VD_OK;
}

bool vd_utf8_ok(struct vd_slice s)
{
	const uint8_t *p = s.p, *end = s.n ? s.p + s.n : s.p;

	while (p < end) {
		uint32_t c = *p++, low;
		int more;

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf) {
			more = 1, low = 0x80, c &= 0x1f;
		} else if (c >= 0xe0 && c <= 0xef) {
			more = 2, low = 0x800, c &= 0x0f;
		} else if (c >= 0xf0 && c <= 0xf4) {
			more = 3, low = 0x10000, c &= 0x07;
		} else {
			return false;
		}
		if (end - p < more)
			return false;
		while (more--) {
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p++ & 0x3f);
		}
		if (c < low || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}
