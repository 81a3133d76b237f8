#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "accounts.h"
#include "heard.h"
#include "proto/err.h"

struct job {
	uint32_t conn;
	uint8_t who[VD_PERSON_BYTES];
	struct vd_group *group;
	struct vd_batch *batch;
	uint8_t lane; /* the most urgent of its good records */
	struct vd_merge merge;
	int rc;
};

struct queue {
	struct job jobs[VD_PEERS_MAX]; /* oldest first */
	size_t count;
};

struct heard {
	uint8_t group[VD_GROUP_BYTES], device[VD_KEY_BYTES];
	struct vd_shown shown;
};

struct vd_writer {
	struct vd_store *store;
	vd_writer_done *done;
	void *ctx;
	uv_async_t async;
	uv_thread_t thread;
	uv_mutex_t mutex;      /* over waiting, finished, stop */
	uv_cond_t work;
	struct queue waiting, finished;
	struct heard heard[VD_PEERS_MAX];
	size_t heard_count;
	struct vd_accounts accounts;
	int64_t urgent_us;     /* so much more than by who had least was given out by urgency */
	uint64_t rest_until_us;/* heavy ones wait till then */
	bool stop, joined;
	size_t outstanding;    /* the loop's: submitted and not yet told */
};

static void queue_put(struct queue *queue, const struct job *job)
{
	queue->jobs[queue->count++] = *job;
}

static struct job queue_take(struct queue *queue, size_t i)
{
	struct job job = queue->jobs[i];

	queue->count--;
	memmove(&queue->jobs[i], &queue->jobs[i + 1], (queue->count - i) * sizeof job);
	return job;
}

static bool is_first_of_its(const struct queue *queue, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (queue->jobs[k].conn == queue->jobs[i].conn)
			return false;
	return true;
}

static uint64_t clock_us(void)
{
	return uv_hrtime() / 1000;
}

/* Whose turn is it? The queue's count when none may now. */
static size_t choose(const struct vd_writer *writer, bool by_urgency, bool by_age, uint64_t now_us)
{
	const struct queue *queue = &writer->waiting;
	bool resting = now_us < writer->rest_until_us && !writer->stop;
	size_t best = queue->count;
	uint64_t best_had = 0;

	for (size_t i = 0; i < queue->count; i++) {
		const struct job *job = &queue->jobs[i];
		uint64_t had = vd_accounts_had(&writer->accounts, job->who, now_us);
		bool better = best == queue->count;

		if (!is_first_of_its(queue, i) || (resting && vd_accounts_heavy(&writer->accounts, job->who, now_us)))
			continue;
		if (!better && by_urgency)
			better = job->lane != queue->jobs[best].lane ? job->lane < queue->jobs[best].lane : had < best_had;
		else if (!better)
			better = had != best_had ? had < best_had : !by_age && job->lane < queue->jobs[best].lane;
		if (better) {
			best = i;
			best_had = had;
		}
	}
	return best;
}

/* What it cost goes on the account, and on the half of the time by which it was chosen. */
static void settle(struct vd_writer *writer, const struct job *job, bool by_urgency, uint64_t began_us)
{
	enum { MOST_US = 1000000 }; /* an owner of half the time who does not ask for it does not save it up */
	uint64_t now_us = clock_us(), cost_us = now_us - began_us + job->batch->verified * VD_WRITER_VERIFY_US;
	int64_t cost = cost_us < MOST_US ? (int64_t)cost_us : MOST_US;

	vd_accounts_take(&writer->accounts, job->who, now_us, cost_us);
	writer->urgent_us += by_urgency ? cost : -cost;
	if (writer->urgent_us > MOST_US)
		writer->urgent_us = MOST_US;
	if (writer->urgent_us < -MOST_US)
		writer->urgent_us = -MOST_US;
	if (vd_accounts_heavy(&writer->accounts, job->who, now_us))
		writer->rest_until_us = now_us + cost_us;
}

