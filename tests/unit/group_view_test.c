/* What the acts that count make: clean epochs and whom they lack, reviews, who knows what, and why. */
#include "group_cast.h"

/* ---- epochs ---- */

static void test_group_view__epochs_of_two_partitions(void **state)
{
	struct vd_id a, b, next;
	const uint8_t *current;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 0, 2, VD_ROLE_MEMBER);
	grants(&c, 0, 3, VD_ROLE_MEMBER);
	seals(&c, 0, 2);
	seals(&c, 0, 3);
	hear_all(&c);
	assert_true(vd_group_epoch_clean(c.views[1]));
	assert_null(vd_group_epoch_lacks(c.views[1], 0));
	a = revokes(&c, 0, 2);
	assert_memory_equal(vd_group_current_epoch(c.views[0]), a.b, VD_EPOCH_BYTES);
	assert_true(vd_group_epoch_clean(c.views[0]));
	assert_null(vd_group_epoch_lacks(c.views[0], 0));
	b = revokes(&c, 1, 3);
	assert_true(vd_group_epoch_clean(c.views[1]));
	assert_roles(&c, "CC--");
	current = vd_group_current_epoch(c.views[0]);
	assert_true(!memcmp(current, a.b, VD_EPOCH_BYTES) || !memcmp(current, b.b, VD_EPOCH_BYTES));
	assert_false(vd_group_epoch_clean(c.views[0]));
	next = new_epoch(&c, 1);
	hear_all(&c);
	for (size_t i = 0; i < 4; i++) {
		assert_memory_equal(vd_group_current_epoch(c.views[i]), next.b, VD_EPOCH_BYTES);
		assert_true(vd_group_epoch_clean(c.views[i]));
		assert_int_equal(vd_group_key(c.views[i], next.b, VD_KEY_LINK) != NULL, i < 2);
		assert_non_null(vd_group_mask_link(c.views[0], c.actors[i].identity.author));
	}
	assert_null(vd_group_mask_link(c.views[0], c.actors[4].identity.author));
	cast_end(&c);
}

/* Removing a coordinator takes the roles of those it admitted unseen: the epoch in the revocation is not sealed to them either. */
static void test_group_view__epoch_of_a_revocation_is_clean(void **state)
{
	struct vd_id revoke;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	grants(&c, 1, 2, VD_ROLE_MEMBER);
	seals(&c, 1, 2);
	hear_all(&c);
	revoke = revokes_but(&c, 0, 1, NULL, NULL, 0);
	assert_roles(&c, "C--");
	assert_memory_equal(vd_group_current_epoch(c.views[0]), revoke.b, VD_EPOCH_BYTES);
	assert_true(vd_group_epoch_clean(c.views[0]));
	cast_end(&c);
}

static void test_group_view__epoch_lacks(void **state)
{
	const struct vd_device *d;
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	new_epoch(&c, 1);
	grants(&c, 0, 2, VD_ROLE_MEMBER);
	seals(&c, 0, 2);
	hear_all(&c);
	d = vd_group_epoch_lacks(c.views[0], 0);
	assert_non_null(d);
	assert_memory_equal(d->author, c.actors[2].identity.author, VD_KEY_BYTES);
	assert_null(vd_group_epoch_lacks(c.views[0], 1));
	/* It writes with what it has. */
	assert_null(vd_group_key(c.views[2], vd_group_current_epoch(c.views[2]), VD_KEY_LINK));
	assert_int_equal(vd_group_epoch_count(c.views[2]), 1);
	seals(&c, 0, 2);
	hear_all(&c);
	assert_null(vd_group_epoch_lacks(c.views[1], 0));
	assert_non_null(vd_group_key(c.views[2], vd_group_current_epoch(c.views[2]), VD_KEY_MEMBERS));
	/* Who was a courier and is a member now has only a courier's key. */
	grants(&c, 0, 3, VD_ROLE_COURIER);
	seals(&c, 0, 3);
	assert_null(vd_group_epoch_lacks(c.views[0], 0));
	grants(&c, 0, 3, VD_ROLE_MEMBER);
	assert_non_null(vd_group_epoch_lacks(c.views[0], 0));
	seals(&c, 0, 3);
	assert_null(vd_group_epoch_lacks(c.views[0], 0));
	cast_end(&c);
}

