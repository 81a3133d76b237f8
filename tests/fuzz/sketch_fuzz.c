/* Input: u8 (set size, low bits: symbols a call) ‖ symbols as on the wire, hostile; ours are those of a small real set.
 *
 * The peeler ends whatever it is fed, finds no more items than it took symbols, and symbols survive the wire. */
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/sketch.h"
#include "tests/fuzz/fuzz.h"

enum { SYMBOLS = 1024, MOST = 700 };

static struct vd_symbol ours[SYMBOLS];

static void prepare(void)
{
	static bool done;

	for (uint32_t i = 0; !done && i < 100; i++) {
		struct vd_item item;
		uint8_t id[VD_ID_BYTES];

		vd_hash1(VD_HASH_RECORD_ID, id, vd_slice(&i, sizeof(i)));
		memcpy(item.b, id, sizeof(item.b));
		vd_sketch_apply(ours, 0, SYMBOLS, &item, 1);
	}
	done = true;
}

static void round_trip(const struct vd_symbol *s, uint64_t index, uint64_t count)
{
	struct vd_buf wire = { 0 };
	struct vd_symbol back;
	struct vd_rd r;

	vd_symbol_encode(s, index, count, &wire);
	r = vd_rd(vd_buf_slice(&wire));
	vd_symbol_decode(&r, index, count, &back);
	FUZZ_CHECK(vd_rd_end(&r) == VD_OK && memcmp(&back, s, sizeof(back)) == 0);
	vd_buf_deinit(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	uint8_t mode = vd_rd_u8(&r);
	size_t at_once = 1 + (mode & 7) * 16u, n = 0;
	uint64_t count = (uint64_t)(mode >> 3) * 10;
	struct vd_symbol theirs[SYMBOLS];
	struct vd_peeler *p;
	int rc = VD_OK;

	prepare();
	while (r.n && n < SYMBOLS) {
		vd_symbol_decode(&r, n, count, &theirs[n]);
		if (r.err)
			break;
		round_trip(&theirs[n], n, count);
		n++;
	}
	p = vd_peeler_new(MOST);
	FUZZ_CHECK(p);
	for (size_t i = 0; i < n && !rc; i += at_once) {
		size_t piece = n - i < at_once ? n - i : at_once;

		rc = vd_peeler_add(p, theirs + i, ours + i, piece);
		FUZZ_CHECK(rc == VD_OK || rc == VD_EFORMAT || (rc == VD_ECAP && i + piece > MOST));
		FUZZ_CHECK(vd_peeler_found(p) <= vd_peeler_symbols(p) && vd_peeler_symbols(p) <= MOST);
		if (!rc)
			vd_peeler_rest(p);
	}
	vd_peeler_free(p);
	return 0;
}
