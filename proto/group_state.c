/* What the set of control records says, computed from all of it at once: the same for every order of arrival.
 *
 * References point to earlier records by hash, so they have no cycles; a record's depth is 1 + the greatest depth among those
 * it names that are here. All memory was made when the records were added. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

#define BEING_VISITED UINT32_MAX

static int place_cmp(const struct vd_place *a, const struct vd_place *b)
{
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return memcmp(a->id.b, b->id.b, sizeof(a->id.b));
}

static struct vd_place place_of(const struct vd_group *g, uint32_t record, uint32_t at)
{
	return (struct vd_place){g->records[record].depth, g->records[record].id, at};
}

/* Is record a later than record b in control order? Anything is later than none. */
static bool later(const struct vd_group *g, uint32_t a, uint32_t b)
{
	struct vd_place pa, pb;

	if (b == VD_NOWHERE)
		return true;
	pa = place_of(g, a, 0);
	pb = place_of(g, b, 0);
	return place_cmp(&pa, &pb) > 0;
}

/* Next record that `r` names, is here and has no depth yet, or VD_NOWHERE. */
static uint32_t next_unvisited(const struct vd_group *g, struct vd_group_record *r)
{
	while (r->cursor < r->ref_count) {
		uint32_t at = r->refs[r->cursor++].at;

		if (at != VD_NOWHERE && !g->records[at].depth)
			return at;
	}
	return VD_NOWHERE;
}

static uint32_t depth_above(const struct vd_group *g, const struct vd_group_record *r)
{
	uint32_t deepest = 0;

	for (uint32_t i = 0; i < r->ref_count; i++) {
		uint32_t at = r->refs[i].at;

		if (at != VD_NOWHERE && g->records[at].depth != BEING_VISITED && g->records[at].depth > deepest)
			deepest = g->records[at].depth;
	}
	return deepest + 1;
}

/* Depth first without recursion: a chain may be as long as the set. */
static void visit(struct vd_group *g, uint32_t record)
{
	size_t height = 0;

	g->stack[height++] = record;
	g->records[record].depth = BEING_VISITED;
	while (height) {
		struct vd_group_record *top = &g->records[g->stack[height - 1]];
		uint32_t below = next_unvisited(g, top);

		if (below == VD_NOWHERE) {
			top->depth = depth_above(g, top);
			height--;
		} else {
			g->records[below].depth = BEING_VISITED;
			g->stack[height++] = below;
		}
	}
}

static void compute_depths(struct vd_group *g)
{
	for (size_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[i];

		r->depth = r->cursor = 0;
		for (uint32_t j = 0; j < r->ref_count; j++) {
			struct vd_group_ref *ref = &r->refs[j];

			if (ref->at == VD_NOWHERE)
				ref->at = vd_table_find(&g->by_id, g->records, sizeof(*g->records), ref->id.b);
			if (ref->at != VD_NOWHERE)
				g->records[ref->at].named = true;
		}
	}
	for (size_t i = 0; i < g->record_count; i++)
		if (!g->records[i].depth)
			visit(g, (uint32_t)i);
}

/* ---- epochs ---- */

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct vd_place *)a)->id.b, ((const struct vd_place *)b)->id.b, VD_ID_BYTES);
}

static int newest_first(const void *a, const void *b)
{
	return place_cmp(b, a);
}

static int oldest_first(const void *a, const void *b)
{
	return place_cmp(a, b);
}

/* First epoch, of those sorted by id, that is not below `of`. */
static size_t lower_bound(const struct vd_group *g, const uint8_t of[VD_EPOCH_BYTES])
{
	size_t low = 0, high = g->epoch_starts;

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
	if (memcmp(into->commits, from->commits, sizeof(into->commits)) != 0)
		return;
	for (size_t i = 0; i < VD_EPOCH_KEYS; i++)
		if (from->mask & (1u << i))
			memcpy(into->keys.key[i], from->keys.key[i], VD_KEY_BYTES);
	into->mask |= from->mask;
}

static void continue_epoch(struct vd_group *g, const struct vd_epoch_part *part)
{
	for (size_t i = lower_bound(g, part->of); i < g->epoch_starts; i++) {
		if (memcmp(g->epochs[i].id.b, part->of, VD_EPOCH_BYTES) != 0)
			return;
		take_keys(g->records[g->epochs[i].at].epoch, part);
	}
}

