/* A session with a peer that only gives: it is told nothing until it has a role. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "tests/sim/pair.h"

static struct pair p;
static struct end *takes, *gives;
static struct vd_port real;
static size_t told; /* times that the store was asked for what only goes out */

static int told_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	told++;
	return real.lane(ctx, group, lane, out, symbols, n);
}

static int told_scan(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	told++;
	return real.scan(ctx, group, lane, after, out, max, n);
}

static int told_numbers(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	told++;
	return real.numbers(ctx, group, lane, after, out, max, n);
}

static int told_wanted(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	told++;
	return real.wanted(ctx, group, lane, after, out, max, n);
}

static int told_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	told++;
	return real.read(ctx, arrival, out);
}

static int told_declined(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	told++;
	return real.declined(ctx, group, out);
}

/* Both ends have records of every lane that the other lacks. */
static void begin(uint64_t seed, bool taker_calls, size_t control, size_t rest)
{
	pair_init(&p, seed, 4);
	takes = taker_calls ? &p.a : &p.b;
	gives = taker_calls ? &p.b : &p.a;
	pair_admit(&p, gives, control);
	pair_admit(&p, takes, 2);
	pair_common(&p, rest, VD_LANE_BULK);
	for (uint8_t lane = VD_LANE_URGENT; lane < VD_LANES; lane++) {
		pair_write(&p, rest, lane, gives == &p.a, gives == &p.b);
		pair_write(&p, 7, lane, takes == &p.a, takes == &p.b);
	}
	real = takes->m.port;
	takes->m.port.lane = told_lane;
	takes->m.port.scan = told_scan;
	takes->m.port.numbers = told_numbers;
	takes->m.port.wanted = told_wanted;
	takes->m.port.read = told_read;
	takes->m.port.declined = told_declined;
	told = 0;
	pair_connect(&p);
	vd_session_take_only(takes->s);
}

static size_t control_of(const struct end *e)
{
	return (size_t)e->m.lanes[VD_LANE_CONTROL].digest.count;
}

/* Whatever there is: control records come, nothing else does, and nothing goes. Once the peer may have it, all comes and goes. */
static void test_session_take__takes_control_and_tells_nothing(void **state)
{
	static const size_t controls[] = { 0, 1, 40 }, rests[] = { 0, 5, 300 };

	(void)state;
	for (size_t c = 0; c < 3; c++)
		for (size_t r = 0; r < 3; r++)
			for (int calls = 0; calls < 2; calls++) {
				size_t given, had, others;

				begin(700 + 10 * c + r, calls, controls[c], rests[r]);
				given = gives->m.count;
				had = control_of(takes);
				others = takes->m.count - had;
				assert_false(vd_session_has_taken(takes->s));
				assert_true(pair_run(&p));
				assert_true(vd_session_has_taken(takes->s));
				assert_int_equal(told, 0);
				assert_int_equal(vd_session_stats(takes->s)->sent, 0);
				assert_int_equal(gives->m.count, given);
				assert_int_equal(control_of(takes), had + 2 * controls[c]);
				assert_int_equal(takes->m.count - control_of(takes), others);
				assert_false(vd_session_stats(takes->s)->complete || vd_session_stats(gives->s)->complete);
				assert_int_equal(vd_session_stats(gives->s)->control_through, 0);
				assert_int_equal(vd_session_stats(takes->s)->control_through, 0);
				assert_int_equal(vd_session_named(takes->s), control_of(gives));
				/* all but the records themselves is short */
				assert_in_range(vd_session_stats(takes->s)->reconcile_bytes, 1, 1000);

				assert_int_equal(vd_session_give_too(takes->s), VD_OK);
				vd_session_grew(takes->s, p.now_ms);
				assert_false(vd_session_takes_only(takes->s));
				assert_true(pair_run(&p));
				assert_true(memory_equal(&p.a.m, &p.b.m));
				assert_true(vd_session_stats(p.a.s)->complete && vd_session_stats(p.b.s)->complete);
				pair_deinit(&p);
			}
}

/* What is new with us is not pushed to it; what is asked for by name it does not get. */
static void test_session_take__no_pushes_and_no_bodies(void **state)
{
	struct vd_buf ask = { 0 };

	(void)state;
	for (int calls = 0; calls < 2; calls++) {
		size_t given;

		begin(800, calls, 3, 5);
		given = gives->m.count;
		assert_true(pair_run(&p));
		pair_write(&p, 3, VD_LANE_URGENT, takes == &p.a, takes == &p.b);
		pair_admit(&p, takes, 1);
		vd_session_grew(takes->s, p.now_ms);
		vd_buf_reset(&ask);
		vd_buf_put_u8(&ask, VD_LANE_URGENT);
		vd_buf_put(&ask, takes->m.records[takes->m.count - 1].item.b, VD_ITEM_BYTES);
		assert_int_equal(vd_session_feed(takes->s, p.now_ms, VD_MSG_BODIES, vd_buf_slice(&ask)), VD_OK);
		(void)pair_run(&p);
		assert_int_equal(vd_session_stats(takes->s)->sent, 0);
		assert_int_equal(gives->m.count, given);
		assert_int_equal(told, 0);
		pair_deinit(&p);
	}
	vd_buf_deinit(&ask);
}

