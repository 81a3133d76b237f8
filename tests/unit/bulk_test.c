/* Batches cut in any way, with and without threads, come to the same store. */
#include "tests/unit/merge_cast.h"

#include "store/bulk.h"
#include "store/workers.h"

enum { CHAINED = 300, ALONE = 200 };

/* What a member might bring: a chain, records whose predecessors are missing, some of both spoilt, one thing twice, one cut to a stub, and
 * the control records. */
struct load {
	struct vd_buf bytes;
	size_t at[CHAINED + ALONE + 64];
	size_t count;
};

static void load_add(struct load *l, struct vd_slice raw)
{
	l->at[l->count++] = l->bytes.n;
	vd_buf_put_slice(&l->bytes, raw);
	l->at[l->count] = l->bytes.n;
	assert_true(l->count + 1 < sizeof(l->at) / sizeof(*l->at));
}

static struct vd_slice load_at(const struct load *l, size_t i)
{
	return vd_slice(l->bytes.p + l->at[i], l->at[i + 1] - l->at[i]);
}

static bool is_bad(uint64_t seq)
{
	return seq % 40 == 7;
}

/* Every 40th of the chain has a signature that only its successor makes good; every 40th of those alone is lost. */
static void load_make(struct load *l, struct cast *c)
{
	struct vd_record_fields f = { .lane = VD_LANE_NORMAL, .time_ms = cast_now };
	struct vd_batch control = { 0 };
	struct vd_buf raw = { 0 };
	struct vd_record r;
	struct vd_id id;

	memset(l, 0, sizeof(*l));
	cast_gather(c->a, VD_LANE_CONTROL, &control);
	vd_batch_seal(&control);
	for (size_t i = 0; i < control.count; i++)
		load_add(l, control.entries[i].record.raw);
	vd_batch_deinit(&control);
	for (f.seq = 1; f.seq <= CHAINED; f.seq++) {
		forge_as(c->ga, f, is_bad(f.seq), &raw, &f.prev);
		f.has_prev = true;
		load_add(l, vd_buf_slice(&raw));
	}
	f.lane = VD_LANE_URGENT;
	for (f.seq = 2; f.seq <= 2 * ALONE; f.seq += 2) {
		memset(f.prev.b, (int)f.seq, sizeof(f.prev.b));
		forge_as(c->ga, f, is_bad(f.seq + 1), &raw, &id);
		load_add(l, vd_buf_slice(&raw));
	}
	load_add(l, load_at(l, 50));
	assert_int_equal(vd_record_decode(load_at(l, 100), &r), 0);
	load_add(l, vd_slice(r.raw.p, r.header.n + r.signature.n));
	vd_buf_deinit(&raw);
}

/* Pushes after every `step` records; 0: in steps of all sizes. `backwards`: the last first. */
static void bring(struct cast *c, const struct load *l, size_t step, bool backwards, struct vd_merge *merge)
{
	struct vd_bulk *bulk;

	memset(merge, 0, sizeof(*merge));
	assert_int_equal(vd_bulk_begin(c->b, c->gb, merge, NULL, NULL, &bulk), 0);
	for (size_t i = 0, next = 1; i < l->count; i++) {
		assert_int_equal(vd_batch_add(vd_bulk_batch(bulk), load_at(l, backwards ? l->count - 1 - i : i)), 0);
		if (vd_bulk_batch(bulk)->count < (step ? step : next))
			continue;
		next = next % 61 + 1;
		assert_int_equal(backwards ? vd_bulk_flush(bulk) : vd_bulk_push(bulk), 0);
	}
	assert_int_equal(vd_bulk_flush(bulk), 0);
	vd_bulk_end(bulk);
}

static void compare(struct cast *c, const struct vd_lane_state *expected, const uint8_t *lanes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct vd_lane_state now;

		assert_int_equal(vd_store_lane(c->b, c->id, lanes[i], &now, NULL, 0), 0);
		assert_true(vd_digest_eq(&now.digest, &expected[i].digest));
		assert_true(vd_digest_eq(&now.wanted, &expected[i].wanted));
	}
}

/* As it was before anything was brought. */
static void anew(struct cast *c, const struct cast_place *p)
{
	char command[512];

	vd_group_free(c->gb);
	vd_store_close(c->b);
	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s.before %s", p->other, p->other, p->other);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(p->other, &c->b), 0);
	assert_int_equal(vd_store_group(c->b, c->id, &c->gb), 0);
}

static void keep_before(const struct cast_place *p)
{
	char command[300];

	snprintf(command, sizeof(command), "cp -r %s %s.before", p->other, p->other);
	assert_int_equal(system(command), 0);
}

