#include "link_stick.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/file.h"
#include "stick_hearings.h"
#include "stick_laggards.h"
#include "stick_reach.h"
#include "stick_inside.h"
#include "stick_receipts.h"
#include "stick_segments.h"
#include "stick_turn.h"
#include "stick_which.h"

enum { HEADS_LOOKED_AT = 16 }; /* 42 kB: a sixth of what a visit on which nothing is new may read */

char *vd_visit_path(const struct vd_visit *v, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", v->cache, name) < 0 ? NULL : path;
}

static size_t place_of(const struct vd_visit *v, const struct vd_group *group)
{
	size_t i = 0;

	while (i < v->groups.count && v->groups.group[i] != group)
		i++;
	return i < v->groups.count ? i : VD_STORE_GROUPS_MAX;
}

static int find_wanted(struct vd_visit *v)
{
	enum { AT_ONCE = 256 };
	struct vd_arrival found[AT_ONCE];
	struct vd_port port;
	int rc = VD_OK;

	vd_store_port(v->store, &port);
	for (size_t i = 0; i < v->groups.count; i++) {
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			uint64_t after = 0;
			size_t n = AT_ONCE;

			while (!rc && n == AT_ONCE) {
				rc = port.wanted(port.ctx, vd_group_id(v->groups.group[i]), lane, after, found, AT_ONCE, &n);
				for (size_t j = 0; j < n && !rc; j++)
					rc = vd_arrivals_add(&v->wanted, found[j].arrival, true);
				after = n ? found[n - 1].arrival : after;
			}
		}
	}
	return rc;
}

/* A body that we had, or left for later, may be wanted since the segment was read. */
static bool holds_wanted(const struct vd_visit *v, const struct vd_segment *s, uint64_t latest)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	while (v->wanted.count && vd_arrivals_list_next(&r, latest, &at, &stub))
		if (!stub && vd_arrivals_held(&v->wanted, at))
			return true;
	return false;
}

/* A known one: what a file that was cut or wiped held is ours to write again. */
static int look_at_heads(struct vd_visit *v, struct vd_segment *s)
{
	char *path = vd_visit_path(v, s->name);
	int rc = path ? vd_segment_look(s, v->store, &v->groups, path) : VD_ENOMEM;

	free(path);
	return rc;
}

/* Of a segment that this store knows no more than the size and the heads are looked at, and of those that are as they were only the heads of
 * HEADS_LOOKED_AT, others on each visit: what went bad behind our back is found in the end, and a thousand files cost no more than these. */
static int recall_all(struct vd_visit *v, uint64_t latest)
{
	struct vd_segments *all = &v->segments;
	size_t *same = calloc(all->count + 1, sizeof(*same)), count = 0;
	int rc = same ? VD_OK : VD_ENOMEM;

	for (size_t i = 0; i < all->count && !rc; i++) {
		struct vd_segment *s = &all->p[i];
		bool wanted;

		rc = vd_segment_recall(all, i, v->store, &v->groups, latest);
		if (rc || s->state != VD_SEGMENT_KNOWN)
			continue;
		/* What a repair took is to come back. */
		wanted = s->before || holds_wanted(v, s, latest);
		if (s->as_noted && !wanted)
			same[count++] = i;
		else
			rc = look_at_heads(v, s);
		if (wanted && s->state == VD_SEGMENT_KNOWN)
			s->state = VD_SEGMENT_UNREAD;
	}
	for (size_t n = 0; n < count && n < HEADS_LOOKED_AT && !rc; n++) {
		size_t other = n + randombytes_uniform((uint32_t)(count - n)), i = same[other];

		same[other] = same[n];
		rc = look_at_heads(v, &all->p[i]);
	}
	free(same);
	for (size_t i = 0; i < all->count && !rc; i++)
		if (all->p[i].state == VD_SEGMENT_KNOWN)
			vd_segment_heed(all, i);
	return rc;
}

