#include "node.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "follow.h"
#include "reconcile.h"

struct speaks {
	struct vd_group *group;
	struct vd_follow control;
};

/* What sessions with one device learnt, for the next. */
struct acquaintance {
	const struct speaks *speaks; /* NULL: free */
	uint8_t peer[VD_KEY_BYTES];
	struct vd_terms terms;
	uint64_t gave;       /* when it had no role, and gave us its control records: how many it named. 0: never */
	uint64_t refused_ms; /* until then it has used up what it may make us verify in vain, in all its sessions */
};

enum conn_state {
	CONN_SHAKING, /* channel not open */
	CONN_LIVE,
	CONN_ENDING,  /* CLOSED was wished; what is queued still leaves */
};

struct conn {
	uint32_t number;
	enum conn_state state;
	bool initiator;
	uint64_t since_ms;
	struct vd_channel *channel;
	struct vd_session *session; /* once open */
	struct speaks *speaks;
	uint8_t peer[VD_KEY_BYTES];
	int err;
	uint64_t generation;   /* of the group when the peer was last seen to have a role */
	bool more;             /* the session may have something to say */
	bool committing;       /* its batch is wished for */
	uint64_t refused;      /* records, as far as the peer was charged for them */
	uint64_t opened;       /* its place in the order of proofs */
	bool spare;            /* a better session with this peer is open: ends when settled */
	bool told, complete;   /* that it settled, when `moved` was this, and with both ends the same or not */
	uint64_t moved;
	bool holds;            /* one message the session could not take yet */
	uint8_t held_type;
	struct vd_buf held;
};

struct vd_node {
	const struct vd_port *port;
	uint8_t ratchet[VD_KEY_BYTES];
	struct speaks **groups;
	size_t group_count;
	struct conn *conns[VD_PEERS_MAX];
	size_t conn_count;
	uint32_t last_number;
	uint64_t opened_count;
	struct vd_wish *wishes;
	size_t wish_first, wish_count, wish_capacity;
	struct vd_salt_budget salted;
	struct acquaintance known[VD_KNOWN_MAX];
	size_t known_next;     /* the place that is given away next */
};

/* --- entropy --- */

/* Draws n bytes and moves on: nobody who sees the state later can tell what was drawn before. */
static void draw(struct vd_node *n, uint8_t *out, size_t out_n)
{
	static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
	uint8_t stream[VD_KEY_BYTES + VD_CHANNEL_SEED_BYTES];

	crypto_stream_chacha20_ietf(stream, sizeof(stream), nonce, n->ratchet);
	memcpy(n->ratchet, stream, VD_KEY_BYTES);
	memcpy(out, stream + VD_KEY_BYTES, out_n);
	sodium_memzero(stream, sizeof(stream));
}

/* --- life --- */

struct vd_node *vd_node_new(const struct vd_port *port, const uint8_t seed[VD_NODE_SEED_BYTES])
{
	struct vd_node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->port = port;
	memcpy(n->ratchet, seed, sizeof(n->ratchet));
	return n;
}

static struct acquaintance *find_known(struct vd_node *n, const struct conn *c)
{
	for (size_t i = 0; i < VD_KNOWN_MAX; i++)
		if (n->known[i].speaks == c->speaks && memcmp(n->known[i].peer, c->peer, VD_KEY_BYTES) == 0)
			return &n->known[i];
	return NULL;
}

static struct acquaintance *remember(struct vd_node *n, const struct conn *c)
{
	struct acquaintance *k = find_known(n, c);

	if (!k) {
		k = &n->known[n->known_next];
		n->known_next = (n->known_next + 1) % VD_KNOWN_MAX;
		k->refused_ms = k->gave = 0;
	}
	k->speaks = c->speaks;
	memcpy(k->peer, c->peer, sizeof(k->peer));
	k->terms = *vd_session_terms(c->session);
	return k;
}

