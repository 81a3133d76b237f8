/* Connections of a node that is all a test says it is: the node, the names and the driver in the place of the real ones. */
#ifndef TCP_CAST_H
#define TCP_CAST_H

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

static inline void wish(enum vd_wish_what what, uint32_t conn, int err)
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

static inline void on_commit(void *ctx, struct vd_link *link, struct vd_group *group, struct vd_batch *batch)
{
	(void)ctx;
	(void)group;
	(void)batch;
	commits++;
	if (commit_at_once)
		vd_tcp_committed(tcp, link->conn, 0);
}

static inline void on_opened(void *ctx, struct vd_link *link)
{
	(void)ctx;
	(void)link;
	opened++;
}

static inline void on_settled(void *ctx, struct vd_link *link)
{
	(void)ctx;
	(void)link;
}

static inline void on_closed(void *ctx, struct vd_link *link)
{
	(void)ctx;
	closed++;
	last_err = link->err;
}

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline void on_limit(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static inline void run(uint64_t ms)
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

static inline int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	return fd;
}

/* From 127.0.0.`host`. */
static inline int dial_from(unsigned host)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000 | host)};
	uint32_t before = node.count;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof from), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(struct sockaddr_in)), 0);
	RUN_UNTIL(node.count == before + 1);
	return fd;
}

static inline void prove(uint32_t conn, bool settle)
{
	wish(VD_WISH_OPENED, conn, 0);
	if (settle)
		wish(VD_WISH_SETTLED, conn, 0);
	node.conn[conn].settled = settle;
	vd_tcp_pump(tcp);
}

static inline unsigned places(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < CONNS; i++)
		n += node.conn[i].there;
	return n;
}

#endif
