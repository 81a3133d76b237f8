/* Hearings: their form, who signs them, and what they show. */
#include "proto/hearing.h"
#include "tests/unit/stick_cast.h"

static struct vd_buf make(struct person *p, bool shut)
{
	struct vd_buf out = { 0 };

	assert_int_equal(vd_hearing_make(p->group, shut, &out), 0);
	assert_true(out.n <= VD_HEARING_MAX);
	return out;
}

static void test_hearing__says_what_it_was_made_of(void **state)
{
	struct cast *c = *state;
	size_t acts = vd_group_act_count(c->hub.group);
	bool *known = calloc(acts + 2, sizeof(*known));
	struct vd_buf bytes = make(&c->luz, true);
	struct vd_hearing h;

	assert_non_null(known);
	assert_int_equal(vd_hearing_verify(c->hub.group, vd_buf_slice(&bytes), &h), 0);
	assert_true(h.shut && h.count == 1);
	assert_memory_equal(h.author, vd_group_identity(c->luz.group)->author, VD_KEY_BYTES);
	vd_hearing_shows(c->hub.group, &h, known);
	for (size_t i = 0; i < acts; i++)
		assert_true(known[i]);
	/* What came since it does not show. */
	rotate(&c->hub);
	assert_int_equal(vd_group_act_count(c->hub.group), acts + 1);
	memset(known, 0, acts + 1);
	vd_hearing_shows(c->hub.group, &h, known);
	for (size_t i = 0; i <= acts; i++)
		assert_int_equal(known[i], i < acts);
	free(known);
	vd_buf_deinit(&bytes);
	bytes = make(&c->luz, false);
	assert_int_equal(vd_hearing_verify(c->hub.group, vd_buf_slice(&bytes), &h), 0);
	assert_false(h.shut);
	vd_buf_deinit(&bytes);
}

static void test_hearing__every_byte_counts(void **state)
{
	struct cast *c = *state;
	struct vd_buf bytes = make(&c->luz, false);
	struct vd_hearing h;

	for (size_t n = 0; n < bytes.n; n++)
		assert_int_equal(vd_hearing_decode(vd_slice(bytes.p, n), &h), VD_EFORMAT);
	for (size_t i = 0; i < bytes.n; i++) {
		int rc;

		bytes.p[i] ^= 1 << i % 8;
		rc = vd_hearing_verify(c->hub.group, vd_buf_slice(&bytes), &h);
		assert_true(rc == VD_EFORMAT || rc == VD_ESIGNATURE || rc == VD_EAUTHOR);
		bytes.p[i] ^= 1 << i % 8;
	}
	assert_int_equal(vd_hearing_verify(c->hub.group, vd_buf_slice(&bytes), &h), 0);
	vd_buf_deinit(&bytes);
}

/* At most eight heads, ascending, none twice; at least one. */
static void test_hearing__how_many_heads(void **state)
{
	uint8_t bytes[VD_HEARING_MAX + VD_ID_BYTES] = { 0 };
	struct vd_hearing h;

	(void)state;
	for (size_t n = 0; n <= VD_HEARING_HEADS + 1; n++) {
		const size_t length = 1 + VD_KEY_BYTES + n * VD_ID_BYTES + VD_SIGNATURE_BYTES;

		memset(bytes, 0, sizeof(bytes));
		for (size_t i = 0; i < n; i++)
			bytes[1 + VD_KEY_BYTES + i * VD_ID_BYTES] = (uint8_t)i;
		assert_int_equal(vd_hearing_decode(vd_slice(bytes, length), &h), n && n <= VD_HEARING_HEADS ? 0 : VD_EFORMAT);
		if (n < 2 || n > VD_HEARING_HEADS)
			continue;
		bytes[1 + VD_KEY_BYTES] = 1;
		assert_int_equal(vd_hearing_decode(vd_slice(bytes, length), &h), VD_EFORMAT);
		bytes[1 + VD_KEY_BYTES] = 2;
		assert_int_equal(vd_hearing_decode(vd_slice(bytes, length), &h), VD_EFORMAT);
	}
	bytes[0] = 2;
	assert_int_equal(vd_hearing_decode(vd_slice(bytes, VD_HEARING_MAX), &h), VD_EFORMAT);
}

