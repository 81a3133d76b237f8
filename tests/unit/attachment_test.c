/* Attachments: what a record says of them, chunks, and names from strangers. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/attachment.h"
#include "proto/body.h"
#include "proto/err.h"
#include "proto/record.h"

static struct vd_attachment photo(void)
{
	struct vd_attachment a = { .name = vd_slice_str("puente.jpg"), .type = vd_slice_str("image/jpeg"), .size = 40000, .chunks = 3 };

	memset(a.hash, 7, sizeof a.hash);
	return a;
}

static size_t through(const struct vd_buf *items, size_t count, struct vd_attachment out[VD_ATTACHMENTS_MAX], struct vd_buf *room)
{
	struct vd_field field = { .name = vd_slice_str("attachments"),
		                  .value = { .type = VD_MP_ARRAY, .bytes = vd_buf_slice(items), .number = count } };
	struct vd_content content;

	assert_int_equal(vd_content_encode(vd_slice_str("document"), &field, 1, room), 0);
	assert_int_equal(vd_content_decode(vd_buf_slice(room), &content), 0);
	return vd_attachments_of(&content, out);
}

static void test_attachment__comes_back(void **state)
{
	struct vd_attachment a = photo(), empty = { .name = vd_slice_str("nada"), .type = vd_slice_str("") }, out[VD_ATTACHMENTS_MAX];
	struct vd_buf items = { 0 }, room = { 0 };

	(void)state;
	vd_attachment_encode(&a, &items);
	vd_attachment_encode(&empty, &items);
	assert_int_equal(through(&items, 2, out, &room), 2);
	assert_true(vd_slice_eq(out[0].name, a.name) && vd_slice_eq(out[0].type, a.type));
	assert_true(out[0].size == 40000 && out[0].chunks == 3 && !memcmp(out[0].hash, a.hash, VD_HASH_BYTES));
	assert_true(out[1].size == 0 && out[1].chunks == 0 && vd_slice_eq(out[1].name, empty.name));
	vd_buf_deinit(&items);
	vd_buf_deinit(&room);
}

/* Of each malformed one the place stays, and the one after it is read. */
static void check_void(struct vd_slice element)
{
	struct vd_attachment a = photo(), out[VD_ATTACHMENTS_MAX];
	struct vd_buf items = { 0 }, room = { 0 };

	vd_mp_put_bin(&items, element);
	vd_attachment_encode(&a, &items);
	assert_int_equal(through(&items, 2, out, &room), 2);
	assert_int_equal(out[0].name.n, 0);
	assert_int_equal(out[0].chunks, 0);
	assert_true(vd_slice_eq(out[1].name, a.name));
	vd_buf_deinit(&items);
	vd_buf_deinit(&room);
}

static void put(struct vd_buf *out, size_t name, size_t type, uint64_t size, uint64_t chunks)
{
	static const uint8_t hash[VD_HASH_BYTES];
	char text[256];

	memset(text, 'a', sizeof text);
	vd_buf_reset(out);
	vd_mp_put_array(out, 5);
	vd_mp_put_str(out, vd_slice(text, name));
	vd_mp_put_str(out, vd_slice(text, type));
	vd_mp_put_uint(out, size);
	vd_mp_put_bin(out, vd_slice(hash, sizeof hash));
	vd_mp_put_uint(out, chunks);
}

