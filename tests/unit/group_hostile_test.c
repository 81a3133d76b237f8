/* What control records made by hand, cut, flipped or overlong cannot do to a group. */
#include "group_fixture.h"

/* Whatever byte of a grant changes, nobody is admitted but by a card that they signed themselves. */
static void test_group_hostile__grant_every_byte_flipped(void **state)
{
	struct actor member = actor_new(2);
	struct vd_buf content;
	size_t had_effect = 0;
	struct scene s;

	(void)state;
	begin(&s);
	content = grant_content(&s, &member, VD_ROLE_MEMBER, "Beto");
	for (size_t i = 0; i < content.n; i++)
		for (int bit = 0; bit < 8; bit++) {
			struct vd_group *view = view_of(&s.history, s.id, &s.founder);
			int rc;

			content.p[i] ^= (uint8_t)(1 << bit);
			rc = offer(&s, view, vd_buf_slice(&content));
			content.p[i] ^= (uint8_t)(1 << bit);
			assert_true(rc == 0 || rc == VD_EFORMAT);
			if (vd_group_device_count(view) == 2) {
				const struct vd_device *d = vd_group_find(view, member.identity.author);

				assert_int_equal(rc, 0);
				assert_non_null(d);
				assert_memory_equal(d->box, member.identity.box, VD_KEY_BYTES);
				had_effect++;
			}
			vd_group_free(view);
		}
	/* Person, flags and the sealed name's bytes are the coordinator's to say; role has few values. */
	assert_in_range(had_effect, 8 * VD_PERSON_BYTES, 8 * 200);
	for (size_t n = 0; n < content.n; n++)
		assert_int_equal(offer(&s, s.group, vd_slice(content.p, n)), VD_EFORMAT);
	assert_int_equal(offer(&s, s.group, vd_buf_slice(&content)), 0);
	vd_buf_deinit(&content);
	end(&s);
}

static void test_group_hostile__epoch_every_byte_flipped(void **state)
{
	struct actor member = actor_new(2);
	struct vd_buf content = {0};
	struct scene s;

	(void)state;
	begin(&s);
	grant(&s, &member, VD_ROLE_MEMBER, "Beto");
	assert_int_equal(vd_group_make_epoch_for(s.group, s.epoch, member.identity.author, &content), 0);
	for (size_t i = 0; i < content.n; i++) {
		struct vd_group *view = view_of(&s.history, s.id, &member);
		int rc;

		content.p[i] ^= 0x40;
		rc = offer(&s, view, vd_buf_slice(&content));
		content.p[i] ^= 0x40;
		assert_true(rc == 0 || rc == VD_EFORMAT);
		/* Only a changed `seen` leaves the keys right; nothing gives others. */
		for (int key = 0; key < VD_EPOCH_KEYS; key++) {
			const uint8_t *got = vd_group_key(view, s.epoch, (enum vd_epoch_key)key);

			assert_true(!got || !memcmp(got, first_keys.key[key], VD_KEY_BYTES));
		}
		vd_group_free(view);
	}
	for (size_t n = 0; n < content.n; n++)
		assert_int_equal(offer(&s, s.group, vd_slice(content.p, n)), VD_EFORMAT);
	vd_buf_deinit(&content);
	end(&s);
}

/* Fields missing, too many, out of order: in the set, and without effect. */
static void test_group_hostile__malformed_fields_do_nothing(void **state)
{
	struct actor member = actor_new(2);
	struct vd_buf content, changed, list = {0};
	struct vd_content c;
	struct vd_field fields[16];
	struct scene s;

	(void)state;
	begin(&s);
	content = grant_content(&s, &member, VD_ROLE_MEMBER, "Beto");
	assert_int_equal(vd_content_decode(vd_buf_slice(&content), &c), 0);
	assert_int_equal(c.count, 8);
	for (uint32_t without = 0; without < c.count; without++) {
		size_t n = 0;

		for (uint32_t i = 0; i < c.count; i++)
			if (i != without)
				fields[n++] = c.fields[i];
		changed = encoded("grant", fields, n);
		assert_int_equal(offer(&s, s.group, vd_buf_slice(&changed)), 0);
		assert_int_equal(vd_group_device_count(s.group), 1);
		vd_buf_deinit(&changed);
	}
	for (int how = 0; how < 4; how++) {
		uint8_t longer[200] = {1, 2};

		memcpy(fields, c.fields, c.count * sizeof(*fields));
		for (uint32_t i = 0; i < c.count; i++) {
			if (how == 0 && vd_slice_eq(fields[i].name, vd_slice_str("role")))
				fields[i].value.number = VD_ROLE_COURIER + 1;
			if (how == 1 && vd_slice_eq(fields[i].name, vd_slice_str("flags")))
				fields[i].value.number = (uint64_t)UINT32_MAX + 1;
			if (how == 2 && vd_slice_eq(fields[i].name, vd_slice_str("name")))
				fields[i].value.bytes = vd_slice(longer, 34 + 96 + 32 + 1);
			if (how == 3 && vd_slice_eq(fields[i].name, vd_slice_str("seen"))) {
				vd_mp_put_bin(&list, vd_slice(salt, 32));
				vd_mp_put_bin(&list, vd_slice(salt, 32));
				fields[i].value.bytes = vd_buf_slice(&list);
				fields[i].value.number = 2;
			}
		}
		changed = encoded("grant", fields, c.count);
		assert_int_equal(offer(&s, s.group, vd_buf_slice(&changed)), 0);
		assert_int_equal(vd_group_device_count(s.group), 1);
		vd_buf_deinit(&changed);
	}
	vd_buf_deinit(&list);
	vd_buf_deinit(&content);
	end(&s);
}

