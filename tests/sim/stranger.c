#include "stranger.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

enum { MESSAGES = 60, FLOOD_MESSAGES = 120, FLOOD_RECORDS = 100 };

static void must(int rc)
{
	if (rc)
		abort();
}

static uint64_t chance(struct strangers *all, uint64_t below)
{
	return world_random(&all->n->w, below);
}

static void gone(struct stranger *s)
{
	if (s->live)
		vd_node_closed(s->at->node, s->conn);
	vd_session_free(s->session);
	vd_channel_free(s->channel);
	for (size_t i = 0; i < s->kept_count; i++)
		vd_buf_deinit(&s->kept[i].payload);
	memset(s, 0, sizeof(*s));
}

/* --- what they say --- */

static void keep(struct strangers *all, struct stranger *s, uint8_t type, const struct vd_buf *payload)
{
	size_t i = s->kept_count < STRANGER_KEPT ? s->kept_count++ : (size_t)chance(all, STRANGER_KEPT);

	vd_buf_deinit(&s->kept[i].payload);
	s->kept[i].type = type;
	vd_buf_put_slice(&s->kept[i].payload, vd_buf_slice(payload));
}

static void send(struct stranger *s, uint8_t type, const struct vd_buf *payload)
{
	if (payload->n < VD_MESSAGE_MAX && vd_channel_send(s->channel, type, vd_buf_slice(payload)))
		s->failed = true;
	s->left -= s->left > 0;
}

/* A message the session wished to send, as it gets there. */
static void mangle(struct strangers *all, struct stranger *s, uint8_t type, struct vd_buf *payload)
{
	size_t at = (size_t)chance(all, payload->n ? payload->n : 1);

	keep(all, s, type, payload);
	switch (chance(all, 14)) {
	case 0: /* lost */
		return;
	case 1: /* twice */
		send(s, type, payload);
		break;
	case 2:
	case 3:
		if (payload->n)
			payload->p[at] ^= (uint8_t)(1 + chance(all, 255));
		break;
	case 4: /* cut */
		payload->n = at;
		break;
	case 5: /* as something else */
		type = (uint8_t)(2 + chance(all, 15));
		break;
	case 6: { /* an earlier one instead */
		size_t i = (size_t)chance(all, s->kept_count);

		send(s, s->kept[i].type, &s->kept[i].payload);
		return;
	}
	case 7: { /* something made up first */
		struct vd_buf made = { 0 };

		world_bytes(&all->n->w, vd_buf_extend(&made, 40), 40);
		send(s, (uint8_t)(2 + chance(all, 14)), &made);
		vd_buf_deinit(&made);
		break;
	}
	}
	send(s, type, payload);
}

/* Records of its store again and again, half of them with another signature: each costs whoever takes it a verification. */
static void flood(struct strangers *all, struct stranger *s)
{
	struct vd_buf payload = { 0 };

	for (size_t i = 0; s->m->count && i < FLOOD_RECORDS && payload.n < 60000; i++) {
		const struct memory_record *mr = &s->m->records[chance(all, s->m->count)];
		struct vd_record r;

		must(vd_record_decode(vd_slice(mr->raw, mr->raw_bytes), &r));
		vd_buf_put_varint(&payload, mr->raw_bytes + 1);
		vd_compact_put_whole(vd_slice(mr->raw, mr->raw_bytes), &payload);
		if (chance(all, 2))
			payload.p[payload.n - mr->raw_bytes + r.header.n + chance(all, VD_SIGNATURE_BYTES)] ^= (uint8_t)(1 + chance(all, 255));
	}
	send(s, VD_MSG_RECORDS, &payload);
	vd_buf_deinit(&payload);
}

static bool speak(struct strangers *all, struct stranger *s)
{
	struct vd_buf payload = { 0 };
	uint8_t type;
	int rc;

	if (!s->left) {
		s->failed = true;
		return true;
	}
	rc = vd_session_drain(s->session, all->n->now_ms, &type, &payload);
	if (rc > 0 && s->manner == STRANGER_MANGLES)
		mangle(all, s, type, &payload);
	else if (rc > 0)
		send(s, type, &payload);
	else if (rc < 0)
		s->failed = true;
	vd_buf_deinit(&payload);
	if (!rc && s->manner == STRANGER_FLOODS)
		flood(all, s);
	return rc != 0 || s->manner == STRANGER_FLOODS;
}

