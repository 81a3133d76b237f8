/* Groups: founding, admission, roles, names, and what the order of control records decides. */
#include "group_fixture.h"

static void test_group__founding_proves_itself(void **state)
{
	struct actor other = actor_new(2);
	struct vd_buf content = {0};
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	assert_memory_equal(vd_group_salt(s.group), salt, sizeof(salt));
	assert_int_equal(vd_group_role(s.group), VD_ROLE_COORDINATOR);
	assert_int_equal(vd_group_device_count(s.group), 1);
	assert_true(vd_group_may_control(s.group, s.founder.identity.author));
	assert_true(vd_group_may_connect(s.group, s.founder.identity.author));
	assert_false(vd_group_is_author(s.group, other.identity.author));
	assert_memory_equal(vd_group_device(s.group, 0)->box, s.founder.identity.box, VD_KEY_BYTES);
	assert_string_equal(vd_group_name(s.group), "");

	/* Someone else cannot found the same group, nor the founder with another salt. */
	assert_int_equal(vd_group_make_founding(&other.identity, other.person, salt, &content), 0);
	r = history_control(&s.history, &other, s.id, &content);
	assert_int_equal(vd_group_add(s.group, &r), VD_EAUTHOR);
	r.group[0] ^= 1;
	assert_int_equal(vd_group_add(s.group, &r), VD_EGROUP);
	end(&s);
}

static void test_group__nothing_before_the_founding(void **state)
{
	struct vd_record r;
	struct vd_group *late;
	struct scene s;

	(void)state;
	begin(&s);
	late = vd_group_new(s.id, &s.founder.identity);
	r = decoded(history_at(&s.history, 1));
	assert_int_equal(vd_group_add(late, &r), VD_EAUTHOR);
	assert_null(vd_group_salt(late));
	assert_int_equal(vd_group_generation(late), 0);
	r = decoded(history_at(&s.history, 0));
	assert_int_equal(vd_group_add(late, &r), 0);
	assert_int_equal(vd_group_add(late, &r), 0);
	assert_int_equal(vd_group_generation(late), 1);
	r = decoded(history_at(&s.history, 1));
	assert_int_equal(vd_group_add(late, &r), 0);
	assert_int_equal(vd_group_epoch_count(late), 1);
	vd_group_free(late);
	end(&s);
}

static void test_group__roles_get_their_keys(void **state)
{
	static const struct {
		enum vd_role role;
		bool key[VD_EPOCH_KEYS];
	} table[] = {
		{VD_ROLE_COORDINATOR, {true, true, true}},
		{VD_ROLE_MEMBER, {true, true, true}},
		{VD_ROLE_REPORTER, {true, true, false}},
		{VD_ROLE_COURIER, {true, false, false}},
	};
	struct vd_buf content = {0};
	struct scene s;

	(void)state;
	begin(&s);
	grant(&s, &s.founder, VD_ROLE_COORDINATOR, "Ana");
	assert_int_equal(vd_group_make_name(s.group, "Río Abajo", nonce, &content), 0);
	act(&s, &s.founder, &content);
	for (size_t i = 0; i < 4; i++) {
		struct actor a = actor_new(10 + i);

		admit(&s, &a, table[i].role, "Beto");
	}
	for (size_t i = 0; i < 4; i++) {
		struct actor a = actor_new(10 + i);
		struct vd_group *view = view_of(&s.history, s.id, &a);
		bool reads = table[i].key[VD_KEY_MEMBERS];

		assert_int_equal(vd_group_role(view), table[i].role);
		assert_int_equal(vd_group_epoch_count(view), 1);
		assert_memory_equal(vd_group_epoch_id(view, 0), s.epoch, sizeof(s.epoch));
		assert_memory_equal(vd_group_current_epoch(view), s.epoch, sizeof(s.epoch));
		for (int key = 0; key < VD_EPOCH_KEYS; key++) {
			const uint8_t *got = vd_group_key(view, s.epoch, (enum vd_epoch_key)key);

			assert_int_equal(got != NULL, table[i].key[key]);
			if (got)
				assert_memory_equal(got, first_keys.key[key], VD_KEY_BYTES);
		}
		assert_string_equal(vd_group_name(view), reads ? "Río Abajo" : "");
		assert_string_equal(vd_group_find(view, s.founder.identity.author)->name, reads ? "Ana" : "");
		assert_int_equal(vd_group_device_count(view), 5);
		assert_memory_equal(vd_group_device(view, 0)->author, s.founder.identity.author, VD_KEY_BYTES);
		assert_memory_equal(vd_group_device(view, 1 + i)->author, a.identity.author, VD_KEY_BYTES);
		assert_null(vd_group_device(view, 5));
		assert_int_equal(vd_group_may_control(view, a.identity.author), i == 0);
		vd_group_free(view);
	}
	end(&s);
}

