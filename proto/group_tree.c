/* Who made whom a coordinator: ranks, seniority, and the lines that tell one voice from two. It depends on no decision, only on the
 * set: what a removed coordinator writes afterwards can raise somebody, lower nobody, and make nobody's voice less their own. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

static const struct vd_statement *coordinator_grant(const struct vd_group *g, uint32_t record)
{
	const struct vd_statement *s = g->records[record].statement;

	return s && s->device != VD_NOWHERE && s->role == VD_ROLE_COORDINATOR ? s : NULL;
}

/* ---- ranks and seniority ---- */

static void compute_ranks(struct vd_group *g)
{
	size_t first = 0, last = 0;
	uint32_t founder = g->records[g->founding].by;

	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].rank = g->devices[i].tree = g->devices[i].senior = VD_NOWHERE;
	g->devices[founder].rank = 0;
	g->devices[founder].tree = g->founding;
	g->stack[last++] = founder;
	while (first < last) {
		const struct vd_group_device *d = &g->devices[g->stack[first++]];

		for (uint32_t i = 0; i < d->acts.count; i++) {
			const struct vd_statement *s = coordinator_grant(g, g->acts_by[d->acts.start + i]);

			if (!s || g->devices[s->device].rank != VD_NOWHERE)
				continue;
			g->devices[s->device].rank = d->rank + 1;
			g->stack[last++] = s->device;
		}
	}
}

static void compute_seniority(struct vd_group *g)
{
	size_t count = 0;

	for (size_t i = 0; i < g->record_count; i++) {
		uint32_t at = g->places[i].at;
		const struct vd_statement *s = coordinator_grant(g, at);
		struct vd_group_device *d = s ? &g->devices[s->device] : NULL;

		if (d && d->tree == VD_NOWHERE && g->devices[g->records[at].by].rank + 1 == d->rank)
			d->tree = at;
	}
	/* What has a rank has a tree grant, and no two have the same. */
	for (size_t i = 0; i < g->device_count; i++)
		if (g->devices[i].rank != VD_NOWHERE)
			g->keys[count++] = (uint64_t)g->devices[i].rank << 32 | g->records[g->devices[i].tree].place;
	qsort(g->keys, count, sizeof(*g->keys), vd_key_cmp);
	g->devices[g->records[g->founding].by].senior = 0;
	for (uint32_t i = 1; i < count; i++)
		g->devices[g->records[g->places[(uint32_t)g->keys[i]].at].statement->device].senior = i;
}

/* ---- dominators: Lengauer and Tarjan, A Fast Algorithm for Finding Dominators in a Flowgraph, 1979 (the simple version) ---- */

static void enter_vertex(struct vd_group *g, uint32_t device, uint32_t parent)
{
	uint32_t n = (uint32_t)g->dom_count++;

	g->devices[device].number = n;
	g->doms[n] = (struct vd_dom){.device = device, .parent = parent, .semi = n, .best = n, .ancestor = VD_NOWHERE,
	                             .bucket = VD_NOWHERE, .next = VD_NOWHERE};
}

static void number_vertices(struct vd_group *g)
{
	size_t height = 0;

	g->dom_count = 0;
	for (size_t i = 0; i < g->device_count; i++) {
		g->devices[i].number = VD_NOWHERE;
		g->devices[i].cursor = 0;
	}
	enter_vertex(g, g->records[g->founding].by, VD_NOWHERE);
	g->stack[height++] = g->records[g->founding].by;
	while (height) {
		struct vd_group_device *d = &g->devices[g->stack[height - 1]];
		const struct vd_statement *s;

		if (d->cursor == d->acts.count) {
			height--;
			continue;
		}
		s = coordinator_grant(g, g->acts_by[d->acts.start + d->cursor++]);
		if (s && g->devices[s->device].number == VD_NOWHERE) {
			enter_vertex(g, s->device, d->number);
			g->stack[height++] = s->device;
		}
	}
}

