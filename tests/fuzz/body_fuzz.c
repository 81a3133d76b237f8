/* Input: u8 mode ‖ bytes. 0: an envelope; 1: content; 2: the plaintext of an envelope whose MAC holds;
 * 3: ephemeral key and slots of a named envelope whose MAC holds, then its plaintext. */
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
	uint8_t box[VD_KEY_BYTES];
	int rc;

	FUZZ_CHECK(crypto_scalarmult_base(box, key) == 0);
	rc = vd_body_open_named(body, box, key, ad, &out);
	FUZZ_CHECK(rc != VD_OK && out.n == 0); /* nobody can seal to it by chance */
	rc = vd_body_open(body, key, ad, &out);
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

/* The one inside of content that stands there as it is. */
static void check_plain(struct vd_slice plain, struct vd_slice content)
{
	struct vd_buf expected = { 0 };
	size_t n, padding;

	vd_buf_put_u8(&expected, 0);
	vd_buf_put_varint(&expected, content.n);
	vd_buf_put_slice(&expected, content);
	n = vd_body_bucket(expected.n);
	FUZZ_CHECK(n == plain.n);
	padding = n - expected.n;
	memset(vd_buf_extend(&expected, padding), 0, padding);
	FUZZ_CHECK(vd_slice_eq(vd_buf_slice(&expected), plain));
	vd_buf_deinit(&expected);
}

/* What opens is what somebody would have sealed, byte for byte, unless it is packed: then it is smaller for it. */
static void open_forged(struct vd_slice plain)
{
	uint8_t prefix[VD_BODY_PREFIX_BYTES] = { 1, VD_AUDIENCE_EVERYONE };
	struct vd_buf body = { 0 }, out = { 0 }, again = { 0 };

	memcpy(prefix + 2, epoch, sizeof(epoch));
	memcpy(prefix + 2 + VD_EPOCH_BYTES, nonce, sizeof(nonce));
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, plain, &body);
	if (vd_body_open(vd_buf_slice(&body), key, ad, &out) == VD_OK) {
		FUZZ_CHECK(out.n <= 63642 && plain.n);
		if (plain.p[0] == 0)
			check_plain(plain, vd_buf_slice(&out));
		else
			FUZZ_CHECK(plain.p[0] == 1 && plain.n < vd_body_bucket(out.n + (out.n < 128 ? 2 : out.n < 16384 ? 3 : 4)));
		FUZZ_CHECK(vd_body_seal(VD_AUDIENCE_EVERYONE, epoch, key, nonce, ad, vd_buf_slice(&out), &again) == VD_OK);
	}
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
	vd_buf_deinit(&again);
}

/* Whatever the slots hold: what opens is what the MAC is about, and nothing else is said to. */
static void open_slots(struct vd_slice in)
{
	static const uint8_t mine[VD_KEY_BYTES] = { 9 };
	uint8_t prefix[VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES] = { 1, VD_AUDIENCE_NAMED }, box[VD_KEY_BYTES], wrap[VD_KEY_BYTES];
	struct vd_buf body = { 0 }, out = { 0 };
	uint8_t *named = prefix + VD_BODY_PREFIX_BYTES;
	bool ours;
	int rc;

	if (in.n < VD_BODY_NAMED_BYTES || in.n > VD_BODY_NAMED_BYTES + VD_BODY_PLAIN_MAX)
		return;
	memcpy(named, in.p, VD_BODY_NAMED_BYTES);
	FUZZ_CHECK(crypto_scalarmult_base(box, mine) == 0);
	/* Coverage cannot find a slot that opens: some inputs get one. */
	ours = named[0] & 1;
	if (ours) {
		uint8_t secret[VD_KEY_BYTES];

		memcpy(secret, in.p, sizeof(secret));
		FUZZ_CHECK(crypto_scalarmult_base(named, secret) == 0);
		forge_slot_key(secret, box, named, box, in.p[1] % VD_NAMED_SLOTS, wrap);
		forge_slot(wrap, key, named + VD_KEY_BYTES + in.p[1] % VD_NAMED_SLOTS * (size_t)48);
	}
	forge_body(vd_slice(prefix, sizeof(prefix)), key, ad, vd_slice(in.p + VD_BODY_NAMED_BYTES, in.n - VD_BODY_NAMED_BYTES), &body);
	rc = vd_body_open_named(vd_buf_slice(&body), box, mine, ad, &out);
	FUZZ_CHECK(rc == VD_OK || out.n == 0);
	FUZZ_CHECK(ours ? rc != VD_ESEALED && rc != VD_ESIGNATURE : rc == VD_ESEALED);
	vd_buf_reset(&out);
	FUZZ_CHECK(!ours || vd_body_open(vd_buf_slice(&body), key, ad, &out) == rc);
	vd_buf_deinit(&body);
	vd_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_slice rest;

	if (!size)
		return 0;
	rest = vd_slice(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0: open_any(rest); break;
	case 1: round_trip(rest); break;
	case 2: open_forged(rest); break;
	default: open_slots(rest);
	}
	return 0;
}
