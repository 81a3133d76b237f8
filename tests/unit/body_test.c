#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/body.h"
#include "proto/err.h"
#include "proto/pack.h"
#include "tests/unit/body_forge.h"

static const uint8_t key[VD_KEY_BYTES] = { 1 }, epoch[VD_EPOCH_BYTES] = { 2 }, nonce[VD_BODY_NONCE_BYTES] = { 3 };
static const struct vd_slice ad = { (const uint8_t *)"associated", 10 };

/* What no packing makes smaller. */
static const uint8_t *noise(void)
{
	static const uint8_t zeros[12];
	static uint8_t bytes[VD_BODY_MAX];

	crypto_stream_chacha20_ietf(bytes, sizeof(bytes), zeros, key);
	return bytes;
}

static int seal(size_t n, struct vd_buf *out)
{
	const uint8_t *bytes = noise();

	return vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_slice(bytes, n), out);
}

static int open_body(struct vd_slice body, struct vd_buf *out)
{
	return vd_body_open(body, key, ad, out);
}

static int open_plain(const char *plain, size_t n)
{
	uint8_t prefix[VD_BODY_PREFIX_BYTES] = { 1, VD_AUDIENCE_EVERYONE };
	struct vd_buf body = { 0 }, out = { 0 };
	int rc;

	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, n), &body);
	vd_buf_put_u8(&out, 'x');
	rc = open_body(vd_buf_slice(&body), &out);
	assert_true(!rc || out.n == 1);
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
	return rc;
}

static void test_body__buckets(void **state)
{
	static const struct {
		size_t n, bucket;
	} cases[] = {
		{ 0, 32 }, { 1, 32 }, { 32, 32 }, { 33, 64 }, { 255, 256 }, { 256, 256 }, { 257, 288 }, { 512, 512 }, { 513, 576 },
		{ 1025, 1152 }, { 57344, 57344 }, { 57345, 61440 }, { 61440, 61440 }, { 61441, 63646 }, { 63646, 63646 },
		{ 63647, 0 }, { SIZE_MAX, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vd_body_bucket(cases[i].n), cases[i].bucket);
	for (size_t n = 1; n <= VD_BODY_PLAIN_MAX; n++) {
		size_t bucket = vd_body_bucket(n);

		assert_true(bucket >= n && (bucket - n < 32 || bucket - n <= n / 8));
		assert_int_equal(vd_body_bucket(bucket), bucket);
	}
}

static void test_body__round_trips_at_every_bucket_edge(void **state)
{
	static const size_t lengths[] = { 0, 1, 29, 30, 31, 125, 126, 127, 128, 253, 254, 255, 16380, 16381, 61440, 63642 };
	struct vd_body_prefix prefix;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct vd_buf body = { 0 }, out = { 0 };

		assert_int_equal(seal(lengths[i], &body), 0);
		assert_true(body.n <= VD_BODY_MAX);
		assert_int_equal(vd_body_peek(vd_buf_slice(&body), &prefix), 0);
		assert_int_equal(prefix.audience, VD_AUDIENCE_EVERYONE);
		assert_memory_equal(prefix.epoch, epoch, sizeof(epoch));
		vd_buf_put_u8(&out, 'x'); /* appended, not written over */
		assert_int_equal(open_body(vd_buf_slice(&body), &out), 0);
		assert_int_equal(out.n, 1 + lengths[i]);
		assert_true(vd_slice_eq(vd_slice(out.p + 1, out.n - 1), vd_slice(noise(), lengths[i])));
		vd_buf_deinit(&body);
		vd_buf_deinit(&out);
	}
}

static void test_body__seal_bounds(void **state)
{
	struct vd_buf out = { 0 };

	(void)state;
	assert_int_equal(seal(63643, &out), VD_ECAP);
	assert_int_equal(seal(VD_BODY_MAX, &out), VD_ECAP);
	assert_int_equal(vd_body_seal(VD_AUDIENCE_NAMED, epoch, key, nonce, ad, ad, &out), VD_EINVAL);
	assert_int_equal(out.n, 0);
	vd_buf_deinit(&out);
}

