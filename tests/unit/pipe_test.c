#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/pipe.h"
#include "tests/sim/world.h"

enum { GROUPS = 6, LATENCY_MS = 50, TURN_MS = 2 * LATENCY_MS, IN_FLIGHT = 4096 };

/* --- one device in several groups: a store for each, whose arrival numbers tell which --- */

struct store {
	struct memory m[GROUPS];
	struct vd_group *groups[GROUPS];
	bool in[GROUPS];
	struct vd_port port;
};

static uint64_t outer(size_t g, uint64_t arrival)
{
	return arrival + ((uint64_t)g << 40);
}

static uint64_t inner(size_t g, uint64_t arrival)
{
	return arrival > (uint64_t)g << 40 ? arrival - ((uint64_t)g << 40) : 0;
}

static size_t which(const struct store *s, const uint8_t *group)
{
	size_t g = 0;

	while (!s->in[g] || memcmp(vd_group_id(s->groups[g]), group, VD_GROUP_BYTES) != 0)
		g++;
	return g;
}

static int store_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.lane(s->m[g].port.ctx, group, lane, out, symbols, n);

	out->latest = outer(g, out->latest);
	return rc;
}

static int store_lane_without(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *out,
                              struct vd_symbol *symbols, size_t n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.lane_without(s->m[g].port.ctx, group, lane, leaving, out, symbols, n);

	out->latest = outer(g, out->latest);
	return rc;
}

static int store_declined(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	struct store *s = ctx;
	size_t g = which(s, group);

	return s->m[g].port.declined(s->m[g].port.ctx, group, out);
}

static void lift(size_t g, struct vd_arrival *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i].arrival = outer(g, out[i].arrival);
}

static int store_find_item(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES], struct vd_arrival *out,
                           size_t max, size_t *n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.find_item(s->m[g].port.ctx, group, lane, item, out, max, n);

	lift(g, out, rc ? 0 : *n);
	return rc;
}

static int store_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	struct store *s = ctx;
	size_t g = (size_t)(arrival >> 40);

	return s->m[g].port.read(s->m[g].port.ctx, inner(g, arrival), out);
}

static int store_scan(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.scan(s->m[g].port.ctx, group, lane, inner(g, after), out, max, n);

	lift(g, out, rc ? 0 : *n);
	return rc;
}

static int store_wanted(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.wanted(s->m[g].port.ctx, group, lane, inner(g, after), out, max, n);

	lift(g, out, rc ? 0 : *n);
	return rc;
}

static int store_numbers(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	struct store *s = ctx;
	size_t g = which(s, group);
	int rc = s->m[g].port.numbers(s->m[g].port.ctx, group, lane, inner(g, after), out, max, n);

	for (size_t i = 0; !rc && i < *n; i++)
		out[i] = outer(g, out[i]);
	return rc;
}

static bool store_vouched(void *ctx, const struct vd_record *r)
{
	struct store *s = ctx;
	size_t g = which(s, r->group);

	return s->m[g].port.vouched(s->m[g].port.ctx, r);
}

/* --- two ends and what is on the way --- */

struct flight {
	uint64_t at_ms;
	struct vd_buf bytes;
};

struct side {
	struct store s;
	struct vd_pipe *pipe;
	struct flight to[IN_FLIGHT]; /* this side */
	size_t first, count;
	size_t piece;                /* bytes are fed so many at a time */
	bool told, ended;            /* our end is closed; theirs is, and we were told */
	uint64_t end_at_ms, over_ms; /* … when that arrives; when we were over */
	uint64_t bytes;              /* sent */
	int commit_rc;
};

static struct world worlds[GROUPS];
static struct side a, b;
static uint64_t now_ms;

static void side_init(struct side *s, size_t who, const char *groups)
{
	memset(s, 0, sizeof(*s));
	s->piece = 4000;
	s->s.port = (struct vd_port){ &s->s, store_lane, store_lane_without, store_declined, store_find_item, store_read, store_scan,
		                      store_numbers, store_wanted, store_vouched, NULL, NULL, NULL };
	for (size_t g = 0; g < GROUPS; g++) {
		s->s.in[g] = strchr(groups, (int)('0' + g)) != NULL;
		if (!s->s.in[g])
			continue;
		s->s.groups[g] = world_group(&worlds[g], who);
		world_memory(&worlds[g], &s->s.m[g], s->s.groups[g]);
	}
}

