/* One ciphertext, two keys, two texts: XChaCha20-Poly1305 alone allows it, the envelope does not.
 *
 * Poly1305 is a polynomial over the ciphertext's blocks modulo 2^130 - 5, evaluated at a secret r, plus a secret s. Who knows both keys
 * has two linear equations; two blocks left free solve them (Len, Grubbs, Ristenpart, Partitioning Oracle Attacks, 2021). */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <string.h>

#include "proto/body.h"
#include "proto/err.h"
#include "tests/unit/body_forge.h"

/* ---- numbers modulo 2^130 - 5: five limbs of 26 bits, each below 2^26, the whole below the modulus ---- */

enum { LIMBS = 5, LIMB_BITS = 26, LIMB_MASK = (1 << LIMB_BITS) - 1, BLOCK = 16 };

struct number {
	uint64_t limb[LIMBS];
};

static const struct number modulus = { { LIMB_MASK - 4, LIMB_MASK, LIMB_MASK, LIMB_MASK, LIMB_MASK } };

static bool below(const struct number *a, const struct number *b)
{
	for (int i = LIMBS - 1; i >= 0; i--) {
		if (a->limb[i] != b->limb[i])
			return a->limb[i] < b->limb[i];
	}
	return false;
}

/* Limbs of up to 63 bits become what they should be: 2^130 is 5. */
static struct number reduced(struct number a)
{
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < LIMBS; i++) {
			uint64_t carry = a.limb[i] >> LIMB_BITS;

			a.limb[i] &= LIMB_MASK;
			if (i + 1 < LIMBS)
				a.limb[i + 1] += carry;
			else
				a.limb[0] += 5 * carry;
		}
	}
	if (!below(&a, &modulus)) {
		for (int i = 0; i < LIMBS; i++)
			a.limb[i] -= modulus.limb[i]; /* of a number between the modulus and 2^130 only the lowest is more than 0 */
	}
	return a;
}

static struct number plus(struct number a, struct number b)
{
	for (int i = 0; i < LIMBS; i++)
		a.limb[i] += b.limb[i];
	return reduced(a);
}

static struct number minus(struct number a, struct number b)
{
	for (int i = 0; i < LIMBS; i++)
		a.limb[i] += 2 * modulus.limb[i] - b.limb[i];
	return reduced(a);
}

static struct number times(struct number a, struct number b)
{
	struct number out = { { 0 } };

	for (int i = 0; i < LIMBS; i++) {
		for (int j = 0; j < LIMBS; j++)
			out.limb[(i + j) % LIMBS] += a.limb[i] * b.limb[j] * (i + j < LIMBS ? 1 : 5);
	}
	return reduced(out);
}

static struct number power(struct number a, unsigned n)
{
	struct number out = { { 1 } };

	while (n--)
		out = times(out, a);
	return out;
}

/* Fermat: a^(p - 2), and p - 2 = 2^130 - 7 has all bits but the two above the lowest. */
static struct number inverse(struct number a)
{
	struct number out = { { 1 } };

	for (int bit = 129; bit >= 0; bit--) {
		out = times(out, out);
		if (bit != 1 && bit != 2)
			out = times(out, a);
	}
	return out;
}

/* 16 bytes, little-endian, and what stands above them. */
static struct number from_bytes(const uint8_t bytes[BLOCK], unsigned above)
{
	struct number out = { { 0 } };

	for (unsigned i = 0; i < 8 * BLOCK; i++)
		out.limb[i / LIMB_BITS] |= (uint64_t)(bytes[i / 8] >> (i % 8) & 1) << (i % LIMB_BITS);
	out.limb[LIMBS - 1] += (uint64_t)above << (8 * BLOCK - (LIMBS - 1) * LIMB_BITS);
	return out;
}

/* False: it is 2^128 or more, so no block. */
static bool to_bytes(struct number a, uint8_t bytes[BLOCK])
{
	memset(bytes, 0, BLOCK);
	for (unsigned i = 0; i < 8 * BLOCK; i++)
		bytes[i / 8] |= (uint8_t)((a.limb[i / LIMB_BITS] >> (i % LIMB_BITS) & 1) << (i % 8));
	return a.limb[LIMBS - 1] >> (8 * BLOCK - (LIMBS - 1) * LIMB_BITS) == 0;
}

