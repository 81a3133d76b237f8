/* A group's epochs: which there are, which keys of them we have, and the one to write with. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

#include "seal.h"

enum { LOOKED_AFTER = 16 * VD_PAST_BATCH }; /* epochs: nobody can make us look through tens of thousands again and again */

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct vd_place *)a)->id.b, ((const struct vd_place *)b)->id.b, VD_ID_BYTES);
}

static int newest_first(const void *a, const void *b)
{
	return vd_place_cmp(b, a);
}

/* First epoch, of those sorted by id, that is not below `of`. */
static size_t lower_bound(const struct vd_group *g, size_t starts, const uint8_t of[VD_EPOCH_BYTES])
{
	size_t low = 0, high = starts;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(g->epochs[middle].id.b, of, VD_EPOCH_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Keys that hold against one commitment are the same keys, so adding them up in place forgets nothing about the set. */
static void take_keys(struct vd_epoch_part *into, const struct vd_epoch_part *from)
{
	for (size_t i = 0; i < VD_EPOCH_KEYS; i++)
		if (from->mask & (1u << i))
			memcpy(into->keys.key[i], from->keys.key[i], VD_KEY_BYTES);
	into->mask |= from->mask;
}

static bool sealed_outside(struct vd_group *g, const struct vd_epoch_part *e)
{
	for (uint32_t i = 0; i < e->sealed_count; i++) {
		const struct vd_group_device *d = vd_group_entry(g, e->sealed[i].author);

		if (!d || d->shown.role == VD_ROLE_NONE)
			return true;
	}
	return false;
}

/* Is that record a part of the epoch that record `start` begins? */
static bool is_part(const struct vd_group *g, uint32_t start, uint32_t part)
{
	const struct vd_epoch_part *s = g->records[start].epoch, *p = g->records[part].epoch;

	if (!p || start == part)
		return p != NULL;
	return p->continues && memcmp(p->of, g->records[start].id.b, VD_EPOCH_BYTES) == 0 &&
	       memcmp(p->commits, s->commits, sizeof(s->commits)) == 0;
}

bool vd_group_epoch_has(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES])
{
	for (uint32_t start = 0; start < g->record_count; start++) {
		const struct vd_group_record *r = &g->records[start];

		if (!r->epoch || r->epoch->continues || memcmp(r->id.b, epoch, VD_EPOCH_BYTES) != 0)
			continue;
		for (uint32_t at = 0; at < g->record_count; at++)
			for (uint32_t i = 0; is_part(g, start, at) && i < g->records[at].epoch->sealed_count; i++)
				if (memcmp(g->records[at].epoch->sealed[i].author, device, VD_KEY_BYTES) == 0)
					return true;
	}
	return false;
}

static void take_part(struct vd_group *g, size_t starts, uint32_t at)
{
	const struct vd_group_record *r = &g->records[at];
	const uint8_t *of = r->epoch->continues ? r->epoch->of : r->id.b;
	bool outside = r->counts && sealed_outside(g, r->epoch);

	for (size_t i = lower_bound(g, starts, of); i < starts && memcmp(g->epochs[i].id.b, of, VD_EPOCH_BYTES) == 0; i++) {
		struct vd_epoch_part *into = g->records[g->epochs[i].at].epoch;

		if (!is_part(g, g->epochs[i].at, at))
			continue;
		take_keys(into, r->epoch);
		into->unclean |= outside;
	}
}

/* The newest clean one that counts, else the newest that counts, else the newest: the same for everyone. Of those that we have all
 * keys in `mask` of. */
static size_t choose(const struct vd_group *g, size_t starts, unsigned mask)
{
	size_t best = starts;
	int grade = -1;

	for (size_t i = 0; i < starts; i++) {
		const struct vd_group_record *r = &g->records[g->epochs[i].at];
		int of = r->counts ? r->epoch->unclean ? 1 : 2 : 0;

		if ((r->epoch->mask & mask) != mask)
			continue;
		if (of > grade) {
			grade = of;
			best = i;
		}
	}
	return best;
}

/* What our role writes with. Who makes an epoch may seal us some of its keys and rubbish for the others: it must not be able to keep a
 * coordinator from revoking it. */
static unsigned keys_of_ours(struct vd_group *g)
{
	const struct vd_group_device *d = g->has_identity ? vd_group_entry(g, g->identity.author) : NULL;
	unsigned mask = 1u << VD_KEY_LINK;

	if (!d)
		return mask;
	if ((d->shown.most != VD_ROLE_NONE && d->shown.most != VD_ROLE_COURIER) || d->shown.coordinator_ever)
		mask |= 1u << VD_KEY_EVERYONE;
	if (d->shown.most == VD_ROLE_MEMBER || d->shown.coordinator_ever)
		mask |= 1u << VD_KEY_MEMBERS;
	return mask;
}

/* ---- to whom epochs are sealed ---- */

/* Did no grant of it ever give other keys than its role gets? Then whatever was sealed to it is what it gets. */
static bool one_measure(const struct vd_group *g, const struct vd_group_device *d)
{
	for (uint32_t i = 0; i < d->grants.count; i++)
		if (vd_epoch_mask(g->records[g->grants_of[d->grants.start + i]].statement->role) != vd_epoch_mask(d->shown.role))
			return false;
	return true;
}

/* Was it sealed to that device by who knew of a grant that gives as much as its role? */
static bool knew_role(const struct vd_group *g, const struct vd_group_device *d, uint32_t bit)
{
	for (uint32_t i = 0; i < d->grants.count; i++) {
		uint32_t at = g->grants_of[d->grants.start + i];

		if (g->records[at].stands && vd_epoch_mask(g->records[at].statement->role) == vd_epoch_mask(d->shown.role) &&
		    g->past[at][bit / 64] >> bit % 64 & 1)
			return true;
	}
	return false;
}

/* Sets bit i of past[r] where r is in the past of the i-th of the batch: the other way round than in group_judge.c. */
static void mark_known(struct vd_group *g)
{
	memset(g->past, 0, g->record_count * sizeof(*g->past));
	for (uint32_t i = 0; i < g->batch_count; i++)
		g->past[g->batch[i]][i / 64] |= (uint64_t)1 << i % 64;
	for (size_t i = g->record_count; i-- > 0;) {
		const struct vd_group_record *r = &g->records[g->places[i].at];
		const uint64_t *past = g->past[g->places[i].at];

		for (uint32_t j = 0; j < r->ref_count; j++)
			if (r->refs[j].at != VD_NOWHERE)
				for (size_t word = 0; word < VD_PAST_WORDS; word++)
					g->past[r->refs[j].at][word] |= past[word];
	}
}

/* Does the entry of the part that is bit `bit` of the batch give that device what its role gets? Who sealed it may have thought less of a grant
 * than what comes out with all that is known now: who has the keys can tell. */
static bool gives(const struct vd_group *g, const struct vd_group_device *d, const struct vd_sealed *entry, uint32_t bit,
                  const struct vd_epoch_keys *keys)
{
	return one_measure(g, d) || (knew_role(g, d, bit) && (!keys || vd_epoch_entry_is(keys, &d->shown, entry)));
}

static bool has(const struct vd_group_device *d, size_t number)
{
	return d->has[number / 64] >> number % 64 & 1;
}

/* The i-th of the batch is a part of the epoch of that number. `starts`: of these epochs we have the keys; or NULL. */
static void take_batch(struct vd_group *g, const uint8_t *numbers, const uint32_t *starts)
{
	mark_known(g);
	for (uint32_t i = 0; i < g->batch_count; i++) {
		const struct vd_epoch_part *e = g->records[g->batch[i]].epoch;

		for (uint32_t j = 0; j < e->sealed_count; j++) {
			struct vd_group_device *d = vd_group_entry(g, e->sealed[j].author);

			if (d && !has(d, numbers[i]) &&
			    gives(g, d, &e->sealed[j], i, starts ? &g->records[starts[numbers[i]]].epoch->keys : NULL))
				d->has[numbers[i] / 64] |= (uint64_t)1 << numbers[i] % 64;
		}
	}
	g->batch_count = 0;
}

/* Begin at most VD_PAST_BATCH epochs, ascending by prefix. */
struct begun {
	uint64_t prefix;
	uint32_t at;
	uint8_t number;
};

static int by_prefix(const void *a, const void *b)
{
	uint64_t pa = ((const struct begun *)a)->prefix, pb = ((const struct begun *)b)->prefix;

	return pa < pb ? -1 : pa > pb;
}

static uint64_t prefix_of(const struct vd_group *g, uint32_t part)
{
	const struct vd_epoch_part *e = g->records[part].epoch;

	return vd_get_u64(e->continues ? e->of : g->records[part].id.b);
}

/* The first that is not below `prefix`. */
static size_t first_begun(const struct begun *list, size_t count, uint64_t prefix)
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (list[middle].prefix < prefix)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}

