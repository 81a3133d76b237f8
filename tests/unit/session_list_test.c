/* Large differences: who has fewer lists, what that costs, and lists as nobody should send them. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sodium.h>

#include "proto/reconcile_priv.h"
#include "tests/sim/pair.h"

/* A sentence or two: some 230 bytes as compact ones, as those of the bench. */
static void write_some(struct pair *p, size_t count, bool in_a)
{
	struct vd_buf raw = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct vd_id id;

		vd_buf_reset(&raw);
		world_write(&p->w, (size_t)world_random(&p->w, p->w.count), VD_LANE_NORMAL, 90, &raw, &id);
		world_store(in_a ? &p->a.m : &p->b.m, vd_buf_slice(&raw));
	}
	vd_buf_deinit(&raw);
}

/* A difference settled: bytes of reconciliation for 10,000 of the records' compact ones. It took at most so many round trips. */
static unsigned settle(uint64_t seed, size_t common, size_t only_a, size_t only_b, uint8_t lister, uint32_t most_trips)
{
	const struct vd_session_stats *a, *b;
	uint64_t said, carried;
	struct pair p;

	pair_init(&p, seed, 5);
	pair_common(&p, common, VD_LANE_NORMAL);
	write_some(&p, only_a, true);
	write_some(&p, only_b, false);
	pair_connect(&p);
	assert_true(pair_run(&p));
	assert_int_equal(p.a.rc | p.b.rc, VD_OK);
	assert_true(memory_equal(&p.a.m, &p.b.m));
	a = vd_session_stats(p.a.s);
	b = vd_session_stats(p.b.s);
	assert_true(a->complete && b->complete);
	/* one that shares its first bits with another may go twice, and all do to who has next to nothing */
	assert_in_range(a->sent, only_a, only_a + only_a / 90);
	assert_in_range(b->sent, only_b, only_b + only_b / 90);
	if (lister != 2) {
		assert_true((p.b.messages_in[VD_MSG_LIST] > 0) == (lister == 0));
		assert_true((p.a.messages_in[VD_MSG_LIST] > 0) == (lister == 1));
	}
	assert_in_range(p.trips, 1, most_trips);
	said = a->reconcile_bytes;
	carried = a->sent_bytes + b->sent_bytes;
	if (getenv("VERBOSE"))
		print_message("%zu common, %zu + %zu: %u bytes for %u of records: %.2f %%, %u trips, %u rounds; %u a record\n", common, only_a, only_b,
		              (unsigned)said, (unsigned)carried, 100 * (double)said / (double)carried, p.trips, (unsigned)a->rounds, (unsigned)(carried / (only_a + only_b)));
	pair_deinit(&p);
	return (unsigned)(10000 * said / carried);
}

/* Where most of the records differ, "never worse than sending the records plus 1 %". Where they do not, up to 10,000 that differ "settle in at most
 * 2 round trips", by so many bits more as that takes. Of 10,000 records in all, whoever calls: */
static void test_list__large_differences_cost_a_hundredth(void **state)
{
	enum { NONE = 2 };
	static const struct {
		size_t common, only_one, only_other;
		uint8_t lister; /* 0: the one that has only_one, 1: the other */
		unsigned most;  /* for 10,000 */
		uint32_t most_trips;
	} cases[] = {
		{ 0, 0, 5000, NONE, 100, 3 },       /* one is empty */
		{ 30, 0, 9970, 2, 100, 3 },         /* … or next to it */
		{ 70, 0, 9930, 2, 100, 2 },         /* less than 1 % of the other */
		{ 200, 0, 9800, 2, 100, 2 },        /* more: both list, who calls */
		{ 1000, 0, 9000, 0, 100, 5 },       /* 10 % */
		{ 0, 5000, 5000, 0, 100, 5 },       /* halves that have nothing in common */
		{ 5000, 0, 5000, 2, 215, 2 },       /* one has half; who calls lists */
		{ 5000, 2500, 2500, 0, 180, 2 },    /* both have three quarters */
		{ 5000, 1000, 4000, 2, 215, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t lister = cases[i].lister, other = lister == 0 && cases[i].only_one != cases[i].only_other;

		assert_in_range(settle(i, cases[i].common, cases[i].only_one, cases[i].only_other, lister, cases[i].most_trips), 0, cases[i].most);
		assert_in_range(settle(i, cases[i].common, cases[i].only_other, cases[i].only_one, lister == NONE ? NONE : other, cases[i].most_trips), 0,
		                cases[i].most);
	}
}

/* Where nine of ten are the same each that differs costs a tenth of itself, by the standing symbols; but no more than any other. */
static void test_list__a_tenth_apart(void **state)
{
	(void)state;
	assert_in_range(settle(20, 9000, 1000, 0, 2, 4), 300, 1800);
	assert_in_range(settle(21, 9000, 500, 500, 2, 4), 300, 1800);
}

static unsigned number_bits;
static int (*memory_lane)(void *, const uint8_t *, uint8_t, struct vd_lane_state *, struct vd_symbol *, size_t);

/* A store that has counted far. */
static int far_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	int rc = memory_lane(ctx, group, lane, out, symbols, n);

	out->latest |= UINT64_C(1) << (number_bits - 1);
	return rc;
}

