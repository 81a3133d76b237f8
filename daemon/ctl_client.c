#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ctl_server.h"
#include "proto/err.h"

enum { REQUEST_MS = 2000, PATIENT_MS = 60000, RECEIVE_BYTES = 4096 };

static int64_t patience_ms(const char *line)
{
	return !strcmp(line, "lock") || !strcmp(line, "wipe") || !strncmp(line, "unlock ", 7) ? PATIENT_MS : REQUEST_MS;
}

static int64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(int fd, short what, int64_t end_ms)
{
	for (;;) {
		int64_t left_ms = end_ms - clock_ms();
		struct pollfd poll_fd = {.fd = fd, .events = what};
		int n = left_ms > 0 ? poll(&poll_fd, 1, (int)left_ms) : 0;

		if (n > 0)
			return 0;
		if (!n)
			return VD_EAGAIN;
		if (errno != EINTR)
			return VD_EIO;
	}
}

static int send_line(int fd, const char *line, int64_t end_ms)
{
	struct vd_buf bytes = {0};
	size_t sent = 0;
	int rc;

	vd_buf_put_slice(&bytes, vd_slice_str(line));
	vd_buf_put_u8(&bytes, '\n');
	rc = vd_buf_check(&bytes);
	while (!rc && sent < bytes.n) {
		ssize_t n = send(fd, bytes.p + sent, bytes.n - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN)
			rc = wait_for(fd, POLLOUT, end_ms);
		else if (errno != EINTR)
			rc = VD_ECLOSED;
	}
	vd_buf_wipe(&bytes);
	return rc;
}

/* Up to the newline, which is left out. */
static int receive_line(int fd, struct vd_buf *answer, int64_t end_ms, char some[RECEIVE_BYTES])
{
	vd_buf_reset(answer);
	for (;;) {
		ssize_t n = recv(fd, some, RECEIVE_BYTES, MSG_DONTWAIT);

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
			int rc = wait_for(fd, POLLIN, end_ms);

			if (rc)
				return rc;
		} else if (errno != EINTR) {
			return VD_ECLOSED;
		}
	}
}

int vd_ctl_request(const char *home, const char *line, struct vd_buf *answer)
{
	int64_t end_ms = clock_ms() + patience_ms(line);
	char some[RECEIVE_BYTES];
	struct vd_ctl_place place;
	int rc = vd_ctl_place_open(home, &place), fd = -1;

	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		rc = VD_EIO;
		goto done;
	}
	if (connect(fd, (const struct sockaddr *)&place.address, sizeof place.address)) {
		/* the socket of a daemon that was killed stays behind and refuses */
		rc = errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR ? VD_ENOTFOUND : VD_EIO;
		goto done;
	}
	rc = send_line(fd, line, end_ms);
	if (!rc)
		rc = receive_line(fd, answer, end_ms, some);
	sodium_memzero(some, sizeof some);
done:
	if (fd >= 0)
		close(fd);
	vd_ctl_place_close(&place);
	return rc;
}
