/* One honest session, and whatever a hostile peer feeds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/pair.h"

struct hostile {
	struct pair p;
	struct vd_session *s;
	struct memory *m;
};

/* `initiator` is the role of the honest one. Past the hellos, which differ. */
static void hostile_init(struct hostile *h, bool initiator)
{
	pair_init(&h->p, 90, 3);
	pair_common(&h->p, 400, VD_LANE_NORMAL);
	pair_write(&h->p, 10, VD_LANE_NORMAL, true, false);
	pair_write(&h->p, 10, VD_LANE_NORMAL, false, true);
	pair_connect(&h->p);
	h->s = initiator ? h->p.a.s : h->p.b.s;
	h->m = initiator ? &h->p.a.m : &h->p.b.m;
}

/* Delivers only up to the first message of `type` to the honest end; gives that message. */
static void run_until(struct hostile *h, uint8_t type, struct vd_buf *message)
{
	struct end *ends[2] = { &h->p.b, &h->p.a };

	for (int turn = 0; turn < 40; turn++) {
		struct end *from = ends[turn % 2], *to = ends[(turn + 1) % 2];
		uint8_t got;
		struct vd_buf out = { 0 };

		while (vd_session_drain(from->s, h->p.now_ms, &got, &out) == 1) {
			struct vd_batch *batch;

			if (to->s == h->s && got == type) {
				*message = out;
				return;
			}
			assert_int_equal(vd_session_feed(to->s, h->p.now_ms, got, vd_buf_slice(&out)), VD_OK);
			while ((batch = vd_session_batch(to->s)) != NULL) {
				memory_commit(&to->m, batch);
				assert_int_equal(vd_session_committed(to->s, h->p.now_ms, VD_OK), VD_OK);
			}
			vd_buf_reset(&out);
		}
		vd_buf_deinit(&out);
	}
	fail_msg("no message of type %u came", type);
}

static int feed(struct hostile *h, uint8_t type, const void *p, size_t n)
{
	return vd_session_feed(h->s, h->p.now_ms, type, vd_slice(p, n));
}

/* Every message cut short at every byte, and with every byte changed, ends the session or does no harm. */
static void test_session__truncated_and_flipped_messages(void **state)
{
	static const struct {
		uint8_t type;
		bool initiator;
		int cut; /* what a cut must give; 0: a shorter one may be whole */
	} cases[] = {
		{ VD_MSG_HELLO, false, VD_EFORMAT },  { VD_MSG_LANES, false, VD_EFORMAT }, { VD_MSG_LANES, true, VD_EFORMAT },
		{ VD_MSG_SYMBOLS, false, 0 },         { VD_MSG_WANT, true, 0 },            { VD_MSG_RECORDS, true, 0 },
		{ VD_MSG_RECORDS, false, 0 },         { VD_MSG_SETTLED, true, VD_EFORMAT }, { VD_MSG_SETTLED, false, VD_EFORMAT },
	};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		size_t n = 1, step = 1;

		for (size_t i = 0; i < 2 * n; i += step) {
			struct hostile h;
			struct vd_buf m = { 0 };
			int rc;

			hostile_init(&h, cases[c].initiator);
			run_until(&h, cases[c].type, &m);
			n = m.n;
			step = n > 60 ? n / 25 : n > 20 ? 3 : 1;
			if (i < n) {
				rc = feed(&h, cases[c].type, m.p, i);
				if (cases[c].cut)
					assert_int_equal(rc, cases[c].cut);
			} else {
				m.p[(i - n) % n] ^= (uint8_t)(1 << i % 8);
				rc = feed(&h, cases[c].type, m.p, n);
			}
			assert_true(rc == VD_OK || rc == VD_EFORMAT || rc == VD_ECAP || rc == VD_EAGAIN);
			vd_buf_deinit(&m);
			pair_deinit(&h.p);
		}
	}
}

