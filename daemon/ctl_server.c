#include "ctl_server.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"

struct client {
	struct vd_ctl *ctl;
	struct client *next;
	uv_pipe_t pipe;
	uv_write_t write;
	struct vd_ctl_line line;
	struct vd_buf answer;
	uint64_t since_ms;
	bool answered, waits;
	char input[VD_CTL_LINE];
};

struct vd_ctl {
	uv_loop_t *loop;
	vd_ctl_answer *answer;
	void *ctx;
	uv_pipe_t listener;
	uv_timer_t idle;
	struct vd_ctl_place place;
	int lock, lending;              /* lending: -1 while nothing is lent */
	bool passed;                    /* on: the socket stays */
	struct client *clients;
	size_t client_count;
};

int vd_ctl_place_open(const char *home, struct vd_ctl_place *place)
{
	memset(place, 0, sizeof *place);
	place->address.sun_family = AF_UNIX;
	place->folder = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (place->folder < 0)
		return errno == ENOENT || errno == ENOTDIR ? VD_ENOTFOUND : VD_EIO;
	int n = snprintf(place->address.sun_path, sizeof place->address.sun_path, "%s/ctl", home);
	if (n < 0 || (size_t)n >= sizeof place->address.sun_path)
		snprintf(place->address.sun_path, sizeof place->address.sun_path, "/proc/self/fd/%d/ctl", place->folder);
	return 0;
}

void vd_ctl_place_close(struct vd_ctl_place *place)
{
	if (place->folder >= 0)
		close(place->folder);
	place->folder = -1;
}

static const char unlock[] = "unlock ";

bool vd_ctl_line_key(const struct vd_ctl_line *line, uint8_t key[VD_VAULT_KEY_BYTES])
{
	const size_t head = sizeof unlock - 1;
	size_t n = 0;

	/* of constant time, and strict: sodium_hex2bin passes nothing over when it is told of nothing to ignore */
	return line->n == head + 2 * (size_t)VD_VAULT_KEY_BYTES + 1 &&
	       !sodium_hex2bin(key, VD_VAULT_KEY_BYTES, line->text + head, 2 * (size_t)VD_VAULT_KEY_BYTES, NULL, &n, NULL) &&
	       n == VD_VAULT_KEY_BYTES;
}

int vd_ctl_line_feed(struct vd_ctl_line *line, struct vd_slice bytes, enum vd_ctl_command *command)
{
	static const struct {
		const char *text;
		enum vd_ctl_command command;
	} commands[] = {{"poke", VD_CTL_POKE}, {"status", VD_CTL_STATUS}, {"sync", VD_CTL_SYNC}, {"key", VD_CTL_KEY},
	                {"lock", VD_CTL_LOCK}, {"wipe", VD_CTL_WIPE}};

	for (size_t i = 0; i < bytes.n; i++) {
		if (line->n == sizeof line->text)
			return VD_ECAP;
		line->text[line->n++] = (char)bytes.p[i];
		if (bytes.p[i] != '\n')
			continue;
		*command = VD_CTL_UNKNOWN;
		for (size_t k = 0; k < sizeof commands / sizeof *commands; k++)
			if (strlen(commands[k].text) == line->n - 1 && !memcmp(commands[k].text, line->text, line->n - 1))
				*command = commands[k].command;
		if (line->n > sizeof unlock - 1 && !memcmp(line->text, unlock, sizeof unlock - 1))
			*command = VD_CTL_UNLOCK;
		return 0;
	}
	return line->n == sizeof line->text ? VD_ECAP : VD_EAGAIN;
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;
	struct client **at = &client->ctl->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	client->ctl->client_count--;
	vd_buf_wipe(&client->answer);
	sodium_memzero(client, sizeof *client);
	free(client);
}

static void drop(struct client *client)
{
	if (!uv_is_closing((uv_handle_t *)&client->pipe))
		uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void on_answered(uv_write_t *request, int status)
{
	(void)status;
	drop(request->handle->data);
}

static void answer(struct client *client, enum vd_ctl_command command)
{
	struct vd_ctl_asked asked = {command, &client->line, -1};
	int fd;

	if (!uv_fileno((const uv_handle_t *)&client->pipe, &fd))
		asked.client = fd;
	uv_read_stop((uv_stream_t *)&client->pipe);
	client->answered = true;
	client->waits = true; /* if it is passed on from in there */
	client->waits = !client->ctl->answer(client->ctl->ctx, &asked, &client->answer);
	sodium_memzero(client->input, sizeof client->input);
	sodium_memzero(client->line.text, sizeof client->line.text);
	if (client->waits)
		return;
	vd_buf_put_u8(&client->answer, '\n');
	if (vd_buf_check(&client->answer)) {
		drop(client);
		return;
	}
	uv_buf_t bytes = uv_buf_init((char *)client->answer.p, (unsigned)client->answer.n);
	if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, on_answered))
		drop(client);
}

