#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/noise.h"

enum { VECTORS = 9 };

#define E VD_NOISE_E
#define S VD_NOISE_S
#define EE VD_NOISE_EE
#define ES VD_NOISE_ES
#define SE VD_NOISE_SE
#define SS VD_NOISE_SS
#define PSK VD_NOISE_PSK

/* The patterns that somebody publishes vectors for; XXpsk0 is the library's own. */
static const struct vd_noise_pattern patterns[] = {
	{ "Noise_XX_25519_ChaChaPoly_SHA256", 0, 0, { { E }, { E, EE, S, ES }, { S, SE } }, 3 },
	{ "Noise_XXpsk3_25519_ChaChaPoly_SHA256", 0, 0, { { E }, { E, EE, S, ES }, { S, SE, PSK } }, 3 },
	{ "Noise_NNpsk0_25519_ChaChaPoly_SHA256", 0, 0, { { PSK, E }, { E, EE } }, 2 },
	{ "Noise_KKpsk0_25519_ChaChaPoly_SHA256", S, S, { { PSK, E, ES, SS }, { E, EE, SE } }, 2 },
	{ "Noise_IKpsk1_25519_ChaChaPoly_SHA256", 0, S, { { E, ES, S, SS, PSK }, { E, EE, SE } }, 2 },
	{ "Noise_XXpsk0+psk1_25519_ChaChaPoly_SHA256", 0, 0, { { PSK, E, PSK }, { E, EE, S, ES }, { S, SE } }, 3 },
	{ "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256", 0, 0, { { PSK, E }, { E, EE, S, ES }, { S, SE, PSK } }, 3 },
};

static const struct vd_noise_pattern *find_pattern(const char *name)
{
	if (strcmp(name, vd_noise_xxpsk0.name) == 0)
		return &vd_noise_xxpsk0;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (strcmp(name, patterns[i].name) == 0)
			return &patterns[i];
	fail_msg("no table for %s", name);
	return NULL;
}

static void put_hex(struct vd_buf *out, const char *hex)
{
	uint8_t raw[1024];
	size_t n;

	assert_int_equal(vd_unhex(raw, sizeof(raw), hex, &n), 0);
	vd_buf_put(out, raw, n);
}

/* A key of the vector, zero where it has none. */
static void get_key(const json_t *vector, const char *side, const char *what, uint8_t out[VD_KEY_BYTES])
{
	char name[64];
	const char *hex;
	size_t n;

	snprintf(name, sizeof(name), "%s_%s", side, what);
	hex = json_string_value(json_object_get(vector, name));
	memset(out, 0, VD_KEY_BYTES);
	if (hex)
		assert_int_equal(vd_unhex(out, VD_KEY_BYTES, hex, &n), 0);
}

static void side_init(struct vd_noise *n, const json_t *vector, bool initiator)
{
	const char *side = initiator ? "init" : "resp";
	struct vd_noise_setup setup = { .initiator = initiator };
	struct vd_buf prologue = { 0 };
	uint8_t secret[VD_KEY_BYTES];
	char name[32];
	json_t *psks;

	get_key(vector, side, "static", secret);
	vd_noise_keypair(secret, &setup.s);
	get_key(vector, side, "ephemeral", secret);
	vd_noise_keypair(secret, &setup.e);
	get_key(vector, side, "remote_static", setup.rs);
	snprintf(name, sizeof(name), "%s_psks", side);
	psks = json_object_get(vector, name);
	setup.psk_count = json_array_size(psks);
	for (size_t i = 0; i < setup.psk_count; i++) {
		size_t length;

		assert_int_equal(vd_unhex(setup.psks[i], VD_KEY_BYTES, json_string_value(json_array_get(psks, i)), &length), 0);
	}
	snprintf(name, sizeof(name), "%s_prologue", side);
	put_hex(&prologue, json_string_value(json_object_get(vector, name)));
	setup.prologue = vd_buf_slice(&prologue);
	vd_noise_init(n, find_pattern(json_string_value(json_object_get(vector, "protocol_name"))), &setup);
	vd_buf_deinit(&prologue);
}

