#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/seal.h"

/* A file of two chunks: entries of 20,000 bytes, three in each chunk. */
enum { ENTRIES = 6, ENTRY = 20000 };

struct world {
	uint8_t link[2][VD_KEY_BYTES];
	struct vd_identity device, newcomer;
	struct vd_manifest manifest;
	struct vd_buf file;
	uint8_t plain[2][VD_CHUNK_PLAIN];
};

static void key_from(uint8_t out[VD_KEY_BYTES], uint8_t n)
{
	memset(out, n, VD_KEY_BYTES);
}

/* Only what a slot needs: a box key pair and an author key. */
static void identity_from(struct vd_identity *id, uint8_t n)
{
	*id = (struct vd_identity){ 0 };
	key_from(id->author, n);
	key_from(id->box_secret, (uint8_t)(n + 1));
	crypto_scalarmult_base(id->box, id->box_secret);
}

static struct vd_recipient to_link(const uint8_t link[VD_KEY_BYTES])
{
	struct vd_recipient r = { .how = VD_FOR_LINK };

	memcpy(r.link, link, VD_KEY_BYTES);
	return r;
}

static struct vd_recipient to_device(const struct vd_identity *id, const uint8_t *link)
{
	struct vd_recipient r = { .how = link ? VD_FOR_DEVICE : VD_FOR_CARD };

	if (link)
		memcpy(r.link, link, VD_KEY_BYTES);
	memcpy(r.author, id->author, VD_KEY_BYTES);
	memcpy(r.box, id->box, VD_KEY_BYTES);
	return r;
}

static void fill(uint8_t *out, size_t n, uint8_t tag)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(i * 7 + tag);
}

static int write_file(const struct world *w, const struct vd_recipient *to, size_t count, uint8_t seed_byte, struct vd_buf *out)
{
	uint8_t seed[VD_SEAL_SEED_BYTES], bytes[ENTRY];
	struct vd_sealer *s = NULL;
	int rc;

	memset(seed, seed_byte, sizeof(seed));
	rc = vd_sealer_new(&w->manifest, to, count, seed, &s);
	for (uint8_t i = 0; i < ENTRIES && !rc; i++) {
		fill(bytes, sizeof(bytes), i);
		rc = vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(bytes, sizeof(bytes)), out);
	}
	if (!rc)
		rc = vd_sealer_finish(s, out);
	vd_sealer_free(s);
	return rc;
}

static struct vd_slice first_head(struct vd_slice file)
{
	return vd_slice(file.p, VD_HEAD_BYTES);
}

static struct vd_slice last_head(struct vd_slice file)
{
	return vd_slice(file.p + file.n - VD_HEAD_BYTES, VD_HEAD_BYTES);
}

static const uint8_t *chunk_at(struct vd_slice file, uint64_t i)
{
	return file.p + VD_HEAD_BYTES + i * VD_CHUNK_BYTES;
}

static struct vd_opener opener(const struct world *w, size_t links, const struct vd_identity *id)
{
	return (struct vd_opener){ .links = w->link[0], .link_count = links, .identity = id };
}

