#include "link_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heard.h"
#include "proto/err.h"
#include "proto/pipe.h"
#include "tcp.h"

enum {
	READ_BYTES = 64 * 1024,
	LOOK_MS = 1000,      /* at what a signal may have said just before we slept */
	REAP_MS = 10,
	KILL_MS = 2000,      /* after it was told to end */
	TEXT_BYTES_MIN = 16, /* so many of the first bytes, or all there are, are text: random ones are that once in five million times */
};

struct talk {
	struct vd_store *store;
	struct vd_pipe *pipe;
	const struct vd_stdio_way *way;
	struct vd_sync_result *results;
	struct vd_stdio_result *result;
	pid_t pid;               /* 0: no program */
	int in, out, err;        /* -1: closed */
	bool own;                /* in and out are ours to close */
	struct vd_buf unsent;
	uint64_t moved_ms;       /* unsent last shrank, or was empty */
	char line[VD_STDIO_LINE_MAX];
	size_t line_n, lines;
	uint8_t input[READ_BYTES];
};

/* --- the program --- */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Pipes to its standard input, output and error. */
static int spawn(struct talk *t)
{
	extern char **environ;
	int to[2] = { -1, -1 }, from[2] = { -1, -1 }, says[2] = { -1, -1 }, rc = VD_EIO, failed;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;

	if (posix_spawn_file_actions_init(&actions))
		return VD_ENOMEM;
	if (posix_spawnattr_init(&attributes)) {
		posix_spawn_file_actions_destroy(&actions);
		return VD_ENOMEM;
	}
	if (pipe2(to, O_CLOEXEC) || pipe2(from, O_CLOEXEC) || pipe2(says, O_CLOEXEC))
		goto done;
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE); /* which we ignore */
	rc = VD_ENOMEM;
	if (posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO) ||
	    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO) ||
	    posix_spawn_file_actions_adddup2(&actions, says[1], STDERR_FILENO) || posix_spawnattr_setsigmask(&attributes, &none) ||
	    posix_spawnattr_setsigdefault(&attributes, &defaults) ||
	    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
		goto done;
	/* it changes no argument */
	failed = posix_spawnp(&t->pid, t->way->program[0], &actions, &attributes, (char *const *)(uintptr_t)t->way->program, environ);
	if (failed)
		t->pid = 0;
	t->result->no_program = failed == ENOENT || failed == EACCES;
	rc = !failed ? VD_OK : failed == ENOENT || failed == EACCES ? VD_ECLOSED : VD_EIO;
	if (rc)
		goto done;
	t->out = to[1];
	t->in = from[0];
	t->err = says[0];
	t->own = true;
	to[1] = from[0] = says[0] = -1;
done:
	for (size_t i = 0; i < 2; i++) {
		shut(&to[i]);
		shut(&from[i]);
		shut(&says[i]);
	}
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static void say_line(struct talk *t)
{
	if (t->line_n && t->lines++ < VD_STDIO_LINES_MAX && t->way->said)
		t->way->said(t->way->ctx, vd_slice(t->line, t->line_n));
	t->line_n = 0;
}

/* Of a line too long its beginning is passed on. */
static void read_err(struct talk *t)
{
	ssize_t n = read(t->err, t->input, sizeof t->input);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		say_line(t);
		shut(&t->err);
	}
	for (ssize_t i = 0; i < n; i++) {
		if (t->input[i] == '\n' || t->input[i] == '\r')
			say_line(t);
		else if (t->line_n < sizeof t->line)
			t->line[t->line_n++] = (char)t->input[i];
	}
}

static bool reap(struct talk *t)
{
	int status;

	if (t->pid && waitpid(t->pid, &status, WNOHANG) == t->pid) {
		t->pid = 0;
		t->result->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	}
	return !t->pid;
}

