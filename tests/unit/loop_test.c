/* The daemon as a process of its own, called by vd_sync_tcp and by other daemons, over 127.0.0.1. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "daemon/link_tcp.h"
#include "daemon/loop.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "store/store.h"

enum { PATIENCE_MS = 60000 };

/* --- people and their stores --- */

struct person {
	char home[128];
	uint8_t group[VD_GROUP_BYTES];
};

static char top[64];

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct vd_store *open_store(const struct person *who)
{
	struct vd_store *store;

	assert_int_equal(vd_store_open(who->home, &store), 0);
	return store;
}

static void make_store(struct person *who, const char *name)
{
	snprintf(who->home, sizeof who->home, "%s/%s", top, name);
	assert_int_equal(vd_store_create(who->home, name), 0);
}

static void found(struct person *who)
{
	struct vd_store *store = open_store(who);

	assert_int_equal(vd_store_found(store, "Cuenca", "Rosa", clock_ms(CLOCK_REALTIME), who->group), 0);
	vd_store_close(store);
}

static void add_control(struct vd_write *write, struct vd_group *group, struct vd_buf *content, struct vd_id *id)
{
	struct vd_draft draft = {.lane = VD_LANE_CONTROL, .content = vd_buf_slice(content), .now_ms = clock_ms(CLOCK_REALTIME)};

	assert_int_equal(vd_write_own(write, group, &draft, id), 0);
	vd_buf_deinit(content);
}

static int take_control(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)arrival;
	(void)received_ms;
	return vd_batch_add(ctx, raw);
}

/* The hub admits, the newcomer joins: what `admit` and `join` do, without the file between them. */
static void admit(const struct person *hub, struct person *newcomer)
{
	struct vd_store *store = open_store(newcomer), *hub_store = open_store(hub);
	struct vd_identity identity;
	struct vd_card card;
	struct vd_group *group;
	struct vd_write *write;
	struct vd_buf content = {0};
	struct vd_batch batch = {0};
	struct vd_id grant, sealed;
	uint8_t person[VD_PERSON_BYTES], nonce[VD_BODY_NONCE_BYTES], epoch[VD_EPOCH_BYTES];

	assert_int_equal(vd_store_next_identity(store, &identity), 0);
	assert_int_equal(vd_card_create(&identity, &card), 0);
	randombytes_buf(person, sizeof person);
	randombytes_buf(nonce, sizeof nonce);
	assert_int_equal(vd_store_group(hub_store, hub->group, &group), 0);
	assert_int_equal(vd_write_begin(hub_store, &write), 0);
	assert_int_equal(vd_group_make_grant(group, &card, person, VD_ROLE_MEMBER, 0, "Ana", nonce, &content), 0);
	add_control(write, group, &content, &grant);
	memcpy(epoch, vd_group_epoch_id(group, 0), sizeof epoch);
	assert_int_equal(vd_group_make_epoch_for(group, epoch, card.author, &content), 0);
	add_control(write, group, &content, &sealed);
	assert_int_equal(vd_write_commit(write), 0);

	assert_int_equal(vd_store_walk(hub_store, hub->group, VD_LANE_CONTROL, 0, take_control, &batch), 0);
	assert_int_equal(vd_store_join(store, hub->group, &batch, grant.b), 0);
	memcpy(newcomer->group, hub->group, VD_GROUP_BYTES);
	vd_batch_deinit(&batch);
	vd_group_free(group);
	vd_identity_wipe(&identity);
	vd_store_close(store);
	vd_store_close(hub_store);
}

static struct vd_id say(const struct person *who, size_t count, uint8_t lane)
{
	struct vd_store *store = open_store(who);
	struct vd_group *group;
	struct vd_write *write;
	struct vd_id id;

	assert_int_equal(vd_store_group(store, who->group, &group), 0);
	assert_int_equal(vd_write_begin(store, &write), 0);
	for (size_t i = 0; i < count; i++) {
		static const char text[] = "two boats passed the second bend of the river at night without lights";
		struct vd_field field = {vd_slice_str("text"), {.type = VD_MP_STR, .bytes = vd_slice(text, 20 + i % 40)}};
		struct vd_buf content = {0};

		assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
		struct vd_draft draft = {.lane = lane, .audience = VD_AUDIENCE_MEMBERS, .content = vd_buf_slice(&content),
		                         .now_ms = clock_ms(CLOCK_REALTIME)};
		assert_int_equal(vd_write_own(write, group, &draft, &id), 0);
		vd_buf_deinit(&content);
	}
	assert_int_equal(vd_write_commit(write), 0);
	vd_group_free(group);
	vd_store_close(store);
	return id;
}

