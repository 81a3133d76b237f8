/* What the set of control records says, computed from all of it at once: the same for every order of arrival.
 *
 * References point to earlier records by hash, so they have no cycles; a record's depth is 1 + the greatest depth among those
 * it names that are here. All memory was made when the records were added. */
#include "err.h"
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

#define BEING_VISITED UINT32_MAX
#define AFTER_ALL (UINT32_MAX - 1)

int vd_place_cmp(const struct vd_place *a, const struct vd_place *b)
{
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	return memcmp(a->id.b, b->id.b, sizeof(a->id.b));
}

int vd_label_cmp(const void *a, const void *b)
{
	return memcmp(((const struct vd_label *)a)->key, ((const struct vd_label *)b)->key, sizeof(((const struct vd_label *)a)->key));
}

int vd_key_cmp(const void *a, const void *b)
{
	uint64_t ka = *(const uint64_t *)a, kb = *(const uint64_t *)b;

	return ka < kb ? -1 : ka > kb;
}

static int oldest_first(const void *a, const void *b)
{
	return vd_place_cmp(a, b);
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
	if (g->supposing)
		g->records[g->record_count - 1].depth = AFTER_ALL;
}

static void compute_order(struct vd_group *g)
{
	for (uint32_t i = 0; i < g->record_count; i++)
		g->places[i] = (struct vd_place){g->records[i].depth, g->records[i].id, i};
	qsort(g->places, g->record_count, sizeof(*g->places), oldest_first);
	g->founding = VD_NOWHERE;
	for (uint32_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[g->places[i].at];

		r->place = i;
		if (r->founding && g->founding == VD_NOWHERE)
			g->founding = g->places[i].at;
	}
}

/* ---- what is of whom ---- */

static bool is_grant(const struct vd_group_record *r)
{
	return r->statement && r->statement->device != VD_NOWHERE;
}

/* Grants of coordinator and approvals: what makes others' acts count. */
static bool carries_weight(const struct vd_group_record *r)
{
	return (is_grant(r) && r->statement->role == VD_ROLE_COORDINATOR) || (r->kind == VD_CONTROL_APPROVE && r->effect);
}

/* Each device's grants, and its acts that carry weight, in control order. */
static void compute_ranges(struct vd_group *g)
{
	uint32_t grants = 0, acts = 0;

	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].grants.count = g->devices[i].acts.count = 0;
	for (size_t i = 0; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[i];

		if (is_grant(r))
			g->devices[r->statement->device].grants.count++;
		if (carries_weight(r))
			g->devices[r->by].acts.count++;
	}
	for (size_t i = 0; i < g->device_count; i++) {
		struct vd_group_device *d = &g->devices[i];

		d->grants.start = grants;
		d->acts.start = acts;
		grants += d->grants.count;
		acts += d->acts.count;
		d->grants.count = d->acts.count = 0;
	}
	for (size_t i = 0; i < g->record_count; i++) {
		uint32_t at = g->places[i].at;
		const struct vd_group_record *r = &g->records[at];

		if (is_grant(r)) {
			struct vd_range *to = &g->devices[r->statement->device].grants;

			g->grants_of[to->start + to->count++] = at;
		}
		if (carries_weight(r)) {
			struct vd_range *to = &g->devices[r->by].acts;

			g->acts_by[to->start + to->count++] = at;
		}
	}
}

static void compute_forks(struct vd_group *g)
{
	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].shown.forked = false;
	for (uint32_t i = 0; i < g->record_count; i++) {
		struct vd_label *l = &g->labels[i];

		memset(l->key, 0, sizeof(l->key));
		vd_set_u32(l->key, g->records[i].by);
		vd_set_u64(l->key + 4, g->records[i].seq);
		l->at = i;
	}
	qsort(g->labels, g->record_count, sizeof(*g->labels), vd_label_cmp);
	for (size_t i = 1; i < g->record_count; i++)
		if (vd_label_cmp(&g->labels[i - 1], &g->labels[i]) == 0)
			g->devices[g->records[g->labels[i].at].by].shown.forked = true;
}

/* ---- names ---- */

/* A name once opened is kept while the same grant gives it. */
static int show_name(struct vd_group *g, struct vd_group_device *d)
{
	const struct vd_group_record *held = &g->records[d->held];
	const struct vd_statement *s = held->statement;

	if (memcmp(d->shown.grant.b, held->id.b, sizeof(held->id.b)) != 0)
		d->shown.name[0] = 0;
	d->shown.grant = held->id;
	return d->shown.name[0] || !s->name_bytes ? VD_OK : vd_sealed_name_open(g, s->person, vd_slice(s->name, s->name_bytes), d->shown.name);
}

/* VD_ENOMEM: some are missing. */
static int compute_names(struct vd_group *g)
{
	int rc = VD_OK;

	g->name_held = VD_NOWHERE;
	for (size_t i = 0; i < g->record_count; i++) {
		uint32_t at = g->places[i].at;

		if (g->records[at].counts && g->records[at].statement && !is_grant(&g->records[at]))
			g->name_held = at;
	}
	for (size_t i = 0; i < g->device_count; i++)
		rc = show_name(g, &g->devices[i]) ? VD_ENOMEM : rc;
	g->name[0] = 0;
	if (g->name_held != VD_NOWHERE) {
		const struct vd_statement *s = g->records[g->name_held].statement;

		rc = vd_sealed_name_open(g, NULL, vd_slice(s->name, s->name_bytes), g->name) ? VD_ENOMEM : rc;
	}
	return rc;
}

static void compute(struct vd_group *g)
{
	compute_depths(g);
	compute_order(g);
	compute_ranges(g);
	compute_forks(g);
	vd_group_tree(g);
	vd_group_judge(g);
	vd_group_roles(g);
}

void vd_group_refresh(struct vd_group *g)
{
	int rc;

	if (g->fresh)
		return;
	g->fresh = true; /* first, because opening names asks for keys */
	if (!g->record_count)
		return;
	compute(g);
	vd_group_epochs(g);
	rc = compute_names(g);
	vd_group_list_acts(g);
	g->fresh = rc == VD_OK; /* else the next question tries again */
}

void vd_group_suppose(struct vd_group *g, struct vd_revocation *v)
{
	struct vd_group_record *r = &g->records[g->record_count++];

	memset(r, 0, sizeof(*r));
	memset(r->id.b, 0xff, sizeof(r->id.b));
	r->kind = VD_CONTROL_REVOKE;
	r->effect = true;
	r->by = (uint32_t)(vd_group_entry(g, g->identity.author) - g->devices);
	r->revocation = v;
	g->supposing = true;
	compute(g);
	g->supposing = false;
	g->record_count--;
	g->fresh = false;
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

bool vd_group_may_connect(struct vd_group *g, const uint8_t author[VD_KEY_BYTES])
{
	const struct vd_device *d = vd_group_find(g, author);

	return d && d->role != VD_ROLE_NONE;
}
