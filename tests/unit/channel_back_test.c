/* Call backs: who calls a device that may be behind learns first who that is. */
#include "proto/hash.h"
#include "tests/unit/channel_cast.h"

enum { PROOF_FRAME = 2 + 98 + 16, SHAKEN = 48 + 64 };

/* A group with four epochs: the hub knows all of them, the member's view has the first alone. */
static struct village valley;
static struct vd_group *behind;
static uint8_t epochs[4][VD_EPOCH_BYTES]; /* newest first */

static int setup_valley(void **state)
{
	if (setup(state))
		return -1;
	village_found(&valley, 3);
	village_admit(&valley, &member, "Rosa");
	behind = village_view(&valley, &member, valley.count);
	for (uint8_t epoch = 2; epoch < 5; epoch++)
		village_epoch(&valley, epoch);
	for (size_t i = 0; i < 4; i++)
		memcpy(epochs[i], vd_group_epoch_id(valley.group, i), VD_EPOCH_BYTES);
	return 0;
}

static int teardown_valley(void **state)
{
	vd_group_free(behind);
	village_leave(&valley);
	return teardown(state);
}

static bool carry(struct vd_channel *from, struct vd_channel *to)
{
	struct vd_buf *out = vd_channel_out(from);
	bool any = out->n > 0;

	(void)vd_channel_feed(to, vd_buf_slice(out));
	vd_buf_drop(out, out->n);
	return any;
}

static void run(struct vd_channel *a, struct vd_channel *b)
{
	for (bool moved = true; moved;) {
		moved = carry(a, b);
		moved |= carry(b, a);
	}
}

/* As if the one called were in more groups than its first bytes can tell of. */
static void reveals_nothing(struct vd_channel *caller, struct vd_channel *called)
{
	memset(vd_channel_out(called)->p + 16, 0, 16);
	run(caller, called);
}

/* The first bytes of the one called tell which epoch it is at: a plain call becomes a call back under that, however old it is. */
static void test_channel_back__the_prologue_tells_the_epoch(void **state)
{
	(void)state;
	for (size_t other = 0; other < 4; other++) {
		struct vd_group *calls = valley.group, *called[4] = { village.group, elsewhere.group, village.group, elsewhere.group };
		uint8_t seed[VD_CHANNEL_SEED_BYTES];
		struct vd_channel *plain = channel(true, calls, 1), *end;
		uint64_t out, in;

		for (size_t i = 0; i < sizeof(seed); i++)
			seed[i] = (uint8_t)(91 * other + 5 * i);
		called[other] = behind;
		end = vd_channel_new(false, called, 4, seed);
		assert_non_null(end);
		carry(end, plain);
		carry(plain, end);
		carry(end, plain);
		/* … in which it proves itself first */
		vd_channel_traffic(plain, &out, &in);
		assert_int_equal(out, SHAKEN);
		run(plain, end);
		assert_int_equal(vd_channel_state(plain), VD_CHANNEL_OPEN);
		assert_int_equal(vd_channel_state(end), VD_CHANNEL_OPEN);
		assert_memory_equal(vd_channel_epoch(plain), epochs[3], VD_EPOCH_BYTES);
		assert_false(vd_channel_is_current(plain));
		vd_channel_free(plain);
		vd_channel_free(end);
	}
}

/* … and a call back under an epoch that the one called has left behind becomes a plain one. */
static void test_channel_back__not_under_an_epoch_it_has_left(void **state)
{
	struct vd_channel *back = caller_back(valley.group, epochs[3], 1), *end = channel(false, valley.group, 101);

	(void)state;
	run(back, end);
	assert_int_equal(vd_channel_state(back), VD_CHANNEL_OPEN);
	assert_memory_equal(vd_channel_epoch(back), epochs[0], VD_EPOCH_BYTES);
	assert_true(vd_channel_is_current(back));
	vd_channel_free(back);
	vd_channel_free(end);
}

