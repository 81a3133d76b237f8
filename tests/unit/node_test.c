#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/err.h"
#include "tests/sim/net.h"

static struct net net;

static bool equal(size_t a, size_t b)
{
	return memory_equal(&net.hosts[a].m, &net.hosts[b].m);
}

static void test_node__two_meet_and_agree(void **state)
{
	struct wire *w;

	(void)state;
	net_init(&net, 1, 3);
	for (int i = 0; i < 20; i++)
		net_write(&net, (size_t)i % 2, VD_LANE_NORMAL, 60);
	w = net_connect(&net, 0, 1, 30);
	assert_true(net_run_session(&net, w, 60000));
	assert_true(w->proved[0] && w->proved[1]);
	assert_true(w->complete[0] && w->complete[1]);
	assert_true(equal(0, 1));
	assert_true(vd_node_has_peer(net.hosts[0].node, net.w.group, net.w.writers[1].identity.author));
	assert_false(vd_node_has_peer(net.hosts[0].node, net.w.group, net.w.writers[2].identity.author));
	/* at once, both ways */
	net_write(&net, 0, VD_LANE_URGENT, 60);
	net_write(&net, 1, VD_LANE_URGENT, 60);
	net_run(&net, 200);
	assert_true(equal(0, 1));
	net_bye(&net, w);
	assert_false(w->up);
	assert_false(vd_node_has_peer(net.hosts[0].node, net.w.group, net.w.writers[1].identity.author));
	assert_int_equal(net.hosts[0].failed + net.hosts[1].failed, 0);
	net_deinit(&net);
}

/* DESIGN promise: equal sets cost next to nothing, whatever their size. Both ways, handshake included. */
static void test_node__equal_sets_cost_little(void **state)
{
	(void)state;
	for (size_t size = 10; size <= 10000; size *= 1000) {
		struct wire *w;

		net_init(&net, 2, 2);
		for (size_t i = 0; i < size; i++) {
			struct vd_id id;

			uint8_t lane = (uint8_t)(VD_LANE_URGENT + i % 3);

			world_bytes(&net.w, &id, sizeof(id));
			memory_add_id(&net.hosts[0].m, lane, &id);
			memory_add_id(&net.hosts[1].m, lane, &id);
		}
		w = net_connect(&net, 0, 1, 30);
		assert_true(net_run_session(&net, w, 60000));
		assert_true(w->complete[0] && w->complete[1]);
		if (getenv("VERBOSE"))
			print_message("%zu equal: %u bytes\n", size, (unsigned)w->bytes);
		assert_in_range(w->bytes, 400, 1000);
		net_deinit(&net);
	}
}

static void test_node__many_meet_in_a_ring(void **state)
{
	struct wire *w[6];

	(void)state;
	net_init(&net, 3, 6);
	for (size_t i = 0; i < 6; i++)
		w[i] = net_connect(&net, i, (i + 1) % 6, 10 + 10 * i);
	net_run(&net, 2000);
	for (size_t i = 0; i < 6; i++)
		assert_true(w[i]->settled[0] && w[i]->settled[1]);
	for (size_t i = 0; i < 6; i++)
		net_write(&net, i, VD_LANE_URGENT, 100);
	net_run(&net, 2000);
	for (size_t i = 1; i < 6; i++)
		assert_true(equal(0, i));
	/* flooding stops: later it is quiet */
	net_run(&net, 60000);
	for (size_t i = 0; i < 6; i++) {
		uint64_t before = w[i]->bytes;

		net_run(&net, 60000);
		assert_int_equal(w[i]->bytes, before);
	}
	net_deinit(&net);
}

