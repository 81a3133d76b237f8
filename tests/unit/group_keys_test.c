/* The keys of a group: epochs, the boxes they are sealed in, and the bodies they open. */
#include "group_fixture.h"

#include <sodium.h>

static void test_group_keys__epoch_for_many_devices(void **state)
{
	static const struct vd_epoch_keys second = {{{4}, {5}, {6}}};
	struct vd_buf content = {0};
	struct vd_group *view;
	struct scene s;

	(void)state;
	begin(&s);
	for (uint64_t i = 2; i <= 40; i++) {
		struct actor a = actor_new(i);

		grant(&s, &a, VD_ROLE_MEMBER, "one");
	}
	begin_epoch(&s, &second);
	assert_int_equal(s.history.count, 2 + 39 + 3);
	assert_int_equal(vd_group_make_epoch(s.group, &second, s.epoch, 3, &content), VD_ENOTFOUND);
	assert_int_equal(vd_group_make_epoch(s.group, &second, s.epoch, SIZE_MAX, &content), VD_ENOTFOUND);
	assert_int_equal(vd_group_make_epoch(s.group, &second, s.epoch, 0, &content), VD_EINVAL);
	assert_int_equal(vd_group_make_epoch(s.group, &second, NULL, 1, &content), VD_EINVAL);
	for (uint64_t i = 1; i <= 40; i++) {
		struct actor a = actor_new(i);

		view = view_of(&s.history, s.id, &a);
		assert_memory_equal(vd_group_epoch_id(view, 0), s.epoch, sizeof(s.epoch));
		assert_memory_equal(vd_group_epoch_keys(view, 0), &second, sizeof(second));
		assert_int_equal(vd_group_epoch_count(view), i == 1 ? 2 : 1);
		vd_group_free(view);
	}
	/* Without keys of its own a device follows the state all the same. */
	view = view_of(&s.history, s.id, NULL);
	assert_memory_equal(vd_group_current_epoch(view), s.epoch, sizeof(s.epoch));
	assert_int_equal(vd_group_epoch_count(view), 0);
	assert_null(vd_group_epoch_id(view, 0));
	assert_null(vd_group_key(view, s.epoch, VD_KEY_LINK));
	vd_group_free(view);
	end(&s);
}

static void test_group_keys__sixteen_devices_a_record(void **state)
{
	struct vd_buf content = {0};
	uint8_t of[VD_EPOCH_BYTES] = {0};
	struct scene s;

	(void)state;
	begin(&s);
	for (uint64_t i = 2; i <= VD_EPOCH_DEVICES; i++) {
		struct actor a = actor_new(i);

		grant(&s, &a, VD_ROLE_MEMBER, "one");
	}
	assert_int_equal(vd_group_make_epoch(s.group, &first_keys, of, 1, &content), VD_ENOTFOUND);
	{
		struct actor a = actor_new(VD_EPOCH_DEVICES + 1);

		grant(&s, &a, VD_ROLE_MEMBER, "one");
	}
	assert_int_equal(vd_group_make_epoch(s.group, &first_keys, of, 1, &content), 0);
	vd_buf_deinit(&content);
	end(&s);
}

/* A device that the newest epoch left out goes on with the newest it can use, and knows that it is not the current one. */
static void test_group_keys__left_out_of_the_current_epoch(void **state)
{
	uint8_t commits[VD_EPOCH_KEYS * VD_HASH_BYTES] = {0};
	struct vd_buf content = {0}, name = {0}, nobody = {0};
	struct vd_content c;
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	assert_true(vd_group_epoch_kept(s.group));
	assert_int_equal(vd_group_make_name(s.group, "Ours", nonce, &name), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&name), &c), 0);
	{
		struct vd_field f[] = {bin_field("commits", commits, sizeof(commits)), bins_field("keys", &nobody, 0, 177),
		                       *vd_content_find(&c, "seen")};

		content = encoded("epoch", f, 3);
	}
	r = act(&s, &s.founder, &content);
	assert_memory_equal(vd_group_current_epoch(s.group), r.id.b, VD_EPOCH_BYTES);
	assert_int_equal(vd_group_epoch_count(s.group), 1);
	assert_memory_equal(vd_group_epoch_id(s.group, 0), s.epoch, VD_EPOCH_BYTES);
	/* Sealed to nobody it is clean, and still a coordinator has to make another: nobody could seal it on. */
	assert_true(vd_group_epoch_clean(s.group));
	assert_false(vd_group_epoch_kept(s.group));
	vd_buf_deinit(&name);
	end(&s);
}

