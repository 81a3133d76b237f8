/* What a coordinator does: each act whole, in one commit, and what it gives and takes. */
#include "acts_cast.h"

#include <signal.h>
#include <sys/resource.h>

/* --- admission --- */

/* Who is in can be admitted again as more without showing an identity once more. */
static void test_admit__again_by_the_card_in_the_grant(void **state)
{
	uint8_t person[VD_PERSON_BYTES], nobody[VD_KEY_BYTES] = { 5 };
	struct vd_card card, founders, theirs;
	struct vd_id grant;
	struct who rosa, ana;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	somebody(&card);
	assert_int_equal(vd_group_card(rosa.group, card.author, &theirs), VD_ENOTFOUND);
	assert_int_equal(vd_group_card(rosa.group, nobody, &theirs), VD_ENOTFOUND);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_REPORTER, NULL, "Inés", &grant), 0);
	assert_int_equal(vd_group_card(rosa.group, card.author, &theirs), 0);
	assert_memory_equal(&theirs, &card, sizeof(card));
	assert_int_equal(vd_group_card(rosa.group, rosa.author, &founders), 0);
	assert_int_equal(vd_card_check(&founders), 0);

	admit(&sc, &rosa, &ana, VD_ROLE_REPORTER, NULL, "Ana");
	assert_int_equal(vd_group_card(rosa.group, ana.author, &theirs), 0);
	memcpy(person, vd_group_find(rosa.group, ana.author)->person, sizeof(person));
	assert_int_equal(admit_card(&sc, &rosa, &theirs, VD_ROLE_MEMBER, person, "Ana", &grant), 0);
	give(&rosa, &ana);
	assert_int_equal(vd_group_role(ana.group), VD_ROLE_MEMBER);
	assert_non_null(vd_group_key(ana.group, vd_group_current_epoch(ana.group), VD_KEY_MEMBERS));
	disband(&sc);
}

static void test_admit__newcomer_reads_what_was_written_before(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, ana;
	struct vd_id before[3];
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	for (size_t i = 0; i < 3; i++) {
		say(&sc, &rosa, VD_LANE_NORMAL, "antes", &before[i]);
		assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
		assert_memory_equal(vd_group_current_epoch(rosa.group), epoch, sizeof(epoch));
	}
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	assert_int_equal(vd_group_epoch_count(ana.group), 4);
	give(&rosa, &ana);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(opens(&ana, &before[i]), 0);
	same_on_disk(&sc, &rosa);
	disband(&sc);
}

static void test_admit__only_what_is_new_is_sealed(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct vd_device known;
	struct who rosa, ana;
	struct vd_card card;
	struct vd_id grant;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	somebody(&card);
	count = control_count(&sc, &rosa);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_REPORTER, NULL, "Inés", &grant), 0);
	assert_int_equal(control_count(&sc, &rosa) - count, 1 + 2);
	known = *vd_group_find(rosa.group, card.author);
	assert_int_equal(known.role, VD_ROLE_REPORTER);

	/* Another name: the grant alone. More than it was: the keys it did not get before, of all epochs. */
	count = control_count(&sc, &rosa);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_REPORTER, known.person, "Inés R.", &grant), 0);
	assert_int_equal(control_count(&sc, &rosa) - count, 1);
	assert_string_equal(vd_group_find(rosa.group, card.author)->name, "Inés R.");
	count = control_count(&sc, &rosa);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, known.person, "Inés R.", &grant), 0);
	assert_int_equal(control_count(&sc, &rosa) - count, 1 + 2);

	/* A member admits nobody. */
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	somebody(&card);
	count = control_count(&sc, &ana);
	assert_int_equal(admit_card(&sc, &ana, &card, VD_ROLE_MEMBER, NULL, "Eva", &grant), VD_EAUTHOR);
	assert_int_equal(vd_act_rotate(ana.store, ana.group, ++sc.now_ms, epoch), VD_EAUTHOR);
	assert_int_equal(control_count(&sc, &ana), count);
	assert_null(vd_group_find(ana.group, card.author));

	/* What cannot be admitted leaves nothing either. */
	count = control_count(&sc, &rosa);
	card.proof[3] ^= 1;
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "Eva", &grant), VD_ESIGNATURE);
	card.proof[3] ^= 1;
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "", &grant), VD_EINVAL);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL,
	                            "12345678901234567890123456789012345678901234567890123456789012345", &grant),
	                 VD_EINVAL);
	assert_int_equal(control_count(&sc, &rosa), count);
	disband(&sc);
}

static void test_rotate__every_part_of_a_large_group(void **state)
{
	struct who rosa, ana;
	uint8_t epoch[VD_EPOCH_BYTES];
	struct vd_card card;
	struct vd_id grant, said;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	for (size_t i = 0; i < 2 * VD_EPOCH_DEVICES; i++) {
		somebody(&card);
		assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_COURIER, NULL, "alguien", &grant), 0);
	}
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana"); /* the 34th */
	count = control_count(&sc, &rosa);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	assert_int_equal(control_count(&sc, &rosa) - count, 3);
	assert_null(vd_group_epoch_lacks(rosa.group, 0));
	say(&sc, &rosa, VD_LANE_NORMAL, "después", &said);
	give(&rosa, &ana);
	assert_memory_equal(vd_group_current_epoch(ana.group), epoch, sizeof(epoch));
	assert_int_equal(opens(&ana, &said), 0);
	disband(&sc);
}

