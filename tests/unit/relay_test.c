/* Receipts between stores, by sessions: who wrote a record learns that a third device has it. */
#include "proto/pipe.h"
#include "store/inside.h"
#include "store/shares.h"
#include "tests/unit/holding.h"
#include "tests/unit/mesh_fixture.h"

struct side {
	struct person *p;
	struct vd_port port;
	struct vd_pipe *pipe;
	bool deaf;              /* keeps nothing of what it hears */
	size_t kept;
};

static void side_begin(struct side *s, struct person *p, bool yields)
{
	uint8_t seed[VD_NODE_SEED_BYTES];

	s->p = p;
	vd_store_port(p->store, &s->port);
	randombytes_buf(seed, sizeof(seed));
	s->pipe = vd_pipe_new(&s->port, &p->group, 1, yields, seed);
	assert_non_null(s->pipe);
}

static void serve(struct side *s, uint64_t now_ms)
{
	const struct vd_route route = { .kind = VD_ROUTE_LINK, .text = "pipe" };
	uint8_t peer[VD_KEY_BYTES];
	struct vd_words words;
	struct vd_group *group;
	struct vd_batch *batch;
	struct vd_buf own = { 0 };
	size_t kept;

	while ((batch = vd_pipe_batch(s->pipe, &group))) {
		struct vd_merge merge = { 0 };

		vd_pipe_committed(s->pipe, now_ms, vd_store_commit(s->p->store, group, batch, &merge));
	}
	if (vd_pipe_words(s->pipe, &group, peer, &words) && !s->deaf) {
		assert_int_equal(vd_custody_heed(s->p->store, group, peer, &words, &route, vd_now_ms(), &kept), 0);
		s->kept += kept;
	}
	vd_words_deinit(&words);
	if (!vd_pipe_asks_word(s->pipe, &group))
		return;
	assert_int_equal(vd_custody_say(s->p->store, group, vd_now_ms(), &own), 0);
	vd_pipe_said(s->pipe, now_ms, vd_buf_slice(&own));
	vd_buf_deinit(&own);
}

/* What one of them says goes to the other; bytes that went. */
static size_t pass_on(struct side *from, struct side *to, uint64_t now_ms)
{
	struct vd_buf out = { 0 };
	size_t n;

	while (vd_pipe_wants_output(from->pipe)) {
		assert_int_equal(vd_pipe_drain(from->pipe, now_ms, 16384, &out), 0);
		serve(from, now_ms);
	}
	if (out.n)
		vd_pipe_feed(to->pipe, now_ms, vd_buf_slice(&out));
	serve(to, now_ms);
	n = out.n;
	vd_buf_deinit(&out);
	return n;
}

static size_t talk(struct side *a, struct side *b)
{
	size_t bytes = 0, moved = 1;

	while (moved) {
		moved = pass_on(a, b, 1000) + pass_on(b, a, 1000);
		bytes += moved;
	}
	return bytes;
}

/* Nothing is left to exchange then. Returns the bytes both ways. */
static size_t meet_as(const struct mesh *m, struct side *a, struct side *b)
{
	struct side *sides[] = { a, b };
	size_t bytes = talk(a, b), count;

	for (int i = 0; i < 2; i++) {
		assert_true(vd_pipe_over(sides[i]->pipe));
		assert_int_equal(vd_pipe_err(sides[i]->pipe), 0);
		assert_true(vd_pipe_groups(sides[i]->pipe, &count)->complete);
		vd_pipe_free(sides[i]->pipe);
		person_reload(sides[i]->p, m);
	}
	return bytes;
}

static size_t meet_but(const struct mesh *m, struct person *a, struct person *b)
{
	struct side x = { .kept = 0 }, y = { .kept = 0 };

	side_begin(&x, a, true);
	side_begin(&y, b, false);
	return meet_as(m, &x, &y);
}

/* The same, and both hold the same then. */
static size_t meet(const struct mesh *m, struct person *a, struct person *b)
{
	size_t bytes = meet_but(m, a, b);

	assert_true(mesh_equal(m, a, b));
	return bytes;
}

