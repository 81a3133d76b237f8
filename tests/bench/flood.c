/* A hundred connections that mean harm, for ever: strangers who knock and go, send noise or say nothing, and ten devices each of two
 * members, twice: with new alerts, with the same ones again, with bad signatures, and with small questions that cost much. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "proto/message.h"
#include "proto/vereda.h"

enum {
	MEMBERS = 2, DEVICES = 20, BY_MEMBERS = 2 * DEVICES, STRANGERS = 60,
	CONNECTIONS = BY_MEMBERS + STRANGERS, EACH = 512, FRESH = 2048, AT_ONCE = 32, HOSTS = 8,
};

enum way { NEW, AGAIN, BADLY_SIGNED, BODIES, LANES, WAYS, KNOCK = WAYS, NOISE, SILENCE };

struct flooder {
	struct vd_identity identity;
	struct vd_group *group;
	uint64_t seq;                 /* of its last record */
	struct vd_buf bytes;          /* RECORDS messages, one after the other */
	size_t at[EACH / AT_ONCE + 1];
	size_t messages;
};

struct connection {
	int fd;                       /* -1: to be made */
	enum way way;
	struct flooder *by;           /* NULL: a stranger */
	struct vd_channel *channel;
	bool said, answered;          /* our hello or noise; their hello */
	bool waits;                   /* for the answer to a question */
	uint8_t summary[VD_HASH_BYTES], round;
	size_t next;
};

static struct flooder flooders[DEVICES];
static struct connection connections[CONNECTIONS];
static struct sockaddr_in target;
static struct flood_count *counted;

/* ---- who they are ---- */

static void admit(struct vd_write *w, struct vd_group *group, size_t i)
{
	uint8_t person[VD_PERSON_BYTES] = {0xf1, (uint8_t)(i % MEMBERS)}, nonce[VD_BODY_NONCE_BYTES] = {(uint8_t)i, 0xf1};
	struct vd_draft draft = {.lane = VD_LANE_CONTROL, .now_ms = 1735689600000};
	struct vd_buf content = {0};
	struct vd_card card;
	struct vd_id id;

	check(vd_card_create(&flooders[i].identity, &card), "card");
	check(vd_group_make_grant(group, &card, person, VD_ROLE_MEMBER, 0, "Flooder", nonce, &content), "grant");
	draft.content = vd_buf_slice(&content);
	check(vd_write_own(w, group, &draft, &id), "grant record");
	vd_buf_reset(&content);
	check(vd_group_make_epoch_for(group, vd_group_epoch_id(group, 0), flooders[i].identity.author, &content), "epoch");
	draft.content = vd_buf_slice(&content);
	check(vd_write_own(w, group, &draft, &id), "epoch record");
	vd_buf_deinit(&content);
}

static int take_control(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct vd_record record;

	(void)arrival;
	(void)received_ms;
	return vd_record_decode(raw, &record) ? 0 : vd_group_add(ctx, &record);
}

void flood_admit(const char *home)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_group *group;
	struct vd_store *store;
	struct vd_write *w;
	size_t count;

	check(vd_store_open(home, &store), home);
	check(vd_store_groups(store, groups, &count), "groups");
	check(vd_store_group(store, groups[0], &group), "group");
	check(vd_write_begin(store, &w), "write");
	for (size_t i = 0; i < DEVICES; i++) {
		uint8_t seed[VD_IDENTITY_SEED_BYTES] = {0xf1, (uint8_t)i};

		vd_identity_from_seed(seed, &flooders[i].identity);
		if (!vd_group_find(group, flooders[i].identity.author))
			admit(w, group, i);
	}
	check(vd_write_commit(w), "commit");
	for (size_t i = 0; i < DEVICES; i++) {
		flooders[i].group = vd_group_new(groups[0], &flooders[i].identity);
		check(vd_store_walk(store, groups[0], VD_LANE_CONTROL, 0, take_control, flooders[i].group), "control");
	}
	vd_group_free(group);
	vd_store_close(store);
}

/* Alerts that no other record vouches for, each with a signature to be checked. */
static void put_records(struct flooder *f, bool badly, struct vd_buf *out)
{
	struct vd_buf raw = {0};

	for (size_t i = 0; i < AT_ONCE; i++) {
		struct vd_record_fields fields = {.lane = VD_LANE_URGENT, .seq = f->seq += 2, .time_ms = 1735689600000};
		struct vd_id id;

		memcpy(fields.group, vd_group_id(f->group), VD_GROUP_BYTES);
		memcpy(fields.author, f->identity.author, VD_KEY_BYTES);
		vd_buf_reset(&raw);
		check(vd_record_create(&fields, vd_slice_str("noise"), f->identity.author_secret, &raw, &id), "record");
		if (badly)
			raw.p[raw.n - 5 - 20] ^= 1;
		vd_buf_put_varint(out, raw.n + 1);
		vd_compact_put_whole(vd_buf_slice(&raw), out);
	}
	vd_buf_deinit(&raw);
}