static void test_group_hostile__caps_plus_one(void **state)
{
	uint8_t commits[96] = {0}, salt2[VD_SALT_BYTES] = {8};
	struct vd_buf keys = {0}, seen = {0}, content = {0};
	struct actor other = actor_new(2);
	struct scene s;

	(void)state;
	begin(&s);
	for (size_t devices = VD_EPOCH_DEVICES; devices <= VD_EPOCH_DEVICES + 1; devices++) {
		struct vd_field f[] = {bin_field("commits", commits, sizeof(commits)), bins_field("keys", &keys, devices, 177),
		                       bins_field("seen", &seen, VD_LIST_MAX, 32)};
		content = encoded("epoch", f, 3);
		assert_int_equal(offer(&s, s.group, vd_buf_slice(&content)), 0);
		/* One more and it is no epoch. At equal depth the id decides, so ask a group that has only this. */
		{
			struct history h = {0};
			struct actor founder = actor_new(1);
			struct vd_buf founding = {0};
			struct vd_group *g;

			assert_int_equal(vd_group_make_founding(&founder.identity, founder.person, salt, &founding), 0);
			history_control(&h, &founder, s.id, &founding);
			g = view_of(&h, s.id, &founder);
			assert_int_equal(offer(&s, g, vd_buf_slice(&content)), 0);
			assert_int_equal(vd_group_current_epoch(g) != NULL, devices == VD_EPOCH_DEVICES);
			vd_group_free(g);
			history_free(&h);
		}
		vd_buf_deinit(&content);
		vd_buf_deinit(&keys);
		vd_buf_deinit(&seen);
	}
	{
		/* 65 elements no canonical content has. */
		struct vd_field f[] = {bins_field("seen", &seen, VD_LIST_MAX + 1, 32)};

		assert_int_equal(vd_content_encode(vd_slice_str("approve"), f, 1, &content), VD_EINVAL);
	}
	vd_buf_deinit(&seen);
	{
		/* The founder's second founding with another salt is no founding. */
		assert_int_equal(vd_group_make_founding(&other.identity, other.person, salt2, &content), 0);
		assert_int_equal(offer(&s, s.group, vd_buf_slice(&content)), 0);
		assert_memory_equal(vd_group_salt(s.group), salt, sizeof(salt));
		assert_int_equal(vd_group_device_count(s.group), 1);
		vd_buf_deinit(&content);
	}
	end(&s);
}