/* Whoever makes an epoch whose members key is rubbish keeps nobody from sealing names, and so from revoking it. */
static void test_group_keys__some_keys_of_the_current_epoch(void **state)
{
	static const struct vd_epoch_keys keys = {{{4}, {5}, {6}}};
	struct vd_buf content = {0}, broken = {0}, name = {0};
	uint8_t commits[VD_EPOCH_KEYS * VD_HASH_BYTES];
	struct vd_content c;
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	assert_int_equal(vd_group_make_epoch(s.group, &keys, NULL, 0, &content), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&content), &c), 0);
	memcpy(commits, vd_content_find(&c, "commits")->value.bytes.p, sizeof(commits));
	commits[sizeof(commits) - 1] ^= 1;
	{
		struct vd_field f[] = {bin_field("commits", commits, sizeof(commits)), *vd_content_find(&c, "keys"), *vd_content_find(&c, "seen")};

		broken = encoded("epoch", f, 3);
	}
	r = act(&s, &s.founder, &broken);
	assert_memory_equal(vd_group_current_epoch(s.group), r.id.b, VD_EPOCH_BYTES);
	assert_non_null(vd_group_key(s.group, r.id.b, VD_KEY_LINK));
	assert_null(vd_group_key(s.group, r.id.b, VD_KEY_MEMBERS));
	assert_memory_equal(vd_group_epoch_id(s.group, 0), s.epoch, VD_EPOCH_BYTES);
	assert_int_equal(vd_group_make_name(s.group, "Ours", nonce, &name), 0);
	vd_buf_deinit(&content);
	vd_buf_deinit(&name);
	end(&s);
}

static void test_group_keys__revoke_carries_an_epoch(void **state)
{
	static const struct vd_epoch_keys keys = {{{4}, {5}, {6}}};
	struct actor member = actor_new(2);
	struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])member.identity.author, .device_count = 1,
	                             .person = member.person, .reason = "why"};
	struct vd_group *view;
	struct vd_buf content = {0};
	struct vd_record r;
	struct scene s;

	(void)state;
	begin(&s);
	admit(&s, &member, VD_ROLE_MEMBER, "Beto");
	assert_int_equal(vd_group_make_revoke(s.group, &removal, &keys, nonce, &content), 0);
	r = act(&s, &s.founder, &content);
	assert_memory_equal(vd_group_current_epoch(s.group), r.id.b, VD_EPOCH_BYTES);
	assert_true(vd_group_epoch_clean(s.group));
	assert_memory_equal(vd_group_key(s.group, r.id.b, VD_KEY_LINK), keys.key[0], VD_KEY_BYTES);
	assert_int_equal(vd_group_epoch_count(s.group), 2);
	/* Who is removed follows the state, and gets no key. */
	view = view_of(&s.history, s.id, &member);
	assert_memory_equal(vd_group_current_epoch(view), r.id.b, VD_EPOCH_BYTES);
	assert_null(vd_group_key(view, r.id.b, VD_KEY_LINK));
	assert_memory_equal(vd_group_epoch_id(view, 0), s.epoch, VD_EPOCH_BYTES);
	vd_group_free(view);
	end(&s);
}

