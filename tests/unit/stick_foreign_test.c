/* A stick with very many files that nothing here opens: no visit takes long for them, all are tried in the end, and then they are left alone. */
#include <fcntl.h>

#include "stick_cast.h"

enum { FILES = 700 };

static void put_noise(struct cast *c, time_t age_s)
{
	uint8_t noise[VD_HEAD_BYTES];
	struct timespec times[2] = { { .tv_sec = time(NULL) - age_s }, { .tv_sec = time(NULL) - age_s } };

	for (int i = 0; i < FILES; i++) {
		uint8_t name[VD_SEGMENT_ID_BYTES];
		char hex[2 * VD_SEGMENT_ID_BYTES + 1], path[256];

		randombytes_buf(name, sizeof(name));
		randombytes_buf(noise, sizeof(noise));
		vd_hex(hex, name, sizeof(name));
		snprintf(path, sizeof(path), "%s/%s.bin", c->cache, hex);
		file_put(path, vd_slice(noise, sizeof(noise)));
		assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	}
}

static void test_foreign__very_many(void **state)
{
	enum { AT_MOST = 512 };
	struct cast *c = *state;
	struct vd_stick_check check;
	struct vd_stick_result r;

	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	put_noise(c, 3600);
	person_write(&c->luz, VD_LANE_URGENT, 1, 30);
	assert_int_equal(vd_stick_sync(c->luz.store, c->stick, &r), 0);
	person_reload(&c->luz, &c->mesh);

	/* What came last is looked at among the first. */
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.received, 1);
	assert_int_equal(r.segments_foreign, AT_MOST);
	assert_int_equal(r.segments_untried, FILES - AT_MOST);
	assert_true(!r.complete && r.safe_to_remove);
	/* It goes on with the others; eight are tried again. */
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.segments_foreign, FILES);
	assert_int_equal(r.segments_untried, 0);
	assert_true(r.complete);
	for (int i = 0; i < 2; i++) {
		r = visit(c, &c->ana, 0);
		assert_int_equal(r.segments_foreign, FILES);
		assert_true(r.complete && r.segments_untried == 0);
	}
	assert_int_equal(vd_stick_check(c->ana.store, c->stick, &check), 0);
	assert_int_equal(check.foreign, FILES);
	assert_false(check.safe);
	/* Who never visited it is not kept long by looking, and takes none of them for good. */
	assert_int_equal(vd_stick_check(c->hub.store, c->stick, &check), 0);
	assert_true(check.foreign >= FILES && !check.safe);
	/* Once they are gone nothing is left of them. */
	for (DIR *dir = opendir(c->cache); dir; dir = NULL) {
		struct dirent *e;
		struct stat st;

		while ((e = readdir(dir)))
			if (e->d_name[0] != '.' && !fstatat(dirfd(dir), e->d_name, &st, 0) && st.st_size == VD_HEAD_BYTES)
				assert_int_equal(unlinkat(dirfd(dir), e->d_name, 0), 0);
		closedir(dir);
	}
	for (int i = 0; i < 2; i++) {
		r = visit(c, &c->ana, 0);
		assert_int_equal(r.segments_foreign, 0);
	}
	assert_true(r.complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_foreign__very_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
