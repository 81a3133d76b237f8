#include "tend.h"

#include <stdlib.h>
#include <string.h>

#include "acts.h"
#include "inside.h"
#include "proto/err.h"
#include "proto/seal.h"

static bool epoch_wanted(struct vd_group *group)
{
	return !vd_group_current_epoch(group) || !vd_group_epoch_clean(group) || !vd_group_epoch_kept(group);
}

/* A device that lacks the epoch to write with, from the *at-th on. One whose box key is none can be sealed nothing. */
static const struct vd_device *next_lacking(struct vd_group *group, size_t *at)
{
	const struct vd_device *device;

	while ((device = vd_group_epoch_lacks(group, (*at)++))) {
		if (vd_seal_box_ok(device->box))
			return device;
	}
	return NULL;
}

/* Can we seal the epoch to write with to somebody who lacks it? */
static bool sealing_wanted(struct vd_group *group)
{
	const uint8_t *epoch = vd_group_current_epoch(group);
	size_t at = 0;

	return epoch && vd_group_key(group, epoch, VD_KEY_MEMBERS) && next_lacking(group, &at);
}

/* Devices that come after the first ones do so the next time. */
static int seal_current(struct vd_deed *d, size_t *sealed)
{
	enum { AT_ONCE = 256 };
	uint8_t epoch[VD_EPOCH_BYTES], (*devices)[VD_KEY_BYTES] = calloc(AT_ONCE, sizeof(*devices));
	const struct vd_device *device;
	size_t count = 0, at = 0;
	int rc = VD_OK;

	if (!devices)
		return VD_ENOMEM;
	memcpy(epoch, vd_group_current_epoch(d->group), sizeof(epoch));
	while (count < AT_ONCE && (device = next_lacking(d->group, &at)))
		memcpy(devices[count++], device->author, VD_KEY_BYTES);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = vd_group_make_epoch_for(d->group, epoch, devices[i], &d->content);
		if (!rc)
			rc = vd_deed_say(d, NULL);
		*sealed += !rc;
	}
	free(devices);
	return rc;
}

static int tend_epochs(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	size_t sealed = 0;
	bool made = false;
	struct vd_deed d;
	struct vd_id id;
	int rc;

	if (vd_group_role(group) != VD_ROLE_COORDINATOR || (!epoch_wanted(group) && !sealing_wanted(group)))
		return VD_OK;
	if (vd_act_braked(s, group)) {
		out->braked = true;
		return VD_OK;
	}
	rc = vd_deed_begin(&d, s, group, now_ms);
	if (rc)
		return rc;
	/* Asked again: another process may have done it, or removed us. */
	if (vd_group_role(group) == VD_ROLE_COORDINATOR && !vd_act_braked(s, group)) {
		made = epoch_wanted(group);
		if (made)
			rc = vd_deed_epoch(&d, &id);
		else if (sealing_wanted(group))
			rc = seal_current(&d, &sealed);
	}
	rc = vd_deed_end(&d, rc);
	if (!rc) {
		out->epoch_made |= made;
		out->sealed_to += sealed;
	}
	return rc;
}

int vd_store_tend(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	/* Each whatever became of the others: a group that cannot have another epoch can still let go of what was redacted. */
	int epochs = tend_epochs(s, group, now_ms, out), bodies = vd_tend_bodies(s, vd_group_id(group), now_ms, out),
	    shares = vd_shares_release(s, group, now_ms, &out->wanted);

	return epochs ? epochs : bodies ? bodies : shares;
}

int vd_store_tend_quick(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	int epochs = tend_epochs(s, group, now_ms, out), shares = vd_shares_release(s, group, now_ms, &out->wanted);

	return epochs ? epochs : shares;
}

int vd_store_tend_redacted(struct vd_store *s, uint64_t now_ms, struct vd_tended *out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int failed = VD_OK, rc = vd_store_groups(s, groups, &count);

	for (size_t i = 0; !rc && i < count; i++) {
		int one = vd_tend_bodies(s, groups[i], now_ms, out);

		failed = failed ? failed : one;
	}
	return rc ? rc : failed;
}
