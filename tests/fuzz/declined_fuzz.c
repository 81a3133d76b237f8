/* Input: what a HELLO says of whom its sender declines. What decodes is in order, bounded, and encodes to the same bytes. */
#include <string.h>

#include "proto/declined.h"
#include "proto/record.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	struct vd_declined_set set, other = { .count = 0 };
	struct vd_buf again = { 0 };
	const struct vd_declined *first;

	if (vd_declined_decode(&r, &set)) {
		FUZZ_CHECK(set.count == 0);
		return 0;
	}
	FUZZ_CHECK(set.count <= VD_DECLINED_MAX);
	FUZZ_CHECK(!vd_declined_of_lane(&set, VD_LANE_CONTROL, &first));
	vd_declined_encode(&set, &again);
	FUZZ_CHECK(again.n == size - r.n && memcmp(again.p, data, again.n) == 0);
	for (size_t i = set.count; i-- > 0;)
		FUZZ_CHECK(vd_declined_add(&other, set.who[i].lane, set.who[i].author));
	FUZZ_CHECK(other.count == set.count && memcmp(other.who, set.who, set.count * sizeof(set.who[0])) == 0);
	vd_buf_deinit(&again);
	return 0;
}
