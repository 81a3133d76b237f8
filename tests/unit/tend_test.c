/* What a coordinator's device does unasked. */
#include "acts_cast.h"
#include "proto/receipt.h"
#include "store/custody.h"
#include "store/inside.h"

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

/* Who was admitted where another's new epoch was not known gets that one too, though it is not the one to write with any more. */
static void test_tend__older_epochs_too(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, eva, ana, luz, kai;
	struct vd_tended tended;
	uint8_t evas[VD_EPOCH_BYTES];
	struct vd_id said;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &luz, VD_ROLE_REPORTER, NULL, "Luz");
	admit(&sc, &rosa, &kai, VD_ROLE_COURIER, NULL, "Kai");
	assert_int_equal(vd_act_rotate(eva.store, eva.group, ++sc.now_ms, evas), 0);
	say(&sc, &eva, VD_LANE_NORMAL, "de Eva", &said);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	meet(&eva, &rosa);
	assert_memory_equal(vd_group_current_epoch(rosa.group), epoch, VD_EPOCH_BYTES);
	tend(&sc, &rosa, &tended);
	assert_false(tended.epoch_made);
	assert_int_equal(tended.sealed_to, 3);
	tend(&sc, &rosa, &tended);
	assert_int_equal(tended.sealed_to, 0);
	give(&rosa, &eva);
	tend(&sc, &eva, &tended);
	assert_int_equal(tended.sealed_to, 0);
	give(&rosa, &ana);
	give(&rosa, &luz);
	give(&rosa, &kai);
	assert_int_equal(opens(&ana, &said), 0);
	assert_int_equal(opens(&luz, &said), VD_EKEY);
	assert_int_equal(opens(&kai, &said), VD_EKEY);
	assert_non_null(vd_group_key(ana.group, evas, VD_KEY_MEMBERS));
	assert_non_null(vd_group_key(luz.group, evas, VD_KEY_EVERYONE));
	assert_non_null(vd_group_key(kai.group, evas, VD_KEY_LINK));
	/* Nobody gets more than a grant gives. */
	for (size_t i = 0; i < vd_group_epoch_count(luz.group); i++) {
		assert_null(vd_group_key(luz.group, vd_group_epoch_id(luz.group, i), VD_KEY_MEMBERS));
		assert_null(vd_group_key(kai.group, vd_group_epoch_id(kai.group, i), VD_KEY_EVERYONE));
	}
	disband(&sc);
}

/* Whoever makes epochs by the hundred does not make others write without end. */
static void test_tend__older_epochs_a_day(void **state)
{
	enum { EPOCHS = VD_EPOCH_PARTS_DAY + 20 };
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, eva, ana;
	struct vd_tended tended;
	size_t sealed = 0, rounds = 0;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	for (int i = 0; i < EPOCHS; i++)
		assert_int_equal(vd_act_rotate(eva.store, eva.group, ++sc.now_ms, epoch), 0);
	give(&eva, &rosa);
	do {
		tend(&sc, &rosa, &tended);
		sealed += tended.sealed_to;
		assert_true(++rounds < EPOCHS);
	} while (tended.sealed_to);
	assert_in_range(sealed, VD_EPOCH_PARTS_DAY - 8, VD_EPOCH_PARTS_DAY + 1); /* admitting counts too */
	sc.now_ms += 86400000;
	tend(&sc, &rosa, &tended);
	assert_in_range(sealed + tended.sealed_to, EPOCHS, EPOCHS + 1);
	tend(&sc, &rosa, &tended);
	assert_int_equal(tended.sealed_to, 0);
	disband(&sc);
}

/* Eva and Luz remove each other; Ana heard Luz first, and wrote. The winner reads it in the end, and so does who came later. */
static void test_tend__a_member_hands_over_the_loser_s_keys(void **state)
{
	struct who rosa, eva, luz, ana, bea, kai;
	struct vd_tended tended;
	struct vd_id id, said;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &luz, VD_ROLE_COORDINATOR, NULL, "Luz");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &bea, VD_ROLE_MEMBER, NULL, "Bea");
	admit(&sc, &rosa, &kai, VD_ROLE_COURIER, NULL, "Kai");
	give(&rosa, &eva);
	give(&rosa, &luz);
	/* Luz removes the founder, who never hears of it before it has removed Luz. */
	assert_int_equal(put_out(&sc, &luz, &eva, NULL, NULL, &id), 0);
	assert_int_equal(put_out(&sc, &luz, &rosa, NULL, NULL, &id), 0);
	give(&luz, &ana);
	say(&sc, &ana, VD_LANE_NORMAL, "lo que vi", &said);
	assert_int_equal(put_out(&sc, &rosa, &luz, NULL, NULL, &id), 0);
	give(&ana, &rosa);
	assert_int_equal(role_of(&rosa, luz.author), VD_ROLE_NONE);
	assert_int_equal(opens(&rosa, &said), VD_EKEY);
	tend(&sc, &rosa, &tended);
	assert_int_equal(opens(&rosa, &said), VD_EKEY);
	give(&rosa, &ana);
	assert_int_equal(role_of(&ana, luz.author), VD_ROLE_NONE);
	tend(&sc, &ana, &tended);
	assert_int_equal(tended.handed, 1); /* of the other, which Luz sealed to the founder, Rosa has sealed on herself */
	tend(&sc, &ana, &tended);
	assert_int_equal(tended.handed, 0); /* once */
	give(&ana, &rosa);
	tend(&sc, &rosa, &tended);
	assert_true(tended.sealed_to >= 4);
	same_on_disk(&sc, &rosa);
	assert_int_equal(opens(&rosa, &said), 0);
	give(&rosa, &eva);
	give(&rosa, &bea);
	give(&rosa, &kai);
	assert_int_equal(opens(&eva, &said), 0);
	assert_int_equal(opens(&bea, &said), 0);
	assert_int_equal(opens(&kai, &said), VD_EKEY);
	give(&rosa, &ana);
	tend(&sc, &ana, &tended);
	tend(&sc, &bea, &tended);
	assert_int_equal(tended.handed, 0);
	tend(&sc, &eva, &tended);
	tend(&sc, &rosa, &tended);
	assert_int_equal(tended.sealed_to, 0);
	disband(&sc);
}

