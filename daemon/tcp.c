#include "tcp.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

enum { TIMER_FLOOR_MS = 5, PROGRESS_CHECK_MS = 5000, BACKLOG = 32 };

struct vd_tcp {
	uv_loop_t *loop;
	struct vd_node *node;
	struct vd_tcp_events events;
	uv_tcp_t listeners[VD_TCP_LISTENERS_MAX];
	size_t listener_count;
	uv_timer_t timer;
	struct vd_link *links;
	size_t count;
	uint64_t numbers;
	bool stopping, pumping;
	char input[VD_TCP_READ_BYTES]; /* libuv fills it and hands it back at once: one is enough */
};

struct write {
	uv_write_t request;
	struct vd_buf bytes;
};

static void on_handle_closed(uv_handle_t *);

uint64_t vd_tcp_now(void)
{
	return uv_hrtime() / 1000000;
}

static int translate(int uv_error)
{
	switch (uv_error) {
	case UV_ENOMEM: return VD_ENOMEM;
	case UV_EADDRINUSE: return VD_EBUSY;
	case UV_EADDRNOTAVAIL:
	case UV_EAFNOSUPPORT:
	case UV_EINVAL:
	case UV_EAI_NONAME:
	case UV_EAI_NODATA: return VD_EINVAL;
	case UV_EMFILE:
	case UV_ENFILE: return VD_ECAP;
	case UV_EACCES:
	case UV_EPERM: return VD_EIO;
	default: return VD_ECLOSED;
	}
}

/* --- life of a link --- */

static struct vd_link *link_new(struct vd_tcp *tcp, bool outgoing)
{
	struct vd_link *link = calloc(1, sizeof *link);

	if (!link)
		return NULL;
	link->tcp = tcp;
	link->outgoing = outgoing;
	link->number = ++tcp->numbers;
	link->since_ms = vd_tcp_now();
	link->deadline_ms = UINT64_MAX;
	link->uv.data = link;
	link->next = tcp->links;
	tcp->links = link;
	tcp->count++;
	return link;
}

/* Gone for good once no callback and no running commit can come back to it. */
static void link_release(struct vd_link *link)
{
	struct vd_tcp *tcp = link->tcp;

	if (link->state != VD_LINK_CLOSED || link->handle || link->resolving || link->committing)
		return;
	if (link->in_node)
		vd_node_closed(tcp->node, link->conn);
	link->in_node = false;
	tcp->events.closed(tcp->events.ctx, link);

	struct vd_link **at = &tcp->links;
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	tcp->count--;
	uv_freeaddrinfo(link->found);
	vd_buf_wipe(&link->held);
	free(link);
	if (tcp->stopping && !tcp->count && !uv_is_closing((uv_handle_t *)&tcp->timer))
		uv_close((uv_handle_t *)&tcp->timer, NULL);
}

/* The socket goes now; `closed` is told from a callback. */
static void link_close(struct vd_link *link, int err)
{
	if (link->state == VD_LINK_CLOSED)
		return;
	if (link->state < VD_LINK_ENDING) /* else the session has its result */
		link->err = err;
	link->state = VD_LINK_CLOSED;
	link->deadline_ms = UINT64_MAX;
	if (link->handle && !uv_is_closing((uv_handle_t *)&link->uv))
		uv_close((uv_handle_t *)&link->uv, on_handle_closed);
}

static void link_end(struct vd_link *link, int err)
{
	if (link->state != VD_LINK_OPEN)
		return;
	link->err = err;
	link->state = VD_LINK_ENDING;
	link->deadline_ms = vd_tcp_now() + VD_TCP_END_MS;
	vd_buf_wipe(&link->held);
}

/* --- moving bytes --- */

static void on_input_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct vd_link *link = handle->data;

	(void)suggested;
	*out = uv_buf_init(link->tcp->input, sizeof link->tcp->input);
}

/* VD_EAGAIN keeps the bytes for later; what else goes wrong the node tells by a wish. */
static void link_feed(struct vd_link *link, struct vd_slice bytes)
{
	if (vd_node_feed(link->tcp->node, vd_tcp_now(), link->conn, bytes) != VD_EAGAIN)
		return;
	vd_buf_put_slice(&link->held, bytes);
	if (vd_buf_check(&link->held))
		link_close(link, VD_ENOMEM);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct vd_link *link = stream->data;

	if (n > 0) {
		link->bytes_in += (uint64_t)n;
		if (link->state == VD_LINK_OPEN)
			link_feed(link, vd_slice(buffer->base, (size_t)n));
	} else if (n < 0) {
		/* all they sent was fed before this: reading stops while anything is held */
		link->ended_by_them = true;
		uv_read_stop(stream);
		link->reading = false;
		if (n != UV_EOF || link->state == VD_LINK_OPEN || link->state == VD_LINK_PARTED)
			link_close(link, VD_ECLOSED);
	}
	vd_tcp_pump(link->tcp);
}

