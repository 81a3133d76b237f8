#include "tests/unit/view_cast.h"
#include "store/standing.h"

static void member_with_records(struct village *v, const struct cast_place *p, size_t *coordinator, size_t *member)
{
	village_start(v, p);
	*coordinator = village_join(v, VD_ROLE_COORDINATOR, 2);
	*member = village_join(v, VD_ROLE_MEMBER, 3);
	village_say(v, *member, "m1");
	village_say(v, *member, "m2");
	village_say(v, 0, "f1");
	village_say(v, *member, "m3");
	village_sync(v);
}

static void test_standing__removed_authors_go_to_quarantine_but_for_what_was_accepted(void **state)
{
	size_t coordinator, member;
	struct village v;
	struct vd_query by_author;

	member_with_records(&v, *state, &coordinator, &member);
	village_shows(&v, 0, "m1 m2 f1 m3 ");
	village_quarantines(&v, 0, "");
	village_revoke(&v, 0, member, (const char *const[]){ "m2", NULL });
	village_say(&v, member, "m4"); /* does not know yet */
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		by_author = (struct vd_query){ .author = village_author(&v, member) };
		village_shows(&v, i, "m1 m2 f1 ");
		village_quarantines(&v, i, "m3? m4? ");
		village_holds(&v, i, "m1 m2 f1 m3? m4? ");
		for (size_t q = 0; q < 3; q++) {
			static const char *const expected[] = { "m1 m2 ", "m1 m2 m3? m4? ", "m3? m4? " };
			struct village_view view;

			by_author.hidden = q > 0;
			by_author.quarantined = q > 1;
			village_text(&v, i, &by_author, &view);
			assert_string_equal(view.text, expected[q]);
		}
	}
	village_end(&v);
}

static void test_standing__nothing_accepted_hides_all_and_limit_counts_what_is_shown(void **state)
{
	size_t coordinator, member;
	struct village_view view;
	struct village v;

	member_with_records(&v, *state, &coordinator, &member);
	village_revoke(&v, coordinator, member, NULL);
	village_sync(&v);
	village_shows(&v, 0, "f1 ");
	village_text(&v, 0, &(struct vd_query){ .limit = 1 }, &view);
	assert_string_equal(view.text, "f1 ");
	village_text(&v, 0, &(struct vd_query){ .kind = "message", .quarantined = true, .limit = 2 }, &view);
	assert_string_equal(view.text, "m2? m3? ");
	village_text(&v, 0, &(struct vd_query){ .kind = "message", .has_since = true, .since_ms = cast_now, .has_until = true, .until_ms = v.clock },
	             &view);
	assert_string_equal(view.text, "f1 ");
	village_end(&v);
}

/* The chain is walked as far as it is here, and on when what was missing comes, in whatever order. */
static void test_standing__gaps_fill_later(void **state)
{
	size_t coordinator, member;
	struct village v;

	village_start(&v, *state);
	coordinator = village_join(&v, VD_ROLE_COORDINATOR, 2);
	member = village_join(&v, VD_ROLE_MEMBER, 3);
	for (int i = 1; i <= 6; i++) {
		char name[8];

		snprintf(name, sizeof(name), "m%d", i);
		village_say(&v, member, name);
	}
	village_carry(&v, 0, coordinator);
	village_carry(&v, coordinator, 0);
	village_revoke(&v, 0, member, (const char *const[]){ "m5", NULL });
	village_shows(&v, 0, "");
	village_hand(&v, member, 0, "m3", false);
	village_hand(&v, member, 0, "m6", false);
	village_shows(&v, 0, "");
	village_quarantines(&v, 0, "m3? m6? ");
	village_hand(&v, member, 0, "m5", true); /* a stub leads on as well */
	village_shows(&v, 0, "m5 ");
	village_hand(&v, member, 0, "m1", false);
	village_quarantines(&v, 0, "m1? m3? m6? ");
	village_hand(&v, member, 0, "m4", false);
	village_shows(&v, 0, "m3 m4 m5 ");
	village_quarantines(&v, 0, "m1? m6? ");
	village_hand(&v, member, 0, "m2", false);
	village_shows(&v, 0, "m1 m2 m3 m4 m5 ");
	village_sync(&v);
	village_shows(&v, coordinator, "m1 m2 m3 m4 m5 ");
	village_end(&v);
}