/* Of a group whose keys one does not have no bit tells anything. */
static void test_channel_back__to_others_the_prologue_is_random(void **state)
{
	size_t ones[8 * VD_CHANNEL_PROLOGUE_BYTES] = { 0 };

	(void)state;
	for (size_t n = 0; n < 1000; n++) {
		struct vd_group *groups[3] = { valley.group, village.group, elsewhere.group };
		uint8_t seed[VD_CHANNEL_SEED_BYTES], drawn[64];
		struct vd_channel *end;
		const uint8_t *said;

		memset(seed, (int)(n % 256), sizeof(seed));
		vd_set_u64(seed, n);
		vd_hash(VD_HASH_BODY, vd_slice(NULL, 0), drawn, sizeof(drawn), &(struct vd_slice){ .p = seed, .n = sizeof(seed) }, 1);
		memcpy(seed, drawn, 32);
		memcpy(seed + VD_CHANNEL_SEED_BYTES - 32, drawn + 32, 32);
		end = vd_channel_new(false, groups, 3, seed);
		assert_non_null(end);
		said = vd_channel_out(end)->p;
		for (size_t bit = 0; bit < sizeof(ones) / sizeof(ones[0]); bit++)
			ones[bit] += said[bit / 8] >> bit % 8 & 1;
		vd_channel_free(end);
	}
	for (size_t bit = 0; bit < sizeof(ones) / sizeof(ones[0]); bit++)
		assert_in_range(ones[bit], 420, 580); /* five deviations */
}

static void test_channel_back__reaches_who_is_behind(void **state)
{
	struct vd_channel *plain = channel(true, valley.group, 1), *back = caller_back(valley.group, epochs[3], 1);
	struct vd_channel *ends[2] = { channel(false, behind, 101), channel(false, behind, 101) };
	uint8_t type;
	struct vd_slice payload;

	(void)state;
	/* without its first bytes to say so, it would be called under the newest */
	reveals_nothing(plain, ends[0]);
	assert_int_equal(vd_channel_state(ends[0]), VD_CHANNEL_SILENT);
	run(back, ends[1]);
	assert_int_equal(vd_channel_state(back), VD_CHANNEL_OPEN);
	assert_int_equal(vd_channel_state(ends[1]), VD_CHANNEL_OPEN);
	assert_memory_equal(vd_channel_peer(back), member.author, VD_KEY_BYTES);
	assert_memory_equal(vd_channel_peer(ends[1]), valley.hub.author, VD_KEY_BYTES);
	/* both know under which epoch they speak, and one of them that there is a newer one */
	assert_memory_equal(vd_channel_epoch(back), epochs[3], VD_EPOCH_BYTES);
	assert_memory_equal(vd_channel_epoch(ends[1]), epochs[3], VD_EPOCH_BYTES);
	assert_false(vd_channel_is_current(back));
	assert_true(vd_channel_is_current(ends[1]));
	for (int i = 0; i < 2; i++) {
		struct vd_channel *from = i ? ends[1] : back, *to = i ? back : ends[1];

		assert_int_equal(vd_channel_send(from, HELLO, vd_slice_str("hello")), 0);
		carry(from, to);
		assert_int_equal(vd_channel_next(to, &type, &payload), 1);
		assert_true(vd_slice_eq(payload, vd_slice_str("hello")));
	}
	vd_channel_free(plain);
	vd_channel_free(back);
	vd_channel_free(ends[0]);
	vd_channel_free(ends[1]);
}

/* Who is behind calls under what it takes for the newest: it proves itself first, and the one called sees that it is behind. */
static void test_channel_back__who_is_behind_may_call(void **state)
{
	struct vd_channel *caller = channel(true, behind, 1), *hub = channel(false, valley.group, 101);

	(void)state;
	carry(hub, caller);
	carry(caller, hub);
	carry(hub, caller);
	assert_int_equal(vd_channel_out(caller)->n, 64 + PROOF_FRAME);
	assert_null(vd_channel_epoch(hub));
	assert_false(vd_channel_is_current(hub));
	run(caller, hub);
	assert_int_equal(vd_channel_state(hub), VD_CHANNEL_OPEN);
	assert_memory_equal(vd_channel_epoch(hub), epochs[3], VD_EPOCH_BYTES);
	assert_false(vd_channel_is_current(hub));
	assert_true(vd_channel_is_current(caller));
	vd_channel_free(caller);
	vd_channel_free(hub);
}