/* Whatever byte of a revoke changes, it removes only those it lists or names, and says so itself. */
static void test_group_hostile__revoke_every_byte_flipped(void **state)
{
	static const struct vd_epoch_keys keys = {{{4}, {5}, {6}}};
	struct actor member = actor_new(2), other = actor_new(3);
	struct vd_id head = {{7}};
	struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])member.identity.author, .device_count = 1,
	                             .person = member.person, .reason = "why", .heads = {&head, NULL, &head}, .head_count = {1, 0, 1}};
	size_t had_effect = 0, had_none = 0;
	struct vd_buf content = {0};
	struct scene s;

	(void)state;
	begin(&s);
	grant(&s, &member, VD_ROLE_MEMBER, "Beto");
	grant(&s, &other, VD_ROLE_MEMBER, "Cata");
	assert_int_equal(vd_group_make_revoke(s.group, &removal, &keys, nonce, &content), 0);
	for (size_t i = 0; i < content.n; i++) {
		struct vd_group *view = view_of(&s.history, s.id, &member);
		const struct vd_id *ids;
		int rc;

		content.p[i] ^= (uint8_t)(1 << i % 8);
		rc = offer(&s, view, vd_buf_slice(&content));
		content.p[i] ^= (uint8_t)(1 << i % 8);
		assert_true(rc == 0 || rc == VD_EFORMAT);
		if (rc == 0 && vd_group_find(view, member.identity.author)->role == VD_ROLE_NONE) {
			had_effect++;
			assert_true(vd_group_find(view, member.identity.author)->removed);
			assert_in_range(vd_group_accepted(view, member.identity.author, 2, &ids), 1, 1);
		} else {
			had_none++;
		}
		assert_int_equal(vd_group_find(view, other.identity.author)->role, VD_ROLE_MEMBER);
		assert_int_equal(vd_group_find(view, s.founder.identity.author)->role, VD_ROLE_COORDINATOR);
		vd_group_free(view);
	}
	/* Ids, keys and the reason are the author's to say; names, types and lengths are not. */
	assert_true(had_effect > 200 && had_none > 60);
	for (size_t n = 0; n < content.n; n++)
		assert_int_equal(offer(&s, s.group, vd_slice(content.p, n)), VD_EFORMAT);
	assert_int_equal(offer(&s, s.group, vd_buf_slice(&content)), 0);
	assert_int_equal(vd_group_find(s.group, member.identity.author)->role, VD_ROLE_NONE);
	vd_buf_deinit(&content);
	end(&s);
}

/* Each field of a revoke, review and approve left out, of another type or length: in the set, and without effect. */
static void test_group_hostile__malformed_acts_do_nothing(void **state)
{
	static const struct vd_epoch_keys keys = {{{4}, {5}, {6}}};
	struct actor member = actor_new(2);
	struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])member.identity.author, .device_count = 1,
	                             .person = member.person, .reason = "why"};
	struct vd_id about = {{9}};
	struct scene s;

	(void)state;
	begin(&s);
	grant(&s, &member, VD_ROLE_MEMBER, "Beto");
	about = decoded(history_at(&s.history, s.history.count - 1)).id;
	for (int kind = 0; kind < 3; kind++) {
		static const char *const kinds[] = {"revoke", "review", "approve"};
		struct vd_buf content = {0};
		struct vd_content c;

		assert_int_equal(kind == 0   ? vd_group_make_revoke(s.group, &removal, &keys, nonce, &content)
		                 : kind == 1 ? vd_group_make_review(s.group, &about, true, &content)
		                             : vd_group_make_approve(s.group, &about, &content),
		                 0);
		assert_int_equal(vd_content_decode(vd_buf_slice(&content), &c), 0);
		for (uint32_t which = 0; which < 2 * c.count; which++) {
			struct vd_field fields[16];
			struct vd_group *view = view_of(&s.history, s.id, &s.founder);
			struct vd_buf changed;
			size_t n = 0;
			bool optional = vd_slice_eq(c.fields[which / 2].name, vd_slice_str("person")) && which % 2 == 0;

			for (uint32_t i = 0; i < c.count; i++) {
				fields[n] = c.fields[i];
				if (i == which / 2)
					fields[n].value = (struct vd_value){VD_MP_BIN, vd_slice("x", 1), 0};
				n += i != which / 2 || which % 2;
			}
			changed = encoded(kinds[kind], fields, n);
			assert_int_equal(offer(&s, view, vd_buf_slice(&changed)), 0);
			assert_int_equal(vd_group_act(view, vd_group_act_count(view) - 1)->kind == VD_ACT_OTHER ||
			                 vd_group_act(view, 0)->kind == VD_ACT_OTHER || vd_group_act(view, 1)->kind == VD_ACT_OTHER, !optional);
			assert_int_equal(vd_group_find(view, member.identity.author)->role, optional ? VD_ROLE_NONE : VD_ROLE_MEMBER);
			assert_int_equal(vd_group_reviewed(view, &about), VD_REVIEW_NONE);
			vd_buf_deinit(&changed);
			vd_group_free(view);
		}
		vd_buf_deinit(&content);
	}
	end(&s);
}

