#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "store/vault.h"

static void test_vault__plain_gives_back(void **state)
{
	struct vd_vault *v = vd_vault_new_plain();
	struct vd_buf sealed = { 0 }, room = { 0 };
	struct vd_slice place = vd_slice_str("place"), value;

	(void)state;
	assert_non_null(v);
	assert_true(vd_vault_readable(v));
	assert_int_equal(vd_vault_seal(v, place, vd_slice_str("secret"), &sealed), 0);
	assert_int_equal(sealed.p[0], VD_SEAL_PLAIN);
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), 0);
	assert_true(vd_slice_eq(value, vd_slice_str("secret")));
	assert_int_equal(vd_vault_open(v, place, vd_slice(NULL, 0), &room, &value), VD_EDAMAGED);
	sealed.p[0] = VD_SEAL_PLAIN + 1;
	assert_int_equal(vd_vault_open(v, place, vd_buf_slice(&sealed), &room, &value), VD_EVERSION);
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&room);
	vd_vault_free(v);
}

/* Use and first part cannot run into each other, and every part counts. */
static void test_vault__index_keys_differ(void **state)
{
	struct vd_vault *v = vd_vault_new_plain();
	struct vd_slice ab[] = { vd_slice_str("a"), vd_slice_str("b") }, c = vd_slice_str("c"), bc = vd_slice_str("bc");
	uint8_t keys[5][VD_INDEX_KEY_BYTES], again[VD_INDEX_KEY_BYTES];

	(void)state;
	vd_vault_index_key(v, "use", ab, 2, keys[0]);
	vd_vault_index_key(v, "use", ab, 1, keys[1]);
	vd_vault_index_key(v, "use", NULL, 0, keys[2]);
	vd_vault_index_key(v, "ab", &c, 1, keys[3]);
	vd_vault_index_key(v, "a", &bc, 1, keys[4]);
	for (size_t i = 0; i < 5; i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(keys[i], keys[j], VD_INDEX_KEY_BYTES);
	}
	vd_vault_index_key(v, "use", ab, 2, again);
	assert_memory_equal(again, keys[0], VD_INDEX_KEY_BYTES);
	vd_vault_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vault__plain_gives_back),
		cmocka_unit_test(test_vault__index_keys_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