static void side_begin(struct side *s, bool yields, uint8_t seed)
{
	struct vd_group *groups[GROUPS];
	uint8_t seeds[VD_NODE_SEED_BYTES];
	size_t n = 0;

	for (size_t g = 0; g < GROUPS; g++)
		if (s->s.in[g])
			groups[n++] = s->s.groups[g];
	memset(seeds, seed, sizeof(seeds));
	s->pipe = vd_pipe_new(&s->s.port, groups, n, yields, seeds);
	assert_non_null(s->pipe);
}

static void side_deinit(struct side *s)
{
	vd_pipe_free(s->pipe);
	for (size_t i = s->first; i < s->count; i++)
		vd_buf_deinit(&s->to[i].bytes);
	for (size_t g = 0; g < GROUPS; g++)
		if (s->s.in[g]) {
			memory_deinit(&s->s.m[g]);
			vd_group_free(s->s.groups[g]);
		}
}

/* Who of the two is in which groups, by their digits. Everybody is known in all of them. */
static void setup(const char *in_a, const char *in_b)
{
	now_ms = 1000;
	for (size_t g = 0; g < GROUPS; g++)
		world_init(&worlds[g], 10 + g, 2);
	side_init(&a, 0, in_a);
	side_init(&b, 1, in_b);
}

static void teardown(void)
{
	side_deinit(&a);
	side_deinit(&b);
	for (size_t g = 0; g < GROUPS; g++)
		world_deinit(&worlds[g]);
}

static void write_some(struct side *s, size_t g, size_t count)
{
	for (size_t i = 0; i < count; i++)
		world_write_to(&worlds[g], s == &b, VD_LANE_NORMAL, 100, &s->s.m[g]);
}

/* Records that both have and that never travel. */
static void common(size_t g, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct vd_id id;

		world_bytes(&worlds[g], &id, sizeof(id));
		memory_add_id(&a.s.m[g], VD_LANE_NORMAL, &id);
		memory_add_id(&b.s.m[g], VD_LANE_NORMAL, &id);
	}
}

static void commit(struct side *s)
{
	struct vd_group *group;
	struct vd_batch *batch;

	while ((batch = vd_pipe_batch(s->pipe, &group)) != NULL) {
		if (!s->commit_rc)
			memory_commit(&s->s.m[which(&s->s, vd_group_id(group))], batch);
		vd_pipe_committed(s->pipe, now_ms, s->commit_rc);
	}
}

static void send_to(struct side *to, const void *p, size_t n)
{
	struct flight *f = &to->to[to->count++];

	assert_true(to->count < IN_FLIGHT);
	f->at_ms = now_ms + LATENCY_MS;
	vd_buf_put(&f->bytes, p, n);
}

static bool step(struct side *s, struct side *other)
{
	bool moved = false;
	struct vd_buf out = { 0 };

	while (s->first < s->count && s->to[s->first].at_ms <= now_ms && (vd_pipe_wants_input(s->pipe) || vd_pipe_over(s->pipe))) {
		struct flight *f = &s->to[s->first];
		size_t n = f->bytes.n < s->piece ? f->bytes.n : s->piece;

		vd_pipe_feed(s->pipe, now_ms, vd_slice(f->bytes.p, n));
		vd_buf_drop(&f->bytes, n);
		if (!f->bytes.n) {
			vd_buf_deinit(&f->bytes);
			s->first++;
		}
		commit(s);
		moved = true;
	}
	if (s->first == s->count && s->end_at_ms && s->end_at_ms <= now_ms && !s->told) {
		s->told = true;
		vd_pipe_ended(s->pipe, now_ms);
		commit(s);
		moved = true;
	}
	while (vd_pipe_wants_output(s->pipe)) {
		assert_int_equal(vd_pipe_drain(s->pipe, now_ms, 16384, &out), 0);
		commit(s);
		moved = true;
	}
	if (out.n && other)
		send_to(other, out.p, out.n);
	s->bytes += out.n;
	vd_buf_deinit(&out);
	if (vd_pipe_over(s->pipe) && !s->ended) {
		s->ended = true;
		s->over_ms = now_ms;
		if (other)
			other->end_at_ms = now_ms + LATENCY_MS;
	}
	return moved;
}

