/* The slots of the file `vault`, which slots_file.c reads and writes. In a block:
 *
 *   16  "vereda vault", NUL padded      64  8 slots, each:                       4064  hash of all before
 *   16  u32 version, zeros                   1  kind, 7 zeros
 *   32  hash of the vault key                8  ops, 8  memory in bytes
 *                                           16  salt
 *                                           24  nonce ‖ 64 + 16  XChaCha20-Poly1305 of the vault key under what the secret gives;
 *                                               what stands before the nonce is authenticated, and the version with it
 *
 * Each slot proves itself; the hash only tells which copy to believe first, and a wrong passphrase from a damaged file. */
#include <sodium.h>
#include <string.h>

#include "passphrase.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "slots_file.h"
#include "vault.h"

enum {
	AT_CHECK = 32, AT_SLOTS = 64,
	SALT_BYTES = crypto_pwhash_SALTBYTES,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	WRAPPED_BYTES = VD_VAULT_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SLOT_KIND = 0, SLOT_OPS = 8, SLOT_MEMORY = 16, SLOT_SALT = 24, SLOT_NONCE = SLOT_SALT + SALT_BYTES,
	SLOT_KEY = SLOT_NONCE + NONCE_BYTES, SLOT_BYTES = SLOT_KEY + WRAPPED_BYTES,
};
_Static_assert(AT_SLOTS + VD_VAULT_SLOTS * SLOT_BYTES <= VD_SLOTS_END, "the slots fit");

/* In locked memory while a slot is opened or made. */
struct scratch {
	uint8_t wrap[VD_KEY_BYTES], key[VD_VAULT_KEY_BYTES];
};

/* The key is random: its hash tells nothing of it. */
static void key_hash(const uint8_t *key, uint8_t out[VD_HASH_BYTES])
{
	struct vd_slice part = vd_slice_str("check");

	vd_hash(VD_HASH_VAULT, vd_slice(key, VD_VAULT_KEY_BYTES), out, VD_HASH_BYTES, &part, 1);
}

static uint8_t *slot_at(uint8_t *block, size_t slot)
{
	return block + AT_SLOTS + slot * SLOT_BYTES;
}

static enum vd_slot_kind kind_of(const uint8_t *slot)
{
	return slot[SLOT_KIND] <= VD_SLOT_TOKEN ? (enum vd_slot_kind)slot[SLOT_KIND] : VD_SLOT_FREE;
}

/* --- one slot --- */

static bool secret_ok(const struct vd_secret *s)
{
	if (s->key)
		return false;
	if (s->passphrase.p)
		return !s->token.p && s->passphrase.n >= VD_PASSPHRASE_MIN && s->passphrase.n <= VD_PASSPHRASE_MAX;
	return s->token.p && s->token.n >= VD_VAULT_TOKEN_MIN && s->token.n <= VD_VAULT_TOKEN_MAX;
}

static bool cost_ok(uint64_t ops, uint64_t memory)
{
	return ops >= crypto_pwhash_argon2id_OPSLIMIT_MIN && ops <= VD_VAULT_OPS_MAX && memory >= crypto_pwhash_argon2id_MEMLIMIT_MIN &&
	       memory <= VD_VAULT_MEMORY_MAX && ops * memory <= VD_VAULT_WORK_MAX;
}

/* What the secret makes of this slot: the key that wraps the vault key. */
static int wrap_key(const uint8_t *slot, const struct vd_secret *secret, uint8_t out[VD_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice_str("token"), vd_slice(slot + SLOT_SALT, SALT_BYTES), secret->token };
	uint8_t whole[64];

	if (kind_of(slot) == VD_SLOT_PASSPHRASE) {
		const struct vd_vault_cost cost = { .ops = vd_get_u64(slot + SLOT_OPS), .memory_bytes = vd_get_u64(slot + SLOT_MEMORY) };

		return vd_passphrase_key(secret->passphrase, slot + SLOT_SALT, &cost, out);
	}
	/* The secret is the hash's text: hashed first, it becomes its key. */
	vd_hash(VD_HASH_VAULT, vd_slice(NULL, 0), whole, sizeof(whole), parts, 3);
	vd_hash(VD_HASH_VAULT, vd_slice(whole, sizeof(whole)), out, VD_KEY_BYTES, parts, 2);
	sodium_memzero(whole, sizeof(whole));
	return VD_OK;
}

