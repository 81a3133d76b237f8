/* What a stick lacks of ours, in the order in which it goes there. */
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "stick_inside.h"

/* Is its day over, by a clock that can be believed? Then its body is not added to a stub: who put that there may have taken the body away. */
static bool is_over(const struct vd_visit *v, const struct vd_record *record)
{
	for (size_t g = 0; g < v->groups.count; g++)
		if (memcmp(vd_group_id(v->groups.group[g]), record->group, VD_GROUP_BYTES) == 0)
			return vd_store_is_over(record, v->expired_through[g]);
	return false;
}

/* Of a record that stands under this number: does the stick lack it, or its body, which we have? */
static int lacks(struct vd_visit *v, uint64_t at, struct vd_buf *raw, bool *out)
{
	struct vd_record record;
	uint64_t received_ms;
	int rc;

	*out = !vd_arrivals_held(&v->stick, at);
	if (*out || vd_arrivals_whole(&v->stick, at))
		return VD_OK;
	rc = vd_store_read(v->store, at, raw, &record, &received_ms);
	*out = !rc && !record.stub && !is_over(v, &record);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* The arrival numbers of our records that the stick lacks, or of whose body it lacks and we have, ascending; at most `most`. */
static int find_lacking(struct vd_visit *v, size_t most, struct vd_buf *out)
{
	enum { AT_ONCE = 256 };
	uint64_t latest, at = 0, numbers[AT_ONCE];
	struct vd_buf raw = { 0 };
	size_t n = 1;
	int rc = vd_store_latest(v->store, &latest);

	/* Numbers may lie far apart, and on the stick may be all of very many. */
	while (!rc && n && out->n / sizeof(at) < most && (at = vd_arrivals_next_lacking(&v->stick, at, latest))) {
		rc = vd_store_numbers(v->store, at - 1, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			bool lacking;

			at = numbers[i];
			rc = lacks(v, at, &raw, &lacking);
			if (!rc && lacking)
				vd_buf_put(out, &at, sizeof(at));
		}
	}
	vd_buf_deinit(&raw);
	return rc ? rc : vd_buf_check(out);
}

int vd_visit_lacks(struct vd_visit *v, uint64_t *first)
{
	struct vd_buf lacking = { 0 };
	int rc = find_lacking(v, 1, &lacking);

	*first = lacking.n ? *(const uint64_t *)(const void *)lacking.p : 0;
	vd_buf_deinit(&lacking);
	return rc;
}

static int push(struct vd_queue *q, uint64_t number)
{
	if (!vd_room(&q->numbers, q->count, &q->capacity, 256, sizeof(*q->numbers)))
		return VD_ENOMEM;
	q->numbers[q->count++] = number;
	return VD_OK;
}

/* Those of one lane, in the order in which they came: authors take turns as they took them here. */
static int queue_lane(struct vd_visit *v, size_t g, uint8_t lane, const struct vd_arrivals *lacking, uint64_t first, uint64_t last)
{
	enum { AT_ONCE = 256 };
	uint64_t numbers[AT_ONCE], after = first - 1;
	size_t n = AT_ONCE;
	int rc = VD_OK;

	while (!rc && n == AT_ONCE && after < last) {
		rc = vd_store_lane_numbers(v->store, vd_group_id(v->groups.group[g]), lane, after, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++)
			if (vd_arrivals_held(lacking, after = numbers[i]))
				rc = push(&v->queues[g], numbers[i]);
	}
	v->queues[g].lane_ends[lane] = v->queues[g].count;
	return rc;
}

int vd_visit_queue(struct vd_visit *v)
{
	struct vd_arrivals lacking = { 0 };
	struct vd_buf numbers = { 0 };
	int rc = find_lacking(v, SIZE_MAX, &numbers);
	size_t count = numbers.n / sizeof(uint64_t);
	const uint64_t *number = (const uint64_t *)(const void *)numbers.p;

	for (size_t i = 0; i < count && !rc; i++)
		rc = vd_arrivals_add(&lacking, number[i], false);
	for (size_t g = 0; g < v->groups.count; g++) {
		free(v->queues[g].numbers);
		v->queues[g] = (struct vd_queue){ 0 };
	}
	for (size_t g = 0; g < v->groups.count && count && !rc; g++)
		for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++)
			rc = queue_lane(v, g, lane, &lacking, number[0], number[count - 1]);
	for (size_t g = 0; g < v->groups.count; g++)
		for (int lane = VD_LANES; lane < 2 * VD_LANES; lane++)
			v->queues[g].lane_ends[lane] = v->queues[g].count;
	vd_arrivals_deinit(&lacking);
	vd_buf_deinit(&numbers);
	return rc;
}
