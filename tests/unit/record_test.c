#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"
#include "proto/id.h"
#include "proto/mp.h"
#include "proto/record.h"
#include "proto/sign.h"

static struct vd_identity me;

static int setup(void **state)
{
	static const uint8_t seed[VD_IDENTITY_SEED_BYTES] = { 42 };

	(void)state;
	vd_identity_from_seed(seed, &me);
	return vd_sign_selftest();
}

static struct vd_record_fields sample_fields(void)
{
	struct vd_record_fields f = { .lane = VD_LANE_NORMAL, .seq = 9, .has_prev = true, .time_ms = 1700000000000,
		                      .has_expires = true, .expires_day = 20000 };

	memset(f.group, 0x11, sizeof(f.group));
	memset(f.prev.b, 0x22, sizeof(f.prev.b));
	memcpy(f.author, me.author, sizeof(f.author));
	return f;
}

static void create(struct vd_buf *out, struct vd_id *id)
{
	struct vd_record_fields f = sample_fields();

	assert_int_equal(vd_record_create(&f, vd_slice_str("a body of some bytes"), me.author_secret, out, id), 0);
}

/* A header written by hand, so that it can be wrong in one place. */
struct header {
	uint32_t count;
	uint64_t version, lane, seq, time_ms, expires, body_bytes;
	size_t group_n, prev_n, ext_n, hash_n, more;
};

static struct header right(void)
{
	return (struct header){ .count = 11, .version = 1, .lane = 2, .seq = 9, .time_ms = 1, .expires = 1, .group_n = 32,
		                .prev_n = 32, .hash_n = 32 };
}

static int decode_header(const struct header *h)
{
	static uint8_t zeros[2048];
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint8_t hash[VD_HASH_BYTES];
	int rc;

	vd_hash1(VD_HASH_BODY, hash, vd_slice(NULL, 0));
	vd_mp_put_array(&raw, h->count);
	vd_mp_put_uint(&raw, h->version);
	vd_mp_put_bin(&raw, vd_slice(zeros, h->group_n));
	vd_mp_put_bin(&raw, vd_slice(me.author, 32));
	vd_mp_put_uint(&raw, h->lane);
	vd_mp_put_uint(&raw, h->seq);
	vd_mp_put_bin(&raw, vd_slice(zeros, h->prev_n));
	vd_mp_put_uint(&raw, h->time_ms);
	if (h->expires)
		vd_mp_put_uint(&raw, h->expires);
	else
		vd_mp_put_nil(&raw);
	vd_mp_put_bin(&raw, vd_slice(zeros, h->ext_n));
	vd_mp_put_uint(&raw, h->body_bytes);
	vd_mp_put_bin(&raw, vd_slice(hash, h->hash_n));
	for (size_t i = 0; i < h->more; i++)
		vd_mp_put_bin(&raw, vd_slice(zeros, 200));
	vd_buf_put(&raw, zeros, VD_SIGNATURE_BYTES);
	rc = vd_record_decode(vd_buf_slice(&raw), &record);
	if (!rc) {
		assert_int_equal(record.version, h->version);
		assert_true(record.seq == h->seq);
		assert_int_equal(record.has_expires, h->expires != 0);
		assert_int_equal(record.stub, h->body_bytes > 0);
	}
	vd_buf_deinit(&raw);
	return rc;
}

