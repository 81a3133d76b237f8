/* Custody: what devices say they hold, and what is believed of it. */
#include "store/shares.h"
#include "tests/unit/custody_cast.h"

static void test_custody__comes_back_by_any_way(void **state)
{
	struct scene s;
	struct person *ana = &s.p[1], *luz = &s.p[2], *hub = &s.p[0];
	uint64_t at;

	(void)state;
	scene_start(&s, 1);
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 3);
	/* Carried, and yet nobody said so. */
	carry(&s, ana, luz, 0);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_NOT);
	/* Luz knows that Ana has what Ana wrote. */
	assert_int_equal(missing_of(luz, NULL, VD_LANE_NORMAL), 0);
	assert_int_equal(missing_of(luz, hub, VD_LANE_NORMAL), 3);
	/* By way of the hub, which has none of it. */
	tell(&s, luz, hub, false);
	tell(&s, hub, ana, true);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_LANE);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 0);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 3);
	/* What came after that is not said. */
	person_write(ana, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(holds(ana, luz, newest(ana)), VD_HOLDS_NOT);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 2);
	for (int i = 0; i < PEOPLE; i++)
		check(&s, &s.p[i]);
	scene_end(&s);
}

/* The same is not said twice, but for its promise when that runs out. */
static void test_custody__says_what_is_new(void **state)
{
	struct vd_buf first, again;
	struct vd_receipt r;
	struct scene s;
	uint32_t day;

	(void)state;
	scene_start(&s, 2);
	assert_int_equal(vd_custody_promised(s.p[1].store, s.p[1].group, &day), 0);
	assert_int_equal(day, 0);
	first = say(&s, &s.p[1]);
	assert_int_equal(vd_custody_promised(s.p[1].store, s.p[1].group, &day), 0);
	assert_int_equal(day, s.now_ms / 86400000 + VD_RECEIPT_DAYS);
	s.now_ms += 10 * UINT64_C(86400000);
	again = say(&s, &s.p[1]);
	assert_true(vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&again)));
	vd_buf_deinit(&again);
	s.now_ms += 10 * UINT64_C(86400000);
	again = say(&s, &s.p[1]);
	assert_false(vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&again)));
	assert_true(vd_receipt_same(vd_buf_slice(&first), vd_buf_slice(&again)));
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&again)), 1);
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&again)), 0);
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&first)), 0); /* an older one */
	/* A clock that went back: it still rises. */
	s.now_ms = MESH_NOW;
	person_write(&s.p[1], VD_LANE_URGENT, 1, 50);
	vd_buf_deinit(&first);
	first = say(&s, &s.p[1]);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&again), &r), 0);
	day = r.keep_until;
	{
		struct vd_receipt later;

		assert_int_equal(vd_receipt_decode(vd_buf_slice(&first), &later), 0);
		assert_true(later.count == r.count + 1 && later.keep_until == day);
	}
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&first)), 1);
	vd_buf_deinit(&first);
	vd_buf_deinit(&again);
	scene_end(&s);
}

/* Not signed by its author, of nobody's, cut: passed over, the others are kept. */
static void test_custody__forged_receipts(void **state)
{
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	struct vd_buf ana, luz, bad = { 0 };
	struct scene s;
	size_t kept;

	(void)state;
	scene_start(&s, 3);
	ana = say(&s, &s.p[1]);
	luz = say(&s, &s.p[2]);
	vd_buf_put_slice(&bad, vd_buf_slice(&luz));
	bad.p[bad.n - 1] ^= 1;
	{
		const struct vd_slice three[] = { vd_buf_slice(&bad), vd_slice(ana.p, ana.n - 1), vd_buf_slice(&ana), vd_slice(NULL, 0) };

		assert_int_equal(vd_custody_keep(s.p[0].store, s.p[0].group, three, 4, &route, s.now_ms, &kept), 0);
		assert_int_equal(kept, 1);
	}
	assert_true(told_count(&s.p[0], key_of(&s.p[1])) > 0);
	assert_int_equal(told_count(&s.p[0], key_of(&s.p[2])), 0);
	/* A later one than any device makes, without a signature. */
	vd_set_u64(bad.p + 2 + VD_KEY_BYTES, UINT64_MAX);
	assert_int_equal(keep(&s, &s.p[0], vd_buf_slice(&bad)), 0);
	vd_buf_deinit(&ana);
	vd_buf_deinit(&luz);
	vd_buf_deinit(&bad);
	scene_end(&s);
}

