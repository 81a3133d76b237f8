/* Receipts on sticks and in bundles: what comes back, by which way, and what it costs. */
#include <dirent.h>
#include <sys/mount.h>
#include <time.h>

#include "store/sticks.h"
#include "tests/unit/holding.h"
#include "tests/unit/stick_cast.h"

static int setup_talking(void **state)
{
	int rc = setup(state);
	struct cast *c = *state;

	mesh_is_silent = false;
	assert_int_equal(vd_custody_silence(c->hub.store, false), 0);
	assert_int_equal(vd_custody_silence(c->ana.store, false), 0);
	assert_int_equal(vd_custody_silence(c->luz.store, false), 0);
	return rc;
}

static int files_on(const char *cache)
{
	DIR *dir = opendir(cache);
	struct dirent *e;
	int count = 0;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		count += e->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void all_visit(struct cast *c)
{
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
}

static void assert_still(struct cast *c, struct person *p)
{
	struct vd_stick_result r = visit(c, p, 0);

	assert_int_equal(r.bytes_out + r.sent + r.received, 0);
}

static void test_stick_receipts__come_back(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct vd_route route;
	uint64_t at;

	/* All know each other. */
	all_visit(c);
	person_write(&c->ana, VD_LANE_NORMAL, 3, 50);
	at = newest(&c->ana);
	visit(c, &c->ana, 0);
	assert_int_equal(holds(&c->ana, &c->luz, at), VD_HOLDS_NOT);
	assert_int_equal(visit(c, &c->luz, 0).received, 3);
	/* Nobody has told Ana yet. */
	assert_int_equal(holds(&c->ana, &c->luz, at), VD_HOLDS_NOT);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.received, 0);
	assert_int_equal(holds_by(&c->ana, &c->luz, at, &route), VD_HOLDS_LANE);
	assert_int_equal(route.kind, VD_ROUTE_STICK);
	assert_int_equal(holds(&c->ana, &c->hub, at), VD_HOLDS_NOT);
	/* Nobody has anything more to say. */
	all_visit(c);
	for (int i = 0; i < 2; i++) {
		assert_still(c, &c->hub);
		assert_still(c, &c->ana);
		assert_still(c, &c->luz);
	}
}

/* Who reads again and again leaves one file, not one for each time; and it holds what the others told, too. */
static void test_stick_receipts__one_file_each(void **state)
{
	struct cast *c = *state;
	int files;

	all_visit(c);
	visit(c, &c->hub, 0);
	files = files_on(c->cache);
	for (int i = 0; i < 5; i++) {
		person_write(&c->hub, VD_LANE_NORMAL, 1, 50);
		all_visit(c);
	}
	/* The hub's small segments fold into each other. */
	assert_true(files_on(c->cache) <= files + 1);
	assert_int_equal(holds(&c->luz, &c->ana, newest(&c->luz)), VD_HOLDS_LANE);
}

/* By another stick, and by a file, through somebody who only passes it on. */
static void test_stick_receipts__by_any_way(void **state)
{
	struct cast *c = *state;
	const struct vd_bundle_choice none = { .arrivals = (const uint64_t[]){ 0 } };
	struct vd_bundle_choice told = none;
	struct vd_bundle_stats stats;
	struct vd_receipts receipts;
	char other[160], path[256];
	struct vd_stick_result r;
	struct vd_route route;
	uint64_t at;

	all_visit(c);
	person_write(&c->ana, VD_LANE_URGENT, 1, 50);
	at = newest(&c->ana);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	visit(c, &c->hub, 0);
	/* The hub has Luz's word, and takes it along on another stick. */
	snprintf(other, sizeof(other), "%s/other", c->mesh.top);
	assert_int_equal(mkdir(other, 0700), 0);
	assert_int_equal(vd_stick_sync(c->hub.store, other, &r), 0);
	assert_int_equal(vd_stick_sync(c->ana.store, other, &r), 0);
	assert_int_equal(holds(&c->ana, &c->luz, at), VD_HOLDS_LANE);
	assert_int_equal(holds(&c->ana, &c->hub, at), VD_HOLDS_LANE);
	/* And in a bundle. */
	person_write(&c->ana, VD_LANE_URGENT, 1, 50);
	at = newest(&c->ana);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	assert_int_equal(vd_receipts_gather(c->luz.store, c->luz.group, (uint64_t)time(NULL) * 1000, 65536, NULL, NULL, &receipts), 0);
	assert_true(receipts.count >= 2);
	assert_memory_equal(receipts.told[0].author, vd_group_identity(c->luz.group)->author, VD_KEY_BYTES);
	told.receipts = receipts.list;
	told.receipt_count = receipts.count;
	snprintf(path, sizeof(path), "%s/told.bundle", c->mesh.top);
	assert_int_equal(vd_bundle_write(c->luz.store, c->luz.group, VD_SEALED_BUNDLE, &told, path, false, &stats), 0);
	vd_receipts_deinit(&receipts);
	assert_int_equal(vd_bundle_merge(c->ana.store, path, true, NULL, &stats), 0);
	assert_int_equal(holds(&c->ana, &c->luz, at), VD_HOLDS_NOT); /* a dry run keeps nothing */
	assert_int_equal(vd_bundle_merge(c->ana.store, path, false, NULL, &stats), 0);
	assert_int_equal(holds_by(&c->ana, &c->luz, at, &route), VD_HOLDS_LANE);
	assert_int_equal(route.kind, VD_ROUTE_FILE);
}

