/* What a record attaches: which chunks count, what becomes of them when their record is hidden, and files made of them. */
#include "tests/unit/view_cast.h"

#include <sodium.h>

#include "store/attached.h"
#include "store/standing.h"
#include "store/tend_inside.h"

enum { DAY = 86400000, CHUNKS = 3 };

/* Text that a chunk holds: three of them make a file. */
static const char *const data[CHUNKS] = { "one ", "two ", "three" };

static struct vd_id write_part(struct village *v, size_t by, const char *of, uint8_t attachment, uint32_t number, const char *text, const char *name)
{
	struct vd_part part = { .of = village_find(v, of), .attachment = attachment, .number = number };
	struct vd_draft draft = { .lane = VD_LANE_BULK, .audience = VD_AUDIENCE_EVERYONE, .now_ms = ++v->clock, .part = &part };
	struct vd_buf content = { 0 };

	assert_int_equal(vd_chunk_encode(vd_slice_str(text), &content), 0);
	return village_put(v, by, &draft, &content, name);
}

static struct vd_attachment the_file(void)
{
	struct vd_attachment a = { .name = vd_slice_str("f.txt"), .type = vd_slice_str("text/plain"), .size = 13, .chunks = CHUNKS };

	crypto_generichash(a.hash, sizeof a.hash, (const uint8_t *)"one two three", 13, NULL, 0);
	return a;
}

struct scene {
	struct village v;
	size_t member, stranger, courier;
};

/* A member's record with three chunks, which everybody has. */
static void begin(struct scene *s, const struct cast_place *p)
{
	village_start(&s->v, p);
	s->member = village_join(&s->v, VD_ROLE_MEMBER, 3);
	s->stranger = village_join(&s->v, VD_ROLE_MEMBER, 4);
	s->courier = village_join(&s->v, VD_ROLE_COURIER, 5);
	village_say(&s->v, s->member, "m1");
	village_sync(&s->v);
	for (uint32_t i = 0; i < CHUNKS; i++)
		write_part(&s->v, s->member, "m1", 0, i, data[i], (char[]){ 'c', (char)('0' + i), 0 });
}

static int find(struct village *v, size_t i, const char *name, struct vd_attached *out)
{
	struct vd_id id = village_find(v, name);
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;
	int rc;

	assert_int_equal(vd_store_find(v->s[i], &id, &arrival), 0);
	assert_int_equal(vd_store_read(v->s[i], arrival, &raw, &record, NULL), 0);
	rc = vd_attached_find(v->s[i], &record, out);
	vd_buf_deinit(&raw);
	return rc;
}

static uint32_t here(struct village *v, size_t i, const char *name, uint32_t chunks)
{
	struct vd_attached a;
	uint32_t n;

	assert_int_equal(find(v, i, name, &a), 0);
	n = vd_attached_count(&a, 0, chunks, NULL);
	vd_attached_deinit(&a);
	return n;
}

/* The file as that store has it, "" and the error if it has not. */
static int assemble(struct village *v, size_t i, const struct vd_attachment *what, char out[64])
{
	struct vd_file_out *file;
	struct vd_attached a;
	struct vd_buf got = { 0 };
	char path[160];
	int rc;

	assert_int_equal(find(v, i, "m1", &a), 0);
	snprintf(path, sizeof path, "%s/f", v->place->top);
	assert_int_equal(vd_file_create(path, &file), 0);
	rc = vd_attached_write(v->s[i], v->g[i], &a, 0, what, file);
	if (rc) {
		vd_file_abort(file);
	} else {
		assert_int_equal(vd_file_commit(file, false), 0);
		assert_int_equal(vd_file_read(path, 63, &got), 0);
	}
	if (got.n)
		memcpy(out, got.p, got.n);
	out[got.n] = '\0';
	unlink(path);
	vd_buf_deinit(&got);
	vd_attached_deinit(&a);
	return rc;
}

