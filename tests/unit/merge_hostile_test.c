/* What a bad member, a copied device or a bad disk may do to what is stored. */
#include "tests/unit/merge_cast.h"

#include "store/inside.h"

/* How many records a store would have to open to see whether a successor vouches for this one. */
static size_t candidates(struct vd_store *s, const struct vd_record *record)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	MDB_txn *txn;
	size_t n = 0;

	assert_int_equal(vd_db_read(s->db, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor), 0);
	vd_prev_list(s, record->group, record->author, record->lane, record->seq + 1, &record->id, list);
	while (!vd_list_next(cursor, list, &arrival))
		n++;
	mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	return n;
}

/* A member writes many records that name one unsigned record of theirs, none with the seq that would vouch: to ask for
 * it must not open them all. */
static void test_hostile__who_cannot_vouch_is_not_asked(void **state)
{
	struct vd_buf spoilt = { 0 }, raw = { 0 };
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_record target;
	struct vd_id id, unused;
	struct cast c;

	start(&c, *state);
	forge(c.ga, 5, NULL, true, &spoilt, &id);
	assert_int_equal(vd_record_decode(vd_buf_slice(&spoilt), &target), 0);
	for (uint64_t i = 0; i < 100; i++) {
		forge(c.ga, 1000 + i, &id, false, &raw, &unused);
		assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	}
	assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	assert_int_equal(merge.fresh, 100);
	assert_int_equal(candidates(c.b, &target), 0);
	merge_raw(&c, &spoilt, &merge);
	assert_int_equal(merge.refused_why[-VD_ESIGNATURE], 1);

	forge(c.ga, 6, &id, false, &raw, &unused);
	merge_raw(&c, &raw, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(candidates(c.b, &target), 1);
	merge_raw(&c, &spoilt, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_int_equal(candidates(c.b, &target), 0); /* nothing waits for it any more */
	vd_batch_deinit(&batch);
	vd_buf_deinit(&spoilt);
	vd_buf_deinit(&raw);
	end(&c);
}

/* A record may name anything: somebody else's record, or one of another seq, is no predecessor, and `check` agrees. */
static void test_hostile__naming_what_is_no_predecessor(void **state)
{
	struct vd_buf raw = { 0 };
	struct vd_id ours, theirs, unused;
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	cast_add(c.b, c.gb, "hola", &ours);
	forge(c.ga, 2, &ours, false, &raw, &theirs);
	merge_raw(&c, &raw, &merge);
	assert_int_equal(merge.fresh, 1);
	forge(c.ga, 9, &theirs, false, &raw, &unused);
	merge_raw(&c, &raw, &merge);
	assert_int_equal(merge.fresh, 1);
	vd_buf_deinit(&raw);
	end(&c);
}

/* --- the pool --- */

static uint64_t pool_size(struct vd_store *s)
{
	MDB_stat stat;
	MDB_txn *txn;

	assert_int_equal(vd_db_read(s->db, &txn), 0);
	assert_int_equal(mdb_stat(txn, vd_db_table(s->db, VD_TABLE_POOL), &stat), 0);
	vd_db_done(s->db, txn);
	return stat.ms_entries;
}

/* `count` records, each by an author nobody knows; `junk`: signed by nobody. */
static void strangers(struct cast *c, uint32_t first, size_t count, bool junk, struct vd_batch *batch)
{
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = cast_now };
	struct vd_buf raw = { 0 };

	memcpy(fields.group, c->id, VD_GROUP_BYTES);
	for (uint32_t i = 0; i < count; i++) {
		uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 0x5a };
		struct vd_identity who;
		struct vd_record r;
		struct vd_id id;

		vd_set_u32(seed + 4, first + i);
		vd_identity_from_seed(seed, &who);
		memcpy(fields.author, who.author, VD_KEY_BYTES);
		vd_buf_reset(&raw);
		assert_int_equal(vd_record_create(&fields, vd_slice_str("junk"), who.author_secret, &raw, &id), 0);
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &r), 0);
		if (junk)
			raw.p[r.header.n + 7] ^= 1;
		assert_int_equal(vd_batch_add(batch, vd_buf_slice(&raw)), 0);
	}
	vd_buf_deinit(&raw);
}

