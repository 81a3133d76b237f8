/* tests/vectors/records.json: what another implementation, written from PROTOCOL.md alone, computes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/attachment.h"
#include "proto/body.h"
#include "proto/compact.h"
#include "proto/content.h"
#include "proto/group.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/pack.h"
#include "proto/receipt.h"
#include "proto/record.h"
#include "proto/sign.h"
#include "proto/slip.h"

static json_t *root;

static int setup(void **state)
{
	json_error_t error;

	(void)state;
	root = json_load_file("tests/vectors/records.json", 0, &error);
	if (!root)
		print_error("%s: %s (run from the top of the sources)\n", error.source, error.text);
	return !root || vd_sign_selftest();
}

static int teardown(void **state)
{
	(void)state;
	json_decref(root);
	return 0;
}

/* A hexadecimal member of at most `cap` bytes. */
static size_t take(const json_t *object, const char *name, uint8_t *out, size_t cap)
{
	const char *hex = json_string_value(json_object_get(object, name));
	size_t n = 0;

	if (!hex || vd_unhex(out, cap, hex, &n))
		fail_msg("%s: no such bytes", name);
	return n;
}

static void take_exact(const json_t *object, const char *name, uint8_t *out, size_t n)
{
	assert_int_equal(take(object, name, out, n), n);
}

static uint64_t number(const json_t *object, const char *name)
{
	assert_true(json_is_integer(json_object_get(object, name)));
	return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void same_bytes(const json_t *object, const char *name, struct vd_slice actual)
{
	uint8_t *expected = malloc(VD_RECORD_MAX);
	size_t n = take(object, name, expected, VD_RECORD_MAX);

	assert_int_equal(actual.n, n);
	assert_memory_equal(actual.p, expected, n);
	free(expected);
}

/* n bytes counting up from `first`. */
static void fill(uint8_t *out, unsigned first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(first + i);
}

/* What no packing makes smaller: a keystream. */
static void noise(uint8_t *out, unsigned first, size_t n)
{
	static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
	uint8_t key[VD_KEY_BYTES];

	fill(key, first, sizeof(key));
	crypto_stream_chacha20_ietf(out, n, nonce, key);
}

static void test_vectors__hash(void **state)
{
	uint8_t input[100], key[32], out[32];
	json_t *v;
	size_t i;

	(void)state;
	fill(key, 3, sizeof(key));
	assert_int_equal(json_array_size(json_object_get(root, "hash")), VD_HASH_USES);
	json_array_foreach(json_object_get(root, "hash"), i, v) {
		struct vd_slice parts[2] = { vd_slice(input, 37), vd_slice(input + 37, sizeof(input) - 37) };

		take_exact(v, "input", input, sizeof(input));
		vd_hash1((enum vd_hash_use)i, out, vd_slice(input, sizeof(input)));
		same_bytes(v, "plain", vd_slice(out, 32));
		vd_hash((enum vd_hash_use)i, vd_slice(key, sizeof(key)), out, 16, parts, 2);
		same_bytes(v, "keyed16", vd_slice(out, 16));
	}
}

static void test_vectors__identity(void **state)
{
	const json_t *v = json_object_get(root, "identity");
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	char text[VD_CARD_TEXT + 1];
	struct vd_identity identity;
	struct vd_card card;

	(void)state;
	take_exact(v, "seed", seed, sizeof(seed));
	vd_identity_from_seed(seed, &identity);
	same_bytes(v, "author", vd_slice(identity.author, VD_KEY_BYTES));
	same_bytes(v, "box", vd_slice(identity.box, VD_KEY_BYTES));
	assert_int_equal(vd_card_create(&identity, &card), 0);
	same_bytes(v, "proof", vd_slice(card.proof, VD_SIGNATURE_BYTES));
	vd_card_text(&card, text);
	assert_string_equal(text, json_string_value(json_object_get(v, "text")));
	assert_int_equal(vd_card_parse(text, &card), 0);
	assert_memory_equal(card.author, identity.author, VD_KEY_BYTES);
}

static void test_vectors__paper(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	assert_true(json_array_size(json_object_get(root, "paper")) > 0);
	json_array_foreach(json_object_get(root, "paper"), i, v) {
		const char *expected = json_string_value(json_object_get(v, "words"));
		uint8_t paper[VD_PAPER_BYTES];
		char words[VD_PAPER_TEXT];
		struct vd_identity identity;
		size_t wrong;

		take_exact(v, "paper", paper, sizeof(paper));
		vd_paper_words(paper, words);
		assert_string_equal(words, expected);
		assert_int_equal(vd_paper_identity(expected, &identity, &wrong), 0);
		same_bytes(v, "author", vd_slice(identity.author, VD_KEY_BYTES));
		same_bytes(v, "box", vd_slice(identity.box, VD_KEY_BYTES));
	}
}

static void test_vectors__words_and_group_id(void **state)
{
	const json_t *v = json_object_get(root, "words");
	uint8_t parts[4][32], id[VD_GROUP_BYTES];
	char text[VD_WORDS_TEXT];

	(void)state;
	take_exact(v, "group", parts[0], 32);
	take_exact(v, "coordinator", parts[1], 32);
	take_exact(v, "newcomer", parts[2], 32);
	take_exact(v, "grant", parts[3], 32);
	vd_words(parts[0], parts[1], parts[2], parts[3], text);
	assert_string_equal(text, json_string_value(json_object_get(v, "text")));

	v = json_object_get(root, "group_id");
	take_exact(v, "founder", parts[0], 32);
	take_exact(v, "salt", parts[1], 32);
	vd_group_make_id(parts[0], parts[1], id);
	same_bytes(v, "id", vd_slice(id, sizeof(id)));
}

/* Decoding and encoding again gives the same bytes. */
static void test_vectors__content(void **state)
{
	uint8_t bytes[4096];
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "content"), i, v) {
		size_t n = take(v, "bytes", bytes, sizeof(bytes));
		struct vd_content content;
		struct vd_buf out = { 0 };

		assert_int_equal(vd_content_decode(vd_slice(bytes, n), &content), 0);
		assert_int_equal(vd_content_encode(content.kind, content.fields, content.count, &out), 0);
		same_bytes(v, "bytes", vd_buf_slice(&out));
		vd_buf_deinit(&out);
	}
	assert_int_equal(i, 4);
}