/* 64 devices and 64 heads a lane are taken; of one more no canonical content exists. */
static void test_group_hostile__revoke_caps(void **state)
{
	static const char *const lists[] = {"devices", "heads0", "heads1", "heads2", "heads3"};
	uint8_t commits[96] = {0}, reason[98] = {1, 2}, longer[163] = {1, 2};
	struct scene s;

	(void)state;
	for (size_t over = 0; over < 7; over++) {
		struct vd_buf items[5] = {{0}}, seen = {0}, keys = {0}, content = {0};
		struct vd_field f[9];
		int rc;

		begin(&s);
		for (size_t i = 0; i < 5; i++)
			f[i] = bins_field(lists[i], &items[i], VD_LIST_MAX + (over == i), 32);
		f[5] = bins_field("seen", &seen, 0, 32);
		f[6] = bins_field("keys", &keys, 0, 177);
		f[7] = bin_field("commits", commits, sizeof(commits));
		f[8] = over == 5 ? bin_field("reason", longer, sizeof(longer)) : bin_field("reason", reason, sizeof(reason));
		rc = vd_content_encode(vd_slice_str("revoke"), f, 9, &content);
		assert_int_equal(rc, over < 5 ? VD_EINVAL : 0);
		if (!rc) {
			size_t acts = 0;

			assert_int_equal(offer(&s, s.group, vd_buf_slice(&content)), 0);
			for (size_t i = 0; i < vd_group_act_count(s.group); i++)
				acts += vd_group_act(s.group, i)->kind == VD_ACT_REVOKE && vd_group_act(s.group, i)->counts;
			assert_int_equal(acts, over == 6);
		}
		for (size_t i = 0; i < 5; i++)
			vd_buf_deinit(&items[i]);
		vd_buf_deinit(&content);
		end(&s);
	}
}

/* As many coordinators, revocations and grants as there may be records, each against the others: asked once, it is answered. */
static void test_group_hostile__thousands_of_creatures(void **state)
{
	enum { CREATURES = 3000 };
	struct actor *creatures = calloc(CREATURES, sizeof(*creatures));
	struct actor member = actor_new(2);
	size_t standing = 0;
	struct scene s;

	(void)state;
	assert_non_null(creatures);
	begin(&s);
	grant(&s, &member, VD_ROLE_MEMBER, "Beto");
	for (size_t i = 0; i < CREATURES; i++) {
		struct vd_buf content;

		creatures[i] = actor_new(100 + i);
		content = grant_content(&s, &creatures[i], VD_ROLE_COORDINATOR, "one");
		/* A chain of them: each made by the one before. */
		act(&s, i ? &creatures[i - 1] : &s.founder, &content);
	}
	for (size_t i = 0; i < CREATURES; i++) {
		const uint8_t (*whom)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])creatures[(i + 1) % CREATURES].identity.author;
		struct vd_buf items = {0}, lists[4] = {{0}}, seen = {0}, keys = {0}, content;
		uint8_t commits[96] = {0}, reason[98] = {1, 2};

		vd_mp_put_bin(&items, vd_slice(whom, VD_KEY_BYTES));
		vd_mp_put_bin(&items, vd_slice(member.identity.author, VD_KEY_BYTES));
		{
			struct vd_field f[] = {{vd_slice_str("devices"), {VD_MP_ARRAY, vd_buf_slice(&items), 2}},
			                       bins_field("heads0", &lists[0], 0, 32), bins_field("heads1", &lists[1], 0, 32),
			                       bins_field("heads2", &lists[2], 0, 32), bins_field("heads3", &lists[3], 0, 32),
			                       bins_field("seen", &seen, 0, 32), bins_field("keys", &keys, 0, 177),
			                       bin_field("commits", commits, sizeof(commits)), bin_field("reason", reason, sizeof(reason))};

			content = encoded("revoke", f, 9);
		}
		act(&s, &creatures[i], &content);
		vd_buf_deinit(&items);
	}
	/* The first removed the second, whose creatures are none any more. */
	for (size_t i = 0; i < CREATURES; i++)
		standing += vd_group_may_connect(s.group, creatures[i].identity.author);
	assert_int_equal(standing, 1);
	assert_false(vd_group_may_connect(s.group, member.identity.author));
	end(&s);
	free(creatures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_hostile__grant_every_byte_flipped),
		cmocka_unit_test(test_group_hostile__epoch_every_byte_flipped),
		cmocka_unit_test(test_group_hostile__malformed_fields_do_nothing),
		cmocka_unit_test(test_group_hostile__caps_plus_one),
		cmocka_unit_test(test_group_hostile__revoke_every_byte_flipped),
		cmocka_unit_test(test_group_hostile__malformed_acts_do_nothing),
		cmocka_unit_test(test_group_hostile__revoke_caps),
		cmocka_unit_test(test_group_hostile__thousands_of_creatures),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
