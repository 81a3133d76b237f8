#include "tests/unit/channel_cast.h"

#include <jansson.h>

#include "proto/hash.h"

enum { INITIATOR, RESPONDER };
enum { PROOF_FRAME = 2 + 98 + 16 };

static uint32_t draw_state;

static uint32_t draw(uint32_t below)
{
	draw_state = draw_state * 1664525 + 1013904223;
	return (draw_state >> 8) % below;
}

enum change { HONEST, FLIP, CUT, TWICE };

struct wire {
	struct vd_channel *end[2];
	/* On the way from `from`, at its byte `at`. */
	enum change change;
	size_t from, at;
	size_t passed[2];
	size_t max;      /* bytes a piece, drawn from 1 to that; 0: as they come */
};

/* Whether wire_init makes a call back. */
static bool calls_back;

static void wire_init(struct wire *w)
{
	*w = (struct wire){ 0 };
	w->end[INITIATOR] = calls_back ? caller_back(member_view, vd_group_epoch_id(member_view, 0), 1) : channel(true, member_view, 1);
	w->end[RESPONDER] = channel(false, hub_view, 101);
}

static void wire_free(struct wire *w)
{
	vd_channel_free(w->end[INITIATOR]);
	vd_channel_free(w->end[RESPONDER]);
}

/* Carries one piece from one end to the other; false when there was none. */
static bool carry(struct wire *w, size_t from)
{
	struct vd_buf *out = vd_channel_out(w->end[from]);
	size_t n = out->n, at = w->at - w->passed[from];
	uint8_t *piece;
	bool hit;

	if (!n)
		return false;
	if (w->max && n > w->max)
		n = 1 + draw((uint32_t)w->max);
	hit = w->change != HONEST && w->from == from && w->at >= w->passed[from] && at < n;
	piece = malloc(n + 1);
	assert_non_null(piece);
	memcpy(piece, out->p, n);
	vd_buf_drop(out, n);
	w->passed[from] += n;
	if (hit && w->change == FLIP)
		piece[at] ^= 0x10;
	if (hit && w->change == TWICE) {
		memmove(piece + at + 1, piece + at, n - at);
		n++;
	}
	if (w->change == CUT && w->from == from && w->passed[from] > w->at)
		n = hit ? at : 0;
	(void)vd_channel_feed(w->end[1 - from], vd_slice(piece, n));
	free(piece);
	return true;
}

static void run(struct wire *w)
{
	bool moved = true;

	while (moved) {
		moved = carry(w, INITIATOR);
		moved |= carry(w, RESPONDER);
	}
}

static void assert_open(const struct wire *w)
{
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(vd_channel_state(w->end[i]), VD_CHANNEL_OPEN);
	assert_ptr_equal(vd_channel_group(w->end[INITIATOR]), member_view);
	assert_ptr_equal(vd_channel_group(w->end[RESPONDER]), hub_view);
	assert_memory_equal(vd_channel_peer(w->end[INITIATOR]), village.hub.author, VD_KEY_BYTES);
	assert_memory_equal(vd_channel_peer(w->end[RESPONDER]), member.author, VD_KEY_BYTES);
}

static void test_channel__opens(void **state)
{
	struct wire w;
	uint64_t out, in;

	(void)state;
	wire_init(&w);
	assert_null(vd_channel_peer(w.end[INITIATOR]));
	assert_int_equal(vd_channel_send(w.end[RESPONDER], HELLO, vd_slice(NULL, 0)), VD_EINVAL);
	run(&w);
	assert_open(&w);
	vd_channel_traffic(w.end[INITIATOR], &out, &in);
	assert_int_equal(out, 48 + 64 + PROOF_FRAME);
	assert_int_equal(in, 32 + 96 + PROOF_FRAME);
	vd_channel_traffic(w.end[RESPONDER], &in, &out);
	assert_int_equal(out, 48 + 64 + PROOF_FRAME);
	assert_int_equal(in, 32 + 96 + PROOF_FRAME);
	wire_free(&w);
}

