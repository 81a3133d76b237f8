#include "noise.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "err.h"

enum { TAG_BYTES = crypto_aead_chacha20poly1305_ietf_ABYTES };

const struct vd_noise_pattern vd_noise_xxpsk0 = {
	.name = "Noise_XXpsk0_25519_ChaChaPoly_SHA256",
	.messages = {
		{ VD_NOISE_PSK, VD_NOISE_E },
		{ VD_NOISE_E, VD_NOISE_EE, VD_NOISE_S, VD_NOISE_ES },
		{ VD_NOISE_S, VD_NOISE_SE },
	},
	.message_count = 3,
};

void vd_noise_keypair(const uint8_t secret[VD_KEY_BYTES], struct vd_noise_keypair *out)
{
	int rc;

	memcpy(out->secret, secret, VD_KEY_BYTES);
	rc = crypto_scalarmult_base(out->public, secret);
	assert(rc == 0); /* the base point has prime order */
	(void)rc;
}

/* CipherState */

static void cipher_init(struct vd_noise_cipher *c, const uint8_t key[VD_KEY_BYTES])
{
	memcpy(c->key, key, VD_KEY_BYTES);
	c->nonce = 0;
	c->keyed = true;
}

/* 32 zero bits, then the counter in little-endian: Noise section 12.3. */
static void cipher_nonce(uint64_t counter, uint8_t out[crypto_aead_chacha20poly1305_ietf_NPUBBYTES])
{
	memset(out, 0, 4);
	for (int i = 0; i < 8; i++)
		out[4 + i] = (uint8_t)(counter >> (8 * i));
}

static int cipher_encrypt(struct vd_noise_cipher *c, struct vd_slice ad, struct vd_slice plain, struct vd_buf *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	uint8_t *dst;

	if (!c->keyed) {
		vd_buf_put_slice(out, plain);
		return vd_buf_check(out);
	}
	if (c->nonce == UINT64_MAX) /* reserved: Noise section 5.1 */
		return VD_ECAP;
	if (plain.n > VD_FRAME_MAX - TAG_BYTES)
		return VD_ECAP;
	dst = vd_buf_extend(out, plain.n + TAG_BYTES);
	if (!dst)
		return VD_ENOMEM;
	cipher_nonce(c->nonce++, nonce);
	(void)crypto_aead_chacha20poly1305_ietf_encrypt(dst, NULL, plain.p, plain.n, ad.p, ad.n, NULL, nonce, c->key);
	return VD_OK;
}

static int cipher_decrypt(struct vd_noise_cipher *c, struct vd_slice ad, struct vd_slice sealed, struct vd_buf *out)
{
	uint8_t nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
	uint8_t *dst;

	if (!c->keyed) {
		vd_buf_put_slice(out, sealed);
		return vd_buf_check(out);
	}
	if (sealed.n < TAG_BYTES || sealed.n > VD_FRAME_MAX)
		return VD_EFORMAT;
	if (c->nonce == UINT64_MAX)
		return VD_ECAP;
	dst = vd_buf_extend(out, sealed.n - TAG_BYTES);
	if (!dst)
		return VD_ENOMEM;
	cipher_nonce(c->nonce, nonce);
	if (crypto_aead_chacha20poly1305_ietf_decrypt(dst, NULL, NULL, sealed.p, sealed.n, ad.p, ad.n, nonce, c->key)) {
		out->n -= sealed.n - TAG_BYTES;
		return VD_ESIGNATURE;
	}
	c->nonce++;
	return VD_OK;
}

/* SymmetricState */

/* HKDF with HMAC-SHA256, 2 or 3 outputs; `a` may be the same memory as `ck`. */
static void hkdf(const uint8_t ck[32], struct vd_slice input, uint8_t a[32], uint8_t b[32], uint8_t c[32])
{
	crypto_auth_hmacsha256_state state;
	uint8_t temp[32];
	uint8_t *out[3] = { a, b, c };

	crypto_auth_hmacsha256_init(&state, ck, 32);
	crypto_auth_hmacsha256_update(&state, input.p, input.n);
	crypto_auth_hmacsha256_final(&state, temp);
	for (uint8_t i = 0; i < 3 && out[i]; i++) {
		uint8_t number = (uint8_t)(i + 1);

		crypto_auth_hmacsha256_init(&state, temp, 32);
		if (i)
			crypto_auth_hmacsha256_update(&state, out[i - 1], 32);
		crypto_auth_hmacsha256_update(&state, &number, 1);
		crypto_auth_hmacsha256_final(&state, out[i]);
	}
	sodium_memzero(temp, sizeof(temp));
	sodium_memzero(&state, sizeof(state));
}

static void mix_hash(struct vd_noise *n, struct vd_slice data)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, n->h, sizeof(n->h));
	crypto_hash_sha256_update(&state, data.p, data.n);
	crypto_hash_sha256_final(&state, n->h);
}