static void link_read_on(struct vd_link *link)
{
	bool wanted = link->state != VD_LINK_OPEN || (!link->held.n && vd_node_wants_input(link->tcp->node, link->conn));

	if (wanted == link->reading || link->ended_by_them)
		return;
	link->reading = wanted;
	if (!wanted)
		uv_read_stop((uv_stream_t *)&link->uv);
	else if (uv_read_start((uv_stream_t *)&link->uv, on_input_buffer, on_read))
		link_close(link, VD_EIO);
}

static void on_written(uv_write_t *request, int status)
{
	struct write *write = (struct write *)(void *)request;
	struct vd_link *link = request->handle->data;

	vd_buf_deinit(&write->bytes);
	free(write);
	link->progress_ms = vd_tcp_now();
	if (status < 0)
		link_close(link, VD_ECLOSED);
	vd_tcp_pump(link->tcp);
}

static void on_shut(uv_shutdown_t *request, int status)
{
	struct vd_link *link = request->handle->data;

	if (link->state == VD_LINK_PARTED && (status < 0 || link->ended_by_them))
		link_close(link, 0);
}

/* True when something left. */
static bool link_write(struct vd_link *link)
{
	uv_stream_t *stream = (uv_stream_t *)&link->uv;
	bool moved = false;

	while ((link->state == VD_LINK_OPEN || link->state == VD_LINK_ENDING) &&
	       uv_stream_get_write_queue_size(stream) < VD_TCP_QUEUE_BYTES &&
	       vd_node_wants_output(link->tcp->node, link->conn)) {
		struct write *write = calloc(1, sizeof *write);
		int rc = write ? vd_node_drain(link->tcp->node, vd_tcp_now(), link->conn, VD_TCP_WRITE_BYTES, &write->bytes)
		               : VD_ENOMEM;

		if (!rc)
			rc = vd_buf_check(&write->bytes);
		if (!rc && write->bytes.n) {
			uv_buf_t bytes = uv_buf_init((char *)write->bytes.p, (unsigned)write->bytes.n);

			if (!link->queued)
				link->progress_ms = vd_tcp_now();
			link->bytes_out += write->bytes.n;
			if (!uv_write(&write->request, stream, &bytes, 1, on_written)) {
				link->queued = uv_stream_get_write_queue_size(stream);
				moved = true;
				continue;
			}
			rc = VD_ECLOSED;
		}
		if (write)
			vd_buf_deinit(&write->bytes);
		free(write);
		if (rc && rc != VD_EAGAIN)
			link_close(link, rc);
		break;
	}
	return moved;
}

/* True when the node may have new wishes for it. */
static bool link_move(struct vd_link *link)
{
	bool moved = false;

	if (link->state == VD_LINK_OPEN && link->held.n && vd_node_wants_input(link->tcp->node, link->conn)) {
		struct vd_buf held = link->held;

		memset(&link->held, 0, sizeof link->held);
		link_feed(link, vd_buf_slice(&held));
		moved = !link->held.n;
		vd_buf_wipe(&held);
	}
	if (link->state == VD_LINK_OPEN || link->state == VD_LINK_ENDING) {
		moved |= link_write(link);
		link_read_on(link);
	}
	if (link->state == VD_LINK_ENDING && !vd_node_wants_output(link->tcp->node, link->conn) &&
	    !uv_stream_get_write_queue_size((uv_stream_t *)&link->uv)) {
		/* no close yet: with their bytes unread it would become a reset, and take our last words with it */
		link->state = VD_LINK_PARTED;
		if (uv_shutdown(&link->shutdown, (uv_stream_t *)&link->uv, on_shut))
			link_close(link, 0);
	}
	return moved;
}

/* --- the node's wishes --- */

static struct vd_link *link_of(struct vd_tcp *tcp, uint32_t conn)
{
	struct vd_link *link = tcp->links;

	while (link && !(link->in_node && link->conn == conn))
		link = link->next;
	return link;
}