/* Who has which of these epochs, VD_PAST_BATCH at most, by the parts that count. */
static void mark_has(struct vd_group *g, const uint32_t *starts, size_t count, bool have_keys)
{
	uint8_t numbers[VD_PAST_BATCH];
	struct begun list[VD_PAST_BATCH];

	_Static_assert(VD_PAST_BATCH <= UINT8_MAX + 1, "numbers are u8");
	for (size_t i = 0; i < g->device_count; i++)
		memset(g->devices[i].has, 0, sizeof(g->devices[i].has));
	for (size_t i = 0; i < count; i++)
		list[i] = (struct begun){prefix_of(g, starts[i]), starts[i], (uint8_t)i};
	qsort(list, count, sizeof(*list), by_prefix);
	g->batch_count = 0;
	for (uint32_t at = 0; at < g->record_count; at++) {
		uint64_t prefix;

		if (!g->records[at].counts || !g->records[at].epoch)
			continue;
		prefix = prefix_of(g, at);
		for (size_t i = first_begun(list, count, prefix); i < count && list[i].prefix == prefix; i++) {
			if (!is_part(g, list[i].at, at))
				continue;
			numbers[g->batch_count] = list[i].number;
			g->batch[g->batch_count++] = at;
			if (g->batch_count == VD_PAST_BATCH)
				take_batch(g, numbers, have_keys ? starts : NULL);
		}
	}
	if (g->batch_count)
		take_batch(g, numbers, have_keys ? starts : NULL);
}

