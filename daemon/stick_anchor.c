/* What a stick that is to be known again is known by: stick_which.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/err.h"
#include "stick_which.h"

/* Nobody else removes it, and we ourselves when another one is held. */
static bool may_hold(const struct vd_segment *s)
{
	return s->ours && s->state == VD_SEGMENT_KNOWN && vd_segment_in_use(s) && !s->receipts_alone && !vd_segment_called_damaged(s);
}

static int hold(struct vd_visit *v, const uint8_t id[VD_SEGMENT_ID_BYTES], const struct timespec *written)
{
	struct vd_anchor anchor = { .written = *written };
	int rc;

	memcpy(anchor.id, id, sizeof(anchor.id));
	rc = vd_stick_anchor(v->store, v->stick_id, v->now_ms, &anchor);
	if (!rc) {
		v->anchored = true;
		memcpy(v->anchor, id, sizeof(v->anchor));
	}
	return rc;
}

int vd_anchor_written(struct vd_visit *v, const char *name)
{
	char hex[2 * VD_SEGMENT_ID_BYTES + 1] = "";
	uint8_t id[VD_SEGMENT_ID_BYTES];
	struct stat st;
	char *path;
	size_t n;
	int rc = VD_OK;

	if (!v->anchors || v->anchor_is_new)
		return VD_OK;
	path = vd_visit_path(v, name);
	if (!path)
		return VD_ENOMEM;
	memcpy(hex, name, sizeof(hex) - 1);
	if (vd_unhex(id, sizeof(id), hex, &n) == VD_OK && !lstat(path, &st)) {
		rc = hold(v, id, &st.st_mtim);
		v->anchor_is_new = !rc;
	}
	free(path);
	return rc;
}

bool vd_anchor_is(const struct vd_visit *v, const struct vd_segment *s)
{
	return v->anchored && memcmp(v->anchor, s->id, sizeof(v->anchor)) == 0;
}

int vd_anchor_hold(struct vd_visit *v, const struct vd_segment *but, bool *held)
{
	const struct vd_segment *latest = NULL;
	int rc = VD_OK;

	for (size_t i = 0; i < v->segments.count; i++) {
		const struct vd_segment *s = &v->segments.p[i];

		if (s != but && may_hold(s) && (!latest || vd_segment_by_age(&latest, &s) < 0))
			latest = s;
	}
	*held = latest != NULL;
	if (latest)
		return hold(v, latest->id, &latest->written);
	for (size_t g = 0; g < v->groups.count && !rc && !*held; g++) {
		rc = vd_visit_write_anchor(v, g);
		*held = !rc && v->anchor_is_new;
		/* Without room or a key there is none. */
		rc = rc == VD_ENOSPACE || rc == VD_EKEY || rc == VD_ENOTFOUND || rc == VD_EAGAIN ? VD_OK : rc;
	}
	return rc;
}

int vd_anchor_keep(struct vd_visit *v)
{
	const struct vd_segment *s = v->anchored ? vd_segments_find(&v->segments, v->anchor) : NULL;
	bool held;

	if (!v->anchors || v->anchor_is_new || (s && may_hold(s)))
		return VD_OK;
	return vd_anchor_hold(v, s, &held);
}
