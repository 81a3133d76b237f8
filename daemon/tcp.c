#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "tcp_inside.h"

enum { BACKLOG = 128 };

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
	case UV_EPERM: return VD_EDENIED;
	default: return VD_ECLOSED;
	}
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
	if (link->outgoing && (link->one_epoch || link->older))
		rc = vd_node_call_back(tcp->node, now_ms, link->called_group, link->called_epoch, &link->conn);
	else if (link->outgoing)
		rc = vd_node_connect(tcp->node, now_ms, link->called_group, &link->conn);
	else
		rc = vd_node_accept(tcp->node, now_ms, &link->conn);
	if (rc) {
		vd_link_close(link, rc);
		return;
	}
	link->in_node = true;
}

/* In the node without need: its session is over, and a batch of its, if any, is durable. */
static bool is_leaving(const struct vd_link *link)
{
	return link->state > VD_LINK_OPEN && link->in_node && !link->committing;
}

/* Not one that only gives while what it gave is being stored: its batch is in the writer's hands. */
static bool is_unproved(const struct vd_link *link, const struct vd_link *but)
{
	return link != but && !link->outgoing && !link->proved && !link->committing && link->state != VD_LINK_CLOSED;
}

/* Unproved ones from where `from` comes, and the oldest of them. */
static size_t unproved_from(struct vd_tcp *tcp, const struct vd_link *from, const struct vd_link *but, struct vd_link **oldest)
{
	size_t n = 0;

	for (struct vd_link *link = tcp->links; link; link = link->next)
		if (is_unproved(link, but) &&
		    vd_address_same_holder((const struct sockaddr *)&link->address, (const struct sockaddr *)&from->address)) {
			n++;
			*oldest = link; /* the list is newest first */
		}
	return n;
}

/* The oldest unproved one from the address that holds the most of them. */
static struct vd_link *oldest_of_most(struct vd_tcp *tcp, const struct vd_link *but)
{
	struct vd_link *victim = NULL, *oldest = NULL;
	size_t most = 0;

	for (const struct vd_link *link = tcp->links; link; link = link->next) {
		size_t n = is_unproved(link, but) ? unproved_from(tcp, link, but, &oldest) : 0;

		if (n && n >= most) {
			most = n;
			victim = oldest;
		}
	}
	return victim;
}

/* Whoever sits on unproved connections displaces only himself, and late: an honest handshake takes three flights. Nobody
 * displaces a session before having proved more than an address. */
static void make_room(struct vd_tcp *tcp, const struct vd_link *newcomer)
{
	struct vd_link *oldest_same = NULL, *leaving = NULL, *victim = NULL;
	size_t unproved = 0, same = unproved_from(tcp, newcomer, newcomer, &oldest_same), all = 0;

	for (struct vd_link *link = tcp->links; link; link = link->next) {
		if (link == newcomer || link->outgoing)
			continue;
		all += link->in_node;
		/* rather one whose last words have gone out; the list is newest first */
		if (is_leaving(link) && (!leaving || link->state != VD_LINK_ENDING || leaving->state == VD_LINK_ENDING))
			leaving = link;
		unproved += is_unproved(link, newcomer);
	}
	if (same >= VD_TCP_UNPROVED_SAME)
		victim = oldest_same;
	else if (unproved >= VD_TCP_UNPROVED_IN)
		victim = oldest_of_most(tcp, newcomer);
	else if (all >= VD_TCP_IN_MAX)
		victim = leaving ? leaving : oldest_of_most(tcp, newcomer);
	if (victim)
		vd_link_drop(victim, VD_ECAP);
}

/* A call takes a place: is there one? */
static bool has_room(struct vd_tcp *tcp)
{
	size_t out = 0, all = 0;

	for (struct vd_link *link = tcp->links; link; link = link->next) {
		bool takes = link->in_node || link->state == VD_LINK_RESOLVING || link->state == VD_LINK_CONNECTING;

		all += takes;
		out += takes && link->outgoing;
	}
	if (all < VD_PEERS_MAX && out < VD_TCP_OUT_MAX)
		return true;
	struct vd_link *victim = vd_link_longest_settled(tcp, true, NULL);
	if (victim)
		vd_link_drop(victim, VD_EBUSY);
	return victim;
}

