/* Whose words open for whom: PROTOCOL.md section 6, "Entitled". What everybody's own software must hold to, whatever the writer's did. */
#include "group_fixture.h"

#include <sodium.h>

static const struct vd_slice said = {(const uint8_t *)"they came at night", 18};

/* Founder and coordinator; two members; a reporter with two devices; another reporter; a courier. */
struct village {
	struct scene s;
	struct actor ana, beto, rita, rita2, quique, carla;
};

static void village_begin(struct village *v)
{
	begin(&v->s);
	v->ana = actor_new(2);
	v->beto = actor_new(3);
	v->rita = actor_new(4);
	v->rita2 = actor_new(5);
	v->quique = actor_new(6);
	v->carla = actor_new(7);
	memcpy(v->rita2.person, v->rita.person, VD_PERSON_BYTES);
	admit(&v->s, &v->ana, VD_ROLE_MEMBER, "Ana");
	admit(&v->s, &v->beto, VD_ROLE_MEMBER, "Beto");
	admit(&v->s, &v->rita, VD_ROLE_REPORTER, "Rita");
	admit(&v->s, &v->rita2, VD_ROLE_REPORTER, "Rita");
	admit(&v->s, &v->quique, VD_ROLE_REPORTER, "Quique");
	admit(&v->s, &v->carla, VD_ROLE_COURIER, "Carla");
}

/* Sealed to everybody who could be named, whatever their roles: what a changed program would write. */
static struct vd_buf written(struct village *v, const struct actor *by, enum vd_audience audience)
{
	static const uint8_t seed[VD_BODY_SEED_BYTES] = {5};
	const struct actor *all[] = {&v->s.founder, &v->ana, &v->beto, &v->rita, &v->rita2, &v->quique, &v->carla};
	enum { COUNT = sizeof(all) / sizeof(all[0]) };
	struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .seq = 1, .time_ms = 5};
	struct vd_buf body = {0}, raw = {0}, ad = {0};
	uint8_t boxes[COUNT][VD_KEY_BYTES];
	struct vd_id id;
	int rc;

	for (size_t i = 0; i < COUNT; i++)
		memcpy(boxes[i], all[i]->identity.box, VD_KEY_BYTES);
	memcpy(f.group, v->s.id, sizeof(f.group));
	memcpy(f.author, by->identity.author, sizeof(f.author));
	vd_record_ad(&f, &ad);
	if (audience == VD_AUDIENCE_NAMED)
		rc = vd_body_seal_named(v->s.epoch, (const uint8_t (*)[VD_KEY_BYTES])boxes, COUNT, nonce, seed, vd_buf_slice(&ad), said, &body);
	else
		rc = vd_body_seal(audience, v->s.epoch, first_keys.key[audience == VD_AUDIENCE_MEMBERS ? VD_KEY_MEMBERS : VD_KEY_EVERYONE], nonce,
		                  vd_buf_slice(&ad), said, &body);
	assert_int_equal(rc, 0);
	assert_int_equal(vd_record_create(&f, vd_buf_slice(&body), by->identity.author_secret, &raw, &id), 0);
	vd_buf_deinit(&body);
	vd_buf_deinit(&ad);
	return raw;
}

/* How what `by` wrote opens for `reader`, whom the keys do not keep from it; on an error nothing of it comes out. */
static int opens(struct village *v, const struct actor *reader, const struct actor *by, enum vd_audience audience)
{
	struct vd_group *view = view_of(&v->s.history, v->s.id, reader);
	struct vd_buf raw = written(v, by, audience), out = {0};
	struct vd_record r = decoded(vd_buf_slice(&raw));
	int rc;

	vd_buf_put_u8(&out, 'x');
	rc = vd_group_open_body(view, &r, &out);
	assert_int_equal(out.n, rc ? 1 : 1 + said.n);
	assert_true(rc || !memcmp(out.p + 1, said.p, said.n));
	/* Nor does it stay behind in memory. */
	assert_true(!rc || out.cap < 1 + said.n || memcmp(out.p + 1, said.p, said.n) != 0);
	vd_buf_deinit(&out);
	vd_buf_deinit(&raw);
	vd_group_free(view);
	return rc;
}

static void grant_flagged(struct scene *s, const struct actor *a, enum vd_role role, uint32_t flags)
{
	struct vd_buf content = {0};
	struct vd_card card = card_of(a);

	assert_int_equal(vd_group_make_grant(s->group, &card, a->person, role, flags, "one", nonce, &content), 0);
	act(s, &s->founder, &content);
}

