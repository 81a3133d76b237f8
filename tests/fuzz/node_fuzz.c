/* Input: steps. Two nodes and up to eight connections between them, by way of somebody who may hold back, change, repeat and cut.
 * A step is u8 what ‖ …:
 *   0 connect: u8 who calls       1 bytes move: u8 wire, high bit which way ‖ u16 how many      2 … with one changed: ‖ u8 xor
 *   3 bytes invented: u8 wire ‖ u8 n ‖ n bytes     4 a commit is durable: u8 wire     5 cut: u8 wire     6 bye: u8 wire
 *   7 u8 seconds pass     8 a node heard that its store grew: u8 which
 * Nothing crashes, wishes come for connections that exist, and what is committed was valid. */
#include <string.h>

#include "proto/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/pair.h"

enum { STEPS = 600, WIRES = 8 };

static struct world world;
static struct vd_group *groups[2];
static struct memory stores[2];

static void prepare(void)
{
	if (groups[0])
		return;
	FUZZ_CHECK(vd_sign_selftest() == 0);
	world_init(&world, 1, 2);
	for (size_t i = 0; i < 2; i++) {
		groups[i] = world_group(&world, i);
		world_memory(&world, &stores[i], groups[i]);
		for (int k = 0; k < 12; k++)
			world_write_to(&world, i, (uint8_t)(1 + k % 3), 200, &stores[i]);
	}
}

struct tube {
	bool up;
	uint32_t conn[2];
	bool live[2];
	bool batch[2];
	struct vd_buf to[2];
};

struct scene {
	struct vd_node *node[2];
	struct tube tubes[WIRES];
	uint64_t now_ms;
};

static void drop(struct scene *s, struct tube *t)
{
	for (int e = 0; e < 2; e++) {
		if (t->live[e])
			vd_node_closed(s->node[e], t->conn[e]);
		vd_buf_deinit(&t->to[e]);
	}
	*t = (struct tube){ 0 };
}

static void grant(struct scene *s, int e, const struct vd_wish *wish)
{
	for (size_t i = 0; i < WIRES; i++) {
		struct tube *t = &s->tubes[i];

		if (!t->live[e] || t->conn[e] != wish->conn)
			continue;
		if (wish->what == VD_WISH_COMMIT) {
			FUZZ_CHECK(wish->batch && !t->batch[e]);
			t->batch[e] = true;
			for (size_t k = 0; k < wish->batch->count; k++)
				FUZZ_CHECK(wish->batch->entries[k].verdict || memory_has(&stores[!e], &wish->batch->entries[k].record.id, false));
		}
		return;
	}
	abort(); /* a wish for nobody */
}

static void move(struct scene *s, struct tube *t, int e)
{
	if (t->live[e] && vd_node_wants_output(s->node[e], t->conn[e]))
		FUZZ_CHECK(vd_node_drain(s->node[e], s->now_ms, t->conn[e], 8192, &t->to[!e]) == VD_OK);
}

static void deliver(struct scene *s, struct tube *t, int e, size_t n, uint8_t flip)
{
	struct vd_buf *b = &t->to[e];

	n = n < b->n ? n : b->n;
	if (!n || !t->live[e] || !vd_node_wants_input(s->node[e], t->conn[e]))
		return;
	b->p[n - 1] ^= flip;
	if (vd_node_feed(s->node[e], s->now_ms, t->conn[e], vd_slice(b->p, n)) != VD_EAGAIN)
		vd_buf_drop(b, n);
}

static void connect_tube(struct scene *s, int who)
{
	struct tube *t = s->tubes;

	while (t < s->tubes + WIRES && t->up)
		t++;
	if (t == s->tubes + WIRES)
		return;
	t->up = true;
	t->live[who] = !vd_node_connect(s->node[who], s->now_ms, world.group, &t->conn[who]);
	t->live[!who] = !vd_node_accept(s->node[!who], s->now_ms, &t->conn[!who]);
}

static void step(struct scene *s, struct vd_rd *r)
{
	uint8_t what = vd_rd_u8(r) % 9, arg = vd_rd_u8(r);
	struct tube *t = &s->tubes[arg % WIRES];
	int e = arg >> 7;
	struct vd_slice junk;

	switch (what) {
	case 0:
		connect_tube(s, arg & 1);
		break;
	case 1:
	case 2:
		move(s, t, !e);
		deliver(s, t, e, vd_rd_u16(r), what == 2 ? vd_rd_u8(r) : 0);
		break;
	case 3:
		junk = vd_rd_take(r, vd_rd_u8(r));
		if (t->live[e] && junk.n)
			(void)!vd_node_feed(s->node[e], s->now_ms, t->conn[e], junk);
		break;
	case 4:
		if (t->batch[e])
			vd_node_committed(s->node[e], s->now_ms, t->conn[e], arg & 8 ? VD_ENOSPACE : VD_OK);
		t->batch[e] = false;
		break;
	case 5:
		drop(s, t);
		break;
	case 6:
		if (t->live[e])
			vd_node_bye(s->node[e], s->now_ms, t->conn[e]);
		break;
	case 7:
		s->now_ms += 1000u * arg;
		for (int i = 0; i < 2; i++)
			if (s->now_ms >= vd_node_deadline(s->node[i]))
				vd_node_tick(s->node[i], s->now_ms);
		break;
	case 8:
		FUZZ_CHECK(vd_node_grew(s->node[arg & 1], s->now_ms) == VD_OK);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	struct scene s = { .now_ms = 1000 };
	struct vd_wish wish;

	prepare();
	for (int i = 0; i < 2; i++) {
		uint8_t seed[VD_NODE_SEED_BYTES] = { (uint8_t)i };

		s.node[i] = vd_node_new(&stores[i].port, seed);
		FUZZ_CHECK(s.node[i] && vd_node_add_group(s.node[i], groups[i]) == VD_OK);
	}
	for (int i = 0; i < STEPS && r.n && !r.err; i++) {
		step(&s, &r);
		for (int e = 0; e < 2; e++)
			while (vd_node_wish(s.node[e], &wish))
				grant(&s, e, &wish);
	}
	for (size_t i = 0; i < WIRES; i++)
		drop(&s, &s.tubes[i]);
	for (int i = 0; i < 2; i++)
		vd_node_free(s.node[i]);
	return 0;
}