static void test_attached__chunks_in_any_order(void **state)
{
	struct vd_attachment what = the_file();
	struct scene s;
	char text[64];

	begin(&s, *state);
	assert_int_equal(here(&s.v, 0, "m1", CHUNKS), 0);
	village_hand(&s.v, s.member, 0, "c2", false);
	village_hand(&s.v, s.member, 0, "c0", false);
	village_hand(&s.v, s.member, 0, "c0", false);
	assert_int_equal(here(&s.v, 0, "m1", CHUNKS), 2);
	assert_int_equal(here(&s.v, 0, "m1", 2), 1);
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_ENOTFOUND);
	/* only its stub: still missing, and known to be */
	village_hand(&s.v, s.member, 0, "c1", true);
	{
		struct vd_attached a;
		uint32_t stubs;

		assert_int_equal(find(&s.v, 0, "m1", &a), 0);
		assert_int_equal(vd_attached_count(&a, 0, CHUNKS, &stubs), 2);
		assert_int_equal(stubs, 1);
		vd_attached_deinit(&a);
	}
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_ENOTFOUND);
	village_hand(&s.v, s.member, 0, "c1", false);
	assert_int_equal(assemble(&s.v, 0, &what, text), 0);
	assert_string_equal(text, "one two three");
	/* they are no records for people */
	village_shows(&s.v, 0, "m1 ");
	village_end(&s.v);
}

/* Nobody else can slip in a chunk, however it is named; its author can spoil only its own. */
static void test_attached__false_chunks(void **state)
{
	struct vd_attachment what = the_file();
	struct scene s;
	char text[64];

	begin(&s, *state);
	write_part(&s.v, s.stranger, "m1", 0, 0, "bad ", "x0");
	write_part(&s.v, s.stranger, "m1", 0, 1, "bad ", "x1");
	village_carry(&s.v, s.stranger, 0);
	assert_int_equal(here(&s.v, 0, "m1", CHUNKS), 0);
	village_carry(&s.v, s.member, 0);
	assert_int_equal(here(&s.v, 0, "m1", CHUNKS), CHUNKS);
	assert_int_equal(assemble(&s.v, 0, &what, text), 0);
	assert_string_equal(text, "one two three");
	what.hash[5] ^= 1;
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_EDAMAGED);
	what = the_file();
	what.size = 12;
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_EDAMAGED);
	what.size = 14;
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_EDAMAGED);
	what = the_file();
	what.chunks = 2;
	assert_int_equal(assemble(&s.v, 0, &what, text), VD_EDAMAGED);
	what = the_file();
	/* says that it is a chunk, and is none */
	write_part(&s.v, s.member, "m1", 1, 0, "x", "y");
	village_carry(&s.v, s.member, 0);
	assert_int_equal(assemble(&s.v, 0, &what, text), 0);
	village_end(&s.v);
}

/* As on a device that is used every few days until then. */
static uint64_t tend(struct village *v, size_t i, uint64_t now_ms, uint64_t *wanted)
{
	struct vd_tended tended = { 0 };

	for (uint64_t before = 40; before > 0; before -= 5)
		assert_int_equal(vd_tend_bodies(v->s[i], v->id, now_ms - before * DAY, &tended), 0);
	tended = (struct vd_tended){ 0 };
	assert_int_equal(vd_tend_bodies(v->s[i], v->id, now_ms, &tended), 0);
	if (wanted)
		*wanted = tended.wanted;
	return tended.redacted;
}

static enum vd_standing standing_of(struct village *v, size_t i, const char *name)
{
	struct vd_id id = village_find(v, name);
	struct vd_standings standings;
	struct vd_judged judged;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;

	assert_int_equal(vd_index_catch_up(v->s[i]), 0);
	assert_int_equal(vd_store_group_refresh(v->s[i], v->g[i], &(uint64_t){ 0 }), 0);
	assert_int_equal(vd_standings_init(&standings, v->s[i]), 0);
	assert_int_equal(vd_store_find(v->s[i], &id, &arrival), 0);
	assert_int_equal(vd_store_read(v->s[i], arrival, &raw, &record, NULL), 0);
	assert_int_equal(vd_standing_of(&standings, v->g[i], arrival, &record, &judged), 0);
	vd_standings_deinit(&standings);
	vd_buf_deinit(&raw);
	return judged.standing;
}

/* Chunks go with their record: also where nobody can read them, and those that come when it has long been hidden. Who else says that theirs
 * are its chunks does not lose them. */
