/* Receipts: their form, what fits, and whose word they are. */
#include "proto/receipt.h"
#include "tests/unit/mesh_fixture.h"

static const uint8_t none_signed[VD_SIGNATURE_BYTES];

static struct vd_receipt example(void)
{
	struct vd_receipt r = { .count = 300, .time_ms = MESH_NOW, .keep_until = 20000, .restored = true };

	for (int lane = 0; lane < VD_LANES; lane++) {
		r.lanes[lane].count = lane ? 200u * (unsigned)lane : 0;
		r.lanes[lane].whole = lane % 2;
		if (lane)
			memset(r.lanes[lane].digest, 0x40 + lane, VD_RECEIPT_DIGEST);
	}
	return r;
}

static struct vd_span span(uint64_t item, uint64_t length)
{
	struct vd_span s = { .length = length };

	vd_set_u64(s.item, item);
	return s;
}

static void test_receipt__says_what_it_was_made_of(void **state)
{
	struct vd_span spans[] = { span(9, 1), span(3, 128), span(9, 7), span(UINT64_MAX, UINT64_MAX) }, s;
	struct vd_receipt said = example(), r;
	struct person hub, ana, luz;
	struct vd_buf bytes = { 0 };
	struct vd_slice rest;
	struct mesh m;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &luz);
	assert_int_equal(vd_receipt_make(ana.group, &said, spans, 4, &bytes), 0);
	assert_int_equal(vd_receipt_verify(hub.group, vd_buf_slice(&bytes), &r), 0);
	assert_memory_equal(r.author, vd_group_identity(ana.group)->author, VD_KEY_BYTES);
	assert_true(r.count == said.count && r.time_ms == said.time_ms && r.keep_until == said.keep_until && r.restored);
	assert_memory_equal(r.lanes, said.lanes, sizeof(r.lanes));
	rest = r.spans;
	assert_true(vd_receipt_next(&rest, &s) && vd_get_u64(s.item) == 3 && s.length == 128);
	assert_true(vd_receipt_next(&rest, &s) && vd_get_u64(s.item) == 9);
	assert_true(vd_receipt_next(&rest, &s) && vd_get_u64(s.item) == UINT64_MAX && s.length == UINT64_MAX);
	assert_false(vd_receipt_next(&rest, &s));
	/* Of nobody's we know, of another group, of a removed device it says nothing. */
	{
		struct person other, late, gone;
		struct mesh apart;

		mesh_of_three(&apart, &other, &late, &gone);
		assert_int_equal(vd_receipt_verify(other.group, vd_buf_slice(&bytes), &r), VD_EAUTHOR);
		mesh_end_three(&apart, &other, &late, &gone);
	}
	vd_buf_deinit(&bytes);
	mesh_end_three(&m, &hub, &ana, &luz);
}

static void test_receipt__every_byte_counts(void **state)
{
	struct vd_span spans[] = { span(3, 128), span(9, 1) };
	struct vd_receipt said = example(), r;
	struct person hub, ana, luz;
	struct vd_buf bytes = { 0 };
	struct mesh m;

	(void)state;
	mesh_of_three(&m, &hub, &ana, &luz);
	assert_int_equal(vd_receipt_make(ana.group, &said, spans, 2, &bytes), 0);
	for (size_t n = 0; n < bytes.n; n++) {
		int rc = vd_receipt_verify(hub.group, vd_slice(bytes.p, n), &r);

		assert_true(rc == VD_EFORMAT || rc == VD_ESIGNATURE);
	}
	for (size_t i = 0; i < bytes.n * 8; i++) {
		int rc;

		bytes.p[i / 8] ^= 1 << i % 8;
		rc = vd_receipt_verify(hub.group, vd_buf_slice(&bytes), &r);
		assert_true(rc == VD_EFORMAT || rc == VD_ESIGNATURE || rc == VD_EAUTHOR || rc == VD_EVERSION);
		bytes.p[i / 8] ^= 1 << i % 8;
	}
	assert_int_equal(vd_receipt_verify(hub.group, vd_buf_slice(&bytes), &r), 0);
	/* A byte behind it is none of it: the signature stands at the end. */
	vd_buf_put_u8(&bytes, 0);
	assert_int_not_equal(vd_receipt_verify(hub.group, vd_buf_slice(&bytes), &r), 0);
	vd_buf_deinit(&bytes);
	mesh_end_three(&m, &hub, &ana, &luz);
}

