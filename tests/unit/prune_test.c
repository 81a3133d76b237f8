/* Pruning: what goes, what stays, and that no body is lost by it, whatever the clocks show. */
#include "store/check.h"
#include "store/custody.h"
#include "store/inside.h"
#include "store/prune.h"
#include "store/tend_inside.h"
#include "tests/unit/mesh_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

enum { PEOPLE = 5, DAY = 86400000, BODIES = 400, SEEDS = 8 };

struct scene {
	struct mesh mesh;
	struct person p[PEOPLE];
	int64_t off_days[PEOPLE];  /* how wrong a clock is */
	bool dead[PEOPLE];
	uint64_t day, seed;        /* the true day */
	struct {
		struct vd_id id;
		uint32_t expires;      /* 0: never */
	} bodies[BODIES];
	size_t count;
};

static uint32_t roll(struct scene *s, uint32_t n)
{
	s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->seed >> 33) % n;
}

static uint64_t clock_of(const struct scene *s, size_t i)
{
	return (uint64_t)((int64_t)s->day + s->off_days[i]) * DAY + 1000;
}

static void start(struct scene *s, uint64_t seed)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	mesh_start(&s->mesh, &s->p[0]);
	for (size_t i = 1; i < PEOPLE; i++)
		mesh_add_person(&s->mesh, &s->p[0], &s->p[i]);
	/* The stores go by the machine's own clock when something comes. */
	s->day = vd_now_ms() / DAY;
}

static void end(struct scene *s)
{
	for (size_t i = 0; i < PEOPLE; i++) {
		struct vd_check check;

		assert_int_equal(vd_index_catch_up(s->p[i].store), 0);
		assert_int_equal(vd_check(s->p[i].store, false, &check), 0);
		assert_int_equal(check.bad + check.derived_bad, 0);
		person_leave(&s->p[i]);
	}
	mesh_end(&s->mesh);
}

static void promise(struct scene *s, size_t i, uint64_t days)
{
	struct vd_shares set;

	assert_int_equal(vd_shares_get(s->p[i].store, &set), 0);
	set.promise_days = days;
	assert_int_equal(vd_shares_set(s->p[i].store, &set, clock_of(s, i)), 0);
}

static void write_text(struct scene *s, size_t i, uint8_t lane, uint32_t expires, struct vd_slice text)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = text } };
	struct vd_draft draft = { .lane = lane, .audience = VD_AUDIENCE_MEMBERS, .now_ms = clock_of(s, i), .has_expires = expires != 0, .expires_day = expires };
	struct vd_buf content = { 0 };
	struct vd_write *w;

	assert_true(s->count < BODIES);
	assert_int_equal(vd_content_encode(vd_slice_str("message"), &field, 1, &content), 0);
	draft.content = vd_buf_slice(&content);
	assert_int_equal(vd_write_begin(s->p[i].store, &w), 0);
	assert_int_equal(vd_write_own(w, s->p[i].group, &draft, &s->bodies[s->count].id), 0);
	assert_int_equal(vd_write_commit(w), 0);
	s->bodies[s->count++].expires = expires;
	vd_buf_deinit(&content);
}

static int add(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	(void)arrival;
	(void)received_ms;
	return vd_batch_add(ctx, raw);
}

static void write_one(struct scene *s, size_t i, uint8_t lane, uint32_t expires)
{
	write_text(s, i, lane, expires, vd_slice_str("said"));
}

/* Without a word of who holds what. */
static void carry_records(struct scene *s, size_t from, size_t to)
{
	struct vd_batch batch = { 0 };
	struct vd_merge merge = { 0 };

	assert_int_equal(vd_store_walk(s->p[from].store, s->mesh.group, VD_ANY_LANE, 0, add, &batch), 0);
	assert_int_equal(vd_store_merge(s->p[to].store, s->p[to].group, &batch, &merge), 0);
	assert_int_equal(merge.refused, 0);
	vd_batch_deinit(&batch);
}

static void carry(struct scene *s, size_t from, size_t to)
{
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	struct vd_buf bytes = { 0 };
	struct vd_slice receipt;
	struct vd_told *told;
	size_t count;

	carry_records(s, from, to);
	assert_int_equal(vd_custody_say(s->p[from].store, s->p[from].group, clock_of(s, from), &bytes), 0);
	assert_int_equal(vd_custody_told(s->p[from].store, s->p[from].group, clock_of(s, from), &told, &count), 0);
	for (size_t i = 0; i < count; i++) {
		vd_buf_reset(&bytes);
		assert_int_equal(vd_custody_receipt(s->p[from].store, s->mesh.group, told[i].author, &bytes), 0);
		receipt = vd_buf_slice(&bytes);
		assert_int_equal(vd_custody_keep(s->p[to].store, s->p[to].group, &receipt, 1, &route, clock_of(s, to), NULL), 0);
	}
	free(told);
	vd_buf_deinit(&bytes);
}

