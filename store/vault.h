/* The vault: how a store rests on the disk. One seal function for values, one key function for index keys.
 *
 * A store without a passphrase is *readable*: values stand plain, the index key is all zero. A sealed one has a file `vault` in its home: slots, each
 * of which wraps the same vault key (64 bytes: 32 that seal values, 32 that name them) under what a passphrase (Argon2id, RFC 9106) or the
 * bytes of a key file on a removable token give. Changing slots rewrites no record. Who has the disk and no slot's secret sees counts, growth, and
 * sizes in buckets.
 *
 * The vault key and what follows from it stand in memory that is locked, left out of core dumps, and wiped (sodium_malloc). */
#ifndef VD_VAULT_H
#define VD_VAULT_H

#include "proto/bytes.h"
#include "proto/limits.h"

struct vd_vault;

enum {
	VD_SEAL_PLAIN = 0,
	VD_SEAL_VAULT = 1,           /* nonce (24) ‖ XChaCha20-Poly1305 of the value, padded to a bucket */
	VD_INDEX_KEY_BYTES = 16,
	VD_VAULT_KEY_BYTES = 64,
	VD_VAULT_SLOTS = 8,
	VD_VAULT_TOKEN_MIN = 32,     /* bytes of a key file; at most VD_VAULT_TOKEN_MAX are read */
	VD_VAULT_TOKEN_MAX = 4096,
	VD_PASSPHRASE_MIN = 8,       /* bytes */
	VD_PASSPHRASE_MAX = 1024,
};

enum vd_slot_kind { VD_SLOT_FREE, VD_SLOT_PASSPHRASE, VD_SLOT_TOKEN };

/* What opens a vault: one of the three. Borrowed. */
struct vd_secret {
	struct vd_slice passphrase;
	struct vd_slice token;       /* the bytes of the key file */
	const uint8_t *key;          /* VD_VAULT_KEY_BYTES: the vault key itself, as a daemon lends it */
};

/* NULL: no memory. */
struct vd_vault *vd_vault_new_plain(void);
/* A fresh vault key, in no file yet. */
struct vd_vault *vd_vault_new_sealed(void);
/* Opens `home`/vault. VD_ENOTFOUND: no such file (the store is readable, or none); VD_EKEY: the secret opens no slot; VD_EDAMAGED; VD_EVERSION; VD_ENOMEM,
 * VD_EIO. A passphrase costs what its slots say, at most some seconds each. */
int vd_vault_open_home(const char *home, const struct vd_secret *, struct vd_vault **out);
void vd_vault_free(struct vd_vault *); /* wipes; NULL is fine */
/* Is what it seals readable by whoever holds the disk? */
bool vd_vault_readable(const struct vd_vault *);
/* Borrowed, VD_VAULT_KEY_BYTES; NULL of a readable one. */
const uint8_t *vd_vault_key(const struct vd_vault *);
/* Could all of its memory be locked (mlock)? Else it may reach the swap: said to people. */
bool vd_vault_locked_memory(const struct vd_vault *);
/* Wipes the keys where they stand, at once and async-signal-safe; nothing it seals or opens afterwards is of use. */
void vd_vault_forget(struct vd_vault *);

/* ---- slots: the file `vault`. Written whole (temp, fsync, rename, fsync of the folder); the old file's bytes are overwritten first. ---- */

/* How long Argon2id shall take on this machine: measured, at least 500 ms, at most 1 GiB and a quarter of its memory. */
struct vd_vault_cost {
	uint64_t ops, memory_bytes;
};
void vd_vault_measure(struct vd_vault_cost *);
/* Puts a secret into a free slot; makes the file when there is none. VD_ECAP: no slot free; VD_EINVAL: too short or long. *slot: which. */
int vd_vault_slot_add(const char *home, const struct vd_vault *, const struct vd_secret *, const struct vd_vault_cost *, size_t *slot);
/* VD_ENOTFOUND: free already; VD_EINVAL: the last one. */
int vd_vault_slot_remove(const char *home, size_t slot);
int vd_vault_slots(const char *home, enum vd_slot_kind kinds[VD_VAULT_SLOTS]);
/* The slot that this secret opens. VD_EKEY. */
int vd_vault_slot_of(const char *home, const struct vd_secret *, size_t *slot);

/* ---- values and index keys ---- */

/* Appends the sealed value to *out. `place` (database and key) is authenticated so that values cannot be swapped. */
int vd_vault_seal(const struct vd_vault *, struct vd_slice place, struct vd_slice value, struct vd_buf *out);
/* *value borrows from `sealed` when plain, else from *room. VD_EDAMAGED, VD_EVERSION, VD_EKEY. */
int vd_vault_open(const struct vd_vault *, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room,
                  struct vd_slice *value);
/* A fixed-size key for an exact look-up: H_index(vault index key; use ‖ NUL ‖ parts)[16]. In the plain vault
 * the index key is a constant. */
void vd_vault_index_key(const struct vd_vault *, const char *use, const struct vd_slice *parts, size_t count,
                        uint8_t out[VD_INDEX_KEY_BYTES]);

#endif