static void test_attached__hidden_with_their_record(void **state)
{
	uint64_t later = vd_now_ms() + 31 * (uint64_t)DAY;
	struct scene s;

	begin(&s, *state);
	write_part(&s.v, 0, "m1", 0, 0, "other", "x0");
	village_redact(&s.v, s.stranger, "m1", "no");
	village_redact(&s.v, s.member, "m1", "r1");
	village_redact(&s.v, s.member, "c1", "r2"); /* … and one of them by itself as well */
	village_sync(&s.v);
	village_hand(&s.v, s.member, s.courier, "c0", false);
	for (size_t i = 0; i < s.v.count; i++) {
		assert_int_equal(standing_of(&s.v, i, "c0"), VD_STANDING_REDACTED);
		assert_int_equal(standing_of(&s.v, i, "c1"), VD_STANDING_REDACTED);
		assert_int_equal(standing_of(&s.v, i, "x0"), VD_STANDING_SHOWN);
		/* At its author it came when it was written, in 2023. */
		if (i != s.member) {
			assert_int_equal(tend(&s.v, i, later - 2 * (uint64_t)DAY, NULL), 0);
			assert_int_equal(tend(&s.v, i, later, NULL), 1 + CHUNKS);
		}
		tend(&s.v, i, later, NULL);
		for (uint32_t c = 0; c < CHUNKS; c++)
			assert_false(village_whole(&s.v, i, (char[]){ 'c', (char)('0' + c), 0 }));
		assert_true(village_whole(&s.v, i, "x0"));
		assert_int_equal(tend(&s.v, i, later + DAY, NULL), 0);
	}
	/* one that comes later */
	write_part(&s.v, s.member, "m1", 0, 3, "late", "c3");
	village_carry(&s.v, s.member, 0);
	assert_int_equal(standing_of(&s.v, 0, "c3"), VD_STANDING_REDACTED);
	tend(&s.v, 0, later + 2 * (uint64_t)DAY, NULL);
	assert_false(village_whole(&s.v, 0, "c3"));
	village_end(&s.v);
}

/* A wanted chunk that is hidden twice over is wanted no more, once; and again when neither holds. */
static void test_attached__wanted_again(void **state)
{
	uint64_t later = vd_now_ms() + 31 * (uint64_t)DAY, wanted;
	struct vd_lane_state lane;
	struct scene s;
	size_t second;

	begin(&s, *state);
	second = village_join(&s.v, VD_ROLE_MEMBER, 3);
	village_redact(&s.v, second, "m1", "r1");
	village_redact(&s.v, second, "c1", "r2");
	village_carry(&s.v, second, 0);
	village_hand(&s.v, s.member, 0, "c0", false);
	village_hand(&s.v, s.member, 0, "c1", true);
	village_hand(&s.v, s.member, 0, "c2", false);
	assert_int_equal(vd_store_lane(s.v.s[0], s.v.id, VD_LANE_BULK, &lane, NULL, 0), 0);
	assert_int_equal(lane.wanted.count, 1);
	assert_int_equal(tend(&s.v, 0, later, NULL), 3);
	assert_int_equal(vd_store_lane(s.v.s[0], s.v.id, VD_LANE_BULK, &lane, NULL, 0), 0);
	assert_int_equal(lane.wanted.count, 0);
	village_check(&s.v);
	village_revoke(&s.v, 0, second, NULL);
	tend(&s.v, 0, later + DAY, &wanted);
	assert_int_equal(vd_store_lane(s.v.s[0], s.v.id, VD_LANE_BULK, &lane, NULL, 0), 0);
	assert_int_equal(lane.wanted.count, CHUNKS);
	village_carry(&s.v, s.member, 0);
	assert_int_equal(here(&s.v, 0, "m1", CHUNKS), CHUNKS);
	village_end(&s.v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_attached__chunks_in_any_order, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_attached__false_chunks, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_attached__hidden_with_their_record, cast_setup, cast_teardown),
		cmocka_unit_test_setup_teardown(test_attached__wanted_again, cast_setup, cast_teardown),
	};

	if (vd_sign_selftest())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