/* What does not fit is left out, the first come first; what is longer is refused. */
static void test_receipt__as_many_as_fit(void **state)
{
	enum { MANY = VD_RECEIPT_MAX / VD_SPAN_MIN + 1 };
	struct vd_span *spans = calloc(MANY, sizeof(*spans)), s;
	struct vd_receipt said = example(), r;
	struct vd_buf bytes = { 0 };
	struct vd_slice rest;
	uint64_t lowest = UINT64_MAX;
	size_t count = 0;

	(void)state;
	assert_non_null(spans);
	for (size_t i = 0; i < MANY; i++)
		spans[i] = span(MANY - i, 1);
	assert_int_equal(vd_receipt_restore(&said, spans, MANY, none_signed, &bytes), 0);
	assert_true(bytes.n <= VD_RECEIPT_MAX && bytes.n > VD_RECEIPT_MAX - VD_SPAN_MIN);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), 0);
	for (rest = r.spans; vd_receipt_next(&rest, &s); count++)
		lowest = vd_get_u64(s.item) < lowest ? vd_get_u64(s.item) : lowest;
	assert_int_equal(count, r.spans.n / VD_SPAN_MIN);
	assert_int_equal(lowest, MANY - count + 1);
	/* One span more than may be, in the right order. */
	{
		size_t head = bytes.n - VD_SIGNATURE_BYTES - r.spans.n;
		struct vd_buf more = { 0 };

		vd_buf_put(&more, bytes.p, head);
		for (size_t i = 0; i <= count; i++) {
			s = span(i + 1, 1);
			vd_buf_put(&more, s.item, VD_ITEM_BYTES);
			vd_buf_put_varint(&more, s.length);
		}
		vd_buf_put(&more, bytes.p, VD_SIGNATURE_BYTES);
		assert_true(more.n > VD_RECEIPT_MAX);
		assert_int_equal(vd_receipt_decode(vd_buf_slice(&more), &r), VD_EFORMAT);
		more.n -= VD_SPAN_MIN;
		assert_int_equal(vd_receipt_decode(vd_buf_slice(&more), &r), 0);
		vd_buf_deinit(&more);
	}
	spans[0].length = 0;
	vd_buf_reset(&bytes);
	assert_int_equal(vd_receipt_restore(&said, spans, 1, none_signed, &bytes), VD_EINVAL);
	vd_buf_deinit(&bytes);
	free(spans);
}

/* Out of order, twice, of no record; flags nobody has; a newer version. */
static void test_receipt__forms_that_are_none(void **state)
{
	struct vd_span spans[] = { span(3, 1), span(9, 1) };
	struct vd_receipt said = example(), r;
	struct vd_buf bytes = { 0 };
	uint8_t *p;

	(void)state;
	assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &bytes), 0);
	p = bytes.p + bytes.n - VD_SIGNATURE_BYTES - 2 * VD_SPAN_MIN;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), 0);
	p[7] = 9;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	p[7] = 10;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	p[7] = 3;
	p[8] = 0;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	p[8] = 0x80; /* a varint that goes on into the next item */
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	p[8] = 1;
	bytes.p[1] |= 0x20;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	bytes.p[1] &= 0x1f;
	bytes.p[0] = 2;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EVERSION);
	bytes.p[0] = 0;
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&bytes), &r), VD_EFORMAT);
	vd_buf_deinit(&bytes);
}

static void test_receipt__same_but_for_when(void **state)
{
	struct vd_span spans[] = { span(3, 1), span(9, 1) };
	struct vd_receipt said = example();
	struct vd_buf a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &a), 0);
	said.count++;
	said.time_ms += 5;
	said.keep_until++;
	assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &b), 0);
	assert_true(vd_receipt_same(vd_buf_slice(&a), vd_buf_slice(&b)));
	vd_buf_reset(&b);
	said.lanes[2].digest[0] ^= 1;
	assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &b), 0);
	assert_false(vd_receipt_same(vd_buf_slice(&a), vd_buf_slice(&b)));
	vd_buf_reset(&b);
	said.lanes[2].digest[0] ^= 1;
	assert_int_equal(vd_receipt_restore(&said, spans, 1, none_signed, &b), 0);
	assert_false(vd_receipt_same(vd_buf_slice(&a), vd_buf_slice(&b)));
	vd_buf_reset(&b);
	said.lanes[3].whole = !said.lanes[3].whole;
	assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &b), 0);
	assert_false(vd_receipt_same(vd_buf_slice(&a), vd_buf_slice(&b)));
	vd_buf_deinit(&a);
	vd_buf_deinit(&b);
}

