#include "tests/unit/merge_cast.h"

#include "proto/hash.h"
#include "store/index.h"

static void test_merge__both_ways_end_equal(void **state)
{
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	for (int i = 0; i < 20; i++) {
		cast_add(c.a, c.ga, "from a", NULL);
		cast_add(c.b, c.gb, "from b", NULL);
	}
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 20);
	assert_int_equal(merge.refused + merge.pooled, 0);
	assert_int_equal(merge.last_arrival - merge.first_arrival, 19);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 20);
	cast_same_lanes(c.a, c.b, c.id);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 0);
	assert_int_equal(merge.first_arrival, 0);
	assert_int_equal(merge.known, 40 + 6);
	cast_same_lanes(c.a, c.b, c.id);
	end(&c);
}

static void test_merge__stub_is_wanted_until_its_body_comes(void **state)
{
	struct vd_batch whole = { 0 }, stubs = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_lane_state lane;
	struct vd_arrival wanted[8];
	struct vd_port port;
	struct cast c;
	size_t n;

	start(&c, *state);
	for (int i = 0; i < 3; i++)
		cast_add(c.a, c.ga, "hola", NULL);
	cast_gather(c.a, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	for (size_t i = 0; i < whole.count; i++)
		cut(whole.entries[i].record.raw, &stubs);
	assert_int_equal(vd_store_merge(c.b, c.gb, &stubs, &merge), 0);
	assert_int_equal(merge.fresh, 3);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 3);
	assert_int_equal(lane.wanted.count, 3);
	vd_store_port(c.b, &port);
	assert_int_equal(port.wanted(port.ctx, c.id, VD_LANE_NORMAL, 0, wanted, 8, &n), 0);
	assert_int_equal(n, 3);
	assert_true(wanted[0].stub);
	cast_same_lanes(c.a, c.b, c.id);

	/* A stub again changes nothing; then one body, then all. */
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_index_catch_up(c.b), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &stubs, &merge), 0);
	assert_int_equal(merge.known, 3);
	vd_batch_reset(&stubs);
	assert_int_equal(vd_batch_add(&stubs, whole.entries[1].record.raw), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &stubs, &merge), 0);
	assert_int_equal(merge.filled, 1);
	assert_int_equal(port.wanted(port.ctx, c.id, VD_LANE_NORMAL, 0, wanted, 8, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(vd_store_merge(c.b, c.gb, &whole, &merge), 0);
	assert_int_equal(merge.filled, 3);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.wanted.count, 0);
	cast_same_lanes(c.a, c.b, c.id);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&stubs);
	end(&c);
}

static void test_merge__doubles_in_one_batch(void **state)
{
	struct vd_batch whole = { 0 }, mixed = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_lane_state lane;
	struct cast c;

	start(&c, *state);
	cast_add(c.a, c.ga, "hola", NULL);
	cast_gather(c.a, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	cut(whole.entries[0].record.raw, &mixed);
	assert_int_equal(vd_batch_add(&mixed, whole.entries[0].record.raw), 0);
	cut(whole.entries[0].record.raw, &mixed);
	assert_int_equal(vd_store_merge(c.b, c.gb, &mixed, &merge), 0);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(merge.known, 2);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 1);
	assert_int_equal(lane.wanted.count, 0);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&mixed);
	end(&c);
}

/* What the session asks: is there a stored record that vouches for this one? */
static void test_merge__vouched(void **state)
{
	struct vd_batch whole = { 0 }, part = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_port port;
	struct cast c;

	start(&c, *state);
	for (int i = 0; i < 3; i++)
		cast_add(c.a, c.ga, "hola", NULL);
	cast_gather(c.a, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	vd_store_port(c.b, &port);
	assert_false(port.vouched(port.ctx, &whole.entries[0].record));
	assert_int_equal(vd_batch_add(&part, whole.entries[2].record.raw), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &part, &merge), 0);
	assert_int_equal(merge.fresh, 1);
	assert_true(port.vouched(port.ctx, &whole.entries[1].record));
	assert_false(port.vouched(port.ctx, &whole.entries[0].record));
	assert_true(port.vouched(port.ctx, &whole.entries[2].record)); /* it is here itself */
	vd_batch_reset(&part);
	assert_int_equal(vd_batch_add(&part, whole.entries[1].record.raw), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &part, &merge), 0);
	assert_true(port.vouched(port.ctx, &whole.entries[0].record));
	vd_batch_deinit(&whole);
	vd_batch_deinit(&part);
	end(&c);
}

