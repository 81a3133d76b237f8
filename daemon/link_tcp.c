#include "link_tcp.h"

#include <signal.h>
#include <sodium.h>
#include <string.h>

#include "heard.h"
#include "proto/err.h"
#include "tcp.h"

enum { CALLS_MAX = 8 }; /* of one sync */

struct visit {
	struct vd_store *store;
	struct vd_tcp *tcp;
	struct vd_node *node;
	struct vd_sync_result *result;
	uv_timer_t watch;
	uint64_t moved_bytes, moved_ms; /* the last sign of progress */
	bool ended, stalled;
	bool moved;              /* the last call did */
	int err;
};

static void on_commit(void *ctx, struct vd_link *link, struct vd_group *group, struct vd_batch *batch)
{
	struct visit *visit = ctx;
	struct vd_merge merge = {0};
	int rc = vd_store_commit(visit->store, group, batch, &merge);

	visit->result->over_share += merge.over_share;
	visit->result->later += merge.later;
	vd_tcp_committed(visit->tcp, link->conn, rc);
}

static void on_opened(void *ctx, struct vd_link *link)
{
	struct visit *visit = ctx;

	(void)link;
	visit->result->connected = true;
}

static void on_settled(void *ctx, struct vd_link *link)
{
	struct visit *visit = ctx;
	const struct vd_declined_set *apart = vd_node_apart(visit->node, link->conn);

	if (apart)
		visit->result->apart = *apart;
	vd_tcp_bye(visit->tcp, link);
}

static void on_say(void *ctx, struct vd_link *link, struct vd_group *group)
{
	struct visit *visit = ctx;
	struct vd_buf own = {0};

	vd_heard_say(visit->store, group, &own);
	vd_tcp_said(visit->tcp, link->conn, vd_buf_slice(&own));
	vd_buf_deinit(&own);
}

static void on_words(void *ctx, struct vd_link *link, struct vd_group *group, const uint8_t peer[VD_KEY_BYTES], struct vd_words *words)
{
	struct visit *visit = ctx;
	char text[VD_ADDRESS_TEXT];
	struct vd_route route;

	vd_address_text((const struct sockaddr *)&link->address, text);
	route = vd_route_link(text);
	vd_heard_words(visit->store, group, peer, words, &route);
}

static void on_closed(void *ctx, struct vd_link *link)
{
	struct visit *visit = ctx;

	visit->ended = true;
	visit->err = visit->stalled ? VD_ECLOSED : link->err;
	/* of all calls together */
	uint64_t sent = visit->result->stats.sent, received = visit->result->stats.received;
	char text[VD_ADDRESS_TEXT];
	struct vd_shown shown;

	vd_address_text((const struct sockaddr *)&link->address, text);
	shown = vd_shown_of(&link->stats, text, link->settled ? &visit->result->apart : NULL);
	visit->result->stats = link->stats;
	/* nothing depends on it: the next visit shows it again */
	if (link->proved && link->stats.control_through)
		(void)vd_heard_note(visit->store, vd_group_id(link->group), link->peer, &shown);
	visit->result->refused = visit->err == VD_EAUTHOR && link->refused;
	memcpy(visit->result->peer, link->peer, sizeof visit->result->peer);
	visit->result->stats.sent += sent;
	visit->result->stats.received += received;
	visit->result->bytes_in += link->bytes_in;
	visit->result->bytes_out += link->bytes_out;
	visit->moved = link->stats.sent + link->stats.received > 0;
	visit->result->complete = link->settled && link->stats.complete && !link->err;
	uv_close((uv_handle_t *)&visit->watch, NULL);
	vd_tcp_stop(visit->tcp);
}

/* The session knows who owes whom; this is for whatever it cannot see. */
static void on_watch(uv_timer_t *timer)
{
	struct visit *visit = timer->data;
	struct vd_link *link = vd_tcp_first(visit->tcp);
	uint64_t moved = link ? link->bytes_in + link->bytes_out : 0;

	if (moved != visit->moved_bytes) {
		visit->moved_bytes = moved;
		visit->moved_ms = vd_tcp_now();
	} else if (link && vd_tcp_now() - visit->moved_ms >= VD_STALL_MS + VD_PROVE_MS) {
		visit->stalled = true;
		vd_tcp_bye(visit->tcp, link);
	}
}

static int call_and_run(uv_loop_t *loop, struct visit *visit, struct vd_node *node, const char *host, uint16_t port,
                        const uint8_t *group)
{
	struct vd_tcp_events events = {visit, on_commit, on_opened, on_settled, on_closed, on_say, on_words};
	int rc;

	visit->ended = visit->moved = false;
	visit->err = 0;
	visit->node = node;
	visit->tcp = vd_tcp_new(loop, node, &events);
	if (!visit->tcp)
		return VD_ENOMEM;
	visit->moved_ms = vd_tcp_now();
	uv_timer_init(loop, &visit->watch);
	visit->watch.data = visit;
	uv_timer_start(&visit->watch, on_watch, 1000, 1000);
	rc = vd_tcp_call(visit->tcp, host, port, group, NULL);
	if (rc) {
		uv_close((uv_handle_t *)&visit->watch, NULL);
		vd_tcp_stop(visit->tcp);
	}
	uv_run(loop, UV_RUN_DEFAULT);
	vd_tcp_free(visit->tcp);
	return rc ? rc : visit->err;
}

int vd_sync_tcp(struct vd_store *store, struct vd_group *group, const char *host_port, struct vd_sync_result *result)
{
	struct visit visit = {.store = store, .result = result};
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	char host[VD_ADDRESS_HOST];
	uint8_t seed[VD_NODE_SEED_BYTES];
	struct vd_node *node = NULL;
	struct vd_port store_port;
	uv_loop_t loop;
	uint16_t port;
	uint64_t start_ms = vd_tcp_now();

	memset(result, 0, sizeof *result);
	int rc = vd_address_split(host_port, host, &port);
	if (!rc && !port)
		rc = VD_EINVAL;
	if (!rc && uv_loop_init(&loop))
		rc = VD_ENOMEM;
	if (rc)
		return rc;
	vd_store_port(store, &store_port);
	randombytes_buf(seed, sizeof seed);
	node = vd_node_new(&store_port, seed);
	sodium_memzero(seed, sizeof seed);
	rc = node ? vd_node_add_group(node, group) : VD_ENOMEM;
	/* a peer that hangs up while we write is an answer, not a reason to die */
	sigaction(SIGPIPE, &ignore, &before);
	/* An end that came to take no more of somebody ends the session, and says so in the next. */
	for (int calls = 0; !rc && calls < CALLS_MAX; calls++) {
		rc = call_and_run(&loop, &visit, node, host, port, vd_group_id(group));
		if (rc != VD_EBUSY || visit.stalled || !(visit.moved || result->stats.declines_more))
			break;
		if (calls + 1 < CALLS_MAX)
			rc = 0;
	}
	sigaction(SIGPIPE, &before, NULL);
	vd_node_free(node);
	uv_loop_close(&loop);
	result->elapsed_ms = vd_tcp_now() - start_ms;
	return rc;
}

const char *vd_tcp_engine(void)
{
	return uv_version_string();
}
