#include "tests/unit/view_cast.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "store/salvage.h"
#include "store/standing.h"
#include "store/tend_inside.h"

enum { DAY = 86400000 };

static struct vd_tended jump(struct village *v, size_t i, uint64_t now_ms)
{
	struct vd_tended tended = { 0 };

	assert_int_equal(vd_tend_bodies(v->s[i], v->id, now_ms, &tended), 0);
	return tended;
}

/* As on a device that is used every few days until then. */
static struct vd_tended tend(struct village *v, size_t i, uint64_t now_ms)
{
	struct vd_tended tended = { 0 };

	for (uint64_t before = 40; before > 0; before -= 5)
		assert_int_equal(vd_tend_bodies(v->s[i], v->id, now_ms - before * DAY, &tended), 0);
	assert_int_equal(vd_tend_bodies(v->s[i], v->id, now_ms, &tended), 0);
	return tended;
}

static uint64_t wanted(const struct village *v, size_t i)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(v->s[i], v->id, VD_LANE_NORMAL, &state, NULL, 0), 0);
	return state.wanted.count;
}

struct scene {
	struct village v;
	size_t coordinator, member, second, stranger, courier;
};

/* A member with two devices wrote; who redacts what of it is told by each test. */
static void begin(struct scene *s, const struct cast_place *p)
{
	village_start(&s->v, p);
	s->coordinator = village_join(&s->v, VD_ROLE_COORDINATOR, 2);
	s->member = village_join(&s->v, VD_ROLE_MEMBER, 3);
	s->second = village_join(&s->v, VD_ROLE_MEMBER, 3);
	s->stranger = village_join(&s->v, VD_ROLE_MEMBER, 4);
	s->courier = village_join(&s->v, VD_ROLE_COURIER, 5);
	village_say(&s->v, s->member, "m1");
	village_say(&s->v, s->member, "m2");
	village_say(&s->v, 0, "f1");
	village_sync(&s->v);
}

static void test_redact__hides_at_once_by_whom_it_holds(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.stranger, "m1", "r1");
	village_redact(&s.v, s.member, "f1", "r2");
	village_sync(&s.v);
	for (size_t i = 0; i < s.v.count; i++)
		village_shows(&s.v, i, "m1 m2 f1 r1 r2 ");
	village_redact(&s.v, s.second, "m1", "r3"); /* of the same person */
	village_redact(&s.v, s.coordinator, "m2", "r4");
	village_redact(&s.v, 0, "f1", "r5");
	village_sync(&s.v);
	for (size_t i = 0; i < s.v.count; i++) {
		village_shows(&s.v, i, "r1 r2 r3 r4 r5 ");
		village_holds(&s.v, i, "m1/r3 m2/r4 f1/r5 r1 r2 r3 r4 r5 ");
		village_quarantines(&s.v, i, "");
	}
	village_end(&s.v);
}

/* Said over and over it holds no less, and no longer than its author does. */
static void test_redact__said_over_and_over(void **state)
{
	struct scene s;

	begin(&s, *state);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r%d", i);
		village_redact(&s.v, s.second, "m1", name);
	}
	village_redact(&s.v, s.coordinator, "m1", "c");
	village_sync(&s.v);
	village_shows(&s.v, 0, "m2 f1 r0 r1 r2 r3 r4 r5 r6 r7 r8 r9 r10 r11 r12 r13 r14 r15 r16 r17 r18 r19 r20 r21 r22 r23 r24 r25 r26 r27 "
	                       "r28 r29 r30 r31 r32 r33 r34 r35 r36 r37 r38 r39 c ");
	village_revoke(&s.v, 0, s.second, NULL);
	village_revoke(&s.v, 0, s.coordinator, NULL);
	village_shows(&s.v, 0, "m1 m2 f1 ");
	village_review(&s.v, 0, "r39", true); /* none before it holds */
	village_shows(&s.v, 0, "m2 f1 r39accepted ");
	village_end(&s.v);
}