static void sign_records(struct flooder *f, bool badly)
{
	for (f->messages = 0; f->messages < EACH / AT_ONCE; f->messages++) {
		f->at[f->messages] = f->bytes.n;
		put_records(f, badly, &f->bytes);
	}
	f->at[f->messages] = f->bytes.n;
}

/* ---- what they do ---- */

static void drop(struct connection *c)
{
	struct linger at_once = {1, 0}; /* else our ports run out */

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
	close(c->fd);
	vd_channel_free(c->channel);
	*c = (struct connection){.fd = -1, .way = c->way, .by = c->by, .next = c->next};
}

static void dial(struct connection *c, size_t i)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (c->by ? HOSTS : 0) + (uint32_t)i % HOSTS)};
	uint8_t seed[VD_CHANNEL_SEED_BYTES];
	int yes = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		_exit(1);
	setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
	if (bind(c->fd, (struct sockaddr *)&own, sizeof own))
		_exit(1);
	(void)!connect(c->fd, (struct sockaddr *)&target, sizeof target);
	counted->calls++;
	randombytes_buf(seed, sizeof seed);
	if (c->by)
		c->channel = vd_channel_new(true, &c->by->group, 1, seed);
}

/* Questions want our hello to look as if nothing differed, records as if all did. */
static void put_hello(struct connection *c)
{
	struct vd_buf hello = {0};

	vd_buf_put_u8(&hello, VD_VERSION);
	vd_buf_put_varint(&hello, 0);
	vd_buf_put(&hello, c->summary, sizeof c->summary);
	for (int i = 0; i < VD_LANES + 1; i++) /* nothing in any lane, and nobody declined */
		vd_buf_put_varint(&hello, 0);
	(void)!vd_channel_send(c->channel, VD_MSG_HELLO, vd_buf_slice(&hello));
	vd_buf_deinit(&hello);
	c->said = true;
	counted->sessions++;
}

/* Four thousand bodies that nobody has. */
static void ask_bodies(struct connection *c)
{
	static uint8_t question[1 + VD_BODIES_MAX * VD_ITEM_BYTES];

	randombytes_buf(question, sizeof question);
	question[0] = VD_LANE_NORMAL;
	(void)!vd_channel_send(c->channel, VD_MSG_BODIES, vd_slice(question, sizeof question));
	c->waits = true;
}

/* Their own marks back, so that nothing differs and no round is spent; first some of ours, to learn them. */
static void ask_lanes(struct connection *c, struct vd_slice theirs)
{
	struct vd_buf question = {0};

	for (uint8_t l = 0; l < VD_LANES && theirs.n; l++) { /* lanes that did differ are through */
		uint8_t settled[3] = {c->round, l, 0};

		(void)!vd_channel_send(c->channel, VD_MSG_SETTLED, vd_slice(settled, sizeof settled));
	}
	vd_buf_put_u8(&question, ++c->round);
	for (int i = 0; i < 2 * VD_LANES && !theirs.n; i++)
		vd_buf_put_varint(&question, 0);
	if (theirs.n)
		vd_buf_put(&question, theirs.p + 1, theirs.n - 1);
	(void)!vd_channel_send(c->channel, VD_MSG_LANES, vd_buf_slice(&question));
	vd_buf_deinit(&question);
	c->waits = true;
}

static void push(struct connection *c)
{
	struct flooder *f = c->by;
	size_t i = c->next++ % f->messages;
	struct vd_slice message = vd_slice(f->bytes.p + f->at[i], f->at[i + 1] - f->at[i]);
	struct vd_buf fresh = {0};

	if (c->way == NEW && f->seq < 2 * FRESH) {
		put_records(f, false, &fresh);
		message = vd_buf_slice(&fresh);
	}
	(void)!vd_channel_send(c->channel, VD_MSG_RECORDS, message);
	counted->records += AT_ONCE;
	vd_buf_deinit(&fresh);
}

