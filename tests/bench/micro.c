/* What a record costs in libvereda alone. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "proto/digest.h"
#include "proto/hash.h"
#include "proto/sketch.h"

enum { INSERTS = 50000 };

static void digest_and_sketch(void)
{
	struct vd_symbol *symbols = calloc(VD_SKETCH_SYMBOLS, sizeof(*symbols));
	struct vd_digest digest = {0};
	uint8_t salt[VD_SALT_BYTES] = {1};
	struct vd_id id = {{0}};
	struct vd_item item;
	struct limit verify = {.measure = verify_rate};
	double start, each;

	if (!symbols)
		die("memory refused");
	limit_take(&verify);
	start = now_s();
	for (uint64_t i = 0; i < INSERTS; i++) {
		vd_hash1(VD_HASH_RECORD_ID, id.b, vd_slice(&i, sizeof(i)));
		vd_digest_add(&digest, &id);
		vd_item_of(salt, &id, &item);
		vd_sketch_apply(symbols, 0, VD_SKETCH_SYMBOLS, &item, 1);
	}
	each = (now_s() - start) / INSERTS;
	limit_take(&verify);
	if (symbols[0].count != INSERTS || digest.count != INSERTS)
		die("the sketch lost items");
	free(symbols);
	table_ratio("digest and sketch of arriving records", 1 / each, "records/s", &verify, "verifies/s", 0);
}

void micro(void)
{
	digest_and_sketch();
}