/* Arrival numbers so long that few bits are left of an item, and most entries look like others: each round finds some of the rest. */
static void test_list__converges(void **state)
{
	(void)state;
	for (uint64_t seed = 30; seed < 60; seed++) {
		bool a_far = seed % 3 != 1, b_far = seed % 3 != 2;
		struct pair p;

		pair_init(&p, seed, 3);
		pair_common(&p, seed % 7, VD_LANE_NORMAL);
		pair_write(&p, 20 + seed % 11, VD_LANE_NORMAL, true, false);
		pair_write(&p, 20 + seed % 5, VD_LANE_NORMAL, false, true);
		number_bits = (unsigned)(50 + seed % 4);
		memory_lane = p.a.m.port.lane;
		p.a.m.port.lane = a_far ? far_lane : memory_lane;
		p.b.m.port.lane = b_far ? far_lane : memory_lane;
		pair_connect(&p);
		assert_true(pair_run(&p));
		assert_true(memory_equal(&p.a.m, &p.b.m));
		assert_true(vd_session_stats(p.a.s)->complete);
		pair_deinit(&p);
	}
}

/* --- one end, and whatever we tell it --- */

struct scene {
	struct pair p;
	struct vd_reconcile r;
	struct vd_declined_set apart;
	struct vd_buf m;
};

/* It has 100 records and believes that we have `theirs`. */
static void scene_init(struct scene *s, uint64_t theirs)
{
	struct vd_lane_state state;
	uint8_t hash[VD_HASH_BYTES] = { 1 };

	*s = (struct scene){ .apart = { .count = 0 } };
	pair_init(&s->p, 1, 2);
	pair_common(&s->p, 100, VD_LANE_NORMAL);
	assert_int_equal(vd_reconcile_begin(&s->r, &s->p.b.m.port, s->p.w.group, s->p.w.salt, &s->apart, VD_LANE_NORMAL, false, &state), VD_OK);
	vd_reconcile_theirs(&s->r, theirs, hash);
}

static void scene_deinit(struct scene *s)
{
	vd_reconcile_end(&s->r);
	vd_buf_deinit(&s->m);
	pair_deinit(&s->p);
}

static int salted(struct scene *s, uint8_t how, int bits)
{
	uint8_t body[1 + VD_SALT_BYTES + 1] = { how };

	body[1 + VD_SALT_BYTES] = (uint8_t)bits;
	return vd_reconcile_feed(&s->r, VD_MSG_SALTED, vd_slice(body, sizeof(body) - (bits < 0)));
}

static int list(struct scene *s)
{
	return vd_reconcile_feed(&s->r, VD_MSG_LIST, vd_buf_slice(&s->m));
}

static void put_head(struct scene *s, uint8_t bits, uint64_t total)
{
	vd_buf_reset(&s->m);
	vd_buf_put_u8(&s->m, bits);
	vd_buf_put_varint(&s->m, total);
}

static bool drain(struct scene *s, uint8_t type)
{
	struct vd_reconcile_outlet none = { .sent = NULL };
	uint8_t got = 0;

	vd_buf_reset(&s->m);
	return vd_reconcile_drain(&s->r, 1, &got, &s->m, &none) == 1 && got == type;
}

