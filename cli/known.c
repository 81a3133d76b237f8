#include "known.h"

#include <string.h>

#include "proto/err.h"

int vd_known_init(struct vd_known *k, struct vd_store *store, struct vd_group *group, const uint8_t (*devices)[VD_KEY_BYTES], size_t count)
{
	*k = (struct vd_known){ .devices = devices, .count = count, .control = count ? UINT64_MAX : 0 };
	for (size_t i = 0; i < count; i++) {
		uint64_t heard = 0;
		int rc = vd_store_heard(store, vd_group_id(group), devices[i], &heard);

		if (rc && rc != VD_ENOTFOUND)
			return rc;
		if (heard < k->control)
			k->control = heard;
	}
	return VD_OK;
}

void vd_known_deinit(struct vd_known *k)
{
	*k = (struct vd_known){ 0 };
}

bool vd_known_has(const struct vd_known *k, uint64_t arrival, const struct vd_record *r)
{
	if (r->lane == VD_LANE_CONTROL)
		return arrival <= k->control;
	/* What a device wrote is there; the member's others may lack it. */
	return k->count == 1 && memcmp(k->devices[0], r->author, VD_KEY_BYTES) == 0;
}
