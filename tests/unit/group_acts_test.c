/* Which acts count: removal, duels, second voices, restoring, and what was accepted. */
#include "group_cast.h"

/* ---- removal ---- */

static void test_group_acts__removed_device_has_no_role(void **state)
{
	struct vd_id revoke, accepted = {{7}};
	const struct vd_id *ids;
	const struct vd_device *d;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 0, 2, VD_ROLE_MEMBER);
	grants(&c, 1, 3, VD_ROLE_REPORTER);
	hear_all(&c);
	revoke = revokes_but(&c, 0, 2, NULL, &accepted, 1);
	assert_roles(&c, "CC-R");
	d = vd_group_find(c.views[3], c.actors[2].identity.author);
	assert_true(d->removed);
	assert_memory_equal(d->revoke.b, revoke.b, sizeof(revoke.b));
	assert_int_equal(d->most, VD_ROLE_MEMBER);
	assert_true(vd_group_is_author(c.views[3], d->author));
	assert_int_equal(vd_group_accepted(c.views[3], d->author, 0, &ids), 1);
	assert_memory_equal(ids, &accepted, sizeof(accepted));
	assert_int_equal(vd_group_accepted(c.views[3], d->author, 1, &ids), 0);
	assert_int_equal(vd_group_accepted(c.views[3], c.actors[3].identity.author, 0, &ids), 0);
	assert_int_equal(act_of(c.views[3], revoke)->kind, VD_ACT_REVOKE);
	assert_true(act_of(c.views[3], revoke)->counts);
	assert_memory_equal(act_of(c.views[3], revoke)->device, d->author, VD_KEY_BYTES);
	assert_null(act_of(c.views[3], revoke)->person);
	cast_end(&c);
}

static void test_group_acts__heads_of_two_revocations(void **state)
{
	struct vd_id first[2] = {{{7}}, {{3}}}, second[2] = {{{5}}, {{7}}};
	const struct vd_id *ids;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 0, 2, VD_ROLE_MEMBER);
	hear_all(&c);
	revokes_but(&c, 0, 2, NULL, first, 2);
	revokes_but(&c, 1, 2, NULL, second, 2);
	assert_roles(&c, "CC-");
	assert_int_equal(vd_group_accepted(c.views[2], c.actors[2].identity.author, 0, &ids), 3);
	assert_int_equal(ids[0].b[0], 3);
	assert_int_equal(ids[1].b[0], 5);
	assert_int_equal(ids[2].b[0], 7);
	cast_end(&c);
}

/* Whoever removes the member removes the devices that others admit at the same time, and not those admitted later. */
static void test_group_acts__device_or_person(void **state)
{
	struct cast c;

	for (int whole = 0; whole < 2; whole++) {
		(void)state;
		cast_begin(&c, 1);
		grants(&c, 0, 2, VD_ROLE_MEMBER);
		hear_all(&c);
		grant_as(&c, 1, 3, VD_ROLE_MEMBER, c.actors[2].person, 0);
		revokes_but(&c, 0, 2, whole ? c.actors[2].person : NULL, NULL, 0);
		assert_roles(&c, whole ? "CC--" : "CC-M");
		assert_int_equal(vd_group_find(c.views[0], c.actors[3].identity.author)->removed, whole);
		grant_as(&c, 1, 4, VD_ROLE_MEMBER, c.actors[2].person, 0);
		assert_roles(&c, whole ? "CC--M" : "CC-MM");
		cast_end(&c);
	}
}

