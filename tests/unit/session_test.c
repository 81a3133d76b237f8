#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/reconcile_priv.h"
#include "tests/sim/pair.h"

/* Both hold the same, and both know. */
static void assert_settled(struct pair *p)
{
	assert_int_equal(p->a.rc, VD_OK);
	assert_int_equal(p->b.rc, VD_OK);
	assert_true(memory_equal(&p->a.m, &p->b.m));
	assert_true(vd_session_settled(p->a.s));
	assert_true(vd_session_settled(p->b.s));
	assert_true(vd_session_stats(p->a.s)->complete);
	assert_true(vd_session_stats(p->b.s)->complete);
}

static uint64_t bytes(const struct pair *p)
{
	return vd_session_stats(p->a.s)->reconcile_bytes;
}

static void test_session__equal_sets_settle_at_hello(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 1, 5);
	pair_write(&p, 50, VD_LANE_NORMAL, true, true);
	pair_common(&p, 3000, VD_LANE_URGENT);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->rounds, 0);
	assert_int_equal(vd_session_stats(p.a.s)->round_trips, 0);
	assert_in_range(bytes(&p), 1, 400);
	pair_deinit(&p);
}

static void empty_side(uint64_t seed, bool a_full)
{
	struct pair p;

	pair_init(&p, seed, 5);
	pair_write(&p, 3000, VD_LANE_NORMAL, a_full, !a_full);
	pair_write(&p, 20, VD_LANE_URGENT, a_full, !a_full);
	pair_write(&p, 5, VD_LANE_BULK, a_full, !a_full);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_in_range(bytes(&p), 1, 1500);
	assert_int_equal(vd_session_stats(a_full ? p.a.s : p.b.s)->sent, 3025);
	assert_int_equal(vd_session_stats(a_full ? p.b.s : p.a.s)->sent, 0);
	assert_in_range(p.trips, 1, 2);
	pair_deinit(&p);
}

static void test_session__empty_side_gets_all(void **state)
{
	(void)state;
	empty_side(2, true);
	empty_side(3, false);
}

static void differing(uint64_t seed, size_t common, size_t only_a, size_t only_b, uint64_t most_bytes, uint32_t most_trips)
{
	struct pair p;

	pair_init(&p, seed, 5);
	pair_common(&p, common, VD_LANE_NORMAL);
	pair_write(&p, only_a, VD_LANE_NORMAL, true, false);
	pair_write(&p, only_b, VD_LANE_NORMAL, false, true);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->sent, only_a);
	assert_int_equal(vd_session_stats(p.b.s)->sent, only_b);
	assert_in_range(bytes(&p), 1, most_bytes);
	assert_in_range(p.trips, 1, most_trips);
	assert_int_equal(vd_session_stats(p.a.s)->round_trips, p.trips);
	if (getenv("VERBOSE"))
		print_message("%zu common, %zu + %zu: %u bytes, %u trips, %u rounds\n", common, only_a, only_b, (unsigned)bytes(&p), p.trips,
		              (unsigned)vd_session_stats(p.a.s)->rounds);
	pair_deinit(&p);
}

static void test_session__scattered_differences_cost_the_difference(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 14; seed++)
		differing(seed, 20000, 50, 50, 700 + 42 * 100, 2);
	differing(20, 20000, 1, 0, 700 + 42, 2);
	differing(21, 20000, 0, 1, 700 + 42, 2);
	differing(22, 20000, 1, 1, 700 + 2 * 42, 2);
	differing(23, 20000, 100, 0, 700 + 100 * 42, 2);
	differing(24, 20000, 0, 100, 700 + 100 * 42, 2);
	differing(25, 20000, 600, 300, 700 + 900 * 42, 2);
	differing(26, 40000, 3500, 3500, 700 + 7000 * 42, 2);
}

/* Symbols are read when it is known how many. What came since the moment that LANES spoke of is not in them. */
static void test_session__symbols_are_of_the_moment(void **state)
{
	static struct vd_symbol then[VD_SKETCH_SYMBOLS];
	const struct vd_declined_set none = { 0 };
	struct vd_reconcile r = { 0 };
	struct vd_lane_state lane;
	struct pair p;

	(void)state;
	pair_init(&p, 41, 4);
	pair_common(&p, 300, VD_LANE_NORMAL);
	memcpy(then, p.a.m.symbols[VD_LANE_NORMAL], sizeof(then));
	assert_int_equal(vd_reconcile_begin(&r, &p.a.m.port, p.w.group, p.w.salt, &none, VD_LANE_NORMAL, false, &lane), VD_OK);
	for (size_t n = 100; n <= 4 * VD_SKETCH_SYMBOLS; n *= 4) {
		pair_write(&p, 40, VD_LANE_NORMAL, true, false);
		pair_write(&p, 3, VD_LANE_URGENT, true, false);
		assert_int_equal(vd_reconcile_symbols(&r, n), VD_OK);
		assert_in_range(r.symbol_count, n < VD_SKETCH_SYMBOLS ? n : VD_SKETCH_SYMBOLS, VD_SKETCH_SYMBOLS);
		assert_memory_equal(r.symbols, then, r.symbol_count * sizeof(then[0]));
		assert_memory_not_equal(r.symbols, p.a.m.symbols[VD_LANE_NORMAL], r.symbol_count * sizeof(then[0]));
	}
	vd_reconcile_end(&r);
	pair_deinit(&p);
}