static void test_hearing__of_no_member_and_of_another_group(void **state)
{
	struct cast *c = *state;
	struct vd_buf bytes = make(&c->luz, false);
	struct vd_hearing h;
	struct person late;
	struct mesh other;
	struct person hub, ana, luz;

	assert_int_equal(vd_hearing_verify(c->luz.group, vd_buf_slice(&bytes), &h), 0);
	mesh_of_three(&other, &hub, &ana, &luz);
	assert_int_equal(vd_hearing_verify(hub.group, vd_buf_slice(&bytes), &h), VD_EAUTHOR);
	mesh_end_three(&other, &hub, &ana, &luz);
	vd_buf_deinit(&bytes);
	/* Of somebody whose grant has not come yet. */
	mesh_add_person(&c->mesh, &c->hub, &late);
	bytes = make(&late, false);
	assert_int_equal(vd_hearing_verify(c->hub.group, vd_buf_slice(&bytes), &h), 0);
	assert_int_equal(vd_hearing_verify(c->ana.group, vd_buf_slice(&bytes), &h), VD_EAUTHOR);
	vd_buf_deinit(&bytes);
	person_leave(&late);
}

/* --- on a stick --- */

/* A copy of somebody's store, which goes on as another. */
static void copy(struct cast *c, struct person *from, struct person *to)
{
	char command[512];

	*to = (struct person){ .now_ms = from->now_ms };
	snprintf(to->home, sizeof(to->home), "%s/copy", c->mesh.top);
	snprintf(command, sizeof(command), "cp -r %s %s", from->home, to->home);
	vd_store_close(from->store);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(from->home, &from->store), 0);
	assert_int_equal(vd_store_open(to->home, &to->store), 0);
	person_reload(from, &c->mesh);
	person_reload(to, &c->mesh);
}

static int segment_count(const struct cast *c)
{
	char command[256];
	int count = 0;
	FILE *f;

	snprintf(command, sizeof(command), "ls %s | wc -l", c->cache);
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &count), 1);
	pclose(f);
	return count;
}

/* The hub's home was copied, and the copy changed the keys: by all that others know the hub must have them. */
static void test_hearing__a_copied_coordinator_catches_up(void **state)
{
	struct cast *c = *state;
	struct person other;
	struct vd_stick_result r;
	int files;

	for (int i = 0; i < 2; i++) {
		visit(c, &c->hub, 0);
		visit(c, &c->ana, 0);
		visit(c, &c->luz, 0);
	}
	copy(c, &c->hub, &other);
	rotate(&other);
	visit(c, &other, 0);
	visit(c, &c->ana, 0);
	person_write(&other, VD_LANE_URGENT, 3, 50);
	visit(c, &other, 0);
	files = segment_count(c);

	/* It finds what it cannot open, and says so, once. */
	r = visit(c, &c->hub, 0);
	assert_true(r.received == 0 && r.segments_foreign > 0 && r.bytes_out == vd_sealed_bytes(1));
	assert_int_equal(segment_count(c), files + 1);
	assert_int_equal(visit(c, &c->hub, 0).bytes_out, 0);
	/* Whoever comes next helps it, once; the others need no more. */
	assert_true(visit(c, &c->ana, 0).bytes_out > 0);
	assert_int_equal(visit(c, &other, 0).bytes_out, 0);
	r = visit(c, &c->hub, 0);
	assert_true(r.complete && r.received >= 4 && r.segments_foreign == 0);
	assert_true(writes_under(&c->hub, &other) && mesh_equal(&c->mesh, &c->hub, &other));
	/* What it said is withdrawn, and the next change of keys helps nobody who needs no help. */
	assert_int_equal(segment_count(c), files + 1);
	visit(c, &c->luz, 0);
	visit(c, &c->ana, 0);
	assert_nothing_to_do(c, &c->hub);
	assert_nothing_to_do(c, &other);
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &c->luz);
	person_leave(&other);
}

