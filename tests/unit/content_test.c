#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/content.h"
#include "proto/err.h"

#define BYTES(literal) vd_slice(literal, sizeof(literal) - 1)

static struct vd_content content;

static struct vd_field text_field(const char *name, const char *value)
{
	return (struct vd_field){ vd_slice_str(name), { .type = VD_MP_STR, .bytes = vd_slice_str(value) } };
}

static struct vd_field bin_field(const char *name, const void *p, size_t n)
{
	return (struct vd_field){ vd_slice_str(name), { .type = VD_MP_BIN, .bytes = vd_slice(p, n) } };
}

static struct vd_field list_field(const char *name, const struct vd_buf *elements, uint64_t count)
{
	return (struct vd_field){ vd_slice_str(name),
		                  { .type = VD_MP_ARRAY, .bytes = vd_buf_slice(elements), .number = count } };
}

/* One field of every type. */
static void encode_sample(struct vd_buf *out)
{
	struct vd_buf list = { 0 };
	struct vd_field fields[6] = {
		text_field("text", "una cosa"), bin_field("about", "0123456789abcdef0123456789abcdef", 32),
		{ BYTES("yes"), { .type = VD_MP_BOOL, .number = 1 } }, { BYTES("count"), { .type = VD_MP_UINT, .number = 300 } },
		text_field("blank", ""),
	};

	vd_mp_put_str(&list, BYTES("a"));
	vd_mp_put_uint(&list, 70000);
	vd_mp_put_bin(&list, BYTES("\0\1"));
	fields[5] = list_field("list", &list, 3);
	assert_int_equal(vd_content_encode(BYTES("sample"), fields, 6, out), 0);
	vd_buf_deinit(&list);
}

static void test_content__round_trip(void **state)
{
	const struct vd_value *v;
	struct vd_value item;
	struct vd_buf out = { 0 };
	struct vd_rd r;

	(void)state;
	encode_sample(&out);
	assert_int_equal(vd_content_decode(vd_buf_slice(&out), &content), 0);
	assert_true(vd_slice_eq(content.kind, BYTES("sample")));
	assert_int_equal(content.count, 6);
	for (uint32_t i = 1; i < content.count; i++)
		assert_true(vd_slice_cmp(content.fields[i - 1].name, content.fields[i].name) < 0);
	assert_true(vd_slice_eq(vd_content_get(&content, "text", VD_MP_STR, 0)->bytes, BYTES("una cosa")));
	assert_int_equal(vd_content_get(&content, "blank", VD_MP_STR, 0)->bytes.n, 0);
	assert_int_equal(vd_content_get(&content, "yes", VD_MP_BOOL, 0)->number, 1);
	assert_int_equal(vd_content_get(&content, "count", VD_MP_UINT, 0)->number, 300);
	assert_non_null(vd_content_get(&content, "about", VD_MP_BIN, 0));
	assert_non_null(vd_content_get(&content, "about", VD_MP_BIN, 32));
	assert_null(vd_content_get(&content, "about", VD_MP_BIN, 31));
	assert_null(vd_content_get(&content, "about", VD_MP_STR, 0));
	assert_null(vd_content_get(&content, "abou", VD_MP_BIN, 0));
	assert_null(vd_content_find(&content, ""));

	v = vd_content_get(&content, "list", VD_MP_ARRAY, 0);
	assert_int_equal(v->number, 3);
	r = vd_value_items(v);
	assert_true(vd_value_next(&r, &item) && item.type == VD_MP_STR && vd_slice_eq(item.bytes, BYTES("a")));
	assert_true(vd_value_next(&r, &item) && item.type == VD_MP_UINT && item.number == 70000);
	assert_true(vd_value_next(&r, &item) && item.type == VD_MP_BIN && item.bytes.n == 2);
	assert_false(vd_value_next(&r, &item));
	r = vd_value_items(vd_content_get(&content, "text", VD_MP_STR, 0));
	assert_false(vd_value_next(&r, &item));
	vd_buf_deinit(&out);
}

/* Whatever still decodes after a change encodes back to those very bytes: one value, one encoding. */
static void reencodes(struct vd_slice in)
{
	struct vd_buf out = { 0 };

	if (vd_content_decode(in, &content) == 0) {
		assert_int_equal(vd_content_encode(content.kind, content.fields, content.count, &out), 0);
		assert_true(vd_slice_eq(vd_buf_slice(&out), in));
	}
	vd_buf_deinit(&out);
}

static void test_content__truncated_and_flipped_anywhere(void **state)
{
	struct vd_buf out = { 0 };
	uint8_t *copy;

	(void)state;
	encode_sample(&out);
	for (size_t n = 0; n < out.n; n++) {
		copy = malloc(n ? n : 1); /* of its own, so that a sanitizer sees a read past the end */
		memcpy(copy, out.p, n);
		assert_int_equal(vd_content_decode(vd_slice(copy, n), &content), VD_EFORMAT);
		free(copy);
	}
	for (size_t i = 0; i < out.n; i++) {
		for (unsigned mask = 1; mask < 256; mask++) {
			out.p[i] ^= (uint8_t)mask;
			reencodes(vd_buf_slice(&out));
			out.p[i] ^= (uint8_t)mask;
		}
	}
	vd_buf_put_u8(&out, 0xc0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&out), &content), VD_EFORMAT);
	vd_buf_deinit(&out);
}

