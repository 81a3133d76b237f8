/* Input: u8 mode ‖ steps. A session meets a real one, by way of somebody who may drop, change and invent messages.
 *
 * mode & 1: the victim initiates; mode & 2: equal sets; mode & 4: a small difference; both: the initiator has far more; mode & 8: lane 0 differs too, and the victim
 * gives that one first; mode & 16, 32: the initiator, the other end declines somebody. A step is u8 what ‖ …:
 *   0 the next message of the real peer arrives       1 … changed: u16 offset ‖ u8 xor      2 … cut: u16 bytes stay
 *   3 an invented one: u8 type ‖ u8 n ‖ n bytes       4 … with round and lane in front: u8 type ‖ u8 lane ‖ u8 n ‖ n bytes
 *   5 the victim speaks, and the peer hears it        6 a batch is durable, and what is wanted of receipts is done
 *   7 u8 seconds pass
 *   8 the peer's last message arrives once more
 * With equal sets, and a small difference, both keep receipts, and one of another device each.
 * Nothing crashes, runs for ever, or holds more than it may; nothing invented gets a verdict of valid. */
#include <string.h>

#include "proto/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/sim/hearsay.h"
#include "tests/sim/pair.h"

enum { STEPS = 400, DRAINS = 200 };

static struct pair pairs[5]; /* large difference, equal, small, in lane 0 too, large and one-sided */

static void hears_of(struct pair *p, size_t who, struct end *e)
{
	struct vd_receipt r = { .count = 7 };
	struct vd_group *group = world_group(&p->w, who);
	struct vd_buf said = { 0 };

	hearsay_begin(&e->m, true);
	hearsay_say(&e->m, &said);
	vd_buf_reset(&said);
	FUZZ_CHECK(vd_receipt_make(group, &r, NULL, 0, &said) == VD_OK && hearsay_keep(&e->m, vd_buf_slice(&said)));
	vd_buf_deinit(&said);
	vd_group_free(group);
}

static void prepare(void)
{
	if (pairs[0].now_ms)
		return;
	FUZZ_CHECK(vd_sign_selftest() == 0);
	for (size_t i = 0; i < 5; i++) {
		pair_init(&pairs[i], i + 1, i == 1 || i == 2 ? 4 : 3);
		pair_write(&pairs[i], 30, VD_LANE_URGENT, true, true);
		pair_common(&pairs[i], i == 2 ? 2000 : 100, VD_LANE_NORMAL);
		if (i != 1) {
			pair_write(&pairs[i], i == 4 ? 200 : 20, VD_LANE_NORMAL, true, false);
			pair_write(&pairs[i], 20, VD_LANE_NORMAL, false, true);
		}
		if (i == 1 || i == 2) {
			hears_of(&pairs[i], 2, &pairs[i].a);
			hears_of(&pairs[i], 3, &pairs[i].b);
		}
		if (i == 3) {
			world_epoch(&pairs[i].w);
			vd_batch_seal(&pairs[i].w.control);
			memory_add(&pairs[i].a.m, &pairs[i].w.control.entries[pairs[i].w.control.count - 1].record);
		}
	}
}

struct scene {
	struct pair *p;
	struct end *victim, *peer;
	struct vd_buf last; /* of the peer */
	uint8_t last_type;
	uint64_t now_ms;
	int rc;
	bool restores; /* a commit gives a peer that only gives its role back */
};

/* Does what an end wants of receipts, and keeps nothing: every input begins alike. */
static void heed(struct end *e)
{
	struct vd_words words;

	if (vd_session_words(e->s, &words))
		FUZZ_CHECK(words.others.n <= VD_RECEIPTS_BYTES && vd_receipts_check(vd_buf_slice(&words.others)) == VD_OK);
	vd_words_deinit(&words);
	end_say(e);
}

static void hear(struct scene *s, uint8_t type, struct vd_slice payload)
{
	struct vd_batch *b;

	if (s->rc && s->rc != VD_EAGAIN)
		return;
	s->rc = vd_session_feed(s->victim->s, s->now_ms, type, payload);
	/* whom we decline was not said while we only took: then it is said in a new session */
	FUZZ_CHECK(s->rc == VD_OK || s->rc == VD_EFORMAT || s->rc == VD_ECAP || s->rc == VD_EAGAIN ||
	           (s->rc == VD_EBUSY && s->restores && vd_session_stats(s->victim->s)->declines_more));
	b = vd_session_batch(s->victim->s);
	FUZZ_CHECK(!b || b->bytes.n <= VD_BATCH_BYTES + 4 * VD_MESSAGE_MAX);
	for (size_t i = 0; b && i < b->count; i++)
		FUZZ_CHECK(b->entries[i].verdict != VD_OK || memory_has(&s->peer->m, &b->entries[i].record.id, false) ||
		           memory_has(&s->victim->m, &b->entries[i].record.id, false));
}