/* What a removed coordinator granted without the remover's knowing does not count; what was accepted does. */
static void test_group_acts__grants_of_the_removed(void **state)
{
	struct vd_id accepted;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	grants(&c, 1, 3, VD_ROLE_MEMBER);
	accepted = admits(&c, 1, 4, VD_ROLE_COORDINATOR);
	hear_all(&c);
	grants(&c, 4, 5, VD_ROLE_COURIER);
	grants(&c, 1, 6, VD_ROLE_MEMBER);
	revokes_but(&c, 0, 1, NULL, &accepted, 1);
	assert_roles(&c, "C-CMCK-");
	assert_false(vd_group_find(c.views[0], c.actors[6].identity.author)->removed);
	assert_int_equal(vd_group_find(c.views[0], c.actors[6].identity.author)->most, VD_ROLE_NONE);
	assert_true(vd_group_is_author(c.views[0], c.actors[6].identity.author));
	/* Somebody else may admit who was not. */
	grants(&c, 2, 6, VD_ROLE_MEMBER);
	assert_roles(&c, "C-CMCKM");
	cast_end(&c);
}

static void test_group_acts__removes_itself(void **state)
{
	struct vd_buf content = {0};
	struct vd_card card;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	revokes(&c, 1, 1);
	hear_all(&c);
	/* Its own grant, knowing that, does not bring it back: an honest program would not write it. */
	card = card_of(&c.actors[1]);
	assert_int_equal(vd_group_make_grant(c.views[0], &card, c.actors[1].person, VD_ROLE_COORDINATOR, 0, "one", nonce, &content), 0);
	say(&c, 1, &content);
	assert_roles(&c, "C-C");
	revokes(&c, 0, 0);
	assert_roles(&c, "--C");
	cast_end(&c);
}

/* ---- duels ---- */

static void test_group_acts__senior_wins_a_duel(void **state)
{
	struct vd_id lost, won;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	lost = revokes(&c, 2, 1);
	won = revokes(&c, 1, 2);
	grants(&c, 2, 3, VD_ROLE_MEMBER);
	assert_roles(&c, "CC--");
	assert_false(act_of(c.views[0], lost)->counts);
	assert_true(act_of(c.views[0], won)->counts);
	/* Without a duel the junior's counts as well. */
	cast_end(&c);
	cast_begin(&c, 2);
	revokes(&c, 2, 0);
	assert_roles(&c, "-CC");
	cast_end(&c);
}

static void test_group_acts__two_beat_the_founder(void **state)
{
	struct vd_id revoke;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	revoke = revokes(&c, 1, 0);
	revokes(&c, 0, 1);
	revokes(&c, 0, 2);
	assert_roles(&c, "C--");
	cast_end(&c);
	cast_begin(&c, 2);
	revoke = revokes(&c, 1, 0);
	revokes(&c, 0, 1);
	revokes(&c, 0, 2);
	history_replay(&c.history, c.views[2], NULL);
	approves(&c, 2, revoke);
	assert_roles(&c, "-CC");
	assert_true(act_of(c.views[0], revoke)->backed);
	assert_int_equal(act_of(c.views[0], revoke)->approvals, 1);
	cast_end(&c);
}

/* A second voice has to be another's: not the author's creature, nor two creatures of one. */
static void test_group_acts__creatures_do_not_back(void **state)
{
	struct vd_id revoke;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	admits(&c, 1, 3, VD_ROLE_COORDINATOR);
	admits(&c, 1, 4, VD_ROLE_COORDINATOR);
	hear_all(&c);
	admits(&c, 4, 5, VD_ROLE_COORDINATOR);
	hear_all(&c);
	revoke = revokes(&c, 1, 0);
	hear(&c, 3);
	approves(&c, 3, revoke);
	revoke = revokes(&c, 3, 0);
	hear(&c, 4);
	approves(&c, 4, revoke);
	hear(&c, 5);
	approves(&c, 5, revoke);
	approves(&c, 3, revoke);
	revokes(&c, 0, 1);
	revokes(&c, 0, 3);
	assert_roles(&c, "C-C-CC");
	assert_false(act_of(c.views[0], revoke)->backed);
	cast_end(&c);
}

