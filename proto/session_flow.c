/* What flows through a session besides reconciliation: batches in, new records and bodies out. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "session_priv.h"

/* --- batches --- */

bool vd_session_full(const struct vd_session *s)
{
	return s->in.count >= s->most || s->in.bytes.n >= VD_BATCH_BYTES;
}

bool vd_session_flushed(const struct vd_session *s)
{
	return !s->committing && !s->in.count;
}

/* What the store tells of a batch that is being verified. */
struct witness {
	struct vd_session *s;
	bool *known; /* an entry each: stored already, as good as it came */
};

/* A record that no successor vouches for: who is stored was valid, which spares the signature check. Else a flood of records
 * that everybody has would cost us one for each. */
static bool proved(void *ctx, const struct vd_record *r)
{
	struct witness *w = ctx;
	struct vd_session *s = w->s;
	const struct vd_batch_entry *entry = (const void *)((const uint8_t *)r - offsetof(struct vd_batch_entry, record));
	struct vd_arrival found[VD_ITEM_MATCHES];
	struct vd_item item;
	size_t n = 0;

	vd_item_of(s->salt, &r->id, &item);
	if (s->port->find_item(s->port->ctx, r->group, r->lane, item.b, found, VD_ITEM_MATCHES, &n))
		n = 0;
	for (size_t i = 0; i < n; i++)
		if (memcmp(&found[i].id, &r->id, sizeof(r->id)) == 0) {
			w->known[entry - s->commit.entries] = r->stub || !found[i].stub;
			return true;
		}
	return s->port->vouched(s->port->ctx, r);
}

static int verify(struct vd_session *s)
{
	struct witness w = { s, calloc(s->commit.count, sizeof(bool)) };
	const struct vd_chain_port chain = { &w, proved };
	size_t kept = 0, planned;
	int rc = w.known ? vd_chain_plan(&s->commit, s->group, &chain, &planned) : VD_ENOMEM;
	uint64_t checks;

	if (!rc) {
		if (s->port->check)
			s->port->check(s->port->ctx, &s->commit, planned);
		else
			vd_chain_check(&s->commit, 0, planned);
		vd_chain_settle(&s->commit, &chain);
	}
	checks = s->commit.verified;
	for (size_t i = 0; !rc && i < s->commit.count; i++) {
		if (s->commit.entries[i].verdict)
			s->stats.refused++;
		if (!w.known[i])
			s->commit.entries[kept++] = s->commit.entries[i];
	}
	if (checks < VD_BATCH_CHECKS && s->commit.count >= s->most && s->most < VD_BATCH_RECORDS)
		s->most *= 2;
	else if (checks > 2 * VD_BATCH_CHECKS && s->most > VD_BATCH_FIRST)
		s->most /= 2;
	if (!rc)
		s->commit.count = kept;
	free(w.known);
	return rc;
}

int vd_session_close_batch(struct vd_session *s)
{
	int rc;

	if (!s->in.count)
		return VD_OK;
	if (s->committing) {
		s->flush = true;
		return VD_OK;
	}
	s->flush = false;
	s->commit = s->in;
	s->in = (struct vd_batch){ 0 };
	rc = verify(s);
	if (rc)
		return rc;
	s->committing = s->commit.count > 0;
	if (!s->committing)
		vd_batch_deinit(&s->commit);
	return s->stats.refused > s->stats.received - s->stats.refused + VD_REFUSED_MAX ? VD_ECAP : VD_OK;
}

struct vd_batch *vd_session_batch(struct vd_session *s)
{
	return s->committing ? &s->commit : NULL;
}

static void remember(struct vd_session *s, const struct vd_id *id)
{
	if (!s->echo)
		s->echo = calloc(VD_ECHO_IDS, sizeof(*s->echo));
	if (!s->echo)
		return; /* then it is sent back once, and known there */
	s->echo[s->echo_next] = vd_get_u64(id->b);
	s->echo_next = (s->echo_next + 1) % VD_ECHO_IDS;
	if (s->echo_count < VD_ECHO_IDS)
		s->echo_count++;
}

static bool came_from_there(const struct vd_session *s, const struct vd_id *id)
{
	uint64_t prefix = vd_get_u64(id->b);

	for (size_t i = 0; i < s->echo_count; i++)
		if (s->echo[i] == prefix)
			return true;
	return false;
}

