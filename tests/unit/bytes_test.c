#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/err.h"

static struct vd_slice text(const char *s)
{
	return vd_slice_str(s);
}

static void test_slice__order(void **state)
{
	(void)state;
	assert_true(vd_slice_eq(vd_slice(NULL, 0), text("")));
	assert_true(vd_slice_eq(text("abc"), text("abc")));
	assert_false(vd_slice_eq(text("abc"), text("abd")));
	assert_false(vd_slice_eq(text("ab"), text("abc")));
	assert_true(vd_slice_cmp(text("ab"), text("abc")) < 0);
	assert_true(vd_slice_cmp(text("b"), text("abc")) > 0);
	assert_true(vd_slice_cmp(text("\x7f"), text("\x80")) < 0);
	assert_int_equal(vd_slice_cmp(vd_slice(NULL, 0), vd_slice(NULL, 0)), 0);
}

static void test_buf__grows_and_keeps_what_it_has(void **state)
{
	struct vd_buf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		vd_buf_put_u8(&b, (uint8_t)(i * 7));
	assert_int_equal(vd_buf_check(&b), 0);
	assert_int_equal(b.n, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], (uint8_t)(i * 7));
	vd_buf_drop(&b, 99999);
	assert_int_equal(b.n, 1);
	assert_int_equal(b.p[0], (uint8_t)(99999u * 7));
	vd_buf_drop(&b, 5);
	assert_int_equal(b.n, 0);
	vd_buf_wipe(&b);
	assert_null(b.p);
}

static void test_buf__nothing_appended_to_nothing(void **state)
{
	struct vd_buf b = { 0 };

	(void)state;
	vd_buf_put(&b, NULL, 0);
	vd_buf_put_slice(&b, vd_slice(NULL, 0));
	assert_non_null(vd_buf_extend(&b, 0));
	assert_int_equal(vd_buf_check(&b), 0);
	assert_int_equal(vd_buf_slice(&b).n, 0);
	vd_buf_drop(&b, 0);
	vd_buf_deinit(&b);
}

static void test_buf__failure_sticks(void **state)
{
	struct vd_buf b = { 0 };

	(void)state;
	vd_buf_put(&b, "abc", 3);
	assert_null(vd_buf_extend(&b, SIZE_MAX - 1));
	assert_int_equal(vd_buf_check(&b), VD_ENOMEM);
	vd_buf_put(&b, "d", 1);
	assert_int_equal(b.n, 3);
	assert_int_equal(vd_buf_check(&b), VD_ENOMEM);
	vd_buf_reset(&b);
	assert_int_equal(vd_buf_check(&b), 0);
	vd_buf_put(&b, "d", 1);
	assert_memory_equal(b.p, "d", 1);
	vd_buf_deinit(&b);
}

static void test_rd__numbers_are_big_endian(void **state)
{
	static const uint8_t expected[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };
	struct vd_buf b = { 0 };
	struct vd_rd r;

	(void)state;
	vd_buf_put_u8(&b, 0x01);
	vd_buf_put_u16(&b, 0x0203);
	vd_buf_put_u32(&b, 0x04050607);
	vd_buf_put_u64(&b, 0x08090a0b0c0d0e0f);
	assert_int_equal(b.n, sizeof(expected));
	assert_memory_equal(b.p, expected, sizeof(expected));
	r = vd_rd(vd_buf_slice(&b));
	assert_int_equal(vd_rd_u8(&r), 0x01);
	assert_int_equal(vd_rd_u16(&r), 0x0203);
	assert_int_equal(vd_rd_u32(&r), 0x04050607);
	assert_int_equal(vd_rd_end(&r), VD_EFORMAT);
	assert_int_equal(vd_rd_u64(&r), 0x08090a0b0c0d0e0f);
	assert_int_equal(vd_rd_end(&r), 0);
	vd_buf_deinit(&b);
}

static void test_rd__error_sticks(void **state)
{
	uint8_t dst[4] = { 9, 9, 9, 9 };
	struct vd_rd r = vd_rd(text("ab"));

	(void)state;
	assert_int_equal(vd_rd_u32(&r), 0);
	assert_int_equal(r.err, VD_EFORMAT);
	assert_int_equal(vd_rd_u8(&r), 0);
	vd_rd_copy(&r, dst, 4);
	assert_memory_equal(dst, "\0\0\0\0", 4);
	vd_rd_fail(&r, VD_ECAP);
	assert_int_equal(vd_rd_end(&r), VD_EFORMAT);

	r = vd_rd(text("ab"));
	vd_rd_fail(&r, VD_ECAP);
	assert_int_equal(vd_rd_take(&r, 1).n, 0);
	assert_int_equal(vd_rd_end(&r), VD_ECAP);

	r = vd_rd(text("ab"));
	assert_int_equal(vd_rd_take(&r, SIZE_MAX).n, 0);
	assert_int_equal(vd_rd_end(&r), VD_EFORMAT);

	r = vd_rd(vd_slice(NULL, 0));
	assert_int_equal(vd_rd_take(&r, 0).n, 0);
	assert_int_equal(vd_rd_end(&r), 0);
}

