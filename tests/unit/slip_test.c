/* Slips: a record as codes, and what hostile or careless hands make of them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/slip.h"

static const uint8_t link[VD_KEY_BYTES] = { 3 }, other[VD_KEY_BYTES] = { 4 }, group[VD_GROUP_BYTES] = { 7 };

struct paper {
	struct vd_buf raw;
	struct vd_record record;
	char codes[VD_SLIP_CODES_MAX][VD_SLIP_TEXT + 1];
	size_t count;
};

/* The codes of an unsigned record with a body of n bytes. */
static int print(struct paper *p, size_t n, uint8_t tag)
{
	struct vd_record_fields f = { .lane = VD_LANE_URGENT, .seq = 1, .time_ms = 1700000000000 };
	uint8_t signature[VD_SIGNATURE_BYTES] = { tag }, *body = calloc(n + 1, 1);

	assert_non_null(body);
	memset(body, tag, n);
	memcpy(f.group, group, sizeof(group));
	f.author[0] = tag;
	vd_buf_reset(&p->raw);
	assert_int_equal(vd_record_join(&f, signature, vd_slice(body, n), 0, NULL, &p->raw, &p->record), 0);
	free(body);
	return vd_slip_make(link, &p->record, p->codes, &p->count);
}

static int add(struct vd_slips *s, const uint8_t key[VD_KEY_BYTES], const char *text, size_t *which)
{
	uint8_t code[VD_SLIP_CODE_BYTES];
	size_t n;
	int rc = vd_slip_bytes(vd_slice_str(text), code, &n);

	return rc ? rc : vd_slips_add(s, key, group, code, n, which);
}

static void gives_back(struct vd_slips *s, size_t which, const struct paper *p)
{
	struct vd_batch batch = { 0 };

	assert_true(vd_slip_whole(&s->slips[which]));
	assert_int_equal(vd_slip_record(&s->slips[which], &batch), 0);
	vd_batch_seal(&batch);
	assert_true(vd_slice_eq(batch.entries[0].record.raw, vd_buf_slice(&p->raw)));
	vd_batch_deinit(&batch);
}

/* In any order, some twice, two papers mixed. */
static void test_slip__any_length_any_order(void **state)
{
	static struct paper a, b;

	(void)state;
	for (size_t n = 0; n < 1200; n += n < 400 ? 1 : 37) {
		struct vd_slips s = { 0 };
		size_t which;

		assert_int_equal(print(&a, n, 1), 0);
		assert_int_equal(print(&b, n, 2), 0);
		for (size_t i = a.count; i-- > 0;) {
			assert_int_equal(add(&s, link, a.codes[i], &which), 0);
			assert_int_equal(add(&s, link, b.codes[a.count - 1 - i], &which), 0);
			assert_int_equal(add(&s, link, a.codes[i], &which), 0);
			assert_int_equal(vd_slip_whole(&s.slips[which]), i == 0);
			assert_int_equal(strlen(a.codes[i]), strlen(a.codes[0]));
		}
		assert_int_equal(s.count, 2);
		gives_back(&s, 0, &a);
		gives_back(&s, 1, &b);
		vd_slips_deinit(&s);
	}
	vd_buf_deinit(&a.raw);
	vd_buf_deinit(&b.raw);
}

static void test_slip__bounds(void **state)
{
	static struct paper p;
	struct vd_slips s = { 0 };
	size_t n = 0, which;

	(void)state;
	while (print(&p, n, 1) == 0 && p.count < VD_SLIP_CODES_MAX)
		n += 50;
	while (print(&p, n, 1) == 0)
		n++;
	assert_int_equal(print(&p, n, 1), VD_ECAP);
	assert_int_equal(print(&p, n - 1, 1), 0);
	assert_int_equal(p.count, VD_SLIP_CODES_MAX);
	for (size_t i = 0; i < p.count; i++)
		assert_int_equal(add(&s, link, p.codes[i], &which), 0);
	gives_back(&s, 0, &p);
	/* As many papers at a time as are put together, and one more. */
	for (unsigned i = 1; i <= VD_SLIPS_MAX; i++) {
		assert_int_equal(print(&p, 300, (uint8_t)(i + 1)), 0);
		assert_int_equal(add(&s, link, p.codes[1], &which), i < VD_SLIPS_MAX ? 0 : VD_ECAP);
	}
	assert_int_equal(s.count, VD_SLIPS_MAX);
	vd_slips_deinit(&s);
	vd_buf_deinit(&p.raw);
}

