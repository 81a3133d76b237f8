/* A record whose signature some implementations would take and ours does not, because its R is off by a point of order 2: refused, and
 * taken when its author's next record names it. Whatever comes first, stores end with the same set. */
#include "tests/unit/merge_cast.h"

#include <sodium.h>

#include "tests/sign_off.h"

/* Eight times both sides of the equation are equal: the cofactored verification, which takes it. */
static bool cofactored_takes(struct vd_slice message, const uint8_t key[VD_KEY_BYTES], const uint8_t signature[VD_SIGNATURE_BYTES])
{
	uint8_t hash[64], k[32], left[32], right[32];
	crypto_hash_sha512_state state;

	crypto_hash_sha512_init(&state);
	crypto_hash_sha512_update(&state, signature, 32);
	crypto_hash_sha512_update(&state, key, 32);
	crypto_hash_sha512_update(&state, message.p, message.n);
	crypto_hash_sha512_final(&state, hash);
	crypto_core_ed25519_scalar_reduce(k, hash);
	if (crypto_scalarmult_ed25519_base_noclamp(left, signature + 32) || crypto_scalarmult_ed25519_noclamp(right, k, key))
		return false;
	if (crypto_core_ed25519_add(right, right, signature))
		return false;
	for (int doubling = 0; doubling < 3; doubling++) {
		if (crypto_core_ed25519_add(left, left, left) || crypto_core_ed25519_add(right, right, right))
			return false;
	}
	return memcmp(left, right, sizeof(left)) == 0;
}

/* What is signed of a record: the domain, a NUL, the header. */
static struct vd_buf signed_part(const struct vd_record *r)
{
	struct vd_buf out = { 0 };

	vd_buf_put(&out, "vereda record", 14);
	vd_buf_put_slice(&out, r->header);
	assert_int_equal(vd_buf_check(&out), 0);
	return out;
}

struct chain {
	struct vd_buf raw[3]; /* off by a point of order 2; its honest successor; the one after that */
	struct vd_id id[3];
};

static void write_chain(struct vd_group *g, struct chain *c)
{
	const struct vd_identity *self = vd_group_identity(g);
	struct vd_buf message;
	struct vd_record r;

	memset(c, 0, sizeof(*c));
	forge(g, 1, NULL, false, &c->raw[0], &c->id[0]);
	assert_int_equal(vd_record_decode(vd_buf_slice(&c->raw[0]), &r), 0);
	message = signed_part(&r);
	sign_off(vd_buf_slice(&message), self->author_secret, c->raw[0].p + r.header.n);
	assert_int_equal(vd_record_decode(vd_buf_slice(&c->raw[0]), &r), 0);
	assert_true(cofactored_takes(vd_buf_slice(&message), self->author, r.signature.p));
	assert_int_equal(vd_record_verify(&r), VD_ESIGNATURE);
	c->id[0] = r.id;
	forge(g, 2, &c->id[0], false, &c->raw[1], &c->id[1]);
	forge(g, 3, &c->id[1], false, &c->raw[2], &c->id[2]);
	vd_buf_deinit(&message);
}

static void chain_free(struct chain *c)
{
	for (size_t i = 0; i < 3; i++)
		vd_buf_deinit(&c->raw[i]);
}

static bool has(struct vd_store *s, const struct vd_id *id)
{
	uint64_t arrival;
	int rc = vd_store_find(s, id, &arrival);

	assert_true(!rc || rc == VD_ENOTFOUND);
	return !rc;
}

/* Merges those of the chain whose numbers the text names, in that order, as one batch; how many were refused. */
static uint64_t take(struct vd_store *s, struct vd_group *g, const struct chain *c, const char *numbers)
{
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };

	for (; *numbers; numbers++)
		assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&c->raw[*numbers - '0'])), 0);
	assert_int_equal(vd_store_merge(s, g, &batch, &merge), 0);
	assert_int_equal(merge.refused, merge.refused_why[-VD_ESIGNATURE]);
	vd_batch_deinit(&batch);
	return merge.refused;
}

/* A store of its own in `place`, which takes the batches one after the other. */
static struct vd_store *store_that_takes(const struct cast_place *p, struct cast *c, const struct chain *chain, int number,
                                         const char *const *batches, const uint64_t *refused)
{
	char home[256];
	struct vd_store *s;
	struct vd_group *g;

	snprintf(home, sizeof(home), "%s/order%d", p->top, number);
	s = cast_store(home);
	g = cast_join(c->a, c->ga, s);
	for (size_t i = 0; i < 4 && batches[i]; i++)
		assert_int_equal(take(s, g, chain, batches[i]), refused[i]);
	vd_group_free(g);
	return s;
}

