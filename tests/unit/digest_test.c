#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/digest.h"
#include "proto/hash.h"

static struct vd_id numbered(uint32_t n)
{
	struct vd_id id;
	uint8_t raw[4];

	vd_set_u32(raw, n);
	vd_hash1(VD_HASH_RECORD_ID, id.b, vd_slice(raw, sizeof(raw)));
	return id;
}

static void test_digest__order_does_not_matter(void **state)
{
	struct vd_digest a = { 0 }, b = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		struct vd_id up = numbered(i), down = numbered(49 - i);

		vd_digest_add(&a, &up);
		vd_digest_add(&b, &down);
		assert_int_equal(vd_digest_eq(&a, &b), i == 49);
	}
	assert_int_equal(a.count, 50);
}

static void test_digest__removing_undoes(void **state)
{
	struct vd_digest d = { 0 };
	const struct vd_digest empty = { 0 };
	struct vd_id x = numbered(1), y = numbered(2);

	(void)state;
	vd_digest_add(&d, &x);
	vd_digest_add(&d, &y);
	vd_digest_remove(&d, &x);
	assert_false(vd_digest_eq(&d, &empty));
	vd_digest_remove(&d, &y);
	assert_true(vd_digest_eq(&d, &empty));
}

static void test_digest__twice_is_not_once(void **state)
{
	struct vd_digest once = { 0 }, twice = { 0 };
	struct vd_id x = numbered(7);
	uint8_t a[VD_HASH_BYTES], b[VD_HASH_BYTES];

	(void)state;
	vd_digest_add(&once, &x);
	vd_digest_add(&twice, &x);
	vd_digest_add(&twice, &x);
	vd_digest_hash(&once, a);
	vd_digest_hash(&twice, b);
	assert_memory_not_equal(a, b, sizeof(a));
}

/* Components straight from RFC 8439's keystream, read as the specification says. */
static void test_digest__is_the_keystream(void **state)
{
	uint8_t stream[2 * VD_DIGEST_COMPONENTS], stored[VD_DIGEST_STORED_BYTES];
	static const uint8_t nonce[12];
	struct vd_digest d = { 0 }, back;
	struct vd_id x = numbered(3);

	(void)state;
	crypto_stream_chacha20_ietf(stream, sizeof(stream), nonce, x.b);
	vd_digest_add(&d, &x);
	for (size_t i = 0; i < VD_DIGEST_COMPONENTS; i++)
		assert_int_equal(d.sum[i], stream[2 * i] | stream[2 * i + 1] << 8);
	vd_digest_encode(&d, stored);
	assert_int_equal(vd_get_u64(stored), 1);
	assert_memory_equal(stored + 8, stream, sizeof(stream));
	vd_digest_decode(stored, &back);
	assert_true(vd_digest_eq(&d, &back));
}

/* Pins the bytes: another platform, or a changed expansion, goes red here. */
static void test_digest__vector(void **state)
{
	static const char expected[] = "860317488a016f12c069ea99245c4c45e3a158924b437ebc6520fb702f1a68af";
	struct vd_digest d = { 0 };
	uint8_t hash[VD_HASH_BYTES];
	char hex[2 * VD_HASH_BYTES + 1];

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct vd_id id = numbered(i);

		vd_digest_add(&d, &id);
	}
	vd_digest_hash(&d, hash);
	vd_hex(hex, hash, sizeof(hash));
	assert_string_equal(hex, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest__order_does_not_matter),
		cmocka_unit_test(test_digest__removing_undoes),
		cmocka_unit_test(test_digest__twice_is_not_once),
		cmocka_unit_test(test_digest__is_the_keystream),
		cmocka_unit_test(test_digest__vector),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