static void test_group_keys__keys_must_match_their_commitments(void **state)
{
	static const struct vd_epoch_keys lie = {{{1}, {2}, {0xee}}};
	struct actor member = actor_new(2);
	struct vd_buf honest = {0}, lying = {0}, mixed = {0};
	struct vd_content a, b;
	struct vd_group *view;
	struct scene s;

	(void)state;
	begin(&s);
	grant(&s, &member, VD_ROLE_MEMBER, "Beto");
	view = view_of(&s.history, s.id, &member);
	assert_int_equal(vd_group_make_epoch_for(s.group, s.epoch, member.identity.author, &honest), 0);
	assert_int_equal(vd_group_make_epoch(s.group, &lie, NULL, 0, &lying), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&honest), &a), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&lying), &b), 0);
	{
		/* True commitments, one false key. */
		struct vd_field f[] = {*vd_content_find(&a, "commits"), *vd_content_find(&b, "keys"), *vd_content_find(&a, "of"),
		                       *vd_content_find(&a, "seen")};

		mixed = encoded("epoch", f, 4);
		assert_int_equal(offer(&s, view, vd_buf_slice(&mixed)), 0);
		assert_non_null(vd_group_key(view, s.epoch, VD_KEY_LINK));
		assert_null(vd_group_key(view, s.epoch, VD_KEY_MEMBERS));
		vd_buf_deinit(&mixed);
		/* Keys that match their own commitments, but those are not the epoch's. */
		f[0] = *vd_content_find(&b, "commits");
		f[1] = *vd_content_find(&b, "keys");
		f[2] = *vd_content_find(&a, "of");
		f[3] = *vd_content_find(&a, "seen");
		mixed = encoded("epoch", f, 4);
		assert_int_equal(offer(&s, view, vd_buf_slice(&mixed)), 0);
		assert_null(vd_group_key(view, s.epoch, VD_KEY_MEMBERS));
		vd_buf_deinit(&mixed);
	}
	assert_int_equal(offer(&s, view, vd_buf_slice(&honest)), 0);
	assert_memory_equal(vd_group_key(view, s.epoch, VD_KEY_MEMBERS), first_keys.key[VD_KEY_MEMBERS], VD_KEY_BYTES);
	vd_buf_deinit(&honest);
	vd_buf_deinit(&lying);
	vd_group_free(view);
	end(&s);
}

/* The sealed box has the bytes of crypto_box_seal: the ephemeral key changes with the mask, so none ever seals two texts. */
static void test_group_keys__sealed_boxes(void **state)
{
	struct actor member = actor_new(2);
	struct vd_buf a = {0}, b = {0};
	uint8_t plain[97];
	const uint8_t *box[2];
	struct scene s;

	(void)state;
	begin(&s);
	for (int round = 0; round < 2; round++) {
		struct vd_buf *out = round ? &b : &a;
		struct vd_content c;
		struct vd_value item;
		struct vd_rd items;

		grant(&s, &member, round ? VD_ROLE_MEMBER : VD_ROLE_REPORTER, "Beto");
		assert_int_equal(vd_group_make_epoch_for(s.group, s.epoch, member.identity.author, out), 0);
		assert_int_equal(vd_content_decode(vd_buf_slice(out), &c), 0);
		items = vd_value_items(vd_content_get(&c, "keys", VD_MP_ARRAY, 0));
		assert_true(vd_value_next(&items, &item));
		assert_int_equal(item.bytes.n, 177);
		assert_memory_equal(item.bytes.p, member.identity.author, VD_KEY_BYTES);
		box[round] = item.bytes.p + VD_KEY_BYTES;
		assert_int_equal(crypto_box_seal_open(plain, box[round], 145, member.identity.box, member.identity.box_secret), 0);
		assert_int_equal(plain[0], round ? 7 : 3);
		assert_memory_equal(plain + 1, first_keys.key[VD_KEY_LINK], VD_KEY_BYTES);
		assert_int_equal(sodium_is_zero(plain + 65, 32), !round);
	}
	assert_memory_not_equal(box[0], box[1], crypto_box_PUBLICKEYBYTES);
	vd_buf_deinit(&a);
	vd_buf_deinit(&b);
	end(&s);
}