/* A visit on which records come and go still writes at most a tenth more than they take, and 96 KiB. */
static void test_stick_receipts__what_a_visit_writes(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t before;

	all_visit(c);
	for (int i = 0; i < 3; i++) {
		person_write(&c->hub, VD_LANE_NORMAL, 100, 200);
		person_write(&c->ana, VD_LANE_NORMAL, 100, 200);
		visit(c, &c->hub, 0);
		before = person_records(&c->ana);
		r = visit(c, &c->ana, 0);
		assert_int_equal(person_records(&c->ana) - before, 100);
		assert_int_equal(r.sent, 100);
		assert_true(r.bytes_out <= 100 * 200 * 11 / 10 + 96 * 1024);
		/* Nor does who only reads. */
		assert_true(visit(c, &c->luz, 0).bytes_out <= 96 * 1024);
	}
}

/* Who keeps it to itself leaves nothing; what others say goes on all the same. */
static void test_stick_receipts__silent(void **state)
{
	struct cast *c = *state;
	uint64_t at;
	bool silent;

	all_visit(c);
	assert_int_equal(vd_custody_silence(c->luz.store, true), 0);
	assert_int_equal(vd_custody_silent(c->luz.store, &silent), 0);
	assert_true(silent);
	person_write(&c->hub, VD_LANE_NORMAL, 2, 50);
	at = newest(&c->hub);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	assert_int_equal(visit(c, &c->luz, 0).bytes_out, 0);
	visit(c, &c->hub, 0);
	assert_int_equal(holds(&c->hub, &c->ana, at), VD_HOLDS_LANE);
	assert_int_equal(holds(&c->hub, &c->luz, at), VD_HOLDS_NOT);
}

static struct vd_stick only_stick(struct person *p)
{
	struct vd_stick *all, one;
	size_t count;

	assert_int_equal(vd_sticks(p->store, &all, &count), 0);
	assert_int_equal(count, 1);
	one = all[0];
	free(all);
	return one;
}

/* A stick is known again, named, and remembered with what it held when. */
static void test_stick_receipts__a_stick_is_known_again(void **state)
{
	struct cast *c = *state;
	char other[160], command[512];
	struct vd_stick first, now, *all;
	struct vd_stick_result r;
	uint64_t at[2];
	size_t count;

	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_int_equal(count, 0);
	free(all);
	visit(c, &c->hub, 0);
	at[0] = newest(&c->hub);
	first = only_stick(&c->hub);
	assert_true(first.seen_ms && first.seen_ms == first.first_ms && !first.marked && !*first.name);
	assert_int_equal(vd_stick_since(&first, at[0]), first.first_ms);
	assert_int_equal(vd_stick_since(&first, at[0] + 1), 0);
	strcpy(first.name, "azul");
	first.marked = true;
	assert_int_equal(vd_stick_put(c->hub.store, &first), 0);
	visit(c, &c->ana, 0);
	person_write(&c->hub, VD_LANE_NORMAL, 2, 50);
	at[1] = newest(&c->hub);
	usleep(5000);
	visit(c, &c->hub, 0);
	now = only_stick(&c->hub);
	assert_memory_equal(now.id, first.id, sizeof(now.id));
	assert_string_equal(now.name, "azul");
	assert_true(now.marked && now.first_ms == first.first_ms && now.seen_ms > first.seen_ms);
	assert_int_equal(vd_stick_since(&now, at[0]), first.first_ms);
	assert_int_equal(vd_stick_since(&now, at[1]), now.seen_ms);
	/* Another device names it for itself. */
	assert_true(memcmp(only_stick(&c->ana).id, first.id, sizeof(first.id)) != 0);
	/* A copy that keeps its times, of after the last visit, is the same; another stick is another one. */
	snprintf(other, sizeof(other), "%s/other", c->mesh.top);
	snprintf(command, sizeof(command), "cp -a %s %s", c->stick, other);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_stick_sync(c->hub.store, other, &r), 0);
	(void)only_stick(&c->hub);
	snprintf(command, sizeof(command), "rm -rf %s/*", other);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_stick_sync(c->hub.store, other, &r), 0);
	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_int_equal(count, 2);
	assert_true(memcmp(all[0].id, first.id, sizeof(first.id)) != 0 && !*all[0].name); /* seen last */
	free(all);
	/* One that was forgotten is gone, with its name; when it comes back it is new. */
	assert_int_equal(vd_stick_forget(c->hub.store, first.id), 0);
	assert_int_equal(vd_stick_get(c->hub.store, first.id, &now), VD_ENOTFOUND);
	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_true(count == 1 && memcmp(all[0].id, first.id, sizeof(first.id)) != 0);
	free(all);
	assert_int_equal(vd_stick_which(c->hub.store, c->stick, 0, &now), VD_ENOTFOUND);
	assert_int_equal(vd_stick_forget(c->hub.store, first.id), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_stick_which(c->hub.store, c->stick, 0, &now), 0);
	assert_true(!now.marked && !*now.name && vd_stick_since(&now, at[1]) == now.seen_ms);
	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_int_equal(count, 2);
	free(all);
}