static bool has(const struct person *who, const struct vd_id *id)
{
	struct vd_store *store = open_store(who);
	uint64_t arrival;
	int rc = vd_store_find(store, id, &arrival);

	vd_store_close(store);
	assert_true(!rc || rc == VD_ENOTFOUND);
	return !rc;
}

static bool same(const struct person *a, const struct person *b)
{
	struct vd_store *stores[2] = {open_store(a), open_store(b)};
	bool equal = true;

	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state state[2];

		for (int i = 0; i < 2; i++)
			assert_int_equal(vd_store_lane(stores[i], a->group, lane, &state[i], NULL, 0), 0);
		equal &= vd_digest_eq(&state[0].digest, &state[1].digest);
	}
	vd_store_close(stores[0]);
	vd_store_close(stores[1]);
	return equal;
}

#define EVENTUALLY(condition)                                                             \
	do {                                                                              \
		uint64_t end_ms = clock_ms(CLOCK_MONOTONIC) + PATIENCE_MS;                \
		while (!(condition) && clock_ms(CLOCK_MONOTONIC) < end_ms)                \
			usleep(20000);                                                    \
		assert_true(condition);                                                   \
	} while (0)

/* --- daemons --- */

struct process {
	pid_t pid;
	int log;         /* its stderr */
	char address[VD_ADDRESS_TEXT], seen[65536];
	size_t seen_bytes;
};

static bool read_log(struct process *process, const char *wanted)
{
	struct pollfd poll_fd = {process->log, POLLIN, 0};

	while (!strstr(process->seen, wanted)) {
		if (poll(&poll_fd, 1, PATIENCE_MS) <= 0)
			return false;
		ssize_t n = read(process->log, process->seen + process->seen_bytes, sizeof process->seen - 1 - process->seen_bytes);
		if (n <= 0)
			return false;
		process->seen_bytes += (size_t)n;
	}
	return true;
}

static bool discovers; /* the daemons started now: on the loopback interface */

/* This program again, as a daemon: a fresh process, with none of the test's threads and handlers. */
static pid_t spawn(const struct person *who, const char *listen, const char *peer, int log)
{
	static char program[] = "loop_test", home_is[] = "--home", listen_on[] = "--listen", peer_is[] = "--peer";
	static char discover_on[] = "--discover-on", lo[] = "lo";
	char home[sizeof who->home], at[VD_ADDRESS_TEXT], to[VD_ADDRESS_TEXT];
	char *argv[10] = {program, home_is, home, listen_on, at}, **end = argv + 5;

	snprintf(home, sizeof home, "%s", who->home);
	snprintf(at, sizeof at, "%s", listen);
	snprintf(to, sizeof to, "%s", peer ? peer : "");
	if (peer) {
		*end++ = peer_is;
		*end++ = to;
	}
	if (discovers) {
		*end++ = discover_on;
		*end++ = lo;
	}
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves no daemon behind */
	dup2(log, STDERR_FILENO);
	execv("/proc/self/exe", argv);
	_exit(99);
}

static int run_daemon(int argc, char **argv)
{
	struct vd_conf conf;
	char message[VD_CONF_MESSAGE];

	return vd_conf_parse(argc, argv, &conf, message) ? 98 : -vd_loop_run(&conf);
}

static void start(struct process *process, const struct person *who, const char *listen, const char *peer)
{
	int ends[2];

	memset(process, 0, sizeof *process);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	process->pid = spawn(who, listen, peer, ends[1]);
	close(ends[1]);
	process->log = ends[0];
	assert_true(read_log(process, "<6>ready"));
	const char *address = strstr(process->seen, "<6>listening addr=");
	assert_non_null(address);
	assert_int_equal(sscanf(address, "<6>listening addr=%95s", process->address), 1);
}

