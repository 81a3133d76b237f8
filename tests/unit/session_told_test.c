/* Receipts in sessions: each end's own word, and others' that one of them lacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "tests/sim/hearsay.h"
#include "tests/sim/pair.h"

enum { PEOPLE = 8 };

static const uint8_t *key_of(const struct end *e)
{
	return vd_group_identity(e->group)->author;
}

static void start(struct pair *p, uint64_t seed, bool a_gives, bool b_gives)
{
	pair_init(p, seed, PEOPLE);
	pair_write(p, 20, VD_LANE_NORMAL, true, true);
	hearsay_begin(&p->a.m, a_gives);
	hearsay_begin(&p->b.m, b_gives);
}

/* The receipt of somebody who is not there, of a set that nobody has; of about so many bytes. */
static void tell_of(struct pair *p, size_t who, uint64_t count, size_t bytes, struct end *to)
{
	struct vd_receipt r = { .count = count, .time_ms = count };
	size_t spans = bytes / (VD_ITEM_BYTES + 1);
	struct vd_span *list = calloc(spans + 1, sizeof(*list));
	struct vd_group *group = world_group(&p->w, who);
	struct vd_buf out = { 0 };

	assert_non_null(list);
	for (size_t i = 0; i < spans; i++) {
		vd_set_u64(list[i].item, i + 1);
		list[i].length = 1;
	}
	assert_int_equal(vd_receipt_make(group, &r, list, spans, &out), 0);
	assert_true(hearsay_keep(&to->m, vd_buf_slice(&out)));
	vd_buf_deinit(&out);
	vd_group_free(group);
	free(list);
}

static uint64_t count_of(const struct pair *p, const struct end *e, size_t who)
{
	return hearsay_of(&e->m, p->w.writers[who].identity.author);
}

static uint64_t bytes_of(const struct pair *p)
{
	return p->a.bytes_in + p->b.bytes_in;
}

static uint64_t messages(const struct pair *p, enum vd_message_type type)
{
	return p->a.messages_in[type] + p->b.messages_in[type];
}

static uint64_t bytes_beyond(const struct pair *p)
{
	return vd_session_stats(p->a.s)->reconcile_bytes;
}

static void meet(struct pair *p)
{
	p->a.m.receipt_ms += 10;
	p->b.m.receipt_ms += 10;
	p->a.kept = p->b.kept = 0;
	pair_connect(p);
	assert_true(pair_run(p));
	assert_true(vd_session_settled(p->a.s) && vd_session_settled(p->b.s));
	assert_true(vd_session_stats(p->a.s)->complete && vd_session_stats(p->b.s)->complete);
}

/* The link stays open: what a sync had no room for comes now. */
static void linger(struct pair *p)
{
	pair_tick(p, VD_RECEIPTS_LATER_MS);
	assert_true(pair_run(p));
	assert_true(vd_session_settled(p->a.s) && vd_session_settled(p->b.s));
}

/* Equal sets: each end's word once, and then nothing but the hellos, until there is something new. */
static void test_session__equal_sets_say_so_once(void **state)
{
	struct pair p, plain;
	uint64_t first;

	(void)state;
	start(&p, 1, true, true);
	meet(&p);
	assert_int_equal(messages(&p, VD_MSG_RECEIPT), 2);
	assert_int_equal(p.a.kept + p.b.kept, 2);
	assert_true(hearsay_of(&p.a.m, key_of(&p.b)) && hearsay_of(&p.a.m, key_of(&p.b)) == hearsay_of(&p.b.m, key_of(&p.b)));
	assert_true(hearsay_of(&p.b.m, key_of(&p.a)) == hearsay_of(&p.a.m, key_of(&p.a)));
	first = bytes_of(&p);
	meet(&p);
	assert_int_equal(messages(&p, VD_MSG_RECEIPT) + messages(&p, VD_MSG_TOLD) + messages(&p, VD_MSG_RECEIPTS), 0);
	assert_true(first <= bytes_of(&p) + 2 * (VD_BRIEF_MAX + 2));
	/* What the comparison showed is of after that word. */
	assert_true(vd_session_stats(p.a.s)->held.through[VD_LANE_NORMAL] && vd_session_stats(p.a.s)->held.said[VD_LANE_NORMAL] == hearsay_of(&p.a.m, key_of(&p.b)));
	assert_int_equal(vd_session_stats(p.a.s)->held.last, (uint32_t)hearsay_of(&p.b.m, key_of(&p.b)));
	/* What is known costs two hellos so much more than where nobody keeps any. */
	pair_init(&plain, 1, PEOPLE);
	pair_write(&plain, 20, VD_LANE_NORMAL, true, true);
	meet(&plain);
	assert_int_equal(bytes_of(&p), bytes_of(&plain) + 2 * 16);
	assert_int_equal(p.trips, plain.trips);
	pair_deinit(&plain);
	/* One end that lost what it heard is told again, alone. */
	hearsay_deinit(&p.b.m);
	meet(&p);
	assert_int_equal(p.b.kept, 1);
	assert_true(hearsay_of(&p.b.m, key_of(&p.a)) == hearsay_of(&p.a.m, key_of(&p.a)));
	pair_deinit(&p);
}