/* LANES says what the one before did not: of two lanes that stay equal and one that does not, that one alone, and in the end nothing. */
static void test_session__lanes_say_what_is_new(void **state)
{
	struct vd_buf m = { 0 };
	struct pair p;
	size_t sizes[8], n = 0;
	bool moved = true;

	(void)state;
	pair_init(&p, 42, 4);
	pair_common(&p, 100, VD_LANE_NORMAL);
	pair_common(&p, 100, VD_LANE_BULK);
	pair_write(&p, 1, VD_LANE_NORMAL, true, false);
	pair_connect(&p);
	pair_turn(&p, &p.b, &p.a);
	while (moved) {
		moved = false;
		for (int side = 0; side < 2; side++) {
			struct end *from = side ? &p.b : &p.a, *to = side ? &p.a : &p.b;
			uint8_t type;

			for (; vd_session_drain(from->s, p.now_ms, &type, &m) == 1; vd_buf_reset(&m)) {
				if (type == VD_MSG_LANES && n < 8)
					sizes[n++] = m.n;
				assert_int_equal(vd_session_feed(to->s, p.now_ms, type, vd_buf_slice(&m)), VD_OK);
				pair_commit(&p, to);
				moved = true;
			}
		}
	}
	assert_settled(&p);
	assert_int_equal(n, 4);
	assert_int_equal(sizes[0], 2 + 3 * (1 + VD_HASH_BYTES)); /* control, normal, bulk */
	assert_int_equal(sizes[1], 2 + 1 + VD_HASH_BYTES);
	assert_int_equal(sizes[2], 2 + 1 + VD_HASH_BYTES);
	assert_int_equal(sizes[3], 2);
	vd_buf_deinit(&m);
	pair_deinit(&p);
}

static void test_session__small_sets(void **state)
{
	(void)state;
	for (size_t a = 0; a < 4; a++)
		for (size_t b = 0; b < 4; b++)
			if (a + b)
				differing(30 + 4 * a + b, 3, a, b, 1500, 3);
	differing(40, 40, 2, 3, 2500, 3);
}

static void test_session__large_differences_go_by_list(void **state)
{
	(void)state;
	differing(50, 3000, 900, 800, 10000, 2);
	differing(51, 1000, 100, 900, 5000, 2);
	for (uint64_t seed = 60; seed < 66; seed++)
		differing(seed, 1000, 900, 100, 5000, 2);
}

static void test_session__beyond_the_standing_symbols(void **state)
{
	(void)state;
	differing(51, 84000, 17000, 0, 130000, 5);
	differing(51, 84000, 0, 17000, 130000, 5);
}

/* Items whose sum in the standing symbols is not so: found out, and settled by a salted pass. */
static void lying_symbols(bool a_lies, bool b_lies)
{
	struct pair p;

	pair_init(&p, 60, 4);
	pair_common(&p, 4000, VD_LANE_NORMAL);
	pair_write(&p, 30, VD_LANE_NORMAL, true, false);
	pair_write(&p, 30, VD_LANE_NORMAL, false, true);
	p.a.m.lies = a_lies;
	p.b.m.lies = b_lies;
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_true(p.b.messages_in[VD_MSG_SALTED] > 0);
	pair_deinit(&p);
}

static void test_session__jammed_symbols_are_salted(void **state)
{
	(void)state;
	lying_symbols(true, false);
	lying_symbols(false, true);
}

/* Two records that cancel out in the standing symbols, as mined ones would: the decode seems complete, the digest says no. */
static void test_session__hidden_records_are_found_by_the_digest(void **state)
{
	struct pair p;

	(void)state;
	for (int side = 0; side < 2; side++) {
		struct memory *m;

		pair_init(&p, 61, 4);
		m = side ? &p.b.m : &p.a.m;
		pair_common(&p, 2000, VD_LANE_NORMAL);
		pair_write(&p, 20, VD_LANE_NORMAL, true, false);
		pair_write(&p, 20, VD_LANE_NORMAL, false, true);
		for (size_t i = m->count - 3; i < m->count; i++)
			vd_sketch_apply(m->symbols[VD_LANE_NORMAL], 0, VD_SKETCH_SYMBOLS, &m->records[i].item, -1);
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_settled(&p);
		assert_true(p.b.messages_in[VD_MSG_SALTED] > 0);
		assert_in_range(vd_session_stats(p.a.s)->rounds, 2, 5);
		pair_deinit(&p);
	}
}