/* Its exit status, or minus the signal that killed it. */
static int stop(struct process *process, int with)
{
	int status;

	kill(process->pid, with);
	assert_int_equal(waitpid(process->pid, &status, 0), process->pid);
	if (WIFSIGNALED(status) && WTERMSIG(status) != with) {
		read_log(process, "\n\n"); /* never comes: all it had to say */
		print_error("%s", process->seen);
	}
	close(process->log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int sync_once(const struct person *who, const char *address, struct vd_sync_result *result)
{
	struct vd_store *store = open_store(who);
	struct vd_group *group;

	assert_int_equal(vd_store_group(store, who->group, &group), 0);
	int rc = vd_sync_tcp(store, group, address, result);
	vd_group_free(group);
	vd_store_close(store);
	return rc;
}

static int dial(const struct process *process)
{
	struct sockaddr_storage to;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(vd_address_parse(process->address, &to), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(struct sockaddr_in)), 0);
	return fd;
}

static struct person hub, ana, ben;

static int setup(void **state)
{
	(void)state;
	strcpy(top, "/tmp/vd_loop_XXXXXX");
	if (!mkdtemp(top))
		return -1;
	make_store(&hub, "hub");
	make_store(&ana, "ana");
	make_store(&ben, "ben");
	found(&hub);
	admit(&hub, &ana);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", top);
	return system(command);
}

/* --- what it does --- */

static void test_loop__a_call_brings_both_the_same(void **state)
{
	struct vd_sync_result result;
	struct process daemon;

	(void)state;
	say(&hub, 700, VD_LANE_NORMAL);
	say(&ana, 300, VD_LANE_URGENT);
	start(&daemon, &hub, "127.0.0.1:0", NULL);
	assert_int_equal(sync_once(&ana, daemon.address, &result), 0);
	assert_true(result.connected);
	assert_true(result.complete);
	assert_int_equal(result.stats.sent, 300);
	assert_int_equal(result.stats.received, 700);
	assert_true(result.bytes_in > 700 * 100 && result.bytes_out > 300 * 100);
	assert_true(same(&hub, &ana));

	/* nothing new costs next to nothing, and is the same for both ends */
	assert_int_equal(sync_once(&ana, daemon.address, &result), 0);
	assert_true(result.complete);
	assert_int_equal(result.stats.sent + result.stats.received, 0);
	assert_true(result.bytes_in + result.bytes_out < 2000);
	assert_int_equal(stop(&daemon, SIGTERM), 0);

	assert_int_equal(sync_once(&ana, daemon.address, &result), VD_ECLOSED);
	assert_false(result.connected);
	assert_int_equal(sync_once(&ana, "127.0.0.1", &result), VD_EINVAL);
	assert_int_equal(sync_once(&ana, "127.0.0.1:0", &result), VD_EINVAL);
}

/* A new epoch, as after a removal. */
static void rotate(const struct person *who)
{
	struct vd_store *store = open_store(who);
	struct vd_epoch_keys keys;
	struct vd_group *group;
	struct vd_write *write;
	struct vd_buf content = {0};
	struct vd_id id;

	randombytes_buf(&keys, sizeof keys);
	assert_int_equal(vd_store_group(store, who->group, &group), 0);
	assert_int_equal(vd_group_make_epoch(group, &keys, NULL, 0, &content), 0);
	assert_int_equal(vd_write_begin(store, &write), 0);
	add_control(write, group, &content, &id);
	assert_int_equal(vd_write_commit(write), 0);
	vd_group_free(group);
	vd_store_close(store);
}

/* Arrival number up to which one store takes the other's device to have its control records; 0: none. */
static uint64_t heard(const struct person *who, const struct person *of)
{
	struct vd_store *store = open_store(who), *other = open_store(of);
	struct vd_group *group;
	uint64_t arrival = 0;

	assert_int_equal(vd_store_group(other, of->group, &group), 0);
	int rc = vd_store_heard(store, who->group, vd_group_identity(group)->author, &arrival);
	assert_true(!rc || rc == VD_ENOTFOUND);
	vd_group_free(group);
	vd_store_close(store);
	vd_store_close(other);
	return rc ? 0 : arrival;
}

/* Who was away when the epoch changed, twice: whoever calls, with the command line or the daemon, both end with everything. */
static void test_loop__one_that_was_away_catches_up(void **state)
{
	(void)state;
	for (int way = 0; way < 3; way++) {
		struct vd_sync_result result;
		struct process one, two;

		rotate(&hub);
		rotate(&hub);
		for (uint8_t lane = VD_LANE_URGENT; lane < VD_LANES; lane++) {
			say(&hub, 30, lane);
			say(&ana, 20, lane);
		}
		start(&one, way ? &ana : &hub, "127.0.0.1:0", NULL);
		if (way < 2) {
			assert_int_equal(sync_once(way ? &hub : &ana, one.address, &result), 0);
			assert_true(result.connected && result.complete);
			/* of a list two in some hundred look like one, and are sent once more */
			assert_in_range(result.stats.sent, way ? 92 : 60, way ? 94 : 62);
			assert_in_range(result.stats.received, way ? 60 : 92, way ? 62 : 94);
		} else {
			start(&two, &hub, "127.0.0.1:0", one.address);
			EVENTUALLY(same(&hub, &ana));
			assert_true(read_log(&two, "<6>settled"));
			assert_int_equal(stop(&two, SIGTERM), 0);
		}
		assert_true(same(&hub, &ana));
		uint64_t before = heard(&ana, &hub);
		/* what is written from now on is written under the new keys */
		say(&ana, 1, VD_LANE_URGENT);
		assert_int_equal(sync_once(way ? &hub : &ana, one.address, &result), 0);
		assert_int_equal(stop(&one, SIGTERM), 0);
		assert_true(same(&hub, &ana));
		/* both know of each other that the control records came across, and do not write it down again */
		assert_true(heard(&hub, &ana) > 0 && heard(&ana, &hub) > 0);
		if (!way)
			assert_int_equal(heard(&ana, &hub), before);
	}
}

/* Neither was told where the other is: the old epoch's tag in its beacon is enough. */
static void test_loop__one_that_was_away_is_found_by_its_beacon(void **state)
{
	struct process one, two;

	(void)state;
	rotate(&hub);
	struct vd_id there = say(&hub, 10, VD_LANE_NORMAL), back = say(&ana, 10, VD_LANE_NORMAL);
	discovers = true;
	start(&one, &ana, "127.0.0.1:0", NULL);
	start(&two, &hub, "127.0.0.1:0", NULL);
	discovers = false;
	EVENTUALLY(has(&ana, &there) && has(&hub, &back));
	assert_true(read_log(&two, "<6>settled"));
	assert_true(strstr(two.seen, "<6>opened") && strstr(two.seen, " to=127.0.0.1"));
	assert_int_equal(stop(&one, SIGTERM), 0);
	assert_int_equal(stop(&two, SIGTERM), 0);
	assert_true(same(&hub, &ana));
}

/* A hundred connections from one address that say nothing keep nobody from another out. */
static void test_loop__silent_ones_keep_nobody_out(void **state)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000002)};
	struct sockaddr_storage to;
	struct vd_sync_result result;
	struct process daemon;
	int fd[100];

	(void)state;
	say(&hub, 20, VD_LANE_NORMAL);
	start(&daemon, &hub, "127.0.0.1:0", NULL);
	assert_int_equal(vd_address_parse(daemon.address, &to), 0);
	for (size_t i = 0; i < 100; i++) {
		fd[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(bind(fd[i], (const struct sockaddr *)&from, sizeof from), 0);
		assert_int_equal(connect(fd[i], (const struct sockaddr *)&to, sizeof(struct sockaddr_in)), 0);
	}
	assert_int_equal(sync_once(&ana, daemon.address, &result), 0);
	assert_true(result.complete && same(&hub, &ana));
	for (size_t i = 0; i < 100; i++)
		close(fd[i]);
	assert_int_equal(stop(&daemon, SIGTERM), 0);
}