/* Handshake messages go through vd_noise_write and read, the later ones through the ciphers of the split, in turns. */
static void run_vector(const json_t *vector)
{
	struct vd_noise sides[2]; /* initiator, responder */
	struct vd_noise_cipher send[2], receive[2];
	uint8_t hash[2][32];
	const char *expected_hash = json_string_value(json_object_get(vector, "handshake_hash"));
	size_t i, handshake = find_pattern(json_string_value(json_object_get(vector, "protocol_name")))->message_count;
	json_t *message;

	side_init(&sides[0], vector, true);
	side_init(&sides[1], vector, false);
	json_array_foreach(json_object_get(vector, "messages"), i, message) {
		struct vd_buf payload = { 0 }, expected = { 0 }, sent = { 0 }, got = { 0 };
		size_t from = i % 2, to = 1 - from;

		put_hex(&payload, json_string_value(json_object_get(message, "payload")));
		put_hex(&expected, json_string_value(json_object_get(message, "ciphertext")));
		if (i == handshake) {
			for (size_t side = 0; side < 2; side++) {
				assert_true(vd_noise_complete(&sides[side]));
				assert_int_equal(vd_noise_split(&sides[side], &send[side], &receive[side], hash[side]), 0);
			}
			assert_memory_equal(hash[0], hash[1], 32);
		}
		if (i < handshake) {
			assert_true(vd_noise_writes(&sides[from]));
			assert_false(vd_noise_writes(&sides[to]));
			assert_int_equal(vd_noise_write(&sides[from], vd_buf_slice(&payload), &sent), 0);
			assert_int_equal(vd_noise_read(&sides[to], vd_buf_slice(&sent), &got), 0);
		} else {
			assert_int_equal(vd_noise_seal(&send[from], vd_buf_slice(&payload), &sent), 0);
			assert_int_equal(vd_noise_open(&receive[to], vd_buf_slice(&sent), &got), 0);
		}
		assert_int_equal(sent.n, expected.n);
		assert_memory_equal(sent.p, expected.p, expected.n);
		assert_true(vd_slice_eq(vd_buf_slice(&got), vd_buf_slice(&payload)));
		vd_buf_deinit(&payload);
		vd_buf_deinit(&expected);
		vd_buf_deinit(&sent);
		vd_buf_deinit(&got);
	}
	if (expected_hash) {
		char hex[65];

		vd_hex(hex, hash[0], 32);
		assert_string_equal(hex, expected_hash);
	}
}

static void test_noise__published_vectors(void **state)
{
	json_error_t error;
	json_t *root = json_load_file("tests/vectors/noise.json", 0, &error), *vectors, *vector;
	size_t i;

	(void)state;
	if (!root)
		fail_msg("%s: %s (run from the top of the sources)", error.source, error.text);
	vectors = json_object_get(root, "vectors");
	assert_int_equal(json_array_size(vectors), VECTORS);
	json_array_foreach(vectors, i, vector)
		run_vector(vector);
	json_decref(root);
}

/* An XXpsk0 pair; `psk` may differ between the ends. */
static void pair_init(struct vd_noise sides[2], uint8_t psk_initiator, uint8_t psk_responder)
{
	for (uint8_t side = 0; side < 2; side++) {
		struct vd_noise_setup setup = { .initiator = side == 0, .prologue = vd_slice_str("prologue"), .psk_count = 1 };
		uint8_t secret[VD_KEY_BYTES];

		memset(secret, 0x10 + side, sizeof(secret));
		vd_noise_keypair(secret, &setup.s);
		memset(secret, 0x20 + side, sizeof(secret));
		vd_noise_keypair(secret, &setup.e);
		memset(setup.psks[0], side ? psk_responder : psk_initiator, VD_KEY_BYTES);
		vd_noise_init(&sides[side], &vd_noise_xxpsk0, &setup);
	}
}

/* Brings a pair to where `message` (0 to 2) has been written to *out, but not been read. */
static void advance(struct vd_noise sides[2], size_t message, struct vd_buf *out)
{
	struct vd_buf payload = { 0 };

	for (size_t i = 0; i <= message; i++) {
		vd_buf_reset(out);
		assert_int_equal(vd_noise_write(&sides[i % 2], vd_slice_str("payload"), out), 0);
		if (i < message)
			assert_int_equal(vd_noise_read(&sides[1 - i % 2], vd_buf_slice(out), &payload), 0);
	}
	vd_buf_deinit(&payload);
}

static void refuse(struct vd_noise *n, struct vd_slice message)
{
	struct vd_noise before = *n;
	struct vd_buf payload = { 0 };
	int rc;

	vd_buf_put_u8(&payload, 7);
	rc = vd_noise_read(n, message, &payload);
	assert_true(rc == VD_ESIGNATURE || rc == VD_EFORMAT);
	assert_memory_equal(n, &before, sizeof(before));
	assert_int_equal(payload.n, 1);
	vd_buf_deinit(&payload);
}

