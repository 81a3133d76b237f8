/* The vault: how a store rests on the disk. One seal function for values, one key function for index keys.
 *
 * A store without a passphrase is *readable*: values stand plain, index keys are hashes that anyone can make. A sealed one has a file `vault` in its home: slots, each
 * of which wraps the same vault key (64 bytes: 32 that seal values, 32 that name them) under what a passphrase (passphrase.h) or the
 * bytes of a key file on a removable token give. Changing slots rewrites no record. Who has the disk and no slot's secret sees counts, growth,
 * sizes in buckets, and which arrival numbers stand in a list with which others, of what nobody can say; no text, name, key, id, time or kind.
 *
 * The vault key and what follows from it stand in memory that is locked, left out of core dumps, and wiped (sodium_malloc): one page of 4 KiB a
 * vault, and one more while a slot is opened or made. */
#ifndef VD_VAULT_H
#define VD_VAULT_H

#include "proto/bytes.h"
#include "proto/limits.h"

struct vd_vault;

enum {
	VD_SEAL_PLAIN = 0,
	VD_SEAL_VAULT = 1,           /* nonce (24) ‖ XChaCha20-Poly1305 of the value, padded to a bucket */
	VD_INDEX_KEY_BYTES = 16,
	VD_SEALED_BEGIN_BYTES = 1 + 24 + 64, /* of a sealed value there are at least so many, and some of them its first 60 */
	VD_LIST_KEY_BYTES = 8,       /* of an index key, in front of an arrival number */
	VD_VAULT_KEY_BYTES = 64,
	VD_VAULT_SLOTS = 8,
	VD_VAULT_TOKEN_MIN = 32,     /* bytes of a key file; at most VD_VAULT_TOKEN_MAX are read */
	VD_VAULT_TOKEN_MAX = 4096,
	VD_PASSPHRASE_MIN = 8,       /* bytes */
	VD_PASSPHRASE_MAX = 1024,
	VD_VALUE_MAX = 1 << 24,      /* bytes of one sealed value: a bound on what a damaged one can claim */
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
/* Of a vault key. */
struct vd_vault *vd_vault_new_of(const uint8_t key[VD_VAULT_KEY_BYTES]);
/* Opens `home`/vault. VD_ENOTFOUND: no such file (the store is readable, or none); VD_EKEY: the secret opens no slot; VD_EDAMAGED: so it does not, but slots
 * are damaged; VD_EVERSION; VD_ENOMEM, VD_EIO, VD_EDENIED. A passphrase costs what its slots say, at most some seconds each. */
int vd_vault_open_home(const char *home, const struct vd_secret *, struct vd_vault **out);
void vd_vault_free(struct vd_vault *); /* wipes; NULL is fine */
/* Is what it seals readable by whoever holds the disk? */
bool vd_vault_readable(const struct vd_vault *);
/* Borrowed, VD_VAULT_KEY_BYTES; NULL of a readable one. */
const uint8_t *vd_vault_key(const struct vd_vault *);
/* Could all of its memory be locked (mlock)? Else it may reach the swap: said to people. */
bool vd_vault_locked_memory(const struct vd_vault *);
/* Wipes the keys where they stand, at once and async-signal-safe. Sealing and opening say VD_EKEY from then on, and nothing is committed any more: whoever wants
 * the store again closes it and opens it with a secret. */
void vd_vault_forget(struct vd_vault *);
bool vd_vault_forgotten(const struct vd_vault *);

/* ---- slots: the file `vault`, of 8 KiB. Its contents stand in it twice, so that one bad sector locks nobody out. Written whole (`vault.new`, fsync, rename, fsync of
 * the folder); the old file's bytes are overwritten as soon as the new one stands (it is called `vault.old` meanwhile, and swept at the next occasion). Changes hold the writers' lock of
 * the store: not inside a transaction of the same thread. ---- */

/* What Argon2id costs: passphrase.h measures it. */
struct vd_vault_cost {
	uint64_t ops, memory_bytes;
};
enum {
	VD_VAULT_OPS_MAX = 64,                 /* what a file may ask of us at most: these, … */
	VD_VAULT_MEMORY_MAX = 1 << 30,
	VD_VAULT_MEASURED_MAX = 256 << 20,
};
#define VD_VAULT_WORK_MAX (UINT64_C(16) << 30) /* … and ops × bytes */
/* Puts a secret (no key) into a free slot. VD_ENOTFOUND: there is no file (to make it is vd_store_create_with's and vd_store_seal's); VD_ECAP: no slot free; VD_EINVAL: too short or long, a cost out of bounds, or the vault is
 * not the one of the file; VD_EDAMAGED, VD_ENOSPACE, VD_EIO: nothing changed. *slot (may be NULL): which. */
int vd_vault_slot_add(const char *home, const struct vd_vault *, const struct vd_secret *, const struct vd_vault_cost *, size_t *slot);
/* The same in the place of a slot that opens it now: at every moment one of the two does, and never both. VD_ENOTFOUND (also): that slot is free. */
int vd_vault_slot_change(const char *home, const struct vd_vault *, size_t old, const struct vd_secret *, const struct vd_vault_cost *, size_t *slot);
/* VD_ENOTFOUND: free already; VD_EINVAL: the last one. */
int vd_vault_slot_remove(const char *home, size_t slot);
int vd_vault_slots(const char *home, enum vd_slot_kind kinds[VD_VAULT_SLOTS]);
/* What the dearest of its passphrases costs to try; zeros: there is none. Errors as vd_vault_slots. */
int vd_vault_slots_cost(const char *home, struct vd_vault_cost *out);
/* How the file stands. NONE: there is none, or it cannot be looked at; HALF: one of its two tables is damaged or cut off; TORN: both are, but a slot may open yet;
 * GONE: no secret can open it. */
enum vd_slots_state { VD_SLOTS_NONE, VD_SLOTS_WHOLE, VD_SLOTS_HALF, VD_SLOTS_TORN, VD_SLOTS_GONE };
enum vd_slots_state vd_vault_slots_state(const char *home);
/* Writes it again from the table that is whole, as every change of a slot does. VD_EDAMAGED: neither is. */
int vd_vault_slots_rewrite(const char *home);
/* The slot that this secret opens. VD_EKEY. */
int vd_vault_slot_of(const char *home, const struct vd_secret *, size_t *slot);
/* For who makes a store, and holds its lock already: writes the file at `folder` anew, with this one slot. */
bool vd_vault_can_make(const struct vd_secret *, const struct vd_vault_cost *);
int vd_vault_make(const char *folder, const struct vd_vault *, const struct vd_secret *, const struct vd_vault_cost *);
/* Overwrites and removes it, for who holds the lock. VD_OK also when there is none. */
int vd_vault_unmake(const char *folder);
/* Does `home` have such a file? Also where the medium does not say: opening tells then. */
bool vd_vault_exists(const char *home);

/* ---- values and index keys ---- */

/* Appends the sealed value to *out. `place` (database and key) is authenticated so that values cannot be swapped. VD_ENOMEM, VD_ECAP; VD_EKEY: forgotten. Threads
 * may share a vault, and a fork draws nonces of its own. */
int vd_vault_seal(const struct vd_vault *, struct vd_slice place, struct vd_slice value, struct vd_buf *out);
/* The same in two steps: the value is laid out in *out as it will stand there, and sealed in those bytes, by any thread; a readable vault has nothing left
 * to do then. VD_EKEY: forgotten; the bytes are wiped. Nothing laid may be given out unsealed. */
int vd_vault_lay(const struct vd_vault *, struct vd_slice value, struct vd_buf *out);
int vd_vault_seal_laid(const struct vd_vault *, struct vd_slice place, uint8_t *laid, size_t n);
/* *value borrows from `sealed` when plain, else from *room, which is reset first. VD_EDAMAGED (also: plain in a sealed store), VD_EVERSION,
 * VD_EKEY (sealed, in a readable store; or forgotten), VD_ENOMEM. */
int vd_vault_open(const struct vd_vault *, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room,
                  struct vd_slice *value);
/* What a value would begin with that is sealed, or plain, from `sealed` on, however far it goes: its first n bytes (at most 60) in out. Nothing proves
 * them: for who has lost how long it is and its place, and then opens it. VD_EDAMAGED: none begins so; VD_EKEY: forgotten. */
int vd_vault_peek(const struct vd_vault *, struct vd_slice sealed, uint8_t *out, size_t n);
/* Bytes of a value of n when it is sealed. */
size_t vd_vault_sealed_bytes(const struct vd_vault *, size_t n);
/* A fixed-size key for an exact look-up: the plain key H_index(0; use ‖ NUL ‖ parts)[16], which a sealed vault then turns under its own key. */
void vd_vault_index_key(const struct vd_vault *, const char *use, const struct vd_slice *parts, size_t count,
                        uint8_t out[VD_INDEX_KEY_BYTES]);
/* The same for a list: the first n (at most 8) bytes of the plain key, turned, and of that again as many; zeros behind them. */
void vd_vault_list_key(const struct vd_vault *, const char *use, const struct vd_slice *parts, size_t count, size_t n,
                       uint8_t out[VD_LIST_KEY_BYTES]);
/* Turning alone, so that a store can be sealed without knowing what its keys are hashes of. In the plain vault both are what they were. The key of a value is turned by a
 * permutation (four Feistel rounds) and can be turned back; that of a list by a one-way function: lists are derived from records. The round function of both is
 * HChaCha20 under the vault's naming key. */
void vd_vault_turn_key(const struct vd_vault *, const uint8_t plain[VD_INDEX_KEY_BYTES], uint8_t out[VD_INDEX_KEY_BYTES]);
void vd_vault_turn_back(const struct vd_vault *, const uint8_t turned[VD_INDEX_KEY_BYTES], uint8_t plain[VD_INDEX_KEY_BYTES]);
void vd_vault_turn_list(const struct vd_vault *, const uint8_t plain[VD_LIST_KEY_BYTES], size_t n, uint8_t out[VD_LIST_KEY_BYTES]);

#endif
