#include "stick_cast.h"

#include <fcntl.h>

#include "daemon/stick_turn.h"

static struct vd_stick_result visit_at(struct cast *c, struct person *p, const char *dir, bool anchor)
{
	const struct vd_stick_wish wish = { .anchor = anchor };
	struct vd_stick_result r;

	assert_int_equal(vd_stick_sync_as(p->store, dir, &wish, &r), 0);
	person_reload(p, &c->mesh);
	return r;
}

/* As the command does. */
static struct vd_stick mark(struct cast *c, struct person *p, const char *name)
{
	struct vd_stick stick;

	visit_at(c, p, c->stick, true);
	assert_int_equal(vd_stick_which(p->store, c->stick, 0, &stick), 0);
	assert_true(stick.anchored);
	stick.marked = true;
	strcpy(stick.name, name);
	assert_int_equal(vd_stick_put(p->store, &stick), 0);
	return stick;
}

static bool is_at(struct person *p, const char *dir, const struct vd_stick *which)
{
	struct vd_stick now;
	int rc = vd_stick_which(p->store, dir, 0, &now);

	assert_true(!rc || rc == VD_ENOTFOUND);
	return !rc && memcmp(now.id, which->id, sizeof(now.id)) == 0;
}

static size_t sticks_of(struct person *p)
{
	struct vd_stick *all;
	size_t count;

	assert_int_equal(vd_sticks(p->store, &all, &count), 0);
	free(all);
	return count;
}

static void copy(struct cast *c, const char *how, char to[160], const char *name)
{
	char command[512];

	snprintf(to, 160, "%s/%s", c->mesh.top, name);
	snprintf(command, sizeof(command), "cp %s %s %s", how, c->stick, to);
	assert_int_equal(system(command), 0);
}

/* Shifts the times of all its files. */
static void shift(const char *dir, time_t by_s, long by_ns)
{
	char path[512];
	struct dirent *entry;
	struct stat st;
	DIR *cache;

	snprintf(path, sizeof(path), "%s/cache", dir);
	cache = opendir(path);
	assert_non_null(cache);
	while ((entry = readdir(cache))) {
		struct timespec times[2];

		if (entry->d_name[0] == '.')
			continue;
		assert_int_equal(fstatat(dirfd(cache), entry->d_name, &st, 0), 0);
		times[0] = times[1] = (struct timespec){ st.st_mtim.tv_sec + by_s, by_ns < 0 ? 0 : st.st_mtim.tv_nsec };
		assert_int_equal(utimensat(dirfd(cache), entry->d_name, times, 0), 0);
	}
	closedir(cache);
}

/* Who marks it has nothing to add to it, and others fold and gather all that it saw there. */
static void test_stick_which__a_mark_outlasts_the_files_of_others(void **state)
{
	struct cast *c = *state;
	struct vd_stick azul;
	int before;

	for (int i = 0; i < 3; i++) {
		visit_at(c, &c->ana, mesh_path(&c->mesh, "."), false);
		visit_at(c, &c->hub, mesh_path(&c->mesh, "."), false);
	}
	visit(c, &c->ana, 0);
	before = segments(c, NULL, NULL);
	azul = mark(c, &c->hub, "azul");
	/* One small file, like the others, and it brings nobody anything. */
	assert_int_equal(segments(c, NULL, NULL), before + 1);
	assert_nothing_to_do(c, &c->hub);
	for (int i = 0; i < 12; i++) {
		struct person *who = i % 2 ? &c->luz : &c->ana;

		person_write(who, VD_LANE_URGENT, 1, 100);
		visit(c, who, 0);
		assert_true(is_at(&c->hub, c->stick, &azul));
	}
	assert_int_equal(visit(c, &c->hub, 0).received, 12);
	assert_true(is_at(&c->hub, c->stick, &azul));
	assert_int_equal(sticks_of(&c->hub), 2);
}

static void test_stick_which__its_own_files_come_and_go(void **state)
{
	struct cast *c = *state;
	struct vd_stick azul;

	visit(c, &c->ana, 0);
	azul = mark(c, &c->hub, "azul");
	for (int i = 0; i < 6; i++) {
		person_write(&c->hub, VD_LANE_NORMAL, 1, 100);
		visit(c, &c->hub, 0);
		assert_true(is_at(&c->hub, c->stick, &azul));
		visit(c, &c->ana, 0);
		assert_true(is_at(&c->hub, c->stick, &azul));
	}
	assert_true(segments(c, NULL, NULL) <= 5);
	assert_int_equal(sticks_of(&c->hub), 1);
}

