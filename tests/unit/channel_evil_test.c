/* The channel against a peer that holds a link key of the group and breaks every rule it can. */
#include "tests/unit/channel_cast.h"

/* Someone who holds the link key and so shakes hands with us, but has to prove who it is. */
static void with_evil(bool channel_initiates, struct vd_channel **c, struct evil *e)
{
	*c = channel(channel_initiates, channel_initiates ? member_view : hub_view, 1);
	evil_shake(e, *c, channel_initiates, hub_view);
}

static void test_channel__proof_sent_back(void **state)
{
	struct vd_channel *c;
	struct evil e;
	struct vd_buf proof = { 0 };

	(void)state;
	with_evil(true, &c, &e);
	evil_listen(&e, c, &proof);
	assert_int_equal(proof.n, 98);
	assert_int_equal(evil_frame(&e, c, vd_buf_slice(&proof)), VD_ESIGNATURE);
	assert_failed(c, VD_ESIGNATURE);
	vd_channel_free(c);
	vd_buf_deinit(&proof);
}

/* In the middle with the link key, passing on the proofs of two honest ends: their handshakes differ. */
static void test_channel__proof_passed_on(void **state)
{
	struct vd_channel *caller, *answerer;
	struct evil to_caller, to_answerer;
	struct vd_buf proof = { 0 };

	(void)state;
	with_evil(true, &caller, &to_caller);
	with_evil(false, &answerer, &to_answerer);
	evil_listen(&to_caller, caller, &proof);
	assert_int_equal(evil_frame(&to_answerer, answerer, vd_buf_slice(&proof)), VD_ESIGNATURE);
	assert_int_equal(vd_channel_state(answerer), VD_CHANNEL_FAILED);
	vd_channel_free(caller);
	vd_channel_free(answerer);
	vd_buf_deinit(&proof);
}

static void test_channel__proof_of_no_member(void **state)
{
	(void)state;
	for (int initiates = 0; initiates < 2; initiates++) {
		struct vd_channel *c;
		struct evil e;
		struct vd_buf proof = { 0 }, said = { 0 };

		with_evil(initiates, &c, &e);
		evil_listen(&e, c, &said);
		assert_int_equal(said.n, initiates ? 98 : 0);
		evil_proof(&e, !initiates, &stranger, &proof);
		assert_int_equal(evil_frame(&e, c, vd_buf_slice(&proof)), VD_EAUTHOR);
		assert_failed(c, VD_EAUTHOR);
		/* Who we are is not told to it. */
		assert_int_equal(vd_channel_out(c)->n, 0);
		vd_channel_free(c);
		vd_buf_deinit(&proof);
		vd_buf_deinit(&said);
	}
}

/* A member's key, but not its signature over this role and handshake. */
static void test_channel__proof_every_bit(void **state)
{
	(void)state;
	for (size_t bit = 0; bit < 98 * 8; bit += 3) {
		struct vd_channel *c;
		struct evil e;
		struct vd_buf proof = { 0 };
		size_t at = bit / 8;
		int rc;

		with_evil(false, &c, &e);
		evil_proof(&e, true, &member, &proof);
		proof.p[at] ^= (uint8_t)(1 << bit % 8);
		rc = evil_frame(&e, c, vd_buf_slice(&proof));
		if (at == 0)
			assert_true(rc == VD_EFORMAT || rc == VD_ECAP || rc == 0);
		else
			assert_int_equal(rc, at == 1 ? VD_EFORMAT : at < 34 ? VD_EAUTHOR : VD_ESIGNATURE);
		assert_int_not_equal(vd_channel_state(c), VD_CHANNEL_OPEN);
		assert_int_equal(vd_channel_out(c)->n, 0);
		vd_channel_free(c);
		vd_buf_deinit(&proof);
	}
}

static void test_channel__wrong_role(void **state)
{
	struct vd_channel *c;
	struct evil e;
	struct vd_buf proof = { 0 };

	(void)state;
	with_evil(false, &c, &e);
	evil_proof(&e, false, &member, &proof);
	assert_int_equal(evil_frame(&e, c, vd_buf_slice(&proof)), VD_ESIGNATURE);
	vd_channel_free(c);
	vd_buf_deinit(&proof);
}

