/* Segments of one device that go into the next one's padding: PROTOCOL.md section 7, folding. */
#include "stick_cast.h"

#include <sys/wait.h>
#include <time.h>

#include "proto/hearing.h"
#include "store/inside.h"
#include "store/tend.h"

static uint64_t bytes_on(struct cast *c)
{
	DIR *dir = opendir(c->cache);
	struct dirent *entry;
	uint64_t bytes = 0;
	struct stat st;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.' && !fstatat(dirfd(dir), entry->d_name, &st, 0))
			bytes += (uint64_t)st.st_size;
	closedir(dir);
	return bytes;
}

static void assert_level(struct cast *c)
{
	for (int turn = 0; turn < 2; turn++) {
		visit(c, &c->hub, 0);
		visit(c, &c->ana, 0);
		visit(c, &c->luz, 0);
	}
	assert_nothing_to_do(c, &c->hub);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->ana));
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
}

static void test_fold__a_hundred_visits_leave_few_files(void **state)
{
	struct cast *c = *state;
	struct person *writers[] = { &c->hub, &c->ana };

	visit(c, &c->hub, 0);
	for (int i = 0; i < 100; i++) {
		struct person *p = writers[i % 2];
		struct vd_stick_result r;

		person_write(p, VD_LANE_NORMAL, 3, 300);
		r = visit(c, p, 0);
		/* No more than without, and nobody reads more than the other's one. */
		assert_int_equal(r.sent, 3);
		assert_int_equal(r.bytes_out, vd_sealed_bytes(1));
		assert_true(r.bytes_in <= (i < 2 ? 2U : 1U) * vd_sealed_bytes(1) && r.complete && r.safe_to_remove);
	}
	/* 120 kB of records, by two. */
	assert_true(segments(c, NULL, NULL) <= 5);
	visit(c, &c->luz, 0);
	visit(c, &c->hub, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->ana));
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	assert_level(c);
}

/* What fits goes in, what does not stays: of any two that one device wrote for the same people, one chunk could not hold both. */
static void test_fold__no_two_files_would_fit_into_one(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	for (int i = 0; i < 12; i++) {
		person_write(&c->hub, VD_LANE_NORMAL, 1 + (size_t)i * 7 % 12, 3600);
		r = visit(c, &c->hub, 0);
		assert_int_equal(r.bytes_out, vd_sealed_bytes(1));
	}
	/* 66 records of some 3,700 bytes are 4 chunks; half full they are at most 8. */
	assert_true(segments(c, NULL, NULL) >= 4 && segments(c, NULL, NULL) <= 8);
	visit(c, &c->luz, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
}

static void test_fold__a_large_one_takes_small_ones_along(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;

	person_write(&c->hub, VD_LANE_NORMAL, 12, 3600);
	visit(c, &c->hub, 0);
	for (int i = 0; i < 3; i++) {
		person_write(&c->hub, VD_LANE_NORMAL, 11, 3600);
		visit(c, &c->hub, 0);
	}
	assert_int_equal(segments(c, NULL, NULL), 4);
	/* In two chunks there is room for 11 besides, not for 22. */
	person_write(&c->hub, VD_LANE_NORMAL, 25, 3600);
	r = visit(c, &c->hub, 0);
	assert_int_equal(r.sent, 25);
	assert_int_equal(r.bytes_out, vd_sealed_bytes(2));
	assert_int_equal(segments(c, NULL, NULL), 4);
	assert_int_equal(bytes_on(c), 3 * vd_sealed_bytes(1) + vd_sealed_bytes(2));
	visit(c, &c->luz, 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
}

/* The power went after the new one stood there and before the old one was gone; or a copy of the stick brings it back. */
static void test_fold__what_came_back_goes_again(void **state)
{
	struct cast *c = *state;
	struct vd_buf old = { 0 };
	struct vd_stick_result r;
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	file_get(path, &old);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, NULL, NULL), 1);
	file_put(path, vd_buf_slice(&old));
	/* Who knew it, and who did not, take the new one for what counts; neither removes what is not theirs. */
	r = visit(c, &c->ana, 0);
	assert_true(r.complete && r.sent == 0 && r.received == 5);
	r = visit(c, &c->luz, 0);
	assert_true(r.complete && r.sent == 0);
	assert_true(mesh_equal(&c->mesh, &c->hub, &c->luz));
	assert_int_equal(segments(c, NULL, NULL), 2);
	r = visit(c, &c->hub, 0);
	assert_true(r.complete && r.sent == 0 && r.bytes_out == 0);
	assert_int_equal(segments(c, NULL, NULL), 1);
	assert_level(c);
	vd_buf_deinit(&old);
}