static void test_vectors__body(void **state)
{
	uint8_t *content = malloc(VD_BODY_MAX);
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "body"), i, v) {
		uint8_t epoch[VD_EPOCH_BYTES], key[VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES], ad[50], hash[VD_HASH_BYTES];
		struct vd_slice in = vd_slice(content, (size_t)number(v, "content_bytes"));
		struct vd_buf sealed = { 0 }, opened = { 0 };

		take_exact(v, "epoch", epoch, sizeof(epoch));
		take_exact(v, "key", key, sizeof(key));
		take_exact(v, "nonce", nonce, sizeof(nonce));
		take_exact(v, "ad", ad, sizeof(ad));
		noise(content, (unsigned)number(v, "content_first"), in.n);
		assert_int_equal(vd_body_seal((enum vd_audience)number(v, "audience"), epoch, key, nonce,
		                              vd_slice(ad, sizeof(ad)), in, &sealed), 0);
		assert_int_equal(sealed.n, number(v, "bytes"));
		if (json_object_get(v, "body"))
			same_bytes(v, "body", vd_buf_slice(&sealed));
		vd_hash1(VD_HASH_BODY, hash, vd_buf_slice(&sealed));
		same_bytes(v, "hash", vd_slice(hash, sizeof(hash)));
		assert_int_equal(vd_body_open(vd_buf_slice(&sealed), key, vd_slice(ad, sizeof(ad)), &opened), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&opened), in));
		vd_buf_deinit(&sealed);
		vd_buf_deinit(&opened);
	}
	assert_int_equal(i, 13);
	free(content);
}