/* So many and no more: who was longest away is forgotten first, unless somebody marked it. */
static void test_stick_receipts__so_many_sticks(void **state)
{
	struct cast *c = *state;
	struct vd_stick stick = { .marked = true, .first_ms = 1, .seen_ms = 1 }, gone, *all;
	size_t count;

	assert_int_equal(vd_stick_put(c->hub.store, &stick), 0);
	stick.marked = false;
	for (unsigned i = 1; i <= VD_STICKS_MAX; i++) {
		vd_set_u32(stick.id, i);
		stick.seen_ms = i + 1;
		assert_int_equal(vd_stick_put(c->hub.store, &stick), 0);
	}
	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_int_equal(count, VD_STICKS_MAX);
	assert_true(all[count - 1].marked && vd_get_u32(all[count - 2].id) == 2 && vd_get_u32(all[0].id) == VD_STICKS_MAX);
	free(all);
	/* When the forgotten one comes back it is a new one, and the next makes room for it. */
	vd_set_u32(stick.id, 1);
	assert_int_equal(vd_stick_get(c->hub.store, stick.id, &gone), VD_ENOTFOUND);
	assert_int_equal(vd_stick_visited(c->hub.store, stick.id, VD_STICKS_MAX + 2, 1, 0), 0);
	assert_int_equal(vd_sticks(c->hub.store, &all, &count), 0);
	assert_int_equal(count, VD_STICKS_MAX);
	assert_true(vd_get_u32(all[0].id) == 1 && all[0].first_ms == VD_STICKS_MAX + 2 && vd_get_u32(all[count - 2].id) == 3);
	free(all);
}

