#include "tending.h"

#include <string.h>
#include <time.h>


static uint64_t clock_ms(void)
{
	struct timespec wall;

	return clock_gettime(CLOCK_REALTIME, &wall) || wall.tv_sec < 0 ? 0 : (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000;
}

/* One group that cannot be tended does not keep the others from it. */
static void work(uv_work_t *request)
{
	struct vd_tending *t = request->data;
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;

	t->rc = vd_store_groups(t->store, groups, &count);
	for (size_t i = 0; !t->rc && i < count; i++) {
		struct vd_group *group = NULL;
		int rc = vd_store_group(t->store, groups[i], &group);

		if (!rc)
			rc = vd_store_tend(t->store, group, clock_ms(), &t->tended);
		vd_group_free(group);
		t->rc = t->rc ? t->rc : rc;
	}
}

static void after(uv_work_t *request, int status)
{
	struct vd_tending *t = request->data;
	bool again = t->again;

	t->busy = t->again = false;
	if (!status)
		t->done(t->ctx, t->rc, &t->tended);
	if (again)
		vd_tending_wish(t);
}

void vd_tending_init(struct vd_tending *t, uv_loop_t *loop, struct vd_store *store, void (*done)(void *, int, const struct vd_tended *),
                     void *ctx)
{
	memset(t, 0, sizeof *t);
	t->work.data = t;
	t->loop = loop;
	t->store = store;
	t->done = done;
	t->ctx = ctx;
}

void vd_tending_wish(struct vd_tending *t)
{
	if (t->busy) {
		t->again = true;
		return;
	}
	t->rc = 0;
	memset(&t->tended, 0, sizeof t->tended);
	t->busy = uv_queue_work(t->loop, &t->work, work, after) == 0;
}