/* Both call each other at the same time: one session stays, the same on both sides. */
static void test_node__one_session_a_pair(void **state)
{
	(void)state;
	for (int first = 0; first < 2; first++) {
		struct wire *w[2];
		int lower;

		net_init(&net, 4, 2);
		for (int i = 0; i < 300; i++)
			net_write(&net, 0, VD_LANE_NORMAL, 60);
		lower = memcmp(net.w.writers[0].identity.author, net.w.writers[1].identity.author, VD_KEY_BYTES) > 0;
		w[0] = net_connect(&net, 0, 1, first ? 30 : 20);
		w[1] = net_connect(&net, 1, 0, first ? 20 : 30);
		net_run(&net, 5000);
		assert_true(w[lower]->up && w[lower]->complete[0] && w[lower]->complete[1]);
		assert_false(w[!lower]->up);
		assert_true(equal(0, 1));
		net_deinit(&net);
	}
}

/* Somebody asks for a session while one is open and at rest: they get it, then it goes. */
static void test_node__a_second_session_is_served_first(void **state)
{
	struct wire *first, *second;
	int lower;

	(void)state;
	net_init(&net, 5, 2);
	lower = memcmp(net.w.writers[0].identity.author, net.w.writers[1].identity.author, VD_KEY_BYTES) > 0;
	first = net_connect(&net, (size_t)lower, (size_t)!lower, 20);
	assert_true(net_run_session(&net, first, 5000));
	second = net_connect(&net, (size_t)!lower, (size_t)lower, 20);
	for (int i = 0; i < 1000 && second->up && !second->settled[0]; i++)
		net_run(&net, 1);
	assert_true(second->settled[0]);
	/* what the caller knows when it ends: done, and connected otherwise */
	while (second->up && !second->closing[0])
		net_run(&net, 1);
	assert_true(second->up);
	assert_int_equal(second->err[0], VD_OK);
	assert_true(vd_node_has_peer(net.hosts[!lower].node, net.w.group, net.w.writers[lower].identity.author));
	net_run(&net, 5000);
	assert_true(first->up);
	assert_false(second->up);
	net_deinit(&net);
}

/* Who was away when the epoch changed: called, called back, or calling, it ends with everything, and the next session is a plain one. */
static void test_node__one_that_was_away_catches_up(void **state)
{
	(void)state;
	for (int calls = 0; calls < 3; calls++) {
		uint8_t old[VD_EPOCH_BYTES];
		struct wire *w;
		uint32_t conn;

		net_init(&net, 90, 3);
		memcpy(old, vd_group_epoch_id(net.hosts[1].group, 0), sizeof(old));
		net_epoch(&net);
		for (int i = 0; i < 60; i++)
			net_write(&net, (size_t)i % 2, (uint8_t)(VD_LANE_URGENT + i % 3), 60);
		if (calls)
			w = calls > 1 ? net_connect(&net, 0, 1, 20) : net_connect(&net, 1, 0, 20);
		else
			w = net_call_back(&net, 0, 1, 20, old);
		assert_true(net_run_session(&net, w, 60000));
		assert_true(w->complete[0] && w->complete[1]);
		assert_true(equal(0, 1));
		assert_memory_equal(vd_group_epoch_id(net.hosts[1].group, 0), vd_group_epoch_id(net.hosts[0].group, 0), VD_EPOCH_BYTES);
		/* it goes on in the same session */
		net_write(&net, 0, VD_LANE_URGENT, 60);
		net_run(&net, 300);
		assert_true(equal(0, 1));
		net_bye(&net, w);
		assert_int_equal(vd_node_call_back(net.hosts[2].node, net.now_ms, net.w.group,
		                                   vd_group_epoch_id(net.hosts[0].group, 0), &conn), VD_EKEY);
		/* the epoch to write with needs no call back */
		w = net_call_back(&net, 1, 0, 20, vd_group_epoch_id(net.hosts[0].group, 0));
		assert_true(net_run_session(&net, w, 60000));
		assert_int_equal(w->stats[0].rounds, 0);
		net_deinit(&net);
	}
}

