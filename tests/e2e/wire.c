/* What somebody on the wire can do: record, compare, and stand in the middle. For net_strangers.sh.
 *
 *   wire record IFACE FILE            every UDP and TCP payload that crosses the interface, until killed: a line each,
 *                                     "udp|tcp FROM_PORT TO_PORT HEX"; says "recording" on standard output when it does
 *   wire common FILE FILE [BYTES]     runs of BYTES (7) bytes that stand in the payloads of both; prints how many, and the first
 *   wire holds FILE HEX               does any payload hold these bytes? Status 0: yes
 *   wire chi FILE…                    chi-square of each whole file's bytes against uniform: the worst z score, and the overall one
 *   wire trap PORT                    takes one connection, says 32 random bytes and then 96, and prints how many bytes the caller said
 *   wire proxy FROM TO MODE [N]       loopback: connections to port FROM go on to port TO
 *       pass      as they come
 *       cut       both ends are cut after N bytes from the caller
 *       flip      bit 0 of byte N of what the called end says is flipped
 *       turn      bit 0 of byte N of what the caller says is flipped
 *       reflect   whatever either end says is said back to it
 *       cross     two connections at a time: after N bytes from each caller, what one caller says goes to the other's end
 *     Says "ready" when it listens; what the called ends say is counted on standard error at the end of each connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* --- record --- */

static void put_payload(FILE *out, const char *protocol, unsigned from, unsigned to, const uint8_t *p, size_t n)
{
	if (!n)
		return;
	fprintf(out, "%s %u %u ", protocol, from, to);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%02x", p[i]);
	fputc('\n', out);
	fflush(out);
}

/* One IP packet: its transport header and payload, if it is UDP or TCP. */
static void take_packet(FILE *out, const uint8_t *p, size_t n)
{
	size_t head, total;
	unsigned protocol;

	if (n >= 20 && p[0] >> 4 == 4) {
		head = (size_t)(p[0] & 15) * 4;
		total = (size_t)p[2] << 8 | p[3];
		protocol = p[9];
	} else if (n >= 40 && p[0] >> 4 == 6) {
		head = 40;
		total = 40 + ((size_t)p[4] << 8 | p[5]);
		protocol = p[6];
	} else {
		return;
	}
	if (total < n)
		n = total;
	if (n < head + 20 && !(protocol == 17 && n >= head + 8))
		return;
	p += head;
	n -= head;
	if (protocol == 17)
		put_payload(out, "udp", (unsigned)(p[0] << 8 | p[1]), (unsigned)(p[2] << 8 | p[3]), p + 8, n - 8);
	if (protocol == 6 && n >= (size_t)(p[12] >> 4) * 4)
		put_payload(out, "tcp", (unsigned)(p[0] << 8 | p[1]), (unsigned)(p[2] << 8 | p[3]), p + (p[12] >> 4) * 4,
		            n - (size_t)(p[12] >> 4) * 4);
}

static _Noreturn void record(const char *interface, const char *path)
{
	static uint8_t packet[1 << 17];
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), room = 1 << 24;
	FILE *out = fopen(path, "w");

	if (fd < 0 || !out)
		die("wire record");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	at.sll_ifindex = (int)if_nametoindex(interface);
	if (!at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die(interface);
	puts("recording");
	fflush(stdout);
	for (;;) {
		ssize_t n = recv(fd, packet, sizeof(packet), 0);

		if (n > 0)
			take_packet(out, packet, (size_t)n);
		else if (n < 0 && errno != EINTR)
			die("recv");
	}
}

/* --- compare --- */

struct payloads {
	uint8_t *bytes;
	size_t n;
	size_t *starts, count; /* of each payload */
};

