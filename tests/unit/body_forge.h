/* The envelope of any plaintext: right but for what the plaintext says. As an author who holds the key could make it. */
#ifndef BODY_FORGE_H
#define BODY_FORGE_H

#include <sodium.h>

#include "proto/body.h"
#include "proto/hash.h"

static inline void forge_body(struct vd_slice prefix, const uint8_t key[VD_KEY_BYTES], struct vd_slice ad, struct vd_slice plain,
                              struct vd_buf *out)
{
	struct vd_slice k = vd_slice(key, VD_KEY_BYTES), n = vd_slice(prefix.p + 2 + VD_EPOCH_BYTES, VD_BODY_NONCE_BYTES);
	uint8_t stream[56], mac_key[32], lengths[3][8] = { { 0 } }, mac[VD_BODY_MAC_BYTES];
	struct vd_slice parts[6] = { vd_slice(lengths[0], 8), ad, vd_slice(lengths[1], 8), prefix, vd_slice(lengths[2], 8) };
	uint8_t *cipher;

	vd_hash(VD_HASH_BODY_KEY, k, stream, sizeof(stream), &n, 1);
	vd_hash(VD_HASH_BODY_AUTH, k, mac_key, sizeof(mac_key), &n, 1);
	vd_buf_put_slice(out, prefix);
	cipher = vd_buf_extend(out, plain.n);
	crypto_stream_xchacha20_xor(cipher, plain.p, plain.n, stream + 32, stream);
	vd_set_u64(lengths[0], ad.n);
	vd_set_u64(lengths[1], prefix.n);
	vd_set_u64(lengths[2], plain.n);
	parts[5] = vd_slice(cipher, plain.n);
	vd_hash(VD_HASH_BODY_MAC, vd_slice(mac_key, sizeof(mac_key)), mac, sizeof(mac), parts, 6);
	vd_buf_put(out, mac, sizeof(mac));
}

#endif
