/* Whom a coordinator puts out, what is left of what they wrote and hid, and how they come back. */
#include "acts_cast.h"
#include "store/inside.h"

static void test_revoke__accepts_what_is_here(void **state)
{
	struct vd_id urgent, normal[3], late, id, secret;
	struct who rosa, ana, eva;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &eva, VD_ROLE_MEMBER, NULL, "Eva");
	for (size_t i = 0; i < 3; i++)
		say(&sc, &ana, VD_LANE_NORMAL, "informe", &normal[i]);
	say(&sc, &ana, VD_LANE_URGENT, "alerta", &urgent);
	give(&ana, &rosa);
	say(&sc, &ana, VD_LANE_NORMAL, "tarde", &late);

	assert_int_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_NONE);
	assert_true(vd_group_find(rosa.group, ana.author)->removed);
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_CONTROL), 0);
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_URGENT), 1);
	assert_true(accepted(&rosa, &ana, VD_LANE_URGENT, &urgent));
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_NORMAL), 1);
	assert_true(accepted(&rosa, &ana, VD_LANE_NORMAL, &normal[2]));
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_BULK), 0);
	same_on_disk(&sc, &rosa);

	/* The new epoch is everybody's but hers. */
	say(&sc, &rosa, VD_LANE_NORMAL, "sin ella", &secret);
	give(&rosa, &eva);
	give(&rosa, &ana);
	assert_int_equal(opens(&eva, &secret), 0);
	assert_int_equal(opens(&ana, &secret), VD_EKEY);
	assert_null(vd_group_key(ana.group, id.b, VD_KEY_LINK));
	assert_true(vd_group_epoch_clean(eva.group));

	/* What she wrote meanwhile comes, and is not accepted, on any node, until a coordinator looks at it. */
	give(&ana, &rosa);
	give(&ana, &eva);
	assert_false(accepted(&eva, &ana, VD_LANE_NORMAL, &late));
	assert_int_equal(vd_group_reviewed(rosa.group, &late), VD_REVIEW_NONE);
	assert_int_equal(vd_act_review(rosa.store, rosa.group, &late, true, ++sc.now_ms, &id), 0);
	give(&rosa, &eva);
	assert_int_equal(vd_group_reviewed(eva.group, &late), VD_REVIEW_ACCEPTED);
	assert_int_equal(opens(&eva, &late), 0);
	assert_int_equal(vd_act_review(eva.store, eva.group, &late, false, ++sc.now_ms, &id), VD_EAUTHOR);
	assert_int_equal(vd_act_review(rosa.store, rosa.group, &late, false, ++sc.now_ms, &id), 0);
	give(&rosa, &eva);
	assert_int_equal(vd_group_reviewed(eva.group, &late), VD_REVIEW_LEFT);
	give(&rosa, &ana);
	cast_same_lanes(rosa.store, ana.store, sc.id);
	disband(&sc);
}

/* As the identity of `w` would write it, merged at `at`. */
static void forged(struct who *w, struct who *at, uint8_t lane, uint64_t seq, const struct vd_id *prev, struct vd_id *id)
{
	const struct vd_identity *self = vd_group_identity(w->group);
	struct vd_record_fields fields = { .lane = lane, .seq = seq, .has_prev = prev != NULL, .time_ms = cast_now + seq };
	struct vd_buf raw = { 0 };
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };
	uint8_t body[8];

	if (prev)
		fields.prev = *prev;
	randombytes_buf(body, sizeof(body));
	memcpy(fields.group, vd_group_id(w->group), VD_GROUP_BYTES);
	memcpy(fields.author, self->author, VD_KEY_BYTES);
	assert_int_equal(vd_record_create(&fields, vd_slice(body, sizeof(body)), self->author_secret, &raw, id), 0);
	assert_int_equal(vd_batch_add(&batch, vd_buf_slice(&raw)), 0);
	assert_int_equal(vd_store_merge(at->store, at->group, &batch, &merge), 0);
	assert_int_equal(merge.fresh, 1);
	vd_batch_deinit(&batch);
	vd_buf_deinit(&raw);
}

