/* The envelope of any plaintext: right but for what the plaintext says. As an author who holds the key could make it. */
#ifndef BODY_FORGE_H
#define BODY_FORGE_H

#include <sodium.h>
#include <stdlib.h>

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

/* The key of slot i of a named body, as either end of the ephemeral key pair has it. */
static inline void forge_slot_key(const uint8_t secret[VD_KEY_BYTES], const uint8_t theirs[VD_KEY_BYTES],
                                  const uint8_t ephemeral[VD_KEY_BYTES], const uint8_t box[VD_KEY_BYTES], uint8_t i,
                                  uint8_t out[VD_KEY_BYTES])
{
	const struct vd_slice parts[] = { vd_slice(ephemeral, VD_KEY_BYTES), vd_slice(box, VD_KEY_BYTES), vd_slice(&i, 1) };
	uint8_t shared[VD_KEY_BYTES];

	if (crypto_scalarmult(shared, secret, theirs))
		abort();
	vd_hash(VD_HASH_SLOT, vd_slice(shared, sizeof(shared)), out, VD_KEY_BYTES, parts, 3);
}

static inline void forge_slot(const uint8_t wrap[VD_KEY_BYTES], const uint8_t key[VD_KEY_BYTES], uint8_t slot[48])
{
	static const uint8_t zeros[12];

	crypto_aead_chacha20poly1305_ietf_encrypt(slot, NULL, key, VD_KEY_BYTES, NULL, 0, NULL, zeros, wrap);
}

static inline bool forge_slot_open(const uint8_t wrap[VD_KEY_BYTES], const uint8_t slot[48], uint8_t key[VD_KEY_BYTES])
{
	static const uint8_t zeros[12];

	return !crypto_aead_chacha20poly1305_ietf_decrypt(key, NULL, NULL, slot, 48, NULL, 0, zeros, wrap);
}

#endif