/* ---- Poly1305 under two keys at once ---- */

/* What one key makes of it: the one-time key of the tag, and the keystream behind it. */
struct view {
	struct number r;
	uint8_t s[BLOCK];
	uint8_t stream[4 * BLOCK];
};

static struct view view_from(const uint8_t *keystream, size_t n)
{
	struct view v;
	uint8_t r[BLOCK];

	memcpy(r, keystream, BLOCK);
	for (int i = 3; i < BLOCK; i += 4)
		r[i] &= 15;
	for (int i = 4; i < BLOCK; i += 4)
		r[i] &= 252;
	v.r = from_bytes(r, 0);
	memcpy(v.s, keystream + BLOCK, BLOCK);
	memcpy(v.stream, keystream + 64, n);
	return v;
}

/* The polynomial of the ciphertext and of its length's block. */
static struct number evaluate(const struct view *v, const uint8_t *cipher, size_t blocks)
{
	uint8_t lengths[BLOCK] = { 0 };
	struct number sum = { { 0 } };

	lengths[8] = (uint8_t)(blocks * BLOCK);
	for (size_t i = 0; i <= blocks; i++)
		sum = times(plus(sum, from_bytes(i < blocks ? cipher + i * BLOCK : lengths, 1)), v->r);
	return sum;
}

/* tag - s modulo 2^128, plus above * 2^128: what the polynomial may be. False: not below the modulus. */
static bool wanted(const struct view *v, const uint8_t tag[BLOCK], unsigned above, struct number *out)
{
	uint8_t bytes[BLOCK];
	unsigned borrow = 0;

	for (int i = 0; i < BLOCK; i++) {
		unsigned d = 256U + tag[i] - v->s[i] - borrow;

		bytes[i] = (uint8_t)d;
		borrow = d < 256;
	}
	*out = from_bytes(bytes, above);
	return below(out, &modulus);
}

/* Fills blocks `free` and `free + 1` of the ciphertext, and the tag, so that it holds under both. */
static void solve(const struct view v[2], uint8_t *cipher, size_t blocks, size_t free, uint8_t tag[BLOCK])
{
	struct number a[2], b[2], fixed[2], d[2], det, x, y;

	memset(cipher + free * BLOCK, 0, 2 * BLOCK);
	for (int k = 0; k < 2; k++) {
		a[k] = power(v[k].r, (unsigned)(blocks + 1 - free));
		b[k] = power(v[k].r, (unsigned)(blocks - free));
		fixed[k] = evaluate(&v[k], cipher, blocks);
	}
	det = inverse(minus(times(a[0], b[1]), times(a[1], b[0])));
	for (unsigned tries = 0; tries < 100 * 16; tries++) {
		memset(tag, 0, BLOCK);
		tag[0] = (uint8_t)(tries / 16);
		if (!wanted(&v[0], tag, tries % 4, &d[0]) || !wanted(&v[1], tag, tries / 4 % 4, &d[1]))
			continue;
		for (int k = 0; k < 2; k++)
			d[k] = minus(d[k], fixed[k]);
		x = times(minus(times(d[0], b[1]), times(d[1], b[0])), det);
		y = times(minus(times(a[0], d[1]), times(a[1], d[0])), det);
		if (to_bytes(x, cipher + free * BLOCK) && to_bytes(y, cipher + (free + 1) * BLOCK))
			return;
	}
	fail_msg("no tag suits both keys");
}

static void test_commit__numbers(void **state)
{
	struct number a = { { 0x123456, 0x3fffffe, 77, 0x2000001, 0x3ffffff } }, one = { { 1 } }, zero = { { 0 } }, got;
	uint8_t bytes[BLOCK], again[BLOCK];

	(void)state;
	got = times(a, inverse(a));
	assert_memory_equal(&got, &one, sizeof(one));
	got = minus(a, a);
	assert_memory_equal(&got, &zero, sizeof(zero));
	got = plus(modulus, one);
	assert_memory_equal(&got, &one, sizeof(one));
	randombytes_buf_deterministic(bytes, sizeof(bytes), (const uint8_t[randombytes_SEEDBYTES]){ 1 });
	assert_true(to_bytes(from_bytes(bytes, 0), again));
	assert_memory_equal(bytes, again, BLOCK);
	assert_false(to_bytes(from_bytes(bytes, 1), again));
}