/* Truncated anywhere, lengthened, any bit flipped: refused, nothing changed, and the true message still passes. */
static void test_noise__damage_changes_nothing(void **state)
{
	(void)state;
	for (size_t message = 0; message < 3; message++) {
		struct vd_noise sides[2], *reader = &sides[1 - message % 2];
		struct vd_buf raw = { 0 }, payload = { 0 };

		pair_init(sides, 1, 1);
		advance(sides, message, &raw);
		for (size_t n = 0; n < raw.n; n++)
			refuse(reader, vd_slice(raw.p, n));
		for (size_t bit = 0; bit < raw.n * 8; bit++) {
			raw.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			/* X25519 ignores the top bit of a point, but the transcript does not. */
			refuse(reader, vd_buf_slice(&raw));
			raw.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		vd_buf_put_u8(&raw, 0);
		refuse(reader, vd_buf_slice(&raw));
		raw.n--;
		assert_int_equal(vd_noise_read(reader, vd_buf_slice(&raw), &payload), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&payload), vd_slice_str("payload")));
		vd_buf_deinit(&raw);
		vd_buf_deinit(&payload);
	}
}

static void test_noise__another_psk_is_refused(void **state)
{
	struct vd_noise sides[2];
	struct vd_buf raw = { 0 };

	(void)state;
	pair_init(sides, 1, 2);
	advance(sides, 0, &raw);
	refuse(&sides[1], vd_buf_slice(&raw));
	vd_buf_deinit(&raw);
}

static void test_noise__out_of_turn(void **state)
{
	struct vd_noise sides[2];
	struct vd_noise_cipher send, receive;
	struct vd_buf raw = { 0 };
	uint8_t hash[32];

	(void)state;
	pair_init(sides, 1, 1);
	assert_int_equal(vd_noise_write(&sides[1], vd_slice(NULL, 0), &raw), VD_EINVAL);
	assert_int_equal(vd_noise_read(&sides[0], vd_slice_str("x"), &raw), VD_EINVAL);
	assert_int_equal(vd_noise_split(&sides[0], &send, &receive, hash), VD_EINVAL);
	advance(sides, 2, &raw);
	assert_true(vd_noise_complete(&sides[0]));
	assert_false(vd_noise_complete(&sides[1]));
	assert_int_equal(vd_noise_write(&sides[0], vd_slice(NULL, 0), &raw), VD_EINVAL);
	vd_noise_wipe(&sides[0]);
	assert_true(sodium_is_zero((uint8_t *)&sides[0], sizeof(sides[0])));
	assert_int_equal(vd_noise_read(&sides[0], vd_buf_slice(&raw), &raw), VD_EINVAL);
	vd_buf_deinit(&raw);
}

/* Points of small order give an all-zero secret: known to anyone, so refused. */
static void test_noise__small_order_point(void **state)
{
	static const char *points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	static const struct vd_noise_pattern nn = { "Noise_NN_25519_ChaChaPoly_SHA256", 0, 0, { { E }, { E, EE } }, 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		struct vd_noise_setup setup = { .initiator = true };
		struct vd_noise n;
		struct vd_buf raw = { 0 };
		uint8_t secret[VD_KEY_BYTES] = { 5 };

		vd_noise_keypair(secret, &setup.e);
		vd_noise_init(&n, &nn, &setup);
		assert_int_equal(vd_noise_write(&n, vd_slice(NULL, 0), &raw), 0);
		vd_buf_reset(&raw);
		put_hex(&raw, points[i]);
		for (int t = 0; t < 16; t++)
			vd_buf_put_u8(&raw, 0);
		refuse(&n, vd_buf_slice(&raw));
		assert_int_equal(n.message, 1);

		/* As the responder we read it without computing on it, and stop when it is to be used. */
		setup.initiator = false;
		vd_noise_init(&n, &nn, &setup);
		assert_int_equal(vd_noise_read(&n, vd_slice(raw.p, VD_KEY_BYTES), &raw), 0);
		vd_buf_reset(&raw);
		assert_int_equal(vd_noise_write(&n, vd_slice(NULL, 0), &raw), VD_EFORMAT);
		assert_int_equal(raw.n, 0);
		vd_buf_deinit(&raw);
	}
}

static void test_noise__sizes_on_the_wire(void **state)
{
	static const size_t sizes[] = { 48, 96, 64 };
	struct vd_noise sides[2];
	struct vd_buf raw = { 0 }, payload = { 0 };

	(void)state;
	pair_init(sides, 1, 1);
	for (size_t i = 0; i < 3; i++) {
		vd_buf_reset(&raw);
		assert_int_equal(vd_noise_write(&sides[i % 2], vd_slice(NULL, 0), &raw), 0);
		assert_int_equal(raw.n, sizes[i]);
		assert_int_equal(vd_noise_read(&sides[1 - i % 2], vd_buf_slice(&raw), &payload), 0);
		assert_int_equal(payload.n, 0);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&payload);
}

