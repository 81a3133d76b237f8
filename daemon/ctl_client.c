#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl_server.h"
#include "proto/err.h"

enum { REQUEST_MS = 2000, PATIENT_MS = 60000, LOOK_MS = 200, RECEIVE_BYTES = 4096 };

static int patience_ms(const char *line)
{
	return !strncmp(line, "unlock ", 7) ? PATIENT_MS : REQUEST_MS;
}

struct request {
	int fd;
	pid_t pid;       /* of who listens there; 0: not known */
	int64_t end_ms;
};

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* "1234 (name) T …"; the name may hold anything. */
enum vd_ctl_process vd_ctl_process(pid_t pid)
{
	char path[32], text[256];
	const char *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return kill(pid, 0) && errno == ESRCH ? VD_CTL_ENDED : VD_CTL_RUNS;
	n = read(fd, text, sizeof text - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	state = strrchr(text, ')');
	if (n <= 0)
		return VD_CTL_ENDED;
	if (!state || state[1] != ' ')
		return VD_CTL_RUNS;
	return strchr("Tt", state[2]) ? VD_CTL_STOPPED : strchr("ZX", state[2]) ? VD_CTL_ENDED : VD_CTL_RUNS;
}

bool vd_ctl_lends(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = VD_CTL_LENDS, .l_len = 1};

	return !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static int wait_for(const struct request *r, short what)
{
	for (;;) {
		int64_t left_ms = r->end_ms - clock_ms();
		struct pollfd poll_fd = {.fd = r->fd, .events = what};
		int n = left_ms > 0 ? poll(&poll_fd, 1, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS) : 0;

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return VD_EIO;
		if (left_ms <= 0 || (!n && r->pid > 0 && vd_ctl_process(r->pid) == VD_CTL_STOPPED))
			return VD_EAGAIN;
	}
}

static int send_line(const struct request *r, const char *line)
{
	struct vd_buf bytes = {0};
	size_t sent = 0;
	int rc;

	vd_buf_put_slice(&bytes, vd_slice_str(line));
	vd_buf_put_u8(&bytes, '\n');
	rc = vd_buf_check(&bytes);
	while (!rc && sent < bytes.n) {
		ssize_t n = send(r->fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			rc = wait_for(r, POLLOUT);
		else if (errno != EINTR)
			rc = VD_ECLOSED;
	}
	vd_buf_wipe(&bytes);
	return rc;
}

/* Up to the newline, which is left out. */
static int receive_line(const struct request *r, struct vd_buf *answer, char some[RECEIVE_BYTES])
{
	vd_buf_reset(answer);
	for (;;) {
		ssize_t n = recv(r->fd, some, RECEIVE_BYTES, MSG_DONTWAIT);

		if (n > 0) {
			const char *newline = memchr(some, '\n', (size_t)n);

			vd_buf_put(answer, some, newline ? (size_t)(newline - some) : (size_t)n);
			if (newline)
				return vd_buf_check(answer);
			if (answer->n > VD_CTL_ANSWER_MAX)
				return VD_ECAP;
		} else if (!n) {
			return VD_ECLOSED;
		} else if (errno == EAGAIN) {
			int rc = wait_for(r, POLLIN);

			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return VD_ECLOSED;
		}
	}
}

/* Never waits for a daemon that takes no callers: its queue is full. */
static int call(const struct vd_ctl_place *place, struct request *r)
{
	struct ucred who;
	socklen_t n = sizeof who;

	r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (r->fd < 0)
		return VD_EIO;
	while (connect(r->fd, (const struct sockaddr *)&place->address, sizeof place->address)) {
		/* the socket of a daemon that was killed stays behind and refuses */
		if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
			return VD_ENOTFOUND;
		if (errno != EAGAIN && errno != EINTR)
			return VD_EIO;
		if (clock_ms() >= r->end_ms)
			return VD_EAGAIN;
		poll(NULL, 0, 10);
	}
	if (!getsockopt(r->fd, SOL_SOCKET, SO_PEERCRED, &who, &n))
		r->pid = who.pid;
	return 0;
}

int vd_ctl_request_within(const char *home, const char *line, int ms, struct vd_buf *answer, pid_t *pid)
{
	struct request r = {.fd = -1, .end_ms = clock_ms() + ms};
	char some[RECEIVE_BYTES];
	struct vd_ctl_place place;
	int rc = vd_ctl_place_open(home, &place);

	*pid = 0;
	if (rc)
		return rc;
	rc = call(&place, &r);
	if (!rc)
		rc = send_line(&r, line);
	if (!rc)
		rc = receive_line(&r, answer, some);
	sodium_memzero(some, sizeof some);
	if (r.fd >= 0)
		close(r.fd);
	vd_ctl_place_close(&place);
	*pid = r.pid;
	return rc;
}

int vd_ctl_request(const char *home, const char *line, struct vd_buf *answer)
{
	pid_t pid;

	return vd_ctl_request_within(home, line, patience_ms(line), answer, &pid);
}
