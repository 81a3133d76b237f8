#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "hash.h"
#include "session_priv.h"

enum {
	HELLO_SYMBOLS = VD_ESTIMATE_AT + VD_ESTIMATES,
	ROUNDS_AGAIN = 2,   /* after giving up: one that may bring something, one that sees what is left */
};

struct vd_session *vd_session_new(bool initiator, struct vd_group *group, const struct vd_port *port, uint64_t now_ms,
                                  const uint8_t salt_seed[VD_SALT_BYTES])
{
	struct vd_session *s = calloc(1, sizeof(*s));
	const uint8_t *salt = vd_group_salt(group);

	if (!s)
		return NULL;
	s->initiator = initiator;
	s->group = group;
	s->port = s->shown = port;
	s->heard_ms = now_ms;
	s->quiet_ms = s->recheck_ms = UINT64_MAX;
	s->most = VD_BATCH_FIRST;
	s->rounds_left = VD_ROUNDS_MAX * (initiator ? 1 : 2);
	s->recheck_wait_ms = VD_RECHECK_MS;
	s->now_ms = now_ms;
	memcpy(s->seed, salt_seed, VD_SALT_BYTES);
	if (salt)
		memcpy(s->salt, salt, VD_SALT_BYTES);
	return s;
}

void vd_session_free(struct vd_session *s)
{
	if (!s)
		return;
	for (size_t l = 0; l < VD_LANES; l++) {
		vd_reconcile_end(&s->lanes[l].r);
		free(s->lanes[l].answers);
		vd_buf_deinit(&s->lanes[l].nobody);
	}
	vd_batch_deinit(&s->in);
	vd_batch_deinit(&s->commit);
	free(s->echo);
	free(s);
}

void vd_session_recall(struct vd_session *s, const struct vd_terms *terms, struct vd_salt_budget *budget)
{
	s->budget = budget;
	if (terms)
		s->terms = *terms;
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].asked_through = s->terms.denied[l].through;
}

void vd_session_control_first(struct vd_session *s)
{
	s->control_first = true;
}

const struct vd_terms *vd_session_terms(const struct vd_session *s)
{
	return &s->terms;
}

const struct vd_session_stats *vd_session_stats(const struct vd_session *s)
{
	return &s->stats;
}

/* A salt nobody could know before: keyed by fresh randomness that is used for nothing else. */
static void draw_salt(struct vd_session *s, uint8_t out[VD_SALT_BYTES])
{
	uint8_t counter[8] = { 0 };
	struct vd_slice part = vd_slice(counter, sizeof(counter));

	vd_set_u64(counter, s->salts++);
	vd_hash(VD_HASH_ITEM, vd_slice(s->seed, sizeof(s->seed)), out, VD_SALT_BYTES, &part, 1);
}

static void mark(const struct vd_digest *d, struct vd_set_mark *out)
{
	out->count = d->count;
	vd_digest_hash(d, out->hash);
}

/* --- declined --- */

/* A pass over a lane costs us in proportion to its records, and the peer, who asks for it, a few bytes. */
static bool may_pass(struct vd_session *s, uint64_t records)
{
	uint64_t *until = &s->terms.passes_ms;

	*until = *until > s->now_ms ? *until : s->now_ms;
	if (*until - s->now_ms > VD_SALTED_AHEAD_MS)
		return false;
	*until += records / VD_SALTED_RECORDS_MS;
	return true;
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
		uint64_t most = may_pass(s, 0) ? UINT64_MAX : 0, left = most;
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
		(void)may_pass(s, most - left);
		for (size_t i = 0; i < VD_ESTIMATES; i++)
			own[i] = (uint8_t)symbols[VD_ESTIMATE_AT + i].count;
		if (s->initiator && !vd_declined_of_lane(&s->declined, l, &first))
			s->lanes[l].expected = vd_sketch_estimate(estimates[l], own, counts[l], state.digest.count);
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
	for (size_t i = 0; i < now.count && lane == VD_LANES; i++)
		if (!vd_declined_has(&s->apart, now.who[i].lane, now.who[i].author))
			lane = now.who[i].lane;
	for (size_t l = 0; l < lane && lane < VD_LANES && !round_over; l++)
		if (s->lanes[l].active)
			return VD_OK;
	s->stats.declines_more = lane < VD_LANES;
	return s->stats.declines_more ? VD_EBUSY : VD_OK;
}

