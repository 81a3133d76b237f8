/* The writer's order, with a store that commits when it is told to. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "daemon/accounts.h"
#include "daemon/heard.h"
#include "daemon/writer.h"
#include "proto/err.h"

static uv_sem_t begun, may_end;
static struct vd_batch *order[VD_PEERS_MAX];
static size_t committed, told;
static uint32_t told_conn[VD_PEERS_MAX];
static int told_rc[VD_PEERS_MAX];
static int fails_with;

int vd_store_commit(struct vd_store *store, struct vd_group *group, struct vd_batch *batch, struct vd_merge *merge)
{
	(void)store;
	(void)group;
	if (!committed)
		uv_sem_post(&begun);
	uv_sem_wait(&may_end);
	uv_sem_post(&may_end);
	order[committed++] = batch;
	merge->fresh = batch->count;
	return fails_with;
}

static unsigned noted;
static uint64_t noted_through[VD_PEERS_MAX];

int vd_heard_note(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_shown *shown)
{
	(void)store;
	assert_int_equal(group[0], 7);
	assert_int_equal(committed, 2); /* batches first */
	assert_true(device[0] < VD_PEERS_MAX);
	noted++;
	noted_through[device[0]] = shown->control_through;
	return 0;
}

static uv_loop_t loop;
static struct vd_writer *writer;

static void on_done(void *ctx, uint32_t conn, int rc, const struct vd_merge *merge)
{
	(void)ctx;
	(void)merge;
	told_conn[told] = conn;
	told_rc[told++] = rc;
}

static int setup(void **state)
{
	(void)state;
	committed = told = 0;
	fails_with = 0;
	uv_sem_init(&begun, 0);
	uv_sem_init(&may_end, 0);
	uv_loop_init(&loop);
	return vd_writer_start(&loop, NULL, on_done, NULL, &writer);
}

static int teardown(void **state)
{
	(void)state;
	vd_writer_stop(writer);
	uv_run(&loop, UV_RUN_DEFAULT);
	vd_writer_free(writer);
	uv_sem_destroy(&begun);
	uv_sem_destroy(&may_end);
	return uv_loop_close(&loop);
}

enum { JOBS = 40 };
static struct vd_batch batch[JOBS];
static struct vd_batch_entry entries[JOBS][3];

/* A batch of three records: bulk, of that lane, and one that is not valid. */
static void submit_by(size_t i, uint32_t conn, uint8_t person, uint8_t lane, uint64_t verified)
{
	uint8_t who[VD_PERSON_BYTES] = {person};

	memset(&batch[i], 0, sizeof batch[i]);
	memset(entries[i], 0, sizeof entries[i]);
	entries[i][0].record.lane = VD_LANE_BULK;
	entries[i][1].record.lane = lane;
	batch[i].entries = entries[i];
	entries[i][2].record.lane = VD_LANE_CONTROL;
	entries[i][2].verdict = VD_ESIGNATURE;
	batch[i].count = 3;
	batch[i].verified = verified;
	assert_int_equal(vd_writer_submit(writer, conn, who, NULL, &batch[i]), 0);
}

static void submit(size_t i, uint32_t conn, uint8_t lane)
{
	submit_by(i, conn, (uint8_t)conn, lane, 0);
}

/* Batch 0 is being committed; what is submitted now waits. */
static void occupy(void)
{
	submit(0, 100, VD_LANE_BULK);
	uv_sem_wait(&begun);
}

static void let_go(void)
{
	uv_sem_post(&may_end);
	uv_run(&loop, UV_RUN_DEFAULT);
}

static void test_writer__the_most_urgent_batch_is_next(void **state)
{
	static const size_t expected[] = {0, 5, 3, 6, 2, 1, 4};

	(void)state;
	occupy();
	submit(1, 1, VD_LANE_BULK);
	submit(2, 2, VD_LANE_NORMAL);
	submit(3, 3, VD_LANE_URGENT);
	submit(4, 4, VD_LANE_BULK);
	submit(5, 5, VD_LANE_CONTROL);
	submit(6, 6, VD_LANE_URGENT);
	let_go();
	assert_int_equal(committed, 7);
	assert_int_equal(told, 7);
	for (size_t i = 0; i < 7; i++)
		assert_ptr_equal(order[i], &batch[expected[i]]);
}

