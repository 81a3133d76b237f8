#include "net.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

/* Control records that `from` holds. */
static void take_welcome(struct net *n, struct host *h, const struct host *from)
{
	struct vd_batch welcome = { 0 };

	h->group = vd_group_new(n->w.group, &n->w.writers[h->who].identity);
	if (!h->group)
		abort();
	memory_init(&h->m, h->group, n->w.salt);
	for (size_t i = 0; i < from->m.count; i++) {
		const struct memory_record *r = &from->m.records[i];

		if (r->lane == VD_LANE_CONTROL && vd_batch_add(&welcome, vd_slice(r->raw, r->raw_bytes)))
			abort();
	}
	if (vd_chain_verify(&welcome, h->group, NULL, NULL))
		abort();
	memory_commit(&h->m, &welcome);
	vd_batch_deinit(&welcome);
}

static void host_init(struct net *n, size_t who, const struct host *from)
{
	struct host *h = &n->hosts[n->host_count++];
	uint8_t seed[VD_NODE_SEED_BYTES];

	world_bytes(&n->w, seed, sizeof(seed));
	h->who = who;
	if (from) {
		take_welcome(n, h, from);
	} else {
		h->group = world_group(&n->w, who);
		world_memory(&n->w, &h->m, h->group);
	}
	h->node = vd_node_new(&h->m.port, seed);
	if (!h->node || vd_node_add_group(h->node, h->group))
		abort();
}

void net_init(struct net *n, uint64_t seed, size_t hosts)
{
	memset(n, 0, sizeof(*n));
	n->now_ms = 1000;
	n->commit_ms = 20;
	n->piece_bytes = 4000;
	world_init(&n->w, seed, hosts);
	for (size_t i = 0; i < hosts; i++)
		host_init(n, i, NULL);
}

/* Host 0 stores the last control records of the world. */
static void take_last(struct net *n, size_t count)
{
	struct vd_batch welcome = { 0 };

	for (size_t i = n->w.control.count - count; i < n->w.control.count; i++) {
		const struct vd_batch_entry *e = &n->w.control.entries[i];

		if (vd_batch_add(&welcome, vd_slice(n->w.control.bytes.p + e->at, e->record.raw.n)))
			abort();
	}
	net_import(n, 0, &welcome);
	vd_batch_deinit(&welcome);
}

void net_epoch(struct net *n)
{
	world_epoch(&n->w);
	take_last(n, 1);
}

void net_revoke(struct net *n, size_t host)
{
	world_revoke(&n->w, n->hosts[host].who);
	take_last(n, 1);
}

size_t net_newcomer(struct net *n)
{
	size_t who = world_newcomer(&n->w), count;
	struct vd_buf made = { 0 };

	world_grant(&n->w, who, &made, &count);
	vd_buf_deinit(&made);
	take_last(n, count);
	host_init(n, who, NULL);
	return n->host_count - 1;
}

size_t net_welcomed(struct net *n, size_t who, const struct host *from)
{
	host_init(n, who, from);
	return n->host_count - 1;
}

static void wire_free(struct wire *w)
{
	for (int e = 0; e < 2; e++) {
		if (w->live[e])
			vd_node_closed(w->end[e]->node, w->conn[e]);
		vd_buf_deinit(&w->to[e].bytes);
	}
	memset(w, 0, sizeof(*w));
}

void net_deinit(struct net *n)
{
	for (size_t i = 0; i < NET_WIRES_MAX; i++)
		if (n->wires[i].up)
			wire_free(&n->wires[i]);
	for (size_t i = 0; i < n->host_count; i++) {
		vd_node_free(n->hosts[i].node);
		memory_deinit(&n->hosts[i].m);
		vd_group_free(n->hosts[i].group);
	}
	world_deinit(&n->w);
}

static struct wire *join(struct net *n, size_t from, size_t to, uint64_t latency_ms, const uint8_t *epoch)
{
	struct wire *w = n->wires;
	int rc;

	while (w < n->wires + NET_WIRES_MAX && w->up)
		w++;
	if (w == n->wires + NET_WIRES_MAX)
		return NULL;
	memset(w, 0, sizeof(*w));
	w->end[0] = &n->hosts[from];
	w->end[1] = &n->hosts[to];
	w->latency_ms = latency_ms;
	rc = epoch ? vd_node_call_back(w->end[0]->node, n->now_ms, n->w.group, epoch, &w->conn[0])
	           : vd_node_connect(w->end[0]->node, n->now_ms, n->w.group, &w->conn[0]);
	if (rc)
		return NULL;
	w->live[0] = true;
	if (vd_node_accept(w->end[1]->node, n->now_ms, &w->conn[1])) {
		wire_free(w);
		return NULL;
	}
	w->live[1] = true;
	w->up = true;
	return w;
}

struct wire *net_connect(struct net *n, size_t from, size_t to, uint64_t latency_ms)
{
	return join(n, from, to, latency_ms, NULL);
}

struct wire *net_call_back(struct net *n, size_t from, size_t to, uint64_t latency_ms, const uint8_t *epoch)
{
	return join(n, from, to, latency_ms, epoch);
}