/* Host 1 is removed while a session with it is open, and tries again, and is called. */
static void test_node__one_that_is_removed_gets_nothing_more(void **state)
{
	uint8_t old[VD_EPOCH_BYTES];
	struct vd_id after, its;
	struct wire *w, *other;

	(void)state;
	net_init(&net, 92, 3);
	memcpy(old, vd_group_epoch_id(net.hosts[1].group, 0), sizeof(old));
	w = net_connect(&net, 0, 1, 20);
	other = net_connect(&net, 0, 2, 20);
	assert_true(net_run_session(&net, w, 5000));
	assert_true(net_run_session(&net, other, 5000));
	net_revoke(&net, 1);
	net_run(&net, 300);
	assert_false(w->up);
	assert_int_equal(net.hosts[0].failed, 1);
	assert_int_equal(net.hosts[1].failed, 0); /* it is not told, by no word of ours: to it the line is gone */
	after = net_write(&net, 0, VD_LANE_URGENT, 60);
	net_run(&net, 300);
	assert_false(vd_node_has_peer(net.hosts[0].node, net.w.group, net.w.writers[1].identity.author));
	assert_false(memory_has(&net.hosts[1].m, &after, false));
	/* the others go on, under the epoch that came with the removal */
	assert_true(other->up && memory_has(&net.hosts[2].m, &after, true));
	assert_memory_equal(vd_group_epoch_id(net.hosts[2].group, 0), vd_group_epoch_id(net.hosts[0].group, 0), VD_EPOCH_BYTES);
	assert_memory_not_equal(vd_group_epoch_id(net.hosts[0].group, 0), old, VD_EPOCH_BYTES);
	its = net_write(&net, 1, VD_LANE_URGENT, 60);
	for (int calls = 0; calls < 2; calls++) {
		w = calls ? net_connect(&net, 1, 0, 20) : net_call_back(&net, 0, 1, 20, old);
		net_run_session(&net, w, 20000);
		assert_false(w->proved[0] || w->proved[1] || w->settled[0] || w->settled[1]);
		if (w->up)
			net_cut(&net, w);
		assert_false(memory_has(&net.hosts[0].m, &its, false));
		assert_false(memory_has(&net.hosts[1].m, &after, false));
	}
	net_deinit(&net);
}

/* A newer epoch that appears while a session is open is pushed like anything else. */
static void test_node__a_new_epoch_during_a_session(void **state)
{
	struct wire *w;

	(void)state;
	net_init(&net, 91, 2);
	w = net_connect(&net, 0, 1, 20);
	assert_true(net_run_session(&net, w, 5000));
	net_epoch(&net);
	net_write(&net, 0, VD_LANE_URGENT, 60);
	net_write(&net, 1, VD_LANE_URGENT, 60);
	net_run(&net, 300);
	assert_true(w->up && equal(0, 1));
	assert_memory_equal(vd_group_epoch_id(net.hosts[1].group, 0), vd_group_epoch_id(net.hosts[0].group, 0), VD_EPOCH_BYTES);
	net_deinit(&net);
}

static size_t open_between(const struct host *a, const struct host *b)
{
	size_t open = 0;

	for (const struct wire *w = net.wires; w < net.wires + NET_WIRES_MAX; w++)
		if (w->up && !w->closing[0] && !w->closing[1])
			open += (w->end[0] == a && w->end[1] == b) || (w->end[0] == b && w->end[1] == a);
	return open;
}

/* A member that calls for ever, and ends nothing, takes two places; the first and the latest call are served. */
static void test_node__no_device_takes_all_places(void **state)
{
	(void)state;
	for (int at_work = 0; at_work < 2; at_work++) {
		struct wire *first, *latest = NULL, *honest;

		net_init(&net, 15, 3);
		for (int i = 0; at_work && i < 2000; i++)
			world_write_to(&net.w, 1, VD_LANE_NORMAL, 600, &net.hosts[1].m);
		first = net_connect(&net, 1, 0, 5);
		net_run(&net, 40);
		for (size_t i = 0; i < 2 * VD_PEERS_MAX; i++) {
			latest = net_connect(&net, 1, 0, 5);
			assert_non_null(latest);
			net_run(&net, 40);
			assert_true(latest->proved[0] && latest->proved[1]);
			assert_in_range(open_between(&net.hosts[0], &net.hosts[1]), 1, 2);
		}
		assert_true(first->proved[1] && !first->closing[1]);
		assert_true(latest->proved[1] && !latest->closing[1]);
		/* in the other direction, too */
		assert_non_null(net_connect(&net, 0, 1, 5));
		honest = net_connect(&net, 2, 0, 5);
		assert_true(net_run_session(&net, honest, 60000));
		assert_true(honest->complete[0]);
		assert_in_range(open_between(&net.hosts[0], &net.hosts[1]), 1, 2);
		net_run(&net, 60000);
		assert_true(equal(0, 1) && equal(0, 2));
		net_deinit(&net);
	}
}