static void test_revoke__forks_and_gaps(void **state)
{
	struct vd_id a, b, c, fork, far, lost = { { 7 } }, wrong, ids[80];
	struct who rosa, ana, tablet;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &tablet, VD_ROLE_MEMBER, person_of(&ana), "Ana");
	forged(&ana, &rosa, VD_LANE_NORMAL, 1, NULL, &a);
	forged(&ana, &rosa, VD_LANE_NORMAL, 2, &a, &b);
	forged(&ana, &rosa, VD_LANE_NORMAL, 2, &a, &fork);
	forged(&ana, &rosa, VD_LANE_NORMAL, 3, &b, &c);
	forged(&ana, &rosa, VD_LANE_NORMAL, 9, &lost, &far);
	forged(&ana, &rosa, VD_LANE_NORMAL, 12, &far, &wrong); /* that is not its predecessor: two seqs are between */
	/* Her other device has one record; she forked hers more often than a revocation can name. */
	forged(&tablet, &rosa, VD_LANE_BULK, 1, NULL, &ids[79]);
	for (size_t i = 0; i < 79; i++)
		forged(&ana, &rosa, VD_LANE_BULK, 5 + i, NULL, &ids[i]);

	assert_int_equal(put_out(&sc, &rosa, &ana, person_of(&ana), NULL, NULL), 0);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_NONE);
	assert_int_equal(role_of(&rosa, tablet.author), VD_ROLE_NONE);
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_NORMAL), 4);
	assert_true(accepted(&rosa, &ana, VD_LANE_NORMAL, &c));
	assert_true(accepted(&rosa, &ana, VD_LANE_NORMAL, &fork));
	assert_true(accepted(&rosa, &ana, VD_LANE_NORMAL, &far));
	assert_true(accepted(&rosa, &ana, VD_LANE_NORMAL, &wrong));
	assert_false(accepted(&rosa, &ana, VD_LANE_NORMAL, &b));
	assert_int_equal(accepted_count(&rosa, &ana, VD_LANE_BULK), VD_LIST_MAX);
	assert_true(accepted(&rosa, &ana, VD_LANE_BULK, &ids[79]));
	assert_true(accepted(&rosa, &ana, VD_LANE_BULK, &ids[78]));
	assert_true(accepted(&rosa, &ana, VD_LANE_BULK, &ids[79 - 63]));
	assert_false(accepted(&rosa, &ana, VD_LANE_BULK, &ids[79 - 64]));
	disband(&sc);
}

static void test_revoke__one_device_of_a_member(void **state)
{
	struct who rosa, ana, tablet;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &tablet, VD_ROLE_MEMBER, person_of(&ana), "Ana");
	assert_int_equal(put_out(&sc, &rosa, &tablet, NULL, NULL, NULL), 0);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_MEMBER);
	assert_int_equal(role_of(&rosa, tablet.author), VD_ROLE_NONE);
	give(&rosa, &ana);
	assert_non_null(vd_group_key(ana.group, vd_group_current_epoch(ana.group), VD_KEY_MEMBERS));
	disband(&sc);
}

