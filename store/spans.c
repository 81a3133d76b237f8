/* Spans: which runs of an author's chains are here without a gap, each record with its body. What a receipt says (custody.h), kept beside
 * the index, by its cursor.
 *
 * A run is exact: its records follow each other by `prev`. While a chain has no fork here, whatever has its body and a seq of a run is of that
 * run; else it is found by walking down from the run's head. *Links* are the same runs of records whose bodies may have gone: by them it is told whether a
 * receipt's span reaches a stub.
 *
 * Value "spans" of a group and author: for each lane u8 flags (1 forked, 2 stubs, 4 links are kept, 8 they differ, and follow) ‖ varint
 * records in runs that were dropped ‖ u8 n ‖ n × (head's id ‖ u8 1 and id of what the lowest names as its predecessor, or u8 0 ‖ u64 seq of the
 * head ‖ u64 seq of the lowest). Then for each lane with flag 8 its links, in the same form. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum { FORKED = 1, STUBS = 2, LINKED = 4, APART = 8 };

/* --- one author's --- */

static void drop_run(struct vd_run_lane *lane, size_t i)
{
	lane->runs[i] = lane->runs[--lane->count];
}

static struct vd_run *run_by_head(struct vd_run_lane *lane, const struct vd_id *head, uint64_t high)
{
	for (size_t i = 0; i < lane->count; i++)
		if (lane->runs[i].high == high && !memcmp(lane->runs[i].head.b, head->b, VD_ID_BYTES))
			return &lane->runs[i];
	return NULL;
}

static bool covers(const struct vd_run *run, uint64_t seq)
{
	return run->low <= seq && seq <= run->high;
}

static bool any_covers(const struct vd_run_lane *lane, uint64_t seq)
{
	for (size_t i = 0; i < lane->count; i++)
		if (covers(&lane->runs[i], seq))
			return true;
	return false;
}

/* Does the run that ends at `high` go on below another one? Then they are one. */
static void join_above(struct vd_run_lane *lane, struct vd_run *run)
{
	for (size_t i = 0; i < lane->count; i++) {
		struct vd_run *above = &lane->runs[i];

		if (above == run || !above->has_below || above->low != run->high + 1 || memcmp(above->below.b, run->head.b, VD_ID_BYTES) != 0)
			continue;
		above->low = run->low;
		above->below = run->below;
		above->has_below = run->has_below;
		drop_run(lane, (size_t)(run - lane->runs));
		return;
	}
}

/* Too many: the lowest is not told of any more. What it holds cannot be told from forks of what comes. */
static void drop_lowest(struct vd_run_lane *lane)
{
	size_t lowest = 0;

	for (size_t i = 1; i < lane->count; i++)
		if (lane->runs[i].high < lane->runs[lowest].high)
			lowest = i;
	lane->dropped += lane->runs[lowest].high - lane->runs[lowest].low + 1;
	lane->forked = true;
	drop_run(lane, lowest);
}

static bool enter_whole(struct vd_run_lane *lane, const struct vd_record *r, bool fresh)
{
	struct vd_run *run;

	if (run_by_head(lane, &r->id, r->seq))
		return false;
	if (any_covers(lane, r->seq)) {
		bool was = lane->forked;

		/* A fork; or what was spoilt here came again, which cannot be told from one. */
		lane->forked = true;
		if (!fresh)
			return !was;
	}
	run = r->has_prev && r->seq > 1 ? run_by_head(lane, &r->prev, r->seq - 1) : NULL;
	if (!run) {
		run = &lane->runs[lane->count++];
		*run = (struct vd_run){ .below = r->prev, .has_below = r->has_prev, .low = r->seq };
	}
	run->head = r->id;
	run->high = r->seq;
	join_above(lane, run);
	if (lane->count > VD_RUNS_MAX)
		drop_lowest(lane);
	return true;
}

