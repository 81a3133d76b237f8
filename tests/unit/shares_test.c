#include "tests/unit/merge_cast.h"

#include <time.h>

#include "store/db.h"
#include "store/inside.h"
#include "store/shares.h"
#include "store/shares_inside.h"
#include "store/stored.h"

enum { DAY_MS = 86400000 };

static uint64_t now(void)
{
	return (uint64_t)time(NULL) * 1000;
}

/* The store's day must not turn while a test counts on it. */
static void early_enough(void)
{
	while (now() % DAY_MS > DAY_MS - 20000)
		sleep(1);
}

static void bound(struct vd_store *s, uint64_t records, uint64_t day_bytes)
{
	struct vd_shares set;

	assert_int_equal(vd_shares_get(s, &set), 0);
	set.records = records;
	set.day_bytes = day_bytes;
	assert_int_equal(vd_shares_set(s, &set, now()), 0);
}

/* A chain of `n` records by the identity of `g`, from `seq` on, appended to the batch. */
static void chain(struct vd_group *g, uint8_t lane, uint64_t seq, size_t n, struct vd_id *last, struct vd_batch *batch)
{
	struct vd_buf raw = { 0 };

	for (size_t i = 0; i < n; i++, seq++) {
		struct vd_record_fields fields = { .lane = lane, .seq = seq, .has_prev = seq > 1, .time_ms = cast_now };

		if (seq > 1)
			fields.prev = *last;
		forge_as(g, fields, false, &raw, last);
		assert_int_equal(vd_batch_add(batch, vd_buf_slice(&raw)), 0);
	}
	vd_buf_deinit(&raw);
}

static void merge_into_b(struct cast *c, struct vd_batch *batch, struct vd_merge *merge)
{
	memset(merge, 0, sizeof(*merge));
	assert_int_equal(vd_store_merge(c->b, c->gb, batch, merge), 0);
	vd_batch_deinit(batch);
}

static uint64_t count_of(struct cast *c, uint8_t lane)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(c->b, c->id, lane, &state, NULL, 0), 0);
	return state.digest.count;
}

static uint64_t wanted_of(struct cast *c, uint8_t lane)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(c->b, c->id, lane, &state, NULL, 0), 0);
	return state.wanted.count;
}

static const uint8_t *author_a(struct cast *c)
{
	return vd_group_identity(c->ga)->author;
}

static void test_shares__a_flood_is_declined(void **state)
{
	const struct cast_place *p = *state;
	struct vd_declined_set declined;
	struct vd_batch batch = { 0 };
	struct vd_id last = { { 0 } }, urgent = { { 0 } };
	struct vd_merge merge;
	struct vd_write *w;
	struct cast c;

	start(&c, p);
	bound(c.b, 10, 1 << 20);
	chain(c.ga, VD_LANE_NORMAL, 1, 8, &last, &batch);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 8);
	assert_int_equal(merge.declined, 0);
	chain(c.ga, VD_LANE_NORMAL, 9, 8, &last, &batch);
	chain(c.ga, VD_LANE_URGENT, 1, 9, &urgent, &batch);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 2 + 9);
	assert_int_equal(merge.declined, 6);
	assert_int_equal(count_of(&c, VD_LANE_NORMAL), 10);
	assert_int_equal(count_of(&c, VD_LANE_URGENT), 9);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_int_equal(declined.count, 1);
	assert_true(vd_declined_has(&declined, VD_LANE_NORMAL, author_a(&c)));

	/* What was declined is not known here, what is known is not declined. */
	cast_carry(c.b, c.b, c.gb, &merge);
	assert_int_equal(merge.declined + merge.fresh, 0);

	/* Our own writing has no bound, nor have control records. */
	assert_int_equal(vd_write_begin(c.b, &w), 0);
	for (int i = 0; i < 30; i++)
		assert_int_equal(cast_own(w, c.gb, "mío", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(count_of(&c, VD_LANE_NORMAL), 40);

	/* It is remembered, and lifted when the bound is. */
	vd_store_close(c.b);
	assert_int_equal(vd_store_open(p->other, &c.b), 0);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_int_equal(declined.count, 1);
	bound(c.b, 12, 1 << 20);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_int_equal(declined.count, 0);
	chain(c.ga, VD_LANE_NORMAL, 11, 6, &last, &batch); /* forks of what was declined */
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 2);
	assert_int_equal(merge.declined, 4);
	end(&c);
}

