/* Input: u8 mode ‖ steps. Two ends of a pipe, by way of somebody who may hold back, change and invent bytes.
 * mode & 1, 2: that end yields; mode & 4: the second end is in another group. A step is u8 what ‖ …:
 *   0 bytes arrive: u8 whose ‖ u16 how many     1 … with one changed: ‖ u8 xor     2 bytes invented: u8 whose ‖ u8 n ‖ n bytes
 *   3 what the end was to store is durable: u8 whose, high bit: it failed           4 the other end closed: u8 whose
 *   5 u8 seconds pass     6 the end is stopped: u8 whose
 * Nothing crashes, what is committed was valid, and an end that is over stays so. */
#include <string.h>

#include "proto/err.h"
#include "proto/pipe.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/world.h"

enum { STEPS = 600 };

static struct world worlds[2];
static struct vd_group *groups[3]; /* of the first, the second, and of a stranger */
static struct memory stores[3];

static void prepare(void)
{
	if (groups[0])
		return;
	FUZZ_CHECK(vd_sign_selftest() == 0);
	world_init(&worlds[0], 1, 2);
	world_init(&worlds[1], 2, 2);
	for (size_t i = 0; i < 3; i++) {
		groups[i] = world_group(&worlds[i / 2], i % 2);
		world_memory(&worlds[i / 2], &stores[i], groups[i]);
		for (int k = 0; k < 12; k++)
			world_write_to(&worlds[i / 2], i % 2, (uint8_t)(1 + k % 3), 200, &stores[i]);
	}
}

struct scene {
	struct vd_pipe *pipe[2];
	struct vd_buf to[2];
	uint64_t now_ms;
};

static void look(struct scene *s, int e)
{
	if (vd_pipe_wants_output(s->pipe[e]))
		FUZZ_CHECK(vd_pipe_drain(s->pipe[e], s->now_ms, 8192, &s->to[!e]) == VD_OK);
}

static void arrive(struct scene *s, int e, size_t n, uint8_t change)
{
	if (n > s->to[e].n)
		n = s->to[e].n;
	if (!n || !vd_pipe_wants_input(s->pipe[e]))
		return;
	s->to[e].p[n - 1] ^= change;
	vd_pipe_feed(s->pipe[e], s->now_ms, vd_slice(s->to[e].p, n));
	vd_buf_drop(&s->to[e], n);
}

static void step(struct scene *s, struct vd_rd *r)
{
	uint8_t what = vd_rd_u8(r) % 7, whose = vd_rd_u8(r);
	int e = whose & 1;
	bool over = vd_pipe_over(s->pipe[e]);
	struct vd_group *group;
	struct vd_batch *batch;
	size_t n;

	switch (what) {
	case 0:
		arrive(s, e, vd_rd_u16(r), 0);
		break;
	case 1:
		n = vd_rd_u16(r);
		arrive(s, e, n, vd_rd_u8(r));
		break;
	case 2:
		n = vd_rd_u8(r);
		vd_pipe_feed(s->pipe[e], s->now_ms, vd_rd_take(r, n < r->n ? n : r->n));
		break;
	case 3:
		batch = vd_pipe_batch(s->pipe[e], &group);
		for (size_t k = 0; batch && k < batch->count; k++)
			FUZZ_CHECK(batch->entries[k].verdict || memory_has(&stores[!e], &batch->entries[k].record.id, false));
		if (batch)
			vd_pipe_committed(s->pipe[e], s->now_ms, whose & 0x80 ? VD_ENOSPACE : VD_OK);
		break;
	case 4:
		vd_pipe_ended(s->pipe[e], s->now_ms);
		break;
	case 5:
		s->now_ms += 1000u * whose;
		vd_pipe_tick(s->pipe[0], s->now_ms);
		vd_pipe_tick(s->pipe[1], s->now_ms);
		break;
	default:
		vd_pipe_stop(s->pipe[e], s->now_ms);
	}
	FUZZ_CHECK(!over || vd_pipe_over(s->pipe[e]));
	look(s, 0);
	look(s, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	uint8_t mode = vd_rd_u8(&r), seed[VD_NODE_SEED_BYTES];
	struct scene s = { .now_ms = 1000 };

	prepare();
	for (size_t e = 0; e < 2; e++) {
		size_t i = e && (mode & 4) ? 2 : e;

		memset(seed, (int)(mode + 1 + e), sizeof(seed));
		s.pipe[e] = vd_pipe_new(&stores[i].port, &groups[i], 1, mode >> e & 1, seed);
		FUZZ_CHECK(s.pipe[e]);
		look(&s, (int)e);
	}
	for (int i = 0; i < STEPS && r.n && !r.err; i++)
		step(&s, &r);
	for (size_t e = 0; e < 2; e++) {
		size_t n;
		const struct vd_pipe_met *met = vd_pipe_groups(s.pipe[e], &n);

		FUZZ_CHECK(n == 1 && !((mode & 4) && met->opened));
		vd_pipe_free(s.pipe[e]);
		vd_buf_deinit(&s.to[e]);
	}
	return 0;
}
