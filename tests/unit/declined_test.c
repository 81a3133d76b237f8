#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/reconcile.h"
#include "proto/record.h"
#include "tests/sim/pair.h"

/* --- the list --- */

static void numbered(struct vd_declined_set *s, size_t n)
{
	uint8_t author[VD_KEY_BYTES] = { 0 };

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < n; i++) {
		author[0] = (uint8_t)(i * 37);
		author[1] = (uint8_t)(i >> 3);
		assert_true(vd_declined_add(s, (uint8_t)(1 + i % 3), author));
	}
	assert_int_equal(s->count, n);
}

static void test_declined__set(void **state)
{
	struct vd_declined_set s;
	const struct vd_declined *first;
	uint8_t author[VD_KEY_BYTES] = { 0 };
	size_t total = 0;

	(void)state;
	numbered(&s, 128);
	for (size_t i = 1; i < s.count; i++)
		assert_true(memcmp(&s.who[i - 1], &s.who[i], sizeof(s.who[i])) < 0);
	author[31] = 1;
	assert_false(vd_declined_add(&s, 2, author)); /* full */
	assert_int_equal(s.count, 128);
	author[31] = 0;
	assert_true(vd_declined_has(&s, 1, author));
	assert_true(vd_declined_add(&s, 1, author)); /* there already */
	assert_false(vd_declined_has(&s, 2, author));
	for (uint8_t l = 0; l < VD_LANES; l++) {
		size_t n = vd_declined_of_lane(&s, l, &first);

		for (size_t i = 0; i < n; i++)
			assert_int_equal(first[i].lane, l);
		total += n;
	}
	assert_int_equal(total, 128);
	assert_true(vd_declined_remove(&s, 1, author));
	assert_false(vd_declined_remove(&s, 1, author));
	assert_false(vd_declined_has(&s, 1, author));
	assert_int_equal(s.count, 127);
}

static int decode(const struct vd_buf *b, size_t n, struct vd_declined_set *out)
{
	struct vd_rd r = vd_rd(vd_slice(b->p, n));
	int rc = vd_declined_decode(&r, out);

	return rc ? rc : vd_rd_end(&r);
}

static void test_declined__decode_is_strict(void **state)
{
	struct vd_declined_set s, back;
	struct vd_buf b = { 0 };

	(void)state;
	numbered(&s, VD_DECLINED_MAX);
	vd_declined_encode(&s, &b);
	assert_int_equal(b.n, 1 + VD_DECLINED_MAX * 33);
	assert_int_equal(decode(&b, b.n, &back), 0);
	assert_int_equal(back.count, s.count);
	assert_memory_equal(back.who, s.who, s.count * sizeof(s.who[0]));
	for (size_t n = 0; n < b.n; n++) {
		assert_int_equal(decode(&b, n, &back), VD_EFORMAT);
		assert_int_equal(back.count, 0);
	}
	b.p[0] = VD_DECLINED_MAX + 1;
	vd_buf_put(&b, s.who, 33);
	assert_int_equal(decode(&b, b.n, &back), VD_ECAP);
	vd_buf_reset(&b);
	/* lanes 0 and 4, twice the same, and descending */
	numbered(&s, 2);
	for (int c = 0; c < 4; c++) {
		struct vd_declined_set bad = s;

		bad.who[0].lane = c == 0 ? 0 : bad.who[0].lane;
		bad.who[1].lane = c == 1 ? 4 : bad.who[1].lane;
		if (c == 2)
			bad.who[1] = bad.who[0];
		if (c == 3) {
			bad.who[0] = s.who[1];
			bad.who[1] = s.who[0];
		}
		vd_buf_reset(&b);
		vd_declined_encode(&bad, &b);
		assert_int_equal(decode(&b, b.n, &back), VD_EFORMAT);
	}
	/* more than may be said are not said */
	numbered(&s, 100);
	vd_buf_reset(&b);
	vd_declined_encode(&s, &b);
	assert_int_equal(decode(&b, b.n, &back), 0);
	assert_int_equal(back.count, VD_DECLINED_MAX);
	vd_buf_deinit(&b);
}

/* --- sessions --- */

static void write_by(struct pair *p, size_t who, size_t count, uint8_t lane, bool in_a, bool in_b)
{
	struct vd_buf raw = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct vd_id id;

		vd_buf_reset(&raw);
		world_write(&p->w, who, lane, 40, &raw, &id);
		if (in_a)
			world_store(&p->a.m, vd_buf_slice(&raw));
		if (in_b)
			world_store(&p->b.m, vd_buf_slice(&raw));
	}
	vd_buf_deinit(&raw);
}

