#include "pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearsay.h"

static void end_init(struct pair *p, struct end *e, size_t who)
{
	*e = (struct end){ .group = world_group(&p->w, who) };
	world_memory(&p->w, &e->m, e->group);
}

static void end_drop(struct end *e)
{
	for (size_t i = e->first; i < e->count; i++)
		vd_buf_deinit(&e->queue[i].payload);
	free(e->queue);
	e->queue = NULL;
	e->first = e->count = 0;
	vd_session_free(e->s);
	e->s = NULL;
}

void pair_init(struct pair *p, uint64_t seed, size_t people)
{
	*p = (struct pair){ .now_ms = 1000 };
	world_init(&p->w, seed, people);
	end_init(p, &p->a, 0);
	end_init(p, &p->b, people > 1);
}

void pair_deinit(struct pair *p)
{
	struct end *ends[] = { &p->a, &p->b };

	for (size_t i = 0; i < 2; i++) {
		end_drop(ends[i]);
		memory_deinit(&ends[i]->m);
		vd_group_free(ends[i]->group);
	}
	world_deinit(&p->w);
}

void pair_connect(struct pair *p)
{
	uint8_t seed[VD_SALT_BYTES];

	end_drop(&p->a);
	end_drop(&p->b);
	p->a.rc = p->b.rc = VD_OK;
	p->a.bytes_in = p->b.bytes_in = 0;
	p->trips = 0;
	memset(p->a.messages_in, 0, sizeof(p->a.messages_in));
	memset(p->b.messages_in, 0, sizeof(p->b.messages_in));
	world_bytes(&p->w, seed, sizeof(seed));
	p->a.s = vd_session_new(true, p->a.group, &p->a.m.port, p->now_ms, seed);
	seed[0] ^= 1;
	p->b.s = vd_session_new(false, p->b.group, &p->b.m.port, p->now_ms, seed);
	if (!p->a.s || !p->b.s)
		abort();
	vd_session_meets(p->a.s, vd_group_identity(p->b.group)->author);
	vd_session_meets(p->b.s, vd_group_identity(p->a.group)->author);
}

void pair_write(struct pair *p, size_t count, uint8_t lane, bool in_a, bool in_b)
{
	struct vd_buf raw = { 0 };

	for (size_t i = 0; i < count; i++) {
		struct vd_id id;

		vd_buf_reset(&raw);
		world_write(&p->w, (size_t)world_random(&p->w, p->w.count), lane, 40, &raw, &id);
		if (in_a)
			world_store(&p->a.m, vd_buf_slice(&raw));
		if (in_b)
			world_store(&p->b.m, vd_buf_slice(&raw));
	}
	vd_buf_deinit(&raw);
}

void pair_common(struct pair *p, size_t count, uint8_t lane)
{
	for (size_t i = 0; i < count; i++) {
		struct vd_id id;

		world_bytes(&p->w, &id, sizeof(id));
		memory_add_id(&p->a.m, lane, &id);
		memory_add_id(&p->b.m, lane, &id);
	}
}

void pair_admit(struct pair *p, struct end *e, size_t people)
{
	struct vd_buf made = { 0 };

	for (size_t k = 0; k < people; k++) {
		size_t n;

		world_grant(&p->w, world_newcomer(&p->w), &made, &n);
		vd_batch_seal(&p->w.control);
		for (size_t i = p->w.control.count - n; i < p->w.control.count; i++) {
			memory_add(&e->m, &p->w.control.entries[i].record);
			if (vd_group_add(e->group, &p->w.control.entries[i].record))
				abort();
		}
	}
	vd_buf_deinit(&made);
}

void end_say(struct end *e)
{
	struct vd_buf own = { 0 };

	if (!vd_session_asks_word(e->s))
		return;
	hearsay_say(&e->m, &own);
	vd_session_said(e->s, vd_buf_slice(&own));
	vd_buf_deinit(&own);
}