/* Different sets: both know when they have become equal, in as many round trips as without. */
static void test_session__differing_sets_say_so_with_the_last_lanes(void **state)
{
	static const struct { size_t only_a, only_b; } cases[] = { { 1, 0 }, { 0, 1 }, { 5, 7 }, { 100, 100 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t bytes[2];
		uint32_t trips[2];

		for (int keeps = 0; keeps < 2; keeps++) {
			struct pair p;

			if (keeps) {
				start(&p, 100 + i, true, true);
			} else {
				pair_init(&p, 100 + i, PEOPLE);
				pair_write(&p, 20, VD_LANE_NORMAL, true, true);
			}
			pair_write(&p, cases[i].only_a, VD_LANE_NORMAL, true, false);
			pair_write(&p, cases[i].only_b, VD_LANE_URGENT, false, true);
			meet(&p);
			assert_true(memory_equal(&p.a.m, &p.b.m));
			/* … from whoever got records */
			assert_int_equal(p.a.kept, keeps && cases[i].only_a);
			assert_int_equal(p.b.kept, keeps && cases[i].only_b);
			if (keeps)
				assert_true(bytes_beyond(&p) <= VD_SYNC_BYTES + VD_SYNC_RECORD_BYTES * (cases[i].only_a + cases[i].only_b));
			bytes[keeps] = bytes_of(&p);
			trips[keeps] = p.trips;
			if (keeps) {
				/* What was not said is with equal sets, and then no more. */
				meet(&p);
				assert_true(hearsay_of(&p.a.m, key_of(&p.b)) == hearsay_of(&p.b.m, key_of(&p.b)));
				assert_true(hearsay_of(&p.b.m, key_of(&p.a)) == hearsay_of(&p.a.m, key_of(&p.a)));
				meet(&p);
				assert_int_equal(messages(&p, VD_MSG_RECEIPT), 0);
			}
			pair_deinit(&p);
		}
		assert_int_equal(trips[0], trips[1]);
		/* hellos, and a word each */
		assert_true(bytes[1] <= bytes[0] + 2 * 16 + 2 * (VD_BRIEF_MAX + 2));
	}
}

/* Where finding the records took all that it may, an end's own word waits. */
static void test_session__own_words_stay_within_what_a_sync_may_cost(void **state)
{
	enum { SEEDS = 24, APART = 10 };
	const uint64_t most = VD_SYNC_BYTES + VD_SYNC_RECORD_BYTES * APART;
	size_t said = 0;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct pair p;
		uint64_t words;

		start(&p, 200 + seed, true, true);
		pair_common(&p, 5000, VD_LANE_NORMAL);
		pair_write(&p, APART / 2, VD_LANE_NORMAL, true, false);
		pair_write(&p, APART / 2, VD_LANE_NORMAL, false, true);
		meet(&p);
		words = messages(&p, VD_MSG_RECEIPT);
		assert_true(!words || bytes_beyond(&p) + 5 * (2 + 16) <= most);
		said += words;
		pair_deinit(&p);
	}
	assert_in_range(said, 1, 2 * SEEDS - 1);
}

