/* The driver of TCP connections, with a node of the test's own making. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/accounts.h"
#include "daemon/tcp.h"
#include "proto/err.h"

/* --- the node --- */

enum { CONNS = 160, WISHES = 512 };

struct vd_node {
	struct {
		bool there, refuses, has_batch, settled, busy;
		uint8_t member;    /* 0: nobody else's */
		unsigned cost_ms;  /* that what it is fed takes */
		struct vd_buf in;
		size_t out;        /* bytes still to be drained, SIZE_MAX: without end */
		size_t drained;
		bool committed;
		unsigned batches;  /* that follow the one that is out */
	} conn[CONNS];
	uint32_t count;
	struct vd_wish wishes[WISHES];
	size_t first, last;
	uint32_t fed[16];     /* which, in order */
	size_t fed_count;
	uint32_t count_when_fed; /* conns at the last */
};

static struct vd_node node;

static void wish(enum vd_wish_what what, uint32_t conn, int err)
{
	assert_true(node.last < WISHES);
	node.wishes[node.last] = (struct vd_wish){.what = what, .conn = conn, .err = err};
	if (node.conn[conn].member)
		node.wishes[node.last].member[0] = node.conn[conn].member;
	else
		memcpy(node.wishes[node.last].member + 1, &(uint32_t){conn + 1}, sizeof conn);
	node.last++;
}

int vd_node_accept(struct vd_node *n, uint64_t now_ms, uint32_t *conn)
{
	(void)now_ms;
	size_t there = 0;
	for (size_t i = 0; i < n->count; i++)
		there += n->conn[i].there;
	if (n->count == CONNS || there == VD_PEERS_MAX)
		return VD_ECAP;
	n->conn[n->count].there = true;
	*conn = n->count++;
	return 0;
}

static uint8_t epochs_known = 1; /* their ids begin with 0, 1, … */
static int last_epoch;           /* of the last call; -1: the plain one */

int vd_node_connect(struct vd_node *n, uint64_t now_ms, const uint8_t *group, uint32_t *conn)
{
	(void)group;
	last_epoch = -1;
	return vd_node_accept(n, now_ms, conn);
}

int vd_node_call_back(struct vd_node *n, uint64_t now_ms, const uint8_t *group, const uint8_t *epoch, uint32_t *conn)
{
	(void)group;
	last_epoch = epoch[0];
	return vd_node_accept(n, now_ms, conn);
}

const uint8_t *vd_node_epoch(const struct vd_node *n, const uint8_t *group, size_t i)
{
	static uint8_t id[VD_EPOCH_BYTES];

	(void)n;
	(void)group;
	id[0] = (uint8_t)i;
	return i < epochs_known ? id : NULL;
}

int vd_node_feed(struct vd_node *n, uint64_t now_ms, uint32_t conn, struct vd_slice raw)
{
	(void)now_ms;
	assert_true(n->conn[conn].there);
	if (n->conn[conn].refuses)
		return VD_EAGAIN;
	vd_buf_put_slice(&n->conn[conn].in, raw);
	if (n->conn[conn].cost_ms)
		usleep(n->conn[conn].cost_ms * 1000);
	if (n->fed_count < sizeof n->fed / sizeof *n->fed)
		n->fed[n->fed_count++] = conn;
	n->count_when_fed = n->count;
	return 0;
}

bool vd_node_wants_input(const struct vd_node *n, uint32_t conn)
{
	assert_true(n->conn[conn].there);
	return !n->conn[conn].refuses;
}

bool vd_node_wants_output(const struct vd_node *n, uint32_t conn)
{
	assert_true(n->conn[conn].there);
	return n->conn[conn].out > 0;
}

int vd_node_drain(struct vd_node *n, uint64_t now_ms, uint32_t conn, size_t max, struct vd_buf *out)
{
	size_t some = n->conn[conn].out < max ? n->conn[conn].out : max;

	(void)now_ms;
	assert_true(n->conn[conn].there);
	memset(vd_buf_extend(out, some), 'x', some);
	if (n->conn[conn].out != SIZE_MAX)
		n->conn[conn].out -= some;
	n->conn[conn].drained += some;
	return 0;
}

void vd_node_closed(struct vd_node *n, uint32_t conn)
{
	assert_true(n->conn[conn].there);
	n->conn[conn].there = false;
}

void vd_node_bye(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	(void)now_ms;
	assert_true(n->conn[conn].there);
	n->conn[conn].out = 3;
	if (n->conn[conn].has_batch)
		wish(VD_WISH_COMMIT, conn, 0);
	wish(VD_WISH_CLOSED, conn, 0);
}

void vd_node_busy(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	n->conn[conn].busy = true;
	vd_node_bye(n, now_ms, conn);
}

bool vd_node_settled(const struct vd_node *n, uint32_t conn)
{
	assert_true(n->conn[conn].there);
	return n->conn[conn].settled;
}

