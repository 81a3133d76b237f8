/* Files on a stick that are not what was noted under their name: somebody's copy, a file system's mistake. */
#include "stick_cast.h"
#include "store/bundle_temp.h"

/* The file that was not there before. */
static void written_by(struct cast *c, struct person *p, const char *before, char path[256])
{
	visit(c, p, 0);
	assert_true(segments(c, path, before) >= 1);
	assert_true(!before || strcmp(path, before) != 0);
}

static void copy(const char *from, const char *to)
{
	struct vd_buf file = { 0 };

	file_get(from, &file);
	file_put(to, vd_buf_slice(&file));
	vd_buf_deinit(&file);
}

static uint64_t urgent(const struct cast *c, const struct person *p)
{
	struct vd_lane_state state;

	assert_int_equal(vd_store_lane(p->store, c->mesh.group, VD_LANE_URGENT, &state, NULL, 0), 0);
	return state.digest.count;
}

/* Of one size, and of another: what stood there is missing, and is written again. */
static void test_swapped__another_file_under_a_known_name(void **state)
{
	struct cast *c = *state;

	for (int large = 0; large < 2; large++) {
		char old[256], new[256];
		struct vd_stick_check check;
		struct vd_stick_result r;

		while (segments(c, old, NULL))
			assert_int_equal(unlink(old), 0);
		written_by(c, &c->hub, NULL, old);
		visit(c, &c->luz, 0);
		person_write(&c->ana, VD_LANE_URGENT, large ? 40 : 1, 3000);
		written_by(c, &c->ana, old, new);
		copy(old, new);

		assert_int_equal(vd_stick_check(c->ana.store, c->stick, &check), 0);
		assert_int_equal(check.records, person_records(&c->hub));
		r = visit(c, &c->ana, 0);
		assert_int_equal(r.sent, large ? 40 : 1);
		assert_true(r.complete && r.segments_bad == 0);
		visit(c, &c->luz, 0);
		assert_int_equal(urgent(c, &c->luz), large ? 41 : 1);
		for (int i = 0; i < 3; i++)
			visit(c, i == 0 ? &c->hub : i == 1 ? &c->luz : &c->ana, 0);
		assert_nothing_to_do(c, &c->ana);
		assert_int_equal(vd_stick_check(c->ana.store, c->stick, &check), 0);
		assert_int_equal(check.records, person_records(&c->ana));
		assert_true(mesh_equal(&c->mesh, &c->ana, &c->luz) && mesh_equal(&c->mesh, &c->ana, &c->hub));
	}
}

/* What is in it is read as what it is, and it is its writer's no more, who would fold it away. */
static void test_swapped__what_stands_there_now_is_read(void **state)
{
	struct cast *c = *state;
	char away[300], of_hub[256], of_ana[256];
	struct vd_stick_result r;

	snprintf(away, sizeof(away), "%s/away", c->mesh.top);
	written_by(c, &c->hub, NULL, of_hub);
	visit(c, &c->ana, 0);
	/* Luz wrote this; nobody else has seen it. */
	person_write(&c->luz, VD_LANE_URGENT, 2, 30);
	visit(c, &c->luz, 0);
	for (DIR *dir = opendir(c->cache); dir; dir = NULL) {
		struct dirent *entry;

		while ((entry = readdir(dir)))
			if (entry->d_name[0] != '.' && !strstr(of_hub, entry->d_name))
				assert_true(snprintf(of_ana, sizeof(of_ana), "%s/%s", c->cache, entry->d_name) < 256);
		closedir(dir);
	}
	copy(of_ana, away);
	assert_int_equal(unlink(of_ana), 0);
	person_write(&c->ana, VD_LANE_URGENT, 1, 30);
	written_by(c, &c->ana, of_hub, of_ana);
	copy(away, of_ana);

	person_write(&c->ana, VD_LANE_NORMAL, 1, 30);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.received, 2);
	assert_int_equal(r.sent, 2);
	assert_int_equal(access(of_ana, F_OK), 0);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.received, 4);
	assert_true(mesh_equal(&c->mesh, &c->ana, &c->hub));
}