/* Bodies packed with dictionary 1 open for ever; what we make of their content is no longer. */
static void test_vectors__packed(void **state)
{
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "packed"), i, v) {
		uint8_t epoch[VD_EPOCH_BYTES], key[VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES], ad[50], body[512], content[2048], frame[256];
		size_t body_n = take(v, "body", body, sizeof(body)), content_n = take(v, "content", content, sizeof(content));
		size_t frame_n = take(v, "frame", frame, sizeof(frame));
		struct vd_buf sealed = { 0 }, opened = { 0 };

		take_exact(v, "epoch", epoch, sizeof(epoch));
		take_exact(v, "key", key, sizeof(key));
		take_exact(v, "nonce", nonce, sizeof(nonce));
		take_exact(v, "ad", ad, sizeof(ad));
		assert_int_equal(vd_body_open(vd_slice(body, body_n), key, vd_slice(ad, sizeof(ad)), &opened), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&opened), vd_slice(content, content_n)));
		vd_buf_reset(&opened);
		assert_int_equal(vd_unpack(VD_PACKING_ZSTD, vd_slice(frame, frame_n), content_n, &opened), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&opened), vd_slice(content, content_n)));
		assert_int_equal(vd_body_seal((enum vd_audience)number(v, "audience"), epoch, key, nonce, vd_slice(ad, sizeof(ad)),
		                              vd_slice(content, content_n), &sealed), 0);
		assert_int_equal(sealed.n, body_n);
		vd_buf_deinit(&sealed);
		vd_buf_deinit(&opened);
	}
	assert_int_equal(i, 2);
}

/* One stream of compact records: each is read as the record it stands for, and written as it stands. */
static void test_vectors__compact(void **state)
{
	const json_t *stream = json_object_get(root, "compact");
	struct vd_buf raw = { 0 }, written = { 0 };
	struct vd_compact reader, writer;
	uint8_t group[VD_GROUP_BYTES], record[1024], compact[1024];
	json_t *v;
	size_t i;

	(void)state;
	take_exact(stream, "group", group, sizeof(group));
	vd_compact_init(&reader, group);
	vd_compact_init(&writer, group);
	json_array_foreach(json_object_get(stream, "entries"), i, v) {
		size_t record_n = take(v, "record", record, sizeof(record)), compact_n = take(v, "compact", compact, sizeof(compact));
		struct vd_record r;

		vd_buf_reset(&raw);
		vd_buf_reset(&written);
		assert_int_equal(vd_compact_decode(&reader, vd_slice(compact, compact_n), &raw, &r), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&raw), vd_slice(record, record_n)));
		assert_int_equal(vd_compact_encode(&writer, &r, &written), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&written), vd_slice(compact, compact_n)));
	}
	assert_int_equal(i, 12);
	vd_compact_deinit(&reader);
	vd_compact_deinit(&writer);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&written);
}

/* A record's codes, and the record from them, the last code first. */
static void test_vectors__slip(void **state)
{
	static char codes[VD_SLIP_CODES_MAX][VD_SLIP_TEXT + 1];
	uint8_t link[VD_KEY_BYTES], group[VD_GROUP_BYTES], record[2048], code[VD_SLIP_CODE_BYTES];
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "slip"), i, v) {
		const json_t *expected = json_object_get(v, "codes");
		size_t record_n = take(v, "record", record, sizeof(record)), count, n, which = 9;
		struct vd_batch batch = { 0 };
		struct vd_slips slips = { 0 };
		struct vd_record r;

		take_exact(v, "link", link, sizeof(link));
		take_exact(v, "group", group, sizeof(group));
		assert_int_equal(vd_record_decode(vd_slice(record, record_n), &r), 0);
		assert_int_equal(vd_slip_make(link, &r, codes, &count), 0);
		assert_int_equal(count, json_array_size(expected));
		while (count--) {
			const char *text = json_string_value(json_array_get(expected, count));

			assert_string_equal(codes[count], text);
			assert_int_equal(vd_slip_bytes(vd_slice_str(text), code, &n), 0);
			assert_int_equal(vd_slips_add(&slips, link, group, code, n, &which), 0);
			assert_int_equal(which, 0);
		}
		assert_int_equal(vd_slip_record(&slips.slips[0], &batch), 0);
		vd_batch_seal(&batch);
		assert_true(vd_slice_eq(batch.entries[0].record.raw, vd_slice(record, record_n)));
		vd_batch_deinit(&batch);
		vd_slips_deinit(&slips);
	}
	assert_int_equal(i, 6);
}