/* What was pushed is told as held, to both ends, after the comparison that follows, while the session goes on. */
static void test_node__pushed_is_known_to_be_held(void **state)
{
	struct wire *w;

	(void)state;
	net_init(&net, 18, 2);
	w = net_connect(&net, 0, 1, 20);
	net_run(&net, 2000);
	assert_true(w->up && w->settled[0] && w->settled[1]);
	for (size_t host = 0; host < 2; host++) {
		uint64_t before[2] = { w->stats[0].held.through[VD_LANE_NORMAL], w->stats[1].held.through[VD_LANE_NORMAL] };

		net_write(&net, host, VD_LANE_NORMAL, 100);
		net_run(&net, 2 * VD_RECHECK_MS);
		assert_true(w->up);
		for (int end = 0; end < 2; end++)
			assert_true(w->stats[end].held.through[VD_LANE_NORMAL] > before[end]);
	}
	net_deinit(&net);
}

static void test_node__settled_is_at_rest(void **state)
{
	struct wire *w;

	(void)state;
	net_init(&net, 16, 2);
	w = net_connect(&net, 0, 1, 20);
	assert_false(vd_node_settled(w->end[0]->node, w->conn[0]));
	assert_true(net_run_session(&net, w, 5000));
	assert_true(vd_node_settled(w->end[0]->node, w->conn[0]));
	vd_node_busy(w->end[0]->node, net.now_ms, w->conn[0]);
	assert_false(vd_node_settled(w->end[0]->node, w->conn[0]));
	net_run(&net, 1000);
	assert_false(w->up);
	assert_int_equal(net.hosts[0].failed, 1);
	assert_int_equal(net.hosts[1].failed, 1);
	net_deinit(&net);
}

static void test_node__strangers_are_silent_and_time_out(void **state)
{
	struct net other;
	struct wire *w;
	uint32_t conn;
	struct vd_buf out = { 0 };

	(void)state;
	net_init(&net, 6, 2);
	net_init(&other, 7, 1);
	assert_int_equal(vd_node_accept(net.hosts[0].node, 1000, &conn), VD_OK);
	assert_int_equal(vd_node_connect(net.hosts[1].node, 1000, other.w.group, &conn), VD_ENOTFOUND);
	/* garbage for a handshake: no answer beyond the prologue, and the deadline ends it */
	assert_int_equal(vd_node_drain(net.hosts[0].node, 1000, 1, 4096, &out), VD_OK);
	assert_int_equal(out.n, 32);
	assert_true(vd_node_feed(net.hosts[0].node, 1000, 1, vd_slice(&net, 48)) == VD_OK);
	assert_int_equal(vd_node_drain(net.hosts[0].node, 1000, 1, 4096, &out), VD_OK);
	assert_int_equal(out.n, 32);
	assert_int_equal(vd_node_deadline(net.hosts[0].node), 1000 + VD_PROVE_MS);
	vd_node_tick(net.hosts[0].node, 1000 + VD_PROVE_MS);
	{
		struct vd_wish wish;

		assert_true(vd_node_wish(net.hosts[0].node, &wish));
		assert_int_equal(wish.what, VD_WISH_CLOSED);
		assert_int_equal(wish.err, VD_ECLOSED);
	}
	vd_node_closed(net.hosts[0].node, 1);
	vd_buf_deinit(&out);
	(void)w;
	net_deinit(&other);
	net_deinit(&net);
}