static void test_redact__before_and_after_what_it_names(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_say(&s.v, s.member, "m3");
	village_redact(&s.v, s.member, "m3", "r1");
	village_hand(&s.v, s.member, 0, "r1", false);
	village_shows(&s.v, 0, "m1 m2 f1 r1 ");
	village_hand(&s.v, s.member, 0, "m3", true);
	village_holds(&s.v, 0, "m1 m2 f1 m3/r1 r1 ");
	village_hand(&s.v, s.member, 0, "m3", false);
	village_holds(&s.v, 0, "m1 m2 f1 m3/r1 r1 ");
	village_hand(&s.v, s.member, s.stranger, "m3", false);
	village_shows(&s.v, s.stranger, "m1 m2 f1 m3 ");
	village_hand(&s.v, s.member, s.stranger, "r1", false);
	village_holds(&s.v, s.stranger, "m1 m2 f1 m3/r1 r1 ");
	village_end(&s.v);
}

static void test_redact__redactions_and_acts_cannot_be(void **state)
{
	struct vd_query everything = { .control = true };
	struct village_view view;
	struct vd_id act;
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_redact(&s.v, s.member, "r1", "r2");
	village_carry(&s.v, s.member, 0);
	village_shows(&s.v, 0, "m2 f1 r1 r2 ");
	act = village_review(&s.v, 0, "m2", false);
	village_name(&s.v, &act, "act");
	village_redact(&s.v, 0, "act", "r3");
	everything.since_ms = s.v.clock - 1;
	everything.has_since = true;
	village_text(&s.v, 0, &everything, &view);
	assert_string_equal(view.text, "act r3 ");
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 40 * (uint64_t)DAY).redacted, 1);
	assert_true(village_whole(&s.v, 0, "r1"));
	assert_true(village_whole(&s.v, 0, "act"));
	village_end(&s.v);
}

/* Index entries that came from the body of that record. */
static size_t entries_of_body(const struct village *v, size_t i, const char *name)
{
	struct vd_id id = village_find(v, name);
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival, at;
	MDB_cursor *cursor;
	MDB_txn *txn;
	bool there;

	assert_int_equal(vd_store_find(v->s[i], &id, &arrival), 0);
	assert_int_equal(vd_db_read(v->s[i]->db, &txn), 0);
	assert_int_equal(mdb_cursor_open(txn, vd_db_table(v->s[i]->db, VD_TABLE_INDEX), &cursor), 0);
	vd_index_list(v->s[i], VD_INDEX_KIND, v->id, vd_slice_str("message"), list);
	at = arrival - 1;
	there = !vd_list_next(cursor, list, &at) && at == arrival;
	mdb_cursor_close(cursor);
	vd_db_done(v->s[i]->db, txn);
	return there;
}