static int open_file(struct vd_slice file, const struct vd_opener *with, struct vd_unsealer **u)
{
	*u = NULL;
	return vd_unsealer_new(first_head(file), last_head(file), with, u);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct vd_seal_plan plan;
	struct vd_recipient to;

	assert_non_null(w);
	assert_true(sodium_init() >= 0);
	key_from(w->link[0], 11);
	key_from(w->link[1], 12);
	identity_from(&w->device, 21);
	identity_from(&w->newcomer, 31);
	vd_seal_plan_start(&plan, VD_SEALED_BUNDLE);
	for (int i = 0; i < ENTRIES; i++)
		vd_seal_plan_entry(&plan, ENTRY);
	w->manifest = (struct vd_manifest){
		.what = VD_SEALED_BUNDLE, .chunks = vd_seal_plan_chunks(&plan), .records = ENTRIES,
	};
	memset(w->manifest.group, 5, VD_GROUP_BYTES);
	to = to_link(w->link[0]);
	assert_int_equal(write_file(w, &to, 1, 1, &w->file), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	vd_buf_deinit(&w->file);
	free(w);
	return 0;
}

static void assert_entries(const uint8_t *plain, struct vd_unsealer *u, const struct world *w, uint64_t chunk)
{
	struct vd_rd r = vd_rd(vd_slice(plain, VD_CHUNK_PLAIN));
	struct vd_slice bytes;
	struct vd_manifest m;
	uint8_t type, expected[ENTRY];

	if (chunk == 0) {
		assert_int_equal(vd_chunk_entry(&r, &type, &bytes), 0);
		assert_int_equal(type, VD_ENTRY_MANIFEST);
		assert_int_equal(vd_unsealer_manifest(u, bytes, &m), 0);
		assert_int_equal(m.what, w->manifest.what);
		assert_memory_equal(m.group, w->manifest.group, VD_GROUP_BYTES);
		assert_int_equal(m.chunks, w->manifest.chunks);
		assert_int_equal(m.records, w->manifest.records);
		assert_true(m.first_head_ok && m.last_head_ok);
		assert_int_equal(m.has_grant, w->manifest.has_grant);
		assert_memory_equal(m.grant, w->manifest.grant, VD_ID_BYTES);
	}
	if (chunk > 0) {
		assert_int_equal(vd_chunk_entry(&r, &type, &bytes), 0);
		assert_int_equal(type, VD_ENTRY_GROUP);
		assert_true(vd_slice_eq(bytes, vd_slice(w->manifest.group, VD_GROUP_BYTES)));
	}
	for (uint8_t i = 0; i < 3; i++) {
		assert_int_equal(vd_chunk_entry(&r, &type, &bytes), 0);
		assert_int_equal(type, VD_ENTRY_RECORD);
		fill(expected, sizeof(expected), (uint8_t)(chunk * 3 + i));
		assert_true(vd_slice_eq(bytes, vd_slice(expected, sizeof(expected))));
	}
	assert_int_equal(vd_chunk_entry(&r, &type, &bytes), VD_ENOTFOUND);
}

static void assert_whole(struct vd_slice file, const struct vd_opener *with, const struct world *w)
{
	static uint8_t plain[VD_CHUNK_PLAIN];
	struct vd_unsealer *u;
	bool last;

	assert_int_equal(open_file(file, with, &u), 0);
	for (uint64_t i = 0; i < w->manifest.chunks; i++) {
		assert_int_equal(vd_unsealer_chunk(u, i, chunk_at(file, i), plain, &last), 0);
		assert_int_equal(last, i + 1 == w->manifest.chunks);
		assert_entries(plain, u, w, i);
	}
	vd_unsealer_free(u);
}

static void test_seal__round_trip(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_opener second;
	uint8_t turned[2][VD_KEY_BYTES];

	assert_int_equal(w->manifest.chunks, 2);
	assert_int_equal(w->file.n, vd_sealed_bytes(2));
	assert_whole(vd_buf_slice(&w->file), &with, w);
	/* Any of several keys will do. */
	memcpy(turned[0], w->link[1], VD_KEY_BYTES);
	memcpy(turned[1], w->link[0], VD_KEY_BYTES);
	second = (struct vd_opener){ .links = turned[0], .link_count = 2 };
	assert_whole(vd_buf_slice(&w->file), &second, w);
}

static void test_seal__bytes_are_pinned(void **state)
{
	struct world *w = *state;
	uint8_t hash[VD_HASH_BYTES];
	char hex[2 * VD_HASH_BYTES + 1];

	vd_hash1(VD_HASH_BODY, hash, vd_buf_slice(&w->file));
	vd_hex(hex, hash, sizeof(hash));
	assert_string_equal(hex, "ea6485f0187010f8d5fca6ffdbc5ba4d57872608a4efeb04da8e25d19ab9596b");
}

static void test_seal__seed_decides_every_byte(void **state)
{
	struct world *w = *state;
	struct vd_recipient to = to_link(w->link[0]);
	struct vd_buf same = { 0 }, other = { 0 };
	size_t equal = 0;

	assert_int_equal(write_file(w, &to, 1, 1, &same), 0);
	assert_int_equal(write_file(w, &to, 1, 2, &other), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&same), vd_buf_slice(&w->file)));
	assert_int_equal(other.n, same.n);
	for (size_t i = 0; i < same.n; i++)
		equal += same.p[i] == other.p[i];
	/* Chance alone: one byte in 256. */
	assert_true(equal < same.n / 128);
	vd_buf_deinit(&same);
	vd_buf_deinit(&other);
}

static void test_seal__every_recipient_opens(void **state)
{
	struct world *w = *state;
	struct vd_recipient to[VD_SLOTS];
	struct vd_buf file = { 0 };
	struct vd_opener with;
	struct vd_unsealer *u;

	for (uint8_t i = 0; i < VD_SLOTS; i++) {
		uint8_t link[VD_KEY_BYTES];

		key_from(link, (uint8_t)(100 + i));
		to[i] = to_link(link);
	}
	to[3] = to_device(&w->device, w->link[1]);
	to[9] = to_device(&w->newcomer, NULL);
	assert_int_equal(write_file(w, to, VD_SLOTS, 3, &file), 0);
	for (uint8_t i = 0; i < VD_SLOTS; i++) {
		uint8_t link[VD_KEY_BYTES];

		key_from(link, (uint8_t)(100 + i));
		with = (struct vd_opener){ .links = link, .link_count = 1 };
		if (i == 3 || i == 9)
			assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), VD_EKEY);
		else
			assert_whole(vd_buf_slice(&file), &with, w);
	}
	/* A member's slot opens to its box key and the group's link key together; a newcomer's to its box key. */
	with = opener(w, 2, &w->device);
	assert_whole(vd_buf_slice(&file), &with, w);
	with = opener(w, 1, &w->device);
	assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), VD_EKEY);
	with = opener(w, 2, NULL);
	assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), VD_EKEY);
	with = opener(w, 0, &w->newcomer);
	assert_whole(vd_buf_slice(&file), &with, w);
	vd_buf_deinit(&file);
}

