#include "discover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "log.h"
#include "proto/err.h"

enum { NONCE_BYTES = 16, NONCES = 64, BURST = 3, BURST_MS = 500, SOON_MS = 50, SOON_SPREAD_MS = 200, CONTROL_BYTES = 64 };

/* Of one interface and family. Lives on its own: the interface may lose it and get another. */
struct ear {
	uv_poll_t poll;
	struct vd_discover *discover;
	int fd, family;
	unsigned index;
};

struct interface {
	char name[IF_NAMESIZE];
	unsigned index;              /* 0: not there */
	struct ear *ear[2];          /* IPv4, IPv6 */
	struct sockaddr_storage address[VD_DISCOVER_ADDRESSES];
	size_t address_count;
	bool complained;
};

struct vd_discover {
	uv_loop_t *loop;
	struct vd_discover_events events;
	struct interface *interfaces;
	size_t interface_count;
	uv_timer_t timer;
	uint64_t beacon_ms, scan_ms, answered_ms; /* due; due; last */
	unsigned burst;              /* quick ones left */
	uint64_t wait_ms;
	uint64_t second_ms;          /* the work that packets make is counted from here */
	size_t macs;
	uint8_t nonces[NONCES][NONCE_BYTES]; /* our own, and those heard: a device with several addresses is one */
	size_t nonce_next;
	uint8_t link[VD_DISCOVER_KEYS_MAX][VD_KEY_BYTES];
	uint8_t group[VD_DISCOVER_KEYS_MAX][VD_GROUP_BYTES];
	uint8_t epoch[VD_DISCOVER_KEYS_MAX][VD_EPOCH_BYTES];
	size_t key_count, current_count;
};

/* --- sockets --- */

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value);
}

static int open4(int fd, unsigned index)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(VD_BEACON_PORT)};
	struct ip_mreqn group = {.imr_ifindex = (int)index};

	inet_pton(AF_INET, VD_BEACON_GROUP4, &at.sin_addr);
	group.imr_multiaddr = at.sin_addr;
	/* bound to the multicast address: nothing sent to us alone is ever read */
	return set_int(fd, IPPROTO_IP, IP_MULTICAST_TTL, 1) || set_int(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1) ||
	       set_int(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) || set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) ||
	       setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &group, sizeof group) ||
	       bind(fd, (const struct sockaddr *)&at, sizeof at) ||
	       setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group);
}

static int open6(int fd, unsigned index)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_port = htons(VD_BEACON_PORT), .sin6_scope_id = index};
	struct ipv6_mreq group = {.ipv6mr_interface = index};

	inet_pton(AF_INET6, VD_BEACON_GROUP6, &at.sin6_addr);
	group.ipv6mr_multiaddr = at.sin6_addr;
	return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) || set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) ||
	       set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1) || set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	       set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, (int)index) ||
	       bind(fd, (const struct sockaddr *)&at, sizeof at) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group, sizeof group);
}

static void on_packets(uv_poll_t *, int status, int events);

static void on_ear_closed(uv_handle_t *handle)
{
	struct ear *ear = handle->data;

	close(ear->fd);
	free(ear);
}

static struct ear *ear_open(struct vd_discover *discover, const struct interface *interface, int family)
{
	struct ear *ear = calloc(1, sizeof *ear);

