#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "proto/beacon.h"
#include "proto/err.h"

enum { KEYS = 10 };

static const uint8_t v4[4] = { 192, 0, 2, 7 };
static const uint8_t v6[16] = { 0xfe, 0x80, [15] = 1 };
static uint8_t links[KEYS][VD_KEY_BYTES];
static uint8_t seed[VD_BEACON_SEED_BYTES];

static int setup(void **state)
{
	static const uint8_t secret[randombytes_SEEDBYTES] = { 1 };

	(void)state;
	for (uint8_t i = 0; i < KEYS; i++)
		memset(links[i], 0x40 + i, VD_KEY_BYTES);
	randombytes_buf_deterministic(seed, sizeof(seed), secret);
	return 0;
}

static int match(const uint8_t *packet, size_t first, size_t count, struct vd_slice address, size_t *index)
{
	uint16_t port = 0;
	int rc = vd_beacon_match(vd_slice(packet, VD_BEACON_BYTES), (const uint8_t(*)[VD_KEY_BYTES])links + first, count, address,
	                         &port, index);

	assert_int_equal(port, rc ? 0 : 4711);
	return rc;
}

static void create(size_t count, struct vd_slice address, uint8_t *packet)
{
	vd_beacon_create((const uint8_t(*)[VD_KEY_BYTES])links, count, address, 4711, seed, packet);
}

static void test_beacon__members_recognise_it(void **state)
{
	const struct vd_slice addresses[] = { vd_slice(v4, 4), vd_slice(v6, 16) };
	uint8_t packet[VD_BEACON_BYTES];

	(void)state;
	for (size_t a = 0; a < 2; a++) {
		for (size_t count = 0; count <= KEYS; count++) {
			create(count, addresses[a], packet);
			for (size_t i = 0; i < KEYS; i++) {
				size_t index = 99;
				int rc = match(packet, i, 1, addresses[a], &index);

				assert_int_equal(rc, i < count && i < VD_BEACON_TAGS ? 0 : VD_ENOTFOUND);
				assert_int_equal(index, rc ? 99 : 0);
			}
		}
	}
}

static void test_beacon__first_of_our_keys(void **state)
{
	uint8_t packet[VD_BEACON_BYTES];
	size_t index = 99;

	(void)state;
	create(2, vd_slice(v4, 4), packet);
	assert_int_equal(match(packet, 0, KEYS, vd_slice(v4, 4), &index), 0);
	assert_int_equal(index, 0);
	assert_int_equal(match(packet, 1, KEYS - 1, vd_slice(v4, 4), &index), 0);
	assert_int_equal(index, 0);
	assert_int_equal(match(packet, 2, KEYS - 2, vd_slice(v4, 4), &index), VD_ENOTFOUND);
	assert_int_equal(match(packet, 0, 0, vd_slice(v4, 4), &index), VD_ENOTFOUND);
}

/* Sent again from elsewhere, or with another port or nonce, it says nothing to anyone. */
static void test_beacon__bound_to_address_port_and_nonce(void **state)
{
	uint8_t packet[VD_BEACON_BYTES], other4[4] = { 192, 0, 2, 8 };
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 7 };
	size_t index;

	(void)state;
	create(1, vd_slice(v4, 4), packet);
	assert_int_equal(match(packet, 0, 1, vd_slice(other4, 4), &index), VD_ENOTFOUND);
	assert_int_equal(match(packet, 0, 1, vd_slice(mapped, 16), &index), VD_ENOTFOUND);
	for (size_t i = 0; i < 18; i++) {
		packet[i] ^= 1;
		assert_int_equal(match(packet, 0, 1, vd_slice(v4, 4), &index), VD_ENOTFOUND);
		packet[i] ^= 1;
	}
	assert_int_equal(match(packet, 0, 1, vd_slice(v4, 4), &index), 0);
}

/* As many bytes as the hex has, at most `cap`. */
static size_t get_hex(const json_t *object, const char *name, uint8_t *out, size_t cap)
{
	size_t n = 0;

	assert_int_equal(vd_unhex(out, cap, json_string_value(json_object_get(object, name)), &n), 0);
	return n;
}

