#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "proto/digest.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "proto/sketch.h"

enum { SYMBOLS = 17 * VD_SKETCH_BLOCK };

static const uint8_t salt[VD_SALT_BYTES] = { 1, 2, 3 };

static struct vd_item numbered(uint32_t n)
{
	struct vd_item item;
	struct vd_id id;
	uint8_t raw[4];

	vd_set_u32(raw, n);
	vd_hash1(VD_HASH_RECORD_ID, id.b, vd_slice(raw, sizeof(raw)));
	vd_item_of(salt, &id, &item);
	return item;
}

static void fill(struct vd_symbol *s, uint32_t from, uint32_t to)
{
	for (uint32_t i = from; i < to; i++) {
		struct vd_item item = numbered(i);

		vd_sketch_apply(s, 0, SYMBOLS, &item, 1);
	}
}

/* Symbols needed to decode, fed 8 at a time. */
static size_t decode(struct vd_peeler *p, const struct vd_symbol *theirs, const struct vd_symbol *ours)
{
	size_t n = 0;

	while (!vd_peeler_done(p) && n < SYMBOLS) {
		assert_int_equal(vd_peeler_add(p, theirs + n, ours + n, 8), VD_OK);
		n += 8;
	}
	return n;
}

static void test_sketch__finds_both_sides(void **state)
{
	struct vd_symbol *a = calloc(SYMBOLS, sizeof(*a)), *b = calloc(SYMBOLS, sizeof(*b));
	struct vd_peeler *p = vd_peeler_new(SYMBOLS);
	bool seen[2000] = { false };
	size_t used;

	(void)state;
	/* a: 0..1300, b: 200..1350: 200 only a's, 50 only b's */
	fill(a, 0, 1300);
	fill(b, 200, 1350);
	used = decode(p, a, b);
	assert_true(vd_peeler_done(p));
	assert_int_equal(vd_peeler_found(p), 250);
	assert_in_range(used, 250, 2 * 250);
	for (size_t i = 0; i < vd_peeler_found(p); i++) {
		int sign;
		const struct vd_item *item = vd_peeler_item(p, i, &sign);
		uint32_t k = sign > 0 ? 0 : 1300;
		uint32_t end = sign > 0 ? 200 : 1350;

		for (; k < end; k++) {
			struct vd_item x = numbered(k);

			if (memcmp(&x, item, sizeof(x)) == 0)
				break;
		}
		assert_true(k < end);
		assert_false(seen[k]);
		seen[k] = true;
	}
	vd_peeler_free(p);
	free(a);
	free(b);
}

static void test_sketch__equal_sets_are_done_at_once(void **state)
{
	struct vd_symbol *a = calloc(SYMBOLS, sizeof(*a));
	struct vd_peeler *p = vd_peeler_new(SYMBOLS);

	(void)state;
	fill(a, 0, 100);
	assert_false(vd_peeler_done(p));
	assert_int_equal(vd_peeler_add(p, a, a, 1), VD_OK);
	assert_true(vd_peeler_done(p));
	assert_int_equal(vd_peeler_found(p), 0);
	vd_peeler_free(p);
	free(a);
}

static void test_sketch__removing_undoes(void **state)
{
	static struct vd_symbol a[SYMBOLS], zero[SYMBOLS];

	(void)state;
	for (int sign = 1; sign >= -1; sign -= 2)
		for (uint32_t i = 0; i < 10; i++) {
			struct vd_item item = numbered(i);

			vd_sketch_apply(a, 0, SYMBOLS, &item, sign);
			assert_int_equal(memcmp(a, zero, sizeof(a)) == 0, sign < 0 && i == 9);
		}
}

/* Blocks kept apart, as a store keeps them, are the same as one run. */
static void test_sketch__windows_agree(void **state)
{
	static struct vd_symbol whole[SYMBOLS], blocks[SYMBOLS];

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		struct vd_item item = numbered(i);

		vd_sketch_apply(whole, 0, SYMBOLS, &item, 1);
		for (uint64_t first = 0; first < SYMBOLS; first += VD_SKETCH_BLOCK)
			vd_sketch_apply(blocks + first, first, VD_SKETCH_BLOCK, &item, 1);
	}
	assert_memory_equal(whole, blocks, sizeof(whole));
}

