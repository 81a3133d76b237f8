#include "passphrase.h"

#include <sodium.h>
#include <utf8proc.h>

#include "proto/err.h"

_Static_assert(crypto_pwhash_argon2id_SALTBYTES == 16, "the salt's bytes");

/* Decomposed, UTF-8 becomes at most 3 code points for each 2 bytes (U+0390). One more: utf8proc_reencode ends the text. */
enum { ROOM = VD_PASSPHRASE_MAX / 2 * 3 + 1 };

/* In the caller's room, as the library's own would stand on the heap and not be wiped. */
static struct vd_slice normal_form(struct vd_slice text, utf8proc_int32_t room[ROOM])
{
	const utf8proc_option_t form = UTF8PROC_STABLE | UTF8PROC_COMPOSE;
	utf8proc_ssize_t n = utf8proc_decompose(text.p, (utf8proc_ssize_t)text.n, room, ROOM - 1, form);

	if (n >= 0 && n < ROOM)
		n = utf8proc_reencode(room, n, form);
	return n >= 0 ? vd_slice(room, (size_t)n) : text;
}

int vd_passphrase_key(struct vd_slice passphrase, const uint8_t salt[16], const struct vd_vault_cost *cost, uint8_t out[VD_KEY_BYTES])
{
	utf8proc_int32_t room[ROOM];
	struct vd_slice text;
	int rc = VD_OK;

	if (passphrase.n > VD_PASSPHRASE_MAX)
		return VD_ECAP;
	text = normal_form(passphrase, room);
	if (crypto_pwhash_argon2id(out, VD_KEY_BYTES, (const char *)text.p, text.n, salt, cost->ops, (size_t)cost->memory_bytes,
	                           crypto_pwhash_argon2id_ALG_ARGON2ID13))
		rc = VD_ENOMEM;
	sodium_memzero(room, sizeof(room));
	return rc;
}