static void test_seal__device_slot_is_a_masked_sealed_box(void **state)
{
	struct world *w = *state;
	struct vd_recipient to = to_device(&w->newcomer, NULL);
	struct vd_slice parts[2] = { vd_slice(w->newcomer.author, VD_KEY_BYTES), vd_slice(w->newcomer.box, VD_KEY_BYTES) };
	uint8_t mask[VD_KEY_BYTES], key[VD_KEY_BYTES], slot[VD_SLOT_BYTES], file_key[VD_KEY_BYTES], nonce[12] = { 0 };
	struct vd_buf file = { 0 };
	int opened = 0;

	/* Read with libsodium alone, as another implementation would. */
	assert_int_equal(write_file(w, &to, 1, 4, &file), 0);
	vd_hash(VD_HASH_MASK, vd_slice(NULL, 0), mask, sizeof(mask), parts, 2);
	for (uint8_t i = 0; i < VD_SLOTS; i++) {
		struct vd_slice at[2] = { vd_slice(file.p, VD_SALT_BYTES), vd_slice(&i, 1) };

		vd_hash(VD_HASH_MASK, vd_slice(mask, sizeof(mask)), key, sizeof(key), at, 2);
		crypto_stream_chacha20_ietf_xor(slot, file.p + VD_SALT_BYTES + (size_t)i * VD_SLOT_BYTES, sizeof(slot), nonce, key);
		opened += crypto_box_seal_open(file_key, slot, sizeof(slot), w->newcomer.box, w->newcomer.box_secret) == 0;
	}
	assert_int_equal(opened, 1);
	vd_buf_deinit(&file);
}

static void test_seal__link_slot_and_chunks_by_the_book(void **state)
{
	struct world *w = *state;
	uint8_t key[VD_KEY_BYTES], text[2 * VD_KEY_BYTES], stream[47], nonce[24] = { 0 };
	int opened = 0;

	/* The same for a link slot of the last head, and then a chunk. */
	const uint8_t *head = last_head(vd_buf_slice(&w->file)).p;

	for (uint8_t i = 0; i < VD_SLOTS; i++) {
		struct vd_slice at[2] = { vd_slice(head, VD_SALT_BYTES), vd_slice(&i, 1) };
		uint8_t found[2 * VD_KEY_BYTES];

		vd_hash(VD_HASH_SLOT, vd_slice(w->link[0], VD_KEY_BYTES), key, sizeof(key), at, 2);
		if (crypto_aead_xchacha20poly1305_ietf_decrypt(found, NULL, NULL, head + VD_SALT_BYTES + (size_t)i * VD_SLOT_BYTES,
		                                               VD_SLOT_BYTES, NULL, 0, nonce, key) == 0) {
			memcpy(text, found, sizeof(text));
			opened++;
		}
	}
	assert_int_equal(opened, 1);
	assert_true(sodium_is_zero(text + VD_KEY_BYTES, VD_KEY_BYTES));
	vd_hash(VD_HASH_STREAM, vd_slice(text, VD_KEY_BYTES), stream, sizeof(stream), NULL, 0);
	memcpy(nonce, stream + VD_KEY_BYTES, 15);
	nonce[22] = 1;
	nonce[23] = 1;
	assert_int_equal(crypto_aead_xchacha20poly1305_ietf_decrypt(w->plain[1], NULL, NULL, chunk_at(vd_buf_slice(&w->file), 1),
	                                                            VD_CHUNK_BYTES, NULL, 0, nonce, stream), 0);
	assert_int_equal(w->plain[1][0], VD_ENTRY_GROUP);
	assert_int_equal(vd_get_u32(w->plain[1]) & 0xffffff, VD_GROUP_BYTES);
	assert_int_equal(w->plain[1][4 + VD_GROUP_BYTES], VD_ENTRY_RECORD);
	assert_int_equal(vd_get_u32(w->plain[1] + 4 + VD_GROUP_BYTES) & 0xffffff, ENTRY);
}

static void test_seal__wrong_key(void **state)
{
	struct world *w = *state;
	uint8_t wrong[VD_KEY_BYTES] = { 99 };
	struct vd_opener with = { .links = wrong, .link_count = 1, .identity = &w->device };
	struct vd_opener none = { 0 };
	struct vd_unsealer *u = NULL;

	assert_int_equal(open_file(vd_buf_slice(&w->file), &with, &u), VD_EKEY);
	assert_int_equal(open_file(vd_buf_slice(&w->file), &none, &u), VD_EKEY);
	assert_null(u);
}

