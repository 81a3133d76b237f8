#include "vault.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"

enum {
	PARTS_MAX = 8,
	PREFIX_BYTES = 16,           /* of a nonce: drawn when a vault is opened; a count stands behind it */
	NONCE_BYTES = PREFIX_BYTES + 8,
	MAC_BYTES = crypto_aead_chacha20poly1305_ietf_ABYTES,
	SEALED_HEAD = 1 + NONCE_BYTES,
	LENGTH_BYTES = 4,            /* of the value, in front of it */
	BUCKET_BYTES = 64,
	HALF = VD_INDEX_KEY_BYTES / 2,
	ROUNDS = 4,
	PEEK_MAX = VD_SEALED_BEGIN_BYTES - SEALED_HEAD - LENGTH_BYTES,
};

/* In locked memory. XChaCha20-Poly1305 is ChaCha20-Poly1305 under HChaCha20(key, first 16 bytes of the nonce): as those are the same for all that
 * is sealed here, that is computed once. */
struct secrets {
	uint8_t key[VD_VAULT_KEY_BYTES]; /* seals ‖ names */
	uint8_t subkey[VD_KEY_BYTES];    /* of prefix */
	uint8_t prefix[PREFIX_BYTES];
	atomic_uint_fast64_t next;
	atomic_uint forks;               /* of this process when the prefix was drawn */
	atomic_bool forgotten;
};

struct vd_vault {
	struct secrets *secrets;         /* NULL: readable */
	bool locked;
};

/* A fork has the same prefix and count as its parent: nonces would come twice. */
static atomic_uint forks;
static pthread_once_t watch_forks = PTHREAD_ONCE_INIT;
static pthread_mutex_t drawing = PTHREAD_MUTEX_INITIALIZER;

static void forked(void)
{
	atomic_fetch_add(&forks, 1);
	pthread_mutex_init(&drawing, NULL); /* whoever held it is not in the child */
}

static void watch(void)
{
	pthread_atfork(NULL, NULL, forked);
}

static void draw_prefix(struct secrets *s)
{
	unsigned now = atomic_load(&forks);

	pthread_mutex_lock(&drawing);
	if (atomic_load(&s->forks) != now) {
		randombytes_buf(s->prefix, sizeof(s->prefix));
		crypto_core_hchacha20(s->subkey, s->prefix, s->key, NULL);
		atomic_store(&s->forks, now);
	}
	pthread_mutex_unlock(&drawing);
}

struct vd_vault *vd_vault_new_plain(void)
{
	return calloc(1, sizeof(struct vd_vault));
}

struct vd_vault *vd_vault_new_of(const uint8_t key[VD_VAULT_KEY_BYTES])
{
	struct vd_vault *v = calloc(1, sizeof(*v));
	struct secrets *s = NULL;

	pthread_once(&watch_forks, watch);
	if (v && sodium_init() >= 0)
		s = sodium_malloc(sizeof(*s));
	if (!s) {
		free(v);
		return NULL;
	}
	v->secrets = s;
	v->locked = !sodium_mlock(s, sizeof(*s)); /* sodium_malloc does not say whether it could */
	memset(s, 0, sizeof(*s));
	memcpy(s->key, key, sizeof(s->key));
	atomic_init(&s->next, 0);
	atomic_init(&s->forgotten, false);
	atomic_init(&s->forks, atomic_load(&forks) - 1);
	draw_prefix(s);
	return v;
}

struct vd_vault *vd_vault_new_sealed(void)
{
	struct vd_vault *v;
	uint8_t *key;

	if (sodium_init() < 0)
		return NULL;
	key = sodium_malloc(VD_VAULT_KEY_BYTES);
	if (!key)
		return NULL;
	randombytes_buf(key, VD_VAULT_KEY_BYTES);
	v = vd_vault_new_of(key);
	sodium_free(key);
	return v;
}

void vd_vault_free(struct vd_vault *v)
{
	if (v)
		sodium_free(v->secrets); /* wipes; NULL is fine */
	free(v);
}

bool vd_vault_readable(const struct vd_vault *v)
{
	return !v->secrets;
}

const uint8_t *vd_vault_key(const struct vd_vault *v)
{
	return v->secrets ? v->secrets->key : NULL;
}

bool vd_vault_locked_memory(const struct vd_vault *v)
{
	return !v->secrets || v->locked;
}

void vd_vault_forget(struct vd_vault *v)
{
	if (!v->secrets)
		return;
	/* In this order: who seals looks at it afterwards, and gives nothing away that a key of zeros has sealed. */
	atomic_store(&v->secrets->forgotten, true);
	sodium_memzero(v->secrets->key, sizeof(v->secrets->key));
	sodium_memzero(v->secrets->subkey, sizeof(v->secrets->subkey));
}

bool vd_vault_forgotten(const struct vd_vault *v)
{
	return v->secrets && atomic_load(&v->secrets->forgotten);
}

/* --- values --- */

/* Multiples of 64 up to 1 KiB, then steps of a sixteenth of the power of two below: at most 6 % more. */
static size_t bucket(size_t n)
{
	size_t step = BUCKET_BYTES;

	while (n > 32 * step)
		step *= 2;
	return (n + step - 1) / step * step;
}