static void assert_hex(const json_t *object, const char *name, struct vd_slice bytes)
{
	const char *expected = json_string_value(json_object_get(object, name));
	char *hex = malloc(2 * bytes.n + 1);

	assert_non_null(hex);
	assert_non_null(expected);
	vd_hex(hex, bytes.p, bytes.n);
	assert_string_equal(hex, expected);
	free(hex);
}

/* Moves what one end has to send to the other, keeping a copy. */
static void carry_copy(struct wire *w, size_t from, struct vd_buf *copy)
{
	vd_buf_put_slice(copy, vd_buf_slice(vd_channel_out(w->end[from])));
	while (carry(w, from))
		;
}

/* The same bytes as tests/vectors/link.py computes from the specification. */
static void vector(const char *name)
{
	json_t *root = json_load_file("tests/vectors/link.json", 0, NULL), *session = json_object_get(root, name);
	const uint8_t *link = vd_group_epoch_keys(hub_view, 0)->key[VD_KEY_LINK];
	struct vd_buf sent[2] = { { 0 }, { 0 } };
	uint8_t data[20000], hash[VD_HASH_BYTES];
	struct wire w;

	assert_non_null(root);
	wire_init(&w);
	for (int i = 0; i < 3; i++) {
		carry_copy(&w, RESPONDER, &sent[RESPONDER]);
		carry_copy(&w, INITIATOR, &sent[INITIATOR]);
	}
	assert_open(&w);
	assert_hex(session, "group", vd_slice(vd_group_id(hub_view), VD_GROUP_BYTES));
	assert_hex(session, "link_key", vd_slice(link, VD_KEY_BYTES));
	assert_hex(json_object_get(session, "initiator"), "author", vd_slice(vd_channel_peer(w.end[RESPONDER]), VD_KEY_BYTES));
	assert_hex(json_object_get(session, "responder"), "author", vd_slice(vd_channel_peer(w.end[INITIATOR]), VD_KEY_BYTES));
	assert_int_equal(vd_channel_send(w.end[INITIATOR], 2, vd_slice_str("hello")), 0);
	assert_int_equal(vd_channel_send(w.end[RESPONDER], 14, vd_slice("", 1)), 0);
	carry_copy(&w, INITIATOR, &sent[INITIATOR]);
	carry_copy(&w, RESPONDER, &sent[RESPONDER]);
	assert_hex(session, "initiator_sends", vd_buf_slice(&sent[INITIATOR]));
	assert_hex(session, "responder_sends", vd_buf_slice(&sent[RESPONDER]));
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(7 * i);
	assert_int_equal(vd_channel_send(w.end[INITIATOR], 7, vd_slice(data, sizeof(data))), 0);
	vd_hash1(VD_HASH_BODY, hash, vd_buf_slice(vd_channel_out(w.end[INITIATOR])));
	assert_hex(json_object_get(session, "long_message"), "hash", vd_slice(hash, sizeof(hash)));
	wire_free(&w);
	vd_buf_deinit(&sent[0]);
	vd_buf_deinit(&sent[1]);
	json_decref(root);
}

static void test_channel__vector(void **state)
{
	(void)state;
	vector("session");
	calls_back = true;
	vector("call_back");
	calls_back = false;
}

/* The first bytes of who is in that many groups, as the same script computes them. Nobody but members sees more than chance in them. */
static void test_channel__prologue_vectors(void **state)
{
	json_t *root = json_load_file("tests/vectors/link.json", 0, NULL), *vector;
	struct village villages[6];
	struct vd_group *groups[6];
	size_t at;

	(void)state;
	for (uint8_t i = 0; i < 6; i++) {
		village_found(&villages[i], i + 1);
		groups[i] = villages[i].group;
	}
	assert_int_equal(json_array_size(json_object_get(root, "prologues")), 10);
	json_array_foreach(json_object_get(root, "prologues"), at, vector) {
		size_t count = (size_t)json_integer_value(json_object_get(vector, "villages")), n;
		uint8_t seed[VD_CHANNEL_SEED_BYTES];
		struct vd_channel *c;

		assert_int_equal(sodium_hex2bin(seed, sizeof(seed), json_string_value(json_object_get(vector, "seed")), 208, NULL, &n, NULL), 0);
		assert_int_equal(n, sizeof(seed));
		c = vd_channel_new(false, groups, count, seed);
		assert_non_null(c);
		assert_hex(vector, "prologue", vd_buf_slice(vd_channel_out(c)));
		vd_channel_free(c);
	}
	for (size_t i = 0; i < 6; i++)
		village_leave(&villages[i]);
	json_decref(root);
}