static void test_seal__one_head_is_enough(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_slice file = vd_buf_slice(&w->file), none = vd_slice(NULL, 0);
	struct vd_unsealer *u = NULL;
	struct vd_manifest m;
	struct vd_rd r;
	struct vd_slice bytes;
	uint8_t type;
	bool last;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(i ? vd_unsealer_new(none, last_head(file), &with, &u)
		                   : vd_unsealer_new(first_head(file), none, &with, &u), 0);
		assert_int_equal(vd_unsealer_chunk(u, 0, chunk_at(file, 0), w->plain[0], &last), 0);
		assert_int_equal(vd_unsealer_chunk(u, 1, chunk_at(file, 1), w->plain[1], &last), 0);
		r = vd_rd(vd_slice(w->plain[0], VD_CHUNK_PLAIN));
		assert_int_equal(vd_chunk_entry(&r, &type, &bytes), 0);
		assert_int_equal(vd_unsealer_manifest(u, bytes, &m), 0);
		assert_int_equal(m.first_head_ok, i == 0);
		assert_int_equal(m.last_head_ok, i == 1);
		vd_unsealer_free(u);
	}
	assert_int_equal(vd_unsealer_new(none, none, &with, &u), VD_EKEY);
	assert_int_equal(vd_unsealer_new(vd_slice(file.p, VD_HEAD_BYTES - 1), none, &with, &u), VD_EKEY);
}

static void test_seal__every_flipped_byte_is_noticed(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_slice file = vd_buf_slice(&w->file);
	uint8_t *p = w->file.p;
	struct vd_unsealer *whole, *u;
	struct vd_slice manifest;
	struct vd_manifest m;
	struct vd_rd r;
	uint8_t type;
	bool last;

	assert_int_equal(open_file(file, &with, &whole), 0);
	assert_int_equal(vd_unsealer_chunk(whole, 0, chunk_at(file, 0), w->plain[0], &last), 0);
	assert_int_equal(vd_unsealer_chunk(whole, 1, chunk_at(file, 1), w->plain[1], &last), 0);
	r = vd_rd(vd_slice(w->plain[0], VD_CHUNK_PLAIN));
	assert_int_equal(vd_chunk_entry(&r, &type, &manifest), 0);

	for (size_t i = 0; i < file.n; i++) {
		bool first = i < VD_HEAD_BYTES, end = i >= file.n - VD_HEAD_BYTES;

		p[i] ^= (uint8_t)(1u << i % 8);
		if (first || end) {
			/* The other head opens it, and the manifest tells that this one is not as written. */
			assert_int_equal(open_file(file, &with, &u), 0);
			assert_int_equal(vd_unsealer_manifest(u, manifest, &m), 0);
			assert_int_equal(m.first_head_ok, !first);
			assert_int_equal(m.last_head_ok, !end);
			vd_unsealer_free(u);
		} else {
			static uint8_t plain[VD_CHUNK_PLAIN];
			uint64_t hit = (i - VD_HEAD_BYTES) / VD_CHUNK_BYTES;

			assert_int_equal(vd_unsealer_chunk(whole, hit, chunk_at(file, hit), plain, &last), VD_ESIGNATURE);
			if (i % 1021 == 0) {
				assert_int_equal(vd_unsealer_chunk(whole, !hit, chunk_at(file, !hit), plain, &last), 0);
				assert_memory_equal(plain, w->plain[!hit], sizeof(plain));
			}
		}
		p[i] ^= (uint8_t)(1u << i % 8);
	}
	vd_unsealer_free(whole);
}

static void test_seal__every_truncation(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_unsealer *u;
	uint64_t chunks, before = 0;

	for (size_t n = 0; n <= w->file.n; n++) {
		bool shaped = vd_sealed_layout(n, &chunks);
		bool near_edge = n % VD_CHUNK_BYTES < 2 || n < VD_HEAD_BYTES + 2 || n + VD_HEAD_BYTES + 2 > w->file.n;

		assert_true(chunks == before || chunks == before + 1);
		assert_int_equal(chunks, n < VD_HEAD_BYTES + VD_CHUNK_BYTES ? 0 : n < VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES ? 1 : 2);
		assert_int_equal(shaped, n == vd_sealed_bytes(1) || n == vd_sealed_bytes(2));
		before = chunks;
		if (!near_edge)
			continue;
		if (n < VD_HEAD_BYTES) {
			assert_int_equal(vd_unsealer_new(vd_slice(w->file.p, n), vd_slice(NULL, 0), &with, &u), VD_EKEY);
			continue;
		}
		assert_int_equal(vd_unsealer_new(vd_slice(w->file.p, VD_HEAD_BYTES), vd_slice(NULL, 0), &with, &u), 0);
		for (uint64_t i = 0; i < chunks; i++) {
			bool last;

			assert_int_equal(vd_unsealer_chunk(u, i, chunk_at(vd_buf_slice(&w->file), i), w->plain[0], &last), 0);
			assert_int_equal(last, i == 1);
		}
		vd_unsealer_free(u);
	}
}

static void test_seal__chunks_do_not_move(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_slice file = vd_buf_slice(&w->file);
	struct vd_unsealer *u;
	bool last;

	assert_int_equal(open_file(file, &with, &u), 0);
	assert_int_equal(vd_unsealer_chunk(u, 1, chunk_at(file, 0), w->plain[0], &last), VD_ESIGNATURE);
	assert_int_equal(vd_unsealer_chunk(u, 0, chunk_at(file, 1), w->plain[0], &last), VD_ESIGNATURE);
	vd_unsealer_free(u);
}

