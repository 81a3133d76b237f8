#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "daemon/calls.h"
#include "proto/err.h"

static const uint8_t group[VD_GROUP_BYTES] = {1}, other_group[VD_GROUP_BYTES] = {2};
static const uint8_t epoch[VD_EPOCH_BYTES] = {3};
static struct vd_calls calls;

static int setup(void **state)
{
	(void)state;
	memset(&calls, 0, sizeof calls);
	return 0;
}

static struct sockaddr_storage address(int host, int port)
{
	struct sockaddr_storage a;
	char text[VD_ADDRESS_TEXT];

	snprintf(text, sizeof text, "10.0.%d.%d:%d", host / 250, host % 250 + 1, port);
	assert_int_equal(vd_address_parse(text, &a), 0);
	return a;
}

static bool hear(int host, uint64_t now_ms)
{
	struct sockaddr_storage a = address(host, 4000);

	return vd_calls_heard(&calls, (const struct sockaddr *)&a, group, epoch, now_ms, 0);
}

static void test_calls__a_named_peer_is_called_at_once_and_for_ever(void **state)
{
	uint64_t now = 1000;

	(void)state;
	assert_int_equal(vd_calls_deadline(&calls), UINT64_MAX);
	assert_int_equal(vd_calls_name(&calls, "hub:1", group, now), 0);
	assert_int_equal(vd_calls_name(&calls, "hub:1", group, now), 0);
	assert_int_equal(vd_calls_name(&calls, "hub:1", other_group, now), 0);
	assert_int_equal(vd_calls_deadline(&calls), now);
	struct vd_call *one = vd_calls_due(&calls, now), *two = vd_calls_due(&calls, now);
	assert_non_null(one);
	assert_non_null(two);
	assert_memory_not_equal(one->group, two->group, VD_GROUP_BYTES);
	assert_null(vd_calls_due(&calls, now));

	/* between half and one and a half of 1, 2, 4 … 60 s */
	uint64_t base = VD_CALLS_FIRST_MS;
	for (int i = 0; i < 20; i++) {
		uint32_t random = (uint32_t)i * 2654435761u;

		vd_calls_ended(one, VD_ECLOSED, false, now, random);
		assert_in_range(one->next_ms, now + base / 2, now + base * 3 / 2);
		assert_null(vd_calls_due(&calls, one->next_ms - 1));
		now = one->next_ms;
		assert_ptr_equal(vd_calls_due(&calls, now), one);
		base = base * 2 < VD_CALLS_LAST_MS ? base * 2 : VD_CALLS_LAST_MS;
	}
	/* a session that ends at once is no reason to hurry: whoever ends them all would be called for ever */
	vd_calls_opened(one, now);
	vd_calls_ended(one, VD_OK, false, now + 1000, 0);
	assert_true(one->next_ms >= now + VD_CALLS_LAST_MS / 2);
	now = one->next_ms;
	assert_ptr_equal(vd_calls_due(&calls, now), one);
	vd_calls_opened(one, now);
	now += VD_CALLS_LAST_MS;
	vd_calls_ended(one, VD_OK, false, now, 0);
	assert_in_range(one->next_ms, now + VD_CALLS_FIRST_MS / 2, now + VD_CALLS_FIRST_MS * 3 / 2);
}

static void test_calls__a_beacon_is_a_call_once(void **state)
{
	uint64_t now = 5;

	(void)state;
	assert_true(hear(1, now));
	assert_false(hear(1, now));
	struct vd_call *call = vd_calls_due(&calls, now);
	assert_non_null(call);
	assert_false(hear(1, now));
	assert_null(vd_calls_due(&calls, now));
	vd_calls_opened(call, now);
	assert_false(hear(1, now));
	assert_null(vd_calls_due(&calls, now));

	/* it hung up; its next beacon says that it lives, and is not waited out */
	vd_calls_ended(call, VD_OK, false, now, 0);
	vd_calls_ended(call, VD_OK, false, now, 0xffff);
	assert_null(vd_calls_due(&calls, now));
	assert_false(hear(1, now));
	assert_ptr_equal(vd_calls_due(&calls, now), call);

	/* another group or port at the same address is another */
	struct sockaddr_storage a = address(1, 4000), b = address(1, 4001);
	assert_true(vd_calls_heard(&calls, (const struct sockaddr *)&a, other_group, epoch, now, 0));
	assert_true(vd_calls_heard(&calls, (const struct sockaddr *)&b, group, epoch, now, 0));
}