/* Its body went. What stood below it was of the same chain if no stub of that seq can have been another branch's. */
static bool take_out(struct vd_run_lane *lane, size_t i, const struct vd_record *r)
{
	struct vd_run *run = &lane->runs[i], below = *run;

	below.head = r->prev;
	below.high = r->seq - 1;
	if (run->high == r->seq) {
		drop_run(lane, i);
	} else {
		run->low = r->seq + 1;
		run->below = r->id;
		run->has_below = !lane->stubs;
	}
	if (below.high < below.low)
		return true;
	if (lane->stubs)
		lane->dropped += below.high - below.low + 1;
	else
		lane->runs[lane->count++] = below;
	return true;
}

static bool enter_stub(struct vd_run_lane *lane, const struct vd_record *r, bool fresh)
{
	bool was_stubs = lane->stubs, was_forked = lane->forked, moved = false;

	if (fresh) {
		lane->stubs = true;
		lane->forked = lane->forked || any_covers(lane, r->seq);
		return !was_stubs || was_forked != lane->forked;
	}
	for (size_t i = 0; i < lane->count && !moved;) {
		if (!covers(&lane->runs[i], r->seq)) {
			i++;
		} else if (lane->forked) {
			/* Which of two branches it stood in nobody has written down. */
			lane->dropped += lane->runs[i].high - lane->runs[i].low + 1;
			drop_run(lane, i);
			i = 0;
		} else {
			moved = take_out(lane, i, r);
		}
	}
	if (lane->count > VD_RUNS_MAX)
		drop_lowest(lane);
	return true;
}

/* --- values --- */

static void runs_parts(const uint8_t *group, const uint8_t *author, struct vd_slice parts[2])
{
	parts[0] = vd_slice(group, VD_GROUP_BYTES);
	parts[1] = vd_slice(author, VD_KEY_BYTES);
}

static uint8_t read_lane(struct vd_rd *r, struct vd_run_lane *lane)
{
	uint8_t flags = vd_rd_u8(r);
	size_t count;

	lane->forked = flags & FORKED;
	lane->stubs = flags & STUBS;
	lane->dropped = vd_rd_varint(r);
	count = vd_rd_u8(r);
	if (flags > (FORKED | STUBS | LINKED | APART) || count > VD_RUNS_MAX)
		vd_rd_fail(r, VD_EDAMAGED);
	for (; !r->err && lane->count < count; lane->count++) {
		struct vd_run *run = &lane->runs[lane->count];

		vd_rd_copy(r, run->head.b, VD_ID_BYTES);
		run->has_below = vd_rd_u8(r) == 1;
		if (run->has_below)
			vd_rd_copy(r, run->below.b, VD_ID_BYTES);
		run->high = vd_rd_u64(r);
		run->low = vd_rd_u64(r);
		if (run->low < 1 || run->low > run->high)
			vd_rd_fail(r, VD_EDAMAGED);
	}
	return flags;
}

static void read_lanes(struct vd_rd *r, struct vd_runs *out)
{
	uint8_t flags[VD_LANES];

	for (int lane = 0; lane < VD_LANES; lane++)
		flags[lane] = read_lane(r, &out->lanes[lane]);
	for (int lane = 0; lane < VD_LANES; lane++) {
		struct vd_run_lane *links = &out->lanes[VD_LINKS + lane];

		if (flags[lane] & APART) {
			read_lane(r, links);
			continue;
		}
		*links = out->lanes[lane];
		/* By a vereda that kept none: another record of a seq may be here, without its body. */
		links->forked = links->forked || !(flags[lane] & LINKED);
	}
}

int vd_runs_read(struct vd_store *s, const uint8_t *group, const uint8_t author[VD_KEY_BYTES], struct vd_runs *out)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	*out = (struct vd_runs){ 0 };
	memcpy(out->author, author, VD_KEY_BYTES);
	runs_parts(group, author, parts);
	rc = vd_value_read(s, "spans", parts, 2, &value);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		read_lanes(&r, out);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static void put_lane(struct vd_buf *value, const struct vd_run_lane *l, uint8_t flags)
{
	vd_buf_put_u8(value, (uint8_t)(flags | (l->forked ? FORKED : 0) | (l->stubs ? STUBS : 0)));
	vd_buf_put_varint(value, l->dropped);
	vd_buf_put_u8(value, (uint8_t)l->count);
	for (size_t i = 0; i < l->count; i++) {
		vd_buf_put(value, l->runs[i].head.b, VD_ID_BYTES);
		vd_buf_put_u8(value, l->runs[i].has_below);
		if (l->runs[i].has_below)
			vd_buf_put(value, l->runs[i].below.b, VD_ID_BYTES);
		vd_buf_put_u64(value, l->runs[i].high);
		vd_buf_put_u64(value, l->runs[i].low);
	}
}