static int take_segment(struct vd_visit *v, size_t i, struct vd_bundle_stats *stats)
{
	struct vd_segment *s = &v->segments.p[i];
	struct vd_bundle_notices notices = vd_segment_notices(&v->segments, i);
	struct vd_arrivals holds = { 0 };
	char *path = vd_visit_path(v, s->name);
	int rc, noted;

	if (!path)
		return VD_ENOMEM;
	rc = vd_bundle_merge_into(v->store, &v->groups, path, false, &holds, &notices, stats);
	free(path);
	v->result->received += stats->merge.fresh + stats->merge.filled;
	v->result->later += stats->merge.later;
	s->group = place_of(v, stats->group);
	s->key = stats->key;
	s->receipts_alone = !rc && s->receipts.n && !stats->beside;
	s->pending = stats->merge.pooled || stats->merge.declined > stats->merge.over_share || stats->merge.refused_why[-VD_EAUTHOR] || stats->merge.refused_why[-VD_ESIGNATURE];
	/* Read again each time, as long as there is something to be had if the bound is lifted. */
	s->declined = stats->merge.over_share;
	s->on_stick = true;
	memcpy(s->stick, v->stick_id, sizeof(s->stick));
	vd_buf_reset(&s->list);
	noted = vd_arrivals_encode(&holds, &s->list);
	vd_arrivals_deinit(&holds);
	if (!noted)
		noted = s->notices.failed || s->devices.failed || s->hearing.failed || s->receipts.failed ? VD_ENOMEM : VD_OK;
	/* Known from now on only when nothing on it could become ours later. */
	if (!noted && !rc && !s->pending && !s->declined)
		noted = vd_segment_learn(v->store, vd_group_id(stats->group), s);
	return noted ? noted : rc;
}

static int read_segment(struct vd_visit *v, size_t i)
{
	struct vd_segment *s = &v->segments.p[i];
	bool first = s->state == VD_SEGMENT_UNREAD;
	struct vd_bundle_stats stats;
	int rc = take_segment(v, i, &stats);

	if (first) {
		v->result->chunks += stats.chunks_ok + stats.chunks_bad;
		v->result->chunks_bad += stats.chunks_bad;
		v->result->heads_bad += rc == VD_EDAMAGED && stats.head_bad && !stats.chunks_bad;
	}
	v->bytes_read += s->size;
	v->records_read += stats.records;
	s->foreign = false;
	s->no_key = rc == VD_EKEY;
	switch (rc) {
	case VD_OK:
		s->state = VD_SEGMENT_WHOLE;
		v->result->segments_read++;
		vd_segment_heed(&v->segments, i);
		break;
	case VD_EKEY:
	case VD_EGROUP:
	case VD_EVERSION:
		s->foreign = true;
		s->pending = false;
		return VD_OK;
	case VD_ENOTFOUND: /* folded into another meanwhile, by who else is at it: to be found next time */
		v->result->others = true;
		v->pending++;
		return VD_OK;
	case VD_EFORMAT: /* shorter than a head */
	case VD_ETORN:
		s->state = VD_SEGMENT_TORN;
		break;
	case VD_EDAMAGED:
		s->state = VD_SEGMENT_DAMAGED;
		break;
	case VD_EDENIED:
	case VD_EIO:
		/* One that cannot be read must not keep us from the others; a store that fails has taken records in. */
		if (stats.records)
			return rc;
		s->state = VD_SEGMENT_DAMAGED;
		return VD_OK;
	default:
		return rc;
	}
	v->result->bytes_in += stats.bytes;
	v->pending += s->pending;
	return VD_OK;
}

/* Segments come in no order: one may hold the grant that the records of another wait for. Each turn through those that wait must
 * bring something. */
static int read_pending(struct vd_visit *v)
{
	uint64_t before;

	do {
		before = v->result->received;
		for (size_t i = 0; i < v->segments.count; i++) {
			struct vd_bundle_stats stats;
			int rc;

			if (!v->segments.p[i].pending)
				continue;
			rc = take_segment(v, i, &stats);
			if (rc && rc != VD_ETORN && rc != VD_EDAMAGED)
				return rc;
			v->pending -= !v->segments.p[i].pending;
		}
	} while (v->pending && v->result->received > before);
	return VD_OK;
}

/* Is it out of use? Then it is not even read. Only its own group may say so. */
static bool is_over(struct vd_visit *v, struct vd_segment *s)
{
	char *path = vd_visit_path(v, s->name);

	if (path && vd_bundle_whose(v->store, &v->groups, path, &s->key) == VD_OK)
		s->group = s->key.place;
	free(path);
	return vd_segment_replaced(s);
}

