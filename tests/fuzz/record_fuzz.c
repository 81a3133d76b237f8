/* Input: a raw record. What decodes is made of its parts, is the same record as its stub, and, where we could have written it,
 * its header is what its fields give. */
#include <string.h>

#include "proto/err.h"
#include "proto/mp.h"
#include "proto/record.h"
#include "proto/sign.h"
#include "tests/fuzz/fuzz.h"

static struct vd_record_fields fields_of(const struct vd_record *r)
{
	struct vd_record_fields f = { .lane = r->lane, .seq = r->seq, .has_prev = r->has_prev, .prev = r->prev,
		                      .time_ms = r->time_ms, .has_expires = r->has_expires, .expires_day = r->expires_day };

	memcpy(f.group, r->group, sizeof(f.group));
	memcpy(f.author, r->author, sizeof(f.author));
	return f;
}

static void check_header(const struct vd_record *r)
{
	struct vd_record_fields f = fields_of(r);
	struct vd_buf ad = { 0 }, header = { 0 };
	struct vd_id redacted;

	if (vd_record_redacts(r, &redacted))
		f.redacts = &redacted;
	vd_record_ad_of(r, &ad);
	FUZZ_CHECK(vd_buf_check(&ad) == 0);
	if (r->version == VD_VERSION && (!r->ext.n || f.redacts)) {
		vd_record_ad(&f, &header);
		FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&header), vd_buf_slice(&ad)));
		header.p[0] = 0x90 | VD_HEADER_FIELDS;
		vd_mp_put_uint(&header, r->body_bytes);
		vd_mp_put_bin(&header, vd_slice(r->body_hash, sizeof(r->body_hash)));
		FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&header), r->header));
	}
	vd_buf_deinit(&ad);
	vd_buf_deinit(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool tested;
	struct vd_record r, stub;

	if (!tested)
		FUZZ_CHECK(vd_sign_selftest() == 0);
	tested = true;
	if (vd_record_decode(vd_slice(data, size), &r))
		return 0;
	FUZZ_CHECK(r.header.p == data && r.signature.p == data + r.header.n && r.signature.n == VD_SIGNATURE_BYTES);
	FUZZ_CHECK(r.body.p == r.signature.p + r.signature.n && r.body.p + r.body.n == data + size);
	FUZZ_CHECK(r.stub ? r.body.n == 0 && r.body_bytes > 0 : r.body.n == r.body_bytes);
	FUZZ_CHECK(size <= VD_RECORD_MAX && r.seq && r.version && r.lane < VD_LANES);
	FUZZ_CHECK(vd_record_verify(&r) == VD_OK || vd_record_verify(&r) == VD_ESIGNATURE);
	check_header(&r);
	FUZZ_CHECK(vd_record_decode(vd_slice(data, size - r.body.n), &stub) == VD_OK);
	FUZZ_CHECK(!memcmp(stub.id.b, r.id.b, VD_ID_BYTES) && stub.stub == (r.body_bytes > 0));
	return 0;
}
