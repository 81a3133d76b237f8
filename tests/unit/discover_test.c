#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/address.h"
#include "daemon/discover.h"
#include "tests/village.h"

/* Beacons over the loopback interface only. */
static const char lo[1][IF_NAMESIZE] = {"lo"};

struct listener {
	uv_loop_t *loop;
	struct vd_discover *discover;
	uint16_t tcp_port;
	unsigned heard;
	struct sockaddr_storage address;
	uint8_t group[VD_GROUP_BYTES], epoch[VD_EPOCH_BYTES];
	unsigned *waiting_for; /* the loop stops when it falls to 0 */
};

/* As village_found, but nobody else's: this very test may be running twice on the machine. */
static void found(struct village *v)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES], salt[VD_SALT_BYTES], person[VD_PERSON_BYTES] = {0};
	struct vd_buf content = {0};

	memset(v, 0, sizeof *v);
	randombytes_buf(seed, sizeof seed);
	randombytes_buf(salt, sizeof salt);
	vd_identity_from_seed(seed, &v->hub);
	vd_group_make_id(v->hub.author, salt, v->id);
	v->group = vd_group_new(v->id, &v->hub);
	assert_non_null(v->group);
	assert_int_equal(vd_group_make_founding(&v->hub, person, salt, &content), 0);
	village_record(v, &content);
	village_epoch(v, 1);
}

/* Only told of in beacons: nothing listens there. */
static uint16_t port(unsigned i)
{
	static uint16_t first;

	if (!first)
		first = (uint16_t)(10000 + randombytes_uniform(50000));
	return (uint16_t)(first + i);
}

static void on_heard(void *ctx, const struct sockaddr *address, const uint8_t group[VD_GROUP_BYTES], const uint8_t epoch[VD_EPOCH_BYTES])
{
	struct listener *l = ctx;

	if (!l->heard++ && l->waiting_for && !--*l->waiting_for)
		uv_stop(l->loop);
	vd_address_plain(address, &l->address);
	memcpy(l->group, group, VD_GROUP_BYTES);
	memcpy(l->epoch, epoch, VD_EPOCH_BYTES);
}

static uint16_t port_of(void *ctx, const struct sockaddr *source)
{
	const struct listener *l = ctx;

	return source->sa_family == AF_INET ? l->tcp_port : 0;
}

static void open_on(struct listener *l, uv_loop_t *loop, const char (*interfaces)[IF_NAMESIZE], uint16_t tcp_port, struct vd_group *group)
{
	struct vd_discover_events events = {l, on_heard, port_of};

	l->loop = loop;
	l->tcp_port = tcp_port;
	assert_int_equal(vd_discover_open(loop, interfaces, 1, &events, &l->discover), 0);
	vd_discover_keys(l->discover, &group, group ? 1 : 0);
}

static void on_limit(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Until everyone waited for has heard, `limit_ms` at most. */
static void run(uv_loop_t *loop, uint64_t limit_ms)
{
	uv_timer_t limit;

	uv_timer_init(loop, &limit);
	uv_timer_start(&limit, on_limit, limit_ms, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static void close_all(uv_loop_t *loop, struct listener *l, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vd_discover_close(l[i].discover);
	uv_run(loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < count; i++)
		vd_discover_free(l[i].discover);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* What anyone on the network sees. */
static int open_tap(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(VD_BEACON_PORT)};
	struct ip_mreqn group = {.imr_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), one = 1;

	inet_pton(AF_INET, VD_BEACON_GROUP4, &at.sin_addr);
	group.imr_multiaddr = at.sin_addr;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group), 0);
	return fd;
}

/* The next beacon that tells of that TCP port, among whatever else is on the interface; false: none waits. */
static bool tapped(int fd, uint16_t tcp_port, uint8_t packet[VD_BEACON_BYTES])
{
	ssize_t n;

	while ((n = recv(fd, packet, VD_BEACON_BYTES, MSG_DONTWAIT)) >= 0)
		if (n == VD_BEACON_BYTES && vd_get_u16(packet + 16) == tcp_port)
			return true;
	return false;
}

static void send_as(const char *address, const void *packet, size_t n)
{
	struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(VD_BEACON_PORT)};
	struct ip_mreqn out = {.imr_ifindex = (int)if_nametoindex("lo")};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	inet_pton(AF_INET, address, &from.sin_addr);
	inet_pton(AF_INET, VD_BEACON_GROUP4, &to.sin_addr);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &out, sizeof out), 0);
	assert_int_equal(sendto(fd, packet, n, 0, (const struct sockaddr *)&to, sizeof to), n);
	close(fd);
}

static void test_discover__members_find_each_other_and_nobody_else(void **state)
{
	struct listener l[3] = {0};
	struct village ours, theirs;
	uv_loop_t loop;
	unsigned waiting_for = 2;

	(void)state;
	found(&ours);
	found(&theirs);
	uv_loop_init(&loop);
	open_on(&l[0], &loop, lo, port(1), ours.group);
	open_on(&l[1], &loop, lo, port(2), ours.group);
	open_on(&l[2], &loop, lo, port(3), theirs.group);
	l[0].waiting_for = l[1].waiting_for = &waiting_for;
	run(&loop, 20000);
	assert_int_equal(waiting_for, 0);
	run(&loop, 1000); /* for the wrong ones to show */
	for (int i = 0; i < 2; i++) {
		char text[VD_ADDRESS_TEXT], wanted[VD_ADDRESS_TEXT];

		vd_address_text((const struct sockaddr *)&l[i].address, text);
		snprintf(wanted, sizeof wanted, "127.0.0.1:%u", i ? port(1) : port(2));
		assert_string_equal(text, wanted);
		assert_memory_equal(l[i].group, ours.id, VD_GROUP_BYTES);
	}
	assert_int_equal(l[2].heard, 0); /* neither strangers, nor itself */
	close_all(&loop, l, 3);
	village_leave(&ours);
	village_leave(&theirs);
}

