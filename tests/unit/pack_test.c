/* Packing: what it makes smaller, and what no frame may do. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "proto/body.h"
#include "proto/err.h"
#include "proto/pack.h"
#include "proto/pack_table.h"
#include "tests/unit/body_forge.h"

static const char *const said[] = {
	"Llegaron hombres armados a la vereda; preguntan por los líderes.", "The water is rising, please move to higher ground now.",
	"A ponte caiu e a estrada está fechada desde ontem.", "Nous avons besoin d'eau potable pour les familles.",
};

/* Text of n bytes, as somebody who has much to say. */
static void text(char *out, size_t n)
{
	for (size_t at = 0, i = 0; at < n; i++) {
		const char *s = said[(i * i + i / 3) % 4];

		for (size_t k = 0; s[k] && at < n; k++)
			out[at++] = (i % 5 == 4 && k % 7 == 3) ? (char)('a' + i % 26) : s[k];
	}
}

static void noise(char *out, size_t n)
{
	static const uint8_t key[VD_KEY_BYTES] = { 1 }, nonce[12];

	crypto_stream_chacha20_ietf((uint8_t *)out, n, nonce, key);
}

static int unpack(struct vd_slice packed, size_t max, size_t *n)
{
	struct vd_buf out = { 0 };
	uint8_t *exact = malloc(packed.n + !packed.n);
	int rc;

	if (packed.n)
		memcpy(exact, packed.p, packed.n);
	vd_buf_put_u8(&out, 'x');
	rc = vd_unpack(VD_PACKING_ZSTD, vd_slice(exact, packed.n), max, &out);
	assert_true(rc == VD_OK ? out.n <= 1 + max : out.n == 1);
	assert_int_equal(out.p[0], 'x');
	if (n)
		*n = out.n - 1;
	free(exact);
	vd_buf_deinit(&out);
	return rc;
}

static void test_pack__what_it_makes_smaller_comes_back(void **state)
{
	static char bytes[VD_BODY_PLAIN_MAX];
	struct vd_buf packed = { 0 }, back = { 0 };
	size_t smaller = 0;

	(void)state;
	text(bytes, sizeof(bytes));
	for (size_t n = 0; n <= sizeof(bytes); n += n < 300 ? 1 : n < 5000 ? 97 : n + 2049 < sizeof(bytes) ? 2049 : sizeof(bytes) - n + (n == sizeof(bytes))) {
		vd_buf_reset(&packed);
		vd_buf_reset(&back);
		vd_buf_put_u8(&packed, 7);
		assert_int_equal(vd_pack(vd_slice(bytes, n), &packed), 0);
		assert_int_equal(packed.p[0], 7);
		if (packed.n == 1)
			continue;
		smaller++;
		assert_true(packed.n - 1 < n);
		assert_int_equal(packed.p[1] & 0x3f, 0x20);
		assert_int_equal(vd_unpack(VD_PACKING_ZSTD, vd_slice(packed.p + 1, packed.n - 1), n, &back), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&back), vd_slice(bytes, n)));
		assert_int_equal(unpack(vd_slice(packed.p + 1, packed.n - 1), n - 1, NULL), VD_EFORMAT);
		/* a text of a hundred bytes loses a third at least */
		assert_true(n < 100 || 3 * packed.n < 2 * n);
	}
	assert_true(smaller > 300);
	vd_buf_deinit(&packed);
	vd_buf_deinit(&back);
}

static void test_pack__noise_stays_as_it_is(void **state)
{
	static char bytes[VD_BODY_PLAIN_MAX];
	static const size_t lengths[] = { 0, 1, 2, 30, 100, 256, 1000, 60000, sizeof(bytes) };
	struct vd_buf packed = { 0 };

	(void)state;
	noise(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		assert_int_equal(vd_pack(vd_slice(bytes, lengths[i]), &packed), 0);
		assert_int_equal(packed.n, 0);
	}
	vd_buf_deinit(&packed);
}

static void pack_text(size_t n, struct vd_buf *packed)
{
	char *bytes = malloc(n);

	text(bytes, n);
	assert_int_equal(vd_pack(vd_slice(bytes, n), packed), 0);
	assert_true(packed->n > 0);
	free(bytes);
}

static void test_pack__truncated_at_every_byte(void **state)
{
	static const size_t lengths[] = { 80, 200, 1000, 20000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct vd_buf packed = { 0 };

		pack_text(lengths[i], &packed);
		assert_int_equal(unpack(vd_buf_slice(&packed), VD_BODY_PLAIN_MAX, NULL), VD_OK);
		for (size_t n = 0; n < packed.n; n++)
			assert_int_equal(unpack(vd_slice(packed.p, n), VD_BODY_PLAIN_MAX, NULL), VD_EFORMAT);
		vd_buf_deinit(&packed);
	}
}

