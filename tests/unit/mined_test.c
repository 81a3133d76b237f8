/* A member who mines records against the sketch. Items have 10 bits here instead of 64, so that two records of one item cost 1,024
 * tries and not 2^64 (or, of the miner's own, 2^32): what would then be done with them is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/pair.h"

enum { MINER = 2, MINED = 24, BITS = 10 };

struct scene {
	struct pair p;
	struct vd_id mined[MINED];
	size_t count;
};

static void begin(struct scene *s, uint64_t seed)
{
	*s = (struct scene){ .count = 0 };
	pair_init(&s->p, seed, 4);
	memory_narrow(&s->p.a.m, BITS);
	memory_narrow(&s->p.b.m, BITS);
	pair_common(&s->p, 200, VD_LANE_NORMAL);
	pair_write(&s->p, 4, VD_LANE_NORMAL, true, false);
	pair_write(&s->p, 4, VD_LANE_NORMAL, false, true);
}

/* A record of that item, at either end or both. */
static void mine(struct scene *s, const struct vd_item *item, bool in_a, bool in_b)
{
	struct vd_buf raw = { 0 };
	struct vd_item found;
	struct vd_id id;

	do {
		vd_buf_reset(&raw);
		world_write(&s->p.w, MINER, VD_LANE_NORMAL, 1, &raw, &id);
		memory_item(&s->p.a.m, &id, &found);
	} while (memcmp(&found, item, sizeof(found)) != 0);
	if (in_a)
		world_store(&s->p.a.m, vd_buf_slice(&raw));
	if (in_b)
		world_store(&s->p.b.m, vd_buf_slice(&raw));
	assert_true(s->count < MINED);
	s->mined[s->count++] = id;
	vd_buf_deinit(&raw);
}

/* An item that nothing has yet. */
static struct vd_item any_item(struct scene *s)
{
	struct vd_item item;
	struct vd_id id;

	world_bytes(&s->p.w, &id, sizeof(id));
	memory_item(&s->p.a.m, &id, &item);
	return item;
}

/* Whichever end calls, both have all of it in the end; `salted`: what the sketch said was not believed. */
static void end(struct scene *s, bool salted)
{
	const struct vd_session_stats *stats;

	pair_connect(&s->p);
	assert_true(pair_run(&s->p));
	stats = vd_session_stats(s->p.a.s);
	assert_true(stats->complete);
	assert_true(memory_equal(&s->p.a.m, &s->p.b.m));
	for (size_t i = 0; i < s->count; i++) {
		assert_true(memory_has(&s->p.a.m, &s->mined[i], true));
		assert_true(memory_has(&s->p.b.m, &s->mined[i], true));
	}
	if (salted)
		assert_true(s->p.b.messages_in[VD_MSG_SALTED] > 0);
	assert_in_range(stats->rounds, 1, 5);
	pair_deinit(&s->p);
}

/* Two of one item at one end: their sum vanishes, in every symbol. */
static void test_mined__sums_that_vanish(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct scene s;

		begin(&s, seed);
		for (int pairs = 0; pairs < 3; pairs++) {
			struct vd_item item = any_item(&s);

			mine(&s, &item, seed & 1, !(seed & 1));
			mine(&s, &item, seed & 1, !(seed & 1));
		}
		end(&s, true);
	}
}

/* One at each end: the sketches do not differ by it. */
static void test_mined__one_hides_the_other(void **state)
{
	(void)state;
	for (uint64_t seed = 10; seed < 13; seed++) {
		struct scene s;
		struct vd_item item;

		begin(&s, seed);
		for (int pairs = 0; pairs < 2; pairs++) {
			item = any_item(&s);
			mine(&s, &item, true, false);
			mine(&s, &item, false, true);
		}
		end(&s, true);
	}
}

/* … even if that is all they differ by. */
static void test_mined__nothing_else_differs(void **state)
{
	struct vd_item item;
	struct scene s = { .count = 0 };

	(void)state;
	pair_init(&s.p, 20, 4);
	memory_narrow(&s.p.a.m, BITS);
	memory_narrow(&s.p.b.m, BITS);
	pair_common(&s.p, 200, VD_LANE_NORMAL);
	item = any_item(&s);
	mine(&s, &item, true, false);
	mine(&s, &item, false, true);
	end(&s, true);
}

/* Many of one item have one mapping: their symbols are never pure, and other items behind them do not come out. */
static void test_mined__jams(void **state)
{
	(void)state;
	for (uint64_t seed = 30; seed < 34; seed++) {
		struct vd_item item;
		struct scene s;

		begin(&s, seed);
		item = any_item(&s);
		for (int i = 0; i < 5; i++)
			mine(&s, &item, seed & 1, !(seed & 1));
		if (seed & 2)
			mine(&s, &item, !(seed & 1), seed & 1);
		end(&s, true);
	}
}

/* One like a record that both have: who is asked for the item has two. */
static void test_mined__like_a_common_one(void **state)
{
	(void)state;
	for (uint64_t seed = 40; seed < 44; seed++) {
		struct scene s;
		struct vd_item item;

		begin(&s, seed);
		item = any_item(&s);
		mine(&s, &item, true, true);
		mine(&s, &item, seed & 1, !(seed & 1));
		end(&s, false);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mined__sums_that_vanish),
		cmocka_unit_test(test_mined__one_hides_the_other),
		cmocka_unit_test(test_mined__nothing_else_differs),
		cmocka_unit_test(test_mined__jams),
		cmocka_unit_test(test_mined__like_a_common_one),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