static bool same_runs(const struct vd_run_lane *a, const struct vd_run_lane *b)
{
	bool same = a->forked == b->forked && a->stubs == b->stubs && a->dropped == b->dropped && a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++)
		same = !memcmp(a->runs[i].head.b, b->runs[i].head.b, VD_ID_BYTES) && a->runs[i].high == b->runs[i].high && a->runs[i].low == b->runs[i].low;
	return same;
}

static void put_runs(struct vd_write *w, const uint8_t *group, const struct vd_runs *runs)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };

	for (int lane = 0; lane < VD_LANES; lane++)
		put_lane(&value, &runs->lanes[lane], same_runs(&runs->lanes[lane], &runs->lanes[VD_LINKS + lane]) ? LINKED : LINKED | APART);
	for (int lane = 0; lane < VD_LANES; lane++)
		if (!same_runs(&runs->lanes[lane], &runs->lanes[VD_LINKS + lane]))
			put_lane(&value, &runs->lanes[VD_LINKS + lane], 0);
	runs_parts(group, runs->author, parts);
	if (value.failed)
		w->err = VD_ENOMEM;
	else
		vd_effects_value(&w->effects, w->store, "spans", parts, 2, vd_buf_slice(&value));
	vd_buf_deinit(&value);
}

void vd_spans_forget(struct vd_write *w, struct vd_group *group)
{
	struct vd_slice parts[2];

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		runs_parts(vd_group_id(group), vd_group_device(group, i)->author, parts);
		vd_effects_value(&w->effects, w->store, "spans", parts, 2, vd_slice(NULL, 0));
	}
}

/* --- a transaction of the index --- */

struct vd_spanning_one {
	uint8_t group[VD_GROUP_BYTES];
	struct vd_runs runs;
	bool moved;
};

static int one_of(struct vd_spanning *s, struct vd_store *store, const struct vd_record *r, struct vd_spanning_one **out)
{
	struct vd_spanning_one *one;
	int rc;

	/* Most are by whom the one before was. */
	for (size_t i = 0; i < s->count; i++) {
		size_t at = (s->last + i) % s->count;

		*out = one = &s->list[at];
		if (memcmp(one->runs.author, r->author, VD_KEY_BYTES) != 0 || memcmp(one->group, r->group, VD_GROUP_BYTES) != 0)
			continue;
		s->last = at;
		return VD_OK;
	}
	if (!vd_room(&s->list, s->count, &s->capacity, 8, sizeof(*s->list)))
		return VD_ENOMEM;
	*out = one = &s->list[s->count];
	one->moved = false;
	memcpy(one->group, r->group, VD_GROUP_BYTES);
	rc = vd_runs_read(store, r->group, r->author, &one->runs);
	if (!rc)
		s->last = s->count++;
	return rc;
}

int vd_spanning_enter(struct vd_spanning *s, struct vd_store *store, const struct vd_record *record, bool fresh)
{
	struct vd_spanning_one *one;
	int rc = one_of(s, store, record, &one);

	if (rc)
		return rc;
	one->moved |= (record->stub ? enter_stub : enter_whole)(&one->runs.lanes[record->lane], record, fresh);
	/* Its links do not change with its body. */
	if (fresh)
		one->moved |= enter_whole(&one->runs.lanes[VD_LINKS + record->lane], record, true);
	return rc;
}

void vd_spanning_put(struct vd_spanning *s, struct vd_write *w)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].moved)
			put_runs(w, s->list[i].group, &s->list[i].runs);
}

void vd_spanning_deinit(struct vd_spanning *s)
{
	free(s->list);
	*s = (struct vd_spanning){ 0 };
}