/* Of a third device each end gets the latest that the other has, in one sync, and nothing twice. */
static void test_session__others_are_handed_on(void **state)
{
	struct pair p;

	(void)state;
	for (int differ = 0; differ < 2; differ++) {
		start(&p, 2, true, true);
		pair_write(&p, differ ? 30 : 0, VD_LANE_NORMAL, true, false);
		pair_write(&p, differ ? 30 : 0, VD_LANE_NORMAL, false, true);
		tell_of(&p, 2, 700, 0, &p.a);
		tell_of(&p, 3, 800, 0, &p.b);
		tell_of(&p, 4, 900, 0, &p.a);
		tell_of(&p, 4, 901, 0, &p.b);
		tell_of(&p, 5, 55, 0, &p.a);
		tell_of(&p, 5, 55, 0, &p.b);
		meet(&p);
		assert_int_equal(messages(&p, VD_MSG_TOLD), 2);
		for (size_t who = 2; who < 6; who++) {
			static const uint64_t wanted[] = { 700, 800, 901, 55 };

			assert_true(count_of(&p, &p.a, who) == wanted[who - 2]);
			assert_true(count_of(&p, &p.b, who) == wanted[who - 2]);
		}
		assert_int_equal(p.a.kept, 3); /* the other's own among them */
		assert_int_equal(p.b.kept, 2);
		meet(&p);
		linger(&p);
		assert_int_equal(messages(&p, VD_MSG_TOLD) + messages(&p, VD_MSG_RECEIPTS), 0);
		pair_deinit(&p);
	}
}

/* Others' receipts take one round trip more than without (with equal sets the one in which both say what they hold), and 100 new ones both ways come in four with them. */
static void test_session__others_cost_one_round_trip(void **state)
{
	static const size_t news[] = { 0, 40, 100 };
	uint32_t trips[2];

	(void)state;
	for (size_t i = 0; i < sizeof(news) / sizeof(news[0]); i++) {
		for (int told = 0; told < 2; told++) {
			struct pair p;

			start(&p, 3, true, true);
			pair_common(&p, 1000, VD_LANE_NORMAL);
			pair_write(&p, news[i], VD_LANE_NORMAL, true, false);
			pair_write(&p, news[i], VD_LANE_NORMAL, false, true);
			for (size_t who = 2; told && who < 6; who++)
				tell_of(&p, who, 100, 0, who % 2 ? &p.a : &p.b);
			meet(&p);
			trips[told] = p.trips;
			for (size_t who = 2; told && who < 6; who++)
				assert_true(count_of(&p, &p.a, who) == 100 && count_of(&p, &p.b, who) == 100);
			pair_deinit(&p);
		}
		assert_int_equal(trips[0] + (news[i] > 0), trips[1]);
		assert_true(trips[1] <= 4);
	}
}

/* No more than so many bytes at once, what was said last first; the next session goes on where this one ended. */
static void test_session__a_heap_comes_in_parts(void **state)
{
	struct pair p;
	size_t have = 0;

	(void)state;
	start(&p, 4, true, true);
	for (size_t who = 2; who < PEOPLE; who++)
		tell_of(&p, who, 100 + who, 11000, &p.b);
	for (int times = 1; times <= 3; times++) {
		meet(&p);
		assert_in_range(p.a.bytes_in, 2 * 11000, VD_RECEIPTS_BYTES + 2000);
		have += 2;
		assert_int_equal(p.a.m.receipt_count, have + 2); /* its own and the other's */
		assert_true(count_of(&p, &p.a, PEOPLE - have) && (have == PEOPLE - 2 || !count_of(&p, &p.a, PEOPLE - have - 1)));
	}
	meet(&p);
	assert_int_equal(messages(&p, VD_MSG_TOLD), 0);
	pair_deinit(&p);
}

/* Who keeps silent hears, hands on, and says nothing itself. */
static void test_session__the_silent_say_nothing(void **state)
{
	struct pair p;

	(void)state;
	start(&p, 5, false, true);
	tell_of(&p, 2, 700, 0, &p.a);
	pair_write(&p, 5, VD_LANE_NORMAL, true, true);
	meet(&p);
	assert_true(!hearsay_of(&p.b.m, key_of(&p.a)) && hearsay_of(&p.a.m, key_of(&p.b)));
	assert_true(count_of(&p, &p.b, 2) == 700);
	pair_write(&p, 5, VD_LANE_NORMAL, true, false);
	meet(&p);
	assert_true(!hearsay_of(&p.b.m, key_of(&p.a)));
	assert_true(hearsay_of(&p.a.m, key_of(&p.b)) == hearsay_of(&p.b.m, key_of(&p.b)));
	assert_int_equal(messages(&p, VD_MSG_RECEIPT), 1);
	pair_deinit(&p);
}