static void test_loop__open_sessions_push_at_once(void **state)
{
	struct process one, two;
	struct vd_buf answer = {0};

	(void)state;
	say(&hub, 50, VD_LANE_NORMAL);
	start(&one, &hub, "127.0.0.1:0", NULL);
	start(&two, &ana, "127.0.0.1:0", one.address);
	EVENTUALLY(same(&hub, &ana));
	assert_true(read_log(&two, "<6>settled"));
	struct vd_id there = say(&hub, 1, VD_LANE_URGENT);
	assert_int_equal(vd_ctl_request(hub.home, "poke", &answer), 0);
	EVENTUALLY(has(&ana, &there));
	struct vd_id back = say(&ana, 1, VD_LANE_URGENT);
	assert_int_equal(vd_ctl_request(ana.home, "poke", &answer), 0);
	EVENTUALLY(has(&hub, &back));
	/* who dies before the poke is noticed all the same */
	struct vd_id silent = say(&hub, 1, VD_LANE_NORMAL);
	EVENTUALLY(has(&ana, &silent));

	assert_int_equal(vd_ctl_request(hub.home, "status", &answer), 0);
	vd_buf_put_u8(&answer, 0);
	assert_non_null(strstr((const char *)answer.p, "\"state\":\"settled\""));
	assert_non_null(strstr((const char *)answer.p, one.address));
	vd_buf_deinit(&answer);
	assert_int_equal(stop(&one, SIGINT), 0);
	assert_int_equal(stop(&two, SIGTERM), 0);
}