/* A visitor with nothing but receipts to leave is told that they are not there. */
static void test_receipts__write_protected(void **state)
{
	struct cast *c = *state;
	struct person *all[] = { &c->hub, &c->ana, &c->luz };
	struct vd_stick_result r;

	if (mount("none", c->stick, "tmpfs", 0, "size=8m"))
		skip();
	for (int turn = 0; turn < 9; turn++)
		assert_false(visit(c, all[turn % 3], 0).unsaid);
	person_write(&c->ana, VD_LANE_NORMAL, 5, 100);
	visit(c, &c->ana, 0);
	assert_int_equal(mount("none", c->stick, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_false(visit(c, &c->ana, 0).unsaid);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.received, 5);
	assert_true(r.read_only && r.complete && r.unsaid && r.bytes_out == 0);
	assert_int_equal(mount("none", c->stick, "tmpfs", MS_REMOUNT, NULL), 0);
	r = visit(c, &c->luz, 0);
	assert_true(!r.unsaid && r.bytes_out > 0);
	assert_int_equal(umount(c->stick), 0);
}

static int count_others(struct cast *c, struct person *p)
{
	struct vd_custody *custody;
	int told = 0;

	assert_int_equal(vd_custody_open(p->store, p->group, &custody), 0);
	for (size_t i = 0; i < vd_custody_count(custody); i++)
		told += vd_custody_keeper(custody, i)->told;
	vd_custody_close(custody);
	(void)c;
	return told;
}

/* However many come by a full stick, their receipts take one file; there is room for an alert; and when all have told, news gets room. */
static void many_at_a_full_stick(struct cast *c, uint64_t max, size_t devices)
{
	struct person *p = calloc(devices, sizeof(*p));
	struct vd_stick_result r;
	int files;

	assert_non_null(p);
	for (size_t i = 0; i < devices; i++) {
		mesh_add_person(&c->mesh, &c->hub, &p[i]);
		assert_int_equal(vd_custody_silence(p[i].store, false), 0);
	}
	person_write(&c->hub, VD_LANE_NORMAL, (size_t)(max * 3 / 4096), 4000);
	r = visit_with(c, &c->hub, max, VD_ENOSPACE);
	assert_true(r.left[VD_LANE_NORMAL] > 0 && !r.unsaid);
	files = files_on(c->cache);
	for (size_t turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < devices + 2; i++) {
			r = visit_with(c, i == 0 ? &c->ana : i == 1 ? &c->luz : &p[i - 2], max, VD_OK);
			assert_true(!r.unsaid && r.safe_to_remove);
			assert_true(files_on(c->cache) <= files + 1);
		}
	/* An alert of somebody else, as ever. */
	person_write(&p[devices - 1], VD_LANE_URGENT, 1, 100);
	r = visit_with(c, &p[devices - 1], max, VD_OK);
	assert_true(r.sent == 1 && r.left[VD_LANE_URGENT] == 0);
	r = visit_with(c, &c->hub, max, VD_ENOSPACE);
	assert_int_equal(count_others(c, &c->hub), devices + 2);
	/* What all have told they hold went for it. */
	assert_true(r.sent > 0 && r.received == 1);
	for (size_t i = 0; i < devices; i++)
		person_leave(&p[i]);
	free(p);
}

static void test_stick_receipts__gathered_on_a_full_stick(void **state)
{
	many_at_a_full_stick(*state, 4 << 20, 10);
}

static void test_stick_receipts__gathered_on_a_small_one(void **state)
{
	many_at_a_full_stick(*state, 1200000, 2);
}

/* Of another's files one goes only when each receipt in it was handed on, and it holds nothing else. */
static void test_stick_receipts__whose_files_stay(void **state)
{
	struct cast *c = *state;
	char ana[256] = "", hub[256] = "";
	struct vd_custody *custody;

	visit(c, &c->hub, 0);
	segments(c, hub, NULL);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, ana, hub), 2);
	/* Luz keeps her own to herself; what others say she hands on only when it stands nowhere. */
	assert_int_equal(vd_custody_silence(c->luz.store, true), 0);
	visit(c, &c->luz, 0);
	assert_int_equal(access(ana, F_OK), 0);
	/* Now she speaks, and takes Ana's word into her own; the hub's records stay where they are. */
	assert_int_equal(vd_custody_silence(c->luz.store, false), 0);
	visit(c, &c->luz, 0);
	assert_int_equal(access(ana, F_OK), -1);
	assert_int_equal(access(hub, F_OK), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_custody_open(c->hub.store, c->hub.group, &custody), 0);
	for (size_t i = 0; i < vd_custody_count(custody); i++)
		assert_true(vd_custody_keeper(custody, i)->told);
	vd_custody_close(custody);
}

/* What is sealed under an older epoch goes with the others, once the new keys are sealed to all who have a role and had the old ones; nobody who comes by later
 * misses it, though, as Luz here, without the new keys before. */
static void test_stick_receipts__an_older_epoch_goes_too(void **state)
{
	enum { MORE = VD_EPOCH_DEVICES };
	struct cast *c = *state;
	char ana[256] = "", hub[256] = "";
	struct person p[MORE];
	struct vd_epoch_keys keys;
	struct vd_id first;

	for (size_t i = 0; i < MORE; i++)
		mesh_add_person(&c->mesh, &c->hub, &p[i]);
	visit(c, &c->hub, 0);
	segments(c, hub, NULL);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, ana, hub), 2);
	randombytes_buf(&keys, sizeof(keys));
	assert_int_equal(rotate_part(&c->hub, &keys, 0, &first), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 1, 50);
	assert_true(visit(c, &c->hub, 0).bytes_out > 0);
	assert_memory_equal(vd_group_epoch_id(c->hub.group, 0), first.b, VD_EPOCH_BYTES);
	/* Some have no more than the old keys, and nothing brings them the new ones yet. */
	assert_int_equal(access(ana, F_OK), 0);
	assert_int_equal(rotate_part(&c->hub, &keys, 1, &first), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 1, 50);
	visit(c, &c->hub, 0);
	assert_int_equal(access(ana, F_OK), -1);
	/* Another's records stay under whatever keys. */
	assert_int_equal(access(hub, F_OK), 0);
	visit(c, &c->luz, 0);
	assert_true(writes_under(&c->luz, &c->hub));
	assert_int_equal(count_others(c, &c->luz), 2);
	for (size_t i = 0; i < MORE; i++)
		person_leave(&p[i]);
}

