#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "proto/err.h"
#include "proto/kind.h"

static uint8_t id[VD_ID_BYTES];

static int setup(void **state)
{
	(void)state;
	memset(id, 7, sizeof(id));
	return 0;
}

static struct vd_field text(const char *name, const char *value)
{
	return (struct vd_field){ vd_slice_str(name), { .type = VD_MP_STR, .bytes = vd_slice_str(value) } };
}

static struct vd_field bin(const char *name, size_t n)
{
	return (struct vd_field){ vd_slice_str(name), { .type = VD_MP_BIN, .bytes = vd_slice(id, n) } };
}

/* Name of the field that vd_kind_check complains of, NULL when it does not. */
static const char *complaint(const char *kind, struct vd_field *fields, size_t count)
{
	const struct vd_field_def *bad;
	struct vd_content content;
	struct vd_buf out = { 0 };
	int rc;

	assert_int_equal(vd_content_encode(vd_slice_str(kind), fields, count, &out), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&out), &content), 0);
	rc = vd_kind_check(&content, &bad);
	vd_buf_deinit(&out);
	assert_int_equal(rc, bad ? VD_EINVAL : 0);
	return bad ? bad->name : NULL;
}

static void complains_of(const char *name, const char *kind, struct vd_field a, struct vd_field b)
{
	struct vd_field fields[] = { a, b };
	const char *bad = complaint(kind, fields, 2);

	assert_true(name ? bad && !strcmp(name, bad) : !bad);
}

static void test_kind__table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < vd_kind_count; i++) {
		const struct vd_kind *kind = &vd_kinds[i];
		const struct vd_field_def *main_text = vd_kind_field(kind, vd_slice_str(kind->main_text));

		assert_ptr_equal(vd_kind_find(vd_slice_str(kind->name)), kind);
		assert_true(strlen(kind->name) <= VD_KIND_MAX && kind->lane != VD_LANE_CONTROL);
		assert_non_null(main_text);
		assert_int_equal(main_text->type, VD_FIELD_TEXT);
		for (size_t k = 0; k < kind->count; k++) {
			const struct vd_field_def *def = &kind->fields[k];

			assert_ptr_equal(vd_kind_field(kind, vd_slice_str(def->name)), def); /* no name twice */
			assert_true(strlen(def->name) <= VD_KIND_MAX);
			assert_int_equal(def->type == VD_FIELD_CHOICE, def->choices != NULL);
		}
		for (size_t k = 0; k < vd_kind_common_count; k++)
			assert_int_equal(vd_kind_field(kind, vd_slice_str(vd_kind_common[k].name))->type, vd_kind_common[k].type);
	}
}

