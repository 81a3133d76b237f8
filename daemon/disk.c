#include "disk.h"

#include <uv.h>

#include "log.h"
#include "proto/err.h"

static uint64_t wall_ms(void)
{
	uv_timeval64_t wall;

	return uv_gettimeofday(&wall) ? 0 : (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_usec / 1000;
}

void vd_disk_note(struct vd_disk *d, int rc)
{
	bool bad = rc == VD_ENOSPACE || rc == VD_EIO || rc == VD_EDENIED;

	if ((rc && !bad) || rc == d->err)
		return;
	d->err = rc;
	d->since_ms = wall_ms();
	if (bad)
		vd_log(VD_LOG_ERROR, "disk %s: what arrives is not stored, what was stored is safe; %s", rc == VD_ENOSPACE ? "full" : "failing",
		       rc == VD_ENOSPACE ? "free some space; what this device may let go of is told by vereda prune --dry-run" : "look at the disk");
	else
		vd_log(VD_LOG_NOTICE, "disk takes records again");
}

void vd_disk_look(struct vd_disk *d, struct vd_store *store)
{
	bool room = vd_store_has_room(store);

	if (!d->damaged && vd_store_unread(store)) {
		d->damaged = true;
		vd_log(VD_LOG_ERROR, "store damaged: some records cannot be handed on, all others are; run vereda check --repair");
	}
	if (!room && !d->err)
		vd_disk_note(d, VD_ENOSPACE);
	else if (room && d->err == VD_ENOSPACE)
		vd_disk_note(d, 0);
}
