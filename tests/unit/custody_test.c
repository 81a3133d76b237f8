/* Custody: what devices say they hold, and what is believed of it. */
#include <sys/stat.h>

#include "store/custody.h"
#include "store/inside.h"
#include "store/shares.h"
#include "tests/unit/mesh_fixture.h"

enum { SNAPS = 4096, PEOPLE = 4 };

/* What a device held when it made a receipt. */
struct snap {
	uint8_t author[VD_KEY_BYTES];
	uint64_t count;
	uint8_t (*ids)[VD_ID_BYTES];
	size_t n;
};

struct scene {
	struct mesh mesh;
	struct person p[PEOPLE];
	struct snap snaps[SNAPS];
	size_t snap_count;
	uint64_t seed, now_ms;
};

static uint32_t roll(struct scene *s, uint32_t n)
{
	s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->seed >> 33) % n;
}

static const uint8_t *key_of(const struct person *p)
{
	return vd_group_identity(p->group)->author;
}

struct want {
	struct scene *s;
	uint32_t of;       /* one of so many stays behind; 0: none does */
};

static bool wanted(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct want *w = ctx;

	(void)arrival;
	return r->lane == VD_LANE_CONTROL || !w->of || roll(w->s, w->of) != 0;
}

/* Brings records from one to the other, all but one of `of`. */
static void carry(struct scene *s, struct person *from, struct person *to, uint32_t of)
{
	struct want w = { s, of };
	const struct vd_bundle_choice choice = { .want = wanted, .ctx = &w };
	char *path = mesh_path(&s->mesh, "carried");
	struct vd_bundle_stats stats;

	assert_int_equal(vd_bundle_write(from->store, from->group, VD_SEALED_BUNDLE, &choice, path, false, &stats), 0);
	assert_int_equal(vd_bundle_merge(to->store, path, false, NULL, &stats), 0);
	unlink(path);
	person_reload(to, &s->mesh);
}

static void add_snap(struct scene *s, struct person *p, uint64_t count)
{
	struct vd_buf raw = { 0 };
	struct snap *snap = &s->snaps[s->snap_count];
	uint64_t latest;

	for (size_t i = 0; i < s->snap_count; i++)
		if (s->snaps[i].count == count && !memcmp(s->snaps[i].author, key_of(p), VD_KEY_BYTES))
			return;
	assert_true(s->snap_count++ < SNAPS);
	memcpy(snap->author, key_of(p), VD_KEY_BYTES);
	snap->count = count;
	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	snap->ids = calloc(latest + 1, sizeof(*snap->ids));
	assert_non_null(snap->ids);
	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r;

		if (vd_store_read(p->store, at, &raw, &r, NULL) == VD_OK && !r.stub)
			memcpy(snap->ids[snap->n++], r.id.b, VD_ID_BYTES);
	}
	vd_buf_deinit(&raw);
}

static struct vd_buf say(struct scene *s, struct person *p)
{
	struct vd_buf out = { 0 };
	struct vd_receipt r;

	assert_int_equal(vd_custody_say(p->store, p->group, s->now_ms, &out), 0);
	assert_int_equal(vd_receipt_verify(p->group, vd_buf_slice(&out), &r), 0);
	add_snap(s, p, r.count);
	return out;
}

static size_t keep(struct scene *s, struct person *p, struct vd_slice bytes)
{
	const struct vd_route route = { .kind = VD_ROUTE_LINK, .text = "127.0.0.1:7" };
	size_t kept;

	assert_int_equal(vd_custody_keep(p->store, p->group, &bytes, 1, &route, s->now_ms, &kept), 0);
	return kept;
}

/* The other's own word, and perhaps all that it was told. */
static void tell(struct scene *s, struct person *from, struct person *to, bool others)
{
	struct vd_buf bytes = say(s, from);
	struct vd_told *told;
	size_t count;

	keep(s, to, vd_buf_slice(&bytes));
	assert_int_equal(vd_custody_told(from->store, from->group, s->now_ms, &told, &count), 0);
	for (size_t i = 0; others && i < count; i++) {
		vd_buf_reset(&bytes);
		assert_int_equal(vd_custody_receipt(from->store, s->mesh.group, told[i].author, &bytes), 0);
		assert_int_equal(bytes.n, told[i].bytes);
		keep(s, to, vd_buf_slice(&bytes));
	}
	free(told);
	vd_buf_deinit(&bytes);
}

static bool held_then(const struct scene *s, const uint8_t *author, uint64_t count, const struct vd_id *id)
{
	for (size_t i = 0; i < s->snap_count; i++) {
		const struct snap *snap = &s->snaps[i];

		if (snap->count != count || memcmp(snap->author, author, VD_KEY_BYTES) != 0)
			continue;
		for (size_t k = 0; k < snap->n; k++)
			if (!memcmp(snap->ids[k], id->b, VD_ID_BYTES))
				return true;
		return false;
	}
	fail_msg("a receipt that nobody made");
	return false;
}