/* --- hello --- */

/* The moment that our hello speaks of: when we first say or hear one. */
static int make_hello(struct vd_session *s)
{
	static const struct vd_slice no_key;
	struct vd_symbol symbols[HELLO_SYMBOLS];
	uint8_t marks[2 * VD_LANES][8 + VD_HASH_BYTES];
	struct vd_slice parts[2 * VD_LANES];
	uint64_t latest, all = UINT64_MAX;
	int rc = s->shown->latest(s->shown->ctx, &latest);

	if (!rc)
		rc = s->shown->declined(s->shown->ctx, vd_group_id(s->group), &s->declined);
	s->apart = s->declined;
	for (uint8_t l = 0; !rc && l < VD_LANES; l++) {
		struct vd_lane_state state;
		const struct vd_digest *sets[2] = { &state.digest, &state.wanted };

		rc = vd_reconcile_state(s->shown, vd_group_id(s->group), &s->declined, l, &all, &state, symbols, HELLO_SYMBOLS);
		if (rc)
			break;
		for (size_t i = 0; i < 2; i++) {
			struct vd_set_mark m;

			mark(sets[i], &m);
			vd_set_u64(marks[l + i * VD_LANES], m.count);
			memcpy(marks[l + i * VD_LANES] + 8, m.hash, sizeof(m.hash));
		}
		s->counts[l] = state.digest.count;
		for (size_t i = 0; i < VD_ESTIMATES; i++)
			s->estimates[l][i] = (uint8_t)symbols[VD_ESTIMATE_AT + i].count;
		s->lanes[l].push_after = s->lanes[l].compared = latest;
		s->lanes[l].grew = false;
	}
	if (rc)
		return rc;
	for (size_t i = 0; i < 2 * VD_LANES; i++)
		parts[i] = vd_slice(marks[i], sizeof(marks[i]));
	vd_hash(VD_HASH_SUMMARY, no_key, s->summary, sizeof(s->summary), parts, 2 * VD_LANES);
	s->hello_made = true;
	return VD_OK;
}

static int send_hello(struct vd_session *s, struct vd_buf *out)
{
	int rc = s->hello_made ? VD_OK : make_hello(s);

	if (rc)
		return rc;
	vd_buf_put_u8(out, VD_VERSION);
	vd_buf_put_varint(out, 0);
	vd_buf_put(out, s->summary, sizeof(s->summary));
	for (size_t l = 0; l < VD_LANES; l++) {
		vd_buf_put_varint(out, s->counts[l]);
		/* The initiator sends symbols, so it alone needs to know how many. */
		if (s->counts[l] && !s->initiator)
			vd_buf_put(out, s->estimates[l], VD_ESTIMATES);
	}
	vd_declined_encode(&s->declined, out);
	s->hello_out = true;
	return VD_OK;
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

static void all_equal(struct vd_session *s)
{
	control_equal(s);
	s->equal = true;
	s->gave_up = false;
	if (s->initiator)
		s->rounds_left = VD_ROUNDS_MAX;
	s->recheck_ms = UINT64_MAX;
	s->recheck_wait_ms = VD_RECHECK_MS;
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].pushing = true;
}

static int take_hello(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t summary[VD_HASH_BYTES], version = vd_rd_u8(&r);
	uint64_t counts[VD_LANES];
	uint8_t estimates[VD_LANES][VD_ESTIMATES] = { { 0 } };
	struct vd_declined_set theirs;
	int rc = s->hello_in ? VD_EFORMAT : s->hello_made ? VD_OK : make_hello(s);

	if (rc)
		return rc;
	vd_rd_varint(&r);
	vd_rd_copy(&r, summary, sizeof(summary));
	for (size_t l = 0; l < VD_LANES; l++) {
		counts[l] = vd_rd_varint(&r);
		if (counts[l] && s->initiator)
			vd_rd_copy(&r, estimates[l], VD_ESTIMATES);
	}
	if (!r.err) {
		rc = vd_declined_decode(&r, &theirs);
		if (rc)
			return rc;
	}
	/* A newer version may say more. */
	if (r.err || !version || (version == VD_VERSION && r.n))
		return VD_EFORMAT;
	s->hello_in = true;
	s->named = counts[VD_LANE_CONTROL];
	for (size_t l = 0; l < VD_LANES; l++) {
		if (s->initiator)
			s->lanes[l].expected = vd_sketch_estimate(estimates[l], s->estimates[l], counts[l], s->counts[l]);
		s->lanes[l].r.theirs = counts[l];
	}
	rc = set_apart(s, &theirs, counts, estimates);
	if (rc)
		return rc;
	if (memcmp(summary, s->summary, sizeof(summary)) == 0)
		all_equal(s);
	return VD_OK;
}

