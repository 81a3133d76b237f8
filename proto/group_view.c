/* What the acts that count make: roles, persons, focal points, the acts as people see them, and what was accepted and reviewed. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- roles ---- */

/* Of two grants of a device: does a say more about it than b? One that stands more than one that only counts, and that more than
 * any other. 0: neither. */
static int firmer(const struct vd_group_record *a, const struct vd_group_record *b)
{
	int fa = a->stands ? 2 : a->counts, fb = b->stands ? 2 : b->counts;

	return fa - fb;
}

static bool more_senior(const struct vd_group *g, const struct vd_group_record *a, const struct vd_group_record *b)
{
	uint32_t sa = g->devices[a->by].senior, sb = g->devices[b->by].senior;

	return sa != sb ? sa < sb : a->place < b->place;
}

static void role_of(struct vd_group *g, struct vd_group_device *d)
{
	const uint32_t *grants = g->grants_of + d->grants.start;

	d->first = d->held = d->named = grants[0];
	d->shown.role = d->shown.most = VD_ROLE_NONE;
	for (uint32_t i = 0; i < d->grants.count; i++) {
		const struct vd_group_record *r = &g->records[grants[i]];
		const struct vd_group_record *held = &g->records[d->held], *named = &g->records[d->named];
		enum vd_role role = r->statement->role;

		if (r->place < g->records[d->first].place)
			d->first = grants[i];
		if (firmer(r, held) > 0 || (firmer(r, held) == 0 && r->place > held->place))
			d->held = grants[i];
		if (firmer(r, named) > 0 || (firmer(r, named) == 0 && more_senior(g, r, named)))
			d->named = grants[i];
		/* The most entitled has the least number. */
		if (r->stands && (d->shown.role == VD_ROLE_NONE || role < d->shown.role))
			d->shown.role = role;
		if (r->counts && (d->shown.most == VD_ROLE_NONE || role < d->shown.most))
			d->shown.most = role;
	}
	memcpy(d->shown.box, g->records[d->held].statement->box, sizeof(d->shown.box));
	memcpy(d->shown.person, g->records[d->named].statement->person, sizeof(d->shown.person));
	d->shown.flags = g->records[d->held].statement->flags;
	d->shown.since_ms = g->records[d->first].time_ms;
}

static void removed_by(const struct vd_group *g, struct vd_group_device *d, uint32_t revocation)
{
	if (d->revoke == VD_NOWHERE || g->records[d->revoke].place < g->records[revocation].place)
		d->revoke = revocation;
}

/* The last revocation that holds and removes each device. */
static void find_revocations(struct vd_group *g)
{
	uint32_t last = VD_NOWHERE;

	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].revoke = VD_NOWHERE;
	for (size_t i = 0; i < g->record_count; i++) {
		uint32_t at = g->places[i].at, label;
		const struct vd_revocation *v = g->records[at].revocation;

		if (!v || !v->holds)
			continue;
		for (uint32_t j = 0; j < v->device_count; j++) {
			struct vd_group_device *d = vd_group_entry(g, v->devices + (size_t)j * VD_KEY_BYTES);

			if (d)
				d->revoke = at;
		}
		label = v->whole ? vd_group_labelled(g, v->person) : VD_NOWHERE;
		if (label != VD_NOWHERE)
			g->labels[label].last = at;
	}
	for (size_t i = 0; i < g->grant_count; i++) {
		if (i == 0 || vd_label_cmp(&g->labels[i - 1], &g->labels[i]) != 0)
			last = g->labels[i].last;
		if (last != VD_NOWHERE)
			removed_by(g, &g->devices[g->records[g->labels[i].at].statement->device], last);
	}
}

static bool marked_focal(const struct vd_group *g, const struct vd_group_device *d)
{
	for (uint32_t i = 0; i < d->grants.count; i++) {
		const struct vd_group_record *r = &g->records[g->grants_of[d->grants.start + i]];

		if (r->stands && r->statement->flags & VD_GRANT_FOCAL)
			return true;
	}
	return false;
}

/* Focal points are persons: whoever of their devices has the mark, all that have a role are of them. */
static bool was_confidant(const struct vd_group *g, const struct vd_group_device *d)
{
	for (uint32_t i = 0; i < d->grants.count; i++) {
		const struct vd_group_record *r = &g->records[g->grants_of[d->grants.start + i]];

		if (r->counts && (r->statement->flags & VD_GRANT_FOCAL || r->statement->role == VD_ROLE_COORDINATOR))
			return true;
	}
	return false;
}