/* One who was made coordinator by another line too is a voice of their own. */
static void test_group_acts__known_to_two_lines(void **state)
{
	struct vd_id revoke;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	admits(&c, 1, 3, VD_ROLE_COORDINATOR);
	hear_all(&c);
	grants(&c, 2, 3, VD_ROLE_COORDINATOR);
	hear_all(&c);
	revoke = revokes(&c, 1, 0);
	hear(&c, 3);
	approves(&c, 3, revoke);
	revokes(&c, 0, 1);
	assert_roles(&c, "-CCC");
	cast_end(&c);
}

/* Two devices of one person are one voice, and neither can say that the other is somebody else's. */
static void test_group_acts__one_person_is_one_voice(void **state)
{
	struct vd_id revoke;
	struct cast c;

	for (int other = 0; other < 2; other++) {
		(void)state;
		cast_begin(&c, 2);
		grant_as(&c, 0, 3, VD_ROLE_COORDINATOR, c.actors[1].person, 0);
		seals(&c, 0, 3);
		hear_all(&c);
		grant_as(&c, other ? 2 : 1, 3, VD_ROLE_MEMBER, c.actors[5].person, 0);
		hear_all(&c);
		revoke = revokes(&c, 1, 0);
		hear(&c, 3);
		approves(&c, 3, revoke);
		revokes(&c, 0, 1);
		revokes(&c, 0, 3);
		assert_roles(&c, other ? "-CCC" : "C-C-");
		cast_end(&c);
	}
}

/* What a removed coordinator forges afterwards, however early it says that it stands, makes no second voice and takes none away. */
static void test_group_acts__forged_later(void **state)
{
	struct vd_id revoke, forged;
	struct cast c;
	struct actor thief;

	(void)state;
	cast_begin(&c, 3);
	admits(&c, 2, 4, VD_ROLE_COORDINATOR);
	hear_all(&c);
	thief = c.actors[1];
	revoke = revokes(&c, 4, 1);
	hear(&c, 3);
	approves(&c, 3, revoke);
	hear_all(&c);
	/* Coordinator 1's key, and a view of before: it raises 4 and a creature of its own, and removes them all. */
	c.actors[1] = thief;
	c.actors[1].seq = 0;
	forget(&c, 1, 8);
	admits(&c, 1, 4, VD_ROLE_COORDINATOR);
	grant_as(&c, 1, 3, VD_ROLE_COORDINATOR, c.actors[4].person, 0);
	admits(&c, 1, 5, VD_ROLE_COORDINATOR);
	forged = revokes(&c, 1, 4);
	revokes(&c, 1, 3);
	revokes(&c, 1, 0);
	history_replay(&c.history, c.views[5], NULL);
	approves(&c, 5, forged);
	assert_roles(&c, "C-CCC-");
	cast_end(&c);
}

/* ---- restoring ---- */

static void test_group_acts__restore(void **state)
{
	struct vd_id revoke, restore;
	struct cast c;

	(void)state;
	/* By the one who removed, or a senior. */
	for (size_t by = 0; by < 2; by++) {
		cast_begin(&c, 3);
		revokes(&c, 1, 3);
		hear_all(&c);
		restores(&c, by, 3);
		assert_roles(&c, "CCCC");
		cast_end(&c);
	}
	/* By a junior it does not hold, until another voice approves. */
	cast_begin(&c, 3);
	revokes(&c, 1, 3);
	hear_all(&c);
	restore = restores(&c, 2, 3);
	assert_roles(&c, "CCC-");
	assert_true(act_of(c.views[0], restore)->counts);
	approves(&c, 1, restore);
	assert_roles(&c, "CCCC");
	cast_end(&c);
	/* Against two, two. */
	cast_begin(&c, 3);
	revoke = revokes(&c, 1, 3);
	hear(&c, 2);
	approves(&c, 2, revoke);
	hear_all(&c);
	restore = restores(&c, 0, 3);
	assert_roles(&c, "CCC-");
	restore = restores(&c, 1, 3);
	assert_roles(&c, "CCC-");
	approves(&c, 2, restore);
	assert_roles(&c, "CCCC");
	cast_end(&c);
}

