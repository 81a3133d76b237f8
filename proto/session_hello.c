/* What the ends of a session say first, PROTOCOL.md section 8: a summary of their sets, and whom they decline. */
#include <string.h>

#include "err.h"
#include "hash.h"
#include "session_priv.h"

/* Of lane 0, which is small and seldom differs, fewer counts do. */
enum { CAN_LEAVE_BULK = 1 }; /* capabilities: "send no bodies of the bulk lane, unless I ask" */
enum { IS_WHOLE_AT = 1 };    /* bits of each lane: "I have every body of it" */
enum { KEEPS_RECEIPTS = 1 << 5, GIVES_RECEIPTS = 1 << 6 };
enum { HELLO_HEAD = 3 };       /* length and type before it, at most */
enum { HELLO_SYMBOLS = VD_ESTIMATE_AT + VD_ESTIMATES, CONTROL_ESTIMATES = 16 };

static size_t estimates_of(size_t lane)
{
	return lane == VD_LANE_CONTROL ? CONTROL_ESTIMATES : VD_ESTIMATES;
}

/* Takes in whom they decline. What finding out costs us is on their account: they name, we look. */
static int set_apart(struct vd_session *s, const struct vd_declined_set *theirs, const uint64_t counts[VD_LANES],
                     uint8_t estimates[VD_LANES][VD_ESTIMATES])
{
	bool named[VD_LANES] = { false };

	for (size_t i = 0; i < theirs->count; i++) {
		named[theirs->who[i].lane] |= !vd_declined_has(&s->apart, theirs->who[i].lane, theirs->who[i].author);
		vd_declined_add(&s->apart, theirs->who[i].lane, theirs->who[i].author);
	}
	for (uint8_t l = 0; l < VD_LANES; l++) {
		const struct vd_declined *first;
		struct vd_symbol symbols[HELLO_SYMBOLS];
		struct vd_lane_state state;
		uint64_t most = vd_session_may_pass(s, 0) ? UINT64_MAX : 0, left = most;
		uint8_t own[VD_ESTIMATES];
		int rc;

		/* Their estimate has in it what we alone decline, so it says nothing. */
		if (vd_declined_of_lane(&s->declined, l, &first))
			s->lanes[l].expected = 0;
		if (!named[l])
			continue;
		rc = vd_reconcile_state(s->shown, vd_group_id(s->group), &s->apart, l, &left, &state, symbols, HELLO_SYMBOLS);
		if (rc)
			return rc;
		(void)vd_session_may_pass(s, most - left);
		for (size_t i = 0; i < VD_ESTIMATES; i++)
			own[i] = (uint8_t)symbols[VD_ESTIMATE_AT + i].count;
		if (s->initiator && !vd_declined_of_lane(&s->declined, l, &first))
			s->lanes[l].expected = vd_sketch_estimate(estimates[l], own, estimates_of(l), counts[l], state.digest.count);
	}
	return VD_OK;
}

const struct vd_declined_set *vd_session_apart(const struct vd_session *s)
{
	return &s->apart;
}

int vd_session_call_again(struct vd_session *s, bool round_over)
{
	struct vd_declined_set now;
	uint8_t lane = VD_LANES;
	int rc = s->hello_made ? s->shown->declined(s->shown->ctx, vd_group_id(s->group), &now) : VD_OK;

	if (rc || !s->hello_made)
		return rc;
	if (now.bulk_bodies && !s->declined.bulk_bodies)
		lane = VD_LANE_BULK;
	for (size_t i = 0; i < now.count && now.who[i].lane < lane; i++)
		if (!vd_declined_has(&s->apart, now.who[i].lane, now.who[i].author))
			lane = now.who[i].lane;
	for (size_t l = 0; l < lane && lane < VD_LANES && !round_over; l++)
		if (s->lanes[l].active)
			return VD_OK;
	s->stats.declines_more = lane < VD_LANES;
	return s->stats.declines_more ? VD_EBUSY : VD_OK;
}