static uint64_t told_count(struct person *p, const uint8_t *author)
{
	struct vd_told *told;
	uint64_t count = 0;
	size_t n;

	assert_int_equal(vd_custody_told(p->store, p->group, vd_now_ms(), &told, &n), 0);
	for (size_t i = 0; i < n; i++)
		if (!memcmp(told[i].author, author, VD_KEY_BYTES))
			count = told[i].count;
	free(told);
	return count;
}

/* Whatever p believes of whomever is what they held when they said it; what the sweep counts is what record by record is not held.
 * How many times something was believed by a receipt. */
static size_t check(struct scene *s, struct person *p)
{
	struct vd_missing missing;
	struct vd_custody *c;
	struct vd_buf raw = { 0 };
	uint64_t latest, apart[VD_LANES] = { 0 }, sum = 0, counted = 0;
	size_t believed = 0;

	assert_int_equal(vd_custody_open(p->store, p->group, &c), 0);
	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r;
		bool any = false;

		if (vd_store_read(p->store, at, &raw, &r, NULL) != VD_OK)
			continue;
		for (size_t i = 0; i < vd_custody_count(c); i++) {
			const uint8_t *keeper = vd_custody_keeper(c, i)->author;
			enum vd_holding how;

			assert_int_equal(vd_custody_holds(c, i, at, &r, &how), 0);
			any |= how != VD_HOLDS_NOT;
			if (how == VD_HOLDS_OWN)
				assert_memory_equal(keeper, r.author, VD_KEY_BYTES);
			if (how != VD_HOLDS_SPAN && how != VD_HOLDS_LANE)
				continue;
			believed++;
			assert_true(held_then(s, keeper, told_count(p, keeper), &r.id));
		}
		apart[r.lane] += !any && !r.stub;
	}
	assert_int_equal(vd_custody_missing(c, NULL, &missing, NULL, NULL), 0);
	for (int lane = 0; lane < VD_LANES; lane++) {
		sum += apart[lane];
		counted += missing.records[lane];
		if (!missing.unsure)
			assert_true(missing.records[lane] == apart[lane]);
	}
	assert_true(counted >= sum);
	vd_custody_close(c);
	vd_buf_deinit(&raw);
	return believed;
}

static void scene_start(struct scene *s, uint64_t seed)
{
	*s = (struct scene){ .seed = seed, .now_ms = MESH_NOW };
	mesh_start(&s->mesh, &s->p[0]);
	for (int i = 1; i < PEOPLE; i++)
		mesh_add_person(&s->mesh, &s->p[0], &s->p[i]);
	for (int i = 1; i < PEOPLE; i++)
		carry(s, &s->p[0], &s->p[i], 0);
}

static void scene_end(struct scene *s)
{
	for (size_t i = 0; i < s->snap_count; i++)
		free(s->snaps[i].ids);
	for (int i = 0; i < PEOPLE; i++)
		person_leave(&s->p[i]);
	mesh_end(&s->mesh);
}

/* --- tests --- */

static enum vd_holding holds(struct person *p, const struct person *keeper, uint64_t arrival)
{
	enum vd_holding how = VD_HOLDS_NOT;
	struct vd_buf raw = { 0 };
	struct vd_custody *c;
	struct vd_record r;
	bool any = false;

	assert_int_equal(vd_custody_open(p->store, p->group, &c), 0);
	assert_int_equal(vd_store_read(p->store, arrival, &raw, &r, NULL), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++)
		if (!memcmp(vd_custody_keeper(c, i)->author, key_of(keeper), VD_KEY_BYTES)) {
			assert_int_equal(vd_custody_holds(c, i, arrival, &r, &how), 0);
			any = true;
		}
	assert_true(any);
	vd_custody_close(c);
	vd_buf_deinit(&raw);
	return how;
}

static uint64_t newest(const struct person *p)
{
	uint64_t latest;

	assert_int_equal(vd_store_latest(p->store, &latest), 0);
	return latest;
}

static uint64_t missing_of(struct person *p, const struct person *of, uint8_t lane)
{
	struct vd_missing missing;
	bool who[PEOPLE] = { false };
	struct vd_custody *c;

	assert_int_equal(vd_custody_open(p->store, p->group, &c), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++)
		who[i] = of && !memcmp(vd_custody_keeper(c, i)->author, key_of(of), VD_KEY_BYTES);
	assert_int_equal(vd_custody_missing(c, of ? who : NULL, &missing, NULL, NULL), 0);
	vd_custody_close(c);
	return missing.records[lane];
}