/* Of a segment that stays in use: what it holds counts if the others can read it too. */
static int count_in(struct vd_visit *v, struct vd_reach *reach, struct vd_segment *s)
{
	char *path;
	int rc;

	/* Our slot in it opened it, and it may have brought the key that the others open it with. */
	if (!s->key.by_link) {
		path = vd_visit_path(v, s->name);
		rc = path ? vd_bundle_whose(v->store, &v->groups, path, &s->key) : VD_ENOMEM;
		free(path);
		if (rc)
			return rc == VD_ENOMEM ? rc : VD_OK;
	}
	return vd_reach_add(reach, &s->key, vd_buf_slice(&s->list), &v->stick);
}

int vd_visit_count(struct vd_visit *v)
{
	struct vd_reach reach;
	int rc = vd_reach_init(&reach, v->store, &v->groups);

	vd_arrivals_deinit(&v->stick);
	v->stick = (struct vd_arrivals){ 0 };
	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		struct vd_segment *s = &v->segments.p[i];

		if (s->state != VD_SEGMENT_UNREAD && !s->drop && !s->gone && !vd_segment_is_over(s) && !vd_segment_is_catch_up(s))
			rc = count_in(v, &reach, s);
	}
	vd_reach_deinit(&reach);
	return rc;
}

/* What the stick holds, and what is wrong with it. */
static int settle(struct vd_visit *v)
{
	int rc = vd_segments_settle(&v->segments, v->say);

	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		struct vd_segment *s = &v->segments.p[i];
		uint64_t chunks;

		v->result->segments_foreign += s->foreign;
		v->result->segments_untried += s->untried;
		v->result->declined += s->declined;
		if (vd_segment_is_over(s))
			continue;
		if (s->state == VD_SEGMENT_TORN || (s->state == VD_SEGMENT_LOST && !vd_sealed_layout(s->size, &chunks)))
			v->result->segments_torn++;
		else if (s->state == VD_SEGMENT_DAMAGED || s->state == VD_SEGMENT_LOST || s->drop)
			v->result->segments_bad++;
	}
	if (!rc)
		rc = vd_visit_count(v);
	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = vd_hearings_heed(v->store, v->groups.group[i], i, &v->segments);
	return rc;
}

static int read_one(struct vd_visit *v, struct vd_segment *s, size_t *closed)
{
	int rc = VD_OK;

	if (!(vd_segment_maybe_replaced(s) && is_over(v, s)))
		rc = read_segment(v, (size_t)(s - v->segments.p));
	*closed += s->no_key;
	return rc;
}

/* Looks for those that open, the newest first; the others get out of `unread`. */
static int sift(struct vd_visit *v, struct vd_segment **unread, size_t count, size_t *closed)
{
	int rc = VD_OK;

	for (size_t i = count; i > 0 && !rc; i--) {
		struct vd_segment *s = unread[i - 1];
		struct vd_bundle_key key;
		char *path;

		s->untried = *closed >= VD_FOREIGN_MOST;
		path = s->untried ? NULL : vd_visit_path(v, s->name);
		rc = s->untried ? VD_OK : path ? vd_bundle_whose(v->store, &v->groups, path, &key) : VD_ENOMEM;
		free(path);
		s->foreign = s->no_key = rc == VD_EKEY;
		*closed += s->no_key;
		if (s->untried || s->no_key)
			unread[i - 1] = NULL;
		rc = rc == VD_ENOMEM ? rc : VD_OK;
	}
	return rc;
}

/* The oldest first: it mostly holds what the others build on. If the medium's times lie, some are read twice. */
static int read_unread(struct vd_visit *v)
{
	struct vd_segment **unread = calloc(v->segments.count + 1, sizeof(*unread));
	size_t count = 0, closed = 0, i = 0;
	int rc = unread ? VD_OK : VD_ENOMEM;

	v->to_read = v->bytes_read;
	for (size_t k = 0; k < v->segments.count && !rc; k++) {
		if (v->segments.p[k].state != VD_SEGMENT_UNREAD || v->segments.p[k].passed)
			continue;
		unread[count++] = &v->segments.p[k];
		v->to_read += v->segments.p[k].size;
	}
	if (count)
		qsort(unread, count, sizeof(*unread), vd_segment_by_age);
	for (; i < count && !rc && closed < VD_FOREIGN_MOST / 2; i++)
		rc = read_one(v, unread[i], &closed);
	if (!rc)
		rc = sift(v, unread + i, count - i, &closed);
	for (; i < count && !rc; i++)
		rc = unread[i] ? read_one(v, unread[i], &closed) : VD_OK;
	free(unread);
	return rc ? rc : read_pending(v);
}

