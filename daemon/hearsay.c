#include "hearsay.h"

#include <string.h>

#include "proto/err.h"

/* Ours, as the store has it now. NULL: it cannot be read. */
static struct vd_group *group_of(struct vd_hearsay *h, const uint8_t id[VD_GROUP_BYTES])
{
	struct vd_follow *found = NULL;

	for (size_t i = 0; i < h->group_count && !found; i++)
		if (memcmp(vd_group_id(h->groups[i].group), id, VD_GROUP_BYTES) == 0)
			found = &h->groups[i];
	if (!found && h->group_count < VD_STORE_GROUPS_MAX) {
		found = &h->groups[h->group_count];
		*found = (struct vd_follow){.group = NULL};
		if (vd_store_group(h->store, id, &found->group))
			return NULL;
		h->group_count++;
	}
	return found && !vd_follow_store(found, &h->port) ? found->group : NULL;
}

static void work(uv_work_t *request)
{
	struct vd_hearsay *h = request->data;

	for (size_t i = 0; i < h->working_count; i++) {
		struct vd_hearsay_job *job = &h->working[i];
		struct vd_group *group = group_of(h, job->group);

		if (group && job->say)
			vd_heard_say(h->store, group, &job->own);
		else if (group)
			vd_heard_words(h->store, group, job->peer, &job->words, &job->route);
	}
}

static void begin(struct vd_hearsay *);

static void drop(struct vd_hearsay_job *job)
{
	vd_words_deinit(&job->words);
	vd_buf_deinit(&job->own);
}

static void after(uv_work_t *request, int status)
{
	struct vd_hearsay *h = request->data;
	size_t count = h->working_count;

	(void)status; /* what was not begun has said nothing */
	h->working_count = 0;
	for (size_t i = 0; i < count; i++) {
		if (h->working[i].say)
			h->said(h->ctx, h->working[i].conn, vd_buf_slice(&h->working[i].own));
		drop(&h->working[i]);
	}
	h->busy = false;
	begin(h);
}

static void begin(struct vd_hearsay *h)
{
	if (h->busy || !h->waiting_count)
		return;
	memcpy(h->working, h->waiting, h->waiting_count * sizeof h->waiting[0]);
	h->working_count = h->waiting_count;
	h->waiting_count = 0;
	h->busy = uv_queue_work(h->loop, &h->work, work, after) == 0;
}

void vd_hearsay_init(struct vd_hearsay *h, uv_loop_t *loop, struct vd_store *store, void (*said)(void *ctx, uint32_t conn, struct vd_slice), void *ctx)
{
	memset(h, 0, sizeof *h);
	h->work.data = h;
	h->loop = loop;
	h->store = store;
	h->said = said;
	h->ctx = ctx;
	vd_store_port(store, &h->port);
}

void vd_hearsay_deinit(struct vd_hearsay *h)
{
	for (size_t i = 0; i < h->waiting_count; i++)
		drop(&h->waiting[i]);
	for (size_t i = 0; i < h->group_count; i++) {
		vd_group_free(h->groups[i].group);
		vd_follow_deinit(&h->groups[i]);
	}
}

int vd_hearsay_say(struct vd_hearsay *h, uint32_t conn, const uint8_t group[VD_GROUP_BYTES])
{
	struct vd_hearsay_job *job = &h->waiting[h->waiting_count];

	if (h->waiting_count == VD_HEARSAY_MAX)
		return VD_ECAP;
	h->waiting_count++;
	memset(job, 0, sizeof *job);
	job->conn = conn;
	job->say = true;
	memcpy(job->group, group, VD_GROUP_BYTES);
	begin(h);
	return 0;
}

void vd_hearsay_keep(struct vd_hearsay *h, const uint8_t group[VD_GROUP_BYTES], const uint8_t peer[VD_KEY_BYTES], struct vd_words *words,
                     const struct vd_route *route)
{
	struct vd_hearsay_job *job = &h->waiting[h->waiting_count];

	if (h->waiting_count == VD_HEARSAY_MAX)
		return;
	h->waiting_count++;
	memset(job, 0, sizeof *job);
	memcpy(job->group, group, VD_GROUP_BYTES);
	memcpy(job->peer, peer, VD_KEY_BYTES);
	job->route = *route;
	job->words = *words;
	memset(words, 0, sizeof *words);
	begin(h);
}