/* A proof may come in any frames; before it nothing else is taken, and at once refused. */
static void test_channel__only_a_proof_first(void **state)
{
	static const struct {
		const char *hex;
		int rc;
	} starts[] = {
		{ "6102", VD_EFORMAT },     /* another type, of a proof's length */
		{ "0502", VD_EFORMAT },     /* HELLO */
		{ "6201", VD_EFORMAT },     /* one byte too long */
		{ "6001", VD_EFORMAT },     /* one too short */
		{ "00", VD_EFORMAT },       /* no type */
		{ "e100", VD_EFORMAT },     /* 97, not in its shortest form */
		{ "808008", VD_EFORMAT },   /* VD_MESSAGE_MAX, which would be allowed later */
		{ "818008", VD_ECAP },
		{ "ffffff", VD_ECAP },
		{ "ffffffffffffffffff01", VD_ECAP },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct vd_channel *c;
		struct evil e;
		uint8_t raw[16];
		size_t n;

		with_evil(false, &c, &e);
		assert_int_equal(vd_unhex(raw, sizeof(raw), starts[i].hex, &n), 0);
		assert_int_equal(evil_frame(&e, c, vd_slice(raw, n)), starts[i].rc);
		assert_failed(c, starts[i].rc);
		assert_int_equal(vd_channel_out(c)->n, 0);
		vd_channel_free(c);
	}
}

/* Brings a channel that answers to OPEN with a peer driven by hand. */
static void open_evil(struct vd_channel **c, struct evil *e)
{
	struct vd_buf bytes = { 0 };

	with_evil(false, c, e);
	evil_proof(e, true, &member, &bytes);
	for (size_t i = 0; i < bytes.n; i++)
		assert_int_equal(evil_frame(e, *c, vd_slice(bytes.p + i, 1)), 0);
	assert_int_equal(vd_channel_state(*c), VD_CHANNEL_OPEN);
	vd_buf_reset(&bytes);
	evil_listen(e, *c, &bytes);
	assert_int_equal(bytes.n, 98);
	assert_int_equal(bytes.p[1], 1);
	assert_memory_equal(bytes.p + 2, village.hub.author, VD_KEY_BYTES);
	vd_buf_deinit(&bytes);
}