static void compute_epochs(struct vd_group *g)
{
	size_t starts = 0;

	for (size_t i = 0; i < g->record_count; i++)
		if (g->records[i].epoch && !g->records[i].epoch->continues)
			g->epochs[starts++] = place_of(g, (uint32_t)i, (uint32_t)i);
	g->epoch_count = 0;
	g->has_current = starts > 0;
	if (!starts)
		return;
	qsort(g->epochs, starts, sizeof(*g->epochs), by_id);
	for (size_t i = 0; i < g->record_count; i++)
		if (g->records[i].epoch && g->records[i].epoch->continues)
			continue_epoch(g, g->records[i].epoch);
	qsort(g->epochs, starts, sizeof(*g->epochs), newest_first);
	memcpy(g->current, g->epochs[0].id.b, sizeof(g->current));
	for (size_t i = 0; i < starts; i++)
		if (g->records[g->epochs[i].at].epoch->mask & (1u << VD_KEY_LINK))
			g->epochs[g->epoch_count++] = g->epochs[i];
}

/* ---- devices and names ---- */

static void compute_holding(struct vd_group *g)
{
	g->name_held = VD_NOWHERE;
	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].first = g->devices[i].held = VD_NOWHERE;
	for (uint32_t i = 0; i < g->record_count; i++) {
		const struct vd_statement *s = g->records[i].statement;
		struct vd_group_device *d;

		if (!s)
			continue;
		if (s->device == VD_NOWHERE) {
			if (later(g, i, g->name_held))
				g->name_held = i;
			continue;
		}
		d = &g->devices[s->device];
		if (later(g, i, d->held))
			d->held = i;
		if (d->first == VD_NOWHERE || later(g, d->first, i))
			d->first = i;
	}
}

/* A name once opened is kept while the same grant holds. */
static void show_device(struct vd_group *g, struct vd_group_device *d)
{
	const struct vd_group_record *held = &g->records[d->held];
	const struct vd_statement *s = held->statement;

	if (memcmp(d->shown.grant.b, held->id.b, sizeof(held->id.b)) != 0)
		d->shown.name[0] = 0;
	d->shown.grant = held->id;
	memcpy(d->shown.box, s->box, sizeof(d->shown.box));
	memcpy(d->shown.person, s->person, sizeof(d->shown.person));
	d->shown.role = s->role;
	d->shown.flags = s->flags;
	d->shown.since_ms = g->records[d->first].time_ms;
	if (!d->shown.name[0] && s->name_bytes)
		vd_sealed_name_open(g, s->person, vd_slice(s->name, s->name_bytes), d->shown.name);
}

static void compute_devices(struct vd_group *g)
{
	compute_holding(g);
	for (uint32_t i = 0; i < g->device_count; i++)
		g->order[i] = place_of(g, g->devices[i].first, i);
	if (g->device_count)
		qsort(g->order, g->device_count, sizeof(*g->order), oldest_first);
	for (size_t i = 0; i < g->device_count; i++)
		show_device(g, &g->devices[i]);
	g->name[0] = 0;
	if (g->name_held != VD_NOWHERE) {
		const struct vd_statement *s = g->records[g->name_held].statement;

		vd_sealed_name_open(g, NULL, vd_slice(s->name, s->name_bytes), g->name);
	}
}

void vd_group_refresh(struct vd_group *g)
{
	if (g->fresh)
		return;
	g->fresh = true; /* first, because opening names asks for keys */
	compute_depths(g);
	compute_epochs(g);
	compute_devices(g);
}

/* ---- questions ---- */

const char *vd_group_name(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->name;
}

enum vd_role vd_group_role(struct vd_group *g)
{
	const struct vd_device *d = g->has_identity ? vd_group_find(g, g->identity.author) : NULL;

	return d ? d->role : VD_ROLE_NONE;
}

const struct vd_device *vd_group_device(struct vd_group *g, size_t i)
{
	vd_group_refresh(g);
	return i < g->device_count ? &g->devices[g->order[i].at].shown : NULL;
}

const struct vd_device *vd_group_find(struct vd_group *g, const uint8_t author[VD_KEY_BYTES])
{
	const struct vd_group_device *d;

	vd_group_refresh(g);
	d = vd_group_entry(g, author);
	return d ? &d->shown : NULL;
}

const uint8_t *vd_group_current_epoch(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->has_current ? g->current : NULL;
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