/* A record whose own signature does not hold is refused, but not for ever: its successor vouches for it. */
static void test_merge__refused_until_its_successor_is_here(void **state)
{
	struct vd_buf first = { 0 }, second = { 0 };
	struct vd_merge merge;
	struct vd_id id;
	struct cast c;

	start(&c, *state);
	forge(c.ga, 1, NULL, true, &first, &id);
	forge(c.ga, 2, &id, false, &second, &id);
	merge_raw(&c, &first, &merge);
	assert_int_equal(merge.refused_why[-VD_ESIGNATURE], 1);
	merge_raw(&c, &second, &merge);
	assert_int_equal(merge.fresh, 1);
	merge_raw(&c, &first, &merge);
	assert_int_equal(merge.fresh, 1);
	merge_raw(&c, &first, &merge);
	assert_int_equal(merge.known, 1);
	vd_buf_deinit(&first);
	vd_buf_deinit(&second);
	end(&c);
}

/* A record of a newer version, with as many elements more as one may have. */
static void newer(struct vd_group *g, struct vd_buf *raw)
{
	const struct vd_identity *self = vd_group_identity(g);
	struct vd_slice body = vd_slice_str("what only a newer vereda understands");
	uint8_t hash[VD_HASH_BYTES], signature[VD_SIGNATURE_BYTES];

	vd_hash1(VD_HASH_BODY, hash, body);
	vd_mp_put_array(raw, VD_HEADER_FIELDS_MAX);
	vd_mp_put_uint(raw, 2);
	vd_mp_put_bin(raw, vd_slice(vd_group_id(g), VD_GROUP_BYTES));
	vd_mp_put_bin(raw, vd_slice(self->author, VD_KEY_BYTES));
	vd_mp_put_uint(raw, VD_LANE_URGENT);
	vd_mp_put_uint(raw, 1);
	vd_mp_put_bin(raw, vd_slice(NULL, 0));
	vd_mp_put_uint(raw, cast_now);
	vd_mp_put_nil(raw);
	vd_mp_put_bin(raw, vd_slice(NULL, 0));
	vd_mp_put_uint(raw, body.n);
	vd_mp_put_bin(raw, vd_slice(hash, sizeof(hash)));
	for (int i = VD_HEADER_FIELDS; i < VD_HEADER_FIELDS_MAX; i++)
		vd_mp_put_str(raw, vd_slice_str("new"));
	assert_int_equal(vd_sign("vereda record", vd_buf_slice(raw), self->author_secret, signature), 0);
	vd_buf_put(raw, signature, sizeof(signature));
	vd_buf_put_slice(raw, body);
}

static int expect_newer(void *ctx, const struct vd_found *found)
{
	assert_int_equal(found->record->version, 2);
	assert_int_equal(found->body, VD_EVERSION);
	assert_null(found->content);
	++*(int *)ctx;
	return 0;
}