/* The copy alone shares the stick with it. */
static void test_hearing__a_copy_helps_its_original(void **state)
{
	struct cast *c = *state;
	struct person other;

	visit(c, &c->hub, 0);
	copy(c, &c->hub, &other);
	rotate(&other);
	visit(c, &other, 0);
	visit(c, &c->hub, 0);
	assert_false(writes_under(&c->hub, &other));
	visit(c, &other, 0);
	visit(c, &c->hub, 0);
	assert_true(writes_under(&c->hub, &other));
	visit(c, &other, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &other));
	assert_nothing_to_do(c, &c->hub);
	assert_nothing_to_do(c, &other);
	person_leave(&other);
}

/* What somebody writes goes with what they have heard. */
static void test_hearing__goes_with_records(void **state)
{
	struct cast *c = *state;
	uint8_t luz[VD_KEY_BYTES], ana[VD_KEY_BYTES];
	uint64_t control, arrival = 0;

	memcpy(luz, vd_group_identity(c->luz.group)->author, sizeof(luz));
	memcpy(ana, vd_group_identity(c->ana.group)->author, sizeof(ana));
	assert_int_equal(vd_store_latest(c->hub.store, &control), 0);
	visit(c, &c->hub, 0);
	visit(c, &c->luz, 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, luz, &arrival), VD_ENOTFOUND);
	person_write(&c->luz, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(visit(c, &c->luz, 0).bytes_out, vd_sealed_bytes(1));
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, luz, &arrival), 0);
	assert_true(arrival == control);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, ana, &arrival), VD_ENOTFOUND);
	/* What came after that it does not show, and it is not said twice. */
	rotate(&c->hub);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, luz, &arrival), 0);
	assert_true(arrival == control);
}

/* One that its author did not sign shows nothing; nor does one that somebody else brings show more than it says. */
static void test_hearing__forged(void **state)
{
	struct cast *c = *state;
	const uint8_t *luz = vd_group_identity(c->luz.group)->author;
	static const uint64_t none[1];
	struct vd_buf bytes = make(&c->luz, false);
	struct vd_bundle_choice choice = { .arrivals = none, .hearing = vd_buf_slice(&bytes) };
	struct vd_bundle_stats stats;
	uint64_t arrival = 0;
	char path[256];

	visit(c, &c->hub, 0);
	bytes.p[bytes.n - 1] ^= 1;
	snprintf(path, sizeof(path), "%s/%032x.bin", c->cache, 1);
	assert_int_equal(vd_bundle_write(c->ana.store, c->ana.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, luz, &arrival), VD_ENOTFOUND);
	bytes.p[bytes.n - 1] ^= 1;
	snprintf(path, sizeof(path), "%s/%032x.bin", c->cache, 2);
	assert_int_equal(vd_bundle_write(c->ana.store, c->ana.group, VD_SEALED_SEGMENT, &choice, path, false, &stats), 0);
	visit(c, &c->hub, 0);
	assert_int_equal(vd_store_heard(c->hub.store, c->mesh.group, luz, &arrival), 0);
	vd_buf_deinit(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hearing__says_what_it_was_made_of, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hearing__every_byte_counts, setup, teardown),
		cmocka_unit_test(test_hearing__how_many_heads),
		cmocka_unit_test_setup_teardown(test_hearing__of_no_member_and_of_another_group, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hearing__a_copied_coordinator_catches_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hearing__a_copy_helps_its_original, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hearing__goes_with_records, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hearing__forged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
