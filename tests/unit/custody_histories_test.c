/* Custody: whatever happens between four people, nothing is believed of anybody that they did not hold, and at the end everybody knows all. */
#include "store/shares.h"
#include "tests/unit/custody_cast.h"

/* How many records of the lane p has with their body, and the other has not. */
static uint64_t lacks(const struct person *p, const struct person *other, uint8_t lane)
{
	struct vd_buf raw = { 0 }, theirs = { 0 };
	uint64_t latest = newest(p), count = 0, found;

	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r, same;

		if (vd_store_read(p->store, at, &raw, &r, NULL) || r.stub || r.lane != lane)
			continue;
		count += vd_store_find(other->store, &r.id, &found) || vd_store_read(other->store, found, &theirs, &same, NULL) || same.stub;
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&theirs);
	return count;
}

/* What p knows of the other is never too much; and if that has all bodies of the lane, it is all there is to know. */
static void check_known(struct scene *s, struct person *p, struct person *other, uint8_t lane)
{
	uint64_t latest = newest(other), stubs = 0, known = missing_of(p, other, lane), true_of = lacks(p, other, lane);
	struct vd_buf raw = { 0 };
	struct vd_lane_state state;

	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r;

		stubs += !vd_store_read(other->store, at, &raw, &r, NULL) && r.lane == lane && r.stub;
	}
	vd_buf_deinit(&raw);
	assert_int_equal(vd_store_lane(other->store, s->mesh.group, lane, &state, NULL, 0), 0);
	assert_int_equal(state.stubs, stubs);
	assert_true(stubs ? known >= true_of : known == 0 && true_of == 0);
}

static void history(uint64_t seed, bool copies)
{
	static const uint8_t lanes[] = { VD_LANE_URGENT, VD_LANE_NORMAL, VD_LANE_BULK };
	bool saved[PEOPLE] = { false };
	struct vd_shares usual, tight;
	size_t believed = 0;
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	scene_start(s, seed);
	assert_int_equal(vd_shares_get(s->p[0].store, &usual), 0);
	tight = usual;
	tight.day_bytes = 600;
	for (int turn = 0; turn < 60; turn++) {
		int a = (int)roll(s, PEOPLE), b = (a + 1 + (int)roll(s, PEOPLE - 1)) % PEOPLE;
		char path[256];
		uint64_t n = 0;

		snprintf(path, sizeof(path), "%s/saved%d", s->mesh.top, a);
		s->now_ms += roll(s, 3) ? 1000 : 0; /* now and then two things at one moment */
		switch (roll(s, 13)) {
		case 0:
		case 1:
		case 2:
			person_write(&s->p[a], lanes[roll(s, 3)], 1 + roll(s, 5), 40);
			break;
		case 3:
		case 4:
			carry(s, &s->p[a], &s->p[b], 0);
			break;
		case 5:
		case 6:
			carry(s, &s->p[a], &s->p[b], 2 + roll(s, 6));
			break;
		case 7:
		case 8:
			tell(s, &s->p[a], &s->p[b], roll(s, 2));
			break;
		case 9:
			assert_int_equal(vd_shares_set(s->p[a].store, roll(s, 2) ? &tight : &usual, s->now_ms), 0);
			assert_int_equal(vd_shares_release(s->p[a].store, s->p[a].group, s->now_ms += 86400000, &n), 0);
			break;
		case 10:
			if (copies)
				copy_home(&s->p[a], path);
			saved[a] = copies;
			break;
		case 12:
			meet(s, &s->p[b], &s->p[a]);
			break;
		case 11:
			if (saved[a])
				restore(s, &s->p[a], path);
			else if (!copies) {
				carry(s, &s->p[a], &s->p[b], 0);
				carry(s, &s->p[b], &s->p[a], 0);
				meet(s, &s->p[b], &s->p[a]);
			}
			break;
		}
		believed += check(s, &s->p[b]);
	}
	/* At the end all is everywhere, and everyone knows. */
	for (int i = 0; i < PEOPLE; i++) {
		uint64_t n = 0;

		assert_int_equal(vd_shares_set(s->p[i].store, &usual, s->now_ms), 0);
		assert_int_equal(vd_shares_release(s->p[i].store, s->p[i].group, s->now_ms += 86400000, &n), 0);
	}
	for (int i = 0; i < 3 * PEOPLE; i++)
		carry(s, &s->p[i % PEOPLE], &s->p[(i + 1) % PEOPLE], 0);
	s->now_ms += 1000;
	for (int i = 0; i < 2 * PEOPLE; i++)
		tell(s, &s->p[i % PEOPLE], &s->p[(i + 1) % PEOPLE], true);
	for (int i = 0; i < PEOPLE; i++) {
		believed += check(s, &s->p[i]);
		for (uint8_t lane = 0; lane < VD_LANES; lane++)
			for (int k = 0; k < PEOPLE; k++)
				if (k != i)
					check_known(s, &s->p[i], &s->p[k], lane);
	}
	assert_true(believed > 50);
	scene_end(s);
	free(s);
}

static void histories(uint64_t first, bool copies)
{
	const char *from = getenv("VD_TEST_SEED");

	first = from ? strtoull(from, NULL, 10) : first;
	for (uint64_t seed = first; seed < first + (from ? 50 : 3); seed++)
		history(seed, copies);
}

static void test_custody__random_histories(void **state)
{
	(void)state;
	histories(1, false);
}

static void test_custody__random_histories_with_copies(void **state)
{
	(void)state;
	histories(100, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_custody__random_histories),
		cmocka_unit_test(test_custody__random_histories_with_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