static void compute_lacks(struct vd_group *g)
{
	g->lack_count = 0;
	if (g->current == VD_NOWHERE)
		return;
	mark_has(g, &g->current, 1, false);
	for (size_t i = 0; i < g->device_count; i++) {
		const struct vd_group_device *d = &g->devices[g->order[i].at];

		if (d->shown.role != VD_ROLE_NONE && !has(d, 0))
			g->lacks[g->lack_count++] = g->order[i].at;
	}
}

void vd_group_epochs(struct vd_group *g)
{
	size_t starts = 0, chosen;

	for (uint32_t i = 0; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[i];

		if (!r->epoch || r->epoch->continues)
			continue;
		r->epoch->unclean = false;
		g->epochs[starts++] = (struct vd_place){r->depth, r->id, i};
	}
	if (starts)
		qsort(g->epochs, starts, sizeof(*g->epochs), by_id);
	for (uint32_t i = 0; i < g->record_count; i++)
		if (g->records[i].epoch)
			take_part(g, starts, i);
	if (starts)
		qsort(g->epochs, starts, sizeof(*g->epochs), newest_first);
	chosen = choose(g, starts, 0);
	g->current = chosen < starts ? g->epochs[chosen].at : VD_NOWHERE;
	g->clean = chosen < starts && g->records[g->current].counts && !g->records[g->current].epoch->unclean;
	compute_lacks(g);
	/* Of those we have: the one to use first, then the newest first. */
	chosen = choose(g, starts, keys_of_ours(g));
	if (chosen == starts)
		chosen = choose(g, starts, 1u << VD_KEY_LINK);
	if (chosen < starts) {
		struct vd_place first = g->epochs[chosen];

		memmove(g->epochs + 1, g->epochs, chosen * sizeof(first));
		g->epochs[0] = first;
	}
	g->epoch_count = 0;
	for (size_t i = 0; i < starts; i++)
		if (g->records[g->epochs[i].at].epoch->mask & (1u << VD_KEY_LINK))
			g->epochs[g->epoch_count++] = g->epochs[i];
}

/* ---- questions ---- */

const uint8_t *vd_group_current_epoch(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->current == VD_NOWHERE ? NULL : g->records[g->current].id.b;
}

bool vd_group_epoch_clean(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->clean;
}

bool vd_group_epoch_kept(struct vd_group *g)
{
	size_t coordinators = 0;

	vd_group_refresh(g);
	for (size_t i = 0; i < g->device_count; i++)
		coordinators += g->devices[i].shown.role == VD_ROLE_COORDINATOR;
	for (size_t i = 0; i < g->lack_count; i++)
		coordinators -= g->devices[g->lacks[i]].shown.role == VD_ROLE_COORDINATOR;
	return g->current != VD_NOWHERE && coordinators;
}