/* --- whole, or not at all --- */

static void copy_home(struct scene *sc, const struct who *from, struct who *to)
{
	char command[512];

	arrive(sc, to);
	snprintf(to->home, sizeof(to->home), "%s/copy", sc->top);
	snprintf(command, sizeof(command), "rm -rf '%s' && cp -r '%s' '%s'", to->home, from->home, to->home);
	assert_int_equal(system(command), 0);
}

/* The disk has no room: nothing of the act is there afterwards, and the next one works. */
static void test_acts__a_full_disk_leaves_nothing(void **state)
{
	struct rlimit before, small;
	struct who rosa, ana, eva;
	uint8_t epoch[VD_EPOCH_BYTES];
	struct vd_card card;
	struct vd_id id, grant;
	struct scene sc;
	uint64_t count, records, bytes;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &eva, VD_ROLE_MEMBER, NULL, "Eva");
	for (size_t i = 0; i < 40; i++) {
		somebody(&card);
		assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "alguien", &grant), 0);
	}
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, NULL, &id), 0);
	count = control_count(&sc, &rosa);
	assert_int_equal(vd_store_size(rosa.store, &records, &bytes), 0);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	reload(&sc, &rosa);
	assert_int_not_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	reload(&sc, &rosa);
	assert_int_not_equal(vd_act_restore(rosa.store, rosa.group, eva.author, ++sc.now_ms, &grant), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_DFL);

	reload(&sc, &rosa);
	assert_int_equal(control_count(&sc, &rosa), count);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_MEMBER);
	assert_int_equal(role_of(&rosa, eva.author), VD_ROLE_NONE);
	assert_int_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	assert_int_equal(vd_act_restore(rosa.store, rosa.group, eva.author, ++sc.now_ms, &grant), 0);
	same_on_disk(&sc, &rosa);
	disband(&sc);
}

/* An act rests on what another process stored since the group was loaded. */
static void test_acts__rest_on_all_that_is_here(void **state)
{
	struct vd_group *other;
	struct who rosa, ana;
	struct vd_card card;
	struct vd_id grant, id;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	assert_int_equal(vd_store_group(rosa.store, sc.id, &other), 0);
	assert_int_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	assert_int_equal(vd_group_find(other, ana.author)->role, VD_ROLE_MEMBER);
	assert_int_equal(vd_act_restore(rosa.store, other, ana.author, ++sc.now_ms, &grant), 0);
	somebody(&card);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "Eva", &id), 0);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_MEMBER);
	assert_false(vd_group_find(rosa.group, rosa.author)->forked);
	vd_group_free(other);
	disband(&sc);
}

/* --- a copied coordinator --- */

static void test_braked__where_another_could_act(void **state)
{
	struct who rosa, clone, eva;
	struct vd_tended tended;
	struct vd_id grant;
	struct vd_card card;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	copy_home(&sc, &rosa, &clone);
	assert_int_equal(vd_store_open(clone.home, &clone.store), 0);
	reload(&sc, &clone);
	somebody(&card);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "uno", &grant), 0);
	somebody(&card);
	assert_int_equal(admit_card(&sc, &clone, &card, VD_ROLE_MEMBER, NULL, "otro", &grant), 0);
	assert_false(vd_act_braked(rosa.store, rosa.group));
	meet(&rosa, &clone);
	assert_true(vd_group_find(rosa.group, rosa.author)->forked);
	assert_false(vd_act_braked(rosa.store, rosa.group)); /* nobody else could */

	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	assert_true(vd_act_braked(rosa.store, rosa.group));
	assert_false(vd_act_braked(eva.store, eva.group));

	/* Something is to be done: an epoch sealed to somebody who is out. It is left to Eva. */
	assert_int_equal(put_out(&sc, &eva, &rosa, NULL, NULL, &grant), 0);
	assert_int_equal(vd_act_restore(eva.store, eva.group, rosa.author, ++sc.now_ms, &grant), 0);
	assert_int_equal(role_of(&eva, rosa.author), VD_ROLE_COORDINATOR);
	somebody(&card);
	assert_int_equal(admit_card(&sc, &rosa, &card, VD_ROLE_MEMBER, NULL, "a la vez", &grant), 0);
	meet(&eva, &rosa);
	count = control_count(&sc, &rosa);
	tend(&sc, &rosa, &tended);
	assert_true(tended.braked);
	assert_false(tended.epoch_made);
	assert_int_equal(tended.sealed_to, 0);
	assert_int_equal(control_count(&sc, &rosa), count);
	tend(&sc, &eva, &tended);
	assert_false(tended.braked);
	assert_true(tended.epoch_made || tended.sealed_to);
	disband(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_admit__newcomer_reads_what_was_written_before),
		cmocka_unit_test(test_admit__only_what_is_new_is_sealed),
		cmocka_unit_test(test_admit__again_by_the_card_in_the_grant),
		cmocka_unit_test(test_rotate__every_part_of_a_large_group),
		cmocka_unit_test(test_acts__a_full_disk_leaves_nothing),
		cmocka_unit_test(test_acts__rest_on_all_that_is_here),
		cmocka_unit_test(test_braked__where_another_could_act),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
