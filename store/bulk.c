#include "bulk.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "inside.h"
#include "judge.h"
#include "proto/err.h"

struct vd_bulk {
	struct vd_store *store;
	struct vd_group *group;
	struct vd_merge *merge;   /* the committing thread's while it is at work */
	vd_bulk_stored *stored;
	void *ctx;
	struct vd_batch filling;
	struct vd_tops judged, committed; /* the latter as merge */
	bool threaded;
	pthread_t thread;
	pthread_mutex_t mutex;    /* over what follows */
	pthread_cond_t moved;
	struct vd_batch committing;
	bool busy, stop;
	int rc;                   /* of the first commit that failed */
};

static int commit_one(struct vd_bulk *b, struct vd_batch *batch)
{
	/* Of the group only id, salt and identity are read, which never change. */
	int rc = vd_store_commit_next(b->store, b->group, batch, &b->committed, b->merge);

	return rc || !b->stored ? rc : b->stored(b->ctx, batch);
}

static void *thread_main(void *arg)
{
	struct vd_bulk *b = arg;

	pthread_mutex_lock(&b->mutex);
	for (;;) {
		int rc;

		while (!b->busy && !b->stop)
			pthread_cond_wait(&b->moved, &b->mutex);
		if (!b->busy)
			break;
		pthread_mutex_unlock(&b->mutex);
		rc = commit_one(b, &b->committing);
		pthread_mutex_lock(&b->mutex);
		b->rc = rc;
		b->busy = false;
		pthread_cond_signal(&b->moved);
	}
	pthread_mutex_unlock(&b->mutex);
	return NULL;
}

static bool start_thread(struct vd_bulk *b)
{
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = vd_workers_test_threads != 0 && !pthread_create(&b->thread, NULL, thread_main, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

int vd_bulk_begin(struct vd_store *s, struct vd_group *group, struct vd_merge *merge, vd_bulk_stored *stored, void *ctx,
                  struct vd_bulk **out)
{
	struct vd_bulk *b = calloc(1, sizeof(*b));

	if (!b)
		return VD_ENOMEM;
	b->store = s;
	b->group = group;
	b->merge = merge;
	b->stored = stored;
	b->ctx = ctx;
	pthread_mutex_init(&b->mutex, NULL);
	pthread_cond_init(&b->moved, NULL);
	*out = b;
	return VD_OK;
}

struct vd_batch *vd_bulk_batch(struct vd_bulk *b)
{
	return &b->filling;
}

int vd_bulk_idle(struct vd_bulk *b)
{
	int rc;

	pthread_mutex_lock(&b->mutex);
	while (b->busy)
		pthread_cond_wait(&b->moved, &b->mutex);
	rc = b->rc;
	pthread_mutex_unlock(&b->mutex);
	return rc;
}

static bool brings_control(const struct vd_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->entries[i].record.lane == VD_LANE_CONTROL)
			return true;
	return false;
}

/* Also what the pool gives is the group's then. */
static int push_control(struct vd_bulk *b)
{
	int rc = vd_bulk_idle(b);

	if (!rc)
		rc = vd_store_merge(b->store, b->group, &b->filling, b->merge);
	return rc || !b->stored ? rc : b->stored(b->ctx, &b->filling);
}

/* Hands it over, and takes the one that was committed before to be filled. */
static int push_data(struct vd_bulk *b)
{
	struct vd_batch judged;
	int rc = vd_store_judge_next(b->store, b->group, &b->filling, &b->judged);

	if (!rc)
		rc = vd_bulk_idle(b);
	if (rc)
		return rc;
	if (!b->threaded)
		b->threaded = start_thread(b);
	if (!b->threaded)
		return commit_one(b, &b->filling);
	pthread_mutex_lock(&b->mutex);
	judged = b->filling;
	b->filling = b->committing;
	b->committing = judged;
	b->busy = true;
	pthread_cond_signal(&b->moved);
	pthread_mutex_unlock(&b->mutex);
	return VD_OK;
}

int vd_bulk_push(struct vd_bulk *b)
{
	int rc = VD_OK;

	if (b->filling.count)
		rc = brings_control(&b->filling) ? push_control(b) : push_data(b);
	vd_batch_reset(&b->filling);
	return rc;
}

int vd_bulk_flush(struct vd_bulk *b)
{
	int rc = vd_bulk_push(b), waited = vd_bulk_idle(b);

	return rc ? rc : waited;
}

void vd_bulk_end(struct vd_bulk *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->mutex);
	b->stop = true;
	pthread_cond_signal(&b->moved);
	pthread_mutex_unlock(&b->mutex);
	if (b->threaded)
		pthread_join(b->thread, NULL);
	vd_batch_deinit(&b->filling);
	vd_batch_deinit(&b->committing);
	vd_tops_deinit(&b->judged);
	vd_tops_deinit(&b->committed);
	pthread_cond_destroy(&b->moved);
	pthread_mutex_destroy(&b->mutex);
	free(b);
}
