/* How a record stands in the store: whole or compact, and authors by number. */
#include "tests/unit/broken.h"
#include "tests/unit/merge_cast.h"

#include <sodium.h>

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
	assert_int_equal(vd_stored_encode(&record, 300, 1, flags, received_ms, out), 0);
}

static void test_stored__comes_back(void **state)
{
	static const uint64_t received[] = { 0, cast_now - 1, cast_now, cast_now + 86400000, UINT64_MAX };
	struct vd_buf raw = { 0 }, value = { 0 };
	struct vd_reading reading = { 0 };

	(void)state;
	for (int long_one = 0; long_one < 2; long_one++) {
		struct vd_stored stored;
		struct vd_record r, view;

		vd_buf_reset(&raw);
		make(&raw, long_one);
		for (size_t i = 0; i < sizeof(received) / sizeof(received[0]); i++) {
			encode(vd_buf_slice(&raw), 0, received[i], &value);
			assert_true(value.n + 60 < raw.n);
			assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), 9, whose, NULL), 0);
			assert_int_equal(vd_reading_record(&reading, 8, &stored), VD_ENOTFOUND);
			assert_int_equal(vd_reading_record(&reading, 10, &stored), VD_ENOTFOUND);
			assert_int_equal(vd_reading_record(&reading, 9, &stored), 0);
			assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&raw)));
			assert_true(stored.received_ms == received[i] && !stored.flags && stored.compact && stored.alone && stored.number == 300);
			assert_int_equal(vd_record_decode(stored.raw, &r), 0);
			assert_int_equal(vd_stored_view(&stored, &view), 0);
			assert_memory_equal(view.id.b, r.id.b, VD_ID_BYTES);
			assert_memory_equal(stored.id.b, r.id.b, VD_ID_BYTES);
		}
		/* Its stub. */
		assert_int_equal(vd_record_decode(vd_buf_slice(&raw), &r), 0);
		raw.n = r.header.n + r.signature.n;
		encode(vd_buf_slice(&raw), VD_STORED_STUB | VD_STORED_WAITING, cast_now, &value);
		assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), 1, whose, NULL), 0);
		assert_int_equal(vd_reading_record(&reading, 1, &stored), 0);
		assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&raw)));
		assert_int_equal(stored.flags, VD_STORED_STUB | VD_STORED_WAITING);
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&value);
	vd_reading_wipe(&reading);
}

/* --- a run --- */

enum { TWO = 2, LAST = 1000 };

static int one_of_two(void *ctx, uint64_t number, struct vd_author *out)
{
	const struct vd_author *authors = ctx;

	if (number != 3 && number != 300)
		return VD_EDAMAGED;
	*out = authors[number == 300];
	return VD_OK;
}

struct chains {
	struct vd_author authors[TWO];
	struct vd_buf raws[VD_STORED_RUN_MAX + 1];
	size_t count;
};

/* `first` records of one author's chain, and then of the other's. */
static void write_chains(struct chains *c, size_t first, size_t count, size_t body_bytes)
{
	uint8_t secrets[TWO][VD_SECRET_SIGN_BYTES], *body = calloc(1, body_bytes);
	struct vd_id id = { { 0 } };

	assert_non_null(body);
	memset(c, 0, sizeof(*c));
	for (uint8_t i = 0; i < TWO; i++) {
		uint8_t seed[crypto_sign_SEEDBYTES] = { 8, i };

		c->authors[i].group[0] = 7;
		crypto_sign_seed_keypair(c->authors[i].key, secrets[i], seed);
	}
	for (; c->count < count; c->count++) {
		size_t who = c->count >= first, seq = who ? c->count - first : c->count;
		struct vd_record_fields f = { .group = { 7 }, .lane = VD_LANE_NORMAL, .seq = seq + 1, .has_prev = seq > 0,
			                      .time_ms = cast_now + 1000 * c->count };

		f.prev = id;
		memcpy(f.author, c->authors[who].key, VD_KEY_BYTES);
		body[0] = (uint8_t)c->count;
		assert_int_equal(vd_record_create(&f, vd_slice(body, body_bytes), secrets[who], &c->raws[c->count], &id), 0);
	}
	free(body);
}

static void chains_deinit(struct chains *c)
{
	for (size_t i = 0; i < c->count; i++)
		vd_buf_deinit(&c->raws[i]);
}

static int add(struct vd_stored_run *run, const struct chains *c, size_t first, size_t i)
{
	struct vd_record r;

	assert_int_equal(vd_record_decode(vd_buf_slice(&c->raws[i]), &r), 0);
	return vd_stored_run_add(run, &r, i < first ? 3 : 300, LAST - c->count + 1 + i, 0, cast_now);
}

