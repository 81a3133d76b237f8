/* A stick that has not room for everything, or is not to be given it. */
#include <sys/mount.h>

#include "stick_cast.h"
#include "store/custody.h"

static uint64_t bytes_on(struct cast *c)
{
	DIR *dir = opendir(c->cache);
	struct dirent *entry;
	uint64_t bytes = 0;
	struct stat st;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0))
			continue;
		bytes += (uint64_t)st.st_size;
	}
	closedir(dir);
	return bytes;
}

static uint64_t in_lane(const struct cast *c, const struct person *p, uint8_t lane)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(p->store, c->mesh.group, lane, &state, NULL, 0), 0);
	return state.digest.count;
}

static void test_room__no_more_than_somebody_wants(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t sent = 0;

	person_write(&c->ana, VD_LANE_BULK, 30, 60000);
	person_write(&c->ana, VD_LANE_NORMAL, 10, 3000);
	person_write(&c->ana, VD_LANE_URGENT, 3, 100);
	for (uint64_t max = 320 << 10; max <= 2 << 20; max *= 2) {
		r = visit_with(c, &c->ana, max, VD_ENOSPACE);
		sent += r.sent;
		assert_true(bytes_on(c) <= max && r.full && r.at_max && !r.complete && r.safe_to_remove && r.sent > 0);
		assert_int_equal(r.left[VD_LANE_CONTROL] + r.left[VD_LANE_URGENT] + r.left[VD_LANE_NORMAL], 0);
		assert_int_equal(r.left[VD_LANE_BULK], person_records(&c->ana) - sent);
		/* There is room for none of those. */
		r = visit_with(c, &c->ana, max, VD_ENOSPACE);
		assert_int_equal(r.bytes_out, 0);
	}
	/* An alert goes into a file that was written before, for its padding; what it replaces went. */
	person_write(&c->ana, VD_LANE_URGENT, 1, 10);
	r = visit_with(c, &c->ana, bytes_on(c) + vd_sealed_bytes(1), VD_ENOSPACE);
	assert_true(r.sent >= 1 && r.left[VD_LANE_URGENT] == 0);
	visit(c, &c->luz, 0);
	assert_int_equal(in_lane(c, &c->luz, VD_LANE_URGENT), 4);
	/* Lifted. */
	r = visit_with(c, &c->ana, 0, VD_OK);
	assert_true(!r.full && r.complete && r.left[VD_LANE_BULK] == 0);
	visit(c, &c->luz, 0);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->luz));
}

/* Who was granted first has not all of it. */
static void test_room__authors_take_turns(void **state)
{
	struct cast *c = *state;
	struct person *p[] = { &c->hub, &c->ana };
	struct vd_stick_result r;
	uint64_t of_hub = 0, of_ana = 0, latest, at;
	struct vd_buf raw = { 0 };
	struct vd_record record;

	for (int turn = 0; turn < 6; turn++) {
		for (int i = 0; i < 2; i++) {
			person_write(p[i], VD_LANE_NORMAL, 20, 3000);
			visit(c, p[i], 0);
		}
	}
	visit(c, &c->hub, 0);
	for (char path[256]; segments(c, path, NULL);)
		assert_int_equal(unlink(path), 0);
	r = visit_with(c, &c->hub, 560 << 10, VD_ENOSPACE);
	assert_true(r.left[VD_LANE_NORMAL] > 60);
	visit_with(c, &c->luz, 1, 0);
	assert_int_equal(vd_store_latest(c->luz.store, &latest), 0);
	for (at = 1; at <= latest; at++) {
		if (vd_store_read(c->luz.store, at, &raw, &record, NULL) || record.lane != VD_LANE_NORMAL)
			continue;
		of_hub += memcmp(record.author, vd_group_identity(c->hub.group)->author, VD_KEY_BYTES) == 0;
		of_ana += memcmp(record.author, vd_group_identity(c->ana.group)->author, VD_KEY_BYTES) == 0;
	}
	assert_true(of_hub >= 40 && of_ana >= 40);
	vd_buf_deinit(&raw);
}

