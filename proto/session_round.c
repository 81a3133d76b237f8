/* Rounds of a session: both ends mark their sets by LANES, and each lane that differs is reconciled until it is settled. */
#include <string.h>

#include "err.h"
#include "hash.h"
#include "session_priv.h"

void vd_set_mark_of(const struct vd_digest *d, struct vd_set_mark *out)
{
	out->count = d->count;
	vd_digest_hash(d, out->hash);
}

bool vd_session_may_pass(struct vd_session *s, uint64_t records)
{
	uint64_t *until = &s->terms.passes_ms;

	*until = *until > s->now_ms ? *until : s->now_ms;
	if (*until - s->now_ms > VD_SALTED_AHEAD_MS)
		return false;
	*until += records / VD_SALTED_RECORDS_MS;
	return true;
}

/* A salt nobody could know before: keyed by fresh randomness that is used for nothing else. */
static void draw_salt(struct vd_session *s, uint8_t out[VD_SALT_BYTES])
{
	uint8_t counter[8] = { 0 };
	struct vd_slice part = vd_slice(counter, sizeof(counter));

	vd_set_u64(counter, s->salts++);
	vd_hash(VD_HASH_ITEM, vd_slice(s->seed, sizeof(s->seed)), out, VD_SALT_BYTES, &part, 1);
}

/* A comparison says that both ends hold the same in lane 0. */
static void control_equal(struct vd_session *s)
{
	uint64_t through = s->lanes[VD_LANE_CONTROL].compared;

	if (vd_session_takes_only(s))
		return; /* what it was told of ours is not so */
	s->control_first = false;
	if (through > s->stats.control_through)
		s->stats.control_through = through;
}

void vd_session_mark_whole(struct vd_session *s, uint8_t lane, const struct vd_lane_state *state)
{
	uint8_t bit = (uint8_t)(1u << lane);

	s->whole = (uint8_t)(s->whole & ~bit);
	if (!state->stubs && !vd_session_takes_only(s))
		s->whole |= bit;
}

void vd_session_put_whole(struct vd_session *s, struct vd_buf *out)
{
	vd_buf_put_u8(out, s->whole_said = s->whole);
	if (!s->told.on)
		return;
	memcpy(s->told.said, s->told.digest, VD_TOLD_DIGEST);
	vd_buf_put(out, s->told.said, VD_TOLD_DIGEST);
}

int vd_session_take_whole(struct vd_session *s, struct vd_slice payload)
{
	if (payload.n != 1u + (s->told.on ? VD_TOLD_DIGEST : 0) || *payload.p > VD_WHOLE_ALL)
		return VD_EFORMAT;
	s->their_whole = *payload.p;
	if (s->told.on)
		memcpy(s->told.their_digest, payload.p + 1, VD_TOLD_DIGEST);
	return VD_OK;
}

/* Equal ids, and no stub among theirs: they hold what we do. Of a lane in which either leaves somebody out that says nothing. */
static void all_held(struct vd_session *s)
{
	for (uint8_t l = 0; l < VD_LANES && !vd_session_takes_only(s); l++) {
		const struct vd_declined *first;

		if (!(s->their_whole >> l & 1) || s->lanes[l].compared < s->stats.held.through[l] || vd_declined_of_lane(&s->apart, l, &first))
			continue;
		s->stats.held.through[l] = s->lanes[l].compared;
		memcpy(s->stats.held.digest[l], s->lanes[l].ids.hash, VD_RECEIPT_DIGEST);
		s->stats.held.said[l] = s->told.kept;
	}
}

void vd_session_all_equal(struct vd_session *s)
{
	control_equal(s);
	all_held(s);
	s->equal = true;
	s->gave_up = false;
	if (s->initiator)
		s->rounds_left = VD_ROUNDS_MAX;
	s->recheck_ms = UINT64_MAX;
	s->recheck_wait_ms = VD_RECHECK_MS;
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].pushing = true;
}

/* Frees what a lane's round took; how many records they have is worth remembering. */
static void release(struct vd_session_lane *lane)
{
	uint64_t theirs = lane->r.theirs;

	vd_reconcile_end(&lane->r);
	lane->r.theirs = theirs;
}