/* Each of 70 authors beyond their share: all are declined, 64 are named. */
static void test_shares__who_is_named(void **state)
{
	struct vd_declined_set declined;
	struct vd_batch batch = { 0 };
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	bound(c.b, 1, 1 << 20);
	for (int i = 0; i < 70; i++) {
		struct vd_identity newcomer;
		uint8_t seed[VD_IDENTITY_SEED_BYTES] = { (uint8_t)i, 9 }, grant[VD_ID_BYTES];
		struct vd_group *g;
		struct vd_id last;

		vd_identity_from_seed(seed, &newcomer);
		cast_admit(c.a, c.ga, &newcomer, grant);
		g = vd_group_new(c.id, &newcomer);
		chain(g, VD_LANE_BULK, 1, 2, &last, &batch);
		vd_group_free(g);
	}
	cast_gather(c.a, VD_LANE_CONTROL, &batch);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.declined, 70);
	assert_int_equal(count_of(&c, VD_LANE_BULK), 70);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_int_equal(declined.count, VD_DECLINED_MAX);
	end(&c);
}

/* A record whose signature does not hold is valid for its successor's sake. If that one is declined, so is it. */
static void test_shares__proof_goes_with_the_declined(void **state)
{
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .has_prev = true, .time_ms = cast_now };
	struct vd_batch batch = { 0 };
	struct vd_buf raw = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	bound(c.b, 5, 1 << 20);
	chain(c.ga, VD_LANE_NORMAL, 1, 3, &last, &batch);
	for (uint64_t seq = 4; seq < 8; seq++) {
		fields.seq = seq;
		fields.prev = last;
		forge_as(c.ga, fields, seq == 4 || seq == 5, &raw, &last);
		assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	}
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 3);
	assert_int_equal(merge.declined, 4);
	vd_buf_deinit(&raw);
	end(&c); /* check finds every record proved */
}

/* Of an author without a role far fewer are taken. */
static void test_shares__strays(void **state)
{
	struct vd_batch batch = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_merge merge = { 0 };
	struct cast c;

	start(&c, *state);
	chain(c.ga, VD_LANE_NORMAL, 1, VD_AUTHOR_STRAYS + 10, &last, &batch);
	assert_int_equal(vd_chain_verify(&batch, c.gb, NULL, NULL), 0);
	for (size_t i = 0; i < batch.count; i++) {
		assert_false(batch.entries[i].stray);
		batch.entries[i].stray = true;
	}
	assert_int_equal(vd_store_commit(c.b, c.gb, &batch, &merge), 0);
	assert_int_equal(merge.fresh, VD_AUTHOR_STRAYS);
	assert_int_equal(merge.declined, 10);
	vd_batch_deinit(&batch);
	end(&c);
}