/* --- rounds --- */

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
		uint64_t theirs = lane->r.theirs, most = s->initiator ? lane->expected : theirs;
		int rc;

		release(lane);
		rc = vd_reconcile_begin(&lane->r, s->shown, vd_group_id(s->group), s->salt, &s->apart, l, s->initiator, most, &state);
		if (rc)
			return rc;
		lane->r.theirs = theirs;
		lane->r.distrust = lane->distrust;
		lane->r.budget = s->budget;
		lane->started = lane->weighs = false;
		lane->push_after = lane->compared = lane->r.latest;
		lane->grew = false;
		lane->received = 0;
		mark(&state.digest, &lane->ids);
		mark(&state.wanted, &lane->wanted);
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
	for (size_t l = 0; !rc && s->stats.rounds == 1 && l < VD_LANES; l++)
		if (s->lanes[l].expected)
			rc = start_lane(s, &s->lanes[l]);
	return rc;
}

static void put_mark(struct vd_buf *out, const struct vd_set_mark *m)
{
	vd_buf_put_varint(out, m->count);
	if (m->count)
		vd_buf_put(out, m->hash, VD_HASH_BYTES);
}

static void rd_mark(struct vd_rd *r, struct vd_set_mark *m)
{
	static const struct vd_digest empty;

	mark(&empty, m);
	m->count = vd_rd_varint(r);
	if (m->count)
		vd_rd_copy(r, m->hash, sizeof(m->hash));
}

static void send_lanes(struct vd_session *s, struct vd_buf *out)
{
	s->lanes_due = false;
	vd_buf_put_u8(out, s->round);
	for (size_t l = 0; l < VD_LANES; l++)
		put_mark(out, &s->lanes[l].ids);
	for (size_t l = 0; l < VD_LANES; l++)
		put_mark(out, &s->lanes[l].wanted);
}

/* The initiator begins rounds, and sees to their pace. At the other end only growth and time pay for rounds that find a difference:
 * a hostile one must not buy costly rounds with cheap ones. */
static bool may_round(struct vd_session *s)
{
	if (s->now_ms >= s->refill_ms && s->rounds_left < 2 * VD_ROUNDS_MAX) {
		s->rounds_left += ROUNDS_AGAIN;
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
			lane->r.mores = 1; /* its answer comes a round trip later */
		}
	}
	s->stats.round_trips++;
	if (any) {
		s->equal = false;
		if (!s->initiator && !may_round(s))
			rc = VD_ECAP;
	} else {
		all_equal(s);
		vd_session_bodies_begin(s);
	}
	return rc;
}

static int take_lanes(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t round = vd_rd_u8(&r);
	struct vd_set_mark theirs[VD_LANES], wanted[VD_LANES];
	int rc;

	for (size_t l = 0; l < VD_LANES; l++)
		rd_mark(&r, &theirs[l]);
	for (size_t l = 0; l < VD_LANES; l++)
		rd_mark(&r, &wanted[l]);
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
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].their_wanted = wanted[l];
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
	lane->active = lane->weighs = false;
	lane->pushing = true;
}

/* After every event: lanes that are through, and the next round when all are. */
static int advance(struct vd_session *s)
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
	return advance(s);
}

static int take_lane_message(struct vd_session *s, uint8_t type, struct vd_slice payload)
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
	if (type == VD_MSG_SALTED && !may_pass(s, lane->r.ours))
		return VD_EBUSY;
	rc = vd_reconcile_feed(&lane->r, type, vd_slice(r.p, r.n));
	if (!rc && type == VD_MSG_SETTLED)
		rc = vd_session_close_batch(s);
	return rc;
}