static void test_custody__comes_back_by_any_way(void **state)
{
	struct scene s;
	struct person *ana = &s.p[1], *luz = &s.p[2], *hub = &s.p[0];
	uint64_t at;

	(void)state;
	scene_start(&s, 1);
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 3);
	/* Carried, and yet nobody said so. */
	carry(&s, ana, luz, 0);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_NOT);
	/* Luz knows that Ana has what Ana wrote. */
	assert_int_equal(missing_of(luz, NULL, VD_LANE_NORMAL), 0);
	assert_int_equal(missing_of(luz, hub, VD_LANE_NORMAL), 3);
	/* By way of the hub, which has none of it. */
	tell(&s, luz, hub, false);
	tell(&s, hub, ana, true);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_LANE);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 0);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 3);
	/* What came after that is not said. */
	person_write(ana, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(holds(ana, luz, newest(ana)), VD_HOLDS_NOT);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 2);
	for (int i = 0; i < PEOPLE; i++)
		check(&s, &s.p[i]);
	scene_end(&s);
}

/* The same is not said twice, but for its promise when that runs out. */
static void test_custody__says_what_is_new(void **state)
{
	struct vd_buf first, again;
	struct vd_receipt r;
	struct scene s;
	uint32_t day;

	(void)state;
	scene_start(&s, 2);
	assert_int_equal(vd_custody_promised(s.p[1].store, s.p[1].group, &day), 0);
	assert_int_equal(day, 0);
	first = say(&s, &s.p[1]);
	assert_int_equal(vd_custody_promised(s.p[1].store, s.p[1].group, &day), 0);
	assert_int_equal(day, s.now_ms / 86400000 + VD_RECEIPT_DAYS);
	s.now_ms += 10 * UINT64_C(86400000);
	again = say(&s, &s.p[1]);
	assert_true(vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&again)));
	vd_buf_deinit(&again);
	s.now_ms += 10 * UINT64_C(86400000);
	again = say(&s, &s.p[1]);
	assert_false(vd_slice_eq(vd_buf_slice(&first), vd_buf_slice(&again)));
	assert_true(vd_receipt_same(vd_buf_slice(&first), vd_buf_slice(&again)));
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&again)), 1);
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&again)), 0);
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&first)), 0); /* an older one */
	/* A clock that went back: it still rises. */
	s.now_ms = MESH_NOW;
	person_write(&s.p[1], VD_LANE_URGENT, 1, 50);
	vd_buf_deinit(&first);
	first = say(&s, &s.p[1]);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&again), &r), 0);
	day = r.keep_until;
	{
		struct vd_receipt later;

		assert_int_equal(vd_receipt_decode(vd_buf_slice(&first), &later), 0);
		assert_true(later.count == r.count + 1 && later.keep_until == day);
	}
	assert_int_equal(keep(&s, &s.p[2], vd_buf_slice(&first)), 1);
	vd_buf_deinit(&first);
	vd_buf_deinit(&again);
	scene_end(&s);
}

/* Not signed by its author, of nobody's, cut: passed over, the others are kept. */
static void test_custody__forged_receipts(void **state)
{
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	struct vd_buf ana, luz, bad = { 0 };
	struct scene s;
	size_t kept;

	(void)state;
	scene_start(&s, 3);
	ana = say(&s, &s.p[1]);
	luz = say(&s, &s.p[2]);
	vd_buf_put_slice(&bad, vd_buf_slice(&luz));
	bad.p[bad.n - 1] ^= 1;
	{
		const struct vd_slice three[] = { vd_buf_slice(&bad), vd_slice(ana.p, ana.n - 1), vd_buf_slice(&ana), vd_slice(NULL, 0) };

		assert_int_equal(vd_custody_keep(s.p[0].store, s.p[0].group, three, 4, &route, s.now_ms, &kept), 0);
		assert_int_equal(kept, 1);
	}
	assert_true(told_count(&s.p[0], key_of(&s.p[1])) > 0);
	assert_int_equal(told_count(&s.p[0], key_of(&s.p[2])), 0);
	/* A later one than any device makes, without a signature. */
	vd_set_u64(bad.p + 2 + VD_KEY_BYTES, UINT64_MAX);
	assert_int_equal(keep(&s, &s.p[0], vd_buf_slice(&bad)), 0);
	vd_buf_deinit(&ana);
	vd_buf_deinit(&luz);
	vd_buf_deinit(&bad);
	scene_end(&s);
}