/* An item in the symbols of one side that nobody holds. */
static void test_session__phantom_items_do_no_harm(void **state)
{
	struct pair p;

	(void)state;
	for (int side = 0; side < 2; side++) {
		struct vd_item phantom;

		pair_init(&p, 62, 4);
		pair_common(&p, 2000, VD_LANE_NORMAL);
		pair_write(&p, 20, VD_LANE_NORMAL, true, false);
		world_bytes(&p.w, &phantom, sizeof(phantom));
		vd_sketch_apply((side ? &p.b : &p.a)->m.symbols[VD_LANE_NORMAL], 0, VD_SKETCH_SYMBOLS, &phantom, 1);
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_settled(&p);
		assert_int_equal(vd_session_stats(p.a.s)->sent, 20);
		/* The initiator's is asked for and not there, which the digest says is right. The other's is found out before
		 * anything is sent: that round brings nothing, and the salted one all. */
		assert_int_equal(p.b.messages_in[VD_MSG_SALTED], side);
		assert_int_equal(p.b.messages_in[VD_MSG_WANT] + p.a.messages_in[VD_MSG_WANT], 1);
		assert_int_equal(vd_session_stats(p.a.s)->rounds, side ? 3 : 2);
		pair_deinit(&p);
	}
}

/* The next round waits for the disk: what came is in the sets it compares. */
static void test_session__a_round_waits_for_the_disk(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 63, 3);
	pair_common(&p, 500, VD_LANE_NORMAL);
	pair_write(&p, 5, VD_LANE_NORMAL, true, false);
	pair_connect(&p);
	p.b.hold_commits = true;
	pair_run(&p);
	assert_int_equal(p.b.count - p.b.first, 1);
	assert_int_equal(p.b.queue[p.b.first].type, VD_MSG_LANES);
	p.b.hold_commits = false;
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->rounds, 2);
	pair_deinit(&p);
}

static void test_session__new_records_are_pushed_and_not_echoed(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 70, 4);
	pair_write(&p, 10, VD_LANE_NORMAL, true, true);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	pair_write(&p, 3, VD_LANE_URGENT, true, false);
	vd_session_grew(p.a.s, p.now_ms);
	assert_true(pair_run(&p));
	pair_write(&p, 2, VD_LANE_NORMAL, false, true);
	vd_session_grew(p.b.s, p.now_ms);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->sent, 3);
	assert_int_equal(vd_session_stats(p.b.s)->sent, 2);
	assert_int_equal(vd_session_stats(p.a.s)->rounds, 0);
	/* later the sets are compared once more, and then it is quiet */
	assert_in_range(vd_session_deadline(p.a.s), p.now_ms, p.now_ms + VD_RECHECK_MS);
	pair_tick(&p, VD_RECHECK_MS);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->rounds, 1);
	assert_int_equal(vd_session_deadline(p.a.s), UINT64_MAX);
	assert_int_equal(vd_session_deadline(p.b.s), UINT64_MAX);
	pair_deinit(&p);
}

/* A push that was lost on the other side is found at the next comparison. */
static void test_session__what_a_push_missed_is_found_again(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 71, 4);
	pair_write(&p, 200, VD_LANE_NORMAL, true, true);
	pair_connect(&p);
	assert_true(pair_run(&p));
	pair_write(&p, 1, VD_LANE_NORMAL, false, true); /* nobody says grew */
	pair_write(&p, 1, VD_LANE_NORMAL, true, false);
	vd_session_grew(p.a.s, p.now_ms);
	assert_true(pair_run(&p));
	assert_true(memory_equal(&p.a.m, &p.b.m) == false || vd_session_settled(p.b.s));
	pair_tick(&p, VD_RECHECK_MS);
	assert_true(pair_run(&p));
	assert_settled(&p);
	pair_deinit(&p);
}