static void test_redact__the_body_goes_after_thirty_days(void **state)
{
	struct vd_digest before, after;
	struct vd_lane_state lane;
	struct scene s;
	uint64_t came;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_sync(&s.v);
	came = vd_now_ms();
	for (size_t i = 0; i < s.v.count; i++) {
		/* Its author's clock says 2023; it came here today. Where it was written it came when it was written. */
		uint64_t since = i == s.member ? s.v.clock : came;

		assert_int_equal(vd_store_lane(s.v.s[i], s.v.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
		before = lane.digest;
		assert_int_equal(tend(&s.v, i, cast_now - DAY).redacted, 0);
		assert_int_equal(tend(&s.v, i, since + 29 * (uint64_t)DAY).redacted, 0);
		assert_true(village_whole(&s.v, i, "m1"));
		assert_int_equal(entries_of_body(&s.v, i, "m1"), i != s.courier);
		assert_int_equal(tend(&s.v, i, since + 31 * (uint64_t)DAY).redacted, 1);
		assert_int_equal(tend(&s.v, i, since + 31 * (uint64_t)DAY).redacted, 0);
		assert_false(village_whole(&s.v, i, "m1"));
		assert_true(village_whole(&s.v, i, "m2"));
		assert_int_equal(entries_of_body(&s.v, i, "m1"), 0);
		assert_int_equal(wanted(&s.v, i), 0);
		assert_int_equal(vd_store_lane(s.v.s[i], s.v.id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
		after = lane.digest;
		assert_true(vd_digest_eq(&before, &after));
		village_holds(&s.v, i, "m1/r1 m2 f1 r1 ");
	}
	village_end(&s.v);
}

/* A clock that jumps a month ahead erases nothing: not at once, nor when it jumps again, nor when it went back. */
static void test_redact__a_jumping_clock(void **state)
{
	uint64_t now, month = 31 * (uint64_t)DAY;
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_sync(&s.v);
	now = vd_now_ms();
	for (size_t i = 0; i < s.v.count; i++) {
		/* Nor when it is looked at for the first time. */
		assert_int_equal(jump(&s.v, i, now + month).redacted, 0);
		assert_int_equal(jump(&s.v, i, now).redacted, 0);
		assert_int_equal(jump(&s.v, i, now + month).redacted, 0);
		assert_int_equal(jump(&s.v, i, now + month + 6 * (uint64_t)DAY).redacted, 0);
		assert_int_equal(jump(&s.v, i, now + DAY).redacted, 0);
		/* Of 1970, or of 2099, and back. */
		assert_int_equal(jump(&s.v, i, DAY).redacted, 0);
		assert_int_equal(jump(&s.v, i, 4070908800000).redacted, 0);
		assert_int_equal(jump(&s.v, i, 4070908800000 + 2 * month).redacted, 0);
		assert_int_equal(jump(&s.v, i, now + 2 * (uint64_t)DAY).redacted, 0);
		/* Used again after a long rest, or set wrong: when the clock has run for as long. */
		for (uint64_t day = 0; day < 30; day += 5)
			assert_int_equal(jump(&s.v, i, now + 2 * month + day * DAY).redacted, 0);
		assert_true(village_whole(&s.v, i, "m1"));
		for (uint64_t day = 30; day < 50; day += 5)
			jump(&s.v, i, now + 2 * month + day * DAY);
		assert_false(village_whole(&s.v, i, "m1"));
	}
	village_end(&s.v);
}

/* Two others who wrote at about the time it shows, now and when it was redacted: then it need not have run. One is not enough, nor oneself. */
static void test_redact__others_agree_on_the_time(void **state)
{
	uint64_t now, month = 31 * (uint64_t)DAY;
	struct scene s;

	begin(&s, *state);
	now = vd_now_ms();
	s.v.clock = now;
	village_redact(&s.v, s.member, "m1", "r1");
	village_say(&s.v, s.second, "s0");
	village_sync(&s.v);
	assert_int_equal(jump(&s.v, 0, now).redacted, 0);
	s.v.clock = now + month;
	village_say(&s.v, 0, "f2");
	village_say(&s.v, s.stranger, "s1");
	village_carry(&s.v, s.stranger, 0);
	assert_int_equal(jump(&s.v, 0, now + month + DAY).redacted, 0);
	village_say(&s.v, s.stranger, "s2");
	village_carry(&s.v, s.stranger, 0);
	assert_int_equal(jump(&s.v, 0, now).redacted, 0);
	assert_int_equal(jump(&s.v, 0, now + month + DAY).redacted, 0);
	village_say(&s.v, s.second, "t1");
	village_carry(&s.v, s.second, 0);
	assert_int_equal(jump(&s.v, 0, now + 2 * month).redacted, 0);
	assert_int_equal(jump(&s.v, 0, now + month + 2 * (uint64_t)DAY).redacted, 1);
	village_end(&s.v);
}

static void test_redact__refused_while_it_holds(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_sync(&s.v);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	village_hand(&s.v, s.member, 0, "m1", false);
	village_carry(&s.v, s.second, 0);
	assert_false(village_whole(&s.v, 0, "m1"));
	assert_int_equal(wanted(&s.v, 0), 0);
	village_holds(&s.v, 0, "m1/r1 m2 f1 r1 ");
	village_end(&s.v);
}

/* A stub whose body never came is not asked for any more either, and its body is wanted until then. */
static void test_redact__stubs_are_not_wanted_any_more(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_say(&s.v, s.member, "m3");
	village_redact(&s.v, s.member, "m3", "r1");
	village_hand(&s.v, s.member, 0, "r1", false);
	village_hand(&s.v, s.member, 0, "m3", true);
	assert_int_equal(wanted(&s.v, 0), 1);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 29 * (uint64_t)DAY).redacted, 0);
	assert_int_equal(wanted(&s.v, 0), 1);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 0);
	assert_int_equal(wanted(&s.v, 0), 0);
	village_end(&s.v);
}

/* A seized device redacts, and is removed: what it hid is shown again, and no body goes. */
static void test_redact__a_removed_redactor(void **state)
{
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.second, "m1", "r1");
	village_redact(&s.v, s.coordinator, "f1", "r2");
	village_sync(&s.v);
	village_shows(&s.v, s.stranger, "m2 r1 r2 ");
	village_revoke(&s.v, 0, s.second, NULL);
	village_revoke(&s.v, 0, s.coordinator, NULL);
	village_sync(&s.v);
	for (size_t i = 0; i < s.v.count; i++) {
		village_shows(&s.v, i, "m1 m2 f1 ");
		village_quarantines(&s.v, i, "r1? r2? ");
		assert_int_equal(tend(&s.v, i, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 0);
		assert_true(village_whole(&s.v, i, "m1"));
		assert_true(village_whole(&s.v, i, "f1"));
	}
	village_review(&s.v, 0, "r1", true); /* it was meant */
	village_sync(&s.v);
	village_holds(&s.v, s.stranger, "m1/r1 m2 f1 r1accepted r2? ");
	village_end(&s.v);
}

/* The same later: the body has gone by then, and is wanted again, taken, and shown. */
static void test_redact__wanted_again(void **state)
{
	struct vd_tended tended;
	struct scene s;

	begin(&s, *state);
	village_redact(&s.v, s.second, "m1", "r1");
	village_sync(&s.v);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	village_revoke(&s.v, 0, s.second, NULL);
	village_shows(&s.v, 0, "m1 m2 f1 ");
	assert_int_equal(wanted(&s.v, 0), 0);
	tended = tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY);
	assert_int_equal(tended.redacted, 0);
	assert_int_equal(tended.wanted, 1);
	assert_int_equal(wanted(&s.v, 0), 1);
	village_check(&s.v);
	village_hand(&s.v, s.member, 0, "m1", false);
	assert_true(village_whole(&s.v, 0, "m1"));
	assert_int_equal(wanted(&s.v, 0), 0);
	assert_int_equal(vd_index_catch_up(s.v.s[0]), 0);
	assert_int_equal(entries_of_body(&s.v, 0, "m1"), 1);
	/* Back in the group, the device's redaction holds again; thirty days are over. */
	village_restore(&s.v, 0, s.second);
	village_shows(&s.v, 0, "m2 f1 r1 ");
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	village_end(&s.v);
}

