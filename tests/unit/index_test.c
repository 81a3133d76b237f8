#include "tests/unit/store_cast.h"

#include "store/check.h"
#include "store/index.h"

enum { DAY = 86400000 };

struct cast {
	struct vd_store *s;
	struct vd_group *g;
	uint8_t id[VD_GROUP_BYTES];
};

struct seen {
	char text[4096];   /* of every record visited, one after the other */
	size_t count;
	uint64_t last;
	int body;
};

static int see(void *ctx, const struct vd_found *found)
{
	struct seen *seen = ctx;
	const struct vd_value *text = found->content ? vd_content_get(found->content, "text", VD_MP_STR, 0) : NULL;

	assert_non_null(found->group);
	assert_non_null(found->record);
	if (text)
		strncat(seen->text, (const char *)text->bytes.p, text->bytes.n);
	strcat(seen->text, " ");
	seen->count++;
	seen->last = found->arrival;
	seen->body = found->body;
	return 0;
}

static void expect(struct vd_store *s, const struct vd_query *query, const char *texts)
{
	struct seen seen = { 0 };

	assert_int_equal(vd_query(s, query, see, &seen), 0);
	assert_string_equal(seen.text, texts);
}

static void say(struct cast *c, uint8_t lane, const char *kind, const char *text, const struct vd_id *about,
                uint64_t when, struct vd_id *id)
{
	struct vd_write *w;

	assert_int_equal(vd_write_begin(c->s, &w), 0);
	assert_int_equal(cast_own_kind(w, c->g, lane, kind, text, about, when, id), 0);
	assert_int_equal(vd_write_commit(w), 0);
}

static void start(struct cast *c, const struct cast_place *p)
{
	c->s = cast_store(p->home);
	c->g = cast_found(c->s, c->id);
}

static void end(struct cast *c)
{
	struct vd_check check;

	assert_int_equal(vd_check(c->s, false, &check), 0);
	assert_int_equal(check.bad + check.derived_bad, 0);
	vd_group_free(c->g);
	vd_store_close(c->s);
}

static void test_index__kind_day_about_author(void **state)
{
	struct vd_id first;
	struct cast c;

	start(&c, *state);
	say(&c, VD_LANE_URGENT, "alert", "uno", NULL, cast_now, &first);
	say(&c, VD_LANE_URGENT, "ack", "dos", &first, cast_now + DAY, NULL);
	say(&c, VD_LANE_NORMAL, "message", "tres", NULL, cast_now + 2 * (uint64_t)DAY, NULL);
	say(&c, VD_LANE_NORMAL, "message", "cuatro", &first, cast_now + 3 * (uint64_t)DAY, NULL);

	expect(c.s, &(struct vd_query){ 0 }, "uno dos tres cuatro ");
	expect(c.s, &(struct vd_query){ .group = c.id }, "uno dos tres cuatro ");
	expect(c.s, &(struct vd_query){ .limit = 2 }, "tres cuatro ");
	expect(c.s, &(struct vd_query){ .kind = "message" }, "tres cuatro ");
	expect(c.s, &(struct vd_query){ .kind = "mess" }, "");
	expect(c.s, &(struct vd_query){ .about = &first }, "dos cuatro ");
	expect(c.s, &(struct vd_query){ .about = &first, .kind = "ack" }, "dos ");
	expect(c.s, &(struct vd_query){ .author = vd_group_identity(c.g)->author, .kind = "alert" }, "uno ");
	expect(c.s, &(struct vd_query){ .author = c.id }, "");
	expect(c.s, &(struct vd_query){ .person = vd_group_device(c.g, 0)->person }, "uno dos tres cuatro ");
	expect(c.s, &(struct vd_query){ .person = c.id }, "");
	expect(c.s, &(struct vd_query){ .has_since = true, .since_ms = cast_now + DAY }, "dos tres cuatro ");
	expect(c.s, &(struct vd_query){ .has_since = true, .since_ms = cast_now + DAY + 1 }, "tres cuatro ");
	expect(c.s, &(struct vd_query){ .has_until = true, .until_ms = cast_now + DAY }, "uno ");
	expect(c.s,
	       &(struct vd_query){ .has_since = true,
	                           .since_ms = cast_now + 1,
	                           .has_until = true,
	                           .until_ms = cast_now + 2 * (uint64_t)DAY },
	       "dos ");
	expect(c.s, &(struct vd_query){ .has_since = true, .since_ms = UINT64_MAX }, "");
	end(&c);
}