static void test_session__messages_out_of_turn(void **state)
{
	static const uint8_t zeros[64];
	struct hostile h;
	struct vd_buf m = { 0 };

	(void)state;
	/* before the hello: nothing but a hello */
	for (uint8_t type = VD_MSG_LANES; type <= VD_MSG_WHOLE + 1; type++) {
		hostile_init(&h, false);
		assert_int_equal(feed(&h, type, zeros, 2), VD_EFORMAT);
		pair_deinit(&h.p);
	}
	/* a second hello; LANES nobody asked for; unknown types */
	hostile_init(&h, true);
	run_until(&h, VD_MSG_LANES, &m);
	assert_int_equal(feed(&h, VD_MSG_HELLO, m.p, m.n), VD_EFORMAT);
	assert_int_equal(feed(&h, 99, m.p, m.n), VD_EFORMAT);
	assert_int_equal(feed(&h, VD_MSG_LANES, m.p, m.n), VD_OK);
	assert_int_equal(feed(&h, VD_MSG_LANES, m.p, m.n), VD_EFORMAT);
	vd_buf_deinit(&m);
	pair_deinit(&h.p);
	/* wrong round, wrong lane, wrong role */
	hostile_init(&h, false);
	run_until(&h, VD_MSG_SYMBOLS, &m);
	m.p[0]++;
	assert_int_equal(feed(&h, VD_MSG_SYMBOLS, m.p, m.n), VD_EFORMAT);
	m.p[0]--;
	m.p[1] = 4;
	assert_int_equal(feed(&h, VD_MSG_SYMBOLS, m.p, m.n), VD_EFORMAT);
	m.p[1] = VD_LANE_NORMAL;
	assert_int_equal(feed(&h, VD_MSG_WANT, m.p, 2 + 8), VD_EFORMAT);
	assert_int_equal(feed(&h, VD_MSG_MORE, "\1\2\1", 3), VD_EFORMAT);
	/* LANES of the next round while this one is open */
	assert_int_equal(feed(&h, VD_MSG_LANES, "\2\0", 2), VD_EFORMAT);
	vd_buf_deinit(&m);
	pair_deinit(&h.p);
}

/* Symbols without end: the honest end takes what it has symbols for itself, and says that it failed. */
static void test_session__endless_symbols(void **state)
{
	struct hostile h;
	struct vd_buf m = { 0 }, out = { 0 };
	uint8_t type;
	bool settled = false;

	(void)state;
	hostile_init(&h, false);
	run_until(&h, VD_MSG_SYMBOLS, &m);
	for (int i = 0; i < 200; i++) {
		vd_buf_reset(&out);
		vd_buf_put_u8(&out, 1);
		vd_buf_put_u8(&out, VD_LANE_NORMAL);
		vd_buf_put_varint(&out, UINT64_MAX);
		for (int k = 0; k < 500; k++) {
			uint8_t junk[VD_ITEM_BYTES + 4];

			world_bytes(&h.p.w, junk, sizeof(junk));
			vd_buf_put(&out, junk, sizeof(junk));
			vd_buf_put_u8(&out, (uint8_t)junk[0] & 0x7f);
		}
		assert_int_equal(feed(&h, VD_MSG_SYMBOLS, out.p, out.n), VD_OK);
	}
	vd_buf_reset(&out);
	while (vd_session_drain(h.s, 1, &type, &out) == 1) {
		settled |= type == VD_MSG_SETTLED && out.n > 3;
		vd_buf_reset(&out);
	}
	assert_true(settled);
	vd_buf_deinit(&m);
	vd_buf_deinit(&out);
	pair_deinit(&h.p);
}

/* Wants are answered at most as often as names could be learnt. */
static void test_session__wants_of_nothing_and_without_end(void **state)
{
	struct hostile h;
	struct vd_buf m = { 0 }, want = { 0 };
	int rc = VD_OK, rounds = 0;

	(void)state;
	hostile_init(&h, true);
	run_until(&h, VD_MSG_WANT, &m);
	vd_buf_put_u8(&want, 1);
	vd_buf_put_u8(&want, VD_LANE_NORMAL);
	for (uint64_t i = 0; i < 10; i++)
		vd_buf_put_u64(&want, i);
	while (!rc && rounds++ < 1000)
		rc = feed(&h, VD_MSG_WANT, want.p, want.n);
	assert_int_equal(rc, VD_ECAP);
	assert_in_range(rounds, 2, 100);
	vd_buf_deinit(&m);
	vd_buf_deinit(&want);
	pair_deinit(&h.p);
}

