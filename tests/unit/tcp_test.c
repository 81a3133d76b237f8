/* The driver of TCP connections, with a node of the test's own making. */
#include "tests/unit/tcp_cast.h"

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

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
		cmocka_unit_test_setup_teardown(test_tcp__stop_says_goodbye, setup, teardown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