/* A message that replaces others: their ids one after the other. */
static struct vd_id replace(struct vd_store *s, struct vd_group *g, const char *text, const struct vd_id *ids, size_t count)
{
	struct vd_field fields[2] = { { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(text) } } };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = cast_now };
	struct vd_buf content = { 0 }, items = { 0 };
	struct vd_write *w;
	struct vd_id id;

	for (size_t i = 0; i < count; i++)
		vd_mp_put_bin(&items, vd_slice(ids[i].b, VD_ID_BYTES));
	fields[1] = (struct vd_field){ vd_slice_str("replaces"),
		                       { .type = VD_MP_ARRAY, .bytes = vd_buf_slice(&items), .number = count } };
	assert_int_equal(vd_content_encode(vd_slice_str("message"), fields, count ? 2 : 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(vd_write_own(w, g, &draft, &id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	vd_buf_deinit(&items);
	return id;
}

/* What a record replaced and what replaced it, over any number of steps, whichever of them is asked for. */
static void test_index__history(void **state)
{
	struct vd_id ids[8], other[2] = { 0 }, nowhere = { { 5 } };
	uint8_t second[VD_GROUP_BYTES];
	struct vd_check check;
	struct vd_group *g2;
	struct cast c;

	start(&c, *state);
	g2 = cast_found(c.s, second);
	ids[0] = replace(c.s, c.g, "uno", NULL, 0);
	ids[1] = replace(c.s, c.g, "dos", &ids[0], 1);
	ids[2] = replace(c.s, c.g, "tres", &ids[1], 1);
	ids[3] = replace(c.s, c.g, "otra", &ids[0], 1); /* at the same time, elsewhere */
	ids[4] = replace(c.s, c.g, "ambas", &ids[2], 2);
	other[0] = ids[4];
	other[1] = nowhere;
	ids[5] = replace(c.s, c.g, "final", other, 2);
	ids[6] = replace(c.s, c.g, "aparte", NULL, 0);
	ids[7] = replace(c.s, c.g, "de aparte", &ids[6], 1);
	replace(c.s, g2, "de otro grupo", &ids[5], 1);
	for (size_t i = 0; i < 6; i++)
		expect(c.s, &(struct vd_query){ .history = &ids[i] }, "uno dos tres otra ambas final ");
	expect(c.s, &(struct vd_query){ .history = &ids[7] }, "aparte de aparte ");
	expect(c.s, &(struct vd_query){ .history = &ids[7], .group = second }, "");
	expect(c.s, &(struct vd_query){ .history = &nowhere }, "");
	assert_int_equal(vd_check(c.s, false, &check), 0);
	assert_int_equal(check.derived_bad, 0);
	vd_group_free(g2);
	end(&c);
}

static void test_index__search_folds_case_and_accents(void **state)
{
	struct cast c;

	start(&c, *state);
	say(&c, VD_LANE_NORMAL, "message", "Desaparición", NULL, cast_now, NULL);
	say(&c, VD_LANE_NORMAL, "message", "PEÑA", NULL, cast_now + 1, NULL);
	say(&c, VD_LANE_NORMAL, "message", "desaparicio\xcc\x81n", NULL, cast_now + 2, NULL); /* the accent apart */
	say(&c, VD_LANE_NORMAL, "message", "\xe6\xb0\xb4", NULL, cast_now + 3, NULL);
	expect(c.s, &(struct vd_query){ .search = "DESAPARICION", .limit = 1 }, "desaparicio\xcc\x81n ");
	expect(c.s, &(struct vd_query){ .search = "parició" }, "Desaparición desaparicio\xcc\x81n ");
	expect(c.s, &(struct vd_query){ .search = "pena" }, "PEÑA ");
	expect(c.s, &(struct vd_query){ .search = "peña" }, "PEÑA ");
	expect(c.s, &(struct vd_query){ .search = "\xe6\xb0\xb4" }, "\xe6\xb0\xb4 ");
	expect(c.s, &(struct vd_query){ .search = "nada" }, "");
	end(&c);
}

static void test_index__control_only_when_asked(void **state)
{
	struct seen seen = { 0 };
	struct cast c;

	start(&c, *state);
	expect(c.s, &(struct vd_query){ 0 }, "");
	assert_int_equal(vd_query(c.s, &(struct vd_query){ .control = true }, see, &seen), 0);
	assert_int_equal(seen.count, 4);
	end(&c);
}

static void test_index__after(void **state)
{
	uint64_t latest;
	struct cast c;

	start(&c, *state);
	say(&c, VD_LANE_NORMAL, "message", "uno", NULL, cast_now, NULL);
	assert_int_equal(vd_store_latest(c.s, &latest), 0);
	expect(c.s, &(struct vd_query){ .after = latest }, "");
	say(&c, VD_LANE_NORMAL, "message", "dos", NULL, cast_now - 1, NULL);
	expect(c.s, &(struct vd_query){ .after = latest }, "dos ");
	expect(c.s, &(struct vd_query){ .after = latest, .kind = "message" }, "dos ");
	expect(c.s, &(struct vd_query){ .after = UINT64_MAX }, "");
	end(&c);
}

/* By the author's time, but nobody jumps ahead of what had come by then: those from the future stand where they
 * arrived. */
static void test_index__order_caps_time_at_arrival(void **state)
{
	const struct cast_place *p = *state;
	const uint64_t future = 4000000000000;
	struct vd_store *b;
	struct vd_group *gb;
	struct vd_merge merge;
	struct vd_write *w;
	struct cast c;

	start(&c, p);
	b = cast_store(p->other);
	gb = cast_join(c.s, c.g, b);
	assert_int_equal(vd_write_begin(b, &w), 0);
	assert_int_equal(cast_own(w, gb, "future", future, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	cast_carry(b, c.s, c.g, &merge);
	say(&c, VD_LANE_NORMAL, "message", "later", NULL, future - DAY, NULL);
	expect(c.s, &(struct vd_query){ 0 }, "future later ");
	vd_group_free(gb);
	vd_store_close(b);
	end(&c);
}

static void test_index__prefix(void **state)
{
	char hex[2 * VD_ID_BYTES + 1], part[16];
	uint64_t arrival, expected;
	struct vd_id id;
	struct cast c;

	start(&c, *state);
	for (int i = 0; i < 50; i++)
		cast_add(c.s, c.g, "hola", &id);
	assert_int_equal(vd_store_find(c.s, &id, &expected), 0);
	vd_hex(hex, id.b, VD_ID_BYTES);
	for (int digits = 6; digits < 10; digits++) {
		snprintf(part, sizeof(part), "%.*s", digits, hex);
		assert_int_equal(vd_store_find_prefix(c.s, part, &arrival), 0);
		assert_int_equal(arrival, expected);
	}
	for (char *x = part; *x; x++)
		*x = (char)(*x >= 'a' ? *x - 32 : *x);
	assert_int_equal(vd_store_find_prefix(c.s, part, &arrival), 0);
	assert_int_equal(vd_store_find_prefix(c.s, hex, &arrival), 0);
	part[5] = '\0';
	assert_int_equal(vd_store_find_prefix(c.s, part, &arrival), VD_EINVAL);
	assert_int_equal(vd_store_find_prefix(c.s, "xyzxyz", &arrival), VD_EINVAL);
	hex[7] = hex[7] == '0' ? '1' : '0';
	assert_int_equal(vd_store_find_prefix(c.s, hex, &arrival), VD_ENOTFOUND);
	end(&c);
}

static int stop(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)ctx;
	(void)arrival;
	(void)received_ms;
	(void)raw;
	return 7;
}

static void test_index__stopping_a_visit(void **state)
{
	struct cast c;

	start(&c, *state);
	cast_add(c.s, c.g, "hola", NULL);
	assert_int_equal(vd_store_walk(c.s, c.id, 255, 0, stop, NULL), 7);
	end(&c);
}

/* What was a stub, or sealed to keys we had not got yet, is found once it can be read. */
static void test_index__looks_again(void **state)
{
	const struct cast_place *p = *state;
	struct vd_batch whole = { 0 }, part = { 0 };
	struct vd_merge merge = { 0 };
	struct seen seen = { 0 };
	struct vd_record r;
	struct vd_store *b;
	struct vd_group *gb;
	struct cast c;

	start(&c, p);
	b = cast_store(p->other);
	gb = cast_join(c.s, c.g, b);
	cast_add(c.s, c.g, "hola", NULL);
	cast_gather(c.s, VD_LANE_NORMAL, &whole);
	vd_batch_seal(&whole);
	assert_int_equal(vd_record_decode(whole.entries[0].record.raw, &r), 0);
	assert_int_equal(vd_batch_add(&part, vd_slice(r.raw.p, r.header.n + r.signature.n)), 0);
	assert_int_equal(vd_store_merge(b, gb, &part, &merge), 0);
	expect(b, &(struct vd_query){ .kind = "message" }, "");
	assert_int_equal(vd_query(b, &(struct vd_query){ 0 }, see, &seen), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.body, VD_ENOTFOUND);
	assert_int_equal(vd_store_merge(b, gb, &whole, &merge), 0);
	assert_int_equal(merge.filled, 1);
	expect(b, &(struct vd_query){ .kind = "message" }, "hola ");
	expect(b, &(struct vd_query){ .kind = "message" }, "hola ");
	vd_batch_deinit(&whole);
	vd_batch_deinit(&part);
	vd_group_free(gb);
	vd_store_close(b);
	end(&c);
}

/* A new epoch's records come first, the control record with its keys after them. */
static void test_index__looks_again_when_keys_come(void **state)
{
	const struct cast_place *p = *state;
	struct vd_epoch_keys keys = { .key = { { 1 }, { 2 }, { 3 } } };
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .now_ms = cast_now };
	struct vd_buf content = { 0 };
	struct vd_batch normal = { 0 };
	struct vd_merge merge = { 0 };
	struct vd_write *w;
	struct vd_store *b;
	struct vd_group *gb;
	struct vd_id id;
	struct cast c;

	start(&c, p);
	b = cast_store(p->other);
	gb = cast_join(c.s, c.g, b);
	assert_int_equal(vd_write_begin(c.s, &w), 0);
	assert_int_equal(vd_group_make_epoch(c.g, &keys, NULL, 0, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_own(w, c.g, &draft, &id), 0);
	assert_int_equal(cast_own(w, c.g, "hola", cast_now, NULL), 0);
	assert_int_equal(vd_write_commit(w), 0);
	cast_gather(c.s, VD_LANE_NORMAL, &normal);
	assert_int_equal(vd_store_merge(b, gb, &normal, &merge), 0);
	expect(b, &(struct vd_query){ .kind = "message" }, "");
	cast_carry(c.s, b, gb, &merge);
	expect(b, &(struct vd_query){ .kind = "message" }, "hola ");
	vd_buf_deinit(&content);
	vd_batch_deinit(&normal);
	vd_group_free(gb);
	vd_store_close(b);
	end(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_index__kind_day_about_author, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__history, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__search_folds_case_and_accents, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__control_only_when_asked, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__after, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__order_caps_time_at_arrival, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__prefix, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__stopping_a_visit, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__looks_again, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_index__looks_again_when_keys_come, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
