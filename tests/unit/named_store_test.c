/* Records to recipients by name, in stores: what lists as sealed, and for whom it opens; and what a record redacts. */
#include "tests/unit/store_cast.h"

#include "store/index.h"

struct seen {
	size_t count;
	int body;
	char text[64];
};

static int look(void *ctx, const struct vd_found *found)
{
	struct seen *seen = ctx;
	const struct vd_value *text = found->content ? vd_content_get(found->content, "text", VD_MP_STR, 0) : NULL;

	seen->count++;
	seen->body = found->body;
	assert_int_equal(found->body != 0, found->content == NULL);
	if (text)
		snprintf(seen->text, sizeof(seen->text), "%.*s", (int)text->bytes.n, (const char *)text->bytes.p);
	return 0;
}

static struct seen list(struct vd_store *s, const uint8_t *group)
{
	const struct vd_query all = { .group = group };
	struct seen seen = { 0 };

	assert_int_equal(vd_query(s, &all, look, &seen), 0);
	return seen;
}

static int write_draft(struct vd_store *s, struct vd_group *g, struct vd_draft draft, const char *text, struct vd_id *id)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } };
	struct vd_buf content = { 0 };
	struct vd_write *w;
	int rc;

	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	draft.now_ms = cast_now;
	assert_int_equal(vd_write_begin(s, &w), 0);
	rc = vd_write_own(w, g, &draft, id);
	if (rc)
		vd_write_abort(w);
	else
		assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	return rc;
}

/* For the device whose group that is, by name. It borrows from the group. */
static struct vd_draft naming(struct vd_group *g)
{
	return (struct vd_draft){ .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_NAMED,
		                  .devices = &vd_group_identity(g)->author, .device_count = 1 };
}

static void test_named__sealed_for_its_author_and_open_for_whom_it_names(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home), *b = cast_store(p->other);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *ga = cast_found(a, id), *gb = cast_join(a, ga, b);
	struct vd_draft draft = naming(gb);
	struct vd_merge merge;
	struct vd_id said;
	struct seen seen;

	assert_int_equal(write_draft(a, ga, draft, "for you alone", &said), 0);
	cast_carry(a, b, gb, &merge);
	assert_int_equal(merge.fresh, 1);
	cast_same_lanes(a, b, id);
	seen = list(a, id);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.body, VD_ESEALED);
	seen = list(b, id);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.body, 0);
	assert_string_equal(seen.text, "for you alone");
	vd_group_free(ga);
	vd_group_free(gb);
	vd_store_close(a);
	vd_store_close(b);
}

static void test_named__author_keeps_a_copy_when_named(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *ga = cast_found(a, id);
	const struct vd_draft draft = naming(ga);
	struct vd_id said;
	struct seen seen;

	assert_int_equal(write_draft(a, ga, draft, "a note of my own", &said), 0);
	seen = list(a, id);
	assert_int_equal(seen.body, 0);
	assert_string_equal(seen.text, "a note of my own");
	vd_group_free(ga);
	vd_store_close(a);
}

/* To whom it went is kept where the text is, and nowhere else. */
static void test_named__names_are_kept_with_a_copy_alone(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home), *b = cast_store(p->other);
	uint8_t id[VD_GROUP_BYTES], to[2][VD_KEY_BYTES], got[VD_NAMED_SLOTS][VD_KEY_BYTES];
	struct vd_group *ga = cast_found(a, id), *gb = cast_join(a, ga, b);
	struct vd_draft draft = naming(gb);
	struct vd_id kept, unkept, open;
	struct vd_merge merge;
	size_t count;

	assert_int_equal(write_draft(a, ga, draft, "for b", &unkept), 0);
	memcpy(to[0], vd_group_identity(gb)->author, VD_KEY_BYTES);
	memcpy(to[1], vd_group_identity(ga)->author, VD_KEY_BYTES);
	draft.devices = (const uint8_t (*)[VD_KEY_BYTES])to;
	draft.device_count = 2;
	assert_int_equal(write_draft(a, ga, draft, "for b, and kept", &kept), 0);
	draft.audience = VD_AUDIENCE_MEMBERS;
	assert_int_equal(write_draft(a, ga, draft, "for members", &open), 0);
	cast_carry(a, b, gb, &merge);
	assert_int_equal(vd_store_named(a, &unkept, got, &count), VD_ENOTFOUND);
	assert_int_equal(vd_store_named(a, &open, got, &count), VD_ENOTFOUND);
	assert_int_equal(vd_store_named(b, &kept, got, &count), VD_ENOTFOUND);
	assert_int_equal(count, 0);
	assert_int_equal(vd_store_named(a, &kept, got, &count), 0);
	assert_int_equal(count, 2);
	assert_memory_equal(got, to, sizeof(to));
	vd_group_free(ga);
	vd_group_free(gb);
	vd_store_close(a);
	vd_store_close(b);
}