static size_t held(const struct memory *m, const uint8_t *author, uint8_t lane)
{
	size_t n = 0;

	for (size_t i = 0; i < m->count; i++)
		n += m->records[i].lane == lane && memcmp(m->records[i].author, author, VD_KEY_BYTES) == 0;
	return n;
}

static const uint8_t *author(const struct pair *p, size_t who)
{
	return p->w.writers[who].identity.author;
}

/* Equal but for what either declines. */
static void assert_equal_without(struct pair *p)
{
	struct vd_declined_set apart = p->a.m.declined;

	for (size_t i = 0; i < p->b.m.declined.count; i++)
		vd_declined_add(&apart, p->b.m.declined.who[i].lane, p->b.m.declined.who[i].author);
	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_lane_state a, b;
		uint64_t all = UINT64_MAX;

		assert_int_equal(vd_reconcile_state(&p->a.m.port, p->w.group, &apart, l, &all, &a, NULL, 0), 0);
		assert_int_equal(vd_reconcile_state(&p->b.m.port, p->w.group, &apart, l, &all, &b, NULL, 0), 0);
		assert_true(vd_digest_eq(&a.digest, &b.digest));
		assert_true(vd_digest_eq(&a.wanted, &b.wanted));
	}
}

static void assert_done(struct pair *p)
{
	assert_int_equal(p->a.rc, VD_OK);
	assert_int_equal(p->b.rc, VD_OK);
	assert_true(vd_session_stats(p->a.s)->complete);
	assert_true(vd_session_stats(p->b.s)->complete);
	assert_equal_without(p);
}

/* Who floods fills their own share; everybody else's records come, first of all and after. */
static void test_declined__a_flood_fills_its_own_share_only(void **state)
{
	(void)state;
	for (int taker = 0; taker < 2; taker++) {
		struct pair p;
		struct end *small;
		int calls = 0;

		pair_init(&p, 11 + (uint64_t)taker, 5);
		small = taker ? &p.a : &p.b;
		small->m.share = 100;
		write_by(&p, 3, 5000, VD_LANE_NORMAL, !taker, taker);
		write_by(&p, 2, 60, VD_LANE_NORMAL, !taker, taker);
		write_by(&p, 3, 70, VD_LANE_URGENT, !taker, taker);
		write_by(&p, 2, 30, VD_LANE_NORMAL, taker, !taker);
		do {
			pair_connect(&p);
			pair_run(&p);
			assert_true(++calls < 4);
			assert_int_equal((taker ? p.b : p.a).rc, VD_OK);
			assert_true(small->rc == VD_OK || (small->rc == VD_EBUSY && vd_session_stats(small->s)->declines_more));
		} while (small->rc);
		assert_int_equal(calls, 2);
		assert_done(&p);
		assert_int_equal(held(&small->m, author(&p, 3), VD_LANE_NORMAL), 100);
		assert_int_equal(held(&small->m, author(&p, 3), VD_LANE_URGENT), 70);
		assert_int_equal(held(&small->m, author(&p, 2), VD_LANE_NORMAL), 90);
		assert_int_equal(small->m.declined.count, 1);

		/* Equal but for that: one round trip, no record, and so for ever. */
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_done(&p);
		assert_int_equal(vd_session_stats(p.a.s)->rounds, 1);
		assert_int_equal(vd_session_stats(p.a.s)->round_trips, 1);
		assert_int_equal(vd_session_stats(p.a.s)->sent + vd_session_stats(p.b.s)->sent, 0);
		assert_in_range(vd_session_stats(p.a.s)->reconcile_bytes, 1, 1000);

		/* A small difference costs no more than that, however much is left out. */
		write_by(&p, 2, 3, VD_LANE_NORMAL, !taker, taker);
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_done(&p);
		assert_int_equal(vd_session_stats(p.a.s)->sent + vd_session_stats(p.b.s)->sent, 3);

		/* What the flooder goes on writing is not pushed, what others write is. */
		write_by(&p, 3, 3, VD_LANE_NORMAL, !taker, taker);
		write_by(&p, 2, 2, VD_LANE_NORMAL, !taker, taker);
		vd_session_grew(p.a.s, p.now_ms);
		vd_session_grew(p.b.s, p.now_ms);
		assert_true(pair_run(&p));
		assert_int_equal(vd_session_stats(p.a.s)->sent + vd_session_stats(p.b.s)->sent, 5);
		assert_equal_without(&p);
		pair_deinit(&p);
	}
}