/* Where the seal will stand: head, and behind it the text as it is, padded; room for the tag. */
static int lay(struct secrets *s, struct vd_slice value, struct vd_buf *out)
{
	size_t n = bucket(LENGTH_BYTES + value.n);
	uint8_t *p, *text;

	if (value.n > VD_VALUE_MAX)
		return VD_ECAP;
	if (atomic_load(&s->forks) != atomic_load(&forks))
		draw_prefix(s);
	p = vd_buf_extend(out, SEALED_HEAD + n + MAC_BYTES);
	if (!p)
		return VD_ENOMEM;
	p[0] = VD_SEAL_VAULT;
	memcpy(p + 1, s->prefix, PREFIX_BYTES);
	vd_set_u64(p + 1 + PREFIX_BYTES, atomic_fetch_add(&s->next, 1));
	text = p + SEALED_HEAD;
	vd_set_u32(text, (uint32_t)value.n);
	if (value.n)
		memcpy(text + LENGTH_BYTES, value.p, value.n);
	memset(text + LENGTH_BYTES + value.n, 0, n - LENGTH_BYTES - value.n);
	return VD_OK;
}

int vd_vault_lay(const struct vd_vault *v, struct vd_slice value, struct vd_buf *out)
{
	if (v->secrets)
		return lay(v->secrets, value, out);
	vd_buf_put_u8(out, VD_SEAL_PLAIN);
	vd_buf_put_slice(out, value);
	return vd_buf_check(out);
}

int vd_vault_seal_laid(const struct vd_vault *v, struct vd_slice place, uint8_t *laid, size_t total)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = { 0 }, *text = laid + SEALED_HEAD;
	size_t n = total - SEALED_HEAD - MAC_BYTES;

	if (!v->secrets)
		return VD_OK;
	memcpy(nonce + 4, laid + 1 + PREFIX_BYTES, 8);
	crypto_aead_chacha20poly1305_ietf_encrypt_detached(text, text + n, NULL, text, n, place.p, place.n, NULL, nonce, v->secrets->subkey);
	if (!atomic_load(&v->secrets->forgotten))
		return VD_OK;
	sodium_memzero(laid, total);
	return VD_EKEY;
}

int vd_vault_seal(const struct vd_vault *v, struct vd_slice place, struct vd_slice value, struct vd_buf *out)
{
	size_t at = out->n;
	int rc = vd_vault_lay(v, value, out);

	if (!rc)
		rc = vd_vault_seal_laid(v, place, out->p + at, out->n - at);
	if (rc == VD_EKEY)
		out->n = at;
	return rc;
}

static int unseal(struct secrets *s, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room, struct vd_slice *value)
{
	const uint8_t *prefix = sealed.p + 1, *text = sealed.p + SEALED_HEAD;
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = { 0 }, subkey[VD_KEY_BYTES], *plain;
	size_t n, length;
	int rc;

	if (sealed.n < SEALED_HEAD + BUCKET_BYTES + MAC_BYTES || sealed.n > 2 * (size_t)VD_VALUE_MAX)
		return VD_EDAMAGED;
	n = sealed.n - SEALED_HEAD - MAC_BYTES;
	vd_buf_reset(room);
	plain = vd_buf_extend(room, n);
	if (!plain)
		return VD_ENOMEM;
	crypto_core_hchacha20(subkey, prefix, s->key, NULL);
	memcpy(nonce + 4, prefix + PREFIX_BYTES, 8);
	rc = crypto_aead_chacha20poly1305_ietf_decrypt_detached(plain, NULL, text, n, text + n, place.p, place.n, nonce, subkey);
	sodium_memzero(subkey, sizeof(subkey));
	if (atomic_load(&s->forgotten))
		return VD_EKEY;
	length = rc ? 0 : vd_get_u32(plain);
	if (rc || length > n - LENGTH_BYTES || bucket(LENGTH_BYTES + length) != n)
		return VD_EDAMAGED;
	*value = vd_slice(plain + LENGTH_BYTES, length);
	return VD_OK;
}

int vd_vault_peek(const struct vd_vault *v, struct vd_slice sealed, uint8_t *out, size_t n)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES] = { 0 }, subkey[VD_KEY_BYTES], plain[LENGTH_BYTES + PEEK_MAX];
	const uint8_t *prefix = sealed.p + 1;

	if (n > PEEK_MAX || sealed.n < (v->secrets ? SEALED_HEAD + LENGTH_BYTES : 1) + n || sealed.p[0] != (v->secrets ? VD_SEAL_VAULT : VD_SEAL_PLAIN))
		return VD_EDAMAGED;
	if (!v->secrets) {
		memcpy(out, sealed.p + 1, n);
		return VD_OK;
	}
	crypto_core_hchacha20(subkey, prefix, v->secrets->key, NULL);
	memcpy(nonce + 4, prefix + PREFIX_BYTES, 8);
	crypto_stream_chacha20_ietf_xor_ic(plain, sealed.p + SEALED_HEAD, LENGTH_BYTES + n, nonce, 1, subkey); /* block 0 is the MAC's key: RFC 8439 */
	memcpy(out, plain + LENGTH_BYTES, n);
	sodium_memzero(subkey, sizeof(subkey));
	sodium_memzero(plain, sizeof(plain));
	if (!atomic_load(&v->secrets->forgotten))
		return VD_OK;
	sodium_memzero(out, n);
	return VD_EKEY;
}