/* Nothing is written, and the next record is the first of its chain. */
static void test_named__none_too_many_or_strangers(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES], to[VD_NAMED_SLOTS + 1][VD_KEY_BYTES];
	struct vd_group *ga = cast_found(a, id);
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_NAMED };
	struct vd_lane_state lane;
	struct vd_id said;

	for (size_t i = 0; i <= VD_NAMED_SLOTS; i++)
		memcpy(to[i], vd_group_identity(ga)->author, VD_KEY_BYTES);
	assert_int_equal(write_draft(a, ga, draft, "x", &said), VD_EINVAL);
	draft.devices = (const uint8_t (*)[VD_KEY_BYTES])to;
	assert_int_equal(write_draft(a, ga, draft, "x", &said), VD_EINVAL);
	draft.device_count = VD_NAMED_SLOTS + 1;
	assert_int_equal(write_draft(a, ga, draft, "x", &said), VD_EINVAL);
	draft.device_count = 2;
	to[1][0] ^= 1;
	assert_int_equal(write_draft(a, ga, draft, "x", &said), VD_ENOTFOUND);
	to[1][0] ^= 1;
	assert_int_equal(vd_store_lane(a, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 0);
	draft.device_count = VD_NAMED_SLOTS;
	assert_int_equal(write_draft(a, ga, draft, "x", &said), 0);
	assert_int_equal(vd_store_lane(a, id, VD_LANE_NORMAL, &lane, NULL, 0), 0);
	assert_int_equal(lane.digest.count, 1);
	vd_group_free(ga);
	vd_store_close(a);
}

/* Two records never share what makes a named body random. */
static void test_named__fresh_randomness_each_time(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *ga = cast_found(a, id);
	const struct vd_draft draft = naming(ga);
	struct vd_batch batch = { 0 };
	struct vd_id said;
	const uint8_t *one, *two;

	assert_int_equal(write_draft(a, ga, draft, "x", &said), 0);
	assert_int_equal(write_draft(a, ga, draft, "x", &said), 0);
	cast_gather(a, VD_LANE_NORMAL, &batch);
	vd_batch_seal(&batch);
	assert_int_equal(batch.count, 2);
	one = batch.entries[0].record.body.p;
	two = batch.entries[1].record.body.p;
	assert_memory_equal(one, two, 2 + VD_EPOCH_BYTES);
	assert_memory_not_equal(one + 2 + VD_EPOCH_BYTES, two + 2 + VD_EPOCH_BYTES, VD_BODY_NONCE_BYTES);
	for (size_t at = VD_BODY_PREFIX_BYTES; at < VD_BODY_PREFIX_BYTES + VD_BODY_NAMED_BYTES; at += 16)
		assert_memory_not_equal(one + at, two + at, 16);
	vd_batch_deinit(&batch);
	vd_group_free(ga);
	vd_store_close(a);
}

static void test_named__redaction_says_what_it_redacts(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *a = cast_store(p->home);
	uint8_t id[VD_GROUP_BYTES];
	struct vd_group *ga = cast_found(a, id);
	struct vd_draft draft = { .lane = VD_LANE_URGENT, .audience = VD_AUDIENCE_MEMBERS };
	struct vd_id absent = { { 9 } }, said, got;
	struct vd_batch batch = { 0 };

	draft.redacts = &absent;
	draft.lane = VD_LANE_NORMAL; /* a redaction nobody would take for one */
	assert_int_equal(write_draft(a, ga, draft, "names a witness", &said), VD_EINVAL);
	draft.lane = VD_LANE_URGENT;
	assert_int_equal(write_draft(a, ga, draft, "names a witness", &said), 0);
	draft.redacts = NULL;
	assert_int_equal(write_draft(a, ga, draft, "not one", &said), 0);
	cast_gather(a, VD_LANE_URGENT, &batch);
	vd_batch_seal(&batch);
	assert_int_equal(batch.count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct vd_record *r = &batch.entries[i].record;

		assert_int_equal(vd_record_redacts(r, &got), r->seq == 1);
		if (r->seq == 1)
			assert_memory_equal(got.b, absent.b, VD_ID_BYTES);
	}
	vd_batch_deinit(&batch);
	vd_group_free(ga);
	vd_store_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_named__sealed_for_its_author_and_open_for_whom_it_names, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_named__author_keeps_a_copy_when_named, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_named__names_are_kept_with_a_copy_alone, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_named__none_too_many_or_strangers, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_named__fresh_randomness_each_time, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_named__redaction_says_what_it_redacts, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