static void remove_device(struct vd_store *s, struct vd_group *g, const uint8_t *device, const struct vd_id *accepted)
{
	struct vd_epoch_keys keys = { { { 1 }, { 2 }, { 3 } } };
	uint8_t nonce[VD_BODY_NONCE_BYTES] = { 4 }, devices[1][VD_KEY_BYTES];
	struct vd_removal removal = { .devices = (const uint8_t(*)[VD_KEY_BYTES])devices, .device_count = 1, .reason = "seized" };
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .now_ms = cast_now };
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;

	memcpy(devices[0], device, VD_KEY_BYTES);
	removal.heads[VD_LANE_NORMAL] = accepted;
	removal.head_count[VD_LANE_NORMAL] = 1;
	assert_int_equal(vd_group_make_revoke(g, &removal, &keys, nonce, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_own(w, g, &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
}

/* Beyond what was accepted of somebody who was removed, that many; and none of what was accepted is lost to a device that gets it all
 * only then. */
static void test_shares__what_was_accepted_comes(void **state)
{
	const struct cast_place *p = *state;
	struct vd_batch batch = { 0 }, early = { 0 };
	struct vd_id last = { { 0 } }, accepted;
	struct vd_declined_set declined;
	struct vd_merge merge = { 0 };
	uint64_t ignored = 0;
	const uint8_t *removed;
	char home[160];
	struct vd_store *late;
	struct vd_group *gl;
	struct cast c;

	start(&c, p);
	removed = vd_group_identity(c.gb)->author;
	chain(c.gb, VD_LANE_NORMAL, 1, 3000, &last, &early);
	accepted = last;
	assert_int_equal(vd_store_merge(c.a, c.ga, &early, &merge), 0);
	snprintf(home, sizeof(home), "%s/late", p->top);
	late = cast_store(home);
	gl = cast_join(c.a, c.ga, late);
	remove_device(c.a, c.ga, removed, &accepted);
	assert_int_equal(vd_group_find(c.ga, removed)->role, VD_ROLE_NONE);

	chain(c.gb, VD_LANE_NORMAL, 3001, VD_AUTHOR_STRAYS + 24, &last, &batch);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.a, c.ga, &batch, &merge), 0);
	assert_int_equal(merge.fresh, VD_AUTHOR_STRAYS);
	assert_int_equal(merge.declined, 24);
	assert_int_equal(vd_shares_release(c.a, c.ga, now(), &ignored), 0);
	assert_int_equal(vd_shares_declined(c.a, c.id, &declined), 0);
	assert_int_equal(declined.count, 1);

	/* The latecomer hears of the removal first, then of what was written after it, and last of what was accepted. */
	vd_batch_deinit(&early);
	cast_gather(c.a, VD_LANE_CONTROL, &early);
	assert_int_equal(vd_store_merge(late, gl, &early, &merge), 0);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(late, gl, &batch, &merge), 0);
	assert_int_equal(merge.fresh, VD_AUTHOR_STRAYS + 24);
	cast_carry(c.a, late, gl, &merge);
	assert_int_equal(merge.fresh, 3000);
	assert_int_equal(merge.declined, 0);
	vd_batch_deinit(&early);
	vd_batch_deinit(&batch);
	vd_group_free(gl);
	vd_store_close(late);
	end(&c);
}

/* --- bodies --- */

static void test_shares__bodies_wait_for_another_day(void **state)
{
	struct vd_batch batch = { 0 }, again = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_merge merge;
	uint64_t wanted = 0;
	struct vd_check check;
	struct cast c;

	early_enough();
	start(&c, *state);
	bound(c.b, 1000, 10 * 6 + 3); /* "a body" is six bytes: ten a day */
	chain(c.ga, VD_LANE_NORMAL, 1, 25, &last, &batch);
	for (size_t i = 0; i < batch.count; i++)
		assert_int_equal(vd_batch_add(&again, vd_slice(batch.bytes.p + batch.entries[i].at, batch.entries[i].record.raw.n)), 0);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 25);
	assert_int_equal(count_of(&c, VD_LANE_NORMAL), 25); /* the set is whole */
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 0);
	/* brought again today: not taken; nor wanted again before tomorrow */
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &again, &merge), 0);
	assert_int_equal(merge.known, 25);
	assert_int_equal(merge.filled, 0);
	assert_int_equal(vd_shares_release(c.b, c.gb, now(), &wanted), 0);
	assert_int_equal(wanted, 0);
	assert_int_equal(vd_check(c.b, true, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);

	/* tomorrow the next ten, and not twice */
	assert_int_equal(vd_shares_release(c.b, c.gb, now() + DAY_MS, &wanted), 0);
	assert_int_equal(wanted, 10);
	assert_int_equal(vd_shares_release(c.b, c.gb, now() + DAY_MS, &wanted), 0);
	assert_int_equal(wanted, 10);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 10);
	/* whoever lifts the bound need not wait */
	bound(c.b, 1000, 1 << 20);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 15);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &again, &merge), 0);
	assert_int_equal(merge.filled, 15);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 0);
	vd_batch_deinit(&again);
	end(&c);
}