/* Two of one count: whichever comes first, both ends keep the same, and believe neither. */
static void test_custody__two_of_one_count(void **state)
{
	struct person *ana, *luz, *hub, *sol;
	struct vd_buf one, two = { 0 }, x = { 0 }, y = { 0 };
	struct vd_receipt r;
	struct scene s;

	(void)state;
	scene_start(&s, 4);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2], sol = &s.p[3];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	carry(&s, hub, ana, 0);
	one = say(&s, ana);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&one), &r), 0);
	r.time_ms++;
	assert_int_equal(vd_receipt_make(ana->group, &r, NULL, 0, &two), 0);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&one)), 1);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_LANE);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&two)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&two)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&one)), 1);
	assert_int_equal(keep(&s, luz, vd_buf_slice(&one)) + keep(&s, luz, vd_buf_slice(&two)), 0);
	assert_int_equal(vd_custody_receipt(hub->store, s.mesh.group, key_of(ana), &x), 0);
	assert_int_equal(vd_custody_receipt(luz->store, s.mesh.group, key_of(ana), &y), 0);
	assert_true(vd_slice_eq(vd_buf_slice(&x), vd_buf_slice(&y)));
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	/* A later one is believed again. */
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	s.now_ms++;
	tell(&s, ana, hub, false);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_SPAN);
	(void)sol;
	vd_buf_deinit(&one);
	vd_buf_deinit(&two);
	vd_buf_deinit(&x);
	vd_buf_deinit(&y);
	scene_end(&s);
}

/* A clock that was once in the future, and a backup restored after it: what the clock had it say counts for nobody, and does not stand against what is said later. */
static void test_custody__a_clock_in_the_future(void **state)
{
	enum { YEARS = 73 };
	struct person *hub, *ana, *luz;
	struct vd_buf ahead, again;
	struct vd_slice both[2];
	const struct vd_route route = { .kind = VD_ROUTE_FILE };
	struct vd_custody *c;
	struct vd_receipt r;
	struct scene s;
	size_t kept;

	(void)state;
	scene_start(&s, 11);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	carry(&s, hub, ana, 0);
	/* Two others' records tell which time it is. */
	person_write(luz, VD_LANE_NORMAL, 1, 50);
	carry(&s, luz, ana, 0);
	carry(&s, luz, hub, 0);
	s.now_ms += YEARS * UINT64_C(365) * 86400000;
	ahead = say(&s, ana);
	/* The same clock: hub takes it, as of then. */
	assert_int_equal(keep(&s, hub, vd_buf_slice(&ahead)), 1);
	assert_int_equal(vd_custody_open_at(hub->store, hub->group, s.now_ms, &c), 0);
	assert_int_equal(vd_custody_keeper(c, 0)->heard_ms > 0 || vd_custody_keeper(c, 1)->heard_ms > 0 || vd_custody_keeper(c, 2)->heard_ms > 0, true);
	vd_custody_close(c);
	/* By a right one nobody was heard, and nothing is held. */
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	assert_int_equal(told_count(hub, key_of(ana)), 0);
	assert_int_equal(vd_custody_open(hub->store, hub->group, &c), 0);
	for (size_t i = 0; i < vd_custody_count(c); i++) {
		assert_int_equal(vd_custody_keeper(c, i)->heard_ms, 0);
		assert_int_equal(vd_custody_keeper(c, i)->keep_until, 0);
	}
	vd_custody_close(c);
	s.now_ms = MESH_NOW + 5000;
	assert_int_equal(keep(&s, luz, vd_buf_slice(&ahead)), 1);
	assert_int_equal(told_count(luz, key_of(ana)), 0);
	/* Her clock is right again: she says it anew, below what she said, and that stands, whatever comes in which order. */
	again = say(&s, ana);
	assert_int_equal(vd_receipt_decode(vd_buf_slice(&again), &r), 0);
	assert_int_equal(r.count, s.now_ms);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&again)), 1);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_LANE);
	assert_int_equal(keep(&s, hub, vd_buf_slice(&ahead)), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&ahead)), 0);
	for (int order = 0; order < 2; order++) {
		both[order] = vd_buf_slice(&ahead);
		both[!order] = vd_buf_slice(&again);
		assert_int_equal(vd_custody_keep(luz->store, luz->group, both, 2, &route, s.now_ms, &kept), 0);
		assert_int_equal(kept, !order);
		assert_int_equal(told_count(luz, key_of(ana)), s.now_ms);
	}
	vd_buf_deinit(&ahead);
	vd_buf_deinit(&again);
	scene_end(&s);
}

/* A stub is not held: neither by a span nor by a lane that is the same. */
static void test_custody__stubs_are_not_held(void **state)
{
	const struct vd_shares none = { .records = 1 << 20, .day_bytes = 1 };
	struct vd_shares usual;
	struct person *hub, *ana;
	uint64_t released = 0;
	struct scene s;

	(void)state;
	scene_start(&s, 5);
	hub = &s.p[0], ana = &s.p[1];
	person_write(hub, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(vd_shares_get(ana->store, &usual), 0);
	assert_int_equal(vd_shares_set(ana->store, &none, MESH_NOW), 0);
	carry(&s, hub, ana, 0);
	tell(&s, ana, hub, false);
	assert_int_equal(holds(hub, ana, newest(hub)), VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, ana, VD_LANE_NORMAL), 2);
	check(&s, hub);
	/* The bodies come. */
	assert_int_equal(vd_shares_set(ana->store, &usual, MESH_NOW), 0);
	assert_int_equal(vd_shares_release(ana->store, ana->group, MESH_NOW + 86400000, &released), 0);
	carry(&s, hub, ana, 0);
	s.now_ms++;
	tell(&s, ana, hub, false);
	assert_true(holds(hub, ana, newest(hub)) == VD_HOLDS_LANE);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(missing_of(hub, ana, VD_LANE_NORMAL), 1);
	check(&s, hub);
	scene_end(&s);
}