static int start_lane(struct vd_session *s, struct vd_session_lane *lane)
{
	uint8_t salt[VD_SALT_BYTES];

	lane->r.gives = vd_session_takes_only(s) && lane != &s->lanes[VD_LANE_CONTROL];
	/* Memory for one large lane at a time: the next when it is through. */
	for (size_t l = 0; l < VD_LANES && vd_reconcile_weighs(&lane->r, lane->expected); l++)
		if (s->lanes[l].started && s->lanes[l].weighs)
			return VD_OK;
	draw_salt(s, salt);
	lane->started = true;
	lane->weighs = vd_reconcile_weighs(&lane->r, lane->expected);
	lane->r.distrust = lane->distrust;
	return vd_reconcile_start(&lane->r, lane->expected, salt);
}

/* The moment that our LANES of this round speak of. */
static int snapshot(struct vd_session *s)
{
	uint64_t total = 0;

	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];
		struct vd_lane_state state;
		uint64_t theirs = lane->r.theirs;
		int rc;

		release(lane);
		rc = vd_reconcile_begin(&lane->r, s->shown, vd_group_id(s->group), s->salt, &s->apart, l, s->initiator, &state);
		if (rc)
			return rc;
		lane->r.theirs = theirs;
		lane->r.distrust = lane->distrust;
		lane->r.budget = s->budget;
		lane->started = lane->weighs = false;
		lane->push_after = lane->compared = lane->r.latest;
		lane->grew = false;
		lane->received = 0;
		lane->ids.count = lane->r.ours;
		memcpy(lane->ids.hash, lane->r.our_hash, VD_HASH_BYTES);
		vd_set_mark_of(&state.wanted, &lane->wanted);
		vd_session_mark_whole(s, l, &state);
		total += lane->r.ours;
	}
	if (total > s->own_count)
		s->rounds_left = VD_ROUNDS_MAX * (s->initiator ? 1 : 2);
	s->own_count = total;
	s->lanes_due = true;
	s->round_mores = 0;
	s->stats.rounds++;
	return VD_OK;
}

/* Initiator: compares again; in the first round at once with symbols, as the hellos tell how many. */
static int begin_round(struct vd_session *s)
{
	int rc;

	s->recheck_ms = UINT64_MAX;
	s->round++;
	rc = snapshot(s);
	if (rc)
		return rc;
	s->awaiting = true;
	s->equal = s->gave_up = false;
	if (vd_session_told_likely(s))
		rc = vd_session_told_moment(s);
	for (size_t l = 0; !rc && s->stats.rounds == 1 && l < VD_LANES; l++)
		if (s->lanes[l].expected)
			rc = start_lane(s, &s->lanes[l]);
	return rc;
}

