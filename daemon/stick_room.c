/* Room on a stick: who may use how much of it, and how one that is full gets some for news. PROTOCOL.md section 7, a full stick. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "proto/err.h"
#include "stick_hearings.h"
#include "stick_inside.h"
#include "stick_reach.h"
#include "stick_receipts.h"
#include "stick_which.h"
#include "store/file.h"

enum {
	/* Left free, for folder entries and clusters: a part of the medium. */
	SLACK_PART = 64, SLACK_LEAST = 8 * 1024, SLACK_MOST = 64 * 1024,
	/* What records of lanes 2 and 3 leave of the room, for alerts, control records and receipts that come later: a quarter, but files of one
	 * chunk at least so many (one of receipts, unless that stands there already, the one that takes its place before it goes, and one for an alert) and at
	 * most so many. */
	RESERVE_LEAST = 3,
	RESERVE_MOST = 8,
};

static bool has_receipts(const struct vd_visit *v)
{
	for (size_t i = 0; i < v->segments.count; i++)
		if (v->segments.p[i].receipts_alone && vd_segment_in_use(&v->segments.p[i]))
			return true;
	return false;
}

static uint64_t kept_free(const struct vd_visit *v, uint64_t all, enum vd_room_for whom)
{
	const uint64_t least = (RESERVE_LEAST - has_receipts(v)) * vd_sealed_bytes(1), most = RESERVE_MOST * vd_sealed_bytes(1);
	uint64_t reserve = all / 4 < least ? least : all / 4 > most ? most : all / 4;

	return whom == VD_ROOM_URGENT ? 0 : whom == VD_ROOM_NEWS ? reserve : reserve + all / 4;
}

static uint64_t slack(uint64_t all)
{
	uint64_t part = all / SLACK_PART;

	return part < SLACK_LEAST ? SLACK_LEAST : part > SLACK_MOST ? SLACK_MOST : part;
}

static uint64_t less(uint64_t room, uint64_t kept)
{
	return room > kept ? room - kept : 0;
}

/* Nothing is known to stand there. Where something does, what went to make room would be written again on the next visit. */
static bool is_new(const struct vd_visit *v)
{
	for (size_t i = 0; i < v->segments.count; i++)
		if (vd_segment_in_use(&v->segments.p[i]) || v->segments.p[i].gone)
			return false;
	return true;
}

int vd_visit_room(struct vd_visit *v, enum vd_room_for whom, uint64_t *out)
{
	uint64_t wished = UINT64_MAX;
	struct statvfs fs;

	if (statvfs(v->cache, &fs))
		return vd_file_errno(errno);
	v->medium_bytes = (uint64_t)fs.f_blocks * fs.f_frsize;
	*out = less((uint64_t)fs.f_bavail * fs.f_frsize, slack(v->medium_bytes) + kept_free(v, v->medium_bytes, whom));
	/* Some drivers do not tell. */
	if (fs.f_blocks == 0)
		*out = UINT64_MAX;
	if (v->wish->max_bytes)
		wished = less(v->wish->max_bytes, v->used_bytes + kept_free(v, v->wish->max_bytes, whom));
	if (v->wish->max_bytes && v->wish->max_bytes < v->medium_bytes)
		v->medium_bytes = v->wish->max_bytes;
	v->result->at_max = wished < *out;
	*out = wished < *out ? wished : *out;
	if (whom == VD_ROOM_SPARE && !is_new(v))
		*out = 0;
	return VD_OK;
}

bool vd_visit_has_to_write(const struct vd_visit *v, size_t g)
{
	return v->queues[g].count || v->say[g].damaged.n || v->say[g].replaced.n;
}

/* Is there less room than the whole store takes? Then it may matter what goes first. */
static bool may_be_short(struct vd_visit *v)
{
	uint64_t room = 0, records, bytes = 0;

	return vd_visit_room(v, VD_ROOM_NEWS, &room) || vd_store_size(v->store, &records, &bytes) || room < bytes;
}

/* --- how much is lacking --- */

/* Files of records, in chunks as they fill up. */
struct load {
	uint64_t chunks;
	size_t filled;
};

static void put(struct load *l, size_t bytes)
{
	bytes += VD_VISIT_ENTRY_BYTES;
	if (!l->chunks || l->filled + bytes > VD_CHUNK_PLAIN) {
		l->chunks++;
		l->filled = 0;
	}
	l->filled += bytes;
}

/* With what goes along: manifests, receipts, a hearing, and heads. */
static uint64_t load_bytes(const struct load *l)
{
	return l->chunks ? vd_sealed_bytes(l->chunks + 1) + l->chunks * VD_CHUNK_BYTES / VD_STICK_SEGMENT_BYTES * vd_sealed_bytes(1) : 0;
}

