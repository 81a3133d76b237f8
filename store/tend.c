#include "tend.h"

#include <string.h>

#include "acts.h"
#include "deed.h"
#include "inside.h"
#include "tend_inside.h"
#include "proto/err.h"

static bool epoch_wanted(struct vd_group *group)
{
	return !vd_group_current_epoch(group) || !vd_group_epoch_clean(group) || !vd_group_epoch_kept(group);
}

/* What we sealed on in the day that ends now, by hand or unasked. */
static size_t parts_today(struct vd_group *group, uint64_t now_ms)
{
	const uint8_t *self = vd_group_identity(group)->author;
	size_t count = 0;

	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		count += act->continues && act->time_ms <= now_ms && now_ms - act->time_ms < VD_DAY_MS &&
		         memcmp(act->author, self, VD_KEY_BYTES) == 0;
	}
	return count;
}

/* One record for the first who lack an epoch; false: nobody does, or it has to wait until tomorrow. Who lacks the one to write with does
 * not wait: there are no more of them than were admitted. */
static bool next_part(struct vd_group *group, uint64_t now_ms, uint8_t epoch[VD_EPOCH_BYTES], uint8_t devices[VD_EPOCH_DEVICES][VD_KEY_BYTES],
                      size_t *count)
{
	const uint8_t *current = vd_group_current_epoch(group);

	*count = vd_group_unsealed(group, epoch, devices);
	return *count && ((current && !memcmp(epoch, current, VD_EPOCH_BYTES)) || parts_today(group, now_ms) < VD_EPOCH_PARTS_DAY);
}

/* Is there an epoch that somebody lacks and we can seal to them? */
static bool sealing_wanted(struct vd_group *group, uint64_t now_ms)
{
	uint8_t epoch[VD_EPOCH_BYTES], devices[VD_EPOCH_DEVICES][VD_KEY_BYTES];
	size_t count;

	return next_part(group, now_ms, epoch, devices, &count);
}

/* What is left after so many records comes the next time. Two coordinators who do it before they hear of each other say it twice, each
 * once: what a part that counts gives is lacked no more. */
static int seal_on(struct vd_deed *d, size_t *sealed)
{
	enum { AT_ONCE = 64 };
	uint8_t epoch[VD_EPOCH_BYTES], devices[VD_EPOCH_DEVICES][VD_KEY_BYTES];
	size_t count;
	int rc = VD_OK;

	for (size_t i = 0; i < AT_ONCE && !rc && next_part(d->group, d->now_ms, epoch, devices, &count); i++) {
		rc = vd_group_make_epoch_part(d->group, epoch, (const uint8_t (*)[VD_KEY_BYTES])devices, count, &d->content);
		if (!rc)
			rc = vd_deed_say(d, NULL);
		*sealed += rc ? 0 : count;
	}
	return rc;
}

static int tend_epochs(struct vd_store *s, struct vd_group *group, uint64_t now_ms, bool quick, struct vd_tended *out)
{
	size_t sealed = 0;
	bool made = false;
	struct vd_deed d;
	struct vd_id id;
	int rc = quick ? VD_OK : vd_handed_tend(s, group, now_ms, &out->handed);

	if (rc)
		return rc;
	if (vd_group_role(group) != VD_ROLE_COORDINATOR || (!epoch_wanted(group) && !sealing_wanted(group, now_ms)))
		return VD_OK;
	if (vd_act_braked(s, group)) {
		out->braked |= epoch_wanted(group) || vd_group_epoch_lacks(group, 0); /* older ones can wait for somebody else in silence */
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
		if (!rc)
			rc = seal_on(&d, &sealed);
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
	int epochs = tend_epochs(s, group, now_ms, false, out), bodies = vd_tend_bodies(s, vd_group_id(group), now_ms, out),
	    expired = vd_tend_expired(s, vd_group_id(group), now_ms, out), space = vd_tend_space(s, group, now_ms, out),
	    shares = vd_shares_release(s, group, now_ms, &out->wanted);

	return epochs ? epochs : bodies ? bodies : expired ? expired : space ? space : shares;
}

int vd_store_tend_quick(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_tended *out)
{
	int epochs, shares;

	if (!vd_index_may_wait(s, now_ms))
		return vd_store_tend(s, group, now_ms, out);
	epochs = tend_epochs(s, group, now_ms, true, out);
	shares = vd_shares_release(s, group, now_ms, &out->wanted);
	return epochs ? epochs : shares;
}

int vd_store_tend_redacted(struct vd_store *s, uint64_t now_ms, struct vd_tended *out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int failed = VD_OK, rc = vd_store_groups(s, groups, &count);

	for (size_t i = 0; !rc && i < count; i++) {
		int one = vd_tend_bodies(s, groups[i], now_ms, out);

		one = one ? one : vd_tend_expired(s, groups[i], now_ms, out);

		failed = failed ? failed : one;
	}
	return rc ? rc : failed;
}