/* While a body is lacking at one end it cannot tell what the other holds: nothing is said, and nobody waits for it. What both lack both can tell. */
static void test_session__a_stub_is_no_word_for_a_body(void **state)
{
	struct vd_buf raw = { 0 };
	struct vd_record r;
	struct vd_id id;

	(void)state;
	for (int both = 0; both < 2; both++) {
		struct pair p;

		start(&p, 6, true, true);
		vd_buf_reset(&raw);
		world_write(&p.w, 1, VD_LANE_NORMAL, 40, &raw, &id);
		if (!both)
			world_store(&p.b.m, vd_buf_slice(&raw));
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &r), 0);
		raw.n -= r.body.n;
		world_store(&p.a.m, vd_buf_slice(&raw));
		if (both)
			world_store(&p.b.m, vd_buf_slice(&raw));
		meet(&p);
		assert_int_equal(messages(&p, VD_MSG_RECEIPT), both ? 2 : 0);
		assert_int_equal(p.a.kept + p.b.kept, both ? 2 : 0);
		meet(&p);
		assert_int_equal(p.a.kept + p.b.kept, both ? 0 : 2);
		pair_deinit(&p);
	}
	vd_buf_deinit(&raw);
}

/* What moved on meanwhile: a word that is of another set is not sent, and one that comes too late is not believed. The next session mends it. */
static void test_session__a_word_of_another_set_is_worth_nothing(void **state)
{
	struct vd_words words;
	struct pair p;

	(void)state;
	start(&p, 7, true, true);
	p.a.hold_words = p.b.hold_words = true;
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_true(!vd_session_settled(p.a.s) && vd_session_asks_word(p.a.s));
	pair_write(&p, 1, VD_LANE_NORMAL, true, false);
	p.a.hold_words = p.b.hold_words = false;
	pair_heed(&p, &p.b);
	pair_heed(&p, &p.a);
	p.a.hold_words = p.b.hold_words = true;
	pair_run(&p);
	assert_int_equal(p.a.messages_in[VD_MSG_RECEIPT], 1);
	assert_int_equal(p.b.messages_in[VD_MSG_RECEIPT], 1);
	assert_false(vd_session_has_words(p.b.s)); /* word came that there is none */
	assert_true(vd_session_has_words(p.a.s) && vd_session_words(p.a.s, &words) && words.own.n);
	assert_int_equal(hearsay_heed(&p.a.m, key_of(&p.b), &words), 0);
	vd_words_deinit(&words);
	p.a.hold_words = p.b.hold_words = false;
	meet(&p);
	assert_true(p.a.kept == 1 && p.b.kept == 0); /* a got nothing */
	meet(&p);
	assert_true(p.a.kept == 0 && p.b.kept == 1);
	pair_deinit(&p);
}

/* Equal sets: with a link around it (PROTOCOL.md section 8) a sync takes at most 1,000 bytes, each end's own word among them; what others said, once. */
static void test_session__equal_sets_take_more_only_for_what_there_is_to_tell(void **state)
{
	enum { LINK_BYTES = 564, FRAME_BYTES = 18 };

	(void)state;
	for (uint8_t lanes = 1; lanes <= VD_LANES; lanes++) {
		struct pair p;
		uint64_t told;

		start(&p, 30 + lanes, true, true);
		for (uint8_t l = 1; l < lanes; l++)
			pair_write(&p, 200, l, true, true);
		for (int times = 0; times < 6; times++) {
			for (size_t who = 2; times == 2 && who < PEOPLE; who++)
				tell_of(&p, who, 100 + who, who * 10, who % 2 ? &p.a : &p.b);
			meet(&p);
			told = messages(&p, VD_MSG_RECEIPT) + messages(&p, VD_MSG_TOLD) + messages(&p, VD_MSG_RECEIPTS);
			assert_in_range(bytes_of(&p) + FRAME_BYTES * told, 1, times == 2 ? 5000 : VD_EQUAL_BYTES - LINK_BYTES);
			assert_int_equal(messages(&p, VD_MSG_TOLD), times == 2 ? 2 : 0);
			for (size_t who = 2; times >= 2 && who < PEOPLE; who++)
				assert_true(count_of(&p, &p.a, who) == 100 + who && count_of(&p, &p.b, who) == 100 + who);
		}
		assert_int_equal(told, 0);
		assert_true(hearsay_of(&p.a.m, key_of(&p.b)) && hearsay_of(&p.a.m, key_of(&p.b)) == hearsay_of(&p.b.m, key_of(&p.b)));
		assert_true(hearsay_of(&p.b.m, key_of(&p.a)) == hearsay_of(&p.a.m, key_of(&p.a)));
		pair_deinit(&p);
	}
}

