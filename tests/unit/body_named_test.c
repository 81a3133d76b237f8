/* Bodies for recipients by name: who opens them, who does not, and what a stranger sees. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/body.h"
#include "proto/err.h"
#include "tests/unit/body_forge.h"

enum {
	SLOT = 48, SLOTS_AT = VD_BODY_PREFIX_BYTES + VD_KEY_BYTES,
	HEAD = VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES,
};

static const uint8_t epoch[VD_EPOCH_BYTES] = { 2 }, nonce[VD_BODY_NONCE_BYTES] = { 3 }, seed[VD_BODY_SEED_BYTES] = { 4 };
static const struct vd_slice ad = { (const uint8_t *)"associated", 10 };
static const struct vd_slice said = { (const uint8_t *)"they know", 9 };

/* One more than there are slots, and one who is not named. */
static uint8_t boxes[VD_NAMED_SLOTS + 2][VD_KEY_BYTES], secrets[VD_NAMED_SLOTS + 2][VD_KEY_BYTES];

static int setup(void **state)
{
	(void)state;
	if (sodium_init() < 0)
		return -1;
	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		const uint8_t box_seed[crypto_box_SEEDBYTES] = { (uint8_t)(i + 1) };

		crypto_box_seed_keypair(boxes[i], secrets[i], box_seed);
	}
	return 0;
}

static int seal(const uint8_t (*to)[VD_KEY_BYTES], size_t count, struct vd_buf *out)
{
	return vd_body_seal_named(epoch, to, count, nonce, seed, ad, said, out);
}

static struct vd_buf sealed(size_t count)
{
	struct vd_buf body = { 0 };

	assert_int_equal(seal((const uint8_t (*)[VD_KEY_BYTES])boxes, count, &body), 0);
	return body;
}

/* Appended, and nothing at all on an error. */
static int open_as(size_t who, struct vd_slice body)
{
	struct vd_buf out = { 0 };
	int rc;

	vd_buf_put_u8(&out, 'x');
	rc = vd_body_open_named(body, boxes[who], secrets[who], ad, &out);
	assert_int_equal(out.n, rc ? 1 : 1 + said.n);
	if (!rc)
		assert_memory_equal(out.p + 1, said.p, said.n);
	vd_buf_deinit(&out);
	return rc;
}

static uint8_t *slot_at(struct vd_buf *body, size_t i)
{
	return body->p + SLOTS_AT + i * SLOT;
}

/* The slot that this recipient opens; VD_NAMED_SLOTS: none. */
static size_t slot_of(size_t who, const struct vd_buf *body, uint8_t key[VD_KEY_BYTES])
{
	uint8_t wrap[VD_KEY_BYTES];

	for (uint8_t i = 0; i < VD_NAMED_SLOTS; i++) {
		forge_slot_key(secrets[who], body->p + VD_BODY_PREFIX_BYTES, body->p + VD_BODY_PREFIX_BYTES, boxes[who], i, wrap);
		if (forge_slot_open(wrap, body->p + SLOTS_AT + (size_t)i * SLOT, key))
			return i;
	}
	return VD_NAMED_SLOTS;
}

static void test_named__one_to_sixteen_read_it_and_nobody_else(void **state)
{
	(void)state;
	for (size_t count = 1; count <= VD_NAMED_SLOTS; count++) {
		struct vd_buf body = sealed(count), out = { 0 };
		struct vd_body_prefix prefix;

		assert_int_equal(vd_body_peek(vd_buf_slice(&body), &prefix), 0);
		assert_int_equal(prefix.audience, VD_AUDIENCE_NAMED);
		assert_memory_equal(prefix.epoch, epoch, sizeof(epoch));
		for (size_t who = 0; who < VD_NAMED_SLOTS + 2; who++)
			assert_int_equal(open_as(who, vd_buf_slice(&body)), who < count ? 0 : VD_ESEALED);
		assert_int_equal(vd_body_open_named(vd_buf_slice(&body), boxes[0], secrets[0], vd_slice(ad.p, ad.n - 1), &out), VD_ESIGNATURE);
		assert_int_equal(out.n, 0);
		vd_buf_deinit(&body);
	}
}