uint64_t vd_node_deadline(const struct vd_node *n)
{
	(void)n;
	return UINT64_MAX;
}

uint64_t vd_node_deadline_of(const struct vd_node *n, uint32_t conn)
{
	assert_true(n->conn[conn].there);
	return UINT64_MAX;
}

void vd_node_tick_one(struct vd_node *n, uint64_t now_ms, uint32_t conn)
{
	(void)n;
	(void)conn;
	(void)now_ms;
}

bool vd_node_wish(struct vd_node *n, struct vd_wish *out)
{
	if (n->first == n->last)
		return false;
	*out = n->wishes[n->first++];
	return true;
}

/* Nobody here wishes for receipts. */
void vd_node_said(struct vd_node *n, uint64_t now_ms, uint32_t conn, struct vd_slice receipt)
{
	(void)n;
	(void)now_ms;
	(void)conn;
	(void)receipt;
	fail();
}

bool vd_node_words(struct vd_node *n, uint32_t conn, struct vd_words *out)
{
	(void)n;
	(void)conn;
	(void)out;
	fail();
	return false;
}

void vd_node_committed(struct vd_node *n, uint64_t now_ms, uint32_t conn, int rc)
{
	(void)now_ms;
	(void)rc;
	assert_true(n->conn[conn].there); /* a batch stays put until it is durable */
	n->conn[conn].committed = true;
	if (n->conn[conn].batches && n->conn[conn].batches--)
		wish(VD_WISH_COMMIT, conn, 0);
}

/* --- names --- */

/* "both.test" has two addresses, and nobody is at the first; other names are unknown. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	static const char *const hosts[] = {"127.0.0.2", "127.0.0.1"};
	struct {
		struct addrinfo info;
		struct sockaddr_storage address;
	} *both = calloc(2, sizeof *both);

	(void)hints;
	*out = NULL;
	if (!both || strcmp(name, "both.test")) {
		free(both);
		return EAI_NONAME;
	}
	for (int i = 0; i < 2; i++) {
		char text[VD_ADDRESS_TEXT];

		snprintf(text, sizeof text, "%s:%s", hosts[i], service);
		vd_address_parse(text, &both[i].address);
		both[i].info = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addrlen = sizeof(struct sockaddr_in),
		                                 .ai_addr = (struct sockaddr *)&both[i].address,
		                                 .ai_next = i ? NULL : &both[1].info};
	}
	*out = &both[0].info;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	free(list);
}

/* --- the driver --- */

static uv_loop_t loop;
static struct vd_tcp *tcp;
static struct sockaddr_storage at;
static unsigned closed, opened, commits;
static int last_err;
static bool commit_at_once;

static void on_commit(void *ctx, struct vd_link *link, struct vd_group *group, struct vd_batch *batch)
{
	(void)ctx;
	(void)group;
	(void)batch;
	commits++;
	if (commit_at_once)
		vd_tcp_committed(tcp, link->conn, 0);
}

static void on_opened(void *ctx, struct vd_link *link)
{
	(void)ctx;
	(void)link;
	opened++;
}

static void on_settled(void *ctx, struct vd_link *link)
{
	(void)ctx;
	(void)link;
}

static void on_closed(void *ctx, struct vd_link *link)
{
	(void)ctx;
	closed++;
	last_err = link->err;
}