/* Written while the clock stood in 1970, as it does without a battery; its author's time did not go back. */
static void test_redact__a_clock_in_1970(void **state)
{
	struct vd_id id;
	struct scene s;

	begin(&s, *state);
	village_write(&s.v, 0, VD_LANE_URGENT, "alert", "a1", NULL, ++s.v.clock);
	id = village_find(&s.v, "f1");
	village_write(&s.v, 0, VD_LANE_URGENT, "redaction", "r1", &id, 1000);
	assert_int_equal(tend(&s.v, 0, s.v.clock + 29 * (uint64_t)DAY).redacted, 0);
	assert_int_equal(tend(&s.v, 0, s.v.clock + 31 * (uint64_t)DAY).redacted, 1);
	/* Dated 1970 by its author, it came today. */
	id = village_find(&s.v, "m1");
	village_write(&s.v, s.second, VD_LANE_URGENT, "redaction", "r2", &id, 1000);
	village_carry(&s.v, s.second, 0);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 29 * (uint64_t)DAY).redacted, 0);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	village_end(&s.v);
}

/* Derived data are rebuilt, and what is not wanted stays unwanted; a redaction that is lost for good is noticed. */
static void test_redact__repair(void **state)
{
	struct vd_check check;
	struct vd_write *w;
	uint64_t arrival;
	struct scene s;
	uint8_t key[8];
	struct vd_id id;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_sync(&s.v);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	/* The redaction's bytes rot. */
	id = village_find(&s.v, "r1");
	assert_int_equal(vd_store_find(s.v.s[0], &id, &arrival), 0);
	assert_int_equal(vd_write_begin(s.v.s[0], &w), 0);
	vd_set_u64(key, arrival);
	vd_effects_put(&w->effects, s.v.s[0], VD_TABLE_RECORDS, key, sizeof(key), vd_slice("rot", 3));
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_check(s.v.s[0], true, &check), 0);
	assert_int_equal(check.bad, 1);
	assert_int_equal(vd_index_catch_up(s.v.s[0]), 0);
	assert_int_equal(vd_check(s.v.s[0], false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	village_shows(&s.v, 0, "m1 m2 f1 ");
	assert_false(village_whole(&s.v, 0, "m1"));
	assert_int_equal(tend(&s.v, 0, vd_now_ms()).wanted, 1);
	village_sync(&s.v);
	assert_true(village_whole(&s.v, 0, "m1"));
	village_shows(&s.v, 0, "m2 f1 r1 ");
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	assert_int_equal(vd_check(s.v.s[0], true, &check), 0);
	village_holds(&s.v, 0, "m1/r1 m2 f1 r1 ");
	assert_int_equal(wanted(&s.v, 0), 0);
	village_end(&s.v);
}

static void copy_file(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp %s %s", from, to);
	assert_int_equal(system(command), 0);
}

/* Of a file with a page lost, what can be read makes a new store: what was dropped is dropped there too, or goes again. */
static void test_redact__salvage(void **state)
{
	static const uint8_t zeros[4096];
	char file[200], kept[200];
	struct vd_lane_state control, left;
	struct vd_salvage saved;
	struct scene s;
	struct stat st;
	size_t done = 0;
	off_t pages;

	begin(&s, *state);
	village_redact(&s.v, s.member, "m1", "r1");
	village_sync(&s.v);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, 1);
	assert_int_equal(vd_store_lane(s.v.s[0], s.v.id, VD_LANE_CONTROL, &control, NULL, 0), 0);
	vd_group_free(s.v.g[0]);
	vd_store_close(s.v.s[0]);
	s.v.g[0] = NULL;
	snprintf(file, sizeof(file), "%s/data.mdb", s.v.home[0]);
	snprintf(kept, sizeof(kept), "%s/kept", s.v.place->top);
	copy_file(file, kept);
	assert_int_equal(stat(file, &st), 0);
	pages = st.st_size / (off_t)sizeof(zeros);
	for (off_t page = 2; page < pages && done < 4; page++) {
		int fd;

		copy_file(kept, file);
		fd = open(file, O_WRONLY | O_CLOEXEC);
		assert_int_equal(pwrite(fd, zeros, sizeof(zeros), page * (off_t)sizeof(zeros)), sizeof(zeros));
		close(fd);
		if (vd_store_salvage(s.v.home[0], rest_secret(), cast_now, &saved))
			continue; /* nothing used it, or it had what no store can be without */
		assert_int_equal(vd_store_open(s.v.home[0], &s.v.s[0]), 0);
		if (!vd_store_group(s.v.s[0], s.v.id, &s.v.g[0])) {
			struct vd_id m1 = village_find(&s.v, "m1"), r1 = village_find(&s.v, "r1");
			uint64_t arrival;

			/* Without the grant of whom it is by, a redaction does not hold. */
			if (!vd_store_lane(s.v.s[0], s.v.id, VD_LANE_CONTROL, &left, NULL, 0) && vd_digest_eq(&left.digest, &control.digest) &&
			    !vd_store_find(s.v.s[0], &r1, &arrival) && !vd_store_find(s.v.s[0], &m1, &arrival)) {
				tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY);
				assert_false(village_whole(&s.v, 0, "m1"));
				assert_int_equal(wanted(&s.v, 0), 0);
				done++;
			}
			assert_int_equal(vd_index_catch_up(s.v.s[0]), 0);
			assert_int_equal(vd_check(s.v.s[0], false, &saved.check), 0);
			assert_int_equal(saved.check.bad + saved.check.derived_bad, 0);
			vd_group_free(s.v.g[0]);
		}
		vd_store_close(s.v.s[0]);
	}
	assert_int_equal(done, 4);
	copy_file(kept, file);
	assert_int_equal(vd_store_open(s.v.home[0], &s.v.s[0]), 0);
	assert_int_equal(vd_store_group(s.v.s[0], s.v.id, &s.v.g[0]), 0);
	village_end(&s.v);
}

