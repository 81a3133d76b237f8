#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tests/unit/chain_scene.h"

static struct scene scene;
static struct vd_batch batch;
static const struct vd_slice body = { (const uint8_t *)"body", 4 };

static int setup(void **state)
{
	(void)state;
	scene_init(&scene);
	return vd_sign_selftest();
}

static int teardown(void **state)
{
	(void)state;
	vd_batch_deinit(&batch);
	scene_deinit(&scene);
	return 0;
}

static void put(size_t i)
{
	assert_int_equal(vd_batch_add(&batch, scene_at(&scene, i)), 0);
}

static int verdict(size_t i)
{
	struct vd_record r = scene_record(&scene, i);

	for (size_t k = 0; k < batch.count; k++)
		if (!memcmp(batch.entries[k].record.id.b, r.id.b, VD_ID_BYTES) && batch.entries[k].record.stub == r.stub)
			return batch.entries[k].verdict;
	return VD_ENOTFOUND;
}

/* A view of the group with the scene's control records so far. */
static uint64_t verify(struct vd_group *group, const struct vd_chain_port *port)
{
	uint64_t verified = 0;

	assert_int_equal(vd_chain_verify(&batch, group, port, &verified), 0);
	return verified;
}

static void test_chain__one_signature_vouches_for_a_lane(void **state)
{
	size_t first = scene.count;

	(void)state;
	for (int i = 0; i < 100; i++)
		scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	for (int i = 0; i < 10; i++)
		scene_write(&scene, 0, VD_LANE_URGENT, body, SCENE_HONEST);
	for (size_t i = scene.count; i-- > first;)
		put(i);
	assert_int_equal(verify(scene.view, NULL), 2);
	for (size_t i = 0; i < batch.count; i++) {
		const struct vd_record *r = &batch.entries[i].record;

		assert_int_equal(batch.entries[i].verdict, 0);
		assert_int_equal(r->lane, i < 10 ? VD_LANE_URGENT : VD_LANE_NORMAL);
		assert_int_equal(r->seq, i < 10 ? i + 1 : i - 9);
	}
	assert_int_equal(verify(scene.view, NULL), 2); /* again, afresh */
}

static void test_chain__a_bad_record_costs_only_itself(void **state)
{
	size_t at[5];

	(void)state;
	for (int i = 0; i < 5; i++)
		at[i] = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	scene.raw[at[2]].p[scene_record(&scene, at[2]).header.n + 5] ^= 1; /* its author named it as it was */
	for (int i = 0; i < 5; i++)
		put(at[i]);
	assert_int_equal(verify(scene.view, NULL), 3); /* the head, the bad one, the one before it */
	for (int i = 0; i < 5; i++)
		assert_int_equal(verdict(at[i]), i == 2 ? VD_ESIGNATURE : 0);
}

static void test_chain__a_gap_makes_a_head(void **state)
{
	size_t at[7];

	(void)state;
	for (int i = 0; i < 7; i++)
		at[i] = scene_write(&scene, 0, VD_LANE_BULK, body, SCENE_HONEST);
	for (int i = 0; i < 7; i++)
		if (i != 3)
			put(at[i]);
	assert_int_equal(verify(scene.view, NULL), 2);
	for (int i = 0; i < 7; i++)
		assert_int_equal(verdict(at[i]), i == 3 ? VD_ENOTFOUND : 0);
}

/* Its own signature is wrong, but its author, by naming it, said that it is theirs. */
static void test_chain__a_successor_vouches_for_what_it_names(void **state)
{
	size_t bad = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_BAD_SIGNATURE);
	size_t good = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	struct keeper keeper;

	(void)state;
	put(bad);
	assert_int_equal(verify(scene.view, NULL), 1);
	assert_int_equal(verdict(bad), VD_ESIGNATURE);
	put(good);
	assert_int_equal(verify(scene.view, NULL), 1);
	assert_int_equal(verdict(bad), 0);
	assert_int_equal(verdict(good), 0);
	batch.count--; /* the higher seq; nothing of the last verification is left */
	verify(scene.view, NULL);
	assert_int_equal(verdict(bad), VD_ESIGNATURE);

	/* The same when the successor is stored already. */
	keeper_init(&keeper, &scene);
	vd_batch_reset(&batch);
	put(0);
	put(good);
	assert_int_equal(keeper_take(&keeper, &batch, NULL), 2);
	vd_batch_reset(&batch);
	put(bad);
	assert_int_equal(keeper_take(&keeper, &batch, NULL), 1);
	vd_group_free(keeper.group);
}