static void test_record__header_rules(void **state)
{
	const uint64_t over53 = UINT64_C(1) << 53;
	struct header h;

	(void)state;
#define WITH(change, expected) \
	do { \
		h = right(); \
		change; \
		assert_int_equal(decode_header(&h), expected); \
	} while (0)
	WITH((void)0, 0);
	WITH(h.version = 0, VD_EFORMAT);
	WITH(h.version = 2, 0);
	WITH(h.version = VD_VERSION_MAX, 0);
	WITH(h.version = VD_VERSION_MAX + 1, VD_ECAP);
	WITH(h.group_n = 31, VD_EFORMAT);
	WITH(h.group_n = 33, VD_EFORMAT);
	WITH(h.lane = 0, 0);
	WITH(h.lane = VD_LANES, VD_ECAP);
	WITH(h.seq = 0, VD_EFORMAT);
	WITH(h.seq = 1, VD_EFORMAT); /* the first one has no predecessor */
	WITH((h.seq = 1, h.prev_n = 0), 0);
	WITH(h.seq = over53 - 1, 0);
	WITH(h.seq = over53, VD_ECAP);
	WITH(h.prev_n = 0, 0);
	WITH(h.prev_n = 31, VD_EFORMAT);
	WITH(h.prev_n = 33, VD_ECAP);
	WITH(h.time_ms = over53 - 1, 0);
	WITH(h.time_ms = over53, VD_ECAP);
	WITH(h.expires = 0, 0);
	WITH(h.expires = UINT32_MAX, 0);
	WITH(h.expires = (uint64_t)UINT32_MAX + 1, VD_ECAP);
	WITH(h.ext_n = VD_EXT_MAX, 0);
	WITH(h.ext_n = VD_EXT_MAX + 1, VD_ECAP);
	WITH(h.body_bytes = VD_BODY_MAX, 0);
	WITH(h.body_bytes = VD_BODY_MAX + 1, VD_ECAP);
	WITH(h.hash_n = 31, VD_EFORMAT);
	WITH((h.count = 12, h.more = 1), VD_EFORMAT);                /* version 1 has no more elements */
	WITH((h.version = 2, h.count = 12, h.more = 1), 0);
	WITH((h.version = 2, h.count = 15, h.more = 4), VD_ECAP);    /* over VD_HEADER_MAX */
	WITH((h.version = 2, h.count = 17), VD_ECAP);
	WITH(h.count = 10, VD_EFORMAT);
	WITH(h.count = 0, VD_EFORMAT);
#undef WITH
}

static void test_record__truncated_anywhere_but_at_the_stub(void **state)
{
	struct vd_buf raw = { 0 };
	struct vd_record record, whole;
	struct vd_id id;

	(void)state;
	create(&raw, &id);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &whole), 0);
	assert_false(whole.stub);
	for (size_t n = 0; n < raw.n; n++) {
		uint8_t *copy = malloc(n ? n : 1);
		int rc;

		memcpy(copy, raw.p, n);
		rc = vd_record_decode(vd_slice(copy, n), &record);
		assert_int_equal(rc, n == whole.header.n + VD_SIGNATURE_BYTES ? 0 : VD_EFORMAT);
		if (!rc) {
			assert_true(record.stub);
			assert_int_equal(vd_record_verify(&record), 0);
			assert_memory_equal(record.id.b, whole.id.b, VD_ID_BYTES);
		}
		free(copy);
	}
	vd_buf_put_u8(&raw, 0);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_EFORMAT);
	vd_buf_deinit(&raw);
}

/* A changed byte is refused, or the signature no longer holds, or it lies in the signature and the id is another. */
static void test_record__flipped_anywhere(void **state)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	struct vd_id id;

	(void)state;
	create(&raw, &id);
	for (size_t i = 0; i < raw.n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			raw.p[i] ^= (uint8_t)(1u << bit);
			if (vd_record_decode(vd_buf_slice(&raw), &record) == 0) {
				assert_int_equal(vd_record_verify(&record), VD_ESIGNATURE);
				assert_memory_not_equal(record.id.b, id.b, VD_ID_BYTES);
			}
			raw.p[i] ^= (uint8_t)(1u << bit);
		}
	}
	/* The last byte is the body's: another body never decodes. */
	raw.p[raw.n - 1] ^= 1;
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), VD_ESIGNATURE);
	vd_buf_deinit(&raw);
}

static void test_record__create_checks_its_fields(void **state)
{
	static uint8_t body[VD_BODY_MAX + 1];
	struct vd_record_fields f;
	struct vd_buf out = { 0 };
	struct vd_id id;

	(void)state;
#define WITH(change, length, expected) \
	do { \
		f = sample_fields(); \
		change; \
		assert_int_equal(vd_record_create(&f, vd_slice(body, length), me.author_secret, &out, &id), expected); \
		assert_true(expected == 0 || out.n == 1); \
		out.n = 1; \
	} while (0)
	vd_buf_put_u8(&out, 'x'); /* what stood there before stays */
	WITH((void)0, VD_BODY_MAX, 0);
	WITH((void)0, VD_BODY_MAX + 1, VD_EINVAL);
	WITH(f.lane = VD_LANES, 0, VD_EINVAL);
	WITH(f.seq = 0, 0, VD_EINVAL);
	WITH(f.seq = 1, 0, VD_EINVAL);
	WITH(f.seq = UINT64_C(1) << 53, 0, VD_EINVAL);
	WITH(f.time_ms = UINT64_C(1) << 53, 0, VD_EINVAL);
	WITH(f.author[0] ^= 1, 0, VD_EINVAL); /* the secret is another author's */
#undef WITH
	vd_buf_deinit(&out);
}