/* Cut between a new file and the note of it, or between that and the going of the old one: one of them stands, and is known. */
static void test_stick_which__the_old_file_goes_when_another_is_the_anchor(void **state)
{
	struct cast *c = *state;
	struct vd_stick azul = mark(c, &c->hub, "azul"), now;
	char name[VD_NAME_MAX], path[256];

	vd_hex(name, azul.anchor.id, sizeof(azul.anchor.id));
	snprintf(path, sizeof(path), "%s/%s.bin", c->cache, name);
	assert_int_equal(access(path, F_OK), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 1, 100);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_stick_which(c->hub.store, c->stick, 0, &now), 0);
	assert_true(memcmp(now.anchor.id, azul.anchor.id, sizeof(azul.anchor.id)) != 0);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_true(now.marked);
}

/* What it says of what it cannot open is over, so that file of its own goes, and nothing else of its own stands there. */
static void test_stick_which__what_just_went_is_no_anchor(void **state)
{
	struct cast *c = *state;
	uint8_t closed[2 * VD_CHUNK_BYTES];
	char path[256];

	for (int i = 0; i < 3; i++) {
		visit_at(c, &c->ana, mesh_path(&c->mesh, "."), false);
		visit_at(c, &c->hub, mesh_path(&c->mesh, "."), false);
	}
	visit(c, &c->ana, 0);
	randombytes_buf(closed, sizeof(closed));
	snprintf(path, sizeof(path), "%s/00112233445566778899aabbccddeeff.bin", c->cache);
	file_put(path, vd_slice(closed, vd_sealed_bytes(1)));
	assert_int_equal(visit(c, &c->hub, 0).sent, 0);
	assert_int_equal(segments(c, NULL, NULL), 3);
	assert_int_equal(unlink(path), 0);
	mark(c, &c->hub, "azul");
}

static void test_stick_which__a_copy_is_another_one(void **state)
{
	struct cast *c = *state;
	struct vd_stick azul, other;
	char by_file[160], before[160], after[160], twin[160];

	visit(c, &c->ana, 0);
	azul = mark(c, &c->hub, "azul");
	usleep(30000);
	copy(c, "-r", by_file, "by_file");
	copy(c, "-a", before, "before");
	copy(c, "-r", twin, "twin");
	assert_false(is_at(&c->hub, by_file, &azul));
	/* One that nothing is written to or read from is known again all the same. */
	assert_int_equal(visit_at(c, &c->hub, twin, false).bytes_out, 0);
	assert_int_equal(vd_stick_which(c->hub.store, twin, 0, &other), 0);
	assert_int_equal(visit_at(c, &c->hub, twin, false).bytes_out, 0);
	assert_true(is_at(&c->hub, twin, &other) && !other.marked && memcmp(other.id, azul.id, sizeof(azul.id)) != 0);
	assert_int_equal(sticks_of(&c->hub), 2);
	assert_int_equal(vd_stick_forget(c->hub.store, other.id), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 1, 100);
	visit(c, &c->hub, 0);
	/* Kept with its times, but from before the last visit. */
	assert_false(is_at(&c->hub, before, &azul));
	assert_true(is_at(&c->hub, c->stick, &azul));
	/* What nobody can tell. */
	copy(c, "-a", after, "after");
	assert_true(is_at(&c->hub, after, &azul));

	/* Visited by hand it is a stick of its own, and stays the same one. */
	visit_at(c, &c->hub, by_file, false);
	assert_int_equal(vd_stick_which(c->hub.store, by_file, 0, &other), 0);
	assert_true(!other.marked && !*other.name && memcmp(other.id, azul.id, sizeof(azul.id)) != 0);
	for (int i = 0; i < 3; i++) {
		visit_at(c, &c->hub, by_file, false);
		assert_true(is_at(&c->hub, by_file, &other));
		visit(c, &c->hub, 0);
		assert_true(is_at(&c->hub, c->stick, &azul));
	}
	assert_int_equal(sticks_of(&c->hub), 2);
	assert_int_equal(vd_stick_get(c->hub.store, azul.id, &other), 0);
	assert_true(other.marked);
}