static void conn_free(struct conn *c)
{
	vd_session_free(c->session);
	vd_channel_free(c->channel);
	vd_buf_deinit(&c->held);
	free(c);
}

void vd_node_free(struct vd_node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->conn_count; i++)
		conn_free(n->conns[i]);
	for (size_t i = 0; i < n->group_count; i++) {
		vd_follow_deinit(&n->groups[i]->control);
		free(n->groups[i]);
	}
	free(n->groups);
	free(n->wishes);
	sodium_memzero(n->ratchet, sizeof(n->ratchet));
	free(n);
}

static struct speaks *find_group(const struct vd_node *n, const uint8_t *id)
{
	for (size_t i = 0; i < n->group_count; i++)
		if (memcmp(vd_group_id(n->groups[i]->group), id, VD_GROUP_BYTES) == 0)
			return n->groups[i];
	return NULL;
}

int vd_node_add_group(struct vd_node *n, struct vd_group *group)
{
	struct speaks **more, *s;

	if (find_group(n, vd_group_id(group)))
		return VD_EEXISTS;
	more = realloc(n->groups, (n->group_count + 1) * sizeof(*more));
	s = calloc(1, sizeof(*s));
	if (more)
		n->groups = more;
	if (!more || !s) {
		free(s);
		return VD_ENOMEM;
	}
	s->group = s->control.group = group;
	n->groups[n->group_count++] = s;
	return VD_OK;
}

static struct conn *find_conn(const struct vd_node *n, uint32_t number)
{
	for (size_t i = 0; i < n->conn_count; i++)
		if (n->conns[i]->number == number)
			return n->conns[i];
	return NULL;
}

/* epoch: of a call back; NULL else. */
static int conn_new(struct vd_node *n, uint64_t now_ms, bool initiator, struct vd_group *const *groups, size_t count,
                    const uint8_t *epoch, uint32_t *number)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	size_t half_open = 0;
	struct conn *c;

	for (size_t i = 0; i < n->conn_count; i++)
		half_open += n->conns[i]->state == CONN_SHAKING;
	if (n->conn_count == VD_PEERS_MAX || half_open >= VD_HALF_OPEN_MAX)
		return VD_ECAP;
	c = calloc(1, sizeof(*c));
	if (!c)
		return VD_ENOMEM;
	draw(n, seed, sizeof(seed));
	c->channel = epoch ? vd_channel_call_back(groups[0], epoch, seed) : vd_channel_new(initiator, groups, count, seed);
	sodium_memzero(seed, sizeof(seed));
	if (!c->channel) {
		free(c);
		return VD_ENOMEM;
	}
	do
		c->number = ++n->last_number;
	while (!c->number || find_conn(n, c->number));
	c->initiator = initiator;
	c->since_ms = now_ms;
	n->conns[n->conn_count++] = c;
	*number = c->number;
	return VD_OK;
}

int vd_node_connect(struct vd_node *n, uint64_t now_ms, const uint8_t *group, uint32_t *conn)
{
	struct speaks *s = find_group(n, group);

	return s ? conn_new(n, now_ms, true, &s->group, 1, NULL, conn) : VD_ENOTFOUND;
}

const uint8_t *vd_node_epoch(const struct vd_node *n, const uint8_t *group, size_t i)
{
	struct speaks *s = find_group(n, group);

	return s ? vd_group_epoch_id(s->group, i) : NULL;
}

int vd_node_call_back(struct vd_node *n, uint64_t now_ms, const uint8_t *group, const uint8_t *epoch, uint32_t *conn)
{
	struct speaks *s = find_group(n, group);
	size_t i = 0, count = s ? vd_group_epoch_count(s->group) : 0;

	if (!s)
		return VD_ENOTFOUND;
	while (i < count && memcmp(vd_group_epoch_id(s->group, i), epoch, VD_EPOCH_BYTES) != 0)
		i++;
	if (i == count)
		return VD_EKEY;
	return conn_new(n, now_ms, true, &s->group, 1, i ? epoch : NULL, conn);
}

