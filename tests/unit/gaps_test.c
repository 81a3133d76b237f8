#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/gaps.h"

static uint64_t random_state = 1;

static uint64_t draw(void)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return random_state >> 11;
}

static int ascending(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

static void put_all(const uint64_t *values, size_t n, uint8_t bits, struct vd_buf *out)
{
	struct vd_gaps g = vd_gaps(bits, n);
	struct vd_gaps_writer w = { .out = out };

	for (size_t i = 0; i < n; i++)
		vd_gaps_put(&g, &w, values[i]);
	vd_gaps_put_end(&w);
}

/* How many there are before the end or an error, which is returned. */
static int read_all(struct vd_slice in, uint8_t bits, uint64_t total, const uint64_t *values, size_t *n)
{
	struct vd_gaps g = vd_gaps(bits, total);
	struct vd_gaps_reader r = { .in = in };
	uint64_t value;
	int rc;

	for (*n = 0; !(rc = vd_gaps_next(&g, &r, &value)); ++*n)
		if (values)
			assert_int_equal(value, values[*n]);
	return rc;
}

static void test_gaps__come_back(void **state)
{
	static uint64_t values[3000];

	(void)state;
	for (uint8_t bits = 1; bits <= 63; bits++)
		for (size_t n = 0; n <= 3000; n = 3 * n + 1) {
			struct vd_buf b = { 0 };
			size_t got;

			/* some twice, and the lowest and highest there can be */
			for (size_t i = 0; i < n; i++)
				values[i] = draw() & ((UINT64_C(1) << bits) - 1);
			if (n > 2) {
				values[0] = 0;
				values[1] = (UINT64_C(1) << bits) - 1;
			}
			if (n)
				qsort(values, n, sizeof(values[0]), ascending);
			put_all(values, n, bits, &b);
			assert_int_equal(read_all(vd_buf_slice(&b), bits, n, values, &got), VD_ENOTFOUND);
			assert_int_equal(got, n);
			vd_buf_deinit(&b);
		}
}

/* 8 bits more than it takes to tell so many apart. */
static void test_gaps__cost(void **state)
{
	static uint64_t values[10000];

	(void)state;
	for (size_t n = 5000; n <= 10000; n += 500) {
		struct vd_buf b = { 0 };
		uint8_t bits = 8 + 13;

		for (size_t i = 0; i < n; i++)
			values[i] = draw() & ((UINT64_C(1) << bits) - 1);
		qsort(values, n, sizeof(values[0]), ascending);
		put_all(values, n, bits, &b);
		/* log2(2^21 / n) + 1.7 */
		assert_in_range(b.n * 1000 / n, 1000, n < 8192 ? 1320 : 1250);
		vd_buf_deinit(&b);
	}
}

/* 5 of 10 bits: low = 7; PROTOCOL.md section 9 gives these bytes. */
static void test_gaps__bytes(void **state)
{
	static const uint64_t values[] = { 3, 3, 300, 301, 1023 };
	static const uint8_t bytes[] = { 0x03, 0x00, 0xca, 0x40, 0x7e, 0xa5 };
	struct vd_buf b = { 0 };

	(void)state;
	put_all(values, 5, 10, &b);
	if (b.n != sizeof(bytes) || memcmp(b.p, bytes, sizeof(bytes)) != 0)
		for (size_t i = 0; i < b.n; i++)
			print_message("%02x ", b.p[i]);
	assert_int_equal(b.n, sizeof(bytes));
	assert_memory_equal(b.p, bytes, sizeof(bytes));
	vd_buf_deinit(&b);
}

static void test_gaps__truncated_and_flipped(void **state)
{
	uint64_t values[50];
	struct vd_buf b = { 0 };
	size_t got, errors = 0;

	(void)state;
	for (uint64_t i = 0; i < 50; i++)
		values[i] = i * i * 7;
	put_all(values, 50, 15, &b);
	for (size_t n = 0; n < b.n; n++) {
		int rc = read_all(vd_slice(b.p, n), 15, 50, values, &got);

		assert_true(rc == VD_ENOTFOUND || rc == VD_EFORMAT);
		assert_in_range(got, 0, 49);
		errors += rc == VD_EFORMAT;
	}
	assert_in_range(errors, b.n / 2, b.n);
	for (size_t i = 0; i < 8 * b.n; i++) {
		int rc;

		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
		rc = read_all(vd_buf_slice(&b), 15, 50, NULL, &got);
		assert_true(rc == VD_ENOTFOUND || rc == VD_EFORMAT);
		b.p[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	vd_buf_deinit(&b);
}

static void test_gaps__hostile(void **state)
{
	static const struct {
		uint8_t bits;
		uint64_t total;
		const char *bytes;
		size_t n;
		size_t got;
		int rc;
	} cases[] = {
		{ 8, 1, "\x7f\xff", 2, 1, VD_ENOTFOUND },     /* 0, 255 in eight bits, and what fills up */
		{ 8, 1, "\xbf\xff\xff", 3, 0, VD_EFORMAT },   /* one quotient of 1: 256 and more */
		{ 4, 16, "\xff\xfe", 2, 1, VD_ENOTFOUND },    /* fifteen ones */
		{ 4, 16, "\xff\xff\x7f", 3, 0, VD_EFORMAT },  /* sixteen */
		{ 4, 16, "\x7f\xff", 2, 1, VD_EFORMAT },      /* more than fills a byte up */
		{ 4, 16, "\xff", 1, 0, VD_EFORMAT },          /* the same, and nothing before it */
		{ 4, 16, "\x00\xff", 2, 8, VD_EFORMAT },      /* … and behind whole ones */
		{ 63, 1, "\x7f\xff\xff\xff\xff\xff\xff\xff\x80", 9, 1, VD_EFORMAT },
		{ 8, 1, "", 0, 0, VD_ENOTFOUND },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t got;
		int rc = read_all(vd_slice((const uint8_t *)cases[i].bytes, cases[i].n), cases[i].bits, cases[i].total, NULL, &got);

		if (rc != cases[i].rc || got != cases[i].got)
			print_message("case %zu: %d after %zu\n", i, rc, got);
		assert_int_equal(rc, cases[i].rc);
		assert_int_equal(got, cases[i].got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gaps__come_back),
		cmocka_unit_test(test_gaps__cost),
		cmocka_unit_test(test_gaps__bytes),
		cmocka_unit_test(test_gaps__truncated_and_flipped),
		cmocka_unit_test(test_gaps__hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