/* FAT keeps local time, to two seconds. */
static void test_stick_which__times_of_another_zone(void **state)
{
	struct cast *c = *state;
	struct vd_stick azul = mark(c, &c->hub, "azul");
	static const struct {
		time_t by_s;
		bool same;
	} shifts[] = { { 3600, true }, { -2 * 3600 - 19800, true }, { 20700 - 3600, true }, { 26 * 3600 - 6 * 3600, true }, { 40, false }, { 27 * 3600, false }, { -450, false } };

	for (size_t i = 0; i < sizeof(shifts) / sizeof(*shifts); i++) {
		time_t at = shifts[i].by_s;

		shift(c->stick, at, 0);
		assert_true(is_at(&c->hub, c->stick, &azul) == shifts[i].same);
		shift(c->stick, -at, 0);
	}
	assert_true(is_at(&c->hub, c->stick, &azul));
	/* No fractions of a second. */
	shift(c->stick, 0, -1);
	assert_true(is_at(&c->hub, c->stick, &azul));
	shift(c->stick, 1, -1);
	assert_true(is_at(&c->hub, c->stick, &azul));
	shift(c->stick, 2, -1);
	assert_false(is_at(&c->hub, c->stick, &azul));
}

/* What cannot be written bears no anchor. */
static void test_stick_which__nothing_to_know_it_by(void **state)
{
	struct cast *c = *state;
	const struct vd_stick_wish wish = { .anchor = true, .max_bytes = 1 };
	struct vd_stick_result r;
	struct vd_stick stick;

	visit(c, &c->ana, 0);
	(void)vd_stick_sync_as(c->hub.store, c->stick, &wish, &r);
	assert_int_equal(r.bytes_out, 0);
	assert_int_equal(vd_stick_which(c->hub.store, c->stick, 0, &stick), 0);
	assert_false(stick.anchored);
}

static void test_stick_which__one_at_a_time(void **state)
{
	struct cast *c = *state;
	struct vd_stick_wish wish = { .wait_ms = 0 };
	struct vd_stick stick;
	struct vd_stick_result r;
	struct stat st;
	int turn, other;

	assert_int_equal(stat(c->stick, &st), 0);
	assert_int_equal(vd_stick_turn_begin(vd_store_home(c->hub.store), &st, 0, &turn), 0);
	assert_true(turn >= 0);
	assert_int_equal(vd_stick_sync_as(c->hub.store, c->stick, &wish, &r), VD_EBUSY);
	assert_true(r.busy && !r.bytes_out && !r.safe_to_remove);
	assert_int_equal(vd_stick_which(c->hub.store, c->stick, 0, &stick), VD_EBUSY);
	assert_int_equal(segments(c, NULL, NULL), 0);
	/* Another device is not kept from it, nor this one from another stick. */
	visit(c, &c->ana, 0);
	assert_int_equal(stat(c->mesh.top, &st), 0);
	assert_int_equal(vd_stick_turn_begin(vd_store_home(c->hub.store), &st, 0, &other), 0);
	vd_stick_turn_end(other);
	vd_stick_turn_end(turn);
	assert_int_equal(vd_stick_sync_as(c->hub.store, c->stick, &wish, &r), 0);
	assert_false(r.busy);
}

/* Of two visits at once, as they were possible once: what stands there twice goes, once, and nobody misses it. */
static void test_stick_which__copies_of_ones_own_go(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	char aside[256], back[512];
	int n;

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3600);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, NULL, NULL), 1);
	for (int i = 0; i < 2; i++) {
		snprintf(aside, sizeof(aside), "%s/aside%d", c->mesh.top, i);
		assert_int_equal(rename(c->cache, aside), 0);
		visit(c, &c->hub, 0);
		snprintf(back, sizeof(back), "cp -a %s/. %s", aside, c->cache);
		assert_int_equal(system(back), 0);
	}
	assert_int_equal(segments(c, NULL, NULL), 3);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.sent + r.bytes_out, 0);
	assert_int_equal(segments(c, NULL, NULL), 1);
	n = (int)visit(c, &c->ana, 0).received;
	assert_true(n >= 60);
	assert_nothing_to_do(c, &c->hub);

	/* Not what another one wrote: it may go tomorrow. */
	person_write(&c->ana, VD_LANE_NORMAL, 60, 3600);
	visit(c, &c->ana, 0);
	n = segments(c, NULL, NULL);
	snprintf(aside, sizeof(aside), "%s/aside", c->mesh.top);
	visit(c, &c->hub, 0);
	assert_int_equal(rename(c->cache, aside), 0);
	visit(c, &c->hub, 0);
	snprintf(back, sizeof(back), "cp -a %s/. %s", aside, c->cache);
	assert_int_equal(system(back), 0);
	visit(c, &c->hub, 0);
	visit(c, &c->luz, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	assert_true(segments(c, NULL, NULL) >= n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stick_which__a_mark_outlasts_the_files_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__its_own_files_come_and_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__the_old_file_goes_when_another_is_the_anchor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__what_just_went_is_no_anchor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__a_copy_is_another_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__times_of_another_zone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__nothing_to_know_it_by, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_which__copies_of_ones_own_go, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