/* From tests/vectors/sketch.py: 500 ids as a list. */
static void test_list__vector(void **state)
{
	static const struct {
		uint8_t bits;
		size_t bytes;
		const char *hash;
	} cases[] = {
		{ 9, 130, "16f97b279c7cedba0aebec43dfda45994ffbbd01504511a91046c658a7205e1e" },
		{ 17, 603, "96bd81d81c136eba3bd04946ff29c57291f2c8c880e9dab20476d52dc7a88201" },
		{ 48, 2540, "872d3aa46698d675825e3dd436d14e07a3caed4216f3da1e74bac93bb3723f00" },
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		uint8_t body[1 + VD_SALT_BYTES + 1] = { VD_SALTED_YOUR_LIST }, hash[VD_HASH_BYTES];
		struct scene s = { .apart = { .count = 0 } };
		char hex[2 * VD_HASH_BYTES + 1];
		struct vd_lane_state lane;

		pair_init(&s.p, 1, 2);
		for (int i = 0; i < 500; i++) {
			char name[16];
			struct vd_id id;
			size_t n = (size_t)snprintf(name, sizeof(name), "record %d", i);

			crypto_generichash(id.b, sizeof(id.b), (const uint8_t *)name, n, NULL, 0);
			memory_add_id(&s.p.b.m, VD_LANE_BULK, &id);
		}
		assert_int_equal(vd_reconcile_begin(&s.r, &s.p.b.m.port, s.p.w.group, s.p.w.salt, &s.apart, VD_LANE_BULK, false, &lane), VD_OK);
		for (uint8_t i = 0; i < VD_SALT_BYTES; i++)
			body[1 + i] = i;
		body[1 + VD_SALT_BYTES] = cases[c].bits;
		assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SALTED, vd_slice(body, sizeof(body))), VD_OK);
		assert_true(drain(&s, VD_MSG_LIST));
		assert_int_equal(s.m.n - 2, cases[c].bytes);
		crypto_generichash(hash, sizeof(hash), s.m.p + 2, s.m.n - 2, NULL, 0);
		vd_hex(hex, hash, sizeof(hash));
		assert_string_equal(hex, cases[c].hash);
		scene_deinit(&s);
	}
}

static void test_list__announced_badly(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, 1000);
	for (int how = 0; how <= VD_SALTED_YOUR_LIST + 1; how++)
		for (int bits = -1; bits <= VD_LIST_BITS_MAX + 1; bits++) {
			bool good = (how == VD_SALTED_LIST && bits < 0) || (how == VD_SALTED_SYMBOLS && bits > 0) ||
			            (how == VD_SALTED_YOUR_LIST && bits > 0 && bits <= VD_LIST_BITS_MAX);

			assert_int_equal(salted(&s, (uint8_t)how, bits), good ? VD_OK : VD_EFORMAT);
			if (!good)
				continue;
			/* a second one */
			assert_int_equal(salted(&s, VD_SALTED_LIST, -1), VD_EFORMAT);
			scene_deinit(&s);
			scene_init(&s, 1000);
		}
	/* cut */
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SALTED, vd_slice((const uint8_t *)"\2\0\0", 3)), VD_EFORMAT);
	/* a list, or what is wanted of one, that nobody spoke of */
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_LIST, vd_slice((const uint8_t *)"\20\0", 2)), VD_EFORMAT);
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice((const uint8_t *)"\20\0", 2)), VD_EFORMAT);
	scene_deinit(&s);
}

static void test_list__begun_badly(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, UINT64_C(1) << 40);
	assert_int_equal(salted(&s, VD_SALTED_LIST, -1), VD_OK);
	put_head(&s, 0, 1);
	assert_int_equal(list(&s), VD_EFORMAT);
	put_head(&s, VD_LIST_BITS_MAX + 1, 1);
	assert_int_equal(list(&s), VD_EFORMAT);
	put_head(&s, 40, VD_LIST_ENTRIES_MAX + 1);
	assert_int_equal(list(&s), VD_EFORMAT);
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice((const uint8_t *)"\20", 1)), VD_EFORMAT);
	put_head(&s, VD_LIST_BITS_MAX, VD_LIST_ENTRIES_MAX);
	assert_int_equal(list(&s), VD_OK);
	/* nothing in it; and it is not over */
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_LIST, vd_slice(NULL, 0)), VD_EFORMAT);
	assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SETTLED, vd_slice((const uint8_t *)"\0", 1)), VD_EFORMAT);
	scene_deinit(&s);
	/* longer than LANES said */
	scene_init(&s, 10);
	assert_int_equal(salted(&s, VD_SALTED_LIST, -1), VD_OK);
	put_head(&s, 20, 11);
	assert_int_equal(list(&s), VD_EFORMAT);
	scene_deinit(&s);
}

/* Where the C library tells. */
static size_t heap_bytes(void)
{
#ifdef __GLIBC__
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
#else
	return 0;
#endif
}

