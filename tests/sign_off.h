/* A signature that some implementations take and ours does not. */
#ifndef VD_SIGN_OFF_H
#define VD_SIGN_OFF_H

#include <sodium.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/limits.h"
#include "tests/village.h"

/* Signs as RFC 8032 does, with R plus the point of order 2: only a verification that multiplies by the cofactor takes it. */
static inline void sign_off(struct vd_slice message, const uint8_t secret[VD_SECRET_SIGN_BYTES], uint8_t signature[VD_SIGNATURE_BYTES])
{
	static const uint8_t order2[VD_KEY_BYTES] = {
		0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	};
	uint8_t expanded[64], long_r[64] = { 0 }, hash[64], a[32], r[32], k[32], r_point[32];
	crypto_hash_sha512_state state;

	crypto_hash_sha512(expanded, secret, 32);
	expanded[0] &= 248;
	expanded[31] = (uint8_t)((expanded[31] & 127) | 64);
	memcpy(long_r, expanded, 32);
	crypto_core_ed25519_scalar_reduce(a, long_r);

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, expanded + 32, 32);
	crypto_hash_sha512_update(&state, message.p, message.n);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(r, hash);
	village_check(crypto_scalarmult_ed25519_base_noclamp(r_point, r) == 0);
	village_check(crypto_core_ed25519_add(signature, r_point, order2) == 0);

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, signature, 32);
	crypto_hash_sha512_update(&state, secret + 32, 32);
	crypto_hash_sha512_update(&state, message.p, message.n);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(k, hash);
	crypto_core_ed25519_scalar_mul(k, k, a);
	crypto_core_ed25519_scalar_add(signature + 32, k, r);
}

#endif
