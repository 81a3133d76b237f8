#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "store/workers.h"

enum { N = 10000, ASKERS = 4 };

struct sums {
	unsigned char done[N];
	size_t largest;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void mark(void *ctx, size_t from, size_t to)
{
	struct sums *s = ctx;

	for (size_t i = from; i < to; i++)
		s->done[i]++;
	pthread_mutex_lock(&mutex);
	s->largest = to - from > s->largest ? to - from : s->largest;
	pthread_mutex_unlock(&mutex);
}

/* Each once, in parts no larger than asked for. */
static void share_out(struct vd_workers *w, size_t n, size_t part)
{
	struct sums s;

	memset(&s, 0, sizeof(s));
	vd_workers_do(w, n, part, mark, &s);
	for (size_t i = 0; i < N; i++)
		assert_int_equal(s.done[i], i < n);
	if (vd_workers_count(w))
		assert_true(s.largest <= part);
}

static void share_out_some(struct vd_workers *w)
{
	static const size_t counts[] = { 0, 1, 2, 15, 16, 17, 1000, N }, parts[] = { 1, 16, 1000, N };

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++)
			share_out(w, counts[i], parts[k]);
}

static void test_workers__every_part_once_with_any_number(void **state)
{
	(void)state;
	share_out_some(NULL);
	for (size_t threads = 0; threads <= VD_WORKERS_MAX + 1; threads++) {
		struct vd_workers *w = vd_workers_new(threads);

		assert_non_null(w);
		assert_int_equal(vd_workers_count(w), threads < VD_WORKERS_MAX ? threads : VD_WORKERS_MAX);
		share_out_some(w);
		vd_workers_free(w);
	}
}

static void test_workers__where_no_thread_can_be_had(void **state)
{
	(void)state;
	for (int had = 0; had < 3; had++) {
		struct vd_workers *w;

		vd_workers_test_threads = had;
		w = vd_workers_new(4);
		vd_workers_test_threads = -1;
		assert_int_equal(vd_workers_count(w), had);
		share_out_some(w);
		vd_workers_free(w);
	}
}

/* Both of two parts run at the same time: each waits for the other. */
static void meet(void *ctx, size_t from, size_t to)
{
	pthread_barrier_t *barrier = ctx;

	(void)from;
	(void)to;
	pthread_barrier_wait(barrier);
}

static void test_workers__parts_run_at_the_same_time(void **state)
{
	struct vd_workers *w = vd_workers_new(2);
	pthread_barrier_t barrier;

	(void)state;
	pthread_barrier_init(&barrier, NULL, 3);
	for (int i = 0; i < 100; i++)
		vd_workers_do(w, 3, 1, meet, &barrier);
	pthread_barrier_destroy(&barrier);
	vd_workers_free(w);
}

static void *ask(void *w)
{
	for (int i = 0; i < 200; i++)
		share_out(w, N, 100);
	return NULL;
}

static void test_workers__several_ask_at_once(void **state)
{
	struct vd_workers *w = vd_workers_new(3);
	pthread_t askers[ASKERS];

	(void)state;
	for (int i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_create(&askers[i], NULL, ask, w), 0);
	for (int i = 0; i < ASKERS; i++)
		pthread_join(askers[i], NULL);
	vd_workers_free(w);
}

/* Freed while they have only just been started, or wait. */
static void test_workers__freed_at_any_moment(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++) {
		struct vd_workers *w = vd_workers_new(4);

		if (i % 2)
			share_out(w, 64, 1);
		vd_workers_free(w);
	}
	vd_workers_free(NULL);
	assert_true(vd_workers_useful() <= VD_WORKERS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers__every_part_once_with_any_number),
		cmocka_unit_test(test_workers__where_no_thread_can_be_had),
		cmocka_unit_test(test_workers__parts_run_at_the_same_time),
		cmocka_unit_test(test_workers__several_ask_at_once),
		cmocka_unit_test(test_workers__freed_at_any_moment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
