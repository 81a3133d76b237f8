/* A scene of custody: four people in a group, what they carry and tell each other, and what each of them held whenever it said so. */
#ifndef CUSTODY_CAST_H
#define CUSTODY_CAST_H

#include <sys/stat.h>

#include "store/inside.h"
#include "tests/unit/holding.h"

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

static inline uint32_t roll(struct scene *s, uint32_t n)
{
	s->seed = s->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(s->seed >> 33) % n;
}

struct want {
	struct scene *s;
	uint32_t of;       /* one of so many stays behind; 0: none does */
};

static inline bool wanted(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct want *w = ctx;

	(void)arrival;
	return r->lane == VD_LANE_CONTROL || !w->of || roll(w->s, w->of) != 0;
}

/* Brings records from one to the other, all but one of `of`. */
static inline void carry(struct scene *s, struct person *from, struct person *to, uint32_t of)
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

static inline void add_snap(struct scene *s, struct person *p, uint64_t count)
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

static inline struct vd_buf say(struct scene *s, struct person *p)
{
	struct vd_buf out = { 0 };
	struct vd_receipt r;

	assert_int_equal(vd_custody_say(p->store, p->group, s->now_ms, &out), 0);
	assert_int_equal(vd_receipt_verify(p->group, vd_buf_slice(&out), &r), 0);
	add_snap(s, p, r.count);
	return out;
}

static inline size_t keep(struct scene *s, struct person *p, struct vd_slice bytes)
{
	const struct vd_route route = { .kind = VD_ROUTE_LINK, .text = "127.0.0.1:7" };
	size_t kept;

	assert_int_equal(vd_custody_keep(p->store, p->group, &bytes, 1, &route, s->now_ms, &kept), 0);
	return kept;
}

/* The other's own word, and perhaps all that it was told. */
static inline void tell(struct scene *s, struct person *from, struct person *to, bool others)
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

static inline bool held_then(const struct scene *s, const uint8_t *author, uint64_t count, const struct vd_id *id)
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

static inline uint64_t told_count(struct person *p, const uint8_t *author)
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
static inline size_t check(struct scene *s, struct person *p)
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

static inline void scene_start(struct scene *s, uint64_t seed)
{
	*s = (struct scene){ .seed = seed, .now_ms = MESH_NOW };
	mesh_start(&s->mesh, &s->p[0]);
	for (int i = 1; i < PEOPLE; i++)
		mesh_add_person(&s->mesh, &s->p[0], &s->p[i]);
	for (int i = 1; i < PEOPLE; i++)
		carry(s, &s->p[0], &s->p[i], 0);
}

static inline void scene_end(struct scene *s)
{
	for (size_t i = 0; i < s->snap_count; i++)
		free(s->snaps[i].ids);
	for (int i = 0; i < PEOPLE; i++)
		person_leave(&s->p[i]);
	mesh_end(&s->mesh);
}

static inline uint64_t missing_of(struct person *p, const struct person *of, uint8_t lane)
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

/* As at the end of a session in which every lane was found equal. */
static inline void meet_saying(struct scene *s, struct person *p, const struct person *with, uint64_t last)
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

static inline void meet(struct scene *s, struct person *p, const struct person *with)
{
	meet_saying(s, p, with, 0);
}

static inline void copy_home(struct person *from, const char *to)
{
	char command[1024];

	vd_store_close(from->store);
	snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s", to, from->home, to);
	assert_int_equal(system(command), 0);
	assert_int_equal(vd_store_open(from->home, &from->store), 0);
}

/* A device goes back to what it was when it was last saved. */
static inline void restore(struct scene *s, struct person *p, const char *saved)
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

#endif
