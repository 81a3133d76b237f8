/* How a record stands in the store: whole or compact, and authors by number. */
#include "tests/unit/merge_cast.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>

#include "proto/err.h"
#include "store/inside.h"
#include "store/salvage.h"

/* --- one value --- */

static struct vd_author author = { .group = { 7 } };

static int whose(void *ctx, uint64_t number, struct vd_author *out)
{
	(void)ctx;
	if (number != 300)
		return VD_EDAMAGED;
	*out = author;
	return VD_OK;
}

static void make(struct vd_buf *raw, bool long_one)
{
	static const uint8_t seed[crypto_sign_SEEDBYTES] = { 3 };
	uint8_t secret[VD_SECRET_SIGN_BYTES];
	struct vd_record_fields fields = { .lane = VD_LANE_NORMAL, .seq = long_one ? 70000 : 1, .has_prev = long_one, .time_ms = cast_now };
	struct vd_id id;

	crypto_sign_seed_keypair(author.key, secret, seed);
	memcpy(fields.group, author.group, VD_GROUP_BYTES);
	memcpy(fields.author, author.key, VD_KEY_BYTES);
	fields.has_expires = long_one;
	fields.expires_day = 99999;
	memset(fields.prev.b, 5, VD_ID_BYTES);
	assert_int_equal(vd_record_create(&fields, vd_slice_str("They came at dawn, in three trucks."), secret, raw, &id), 0);
}

static void encode(struct vd_slice raw, uint8_t flags, uint64_t received_ms, struct vd_buf *out)
{
	struct vd_record record;

	assert_int_equal(vd_record_decode(raw, &record), 0);
	vd_buf_reset(out);
	assert_int_equal(vd_stored_encode(&record, 300, flags, received_ms, out), 0);
}

static void test_stored__comes_back(void **state)
{
	static const uint64_t received[] = { 0, cast_now - 1, cast_now, cast_now + 86400000, UINT64_MAX };
	struct vd_buf raw = { 0 }, value = { 0 }, room = { 0 };

	(void)state;
	for (int long_one = 0; long_one < 2; long_one++) {
		struct vd_stored stored;
		struct vd_record r, view;

		vd_buf_reset(&raw);
		make(&raw, long_one);
		for (size_t i = 0; i < sizeof(received) / sizeof(received[0]); i++) {
			encode(vd_buf_slice(&raw), 0, received[i], &value);
			assert_true(value.n + 60 < raw.n);
			assert_int_equal(vd_stored_decode(vd_buf_slice(&value), whose, NULL, &room, &stored), 0);
			assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&raw)));
			assert_true(stored.received_ms == received[i] && !stored.flags && stored.compact);
			assert_int_equal(vd_record_decode(stored.raw, &r), 0);
			assert_int_equal(vd_stored_view(&stored, &view), 0);
			assert_memory_equal(view.id.b, r.id.b, VD_ID_BYTES);
			assert_memory_equal(stored.id.b, r.id.b, VD_ID_BYTES);
			vd_buf_reset(&room);
		}
		/* Its stub. */
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &r), 0);
		raw.n = r.header.n + r.signature.n;
		encode(vd_buf_slice(&raw), VD_STORED_STUB | VD_STORED_WAITING, cast_now, &value);
		assert_int_equal(vd_stored_decode(vd_buf_slice(&value), whose, NULL, &room, &stored), 0);
		assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&raw)));
		assert_int_equal(stored.flags, VD_STORED_STUB | VD_STORED_WAITING);
		vd_buf_reset(&room);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&value);
	vd_buf_deinit(&room);
}

/* Cut anywhere, and every bit of what the id covers flipped: nothing else than what was stored is ever given out. */
static void test_stored__damaged(void **state)
{
	struct vd_buf raw = { 0 }, value = { 0 }, room = { 0 };
	enum { RECEIVED_AT = 1 + VD_STORED_CHECK_BYTES + 2 };
	struct vd_stored stored;
	struct vd_record view;

	(void)state;
	make(&raw, true);
	encode(vd_buf_slice(&raw), 0, cast_now, &value);
	for (size_t n = 0; n < value.n; n++) {
		vd_buf_reset(&room);
		assert_int_equal(vd_stored_decode(vd_slice(value.p, n), whose, NULL, &room, &stored), VD_EDAMAGED);
	}
	for (size_t bit = 0; bit < 8 * value.n; bit++) {
		int rc;

		value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		vd_buf_reset(&room);
		rc = vd_stored_decode(vd_buf_slice(&value), whose, NULL, &room, &stored);
		if (bit == 4) /* read as one that stands whole: the bytes prove that they are none */
			assert_true(rc == VD_EDAMAGED || vd_stored_view(&stored, &view));
		else if (bit / 8 == RECEIVED_AT) /* when it was received stands outside of what the id covers */
			assert_true(rc == VD_EDAMAGED || vd_slice_eq(stored.raw, vd_buf_slice(&raw)));
		else
			assert_int_equal(rc, VD_EDAMAGED);
		value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&value);
	vd_buf_deinit(&room);
}

/* --- authors by number --- */

static int who_is(struct vd_store *s, uint64_t number, struct vd_author *out)
{
	MDB_txn *txn;
	int rc;

	assert_int_equal(vd_db_read(s->db, &txn), 0);
	rc = vd_author_of(s, txn, number, out);
	vd_db_done(s->db, txn);
	return rc;
}