static void test_seal__writer_refuses_what_breaks_the_plan(void **state)
{
	struct world *w = *state;
	static uint8_t big[VD_COMPACT_MAX + 1];
	uint8_t seed[VD_SEAL_SEED_BYTES] = { 1 };
	struct vd_recipient to[VD_SLOTS + 1] = { { 0 } };
	struct vd_manifest m = w->manifest;
	struct vd_sealer *s = NULL;
	struct vd_buf out = { 0 };

	assert_int_equal(vd_sealer_new(&m, to, VD_SLOTS + 1, seed, &s), VD_ECAP);
	m.chunks = 0;
	assert_int_equal(vd_sealer_new(&m, to, 1, seed, &s), VD_EINVAL);
	m.chunks = 1;
	m.has_grant = true;
	assert_int_equal(vd_sealer_new(&m, to, 1, seed, &s), VD_EINVAL);
	m.has_grant = false;
	/* A box key of low order would give everybody the key. */
	to[0].how = VD_FOR_CARD;
	assert_int_equal(vd_sealer_new(&m, to, 1, seed, &s), VD_EINVAL);
	to[0].how = VD_FOR_LINK;

	m.records = 2;
	assert_int_equal(vd_sealer_new(&m, to, 1, seed, &s), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(big, sizeof(big)), &out), VD_ECAP);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_MANIFEST, vd_slice(big, 10), &out), VD_EINVAL);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_GROUP, vd_slice(big, VD_GROUP_BYTES), &out), VD_EINVAL);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(big, 10), &out), 0);
	assert_int_equal(vd_sealer_finish(s, &out), VD_EINVAL); /* one record of two */
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(big, VD_COMPACT_MAX), &out), VD_EINVAL); /* no room */
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(big, 10), &out), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(vd_sealer_finish(s, &out), 0);
	assert_int_equal(out.n, vd_sealed_bytes(1));
	assert_int_equal(vd_sealer_finish(s, &out), VD_EINVAL);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(big, 10), &out), VD_EINVAL);
	vd_sealer_free(s);
	vd_buf_deinit(&out);
}

static void test_seal__plan_mirrors_the_writer(void **state)
{
	static uint8_t bytes[VD_COMPACT_MAX];
	uint8_t seed[VD_SEAL_SEED_BYTES] = { 2 };
	struct vd_buf out = { 0 };
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 40; round++) {
		struct vd_manifest m = { .what = round % 2 ? VD_SEALED_WELCOME : VD_SEALED_SEGMENT, .has_grant = round % 2 };
		struct vd_seal_plan plan;
		struct vd_sealer *s;
		size_t lengths[32];

		vd_seal_plan_start(&plan, m.what);
		for (int i = 0; i < 32; i++) {
			x = x * 1664525 + 1013904223;
			lengths[i] = i % 5 ? (x >> 16) % 9000 : VD_COMPACT_MAX - (x >> 16) % 3;
			vd_seal_plan_entry(&plan, lengths[i]);
		}
		m.chunks = vd_seal_plan_chunks(&plan);
		m.records = 32;
		assert_int_equal(vd_sealer_new(&m, NULL, 0, seed, &s), 0);
		vd_buf_reset(&out);
		for (int i = 0; i < 32; i++)
			assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(bytes, lengths[i]), &out), 0);
		assert_int_equal(vd_sealer_finish(s, &out), 0);
		assert_int_equal(out.n, vd_sealed_bytes(m.chunks));
		vd_sealer_free(s);
	}
	vd_buf_deinit(&out);
}

/* The i-th of some records by more authors than a chunk's stream knows: most follow their predecessor, some are stubs or stand whole. */
static struct vd_record some_record(uint32_t i, const uint8_t group[VD_GROUP_BYTES])
{
	static const uint8_t bytes[VD_RECORD_MAX];
	struct vd_record r = {
		.version = i % 41 ? VD_VERSION : 2, .lane = i % 7 ? VD_LANE_NORMAL : VD_LANE_URGENT, .seq = 1 + i / 300, .has_prev = i >= 300 && i % 11,
		.time_ms = 1700000000000 + i * 977, .stub = i % 13 == 0, .body_bytes = 1 + i * 7919 % 400, .signature = vd_slice(bytes, VD_SIGNATURE_BYTES),
	};

	memcpy(r.group, group, VD_GROUP_BYTES);
	vd_set_u32(r.author, i % 300);
	vd_set_u32(r.id.b, i);
	vd_set_u32(r.prev.b, i - 300);
	r.body = vd_slice(bytes, r.stub ? 0 : r.body_bytes);
	r.raw = vd_slice(bytes, 230 + r.body.n);
	return r;
}