static void test_writer__batches_of_one_connection_keep_their_order(void **state)
{
	static const size_t expected[] = {0, 3, 1, 2, 4};

	(void)state;
	occupy();
	submit(1, 1, VD_LANE_BULK);
	submit(2, 1, VD_LANE_URGENT); /* behind its own */
	submit(3, 2, VD_LANE_NORMAL);
	submit(4, 3, VD_LANE_BULK);
	let_go();
	assert_int_equal(committed, 5);
	for (size_t i = 0; i < 5; i++)
		assert_ptr_equal(order[i], &batch[expected[i]]);
}

static void test_writer__nobody_waits_for_ever(void **state)
{
	(void)state;
	occupy();
	submit(1, 1, VD_LANE_BULK);
	for (size_t i = 2; i < JOBS; i++)
		submit(i, (uint32_t)i, VD_LANE_URGENT);
	let_go();
	assert_int_equal(committed, JOBS);
	assert_ptr_equal(order[1], &batch[2]);
	assert_ptr_equal(order[VD_WRITER_TURN - 1], &batch[1]);
}

enum { COSTLY = 5000, DEAR = 1500 }; /* signature checks: 300 and 90 ms by the writer's reckoning */

static void expect(const size_t *expected, size_t n)
{
	let_go();
	assert_int_equal(committed, n);
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(order[i], &batch[expected[i]]);
}

/* One member has had much already: whoever has had less is next, by whatever connection the other comes again. */
static void test_writer__who_had_least_is_next(void **state)
{
	static const size_t expected[] = {0, 4, 5, 1, 2, 3};

	(void)state;
	submit_by(0, 100, 9, VD_LANE_NORMAL, COSTLY);
	uv_sem_wait(&begun);
	for (uint32_t i = 1; i < 4; i++)
		submit_by(i, i, 9, VD_LANE_NORMAL, COSTLY);
	submit_by(4, 4, 7, VD_LANE_NORMAL, 0);
	submit_by(5, 5, 8, VD_LANE_BULK, 0);
	expect(expected, 6);
}

/* Who calls everything urgent takes half at most: at no time has it had more than one turn more than whoever brings other things. */
static void test_writer__a_flood_of_alerts_takes_half(void **state)
{
	int ahead = 0;

	(void)state;
	submit_by(0, 100, 9, VD_LANE_URGENT, DEAR);
	uv_sem_wait(&begun);
	for (uint32_t i = 1; i < 5; i++)
		submit_by(i, i, 9, VD_LANE_URGENT, DEAR);
	for (uint32_t i = 5; i < 9; i++)
		submit_by(i, i, 7, VD_LANE_NORMAL, DEAR);
	let_go();
	assert_int_equal(committed, 9);
	for (size_t i = 1; i < 9; i++) {
		ahead += order[i] < &batch[5] ? 1 : -1;
		assert_true(ahead <= 1);
	}
}

/* An alert of somebody who had little is first by either rule. */
static void test_writer__an_alert_waits_for_one_commit(void **state)
{
	static const size_t expected[] = {0, 3, 1, 2};

	(void)state;
	submit_by(0, 100, 9, VD_LANE_URGENT, COSTLY);
	uv_sem_wait(&begun);
	submit_by(1, 1, 9, VD_LANE_URGENT, COSTLY);
	submit_by(2, 2, 9, VD_LANE_URGENT, COSTLY);
	submit_by(3, 3, 7, VD_LANE_URGENT, 0);
	expect(expected, 4);
}

/* --- accounts --- */