/* The same, and what stands there under its name is something else now. */
static void test_fold__removes_nothing_else_of_that_name(void **state)
{
	struct cast *c = *state;
	struct vd_buf other = { 0 };
	char path[256], of_ana[256];

	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	person_write(&c->ana, VD_LANE_NORMAL, 1, 300);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, of_ana, path), 2);
	file_get(of_ana, &other);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), -1);
	file_put(path, vd_buf_slice(&other));
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), 0);
	/* What nobody can open is nobody else's: a name is drawn once. */
	randombytes_buf(other.p, other.n);
	file_put(path, vd_buf_slice(&other));
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), -1);
	vd_buf_deinit(&other);
}

/* One that was cut goes in no other: what it lacks now is written again, and it is left as it is. */
static void test_fold__a_damaged_one_is_left(void **state)
{
	struct cast *c = *state;
	struct vd_buf file = { 0 };
	struct vd_stick_result r;
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	file_get(path, &file);
	flip(path, VD_HEAD_BYTES + 9);
	/* Ana says so. */
	visit(c, &c->ana, VD_EDAMAGED);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_true(r.sent >= 10);
	assert_int_equal(access(path, F_OK), 0);
	visit(c, &c->hub, 0);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_level(c);
	vd_buf_deinit(&file);
}

/* Who has the old key alone reads what stands under it: that goes into nothing under the new one. */
static void test_fold__not_under_other_keys(void **state)
{
	struct cast *c = *state;
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	rotate(&c->hub);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), 0);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_level(c);
}

/* Puts its stub in the place of that record of p's. */
static void drop_body_of(struct cast *c, struct person *p, uint64_t arrival, uint8_t flags)
{
	struct vd_membership in;
	struct vd_place place = { .arrival = arrival };
	struct vd_record record, stub;
	struct vd_buf raw = { 0 };
	struct vd_write *w;

	assert_int_equal(vd_store_read(p->store, place.arrival, &raw, &record, &place.received_ms), 0);
	assert_int_equal(vd_record_decode(vd_slice(raw.p, record.header.n + record.signature.n), &stub), 0);
	memcpy(in.group, c->mesh.group, VD_GROUP_BYTES);
	memcpy(in.salt, vd_group_salt(p->group), VD_SALT_BYTES);
	assert_int_equal(vd_write_begin(p->store, &w), 0);
	assert_int_equal(vd_write_again(w, &in, &place, &stub, flags), 0);
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&raw);
}

/* … of the last one. */
static void drop_body(struct cast *c, struct person *p, uint8_t flags)
{
	uint64_t latest;

	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	drop_body_of(c, p, latest, flags);
}

/* A body that is here no more stays where it is on the stick; but not one that a redaction took. */
static void test_fold__bodies_that_went(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t latest;

	for (int redacted = 0; redacted < 2; redacted++) {
		char path[256];

		while (segments(c, path, NULL))
			assert_int_equal(unlink(path), 0);
		person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
		visit(c, &c->hub, 0);
		assert_int_equal(segments(c, path, NULL), 1);
		drop_body(c, &c->hub, redacted ? VD_STORED_UNWANTED : VD_STORED_WAITING);
		assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
		person_write(&c->hub, VD_LANE_URGENT, 1, 30);
		r = visit(c, &c->hub, 0);
		assert_int_equal(r.sent, 1);
		assert_int_equal(access(path, F_OK), redacted ? -1 : 0);
		assert_int_equal(segments(c, NULL, NULL), redacted ? 1 : 2);
		r = visit(c, &c->luz, 0);
		assert_true(r.complete);
		{
			struct vd_buf raw = { 0 };
			struct vd_record record;
			struct vd_id id;
			uint64_t at;

			assert_int_equal(vd_store_read(c->hub.store, latest, &raw, &record, NULL), 0);
			id = record.id;
			assert_int_equal(vd_store_find(c->luz.store, &id, &at), 0);
			assert_int_equal(vd_store_read(c->luz.store, at, &raw, &record, NULL), 0);
			assert_int_equal(record.stub, redacted);
			vd_buf_deinit(&raw);
		}
		/* Ana has it yet, and adds it: others may want it. */
	}
}