static void test_group__only_coordinators_control(void **state)
{
	struct actor member = actor_new(2), third = actor_new(3);
	struct vd_card card = card_of(&third);
	struct vd_buf content = {0};
	struct vd_group *view;
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	admit(&s, &member, VD_ROLE_MEMBER, "Beto");
	view = view_of(&s.history, s.id, &member);
	assert_int_equal(vd_group_make_grant(view, &card, third.person, VD_ROLE_MEMBER, 0, "Cata", nonce, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_epoch(view, &first_keys, NULL, 0, &content), VD_EAUTHOR);
	assert_int_equal(vd_group_make_name(view, "Ours", nonce, &content), VD_EAUTHOR);

	/* What a changed program would write all the same is refused, and taken once the author becomes coordinator. */
	content = grant_content(&s, &third, VD_ROLE_MEMBER, "Cata");
	r = history_control(&s.history, &member, s.id, &content);
	assert_int_equal(vd_group_add(s.group, &r), VD_EAUTHOR);
	assert_false(vd_group_is_author(s.group, third.identity.author));
	grant(&s, &member, VD_ROLE_COORDINATOR, "Beto");
	r = decoded(history_at(&s.history, s.history.count - 2));
	assert_int_equal(vd_group_add(s.group, &r), 0);
	assert_true(vd_group_is_author(s.group, third.identity.author));
	/* And for ever; a grant takes nothing away. */
	grant(&s, &member, VD_ROLE_COURIER, "Beto");
	assert_int_equal(vd_group_find(s.group, member.identity.author)->role, VD_ROLE_COORDINATOR);
	assert_true(vd_group_may_control(s.group, member.identity.author));
	vd_group_free(view);
	end(&s);
}

/* Two grants that did not know of each other: the same one names for everyone, the deeper, or at one depth the greater id; and the
 * role is the most entitled. */
static void test_group__greatest_grant_names(void **state)
{
	struct actor beto = actor_new(2), cata = actor_new(3);
	struct vd_card card = card_of(&cata);
	struct vd_buf contents[2] = {{0}}, content;
	struct vd_record r[2];
	struct vd_group *views[2];
	struct scene s;
	int greater;

	(void)state;
	begin(&s);
	admit(&s, &beto, VD_ROLE_COORDINATOR, "Beto");
	views[0] = view_of(&s.history, s.id, &beto);
	contents[0] = grant_content(&s, &cata, VD_ROLE_REPORTER, "Cata");
	assert_int_equal(vd_group_make_grant(views[0], &card, cata.person, VD_ROLE_COURIER, 0, "Catalina", nonce, &contents[1]), 0);
	r[0] = history_control(&s.history, &s.founder, s.id, &contents[0]);
	r[1] = history_control(&s.history, &beto, s.id, &contents[1]);
	greater = memcmp(r[1].id.b, r[0].id.b, VD_ID_BYTES) > 0;
	views[1] = view_of(&s.history, s.id, &beto);
	for (int i = 1; i >= 0; i--) {
		assert_int_equal(vd_group_add(s.group, &r[i]), 0);
		assert_int_equal(vd_group_add(views[0], &r[1 - i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		const struct vd_device *d = vd_group_find(views[i], cata.identity.author);

		assert_memory_equal(d->grant.b, r[greater].id.b, VD_ID_BYTES);
		assert_string_equal(d->name, greater ? "Catalina" : "Cata");
		assert_int_equal(d->role, VD_ROLE_REPORTER);
		vd_group_free(views[i]);
	}

	/* One that saw both settles it. */
	content = grant_content(&s, &cata, VD_ROLE_MEMBER, "Cata");
	act(&s, &s.founder, &content);
	assert_int_equal(vd_group_find(s.group, cata.identity.author)->role, VD_ROLE_MEMBER);
	assert_string_equal(vd_group_find(s.group, cata.identity.author)->name, "Cata");
	end(&s);
}

static void test_group__seen_names_the_heads(void **state)
{
	struct vd_buf content = {0}, seen = {0};
	struct vd_value item, last = {0};
	struct vd_content c;
	struct vd_rd items;
	struct scene s;

	(void)state;
	begin(&s);
	/* 70 records by as many coordinators who knew of nothing but their own grant. */
	for (uint64_t i = 0; i < VD_LIST_MAX + 6; i++) {
		struct actor a = actor_new(100 + i);
		struct vd_record r = grant(&s, &a, VD_ROLE_COORDINATOR, "one");
		struct vd_field f[] = {bin_field("about", r.id.b, sizeof(r.id.b)), {vd_slice_str("seen"), {VD_MP_ARRAY, {0}, 1}}};

		vd_mp_put_bin(&seen, vd_slice(r.id.b, sizeof(r.id.b)));
		f[1].value.bytes = vd_buf_slice(&seen);
		content = encoded("approve", f, 2);
		history_control(&s.history, &a, s.id, &content);
		vd_buf_deinit(&seen);
	}
	vd_group_free(s.group);
	s.group = view_of(&s.history, s.id, &s.founder);
	assert_int_equal(vd_group_generation(s.group), s.history.count);
	for (size_t heads = VD_LIST_MAX; heads; heads = heads == VD_LIST_MAX ? 7 : heads == 7 ? 1 : 0) {
		size_t n = 0;

		assert_int_equal(vd_group_make_name(s.group, "Ours", nonce, &content), 0);
		assert_int_equal(vd_content_decode(vd_buf_slice(&content), &c), 0);
		items = vd_value_items(vd_content_get(&c, "seen", VD_MP_ARRAY, 0));
		for (last.bytes.n = 0; vd_value_next(&items, &item); last = item, n++)
			assert_true(!last.bytes.n || vd_slice_cmp(last.bytes, item.bytes) < 0);
		assert_int_equal(n, heads);
		act(&s, &s.founder, &content);
	}
	end(&s);
}

static void test_group__newer_version_is_carried(void **state)
{
	static const uint8_t unknown[] = {0xc1, 1, 2, 3};
	struct actor other = actor_new(2);
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	r = history_write(&s.history, &s.founder, s.id, 2, VD_LANE_CONTROL, vd_slice(unknown, sizeof(unknown)));
	assert_int_equal(vd_group_add(s.group, &r), 0);
	assert_int_equal(vd_group_generation(s.group), 3);
	assert_int_equal(vd_group_device_count(s.group), 1);
	r = history_write(&s.history, &other, s.id, 2, VD_LANE_CONTROL, vd_slice(unknown, sizeof(unknown)));
	assert_int_equal(vd_group_add(s.group, &r), VD_EAUTHOR);
	r = history_write(&s.history, &s.founder, s.id, 1, VD_LANE_CONTROL, vd_slice(unknown, sizeof(unknown)));
	assert_int_equal(vd_group_add(s.group, &r), VD_EFORMAT);
	end(&s);
}

static void test_group__grant_refuses(void **state)
{
	struct actor member = actor_new(2);
	struct vd_card card = card_of(&member), bad = card;
	char name[VD_NAME_MAX + 2];
	struct vd_buf content = {0};
	struct scene s;

	(void)state;
	begin(&s);
	memset(name, 'x', sizeof(name));
	name[VD_NAME_MAX + 1] = 0;
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, VD_ROLE_MEMBER, 0, name, nonce, &content), VD_EINVAL);
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, VD_ROLE_MEMBER, 0, "", nonce, &content), VD_EINVAL);
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, VD_ROLE_MEMBER, 0, "\xff", nonce, &content), VD_EINVAL);
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, VD_ROLE_NONE, 0, "B", nonce, &content), VD_EINVAL);
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, 5, 0, "B", nonce, &content), VD_EINVAL);
	bad.proof[0] ^= 1;
	assert_int_equal(vd_group_make_grant(s.group, &bad, member.person, VD_ROLE_MEMBER, 0, "B", nonce, &content), VD_ESIGNATURE);
	/* A box key of low order, properly signed: nothing can be sealed to it. */
	memset(member.identity.box, 0, VD_KEY_BYTES);
	bad = card_of(&member);
	assert_int_equal(vd_group_make_grant(s.group, &bad, member.person, VD_ROLE_MEMBER, 0, "B", nonce, &content), VD_EINVAL);
	assert_int_equal(content.n, 0);
	name[VD_NAME_MAX] = 0;
	assert_int_equal(vd_group_make_grant(s.group, &card, member.person, VD_ROLE_MEMBER, 0, name, nonce, &content), 0);
	act(&s, &s.founder, &content);
	assert_string_equal(vd_group_find(s.group, card.author)->name, name);
	assert_int_equal(vd_group_make_epoch_for(s.group, s.epoch, actor_new(9).identity.author, &content), VD_ENOTFOUND);
	assert_int_equal(vd_group_make_epoch_for(s.group, actor_new(9).identity.author, card.author, &content), VD_EKEY);
	end(&s);
}