static void test_pack__corrupted_everywhere(void **state)
{
	struct vd_buf packed = { 0 };
	size_t n;

	(void)state;
	pack_text(400, &packed);
	for (size_t at = 0; at < packed.n; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			int rc;

			packed.p[at] ^= (uint8_t)(1u << bit);
			rc = unpack(vd_buf_slice(&packed), 4096, &n);
			assert_true(rc == VD_EFORMAT || rc == VD_OK);
			/* the length that it says is the one it has */
			assert_true(rc || n == 256 + packed.p[1] + 256u * packed.p[2]);
			packed.p[at] ^= (uint8_t)(1u << bit);
		}
	vd_buf_deinit(&packed);
}

/* Frames that zstd would take, and we do not. Each parameter is one that we leave as it is. */
static void test_pack__frames_of_another_form(void **state)
{
	static const struct {
		ZSTD_cParameter parameter;
		int value;
		size_t n;
		bool ours;
	} cases[] = {
		{ ZSTD_c_compressionLevel, 19, 300, true }, { ZSTD_c_checksumFlag, 1, 300, false }, { ZSTD_c_contentSizeFlag, 0, 300, false },
		{ ZSTD_c_dictIDFlag, 1, 300, false }, { ZSTD_c_windowLog, 10, 5000, false },
	};
	static char bytes[5000];

	(void)state;
	text(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		ZSTD_CCtx *c = ZSTD_createCCtx();
		uint8_t frame[5000];
		size_t n;

		assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_dictIDFlag, 0)));
		assert_false(ZSTD_isError(ZSTD_CCtx_loadDictionary(c, vd_pack_dictionary_1, vd_pack_dictionary_1_bytes)));
		assert_false(ZSTD_isError(ZSTD_CCtx_setParameter(c, cases[i].parameter, cases[i].value)));
		n = ZSTD_compress2(c, frame, sizeof(frame), bytes, cases[i].n);
		assert_false(ZSTD_isError(n));
		assert_int_equal(unpack(vd_slice(frame + 4, n - 4), sizeof(bytes), NULL), cases[i].ours ? VD_OK : VD_EFORMAT);
		ZSTD_freeCCtx(c);
	}
	/* packed without a dictionary, it means nothing else by ours: it opens, and is of no use to anybody but its author */
	assert_int_equal(unpack(vd_slice("\x20\x05\x29\0\0hello", 10), 100, NULL), VD_OK);
}

static void test_pack__nothing_behind_the_frame_and_no_lie_about_length(void **state)
{
	/* One raw block of five bytes, and one that repeats a byte: 8 x length + 2 x kind + last. */
	uint8_t hello[] = { 0x20, 5, 0x29, 0, 0, 'h', 'e', 'l', 'l', 'o' };
	struct vd_buf two = { 0 }, bomb = { 0 };
	size_t n;

	(void)state;
	assert_int_equal(unpack(vd_slice(hello, sizeof(hello)), 5, &n), VD_OK);
	assert_int_equal(n, 5);
	assert_int_equal(unpack(vd_slice(hello, sizeof(hello)), 4, NULL), VD_EFORMAT); /* cap plus one */
	hello[1] = 6;
	assert_int_equal(unpack(vd_slice(hello, sizeof(hello)), 100, NULL), VD_EFORMAT);
	hello[1] = 4;
	assert_int_equal(unpack(vd_slice(hello, sizeof(hello)), 100, NULL), VD_EFORMAT);
	hello[1] = 0;
	assert_int_equal(unpack(vd_slice(hello, sizeof(hello)), 100, NULL), VD_EFORMAT);
	hello[1] = 5;
	/* a byte, another frame, an empty one, one to be skipped */
	for (int i = 0; i < 4; i++) {
		static const char *const behind[] = { "\0", "\x28\xb5\x2f\xfd\x20\x05\x29\0\0hello", "\x28\xb5\x2f\xfd\x20\0\1\0\0", "\x50\x2a\x4d\x18\0\0\0\0" };
		static const size_t lengths[] = { 1, 14, 9, 8 };

		vd_buf_reset(&two);
		vd_buf_put(&two, hello, sizeof(hello));
		vd_buf_put(&two, behind[i], lengths[i]);
		assert_int_equal(unpack(vd_buf_slice(&two), 100, NULL), VD_EFORMAT);
	}
	/* 128 KiB of one byte, that says it were 300, or as much as it is: longer forms of the length we do not take at all */
	vd_buf_put(&bomb, "\x60\x2c\0\x03\0\x10z", 7);
	assert_int_equal(unpack(vd_buf_slice(&bomb), 100000, NULL), VD_EFORMAT);
	vd_buf_reset(&bomb);
	vd_buf_put(&bomb, "\xa0\0\0\2\0\x03\0\x10z", 9);
	assert_int_equal(unpack(vd_buf_slice(&bomb), SIZE_MAX, NULL), VD_EFORMAT);
	vd_buf_reset(&bomb);
	vd_buf_put(&bomb, "\xe0\0\0\2\0\0\0\0\0\x03\0\x10z", 13);
	assert_int_equal(unpack(vd_buf_slice(&bomb), SIZE_MAX, NULL), VD_EFORMAT);
	vd_buf_deinit(&two);
	vd_buf_deinit(&bomb);
}

