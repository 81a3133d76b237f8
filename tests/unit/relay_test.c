/* Receipts between stores, by sessions: who wrote a record learns that a third device has it. */
#include "proto/pipe.h"
#include "store/custody.h"
#include "store/inside.h"
#include "tests/unit/mesh_fixture.h"

struct side {
	struct person *p;
	struct vd_port port;
	struct vd_pipe *pipe;
	bool deaf;              /* keeps nothing of what it hears */
	size_t kept;
};

static const uint8_t *key_of(const struct person *p)
{
	return vd_group_identity(p->group)->author;
}

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
	vd_buf_deinit(&words.others);
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

/* Both hold the same then, and say so. Returns the bytes both ways. */
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
	assert_true(mesh_equal(m, a->p, b->p));
	return bytes;
}

static size_t meet(const struct mesh *m, struct person *a, struct person *b)
{
	struct side x = { .kept = 0 }, y = { .kept = 0 };

	side_begin(&x, a, true);
	side_begin(&y, b, false);
	return meet_as(m, &x, &y);
}

static enum vd_holding holds(struct person *p, const struct person *keeper, uint64_t arrival)
{
	enum vd_holding how = VD_HOLDS_NOT;
	struct vd_buf raw = { 0 };
	struct vd_custody *c;
	struct vd_record r;

	assert_int_equal(vd_custody_open(p->store, p->group, &c), 0);
	assert_int_equal(vd_store_read(p->store, arrival, &raw, &r, NULL), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++)
		if (!memcmp(vd_custody_keeper(c, i)->author, key_of(keeper), VD_KEY_BYTES))
			assert_int_equal(vd_custody_holds(c, i, arrival, &r, &how), 0);
	vd_custody_close(c);
	vd_buf_deinit(&raw);
	return how;
}

static uint64_t newest(const struct person *p)
{
	uint64_t latest;

	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	return latest;
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
	/* The hub never meets Ana. Equal sets leave no room for others' words, what new records leave is enough. */
	meet(&m, &beto, &ana);
	assert_in_range(meet(&m, &beto, &ana), 1, VD_EQUAL_BYTES);
	assert_int_equal(holds(&ana, &hub, at), VD_HOLDS_NOT);
	person_write(&beto, VD_LANE_NORMAL, 40, 50);
	meet(&m, &beto, &ana);
	assert_int_not_equal(holds(&ana, &hub, at), VD_HOLDS_NOT);
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
	struct vd_words words = { .own.n = 0 };
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
	assert_int_equal(vd_receipt_shorten(vd_buf_slice(&said), &words.own), 0);
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
		words.own.bytes[i] ^= 1;
		assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
		assert_int_equal(kept, 0);
		words.own.bytes[i] ^= 1;
	}
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&beto), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 0);
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 1);
	assert_true(same_receipt(&m, &ana, &hub, &ana));
	assert_int_equal(vd_custody_heed(hub.store, hub.group, key_of(&ana), &words, &route, vd_now_ms(), &kept), 0);
	assert_int_equal(kept, 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
