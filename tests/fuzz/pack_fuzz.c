/* Input: u8 mode ‖ bytes. 0: a packed content, as an author with the key may make it; else content, which comes back as it was. */
#include <string.h>

#include "proto/body.h"
#include "proto/err.h"
#include "proto/pack.h"
#include "tests/fuzz/fuzz.h"

static void unpack(struct vd_slice packed)
{
	struct vd_buf out = { 0 }, again = { 0 };
	int rc = vd_unpack(VD_PACKING_ZSTD, packed, VD_BODY_PLAIN_MAX, &out);

	FUZZ_CHECK(rc == VD_OK ? out.n <= VD_BODY_PLAIN_MAX : rc == VD_EFORMAT && out.n == 0);
	if (!rc && out.n) {
		/* the cap holds to the byte */
		FUZZ_CHECK(vd_unpack(VD_PACKING_ZSTD, packed, out.n - 1, &again) == VD_EFORMAT && again.n == 0);
		FUZZ_CHECK(vd_unpack(VD_PACKING_ZSTD, packed, out.n, &again) == VD_OK && vd_slice_eq(vd_buf_slice(&again), vd_buf_slice(&out)));
	}
	vd_buf_deinit(&out);
	vd_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_buf packed = { 0 }, out = { 0 };
	struct vd_slice content;

	if (!size || size > 1 + VD_BODY_PLAIN_MAX)
		return 0;
	content = vd_slice(data + 1, size - 1);
	if (!data[0]) {
		unpack(content);
		return 0;
	}
	FUZZ_CHECK(vd_pack(content, &packed) == VD_OK && (packed.n < content.n || !packed.n));
	if (packed.n)
		FUZZ_CHECK(vd_unpack(VD_PACKING_ZSTD, vd_buf_slice(&packed), content.n, &out) == VD_OK && vd_slice_eq(vd_buf_slice(&out), content));
	vd_buf_deinit(&packed);
	vd_buf_deinit(&out);
	return 0;
}