static void test_attachment__malformed_is_none(void **state)
{
	struct vd_attachment out[VD_ATTACHMENTS_MAX];
	struct vd_buf one = { 0 }, items = { 0 }, room = { 0 };

	(void)state;
	put(&one, VD_ATTACHMENT_NAME_MAX, VD_ATTACHMENT_TYPE_MAX, UINT64_C(1) << 52, UINT32_MAX);
	for (size_t n = 0; n < one.n; n++)
		check_void(vd_slice(one.p, n));
	vd_mp_put_bin(&items, vd_buf_slice(&one));
	assert_int_equal(through(&items, 1, out, &room), 1);
	assert_int_equal(out[0].name.n, VD_ATTACHMENT_NAME_MAX);
	vd_buf_put_u8(&one, 0);
	check_void(vd_buf_slice(&one));
	put(&one, 0, 0, 1, 1);
	check_void(vd_buf_slice(&one));
	put(&one, VD_ATTACHMENT_NAME_MAX + 1, 0, 1, 1);
	check_void(vd_buf_slice(&one));
	put(&one, 1, VD_ATTACHMENT_TYPE_MAX + 1, 1, 1);
	check_void(vd_buf_slice(&one));
	put(&one, 1, 0, UINT64_C(1) << 53, 1);
	check_void(vd_buf_slice(&one));
	put(&one, 1, 0, 1, 2);
	check_void(vd_buf_slice(&one));
	put(&one, 1, 0, 1, 0);
	check_void(vd_buf_slice(&one));
	put(&one, 1, 0, UINT64_C(1) << 40, (uint64_t)UINT32_MAX + 1);
	check_void(vd_buf_slice(&one));
	vd_buf_deinit(&one);
	vd_buf_deinit(&items);
	vd_buf_deinit(&room);
}

static void test_attachment__no_more_than_sixteen(void **state)
{
	struct vd_attachment a = photo(), out[VD_ATTACHMENTS_MAX];
	struct vd_buf items = { 0 }, room = { 0 };

	(void)state;
	for (size_t i = 0; i <= VD_ATTACHMENTS_MAX; i++)
		vd_attachment_encode(&a, &items);
	assert_int_equal(through(&items, VD_ATTACHMENTS_MAX + 1, out, &room), VD_ATTACHMENTS_MAX);
	vd_buf_deinit(&items);
	vd_buf_deinit(&room);
}

static void test_attachment__chunk(void **state)
{
	struct vd_buf content = { 0 }, other = { 0 };
	struct vd_field field = { .name = vd_slice_str("data"), .value = { .type = VD_MP_STR, .bytes = vd_slice_str("x") } };
	uint8_t *data = calloc(1, VD_ATTACHMENT_DATA);
	struct vd_slice back;

	(void)state;
	assert_non_null(data);
	assert_int_equal(vd_chunk_encode(vd_slice(data, VD_ATTACHMENT_DATA), &content), 0);
	/* fills its bucket, and no more: one byte of packing, a length of two */
	assert_int_equal(vd_body_bucket(content.n + 3), 15 * 1024);
	assert_true(15 * 1024 - (content.n + 3) < 32);
	assert_int_equal(vd_chunk_decode(vd_buf_slice(&content), &back), 0);
	assert_int_equal(back.n, VD_ATTACHMENT_DATA);
	for (size_t n = 0; n < 64; n++)
		assert_int_equal(vd_chunk_decode(vd_slice(content.p, n), &back), VD_EFORMAT);
	assert_int_equal(vd_chunk_decode(vd_slice(content.p, content.n - 1), &back), VD_EFORMAT);
	assert_int_equal(vd_content_encode(vd_slice_str("chunk"), &field, 1, &other), 0);
	assert_int_equal(vd_chunk_decode(vd_buf_slice(&other), &back), VD_EFORMAT);
	vd_buf_reset(&other);
	assert_int_equal(vd_chunk_encode(vd_slice(data, 0), &other), 0);
	assert_int_equal(vd_chunk_decode(vd_buf_slice(&other), &back), VD_EFORMAT);
	free(data);
	vd_buf_deinit(&content);
	vd_buf_deinit(&other);
}