static void test_body__any_change_is_noticed(void **state)
{
	struct vd_buf body = { 0 }, out = { 0 };
	uint8_t other[VD_KEY_BYTES];

	(void)state;
	assert_int_equal(seal(20, &body), 0);
	for (size_t i = 0; i < body.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			int rc;

			body.p[i] ^= (uint8_t)(1u << bit);
			rc = open_body(vd_buf_slice(&body), &out);
			assert_true(rc == VD_ESIGNATURE || (i < 2 && (rc == VD_EFORMAT || rc == VD_EVERSION)));
			body.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	for (size_t n = 0; n < body.n; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, body.p, n);
		assert_int_equal(open_body(vd_slice(copy, n), &out),
		                 n < VD_BODY_PREFIX_BYTES + VD_BODY_MAC_BYTES ? VD_EFORMAT : VD_ESIGNATURE);
		free(copy);
	}
	memcpy(other, key, sizeof(other));
	other[31] ^= 1;
	assert_int_equal(vd_body_open(vd_buf_slice(&body), other, ad, &out), VD_ESIGNATURE);
	assert_int_equal(vd_body_open(vd_buf_slice(&body), key, vd_slice(ad.p, ad.n - 1), &out), VD_ESIGNATURE);
	assert_int_equal(out.n, 0);
	assert_int_equal(open_body(vd_buf_slice(&body), &out), 0);
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
}

/* An author who holds the key can still not write two inside forms for one content. */
static void test_body__inside_has_one_form(void **state)
{
	char plain[64] = { 0 };

	(void)state;
	memcpy(plain, "\0\2hi", 4);
	assert_int_equal(open_plain(plain, 32), 0);
	assert_int_equal(open_plain(plain, 64), VD_EFORMAT); /* a larger bucket than needed */
	assert_int_equal(open_plain(plain, 31), VD_EFORMAT); /* no bucket */
	assert_int_equal(open_plain(plain, 4), VD_EFORMAT);
	assert_int_equal(open_plain(plain, 0), VD_EFORMAT);
	plain[31] = 1;
	assert_int_equal(open_plain(plain, 32), VD_EFORMAT); /* padding that is none */
	plain[31] = 0;
	plain[0] = VD_PACKING_ZSTD + 1;
	assert_int_equal(open_plain(plain, 32), VD_EVERSION);
	memcpy(plain, "\0\x82\0hi", 5);
	assert_int_equal(open_plain(plain, 32), VD_EFORMAT); /* long varint */
	memcpy(plain, "\0\x1f", 2);
	assert_int_equal(open_plain(plain, 32), VD_EFORMAT); /* one byte more than there is */
	memcpy(plain, "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	assert_int_equal(open_plain(plain, 32), VD_EFORMAT);
}

static void test_body__prefix_rules(void **state)
{
	uint8_t bytes[VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES + VD_BODY_MAC_BYTES] = { 1, VD_AUDIENCE_MEMBERS };
	const size_t plain_n = VD_BODY_PREFIX_BYTES + VD_BODY_MAC_BYTES;
	struct vd_body_prefix prefix;

	(void)state;
	assert_int_equal(vd_body_peek(vd_slice(bytes, plain_n), &prefix), 0);
	assert_int_equal(prefix.audience, VD_AUDIENCE_MEMBERS);
	assert_int_equal(vd_body_peek(vd_slice(bytes, plain_n - 1), &prefix), VD_EFORMAT);
	bytes[1] = VD_AUDIENCE_NAMED;
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes)), &prefix), 0);
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes) - 1), &prefix), VD_EFORMAT);
	bytes[1] = 0;
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes)), &prefix), VD_EFORMAT);
	bytes[1] = 4;
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes)), &prefix), VD_EFORMAT);
	bytes[0] = 0;
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes)), &prefix), VD_EFORMAT);
	bytes[0] = 2;
	assert_int_equal(vd_body_peek(vd_slice(bytes, sizeof(bytes)), &prefix), VD_EVERSION);
	assert_int_equal(vd_body_peek(vd_slice(NULL, 0), &prefix), VD_EFORMAT);
}

/* Named bodies are read with the per-record key, whatever the slots hold. */
static void test_body__named_opens_with_its_own_key(void **state)
{
	uint8_t prefix[VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES] = { 1, VD_AUDIENCE_NAMED };
	char plain[32] = "\0\2hi";
	struct vd_buf body = { 0 }, out = { 0 };

	(void)state;
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, sizeof(plain)), &body);
	assert_int_equal(open_body(vd_buf_slice(&body), &out), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice_str("hi")));
	body.p[VD_BODY_PREFIX_BYTES + 40] ^= 1; /* a slot */
	assert_int_equal(open_body(vd_buf_slice(&body), &out), VD_ESIGNATURE);
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body__buckets),
		cmocka_unit_test(test_body__round_trips_at_every_bucket_edge),
		cmocka_unit_test(test_body__seal_bounds),
		cmocka_unit_test(test_body__any_change_is_noticed),
		cmocka_unit_test(test_body__inside_has_one_form),
		cmocka_unit_test(test_body__prefix_rules),
		cmocka_unit_test(test_body__named_opens_with_its_own_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