static void test_node__caps(void **state)
{
	uint32_t conn, first = 0;

	(void)state;
	net_init(&net, 8, 1);
	for (int i = 0; i < VD_HALF_OPEN_MAX; i++) {
		assert_int_equal(vd_node_accept(net.hosts[0].node, 1000, &conn), VD_OK);
		first = first ? first : conn;
	}
	assert_int_equal(vd_node_accept(net.hosts[0].node, 1000, &conn), VD_ECAP);
	vd_node_closed(net.hosts[0].node, first);
	assert_int_equal(vd_node_accept(net.hosts[0].node, 1000, &conn), VD_OK);
	assert_int_equal(vd_node_add_group(net.hosts[0].node, net.hosts[0].group), VD_EEXISTS);
	/* numbers of connections that are gone */
	assert_false(vd_node_wants_input(net.hosts[0].node, first));
	assert_false(vd_node_wants_output(net.hosts[0].node, first));
	assert_int_equal(vd_node_feed(net.hosts[0].node, 1000, first, vd_slice("x", 1)), VD_ENOTFOUND);
	vd_node_closed(net.hosts[0].node, first);
	vd_node_bye(net.hosts[0].node, 1000, first);
	vd_node_committed(net.hosts[0].node, 1000, first, VD_OK);
	net_deinit(&net);
}

/* Whatever byte changes on the way, that connection ends and nothing else does; what was stored stays, and the next one completes. */
static void test_node__flipped_bytes_end_only_that_connection(void **state)
{
	(void)state;
	net_init(&net, 9, 2);
	for (int round = 0; round < 40; round++) {
		struct wire *w;
		uint64_t flip_at = (uint64_t)round * 37;

		net_write(&net, 0, VD_LANE_NORMAL, 60);
		w = net_connect(&net, (size_t)round % 2, (size_t)(round + 1) % 2, 10);
		for (int i = 0; i < 100 && w->up && w->to[round % 2].bytes.n + (uint64_t)i * 20 < flip_at; i++)
			net_run(&net, 5);
		if (w->up && w->to[round % 2].bytes.n)
			w->to[round % 2].bytes.p[w->to[round % 2].bytes.n / 2] ^= 1;
		net_run(&net, VD_PROVE_MS + VD_STALL_MS);
		if (w->up)
			net_cut(&net, w);
	}
	{
		struct wire *w = net_connect(&net, 0, 1, 10);

		assert_true(net_run_session(&net, w, 60000));
		assert_true(equal(0, 1));
	}
	net_deinit(&net);
}

static void test_node__a_cut_link_is_resumed(void **state)
{
	int cuts = 0;

	(void)state;
	net_init(&net, 10, 2);
	for (int i = 0; i < 400; i++)
		world_write_to(&net.w, 0, VD_LANE_NORMAL, 5000, &net.hosts[0].m);
	net.commit_ms = 0;
	while (!equal(0, 1)) {
		struct wire *w = net_connect(&net, 1, 0, 20);

		assert_true(cuts++ < 200);
		for (int i = 0; i < 30 && !w->settled[0]; i++)
			net_run(&net, 10);
		net_cut(&net, w);
	}
	net_deinit(&net);
}

/* Four minutes of bytes are under way before the first answer can come: slow is not dead, on neither end. */
static void test_node__a_slow_link_is_not_dead(void **state)
{
	struct wire *w;

	(void)state;
	for (int called = 0; called < 2; called++) {
		net_init(&net, 13, 2);
		for (int i = 0; i < 60; i++)
			world_write_to(&net.w, 0, VD_LANE_BULK, 4500, &net.hosts[0].m);
		w = net_connect(&net, (size_t)called, (size_t)!called, 500);
		w->bytes_per_s = 1000;
		net_run(&net, 600 * 1000);
		assert_true(w->up);
		assert_true(w->complete[0] && w->complete[1]);
		assert_true(equal(0, 1));
		net_deinit(&net);
	}
}