/* Both move; what the first says gets to `reached`, if to anybody. */
static bool turn(struct side *reached)
{
	bool moved = step(&a, reached);

	return step(&b, &a) || moved;
}

/* Until both are over; false when that takes longer. */
static bool run(uint64_t ms)
{
	for (uint64_t end = now_ms + ms; now_ms < end; now_ms++) {
		while (turn(&b))
			;
		if (a.ended && b.ended)
			return true;
		vd_pipe_tick(a.pipe, now_ms);
		vd_pipe_tick(b.pipe, now_ms);
	}
	return false;
}

static const struct vd_pipe_met *met(const struct side *s, size_t g)
{
	size_t n;
	const struct vd_pipe_met *m = vd_pipe_groups(s->pipe, &n);

	for (size_t i = 0; i < n; i++)
		if (m[i].group == s->s.groups[g])
			return &m[i];
	return NULL;
}

static void want_done(size_t g)
{
	assert_true(met(&a, g)->complete && met(&b, g)->complete);
	assert_true(memory_equal(&a.s.m[g], &b.s.m[g]));
	assert_memory_equal(met(&a, g)->peer, worlds[g].writers[1].identity.author, VD_KEY_BYTES);
	assert_memory_equal(met(&b, g)->peer, worlds[g].writers[0].identity.author, VD_KEY_BYTES);
}

/* Issue: 100 new both ways of many, 100 ms there and back: at most four times that until both hold everything and say so. */
static void test_pipe__four_round_trips(void **state)
{
	(void)state;
	size_t four = 0;

	for (uint8_t seed = 1; seed <= 20; seed++) {
		uint64_t began;

		setup("0", "0");
		common(0, seed == 1 ? 100000 : 2000);
		write_some(&a, 0, 100);
		write_some(&b, 0, 100);
		side_begin(&a, true, seed);
		side_begin(&b, false, (uint8_t)(seed + 100));
		began = now_ms;
		assert_true(run(5000));
		assert_int_equal(vd_pipe_err(a.pipe), 0);
		assert_int_equal(vd_pipe_err(b.pipe), 0);
		want_done(0);
		/* one in some takes a second burst of symbols */
		assert_in_range(met(&b, 0)->stats.round_trips, 2, 3);
		four += met(&b, 0)->stats.round_trips == 2;
		assert_in_range(a.over_ms - began, 0, (met(&b, 0)->stats.round_trips + 2) * TURN_MS);
		assert_in_range(b.over_ms - began, 0, (met(&b, 0)->stats.round_trips + 2) * TURN_MS + LATENCY_MS);
		teardown();
	}
	assert_true(four >= 16);
}

static void test_pipe__either_end_may_begin(void **state)
{
	bool began[2] = { false };

	(void)state;
	for (uint8_t seed = 1; seed < 12; seed++) {
		setup("0", "0");
		write_some(&a, 0, 3);
		write_some(&b, 0, 5);
		a.piece = b.piece = 1 + seed % 3;
		side_begin(&a, false, seed);
		side_begin(&b, false, (uint8_t)(seed + 100));
		assert_true(run(5000));
		want_done(0);
		assert_int_equal(met(&a, 0)->stats.sent, 3);
		assert_int_equal(met(&a, 0)->stats.received, 5);
		began[a.over_ms < b.over_ms] = true;
		teardown();
	}
	assert_true(began[0] && began[1]);
}