/* What they keep of that device is the same, to the byte. */
static bool same_receipt(const struct mesh *m, const struct person *of, const struct person *a, const struct person *b)
{
	struct vd_buf x = { 0 }, y = { 0 };
	bool same = vd_custody_receipt(a->store, m->group, key_of(of), &x) == VD_OK && vd_custody_receipt(b->store, m->group, key_of(of), &y) == VD_OK &&
	            vd_slice_eq(vd_buf_slice(&x), vd_buf_slice(&y));

	vd_buf_deinit(&x);
	vd_buf_deinit(&y);
	return same;
}

static void test_relay__a_third_device_is_heard_of(void **state)
{
	struct person hub, ana, beto;
	size_t first, again;
	struct mesh m;
	uint64_t at;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	meet(&m, &hub, &ana);
	meet(&m, &hub, &beto);
	person_write(&hub, VD_LANE_NORMAL, 10, 50);
	person_write(&beto, VD_LANE_URGENT, 3, 50);
	person_write(&ana, VD_LANE_NORMAL, 4, 50);
	at = newest(&ana);
	meet(&m, &ana, &beto);
	assert_int_equal(holds(&ana, &beto, at), VD_HOLDS_LANE);
	meet(&m, &beto, &hub);
	assert_int_equal(holds(&ana, &hub, at), VD_HOLDS_NOT);
	/* The hub never meets Ana. With equal sets, once, Beto hands its word on. */
	meet(&m, &beto, &ana);
	assert_int_equal(holds(&ana, &hub, at), VD_HOLDS_LANE);
	assert_true(same_receipt(&m, &hub, &ana, &hub));
	assert_in_range(meet(&m, &beto, &ana), 1, VD_EQUAL_BYTES);
	assert_true(same_receipt(&m, &beto, &ana, &beto) && same_receipt(&m, &ana, &beto, &ana));
	/* It still tells when there are new records, and is told with them. */
	person_write(&beto, VD_LANE_NORMAL, 40, 50);
	meet(&m, &beto, &hub);
	meet(&m, &beto, &ana);
	assert_int_equal(holds(&ana, &hub, newest(&ana)), VD_HOLDS_LANE);
	/* What was left out of them was put back as it was; Beto, who got nothing this time, says his with equal sets. */
	meet(&m, &beto, &ana);
	assert_true(same_receipt(&m, &hub, &ana, &hub));
	assert_true(same_receipt(&m, &beto, &ana, &beto) && same_receipt(&m, &ana, &beto, &ana));
	/* Nothing new: the hellos alone. First what is new goes to and fro once more, of Ana to the hub. */
	first = meet(&m, &hub, &beto);
	person_write(&beto, VD_LANE_NORMAL, 40, 50);
	meet(&m, &hub, &beto);
	meet(&m, &hub, &beto);
	again = meet(&m, &hub, &beto);
	assert_true(same_receipt(&m, &ana, &hub, &ana));
	assert_true(again < first && again <= 1000);
	assert_int_equal(meet(&m, &hub, &beto), again);
	mesh_end_three(&m, &hub, &ana, &beto);
}

static void test_relay__who_keeps_silent(void **state)
{
	struct person hub, ana, beto;
	struct vd_buf none = { 0 };
	struct mesh m;
	uint64_t at;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	assert_int_equal(vd_custody_silence(hub.store, true), 0);
	meet(&m, &hub, &ana);
	meet(&m, &hub, &beto);
	person_write(&ana, VD_LANE_NORMAL, 4, 50);
	at = newest(&ana);
	meet(&m, &ana, &beto);
	meet(&m, &beto, &hub);
	meet(&m, &beto, &ana);
	person_write(&beto, VD_LANE_NORMAL, 40, 50);
	meet(&m, &beto, &hub);
	assert_int_equal(holds(&ana, &hub, at), VD_HOLDS_NOT);
	assert_int_equal(vd_custody_receipt(hub.store, m.group, key_of(&hub), &none), VD_ENOTFOUND);
	assert_int_equal(vd_custody_receipt(beto.store, m.group, key_of(&hub), &none), VD_ENOTFOUND);
	assert_true(same_receipt(&m, &ana, &hub, &ana)); /* it hears, and hands on, what others say */
	mesh_end_three(&m, &hub, &ana, &beto);
}

