/* Input: u8 what ‖ what an end of a session says of receipts: 0 the names of what it keeps, 1 receipts, 2 its own in brief. */
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/receipt.h"
#include "proto/told.h"
#include "tests/fuzz/fuzz.h"

static void names(struct vd_slice in)
{
	struct vd_buf again = { 0 };
	struct vd_told *list;
	size_t count = in.n / VD_TOLD_BYTES;
	int rc = vd_told_check(in);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT || rc == VD_ECAP);
	if (rc)
		return;
	FUZZ_CHECK(count <= VD_MEMBERS_MAX);
	list = calloc(count + 1, sizeof(*list));
	FUZZ_CHECK(list);
	for (size_t i = 0; i < count; i++) {
		memcpy(list[i].author, in.p + i * VD_TOLD_BYTES, VD_TOLD_NAME);
		list[i].count = vd_get_u64(in.p + i * VD_TOLD_BYTES + VD_TOLD_NAME);
		FUZZ_CHECK(!vd_told_lacks(in, &list[i]));
		if (++list[i].count)
			FUZZ_CHECK(vd_told_lacks(in, &list[i]));
		list[i].count--;
	}
	vd_told_encode(list, count, &again);
	FUZZ_CHECK(again.n == in.n && (!in.n || memcmp(again.p, in.p, in.n) == 0));
	vd_buf_deinit(&again);
	free(list);
}

static void receipts(struct vd_slice in)
{
	struct vd_buf again = { 0 };
	struct vd_slice rest = in, one;
	int rc = vd_receipts_check(in);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT);
	while (vd_receipts_next(&rest, &one)) {
		FUZZ_CHECK(one.n && one.n <= VD_RECEIPT_MAX);
		vd_receipts_put(one, &again);
	}
	FUZZ_CHECK((rest.n == 0) == (rc == VD_OK));
	/* One form alone says it. */
	FUZZ_CHECK(again.n == in.n - rest.n && (!again.n || memcmp(again.p, in.p, again.n) == 0));
	vd_buf_deinit(&again);
}

/* Put together with what the reader holds it is a receipt, and in brief the same again. */
static void brief(struct vd_slice in)
{
	struct vd_span spans[64] = { { .length = 3 } };
	struct vd_buf out = { 0 }, again = { 0 };
	struct vd_receipt r, whole;
	struct vd_brief how;
	struct vd_slice rest;
	size_t count = 1;
	int rc = vd_receipt_brief_decode(in, &r, &how);

	FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT);
	if (rc)
		return;
	FUZZ_CHECK((how.named || !r.spans.n) && !(how.marked & ~how.named));
	r.author[0] = 7;
	for (rest = r.spans; count < 64 && vd_receipt_next(&rest, &spans[count]);)
		count++;
	for (uint8_t l = 0; l < VD_LANES; l++)
		if (!(how.marked >> l & 1))
			r.lanes[l].count = in.p[3];
	FUZZ_CHECK(vd_receipt_restore(&r, spans, count, how.signature, &out) == VD_OK);
	FUZZ_CHECK(vd_receipt_decode(vd_buf_slice(&out), &whole) == VD_OK && whole.count == r.count && whole.restored == r.restored);
	FUZZ_CHECK(vd_receipt_shorten(vd_buf_slice(&out), &how, r.spans, &again) == VD_OK);
	FUZZ_CHECK(vd_slice_eq(in, vd_buf_slice(&again)));
	vd_buf_deinit(&out);
	vd_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const read[])(struct vd_slice) = { names, receipts, brief };

	if (size)
		read[data[0] % 3](vd_slice(data + 1, size - 1));
	return 0;
}