static void test_named__refuses_none_too_many_and_keys_that_are_none(void **state)
{
	uint8_t to[VD_NAMED_SLOTS + 1][VD_KEY_BYTES];
	const uint8_t (*const list)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])to;
	static const uint8_t epoch_noise[VD_KEY_BYTES] = { 1 };
	static uint8_t long_text[VD_BODY_MAX];
	struct vd_buf out = { 0 };

	(void)state;
	memcpy(to, boxes, sizeof(to));
	vd_buf_put_u8(&out, 'x');
	assert_int_equal(seal(list, 0, &out), VD_EINVAL);
	assert_int_equal(seal(list, VD_NAMED_SLOTS + 1, &out), VD_EINVAL);
	assert_int_equal(seal(list, SIZE_MAX, &out), VD_EINVAL);
	assert_int_equal(vd_body_seal(VD_AUDIENCE_NAMED, epoch, to[0], nonce, ad, said, &out), VD_EINVAL);
	/* Points of small order: with them everybody would know the slot's key. */
	for (size_t at = 0; at < 3; at++) {
		static const uint8_t order8[VD_KEY_BYTES] = { 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
			                                      0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
			                                      0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 };

		memset(to[at], 0, VD_KEY_BYTES);
		assert_int_equal(seal(list, 3, &out), VD_EINVAL);
		to[at][0] = 1;
		assert_int_equal(seal(list, 3, &out), VD_EINVAL);
		memcpy(to[at], order8, VD_KEY_BYTES);
		assert_int_equal(seal(list, 3, &out), VD_EINVAL);
		memcpy(to[at], boxes[at], VD_KEY_BYTES);
	}
	crypto_stream_chacha20_ietf(long_text, sizeof(long_text), nonce, epoch_noise);
	assert_int_equal(vd_body_seal_named(epoch, list, 1, nonce, seed, ad, vd_slice(long_text, 63643), &out), VD_ECAP);
	assert_int_equal(out.n, 1);
	assert_int_equal(vd_body_seal_named(epoch, list, 1, nonce, seed, ad, vd_slice(long_text, 63642), &out), 0);
	assert_int_equal(out.n, 1 + VD_BODY_MAX);
	vd_buf_deinit(&out);
}

static void test_named__any_change_is_noticed(void **state)
{
	struct vd_buf body = sealed(2);
	uint8_t key[VD_KEY_BYTES];
	size_t mine = slot_of(0, &body, key), hers = slot_of(1, &body, key);

	(void)state;
	assert_true(mine < VD_NAMED_SLOTS && hers < VD_NAMED_SLOTS && mine != hers);
	for (size_t i = 0; i < body.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			bool in_mine = i >= SLOTS_AT + mine * SLOT && i < SLOTS_AT + (mine + 1) * SLOT;
			bool ephemeral = i >= VD_BODY_PREFIX_BYTES && i < SLOTS_AT;
			int rc;

			body.p[i] ^= (uint8_t)(1u << bit);
			rc = open_as(0, vd_buf_slice(&body));
			if (i < 2)
				assert_true(rc == VD_EFORMAT || rc == VD_EVERSION || rc == VD_ESEALED);
			else
				assert_int_equal(rc, in_mine || ephemeral ? VD_ESEALED : VD_ESIGNATURE);
			body.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	assert_int_equal(open_as(0, vd_buf_slice(&body)), 0);
	vd_buf_deinit(&body);
}

static void test_named__truncated_anywhere(void **state)
{
	struct vd_buf body = sealed(1);

	(void)state;
	for (size_t n = 0; n < body.n; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, body.p, n);
		assert_int_equal(open_as(0, vd_slice(copy, n)), n < HEAD + VD_BODY_MAC_BYTES ? VD_EFORMAT : VD_ESIGNATURE);
		free(copy);
	}
	assert_int_equal(open_as(0, vd_slice(NULL, 0)), VD_EFORMAT);
	vd_buf_deinit(&body);
}