/* A list that hardly ends costs who compares a bit for each entry, however little is read of what it has to say. */
static void test_list__without_end(void **state)
{
	struct vd_gaps gaps = vd_gaps(40, VD_LIST_ENTRIES_MAX);
	struct scene s;
	uint64_t item = 0;
	size_t before;

	(void)state;
	scene_init(&s, UINT64_C(1) << 40);
	assert_int_equal(salted(&s, VD_SALTED_LIST, -1), VD_OK);
	before = heap_bytes();
	for (int i = 0; i < 1000; i++) {
		struct vd_gaps_writer w = { .out = &s.m };

		put_head(&s, 40, VD_LIST_ENTRIES_MAX);
		if (i)
			vd_buf_reset(&s.m);
		for (int k = 0; k < 5000; k++)
			vd_gaps_put(&gaps, &w, item += 1000);
		vd_gaps_put_end(&w);
		assert_int_equal(list(&s), VD_OK);
	}
	assert_in_range(heap_bytes(), 0, before + 2 * 1024 * 1024);
	scene_deinit(&s);
}

/* 100 entries: cut anywhere, or one more or fewer than was said. */
static void test_list__of_another_length(void **state)
{
	struct vd_buf whole = { 0 };
	struct scene s;

	(void)state;
	for (uint8_t said = 99; said <= 101; said++) {
		struct vd_gaps gaps = vd_gaps(20, 100);
		struct vd_gaps_writer w = { .out = &whole };

		vd_buf_reset(&whole);
		vd_buf_put_u8(&whole, 20);
		vd_buf_put_u8(&whole, said);
		for (uint64_t i = 0; i < 100; i++)
			vd_gaps_put(&gaps, &w, i * 1000);
		vd_gaps_put_end(&w);
		for (size_t n = said == 100 ? 0 : whole.n; n <= whole.n; n++) {
			int rc;

			scene_init(&s, 1000);
			assert_int_equal(salted(&s, VD_SALTED_LIST, -1), VD_OK);
			rc = vd_reconcile_feed(&s.r, VD_MSG_LIST, vd_slice(whole.p, n));
			/* where no entry is cut in two the rest may follow */
			assert_true(rc == (said < 100 ? VD_EFORMAT : VD_OK) || (rc == VD_EFORMAT && n < whole.n));
			assert_true(n >= 2 || rc == VD_EFORMAT);
			assert_int_equal(s.r.finished, !rc && said == 100 && n == whole.n);
			/* when it is over it is over */
			if (s.r.finished)
				assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_LIST, vd_slice(whole.p + 2, 3)), VD_EFORMAT);
			scene_deinit(&s);
		}
	}
	vd_buf_deinit(&whole);
}

/* Of the 100 that it lists: before it has, none, beyond the last, a part, more than once. */
static void test_list__wanted_badly(void **state)
{
	static const uint8_t none[14], beyond[13] = { [12] = 0x08 };
	struct scene s;

	(void)state;
	for (int what = 0; what < 6; what++) {
		scene_init(&s, 1000);
		assert_int_equal(salted(&s, VD_SALTED_YOUR_LIST, 30), VD_OK);
		if (what == 0)
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 13)), VD_EFORMAT);
		if (what == 1)
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SETTLED, vd_slice(none, 1)), VD_EFORMAT);
		assert_true(drain(&s, VD_MSG_LIST));
		assert_int_equal(s.m.p[2], 30);
		assert_int_equal(s.m.p[3], 100);
		if (what == 2)
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 0)), VD_EFORMAT);
		if (what == 3) {
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 14)), VD_ECAP);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(beyond, 13)), VD_EFORMAT);
		}
		if (what == 4) {
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 12)), VD_OK);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SETTLED, vd_slice(none, 1)), VD_EFORMAT);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 2)), VD_ECAP);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 1)), VD_OK);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_WANT, vd_slice(none, 1)), VD_ECAP);
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_LIST, vd_slice(none, 2)), VD_EFORMAT);
		}
		if (what == 5)
			assert_int_equal(vd_reconcile_feed(&s.r, VD_MSG_SETTLED, vd_slice(none, 1)), VD_OK);
		scene_deinit(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list__large_differences_cost_a_hundredth),
		cmocka_unit_test(test_list__a_tenth_apart),
		cmocka_unit_test(test_list__converges),
		cmocka_unit_test(test_list__vector),
		cmocka_unit_test(test_list__announced_badly),
		cmocka_unit_test(test_list__begun_badly),
		cmocka_unit_test(test_list__without_end),
		cmocka_unit_test(test_list__of_another_length),
		cmocka_unit_test(test_list__wanted_badly),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