/* As at the end of a session in which every lane was found equal. */
static void meet_saying(struct scene *s, struct person *p, const struct person *with, uint64_t last)
{
	const struct vd_route route = { .kind = VD_ROUTE_LINK, .text = "10.0.0.1:5" };
	struct vd_held held = { .last = (uint32_t)last };

	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		uint8_t hash[VD_HASH_BYTES];
		struct vd_lane_state a, b;

		assert_int_equal(vd_store_lane(p->store, s->mesh.group, lane, &a, NULL, 0), 0);
		assert_int_equal(vd_store_lane(with->store, s->mesh.group, lane, &b, NULL, 0), 0);
		if (!vd_digest_eq(&a.digest, &b.digest) || b.stubs)
			continue;
		assert_int_equal(vd_store_latest(p->store, &held.through[lane]), 0);
		vd_digest_hash(&a.digest, hash);
		memcpy(held.digest[lane], hash, VD_RECEIPT_DIGEST);
		held.said[lane] = told_count(p, key_of(with));
	}
	assert_int_equal(vd_custody_met(p->store, s->mesh.group, key_of(with), &held, &route, s->now_ms), 0);
}

static void meet(struct scene *s, struct person *p, const struct person *with)
{
	meet_saying(s, p, with, 0);
}

/* A session shows what is held, without a receipt, and what came since is told apart. */
static void test_custody__sessions_show_it(void **state)
{
	struct scene s;
	struct person *hub, *ana;
	uint64_t at;

	(void)state;
	scene_start(&s, 8);
	hub = &s.p[0], ana = &s.p[1];
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	carry(&s, ana, hub, 0);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 0);
	person_write(ana, VD_LANE_NORMAL, 2, 50);
	assert_int_equal(holds(ana, hub, newest(ana)), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, NULL, VD_LANE_NORMAL), 2);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	check(&s, ana);
	/* Not equal: nothing more is shown. */
	meet(&s, ana, hub);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	/* A receipt that says that it has less by now. */
	s.now_ms += 1000;
	{
		struct vd_buf less = { 0 };
		struct vd_receipt r = { .count = s.now_ms, .time_ms = s.now_ms };

		assert_int_equal(vd_receipt_make(hub->group, &r, NULL, 0, &less), 0);
		assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
		vd_buf_deinit(&less);
	}
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 5);
	/* Met again. */
	s.now_ms += 1000;
	carry(&s, ana, hub, 0);
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	scene_end(&s);
}

struct walked {
	uint64_t seqs[16];
	size_t n;
};

static int note_walked(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct walked *w = ctx;

	(void)arrival;
	w->seqs[w->n++] = r->seq;
	return 0;
}

static void test_custody__gaps_are_walked(void **state)
{
	struct vd_missing missing;
	struct vd_custody *c;
	struct vd_gap *gaps;
	struct walked w = { .n = 0 };
	struct scene s;
	uint64_t left;
	size_t n;

	(void)state;
	scene_start(&s, 6);
	person_write(&s.p[1], VD_LANE_URGENT, 3, 50);
	carry(&s, &s.p[1], &s.p[0], 0);
	tell(&s, &s.p[0], &s.p[1], false);
	person_write(&s.p[1], VD_LANE_URGENT, 5, 50);
	assert_int_equal(vd_custody_open(s.p[1].store, s.p[1].group, &c), 0);
	assert_int_equal(vd_custody_missing(c, NULL, &missing, &gaps, &n), 0);
	assert_true(n == 1 && gaps[0].high == 8 && gaps[0].low == 4 && gaps[0].lane == VD_LANE_URGENT);
	assert_int_equal(vd_custody_walk(s.p[1].store, gaps, 100, note_walked, &w, &left), 0);
	assert_true(w.n == 5 && w.seqs[0] == 8 && w.seqs[4] == 4 && left == 0);
	w.n = 0;
	assert_int_equal(vd_custody_walk(s.p[1].store, gaps, 2, note_walked, &w, &left), 0);
	assert_true(w.n == 2 && left == 3);
	free(gaps);
	vd_custody_close(c);
	scene_end(&s);
}