static void check_named(json_t *v, struct vd_slice content)
{
	const json_t *secrets = json_object_get(v, "secrets");
	uint8_t epoch[VD_EPOCH_BYTES], nonce[VD_BODY_NONCE_BYTES], seed[VD_BODY_SEED_BYTES], ad[50], hash[VD_HASH_BYTES];
	uint8_t secret[VD_NAMED_SLOTS][VD_KEY_BYTES], boxes[VD_NAMED_SLOTS][VD_KEY_BYTES];
	size_t count = json_array_size(secrets), n;
	struct vd_buf sealed = { 0 }, opened = { 0 };

	take_exact(v, "epoch", epoch, sizeof(epoch));
	take_exact(v, "nonce", nonce, sizeof(nonce));
	take_exact(v, "seed", seed, sizeof(seed));
	take_exact(v, "ad", ad, sizeof(ad));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(vd_unhex(secret[i], VD_KEY_BYTES, json_string_value(json_array_get(secrets, i)), &n), 0);
		assert_int_equal(crypto_scalarmult_base(boxes[i], secret[i]), 0);
	}
	assert_int_equal(vd_body_seal_named(epoch, (const uint8_t (*)[VD_KEY_BYTES])boxes, count, nonce, seed,
	                                    vd_slice(ad, sizeof(ad)), content, &sealed), 0);
	assert_int_equal(sealed.n, number(v, "bytes"));
	if (json_object_get(v, "body"))
		same_bytes(v, "body", vd_buf_slice(&sealed));
	vd_hash1(VD_HASH_BODY, hash, vd_buf_slice(&sealed));
	same_bytes(v, "hash", vd_slice(hash, sizeof(hash)));
	for (size_t i = 0; i < count; i++) {
		vd_buf_reset(&opened);
		assert_int_equal(vd_body_open_named(vd_buf_slice(&sealed), boxes[i], secret[i], vd_slice(ad, sizeof(ad)), &opened), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&opened), content));
	}
	vd_buf_deinit(&sealed);
	vd_buf_deinit(&opened);
}

static void test_vectors__named_body(void **state)
{
	uint8_t *content = malloc(VD_BODY_MAX);
	json_t *v;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "named"), i, v) {
		noise(content, (unsigned)number(v, "content_first"), (size_t)number(v, "content_bytes"));
		check_named(v, vd_slice(content, (size_t)number(v, "content_bytes")));
	}
	assert_int_equal(i, 5);
	free(content);
}

static void take_fields(const json_t *v, struct vd_record_fields *out)
{
	const json_t *expires = json_object_get(v, "expires");

	*out = (struct vd_record_fields){ 0 };
	take_exact(v, "group", out->group, VD_GROUP_BYTES);
	take_exact(v, "author", out->author, VD_KEY_BYTES);
	out->lane = (uint8_t)number(v, "lane");
	out->seq = number(v, "seq");
	out->has_prev = take(v, "prev", out->prev.b, VD_ID_BYTES) > 0;
	out->time_ms = number(v, "time_ms");
	out->has_expires = json_is_integer(expires);
	if (out->has_expires)
		out->expires_day = (uint32_t)number(v, "expires");
}

/* Head and body of the vector in one piece. */
static void take_raw(const json_t *v, struct vd_buf *raw, size_t *body_at)
{
	uint8_t head[VD_HEADER_MAX + VD_SIGNATURE_BYTES];
	size_t n = take(v, "header_and_signature", head, sizeof(head)), body_n = (size_t)number(v, "body_bytes");
	uint8_t *body;

	vd_buf_put(raw, head, n);
	body = vd_buf_extend(raw, body_n);
	if (json_object_get(v, "body"))
		take_exact(v, "body", body, body_n);
	else
		fill(body, (unsigned)number(v, "body_first"), body_n);
	*body_at = n;
}

static void check_decoded(const json_t *v, const struct vd_record_fields *fields, const struct vd_record *record)
{
	struct vd_buf ad = { 0 };

	assert_int_equal(vd_record_verify(record), 0);
	assert_int_equal(record->version, number(v, "version"));
	assert_memory_equal(record->group, fields->group, VD_GROUP_BYTES);
	assert_memory_equal(record->author, fields->author, VD_KEY_BYTES);
	assert_int_equal(record->lane, fields->lane);
	assert_true(record->seq == fields->seq && record->time_ms == fields->time_ms);
	assert_int_equal(record->has_prev, fields->has_prev);
	assert_memory_equal(record->prev.b, fields->prev.b, VD_ID_BYTES);
	assert_int_equal(record->has_expires, fields->has_expires);
	assert_int_equal(record->expires_day, fields->expires_day);
	same_bytes(v, "ext", record->ext);
	same_bytes(v, "id", vd_slice(record->id.b, VD_ID_BYTES));
	vd_record_ad_of(record, &ad);
	same_bytes(v, "ad", vd_buf_slice(&ad));
	vd_buf_deinit(&ad);
}