static int setup(void **state)
{
	const struct vd_tcp_events events = {NULL, on_commit, on_opened, on_settled, on_closed, NULL, NULL};

	(void)state;
	memset(&node, 0, sizeof node);
	closed = opened = commits = 0;
	uv_loop_init(&loop);
	tcp = vd_tcp_new(&loop, &node, &events);
	assert_int_equal(vd_address_parse("127.0.0.1:0", &at), 0);
	assert_int_equal(vd_tcp_listen(tcp, (const struct sockaddr *)&at, false, &at), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	vd_tcp_stop(tcp);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(vd_tcp_count(tcp), 0);
	vd_tcp_free(tcp);
	assert_int_equal(uv_loop_close(&loop), 0);
	for (size_t i = 0; i < CONNS; i++) {
		assert_false(node.conn[i].there);
		vd_buf_deinit(&node.conn[i].in);
	}
	return 0;
}

static void on_limit(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run(uint64_t ms)
{
	uv_timer_t limit;

	uv_timer_init(&loop, &limit);
	uv_timer_start(&limit, on_limit, ms, 0);
	uv_run(&loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

/* For as long as it takes. */
#define RUN_UNTIL(condition)                                \
	do {                                                \
		for (int tries = 0; tries < 1000 && !(condition); tries++) \
			run(10);                            \
		assert_true(condition);                     \
	} while (0)

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* --- */

static void test_tcp__bytes_the_node_cannot_take_wait_in_order(void **state)
{
	int fd;

	(void)state;
	fd = dial();
	RUN_UNTIL(node.count == 1);
	node.conn[0].refuses = true;
	say(fd, "one ");
	run(50);
	say(fd, "two ");
	run(50);
	say(fd, "three");
	close(fd);
	run(50);
	assert_int_equal(node.conn[0].in.n, 0);
	assert_int_equal(closed, 0); /* what it said comes before that it went */
	node.conn[0].refuses = false;
	vd_tcp_pump(tcp);
	RUN_UNTIL(closed == 1);
	assert_int_equal(node.conn[0].in.n, 13);
	assert_memory_equal(node.conn[0].in.p, "one two three", 13);
	assert_int_equal(last_err, VD_ECLOSED);
}

static void test_tcp__a_peer_that_does_not_read_is_not_written_to_for_ever(void **state)
{
	int small = 4096, fd = socket(AF_INET, SOCK_STREAM, 0);
	static char bytes[65536];

	(void)state;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	RUN_UNTIL(node.count == 1);
	node.conn[0].out = SIZE_MAX;
	vd_tcp_pump(tcp);
	run(300);
	size_t drained = node.conn[0].drained;
	assert_in_range(drained, VD_TCP_QUEUE_BYTES, 4 << 20);
	run(300);
	assert_int_equal(node.conn[0].drained, drained);
	/* and when it reads again, on it goes */
	size_t got = 0;
	while (got < drained) {
		ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		run(1);
	}
	assert_true(node.conn[0].drained > drained);
	node.conn[0].out = 0;
	close(fd);
	RUN_UNTIL(closed == 1);
}

static void test_tcp__last_words_arrive(void **state)
{
	static char unread[20000];
	char bytes[4096];
	size_t got = 0;
	ssize_t n;

	(void)state;
	int fd = dial();
	RUN_UNTIL(node.count == 1);
	/* while they talk without end we end it: a close with their bytes unread would be a reset, and lose ours */
	node.conn[0].refuses = true;
	assert_int_equal(send(fd, unread, sizeof unread, MSG_NOSIGNAL), sizeof unread);
	run(20);
	assert_int_equal(send(fd, unread, sizeof unread, MSG_NOSIGNAL), sizeof unread);
	node.conn[0].out = 100000;
	wish(VD_WISH_CLOSED, 0, VD_EFORMAT);
	vd_tcp_pump(tcp);
	while ((n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT)) != 0) {
		assert_true(n > 0 || errno == EAGAIN);
		if (n > 0)
			got += (size_t)n;
		else
			run(5);
	}
	assert_int_equal(got, 100000);
	assert_int_equal(closed, 0);
	close(fd);
	RUN_UNTIL(closed == 1);
	assert_int_equal(last_err, VD_EFORMAT);
}

static void test_tcp__a_batch_outlives_its_connection(void **state)
{
	int fd;

	(void)state;
	fd = dial();
	RUN_UNTIL(node.count == 1);
	wish(VD_WISH_COMMIT, 0, 0);
	vd_tcp_pump(tcp);
	assert_int_equal(commits, 1);
	close(fd);
	run(100);
	assert_true(node.conn[0].there);
	assert_int_equal(closed, 0);
	vd_tcp_committed(tcp, 0, 0);
	assert_true(node.conn[0].committed);
	RUN_UNTIL(closed == 1);
	assert_false(node.conn[0].there);

	/* what came before the line broke is committed too, and the end is still no good end */
	fd = dial();
	RUN_UNTIL(node.count == 2);
	wish(VD_WISH_OPENED, 1, 0);
	vd_tcp_pump(tcp);
	node.conn[1].has_batch = true;
	close(fd);
	RUN_UNTIL(commits == 2);
	run(50);
	assert_int_equal(closed, 1);
	vd_tcp_committed(tcp, 1, 0);
	RUN_UNTIL(closed == 2);
	assert_int_equal(last_err, VD_ECLOSED);

	/* one behind the other, also when the first is told as durable from within */
	for (int at_once = 0; at_once < 2; at_once++) {
		uint32_t conn = node.count;

		commits = closed = 0;
		fd = dial();
		RUN_UNTIL(node.count == conn + 1);
		node.conn[conn].batches = 2;
		wish(VD_WISH_COMMIT, conn, 0);
		vd_tcp_pump(tcp);
		close(fd);
		run(100);
		commit_at_once = at_once;
		vd_tcp_committed(tcp, conn, 0);
		if (!at_once) {
			assert_int_equal(commits, 2);
			vd_tcp_committed(tcp, conn, 0);
			assert_int_equal(commits, 3);
			assert_int_equal(closed, 0);
			vd_tcp_committed(tcp, conn, 0);
		}
		assert_int_equal(commits, 3);
		assert_int_equal(closed, 1);
		assert_false(node.conn[conn].there);
		commit_at_once = false;
	}

	/* also when everything ends meanwhile */
	fd = dial();
	RUN_UNTIL(node.count == 5);
	wish(VD_WISH_COMMIT, 4, 0);
	vd_tcp_pump(tcp);
	vd_tcp_stop(tcp);
	close(fd);
	run(100);
	assert_int_equal(closed, 1);
	vd_tcp_committed(tcp, 4, 0);
	assert_int_equal(vd_tcp_count(tcp), 0);
}

static void test_tcp__newcomers_displace_the_oldest_unproved(void **state)
{
	int fds[VD_TCP_UNPROVED_SAME + 3];
	size_t n = sizeof fds / sizeof *fds;

	(void)state;
	for (uint32_t i = 0; i < n; i++) {
		fds[i] = dial();
		RUN_UNTIL(node.count == i + 1);
		if (!i) {
			wish(VD_WISH_OPENED, 0, 0);
			vd_tcp_pump(tcp);
			assert_int_equal(opened, 1);
		}
	}
	RUN_UNTIL(closed == 2);
	assert_int_equal(last_err, VD_ECAP);
	assert_true(node.conn[0].there); /* proved */
	assert_false(node.conn[1].there);
	assert_false(node.conn[2].there);
	for (uint32_t i = 3; i < n; i++)
		assert_true(node.conn[i].there);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
	RUN_UNTIL(closed == n);
}

/* From 127.0.0.`host`. */
static int dial_from(unsigned host)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 | host)};
	uint32_t before = node.count;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	RUN_UNTIL(node.count == before + 1);
	return fd;
}

