/* Input: codes as text; or, behind a NUL, what is in codes that a member's program sealed, each behind its length. */
#include <sodium.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/slip.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t link[VD_KEY_BYTES] = { 3 }, group[VD_GROUP_BYTES] = { 7 };

static size_t forge(const uint8_t *plain, size_t n, uint8_t *code)
{
	static const uint8_t zero[crypto_stream_xchacha20_NONCEBYTES], one = 1;
	const struct vd_slice tagged[] = { { zero, 1 }, { plain, n } }, keyed[] = { { &one, 1 }, { code, VD_SLIP_TAG_BYTES } };
	uint8_t key[VD_KEY_BYTES];

	vd_hash(VD_HASH_SLIP, vd_slice(link, sizeof(link)), code, VD_SLIP_TAG_BYTES, tagged, 2);
	vd_hash(VD_HASH_SLIP, vd_slice(link, sizeof(link)), key, sizeof(key), keyed, 2);
	crypto_stream_xchacha20_xor(code + VD_SLIP_TAG_BYTES, plain, n, zero, key);
	return VD_SLIP_TAG_BYTES + n;
}

static void add(struct vd_slips *slips, const uint8_t *code, size_t n, int may_open)
{
	size_t which, before = slips->count;
	int rc = vd_slips_add(slips, link, group, code, n, &which);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EKEY || rc == VD_EFORMAT || rc == VD_EEXISTS || rc == VD_ECAP);
	FUZZ_CHECK(rc == VD_OK ? which < slips->count : slips->count == before);
	FUZZ_CHECK(rc != VD_EKEY || !may_open);
	FUZZ_CHECK(rc == VD_EKEY || rc == VD_EFORMAT || vd_slip_begins(link, code));
	FUZZ_CHECK(slips->count <= VD_SLIPS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char codes[VD_SLIP_CODES_MAX][VD_SLIP_TEXT + 1];
	uint8_t code[VD_SLIP_CODE_BYTES];
	struct vd_slips slips = { 0 };
	struct vd_batch batch = { 0 };
	size_t n;

	if (size && data[0]) {
		if (vd_slip_bytes(vd_slice(data, size), code, &n) == VD_OK) {
			FUZZ_CHECK(n >= VD_SLIP_CODE_MIN && n <= VD_SLIP_CODE_BYTES && n % 5 == 0);
			add(&slips, code, n, 0);
		}
	} else if (size) {
		for (data++, size--; size; data += n, size -= n) {
			n = *data++ % (VD_SLIP_CODE_BYTES - VD_SLIP_TAG_BYTES + 1);
			if (n > --size)
				n = size;
			add(&slips, code, forge(data, n, code), 1);
		}
	}
	for (size_t i = 0; i < slips.count; i++) {
		size_t count;
		int rc;

		FUZZ_CHECK(slips.slips[i].have && slips.slips[i].count <= VD_SLIP_CODES_MAX && slips.slips[i].piece <= VD_SLIP_PIECE_BYTES);
		rc = vd_slip_record(&slips.slips[i], &batch);
		FUZZ_CHECK(rc == VD_OK ? vd_slip_whole(&slips.slips[i]) : rc != VD_ENOMEM);
		if (rc)
			continue;
		/* What one made is never shorter than need be. */
		vd_batch_seal(&batch);
		rc = vd_slip_make(link, &batch.entries[batch.count - 1].record, codes, &count);
		FUZZ_CHECK(rc == VD_OK && count <= slips.slips[i].count);
	}
	vd_batch_deinit(&batch);
	vd_slips_deinit(&slips);
	return 0;
}