/* A device whose index cannot be written: what was redacted is hidden all the same, and who is removed is in quarantine. */
static void test_redact__without_an_index(void **state)
{
	struct vd_standings st;
	struct vd_buf raw = { 0 };
	struct vd_judged judged;
	struct vd_record record;
	struct scene s;
	uint64_t arrival;

	begin(&s, *state);
	assert_int_equal(vd_index_catch_up(s.v.s[0]), 0);
	village_say(&s.v, s.member, "m3");
	village_redact(&s.v, s.member, "m3", "r1");
	village_redact(&s.v, s.coordinator, "m1", "r2");
	village_redact(&s.v, s.stranger, "m2", "r3");
	village_carry(&s.v, s.member, 0);
	village_carry(&s.v, s.coordinator, 0);
	village_carry(&s.v, s.stranger, 0);
	village_revoke(&s.v, 0, s.stranger, NULL);
	assert_int_equal(vd_standings_init(&st, s.v.s[0]), 0);
	assert_false(st.current);
	for (size_t i = 0; i < 5; i++) {
		static const char *const names[] = { "m1", "m2", "m3", "f1", "r3" };
		static const enum vd_standing expected[] = { VD_STANDING_REDACTED, VD_STANDING_SHOWN, VD_STANDING_REDACTED, VD_STANDING_SHOWN,
			                                     VD_STANDING_QUARANTINED };
		struct vd_id id = village_find(&s.v, names[i]);

		assert_int_equal(vd_store_find(s.v.s[0], &id, &arrival), 0);
		assert_int_equal(vd_store_read(s.v.s[0], arrival, &raw, &record, NULL), 0);
		assert_int_equal(vd_standing_of(&st, s.v.g[0], arrival, &record, &judged), 0);
		assert_int_equal(judged.standing, expected[i]);
	}
	vd_standings_deinit(&st);
	vd_buf_deinit(&raw);
	village_end(&s.v);
}