static void hide(struct scene *sc, struct who *w, const struct vd_id *what, struct vd_id *id)
{
	struct vd_field field = { vd_slice_str("about"), { .type = VD_MP_BIN, .bytes = vd_slice(what->b, VD_ID_BYTES) } };
	struct vd_draft draft = { .lane = VD_LANE_URGENT, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++sc->now_ms, .redacts = what };
	struct vd_buf content = { 0 };
	struct vd_write *write;

	assert_int_equal(vd_content_encode(vd_slice_str("redaction"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(w->store, &write), 0);
	assert_int_equal(vd_write_own(write, w->group, &draft, id), 0);
	assert_int_equal(vd_write_commit(write), 0);
	vd_buf_deinit(&content);
}

static int keep_standing(void *ctx, const struct vd_found *found)
{
	*(enum vd_standing *)ctx = found->standing;
	return 0;
}

static enum vd_standing standing_of(struct who *w, const struct vd_id *id)
{
	enum vd_standing standing = VD_STANDING_NOT_ENTITLED;
	uint64_t arrival;

	assert_int_equal(vd_store_find(w->store, id, &arrival), 0);
	assert_int_equal(vd_query_one(w->store, arrival, keep_standing, &standing), 0);
	return standing;
}

static void put_out_leaving(struct who *by, const struct who *whom, struct vd_hidings *hidings)
{
	uint8_t epoch[VD_EPOCH_BYTES], device[1][VD_KEY_BYTES];
	struct vd_revocation asked = { .devices = (const uint8_t (*)[VD_KEY_BYTES])device, .device_count = 1, .leave = hidings };
	struct vd_id id;

	memcpy(device[0], whom->author, VD_KEY_BYTES);
	/* By our clock, by which the records came. */
	assert_int_equal(vd_act_revoke(by->store, by->group, &asked, vd_now_ms(), &id, epoch), 0);
}

/* What a seized device hid of others' testimony comes back with its removal; what it hid of its own stays hidden. */
static void test_revoke__leaves_what_hides_others(void **state)
{
	struct vd_id testimony, own, other, by_eva, by_eva_own, by_tablet, by_ana;
	struct who rosa, eva, ana, tablet;
	struct vd_hidings left;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	admit(&sc, &rosa, &tablet, VD_ROLE_MEMBER, person_of(&ana), "Ana");
	say(&sc, &ana, VD_LANE_NORMAL, "vi a dos hombres", &testimony);
	say(&sc, &ana, VD_LANE_NORMAL, "y una lancha", &other);
	say(&sc, &eva, VD_LANE_NORMAL, "mío", &own);
	give(&ana, &tablet);
	give(&ana, &eva);
	hide(&sc, &eva, &testimony, &by_eva);
	hide(&sc, &eva, &own, &by_eva_own);
	hide(&sc, &tablet, &other, &by_tablet);
	hide(&sc, &ana, &own, &by_ana); /* which holds for nobody */
	give(&eva, &rosa);
	give(&ana, &rosa);
	give(&tablet, &rosa);
	assert_int_equal(standing_of(&rosa, &testimony), VD_STANDING_REDACTED);
	assert_int_equal(standing_of(&rosa, &other), VD_STANDING_REDACTED);

	/* A device of a member: what it hid of what she wrote elsewhere. */
	put_out_leaving(&rosa, &tablet, &left);
	assert_int_equal(left.count, 1);
	assert_int_equal(left.all, 1);
	assert_memory_equal(left.ids[0].b, by_tablet.b, VD_ID_BYTES);
	assert_int_equal(standing_of(&rosa, &other), VD_STANDING_SHOWN);
	assert_int_equal(standing_of(&rosa, &by_tablet), VD_STANDING_QUARANTINED);

	put_out_leaving(&rosa, &eva, &left);
	assert_int_equal(left.count, 1);
	assert_memory_equal(left.ids[0].b, by_eva.b, VD_ID_BYTES);
	assert_int_equal(standing_of(&rosa, &testimony), VD_STANDING_SHOWN);
	assert_int_equal(standing_of(&rosa, &own), VD_STANDING_REDACTED);
	assert_int_equal(standing_of(&rosa, &by_eva_own), VD_STANDING_SHOWN);

	/* Whoever hears of it sees the same. */
	give(&rosa, &ana);
	assert_int_equal(standing_of(&ana, &testimony), VD_STANDING_SHOWN);
	/* A member hid what is hers alone to hide. */
	count = control_count(&sc, &rosa);
	put_out_leaving(&rosa, &ana, &left);
	assert_int_equal(left.all, 0);
	assert_int_equal(control_count(&sc, &rosa), count + 1);
	disband(&sc);
}

/* No more than a list holds, the latest; and nothing of what is erased by now. */
static void test_revoke__leaves_the_latest(void **state)
{
	struct vd_id testimony, first, id, reviewed;
	struct who rosa, eva;
	struct vd_hidings left;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	say(&sc, &rosa, VD_LANE_NORMAL, "vi a dos hombres", &testimony);
	give(&rosa, &eva);
	hide(&sc, &eva, &testimony, &first);
	give(&eva, &rosa);
	usleep(2000);
	hide(&sc, &eva, &testimony, &reviewed);
	for (size_t i = 0; i < VD_LIST_MAX; i++)
		hide(&sc, &eva, &testimony, &id);
	give(&eva, &rosa);
	assert_int_equal(vd_act_review(rosa.store, rosa.group, &reviewed, true, ++sc.now_ms, &id), 0);
	count = control_count(&sc, &rosa);
	{
		const uint8_t(*device)[VD_KEY_BYTES] = (const uint8_t(*)[VD_KEY_BYTES])eva.author;

		assert_int_equal(vd_act_hidings(rosa.store, rosa.group, device, 1, vd_now_ms() + 31 * (uint64_t)86400000, &left), 0);
		assert_int_equal(left.all, 0);
	}
	put_out_leaving(&rosa, &eva, &left);
	assert_int_equal(left.all, VD_LIST_MAX + 1);
	assert_int_equal(left.count, VD_LIST_MAX);
	for (size_t i = 0; i < left.count; i++) {
		assert_memory_not_equal(left.ids[i].b, first.b, VD_ID_BYTES);
		assert_memory_not_equal(left.ids[i].b, reviewed.b, VD_ID_BYTES);
		assert_int_equal(vd_group_reviewed(rosa.group, &left.ids[i]), VD_REVIEW_LEFT);
	}
	assert_int_equal(control_count(&sc, &rosa), count + 1 + VD_LIST_MAX);
	disband(&sc);
}

/* A coordinator who went astray: what she did from one act on is undone, what she did before stands. */
static void test_revoke__undo_from_an_act_on(void **state)
{
	struct vd_card good, bad, worse;
	struct vd_id kept, undo, later, id, unknown = { { 9 } };
	struct who rosa, eva;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	somebody(&good);
	somebody(&bad);
	somebody(&worse);
	assert_int_equal(admit_card(&sc, &eva, &good, VD_ROLE_MEMBER, NULL, "buena", &kept), 0);
	assert_int_equal(admit_card(&sc, &eva, &bad, VD_ROLE_MEMBER, NULL, "mala", &undo), 0);
	assert_int_equal(admit_card(&sc, &eva, &worse, VD_ROLE_MEMBER, NULL, "peor", &later), 0);
	give(&eva, &rosa);
	assert_int_equal(role_of(&rosa, worse.author), VD_ROLE_MEMBER);

	count = control_count(&sc, &rosa);
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, &unknown, &id), VD_ENOTFOUND);
	assert_int_equal(control_count(&sc, &rosa), count);
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, &undo, &id), 0);
	assert_int_equal(accepted_count(&rosa, &eva, VD_LANE_CONTROL), 1);
	assert_int_equal(role_of(&rosa, good.author), VD_ROLE_MEMBER);
	assert_int_equal(role_of(&rosa, bad.author), VD_ROLE_NONE);
	assert_int_equal(role_of(&rosa, worse.author), VD_ROLE_NONE);
	assert_true(vd_group_is_author(rosa.group, bad.author)); /* the set does not shrink */
	assert_true(vd_group_epoch_clean(rosa.group));
	assert_memory_equal(vd_group_current_epoch(rosa.group), id.b, VD_EPOCH_BYTES);

	/* She may still act; it does not count. */
	give(&rosa, &eva);
	assert_int_equal(role_of(&eva, eva.author), VD_ROLE_NONE);
	assert_int_equal(admit_card(&sc, &eva, &bad, VD_ROLE_MEMBER, NULL, "mala", &id), VD_EAUTHOR);
	disband(&sc);
}