/* A peer that goes its own ways about lane 0 learns as little: each message that asks for something. */
static void test_session_take__hostile_questions(void **state)
{
	static const uint8_t salt[VD_SALT_BYTES] = { 1 };
	struct vd_buf out = { 0 }, ask = { 0 };
	uint8_t type;

	(void)state;
	for (int question = 0; question < 6; question++) {
		int rc = VD_OK, lists = 0;

		begin(900, false, 3, 5);
		/* its hello, ours, its LANES */
		for (int message = 0; message < 2; message++) {
			while (vd_session_drain(gives->s, p.now_ms, &type, &out) == 1) {
				if (type == VD_MSG_HELLO || type == VD_MSG_LANES)
					assert_int_equal(vd_session_feed(takes->s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
				vd_buf_reset(&out);
			}
			while (vd_session_drain(takes->s, p.now_ms, &type, &out) == 1) {
				assert_int_not_equal(type, VD_MSG_RECORDS);
				if (type == VD_MSG_HELLO)
					assert_int_equal(vd_session_feed(gives->s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
				vd_buf_reset(&out);
			}
		}
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
			vd_buf_reset(&ask);
			vd_buf_put_u8(&ask, 1);
			vd_buf_put_u8(&ask, lane);
			switch (question) {
			case 0: /* everything */
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_ALL, vd_buf_slice(&ask));
				break;
			case 1: /* what is in one prefix */
				vd_buf_put(&ask, takes->m.records[0].item.b, VD_ITEM_BYTES);
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_WANT, vd_buf_slice(&ask));
				break;
			case 2: /* symbols of an empty set: what is left are ours */
				vd_buf_put_varint(&ask, 0);
				for (int i = 0; i < 2; i++) {
					uint8_t symbol[20] = { 0 };

					vd_buf_put(&ask, symbol, sizeof(symbol));
					vd_buf_put_varint(&ask, 0);
				}
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_SYMBOLS, vd_buf_slice(&ask));
				break;
			case 3: /* an empty list */
				vd_buf_put_u8(&ask, VD_SALTED_LIST);
				vd_buf_put(&ask, salt, sizeof(salt));
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_SALTED, vd_buf_slice(&ask));
				ask.n = 2;
				vd_buf_put_u8(&ask, 20);
				vd_buf_put_varint(&ask, 0);
				if (!rc)
					rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_LIST, vd_buf_slice(&ask));
				break;
			case 4: /* its own */
				vd_buf_put_u8(&ask, VD_SALTED_YOUR_LIST);
				vd_buf_put(&ask, salt, sizeof(salt));
				vd_buf_put_u8(&ask, 20);
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_SALTED, vd_buf_slice(&ask));
				break;
			default: /* it has nothing more to give */
				vd_buf_put_varint(&ask, 0);
				rc = vd_session_feed(takes->s, p.now_ms, VD_MSG_SETTLED, vd_buf_slice(&ask));
			}
			while (!rc && vd_session_drain(takes->s, p.now_ms, &type, &out) == 1) {
				assert_int_not_equal(type, VD_MSG_RECORDS);
				assert_int_not_equal(type, VD_MSG_SYMBOLS);
				if (type == VD_MSG_LIST) /* of nothing */
					assert_true(question == 4 && out.n == 4 && out.p[3] == 0);
				lists += type == VD_MSG_LIST;
				vd_buf_reset(&out);
			}
		}
		assert_int_equal(lists > 0, question == 4);
		assert_int_equal(told, 0);
		assert_int_equal(vd_session_stats(takes->s)->sent, 0);
		/* and it gets no second round for it */
		vd_buf_reset(&ask);
		vd_buf_put_u8(&ask, 2);
		for (int i = 0; i < 2 * VD_LANES; i++)
			vd_buf_put_varint(&ask, 0);
		assert_int_not_equal(vd_session_feed(takes->s, p.now_ms, VD_MSG_LANES, vd_buf_slice(&ask)), VD_OK);
		assert_int_equal(vd_session_stats(takes->s)->rounds, 1);
		pair_deinit(&p);
	}
	vd_buf_deinit(&out);
	vd_buf_deinit(&ask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_take__takes_control_and_tells_nothing),
		cmocka_unit_test(test_session_take__no_pushes_and_no_bodies),
		cmocka_unit_test(test_session_take__hostile_questions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