/* As somebody types it. */
static void test_slip__typed_by_hand(void **state)
{
	static struct paper p;
	struct vd_slips s = { 0 };
	char typed[3 * VD_SLIP_TEXT];
	size_t which, n = 0;

	(void)state;
	assert_int_equal(print(&p, 60, 1), 0);
	assert_int_equal(p.count, 1);
	for (const char *c = p.codes[0]; *c; c++) {
		if ((c - p.codes[0]) % 4 == 0)
			typed[n++] = "\n -\t\r"[*c % 5];
		typed[n] = *c == '0' ? 'o' : *c == '1' ? (n % 2 ? 'l' : 'I') : *c == 'V' ? 'u' : (char)tolower(*c);
		n++;
	}
	typed[n] = '\0';
	assert_int_equal(add(&s, link, typed, &which), 0);
	gives_back(&s, which, &p);
	vd_slips_deinit(&s);
	vd_buf_deinit(&p.raw);
}

/* Any one character wrong is told, cut or longer too, and so is another's key. */
/* Every code begins as one does; under another key, or at another place of the text, hardly any. */
static void test_slip__begins(void **state)
{
	static struct paper p;
	uint8_t code[VD_SLIP_CODE_BYTES];
	size_t n, others = 0, tried = 0;

	(void)state;
	assert_int_equal(print(&p, 3500, 1), 0);
	for (size_t i = 0; i < p.count; i++) {
		assert_int_equal(vd_slip_bytes(vd_slice_str(p.codes[i]), code, &n), 0);
		assert_true(vd_slip_begins(link, code));
		others += vd_slip_begins(other, code);
		for (size_t at = 1; at + VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES <= n; at++, tried++)
			others += vd_slip_begins(link, code + at);
	}
	assert_true(tried > 2000);
	assert_in_range(others, 0, tried / 50);
	vd_buf_deinit(&p.raw);
}

static void test_slip__misread(void **state)
{
	static struct paper p;
	struct vd_slips s = { 0 };
	char text[VD_SLIP_TEXT + 20];
	size_t which, length;

	(void)state;
	assert_int_equal(print(&p, 180, 1), 0);
	length = strlen(p.codes[0]);
	for (size_t i = 0; i < length; i++) {
		strcpy(text, p.codes[0]);
		text[i] = text[i] == 'Z' ? 'Y' : 'Z';
		assert_int_equal(add(&s, link, text, &which), VD_EKEY);
		text[i] = i % 2 ? '.' : (char)0xc3;
		assert_int_equal(add(&s, link, text, &which), VD_EFORMAT);
		strcpy(text, p.codes[0]);
		text[i] = '\0';
		assert_int_equal(add(&s, link, text, &which), i % 8 || i < 32 ? VD_EFORMAT : VD_EKEY);
	}
	for (size_t more = 1; more < 20; more++) {
		strcpy(text, p.codes[0]);
		memset(text + length, 'A', more);
		text[length + more] = '\0';
		assert_int_equal(add(&s, link, text, &which), (length + more) % 8 || length + more > VD_SLIP_TEXT ? VD_EFORMAT : VD_EKEY);
	}
	assert_int_equal(add(&s, other, p.codes[0], &which), VD_EKEY);
	assert_int_equal(s.count, 0);
	vd_slips_deinit(&s);
	vd_buf_deinit(&p.raw);
}

/* Sealed by who has the key: `plain` as it is. */
static size_t forge(const uint8_t *plain, size_t n, uint8_t *code)
{
	static const uint8_t zero[crypto_stream_xchacha20_NONCEBYTES], one = 1;
	const struct vd_slice tagged[] = { { zero, 1 }, { plain, n } }, keyed[] = { { &one, 1 }, { code, VD_SLIP_TAG_BYTES } };
	uint8_t key[VD_KEY_BYTES];

	vd_hash(VD_HASH_SLIP, vd_slice(link, sizeof(link)), code, VD_SLIP_TAG_BYTES, tagged, 2);
	vd_hash(VD_HASH_SLIP, vd_slice(link, sizeof(link)), key, sizeof(key), keyed, 2);
	crypto_stream_xchacha20_xor(code + VD_SLIP_TAG_BYTES, plain, n, zero, key);
	return VD_SLIP_TAG_BYTES + n;
}