static void test_calls__a_double_waits_for_the_other_to_end(void **state)
{
	uint64_t now = 7;

	(void)state;
	hear(1, now);
	struct vd_call *call = vd_calls_due(&calls, now);
	vd_calls_ended(call, VD_OK, true, now, 0);
	assert_in_range(call->next_ms, now + VD_CALLS_DOUBLE_MS / 2, now + VD_CALLS_DOUBLE_MS * 3 / 2);
	hear(1, now + 5000);
	assert_null(vd_calls_due(&calls, now + 10000));
	vd_calls_free_doubled(&calls, other_group, now + 10000, 0);
	assert_null(vd_calls_due(&calls, now + 15000));
	vd_calls_free_doubled(&calls, group, now + 10000, 0);
	assert_ptr_equal(vd_calls_due(&calls, now + 15000), call);
}

/* The codes that the node gives the end of a second session: busy while the first is at work, else done when it settled. */
static void test_calls__a_second_session_is_not_called_for_again(void **state)
{
	static const int ends[] = {VD_EBUSY, VD_OK, VD_ECLOSED};
	uint64_t now = 7;

	(void)state;
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		memset(&calls, 0, sizeof calls);
		hear(1, now);
		struct vd_call *call = vd_calls_due(&calls, now);
		vd_calls_opened(call, now);
		vd_calls_ended(call, ends[i], true, now + 50, 0);
		for (uint64_t later = 1000; later < VD_CALLS_DOUBLE_MS / 2; later += 1000) {
			hear(1, now + later);
			assert_null(vd_calls_due(&calls, now + later));
		}
	}
}

static void test_calls__a_peer_without_a_place_is_asked_again_in_a_while(void **state)
{
	uint64_t now = 7;

	(void)state;
	hear(1, now);
	struct vd_call *call = vd_calls_due(&calls, now);
	vd_calls_opened(call, now);
	now += 100000;
	hear(1, now);
	vd_calls_ended(call, VD_EBUSY, false, now, 0);
	hear(1, now + 1000);
	vd_calls_free_doubled(&calls, group, now + 1000, 0);
	assert_null(vd_calls_due(&calls, now + VD_CALLS_BUSY_MS / 2 - 1));
	assert_ptr_equal(vd_calls_due(&calls, now + VD_CALLS_BUSY_MS / 2), call);
	/* and a beacon counts again */
	vd_calls_ended(call, VD_ECLOSED, false, now, 0xffff);
	hear(1, now);
	assert_ptr_equal(vd_calls_due(&calls, now), call);
}

/* Each beacon says anew which epoch its device knows. */
static void test_calls__the_last_beacon_tells_the_epoch(void **state)
{
	static const uint8_t newer[VD_EPOCH_BYTES] = {4};
	struct sockaddr_storage a = address(1, 4000);
	uint64_t now = 7;

	(void)state;
	assert_true(hear(1, now));
	struct vd_call *call = vd_calls_due(&calls, now);
	assert_memory_equal(call->epoch, epoch, VD_EPOCH_BYTES);
	assert_false(vd_calls_heard(&calls, (const struct sockaddr *)&a, group, newer, now, 0));
	assert_memory_equal(call->epoch, newer, VD_EPOCH_BYTES);
}

/* Whoever has no role as far as we know may lure with beacons as it likes. */
static void test_calls__a_device_without_a_role_is_not_hurried_to(void **state)
{
	uint64_t now = 7;

	(void)state;
	hear(1, now);
	struct vd_call *call = vd_calls_due(&calls, now);
	vd_calls_ended(call, VD_EAUTHOR, false, now, 0);
	hear(1, now + 1000);
	assert_null(vd_calls_due(&calls, now + VD_CALLS_BUSY_MS / 2 - 1));
	assert_ptr_equal(vd_calls_due(&calls, now + VD_CALLS_BUSY_MS / 2), call);
	/* unless it may have been given one meanwhile */
	vd_calls_ended(call, VD_EAUTHOR, false, now, 0);
	vd_calls_free_refused(&calls, now + 1000, 0);
	assert_ptr_equal(vd_calls_due(&calls, now + 1000 + VD_CALLS_FIRST_MS / 2), call);
	vd_calls_ended(call, VD_EBUSY, false, now, 0);
	vd_calls_free_refused(&calls, now + 1000, 0);
	assert_null(vd_calls_due(&calls, now + VD_CALLS_BUSY_MS / 2 - 1));
}