	if (!ear)
		return NULL;
	ear->discover = discover;
	ear->family = family;
	ear->index = interface->index;
	ear->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ear->fd < 0)
		goto fail;
	set_int(ear->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	set_int(ear->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	/* a second wall where the system allows it; the interface's number on every packet, out and in, is the first */
	(void)setsockopt(ear->fd, SOL_SOCKET, SO_BINDTODEVICE, interface->name, (socklen_t)strlen(interface->name));
	if (family == AF_INET ? open4(ear->fd, ear->index) : open6(ear->fd, ear->index))
		goto fail;
	if (uv_poll_init(discover->loop, &ear->poll, ear->fd))
		goto fail;
	ear->poll.data = ear;
	if (!uv_poll_start(&ear->poll, UV_READABLE, on_packets))
		return ear;
	uv_close((uv_handle_t *)&ear->poll, on_ear_closed);
	return NULL;
fail:
	if (ear->fd >= 0)
		close(ear->fd);
	free(ear);
	return NULL;
}

static void ears_close(struct interface *interface)
{
	for (int i = 0; i < 2; i++) {
		if (interface->ear[i])
			uv_close((uv_handle_t *)&interface->ear[i]->poll, on_ear_closed);
		interface->ear[i] = NULL;
	}
}

/* --- hearing --- */

static bool nonce_seen(const struct vd_discover *discover, const uint8_t *nonce)
{
	for (size_t i = 0; i < NONCES; i++)
		if (!memcmp(discover->nonces[i], nonce, NONCE_BYTES))
			return true;
	return false;
}

static void nonce_remember(struct vd_discover *discover, const uint8_t *nonce)
{
	memcpy(discover->nonces[discover->nonce_next], nonce, NONCE_BYTES);
	discover->nonce_next = (discover->nonce_next + 1) % NONCES;
}

static struct vd_slice address_bytes(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return vd_slice(&((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	return vd_slice(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
}

/* The interface it came in by; 0 when the system does not say. */
static unsigned arrival_index(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			return (unsigned)info.ipi_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof info);
			return (unsigned)info.ipi6_ifindex;
		}
	}
	return 0;
}

static bool may_look(struct vd_discover *discover)
{
	uint64_t now_ms = uv_now(discover->loop);

	if (now_ms - discover->second_ms >= 1000) {
		discover->second_ms = now_ms;
		discover->macs = 0;
	}
	discover->macs += discover->key_count;
	return discover->macs <= VD_DISCOVER_MACS;
}

static void hear(struct vd_discover *discover, struct vd_slice packet, struct sockaddr_storage *from)
{
	uint16_t port;
	size_t index;

	if (packet.n != VD_BEACON_BYTES || nonce_seen(discover, packet.p) || !may_look(discover))
		return;
	if (vd_beacon_match(packet, (const uint8_t (*)[VD_KEY_BYTES])discover->link, discover->key_count, address_bytes(from),
	                    &port, &index) ||
	    !port)
		return;
	nonce_remember(discover, packet.p);
	vd_address_set_port(from, port);
	discover->events.heard(discover->events.ctx, (const struct sockaddr *)from, discover->group[index], discover->epoch[index]);
}

static void on_packets(uv_poll_t *poll, int status, int events)
{
	struct ear *ear = poll->data;

	(void)events;
	if (status < 0)
		return;
	for (int turns = 0; turns < 32; turns++) {
		uint8_t packet[VD_BEACON_BYTES + 1];
		struct sockaddr_storage from = {0};
		_Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES];
		struct iovec bytes = {packet, sizeof packet};
		struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &bytes, .msg_iovlen = 1,
		                         .msg_control = control, .msg_controllen = sizeof control};
		ssize_t n = recvmsg(ear->fd, &message, 0);

		if (n < 0)
			return;
		if (arrival_index(&message) == ear->index && (int)from.ss_family == ear->family)
			hear(ear->discover, vd_slice(packet, (size_t)n), &from);
	}
}

/* --- sending --- */

static int send_from(const struct ear *ear, const struct sockaddr_storage *source, const uint8_t beacon[VD_BEACON_BYTES])
{
	struct sockaddr_storage to = {0};
	struct iovec bytes = {(void *)(uintptr_t)beacon, VD_BEACON_BYTES};
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_BYTES] = {0};
	struct msghdr message = {.msg_name = &to, .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control};
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;

	to.ss_family = source->ss_family;
	vd_address_set_port(&to, VD_BEACON_PORT);
	message.msg_namelen = vd_address_length((const struct sockaddr *)&to);
	if (source->ss_family == AF_INET) {
		struct in_pktinfo info = {.ipi_ifindex = (int)ear->index};

		inet_pton(AF_INET, VD_BEACON_GROUP4, &((struct sockaddr_in *)(void *)&to)->sin_addr);
		memcpy(&info.ipi_spec_dst, address_bytes(source).p, 4);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		message.msg_controllen = CMSG_SPACE(sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = ear->index};
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)(void *)&to;

		inet_pton(AF_INET6, VD_BEACON_GROUP6, &six->sin6_addr);
		six->sin6_scope_id = ear->index;
		memcpy(&info.ipi6_addr, address_bytes(source).p, 16);
		*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
		memcpy(CMSG_DATA(c), &info, sizeof info);
		message.msg_controllen = CMSG_SPACE(sizeof info);
	}
	return sendmsg(ear->fd, &message, MSG_NOSIGNAL) == VD_BEACON_BYTES ? 0 : -1;
}

/* The groups of this beacon: all, or as many as it has room for, beginning with another one each time. */
static size_t pick_links(const struct vd_discover *discover, uint8_t out[VD_BEACON_TAGS][VD_KEY_BYTES])
{
	size_t n = discover->current_count < VD_BEACON_TAGS ? discover->current_count : VD_BEACON_TAGS;
	size_t first = n ? randombytes_uniform((uint32_t)discover->current_count) : 0;

	for (size_t i = 0; i < n; i++)
		memcpy(out[i], discover->link[(first + i) % discover->current_count], VD_KEY_BYTES);
	return n;
}