static bool speak(struct connection *c)
{
	uint8_t noise[200];
	struct vd_buf *out;
	ssize_t n;

	if (!c->by && c->way == KNOCK)
		return false; /* it is up: down with it */
	if (!c->by) {
		randombytes_buf(noise, sizeof noise);
		n = c->way == SILENCE ? 1 : write(c->fd, noise, sizeof noise);
		c->said = true;
		return n > 0;
	}
	out = vd_channel_out(c->channel);
	if (c->answered && !c->said) {
		put_hello(c);
		if (c->way == LANES)
			ask_lanes(c, vd_slice(NULL, 0));
	}
	while (c->said && c->way <= BADLY_SIGNED && out->n < 16 * 1024)
		push(c);
	if (c->said && c->way == BODIES && !c->waits)
		ask_bodies(c);
	n = out->n ? write(c->fd, out->p, out->n) : 0;
	if (n > 0)
		vd_buf_drop(out, (size_t)n);
	if (n > 0)
		counted->bytes += (double)n;
	return n >= 0 || errno == EAGAIN;
}

static bool hear(struct connection *c)
{
	static uint8_t bytes[64 * 1024];
	struct vd_slice payload;
	uint8_t type;
	ssize_t n = read(c->fd, bytes, sizeof bytes);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	if (!c->by)
		return true;
	if (vd_channel_feed(c->channel, vd_slice(bytes, (size_t)n)))
		return false;
	while (vd_channel_next(c->channel, &type, &payload) > 0) {
		if (type == VD_MSG_BYE)
			return false;
		if (type == VD_MSG_HELLO) {
			c->answered = true;
			if (c->way > BADLY_SIGNED && payload.n > 2 + VD_HASH_BYTES)
				memcpy(c->summary, payload.p + 2, VD_HASH_BYTES);
		} else if (c->way == BODIES && type == VD_MSG_NOBODY) {
			c->waits = false;
			counted->questions++;
		} else if (c->way == LANES && type == VD_MSG_LANES) {
			ask_lanes(c, payload);
			counted->questions++;
		}
	}
	return true;
}

static bool has_words(const struct connection *c)
{
	if (!c->by)
		return !c->said;
	return vd_channel_out(c->channel)->n || (c->answered && !c->said) ||
	       (c->said && (c->way <= BADLY_SIGNED || (c->way == BODIES && !c->waits)));
}

/* For ever, and after everybody else's turn: elsewhere these would be other machines, and take none of this one's time. */
_Noreturn static void run(size_t from, size_t to)
{
	static struct pollfd polled[CONNECTIONS];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 19);
	for (;;) {
		for (size_t i = from; i < to; i++) {
			struct connection *c = &connections[i];

			if (c->fd < 0)
				dial(c, i);
			polled[i] = (struct pollfd){.fd = c->fd, .events = (short)(POLLIN | (has_words(c) ? POLLOUT : 0))};
		}
		if (poll(polled + from, to - from, 1000) < 0)
			_exit(1);
		for (size_t i = from; i < to; i++) {
			struct connection *c = &connections[i];
			bool well = !(polled[i].revents & (POLLERR | POLLNVAL));

			if (well && polled[i].revents & (POLLIN | POLLHUP))
				well = hear(c);
			if (well && polled[i].revents & POLLOUT)
				well = speak(c);
			if (!well)
				drop(c);
		}
	}
}

static pid_t start(size_t from, size_t to)
{
	pid_t pid = fork();

	if (!pid)
		run(from, to);
	if (pid < 0)
		die("no process for a flood");
	return pid;
}

void flood_start(struct flood *flood, const char *address)
{
	const char *colon = strrchr(address, ':');

	target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	for (size_t i = 0; i < CONNECTIONS; i++) {
		bool member = i < BY_MEMBERS;

		connections[i] = (struct connection){.fd = -1, .by = member ? &flooders[i / 2] : NULL};
		connections[i].way = member ? i % WAYS : i % 3 + KNOCK;
	}
	for (size_t i = 0; i < BY_MEMBERS; i++)
		if (!connections[i].by->messages && connections[i].way <= BADLY_SIGNED)
			sign_records(connections[i].by, connections[i].way == BADLY_SIGNED);
	counted = mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (counted == MAP_FAILED)
		die("no memory for a flood");
	flood->count = counted;
	flood->members = start(0, BY_MEMBERS);
	flood->strangers = start(BY_MEMBERS, CONNECTIONS);
}

void flood_stop(struct flood *flood)
{
	kill(flood->members, SIGKILL);
	kill(flood->strangers, SIGKILL);
	waitpid(flood->members, NULL, 0);
	waitpid(flood->strangers, NULL, 0);
	munmap(counted, sizeof *counted);
}