static void test_entitled__who_writes_freely(void **state)
{
	struct village v;
	const struct actor *writers[] = {&v.s.founder, &v.ana};

	(void)state;
	village_begin(&v);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(opens(&v, &v.beto, writers[i], VD_AUDIENCE_EVERYONE), 0);
		assert_int_equal(opens(&v, &v.beto, writers[i], VD_AUDIENCE_MEMBERS), 0);
		assert_int_equal(opens(&v, &v.beto, writers[i], VD_AUDIENCE_NAMED), 0);
		assert_int_equal(opens(&v, &v.rita, writers[i], VD_AUDIENCE_EVERYONE), 0);
		assert_int_equal(opens(&v, &v.rita, writers[i], VD_AUDIENCE_NAMED), 0);
		assert_int_equal(opens(&v, &v.rita, writers[i], VD_AUDIENCE_MEMBERS), VD_EKEY);
	}
	end(&v.s);
}

/* A reporter's word goes to the focal points, whomever else the writing program sealed it to. */
static void test_entitled__reporter_reaches_focal_points_and_own_devices(void **state)
{
	struct village v;

	(void)state;
	village_begin(&v);
	assert_int_equal(opens(&v, &v.s.founder, &v.rita, VD_AUDIENCE_NAMED), 0); /* none is marked: the coordinator */
	assert_int_equal(opens(&v, &v.rita, &v.rita, VD_AUDIENCE_NAMED), 0);
	assert_int_equal(opens(&v, &v.rita2, &v.rita, VD_AUDIENCE_NAMED), 0);
	assert_int_equal(opens(&v, &v.ana, &v.rita, VD_AUDIENCE_NAMED), VD_EAUTHOR);
	assert_int_equal(opens(&v, &v.quique, &v.rita, VD_AUDIENCE_NAMED), VD_EAUTHOR);

	grant_flagged(&v.s, &v.ana, VD_ROLE_MEMBER, VD_GRANT_FOCAL);
	assert_int_equal(opens(&v, &v.ana, &v.rita, VD_AUDIENCE_NAMED), 0);
	/* What was confided to the coordinator before stays open. */
	assert_int_equal(opens(&v, &v.s.founder, &v.rita, VD_AUDIENCE_NAMED), 0);
	assert_int_equal(opens(&v, &v.beto, &v.rita, VD_AUDIENCE_NAMED), VD_EAUTHOR);
	assert_int_equal(opens(&v, &v.rita2, &v.rita, VD_AUDIENCE_NAMED), 0);
	end(&v.s);
}

static void test_entitled__reporter_writes_to_nobody_but_by_name(void **state)
{
	struct village v;

	(void)state;
	village_begin(&v);
	for (enum vd_audience audience = VD_AUDIENCE_EVERYONE; audience <= VD_AUDIENCE_MEMBERS; audience++) {
		assert_int_equal(opens(&v, &v.s.founder, &v.rita, audience), VD_EAUTHOR);
		assert_int_equal(opens(&v, &v.ana, &v.rita, audience), VD_EAUTHOR);
	}
	assert_int_equal(opens(&v, &v.rita, &v.rita, VD_AUDIENCE_EVERYONE), VD_EAUTHOR);
	/* Made a member, all of it is theirs to have said. */
	grant_flagged(&v.s, &v.rita, VD_ROLE_MEMBER, 0);
	assert_int_equal(opens(&v, &v.ana, &v.rita, VD_AUDIENCE_EVERYONE), 0);
	assert_int_equal(opens(&v, &v.ana, &v.rita, VD_AUDIENCE_NAMED), 0);
	end(&v.s);
}

static void test_entitled__courier_writes_and_opens_nothing(void **state)
{
	struct village v;

	(void)state;
	village_begin(&v);
	for (enum vd_audience audience = VD_AUDIENCE_EVERYONE; audience <= VD_AUDIENCE_NAMED; audience++) {
		assert_int_equal(opens(&v, &v.s.founder, &v.carla, audience), VD_EAUTHOR);
		assert_int_equal(opens(&v, &v.carla, &v.s.founder, audience), VD_EKEY);
		assert_int_equal(opens(&v, &v.carla, &v.carla, audience), VD_EKEY);
	}
	grant_flagged(&v.s, &v.carla, VD_ROLE_MEMBER, 0);
	assert_int_equal(opens(&v, &v.carla, &v.s.founder, VD_AUDIENCE_NAMED), 0);
	assert_int_equal(opens(&v, &v.s.founder, &v.carla, VD_AUDIENCE_EVERYONE), 0);
	end(&v.s);
}

/* Without any grant: in quarantine, but who asks for it sees what it says. */
static void test_entitled__author_without_a_grant_can_be_looked_at(void **state)
{
	struct actor stranger = actor_new(50);
	struct village v;

	(void)state;
	village_begin(&v);
	for (enum vd_audience audience = VD_AUDIENCE_EVERYONE; audience <= VD_AUDIENCE_NAMED; audience++)
		assert_int_equal(opens(&v, &v.ana, &stranger, audience), 0);
	end(&v.s);
}