/* Another process stored control records: the node reads them into its group. */
static void test_node__control_by_other_hands(void **state)
{
	struct vd_buf made = { 0 };
	size_t who, count;

	(void)state;
	net_init(&net, 14, 2);
	who = world_newcomer(&net.w);
	world_grant(&net.w, who, &made, &count);
	vd_buf_deinit(&made);
	vd_batch_seal(&net.w.control);
	for (size_t i = net.w.control.count - count; i < net.w.control.count; i++)
		memory_add(&net.hosts[1].m, &net.w.control.entries[i].record);
	assert_false(vd_group_is_author(net.hosts[1].group, net.w.writers[who].identity.author));
	assert_int_equal(vd_node_grew(net.hosts[1].node, net.now_ms), VD_OK);
	assert_true(vd_group_is_author(net.hosts[1].group, net.w.writers[who].identity.author));
	net_deinit(&net);
}

static void sign_control(const struct vd_identity *author, uint64_t seq, const struct vd_id *prev, struct vd_slice content,
                         struct vd_batch *out, struct vd_id *id)
{
	struct vd_record_fields f = { .lane = VD_LANE_CONTROL, .seq = seq, .has_prev = prev != NULL, .time_ms = 1700000000000 };
	struct vd_buf raw = { 0 };

	memcpy(f.group, net.w.group, sizeof(f.group));
	memcpy(f.author, author->author, sizeof(f.author));
	if (prev)
		f.prev = *prev;
	assert_int_equal(vd_record_create(&f, content, author->author_secret, &raw, id), VD_OK);
	assert_int_equal(vd_batch_add(out, vd_buf_slice(&raw)), VD_OK);
	vd_buf_deinit(&raw);
}

/* A line of coordinators, each admitted by the one before. */
static void admit_line(size_t length, struct vd_batch *out, struct vd_identity *last)
{
	struct vd_group *view = world_group(&net.w, 0);
	const struct vd_identity *by = &net.w.writers[0].identity;
	struct vd_id prev = net.w.writers[0].last[VD_LANE_CONTROL], id;
	uint64_t seq = net.w.writers[0].seq[VD_LANE_CONTROL] + 1;

	for (size_t i = 0; i < length; i++) {
		uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 77, (uint8_t)i }, person[VD_PERSON_BYTES] = { (uint8_t)i };
		static const uint8_t nonce[VD_BODY_NONCE_BYTES];
		static struct vd_identity made[16];
		struct vd_buf content = { 0 };
		struct vd_card card;

		vd_identity_from_seed(seed, &made[i]);
		assert_int_equal(vd_card_create(&made[i], &card), VD_OK);
		assert_int_equal(vd_group_make_grant(view, &card, person, VD_ROLE_COORDINATOR, 0, "C", nonce, &content), VD_OK);
		sign_control(by, seq, i ? NULL : &prev, vd_buf_slice(&content), out, &id);
		vd_batch_seal(out);
		vd_buf_reset(&content);
		assert_int_equal(vd_group_add(view, &out->entries[out->count - 1].record), VD_OK);
		assert_int_equal(vd_group_make_epoch_for(view, vd_group_epoch_id(view, 0), card.author, &content), VD_OK);
		sign_control(by, seq + 1, &id, vd_buf_slice(&content), out, &id);
		vd_buf_deinit(&content);
		vd_batch_seal(out);
		/* the next one's view */
		vd_group_free(view);
		view = vd_group_new(net.w.group, &made[i]);
		assert_non_null(view);
		vd_batch_seal(&net.w.control);
		for (size_t k = 0; k < net.w.control.count; k++)
			assert_int_equal(vd_group_add(view, &net.w.control.entries[k].record), VD_OK);
		for (size_t k = 0; k < out->count; k++)
			assert_int_equal(vd_group_add(view, &out->entries[k].record), VD_OK);
		by = &made[i];
		seq = 1;
		*last = made[i];
	}
	vd_group_free(view);
}

/* A batch is stored by author, not as its records depend on each other: whatever order control records arrive in, and whenever
 * the node looks, it ends up knowing the same. */
