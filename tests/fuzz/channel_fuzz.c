/* Input: u8 mode ‖ pieces (u16 n ‖ n bytes; the top bit of n: raw instead of one sealed frame).
 *
 * mode & 1: the channel initiates. mode >> 1 & 3: 0 it meets raw bytes; 1 a peer that shook hands with a link key of the group
 * but has proved nothing; 2, 3 one that proved to be a member. mode & 8: in a call back. Nobody unproved is let in or told who we are, and what is given
 * out as messages is what was sent, in order. */
#include <string.h>

#include "tests/evil.h"
#include "tests/fuzz/fuzz.h"

enum { RAW, SHAKEN, PROVED };

static struct village village;
static struct vd_identity member;
static struct vd_group *view;

static void prepare(void)
{
	if (view)
		return;
	FUZZ_CHECK(vd_sign_selftest() == 0);
	village_found(&village, 1);
	village_person(1, 1, &member);
	village_admit(&village, &member, "Rosa");
	view = village_view(&village, &member, village.count);
}

/* Appends every message that the channel gives out, as it was on the wire. */
static void drain(struct vd_channel *c, struct vd_buf *got)
{
	uint8_t type;
	struct vd_slice payload;
	int rc;

	while ((rc = vd_channel_next(c, &type, &payload)) == 1) {
		FUZZ_CHECK(payload.n < VD_MESSAGE_MAX && type != 1);
		vd_buf_put_varint(got, payload.n + 1);
		vd_buf_put_u8(got, type);
		vd_buf_put_slice(got, payload);
	}
	FUZZ_CHECK(rc == 0 || vd_channel_state(c) == VD_CHANNEL_FAILED);
}

static void feed(struct vd_channel *c, struct evil *e, bool raw, struct vd_slice piece, struct vd_buf *sent)
{
	int rc;

	if (raw || piece.n > VD_FRAME_MAX - 16) {
		rc = vd_channel_feed(c, piece);
	} else {
		/* A frame without a byte of plaintext breaks a rule. */
		rc = evil_frame(e, c, piece);
		vd_buf_put_slice(sent, piece);
	}
	FUZZ_CHECK((rc != 0) == (vd_channel_state(c) == VD_CHANNEL_FAILED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vd_rd r = vd_rd(vd_slice(data, size));
	uint8_t mode = vd_rd_u8(&r), seed[VD_CHANNEL_SEED_BYTES];
	bool initiator = mode & 1, back = mode & 8;
	unsigned stage = mode >> 1 & 3;
	struct vd_buf sent = { 0 }, got = { 0 };
	struct vd_channel *c;
	struct evil e;
	uint64_t out, in;

	prepare();
	memset(seed, 9, sizeof(seed));
	c = initiator && back ? vd_channel_call_back(view, vd_group_epoch_id(view, 0), seed) : vd_channel_new(initiator, &view, 1, seed);
	if (!c)
		return 0;
	if (stage >= SHAKEN)
		evil_shake_as(&e, c, initiator, village.group, back);
	if (stage >= PROVED) {
		evil_proof(&e, !initiator, &village.hub, &sent);
		FUZZ_CHECK(evil_frame(&e, c, vd_buf_slice(&sent)) == 0);
		FUZZ_CHECK(vd_channel_state(c) == VD_CHANNEL_OPEN);
		vd_buf_reset(&sent);
	}
	while (r.n >= 2) {
		uint16_t head = vd_rd_u16(&r);
		size_t n = head & 0x7fff;

		feed(c, &e, stage == RAW || head & 0x8000, vd_rd_take(&r, n > r.n ? r.n : n), &sent);
		drain(c, &got);
	}
	vd_channel_traffic(c, &out, &in);
	if (stage < PROVED) {
		FUZZ_CHECK(vd_channel_state(c) != VD_CHANNEL_OPEN && got.n == 0);
		FUZZ_CHECK(out <= (size_t)(initiator ? 48 + 64 : 32 + 96) + (initiator != back ? 116 : 0));
	}
	FUZZ_CHECK(got.n <= sent.n && (!got.n || memcmp(got.p, sent.p, got.n) == 0));
	vd_channel_free(c);
	vd_buf_deinit(&sent);
	vd_buf_deinit(&got);
	return 0;
}