static void copy_home(struct person *from, const char *to)
{
	char command[1024];

	vd_store_close(from->store);
	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", to, from->home, to);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(from->home, &from->store), 0);
}

/* Who has one branch is not taken to have the other, whichever run of ours comes first. */
static void test_custody__forks(void **state)
{
	uint64_t believed = 0, at[2], first;
	struct person copy = { .now_ms = MESH_NOW + 500 };
	struct person *hub, *ana, *luz, *sol;
	struct scene s;

	(void)state;
	scene_start(&s, 7);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2], sol = &s.p[3];
	person_write(ana, VD_LANE_NORMAL, 5, 40);
	snprintf(copy.home, sizeof(copy.home), "%s/copy", s.mesh.top);
	copy_home(ana, copy.home);
	assert_int_equal(vd_store_open(copy.home, &copy.store), 0);
	person_reload(&copy, &s.mesh);
	person_write(ana, VD_LANE_NORMAL, 2, 40);
	person_write(&copy, VD_LANE_NORMAL, 2, 40);
	carry(&s, ana, luz, 0);
	carry(&s, &copy, sol, 0);
	tell(&s, luz, hub, false);
	tell(&s, sol, hub, false);
	first = newest(hub) + 1;
	carry(&s, ana, hub, 0);
	at[0] = newest(hub);
	carry(&s, &copy, hub, 0);
	at[1] = newest(hub);
	assert_true(at[0] == first + 6 && at[1] == at[0] + 2);
	for (uint64_t i = at[0] - 1; i <= at[1]; i++) {
		assert_int_equal(holds(hub, luz, i), i <= at[0] ? VD_HOLDS_SPAN : VD_HOLDS_NOT);
		assert_int_equal(holds(hub, sol, i), i <= at[0] ? VD_HOLDS_NOT : VD_HOLDS_SPAN);
	}
	believed = check(&s, hub);
	assert_true(believed >= 4);
	person_leave(&copy);
	scene_end(&s);
}

/* --- random histories --- */

/* A device goes back to what it was when it was last saved. */
static void restore(struct scene *s, struct person *p, const char *saved)
{
	char command[1024];

	vd_group_free(p->group);
	p->group = NULL;
	vd_store_close(p->store);
	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", p->home, saved, p->home);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(p->home, &p->store), 0);
	person_reload(p, &s->mesh);
}

/* Who wrote a record has it, unless what it said later leaves it out: it was put back to what it was before. */
static void test_custody__who_wrote_it_may_have_lost_it(void **state)
{
	struct person *hub, *luz;
	char saved[256];
	uint64_t first;
	struct scene s;

	(void)state;
	scene_start(&s, 12);
	hub = &s.p[0], luz = &s.p[1];
	snprintf(saved, sizeof(saved), "%s/saved", s.mesh.top);
	first = newest(hub) + 1;
	luz->now_ms = s.now_ms;
	person_write(luz, VD_LANE_NORMAL, 2, 50);
	copy_home(luz, saved);
	carry(&s, luz, hub, 0);
	s.now_ms = luz->now_ms + 1000;
	tell(&s, luz, hub, false);
	/* What it wrote since its receipt it has. */
	luz->now_ms = s.now_ms + 1000;
	person_write(luz, VD_LANE_NORMAL, 2, 50);
	carry(&s, luz, hub, 0);
	assert_int_equal(newest(hub), first + 3);
	for (uint64_t at = first; at < first + 4; at++)
		assert_int_equal(holds(hub, luz, at), VD_HOLDS_OWN);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 0);
	check(&s, hub);
	restore(&s, luz, saved);
	s.now_ms = luz->now_ms + 1000;
	tell(&s, luz, hub, false);
	for (uint64_t at = first; at < first + 4; at++)
		assert_int_equal(holds(hub, luz, at), at < first + 2 ? VD_HOLDS_OWN : VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 2);
	check(&s, hub);
	/* They come back, and it says so. */
	carry(&s, hub, luz, 0);
	s.now_ms += 1000;
	tell(&s, luz, hub, false);
	assert_true(holds(hub, luz, first + 3) != VD_HOLDS_NOT);
	assert_int_equal(missing_of(hub, luz, VD_LANE_NORMAL), 0);
	check(&s, hub);
	scene_end(&s);
}

/* How many records of the lane p has with their body, and the other has not. */
static uint64_t lacks(const struct person *p, const struct person *other, uint8_t lane)
{
	struct vd_buf raw = { 0 }, theirs = { 0 };
	uint64_t latest = newest(p), count = 0, found;

	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r, same;

		if (vd_store_read(p->store, at, &raw, &r, NULL) || r.stub || r.lane != lane)
			continue;
		count += vd_store_find(other->store, &r.id, &found) || vd_store_read(other->store, found, &theirs, &same, NULL) || same.stub;
	}
	vd_buf_deinit(&raw);
	vd_buf_deinit(&theirs);
	return count;
}