/* All of them; LAST is the arrival number of the last. */
static void gather(const struct chains *c, size_t first, struct vd_buf *value)
{
	struct vd_stored_run run = { 0 };

	for (size_t i = 0; i < c->count; i++)
		assert_int_equal(add(&run, c, first, i), 0);
	vd_buf_reset(value);
	assert_int_equal(vd_stored_run_encode(&run, run.count, value), 0);
	vd_stored_run_deinit(&run);
}

static void test_stored__run_comes_back(void **state)
{
	struct vd_reading reading = { 0 };
	struct vd_buf value = { 0 };
	struct vd_stored stored;
	size_t raw = 0;
	struct chains c;

	(void)state;
	write_chains(&c, 11, 14, 30);
	gather(&c, 11, &value);
	for (size_t i = 0; i < c.count; i++)
		raw += c.raws[i].n;
	assert_true(value.n + c.count * 130 < raw); /* group, author, predecessor, hash: all told by what is there */
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), LAST, one_of_two, c.authors), 0);
	/* the last first: all that is before it is read */
	for (size_t i = c.count; i-- > 0;) {
		assert_int_equal(vd_reading_record(&reading, LAST - c.count + 1 + i, &stored), 0);
		assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&c.raws[i])));
		assert_true(stored.arrival == LAST - c.count + 1 + i && stored.received_ms == cast_now && stored.compact && !stored.alone);
		assert_int_equal(stored.number, i < 11 ? 3 : 300);
	}
	assert_int_equal(vd_reading_record(&reading, LAST - c.count, &stored), VD_ENOTFOUND);
	assert_int_equal(vd_reading_record(&reading, LAST + 1, &stored), VD_ENOTFOUND);
	chains_deinit(&c);
	vd_buf_deinit(&value);
	vd_reading_wipe(&reading);
}

/* A value with pages of its own says its number and length in its first bytes; no other does. */
static void says(struct vd_slice value, uint64_t last)
{
	uint64_t number, bytes;
	size_t n = 0;

	while (n < VD_STORED_SAYS_BYTES && !vd_stored_says(vd_slice(value.p, n), &number, &bytes))
		n++;
	assert_int_equal(n < VD_STORED_SAYS_BYTES, value.n > VD_STORED_RUN_HALF);
	if (n == VD_STORED_SAYS_BYTES)
		return;
	for (; n <= VD_STORED_SAYS_BYTES; n++) {
		assert_true(vd_stored_says(vd_slice(value.p, n), &number, &bytes));
		assert_int_equal(number, last);
		assert_int_equal(bytes, value.n);
	}
}

/* What is of another kind, or one too many, or has no room begins another run. */
static void test_stored__run_ends(void **state)
{
	struct vd_reading reading = { 0 };
	struct vd_buf value = { 0 };
	struct vd_stored_run run = { 0 };
	struct vd_record r;
	struct chains c;

	(void)state;
	write_chains(&c, VD_STORED_RUN_MAX + 1, VD_STORED_RUN_MAX + 1, 8);
	for (size_t i = 0; i < VD_STORED_RUN_MAX; i++)
		assert_int_equal(add(&run, &c, c.count, i), 0);
	assert_int_equal(add(&run, &c, c.count, VD_STORED_RUN_MAX), VD_ECAP);
	assert_int_equal(vd_stored_run_encode(&run, VD_STORED_RUN_MAX, &value), 0);
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), LAST, one_of_two, c.authors), 0);
	value.p[1]++;
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), LAST, one_of_two, c.authors), VD_EDAMAGED);
	value.p[1] = 0;
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), LAST, one_of_two, c.authors), VD_EDAMAGED);
	value.p[1] = VD_STORED_RUN_MAX; /* the first would have the number 0 */
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), VD_STORED_RUN_MAX, one_of_two, c.authors), 0);
	assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), VD_STORED_RUN_MAX - 1, one_of_two, c.authors), VD_EDAMAGED);

	run.count = 0;
	assert_int_equal(vd_record_decode(vd_buf_slice(&c.raws[1]), &r), 0);
	assert_int_equal(add(&run, &c, c.count, 0), 0);
	assert_int_equal(vd_stored_run_add(&run, &r, 3, run.last + 2, 0, cast_now), VD_ECAP);
	assert_int_equal(vd_stored_run_add(&run, &r, 3, run.last + 1, VD_STORED_STUB, cast_now), VD_ECAP);
	assert_int_equal(vd_stored_run_add(&run, &r, 3, run.last + 1, 0, cast_now + 1), VD_ECAP);
	r.group[0]++;
	assert_int_equal(vd_stored_run_add(&run, &r, 3, run.last + 1, 0, cast_now), VD_ECAP);
	r.group[0]--;
	assert_int_equal(vd_stored_run_add(&run, &r, 3, run.last + 1, 0, cast_now), 0);
	chains_deinit(&c);

	/* never more than a page, sealed or not; but one alone is as large as it is */
	for (size_t body = 200; body < 5000; body += 331) {
		int rc = VD_OK;

		write_chains(&c, 20, 20, body);
		run.count = 0;
		for (size_t i = 0; i < c.count && !rc; i++)
			rc = add(&run, &c, 20, i);
		assert_int_equal(rc, VD_ECAP);
		vd_buf_reset(&value);
		assert_int_equal(vd_stored_run_encode(&run, run.count, &value), 0);
		assert_true(value.n <= VD_STORED_RUN_BYTES || run.count == 1);
		says(vd_buf_slice(&value), run.last);
		assert_int_equal(vd_reading_begin(&reading, vd_buf_slice(&value), LAST, one_of_two, c.authors), 0);
		chains_deinit(&c);
	}
	vd_stored_run_deinit(&run);
	vd_buf_deinit(&value);
	vd_reading_wipe(&reading);
}

