#include "told.h"

#include <string.h>

#include "err.h"
#include "hash.h"

void vd_told_encode(const struct vd_told *told, size_t count, struct vd_buf *out)
{
	for (size_t i = 0; i < count; i++) {
		if (i && memcmp(told[i - 1].author, told[i].author, VD_TOLD_NAME) == 0)
			continue;
		vd_buf_put(out, told[i].author, VD_TOLD_NAME);
		vd_buf_put_u64(out, told[i].count);
	}
}

int vd_told_check(struct vd_slice names)
{
	if (names.n % VD_TOLD_BYTES)
		return VD_EFORMAT;
	if (names.n / VD_TOLD_BYTES > VD_MEMBERS_MAX)
		return VD_ECAP;
	for (size_t at = VD_TOLD_BYTES; at < names.n; at += VD_TOLD_BYTES)
		if (memcmp(names.p + at - VD_TOLD_BYTES, names.p + at, VD_TOLD_NAME) >= 0)
			return VD_EFORMAT;
	return VD_OK;
}

void vd_told_digest(struct vd_slice names, uint8_t out[VD_TOLD_DIGEST])
{
	vd_hash(VD_HASH_RECEIPT, vd_slice(NULL, 0), out, VD_TOLD_DIGEST, &names, 1);
}

bool vd_told_lacks(struct vd_slice names, const struct vd_told *told)
{
	const uint8_t *low = names.p;

	for (size_t n = names.n / VD_TOLD_BYTES; n;) {
		const uint8_t *middle = low + n / 2 * VD_TOLD_BYTES;
		int order = memcmp(told->author, middle, VD_TOLD_NAME);

		if (!order)
			return vd_get_u64(middle + VD_TOLD_NAME) < told->count;
		if (order > 0) {
			low = middle + VD_TOLD_BYTES;
			n -= n / 2 + 1;
		} else {
			n /= 2;
		}
	}
	return true;
}

void vd_receipts_put(struct vd_slice receipt, struct vd_buf *out)
{
	vd_buf_put_varint(out, receipt.n);
	vd_buf_put_slice(out, receipt);
}

bool vd_receipts_next(struct vd_slice *rest, struct vd_slice *out)
{
	struct vd_rd r = vd_rd(*rest);
	uint64_t n = vd_rd_varint(&r);

	if (r.err || !n || n > VD_RECEIPT_MAX || n > r.n)
		return false;
	*out = vd_rd_take(&r, (size_t)n);
	*rest = vd_slice(r.p, r.n);
	return true;
}

int vd_receipts_check(struct vd_slice all)
{
	struct vd_slice one;

	while (all.n)
		if (!vd_receipts_next(&all, &one))
			return VD_EFORMAT;
	return VD_OK;
}