/* The slowest lane's exchanges are what we waited for. */
static void count_trips(struct vd_session *s)
{
	for (size_t l = 0; l < VD_LANES; l++)
		if (s->lanes[l].active && s->lanes[l].r.mores > s->round_mores) {
			s->stats.round_trips += s->lanes[l].r.mores - s->round_mores;
			s->round_mores = s->lanes[l].r.mores;
		}
}

/* --- messages --- */

static uint64_t message_bytes(size_t payload)
{
	uint64_t n = payload + 2;

	for (size_t left = payload + 1; left >= 0x80; left >>= 7)
		n++;
	return n;
}

int vd_session_feed(struct vd_session *s, uint64_t now_ms, uint8_t type, struct vd_slice payload)
{
	int rc;

	s->now_ms = now_ms;
	if (payload.n > VD_MESSAGE_MAX || (!s->hello_in && type != VD_MSG_HELLO))
		return VD_EFORMAT;
	switch (type) {
	case VD_MSG_HELLO:
		rc = take_hello(s, payload);
		break;
	case VD_MSG_LANES:
		rc = take_lanes(s, payload);
		break;
	case VD_MSG_RECORDS:
		rc = vd_session_take_records(s, now_ms, payload);
		break;
	case VD_MSG_BODIES:
		rc = vd_session_take_bodies(s, payload);
		break;
	case VD_MSG_NOBODY:
		rc = vd_session_take_nobody(s, payload);
		break;
	case VD_MSG_ALIVE:
		rc = payload.n ? VD_EFORMAT : VD_OK;
		break;
	default:
		rc = take_lane_message(s, type, payload);
	}
	vd_session_heard(s, now_ms);
	if (rc)
		return rc;
	if (type == VD_MSG_ALIVE)
		s->quiet_ms = UINT64_MAX; /* a sign of life is not answered with one */
	else if (type != VD_MSG_RECORDS)
		s->stats.reconcile_bytes += message_bytes(payload.n);
	count_trips(s);
	return advance(s);
}

static int next_message(struct vd_session *s, uint8_t *type, struct vd_buf *out)
{
	/* While lane 0 differs, other lanes' records may be by authors whom its records admit. */
	const struct vd_session_lane *first = &s->lanes[VD_LANE_CONTROL];
	bool control = first->active || (s->awaiting && first->started);

	if (!s->hello_out && vd_session_takes_only(s) && !s->initiator && !s->hello_in)
		return 0;
	if (!s->hello_out) {
		int rc = send_hello(s, out);

		*type = VD_MSG_HELLO;
		return rc ? rc : 1;
	}
	if (s->lanes_due) {
		*type = VD_MSG_LANES;
		send_lanes(s, out);
		return 1;
	}
	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];
		int rc = 0;

		lane->r.withhold = l > VD_LANE_CONTROL && s->control_first;
		/* … and in round 1 a lane may be begun before we know whether lane 0 differs */
		lane->r.hold = l > VD_LANE_CONTROL && (control || (s->control_first && s->awaiting));
		if (lane->active || (s->awaiting && lane->started))
			rc = vd_reconcile_drain(&lane->r, s->round, type, out, &s->stats.sent);
		if (!rc && lane->pushing && !lane->r.hold && !lane->r.withhold) {
			*type = VD_MSG_RECORDS;
			rc = vd_session_push(s, lane, l, out);
			if (rc > 0 && s->initiator && s->recheck_ms == UINT64_MAX)
				s->recheck_ms = s->heard_ms + VD_RECHECK_MS;
		}
		if (rc)
			return rc;
	}
	return s->equal ? vd_session_drain_bodies(s, type, out) : 0;
}

int vd_session_drain(struct vd_session *s, uint64_t now_ms, uint8_t *type, struct vd_buf *out)
{
	size_t start = out->n;
	int rc;

	do {
		rc = next_message(s, type, out);
		if (!rc)
			rc = vd_buf_check(out);
		/* What was to be sent may be gone from the store: an empty message says nothing. */
	} while (rc > 0 && *type == VD_MSG_RECORDS && out->n == start);
	if (!rc && !s->idle)
		s->heard_ms = now_ms; /* from here on we wait */
	s->idle = rc == 0;
	if (!rc && s->alive_due) {
		*type = VD_MSG_ALIVE;
		rc = 1;
	}
	if (rc <= 0)
		return rc;
	s->alive_due = false;
	s->quiet_ms = UINT64_MAX;
	if (*type != VD_MSG_RECORDS)
		s->stats.reconcile_bytes += message_bytes(out->n - start);
	rc = advance(s);
	return rc ? rc : 1;
}