static void prove(uint32_t conn, bool settle)
{
	wish(VD_WISH_OPENED, conn, 0);
	if (settle)
		wish(VD_WISH_SETTLED, conn, 0);
	node.conn[conn].settled = settle;
	vd_tcp_pump(tcp);
}

static unsigned places(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < CONNS; i++)
		n += node.conn[i].there;
	return n;
}

static void test_tcp__the_session_at_rest_for_longest_makes_room(void **state)
{
	int fd[VD_TCP_PROVED_IN + 2];
	char bytes[8];

	(void)state;
	/* 0 is at work, 2 has been at rest for longest, then 1, then the others */
	for (uint32_t i = 0; i < VD_TCP_PROVED_IN; i++) {
		fd[i] = dial_from(i + 1);
		prove(i, i > 1);
		run(i == 2 || i == 3 ? 5 : 1);
	}
	node.conn[1].settled = true;
	wish(VD_WISH_SETTLED, 1, 0);
	vd_tcp_pump(tcp);
	assert_int_equal(closed, 0);
	fd[VD_TCP_PROVED_IN] = dial_from(100);
	assert_int_equal(places(), VD_TCP_PROVED_IN + 1);
	prove(VD_TCP_PROVED_IN, false);
	assert_true(node.conn[2].busy);
	assert_false(node.conn[2].there); /* at once */
	RUN_UNTIL(closed == 1);
	assert_int_equal(last_err, VD_EBUSY);
	assert_int_equal(recv(fd[2], bytes, sizeof bytes, 0), 3); /* and is told so */
	assert_int_equal(recv(fd[2], bytes, sizeof bytes, 0), 0);
	assert_true(node.conn[VD_TCP_PROVED_IN].there && !node.conn[VD_TCP_PROVED_IN].busy);

	/* whoever has a batch being written does not go; when nobody is at rest the newcomer comes again */
	for (uint32_t i = 0; i < VD_TCP_PROVED_IN; i++)
		node.conn[i].settled = i == 5;
	wish(VD_WISH_COMMIT, 5, 0);
	vd_tcp_pump(tcp);
	fd[VD_TCP_PROVED_IN + 1] = dial_from(101);
	prove(VD_TCP_PROVED_IN + 1, false);
	assert_true(node.conn[VD_TCP_PROVED_IN + 1].busy);
	assert_true(node.conn[5].there && !node.conn[5].busy);
	vd_tcp_committed(tcp, 5, 0);
	for (size_t i = 0; i < sizeof fd / sizeof *fd; i++)
		close(fd[i]);
	RUN_UNTIL(closed == sizeof fd / sizeof *fd);
}

static void end_all(int *fd, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fd[i]);
	RUN_UNTIL(closed == n);
}

static void test_tcp__a_member_has_so_many_places(void **state)
{
	int fd[VD_TCP_MEMBER_IN + 4];
	uint32_t n = VD_TCP_MEMBER_IN;

	(void)state;
	for (uint32_t i = 0; i < n + 4; i++) {
		fd[i] = dial_from(i + 1);
		node.conn[i].member = i == n + 1 ? 8 : 7; /* by whatever device */
		if (i == n + 2) { /* and of those at rest it is the member's own that makes room */
			node.conn[3].settled = node.conn[n + 1].settled = true;
			wish(VD_WISH_SETTLED, n + 1, 0);
			run(5);
			wish(VD_WISH_SETTLED, 3, 0);
			vd_tcp_pump(tcp);
		}
		prove(i, false);
		if (i == n + 2)
			node.conn[n + 1].settled = false;
	}
	for (uint32_t i = 0; i < n + 4; i++)
		assert_int_equal(node.conn[i].busy, i == 3 || i == n || i == n + 3);
	end_all(fd, n + 4);
}