static void test_accounts__halve_and_compare(void **state)
{
	static const uint8_t a[VD_PERSON_BYTES] = {1}, b[VD_PERSON_BYTES] = {2};
	static struct vd_accounts all;
	const uint64_t second = 1000000;
	uint64_t now = 1000 * second;

	(void)state;
	memset(&all, 0, sizeof all);
	assert_int_equal(vd_accounts_had(&all, a, now), 0);
	vd_accounts_take(&all, a, now, 4 * second);
	assert_int_equal(vd_accounts_had(&all, a, now), 4 * second / VD_ACCOUNTS_STEP_US);
	assert_false(vd_accounts_heavy(&all, a, now)); /* nobody else is there */
	vd_accounts_take(&all, b, now, second);
	assert_true(vd_accounts_heavy(&all, a, now));
	assert_false(vd_accounts_heavy(&all, b, now));
	assert_false(vd_accounts_heavy(&all, a, now + second)); /* nobody else is there any more */
	vd_accounts_ask(&all, b, now + second);
	assert_true(vd_accounts_heavy(&all, a, now + second));
	vd_accounts_take(&all, b, now + second, second + 1);
	assert_false(vd_accounts_heavy(&all, a, now + second));
	now += 2 * VD_ACCOUNTS_HALF_MS * 1000ull;
	assert_int_equal(vd_accounts_had(&all, a, now), second / VD_ACCOUNTS_STEP_US);
	vd_accounts_take(&all, a, now, second);
	assert_int_equal(vd_accounts_had(&all, a, now), 2 * second / VD_ACCOUNTS_STEP_US);
	assert_int_equal(vd_accounts_had(&all, a, now + 1000 * second), 0);
	/* whoever was not there for longest makes room */
	for (unsigned i = 0; i < VD_ACCOUNTS; i++) {
		uint8_t who[VD_PERSON_BYTES] = {3, (uint8_t)i};

		vd_accounts_take(&all, who, now + i, second);
	}
	assert_int_equal(vd_accounts_had(&all, b, now + 200), 0);
	assert_int_equal(vd_accounts_had(&all, a, now + 200), 0);
}

static void test_writer__takes_so_many_and_tells_of_each(void **state)
{
	(void)state;
	fails_with = VD_ENOSPACE;
	occupy();
	for (uint32_t i = 1; i < VD_PEERS_MAX; i++)
		submit(i % (JOBS - 1) + 1, i, VD_LANE_NORMAL);
	assert_int_equal(vd_writer_submit(writer, 200, (const uint8_t[VD_PERSON_BYTES]){200}, NULL, &batch[1]), VD_ECAP);
	let_go();
	assert_int_equal(told, VD_PEERS_MAX);
	for (size_t i = 0; i < told; i++)
		assert_int_equal(told_rc[i], VD_ENOSPACE);
	assert_int_equal(told_conn[0], 100);
}

static void test_writer__who_has_heard_is_noted_behind_the_batches(void **state)
{
	uint8_t group[VD_GROUP_BYTES] = {7}, device[VD_KEY_BYTES] = {0};
	struct vd_shown shown = {.control_through = 0};

	(void)state;
	noted = 0;
	occupy();
	for (uint64_t through = 1; through < 4; through++)
		for (device[0] = 0; device[0] < VD_PEERS_MAX; device[0]++) {
			shown.control_through = through;
			vd_writer_heard(writer, group, device, &shown);
		}
	vd_writer_heard(writer, group, device, &shown); /* no place: said again later */
	submit(1, 1, VD_LANE_BULK);
	uv_sem_post(&may_end);
	vd_writer_stop(writer);
	assert_int_equal(noted, VD_PEERS_MAX);
	assert_int_equal(noted_through[0], 3);
	assert_int_equal(noted_through[1], 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_writer__the_most_urgent_batch_is_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__batches_of_one_connection_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__nobody_waits_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__who_had_least_is_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__a_flood_of_alerts_takes_half, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__an_alert_waits_for_one_commit, setup, teardown),
		cmocka_unit_test(test_accounts__halve_and_compare),
		cmocka_unit_test_setup_teardown(test_writer__takes_so_many_and_tells_of_each, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer__who_has_heard_is_noted_behind_the_batches, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