/* Who keeps nothing of a session hears it in the next. */
static void test_relay__what_was_lost_comes_again(void **state)
{
	struct side x = { .deaf = true }, y = { .kept = 0 };
	struct person hub, ana, beto;
	struct mesh m;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	meet(&m, &hub, &ana);
	meet(&m, &hub, &beto);
	side_begin(&x, &ana, true);
	side_begin(&y, &beto, false);
	meet_as(&m, &x, &y);
	assert_false(same_receipt(&m, &beto, &ana, &beto));
	x = (struct side){ .kept = 0 };
	side_begin(&x, &ana, true);
	side_begin(&y, &beto, false);
	meet_as(&m, &x, &y);
	assert_true(x.kept > 0);
	assert_true(same_receipt(&m, &beto, &ana, &beto));
	mesh_end_three(&m, &hub, &ana, &beto);
}

/* A word is believed only of whose it is, of what is here, and once. */
static void test_relay__a_word_is_believed_where_it_fits(void **state)
{
	const struct vd_route route = { .kind = VD_ROUTE_LINK, .text = "pipe" };
	struct vd_words words = { .own = { 0 } };
	struct vd_told_list list;
	struct person hub, ana, beto;
	struct vd_buf said = { 0 };
	struct vd_receipt r;
	struct mesh m;
	size_t kept;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	meet(&m, &hub, &ana);
	assert_int_equal(vd_custody_silence(ana.store, false), 0);
	person_write(&ana, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(vd_custody_list(ana.store, ana.group, vd_now_ms(), &list), 0);
	assert_true(list.gives && list.mine == 0); /* the last one says less */
	free(list.told);
	assert_int_equal(vd_custody_say(ana.store, ana.group, vd_now_ms(), &said), 0);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&said), &r), 0);
	assert_int_equal(vd_custody_list(ana.store, ana.group, vd_now_ms(), &list), 0);
	assert_true(list.mine == r.count);
	free(list.told);
	assert_int_equal(vd_receipt_shorten(vd_buf_slice(&said), &(struct vd_brief){ .named = 0 }, vd_slice(NULL, 0), &words.own), 0);
	/* The hub lacks the record. */
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 0);
	{
		struct side x = { .kept = 0 }, y = { .deaf = true };

		side_begin(&x, &ana, true);
		side_begin(&y, &hub, false);
		meet_as(&m, &x, &y);
	}
	/* The same set: of each byte of it that is another nothing is left, nor as another's. */
	for (size_t i = 0; i < words.own.n; i++) {
		words.own.p[i] ^= 1;
		assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
		assert_int_equal(kept, 0);
		words.own.p[i] ^= 1;
	}
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&beto), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 0);
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 1);
	assert_true(same_receipt(&m, &ana, &hub, &ana));
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 0);
	vd_buf_deinit(&said);
	vd_words_deinit(&words);
	mesh_end_three(&m, &hub, &ana, &beto);
}

static uint64_t newest_of(struct person *p, const struct person *author, uint8_t lane)
{
	struct vd_buf raw = { 0 };
	struct vd_record r;
	uint64_t at = newest(p);

	for (; at; at--)
		if (!vd_store_read(p->store, at, &raw, &r, NULL) && r.lane == lane && !memcmp(r.author, key_of(author), VD_KEY_BYTES))
			break;
	vd_buf_deinit(&raw);
	assert_true(at > 0);
	return at;
}

static void bound(struct person *p, uint64_t records, uint64_t bulk_bytes, uint64_t day_bytes)
{
	struct vd_shares set;

	assert_int_equal(vd_shares_get(p->store, &set), 0);
	set.records = records ? records : set.records;
	set.bulk_bytes = bulk_bytes;
	set.day_bytes = day_bytes ? day_bytes : set.day_bytes;
	assert_int_equal(vd_shares_set(p->store, &set, vd_now_ms()), 0);
}