/* What the other end's clock makes it refuse is not offered to it, so that it holds up nothing; and not asked for again and again. */
static void test_session__what_a_clock_refuses_is_not_offered(void **state)
{
	struct pair p;
	uint64_t told;

	(void)state;
	start(&p, 40, true, true);
	p.a.m.receipts_through = 5000;
	for (size_t who = 2; who < PEOPLE - 1; who++)
		tell_of(&p, who, 6000, 8000, &p.b);
	tell_of(&p, PEOPLE - 1, 5000, 8000, &p.b);
	meet(&p);
	linger(&p);
	assert_true(count_of(&p, &p.a, PEOPLE - 1) == 5000);
	assert_true(p.a.bytes_in < 8000 + 2000);
	for (int times = 0; times < 3; times++) {
		p.a.bytes_in = 0;
		pair_write(&p, 1, VD_LANE_NORMAL, true, true);
		pair_tick(&p, VD_RECHECK_MS + 1);
		assert_true(pair_run(&p));
		linger(&p);
	}
	meet(&p);
	linger(&p);
	told = messages(&p, VD_MSG_TOLD);
	assert_int_equal(p.a.messages_in[VD_MSG_RECEIPTS] + p.b.messages_in[VD_MSG_RECEIPTS], told);
	assert_true(p.a.bytes_in < 1000);
	pair_deinit(&p);
}

/* An author whom an end declines: of the lanes in which nobody is left out each shows what it holds, and of all of them it says so, once. */
static void test_session__who_is_left_out_keeps_nobody_silent(void **state)
{
	(void)state;
	for (int mode = 0; mode < 6; mode++) {
		bool by_both = mode / 2 == 2, by_a = mode / 2 != 1, news = mode % 2;
		struct vd_buf raw = { 0 };
		struct vd_id id;
		struct pair p;
		uint64_t quiet;

		start(&p, 60, true, true);
		pair_write(&p, 5, VD_LANE_URGENT, true, true);
		world_write(&p.w, 3, VD_LANE_NORMAL, 40, &raw, &id);
		world_store(by_a && !by_both ? &p.b.m : &p.a.m, vd_buf_slice(&raw));
		if (by_a)
			vd_declined_add(&p.a.m.declined, VD_LANE_NORMAL, p.w.writers[3].identity.author);
		if (!by_a || by_both)
			vd_declined_add(&p.b.m.declined, VD_LANE_NORMAL, p.w.writers[3].identity.author);
		pair_write(&p, news ? 3 : 0, VD_LANE_URGENT, true, false);
		pair_write(&p, news ? 3 : 0, VD_LANE_URGENT, false, true);
		tell_of(&p, 4, 70, 0, &p.a);
		meet(&p);
		assert_true(vd_session_stats(p.a.s)->held.through[VD_LANE_URGENT] && vd_session_stats(p.b.s)->held.through[VD_LANE_URGENT]);
		assert_true(!vd_session_stats(p.a.s)->held.through[VD_LANE_NORMAL] && !vd_session_stats(p.b.s)->held.through[VD_LANE_NORMAL]);
		assert_true(count_of(&p, &p.b, 4) == 70);
		meet(&p);
		assert_true(hearsay_of(&p.a.m, key_of(&p.b)) && hearsay_of(&p.a.m, key_of(&p.b)) == hearsay_of(&p.b.m, key_of(&p.b)));
		assert_true(hearsay_of(&p.b.m, key_of(&p.a)) && hearsay_of(&p.b.m, key_of(&p.a)) == hearsay_of(&p.a.m, key_of(&p.a)));
		meet(&p);
		quiet = bytes_of(&p);
		assert_int_equal(messages(&p, VD_MSG_RECEIPT) + messages(&p, VD_MSG_TOLD), 0);
		meet(&p);
		assert_true(bytes_of(&p) == quiet);
		vd_buf_deinit(&raw);
		pair_deinit(&p);
	}
}