static void test_kind__lanes_and_main_texts(void **state)
{
	static const struct {
		const char *kind, *main_text;
		enum vd_lane lane;
	} cases[] = {
		{ "alert", "headline", VD_LANE_URGENT }, { "ack", "text", VD_LANE_URGENT },
		{ "redaction", "text", VD_LANE_URGENT },
		{ "event", "description", VD_LANE_NORMAL }, { "message", "text", VD_LANE_NORMAL },
		{ "observation", "text", VD_LANE_NORMAL }, { "document", "title", VD_LANE_NORMAL }, { "water_level", "text", VD_LANE_NORMAL },
		{ "alerta", "text", VD_LANE_NORMAL }, { "", "text", VD_LANE_NORMAL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(vd_kind_lane(vd_slice_str(cases[i].kind)), cases[i].lane);
		assert_string_equal(vd_kind_main_text(vd_slice_str(cases[i].kind)), cases[i].main_text);
	}
	assert_null(vd_kind_find(vd_slice_str("alertx")));
	assert_null(vd_kind_find(vd_slice("alert", 4)));
	assert_null(vd_kind_field(NULL, vd_slice_str("headline")));
	assert_int_equal(vd_kind_field(NULL, vd_slice_str("replaces"))->type, VD_FIELD_IDS);
}

static void test_kind__required_fields(void **state)
{
	struct vd_field other = text("other", "free");

	(void)state;
	complains_of("headline", "alert", text("description", "x"), other);
	complains_of(NULL, "alert", text("headline", "x"), other);
	complains_of("about", "ack", text("stage", "seen"), other);
	complains_of("stage", "ack", bin("about", 32), other);
	complains_of(NULL, "ack", bin("about", 32), text("stage", "seen"));
	complains_of("about", "redaction", text("text", "names a witness"), other);
	complains_of("about", "redaction", text("text", "names a witness"), bin("about", 31));
	complains_of(NULL, "redaction", bin("about", 32), other);
	complains_of("text", "message", text("texto", "x"), other);
	complains_of(NULL, "message", text("text", "   "), other);
	complains_of(NULL, "event", text("place", "x"), other);
	assert_null(complaint("water_level", NULL, 0));
}

static void test_kind__choices_are_closed(void **state)
{
	struct vd_field headline = text("headline", "x");

	(void)state;
	complains_of(NULL, "alert", headline, text("severity", "extreme"));
	complains_of("severity", "alert", headline, text("severity", "Extreme"));
	complains_of("severity", "alert", headline, text("severity", "extremely"));
	complains_of(NULL, "alert", headline, text("severity", "")); /* an empty box */
	complains_of("stage", "ack", bin("about", 32), text("stage", ""));
	complains_of("severity", "alert", headline, bin("severity", 1));
	complains_of(NULL, "water_level", headline, text("severity", "any")); /* not in this kind */
	complains_of(NULL, "event", text("violation_status", "confirmed"), text("reliability", "unsure"));
	complains_of("status", "alert", headline, text("status", "draft"));
}

static void test_kind__types(void **state)
{
	struct vd_field t = text("text", "x");
	struct vd_field number = { vd_slice_str("text"), { .type = VD_MP_UINT, .number = 7 } };
	struct vd_buf list = { 0 };
	struct vd_field items = { vd_slice_str("rights"), { .type = VD_MP_ARRAY } };

	(void)state;
	complains_of("about", "message", t, bin("about", 31));
	complains_of("about", "message", t, text("about", "0123"));
	complains_of(NULL, "message", t, bin("about", 32));
	complains_of("about", "water_level", t, bin("about", 31)); /* also in a kind that nobody defined */
	complains_of("text", "message", number, bin("about", 32));
	complains_of("rights", "event", t, text("rights", "land"));

	vd_mp_put_str(&list, vd_slice_str("land"));
	items.value.bytes = vd_buf_slice(&list);
	items.value.number = 1;
	complains_of(NULL, "event", t, items);
	items.name = vd_slice_str("replaces");
	complains_of("replaces", "event", t, items);
	vd_buf_reset(&list);
	vd_mp_put_bin(&list, vd_slice(id, 32));
	items.value.bytes = vd_buf_slice(&list);
	complains_of(NULL, "event", t, items);
	items.name = vd_slice_str("rights");
	complains_of("rights", "event", t, items);
	vd_buf_deinit(&list);
}

static void test_kind__times(void **state)
{
	static const char *const good[] = {
		"2024", "2024-02", "2024-02-29", "2000-02-29", "2024-12-31T23:59:59Z", "2024-12-31t00:00:00z",
		"2024-12-31 00:00:00.123456-05:00", "2016-12-31T23:59:60Z", "2024-06-01T12:00:00+05:30",
	};
	static const char *const bad[] = {
		"", "24", "202", "2024-", "2024-1", "2024-13", "2024-00", "2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31",
		"2024-01-00", "2024-01-1", "2024/01/01", "2024-01-01T", "2024-01-01T12:00Z", "2024-01-01T12:00:00",
		"2024-01-01T24:00:00Z", "2024-01-01T12:60:00Z", "2024-01-01T12:00:61Z", "2024-01-01T12:00:00.Z",
		"2024-01-01T12:00:00+5:00", "2024-01-01T12:00:00+05:00Z", "2024-01-01T12:00:00ZZ", "yesterday", "-024", "2024-01-01x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(vd_time_text_ok(vd_slice_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(vd_time_text_ok(vd_slice_str(bad[i])));
	complains_of(NULL, "event", text("date", "2024-02"), text("end_date", ""));
	complains_of("end_date", "event", text("date", "2024-02"), text("end_date", "soon"));
	complains_of("onset", "alert", text("headline", "x"), text("onset", "soon"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind__table_is_sound),
		cmocka_unit_test(test_kind__lanes_and_main_texts),
		cmocka_unit_test(test_kind__required_fields),
		cmocka_unit_test(test_kind__choices_are_closed),
		cmocka_unit_test(test_kind__types),
		cmocka_unit_test(test_kind__times),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
