#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link_stick.h"
#include "proto/err.h"
#include "stick_inside.h"

int vd_stick_which(struct vd_store *store, const char *dir, struct vd_stick *out)
{
	struct vd_bundle_groups groups = { .count = 0 };
	struct vd_segments segments = { .count = 0 };
	uint8_t id[VD_STICK_ID_BYTES];
	uint64_t latest = 0;
	char *cache = NULL;
	int rc = asprintf(&cache, "%s/cache", dir) < 0 ? VD_ENOMEM : vd_segments_list(&segments, cache);

	free(cache);
	if (!rc)
		rc = vd_store_latest(store, &latest);
	if (!rc && segments.count)
		rc = vd_bundle_groups_load(store, &groups);
	for (size_t i = 0; i < segments.count && !rc; i++)
		rc = vd_segment_recall(&segments, i, store, &groups, latest);
	if (!rc)
		rc = vd_segments_stick(&segments, id) ? vd_stick_get(store, id, out) : VD_ENOTFOUND;
	vd_segments_deinit(&segments);
	vd_bundle_groups_free(&groups);
	return rc;
}
