#include "known.h"

#include <string.h>

#include "proto/err.h"

/* False: none of custody's, so that nothing is known of it. */
static bool find_keeper(const struct vd_custody *c, const uint8_t device[VD_KEY_BYTES], size_t *out)
{
	for (*out = 0; *out < vd_custody_count(c); ++*out)
		if (memcmp(vd_custody_keeper(c, *out)->author, device, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

int vd_known_init(struct vd_known *k, struct vd_store *store, struct vd_group *group, const uint8_t (*devices)[VD_KEY_BYTES], size_t count)
{
	struct vd_known known = { .control = UINT64_MAX };
	int rc = count && count <= VD_SLOTS ? vd_custody_open(store, group, &known.custody) : VD_ENOTFOUND;

	*k = (struct vd_known){ 0 };
	for (size_t i = 0; i < count && !rc; i++) {
		uint64_t heard = 0;

		rc = vd_store_heard(store, vd_group_id(group), devices[i], &heard);
		if (rc == VD_ENOTFOUND)
			rc = VD_OK;
		if (heard < known.control)
			known.control = heard;
		if (!rc && !find_keeper(known.custody, devices[i], &known.keepers[known.count++]))
			rc = VD_ENOTFOUND;
	}
	if (!rc) {
		*k = known;
		return VD_OK;
	}
	vd_custody_close(known.custody);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

void vd_known_deinit(struct vd_known *k)
{
	vd_custody_close(k->custody);
	*k = (struct vd_known){ 0 };
}

bool vd_known_has(const struct vd_known *k, uint64_t arrival, const struct vd_record *r)
{
	enum vd_holding how = VD_HOLDS_NOT;

	if (!k->custody)
		return false;
	if (r->lane == VD_LANE_CONTROL && arrival <= k->control)
		return true;
	/* What cannot be told is sent. */
	for (size_t i = 0; i < k->count; i++)
		if (vd_custody_holds(k->custody, k->keepers[i], arrival, r, &how) || how == VD_HOLDS_NOT)
			return false;
	return true;
}