/* What comes while a removal does not count is found when it counts again: nobody followed the chain meanwhile. */
static void test_standing__gap_filled_while_restored(void **state)
{
	size_t coordinator, member;
	struct village v;

	village_start(&v, *state);
	coordinator = village_join(&v, VD_ROLE_COORDINATOR, 2);
	member = village_join(&v, VD_ROLE_MEMBER, 3);
	village_say(&v, member, "m1");
	village_say(&v, member, "m2");
	village_say(&v, member, "m3");
	village_revoke(&v, 0, member, (const char *const[]){ "m3", NULL });
	village_hand(&v, member, 0, "m1", false);
	village_hand(&v, member, 0, "m3", false);
	village_quarantines(&v, 0, "m1? ");
	village_restore(&v, 0, member);
	village_shows(&v, 0, "m1 m3 ");
	village_hand(&v, member, 0, "m2", false);
	village_shows(&v, 0, "m1 m2 m3 ");
	village_revoke(&v, 0, member, (const char *const[]){ "m3", NULL });
	village_shows(&v, 0, "m1 m2 m3 ");
	village_sync(&v);
	village_shows(&v, coordinator, "m1 m2 m3 ");
	village_end(&v);
}

/* Both ends of a chain written twice from one backup: only what leads to the head that was named is accepted. */
static void test_standing__forks(void **state)
{
	size_t member;
	struct village v;
	char command[512];

	village_start(&v, *state);
	member = village_join(&v, VD_ROLE_MEMBER, 3);
	village_say(&v, member, "m1");
	vd_group_free(v.g[member]);
	vd_store_close(v.s[member]);
	snprintf(command, sizeof(command), "cp -r %s %s/copy", v.home[member], v.place->top);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(v.home[member], &v.s[member]), 0);
	assert_int_equal(vd_store_group(v.s[member], v.id, &v.g[member]), 0);
	snprintf(v.home[v.count], sizeof(v.home[0]), "%s/copy", v.place->top);
	assert_int_equal(vd_store_open(v.home[v.count], &v.s[v.count]), 0);
	assert_int_equal(vd_store_group(v.s[v.count], v.id, &v.g[v.count]), 0);
	v.count++;
	village_say(&v, member, "a2");
	village_say(&v, member, "a3");
	village_say(&v, v.count - 1, "b2");
	village_say(&v, v.count - 1, "b3");
	village_carry(&v, member, 0);
	village_carry(&v, v.count - 1, 0);
	village_revoke(&v, 0, member, (const char *const[]){ "a3", NULL });
	village_shows(&v, 0, "m1 a2 a3 ");
	village_quarantines(&v, 0, "b2? b3? ");
	village_end(&v);
}

/* What a revocation accepted can be left aside all the same: a coordinator who looked at it knows more than who drew the line. */
static void test_standing__left_though_it_was_accepted(void **state)
{
	size_t coordinator, member;
	struct village v;

	member_with_records(&v, *state, &coordinator, &member);
	village_revoke(&v, 0, member, (const char *const[]){ "m2", NULL });
	village_review(&v, coordinator, "m2", false);
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		village_shows(&v, i, "m1 f1 ");
		village_quarantines(&v, i, "m2?left m3? ");
	}
	village_review(&v, 0, "m2", true);
	village_sync(&v);
	village_shows(&v, 0, "m1 m2accepted f1 ");
	village_end(&v);
}

static void test_standing__review(void **state)
{
	size_t coordinator, member;
	struct village v;

	member_with_records(&v, *state, &coordinator, &member);
	village_revoke(&v, 0, member, NULL);
	village_review(&v, 0, "m1", true);
	village_review(&v, 0, "m2", false);
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		village_shows(&v, i, "m1accepted f1 ");
		village_quarantines(&v, i, "m2?left m3? ");
	}
	village_review(&v, coordinator, "m1", false); /* the last word counts */
	village_review(&v, coordinator, "m3", true);
	village_sync(&v);
	village_shows(&v, 0, "f1 m3accepted ");
	village_quarantines(&v, 0, "m1?left m2?left ");
	village_end(&v);
}

