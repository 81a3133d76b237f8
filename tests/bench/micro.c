/* What a record costs in libvereda alone. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "proto/body.h"
#include "proto/compact.h"
#include "proto/content.h"
#include "proto/digest.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/pack.h"
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
	double start, each, busy;

	if (!symbols)
		die("memory refused");
	limit_take(&verify);
	start = now_s();
	busy = (double)clock() / CLOCKS_PER_SEC;
	for (uint64_t i = 0; i < INSERTS; i++) {
		vd_hash1(VD_HASH_RECORD_ID, id.b, vd_slice(&i, sizeof(i)));
		vd_digest_add(&digest, &id);
		vd_item_of(salt, &id, &item);
		vd_sketch_apply(symbols, 0, VD_SKETCH_SYMBOLS, &item, 1);
	}
	each = (now_s() - start) / INSERTS;
	busy = ((double)clock() / CLOCKS_PER_SEC - busy) / INSERTS;
	limit_take(&verify);
	if (symbols[0].count != INSERTS || digest.count != INSERTS)
		die("the sketch lost items");
	free(symbols);
	table_at_most("digest and sketch of one record: CPU", busy * 1e6, "us", 2);
	table_ratio("digest and sketch of arriving records", 1 / each, "records/s", &verify, "verifies/s", 0);
}

/* Messages of about 120 bytes by one author, as they are sealed, signed, stored and sent. */
static void record_bytes(void)
{
	enum { RECORDS = 2000 };
	const uint8_t seed[VD_IDENTITY_SEED_BYTES] = {1}, epoch[VD_EPOCH_BYTES] = {2}, key[VD_KEY_BYTES] = {3}, nonce[VD_BODY_NONCE_BYTES] = {4};
	double text = 0, padded = 0, sealed = 0, raw = 0, compact = 0, packing = 0, reading = 0, decoding = 0, start;
	struct vd_buf content = {0}, body = {0}, record = {0}, form = {0}, back = {0};
	struct vd_compact writer, reader;
	struct vd_identity me;
	struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .time_ms = 1735689600000};

	vd_identity_from_seed(seed, &me);
	memcpy(f.author, me.author, VD_KEY_BYTES);
	vd_compact_init(&writer, f.group);
	vd_compact_init(&reader, f.group);
	for (f.seq = 1; f.seq <= RECORDS; f.seq++) {
		char said[256];
		size_t n = world_text(f.seq, said);
		struct vd_field field = {vd_slice_str("text"), {.type = VD_MP_STR, .bytes = vd_slice(said, n)}};
		struct vd_record r;

		vd_buf_reset(&content), vd_buf_reset(&body), vd_buf_reset(&record), vd_buf_reset(&form), vd_buf_reset(&back);
		check(vd_content_encode(vd_slice_str("message"), &field, 1, &content), "content");
		start = now_s();
		check(vd_pack(vd_buf_slice(&content), &back), "packing");
		packing += now_s() - start;
		vd_buf_reset(&back);
		check(vd_body_seal(VD_AUDIENCE_MEMBERS, epoch, key, nonce, vd_slice(NULL, 0), vd_buf_slice(&content), &body), "body");
		f.time_ms += 1000 * f.seq;
		check(vd_record_create(&f, vd_buf_slice(&body), me.author_secret, &record, &f.prev), "record");
		f.has_prev = true;
		check(vd_record_view(vd_buf_slice(&record), &r), "record");
		check(vd_compact_encode(&writer, &r, &form), "compact");
		start = now_s();
		check(vd_compact_decode(&reader, vd_buf_slice(&form), &back, &r), "compact");
		reading += now_s() - start;
		start = now_s();
		check(vd_record_decode(vd_buf_slice(&record), &r), "record");
		decoding += now_s() - start;
		text += (double)n;
		padded += (double)(VD_BODY_PREFIX_BYTES + vd_body_bucket(content.n + 3) + VD_BODY_MAC_BYTES);
		sealed += (double)body.n;
		raw += (double)record.n;
		compact += (double)form.n;
	}
	table_figure("a message: its text", text / RECORDS, "bytes");
	table_figure("  sealed, if it were not packed", padded / RECORDS, "bytes");
	table_figure("  sealed", sealed / RECORDS, "bytes");
	table_figure("  packing it", packing / RECORDS * 1e6, "us");
	table_figure("  its record", raw / RECORDS, "bytes");
	table_figure("  compact", compact / RECORDS, "bytes");
	table_figure("  reading the compact form, hashes and all", reading / RECORDS * 1e6, "us");
	table_figure("  reading the record as it is, the same", decoding / RECORDS * 1e6, "us");
	vd_compact_deinit(&writer);
	vd_compact_deinit(&reader);
	vd_buf_deinit(&content), vd_buf_deinit(&body), vd_buf_deinit(&record), vd_buf_deinit(&form), vd_buf_deinit(&back);
	vd_identity_wipe(&me);
}

void micro(void)
{
	record_bytes();
	digest_and_sketch();
}