/* A receipt from before a session ends nothing, however late it comes, nor does one from the future; one from after it does. */
static void test_custody__said_before_a_session(void **state)
{
	struct vd_buf early, late, less = { 0 };
	struct person *hub, *ana, *luz;
	struct vd_receipt r;
	struct scene s;
	uint64_t at;

	(void)state;
	scene_start(&s, 10);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	tell(&s, hub, ana, false);
	person_write(ana, VD_LANE_NORMAL, 3, 50);
	at = newest(ana);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	s.now_ms += 1000;
	early = say(&s, hub);
	carry(&s, hub, ana, 0);
	carry(&s, ana, hub, 0);
	s.now_ms += 1000;
	late = say(&s, hub);
	assert_int_equal(vd_receipt_verify(hub->group, vd_buf_slice(&late), &r), 0);
	/* The session names the late one, and the early one was not heard of. */
	meet_saying(&s, ana, hub, r.count);
	s.now_ms += 1000;
	assert_int_equal(keep(&s, ana, vd_buf_slice(&early)), 1);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	/* A count that is yet to come is of a device put back: what it says next counts. */
	meet_saying(&s, ana, hub, r.count + 60000);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	s.now_ms += 1000;
	r = (struct vd_receipt){ .count = s.now_ms, .time_ms = s.now_ms };
	assert_int_equal(vd_receipt_make(hub->group, &r, NULL, 0, &less), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	/* To meet again heals it at once. */
	meet(&s, ana, hub);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	/* Of another nothing was heard but this. */
	carry(&s, ana, luz, 0);
	meet(&s, ana, luz);
	r = (struct vd_receipt){ .count = s.now_ms + 2 * (uint64_t)VD_RECEIPT_AHEAD_MS, .time_ms = s.now_ms };
	vd_buf_reset(&less);
	assert_int_equal(vd_receipt_make(luz->group, &r, NULL, 0, &less), 0);
	assert_int_equal(keep(&s, ana, vd_buf_slice(&less)), 1);
	assert_int_equal(holds(ana, luz, at), VD_HOLDS_MET);
	vd_buf_deinit(&early);
	vd_buf_deinit(&late);
	vd_buf_deinit(&less);
	scene_end(&s);
}

/* Put back as an image of the medium is, it does not know, and got as many records again: what it says then counts, and not what a session showed before. */
static void test_custody__said_since_a_session(void **state)
{
	struct scene s;
	struct person *hub, *ana, *luz;
	char saved[256];
	uint64_t at;

	(void)state;
	scene_start(&s, 9);
	hub = &s.p[0], ana = &s.p[1], luz = &s.p[2];
	snprintf(saved, sizeof(saved), "%s/saved", s.mesh.top);
	copy_home(hub, saved);
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	at = newest(ana);
	carry(&s, ana, hub, 0);
	meet(&s, ana, hub);
	/* A receipt of what was met leaves it as it is, whatever came since. */
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	person_write(ana, VD_LANE_NORMAL, 1, 50);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_MET);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 1);
	restore(&s, hub, saved);
	person_write(luz, VD_LANE_NORMAL, 1, 50);
	carry(&s, luz, hub, 0);
	carry(&s, luz, ana, 0);
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_NOT);
	assert_int_equal(holds(ana, hub, newest(ana)), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 2);
	check(&s, ana);
	/* More than then, and the same: of what is in both the receipt says so. */
	carry(&s, ana, hub, 0);
	person_write(hub, VD_LANE_NORMAL, 1, 50);
	s.now_ms += 1000;
	tell(&s, hub, ana, false);
	assert_int_equal(holds(ana, hub, at), VD_HOLDS_SPAN);
	assert_int_equal(missing_of(ana, hub, VD_LANE_NORMAL), 0);
	check(&s, ana);
	scene_end(&s);
}

/* What p knows of the other is never too much; and if that has all bodies of the lane, it is all there is to know. */
static void check_known(struct scene *s, struct person *p, struct person *other, uint8_t lane)
{
	uint64_t latest = newest(other), stubs = 0, known = missing_of(p, other, lane), true_of = lacks(p, other, lane);
	struct vd_buf raw = { 0 };
	struct vd_lane_state state;

	for (uint64_t at = 1; at <= latest; at++) {
		struct vd_record r;

		stubs += !vd_store_read(other->store, at, &raw, &r, NULL) && r.lane == lane && r.stub;
	}
	vd_buf_deinit(&raw);
	assert_int_equal(vd_store_lane(other->store, s->mesh.group, lane, &state, NULL, 0), 0);
	assert_int_equal(state.stubs, stubs);
	assert_true(stubs ? known >= true_of : known == 0 && true_of == 0);
}