/* With the mutex held, which it gives up while it writes. False: only heavy ones wait, and not long enough yet. */
static bool write_next(struct vd_writer *writer, size_t turn)
{
	enum { EVEN_US = 5000 }; /* the halves need not be equal to the microsecond */
	bool by_age = turn % VD_WRITER_TURN == 0, by_urgency = !by_age && writer->urgent_us < EVEN_US;
	uint64_t began_us = clock_us();
	size_t next = choose(writer, by_urgency, by_age, began_us);

	if (next == writer->waiting.count)
		return false;
	struct job job = queue_take(&writer->waiting, next);
	bool alone = !writer->waiting.count;
	uv_mutex_unlock(&writer->mutex);

	/* of the group only id, salt and identity are read, which never change: it stays the loop's */
	job.rc = vd_store_commit(writer->store, job.group, job.batch, &job.merge);

	uv_mutex_lock(&writer->mutex);
	int64_t before = writer->urgent_us;
	settle(writer, &job, by_urgency, began_us);
	if (alone) /* there was nothing to choose */
		writer->urgent_us = before;
	queue_put(&writer->finished, &job);
	uv_async_send(&writer->async);
	return true;
}

/* With the mutex held, which it gives up while it writes. */
static void write_heard(struct vd_writer *writer)
{
	struct heard heard = writer->heard[--writer->heard_count];

	uv_mutex_unlock(&writer->mutex);
	/* nothing depends on it: what could not be noted a later session shows again */
	(void)vd_heard_note(writer->store, heard.group, heard.device, &heard.shown);
	uv_mutex_lock(&writer->mutex);
}

static void thread_main(void *arg)
{
	struct vd_writer *writer = arg;
	size_t turn = 0;

	uv_mutex_lock(&writer->mutex);
	for (;;) {
		while (!writer->waiting.count && !writer->heard_count && !writer->stop)
			uv_cond_wait(&writer->work, &writer->mutex);
		if (!writer->waiting.count && !writer->heard_count)
			break;
		if (!writer->waiting.count) {
			write_heard(writer);
			continue;
		}
		if (!write_next(writer, turn + 1)) {
			uint64_t now_us = clock_us();

			if (now_us < writer->rest_until_us)
				uv_cond_timedwait(&writer->work, &writer->mutex, (writer->rest_until_us - now_us) * 1000);
			continue;
		}
		turn++;
	}
	uv_mutex_unlock(&writer->mutex);
}

static void on_finished(uv_async_t *async)
{
	struct vd_writer *writer = async->data;

	for (;;) {
		uv_mutex_lock(&writer->mutex);
		bool any = writer->finished.count && !writer->stop;
		struct job job = {0};
		if (any)
			job = queue_take(&writer->finished, 0);
		uv_mutex_unlock(&writer->mutex);
		if (!any)
			return;
		/* an idle writer does not keep the loop running, a busy one does */
		if (!--writer->outstanding)
			uv_unref((uv_handle_t *)&writer->async);
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
	uv_unref((uv_handle_t *)&writer->async);
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

int vd_writer_submit(struct vd_writer *writer, uint32_t conn, const uint8_t who[VD_PERSON_BYTES], struct vd_group *group,
                     struct vd_batch *batch)
{
	struct job job = {.conn = conn, .group = group, .batch = batch, .lane = VD_LANES};

	memcpy(job.who, who, sizeof job.who);
	for (size_t i = 0; i < batch->count; i++)
		if (!batch->entries[i].verdict && batch->entries[i].record.lane < job.lane)
			job.lane = batch->entries[i].record.lane;
	if (writer->outstanding == VD_PEERS_MAX)
		return VD_ECAP;
	writer->outstanding++;
	uv_ref((uv_handle_t *)&writer->async);
	uv_mutex_lock(&writer->mutex);
	queue_put(&writer->waiting, &job);
	vd_accounts_ask(&writer->accounts, who, clock_us());
	uv_cond_signal(&writer->work);
	uv_mutex_unlock(&writer->mutex);
	return 0;
}

void vd_writer_heard(struct vd_writer *writer, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES],
                     const struct vd_shown *shown)
{
	size_t i = 0;

	uv_mutex_lock(&writer->mutex);
	while (i < writer->heard_count && (memcmp(writer->heard[i].group, group, VD_GROUP_BYTES) != 0 ||
	                                   memcmp(writer->heard[i].device, device, VD_KEY_BYTES) != 0))
		i++;
	if (i < VD_PEERS_MAX) {
		memcpy(writer->heard[i].group, group, VD_GROUP_BYTES);
		memcpy(writer->heard[i].device, device, VD_KEY_BYTES);
		writer->heard_count += i == writer->heard_count;
		writer->heard[i].shown = *shown; /* of one session, or a later one with the same device */
		uv_cond_signal(&writer->work);
	}
	uv_mutex_unlock(&writer->mutex);
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