static void find_focal_points(struct vd_group *g)
{
	bool any = false;
	size_t end;

	for (uint32_t i = 0; i < g->device_count; i++) {
		memcpy(g->labels[i].key, g->devices[i].shown.person, VD_PERSON_BYTES);
		g->labels[i].at = i;
		g->devices[i].shown.focal = marked_focal(g, &g->devices[i]);
		g->devices[i].shown.confidant = was_confidant(g, &g->devices[i]);
		any |= g->devices[i].shown.focal;
	}
	for (size_t i = 0; i < g->device_count && !any; i++)
		g->devices[i].shown.focal = g->devices[i].shown.role == VD_ROLE_COORDINATOR;
	qsort(g->labels, g->device_count, sizeof(*g->labels), vd_label_cmp);
	for (size_t i = 0; i < g->device_count; i = end) {
		bool focal = false, confidant = false;

		for (end = i; end < g->device_count && vd_label_cmp(&g->labels[i], &g->labels[end]) == 0; end++) {
			focal |= g->devices[g->labels[end].at].shown.focal;
			confidant |= g->devices[g->labels[end].at].shown.confidant;
		}
		for (size_t j = i; j < end; j++) {
			struct vd_device *d = &g->devices[g->labels[j].at].shown;

			d->focal = focal && d->role != VD_ROLE_NONE;
			d->confidant = confidant;
		}
	}
}

static int oldest_first(const void *a, const void *b)
{
	return vd_place_cmp(a, b);
}

void vd_group_roles(struct vd_group *g)
{
	for (size_t i = 0; i < g->device_count; i++)
		role_of(g, &g->devices[i]);
	find_revocations(g);
	find_focal_points(g);
	for (uint32_t i = 0; i < g->device_count; i++) {
		struct vd_group_device *d = &g->devices[i];

		d->shown.removed = d->shown.role == VD_ROLE_NONE && d->revoke != VD_NOWHERE;
		memset(&d->shown.revoke, 0, sizeof(d->shown.revoke));
		if (d->shown.removed)
			d->shown.revoke = g->records[d->revoke].id;
		g->order[i] = (struct vd_place){g->records[d->first].depth, g->records[d->first].id, i};
	}
	qsort(g->order, g->device_count, sizeof(*g->order), oldest_first);
}

/* ---- acts ---- */

static enum vd_act_kind act_kind(const struct vd_group_record *r)
{
	if (!r->effect)
		return VD_ACT_OTHER;
	switch ((enum vd_control_kind)r->kind) {
	case VD_CONTROL_GROUP: return r->founding ? VD_ACT_FOUND : VD_ACT_NAME;
	case VD_CONTROL_GRANT: return VD_ACT_GRANT;
	case VD_CONTROL_EPOCH: return VD_ACT_EPOCH;
	case VD_CONTROL_REVOKE: return VD_ACT_REVOKE;
	case VD_CONTROL_REVIEW: return VD_ACT_REVIEW;
	case VD_CONTROL_APPROVE: return VD_ACT_APPROVE;
	case VD_CONTROL_NEWER: break;
	}
	return VD_ACT_OTHER;
}

static void list_act(const struct vd_group *g, const struct vd_group_record *r, struct vd_act *a)
{
	*a = (struct vd_act){.kind = act_kind(r), .id = r->id, .time_ms = r->time_ms, .counts = r->counts, .approvals = r->approvals};
	memcpy(a->author, g->devices[r->by].shown.author, sizeof(a->author));
	a->backed = r->backed;
	a->seconded = r->seconded;
	if (a->kind == VD_ACT_EPOCH)
		a->continues = r->epoch->continues;
	if (a->kind == VD_ACT_GRANT) {
		a->role = r->statement->role;
		a->flags = r->statement->flags;
		a->device = g->devices[r->statement->device].shown.author;
		a->person = r->statement->person;
	}
	if (r->revocation) {
		a->backed |= r->revocation->strong;
		a->seconded |= r->revocation->founders;
		a->device = r->revocation->device_count ? r->revocation->devices : NULL;
		a->person = r->revocation->whole ? r->revocation->person : NULL;
	}
	if (r->opinion) {
		a->about = r->opinion->about;
		a->accept = r->opinion->accept;
	}
}

/* By what it is about, then control order. */
static int compare_opinions(const struct vd_group *g, uint32_t a, const struct vd_id *about, uint32_t place)
{
	const struct vd_group_record *r = &g->records[a];
	int cmp = memcmp(r->opinion->about.b, about->b, sizeof(about->b));

	return cmp ? cmp : (r->place > place) - (r->place < place);
}

static int places_cmp(const void *a, const void *b)
{
	const struct vd_place *pa = a, *pb = b;
	int cmp = memcmp(pa->id.b, pb->id.b, sizeof(pa->id.b));

	return cmp ? cmp : (pa->depth > pb->depth) - (pa->depth < pb->depth);
}

void vd_group_list_acts(struct vd_group *g)
{
	size_t count = 0;

	for (size_t i = 0; i < g->record_count; i++)
		g->records[i].approvals = 0;
	for (size_t i = 0; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[i];

		if (r->kind == VD_CONTROL_APPROVE && r->counts && r->opinion->at != VD_NOWHERE)
			g->records[r->opinion->at].approvals++;
	}
	for (size_t i = 0; i < g->record_count; i++)
		list_act(g, &g->records[g->places[i].at], &g->acts[i]);
	/* The places are used up here: sorted another way, and put back. */
	for (uint32_t i = 0; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[i];

		if (r->kind == VD_CONTROL_REVIEW && r->counts)
			g->places[count++] = (struct vd_place){r->place, r->opinion->about, i};
	}
	qsort(g->places, count, sizeof(*g->places), places_cmp);
	for (size_t i = 0; i < count; i++)
		g->reviews[i] = g->places[i].at;
	g->review_count = count;
	for (uint32_t i = 0; i < g->record_count; i++)
		g->places[g->records[i].place] = (struct vd_place){g->records[i].depth, g->records[i].id, i};
}

