#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "store/arrivals.h"

static void add(struct vd_arrivals *a, uint64_t arrival, bool stub)
{
	assert_int_equal(vd_arrivals_add(a, arrival, stub), 0);
}

static void test_arrivals__whole_wins_over_stub(void **state)
{
	struct vd_arrivals a = { 0 };

	(void)state;
	assert_false(vd_arrivals_held(&a, 5));
	add(&a, 5, true);
	assert_true(vd_arrivals_held(&a, 5));
	assert_false(vd_arrivals_whole(&a, 5));
	add(&a, 5, false);
	add(&a, 5, true);
	assert_true(vd_arrivals_whole(&a, 5));
	assert_false(vd_arrivals_held(&a, 4));
	assert_false(vd_arrivals_held(&a, 1 << 20));
	vd_arrivals_deinit(&a);
}

static void test_arrivals__next_lacking_finds_every_gap(void **state)
{
	struct vd_arrivals a = { 0 };
	uint64_t at = 0, expected = 0;

	(void)state;
	/* Runs of every length around the word size, gaps between them. */
	for (uint64_t i = 1, run = 0; i <= 20000; i++) {
		if (++run % 97 == 0)
			continue;
		if (i > 8000 && i < 8900)
			continue;
		add(&a, i, i % 1000 == 0);
	}
	for (uint64_t i = 1; i <= 20100; i++) {
		if (vd_arrivals_whole(&a, i))
			continue;
		expected = i;
		at = vd_arrivals_next_lacking(&a, at, 20100);
		assert_int_equal(at, expected);
	}
	assert_int_equal(vd_arrivals_next_lacking(&a, at, 20100), 0);
	assert_int_equal(vd_arrivals_next_lacking(&a, 0, 0), 0);
	vd_arrivals_deinit(&a);
}

static void test_arrivals__list_round_trip(void **state)
{
	const uint64_t numbers[] = { 1, 2, 7, 8, 9, 63, 64, 65, 300, 70000, 70001 };
	struct vd_arrivals a = { 0 }, b = { 0 };
	struct vd_buf list = { 0 }, again = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		add(&a, numbers[i], i % 3 == 0);
	assert_int_equal(vd_arrivals_encode(&a, &list), 0);
	assert_int_equal(vd_arrivals_decode(&b, vd_buf_slice(&list), 70001), 0);
	assert_int_equal(vd_arrivals_encode(&b, &again), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&list), vd_buf_slice(&again)));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		assert_true(vd_arrivals_held(&b, numbers[i]));
		assert_int_equal(vd_arrivals_whole(&b, numbers[i]), i % 3 != 0);
	}
	assert_false(vd_arrivals_held(&b, 10));
	/* A union: only adds. */
	vd_arrivals_deinit(&b);
	add(&b, 10, false);
	assert_int_equal(vd_arrivals_decode(&b, vd_buf_slice(&list), 70001), 0);
	assert_true(vd_arrivals_whole(&b, 10) && vd_arrivals_whole(&b, 2));
	vd_arrivals_deinit(&a);
	vd_arrivals_deinit(&b);
	vd_buf_deinit(&list);
	vd_buf_deinit(&again);
}

/* A restored store has a million numbers between two records, and more with each time: none of them costs anything. */
static void test_arrivals__far_apart(void **state)
{
	const uint64_t far = UINT64_C(1) << 47, numbers[] = { far, 3, far + (1 << 20), far - 1, UINT64_MAX / 4 };
	struct vd_arrivals a = { 0 }, b = { 0 };
	struct vd_buf list = { 0 }, again = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		add(&a, numbers[i], i == 1);
	assert_int_equal(a.count, 5);
	assert_true(vd_arrivals_whole(&a, far) && vd_arrivals_whole(&a, far - 1) && vd_arrivals_held(&a, 3) && !vd_arrivals_whole(&a, 3));
	assert_false(vd_arrivals_held(&a, far + 1) || vd_arrivals_held(&a, far + VD_ARRIVALS_PAGE) || vd_arrivals_held(&a, 2));
	assert_true(vd_arrivals_next_lacking(&a, far - 2, UINT64_MAX) == far + 1);
	assert_int_equal(vd_arrivals_encode(&a, &list), 0);
	assert_true(list.n < 64);
	assert_int_equal(vd_arrivals_decode(&b, vd_buf_slice(&list), UINT64_MAX), 0);
	assert_int_equal(vd_arrivals_encode(&b, &again), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&list), vd_buf_slice(&again)));
	vd_arrivals_deinit(&a);
	vd_arrivals_deinit(&b);
	vd_buf_deinit(&list);
	vd_buf_deinit(&again);
}

static void test_arrivals__refuses_what_is_no_list(void **state)
{
	const uint8_t cut[] = { 2, 0x80 }, zero[] = { 2, 0 }, zero_stub[] = { 1 }, far[] = { 2, 2, 2 };
	const uint8_t wraps[] = { 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 };
	struct vd_arrivals a = { 0 };

	(void)state;
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(cut, sizeof(cut)), 10), VD_EDAMAGED);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(zero, sizeof(zero)), 10), VD_EDAMAGED);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(zero_stub, sizeof(zero_stub)), 10), VD_EDAMAGED);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(wraps, sizeof(wraps)), 10), VD_EDAMAGED);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(far, sizeof(far)), 2), VD_EDAMAGED);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(far, sizeof(far)), 3), 0);
	assert_int_equal(vd_arrivals_decode(&a, vd_slice(NULL, 0), 0), 0);
	vd_arrivals_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrivals__whole_wins_over_stub),
		cmocka_unit_test(test_arrivals__next_lacking_finds_every_gap),
		cmocka_unit_test(test_arrivals__list_round_trip),
		cmocka_unit_test(test_arrivals__far_apart),
		cmocka_unit_test(test_arrivals__refuses_what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