/* Everybody tells, and hears from all others, what they hold. */
static void tell_all(struct cast *c)
{
	struct person *all[] = { &c->hub, &c->ana, &c->luz };

	for (int i = 0; i < 3; i++)
		assert_int_equal(vd_custody_silence(all[i]->store, false), 0);
	for (int turn = 0; turn < 3; turn++)
		for (int i = 0; i < 3; i++)
			visit(c, all[i], 0);
}

static void be_told(struct cast *c)
{
	tell_all(c);
	for (char path[256]; segments(c, path, NULL);)
		assert_int_equal(unlink(path), 0);
}

/* What all others have said they hold stays out first, whatever lane it is in; when one has said nothing, the lanes decide. */
static void test_room__what_everybody_has_goes_last(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->hub, VD_LANE_NORMAL, 120, 3000);
	be_told(c);
	person_write(&c->hub, VD_LANE_BULK, 60, 3000);
	r = visit_with(c, &c->hub, 404 << 10, VD_OK);
	assert_int_equal(r.left[VD_LANE_BULK] + r.left[VD_LANE_NORMAL] + r.left[VD_LANE_CONTROL], 0);
	assert_true(r.spared >= 100 && r.complete && !r.full);
	visit(c, &c->luz, VD_OK);
	assert_int_equal(in_lane(c, &c->luz, VD_LANE_BULK), 60);
	/* With room it gets all: an empty store may be where it goes. */
	r = visit(c, &c->hub, 0);
	assert_true(r.complete && r.left[VD_LANE_NORMAL] + r.spared == 0);
	{
		struct person late;

		mesh_add_person(&c->mesh, &c->hub, &late);
		for (char path[256]; segments(c, path, NULL);)
			assert_int_equal(unlink(path), 0);
		r = visit_with(c, &c->hub, 404 << 10, VD_ENOSPACE);
		assert_int_equal(r.left[VD_LANE_BULK], 60);
		person_leave(&late);
	}
}

/* The one written last. */
static void newest_segment(struct cast *c, char path[256])
{
	DIR *dir = opendir(c->cache);
	struct timespec newest = { 0 };
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || fstatat(dirfd(dir), entry->d_name, &st, 0) || st.st_mtim.tv_sec < newest.tv_sec ||
		    (st.st_mtim.tv_sec == newest.tv_sec && st.st_mtim.tv_nsec < newest.tv_nsec))
			continue;
		newest = st.st_mtim;
		assert_true(snprintf(path, 256, "%s/%s", c->cache, entry->d_name) < 256);
	}
	closedir(dir);
}

static bool is_on(const char *path)
{
	return access(path, F_OK) == 0;
}

enum { FILLED = 22 };
/* Twelve files of hub's, one chunk and too full to be folded each, and one of ana's between them; everybody has all of it. *of: the paths, the oldest first. */
static void fill_and_tell(struct cast *c, char of[13][256])
{
	for (int i = 0; i < 13; i++) {
		usleep(20000); /* a tick of the file system's clock */
		person_write(i == 6 ? &c->ana : &c->hub, VD_LANE_NORMAL, FILLED, 4000);
		visit(c, i == 6 ? &c->ana : &c->hub, 0);
		newest_segment(c, of[i]);
	}
	tell_all(c);
	for (int i = 0; i < 13; i++)
		assert_true(is_on(of[i]));
}

/* News takes the place of what everybody has: of own files, the oldest first, and no more of them than it needs. */
static void test_room__what_everybody_has_makes_room(void **state)
{
	struct cast *c = *state;
	char of[13][256] = { "" };
	struct vd_stick_result r;
	uint64_t max;
	int gone = 0;

	fill_and_tell(c, of);
	max = bytes_on(c) + vd_sealed_bytes(2);
	person_write(&c->hub, VD_LANE_NORMAL, 80, 4000);
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(r.complete && r.safe_to_remove && r.sent >= 80 && bytes_on(c) <= max);
	assert_int_equal(r.left[VD_LANE_NORMAL] + r.left[VD_LANE_CONTROL], 0);
	for (int i = 0; i < 13; i++)
		gone += !is_on(of[i]);
	assert_true(gone > 6 && gone <= 9);
	for (int i = 0; i < 13; i++)
		assert_true(is_on(of[i]) == (i == 6 || i > gone));
	assert_int_equal(r.spared, FILLED * (uint64_t)gone);
	/* It stays so: what went is not brought back by who has room for a bit of it. */
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(r.bytes_out == 0 && r.complete);
	r = visit_with(c, &c->ana, max, VD_OK);
	assert_true(r.complete && r.received == 80);
	r = visit_with(c, &c->luz, max, VD_OK);
	assert_true(r.complete && r.received == 80);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	/* Nor when there is room for much of it, but not for all. */
	r = visit_with(c, &c->hub, bytes_on(c) + 1500000, VD_OK);
	assert_true(r.bytes_out == 0 && r.spared == FILLED * (uint64_t)gone);
	/* With room for all it is there again. */
	r = visit(c, &c->hub, VD_OK);
	assert_true(r.complete && r.spared == 0);
}