/* While a session stays open, what came is said with the next comparison. */
static void test_session__an_open_one_says_it_again(void **state)
{
	struct pair p;

	(void)state;
	start(&p, 8, true, true);
	meet(&p);
	pair_write(&p, 3, VD_LANE_URGENT, false, true);
	tell_of(&p, 3, 40, 0, &p.b);
	vd_session_grew(p.b.s, p.now_ms);
	p.b.m.receipt_ms++;
	assert_true(pair_run(&p));
	p.a.kept = p.b.kept = 0;
	p.a.m.receipt_ms++;
	pair_tick(&p, VD_RECHECK_MS + 1);
	assert_true(pair_run(&p));
	assert_true(vd_session_settled(p.a.s) && vd_session_settled(p.b.s));
	linger(&p);
	assert_int_equal(p.b.kept, 1);
	assert_int_equal(p.a.kept, 1);
	assert_true(count_of(&p, &p.a, 3) == 40);
	pair_deinit(&p);
}

/* --- hostile ends --- */

/* The victim has said its hello to an end with the same sets, whose hello it heard. */
static void greet(struct pair *p, uint64_t seed)
{
	start(p, seed, true, true);
	tell_of(p, 2, 700, 0, &p->a);
	tell_of(p, 3, 800, 0, &p->b);
	pair_connect(p);
	pair_turn(p, &p->b, &p->a);
	p->b.rc = VD_ECLOSED; /* says no more by itself */
}

static int hear(struct pair *p, uint8_t type, const void *bytes, size_t n)
{
	return vd_session_feed(p->a.s, p->now_ms, type, vd_slice(bytes, n));
}

/* Until the victim asks for all. */
static void wait_for_told(struct pair *p, struct vd_buf *out)
{
	uint8_t type;

	pair_heed(p, &p->a);
	p->now_ms += VD_RECEIPTS_LATER_MS;
	assert_int_equal(vd_session_tick(p->a.s, p->now_ms), 0);
	do
		vd_buf_reset(out);
	while (vd_session_drain(p->a.s, p->now_ms, &type, out) == 1 && type != VD_MSG_TOLD);
	assert_int_equal(type, VD_MSG_TOLD);
}

static uint8_t drain_until(struct pair *p, uint8_t type, struct vd_buf *out)
{
	uint8_t got = 0;

	pair_heed(p, &p->a);
	do
		vd_buf_reset(out);
	while (vd_session_drain(p->a.s, p->now_ms, &got, out) == 1 && got != type);
	return got;
}

/* An end that says nothing more costs a settled session some seconds, and no more than that. */
static void test_session__who_does_not_answer_is_not_waited_for(void **state)
{
	struct vd_buf out = { 0 };
	struct pair p;

	(void)state;
	greet(&p, 20);
	while (drain_until(&p, VD_MSG_ALIVE, &out) == VD_MSG_ALIVE)
		;
	assert_false(vd_session_settled(p.a.s));
	assert_true(vd_session_deadline(p.a.s) <= p.now_ms + VD_RECEIPTS_WAIT_MS);
	assert_int_equal(vd_session_tick(p.a.s, p.now_ms + VD_RECEIPTS_WAIT_MS - 1), 0);
	assert_false(vd_session_settled(p.a.s));
	assert_int_equal(vd_session_tick(p.a.s, p.now_ms + VD_RECEIPTS_WAIT_MS), 0);
	assert_true(vd_session_settled(p.a.s));
	/* late is passed over */
	assert_int_equal(hear(&p, VD_MSG_RECEIPTS, NULL, 0), 0);
	assert_false(vd_session_has_words(p.a.s));
	vd_buf_deinit(&out);
	p.b.rc = 0;
	pair_deinit(&p);
}