static void test_noise__largest_message(void **state)
{
	struct vd_noise sides[2];
	struct vd_buf big = { 0 }, raw = { 0 }, payload = { 0 };

	(void)state;
	memset(vd_buf_extend(&big, VD_FRAME_MAX - 47), 'x', VD_FRAME_MAX - 47);
	pair_init(sides, 1, 1);
	assert_int_equal(vd_noise_write(&sides[0], vd_buf_slice(&big), &raw), VD_ECAP);
	assert_int_equal(raw.n, 0);
	big.n--;
	assert_int_equal(vd_noise_write(&sides[0], vd_buf_slice(&big), &raw), 0);
	assert_int_equal(raw.n, VD_FRAME_MAX);
	assert_int_equal(vd_noise_read(&sides[1], vd_buf_slice(&raw), &payload), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&payload), vd_buf_slice(&big)));
	vd_buf_deinit(&big);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&payload);
}

static void split_pair(struct vd_noise_cipher *send, struct vd_noise_cipher *receive)
{
	struct vd_noise sides[2];
	struct vd_buf raw = { 0 }, payload = { 0 };
	struct vd_noise_cipher back;
	uint8_t hash[32];

	pair_init(sides, 1, 1);
	advance(sides, 2, &raw);
	assert_int_equal(vd_noise_read(&sides[1], vd_buf_slice(&raw), &payload), 0);
	assert_int_equal(vd_noise_split(&sides[0], send, &back, hash), 0);
	assert_memory_not_equal(send->key, back.key, sizeof(back.key));
	assert_int_equal(vd_noise_split(&sides[1], &back, receive, hash), 0);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&payload);
}

static void test_noise__transport_damage_replay_and_order(void **state)
{
	struct vd_noise_cipher send, receive;
	struct vd_buf one = { 0 }, two = { 0 }, plain = { 0 };

	(void)state;
	split_pair(&send, &receive);
	assert_int_equal(vd_noise_seal(&send, vd_slice_str("one"), &one), 0);
	assert_int_equal(vd_noise_seal(&send, vd_slice_str("two"), &two), 0);
	assert_int_equal(one.n, 3 + 16);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&two), &plain), VD_ESIGNATURE);
	for (size_t n = 0; n < one.n; n++)
		assert_int_equal(vd_noise_open(&receive, vd_slice(one.p, n), &plain), n < 16 ? VD_EFORMAT : VD_ESIGNATURE);
	for (size_t i = 0; i < one.n; i++) {
		one.p[i] ^= 0x80;
		assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&one), &plain), VD_ESIGNATURE);
		one.p[i] ^= 0x80;
	}
	assert_int_equal(plain.n, 0);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&one), &plain), 0);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&one), &plain), VD_ESIGNATURE);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&two), &plain), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&plain), vd_slice_str("onetwo")));
	vd_buf_deinit(&one);
	vd_buf_deinit(&two);
	vd_buf_deinit(&plain);
}

static void test_noise__nonce_never_wraps(void **state)
{
	struct vd_noise_cipher send, receive;
	struct vd_buf raw = { 0 }, plain = { 0 };

	(void)state;
	split_pair(&send, &receive);
	send.nonce = receive.nonce = UINT64_MAX - 1;
	assert_int_equal(vd_noise_seal(&send, vd_slice_str("last"), &raw), 0);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&raw), &plain), 0);
	assert_int_equal(vd_noise_seal(&send, vd_slice_str("over"), &raw), VD_ECAP);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&raw), &plain), VD_ECAP);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&plain);
}

static void test_noise__transport_largest_frame(void **state)
{
	struct vd_noise_cipher send, receive;
	struct vd_buf big = { 0 }, raw = { 0 }, plain = { 0 };

	(void)state;
	split_pair(&send, &receive);
	memset(vd_buf_extend(&big, VD_FRAME_MAX - 15), 'x', VD_FRAME_MAX - 15);
	assert_int_equal(vd_noise_seal(&send, vd_buf_slice(&big), &raw), VD_ECAP);
	assert_int_equal(raw.n, 0);
	big.n--;
	assert_int_equal(vd_noise_seal(&send, vd_buf_slice(&big), &raw), 0);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&raw), &plain), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&plain), vd_buf_slice(&big)));
	vd_buf_put_u8(&raw, 0);
	assert_int_equal(vd_noise_open(&receive, vd_buf_slice(&raw), &plain), VD_EFORMAT);
	vd_buf_deinit(&big);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise__published_vectors),
		cmocka_unit_test(test_noise__damage_changes_nothing),
		cmocka_unit_test(test_noise__another_psk_is_refused),
		cmocka_unit_test(test_noise__out_of_turn),
		cmocka_unit_test(test_noise__small_order_point),
		cmocka_unit_test(test_noise__sizes_on_the_wire),
		cmocka_unit_test(test_noise__largest_message),
		cmocka_unit_test(test_noise__transport_damage_replay_and_order),
		cmocka_unit_test(test_noise__nonce_never_wraps),
		cmocka_unit_test(test_noise__transport_largest_frame),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
