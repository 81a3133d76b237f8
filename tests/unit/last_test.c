#include "tests/unit/store_cast.h"

#include "store/index.h"

static void write_text(struct vd_store *s, struct vd_group *g, const char *text, uint64_t when)
{
	struct vd_write *w;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(cast_own_kind(w, g, VD_LANE_NORMAL, "message", text, NULL, when, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
}

static void test_last__the_last_first_and_no_more_than_asked(void **state)
{
	const struct cast_place *p = *state;
	uint64_t arrivals[4] = { 0 }, latest, before;
	uint8_t id[VD_GROUP_BYTES], nobody[VD_KEY_BYTES];
	struct vd_store *s = cast_store(p->home);
	struct vd_group *g = cast_found(s, id);
	const uint8_t *self = vd_group_identity(g)->author;
	size_t count = 7;

	/* Keys in front of all others and behind them: what stands beside a list is not of it. */
	for (int fill = 0; fill < 256; fill += 255) {
		memset(nobody, fill, sizeof(nobody));
		assert_int_equal(vd_index_last(s, id, nobody, arrivals, 4, &count), 0);
		assert_int_equal(count, 0);
	}
	assert_int_equal(vd_index_last(s, nobody, self, arrivals, 4, &count), 0);
	assert_int_equal(count, 0);
	/* The founding itself is control records of its author. */
	assert_int_equal(vd_store_latest(s, &before), 0);
	assert_int_equal(vd_index_last(s, id, self, arrivals, 4, &count), 0);
	assert_true(count > 1);
	assert_int_equal(arrivals[0], before);
	write_text(s, g, "one", cast_now);
	write_text(s, g, "two", cast_now);
	write_text(s, g, "three", cast_now - 1);
	assert_int_equal(vd_store_latest(s, &latest), 0);
	assert_int_equal(vd_index_last(s, id, self, arrivals, 2, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(arrivals[0], latest);
	assert_int_equal(arrivals[1], latest - 1);
	assert_int_equal(vd_index_last(s, id, self, arrivals, 4, &count), 0);
	assert_int_equal(count, 4);
	assert_int_equal(arrivals[3], before);
	vd_group_free(g);
	vd_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_last__the_last_first_and_no_more_than_asked, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