static void test_merge__newer_version_is_carried(void **state)
{
	struct vd_arrival out[2];
	struct vd_buf raw = { 0 };
	struct vd_merge merge;
	struct vd_port port;
	struct cast c;
	int visits = 0;
	size_t n;

	start(&c, *state);
	newer(c.ga, &raw);
	merge_raw(&c, &raw, &merge);
	assert_int_equal(merge.fresh, 1);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 1);
	cast_same_lanes(c.a, c.b, c.id);
	assert_int_equal(vd_query(c.a, &(struct vd_query){ .group = c.id }, expect_newer, &visits), 0);
	assert_int_equal(visits, 1);
	vd_store_port(c.a, &port);
	assert_int_equal(port.scan(port.ctx, c.id, VD_LANE_URGENT, 0, out, 2, &n), 0);
	assert_int_equal(n, 1);
	vd_buf_deinit(&raw);
	end(&c);
}

static void test_merge__damaged_is_refused(void **state)
{
	struct vd_batch whole = { 0 }, part = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_buf raw = { 0 };
	struct cast c;

	start(&c, *state);
	cast_add(c.a, c.ga, "hola", NULL);
	cast_gather(c.a, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	vd_buf_put_slice(&raw, whole.entries[0].record.raw);
	raw.p[whole.entries[0].record.header.n] ^= 1; /* of the signature */
	assert_int_equal(vd_batch_add(&part, vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &part, &merge), 0);
	assert_int_equal(merge.fresh, 0);
	assert_int_equal(merge.refused, 1);
	assert_int_equal(merge.refused_why[-VD_ESIGNATURE], 1);
	vd_buf_deinit(&raw);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&part);
	end(&c);
}

/* Records of someone whose grant has not come yet wait, and are taken when it does. */
static void test_merge__pool_waits_for_the_grant(void **state)
{
	const struct cast_place *p = *state;
	struct vd_batch whole = { 0 }, control = { 0 };
	struct vd_merge merge = { 0 };
	char third[256];
	struct vd_store *t;
	struct vd_group *gt;
	struct cast c;

	start(&c, p);
	snprintf(third, sizeof(third), "%s/c", p->top);
	t = cast_store(third);
	gt = cast_join(c.a, c.ga, t); /* b has not heard of it */
	for (int i = 0; i < 5; i++)
		cast_add(t, gt, "hola", NULL);
	cast_gather(t, VD_LANE_NORMAL, &whole);
	assert_int_equal(vd_store_merge(c.b, c.gb, &whole, &merge), 0);
	assert_int_equal(merge.pooled, 5);
	assert_int_equal(merge.fresh, 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &whole, &merge), 0); /* the same again takes no more room */
	cast_gather(c.a, VD_LANE_CONTROL, &control);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &control, &merge), 0);
	assert_int_equal(merge.fresh, 2 + 5);
	cast_same_lanes(t, c.b, c.id);
	vd_group_free(gt);
	vd_store_close(t);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&control);
	end(&c);
}

static int collect_some(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct vd_batch *batch = ctx;
	int rc = cast_collect(ctx, arrival, received_ms, raw);

	return rc ? rc : batch->count == 1000;
}

/* One author waits with so many at most; the others come again. */
static void test_merge__share_of_the_pool(void **state)
{
	const struct cast_place *p = *state;
	const uint64_t count = VD_POOL_AUTHOR + 976;
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	uint64_t after = 4 + 2 + 2, arrival;
	struct vd_write *w;
	struct vd_id oldest, newest;
	char third[256];
	struct vd_store *t;
	struct vd_group *gt;
	struct cast c;

	start(&c, p);
	snprintf(third, sizeof(third), "%s/c", p->top);
	t = cast_store(third);
	gt = cast_join(c.a, c.ga, t);
	assert_int_equal(vd_write_begin(t, &w), 0);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(cast_own(w, gt, "hola", cast_now, i ? &newest : &oldest), 0);
	assert_int_equal(vd_write_commit(w), 0);
	for (uint64_t i = 0; i < count; i += 1000) {
		vd_batch_reset(&batch);
		assert_int_equal(vd_store_walk(t, NULL, VD_LANE_NORMAL, after, collect_some, &batch), 1);
		after += batch.count;
		assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	}
	assert_int_equal(merge.pooled, VD_POOL_AUTHOR);
	assert_int_equal(merge.declined, count - VD_POOL_AUTHOR);
	memset(&merge, 0, sizeof(merge));
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 2 + VD_POOL_AUTHOR);
	assert_int_equal(vd_store_find(c.b, &oldest, &arrival), 0);
	assert_int_equal(vd_store_find(c.b, &newest, &arrival), VD_ENOTFOUND);
	cast_carry(t, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, count - VD_POOL_AUTHOR);
	cast_same_lanes(t, c.b, c.id);
	vd_batch_deinit(&batch);
	vd_group_free(gt);
	vd_store_close(t);
	end(&c);
}