/* What nobody signed pushes out nothing that honestly waits for a grant. */
static void test_hostile__junk_does_not_fill_the_pool(void **state)
{
	const struct cast_place *p = *state;
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	char third[256];
	struct vd_store *t;
	struct vd_group *gt;
	struct cast c;

	start(&c, p);
	snprintf(third, sizeof(third), "%s/c", p->top);
	t = cast_store(third);
	gt = cast_join(c.a, c.ga, t);
	for (int i = 0; i < 5; i++)
		cast_add(t, gt, "hola", NULL);
	cast_gather(t, VD_LANE_NORMAL, &batch);
	assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	assert_int_equal(merge.pooled, 5);

	memset(&merge, 0, sizeof(merge));
	for (uint32_t i = 0; i < 4; i++) {
		vd_batch_reset(&batch);
		strangers(&c, i * 500, 500, true, &batch);
		assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	}
	assert_int_equal(merge.pooled, 0);
	assert_int_equal(merge.refused_why[-VD_ESIGNATURE], 2000);
	assert_int_equal(pool_size(c.b), 5);

	memset(&merge, 0, sizeof(merge));
	cast_carry(c.a, c.b, c.gb, &merge);
	assert_int_equal(merge.fresh, 2 + 5);
	assert_int_equal(pool_size(c.b), 0);
	vd_batch_deinit(&batch);
	vd_group_free(gt);
	vd_store_close(t);
	end(&c);
}

/* Made-up authors sign what they like: the pool stays bounded, a double in a batch takes no place, and one batch never
 * pushes out everything. */
static void test_hostile__pool_is_bounded(void **state)
{
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct cast c;

	start(&c, *state);
	strangers(&c, 0, 10, false, &batch);
	strangers(&c, 0, 10, false, &batch);
	assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
	assert_int_equal(pool_size(c.b), 10);
	for (uint32_t i = 0; i < 3; i++) {
		vd_batch_reset(&batch);
		strangers(&c, 100 + i * 2100, 2100, false, &batch);
		memset(&merge, 0, sizeof(merge));
		assert_int_equal(vd_store_merge(c.b, c.gb, &batch, &merge), 0);
		assert_int_equal(merge.pooled, VD_POOL_RECORDS / 2);
		assert_int_equal(merge.declined, 2100 - VD_POOL_RECORDS / 2);
	}
	assert_int_equal(pool_size(c.b), VD_POOL_RECORDS);
	vd_batch_deinit(&batch);
	end(&c);
}

/* --- what the disk spoils --- */

enum how { SHORTENED, FLIPPED, MARKED_STUB, UNKNOWN_SEAL, GONE };

struct spoiling {
	struct vd_db *db;
	uint64_t arrival;
	enum how how;
};

static int spoil(void *ctx, MDB_txn *txn)
{
	const struct spoiling *x = ctx;
	uint8_t key[8], copy[4096];
	MDB_val k = { sizeof(key), key }, v;
	int rc;

	vd_set_u64(key, x->arrival);
	rc = mdb_get(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, &v);
	if (rc || v.mv_size > sizeof(copy))
		return VD_ECAP;
	if (x->how == GONE)
		return mdb_del(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, NULL);
	memcpy(copy, v.mv_data, v.mv_size);
	v.mv_data = copy;
	if (x->how == SHORTENED)
		v.mv_size = 20;
	else if (x->how == FLIPPED)
		copy[v.mv_size - 1] ^= 1;
	else if (x->how == MARKED_STUB)
		copy[1] ^= VD_STORED_STUB;
	else
		copy[0] ^= 0x40;
	return mdb_put(txn, vd_db_table(x->db, VD_TABLE_RECORDS), &k, &v, 0);
}

static void spoil_at(struct vd_store *s, uint64_t arrival, enum how how)
{
	struct spoiling x = { s->db, arrival, how };

	assert_int_equal(vd_db_lock(s->db), 0);
	assert_int_equal(vd_db_change(s->db, spoil, &x), 0);
	vd_db_unlock(s->db);
}

/* A good copy takes the place of a spoilt record, which is counted once. */
/* How many of three in a run are lost by that? The last byte is the last one's, where it is not sealed. */
static size_t lost(enum how how, bool together)
{
	return !together || (how == FLIPPED && !rest_secret()) ? 1 : 3;
}