/* A slot belongs to its place and to its body. */
static void test_named__slots_cannot_be_moved(void **state)
{
	struct vd_buf body = sealed(2), other = { 0 };
	uint8_t key[VD_KEY_BYTES], held[SLOT], other_seed[VD_BODY_SEED_BYTES] = { 5 };
	size_t mine = slot_of(0, &body, key), hers = slot_of(1, &body, key);

	(void)state;
	memcpy(held, slot_at(&body, mine), SLOT);
	memcpy(slot_at(&body, mine), slot_at(&body, hers), SLOT);
	memcpy(slot_at(&body, hers), held, SLOT);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESEALED);
	assert_int_equal(open_as(1, vd_buf_slice(&body)), VD_ESEALED);
	vd_buf_deinit(&body);

	body = sealed(1);
	mine = slot_of(0, &body, key);
	memcpy(slot_at(&body, (mine + 1) % VD_NAMED_SLOTS), slot_at(&body, mine), SLOT);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESIGNATURE); /* the copy is nobody's, and the MAC covers it */

	/* Ephemeral key and slots of one body on another: its key opens there, and the MAC says no. */
	assert_int_equal(vd_body_seal_named(epoch, (const uint8_t (*)[VD_KEY_BYTES])boxes, 1, nonce, other_seed, ad, said, &other), 0);
	memcpy(other.p + VD_BODY_PREFIX_BYTES, body.p + VD_BODY_PREFIX_BYTES, VD_BODY_NAMED_BYTES);
	assert_int_equal(open_as(0, vd_buf_slice(&other)), VD_ESIGNATURE);
	vd_buf_deinit(&body);
	vd_buf_deinit(&other);
}

/* An ephemeral key that is none, as a writer would choose who wants everybody to be able to read, or nobody to know. */
static void test_named__ephemeral_key_that_is_none(void **state)
{
	struct vd_buf body = sealed(1);

	(void)state;
	memset(body.p + VD_BODY_PREFIX_BYTES, 0, VD_KEY_BYTES);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESEALED);
	body.p[VD_BODY_PREFIX_BYTES] = 1;
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESEALED);
	vd_buf_deinit(&body);
}

/* A named body with any slots, whose MAC holds under `key`. */
static struct vd_buf forged(const uint8_t named[VD_BODY_NAMED_BYTES], const uint8_t key[VD_KEY_BYTES])
{
	uint8_t prefix[HEAD] = { 1, VD_AUDIENCE_NAMED }, plain[32] = { 0, (uint8_t)said.n };
	struct vd_buf body = { 0 };

	memcpy(prefix + VD_BODY_PREFIX_BYTES, named, VD_BODY_NAMED_BYTES);
	memcpy(plain + 2, said.p, said.n);
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, sizeof(plain)), &body);
	return body;
}

/* A writer fills two slots for one reader with two keys: the one whose MAC holds is read, wherever it stands. */
static void test_named__of_several_slots_the_one_that_holds_counts(void **state)
{
	static const uint8_t secret[VD_KEY_BYTES] = { 9 }, keys[2][VD_KEY_BYTES] = { { 1 }, { 2 } }, third[VD_KEY_BYTES] = { 3 };

	(void)state;
	for (uint8_t first = 0; first < 2; first++) {
		uint8_t named[VD_BODY_NAMED_BYTES] = { 0 }, wrap[VD_KEY_BYTES];
		struct vd_buf body;

		assert_int_equal(crypto_scalarmult_base(named, secret), 0);
		for (uint8_t k = 0; k < 2; k++) {
			uint8_t place = k == first ? 3 : 11;

			forge_slot_key(secret, boxes[0], named, boxes[0], place, wrap);
			forge_slot(wrap, keys[k], named + VD_KEY_BYTES + (size_t)place * SLOT);
		}
		body = forged(named, keys[0]);
		assert_int_equal(open_as(0, vd_buf_slice(&body)), 0);
		vd_buf_deinit(&body);
		body = forged(named, keys[1]);
		assert_int_equal(open_as(0, vd_buf_slice(&body)), 0);
		vd_buf_deinit(&body);
		body = forged(named, third);
		assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESIGNATURE);
		vd_buf_deinit(&body);
	}
}