static bool same_mark(const struct vd_set_mark *a, const struct vd_set_mark *b)
{
	return a->count == b->count && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

/* Only what is not as the LANES before it said, of whichever end, is said. */
static void put_marks(struct vd_session *s, const struct vd_set_mark marks[2 * VD_LANES], struct vd_buf *out)
{
	uint8_t which = 0;

	for (size_t i = 0; i < 2 * VD_LANES; i++)
		which |= (uint8_t)(!same_mark(&marks[i], &s->named_last[i]) << i);
	vd_buf_put_u8(out, which);
	for (size_t i = 0; i < 2 * VD_LANES; i++) {
		if (!(which >> i & 1))
			continue;
		vd_buf_put_varint(out, marks[i].count);
		if (marks[i].count)
			vd_buf_put(out, marks[i].hash, VD_HASH_BYTES);
	}
	memcpy(s->named_last, marks, sizeof(s->named_last));
}

static void rd_marks(const struct vd_session *s, struct vd_rd *r, struct vd_set_mark marks[2 * VD_LANES])
{
	uint8_t which = vd_rd_u8(r);

	for (size_t i = 0; i < 2 * VD_LANES; i++) {
		marks[i] = s->named_last[i];
		if (!(which >> i & 1))
			continue;
		marks[i] = (struct vd_set_mark){ .count = vd_rd_varint(r) };
		if (marks[i].count)
			vd_rd_copy(r, marks[i].hash, VD_HASH_BYTES);
	}
}

void vd_session_put_lanes(struct vd_session *s, struct vd_buf *out)
{
	struct vd_set_mark marks[2 * VD_LANES];

	s->lanes_due = false;
	vd_buf_put_u8(out, s->round);
	for (size_t l = 0; l < VD_LANES; l++) {
		marks[l] = s->lanes[l].ids;
		marks[VD_LANES + l] = s->lanes[l].wanted;
	}
	put_marks(s, marks, out);
}

/* The initiator begins rounds, and sees to their pace. At the other end only growth and time pay for rounds that find a difference:
 * a hostile one must not buy costly rounds with cheap ones. */
static bool may_round(struct vd_session *s)
{
	if (s->now_ms >= s->refill_ms && s->rounds_left < 2 * VD_ROUNDS_MAX) {
		s->rounds_left += VD_ROUNDS_AGAIN;
		s->refill_ms = s->now_ms + VD_RECHECK_MS;
	}
	if (!s->rounds_left)
		return false;
	s->rounds_left--;
	return true;
}

/* Both moments are known: which lanes have work in this round? */
static int compare(struct vd_session *s, const struct vd_set_mark theirs[VD_LANES])
{
	bool any = false;
	int rc = VD_OK;

	for (size_t l = 0; !rc && l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];
		const struct vd_declined *first;

		/* Their hello counted whom we alone decline; this leaves them out. */
		if (s->stats.rounds == 1 && vd_declined_of_lane(&s->declined, (uint8_t)l, &first) && lane->r.theirs > theirs[l].count)
			s->stats.theirs_apart += lane->r.theirs - theirs[l].count;
		vd_reconcile_theirs(&lane->r, theirs[l].count, theirs[l].hash);
		lane->active = vd_reconcile_differs(&lane->r);
		any |= lane->active;
		lane->pushing = !lane->active;
		if (!lane->active) {
			lane->distrust = lane->weighs = false;
			lane->expected = 0;
			release(lane);
			if (l == VD_LANE_CONTROL)
				control_equal(s);
		} else if (s->initiator && !lane->started) {
			rc = start_lane(s, lane);
			lane->r.mores++; /* its answer comes a round trip later */
		}
	}
	s->stats.round_trips++;
	if (!any && !s->initiator && !rc)
		rc = vd_session_told_moment(s);
	vd_session_told_compared(s, !any);
	if (any) {
		s->equal = false;
		if (!s->initiator && !may_round(s))
			rc = VD_ECAP;
	} else {
		vd_session_all_equal(s);
		vd_session_bodies_begin(s);
	}
	return rc;
}

int vd_session_take_lanes(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t round = vd_rd_u8(&r);
	struct vd_set_mark theirs[2 * VD_LANES];
	int rc;

	rd_marks(s, &r, theirs);
	if (vd_rd_end(&r) || round != (uint8_t)(s->round + !s->initiator) || (s->initiator && !s->awaiting))
		return VD_EFORMAT;
	if (!s->initiator) {
		for (size_t l = 0; l < VD_LANES; l++)
			if (s->lanes[l].active)
				return VD_EFORMAT;
		/* Whoever only gives has one round: what it gave will tell whether there is another. */
		if (vd_session_takes_only(s) && s->stats.rounds)
			return VD_EAGAIN;
		/* Our moment must have everything they sent before theirs. */
		rc = vd_session_close_batch(s);
		if (rc)
			return rc;
		if (!vd_session_flushed(s))
			return VD_EAGAIN;
		rc = vd_session_call_again(s, true);
		if (rc)
			return rc;
		s->round++;
		rc = snapshot(s);
		if (rc)
			return rc;
	}
	s->awaiting = false;
	memcpy(s->named_last, theirs, sizeof(s->named_last));
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].their_wanted = theirs[VD_LANES + l];
	return compare(s, theirs);
}