/* The mapping is part of the protocol: indexes of one fixed item, as IEEE doubles give them. */
static void test_sketch__mapping_vector(void **state)
{
	static const uint64_t expected[] = { 0, 2, 4, 5, 19, 104, 180, 183, 264, 421, 710, 1060 };
	struct vd_item item = { { 0x80, 9, 0xa2, 11, 12, 13, 14, 15 } };
	struct vd_mapping m = vd_mapping_start(&item);

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++, vd_mapping_next(&m))
		assert_int_equal(m.index, expected[i]);
}

/* From an independent implementation: item, check, and a symbol of count 7 at place 10 for a set of 100. */
static void test_sketch__item_vector(void **state)
{
	static const char expected[] = "316ea69eda18c8e55a2b14e511";
	uint8_t key[VD_SALT_BYTES];
	struct vd_symbol symbol = { .count = 7 };
	struct vd_buf wire = { 0 };
	struct vd_item item;
	struct vd_id id;
	char hex[2 * (VD_ITEM_BYTES + 5) + 1];

	(void)state;
	for (uint8_t i = 0; i < 32; i++) {
		key[i] = i;
		id.b[i] = (uint8_t)(32 + i);
	}
	vd_item_of(key, &id, &item);
	memcpy(symbol.sum, item.b, sizeof(symbol.sum));
	symbol.check = vd_item_check(&item);
	vd_symbol_encode(&symbol, 10, 100, &wire);
	assert_int_equal(wire.n, VD_ITEM_BYTES + 5);
	vd_hex(hex, wire.p, wire.n);
	assert_string_equal(hex, expected);
	vd_buf_deinit(&wire);
}

/* From tests/vectors/sketch.py: the digest of 500 ids, and 300 of their symbols as on the wire. */
static void test_sketch__set_vector(void **state)
{
	static const char digest_hex[] = "8c33e4c05aa3bb9b2a95ff930111126b15a9747933adcf00d2a8736ef8414ac7";
	static const char symbols_hex[] = "d9ccf8f6a64d0db35d6043e771192e81b84b9972f7530793cc62f7c69a55a0b7";
	static struct vd_symbol symbols[300];
	struct vd_digest digest = { 0 };
	struct vd_buf wire = { 0 };
	uint8_t key[VD_SALT_BYTES], hash[VD_HASH_BYTES], none[VD_HASH_BYTES] = { 0 };
	char hex[2 * VD_HASH_BYTES + 1];

	(void)state;
	vd_digest_hash(&digest, hash);
	assert_memory_equal(hash, none, sizeof(hash));
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (int i = 0; i < 500; i++) {
		char name[16];
		struct vd_item item;
		struct vd_id id;
		size_t n = (size_t)snprintf(name, sizeof(name), "record %d", i);

		crypto_generichash(id.b, sizeof(id.b), (const uint8_t *)name, n, NULL, 0);
		vd_digest_add(&digest, &id);
		vd_item_of(key, &id, &item);
		vd_sketch_apply(symbols, 0, 300, &item, 1);
	}
	for (uint64_t i = 0; i < 300; i++)
		vd_symbol_encode(&symbols[i], i, 500, &wire);
	vd_digest_hash(&digest, hash);
	vd_hex(hex, hash, sizeof(hash));
	assert_string_equal(hex, digest_hex);
	crypto_generichash(hash, sizeof(hash), wire.p, wire.n, NULL, 0);
	vd_hex(hex, hash, sizeof(hash));
	assert_string_equal(hex, symbols_hex);
	vd_buf_deinit(&wire);
}

static void test_sketch__mapping_is_as_dense_as_promised(void **state)
{
	uint32_t in[64] = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 20000; i++) {
		struct vd_item item = numbered(i);

		for (struct vd_mapping m = vd_mapping_start(&item); m.index < 64; vd_mapping_next(&m))
			in[m.index]++;
	}
	for (uint32_t i = 0; i < 64; i++)
		assert_in_range(in[i], 20000 * 2 / (i + 2) * 9 / 10, 20000 * 2 / (i + 2) * 11 / 10 + 1);
}

