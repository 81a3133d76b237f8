#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "proto/err.h"
#include "proto/sign.h"
#include "proto/sign_table.h"

static uint8_t key[VD_KEY_BYTES], secret[VD_SECRET_SIGN_BYTES];

static int setup(void **state)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 7 };

	(void)state;
	return sodium_init() < 0 || crypto_sign_seed_keypair(key, secret, seed);
}

/* Until the self-test has run, R is checked as with a cofactored library: honest signatures must pass that too. */
static void test_sign__honest_signatures_hold_with_r_checked_or_not(void **state)
{
	uint8_t signatures[20][VD_SIGNATURE_BYTES];

	(void)state;
	for (uint8_t i = 0; i < 20; i++) {
		assert_int_equal(vd_sign("domain", vd_slice(&i, 1), secret, signatures[i]), 0);
		assert_int_equal(vd_sign_verify("domain", vd_slice(&i, 1), key, signatures[i]), 0);
	}
	assert_int_equal(vd_sign_selftest(), 0);
	for (uint8_t i = 0; i < 20; i++)
		assert_int_equal(vd_sign_verify("domain", vd_slice(&i, 1), key, signatures[i]), 0);
}

static void unhex(const char *hex, uint8_t *out, size_t cap, size_t *n)
{
	assert_int_equal(vd_unhex(out, cap, hex, n), 0);
}

/* The self-test's table is the published file, and each case falls at the key or at the library's verification. */
static void test_sign__speccheck_is_refused(void **state)
{
	json_error_t error;
	json_t *root = json_load_file("tests/vectors/ed25519-speccheck.json", 0, &error), *v;
	size_t i, n;

	(void)state;
	if (!root)
		fail_msg("%s: %s (run from the top of the sources)", error.source, error.text);
	assert_int_equal(json_array_size(root), VD_SIGN_EDGE_CASES);
	json_array_foreach(root, i, v) {
		const struct vd_sign_case *c = &vd_sign_edge_cases[i];
		uint8_t message[32], point[VD_KEY_BYTES], signature[VD_SIGNATURE_BYTES];

		assert_string_equal(c->message, json_string_value(json_object_get(v, "message")));
		assert_string_equal(c->key, json_string_value(json_object_get(v, "pub_key")));
		assert_string_equal(c->signature, json_string_value(json_object_get(v, "signature")));
		unhex(c->message, message, sizeof(message), &n);
		unhex(c->key, point, sizeof(point), &n);
		unhex(c->signature, signature, sizeof(signature), &n);
		assert_false(vd_sign_key_ok(point) &&
		             !crypto_sign_verify_detached(signature, message, sizeof(message), point));
	}
	json_decref(root);
}

/* The cofactor case is what its comment says: its R minus the point of order 2 belongs to the prime-order group. */
static void test_sign__cofactor_case_has_a_torsion_component(void **state)
{
	uint8_t signature[VD_SIGNATURE_BYTES], point[VD_KEY_BYTES], order2[VD_KEY_BYTES], message[64], r[VD_KEY_BYTES];
	size_t n;

	(void)state;
	memset(order2, 0xff, sizeof(order2));
	order2[0] = 0xec;
	order2[31] = 0x7f;
	unhex(vd_sign_cofactor_case.signature, signature, sizeof(signature), &n);
	unhex(vd_sign_cofactor_case.key, point, sizeof(point), &n);
	unhex(vd_sign_cofactor_case.message, message, sizeof(message), &n);
	assert_memory_equal(point, key, VD_KEY_BYTES);
	assert_true(vd_sign_key_ok(point));
	assert_int_not_equal(crypto_sign_verify_detached(signature, message, n, point), 0);
	assert_false(vd_sign_key_ok(signature));
	assert_int_equal(crypto_core_ed25519_sub(r, signature, order2), 0);
	assert_true(vd_sign_key_ok(r));
}

