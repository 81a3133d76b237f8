#include "sign.h"

#include <sodium.h>
#include <string.h>

#include "err.h"
#include "sign_table.h"

enum { SIGNED_MAX = VD_SIGN_DOMAIN_MAX + VD_SIGN_MESSAGE_MAX };

/* Until the self-test has found the library strict, R is checked too: slower, never wrong. */
static bool library_is_strict;

bool vd_sign_key_ok(const uint8_t key[VD_KEY_BYTES])
{
	return crypto_core_ed25519_is_valid_point(key) == 1;
}

static int verify(struct vd_slice message, const uint8_t key[VD_KEY_BYTES], const uint8_t signature[VD_SIGNATURE_BYTES])
{
	if (crypto_sign_verify_detached(signature, message.p, message.n, key))
		return VD_ESIGNATURE;
	/* The first half of a signature is R. */
	if (!library_is_strict && crypto_core_ed25519_is_valid_point(signature) != 1)
		return VD_ESIGNATURE;
	return VD_OK;
}

/* domain ‖ 0 ‖ message in one piece, on the caller's stack: libsodium's streaming interface signs another thing
 * (Ed25519ph). */
static int assemble(const char *domain, struct vd_slice message, uint8_t out[SIGNED_MAX], struct vd_slice *whole)
{
	size_t n = strlen(domain) + 1;

	if (n > VD_SIGN_DOMAIN_MAX || message.n > VD_SIGN_MESSAGE_MAX)
		return VD_EINVAL;
	memcpy(out, domain, n);
	if (message.n)
		memcpy(out + n, message.p, message.n);
	*whole = vd_slice(out, n + message.n);
	return VD_OK;
}

int vd_sign(const char *domain, struct vd_slice message, const uint8_t secret[VD_SECRET_SIGN_BYTES],
            uint8_t signature[VD_SIGNATURE_BYTES])
{
	uint8_t bytes[SIGNED_MAX];
	struct vd_slice whole;
	int rc = assemble(domain, message, bytes, &whole);

	if (rc)
		return rc;
	return crypto_sign_detached(signature, NULL, whole.p, whole.n, secret) ? VD_ECRYPTO : VD_OK;
}

int vd_sign_verify(const char *domain, struct vd_slice message, const uint8_t key[VD_KEY_BYTES],
                   const uint8_t signature[VD_SIGNATURE_BYTES])
{
	uint8_t bytes[SIGNED_MAX];
	struct vd_slice whole;

	return assemble(domain, message, bytes, &whole) ? VD_ESIGNATURE : verify(whole, key, signature);
}

/* What a node thinks of a signature from a table: key and signature both have to hold. */
static bool accepts(const struct vd_sign_case *c)
{
	uint8_t message[64], key[VD_KEY_BYTES], signature[VD_SIGNATURE_BYTES];
	size_t n, key_n, signature_n;

	if (vd_unhex(message, sizeof(message), c->message, &n) || vd_unhex(key, sizeof(key), c->key, &key_n) ||
	    vd_unhex(signature, sizeof(signature), c->signature, &signature_n))
		return false;
	return vd_sign_key_ok(key) && verify(vd_slice(message, n), key, signature) == VD_OK;
}

static bool point_ok(const char *hex)
{
	uint8_t point[VD_KEY_BYTES];
	size_t n;

	return vd_unhex(point, sizeof(point), hex, &n) == VD_OK && vd_sign_key_ok(point);
}

int vd_sign_selftest(void)
{
	if (sodium_init() < 0)
		return VD_ECRYPTO;
	if (!point_ok(vd_sign_base_point) || point_ok(vd_sign_mixed_point))
		return VD_ECRYPTO;
	/* First as if the library recomputed R; if it lets the cofactored case pass, with R checked. */
	library_is_strict = true;
	if (accepts(&vd_sign_cofactor_case))
		library_is_strict = false;
	if (accepts(&vd_sign_cofactor_case) || !accepts(&vd_sign_good_case))
		return VD_ECRYPTO;
	for (size_t i = 0; i < VD_SIGN_EDGE_CASES; i++)
		if (accepts(&vd_sign_edge_cases[i]))
			return VD_ECRYPTO;
	return VD_OK;
}
