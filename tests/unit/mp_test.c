#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/err.h"
#include "proto/limits.h"
#include "proto/mp.h"

#define BYTES(literal) vd_slice(literal, sizeof(literal) - 1)

static int check(struct vd_slice bytes)
{
	struct vd_rd r = vd_rd(bytes);

	vd_mp_skip(&r, VD_DEPTH_MAX);
	return vd_rd_end(&r);
}

static void test_mp__uint_has_one_form(void **state)
{
	static const struct {
		uint64_t v;
		size_t n;
	} cases[] = {
		{ 0, 1 }, { 127, 1 }, { 128, 2 }, { 255, 2 }, { 256, 3 }, { 65535, 3 }, { 65536, 5 }, { UINT32_MAX, 5 },
		{ (uint64_t)UINT32_MAX + 1, 9 }, { UINT64_MAX, 9 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vd_buf b = { 0 };
		struct vd_rd r;

		vd_mp_put_uint(&b, cases[i].v);
		assert_int_equal(b.n, cases[i].n);
		r = vd_rd(vd_buf_slice(&b));
		assert_int_equal(vd_mp_peek(&r), VD_MP_UINT);
		assert_true(vd_mp_uint(&r, UINT64_MAX) == cases[i].v);
		assert_int_equal(vd_rd_end(&r), 0);
		r = vd_rd(vd_buf_slice(&b));
		assert_true(vd_mp_uint(&r, cases[i].v) == cases[i].v);
		assert_int_equal(r.err, 0);
		if (cases[i].v) {
			r = vd_rd(vd_buf_slice(&b));
			assert_int_equal(vd_mp_uint(&r, cases[i].v - 1), 0);
			assert_int_equal(r.err, VD_ECAP);
		}
		vd_buf_deinit(&b);
	}
}

static void test_mp__longer_forms_are_refused(void **state)
{
	static uint8_t long_str[3 + 255] = { 0xda, 0x00, 0xff }, long_bin[3 + 255] = { 0xc5, 0x00, 0xff };
	static uint8_t long_str4[5 + 256] = { 0xdb, 0, 0, 1, 0 }, long_bin4[5 + 256] = { 0xc6, 0, 0, 1, 0 };
	static uint8_t long_array[3 + 15] = { 0xdc, 0, 15 };
	const struct vd_slice cases[] = {
		BYTES("\xcc\x7f"), BYTES("\xcd\x00\xff"), BYTES("\xce\x00\x00\xff\xff"), BYTES("\xcf\0\0\0\0\xff\xff\xff\xff"),
		BYTES("\xd9\x1f" "abcdefghijklmnopqrstuvwxyzabcde"), BYTES("\xd9\0"), BYTES("\xda\0\0"), BYTES("\xdb\0\0\0\0"),
		BYTES("\xc5\0\0"), BYTES("\xc6\0\0\0\0"), BYTES("\xdc\0\0"), BYTES("\xdd\0\0\0\0"),
		vd_slice(long_str, sizeof(long_str)), vd_slice(long_bin, sizeof(long_bin)),
		vd_slice(long_str4, sizeof(long_str4)), vd_slice(long_bin4, sizeof(long_bin4)),
		vd_slice(long_array, sizeof(long_array)),
	};

	(void)state;
	memset(long_str + 3, 'a', 255);
	memset(long_str4 + 5, 'a', 256);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(check(cases[i]), VD_EFORMAT);
}

static void test_mp__foreign_types_are_refused(void **state)
{
	static const uint8_t foreign[] = { 0x80, 0x81, 0x8f, 0xc1, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xd0, 0xd1, 0xd2, 0xd3,
		                           0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xde, 0xdf, 0xe0, 0xff };
	uint8_t bytes[32] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(foreign); i++) {
		struct vd_rd r;

		bytes[0] = foreign[i];
		r = vd_rd(vd_slice(bytes, sizeof(bytes)));
		assert_int_equal(vd_mp_peek(&r), VD_MP_NONE);
		vd_mp_skip(&r, VD_DEPTH_MAX);
		assert_int_equal(r.err, VD_EFORMAT);
	}
}

static void test_mp__str_bin_and_array_lengths(void **state)
{
	static const size_t lengths[] = { 0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536 };
	static uint8_t bytes[65536];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		struct vd_slice in = vd_slice(bytes, lengths[i]);
		struct vd_buf b = { 0 };
		struct vd_rd r;

		vd_mp_put_str(&b, in);
		vd_mp_put_bin(&b, in);
		vd_mp_put_array(&b, (uint32_t)in.n);
		r = vd_rd(vd_buf_slice(&b));
		assert_true(vd_slice_eq(vd_mp_str(&r, in.n), in));
		assert_true(vd_slice_eq(vd_mp_bin(&r, in.n), in));
		assert_int_equal(vd_mp_array(&r, (uint32_t)in.n), in.n);
		assert_int_equal(vd_rd_end(&r), 0);
		if (in.n) {
			r = vd_rd(vd_buf_slice(&b));
			assert_int_equal(vd_mp_str(&r, in.n - 1).n, 0);
			assert_int_equal(r.err, VD_ECAP);
			r = vd_rd(vd_slice(b.p, in.n)); /* cut short */
			assert_int_equal(vd_mp_str(&r, SIZE_MAX).n, 0);
			assert_int_equal(r.err, VD_EFORMAT);
		}
		vd_buf_deinit(&b);
	}
}