static void test_attachment__part_stands_in_the_header(void **state)
{
	uint8_t seed[32] = { 3 };
	struct vd_record_fields fields = { .lane = VD_LANE_BULK, .seq = 1, .time_ms = 5 };
	struct vd_part part = { .of = { { 9 } }, .attachment = 200, .number = 0x01020304 }, back;
	uint8_t secret[VD_SECRET_SIGN_BYTES];
	struct vd_buf raw = { 0 };
	struct vd_record record;
	struct vd_id id;

	(void)state;
	assert_int_equal(crypto_sign_seed_keypair(fields.author, secret, seed), 0);
	fields.part = &part;
	assert_int_equal(vd_record_create(&fields, vd_slice("body", 4), secret, &raw, &id), 0);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
	assert_int_equal(vd_record_verify(&record), 0);
	assert_true(vd_record_part(&record, &back));
	assert_memory_equal(back.of.b, part.of.b, VD_ID_BYTES);
	assert_int_equal(back.attachment, 200);
	assert_int_equal(back.number, 0x01020304);
	/* in the bulk lane alone, and nothing longer or shorter */
	record.lane = VD_LANE_NORMAL;
	assert_false(vd_record_part(&record, &back));
	record.lane = VD_LANE_BULK;
	record.ext.n--;
	assert_false(vd_record_part(&record, &back));
	vd_buf_deinit(&raw);
}

static void test_attachment__names(void **state)
{
	static const struct {
		const char *from, *to;
	} names[] = {
		{ "foto.jpg", "foto.jpg" },
		{ "/etc/passwd", "passwd" },
		{ "../../.bashrc", "_bashrc" },
		{ "C:\\Users\\x\\plan.docx", "plan.docx" },
		{ "..", "attachment" },
		{ "", "attachment" },
		{ "dir/", "attachment" },
		{ "-rf", "_rf" },
		{ "--.x", "___x" },
		{ " .x", "__x" },
		{ "a\nb\x1b[31m\x7f", "a_b_[31m_" },
		{ "a\xc2\x85z", "a_z" },
		{ "caf\xc3\xa9 con \xe2\x82\xac.txt", "caf\xc3\xa9 con \xe2\x82\xac.txt" },
		{ "x\xe2\x80\xaegpj.exe", "x_gpj.exe" },
		{ "x\xe2\x81\xa6y", "x_y" },
		{ "\xef\xbb\xbfx", "_x" },
		{ "bad\xff\xc3", "bad__" },
		{ "a:b*c?d\"e<f>g|h", "a_b_c_d_e_f_g_h" },
		{ "end. . ", "end" },
	};
	char out[VD_ATTACHMENT_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		vd_attachment_name(vd_slice_str(names[i].from), out);
		assert_string_equal(out, names[i].to);
	}
}

static void test_attachment__long_names_keep_their_ending(void **state)
{
	char from[6000], out[VD_ATTACHMENT_NAME_MAX + 1];

	(void)state;
	memset(from, 'n', sizeof from);
	memcpy(from + 600, ".jpeg", 6);
	vd_attachment_name(vd_slice_str(from), out);
	assert_int_equal(strlen(out), VD_ATTACHMENT_NAME_MAX);
	assert_string_equal(out + VD_ATTACHMENT_NAME_MAX - 5, ".jpeg");
	/* of two bytes each: none is cut in two */
	for (size_t i = 0; i < 600; i += 2)
		memcpy(from + i, "\xc3\xb1", 2);
	memcpy(from + 600, ".jpg", 5);
	vd_attachment_name(vd_slice_str(from), out);
	assert_true(vd_utf8_ok(vd_slice_str(out)) && strlen(out) >= VD_ATTACHMENT_NAME_MAX - 1);
	assert_string_equal(out + strlen(out) - 4, ".jpg");
	/* longer than is looked at, and all of it ending */
	memset(from, 'e', sizeof from);
	from[0] = 'x';
	from[1] = '.';
	vd_attachment_name(vd_slice(from, sizeof from), out);
	assert_int_equal(strlen(out), VD_ATTACHMENT_NAME_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachment__comes_back),
		cmocka_unit_test(test_attachment__malformed_is_none),
		cmocka_unit_test(test_attachment__no_more_than_sixteen),
		cmocka_unit_test(test_attachment__chunk),
		cmocka_unit_test(test_attachment__part_stands_in_the_header),
		cmocka_unit_test(test_attachment__names),
		cmocka_unit_test(test_attachment__long_names_keep_their_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
