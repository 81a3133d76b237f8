/* A value of the records table, as a broken disk may give it back. */
#include <string.h>

#include "proto/err.h"
#include "store/inside.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vd_store store;
	static const uint8_t group[VD_GROUP_BYTES] = { 1 };
	struct vd_stored stored;
	struct vd_record record;
	struct vd_buf room = { 0 };
	int rc;

	if (!store.vault)
		store.vault = vd_vault_new_plain();
	FUZZ_CHECK(store.vault);
	rc = vd_stored_open(&store, 7, (MDB_val){ size, (void *)(uintptr_t)data }, &room, &stored);
	FUZZ_CHECK(rc == 0 || rc == VD_EDAMAGED || rc == VD_EVERSION || rc == VD_ENOTFOUND || rc == VD_EKEY);
	if (!rc) {
		FUZZ_CHECK(stored.raw.n == size - 1 - VD_STORED_HEAD);
		vd_raw_in(stored.raw, group, VD_LANE_NORMAL);
		/* What the shortcut says of a whole record is what its header says. */
		if (!vd_record_decode(stored.raw, &record)) {
			FUZZ_CHECK(vd_raw_in(stored.raw, record.group, record.lane));
			FUZZ_CHECK(!vd_raw_in(stored.raw, record.group, (uint8_t)(record.lane + 1)));
		}
	}
	vd_buf_deinit(&room);
	return 0;
}