static void test_pack__another_packing_is_a_newer_one(void **state)
{
	struct vd_buf out = { 0 };

	(void)state;
	assert_int_equal(vd_unpack(2, vd_slice("x", 1), 10, &out), VD_EVERSION);
	assert_int_equal(vd_unpack(255, vd_slice("x", 1), 10, &out), VD_EVERSION);
	assert_int_equal(out.n, 0);
}

/* In a body: packed only when that takes a smaller bucket. */
static void test_pack__a_body_is_packed_when_its_bucket_shrinks(void **state)
{
	static const uint8_t key[VD_KEY_BYTES] = { 1 }, epoch[VD_EPOCH_BYTES] = { 2 }, nonce[VD_BODY_NONCE_BYTES] = { 3 };
	static const struct vd_slice ad = { (const uint8_t *)"ad", 2 };
	uint8_t prefix[VD_BODY_PREFIX_BYTES] = { 1, VD_AUDIENCE_EVERYONE }, plain[64] = { VD_PACKING_ZSTD };
	static char bytes[VD_BODY_PLAIN_MAX];
	struct vd_buf body = { 0 }, out = { 0 };

	(void)state;
	text(bytes, sizeof(bytes));
	for (size_t n = 0; n < 700; n++) {
		size_t as_it_is = VD_BODY_PREFIX_BYTES + vd_body_bucket((n < 128 ? 2 : 3) + n) + VD_BODY_MAC_BYTES;

		vd_buf_reset(&body);
		vd_buf_reset(&out);
		assert_int_equal(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_slice(bytes, n), &body), 0);
		assert_true(body.n <= as_it_is && (n < 130 || body.n < as_it_is));
		assert_int_equal(vd_body_open(vd_buf_slice(&body), key, ad, &out), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice(bytes, n)));
	}
	/* the longest there is, and one more, which would fit well if it were packed */
	vd_buf_reset(&body);
	assert_int_equal(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_slice(bytes, 63643), &body), VD_ECAP);
	assert_int_equal(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_slice(bytes, 63642), &body), 0);
	assert_true(body.n < VD_BODY_MAX / 2);
	/* whoever packs all the same: five bytes in the bucket that they need anyway */
	memcpy(plain + 1, "\x0a\x20\x05\x29\0\0hello", 11);
	vd_buf_reset(&body);
	vd_buf_reset(&out);
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, 32), &body);
	assert_int_equal(vd_body_open(vd_buf_slice(&body), key, ad, &out), VD_EFORMAT);
	/* … and what could not have been sealed as it is: 63,643 times z */
	memset(plain, 0, sizeof(plain));
	memcpy(plain, "\1\x07\x60", 3);
	for (int i = 0; i < 2; i++) {
		size_t n = 63643 - (unsigned)i;

		plain[3] = (uint8_t)((n - 256) & 0xff);
		plain[4] = (uint8_t)((n - 256) >> 8);
		plain[5] = (uint8_t)((n << 3 | 3) & 0xff);
		plain[6] = (uint8_t)((n << 3 | 3) >> 8 & 0xff);
		plain[7] = (uint8_t)((n << 3 | 3) >> 16);
		plain[8] = 'z';
		vd_buf_reset(&body);
		vd_buf_reset(&out);
		forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(plain, 32), &body);
		assert_int_equal(vd_body_open(vd_buf_slice(&body), key, ad, &out), i ? VD_OK : VD_EFORMAT);
		assert_int_equal(out.n, i ? n : 0);
	}
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
}

static void *work(void *ctx)
{
	char bytes[300];
	struct vd_buf packed = { 0 }, back = { 0 };

	(void)ctx;
	text(bytes, sizeof(bytes));
	for (size_t i = 0; i < 500; i++) {
		size_t n = 100 + i % 200;

		vd_buf_reset(&packed);
		vd_buf_reset(&back);
		if (vd_pack(vd_slice(bytes, n), &packed) || vd_unpack(VD_PACKING_ZSTD, vd_buf_slice(&packed), n, &back) ||
		    !vd_slice_eq(vd_buf_slice(&back), vd_slice(bytes, n)))
			abort();
	}
	vd_buf_deinit(&packed);
	vd_buf_deinit(&back);
	return NULL;
}

static void test_pack__any_thread(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pack__any_thread), /* first: they make what is made once */
		cmocka_unit_test(test_pack__what_it_makes_smaller_comes_back),
		cmocka_unit_test(test_pack__noise_stays_as_it_is),
		cmocka_unit_test(test_pack__truncated_at_every_byte),
		cmocka_unit_test(test_pack__corrupted_everywhere),
		cmocka_unit_test(test_pack__frames_of_another_form),
		cmocka_unit_test(test_pack__nothing_behind_the_frame_and_no_lie_about_length),
		cmocka_unit_test(test_pack__another_packing_is_a_newer_one),
		cmocka_unit_test(test_pack__a_body_is_packed_when_its_bucket_shrinks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