/* The one with the least semidominator on the linked path above v, which it makes short. */
static uint32_t evaluate(struct vd_group *g, uint32_t v)
{
	struct vd_dom *doms = g->doms;
	size_t height = 0;

	if (doms[v].ancestor == VD_NOWHERE)
		return v;
	for (uint32_t u = v; doms[doms[u].ancestor].ancestor != VD_NOWHERE; u = doms[u].ancestor)
		g->stack[height++] = u;
	while (height) {
		struct vd_dom *u = &doms[g->stack[--height]], *above = &doms[u->ancestor];

		if (doms[above->best].semi < doms[u->best].semi)
			u->best = above->best;
		u->ancestor = above->ancestor;
	}
	return doms[v].best;
}

static void find_semidominator(struct vd_group *g, uint32_t w)
{
	const struct vd_group_device *d = &g->devices[g->doms[w].device];

	for (uint32_t i = 0; i < d->grants.count; i++) {
		uint32_t at = g->grants_of[d->grants.start + i], u;

		if (!coordinator_grant(g, at))
			continue;
		u = evaluate(g, g->devices[g->records[at].by].number);
		if (g->doms[u].semi < g->doms[w].semi)
			g->doms[w].semi = g->doms[u].semi;
	}
}

static void compute_dominators(struct vd_group *g)
{
	struct vd_dom *doms = g->doms;

	number_vertices(g);
	for (uint32_t w = (uint32_t)g->dom_count - 1; w > 0; w--) {
		uint32_t parent = doms[w].parent;

		find_semidominator(g, w);
		doms[w].next = doms[doms[w].semi].bucket;
		doms[doms[w].semi].bucket = w;
		doms[w].ancestor = parent;
		for (uint32_t v = doms[parent].bucket; v != VD_NOWHERE; v = doms[v].next) {
			uint32_t u = evaluate(g, v);

			doms[v].above = doms[u].semi < doms[v].semi ? u : parent;
		}
		doms[parent].bucket = VD_NOWHERE;
	}
	for (uint32_t w = 1; w < g->dom_count; w++)
		if (doms[w].above != doms[w].semi)
			doms[w].above = doms[doms[w].above].above;
}

/* The dominators as a tree: its branches at the founder are the lines; numbers that tell who is below whom. */
static void compute_lines(struct vd_group *g)
{
	struct vd_dom *doms = g->doms;

	for (uint32_t w = 0; w < g->dom_count; w++) {
		doms[w].size = 1;
		doms[w].given = 1;
	}
	for (uint32_t w = (uint32_t)g->dom_count - 1; w > 0; w--)
		doms[doms[w].above].size += doms[w].size;
	for (uint32_t w = 1; w < g->dom_count; w++) {
		struct vd_dom *above = &doms[doms[w].above];

		doms[w].line = doms[w].above ? above->line : w;
		doms[w].enter = above->enter + above->given;
		above->given += doms[w].size;
	}
}

void vd_group_tree(struct vd_group *g)
{
	compute_ranks(g);
	compute_seniority(g);
	compute_dominators(g);
	compute_lines(g);
}

/* ---- voices ---- */

/* Is b a, or could not be a coordinator without a? */
static bool hangs_on(const struct vd_group *g, uint32_t b, uint32_t a)
{
	const struct vd_dom *above = &g->doms[g->devices[a].number], *below = &g->doms[g->devices[b].number];

	return below->enter - above->enter < above->size;
}

/* Do all grants of `device`, but those by a, b and who hangs on them, name one person, and *person if there is one? */
static bool one_person(const struct vd_group *g, uint32_t device, uint32_t a, uint32_t b, const uint8_t **person)
{
	const struct vd_group_device *d = &g->devices[device];

	for (uint32_t i = 0; i < d->grants.count; i++) {
		const struct vd_group_record *r = &g->records[g->grants_of[d->grants.start + i]];

		if (hangs_on(g, r->by, a) || hangs_on(g, r->by, b))
			continue;
		if (*person && memcmp(*person, r->statement->person, VD_PERSON_BYTES) != 0)
			return false;
		*person = r->statement->person;
	}
	return true;
}

bool vd_group_two_voices(const struct vd_group *g, uint32_t a, uint32_t b)
{
	const struct vd_dom *da = &g->doms[g->devices[a].number], *db = &g->doms[g->devices[b].number];
	const uint8_t *person = NULL;

	if (!g->devices[a].number || !g->devices[b].number || da->line == db->line)
		return false;
	return !one_person(g, a, a, b, &person) || !one_person(g, b, a, b, &person);
}