static void test_session__huge_claims(void **state)
{
	static const uint8_t total[] = { 1, VD_LANE_NORMAL, VD_SALTED_SYMBOLS };
	struct hostile h;
	struct vd_buf m = { 0 }, salted = { 0 };

	(void)state;
	hostile_init(&h, false);
	run_until(&h, VD_MSG_SYMBOLS, &m);
	vd_buf_put(&salted, total, sizeof(total));
	vd_buf_put(&salted, m.p, VD_SALT_BYTES);
	vd_buf_put_varint(&salted, VD_SALTED_SYMBOLS_MAX + 1);
	assert_int_equal(feed(&h, VD_MSG_SALTED, salted.p, salted.n), VD_EFORMAT);
	/* more symbols than either has records */
	salted.n = sizeof(total) + VD_SALT_BYTES;
	vd_buf_put_varint(&salted, 410 + 64 + 1);
	assert_int_equal(feed(&h, VD_MSG_SALTED, salted.p, salted.n), VD_EFORMAT);
	/* of no way */
	salted.n = sizeof(total) + VD_SALT_BYTES;
	for (uint8_t how = 0; how <= VD_SALTED_YOUR_LIST + 1; how++) {
		salted.p[2] = how;
		if (how != VD_SALTED_LIST)
			assert_int_equal(feed(&h, VD_MSG_SALTED, salted.p, salted.n), VD_EFORMAT);
	}
	/* bits of an item that none has */
	salted.p[2] = VD_SALTED_YOUR_LIST;
	vd_buf_put_u8(&salted, 0);
	assert_int_equal(feed(&h, VD_MSG_SALTED, salted.p, salted.n), VD_EFORMAT);
	salted.p[salted.n - 1] = VD_LIST_BITS_MAX + 1;
	assert_int_equal(feed(&h, VD_MSG_SALTED, salted.p, salted.n), VD_EFORMAT);
	vd_buf_deinit(&m);
	vd_buf_deinit(&salted);
	pair_deinit(&h.p);
}

/* Who asks for more symbols than there are is told so, once. */
static void test_session__more_without_end(void **state)
{
	static const uint8_t more[] = { 1, VD_LANE_NORMAL, 0xff, 0xff, 0x7f };
	struct hostile h;
	struct vd_buf m = { 0 }, out = { 0 };
	int rc = VD_OK, rounds = 0;

	(void)state;
	hostile_init(&h, true);
	run_until(&h, VD_MSG_LANES, &m);
	assert_int_equal(feed(&h, VD_MSG_LANES, m.p, m.n), VD_OK);
	while (!rc && rounds++ < 1000) {
		uint8_t type;

		while (vd_session_drain(h.s, h.p.now_ms, &type, &out) == 1)
			vd_buf_reset(&out);
		rc = feed(&h, VD_MSG_MORE, more, sizeof(more));
	}
	assert_int_equal(rc, VD_ECAP);
	assert_int_equal(rounds, 3);
	vd_buf_deinit(&m);
	vd_buf_deinit(&out);
	pair_deinit(&h.p);
}

/* A flood of records that are none ends the session; nothing of it is kept. */
static void test_session__floods_of_bad_records(void **state)
{
	struct hostile h;
	struct vd_buf m = { 0 }, flood = { 0 };
	int rc = VD_OK, n = 0;
	size_t before;

	(void)state;
	hostile_init(&h, false);
	run_until(&h, VD_MSG_SYMBOLS, &m);
	before = h.m->count;
	while (!rc && n++ < 1000) {
		vd_buf_reset(&flood);
		for (int i = 0; i < 100; i++) {
			struct vd_buf raw = { 0 };
			struct vd_record record;
			struct vd_id id;

			world_write(&h.p.w, 1, VD_LANE_NORMAL, 0, &raw, &id);
			assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_OK);
			raw.p[record.header.n + 3] ^= 1; /* the signature */
			h.p.w.writers[1].has_last[VD_LANE_NORMAL] = false;
			vd_buf_put_varint(&flood, raw.n + 1);
			vd_compact_put_whole(vd_buf_slice(&raw), &flood);
			vd_buf_deinit(&raw);
		}
		rc = feed(&h, VD_MSG_RECORDS, flood.p, flood.n);
		while (!rc && vd_session_batch(h.s)) {
			memory_commit(h.m, vd_session_batch(h.s));
			rc = vd_session_committed(h.s, h.p.now_ms, VD_OK);
		}
	}
	assert_int_equal(rc, VD_ECAP);
	assert_int_equal(h.m->count, before);
	vd_buf_deinit(&m);
	vd_buf_deinit(&flood);
	pair_deinit(&h.p);
}

static void discard(struct hostile *h)
{
	struct vd_buf out = { 0 };
	uint8_t type;

	while (vd_session_drain(h->s, h->p.now_ms, &type, &out) == 1)
		vd_buf_reset(&out);
	vd_buf_deinit(&out);
}