static void slot_ad(const uint8_t *slot, uint8_t out[1 + SLOT_NONCE])
{
	out[0] = VD_SLOTS_VERSION;
	memcpy(out + 1, slot, SLOT_NONCE);
}

static int fill_slot(uint8_t *slot, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	struct scratch *scratch = sodium_malloc(sizeof(*scratch));
	uint8_t ad[1 + SLOT_NONCE];
	int rc;

	if (!scratch)
		return VD_ENOMEM;
	memset(slot, 0, SLOT_BYTES);
	slot[SLOT_KIND] = secret->passphrase.p ? VD_SLOT_PASSPHRASE : VD_SLOT_TOKEN;
	if (secret->passphrase.p) {
		vd_set_u64(slot + SLOT_OPS, cost->ops);
		vd_set_u64(slot + SLOT_MEMORY, cost->memory_bytes);
	}
	randombytes_buf(slot + SLOT_SALT, SALT_BYTES + NONCE_BYTES);
	rc = wrap_key(slot, secret, scratch->wrap);
	slot_ad(slot, ad);
	if (!rc)
		crypto_aead_xchacha20poly1305_ietf_encrypt(slot + SLOT_KEY, NULL, vd_vault_key(v), VD_VAULT_KEY_BYTES, ad, sizeof(ad), NULL,
		                                           slot + SLOT_NONCE, scratch->wrap);
	sodium_free(scratch);
	return rc;
}

/* VD_EKEY: it does not open it; VD_EDAMAGED: nor could it. */
static int open_slot(const uint8_t *slot, const struct vd_secret *secret, struct scratch *scratch)
{
	enum vd_slot_kind kind = kind_of(slot);
	uint8_t ad[1 + SLOT_NONCE];
	int rc;

	if (kind == VD_SLOT_PASSPHRASE && secret->passphrase.p) {
		if (!cost_ok(vd_get_u64(slot + SLOT_OPS), vd_get_u64(slot + SLOT_MEMORY)))
			return VD_EDAMAGED;
	} else if (kind != VD_SLOT_TOKEN || !secret->token.p) {
		return slot[SLOT_KIND] > VD_SLOT_TOKEN ? VD_EDAMAGED : VD_EKEY;
	}
	rc = wrap_key(slot, secret, scratch->wrap);
	if (rc)
		return rc;
	slot_ad(slot, ad);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(scratch->key, NULL, NULL, slot + SLOT_KEY, WRAPPED_BYTES, ad, sizeof(ad),
	                                                  slot + SLOT_NONCE, scratch->wrap)
	               ? VD_EKEY
	               : VD_OK;
}

static bool same_key(const uint8_t *block, const uint8_t *key)
{
	uint8_t hash[VD_HASH_BYTES];

	key_hash(key, hash);
	return !sodium_memcmp(hash, block + AT_CHECK, sizeof(hash));
}

static int open_lent(struct vd_slots_file *t, const uint8_t *key, struct vd_vault **out)
{
	for (size_t i = 0; i < t->count; i++) {
		if (!same_key(t->block[i], key))
			continue;
		*out = vd_vault_new_of(key);
		return *out ? VD_OK : VD_ENOMEM;
	}
	return t->whole ? VD_EKEY : VD_EDAMAGED;
}