static void name_stick(struct vd_visit *v, const uint8_t id[VD_STICK_ID_BYTES])
{
	memcpy(v->stick_id, id, VD_STICK_ID_BYTES);
	v->route.kind = VD_ROUTE_STICK;
	vd_hex(v->route.text, id, VD_STICK_ID_BYTES);
	v->groups.route = &v->route;
}

static int recognise(struct vd_visit *v)
{
	struct vd_stick known;
	int rc = vd_stick_recognise(v->store, &v->segments, &known);

	if (rc)
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	name_stick(v, known.id);
	v->anchors |= known.marked || known.anchored;
	v->anchored = known.anchored;
	memcpy(v->anchor, known.anchor.id, sizeof(v->anchor));
	return VD_OK;
}

static int read_stick(struct vd_visit *v)
{
	uint8_t unknown[VD_STICK_ID_BYTES];
	uint64_t latest;
	size_t keys;
	int rc = vd_segments_list(&v->segments, v->cache);

	randombytes_buf(unknown, sizeof(unknown));
	name_stick(v, unknown);
	v->anchors = v->wish->anchor;
	if (rc)
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	rc = vd_store_latest(v->store, &latest);
	if (!rc)
		rc = find_wanted(v);
	if (!rc)
		rc = recall_all(v, latest);
	if (!rc)
		rc = recognise(v);
	/* What gives a device that was away the new keys is one segment among those they open. */
	do {
		keys = vd_foreign_keys(&v->groups);
		if (!rc)
			rc = vd_foreign_recall(v->store, v->stick_id, &v->segments, keys);
		if (!rc)
			rc = read_unread(v);
	} while (!rc && vd_foreign_keys(&v->groups) > keys);
	return rc ? rc : settle(v);
}

/* Is there something that none of our keys opens, and of which nobody says that it is out of use? */
static bool is_shut(const struct vd_visit *v)
{
	for (size_t i = 0; i < v->segments.count; i++)
		if (v->segments.p[i].foreign && !vd_segment_maybe_replaced(&v->segments.p[i]))
			return true;
	return false;
}

/* A stick that was pulled leaves the empty folder that it was mounted on, which takes writes as well. */
static int still_there(const struct vd_visit *v, const struct stat *begun)
{
	struct stat now;

	if (stat(v->dir, &now))
		return VD_EIO;
	return now.st_dev == begun->st_dev && now.st_ino == begun->st_ino ? VD_OK : VD_EIO;
}

bool vd_stick_odd(const char *dir)
{
	struct stat st;
	char *cache;
	bool odd = asprintf(&cache, "%s/cache", dir) > 0;

	if (odd) {
		odd = lstat(cache, &st) == 0 && !S_ISDIR(st.st_mode);
		free(cache);
	}
	return odd;
}

static int visit_cache(struct vd_visit *v, const struct stat *begun)
{
	const char *write_to = v->cache;
	bool full = false;
	int rc;

	if (access(v->cache, F_OK))
		write_to = v->dir;
	vd_file_sweep(v->cache, NULL);
	vd_bundle_sweep(v->cache, &v->groups);
	v->result->read_only = access(write_to, W_OK) != 0;
	rc = read_stick(v);
	/* Nothing was written; but of one that fails nothing good is said. */
	v->result->safe_to_remove = rc && rc != VD_EIO;
	if (rc)
		return rc;
	rc = still_there(v, begun);
	v->shut = is_shut(v);
	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = vd_hearings_ours(v->groups.group[i], i, &v->segments, v->shut, &v->hearing[i]);
	for (size_t i = 0; i < v->groups.count && !rc; i++) {
		rc = vd_visit_receipts(v, i, VD_RECEIPTS_BYTES);
		v->result->unsaid |= v->result->read_only && vd_visit_has_word(v, i);
	}
	if (!rc)
		rc = vd_visit_write(v, &full);
	if (!rc && !v->result->read_only)
		rc = vd_visit_leave_room(v);
	for (size_t i = 0; i < v->groups.count && !rc && !v->result->read_only; i++)
		rc = vd_visit_leave_word(v, i);
	if (!rc && !v->result->read_only)
		rc = vd_anchor_keep(v);
	if (!rc && !v->result->read_only)
		rc = vd_visit_tidy(v);
	if (!rc)
		rc = still_there(v, begun);
	if (rc)
		return rc;
	v->result->safe_to_remove = true;
	v->result->full = full;
	if (full)
		return VD_ENOSPACE;
	if (v->result->segments_bad)
		return VD_EDAMAGED;
	return v->result->segments_torn ? VD_ETORN : VD_OK;
}