/* Its standard error need not end with it: a master connection of ssh's keeps that open. */
static void part(struct talk *t, uint64_t patience_ms)
{
	uint64_t told_ms = UINT64_MAX, end_ms = vd_tcp_now() + patience_ms;

	while (!reap(t)) {
		struct pollfd fds[2] = { { t->err, POLLIN, 0 }, { t->in, POLLIN, 0 } };
		uint64_t now_ms = vd_tcp_now();

		/* What it still had to say to us is not for us any more, but it must get rid of it. */
		if (poll(fds, 2, REAP_MS) > 0) {
			if (fds[0].revents)
				read_err(t);
			if (fds[1].revents && read(t->in, t->input, sizeof t->input) <= 0)
				shut(&t->in);
		}
		if (t->way->stopped && t->way->stopped() && told_ms == UINT64_MAX)
			end_ms = now_ms;
		if (now_ms < end_ms)
			continue;
		if (told_ms == UINT64_MAX)
			told_ms = now_ms;
		kill(t->pid, now_ms - told_ms < KILL_MS ? SIGTERM : SIGKILL);
		end_ms = now_ms + KILL_MS;
	}
	/* what it said last, without waiting for more */
	for (struct pollfd last = { t->err, POLLIN, 0 }; t->err >= 0 && poll(&last, 1, 0) > 0; last.fd = t->err)
		read_err(t);
	say_line(t);
}

/* --- bytes --- */

static void commit(struct talk *t)
{
	struct vd_group *group;
	struct vd_batch *batch;

	while ((batch = vd_pipe_batch(t->pipe, &group)) != NULL) {
		struct vd_merge merge = { 0 };
		int rc = vd_store_commit(t->store, group, batch, &merge);
		size_t count, i = 0;
		const struct vd_pipe_met *met = vd_pipe_groups(t->pipe, &count);

		while (met[i].group != group)
			i++;
		t->results[i].over_share += merge.over_share;
		t->results[i].later += merge.later;
		vd_pipe_committed(t->pipe, vd_tcp_now(), rc);
	}
}

static void talk_of_receipts(struct talk *t)
{
	const struct vd_route route = vd_route_link("pipe");
	uint8_t peer[VD_KEY_BYTES];
	struct vd_group *group;
	struct vd_words words;
	struct vd_buf own = {0};

	if (vd_pipe_words(t->pipe, &group, peer, &words))
		vd_heard_words(t->store, group, peer, &words, &route);
	vd_words_deinit(&words);
	if (!vd_pipe_asks_word(t->pipe, &group))
		return;
	vd_heard_say(t->store, group, &own);
	vd_pipe_said(t->pipe, vd_tcp_now(), vd_buf_slice(&own));
	vd_buf_deinit(&own);
}

/* All that the pipe wants of the store. */
static void serve(struct talk *t)
{
	commit(t);
	talk_of_receipts(t);
}

/* Who is no vereda may be a shell that greets. */
static void note_text(struct talk *t, struct vd_slice bytes)
{
	size_t n = strlen(t->result->text);

	if (t->result->bytes_in > n) /* something else came before */
		return;
	for (size_t i = 0; i < bytes.n && n < VD_STDIO_TEXT; i++) {
		uint8_t c = bytes.p[i];

		if (c != '\t' && c != '\n' && c != '\r' && (c < ' ' || c > '~'))
			break;
		t->result->text[n++] = c < ' ' ? ' ' : (char)c;
	}
	t->result->text[n] = '\0';
}

static void read_in(struct talk *t)
{
	ssize_t n = read(t->in, t->input, sizeof t->input);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		if (t->own)
			close(t->in);
		t->in = -1;
		vd_pipe_ended(t->pipe, vd_tcp_now());
	} else {
		note_text(t, vd_slice(t->input, (size_t)n));
		t->result->bytes_in += (uint64_t)n;
		vd_pipe_feed(t->pipe, vd_tcp_now(), vd_slice(t->input, (size_t)n));
	}
	serve(t);
}