static void test_group_acts__restore_gives_back_what_was(void **state)
{
	struct vd_buf content = {0};
	const struct vd_device *d;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grant_as(&c, 0, 2, VD_ROLE_REPORTER, c.actors[2].person, VD_GRANT_FOCAL);
	assert_int_equal(vd_group_make_restore(c.views[0], c.actors[2].identity.author, nonce, &content), VD_ENOTFOUND);
	revokes(&c, 0, 2);
	assert_roles(&c, "CC-");
	restores(&c, 0, 2);
	assert_roles(&c, "CCR");
	d = vd_group_find(c.views[0], c.actors[2].identity.author);
	assert_string_equal(d->name, "one");
	assert_true(d->focal);
	assert_int_equal(d->flags, VD_GRANT_FOCAL);
	assert_false(d->removed);
	assert_memory_equal(d->person, c.actors[2].person, VD_PERSON_BYTES);
	cast_end(&c);
}

/* Who comes back as a member coordinates no more. */
static void test_group_acts__comes_back_as_less(void **state)
{
	struct cast c;
	struct vd_id kept, grant;

	(void)state;
	cast_begin(&c, 1);
	kept = grants(&c, 1, 2, VD_ROLE_MEMBER);
	hear_all(&c);
	revokes_but(&c, 0, 1, NULL, &kept, 1);
	grants(&c, 0, 1, VD_ROLE_MEMBER);
	assert_roles(&c, "CMM");
	/* An honest program would not write it. */
	forget(&c, 1, 4);
	grant = grants(&c, 1, 3, VD_ROLE_MEMBER);
	assert_roles(&c, "CMM-");
	assert_false(act_of(c.views[0], grant)->counts);
	cast_end(&c);
}

/* ---- grants ---- */

static void test_group_acts__grants_only_widen(void **state)
{
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 0, 2, VD_ROLE_REPORTER);
	grants(&c, 0, 2, VD_ROLE_COURIER);
	assert_roles(&c, "CCR");
	grants(&c, 1, 2, VD_ROLE_MEMBER);
	assert_roles(&c, "CCM");
	cast_end(&c);
}

/* No junior's grant makes a device another person's, and nobody who was removed does. */
static void test_group_acts__person_stays(void **state)
{
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	grants(&c, 1, 3, VD_ROLE_MEMBER);
	hear_all(&c);
	grant_as(&c, 2, 3, VD_ROLE_MEMBER, c.actors[4].person, 0);
	hear_all(&c);
	assert_memory_equal(vd_group_find(c.views[0], c.actors[3].identity.author)->person, c.actors[3].person, VD_PERSON_BYTES);
	/* The member 4 is removed, and with it no one who was only said to be 4. */
	grants(&c, 0, 4, VD_ROLE_MEMBER);
	hear_all(&c);
	revokes_but(&c, 0, 4, c.actors[4].person, NULL, 0);
	assert_roles(&c, "CCCM-");
	/* Nor does the founder, removed by two, take everyone along as devices of its own person. */
	{
		size_t known;
		struct vd_id last = last_act(&c, 1, 0, &known), revoke = revokes_but(&c, 1, 0, c.actors[0].person, &last, known);

		hear(&c, 2);
		approves(&c, 2, revoke);
	}
	for (size_t i = 1; i < 4; i++)
		grant_as(&c, 0, i, VD_ROLE_COORDINATOR, c.actors[0].person, 0);
	assert_roles(&c, "-CCM-");
	for (size_t i = 1; i < 4; i++)
		assert_memory_equal(vd_group_find(c.views[4], c.actors[i].identity.author)->person, c.actors[i].person, VD_PERSON_BYTES);
	cast_end(&c);
}