static void test_node__control_in_any_order(void **state)
{
	struct vd_batch line = { 0 };
	struct vd_identity last;

	(void)state;
	net_init(&net, 15, 1);
	admit_line(6, &line, &last);
	net_deinit(&net);
	for (uint64_t seed = 0; seed < 60; seed++) {
		size_t order[32];

		net_init(&net, 15, 1);
		net.w.random = seed;
		for (size_t i = 0; i < line.count; i++) {
			size_t k = (size_t)world_random(&net.w, i + 1);

			order[i] = order[k];
			order[k] = i;
		}
		assert_int_equal(vd_node_grew(net.hosts[0].node, net.now_ms), VD_OK);
		for (size_t i = 0; i < line.count; i++) {
			memory_add(&net.hosts[0].m, &line.entries[order[i]].record);
			if (world_random(&net.w, 3) == 0)
				assert_int_equal(vd_node_grew(net.hosts[0].node, net.now_ms), VD_OK);
		}
		assert_int_equal(vd_node_grew(net.hosts[0].node, net.now_ms), VD_OK);
		assert_true(vd_group_may_control(net.hosts[0].group, last.author));
		assert_int_equal(vd_group_device_count(net.hosts[0].group), 7);
		net_deinit(&net);
	}
	vd_batch_deinit(&line);
}

/* Memory of a connection that is fed without end stays small, whatever its state. */
static void test_node__floods_before_a_handshake(void **state)
{
	static uint8_t zeros[65536];
	uint32_t conn;
	int rc = VD_OK;

	(void)state;
	net_init(&net, 11, 1);
	assert_int_equal(vd_node_connect(net.hosts[0].node, 1000, net.w.group, &conn), VD_OK);
	for (int i = 0; i < 100 && !rc; i++)
		rc = vd_node_feed(net.hosts[0].node, 1000, conn, vd_slice(zeros, sizeof(zeros)));
	assert_int_not_equal(rc, VD_OK);
	assert_false(vd_node_wants_input(net.hosts[0].node, conn));
	net_deinit(&net);
}

static void test_node__a_failed_commit_ends_the_session(void **state)
{
	struct wire *w;

	(void)state;
	net_init(&net, 12, 2);
	net_write(&net, 0, VD_LANE_NORMAL, 60);
	net.commit_ms = 1000;
	w = net_connect(&net, 0, 1, 10);
	for (int i = 0; i < 1000 && !w->batch[1]; i++)
		net_run(&net, 1);
	assert_non_null(w->batch[1]);
	w->batch[1] = NULL;
	vd_node_committed(net.hosts[1].node, net.now_ms, w->conn[1], VD_ENOSPACE);
	net_run(&net, 10);
	assert_false(w->up);
	assert_int_equal(net.hosts[1].failed, 1);
	assert_false(equal(0, 1));
	net_deinit(&net);
}

static int setup(void **state)
{
	(void)state;
	return vd_sign_selftest();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_node__two_meet_and_agree),
		cmocka_unit_test(test_node__equal_sets_cost_little),
		cmocka_unit_test(test_node__many_meet_in_a_ring),
		cmocka_unit_test(test_node__one_session_a_pair),
		cmocka_unit_test(test_node__a_second_session_is_served_first),
		cmocka_unit_test(test_node__one_that_was_away_catches_up),
		cmocka_unit_test(test_node__a_new_epoch_during_a_session),
		cmocka_unit_test(test_node__one_that_is_removed_gets_nothing_more),
		cmocka_unit_test(test_node__no_device_takes_all_places),
		cmocka_unit_test(test_node__settled_is_at_rest),
		cmocka_unit_test(test_node__pushed_is_known_to_be_held),
		cmocka_unit_test(test_node__strangers_are_silent_and_time_out),
		cmocka_unit_test(test_node__caps),
		cmocka_unit_test(test_node__flipped_bytes_end_only_that_connection),
		cmocka_unit_test(test_node__a_cut_link_is_resumed),
		cmocka_unit_test(test_node__a_slow_link_is_not_dead),
		cmocka_unit_test(test_node__control_by_other_hands),
		cmocka_unit_test(test_node__control_in_any_order),
		cmocka_unit_test(test_node__floods_before_a_handshake),
		cmocka_unit_test(test_node__a_failed_commit_ends_the_session),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