static void test_mp__str_is_utf8_without_nul(void **state)
{
	(void)state;
	assert_int_equal(check(BYTES("\xa2\xc3\xb1")), 0);
	assert_int_equal(check(BYTES("\xa1\xc3")), VD_EFORMAT);
	assert_int_equal(check(BYTES("\xa3" "a\0b")), VD_EFORMAT);
	assert_int_equal(check(BYTES("\xa2\xc0\x80")), VD_EFORMAT);
}

static void test_mp__claimed_sizes_cost_nothing(void **state)
{
	(void)state;
	assert_int_equal(check(BYTES("\xdd\x05\xf5\xe1\x00")), VD_EFORMAT); /* 100 million elements in five bytes */
	assert_int_equal(check(BYTES("\xdd\xff\xff\xff\xff\xc0")), VD_EFORMAT);
	assert_int_equal(check(BYTES("\xc6\xff\xff\xff\xff")), VD_EFORMAT);
	assert_int_equal(check(BYTES("\xdb\xff\xff\xff\xff")), VD_EFORMAT);
}

static void test_mp__depth_is_capped(void **state)
{
	(void)state;
	assert_int_equal(check(BYTES("\x91\x91\x91\x91\xc0")), 0);
	assert_int_equal(check(BYTES("\x91\x91\x91\x91\x90")), VD_ECAP);
}

/* One value of every type; each prefix of it is refused, and so is one byte more. */
static void test_mp__truncated_anywhere(void **state)
{
	struct vd_buf b = { 0 };

	(void)state;
	vd_mp_put_array(&b, 8);
	vd_mp_put_nil(&b);
	vd_mp_put_bool(&b, true);
	vd_mp_put_bool(&b, false);
	vd_mp_put_uint(&b, 1u << 20);
	vd_mp_put_bin(&b, BYTES("\0\1\2"));
	vd_mp_put_str(&b, BYTES("a text that needs more than thirty-one bytes"));
	vd_mp_put_array(&b, 1);
	vd_mp_put_uint(&b, 7);
	vd_mp_put_array(&b, 0);
	assert_int_equal(check(vd_buf_slice(&b)), 0);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(check(vd_slice(b.p, n)), VD_EFORMAT);
	vd_buf_put_u8(&b, 0xc0);
	assert_int_equal(check(vd_buf_slice(&b)), VD_EFORMAT);
	vd_buf_deinit(&b);
}

static void test_mp__wrong_type_reads_nothing(void **state)
{
	struct vd_rd r;

	(void)state;
#define REFUSES(call, bytes) \
	do { \
		r = vd_rd(BYTES(bytes)); \
		(void)call; \
		assert_int_equal(r.err, VD_EFORMAT); \
	} while (0)
	REFUSES(vd_mp_uint(&r, 9), "\xa0");
	REFUSES(vd_mp_array(&r, 9), "\x01");
	REFUSES(vd_mp_bin(&r, 9), "\xa0");
	REFUSES(vd_mp_str(&r, 9), "\xc4\x00");
	REFUSES(vd_mp_bool(&r), "\xc0");
	REFUSES(vd_mp_bin_exact(&r, 2), "\xc4\x01z");
	REFUSES(vd_mp_bin_exact(&r, 0), "\xc4\x01z");
	REFUSES(vd_mp_uint(&r, 9), "");
#undef REFUSES
	r = vd_rd(BYTES("\xc2"));
	vd_mp_nil(&r);
	assert_int_equal(r.err, VD_EFORMAT);
	r = vd_rd(BYTES("\xc4\x02zz"));
	assert_int_equal(vd_mp_bin_exact(&r, 2).n, 2);
	assert_int_equal(vd_rd_end(&r), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mp__uint_has_one_form),
		cmocka_unit_test(test_mp__longer_forms_are_refused),
		cmocka_unit_test(test_mp__foreign_types_are_refused),
		cmocka_unit_test(test_mp__str_bin_and_array_lengths),
		cmocka_unit_test(test_mp__str_is_utf8_without_nul),
		cmocka_unit_test(test_mp__claimed_sizes_cost_nothing),
		cmocka_unit_test(test_mp__depth_is_capped),
		cmocka_unit_test(test_mp__truncated_anywhere),
		cmocka_unit_test(test_mp__wrong_type_reads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