static void test_tcp__who_has_most_makes_room(void **state)
{
	int fd[VD_TCP_PROVED_IN + 2];
	unsigned mine = 0, theirs = 0;

	(void)state;
	/* none at rest */
	for (uint32_t i = 0; i < VD_TCP_PROVED_IN + 2; i++) {
		fd[i] = dial_from(i + 1);
		node.conn[i].member = (uint8_t)(i < VD_TCP_PROVED_IN ? 1 + i / VD_TCP_MEMBER_IN : 99);
		prove(i, false);
	}
	for (uint32_t i = 0; i < VD_TCP_PROVED_IN; i++)
		theirs += node.conn[i].busy;
	for (uint32_t i = VD_TCP_PROVED_IN; i < VD_TCP_PROVED_IN + 2; i++)
		mine += node.conn[i].busy;
	assert_int_equal(theirs, 2);
	assert_int_equal(mine, 0);
	end_all(fd, VD_TCP_PROVED_IN + 2);
}

static void test_tcp__whoever_took_much_is_served_after_the_others(void **state)
{
	int fd[4];

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		fd[i] = dial_from(i + 1);
		node.conn[i].member = i < 3 ? 7 : 8;
		prove(i, false);
	}
	wish(VD_WISH_COMMIT, 3, 0); /* so that it is there, however slow the machine */
	vd_tcp_pump(tcp);
	node.conn[0].cost_ms = 2 * VD_ACCOUNTS_HEAVY_US / 1000;
	say(fd[0], "a flood");
	run(20);
	assert_int_equal(node.fed_count, 1);
	/* these come first, and their member's other device rests, too */
	say(fd[1], "more");
	say(fd[2], "and more");
	say(fd[3], "an alert");
	RUN_UNTIL(node.fed_count == 4);
	assert_int_equal(node.fed[1], 3);
	/* and nobody waits for ever */
	assert_int_equal(node.conn[1].in.n, 4);
	assert_int_equal(node.conn[2].in.n, 8);
	vd_tcp_committed(tcp, 3, 0);
	end_all(fd, 4);
}

static void test_tcp__a_commit_is_told_when_the_turn_comes(void **state)
{
	int fd[2];

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		fd[i] = dial_from(i + 1);
		prove(i, false);
		wish(VD_WISH_COMMIT, i, 0);
	}
	vd_tcp_pump(tcp);
	assert_int_equal(commits, 2);
	node.conn[0].cost_ms = 2 * VD_ACCOUNTS_HEAVY_US / 1000;
	say(fd[0], "a flood");
	run(20);
	vd_tcp_committed(tcp, 0, 0); /* behind it the next is verified, which costs as much again */
	vd_tcp_committed(tcp, 1, 0);
	assert_true(node.conn[1].committed);
	assert_false(node.conn[0].committed);
	RUN_UNTIL(node.conn[0].committed);
	end_all(fd, 2);
}

static void test_tcp__sessions_are_served_between_those_who_knock(void **state)
{
	enum { KNOCKS = 3 * VD_TCP_ACCEPT_COUNT };
	int fd[KNOCKS + 1];

	(void)state;
	fd[0] = dial_from(1);
	prove(0, false);
	run(2 * VD_TCP_ACCEPT_MS);
	for (size_t i = 1; i <= KNOCKS; i++)
		fd[i] = dial();
	say(fd[0], "an alert");
	RUN_UNTIL(node.count == KNOCKS + 1);
	assert_int_equal(node.conn[0].in.n, 8);
	assert_in_range(node.count_when_fed, 1, 1 + VD_TCP_ACCEPT_COUNT);
	end_all(fd, KNOCKS + 1);
}

/* Strangers make noise for so long that they have to rest; then `early` and `late` speak, dialled in that order. Is `early` heard
 * before? Else the newest are looked at first. A few times, for a slow machine's timers are late. */
static bool is_heard_first(const int *fd, uint32_t noisy, uint32_t early, uint32_t late)
{
	bool first = false;

	for (int i = 0; i < 10 && !first; i++) {
		node.conn[noisy].cost_ms = i ? 10 : 2 * VD_ACCOUNTS_HEAVY_US / 1000;
		node.fed_count = 0;
		say(fd[noisy], "noise");
		RUN_UNTIL(node.fed_count == 1);
		say(fd[late], "more noise");
		say(fd[early], "a friend");
		RUN_UNTIL(node.fed_count == 3);
		first = node.fed[1] == early;
	}
	return first;
}