static void test_vouch__same_set_in_every_order(void **state)
{
	static const struct {
		const char *batches[4];
		uint64_t refused[4];
	} orders[] = {
		{ { "01" }, { 0 } }, { { "10" }, { 0 } },
		{ { "1", "0" }, { 0, 0 } },
		{ { "0", "1", "0" }, { 1, 0, 0 } },
		{ { "0", "01" }, { 1, 0 } },
		{ { "0", "0", "1", "0" }, { 1, 1, 0, 0 } },
		{ { "00", "10" }, { 2, 0 } },
	};
	struct vd_store *first = NULL;
	struct chain chain;
	struct cast c;

	start(&c, *state);
	write_chain(c.ga, &chain);
	for (int i = 0; i < (int)(sizeof(orders) / sizeof(orders[0])); i++) {
		struct vd_store *s = store_that_takes(*state, &c, &chain, i, orders[i].batches, orders[i].refused);
		struct vd_lane_state lane;

		assert_true(has(s, &chain.id[0]) && has(s, &chain.id[1]));
		assert_int_equal(vd_store_lane(s, c.id, VD_LANE_URGENT, &lane, NULL, 0), 0);
		assert_int_equal(lane.digest.count, 2);
		if (first) {
			struct vd_lane_state other;

			assert_int_equal(vd_store_lane(first, c.id, VD_LANE_URGENT, &other, NULL, 0), 0);
			assert_true(vd_digest_eq(&lane.digest, &other.digest));
			vd_store_close(s);
		} else {
			first = s;
		}
	}
	vd_store_close(first);
	chain_free(&chain);
	end(&c);
}

/* Alone, and with those that do not name it, it stays out: nothing but the next record of the chain is its author's word for it. */
static void test_vouch__nobody_else_vouches(void **state)
{
	struct vd_buf other = { 0 }, wrong = { 0 };
	struct vd_merge merge;
	struct vd_id id;
	struct chain chain;
	struct cast c;

	start(&c, *state);
	write_chain(c.ga, &chain);
	assert_int_equal(take(c.b, c.gb, &chain, "2"), 0);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 1);
	assert_false(has(c.b, &chain.id[0]));
	forge(c.gb, 2, &chain.id[0], false, &other, &id); /* another author names it */
	merge_raw(&c, &other, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 1);
	forge(c.ga, 3, &chain.id[0], false, &wrong, &id); /* its author, but not as the next */
	merge_raw(&c, &wrong, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 1);
	assert_int_equal(take(c.b, c.gb, &chain, "1"), 0);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 0);
	assert_true(has(c.b, &chain.id[0]));
	vd_buf_deinit(&other);
	vd_buf_deinit(&wrong);
	chain_free(&chain);
	end(&c);
}

/* A successor without its body vouches as well, and one whose own signature is as bad only when its own successor does. */
static void test_vouch__over_stubs_and_over_several_steps(void **state)
{
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_buf bad = { 0 }, last = { 0 };
	struct vd_id id, bad_id;
	struct chain chain;
	struct cast c;

	start(&c, *state);
	write_chain(c.ga, &chain);
	cut(vd_buf_slice(&chain.raw[1]), &batch);
	assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 0);
	assert_true(has(c.b, &chain.id[0]));

	forge(c.ga, 4, &chain.id[2], true, &bad, &bad_id);
	forge(c.ga, 5, &bad_id, false, &last, &id);
	merge_raw(&c, &bad, &merge);
	assert_int_equal(merge.refused_why[-VD_ESIGNATURE], 1);
	merge_raw(&c, &last, &merge);
	assert_int_equal(merge.fresh, 1);
	merge_raw(&c, &bad, &merge);
	assert_int_equal(merge.fresh, 1);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&bad);
	vd_buf_deinit(&last);
	chain_free(&chain);
	end(&c);
}

/* What was kept out is not remembered as refused: a session that reads this store's sets asks for it again, since it is not in the set,
 * and takes it, since the store by then says that it is vouched for. */
static void test_vouch__asked_for_again(void **state)
{
	static struct vd_symbol symbols[VD_SKETCH_SYMBOLS], before[VD_SKETCH_SYMBOLS];
	struct vd_lane_state lane;
	struct vd_record r;
	struct vd_port port;
	struct chain chain;
	struct cast c;

	start(&c, *state);
	write_chain(c.ga, &chain);
	vd_store_port(c.b, &port);
	assert_int_equal(vd_record_decode(vd_buf_slice(&chain.raw[0]), &r), 0);
	assert_int_equal(port.lane(port.ctx, c.id, VD_LANE_URGENT, &lane, before, VD_SKETCH_SYMBOLS), 0);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 1);
	assert_false(port.vouched(port.ctx, &r));
	assert_int_equal(port.lane(port.ctx, c.id, VD_LANE_URGENT, &lane, symbols, VD_SKETCH_SYMBOLS), 0);
	assert_int_equal(lane.digest.count, 0);
	assert_memory_equal(symbols, before, sizeof(symbols));
	assert_int_equal(take(c.b, c.gb, &chain, "1"), 0);
	assert_true(port.vouched(port.ctx, &r));
	assert_int_equal(port.lane(port.ctx, c.id, VD_LANE_URGENT, &lane, symbols, VD_SKETCH_SYMBOLS), 0);
	assert_int_equal(lane.digest.count, 1);
	assert_int_equal(take(c.b, c.gb, &chain, "0"), 0);
	assert_true(has(c.b, &chain.id[0]));
	chain_free(&chain);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_vouch__same_set_in_every_order, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_vouch__nobody_else_vouches, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_vouch__over_stubs_and_over_several_steps, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_vouch__asked_for_again, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