/* Two of one count: whichever comes first, both ends keep the same, and believe neither. */
static void test_custody__two_of_one_count(void **state)
{
	struct person *ana, *luz, *hub, *sol;
	struct vd_buf one, two = { 0 }, x = { 0 }, y = { 0 };
	struct vd_receipt r;
	struct scene s;

	(void)state;
	scene_start(&s, 4);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2], sol = &s.p[3];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	carry(&s, hub, ana, 0);
	one = say(&s, ana);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&one), &r), 0);
	r.time_ms++;
	assert_int_equal(vd_receipt_make(ana->group, &r, NULL, 0, &two), 0);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&one)), 1);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_LANE);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&two)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&two)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&one)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&one)) + keep(&s, luz, vd_buf_slice(&two)), 0);
	assert_int_equal(vd_custody_receipt(hub->store, s.mesh.group, key_of(ana), &x), 0);
	assert_int_equal(vd_custody_receipt(luz->store, s.mesh.group, key_of(ana), &y), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&x), vd_buf_slice(&y)));
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	/* A later one is believed again. */
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	s.now_ms++;
	tell(&s, ana, hub, false);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_SPAN);
	(void)sol;
	vd_buf_deinit(&one);
	vd_buf_deinit(&two);
	vd_buf_deinit(&x);
	vd_buf_deinit(&y);
	scene_end(&s);
}

/* A clock that was once in the future, and a backup restored after it: what the clock had it say counts for nobody, and does not stand against what is said later. */
static void test_custody__a_clock_in_the_future(void **state)
{
	enum { YEARS = 73 };
	struct person *hub, *ana, *luz;
	struct vd_buf ahead, again;
	struct vd_slice both[2];
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	struct vd_custody *c;
	struct vd_receipt r;
	struct scene s;
	size_t kept;

	(void)state;
	scene_start(&s, 11);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	carry(&s, hub, ana, 0);
	person_write(luz, VD_LANE_NORMAL, 1, 50);
	carry(&s, luz, ana, 0);
	carry(&s, luz, hub, 0);
	s.now_ms += YEARS * UINT64_C(365) * 86400000;
	ahead = say(&s, ana);
	/* The same clock: hub takes it, as of then. */
	assert_int_equal(keep(&s, hub, vd_buf_slice(&ahead)), 1);
	assert_int_equal(vd_custody_open_at(hub->store, hub->group, s.now_ms, &c), 0);
	assert_int_equal(vd_custody_keeper(c, 0)->heard_ms > 0 || vd_custody_keeper(c, 1)->heard_ms > 0 || vd_custody_keeper(c, 2)->heard_ms > 0, true);
	vd_custody_close(c);
	/* By a right one nobody was heard, and nothing is held. */
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	assert_int_equal(told_count(hub, key_of(ana)), 0);
	assert_int_equal(vd_custody_open(hub->store, hub->group, &c), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++) {
		assert_int_equal(vd_custody_keeper(c, i)->heard_ms, 0);
		assert_int_equal(vd_custody_keeper(c, i)->keep_until, 0);
	}
	vd_custody_close(c);
	s.now_ms = MESH_NOW + 5000;
	assert_int_equal(keep(&s, luz, vd_buf_slice(&ahead)), 1);
	assert_int_equal(told_count(luz, key_of(ana)), 0);
	/* Her clock is right again, as another's word tells: she says it anew, below what she said, and that stands, whatever comes in which order. */
	tell(&s, luz, ana, false);
	again = say(&s, ana);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&again), &r), 0);
	assert_int_equal(r.count, s.now_ms);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&again)), 1);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_LANE);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&ahead)), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&ahead)), 0);
	for (int order = 0; order < 2; order++) {
		both[order] = vd_buf_slice(&ahead);
		both[!order] = vd_buf_slice(&again);
		assert_int_equal(vd_custody_keep(luz->store, luz->group, both, 2, &route, s.now_ms, &kept), 0);
		assert_int_equal(kept, !order);
		assert_int_equal(told_count(luz, key_of(ana)), s.now_ms);
	}
	vd_buf_deinit(&ahead);
	vd_buf_deinit(&again);
	scene_end(&s);
}

/* What the clock of a device showed by which it said what is not believed; 0: there is nothing of that. */
static uint64_t shown_ahead(struct scene *s, struct person *p, const struct person *of)
{
	struct vd_custody *c;
	uint64_t ahead_ms = 1;

	assert_int_equal(vd_custody_open_at(p->store, p->group, s->now_ms, &c), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++)
		if (!memcmp(vd_custody_keeper(c, i)->author, key_of(of), VD_KEY_BYTES))
			ahead_ms = vd_custody_keeper(c, i)->ahead_ms;
	vd_custody_close(c);
	return ahead_ms;
}