static struct vd_id hand(struct scene *sc, struct who *w, const uint8_t *item, size_t bytes, const char *kind)
{
	struct vd_buf items = { 0 }, content = { 0 };
	struct vd_field field = { vd_slice_str("epochs"), { .type = VD_MP_ARRAY, .number = 1 } };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++sc->now_ms, .hands_keys = true };
	struct vd_write *write;
	struct vd_id id;

	vd_mp_put_bin(&items, vd_slice(item, bytes));
	field.value.bytes = vd_buf_slice(&items);
	assert_int_equal(vd_content_encode(vd_slice_str(kind), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(w->store, &write), 0);
	assert_int_equal(vd_write_own(write, w->group, &draft, &id), 0);
	assert_int_equal(vd_write_commit(write), 0);
	vd_buf_deinit(&items);
	vd_buf_deinit(&content);
	return id;
}

/* Whatever a member says the keys are: they are taken when the epoch's own commitments say so, and rubbish silences nobody. */
static void test_tend__rubbish_handed_over_is_nothing(void **state)
{
	uint8_t item[VD_EPOCH_BYTES + sizeof(struct vd_epoch_keys) + 1] = { 0 };
	struct who rosa, luz, ana, bea;
	struct vd_tended tended;
	struct vd_id id, said;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &luz, VD_ROLE_COORDINATOR, NULL, "Luz");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &bea, VD_ROLE_MEMBER, NULL, "Bea");
	give(&rosa, &luz);
	assert_int_equal(put_out(&sc, &luz, &rosa, NULL, NULL, &id), 0);
	give(&luz, &ana);
	say(&sc, &ana, VD_LANE_NORMAL, "lo que vi", &said);
	assert_int_equal(put_out(&sc, &rosa, &luz, NULL, NULL, NULL), 0);
	give(&ana, &rosa);
	give(&rosa, &bea);
	memcpy(item, id.b, VD_EPOCH_BYTES);
	for (size_t n = sizeof(item) - 2; n <= sizeof(item); n++)
		hand(&sc, &bea, item, n, "keys");
	hand(&sc, &bea, item, 0, "keys");
	memset(item, 7, VD_EPOCH_BYTES);
	hand(&sc, &bea, item, sizeof(item) - 1, "keys");
	give(&bea, &rosa);
	tend(&sc, &rosa, &tended);
	assert_int_equal(tended.sealed_to, 0);
	assert_null(vd_group_key(rosa.group, id.b, VD_KEY_LINK));
	assert_int_equal(opens(&rosa, &said), VD_EKEY);
	give(&rosa, &ana);
	tend(&sc, &ana, &tended);
	assert_int_equal(tended.handed, 1);
	/* A reporter's or courier's device hands over nothing, and neither does a coordinator's. */
	tend(&sc, &bea, &tended);
	assert_int_equal(tended.handed, 0);
	give(&ana, &rosa);
	tend(&sc, &rosa, &tended);
	assert_int_equal(opens(&rosa, &said), 0);
	disband(&sc);
}

static bool indexed(struct who *w)
{
	struct vd_index_state state;
	bool current;

	assert_int_equal(vd_index_current(w->store, &state, &current), 0);
	return current;
}

static void tend_quick(struct scene *sc, struct who *w, uint64_t now_ms)
{
	struct vd_tended tended = { 0 };

	reload(sc, w);
	assert_int_equal(vd_store_tend_quick(w->store, w->group, now_ms, &tended), 0);
}

