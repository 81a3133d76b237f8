#include "hash.h"

#include <assert.h>
#include <sodium.h>

static const char personal[VD_HASH_USES][crypto_generichash_blake2b_PERSONALBYTES + 1] = {
	[VD_HASH_RECORD_ID] = "vereda record id",
	[VD_HASH_BODY] = "vereda body",
	[VD_HASH_GROUP_ID] = "vereda group id",
	[VD_HASH_ITEM] = "vereda item",
	[VD_HASH_CHECK] = "vereda check",
	[VD_HASH_DIGEST] = "vereda digest",
	[VD_HASH_SUMMARY] = "vereda summary",
	[VD_HASH_EPOCH_COMMIT] = "vereda epoch key",
	[VD_HASH_BODY_KEY] = "vereda body key",
	[VD_HASH_BODY_AUTH] = "vereda body auth",
	[VD_HASH_BODY_MAC] = "vereda body mac",
	[VD_HASH_LINK_PSK] = "vereda link psk",
	[VD_HASH_BEACON] = "vereda beacon",
	[VD_HASH_SLOT] = "vereda slot",
	[VD_HASH_MASK] = "vereda mask",
	[VD_HASH_STREAM] = "vereda stream",
	[VD_HASH_HEAD] = "vereda head",
	[VD_HASH_WORDS] = "vereda words",
	[VD_HASH_CHECKSUM] = "vereda checksum",
	[VD_HASH_INDEX] = "vereda index",
	[VD_HASH_LOAD] = "vereda load",
	[VD_HASH_PAPER] = "vereda paper",
	[VD_HASH_VAULT] = "vereda vault",
	[VD_HASH_PROLOGUE] = "vereda prologue",
	[VD_HASH_SLIP] = "vereda slip",
	[VD_HASH_RECEIPT] = "vereda receipt",
	[VD_HASH_TEMP] = "vereda temp",
};

void vd_hash(enum vd_hash_use use, struct vd_slice key, uint8_t *out, size_t out_n, const struct vd_slice *parts,
             size_t count)
{
	crypto_generichash_blake2b_state state;
	int rc;

	assert(use < VD_HASH_USES && out_n >= 1 && out_n <= 64 && key.n <= 64);
	rc = crypto_generichash_blake2b_init_salt_personal(&state, key.n ? key.p : NULL, key.n, out_n, NULL,
	                                                   (const unsigned char *)personal[use]);
	for (size_t i = 0; i < count; i++)
		rc |= crypto_generichash_blake2b_update(&state, parts[i].p, parts[i].n);
	rc |= crypto_generichash_blake2b_final(&state, out, out_n);
	assert(rc == 0);
	(void)rc;
	if (key.n)
		sodium_memzero(&state, sizeof(state));
}

void vd_hash1(enum vd_hash_use use, uint8_t out[32], struct vd_slice part)
{
	vd_hash(use, vd_slice(NULL, 0), out, 32, &part, 1);
}