static int add_forged(struct vd_slips *s, const uint8_t *plain, size_t n, size_t *which)
{
	uint8_t code[VD_SLIP_CODE_BYTES];
	size_t code_n = forge(plain, n, code);

	return vd_slips_add(s, link, group, code, code_n, which);
}

/* A member's program may say anything. */
static void test_slip__forged_by_a_member(void **state)
{
	uint8_t plain[180] = { 9, 9, 9, 9 };
	struct vd_slips s = { 0 };
	struct vd_batch batch = { 0 };
	size_t which;

	(void)state;
	/* Numbers and counts. */
	for (unsigned number = 0; number < 256; number++)
		for (unsigned count = 0; count < 256; count++) {
			plain[4] = (uint8_t)number;
			plain[5] = (uint8_t)count;
			if (number && number <= count && count <= VD_SLIP_CODES_MAX)
				continue;
			assert_int_equal(add_forged(&s, plain, 180, &which), VD_EFORMAT);
		}
	assert_int_equal(s.count, 0);
	/* One piece of two words. */
	plain[4] = 1;
	plain[5] = 2;
	assert_int_equal(add_forged(&s, plain, 180, &which), 0);
	plain[40] = 1;
	assert_int_equal(add_forged(&s, plain, 180, &which), VD_EEXISTS);
	vd_slips_deinit(&s);
	/* Lengths that lie, and what stands behind the record. */
	for (unsigned bytes = 0; bytes < 65536; bytes += bytes < 400 ? 1 : 97) {
		memset(plain, 0, sizeof(plain));
		plain[5] = 1;
		plain[4] = 1;
		vd_set_u16(plain + 6, (uint16_t)bytes);
		for (size_t n = 10; n <= 180; n += 85) {
			assert_int_equal(add_forged(&s, plain, n, &which), 0);
			assert_true(vd_slip_whole(&s.slips[which]));
			assert_int_equal(vd_slip_record(&s.slips[which], &batch), VD_EFORMAT);
			vd_slips_deinit(&s);
		}
	}
	assert_int_equal(batch.count, 0);
	vd_batch_deinit(&batch);
}

/* Every byte of what a slip says is another record or none, and never reads past its end. */
static void test_slip__cut_and_changed_inside(void **state)
{
	uint8_t plain[180] = { 0 };
	static struct paper p;
	struct vd_buf compact = { 0 };
	struct vd_compact stream;
	struct vd_slips s = { 0 };
	size_t which;

	(void)state;
	assert_int_equal(print(&p, 20, 1), 0);
	vd_compact_init(&stream, group);
	assert_int_equal(vd_compact_encode(&stream, &p.record, &compact), 0);
	vd_compact_deinit(&stream);
	for (size_t n = 0; n <= compact.n; n++) {
		struct vd_batch batch = { 0 };
		size_t fits = (2 + n + 16 + 4) / 5 * 5 - VD_SLIP_TAG_BYTES;
		int rc;

		memset(plain, 0, sizeof(plain));
		plain[4] = plain[5] = 1;
		vd_set_u16(plain + 6, (uint16_t)n);
		memcpy(plain + 8, compact.p, n);
		if (fits < VD_SLIP_CODE_MIN - VD_SLIP_TAG_BYTES)
			continue;
		assert_int_equal(add_forged(&s, plain, fits, &which), 0);
		rc = vd_slip_record(&s.slips[which], &batch);
		/* Cut inside the body it is another record, whose signature will not hold. */
		assert_int_equal(rc, n >= compact.n - 20 ? 0 : VD_EFORMAT);
		assert_int_equal(batch.count, rc ? 0 : 1);
		vd_batch_deinit(&batch);
		vd_slips_deinit(&s);
		/* A longer tail than zeros. */
		plain[8 + n] = 1;
		if (8 + n >= fits)
			continue;
		assert_int_equal(add_forged(&s, plain, fits, &which), 0);
		assert_int_equal(vd_slip_record(&s.slips[which], &batch), VD_EFORMAT);
		vd_slips_deinit(&s);
	}
	vd_buf_deinit(&compact);
	vd_buf_deinit(&p.raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slip__any_length_any_order),
		cmocka_unit_test(test_slip__bounds),
		cmocka_unit_test(test_slip__typed_by_hand),
		cmocka_unit_test(test_slip__begins),
		cmocka_unit_test(test_slip__misread),
		cmocka_unit_test(test_slip__forged_by_a_member),
		cmocka_unit_test(test_slip__cut_and_changed_inside),
	};

	return cmocka_run_group_tests_name("slip", tests, NULL, NULL);
}