static void test_group_keys__before_an_epoch_there_are_no_keys(void **state)
{
	struct actor founder = actor_new(1), member = actor_new(2);
	struct vd_card card = card_of(&member);
	struct vd_record_fields fields = {.lane = 2, .seq = 1};
	struct vd_buf content = {0};
	struct history h = {0};
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g;

	(void)state;
	vd_group_make_id(founder.identity.author, salt, id);
	assert_int_equal(vd_group_make_founding(&founder.identity, founder.person, salt, &content), 0);
	history_control(&h, &founder, id, &content);
	g = view_of(&h, id, &founder);
	assert_null(vd_group_current_epoch(g));
	assert_int_equal(vd_group_make_grant(g, &card, member.person, VD_ROLE_MEMBER, 0, "B", nonce, &content), VD_EKEY);
	assert_int_equal(vd_group_make_name(g, "Ours", nonce, &content), VD_EKEY);
	assert_int_equal(vd_group_seal_body(g, &fields, VD_AUDIENCE_MEMBERS, nonce, vd_slice("x", 1), &content), VD_EKEY);
	vd_group_free(g);
	history_free(&h);
}

static void test_group_keys__bodies(void **state)
{
	static const enum vd_role roles[] = {VD_ROLE_MEMBER, VD_ROLE_REPORTER, VD_ROLE_COURIER};
	static const char said[] = "what was said";
	struct scene s;

	(void)state;
	begin(&s);
	for (uint64_t i = 0; i < 3; i++) {
		struct actor a = actor_new(2 + i);

		admit(&s, &a, roles[i], "one");
	}
	for (enum vd_audience audience = VD_AUDIENCE_EVERYONE; audience <= VD_AUDIENCE_MEMBERS; audience++) {
		struct vd_record_fields f = {.lane = 2, .seq = 1, .time_ms = 5};
		struct vd_buf body = {0}, raw = {0}, out = {0};
		struct vd_record r;
		struct vd_id id;

		memcpy(f.group, s.id, sizeof(f.group));
		memcpy(f.author, s.founder.identity.author, sizeof(f.author));
		assert_int_equal(vd_group_seal_body(s.group, &f, audience, nonce, vd_slice_str(said), &body), 0);
		assert_int_equal(vd_record_create(&f, vd_buf_slice(&body), s.founder.identity.author_secret, &raw, &id), 0);
		r = decoded(vd_buf_slice(&raw));
		for (uint64_t i = 0; i < 3; i++) {
			struct actor a = actor_new(2 + i);
			struct vd_group *view = view_of(&s.history, s.id, &a);
			bool reads = roles[i] == VD_ROLE_MEMBER || (roles[i] == VD_ROLE_REPORTER && audience == VD_AUDIENCE_EVERYONE);

			assert_int_equal(vd_group_open_body(view, &r, &out), reads ? 0 : VD_EKEY);
			assert_int_equal(out.n, reads ? sizeof(said) - 1 : 0);
			assert_true(!reads || !memcmp(out.p, said, out.n));
			vd_buf_reset(&out);
			vd_group_free(view);
		}
		{
			/* Under another header the same body does not open. */
			struct vd_record_fields g = f;
			struct vd_buf moved = {0};
			struct vd_record other;

			g.time_ms++;
			assert_int_equal(vd_record_create(&g, vd_buf_slice(&body), s.founder.identity.author_secret, &moved, &id), 0);
			other = decoded(vd_buf_slice(&moved));
			assert_int_equal(vd_group_open_body(s.group, &other, &out), VD_ESIGNATURE);
			other.version = 2;
			assert_int_equal(vd_group_open_body(s.group, &other, &out), VD_EVERSION);
			other = decoded(vd_slice(moved.p, moved.n - body.n));
			assert_true(other.stub);
			assert_int_equal(vd_group_open_body(s.group, &other, &out), VD_ENOTFOUND);
			other.group[0] ^= 1;
			assert_int_equal(vd_group_open_body(s.group, &other, &out), VD_EGROUP);
			vd_buf_deinit(&moved);
		}
		vd_buf_deinit(&body);
		vd_buf_deinit(&raw);
		vd_buf_deinit(&out);
	}
	{
		struct vd_record r = decoded(history_at(&s.history, 0));
		struct vd_buf out = {0};

		assert_int_equal(vd_group_open_body(s.group, &r, &out), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&out), r.body));
		vd_buf_deinit(&out);
	}
	end(&s);
}