static void test_seal__plan_mirrors_the_writer_of_records(void **state)
{
	static uint8_t plain[VD_CHUNK_PLAIN];
	const uint8_t seed[VD_SEAL_SEED_BYTES] = { 2 };
	const struct world *w = *state;
	const struct vd_recipient to = to_link(w->link[0]);
	const struct vd_opener with = opener(w, 1, NULL);
	struct vd_manifest m = { .what = VD_SEALED_BUNDLE, .records = 3000 };
	struct vd_seal_plan plan;
	struct vd_compact stream;
	struct vd_unsealer *u;
	struct vd_buf file = { 0 }, raw = { 0 };
	struct vd_sealer *s;
	uint32_t read = 0;

	memset(m.group, 5, VD_GROUP_BYTES);
	vd_seal_plan_start(&plan, m.what);
	vd_compact_init(&stream, m.group);
	for (uint32_t i = 0; i < m.records; i++) {
		struct vd_record r = some_record(i, m.group);

		assert_int_equal(vd_seal_plan_record(&plan, &stream, &r), 0);
	}
	m.chunks = vd_seal_plan_chunks(&plan);
	assert_true(m.chunks > 8);
	assert_int_equal(vd_sealer_new(&m, &to, 1, seed, &s), 0);
	for (uint32_t i = 0; i < m.records; i++) {
		struct vd_record r = some_record(i, m.group);

		assert_int_equal(vd_sealer_record(s, &r, &file), 0);
	}
	assert_int_equal(vd_sealer_finish(s, &file), 0);
	assert_int_equal(file.n, vd_sealed_bytes(m.chunks));
	vd_sealer_free(s);
	/* Read from the last chunk to the first: none needs another. */
	assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), 0);
	for (uint64_t i = m.chunks; i-- > 0;) {
		struct vd_rd r = vd_rd(vd_slice(plain, sizeof(plain)));
		struct vd_slice bytes;
		bool last;
		uint8_t type;

		vd_compact_reset(&stream, (const uint8_t[VD_GROUP_BYTES]){ 0 });
		assert_int_equal(vd_unsealer_chunk(u, i, chunk_at(vd_buf_slice(&file), i), plain, &last), 0);
		while (vd_chunk_entry(&r, &type, &bytes) == 0) {
			struct vd_record got, sent;

			vd_chunk_stream(&stream, type, bytes);
			if (type != VD_ENTRY_RECORD)
				continue;
			read++;
			if (vd_compact_is_whole(bytes))
				continue; /* of zeros here */
			vd_buf_reset(&raw);
			assert_int_equal(vd_compact_decode(&stream, bytes, &raw, &got), 0);
			assert_memory_equal(got.group, m.group, VD_GROUP_BYTES);
			sent = some_record((uint32_t)((got.time_ms - 1700000000000) / 977), m.group);
			assert_memory_equal(got.author, sent.author, VD_KEY_BYTES);
			assert_true(got.seq == sent.seq && got.stub == sent.stub && got.body_bytes == sent.body_bytes && got.lane == sent.lane);
		}
	}
	assert_int_equal(read, m.records);
	vd_unsealer_free(u);
	vd_compact_deinit(&stream);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&file);
}

static void test_seal__chunk_entries(void **state)
{
	const uint8_t bytes[] = { 7, 0, 0, 2, 'h', 'i', 1, 0, 0, 0, 1, 0, 1, 0 };
	const uint8_t padded[] = { 1, 0, 0, 1, 'x', 0, 0 };
	struct vd_slice entry;
	struct vd_rd r = vd_rd(vd_slice(bytes, sizeof(bytes)));
	uint8_t type;

	(void)state;
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), 0);
	assert_int_equal(type, 7);
	assert_true(vd_slice_eq(entry, vd_slice_str("hi")));
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), 0);
	assert_int_equal(entry.n, 0);
	/* 256 bytes announced, none there. */
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), VD_EFORMAT);
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), VD_EFORMAT);

	r = vd_rd(vd_slice(padded, sizeof(padded)));
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), 0);
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), VD_ENOTFOUND);
	r = vd_rd(vd_slice(padded, 5));
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), 0);
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), VD_ENOTFOUND);
	for (size_t n = 1; n < 5; n++) {
		r = vd_rd(vd_slice(padded, n));
		assert_int_equal(vd_chunk_entry(&r, &type, &entry), VD_EFORMAT);
	}
}