/* Who has nothing to add makes room for others' news, of what everybody has and no more than it needs; but control records stay. */
static void test_room__is_made_for_others(void **state)
{
	struct cast *c = *state;
	char of[13][256] = { "" };
	struct vd_stick_result r;
	uint64_t max;
	int gone = 0;

	fill_and_tell(c, of);
	max = bytes_on(c);
	person_write(&c->luz, VD_LANE_NORMAL, 5, 4000);
	r = visit_with(c, &c->luz, max, VD_ENOSPACE);
	assert_int_equal(r.left[VD_LANE_NORMAL], 5);
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(r.complete && r.sent == 0);
	for (int i = 0; i < 13; i++)
		gone += !is_on(of[i]);
	assert_true(is_on(of[0]) && is_on(of[6]) && is_on(of[12]) && !is_on(of[1]));
	assert_true(gone > 0 && gone < 8);
	/* Once is enough. */
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(r.complete && r.bytes_out == 0 && r.spared == FILLED * (uint64_t)gone);
	r = visit_with(c, &c->luz, max, VD_OK);
	assert_true(r.complete && r.sent == 5 && bytes_on(c) <= max);
	assert_int_equal(visit_with(c, &c->ana, max, VD_OK).received, 5);
	assert_int_equal(visit(c, &c->hub, VD_OK).received, 5);
}

/* One never told, so that nothing may go; but who has a file there writes it anew with news in it, and the reserve stays what it was. */
static void test_room__news_takes_the_place_of_a_file(void **state)
{
	const uint64_t max = 5 * vd_sealed_bytes(1);
	struct cast *c = *state;
	struct vd_stick_result r;

	visit_with(c, &c->ana, max, VD_OK);
	person_write(&c->hub, VD_LANE_NORMAL, 1, 100);
	visit_with(c, &c->hub, max, VD_OK);
	assert_int_equal(bytes_on(c), 2 * vd_sealed_bytes(1));
	for (int i = 0; i < 8; i++) {
		struct person *who = i % 2 ? &c->hub : &c->ana;

		person_write(who, VD_LANE_NORMAL, 2, 2000);
		r = visit_with(c, who, max, VD_OK);
		assert_true(r.complete && r.sent == 2 && (i == 0 || r.received == 2));
		assert_int_equal(bytes_on(c), 2 * vd_sealed_bytes(1));
	}
	/* Who has none there waits. */
	person_write(&c->luz, VD_LANE_NORMAL, 1, 100);
	r = visit_with(c, &c->luz, max, VD_ENOSPACE);
	assert_true(r.left[VD_LANE_NORMAL] == 1 && r.bytes_out == 0);
	/* As much of it as has room with what stood there. */
	person_write(&c->ana, VD_LANE_NORMAL, 40, 2000);
	r = visit_with(c, &c->ana, max, VD_ENOSPACE);
	assert_true(r.sent > 2 && r.left[VD_LANE_NORMAL] == 40 - r.sent);
	assert_int_equal(bytes_on(c), 2 * vd_sealed_bytes(1));
	r = visit_with(c, &c->ana, max, VD_ENOSPACE);
	assert_int_equal(r.bytes_out, 0);
	/* And alerts find their place: its own in the same file, those of another in one that was kept for them. */
	for (int i = 0; i < 8; i++) {
		person_write(&c->ana, VD_LANE_URGENT, 1, 2000);
		assert_int_equal(visit_with(c, &c->ana, max, VD_ENOSPACE).left[VD_LANE_URGENT], 0);
		assert_int_equal(bytes_on(c), 2 * vd_sealed_bytes(1));
	}
	person_write(&c->luz, VD_LANE_URGENT, 1, 100);
	assert_int_equal(visit_with(c, &c->luz, max, VD_ENOSPACE).sent, 1);
}