static void test_loop__a_killed_peer_is_called_again(void **state)
{
	struct process one, two;
	char address[VD_ADDRESS_TEXT];

	(void)state;
	start(&one, &hub, "127.0.0.1:0", NULL);
	snprintf(address, sizeof address, "%s", one.address);
	start(&two, &ana, "127.0.0.1:0", address);
	assert_true(read_log(&two, "<6>settled"));
	assert_int_equal(stop(&one, SIGKILL), -SIGKILL);
	assert_true(read_log(&two, "<6>closed"));
	struct vd_id meanwhile = say(&hub, 20, VD_LANE_NORMAL);
	start(&one, &hub, address, NULL); /* over the socket and lock that the killed one left */
	EVENTUALLY(has(&ana, &meanwhile));
	assert_true(same(&hub, &ana));
	assert_int_equal(stop(&two, SIGTERM), 0);
	assert_int_equal(stop(&one, SIGTERM), 0);
}

static void test_loop__a_group_joined_later_is_served(void **state)
{
	struct process one, two;
	struct vd_buf answer = {0};

	(void)state;
	start(&one, &hub, "127.0.0.1:0", NULL);
	start(&two, &ben, "127.0.0.1:0", one.address);
	struct vd_id id = say(&hub, 5, VD_LANE_NORMAL);
	admit(&hub, &ben);
	assert_int_equal(vd_ctl_request(hub.home, "poke", &answer), 0);
	assert_int_equal(vd_ctl_request(ben.home, "poke", &answer), 0);
	vd_buf_deinit(&answer);
	EVENTUALLY(has(&ben, &id));
	assert_int_equal(stop(&two, SIGTERM), 0);
	assert_int_equal(stop(&one, SIGTERM), 0);
}

static void test_loop__a_store_has_one_daemon(void **state)
{
	struct process one;
	struct vd_conf conf = {0};

	(void)state;
	start(&one, &hub, "127.0.0.1:0", NULL);
	pid_t pid = spawn(&hub, "127.0.0.1:0", NULL, STDERR_FILENO);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), -VD_EBUSY);
	assert_int_equal(stop(&one, SIGTERM), 0);
	snprintf(conf.home, sizeof conf.home, "%s/nobody", top);
	assert_int_equal(vd_loop_run(&conf), VD_ENOSTORE);
}

static void test_loop__strangers_get_32_bytes_and_silence(void **state)
{
	struct process one;
	uint8_t prologue[32], noise[96], more;
	struct timeval second = {1, 0};

	(void)state;
	start(&one, &hub, "127.0.0.1:0", NULL);
	int fd = dial(&one);
	assert_int_equal(recv(fd, prologue, sizeof prologue, MSG_WAITALL), 32);
	randombytes_buf(noise, sizeof noise);
	assert_int_equal(send(fd, noise, sizeof noise, MSG_NOSIGNAL), sizeof noise);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	assert_int_equal(recv(fd, &more, 1, 0), -1);
	assert_int_equal(errno, EAGAIN); /* not even that it gave up */
	close(fd);
	assert_int_equal(stop(&one, SIGTERM), 0);
}

static void test_loop__hostile_connections_harm_only_themselves(void **state)
{
	struct vd_sync_result result;
	struct process one;
	uint8_t noise[65536];
	int fds[100];

	(void)state;
	say(&hub, 100, VD_LANE_NORMAL);
	start(&one, &hub, "127.0.0.1:0", NULL);
	randombytes_buf(noise, sizeof noise);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		fds[i] = dial(&one);
		/* silent; half a first message; a first message and garbage; a flood */
		size_t n = (size_t[]){0, 20, 48 + 66, sizeof noise}[i % 4];
		ssize_t sent = send(fds[i], noise, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		(void)sent;
	}
	assert_int_equal(sync_once(&ana, one.address, &result), 0);
	assert_true(result.complete);
	assert_true(same(&hub, &ana));
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
	assert_int_equal(stop(&one, SIGTERM), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_loop__a_call_brings_both_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__one_that_was_away_catches_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__one_that_was_away_is_found_by_its_beacon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__silent_ones_keep_nobody_out, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__open_sessions_push_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__a_killed_peer_is_called_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__a_group_joined_later_is_served, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__a_store_has_one_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__strangers_get_32_bytes_and_silence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop__hostile_connections_harm_only_themselves, setup, teardown),
	};

	if (vd_sign_selftest())
		return 1;
	if (argc > 1)
		return run_daemon(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
