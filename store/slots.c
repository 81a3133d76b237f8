/* The file `vault`: two copies of one block of 4 KiB.
 *
 *   16  "vereda vault", NUL padded      64  8 slots, each:                       4064  hash of all before
 *   16  u32 version, zeros                   1  kind, 7 zeros
 *   32  hash of the vault key                8  ops, 8  memory in bytes
 *                                           16  salt
 *                                           24  nonce ‖ 64 + 16  XChaCha20-Poly1305 of the vault key under what the secret gives;
 *                                               what stands before the nonce is authenticated, and the version with it
 *
 * Each slot proves itself; the hash only tells which copy to believe first, and a wrong passphrase from a damaged file. */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "passphrase.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "vault.h"

enum {
	BLOCK_BYTES = 4096,
	FILE_BYTES = 2 * BLOCK_BYTES,
	VERSION = 1,
	MAGIC_BYTES = 16,
	AT_VERSION = 16, AT_CHECK = 32, AT_SLOTS = 64, AT_HASH = BLOCK_BYTES - VD_HASH_BYTES,
	SALT_BYTES = crypto_pwhash_SALTBYTES,
	NONCE_BYTES = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	WRAPPED_BYTES = VD_VAULT_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES,
	SLOT_KIND = 0, SLOT_OPS = 8, SLOT_MEMORY = 16, SLOT_SALT = 24, SLOT_NONCE = SLOT_SALT + SALT_BYTES,
	SLOT_KEY = SLOT_NONCE + NONCE_BYTES, SLOT_BYTES = SLOT_KEY + WRAPPED_BYTES,
};
_Static_assert(AT_SLOTS + VD_VAULT_SLOTS * SLOT_BYTES <= AT_HASH, "the slots fit");

static const char magic[MAGIC_BYTES] = "vereda vault", file_name[] = "vault", new_name[] = "vault.new", old_name[] = "vault.old";

/* The one block that counts, and whether it is whole. */
struct table {
	uint8_t block[2][BLOCK_BYTES];
	size_t count;       /* blocks to try: 1 when one is whole, else 2 */
	size_t copies;      /* how many were whole */
	bool whole;
};

/* In locked memory while a slot is opened or made. */
struct scratch {
	uint8_t wrap[VD_KEY_BYTES], key[VD_VAULT_KEY_BYTES];
};

static void block_hash(const uint8_t *block, uint8_t out[VD_HASH_BYTES])
{
	struct vd_slice parts[] = { vd_slice_str("file"), vd_slice(block, AT_HASH) };

	vd_hash(VD_HASH_VAULT, vd_slice(NULL, 0), out, VD_HASH_BYTES, parts, 2);
}

/* The key is random: its hash tells nothing of it. */
static void key_hash(const uint8_t *key, uint8_t out[VD_HASH_BYTES])
{
	struct vd_slice part = vd_slice_str("check");

	vd_hash(VD_HASH_VAULT, vd_slice(key, VD_VAULT_KEY_BYTES), out, VD_HASH_BYTES, &part, 1);
}

static bool block_whole(const uint8_t *block)
{
	uint8_t hash[VD_HASH_BYTES];

	block_hash(block, hash);
	return !memcmp(block, magic, MAGIC_BYTES) && !memcmp(block + AT_HASH, hash, sizeof(hash));
}

static uint8_t *slot_at(uint8_t *block, size_t slot)
{
	return block + AT_SLOTS + slot * SLOT_BYTES;
}

static enum vd_slot_kind kind_of(const uint8_t *slot)
{
	return slot[SLOT_KIND] <= VD_SLOT_TOKEN ? (enum vd_slot_kind)slot[SLOT_KIND] : VD_SLOT_FREE;
}

/* --- the file --- */