int vd_node_accept(struct vd_node *n, uint64_t now_ms, uint32_t *conn)
{
	struct vd_group **groups = calloc(n->group_count + 1, sizeof(struct vd_group *));
	int rc;

	if (!groups)
		return VD_ENOMEM;
	for (size_t i = 0; i < n->group_count; i++)
		groups[i] = n->groups[i]->group;
	rc = conn_new(n, now_ms, false, groups, n->group_count, NULL, conn);
	free(groups);
	return rc;
}

/* --- wishes --- */

static void wish(struct vd_node *n, enum vd_wish_what what, struct conn *c)
{
	const uint8_t *refused;
	const struct vd_device *device;
	struct vd_wish *w;

	if (n->wish_first == n->wish_count)
		n->wish_first = n->wish_count = 0;
	if (n->wish_count == n->wish_capacity) {
		size_t capacity = n->wish_capacity ? 2 * n->wish_capacity : 16;

		w = realloc(n->wishes, capacity * sizeof(*w));
		if (!w)
			return; /* the connection hangs until its deadline; nothing is lost */
		n->wishes = w;
		n->wish_capacity = capacity;
	}
	w = &n->wishes[n->wish_count++];
	*w = (struct vd_wish){ .what = what, .conn = c->number, .err = c->err };
	vd_channel_traffic(c->channel, &w->bytes_out, &w->bytes_in);
	refused = vd_channel_refused(c->channel, &w->group);
	if (refused)
		memcpy(w->peer, refused, sizeof(w->peer));
	if (!c->session)
		return;
	w->group = c->speaks->group;
	w->stats = *vd_session_stats(c->session);
	w->batch = what == VD_WISH_COMMIT ? vd_session_batch(c->session) : NULL;
	memcpy(w->peer, c->peer, sizeof(w->peer));
	device = vd_group_find(c->speaks->group, c->peer);
	memcpy(w->member, device ? device->person : c->peer, sizeof(w->member));
}

bool vd_node_wish(struct vd_node *n, struct vd_wish *out)
{
	if (n->wish_first == n->wish_count)
		return false;
	*out = n->wishes[n->wish_first++];
	return true;
}

static void offer_batch(struct vd_node *n, struct conn *c)
{
	if (!c->session || c->committing || !vd_session_batch(c->session))
		return;
	c->committing = true;
	wish(n, VD_WISH_COMMIT, c);
}

/* The connection is over: says why to the peer if it can hear, and to the host. What came is still offered for commit. */
static void end(struct vd_node *n, struct conn *c, int err, int bye)
{
	uint8_t reason = (uint8_t)bye;

	if (c->state == CONN_ENDING)
		return;
	if (c->state == CONN_LIVE) {
		if (bye >= 0 && vd_channel_send(c->channel, VD_MSG_BYE, vd_slice(&reason, 1)))
			err = err ? err : VD_ENOMEM;
		if (!vd_session_flush(c->session))
			offer_batch(n, c);
	}
	c->state = CONN_ENDING;
	c->err = err;
	c->holds = false;
	vd_buf_deinit(&c->held);
	wish(n, VD_WISH_CLOSED, c);
}

static void fail(struct vd_node *n, struct conn *c, int err)
{
	end(n, c, err, err == VD_EFORMAT || err == VD_ECAP ? VD_BYE_RULE : err == VD_EBUSY ? VD_BYE_BUSY : VD_BYE_SHUTDOWN);
}

/* Who is removed is not told why, nor by a word that it was. */
static bool belongs(struct vd_node *n, struct conn *c)
{
	uint64_t generation = vd_group_generation(c->speaks->group);

	if (c->generation == generation)
		return true;
	c->generation = generation;
	if (vd_group_may_connect(c->speaks->group, c->peer)) {
		int rc = VD_OK;

		if (vd_session_takes_only(c->session)) {
			wish(n, VD_WISH_OPENED, c);
			rc = vd_session_give_too(c->session);
			c->more = true;
		}
		if (rc)
			fail(n, c, rc);
		return !rc;
	}
	if (vd_session_takes_only(c->session))
		return true;
	end(n, c, VD_EAUTHOR, -1);
	return false;
}