/* One visit under a wrong clock, of a device of which something older is believed: it is known that this is why, and the next visit by a right one counts, as
 * one other said lately which time it is. */
static void test_custody__a_clock_set_right(void **state)
{
	const uint64_t days = 400, day_ms = 86400000;
	struct vd_buf first, ahead, right, behind;
	struct person *hub, *ana;
	struct vd_receipt r;
	struct scene s;

	(void)state;
	scene_start(&s, 12);
	hub = &s.p[0], ana = &s.p[1];
	first = say(&s, hub);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&first)), 1);
	tell(&s, ana, hub, false);
	s.now_ms += days * day_ms;
	ahead = say(&s, hub);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&ahead), &r), 0);
	assert_int_equal(r.count, s.now_ms);
	s.now_ms = MESH_NOW + 5000;
	assert_int_equal(shown_ahead(&s, ana, hub), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&ahead)), 0);
	assert_int_equal(shown_ahead(&s, ana, hub), r.count);
	assert_int_equal(told_count(ana, key_of(hub)), MESH_NOW);
	/* Forged, it is not noted. */
	vd_buf_reset(&first);
	vd_buf_put_slice(&first, vd_buf_slice(&ahead));
	first.p[first.n - 1] ^= 1;
	/* That one said something before proves nothing: our clock may be the one that is behind. */
	assert_int_equal(vd_clock_look(hub->store, s.mesh.group, s.now_ms), 0);
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	assert_int_equal(shown_ahead(&s, ana, hub), r.count);
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	tell(&s, ana, hub, false);
	tell(&s, hub, ana, false);
	assert_int_equal(shown_ahead(&s, ana, hub), 0);
	s.now_ms += 1000;
	assert_int_equal(keep(&s, ana, vd_buf_slice(&first)), 0);
	assert_int_equal(shown_ahead(&s, ana, hub), 0);
	assert_int_equal(told_count(ana, key_of(hub)), s.now_ms - 1000);
	/* And when its own clock is behind what others say, its word stands above what it said. */
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	right = say(&s, hub);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&right), &r), 0);
	s.now_ms -= 20 * day_ms;
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	behind = say(&s, hub);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&behind), &r), 0);
	assert_int_equal(r.count, MESH_NOW + 7001);
	vd_buf_deinit(&first);
	vd_buf_deinit(&ahead);
	vd_buf_deinit(&right);
	vd_buf_deinit(&behind);
	scene_end(&s);
}

/* A stub is not held: neither by a span nor by a lane that is the same. */
static void test_custody__stubs_are_not_held(void **state)
{
	const struct vd_shares none = { .records = 1 << 20, .day_bytes = 1 };
	struct vd_shares usual;
	struct person *hub, *ana;
	uint64_t released = 0;
	struct scene s;

	(void)state;
	scene_start(&s, 5);
	hub = &s.p[0], ana = &s.p[1];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(vd_shares_get(ana->store, &usual), 0);
	assert_int_equal(vd_shares_set(ana->store, &none, MESH_NOW), 0);
	carry(&s, hub, ana, 0);
	tell(&s, ana, hub, false);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, ana, VD_LANE_NORMAL), 2);
	check(&s, hub);
	/* The bodies come. */
	assert_int_equal(vd_shares_set(ana->store, &usual, MESH_NOW), 0);
	assert_int_equal(vd_shares_release(ana->store, ana->group, MESH_NOW + 86400000, &released), 0);
	carry(&s, hub, ana, 0);
	s.now_ms++;
	tell(&s, ana, hub, false);
	assert_true(holds(hub, ana, newest(hub)) == VD_HOLDS_LANE);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(missing_of(hub, ana, VD_LANE_NORMAL), 1);
	check(&s, hub);
	scene_end(&s);
}

/* A session shows what is held, without a receipt, and what came since is told apart. */
static void test_custody__sessions_show_it(void **state)
{
	struct scene s;
	struct person *hub, *ana;
	uint64_t at;

	(void)state;
	scene_start(&s, 8);
	hub = &s.p[0], ana = &s.p[1];
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	carry(&s, ana, hub, 0);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 0);
	person_write(ana, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(holds(ana, hub, newest(ana)), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 2);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	check(&s, ana);
	/* Not equal: nothing more is shown. */
	meet(&s, ana, hub);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	/* A receipt that says that it has less by now. */
	s.now_ms += 1000;
	{
		struct vd_buf less = { 0 };
		struct vd_receipt r = { .count = s.now_ms, .time_ms = s.now_ms };

		assert_int_equal(vd_receipt_make(hub->group, &r, NULL, 0, &less), 0);
		assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
		vd_buf_deinit(&less);
	}
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 5);
	/* Met again. */
	s.now_ms += 1000;
	carry(&s, ana, hub, 0);
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	scene_end(&s);
}

