/* What this device wrote twice to a stick: PROTOCOL.md section 7, folding. */
#include <string.h>

#include "proto/err.h"
#include "stick_hearings.h"
#include "stick_inside.h"

/* Of segments of ours that may go: what stands in one of them, and what in more than one, with its body only where it stands so in each. */
struct holding {
	struct vd_arrivals once, twice;
};

static bool may_go(const struct vd_visit *v, size_t g, const struct vd_segment *s)
{
	return s->list.n && vd_folds_may_take(v, g, s) && !vd_segment_called_damaged(s);
}

static int add(struct holding *h, const struct vd_segment *s)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;
	int rc = VD_OK;

	while (!rc && vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub)) {
		if (vd_arrivals_held(&h->once, at))
			rc = vd_arrivals_add(&h->twice, at, stub || !vd_arrivals_whole(&h->once, at));
		if (!rc)
			rc = vd_arrivals_add(&h->once, at, stub);
	}
	return rc;
}

static int find_holding(const struct vd_visit *v, size_t g, struct holding *out)
{
	int rc = VD_OK;

	*out = (struct holding){ .once.count = 0 };
	for (size_t i = 0; i < v->segments.count && !rc; i++)
		if (may_go(v, g, &v->segments.p[i]))
			rc = add(out, &v->segments.p[i]);
	return rc;
}

static bool says(const struct vd_segment *by, const uint8_t *notice)
{
	for (size_t at = 0; at < by->notices.n; at += 1 + VD_SEGMENT_ID_BYTES)
		if (memcmp(by->notices.p + at, notice, 1 + VD_SEGMENT_ID_BYTES) == 0)
			return true;
	return false;
}

/* By another one that stays: of the same group, so that it counts. */
static bool is_said(const struct vd_visit *v, const struct vd_segment *s, const uint8_t *notice)
{
	for (size_t i = 0; i < v->segments.count; i++) {
		const struct vd_segment *by = &v->segments.p[i];

		if (by != s && by->group == s->group && vd_segment_in_use(by) && says(by, notice))
			return true;
	}
	return false;
}

/* All that it says and holds stands elsewhere as well. */
static bool is_copy(const struct vd_visit *v, const struct holding *h, const struct vd_segment *s)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	if (s->hearing.n && vd_hearing_is_current(v->groups.group[s->group], s, v->shut))
		return false;
	for (size_t n = 0; n < s->notices.n; n += 1 + VD_SEGMENT_ID_BYTES)
		if (!is_said(v, s, s->notices.p + n))
			return false;
	while (vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		if (!(stub ? vd_arrivals_held(&h->twice, at) : vd_arrivals_whole(&h->twice, at)))
			return false;
	return !r.err;
}

static int remove_one(struct vd_visit *v, size_t g, bool *removed)
{
	struct holding h;
	int rc = find_holding(v, g, &h);

	*removed = false;
	for (size_t i = 0; i < v->segments.count && h.twice.count && !rc && !*removed; i++) {
		struct vd_segment *s = &v->segments.p[i];

		if (!may_go(v, g, s) || !is_copy(v, &h, s))
			continue;
		rc = vd_visit_remove(v, s);
		s->gone = *removed = true;
	}
	vd_arrivals_deinit(&h.once);
	vd_arrivals_deinit(&h.twice);
	return rc;
}

int vd_visit_remove_copies(struct vd_visit *v, size_t g)
{
	bool removed = true;
	int rc = VD_OK;

	for (int i = 0; i < VD_COPIES_REMOVED && removed && !rc; i++)
		rc = remove_one(v, g, &removed);
	return rc;
}