struct wire *net_call(struct net *n, size_t from, size_t to, uint64_t latency_ms)
{
	struct vd_group *a = n->hosts[from].group, *b = n->hosts[to].group;

	for (size_t i = 0; i < vd_group_epoch_count(a); i++)
		for (size_t k = 0; k < vd_group_epoch_count(b); k++)
			if (memcmp(vd_group_epoch_id(a, i), vd_group_epoch_id(b, k), VD_EPOCH_BYTES) == 0)
				return net_call_back(n, from, to, latency_ms, vd_group_epoch_id(a, i));
	return net_connect(n, from, to, latency_ms);
}

void net_cut(struct net *n, struct wire *w)
{
	(void)n;
	wire_free(w);
}

static struct wire *wire_of(struct net *n, const struct host *h, uint32_t conn, int *end)
{
	for (struct wire *w = n->wires; w < n->wires + NET_WIRES_MAX; w++)
		for (*end = 0; w->up && *end < 2; ++*end)
			if (w->live[*end] && w->end[*end] == h && w->conn[*end] == conn)
				return w;
	return NULL;
}

static void grant(struct net *n, struct host *h, const struct vd_wish *wish)
{
	int e;
	struct wire *w = wire_of(n, h, wish->conn, &e);

	if (!w && n->strangers) {
		n->strangers->wish(n->strangers->ctx, h, wish);
		return;
	}
	if (!w)
		abort();
	switch (wish->what) {
	case VD_WISH_COMMIT:
		w->batch[e] = wish->batch;
		w->batch_ms[e] = n->now_ms + world_random(&n->w, n->commit_ms + 1);
		break;
	case VD_WISH_OPENED:
		w->proved[e] = true;
		break;
	case VD_WISH_SETTLED:
		w->settled[e] = true;
		w->complete[e] = wish->stats.complete;
		w->stats[e] = wish->stats;
		h->settled++;
		break;
	case VD_WISH_SAY:
	case VD_WISH_WORDS:
		abort(); /* no store here keeps receipts */
	case VD_WISH_CLOSED:
		w->closing[e] = true;
		w->err[e] = wish->err;
		h->failed += wish->err != VD_OK;
		n->violations += !w->end[0]->forger && !w->end[1]->forger &&
		                 (wish->err == VD_EFORMAT || wish->err == VD_ECAP || wish->err == VD_ESIGNATURE || wish->err == VD_EINVAL);
		break;
	}
}

static bool move_commits(struct net *n, struct wire *w)
{
	bool moved = false;

	for (int e = 0; e < 2; e++) {
		if (!w->batch[e] || n->now_ms < w->batch_ms[e])
			continue;
		memory_commit(&w->end[e]->m, w->batch[e]);
		w->batch[e] = NULL;
		vd_node_committed(w->end[e]->node, n->now_ms, w->conn[e], VD_OK);
		moved = true;
	}
	return moved;
}

/* What end e has to say goes into the pipe to the other. */
static bool move_out(struct net *n, struct wire *w, int e)
{
	struct pipe *p = &w->to[!e];
	size_t before = p->bytes.n;

	if (!w->live[e] || p->bytes.n > 256 * 1024 || !vd_node_wants_output(w->end[e]->node, w->conn[e]))
		return false;
	if (vd_node_drain(w->end[e]->node, n->now_ms, w->conn[e], 32 * 1024, &p->bytes))
		abort();
	if (!before && p->bytes.n)
		p->at_ms = n->now_ms + w->latency_ms;
	w->bytes += p->bytes.n - before;
	return p->bytes.n > before;
}

static bool move_in(struct net *n, struct wire *w, int e)
{
	struct pipe *p = &w->to[e];
	size_t piece = 1 + (size_t)world_random(&n->w, n->piece_bytes);
	int rc;

	if (!p->bytes.n || n->now_ms < p->at_ms)
		return false;
	if (w->closing[e] || !w->live[e]) {
		vd_buf_reset(&p->bytes);
		return true;
	}
	if (!vd_node_wants_input(w->end[e]->node, w->conn[e]))
		return false;
	piece = piece < p->bytes.n ? piece : p->bytes.n;
	rc = vd_node_feed(w->end[e]->node, n->now_ms, w->conn[e], vd_slice(p->bytes.p, piece));
	if (rc == VD_EAGAIN)
		return true;
	w->turns[e]++;
	vd_buf_drop(&p->bytes, piece);
	if (w->bytes_per_s)
		p->at_ms = n->now_ms + piece * 1000 / w->bytes_per_s;
	return true;
}