/* What `a` writes to these devices, as a record. */
static struct vd_buf named_by(struct scene *s, const struct actor *a, const uint8_t (*to)[VD_KEY_BYTES], size_t count,
                              struct vd_slice text)
{
	static const uint8_t seed[VD_BODY_SEED_BYTES] = {5};
	struct vd_group *view = view_of(&s->history, s->id, a);
	struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .seq = 1, .time_ms = 5};
	struct vd_buf body = {0}, raw = {0};
	struct vd_id id;

	memcpy(f.group, s->id, sizeof(f.group));
	memcpy(f.author, a->identity.author, sizeof(f.author));
	assert_int_equal(vd_group_seal_named(view, &f, to, count, nonce, seed, text, &body), 0);
	assert_int_equal(vd_record_create(&f, vd_buf_slice(&body), a->identity.author_secret, &raw, &id), 0);
	vd_group_free(view);
	vd_buf_deinit(&body);
	return raw;
}

/* How it opens for `a`, or for nobody's device; what it says is the text, and on an error nothing. */
static int opens_for(struct scene *s, const struct actor *a, const struct vd_buf *raw, struct vd_slice text)
{
	struct vd_group *view = view_of(&s->history, s->id, a);
	struct vd_record r = decoded(vd_buf_slice(raw));
	struct vd_buf out = {0};
	int rc;

	vd_buf_put_u8(&out, 'x');
	rc = vd_group_open_body(view, &r, &out);
	assert_int_equal(out.n, rc ? 1 : 1 + text.n);
	assert_true(rc || !memcmp(out.p + 1, text.p, text.n));
	vd_buf_deinit(&out);
	vd_group_free(view);
	return rc;
}

static void test_group_keys__named_bodies(void **state)
{
	const struct vd_slice said = vd_slice_str("what was said");
	uint8_t to[2][VD_KEY_BYTES];
	struct actor beto = actor_new(2), ana = actor_new(3), rita = actor_new(4), stranger = actor_new(5);
	struct vd_buf raw;
	struct scene s;

	(void)state;
	begin(&s);
	admit(&s, &beto, VD_ROLE_MEMBER, "Beto");
	admit(&s, &ana, VD_ROLE_MEMBER, "Ana");
	admit(&s, &rita, VD_ROLE_REPORTER, "Rita");
	memcpy(to[0], beto.identity.author, VD_KEY_BYTES);
	memcpy(to[1], rita.identity.author, VD_KEY_BYTES);
	raw = named_by(&s, &s.founder, (const uint8_t (*)[VD_KEY_BYTES])to, 2, said);
	assert_int_equal(opens_for(&s, &beto, &raw, said), 0);
	assert_int_equal(opens_for(&s, &rita, &raw, said), 0);
	assert_int_equal(opens_for(&s, &ana, &raw, said), VD_ESEALED);
	assert_int_equal(opens_for(&s, &s.founder, &raw, said), VD_ESEALED); /* its author kept no copy */
	assert_int_equal(opens_for(&s, &stranger, &raw, said), VD_ESEALED);
	assert_int_equal(opens_for(&s, NULL, &raw, said), VD_ESEALED);
	{
		/* The epoch only says when: without any key of it, it opens all the same. */
		struct vd_record r = decoded(vd_buf_slice(&raw));
		struct vd_group *bare = vd_group_new(s.id, &beto.identity);
		struct vd_buf out = {0};
		struct vd_body_prefix prefix;

		assert_int_equal(vd_body_peek(r.body, &prefix), 0);
		assert_memory_equal(prefix.epoch, s.epoch, VD_EPOCH_BYTES);
		assert_int_equal(vd_group_open_body(bare, &r, &out), 0);
		vd_buf_deinit(&out);
		vd_group_free(bare);
	}
	vd_buf_deinit(&raw);
	end(&s);
}