/* Who reads no more may still have something to say. */
static void drop_out(struct talk *t)
{
	if (t->out >= 0 && t->own)
		close(t->out);
	t->out = -1;
	vd_buf_reset(&t->unsent);
}

static void write_out(struct talk *t)
{
	/* Others may have the same pipe or socket open, so its mode stays what it is; so much never blocks, once poll says so. */
	ssize_t n = send(t->out, t->unsent.p, t->unsent.n, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK)
		n = write(t->out, t->unsent.p, t->unsent.n < PIPE_BUF ? t->unsent.n : PIPE_BUF);
	if (n < 0 && errno != EINTR && errno != EAGAIN)
		drop_out(t);
	if (n <= 0)
		return;
	t->result->bytes_out += (uint64_t)n;
	t->moved_ms = vd_tcp_now();
	vd_buf_drop(&t->unsent, (size_t)n);
}

/* Little at a time, so that an alert overtakes in the session what has not left it. */
static int fill(struct talk *t)
{
	while (vd_pipe_wants_output(t->pipe) && t->unsent.n < VD_TCP_WRITE_BYTES) {
		int rc = vd_pipe_drain(t->pipe, vd_tcp_now(), VD_TCP_WRITE_BYTES, &t->unsent);

		if (rc)
			return rc;
		serve(t);
		if (t->out < 0)
			vd_buf_reset(&t->unsent);
	}
	return VD_OK;
}

static int wait_ms(const struct talk *t, uint64_t now_ms, uint64_t first_ms)
{
	uint64_t at = vd_pipe_deadline(t->pipe), wait;

	if (!vd_pipe_heard(t->pipe) && first_ms < at)
		at = first_ms;
	wait = at > now_ms ? at - now_ms : 0;
	return wait < LOOK_MS ? (int)wait : LOOK_MS;
}

/* False: time is up for who does not come, or takes nothing. */
static bool in_time(struct talk *t, uint64_t now_ms, uint64_t first_ms)
{
	if (!t->unsent.n)
		t->moved_ms = now_ms;
	return (vd_pipe_heard(t->pipe) || now_ms < first_ms) &&
	       (!vd_pipe_heard(t->pipe) || now_ms < t->moved_ms + VD_STALL_MS);
}

static int converse(struct talk *t)
{
	uint64_t first_ms = vd_tcp_now() + (t->own ? VD_STDIO_PROGRAM_MS : VD_STDIO_FIRST_MS), waits_ms = vd_tcp_now() + VD_STDIO_WAITS_MS;
	bool waits = t->own && t->way->waits;

	t->moved_ms = vd_tcp_now();
	for (;;) {
		struct pollfd fds[3];
		uint64_t now_ms;
		int rc = fill(t);

		if (rc)
			return rc;
		if (vd_pipe_over(t->pipe) && !t->unsent.n)
			return vd_pipe_err(t->pipe);
		fds[0] = (struct pollfd){ t->in >= 0 && vd_pipe_wants_input(t->pipe) ? t->in : -1, POLLIN, 0 };
		fds[1] = (struct pollfd){ t->unsent.n ? t->out : -1, POLLOUT, 0 };
		fds[2] = (struct pollfd){ t->err, POLLIN, 0 };
		rc = poll(fds, 3, wait_ms(t, vd_tcp_now(), first_ms));
		now_ms = vd_tcp_now();
		if (t->way->stopped && !t->result->stopped && t->way->stopped()) {
			t->result->stopped = true;
			vd_pipe_stop(t->pipe, now_ms);
			t->moved_ms = now_ms - (VD_STALL_MS - VD_TCP_END_MS); /* for a goodbye */
			continue;
		}
		if (rc > 0 && fds[1].revents)
			write_out(t);
		if (rc > 0 && fds[2].revents)
			read_err(t);
		if (rc > 0 && fds[0].revents)
			read_in(t);
		if (!in_time(t, now_ms, first_ms))
			return VD_ECLOSED;
		if (waits && now_ms >= waits_ms) {
			waits = false;
			if (!vd_pipe_heard(t->pipe))
				t->way->waits(t->way->ctx);
		}
		vd_pipe_tick(t->pipe, now_ms);
		serve(t);
	}
}

