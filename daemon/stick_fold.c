/* Folding: what a segment's padding has room for it takes from small ones that this device wrote before, which then go. So who comes often leaves few
 * files, and writes and has others read no more than without. PROTOCOL.md section 7. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/err.h"
#include "stick_hearings.h"
#include "stick_inside.h"
#include "stick_receipts.h"
#include "stick_which.h"
#include "store/file.h"

static bool opens_alike(const struct vd_segment *s, const uint8_t epoch[VD_EPOCH_BYTES])
{
	return s->key.by_link && memcmp(s->key.epoch, epoch, VD_EPOCH_BYTES) == 0;
}

bool vd_folds_may_take(const struct vd_visit *v, size_t g, const struct vd_segment *s)
{
	struct vd_group *group = v->groups.group[g];

	return s->group == g && s->ours && s->state == VD_SEGMENT_KNOWN && vd_segment_in_use(s) && !vd_segment_is_catch_up(s) &&
	       (s->list.n || s->notices.n) && vd_group_epoch_count(group) &&
	       opens_alike(s, vd_group_epoch_id(group, 0)) && vd_visit_receipts_covered(v, g, s);
}

/* That it is replaced, and what it says itself. */
static int take_names(const struct vd_segment *s, struct vd_buf *damaged, struct vd_buf *replaced)
{
	vd_buf_put(replaced, s->id, VD_SEGMENT_ID_BYTES);
	for (size_t at = 0; at < s->notices.n; at += 1 + VD_SEGMENT_ID_BYTES)
		vd_buf_put(s->notices.p[at] == VD_ENTRY_REPLACED ? replaced : damaged, s->notices.p + at + 1, VD_SEGMENT_ID_BYTES);
	return damaged->failed || replaced->failed ? VD_ENOMEM : VD_OK;
}

/* The smallest of all that may go, in that order. */
static void insert(struct vd_folds *f, struct vd_segment *s)
{
	size_t i = f->count < VD_FOLDS_MAX ? f->count++ : VD_FOLDS_MAX;

	if (i == VD_FOLDS_MAX && f->segments[--i]->list.n <= s->list.n)
		return;
	for (; i > 0 && f->segments[i - 1]->list.n > s->list.n; i--)
		f->segments[i] = f->segments[i - 1];
	f->segments[i] = s;
}

int vd_folds_find(struct vd_visit *v, size_t g, struct vd_segment *shed, struct vd_folds *f)
{
	int rc = VD_OK;

	*f = (struct vd_folds){ .count = 0 };
	/* What fits in a chunk. */
	for (size_t i = 0; i < v->segments.count; i++)
		if (&v->segments.p[i] != shed && v->segments.p[i].size == vd_sealed_bytes(1) && vd_folds_may_take(v, g, &v->segments.p[i]))
			insert(f, &v->segments.p[i]);
	if (shed) {
		f->count -= f->count == VD_FOLDS_MAX;
		memmove(f->segments + 1, f->segments, f->count++ * sizeof(*f->segments));
		f->segments[0] = shed;
	}
	for (size_t i = 0; i < f->count && !rc; i++) {
		struct vd_segment *s = f->segments[i];

		rc = take_names(s, &f->damaged[i], &f->replaced[i]);
		f->fills[i] = (struct vd_bundle_fill){
			.list = vd_buf_slice(&s->list), .with_receipts = s->receipts.n && s != shed, .damaged = vd_buf_slice(&f->damaged[i]), .replaced = vd_buf_slice(&f->replaced[i]),
		};
		if (s->hearing.n && vd_hearing_is_current(v->groups.group[g], s, v->shut))
			f->hearing = vd_buf_slice(&s->hearing);
	}
	return rc;
}

void vd_folds_deinit(struct vd_folds *f)
{
	for (size_t i = 0; i < f->count; i++) {
		vd_buf_deinit(&f->damaged[i]);
		vd_buf_deinit(&f->replaced[i]);
	}
}