static void grant(struct vd_tcp *tcp, const struct vd_wish *wish)
{
	struct vd_link *link = link_of(tcp, wish->conn);

	if (!link)
		return;
	switch (wish->what) {
	case VD_WISH_COMMIT:
		/* also for a link that is gone by now: what came is good */
		link->committing = true;
		tcp->events.commit(tcp->events.ctx, link, wish->group, wish->batch);
		break;
	case VD_WISH_OPENED:
		link->proved = true;
		link->group = wish->group;
		memcpy(link->peer, wish->peer, sizeof link->peer);
		link->since_ms = vd_tcp_now();
		tcp->events.opened(tcp->events.ctx, link);
		break;
	case VD_WISH_SETTLED:
		link->settled = true;
		link->stats = wish->stats;
		tcp->events.settled(tcp->events.ctx, link);
		break;
	case VD_WISH_CLOSED:
		if (link->proved)
			link->stats = wish->stats;
		link_end(link, wish->err);
		break;
	}
}

static void arm(struct vd_tcp *tcp);

void vd_tcp_pump(struct vd_tcp *tcp)
{
	if (tcp->pumping)
		return;
	tcp->pumping = true;
	for (bool again = true; again;) {
		struct vd_wish wish;

		again = false;
		while (vd_node_wish(tcp->node, &wish))
			grant(tcp, &wish);
		for (struct vd_link *link = tcp->links; link; link = link->next)
			again |= link_move(link);
	}
	tcp->pumping = false;
	arm(tcp);
}

void vd_tcp_committed(struct vd_tcp *tcp, uint32_t conn, int rc)
{
	struct vd_link *link = link_of(tcp, conn);

	if (!link)
		return;
	link->committing = false;
	vd_node_committed(tcp->node, vd_tcp_now(), conn, rc);
	link_release(link);
	vd_tcp_pump(tcp);
}

void vd_tcp_bye(struct vd_tcp *tcp, struct vd_link *link)
{
	if (link->state == VD_LINK_OPEN)
		vd_node_bye(tcp->node, vd_tcp_now(), link->conn);
	else if (!link->in_node)
		link_close(link, VD_ECLOSED);
	vd_tcp_pump(tcp);
}

/* --- time --- */

static void sweep(struct vd_link *link, uint64_t now_ms)
{
	if (now_ms >= link->deadline_ms) {
		link->deadline_ms = UINT64_MAX;
		if (link->state == VD_LINK_CONNECTING && link->candidate)
			uv_close((uv_handle_t *)&link->uv, on_handle_closed); /* which tries the next address */
		else
			link_close(link, VD_ECLOSED); /* nobody there, or a farewell that nobody answers */
	}
	if (link->state != VD_LINK_OPEN)
		return;
	size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&link->uv);
	if (queued < link->queued)
		link->progress_ms = now_ms;
	link->queued = queued;
	if (queued && now_ms - link->progress_ms >= VD_STALL_MS)
		link_close(link, VD_ECLOSED);
}

static void on_timer(uv_timer_t *timer)
{
	struct vd_tcp *tcp = timer->data;
	uint64_t now_ms = vd_tcp_now();

	if (now_ms >= vd_node_deadline(tcp->node))
		vd_node_tick(tcp->node, now_ms);
	for (struct vd_link *link = tcp->links; link; link = link->next)
		sweep(link, now_ms);
	vd_tcp_pump(tcp);
}

static void arm(struct vd_tcp *tcp)
{
	uint64_t now_ms = vd_tcp_now(), next = vd_node_deadline(tcp->node);

	for (struct vd_link *link = tcp->links; link; link = link->next) {
		if (link->deadline_ms < next)
			next = link->deadline_ms;
		if (link->queued && now_ms + PROGRESS_CHECK_MS < next)
			next = now_ms + PROGRESS_CHECK_MS;
	}
	if (uv_is_closing((uv_handle_t *)&tcp->timer))
		return;
	if (next == UINT64_MAX) {
		uv_timer_stop(&tcp->timer);
		return;
	}
	uint64_t wait_ms = next > now_ms ? next - now_ms : 0;
	uv_timer_start(&tcp->timer, on_timer, wait_ms < TIMER_FLOOR_MS ? TIMER_FLOOR_MS : wait_ms, 0);
}

/* --- coming up --- */