/* Sends messages of these sizes one way in pieces of at most `max`, and expects the same ones. */
static void exchange(struct wire *w, size_t from, const size_t *sizes, size_t count)
{
	struct vd_channel *sender = w->end[from], *receiver = w->end[1 - from];
	uint8_t *data = malloc(VD_MESSAGE_MAX + 5);
	size_t sent = 0, got = 0;
	uint8_t type;
	struct vd_slice payload;

	assert_non_null(data);
	for (size_t i = 0; i < VD_MESSAGE_MAX + 5; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	while (got < count) {
		if (sent < count && vd_channel_out(sender)->n < VD_OUT_BYTES) {
			assert_int_equal(vd_channel_send(sender, (uint8_t)(2 + sent % 13), vd_slice(data + sent % 5, sizes[sent])), 0);
			sent++;
		}
		assert_true(carry(w, from));
		while (vd_channel_next(receiver, &type, &payload) == 1) {
			assert_int_equal(type, 2 + got % 13);
			assert_int_equal(payload.n, sizes[got]);
			if (payload.n)
				assert_memory_equal(payload.p, data + got % 5, payload.n);
			got++;
		}
		assert_int_equal(vd_channel_state(receiver), VD_CHANNEL_OPEN);
	}
	while (carry(w, from))
		assert_int_equal(vd_channel_next(receiver, &type, &payload), 0);
	free(data);
}

static void test_channel__any_split_of_bytes(void **state)
{
	static const size_t sizes[] = { 0, 1, 125, 126, 127, 128, 300, 16380, 16381, 16382, 16383, 16384, 40000, 0, 5 };
	static const size_t pieces[] = { 1, 2, 7, 1000, 20000, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		const size_t count = pieces[i] && pieces[i] < 100 ? 8 : sizeof(sizes) / sizeof(sizes[0]);
		struct wire w;

		wire_init(&w);
		w.max = pieces[i];
		run(&w);
		assert_open(&w);
		exchange(&w, INITIATOR, sizes, count);
		exchange(&w, RESPONDER, sizes, count);
		wire_free(&w);
	}
}

static void test_channel__largest_message(void **state)
{
	static const size_t sizes[] = { VD_MESSAGE_MAX - 1, 3, VD_MESSAGE_MAX - 1 };
	static const uint8_t data[VD_MESSAGE_MAX];
	struct wire w;

	(void)state;
	wire_init(&w);
	run(&w);
	assert_int_equal(vd_channel_send(w.end[INITIATOR], HELLO, vd_slice(data, VD_MESSAGE_MAX)), VD_ECAP);
	assert_int_equal(vd_channel_send(w.end[INITIATOR], 1, vd_slice(data, 96)), VD_EINVAL);
	assert_int_equal(vd_channel_out(w.end[INITIATOR])->n, 0);
	exchange(&w, INITIATOR, sizes, 3);
	exchange(&w, RESPONDER, sizes, 3);
	wire_free(&w);
}

static void test_channel__frames_are_short(void **state)
{
	static const uint8_t data[100000];
	struct wire w;
	struct vd_buf *out;
	size_t plain = 0, at = 0;

	(void)state;
	wire_init(&w);
	run(&w);
	assert_int_equal(vd_channel_send(w.end[INITIATOR], HELLO, vd_slice(data, sizeof(data))), 0);
	out = vd_channel_out(w.end[INITIATOR]);
	while (at < out->n) {
		size_t n = vd_get_u16(out->p + at);

		assert_in_range(n, 17, VD_CHANNEL_FRAME_BYTES + 16);
		plain += n - 16;
		at += 2 + n;
	}
	assert_int_equal(at, out->n);
	assert_int_equal(plain, 3 + 1 + sizeof(data));
	wire_free(&w);
}

/* A stream as long as a large sync passes without memory growing. */
static void test_channel__long_stream(void **state)
{
	enum { MESSAGES = 600 };
	size_t sizes[MESSAGES];
	struct wire w;
	size_t before;

	(void)state;
	wire_init(&w);
	w.max = 65536;
	run(&w);
	for (size_t i = 0; i < MESSAGES; i++)
		sizes[i] = 300 + draw(30000);
	exchange(&w, INITIATOR, sizes, 50);
	before = heap_bytes();
	exchange(&w, INITIATOR, sizes, MESSAGES);
	assert_true(heap_bytes() < before + VD_OUT_BYTES + 2 * VD_MESSAGE_MAX);
	wire_free(&w);
}

/* Whichever group and epoch the caller knows of those we hold. */
static void test_channel__finds_group_and_epoch(void **state)
{
	uint8_t seed[VD_CHANNEL_SEED_BYTES] = { 1 };
	struct village third;
	struct vd_group *groups[3], *old_view;

	(void)state;
	village_found(&third, 3);
	village_admit(&third, &member, "Rosa");
	old_view = village_view(&third, &member, third.count);
	for (uint8_t epoch = 2; epoch < 5; epoch++)
		village_epoch(&third, epoch);
	groups[0] = hub_view;
	groups[1] = third.group;
	groups[2] = stranger_view;
	assert_int_equal(vd_group_epoch_count(third.group), 4);
	for (size_t which = 0; which < 3; which++) {
		struct vd_group *caller[] = { member_view, old_view, stranger_view };
		struct wire w = { .end = { [INITIATOR] = channel(true, caller[which], 1) } };

		w.end[RESPONDER] = vd_channel_new(false, groups, 3, seed);
		assert_non_null(w.end[RESPONDER]);
		run(&w);
		assert_int_equal(vd_channel_state(w.end[INITIATOR]), VD_CHANNEL_OPEN);
		assert_ptr_equal(vd_channel_group(w.end[RESPONDER]), groups[which]);
		wire_free(&w);
	}
	vd_group_free(old_view);
	village_leave(&third);
}

/* A device and its clone may meet: the role keeps their proofs apart. */
static void test_channel__same_identity_twice(void **state)
{
	struct wire w = { .end = { channel(true, member_view, 1), channel(false, member_view, 50) } };

	(void)state;
	run(&w);
	assert_int_equal(vd_channel_state(w.end[INITIATOR]), VD_CHANNEL_OPEN);
	assert_int_equal(vd_channel_state(w.end[RESPONDER]), VD_CHANNEL_OPEN);
	assert_memory_equal(vd_channel_peer(w.end[INITIATOR]), member.author, VD_KEY_BYTES);
	wire_free(&w);
}

/* Towards someone without a link key: 32 random bytes, and then nothing, whatever comes. */
static void test_channel__silent_without_link_key(void **state)
{
	struct wire w = { .end = { channel(true, stranger_view, 1), channel(false, hub_view, 101) } };
	struct vd_channel *c = w.end[RESPONDER];
	static uint8_t noise[65536];
	struct vd_channel *late = channel(true, member_view, 1);
	uint64_t out, in;
	size_t before;
	uint8_t type;
	struct vd_slice payload;

	(void)state;
	assert_int_equal(vd_channel_feed(late, vd_buf_slice(vd_channel_out(c))), 0);
	run(&w);
	assert_int_equal(vd_channel_state(c), VD_CHANNEL_SILENT);
	assert_int_equal(vd_channel_state(w.end[INITIATOR]), VD_CHANNEL_SHAKING);
	/* Not even the right first message, when it was not the first. */
	assert_int_equal(vd_channel_feed(c, vd_buf_slice(vd_channel_out(late))), 0);
	assert_int_equal(vd_channel_state(c), VD_CHANNEL_SILENT);
	vd_channel_free(late);
	before = heap_bytes();
	for (int i = 0; i < 100; i++) {
		noise[i] = (uint8_t)i;
		assert_int_equal(vd_channel_feed(c, vd_slice(noise, sizeof(noise))), 0);
		assert_int_equal(vd_channel_next(c, &type, &payload), 0);
	}
	assert_true(heap_bytes() <= before);
	assert_int_equal(vd_channel_state(c), VD_CHANNEL_SILENT);
	assert_int_equal(vd_channel_send(c, HELLO, vd_slice(NULL, 0)), VD_EINVAL);
	assert_int_equal(vd_channel_out(c)->n, 0);
	vd_channel_traffic(c, &out, &in);
	assert_int_equal(out, 32);
	assert_int_equal(in, 48 + 48 + 100 * sizeof(noise));
	wire_free(&w);
}

static void test_channel__caller_without_keys(void **state)
{
	struct vd_group *empty = vd_group_new(village.id, &member);
	struct vd_channel *c = channel(true, empty, 1);
	uint8_t prologue[32] = { 0 };
	uint8_t seed[VD_CHANNEL_SEED_BYTES] = { 0 };

	(void)state;
	assert_int_equal(vd_channel_feed(c, vd_slice(prologue, 31)), 0);
	assert_int_equal(vd_channel_feed(c, vd_slice(prologue, 1)), VD_EKEY);
	assert_failed(c, VD_EKEY);
	vd_channel_free(c);
	vd_group_free(empty);
	c = vd_channel_new(true, NULL, 0, seed);
	assert_int_equal(vd_channel_feed(c, vd_slice(prologue, 32)), VD_EINVAL);
	vd_channel_free(c);
	c = vd_channel_new(false, NULL, 0, seed);
	for (int i = 0; i < 2; i++)
		assert_int_equal(vd_channel_feed(c, vd_slice(prologue, 32)), 0);
	assert_int_equal(vd_channel_state(c), VD_CHANNEL_SILENT);
	vd_channel_free(c);
}

/* Bytes that each side sends until both are open and one message has gone each way. */
enum { MESSAGE_FRAME = 2 + 2 + 5 + 16 };
static const size_t stream_bytes[2] = { 48 + 64 + PROOF_FRAME + MESSAGE_FRAME, 32 + 96 + PROOF_FRAME + MESSAGE_FRAME };

/* Runs a whole exchange with one change on the way: the side it strikes never takes the struck bytes for a message, and is not
 * open when the change came before the end of the proof. */
static void struck(size_t from, size_t at, enum change change)
{
	struct wire w;
	uint8_t type;
	struct vd_slice payload;

	wire_init(&w);
	w.change = change;
	w.from = from;
	w.at = at;
	run(&w);
	for (size_t i = 0; i < 2; i++)
		if (vd_channel_state(w.end[i]) == VD_CHANNEL_OPEN)
			assert_int_equal(vd_channel_send(w.end[i], HELLO, vd_slice_str("hello")), 0);
	run(&w);
	assert_true(vd_channel_next(w.end[1 - from], &type, &payload) != 1);
	if (at < stream_bytes[from] - MESSAGE_FRAME)
		assert_int_not_equal(vd_channel_state(w.end[1 - from]), VD_CHANNEL_OPEN);
	if (change == CUT)
		assert_int_not_equal(vd_channel_state(w.end[1 - from]), VD_CHANNEL_FAILED);
	wire_free(&w);
}

static void struck_everywhere(enum change change)
{
	for (int back = 0; back < 2; back++)
		for (size_t from = 0; from < 2; from++)
			for (size_t at = 0; at < stream_bytes[from]; at++) {
				calls_back = back;
				struck(from, at, change);
			}
	calls_back = false;
}

static void test_channel__every_byte_flipped(void **state)
{
	(void)state;
	struck_everywhere(FLIP);
}

static void test_channel__cut_at_every_byte(void **state)
{
	(void)state;
	struck_everywhere(CUT);
}

static void test_channel__honest_wire_delivers(void **state)
{
	(void)state;
	for (size_t k = 0; k < 4; k++) {
		struct wire w;
		uint8_t type;
		struct vd_slice payload;
		size_t i = k / 2;

		calls_back = k % 2;
		wire_init(&w);
		run(&w);
		assert_int_equal(vd_channel_send(w.end[i], HELLO, vd_slice_str("hello")), 0);
		run(&w);
		assert_int_equal(vd_channel_next(w.end[1 - i], &type, &payload), 1);
		assert_true(vd_slice_eq(payload, vd_slice_str("hello")));
		assert_int_equal(w.passed[i], stream_bytes[i]);
		wire_free(&w);
	}
	calls_back = false;
}

/* One byte sent twice shifts the stream: struck() holds for it too, except where the two bytes happen to be equal to what was
 * to come, which no frame of ours is. */
static void test_channel__every_byte_doubled(void **state)
{
	(void)state;
	for (size_t from = 0; from < 2; from++) {
		for (size_t at = 0; at + 1 < stream_bytes[from] - MESSAGE_FRAME; at++) {
			struct wire w;

			wire_init(&w);
			w.change = TWICE;
			w.from = from;
			w.at = at;
			run(&w);
			assert_true(vd_channel_state(w.end[0]) != VD_CHANNEL_OPEN || vd_channel_state(w.end[1]) != VD_CHANNEL_OPEN);
			wire_free(&w);
		}
	}
}

static void test_channel__garbage(void **state)
{
	(void)state;
	draw_state = 1;
	for (size_t round = 0; round < 50; round++) {
		struct vd_channel *ends[2] = { channel(true, member_view, 1), channel(false, hub_view, 9) };
		uint8_t bytes[600];

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)draw(256);
		(void)vd_channel_feed(ends[0], vd_slice(bytes, sizeof(bytes)));
		assert_failed(ends[0], VD_ESIGNATURE);
		assert_int_equal(vd_channel_feed(ends[1], vd_slice(bytes, sizeof(bytes))), 0);
		assert_int_equal(vd_channel_state(ends[1]), VD_CHANNEL_SILENT);
		vd_channel_free(ends[0]);
		vd_channel_free(ends[1]);
	}
}

