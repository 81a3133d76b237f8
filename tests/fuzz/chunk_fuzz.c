/* The plaintext of a chunk, as a member who seals well and means ill would write it. */
#include <string.h>

#include "proto/err.h"
#include "proto/seal.h"
#include "tests/fuzz/fuzz.h"

static struct vd_unsealer *unsealer(void)
{
	static struct vd_unsealer *u;
	const uint8_t key[VD_KEY_BYTES] = { 1 }, seed[VD_SEAL_SEED_BYTES] = { 2 };
	const struct vd_manifest manifest = { .what = VD_SEALED_BUNDLE, .chunks = 1 };
	const struct vd_opener with = { .links = key, .link_count = 1 };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	struct vd_buf file = { 0 };
	struct vd_sealer *s;

	if (u)
		return u;
	memcpy(to.link, key, sizeof(key));
	if (vd_sealer_new(&manifest, &to, 1, seed, &s) || vd_sealer_finish(s, &file) ||
	    vd_unsealer_new(vd_slice(file.p, VD_HEAD_BYTES), vd_slice(NULL, 0), &with, &u))
		abort();
	vd_sealer_free(s);
	vd_buf_deinit(&file);
	return u;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	struct vd_slice bytes;
	struct vd_manifest manifest;
	size_t taken = 0;
	uint8_t type;
	int rc;

	while ((rc = vd_chunk_entry(&r, &type, &bytes)) == 0) {
		if (type == VD_ENTRY_END || bytes.p < data || bytes.n > (size_t)(data + size - bytes.p))
			abort();
		taken += 4 + bytes.n;
		if (type == VD_ENTRY_MANIFEST && vd_unsealer_manifest(unsealer(), bytes, &manifest) == 0 &&
		    (manifest.chunks == 0 || manifest.what < VD_SEALED_BUNDLE || manifest.what > VD_SEALED_WELCOME))
			abort();
	}
	if (taken > size || (rc != VD_ENOTFOUND && rc != VD_EFORMAT))
		abort();
	return 0;
}