/* An act whose predecessors are not here may lead to the one that is undone: it is not accepted, or that would be, too. */
static void test_revoke__undo_where_records_are_missing(void **state)
{
	struct vd_id undo, id, last;
	struct vd_batch all = { 0 }, some = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_card card[4];
	struct who rosa, eva;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	for (size_t i = 0; i < 4; i++) {
		somebody(&card[i]);
		assert_int_equal(admit_card(&sc, &eva, &card[i], VD_ROLE_MEMBER, NULL, "x", i == 1 ? &undo : &last), 0);
	}
	/* The third admission never came. Each is a grant and a key. */
	cast_gather(eva.store, VD_LANE_CONTROL, &all);
	vd_batch_seal(&all);
	for (size_t i = 0; i < all.count; i++) {
		const struct vd_record *r = &all.entries[i].record;

		if (memcmp(r->author, eva.author, VD_KEY_BYTES) || r->seq < 5 || r->seq > 6)
			assert_int_equal(vd_batch_add(&some, r->raw), 0);
	}
	assert_int_equal(vd_store_merge(rosa.store, rosa.group, &some, &merge), 0);
	assert_int_equal(merge.fresh, 6);
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, &undo, &id), 0);
	assert_int_equal(accepted_count(&rosa, &eva, VD_LANE_CONTROL), 1);
	give(&eva, &rosa);
	assert_int_equal(role_of(&rosa, card[0].author), VD_ROLE_MEMBER);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(role_of(&rosa, card[i].author), VD_ROLE_NONE);
	vd_batch_deinit(&all);
	vd_batch_deinit(&some);
	disband(&sc);
}