static void sync_all(struct scene *s)
{
	for (int round = 0; round < 2; round++)
		for (size_t i = 1; i < PEOPLE; i++) {
			if (s->dead[0] || s->dead[i])
				continue;
			carry(s, i, 0);
			carry(s, 0, i);
		}
}

static int prune(struct scene *s, size_t i, bool dry, struct vd_pruned *out)
{
	const struct vd_prune_rule rule = { .lanes = 14, .most_bytes = UINT64_MAX, .dry = dry };

	*out = (struct vd_pruned){ 0 };
	return vd_prune(s->p[i].store, s->p[i].group, &rule, clock_of(s, i), out);
}

static void tend(struct scene *s, size_t i, struct vd_tended *out)
{
	*out = (struct vd_tended){ 0 };
	assert_int_equal(vd_tend_expired(s->p[i].store, s->mesh.group, clock_of(s, i), out), 0);
	assert_int_equal(vd_tend_space(s->p[i].store, s->p[i].group, clock_of(s, i), out), 0);
}

/* Days go by on a device that is used. */
static void pass(struct scene *s, uint64_t days)
{
	for (; days; days -= days < 5 ? days : 5) {
		struct vd_tended tended;

		s->day += days < 5 ? days : 5;
		for (size_t i = 0; i < PEOPLE; i++)
			if (!s->dead[i])
				tend(s, i, &tended);
	}
}

static bool whole(const struct scene *s, size_t i, size_t body)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;
	bool out = !vd_store_find(s->p[i].store, &s->bodies[body].id, &arrival) &&
	           !vd_store_read(s->p[i].store, arrival, &raw, &record, NULL) && !record.stub;

	vd_buf_deinit(&raw);
	return out;
}

static size_t copies(const struct scene *s, size_t body)
{
	size_t n = 0;

	for (size_t i = 0; i < PEOPLE; i++)
		n += !s->dead[i] && whole(s, i, body);
	return n;
}

static void check_equal(const struct scene *s, size_t a, size_t b)
{
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		struct vd_lane_state x, y;

		assert_int_equal(vd_store_lane(s->p[a].store, s->mesh.group, lane, &x, NULL, 0), 0);
		assert_int_equal(vd_store_lane(s->p[b].store, s->mesh.group, lane, &y, NULL, 0), 0);
		assert_true(vd_digest_eq(&x.digest, &y.digest));
	}
}

/* Two others' promises, none of ours, not our own. */
static void test_prune__what_may_go(void **state)
{
	struct vd_pruned pruned;
	struct scene s;

	(void)state;
	start(&s, 1);
	promise(&s, 3, 0);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	write_one(&s, 3, VD_LANE_NORMAL, 0);
	write_one(&s, 0, VD_LANE_BULK, 0);
	pass(&s, 15); /* clocks are seen to run */
	assert_int_equal(prune(&s, 3, false, &pruned), 0);
	assert_int_equal(pruned.records, 0);
	carry(&s, 0, 3);
	assert_int_equal(prune(&s, 3, true, &pruned), 0);
	assert_true(pruned.records == 0 && pruned.few == 2 && pruned.own == 1); /* one promises */
	sync_all(&s);
	/* who has promised lets go of nothing */
	assert_int_equal(prune(&s, 1, false, &pruned), 0);
	assert_int_equal(pruned.records, 0);
	assert_true(pruned.promised_until >= s.day + VD_RECEIPT_DAYS);
	assert_int_equal(prune(&s, 3, true, &pruned), 0);
	assert_true(pruned.records == 2 && pruned.own == 1 && pruned.bytes > 0);
	assert_true(whole(&s, 3, 0));
	assert_int_equal(prune(&s, 3, false, &pruned), 0);
	assert_int_equal(pruned.records, 2);
	assert_false(whole(&s, 3, 0) || whole(&s, 3, 2));
	assert_true(whole(&s, 3, 1));
	check_equal(&s, 0, 3);
	/* it does not come back by the next sync, … */
	sync_all(&s);
	assert_false(whole(&s, 3, 0));
	/* … and does when too few promise any more */
	pass(&s, 40);
	carry(&s, 0, 3);
	assert_true(whole(&s, 3, 0) && whole(&s, 3, 2));
	check_equal(&s, 0, 3);
	end(&s);
}