/* So many that indexing them would take longer than what brought them wait for it; a few do not, and none for more than a day. */
static void test_tend__quick_leaves_many_to_another_time(void **state)
{
	struct who rosa;
	struct vd_write *w;
	struct scene sc;
	struct vd_id id;

	(void)state;
	found(&sc, &rosa);
	say(&sc, &rosa, VD_LANE_NORMAL, "One", &id);
	assert_false(indexed(&rosa));
	tend_quick(&sc, &rosa, sc.now_ms);
	assert_true(indexed(&rosa));

	assert_int_equal(vd_write_begin(rosa.store, &w), 0);
	for (size_t i = 0; i <= VD_INDEX_MANY; i++) {
		if (i == VD_INDEX_MANY) {
			assert_int_equal(vd_write_commit(w), 0);
			assert_false(vd_index_may_wait(rosa.store, sc.now_ms));
			assert_int_equal(vd_write_begin(rosa.store, &w), 0);
		}
		assert_int_equal(cast_own_kind(w, rosa.group, VD_LANE_NORMAL, "message", "Many", NULL, sc.now_ms, &id), 0);
	}
	assert_int_equal(vd_write_commit(w), 0);
	tend_quick(&sc, &rosa, sc.now_ms + VD_DAY_MS - 1);
	assert_false(indexed(&rosa));
	/* By a clock that was set back nobody can tell for how long. */
	assert_false(vd_index_may_wait(rosa.store, sc.now_ms - 1));
	tend_quick(&sc, &rosa, sc.now_ms + VD_DAY_MS);
	assert_true(indexed(&rosa));
	disband(&sc);
}

static uint64_t spanned(struct vd_slice receipt)
{
	struct vd_receipt r;
	struct vd_span span;
	uint64_t sum = 0;

	assert_int_equal(vd_receipt_decode(receipt, &r), 0);
	while (vd_receipt_next(&r.spans, &span))
		sum += span.length;
	return sum;
}

static void let_body_go(struct who *w, const struct vd_id *id)
{
	struct vd_membership in;
	struct vd_place place = { 0 };
	struct vd_record record, stub;
	struct vd_buf raw = { 0 };
	struct vd_write *write;

	assert_int_equal(vd_store_find(w->store, id, &place.arrival), 0);
	assert_int_equal(vd_store_read(w->store, place.arrival, &raw, &record, &place.received_ms), 0);
	assert_int_equal(vd_record_decode(vd_slice(raw.p, record.header.n + record.signature.n), &stub), 0);
	memcpy(in.group, vd_group_id(w->group), VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(w->group), VD_SALT_BYTES);
	assert_int_equal(vd_write_begin(w->store, &write), 0);
	assert_int_equal(vd_write_again(write, &in, &place, &stub, VD_STORED_UNWANTED), 0);
	assert_int_equal(vd_write_commit(write), 0);
	vd_buf_deinit(&raw);
}

/* After much came at once a receipt tells the lanes alone; the next one, a moment later, tells the chains. */
static void test_tend__a_receipt_does_not_wait_for_the_index_twice(void **state)
{
	struct vd_buf said[4] = { { 0 } };
	uint64_t before;
	const uint64_t later[] = { 0, 1, 9000, 12000 };
	struct who rosa;
	struct vd_write *w;
	struct scene sc;
	struct vd_id id;

	(void)state;
	found(&sc, &rosa);
	say(&sc, &rosa, VD_LANE_NORMAL, "One", &id);
	assert_int_equal(vd_custody_say(rosa.store, rosa.group, sc.now_ms, &said[0]), 0);
	before = spanned(vd_buf_slice(&said[0]));
	sc.now_ms += 60000;
	/* Its body goes, and the index does not hear of it by itself. */
	let_body_go(&rosa, &id);
	assert_int_equal(vd_write_begin(rosa.store, &w), 0);
	for (size_t i = 0; i <= VD_INDEX_MANY; i++)
		assert_int_equal(cast_own_kind(w, rosa.group, VD_LANE_NORMAL, "message", "Many", NULL, sc.now_ms, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(vd_custody_say(rosa.store, rosa.group, sc.now_ms + later[i], &said[i]), 0);
		assert_int_equal(indexed(&rosa), i == 3);
	}
	assert_true(vd_slice_eq(vd_buf_slice(&said[1]), vd_buf_slice(&said[2])));
	assert_int_equal(spanned(vd_buf_slice(&said[1])), before - 1);
	assert_int_equal(spanned(vd_buf_slice(&said[3])), before + VD_INDEX_MANY);
	for (size_t i = 0; i < 4; i++)
		vd_buf_deinit(&said[i]);
	disband(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tend__nothing_to_do_writes_nothing),
		cmocka_unit_test(test_tend__two_partitions_two_removals),
		cmocka_unit_test(test_tend__seals_to_who_was_admitted_meanwhile),
		cmocka_unit_test(test_tend__not_twice),
		cmocka_unit_test(test_tend__older_epochs_too),
		cmocka_unit_test(test_tend__older_epochs_a_day),
		cmocka_unit_test(test_tend__a_member_hands_over_the_loser_s_keys),
		cmocka_unit_test(test_tend__rubbish_handed_over_is_nothing),
		cmocka_unit_test(test_tend__quick_leaves_many_to_another_time),
		cmocka_unit_test(test_tend__a_receipt_does_not_wait_for_the_index_twice),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
