/* What a segment is called while it is written: so that who wrote it, and nobody else, knows it for its own when it was killed. PROTOCOL.md section 7. */
#include "bundle_temp.h"

#include <string.h>

#include "file.h"
#include "proto/hash.h"

void vd_bundle_temp_tail(struct vd_group *group, const char *base, char tail[VD_FILE_TAIL + 1])
{
	/* FAT takes A for a. */
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	const struct vd_slice key = vd_slice(vd_group_identity(group)->box_secret, VD_KEY_BYTES), part = vd_slice_str(base);
	uint8_t hash[VD_FILE_TAIL];

	vd_hash(VD_HASH_TEMP, key, hash, sizeof(hash), &part, 1);
	for (size_t i = 0; i < VD_FILE_TAIL; i++)
		tail[i] = digits[hash[i] % 32];
	tail[VD_FILE_TAIL] = '\0';
}

static bool is_own(void *ctx, const char *base, const char tail[VD_FILE_TAIL + 1])
{
	const struct vd_bundle_groups *groups = ctx;
	char own[VD_FILE_TAIL + 1];

	for (size_t i = 0; i < groups->count; i++) {
		vd_bundle_temp_tail(groups->group[i], base, own);
		if (strcmp(own, tail) == 0)
			return true;
	}
	return false;
}

void vd_bundle_sweep(const char *folder, struct vd_bundle_groups *groups)
{
	vd_file_sweep_own(folder, is_own, groups);
}
