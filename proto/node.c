#include "node.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "node_priv.h"

/* --- entropy --- */

void vd_node_draw(uint8_t ratchet[VD_NODE_SEED_BYTES], uint8_t *out, size_t out_n)
{
	static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
	uint8_t stream[VD_NODE_SEED_BYTES + VD_CHANNEL_SEED_BYTES];

	assert(out_n <= VD_CHANNEL_SEED_BYTES);
	crypto_stream_chacha20_ietf(stream, sizeof(stream), nonce, ratchet);
	memcpy(ratchet, stream, VD_NODE_SEED_BYTES);
	memcpy(out, stream + VD_NODE_SEED_BYTES, out_n);
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

static void conn_free(struct vd_conn *c)
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

static struct vd_speaks *find_group(const struct vd_node *n, const uint8_t *id)
{
	for (size_t i = 0; i < n->group_count; i++)
		if (memcmp(vd_group_id(n->groups[i]->group), id, VD_GROUP_BYTES) == 0)
			return n->groups[i];
	return NULL;
}

int vd_node_add_group(struct vd_node *n, struct vd_group *group)
{
	struct vd_speaks **more, *s;

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

static struct vd_conn *find_conn(const struct vd_node *n, uint32_t number)
{
	for (size_t i = 0; i < n->conn_count; i++)
		if (n->conns[i]->number == number)
			return n->conns[i];
	return NULL;
}

/* epoch: of a call back; prologue: of an answer, said before; NULL else. */
static int conn_new(struct vd_node *n, uint64_t now_ms, bool initiator, struct vd_group *const *groups, size_t count,
                    const uint8_t *epoch, const uint8_t *prologue, uint32_t *number)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	size_t half_open = 0;
	struct vd_conn *c;

	for (size_t i = 0; i < n->conn_count; i++)
		half_open += n->conns[i]->state == VD_CONN_SHAKING;
	if (n->conn_count == VD_PEERS_MAX || half_open >= VD_HALF_OPEN_MAX)
		return VD_ECAP;
	c = calloc(1, sizeof(*c));
	if (!c)
		return VD_ENOMEM;
	vd_node_draw(n->ratchet, seed, sizeof(seed));
	c->channel = epoch      ? vd_channel_call_back(groups[0], epoch, seed)
	             : prologue ? vd_channel_answer(groups, count, prologue, seed)
	                        : vd_channel_new(initiator, groups, count, seed);
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
	struct vd_speaks *s = find_group(n, group);

	return s ? conn_new(n, now_ms, true, &s->group, 1, NULL, NULL, conn) : VD_ENOTFOUND;
}

const uint8_t *vd_node_epoch(const struct vd_node *n, const uint8_t *group, size_t i)
{
	struct vd_speaks *s = find_group(n, group);

	return s ? vd_group_epoch_id(s->group, i) : NULL;
}

int vd_node_call_back(struct vd_node *n, uint64_t now_ms, const uint8_t *group, const uint8_t *epoch, uint32_t *conn)
{
	struct vd_speaks *s = find_group(n, group);
	size_t i = 0, count = s ? vd_group_epoch_count(s->group) : 0;

	if (!s)
		return VD_ENOTFOUND;
	while (i < count && memcmp(vd_group_epoch_id(s->group, i), epoch, VD_EPOCH_BYTES) != 0)
		i++;
	if (i == count)
		return VD_EKEY;
	return conn_new(n, now_ms, true, &s->group, 1, i ? epoch : NULL, NULL, conn);
}

int vd_node_accept(struct vd_node *n, uint64_t now_ms, uint32_t *conn)
{
	return vd_node_answer(n, now_ms, NULL, conn);
}

int vd_node_answer(struct vd_node *n, uint64_t now_ms, const uint8_t *prologue, uint32_t *conn)
{
	struct vd_group **groups = calloc(n->group_count + 1, sizeof(struct vd_group *));
	int rc;

	if (!groups)
		return VD_ENOMEM;
	for (size_t i = 0; i < n->group_count; i++)
		groups[i] = n->groups[i]->group;
	rc = conn_new(n, now_ms, false, groups, n->group_count, NULL, prologue, conn);
	free(groups);
	return rc;
}

/* --- wishes --- */

void vd_node_tell(struct vd_node *n, enum vd_wish_what what, struct vd_conn *c)
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

static void offer_batch(struct vd_node *n, struct vd_conn *c)
{
	if (!c->session || c->committing || !vd_session_batch(c->session))
		return;
	c->committing = true;
	vd_node_tell(n, VD_WISH_COMMIT, c);
}

/* What came of receipts, and whether our own is wanted. */
static void offer_words(struct vd_node *n, struct vd_conn *c)
{
	if (!c->words && vd_session_has_words(c->session)) {
		c->words = true;
		vd_node_tell(n, VD_WISH_WORDS, c);
	}
	if (c->state == VD_CONN_LIVE && !c->saying && vd_session_asks_word(c->session)) {
		c->saying = true;
		vd_node_tell(n, VD_WISH_SAY, c);
	}
}

void vd_node_end(struct vd_node *n, struct vd_conn *c, int err, int bye)
{
	uint8_t reason = (uint8_t)bye;

	if (c->state == VD_CONN_ENDING)
		return;
	if (c->state == VD_CONN_LIVE) {
		if (bye >= 0 && vd_channel_send(c->channel, VD_MSG_BYE, vd_slice(&reason, 1)))
			err = err ? err : VD_ENOMEM;
		if (!vd_session_flush(c->session))
			offer_batch(n, c);
	}
	if (c->session && c->state == VD_CONN_LIVE) {
		c->state = VD_CONN_ENDING;
		offer_words(n, c);
	}
	c->state = VD_CONN_ENDING;
	c->err = err;
	c->holds = false;
	vd_buf_deinit(&c->held);
	vd_node_tell(n, VD_WISH_CLOSED, c);
}

void vd_node_fail(struct vd_node *n, struct vd_conn *c, int err)
{
	vd_node_end(n, c, err, err == VD_EFORMAT || err == VD_ECAP ? VD_BYE_RULE : err == VD_EBUSY ? VD_BYE_BUSY : VD_BYE_SHUTDOWN);
}

bool vd_node_settled(const struct vd_node *n, uint32_t conn)
{
	const struct vd_conn *c = find_conn(n, conn);

	return c && c->state == VD_CONN_LIVE && !c->committing && vd_session_settled(c->session);
}

static void opened(struct vd_node *n, uint64_t now_ms, struct vd_conn *c)
{
	uint8_t seed[VD_SALT_BYTES];
	const struct vd_acquaintance *known;

	c->speaks = find_group(n, vd_group_id(vd_channel_group(c->channel)));
	memcpy(c->peer, vd_channel_peer(c->channel), sizeof(c->peer));
	vd_node_draw(n->ratchet, seed, sizeof(seed));
	c->session = vd_session_new(c->initiator, c->speaks->group, n->port, now_ms, seed);
	sodium_memzero(seed, sizeof(seed));
	if (!c->session) {
		vd_node_end(n, c, VD_ENOMEM, -1);
		return;
	}
	vd_session_meets(c->session, c->peer);
	known = vd_node_known(n, c);
	vd_session_recall(c->session, known ? &known->terms : NULL, &n->salted);
	if (known && known->refused_ms > now_ms + VD_REFUSED_AHEAD_MS / 2) {
		c->state = VD_CONN_LIVE;
		vd_node_end(n, c, VD_EBUSY, VD_BYE_BUSY);
		return;
	}
	if (!vd_channel_is_current(c->channel))
		vd_session_control_first(c->session);
	c->state = VD_CONN_LIVE;
	c->generation = vd_group_generation(c->speaks->group);
	c->more = true;
	c->opened = ++n->opened_count;
	if (vd_group_may_connect(c->speaks->group, c->peer))
		vd_node_tell(n, VD_WISH_OPENED, c);
	else
		vd_session_take_only(c->session);
	vd_node_pair(n, c);
}

/* --- messages --- */

static int take(struct vd_node *n, uint64_t now_ms, struct vd_conn *c, uint8_t type, struct vd_slice payload)
{
	int rc;

	if (type == VD_MSG_BYE) {
		if (payload.n != 1)
			return VD_EFORMAT;
		vd_node_end(n, c, payload.p[0] == VD_BYE_DONE ? VD_OK : payload.p[0] == VD_BYE_BUSY ? VD_EBUSY : VD_ECLOSED, -1);
		return VD_OK;
	}
	rc = vd_session_feed(c->session, now_ms, type, payload);
	c->more |= rc != VD_EAGAIN;
	return rc;
}

/* Gives the session what waits: first the message it could not take, then what the channel has. */
static int deliver(struct vd_node *n, uint64_t now_ms, struct vd_conn *c)
{
	while (c->state == VD_CONN_LIVE) {
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
static void advance(struct vd_node *n, uint64_t now_ms, struct vd_conn *c)
{
	const struct vd_session_stats *stats;
	uint64_t moved, shown;
	int rc;

	if (c->state == VD_CONN_SHAKING && vd_channel_state(c->channel) == VD_CHANNEL_OPEN)
		opened(n, now_ms, c);
	if (c->state != VD_CONN_LIVE || !vd_node_belongs(n, c) || !vd_node_may_go_on(n, c))
		return;
	rc = deliver(n, now_ms, c);
	if (rc) {
		vd_node_fail(n, c, rc);
		return;
	}
	if (c->state == VD_CONN_LIVE && !vd_node_charge(n, now_ms, c))
		return;
	offer_batch(n, c);
	if (c->state == VD_CONN_LIVE)
		offer_words(n, c);
	if (c->state != VD_CONN_LIVE || !vd_node_may_go_on(n, c) || vd_session_takes_only(c->session) || !vd_session_settled(c->session))
		return;
	stats = vd_session_stats(c->session);
	moved = stats->sent + stats->received;
	shown = stats->control_through;
	for (size_t l = 0; l < VD_LANES; l++)
		shown += stats->held.through[l];
	/* What was pushed is known to have arrived by the comparison after it. */
	if (!c->told || c->moved != moved || c->shown != shown || c->complete != stats->complete) {
		c->told = true;
		c->complete = stats->complete;
		c->moved = moved;
		c->shown = shown;
		vd_node_tell(n, VD_WISH_SETTLED, c);
	}
	if (c->spare)
		vd_node_end(n, c, VD_OK, VD_BYE_DONE);
}

int vd_node_feed(struct vd_node *n, uint64_t now_ms, uint32_t conn, struct vd_slice raw)
{
	struct vd_conn *c = find_conn(n, conn);
	int rc;

	if (!c)
		return VD_ENOTFOUND;
	if (c->state == VD_CONN_ENDING)
		return c->err ? c->err : VD_ECLOSED;
	if (c->holds)
		return VD_EAGAIN;
	rc = vd_channel_feed(c->channel, raw);
	if (c->session && raw.n)
		vd_session_heard(c->session, now_ms);
	/* What came before the fault is good. */
	advance(n, now_ms, c);
	if (rc && c->state != VD_CONN_ENDING)
		vd_node_fail(n, c, rc);
	return c->state == VD_CONN_ENDING ? (c->err ? c->err : VD_ECLOSED) : VD_OK;
}

bool vd_node_wants_input(const struct vd_node *n, uint32_t conn)
{
	const struct vd_conn *c = find_conn(n, conn);

	return c && c->state != VD_CONN_ENDING && !c->holds;
}

const struct vd_declined_set *vd_node_apart(const struct vd_node *n, uint32_t conn)
{
	const struct vd_conn *c = find_conn(n, conn);

	return c && c->session ? vd_session_apart(c->session) : NULL;
}

bool vd_node_wants_output(const struct vd_node *n, uint32_t conn)
{
	const struct vd_conn *c = find_conn(n, conn);

	return c && (vd_channel_out(c->channel)->n || (c->state == VD_CONN_LIVE && c->more));
}

int vd_node_drain(struct vd_node *n, uint64_t now_ms, uint32_t conn, size_t max, struct vd_buf *out)
{
	struct vd_conn *c = find_conn(n, conn);
	struct vd_buf *queued, message = { 0 };
	size_t take_n;
	int rc = 1;

	if (!c)
		return VD_ENOTFOUND;
	queued = vd_channel_out(c->channel);
	if (c->state == VD_CONN_LIVE)
		(void)vd_node_belongs(n, c);
	while (rc > 0 && c->state == VD_CONN_LIVE && queued->n < max) {
		uint8_t type;

		vd_buf_reset(&message);
		rc = vd_session_drain(c->session, now_ms, &type, &message);
		c->more = rc > 0;
		if (rc > 0)
			rc = vd_channel_send(c->channel, type, vd_buf_slice(&message)) ? VD_ENOMEM : 1;
	}
	vd_buf_deinit(&message);
	if (rc < 0)
		vd_node_fail(n, c, rc);
	advance(n, now_ms, c);
	take_n = queued->n < max ? queued->n : max;
	vd_buf_put(out, queued->p, take_n);
	vd_buf_drop(queued, take_n);
	return vd_buf_check(out);
}

void vd_node_closed(struct vd_node *n, uint32_t conn)
{
	struct vd_conn *c = find_conn(n, conn);
	size_t kept = n->wish_first;

	if (!c)
		return;
	if (c->session)
		vd_node_remember(n, c);
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
	struct vd_conn *c = find_conn(n, conn);

	(void)now_ms;
	if (c)
		vd_node_end(n, c, VD_OK, VD_BYE_DONE);
}

void vd_node_busy(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	struct vd_conn *c = find_conn(n, conn);

	(void)now_ms;
	if (c)
		vd_node_end(n, c, VD_EBUSY, VD_BYE_BUSY);
}

/* --- the store grew --- */

/* Sessions of the group push what is new; one with a device that has been removed ends. */
static void spread(struct vd_node *n, uint64_t now_ms, const struct vd_speaks *s)
{
	for (size_t i = 0; i < n->conn_count; i++) {
		struct vd_conn *c = n->conns[i];

		if (c->state != VD_CONN_LIVE || c->speaks != s)
			continue;
		if (!vd_node_belongs(n, c))
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
	struct vd_conn *c = find_conn(n, conn);

	if (!c || !c->committing)
		return;
	c->committing = false;
	if (!rc)
		rc = vd_follow_store(&c->speaks->control, n->port);
	rc = vd_session_committed(c->session, now_ms, rc);
	if (rc)
		vd_node_fail(n, c, rc);
	c->more = true;
	spread(n, now_ms, c->speaks);
	offer_batch(n, c);
	advance(n, now_ms, c);
}

bool vd_node_words(struct vd_node *n, uint32_t conn, struct vd_words *out)
{
	struct vd_conn *c = find_conn(n, conn);

	*out = (struct vd_words){ .own = { 0 } };
	if (!c || !c->session)
		return false;
	c->words = false;
	return vd_session_words(c->session, out);
}

void vd_node_said(struct vd_node *n, uint64_t now_ms, uint32_t conn, struct vd_slice receipt)
{
	struct vd_conn *c = find_conn(n, conn);

	if (!c || !c->saying)
		return;
	c->saying = false;
	vd_session_said(c->session, receipt);
	c->more = true;
	advance(n, now_ms, c);
}

/* --- time --- */

static uint64_t deadline_of(const struct vd_conn *c)
{
	uint64_t at;

	switch (c->state) {
	case VD_CONN_SHAKING:
		return c->since_ms + VD_PROVE_MS;
	case VD_CONN_LIVE:
		at = vd_session_deadline(c->session);
		return vd_session_takes_only(c->session) && c->since_ms + VD_TAKE_MS < at ? c->since_ms + VD_TAKE_MS : at;
	case VD_CONN_ENDING:
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
	const struct vd_conn *c = find_conn(n, conn);

	return c ? deadline_of(c) : UINT64_MAX;
}

static void tick(struct vd_node *n, uint64_t now_ms, struct vd_conn *c)
{
	int rc = VD_OK;

	if (now_ms < deadline_of(c))
		return;
	if (c->state == VD_CONN_LIVE && vd_session_takes_only(c->session) && now_ms >= c->since_ms + VD_TAKE_MS)
		rc = VD_ECLOSED;
	else if (c->state == VD_CONN_LIVE)
		rc = vd_session_tick(c->session, now_ms);
	else if (c->state == VD_CONN_SHAKING)
		rc = VD_ECLOSED;
	c->more = true;
	if (rc)
		vd_node_fail(n, c, rc);
	else
		advance(n, now_ms, c);
}

void vd_node_tick_one(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	struct vd_conn *c = find_conn(n, conn);

	if (c)
		tick(n, now_ms, c);
}

void vd_node_tick(struct vd_node *n, uint64_t now_ms)
{
	for (size_t i = 0; i < n->conn_count; i++)
		tick(n, now_ms, n->conns[i]);
}
