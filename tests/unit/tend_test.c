/* What a coordinator's device does unasked. */
#include "acts_cast.h"

static void test_tend__nothing_to_do_writes_nothing(void **state)
{
	struct vd_tended tended;
	struct vd_write *w;
	struct who rosa, ana;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	/* While this thread writes, tending could not write as well: it does not try. */
	assert_int_equal(vd_write_begin(rosa.store, &w), 0);
	tend(&sc, &rosa, &tended);
	vd_write_abort(w);
	assert_false(tended.epoch_made || tended.braked || tended.sealed_to);
	disband(&sc);
}

/* Two coordinators who are apart each remove a member whom the other's new epoch is sealed to, and meet. */
static void two_removals(struct scene *sc, struct who *rosa, struct who *eva, struct who *ana, struct who *luz, struct who *ines)
{
	struct vd_id id;

	found(sc, rosa);
	admit(sc, rosa, eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(sc, rosa, ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(sc, rosa, luz, VD_ROLE_MEMBER, NULL, "Luz");
	if (ines)
		admit(sc, rosa, ines, VD_ROLE_MEMBER, NULL, "Inés");
	meet(rosa, eva);
	assert_int_equal(put_out(sc, rosa, ana, NULL, NULL, &id), 0);
	assert_int_equal(put_out(sc, eva, luz, NULL, NULL, &id), 0);
	meet(rosa, eva);
}

/* Two halves of a group each remove one who is in the other's new epoch. */
static void test_tend__two_partitions_two_removals(void **state)
{
	struct who rosa, eva, ana, luz, ines;
	struct vd_tended tended;
	struct vd_id said;
	struct scene sc;
	uint64_t count;

	(void)state;
	two_removals(&sc, &rosa, &eva, &ana, &luz, &ines);
	assert_false(vd_group_epoch_clean(rosa.group));
	assert_memory_equal(vd_group_current_epoch(rosa.group), vd_group_current_epoch(eva.group), VD_EPOCH_BYTES);

	/* A member sees it and can do nothing; the first coordinator does, the second has nothing left to do. */
	give(&rosa, &ines);
	count = control_count(&sc, &ines);
	tend(&sc, &ines, &tended);
	assert_false(tended.epoch_made || tended.braked);
	assert_int_equal(control_count(&sc, &ines), count);
	tend(&sc, &eva, &tended);
	assert_true(tended.epoch_made);
	assert_true(vd_group_epoch_clean(eva.group));
	same_on_disk(&sc, &eva);
	give(&eva, &rosa);
	count = control_count(&sc, &rosa);
	tend(&sc, &rosa, &tended);
	assert_false(tended.epoch_made || tended.sealed_to);
	assert_int_equal(control_count(&sc, &rosa), count);

	say(&sc, &rosa, VD_LANE_NORMAL, "solo nosotras", &said);
	give(&rosa, &ines);
	give(&rosa, &ana);
	give(&rosa, &luz);
	assert_int_equal(opens(&ines, &said), 0);
	assert_int_equal(opens(&ana, &said), VD_EKEY);
	assert_int_equal(opens(&luz, &said), VD_EKEY);
	disband(&sc);
}

/* Somebody was admitted where the newest epoch was not known: who has it seals it to them. */
static void test_tend__seals_to_who_was_admitted_meanwhile(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, eva, ana;
	struct vd_tended tended;
	struct vd_id said;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	admit(&sc, &eva, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	say(&sc, &rosa, VD_LANE_NORMAL, "bienvenida", &said);
	meet(&rosa, &eva);
	give(&eva, &ana);
	assert_int_equal(opens(&ana, &said), VD_EKEY);
	if (!memcmp(vd_group_current_epoch(eva.group), epoch, sizeof(epoch))) {
		tend(&sc, &eva, &tended);
		assert_int_equal(tended.sealed_to, 1);
		assert_false(tended.epoch_made);
		tend(&sc, &eva, &tended);
		assert_int_equal(tended.sealed_to, 0);
	} else {
		fail(); /* the only newer one is current */
	}
	give(&eva, &ana);
	assert_int_equal(opens(&ana, &said), 0);
	give(&eva, &rosa);
	tend(&sc, &rosa, &tended);
	assert_int_equal(tended.sealed_to, 0);
	disband(&sc);
}

/* Another process of this device did it while our view was old: asked again under the lock. */
static void test_tend__not_twice(void **state)
{
	struct who rosa, eva, ana, luz;
	struct vd_group *other;
	struct vd_tended tended;
	struct scene sc;
	uint64_t count;

	(void)state;
	two_removals(&sc, &rosa, &eva, &ana, &luz, NULL);
	assert_int_equal(vd_store_group(eva.store, sc.id, &other), 0);
	tend(&sc, &eva, &tended);
	assert_true(tended.epoch_made);
	count = control_count(&sc, &eva);
	assert_false(vd_group_epoch_clean(other));
	tended = (struct vd_tended){ 0 };
	assert_int_equal(vd_store_tend(eva.store, other, ++sc.now_ms, &tended), 0);
	assert_false(tended.epoch_made);
	assert_int_equal(control_count(&sc, &eva), count);
	assert_true(vd_group_epoch_clean(other));
	vd_group_free(other);
	disband(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tend__nothing_to_do_writes_nothing),
		cmocka_unit_test(test_tend__two_partitions_two_removals),
		cmocka_unit_test(test_tend__seals_to_who_was_admitted_meanwhile),
		cmocka_unit_test(test_tend__not_twice),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
