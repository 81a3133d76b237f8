/* A stick and devices that were away while the group changed its keys. */
#include "stick_cast.h"

#include <dirent.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>

enum { FILES_MAX = 64 };

/* What stands on the stick: names are kept so that what a visit added is known. */
struct listing {
	char name[FILES_MAX][64];
	size_t count;
};

static bool is_listed(const struct listing *l, const char *name)
{
	for (size_t i = 0; l && i < l->count; i++)
		if (strcmp(l->name[i], name) == 0)
			return true;
	return false;
}

static struct listing list(const struct cast *c, const struct listing *before)
{
	char cache[256];
	struct listing l = { .count = 0 };
	struct dirent *entry;
	DIR *dir;

	snprintf(cache, sizeof(cache), "%s/cache", c->stick);
	dir = opendir(cache);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !is_listed(before, entry->d_name)) {
			assert_true(l.count < FILES_MAX);
			snprintf(l.name[l.count++], sizeof(l.name[0]), "%.40s", entry->d_name);
		}
	if (dir)
		closedir(dir);
	return l;
}

static char *path_of(const struct cast *c, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/cache/%s", c->stick, name);
	return path;
}

/* Which of these files open with `links` and, unless NULL, as that person's device; *only: one of them. */
static size_t openable(const struct cast *c, const struct listing *l, const uint8_t *links, size_t count, const struct person *p,
                       const char **only)
{
	const struct vd_opener with = { .links = links, .link_count = count, .identity = p ? vd_group_identity(p->group) : NULL };
	struct vd_buf file = { 0 };
	size_t opened = 0;

	for (size_t i = 0; i < l->count; i++) {
		struct vd_unsealer *u = NULL;

		file_get(path_of(c, l->name[i]), &file);
		if (vd_unsealer_new(vd_slice(file.p, VD_HEAD_BYTES), vd_slice(file.p + file.n - VD_HEAD_BYTES, VD_HEAD_BYTES), &with, &u))
			continue;
		opened++;
		if (only)
			*only = l->name[i];
		vd_unsealer_free(u);
	}
	vd_buf_deinit(&file);
	return opened;
}

static void test_stick_laggard__catches_up_in_one_visit(void **state)
{
	struct cast *c = *state;
	struct listing before, added;
	struct vd_stick_result r;

	person_write(&c->luz, VD_LANE_NORMAL, 3, 100);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	before = list(c, NULL);
	rotate(&c->hub);
	person_write(&c->hub, VD_LANE_URGENT, 4, 50);
	visit(c, &c->hub, 0);

	/* One segment for the group, one more that Ana and Luz open too; neither to who has the old key alone. */
	added = list(c, &before);
	assert_int_equal(added.count, 2);
	assert_int_equal(openable(c, &added, c->first_link, 1, NULL, NULL), 0);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->ana, NULL), 1);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->luz, NULL), 1);
	/* Their slots are masked by a key of the group that they know, not by what anyone has who saw their card. */
	assert_int_equal(openable(c, &added, NULL, 0, &c->luz, NULL), 0);
	assert_int_equal(openable(c, &added, vd_group_epoch_keys(c->hub.group, 0)->key[VD_KEY_LINK], 1, NULL, NULL), 2);
	assert_nothing_to_do(c, &c->hub);

	/* Luz wrote meanwhile, under the old keys. One visit, and she has everything, and everyone can have hers. */
	person_write(&c->luz, VD_LANE_URGENT, 2, 60);
	assert_false(writes_under(&c->luz, &c->hub));
	before = list(c, NULL);
	r = visit(c, &c->luz, 0);
	assert_true(r.complete && r.segments_foreign == 0 && r.received >= 5);
	assert_int_equal(r.sent, 2);
	assert_true(writes_under(&c->luz, &c->hub));
	added = list(c, &before);
	assert_int_equal(added.count, 1);
	assert_int_equal(openable(c, &added, c->first_link, 1, NULL, NULL), 0);
	assert_nothing_to_do(c, &c->luz);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.received, 2);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	r = visit(c, &c->ana, 0);
	assert_true(r.complete && mesh_equal(&c->mesh, &c->hub, &c->ana));
	before = list(c, NULL);
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &c->luz);
	assert_nothing_to_do(c, &c->hub);
	assert_int_equal(list(c, &before).count, 0);
}