static void on_input_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
	struct client *client = handle->data;

	(void)suggested;
	*out = uv_buf_init(client->input, sizeof client->input);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct client *client = stream->data;
	enum vd_ctl_command command;

	if (!n)
		return;
	int rc = n < 0 ? VD_ECLOSED : vd_ctl_line_feed(&client->line, vd_slice(buffer->base, (size_t)n), &command);
	if (!rc)
		answer(client, command);
	else if (rc != VD_EAGAIN)
		drop(client);
}

static bool same_user(const uv_pipe_t *pipe)
{
	struct ucred who;
	socklen_t n = sizeof who;
	int fd;

	return !uv_fileno((const uv_handle_t *)pipe, &fd) && !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) &&
	       (who.uid == geteuid() || who.uid == 0);
}

/* Whoever sits there without a word does not keep others out. */
static struct client *oldest(const struct vd_ctl *ctl)
{
	struct client *last = NULL;

	for (struct client *client = ctl->clients; client; client = client->next)
		if ((!uv_is_closing((uv_handle_t *)&client->pipe) && !client->waits) || !last)
			last = client;
	return last;
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct vd_ctl *ctl = listener->data;
	struct client *client = status < 0 ? NULL : calloc(1, sizeof *client);

	if (!client)
		return;
	if (uv_pipe_init(ctl->loop, &client->pipe, 0)) {
		free(client);
		return;
	}
	client->ctl = ctl;
	client->pipe.data = client;
	client->since_ms = uv_now(ctl->loop);
	client->next = ctl->clients;
	ctl->clients = client;
	ctl->client_count++;
	if (ctl->client_count > VD_CTL_CLIENTS_MAX)
		drop(oldest(ctl));
	if (uv_accept(listener, (uv_stream_t *)&client->pipe) || !same_user(&client->pipe) ||
	    uv_read_start((uv_stream_t *)&client->pipe, on_input_buffer, on_read))
		drop(client);
}

static void on_idle(uv_timer_t *timer)
{
	struct vd_ctl *ctl = timer->data;

	for (struct client *client = ctl->clients; client; client = client->next)
		if (!client->waits && uv_now(ctl->loop) - client->since_ms >= VD_CTL_IDLE_MS)
			drop(client);
}

static int take_lock(const struct vd_ctl *ctl, int *lock)
{
	*lock = openat(ctl->place.folder, "ctl.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*lock < 0)
		return errno == ENOSPC || errno == EDQUOT ? VD_ENOSPACE : VD_EIO;
	if (!flock(*lock, LOCK_EX | LOCK_NB))
		return 0;
	return errno == EWOULDBLOCK ? VD_EBUSY : VD_EIO;
}

static int listen_at(const struct vd_ctl *ctl, int *out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return VD_EIO;
	/* ours by the lock: what is there belongs to a daemon that was killed */
	unlinkat(ctl->place.folder, "ctl", 0);
	mode_t mask = umask(0177);
	int rc = bind(fd, (const struct sockaddr *)&ctl->place.address, sizeof ctl->place.address);
	int code = errno;
	umask(mask);
	if (!rc) {
		*out = fd;
		return 0;
	}
	close(fd);
	return code == ENOSPC || code == EDQUOT ? VD_ENOSPACE : VD_EIO;
}

static void close_passed(struct vd_ctl_passed *p)
{
	if (!p)
		return;
	if (p->lock >= 0)
		close(p->lock);
	if (p->listener >= 0)
		close(p->listener);
	for (size_t i = 0; i < p->waiting_count; i++)
		close(p->waiting[i]);
	*p = (struct vd_ctl_passed){.lock = -1, .listener = -1};
}

/* The descriptor is this store's lock and it is ours already: an open file keeps it over exec. */
static bool is_lock(const struct vd_ctl *ctl, int fd)
{
	struct stat is, named;

	return fd >= 0 && !fstat(fd, &is) && !fstatat(ctl->place.folder, "ctl.lock", &named, AT_SYMLINK_NOFOLLOW) && is.st_dev == named.st_dev &&
	       is.st_ino == named.st_ino && !flock(fd, LOCK_EX | LOCK_NB);
}

static void resume(struct vd_ctl *ctl, struct vd_ctl_passed *p, int *listener)
{
	if (!p || !is_lock(ctl, p->lock))
		return;
	ctl->lock = p->lock;
	*listener = p->listener;
	p->lock = p->listener = -1;
	for (size_t i = 0; i < p->waiting_count; i++) {
		ssize_t n = send(p->waiting[i], "ok\n", 3, MSG_NOSIGNAL | MSG_DONTWAIT);

		(void)n; /* whoever went does not want to know */
	}
}

static int keep_open(int fd, int *copy)
{
	*copy = fcntl(fd, F_DUPFD, STDERR_FILENO + 1);
	return *copy < 0 ? VD_EIO : 0;
}

int vd_ctl_pass(const struct vd_ctl *ctl, struct vd_ctl_passed *p)
{
	int fd, rc;

	*p = (struct vd_ctl_passed){.lock = -1, .listener = -1};
	rc = keep_open(ctl->lock, &p->lock);
	if (!rc)
		rc = uv_fileno((const uv_handle_t *)&ctl->listener, &fd) ? VD_EIO : keep_open(fd, &p->listener);
	for (const struct client *client = ctl->clients; !rc && client; client = client->next)
		if (client->waits && p->waiting_count < VD_CTL_CLIENTS_MAX && !uv_fileno((const uv_handle_t *)&client->pipe, &fd) &&
		    !keep_open(fd, &p->waiting[p->waiting_count]))
			p->waiting_count++;
	if (rc)
		close_passed(p);
	return rc;
}

/* A lock of an open file of its own, which no exec keeps. */
int vd_ctl_lend(struct vd_ctl *ctl, bool lends)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = VD_CTL_LENDS, .l_len = 1};
	int rc = 0;

	if (ctl->lending >= 0)
		close(ctl->lending);
	ctl->lending = lends ? openat(ctl->place.folder, "ctl.lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW) : -1;
	if (lends && (ctl->lending < 0 || fcntl(ctl->lending, F_OFD_SETLK, &lock)))
		rc = VD_EIO;
	return rc;
}