/* The one called proves itself first: until then, the caller has sent no byte of its proof. */
static void test_channel_back__order_of_proofs(void **state)
{
	struct vd_channel *back = caller_back(valley.group, epochs[3], 1), *other = channel(false, behind, 101);
	uint64_t out, in;

	(void)state;
	carry(other, back); /* prologue */
	carry(back, other);
	carry(other, back);
	vd_channel_traffic(back, &out, &in);
	assert_int_equal(out, SHAKEN);
	carry(back, other);
	assert_int_equal(vd_channel_out(other)->n, PROOF_FRAME);
	assert_int_equal(vd_channel_state(other), VD_CHANNEL_SHAKING);
	carry(other, back);
	assert_int_equal(vd_channel_state(back), VD_CHANNEL_OPEN);
	assert_int_equal(vd_channel_out(back)->n, PROOF_FRAME);
	assert_int_equal(vd_channel_state(other), VD_CHANNEL_SHAKING);
	carry(back, other);
	assert_int_equal(vd_channel_state(other), VD_CHANNEL_OPEN);
	vd_channel_free(back);
	vd_channel_free(other);
}

/* Someone who holds the link key and has no role lures with an old beacon: called back, it gets 112 bytes that look random. */
static void test_channel_back__a_lure_learns_nothing(void **state)
{
	(void)state;
	for (int proves = 0; proves < 2; proves++) {
		struct vd_channel *back = caller_back(valley.group, epochs[3], 1);
		struct evil e;
		struct vd_buf proof = { 0 }, said = { 0 };
		uint64_t out, in;

		evil_shake_as(&e, back, true, behind, true);
		evil_listen(&e, back, &said);
		assert_int_equal(said.n, 0);
		if (proves) {
			evil_proof(&e, false, &stranger, &proof);
			assert_int_equal(evil_frame(&e, back, vd_buf_slice(&proof)), VD_EAUTHOR);
			assert_failed(back, VD_EAUTHOR);
		} else {
			assert_int_equal(evil_frame(&e, back, vd_slice("\x05\x02", 2)), VD_EFORMAT);
			assert_failed(back, VD_EFORMAT);
		}
		assert_int_equal(vd_channel_out(back)->n, 0);
		vd_channel_traffic(back, &out, &in);
		assert_int_equal(out, SHAKEN);
		vd_channel_free(back);
		vd_buf_deinit(&proof);
		vd_buf_deinit(&said);
	}
}

/* As the one that calls it learns no more: plainly it would have to prove itself first, and back it is not answered. */
static void test_channel_back__a_removed_caller_learns_nothing(void **state)
{
	struct vd_channel *hub = channel(false, valley.group, 101), *evil;
	struct evil e;
	struct vd_buf proof = { 0 };
	uint64_t out, in;

	(void)state;
	evil_shake_as(&e, hub, false, behind, false);
	evil_proof(&e, true, &stranger, &proof);
	assert_int_equal(evil_frame(&e, hub, vd_buf_slice(&proof)), VD_EAUTHOR);
	assert_failed(hub, VD_EAUTHOR);
	vd_channel_traffic(hub, &out, &in);
	assert_int_equal(out, 32 + 96);
	vd_channel_free(hub);
	vd_buf_deinit(&proof);

	hub = channel(false, valley.group, 101);
	evil = caller_back(behind, epochs[3], 1);
	run(evil, hub);
	assert_int_equal(vd_channel_state(hub), VD_CHANNEL_SILENT);
	vd_channel_traffic(hub, &out, &in);
	assert_int_equal(out, 32);
	vd_channel_free(evil);
	vd_channel_free(hub);
}