/* Who wrote under the new keys, or is heard of otherwise, needs none. */
static void test_stick_laggard__none_for_who_is_known_to_have_the_keys(void **state)
{
	struct cast *c = *state;
	const uint8_t *group = c->mesh.group;
	struct listing files, before;
	uint64_t latest;

	rotate(&c->hub);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	person_write(&c->ana, VD_LANE_NORMAL, 1, 100);
	visit(c, &c->ana, 0);
	visit(c, &c->hub, 0);

	/* On an empty stick there is one for Luz, as far as the hub knows. */
	snprintf(c->stick, sizeof(c->stick), "%s/usb2", c->mesh.top);
	assert_int_equal(mkdir(c->stick, 0700), 0);
	visit(c, &c->hub, 0);
	files = list(c, NULL);
	assert_int_equal(files.count, 2);
	assert_int_equal(openable(c, &files, c->first_link, 1, &c->ana, NULL), 0);
	assert_int_equal(openable(c, &files, c->first_link, 1, &c->luz, NULL), 1);
	assert_nothing_to_do(c, &c->hub);
	/* Luz herself has them, and knows that the others do. */
	snprintf(c->stick, sizeof(c->stick), "%s/usb3", c->mesh.top);
	assert_int_equal(mkdir(c->stick, 0700), 0);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	assert_int_equal(list(c, NULL).count, 2);

	/* A session with her ended with equal sets. */
	snprintf(c->stick, sizeof(c->stick), "%s/usb4", c->mesh.top);
	assert_int_equal(mkdir(c->stick, 0700), 0);
	assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
	assert_int_equal(vd_store_heard_set(c->hub.store, group, vd_group_identity(c->luz.group)->author, latest), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(list(c, NULL).count, 1);
	assert_nothing_to_do(c, &c->hub);
	/* New keys, and nobody is known to have them. */
	before = list(c, NULL);
	rotate(&c->hub);
	visit(c, &c->hub, 0);
	files = list(c, &before);
	assert_int_equal(files.count, 2);
	assert_int_equal(openable(c, &files, c->first_link, 1, &c->ana, NULL), 1);
	assert_int_equal(openable(c, &files, c->first_link, 1, &c->luz, NULL), 1);
}

static void test_stick_laggard__a_newcomer_has_the_keys_by_the_welcome(void **state)
{
	struct cast *c = *state;
	struct person late;

	mesh_add_person(&c->mesh, &c->hub, &late);
	visit(c, &c->hub, 0);
	assert_int_equal(list(c, NULL).count, 1);
	person_leave(&late);
}

/* At most fifteen a segment. */
static void test_stick_laggard__many(void **state)
{
	enum { MORE = 17 };
	struct cast *c = *state;
	struct person *more = calloc(MORE, sizeof(*more));
	struct listing before, added;

	assert_non_null(more);
	for (int i = 0; i < MORE; i++)
		mesh_add_person(&c->mesh, &c->hub, &more[i]);
	visit(c, &c->hub, 0);
	before = list(c, NULL);
	assert_int_equal(before.count, 1);
	rotate(&c->hub);
	visit(c, &c->hub, 0);
	added = list(c, &before);
	assert_int_equal(added.count, 1 + 2);
	for (int i = 0; i < MORE; i++)
		assert_int_equal(openable(c, &added, c->first_link, 1, &more[i], NULL), 1);
	assert_nothing_to_do(c, &c->hub);
	/* Each who comes reads, and has nothing to add for the others. */
	for (int i = 0; i < MORE; i += 4) {
		struct vd_stick_result r = visit(c, &more[i], 0);

		assert_true(r.complete && r.bytes_out == 0 && r.segments_foreign == 0);
		assert_true(writes_under(&more[i], &c->hub));
		assert_nothing_to_do(c, &more[i]);
	}
	assert_int_equal(list(c, &before).count, 3);
	for (int i = 0; i < MORE; i++)
		person_leave(&more[i]);
	free(more);
}

/* A large group's epoch comes in parts: who has no part in it yet is not sent what would not help. */
static void test_stick_laggard__not_before_the_epoch_is_sealed_to_it(void **state)
{
	enum { MORE = 15 };
	struct cast *c = *state;
	struct person *more = calloc(MORE, sizeof(*more));
	struct listing before, added;
	struct vd_epoch_keys keys;
	size_t opened = 0;
	struct vd_id first;

	assert_non_null(more);
	for (int i = 0; i < MORE; i++)
		mesh_add_person(&c->mesh, &c->hub, &more[i]);
	visit(c, &c->hub, 0);
	before = list(c, NULL);
	randombytes_buf(&keys, sizeof(keys));
	assert_int_equal(rotate_part(&c->hub, &keys, 0, &first), 0);
	assert_non_null(vd_group_epoch_lacks(c->hub.group, 0));
	/* Whom that leaves out cannot read what is written now. */
	assert_false(visit(c, &c->hub, 0).complete);
	added = list(c, &before);
	assert_int_equal(added.count, 1 + 1);
	for (int i = 0; i < MORE; i++)
		opened += openable(c, &added, c->first_link, 1, &more[i], NULL);
	/* Sixteen have a part in it: the hub, Ana, Luz and these. */
	assert_int_equal(opened, VD_EPOCH_DEVICES - 3);

	before = list(c, NULL);
	assert_int_equal(rotate_part(&c->hub, &keys, 1, &first), 0);
	assert_null(vd_group_epoch_lacks(c->hub.group, 0));
	visit(c, &c->hub, 0);
	added = list(c, &before);
	assert_int_equal(added.count, 1 + 1);
	for (int i = 0; i < MORE; i++)
		opened += openable(c, &added, c->first_link, 1, &more[i], NULL);
	assert_int_equal(opened, MORE);
	for (int i = 0; i < MORE; i++) {
		visit(c, &more[i], 0);
		assert_true(writes_under(&more[i], &c->hub));
		person_leave(&more[i]);
	}
	assert_nothing_to_do(c, &c->hub);
	free(more);
}

/* All control records of one to another, who may lack keys all the same. */
static void tell_of_acts(struct cast *c, const struct person *from, struct person *to)
{
	struct vd_batch batch = { 0 };
	struct vd_buf raw = { 0 };
	struct vd_merge merge = { 0 };

	for (size_t i = 0; i < vd_group_act_count(from->group); i++) {
		struct vd_record record;
		uint64_t arrival;

		assert_int_equal(vd_store_find(from->store, &vd_group_act(from->group, i)->id, &arrival), 0);
		vd_buf_reset(&raw);
		assert_int_equal(vd_store_read(from->store, arrival, &raw, &record, NULL), 0);
		assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	}
	assert_int_equal(vd_store_merge(to->store, to->group, &batch, &merge), 0);
	assert_true(merge.fresh > 0);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&raw);
	person_reload(to, &c->mesh);
}