/* Who was away when the epoch changed bears the old epoch's tag, and is told by it; nobody bears that tag for its sake. */
static void test_discover__one_that_is_behind_is_known_by_its_epoch(void **state)
{
	struct listener l[2] = {0};
	struct village ours;
	uv_loop_t loop;
	unsigned waiting_for = 1;

	(void)state;
	found(&ours);
	struct vd_group *behind = village_view(&ours, &ours.hub, ours.count);
	village_epoch(&ours, 2);
	uv_loop_init(&loop);
	open_on(&l[0], &loop, lo, port(8), ours.group);
	open_on(&l[1], &loop, lo, port(9), behind);
	l[0].waiting_for = &waiting_for;
	run(&loop, 20000);
	assert_int_equal(waiting_for, 0);
	assert_memory_equal(l[0].epoch, vd_group_epoch_id(behind, 0), VD_EPOCH_BYTES);
	assert_memory_equal(l[0].epoch, vd_group_epoch_id(ours.group, 1), VD_EPOCH_BYTES);
	run(&loop, 1500);
	assert_int_equal(l[1].heard, 0);
	/* it has caught up */
	waiting_for = 1;
	l[0].heard = 0;
	vd_discover_keys(l[1].discover, &ours.group, 1);
	vd_discover_soon(l[1].discover);
	run(&loop, 20000);
	assert_int_equal(waiting_for, 0);
	assert_memory_equal(l[0].epoch, vd_group_epoch_id(ours.group, 0), VD_EPOCH_BYTES);
	close_all(&loop, l, 2);
	vd_group_free(behind);
	village_leave(&ours);
}

static void test_discover__replays_and_noise_are_not_heard(void **state)
{
	uint8_t packet[VD_BEACON_BYTES + 1] = {0}, noise[VD_BEACON_BYTES];
	struct listener sender = {0}, l = {0};
	struct village ours;
	uv_loop_t loop;
	int tap = open_tap();

	(void)state;
	found(&ours);
	uv_loop_init(&loop);
	open_on(&sender, &loop, lo, port(4), ours.group);
	bool seen = false;
	for (int i = 0; i < 100 && !seen; i++) {
		run(&loop, 100);
		seen = tapped(tap, port(4), packet);
	}
	assert_true(seen);
	vd_discover_close(sender.discover);
	uv_run(&loop, UV_RUN_DEFAULT);
	vd_discover_free(sender.discover);

	open_on(&l, &loop, lo, port(5), ours.group);
	run(&loop, 50);
	send_as("127.0.0.2", packet, VD_BEACON_BYTES); /* from elsewhere it calls nobody anywhere */
	for (size_t n = 0; n <= VD_BEACON_BYTES + 1; n++)
		if (n != VD_BEACON_BYTES)
			send_as("127.0.0.1", packet, n);
	for (int i = 0; i < 50; i++) {
		randombytes_buf(noise, sizeof noise);
		send_as("127.0.0.1", noise, sizeof noise);
	}
	packet[16] ^= 1; /* another port than its maker told */
	send_as("127.0.0.1", packet, VD_BEACON_BYTES);
	packet[16] ^= 1;
	run(&loop, 300);
	assert_int_equal(l.heard, 0);
	send_as("127.0.0.1", packet, VD_BEACON_BYTES);
	send_as("127.0.0.1", packet, VD_BEACON_BYTES);
	run(&loop, 300);
	assert_int_equal(l.heard, 1);
	close(tap);
	close_all(&loop, &l, 1);
	village_leave(&ours);
}

static void test_discover__says_nothing_without_a_key_a_port_or_an_interface(void **state)
{
	static const char absent[1][IF_NAMESIZE] = {"nosuch0"};
	struct listener l[3] = {0};
	uint8_t packet[VD_BEACON_BYTES];
	struct village ours;
	uv_loop_t loop;
	int tap = open_tap();

	(void)state;
	found(&ours);
	uv_loop_init(&loop);
	open_on(&l[0], &loop, lo, port(6), NULL);
	open_on(&l[1], &loop, lo, 0, ours.group);
	open_on(&l[2], &loop, absent, port(7), ours.group);
	run(&loop, 500);
	vd_discover_soon(l[0].discover);
	vd_discover_soon(l[2].discover);
	run(&loop, 1000);
	assert_false(tapped(tap, port(6), packet));
	close(tap);
	tap = open_tap();
	run(&loop, 500);
	assert_false(tapped(tap, 0, packet));
	assert_false(tapped(tap, port(7), packet));
	/* once it is told of a group it speaks, without waiting for its turn */
	struct vd_group *group = ours.group;
	vd_discover_keys(l[0].discover, &group, 1);
	run(&loop, 2500);
	assert_true(tapped(tap, port(6), packet));
	close(tap);
	close_all(&loop, l, 3);
	village_leave(&ours);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_discover__members_find_each_other_and_nobody_else),
		cmocka_unit_test(test_discover__one_that_is_behind_is_known_by_its_epoch),
		cmocka_unit_test(test_discover__replays_and_noise_are_not_heard),
		cmocka_unit_test(test_discover__says_nothing_without_a_key_a_port_or_an_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
