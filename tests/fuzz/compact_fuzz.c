/* Input: entries u16 length ‖ bytes, a stream of compact records. What is read is a record by the rules of all others, and passes through
 * another stream as it is; what is not read leaves the stream where it was. */
#include <string.h>

#include "proto/compact.h"
#include "proto/err.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t group[VD_GROUP_BYTES] = { 0 };
	struct vd_compact stream, writer, reader;
	struct vd_buf raw = { 0 }, again = { 0 }, compact = { 0 };
	struct vd_rd r = vd_rd(vd_slice(data, size));

	vd_compact_init(&stream, group);
	vd_compact_init(&writer, group);
	vd_compact_init(&reader, group);
	while (r.n && !r.err) {
		size_t n = vd_rd_u16(&r);
		struct vd_slice in = vd_rd_take(&r, n < r.n ? n : r.n);
		struct vd_record record, plain, passed;
		uint64_t seen = stream.seen;
		int rc;

		vd_buf_reset(&raw);
		vd_buf_reset(&again);
		vd_buf_reset(&compact);
		rc = vd_compact_decode(&stream, in, &raw, &record);
		if (rc) {
			FUZZ_CHECK(rc == VD_EFORMAT || (vd_compact_is_whole(in) && (rc == VD_ECAP || rc == VD_ESIGNATURE)));
			FUZZ_CHECK(raw.n == 0 && stream.seen == seen);
			continue;
		}
		FUZZ_CHECK(vd_record_decode(vd_buf_slice(&raw), &plain) == VD_OK);
		FUZZ_CHECK(vd_slice_eq(record.raw, plain.raw) && vd_slice_eq(record.header, plain.header) && vd_slice_eq(record.body, plain.body));
		FUZZ_CHECK(memcmp(&record.id, &plain.id, sizeof(record.id)) == 0 && record.seq == plain.seq && record.stub == plain.stub);
		FUZZ_CHECK(vd_compact_encode(&writer, &record, &compact) == VD_OK && compact.n <= record.raw.n + 1);
		FUZZ_CHECK(vd_compact_decode(&reader, vd_buf_slice(&compact), &again, &passed) == VD_OK);
		FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&raw), vd_buf_slice(&again)));
	}
	vd_compact_deinit(&stream);
	vd_compact_deinit(&writer);
	vd_compact_deinit(&reader);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&again);
	vd_buf_deinit(&compact);
	return 0;
}
