#include "tests/unit/store_cast.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/db.h"

static void test_store__create_and_open(void **state)
{
	const struct cast_place *p = *state;
	char name[VD_DEVICE_NAME_MAX + 1], path[256];
	uint8_t device[VD_STORE_DEVICE_BYTES], again[VD_STORE_DEVICE_BYTES];
	struct vd_store *s;
	struct stat st;

	assert_int_equal(vd_store_open(p->home, &s), VD_ENOSTORE);
	s = cast_store(p->home);
	vd_store_device(s, device, name);
	assert_string_equal(name, "laptop");
	assert_string_equal(vd_store_home(s), p->home);
	assert_int_equal(vd_store_readable(s), !rest_secret());
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
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES], groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id);
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

	cast_add(s, g, "uno", &written);
	cast_add(s, g, "dos", &second);
	assert_int_equal(vd_store_find(s, &written, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, &received), 0);
	assert_memory_equal(r.id.b, written.b, VD_ID_BYTES);
	assert_int_equal(r.seq, 1);
	assert_int_equal(received, cast_now);
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
	cast_add(s, g, "tres", &written);
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
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id);
	struct vd_buf raw = { 0 };
	struct vd_write *w;
	struct vd_record r;
	struct vd_id first, second;
	uint64_t arrival;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(cast_own(w, g, "uno", cast_now + 5000, &first), 0);
	assert_int_equal(cast_own(w, g, "dos", cast_now, &second), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_find(s, &second, &arrival), 0);
	assert_int_equal(vd_store_read(s, arrival, &raw, &r, NULL), 0);
	assert_true(r.time_ms == cast_now + 5000);
	vd_buf_deinit(&raw);
	vd_group_free(g);
	vd_store_close(s);
}

static void test_store__notes_and_segments(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
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
	assert_int_equal(vd_store_segment_known(s, "00ff", &out, NULL), VD_ENOTFOUND);
	assert_int_equal(vd_store_segment_learn(s, "00ff", vd_slice(NULL, 0)), 0);
	assert_int_equal(vd_store_segment_known(s, "00ff", &out, NULL), 0);
	assert_int_equal(out.n, 0);
	assert_int_equal(vd_store_segment_learn(s, "00ff", vd_slice_str("abc")), 0);
	assert_int_equal(vd_store_segment_known(s, "00ff", &out, NULL), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&out), vd_slice_str("abc")));
	vd_buf_deinit(&out);
	vd_store_close(s);
}

static void test_store__next_identity_is_kept_until_used(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	struct vd_identity one, two;
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g;

	assert_int_equal(vd_store_next_identity(s, &one), 0);
	assert_int_equal(vd_store_next_identity(s, &two), 0);
	assert_memory_equal(&one, &two, sizeof(one));
	g = cast_found(s, id);
	assert_memory_equal(vd_group_identity(g)->author, one.author, VD_KEY_BYTES);
	assert_int_equal(vd_store_next_identity(s, &two), 0);
	assert_memory_not_equal(one.author, two.author, VD_KEY_BYTES);
	vd_group_free(g);
	vd_store_close(s);
}

/* A second transaction in one thread is an error, not a wait for ever; reading goes on. */
static void test_store__one_transaction_at_a_time(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id);
	struct vd_write *w, *second;
	char hex[2 * VD_ID_BYTES + 1];
	uint64_t arrival;
	struct vd_id first;

	cast_add(s, g, "hola", &first);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_begin(s, &second), VD_EBUSY);
	assert_int_equal(vd_store_segment_learn(s, "x", vd_slice_str("y")), VD_EBUSY);
	vd_hex(hex, first.b, VD_ID_BYTES);
	assert_int_equal(vd_store_find_prefix(s, hex, &arrival), 0);
	assert_int_equal(cast_own(w, g, "dos", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	cast_add(s, g, "tres", NULL);
	vd_group_free(g);
	vd_store_close(s);
}

static int add_while_walking(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct {
		struct vd_store *s;
		struct vd_group *g;
		int visits;
	} *c = ctx;

	(void)arrival;
	(void)received_ms;
	(void)raw;
	cast_add(c->s, c->g, "otra", NULL);
	c->visits++;
	return 0;
}

static void test_store__walk_is_of_one_moment(void **state)
{
	const struct cast_place *p = *state;
	struct {
		struct vd_store *s;
		struct vd_group *g;
		int visits;
	} c = { 0 };
	uint8_t id[VD_GROUP_BYTES];

	c.s = cast_store(p->home);
	c.g = cast_found(c.s, id);
	assert_int_equal(vd_store_walk(c.s, id, 255, 0, add_while_walking, &c), 0);
	assert_int_equal(c.visits, 4);
	vd_group_free(c.g);
	vd_store_close(c.s);
}

/* What is refused leaves the transaction as it was. */
static void test_store__refused_draft(void **state)
{
	static uint8_t big[VD_BODY_MAX];
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *g = cast_found(s, id), *stranger;
	struct vd_draft draft = { .lane = VD_LANE_NORMAL,
		                  .audience = VD_AUDIENCE_MEMBERS,
		                  .content = vd_slice(big, sizeof(big)),
		                  .now_ms = cast_now };
	struct vd_identity nobody;
	uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 5 };
	struct vd_lane_state lane;
	struct vd_write *w;
	struct vd_id unused;

	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_own(w, g, &draft, &unused), VD_ECAP);
	draft.lane = VD_LANES;
	assert_int_equal(vd_write_own(w, g, &draft, &unused), VD_EINVAL);
	draft.lane = VD_LANE_CONTROL;
	draft.content = vd_slice_str("nonsense");
	assert_int_not_equal(vd_write_own(w, g, &draft, &unused), 0);
	stranger = vd_group_new(id, NULL);
	assert_int_equal(cast_own(w, stranger, "x", cast_now, NULL), VD_EKEY);
	vd_group_free(stranger);
	vd_identity_from_seed(seed, &nobody);
	stranger = vd_group_new(id, &nobody);
	assert_int_equal(cast_own(w, stranger, "x", cast_now, NULL), VD_EAUTHOR);
	vd_group_free(stranger);
	assert_int_equal(cast_own(w, g, "bueno", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_store_lane(s, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 1);
	assert_int_equal(vd_store_lane(s, id, VD_LANE_CONTROL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 4);
	vd_group_free(g);
	vd_store_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store__create_and_open, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__found_write_read, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__time_does_not_go_backwards, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__notes_and_segments, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__one_transaction_at_a_time, cast_setup,
		                                cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__walk_is_of_one_moment, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__refused_draft, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_store__next_identity_is_kept_until_used, cast_setup,
		                                cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
