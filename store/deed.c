#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "deed.h"
#include "proto/err.h"

int vd_deed_begin(struct vd_deed *d, struct vd_store *s, struct vd_group *group, uint64_t now_ms)
{
	uint64_t after = 0;
	int rc;

	*d = (struct vd_deed){ .store = s, .group = group, .now_ms = now_ms };
	rc = vd_write_begin(s, &d->write);
	if (!rc)
		rc = vd_store_group_refresh(s, group, &after);
	return rc ? vd_deed_end(d, rc) : VD_OK;
}

int vd_deed_end(struct vd_deed *d, int rc)
{
	struct vd_write *w = d->write;

	vd_buf_deinit(&d->content);
	d->write = NULL;
	if (rc)
		vd_write_abort(w);
	return rc ? rc : vd_write_commit(w);
}

/* The record that was written last. */
static int join(struct vd_group *group, const struct vd_write *w)
{
	struct vd_record record;
	int rc = vd_record_decode(vd_buf_slice(&w->raw), &record);

	return rc ? rc : vd_group_add(group, &record);
}

int vd_deed_say(struct vd_deed *d, struct vd_id *id)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .content = vd_buf_slice(&d->content), .now_ms = d->now_ms };
	struct vd_id made;
	int rc = vd_write_own(d->write, d->group, &draft, &made);

	if (!rc && d->also)
		rc = join(d->also, d->write);
	vd_buf_reset(&d->content);
	if (!rc && id)
		*id = made;
	return rc;
}

int vd_deed_epoch_parts(struct vd_deed *d, const struct vd_epoch_keys *keys, const struct vd_id *first)
{
	int rc = VD_OK;

	for (size_t part = 1; !rc; part++) {
		rc = vd_group_make_epoch(d->group, keys, first->b, part, &d->content);
		if (!rc)
			rc = vd_deed_say(d, NULL);
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_deed_epoch(struct vd_deed *d, struct vd_id *first)
{
	struct vd_epoch_keys keys;
	int rc;

	randombytes_buf(&keys, sizeof(keys));
	rc = vd_group_make_epoch(d->group, &keys, NULL, 0, &d->content);
	if (!rc)
		rc = vd_deed_say(d, first);
	if (!rc)
		rc = vd_deed_epoch_parts(d, &keys, first);
	sodium_memzero(&keys, sizeof(keys));
	return rc;
}

int vd_deed_seal(struct vd_deed *d, const uint8_t device[VD_KEY_BYTES], bool again, size_t *count)
{
	const struct vd_device *known = vd_group_find(d->group, device);
	size_t epochs = vd_group_epoch_count(d->group);
	uint8_t author[VD_KEY_BYTES], (*ids)[VD_EPOCH_BYTES];
	int rc = VD_OK;

	memcpy(author, device, sizeof(author)); /* it may be the group's own, which moves as it grows */
	if (!known || known->role == VD_ROLE_NONE || !epochs)
		return VD_OK;
	ids = calloc(epochs, sizeof(*ids));
	if (!ids)
		return VD_ENOMEM;
	for (size_t i = 0; i < epochs; i++)
		memcpy(ids[i], vd_group_epoch_id(d->group, i), VD_EPOCH_BYTES);
	for (size_t i = epochs; i-- > 0 && !rc;) {
		if (!again && vd_group_epoch_has(d->group, ids[i], author))
			continue;
		rc = vd_group_make_epoch_for(d->group, ids[i], author, &d->content);
		if (rc == VD_EKEY || rc == VD_EINVAL) {
			rc = VD_OK; /* we have not all of its keys, or nothing can be sealed to that device */
			continue;
		}
		if (!rc)
			rc = vd_deed_say(d, NULL);
		if (!rc && count)
			++*count;
	}
	free(ids);
	return rc;
}