/* The same with a device that was a member: it knows link key, people and rules, and has been removed. */
static void test_channel_back__a_revoked_device_learns_nothing(void **state)
{
	struct village town;
	struct vd_group *before;
	uint8_t old[VD_EPOCH_BYTES];

	(void)state;
	village_found(&town, 8);
	village_admit(&town, &member, "Rosa");
	before = village_view(&town, &member, town.count);
	memcpy(old, vd_group_epoch_id(town.group, 0), sizeof(old));
	village_revoke(&town, &member);
	assert_memory_not_equal(vd_group_epoch_id(town.group, 0), old, sizeof(old));
	for (int calls = 0; calls < 2; calls++) {
		struct vd_channel *ours = calls ? channel(false, town.group, 1) : caller_back(town.group, old, 1);
		struct vd_channel *its = calls ? channel(true, before, 101) : channel(false, before, 101);
		uint64_t out, in;

		run(ours, its);
		vd_channel_traffic(ours, &out, &in);
		assert_failed(ours, VD_EAUTHOR);
		assert_int_equal(out, calls ? 32 + 96 : SHAKEN);
		assert_int_equal(in, (calls ? SHAKEN : 32 + 96) + PROOF_FRAME);
		assert_int_equal(vd_channel_state(its), VD_CHANNEL_SHAKING);
		assert_null(vd_channel_peer(its));
		vd_channel_free(ours);
		vd_channel_free(its);
	}
	vd_group_free(before);
	village_leave(&town);
}

/* Two coordinators that could not reach each other each made an epoch: only under the one before can theirs meet. */
static void test_channel_back__epochs_made_apart_meet(void **state)
{
	const uint8_t nonce[VD_BODY_NONCE_BYTES] = { 4 }, person[VD_PERSON_BYTES] = { 9 };
	struct vd_identity other;
	struct vd_buf content = { 0 };
	struct vd_epoch_keys keys = { .key = { { 1 }, { 2 }, { 3 } } };
	struct village town;
	struct vd_group *apart;
	struct vd_card card;
	uint8_t first[VD_EPOCH_BYTES];
	struct vd_record record;
	struct vd_record_fields fields = { .lane = VD_LANE_CONTROL, .seq = 1, .time_ms = 1700000000500 };
	struct vd_id id;

	(void)state;
	village_found(&town, 7);
	village_person(7, 1, &other);
	assert_int_equal(vd_card_create(&other, &card), 0);
	assert_int_equal(vd_group_make_grant(town.group, &card, person, VD_ROLE_COORDINATOR, 0, "Ana", nonce, &content), 0);
	village_record(&town, &content);
	memcpy(first, vd_group_epoch_id(town.group, 0), sizeof(first));
	assert_int_equal(vd_group_make_epoch_for(town.group, first, other.author, &content), 0);
	village_record(&town, &content);
	apart = village_view(&town, &other, town.count);
	village_epoch(&town, 2);
	assert_int_equal(vd_group_make_epoch(apart, &keys, NULL, 0, &content), 0);
	memcpy(fields.group, town.id, sizeof(fields.group));
	memcpy(fields.author, other.author, sizeof(fields.author));
	vd_buf_deinit(&town.records[VILLAGE_RECORDS - 1]);
	assert_int_equal(vd_record_create(&fields, vd_buf_slice(&content), other.author_secret, &town.records[VILLAGE_RECORDS - 1], &id), 0);
	assert_int_equal(vd_record_decode(vd_buf_slice(&town.records[VILLAGE_RECORDS - 1]), &record), 0);
	assert_int_equal(vd_group_add(apart, &record), 0);
	for (int i = 0; i < 2; i++) {
		struct vd_group *calls = i ? apart : town.group, *called = i ? town.group : apart;
		struct vd_channel *plain = channel(true, calls, 1), *back = caller_back(calls, first, 1);
		struct vd_channel *ends[2] = { channel(false, called, 101), channel(false, called, 101) };

		run(plain, ends[0]);
		assert_int_equal(vd_channel_state(ends[0]), VD_CHANNEL_SILENT);
		run(back, ends[1]);
		assert_int_equal(vd_channel_state(back), VD_CHANNEL_OPEN);
		assert_false(vd_channel_is_current(back));
		assert_false(vd_channel_is_current(ends[1]));
		vd_channel_free(plain);
		vd_channel_free(back);
		vd_channel_free(ends[0]);
		vd_channel_free(ends[1]);
	}
	vd_buf_deinit(&town.records[VILLAGE_RECORDS - 1]);
	vd_buf_deinit(&content);
	vd_group_free(apart);
	village_leave(&town);
}

