#include "heard.h"

#include "proto/err.h"

int vd_heard_note(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], uint64_t through)
{
	struct vd_arrival next;
	struct vd_port port;
	uint64_t noted;
	size_t n = 0;

	int rc = vd_store_heard(store, group, device, &noted);
	if (rc == VD_ENOTFOUND)
		noted = 0;
	else if (rc)
		return rc;
	if (through <= noted)
		return 0;
	vd_store_port(store, &port);
	rc = port.scan(port.ctx, group, VD_LANE_CONTROL, noted, &next, 1, &n);
	if (rc || !n || next.arrival > through)
		return rc;
	return vd_store_heard_set(store, group, device, through);
}