static void mix_key(struct vd_noise *n, const uint8_t input[32])
{
	uint8_t key[32];

	hkdf(n->ck, vd_slice(input, 32), n->ck, key, NULL);
	cipher_init(&n->cipher, key);
	sodium_memzero(key, sizeof(key));
}

static void mix_key_and_hash(struct vd_noise *n, const uint8_t psk[VD_KEY_BYTES])
{
	uint8_t hash[32], key[32];

	hkdf(n->ck, vd_slice(psk, VD_KEY_BYTES), n->ck, hash, key);
	mix_hash(n, vd_slice(hash, sizeof(hash)));
	cipher_init(&n->cipher, key);
	sodium_memzero(hash, sizeof(hash));
	sodium_memzero(key, sizeof(key));
}

static int encrypt_and_hash(struct vd_noise *n, struct vd_slice plain, struct vd_buf *out)
{
	size_t start = out->n;
	int rc = cipher_encrypt(&n->cipher, vd_slice(n->h, sizeof(n->h)), plain, out);

	if (rc)
		return rc;
	mix_hash(n, vd_slice(out->n > start ? out->p + start : NULL, out->n - start));
	return VD_OK;
}

static int decrypt_and_hash(struct vd_noise *n, struct vd_slice sealed, struct vd_buf *out)
{
	int rc = cipher_decrypt(&n->cipher, vd_slice(n->h, sizeof(n->h)), sealed, out);

	if (rc)
		return rc;
	mix_hash(n, sealed);
	return VD_OK;
}

/* HandshakeState */

static bool uses_psk(const struct vd_noise_pattern *p)
{
	for (size_t i = 0; i < p->message_count; i++)
		for (size_t t = 0; p->messages[i][t] != VD_NOISE_END; t++)
			if (p->messages[i][t] == VD_NOISE_PSK)
				return true;
	return false;
}

void vd_noise_init(struct vd_noise *n, const struct vd_noise_pattern *pattern, const struct vd_noise_setup *setup)
{
	size_t length = strlen(pattern->name);

	assert(setup->psk_count <= VD_NOISE_PSKS_MAX);
	*n = (struct vd_noise){
		.pattern = pattern, .initiator = setup->initiator, .s = setup->s, .e = setup->e, .psk_count = setup->psk_count,
	};
	memcpy(n->rs, setup->rs, sizeof(n->rs));
	memcpy(n->psks, setup->psks, sizeof(n->psks));
	if (length <= sizeof(n->h))
		memcpy(n->h, pattern->name, length);
	else
		crypto_hash_sha256(n->h, (const uint8_t *)pattern->name, length);
	memcpy(n->ck, n->h, sizeof(n->ck));
	mix_hash(n, setup->prologue);
	if (pattern->pre_initiator == VD_NOISE_S)
		mix_hash(n, vd_slice(n->initiator ? n->s.public : n->rs, VD_KEY_BYTES));
	if (pattern->pre_responder == VD_NOISE_S)
		mix_hash(n, vd_slice(n->initiator ? n->rs : n->s.public, VD_KEY_BYTES));
}

void vd_noise_wipe(struct vd_noise *n)
{
	sodium_memzero(n, sizeof(*n));
}

bool vd_noise_complete(const struct vd_noise *n)
{
	return n->pattern && n->message == n->pattern->message_count;
}

bool vd_noise_writes(const struct vd_noise *n)
{
	return n->pattern && !vd_noise_complete(n) && (n->message % 2 == 0) == n->initiator;
}

/* ee, es, se, ss. An all-zero secret comes of a point of small order, which no honest end sends. */
static int mix_dh(struct vd_noise *n, const struct vd_noise_keypair *ours, const uint8_t theirs[VD_KEY_BYTES])
{
	uint8_t shared[VD_KEY_BYTES];
	int rc = crypto_scalarmult(shared, ours->secret, theirs) ? VD_EFORMAT : VD_OK;

	if (!rc)
		mix_key(n, shared);
	sodium_memzero(shared, sizeof(shared));
	return rc;
}

/* The tokens that do the same at both ends. */
static int mix_token(struct vd_noise *n, enum vd_noise_token token)
{
	switch (token) {
	case VD_NOISE_EE:
		return mix_dh(n, &n->e, n->re);
	case VD_NOISE_ES:
		return n->initiator ? mix_dh(n, &n->e, n->rs) : mix_dh(n, &n->s, n->re);
	case VD_NOISE_SE:
		return n->initiator ? mix_dh(n, &n->s, n->re) : mix_dh(n, &n->e, n->rs);
	case VD_NOISE_SS:
		return mix_dh(n, &n->s, n->rs);
	case VD_NOISE_PSK:
		if (n->psk_next == n->psk_count)
			return VD_EINVAL;
		mix_key_and_hash(n, n->psks[n->psk_next++]);
		return VD_OK;
	case VD_NOISE_E:
	case VD_NOISE_S:
	case VD_NOISE_END:
		break;
	}
	return VD_EINVAL;
}