struct walked {
	uint64_t seqs[16];
	size_t n;
};

static int note_walked(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct walked *w = ctx;

	(void)arrival;
	w->seqs[w->n++] = r->seq;
	return 0;
}

static void test_custody__gaps_are_walked(void **state)
{
	struct vd_missing missing;
	struct vd_custody *c;
	struct vd_gap *gaps;
	struct walked w = { .n = 0 };
	struct scene s;
	uint64_t left;
	size_t n;

	(void)state;
	scene_start(&s, 6);
	person_write(&s.p[1], VD_LANE_URGENT, 3, 50);
	carry(&s, &s.p[1], &s.p[0], 0);
	tell(&s, &s.p[0], &s.p[1], false);
	person_write(&s.p[1], VD_LANE_URGENT, 5, 50);
	assert_int_equal(vd_custody_open(s.p[1].store, s.p[1].group, &c), 0);
	assert_int_equal(vd_custody_missing(c, NULL, &missing, &gaps, &n), 0);
	assert_true(n == 1 && gaps[0].high == 8 && gaps[0].low == 4 && gaps[0].lane == VD_LANE_URGENT);
	assert_int_equal(vd_custody_walk(s.p[1].store, gaps, 100, note_walked, &w, &left), 0);
	assert_true(w.n == 5 && w.seqs[0] == 8 && w.seqs[4] == 4 && left == 0);
	w.n = 0;
	assert_int_equal(vd_custody_walk(s.p[1].store, gaps, 2, note_walked, &w, &left), 0);
	assert_true(w.n == 2 && left == 3);
	free(gaps);
	vd_custody_close(c);
	scene_end(&s);
}

/* Who has one branch is not taken to have the other, whichever run of ours comes first. */
static void test_custody__forks(void **state)
{
	uint64_t believed = 0, at[2], first;
	struct person copy = { .now_ms = MESH_NOW + 500 };
	struct person *hub, *ana, *luz, *sol;
	struct scene s;

	(void)state;
	scene_start(&s, 7);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2], sol = &s.p[3];
	person_write(ana, VD_LANE_NORMAL, 5, 40);
	snprintf(copy.home, sizeof(copy.home), "%s/copy", s.mesh.top);
	copy_home(ana, copy.home);
	assert_int_equal(vd_store_open(copy.home, &copy.store), 0);
	person_reload(&copy, &s.mesh);
	person_write(ana, VD_LANE_NORMAL, 2, 40);
	person_write(&copy, VD_LANE_NORMAL, 2, 40);
	carry(&s, ana, luz, 0);
	carry(&s, &copy, sol, 0);
	tell(&s, luz, hub, false);
	tell(&s, sol, hub, false);
	first = newest(hub) + 1;
	carry(&s, ana, hub, 0);
	at[0] = newest(hub);
	carry(&s, &copy, hub, 0);
	at[1] = newest(hub);
	assert_true(at[0] == first + 6 && at[1] == at[0] + 2);
	for (uint64_t i = at[0] - 1; i <= at[1]; i++) {
		assert_int_equal(holds(hub, luz, i), i <= at[0] ? VD_HOLDS_SPAN : VD_HOLDS_NOT);
		assert_int_equal(holds(hub, sol, i), i <= at[0] ? VD_HOLDS_NOT : VD_HOLDS_SPAN);
	}
	believed = check(&s, hub);
	assert_true(believed >= 4);
	person_leave(&copy);
	scene_end(&s);
}

/* Who wrote a record has it, unless what it said later leaves it out: it was put back to what it was before. */
static void test_custody__who_wrote_it_may_have_lost_it(void **state)
{
	struct person *hub, *luz;
	char saved[256];
	uint64_t first;
	struct scene s;

	(void)state;
	scene_start(&s, 12);
	hub = &s.p[0], luz = &s.p[1];
	snprintf(saved, sizeof(saved), "%s/saved", s.mesh.top);
	first = newest(hub) + 1;
	luz->now_ms = s.now_ms;
	person_write(luz, VD_LANE_NORMAL, 2, 50);
	copy_home(luz, saved);
	carry(&s, luz, hub, 0);
	s.now_ms = luz->now_ms + 1000;
	tell(&s, luz, hub, false);
	/* What it wrote since its receipt it has. */
	luz->now_ms = s.now_ms + 1000;
	person_write(luz, VD_LANE_NORMAL, 2, 50);
	carry(&s, luz, hub, 0);
	assert_int_equal(newest(hub), first + 3);
	for (uint64_t at = first; at < first + 4; at++)
		assert_int_equal(holds(hub, luz, at), VD_HOLDS_OWN);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 0);
	check(&s, hub);
	restore(&s, luz, saved);
	s.now_ms = luz->now_ms + 1000;
	tell(&s, luz, hub, false);
	for (uint64_t at = first; at < first + 4; at++)
		assert_int_equal(holds(hub, luz, at), at < first + 2 ? VD_HOLDS_OWN : VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 2);
	check(&s, hub);
	/* They come back, and it says so. */
	carry(&s, hub, luz, 0);
	s.now_ms += 1000;
	tell(&s, luz, hub, false);
	assert_true(holds(hub, luz, first + 3) != VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 0);
	check(&s, hub);
	scene_end(&s);
}

