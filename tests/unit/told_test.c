/* Told: names of receipts, and receipts in a row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/told.h"

static struct vd_told told(uint8_t first, uint8_t last, uint64_t count)
{
	struct vd_told t = { .count = count };

	t.author[0] = first;
	t.author[VD_KEY_BYTES - 1] = last;
	return t;
}

static void test_told__lacks_what_is_not_named_or_older(void **state)
{
	const struct vd_told list[] = { told(1, 0, 5), told(3, 0, 0), told(7, 0, UINT64_MAX), told(7, 1, 9), told(200, 0, 12) };
	struct vd_buf names = { 0 };
	struct vd_told t;

	(void)state;
	t = told(1, 0, 0);
	assert_true(vd_told_lacks(vd_buf_slice(&names), &t));
	vd_told_encode(list, 5, &names);
	/* Of two authors that begin alike the first is named. */
	assert_int_equal(names.n, 4 * VD_TOLD_BYTES);
	assert_int_equal(vd_told_check(vd_buf_slice(&names)), 0);
	for (int author = 0; author < 256; author++) {
		bool named = author == 1 || author == 3 || author == 7 || author == 200;

		t = told((uint8_t)author, 9, 6);
		assert_true(vd_told_lacks(vd_buf_slice(&names), &t) == (!named || author == 1 || author == 3));
		t.count = 0;
		assert_true(vd_told_lacks(vd_buf_slice(&names), &t) == !named);
		t.count = 12;
		assert_true(vd_told_lacks(vd_buf_slice(&names), &t) == (!named || author == 1 || author == 3));
		t.count = 13;
		assert_true(vd_told_lacks(vd_buf_slice(&names), &t) == (author != 7));
	}
	vd_buf_deinit(&names);
}

static void test_told__digest_tells_any_two_apart(void **state)
{
	struct vd_told list[] = { told(1, 0, 5), told(2, 0, 6) };
	uint8_t digests[4][VD_TOLD_DIGEST];
	struct vd_buf names = { 0 };

	(void)state;
	for (size_t n = 0; n < 3; n++) {
		vd_buf_reset(&names);
		vd_told_encode(list, n, &names);
		vd_told_digest(vd_buf_slice(&names), digests[n]);
	}
	list[1].count++;
	vd_buf_reset(&names);
	vd_told_encode(list, 2, &names);
	vd_told_digest(vd_buf_slice(&names), digests[3]);
	for (size_t a = 0; a < 4; a++)
		for (size_t b = 0; b < a; b++)
			assert_memory_not_equal(digests[a], digests[b], VD_TOLD_DIGEST);
	vd_buf_deinit(&names);
}

static void test_told__names_are_in_order_and_whole(void **state)
{
	static uint8_t names[(VD_MEMBERS_MAX + 1) * VD_TOLD_BYTES];

	(void)state;
	for (size_t i = 0; i <= VD_MEMBERS_MAX; i++)
		vd_set_u64(names + i * VD_TOLD_BYTES, i + 1);
	for (size_t n = 0; n <= 3 * VD_TOLD_BYTES; n++)
		assert_int_equal(vd_told_check(vd_slice(names, n)), n % VD_TOLD_BYTES ? VD_EFORMAT : 0);
	assert_int_equal(vd_told_check(vd_slice(names, sizeof(names) - VD_TOLD_BYTES)), 0);
	assert_int_equal(vd_told_check(vd_slice(names, sizeof(names))), VD_ECAP);
	names[VD_TOLD_BYTES + 7] = 1;
	assert_int_equal(vd_told_check(vd_slice(names, 2 * VD_TOLD_BYTES)), VD_EFORMAT);
	names[VD_TOLD_BYTES + 7] = 0;
	assert_int_equal(vd_told_check(vd_slice(names, 2 * VD_TOLD_BYTES)), VD_EFORMAT);
}

static void test_told__receipts_stand_in_a_row(void **state)
{
	static const uint8_t filler[VD_RECEIPT_MAX + 1] = { 1 };
	static const size_t sizes[] = { 1, 127, 128, VD_RECEIPT_MAX };
	size_t ends[4], whole = 0;
	struct vd_buf all = { 0 };
	struct vd_slice rest, one;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		vd_receipts_put(vd_slice(filler, sizes[i]), &all);
		ends[i] = all.n;
	}
	rest = vd_buf_slice(&all);
	for (size_t i = 0; i < 4; i++)
		assert_true(vd_receipts_next(&rest, &one) && one.n == sizes[i] && rest.n == all.n - ends[i]);
	assert_false(vd_receipts_next(&rest, &one));
	for (size_t n = 0; n <= all.n; n++) {
		bool cut = n && n != ends[0] && n != ends[1] && n != ends[2] && n != ends[3];

		assert_int_equal(vd_receipts_check(vd_slice(all.p, n)), cut ? VD_EFORMAT : 0);
		whole += !cut;
	}
	assert_int_equal(whole, 5);
	vd_buf_reset(&all);
	vd_receipts_put(vd_slice(filler, VD_RECEIPT_MAX + 1), &all);
	assert_int_equal(vd_receipts_check(vd_buf_slice(&all)), VD_EFORMAT);
	assert_int_equal(vd_receipts_check(vd_slice("\0", 1)), VD_EFORMAT);
	assert_int_equal(vd_receipts_check(vd_slice("\x81\0", 2)), VD_EFORMAT); /* a length in a longer form */
	vd_buf_deinit(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told__lacks_what_is_not_named_or_older),
		cmocka_unit_test(test_told__digest_tells_any_two_apart),
		cmocka_unit_test(test_told__names_are_in_order_and_whole),
		cmocka_unit_test(test_told__receipts_stand_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