/* Rounds that find equal sets cost nothing; they must not pay for others that cost a pass over the lane. */
static void test_session__rounds_without_end(void **state)
{
	struct hostile h;
	struct vd_buf m = { 0 }, theirs = { 0 };
	uint8_t type, round = 1, settled[] = { 0, VD_LANE_NORMAL, 0 };
	int rc = VD_OK, rounds = 0;

	(void)state;
	hostile_init(&h, false);
	run_until(&h, VD_MSG_LANES, &m);
	/* what the honest end says of itself */
	assert_int_equal(feed(&h, VD_MSG_LANES, m.p, m.n), VD_OK);
	assert_int_equal(vd_session_drain(h.s, h.p.now_ms, &type, &theirs), 1);
	assert_int_equal(type, VD_MSG_LANES);
	while (!rc && rounds++ < 1000) {
		settled[0] = round;
		rc = feed(&h, VD_MSG_SETTLED, settled, sizeof(settled));
		discard(&h);
		theirs.p[0] = ++round;
		if (!rc)
			rc = feed(&h, VD_MSG_LANES, theirs.p, theirs.n);
		discard(&h);
		m.p[0] = ++round;
		if (!rc)
			rc = feed(&h, VD_MSG_LANES, m.p, m.n);
		discard(&h);
	}
	assert_int_equal(rc, VD_ECAP);
	assert_in_range(rounds, VD_ROUNDS_MAX, 4 * VD_ROUNDS_MAX);
	vd_buf_deinit(&m);
	vd_buf_deinit(&theirs);
	pair_deinit(&h.p);
}

/* A pass over the lane is paid for: by device, not by session. */
static void test_session__passes_without_end(void **state)
{
	static uint8_t salted[3 + VD_SALT_BYTES + 1] = { 1, VD_LANE_NORMAL, VD_SALTED_SYMBOLS, [3 + VD_SALT_BYTES] = 1 };
	struct vd_terms terms = { .passes_ms = 0 };
	int rc = VD_OK, sessions = 0;

	(void)state;
	while (!rc && sessions++ < 500) {
		struct hostile h;
		struct vd_buf m = { 0 };

		hostile_init(&h, false);
		h.p.b.m.lanes[VD_LANE_NORMAL].digest.count = 100000;
		vd_session_recall(h.s, &terms, NULL);
		run_until(&h, VD_MSG_LANES, &m);
		assert_int_equal(feed(&h, VD_MSG_LANES, m.p, m.n), VD_OK);
		rc = feed(&h, VD_MSG_SALTED, salted, sizeof(salted));
		terms = *vd_session_terms(h.s);
		vd_buf_deinit(&m);
		pair_deinit(&h.p);
	}
	assert_int_equal(rc, VD_EBUSY);
	assert_in_range(sessions, 20, 30);
}

/* Random messages with plausible beginnings, at both roles. */
static void test_session__garbage(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct hostile h;
		struct vd_buf m = { 0 };

		hostile_init(&h, seed & 1);
		run_until(&h, seed & 1 ? VD_MSG_LANES : VD_MSG_SYMBOLS, &m);
		h.p.w.random = seed;
		for (int i = 0; i < 300; i++) {
			uint8_t junk[200], type = (uint8_t)(2 + world_random(&h.p.w, 14));
			size_t n = (size_t)world_random(&h.p.w, sizeof(junk));
			struct vd_buf out = { 0 };
			int rc;

			world_bytes(&h.p.w, junk, sizeof(junk));
			junk[0] = 1;
			junk[1] = VD_LANE_NORMAL;
			if (world_random(&h.p.w, 2))
				n = 2 + n / 8 * 8 % (sizeof(junk) - 2);
			rc = feed(&h, type, junk, n);
			assert_true(rc == VD_OK || rc == VD_EFORMAT || rc == VD_ECAP || rc == VD_EAGAIN);
			for (int k = 0; k < 20 && vd_session_drain(h.s, h.p.now_ms, &type, &out) == 1; k++)
				vd_buf_reset(&out);
			if (vd_session_batch(h.s))
				assert_true(vd_session_committed(h.s, h.p.now_ms, VD_OK) <= 0);
			vd_buf_deinit(&out);
		}
		vd_buf_deinit(&m);
		pair_deinit(&h.p);
	}
}

static int setup(void **state)
{
	(void)state;
	return vd_sign_selftest();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session__more_without_end),
		cmocka_unit_test(test_session__truncated_and_flipped_messages),
		cmocka_unit_test(test_session__messages_out_of_turn),
		cmocka_unit_test(test_session__endless_symbols),
		cmocka_unit_test(test_session__wants_of_nothing_and_without_end),
		cmocka_unit_test(test_session__huge_claims),
		cmocka_unit_test(test_session__floods_of_bad_records),
		cmocka_unit_test(test_session__rounds_without_end),
		cmocka_unit_test(test_session__passes_without_end),
		cmocka_unit_test(test_session__garbage),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