static void peer_speaks(struct scene *s)
{
	uint8_t type;

	vd_buf_reset(&s->last);
	heed(s->peer);
	if (vd_session_drain(s->peer->s, s->now_ms, &type, &s->last) == 1)
		s->last_type = type;
}

static void victim_speaks(struct scene *s)
{
	struct vd_buf out = { 0 };
	uint8_t type;

	for (int i = 0; i < DRAINS && vd_session_drain(s->victim->s, s->now_ms, &type, &out) == 1; i++) {
		FUZZ_CHECK(out.n < VD_MESSAGE_MAX);
		if (vd_session_takes_only(s->victim->s))
			FUZZ_CHECK(type != VD_MSG_RECORDS && type != VD_MSG_SYMBOLS && vd_session_stats(s->victim->s)->sent == 0);
		/* the peer may find it strange by now */
		if (s->peer->rc == VD_OK)
			s->peer->rc = vd_session_feed(s->peer->s, s->now_ms, type, vd_buf_slice(&out));
		vd_buf_reset(&out);
	}
	if (vd_session_batch(s->peer->s))
		(void)!vd_session_committed(s->peer->s, s->now_ms, VD_OK);
	vd_buf_deinit(&out);
}

static void invent(struct scene *s, struct vd_rd *r, bool addressed)
{
	uint8_t type = vd_rd_u8(r), lane = addressed ? vd_rd_u8(r) : 0;
	struct vd_slice junk = vd_rd_take(r, vd_rd_u8(r));
	struct vd_buf m = { 0 };

	if (addressed) {
		vd_buf_put_u8(&m, (uint8_t)vd_session_stats(s->victim->s)->rounds);
		vd_buf_put_u8(&m, lane);
	}
	vd_buf_put_slice(&m, junk);
	hear(s, type, vd_buf_slice(&m));
	vd_buf_deinit(&m);
}

static void step(struct scene *s, struct vd_rd *r)
{
	uint8_t what = vd_rd_u8(r);
	uint16_t at;

	switch (what % 9) {
	case 0:
	case 1:
	case 2:
		peer_speaks(s);
		at = what % 9 ? vd_rd_u16(r) : 0;
		if (what % 9 == 1 && s->last.n)
			s->last.p[at % s->last.n] ^= vd_rd_u8(r);
		if (what % 9 == 2 && s->last.n > at)
			s->last.n = at;
		hear(s, s->last_type, vd_buf_slice(&s->last));
		break;
	case 3:
	case 4:
		invent(s, r, what % 9 == 4);
		break;
	case 5:
		victim_speaks(s);
		break;
	case 6:
		if (vd_session_batch(s->victim->s))
			(void)!vd_session_committed(s->victim->s, s->now_ms, VD_OK);
		vd_session_grew(s->victim->s, s->now_ms);
		heed(s->victim);
		if (s->restores && vd_session_takes_only(s->victim->s))
			s->rc = s->rc ? s->rc : vd_session_give_too(s->victim->s);
		break;
	case 7:
		s->now_ms += 1000u * vd_rd_u8(r);
		if (s->now_ms >= vd_session_deadline(s->victim->s))
			s->rc = s->rc ? s->rc : vd_session_tick(s->victim->s, s->now_ms);
		break;
	case 8:
		hear(s, s->last_type, vd_buf_slice(&s->last));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	uint8_t mode = vd_rd_u8(&r);
	struct scene s = { .now_ms = 1000 };

	prepare();
	s.p = &pairs[mode & 8 ? 3 : (mode & 6) == 6 ? 4 : mode & 2 ? 1 : mode & 4 ? 2 : 0];
	s.p->a.m.declined.count = s.p->b.m.declined.count = 0;
	for (unsigned i = 0; i < 2; i++)
		if (mode & 16u << i)
			vd_declined_add(&(i ? &s.p->b : &s.p->a)->m.declined, VD_LANE_NORMAL, s.p->w.writers[i + 1].identity.author);
	pair_connect(s.p);
	s.victim = mode & 1 ? &s.p->a : &s.p->b;
	s.peer = mode & 1 ? &s.p->b : &s.p->a;
	if (mode & 8)
		vd_session_control_first(s.victim->s);
	if (mode & 64)
		vd_session_take_only(s.victim->s);
	s.restores = mode & 128;
	for (int i = 0; i < STEPS && r.n && !r.err; i++)
		step(&s, &r);
	victim_speaks(&s);
	vd_buf_deinit(&s.last);
	return 0;
}