/* Whatever the method, and whichever end names whom. */
static void test_declined__every_method_leaves_them_out(void **state)
{
	static const struct {
		size_t common, only_a, only_b;
		bool lies;
	} cases[] = {
		{ 500, 5, 7, false },   /* symbols of the standing sketch */
		{ 500, 5, 7, true },    /* which lie: salted */
		{ 300, 200, 150, false }, /* a list */
		{ 0, 0, 400, false },   /* all */
		{ 0, 400, 0, false },   /* give */
		{ 500, 0, 0, false },
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++)
		for (int who = 1; who < 4; who++) {
			struct pair p;
			uint64_t sent;

			pair_init(&p, 100 + c, 6);
			write_by(&p, 2, cases[c].common, VD_LANE_NORMAL, true, true);
			write_by(&p, 3, cases[c].only_a, VD_LANE_NORMAL, true, false);
			write_by(&p, 3, cases[c].only_b, VD_LANE_NORMAL, false, true);
			/* of 4 and 5 both have something, and each something else */
			for (size_t f = 4; f < 6; f++) {
				write_by(&p, f, 50, VD_LANE_NORMAL, true, true);
				write_by(&p, f, 300, VD_LANE_NORMAL, true, false);
				write_by(&p, f, 200, VD_LANE_NORMAL, false, true);
			}
			vd_declined_add(&(who & 1 ? &p.a : &p.b)->m.declined, VD_LANE_NORMAL, author(&p, 4));
			vd_declined_add(&(who & 2 ? &p.a : &p.b)->m.declined, VD_LANE_NORMAL, author(&p, 5));
			p.a.m.lies = cases[c].lies;
			pair_connect(&p);
			assert_true(pair_run(&p));
			assert_done(&p);
			sent = vd_session_stats(p.a.s)->sent + vd_session_stats(p.b.s)->sent;
			assert_int_equal(sent, cases[c].only_a + cases[c].only_b);
			for (size_t f = 4; f < 6; f++) {
				assert_int_equal(held(&p.a.m, author(&p, f), VD_LANE_NORMAL), 350);
				assert_int_equal(held(&p.b.m, author(&p, f), VD_LANE_NORMAL), 250);
			}
			pair_deinit(&p);
		}
}

/* Bodies of theirs are neither asked for nor given. */
static void test_declined__bodies(void **state)
{
	struct vd_buf raw = { 0 }, answer = { 0 };
	struct pair p;
	uint8_t type;

	(void)state;
	pair_init(&p, 5, 5);
	for (size_t i = 0; i < 40; i++) {
		struct vd_record r;
		struct vd_id id;

		vd_buf_reset(&raw);
		world_write(&p.w, 3 + i % 2, VD_LANE_BULK, 40, &raw, &id);
		world_store(&p.b.m, vd_buf_slice(&raw));
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &r), 0);
		world_store(&p.a.m, vd_slice(raw.p, raw.n - r.body.n));
	}
	vd_declined_add(&p.b.m.declined, VD_LANE_BULK, author(&p, 3));
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_done(&p);
	assert_int_equal(vd_session_stats(p.b.s)->sent, 20);
	assert_int_equal(p.a.m.lanes[VD_LANE_BULK].wanted.count, 20);
	assert_in_range(vd_session_stats(p.a.s)->reconcile_bytes, 20 * VD_ITEM_BYTES, 700);

	/* asked for all the same: not here */
	for (size_t i = 0; i < p.b.m.count; i++)
		if (p.b.m.records[i].lane == VD_LANE_BULK && memcmp(p.b.m.records[i].author, author(&p, 3), VD_KEY_BYTES) == 0) {
			vd_buf_reset(&raw);
			vd_buf_put_u8(&raw, VD_LANE_BULK);
			vd_buf_put(&raw, p.b.m.records[i].item.b, VD_ITEM_BYTES);
		}
	assert_int_equal(vd_session_feed(p.b.s, p.now_ms, VD_MSG_BODIES, vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_session_drain(p.b.s, p.now_ms, &type, &answer), 1);
	assert_int_equal(type, VD_MSG_NOBODY);
	assert_true(vd_slice_eq(vd_buf_slice(&raw), vd_buf_slice(&answer)));
	assert_int_equal(vd_session_drain(p.b.s, p.now_ms, &type, &answer), 0);

	/* when nobody else's are wanted, nothing is asked */
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_done(&p);
	assert_int_equal(p.b.messages_in[VD_MSG_BODIES], 0);
	vd_buf_deinit(&answer);
	vd_buf_deinit(&raw);
	pair_deinit(&p);
}