/* Of a passphrase or token; vault and slot may be NULL. */
static int open_table(struct vd_slots_file *t, const struct vd_secret *secret, struct vd_vault **vault, size_t *which)
{
	struct vd_secret usable = *secret;
	struct scratch *scratch;
	bool damaged = !t->whole;
	int rc = VD_EKEY;

	if (sodium_init() < 0)
		return VD_ENOMEM;
	if (usable.passphrase.n > VD_PASSPHRASE_MAX)
		usable.passphrase = vd_slice(NULL, 0);
	if (usable.token.n < VD_VAULT_TOKEN_MIN || usable.token.n > VD_VAULT_TOKEN_MAX)
		usable.token = vd_slice(NULL, 0);
	scratch = sodium_malloc(sizeof(*scratch));
	if (!scratch)
		return VD_ENOMEM;
	for (size_t i = 0; i < t->count && (rc == VD_EKEY || rc == VD_EDAMAGED); i++) {
		for (size_t slot = 0; slot < VD_VAULT_SLOTS && (rc == VD_EKEY || rc == VD_EDAMAGED); slot++) {
			rc = open_slot(slot_at(t->block[i], slot), &usable, scratch);
			damaged |= rc == VD_EDAMAGED;
			if (!rc && which)
				*which = slot;
		}
	}
	if (!rc && vault) {
		*vault = vd_vault_new_of(scratch->key);
		rc = *vault ? VD_OK : VD_ENOMEM;
	}
	sodium_free(scratch);
	return rc == VD_EKEY && damaged ? VD_EDAMAGED : rc;
}

int vd_vault_open_home(const char *home, const struct vd_secret *secret, struct vd_vault **out)
{
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, false, &fd, &t);

	if (!rc)
		vd_slots_file_sweep(fd);
	if (!rc && secret->key)
		rc = open_lent(&t, secret->key, out);
	else if (!rc)
		rc = open_table(&t, secret, out, NULL);
	vd_slots_file_end(fd, &t);
	return rc;
}

int vd_vault_slot_of(const char *home, const struct vd_secret *secret, size_t *slot)
{
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, false, &fd, &t);

	if (!rc)
		rc = secret->key ? VD_EINVAL : open_table(&t, secret, NULL, slot);
	vd_slots_file_end(fd, &t);
	return rc;
}

int vd_vault_slots(const char *home, enum vd_slot_kind kinds[VD_VAULT_SLOTS])
{
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, false, &fd, &t);

	if (!rc && !t.whole)
		rc = VD_EDAMAGED;
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++)
		kinds[i] = kind_of(slot_at(t.block[0], i));
	vd_slots_file_end(fd, &t);
	return rc;
}

int vd_vault_slots_cost(const char *home, struct vd_vault_cost *out)
{
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, false, &fd, &t);

	*out = (struct vd_vault_cost){ 0 };
	if (!rc && !t.whole)
		rc = VD_EDAMAGED;
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++) {
		const uint8_t *slot = slot_at(t.block[0], i);
		const struct vd_vault_cost cost = { .ops = vd_get_u64(slot + SLOT_OPS), .memory_bytes = vd_get_u64(slot + SLOT_MEMORY) };

		if (kind_of(slot) == VD_SLOT_PASSPHRASE && cost_ok(cost.ops, cost.memory_bytes) && cost.ops * cost.memory_bytes > out->ops * out->memory_bytes)
			*out = cost;
	}
	vd_slots_file_end(fd, &t);
	return rc;
}

/* Could some secret open one of these slots? */
static bool any_slot(struct vd_slots_file *t)
{
	for (size_t i = 0; i < 2 * (size_t)VD_VAULT_SLOTS; i++) {
		const uint8_t *slot = slot_at(t->block[i / VD_VAULT_SLOTS], i % VD_VAULT_SLOTS);
		enum vd_slot_kind kind = kind_of(slot);

		if (kind == VD_SLOT_TOKEN || (kind == VD_SLOT_PASSPHRASE && cost_ok(vd_get_u64(slot + SLOT_OPS), vd_get_u64(slot + SLOT_MEMORY))))
			return true;
	}
	return false;
}

enum vd_slots_state vd_vault_slots_state(const char *home)
{
	enum vd_slots_state state = VD_SLOTS_NONE;
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, false, &fd, &t);

	if (rc == VD_EDAMAGED || (!rc && !t.whole))
		state = !rc && any_slot(&t) ? VD_SLOTS_TORN : VD_SLOTS_GONE;
	else if (!rc)
		state = t.copies == 2 ? VD_SLOTS_WHOLE : VD_SLOTS_HALF;
	vd_slots_file_end(fd, &t);
	return state;
}

int vd_vault_slots_rewrite(const char *home)
{
	struct vd_slots_file t;
	int fd, rc = vd_slots_file_begin(home, true, &fd, &t);

	if (!rc)
		rc = t.whole ? vd_slots_file_write(fd, &t) : VD_EDAMAGED;
	vd_slots_file_end(fd, &t);
	return rc;
}

