/* Calls: to whom, by which of their addresses, and what makes room for whom. */
#include "tests/unit/tcp_cast.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcp__calls_find_a_place, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__who_is_silent_is_called_back_under_older_epochs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__silent_ones_displace_each_other, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_word_for_each_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tcp__a_call_tries_every_address, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