void pair_heed(struct pair *p, struct end *e)
{
	const struct end *other = e == &p->a ? &p->b : &p->a;
	struct vd_words words;

	if (!e->s || e->rc || e->hold_words)
		return;
	if (vd_session_words(e->s, &words))
		e->kept += hearsay_heed(&e->m, vd_group_identity(other->group)->author, &words);
	vd_words_deinit(&words);
	end_say(e);
}

void pair_commit(struct pair *p, struct end *e)
{
	struct vd_batch *batch = e->s && !e->hold_commits ? vd_session_batch(e->s) : NULL;

	while (batch && !e->rc) {
		memory_commit(&e->m, batch);
		e->rc = vd_session_committed(e->s, p->now_ms, VD_OK);
		vd_session_grew(e->s, p->now_ms);
		batch = vd_session_batch(e->s);
	}
}

static bool feed(struct pair *p, struct end *e)
{
	bool moved = false;

	pair_commit(p, e);
	while (e->first < e->count && !e->rc) {
		struct message *m = &e->queue[e->first];
		int rc = vd_session_feed(e->s, p->now_ms, m->type, vd_buf_slice(&m->payload));

		pair_commit(p, e);
		pair_heed(p, e);
		if (rc == VD_EAGAIN)
			break;
		if (rc)
			e->rc = rc;
		e->bytes_in += m->payload.n + 3;
		e->messages_in[m->type % VD_MSG_END]++;
		vd_buf_deinit(&m->payload);
		e->first++;
		moved = true;
	}
	return moved;
}

bool pair_turn(struct pair *p, struct end *from, struct end *to)
{
	bool moved = false;

	for (;;) {
		struct message m = { 0 };
		int rc;

		pair_heed(p, from);
		rc = from->rc ? 0 : vd_session_drain(from->s, p->now_ms, &m.type, &m.payload);

		if (rc < 0)
			from->rc = rc;
		if (rc <= 0) {
			vd_buf_deinit(&m.payload);
			break;
		}
		if (to->first == to->count)
			to->first = to->count = 0;
		to->queue = realloc(to->queue, (to->count + 1) * sizeof(m));
		if (!to->queue)
			abort();
		to->queue[to->count++] = m;
		moved = true;
		/* Large flows are taken as they come, so that the queue stays small. */
		if (to->count - to->first > 64)
			feed(p, to);
	}
	return feed(p, to) || moved;
}

/* What a session says that the other holds, that holds. */
static void check_held(const struct end *end, const struct end *other)
{
	const struct vd_held *held = &vd_session_stats(end->s)->held;
	size_t count = end->m.count < 20000 ? end->m.count : 0;

	for (size_t i = 0; i < count; i++) {
		const struct memory_record *r = &end->m.records[i];

		if (i + 1 > held->through[r->lane] || memory_has(&other->m, &r->id, true))
			continue;
		fprintf(stderr, "pair: lane %d is taken to be held up to %llu, and record %zu is not\n", r->lane,
		        (unsigned long long)held->through[r->lane], i + 1);
		abort();
	}
}

bool pair_run(struct pair *p)
{
	bool moved = true;

	/* hellos */
	pair_turn(p, &p->b, &p->a);
	for (uint32_t i = 0; moved && i < 10000 && !p->a.rc && !p->b.rc; i++) {
		moved = pair_turn(p, &p->a, &p->b);
		if (pair_turn(p, &p->b, &p->a)) {
			p->trips++;
			moved = true;
		}
	}
	check_held(&p->a, &p->b);
	check_held(&p->b, &p->a);
	return !moved && !p->a.rc && !p->b.rc;
}

void pair_tick(struct pair *p, uint64_t ms)
{
	p->now_ms += ms;
	p->a.rc = vd_session_tick(p->a.s, p->now_ms);
	p->b.rc = vd_session_tick(p->b.s, p->now_ms);
}