/* One device with a role that is not known to have it, and nothing goes. */
static void test_room__what_somebody_may_lack_stays(void **state)
{
	struct cast *c = *state;
	char of[13][256] = { "" };
	struct vd_stick_result r;
	struct person late;
	uint64_t max;

	fill_and_tell(c, of);
	mesh_add_person(&c->mesh, &c->hub, &late);
	visit(c, &c->hub, 0);
	max = bytes_on(c) + vd_sealed_bytes(2);
	person_write(&c->hub, VD_LANE_NORMAL, 36, 4000);
	r = visit_with(c, &c->hub, max, VD_ENOSPACE);
	assert_true(r.left[VD_LANE_NORMAL] > 0 && r.spared == 0);
	for (int i = 0; i < 13; i++)
		assert_true(is_on(of[i]));
	/* Once it has told, they may. */
	assert_int_equal(vd_custody_silence(late.store, false), 0);
	visit(c, &late, VD_OK);
	visit(c, &c->hub, VD_OK);
	visit(c, &late, VD_OK);
	person_write(&c->hub, VD_LANE_NORMAL, 36, 4000);
	max = bytes_on(c) + vd_sealed_bytes(2);
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(!is_on(of[0]) && is_on(of[6]) && is_on(of[12]));
	person_leave(&late);
}

/* However much room is wanted, a file with a record in it that is not known to be everywhere stays, and so do others' files. */
static void test_room__a_file_with_news_in_it_stays(void **state)
{
	struct cast *c = *state;
	char of[13][256] = { "" }, last[1][256] = { "" };
	struct vd_stick_result r;

	fill_and_tell(c, of);
	person_write(&c->hub, VD_LANE_URGENT, 1, 4000);
	r = visit(c, &c->hub, VD_OK);
	assert_int_equal(r.sent, 1);
	newest_segment(c, last[0]);
	person_write(&c->hub, VD_LANE_NORMAL, 300, 4000);
	r = visit_with(c, &c->hub, bytes_on(c), VD_ENOSPACE);
	assert_true(r.full && r.left[VD_LANE_NORMAL] > 0 && !r.complete);
	for (int i = 0; i < 13; i++)
		assert_true(is_on(of[i]) == (i == 6));
	visit(c, &c->luz, VD_OK);
	assert_int_equal(in_lane(c, &c->luz, VD_LANE_URGENT), 1);
}

/* What fills it leaves room for alerts that come later, from whoever comes by; they do not fill it so that the rest gets on. */
static void alerts_still_get_on(struct cast *c, uint64_t max, int times, int luz)
{
	for (int i = 0; i < times; i++) {
		struct vd_stick_result r;

		person_write(&c->ana, VD_LANE_URGENT, 1, 10);
		r = visit_with(c, &c->ana, max, VD_ENOSPACE);
		assert_true(r.left[VD_LANE_URGENT] == 0 && r.left[VD_LANE_BULK] > 0);
		assert_int_equal(r.sent, 1);
	}
	visit_with(c, &c->luz, max, luz);
	assert_int_equal(in_lane(c, &c->luz, VD_LANE_URGENT), (uint64_t)times);
}

static void test_room__a_full_one_takes_alerts(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	if (mount("none", c->stick, "tmpfs", 0, "size=3m"))
		skip();
	person_write(&c->ana, VD_LANE_BULK, 60, 60000);
	r = visit_with(c, &c->ana, 0, VD_ENOSPACE);
	assert_true(r.full && !r.at_max && r.sent > 20);
	alerts_still_get_on(c, 0, 20, VD_OK);
	r = visit_with(c, &c->ana, 0, VD_ENOSPACE);
	assert_int_equal(r.bytes_out, 0);
	assert_int_equal(umount(c->stick), 0);
}