static void test_chain__a_bad_successor_vouches_for_nothing(void **state)
{
	size_t first = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_BAD_SIGNATURE);
	size_t second = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_BAD_SIGNATURE);

	(void)state;
	put(first);
	put(second);
	verify(scene.view, NULL);
	assert_int_equal(verdict(first), VD_ESIGNATURE);
	assert_int_equal(verdict(second), VD_ESIGNATURE);
	put(scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST));
	assert_int_equal(verify(scene.view, NULL), 1);
	assert_int_equal(verdict(first), 0);
}

/* Naming a record of another author, lane or seq vouches for nothing. */
static void test_chain__only_the_direct_predecessor_is_vouched_for(void **state)
{
	struct writer *founder = &scene.writers[0];
	size_t normal, urgent;

	(void)state;
	normal = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_BAD_SIGNATURE);
	scene_write(&scene, 0, VD_LANE_URGENT, body, SCENE_HONEST);
	founder->prev[VD_LANE_URGENT] = scene_record(&scene, normal).id;
	urgent = scene_write(&scene, 0, VD_LANE_URGENT, body, SCENE_HONEST);
	put(normal);
	put(urgent);
	founder->seq[VD_LANE_NORMAL]++; /* names it from two above */
	put(scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST));
	verify(scene.view, NULL);
	assert_int_equal(verdict(urgent), 0);
	assert_int_equal(verdict(normal), VD_ESIGNATURE);
}

static void test_chain__forks_all_count(void **state)
{
	struct writer before;
	size_t branch[2][3], root;

	(void)state;
	root = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	before = scene.writers[0];
	for (size_t b = 0; b < 2; b++) {
		scene.writers[0] = before; /* restored from a backup */
		for (size_t i = 0; i < 3; i++)
			branch[b][i] = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	}
	put(root);
	for (size_t i = 0; i < 3; i++) {
		put(branch[1][i]);
		put(branch[0][i]);
	}
	assert_int_equal(verify(scene.view, NULL), 2);
	for (size_t k = 0; k < batch.count; k++)
		assert_int_equal(batch.entries[k].verdict, 0);
}

static size_t questions;

static bool count_questions(void *ctx, const struct vd_record *r)
{
	(void)ctx;
	(void)r;
	questions++;
	return false;
}

static void test_chain__stubs_and_doubles(void **state)
{
	size_t first = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	size_t second = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	struct vd_record r = scene_record(&scene, first);

	(void)state;
	put(first);
	assert_int_equal(vd_batch_add(&batch, vd_slice(r.raw.p, r.raw.n - r.body.n)), 0);
	put(second);
	put(second);
	assert_int_equal(verify(scene.view, NULL), 1);
	for (size_t k = 0; k < batch.count; k++)
		assert_int_equal(batch.entries[k].verdict, 0);
}

/* However often a record stands in a batch, it is verified and looked for in the store once. */
static void test_chain__doubles_cost_once(void **state)
{
	const struct vd_chain_port port = { NULL, count_questions };
	size_t first = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	size_t bad = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_BAD_SIGNATURE);
	size_t grant = 0; /* the founding record: lane 0 */

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct vd_record r = scene_record(&scene, bad);

		put(first);
		put(bad);
		put(grant);
		assert_int_equal(vd_batch_add(&batch, vd_slice(r.raw.p, r.raw.n - r.body.n)), 0);
	}
	questions = 0;
	assert_int_equal(verify(scene.view, &port), 3);
	assert_int_equal(questions, 3);
	assert_int_equal(verdict(first), 0);
	assert_int_equal(verdict(grant), 0);
	for (size_t k = 0; k < batch.count; k++)
		if (batch.entries[k].record.seq == 2 && batch.entries[k].record.lane)
			assert_int_equal(batch.entries[k].verdict, VD_ESIGNATURE);

	/* With a successor in the batch, none is verified singly. */
	put(scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST));
	assert_int_equal(verify(scene.view, NULL), 2);
	for (size_t k = 0; k < batch.count; k++)
		assert_int_equal(batch.entries[k].verdict, 0);
}

