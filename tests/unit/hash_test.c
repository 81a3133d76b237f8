#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/hash.h"

/* The values themselves are pinned by vectors_test.c. */

static void test_hash__no_two_uses_agree(void **state)
{
	uint8_t out[VD_HASH_USES][32];

	(void)state;
	for (size_t a = 0; a < VD_HASH_USES; a++) {
		vd_hash1((enum vd_hash_use)a, out[a], vd_slice_str("same"));
		for (size_t b = 0; b < a; b++)
			assert_memory_not_equal(out[a], out[b], 32);
	}
}

static void test_hash__key_and_length_count(void **state)
{
	const struct vd_slice part = vd_slice_str("same"), key = vd_slice_str("a key of thirty-two bytes, exact");
	uint8_t plain[32], keyed[32], shorter[16], longer[64];

	(void)state;
	vd_hash(VD_HASH_ITEM, vd_slice(NULL, 0), plain, 32, &part, 1);
	vd_hash(VD_HASH_ITEM, key, keyed, 32, &part, 1);
	vd_hash(VD_HASH_ITEM, key, shorter, 16, &part, 1);
	vd_hash(VD_HASH_ITEM, key, longer, 64, &part, 1);
	assert_memory_not_equal(plain, keyed, 32);
	assert_memory_not_equal(keyed, shorter, 16); /* BLAKE2b takes the length in: no prefix */
	assert_memory_not_equal(keyed, longer, 32);
}

static void test_hash__parts_are_concatenated(void **state)
{
	const struct vd_slice one = vd_slice_str("abcdef");
	const struct vd_slice parts[] = { vd_slice_str("ab"), vd_slice(NULL, 0), vd_slice_str("cdef") };
	uint8_t a[32], b[32];

	(void)state;
	vd_hash(VD_HASH_BODY, vd_slice(NULL, 0), a, 32, &one, 1);
	vd_hash(VD_HASH_BODY, vd_slice(NULL, 0), b, 32, parts, 3);
	assert_memory_equal(a, b, 32);
	vd_hash(VD_HASH_BODY, vd_slice(NULL, 0), a, 32, NULL, 0);
	vd_hash1(VD_HASH_BODY, b, vd_slice(NULL, 0));
	assert_memory_equal(a, b, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash__no_two_uses_agree),
		cmocka_unit_test(test_hash__key_and_length_count),
		cmocka_unit_test(test_hash__parts_are_concatenated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