/* The caller's own bytes, and nothing else, come back to it. */
static void test_channel__echo(void **state)
{
	struct vd_channel *c = channel(true, member_view, 1);
	uint8_t prologue[32] = { 7 };

	(void)state;
	assert_int_equal(vd_channel_feed(c, vd_slice(prologue, 32)), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vd_channel_out(c)->n, 48);
		(void)vd_channel_feed(c, vd_buf_slice(vd_channel_out(c)));
	}
	assert_failed(c, VD_ESIGNATURE);
	vd_channel_free(c);
	/* Two that call, and two that answer, wait for each other for ever. */
	for (int initiator = 0; initiator < 2; initiator++) {
		struct wire w = { .end = { channel(initiator, member_view, 1), channel(initiator, hub_view, 9) } };

		run(&w);
		assert_int_equal(vd_channel_state(w.end[0]), VD_CHANNEL_SHAKING);
		assert_int_equal(vd_channel_state(w.end[1]), VD_CHANNEL_SHAKING);
		wire_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel__opens),
		cmocka_unit_test(test_channel__vector),
		cmocka_unit_test(test_channel__prologue_vectors),
		cmocka_unit_test(test_channel__any_split_of_bytes),
		cmocka_unit_test(test_channel__largest_message),
		cmocka_unit_test(test_channel__frames_are_short),
		cmocka_unit_test(test_channel__long_stream),
		cmocka_unit_test(test_channel__finds_group_and_epoch),
		cmocka_unit_test(test_channel__same_identity_twice),
		cmocka_unit_test(test_channel__silent_without_link_key),
		cmocka_unit_test(test_channel__caller_without_keys),
		cmocka_unit_test(test_channel__honest_wire_delivers),
		cmocka_unit_test(test_channel__every_byte_flipped),
		cmocka_unit_test(test_channel__cut_at_every_byte),
		cmocka_unit_test(test_channel__every_byte_doubled),
		cmocka_unit_test(test_channel__garbage),
		cmocka_unit_test(test_channel__echo),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