/* In a pattern with a psk, e is mixed into the key as well: Noise section 9.2. */
static void mix_e(struct vd_noise *n, const uint8_t public[VD_KEY_BYTES])
{
	mix_hash(n, vd_slice(public, VD_KEY_BYTES));
	if (uses_psk(n->pattern))
		mix_key(n, public);
}

static int write_tokens(struct vd_noise *n, struct vd_slice payload, struct vd_buf *out)
{
	const uint8_t *token = n->pattern->messages[n->message];
	int rc = VD_OK;

	for (; *token != VD_NOISE_END && !rc; token++) {
		switch (*token) {
		case VD_NOISE_E:
			vd_buf_put(out, n->e.public, VD_KEY_BYTES);
			mix_e(n, n->e.public);
			break;
		case VD_NOISE_S:
			rc = encrypt_and_hash(n, vd_slice(n->s.public, VD_KEY_BYTES), out);
			break;
		default:
			rc = mix_token(n, *token);
		}
	}
	if (!rc)
		rc = encrypt_and_hash(n, payload, out);
	n->message++;
	return rc ? rc : vd_buf_check(out);
}

int vd_noise_write(struct vd_noise *n, struct vd_slice payload, struct vd_buf *out)
{
	struct vd_noise next = *n;
	size_t start = out->n;
	int rc = VD_EINVAL;

	if (vd_noise_writes(n))
		rc = write_tokens(&next, payload, out);
	if (!rc && out->n - start > VD_FRAME_MAX)
		rc = VD_ECAP;
	if (rc)
		out->n = start;
	else
		*n = next;
	vd_noise_wipe(&next);
	return rc;
}

static int read_static(struct vd_noise *n, struct vd_rd *r)
{
	struct vd_buf rs = { 0 };
	int rc = decrypt_and_hash(n, vd_rd_take(r, VD_KEY_BYTES + (n->cipher.keyed ? TAG_BYTES : 0)), &rs);

	if (!rc && rs.n == VD_KEY_BYTES)
		memcpy(n->rs, rs.p, VD_KEY_BYTES);
	vd_buf_wipe(&rs);
	return r->err ? r->err : rc;
}

static int read_tokens(struct vd_noise *n, struct vd_slice message, struct vd_buf *payload)
{
	const uint8_t *token = n->pattern->messages[n->message];
	struct vd_rd r = vd_rd(message);
	int rc = VD_OK;

	for (; *token != VD_NOISE_END && !rc; token++) {
		switch (*token) {
		case VD_NOISE_E:
			vd_rd_copy(&r, n->re, VD_KEY_BYTES);
			mix_e(n, n->re);
			rc = r.err;
			break;
		case VD_NOISE_S:
			rc = read_static(n, &r);
			break;
		default:
			rc = mix_token(n, *token);
		}
	}
	if (!rc)
		rc = decrypt_and_hash(n, vd_rd_take(&r, r.n), payload);
	n->message++;
	return rc;
}

int vd_noise_read(struct vd_noise *n, struct vd_slice message, struct vd_buf *payload)
{
	struct vd_noise next = *n;
	size_t start = payload->n;
	int rc = VD_EINVAL;

	if (message.n > VD_FRAME_MAX)
		rc = VD_EFORMAT;
	else if (n->pattern && !vd_noise_complete(n) && !vd_noise_writes(n))
		rc = read_tokens(&next, message, payload);
	if (rc)
		payload->n = start;
	else
		*n = next;
	vd_noise_wipe(&next);
	return rc;
}

int vd_noise_split(struct vd_noise *n, struct vd_noise_cipher *send, struct vd_noise_cipher *receive, uint8_t hash[32])
{
	uint8_t first[32], second[32]; /* initiator's, responder's sending key */

	if (!vd_noise_complete(n))
		return VD_EINVAL;
	hkdf(n->ck, vd_slice(NULL, 0), first, second, NULL);
	cipher_init(send, n->initiator ? first : second);
	cipher_init(receive, n->initiator ? second : first);
	memcpy(hash, n->h, sizeof(n->h));
	sodium_memzero(first, sizeof(first));
	sodium_memzero(second, sizeof(second));
	return VD_OK;
}

int vd_noise_seal(struct vd_noise_cipher *c, struct vd_slice plain, struct vd_buf *out)
{
	return c->keyed ? cipher_encrypt(c, vd_slice(NULL, 0), plain, out) : VD_EINVAL;
}

int vd_noise_open(struct vd_noise_cipher *c, struct vd_slice sealed, struct vd_buf *out)
{
	return c->keyed ? cipher_decrypt(c, vd_slice(NULL, 0), sealed, out) : VD_EINVAL;
}