/* How many others are known to hold it, on i? */
static size_t known_holders(struct scene *s, size_t i, size_t body)
{
	struct vd_custody *custody;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival;
	size_t n = 0;

	assert_int_equal(vd_custody_open_at(s->p[i].store, s->p[i].group, clock_of(s, i), &custody), 0);
	assert_int_equal(vd_store_find(s->p[i].store, &s->bodies[body].id, &arrival), 0);
	assert_int_equal(vd_store_read(s->p[i].store, arrival, &raw, &record, NULL), 0);
	for (size_t k = 0; k < vd_custody_count(custody); k++) {
		enum vd_holding how;

		assert_int_equal(vd_custody_holds(custody, k, arrival, &record, &how), 0);
		n += how != VD_HOLDS_NOT;
	}
	vd_custody_close(custody);
	vd_buf_deinit(&raw);
	return n;
}

/* What went stays away as long as receipts say that two others hold it, whatever else came since. */
static void test_prune__stays_away_while_others_hold_it(void **state)
{
	struct vd_pruned pruned;
	struct vd_tended tended;
	struct scene s;

	(void)state;
	start(&s, 5);
	promise(&s, 3, 0);
	promise(&s, 4, 0);
	for (int i = 0; i < 3; i++)
		write_one(&s, 4, VD_LANE_NORMAL, 0);
	pass(&s, 15);
	sync_all(&s);
	sync_all(&s); /* … and who holds what is known */
	assert_int_equal(known_holders(&s, 3, 1), 4);
	assert_int_equal(prune(&s, 3, false, &pruned), 0);
	assert_int_equal(pruned.records, 3);
	assert_false(whole(&s, 3, 0) || whole(&s, 3, 2));
	for (size_t round = 0; round < 4; round++) {
		size_t first = s.count;

		/* no receipt covers these, … */
		for (size_t i = 0; i < 5; i += i == 2 ? 2 : 1)
			write_one(&s, i, VD_LANE_NORMAL, 0);
		for (size_t i = 0; i < 5; i += i == 2 ? 2 : 1)
			carry_records(&s, i, 3);
		assert_true(whole(&s, 3, first) && whole(&s, 3, first + 3));
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(known_holders(&s, 3, i), 4);
		s.day++;
		tend(&s, 3, &tended);
		assert_int_equal(tended.wanted, 0);
		/* … nor does a newer one of one of them make a lane the same; and what is left below and above is known of, too */
		carry(&s, round % 3, 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(known_holders(&s, 3, i), 4);
		s.day++;
		tend(&s, 3, &tended);
		assert_int_equal(tended.wanted, 0);
		for (size_t i = 0; i < 3; i++)
			assert_false(whole(&s, 3, i));
	}
	sync_all(&s);
	check_equal(&s, 0, 3);
	for (size_t i = 0; i < 3; i++)
		assert_false(whole(&s, 3, i));
	/* Those who hold it say nothing more: it is wanted back. */
	s.day += 20;
	tend(&s, 3, &tended);
	assert_int_equal(tended.wanted, 3);
	carry(&s, 0, 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(whole(&s, 3, i));
	end(&s);
}

/* Who needs it has it back by the next sync, and keeps it as what is new. */
static void test_prune__wanted_back(void **state)
{
	struct vd_prune_rule rule = { .lanes = 14, .most_bytes = UINT64_MAX, .older_ms = 30 * (uint64_t)DAY };
	struct vd_pruned pruned = { 0 };
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival, wanted;
	struct scene s;

	(void)state;
	start(&s, 8);
	promise(&s, 3, 0);
	pass(&s, 1);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	sync_all(&s);
	pass(&s, 35);
	sync_all(&s);
	assert_int_equal(vd_prune(s.p[3].store, s.p[3].group, &rule, clock_of(&s, 3), &pruned), 0);
	assert_int_equal(pruned.records, 2);
	sync_all(&s);
	assert_false(whole(&s, 3, 0) || whole(&s, 3, 1));
	assert_int_equal(vd_store_find(s.p[3].store, &s.bodies[0].id, &arrival), 0);
	assert_int_equal(vd_store_read(s.p[3].store, arrival, &raw, &record, NULL), 0);
	assert_int_equal(vd_prune_undo(s.p[3].store, s.p[3].group, &record, clock_of(&s, 3), &wanted), 0);
	assert_int_equal(wanted, 1);
	assert_int_equal(vd_prune_undo(s.p[3].store, s.p[3].group, &record, clock_of(&s, 3), &wanted), 0);
	assert_int_equal(wanted, 0);
	sync_all(&s);
	assert_true(whole(&s, 3, 0));
	assert_false(whole(&s, 3, 1));
	pass(&s, 25);
	sync_all(&s);
	for (int again = 0; again < 2; again++) {
		pruned = (struct vd_pruned){ 0 };
		assert_int_equal(vd_prune(s.p[3].store, s.p[3].group, &rule, clock_of(&s, 3), &pruned), 0);
		assert_int_equal(pruned.young, !again);
		assert_int_equal(whole(&s, 3, 0), !again);
		pass(&s, 6);
		sync_all(&s);
	}
	vd_buf_deinit(&raw);
	end(&s);
}

static void test_prune__age_lane_and_enough(void **state)
{
	struct vd_prune_rule rule = { .lanes = 1 << VD_LANE_NORMAL | 1 << VD_LANE_BULK, .most_bytes = UINT64_MAX, .older_ms = 20 * (uint64_t)DAY };
	struct vd_pruned pruned = { 0 };
	struct scene s;

	(void)state;
	start(&s, 2);
	promise(&s, 3, 0);
	pass(&s, 1); /* the clocks are seen before anything is promised */
	for (int i = 0; i < 3; i++) {
		write_one(&s, 0, VD_LANE_URGENT, 0);
		write_one(&s, 0, VD_LANE_NORMAL, 0);
		write_one(&s, 0, VD_LANE_BULK, 0);
	}
	sync_all(&s);
	pass(&s, 15);
	sync_all(&s);
	assert_int_equal(vd_prune(s.p[3].store, s.p[3].group, &rule, clock_of(&s, 3), &pruned), 0);
	assert_true(pruned.records == 0 && pruned.young == 6);
	pass(&s, 10);
	sync_all(&s);
	rule.most_bytes = 1;
	pruned = (struct vd_pruned){ 0 };
	assert_int_equal(vd_prune(s.p[3].store, s.p[3].group, &rule, clock_of(&s, 3), &pruned), 0);
	assert_int_equal(pruned.records, 1);
	assert_false(whole(&s, 3, 2)); /* the first of the bulk lane */
	rule.most_bytes = UINT64_MAX;
	pruned = (struct vd_pruned){ 0 };
	assert_int_equal(vd_prune(s.p[3].store, s.p[3].group, &rule, clock_of(&s, 3), &pruned), 0);
	assert_int_equal(pruned.records, 5);
	for (size_t i = 0; i < 9; i += 3)
		assert_true(whole(&s, 3, i));
	end(&s);
}

/* A clock that jumped lets go of nothing: neither because others' promises seem to live, nor because our own seems over. */
static void test_prune__wrong_clocks(void **state)
{
	struct vd_pruned pruned;
	struct scene s;

	(void)state;
	start(&s, 3);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	sync_all(&s);
	pass(&s, 20);
	sync_all(&s);
	promise(&s, 3, 0);
	/* two months ahead: our promise would be over */
	s.off_days[3] = 60;
	assert_int_equal(prune(&s, 3, false, &pruned), VD_EAGAIN);
	pass(&s, 10); /* steady by now, but not since the promise was made */
	assert_int_equal(prune(&s, 3, false, &pruned), VD_EAGAIN);
	/* years back */
	s.off_days[3] = -4000;
	assert_int_equal(prune(&s, 3, false, &pruned), VD_EAGAIN);
	assert_true(whole(&s, 3, 0));
	end(&s);
}

/* Nodes write, meet, promise or not, prune whenever they can, and have clocks that jump about; those who wrote die. No pruning takes the last copy that
 * is left; sets are equal when all have met. */
static size_t run(uint64_t seed)
{
	size_t pruned_all = 0;
	struct scene s;

	start(&s, seed);
	for (size_t i = 0; i < PEOPLE; i++)
		promise(&s, i, roll(&s, 2) ? 30 : 0);
	pass(&s, 10);
	for (int step = 0; step < 300; step++) {
		size_t i = roll(&s, PEOPLE), k = roll(&s, PEOPLE);
		struct vd_pruned pruned;
		struct vd_tended tended;

		if (step == 100) {
			s.dead[3] = s.dead[4] = true;
			/* From now on nobody promises: who goes by promises alone lets go of less and less. */
			for (size_t j = 0; j < 3; j++)
				promise(&s, j, 0);
		}
		if (s.dead[i] || s.dead[k])
			continue;
		switch (roll(&s, 9)) {
		case 0:
			/* Authors keep their own: so the ones who write are gone at half time. */
			i = 3 + i % 2;
			if (!s.dead[i])
				write_one(&s, i, (uint8_t)(1 + roll(&s, 3)), roll(&s, 4) ? 0 : (uint32_t)s.day + roll(&s, 40));
			break;
		case 1: case 2: case 3:
			if (i != k) {
				carry(&s, i, k);
				carry(&s, k, i);
			}
			break;
		case 4: pass(&s, 1 + roll(&s, 9)); break;
		case 5: {
			struct vd_buf said = { 0 };

			assert_int_equal(vd_custody_say(s.p[i].store, s.p[i].group, clock_of(&s, i), &said), 0);
			vd_buf_deinit(&said);
			break;
		}
		case 6: case 7: {
			bool were[BODIES];
			int rc;

			for (size_t b = 0; b < s.count; b++)
				were[b] = copies(&s, b) > 0;
			rc = prune(&s, i, false, &pruned);
			assert_true(rc == VD_OK || rc == VD_EAGAIN);
			pruned_all += pruned.records;
			for (size_t b = 0; b < s.count; b++)
				assert_true(!were[b] || copies(&s, b) > 0);
			break;
		}
		case 8:
			if (roll(&s, 3) == 0)
				s.off_days[i] = roll(&s, 2) ? 0 : (int64_t)roll(&s, 200) - 100;
			else if (step < 100)
				promise(&s, i, roll(&s, 2) ? 30 : 0);
			break;
		}
		tend(&s, i, &tended);
	}
	/* The living meet. */
	memset(s.off_days, 0, sizeof(s.off_days));
	sync_all(&s);
	for (size_t i = 1; i < PEOPLE; i++)
		if (!s.dead[i] && !s.dead[0])
			check_equal(&s, 0, i);
	end(&s);
	return pruned_all;
}

static void test_prune__no_body_is_lost(void **state)
{
	size_t pruned = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		pruned += run(seed);
	assert_true(pruned > 2 * SEEDS); /* or it shows nothing */
}

/* --- a medium that is nearly full --- */

/* Takes up all of it but so many bytes. */
static void fill(uint64_t leave)
{
	static uint8_t block[65536];
	struct statvfs fs;
	int fd = open("/tmp/filler", O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	memset(block, 1, sizeof(block));
	while (!statvfs("/tmp", &fs) && (uint64_t)fs.f_bavail * fs.f_frsize > leave + sizeof(block))
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
	close(fd);
}

/* In 64 MiB, of which 4 are kept free: with less than 8 free it begins, unasked, with what is old, attachments first, and stops when there is room enough. */
static void tend_when_full(void)
{
	struct scene s;

	start(&s, 4);
	promise(&s, 3, 0);
	pass(&s, 1);
	for (int i = 0; i < 3; i++)
		write_one(&s, 0, VD_LANE_URGENT, 0);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	write_one(&s, 0, VD_LANE_BULK, 0);
	sync_all(&s);
	pass(&s, 35);
	sync_all(&s);
	write_one(&s, 0, VD_LANE_BULK, 0);
	carry(&s, 0, 3);
	pass(&s, 1);
	assert_true(whole(&s, 3, 3) && whole(&s, 3, 4)); /* there is room */
	fill(6 << 20);
	pass(&s, 1);
	assert_false(whole(&s, 3, 3) || whole(&s, 3, 4));
	assert_true(whole(&s, 3, 0) && whole(&s, 3, 1) && whole(&s, 3, 2)); /* urgent ones stay */
	assert_true(whole(&s, 3, 5)); /* and what only its author is known to have */
	for (size_t i = 0; i < 3; i++)
		assert_true(whole(&s, i, 3) && whole(&s, i, 4)); /* who promised keeps them */
	check_equal(&s, 0, 3);
	end(&s);
}

/* What pruning freed inside the file can be used, also where the medium itself has less left than is kept free. */
static void use_what_was_freed(void)
{
	enum { TEXT = 20000, TEXTS = 200 };
	struct vd_shares set;
	struct vd_tended tended;
	char text[TEXT];
	struct scene s;

	start(&s, 6);
	promise(&s, 3, 0);
	assert_int_equal(vd_shares_get(s.p[3].store, &set), 0);
	set.reserve_bytes = 1 << 20;
	assert_int_equal(vd_shares_set(s.p[3].store, &set, clock_of(&s, 3)), 0);
	pass(&s, 1);
	for (int i = 0; i < TEXTS; i++) {
		for (size_t k = 0; k < TEXT; k++)
			text[k] = (char)('a' + roll(&s, 26));
		write_text(&s, 0, VD_LANE_NORMAL, 0, vd_slice(text, TEXT));
	}
	sync_all(&s);
	pass(&s, 35);
	sync_all(&s);
	for (int i = 0; i < 2; i++)
		write_text(&s, 0, VD_LANE_NORMAL, 0, vd_slice(text, TEXT));
	fill(512 << 10);
	assert_false(vd_store_has_room(s.p[3].store));
	tend(&s, 3, &tended); /* today's look was before: a full disk does not wait for tomorrow's */
	assert_true(tended.pruned > 0 && tended.redacted == 0 && tended.expired == 0); /* what went is called by its reason */
	assert_false(whole(&s, 3, 0));
	assert_true(vd_store_has_room(s.p[3].store));
	carry_records(&s, 0, 3);
	assert_true(whole(&s, 3, TEXTS) && whole(&s, 3, TEXTS + 1));
	end(&s);
}

/* What found no room though nobody measured it goes back to the medium, and readers do not mind. */
static void give_back_what_was_in_vain(void)
{
	static uint8_t note[VD_NOTE_MAX];
	uint64_t free_before, free_after, total, latest;
	struct vd_write *w;
	struct scene s;
	MDB_txn *txn;

	start(&s, 7);
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	fill(3 << 20);
	assert_int_equal(vd_db_room(s.p[0].store->db, &free_before, &total), 0);
	assert_int_equal(vd_db_read(s.p[0].store->db, &txn), 0);
	assert_int_equal(vd_write_begin(s.p[0].store, &w), 0);
	for (uint8_t i = 0; i < 250; i++)
		for (uint8_t k = 0; k < 8; k++) {
			uint8_t key[] = { i, k };

			randombytes_buf(note, sizeof(note));
			assert_int_equal(vd_write_note(w, "n", vd_slice(key, 2), vd_slice(note, sizeof(note))), 0);
		}
	vd_db_done(s.p[0].store->db, txn);
	assert_int_equal(vd_write_end(w), VD_ENOSPACE);
	assert_int_equal(vd_db_room(s.p[0].store->db, &free_after, &total), 0);
	assert_true(free_after + (64 << 10) > free_before);
	assert_int_equal(vd_store_latest(s.p[0].store, &latest), 0);
	assert_true(whole(&s, 0, 0));
	write_one(&s, 0, VD_LANE_NORMAL, 0);
	assert_true(whole(&s, 0, 1));
	end(&s);
}

static bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* /tmp of our own, of 64 MiB. */
static bool own_medium(void)
{
	uid_t user = geteuid();
	char map[64];

	if (unshare(CLONE_NEWNS | (user ? CLONE_NEWUSER : 0)))
		return false;
	snprintf(map, sizeof(map), "0 %u 1", (unsigned)user);
	if (user && !put_file("/proc/self/uid_map", map))
		return false;
	return !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) && !mount("none", "/tmp", "tmpfs", 0, "size=64m");
}

static void on_own_medium(void (*scene)(void))
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		if (!own_medium())
			_exit(77);
		scene();
		_exit(0);
	}
	assert_true(child > 0 && waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip(); /* no mount of our own to be had here */
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void test_prune__unasked_where_the_medium_is_nearly_full(void **state)
{
	(void)state;
	on_own_medium(tend_when_full);
}

static void test_prune__what_was_freed_is_used(void **state)
{
	(void)state;
	on_own_medium(use_what_was_freed);
}

static void test_prune__what_found_no_room_takes_none(void **state)
{
	(void)state;
	on_own_medium(give_back_what_was_in_vain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prune__what_may_go),
		cmocka_unit_test(test_prune__stays_away_while_others_hold_it),
		cmocka_unit_test(test_prune__wanted_back),
		cmocka_unit_test(test_prune__age_lane_and_enough),
		cmocka_unit_test(test_prune__wrong_clocks),
		cmocka_unit_test(test_prune__no_body_is_lost),
		cmocka_unit_test(test_prune__unasked_where_the_medium_is_nearly_full),
		cmocka_unit_test(test_prune__what_was_freed_is_used),
		cmocka_unit_test(test_prune__what_found_no_room_takes_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