/* More than one transaction takes, and then all of it back. */
static void test_redact__many(void **state)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("x") } };
	struct vd_draft draft = { .audience = VD_AUDIENCE_EVERYONE, .now_ms = cast_now };
	enum { MANY = 2500 };
	static struct vd_id ids[MANY];
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct scene s;
	struct vd_id id;

	begin(&s, *state);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(s.v.s[s.member], &w), 0);
	for (int i = 0; i < MANY; i++) {
		draft.lane = VD_LANE_NORMAL;
		draft.redacts = NULL;
		assert_int_equal(vd_write_own(w, s.v.g[s.member], &draft, &ids[i]), 0);
		draft.lane = VD_LANE_URGENT;
		draft.redacts = &ids[i];
		assert_int_equal(vd_write_own(w, s.v.g[s.member], &draft, &id), 0);
	}
	assert_int_equal(vd_write_commit(w), 0);
	village_carry(&s.v, s.member, 0);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).redacted, MANY);
	village_check(&s.v);
	village_revoke(&s.v, 0, s.member, NULL);
	assert_int_equal(tend(&s.v, 0, vd_now_ms() + 31 * (uint64_t)DAY).wanted, MANY);
	assert_int_equal(wanted(&s.v, 0), MANY);
	village_carry(&s.v, s.member, 0);
	assert_int_equal(wanted(&s.v, 0), 0);
	vd_buf_deinit(&content);
	village_end(&s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_redact__hides_at_once_by_whom_it_holds, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__said_over_and_over, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__before_and_after_what_it_names, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__redactions_and_acts_cannot_be, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__the_body_goes_after_thirty_days, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__a_jumping_clock, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__others_agree_on_the_time, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__refused_while_it_holds, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__stubs_are_not_wanted_any_more, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__a_removed_redactor, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__wanted_again, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__a_clock_in_1970, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__repair, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__salvage, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__without_an_index, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_redact__many, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