static void test_vectors__record(void **state)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES];
	struct vd_identity me;
	size_t i, redactions = 0;
	json_t *v;

	(void)state;
	take_exact(json_object_get(root, "identity"), "seed", seed, sizeof(seed));
	vd_identity_from_seed(seed, &me);
	json_array_foreach(json_object_get(root, "record"), i, v) {
		struct vd_buf raw = { 0 }, made = { 0 };
		struct vd_record_fields fields;
		struct vd_record record;
		size_t body_at;
		struct vd_id id, redacted;

		take_fields(v, &fields);
		take_raw(v, &raw, &body_at);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
		assert_false(record.stub);
		check_decoded(v, &fields, &record);
		if (vd_record_redacts(&record, &redacted)) {
			fields.redacts = &redacted;
			redactions++;
		}
		/* What we write ourselves: version 1, in ext nothing or a redaction. */
		if (record.version == VD_VERSION && (!record.ext.n || fields.redacts)) {
			assert_int_equal(vd_record_create(&fields, record.body, me.author_secret, &made, &id), 0);
			assert_true(vd_slice_eq(vd_buf_slice(&made), vd_buf_slice(&raw)));
			assert_memory_equal(id.b, record.id.b, VD_ID_BYTES);
			vd_buf_reset(&made);
			vd_record_ad(&fields, &made);
			same_bytes(v, "ad", vd_buf_slice(&made));
		}
		/* The same record without its body. */
		assert_int_equal(vd_record_decode(vd_slice(raw.p, body_at), &record), 0);
		assert_int_equal(record.stub, record.body_bytes > 0);
		check_decoded(v, &fields, &record);
		vd_buf_deinit(&raw);
		vd_buf_deinit(&made);
	}
	assert_int_equal(i, 8);
	assert_int_equal(redactions, 1);
}

static void test_vectors__receipt(void **state)
{
	uint8_t seed[VD_IDENTITY_SEED_BYTES], id[VD_GROUP_BYTES];
	struct vd_identity me;
	json_t *v, *one;
	size_t i, at;

	(void)state;
	take_exact(json_object_get(root, "identity"), "seed", seed, sizeof(seed));
	vd_identity_from_seed(seed, &me);
	json_array_foreach(json_object_get(root, "receipt"), i, v) {
		struct vd_receipt said = { .count = number(v, "count"), .time_ms = number(v, "time_ms"), .keep_until = (uint32_t)number(v, "keep_until"),
			.restored = json_is_true(json_object_get(v, "restored")) };
		struct vd_span spans[256];
		struct vd_buf made = { 0 };
		struct vd_group *group;

		take_exact(v, "group", id, sizeof(id));
		group = vd_group_new(id, &me);
		assert_non_null(group);
		json_array_foreach(json_object_get(v, "lanes"), at, one) {
			said.lanes[at].count = number(one, "count");
			said.lanes[at].whole = json_is_true(json_object_get(one, "whole"));
			if (said.lanes[at].count)
				take_exact(one, "digest", said.lanes[at].digest, VD_RECEIPT_DIGEST);
		}
		json_array_foreach(json_object_get(v, "spans"), at, one) {
			take_exact(one, "item", spans[at].item, VD_ITEM_BYTES);
			spans[at].length = number(one, "length");
		}
		assert_int_equal(vd_receipt_make(group, &said, spans, at, &made), 0);
		same_bytes(v, "receipt", vd_buf_slice(&made));
		json_array_foreach(json_object_get(v, "brief"), at, one) {
			const struct vd_brief how = { .named = (uint8_t)number(one, "named"), .marked = (uint8_t)number(one, "marked") };
			struct vd_receipt whole;
			struct vd_slice rest;
			struct vd_span skipped;
			struct vd_buf brief = { 0 };

			assert_int_equal(vd_receipt_decode(vd_buf_slice(&made), &whole), 0);
			rest = whole.spans;
			for (uint64_t n = number(one, "spans"); n; n--)
				assert_true(vd_receipt_next(&rest, &skipped));
			assert_int_equal(vd_receipt_shorten(vd_buf_slice(&made), &how, vd_slice(whole.spans.p, whole.spans.n - rest.n), &brief), 0);
			same_bytes(one, "brief", vd_buf_slice(&brief));
			vd_buf_deinit(&brief);
		}
		assert_int_equal(at, 4);
		vd_buf_deinit(&made);
		vd_group_free(group);
	}
	assert_int_equal(i, 3);
}