/* Who says that it has the record of an epoch need not have its keys: they came, or are to come, by a later one. */
static void test_stick_laggard__knows_of_the_epoch_before_it_is_sealed_to_it(void **state)
{
	enum { MORE = 15 };
	struct cast *c = *state;
	struct person *more = calloc(MORE, sizeof(*more)), *late = NULL;
	struct vd_epoch_keys keys;
	struct vd_id first;

	assert_non_null(more);
	for (int i = 0; i < MORE; i++)
		mesh_add_person(&c->mesh, &c->hub, &more[i]);
	visit(c, &c->hub, 0);
	randombytes_buf(&keys, sizeof(keys));
	assert_int_equal(rotate_part(&c->hub, &keys, 0, &first), 0);
	for (int i = 0; i < MORE; i++)
		if (memcmp(vd_group_identity(more[i].group)->author, vd_group_epoch_lacks(c->hub.group, 0)->author, VD_KEY_BYTES) == 0)
			late = &more[i];
	assert_non_null(late);
	visit(c, &c->hub, 0);
	tell_of_acts(c, &c->hub, late);
	assert_memory_equal(vd_group_current_epoch(late->group), first.b, VD_EPOCH_BYTES);
	assert_true(visit(c, late, 0).segments_foreign > 0);

	assert_int_equal(rotate_part(&c->hub, &keys, 1, &first), 0);
	visit(c, &c->hub, 0);
	visit(c, late, 0);
	assert_true(writes_under(late, &c->hub) && mesh_equal(&c->mesh, &c->hub, late));
	for (int i = 0; i < MORE; i++)
		person_leave(&more[i]);
	free(more);
}