static void test_tcp__a_friend_does_not_wait_for_strangers(void **state)
{
	int fd[5];

	(void)state;
	fd[0] = dial_from(1);
	prove(0, false);
	wish(VD_WISH_COMMIT, 0, 0); /* so that somebody else is there, however slow the machine */
	vd_tcp_pump(tcp);
	fd[1] = dial_from(2);
	fd[2] = dial_from(3);
	fd[3] = dial_from(2);
	assert_true(is_heard_first(fd, 1, 2, 3));
	/* not because of its address alone: much came from there, too */
	fd[4] = dial_from(2);
	node.conn[2].cost_ms = VD_ACCOUNTS_HEAVY_US / 1000;
	say(fd[2], "noise");
	RUN_UNTIL(node.fed_count == 4);
	node.conn[2].cost_ms = 0;
	assert_false(is_heard_first(fd, 1, 2, 4));
	/* and while strangers rest one who knocks is let in */
	bool let_in = false;
	unsigned knocks = 0;
	node.conn[1].cost_ms = 60;
	for (; knocks < 5 && !let_in; knocks++) {
		node.fed_count = 0;
		say(fd[1], "noise");
		RUN_UNTIL(node.fed_count == 1);
		say(fd[3], "more noise");
		close(dial_from(4));
		run(100);
		let_in = node.fed_count == 1;
		RUN_UNTIL(node.fed_count == 2);
	}
	assert_true(let_in);
	vd_tcp_committed(tcp, 0, 0);
	for (size_t i = 0; i < 5; i++)
		close(fd[i]);
	RUN_UNTIL(closed == 5 + knocks);
}

static void test_tcp__who_only_gives_is_no_stranger_from_the_first_batch_on(void **state)
{
	int fd[4];

	(void)state;
	fd[0] = dial_from(1);
	prove(0, false);
	wish(VD_WISH_COMMIT, 0, 0);
	vd_tcp_pump(tcp);
	for (uint32_t i = 1; i < 4; i++)
		fd[i] = dial_from(2);
	wish(VD_WISH_COMMIT, 2, 0); /* it has no role, and was not opened */
	vd_tcp_pump(tcp);
	vd_tcp_committed(tcp, 2, 0);
	assert_int_equal(opened, 1);
	assert_true(is_heard_first(fd, 1, 2, 3));
	vd_tcp_committed(tcp, 0, 0);
	end_all(fd, 4);
}

static void test_tcp__strangers_displace_no_session(void **state)
{
	int fd[VD_TCP_IN_MAX + 20];
	uint32_t i;

	(void)state;
	for (i = 0; i < VD_TCP_PROVED_IN; i++) {
		fd[i] = dial_from(i + 1);
		prove(i, true);
	}
	for (; i < VD_TCP_IN_MAX + 20; i++)
		fd[i] = dial_from(i + 1);
	assert_int_equal(places(), VD_TCP_IN_MAX);
	for (uint32_t k = 0; k < VD_TCP_PROVED_IN; k++)
		assert_true(node.conn[k].there);
	/* sessions that are over go before strangers that may become some, whatever their peers do */
	for (uint32_t k = 3; k < 7; k++)
		wish(VD_WISH_CLOSED, k, VD_EBUSY);
	vd_tcp_pump(tcp);
	assert_true(node.conn[3].there);
	int more = dial_from(200);
	assert_false(node.conn[3].there);
	assert_true(node.conn[4].there);
	assert_int_equal(places(), VD_TCP_IN_MAX);
	close(more);
	for (size_t k = 0; k < sizeof fd / sizeof *fd; k++)
		close(fd[k]);
	RUN_UNTIL(places() == 0 && vd_tcp_count(tcp) == 0);
}

static void test_tcp__calls_find_a_place(void **state)
{
	uint8_t group[VD_GROUP_BYTES] = {0}, epoch[VD_EPOCH_BYTES] = {0};
	struct sockaddr_storage to;
	struct sockaddr_in other = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof other;
	int fd[VD_TCP_IN_MAX], server = socket(AF_INET, SOCK_STREAM, 0);
	uint32_t count = 0;

	(void)state;
	assert_int_equal(bind(server, (const struct sockaddr *)&other, sizeof other), 0);
	assert_int_equal(listen(server, 64), 0);
	assert_int_equal(getsockname(server, (struct sockaddr *)&other, &n), 0);
	memset(&to, 0, sizeof to);
	memcpy(&to, &other, sizeof other);
	for (uint32_t i = 0; i < VD_TCP_IN_MAX; i++) {
		fd[i] = dial_from(i + 1);
		if (i < VD_TCP_PROVED_IN)
			prove(i, i > 0);
	}
	/* with all that may be accepted open, so many calls are possible */
	for (count = VD_TCP_IN_MAX; count < VD_PEERS_MAX; count++) {
		assert_int_equal(vd_tcp_call_address(tcp, (const struct sockaddr *)&to, group, epoch, NULL), 0);
		RUN_UNTIL(node.count == count + 1);
		prove(count, false);
	}
	assert_int_equal(vd_tcp_call_address(tcp, (const struct sockaddr *)&to, group, epoch, NULL), VD_ECAP);
	/* then calls make room for each other, and not at the cost of those who called us */
	node.conn[VD_TCP_IN_MAX + 2].settled = true;
	assert_int_equal(vd_tcp_call_address(tcp, (const struct sockaddr *)&to, group, epoch, NULL), 0);
	assert_false(node.conn[VD_TCP_IN_MAX + 2].there);
	RUN_UNTIL(node.count == count + 1);
	assert_true(node.conn[count].there);
	assert_int_equal(places(), VD_PEERS_MAX);
	for (size_t i = 0; i < VD_TCP_IN_MAX; i++)
		close(fd[i]);
	close(server);
}