/* The same files make the same list of attachments, and the list in the record says what they are. */
static void check_files(const json_t *v, const struct vd_content *content)
{
	struct vd_attachment found[VD_ATTACHMENTS_MAX];
	size_t count = vd_attachments_of(content, found), i;
	const struct vd_value *list = vd_content_get(content, "attachments", VD_MP_ARRAY, 0);
	struct vd_buf made = { 0 };
	json_t *file;

	assert_non_null(list);
	json_array_foreach(json_object_get(v, "files"), i, file) {
		struct vd_attachment a = { .size = number(file, "size"), .chunks = (uint32_t)number(file, "chunks") };
		uint8_t name[VD_ATTACHMENT_NAME_MAX];

		take_exact(file, "hash", a.hash, sizeof(a.hash));
		a.name = vd_slice(name, take(file, "name", name, sizeof(name)));
		a.type = vd_slice_str(json_string_value(json_object_get(file, "type")));
		vd_attachment_encode(&a, &made);
		assert_true(i < count && vd_slice_eq(found[i].name, a.name) && vd_slice_eq(found[i].type, a.type));
		assert_true(found[i].size == a.size && found[i].chunks == a.chunks && !memcmp(found[i].hash, a.hash, VD_HASH_BYTES));
	}
	assert_int_equal(i, 3);
	assert_int_equal(count, i);
	assert_true(vd_slice_eq(vd_buf_slice(&made), list->bytes));
	vd_buf_deinit(&made);
}

/* Made of the file's bytes it is that record, and opened it says them again. */
static void check_chunk(const json_t *v, const json_t *c, const struct vd_identity *me, const struct vd_part *part, struct vd_slice data)
{
	uint8_t epoch[VD_EPOCH_BYTES], key[VD_KEY_BYTES], nonce[VD_BODY_NONCE_BYTES], hash[VD_HASH_BYTES];
	struct vd_buf content = { 0 }, ad = { 0 }, body = { 0 }, raw = { 0 }, opened = { 0 };
	struct vd_record_fields fields;
	struct vd_record record;
	struct vd_part said;
	struct vd_slice got;
	struct vd_id id;

	take_exact(v, "epoch", epoch, sizeof(epoch));
	take_exact(v, "key", key, sizeof(key));
	take_exact(c, "nonce", nonce, sizeof(nonce));
	take_fields(c, &fields);
	fields.part = part;
	assert_int_equal(vd_chunk_encode(data, &content), 0);
	vd_record_ad(&fields, &ad);
	assert_int_equal(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, vd_buf_slice(&ad), vd_buf_slice(&content), &body), 0);
	vd_hash1(VD_HASH_BODY, hash, vd_buf_slice(&body));
	same_bytes(c, "body_hash", vd_slice(hash, sizeof(hash)));
	assert_int_equal(vd_record_create(&fields, vd_buf_slice(&body), me->author_secret, &raw, &id), 0);
	same_bytes(c, "header_and_signature", vd_slice(raw.p, raw.n - body.n));
	same_bytes(c, "id", vd_slice(id.b, VD_ID_BYTES));
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
	same_bytes(c, "ext", record.ext);
	assert_true(vd_record_part(&record, &said));
	assert_true(!memcmp(said.of.b, part->of.b, VD_ID_BYTES) && said.attachment == part->attachment && said.number == part->number);
	assert_int_equal(vd_body_open(record.body, key, vd_buf_slice(&ad), &opened), 0);
	assert_int_equal(vd_chunk_decode(vd_buf_slice(&opened), &got), 0);
	assert_true(vd_slice_eq(got, data));
	vd_buf_deinit(&content);
	vd_buf_deinit(&ad);
	vd_buf_deinit(&body);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&opened);
}