void vd_ctl_stays(struct vd_ctl *ctl)
{
	ctl->passed = true;
}

int vd_ctl_open(uv_loop_t *loop, const char *home, vd_ctl_answer *answer_fn, void *ctx, struct vd_ctl_passed *passed, struct vd_ctl **out)
{
	struct vd_ctl *ctl = calloc(1, sizeof *ctl);
	int fd = -1, rc;

	if (!ctl) {
		close_passed(passed);
		return VD_ENOMEM;
	}
	ctl->loop = loop;
	ctl->answer = answer_fn;
	ctl->ctx = ctx;
	ctl->lock = ctl->lending = -1;
	rc = vd_ctl_place_open(home, &ctl->place);
	if (!rc)
		resume(ctl, passed, &fd);
	close_passed(passed);
	if (!rc && ctl->lock < 0)
		rc = take_lock(ctl, &ctl->lock);
	if (!rc && fd < 0)
		rc = listen_at(ctl, &fd);
	if (rc) {
		vd_ctl_free(ctl);
		return rc;
	}
	uv_pipe_init(loop, &ctl->listener, 0);
	uv_timer_init(loop, &ctl->idle);
	ctl->listener.data = ctl->idle.data = ctl;
	if (uv_pipe_open(&ctl->listener, fd)) {
		close(fd);
		rc = VD_EIO;
	} else if (uv_listen((uv_stream_t *)&ctl->listener, VD_CTL_CLIENTS_MAX, on_connection) ||
	           uv_timer_start(&ctl->idle, on_idle, VD_CTL_IDLE_MS, VD_CTL_IDLE_MS)) {
		rc = VD_EIO;
	}
	if (rc) {
		vd_ctl_close(ctl);
		uv_run(loop, UV_RUN_NOWAIT);
		vd_ctl_free(ctl);
		return rc;
	}
	*out = ctl;
	return 0;
}

void vd_ctl_close(struct vd_ctl *ctl)
{
	if (uv_is_closing((uv_handle_t *)&ctl->listener))
		return;
	(void)vd_ctl_lend(ctl, false);
	if (!ctl->passed)
		unlinkat(ctl->place.folder, "ctl", 0);
	uv_close((uv_handle_t *)&ctl->listener, NULL);
	uv_close((uv_handle_t *)&ctl->idle, NULL);
	for (struct client *client = ctl->clients; client; client = client->next)
		drop(client);
}

void vd_ctl_free(struct vd_ctl *ctl)
{
	if (!ctl)
		return;
	if (ctl->lock >= 0)
		close(ctl->lock);
	if (ctl->lending >= 0)
		close(ctl->lending);
	vd_ctl_place_close(&ctl->place);
	free(ctl);
}