/* The same through vd_store_commit, which must not touch the caller's group. */
static void test_merge__commit_tries_the_pool(void **state)
{
	const struct cast_place *p = *state;
	struct vd_batch whole = { 0 }, control = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_port port;
	struct vd_chain_port chain;
	struct vd_lane_state lane;
	char third[256];
	struct vd_store *t;
	struct vd_group *gt;
	struct cast c;

	start(&c, p);
	snprintf(third, sizeof(third), "%s/c", p->top);
	t = cast_store(third);
	gt = cast_join(c.a, c.ga, t);
	cast_add(t, gt, "hola", NULL);
	vd_store_port(c.b, &port);
	chain = (struct vd_chain_port){ port.ctx, port.vouched };
	cast_gather(t, VD_LANE_NORMAL, &whole);
	assert_int_equal(vd_chain_verify(&whole, c.gb, &chain, NULL), 0);
	assert_int_equal(vd_store_commit(c.b, c.gb, &whole, &merge), 0);
	assert_int_equal(merge.pooled, 1);
	cast_gather(c.a, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_chain_verify(&control, c.gb, &chain, NULL), 0);
	assert_int_equal(vd_store_commit(c.b, c.gb, &control, &merge), 0);
	assert_int_equal(merge.fresh, 2 + 1);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 1);
	vd_group_free(gt);
	vd_store_close(t);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&control);
	end(&c);
}

/* A device whose store was restored gets its own newer records back, and goes on after them. */
static void test_merge__restored_device_goes_on(void **state)
{
	const struct cast_place *p = *state;
	struct vd_merge merge;
	struct vd_buf raw = { 0 };
	struct vd_record r;
	struct vd_id newest, next;
	char command[1024];
	uint64_t arrival, noticed;
	struct cast c;

	start(&c, p);
	cast_add(c.b, c.gb, "uno", NULL);
	vd_group_free(c.gb);
	vd_store_close(c.b);
	snprintf(command, sizeof(command), "cp -r %s %s.backup", p->other, p->other);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(p->other, &c.b), 0);
	assert_int_equal(vd_store_group(c.b, c.id, &c.gb), 0);
	cast_add(c.b, c.gb, "dos", NULL);
	cast_add(c.b, c.gb, "tres", &newest);
	cast_carry(c.b, c.a, c.ga, &merge);
	vd_group_free(c.gb);
	vd_store_close(c.b);

	snprintf(command, sizeof(command), "rm -rf %s && mv %s.backup %s", p->other, p->other, p->other);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(p->other, &c.b), 0);
	assert_int_equal(vd_store_group(c.b, c.id, &c.gb), 0);
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 2);
	cast_add(c.b, c.gb, "cuatro", &next);
	assert_int_equal(vd_store_find(c.b, &next, &arrival), 0);
	assert_int_equal(vd_store_read(c.b, arrival, &raw, &r, NULL), 0);
	assert_int_equal(r.seq, 4);
	assert_memory_equal(r.prev.b, newest.b, VD_ID_BYTES);
	assert_int_equal(vd_store_elsewhere(c.b, c.id, vd_group_identity(c.gb)->author, &noticed), 0);
	assert_true(noticed > cast_now);
	assert_int_equal(vd_store_elsewhere(c.a, c.id, vd_group_identity(c.ga)->author, &noticed), VD_ENOTFOUND);
	vd_buf_deinit(&raw);
	end(&c);
}