static void test_chain__strangers_and_other_groups(void **state)
{
	size_t stranger = scene_write(&scene, 1, VD_LANE_NORMAL, body, SCENE_HONEST);
	size_t control = scene_write(&scene, 1, VD_LANE_CONTROL, body, SCENE_HONEST);
	size_t own = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST), foreign;

	(void)state;
	scene.group[0] ^= 1;
	foreign = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);
	put(stranger);
	put(control);
	put(foreign);
	put(own);
	assert_int_equal(verify(scene.view, NULL), 1); /* nobody makes us verify for strangers */
	assert_int_equal(verdict(stranger), VD_EAUTHOR);
	assert_int_equal(verdict(control), VD_EAUTHOR);
	assert_int_equal(verdict(foreign), VD_EGROUP);
	assert_int_equal(verdict(own), 0);
}

/* Founder makes 1 coordinator, who makes 2 coordinator, who admits 3 as a member; each has written. */
static void write_dynasty(void)
{
	scene_grant(&scene, scene.view, 0, 1, VD_ROLE_COORDINATOR);
	for (size_t by = 1; by < 3; by++) {
		/* A coordinator's own view; grants need keys to seal a name to, which the epoch gives. */
		struct vd_group *view = vd_group_new(scene.group, &scene.writers[by].identity);
		struct vd_buf content = { 0 };

		assert_non_null(view);
		assert_int_equal(vd_group_make_epoch_for(scene.view, scene_record(&scene, 1).id.b,
		                                         scene.writers[by].identity.author, &content), 0);
		scene_control(&scene, 0, &content);
		for (size_t i = 0; i < scene.count; i++) {
			struct vd_record r = scene_record(&scene, i);

			if (!r.lane)
				assert_int_equal(vd_group_add(view, &r), 0);
		}
		scene_grant(&scene, view, by, by + 1, by == 1 ? VD_ROLE_COORDINATOR : VD_ROLE_MEMBER);
		vd_group_free(view);
	}
	for (size_t by = 0; by < 5; by++)
		for (int i = 0; i < 3; i++)
			scene_write(&scene, by, VD_LANE_NORMAL, body, SCENE_HONEST);
}

static void shuffle(size_t *order, size_t n, uint64_t *dice)
{
	for (size_t i = n; i > 1; i--) {
		size_t k, t = order[i - 1];

		*dice = *dice * 6364136223846793005u + 1442695040888963407u;
		k = (size_t)(*dice >> 33) % i;
		order[i - 1] = order[k];
		order[k] = t;
	}
}

static void test_chain__grants_in_the_batch_admit_in_any_order(void **state)
{
	size_t order[SCENE_MAX];
	uint64_t dice = 1;

	(void)state;
	write_dynasty();
	for (size_t i = 0; i < scene.count; i++)
		order[i] = i;
	for (int round = 0; round < 50; round++) {
		struct vd_group *group = vd_group_new(scene.group, NULL);

		shuffle(order, scene.count, &dice);
		vd_batch_reset(&batch);
		for (size_t i = 0; i < scene.count; i++)
			put(order[i]);
		/* Heads of lane 0 by three coordinators, of lane 2 by four authors; and to find the founding, the first in lane 0
		 * of each of the three. */
		assert_int_equal(verify(group, NULL), 10);
		for (size_t i = 0; i < scene.count; i++) {
			struct vd_record r = scene_record(&scene, i);
			bool stranger = !memcmp(r.author, scene.writers[4].identity.author, VD_KEY_BYTES);

			assert_int_equal(verdict(i), stranger ? VD_EAUTHOR : 0);
		}
		vd_group_free(group);
	}
}