/* A device that was coordinator and has no role gives its control records: a stronger revocation may be among them. What it gave before
 * we do not take again; and when it has none by them, that is all. */
static bool may_go_on(struct vd_node *n, struct conn *c)
{
	uint64_t named = vd_session_named(c->session);
	struct acquaintance *k;

	if (!vd_session_takes_only(c->session))
		return true;
	k = find_known(n, c);
	if (!vd_session_has_taken(c->session)) {
		if (!named || !k || k->gave != named || vd_session_stats(c->session)->received)
			return true;
	} else if (!vd_session_stats(c->session)->refused) {
		k = remember(n, c);
		k->gave = named;
	}
	end(n, c, VD_EAUTHOR, -1);
	return false;
}

/* Every record that is not valid costs us a verification, and the peer next to nothing: it is charged for them. False when it has
 * gone too far: its session ends. */
static bool charge(struct vd_node *n, uint64_t now_ms, struct conn *c)
{
	uint64_t refused = vd_session_stats(c->session)->refused;
	struct acquaintance *k;

	if (refused == c->refused)
		return true;
	k = remember(n, c);
	k->refused_ms = (k->refused_ms > now_ms ? k->refused_ms : now_ms) + (refused - c->refused) * VD_REFUSED_COST_MS;
	c->refused = refused;
	if (k->refused_ms <= now_ms + VD_REFUSED_AHEAD_MS)
		return true;
	fail(n, c, VD_EBUSY);
	return false;
}

/* --- two sessions with one peer --- */

/* Both ends keep the one that the device with the lower key began. The other ends at once while the kept one is at work, which
 * spares sending everything twice; else when it has settled: somebody asked for it. */
static void settle_pair(struct vd_node *n, struct conn *a, struct conn *b)
{
	const struct vd_identity *own = vd_group_identity(a->speaks->group);
	int order = own ? memcmp(own->author, a->peer, VD_KEY_BYTES) : 0;
	struct conn *kept, *spare;

	if (order == 0 || a->initiator == b->initiator)
		return;
	kept = a->initiator == (order < 0) ? a : b;
	spare = kept == a ? b : a;
	spare->spare = true;
	if (!vd_session_settled(kept->session))
		end(n, spare, VD_EBUSY, VD_BYE_BUSY);
}

static bool same_pair(const struct conn *a, const struct conn *b)
{
	return a != b && a->state == CONN_LIVE && b->state == CONN_LIVE && a->speaks == b->speaks &&
	       memcmp(a->peer, b->peer, VD_KEY_BYTES) == 0;
}

/* Of those that one end began, the first and the newest stay: a device that has moved calls again before its old connection is
 * known to be dead, and a command may sync while the device's daemon does. What lies between ends, so that no device takes
 * more than two places. */
static void one_and_one(struct vd_node *n, struct conn *newest)
{
	struct conn *between = NULL;
	size_t others = 0;

	for (size_t i = 0; i < n->conn_count; i++) {
		struct conn *c = n->conns[i];

		if (!same_pair(c, newest))
			continue;
		others++;
		if (!between || c->spare > between->spare || (c->spare == between->spare && c->opened > between->opened))
			between = c;
	}
	if (others > 1)
		end(n, between, VD_EBUSY, VD_BYE_BUSY);
}

bool vd_node_settled(const struct vd_node *n, uint32_t conn)
{
	const struct conn *c = find_conn(n, conn);

	return c && c->state == CONN_LIVE && !c->committing && vd_session_settled(c->session);
}