static void listen(struct strangers *all, struct stranger *s)
{
	struct vd_slice payload;
	uint8_t type;

	while (vd_channel_next(s->channel, &type, &payload) > 0) {
		struct vd_batch *batch;

		if (!s->session || type == VD_MSG_BYE)
			continue;
		if (vd_session_feed(s->session, all->n->now_ms, type, payload))
			s->failed |= s->manner != STRANGER_FLOODS;
		while (!s->failed && (batch = vd_session_batch(s->session))) {
			memory_commit(s->m, batch);
			s->failed = vd_session_committed(s->session, all->n->now_ms, VD_OK) != VD_OK;
		}
	}
}

/* --- their connections --- */

static bool proved_now(struct strangers *all, struct stranger *s)
{
	uint8_t seed[VD_SALT_BYTES];

	if (vd_channel_state(s->channel) != VD_CHANNEL_OPEN || s->session)
		return false;
	world_bytes(&all->n->w, seed, sizeof(seed));
	s->session = vd_session_new(true, s->group, &s->m->port, all->n->now_ms, seed);
	if (!s->session)
		abort();
	return true;
}

static bool commit(struct strangers *all, struct stranger *s)
{
	struct vd_batch *batch = s->batch;

	if (!batch)
		return false;
	s->batch = NULL;
	memory_commit(&s->at->m, batch);
	vd_node_committed(s->at->node, all->n->now_ms, s->conn, VD_OK);
	return true;
}

/* What the host has to say is heard, whoever it is said to. */
static bool hear(struct strangers *all, struct stranger *s)
{
	struct vd_buf bytes = { 0 };
	bool any;

	if (!vd_node_wants_output(s->at->node, s->conn))
		return false;
	must(vd_node_drain(s->at->node, all->n->now_ms, s->conn, 32 * 1024, &bytes));
	any = bytes.n > 0;
	if (s->channel && vd_channel_feed(s->channel, vd_buf_slice(&bytes)))
		s->failed = true;
	vd_buf_deinit(&bytes);
	return any;
}

static bool say(struct strangers *all, struct stranger *s)
{
	struct vd_buf *out = s->channel ? vd_channel_out(s->channel) : NULL;
	size_t n = out && out->n < 4000 ? out->n : 4000;
	int rc;

	if (!out || !out->n || s->closing || !vd_node_wants_input(s->at->node, s->conn))
		return false;
	rc = vd_node_feed(s->at->node, all->n->now_ms, s->conn, vd_slice(out->p, n));
	if (rc == VD_EAGAIN)
		return false;
	all->turns++;
	if (all->recorded.n < 20000)
		vd_buf_put(&all->recorded, out->p, n);
	vd_buf_drop(out, n);
	return true;
}

/* Proved ones that a host has not sent away. */
static size_t strangers_in(const struct strangers *all, const struct host *at)
{
	size_t n = 0;

	for (const struct stranger *s = all->all; s < all->all + STRANGERS_MAX; s++)
		n += s->live && s->session && !s->closing && s->at == at;
	return n;
}

static bool act_one(struct strangers *all, struct stranger *s)
{
	bool moved = commit(all, s) || hear(all, s);

	if (s->channel && !s->failed) {
		listen(all, s);
		if (proved_now(all, s)) {
			size_t proved = strangers_in(all, s->at);

			all->proved++;
			all->most_proved = proved > all->most_proved ? proved : all->most_proved;
			moved = true;
		}
		if (s->session && s->manner == STRANGER_LEAVES)
			s->failed = true;
		else if (s->session && s->manner != STRANGER_STAYS && vd_channel_out(s->channel)->n < 8000)
			moved |= speak(all, s);
		moved |= say(all, s);
	}
	if ((s->failed && !s->batch) || (s->closing && !s->batch && !vd_node_wants_output(s->at->node, s->conn))) {
		gone(s);
		return true;
	}
	return moved;
}