static void test_seal__manifest_is_exact(void **state)
{
	struct world *w = *state;
	struct vd_opener with = opener(w, 1, NULL);
	struct vd_slice file = vd_buf_slice(&w->file), entry;
	uint8_t copy[200], type;
	struct vd_unsealer *u;
	struct vd_manifest m;
	struct vd_rd r;
	bool last;

	assert_int_equal(open_file(file, &with, &u), 0);
	assert_int_equal(vd_unsealer_chunk(u, 0, chunk_at(file, 0), w->plain[0], &last), 0);
	r = vd_rd(vd_slice(w->plain[0], VD_CHUNK_PLAIN));
	assert_int_equal(vd_chunk_entry(&r, &type, &entry), 0);
	memcpy(copy, entry.p, entry.n);
	for (size_t n = 0; n < entry.n; n++)
		assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, n), &m), VD_EFORMAT);
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n + 1), &m), VD_EFORMAT);
	/* A byte changed (its author would have to): never taken for the same manifest. */
	for (size_t i = 0; i < entry.n; i++) {
		int rc;

		copy[i] ^= 0x40;
		rc = vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m);
		assert_true(rc == VD_EFORMAT || rc == VD_EVERSION || memcmp(m.group, w->manifest.group, VD_GROUP_BYTES) ||
		            !m.first_head_ok || !m.last_head_ok || m.chunks != 2 || m.records != ENTRIES);
		copy[i] ^= 0x40;
	}
	copy[0] = 2;
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m), VD_EVERSION);
	copy[0] = 1;
	copy[1] = 4;
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m), VD_EFORMAT);
	copy[1] = VD_SEALED_BUNDLE;
	vd_set_u64(copy + entry.n - 16, VD_SEALED_CHUNKS_MAX);
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m), 0);
	vd_set_u64(copy + entry.n - 16, VD_SEALED_CHUNKS_MAX + 1);
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m), VD_EFORMAT);
	vd_set_u64(copy + entry.n - 16, 0);
	assert_int_equal(vd_unsealer_manifest(u, vd_slice(copy, entry.n), &m), VD_EFORMAT);
	vd_unsealer_free(u);
}

static void test_seal__welcome_names_its_grant(void **state)
{
	struct world *w = *state;
	struct vd_recipient to = to_device(&w->newcomer, NULL);
	struct vd_opener with = opener(w, 0, &w->newcomer), other = opener(w, 2, &w->device);
	struct vd_manifest bundle = w->manifest;
	struct vd_buf file = { 0 };
	struct vd_unsealer *u;

	w->manifest.what = VD_SEALED_WELCOME;
	w->manifest.has_grant = true;
	memset(w->manifest.grant, 77, VD_ID_BYTES);
	assert_int_equal(write_file(w, &to, 1, 5, &file), 0);
	assert_whole(vd_buf_slice(&file), &with, w);
	assert_int_equal(open_file(vd_buf_slice(&file), &other, &u), VD_EKEY);
	w->manifest = bundle;
	vd_buf_deinit(&file);
}

/* A file of one chunk with one entry. */
static void write_small(const struct world *w, enum vd_sealed_what what, const struct vd_recipient *to, size_t count, struct vd_buf *out)
{
	struct vd_manifest m = { .what = what, .chunks = 1, .records = 1, .has_grant = what == VD_SEALED_WELCOME };
	uint8_t seed[VD_SEAL_SEED_BYTES] = { 42, (uint8_t)what }, bytes[100];
	struct vd_sealer *s;

	memcpy(m.group, w->manifest.group, VD_GROUP_BYTES);
	fill(bytes, sizeof(bytes), 9);
	assert_int_equal(vd_sealer_new(&m, to, count, seed, &s), 0);
	assert_int_equal(vd_sealer_entry(s, VD_ENTRY_RECORD, vd_slice(bytes, sizeof(bytes)), out), 0);
	assert_int_equal(vd_sealer_finish(s, out), 0);
	vd_sealer_free(s);
}

/* Whoever opens it, by whichever slot: no changed byte goes unnoticed, and none keeps them from what is whole. A head that is damaged in
 * its owner's slot still opens at the other end of the file. */
static void test_seal__every_flipped_byte_for_every_reader(void **state)
{
	struct world *w = *state;
	const struct vd_recipient everyone[] = { to_link(w->link[0]), to_device(&w->device, w->link[1]), to_device(&w->newcomer, NULL) };
	const struct reader {
		enum vd_sealed_what what;
		size_t first, count, step;
		struct vd_opener with;
	} readers[] = {
		/* The two in the middle cost an X25519 for each slot; the chunk is the same to all of them. */
		{ VD_SEALED_BUNDLE, 0, 3, 1, { .links = w->link[0], .link_count = 1 } },
		{ VD_SEALED_SEGMENT, 1, 1, 5, { .links = w->link[1], .link_count = 1, .identity = &w->device } },
		{ VD_SEALED_BUNDLE, 0, 3, 3, { .links = w->link[1], .link_count = 1, .identity = &w->device } },
		{ VD_SEALED_WELCOME, 2, 1, 1, { .identity = &w->newcomer } },
	};

	for (size_t k = 0; k < sizeof(readers) / sizeof(*readers); k++) {
		const struct reader *r = &readers[k];
		static uint8_t plain[VD_CHUNK_PLAIN], sound[VD_CHUNK_PLAIN];
		struct vd_buf file = { 0 };
		struct vd_unsealer *whole, *u;
		struct vd_slice manifest;
		struct vd_manifest m;
		struct vd_rd entries;
		uint8_t type;
		bool last;

		write_small(w, r->what, everyone + r->first, r->count, &file);
		assert_int_equal(file.n, vd_sealed_bytes(1));
		assert_int_equal(open_file(vd_buf_slice(&file), &r->with, &whole), 0);
		assert_int_equal(vd_unsealer_chunk(whole, 0, chunk_at(vd_buf_slice(&file), 0), sound, &last), 0);
		entries = vd_rd(vd_slice(sound, sizeof(sound)));
		assert_int_equal(vd_chunk_entry(&entries, &type, &manifest), 0);
		for (size_t i = 0; i < file.n; i += r->step) {
			bool first = i < VD_HEAD_BYTES, end = i >= file.n - VD_HEAD_BYTES;

			file.p[i] ^= (uint8_t)(1U << i % 8);
			if (first || end) {
				assert_int_equal(open_file(vd_buf_slice(&file), &r->with, &u), 0);
				assert_int_equal(vd_unsealer_manifest(u, manifest, &m), 0);
				assert_true(m.first_head_ok == !first && m.last_head_ok == !end);
				if (i % 7 == 0) {
					assert_int_equal(vd_unsealer_chunk(u, 0, chunk_at(vd_buf_slice(&file), 0), plain, &last), 0);
					assert_memory_equal(plain, sound, sizeof(plain));
				}
				vd_unsealer_free(u);
			} else {
				assert_int_equal(vd_unsealer_chunk(whole, 0, chunk_at(vd_buf_slice(&file), 0), plain, &last), VD_ESIGNATURE);
			}
			file.p[i] ^= (uint8_t)(1U << i % 8);
		}
		vd_unsealer_free(whole);
		vd_buf_deinit(&file);
	}
}