static void test_group_acts__forked_and_focal(void **state)
{
	struct actor backup;
	struct cast c;

	(void)state;
	cast_begin(&c, 2);
	assert_true(vd_group_find(c.views[0], c.actors[2].identity.author)->focal);
	backup = c.actors[1];
	grant_as(&c, 1, 3, VD_ROLE_MEMBER, c.actors[3].person, VD_GRANT_FOCAL);
	c.actors[1] = backup;
	grants(&c, 1, 4, VD_ROLE_MEMBER);
	grant_as(&c, 1, 5, VD_ROLE_REPORTER, c.actors[3].person, 0);
	assert_roles(&c, "CCCMMR");
	assert_true(vd_group_find(c.views[0], c.actors[1].identity.author)->forked);
	assert_false(vd_group_find(c.views[0], c.actors[2].identity.author)->forked);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(vd_group_find(c.views[0], c.actors[i].identity.author)->focal, i == 3 || i == 5);
	cast_end(&c);
}

/* ---- creators ---- */

static void test_group_acts__creators_refuse(void **state)
{
	struct vd_removal removal = {.reason = "why"};
	struct vd_epoch_keys keys = {{{1}, {2}, {3}}};
	struct vd_id id = {{1}};
	struct vd_buf content = {0};
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 0, 2, VD_ROLE_MEMBER);
	seals(&c, 0, 2);
	hear_all(&c);
	assert_int_equal(vd_group_make_revoke(c.views[0], &removal, &keys, nonce, &content), VD_EINVAL);
	removal.devices = (const uint8_t (*)[VD_KEY_BYTES])c.actors[5].identity.author;
	removal.device_count = 1;
	assert_int_equal(vd_group_make_revoke(c.views[0], &removal, &keys, nonce, &content), VD_EINVAL);
	removal.devices = (const uint8_t (*)[VD_KEY_BYTES])c.actors[1].identity.author;
	assert_int_equal(vd_group_make_revoke(c.views[2], &removal, &keys, nonce, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_review(c.views[2], &id, true, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_approve(c.views[2], &id, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_approve(c.views[0], &id, &content), VD_ENOTFOUND);
	removal.head_count[2] = VD_LIST_MAX + 1;
	assert_int_equal(vd_group_make_revoke(c.views[0], &removal, &keys, nonce, &content), VD_EINVAL);
	removal.head_count[2] = 0;
	removal.reason = "";
	assert_int_equal(vd_group_make_revoke(c.views[0], &removal, &keys, nonce, &content), VD_EINVAL);
	assert_int_equal(content.n, 0);
	/* A coordinator that was removed may still answer, and grants nothing. */
	revokes(&c, 0, 1);
	hear_all(&c);
	assert_int_equal(vd_group_make_restore(c.views[1], c.actors[1].identity.author, nonce, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_epoch(c.views[1], &keys, NULL, 0, &content), VD_EAUTHOR);
	revokes(&c, 1, 0);
	assert_roles(&c, "C-M");
	cast_end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_acts__removed_device_has_no_role),
		cmocka_unit_test(test_group_acts__heads_of_two_revocations),
		cmocka_unit_test(test_group_acts__device_or_person),
		cmocka_unit_test(test_group_acts__grants_of_the_removed),
		cmocka_unit_test(test_group_acts__removes_itself),
		cmocka_unit_test(test_group_acts__senior_wins_a_duel),
		cmocka_unit_test(test_group_acts__two_beat_the_founder),
		cmocka_unit_test(test_group_acts__creatures_do_not_back),
		cmocka_unit_test(test_group_acts__known_to_two_lines),
		cmocka_unit_test(test_group_acts__one_person_is_one_voice),
		cmocka_unit_test(test_group_acts__forged_later),
		cmocka_unit_test(test_group_acts__restore),
		cmocka_unit_test(test_group_acts__restore_gives_back_what_was),
		cmocka_unit_test(test_group_acts__comes_back_as_less),
		cmocka_unit_test(test_group_acts__grants_only_widen),
		cmocka_unit_test(test_group_acts__person_stays),
		cmocka_unit_test(test_group_acts__forked_and_focal),
		cmocka_unit_test(test_group_acts__creators_refuse),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