bool vd_node_has_peer(const struct vd_node *n, const uint8_t *group, const uint8_t peer[VD_KEY_BYTES])
{
	for (size_t i = 0; i < n->conn_count; i++) {
		const struct conn *c = n->conns[i];

		if (c->state == CONN_LIVE && !vd_session_takes_only(c->session) &&
		    memcmp(vd_group_id(c->speaks->group), group, VD_GROUP_BYTES) == 0 &&
		    memcmp(c->peer, peer, VD_KEY_BYTES) == 0)
			return true;
	}
	return false;
}

static void opened(struct vd_node *n, uint64_t now_ms, struct conn *c)
{
	uint8_t seed[VD_SALT_BYTES];
	const struct acquaintance *known;

	c->speaks = find_group(n, vd_group_id(vd_channel_group(c->channel)));
	memcpy(c->peer, vd_channel_peer(c->channel), sizeof(c->peer));
	draw(n, seed, sizeof(seed));
	c->session = vd_session_new(c->initiator, c->speaks->group, n->port, now_ms, seed);
	sodium_memzero(seed, sizeof(seed));
	if (!c->session) {
		end(n, c, VD_ENOMEM, -1);
		return;
	}
	known = find_known(n, c);
	vd_session_recall(c->session, known ? &known->terms : NULL, &n->salted);
	if (known && known->refused_ms > now_ms + VD_REFUSED_AHEAD_MS / 2) {
		c->state = CONN_LIVE;
		end(n, c, VD_EBUSY, VD_BYE_BUSY);
		return;
	}
	if (!vd_channel_is_current(c->channel))
		vd_session_control_first(c->session);
	c->state = CONN_LIVE;
	c->generation = vd_group_generation(c->speaks->group);
	c->more = true;
	c->opened = ++n->opened_count;
	if (vd_group_may_connect(c->speaks->group, c->peer))
		wish(n, VD_WISH_OPENED, c);
	else
		vd_session_take_only(c->session);
	one_and_one(n, c);
	for (size_t i = 0; i < n->conn_count && c->state == CONN_LIVE; i++)
		if (same_pair(c, n->conns[i]))
			settle_pair(n, c, n->conns[i]);
}

/* --- messages --- */

static int take(struct vd_node *n, uint64_t now_ms, struct conn *c, uint8_t type, struct vd_slice payload)
{
	int rc;

	if (type == VD_MSG_BYE) {
		if (payload.n != 1)
			return VD_EFORMAT;
		end(n, c, payload.p[0] == VD_BYE_DONE ? VD_OK : payload.p[0] == VD_BYE_BUSY ? VD_EBUSY : VD_ECLOSED, -1);
		return VD_OK;
	}
	rc = vd_session_feed(c->session, now_ms, type, payload);
	c->more |= rc != VD_EAGAIN;
	return rc;
}

/* Gives the session what waits: first the message it could not take, then what the channel has. */
static int deliver(struct vd_node *n, uint64_t now_ms, struct conn *c)
{
	while (c->state == CONN_LIVE) {
		struct vd_slice payload;
		uint8_t type;
		int rc = 1;

		if (c->holds) {
			type = c->held_type;
			payload = vd_buf_slice(&c->held);
		} else {
			rc = vd_channel_next(c->channel, &type, &payload);
		}
		if (rc <= 0)
			return rc;
		rc = take(n, now_ms, c, type, payload);
		if (rc == VD_EAGAIN) {
			if (!c->holds)
				vd_buf_put_slice(&c->held, payload);
			c->holds = true;
			c->held_type = type;
			return vd_buf_check(&c->held);
		}
		vd_buf_deinit(&c->held);
		c->holds = false;
		if (rc)
			return rc;
	}
	return VD_OK;
}