static void socket_options(struct vd_link *link)
{
	int fd, idle_s = 30, interval_s = 10, count = 3, unsent = VD_TCP_UNSENT_BYTES;
	unsigned unanswered_ms = VD_STALL_MS;

	uv_tcp_nodelay(&link->uv, 1);
	uv_tcp_keepalive(&link->uv, 1, (unsigned)idle_s);
	if (uv_fileno((uv_handle_t *)&link->uv, &fd))
		return;
	/* a peer that vanished without a word is noticed within a minute, idle or not; where an option is unknown it is later */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

static void link_up(struct vd_link *link)
{
	struct vd_tcp *tcp = link->tcp;
	uint64_t now_ms = vd_tcp_now();
	int rc;

	socket_options(link);
	link->deadline_ms = UINT64_MAX;
	link->state = VD_LINK_OPEN;
	if (link->outgoing)
		rc = vd_node_connect(tcp->node, now_ms, link->called_group, &link->conn);
	else
		rc = vd_node_accept(tcp->node, now_ms, &link->conn);
	if (rc) {
		link_close(link, rc);
		return;
	}
	link->in_node = true;
}

/* Whoever sits on unproved connections displaces only himself, and late: an honest handshake takes three flights. */
static void make_room(struct vd_tcp *tcp, const struct vd_link *newcomer)
{
	struct vd_link *oldest = NULL, *oldest_same = NULL;
	size_t all = 0, same = 0;

	for (struct vd_link *link = tcp->links; link; link = link->next) {
		if (link == newcomer || link->outgoing || link->proved || link->state == VD_LINK_CLOSED)
			continue;
		all++;
		oldest = link; /* the list is newest first */
		if (vd_address_same((const struct sockaddr *)&link->address, (const struct sockaddr *)&newcomer->address, false)) {
			same++;
			oldest_same = link;
		}
	}
	struct vd_link *victim = same >= VD_TCP_UNPROVED_SAME ? oldest_same : all >= VD_TCP_UNPROVED_IN ? oldest : NULL;
	if (!victim)
		return;
	link_close(victim, VD_ECAP);
	if (victim->in_node)
		vd_node_closed(tcp->node, victim->conn);
	victim->in_node = false;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct vd_tcp *tcp = listener->data;
	struct vd_link *link = status < 0 ? NULL : link_new(tcp, false);
	struct sockaddr_storage from = {0};
	int n = sizeof from;

	if (!link)
		return;
	if (uv_tcp_init(tcp->loop, &link->uv)) {
		link_close(link, VD_ENOMEM);
		link_release(link);
		return;
	}
	link->handle = true;
	link->state = VD_LINK_CONNECTING;
	if (uv_accept(listener, (uv_stream_t *)&link->uv) ||
	    uv_tcp_getpeername(&link->uv, (struct sockaddr *)&from, &n)) {
		link_close(link, VD_ECLOSED);
		return;
	}
	vd_address_plain((const struct sockaddr *)&from, &link->address);
	make_room(tcp, link);
	if (tcp->stopping)
		link_close(link, VD_ECLOSED);
	else
		link_up(link);
	vd_tcp_pump(tcp);
}

int vd_tcp_listen(struct vd_tcp *tcp, const struct sockaddr *address, bool dual, struct sockaddr_storage *bound)
{
	int n = sizeof *bound;

	if (tcp->listener_count == VD_TCP_LISTENERS_MAX)
		return VD_ECAP;
	uv_tcp_t *listener = &tcp->listeners[tcp->listener_count];
	int rc = uv_tcp_init(tcp->loop, listener);
	if (rc)
		return translate(rc);
	listener->data = tcp;
	tcp->listener_count++; /* from here vd_tcp_stop closes it */

	bool only6 = address->sa_family == AF_INET6 && !dual;
	rc = uv_tcp_bind(listener, address, only6 ? UV_TCP_IPV6ONLY : 0);
	if (!rc)
		rc = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
	if (!rc)
		rc = uv_tcp_getsockname(listener, (struct sockaddr *)bound, &n);
	return rc ? translate(rc) : 0;
}

/* --- calling --- */

static void call_next(struct vd_link *link);

static void on_connected(uv_connect_t *request, int status)
{
	struct vd_link *link = request->handle->data;

	if (link->state != VD_LINK_CONNECTING || uv_is_closing((uv_handle_t *)&link->uv))
		return;
	if (!status)
		link_up(link);
	else if (link->candidate)
		uv_close((uv_handle_t *)&link->uv, on_handle_closed); /* which tries the next one */
	else
		link_close(link, translate(status));
	vd_tcp_pump(link->tcp);
}

static void call_one(struct vd_link *link)
{
	int rc = uv_tcp_init(link->tcp->loop, &link->uv);

	link->state = VD_LINK_CONNECTING;
	if (rc) {
		link_close(link, translate(rc));
		return;
	}
	link->handle = true;
	link->deadline_ms = vd_tcp_now() + VD_TCP_CONNECT_MS;
	rc = uv_tcp_connect(&link->connect, &link->uv, (const struct sockaddr *)&link->address, on_connected);
	if (rc && link->candidate)
		uv_close((uv_handle_t *)&link->uv, on_handle_closed);
	else if (rc)
		link_close(link, translate(rc));
}

static void call_next(struct vd_link *link)
{
	struct addrinfo *candidate = link->candidate;

	link->candidate = candidate->ai_next;
	vd_address_plain(candidate->ai_addr, &link->address);
	call_one(link);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct vd_link *link = handle->data;
	struct vd_tcp *tcp = link->tcp;

	link->handle = false;
	if (link->state == VD_LINK_CONNECTING)
		call_next(link);
	link_release(link);
	vd_tcp_pump(tcp);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct vd_link *link = request->data;
	struct vd_tcp *tcp = link->tcp;

	link->resolving = false;
	link->found = link->candidate = found;
	if (link->state == VD_LINK_RESOLVING) {
		if (status || !found)
			link_close(link, status ? translate(status) : VD_EINVAL);
		else
			call_next(link);
	}
	link_release(link);
	vd_tcp_pump(tcp);
}

static struct vd_link *call_new(struct vd_tcp *tcp, const uint8_t group[VD_GROUP_BYTES], void *owner)
{
	struct vd_link *link = link_new(tcp, true);

	if (!link)
		return NULL;
	memcpy(link->called_group, group, VD_GROUP_BYTES);
	link->owner = owner;
	return link;
}

int vd_tcp_call(struct vd_tcp *tcp, const char *host, uint16_t port, const uint8_t group[VD_GROUP_BYTES], void *owner)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char service[8];

	if (tcp->stopping || tcp->count >= VD_PEERS_MAX)
		return VD_ECAP;
	struct vd_link *link = call_new(tcp, group, owner);
	if (!link)
		return VD_ENOMEM;
	snprintf(service, sizeof service, "%u", port);
	link->state = VD_LINK_RESOLVING;
	link->resolving = true;
	link->resolve.data = link;
	int rc = uv_getaddrinfo(tcp->loop, &link->resolve, on_resolved, host, service, &hints);
	if (!rc)
		return 0;
	/* a link nobody was told of: it leaves without a word */
	tcp->links = link->next;
	tcp->count--;
	free(link);
	return translate(rc);
}