/* An alert written while a bulk transfer runs does not wait for its end. */
static void test_session__an_alert_overtakes_bulk(void **state)
{
	struct pair p;
	size_t before, turns = 0;
	struct vd_id alert;

	(void)state;
	pair_init(&p, 72, 4);
	for (int i = 0; i < 60; i++)
		world_write_to(&p.w, 1, VD_LANE_BULK, 40000, &p.a.m);
	pair_connect(&p);
	p.b.hold_commits = false;
	pair_turn(&p, &p.b, &p.a);
	before = p.b.m.count;
	/* one message at a time */
	for (;;) {
		struct vd_buf out = { 0 };
		uint8_t type;
		int rc = vd_session_drain(p.a.s, p.now_ms, &type, &out);

		if (turns == 20) {
			alert = world_write_to(&p.w, 2, VD_LANE_URGENT, 100, &p.a.m);
			vd_session_grew(p.a.s, p.now_ms);
		}
		if (rc == 1)
			assert_int_equal(vd_session_feed(p.b.s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
		vd_buf_deinit(&out);
		pair_commit(&p, &p.b);
		pair_turn(&p, &p.b, &p.a);
		turns++;
		if (turns > 20 && memory_has(&p.b.m, &alert, true))
			break;
		assert_true(turns < 24);
	}
	assert_in_range(p.b.m.count, before, before + 40);
	pair_run(&p);
	assert_settled(&p);
	pair_deinit(&p);
}

static void test_session__wanted_bodies_come(void **state)
{
	struct pair p;
	struct vd_buf raw = { 0 };

	(void)state;
	pair_init(&p, 73, 4);
	/* b has stubs of what a holds whole, and the other way round; one body is lost on both */
	for (int i = 0; i < 21; i++) {
		struct vd_record record;
		struct vd_slice whole, stub;
		struct vd_id id;

		vd_buf_reset(&raw);
		world_write(&p.w, 1, i % 2 ? VD_LANE_NORMAL : VD_LANE_BULK, 100, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		whole = vd_buf_slice(&raw);
		stub = vd_slice(raw.p, raw.n - record.body.n);
		world_store(&p.a.m, i < 10 ? whole : stub);
		world_store(&p.b.m, i < 10 || i == 20 ? stub : whole);
	}
	vd_buf_deinit(&raw);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(p.a.m.lanes[VD_LANE_BULK].wanted.count, 1);
	assert_int_equal(p.b.m.lanes[VD_LANE_NORMAL].wanted.count, 0);
	assert_int_equal(vd_session_stats(p.a.s)->sent, 10);
	/* the same pair again: nothing to ask for any more */
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->sent, 0);
	pair_deinit(&p);
}

/* One member strews stubs whose bodies nobody has, more than are asked for at once, and takes the body from somebody else's alert:
 * it comes all the same. What the peer lacks is asked for once, and again when it may have got more. */
static void test_session__a_body_behind_many_that_nobody_has(void **state)
{
	struct pair p;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	struct vd_id alert, id;
	struct vd_terms terms;
	size_t strewn = 2 * VD_BODIES_MAX + 100;

	(void)state;
	pair_init(&p, 79, 3);
	p.w.writers[1].identity = p.w.writers[2].identity; /* one signature is enough for the whole chain */
	for (size_t i = 0; i <= strewn; i++) {
		vd_buf_reset(&raw);
		world_write(&p.w, 1, VD_LANE_URGENT, 8, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		if (i == strewn) {
			alert = id;
			world_store(&p.b.m, vd_buf_slice(&raw));
		} else {
			world_store(&p.b.m, vd_slice(raw.p, raw.n - record.body.n));
		}
		world_store(&p.a.m, vd_slice(raw.p, raw.n - record.body.n));
	}
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_true(memory_has(&p.a.m, &alert, true));
	assert_int_equal(p.b.messages_in[VD_MSG_BODIES], 3);
	/* a has something new, b no body */
	terms = *vd_session_terms(p.a.s);
	pair_write(&p, 1, VD_LANE_NORMAL, true, false);
	pair_connect(&p);
	vd_session_recall(p.a.s, &terms, NULL);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(p.b.messages_in[VD_MSG_BODIES], 0);
	/* one stub more, whose body comes to b later */
	vd_buf_reset(&raw);
	world_write(&p.w, 1, VD_LANE_URGENT, 8, &raw, &id);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
	world_store(&p.b.m, vd_slice(raw.p, raw.n - record.body.n));
	pair_connect(&p);
	vd_session_recall(p.a.s, &terms, NULL);
	assert_true(pair_run(&p));
	world_store(&p.b.m, vd_buf_slice(&raw));
	terms = *vd_session_terms(p.a.s);
	pair_connect(&p);
	vd_session_recall(p.a.s, &terms, NULL);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_true(memory_has(&p.a.m, &id, true));
	vd_buf_deinit(&raw);
	pair_deinit(&p);
}

/* As long as bodies are on their way, nothing is complete. */
static void test_session__complete_waits_for_bodies(void **state)
{
	struct pair p;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	struct vd_id id;

	(void)state;
	pair_init(&p, 80, 3);
	world_write(&p.w, 1, VD_LANE_NORMAL, 100, &raw, &id);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
	world_store(&p.b.m, vd_buf_slice(&raw));
	world_store(&p.a.m, vd_slice(raw.p, raw.n - record.body.n));
	pair_connect(&p);
	p.a.hold_commits = true;
	pair_turn(&p, &p.b, &p.a);
	for (int i = 0; i < 10; i++) {
		assert_false(vd_session_settled(p.a.s));
		assert_false(vd_session_stats(p.a.s)->complete);
		if (!p.b.messages_in[VD_MSG_BODIES])
			assert_false(vd_session_stats(p.b.s)->complete);
		pair_turn(&p, i % 2 ? &p.b : &p.a, i % 2 ? &p.a : &p.b);
	}
	p.a.hold_commits = false;
	assert_true(pair_run(&p));
	assert_settled(&p);
	vd_buf_deinit(&raw);
	pair_deinit(&p);
}

/* What is stored is not verified again, nor handed to the disk; a body that was missing is. */
static void test_session__known_records_cost_little(void **state)
{
	struct pair p;
	struct vd_buf raw = { 0 }, message = { 0 };
	struct vd_record record;
	struct vd_id id;

	(void)state;
	for (int stub = 0; stub < 2; stub++) {
		pair_init(&p, 84, 3);
		pair_write(&p, 10, VD_LANE_NORMAL, true, true);
		/* one whose own signature would not hold */
		vd_buf_reset(&raw);
		world_write(&p.w, 1, VD_LANE_NORMAL, 10, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		raw.p[record.header.n + 40] ^= 1;
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		world_store(&p.a.m, vd_buf_slice(&raw));
		world_store(&p.b.m, stub ? vd_slice(raw.p, raw.n - record.body.n) : vd_buf_slice(&raw));
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_settled(&p);
		vd_buf_reset(&message);
		vd_buf_put_varint(&message, raw.n + 1);
		vd_compact_put_whole(vd_buf_slice(&raw), &message);
		assert_int_equal(vd_session_feed(p.b.s, p.now_ms, VD_MSG_RECORDS, vd_buf_slice(&message)), VD_OK);
		assert_null(vd_session_batch(p.b.s));
		assert_int_equal(vd_session_stats(p.b.s)->refused, 0);
		assert_true(memory_has(&p.b.m, &record.id, true));
		pair_deinit(&p);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&message);
}

/* Whose author is granted in the same session: lane 0 first, then their records. */
static void test_session__newcomers_records_come_with_their_grant(void **state)
{
	struct pair p;
	struct vd_buf grant = { 0 };
	size_t who, n;

	(void)state;
	pair_init(&p, 74, 4);
	pair_write(&p, 10, VD_LANE_NORMAL, true, true);
	who = world_newcomer(&p.w);
	world_grant(&p.w, who, &grant, &n);
	vd_buf_deinit(&grant);
	vd_batch_seal(&p.w.control);
	for (size_t i = p.w.control.count - n; i < p.w.control.count; i++) {
		memory_add(&p.a.m, &p.w.control.entries[i].record);
		assert_int_equal(vd_group_add(p.a.group, &p.w.control.entries[i].record), VD_OK);
	}
	for (int i = 0; i < 20; i++)
		world_write_to(&p.w, who, VD_LANE_URGENT, 10, &p.a.m);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.b.s)->refused, 0);
	pair_deinit(&p);
}

/* Records whose own signature fails, which only the author's next record vouches for: in any order the end is the same. */
static void vouched(bool successor_first)
{
	struct pair p;
	struct vd_buf first = { 0 }, second = { 0 };
	struct vd_record record;
	struct vd_id id;

	pair_init(&p, 75, 3);
	pair_write(&p, 100, VD_LANE_NORMAL, true, true);
	world_write(&p.w, 1, VD_LANE_URGENT, 10, &first, &id);
	assert_int_equal(vd_record_decode(vd_buf_slice(&first), &record), VD_OK);
	first.p[record.header.n + 40] ^= 1;
	assert_int_equal(vd_record_decode(vd_buf_slice(&first), &record), VD_OK);
	assert_int_equal(vd_record_verify(&record), VD_ESIGNATURE);
	p.w.writers[1].last[VD_LANE_URGENT] = record.id;
	world_write(&p.w, 1, VD_LANE_URGENT, 10, &second, &id);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	world_store(&p.a.m, successor_first ? vd_buf_slice(&second) : vd_buf_slice(&first));
	vd_session_grew(p.a.s, p.now_ms);
	assert_true(pair_run(&p));
	world_store(&p.a.m, successor_first ? vd_buf_slice(&first) : vd_buf_slice(&second));
	vd_session_grew(p.a.s, p.now_ms);
	assert_true(pair_run(&p));
	assert_int_equal(memory_equal(&p.a.m, &p.b.m), successor_first);
	pair_tick(&p, VD_RECHECK_MS);
	assert_true(pair_run(&p));
	assert_settled(&p);
	vd_buf_deinit(&first);
	vd_buf_deinit(&second);
	pair_deinit(&p);
}

static void test_session__successor_vouches_in_any_order(void **state)
{
	(void)state;
	vouched(true);
	vouched(false);
}

/* What one side can never accept does not keep them busy for ever. */
static void test_session__gives_up_without_progress(void **state)
{
	struct pair p;
	size_t stranger;

	(void)state;
	for (int side = 0; side < 2; side++) {
		pair_init(&p, 76, 3);
		pair_write(&p, 50, VD_LANE_NORMAL, true, true);
		stranger = world_newcomer(&p.w);
		for (int i = 0; i < 5; i++)
			world_write_to(&p.w, stranger, VD_LANE_NORMAL, 10, side ? &p.b.m : &p.a.m);
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_in_range(vd_session_stats(p.a.s)->rounds, VD_ROUNDS_MAX, 2 * VD_ROUNDS_MAX);
		assert_true(vd_session_settled(p.a.s));
		assert_false(vd_session_stats(p.a.s)->complete);
		assert_int_equal((side ? p.a : p.b).m.pool.count > 0, 1);
		pair_deinit(&p);
	}
}

/* Having given up is no end: later the sets are compared again, ever less often, and what became possible comes. */
static void test_session__tries_again_after_giving_up(void **state)
{
	struct pair p;
	struct vd_buf made = { 0 };
	size_t stranger, n;
	uint64_t waited = 0;

	(void)state;
	pair_init(&p, 81, 3);
	pair_write(&p, 50, VD_LANE_NORMAL, true, true);
	stranger = world_newcomer(&p.w);
	for (int i = 0; i < 5; i++)
		world_write_to(&p.w, stranger, VD_LANE_NORMAL, 10, &p.b.m);
	pair_connect(&p);
	assert_true(pair_run(&p));
	for (int i = 0; i < 12; i++) {
		uint64_t wait = vd_session_deadline(p.a.s) - p.now_ms, rounds = vd_session_stats(p.a.s)->rounds;

		assert_in_range(wait, waited, VD_RECHECK_MAX_MS);
		waited = wait;
		pair_tick(&p, wait);
		assert_true(pair_run(&p));
		assert_true(vd_session_settled(p.a.s));
		assert_false(vd_session_stats(p.a.s)->complete);
		assert_int_equal(vd_session_stats(p.a.s)->rounds, rounds + 2);
	}
	assert_int_equal(waited, VD_RECHECK_MAX_MS);
	/* the stranger is admitted: soon all is well */
	world_grant(&p.w, stranger, &made, &n);
	vd_buf_deinit(&made);
	vd_batch_seal(&p.w.control);
	for (size_t i = p.w.control.count - n; i < p.w.control.count; i++) {
		memory_add(&p.a.m, &p.w.control.entries[i].record);
		assert_int_equal(vd_group_add(p.a.group, &p.w.control.entries[i].record), VD_OK);
	}
	vd_session_grew(p.a.s, p.now_ms);
	assert_in_range(vd_session_deadline(p.a.s), p.now_ms, p.now_ms + VD_RECHECK_MS);
	pair_tick(&p, VD_RECHECK_MS);
	assert_true(pair_run(&p));
	assert_settled(&p);
	pair_deinit(&p);
}

/* A record pushed while lane 0 is not through waits for it: its author may be among those whom lane 0 admits. */
static void test_session__pushes_wait_for_lane_0(void **state)
{
	struct pair p;
	struct vd_buf made = { 0 }, out = { 0 };
	size_t who, n;
	uint8_t type;

	(void)state;
	pair_init(&p, 82, 40);
	who = world_newcomer(&p.w);
	world_grant(&p.w, who, &made, &n);
	vd_buf_deinit(&made);
	vd_batch_seal(&p.w.control);
	for (size_t i = p.w.control.count - n; i < p.w.control.count; i++) {
		memory_add(&p.a.m, &p.w.control.entries[i].record);
		assert_int_equal(vd_group_add(p.a.group, &p.w.control.entries[i].record), VD_OK);
	}
	pair_connect(&p);
	pair_turn(&p, &p.b, &p.a);
	pair_turn(&p, &p.a, &p.b);
	/* of the answer, LANES alone has come */
	assert_int_equal(vd_session_drain(p.b.s, p.now_ms, &type, &out), 1);
	assert_int_equal(type, VD_MSG_LANES);
	assert_int_equal(vd_session_feed(p.a.s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
	world_write_to(&p.w, who, VD_LANE_URGENT, 10, &p.a.m);
	vd_session_grew(p.a.s, p.now_ms);
	assert_int_equal(vd_session_drain(p.a.s, p.now_ms, &type, &out), 0);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.b.s)->refused, 0);
	vd_buf_deinit(&out);
	pair_deinit(&p);
}

/* While two batches wait for the disk nothing more is taken, and nothing is lost. */
static void test_session__back_pressure(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 77, 3);
	for (int i = 0; i < 80; i++)
		world_write_to(&p.w, 1, VD_LANE_NORMAL, 50000, &p.a.m);
	pair_connect(&p);
	p.b.hold_commits = true;
	pair_run(&p);
	assert_int_equal(p.b.rc, VD_OK);
	assert_true(p.b.count > p.b.first);
	assert_in_range(vd_session_batch(p.b.s)->bytes.n, VD_BATCH_BYTES, VD_BATCH_BYTES + VD_MESSAGE_MAX);
	p.b.hold_commits = false;
	assert_true(pair_run(&p));
	assert_settled(&p);
	pair_deinit(&p);
}

static void test_session__slow_records_are_committed_after_a_second(void **state)
{
	struct pair p;
	struct vd_buf out = { 0 };
	uint8_t type = 0;

	(void)state;
	pair_init(&p, 78, 3);
	pair_write(&p, 400, VD_LANE_NORMAL, true, false);
	pair_connect(&p);
	pair_turn(&p, &p.b, &p.a);
	while (type != VD_MSG_RECORDS) {
		vd_buf_reset(&out);
		assert_int_equal(vd_session_drain(p.a.s, p.now_ms, &type, &out), 1);
		assert_int_equal(vd_session_feed(p.b.s, p.now_ms, type, vd_buf_slice(&out)), VD_OK);
		pair_turn(&p, &p.b, &p.a);
	}
	assert_null(vd_session_batch(p.b.s));
	assert_int_equal(vd_session_deadline(p.b.s), p.now_ms + VD_BATCH_MS);
	pair_tick(&p, VD_BATCH_MS);
	assert_non_null(vd_session_batch(p.b.s));
	vd_buf_deinit(&out);
	pair_deinit(&p);
}

/* What the other end knows or can compute does not travel: group, body hash, author after the first time, prev. */
static void test_session__records_travel_compact(void **state)
{
	uint64_t raw = 0;
	struct pair p;

	(void)state;
	pair_init(&p, 91, 10);
	pair_write(&p, 2000, VD_LANE_NORMAL, true, false);
	for (size_t i = 0; i < p.a.m.count; i++)
		raw += p.a.m.records[i].lane ? p.a.m.records[i].raw_bytes : 0;
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	assert_int_equal(vd_session_stats(p.a.s)->sent, 2000);
	assert_true(vd_session_stats(p.a.s)->sent_bytes < raw - UINT64_C(2000) * 130);
	assert_in_range(p.b.bytes_in, vd_session_stats(p.a.s)->sent_bytes, vd_session_stats(p.a.s)->sent_bytes * 105 / 100);
	pair_deinit(&p);
}

/* One that is no record stands alone; what is no compact form, or speaks of what never stood in the stream, leaves nothing to go on from. */
static void test_session__a_stream_out_of_step_ends_it(void **state)
{
	struct vd_buf raw = { 0 }, message = { 0 }, compact = { 0 };
	struct vd_compact stream;
	struct vd_record record;
	struct vd_id id;
	struct pair p;

	(void)state;
	pair_init(&p, 92, 3);
	pair_write(&p, 10, VD_LANE_NORMAL, true, true);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	world_write(&p.w, 1, VD_LANE_NORMAL, 10, &raw, &id);
	vd_buf_put_varint(&message, 4);
	vd_compact_put_whole(vd_slice_str("\x9b\x01\x02"), &message);
	vd_buf_put_varint(&message, raw.n + 1);
	vd_compact_put_whole(vd_buf_slice(&raw), &message);
	assert_int_equal(vd_session_feed(p.b.s, p.now_ms, VD_MSG_RECORDS, vd_buf_slice(&message)), VD_OK);
	pair_commit(&p, &p.b);
	assert_int_equal(vd_session_stats(p.b.s)->received, 2);
	assert_int_equal(vd_session_stats(p.b.s)->refused, 1);
	assert_true(memory_has(&p.b.m, &id, true));
	/* the second of a stream whose first never came */
	vd_compact_init(&stream, vd_group_id(p.a.group));
	for (int i = 0; i < 2; i++) {
		vd_buf_reset(&raw);
		vd_buf_reset(&compact);
		world_write(&p.w, 1, VD_LANE_NORMAL, 10, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		assert_int_equal(vd_compact_encode(&stream, &record, &compact), VD_OK);
	}
	vd_compact_deinit(&stream);
	vd_buf_reset(&message);
	vd_buf_put_varint(&message, compact.n);
	vd_buf_put_slice(&message, vd_buf_slice(&compact));
	assert_int_equal(vd_session_feed(p.b.s, p.now_ms, VD_MSG_RECORDS, vd_buf_slice(&message)), VD_EFORMAT);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&compact);
	vd_buf_deinit(&message);
	pair_deinit(&p);
}

static void test_session__a_failed_commit_ends_it(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 79, 3);
	pair_write(&p, 40, VD_LANE_NORMAL, true, false);
	pair_connect(&p);
	p.b.hold_commits = true;
	pair_run(&p);
	assert_non_null(vd_session_batch(p.b.s));
	assert_int_equal(vd_session_committed(p.b.s, p.now_ms, VD_ENOSPACE), VD_ENOSPACE);
	pair_deinit(&p);
}