/* A file with receipts and one entry more, though it be of no use here: somebody may know what it is for. */
static void test_stick_receipts__beside_anything_else_they_stay(void **state)
{
	static const uint64_t none[1];
	static const uint8_t name[VD_SEGMENT_ID_BYTES] = { 7 };
	struct cast *c = *state;
	struct vd_bundle_stats stats;
	struct vd_receipts receipts;
	char path[2][256];

	visit(c, &c->hub, 0);
	assert_int_equal(vd_receipts_gather(c->ana.store, c->ana.group, (uint64_t)time(NULL) * 1000, 65536, NULL, NULL, &receipts), 0);
	for (int with = 0; with < 2; with++) {
		const struct vd_bundle_choice choice = {
			.arrivals = none, .receipts = receipts.list, .receipt_count = receipts.count, .damaged = vd_slice(name, with ? sizeof(name) : 0),
		};

		snprintf(path[with], sizeof(path[with]), "%s/%032x.bin", c->cache, with + 1);
		assert_int_equal(vd_bundle_write(c->ana.store, c->ana.group, VD_SEALED_SEGMENT, &choice, path[with], true, &stats), 0);
		/* Each time she has something to tell, and takes along what stands in files that may go. */
		person_write(&c->luz, VD_LANE_NORMAL, 1, 50);
		assert_true(visit(c, &c->luz, 0).bytes_out > 0);
		assert_int_equal(access(path[with], F_OK), with ? 0 : -1);
	}
	vd_receipts_deinit(&receipts);
}

static uint64_t bytes_on(struct cast *c)
{
	DIR *dir = opendir(c->cache);
	struct dirent *e;
	uint64_t bytes = 0;
	struct stat st;

	while ((e = readdir(dir)))
		if (e->d_name[0] != '.' && !fstatat(dirfd(dir), e->d_name, &st, 0))
			bytes += (uint64_t)st.st_size;
	closedir(dir);
	return bytes;
}

/* Alerts and receipts share the last place: receipts take that of others they hand on, and an alert takes theirs. */
static void test_stick_receipts__on_a_stick_that_is_full_to_the_end(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t max;

	/* Where none stands and no file has room it is said that there is no room. */
	assert_int_equal(vd_custody_silence(c->hub.store, true), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 12, 60000);
	visit(c, &c->hub, 0);
	max = bytes_on(c) + vd_sealed_bytes(1) - 1;
	r = visit_with(c, &c->luz, max, VD_OK);
	assert_true(r.received == 12 && r.unsaid && r.bytes_out == 0 && r.complete);
	assert_int_equal(vd_custody_silence(c->hub.store, false), 0);

	all_visit(c);
	person_write(&c->hub, VD_LANE_NORMAL, 12, 60000);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	max = bytes_on(c) + vd_sealed_bytes(1) - 1;
	r = visit_with(c, &c->luz, max, VD_OK);
	assert_true(r.received == 12 && !r.unsaid && r.complete && bytes_on(c) <= max);
	r = visit_with(c, &c->hub, max, VD_OK);
	assert_true(!r.unsaid && bytes_on(c) <= max);
	assert_int_equal(holds(&c->hub, &c->luz, newest(&c->hub)), VD_HOLDS_LANE);
	person_write(&c->luz, VD_LANE_URGENT, 1, 100);
	r = visit_with(c, &c->luz, max, VD_OK);
	assert_true(r.sent == 1 && r.left[VD_LANE_URGENT] == 0 && bytes_on(c) <= max);
	assert_int_equal(visit(c, &c->hub, 0).received, 1);
	visit(c, &c->ana, 0);
	visit(c, &c->hub, 0);
	assert_int_equal(holds(&c->hub, &c->luz, newest(&c->hub) - 1), VD_HOLDS_LANE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stick_receipts__gathered_on_a_full_stick, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__gathered_on_a_small_one, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__whose_files_stay, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__an_older_epoch_goes_too, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__beside_anything_else_they_stay, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__on_a_stick_that_is_full_to_the_end, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_receipts__write_protected, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__come_back, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__one_file_each, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__by_any_way, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__what_a_visit_writes, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__silent, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__a_stick_is_known_again, setup_talking, teardown),
		cmocka_unit_test_setup_teardown(test_stick_receipts__so_many_sticks, setup_talking, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
