/* A whole sealed file of one chunk, cut and patched as the input says, read as store/bundle does. Input: u24 length to keep,
 * then any number of u24 position ‖ u8 to XOR. What opens must be what was sealed. */
#include <string.h>

#include "proto/seal.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t link_key[VD_KEY_BYTES] = { 1, 2, 3 };
static struct vd_identity identity;
static struct vd_buf sealed;
static uint8_t original[VD_CHUNK_PLAIN];

static void prepare(void)
{
	const uint8_t seed[VD_SEAL_SEED_BYTES] = { 9 };
	const struct vd_manifest manifest = { .what = VD_SEALED_SEGMENT, .chunks = 1, .records = 2 };
	struct vd_recipient to = { .how = VD_FOR_LINK };
	const struct vd_opener with = { .links = link_key, .link_count = 1 };
	struct vd_sealer *s;
	struct vd_unsealer *u;
	bool last;

	vd_identity_from_seed((const uint8_t[VD_IDENTITY_SEED_BYTES]){ 4 }, &identity);
	memcpy(to.link, link_key, sizeof(link_key));
	FUZZ_CHECK(vd_sealer_new(&manifest, &to, 1, seed, &s) == 0);
	FUZZ_CHECK(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice_str("one"), &sealed) == 0);
	FUZZ_CHECK(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice_str("another"), &sealed) == 0);
	FUZZ_CHECK(vd_sealer_finish(s, &sealed) == 0);
	vd_sealer_free(s);
	FUZZ_CHECK(vd_unsealer_new(vd_slice(sealed.p, VD_HEAD_BYTES), vd_slice(NULL, 0), &with, &u) == 0);
	FUZZ_CHECK(vd_unsealer_chunk(u, 0, sealed.p + VD_HEAD_BYTES, original, &last) == 0 && last);
	vd_unsealer_free(u);
}

static void read_file(const uint8_t *file, size_t size)
{
	static uint8_t plain[VD_CHUNK_PLAIN];
	const struct vd_opener with = { .links = link_key, .link_count = 1, .identity = &identity };
	struct vd_slice first = vd_slice(file, size < VD_HEAD_BYTES ? size : VD_HEAD_BYTES), last = vd_slice(NULL, 0), bytes;
	struct vd_unsealer *u;
	struct vd_manifest manifest;
	uint64_t chunks;
	uint8_t type;
	bool is_last;

	if (vd_sealed_layout(size, &chunks))
		last = vd_slice(file + size - VD_HEAD_BYTES, VD_HEAD_BYTES);
	if (vd_unsealer_new(first, last, &with, &u))
		return;
	for (uint64_t i = 0; i < chunks; i++) {
		struct vd_rd r = vd_rd(vd_slice(plain, sizeof(plain)));

		if (vd_unsealer_chunk(u, i, file + VD_HEAD_BYTES + i * VD_CHUNK_BYTES, plain, &is_last))
			continue;
		FUZZ_CHECK(i == 0 && is_last && memcmp(plain, original, sizeof(plain)) == 0);
		while (vd_chunk_entry(&r, &type, &bytes) == 0)
			if (type == VD_ENTRY_MANIFEST)
				FUZZ_CHECK(vd_unsealer_manifest(u, bytes, &manifest) == 0);
		FUZZ_CHECK(manifest.first_head_ok == (memcmp(file, sealed.p, VD_HEAD_BYTES) == 0));
	}
	vd_unsealer_free(u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	size_t keep;
	uint8_t *file;

	if (!sealed.n)
		prepare();
	keep = (size_t)vd_rd_u8(&r) << 16;
	keep |= vd_rd_u16(&r);
	if (keep > sealed.n)
		keep = sealed.n;
	/* A block of its own size, so that the sanitizer sees a read past its end. */
	file = malloc(keep ? keep : 1);
	FUZZ_CHECK(file != NULL);
	memcpy(file, sealed.p, keep);
	while (r.n >= 4) {
		size_t at = (size_t)vd_rd_u8(&r) << 16;

		at |= vd_rd_u16(&r);
		if (keep)
			file[at % keep] ^= vd_rd_u8(&r);
		else
			(void)vd_rd_u8(&r);
	}
	read_file(file, keep);
	free(file);
	return 0;
}