/* A wanted body that comes when the share is used up waits, too; and a stub is not even wanted then. */
static void bulk_bound(struct vd_store *s, uint64_t bytes)
{
	struct vd_shares set;

	assert_int_equal(vd_shares_get(s, &set), 0);
	set.bulk_bytes = bytes;
	assert_int_equal(vd_shares_set(s, &set, now()), 0);
}

static void check_bulk(struct cast *c, uint64_t here, uint64_t wanted)
{
	uint64_t is_here, is_wanted;
	struct vd_check check;

	assert_int_equal(vd_shares_bulk(c->b, &is_here, &is_wanted), 0);
	assert_int_equal(is_here, here);
	assert_int_equal(is_wanted, wanted);
	assert_int_equal(vd_check(c->b, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
}

/* So much of the bulk lane and not a byte more, in one batch and over many, as bodies and as stubs; the other lanes do not count, the set stays whole, and
 * what was left comes when there is room. */
static void test_shares__the_bulk_lane_is_bounded(void **state)
{
	struct vd_batch batch = { 0 }, texts = { 0 }, again = { 0 }, stubs = { 0 };
	struct vd_id last = { { 0 } }, none = { { 0 } };
	struct vd_declined_set declined;
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	bulk_bound(c.b, 10 * 6 + 5); /* "a body" is six bytes */
	chain(c.ga, VD_LANE_NORMAL, 1, 20, &none, &texts);
	merge_into_b(&c, &texts, &merge);
	check_bulk(&c, 0, 0);
	chain(c.ga, VD_LANE_BULK, 1, 25, &last, &batch);
	for (size_t i = 0; i < batch.count; i++)
		assert_int_equal(vd_batch_add(&again, vd_slice(batch.bytes.p + batch.entries[i].at, batch.entries[i].record.raw.n)), 0);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 25);
	assert_int_equal(count_of(&c, VD_LANE_BULK), 25);
	assert_int_equal(wanted_of(&c, VD_LANE_BULK), 0);
	check_bulk(&c, 60, 0);
	/* peers are told, in every group */
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_true(declined.bulk_bodies && !declined.count);
	/* brought again: as full as before. A stub that comes is not wanted either */
	assert_int_equal(vd_store_merge(c.b, c.gb, &again, &merge), 0);
	assert_int_equal(merge.filled, 0);
	chain(c.ga, VD_LANE_BULK, 26, 1, &last, &stubs);
	stubs.entries[0].record.raw.n -= 6;
	batch = (struct vd_batch){ 0 };
	assert_int_equal(vd_batch_add(&batch, vd_slice(stubs.bytes.p + stubs.entries[0].at, stubs.entries[0].record.raw.n)), 0);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, 1);
	check_bulk(&c, 60, 0);
	/* room for three more: so many are wanted, and taken, and no other */
	bulk_bound(c.b, 13 * 6);
	check_bulk(&c, 60, 18);
	assert_int_equal(wanted_of(&c, VD_LANE_BULK), 3);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &again, &merge), 0);
	assert_int_equal(merge.filled, 3);
	check_bulk(&c, 78, 0);
	/* lowered: what is here stays. Lifted: everything is wanted */
	bulk_bound(c.b, 0);
	check_bulk(&c, 78, 0);
	bulk_bound(c.b, VD_BULK_ALL);
	check_bulk(&c, 78, 13 * 6);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_false(declined.bulk_bodies);
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &again, &merge), 0);
	assert_int_equal(merge.filled, 12);
	check_bulk(&c, 150, 6);
	vd_batch_deinit(&again);
	vd_batch_deinit(&stubs);
	end(&c);
}

