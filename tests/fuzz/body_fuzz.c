/* Input: u8 mode ‖ bytes. 0: an envelope; 1: content; 2: the plaintext of an envelope whose MAC holds. */
#include <string.h>

#include "proto/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/body_forge.h"

static const uint8_t key[VD_KEY_BYTES] = { 1 }, epoch[VD_EPOCH_BYTES] = { 2 }, nonce[VD_BODY_NONCE_BYTES] = { 3 };
static const struct vd_slice ad = { (const uint8_t *)"ad", 2 };

static void open_any(struct vd_slice body)
{
	struct vd_buf out = { 0 };
	struct vd_body_prefix prefix;
	int rc = vd_body_open(body, key, ad, &out);

	FUZZ_CHECK(rc == VD_OK || out.n == 0);
	FUZZ_CHECK(rc != VD_OK || vd_body_peek(body, &prefix) == VD_OK);
	vd_buf_deinit(&out);
}

static void round_trip(struct vd_slice content)
{
	struct vd_buf body = { 0 }, out = { 0 };
	int rc = vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, content, &body);

	if (rc) {
		FUZZ_CHECK(rc == VD_ECAP && content.n > 63642 && body.n == 0);
		return;
	}
	FUZZ_CHECK(body.n <= VD_BODY_MAX);
	FUZZ_CHECK(vd_body_open(vd_buf_slice(&body), key, ad, &out) == VD_OK && vd_slice_eq(vd_buf_slice(&out), content));
	body.p[content.n % body.n] ^= 0x80;
	FUZZ_CHECK(vd_body_open(vd_buf_slice(&body), key, ad, &out) != VD_OK);
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
}

/* What opens is what we would have sealed, byte for byte. */
static void open_forged(struct vd_slice plain)
{
	uint8_t prefix[VD_BODY_PREFIX_BYTES] = { 1, VD_AUDIENCE_EVERYONE };
	struct vd_buf body = { 0 }, out = { 0 }, again = { 0 };

	memcpy(prefix + 2, epoch, sizeof(epoch));
	memcpy(prefix + 2 + VD_EPOCH_BYTES, nonce, sizeof(nonce));
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, plain, &body);
	if (vd_body_open(vd_buf_slice(&body), key, ad, &out) == VD_OK) {
		FUZZ_CHECK(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_buf_slice(&out), &again) == VD_OK);
		FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&again), vd_buf_slice(&body)));
	}
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
	vd_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_slice rest;

	if (!size)
		return 0;
	rest = vd_slice(data + 1, size - 1);
	switch (data[0] % 3) {
	case 0: open_any(rest); break;
	case 1: round_trip(rest); break;
	default: open_forged(rest);
	}
	return 0;
}