static void test_pipe__every_group_of_both(void **state)
{
	static const char *const in[][3] = {
		{ "012", "012", "012" }, { "012", "12", "12" }, { "0135", "0245", "05" }, { "012345", "012345", "012345" }, { "01234", "4", "4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		for (int swapped = 0; swapped < 2; swapped++)
			for (uint8_t seed = 1; seed < 6; seed++) {
				setup(in[i][swapped], in[i][!swapped]);
				for (size_t g = 0; g < GROUPS; g++) {
					if (a.s.in[g])
						write_some(&a, g, 2);
					if (b.s.in[g])
						write_some(&b, g, 3);
				}
				side_begin(&a, seed % 2, seed);
				side_begin(&b, false, (uint8_t)(seed + 50));
				assert_true(run(10000));
				assert_int_equal(vd_pipe_err(a.pipe), 0);
				assert_int_equal(vd_pipe_err(b.pipe), 0);
				for (size_t g = 0; g < GROUPS; g++)
					if (strchr(in[i][2], (int)('0' + g)))
						want_done(g);
					else if (a.s.in[g])
						assert_false(met(&a, g)->opened || met(&a, g)->err);
				teardown();
			}
}

static void test_pipe__nothing_in_common(void **state)
{
	(void)state;
	for (uint8_t seed = 1; seed < 6; seed++) {
		setup("01", "23");
		side_begin(&a, false, seed);
		side_begin(&b, false, (uint8_t)(seed + 100));
		assert_true(run(5000));
		/* who began learns it from the silence */
		assert_true(vd_pipe_err(a.pipe) == VD_EGROUP || vd_pipe_err(b.pipe) == VD_EGROUP);
		assert_int_equal(vd_pipe_err(a.pipe), VD_EGROUP);
		assert_int_equal(vd_pipe_err(b.pipe), VD_EGROUP);
		/* and nobody said more than prologue and one first message */
		assert_true(a.bytes + b.bytes == 32 + 32 + 48);
		teardown();
	}
}

/* One end has not heard of an epoch: whichever begins. */
static void test_pipe__one_that_was_away_catches_up(void **state)
{
	(void)state;
	for (uint8_t seed = 1; seed < 9; seed++) {
		setup("012", "012");
		for (size_t g = 0; g < 2; g++) {
			struct side *ahead = seed % 2 ? &a : &b;

			world_epoch(&worlds[g]);
			vd_batch_seal(&worlds[g].control);
			memory_add(&ahead->s.m[g], &worlds[g].control.entries[worlds[g].control.count - 1].record);
			assert_int_equal(vd_group_add(ahead->s.groups[g], &worlds[g].control.entries[worlds[g].control.count - 1].record), 0);
		}
		for (size_t g = 0; g < 3; g++) {
			write_some(&a, g, 2);
			write_some(&b, g, 2);
		}
		side_begin(&a, seed & 4, seed);
		side_begin(&b, false, (uint8_t)(seed + 77));
		assert_true(run(10000));
		for (size_t g = 0; g < 3; g++)
			want_done(g);
		teardown();
	}
}

/* One that proved to be who it is and has no role any more gets nothing, and the next group is served. */
static void test_pipe__one_group_where_it_was_removed(void **state)
{
	(void)state;
	for (uint8_t seed = 1; seed < 6; seed++) {
		setup("01", "01");
		world_revoke(&worlds[0], 1);
		vd_batch_seal(&worlds[0].control);
		memory_add(&a.s.m[0], &worlds[0].control.entries[worlds[0].control.count - 1].record);
		assert_int_equal(vd_group_add(a.s.groups[0], &worlds[0].control.entries[worlds[0].control.count - 1].record), 0);
		write_some(&a, 0, 2);
		write_some(&a, 1, 2);
		side_begin(&a, seed % 2, seed);
		side_begin(&b, false, (uint8_t)(seed + 77));
		assert_true(run(60000));
		assert_false(met(&a, 0)->opened || met(&b, 0)->complete);
		assert_int_equal(met(&b, 0)->stats.received, 0);
		teardown();
	}
}

static void test_pipe__echo(void **state)
{
	struct vd_buf out = { 0 };

	(void)state;
	setup("0", "0");
	side_begin(&a, true, 1);
	side_begin(&b, true, 2);
	assert_int_equal(vd_pipe_drain(a.pipe, now_ms, 1000, &out), 0);
	assert_int_equal(out.n, 32);
	vd_pipe_feed(a.pipe, now_ms, vd_buf_slice(&out));
	assert_true(vd_pipe_over(a.pipe));
	assert_int_equal(vd_pipe_err(a.pipe), VD_EEXISTS);
	vd_buf_deinit(&out);
	teardown();
}

/* Whatever comes, it ends, and at once where more is not worth waiting for. */
static void test_pipe__garbage(void **state)
{
	(void)state;
	for (int k = 0; k < 200; k++) {
		uint8_t bytes[700];
		size_t n = (size_t)k * 3;

		setup("01", "0");
		world_bytes(&worlds[0], bytes, sizeof(bytes));
		if (k % 3 == 0)
			memset(bytes, k % 2 ? 'A' : 0xff, 32);
		side_begin(&a, k % 2, 1);
		side_begin(&b, false, 2);
		send_to(&a, bytes, n);
		a.end_at_ms = now_ms + 2 * LATENCY_MS;
		for (int i = 0; i < 1000 && !vd_pipe_over(a.pipe); i++, now_ms++)
			step(&a, NULL);
		assert_true(vd_pipe_over(a.pipe));
		assert_true(vd_pipe_err(a.pipe) == VD_EGROUP || vd_pipe_err(a.pipe) == VD_ECLOSED);
		assert_false(met(&a, 0)->opened || met(&a, 1)->opened);
		teardown();
	}
}

/* The line is cut after so many bytes of either direction: what came is stored, and nobody waits for ever. */
static void test_pipe__cut_anywhere(void **state)
{
	bool whole = false;

	(void)state;
	for (size_t cut = 0; !whole; cut += cut < 400 ? 7 : 101) {
		setup("01", "01");
		write_some(&a, 0, 3);
		write_some(&b, 1, 3);
		side_begin(&a, true, 3);
		side_begin(&b, false, 4);
		for (int i = 0; i < 5000 && !(a.ended && b.ended); i++, now_ms++) {
			while (turn(a.bytes < cut ? &b : NULL))
				;
			if (a.bytes >= cut && !a.end_at_ms) {
				a.end_at_ms = now_ms + LATENCY_MS;
				b.end_at_ms = now_ms + LATENCY_MS;
			}
		}
		assert_true(a.ended && b.ended);
		whole = a.bytes < cut;
		if (whole) {
			want_done(0);
			want_done(1);
		}
		teardown();
	}
}

/* Nothing comes any more, and the line stands. */
static void test_pipe__silence(void **state)
{
	(void)state;
	for (size_t cut = 1; cut < 600; cut += 13) {
		setup("0", "0");
		write_some(&a, 0, 3);
		side_begin(&a, true, 3);
		side_begin(&b, false, 4);
		for (int i = 0; i < 1500 && a.bytes < cut; i++, now_ms++)
			while (turn(&b))
				;
		for (int i = 0; i < 3 * VD_STALL_MS && !vd_pipe_over(b.pipe); i++, now_ms++) {
			step(&b, NULL);
			vd_pipe_tick(b.pipe, now_ms);
		}
		if (vd_pipe_heard(b.pipe))
			assert_true(vd_pipe_over(b.pipe));
		else
			assert_int_equal(vd_pipe_deadline(b.pipe), UINT64_MAX);
		teardown();
	}
}

static void test_pipe__a_disk_that_fails(void **state)
{
	(void)state;
	setup("01", "01");
	write_some(&a, 0, 3);
	write_some(&a, 1, 3);
	b.commit_rc = VD_ENOSPACE;
	side_begin(&a, true, 3);
	side_begin(&b, false, 4);
	assert_true(run(5000));
	assert_int_equal(vd_pipe_err(b.pipe), VD_ENOSPACE);
	assert_int_not_equal(vd_pipe_err(a.pipe) || met(&a, 0)->err, 0);
	assert_false(met(&a, 0)->complete || met(&b, 0)->complete || met(&a, 1)->complete);
	teardown();
}

static void test_pipe__stopped_anywhere(void **state)
{
	(void)state;
	for (int at = 0; at < 600; at += 20) {
		setup("01", "01");
		write_some(&a, 0, 30);
		write_some(&b, 1, 30);
		side_begin(&a, true, 3);
		side_begin(&b, false, 4);
		for (int i = 0; i < at; i++, now_ms++)
			while (turn(&b))
				;
		vd_pipe_stop(a.pipe, now_ms);
		assert_true(run(1000));
		teardown();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pipe__four_round_trips),
		cmocka_unit_test(test_pipe__either_end_may_begin),
		cmocka_unit_test(test_pipe__every_group_of_both),
		cmocka_unit_test(test_pipe__nothing_in_common),
		cmocka_unit_test(test_pipe__one_that_was_away_catches_up),
		cmocka_unit_test(test_pipe__one_group_where_it_was_removed),
		cmocka_unit_test(test_pipe__echo),
		cmocka_unit_test(test_pipe__garbage),
		cmocka_unit_test(test_pipe__cut_anywhere),
		cmocka_unit_test(test_pipe__silence),
		cmocka_unit_test(test_pipe__a_disk_that_fails),
		cmocka_unit_test(test_pipe__stopped_anywhere),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