/* A receipt from before a session ends nothing, however late it comes, nor does one from the future; one from after it does. */
static void test_custody__said_before_a_session(void **state)
{
	struct vd_buf early, late, less = { 0 };
	struct person *hub, *ana, *luz;
	struct vd_receipt r;
	struct scene s;
	uint64_t at;

	(void)state;
	scene_start(&s, 10);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	tell(&s, hub, ana, false);
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	s.now_ms += 1000;
	early = say(&s, hub);
	carry(&s, hub, ana, 0);
	carry(&s, ana, hub, 0);
	s.now_ms += 1000;
	late = say(&s, hub);
	assert_int_equal(vd_receipt_verify(hub->group, vd_buf_slice(&late), &r), 0);
	/* The session names the late one, and the early one was not heard of. */
	meet_saying(&s, ana, hub, r.count);
	s.now_ms += 1000;
	assert_int_equal(keep(&s, ana, vd_buf_slice(&early)), 1);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	/* A count that is yet to come is of a device put back: what it says next counts. */
	meet_saying(&s, ana, hub, r.count + 60000);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	s.now_ms += 1000;
	r = (struct vd_receipt){ .count = s.now_ms, .time_ms = s.now_ms };
	assert_int_equal(vd_receipt_make(hub->group, &r, NULL, 0, &less), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	/* To meet again heals it at once. */
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	/* Of another nothing was heard but this. */
	carry(&s, ana, luz, 0);
	meet(&s, ana, luz);
	r = (struct vd_receipt){ .count = s.now_ms + 2 * (uint64_t)VD_RECEIPT_AHEAD_MS, .time_ms = s.now_ms };
	vd_buf_reset(&less);
	assert_int_equal(vd_receipt_make(luz->group, &r, NULL, 0, &less), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_MET);
	vd_buf_deinit(&early);
	vd_buf_deinit(&late);
	vd_buf_deinit(&less);
	scene_end(&s);
}

/* Put back as an image of the medium is, it does not know, and got as many records again: what it says then counts, and not what a session showed before. */
static void test_custody__said_since_a_session(void **state)
{
	struct scene s;
	struct person *hub, *ana, *luz;
	char saved[256];
	uint64_t at;

	(void)state;
	scene_start(&s, 9);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	snprintf(saved, sizeof(saved), "%s/saved", s.mesh.top);
	copy_home(hub, saved);
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	at = newest(ana);
	carry(&s, ana, hub, 0);
	meet(&s, ana, hub);
	/* A receipt of what was met leaves it as it is, whatever came since. */
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 1);
	restore(&s, hub, saved);
	person_write(luz, VD_LANE_NORMAL, 1, 50);
	carry(&s, luz, hub, 0);
	carry(&s, luz, ana, 0);
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(holds(ana, hub, newest(ana)), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	check(&s, ana);
	/* More than then, and the same: of what is in both the receipt says so. */
	carry(&s, ana, hub, 0);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	check(&s, ana);
	scene_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_custody__comes_back_by_any_way),
		cmocka_unit_test(test_custody__says_what_is_new),
		cmocka_unit_test(test_custody__forged_receipts),
		cmocka_unit_test(test_custody__two_of_one_count),
		cmocka_unit_test(test_custody__a_clock_in_the_future),
		cmocka_unit_test(test_custody__a_clock_set_right),
		cmocka_unit_test(test_custody__stubs_are_not_held),
		cmocka_unit_test(test_custody__sessions_show_it),
		cmocka_unit_test(test_custody__gaps_are_walked),
		cmocka_unit_test(test_custody__forks),
		cmocka_unit_test(test_custody__who_wrote_it_may_have_lost_it),
		cmocka_unit_test(test_custody__said_before_a_session),
		cmocka_unit_test(test_custody__said_since_a_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
