/* Whom a node's connections lead to: what it remembers of a device, whether that may go on, and what to do when one is there twice. */
#include <string.h>

#include "err.h"
#include "node_priv.h"

/* --- what is remembered --- */

struct vd_acquaintance *vd_node_known(struct vd_node *n, const struct vd_conn *c)
{
	for (size_t i = 0; i < VD_KNOWN_MAX; i++)
		if (n->known[i].speaks == c->speaks && memcmp(n->known[i].peer, c->peer, VD_KEY_BYTES) == 0)
			return &n->known[i];
	return NULL;
}

struct vd_acquaintance *vd_node_remember(struct vd_node *n, const struct vd_conn *c)
{
	struct vd_acquaintance *k = vd_node_known(n, c);

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

bool vd_node_charge(struct vd_node *n, uint64_t now_ms, struct vd_conn *c)
{
	uint64_t refused = vd_session_stats(c->session)->refused;
	struct vd_acquaintance *k;

	if (refused == c->refused)
		return true;
	k = vd_node_remember(n, c);
	k->refused_ms = (k->refused_ms > now_ms ? k->refused_ms : now_ms) + (refused - c->refused) * VD_REFUSED_COST_MS;
	c->refused = refused;
	if (k->refused_ms <= now_ms + VD_REFUSED_AHEAD_MS)
		return true;
	vd_node_fail(n, c, VD_EBUSY);
	return false;
}

/* --- may it go on? --- */

bool vd_node_belongs(struct vd_node *n, struct vd_conn *c)
{
	uint64_t generation = vd_group_generation(c->speaks->group);

	if (c->generation == generation)
		return true;
	c->generation = generation;
	if (vd_group_may_connect(c->speaks->group, c->peer)) {
		int rc = VD_OK;

		if (vd_session_takes_only(c->session)) {
			vd_node_tell(n, VD_WISH_OPENED, c);
			rc = vd_session_give_too(c->session);
			c->more = true;
		}
		if (rc)
			vd_node_fail(n, c, rc);
		return !rc;
	}
	if (vd_session_takes_only(c->session))
		return true;
	vd_node_end(n, c, VD_EAUTHOR, -1);
	return false;
}

bool vd_node_may_go_on(struct vd_node *n, struct vd_conn *c)
{
	uint64_t named = vd_session_named(c->session);
	struct vd_acquaintance *k;

	if (!vd_session_takes_only(c->session))
		return true;
	k = vd_node_known(n, c);
	if (!vd_session_has_taken(c->session)) {
		if (!named || !k || k->gave != named || vd_session_stats(c->session)->received)
			return true;
	} else if (!vd_session_stats(c->session)->refused) {
		k = vd_node_remember(n, c);
		k->gave = named;
	}
	vd_node_end(n, c, VD_EAUTHOR, -1);
	return false;
}

/* --- two sessions with one peer --- */

/* Both ends keep the one that the device with the lower key began. The other ends at once while the kept one is at work, which
 * spares sending everything twice; else when it has settled: somebody asked for it. */
static void settle_pair(struct vd_node *n, struct vd_conn *a, struct vd_conn *b)
{
	const struct vd_identity *own = vd_group_identity(a->speaks->group);
	int order = own ? memcmp(own->author, a->peer, VD_KEY_BYTES) : 0;
	struct vd_conn *kept, *spare;

	if (order == 0 || a->initiator == b->initiator)
		return;
	kept = a->initiator == (order < 0) ? a : b;
	spare = kept == a ? b : a;
	spare->spare = true;
	if (!vd_session_settled(kept->session))
		vd_node_end(n, spare, VD_EBUSY, VD_BYE_BUSY);
}

static bool same_pair(const struct vd_conn *a, const struct vd_conn *b)
{
	return a != b && a->state == VD_CONN_LIVE && b->state == VD_CONN_LIVE && a->speaks == b->speaks &&
	       memcmp(a->peer, b->peer, VD_KEY_BYTES) == 0;
}

/* Of those that one end began, the first and the newest stay: a device that has moved calls again before its old connection is
 * known to be dead, and a command may sync while the device's daemon does. What lies between ends, so that no device takes
 * more than two places. */
static void one_and_one(struct vd_node *n, struct vd_conn *newest)
{
	struct vd_conn *between = NULL;
	size_t others = 0;

	for (size_t i = 0; i < n->conn_count; i++) {
		struct vd_conn *c = n->conns[i];

		if (!same_pair(c, newest))
			continue;
		others++;
		if (!between || c->spare > between->spare || (c->spare == between->spare && c->opened > between->opened))
			between = c;
	}
	if (others > 1)
		vd_node_end(n, between, VD_EBUSY, VD_BYE_BUSY);
}

void vd_node_pair(struct vd_node *n, struct vd_conn *newest)
{
	one_and_one(n, newest);
	for (size_t i = 0; i < n->conn_count && newest->state == VD_CONN_LIVE; i++)
		if (same_pair(newest, n->conns[i]))
			settle_pair(n, newest, n->conns[i]);
}

bool vd_node_has_peer(const struct vd_node *n, const uint8_t *group, const uint8_t peer[VD_KEY_BYTES])
{
	for (size_t i = 0; i < n->conn_count; i++) {
		const struct vd_conn *c = n->conns[i];

		if (c->state == VD_CONN_LIVE && !vd_session_takes_only(c->session) &&
		    memcmp(vd_group_id(c->speaks->group), group, VD_GROUP_BYTES) == 0 &&
		    memcmp(c->peer, peer, VD_KEY_BYTES) == 0)
			return true;
	}
	return false;
}
