/* A bundle in several files: each whole and alone, and what is remembered of those that came. */
#include "proto/limits.h"
#include "store/volumes.h"
#include "tests/unit/mesh_fixture.h"

enum { FILES_MAX = 64 };

static struct vd_bundle_stats write_volumes(const struct mesh *m, struct person *p, uint64_t bytes, int expected)
{
	const struct vd_bundle_choice choice = { .volume_bytes = bytes };
	struct vd_bundle_stats stats;

	assert_int_equal(vd_bundle_write(p->store, p->group, VD_SEALED_BUNDLE, &choice, mesh_path(m, "v"), true, &stats), expected);
	return stats;
}

static struct vd_bundle_stats take(const struct mesh *m, struct person *p, size_t number)
{
	struct vd_bundle_stats stats;
	char *path = vd_volume_path(mesh_path(m, "v"), number);

	assert_non_null(path);
	assert_int_equal(vd_bundle_merge(p->store, path, false, NULL, &stats), 0);
	assert_int_equal(stats.volume.number, number);
	free(path);
	return stats;
}

/* Whatever comes first: none waits for another, not even of an author whom the reader has not heard of. */
static void test_volumes__each_alone(void **state)
{
	struct person hub, ana, luz, readers[3];
	struct vd_bundle_stats stats;
	struct mesh m;
	size_t files;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &luz);
	for (size_t i = 0; i < 3; i++)
		mesh_add_person(&m, &hub, &readers[i]);
	/* Whom the readers have not heard of. */
	person_leave(&luz);
	mesh_add_person(&m, &hub, &luz);
	person_write(&luz, VD_LANE_NORMAL, 300, 1000);
	files = write_volumes(&m, &luz, VD_VOLUME_LEAST, 0).files;
	for (size_t i = 1; i <= files; i++)
		take(&m, &hub, i);
	person_write(&hub, VD_LANE_URGENT, 100, 100);
	person_write(&hub, VD_LANE_NORMAL, 500, 2000);
	person_write(&hub, VD_LANE_BULK, 6, 60000);
	stats = write_volumes(&m, &hub, VD_VOLUME_LEAST, 0);
	files = stats.files;
	assert_int_equal(stats.records, person_records(&hub));
	assert_true(files > 5 && files < FILES_MAX);
	assert_true(stats.bytes <= files * VD_VOLUME_LEAST);
	for (size_t r = 0; r < 3; r++) {
		for (size_t i = 0; i < files; i++) {
			/* First to last, last to first, and from the middle. */
			size_t number = r == 0 ? i + 1 : r == 1 ? files - i : (i + files / 2) % files + 1;

			stats = take(&m, &readers[r], number);
			assert_int_equal(stats.merge.pooled + stats.merge.refused + stats.merge.declined, 0);
			assert_true(stats.merge.fresh > 0);
			assert_int_equal(stats.volume.count, files);
		}
		assert_true(mesh_equal(&m, &hub, &readers[r]));
		person_leave(&readers[r]);
	}
	mesh_end_three(&m, &hub, &ana, &luz);
}

/* More control records than half a volume holds stand in the first alone; and no volume is too small for any record. */
static void test_volumes__much_control_and_long_records(void **state)
{
	struct person hub, ana, luz;
	struct vd_bundle_stats stats;
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;
	struct mesh m;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &luz);
	assert_int_equal(vd_write_begin(hub.store, &w), 0);
	for (int i = 0; i < 1500; i++) {
		char name[32];
		uint8_t nonce[VD_BODY_NONCE_BYTES] = { 0 };

		snprintf(name, sizeof(name), "name %d", i);
		vd_set_u32(nonce, (uint32_t)i);
		assert_int_equal(vd_group_make_name(hub.group, name, nonce, &content), 0);
		mesh_write_control(w, &hub, &content, &id);
	}
	assert_int_equal(vd_write_commit(w), 0);
	person_write(&hub, VD_LANE_NORMAL, 20, 62000);
	stats = write_volumes(&m, &hub, VD_VOLUME_LEAST, 0);
	assert_int_equal(stats.records, person_records(&hub));
	for (size_t i = stats.files; i > 0; i--)
		take(&m, &ana, i);
	assert_true(mesh_equal(&m, &hub, &ana));
	/* Too small for anything: nothing stands there. */
	stats = write_volumes(&m, &hub, vd_sealed_bytes(1) - 1, VD_ENOSPACE);
	assert_int_equal(stats.files, 0);
	vd_buf_deinit(&content);
	mesh_end_three(&m, &hub, &ana, &luz);
}