const struct vd_device *vd_group_epoch_lacks(struct vd_group *g, size_t i)
{
	vd_group_refresh(g);
	return i < g->lack_count ? &g->devices[g->lacks[i]].shown : NULL;
}

size_t vd_group_sealed_act(struct vd_group *g, size_t epoch, const uint8_t device[VD_KEY_BYTES])
{
	vd_group_refresh(g);
	/* What continues it comes behind it. */
	for (size_t act = epoch; act < g->record_count; act++) {
		const struct vd_group_record *r = &g->records[g->places[act].at];

		for (uint32_t i = 0; r->counts && r->epoch && i < r->epoch->sealed_count; i++)
			if (memcmp(r->epoch->sealed[i].author, device, VD_KEY_BYTES) == 0 && is_part(g, g->places[epoch].at, g->places[act].at))
				return act;
	}
	return g->record_count;
}

static uint32_t begins(const struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES])
{
	for (size_t i = 0; i < g->epoch_count; i++)
		if (memcmp(g->epochs[i].id.b, epoch, VD_EPOCH_BYTES) == 0)
			return g->epochs[i].at;
	return VD_NOWHERE;
}

bool vd_group_epoch_reaches(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t like[VD_EPOCH_BYTES])
{
	uint32_t starts[2];

	vd_group_refresh(g);
	if (memcmp(epoch, like, VD_EPOCH_BYTES) == 0)
		return true;
	starts[0] = begins(g, epoch);
	starts[1] = begins(g, like);
	if (starts[0] == VD_NOWHERE || starts[1] == VD_NOWHERE)
		return false;
	mark_has(g, starts, 2, false);
	for (size_t i = 0; i < g->device_count; i++) {
		const struct vd_group_device *d = &g->devices[i];

		if (d->shown.role != VD_ROLE_NONE && !(d->shown.flags & VD_GRANT_PAPER) && has(d, 1) && !has(d, 0))
			return false;
	}
	return true;
}

static bool whole(const struct vd_group_record *r)
{
	return r->epoch->mask == (1u << VD_EPOCH_KEYS) - 1;
}

/* Those of which we have all keys, in the order in which they are looked after: the one to write with, the others that count, the rest;
 * the newest first. So many of them after the first `skip`. */
static size_t looked_after(const struct vd_group *g, size_t skip, uint32_t starts[VD_PAST_BATCH])
{
	size_t nth = 0, count = 0;

	for (int pass = 0; pass < 3; pass++)
		for (size_t i = 0; i < g->epoch_count && count < VD_PAST_BATCH; i++) {
			uint32_t at = g->epochs[i].at;
			const struct vd_group_record *r = &g->records[at];

			if (whole(r) && pass == (at == g->current ? 0 : r->counts ? 1 : 2) && nth++ >= skip)
				starts[count++] = at;
		}
	return count;
}

static size_t unsealed(struct vd_group *g, size_t number, uint8_t devices[VD_EPOCH_DEVICES][VD_KEY_BYTES])
{
	size_t found = 0;

	for (size_t i = 0; i < g->device_count && found < VD_EPOCH_DEVICES; i++) {
		const struct vd_group_device *d = &g->devices[g->order[i].at];

		/* Where its box key is no key nothing can be sealed to it. */
		if (d->shown.role != VD_ROLE_NONE && !has(d, number) && vd_seal_box_ok(d->shown.box))
			memcpy(devices[found++], d->shown.author, VD_KEY_BYTES);
	}
	return found;
}

size_t vd_group_unsealed(struct vd_group *g, uint8_t epoch[VD_EPOCH_BYTES], uint8_t devices[VD_EPOCH_DEVICES][VD_KEY_BYTES])
{
	uint32_t starts[VD_PAST_BATCH];
	size_t count, found = 0;

	if (vd_group_role(g) != VD_ROLE_COORDINATOR)
		return 0;
	for (size_t skip = 0; skip < LOOKED_AFTER && !found && (count = looked_after(g, skip, starts)); skip += count) {
		mark_has(g, starts, count, true);
		for (size_t i = 0; i < count && !found; i++) {
			memcpy(epoch, g->records[starts[i]].id.b, VD_EPOCH_BYTES);
			found = unsealed(g, i, devices);
		}
	}
	return found;
}

/* A paper key in a drawer seals nothing to anybody. */
static bool seals_on(const struct vd_device *d)
{
	return d->role == VD_ROLE_COORDINATOR && !(d->flags & VD_GRANT_PAPER);
}