/* Our own is always kept, and counts; a count that is lost is made anew by a repair. */
static void test_shares__own_attachments_and_a_lost_count(void **state)
{
	struct vd_draft draft = { .lane = VD_LANE_BULK, .audience = VD_AUDIENCE_MEMBERS, .now_ms = cast_now, .content = vd_slice_str("x") };
	uint64_t here, wanted, kept;
	struct vd_write *w;
	struct vd_check check;
	struct vd_id id;
	struct cast c;

	start(&c, *state);
	bulk_bound(c.b, 0);
	assert_int_equal(vd_write_begin(c.b, &w), 0);
	assert_int_equal(vd_write_own(w, c.gb, &draft, &id), 0);
	assert_int_equal(vd_write_own(w, c.gb, &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_shares_bulk(c.b, &kept, &wanted), 0);
	assert_true(kept > 0 && kept % 2 == 0);
	check_bulk(&c, kept, 0);
	assert_int_equal(vd_write_begin(c.b, &w), 0);
	vd_share_recount_bulk(w, 7, 9);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_check(c.b, false, &check), 0);
	assert_int_equal(check.derived_bad, 1);
	assert_int_equal(vd_check(c.b, true, &check), 0);
	assert_int_equal(vd_shares_bulk(c.b, &here, &wanted), 0);
	assert_int_equal(here, kept);
	assert_int_equal(wanted, 0);
	end(&c);
}

static void test_shares__a_wanted_body_comes_too_late(void **state)
{
	struct vd_batch batch = { 0 }, stubs = { 0 }, whole = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_merge merge;
	uint64_t wanted = 0;
	struct cast c;

	early_enough();
	start(&c, *state);
	bound(c.b, 1000, 20);
	chain(c.ga, VD_LANE_NORMAL, 1, 8, &last, &batch);
	for (size_t i = 0; i < batch.count; i++) {
		struct vd_slice raw = vd_slice(batch.bytes.p + batch.entries[i].at, batch.entries[i].record.raw.n);

		if (i < 4)
			cut(raw, &stubs);
		assert_int_equal(vd_batch_add(i < 4 ? &whole : &stubs, raw), 0);
	}
	/* four stubs and four bodies: three of the bodies are taken, the fourth waits; the stubs were wanted before */
	vd_batch_deinit(&batch);
	merge_into_b(&c, &stubs, &merge);
	assert_int_equal(merge.fresh, 8);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 4);
	merge_into_b(&c, &whole, &merge);
	assert_int_equal(merge.filled, 0);
	assert_int_equal(merge.known, 4);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 0);
	chain(c.ga, VD_LANE_NORMAL, 9, 2, &last, &batch);
	for (size_t i = 0; i < 2; i++)
		cut(vd_slice(batch.bytes.p + batch.entries[i].at, batch.entries[i].record.raw.n), &stubs);
	vd_batch_deinit(&batch);
	merge_into_b(&c, &stubs, &merge);
	assert_int_equal(merge.fresh, 2);
	assert_int_equal(wanted_of(&c, VD_LANE_NORMAL), 0);
	assert_int_equal(vd_shares_release(c.b, c.gb, now() + DAY_MS, &wanted), 0);
	assert_int_equal(wanted, 3);
	end(&c);
}

/* --- a lane without some --- */

static void leave(struct cast *c, uint8_t lane, uint64_t may_pass, size_t n, uint64_t *passed, struct vd_lane_state *out,
                  struct vd_symbol *symbols)
{
	struct vd_declined who = { .lane = lane };
	struct vd_leaving leaving = { &who, 1, may_pass, 0 };

	memcpy(who.author, author_a(c), VD_KEY_BYTES);
	assert_int_equal(vd_shares_lane(c->b, c->id, lane, &leaving, out, symbols, n), 0);
	*passed = leaving.passed;
}

