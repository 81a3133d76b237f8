/* A session under an older epoch: whoever knows the newer one gives control records first, and takes everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/pair.h"

static struct pair p;
static struct end *ahead, *behind;
static int (*plain_read)(void *ctx, uint64_t arrival, struct vd_buf *out);
static size_t gave; /* records of other lanes than 0 that left the end that is ahead */

static bool control_equal(void)
{
	return vd_digest_eq(&p.a.m.lanes[VD_LANE_CONTROL].digest, &p.b.m.lanes[VD_LANE_CONTROL].digest);
}

/* A session reads what it is about to send. */
static int guarded_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	const struct memory *m = ctx;

	if (m->records[arrival - 1].lane != VD_LANE_CONTROL) {
		assert_true(control_equal());
		gave++;
	}
	return plain_read(ctx, arrival, out);
}

static void begin(uint64_t seed, bool ahead_calls)
{
	pair_init(&p, seed, 4);
	ahead = ahead_calls ? &p.a : &p.b;
	behind = ahead_calls ? &p.b : &p.a;
	gave = 0;
	plain_read = ahead->m.port.read;
	ahead->m.port.read = guarded_read;
}

static void connect_behind(void)
{
	pair_connect(&p);
	vd_session_control_first(ahead->s);
}

static void write_ahead(size_t count, uint8_t lane)
{
	pair_write(&p, count, lane, ahead == &p.a, ahead == &p.b);
}

static void write_behind(size_t count, uint8_t lane)
{
	pair_write(&p, count, lane, behind == &p.a, behind == &p.b);
}

static void assert_complete(void)
{
	assert_int_equal(p.a.rc, VD_OK);
	assert_int_equal(p.b.rc, VD_OK);
	assert_true(memory_equal(&p.a.m, &p.b.m));
	assert_true(vd_session_settled(p.a.s) && vd_session_settled(p.b.s));
	assert_true(vd_session_stats(p.a.s)->complete && vd_session_stats(p.b.s)->complete);
}

