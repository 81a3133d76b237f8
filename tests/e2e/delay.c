/* delay MS[:BYTES] COMMAND…: runs it, and what goes in and out of it arrives so much later, as over a line that long; after so many
 * bytes out of it the line is cut. Its input and output are one socket, as inetd's and socat's are. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 65536, CHUNKS = 512 };

struct chunk {
	uint64_t at_ms;
	size_t n;
	char *p;
};

struct line {
	int from, to;
	uint64_t left;   /* bytes until it is cut */
	struct chunk queue[CHUNKS];
	size_t first, count;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void take(struct line *l, uint64_t late_ms)
{
	struct chunk *c = &l->queue[l->count % CHUNKS];
	ssize_t n;

	c->p = malloc(CHUNK);
	n = read(l->from, c->p, l->left < CHUNK ? l->left : CHUNK);
	c->n = n > 0 ? (size_t)n : 0; /* 0: the end */
	l->left -= c->n;
	c->at_ms = now_ms() + late_ms;
	l->count++;
	if (!c->n)
		l->from = -1;
}

static void end(struct line *l)
{
	if (shutdown(l->to, SHUT_WR)) /* no socket */
		close(l->to);
	l->to = -1;
}

static void give(struct line *l)
{
	while (l->first < l->count && l->queue[l->first % CHUNKS].at_ms <= now_ms()) {
		struct chunk *c = &l->queue[l->first++ % CHUNKS];

		for (size_t at = 0; at < c->n && l->to >= 0;) {
			ssize_t n = write(l->to, c->p + at, c->n - at);

			if (n <= 0) {
				end(l);
			} else {
				at += (size_t)n;
			}
		}
		if (!c->n && l->to >= 0)
			end(l);
		free(c->p);
	}
}

int main(int argc, char **argv)
{
	uint64_t late_ms = argc > 2 ? strtoull(argv[1], NULL, 10) : 0;
	static struct line in = { .from = 0, .left = UINT64_MAX }, out = { .to = 1, .left = UINT64_MAX };
	int pair[2], status;
	pid_t pid;

	if (argc < 3 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 1;
	if (strchr(argv[1], ':'))
		out.left = strtoull(strchr(argv[1], ':') + 1, NULL, 10);
	pid = fork();
	if (!pid) {
		dup2(pair[1], 0);
		dup2(pair[1], 1);
		close(pair[0]);
		close(pair[1]);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	close(pair[1]);
	in.to = out.from = pair[0];
	signal(SIGPIPE, SIG_IGN);
	while (out.to >= 0) {
		struct line *lines[2] = { &in, &out };
		struct pollfd fds[2];
		int wait = 1000;

		for (int i = 0; i < 2; i++) {
			struct line *l = lines[i];

			give(l);
			fds[i] = (struct pollfd){ l->count - l->first < CHUNKS ? l->from : -1, POLLIN, 0 };
			if (l->first < l->count) {
				uint64_t at = l->queue[l->first % CHUNKS].at_ms, now = now_ms();

				wait = at <= now ? 0 : at - now < (uint64_t)wait ? (int)(at - now) : wait;
			}
		}
		if (out.to < 0)
			break;
		if (poll(fds, 2, wait) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].revents)
				take(lines[i], late_ms);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
