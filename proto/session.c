#include "session.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "session_priv.h"

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
	s->out.sent = &s->stats.sent;
	s->out.sent_bytes = &s->stats.sent_bytes;
	vd_compact_init(&s->out.stream, vd_group_id(group));
	vd_compact_init(&s->heard, vd_group_id(group));
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
	vd_compact_deinit(&s->out.stream);
	vd_buf_deinit(&s->out.raw);
	vd_buf_deinit(&s->out.compact);
	vd_compact_deinit(&s->heard);
	free(s->echo);
	vd_session_told_deinit(s);
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

/* --- messages --- */

static uint64_t message_bytes(size_t payload)
{
	uint64_t n = payload + 2;

	for (size_t left = payload + 1; left >= 0x80; left >>= 7)
		n++;
	return n;
}

/* Neither records, nor what devices said. */
static bool reconciles(uint8_t type)
{
	return type != VD_MSG_RECORDS && type != VD_MSG_TOLD && type != VD_MSG_RECEIPTS;
}

int vd_session_feed(struct vd_session *s, uint64_t now_ms, uint8_t type, struct vd_slice payload)
{
	int rc;

	s->now_ms = now_ms;
	if (payload.n > VD_MESSAGE_MAX || (!s->hello_in && type != VD_MSG_HELLO))
		return VD_EFORMAT;
	switch (type) {
	case VD_MSG_HELLO:
		rc = vd_session_take_hello(s, payload);
		break;
	case VD_MSG_LANES:
		rc = vd_session_take_lanes(s, payload);
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
	case VD_MSG_WHOLE:
		rc = vd_session_take_whole(s, payload);
		break;
	case VD_MSG_RECEIPT:
		rc = vd_session_take_receipt(s, payload);
		break;
	case VD_MSG_TOLD:
		rc = vd_session_take_told(s, payload);
		break;
	case VD_MSG_RECEIPTS:
		rc = vd_session_take_receipts(s, payload);
		break;
	case VD_MSG_ALIVE:
		rc = payload.n ? VD_EFORMAT : VD_OK;
		break;
	default:
		rc = vd_session_take_of_lane(s, type, payload);
	}
	vd_session_heard(s, now_ms);
	if (rc)
		return rc;
	if (type == VD_MSG_ALIVE)
		s->quiet_ms = UINT64_MAX; /* a sign of life is not answered with one */
	else if (reconciles(type))
		s->stats.reconcile_bytes += message_bytes(payload.n);
	vd_session_count_trips(s);
	return vd_session_advance(s);
}

static int next_message(struct vd_session *s, uint8_t *type, struct vd_buf *out)
{
	/* While lane 0 differs, other lanes' records may be by authors whom its records admit. */
	const struct vd_session_lane *first = &s->lanes[VD_LANE_CONTROL];
	bool control = first->active || (s->awaiting && first->started);

	if (!s->hello_out && vd_session_takes_only(s) && !s->initiator && !s->hello_in)
		return 0;
	if (!s->hello_out) {
		int rc = vd_session_put_hello(s, out);

		*type = VD_MSG_HELLO;
		return rc ? rc : 1;
	}
	if (s->told.brief_due)
		return vd_session_drain_receipt(s, type, out);
	if (s->lanes_due && vd_session_told_holds(s))
		return 0;
	/* Their comparison must know, if it is going to be equal. */
	if (s->lanes_due && (s->whole != s->whole_said || vd_session_told_differs(s))) {
		*type = VD_MSG_WHOLE;
		vd_session_put_whole(s, out);
		return 1;
	}
	if (s->lanes_due) {
		*type = VD_MSG_LANES;
		vd_session_put_lanes(s, out);
		return 1;
	}
	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];
		int rc = 0;

		lane->r.withhold = l > VD_LANE_CONTROL && s->control_first;
		/* … and in round 1 a lane may be begun before we know whether lane 0 differs */
		lane->r.hold = l > VD_LANE_CONTROL && (control || (s->control_first && s->awaiting));
		if (lane->active || (s->awaiting && lane->started))
			rc = vd_reconcile_drain(&lane->r, s->round, type, out, &s->out);
		if (!rc && lane->pushing && !lane->r.hold && !lane->r.withhold) {
			*type = VD_MSG_RECORDS;
			rc = vd_session_push(s, lane, l, out);
			if (rc > 0 && s->initiator && s->recheck_ms == UINT64_MAX)
				s->recheck_ms = s->heard_ms + VD_RECHECK_MS;
		}
		if (rc)
			return rc;
	}
	if (s->equal) {
		int rc = vd_session_drain_bodies(s, type, out);

		if (rc)
			return rc;
	}
	return vd_session_drain_told(s, type, out);
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
	if (reconciles(*type))
		s->stats.reconcile_bytes += message_bytes(out->n - start);
	rc = vd_session_advance(s);
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
	return rc ? rc : vd_session_advance(s);
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
	if (!s->hello_in || !s->hello_out || !(s->equal || s->gave_up) || s->lanes_due || s->asking || s->they_ask || !vd_session_flushed(s) ||
	    vd_session_told_busy(s))
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

/* Everything else is done, or waits for another time. */
static uint64_t told_ms(const struct vd_session *s)
{
	return (s->equal || s->gave_up) && vd_session_told_waits(s) ? s->heard_ms + VD_RECEIPTS_WAIT_MS : UINT64_MAX;
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
	if (told_ms(s) < at)
		at = told_ms(s);
	if (vd_session_told_later(s) < at)
		at = vd_session_told_later(s);
	return at;
}

int vd_session_tick(struct vd_session *s, uint64_t now_ms)
{
	if (owed(s) && now_ms >= s->heard_ms + VD_STALL_MS)
		return VD_ECLOSED;
	if (now_ms >= alive_ms(s))
		s->alive_due = true;
	if (now_ms >= told_ms(s))
		vd_session_told_give_up(s);
	if (now_ms >= vd_session_told_later(s))
		vd_session_told_ask(s);
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
		s->rounds_left = VD_ROUNDS_AGAIN;
	s->equal = s->gave_up = false;
	return vd_session_advance(s);
}