static void test_calls__a_handful_and_never_all(void **state)
{
	struct vd_call *call[VD_CALLS_FOUND_OPEN];
	uint64_t now = 9;

	(void)state;
	for (int i = 0; i < VD_CALLS_FOUND_OPEN + 3; i++)
		hear(i, now);
	for (int i = 0; i < VD_CALLS_FOUND_OPEN; i++) {
		call[i] = vd_calls_due(&calls, now);
		assert_non_null(call[i]);
		vd_calls_opened(call[i], now + (uint64_t)i);
	}
	assert_null(vd_calls_due(&calls, now));
	assert_int_equal(vd_calls_deadline(&calls), UINT64_MAX); /* no timer that has nothing to do */
	/* but a person's word is followed */
	assert_int_equal(vd_calls_name(&calls, "hub:1", group, now), 0);
	assert_non_null(vd_calls_due(&calls, now));

	/* the longest makes room when others wait to be called */
	assert_null(vd_calls_rotate(&calls, now + VD_CALLS_ROTATE_MS - 1));
	now += VD_CALLS_ROTATE_MS + VD_CALLS_FOUND_OPEN;
	for (int i = 0; i < VD_CALLS_FOUND_OPEN; i++)
		hear(i, now);
	assert_null(vd_calls_rotate(&calls, now));
	hear(VD_CALLS_FOUND_OPEN + 1, now);
	assert_ptr_equal(vd_calls_rotate(&calls, now), call[0]);
	vd_calls_ended(call[0], VD_OK, false, now, 0xffff);
	assert_null(vd_calls_rotate(&calls, now));
	assert_non_null(vd_calls_due(&calls, now));
}

static void test_calls__whoever_is_silent_is_forgotten(void **state)
{
	(void)state;
	hear(1, 0);
	vd_calls_ended(vd_calls_due(&calls, 0), VD_ECLOSED, false, VD_CALLS_FORGET_MS - 5000, 0);
	assert_null(vd_calls_due(&calls, VD_CALLS_FORGET_MS + 100000));
	assert_int_equal(vd_calls_deadline(&calls), UINT64_MAX);
	assert_true(hear(1, VD_CALLS_FORGET_MS + 100000));
}

static void test_calls__a_full_table_gives_up_the_oldest_idle(void **state)
{
	(void)state;
	assert_int_equal(vd_calls_name(&calls, "hub:1", group, 0), 0);
	for (int i = 0; i < VD_CALLS_MAX + 50; i++)
		assert_true(hear(i, (uint64_t)i));
	assert_false(hear(VD_CALLS_MAX + 49, 1000));
	assert_true(hear(0, 1000));
	assert_non_null(vd_calls_due(&calls, 0)); /* the named one is still there */
	memset(&calls, 0, sizeof calls);
	char name[VD_CALLS_MAX][16];
	for (int i = 0; i < VD_CALLS_MAX; i++) {
		snprintf(name[i], sizeof name[i], "h%d:1", i);
		assert_int_equal(vd_calls_name(&calls, name[i], group, 0), 0);
	}
	assert_int_equal(vd_calls_name(&calls, "late:1", group, 0), VD_ECAP);
	assert_false(hear(1, 0));
}

static void test_calls__sync_now_hurries_all(void **state)
{
	(void)state;
	assert_int_equal(vd_calls_name(&calls, "hub:1", group, 0), 0);
	struct vd_call *call = vd_calls_due(&calls, 0);
	vd_calls_ended(call, VD_ECLOSED, false, 0, 0);
	assert_null(vd_calls_due(&calls, 1));
	vd_calls_hurry(&calls, 1);
	assert_ptr_equal(vd_calls_due(&calls, 1), call);
	vd_calls_opened(call, 1);
	vd_calls_hurry(&calls, 2);
	assert_null(vd_calls_due(&calls, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_calls__a_named_peer_is_called_at_once_and_for_ever, setup),
		cmocka_unit_test_setup(test_calls__a_beacon_is_a_call_once, setup),
		cmocka_unit_test_setup(test_calls__a_double_waits_for_the_other_to_end, setup),
		cmocka_unit_test_setup(test_calls__a_second_session_is_not_called_for_again, setup),
		cmocka_unit_test_setup(test_calls__a_peer_without_a_place_is_asked_again_in_a_while, setup),
		cmocka_unit_test_setup(test_calls__the_last_beacon_tells_the_epoch, setup),
		cmocka_unit_test_setup(test_calls__a_device_without_a_role_is_not_hurried_to, setup),
		cmocka_unit_test_setup(test_calls__a_handful_and_never_all, setup),
		cmocka_unit_test_setup(test_calls__whoever_is_silent_is_forgotten, setup),
		cmocka_unit_test_setup(test_calls__a_full_table_gives_up_the_oldest_idle, setup),
		cmocka_unit_test_setup(test_calls__sync_now_hurries_all, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