/* Who lacks bodies says what it has of that lane, and who has them is understood: nothing that is lacking counts as held, and all else does, by way of others. */
static void test_relay__who_lacks_bodies_is_heard(void **state)
{
	struct person hub, ana, beto;
	struct mesh m;
	uint64_t text;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	bound(&ana, 0, 0, 0);
	person_write(&hub, VD_LANE_BULK, 5, 400);
	person_write(&hub, VD_LANE_NORMAL, 4, 50);
	text = newest(&hub);
	meet(&m, &ana, &hub);
	person_write(&ana, VD_LANE_BULK, 2, 400);
	meet(&m, &ana, &hub);
	meet(&m, &ana, &hub);
	meet(&m, &ana, &hub);
	assert_true(same_receipt(&m, &ana, &hub, &ana) && same_receipt(&m, &hub, &ana, &hub));
	/* Each of whose lanes is told by the other's is told in brief. */
	assert_in_range(meet(&m, &ana, &hub), 1, VD_EQUAL_BYTES);
	/* Beto learns it of the hub, and takes no photos himself from now on. */
	meet(&m, &beto, &hub);
	meet(&m, &beto, &hub);
	assert_true(same_receipt(&m, &ana, &beto, &ana));
	assert_int_equal(holds(&beto, &ana, newest_of(&beto, &hub, VD_LANE_NORMAL)), VD_HOLDS_LANE);
	assert_int_equal(holds(&beto, &ana, newest_of(&beto, &hub, VD_LANE_BULK)), VD_HOLDS_NOT);
	assert_int_equal(holds(&hub, &ana, newest_of(&hub, &hub, VD_LANE_BULK)), VD_HOLDS_NOT);
	assert_int_not_equal(holds(&hub, &ana, newest_of(&hub, &hub, VD_LANE_NORMAL)), VD_HOLDS_NOT);
	bound(&beto, 0, 0, 0);
	person_write(&hub, VD_LANE_BULK, 3, 400);
	person_write(&beto, VD_LANE_BULK, 1, 400);
	for (int times = 0; times < 2; times++) {
		meet(&m, &beto, &hub);
		meet(&m, &ana, &hub);
	}
	/* Both lack some now, and not the same. */
	for (int times = 0; times < 3; times++)
		meet(&m, &ana, &beto);
	assert_true(same_receipt(&m, &ana, &beto, &ana) && same_receipt(&m, &beto, &ana, &beto) && same_receipt(&m, &hub, &ana, &hub));
	assert_int_equal(holds(&ana, &beto, newest_of(&ana, &hub, VD_LANE_BULK)), VD_HOLDS_NOT);
	assert_int_equal(holds(&ana, &hub, newest_of(&ana, &ana, VD_LANE_BULK)), VD_HOLDS_LANE);
	/* Texts whose bodies wait for another day. */
	bound(&beto, 0, 0, 1);
	person_write(&hub, VD_LANE_NORMAL, 3, 50);
	for (int times = 0; times < 3; times++)
		meet_but(&m, &beto, &hub);
	assert_true(same_receipt(&m, &beto, &hub, &beto));
	assert_int_equal(holds(&hub, &beto, newest_of(&hub, &hub, VD_LANE_NORMAL)), VD_HOLDS_NOT);
	assert_int_equal(holds(&hub, &beto, text), VD_HOLDS_SPAN);
	mesh_end_three(&m, &hub, &ana, &beto);
}