/* An end that wished to close goes when its last words have left; the other hears it then. */
static bool part(struct net *n, struct wire *w)
{
	bool moved = false;

	for (int e = 0; e < 2; e++)
		if (w->live[e] && w->closing[e] && !w->batch[e] && !vd_node_wants_output(w->end[e]->node, w->conn[e]) &&
		    !w->to[!e].bytes.n) {
			vd_node_closed(w->end[e]->node, w->conn[e]);
			w->live[e] = false;
			moved = true;
		}
	for (int e = 0; e < 2; e++)
		if (w->live[e] && !w->live[!e] && !w->closing[e] && !w->to[e].bytes.n) {
			vd_node_bye(w->end[e]->node, n->now_ms, w->conn[e]);
			moved = true;
		}
	if (!w->live[0] && !w->live[1])
		wire_free(w);
	return moved;
}

/* Everything that can happen at this moment. */
static void settle_now(struct net *n)
{
	bool moved = true;

	while (moved) {
		struct vd_wish wish;

		moved = false;
		for (size_t i = 0; i < n->host_count; i++)
			while (vd_node_wish(n->hosts[i].node, &wish)) {
				grant(n, &n->hosts[i], &wish);
				moved = true;
			}
		for (struct wire *w = n->wires; w < n->wires + NET_WIRES_MAX; w++) {
			if (!w->up)
				continue;
			moved |= move_commits(n, w);
			for (int e = 0; e < 2; e++) {
				moved |= move_out(n, w, e);
				moved |= move_in(n, w, e);
			}
			moved |= !moved && part(n, w);
		}
		if (n->strangers)
			moved |= n->strangers->act(n->strangers->ctx);
	}
}

static uint64_t next_event(const struct net *n)
{
	uint64_t at = UINT64_MAX;

	for (size_t i = 0; i < n->host_count; i++) {
		uint64_t own = vd_node_deadline(n->hosts[i].node);

		at = own < at ? own : at;
	}
	for (const struct wire *w = n->wires; w < n->wires + NET_WIRES_MAX; w++)
		for (int e = 0; w->up && e < 2; e++) {
			if (w->batch[e] && w->batch_ms[e] < at)
				at = w->batch_ms[e];
			if (w->to[e].bytes.n && w->to[e].at_ms > n->now_ms && w->to[e].at_ms < at)
				at = w->to[e].at_ms;
		}
	return at;
}

void net_run(struct net *n, uint64_t ms)
{
	uint64_t end = n->now_ms + ms;

	settle_now(n);
	while (n->now_ms < end) {
		uint64_t at = next_event(n);

		n->now_ms = at <= n->now_ms ? n->now_ms + 1 : at < end ? at : end;
		for (size_t i = 0; i < n->host_count; i++)
			if (n->now_ms >= vd_node_deadline(n->hosts[i].node))
				vd_node_tick(n->hosts[i].node, n->now_ms);
		settle_now(n);
	}
}

bool net_run_session(struct net *n, struct wire *w, uint64_t ms)
{
	for (uint64_t spent = 0; spent < ms; spent += 50) {
		net_run(n, 50);
		if (!w->up || w->closing[0] || w->closing[1] || (w->settled[0] && w->settled[1]))
			return true;
		/* one end has given up: so does the visit */
		if (w->settled[0] && !w->complete[0])
			return true;
	}
	return false;
}

void net_bye(struct net *n, struct wire *w)
{
	if (w->up && w->live[0])
		vd_node_bye(w->end[0]->node, n->now_ms, w->conn[0]);
	for (int i = 0; i < 100 && w->up; i++)
		net_run(n, 50);
	if (w->up)
		wire_free(w);
}

struct vd_id net_write(struct net *n, size_t host, uint8_t lane, size_t bytes)
{
	struct host *h = &n->hosts[host];
	struct vd_id id = world_write_to(&n->w, h->who, lane, bytes, &h->m);

	if (vd_node_grew(h->node, n->now_ms))
		abort();
	return id;
}

void net_export(struct net *n, const struct host *h, size_t stubs, struct vd_batch *out)
{
	struct vd_buf raw = { 0 };

	for (uint64_t a = 1; a <= h->m.count; a++) {
		struct vd_record record;

		vd_buf_reset(&raw);
		if (h->m.port.read(h->m.port.ctx, a, &raw) || vd_record_decode(vd_buf_slice(&raw), &record))
			continue;
		if (stubs && record.lane != VD_LANE_CONTROL && world_random(&n->w, stubs) == 0)
			raw.n -= record.body.n;
		if (vd_batch_add(out, vd_buf_slice(&raw)))
			abort();
	}
	vd_buf_deinit(&raw);
}

void net_import(struct net *n, size_t host, const struct vd_batch *bundle)
{
	struct host *h = &n->hosts[host];
	const struct vd_chain_port chain = { h->m.port.ctx, h->m.port.vouched };
	struct vd_batch copy = { 0 };

	for (size_t i = 0; i < bundle->count; i++) {
		const struct vd_record *r = &bundle->entries[i].record;

		if (vd_batch_add(&copy, vd_slice(bundle->bytes.p + bundle->entries[i].at, r->raw.n)))
			abort();
	}
	if (vd_chain_verify(&copy, h->group, &chain, NULL))
		abort();
	memory_commit(&h->m, &copy);
	vd_batch_deinit(&copy);
	if (vd_node_grew(h->node, n->now_ms))
		abort();
}