/* A listening socket of the test's own, and who calls it. */
static int listen_raw(struct sockaddr_storage *out)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof here;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&here, sizeof here), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&here, &n), 0);
	memset(out, 0, sizeof *out);
	memcpy(out, &here, sizeof here);
	return fd;
}

static int take_call(int server)
{
	int fd = -1;

	for (int tries = 0; tries < 1000 && fd < 0; tries++) {
		run(10);
		fd = accept(server, NULL, NULL);
	}
	assert_true(fd >= 0);
	return fd;
}

static void call_raw(const struct sockaddr_storage *to, const uint8_t *group)
{
	assert_int_equal(vd_tcp_call(tcp, "both.test", vd_address_port((const struct sockaddr *)to), group, NULL), 0);
}

static void test_tcp__who_is_silent_is_called_back_under_older_epochs(void **state)
{
	static const char prologue[VD_CHANNEL_PROLOGUE_BYTES + 1] = {0};
	uint8_t group[VD_GROUP_BYTES] = {0}, epoch[VD_EPOCH_BYTES] = {2};
	struct sockaddr_storage to;
	int server = listen_raw(&to), fd;

	(void)state;
	epochs_known = 3;
	call_raw(&to, group);
	for (int i = 0; i < 3; i++) {
		fd = take_call(server);
		assert_int_equal(last_epoch, i ? i : -1);
		assert_int_equal(closed, 0);
		assert_int_equal(places(), 1);
		/* something is under way when the line breaks */
		node.conn[node.count - 1].out = 48;
		assert_int_equal(send(fd, prologue, VD_CHANNEL_PROLOGUE_BYTES, MSG_NOSIGNAL), VD_CHANNEL_PROLOGUE_BYTES);
		if (i != 1) /* the second says nothing more, and does not hang up either */
			close(fd);
	}
	RUN_UNTIL(closed == 1);
	assert_int_equal(last_err, VD_ECLOSED);
	assert_int_equal(node.count, 3);

	/* who answers, or hangs up before the prologue, is no one that is behind */
	for (size_t said = 0; said < VD_CHANNEL_PROLOGUE_BYTES + 2; said += VD_CHANNEL_PROLOGUE_BYTES + 1) {
		uint32_t before = node.count;

		closed = 0;
		call_raw(&to, group);
		fd = take_call(server);
		assert_int_equal(send(fd, prologue, said, MSG_NOSIGNAL), said);
		close(fd);
		RUN_UNTIL(closed == 1);
		assert_int_equal(node.count, before + 1);
	}

	/* not for ever */
	epochs_known = 30;
	closed = 0;
	call_raw(&to, group);
	for (int i = 0; i < 1 + VD_TCP_BACKS_MAX; i++) {
		fd = take_call(server);
		assert_int_equal(last_epoch, i ? i : -1);
		send(fd, prologue, VD_CHANNEL_PROLOGUE_BYTES, MSG_NOSIGNAL);
		close(fd);
	}
	RUN_UNTIL(closed == 1);

	/* a beacon has told the epoch: that one alone */
	closed = 0;
	uint32_t before = node.count;
	assert_int_equal(vd_tcp_call_address(tcp, (const struct sockaddr *)&to, group, epoch, NULL), 0);
	fd = take_call(server);
	assert_int_equal(last_epoch, 2);
	send(fd, prologue, VD_CHANNEL_PROLOGUE_BYTES, MSG_NOSIGNAL);
	close(fd);
	RUN_UNTIL(closed == 1);
	assert_int_equal(node.count, before + 1);

	/* and whatever the state when all ends */
	closed = 0;
	call_raw(&to, group);
	fd = take_call(server);
	send(fd, prologue, VD_CHANNEL_PROLOGUE_BYTES, MSG_NOSIGNAL);
	close(fd);
	vd_tcp_stop(tcp);
	RUN_UNTIL(closed == 1);
	close(server);
	epochs_known = 1;
}