/* Whoever has the key of a malformed inside is told so, not that it is for others. */
static void test_named__inside_that_is_malformed(void **state)
{
	static const uint8_t secret[VD_KEY_BYTES] = { 9 }, key[VD_KEY_BYTES] = { 1 };
	uint8_t prefix[HEAD] = { 1, VD_AUDIENCE_NAMED }, plain[32] = { 255 }, wrap[VD_KEY_BYTES];
	struct vd_buf body = { 0 };

	(void)state;
	assert_int_equal(crypto_scalarmult_base(prefix + VD_BODY_PREFIX_BYTES, secret), 0);
	forge_slot_key(secret, boxes[0], prefix + VD_BODY_PREFIX_BYTES, boxes[0], 0, wrap);
	forge_slot(wrap, key, prefix + SLOTS_AT);
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, sizeof(plain)), &body);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_EVERSION);
	vd_buf_reset(&body);
	plain[0] = 0;
	plain[31] = 1;
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, sizeof(plain)), &body);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_EFORMAT);
	vd_buf_deinit(&body);
}

/* The key of one audience's body is not asked of a name, and has no slots. */
static void test_named__other_audiences_have_no_slots(void **state)
{
	static const uint8_t key[VD_KEY_BYTES] = { 1 };
	struct vd_buf body = { 0 };

	(void)state;
	assert_int_equal(vd_body_seal(VD_AUDIENCE_MEMBERS, epoch, key, nonce, ad, said, &body), 0);
	assert_int_equal(open_as(0, vd_buf_slice(&body)), VD_ESEALED);
	vd_buf_deinit(&body);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* From outside all have one size, and each slot of each looks like any other: over many bodies, those of one and those of sixteen
 * recipients have, slot for slot, evenly spread bits; no two slots are ever equal; and a recipient stands in every place. */
static void test_named__how_many_it_is_for_does_not_show(void **state)
{
	enum { BODIES = 200 };
	static const size_t counts[] = { 1, 2, VD_NAMED_SLOTS };
	static uint64_t firsts[3 * BODIES * VD_NAMED_SLOTS];
	size_t n = 0;

	(void)state;
	for (size_t c = 0; c < 3; c++) {
		size_t ones[VD_NAMED_SLOTS] = { 0 }, stood[VD_NAMED_SLOTS] = { 0 };

		for (uint8_t b = 0; b < BODIES; b++) {
			uint8_t own[VD_BODY_SEED_BYTES] = { b, (uint8_t)c, 77 }, key[VD_KEY_BYTES];
			struct vd_buf body = { 0 };

			assert_int_equal(vd_body_seal_named(epoch, (const uint8_t (*)[VD_KEY_BYTES])boxes, counts[c], nonce, own, ad, said, &body), 0);
			assert_int_equal(body.n, HEAD + 32 + VD_BODY_MAC_BYTES);
			stood[slot_of(0, &body, key)]++;
			for (size_t i = 0; i < VD_NAMED_SLOTS; i++) {
				firsts[n++] = vd_get_u64(slot_at(&body, i));
				for (size_t k = 0; k < SLOT * 8; k++)
					ones[i] += slot_at(&body, i)[k / 8] >> (k % 8) & 1;
			}
			vd_buf_deinit(&body);
		}
		for (size_t i = 0; i < VD_NAMED_SLOTS; i++) {
			/* 76,800 bits: mean 38,400, deviation 139; the seeds are fixed, so it is the same each time. */
			assert_in_range(ones[i], 38400 - 6 * 139, 38400 + 6 * 139);
			assert_in_range(stood[i], 1, BODIES / 4);
		}
	}
	qsort(firsts, n, sizeof(firsts[0]), by_value);
	for (size_t i = 1; i < n; i++)
		assert_true(firsts[i] != firsts[i - 1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_named__one_to_sixteen_read_it_and_nobody_else),
		cmocka_unit_test(test_named__refuses_none_too_many_and_keys_that_are_none),
		cmocka_unit_test(test_named__any_change_is_noticed),
		cmocka_unit_test(test_named__truncated_anywhere),
		cmocka_unit_test(test_named__slots_cannot_be_moved),
		cmocka_unit_test(test_named__ephemeral_key_that_is_none),
		cmocka_unit_test(test_named__of_several_slots_the_one_that_holds_counts),
		cmocka_unit_test(test_named__inside_that_is_malformed),
		cmocka_unit_test(test_named__other_audiences_have_no_slots),
		cmocka_unit_test(test_named__how_many_it_is_for_does_not_show),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