/* A lane's round is over: what to do better in the next. */
static void harvest(struct vd_session_lane *lane)
{
	const struct vd_reconcile *r = &lane->r;

	lane->expected = r->failed / 2;
	lane->distrust = (r->failed & 1) || r->mismatch;
	/* What it named and did not get makes the other end doubt the symbols: it would refuse them. */
	if (r->initiator && r->withheld) {
		lane->expected = r->withheld;
		lane->distrust |= r->method == VD_METHOD_SYMBOLS;
	}
	if (r->failed && r->method == VD_METHOD_SALTED)
		lane->expected *= 2;
	if (!lane->expected && r->method == VD_METHOD_LIST)
		lane->expected = vd_reconcile_list_missed(r);
	lane->active = lane->weighs = false;
	lane->pushing = true;
}

int vd_session_advance(struct vd_session *s)
{
	bool active = false;
	int rc = VD_OK;

	for (size_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];

		if (lane->active && vd_reconcile_done(&lane->r)) {
			harvest(lane);
			release(lane);
		}
		active |= lane->active;
	}
	for (size_t l = 0; !rc && l < VD_LANES; l++)
		if (s->initiator && !s->awaiting && s->lanes[l].active && !s->lanes[l].started)
			rc = start_lane(s, &s->lanes[l]);
	if (rc)
		return rc;
	if (vd_session_flushed(s))
		vd_session_bodies_flushed(s);
	if (s->equal || active || s->gave_up)
		s->stats.complete = s->equal && !s->asking && !s->they_ask && vd_session_flushed(s);
	if (!s->initiator || !s->hello_in || active || s->awaiting || s->equal || s->gave_up || !vd_session_flushed(s) ||
	    (vd_session_takes_only(s) && s->stats.rounds))
		return VD_OK;
	if (!s->rounds_left) {
		s->gave_up = true;
		s->stats.complete = false;
		s->generation = vd_group_generation(s->group);
		/* Who is not admitted yet may be later, here or there. */
		s->recheck_ms = s->now_ms + s->recheck_wait_ms;
		s->recheck_wait_ms = s->recheck_wait_ms < VD_RECHECK_MAX_MS / 2 ? 2 * s->recheck_wait_ms : VD_RECHECK_MAX_MS;
		return VD_OK;
	}
	rc = vd_session_call_again(s, true);
	if (rc)
		return rc;
	s->rounds_left--;
	return begin_round(s);
}

int vd_session_give_too(struct vd_session *s)
{
	s->shown = s->port;
	s->equal = false;
	/* … not before the next LANES: so far it was told that we have nothing */
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].pushing = false;
	return vd_session_advance(s);
}

int vd_session_take_of_lane(struct vd_session *s, uint8_t type, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t round = vd_rd_u8(&r), number = vd_rd_u8(&r);
	struct vd_session_lane *lane;
	int rc;

	if (type == VD_MSG_SETTLED && number == VD_LANE_BODIES && !r.err) {
		s->they_ask = false;
		return vd_rd_varint(&r) || vd_rd_end(&r) ? VD_EFORMAT : VD_OK;
	}
	if (r.err || number >= VD_LANES || round != s->round || !s->stats.rounds)
		return VD_EFORMAT;
	lane = &s->lanes[number];
	/* It began by an estimate, before it knew that we are equal there. */
	if (!lane->active)
		return s->initiator && !s->awaiting ? VD_EFORMAT : VD_OK;
	if (type == VD_MSG_SALTED && !vd_session_may_pass(s, lane->r.ours))
		return VD_EBUSY;
	rc = vd_reconcile_feed(&lane->r, type, vd_slice(r.p, r.n));
	if (!rc && type == VD_MSG_SETTLED)
		rc = vd_session_close_batch(s);
	return rc;
}

void vd_session_count_trips(struct vd_session *s)
{
	for (size_t l = 0; l < VD_LANES; l++)
		if (s->lanes[l].active && s->lanes[l].r.mores > s->round_mores) {
			s->stats.round_trips += s->lanes[l].r.mores - s->round_mores;
			s->round_mores = s->lanes[l].r.mores;
		}
}