static void test_sketch__mapping_always_moves_and_saturates(void **state)
{
	struct vd_mapping stuck = { 0, 0 };

	(void)state;
	for (int i = 0; i < 40; i++) {
		uint64_t before = stuck.index;

		vd_mapping_next(&stuck);
		assert_true(stuck.index > before || stuck.index == UINT64_MAX);
	}
	assert_int_equal(stuck.index, UINT64_MAX);
}

static void test_sketch__symbols_on_the_wire(void **state)
{
	static const int32_t counts[] = { 0, 1, -1, 63, -64, 100000, INT32_MAX, INT32_MIN };
	static const uint64_t sets[] = { 0, 1, 100000, UINT64_MAX };

	(void)state;
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++)
			for (uint64_t index = 0; index < 300; index += 99) {
				struct vd_symbol in = { .check = 0xdeadbeef, .count = counts[c] }, out;
				struct vd_buf b = { 0 };
				struct vd_rd r;

				memset(in.sum, 0x5a, sizeof(in.sum));
				vd_symbol_encode(&in, index, sets[s], &b);
				for (size_t cut = 0; cut < b.n; cut++) {
					r = vd_rd(vd_slice(b.p, cut));
					vd_symbol_decode(&r, index, sets[s], &out);
					assert_int_equal(vd_rd_end(&r), VD_EFORMAT);
				}
				r = vd_rd(vd_buf_slice(&b));
				vd_symbol_decode(&r, index, sets[s], &out);
				assert_int_equal(vd_rd_end(&r), VD_OK);
				assert_memory_equal(&in, &out, sizeof(in));
				vd_buf_deinit(&b);
			}
}

static void test_sketch__a_count_of_an_expected_size_takes_one_byte(void **state)
{
	struct vd_symbol in = { .count = 2 * 100000 / 102 + 60 };
	struct vd_buf b = { 0 };

	(void)state;
	vd_symbol_encode(&in, 100, 100000, &b);
	assert_int_equal(b.n, VD_ITEM_BYTES + 4 + 1);
	vd_buf_deinit(&b);
}

/* What most syncs go by: of a difference however divided, an estimate, and a burst that nine of ten times does. */
static void test_sketch__estimated_bursts_mostly_suffice(void **state)
{
	static const struct {
		uint32_t only_a, only_b;
	} cases[] = { { 1, 0 }, { 1, 1 }, { 3, 2 }, { 10, 0 }, { 5, 5 }, { 30, 0 }, { 50, 50 }, { 20, 200 }, { 500, 500 } };
	static struct vd_symbol a[SYMBOLS], b[SYMBOLS];

	(void)state;
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		uint32_t only_a = cases[k].only_a, only_b = cases[k].only_b, trials = only_a + only_b < 200 ? 100 : 30, decoded = 0;
		double estimates = 0, bytes = 0;

		for (uint32_t t = 0; t < trials; t++) {
			uint32_t from = t * 10000;
			uint8_t x[VD_ESTIMATES], y[VD_ESTIMATES];
			struct vd_peeler *p = vd_peeler_new(SYMBOLS);
			uint64_t d, burst;

			memset(a, 0, sizeof(a));
			memset(b, 0, sizeof(b));
			fill(a, from, from + 60 + only_a);
			fill(b, from, from + 60);
			fill(b, from + 5000, from + 5000 + only_b);
			for (size_t i = 0; i < VD_ESTIMATES; i++) {
				x[i] = (uint8_t)a[VD_ESTIMATE_AT + i].count;
				y[i] = (uint8_t)b[VD_ESTIMATE_AT + i].count;
			}
			d = vd_sketch_estimate(x, y, VD_ESTIMATES, 60 + only_a, 60 + only_b);
			assert_true(d >= (only_a > only_b ? only_a - only_b : only_b - only_a));
			burst = vd_sketch_burst_for(d);
			assert_in_range(burst, 1, SYMBOLS);
			assert_int_equal(vd_peeler_add(p, a, b, (size_t)burst), VD_OK);
			decoded += vd_peeler_done(p);
			estimates += (double)d;
			bytes += (double)burst * VD_SYMBOL_BYTES;
			vd_peeler_free(p);
		}
		assert_in_range(decoded, trials * 9 / 10, trials);
		assert_in_range((uint64_t)(estimates / trials), (only_a + only_b) * 8 / 10, (only_a + only_b) * 13 / 10 + 1);
		assert_in_range((uint64_t)(bytes / trials), 0, 230 + 34 * (only_a + only_b));
	}
}

