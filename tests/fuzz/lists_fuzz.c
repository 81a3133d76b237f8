/* Input: a block of packed lists: 16 bytes of key, then its value. What decodes ascends. */
#include <string.h>

#include "store/lists.h"
#include "tests/fuzz/fuzz.h"

static int ascend(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	uint8_t *last = ctx;

	FUZZ_CHECK(!last[VD_ENTRY_BYTES] || memcmp(last, entry, VD_ENTRY_BYTES) < 0);
	memcpy(last, entry, VD_ENTRY_BYTES);
	last[VD_ENTRY_BYTES] = 1;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t key_n = size < VD_ENTRY_BYTES ? size : VD_ENTRY_BYTES;
	MDB_val k = { key_n, (void *)(uintptr_t)data }, v = { size - key_n, (void *)(uintptr_t)(data + key_n) };
	uint8_t last[VD_ENTRY_BYTES + 1] = { 0 };
	int rc = vd_lists_block(&k, &v, ascend, last);

	FUZZ_CHECK(rc || (key_n == VD_ENTRY_BYTES && last[VD_ENTRY_BYTES]));
	return 0;
}