static void test_standing__restored(void **state)
{
	size_t coordinator, member;
	struct village v;

	member_with_records(&v, *state, &coordinator, &member);
	village_revoke(&v, 0, member, (const char *const[]){ "m1", NULL });
	village_sync(&v);
	village_shows(&v, 0, "m1 f1 ");
	village_restore(&v, 0, member);
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		village_shows(&v, i, "m1 m2 f1 m3 ");
		village_quarantines(&v, i, "");
	}
	village_end(&v);
}

/* Two coordinators remove each other: first the more senior one's act counts; a third one's approval turns it. */
static void test_standing__a_duel_turned_by_an_approval(void **state)
{
	size_t senior, junior, third;
	struct vd_id by_junior;
	struct village v;

	village_start(&v, *state);
	senior = village_join(&v, VD_ROLE_COORDINATOR, 2);
	junior = village_join(&v, VD_ROLE_COORDINATOR, 3);
	third = village_join(&v, VD_ROLE_COORDINATOR, 4);
	village_say(&v, senior, "s1");
	village_say(&v, junior, "j1");
	village_say(&v, 0, "f1");
	village_sync(&v);
	village_revoke(&v, senior, junior, NULL);
	by_junior = village_revoke(&v, junior, senior, NULL);
	village_carry(&v, senior, 0);
	village_shows(&v, 0, "s1 f1 ");
	village_quarantines(&v, 0, "j1? ");
	village_sync(&v);
	village_shows(&v, third, "s1 f1 ");
	village_approve(&v, third, &by_junior);
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		village_shows(&v, i, "j1 f1 ");
		village_quarantines(&v, i, "s1? ");
	}
	village_end(&v);
}

static int keep_found(void *ctx, const struct vd_found *found)
{
	struct vd_found *out = ctx;

	*out = *found;
	return 0;
}

static void test_standing__one_is_shown_whatever_it_is_worth(void **state)
{
	size_t coordinator, member;
	struct vd_found found;
	struct village v;
	uint64_t arrival;
	struct vd_id id;

	member_with_records(&v, *state, &coordinator, &member);
	id = village_find(&v, "m1");
	assert_int_equal(vd_store_find(v.s[0], &id, &arrival), 0);
	assert_int_equal(vd_query_one(v.s[0], arrival, keep_found, &found), 0);
	assert_int_equal(found.standing, VD_STANDING_SHOWN);
	village_revoke(&v, 0, member, NULL);
	village_review(&v, 0, "m1", false);
	assert_int_equal(vd_query_one(v.s[0], arrival, keep_found, &found), 0);
	assert_int_equal(found.standing, VD_STANDING_QUARANTINED);
	assert_int_equal(found.review, VD_REVIEW_LEFT);
	village_restore(&v, 0, member);
	assert_int_equal(vd_query_one(v.s[0], arrival, keep_found, &found), 0);
	assert_int_equal(found.standing, VD_STANDING_SHOWN);
	id = village_find(&v, "m2");
	village_redact(&v, member, "m2", "rm2");
	village_carry(&v, member, 0);
	assert_int_equal(vd_store_find(v.s[0], &id, &arrival), 0);
	assert_int_equal(vd_query_one(v.s[0], arrival, keep_found, &found), 0);
	assert_int_equal(found.standing, VD_STANDING_REDACTED);
	id = village_find(&v, "rm2");
	assert_memory_equal(&found.redaction, &id, sizeof(id));
	village_end(&v);
}

/* What its author's own software would not write: sealed with the founder's keys, signed by the author, for `to`. */
static void forge(struct village *v, size_t by, size_t to, const char *name)
{
	const struct vd_identity *author = vd_group_identity(v->g[by]);
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = ++v->clock };
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(name) } };
	uint8_t nonce[VD_BODY_NONCE_BYTES] = { 1 };
	struct vd_buf content = { 0 }, body = { 0 }, raw = { 0 };
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_id id;

	memcpy(fields.group, v->id, VD_GROUP_BYTES);
	memcpy(fields.author, author->author, VD_KEY_BYTES);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	assert_int_equal(vd_group_seal_body(v->g[0], &fields, VD_AUDIENCE_EVERYONE, nonce, vd_buf_slice(&content), &body), 0);
	assert_int_equal(vd_record_create(&fields, vd_buf_slice(&body), author->author_secret, &raw, &id), 0);
	village_name(v, &id, name);
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_store_merge(v->s[to], v->g[to], &batch, &merge), 0);
	assert_int_equal(merge.fresh, 1);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&content);
	vd_buf_deinit(&body);
	vd_buf_deinit(&raw);
}