/* A large one too is written anew without a body that a redaction took; with one that is gone for another reason it stays as it is. */
static void test_fold__redacted_bodies_leave_large_ones(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	uint64_t latest, at;
	char path[256];

	person_write(&c->hub, VD_LANE_NORMAL, 60, 3000);
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
	drop_body(c, &c->hub, VD_STORED_WAITING);
	r = visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), 0);
	/* The stick gave it back, being wanted. */
	drop_body(c, &c->hub, VD_STORED_UNWANTED);
	assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
	r = visit(c, &c->hub, 0);
	assert_true(r.sent == 0 && r.complete && r.bytes_out >= vd_sealed_bytes(2));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(segments(c, NULL, NULL), 1);
	assert_nothing_to_do(c, &c->hub);
	r = visit(c, &c->luz, 0);
	assert_true(r.complete);
	{
		struct vd_buf raw = { 0 };
		struct vd_record record;
		struct vd_id id;

		assert_int_equal(vd_store_read(c->hub.store, latest, &raw, &record, NULL), 0);
		id = record.id;
		assert_int_equal(vd_store_find(c->luz.store, &id, &at), 0);
		assert_int_equal(vd_store_read(c->luz.store, at, &raw, &record, NULL), 0);
		assert_true(record.stub);
		assert_int_equal(vd_store_read(c->luz.store, at - 1, &raw, &record, NULL), 0);
		assert_false(record.stub);
		vd_buf_deinit(&raw);
	}
}

/* --- bodies whose day is over --- */

static uint64_t real_now_ms(void)
{
	return (uint64_t)time(NULL) * 1000;
}

/* Those with an end say it so many days before today. */
static void write_ending(struct person *p, size_t count, size_t bytes, int days_ago)
{
	uint8_t *noise = malloc(bytes);
	struct vd_buf content = { 0 };
	struct vd_write *w;

	assert_non_null(noise);
	assert_int_equal(vd_write_begin(p->store, &w), 0);
	for (size_t i = 0; i < count; i++) {
		struct vd_field field = { vd_slice_str("data"), { .type = VD_MP_BIN, .bytes = vd_slice(noise, bytes) } };
		struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = ++p->now_ms, .has_expires = true,
			                  .expires_day = (uint32_t)((int)(real_now_ms() / VD_DAY_MS) - days_ago) };
		struct vd_id id;

		randombytes_buf(noise, bytes);
		vd_buf_reset(&content);
		assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
		draft.content = vd_buf_slice(&content);
		assert_int_equal(vd_write_own(w, p->group, &draft, &id), 0);
	}
	assert_int_equal(vd_write_commit(w), 0);
	vd_buf_deinit(&content);
	free(noise);
}

/* One segment of hub's that Ana has read: `stay` records without an end, then `ending` with one. */
static void begin_ending(struct cast *c, size_t stay, size_t ending, int days_ago, char path[256])
{
	c->ana.now_ms = c->luz.now_ms = real_now_ms();
	c->hub.now_ms = real_now_ms() - 50 * UINT64_C(86400000);
	person_write(&c->hub, VD_LANE_NORMAL, stay, 3000);
	write_ending(&c->hub, ending, 3000, days_ago);
	c->hub.now_ms = real_now_ms();
	visit(c, &c->hub, 0);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, path, NULL), 1);
}