size_t vd_vault_sealed_bytes(const struct vd_vault *v, size_t n)
{
	return v->secrets ? SEALED_HEAD + bucket(LENGTH_BYTES + n) + MAC_BYTES : 1 + n;
}

int vd_vault_open(const struct vd_vault *v, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room,
                  struct vd_slice *value)
{
	if (!sealed.n)
		return VD_EDAMAGED;
	if (sealed.p[0] > VD_SEAL_VAULT)
		return VD_EVERSION;
	if (v->secrets) /* what stands plain there was put there by somebody else */
		return sealed.p[0] == VD_SEAL_VAULT ? unseal(v->secrets, place, sealed, room, value) : VD_EDAMAGED;
	if (sealed.p[0] == VD_SEAL_VAULT)
		return VD_EKEY;
	*value = vd_slice(sealed.p + 1, sealed.n - 1);
	return VD_OK;
}

/* --- index keys --- */

static void plain_key(const char *use, const struct vd_slice *parts, size_t count, uint8_t out[VD_INDEX_KEY_BYTES])
{
	static const uint8_t anyone[VD_KEY_BYTES]; /* there is nothing to hide in a readable store */
	struct vd_slice all[1 + PARTS_MAX] = { vd_slice(use, strlen(use) + 1) };

	if (count > PARTS_MAX)
		abort(); /* our own table of uses never comes near */
	for (size_t i = 0; i < count; i++)
		all[1 + i] = parts[i];
	vd_hash(VD_HASH_INDEX, vd_slice(anyone, sizeof(anyone)), out, VD_INDEX_KEY_BYTES, all, 1 + count);
}

/* No two uses of it share a `number`. */
static void round_of(const struct vd_vault *v, uint8_t number, const uint8_t in[HALF], uint8_t out[VD_KEY_BYTES])
{
	uint8_t block[2 * HALF] = { 0 };

	memcpy(block, in, HALF);
	block[HALF] = number;
	crypto_core_hchacha20(out, block, v->secrets->key + VD_KEY_BYTES, NULL);
}

static void mix(const struct vd_vault *v, uint8_t number, uint8_t halves[2 * HALF])
{
	uint8_t out[VD_KEY_BYTES];
	uint8_t *from = halves + (number % 2 ? HALF : 0), *to = halves + (number % 2 ? 0 : HALF);

	round_of(v, number, from, out);
	for (size_t i = 0; i < HALF; i++)
		to[i] ^= out[i];
}

void vd_vault_turn_key(const struct vd_vault *v, const uint8_t plain[VD_INDEX_KEY_BYTES], uint8_t out[VD_INDEX_KEY_BYTES])
{
	memmove(out, plain, VD_INDEX_KEY_BYTES);
	for (uint8_t i = 0; v->secrets && i < ROUNDS; i++)
		mix(v, i, out);
}

void vd_vault_turn_back(const struct vd_vault *v, const uint8_t turned[VD_INDEX_KEY_BYTES], uint8_t plain[VD_INDEX_KEY_BYTES])
{
	memmove(plain, turned, VD_INDEX_KEY_BYTES);
	for (uint8_t i = ROUNDS; v->secrets && i-- > 0;)
		mix(v, i, plain);
}

void vd_vault_turn_list(const struct vd_vault *v, const uint8_t plain[VD_LIST_KEY_BYTES], size_t n, uint8_t out[VD_LIST_KEY_BYTES])
{
	uint8_t shortened[VD_LIST_KEY_BYTES] = { 0 }, turned[VD_KEY_BYTES];

	_Static_assert((int)VD_LIST_KEY_BYTES == (int)HALF, "a list's key is one half");
	memcpy(shortened, plain, n);
	if (v->secrets)
		round_of(v, ROUNDS, shortened, turned);
	else
		memcpy(turned, shortened, VD_LIST_KEY_BYTES);
	memset(out, 0, VD_LIST_KEY_BYTES);
	memcpy(out, turned, n);
}

void vd_vault_index_key(const struct vd_vault *v, const char *use, const struct vd_slice *parts, size_t count,
                        uint8_t out[VD_INDEX_KEY_BYTES])
{
	plain_key(use, parts, count, out);
	vd_vault_turn_key(v, out, out);
}

void vd_vault_list_key(const struct vd_vault *v, const char *use, const struct vd_slice *parts, size_t count, size_t n,
                       uint8_t out[VD_LIST_KEY_BYTES])
{
	uint8_t whole[VD_INDEX_KEY_BYTES];

	plain_key(use, parts, count, whole);
	vd_vault_turn_list(v, whole, n, out);
}