/* A reporter writes only named, a courier nothing: whatever they send. */
static void test_standing__what_a_role_does_not_allow(void **state)
{
	size_t courier, reporter;
	struct village v;

	village_start(&v, *state);
	reporter = village_join(&v, VD_ROLE_REPORTER, 2);
	courier = village_join(&v, VD_ROLE_COURIER, 3);
	village_say(&v, 0, "f1");
	village_sync(&v);
	forge(&v, reporter, 0, "r1");
	forge(&v, courier, 0, "c1");
	village_sync(&v);
	for (size_t i = 0; i < v.count; i++) {
		village_shows(&v, i, "f1 ");
		village_holds(&v, i, "f1 r1! c1! ");
		village_quarantines(&v, i, "");
	}
	village_revoke(&v, 0, courier, NULL);
	village_holds(&v, 0, "f1 r1! c1? ");
	village_end(&v);
}

static size_t unopened(const struct village *v, size_t i)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	size_t count = 0;
	MDB_txn *txn;

	vd_list_key(v->s[i], "unopened", NULL, 0, list);
	assert_int_equal(vd_db_read(v->s[i]->db, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, vd_db_table(v->s[i]->db, VD_TABLE_LISTS), &cursor), 0);
	while (!vd_list_next(cursor, list, &arrival))
		count++;
	mdb_cursor_close(cursor);
	vd_db_done(v->s[i]->db, txn);
	return count;
}

/* A reporter's words, sealed to somebody who is no focal point, open by themselves when that one becomes one; what is sealed to others is
 * never tried again. */
static void test_standing__opens_when_roles_change(void **state)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("x") } };
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = 1, .time_ms = cast_now };
	struct vd_buf content = { 0 }, body = { 0 }, raw = { 0 }, ad = { 0 };
	uint8_t nonce[VD_BODY_NONCE_BYTES] = { 1 }, seed[VD_BODY_SEED_BYTES] = { 2 };
	uint8_t person[VD_PERSON_BYTES] = { 3 };
	struct vd_query messages = { .kind = "message" };
	size_t reporter, member, other;
	struct village_view view;
	struct vd_batch batch = { 0 };
	struct vd_merge merge;
	struct vd_card card;
	struct village v;
	struct vd_id id;

	village_start(&v, *state);
	reporter = village_join(&v, VD_ROLE_REPORTER, 2);
	member = village_join(&v, VD_ROLE_MEMBER, 3);
	other = village_join(&v, VD_ROLE_MEMBER, 4);
	village_sync(&v);
	memcpy(fields.group, v.id, VD_GROUP_BYTES);
	memcpy(fields.author, village_author(&v, reporter), VD_KEY_BYTES);
	vd_record_ad(&fields, &ad);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	assert_int_equal(vd_body_seal_named(vd_group_current_epoch(v.g[0]),
	                                    (const uint8_t(*)[VD_KEY_BYTES])vd_group_find(v.g[0], village_author(&v, member))->box, 1, nonce,
	                                    seed, vd_buf_slice(&ad), vd_buf_slice(&content), &body),
	                 0);
	assert_int_equal(vd_record_create(&fields, vd_buf_slice(&body), vd_group_identity(v.g[reporter])->author_secret, &raw, &id), 0);
	village_name(&v, &id, "r1");
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	for (size_t i = 0; i < v.count; i++) {
		memset(&merge, 0, sizeof(merge));
		assert_int_equal(vd_store_merge(v.s[i], v.g[i], &batch, &merge), 0);
		village_shows(&v, i, "r1 ");
		village_text(&v, i, &messages, &view);
		assert_string_equal(view.text, "");
		assert_int_equal(unopened(&v, i), i == member);
	}
	assert_int_equal(vd_card_create(vd_group_identity(v.g[member]), &card), 0);
	vd_buf_reset(&content);
	assert_int_equal(vd_group_make_grant(v.g[0], &card, person, VD_ROLE_MEMBER, VD_GRANT_FOCAL, "Inés", nonce, &content), 0);
	village_act(&v, 0, &content);
	village_sync(&v);
	village_text(&v, member, &messages, &view);
	assert_string_equal(view.text, "r1 ");
	assert_int_equal(unopened(&v, member), 0);
	village_text(&v, other, &messages, &view);
	assert_string_equal(view.text, "");
	vd_batch_deinit(&batch);
	vd_buf_deinit(&body);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&ad);
	village_end(&v);
}