size_t vd_group_orphans(struct vd_group *g, uint8_t (*epochs)[VD_EPOCH_BYTES], size_t max)
{
	uint32_t starts[VD_PAST_BATCH];
	size_t count, found = 0;

	if (vd_group_role(g) != VD_ROLE_MEMBER)
		return 0;
	for (size_t skip = 0; skip < LOOKED_AFTER && (count = looked_after(g, skip, starts)); skip += count) {
		mark_has(g, starts, count, true);
		for (size_t i = 0; i < count && found < max; i++) {
			bool kept = false;

			for (size_t at = 0; at < g->device_count && !kept; at++)
				kept = seals_on(&g->devices[at].shown) && has(&g->devices[at], i);
			if (!kept)
				memcpy(epochs[found++], g->records[starts[i]].id.b, VD_EPOCH_BYTES);
		}
	}
	return found;
}

bool vd_group_wants_keys(struct vd_group *g)
{
	if (vd_group_role(g) != VD_ROLE_COORDINATOR)
		return false;
	for (size_t i = 0; i < g->record_count; i++)
		if (g->records[i].epoch && !g->records[i].epoch->continues && !whole(&g->records[i]))
			return true;
	return false;
}

bool vd_group_learn_keys(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], const struct vd_epoch_keys *keys)
{
	uint8_t commits[VD_COMMITS_BYTES];
	bool learnt = false;

	vd_epoch_commit(keys, commits);
	for (size_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[i];

		if (!r->epoch || r->epoch->continues || whole(r) || memcmp(r->id.b, epoch, VD_EPOCH_BYTES) != 0 ||
		    memcmp(r->epoch->commits, commits, sizeof(commits)) != 0)
			continue;
		r->epoch->keys = *keys;
		r->epoch->mask = (1u << VD_EPOCH_KEYS) - 1;
		g->fresh = false;
		learnt = true;
	}
	return learnt;
}

static bool sealed_to(const struct vd_epoch_part *e, const uint8_t device[VD_KEY_BYTES])
{
	for (uint32_t i = 0; i < e->sealed_count; i++)
		if (memcmp(e->sealed[i].author, device, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

const uint8_t *vd_group_mask_link(struct vd_group *g, const uint8_t device[VD_KEY_BYTES])
{
	size_t count = 0;

	vd_group_refresh(g);
	for (uint32_t i = 0; i < g->record_count; i++)
		if (g->records[i].epoch && g->records[i].counts && sealed_to(g->records[i].epoch, device)) {
			g->keys[count] = prefix_of(g, i);
			g->stack[count++] = i;
		}
	qsort(g->keys, count, sizeof(*g->keys), vd_key_cmp);
	for (size_t i = 0; i < g->record_count; i++) {
		uint32_t at = g->places[i].at;
		const struct vd_group_record *r = &g->records[at];
		uint64_t prefix;

		if (!r->epoch || r->epoch->continues || !r->counts)
			continue;
		prefix = prefix_of(g, at);
		if (!bsearch(&prefix, g->keys, count, sizeof(*g->keys), vd_key_cmp))
			continue;
		for (size_t j = 0; j < count; j++)
			if (is_part(g, at, g->stack[j])) /* a later one the device may not have yet */
				return r->epoch->mask & (1u << VD_KEY_LINK) ? r->epoch->keys.key[VD_KEY_LINK] : NULL;
	}
	return NULL;
}

size_t vd_group_epoch_count(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->epoch_count;
}

const uint8_t *vd_group_epoch_id(struct vd_group *g, size_t i)
{
	vd_group_refresh(g);
	return i < g->epoch_count ? g->epochs[i].id.b : NULL;
}

const struct vd_epoch_keys *vd_group_epoch_keys(struct vd_group *g, size_t i)
{
	vd_group_refresh(g);
	return i < g->epoch_count ? &g->records[g->epochs[i].at].epoch->keys : NULL;
}

const uint8_t *vd_group_key(struct vd_group *g, const uint8_t epoch[VD_EPOCH_BYTES], enum vd_epoch_key which)
{
	vd_group_refresh(g);
	for (size_t i = 0; i < g->epoch_count; i++) {
		const struct vd_epoch_part *e = g->records[g->epochs[i].at].epoch;

		if (memcmp(g->epochs[i].id.b, epoch, VD_EPOCH_BYTES) == 0 && e->mask & (1u << which))
			return e->keys.key[which];
	}
	return NULL;
}
