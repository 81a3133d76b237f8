/* What this machine can do at all. */
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { HEADER_BYTES = 180, SIGNED = 256, SLICE_MS = 300 };

double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* How often a second `once` can be done. */
static double rate(void (*once)(void *ctx), void *ctx)
{
	double start = now_s(), elapsed;
	uint64_t count = 0;

	do {
		for (int i = 0; i < 64; i++)
			once(ctx);
		count += 64;
		elapsed = now_s() - start;
	} while (elapsed < SLICE_MS * 1e-3);
	return (double)count / elapsed;
}

struct keys {
	uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	uint8_t message[HEADER_BYTES], signature[crypto_sign_BYTES];
};

static void sign_once(void *ctx)
{
	struct keys *k = ctx;

	k->message[0]++;
	crypto_sign_detached(k->signature, NULL, k->message, sizeof(k->message), k->secret);
}

/* One after the other: of a signature it has just seen a processor guesses the branches, and is 4 % faster than with those that
 * people send. */
struct signed_ones {
	struct keys ones[SIGNED];
	size_t next;
};

static void verify_once(void *ctx)
{
	struct signed_ones *s = ctx;
	struct keys *k = &s->ones[s->next++ % SIGNED];

	if (crypto_sign_verify_detached(k->signature, k->message, sizeof(k->message), k->public))
		die("a good signature was refused");
}

double sign_rate(void)
{
	struct keys k = {0};

	crypto_sign_seed_keypair(k.public, k.secret, (const uint8_t[32]){1});
	return rate(sign_once, &k);
}

double verify_rate(void)
{
	struct signed_ones s = {.next = 0};

	for (size_t i = 0; i < SIGNED; i++) {
		crypto_sign_seed_keypair(s.ones[i].public, s.ones[i].secret, (const uint8_t[32]){1, (uint8_t)i});
		sign_once(&s.ones[i]);
	}
	return rate(verify_once, &s);
}

static void *verify_beside(void *rate)
{
	*(double *)rate = verify_rate();
	return NULL;
}

double verify_rate_two(void)
{
	double here, beside = 0;
	pthread_t thread;

	if (pthread_create(&thread, NULL, verify_beside, &beside))
		die("no thread");
	here = verify_rate();
	pthread_join(thread, NULL);
	return here + beside;
}

double sync_rate(const char *folder)
{
	static const uint8_t page[4096];
	char path[512];
	double start, elapsed;
	int count = 0, fd;

	snprintf(path, sizeof(path), "%s/fsync", folder);
	fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd < 0)
		die("%s: cannot be made", path);
	start = now_s();
	do {
		if (write(fd, page, sizeof(page)) != sizeof(page) || fsync(fd))
			die("%s: cannot be written", path);
		count++;
		elapsed = now_s() - start;
	} while (elapsed < SLICE_MS * 1e-3);
	close(fd);
	unlink(path);
	return count / elapsed;
}

double memory_rate(void)
{
	const size_t n = 64u << 20;
	uint8_t *from = malloc(n), *to = malloc(n);
	double start, elapsed;
	size_t count = 0;

	if (!from || !to)
		die("memory refused");
	memset(from, 1, n);
	memset(to, 2, n);
	start = now_s();
	do {
		memcpy(to, from, n);
		from[count++ % n] ^= to[0];
		elapsed = now_s() - start;
	} while (elapsed < SLICE_MS * 1e-3);
	free(from);
	free(to);
	return (double)count * (double)n / elapsed;
}

void limit_take(struct limit *l)
{
	double rate_now = l->measure();

	l->least = l->count ? (rate_now < l->least ? rate_now : l->least) : rate_now;
	l->most = rate_now > l->most ? rate_now : l->most;
	l->sum += rate_now;
	l->count++;
}

double limit_mean(const struct limit *l)
{
	return l->count ? l->sum / l->count : 0;
}

bool limit_unsteady(const struct limit *l)
{
	return l->most > 1.15 * l->least;
}