/* What the records of a group take that somebody may lack, those that are urgent and all; no more of it is looked at than comes to `most`. */
static int weigh(struct vd_visit *v, size_t g, uint64_t most, uint64_t *urgent, uint64_t *all)
{
	const struct vd_queue *q = &v->queues[g];
	struct load load = { 0 };
	struct vd_buf raw = { 0 };
	int rc = VD_OK;

	*urgent = 0;
	for (size_t i = 0; i < vd_queue_spare(q) && !rc && load_bytes(&load) <= most; i++) {
		struct vd_record r;

		rc = vd_store_read(v->store, q->numbers[i], &raw, &r, NULL);
		if (!rc)
			put(&load, r.raw.n);
		if (i < q->lane_ends[VD_LANE_URGENT])
			*urgent = load_bytes(&load);
		rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	}
	*all = load_bytes(&load);
	vd_buf_deinit(&raw);
	return rc;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* How much room lacks for what somebody may lack; at most about `most`. Groups have equal shares. */
static int find_lack(struct vd_visit *v, uint64_t most, uint64_t *lack)
{
	uint64_t urgent = 0, news = 0, groups = 0, room;
	int rc = VD_OK;

	*lack = 0;
	for (size_t g = 0; g < v->groups.count && !rc; g++) {
		uint64_t of_urgent, of_all;

		groups += vd_visit_has_to_write(v, g);
		rc = weigh(v, g, most, &of_urgent, &of_all);
		urgent = larger(urgent, of_urgent);
		news = larger(news, of_all > of_urgent ? of_all : 0);
	}
	if (!rc)
		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
	if (!rc)
		*lack = less(groups * urgent, room);
	if (!rc)
		rc = vd_visit_room(v, VD_ROOM_NEWS, &room);
	if (!rc)
		*lack = larger(*lack, less(groups * news, room));
	return rc;
}

/* --- what may go --- */

static bool may_go(const struct vd_segment *s)
{
	/* Where the medium is bad a file is best left: the next would stand there. What it says of others has to be said. */
	return s->ours && s->state == VD_SEGMENT_KNOWN && vd_segment_in_use(s) && !vd_segment_is_catch_up(s) && s->list.n && !s->notices.n &&
	       !vd_segment_called_damaged(s);
}

static int is_everywhere(struct vd_everywhere *e, const struct vd_segment *s, bool *yes)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	struct vd_buf numbers = { 0 };
	uint64_t at = 0;
	bool stub;
	int rc;

	while (vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		vd_buf_put(&numbers, &at, sizeof(at));
	rc = r.err ? VD_EDAMAGED : vd_buf_check(&numbers);
	*yes = !rc;
	/* What came last is known to the fewest. */
	for (size_t n = numbers.n; n && *yes && !rc; n -= sizeof(at)) {
		memcpy(&at, numbers.p + n - sizeof(at), sizeof(at));
		rc = vd_everywhere_has(e, at, yes);
	}
	vd_buf_deinit(&numbers);
	return rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Its receipts stand elsewhere, or go into what is written now. */
static int move_receipts(struct vd_visit *v, size_t g, const struct vd_segment *s, bool *covered)
{
	bool due = v->receipts_due[g];
	int rc = VD_OK;

	*covered = vd_visit_receipts_covered(v, g, s);
	if (*covered)
		return VD_OK;
	vd_receipts_deinit(&v->receipts[g]);
	rc = vd_visit_receipts(v, g, VD_RECEIPTS_BYTES);
	*covered = !rc && vd_visit_receipts_covered(v, g, s);
	if (!*covered)
		v->receipts_due[g] = due;
	return rc;
}

/* If it is known to be everywhere. */
static int remove_one(struct vd_visit *v, struct vd_everywhere *e, struct vd_segment *s, bool *gone)
{
	size_t g = s->group;
	int rc = is_everywhere(e, s, gone);

	if (!rc && *gone && vd_anchor_is(v, s))
		rc = vd_anchor_hold(v, s, gone);
	if (rc || !*gone)
		return rc;
	s->gone = true;
	rc = move_receipts(v, g, s, gone);
	s->gone = *gone;
	if (*gone && !v->hearing[g].n && s->hearing.n && vd_hearing_is_current(v->groups.group[g], s, v->shut)) {
		vd_buf_put_slice(&v->hearing[g], vd_buf_slice(&s->hearing));
		rc = vd_buf_check(&v->hearing[g]);
	}
	return rc || !*gone ? rc : vd_visit_remove(v, s);
}

struct clearing {
	struct vd_everywhere *everywhere[VD_STORE_GROUPS_MAX];
	bool opened[VD_STORE_GROUPS_MAX];
	struct vd_segment **segments; /* that may go, the oldest first */
	size_t count;
	uint64_t bytes;              /* of all of them */
};

static int find_old(struct vd_visit *v, struct clearing *c)
{
	c->segments = calloc(v->segments.count + 1, sizeof(*c->segments));
	if (!c->segments)
		return VD_ENOMEM;
	for (size_t i = 0; i < v->segments.count; i++) {
		if (!may_go(&v->segments.p[i]))
			continue;
		c->segments[c->count++] = &v->segments.p[i];
		c->bytes += v->segments.p[i].size;
	}
	if (c->count)
		qsort(c->segments, c->count, sizeof(*c->segments), vd_segment_by_age);
	return VD_OK;
}

/* *cleared: something went. */
static int clear(struct vd_visit *v, struct clearing *c, uint64_t lack, bool *cleared)
{
	int rc = VD_OK;

	*cleared = false;
	for (size_t i = 0; i < c->count && lack && !rc; i++) {
		struct vd_segment *s = c->segments[i];
		bool gone = false;

		if (s->gone)
			continue;
		if (!c->opened[s->group])
			rc = vd_everywhere_open(v, s->group, &c->everywhere[s->group]);
		c->opened[s->group] = true;
		if (!rc && c->everywhere[s->group])
			rc = remove_one(v, c->everywhere[s->group], s, &gone);
		lack = gone ? less(lack, s->size) : lack;
		*cleared |= gone;
	}
	return rc || !*cleared ? rc : vd_file_sync_folder(v->cache);
}

static int put_known_last(struct vd_visit *v)
{
	int rc = VD_OK;

	for (size_t g = 0; g < v->groups.count && !rc; g++)
		rc = vd_visit_known_last(v, g);
	return rc;
}

/* What went is not there any more: its control records are written again, all else is known to be everywhere. */
static int queue_anew(struct vd_visit *v)
{
	int rc = vd_visit_count(v);

	if (!rc)
		rc = vd_visit_queue(v);
	return rc ? rc : put_known_last(v);
}

int vd_visit_make_room(struct vd_visit *v)
{
	struct clearing c = { .count = 0 };
	bool cleared = true;
	uint64_t lack = 0;
	int rc;

	if (!may_be_short(v))
		return VD_OK;
	rc = put_known_last(v);
	if (!rc)
		rc = find_old(v, &c);
	while (!rc && c.count && cleared) {
		uint64_t room = 0;

		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
		if (!rc)
			rc = find_lack(v, room > UINT64_MAX / 2 ? room : room + c.bytes, &lack);
		if (!rc)
			rc = clear(v, &c, lack, &cleared);
		if (!rc && cleared)
			rc = queue_anew(v);
	}
	for (size_t g = 0; g < v->groups.count; g++)
		vd_everywhere_close(c.everywhere[g]);
	free(c.segments);
	return rc;
}

/* --- for those who come later --- */

/* Of what is written anew in any case nothing is won. */
static bool holds_control(const struct vd_reach *reach, const struct vd_segment *s)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	while (vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		if (vd_arrivals_held(&reach->control, at))
			return true;
	return false;
}

/* Of a segment that went because everybody has it. */
static void note_spared(struct vd_visit *v, const struct vd_segment *s)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	while (vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		v->spared = at > v->spared ? at : v->spared;
}

static int leave_some(struct vd_visit *v, const struct vd_reach *reach, struct clearing *c, uint64_t wanted)
{
	uint64_t room = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < c->count && !rc; i++) {
		struct vd_segment *s = c->segments[i];
		bool gone = false;

		rc = vd_visit_room(v, VD_ROOM_NEWS, &room);
		if (rc || room >= wanted)
			break;
		if (s->gone || holds_control(reach, s))
			continue;
		if (!c->opened[s->group])
			rc = vd_everywhere_open(v, s->group, &c->everywhere[s->group]);
		c->opened[s->group] = true;
		if (!rc && c->everywhere[s->group])
			rc = remove_one(v, c->everywhere[s->group], s, &gone);
		if (gone)
			note_spared(v, s);
	}
	return rc;
}

int vd_visit_leave_room(struct vd_visit *v)
{
	const uint64_t least = vd_sealed_bytes(1), most = RESERVE_MOST * least;
	const bool at_max = v->result->at_max;
	struct clearing c = { .count = 0 };
	struct vd_reach reach = { 0 };
	uint64_t room = 0, wanted;
	int rc = vd_visit_room(v, VD_ROOM_NEWS, &room);

	wanted = v->medium_bytes / 8 < least ? least : v->medium_bytes / 8 > most ? most : v->medium_bytes / 8;
	if (!rc && room < wanted) {
		rc = find_old(v, &c);
		if (!rc && c.count)
			rc = vd_reach_init(&reach, v->store, &v->groups);
		if (!rc)
			rc = leave_some(v, &reach, &c, wanted);
	}
	v->result->at_max = at_max;
	for (size_t g = 0; g < v->groups.count; g++)
		vd_everywhere_close(c.everywhere[g]);
	free(c.segments);
	vd_reach_deinit(&reach);
	/* Who pulled it is told below. */
	return rc == VD_EIO || rc == VD_ENOTFOUND ? VD_OK : rc;
}