/* In brief, and whole again; no other form of it is one. */
static void test_receipt__in_brief(void **state)
{
	static const struct vd_brief hows[] = { { 0, 0, NULL }, { 8, 0, NULL }, { 15, 0, NULL }, { 10, 2, NULL }, { 15, 15, NULL }, { 4, 4, NULL } };
	struct vd_span spans[] = { span(3, 128), span(9, 1) }, rest[2];
	struct vd_receipt said = example(), r;
	struct vd_buf whole = { 0 }, brief = { 0 }, again = { 0 };
	struct vd_slice left;
	struct vd_brief how;

	(void)state;
	for (int same_time = 0; same_time < 2; same_time++) {
		said.time_ms = same_time ? said.count : MESH_NOW;
		vd_buf_reset(&whole);
		assert_int_equal(vd_receipt_restore(&said, spans, 2, none_signed, &whole), 0);
		assert_int_equal(vd_receipt_decode(vd_buf_slice(&whole), &r), 0);
		left = r.spans;
		for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
			size_t ok = 0;

			vd_buf_reset(&brief);
			vd_buf_reset(&again);
			assert_int_equal(vd_receipt_shorten(vd_buf_slice(&whole), &hows[i], hows[i].named ? left : vd_slice(NULL, 0), &brief), 0);
			assert_int_equal(vd_receipt_brief_decode(vd_buf_slice(&brief), &r, &how), 0);
			assert_true(how.named == hows[i].named && how.marked == hows[i].marked && r.restored && r.keep_until == said.keep_until);
			assert_true(r.spans.n == (how.named ? left.n : 0));
			for (size_t l = 0; l < VD_LANES; l++) {
				if (how.marked >> l & 1)
					continue;
				assert_true(!r.lanes[l].count && r.lanes[l].whole == said.lanes[l].whole);
				r.lanes[l] = said.lanes[l];
			}
			for (size_t k = 0; k < 2 && how.named; k++)
				assert_true(vd_receipt_next(&r.spans, &rest[k]));
			memcpy(r.author, said.author, VD_KEY_BYTES);
			assert_int_equal(vd_receipt_restore(&r, how.named ? rest : spans, 2, how.signature, &again), 0);
			assert_true(vd_slice_eq(vd_buf_slice(&whole), vd_buf_slice(&again)));
			/* Cut anywhere but between spans it is none. */
			for (size_t n = 0; n < brief.n; n++)
				ok += vd_receipt_brief_decode(vd_slice(brief.p, n), &r, &how) == 0;
			assert_int_equal(ok, hows[i].named ? 2 : 0);
			vd_buf_put_u8(&brief, 0);
			assert_int_equal(vd_receipt_brief_decode(vd_buf_slice(&brief), &r, &how), VD_EFORMAT);
		}
	}
	/* Flags nobody has; lanes that are none, or marked and not named; a time of its own that is none. */
	vd_buf_reset(&brief);
	assert_int_equal(vd_receipt_shorten(vd_buf_slice(&whole), &hows[3], left, &brief), 0);
	for (int bit = 0; bit < 8; bit++) {
		uint8_t *lanes = brief.p + brief.n - left.n - 1 - VD_RECEIPT_DIGEST - 2;

		*lanes ^= 1 << bit;
		assert_int_equal(vd_receipt_brief_decode(vd_buf_slice(&brief), &r, &how), bit == 0 || bit == 2 || bit == 3 ? 0 : VD_EFORMAT);
		*lanes ^= 1 << bit;
	}
	*brief.p |= 0x80;
	assert_int_equal(vd_receipt_brief_decode(vd_buf_slice(&brief), &r, &how), VD_EFORMAT);
	vd_buf_deinit(&whole);
	vd_buf_deinit(&brief);
	vd_buf_deinit(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_receipt__says_what_it_was_made_of),
		cmocka_unit_test(test_receipt__every_byte_counts),
		cmocka_unit_test(test_receipt__as_many_as_fit),
		cmocka_unit_test(test_receipt__forms_that_are_none),
		cmocka_unit_test(test_receipt__same_but_for_when),
		cmocka_unit_test(test_receipt__in_brief),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
