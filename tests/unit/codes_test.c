/* Codes in text: what is cut, mistyped, too much, or sealed under a key of whom. The words that may stand around them are e2e/cli_bundles.sh's. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/codes.h"
#include "proto/err.h"
#include "tests/village.h"

struct scene {
	struct village mine, theirs; /* mine with two epochs */
	struct vd_bundle_groups groups; /* mine alone */
	struct vd_codes codes;
	char paper[VD_SLIP_CODES_MAX][VD_SLIP_TEXT + 1];
	size_t count;               /* of the codes on it */
};

static int setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	village_found(&s->mine, 1);
	village_epoch(&s->mine, 2);
	village_found(&s->theirs, 2);
	s->groups.group[s->groups.count++] = s->mine.group;
	s->codes.groups = &s->groups;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;

	vd_codes_deinit(&s->codes);
	village_leave(&s->mine);
	village_leave(&s->theirs);
	free(s);
	return 0;
}

/* The codes of that group's unsigned record, told apart by `seq`, under the link key of one of its epochs. */
static void print(struct scene *s, const struct village *v, size_t epoch, uint64_t seq, size_t body_bytes)
{
	static const uint8_t signature[VD_SIGNATURE_BYTES], body[512];
	struct vd_record_fields f = { .lane = VD_LANE_URGENT, .seq = seq, .has_prev = true, .time_ms = 1700000000000 };
	struct vd_buf raw = { 0 };
	struct vd_record record;

	memcpy(f.group, v->id, VD_GROUP_BYTES);
	memcpy(f.author, v->hub.author, VD_KEY_BYTES);
	assert_int_equal(vd_record_join(&f, signature, vd_slice(body, body_bytes), 0, NULL, &raw, &record), 0);
	assert_int_equal(vd_slip_make(vd_group_epoch_keys(v->group, epoch)->key[VD_KEY_LINK], &record, s->paper, &s->count), 0);
	vd_buf_deinit(&raw);
}

static int take(struct scene *s, struct vd_slice text)
{
	vd_codes_deinit(&s->codes);
	s->codes = (struct vd_codes){ .groups = &s->groups };
	return vd_codes_take(&s->codes, text);
}

static void test_codes__keys(void **state)
{
	struct scene *s = *state;

	for (size_t epoch = 0; epoch < 2; epoch++) {
		print(s, &s->mine, epoch, 2, 30);
		assert_int_equal(s->count, 1);
		assert_int_equal(take(s, vd_slice_str(s->paper[0])), 0);
		assert_int_equal(s->codes.read, 1);
		assert_int_equal(s->codes.unread, 0);
	}
	print(s, &s->theirs, 0, 2, 30);
	assert_int_equal(take(s, vd_slice_str(s->paper[0])), 0);
	assert_int_equal(s->codes.read, 0);
	assert_int_equal(s->codes.unread, 1);
	assert_memory_equal(s->codes.misread[0].begin, s->paper[0], VD_CODES_BEGIN);
	assert_int_equal(s->codes.misread[0].line, 1);
}

static void test_codes__of_every_length(void **state)
{
	struct scene *s = *state;
	size_t longest = 0;

	for (size_t body_bytes = 0; body_bytes < 512; body_bytes++) {
		struct vd_buf text = { 0 };

		print(s, &s->mine, 0, 2, body_bytes);
		for (size_t c = 0; c < s->count; c++) {
			vd_buf_put_slice(&text, vd_slice_str(s->paper[c]));
			vd_buf_put_u8(&text, '\n');
		}
		longest = strlen(s->paper[0]) > longest ? strlen(s->paper[0]) : longest;
		assert_int_equal(take(s, vd_buf_slice(&text)), 0);
		assert_int_equal(s->codes.read, s->count);
		assert_int_equal(s->codes.unread, 0);
		assert_true(s->codes.slips.count == 1 && vd_slip_whole(&s->codes.slips.slips[0]));
		vd_buf_deinit(&text);
	}
	assert_int_equal(longest, VD_SLIP_TEXT);
}

static void test_codes__truncated_at_every_byte(void **state)
{
	struct scene *s = *state;
	size_t n;

	print(s, &s->mine, 0, 2, 30);
	n = strlen(s->paper[0]);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(take(s, vd_slice((const uint8_t *)s->paper[0], i)), 0);
		assert_int_equal(s->codes.read, 0);
		assert_int_equal(s->codes.slips.count, 0);
		assert_int_equal(s->codes.unread, i >= VD_SLIP_CODE_MIN / 5 * 8);
	}
	assert_int_equal(take(s, vd_slice((const uint8_t *)s->paper[0], n)), 0);
	assert_int_equal(s->codes.read, 1);
}

static void test_codes__every_character_mistyped(void **state)
{
	struct scene *s = *state;

	print(s, &s->mine, 0, 2, 300);
	assert_true(s->count > 1);
	for (size_t i = 0; s->paper[1][i]; i++) {
		char was = s->paper[1][i];
		struct vd_buf text = { 0 };

		s->paper[1][i] = was == 'X' ? 'Y' : 'X';
		for (size_t c = 0; c < s->count; c++) {
			vd_buf_put_slice(&text, vd_slice_str(s->paper[c]));
			vd_buf_put_u8(&text, '\n');
		}
		assert_int_equal(take(s, vd_buf_slice(&text)), 0);
		assert_int_equal(s->codes.read, s->count - 1);
		assert_int_equal(s->codes.unread, 1);
		assert_int_equal(s->codes.misread[0].line, 2);
		assert_false(vd_slip_whole(&s->codes.slips.slips[0]));
		s->paper[1][i] = was;
		vd_buf_deinit(&text);
	}
}

static void test_codes__as_much_text_as_may_be(void **state)
{
	struct scene *s = *state;
	char *text = malloc(VD_CODES_TEXT_MAX + 1);
	size_t n;

	assert_non_null(text);
	print(s, &s->mine, 0, 2, 30);
	n = strlen(s->paper[0]);
	memset(text, ' ', VD_CODES_TEXT_MAX + 1);
	memcpy(text + VD_CODES_TEXT_MAX - n, s->paper[0], n);
	assert_int_equal(take(s, vd_slice((uint8_t *)text, VD_CODES_TEXT_MAX)), 0);
	assert_int_equal(s->codes.read, 1);
	assert_int_equal(take(s, vd_slice((uint8_t *)text, VD_CODES_TEXT_MAX + 1)), VD_ECAP);
	assert_int_equal(s->codes.read, 0);
	free(text);
}

/* One record more than are put together at a time: it is said, and those before stay. */
static void test_codes__one_record_too_many(void **state)
{
	struct scene *s = *state;
	struct vd_buf text = { 0 };

	for (size_t i = 0; i <= VD_SLIPS_MAX; i++) {
		assert_int_equal(take(s, vd_buf_slice(&text)), 0);
		assert_int_equal(s->codes.slips.count, i);
		print(s, &s->mine, 0, 2 + i, 30);
		vd_buf_put_slice(&text, vd_slice_str(s->paper[0]));
		vd_buf_put_u8(&text, '\n');
	}
	assert_int_equal(take(s, vd_buf_slice(&text)), VD_ECAP);
	assert_int_equal(s->codes.slips.count, VD_SLIPS_MAX);
	vd_buf_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_codes__keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes__of_every_length, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes__truncated_at_every_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes__every_character_mistyped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes__as_much_text_as_may_be, setup, teardown),
		cmocka_unit_test_setup_teardown(test_codes__one_record_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
