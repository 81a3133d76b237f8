#include "link_stick.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "proto/err.h"
#include "stick_inside.h"
#include "stick_segments.h"
#include "store/custody.h"
#include "store/file.h"

struct checking {
	struct vd_store *store;
	struct vd_bundle_groups groups;
	struct vd_custody *custody[VD_STORE_GROUPS_MAX];
	bool *counts[VD_STORE_GROUPS_MAX]; /* of each keeper there: its word does */
	struct vd_segments segments;
	struct vd_arrivals held;     /* on the stick, and here */
	const char *dir;
	size_t closed;               /* segments that no key opened now */
	struct vd_stick_check *out;
};

/* A known one is as it was, unless a repair may have taken from us what it holds; any other is read, and nothing of it stored. */
static int look_at(struct checking *c, size_t i)
{
	struct vd_segment *s = &c->segments.p[i];
	struct vd_bundle_stats stats;
	char *path;
	int rc = VD_OK;

	if (asprintf(&path, "%s/cache/%s", c->dir, s->name) < 0)
		return VD_ENOMEM;
	if (s->state == VD_SEGMENT_KNOWN && !s->before)
		rc = vd_segment_look(s, c->store, &c->groups, path);
	/* What no key opened before, and what would take too long. */
	s->foreign = s->passed || (s->state == VD_SEGMENT_UNREAD && c->closed >= VD_FOREIGN_MOST);
	if (!rc && !s->foreign && (s->state == VD_SEGMENT_UNREAD || s->before)) {
		struct vd_bundle_notices notices = vd_segment_notices(&c->segments, i);
		struct vd_arrivals holds = { 0 };

		rc = vd_bundle_merge_into(c->store, &c->groups, path, true, &holds, &notices, &stats);
		c->out->absent += stats.merge.fresh + stats.merge.pooled + stats.merge.refused;
		for (size_t g = 0; g < c->groups.count; g++)
			if (c->groups.group[g] == stats.group)
				s->group = g;
		s->state = rc == VD_OK ? VD_SEGMENT_WHOLE : rc == VD_ETORN ? VD_SEGMENT_TORN : VD_SEGMENT_DAMAGED;
		s->foreign = rc == VD_EKEY || rc == VD_EGROUP || rc == VD_EVERSION;
		c->closed += rc == VD_EKEY;
		vd_buf_reset(&s->list);
		if (rc != VD_ENOMEM)
			rc = vd_arrivals_encode(&holds, &s->list);
		vd_arrivals_deinit(&holds);
	}
	free(path);
	return rc;
}

static void note_group(struct vd_stick_check *out, const uint8_t group[VD_GROUP_BYTES])
{
	for (size_t i = 0; i < out->group_count; i++)
		if (memcmp(out->groups[i], group, VD_GROUP_BYTES) == 0)
			return;
	memcpy(out->groups[out->group_count++], group, VD_GROUP_BYTES);
}