/* A hundred that say nothing, all from one place, and then from three: whoever comes from elsewhere finds a place and keeps it. */
static void test_tcp__silent_ones_displace_each_other(void **state)
{
	int fd[100], honest;

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		fd[i] = dial_from(1);
	assert_int_equal(places(), VD_TCP_UNPROVED_SAME);
	honest = dial_from(9);
	uint32_t conn = node.count - 1;
	for (unsigned i = 50; i < 100; i++)
		fd[i] = dial_from(1 + i % 3);
	assert_int_equal(places(), VD_TCP_UNPROVED_IN);
	assert_true(node.conn[conn].there);
	/* of those that hold as many, and one holds the most, its oldest goes */
	int more = dial_from(10);
	assert_int_equal(places(), VD_TCP_UNPROVED_IN);
	assert_true(node.conn[conn].there && node.conn[conn + 51].there);
	close(more);
	close(honest);
	for (size_t i = 0; i < 100; i++)
		close(fd[i]);
	RUN_UNTIL(places() == 0 && vd_tcp_count(tcp) == 0);
}

static void test_tcp__a_word_for_each_state(void **state)
{
	(void)state;
	int fd = dial();
	RUN_UNTIL(node.count == 1);
	const struct vd_link *link = vd_tcp_first(tcp);
	assert_string_equal(vd_link_word(link), "greeting");
	prove(0, false);
	assert_string_equal(vd_link_word(link), "syncing");
	/* given up is not the same as settled, and may become it */
	prove(0, true);
	assert_string_equal(vd_link_word(link), "differs");
	wish(VD_WISH_SETTLED, 0, 0);
	node.wishes[node.last - 1].stats.complete = true;
	vd_tcp_pump(tcp);
	assert_string_equal(vd_link_word(link), "settled");
	node.conn[0].settled = false;
	assert_string_equal(vd_link_word(link), "syncing");
	wish(VD_WISH_CLOSED, 0, 0);
	vd_tcp_pump(tcp);
	assert_string_equal(vd_link_word(link), "closing");
	close(fd);
	RUN_UNTIL(closed == 1);
}

static void test_tcp__a_call_tries_every_address(void **state)
{
	uint8_t group[VD_GROUP_BYTES] = {0}, epoch[VD_EPOCH_BYTES] = {0};
	struct sockaddr_storage nobody, taken;

	(void)state;
	assert_int_equal(vd_tcp_call(tcp, "both.test", vd_address_port((const struct sockaddr *)&at), group, &node), 0);
	assert_int_equal(vd_tcp_first(tcp)->state, VD_LINK_RESOLVING);
	assert_ptr_equal(vd_tcp_first(tcp)->owner, &node);
	RUN_UNTIL(node.count == 2); /* both ends are ours */
	/* nobody there; no such name: told by `closed` alone */
	assert_int_equal(vd_address_parse("127.0.0.1:1", &nobody), 0);
	assert_int_equal(vd_tcp_call_address(tcp, (const struct sockaddr *)&nobody, group, epoch, NULL), 0);
	assert_int_equal(closed, 0);
	RUN_UNTIL(closed == 1);
	assert_int_equal(last_err, VD_ECLOSED);
	assert_int_equal(vd_tcp_call(tcp, "not.a.name.invalid", 1, group, NULL), 0);
	RUN_UNTIL(closed == 2);
	assert_int_not_equal(last_err, 0);
	assert_int_equal(vd_tcp_listen(tcp, (const struct sockaddr *)&at, false, &taken), VD_EBUSY);
	assert_int_equal(vd_address_parse("192.0.2.1:0", &nobody), 0);
	assert_int_equal(vd_tcp_listen(tcp, (const struct sockaddr *)&nobody, false, &taken), VD_EINVAL);
}

static void test_tcp__stop_says_goodbye(void **state)
{
	char bytes[8];

	(void)state;
	int fd = dial();
	RUN_UNTIL(node.count == 1);
	vd_tcp_stop(tcp);
	run(50);
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 3);
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0);
	close(fd);
	RUN_UNTIL(closed == 1);
	assert_int_equal(last_err, 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), -1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcp__bytes_the_node_cannot_take_wait_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_peer_that_does_not_read_is_not_written_to_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__last_words_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_batch_outlives_its_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__newcomers_displace_the_oldest_unproved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__the_session_at_rest_for_longest_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_friend_does_not_wait_for_strangers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__who_only_gives_is_no_stranger_from_the_first_batch_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_member_has_so_many_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__who_has_most_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__whoever_took_much_is_served_after_the_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_commit_is_told_when_the_turn_comes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__sessions_are_served_between_those_who_knock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__strangers_displace_no_session, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__calls_find_a_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__who_is_silent_is_called_back_under_older_epochs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__silent_ones_displace_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_word_for_each_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_call_tries_every_address, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__stop_says_goodbye, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
