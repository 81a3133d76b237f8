/* Input: a file. What comes out of it is bounded, and nothing more can be taken from it. */
#include "proto/err.h"
#include "proto/strip.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_buf out = { 0 }, again = { 0 };
	enum vd_media_tells tells;
	int rc = vd_strip(vd_slice(data, size), &out);

	FUZZ_CHECK(rc == VD_OK ? out.n <= size + 64 : (rc == VD_EFORMAT || rc == VD_ENOTFOUND) && !out.n);
	FUZZ_CHECK(vd_media_type(vd_slice(data, size), vd_slice(data, size < 64 ? size : 64), &tells) && (rc == VD_ENOTFOUND) == (tells != VD_MEDIA_STRIPS));
	if (!rc)
		FUZZ_CHECK(vd_strip(vd_buf_slice(&out), &again) == VD_OK && vd_slice_eq(vd_buf_slice(&out), vd_buf_slice(&again)));
	vd_buf_deinit(&out);
	vd_buf_deinit(&again);
	return 0;
}