/* A chain longer than one transaction follows. */
static void test_standing__long_chains(void **state)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("x") } };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_EVERYONE, .now_ms = cast_now };
	enum { MANY = 20000 };
	struct vd_buf content = { 0 };
	struct vd_index_state before;
	struct vd_judged judged;
	struct vd_standings st;
	struct vd_record record;
	struct vd_buf raw = { 0 };
	struct vd_write *w;
	struct village v;
	struct vd_id id;
	size_t member;
	bool current;

	village_start(&v, *state);
	member = village_join(&v, VD_ROLE_MEMBER, 3);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(v.s[member], &w), 0);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(vd_write_own(w, v.g[member], &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	village_name(&v, &id, "last");
	village_carry(&v, member, 0);
	village_revoke(&v, 0, member, (const char *const[]){ "last", NULL });
	assert_int_equal(vd_index_catch_up(v.s[0]), 0);
	assert_int_equal(vd_index_current(v.s[0], &before, &current), 0);
	assert_true(current);
	assert_int_equal(vd_standings_init(&st, v.s[0]), 0);
	for (uint64_t arrival = 1; arrival <= MANY; arrival += 997) {
		if (vd_store_read(v.s[0], arrival, &raw, &record, NULL))
			continue;
		assert_int_equal(vd_standing_of(&st, v.g[0], arrival, &record, &judged), 0);
		assert_int_equal(judged.standing, VD_STANDING_SHOWN);
	}
	vd_standings_deinit(&st);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&content);
	village_end(&v);
}

/* A repair makes everything anew that follows from records. */
static void test_standing__survives_a_repair(void **state)
{
	size_t coordinator, member;
	struct vd_check check;
	struct village v;
	MDB_txn *txn;
	bool right;
	struct vd_write *w;

	member_with_records(&v, *state, &coordinator, &member);
	village_redact(&v, 0, "f1", "rf1");
	village_revoke(&v, 0, member, (const char *const[]){ "m2", NULL });
	village_holds(&v, 0, "m1 m2 f1/rf1 m3? rf1 ");
	/* Something that does not follow: accepted is nothing. */
	assert_int_equal(vd_write_begin(v.s[0], &w), 0);
	{
		struct vd_slice parts[] = { vd_slice(v.id, VD_GROUP_BYTES), vd_slice(village_author(&v, member), VD_KEY_BYTES) };
		struct vd_buf value = { 0 };

		assert_int_equal(vd_value_read(v.s[0], "accepted", parts, 2, &value), 0);
		value.n = VD_INDEX_KEY_BYTES + 1 + 4;
		value.p[value.n - 1] = 0;
		vd_effects_value(&w->effects, v.s[0], "accepted", parts, 2, vd_buf_slice(&value));
		vd_buf_deinit(&value);
	}
	assert_int_equal(vd_write_commit(w), 0);
	village_quarantines(&v, 0, "m1? m2? m3? ");
	assert_int_equal(vd_check(v.s[0], false, &check), 0);
	assert_int_equal(check.derived_bad, 1);
	assert_int_equal(vd_check(v.s[0], true, &check), 0);
	village_holds(&v, 0, "m1 m2 f1/rf1 m3? rf1 ");
	assert_int_equal(vd_db_read(v.s[0]->db, &txn), 0);
	assert_int_equal(vd_followed_check(v.s[0], txn, v.g[0], village_author(&v, member), &right), 0);
	vd_db_done(v.s[0]->db, txn);
	assert_true(right);
	village_end(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_standing__removed_authors_go_to_quarantine_but_for_what_was_accepted, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__nothing_accepted_hides_all_and_limit_counts_what_is_shown, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__gaps_fill_later, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__gap_filled_while_restored, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__forks, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__left_though_it_was_accepted, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__review, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__restored, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__a_duel_turned_by_an_approval, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__one_is_shown_whatever_it_is_worth, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__what_a_role_does_not_allow, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__opens_when_roles_change, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__long_chains, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_standing__survives_a_repair, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