/* What nobody's vereda would show is not written in the first place: its author would believe that it was heard. */
static void test_entitled__ours_is_refused_before_it_is_sealed(void **state)
{
	static const uint8_t seed[VD_BODY_SEED_BYTES] = {5};
	struct village v;
	struct {
		const struct actor *by, *to;
		int named, everyone;
	} cases[] = {
		{&v.ana, &v.beto, 0, 0},
		{&v.ana, &v.rita, 0, 0},
		{&v.rita, &v.s.founder, 0, VD_EAUTHOR},
		{&v.rita, &v.rita2, 0, VD_EAUTHOR},
		{&v.rita, &v.ana, VD_EAUTHOR, VD_EAUTHOR},
		{&v.rita, &v.quique, VD_EAUTHOR, VD_EAUTHOR},
		{&v.carla, &v.s.founder, VD_EAUTHOR, VD_EAUTHOR},
	};

	(void)state;
	village_begin(&v);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vd_group *view = view_of(&v.s.history, v.s.id, cases[i].by);
		struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .seq = 1};
		struct vd_buf out = {0};

		assert_int_equal(vd_group_seal_named(view, &f, &cases[i].to->identity.author, 1, nonce, seed, said, &out), cases[i].named);
		vd_buf_reset(&out);
		assert_int_equal(vd_group_seal_body(view, &f, VD_AUDIENCE_EVERYONE, nonce, said, &out), cases[i].everyone);
		vd_buf_deinit(&out);
		vd_group_free(view);
	}
	end(&v.s);
}

static void remove_actor(struct scene *s, const struct actor *a)
{
	static const struct vd_epoch_keys keys = {{{4}, {5}, {6}}};
	const struct vd_removal removal = {.devices = (const uint8_t (*)[VD_KEY_BYTES])a->identity.author, .device_count = 1, .reason = "why"};
	struct vd_buf content = {0};

	assert_int_equal(vd_group_make_revoke(s->group, &removal, &keys, nonce, &content), 0);
	act(s, &s->founder, &content);
	assert_int_equal(vd_group_find(s->group, a->identity.author)->role, VD_ROLE_NONE);
}

/* Removal closes nothing that was open and opens nothing that was closed; but nobody seals to the removed any more. */
static void test_entitled__removed(void **state)
{
	static const uint8_t seed[VD_BODY_SEED_BYTES] = {5};
	struct vd_record_fields f = {.lane = VD_LANE_NORMAL, .seq = 1};
	struct vd_buf out = {0};
	struct village v;

	(void)state;
	village_begin(&v);
	assert_int_equal(vd_group_seal_named(v.s.group, &f, (const uint8_t (*)[VD_KEY_BYTES])v.beto.identity.author, 1, nonce, seed, said, &out), 0);
	vd_buf_reset(&out);
	remove_actor(&v.s, &v.beto);
	remove_actor(&v.s, &v.rita);
	remove_actor(&v.s, &v.carla);
	for (enum vd_audience audience = VD_AUDIENCE_EVERYONE; audience <= VD_AUDIENCE_NAMED; audience++) {
		assert_int_equal(opens(&v, &v.ana, &v.beto, audience), 0);
		assert_int_equal(opens(&v, &v.ana, &v.rita, audience), VD_EAUTHOR);
		assert_int_equal(opens(&v, &v.ana, &v.carla, audience), VD_EAUTHOR);
		assert_int_equal(opens(&v, &v.carla, &v.ana, audience), VD_EKEY);
	}
	assert_int_equal(opens(&v, &v.s.founder, &v.rita, VD_AUDIENCE_NAMED), 0);
	assert_int_equal(opens(&v, &v.beto, &v.ana, VD_AUDIENCE_NAMED), 0); /* what it had, it has */
	assert_int_equal(vd_group_seal_named(v.s.group, &f, (const uint8_t (*)[VD_KEY_BYTES])v.beto.identity.author, 1, nonce, seed, said, &out), VD_ENOTFOUND);
	assert_int_equal(out.n, 0);
	vd_buf_deinit(&out);
	end(&v.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entitled__who_writes_freely),
		cmocka_unit_test(test_entitled__reporter_reaches_focal_points_and_own_devices),
		cmocka_unit_test(test_entitled__reporter_writes_to_nobody_but_by_name),
		cmocka_unit_test(test_entitled__courier_writes_and_opens_nothing),
		cmocka_unit_test(test_entitled__author_without_a_grant_can_be_looked_at),
		cmocka_unit_test(test_entitled__ours_is_refused_before_it_is_sealed),
		cmocka_unit_test(test_entitled__removed),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