/* One head that went bad since makes no other file of it. */
static void test_swapped__one_head_gone_bad(void **state)
{
	struct cast *c = *state;

	for (int last = 0; last < 2; last++) {
		struct vd_stick_result r;
		char path[256];
		struct stat st;

		while (segments(c, path, NULL))
			assert_int_equal(unlink(path), 0);
		written_by(c, &c->hub, NULL, path);
		assert_int_equal(stat(path, &st), 0);
		flip(path, last ? (size_t)st.st_size - VD_HEAD_BYTES : 0);
		r = visit(c, &c->hub, 0);
		assert_int_equal(r.bytes_out + r.segments_read, 0);
	}
}

/* To everybody else it may be another group's for ever; its writer wrote its records anew, and removes what is left of it. */
static void test_swapped__what_nobody_opens_its_writer_removes(void **state)
{
	struct cast *c = *state;

	for (int how = 0; how < 3; how++) {
		struct vd_buf file = { 0 };
		struct vd_stick_check check;
		char of_hub[256], of_ana[256];

		while (segments(c, of_hub, NULL))
			assert_int_equal(unlink(of_hub), 0);
		written_by(c, &c->hub, NULL, of_hub);
		visit(c, &c->ana, 0);
		person_write(&c->ana, VD_LANE_NORMAL, 40, 3000);
		written_by(c, &c->ana, of_hub, of_ana);
		file_get(of_ana, &file);
		randombytes_buf(file.p, VD_HEAD_BYTES);
		randombytes_buf(file.p + file.n - VD_HEAD_BYTES, VD_HEAD_BYTES);
		file_put(of_ana, vd_slice(file.p, how == 0 ? file.n : how == 1 ? file.n - 5000 : 0));
		vd_buf_deinit(&file);

		/* Who never met it can tell nothing of it; who knows it does not touch what somebody else wrote. */
		visit(c, &c->luz, how == 2 ? VD_ETORN : VD_OK);
		assert_int_equal(access(of_ana, F_OK), 0);
		assert_int_equal(visit(c, &c->ana, how ? VD_ETORN : VD_EDAMAGED).sent, 40);
		assert_int_equal(access(of_ana, F_OK), 0);
		visit(c, &c->luz, VD_OK);
		assert_int_equal(access(of_ana, F_OK), 0);
		visit(c, &c->ana, VD_OK);
		assert_int_equal(access(of_ana, F_OK), -1);
		visit(c, &c->luz, VD_OK);
		assert_int_equal(vd_stick_check(c->luz.store, c->stick, &check), 0);
		assert_int_equal(check.foreign + check.bad, 0);
		assert_true(mesh_equal(&c->mesh, &c->ana, &c->luz));
		visit(c, &c->hub, VD_OK);
	}
}

/* What this device was killed at in the midst of writing takes no room from it, however young; what others are at stays. */
static void test_swapped__ones_own_half_file_goes_at_once(void **state)
{
	static const char name[] = "00112233445566778899aabbccddeeff.bin";
	struct cast *c = *state;
	char path[2][300], tail[VD_FILE_TAIL + 1];

	written_by(c, &c->ana, NULL, path[0]);
	for (int i = 0; i < 2; i++) {
		vd_bundle_temp_tail(i ? c->luz.group : c->ana.group, name, tail);
		assert_true(snprintf(path[i], sizeof(path[i]), "%s/%s.%s.tmp", c->cache, name, tail) < (int)sizeof(path[i]));
		file_put(path[i], vd_slice_str("half of it"));
	}
	assert_string_not_equal(path[0], path[1]);
	visit(c, &c->ana, 0);
	assert_int_equal(access(path[0], F_OK), -1);
	assert_int_equal(access(path[1], F_OK), 0);
	visit(c, &c->luz, 0);
	assert_int_equal(access(path[1], F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_swapped__another_file_under_a_known_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swapped__what_stands_there_now_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swapped__one_head_gone_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swapped__what_nobody_opens_its_writer_removes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swapped__ones_own_half_file_goes_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