static void beacon(struct vd_discover *discover)
{
	uint8_t links[VD_BEACON_TAGS][VD_KEY_BYTES], seed[VD_BEACON_SEED_BYTES], packet[VD_BEACON_BYTES];
	size_t count = pick_links(discover, links);

	if (!count)
		return;
	for (size_t i = 0; i < discover->interface_count; i++) {
		struct interface *interface = &discover->interfaces[i];
		size_t first = interface->address_count ? randombytes_uniform((uint32_t)interface->address_count) : 0;

		/* one nonce a device and interface: whoever hears several addresses calls one of them, each time another first */
		randombytes_buf(seed, NONCE_BYTES);
		nonce_remember(discover, seed);
		for (size_t k = 0; k < interface->address_count; k++) {
			const struct sockaddr_storage *source = &interface->address[(first + k) % interface->address_count];
			const struct ear *ear = interface->ear[source->ss_family == AF_INET ? 0 : 1];
			uint16_t port = discover->events.port(discover->events.ctx, (const struct sockaddr *)source);

			if (!ear || !port)
				continue;
			randombytes_buf(seed + NONCE_BYTES, sizeof seed - NONCE_BYTES);
			vd_beacon_create((const uint8_t (*)[VD_KEY_BYTES])links, count, address_bytes(source), port, seed, packet);
			/* an address that cannot send just now (not confirmed yet, link down) has its turn again soon */
			(void)send_from(ear, source, packet);
		}
	}
	sodium_memzero(links, sizeof links);
	sodium_memzero(seed, sizeof seed);
}

/* --- interfaces --- */

static void complain(struct interface *interface, const char *what)
{
	if (!interface->complained)
		vd_log(VD_LOG_WARNING, "%s on=%s", what, interface->name);
	interface->complained = true;
}

/* True when its addresses are others than before. */
static bool interface_scan(struct vd_discover *discover, struct interface *interface, const struct ifaddrs *all)
{
	struct sockaddr_storage address[VD_DISCOVER_ADDRESSES];
	unsigned index = if_nametoindex(interface->name);
	size_t n = 0;

	memset(address, 0, sizeof address);
	for (const struct ifaddrs *a = all; a && index && n < VD_DISCOVER_ADDRESSES; a = a->ifa_next)
		if (a->ifa_addr && !strcmp(a->ifa_name, interface->name) && (a->ifa_flags & IFF_UP) &&
		    (a->ifa_addr->sa_family == AF_INET || a->ifa_addr->sa_family == AF_INET6))
			memcpy(&address[n++], a->ifa_addr, vd_address_length(a->ifa_addr));

	if (index != interface->index)
		ears_close(interface);
	interface->index = index;
	if (!index || !n)
		complain(interface, index ? "interface has no address" : "interface missing");
	if (index && n) {
		if (!interface->ear[0])
			interface->ear[0] = ear_open(discover, interface, AF_INET);
		if (!interface->ear[1])
			interface->ear[1] = ear_open(discover, interface, AF_INET6);
		if (!interface->ear[0] && !interface->ear[1])
			complain(interface, "interface takes no multicast");
	}
	bool changed = n != interface->address_count || memcmp(address, interface->address, sizeof address) != 0;
	memcpy(interface->address, address, sizeof address);
	interface->address_count = n;
	if (changed && n && (interface->ear[0] || interface->ear[1])) {
		vd_log(VD_LOG_INFO, "discovering on=%s addresses=%zu", interface->name, n);
		interface->complained = false;
	}
	return changed && n;
}

static void scan(struct vd_discover *discover)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all))
		return;
	for (size_t i = 0; i < discover->interface_count; i++)
		if (interface_scan(discover, &discover->interfaces[i], all)) {
			discover->burst = BURST;
			discover->wait_ms = VD_DISCOVER_FIRST_MS;
			discover->beacon_ms = uv_now(discover->loop);
		}
	freeifaddrs(all);
}

/* --- time --- */

static void on_timer(uv_timer_t *timer);