static void test_chain__control_rules(void **state)
{
	size_t newer, garbage, bad, stub, normal;
	struct vd_record r;

	(void)state;
	normal = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_NEWER_VERSION);
	newer = scene_write(&scene, 0, VD_LANE_CONTROL, body, SCENE_NEWER_VERSION);
	stub = scene_write(&scene, 0, VD_LANE_CONTROL, body, SCENE_NEWER_VERSION);
	r = scene_record(&scene, stub);
	scene.raw[stub].n -= r.body.n;
	bad = scene_write(&scene, 0, VD_LANE_CONTROL, scene_record(&scene, 1).body, SCENE_BAD_SIGNATURE);
	garbage = scene_write(&scene, 0, VD_LANE_CONTROL, body, SCENE_HONEST);
	put(normal);
	put(newer);
	put(bad);
	put(garbage);
	put(stub);
	verify(scene.view, NULL);
	assert_int_equal(verdict(normal), 0);
	assert_int_equal(verdict(newer), 0);
	assert_int_equal(verdict(stub), VD_EFORMAT);
	assert_int_equal(verdict(garbage), VD_EFORMAT);
	assert_int_equal(verdict(bad), VD_ESIGNATURE); /* what is not in the set vouches for nothing */
}

/* A group begins with a founding that proves itself, or not at all. */
static void test_chain__founding_must_verify(void **state)
{
	struct vd_group *group = vd_group_new(scene.group, NULL);

	(void)state;
	put(0);
	put(1);
	assert_int_equal(vd_batch_add(&batch, scene_at(&scene, 1)), 0);
	verify(group, NULL);
	assert_int_equal(verdict(0), 0);
	assert_int_equal(verdict(1), 0);
	vd_group_free(group);

	group = vd_group_new(scene.group, NULL);
	scene.raw[0].p[scene_record(&scene, 0).header.n] ^= 1;
	vd_batch_reset(&batch);
	put(0);
	put(1);
	verify(group, NULL);
	assert_int_equal(verdict(0), VD_EAUTHOR);
	assert_int_equal(verdict(1), VD_EAUTHOR);
	vd_group_free(group);
}

/* Whatever is offered, in whatever portions and order, and offered again as long as something new came of it: one set. */
static void test_chain__one_set_by_every_route(void **state)
{
	bool expected[SCENE_MAX] = { false };
	size_t order[SCENE_MAX];
	uint64_t dice = 3;

	(void)state;
	write_dynasty();
	for (size_t i = 0; i < 60; i++)
		scene_write(&scene, i % SCENE_WRITERS, i % 3 ? VD_LANE_NORMAL : VD_LANE_URGENT, body,
		            i * 7 % 5 < 2 ? SCENE_BAD_SIGNATURE : SCENE_HONEST);
	for (size_t i = 0; i < scene.count; i++)
		order[i] = i;
	for (int route = 0; route < 60; route++) {
		size_t portion = route ? 1 + (size_t)(dice >> 40) % 20 : scene.count, fresh;
		struct keeper keeper;

		keeper_init(&keeper, &scene);
		do {
			fresh = 0;
			shuffle(order, scene.count, &dice);
			for (size_t i = 0; i < scene.count; i += portion) {
				vd_batch_reset(&batch);
				for (size_t k = i; k < i + portion && k < scene.count; k++)
					put(order[k]);
				fresh += keeper_take(&keeper, &batch, NULL);
			}
		} while (fresh);
		if (!route)
			memcpy(expected, keeper.stored, sizeof(expected));
		assert_memory_equal(keeper.stored, expected, sizeof(expected));
		vd_group_free(keeper.group);
	}
}

