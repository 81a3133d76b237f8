#include "tops.h"

#include <stdlib.h>
#include <string.h>

static struct vd_top *find(const struct vd_tops *t, const uint8_t *author, uint8_t lane)
{
	/* Who came last comes again. */
	for (size_t i = t->count; i-- > 0;)
		if (t->list[i].lane == lane && !memcmp(t->list[i].author, author, VD_KEY_BYTES))
			return &t->list[i];
	return NULL;
}

uint64_t vd_tops_get(const struct vd_tops *t, const uint8_t author[VD_KEY_BYTES], uint8_t lane)
{
	const struct vd_top *top = find(t, author, lane);

	return top ? top->seq : VD_TOP_UNKNOWN;
}

void vd_tops_put(struct vd_tops *t, const uint8_t author[VD_KEY_BYTES], uint8_t lane, uint64_t seq)
{
	struct vd_top *top = find(t, author, lane);

	if (!top && t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 64;
		struct vd_top *list = capacity > VD_TOPS_MAX ? NULL : realloc(t->list, capacity * sizeof(*list));

		if (!list)
			return;
		t->list = list;
		t->capacity = capacity;
	}
	if (!top) {
		top = &t->list[t->count++];
		memcpy(top->author, author, VD_KEY_BYTES);
		top->lane = lane;
	}
	top->seq = seq;
}

void vd_tops_deinit(struct vd_tops *t)
{
	free(t->list);
	*t = (struct vd_tops){ 0 };
}