static void arm(struct vd_discover *discover)
{
	uint64_t now_ms = uv_now(discover->loop);
	uint64_t next = discover->beacon_ms < discover->scan_ms ? discover->beacon_ms : discover->scan_ms;

	if (!uv_is_closing((uv_handle_t *)&discover->timer))
		uv_timer_start(&discover->timer, on_timer, next > now_ms ? next - now_ms : 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct vd_discover *discover = timer->data;
	uint64_t now_ms = uv_now(discover->loop);

	if (now_ms >= discover->scan_ms) {
		scan(discover);
		discover->scan_ms = now_ms + VD_DISCOVER_SCAN_MS;
	}
	if (now_ms >= discover->beacon_ms) {
		beacon(discover);
		if (discover->burst) {
			discover->burst--;
			discover->beacon_ms = now_ms + BURST_MS + randombytes_uniform(BURST_MS);
		} else {
			discover->beacon_ms = now_ms + discover->wait_ms - randombytes_uniform((uint32_t)discover->wait_ms / 4);
			discover->wait_ms = discover->wait_ms < VD_DISCOVER_LAST_MS / 2 ? discover->wait_ms * 2 : VD_DISCOVER_LAST_MS;
		}
	}
	arm(discover);
}

void vd_discover_soon(struct vd_discover *discover)
{
	uint64_t now_ms = uv_now(discover->loop);
	uint64_t due_ms = now_ms + SOON_MS + randombytes_uniform(SOON_SPREAD_MS);

	if (discover->answered_ms && now_ms - discover->answered_ms < VD_DISCOVER_ANSWER_MS)
		due_ms = discover->answered_ms + VD_DISCOVER_ANSWER_MS;
	if (discover->beacon_ms <= due_ms)
		return;
	discover->beacon_ms = due_ms;
	discover->answered_ms = due_ms;
	arm(discover);
}

/* --- the whole --- */

int vd_discover_open(uv_loop_t *loop, const char (*interfaces)[IF_NAMESIZE], size_t count,
                     const struct vd_discover_events *events, struct vd_discover **out)
{
	struct vd_discover *discover = calloc(1, sizeof *discover);

	if (discover)
		discover->interfaces = calloc(count ? count : 1, sizeof *discover->interfaces);
	if (!discover || !discover->interfaces) {
		free(discover);
		return VD_ENOMEM;
	}
	discover->loop = loop;
	discover->events = *events;
	discover->interface_count = count;
	for (size_t i = 0; i < count; i++)
		memcpy(discover->interfaces[i].name, interfaces[i], IF_NAMESIZE);
	discover->wait_ms = VD_DISCOVER_FIRST_MS;
	uv_timer_init(loop, &discover->timer);
	discover->timer.data = discover;
	uv_timer_start(&discover->timer, on_timer, 0, 0);
	*out = discover;
	return 0;
}

static void add_key(struct vd_discover *discover, struct vd_group *group, size_t epoch)
{
	const struct vd_epoch_keys *keys = vd_group_epoch_keys(group, epoch);

	if (!keys || discover->key_count == VD_DISCOVER_KEYS_MAX || sodium_is_zero(keys->key[VD_KEY_LINK], VD_KEY_BYTES))
		return;
	memcpy(discover->link[discover->key_count], keys->key[VD_KEY_LINK], VD_KEY_BYTES);
	memcpy(discover->group[discover->key_count], vd_group_id(group), VD_GROUP_BYTES);
	memcpy(discover->epoch[discover->key_count], vd_group_epoch_id(group, epoch), VD_EPOCH_BYTES);
	discover->key_count++;
}

void vd_discover_keys(struct vd_discover *discover, struct vd_group *const *groups, size_t count)
{
	size_t before = discover->current_count;

	sodium_memzero(discover->link, sizeof discover->link);
	discover->key_count = 0;
	for (size_t i = 0; i < count; i++)
		if (vd_group_epoch_count(groups[i]))
			add_key(discover, groups[i], 0);
	discover->current_count = discover->key_count;
	/* a laggard's beacon is made with an older key */
	for (size_t i = 0; i < count; i++)
		for (size_t k = 1; k < vd_group_epoch_count(groups[i]); k++)
			add_key(discover, groups[i], k);
	if (discover->current_count > before)
		vd_discover_soon(discover);
}

void vd_discover_close(struct vd_discover *discover)
{
	for (size_t i = 0; i < discover->interface_count; i++)
		ears_close(&discover->interfaces[i]);
	if (!uv_is_closing((uv_handle_t *)&discover->timer))
		uv_close((uv_handle_t *)&discover->timer, NULL);
}

void vd_discover_free(struct vd_discover *discover)
{
	if (!discover)
		return;
	sodium_memzero(discover->link, sizeof discover->link);
	free(discover->interfaces);
	free(discover);
}
