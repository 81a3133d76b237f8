#include "digest.h"

#include <sodium.h>
#include <string.h>

#include "hash.h"

/* The components as numbers, from the little-endian order of the keystream, the wire and the store. */
static void from_little_endian(uint16_t *v, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	for (size_t i = 0; i < n; i++)
		v[i] = (uint16_t)(v[i] << 8 | v[i] >> 8);
#else
	(void)v;
	(void)n;
#endif
}

static void expand(const struct vd_id *id, uint16_t out[VD_DIGEST_COMPONENTS])
{
	static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];

	crypto_stream_chacha20_ietf((uint8_t *)out, 2 * VD_DIGEST_COMPONENTS, nonce, id->b);
	from_little_endian(out, VD_DIGEST_COMPONENTS);
}

void vd_digest_add(struct vd_digest *d, const struct vd_id *id)
{
	uint16_t v[VD_DIGEST_COMPONENTS];

	expand(id, v);
	for (size_t i = 0; i < VD_DIGEST_COMPONENTS; i++)
		d->sum[i] = (uint16_t)(d->sum[i] + v[i]);
	d->count++;
}

void vd_digest_remove(struct vd_digest *d, const struct vd_id *id)
{
	uint16_t v[VD_DIGEST_COMPONENTS];

	expand(id, v);
	for (size_t i = 0; i < VD_DIGEST_COMPONENTS; i++)
		d->sum[i] = (uint16_t)(d->sum[i] - v[i]);
	d->count--;
}

bool vd_digest_eq(const struct vd_digest *a, const struct vd_digest *b)
{
	return a->count == b->count && memcmp(a->sum, b->sum, sizeof(a->sum)) == 0;
}

void vd_digest_hash(const struct vd_digest *d, uint8_t out[VD_HASH_BYTES])
{
	uint8_t raw[VD_DIGEST_STORED_BYTES];

	memset(out, 0, VD_HASH_BYTES);
	if (!d->count)
		return;
	vd_digest_encode(d, raw);
	vd_hash1(VD_HASH_DIGEST, out, vd_slice(raw, sizeof(raw)));
}

void vd_digest_encode(const struct vd_digest *d, uint8_t out[VD_DIGEST_STORED_BYTES])
{
	uint16_t v[VD_DIGEST_COMPONENTS];

	memcpy(v, d->sum, sizeof(v));
	from_little_endian(v, VD_DIGEST_COMPONENTS);
	vd_set_u64(out, d->count);
	memcpy(out + 8, v, sizeof(v));
}

void vd_digest_decode(const uint8_t in[VD_DIGEST_STORED_BYTES], struct vd_digest *out)
{
	out->count = vd_get_u64(in);
	memcpy(out->sum, in + 8, sizeof(out->sum));
	from_little_endian(out->sum, VD_DIGEST_COMPONENTS);
}
