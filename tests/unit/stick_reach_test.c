/* A stick and people of whom not all have every key under which something stands on it. */
#include "stick_cast.h"

/* What somebody left before the keys changed, and a newcomer to whom the old ones were never sealed: who has them writes it again, once. */
static void test_stick_reach__what_a_newcomer_cannot_open_is_written_again(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	struct person late;
	uint8_t old[VD_EPOCH_BYTES];

	person_write(&c->luz, VD_LANE_NORMAL, 5, 100);
	visit(c, &c->luz, 0);
	memcpy(old, vd_group_epoch_id(c->hub.group, 0), sizeof(old));
	rotate(&c->hub);
	assert_true(vd_group_epoch_reaches(c->hub.group, old, vd_group_epoch_id(c->hub.group, 0)));
	mesh_add_person(&c->mesh, &c->hub, &late);
	person_reload(&c->hub, &c->mesh);
	assert_false(vd_group_epoch_reaches(c->hub.group, old, vd_group_epoch_id(c->hub.group, 0)));
	assert_true(vd_group_epoch_reaches(c->hub.group, vd_group_epoch_id(c->hub.group, 0), old));
	assert_true(vd_group_epoch_reaches(c->hub.group, old, old));
	/* No key of the one, none of the other. */
	assert_false(vd_group_epoch_reaches(late.group, old, vd_group_epoch_id(late.group, 0)));
	assert_false(vd_group_epoch_reaches(late.group, vd_group_epoch_id(late.group, 0), old));

	r = visit(c, &c->hub, 0);
	assert_int_equal(r.received, 5);
	assert_true(r.complete && r.sent == person_records(&c->hub));
	r = visit(c, &late, 0);
	assert_int_equal(r.received, 5);
	assert_true(r.complete && mesh_equal(&c->mesh, &c->hub, &late));
	visit(c, &c->luz, 0);
	visit(c, &c->ana, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz) && mesh_equal(&c->mesh, &c->hub, &c->ana));
	/* The newcomer said that not all there opens to it: of that nothing follows. */
	assert_int_equal(visit(c, &c->hub, 0).segments_read, 1);
	assert_nothing_to_do(c, &c->hub);
	assert_nothing_to_do(c, &c->luz);
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &late);
	person_leave(&late);
}

/* Everybody has every key: what people wrote stays where it is, only what says who has which key is written under the new one. */
static void test_stick_reach__new_keys_alone_write_nothing_again_but_control(void **state)
{
	struct cast *c = *state;
	uint64_t others = 20;
	struct vd_stick_result r;

	person_write(&c->luz, VD_LANE_NORMAL, others, 100);
	visit(c, &c->luz, 0);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	rotate(&c->hub);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.sent, person_records(&c->hub) - others);
	assert_nothing_to_do(c, &c->hub);
	r = visit(c, &c->ana, 0);
	assert_int_equal(r.sent, 0);
	visit(c, &c->luz, 0);
	assert_nothing_to_do(c, &c->ana);
	assert_nothing_to_do(c, &c->luz);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stick_reach__what_a_newcomer_cannot_open_is_written_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stick_reach__new_keys_alone_write_nothing_again_but_control, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