/* What it must be, from the records alone. */
static void expect(struct cast *c, uint8_t lane, size_t n)
{
	static struct vd_symbol symbols[VD_SKETCH_SYMBOLS], expected[VD_SKETCH_SYMBOLS];
	struct vd_digest digest = { 0 }, wanted = { 0 };
	struct vd_lane_state got;
	struct vd_batch all = { 0 };
	uint64_t passed;

	memset(expected, 0, sizeof(expected));
	cast_gather(c->b, lane, &all);
	vd_batch_seal(&all);
	for (size_t i = 0; i < all.count; i++) {
		const struct vd_record *r = &all.entries[i].record;
		struct vd_item item;

		if (!memcmp(r->author, author_a(c), VD_KEY_BYTES))
			continue;
		vd_item_of(vd_group_salt(c->gb), &r->id, &item);
		vd_digest_add(&digest, &r->id);
		vd_sketch_apply(expected, 0, VD_SKETCH_SYMBOLS, &item, +1);
		if (r->stub)
			vd_digest_add(&wanted, &r->id);
	}
	leave(c, lane, UINT64_MAX, n, &passed, &got, symbols);
	assert_true(vd_digest_eq(&got.digest, &digest));
	assert_true(vd_digest_eq(&got.wanted, &wanted));
	assert_memory_equal(symbols, expected, n * sizeof(symbols[0]));
	vd_batch_deinit(&all);
}

static void test_shares__a_lane_without_an_author(void **state)
{
	struct vd_batch batch = { 0 }, stubs = { 0 }, whole = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_lane_state got;
	struct vd_symbol symbols[96];
	struct vd_merge merge;
	struct vd_write *w;
	uint64_t passed;
	struct cast c;

	start(&c, *state);
	/* stubs of both, and records of both */
	chain(c.ga, VD_LANE_NORMAL, 1, 1500, &last, &batch);
	for (size_t i = 0; i < batch.count; i++) {
		struct vd_slice raw = vd_slice(batch.bytes.p + batch.entries[i].at, batch.entries[i].record.raw.n);

		if (i % 10)
			assert_int_equal(vd_batch_add(&stubs, raw), 0);
		else
			cut(raw, &stubs);
		if (i % 20 == 0)
			assert_int_equal(vd_batch_add(&whole, raw), 0);
	}
	vd_batch_deinit(&batch);
	merge_into_b(&c, &stubs, &merge);
	assert_int_equal(merge.fresh, 1500);
	assert_int_equal(vd_write_begin(c.b, &w), 0);
	for (int i = 0; i < 40; i++)
		assert_int_equal(cast_own(w, c.gb, "mío", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);

	/* the first time it costs what there is, and may be refused; then nothing */
	{
		struct vd_declined who = { .lane = VD_LANE_NORMAL };
		struct vd_leaving leaving = { &who, 1, 1000, 0 };

		memcpy(who.author, author_a(&c), VD_KEY_BYTES);
		assert_int_equal(vd_shares_lane(c.b, c.id, VD_LANE_NORMAL, &leaving, &got, NULL, 0), VD_EBUSY);
	}
	leave(&c, VD_LANE_NORMAL, UINT64_MAX, 96, &passed, &got, symbols);
	assert_int_equal(passed, 1540 + 150);
	leave(&c, VD_LANE_NORMAL, 0, 96, &passed, &got, symbols);
	assert_int_equal(passed, 0);
	expect(&c, VD_LANE_NORMAL, VD_SKETCH_SYMBOLS);
	expect(&c, VD_LANE_NORMAL, 200);
	expect(&c, VD_LANE_BULK, 96);

	/* more of both, and bodies that came */
	chain(c.ga, VD_LANE_NORMAL, 1501, 30, &last, &batch);
	merge_into_b(&c, &batch, &merge);
	merge_into_b(&c, &whole, &merge);
	assert_int_equal(merge.filled, 75);
	cast_add(c.b, c.gb, "otro", NULL);
	expect(&c, VD_LANE_NORMAL, 300);
	/* and so many that they are written down again */
	chain(c.ga, VD_LANE_NORMAL, 1531, 1200, &last, &batch);
	merge_into_b(&c, &batch, &merge);
	expect(&c, VD_LANE_NORMAL, VD_SKETCH_SYMBOLS);
	leave(&c, VD_LANE_NORMAL, 0, 96, &passed, &got, symbols);
	assert_int_equal(passed, 0);

	end(&c);
}

/* --- repair --- */

struct spoil {
	struct vd_db *db;
	uint64_t arrival;
};

/* The lists are lost, and a bit of one record. */
static int spoil(void *ctx, MDB_txn *txn)
{
	struct spoil *x = ctx;
	uint8_t key[8], copy[4096];
	MDB_val k = { sizeof(key), key }, v;
	MDB_cursor *cursor;
	int rc = mdb_drop(txn, vd_db_table(x->db, VD_TABLE_LISTS), 0);

	vd_set_u64(key, x->arrival);
	if (!rc)
		rc = mdb_cursor_open(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &cursor);
	if (rc)
		return rc;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE); /* it may stand together with others */
	if (!rc) {
		memcpy(key, k.mv_data, sizeof(key));
		k.mv_data = key;
		memcpy(copy, v.mv_data, v.mv_size);
		copy[v.mv_size - 1] ^= 1;
		v.mv_data = copy;
		rc = mdb_put(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, &v, 0);
	}
	mdb_cursor_close(cursor);
	return rc;
}