/* Who was removed and does not like it. */
static void test_acts__of_a_removed_coordinator(void **state)
{
	uint8_t epoch[VD_EPOCH_BYTES], current[VD_EPOCH_BYTES];
	struct vd_revocation asked = { .device_count = 1, .reason = "venganza" };
	struct who rosa, eva, ana;
	char words[VD_PAPER_TEXT];
	struct vd_tended tended;
	struct vd_id id, said;
	struct vd_card card;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	meet(&rosa, &eva);
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, NULL, &id), 0);
	memcpy(current, vd_group_current_epoch(rosa.group), sizeof(current));
	give(&rosa, &eva);
	say(&sc, &eva, VD_LANE_NORMAL, "tarde", &said);

	somebody(&card);
	assert_int_equal(admit_card(&sc, &eva, &card, VD_ROLE_MEMBER, NULL, "x", &id), VD_EAUTHOR);
	assert_int_equal(vd_act_rotate(eva.store, eva.group, ++sc.now_ms, epoch), VD_EAUTHOR);
	assert_int_equal(vd_act_restore(eva.store, eva.group, eva.author, ++sc.now_ms, &id), VD_EAUTHOR);
	assert_int_equal(vd_act_paper(eva.store, eva.group, ++sc.now_ms, words), VD_EAUTHOR);
	tend(&sc, &eva, &tended);
	assert_false(tended.epoch_made || tended.sealed_to || tended.braked);

	/* These she may say. They are kept, and do not count. */
	asked.devices = (const uint8_t (*)[VD_KEY_BYTES])rosa.author;
	assert_int_equal(vd_act_revoke(eva.store, eva.group, &asked, ++sc.now_ms, &id, epoch), 0);
	assert_int_equal(vd_act_review(eva.store, eva.group, &said, true, ++sc.now_ms, &id), 0);
	give(&eva, &rosa);
	give(&eva, &ana);
	assert_int_equal(role_of(&ana, rosa.author), VD_ROLE_COORDINATOR);
	assert_int_equal(role_of(&ana, eva.author), VD_ROLE_NONE);
	assert_int_equal(vd_group_reviewed(ana.group, &said), VD_REVIEW_NONE);
	assert_memory_equal(vd_group_current_epoch(ana.group), current, sizeof(current));
	tend(&sc, &rosa, &tended);
	assert_false(tended.epoch_made || tended.sealed_to);
	disband(&sc);
}

/* More devices than one record is sealed to, some of which are out only because of what is undone. */
static void test_revoke__every_part_of_a_large_group(void **state)
{
	struct who rosa, eva, ana;
	struct vd_id undo = { { 0 } }, grant, id;
	struct vd_card card;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	for (size_t i = 0; i < 60; i++) {
		somebody(&card);
		assert_int_equal(admit_card(&sc, i % 2 ? &eva : &rosa, &card, VD_ROLE_MEMBER, NULL, "alguien", &grant), 0);
		if (i == 21)
			undo = grant;
	}
	meet(&rosa, &eva);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	assert_int_equal(vd_group_device_count(rosa.group), 63);
	count = control_count(&sc, &rosa);
	assert_int_equal(put_out(&sc, &rosa, &eva, NULL, &undo, &id), 0);
	/* Rosa, Ana, 30 by Rosa, 10 by Eva. */
	assert_int_equal(control_count(&sc, &rosa) - count, 3);
	assert_true(vd_group_epoch_clean(rosa.group));
	assert_null(vd_group_epoch_lacks(rosa.group, 0));
	give(&rosa, &ana);
	assert_non_null(vd_group_key(ana.group, id.b, VD_KEY_MEMBERS));
	same_on_disk(&sc, &rosa);
	disband(&sc);
}

