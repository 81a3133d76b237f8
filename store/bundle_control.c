#include <string.h>

#include "bundle_open.h"
#include "proto/err.h"

enum { CONTROL_BYTES_MAX = 64 * 1024 * 1024 }; /* taken from one file, and held in memory until it is judged */

/* With our next identity. A welcome that was used already is still ours, joining says so: with those of our groups too. */
static int open_welcome(struct vd_store *store, struct vd_sealed_file *r)
{
	const struct vd_identity *identities[VD_STORE_GROUPS_MAX + 1];
	struct vd_bundle_groups groups;
	struct vd_identity next;
	int rc = vd_store_next_identity(store, &next);

	if (rc)
		return rc;
	rc = vd_bundle_groups_load(store, &groups);
	identities[0] = &next;
	for (size_t i = 0; i < groups.count; i++)
		identities[1 + i] = vd_group_identity(groups.group[i]);
	if (!rc)
		rc = vd_sealed_file_try(r, store, identities, 1 + groups.count);
	vd_identity_wipe(&next);
	vd_bundle_groups_free(&groups);
	return rc;
}

static int take_welcome(struct vd_sealed_file *r, struct vd_manifest *manifest, struct vd_batch *control)
{
	int rc = VD_OK;

	if (r->chunks == 0)
		return VD_ETORN;
	for (uint64_t i = 0; i < r->chunks && !rc; i++) {
		struct vd_slice bytes;
		struct vd_rd entries;
		uint8_t type;
		bool is_last;
		int why;

		rc = vd_sealed_file_chunk(r, i, manifest, &is_last, &entries);
		if (!rc && i == 0 && (manifest->what != VD_SEALED_WELCOME || r->size > CONTROL_BYTES_MAX))
			return VD_EFORMAT;
		if (!rc && i == 0 && r->size < vd_sealed_bytes(manifest->chunks))
			return VD_ETORN;
		if (rc == VD_ESIGNATURE || (!rc && is_last != (i + 1 == manifest->chunks)))
			return VD_EDAMAGED;
		while (!rc && (rc = vd_unsealed_entry(&entries, &type, &bytes, &why)) == VD_OK)
			if (type == VD_ENTRY_RECORD)
				rc = why ? why : vd_batch_add(control, bytes);
		if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	if (!rc && !(manifest->first_head_ok && manifest->last_head_ok))
		rc = VD_EDAMAGED;
	return rc;
}

int vd_welcome_read(struct vd_store *store, const char *path, uint8_t group[VD_GROUP_BYTES], uint8_t grant[VD_ID_BYTES],
                    struct vd_batch *control)
{
	struct vd_sealed_file *r = NULL;
	struct vd_manifest manifest = { 0 };
	int rc = vd_sealed_file_open(vd_store_home(store), path, &r);

	if (!rc)
		rc = open_welcome(store, r);
	if (!rc)
		rc = take_welcome(r, &manifest, control);
	if (!rc) {
		memcpy(group, manifest.group, VD_GROUP_BYTES);
		memcpy(grant, manifest.grant, VD_ID_BYTES);
	} else {
		vd_batch_reset(control);
		/* It may be whole, and for us: it was the medium that did not give it. */
		if (r && r->unreadable && rc != VD_ENOMEM)
			rc = VD_EIO;
	}
	vd_sealed_file_close(r);
	return rc;
}

/* Of one chunk. Lane 0 stands first: *more is false when something else has come. */
static int gather_chunk(struct vd_rd *entries, const uint8_t group[VD_GROUP_BYTES], struct vd_batch *control, bool *more)
{
	struct vd_slice bytes;
	struct vd_record record;
	uint8_t type;
	int why;

	while (vd_unsealed_entry(entries, &type, &bytes, &why) == VD_OK) {
		if (type != VD_ENTRY_RECORD || why || vd_record_decode(bytes, &record) || memcmp(record.group, group, VD_GROUP_BYTES) != 0)
			continue;
		*more = *more && record.lane == VD_LANE_CONTROL;
		if (record.lane == VD_LANE_CONTROL && vd_batch_add(control, bytes) == VD_ENOMEM)
			return VD_ENOMEM;
	}
	return VD_OK;
}

static int gather(struct vd_sealed_file *r, struct vd_manifest *manifest, struct vd_batch *control)
{
	size_t before = control->bytes.n;
	bool more = true, is_last = false, damaged = false;
	uint64_t i;

	for (i = 0; i < r->chunks && more && !is_last && control->bytes.n - before < CONTROL_BYTES_MAX; i++) {
		struct vd_rd entries;
		int rc = vd_sealed_file_chunk(r, i, manifest, &is_last, &entries);

		/* The first says whose they are. */
		if (rc && (rc != VD_ESIGNATURE || i == 0))
			return rc == VD_ESIGNATURE ? VD_EDAMAGED : rc;
		damaged = damaged || rc;
		if (!rc)
			rc = gather_chunk(&entries, manifest->group, control, &more);
		if (rc && rc != VD_ESIGNATURE)
			return rc;
	}
	return damaged ? VD_EDAMAGED : more && !is_last ? VD_ETORN : VD_OK;
}

int vd_bundle_control_read(struct vd_store *store, const char *path, const struct vd_identity *identity, uint8_t group[VD_GROUP_BYTES],
                           struct vd_batch *control)
{
	struct vd_sealed_file *r = NULL;
	struct vd_manifest manifest = { 0 };
	int rc = vd_sealed_file_open(vd_store_home(store), path, &r);

	if (!rc)
		rc = vd_sealed_file_try(r, store, &identity, 1);
	if (!rc)
		rc = gather(r, &manifest, control);
	if (manifest.chunks)
		memcpy(group, manifest.group, VD_GROUP_BYTES);
	vd_sealed_file_close(r);
	return rc;
}