/* --- the whole --- */

static void note_met(struct talk *t, const struct vd_pipe_met *met)
{
	const struct vd_shown shown = vd_shown_of(&met->stats, "pipe", met->complete ? &met->apart : NULL);

	(void)vd_heard_note(t->store, vd_group_id(met->group), met->peer, &shown);
}

/* Of each group; nothing depends on what is noted: the next visit shows it again. */
static void tell(struct talk *t, int *errs)
{
	size_t count;
	const struct vd_pipe_met *met = vd_pipe_groups(t->pipe, &count);

	for (size_t i = 0; i < count; i++) {
		struct vd_sync_result *r = &t->results[i];

		r->stats = met[i].stats;
		r->connected = met[i].opened;
		r->complete = met[i].complete;
		r->refused = met[i].refused;
		r->apart = met[i].apart;
		memcpy(r->peer, met[i].peer, sizeof r->peer);
		errs[i] = met[i].err;
		if (met[i].opened || met[i].refused)
			t->result->text[0] = '\0';
		if (met[i].opened && met[i].stats.control_through)
			note_met(t, &met[i]);
	}
	t->result->heard = vd_pipe_heard(t->pipe);
	if (strlen(t->result->text) < TEXT_BYTES_MIN && strlen(t->result->text) < t->result->bytes_in)
		t->result->text[0] = '\0';
}

static int talk_new(struct talk **out, struct vd_store *store, struct vd_group *const *groups, size_t count, struct vd_port *port,
                    bool yields)
{
	uint8_t seed[VD_NODE_SEED_BYTES];
	struct talk *t = calloc(1, sizeof *t);

	if (!t)
		return VD_ENOMEM;
	randombytes_buf(seed, sizeof seed);
	t->pipe = vd_pipe_new(port, groups, count, yields, seed);
	sodium_memzero(seed, sizeof seed);
	if (!t->pipe) {
		free(t);
		return VD_ENOMEM;
	}
	t->store = store;
	t->in = t->out = t->err = -1;
	*out = t;
	return VD_OK;
}

int vd_sync_stdio(struct vd_store *store, struct vd_group *const *groups, size_t count, const struct vd_stdio_way *way,
                  struct vd_sync_result *results, int *errs, struct vd_stdio_result *result)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	uint64_t start_ms = vd_tcp_now();
	struct vd_port port;
	struct talk *t;
	int rc;

	memset(results, 0, count * sizeof *results);
	memset(errs, 0, count * sizeof *errs);
	*result = (struct vd_stdio_result){ .status = -1 };
	vd_store_port(store, &port);
	rc = talk_new(&t, store, groups, count, &port, way->program != NULL);
	if (rc)
		return rc;
	t->way = way;
	t->results = results;
	t->result = result;
	t->in = way->program ? -1 : way->in;
	t->out = way->program ? -1 : way->out;
	sigaction(SIGPIPE, &ignore, &before);
	rc = way->program ? spawn(t) : VD_OK;
	if (!rc)
		rc = converse(t);
	tell(t, errs);
	result->elapsed_ms = vd_tcp_now() - start_ms;
	if (t->out >= 0 && !t->own)
		shutdown(t->out, SHUT_WR); /* a socket that is our input as well would say nothing of the end */
	drop_out(t);
	part(t, rc ? VD_STDIO_FAILED_MS : VD_STDIO_PART_MS);
	if (t->own)
		shut(&t->in);
	shut(&t->err);
	sigaction(SIGPIPE, &before, NULL);
	vd_pipe_free(t->pipe);
	vd_buf_deinit(&t->unsent);
	free(t);
	return rc;
}