static void test_volumes__entry(void **state)
{
	uint8_t bytes[VD_VOLUME_BYTES + 1] = { 1 };
	struct vd_volume v;

	(void)state;
	for (unsigned number = 0; number < VD_VOLUMES_MAX + 3; number++)
		for (unsigned count = 0; count < VD_VOLUMES_MAX + 3; count++) {
			bool good = number && number <= count && count <= VD_VOLUMES_MAX;

			vd_set_u16(bytes + VD_VOLUME_SET_BYTES, (uint16_t)number);
			vd_set_u16(bytes + VD_VOLUME_SET_BYTES + 2, (uint16_t)count);
			assert_int_equal(vd_volume_decode(vd_slice(bytes, VD_VOLUME_BYTES), &v), good ? 0 : VD_EFORMAT);
			assert_int_equal(v.count, good ? count : 0);
		}
	vd_set_u16(bytes + VD_VOLUME_SET_BYTES, 1);
	vd_set_u16(bytes + VD_VOLUME_SET_BYTES + 2, 2);
	for (size_t n = 0; n <= sizeof(bytes); n++)
		assert_int_equal(vd_volume_decode(vd_slice(bytes, n), &v), n == VD_VOLUME_BYTES ? 0 : VD_EFORMAT);
}

static struct vd_volume_set known(struct person *p, const struct vd_volume *v)
{
	struct vd_volume_set set;

	assert_int_equal(vd_volumes_find(p->store, v, &set), 0);
	assert_int_equal(set.count, v->count);
	return set;
}

/* Sets without end, of which those added to last stay. */
static void test_volumes__what_is_remembered_is_bounded(void **state)
{
	struct vd_volume v = { .count = VD_VOLUMES_MAX }, other;
	struct vd_volume_set set;
	struct person hub;
	struct mesh m;
	int kept = 0;

	(void)state;
	mesh_start(&m, &hub);
	for (uint16_t number = 1; number <= VD_VOLUMES_MAX; number += 499) {
		v.number = number;
		assert_int_equal(vd_volumes_arrived(hub.store, &v), 0);
		assert_int_equal(vd_volumes_arrived(hub.store, &v), 0);
	}
	set = known(&hub, &v);
	for (uint16_t number = 1; number <= VD_VOLUMES_MAX; number++)
		assert_int_equal(vd_volume_here(&set, number), number % 499 == 1);
	/* The same name and another count is another set. */
	other = v;
	other.count = 500;
	assert_false(vd_volume_here(&(struct vd_volume_set){ 0 }, 1));
	set = known(&hub, &other);
	assert_false(vd_volume_here(&set, 1));
	for (int i = 1; i <= 60; i++) {
		v.set[0] = (uint8_t)i;
		v.number = 7;
		assert_int_equal(vd_volumes_arrived(hub.store, &v), 0);
		/* The first one goes on being added to, and stays. */
		v.set[0] = 0;
		v.number = (uint16_t)(i + 1);
		assert_int_equal(vd_volumes_arrived(hub.store, &v), 0);
	}
	set = known(&hub, &v);
	assert_true(vd_volume_here(&set, 1) && vd_volume_here(&set, 2) && vd_volume_here(&set, 61));
	for (int i = 1; i <= 60; i++) {
		v.set[0] = (uint8_t)i;
		set = known(&hub, &v);
		kept += vd_volume_here(&set, 7);
		/* The oldest went first. */
		assert_true(vd_volume_here(&set, 7) || !kept);
	}
	assert_int_equal(kept, 4096 / (VD_VOLUME_SET_BYTES + 2 + (VD_VOLUMES_MAX + 7) / 8) - 1);
	assert_true(vd_volume_here(&set, 7));
	person_leave(&hub);
	mesh_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_volumes__each_alone),
		cmocka_unit_test(test_volumes__much_control_and_long_records),
		cmocka_unit_test(test_volumes__entry),
		cmocka_unit_test(test_volumes__what_is_remembered_is_bounded),
	};

	return cmocka_run_group_tests_name("volumes", tests, NULL, NULL);
}