/* The same bytes as tests/vectors/link.py computes from the specification. */
static void test_beacon__vectors(void **state)
{
	json_t *root = json_load_file("tests/vectors/link.json", 0, NULL), *beacon;
	size_t i;

	(void)state;
	assert_int_equal(json_array_size(json_object_get(root, "beacons")), 10);
	json_array_foreach(json_object_get(root, "beacons"), i, beacon) {
		json_t *keys = json_object_get(beacon, "link_keys");
		uint8_t address[16], packet[VD_BEACON_BYTES], expected[VD_BEACON_BYTES];
		size_t n = get_hex(beacon, "address", address, sizeof(address));

		assert_int_equal(get_hex(beacon, "seed", seed, sizeof(seed)), sizeof(seed));
		assert_int_equal(get_hex(beacon, "packet", expected, sizeof(expected)), sizeof(expected));
		for (size_t k = 0; k < json_array_size(keys); k++) {
			char hex[2 * VD_KEY_BYTES + 1];

			vd_hex(hex, links[k], VD_KEY_BYTES);
			assert_string_equal(hex, json_string_value(json_array_get(keys, k)));
		}
		create(json_array_size(keys), vd_slice(address, n), packet);
		assert_memory_equal(packet, expected, sizeof(expected));
	}
	json_decref(root);
}

/* Every place is used about equally often: which one a tag stands in tells nothing. */
static void test_beacon__places(void **state)
{
	enum { RUNS = 4000 };
	size_t seen[VD_BEACON_TAGS][VD_BEACON_TAGS] = { { 0 } };
	uint8_t packet[VD_BEACON_BYTES], decoys[VD_BEACON_BYTES];

	(void)state;
	for (uint32_t run = 0; run < RUNS; run++) {
		uint8_t fresh[randombytes_SEEDBYTES] = { 2 };

		vd_set_u32(fresh + 4, run);
		randombytes_buf_deterministic(seed, sizeof(seed), fresh);
		create(0, vd_slice(v4, 4), decoys);
		/* Key i alone stands where key i stands among all. */
		create(VD_BEACON_TAGS, vd_slice(v4, 4), packet);
		for (size_t t = 0; t < VD_BEACON_TAGS; t++) {
			uint8_t one[VD_BEACON_BYTES];
			size_t key = VD_BEACON_TAGS, index;

			memcpy(one, decoys, sizeof(one));
			memcpy(one + 18 + 8 * t, packet + 18 + 8 * t, 8);
			assert_int_equal(match(one, 0, VD_BEACON_TAGS, vd_slice(v4, 4), &key), 0);
			assert_int_equal(match(decoys, 0, VD_BEACON_TAGS, vd_slice(v4, 4), &index), VD_ENOTFOUND);
			seen[key][t]++;
		}
	}
	for (size_t key = 0; key < VD_BEACON_TAGS; key++)
		for (size_t t = 0; t < VD_BEACON_TAGS; t++)
			assert_in_range(seen[key][t], RUNS / 8 * 3 / 4, RUNS / 8 * 5 / 4);
}

static void test_beacon__malformed(void **state)
{
	uint8_t packet[VD_BEACON_BYTES + 1] = { 0 };
	uint16_t port = 5;
	size_t index = 6;

	(void)state;
	create(1, vd_slice(v4, 4), packet);
	for (size_t n = 0; n <= sizeof(packet); n++) {
		if (n != VD_BEACON_BYTES)
			assert_int_equal(vd_beacon_match(vd_slice(packet, n), (const uint8_t(*)[VD_KEY_BYTES])links, 1,
			                                 vd_slice(v4, 4), &port, &index), VD_EFORMAT);
	}
	for (size_t n = 0; n <= 16; n++) {
		if (n != 4 && n != 16)
			assert_int_equal(vd_beacon_match(vd_slice(packet, VD_BEACON_BYTES), (const uint8_t(*)[VD_KEY_BYTES])links, 1,
			                                 vd_slice(v6, n), &port, &index), VD_EINVAL);
	}
	vd_beacon_create((const uint8_t(*)[VD_KEY_BYTES])links, 1, vd_slice(v4, 4), 0, seed, packet);
	assert_int_equal(vd_beacon_match(vd_slice(packet, VD_BEACON_BYTES), (const uint8_t(*)[VD_KEY_BYTES])links, 1,
	                                 vd_slice(v4, 4), &port, &index), VD_EFORMAT);
	assert_int_equal(port, 5);
	assert_int_equal(index, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_beacon__members_recognise_it, setup),
		cmocka_unit_test_setup(test_beacon__first_of_our_keys, setup),
		cmocka_unit_test_setup(test_beacon__bound_to_address_port_and_nonce, setup),
		cmocka_unit_test_setup(test_beacon__vectors, setup),
		cmocka_unit_test_setup(test_beacon__places, setup),
		cmocka_unit_test_setup(test_beacon__malformed, setup),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