static void history(uint64_t seed, bool copies)
{
	static const uint8_t lanes[] = { VD_LANE_URGENT, VD_LANE_NORMAL, VD_LANE_BULK };
	bool saved[PEOPLE] = { false };
	struct vd_shares usual, tight;
	size_t believed = 0;
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	scene_start(s, seed);
	assert_int_equal(vd_shares_get(s->p[0].store, &usual), 0);
	tight = usual;
	tight.day_bytes = 600;
	for (int turn = 0; turn < 60; turn++) {
		int a = (int)roll(s, PEOPLE), b = (a + 1 + (int)roll(s, PEOPLE - 1)) % PEOPLE;
		char path[256];
		uint64_t n = 0;

		snprintf(path, sizeof(path), "%s/saved%d", s->mesh.top, a);
		s->now_ms += roll(s, 3) ? 1000 : 0; /* now and then two things at one moment */
		switch (roll(s, 13)) {
		case 0:
		case 1:
		case 2:
			person_write(&s->p[a], lanes[roll(s, 3)], 1 + roll(s, 5), 40);
			break;
		case 3:
		case 4:
			carry(s, &s->p[a], &s->p[b], 0);
			break;
		case 5:
		case 6:
			carry(s, &s->p[a], &s->p[b], 2 + roll(s, 6));
			break;
		case 7:
		case 8:
			tell(s, &s->p[a], &s->p[b], roll(s, 2));
			break;
		case 9:
			assert_int_equal(vd_shares_set(s->p[a].store, roll(s, 2) ? &tight : &usual, s->now_ms), 0);
			assert_int_equal(vd_shares_release(s->p[a].store, s->p[a].group, s->now_ms += 86400000, &n), 0);
			break;
		case 10:
			if (copies)
				copy_home(&s->p[a], path);
			saved[a] = copies;
			break;
		case 12:
			meet(s, &s->p[b], &s->p[a]);
			break;
		case 11:
			if (saved[a])
				restore(s, &s->p[a], path);
			else if (!copies) {
				carry(s, &s->p[a], &s->p[b], 0);
				carry(s, &s->p[b], &s->p[a], 0);
				meet(s, &s->p[b], &s->p[a]);
			}
			break;
		}
		believed += check(s, &s->p[b]);
	}
	/* At the end all is everywhere, and everyone knows. */
	for (int i = 0; i < PEOPLE; i++) {
		uint64_t n = 0;

		assert_int_equal(vd_shares_set(s->p[i].store, &usual, s->now_ms), 0);
		assert_int_equal(vd_shares_release(s->p[i].store, s->p[i].group, s->now_ms += 86400000, &n), 0);
	}
	for (int i = 0; i < 3 * PEOPLE; i++)
		carry(s, &s->p[i % PEOPLE], &s->p[(i + 1) % PEOPLE], 0);
	s->now_ms += 1000;
	for (int i = 0; i < 2 * PEOPLE; i++)
		tell(s, &s->p[i % PEOPLE], &s->p[(i + 1) % PEOPLE], true);
	for (int i = 0; i < PEOPLE; i++) {
		believed += check(s, &s->p[i]);
		for (uint8_t lane = 0; lane < VD_LANES; lane++)
			for (int k = 0; k < PEOPLE; k++)
				if (k != i)
					check_known(s, &s->p[i], &s->p[k], lane);
	}
	assert_true(believed > 50);
	scene_end(s);
	free(s);
}

static void test_custody__random_histories(void **state)
{
	const char *from = getenv("VD_TEST_SEED");
	uint64_t first = from ? strtoull(from, NULL, 10) : 1;

	(void)state;
	for (uint64_t seed = first; seed < first + (from ? 50 : 3); seed++)
		history(seed, false);
}

static void test_custody__random_histories_with_copies(void **state)
{
	const char *from = getenv("VD_TEST_SEED");
	uint64_t first = from ? strtoull(from, NULL, 10) : 100;

	(void)state;
	for (uint64_t seed = first; seed < first + (from ? 50 : 3); seed++)
		history(seed, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_custody__comes_back_by_any_way),
		cmocka_unit_test(test_custody__says_what_is_new),
		cmocka_unit_test(test_custody__forged_receipts),
		cmocka_unit_test(test_custody__two_of_one_count),
		cmocka_unit_test(test_custody__a_clock_in_the_future),
		cmocka_unit_test(test_custody__stubs_are_not_held),
		cmocka_unit_test(test_custody__sessions_show_it),
		cmocka_unit_test(test_custody__gaps_are_walked),
		cmocka_unit_test(test_custody__forks),
		cmocka_unit_test(test_custody__who_wrote_it_may_have_lost_it),
		cmocka_unit_test(test_custody__said_before_a_session),
		cmocka_unit_test(test_custody__said_since_a_session),
		cmocka_unit_test(test_custody__random_histories),
		cmocka_unit_test(test_custody__random_histories_with_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
