#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/err.h"
#include "proto/sign.h"
#include "store/db.h"
#include "store/store.h"

static const uint64_t now = 1700000000000;

struct place {
	char top[64], home[128];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->top, "/tmp/vd_store_XXXXXX");
	if (!mkdtemp(p->top))
		return -1;
	snprintf(p->home, sizeof(p->home), "%s/a/home", p->top);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", p->top);
	free(*state);
	return system(command);
}

static struct vd_store *made(const char *home)
{
	struct vd_store *s;

	assert_int_equal(vd_store_create(home, "laptop"), 0);
	assert_int_equal(vd_store_open(home, &s), 0);
	return s;
}

static struct vd_group *founded(struct vd_store *s, uint8_t id[VD_GROUP_BYTES])
{
	struct vd_group *g;

	assert_int_equal(vd_store_found(s, "Cuenca", "Rosa", now, id), 0);
	assert_int_equal(vd_store_group(s, id, &g), 0);
	return g;
}

static void content_of(const char *text, struct vd_buf *out)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } };

	vd_buf_reset(out);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, out), 0);
}

static int own(struct vd_write *w, struct vd_group *g, const char *text, uint64_t when, struct vd_id *id)
{
	struct vd_buf content = { 0 };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = when };
	int rc;

	content_of(text, &content);
	draft.content = vd_buf_slice(&content);
	rc = vd_write_own(w, g, &draft, id);
	vd_buf_deinit(&content);
	return rc;
}

static void add(struct vd_store *s, struct vd_group *g, const char *text, struct vd_id *id)
{
	struct vd_write *w;
	struct vd_id unused;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(own(w, g, text, now, id ? id : &unused), 0);
	assert_int_equal(vd_write_commit(w), 0);
}

