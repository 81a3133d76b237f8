/* A value of the records table, as a broken disk may give it back. */
#include <string.h>

#include "proto/err.h"
#include "store/inside.h"
#include "tests/fuzz/fuzz.h"

enum { LAST = 40 };

static int whose(void *ctx, uint64_t number, struct vd_author *out)
{
	(void)ctx;
	if (number > 1)
		return VD_EDAMAGED;
	*out = (struct vd_author){ .group = { 1 }, .key = { (uint8_t)number } };
	return VD_OK;
}

static void look_at(struct vd_reading *reading, uint64_t arrival, size_t size)
{
	static const uint8_t group[VD_GROUP_BYTES] = { 1 };
	struct vd_stored stored, again;
	struct vd_record record;
	int rc = vd_reading_record(reading, arrival, &stored);

	FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED || rc == VD_ENOTFOUND);
	FUZZ_CHECK(vd_reading_record(reading, arrival, &again) == rc);
	if (rc)
		return;
	FUZZ_CHECK(stored.arrival == arrival && stored.alone == (reading->count == 1) && vd_slice_eq(stored.raw, again.raw));
	FUZZ_CHECK(stored.compact || stored.raw.n == size - 1 - VD_STORED_HEAD);
	FUZZ_CHECK(!stored.compact || (!vd_record_decode(stored.raw, &record) && !memcmp(record.id.b, stored.id.b, VD_ID_BYTES) &&
	                               stored.number <= 1 && record.author[0] == stored.number));
	vd_raw_in(stored.raw, group, VD_LANE_NORMAL);
	/* What the shortcut says of a whole record is what its header says. */
	if (!vd_record_decode(stored.raw, &record)) {
		FUZZ_CHECK(vd_raw_in(stored.raw, record.group, record.lane));
		FUZZ_CHECK(!vd_raw_in(stored.raw, record.group, (uint8_t)(record.lane + 1)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vd_store store;
	struct vd_reading reading = { 0 };
	struct vd_buf room = { 0 };
	struct vd_slice value;
	uint64_t last, bytes;
	int rc;

	if (!store.vault)
		store.vault = vd_vault_new_plain();
	FUZZ_CHECK(store.vault);
	rc = vd_vault_open(store.vault, vd_slice(NULL, 0), vd_slice(data, size), &room, &value);
	if (!rc && vd_stored_says(value, &last, &bytes))
		FUZZ_CHECK(bytes > 3 && bytes <= VD_STORED_SAYS_BYTES + (uint64_t)UINT32_MAX);
	if (!rc)
		rc = vd_reading_begin(&reading, value, LAST, whose, NULL);
	FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED || rc == VD_EVERSION || rc == VD_EKEY);
	FUZZ_CHECK(rc || (reading.first > 0 && reading.first <= LAST && reading.last == LAST));
	for (uint64_t at = rc ? LAST + 1 : reading.first; at <= LAST; at++)
		look_at(&reading, at, size);
	vd_reading_wipe(&reading);
	vd_buf_deinit(&room);
	return 0;
}