static int begin(struct vd_visit *v, struct stat *begun, int *turn)
{
	int rc;

	*turn = -1;
	if (stat(v->dir, begun))
		return vd_file_errno(errno);
	if (!S_ISDIR(begun->st_mode))
		return VD_ENOTFOUND;
	if (vd_stick_odd(v->dir))
		return VD_EINVAL;
	rc = vd_stick_turn_begin(vd_store_home(v->store), begun, v->wish->wait_ms, turn);
	v->result->busy = rc == VD_EBUSY;
	/* Now: who was at it before may have brought keys. */
	return rc ? rc : vd_bundle_groups_load(v->store, &v->groups);
}

/* Is all of ours on it, so that everyone can read it? */
static int judge(struct vd_visit *v)
{
	uint64_t lacking = 0;
	int rc = vd_visit_lacks(v, &lacking);

	v->result->complete = !rc && !lacking && v->pending == 0 && !v->result->unreadable && !v->result->segments_untried;
	for (size_t i = 0; i < v->groups.count; i++)
		v->result->complete = v->result->complete && vd_reach_all(v->groups.group[i]);
	return rc;
}

/* Remembers the stick, and up to where it holds ours. To know that is a help, and not to know it no harm; but a disk of ours that fails is. */
static int note_visit(struct vd_visit *v)
{
	uint64_t through = 0, lacking = 0;
	bool any = v->result->bytes_out > 0;
	int rc = VD_OK;

	for (size_t i = 0; i < v->segments.count; i++)
		any |= v->segments.p[i].group < VD_STORE_GROUPS_MAX;
	if (any)
		(void)vd_foreign_note(v, vd_foreign_keys(&v->groups));
	if (any)
		rc = vd_store_latest(v->store, &through);
	if (any && !rc)
		rc = vd_visit_lacks(v, &lacking);
	if (!any || rc)
		return rc;
	rc = vd_stick_visited(v->store, v->stick_id, v->now_ms, lacking ? lacking - 1 : through, v->spared);
	if (!rc && !v->anchored)
		rc = vd_visit_renew(v);
	return rc == VD_EIO || rc == VD_ENOSPACE || rc == VD_ENOMEM ? rc : VD_OK;
}

/* Of one segment, in proportion to all. */
static void tell_watch(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	const struct vd_visit *v = ctx;

	(void)all;
	v->wish->watch->tell(v->wish->watch->ctx, v->bytes_read + done, v->to_read, v->records_read + records);
}

int vd_stick_sync(struct vd_store *store, const char *dir, struct vd_stick_result *result)
{
	const struct vd_stick_wish none = { 0 };

	return vd_stick_sync_as(store, dir, &none, result);
}

int vd_stick_sync_as(struct vd_store *store, const char *dir, const struct vd_stick_wish *wish, struct vd_stick_result *result)
{
	struct vd_visit v = { .store = store, .dir = dir, .wish = wish, .result = result };
	const struct vd_bundle_watch all = { tell_watch, &v };
	struct timespec now;
	int rc, turn, judged = VD_OK, noted = VD_OK;
	struct stat begun;

	*result = (struct vd_stick_result){ 0 };
	if (!clock_gettime(CLOCK_REALTIME, &now))
		v.now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (asprintf(&v.cache, "%s/cache", dir) < 0)
		return VD_ENOMEM;
	rc = begin(&v, &begun, &turn);
	if (wish->watch)
		v.groups.watch = &all;
	if (!rc)
		rc = visit_cache(&v, &begun);
	if (!rc)
		judged = judge(&v);
	if (!rc || rc == VD_ENOSPACE || rc == VD_EDAMAGED || rc == VD_ETORN)
		noted = note_visit(&v);
	vd_stick_turn_end(turn);
	for (size_t i = 0; i < v.groups.count; i++) {
		vd_buf_deinit(&v.say[i].damaged);
		vd_buf_deinit(&v.say[i].replaced);
		vd_buf_deinit(&v.hearing[i]);
		free(v.queues[i].numbers);
		vd_receipts_deinit(&v.receipts[i]);
	}
	vd_segments_deinit(&v.segments);
	vd_bundle_groups_free(&v.groups);
	vd_arrivals_deinit(&v.stick);
	vd_arrivals_deinit(&v.wanted);
	free(v.cache);
	return rc ? rc : judged ? judged : noted;
}
