#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/fields.h"
#include "proto/body.h"
#include "proto/err.h"

static struct vd_fields fields;
static struct vd_bad_field bad;

static int find(void *ctx, const char *prefix, struct vd_id *out)
{
	(void)ctx;
	if (strcmp(prefix, "abcdef") != 0)
		return VD_ENOTFOUND;
	memset(out->b, 0xab, VD_ID_BYTES);
	return 0;
}

static const struct vd_id_finder finder = { find, NULL };

static int put(const char *name, const char *value)
{
	return vd_fields_put(&fields, vd_slice_str(name), vd_slice_str(value), &bad);
}

static int put_json(const char *name, const char *json)
{
	/* As long as the fields: they borrow. */
	static json_t *value;

	json_decref(value);
	value = json_loads(json, JSON_DECODE_ANY, NULL);
	assert_non_null(value);
	return vd_fields_put_json(&fields, vd_slice_str(name), value, &bad);
}

static int encode(struct vd_buf *out, struct vd_content *content)
{
	int rc;

	vd_buf_reset(out);
	rc = vd_fields_encode(&fields, out, &bad);
	if (!rc)
		assert_int_equal(vd_content_decode(vd_buf_slice(out), content), 0);
	return rc;
}

static int start(const char *kind)
{
	vd_fields_deinit(&fields);
	return vd_fields_init(&fields, kind, &finder);
}

static void test_fields__kinds(void **state)
{
	static const char *const refused[] = { "", "Alert", "a b", "9a", "_a", "-", "a/b", "a23456789012345678901234567890123", "á" };

	(void)state;
	assert_int_equal(start("alert"), 0);
	assert_non_null(fields.def);
	assert_int_equal(start("x-sighting_2"), 0);
	assert_null(fields.def);
	assert_int_equal(start("a2345678901234567890123456789012"), 0);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		assert_int_equal(start(refused[i]), VD_EINVAL);
}

static void test_fields__each_value_as_the_table_wants_it(void **state)
{
	struct vd_buf out = { 0 };
	struct vd_content content;
	const struct vd_value *v;

	(void)state;
	assert_int_equal(start("event"), 0);
	assert_int_equal(put("title", "  as it stands "), 0);
	assert_int_equal(put("remarks", ""), 0);
	assert_int_equal(put("about", "abcdef"), 0);
	assert_int_equal(put("rights", "life|movement"), 0);
	assert_int_equal(put("rights", "water"), 0);
	assert_int_equal(put("replaces", ""), 0);
	assert_int_equal(put("shoe_size", "42"), 0);
	assert_int_equal(encode(&out, &content), 0);
	assert_int_equal(content.count, 5);
	assert_true(vd_slice_eq(vd_content_get(&content, "title", VD_MP_STR, 0)->bytes, vd_slice_str("  as it stands ")));
	assert_int_equal(vd_content_get(&content, "remarks", VD_MP_STR, 0)->bytes.n, 0);
	assert_int_equal(vd_content_get(&content, "about", VD_MP_BIN, VD_ID_BYTES)->bytes.p[31], 0xab);
	v = vd_content_get(&content, "rights", VD_MP_ARRAY, 0);
	assert_non_null(v);
	assert_int_equal(v->number, 3);
	assert_non_null(vd_content_get(&content, "shoe_size", VD_MP_STR, 0));
	vd_buf_deinit(&out);
}

