/* Ed25519, meaning the same on every node for ever. DESIGN: one validity rule on every path.
 *
 * Strict verification as libsodium 1.0.18 does it (recompute R, compare bytes) with an author key that is canonical and of
 * prime order. Where the library verifies cofactored instead, R is checked as well; vd_sign_selftest() finds out which. */
#ifndef VD_SIGN_H
#define VD_SIGN_H

#include "bytes.h"
#include "limits.h"

enum {
	VD_SIGN_DOMAIN_MAX = 32,                /* bytes of a domain, its NUL included */
	VD_SIGN_MESSAGE_MAX = VD_HEADER_MAX,    /* a record's header is the longest thing signed */
};

/* Must be called once before anything else of libvereda, before threads. Fixed vectors: speccheck's twelve refused, R plus
 * a point of order 2 refused, B + (0,-1) no valid point (CVE-2025-69277), one good signature accepted.
 * VD_ECRYPTO: the library is unsound; the program must stop and say what to install. */
int vd_sign_selftest(void);

/* Canonical, on the curve, prime order. About as dear as a verification: callers cache it per author. */
bool vd_sign_key_ok(const uint8_t key[VD_KEY_BYTES]);

/* `domain` is a C string whose final NUL is signed too, in front of the message. Deterministic (RFC 8032). VD_EINVAL: domain or
 * message too long. */
int vd_sign(const char *domain, struct vd_slice message, const uint8_t secret[VD_SECRET_SIGN_BYTES],
            uint8_t signature[VD_SIGNATURE_BYTES]);
/* 0 or VD_ESIGNATURE. The key must have passed vd_sign_key_ok(). */
int vd_sign_verify(const char *domain, struct vd_slice message, const uint8_t key[VD_KEY_BYTES],
                   const uint8_t signature[VD_SIGNATURE_BYTES]);

#endif