/* ---- the envelope ---- */

static const uint8_t keys[2][VD_KEY_BYTES] = { { 1 }, { 2 } };
static const uint8_t nonce[VD_BODY_NONCE_BYTES] = { 3 };
static const struct vd_slice ad = { (const uint8_t *)"associated", 10 };
static const char *const told[2] = { "go by the river.", "take the road..." };

/* The first block reads under one key, the second under the other; the rest makes the tag right. */
static void make_two_texts(uint8_t cipher[4 * BLOCK], uint8_t tag[BLOCK])
{
	struct view v[2];

	for (int k = 0; k < 2; k++) {
		uint8_t stream[64 + 4 * BLOCK];

		crypto_stream_xchacha20(stream, sizeof(stream), nonce, keys[k]);
		v[k] = view_from(stream, 4 * BLOCK);
		for (int i = 0; i < BLOCK; i++)
			cipher[k * BLOCK + i] = (uint8_t)told[k][i] ^ v[k].stream[k * BLOCK + i];
	}
	solve(v, cipher, 4, 2, tag);
}

/* The same bytes as the ciphertext of an envelope, with a MAC made under keys[under]. */
static struct vd_buf envelope(const uint8_t cipher[4 * BLOCK], int under)
{
	struct vd_slice k = vd_slice(keys[under], VD_KEY_BYTES), n = vd_slice(nonce, sizeof(nonce));
	uint8_t prefix[VD_BODY_PREFIX_BYTES] = { 1, VD_AUDIENCE_EVERYONE }, stream[56], plain[4 * BLOCK];
	struct vd_buf body = { 0 };

	memcpy(prefix + 2 + VD_EPOCH_BYTES, nonce, sizeof(nonce));
	vd_hash(VD_HASH_BODY_KEY, k, stream, sizeof(stream), &n, 1);
	crypto_stream_xchacha20_xor(plain, cipher, sizeof(plain), stream + VD_KEY_BYTES, stream);
	forge_body(vd_slice(prefix, sizeof(prefix)), keys[under], ad, vd_slice(plain, sizeof(plain)), &body);
	assert_memory_equal(body.p + VD_BODY_PREFIX_BYTES, cipher, 4 * BLOCK);
	return body;
}

static void test_commit__two_texts_of_one_ciphertext(void **state)
{
	uint8_t sealed[5 * BLOCK], text[2][4 * BLOCK];
	struct vd_buf out = { 0 };

	(void)state;
	make_two_texts(sealed, sealed + 4 * BLOCK);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(text[k], NULL, NULL, sealed, sizeof(sealed), NULL, 0, nonce,
		                                                            keys[k]), 0);
		assert_memory_equal(text[k] + k * BLOCK, told[k], BLOCK);
	}
	assert_memory_not_equal(text[0], text[1], sizeof(text[0]));

	for (int under = 0; under < 2; under++) {
		struct vd_buf body = envelope(sealed, under);

		/* Its inside makes no sense, but that is said only to whom the MAC holds for. */
		assert_int_not_equal(vd_body_open(vd_buf_slice(&body), keys[under], ad, &out), VD_ESIGNATURE);
		assert_int_equal(vd_body_open(vd_buf_slice(&body), keys[1 - under], ad, &out), VD_ESIGNATURE);
		/* Nor does the tag that holds under both do instead. */
		memcpy(body.p + body.n - VD_BODY_MAC_BYTES, sealed + 4 * BLOCK, BLOCK);
		for (int k = 0; k < 2; k++)
			assert_int_equal(vd_body_open(vd_buf_slice(&body), keys[k], ad, &out), VD_ESIGNATURE);
		vd_buf_deinit(&body);
	}
	vd_buf_deinit(&out);
}

