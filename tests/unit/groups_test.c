/* What a store remembers of its groups. */
#include "store_cast.h"

static void test_heard__grows_only_and_writes_only_then(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t group[VD_GROUP_BYTES] = { 1 }, other[VD_GROUP_BYTES] = { 2 }, device[VD_KEY_BYTES] = { 3 }, second[VD_KEY_BYTES] = { 4 };
	struct vd_write *w;
	uint64_t at = 99;

	assert_int_equal(vd_store_heard(s, group, device, &at), VD_ENOTFOUND);
	assert_int_equal(at, 99);
	assert_int_equal(vd_store_heard_set(s, group, device, 0), 0);
	assert_int_equal(vd_store_heard(s, group, device, &at), 0);
	assert_int_equal(at, 0);
	assert_int_equal(vd_store_heard_set(s, group, device, 7), 0);
	assert_int_equal(vd_store_heard_set(s, group, device, 5), 0);
	assert_int_equal(vd_store_heard(s, group, device, &at), 0);
	assert_int_equal(at, 7);

	/* A value for each group and each device. */
	assert_int_equal(vd_store_heard(s, other, device, &at), VD_ENOTFOUND);
	assert_int_equal(vd_store_heard(s, group, second, &at), VD_ENOTFOUND);
	assert_int_equal(vd_store_heard_set(s, other, device, 3), 0);
	assert_int_equal(vd_store_heard_set(s, group, second, UINT64_MAX), 0);
	assert_int_equal(vd_store_heard(s, group, device, &at), 0);
	assert_int_equal(at, 7);
	assert_int_equal(vd_store_heard(s, group, second, &at), 0);
	assert_true(at == UINT64_MAX);

	/* While this thread writes, it could not write as well: what does not move does not try. */
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_store_heard_set(s, group, device, 7), 0);
	assert_int_equal(vd_store_heard_set(s, group, device, 6), 0);
	assert_int_equal(vd_store_heard_set(s, group, device, 8), VD_EBUSY);
	vd_write_abort(w);
	assert_int_equal(vd_store_heard_set(s, group, device, 8), 0);

	vd_store_close(s);
	assert_int_equal(vd_store_open(p->home, &s), 0);
	assert_int_equal(vd_store_heard(s, group, device, &at), 0);
	assert_int_equal(at, 8);
	vd_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_heard__grows_only_and_writes_only_then, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