/* Is it wanted nowhere any more: a stub there, too, or taken back or over, and therefore let go of here or to go? */
static int is_spent(struct checking *c, uint64_t arrival, struct vd_buf *raw, bool *yes)
{
	enum vd_gone gone = VD_GONE_NOT;
	struct vd_record r;
	int rc = vd_arrivals_whole(&c->held, arrival) ? vd_store_gone(c->store, arrival, &gone) : VD_OK;

	*yes = !vd_arrivals_whole(&c->held, arrival) || gone == VD_GONE_REDACTED || gone == VD_GONE_EXPIRED;
	if (!rc && !*yes && gone == VD_GONE_NOT)
		rc = vd_store_read(c->store, arrival, raw, &r, NULL);
	if (!rc && !*yes && gone == VD_GONE_NOT)
		*yes = vd_store_withholds(c->store, &r);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Does its content stand on the stick and has not come here, as a bound of this device keeps it away, say? Not what went to make room: others are known to
 * keep that. Nor what is over. */
static int is_left(struct checking *c, uint64_t arrival, struct vd_buf *raw, bool *yes)
{
	uint32_t over = 0;
	enum vd_gone gone;
	struct vd_record r;
	int rc;

	*yes = false;
	if (!vd_arrivals_whole(&c->held, arrival))
		return VD_OK;
	rc = vd_store_gone(c->store, arrival, &gone);
	if (!rc && (gone == VD_GONE_YET || gone == VD_GONE_WAITS))
		rc = vd_store_read(c->store, arrival, raw, &r, NULL);
	if (rc || (gone != VD_GONE_YET && gone != VD_GONE_WAITS))
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	rc = vd_store_expired_through(c->store, r.group, (uint64_t)time(NULL) * 1000, &over);
	*yes = !vd_store_is_over(&r, over);
	return rc;
}

/* Opens what is known of a group, once. */
static int open_custody(struct checking *c, size_t g)
{
	int rc;

	if (c->custody[g])
		return VD_OK;
	rc = vd_custody_open(c->store, c->groups.group[g], &c->custody[g]);
	if (!rc && !(c->counts[g] = calloc(vd_custody_count(c->custody[g]) + 1, sizeof(*c->counts[g]))))
		rc = VD_ENOMEM;
	for (size_t i = 0; !rc && i < vd_custody_count(c->custody[g]); i++)
		c->counts[g][i] = !vd_custody_replaced(c->groups.group[g], vd_custody_keeper(c->custody[g], i));
	return rc;
}

/* May whoever uses that device read records, and is it not who uses this one? Acts are for couriers, too. */
static bool is_reader(struct vd_group *group, const struct vd_keeper *k, const struct vd_record *r)
{
	const struct vd_identity *us = vd_group_identity(group);
	const struct vd_device *self = us ? vd_group_find(group, us->author) : NULL, *d = vd_group_find(group, k->author);

	return (!self || memcmp(self->person, k->person, VD_PERSON_BYTES) != 0) && d && (d->role != VD_ROLE_COURIER || r->lane == VD_LANE_CONTROL);
}

/* Who has a record that is confirmed. */
struct found {
	bool confirmed, promised, read;
};

static int look_for(struct checking *c, size_t g, uint64_t arrival, const struct vd_record *r, struct found *f)
{
	int rc = open_custody(c, g);

	for (size_t i = 0; !rc && !(f->confirmed && f->promised && f->read) && i < vd_custody_count(c->custody[g]); i++) {
		const struct vd_keeper *k = vd_custody_keeper(c->custody[g], i);
		enum vd_holding how = VD_HOLDS_NOT;
		bool yes = false;

		if (c->counts[g][i])
			rc = vd_custody_confirmed(c->custody[g], i, arrival, r, &yes);
		f->confirmed |= yes;
		f->promised |= yes && !k->lapsed;
		if (!rc && !f->read && is_reader(c->groups.group[g], k, r))
			rc = vd_custody_holds(c->custody[g], i, arrival, r, &how);
		f->read |= how != VD_HOLDS_NOT;
	}
	return rc;
}

/* Is it on a device besides this one? */
static int is_elsewhere(struct checking *c, uint64_t arrival, struct vd_buf *raw, bool *yes)
{
	struct found f = { .confirmed = false };
	struct vd_record r;
	int rc = vd_store_read(c->store, arrival, raw, &r, NULL);

	*yes = false;
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	for (size_t g = 0; g < c->groups.count; g++) {
		if (memcmp(vd_group_id(c->groups.group[g]), r.group, VD_GROUP_BYTES) != 0)
			continue;
		rc = look_for(c, g, arrival, &r, &f);
		*yes = f.confirmed;
		if (!rc && !*yes)
			note_group(c->out, r.group);
	}
	c->out->waiting += f.confirmed && !f.read;
	c->out->lapsed += f.confirmed && !f.promised;
	return rc;
}

static int judge(struct checking *c, uint64_t latest)
{
	struct vd_stick_check *out = c->out;
	uint64_t numbers[256], at = 0;
	struct vd_buf raw = { 0 };
	size_t n = 1;
	int rc = VD_OK;

	for (size_t i = 0; i < c->segments.count && !rc; i++) {
		const struct vd_segment *s = &c->segments.p[i];

		out->foreign += s->foreign;
		if (s->foreign || vd_segment_is_over(s))
			continue;
		out->bad += s->state == VD_SEGMENT_TORN || s->state == VD_SEGMENT_DAMAGED || s->state == VD_SEGMENT_LOST;
		rc = vd_arrivals_decode(&c->held, vd_buf_slice(&s->list), UINT64_MAX);
	}
	while (!rc && n && at < latest) {
		rc = vd_store_numbers(c->store, at, numbers, 256, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			bool spent, left = false, elsewhere = true;

			at = numbers[i];
			if (!vd_arrivals_held(&c->held, at))
				continue;
			rc = is_spent(c, at, &raw, &spent);
			out->records += !rc && !spent;
			if (!rc && !spent)
				rc = is_left(c, at, &raw, &left);
			out->left += left;
			if (!rc && !spent && !left)
				rc = is_elsewhere(c, at, &raw, &elsewhere);
			out->unconfirmed += !rc && (left || !elsewhere);
		}
	}
	vd_buf_deinit(&raw);
	out->records += out->absent;
	out->unconfirmed += out->absent;
	out->safe = !rc && !out->unconfirmed && !out->foreign && !out->bad;
	return rc;
}

int vd_stick_check(struct vd_store *store, const char *dir, struct vd_stick_check *out)
{
	struct checking c = { .store = store, .dir = dir, .out = out };
	struct vd_stick stick;
	uint64_t latest = 0;
	struct stat st;
	char *cache;
	int rc;

	*out = (struct vd_stick_check){ 0 };
	if (stat(dir, &st))
		return vd_file_errno(errno);
	if (!S_ISDIR(st.st_mode))
		return VD_ENOTFOUND;
	if (asprintf(&cache, "%s/cache", dir) < 0)
		return VD_ENOMEM;
	rc = vd_bundle_groups_load(store, &c.groups);
	if (!rc)
		rc = vd_segments_list(&c.segments, cache);
	free(cache);
	if (rc == VD_ENOTFOUND)
		rc = VD_OK; /* there is nothing of ours on it */
	if (!rc)
		rc = vd_store_latest(store, &latest);
	for (size_t i = 0; i < c.segments.count && !rc; i++)
		rc = vd_segment_recall(&c.segments, i, store, &c.groups, latest);
	if (!rc && vd_stick_which(store, dir, 0, &stick) == VD_OK)
		rc = vd_foreign_recall(store, stick.id, &c.segments, vd_foreign_keys(&c.groups));
	for (size_t i = 0; i < c.segments.count && !rc; i++)
		rc = look_at(&c, i);
	for (size_t i = 0; i < c.segments.count && !rc; i++)
		vd_segment_heed(&c.segments, i);
	if (!rc)
		rc = judge(&c, latest);
	for (size_t g = 0; g < c.groups.count; g++) {
		vd_custody_close(c.custody[g]);
		free(c.counts[g]);
	}
	vd_segments_deinit(&c.segments);
	vd_bundle_groups_free(&c.groups);
	vd_arrivals_deinit(&c.held);
	return rc;
}
