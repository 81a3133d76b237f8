/* Input: u8 bits ‖ u8 log2 of how many ‖ gaps. What is read ascends, stays below 2^bits, and written anew is the same bytes. */
#include <string.h>

#include "proto/err.h"
#include "proto/gaps.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bits = size ? (uint8_t)(1 + data[0] % 63) : 1;
	uint64_t total = size > 1 ? UINT64_C(1) << data[1] % 27 : 1, value, last = 0;
	size_t skipped = size < 2 ? size : 2;
	struct vd_gaps in = vd_gaps(bits, total), out = vd_gaps(bits, total);
	struct vd_gaps_reader r = { .in = vd_slice(data + skipped, size - skipped) };
	struct vd_buf again = { 0 };
	struct vd_gaps_writer w = { .out = &again };
	int rc;

	while (!(rc = vd_gaps_next(&in, &r, &value))) {
		FUZZ_CHECK(value >= last && value >> bits == 0);
		last = value;
		vd_gaps_put(&out, &w, value);
	}
	vd_gaps_put_end(&w);
	FUZZ_CHECK(rc == VD_ENOTFOUND || rc == VD_EFORMAT);
	if (rc == VD_ENOTFOUND)
		FUZZ_CHECK(again.n == r.in.n && (!again.n || !memcmp(again.p, r.in.p, again.n)));
	vd_buf_deinit(&again);
	return 0;
}