size_t vd_group_act_count(struct vd_group *g)
{
	vd_group_refresh(g);
	return g->record_count;
}

const struct vd_act *vd_group_act(struct vd_group *g, size_t i)
{
	vd_group_refresh(g);
	return i < g->record_count ? &g->acts[i] : NULL;
}

void vd_group_act_reason(struct vd_group *g, size_t i, char out[VD_NAME_MAX + 1])
{
	static const uint8_t nobody[VD_PERSON_BYTES];
	const struct vd_revocation *v;

	out[0] = 0;
	vd_group_refresh(g);
	v = i < g->record_count ? g->records[g->places[i].at].revocation : NULL;
	if (v)
		vd_sealed_name_open(g, v->whole ? v->person : nobody, v->reason, out);
}

enum vd_review vd_group_reviewed(struct vd_group *g, const struct vd_id *about)
{
	size_t low = 0, high;

	vd_group_refresh(g);
	/* The first that comes after all about it. */
	for (high = g->review_count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (compare_opinions(g, g->reviews[middle], about, UINT32_MAX) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || memcmp(g->records[g->reviews[low - 1]].opinion->about.b, about->b, sizeof(about->b)) != 0)
		return VD_REVIEW_NONE;
	return g->records[g->reviews[low - 1]].opinion->accept ? VD_REVIEW_ACCEPTED : VD_REVIEW_LEFT;
}

/* ---- accepted heads ---- */

static int id_cmp(const void *a, const void *b)
{
	return memcmp(a, b, VD_ID_BYTES);
}

static size_t gather_heads(const struct vd_group *g, uint32_t device, uint8_t lane, struct vd_id *out)
{
	size_t count = 0;

	for (size_t i = 0; i < g->revocation_count; i++) {
		const struct vd_revocation *v = g->records[g->revocations[i]].revocation;

		if (!v->holds || !v->head_count[lane] || !vd_revocation_removes(g, v, device))
			continue;
		if (out)
			memcpy(out + count, v->heads[lane], (size_t)v->head_count[lane] * VD_ID_BYTES);
		count += v->head_count[lane];
	}
	return count;
}

size_t vd_group_accepted(struct vd_group *g, const uint8_t author[VD_KEY_BYTES], uint8_t lane, const struct vd_id **ids)
{
	const struct vd_device *shown = vd_group_find(g, author);
	struct vd_group_device *d;
	size_t count, kept = 0;
	struct vd_id *all;

	*ids = NULL;
	if (!shown || !shown->removed || lane >= VD_LANES)
		return 0;
	d = vd_group_entry(g, author);
	if (!d->accepted[lane]) {
		count = gather_heads(g, (uint32_t)(d - g->devices), lane, NULL);
		all = count ? malloc(count * sizeof(*all)) : NULL;
		if (!all)
			return 0;
		gather_heads(g, (uint32_t)(d - g->devices), lane, all);
		qsort(all, count, sizeof(*all), id_cmp);
		for (size_t i = 0; i < count; i++)
			if (!i || id_cmp(&all[i - 1], &all[i]) != 0)
				all[kept++] = all[i];
		d->accepted[lane] = all;
		d->accepted_count[lane] = kept;
	}
	*ids = d->accepted[lane];
	return d->accepted_count[lane];
}

/* ---- who knows what ---- */

static void knows(struct vd_group *g, uint32_t at, size_t *height)
{
	if (g->records[at].cursor)
		return;
	g->records[at].cursor = 1;
	g->stack[(*height)++] = at;
}

void vd_group_knows(struct vd_group *g, const uint8_t author[VD_KEY_BYTES], const uint8_t (*epochs)[VD_EPOCH_BYTES], size_t epoch_count,
                    const struct vd_id *ids, size_t id_count, bool *known)
{
	const struct vd_group_device *d;
	size_t height = 0;

	vd_group_refresh(g);
	d = vd_group_entry(g, author);
	for (size_t i = 0; i < g->record_count; i++)
		g->records[i].cursor = 0;
	for (uint32_t i = 0; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[i];

		if (d && r->by == (uint32_t)(d - g->devices))
			knows(g, i, &height);
		for (size_t j = 0; r->epoch && j < epoch_count; j++)
			if (memcmp(epochs[j], r->id.b, VD_EPOCH_BYTES) == 0)
				knows(g, i, &height);
	}
	for (size_t i = 0; i < id_count; i++) {
		uint32_t at = vd_table_find(&g->by_id, g->records, sizeof(*g->records), ids[i].b);

		if (at != VD_NOWHERE)
			knows(g, at, &height);
	}
	while (height) {
		const struct vd_group_record *r = &g->records[g->stack[--height]];

		known[r->place] = true;
		for (uint32_t i = 0; i < r->ref_count; i++)
			if (r->refs[i].at != VD_NOWHERE)
				knows(g, r->refs[i].at, &height);
	}
}
