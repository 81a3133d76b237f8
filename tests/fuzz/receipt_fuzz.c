/* Input: a receipt as it stands in a sealed file. */
#include <string.h>

#include "proto/err.h"
#include "proto/receipt.h"
#include "proto/sign.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[VD_GROUP_BYTES] = { 7 };
	static struct vd_span spans[VD_RECEIPT_MAX / VD_SPAN_MIN];
	static const uint8_t none_signed[VD_SIGNATURE_BYTES];
	static struct vd_group *group;
	struct vd_buf again = { 0 };
	struct vd_receipt r, same;
	struct vd_span none;
	struct vd_slice rest;
	size_t count = 0;
	int rc;

	if (!group) {
		FUZZ_CHECK(vd_sign_selftest() == 0);
		group = vd_group_new(id, NULL);
		FUZZ_CHECK(group);
	}
	rc = vd_receipt_decode(vd_slice(data, size), &r);
	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT || rc == VD_EVERSION);
	if (rc)
		return 0;
	FUZZ_CHECK(size <= VD_RECEIPT_MAX);
	for (rest = r.spans; rest.n; count++) {
		FUZZ_CHECK(count < sizeof(spans) / sizeof(spans[0]) && vd_receipt_next(&rest, &spans[count]) && spans[count].length);
		FUZZ_CHECK(!count || memcmp(spans[count - 1].item, spans[count].item, VD_ITEM_BYTES) < 0);
	}
	FUZZ_CHECK(!vd_receipt_next(&rest, &none));
	/* One form alone says it. */
	FUZZ_CHECK(vd_receipt_restore(&r, spans, count, none_signed, &again) == VD_OK && again.n == size);
	FUZZ_CHECK(memcmp(again.p, data, size - VD_SIGNATURE_BYTES) == 0);
	FUZZ_CHECK(vd_receipt_decode(vd_buf_slice(&again), &same) == VD_OK && vd_receipt_same(vd_buf_slice(&again), vd_slice(data, size)));
	/* Nobody is in that group. */
	FUZZ_CHECK(vd_receipt_verify(group, vd_slice(data, size), &r) == VD_EAUTHOR);
	vd_buf_deinit(&again);
	return 0;
}