int vd_visit_remove(struct vd_visit *v, struct vd_segment *s)
{
	bool held = true;
	struct vd_bundle_key key;
	int rc = vd_anchor_is(v, s) ? vd_anchor_hold(v, s, &held) : VD_OK;
	char *path;
	bool it;

	if (rc || !held)
		return rc;
	path = vd_visit_path(v, s->name);
	rc = path ? vd_bundle_whose(v->store, &v->groups, path, &key) : VD_ENOMEM;
	it = !rc && key.place == s->group && vd_bundle_same_heads(&s->key, &key);

	/* What is left of one that was destroyed at both ends: only its writer can tell. */
	if (rc == VD_EKEY || rc == VD_EFORMAT)
		it = s->ours && vd_segment_replaced(s);
	/* Who may not remove it, or finds something else there, is as well off as before. */
	if (it && !unlink(path)) {
		v->removed = s->gone = true;
		v->used_bytes -= s->size < v->used_bytes ? s->size : v->used_bytes;
	}
	free(path);
	return rc == VD_ENOMEM ? rc : VD_OK;
}

int vd_folds_remove(struct vd_visit *v, const struct vd_folds *f)
{
	int rc = VD_OK;

	for (size_t i = 0; i < f->count && !rc; i++) {
		if (!f->fills[i].taken)
			continue;
		vd_segment_replace(f->segments[i]);
		rc = vd_visit_remove(v, f->segments[i]);
	}
	return rc;
}

/* --- what an interrupted visit left --- */

static bool says_replaced(const struct vd_segment *by, const struct vd_segment *s)
{
	for (size_t at = 0; at < by->notices.n; at += 1 + VD_SEGMENT_ID_BYTES)
		if (by->notices.p[at] == VD_ENTRY_REPLACED && memcmp(by->notices.p + at + 1, s->id, VD_SEGMENT_ID_BYTES) == 0)
			return true;
	return false;
}

/* Of one that was lost nobody can read what is not written anew: that may stand in several. */
static bool stands_again(const struct vd_visit *v, const struct vd_segment *s)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	while (vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		if (!vd_arrivals_held(&v->stick, at))
			return false;
	return true;
}

static int holds_all(const struct vd_visit *v, const struct vd_segment *by, const struct vd_segment *s, bool *yes)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	struct vd_arrivals there = { 0 };
	uint64_t at = 0;
	bool stub;
	int rc = VD_OK;

	*yes = s->state == VD_SEGMENT_LOST && stands_again(v, s);
	if (s->state == VD_SEGMENT_LOST)
		return VD_OK;
	rc = vd_arrivals_decode(&there, vd_buf_slice(&by->list), UINT64_MAX);

	for (*yes = true; *yes && !rc && vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub);)
		*yes = stub ? vd_arrivals_held(&there, at) : vd_arrivals_whole(&there, at);
	vd_arrivals_deinit(&there);
	return rc;
}

static int remove_if_replaced(struct vd_visit *v, struct vd_segment *s)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		const struct vd_segment *by = &v->segments.p[i];
		bool all = false;

		if (by->group != s->group || !vd_segment_in_use(by) || !opens_alike(by, s->key.epoch) || !says_replaced(by, s))
			continue;
		rc = holds_all(v, by, s, &all);
		if (!rc && all)
			return vd_visit_remove(v, s);
	}
	return rc;
}

int vd_visit_tidy(struct vd_visit *v)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		struct vd_segment *s = &v->segments.p[i];

		/* Where the medium is bad a file is best left: the next would stand there. */
		if (s->ours && (s->state == VD_SEGMENT_KNOWN || s->state == VD_SEGMENT_LOST) && s->key.by_link && vd_segment_replaced(s) && !vd_segment_called_damaged(s) &&
		    !vd_segment_is_catch_up(s))
			rc = remove_if_replaced(v, s);
	}
	for (size_t g = 0; g < v->groups.count && !rc; g++)
		rc = vd_visit_remove_copies(v, g);
	if (!rc && v->removed)
		rc = vd_file_sync_folder(v->cache);
	return rc;
}