static uint32_t number_of(struct vd_write *w, uint8_t who)
{
	struct vd_record record = { .group = { 1 }, .author = { who } };
	uint32_t number;

	assert_int_equal(vd_author_number(w, &record, &number), 0);
	return number;
}

static void test_stored__numbers_of_authors(void **state)
{
	const struct cast_place *p = *state;
	struct vd_store *s = cast_store(p->home), *other;
	struct vd_author who;
	struct vd_write *w;

	assert_int_equal(who_is(s, 0, &who), VD_EDAMAGED);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(number_of(w, 1), 0);
	assert_int_equal(number_of(w, 2), 1);
	vd_write_abort(w); /* nobody got any */
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(number_of(w, 3), 0);
	assert_int_equal(number_of(w, 4), 1);
	assert_int_equal(number_of(w, 3), 0);
	assert_int_equal(vd_write_commit(w), 0);
	/* another process goes on, and this one after it */
	assert_int_equal(vd_store_open(p->home, &other), 0);
	assert_int_equal(vd_write_begin(other, &w), 0);
	assert_int_equal(number_of(w, 5), 2);
	assert_int_equal(number_of(w, 4), 1);
	assert_int_equal(vd_write_commit(w), 0);
	assert_int_equal(vd_write_begin(s, &w), 0);
	assert_int_equal(number_of(w, 4), 1);
	assert_int_equal(number_of(w, 6), 3);
	assert_int_equal(number_of(w, 5), 2);
	assert_int_equal(number_of(w, 7), 4);
	assert_int_equal(vd_write_commit(w), 0);
	for (uint8_t i = 0; i < 5; i++) {
		assert_int_equal(who_is(other, i, &who), 0);
		assert_int_equal(who.key[0], 3 + i);
	}
	assert_int_equal(who_is(other, 5, &who), VD_EDAMAGED);
	assert_int_equal(who_is(other, UINT64_MAX, &who), VD_EDAMAGED);
	vd_store_close(other);
	vd_store_close(s);
}

/* --- when the file is broken --- */

/* In the file: the first `copies` names of an author's value spoilt wherever they stand, and where the tables begin. */
static void break_file(struct vd_store *s, const char *home, unsigned copies)
{
	uint8_t key[VD_INDEX_KEY_BYTES], *bytes;
	char path[256];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/data.mdb", home);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && !fstat(fd, &st));
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(pread(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	for (unsigned i = 0; i < copies; i++) {
		uint8_t *at = bytes, *end = bytes + st.st_size;
		bool any = false;

		vd_author_key(s, 0, i, key);
		while ((at = memmem(at, (size_t)(end - at), key, sizeof(key)))) {
			at[3] ^= 1;
			any = true;
		}
		assert_true(any);
	}
	/* pages point beyond the end */
	for (size_t meta = 0; meta < 2; meta++)
		memset(bytes + meta * 4096 + 16 + 24 + 48 + 40, 0x7f, 4);
	assert_int_equal(pwrite(fd, bytes, (size_t)st.st_size, 0), st.st_size);
	free(bytes);
	close(fd);
}

static int count_one(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)arrival;
	(void)received_ms;
	(void)raw;
	++*(size_t *)ctx;
	return 0;
}

/* One copy of a name does. Without any, a readable store's records are told by trying whom they fit; in a sealed one a value opens only
 * under its own name, and what others wrote has to come again. */
static void salvage_without(const struct cast_place *p, unsigned copies)
{
	bool told = copies < VD_AUTHOR_COPIES || !rest_secret();
	struct vd_buf raw = { 0 };
	struct vd_id id, *prev = NULL;
	struct vd_salvage saved;
	struct vd_merge merge;
	struct vd_store *s;
	size_t before = 0, after = 0;
	struct vd_author who;
	struct cast c;

	start(&c, p);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		forge(c.ga, seq, prev, false, &raw, &id);
		prev = &id;
		merge_raw(&c, &raw, &merge);
		assert_int_equal(merge.fresh, 1);
	}
	assert_int_equal(who_is(c.b, 0, &who), 0);
	assert_memory_equal(who.key, vd_group_identity(c.ga)->author, VD_KEY_BYTES);
	assert_int_equal(vd_store_walk(c.b, NULL, VD_ANY_LANE, 0, count_one, &before), 0);
	vd_group_free(c.gb);
	break_file(c.b, p->other, copies);
	vd_store_close(c.b);
	assert_int_equal(vd_store_salvage(p->other, rest_secret(), cast_now, &saved), 0);
	assert_int_equal(saved.records, told ? before : before - 20);
	assert_int_equal(vd_store_open(p->other, &s), 0);
	assert_int_equal(vd_store_walk(s, NULL, VD_ANY_LANE, 0, count_one, &after), 0);
	assert_int_equal(after, saved.records);
	assert_int_equal(who_is(s, 0, &who), told ? 0 : VD_EDAMAGED);
	if (told)
		assert_memory_equal(who.key, vd_group_identity(c.ga)->author, VD_KEY_BYTES);
	vd_store_close(s);
	vd_group_free(c.ga);
	vd_store_close(c.a);
	vd_buf_deinit(&raw);
}

static void test_stored__salvage_with_half_the_names(void **state)
{
	salvage_without(*state, 1);
}

static void test_stored__salvage_without_names(void **state)
{
	salvage_without(*state, VD_AUTHOR_COPIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stored__comes_back),
		cmocka_unit_test(test_stored__damaged),
		cmocka_unit_test_setup_teardown(test_stored__numbers_of_authors, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored__salvage_with_half_the_names, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored__salvage_without_names, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
