/* What has an end: its body goes a week after, on every node, by a clock that can be believed, and nothing else changes. */
#include "tests/unit/view_cast.h"

#include "proto/attachment.h"
#include "store/tend_inside.h"

enum { DAY = 86400000 };

static const uint32_t first_day = (uint32_t)(UINT64_C(1780000000000) / DAY); /* cast_now */

static struct vd_id say(struct village *v, size_t by, uint8_t lane, const char *name, uint32_t expires_day, const struct vd_part *part)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(name) } };
	struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_EVERYONE, .now_ms = ++v->clock, .has_expires = true,
		                  .expires_day = expires_day, .part = part };
	struct vd_buf content = { 0 };

	assert_int_equal(part ? vd_chunk_encode(vd_slice_str(name), &content) : vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	return village_put(v, by, &draft, &content, name);
}

static struct vd_tended jump(struct village *v, size_t i, uint64_t day)
{
	struct vd_tended tended = { 0 };

	assert_int_equal(vd_tend_expired(v->s[i], v->id, day * DAY + 1000, &tended), 0);
	return tended;
}

/* As on a device that is used every few days from one day to another: what went by then. */
static uint64_t from_to(struct village *v, size_t i, uint64_t from, uint64_t day)
{
	uint64_t dropped = 0;

	for (; from < day; from += 3)
		dropped += jump(v, i, from).expired;
	return dropped + jump(v, i, day).expired;
}

static uint64_t until(struct village *v, size_t i, uint64_t day)
{
	return from_to(v, i, first_day, day);
}

static uint64_t wanted(const struct village *v, size_t i)
{
	struct vd_lane_state state;
	uint64_t n = 0;

	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		assert_int_equal(vd_store_lane(v->s[i], v->id, lane, &state, NULL, 0), 0);
		n += state.wanted.count;
	}
	return n;
}

struct scene {
	struct village v;
	size_t member, other, courier;
};

static void begin(struct scene *s, const struct cast_place *p)
{
	struct vd_part part;

	village_start(&s->v, p);
	s->member = village_join(&s->v, VD_ROLE_MEMBER, 3);
	s->other = village_join(&s->v, VD_ROLE_MEMBER, 4);
	s->courier = village_join(&s->v, VD_ROLE_COURIER, 5);
	village_say(&s->v, s->member, "stays");
	part = (struct vd_part){ .of = say(&s->v, s->member, VD_LANE_NORMAL, "goes", first_day + 40, NULL) };
	say(&s->v, s->member, VD_LANE_BULK, "chunk", first_day + 40, &part);
	say(&s->v, s->member, VD_LANE_URGENT, "later", first_day + 80, NULL);
	village_sync(&s->v);
}

static void test_expire__a_week_after_everywhere(void **state)
{
	struct vd_lane_state before, after;
	struct scene s;

	begin(&s, *state);
	for (size_t i = 0; i < s.v.count; i++) {
		assert_int_equal(vd_store_lane(s.v.s[i], s.v.id, VD_LANE_NORMAL, &before, NULL, 0), 0);
		assert_int_equal(until(&s.v, i, first_day + 46), 0);
		assert_true(village_whole(&s.v, i, "goes") && village_whole(&s.v, i, "chunk"));
		assert_int_equal(jump(&s.v, i, first_day + 47).expired, 2);
		assert_false(village_whole(&s.v, i, "goes"));
		assert_false(village_whole(&s.v, i, "chunk"));
		assert_true(village_whole(&s.v, i, "stays") && village_whole(&s.v, i, "later"));
		assert_int_equal(jump(&s.v, i, first_day + 48).expired, 0);
		assert_int_equal(wanted(&s.v, i), 0);
		assert_int_equal(vd_store_lane(s.v.s[i], s.v.id, VD_LANE_NORMAL, &after, NULL, 0), 0);
		assert_true(vd_digest_eq(&before.digest, &after.digest));
	}
	village_shows(&s.v, 0, "stays goes later ");
	/* who comes with the body gets rid of it no more, and who comes with the stub is not asked */
	village_hand(&s.v, s.member, 0, "goes", true);
	assert_int_equal(wanted(&s.v, 0), 0);
	assert_int_equal(from_to(&s.v, 0, first_day + 50, first_day + 87), 1);
	assert_false(village_whole(&s.v, 0, "later"));
	village_end(&s.v);
}