static void test_session__silence_while_owing_ends_it(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 80, 3);
	pair_write(&p, 40, VD_LANE_NORMAL, true, false);
	pair_write(&p, 40, VD_LANE_NORMAL, false, true);
	pair_connect(&p);
	pair_turn(&p, &p.b, &p.a);
	pair_turn(&p, &p.a, &p.b); /* b's answer is never delivered */
	assert_in_range(vd_session_deadline(p.a.s), p.now_ms, p.now_ms + VD_STALL_MS);
	pair_tick(&p, VD_STALL_MS - 1);
	assert_int_equal(p.a.rc, VD_OK);
	vd_session_heard(p.a.s, p.now_ms);
	pair_tick(&p, 2);
	assert_int_equal(p.a.rc, VD_OK);
	pair_tick(&p, VD_STALL_MS);
	assert_int_equal(p.a.rc, VD_ECLOSED);
	pair_deinit(&p);
}

/* Large lanes are salted one after the other, and what that takes is given back. */
static void test_session__large_lanes_one_at_a_time(void **state)
{
	struct vd_salt_budget budget = { 0 }, full = { VD_SALTED_BYTES };
	struct pair p;

	(void)state;
	pair_init(&p, 83, 3);
	for (uint8_t lane = VD_LANE_NORMAL; lane <= VD_LANE_BULK; lane++) {
		struct vd_id id;

		pair_common(&p, VD_SALTED_ALONE, lane);
		pair_write(&p, 10, lane, true, false);
		for (int i = 0; i < 4500; i++) {
			world_bytes(&p.w, &id, sizeof(id));
			memory_add_id(&p.b.m, lane, &id);
		}
	}
	pair_connect(&p);
	vd_session_recall(p.a.s, NULL, &full);
	pair_run(&p);
	assert_int_equal(p.a.rc, VD_EBUSY);
	assert_int_equal(full.bytes, VD_SALTED_BYTES);
	pair_connect(&p);
	vd_session_recall(p.a.s, NULL, &budget);
	pair_turn(&p, &p.b, &p.a);
	pair_turn(&p, &p.a, &p.b);
	assert_in_range(budget.bytes, VD_SALTED_ALONE * 16, 3 * VD_SALTED_ALONE * 16 / 2);
	assert_int_equal(p.b.messages_in[VD_MSG_SALTED], 1);
	pair_run(&p);
	assert_int_equal(p.a.rc | p.b.rc, VD_OK);
	assert_true(p.b.messages_in[VD_MSG_SALTED] >= 2);
	assert_int_equal(budget.bytes, 0);
	pair_deinit(&p);
}