static int take_record(struct vd_session *s, struct vd_slice compact, bool *urgent)
{
	int rc = vd_batch_add_compact(&s->in, &s->heard, compact);
	const struct vd_record *record;
	struct vd_session_lane *lane;

	s->stats.received++;
	if (rc == VD_ENOMEM)
		return rc;
	/* Out of step, nothing that follows could be read. */
	if (rc && !vd_compact_is_whole(compact))
		return VD_EFORMAT;
	if (rc) {
		s->stats.refused++;
		return VD_OK;
	}
	record = &s->in.entries[s->in.count - 1].record;
	lane = &s->lanes[record->lane];
	if (vd_session_takes_only(s) && s->stats.received > VD_CONTROL_MAX)
		return VD_ECAP;
	if (vd_session_takes_only(s) && record->lane != VD_LANE_CONTROL) {
		vd_batch_drop_last(&s->in);
		return VD_OK;
	}
	if (vd_declined_has(&s->apart, record->lane, record->author)) {
		vd_batch_drop_last(&s->in);
		s->stats.declined++;
		return VD_OK;
	}
	lane->received++;
	remember(s, &record->id);
	if (lane->active)
		vd_reconcile_received(&lane->r, &record->id);
	/* Pushed while other lanes still reconcile: does not wait for company. */
	if (!lane->active && record->lane <= VD_LANE_URGENT)
		*urgent = true;
	return VD_OK;
}

int vd_session_take_records(struct vd_session *s, uint64_t now_ms, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	bool urgent = false, reconciling = false;

	if (vd_session_full(s) && s->committing)
		return VD_EAGAIN;
	if (!s->in.count)
		s->in_since_ms = now_ms;
	while (r.n) {
		uint64_t n = vd_rd_varint(&r);
		int rc;

		if (r.err || n > VD_COMPACT_MAX || n > r.n)
			return VD_EFORMAT;
		rc = take_record(s, vd_rd_take(&r, (size_t)n), &urgent);
		if (rc)
			return rc;
	}
	for (size_t l = 0; l < VD_LANES; l++)
		reconciling |= s->lanes[l].active;
	if (s->initiator && (s->equal || s->gave_up) && s->recheck_ms == UINT64_MAX)
		s->recheck_ms = now_ms + VD_RECHECK_MS;
	return vd_session_full(s) || urgent || !reconciling ? vd_session_close_batch(s) : VD_OK;
}

/* --- pushes --- */

int vd_session_push(struct vd_session *s, struct vd_session_lane *lane, uint8_t number, struct vd_buf *out)
{
	size_t most = out->n + vd_reconcile_message_bytes(number), start = out->n;

	/* More came from there than we can tell apart: the next LANES will. */
	if (lane->received > VD_ECHO_IDS && number > VD_LANE_URGENT)
		return 0;
	while (lane->grew && out->n < most) {
		struct vd_arrival found[16];
		size_t n = 0;
		int rc = s->shown->scan(s->shown->ctx, vd_group_id(s->group), number, lane->push_after, found, 16, &n);

		lane->grew = !rc && n;
		for (size_t i = 0; !rc && i < n && out->n < most; i++) {
			if (!came_from_there(s, &found[i].id) && !vd_declined_has(&s->apart, number, found[i].author))
				rc = vd_reconcile_put_record(s->port, found[i].arrival, NULL, out, &s->out);
			lane->push_after = found[i].arrival;
		}
		if (rc)
			return rc;
	}
	return out->n > start;
}

/* --- bodies --- */

static bool same(const struct vd_set_mark *a, const struct vd_set_mark *b)
{
	return a->count == b->count && memcmp(a->hash, b->hash, sizeof(a->hash)) == 0;
}

/* Sets of ids are equal: who wants bodies that the other may have? Both ends come to the same answer. What the other lacked while
 * it wanted just what it wants now, it lacks still. */
void vd_session_bodies_begin(struct vd_session *s)
{
	s->asking = s->they_ask = false;
	for (size_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];
		struct vd_denied *denied = &s->terms.denied[l];
		bool differ = !same(&lane->wanted, &lane->their_wanted);

		if (memcmp(denied->wanted, lane->their_wanted.hash, sizeof(denied->wanted)) != 0) {
			memcpy(denied->wanted, lane->their_wanted.hash, sizeof(denied->wanted));
			denied->through = 0;
			lane->asked_through = lane->asked ? lane->asked_through : 0;
			lane->again = lane->asked;
		}
		/* What we take no bodies of we do not ask for, and say so by settling. */
		lane->ask = differ && lane->wanted.count && !lane->asked && !(l == VD_LANE_BULK && s->declined.bulk_bodies);
		s->asking |= (differ && lane->wanted.count) || lane->asked;
		s->they_ask |= differ && lane->their_wanted.count;
	}
}

void vd_session_bodies_flushed(struct vd_session *s)
{
	for (size_t l = 0; l < VD_LANES; l++)
		if (!s->lanes[l].asked && s->lanes[l].asked_through > s->terms.denied[l].through)
			s->terms.denied[l].through = s->lanes[l].asked_through;
}