static int digit(int c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static struct payloads load(const char *path)
{
	struct payloads all = { 0 };
	FILE *in = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!in)
		die(path);
	while (getline(&line, &room, in) > 0) {
		char *hex = strrchr(line, ' ');
		size_t n;

		if (!hex)
			continue;
		n = strspn(++hex, "0123456789abcdef") / 2;
		all.bytes = realloc(all.bytes, all.n + n + 1);
		all.starts = realloc(all.starts, (all.count + 2) * sizeof(*all.starts));
		if (!all.bytes || !all.starts)
			die("wire");
		all.starts[all.count++] = all.n;
		for (size_t i = 0; i < n; i++)
			all.bytes[all.n++] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
		all.starts[all.count] = all.n;
	}
	free(line);
	fclose(in);
	return all;
}

static size_t run_bytes;

static int by_bytes(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, run_bytes);
}

/* Every run of run_bytes within one payload, sorted. */
static const uint8_t **runs_of(const struct payloads *all, size_t *count)
{
	const uint8_t **runs = malloc((all->n + 1) * sizeof(*runs));

	*count = 0;
	if (!runs)
		die("wire");
	for (size_t i = 0; i < all->count; i++)
		for (size_t at = all->starts[i]; at + run_bytes <= all->starts[i + 1]; at++)
			runs[(*count)++] = all->bytes + at;
	qsort(runs, *count, sizeof(*runs), by_bytes);
	return runs;
}

static int common(const char *one, const char *other)
{
	struct payloads a = load(one), b = load(other);
	size_t na, nb, found = 0;
	const uint8_t **ra = runs_of(&a, &na), **rb = runs_of(&b, &nb);

	for (size_t i = 0, j = 0; i < na && j < nb;) {
		int order = memcmp(ra[i], rb[j], run_bytes);

		if (!order && !found++) {
			fprintf(stderr, "in both: ");
			for (size_t k = 0; k < run_bytes; k++)
				fprintf(stderr, "%02x", ra[i][k]);
			fprintf(stderr, "\n");
		}
		i += order <= 0;
		j += order > 0;
	}
	printf("%zu common of %zu and %zu\n", found, na, nb);
	return found != 0;
}

static int holds(const char *path, const char *hex)
{
	struct payloads all = load(path);
	uint8_t what[256];
	size_t n = strlen(hex) / 2;

	if (!n || n > sizeof(what))
		return 2;
	for (size_t i = 0; i < n; i++)
		what[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return !memmem(all.bytes, all.n, what, n);
}

/* How many standard deviations chi-square is from what uniform bytes give: (X − 255) / sqrt(510). */
static double score(const uint64_t counts[256])
{
	double total = 0, x = 0;

	for (int i = 0; i < 256; i++)
		total += (double)counts[i];
	for (int i = 0; total > 0 && i < 256; i++)
		x += ((double)counts[i] - total / 256) * ((double)counts[i] - total / 256) / (total / 256);
	return (x - 255) / sqrt(510);
}

static int chi(char **paths)
{
	uint64_t all[256] = { 0 };
	double worst = -1e9;

	for (; *paths; paths++) {
		FILE *in = fopen(*paths, "rb");
		uint64_t counts[256] = { 0 };
		int c;

		if (!in)
			die(*paths);
		while ((c = getc(in)) != EOF) {
			counts[c]++;
			all[c]++;
		}
		fclose(in);
		if (score(counts) > worst)
			worst = score(counts);
	}
	printf("%.2f %.2f\n", worst, score(all));
	return 0;
}

/* --- proxy --- */

enum mode { PASS, CUT, FLIP, TURN, REFLECT, CROSS };

struct pair {
	int caller, called;
	size_t from_caller, from_called;
};

static int listen_at(uint16_t port, uint32_t address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 16))
		die("listen");
	return fd;
}

static int call(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	return fd;
}

static bool say(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

static int trap(uint16_t port)
{
	int listener = listen_at(port, INADDR_ANY), fd;
	uint8_t noise[96], heard[4096];
	size_t total = 0;
	ssize_t n;

	puts("ready");
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || getrandom(noise, sizeof(noise), 0) != sizeof(noise))
		die("trap");
	say(fd, noise, 32);
	n = recv(fd, heard, sizeof(heard), 0);
	total += n > 0 ? (size_t)n : 0;
	say(fd, noise, sizeof(noise));
	while ((n = recv(fd, heard, sizeof(heard), 0)) > 0)
		total += (size_t)n;
	printf("%zu\n", total);
	return 0;
}

