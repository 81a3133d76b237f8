#include "workers.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct vd_workers {
	pthread_mutex_t mutex;
	pthread_cond_t asked, finished;
	pthread_t threads[VD_WORKERS_MAX];
	size_t count;
	struct vd_job *jobs;         /* that have parts to give out, first come first */
	bool stop;
};

int vd_workers_test_threads = -1;

/* With the mutex held, which it gives up while it works. */
static void do_part(struct vd_workers *w, struct vd_job *job)
{
	size_t from = job->next, to = job->n - from > job->part ? from + job->part : job->n;

	job->next = to;
	if (to == job->n) {
		struct vd_job **at = &w->jobs;

		while (*at != job)
			at = &(*at)->later;
		*at = job->later;
	}
	pthread_mutex_unlock(&w->mutex);
	job->work(job->ctx, from, to);
	pthread_mutex_lock(&w->mutex);
	job->done += to - from;
	if (job->done == job->n)
		pthread_cond_broadcast(&w->finished);
}

static void *thread_main(void *arg)
{
	struct vd_workers *w = arg;

	pthread_mutex_lock(&w->mutex);
	for (;;) {
		while (!w->jobs && !w->stop)
			pthread_cond_wait(&w->asked, &w->mutex);
		if (!w->jobs)
			break;
		do_part(w, w->jobs);
	}
	pthread_mutex_unlock(&w->mutex);
	return NULL;
}

static bool start_one(struct vd_workers *w)
{
	if (vd_workers_test_threads == 0)
		return false;
	if (vd_workers_test_threads > 0)
		vd_workers_test_threads--;
	return !pthread_create(&w->threads[w->count], NULL, thread_main, w);
}

size_t vd_workers_useful(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);

	return count > VD_WORKERS_MAX ? VD_WORKERS_MAX : (size_t)count - 1;
}

struct vd_workers *vd_workers_new(size_t threads)
{
	struct vd_workers *w = calloc(1, sizeof(*w));
	sigset_t all, before;

	if (!w)
		return NULL;
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->asked, NULL);
	pthread_cond_init(&w->finished, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (w->count < threads && w->count < VD_WORKERS_MAX && start_one(w))
		w->count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return w;
}

void vd_workers_free(struct vd_workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stop = true;
	pthread_cond_broadcast(&w->asked);
	pthread_mutex_unlock(&w->mutex);
	for (size_t i = 0; i < w->count; i++)
		pthread_join(w->threads[i], NULL);
	pthread_cond_destroy(&w->finished);
	pthread_cond_destroy(&w->asked);
	pthread_mutex_destroy(&w->mutex);
	free(w);
}

size_t vd_workers_count(const struct vd_workers *w)
{
	return w ? w->count : 0;
}

void vd_workers_begin(struct vd_workers *w, struct vd_job *job)
{
	struct vd_job **last;

	job->next = job->done = 0;
	job->later = NULL;
	if (!job->part)
		job->part = 1;
	if (!vd_workers_count(w) || !job->n)
		return;
	pthread_mutex_lock(&w->mutex);
	for (last = &w->jobs; *last; last = &(*last)->later)
		;
	*last = job;
	pthread_cond_broadcast(&w->asked);
	pthread_mutex_unlock(&w->mutex);
}

void vd_workers_finish(struct vd_workers *w, struct vd_job *job)
{
	if (!vd_workers_count(w)) {
		for (; job->next < job->n; job->next += job->part)
			job->work(job->ctx, job->next, job->n - job->next > job->part ? job->next + job->part : job->n);
		return;
	}
	pthread_mutex_lock(&w->mutex);
	while (job->next < job->n)
		do_part(w, job);
	while (job->done < job->n)
		pthread_cond_wait(&w->finished, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

void vd_workers_do(struct vd_workers *w, size_t n, size_t part, void (*work)(void *ctx, size_t from, size_t to), void *ctx)
{
	struct vd_job job = { .work = work, .ctx = ctx, .n = n, .part = part };

	vd_workers_begin(w, &job);
	vd_workers_finish(w, &job);
}