/* Whose share is used up is left out, and nobody else: all else that is held is told, and of him what is. */
static void test_relay__who_takes_no_more_of_somebody_is_heard(void **state)
{
	struct person hub, ana, beto;
	uint64_t first, last;
	size_t again;
	struct mesh m;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	bound(&hub, 3, VD_BULK_ALL, 0);
	person_write(&ana, VD_LANE_NORMAL, 3, 50);
	first = newest(&ana);
	meet_but(&m, &hub, &ana);
	person_write(&ana, VD_LANE_NORMAL, 6, 50);
	last = newest(&ana);
	person_write(&ana, VD_LANE_URGENT, 2, 50);
	for (int times = 0; times < 3; times++)
		meet_but(&m, &ana, &hub);
	assert_true(person_records(&hub) + 6 == person_records(&ana));
	assert_true(same_receipt(&m, &hub, &ana, &hub) && same_receipt(&m, &ana, &hub, &ana));
	assert_int_equal(holds(&ana, &hub, newest(&ana)), VD_HOLDS_LANE);
	assert_int_equal(holds(&ana, &hub, first), VD_HOLDS_SPAN);
	assert_int_equal(holds(&ana, &hub, last), VD_HOLDS_NOT);
	/* Nothing new, nothing said; whoever calls. */
	again = meet_but(&m, &ana, &hub);
	assert_int_equal(meet_but(&m, &ana, &hub), again);
	assert_int_equal(meet_but(&m, &hub, &ana), meet_but(&m, &hub, &ana));
	/* By way of Ana Beto hears of it. */
	meet(&m, &beto, &ana);
	meet(&m, &beto, &ana);
	assert_true(same_receipt(&m, &hub, &beto, &hub));
	assert_int_equal(holds(&beto, &hub, newest_of(&beto, &ana, VD_LANE_URGENT)), VD_HOLDS_LANE);
	assert_int_equal(holds(&beto, &hub, newest_of(&beto, &ana, VD_LANE_NORMAL)), VD_HOLDS_NOT);
	/* Two who decline the same, and hold the same or not. */
	bound(&beto, 3, VD_BULK_ALL, 0);
	person_write(&beto, VD_LANE_URGENT, 1, 50);
	meet_but(&m, &beto, &hub);
	meet_but(&m, &beto, &hub);
	assert_true(same_receipt(&m, &hub, &beto, &hub) && same_receipt(&m, &beto, &hub, &beto));
	mesh_end_three(&m, &hub, &ana, &beto);
}

/* What came while our clock was behind was from the future. It is believed when it comes again and the clock is right, though its count is the same. */
static void test_relay__what_was_from_the_future_comes_again(void **state)
{
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	uint64_t now_ms = vd_now_ms(), behind_ms = now_ms - 30 * UINT64_C(86400000);
	struct person hub, ana, beto;
	struct vd_buf said = { 0 };
	struct vd_slice one;
	struct mesh m;
	size_t kept;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &beto);
	person_write(&hub, VD_LANE_NORMAL, 2, 50);
	meet(&m, &ana, &hub);
	meet(&m, &beto, &hub);
	assert_int_equal(vd_custody_say(ana.store, ana.group, now_ms, &said), 0);
	one = vd_buf_slice(&said);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(vd_custody_keep(beto.store, beto.group, &one, 1, &route, behind_ms, &kept), 0);
		assert_int_equal(kept, !times);
	}
	assert_int_equal(holds(&beto, &ana, newest(&beto)), VD_HOLDS_NOT);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(vd_custody_keep(beto.store, beto.group, &one, 1, &route, now_ms, &kept), 0);
		assert_int_equal(kept, !times);
		assert_int_equal(holds(&beto, &ana, newest(&beto)), VD_HOLDS_LANE);
	}
	vd_buf_deinit(&said);
	mesh_end_three(&m, &hub, &ana, &beto);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relay__a_third_device_is_heard_of),
		cmocka_unit_test(test_relay__who_keeps_silent),
		cmocka_unit_test(test_relay__what_was_lost_comes_again),
		cmocka_unit_test(test_relay__a_word_is_believed_where_it_fits),
		cmocka_unit_test(test_relay__who_lacks_bodies_is_heard),
		cmocka_unit_test(test_relay__who_takes_no_more_of_somebody_is_heard),
		cmocka_unit_test(test_relay__what_was_from_the_future_comes_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