/* After anything happened on a connection: messages that wait, batches, settling. */
static void advance(struct vd_node *n, uint64_t now_ms, struct conn *c)
{
	uint64_t moved;
	int rc;

	if (c->state == CONN_SHAKING && vd_channel_state(c->channel) == VD_CHANNEL_OPEN)
		opened(n, now_ms, c);
	if (c->state != CONN_LIVE || !belongs(n, c) || !may_go_on(n, c))
		return;
	rc = deliver(n, now_ms, c);
	if (rc) {
		fail(n, c, rc);
		return;
	}
	if (c->state == CONN_LIVE && !charge(n, now_ms, c))
		return;
	offer_batch(n, c);
	if (c->state != CONN_LIVE || !may_go_on(n, c) || vd_session_takes_only(c->session) || !vd_session_settled(c->session))
		return;
	moved = vd_session_stats(c->session)->sent + vd_session_stats(c->session)->received;
	if (!c->told || c->moved != moved || c->complete != vd_session_stats(c->session)->complete) {
		c->told = true;
		c->complete = vd_session_stats(c->session)->complete;
		c->moved = moved;
		wish(n, VD_WISH_SETTLED, c);
	}
	if (c->spare)
		end(n, c, VD_OK, VD_BYE_DONE);
}

int vd_node_feed(struct vd_node *n, uint64_t now_ms, uint32_t conn, struct vd_slice raw)
{
	struct conn *c = find_conn(n, conn);
	int rc;

	if (!c)
		return VD_ENOTFOUND;
	if (c->state == CONN_ENDING)
		return c->err ? c->err : VD_ECLOSED;
	if (c->holds)
		return VD_EAGAIN;
	rc = vd_channel_feed(c->channel, raw);
	if (c->session && raw.n)
		vd_session_heard(c->session, now_ms);
	/* What came before the fault is good. */
	advance(n, now_ms, c);
	if (rc && c->state != CONN_ENDING)
		fail(n, c, rc);
	return c->state == CONN_ENDING ? (c->err ? c->err : VD_ECLOSED) : VD_OK;
}

bool vd_node_wants_input(const struct vd_node *n, uint32_t conn)
{
	const struct conn *c = find_conn(n, conn);

	return c && c->state != CONN_ENDING && !c->holds;
}

const struct vd_declined_set *vd_node_apart(const struct vd_node *n, uint32_t conn)
{
	const struct conn *c = find_conn(n, conn);

	return c && c->session ? vd_session_apart(c->session) : NULL;
}

bool vd_node_wants_output(const struct vd_node *n, uint32_t conn)
{
	const struct conn *c = find_conn(n, conn);

	return c && (vd_channel_out(c->channel)->n || (c->state == CONN_LIVE && c->more));
}

int vd_node_drain(struct vd_node *n, uint64_t now_ms, uint32_t conn, size_t max, struct vd_buf *out)
{
	struct conn *c = find_conn(n, conn);
	struct vd_buf *queued, message = { 0 };
	size_t take_n;
	int rc = 1;

	if (!c)
		return VD_ENOTFOUND;
	queued = vd_channel_out(c->channel);
	if (c->state == CONN_LIVE)
		(void)belongs(n, c);
	while (rc > 0 && c->state == CONN_LIVE && queued->n < max) {
		uint8_t type;

		vd_buf_reset(&message);
		rc = vd_session_drain(c->session, now_ms, &type, &message);
		c->more = rc > 0;
		if (rc > 0)
			rc = vd_channel_send(c->channel, type, vd_buf_slice(&message)) ? VD_ENOMEM : 1;
	}
	vd_buf_deinit(&message);
	if (rc < 0)
		fail(n, c, rc);
	advance(n, now_ms, c);
	take_n = queued->n < max ? queued->n : max;
	vd_buf_put(out, queued->p, take_n);
	vd_buf_drop(queued, take_n);
	return vd_buf_check(out);
}

void vd_node_closed(struct vd_node *n, uint32_t conn)
{
	struct conn *c = find_conn(n, conn);
	size_t kept = n->wish_first;

	if (!c)
		return;
	if (c->session)
		remember(n, c);
	for (size_t i = n->wish_first; i < n->wish_count; i++)
		if (n->wishes[i].conn != conn)
			n->wishes[kept++] = n->wishes[i];
	n->wish_count = kept;
	for (size_t i = 0; i < n->conn_count; i++)
		if (n->conns[i] == c)
			n->conns[i] = n->conns[--n->conn_count];
	conn_free(c);
}