static void test_session__malformed_receipts_end_it(void **state)
{
	uint8_t brief[VD_BRIEF_MIN + 1] = { 0 }, *told = calloc(VD_MEMBERS_MAX + 2, VD_TOLD_BYTES), *names = told + 2;
	struct vd_buf more = { 0 };
	struct pair p;

	(void)state;
	assert_non_null(told); /* of no count above 0, and no byte */
	for (size_t i = 0; i <= VD_MEMBERS_MAX; i++)
		vd_set_u64(names + i * VD_TOLD_BYTES, i + 1);
	for (size_t n = 0; n <= sizeof(brief); n++) {
		greet(&p, 21);
		assert_int_equal(hear(&p, VD_MSG_RECEIPT, brief, n), !n || n == VD_BRIEF_MIN ? 0 : VD_EFORMAT);
		p.b.rc = 0;
		pair_deinit(&p);
	}
	for (size_t n = VD_WORD_BYTES; n <= VD_WORD_BYTES + 1; n++) {
		uint8_t named[VD_WORD_BYTES + 1] = { 1 << (VD_LANES + 2) };
		size_t at = VD_BRIEF_MIN + 1, span = VD_ITEM_BYTES + (n - at) % VD_SPAN_MIN + 1;

		/* of lane 3: spans of nine bytes, and a first one that takes what is over */
		named[VD_BRIEF_MIN] = 1 << VD_LANE_BULK;
		for (uint64_t i = 1; at < n; i++, at += span, span = VD_SPAN_MIN) {
			vd_set_u64(named + at, i);
			memset(named + at + VD_ITEM_BYTES, 0x81, span - VD_ITEM_BYTES);
			named[at + span - 1] = 1;
		}
		assert_int_equal(at, n);
		greet(&p, 21);
		assert_int_equal(hear(&p, VD_MSG_RECEIPT, named, n), n > VD_WORD_BYTES ? VD_EFORMAT : 0);
		p.b.rc = 0;
		pair_deinit(&p);
	}
	greet(&p, 21);
	brief[0] = 1 << (VD_LANES + 2);
	assert_int_equal(hear(&p, VD_MSG_RECEIPT, brief, VD_BRIEF_MIN), VD_EFORMAT);
	brief[0] = 1 << (VD_LANES + 3);
	assert_int_equal(hear(&p, VD_MSG_RECEIPT, brief, VD_BRIEF_MIN), VD_EFORMAT);
	for (size_t n = 1; n < VD_TOLD_BYTES; n++)
		assert_int_equal(hear(&p, VD_MSG_TOLD, told, 2 + VD_TOLD_BYTES + n), VD_EFORMAT);
	for (size_t n = 0; n < 2; n++)
		assert_int_equal(hear(&p, VD_MSG_TOLD, told, n), VD_EFORMAT);
	vd_buf_put_u8(&more, 0);
	vd_buf_put_varint(&more, VD_RECEIPTS_BYTES + 1);
	assert_int_equal(hear(&p, VD_MSG_TOLD, more.p, more.n), VD_EFORMAT);
	vd_buf_deinit(&more);
	assert_int_equal(hear(&p, VD_MSG_TOLD, told, 2 + (size_t)(VD_MEMBERS_MAX + 1) * VD_TOLD_BYTES), VD_ECAP);
	assert_int_equal(hear(&p, VD_MSG_TOLD, told, 2 + (size_t)VD_MEMBERS_MAX * VD_TOLD_BYTES), 0);
	vd_set_u64(names + VD_TOLD_BYTES, 1); /* twice the same */
	assert_int_equal(hear(&p, VD_MSG_TOLD, told, 2 + 2 * VD_TOLD_BYTES), VD_EFORMAT);
	vd_set_u64(names + VD_TOLD_BYTES, 0);
	assert_int_equal(hear(&p, VD_MSG_TOLD, told, 2 + 2 * VD_TOLD_BYTES), VD_EFORMAT);
	p.b.rc = 0;
	pair_deinit(&p);
	free(told);
}