static void test_restore__gives_back_what_it_missed(void **state)
{
	struct vd_id during, id, before, grant;
	uint8_t epoch[VD_EPOCH_BYTES];
	struct who rosa, ana;
	struct scene sc;
	uint64_t count;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	say(&sc, &rosa, VD_LANE_NORMAL, "antes", &before);
	assert_int_equal(vd_act_restore(rosa.store, rosa.group, ana.author, ++sc.now_ms, &grant), VD_ENOTFOUND);
	assert_int_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	assert_int_equal(vd_act_rotate(rosa.store, rosa.group, ++sc.now_ms, epoch), 0);
	say(&sc, &rosa, VD_LANE_NORMAL, "mientras tanto", &during);

	count = control_count(&sc, &rosa);
	assert_int_equal(vd_act_restore(rosa.store, rosa.group, ana.author, ++sc.now_ms, &grant), 0);
	assert_int_equal(control_count(&sc, &rosa) - count, 1 + 2); /* not the epoch that it has */
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_MEMBER);
	give(&rosa, &ana);
	assert_int_equal(vd_group_role(ana.group), VD_ROLE_MEMBER);
	assert_int_equal(opens(&ana, &before), 0);
	assert_int_equal(opens(&ana, &during), 0);
	assert_string_equal(vd_group_find(rosa.group, ana.author)->name, "Ana");
	same_on_disk(&sc, &rosa);
	disband(&sc);
}

/* Two coordinators together restore whom a more senior one removed; the keys come with the second word. */
static void test_approve__restores_with_keys(void **state)
{
	struct who rosa, eva, luz, ana;
	struct vd_id id, grant, during;
	struct scene sc;

	(void)state;
	found(&sc, &rosa);
	admit(&sc, &rosa, &eva, VD_ROLE_COORDINATOR, NULL, "Eva");
	admit(&sc, &rosa, &luz, VD_ROLE_COORDINATOR, NULL, "Luz");
	admit(&sc, &rosa, &ana, VD_ROLE_MEMBER, NULL, "Ana");
	assert_int_equal(put_out(&sc, &rosa, &ana, NULL, NULL, &id), 0);
	say(&sc, &rosa, VD_LANE_NORMAL, "sin Ana", &during);
	give(&rosa, &eva);
	give(&rosa, &luz);
	assert_int_equal(vd_act_restore(eva.store, eva.group, ana.author, ++sc.now_ms, &grant), 0);
	assert_int_equal(role_of(&eva, ana.author), VD_ROLE_NONE); /* Rosa is more senior */
	give(&eva, &luz);
	assert_int_equal(vd_act_approve(luz.store, luz.group, &grant, ++sc.now_ms, &id), 0);
	assert_int_equal(role_of(&luz, ana.author), VD_ROLE_MEMBER);
	give(&luz, &ana);
	assert_int_equal(opens(&ana, &during), 0);
	give(&luz, &rosa);
	assert_int_equal(role_of(&rosa, ana.author), VD_ROLE_MEMBER);
	assert_int_equal(vd_act_approve(luz.store, luz.group, &during, ++sc.now_ms, &id), VD_ENOTFOUND);
	assert_int_equal(vd_act_approve(ana.store, ana.group, &grant, ++sc.now_ms, &id), VD_EAUTHOR);
	disband(&sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revoke__accepts_what_is_here),
		cmocka_unit_test(test_revoke__forks_and_gaps),
		cmocka_unit_test(test_revoke__one_device_of_a_member),
		cmocka_unit_test(test_revoke__leaves_what_hides_others),
		cmocka_unit_test(test_revoke__leaves_the_latest),
		cmocka_unit_test(test_revoke__undo_from_an_act_on),
		cmocka_unit_test(test_revoke__undo_where_records_are_missing),
		cmocka_unit_test(test_acts__of_a_removed_coordinator),
		cmocka_unit_test(test_revoke__every_part_of_a_large_group),
		cmocka_unit_test(test_restore__gives_back_what_it_missed),
		cmocka_unit_test(test_approve__restores_with_keys),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