/* As many control records as there may be: the one beyond is refused, and neither adding nor asking gets slow. */
static void test_group__control_records_are_capped(void **state)
{
	struct vd_buf seen = {0}, approve = {0}, grown = {0};
	uint8_t id[VD_ID_BYTES] = {1};
	struct history h = {0};
	struct vd_record r;
	struct scene s;
	int rc = 0;

	(void)state;
	begin(&s);
	{
		struct vd_field f[] = {bin_field("about", id, sizeof(id)), bins_field("seen", &seen, 0, 32)};

		approve = encoded("approve", f, 2);
	}
	while (vd_group_generation(s.group) < VD_CONTROL_MAX) {
		r = history_write(&h, &s.founder, s.id, VD_VERSION, VD_LANE_CONTROL, vd_buf_slice(&approve));
		rc = vd_group_add(s.group, &r);
		if (rc)
			break;
		history_free(&h);
	}
	assert_int_equal(rc, 0);
	r = history_write(&h, &s.founder, s.id, VD_VERSION, VD_LANE_CONTROL, vd_buf_slice(&approve));
	assert_int_equal(vd_group_add(s.group, &r), VD_ECAP);
	assert_int_equal(vd_group_generation(s.group), VD_CONTROL_MAX);
	/* One chain as long as the set: the state is computed without recursion, and `seen` is its one head. */
	{
		struct vd_content c;

		assert_int_equal(vd_group_make_name(s.group, "Ours", nonce, &grown), 0);
		assert_int_equal(vd_content_decode(vd_buf_slice(&grown), &c), 0);
		assert_int_equal(vd_content_find(&c, "seen")->value.number, 1);
	}
	history_free(&h);
	vd_buf_deinit(&approve);
	vd_buf_deinit(&grown);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group__founding_proves_itself),
		cmocka_unit_test(test_group__nothing_before_the_founding),
		cmocka_unit_test(test_group__roles_get_their_keys),
		cmocka_unit_test(test_group__only_coordinators_control),
		cmocka_unit_test(test_group__greatest_grant_names),
		cmocka_unit_test(test_group__seen_names_the_heads),
		cmocka_unit_test(test_group__newer_version_is_carried),
		cmocka_unit_test(test_group__grant_refuses),
		cmocka_unit_test(test_group__control_records_are_capped),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