/* The moment that our hello speaks of: when we first say or hear one. */
static int make_hello(struct vd_session *s)
{
	static const struct vd_slice no_key;
	struct vd_symbol symbols[HELLO_SYMBOLS];
	uint8_t marks[2 * VD_LANES][8 + VD_HASH_BYTES];
	struct vd_slice parts[2 * VD_LANES];
	uint64_t all = UINT64_MAX;
	int rc = s->shown->declined(s->shown->ctx, vd_group_id(s->group), &s->declined);

	s->apart = s->declined;
	for (uint8_t l = 0; !rc && l < VD_LANES; l++) {
		struct vd_lane_state state;
		const struct vd_digest *sets[2] = { &state.digest, &state.wanted };

		rc = vd_reconcile_state(s->shown, vd_group_id(s->group), &s->declined, l, &all, &state, symbols, HELLO_SYMBOLS);
		if (rc)
			break;
		for (size_t i = 0; i < 2; i++) {
			struct vd_set_mark m;

			vd_set_mark_of(sets[i], &m);
			vd_set_u64(marks[l + i * VD_LANES], m.count);
			memcpy(marks[l + i * VD_LANES] + 8, m.hash, sizeof(m.hash));
		}
		vd_session_mark_whole(s, l, &state);
		s->counts[l] = state.digest.count;
		vd_set_mark_of(&state.digest, &s->lanes[l].ids);
		for (size_t i = 0; i < VD_ESTIMATES; i++)
			s->estimates[l][i] = (uint8_t)symbols[VD_ESTIMATE_AT + i].count;
		s->lanes[l].push_after = s->lanes[l].compared = state.latest;
		s->lanes[l].grew = false;
	}
	if (!rc)
		rc = vd_session_told_begin(s);
	if (rc)
		return rc;
	for (size_t i = 0; i < 2 * VD_LANES; i++)
		parts[i] = vd_slice(marks[i], sizeof(marks[i]));
	vd_hash(VD_HASH_SUMMARY, no_key, s->summary, sizeof(s->summary), parts, 2 * VD_LANES);
	s->hello_made = true;
	return VD_OK;
}

int vd_session_put_hello(struct vd_session *s, struct vd_buf *out)
{
	int rc = s->hello_made ? VD_OK : make_hello(s);

	if (rc)
		return rc;
	vd_buf_put_u8(out, VD_VERSION);
	vd_buf_put_varint(out, (s->declined.bulk_bodies ? CAN_LEAVE_BULK : 0) | (unsigned)s->whole << IS_WHOLE_AT |
	                               (s->told.keeps ? KEEPS_RECEIPTS : 0) | (s->told.gives ? GIVES_RECEIPTS : 0));
	s->whole_said = s->whole;
	vd_buf_put(out, s->summary, sizeof(s->summary));
	for (size_t l = 0; l < VD_LANES; l++) {
		vd_buf_put_varint(out, s->counts[l]);
		/* The initiator sends symbols, so it alone needs to know how many. */
		if (s->counts[l] && !s->initiator)
			vd_buf_put(out, s->estimates[l], estimates_of(l));
	}
	vd_declined_encode(&s->declined, out);
	if (s->told.keeps)
		vd_session_told_put_hello(s, out);
	s->hello_out = true;
	return VD_OK;
}

/* Bytes of both, where the sets are equal: the initiator's has no estimates. */
static size_t both_hellos(const struct vd_session *s, size_t theirs, size_t they_decline)
{
	size_t estimates = 0, ours;

	for (size_t l = 0; l < VD_LANES; l++)
		estimates += s->counts[l] ? estimates_of(l) : 0;
	ours = theirs + (s->initiator ? 0 : estimates) + s->declined.count * (1 + VD_KEY_BYTES);
	return theirs + ours + 2 * HELLO_HEAD - they_decline * (1 + VD_KEY_BYTES) - (s->initiator ? estimates : 0);
}

int vd_session_take_hello(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t summary[VD_HASH_BYTES], version = vd_rd_u8(&r);
	uint64_t counts[VD_LANES], can;
	uint8_t estimates[VD_LANES][VD_ESTIMATES] = { { 0 } };
	struct vd_declined_set theirs;
	int rc = s->hello_in ? VD_EFORMAT : s->hello_made ? VD_OK : make_hello(s);

	if (rc)
		return rc;
	can = vd_rd_varint(&r);
	s->out.bulk_bare = can & CAN_LEAVE_BULK;
	s->their_whole = can >> IS_WHOLE_AT & VD_WHOLE_ALL;
	vd_rd_copy(&r, summary, sizeof(summary));
	for (size_t l = 0; l < VD_LANES; l++) {
		counts[l] = vd_rd_varint(&r);
		if (counts[l] && s->initiator)
			vd_rd_copy(&r, estimates[l], estimates_of(l));
	}
	if (!r.err) {
		rc = vd_declined_decode(&r, &theirs);
		if (rc)
			return rc;
	}
	s->told.they_give = can & GIVES_RECEIPTS;
	if (can & KEEPS_RECEIPTS)
		vd_session_told_take_hello(s, &r);
	/* A newer version may say more. */
	if (r.err || !version || (version == VD_VERSION && r.n))
		return VD_EFORMAT;
	s->hello_in = true;
	s->named = counts[VD_LANE_CONTROL];
	for (size_t l = 0; l < VD_LANES; l++) {
		if (s->initiator)
			s->lanes[l].expected = vd_sketch_estimate(estimates[l], s->estimates[l], estimates_of(l), counts[l],
			                                           s->counts[l]);
		s->lanes[l].r.theirs = counts[l];
	}
	rc = set_apart(s, &theirs, counts, estimates);
	if (rc)
		return rc;
	if (memcmp(summary, s->summary, sizeof(summary)) == 0)
		vd_session_all_equal(s);
	vd_session_told_met(s, s->equal, both_hellos(s, payload.n, theirs.count));
	return VD_OK;
}