/* To whom it was sealed by name is known to who kept a copy, and goes with it. */
static void test_expire__names_go_with_the_body(void **state)
{
	uint8_t to[VD_NAMED_SLOTS][VD_KEY_BYTES];
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("by name") } };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_NAMED, .has_expires = true, .expires_day = first_day + 40 };
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;
	struct scene s;
	size_t count;

	begin(&s, *state);
	draft.now_ms = ++s.v.clock;
	draft.devices = &vd_group_identity(s.v.g[s.member])->author;
	draft.device_count = 1;
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(s.v.s[s.member], &w), 0);
	assert_int_equal(vd_write_own(w, s.v.g[s.member], &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	until(&s.v, s.member, first_day + 46);
	assert_int_equal(vd_store_named(s.v.s[s.member], &id, to, &count), 0);
	assert_int_equal(count, 1);
	jump(&s.v, s.member, first_day + 47);
	assert_int_equal(vd_store_named(s.v.s[s.member], &id, to, &count), VD_ENOTFOUND);
	village_end(&s.v);
}

/* It comes late: as a body it stays for as long as it was meant to, and the week; as a stub it is wanted for the week. */
static void test_expire__what_comes_late(void **state)
{
	struct scene s;
	size_t late;

	begin(&s, *state);
	late = village_join(&s.v, VD_ROLE_MEMBER, 6);
	assert_int_equal(until(&s.v, late, first_day + 60), 0);
	village_hand(&s.v, s.member, late, "goes", true);
	village_hand(&s.v, s.member, late, "later", false);
	village_hand(&s.v, s.member, late, "chunk", false);
	assert_int_equal(wanted(&s.v, late), 1);
	assert_int_equal(from_to(&s.v, late, first_day + 60, first_day + 66), 0);
	assert_int_equal(wanted(&s.v, late), 1);
	assert_int_equal(from_to(&s.v, late, first_day + 69, first_day + 106), 0);
	assert_int_equal(wanted(&s.v, late), 0);
	assert_true(village_whole(&s.v, late, "chunk"));
	assert_int_equal(jump(&s.v, late, first_day + 108).expired, 1);
	assert_false(village_whole(&s.v, late, "chunk"));
	/* the longer it was meant to be kept, the longer */
	assert_int_equal(from_to(&s.v, late, first_day + 111, first_day + 146), 0);
	assert_int_equal(jump(&s.v, late, first_day + 148).expired, 1);
	village_hand(&s.v, s.member, late, "goes", false);
	assert_false(village_whole(&s.v, late, "goes"));
	village_end(&s.v);
}

/* A clock that jumps destroys nothing; what a clock that ran wrong for a week took is wanted again when it is set right. */
static void test_expire__wrong_clocks(void **state)
{
	struct vd_merge merge;
	struct scene s;

	begin(&s, *state);
	assert_int_equal(jump(&s.v, 0, first_day + 100).expired, 0);
	assert_int_equal(jump(&s.v, 0, 1).expired, 0);
	assert_int_equal(jump(&s.v, 0, 47000).expired, 0);
	assert_int_equal(jump(&s.v, 0, first_day + 200).expired, 0);
	assert_int_equal(jump(&s.v, 0, first_day + 202).expired, 0);
	assert_int_equal(jump(&s.v, 0, first_day + 206).expired, 0);
	assert_true(village_whole(&s.v, 0, "goes"));
	assert_int_equal(jump(&s.v, 0, first_day + 207).expired, 0);
	assert_int_equal(from_to(&s.v, 0, first_day + 210, first_day + 260), 2);
	assert_int_equal(from_to(&s.v, 0, first_day + 263, first_day + 300), 1);
	/* it was wrong all along: two others say so */
	village_say(&s.v, s.other, "other");
	village_carry(&s.v, s.other, 0);
	assert_int_equal(jump(&s.v, 0, first_day + 10).wanted, 3);
	assert_int_equal(wanted(&s.v, 0), 3);
	cast_carry(s.v.s[s.member], s.v.s[0], s.v.g[0], &merge);
	assert_int_equal(merge.filled, 3);
	assert_true(village_whole(&s.v, 0, "goes") && village_whole(&s.v, 0, "chunk") && village_whole(&s.v, 0, "later"));
	village_check(&s.v);
	village_shows(&s.v, 0, "stays goes later other ");
	village_end(&s.v);
}

/* A clock that is set back a little after each look: how much expires meanwhile. */
static uint64_t until_set_back(struct village *v, size_t i, uint64_t back_ms, uint64_t day)
{
	uint64_t expired = 0;

	for (uint64_t at = first_day; at < day; at += 3) {
		struct vd_tended tended = { 0 };

		expired += jump(v, i, at).expired;
		assert_int_equal(vd_tend_expired(v->s[i], v->id, at * DAY + 1000 - back_ms, &tended), 0);
		expired += tended.expired;
	}
	return expired;
}

/* By its network, and it is no worse than others; by more than a minute, and it is not believed. */
static void test_expire__a_clock_set_back(void **state)
{
	struct scene s;

	begin(&s, *state);
	assert_int_equal(until_set_back(&s.v, 0, 60001, first_day + 150), 0);
	village_end(&s.v);
}

static void test_expire__a_clock_set_right(void **state)
{
	struct scene s;

	begin(&s, *state);
	assert_int_equal(until_set_back(&s.v, 0, 60000, first_day + 150), 3);
	village_end(&s.v);
}

/* Their author's clock was behind, and all others' are right, and known to be: it is kept for as long as it was meant to. */
static void test_expire__its_authors_clock_was_behind(void **state)
{
	struct scene s;

	begin(&s, *state);
	s.v.clock -= 40 * (uint64_t)DAY;
	/* the first of its lane bears the wrong time; after one it is known to be wrong, and means nothing */
	say(&s.v, s.member, VD_LANE_URGENT, "no end", first_day - 10, NULL);
	say(&s.v, s.other, VD_LANE_NORMAL, "testimony", first_day - 10, NULL);
	s.v.clock += 40 * (uint64_t)DAY;
	village_say(&s.v, s.other, "o");
	village_sync(&s.v);
	for (size_t i = 0; i < s.v.count; i++) {
		assert_int_equal(until(&s.v, i, first_day + 36), 0);
		assert_true(village_whole(&s.v, i, "testimony"));
		assert_int_equal(jump(&s.v, i, first_day + 38).expired, 1);
		assert_false(village_whole(&s.v, i, "testimony"));
		assert_int_equal(from_to(&s.v, i, first_day + 41, first_day + 70), 2);
		assert_true(village_whole(&s.v, i, "no end"));
	}
	village_end(&s.v);
}

/* Ours ran well, and was most of a year ahead when it came: what it showed does not count, also when it is set right. Or it shows what no clock can. */
static void test_expire__our_clock_was_ahead(void **state)
{
	static const uint32_t ahead[] = { 300, 60000 };

	for (size_t k = 0; k < 2; k++) {
		struct scene s;
		size_t late;

		begin(&s, *state);
		late = village_join(&s.v, VD_ROLE_MEMBER, 6 + (uint8_t)k);
		from_to(&s.v, late, first_day + ahead[k], first_day + ahead[k] + 20);
		village_hand(&s.v, s.member, late, "goes", true);
		village_hand(&s.v, s.member, late, "goes", false);
		assert_int_equal(from_to(&s.v, late, first_day + ahead[k] + 20, first_day + ahead[k] + 40), 0);
		assert_int_equal(from_to(&s.v, late, first_day + 20, first_day + 40), 0);
		assert_int_equal(from_to(&s.v, late, first_day + ahead[k] + 40, first_day + ahead[k] + 55), 0);
		assert_true(village_whole(&s.v, late, "goes"));
		assert_int_equal(from_to(&s.v, late, first_day + ahead[k] + 58, first_day + ahead[k] + 100), k ? 0 : 1);
		village_end(&s.v);
		cast_teardown(state);
		assert_int_equal(cast_setup(state), 0);
	}
}

/* A device that is used every twelve days, and hears of two others then: what went by in between counts. Nothing does where nobody is heard of. */
static void test_expire__used_now_and_then(void **state)
{
	for (int heard = 0; heard < 2; heard++) {
		uint64_t expired = 0;
		struct scene s;

		begin(&s, *state);
		for (uint64_t day = 0; day < 70; day += 12) {
			char name[16];

			s.v.clock = (first_day + day) * DAY;
			for (int i = 0; heard && i < 2; i++) {
				size_t who = i ? s.other : s.member;

				snprintf(name, sizeof(name), "d%d.%d", i, (int)day);
				village_say(&s.v, who, name);
				village_carry(&s.v, who, 0);
			}
			expired += jump(&s.v, 0, first_day + day).expired;
			assert_int_equal(expired, heard && day >= 48 ? 2 : 0);
		}
		village_end(&s.v);
		cast_teardown(state);
		assert_int_equal(cast_setup(state), 0);
	}
}

/* Whatever is hidden besides: expired is for good; acts, redactions and keys have no end. */
static void test_expire__and_redacted(void **state)
{
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .has_expires = true, .expires_day = first_day + 1,
		                  .hands_keys = true, .content = vd_slice_str("k") };
	struct vd_tended tended = { 0 };
	struct vd_write *w;
	struct vd_id id;
	struct scene s;

	begin(&s, *state);
	draft.now_ms = ++s.v.clock;
	assert_int_equal(vd_write_begin(s.v.s[0], &w), 0);
	assert_int_equal(vd_write_own(w, s.v.g[0], &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	village_name(&s.v, &id, "keys");
	id = village_find(&s.v, "goes");
	village_redact(&s.v, 0, "goes", "r");
	assert_int_equal(until(&s.v, 0, first_day + 50), 2);
	assert_true(village_whole(&s.v, 0, "keys"));
	assert_true(village_whole(&s.v, 0, "r"));
	for (uint64_t day = 50; day < 90; day += 5)
		assert_int_equal(vd_tend_bodies(s.v.s[0], s.v.id, (first_day + day) * DAY, &tended), 0);
	assert_int_equal(tended.expired + tended.wanted, 0);
	village_end(&s.v);
}

/* Derived data made anew: nothing comes back, nothing is forgotten. */
static void test_expire__repair(void **state)
{
	uint8_t damage[VD_LIST_KEY_BYTES];
	struct vd_check check;
	struct vd_write *w;
	struct scene s;

	begin(&s, *state);
	assert_int_equal(until(&s.v, 0, first_day + 50), 2);
	vd_group_list(s.v.s[0], "expired", s.v.id, damage);
	assert_int_equal(vd_write_begin(s.v.s[0], &w), 0);
	for (uint64_t arrival = 1; arrival < 40; arrival++)
		vd_effects_entry_remove(&w->effects, VD_TABLE_LISTS, damage, arrival);
	assert_int_equal(vd_write_end(w), 0);
	assert_int_equal(vd_check(s.v.s[0], false, &check), 0);
	assert_int_equal(check.derived_bad, 2);
	assert_int_equal(vd_check(s.v.s[0], true, &check), 0);
	assert_int_equal(jump(&s.v, 0, first_day + 51).expired, 0);
	assert_int_equal(wanted(&s.v, 0), 0);
	assert_int_equal(from_to(&s.v, 0, first_day + 54, first_day + 90), 1);
	village_end(&s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_expire__a_week_after_everywhere, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__names_go_with_the_body, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__what_comes_late, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__wrong_clocks, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__a_clock_set_back, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__a_clock_set_right, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__its_authors_clock_was_behind, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__our_clock_was_ahead, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__used_now_and_then, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__and_redacted, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_expire__repair, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