/* Two lists that grow in turn share one room. */
static void test_fields__lists_grow_in_turn(void **state)
{
	struct vd_buf out = { 0 };
	struct vd_content content;
	struct vd_value item;
	struct vd_rd items;
	char name[16];

	(void)state;
	assert_int_equal(start("event"), 0);
	for (int i = 0; i < VD_LIST_MAX; i++) {
		snprintf(name, sizeof name, "right %d", i);
		assert_int_equal(put("rights", name), 0);
		assert_int_equal(put("replaces", "abcdef"), 0);
	}
	assert_int_equal(put("rights", "one more"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_LIST);
	assert_int_equal(start("event"), 0);
	for (int i = 0; i < VD_LIST_MAX; i++) {
		char value[16];

		snprintf(value, sizeof value, "right %d", i);
		assert_int_equal(put("rights", value), 0);
		assert_int_equal(put("replaces", "abcdef"), 0);
	}
	assert_int_equal(encode(&out, &content), 0);
	items = vd_value_items(vd_content_get(&content, "rights", VD_MP_ARRAY, 0));
	for (int i = 0; i < VD_LIST_MAX; i++) {
		snprintf(name, sizeof name, "right %d", i);
		assert_true(vd_value_next(&items, &item));
		assert_true(vd_slice_eq(item.bytes, vd_slice_str(name)));
	}
	vd_buf_deinit(&out);
}

static void test_fields__what_is_wrong(void **state)
{
	struct vd_buf out = { 0 };
	struct vd_content content;
	char big[VD_BODY_MAX + 1];

	(void)state;
	assert_int_equal(start("event"), 0);
	assert_int_equal(put("title", "a\xff"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_TEXT);
	assert_int_equal(put("about", "nothex"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_ID);
	assert_int_equal(put("about", "abcde"), VD_EINVAL);
	assert_int_equal(put("about", "123456"), VD_EINVAL);
	assert_int_equal(put("", "x"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_NAME_BAD);
	assert_int_equal(put("a\nb", "x"), VD_EINVAL);
	assert_int_equal(put("title", "x"), 0);
	assert_int_equal(put("title", "y"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_TWICE);
	assert_int_equal(put("priority", "huge"), 0);
	assert_int_equal(encode(&out, &content), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_CHOICE);
	assert_string_equal(bad.field, "priority");
	assert_non_null(strstr(bad.detail, "urgent, high"));
	assert_int_equal(start("message"), 0);
	assert_int_equal(put("other", "x"), 0);
	assert_int_equal(encode(&out, &content), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_MISSING);
	assert_int_equal(start("message"), 0);
	memset(big, 'x', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	assert_int_equal(put("text", big), 0);
	assert_int_equal(encode(&out, &content), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_TOO_LONG);
	assert_int_equal(out.n, 0);
	/* The last length that passes here is one that can be sealed. */
	for (size_t n = VD_BODY_PLAIN_MAX + 1; n > 0; n--) {
		uint8_t key[VD_KEY_BYTES] = { 0 }, nonce[VD_BODY_NONCE_BYTES] = { 0 }, epoch[VD_EPOCH_BYTES] = { 0 };
		struct vd_buf sealed = { 0 };

		big[n] = '\0';
		assert_int_equal(start("message"), 0);
		assert_int_equal(put("text", big), 0);
		if (encode(&out, &content))
			continue;
		assert_true(n > VD_BODY_PLAIN_MAX - 64);
		assert_int_equal(vd_body_seal(VD_AUDIENCE_MEMBERS, epoch, key, nonce, vd_slice(NULL, 0), vd_buf_slice(&out), &sealed), 0);
		vd_buf_deinit(&sealed);
		break;
	}
	assert_int_equal(start("x-many"), 0);
	for (int i = 0; i <= VD_FIELDS_MAX; i++) {
		static char names[VD_FIELDS_MAX + 1][8];

		snprintf(names[i], sizeof names[i], "f%d", i);
		assert_int_equal(put(names[i], "x"), i < VD_FIELDS_MAX ? 0 : VD_EINVAL);
	}
	assert_int_equal(bad.msg, VD_MSG_FIELDS_MANY);
	vd_buf_deinit(&out);
}

static void test_fields__json(void **state)
{
	struct vd_buf out = { 0 };
	struct vd_content content;
	static const struct {
		const char *json, *text;
	} numbers[] = { { "4.60971", "4.60971" }, { "-1", "-1" }, { "-74.08175", "-74.08175" }, { "0.1", "0.1" }, { "1e21", "1e+21" },
		        { "0.30000000000000004", "0.30000000000000004" } };

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		assert_int_equal(start("x-place"), 0);
		assert_int_equal(put_json("lat", numbers[i].json), 0);
		assert_int_equal(encode(&out, &content), 0);
		assert_true(vd_slice_eq(vd_content_get(&content, "lat", VD_MP_STR, 0)->bytes, vd_slice_str(numbers[i].text)));
	}
	assert_int_equal(start("message"), 0);
	assert_int_equal(put_json("text", "7"), 0);
	assert_int_equal(encode(&out, &content), 0);
	assert_true(vd_slice_eq(vd_content_get(&content, "text", VD_MP_STR, 0)->bytes, vd_slice_str("7")));
	assert_int_equal(start("x-form"), 0);
	assert_int_equal(put_json("n", "7"), 0);
	assert_int_equal(put_json("no", "null"), 0);
	assert_int_equal(put_json("b", "true"), 0);
	assert_int_equal(put_json("l", "[1,\"a\",[]]"), VD_EINVAL);
	assert_int_equal(put_json("o", "{}"), VD_EINVAL);
	assert_int_equal(bad.msg, VD_MSG_FIELD_TYPE);
	assert_int_equal(start("event"), 0);
	assert_int_equal(put_json("title", "true"), VD_EINVAL);
	assert_int_equal(put_json("title", "[\"a\"]"), VD_EINVAL);
	assert_int_equal(put_json("about", "5"), VD_EINVAL);
	vd_buf_deinit(&out);
}

/* CLI.md's table of exit codes, as far as errors go. */
static void test_fail__exit_codes(void **state)
{
	(void)state;
	assert_int_equal(vd_exit_of(VD_OK), 0);
	assert_int_equal(vd_exit_of(VD_EINVAL), 2);
	assert_int_equal(vd_exit_of(VD_ETORN), 3);
	assert_int_equal(vd_exit_of(VD_ENOSTORE), 10);
	assert_int_equal(vd_exit_of(VD_EBUSY), 11);
	assert_int_equal(vd_exit_of(VD_EKEY), 12);
	assert_int_equal(vd_exit_of(VD_EGROUP), 12);
	assert_int_equal(vd_exit_of(VD_ECLOSED), 13);
	assert_int_equal(vd_exit_of(VD_EDAMAGED), 14);
	assert_int_equal(vd_exit_of(VD_ESIGNATURE), 14);
	assert_int_equal(vd_exit_of(VD_EFORMAT), 14);
	assert_int_equal(vd_exit_of(VD_ENOSPACE), 15);
	assert_int_equal(vd_exit_of(VD_EIO), 15);
	assert_int_equal(vd_exit_of(VD_EAMBIGUOUS), 16);
	for (int err = -1; err >= VD_EDENIED; err--)
		assert_int_not_equal(vd_exit_of(err), 0);
	assert_int_equal(vd_exit_of(-1000), 1);
}

static int teardown(void **state)
{
	(void)state;
	vd_fields_deinit(&fields);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields__kinds),
		cmocka_unit_test(test_fields__each_value_as_the_table_wants_it),
		cmocka_unit_test(test_fields__lists_grow_in_turn),
		cmocka_unit_test(test_fields__what_is_wrong),
		cmocka_unit_test(test_fields__json),
		cmocka_unit_test(test_fail__exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