/* The catch-up segment goes bad where only laggards look: they say so, and who has the keys writes another. */
static void test_stick_laggard__damaged_catch_up_is_written_again(void **state)
{
	struct cast *c = *state;
	struct listing before, added;
	struct vd_stick_result r;
	struct vd_buf file = { 0 };
	const char *name = NULL;

	visit(c, &c->hub, 0);
	before = list(c, NULL);
	rotate(&c->hub);
	visit(c, &c->hub, 0);
	added = list(c, &before);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->luz, &name), 1);
	file_get(path_of(c, name), &file);
	file.p[VD_HEAD_BYTES + 77] ^= 1;
	file_put(path_of(c, name), vd_buf_slice(&file));

	r = visit(c, &c->luz, VD_EDAMAGED);
	assert_true(r.segments_bad == 1 && !writes_under(&c->luz, &c->hub));
	before = list(c, NULL);
	visit(c, &c->hub, VD_EDAMAGED);
	added = list(c, &before);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->luz, NULL), 1);
	r = visit(c, &c->luz, 0);
	assert_true(r.complete && writes_under(&c->luz, &c->hub));
	visit(c, &c->ana, 0);
	assert_true(writes_under(&c->ana, &c->hub));
	before = list(c, NULL);
	assert_nothing_to_do(c, &c->hub);
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &c->luz);
	assert_int_equal(list(c, &before).count, 0);
	vd_buf_deinit(&file);
}

/* A segment that names somebody helps nobody unless it holds the epoch: it keeps no real one away. And what stands only where few can
 * read counts as being nowhere. */
static void test_stick_laggard__a_name_alone_does_not_count(void **state)
{
	struct cast *c = *state;
	uint8_t them[2][VD_KEY_BYTES];
	struct vd_bundle_choice choice = {
		.control = true, .devices = (const uint8_t (*)[VD_KEY_BYTES])them, .device_count = 2, .for_link = true, .name_them = true,
	};
	struct vd_bundle_stats stats;
	struct listing before, added;
	const char *catch_up = NULL;
	char cache[256];

	memcpy(them[0], vd_group_identity(c->ana.group)->author, VD_KEY_BYTES);
	memcpy(them[1], vd_group_identity(c->luz.group)->author, VD_KEY_BYTES);
	snprintf(cache, sizeof(cache), "%s/cache", c->stick);
	assert_int_equal(mkdir(cache, 0700), 0);
	assert_int_equal(vd_bundle_write(c->hub.store, c->hub.group, VD_SEALED_SEGMENT, &choice,
	                                 path_of(c, "000102030405060708090a0b0c0d0e0f.bin"), false, &stats), 0);
	before = list(c, NULL);
	rotate(&c->hub);
	visit(c, &c->hub, 0);
	added = list(c, &before);
	assert_int_equal(added.count, 2);

	/* The other has all control records, of which the catch-up segments count for none. */
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->luz, &catch_up), 1);
	for (size_t i = 0; i < added.count; i++)
		if (strcmp(added.name[i], catch_up) != 0)
			assert_int_equal(unlink(path_of(c, added.name[i])), 0);
	before = list(c, NULL);
	assert_int_equal(visit(c, &c->hub, 0).sent, person_records(&c->hub));
	assert_int_equal(list(c, &before).count, 1);
	assert_nothing_to_do(c, &c->hub);
}