static void end_pair(struct pair *p)
{
	fprintf(stderr, "caller %zu called %zu\n", p->from_caller, p->from_called);
	close(p->caller);
	close(p->called);
	p->caller = p->called = -1;
}

/* Moves what one end of a pair said. `other`: the pair it is crossed with, or itself. False: the pair is over. */
static bool move(struct pair *p, struct pair *other, bool from_caller, enum mode mode, size_t n_arg)
{
	uint8_t bytes[4096];
	int from = from_caller ? p->caller : p->called, to = from_caller ? p->called : p->caller;
	size_t *count = from_caller ? &p->from_caller : &p->from_called;
	size_t most = mode == CROSS && from_caller && *count < n_arg ? n_arg - *count : sizeof(bytes);
	ssize_t n = recv(from, bytes, most < sizeof(bytes) ? most : sizeof(bytes), 0);
	bool turned = mode == (from_caller ? TURN : FLIP);

	if (n <= 0)
		return false;
	if (turned && n_arg >= *count && n_arg < *count + (size_t)n)
		bytes[n_arg - *count] ^= 1;
	if (mode == REFLECT)
		to = from;
	if (mode == CROSS && from_caller && *count >= n_arg)
		to = other->called;
	if (mode == CUT && from_caller && *count + (size_t)n >= n_arg) {
		say(to, bytes, n_arg - *count);
		*count = n_arg;
		return false;
	}
	*count += (size_t)n;
	return say(to, bytes, (size_t)n);
}

static _Noreturn void proxy(uint16_t from, uint16_t to, enum mode mode, size_t n_arg)
{
	int listener = listen_at(from, INADDR_LOOPBACK);
	size_t count = mode == CROSS ? 2 : 1;

	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pair pairs[2];
		size_t open = count;

		for (size_t i = 0; i < count; i++) {
			int caller = accept(listener, NULL, NULL);

			if (caller < 0)
				die("accept");
			pairs[i] = (struct pair){ caller, call(to), 0, 0 };
		}
		while (open) {
			struct pollfd fds[4];

			for (size_t i = 0; i < count; i++) {
				fds[2 * i] = (struct pollfd){ pairs[i].caller, POLLIN, 0 };
				fds[2 * i + 1] = (struct pollfd){ pairs[i].called, POLLIN, 0 };
			}
			if (poll(fds, 2 * count, -1) < 0)
				continue;
			for (size_t i = 0; i < 2 * count; i++) {
				struct pair *p = &pairs[i / 2];

				if (p->caller < 0 || !fds[i].revents || move(p, &pairs[count - 1 - i / 2], i % 2 == 0, mode, n_arg))
					continue;
				end_pair(p);
				open--;
			}
		}
	}
}

int main(int argc, char **argv)
{
	static const char *const modes[] = { "pass", "cut", "flip", "turn", "reflect", "cross" };

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && !strcmp(argv[1], "record"))
		record(argv[2], argv[3]);
	run_bytes = argc == 5 ? (size_t)atoi(argv[4]) : 7;
	if ((argc == 4 || argc == 5) && !strcmp(argv[1], "common"))
		return common(argv[2], argv[3]);
	if (argc == 4 && !strcmp(argv[1], "holds"))
		return holds(argv[2], argv[3]);
	if (argc > 2 && !strcmp(argv[1], "chi"))
		return chi(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "trap"))
		return trap((uint16_t)atoi(argv[2]));
	for (size_t i = 0; argc >= 5 && !strcmp(argv[1], "proxy") && i < sizeof(modes) / sizeof(*modes); i++)
		if (!strcmp(argv[4], modes[i]))
			proxy((uint16_t)atoi(argv[2]), (uint16_t)atoi(argv[3]), (enum mode)i, argc > 5 ? (size_t)atol(argv[5]) : 0);
	fputs("wire: see the top of wire.c\n", stderr);
	return 2;
}