static void mended(void **state, enum how how, bool had_body, bool comes_with_body, bool together)
{
	size_t bad = lost(how, together), which = together ? 2 : 1;
	struct vd_batch whole = { 0 }, stubs = { 0 }, some = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_lane_state lane;
	uint64_t arrival, after;
	struct cast c;

	start(&c, *state);
	for (int i = 0; i < 3; i++)
		cast_add(c.a, c.ga, "hola", NULL);
	cast_gather(c.a, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	for (size_t i = 0; i < whole.count; i++)
		cut(whole.entries[i].record.raw, &stubs);
	vd_batch_seal(&stubs);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(vd_batch_add(&some, (had_body ? &whole : &stubs)->entries[i].record.raw), 0);
		if (together && i < 2)
			continue;
		assert_int_equal(vd_store_merge(c.b, c.gb, &some, &merge), 0);
		vd_batch_reset(&some);
	}
	assert_int_equal(merge.fresh, 3);
	assert_int_equal(vd_store_find(c.b, &whole.entries[which].record.id, &arrival), 0);
	spoil_at(c.b, arrival, how);

	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, comes_with_body ? &whole : &stubs, &merge), 0);
	assert_int_equal(merge.fresh, 0);
	assert_int_equal(merge.filled, had_body || !comes_with_body ? bad : 3);
	assert_int_equal(vd_store_find(c.b, &whole.entries[which].record.id, &after), 0);
	assert_int_equal(after, arrival);
	cast_same_lanes(c.a, c.b, c.id);
	assert_int_equal(vd_store_lane(c.b, c.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 3);
	assert_int_equal(lane.wanted.count, comes_with_body ? 0 : had_body ? bad : 3);

	/* And then there is nothing to mend. */
	memset(&merge, 0, sizeof(merge));
	assert_int_equal(vd_store_merge(c.b, c.gb, &stubs, &merge), 0);
	assert_int_equal(merge.known, 3);
	vd_batch_deinit(&some);
	vd_batch_deinit(&whole);
	vd_batch_deinit(&stubs);
	end(&c);
}

static void test_hostile__spoilt_record_is_mended_in_place(void **state)
{
	struct cast_place *p = *state;
	struct cast_place at;
	int turn = 0;

	for (enum how how = SHORTENED; how <= GONE; how++) {
		for (int bodies = 0; bodies < 8; bodies++, turn++) {
			void *place = &at;

			snprintf(at.home, sizeof(at.home), "%s/%da", p->top, turn);
			snprintf(at.other, sizeof(at.other), "%s/%db", p->top, turn);
			mended(&place, how, bodies & 1, bodies & 2, bodies & 4);
		}
	}
}

/* --- copies of a device --- */

static bool seen_elsewhere(struct vd_store *s, struct vd_group *g)
{
	uint64_t noticed_ms;
	int rc = vd_store_elsewhere(s, vd_group_id(g), vd_group_identity(g)->author, &noticed_ms);

	assert_true(rc == 0 || rc == VD_ENOTFOUND);
	return !rc;
}

/* Whoever stole a copy of b's store sends it a record of that seq and time; what b writes next. */
static struct vd_record after_forged(struct cast *c, uint8_t lane, uint64_t seq, uint64_t time_ms, struct vd_buf *raw)
{
	struct vd_record_fields fields = { .lane = lane, .seq = seq, .time_ms = time_ms };
	struct vd_merge merge;
	struct vd_record r;
	struct vd_write *w;
	uint64_t arrival;
	struct vd_id id;