static void test_vectors__attachment(void **state)
{
	static uint8_t raw[VD_RECORD_MAX], file[3 * VD_ATTACHMENT_DATA];
	const json_t *v = json_object_get(root, "attachment"), *chunk;
	uint8_t seed[VD_IDENTITY_SEED_BYTES], key[VD_KEY_BYTES], hash[VD_HASH_BYTES];
	struct vd_buf ad = { 0 }, content = { 0 };
	struct vd_content said;
	struct vd_identity me;
	struct vd_record record;
	struct vd_part part;
	size_t i;

	(void)state;
	take_exact(json_object_get(root, "identity"), "seed", seed, sizeof(seed));
	vd_identity_from_seed(seed, &me);
	take_exact(v, "key", key, sizeof(key));
	assert_int_equal(vd_record_decode(vd_slice(raw, take(v, "record", raw, sizeof(raw))), &record), 0);
	assert_int_equal(vd_record_verify(&record), 0);
	assert_false(vd_record_part(&record, &part));
	same_bytes(v, "id", vd_slice(record.id.b, VD_ID_BYTES));
	vd_record_ad_of(&record, &ad);
	assert_int_equal(vd_body_open(record.body, key, vd_buf_slice(&ad), &content), 0);
	same_bytes(v, "content", vd_buf_slice(&content));
	assert_int_equal(vd_content_decode(vd_buf_slice(&content), &said), 0);
	check_files(v, &said);
	json_array_foreach(json_object_get(v, "chunks"), i, chunk) {
		const json_t *of;
		size_t size, at;

		part = (struct vd_part){ .of = record.id, .attachment = (uint8_t)number(chunk, "attachment"), .number = (uint32_t)number(chunk, "number") };
		of = json_array_get(json_object_get(v, "files"), part.attachment);
		size = (size_t)number(of, "size");
		assert_true(size <= sizeof(file));
		noise(file, (unsigned)number(of, "first"), size);
		crypto_generichash(hash, sizeof(hash), file, size, NULL, 0);
		same_bytes(of, "hash", vd_slice(hash, sizeof(hash)));
		at = (size_t)part.number * VD_ATTACHMENT_DATA;
		check_chunk(v, chunk, &me, &part, vd_slice(file + at, size - at < VD_ATTACHMENT_DATA ? size - at : VD_ATTACHMENT_DATA));
	}
	assert_int_equal(i, 4);
	vd_buf_deinit(&ad);
	vd_buf_deinit(&content);
}

static void test_vectors__attachment_odd(void **state)
{
	const json_t *v = json_object_get(json_object_get(root, "attachment"), "odd"), *good;
	struct vd_attachment found[VD_ATTACHMENTS_MAX];
	uint8_t bytes[4096];
	struct vd_content content;
	size_t i, count;

	(void)state;
	assert_int_equal(vd_content_decode(vd_slice(bytes, take(v, "content", bytes, sizeof(bytes))), &content), 0);
	count = vd_attachments_of(&content, found);
	json_array_foreach(json_object_get(v, "good"), i, good) {
		assert_true(i < count);
		assert_int_equal(found[i].name.n > 0, json_is_true(good));
	}
	assert_int_equal(i, VD_ATTACHMENTS_MAX);
	assert_int_equal(count, i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors__hash),
		cmocka_unit_test(test_vectors__identity),
		cmocka_unit_test(test_vectors__words_and_group_id),
		cmocka_unit_test(test_vectors__paper),
		cmocka_unit_test(test_vectors__content),
		cmocka_unit_test(test_vectors__body),
		cmocka_unit_test(test_vectors__packed),
		cmocka_unit_test(test_vectors__compact),
		cmocka_unit_test(test_vectors__slip),
		cmocka_unit_test(test_vectors__named_body),
		cmocka_unit_test(test_vectors__record),
		cmocka_unit_test(test_vectors__receipt),
		cmocka_unit_test(test_vectors__attachment),
		cmocka_unit_test(test_vectors__attachment_odd),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