/* How many of the records are read, all of them as they were and under their own numbers? */
static size_t read_what_is_left(struct vd_slice value, const struct chains *c)
{
	struct vd_author *authors = (void *)(uintptr_t)c->authors;
	struct vd_reading reading = { 0 };
	size_t n = 0;
	int rc = vd_reading_begin(&reading, value, LAST, one_of_two, authors);

	assert_true(!rc || rc == VD_EDAMAGED || rc == VD_ENOTFOUND);
	for (size_t i = 0; i < c->count && !rc; i++) {
		struct vd_stored stored;
		struct vd_record r;
		int one = vd_reading_record(&reading, LAST - c->count + 1 + i, &stored);

		/* what reads as standing whole proves whether it does */
		if (one || (!stored.compact && vd_stored_view(&stored, &r)))
			continue;
		assert_true(vd_slice_eq(stored.raw, vd_buf_slice(&c->raws[i])));
		n++;
	}
	vd_reading_wipe(&reading);
	return n;
}

/* Cut anywhere, and every bit of it flipped: nothing else than what was stored is ever given out, and what stands before the damage is. */
static void test_stored__damaged(void **state)
{
	static const size_t sizes[] = { 1, 4 };
	struct vd_buf value = { 0 };
	struct chains c;

	(void)state;
	for (size_t s = 0; s < 2; s++) {
		size_t most = 0;

		write_chains(&c, 3, sizes[s], 30);
		gather(&c, 3, &value);
		assert_int_equal(read_what_is_left(vd_buf_slice(&value), &c), c.count);
		for (size_t n = 0; n < value.n; n++) {
			size_t left = read_what_is_left(vd_slice(value.p, n), &c);

			assert_true(left >= most && left < c.count);
			most = left;
		}
		assert_int_equal(most, c.count - 1);
		for (size_t bit = 0; bit < 8 * value.n; bit++) {
			size_t left;

			value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
			left = read_what_is_left(vd_buf_slice(&value), &c);
			if (bit / 8 < 2)
				assert_int_equal(left, 0);
			else if (bit / 8 != 2) /* when they were received stands outside of what ids cover */
				assert_true(left < c.count);
			value.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		chains_deinit(&c);
	}
	vd_buf_deinit(&value);
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
static void break_names(struct vd_store *s, const char *home, unsigned copies)
{
	struct vd_buf names[VD_AUTHOR_COPIES] = { { 0 } };
	uint8_t key[VD_INDEX_KEY_BYTES];

	for (unsigned i = 0; i < copies; i++) {
		vd_author_key(s, 0, i, key);
		vd_buf_put(&names[i], key, sizeof(key));
	}
	assert_int_equal(break_file(home, names, copies, true), copies);
	for (unsigned i = 0; i < copies; i++)
		vd_buf_deinit(&names[i]);
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
	break_names(c.b, p->other, copies);
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
		cmocka_unit_test(test_stored__run_comes_back),
		cmocka_unit_test(test_stored__run_ends),
		cmocka_unit_test(test_stored__damaged),
		cmocka_unit_test_setup_teardown(test_stored__numbers_of_authors, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored__salvage_with_half_the_names, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_stored__salvage_without_names, cast_setup, cast_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