/* Somebody who looks long enough finds records whose items begin like others': who is asked for one body sends all that it may mean. */
static void test_session__bodies_of_items_that_collide(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 77, 5);
	for (int i = 0; i < 400; i++) {
		struct vd_buf raw = { 0 };
		struct vd_record record;
		struct vd_id id;

		world_write(&p.w, (size_t)i % 5, VD_LANE_NORMAL, 20, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		world_store(&p.a.m, vd_buf_slice(&raw));
		world_store(&p.b.m, vd_slice(raw.p, raw.n - record.body.n));
		vd_buf_deinit(&raw);
	}
	memory_narrow(&p.a.m, 14);
	memory_narrow(&p.b.m, 14);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_settled(&p);
	pair_deinit(&p);
}

static int setup(void **state)
{
	(void)state;
	return vd_sign_selftest();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session__equal_sets_settle_at_hello),
		cmocka_unit_test(test_session__empty_side_gets_all),
		cmocka_unit_test(test_session__scattered_differences_cost_the_difference),
		cmocka_unit_test(test_session__symbols_are_of_the_moment),
		cmocka_unit_test(test_session__lanes_say_what_is_new),
		cmocka_unit_test(test_session__small_sets),
		cmocka_unit_test(test_session__large_differences_go_by_list),
		cmocka_unit_test(test_session__beyond_the_standing_symbols),
		cmocka_unit_test(test_session__jammed_symbols_are_salted),
		cmocka_unit_test(test_session__hidden_records_are_found_by_the_digest),
		cmocka_unit_test(test_session__phantom_items_do_no_harm),
		cmocka_unit_test(test_session__a_round_waits_for_the_disk),
		cmocka_unit_test(test_session__new_records_are_pushed_and_not_echoed),
		cmocka_unit_test(test_session__what_a_push_missed_is_found_again),
		cmocka_unit_test(test_session__an_alert_overtakes_bulk),
		cmocka_unit_test(test_session__wanted_bodies_come),
		cmocka_unit_test(test_session__a_body_behind_many_that_nobody_has),
		cmocka_unit_test(test_session__complete_waits_for_bodies),
		cmocka_unit_test(test_session__known_records_cost_little),
		cmocka_unit_test(test_session__newcomers_records_come_with_their_grant),
		cmocka_unit_test(test_session__successor_vouches_in_any_order),
		cmocka_unit_test(test_session__gives_up_without_progress),
		cmocka_unit_test(test_session__tries_again_after_giving_up),
		cmocka_unit_test(test_session__pushes_wait_for_lane_0),
		cmocka_unit_test(test_session__back_pressure),
		cmocka_unit_test(test_session__slow_records_are_committed_after_a_second),
		cmocka_unit_test(test_session__records_travel_compact),
		cmocka_unit_test(test_session__a_stream_out_of_step_ends_it),
		cmocka_unit_test(test_session__a_failed_commit_ends_it),
		cmocka_unit_test(test_session__silence_while_owing_ends_it),
		cmocka_unit_test(test_session__large_lanes_one_at_a_time),
		cmocka_unit_test(test_session__bodies_of_items_that_collide),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