static void test_group_keys__named_to_whom(void **state)
{
	static const uint8_t seed[VD_BODY_SEED_BYTES] = {5};
	uint8_t to[VD_NAMED_SLOTS + 1][VD_KEY_BYTES];
	const uint8_t (*const list)[VD_KEY_BYTES] = (const uint8_t (*)[VD_KEY_BYTES])to;
	struct actor courier = actor_new(40), stranger = actor_new(41);
	struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .seq = 1};
	struct vd_buf out = {0};
	struct vd_group *bare;
	struct scene s;

	(void)state;
	begin(&s);
	for (uint64_t i = 0; i <= VD_NAMED_SLOTS; i++) {
		struct actor a = actor_new(2 + i);

		admit(&s, &a, VD_ROLE_MEMBER, "one");
		memcpy(to[i], a.identity.author, VD_KEY_BYTES);
	}
	admit(&s, &courier, VD_ROLE_COURIER, "Carla");
	memcpy(f.group, s.id, sizeof(f.group));
	memcpy(f.author, s.founder.identity.author, sizeof(f.author));
#define SEALED(group, count) vd_group_seal_named(group, &f, list, count, nonce, seed, vd_slice_str("x"), &out)
	assert_int_equal(SEALED(s.group, 0), VD_EINVAL);
	assert_int_equal(SEALED(s.group, VD_NAMED_SLOTS + 1), VD_EINVAL);
	assert_int_equal(SEALED(s.group, SIZE_MAX), VD_EINVAL);
	memcpy(to[15], stranger.identity.author, VD_KEY_BYTES);
	assert_int_equal(SEALED(s.group, VD_NAMED_SLOTS), VD_ENOTFOUND);
	memcpy(to[15], courier.identity.author, VD_KEY_BYTES); /* reads nothing */
	assert_int_equal(SEALED(s.group, VD_NAMED_SLOTS), VD_ENOTFOUND);
	assert_int_equal(out.n, 0);
	assert_int_equal(SEALED(s.group, VD_NAMED_SLOTS - 1), 0);
	bare = vd_group_new(s.id, &s.founder.identity);
	assert_int_equal(SEALED(bare, 1), VD_EKEY);
#undef SEALED
	vd_group_free(bare);
	vd_buf_deinit(&out);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_keys__epoch_for_many_devices),
		cmocka_unit_test(test_group_keys__sixteen_devices_a_record),
		cmocka_unit_test(test_group_keys__left_out_of_the_current_epoch),
		cmocka_unit_test(test_group_keys__some_keys_of_the_current_epoch),
		cmocka_unit_test(test_group_keys__revoke_carries_an_epoch),
		cmocka_unit_test(test_group_keys__keys_must_match_their_commitments),
		cmocka_unit_test(test_group_keys__sealed_boxes),
		cmocka_unit_test(test_group_keys__before_an_epoch_there_are_no_keys),
		cmocka_unit_test(test_group_keys__bodies),
		cmocka_unit_test(test_group_keys__named_bodies),
		cmocka_unit_test(test_group_keys__named_to_whom),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