/* --- the host's side --- */

int vd_session_committed(struct vd_session *s, uint64_t now_ms, int rc)
{
	s->now_ms = now_ms;
	s->committing = false;
	vd_batch_deinit(&s->commit);
	if (!rc)
		rc = vd_session_call_again(s, false);
	if (!rc && (s->flush || vd_session_full(s)))
		rc = vd_session_close_batch(s);
	return rc ? rc : advance(s);
}

int vd_session_flush(struct vd_session *s)
{
	return vd_session_close_batch(s);
}

void vd_session_grew(struct vd_session *s, uint64_t now_ms)
{
	for (size_t l = 0; l < VD_LANES; l++)
		s->lanes[l].grew = true;
	/* Whoever had no place in the set may have one now. */
	if (s->gave_up && s->generation != vd_group_generation(s->group)) {
		s->generation = vd_group_generation(s->group);
		s->recheck_wait_ms = VD_RECHECK_MS;
		if (s->recheck_ms > now_ms + VD_RECHECK_MS)
			s->recheck_ms = now_ms + VD_RECHECK_MS;
	}
}

void vd_session_heard(struct vd_session *s, uint64_t now_ms)
{
	s->heard_ms = now_ms;
	if (s->quiet_ms == UINT64_MAX)
		s->quiet_ms = now_ms;
}

bool vd_session_settled(const struct vd_session *s)
{
	if (!s->hello_in || !s->hello_out || !(s->equal || s->gave_up) || s->lanes_due || s->asking || s->they_ask || !vd_session_flushed(s))
		return false;
	for (size_t l = 0; l < VD_LANES; l++)
		if ((s->lanes[l].pushing && s->lanes[l].grew && !(l > VD_LANE_CONTROL && s->control_first)) || s->lanes[l].answering)
			return false;
	return true;
}

/* Is there something that only the peer can send? */
static bool owed(const struct vd_session *s)
{
	bool waits = !s->hello_in || s->awaiting || s->they_ask;

	for (size_t l = 0; l < VD_LANES; l++)
		waits |= s->lanes[l].active || s->lanes[l].asked;
	return waits && s->idle && !s->committing;
}

/* When the peer, which waits for something of ours or is still sending, must hear that we are here. */
static uint64_t alive_ms(const struct vd_session *s)
{
	return s->quiet_ms == UINT64_MAX || s->alive_due || vd_session_settled(s) ? UINT64_MAX : s->quiet_ms + VD_ALIVE_MS;
}

uint64_t vd_session_deadline(const struct vd_session *s)
{
	uint64_t at = s->recheck_ms;

	if (s->in.count && !s->committing && s->in_since_ms + VD_BATCH_MS < at)
		at = s->in_since_ms + VD_BATCH_MS;
	if (owed(s) && s->heard_ms + VD_STALL_MS < at)
		at = s->heard_ms + VD_STALL_MS;
	if (alive_ms(s) < at)
		at = alive_ms(s);
	return at;
}

int vd_session_tick(struct vd_session *s, uint64_t now_ms)
{
	if (owed(s) && now_ms >= s->heard_ms + VD_STALL_MS)
		return VD_ECLOSED;
	if (now_ms >= alive_ms(s))
		s->alive_due = true;
	if (s->in.count && !s->committing && now_ms >= s->in_since_ms + VD_BATCH_MS) {
		int rc = vd_session_close_batch(s);

		if (rc)
			return rc;
	}
	if (now_ms < s->recheck_ms)
		return VD_OK;
	s->now_ms = now_ms;
	s->recheck_ms = UINT64_MAX;
	if (!s->equal && !s->gave_up)
		return VD_OK;
	if (!vd_session_flushed(s)) {
		s->recheck_ms = now_ms + VD_RECHECK_MS;
		return VD_OK;
	}
	if (s->gave_up)
		s->rounds_left = ROUNDS_AGAIN;
	s->equal = s->gave_up = false;
	return advance(s);
}