/* What was asked for is bounded, and each receipt of it, by itself and at every byte. */
static void test_session__more_than_was_asked_for_ends_it(void **state)
{
	struct vd_buf out = { 0 }, many = { 0 }, one = { 0 };
	uint8_t filler[VD_RECEIPT_MAX + 1] = { 0 };
	struct pair p;

	(void)state;
	for (int by = 0; by < 2; by++) {
		greet(&p, 22);
		wait_for_told(&p, &out);
		vd_buf_reset(&many);
		while (many.n + 1002 <= VD_RECEIPTS_BYTES)
			vd_receipts_put(vd_slice(filler, 1000), &many);
		vd_receipts_put(vd_slice(filler, VD_RECEIPTS_BYTES - many.n - (VD_RECEIPTS_BYTES - many.n > 129 ? 2 : 1)), &many);
		assert_int_equal(many.n, VD_RECEIPTS_BYTES);
		assert_int_equal(hear(&p, VD_MSG_RECEIPTS, many.p, many.n), 0);
		if (by)
			assert_int_equal(hear(&p, VD_MSG_RECEIPTS, "\1\0", 2), VD_ECAP);
		else
			assert_int_equal(hear(&p, VD_MSG_RECEIPTS, NULL, 0), 0);
		p.b.rc = 0;
		pair_deinit(&p);
	}
	greet(&p, 22);
	wait_for_told(&p, &out);
	vd_receipts_put(vd_slice(filler, 200), &one);
	for (size_t n = 1; n < one.n; n++)
		assert_int_equal(hear(&p, VD_MSG_RECEIPTS, one.p, n), VD_EFORMAT);
	assert_int_equal(hear(&p, VD_MSG_RECEIPTS, "\0", 1), VD_EFORMAT);
	vd_buf_reset(&one);
	vd_receipts_put(vd_slice(filler, VD_RECEIPT_MAX + 1), &one);
	assert_int_equal(hear(&p, VD_MSG_RECEIPTS, one.p, one.n), VD_EFORMAT);
	vd_buf_reset(&one);
	vd_receipts_put(vd_slice(filler, VD_RECEIPT_MAX), &one);
	assert_int_equal(hear(&p, VD_MSG_RECEIPTS, one.p, one.n), 0);
	p.b.rc = 0;
	pair_deinit(&p);
	vd_buf_deinit(&out);
	vd_buf_deinit(&many);
	vd_buf_deinit(&one);
}

/* Whoever asks again and again gets an empty answer until some time has passed; words for equal sets count as often. */
static void test_session__a_flood_gets_nothing(void **state)
{
	uint8_t brief[VD_BRIEF_MIN] = { 0 };
	struct vd_buf out = { 0 }, all = { 0 };
	struct vd_words words;
	struct pair p;

	(void)state;
	vd_buf_put_varint(&all, UINT64_MAX);
	vd_buf_put_varint(&all, VD_RECEIPTS_BYTES);
	greet(&p, 23);
	for (int times = 0; times < 50; times++) {
		size_t full = 0;

		assert_int_equal(hear(&p, VD_MSG_TOLD, all.p, all.n), 0);
		while (drain_until(&p, VD_MSG_RECEIPTS, &out) == VD_MSG_RECEIPTS && out.n)
			full += out.n;
		assert_true((full > 0) == (times == 0));
	}
	p.now_ms += VD_RECEIPTS_PACE_MS;
	assert_int_equal(hear(&p, VD_MSG_TOLD, all.p, all.n), 0);
	assert_int_equal(drain_until(&p, VD_MSG_RECEIPTS, &out), VD_MSG_RECEIPTS);
	assert_true(out.n > 0);
	for (int times = 0; times < 50; times++) {
		assert_int_equal(hear(&p, VD_MSG_RECEIPT, brief, sizeof(brief)), 0);
		assert_true(vd_session_words(p.a.s, &words) == (times == 0));
		vd_words_deinit(&words);
	}
	vd_buf_deinit(&out);
	vd_buf_deinit(&all);
	p.b.rc = 0;
	pair_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session__equal_sets_say_so_once),
		cmocka_unit_test(test_session__differing_sets_say_so_with_the_last_lanes),
		cmocka_unit_test(test_session__own_words_stay_within_what_a_sync_may_cost),
		cmocka_unit_test(test_session__others_are_handed_on),
		cmocka_unit_test(test_session__others_cost_one_round_trip),
		cmocka_unit_test(test_session__a_heap_comes_in_parts),
		cmocka_unit_test(test_session__the_silent_say_nothing),
		cmocka_unit_test(test_session__a_stub_is_no_word_for_a_body),
		cmocka_unit_test(test_session__a_word_of_another_set_is_worth_nothing),
		cmocka_unit_test(test_session__equal_sets_take_more_only_for_what_there_is_to_tell),
		cmocka_unit_test(test_session__what_a_clock_refuses_is_not_offered),
		cmocka_unit_test(test_session__who_is_left_out_keeps_nobody_silent),
		cmocka_unit_test(test_session__an_open_one_says_it_again),
		cmocka_unit_test(test_session__who_does_not_answer_is_not_waited_for),
		cmocka_unit_test(test_session__malformed_receipts_end_it),
		cmocka_unit_test(test_session__more_than_was_asked_for_ends_it),
		cmocka_unit_test(test_session__a_flood_gets_nothing),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