/* One who sends them all the same is not believed to have sent anything; and what is passed over is still part of the stream. */
static void test_declined__sent_all_the_same(void **state)
{
	struct vd_buf raw = { 0 }, compact = { 0 }, records = { 0 };
	struct vd_compact stream;
	struct vd_record record;
	struct vd_id id;
	struct pair p;

	(void)state;
	pair_init(&p, 6, 5);
	vd_declined_add(&p.a.m.declined, VD_LANE_NORMAL, author(&p, 3));
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_int_equal(vd_session_stats(p.a.s)->received, 0);
	vd_compact_init(&stream, vd_group_id(p.a.group));
	for (size_t i = 0; i < 4; i++) {
		vd_buf_reset(&raw);
		vd_buf_reset(&compact);
		world_write(&p.w, i == 1 || i == 3 ? 2 : 3, VD_LANE_NORMAL, 40, &raw, &id);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
		assert_int_equal(vd_compact_encode(&stream, &record, &compact), VD_OK);
		vd_buf_put_varint(&records, compact.n);
		vd_buf_put_slice(&records, vd_buf_slice(&compact));
	}
	vd_compact_deinit(&stream);
	assert_int_equal(vd_session_feed(p.a.s, p.now_ms, VD_MSG_RECORDS, vd_buf_slice(&records)), 0);
	pair_commit(&p, &p.a);
	assert_int_equal(vd_session_stats(p.a.s)->declined, 2);
	assert_int_equal(held(&p.a.m, author(&p, 3), VD_LANE_NORMAL), 0);
	assert_int_equal(held(&p.a.m, author(&p, 2), VD_LANE_NORMAL), 2);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&compact);
	vd_buf_deinit(&records);
	pair_deinit(&p);
}

/* Urgent lanes finish before a session ends because the share of a later one is used up. */
static void test_declined__urgent_is_through_first(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, 7, 5);
	p.a.m.share = 1000;
	write_by(&p, 2, 900, VD_LANE_URGENT, true, true); /* whose difference takes a round trip to find */
	write_by(&p, 4, 200, VD_LANE_URGENT, true, false);
	write_by(&p, 4, 200, VD_LANE_URGENT, false, true);
	write_by(&p, 3, 4000, VD_LANE_BULK, false, true);
	pair_connect(&p);
	pair_run(&p);
	assert_int_equal(p.a.rc, VD_EBUSY);
	assert_true(vd_session_stats(p.a.s)->declines_more);
	assert_int_equal(p.a.m.lanes[VD_LANE_BULK].digest.count, 1000);
	assert_int_equal(p.a.m.lanes[VD_LANE_URGENT].digest.count, 1300);
	assert_int_equal(p.b.m.lanes[VD_LANE_URGENT].digest.count, 1300);
	pair_deinit(&p);
}

/* Naming authors is cheap, finding out what they wrote is not: a device has so much of our time, and no more. */
static void test_declined__names_that_cost_us(void **state)
{
	struct vd_terms terms = { .passes_ms = 0 };
	struct vd_buf hello = { 0 };
	uint8_t type, seed[VD_SALT_BYTES] = { 1 };
	struct pair p;

	(void)state;
	pair_init(&p, 8, 5);
	write_by(&p, 3, 100, VD_LANE_NORMAL, true, true);
	vd_declined_add(&p.a.m.declined, VD_LANE_NORMAL, author(&p, 3));
	for (int i = 0; i < 2; i++) {
		struct vd_session *s;

		pair_connect(&p);
		vd_buf_reset(&hello);
		assert_int_equal(vd_session_drain(p.a.s, p.now_ms, &type, &hello), 1);
		s = vd_session_new(false, p.b.group, &p.b.m.port, p.now_ms, seed);
		terms.passes_ms = p.now_ms + VD_SALTED_AHEAD_MS + 1;
		vd_session_recall(s, &terms, NULL);
		p.b.m.dear = i;
		assert_int_equal(vd_session_feed(s, p.now_ms, type, vd_buf_slice(&hello)), i ? VD_EBUSY : VD_OK);
		vd_session_free(s);
	}
	vd_buf_deinit(&hello);
	pair_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_declined__set),
		cmocka_unit_test(test_declined__decode_is_strict),
		cmocka_unit_test(test_declined__a_flood_fills_its_own_share_only),
		cmocka_unit_test(test_declined__every_method_leaves_them_out),
		cmocka_unit_test(test_declined__bodies),
		cmocka_unit_test(test_declined__sent_all_the_same),
		cmocka_unit_test(test_declined__urgent_is_through_first),
		cmocka_unit_test(test_declined__names_that_cost_us),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