static void test_sign__keys_of_mixed_or_small_order_are_no_keys(void **state)
{
	uint8_t point[VD_KEY_BYTES] = { 0 };
	size_t n;

	(void)state;
	assert_true(vd_sign_key_ok(key));
	assert_false(vd_sign_key_ok(point)); /* y = 0: order 4 */
	point[0] = 1;
	assert_false(vd_sign_key_ok(point)); /* the neutral element */
	point[0] = 2;
	assert_false(vd_sign_key_ok(point)); /* not on the curve */
	unhex(vd_sign_base_point, point, sizeof(point), &n);
	assert_true(vd_sign_key_ok(point));
	unhex(vd_sign_mixed_point, point, sizeof(point), &n);
	assert_false(vd_sign_key_ok(point));
	memset(point, 0xff, sizeof(point));  /* not canonical */
	assert_false(vd_sign_key_ok(point));
}

static void test_sign__binds_domain_message_and_key(void **state)
{
	uint8_t signature[VD_SIGNATURE_BYTES], again[VD_SIGNATURE_BYTES], other[VD_KEY_BYTES];
	struct vd_slice message = vd_slice_str("message");

	(void)state;
	assert_int_equal(vd_sign("domain", message, secret, signature), 0);
	assert_int_equal(vd_sign("domain", message, secret, again), 0);
	assert_memory_equal(signature, again, sizeof(again));
	assert_int_equal(vd_sign_verify("domain", message, key, signature), 0);
	assert_int_equal(vd_sign_verify("domaim", message, key, signature), VD_ESIGNATURE);
	assert_int_equal(vd_sign_verify("domain", vd_slice_str("messagf"), key, signature), VD_ESIGNATURE);
	/* The NUL keeps domain and message apart. */
	assert_int_equal(vd_sign_verify("domainm", vd_slice_str("essage"), key, signature), VD_ESIGNATURE);
	memcpy(other, key, sizeof(other));
	for (size_t i = 0; i < VD_KEY_BYTES; i++) {
		other[i] ^= 0x10;
		assert_int_equal(vd_sign_verify("domain", message, other, signature), VD_ESIGNATURE);
		other[i] ^= 0x10;
	}
	for (size_t i = 0; i < 8 * VD_SIGNATURE_BYTES; i++) {
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(vd_sign_verify("domain", message, key, signature), VD_ESIGNATURE);
		signature[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(vd_sign_verify("domain", message, key, signature), 0);
}

static void test_sign__bytes_are_domain_nul_message(void **state)
{
	uint8_t signature[VD_SIGNATURE_BYTES];

	(void)state;
	assert_int_equal(vd_sign("domain", vd_slice_str("message"), secret, signature), 0);
	assert_int_equal(crypto_sign_verify_detached(signature, (const uint8_t *)"domain\0message", 14, key), 0);
}

static void test_sign__lengths_are_capped(void **state)
{
	static uint8_t message[VD_SIGN_MESSAGE_MAX + 1];
	uint8_t signature[VD_SIGNATURE_BYTES];

	(void)state;
	assert_int_equal(vd_sign("d", vd_slice(NULL, 0), secret, signature), 0);
	assert_int_equal(vd_sign_verify("d", vd_slice(NULL, 0), key, signature), 0);
	assert_int_equal(vd_sign("d", vd_slice(message, VD_SIGN_MESSAGE_MAX), secret, signature), 0);
	assert_int_equal(vd_sign_verify("d", vd_slice(message, VD_SIGN_MESSAGE_MAX), key, signature), 0);
	assert_int_equal(vd_sign("d", vd_slice(message, VD_SIGN_MESSAGE_MAX + 1), secret, signature), VD_EINVAL);
	assert_int_equal(vd_sign_verify("d", vd_slice(message, VD_SIGN_MESSAGE_MAX + 1), key, signature), VD_ESIGNATURE);
	assert_int_equal(vd_sign("a domain of thirty-one bytes, ok", vd_slice(NULL, 0), secret, signature), VD_EINVAL);
	assert_int_equal(vd_sign("a domain of thirty-one bytes ok", vd_slice(NULL, 0), secret, signature), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sign__honest_signatures_hold_with_r_checked_or_not), /* first: it runs the self-test */
		cmocka_unit_test(test_sign__speccheck_is_refused),
		cmocka_unit_test(test_sign__cofactor_case_has_a_torsion_component),
		cmocka_unit_test(test_sign__keys_of_mixed_or_small_order_are_no_keys),
		cmocka_unit_test(test_sign__binds_domain_message_and_key),
		cmocka_unit_test(test_sign__bytes_are_domain_nul_message),
		cmocka_unit_test(test_sign__lengths_are_capped),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