/* A peer may send whatever it likes: symbols that look pure and are mapped elsewhere set each other off again and again. The
 * decoder always ends, with no more items than symbols, and some of these sketches it has to cut off. */
static void test_sketch__jammed_sketches_end(void **state)
{
	enum { N = 12, ITEMS = 6 };
	struct vd_symbol lies[N], none[N];
	uint32_t random = 1;
	int cut_off = 0;

	(void)state;
	memset(none, 0, sizeof(none));
	for (int t = 0; t < 20000; t++) {
		struct vd_peeler *p = vd_peeler_new(N);
		int rc;

		memset(lies, 0, sizeof(lies));
		for (size_t i = 0; i < N; i++)
			for (uint32_t k = 0; k < ITEMS; k++) {
				struct vd_item item = numbered(k);

				random = random * 1664525 + 1013904223;
				if (random >> 30)
					continue;
				for (size_t b = 0; b < sizeof(item.b); b++)
					lies[i].sum[b] ^= item.b[b];
				lies[i].check ^= vd_item_check(&item);
				lies[i].count += random >> 29 & 1 ? 1 : -1;
			}
		rc = vd_peeler_add(p, lies, none, N);
		assert_true(rc == VD_OK || rc == VD_EFORMAT);
		assert_true(vd_peeler_found(p) <= N);
		cut_off += rc == VD_EFORMAT;
		vd_peeler_free(p);
	}
	assert_true(cut_off > 0);
}

static void test_sketch__cap_holds(void **state)
{
	static struct vd_symbol a[SYMBOLS], none[SYMBOLS];
	struct vd_peeler *p = vd_peeler_new(100);

	(void)state;
	fill(a, 0, 500);
	assert_int_equal(vd_peeler_add(p, a, none, 100), VD_OK);
	assert_int_equal(vd_peeler_add(p, a + 100, none, 1), VD_ECAP);
	assert_int_equal(vd_peeler_symbols(p), 100);
	vd_peeler_free(p);
}

static void test_sketch__planned_symbols_mostly_suffice(void **state)
{
	static const uint32_t sizes[] = { 1, 3, 10, 30, 100, 300, 1000 };
	static struct vd_symbol a[SYMBOLS], none[SYMBOLS];

	(void)state;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		int decoded = 0;

		for (uint32_t t = 0; t < 30; t++) {
			struct vd_peeler *p = vd_peeler_new(SYMBOLS);
			size_t n = (size_t)vd_sketch_symbols_for(sizes[s]);

			memset(a, 0, sizeof(a));
			fill(a, t * 5000, t * 5000 + sizes[s]);
			assert_int_equal(vd_peeler_add(p, a, none, n), VD_OK);
			decoded += vd_peeler_done(p);
			if (sizes[s] >= 30)
				assert_in_range(vd_peeler_found(p) + vd_peeler_rest(p), sizes[s] / 2, sizes[s] * 2);
			vd_peeler_free(p);
		}
		assert_in_range(decoded, 24, 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sketch__finds_both_sides),
		cmocka_unit_test(test_sketch__equal_sets_are_done_at_once),
		cmocka_unit_test(test_sketch__removing_undoes),
		cmocka_unit_test(test_sketch__windows_agree),
		cmocka_unit_test(test_sketch__mapping_vector),
		cmocka_unit_test(test_sketch__item_vector),
		cmocka_unit_test(test_sketch__set_vector),
		cmocka_unit_test(test_sketch__mapping_is_as_dense_as_promised),
		cmocka_unit_test(test_sketch__mapping_always_moves_and_saturates),
		cmocka_unit_test(test_sketch__symbols_on_the_wire),
		cmocka_unit_test(test_sketch__a_count_of_an_expected_size_takes_one_byte),
		cmocka_unit_test(test_sketch__estimated_bursts_mostly_suffice),
		cmocka_unit_test(test_sketch__jammed_sketches_end),
		cmocka_unit_test(test_sketch__cap_holds),
		cmocka_unit_test(test_sketch__planned_symbols_mostly_suffice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