static void test_channel_back__an_epoch_that_is_not_ours(void **state)
{
	struct vd_channel *back = caller_back(behind, epochs[0], 1);
	uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES] = { 0 };

	(void)state;
	assert_int_equal(vd_channel_feed(back, vd_slice(prologue, sizeof(prologue))), VD_EKEY);
	assert_failed(back, VD_EKEY);
	assert_int_equal(vd_channel_out(back)->n, 0);
	vd_channel_free(back);
}

/* What somebody recorded of a call back, said again: to the same, which answers nothing, or to the caller itself. */
static void test_channel_back__replayed_and_reflected(void **state)
{
	struct vd_channel *back = caller_back(valley.group, epochs[3], 1), *other = channel(false, behind, 101);
	struct vd_channel *later = channel(false, behind, 57);
	struct vd_buf first = { 0 };
	uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES] = { 7 };

	(void)state;
	carry(other, back);
	vd_buf_put_slice(&first, vd_buf_slice(vd_channel_out(back)));
	run(back, other);
	assert_int_equal(vd_channel_state(other), VD_CHANNEL_OPEN);
	assert_int_equal(vd_channel_feed(later, vd_buf_slice(&first)), 0);
	assert_int_equal(vd_channel_state(later), VD_CHANNEL_SILENT);
	vd_channel_free(back);
	vd_channel_free(other);
	vd_channel_free(later);

	back = caller_back(valley.group, epochs[3], 1);
	assert_int_equal(vd_channel_feed(back, vd_slice(prologue, sizeof(prologue))), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(vd_channel_out(back)->n, 48);
		(void)vd_channel_feed(back, vd_buf_slice(vd_channel_out(back)));
	}
	assert_failed(back, VD_ESIGNATURE);
	vd_channel_free(back);
	vd_buf_deinit(&first);
}

/* The proof of the one called, sent back to it as if it were the caller's. */
static void test_channel_back__proof_sent_back(void **state)
{
	struct vd_channel *other = channel(false, behind, 1);
	struct evil e;
	struct vd_buf proof = { 0 };

	(void)state;
	evil_shake_as(&e, other, false, behind, true);
	evil_listen(&e, other, &proof);
	assert_int_equal(proof.n, 98);
	assert_memory_equal(proof.p + 2, member.author, VD_KEY_BYTES);
	assert_int_equal(evil_frame(&e, other, vd_buf_slice(&proof)), VD_ESIGNATURE);
	assert_failed(other, VD_ESIGNATURE);
	vd_channel_free(other);
	vd_buf_deinit(&proof);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel_back__the_prologue_tells_the_epoch),
		cmocka_unit_test(test_channel_back__not_under_an_epoch_it_has_left),
		cmocka_unit_test(test_channel_back__to_others_the_prologue_is_random),
		cmocka_unit_test(test_channel_back__reaches_who_is_behind),
		cmocka_unit_test(test_channel_back__who_is_behind_may_call),
		cmocka_unit_test(test_channel_back__order_of_proofs),
		cmocka_unit_test(test_channel_back__a_lure_learns_nothing),
		cmocka_unit_test(test_channel_back__a_removed_caller_learns_nothing),
		cmocka_unit_test(test_channel_back__a_revoked_device_learns_nothing),
		cmocka_unit_test(test_channel_back__epochs_made_apart_meet),
		cmocka_unit_test(test_channel_back__an_epoch_that_is_not_ours),
		cmocka_unit_test(test_channel_back__replayed_and_reflected),
		cmocka_unit_test(test_channel_back__proof_sent_back),
	};

	return cmocka_run_group_tests(tests, setup_valley, teardown_valley);
}
