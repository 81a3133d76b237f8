/* Input: u8 (bit 0: the reader initiates; bits 1, 2: messages exchanged honestly before) ‖ one handshake or transport message.
 * Nothing but the honest message is taken, a refusal changes nothing, and the honest message passes afterwards. */
#include <sodium.h>
#include <string.h>

#include "proto/noise.h"
#include "tests/fuzz/fuzz.h"

static struct vd_noise sides[2];
static struct vd_noise_cipher send[2], receive[2];

static void start(void)
{
	for (uint8_t side = 0; side < 2; side++) {
		struct vd_noise_setup setup = { .initiator = side == 0, .prologue = vd_slice_str("prologue"), .psk_count = 1 };
		uint8_t secret[VD_KEY_BYTES];

		memset(secret, 1 + side, sizeof(secret));
		vd_noise_keypair(secret, &setup.s);
		memset(secret, 3 + side, sizeof(secret));
		vd_noise_keypair(secret, &setup.e);
		vd_noise_init(&sides[side], &vd_noise_xxpsk0, &setup);
	}
}

static void feed_handshake(struct vd_noise *reader, struct vd_slice honest, struct vd_slice input)
{
	struct vd_noise before = *reader;
	struct vd_buf payload = { 0 };
	int rc = vd_noise_read(reader, input, &payload);

	FUZZ_CHECK((rc == 0) == vd_slice_eq(honest, input));
	if (rc) {
		FUZZ_CHECK(memcmp(reader, &before, sizeof(before)) == 0);
		FUZZ_CHECK(payload.n == 0);
		FUZZ_CHECK(vd_noise_read(reader, honest, &payload) == 0);
	}
	FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&payload), vd_slice_str("payload")));
	vd_buf_deinit(&payload);
}

static void feed_transport(size_t from, struct vd_slice input)
{
	struct vd_buf honest = { 0 }, plain = { 0 };
	uint8_t hash[2][32];
	int rc;

	for (size_t i = 0; i < 2; i++)
		FUZZ_CHECK(vd_noise_split(&sides[i], &send[i], &receive[i], hash[i]) == 0);
	FUZZ_CHECK(memcmp(hash[0], hash[1], 32) == 0);
	FUZZ_CHECK(vd_noise_seal(&send[from], vd_slice_str("frame"), &honest) == 0);
	rc = vd_noise_open(&receive[1 - from], input, &plain);
	FUZZ_CHECK((rc == 0) == vd_slice_eq(vd_buf_slice(&honest), input));
	if (rc)
		FUZZ_CHECK(plain.n == 0 && vd_noise_open(&receive[1 - from], vd_buf_slice(&honest), &plain) == 0);
	FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&plain), vd_slice_str("frame")));
	vd_buf_deinit(&honest);
	vd_buf_deinit(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_buf message = { 0 }, payload = { 0 };
	struct vd_slice input;
	size_t honest;

	if (!size || sodium_init() < 0)
		return 0;
	input = vd_slice(data + 1, size - 1);
	honest = data[0] >> 1 & 3;
	start();
	for (size_t i = 0; i < honest; i++) {
		vd_buf_reset(&message);
		vd_buf_reset(&payload);
		FUZZ_CHECK(vd_noise_write(&sides[i % 2], vd_slice_str("payload"), &message) == 0);
		FUZZ_CHECK(vd_noise_read(&sides[1 - i % 2], vd_buf_slice(&message), &payload) == 0);
	}
	vd_buf_reset(&message);
	if (honest == 3) {
		feed_transport(data[0] & 1, input);
	} else {
		FUZZ_CHECK(vd_noise_write(&sides[honest % 2], vd_slice_str("payload"), &message) == 0);
		feed_handshake(&sides[1 - honest % 2], vd_buf_slice(&message), input);
	}
	vd_buf_deinit(&message);
	vd_buf_deinit(&payload);
	return 0;
}