static void test_channel__malformed_messages(void **state)
{
	static const struct {
		const char *hex;
		int rc;
	} starts[] = {
		{ "00", VD_EFORMAT }, { "8000", VD_EFORMAT }, { "808000", VD_EFORMAT }, { "8500", VD_EFORMAT },
		{ "818008", VD_ECAP }, { "ffff7f", VD_ECAP }, { "808080", VD_ECAP }, { "ffffffffffffffffff01", VD_ECAP },
		{ "6101", VD_EFORMAT }, /* a second proof */
		{ "0101", VD_EFORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct vd_channel *c;
		struct evil e;
		uint8_t raw[16] = { 3, 7, 'o', 'k' }, type;
		struct vd_slice payload;
		size_t n;

		open_evil(&c, &e);
		/* What came whole before it is given out. */
		assert_int_equal(vd_unhex(raw + 4, sizeof(raw) - 4, starts[i].hex, &n), 0);
		assert_int_equal(evil_frame(&e, c, vd_slice(raw, 4 + n)), 0);
		assert_int_equal(vd_channel_next(c, &type, &payload), 1);
		assert_int_equal(type, 7);
		assert_true(vd_slice_eq(payload, vd_slice_str("ok")));
		assert_int_equal(vd_channel_next(c, &type, &payload), starts[i].rc);
		assert_failed(c, starts[i].rc);
		vd_channel_free(c);
	}
}

static void test_channel__frames_replayed_reflected_too_short(void **state)
{
	static const uint8_t lengths[] = { 0, 1, 15, 16 };
	struct vd_channel *c;
	struct evil e;
	struct vd_buf raw = { 0 };
	uint8_t type;
	struct vd_slice payload;

	(void)state;
	open_evil(&c, &e);
	vd_buf_put_u16(&raw, 3 + 16);
	assert_int_equal(vd_noise_seal(&e.send, vd_slice("\x02\x07x", 3), &raw), 0);
	assert_int_equal(vd_channel_feed(c, vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_channel_next(c, &type, &payload), 1);
	assert_int_equal(vd_channel_feed(c, vd_buf_slice(&raw)), VD_ESIGNATURE);
	assert_failed(c, VD_ESIGNATURE);
	vd_channel_free(c);

	open_evil(&c, &e);
	assert_int_equal(vd_channel_send(c, 7, vd_slice_str("x")), 0);
	assert_int_equal(vd_channel_feed(c, vd_buf_slice(vd_channel_out(c))), VD_ESIGNATURE);
	assert_failed(c, VD_ESIGNATURE);
	vd_channel_free(c);

	for (size_t i = 0; i < sizeof(lengths); i++) {
		uint8_t head[2] = { 0, lengths[i] };

		open_evil(&c, &e);
		assert_int_equal(vd_channel_feed(c, vd_slice(head, 2)), VD_EFORMAT);
		assert_failed(c, VD_EFORMAT);
		vd_channel_free(c);
	}
	vd_buf_deinit(&raw);
}

/* The largest frame is taken; a message that trickles in one byte a frame, or never ends, holds no more than it has sent. */
static void test_channel__memory_is_bounded(void **state)
{
	static uint8_t plain[VD_FRAME_MAX - 16];
	struct vd_channel *c;
	struct evil e;
	uint8_t type;
	struct vd_slice payload;
	size_t before, got = 0;

	(void)state;
	open_evil(&c, &e);
	before = heap_bytes();
	memcpy(plain, "\x80\x80\x08\x07", 4); /* VD_MESSAGE_MAX */
	assert_int_equal(evil_frame(&e, c, vd_slice(plain, 4)), 0);
	assert_true(heap_bytes() < before + 4096);
	memset(plain, 'x', sizeof(plain));
	for (size_t left = VD_MESSAGE_MAX - 1; left;) {
		size_t n = left > sizeof(plain) ? sizeof(plain) : left;

		assert_int_equal(vd_channel_next(c, &type, &payload), 0);
		assert_int_equal(evil_frame(&e, c, vd_slice(plain, n)), 0);
		left -= n;
	}
	assert_int_equal(vd_channel_next(c, &type, &payload), 1);
	assert_int_equal(payload.n, VD_MESSAGE_MAX - 1);
	assert_int_equal(vd_channel_next(c, &type, &payload), 0);
	/* Messages of two bytes, 30,000 a frame, many times over, and always half a one waiting. */
	assert_int_equal(evil_frame(&e, c, vd_slice("\x01", 1)), 0);
	for (size_t i = 0; i + 1 < sizeof(plain); i += 2)
		memcpy(plain + i, "\x07\x01", 2);
	for (int i = 0; i < 40; i++) {
		assert_int_equal(evil_frame(&e, c, vd_slice(plain, 60000)), 0);
		while (vd_channel_next(c, &type, &payload) == 1)
			got++;
	}
	assert_int_equal(got, 40 * 30000);
	assert_true(heap_bytes() < before + 2 * VD_MESSAGE_MAX + 2 * 65536);
	vd_channel_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel__proof_sent_back),
		cmocka_unit_test(test_channel__proof_passed_on),
		cmocka_unit_test(test_channel__proof_of_no_member),
		cmocka_unit_test(test_channel__proof_every_bit),
		cmocka_unit_test(test_channel__wrong_role),
		cmocka_unit_test(test_channel__only_a_proof_first),
		cmocka_unit_test(test_channel__malformed_messages),
		cmocka_unit_test(test_channel__frames_replayed_reflected_too_short),
		cmocka_unit_test(test_channel__memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