static void accept_one(struct vd_tcp *tcp, uv_stream_t *listener)
{
	struct vd_link *link = vd_link_new(tcp, false);
	struct sockaddr_storage from = {0};
	int n = sizeof from;

	if (!link)
		return;
	if (uv_tcp_init(tcp->loop, &link->uv)) {
		vd_link_close(link, VD_ENOMEM);
		return;
	}
	link->handle = true;
	link->state = VD_LINK_CONNECTING;
	if (uv_accept(listener, (uv_stream_t *)&link->uv) ||
	    uv_tcp_getpeername(&link->uv, (struct sockaddr *)&from, &n)) {
		vd_link_close(link, VD_ECLOSED);
		return;
	}
	vd_address_plain((const struct sockaddr *)&from, &link->address);
	make_room(tcp, link);
	if (tcp->stopping)
		vd_link_close(link, VD_ECLOSED);
	else
		link_up(link);
}

/* Until the one that has knocked is accepted libuv asks the system for no other. */
static void accept_in_turn(struct vd_tcp *tcp, size_t i)
{
	uint64_t began_us = vd_tcp_now_us();

	tcp->waiting[i] = !vd_tcp_may_accept(tcp);
	if (tcp->waiting[i])
		return;
	accept_one(tcp, (uv_stream_t *)&tcp->listeners[i]);
	vd_tcp_knocked(tcp, began_us);
	vd_tcp_pump(tcp);
}

void vd_tcp_accept_waiting(struct vd_tcp *tcp)
{
	for (size_t i = 0; i < tcp->listener_count; i++)
		if (tcp->waiting[i])
			accept_in_turn(tcp, i);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct vd_tcp *tcp = listener->data;

	if (status >= 0 && !tcp->stopping)
		accept_in_turn(tcp, (size_t)((uv_tcp_t *)listener - tcp->listeners));
	vd_tcp_arm(tcp);
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

static void on_connected(uv_connect_t *request, int status)
{
	struct vd_link *link = request->handle->data;

	if (link->state != VD_LINK_CONNECTING || uv_is_closing((uv_handle_t *)&link->uv))
		return;
	if (!status)
		link_up(link);
	else if (link->candidate)
		uv_close((uv_handle_t *)&link->uv, vd_link_handle_closed); /* which tries the next one */
	else
		vd_link_close(link, translate(status));
	vd_tcp_pump(link->tcp);
}

static void call_one(struct vd_link *link)
{
	int rc = uv_tcp_init(link->tcp->loop, &link->uv);

	link->state = VD_LINK_CONNECTING;
	if (rc) {
		vd_link_close(link, translate(rc));
		return;
	}
	link->handle = true;
	link->dialled_ms = vd_tcp_now();
	link->bytes_before = link->bytes_in;
	link->deadline_ms = link->dialled_ms + VD_TCP_CONNECT_MS;
	rc = uv_tcp_connect(&link->connect, &link->uv, (const struct sockaddr *)&link->address, on_connected);
	if (rc && link->candidate)
		uv_close((uv_handle_t *)&link->uv, vd_link_handle_closed);
	else if (rc)
		vd_link_close(link, translate(rc));
}

void vd_link_call_next(struct vd_link *link)
{
	struct addrinfo *candidate = link->candidate;

	link->candidate = candidate->ai_next;
	link->older = 0;
	vd_address_plain(candidate->ai_addr, &link->address);
	call_one(link);
}

void vd_link_call_again(struct vd_link *link)
{
	call_one(link);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct vd_link *link = request->data;
	struct vd_tcp *tcp = link->tcp;

	link->resolving = false;
	link->found = link->candidate = found;
	if (link->state == VD_LINK_RESOLVING) {
		if (status || !found)
			vd_link_close(link, status ? translate(status) : VD_EINVAL);
		else
			vd_link_call_next(link);
	}
	vd_tcp_pump(tcp);
}

static struct vd_link *call_new(struct vd_tcp *tcp, const uint8_t group[VD_GROUP_BYTES], void *owner)
{
	struct vd_link *link = vd_link_new(tcp, true);

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

	if (tcp->stopping || !has_room(tcp))
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

int vd_tcp_call_address(struct vd_tcp *tcp, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES], const uint8_t *epoch,
                        void *owner)
{
	if (tcp->stopping || !has_room(tcp))
		return VD_ECAP;
	struct vd_link *link = call_new(tcp, group, owner);
	if (!link)
		return VD_ENOMEM;
	memcpy(link->called_epoch, epoch, sizeof link->called_epoch);
	link->one_epoch = true;
	vd_address_plain(address, &link->address);
	call_one(link);
	vd_tcp_arm(tcp);
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
			vd_link_close(link, VD_ECLOSED);
		}
	}
	vd_tcp_pump(tcp);
	if (!tcp->count && !uv_is_closing((uv_handle_t *)&tcp->timer))
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