/* Of a long history a device tries the newest keys and the oldest as masks: no more, or somebody's noise would cost it an hour. */
static void test_seal__masks_are_bounded(void **state)
{
	enum { KEYS = VD_MASKS_NEWEST + VD_MASKS_OLDEST + 3 };
	const size_t tried[] = { 0, 1, VD_MASKS_NEWEST - 1, KEYS - VD_MASKS_OLDEST, KEYS - 1 };
	const size_t untried[] = { VD_MASKS_NEWEST, KEYS - VD_MASKS_OLDEST - 1 };
	struct world *w = *state;
	uint8_t keys[KEYS][VD_KEY_BYTES];
	struct vd_opener with = { .links = keys[0], .link_count = KEYS, .identity = &w->device };
	struct vd_unsealer *u;

	for (size_t i = 0; i < KEYS; i++)
		key_from(keys[i], (uint8_t)(100 + i));
	for (size_t i = 0; i < sizeof(tried) / sizeof(*tried) + sizeof(untried) / sizeof(*untried); i++) {
		bool is_tried = i < sizeof(tried) / sizeof(*tried);
		size_t key = is_tried ? tried[i] : untried[i - sizeof(tried) / sizeof(*tried)];
		struct vd_recipient to = to_device(&w->device, keys[key]);
		struct vd_buf file = { 0 };

		write_small(w, VD_SEALED_SEGMENT, &to, 1, &file);
		assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), is_tried ? VD_OK : VD_EKEY);
		if (is_tried)
			vd_unsealer_free(u);
		vd_buf_deinit(&file);
	}
	/* A link slot opens whatever its age. */
	for (size_t i = 0; i < 2; i++) {
		struct vd_recipient to = to_link(keys[untried[i]]);
		struct vd_buf file = { 0 };

		write_small(w, VD_SEALED_SEGMENT, &to, 1, &file);
		assert_int_equal(open_file(vd_buf_slice(&file), &with, &u), 0);
		vd_unsealer_free(u);
		vd_buf_deinit(&file);
	}
}

static void test_seal__box_keys_that_are_none(void **state)
{
	/* Curve25519's points of small order, as X25519 takes them. */
	static const uint8_t small[][VD_KEY_BYTES] = {
		{ 0 }, { 1 },
		{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
		  0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
		{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
		  0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++)
		assert_false(vd_seal_box_ok(small[i]));
	assert_true(vd_seal_box_ok(w->device.box));
	assert_true(vd_seal_box_ok(w->newcomer.box));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seal__round_trip),
		cmocka_unit_test(test_seal__bytes_are_pinned),
		cmocka_unit_test(test_seal__seed_decides_every_byte),
		cmocka_unit_test(test_seal__every_recipient_opens),
		cmocka_unit_test(test_seal__device_slot_is_a_masked_sealed_box),
		cmocka_unit_test(test_seal__link_slot_and_chunks_by_the_book),
		cmocka_unit_test(test_seal__wrong_key),
		cmocka_unit_test(test_seal__one_head_is_enough),
		cmocka_unit_test(test_seal__every_flipped_byte_is_noticed),
		cmocka_unit_test(test_seal__every_truncation),
		cmocka_unit_test(test_seal__chunks_do_not_move),
		cmocka_unit_test(test_seal__writer_refuses_what_breaks_the_plan),
		cmocka_unit_test(test_seal__plan_mirrors_the_writer),
		cmocka_unit_test(test_seal__plan_mirrors_the_writer_of_records),
		cmocka_unit_test(test_seal__chunk_entries),
		cmocka_unit_test(test_seal__manifest_is_exact),
		cmocka_unit_test(test_seal__welcome_names_its_grant),
		cmocka_unit_test(test_seal__every_flipped_byte_for_every_reader),
		cmocka_unit_test(test_seal__masks_are_bounded),
		cmocka_unit_test(test_seal__box_keys_that_are_none),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
