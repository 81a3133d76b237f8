/* A thin line between two daemons, and an alert that has to pass a photo on it. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum {
	LINE_BYTES = 64000, /* a second, each way */
	QUEUE_BYTES = 16384, /* what a modem keeps of what was given to it: a quarter of a second */
	TICK_US = 2000,
	PHOTO_BYTES = 5000000, STARTED_BYTES = 150000,
	TAKES = 5,
};

struct line {
	pid_t pid;
	char address[64];
	_Atomic uint64_t *down;   /* bytes that came out at who called, so far */
};

/* ---- the line ---- */

/* Of so many bytes the line may take now; what could not be read counts as spent: a line's time does not come back. */
static bool pass(int from, int to, double due, _Atomic uint64_t *passed)
{
	uint8_t bytes[4096];
	size_t most = due < sizeof bytes ? (size_t)due : sizeof bytes;
	ssize_t n = most ? recv(from, bytes, most, MSG_DONTWAIT) : -1;

	if (n < 0)
		return !most || errno == EAGAIN;
	for (ssize_t sent = 0, once; sent < n; sent += once)
		if ((once = send(to, bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL)) <= 0)
			return false;
	if (passed)
		*passed += (uint64_t)n;
	return n > 0;
}

static void carry(int caller, int called, _Atomic uint64_t *down)
{
	double last = now_s();

	for (bool up = true; up;) {
		double now, due;

		usleep(TICK_US);
		now = now_s();
		due = (now - last) * LINE_BYTES;
		last = now;
		up = pass(caller, called, due, NULL) && pass(called, caller, due, down);
	}
}

static int small_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), room = QUEUE_BYTES / 2, segment = 1400, yes = 1; /* the kernel doubles the room */

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) || setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes))
		die("no socket for a line");
	return fd;
}

/* One call after the other, for ever. */
_Noreturn static void serve(int listening, const struct sockaddr_in *target, _Atomic uint64_t *down)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int caller = accept(listening, NULL, NULL), called = small_socket();

		if (caller >= 0 && !connect(called, (const struct sockaddr *)target, sizeof *target))
			carry(caller, called, down);
		close(caller);
		close(called);
	}
}

static void line_start(struct line *line, const char *address)
{
	struct sockaddr_in target = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, own = target;
	socklen_t n = sizeof own;
	int fd = small_socket();

	target.sin_port = htons((uint16_t)atoi(strrchr(address, ':') + 1));
	line->down = mmap(NULL, sizeof *line->down, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (line->down == MAP_FAILED || bind(fd, (struct sockaddr *)&own, sizeof own) || listen(fd, 4) || getsockname(fd, (struct sockaddr *)&own, &n))
		die("no line");
	snprintf(line->address, sizeof line->address, "127.0.0.1:%d", ntohs(own.sin_port));
	line->pid = fork();
	if (line->pid < 0)
		die("no process for a line");
	if (!line->pid)
		serve(fd, &target, line->down);
	close(fd);
}

static void line_stop(struct line *line)
{
	kill(line->pid, SIGKILL);
	waitpid(line->pid, NULL, 0);
	munmap((void *)line->down, sizeof *line->down);
}

/* ---- what comes over it ---- */

static void wait_for(struct vd_store *far, const char *hex)
{
	double start = now_s();
	uint64_t arrival;
	struct vd_id id;
	size_t n;

	check(vd_unhex(id.b, sizeof id.b, hex, &n), "id");
	while (vd_store_find(far, &id, &arrival)) {
		if (now_s() - start > 60)
			die("a record did not come over the line");
		usleep(1000);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Milliseconds from the command to its arrival, in ascending order; *bytes on the line meanwhile, in the mean. */
static void alerts(const struct line *line, const char *home, struct vd_store *far, double ms[TAKES], double *bytes)
{
	uint64_t before = *line->down;

	for (int i = 0; i < TAKES; i++) {
		double start = now_s();
		json_t *answer = VEREDA(home, "alert", "Trucks at the bridge", "--severity", "severe");

		wait_for(far, string(answer, "id"));
		ms[i] = (now_s() - start) * 1000;
		json_decref(answer);
		usleep(200000); /* a person's next alert does not come with the first */
	}
	*bytes = (double)(*line->down - before) / TAKES;
	qsort(ms, TAKES, sizeof *ms, by_size);
}

static void make_photo(const char *path)
{
	FILE *f = fopen(path, "w");
	uint32_t x = 1;

	for (int i = 0; f && i < PHOTO_BYTES; i++) {
		x ^= x << 13, x ^= x >> 17, x ^= x << 5; /* Marsaglia, *Xorshift RNGs*, 2003: nothing that packs */
		putc((int)(x >> 24), f);
	}
	if (!f || fclose(f))
		die("%s: cannot be written", path);
}

void thin(const char *folder)
{
	char hub[256], field[256], photo[256];
	const char *others = field;
	double rest[TAKES], past[TAKES], bytes, ignored, start;
	struct daemon near, away;
	struct vd_store *far;
	struct line line;
	uint64_t before;

	snprintf(hub, sizeof hub, "%s/thin-hub", folder);
	snprintf(field, sizeof field, "%s/thin-field", folder);
	snprintf(photo, sizeof photo, "%s/photo.bin", folder);
	world_found(hub, &others, 1);
	make_photo(photo);
	daemon_start(&near, hub);
	line_start(&line, near.address);
	daemon_start_calling(&away, field, line.address);
	check(vd_store_open(field, &far), field);
	alerts(&line, hub, far, rest, &bytes); /* the first finds them meeting */
	alerts(&line, hub, far, rest, &bytes);
	before = *line.down;
	json_decref(VEREDA(hub, "add", "document", "title=photo", "--attach", photo));
	for (start = now_s(); *line.down - before < STARTED_BYTES; usleep(10000))
		if (now_s() - start > 60)
			die("the photo does not set out");
	alerts(&line, hub, far, past, &ignored);
	if (*line.down - before >= PHOTO_BYTES)
		die("the photo was there before the alerts");
	vd_store_close(far);
	daemon_stop(&away);
	daemon_stop(&near);
	line_stop(&line);
	table_at_most("an alert past a photo, 64 kB/s: until it is there", past[TAKES / 2], "ms", 1000);
	table_figure("  the slowest of five", past[TAKES - 1], "ms");
	table_figure("  on the same line at rest", rest[TAKES / 2], "ms");
	table_figure("  its bytes alone take the line", bytes / LINE_BYTES * 1000, "ms");
	table_figure("  and what waits in the line before it, at most", QUEUE_BYTES * 1000.0 / LINE_BYTES, "ms");
}