	forge_as(c->gb, fields, false, raw, &id);
	merge_raw(c, raw, &merge);
	assert_int_equal(merge.fresh, 1);
	assert_true(seen_elsewhere(c->b, c->gb));
	assert_int_equal(vd_write_begin(c->b, &w), 0);
	assert_int_equal(cast_own_kind(w, c->gb, lane, "message", "sigo aquí", NULL, vd_now_ms(), &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_find(c->b, &id, &arrival), 0);
	assert_int_equal(vd_store_read(c->b, arrival, raw, &r, NULL), 0);
	assert_true(r.time_ms <= vd_now_ms() + VD_FOLLOW_MS);
	return r;
}

/* A copy in the wrong hands neither uses up the seq numbers of the device nor moves its clock. */
static void test_hostile__a_copy_cannot_stop_the_device(void **state)
{
	const uint64_t most = (UINT64_C(1) << 53) - 1;
	struct vd_buf raw = { 0 };
	struct vd_record r;
	struct vd_merge merge;
	struct cast c;

	start(&c, *state);
	cast_add(c.b, c.gb, "uno", NULL);
	assert_false(seen_elsewhere(c.b, c.gb));
	for (uint8_t lane = VD_LANE_URGENT; lane < VD_LANES; lane++) {
		r = after_forged(&c, lane, most, most, &raw);
		assert_int_equal(r.seq, lane == VD_LANE_NORMAL ? 2 : 1);
		assert_int_equal(r.has_prev, r.seq > 1);
	}
	r = after_forged(&c, VD_LANE_BULK, 2 + VD_FOLLOW_SEQ, 4102444800000, &raw); /* the year 2100 */
	assert_int_equal(r.seq, 2);
	r = after_forged(&c, VD_LANE_BULK, 2 + VD_FOLLOW_SEQ - 1, cast_now, &raw);
	assert_int_equal(r.seq, 2 + VD_FOLLOW_SEQ);
	cast_carry(c.b, c.a, c.ga, &merge);
	cast_same_lanes(c.a, c.b, c.id);
	assert_false(seen_elsewhere(c.a, c.ga));
	vd_buf_deinit(&raw);
	end(&c);
}

/* A home is copied; both go on writing under one name, and meet others by turns. */
static void test_hostile__copied_home_goes_on(void **state)
{
	const struct cast_place *p = *state;
	char command[512], path[160];
	struct vd_merge merge;
	struct vd_store *twin;
	struct vd_group *gt;
	struct cast c;

	start(&c, p);
	cast_add(c.b, c.gb, "antes", NULL);
	vd_group_free(c.gb);
	vd_store_close(c.b);
	snprintf(path, sizeof(path), "%s.twin", p->other);
	snprintf(command, sizeof(command), "cp -r %s %s", p->other, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(p->other, &c.b), 0);
	assert_int_equal(vd_store_group(c.b, c.id, &c.gb), 0);
	assert_int_equal(vd_store_open(path, &twin), 0);
	assert_int_equal(vd_store_group(twin, c.id, &gt), 0);

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 3 + round; i++)
			cast_add(c.b, c.gb, "de uno", NULL);
		for (int i = 0; i < 5; i++)
			cast_add(twin, gt, "del otro", NULL);
		cast_carry(c.b, c.a, c.ga, &merge);
		assert_int_equal(merge.fresh, round ? 3 + round : 4);
		cast_carry(twin, c.a, c.ga, &merge);
		assert_int_equal(merge.fresh, 5);
		cast_carry(c.a, c.b, c.gb, &merge);
		assert_int_equal(merge.fresh, 5);
		cast_carry(c.a, twin, gt, &merge);
		assert_int_equal(merge.fresh, 3 + round);
		cast_same_lanes(c.a, c.b, c.id);
		cast_same_lanes(c.a, twin, c.id);
	}
	assert_true(seen_elsewhere(c.b, c.gb));
	assert_true(seen_elsewhere(twin, gt));
	assert_false(seen_elsewhere(c.a, c.ga));
	vd_group_free(gt);
	vd_store_close(twin);
	end(&c);
}

/* Own records that a bad disk took, and that others bring back, are no sign of a copy. */
static void test_hostile__what_was_lost_here_is_no_copy(void **state)
{
	struct vd_id ids[5];
	struct vd_check check;
	struct vd_merge merge;
	uint64_t arrival;
	struct cast c;

	start(&c, *state);
	for (int i = 0; i < 5; i++)
		cast_add(c.a, c.ga, "hola", &ids[i]);
	cast_carry(c.a, c.b, c.gb, &merge);
	for (int i = 1; i < 5; i += i == 2 ? 2 : 1) { /* two of the middle, and the last */
		assert_int_equal(vd_store_find(c.a, &ids[i], &arrival), 0);
		spoil_at(c.a, arrival, FLIPPED);
	}
	assert_int_equal(vd_check(c.a, true, &check), 0);
	assert_int_equal(check.bad, 3);
	cast_carry(c.b, c.a, c.ga, &merge);
	assert_int_equal(merge.fresh, 3);
	assert_false(seen_elsewhere(c.a, c.ga));
	cast_same_lanes(c.a, c.b, c.id);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hostile__who_cannot_vouch_is_not_asked, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__naming_what_is_no_predecessor, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__junk_does_not_fill_the_pool, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__pool_is_bounded, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__a_copy_cannot_stop_the_device, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__copied_home_goes_on, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__what_was_lost_here_is_no_copy, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_hostile__spoilt_record_is_mended_in_place, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