/* However much either end has of what the other lacks: each way of reconciling. */
static void test_session_laggard__gets_control_first_and_then_all(void **state)
{
	static const struct {
		size_t common, ahead, behind;
	} sets[] = { { 0, 0, 0 }, { 0, 40, 0 }, { 0, 0, 40 }, { 0, 3, 3 }, { 0, 400, 5 }, { 0, 5, 400 }, { 600, 300, 300 },
	             { 4000, 50, 60 }, { 4000, 0, 60 }, { 4000, 60, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		for (int calls = 0; calls < 2; calls++)
			for (size_t people = 0; people < 30; people += 1 + 9 * people) {
				begin(100 + 2 * i, calls);
				pair_common(&p, sets[i].common, VD_LANE_NORMAL);
				write_ahead(sets[i].ahead, VD_LANE_NORMAL);
				write_behind(sets[i].behind, VD_LANE_NORMAL);
				write_ahead(sets[i].ahead / 3, VD_LANE_URGENT);
				write_behind(sets[i].behind / 3, VD_LANE_BULK);
				pair_admit(&p, ahead, people);
				connect_behind();
				assert_true(pair_run(&p));
				assert_complete();
				/* a list may have a record of many given twice */
				assert_in_range(gave - sets[i].ahead - sets[i].ahead / 3, 0, sets[i].ahead / 100);
				assert_in_range(vd_session_stats(ahead->s)->received - sets[i].behind - sets[i].behind / 3, 0, sets[i].behind / 100);
				assert_in_range(vd_session_stats(p.a.s)->rounds, 0, 5);
				if (getenv("VERBOSE"))
					print_message("%zu common %zu ahead %zu behind %zu people, calls %d: %u rounds %u trips\n",
					              sets[i].common, sets[i].ahead, sets[i].behind, people, calls,
					              (unsigned)vd_session_stats(p.a.s)->rounds, p.trips);
				assert_true(vd_session_stats(ahead->s)->control_through >= p.w.control.count);
				pair_deinit(&p);
			}
}

/* Lane 0 never becomes equal: everything of theirs is taken, nothing given, and both come to rest. */
static void test_session_laggard__who_never_catches_up_gets_nothing_else(void **state)
{
	(void)state;
	for (int calls = 0; calls < 2; calls++) {
		struct vd_id lost;

		begin(200, calls);
		pair_admit(&p, ahead, 2);
		world_bytes(&p.w, &lost, sizeof(lost));
		memory_add_id(&ahead->m, VD_LANE_CONTROL, &lost); /* in the set, and gone */
		write_ahead(50, VD_LANE_NORMAL);
		write_behind(50, VD_LANE_NORMAL);
		write_ahead(5, VD_LANE_URGENT);
		write_behind(5, VD_LANE_URGENT);
		connect_behind();
		assert_true(pair_run(&p));
		assert_int_equal(gave, 0);
		assert_int_equal(ahead->m.lanes[VD_LANE_NORMAL].digest.count, 100);
		assert_int_equal(ahead->m.lanes[VD_LANE_URGENT].digest.count, 10);
		assert_int_equal(behind->m.lanes[VD_LANE_NORMAL].digest.count, 50);
		assert_true(vd_session_settled(p.a.s));
		assert_false(vd_session_stats(ahead->s)->complete);
		assert_int_equal(vd_session_stats(ahead->s)->control_through, 0);
		/* what is written now is not pushed either, and keeps nobody waiting */
		write_ahead(3, VD_LANE_URGENT);
		vd_session_grew(ahead->s, p.now_ms);
		assert_true(pair_run(&p));
		assert_int_equal(gave, 0);
		assert_true(vd_session_settled(p.a.s));
		pair_deinit(&p);
	}
}

/* What is written while the control records are on their way comes once they have arrived. */
static void test_session_laggard__pushes_wait(void **state)
{
	(void)state;
	for (int calls = 0; calls < 2; calls++) {
		begin(300, calls);
		pair_admit(&p, ahead, 20);
		connect_behind();
		pair_turn(&p, &p.b, &p.a);
		for (int i = 0; i < 8; i++) {
			write_ahead(1, VD_LANE_URGENT);
			vd_session_grew(ahead->s, p.now_ms);
			pair_turn(&p, &p.a, &p.b);
			pair_turn(&p, &p.b, &p.a);
		}
		assert_true(pair_run(&p));
		assert_complete();
		assert_int_equal(gave, 8);
		/* and from then on at once */
		write_ahead(1, VD_LANE_URGENT);
		vd_session_grew(ahead->s, p.now_ms);
		assert_true(pair_run(&p));
		assert_complete();
		pair_deinit(&p);
	}
}

/* One that asks for bodies out of turn is told that there are none. */
static void test_session_laggard__bodies_wait(void **state)
{
	struct vd_buf ask = { 0 }, out = { 0 };
	const struct memory_record *record;
	bool told = false;
	uint8_t type;

	(void)state;
	begin(400, false);
	pair_admit(&p, ahead, 2);
	write_ahead(1, VD_LANE_NORMAL);
	record = &ahead->m.records[ahead->m.count - 1];
	connect_behind();
	pair_turn(&p, &p.b, &p.a);
	assert_int_equal(vd_session_drain(p.a.s, p.now_ms, &type, &out), 1);
	assert_int_equal(vd_session_feed(ahead->s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
	vd_buf_put_u8(&ask, VD_LANE_NORMAL);
	vd_buf_put(&ask, record->item.b, VD_ITEM_BYTES);
	assert_int_equal(vd_session_feed(ahead->s, p.now_ms, VD_MSG_BODIES, vd_buf_slice(&ask)), VD_OK);
	vd_buf_reset(&out);
	/* the answer comes when the sets are equal, or never */
	while (vd_session_drain(ahead->s, p.now_ms, &type, &out) == 1) {
		told |= type == VD_MSG_NOBODY;
		assert_int_not_equal(type, VD_MSG_RECORDS);
		vd_buf_reset(&out);
	}
	assert_false(told);
	assert_int_equal(gave, 0);
	vd_buf_deinit(&ask);
	vd_buf_deinit(&out);
	pair_deinit(&p);
}

/* Nobody is behind: nothing is held back, and lane 0 is known to be there also where other lanes differ. */
static void test_session_laggard__no_one_is(void **state)
{
	(void)state;
	begin(500, true);
	ahead->m.port.read = plain_read;
	pair_admit(&p, ahead, 5);
	write_ahead(100, VD_LANE_NORMAL);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_complete();
	assert_in_range(vd_session_stats(p.a.s)->rounds, 1, 2);
	assert_true(vd_session_stats(p.a.s)->control_through > 0);
	pair_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_laggard__gets_control_first_and_then_all),
		cmocka_unit_test(test_session_laggard__who_never_catches_up_gets_nothing_else),
		cmocka_unit_test(test_session_laggard__pushes_wait),
		cmocka_unit_test(test_session_laggard__bodies_wait),
		cmocka_unit_test(test_session_laggard__no_one_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