static void test_content__refused_forms(void **state)
{
	static const struct {
		struct vd_slice in;
		int rc;
	} cases[] = {
		{ { (const uint8_t *)"\x92\xa1k\x90", 4 }, 0 },
		{ { (const uint8_t *)"\x93\xa1k\x90\xc0", 5 }, VD_ECAP },
		{ { (const uint8_t *)"\x91\xa1k", 3 }, VD_EFORMAT },
		{ { (const uint8_t *)"\x92\xa0\x90", 3 }, VD_EFORMAT },                          /* no kind */
		{ { (const uint8_t *)"\x92\xc4\x01k\x90", 5 }, VD_EFORMAT },                     /* kind a bin */
		{ { (const uint8_t *)"\x92\xa1k\x91\x92\xa0\x01", 7 }, VD_EFORMAT },             /* no field name */
		{ { (const uint8_t *)"\x92\xa1k\x91\x92\xa1""a\xc0", 8 }, VD_EFORMAT },          /* nil */
		{ { (const uint8_t *)"\x92\xa1k\x91\x91\xa1""a", 7 }, VD_EFORMAT },              /* no value */
		{ { (const uint8_t *)"\x92\xa1k\x92\x92\xa1""b\1\x92\xa1""a\1", 12 }, VD_EFORMAT }, /* descending */
		{ { (const uint8_t *)"\x92\xa1k\x92\x92\xa1""a\1\x92\xa1""a\1", 12 }, VD_EFORMAT }, /* twice */
		{ { (const uint8_t *)"\x92\xa1k\x91\x92\xa1""a\x91\xc3", 9 }, VD_EFORMAT },      /* bool in a list */
		{ { (const uint8_t *)"\x92\xa1k\x91\x92\xa1""a\x91\x90", 9 }, VD_EFORMAT },      /* list in a list */
		{ { (const uint8_t *)"\x92\xa1k\x91\x92\xa1""a\x90", 8 }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(vd_content_decode(cases[i].in, &content), cases[i].rc);
}

static void test_content__caps(void **state)
{
	static struct vd_field fields[VD_FIELDS_MAX + 1];
	static char names[VD_FIELDS_MAX + 1][8];
	char name[VD_KIND_MAX + 2];
	struct vd_buf out = { 0 }, list = { 0 };
	struct vd_field field;

	(void)state;
	for (size_t i = 0; i <= VD_FIELDS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		fields[i] = text_field(names[i], "");
	}
	assert_int_equal(vd_content_encode(BYTES("k"), fields, VD_FIELDS_MAX, &out), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(&out), &content), 0);
	vd_buf_reset(&out);
	assert_int_equal(vd_content_encode(BYTES("k"), fields, VD_FIELDS_MAX + 1, &out), VD_EINVAL);
	assert_int_equal(out.n, 0);

	memset(name, 'n', sizeof(name));
	name[VD_KIND_MAX] = '\0';
	fields[0] = text_field(name, "");
	assert_int_equal(vd_content_encode(vd_slice_str(name), fields, 1, &out), 0);
	name[VD_KIND_MAX] = 'n';
	name[VD_KIND_MAX + 1] = '\0';
	assert_int_equal(vd_content_encode(vd_slice_str(name), fields, 1, &out), VD_EINVAL);
	fields[0] = text_field(name, "");
	assert_int_equal(vd_content_encode(BYTES("k"), fields, 1, &out), VD_EINVAL);

	for (unsigned i = 0; i <= VD_LIST_MAX; i++)
		vd_mp_put_uint(&list, 1);
	field = list_field("l", &list, VD_LIST_MAX + 1);
	assert_int_equal(vd_content_encode(BYTES("k"), &field, 1, &out), VD_EINVAL);
	list.n--;
	field = list_field("l", &list, VD_LIST_MAX);
	assert_int_equal(vd_content_encode(BYTES("k"), &field, 1, &out), 0);
	vd_buf_deinit(&out);
	vd_buf_deinit(&list);
}

static void test_content__encode_refuses_what_decode_would(void **state)
{
	struct vd_buf out = { 0 }, list = { 0 };
	struct vd_field two[2] = { text_field("a", "x"), text_field("a", "y") }, one;

	(void)state;
	vd_buf_put_u8(&out, 'x'); /* what stood there before stays */
	assert_int_equal(vd_content_encode(BYTES("k"), two, 2, &out), VD_EINVAL);
	one = text_field("", "x");
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one = text_field("a", "\xff");
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one.value.bytes = BYTES("a\0b");
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one.value.type = VD_MP_NIL;
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one = text_field("a", "x");
	assert_int_equal(vd_content_encode(BYTES(""), &one, 1, &out), VD_EINVAL);
	/* Elements that are another number than said, or none of ours. */
	vd_mp_put_uint(&list, 1);
	one = list_field("a", &list, 2);
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one = list_field("a", &list, 0);
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	one = list_field("a", &list, (uint64_t)1 << 32);
	assert_int_equal(vd_content_encode(BYTES("k"), &one, 1, &out), VD_EINVAL);
	assert_int_equal(out.n, 1);
	assert_int_equal(vd_content_encode(BYTES("k"), NULL, 0, &out), 0);
	vd_buf_deinit(&out);
	vd_buf_deinit(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_content__round_trip),
		cmocka_unit_test(test_content__truncated_and_flipped_anywhere),
		cmocka_unit_test(test_content__refused_forms),
		cmocka_unit_test(test_content__caps),
		cmocka_unit_test(test_content__encode_refuses_what_decode_would),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