static void test_commit__what_opens_for_one_key_opens_for_no_other(void **state)
{
	(void)state;
	for (int under = 0; under < 2; under++) {
		const uint8_t epoch[VD_EPOCH_BYTES] = { 5 };
		struct vd_buf body = { 0 }, out = { 0 };

		assert_int_equal(vd_body_seal(VD_AUDIENCE_MEMBERS, epoch, keys[under], nonce, ad, vd_slice_str(told[under]), &body), 0);
		assert_int_equal(vd_body_open(vd_buf_slice(&body), keys[1 - under], ad, &out), VD_ESIGNATURE);
		assert_int_equal(out.n, 0);
		assert_int_equal(vd_body_open(vd_buf_slice(&body), keys[under], ad, &out), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice_str(told[under])));
		vd_buf_deinit(&body);
		vd_buf_deinit(&out);
	}
}

/* ---- slots of a named body are plain ChaCha20-Poly1305: one slot can hold two keys for two readers ---- */

struct reader {
	uint8_t box[VD_KEY_BYTES], secret[VD_KEY_BYTES];
	uint8_t wrap[VD_KEY_BYTES]; /* key of the slot */
	uint8_t key[VD_KEY_BYTES];  /* what it opens to */
};

enum { PLACE = 5 };

/* Ephemeral key and slots, all empty but one, which gives each of the two another key. */
static void make_two_keys(struct reader readers[2], uint8_t named[VD_BODY_NAMED_BYTES])
{
	static const uint8_t ephemeral[VD_KEY_BYTES] = { 9 }, zeros[12];
	uint8_t *slot = named + VD_KEY_BYTES + PLACE * 3 * BLOCK;
	struct view v[2];

	memset(named, 0, VD_BODY_NAMED_BYTES);
	assert_int_equal(crypto_scalarmult_base(named, ephemeral), 0);
	for (uint8_t k = 0; k < 2; k++) {
		const uint8_t seed[crypto_box_SEEDBYTES] = { (uint8_t)(k + 1) };
		uint8_t stream[64 + VD_KEY_BYTES];

		crypto_box_seed_keypair(readers[k].box, readers[k].secret, seed);
		forge_slot_key(ephemeral, readers[k].box, named, readers[k].box, PLACE, readers[k].wrap);
		crypto_stream_chacha20_ietf(stream, sizeof(stream), zeros, readers[k].wrap);
		v[k] = view_from(stream, VD_KEY_BYTES);
	}
	solve(v, slot, 2, 0, slot + 2 * BLOCK);
	for (int k = 0; k < 2; k++)
		assert_true(forge_slot_open(readers[k].wrap, slot, readers[k].key));
	assert_memory_not_equal(readers[0].key, readers[1].key, VD_KEY_BYTES);
}

static void test_commit__one_slot_with_two_keys(void **state)
{
	uint8_t prefix[VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES] = { 1, VD_AUDIENCE_NAMED };
	struct reader readers[2];

	(void)state;
	make_two_keys(readers, prefix + VD_BODY_PREFIX_BYTES);
	for (int under = 0; under < 2; under++) {
		uint8_t plain[2 * BLOCK] = { 0, BLOCK };
		struct vd_buf body = { 0 }, out = { 0 };

		memcpy(plain + 2, told[under], BLOCK);
		forge_body(vd_slice(prefix, sizeof(prefix)), readers[under].key, ad, vd_slice(plain, sizeof(plain)), &body);
		assert_int_equal(vd_body_open_named(vd_buf_slice(&body), readers[1 - under].box, readers[1 - under].secret, ad, &out),
		                 VD_ESIGNATURE);
		assert_int_equal(out.n, 0);
		assert_int_equal(vd_body_open_named(vd_buf_slice(&body), readers[under].box, readers[under].secret, ad, &out), 0);
		assert_memory_equal(out.p, told[under], BLOCK);
		vd_buf_deinit(&body);
		vd_buf_deinit(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commit__numbers),
		cmocka_unit_test(test_commit__two_texts_of_one_ciphertext),
		cmocka_unit_test(test_commit__what_opens_for_one_key_opens_for_no_other),
		cmocka_unit_test(test_commit__one_slot_with_two_keys),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