static void test_varint__round_trips_in_shortest_form(void **state)
{
	static const struct {
		uint64_t v;
		size_t n;
	} cases[] = { { 0, 1 }, { 1, 1 }, { 127, 1 }, { 128, 2 }, { 300, 2 }, { 16383, 2 }, { 16384, 3 }, { UINT32_MAX, 5 },
		      { INT64_MAX, 9 }, { (uint64_t)INT64_MAX + 1, 10 }, { UINT64_MAX, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vd_buf b = { 0 };
		struct vd_rd r;

		vd_buf_put_varint(&b, cases[i].v);
		assert_int_equal(b.n, cases[i].n);
		r = vd_rd(vd_buf_slice(&b));
		assert_true(vd_rd_varint(&r) == cases[i].v);
		assert_int_equal(vd_rd_end(&r), 0);
		for (size_t n = 0; n < b.n; n++) {
			r = vd_rd(vd_slice(b.p, n));
			assert_int_equal(vd_rd_varint(&r), 0);
			assert_int_equal(r.err, VD_EFORMAT);
		}
		vd_buf_deinit(&b);
	}
}

static void test_varint__refuses_long_forms(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} cases[] = {
		{ "\x80\x00", 2 },
		{ "\xff\x00", 2 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10 },     /* 2^64 */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11 },
		{ "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vd_rd r = vd_rd(vd_slice(cases[i].bytes, cases[i].n));

		assert_int_equal(vd_rd_varint(&r), 0);
		assert_int_equal(r.err, VD_EFORMAT);
	}
}

static void test_varint__says_how_long_it_is(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		for (int off = -1; off <= 1; off++) {
			uint64_t v = (UINT64_C(1) << bit) + (uint64_t)off;
			struct vd_buf b = { 0 };

			vd_buf_put_varint(&b, v);
			assert_int_equal(vd_varint_bytes(v), b.n);
			assert_true(vd_unzigzag(vd_zigzag(v)) == v);
			vd_buf_deinit(&b);
		}
	}
	assert_int_equal(vd_zigzag(0), 0);
	assert_int_equal(vd_zigzag(1), 2);
	assert_int_equal(vd_zigzag((uint64_t)-1), 1);
}

static void test_room__grows_and_keeps_what_it_has(void **state)
{
	uint32_t *numbers = NULL;
	size_t capacity = 0, much = SIZE_MAX / 2 + 1;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_true(vd_room(&numbers, i, &capacity, 3, sizeof(*numbers)));
		assert_true(i < capacity);
		numbers[i] = i;
	}
	assert_int_equal(capacity, 3 * 512);
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	/* More than there can be: nothing changes. */
	assert_false(vd_room(&numbers, much, &much, 3, sizeof(*numbers)));
	assert_true(much == SIZE_MAX / 2 + 1);
	assert_int_equal(numbers[999], 999);
	free(numbers);
}

static void test_hex__both_ways(void **state)
{
	uint8_t raw[4];
	char out[9];
	size_t n;

	(void)state;
	vd_hex(out, "\x00\xff\x1a\x2B", 4);
	assert_string_equal(out, "00ff1a2b");
	assert_int_equal(vd_unhex(raw, sizeof(raw), "00FF1a2B", &n), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(raw, "\x00\xff\x1a\x2b", 4);
	assert_int_equal(vd_unhex(raw, sizeof(raw), "", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(vd_unhex(raw, sizeof(raw), "0", &n), VD_EFORMAT);
	assert_int_equal(vd_unhex(raw, sizeof(raw), "0011223344", &n), VD_EFORMAT);
	assert_int_equal(vd_unhex(raw, sizeof(raw), "0g", &n), VD_EFORMAT);
	assert_int_equal(vd_unhex(raw, sizeof(raw), "00 1", &n), VD_EFORMAT);
}

static void test_utf8__strict(void **state)
{
	static const char *const good[] = { "", "vereda", "ma\xc3\xb1o", "\xe2\x82\xac", "\xf0\x9f\x8c\xb1", "\xef\xbf\xbf",
		                            "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf", "\xee\x80\x80" };
	static const char *const bad[] = {
		"\x80", "a\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xe2(\xa1",
		"\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9f\x8c",
		"\xff", "\xfe",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(vd_utf8_ok(text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vd_utf8_ok(text(bad[i])));
	assert_true(vd_utf8_ok(vd_slice(NULL, 0)));
}

static void test_err__every_code_has_its_own_word(void **state)
{
	(void)state;
	for (int a = 0; a >= VD_ESEALED; a--) {
		assert_string_not_equal(vd_err_name(a), "unknown");
		for (int b = 0; b > a; b--)
			assert_string_not_equal(vd_err_name(a), vd_err_name(b));
	}
	assert_string_equal(vd_err_name(VD_ESEALED - 1), "unknown");
	assert_string_equal(vd_err_name(1), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slice__order),
		cmocka_unit_test(test_buf__grows_and_keeps_what_it_has),
		cmocka_unit_test(test_buf__nothing_appended_to_nothing),
		cmocka_unit_test(test_buf__failure_sticks),
		cmocka_unit_test(test_rd__numbers_are_big_endian),
		cmocka_unit_test(test_rd__error_sticks),
		cmocka_unit_test(test_varint__round_trips_in_shortest_form),
		cmocka_unit_test(test_varint__refuses_long_forms),
		cmocka_unit_test(test_varint__says_how_long_it_is),
		cmocka_unit_test(test_room__grows_and_keeps_what_it_has),
		cmocka_unit_test(test_hex__both_ways),
		cmocka_unit_test(test_utf8__strict),
		cmocka_unit_test(test_err__every_code_has_its_own_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
