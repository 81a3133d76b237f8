/* Input: bytes. What the reader accepts, our writer writes back to the very same bytes: one value, one encoding. */
#include "proto/limits.h"
#include "proto/mp.h"
#include "tests/fuzz/fuzz.h"

static void copy_value(struct vd_rd *r, struct vd_buf *out)
{
	uint32_t count;

	switch (vd_mp_peek(r)) {
	case VD_MP_NIL:
		vd_mp_nil(r);
		vd_mp_put_nil(out);
		return;
	case VD_MP_BOOL: vd_mp_put_bool(out, vd_mp_bool(r)); return;
	case VD_MP_UINT: vd_mp_put_uint(out, vd_mp_uint(r, UINT64_MAX)); return;
	case VD_MP_BIN: vd_mp_put_bin(out, vd_mp_bin(r, SIZE_MAX)); return;
	case VD_MP_STR: vd_mp_put_str(out, vd_mp_str(r, SIZE_MAX)); return;
	case VD_MP_ARRAY:
		count = vd_mp_array(r, UINT32_MAX);
		vd_mp_put_array(out, count);
		for (uint32_t i = 0; i < count; i++)
			copy_value(r, out);
		return;
	case VD_MP_NONE: break;
	}
	abort(); /* vd_mp_skip had accepted it */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_slice in = vd_slice(data, size);
	struct vd_buf out = { 0 };
	struct vd_rd r = vd_rd(in);

	vd_mp_skip(&r, VD_DEPTH_MAX);
	if (r.err) {
		FUZZ_CHECK(r.n == 0);
		return 0;
	}
	in.n -= r.n;
	r = vd_rd(in);
	copy_value(&r, &out);
	FUZZ_CHECK(vd_rd_end(&r) == 0 && vd_slice_eq(vd_buf_slice(&out), in));
	vd_buf_deinit(&out);
	return 0;
}
