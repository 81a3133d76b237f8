/* A group's epochs: which there are, which keys of them we have, and the one to write with. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

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
		const struct vd_group_device *d = vd_group_entry(g, e->sealed[i]);

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
				if (memcmp(g->records[at].epoch->sealed[i], device, VD_KEY_BYTES) == 0)
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

/* ---- whom the epoch to write with is not sealed to ---- */

/* A device has what its role gets when a part was sealed to it by who knew of that role. */
static bool knew_role(const struct vd_group *g, const struct vd_group_device *d, uint32_t bit)
{
	for (uint32_t i = 0; i < d->grants.count; i++) {
		uint32_t at = g->grants_of[d->grants.start + i];

		if (g->records[at].stands && g->records[at].statement->role == d->shown.role && g->past[at][bit / 64] >> bit % 64 & 1)
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

static void take_batch(struct vd_group *g)
{
	mark_known(g);
	for (uint32_t i = 0; i < g->batch_count; i++) {
		const struct vd_epoch_part *e = g->records[g->batch[i]].epoch;

		for (uint32_t j = 0; j < e->sealed_count; j++) {
			struct vd_group_device *d = vd_group_entry(g, e->sealed[j]);

			if (d && !d->sealed && knew_role(g, d, i))
				d->sealed = true;
		}
	}
	g->batch_count = 0;
}

static void compute_lacks(struct vd_group *g)
{
	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].sealed = false;
	g->lack_count = g->batch_count = 0;
	if (g->current == VD_NOWHERE)
		return;
	for (uint32_t i = 0; i < g->record_count; i++) {
		if (!g->records[i].counts || !is_part(g, g->current, i))
			continue;
		g->batch[g->batch_count++] = i;
		if (g->batch_count == VD_PAST_BATCH)
			take_batch(g);
	}
	if (g->batch_count)
		take_batch(g);
	for (size_t i = 0; i < g->device_count; i++) {
		const struct vd_group_device *d = &g->devices[g->order[i].at];

		if (d->shown.role != VD_ROLE_NONE && !d->sealed)
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

static bool sealed_to(const struct vd_epoch_part *e, const uint8_t device[VD_KEY_BYTES])
{
	for (uint32_t i = 0; i < e->sealed_count; i++)
		if (memcmp(e->sealed[i], device, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

static uint64_t prefix_of(const struct vd_group *g, uint32_t part)
{
	const struct vd_epoch_part *e = g->records[part].epoch;

	return vd_get_u64(e->continues ? e->of : g->records[part].id.b);
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