static int read_table(int home, struct table *t)
{
	int fd = openat(home, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *bytes = (uint8_t *)t->block;
	size_t at = 0;
	int rc = VD_OK;

	*t = (struct table){ .count = 2 };
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? VD_EDAMAGED : vd_file_errno(errno);
	while (at < FILE_BYTES) {
		ssize_t n = pread(fd, bytes + at, FILE_BYTES - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EIO && at < BLOCK_BYTES) { /* a bad sector: the other copy may stand elsewhere */
			at = BLOCK_BYTES;
			continue;
		}
		if (n < 0 && errno != EIO)
			rc = errno == EISDIR ? VD_EDAMAGED : vd_file_errno(errno);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	close(fd);
	if (rc)
		return rc;
	for (size_t i = 0; i < 2; i++) {
		if (!block_whole(t->block[i]))
			continue;
		t->copies++;
		if (t->whole)
			continue;
		t->whole = true;
		t->count = 1;
		if (i)
			memcpy(t->block[0], t->block[1], BLOCK_BYTES);
	}
	return t->whole && vd_get_u32(t->block[0] + AT_VERSION) != VERSION ? VD_EVERSION : VD_OK;
}

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t written = pwrite(fd, bytes + at, n - at, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? vd_file_errno(errno) : VD_ENOSPACE;
		at += (size_t)written;
	}
	return VD_OK;
}

static int sync_home(int home)
{
	return fsync(home) && errno != EINVAL ? vd_file_errno(errno) : VD_OK;
}

/* The bytes of a slots' file that is none any more. */
static void scrub(int fd)
{
	uint8_t noise[FILE_BYTES];

	randombytes_buf(noise, sizeof(noise));
	if (!write_all(fd, noise, sizeof(noise)))
		(void)!fsync(fd);
}

/* What an interrupted change left. */
static void sweep(int home)
{
	static const char *const names[] = { old_name, new_name };
	struct stat st, left;

	for (size_t i = 0; i < 2; i++) {
		int fd;

		if (fstatat(home, names[i], &left, AT_SYMLINK_NOFOLLOW))
			continue;
		/* Before the new one took its name, the old one had two. */
		if (S_ISREG(left.st_mode) && (fstatat(home, file_name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != left.st_ino)) {
			fd = openat(home, names[i], O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
			if (fd >= 0) {
				scrub(fd);
				close(fd);
			}
		}
		unlinkat(home, names[i], 0);
	}
}

static int write_new(int home, const uint8_t *bytes)
{
	int rc, fd = openat(home, new_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return vd_file_errno(errno);
	rc = write_all(fd, bytes, FILE_BYTES);
	if (!rc && fsync(fd))
		rc = vd_file_errno(errno);
	if (close(fd) && !rc)
		rc = vd_file_errno(errno);
	if (rc)
		unlinkat(home, new_name, 0);
	return rc;
}

/* Only block 0 of the table counts. */
static int write_table(int home, struct table *t)
{
	int rc, old;

	block_hash(t->block[0], t->block[0] + AT_HASH);
	memcpy(t->block[1], t->block[0], BLOCK_BYTES);
	sweep(home);
	rc = write_new(home, (const uint8_t *)t->block);
	if (rc)
		return rc;
	old = openat(home, file_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (old >= 0)
		(void)!linkat(home, file_name, home, old_name, 0); /* found again after a power cut; where there are no links, it is not */
	rc = sync_home(home);
	if (!rc && renameat(home, new_name, home, file_name))
		rc = vd_file_errno(errno);
	if (!rc)
		rc = sync_home(home);
	if (!rc && old >= 0)
		scrub(old);
	if (old >= 0)
		close(old);
	sweep(home);
	return rc;
}

static int open_folder(const char *home, int *fd)
{
	*fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? vd_file_errno(errno) : VD_OK;
}

/* Reads the table of `home`; `change`: under the writers' lock, which stands until *fd is closed. */
static int begin(const char *home, bool change, int *fd, struct table *t)
{
	int rc = open_folder(home, fd);

	if (rc)
		return rc;
	while (change && flock(*fd, LOCK_EX)) {
		if (errno != EINTR) {
			rc = VD_EIO;
			break;
		}
	}
	if (!rc && change)
		sweep(*fd);
	if (!rc)
		rc = read_table(*fd, t);
	return rc;
}

static void end(int fd, struct table *t)
{
	if (fd >= 0)
		close(fd);
	sodium_memzero(t, sizeof(*t));
}

bool vd_vault_exists(const char *home)
{
	struct stat st;
	bool is;
	int fd;

	if (open_folder(home, &fd))
		return false;
	is = !fstatat(fd, file_name, &st, AT_SYMLINK_NOFOLLOW);
	close(fd);
	return is;
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
	out[0] = VERSION;
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

static int open_lent(struct table *t, const uint8_t *key, struct vd_vault **out)
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
static int open_table(struct table *t, const struct vd_secret *secret, struct vd_vault **vault, size_t *which)
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
	struct table t;
	int fd, rc = begin(home, false, &fd, &t);

	if (!rc && !faccessat(fd, old_name, F_OK, AT_SYMLINK_NOFOLLOW) && !flock(fd, LOCK_EX | LOCK_NB)) {
		sweep(fd);
		flock(fd, LOCK_UN);
	}
	if (!rc && secret->key)
		rc = open_lent(&t, secret->key, out);
	else if (!rc)
		rc = open_table(&t, secret, out, NULL);
	end(fd, &t);
	return rc;
}

int vd_vault_slot_of(const char *home, const struct vd_secret *secret, size_t *slot)
{
	struct table t;
	int fd, rc = begin(home, false, &fd, &t);

	if (!rc)
		rc = secret->key ? VD_EINVAL : open_table(&t, secret, NULL, slot);
	end(fd, &t);
	return rc;
}

int vd_vault_slots(const char *home, enum vd_slot_kind kinds[VD_VAULT_SLOTS])
{
	struct table t;
	int fd, rc = begin(home, false, &fd, &t);

	if (!rc && !t.whole)
		rc = VD_EDAMAGED;
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++)
		kinds[i] = kind_of(slot_at(t.block[0], i));
	end(fd, &t);
	return rc;
}

/* Could some secret open one of these slots? */
static bool any_slot(struct table *t)
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
	struct table t;
	int fd, rc = begin(home, false, &fd, &t);

	if (rc == VD_EDAMAGED || (!rc && !t.whole))
		state = !rc && any_slot(&t) ? VD_SLOTS_TORN : VD_SLOTS_GONE;
	else if (!rc)
		state = t.copies == 2 ? VD_SLOTS_WHOLE : VD_SLOTS_HALF;
	end(fd, &t);
	return state;
}

int vd_vault_slots_rewrite(const char *home)
{
	struct table t;
	int fd, rc = begin(home, true, &fd, &t);

	if (!rc)
		rc = t.whole ? write_table(fd, &t) : VD_EDAMAGED;
	end(fd, &t);
	return rc;
}

static void empty_table(struct table *t, const struct vd_vault *v)
{
	*t = (struct table){ .count = 1, .whole = true };
	memcpy(t->block[0], magic, MAGIC_BYTES);
	vd_set_u32(t->block[0] + AT_VERSION, VERSION);
	key_hash(vd_vault_key(v), t->block[0] + AT_CHECK);
}

static int add_slot(int fd, struct table *t, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                    size_t *which)
{
	size_t slot = 0;
	int rc;

	if (!t->whole)
		return VD_EDAMAGED;
	if (!same_key(t->block[0], vd_vault_key(v)))
		return VD_EINVAL;
	while (slot < VD_VAULT_SLOTS && kind_of(slot_at(t->block[0], slot)) != VD_SLOT_FREE)
		slot++;
	if (slot == VD_VAULT_SLOTS)
		return VD_ECAP;
	rc = fill_slot(slot_at(t->block[0], slot), v, secret, cost);
	if (!rc)
		rc = write_table(fd, t);
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

int vd_vault_slot_add(const char *home, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                      size_t *slot)
{
	struct table t;
	int fd, rc;

	if (!can_add(v, secret, cost))
		return VD_EINVAL;
	rc = begin(home, true, &fd, &t);
	if (!rc)
		rc = add_slot(fd, &t, v, secret, cost, slot);
	end(fd, &t);
	return rc;
}

int vd_vault_make(const char *folder, const struct vd_vault *v, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	struct table t;
	int fd, rc;

	if (!can_add(v, secret, cost))
		return VD_EINVAL;
	rc = open_folder(folder, &fd);
	if (rc)
		return rc;
	empty_table(&t, v);
	rc = add_slot(fd, &t, v, secret, cost, NULL);
	end(fd, &t);
	return rc;
}

int vd_vault_unmake(const char *folder)
{
	int home, fd, rc = open_folder(folder, &home);

	if (rc)
		return rc;
	fd = openat(home, file_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		scrub(fd);
		close(fd);
	}
	if (unlinkat(home, file_name, 0) && errno != ENOENT)
		rc = vd_file_errno(errno);
	sweep(home);
	if (!rc)
		rc = sync_home(home);
	close(home);
	return rc;
}

int vd_vault_slot_remove(const char *home, size_t slot)
{
	struct table t;
	size_t used = 0;
	int fd, rc = begin(home, true, &fd, &t);

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
		rc = write_table(fd, &t);
	}
	end(fd, &t);
	return rc;
}

/* --- what a passphrase costs --- */

static uint64_t now_us(void)
{
	struct timespec t;

	/* Of this thread: another program at work must not make a passphrase cheap to guess. */
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Microseconds; 0: it cannot. */
static uint64_t time_of(uint64_t ops, uint64_t memory)
{
	static const uint8_t salt[SALT_BYTES];
	const struct vd_vault_cost cost = { .ops = ops, .memory_bytes = memory };
	uint8_t out[VD_KEY_BYTES];
	uint64_t before = now_us();

	return vd_passphrase_key(vd_slice_str("measured"), salt, &cost, out) ? 0 : now_us() - before + 1;
}

void vd_vault_measure(struct vd_vault_cost *cost)
{
	enum { LEAST_MEMORY = 8 << 20, LEAST_US = 500000, FIRST_US = 900000 };
	long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
	uint64_t quarter = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page / 4 : LEAST_MEMORY;
	uint64_t memory = VD_VAULT_MEASURED_MAX, took, ops = 1;

	while (memory > quarter && memory > LEAST_MEMORY)
		memory /= 2;
	/* One pass must leave room for the machine to be slower another time. */
	for (took = time_of(1, memory); (!took || took > FIRST_US) && memory > LEAST_MEMORY; took = time_of(1, memory))
		memory /= 2;
	while (took && took < LEAST_US && ops < VD_VAULT_OPS_MAX) {
		uint64_t more = ops * LEAST_US / took + 1;

		ops = more < VD_VAULT_OPS_MAX ? more : VD_VAULT_OPS_MAX;
		took = time_of(ops, memory);
	}
	*cost = (struct vd_vault_cost){ .ops = ops, .memory_bytes = memory };
}