/* No room for it: that is said, what is urgent is there, and it follows when there is. */
static void test_stick_laggard__full_stick(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	if (mount("none", c->stick, "tmpfs", 0, "size=100k"))
		skip();
	rotate(&c->hub);
	person_write(&c->hub, VD_LANE_URGENT, 1, 50);
	r = visit(c, &c->hub, VD_ENOSPACE);
	assert_true(r.safe_to_remove && r.sent == person_records(&c->hub));
	assert_int_equal(list(c, NULL).count, 1);
	assert_int_equal(mount("none", c->stick, "tmpfs", MS_REMOUNT, "size=800k"), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(list(c, NULL).count, 2);
	assert_nothing_to_do(c, &c->hub);
	assert_int_equal(umount(c->stick), 0);
}

/* Luz is removed and does not know. What she reads is what she had; what she adds is in the set, whatever is made of it. */
static void test_stick_laggard__removed(void **state)
{
	struct cast *c = *state;
	struct listing before, added;
	struct vd_stick_result r;

	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	visit(c, &c->luz, 0);
	before = list(c, NULL);
	remove_device(&c->hub, &c->luz);
	person_write(&c->hub, VD_LANE_URGENT, 4, 50);
	visit(c, &c->hub, 0);
	added = list(c, &before);
	assert_int_equal(added.count, 2);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->luz, NULL), 0);
	assert_int_equal(openable(c, &added, c->first_link, 1, &c->ana, NULL), 1);

	person_write(&c->luz, VD_LANE_NORMAL, 2, 60);
	before = list(c, NULL);
	r = visit(c, &c->luz, 0);
	assert_int_equal(r.received, 0);
	assert_int_equal(r.segments_foreign, 2);
	assert_int_equal(r.sent, 2);
	assert_int_equal(list(c, &before).count, 1);
	before = list(c, NULL);
	assert_int_equal(visit(c, &c->luz, 0).bytes_out, 0);

	r = visit(c, &c->ana, 0);
	assert_true(r.complete && writes_under(&c->ana, &c->hub));
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.received, 2);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->ana));
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &c->hub);
	assert_int_equal(list(c, &before).count, 0);
}

/* kill -9 in the middle of a visit that catches others up, again and again: the next one completes it, and no more. */
static void test_stick_laggard__killed_at_any_moment(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	visit(c, &c->hub, 0);
	for (unsigned us = 300; us < 40000; us += us / 2) {
		pid_t child;
		int status;

		rotate(&c->hub);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			struct vd_store *own;

			if (vd_store_open(c->hub.home, &own) == 0)
				(void)vd_stick_sync(own, c->stick, &r);
			_exit(0);
		}
		usleep(us);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		r = visit(c, &c->luz, 0);
		assert_int_equal(r.segments_bad + r.segments_torn, 0);
	}
	r = visit(c, &c->hub, 0);
	assert_true(r.complete);
	r = visit(c, &c->luz, 0);
	assert_true(r.complete && writes_under(&c->luz, &c->hub));
	visit(c, &c->ana, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz) && mesh_equal(&c->mesh, &c->hub, &c->ana));
	assert_nothing_to_do(c, &c->hub);
	assert_nothing_to_do(c, &c->luz);
	assert_nothing_to_do(c, &c->ana);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stick_laggard__catches_up_in_one_visit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__none_for_who_is_known_to_have_the_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__a_newcomer_has_the_keys_by_the_welcome, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__not_before_the_epoch_is_sealed_to_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__knows_of_the_epoch_before_it_is_sealed_to_it, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__removed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__killed_at_any_moment, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__damaged_catch_up_is_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__a_name_alone_does_not_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_laggard__full_stick, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