static void test_record__largest_one_fits_its_bounds(void **state)
{
	static uint8_t body[VD_BODY_MAX];
	struct vd_record_fields f = sample_fields();
	struct vd_buf out = { 0 };
	struct vd_record record;
	struct vd_id id;

	(void)state;
	f.seq = f.time_ms = (UINT64_C(1) << 53) - 1;
	f.expires_day = UINT32_MAX;
	assert_int_equal(vd_record_create(&f, vd_slice(body, sizeof(body)), me.author_secret, &out, &id), 0);
	assert_true(out.n <= VD_RECORD_MAX);
	assert_int_equal(vd_record_decode(vd_buf_slice(&out), &record), 0);
	assert_int_equal(record.body.n, VD_BODY_MAX);
	assert_memory_equal(record.id.b, id.b, VD_ID_BYTES);
	vd_buf_deinit(&out);
}

static void test_record__redaction_round_trip(void **state)
{
	struct vd_record_fields f = sample_fields();
	struct vd_buf raw = { 0 }, ad = { 0 }, ad_of = { 0 };
	struct vd_id target, out = { { 0 } }, id;
	struct vd_record record;

	(void)state;
	memset(target.b, 0x77, sizeof(target.b));
	f.redacts = &target;
	assert_int_equal(vd_record_create(&f, vd_slice_str("why"), me.author_secret, &raw, &id), 0);
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
	assert_int_equal(vd_record_verify(&record), 0);
	assert_int_equal(record.ext.n, 1 + VD_ID_BYTES);
	assert_true(vd_record_redacts(&record, &out));
	assert_memory_equal(out.b, target.b, VD_ID_BYTES);
	/* It is signed, and bound to the body. */
	vd_record_ad(&f, &ad);
	vd_record_ad_of(&record, &ad_of);
	assert_true(vd_slice_eq(vd_buf_slice(&ad), vd_buf_slice(&ad_of)));
	raw.p[(size_t)(record.ext.p - raw.p) + 5] ^= 1;
	assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &record), 0);
	assert_int_equal(vd_record_verify(&record), VD_ESIGNATURE);
	vd_buf_deinit(&raw);
	vd_buf_deinit(&ad);
	vd_buf_deinit(&ad_of);
}

static void test_record__other_ext_redacts_nothing(void **state)
{
	uint8_t ext[VD_EXT_MAX] = { 1 };
	struct vd_record record = { .lane = VD_LANE_URGENT };
	struct vd_id out;

	(void)state;
	memset(out.b, 0x55, sizeof(out.b));
	for (size_t n = 0; n <= sizeof(ext); n++) {
		record.ext = vd_slice(ext, n);
		if (n != 1 + VD_ID_BYTES)
			assert_false(vd_record_redacts(&record, &out));
	}
	record.ext = vd_slice(ext, 1 + VD_ID_BYTES);
	for (unsigned first = 0; first < 256; first++) {
		ext[0] = (uint8_t)first;
		if (first != 1)
			assert_false(vd_record_redacts(&record, &out));
	}
	assert_int_equal(out.b[0], 0x55);
	ext[0] = 1;
	assert_true(vd_record_redacts(&record, &out));
	assert_int_equal(out.b[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record__header_rules),
		cmocka_unit_test(test_record__truncated_anywhere_but_at_the_stub),
		cmocka_unit_test(test_record__flipped_anywhere),
		cmocka_unit_test(test_record__create_checks_its_fields),
		cmocka_unit_test(test_record__largest_one_fits_its_bounds),
		cmocka_unit_test(test_record__redaction_round_trip),
		cmocka_unit_test(test_record__other_ext_redacts_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