/* The next of the bodies that were not asked for yet: 1, or 0 when there are no more. */
static int put_wanted(struct vd_session *s, uint8_t number, struct vd_buf *out)
{
	struct vd_arrival *found = calloc(VD_BODIES_MAX, sizeof(*found));
	uint64_t *through = &s->lanes[number].asked_through;
	size_t n = 1, put = 0;
	int rc = found ? VD_OK : VD_ENOMEM;

	while (!rc && n && !put) {
		rc = s->shown->wanted(s->shown->ctx, vd_group_id(s->group), number, *through, found, VD_BODIES_MAX, &n);
		if (!rc && n)
			*through = found[n - 1].arrival;
		for (size_t i = 0; !rc && i < n; i++) {
			struct vd_item item;

			if (vd_declined_has(&s->apart, number, found[i].author))
				continue;
			vd_item_of(s->salt, &found[i].id, &item);
			vd_buf_put(out, item.b, VD_ITEM_BYTES);
			put++;
		}
	}
	free(found);
	return rc ? rc : (int)(put > 0);
}

int vd_session_take_bodies(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t number = vd_rd_u8(&r);
	struct vd_session_lane *lane = &s->lanes[number % VD_LANES];
	size_t count = r.n / VD_ITEM_BYTES;

	if (r.err || number >= VD_LANES || !count || r.n % VD_ITEM_BYTES || !s->hello_in)
		return VD_EFORMAT;
	if (count > VD_BODIES_MAX || lane->answering)
		return VD_ECAP;
	lane->answers = calloc(count * VD_ITEM_MATCHES, sizeof(*lane->answers));
	if (!lane->answers)
		return VD_ENOMEM;
	lane->answering = true;
	lane->answer_count = lane->answer_sent = 0;
	while (r.n) {
		const uint8_t *item = vd_rd_take(&r, VD_ITEM_BYTES).p;
		struct vd_arrival found[VD_ITEM_MATCHES];
		size_t n = 0, had = lane->answer_count;
		int rc = VD_OK;

		if (number == VD_LANE_CONTROL || !s->control_first)
			rc = s->shown->find_item(s->shown->ctx, vd_group_id(s->group), number, item, found, VD_ITEM_MATCHES, &n);
		if (rc)
			return rc;
		/* All that it may mean: somebody may have looked for a record whose item begins like another's. */
		for (size_t i = 0; i < n; i++)
			if (!found[i].stub && !vd_declined_has(&s->apart, number, found[i].author))
				lane->answers[lane->answer_count++] = found[i].arrival;
		if (lane->answer_count == had)
			vd_buf_put(&lane->nobody, item, VD_ITEM_BYTES);
	}
	return vd_buf_check(&lane->nobody);
}

int vd_session_take_nobody(struct vd_session *s, struct vd_slice payload)
{
	struct vd_rd r = vd_rd(payload);
	uint8_t number = vd_rd_u8(&r);

	if (r.err || number >= VD_LANES || r.n % VD_ITEM_BYTES || !s->lanes[number].asked)
		return VD_EFORMAT;
	s->lanes[number].asked = false;
	s->lanes[number].ask = true; /* the next, if there are more */
	if (s->lanes[number].again)
		s->lanes[number].asked_through = 0;
	s->lanes[number].again = false;
	return vd_session_close_batch(s);
}

static int drain_answers(struct vd_session *s, struct vd_session_lane *lane, uint8_t number, uint8_t *type, struct vd_buf *out)
{
	size_t most = out->n + vd_reconcile_message_bytes(number), start = out->n;
	bool bare = s->out.bulk_bare;
	int rc = VD_OK;

	s->out.bulk_bare = false; /* they asked */
	while (lane->answer_sent < lane->answer_count && out->n < most && !rc)
		rc = vd_reconcile_put_record(s->port, lane->answers[lane->answer_sent++], NULL, out, &s->out);
	s->out.bulk_bare = bare;
	if (rc)
		return rc;
	*type = VD_MSG_RECORDS;
	if (out->n > start)
		return 1;
	*type = VD_MSG_NOBODY;
	vd_buf_put_u8(out, number);
	vd_buf_put_slice(out, vd_buf_slice(&lane->nobody));
	vd_buf_deinit(&lane->nobody);
	free(lane->answers);
	lane->answers = NULL;
	lane->answering = false;
	return 1;
}

int vd_session_drain_bodies(struct vd_session *s, uint8_t *type, struct vd_buf *out)
{
	bool asked = false;

	for (uint8_t l = 0; l < VD_LANES; l++) {
		struct vd_session_lane *lane = &s->lanes[l];

		if (lane->ask) {
			int rc;

			lane->ask = false;
			*type = VD_MSG_BODIES;
			vd_buf_put_u8(out, l);
			rc = put_wanted(s, l, out);
			if (rc > 0) {
				lane->asked = true;
				s->stats.round_trips += l == 0 || !s->lanes[l - 1].asked;
			} else {
				out->n--;
			}
			if (rc)
				return rc;
		}
		if (lane->answering)
			return drain_answers(s, lane, l, type, out);
		asked |= lane->asked;
	}
	if (!s->asking || asked)
		return 0;
	s->asking = false;
	*type = VD_MSG_SETTLED;
	vd_buf_put_u8(out, s->round);
	vd_buf_put_u8(out, VD_LANE_BODIES);
	vd_buf_put_varint(out, 0);
	return 1;
}
