/* What a passphrase becomes: the key that Argon2id (RFC 9106) makes of its text, for a vault's slot and for a backup alike.
 *
 * Keyboards and systems write one accented letter in several ways (é: one code point, or e and a mark). The text is therefore brought to Unicode's
 * Normalization Form C first (UAX #15), so that what somebody types elsewhere is the same passphrase. What is not UTF-8 is taken byte for byte. */
#ifndef VD_PASSPHRASE_H
#define VD_PASSPHRASE_H

#include "vault.h"

/* At most VD_PASSPHRASE_MAX bytes; a salt of 16; the cost within Argon2id's own bounds. VD_ENOMEM: not enough memory for it; VD_ECAP: too long. */
int vd_passphrase_key(struct vd_slice passphrase, const uint8_t salt[16], const struct vd_vault_cost *, uint8_t out[VD_KEY_BYTES]);
/* The cost that takes Argon2id long enough on this machine: at least 500 ms, at most 256 MiB and a quarter of its memory. Takes some seconds. */
void vd_passphrase_measure(struct vd_vault_cost *);
/* Milliseconds that a try at that cost takes on this machine, from one pass over at most 64 MiB of it; 0: it cannot tell. */
uint64_t vd_passphrase_estimate(const struct vd_vault_cost *);

#endif