static void test_room__one_at_its_max_takes_alerts(void **state)
{
	struct cast *c = *state;

	person_write(&c->ana, VD_LANE_BULK, 30, 60000);
	visit_with(c, &c->ana, 320 << 10, VD_ENOSPACE);
	person_write(&c->luz, VD_LANE_BULK, 3, 60000);
	alerts_still_get_on(c, 320 << 10, 20, VD_ENOSPACE);
	assert_true(bytes_on(c) <= 320 << 10);
}

/* Every alert of many, though what is left for the rest of the queue has no room. */
static void test_room__alerts_use_the_reserve_at_once(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->ana, VD_LANE_BULK, 3, 60000);
	person_write(&c->ana, VD_LANE_URGENT, 3, 40000);
	r = visit_with(c, &c->ana, 320 << 10, VD_ENOSPACE);
	assert_int_equal(r.left[VD_LANE_CONTROL] + r.left[VD_LANE_URGENT], 0);
	assert_int_equal(r.left[VD_LANE_BULK], 3);
	person_write(&c->ana, VD_LANE_URGENT, 3, 40000);
	r = visit_with(c, &c->ana, 320 << 10, VD_ENOSPACE);
	assert_true(r.left[VD_LANE_URGENT] > 0 && bytes_on(c) <= 320 << 10);
}

/* Each of many devices has an alert, and the last have no room for theirs: they say so, each time, and nothing of it is lost; when there is room it goes on
 * the stick at once, and arrives. */
static void test_room__alerts_of_many_use_up_the_reserve(void **state)
{
	enum { MANY = 9 };
	const uint64_t max = 1200000;
	struct cast *c = *state;
	struct person p[MANY];
	struct vd_stick_result r;
	const struct vd_stick_wish bounded = { .max_bytes = max };
	uint64_t alerts;
	int without = 0;

	for (size_t i = 0; i < MANY; i++)
		mesh_add_person(&c->mesh, &c->hub, &p[i]);
	person_write(&c->hub, VD_LANE_BULK, 40, 60000);
	visit_with(c, &c->hub, max, VD_ENOSPACE);
	alerts = in_lane(c, &c->hub, VD_LANE_URGENT);
	for (size_t i = 0; i < MANY; i++) {
		int rc;

		person_write(&p[i], VD_LANE_URGENT, 1, 100);
		rc = vd_stick_sync_as(p[i].store, c->stick, &bounded, &r);
		assert_true(bytes_on(c) <= max && r.safe_to_remove && rc == (r.left[VD_LANE_URGENT] ? VD_ENOSPACE : VD_OK));
		/* One after the other, and none of them has room again before there is more. */
		assert_true(!without || r.left[VD_LANE_URGENT]);
		assert_int_equal(r.sent + r.left[VD_LANE_URGENT], 1);
		assert_int_equal(r.full, r.left[VD_LANE_URGENT]);
		assert_int_equal(r.complete, !r.left[VD_LANE_URGENT]);
		without += r.full;
	}
	/* The reserve is four files and more, and not nine. */
	assert_true(without > 1 && MANY - without >= 4);
	r = visit_with(c, &p[MANY - 1], max, VD_ENOSPACE);
	assert_true(r.bytes_out == 0 && r.left[VD_LANE_URGENT] == 1);
	for (size_t i = MANY - (size_t)without; i < MANY; i++) {
		r = visit_with(c, &p[i], 2 * max, VD_OK);
		assert_true(r.sent == 1 && r.complete && !r.left[VD_LANE_URGENT]);
	}
	visit(c, &c->hub, 0);
	assert_int_equal(in_lane(c, &c->hub, VD_LANE_URGENT), alerts + MANY);
	for (size_t i = 0; i < MANY; i++)
		person_leave(&p[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_room__no_more_than_somebody_wants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__authors_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__what_everybody_has_goes_last, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__what_everybody_has_makes_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__is_made_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__news_takes_the_place_of_a_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__what_somebody_may_lack_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__a_file_with_news_in_it_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__a_full_one_takes_alerts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__one_at_its_max_takes_alerts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__alerts_use_the_reserve_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room__alerts_of_many_use_up_the_reserve, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