void vd_node_bye(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	struct conn *c = find_conn(n, conn);

	(void)now_ms;
	if (c)
		end(n, c, VD_OK, VD_BYE_DONE);
}

void vd_node_busy(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	struct conn *c = find_conn(n, conn);

	(void)now_ms;
	if (c)
		end(n, c, VD_EBUSY, VD_BYE_BUSY);
}

/* --- the store grew --- */

/* Sessions of the group push what is new; one with a device that has been removed ends. */
static void spread(struct vd_node *n, uint64_t now_ms, const struct speaks *s)
{
	for (size_t i = 0; i < n->conn_count; i++) {
		struct conn *c = n->conns[i];

		if (c->state != CONN_LIVE || c->speaks != s)
			continue;
		if (!belongs(n, c))
			continue;
		vd_session_grew(c->session, now_ms);
		c->more = true;
	}
}

int vd_node_grew(struct vd_node *n, uint64_t now_ms)
{
	for (size_t i = 0; i < n->group_count; i++) {
		int rc = vd_follow_store(&n->groups[i]->control, n->port);

		if (rc)
			return rc;
		spread(n, now_ms, n->groups[i]);
	}
	return VD_OK;
}

void vd_node_committed(struct vd_node *n, uint64_t now_ms, uint32_t conn, int rc)
{
	struct conn *c = find_conn(n, conn);

	if (!c || !c->committing)
		return;
	c->committing = false;
	if (!rc)
		rc = vd_follow_store(&c->speaks->control, n->port);
	rc = vd_session_committed(c->session, now_ms, rc);
	if (rc)
		fail(n, c, rc);
	c->more = true;
	spread(n, now_ms, c->speaks);
	offer_batch(n, c);
	advance(n, now_ms, c);
}

/* --- time --- */

static uint64_t deadline_of(const struct conn *c)
{
	uint64_t at;

	switch (c->state) {
	case CONN_SHAKING:
		return c->since_ms + VD_PROVE_MS;
	case CONN_LIVE:
		at = vd_session_deadline(c->session);
		return vd_session_takes_only(c->session) && c->since_ms + VD_TAKE_MS < at ? c->since_ms + VD_TAKE_MS : at;
	case CONN_ENDING:
		break;
	}
	return UINT64_MAX;
}

uint64_t vd_node_deadline(const struct vd_node *n)
{
	uint64_t at = UINT64_MAX;

	for (size_t i = 0; i < n->conn_count; i++) {
		uint64_t own = deadline_of(n->conns[i]);

		at = own < at ? own : at;
	}
	return at;
}

uint64_t vd_node_deadline_of(const struct vd_node *n, uint32_t conn)
{
	const struct conn *c = find_conn(n, conn);

	return c ? deadline_of(c) : UINT64_MAX;
}

static void tick(struct vd_node *n, uint64_t now_ms, struct conn *c)
{
	int rc = VD_OK;

	if (now_ms < deadline_of(c))
		return;
	if (c->state == CONN_LIVE && vd_session_takes_only(c->session) && now_ms >= c->since_ms + VD_TAKE_MS)
		rc = VD_ECLOSED;
	else if (c->state == CONN_LIVE)
		rc = vd_session_tick(c->session, now_ms);
	else if (c->state == CONN_SHAKING)
		rc = VD_ECLOSED;
	c->more = true;
	if (rc)
		fail(n, c, rc);
	else
		advance(n, now_ms, c);
}

void vd_node_tick_one(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	struct conn *c = find_conn(n, conn);

	if (c)
		tick(n, now_ms, c);
}

void vd_node_tick(struct vd_node *n, uint64_t now_ms)
{
	for (size_t i = 0; i < n->conn_count; i++)
		tick(n, now_ms, n->conns[i]);
}