static void test_bulk__any_batches_and_threads_give_the_same(void **state)
{
	static const uint8_t lanes[] = { VD_LANE_CONTROL, VD_LANE_URGENT, VD_LANE_NORMAL };
	static const size_t steps[] = { 1000000, 0, 23, 100 };
	const struct cast_place *p = *state;
	struct vd_lane_state expected[3];
	struct vd_merge merge;
	struct load load;
	struct cast c;

	start(&c, p);
	load_make(&load, &c);
	keep_before(p);
	for (size_t i = 0; i < 12; i++) {
		size_t step = steps[i % 4];
		bool backwards = i >= 8;

		vd_workers_test_threads = i >= 4 && i < 8 ? 0 : -1;
		bring(&c, &load, step, backwards, &merge);
		vd_workers_test_threads = -1;
		if (!i) {
			for (size_t k = 0; k < 3; k++)
				assert_int_equal(vd_store_lane(c.b, c.id, lanes[k], &expected[k], NULL, 0), 0);
			assert_int_equal(expected[2].digest.count, CHAINED);
			assert_int_equal(expected[1].digest.count, ALONE - ALONE / 20);
		}
		/* Of a chain cut into batches the spoilt ones at an edge have nobody to vouch for them: forwards they are lost unless
		 * brought again, and only they. */
		if (!backwards && step < 1000000) {
			uint64_t lost = merge.refused - ALONE / 20;

			assert_true(lost <= CHAINED / 40 + 1);
			assert_int_equal(merge.refused, merge.refused_why[-VD_ESIGNATURE]);
			bring(&c, &load, 0, true, &merge);
			assert_int_equal(merge.fresh, lost);
		} else {
			assert_int_equal(merge.refused, ALONE / 20);
			assert_int_equal(merge.fresh, CHAINED + ALONE - ALONE / 20);
		}
		compare(&c, expected, lanes, 3);
		bring(&c, &load, step, backwards, &merge);
		assert_int_equal(merge.fresh, 0);
		assert_int_equal(merge.known, load.count - ALONE / 20);
		compare(&c, expected, lanes, 3);
		anew(&c, p);
	}
	vd_buf_deinit(&load.bytes);
	end(&c);
}

static void test_bulk__what_was_stored_is_told_with_its_number(void **state)
{
	struct vd_merge merge;
	struct load load;
	struct cast c;

	start(&c, *state);
	load_make(&load, &c);
	bring(&c, &load, 100, false, &merge);
	for (size_t i = 0; i < load.count; i++) {
		struct vd_batch batch = { 0 };
		uint64_t arrival;

		assert_int_equal(vd_batch_add(&batch, load_at(&load, i)), 0);
		assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
		if (!batch.entries[0].verdict) {
			assert_int_equal(vd_store_find(c.b, &batch.entries[0].record.id, &arrival), 0);
			assert_int_equal(batch.entries[0].arrival, arrival);
		}
		vd_batch_deinit(&batch);
	}
	vd_buf_deinit(&load.bytes);
	end(&c);
}

/* Somebody else stores some of it between two batches: it is known then, not stored twice. */
static void test_bulk__another_writer_in_between(void **state)
{
	struct vd_merge merge, others = { 0 };
	struct vd_batch batch = { 0 };
	struct vd_lane_state lane;
	struct vd_bulk *bulk;
	struct load load;
	struct cast c;
	size_t first = 0;

	start(&c, *state);
	load_make(&load, &c);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_bulk_begin(c.b, c.gb, &merge, NULL, NULL, &bulk), 0);
	/* The control records first: what comes after them is beyond all that is here. */
	while (first < 60) {
		assert_int_equal(vd_batch_add(vd_bulk_batch(bulk), load_at(&load, first++)), 0);
		if (first == 6 || first == 60)
			assert_int_equal(vd_bulk_flush(bulk), 0);
	}
	for (size_t i = 80; i < 120; i++)
		assert_int_equal(vd_batch_add(&batch, load_at(&load, i)), 0);
	assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &others), 0);
	assert_true(others.fresh >= 38);
	for (; first < load.count; first++)
		assert_int_equal(vd_batch_add(vd_bulk_batch(bulk), load_at(&load, first)), 0);
	assert_int_equal(vd_bulk_flush(bulk), 0);
	vd_bulk_end(bulk);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count + merge.refused - ALONE / 20, CHAINED);
	assert_true(merge.known >= others.fresh);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&load.bytes);
	end(&c);
}

static int refuse_second(void *ctx, const struct vd_batch *batch)
{
	int *calls = ctx;

	(void)batch;
	return ++*calls == 2 ? VD_EIO : VD_OK;
}

/* Whatever goes wrong with one batch ends it: none behind it is stored. */
static void test_bulk__nothing_comes_after_a_failure(void **state)
{
	struct vd_merge merge = { 0 };
	struct vd_lane_state lane;
	struct vd_bulk *bulk;
	struct load load;
	struct cast c;
	int calls = 0, rc = 0;

	start(&c, *state);
	load_make(&load, &c);
	assert_int_equal(vd_bulk_begin(c.b, c.gb, &merge, refuse_second, &calls, &bulk), 0);
	for (size_t i = 20; i < 220 && !rc; i++) {
		assert_int_equal(vd_batch_add(vd_bulk_batch(bulk), load_at(&load, i)), 0);
		if (vd_bulk_batch(bulk)->count == 20)
			rc = vd_bulk_push(bulk);
	}
	assert_int_equal(vd_bulk_flush(bulk), VD_EIO);
	vd_bulk_end(bulk);
	assert_int_equal(calls, 2);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count + merge.refused, 40);
	/* Ended in the midst: what was not pushed is left out. */
	assert_int_equal(vd_bulk_begin(c.b, c.gb, &merge, NULL, NULL, &bulk), 0);
	assert_int_equal(vd_batch_add(vd_bulk_batch(bulk), load_at(&load, 250)), 0);
	vd_bulk_end(bulk);
	vd_bulk_end(NULL);
	vd_buf_deinit(&load.bytes);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bulk__any_batches_and_threads_give_the_same, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_bulk__what_was_stored_is_told_with_its_number, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_bulk__another_writer_in_between, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_bulk__nothing_comes_after_a_failure, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
