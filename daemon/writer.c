#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

struct job {
	uint32_t conn;
	uint8_t group[VD_GROUP_BYTES];
	struct vd_batch *batch;
	struct vd_merge merge;
	int rc;
};

struct ring {
	struct job jobs[VD_PEERS_MAX];
	size_t first, count;
};

/* The groups as the store has them. The loop's own copies belong to the loop, and may know control records that no commit has
 * made durable yet. */
struct own_group {
	struct vd_group *group;
	uint64_t after;
};

struct vd_writer {
	struct vd_store *store;
	vd_writer_done *done;
	void *ctx;
	uv_async_t async;
	uv_thread_t thread;
	uv_mutex_t mutex;      /* over waiting, finished, stop */
	uv_cond_t work;
	struct ring waiting, finished;
	bool stop, joined;
	struct own_group groups[VD_STORE_GROUPS_MAX]; /* the thread's */
	size_t group_count;
};

static void ring_put(struct ring *ring, const struct job *job)
{
	ring->jobs[(ring->first + ring->count++) % VD_PEERS_MAX] = *job;
}

static struct job ring_take(struct ring *ring)
{
	struct job job = ring->jobs[ring->first];

	ring->first = (ring->first + 1) % VD_PEERS_MAX;
	ring->count--;
	return job;
}

static int own_group(struct vd_writer *writer, const uint8_t id[VD_GROUP_BYTES], struct own_group **out)
{
	struct own_group fresh = {0};

	for (size_t i = 0; i < writer->group_count; i++)
		if (!memcmp(vd_group_id(writer->groups[i].group), id, VD_GROUP_BYTES)) {
			*out = &writer->groups[i];
			return vd_store_group_refresh(writer->store, (*out)->group, &(*out)->after);
		}
	if (writer->group_count == VD_STORE_GROUPS_MAX)
		return VD_ECAP;
	int rc = vd_store_latest(writer->store, &fresh.after);
	if (!rc)
		rc = vd_store_group(writer->store, id, &fresh.group);
	if (rc)
		return rc;
	writer->groups[writer->group_count] = fresh;
	*out = &writer->groups[writer->group_count++];
	return 0;
}

static void forget_group(struct vd_writer *writer, struct own_group *group)
{
	vd_group_free(group->group);
	*group = writer->groups[--writer->group_count];
}

static void run_job(struct vd_writer *writer, struct job *job)
{
	struct own_group *own;

	job->rc = own_group(writer, job->group, &own);
	if (job->rc)
		return;
	/* the batch was judged by the loop's group, which took its control records: ours must know as much before the pool is
	 * tried again */
	for (size_t i = 0; i < job->batch->count; i++) {
		const struct vd_batch_entry *entry = &job->batch->entries[i];

		if (!entry->verdict && entry->record.lane == VD_LANE_CONTROL)
			(void)vd_group_add(own->group, &entry->record);
	}
	job->rc = vd_store_commit(writer->store, own->group, job->batch, &job->merge);
	if (job->rc) /* it knows things now that are not durable */
		forget_group(writer, own);
}

static void thread_main(void *arg)
{
	struct vd_writer *writer = arg;

	uv_mutex_lock(&writer->mutex);
	for (;;) {
		while (!writer->waiting.count && !writer->stop)
			uv_cond_wait(&writer->work, &writer->mutex);
		if (!writer->waiting.count)
			break;
		struct job job = ring_take(&writer->waiting);
		uv_mutex_unlock(&writer->mutex);

		run_job(writer, &job);

		uv_mutex_lock(&writer->mutex);
		ring_put(&writer->finished, &job);
		uv_async_send(&writer->async);
	}
	uv_mutex_unlock(&writer->mutex);
	while (writer->group_count)
		forget_group(writer, &writer->groups[0]);
}

static void on_finished(uv_async_t *async)
{
	struct vd_writer *writer = async->data;

	for (;;) {
		uv_mutex_lock(&writer->mutex);
		bool any = writer->finished.count && !writer->stop;
		struct job job = {0};
		if (any)
			job = ring_take(&writer->finished);
		uv_mutex_unlock(&writer->mutex);
		if (!any)
			return;
		writer->done(writer->ctx, job.conn, job.rc, &job.merge);
	}
}

int vd_writer_start(uv_loop_t *loop, struct vd_store *store, vd_writer_done *done, void *ctx, struct vd_writer **out)
{
	struct vd_writer *writer = calloc(1, sizeof *writer);

	if (!writer)
		return VD_ENOMEM;
	writer->store = store;
	writer->done = done;
	writer->ctx = ctx;
	if (uv_mutex_init(&writer->mutex))
		goto no_mutex;
	if (uv_cond_init(&writer->work))
		goto no_cond;
	if (uv_async_init(loop, &writer->async, on_finished))
		goto no_async;
	writer->async.data = writer;
	if (uv_thread_create(&writer->thread, thread_main, writer)) {
		writer->stop = writer->joined = true;
		uv_close((uv_handle_t *)&writer->async, NULL);
		uv_run(loop, UV_RUN_NOWAIT);
		goto no_async;
	}
	*out = writer;
	return 0;
no_async:
	uv_cond_destroy(&writer->work);
no_cond:
	uv_mutex_destroy(&writer->mutex);
no_mutex:
	free(writer);
	return VD_ENOMEM;
}

int vd_writer_submit(struct vd_writer *writer, uint32_t conn, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *batch)
{
	struct job job = {.conn = conn, .batch = batch};
	int rc = 0;

	memcpy(job.group, group, VD_GROUP_BYTES);
	uv_mutex_lock(&writer->mutex);
	if (writer->waiting.count + writer->finished.count >= VD_PEERS_MAX)
		rc = VD_ECAP;
	else
		ring_put(&writer->waiting, &job);
	uv_cond_signal(&writer->work);
	uv_mutex_unlock(&writer->mutex);
	return rc;
}

void vd_writer_stop(struct vd_writer *writer)
{
	if (writer->joined)
		return;
	uv_mutex_lock(&writer->mutex);
	writer->stop = true;
	uv_cond_signal(&writer->work);
	uv_mutex_unlock(&writer->mutex);
	uv_thread_join(&writer->thread);
	writer->joined = true;
	uv_close((uv_handle_t *)&writer->async, NULL);
}

void vd_writer_free(struct vd_writer *writer)
{
	if (!writer)
		return;
	uv_cond_destroy(&writer->work);
	uv_mutex_destroy(&writer->mutex);
	free(writer);
}