static void test_merge__join_needs_our_identity(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home), *b = cast_store(p->other);
	struct vd_batch control = { 0 };
	struct vd_identity somebody;
	uint8_t id[VD_GROUP_BYTES], grant[VD_ID_BYTES], seed[VD_IDENTITY_SEED_BYTES] = { 3 };
	struct vd_group *g = cast_found(a, id), *none;
	uint64_t latest;
	size_t count;
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];

	vd_identity_from_seed(seed, &somebody);
	cast_admit(a, g, &somebody, grant);
	cast_gather(a, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_join(b, id, &control, grant), VD_EKEY);
	assert_int_equal(vd_store_next_identity(b, &somebody), 0);
	assert_int_equal(vd_store_join(b, id, &control, grant), VD_EKEY);
	assert_int_equal(vd_store_latest(b, &latest), 0);
	assert_int_equal(latest, 0);
	assert_int_equal(vd_store_groups(b, groups, &count), 0);
	assert_int_equal(count, 0);
	assert_int_equal(vd_store_group(b, id, &none), VD_ENOTFOUND);
	vd_batch_deinit(&control);
	vd_group_free(g);
	vd_store_close(a);
	vd_store_close(b);
}

/* A device keeps the identity it has in a group: a welcome for another one of its changes nothing. */
static void test_merge__join_keeps_the_identity(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home);
	struct vd_batch control = { 0 };
	struct vd_identity other, self;
	uint8_t id[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_group *g = cast_found(a, id), *seen;
	uint64_t before, latest;

	assert_int_equal(vd_store_next_identity(a, &other), 0);
	cast_admit(a, g, &other, grant);
	cast_gather(a, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_latest(a, &before), 0);
	assert_int_equal(vd_store_join(a, id, &control, grant), VD_EEXISTS);
	assert_int_equal(vd_store_latest(a, &latest), 0);
	assert_int_equal(latest, before);
	assert_int_equal(vd_store_group(a, id, &seen), 0);
	assert_int_equal(vd_group_role(seen), VD_ROLE_COORDINATOR);
	assert_memory_equal(vd_group_identity(seen)->author, vd_group_identity(g)->author, VD_KEY_BYTES);
	assert_int_equal(vd_store_next_identity(a, &self), 0);
	assert_memory_equal(self.author, other.author, VD_KEY_BYTES); /* not used up either */
	vd_group_free(seen);
	vd_batch_deinit(&control);
	vd_group_free(g);
	vd_store_close(a);
}

static void test_merge__join_takes_a_later_grant(void **state)
{
	struct vd_batch control = { 0 };
	struct vd_identity self;
	uint8_t grant[VD_ID_BYTES];
	struct vd_group *seen;
	struct cast c;

	start(&c, *state);
	self = *vd_group_identity(c.gb);
	cast_admit(c.a, c.ga, &self, grant);
	cast_gather(c.a, VD_LANE_CONTROL, &control);
	assert_int_equal(vd_store_join(c.b, c.id, &control, grant), 0);
	assert_int_equal(vd_store_join(c.b, c.id, &control, grant), VD_EEXISTS);
	assert_int_equal(vd_store_group(c.b, c.id, &seen), 0);
	assert_memory_equal(vd_group_find(seen, self.author)->grant.b, grant, VD_ID_BYTES);
	vd_group_free(seen);
	vd_batch_deinit(&control);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_merge__both_ways_end_equal, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__stub_is_wanted_until_its_body_comes, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__doubles_in_one_batch, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__vouched, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__refused_until_its_successor_is_here, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__share_of_the_pool, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__newer_version_is_carried, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__damaged_is_refused, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__pool_waits_for_the_grant, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__commit_tries_the_pool, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__restored_device_goes_on, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__join_needs_our_identity, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__join_keeps_the_identity, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_merge__join_takes_a_later_grant, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