/* In three steps, the checks in any parts and order, or left out: always the same verdicts, and each signature checked once. */
static void test_chain__three_steps_are_one(void **state)
{
	int expected[64], alone = 0;
	uint64_t verified;
	size_t checks;

	(void)state;
	/* Chains of one to six, some with a bad head, some with a bad one inside. */
	for (int chain = 0; chain < 12; chain++) {
		for (int i = 0; i <= chain % 6; i++) {
			bool bad = (chain % 3 == 1 && i == chain % 6) || (chain % 4 == 3 && i == 1);

			put(scene_write(&scene, 0, VD_LANE_NORMAL, body, bad ? SCENE_BAD_SIGNATURE : SCENE_HONEST));
		}
		scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST); /* is missing */
		alone++;
	}
	verified = verify(scene.view, NULL);
	for (size_t i = 0; i < batch.count; i++)
		expected[i] = batch.entries[i].verdict;
	for (int way = 0; way < 4; way++) {
		batch.verified = 0;
		assert_int_equal(vd_chain_plan(&batch, scene.view, NULL, &checks), 0);
		assert_int_equal(checks, alone); /* if all are good, the heads alone */
		if (way == 0)
			vd_chain_check(&batch, 0, checks);
		for (size_t i = checks; way == 1 && i-- > 0;)
			vd_chain_check(&batch, i, i + 1);
		if (way == 2)
			vd_chain_check(&batch, checks / 2, checks);
		vd_chain_settle(&batch, NULL);
		for (size_t i = 0; i < batch.count; i++)
			assert_int_equal(batch.entries[i].verdict, expected[i]);
		if (way < 2)
			assert_int_equal(batch.verified, verified);
	}
}

static void test_batch__owns_its_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < 300; i++) {
		size_t at = scene_write(&scene, 0, VD_LANE_NORMAL, body, SCENE_HONEST);

		put(at);
		vd_buf_wipe(&scene.raw[at]);
	}
	verify(scene.view, NULL);
	for (size_t i = 0; i < batch.count; i++) {
		const struct vd_record *r = &batch.entries[i].record;

		assert_int_equal(batch.entries[i].verdict, 0);
		assert_true(vd_slice_eq(r->body, body));
		assert_int_equal(vd_record_verify(r), 0);
		assert_ptr_equal(r->body.p + r->body.n, r->raw.p + r->raw.n);
		/* Empty, in front of: body length, body hash. */
		assert_ptr_equal(r->ext.p, r->header.p + r->header.n - 1 - 2 - VD_HASH_BYTES);
	}
	scene.count = 2;
}

static void test_batch__refuses_what_does_not_decode(void **state)
{
	struct vd_slice raw = scene_at(&scene, 0);

	(void)state;
	assert_int_equal(verify(scene.view, NULL), 0);
	assert_int_equal(vd_batch_add(&batch, vd_slice(NULL, 0)), VD_EFORMAT);
	assert_int_equal(vd_batch_add(&batch, vd_slice(raw.p, raw.n - 1)), VD_EFORMAT);
	assert_int_equal(batch.count, 0);
	assert_int_equal(batch.bytes.n, 0);
	assert_int_equal(verify(scene.view, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_chain__one_signature_vouches_for_a_lane),
		TEST(test_chain__a_bad_record_costs_only_itself),
		TEST(test_chain__a_gap_makes_a_head),
		TEST(test_chain__a_successor_vouches_for_what_it_names),
		TEST(test_chain__a_bad_successor_vouches_for_nothing),
		TEST(test_chain__only_the_direct_predecessor_is_vouched_for),
		TEST(test_chain__forks_all_count),
		TEST(test_chain__stubs_and_doubles),
		TEST(test_chain__doubles_cost_once),
		TEST(test_chain__strangers_and_other_groups),
		TEST(test_chain__grants_in_the_batch_admit_in_any_order),
		TEST(test_chain__control_rules),
		TEST(test_chain__founding_must_verify),
		TEST(test_chain__one_set_by_every_route),
		TEST(test_chain__three_steps_are_one),
		TEST(test_batch__owns_its_bytes),
		TEST(test_batch__refuses_what_does_not_decode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
