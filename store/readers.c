/* The groups of this device, loaded to be read with. */
#include <sodium.h>
#include <string.h>

#include "inside.h"

void vd_readers_deinit(struct vd_readers *r)
{
	for (size_t i = 0; i < r->count; i++)
		vd_group_free(r->groups[i]);
	*r = (struct vd_readers){ 0 };
}

int vd_readers_init(struct vd_readers *r, struct vd_store *s, const uint8_t *only)
{
	uint8_t ids[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;
	int rc = vd_store_groups(s, ids, &count);

	r->count = 0;
	for (size_t i = 0; i < count && !rc; i++) {
		if (only && memcmp(only, ids[i], VD_GROUP_BYTES))
			continue;
		rc = vd_store_group(s, ids[i], &r->groups[r->count]);
		if (!rc)
			r->count++;
	}
	if (rc)
		vd_readers_deinit(r);
	return rc;
}

struct vd_group *vd_readers_find(const struct vd_readers *r, const uint8_t group[VD_GROUP_BYTES])
{
	for (size_t i = 0; i < r->count; i++) {
		if (!memcmp(vd_group_id(r->groups[i]), group, VD_GROUP_BYTES))
			return r->groups[i];
	}
	return NULL;
}

int vd_readers_opens(const struct vd_readers *readers, struct vd_store *s, uint64_t *out)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf all = { 0 };
	struct vd_slice part;
	int rc;

	for (size_t i = 0; i < readers->count; i++) {
		struct vd_group *group = readers->groups[i];
		const struct vd_identity *self = vd_group_identity(group);

		vd_buf_put(&all, vd_group_id(group), VD_GROUP_BYTES);
		for (size_t at = 0; at < vd_group_epoch_count(group); at++) {
			const struct vd_epoch_keys *keys = vd_group_epoch_keys(group, at);

			if (!sodium_is_zero(keys->key[VD_KEY_EVERYONE], 2 * VD_KEY_BYTES))
				vd_buf_put(&all, keys->key[VD_KEY_EVERYONE], 2 * VD_KEY_BYTES);
		}
		for (size_t at = 0; at < vd_group_device_count(group); at++) {
			const struct vd_device *device = vd_group_device(group, at);
			bool own = self && !memcmp(self->author, device->author, VD_KEY_BYTES);

			if (!own && device->most != VD_ROLE_REPORTER && device->most != VD_ROLE_COURIER)
				continue;
			vd_buf_put(&all, device->author, VD_KEY_BYTES);
			vd_buf_put(&all, device->person, VD_PERSON_BYTES);
			vd_buf_put_u8(&all, (uint8_t)device->most);
			vd_buf_put_u8(&all, own && device->focal);
		}
	}
	part = vd_buf_slice(&all);
	vd_value_key(s, "opens", &part, 1, key);
	*out = vd_get_u64(key);
	rc = vd_buf_check(&all);
	vd_buf_wipe(&all);
	return rc;
}