/* Hub hears by another stick that so many others write today: of two its clock can be believed. */
static void hear_of(struct cast *c, size_t others)
{
	struct person *who[] = { &c->luz, &c->ana, &c->hub };
	char post[160];

	snprintf(post, sizeof(post), "%s/post", c->mesh.top);
	assert_int_equal(mkdir(post, 0700), 0);
	for (size_t i = 2 - others; i < 3; i++) {
		struct vd_stick_result r;

		if (who[i] != &c->hub)
			person_write(who[i], VD_LANE_NORMAL, 1, 30);
		assert_int_equal(vd_stick_sync(who[i]->store, post, &r), 0);
		person_reload(who[i], &c->mesh);
	}
}

static bool is_stub(struct person *p, const struct vd_id *id)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t at;

	assert_int_equal(vd_store_find(p->store, id, &at), 0);
	assert_int_equal(vd_store_read(p->store, at, &raw, &record, NULL), 0);
	vd_buf_deinit(&raw);
	return record.stub;
}

/* Half of it expired: by a clock that two others bear out it is written anew, once; who reads it has all records, of those the stubs, and adds none. */
static void test_fold__expired_bodies_leave_large_ones(void **state)
{
	struct cast *c = *state;
	struct vd_tended tended = { 0 };
	struct vd_record record;
	struct vd_buf raw = { 0 };
	struct vd_stick_result r;
	uint64_t last;
	char path[256];

	begin_ending(c, 40, 40, 20, path);
	assert_int_equal(vd_store_latest(c->hub.store, &last), 0);
	hear_of(c, 2);
	/* They have been here for long enough. */
	for (uint64_t days = 120; days > 0; days -= 5)
		assert_int_equal(vd_store_tend_redacted(c->hub.store, real_now_ms() - days * 86400000, &tended), 0);
	assert_int_equal(vd_store_tend_redacted(c->hub.store, real_now_ms(), &tended), 0);
	assert_int_equal(tended.expired, 40);
	assert_int_equal(access(path, F_OK), 0);
	r = visit(c, &c->hub, 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_true(r.sent <= 2 && r.complete);
	assert_int_equal(bytes_on(c), vd_sealed_bytes(2) + vd_sealed_bytes(1));
	assert_nothing_to_do(c, &c->hub);
	r = visit(c, &c->luz, 0);
	assert_true(r.sent == 0 && r.complete);
	for (uint64_t i = 0; i < 80; i++) {
		assert_int_equal(vd_store_read(c->hub.store, last - i, &raw, &record, NULL), 0);
		assert_int_equal(is_stub(&c->luz, &record.id), i < 40);
	}
	vd_buf_deinit(&raw);
	/* Ana has them yet, as she has not looked, and adds them to no stub by a clock that ran well. */
	for (uint64_t days = 10; days > 0; days -= 5)
		assert_int_equal(vd_clock_look(c->ana.store, c->mesh.group, real_now_ms() - days * 86400000), 0);
	r = visit(c, &c->ana, 0);
	assert_true(r.sent == 0 && r.complete);
}

/* What must not go: by a clock that nobody bears out; of a day that is not over by the clock of now, whatever went here; and where it frees too little. */
static void test_fold__expired_bodies_stay_where_that_is_not_sure_or_not_worth_it(void **state)
{
	static const struct {
		size_t stay, ending, others;
		int days_ago;
	} cases[] = { { 20, 20, 1, 20 }, { 20, 20, 2, 6 }, { 20, 20, 2, -300 }, { 38, 2, 2, 20 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cast *c;
		uint64_t last;
		char path[256];

		assert_int_equal(setup((void **)&c), 0);
		begin_ending(c, cases[i].stay, cases[i].ending, cases[i].days_ago, path);
		assert_int_equal(vd_store_latest(c->hub.store, &last), 0);
		hear_of(c, cases[i].others);
		for (uint64_t k = 0; k < cases[i].ending; k++)
			drop_body_of(c, &c->hub, last - k, VD_STORED_EXPIRED);
		visit(c, &c->hub, 0);
		visit(c, &c->hub, 0);
		assert_int_equal(access(path, F_OK), 0);
		teardown((void **)&c);
	}
	(void)state;
}

/* A small one is taken along without them, or not at all: likewise. */
static void test_fold__small_ones_with_expired_bodies(void **state)
{
	for (int sure = 0; sure < 2; sure++) {
		struct cast *c;
		uint64_t last;
		char path[256];

		assert_int_equal(setup((void **)&c), 0);
		begin_ending(c, 2, 1, sure ? 20 : -20, path);
		assert_int_equal(vd_store_latest(c->hub.store, &last), 0);
		hear_of(c, 2);
		drop_body_of(c, &c->hub, last, VD_STORED_EXPIRED);
		visit(c, &c->hub, 0);
		assert_int_equal(access(path, F_OK), sure ? -1 : 0);
		teardown((void **)&c);
	}
	(void)state;
}

/* What a small one says of others is said on: here that one of Ana's is damaged, which she has to hear of. */
static void test_fold__what_it_says_goes_along(void **state)
{
	struct cast *c = *state;
	struct vd_stick_result r;
	char damaged[256], said[256];

	person_write(&c->ana, VD_LANE_NORMAL, 60, 3000);
	visit(c, &c->ana, 0);
	assert_int_equal(segments(c, damaged, NULL), 1);
	flip(damaged, VD_HEAD_BYTES + 2 * VD_CHUNK_BYTES + 5);
	r = visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(segments(c, said, damaged), 2);
	person_write(&c->hub, VD_LANE_NORMAL, 5, 300);
	visit(c, &c->hub, VD_EDAMAGED);
	assert_int_equal(segments(c, NULL, NULL), 2);
	assert_int_equal(access(said, F_OK), -1);
	r = visit(c, &c->ana, VD_EDAMAGED);
	assert_true(r.sent >= 60);
	assert_level(c);
}

/* A copy of a device and the device, both at one stick at once with somebody else: nothing gets lost, nothing is half there. */
static void test_fold__three_at_once(void **state)
{
	enum { TURNS = 12 };
	struct cast *c = *state;
	struct person *p[] = { &c->hub, &c->ana };
	pid_t children[2];

	visit(c, &c->hub, 0);
	for (int i = 0; i < 2; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			struct person own = { .now_ms = p[i]->now_ms };
			struct vd_stick_result r;
			int bad = vd_store_open(p[i]->home, &own.store) || vd_store_group(own.store, c->mesh.group, &own.group);

			for (int turn = 0; turn < TURNS && !bad; turn++) {
				person_write(&own, VD_LANE_NORMAL, 4, 500);
				bad = vd_stick_sync(own.store, c->stick, &r) != 0 || r.segments_bad + r.segments_torn + r.segments_foreign;
			}
			_exit(bad);
		}
	}
	for (int turn = 0; turn < TURNS; turn++)
		visit(c, &c->luz, 0);
	for (int i = 0; i < 2; i++) {
		int status;

		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
		p[i]->now_ms += 4 * TURNS;
	}
	assert_level(c);
	assert_true(segments(c, NULL, NULL) <= 6);
}

/* --- a fill alone --- */

static int write_with(struct person *p, struct vd_slice chosen, struct vd_bundle_fill *fill, const char *path, struct vd_arrivals *written,
                      struct vd_bundle_stats *stats)
{
	const struct vd_bundle_choice choice = {
		.arrivals = (const uint64_t *)(const void *)chosen.p, .count = chosen.n / sizeof(uint64_t), .written = written, .fills = fill, .fill_count = 1,
	};

	fill->taken = false;
	return vd_bundle_write(p->store, p->group, VD_SEALED_SEGMENT, &choice, path, false, stats);
}

static void test_fold__a_fill_goes_in_whole_or_not_at_all(void **state)
{
	struct cast *c = *state;
	const char *path = mesh_path(&c->mesh, "segment");
	struct vd_buf chosen = { 0 }, list = { 0 };
	struct vd_bundle_fill fill;
	struct vd_bundle_stats stats;
	uint64_t latest, gone = 1000000;
	size_t most = 0;

	person_write(&c->hub, VD_LANE_NORMAL, 40, 3000);
	assert_int_equal(vd_store_latest(c->hub.store, &latest), 0);
	vd_buf_put(&chosen, &latest, sizeof(latest));
	/* As many as fit, and not one more; all that fitted before fit with fewer. */
	for (size_t n = 1; n < 39; n++) {
		struct vd_arrivals numbers = { 0 }, written = { 0 };

		for (uint64_t i = 1; i <= n; i++)
			assert_int_equal(vd_arrivals_add(&numbers, latest - i, false), 0);
		vd_buf_reset(&list);
		assert_int_equal(vd_arrivals_encode(&numbers, &list), 0);
		fill = (struct vd_bundle_fill){ .list = vd_buf_slice(&list) };
		assert_int_equal(write_with(&c->hub, vd_buf_slice(&chosen), &fill, path, &written, &stats), 0);
		assert_int_equal(stats.manifest.chunks, 1);
		assert_int_equal(stats.records, 1 + (fill.taken ? n : 0));
		assert_int_equal(stats.filled, fill.taken ? n : 0);
		for (uint64_t i = 1; i <= n; i++)
			assert_int_equal(vd_arrivals_whole(&written, latest - i), fill.taken);
		if (fill.taken)
			assert_int_equal(most + 1, n);
		most = fill.taken ? n : most;
		vd_arrivals_deinit(&numbers);
		vd_arrivals_deinit(&written);
	}
	assert_true(most >= 18 && most <= 30);
	/* One that is not here, and no list. */
	{
		struct vd_arrivals numbers = { 0 };

		assert_int_equal(vd_arrivals_add(&numbers, latest - 1, false), 0);
		assert_int_equal(vd_arrivals_add(&numbers, gone, false), 0);
		vd_buf_reset(&list);
		assert_int_equal(vd_arrivals_encode(&numbers, &list), 0);
		fill = (struct vd_bundle_fill){ .list = vd_buf_slice(&list) };
		assert_int_equal(write_with(&c->hub, vd_buf_slice(&chosen), &fill, path, NULL, &stats), 0);
		assert_true(!fill.taken && stats.records == 1 && stats.filled == 0);
		fill.list = vd_slice("\0", 1);
		assert_int_equal(write_with(&c->hub, vd_buf_slice(&chosen), &fill, path, NULL, &stats), VD_EDAMAGED);
		assert_int_equal(access(path, F_OK), 0); /* the one before */
		vd_arrivals_deinit(&numbers);
	}
	/* What was chosen already is not there twice; a stub of the list is one that may have its body by now. */
	for (int stub = 0; stub < 2; stub++) {
		struct vd_arrivals numbers = { 0 };

		assert_int_equal(vd_arrivals_add(&numbers, latest, stub), 0);
		vd_buf_reset(&list);
		assert_int_equal(vd_arrivals_encode(&numbers, &list), 0);
		fill = (struct vd_bundle_fill){ .list = vd_buf_slice(&list) };
		assert_int_equal(write_with(&c->hub, vd_buf_slice(&chosen), &fill, path, NULL, &stats), 0);
		assert_true(fill.taken && stats.records == 1 && stats.filled == 0);
		vd_arrivals_deinit(&numbers);
	}
	vd_buf_deinit(&chosen);
	vd_buf_deinit(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fold__a_hundred_visits_leave_few_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__no_two_files_would_fit_into_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__a_large_one_takes_small_ones_along, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__what_came_back_goes_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__removes_nothing_else_of_that_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__a_damaged_one_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__not_under_other_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__bodies_that_went, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__redacted_bodies_leave_large_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__expired_bodies_leave_large_ones, setup, teardown),
		cmocka_unit_test(test_fold__expired_bodies_stay_where_that_is_not_sure_or_not_worth_it),
		cmocka_unit_test(test_fold__small_ones_with_expired_bodies),
		cmocka_unit_test_setup_teardown(test_fold__what_it_says_goes_along, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__three_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fold__a_fill_goes_in_whole_or_not_at_all, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