static void test_store__create_and_open(void **state)
{
	struct place *p = *state;
	char name[VD_DEVICE_NAME_MAX + 1], path[256];
	uint8_t device[VD_STORE_DEVICE_BYTES], again[VD_STORE_DEVICE_BYTES];
	struct vd_store *s;
	struct stat st;

	assert_int_equal(vd_store_open(p->home, &s), VD_ENOSTORE);
	s = made(p->home);
	vd_store_device(s, device, name);
	assert_string_equal(name, "laptop");
	assert_string_equal(vd_store_home(s), p->home);
	assert_true(vd_store_readable(s));
	vd_store_close(s);
	assert_int_equal(stat(p->home, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	snprintf(path, sizeof(path), "%s/data.mdb", p->home);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	assert_int_equal(vd_store_create(p->home, "other"), VD_EEXISTS);
	assert_int_equal(vd_store_open(p->home, &s), 0);
	vd_store_device(s, again, name);
	assert_string_equal(name, "laptop");
	assert_memory_equal(device, again, sizeof(device));
	vd_store_close(s);
}

static void test_store__found_write_read(void **state)
{
	struct place *p = *state;
	struct vd_store *s = made(p->home);
	uint8_t id[VD_GROUP_BYTES], groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_group *g = founded(s, id);
	struct vd_lane_state lane;
	struct vd_record r;
	struct vd_buf raw = { 0 }, content = { 0 };
	struct vd_id written, second;
	uint64_t arrival, received, latest;
	size_t count;

	assert_int_equal(vd_group_role(g), VD_ROLE_COORDINATOR);
	assert_string_equal(vd_group_name(g), "Cuenca");
	assert_string_equal(vd_group_device(g, 0)->name, "Rosa");
	assert_int_equal(vd_store_groups(s, groups, &count), 0);
	assert_int_equal(count, 1);
	assert_memory_equal(groups[0], id, sizeof(id));

	add(s, g, "uno", &written);
	add(s, g, "dos", &second);
	assert_int_equal(vd_store_find(s, &written, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, &received), 0);
	assert_memory_equal(r.id.b, written.b, VD_ID_BYTES);
	assert_int_equal(r.seq, 1);
	assert_int_equal(received, now);
	assert_int_equal(vd_group_open_body(g, &r, &content), 0);
	assert_int_equal(vd_store_find(s, &second, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, &received), 0);
	assert_int_equal(r.seq, 2);
	assert_memory_equal(r.prev.b, written.b, VD_ID_BYTES);
	assert_int_equal(vd_store_latest(s, &latest), 0);
	assert_int_equal(latest, arrival);
	assert_int_equal(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 2);
	assert_int_equal(lane.wanted.count, 0);
	vd_group_free(g);
	vd_store_close(s);

	/* The chain goes on after the store was closed. */
	assert_int_equal(vd_store_open(p->home, &s), 0);
	assert_int_equal(vd_store_group(s, id, &g), 0);
	add(s, g, "tres", &written);
	assert_int_equal(vd_store_find(s, &written, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, NULL), 0);
	assert_int_equal(r.seq, 3);
	assert_memory_equal(r.prev.b, second.b, VD_ID_BYTES);
	vd_group_free(g);
	vd_store_close(s);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&content);
}

static void test_store__time_does_not_go_backwards(void **state)
{
	struct place *p = *state;
	struct vd_store *s = made(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = founded(s, id);
	struct vd_buf raw = { 0 };
	struct vd_write *w;
	struct vd_record r;
	struct vd_id first, second;
	uint64_t arrival;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(own(w, g, "uno", now + 5000, &first), 0);
	assert_int_equal(own(w, g, "dos", now, &second), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_find(s, &second, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, NULL), 0);
	assert_true(r.time_ms == now + 5000);
	vd_buf_deinit(&raw);
	vd_group_free(g);
	vd_store_close(s);
}

static void test_store__notes_and_segments(void **state)
{
	struct place *p = *state;
	struct vd_store *s = made(p->home);
	struct vd_buf out = { 0 };
	struct vd_write *w;
	uint8_t big[4097] = { 0 };

	assert_int_equal(vd_store_note(s, "load", vd_slice_str("k"), &out), VD_ENOTFOUND);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("k"), vd_slice_str("17")), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("k"), vd_slice_str("18")), 0);
	assert_int_equal(vd_write_note(w, "loa", vd_slice_str("dk"), vd_slice_str("x")), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("big"), vd_slice(big, 4096)), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("big"), vd_slice(big, 4097)), VD_ECAP);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_note(s, "load", vd_slice_str("k"), &out), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice_str("18")));

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("k"), vd_slice_str("19")), 0);
	vd_write_abort(w);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_note(w, "load", vd_slice_str("k"), vd_slice_str("")), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_note(s, "load", vd_slice_str("k"), &out), VD_ENOTFOUND);

	vd_buf_reset(&out);
	assert_int_equal(vd_store_segment_known(s, "00ff", &out), VD_ENOTFOUND);
	assert_int_equal(vd_store_segment_learn(s, "00ff", vd_slice(NULL, 0)), 0);
	assert_int_equal(vd_store_segment_known(s, "00ff", &out), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(vd_store_segment_learn(s, "00ff", vd_slice_str("abc")), 0);
	assert_int_equal(vd_store_segment_known(s, "00ff", &out), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice_str("abc")));
	vd_buf_deinit(&out);
	vd_store_close(s);
}

static void test_store__next_identity_is_kept_until_used(void **state)
{
	struct place *p = *state;
	struct vd_store *s = made(p->home);
	struct vd_identity one, two;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g;

	assert_int_equal(vd_store_next_identity(s, &one), 0);
	assert_int_equal(vd_store_next_identity(s, &two), 0);
	assert_memory_equal(&one, &two, sizeof(one));
	g = founded(s, id);
	assert_memory_equal(vd_group_identity(g)->author, one.author, VD_KEY_BYTES);
	assert_int_equal(vd_store_next_identity(s, &two), 0);
	assert_memory_not_equal(one.author, two.author, VD_KEY_BYTES);
	vd_group_free(g);
	vd_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store__create_and_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store__found_write_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store__time_does_not_go_backwards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store__notes_and_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store__next_identity_is_kept_until_used, setup, teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