static bool act(void *ctx)
{
	struct strangers *all = ctx;
	bool moved = false;

	for (struct stranger *s = all->all; s < all->all + STRANGERS_MAX; s++)
		if (s->live)
			moved |= act_one(all, s);
	return moved;
}

static void on_wish(void *ctx, struct host *h, const struct vd_wish *wish)
{
	struct strangers *all = ctx;
	struct stranger *s = all->all;

	while (s < all->all + STRANGERS_MAX && !(s->live && s->at == h && s->conn == wish->conn))
		s++;
	if (s == all->all + STRANGERS_MAX)
		abort();
	if (wish->what == VD_WISH_COMMIT)
		s->batch = wish->batch;
	if (wish->what == VD_WISH_CLOSED) {
		s->closing = true;
		all->ended += wish->err == VD_EFORMAT || wish->err == VD_ECAP || wish->err == VD_ESIGNATURE;
	}
}

void strangers_init(struct strangers *all, struct net *n)
{
	memset(all, 0, sizeof(*all));
	all->n = n;
	all->port = (struct net_strangers){ all, on_wish, act };
	n->strangers = &all->port;
}

void strangers_leave(struct strangers *all)
{
	for (struct stranger *s = all->all; s < all->all + STRANGERS_MAX; s++)
		if (s->live)
			gone(s);
}

void strangers_deinit(struct strangers *all)
{
	strangers_leave(all);
	vd_buf_deinit(&all->recorded);
	all->n->strangers = NULL;
}

void stranger_displace(struct strangers *all)
{
	struct stranger *oldest = NULL;

	for (struct stranger *s = all->all; s < all->all + STRANGERS_MAX; s++)
		if (s->live && !s->session && (!oldest || s->number < oldest->number))
			oldest = s;
	if (oldest)
		gone(oldest);
}

/* Its channel, under the newest epoch that the host has as well. */
static struct vd_channel *channel_to(struct strangers *all, struct vd_group *own, struct vd_group *theirs)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES];

	world_bytes(&all->n->w, seed, sizeof(seed));
	for (size_t i = 0; i < vd_group_epoch_count(own); i++)
		for (size_t k = 0; k < vd_group_epoch_count(theirs); k++)
			if (memcmp(vd_group_epoch_id(own, i), vd_group_epoch_id(theirs, k), VD_EPOCH_BYTES) == 0)
				return i ? vd_channel_call_back(own, vd_group_epoch_id(own, i), seed) : vd_channel_new(true, &own, 1, seed);
	return vd_channel_new(true, &own, 1, seed);
}

bool stranger_come(struct strangers *all, size_t at, enum stranger_manner manner, struct vd_group *group, struct memory *m)
{
	struct stranger *s = all->all;
	uint8_t noise[200];

	while (s < all->all + STRANGERS_MAX && s->live)
		s++;
	if (s == all->all + STRANGERS_MAX)
		return false;
	memset(s, 0, sizeof(*s));
	s->at = &all->n->hosts[at];
	s->manner = manner;
	s->group = group;
	s->m = m;
	s->left = manner == STRANGER_FLOODS ? FLOOD_MESSAGES : MESSAGES;
	s->number = ++all->opened;
	if (vd_node_accept(s->at->node, all->n->now_ms, &s->conn)) {
		all->refused++;
		return false;
	}
	s->live = true;
	if (manner == STRANGER_NOISE) {
		world_bytes(&all->n->w, noise, sizeof(noise));
		(void)!vd_node_feed(s->at->node, all->n->now_ms, s->conn, vd_slice(noise, sizeof(noise)));
	} else if (manner == STRANGER_REPLAY) {
		(void)!vd_node_feed(s->at->node, all->n->now_ms, s->conn, vd_buf_slice(&all->recorded));
	} else if (manner != STRANGER_SILENT) {
		s->channel = channel_to(all, group, s->at->group);
		if (!s->channel)
			abort();
	}
	return true;
}

size_t strangers_live(const struct strangers *all, bool proved)
{
	size_t n = 0;

	for (const struct stranger *s = all->all; s < all->all + STRANGERS_MAX; s++)
		n += s->live && (!proved || s->session);
	return n;
}