static void test_shares__after_a_repair(void **state)
{
	const struct cast_place *p = *state;
	struct vd_declined_set declined;
	struct vd_batch batch = { 0 };
	struct vd_id last = { { 0 } };
	struct vd_lane_state got;
	struct vd_merge merge;
	struct vd_check check;
	struct spoil x = { 0 };
	uint64_t passed, wanted = 0;
	struct cast c;

	early_enough();
	start(&c, p);
	bound(c.b, 1200, 1190 * 6);
	chain(c.ga, VD_LANE_NORMAL, 1, 1200, &last, &batch);
	merge_into_b(&c, &batch, &merge);
	leave(&c, VD_LANE_NORMAL, UINT64_MAX, 0, &passed, &got, NULL);
	assert_true(passed > 0);
	assert_int_equal(got.digest.count, 0);
	x.arrival = merge.first_arrival + 500;
	vd_store_close(c.b);

	assert_int_equal(vd_db_open(p->other, false, &x.db), 0);
	assert_int_equal(vd_db_lock(x.db), 0);
	assert_int_equal(vd_db_change(x.db, spoil, &x), 0);
	vd_db_unlock(x.db);
	vd_db_close(x.db);

	assert_int_equal(vd_store_open(p->other, &c.b), 0);
	assert_int_equal(vd_check(c.b, true, &check), 0);
	assert_true(check.bad >= 1 && check.bad <= VD_STORED_RUN_MAX);
	/* there is room for as many again, and no more; what waited waits on; what was remembered of the lane is void */
	chain(c.ga, VD_LANE_NORMAL, 1201, check.bad + 1, &last, &batch);
	merge_into_b(&c, &batch, &merge);
	assert_int_equal(merge.fresh, check.bad);
	assert_int_equal(merge.declined, 1);
	assert_int_equal(vd_shares_declined(c.b, c.id, &declined), 0);
	assert_int_equal(declined.count, 1);
	expect(&c, VD_LANE_NORMAL, VD_SKETCH_SYMBOLS);
	assert_int_equal(vd_shares_release(c.b, c.gb, now() + DAY_MS, &wanted), 0);
	assert_int_equal(wanted, 10 + check.bad);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_shares__a_flood_is_declined, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__who_is_named, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__proof_goes_with_the_declined, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__strays, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__what_was_accepted_comes, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__bodies_wait_for_another_day, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__a_wanted_body_comes_too_late, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__the_bulk_lane_is_bounded, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__own_attachments_and_a_lost_count, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__a_lane_without_an_author, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_shares__after_a_repair, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