int vd_tcp_call_address(struct vd_tcp *tcp, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES], void *owner)
{
	if (tcp->stopping || tcp->count >= VD_PEERS_MAX)
		return VD_ECAP;
	struct vd_link *link = call_new(tcp, group, owner);
	if (!link)
		return VD_ENOMEM;
	vd_address_plain(address, &link->address);
	call_one(link);
	arm(tcp);
	return 0;
}

/* --- the whole --- */

struct vd_tcp *vd_tcp_new(uv_loop_t *loop, struct vd_node *node, const struct vd_tcp_events *events)
{
	struct vd_tcp *tcp = calloc(1, sizeof *tcp);

	if (!tcp)
		return NULL;
	tcp->loop = loop;
	tcp->node = node;
	tcp->events = *events;
	uv_timer_init(loop, &tcp->timer);
	tcp->timer.data = tcp;
	return tcp;
}

void vd_tcp_stop(struct vd_tcp *tcp)
{
	if (tcp->stopping)
		return;
	tcp->stopping = true;
	for (size_t i = 0; i < tcp->listener_count; i++)
		uv_close((uv_handle_t *)&tcp->listeners[i], NULL);
	for (struct vd_link *link = tcp->links; link; link = link->next) {
		if (link->state == VD_LINK_OPEN) {
			vd_node_bye(tcp->node, vd_tcp_now(), link->conn);
			link->deadline_ms = vd_tcp_now() + VD_TCP_END_MS;
		} else if (link->state == VD_LINK_CONNECTING || link->state == VD_LINK_RESOLVING) {
			if (link->resolving)
				uv_cancel((uv_req_t *)&link->resolve);
			link_close(link, VD_ECLOSED);
		}
	}
	vd_tcp_pump(tcp);
	if (!tcp->count)
		uv_close((uv_handle_t *)&tcp->timer, NULL);
}

size_t vd_tcp_count(const struct vd_tcp *tcp)
{
	return tcp->count;
}

struct vd_link *vd_tcp_first(struct vd_tcp *tcp)
{
	return tcp->links;
}

void vd_tcp_free(struct vd_tcp *tcp)
{
	free(tcp);
}
