#include "ctl_server.h"

#include <errno.h>
#include <fcntl.h>
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
	bool answered;
	char input[VD_CTL_LINE];
};

struct vd_ctl {
	uv_loop_t *loop;
	vd_ctl_answer *answer;
	void *ctx;
	uv_pipe_t listener;
	uv_timer_t idle;
	struct vd_ctl_place place;
	int lock;
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

int vd_ctl_line_feed(struct vd_ctl_line *line, struct vd_slice bytes, enum vd_ctl_command *command)
{
	static const struct {
		const char *text;
		enum vd_ctl_command command;
	} commands[] = {{"poke", VD_CTL_POKE}, {"status", VD_CTL_STATUS}, {"sync", VD_CTL_SYNC}};

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
	vd_buf_deinit(&client->answer);
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
	uv_read_stop((uv_stream_t *)&client->pipe);
	client->answered = true;
	client->ctl->answer(client->ctl->ctx, command, &client->answer);
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
		if (!uv_is_closing((uv_handle_t *)&client->pipe) || !last)
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
		if (uv_now(ctl->loop) - client->since_ms >= VD_CTL_IDLE_MS)
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

int vd_ctl_open(uv_loop_t *loop, const char *home, vd_ctl_answer *answer_fn, void *ctx, struct vd_ctl **out)
{
	struct vd_ctl *ctl = calloc(1, sizeof *ctl);
	int fd = -1, rc;

	if (!ctl)
		return VD_ENOMEM;
	ctl->loop = loop;
	ctl->answer = answer_fn;
	ctl->ctx = ctx;
	ctl->lock = -1;
	rc = vd_ctl_place_open(home, &ctl->place);
	if (!rc)
		rc = take_lock(ctl, &ctl->lock);
	if (!rc)
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
	vd_ctl_place_close(&ctl->place);
	free(ctl);
}