static void empty_table(struct vd_slots_file *t, const struct vd_vault *v)
{
	vd_slots_file_empty(t);
	key_hash(vd_vault_key(v), t->block[0] + AT_CHECK);
}

/* `old`: the slot that goes for it; VD_VAULT_SLOTS: none. */
static int add_slot(int fd, struct vd_slots_file *t, const struct vd_vault *v, size_t old, const struct vd_secret *secret,
                    const struct vd_vault_cost *cost, size_t *which)
{
	size_t slot = 0;
	int rc;

	if (!t->whole)
		return VD_EDAMAGED;
	if (!same_key(t->block[0], vd_vault_key(v)))
		return VD_EINVAL;
	if (old < VD_VAULT_SLOTS && kind_of(slot_at(t->block[0], old)) == VD_SLOT_FREE)
		return VD_ENOTFOUND;
	while (slot < VD_VAULT_SLOTS && slot != old && kind_of(slot_at(t->block[0], slot)) != VD_SLOT_FREE)
		slot++;
	if (slot == VD_VAULT_SLOTS)
		return VD_ECAP;
	rc = fill_slot(slot_at(t->block[0], slot), v, secret, cost);
	if (!rc && old < VD_VAULT_SLOTS && old != slot)
		memset(slot_at(t->block[0], old), 0, SLOT_BYTES);
	if (!rc)
		rc = vd_slots_file_write(fd, t);
	if (!rc && which)
		*which = slot;
	return rc;
}

bool vd_vault_can_make(const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	return secret_ok(secret) && (!secret->passphrase.p || (cost && cost_ok(cost->ops, cost->memory_bytes)));
}

static bool can_add(const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	return !vd_vault_readable(v) && !vd_vault_forgotten(v) && vd_vault_can_make(secret, cost);
}

static int add_to(const char *home, const struct vd_vault *v, size_t old, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                  size_t *slot)
{
	struct vd_slots_file t;
	int fd, rc;

	if (!can_add(v, secret, cost))
		return VD_EINVAL;
	rc = vd_slots_file_begin(home, true, &fd, &t);
	if (!rc)
		rc = add_slot(fd, &t, v, old, secret, cost, slot);
	vd_slots_file_end(fd, &t);
	return rc;
}

int vd_vault_slot_add(const char *home, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                      size_t *slot)
{
	return add_to(home, v, VD_VAULT_SLOTS, secret, cost, slot);
}

int vd_vault_slot_change(const char *home, const struct vd_vault *v, size_t old, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                         size_t *slot)
{
	return old < VD_VAULT_SLOTS ? add_to(home, v, old, secret, cost, slot) : VD_ENOTFOUND;
}

int vd_vault_make(const char *folder, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	struct vd_slots_file t;
	int fd, rc;

	if (!can_add(v, secret, cost))
		return VD_EINVAL;
	rc = vd_slots_file_folder(folder, &fd);
	if (rc)
		return rc;
	empty_table(&t, v);
	rc = add_slot(fd, &t, v, VD_VAULT_SLOTS, secret, cost, NULL);
	vd_slots_file_end(fd, &t);
	return rc;
}

int vd_vault_slot_remove(const char *home, size_t slot)
{
	struct vd_slots_file t;
	size_t used = 0;
	int fd, rc = vd_slots_file_begin(home, true, &fd, &t);

	if (!rc && !t.whole)
		rc = VD_EDAMAGED;
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++)
		used += kind_of(slot_at(t.block[0], i)) != VD_SLOT_FREE;
	if (!rc && (slot >= VD_VAULT_SLOTS || kind_of(slot_at(t.block[0], slot)) == VD_SLOT_FREE))
		rc = VD_ENOTFOUND;
	else if (!rc && used == 1)
		rc = VD_EINVAL;
	if (!rc) {
		memset(slot_at(t.block[0], slot), 0, SLOT_BYTES);
		rc = vd_slots_file_write(fd, &t);
	}
	vd_slots_file_end(fd, &t);
	return rc;
}