/* ---- reviews, and who knows what ---- */

static void reviews(struct cast *c, size_t by, struct vd_id about, bool accept)
{
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_review(c->views[by], &about, accept, &content), 0);
	say(c, by, &content);
	hear_all(c);
}

static void test_group_view__reviews(void **state)
{
	struct vd_id about = {{5}}, other = {{4}};
	struct cast c;

	(void)state;
	cast_begin(&c, 1);
	assert_int_equal(vd_group_reviewed(c.views[0], &about), VD_REVIEW_NONE);
	reviews(&c, 0, about, true);
	assert_int_equal(vd_group_reviewed(c.views[1], &about), VD_REVIEW_ACCEPTED);
	assert_int_equal(vd_group_reviewed(c.views[1], &other), VD_REVIEW_NONE);
	reviews(&c, 1, about, false);
	reviews(&c, 1, other, true);
	assert_int_equal(vd_group_reviewed(c.views[0], &about), VD_REVIEW_LEFT);
	assert_int_equal(vd_group_reviewed(c.views[0], &other), VD_REVIEW_ACCEPTED);
	/* Of one who is removed, and of whom it was not accepted, it does not count. */
	revokes_but(&c, 0, 1, NULL, NULL, 0);
	hear_all(&c);
	assert_int_equal(vd_group_reviewed(c.views[0], &about), VD_REVIEW_ACCEPTED);
	assert_int_equal(vd_group_reviewed(c.views[0], &other), VD_REVIEW_NONE);
	cast_end(&c);
}

static void test_group_view__who_knows(void **state)
{
	struct vd_id grant, later;
	bool known[32] = {0};
	struct cast c;
	size_t count = 0;

	(void)state;
	cast_begin(&c, 1);
	grant = grants(&c, 1, 2, VD_ROLE_MEMBER);
	hear_all(&c);
	later = revokes(&c, 0, 2);
	hear_all(&c);
	vd_group_knows(c.views[0], c.actors[1].identity.author, NULL, 0, NULL, 0, known);
	assert_true(known[act_of(c.views[0], grant) - vd_group_act(c.views[0], 0)]);
	assert_false(known[act_of(c.views[0], later) - vd_group_act(c.views[0], 0)]);
	vd_group_knows(c.views[0], c.actors[2].identity.author, (const uint8_t (*)[VD_EPOCH_BYTES])later.b, 1, NULL, 0, known);
	for (size_t i = 0; i < vd_group_act_count(c.views[0]); i++)
		count += known[i];
	assert_int_equal(count, vd_group_act_count(c.views[0]));
	cast_end(&c);
}

static void test_group_view__reason(void **state)
{
	char reason[VD_NAME_MAX + 1];
	struct cast c;

	(void)state;
	for (int whole = 0; whole < 2; whole++) {
		cast_begin(&c, 1);
		grants(&c, 0, 2, VD_ROLE_REPORTER);
		seals(&c, 0, 2);
		hear_all(&c);
		revokes_but(&c, 0, 1, whole ? c.actors[1].person : NULL, NULL, 0);
		hear_all(&c);
		vd_group_act_reason(c.views[1], vd_group_act_count(c.views[1]) - 1, reason);
		assert_string_equal(reason, "why");
		vd_group_act_reason(c.views[2], vd_group_act_count(c.views[2]) - 1, reason);
		assert_string_equal(reason, "");
		vd_group_act_reason(c.views[1], 0, reason);
		assert_string_equal(reason, "");
		vd_group_act_reason(c.views[1], 99, reason);
		cast_end(&c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_view__epochs_of_two_partitions),
		cmocka_unit_test(test_group_view__epoch_of_a_revocation_is_clean),
		cmocka_unit_test(test_group_view__epoch_lacks),
		cmocka_unit_test(test_group_view__reviews),
		cmocka_unit_test(test_group_view__who_knows),
		cmocka_unit_test(test_group_view__reason),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
