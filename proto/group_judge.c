/* Which acts count: revocations are decided one after the other, the strongest first. PROTOCOL.md section 6.
 *
 * D are the revocations that hold so far. What counts by them, C(D), is the least set closed under its rules, found by following
 * grants of coordinator from the founding. Only grants of coordinator and approvals can make others count, so only they are
 * followed, and only when a decision changed one of them. */
#include "group_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- the past ---- */

/* Sets bit i of past[r], r in records, where the i-th of `batch` is in the past of r. */
static void mark_past(struct vd_group *g)
{
	uint32_t begin = (uint32_t)g->record_count;

	for (uint32_t i = 0; i < g->batch_count; i++)
		if (g->records[g->batch[i]].place < begin)
			begin = g->records[g->batch[i]].place;
	memset(g->past, 0, g->record_count * sizeof(*g->past));
	/* A record's own bit stands in it while its successors are told, and is taken away at the end. */
	for (uint32_t i = 0; i < g->batch_count; i++)
		g->past[g->batch[i]][i / 64] |= (uint64_t)1 << i % 64;
	for (size_t i = begin; i < g->record_count; i++) {
		const struct vd_group_record *r = &g->records[g->places[i].at];
		uint64_t *past = g->past[g->places[i].at];

		for (uint32_t j = 0; j < r->ref_count; j++)
			if (r->refs[j].at != VD_NOWHERE)
				for (size_t word = 0; word < VD_PAST_WORDS; word++)
					past[word] |= g->past[r->refs[j].at][word];
	}
	for (uint32_t i = 0; i < g->batch_count; i++)
		g->past[g->batch[i]][i / 64] &= ~((uint64_t)1 << i % 64);
}

static bool in_past(const struct vd_group *g, uint32_t bit, uint32_t of)
{
	return g->past[of][bit / 64] >> bit % 64 & 1;
}

/* The number of that revocation in the batch; a new batch has it first and then those that will probably be decided next. */
static uint32_t batch_bit(struct vd_group *g, uint32_t revocation)
{
	for (uint32_t i = 0; i < g->batch_count; i++)
		if (g->batch[i] == revocation)
			return i;
	g->batch_count = 0;
	g->batch[g->batch_count++] = revocation;
	for (size_t i = 0; i < g->revocation_count && g->batch_count < VD_PAST_BATCH; i++) {
		uint32_t other = g->revocations[i];

		if (!g->records[other].revocation->decided && other != revocation)
			g->batch[g->batch_count++] = other;
	}
	mark_past(g);
	return 0;
}

/* ---- whom a revocation removes ---- */

bool vd_revocation_lists(const struct vd_revocation *v, const uint8_t author[VD_KEY_BYTES])
{
	for (uint32_t i = 0; i < v->device_count; i++)
		if (memcmp(v->devices + (size_t)i * VD_KEY_BYTES, author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

bool vd_revocation_removes(const struct vd_group *g, const struct vd_revocation *v, uint32_t device)
{
	const struct vd_group_device *d = &g->devices[device];

	if (vd_revocation_lists(v, d->shown.author))
		return true;
	for (uint32_t i = 0; v->whole && i < d->grants.count; i++) {
		const struct vd_statement *s = g->records[g->grants_of[d->grants.start + i]].statement;

		if (memcmp(s->person, v->person, VD_PERSON_BYTES) == 0)
			return true;
	}
	return false;
}

/* ---- C(D) ---- */

static bool stands(const struct vd_group_record *r)
{
	return !r->fallen && (!r->outvoted || r->backed) && (!r->contested || r->backed || r->seconded);
}

/* Does an act by its author count? */
static bool counts_by(const struct vd_group *g, const struct vd_group_record *r)
{
	const struct vd_group_device *d = &g->devices[r->by];

	return d->standing || (d->taken && r->accepted);
}

/* A device whose acts count from now on, all of them or those accepted: `height` of the stack. Each is there twice at most. */
static void follow(struct vd_group *g, uint32_t device, size_t *height)
{
	g->stack[(*height)++] = device;
}

static void stand(struct vd_group *g, const struct vd_group_record *grant, size_t *height)
{
	struct vd_group_device *d = &g->devices[grant->statement->device];

	if (d->standing || !stands(grant))
		return;
	d->standing = true;
	d->support = (uint32_t)(grant - g->records);
	follow(g, grant->statement->device, height);
}

static void take_grant(struct vd_group *g, struct vd_group_record *grant, size_t *height)
{
	struct vd_group_device *d = &g->devices[grant->statement->device];

	if (grant->taken)
		return;
	grant->taken = true;
	if (!d->taken) {
		d->taken = true;
		if (d->has_accepted && !d->standing)
			follow(g, grant->statement->device, height);
	}
	stand(g, grant, height);
}

static void take_approve(struct vd_group *g, const struct vd_group_record *approve, size_t *height)
{
	const struct vd_opinion *o = approve->opinion;
	struct vd_group_record *about;

	if (!o->voices && !o->founders)
		return;
	about = &g->records[o->at];
	if ((about->backed || !o->voices) && (about->seconded || !o->founders))
		return;
	about->backed |= o->voices;
	about->seconded |= o->founders;
	if (about->taken)
		stand(g, about, height);
}

static void settle(struct vd_group *g)
{
	size_t height = 0;

	for (size_t i = 0; i < g->device_count; i++)
		g->devices[i].taken = g->devices[i].standing = false;
	for (size_t i = 0; i < g->record_count; i++)
		g->records[i].taken = g->records[i].backed = g->records[i].seconded = false;
	take_grant(g, &g->records[g->founding], &height);
	while (height) {
		const struct vd_group_device *d = &g->devices[g->stack[--height]];

		for (uint32_t i = 0; i < d->acts.count; i++) {
			struct vd_group_record *r = &g->records[g->acts_by[d->acts.start + i]];

			if (!d->standing && !r->accepted)
				continue;
			if (r->statement)
				take_grant(g, r, &height);
			else
				take_approve(g, r, &height);
		}
	}
}

/* ---- a revocation that joins D ---- */

/* How senior an act is judged: the founder's word makes it the founder's own. */
static uint32_t strength(const struct vd_group *g, const struct vd_group_record *r)
{
	return r->revocation->founders ? 0 : g->devices[r->by].senior;
}

/* Puts it against one grant; `listed`: of a device that it lists; *bit: its number in the batch, VD_NOWHERE while nobody asked. Does a
 * coordinator lose by it? */
static bool meet(struct vd_group *g, uint32_t revocation, uint32_t *bit, uint32_t grant, bool listed)
{
	const struct vd_group_record *r = &g->records[revocation];
	struct vd_group_record *met = &g->records[grant];
	bool fallen, contested, outvoted, stood = met->taken && stands(met);

	if (met->fallen)
		return false;
	fallen = met->place < r->place;
	if (!fallen && *bit == VD_NOWHERE)
		*bit = batch_bit(g, revocation);
	fallen = fallen || !in_past(g, *bit, grant);
	outvoted = !fallen && listed && r->revocation->strong;
	contested = !fallen && listed && g->devices[met->by].senior > strength(g, r);
	if (!fallen && (!contested || met->contested) && (!outvoted || met->outvoted))
		return false;
	met->fallen = fallen;
	met->contested |= contested;
	met->outvoted |= outvoted;
	return stood && !stands(met);
}

/* Those fallen are put behind the others, and never looked at again. */
static bool meet_device(struct vd_group *g, uint32_t revocation, uint32_t *bit, struct vd_group_device *d)
{
	uint32_t *grants = g->grants_of + d->grants.start;
	bool changed = false;

	for (uint32_t i = 0; i < d->live;) {
		uint32_t grant = grants[i];

		changed |= meet(g, revocation, bit, grant, true);
		if (!g->records[grant].fallen) {
			i++;
			continue;
		}
		grants[i] = grants[--d->live];
		grants[d->live] = grant;
	}
	return changed;
}

uint32_t vd_group_labelled(const struct vd_group *g, const uint8_t person[VD_PERSON_BYTES])
{
	uint32_t low = 0, high = (uint32_t)g->grant_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (memcmp(g->labels[middle].key, person, VD_PERSON_BYTES) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < g->grant_count && !memcmp(g->labels[low].key, person, VD_PERSON_BYTES) ? low : VD_NOWHERE;
}

/* Has anything been added that others' counting may hang on? */
static bool accept_heads(struct vd_group *g, const struct vd_revocation *v)
{
	bool changed = false;

	for (uint32_t i = 0; i < v->head_count[VD_LANE_CONTROL]; i++) {
		uint32_t at = vd_table_find(&g->by_id, g->records, sizeof(*g->records), v->heads[VD_LANE_CONTROL] + (size_t)i * VD_ID_BYTES);
		uint32_t by = at == VD_NOWHERE ? VD_NOWHERE : g->records[at].by;

		if (at == VD_NOWHERE || !vd_revocation_removes(g, v, by))
			continue;
		while (at != VD_NOWHERE && g->records[at].by == by && !g->records[at].accepted) {
			struct vd_group_record *r = &g->records[at];

			r->accepted = true;
			changed |= r->statement || r->opinion;
			at = r->has_prev ? r->refs[0].at : VD_NOWHERE;
		}
		g->devices[by].has_accepted = true;
	}
	return changed;
}

/* Does a coordinator lose by it? */
static bool join(struct vd_group *g, uint32_t revocation)
{
	struct vd_revocation *v = g->records[revocation].revocation;
	uint32_t bit = VD_NOWHERE;
	bool changed = false;

	v->holds = true;
	v->strong = g->records[revocation].backed;
	v->founders = g->records[revocation].seconded;
	for (uint32_t i = 0; i < v->device_count; i++) {
		struct vd_group_device *d = vd_group_entry(g, v->devices + (size_t)i * VD_KEY_BYTES);

		if (d)
			changed |= meet_device(g, revocation, &bit, d);
	}
	for (uint32_t i = v->whole ? vd_group_labelled(g, v->person) : VD_NOWHERE;
	     i < g->grant_count && !memcmp(g->labels[i].key, v->person, VD_PERSON_BYTES); i++) {
		uint32_t grant = g->labels[i].at;

		/* A grant of a device that it lists was met above. */
		if (!g->records[grant].fallen && !vd_revocation_lists(v, g->devices[g->records[grant].statement->device].shown.author))
			changed |= meet(g, revocation, &bit, grant, false);
	}
	return changed;
}

/* ---- deciding ---- */

/* Who speaks with another voice than the act's own author: worked out once for each two of them. */
static void compute_voices(struct vd_group *g)
{
	size_t count = 0;
	bool two = false;

	for (uint32_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[i];
		struct vd_label *l = &g->labels[count];

		if (r->kind != VD_CONTROL_APPROVE || !r->effect)
			continue;
		r->opinion->voices = r->opinion->founders = false;
		r->opinion->at = vd_table_find(&g->by_id, g->records, sizeof(*g->records), r->opinion->about.b);
		if (r->opinion->at == VD_NOWHERE || !g->records[r->opinion->at].effect)
			continue;
		memset(l->key, 0, sizeof(l->key));
		vd_set_u32(l->key, g->records[r->opinion->at].by);
		vd_set_u32(l->key + 4, r->by);
		l->at = i;
		count++;
	}
	qsort(g->labels, count, sizeof(*g->labels), vd_label_cmp);
	for (size_t i = 0; i < count; i++) {
		struct vd_opinion *o = g->records[g->labels[i].at].opinion;
		struct vd_revocation *v = g->records[o->at].revocation;

		if (i == 0 || memcmp(g->labels[i - 1].key, g->labels[i].key, 8) != 0)
			two = vd_group_two_voices(g, g->records[o->at].by, g->records[g->labels[i].at].by);
		o->voices = two;
		o->founders = g->devices[g->records[g->labels[i].at].by].senior == 0;
		if (v && two)
			v->approvable = true;
		if (v && o->founders)
			v->secondable = true;
	}
}

static void label_grants(struct vd_group *g)
{
	g->grant_count = 0;
	for (uint32_t i = 0; i < g->record_count; i++) {
		const struct vd_statement *s = g->records[i].statement;

		if (!s || s->device == VD_NOWHERE)
			continue;
		memcpy(g->labels[g->grant_count].key, s->person, VD_PERSON_BYTES);
		g->labels[g->grant_count].last = VD_NOWHERE;
		g->labels[g->grant_count++].at = i;
	}
	qsort(g->labels, g->grant_count, sizeof(*g->labels), vd_label_cmp);
}

static void begin(struct vd_group *g)
{
	size_t count = 0;

	for (size_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[i];

		r->accepted = r->fallen = r->contested = r->outvoted = false;
		if (!r->revocation)
			continue;
		r->revocation->decided = r->revocation->holds = r->revocation->strong = r->revocation->founders = false;
		r->revocation->approvable = r->revocation->secondable = false;
		g->keys[count++] = (uint64_t)g->devices[r->by].senior << 32 | r->place;
	}
	for (size_t i = 0; i < g->device_count; i++) {
		g->devices[i].live = g->devices[i].grants.count;
		g->devices[i].has_accepted = false;
	}
	compute_voices(g);
	label_grants(g);
	qsort(g->keys, count, sizeof(*g->keys), vd_key_cmp);
	g->revocation_count = count;
	g->approvable_count = g->secondable_count = g->batch_count = 0;
	for (size_t i = 0; i < g->record_count; i++) {
		const struct vd_revocation *v = g->records[g->places[i].at].revocation;

		if (v && v->secondable)
			g->secondable[g->secondable_count++] = g->places[i].at;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t at = g->places[(uint32_t)g->keys[i]].at;

		g->revocations[i] = at;
		if (g->records[at].revocation->approvable)
			g->approvable[g->approvable_count++] = at;
	}
}

/* Since C was settled, grants have fallen. Does this coordinator stand all the same, by grants against which there is nothing? The way up
 * from one that was made by many others is not followed to its end: then it is not sure. */
static bool surely_stands(const struct vd_group *g, uint32_t device)
{
	for (int step = 0; step < 64; step++) {
		const struct vd_group_device *d = &g->devices[device];
		const struct vd_group_record *support = &g->records[d->support];

		if (!d->standing || support->fallen || support->contested || support->outvoted)
			return false;
		if (d->support == g->founding)
			return true;
		device = support->by;
	}
	return false;
}

/* How far each list has been gone through. */
struct turn {
	size_t backed, both, seconded, next;
};

/* C is not settled after each decision, which with thousands of coordinators removed one by one would take too long, but when something
 * asks for it. Grants that fall only take acts from C: what was not backed is not backed then, and who surely stands does. */
static bool waits(const struct vd_group *g, uint32_t revocation, bool backed, bool seconded)
{
	const struct vd_group_record *r = &g->records[revocation];

	return !r->revocation->decided && (r->backed || !backed) && (r->seconded || !seconded);
}

/* The strongest that is left, VD_NOWHERE: none. A backed one before others; among equals the founder's and those that the founder approved, by
 * control order, then by seniority. *by_word: it comes first because of what others said, which changes only with C. */
static uint32_t strongest(const struct vd_group *g, struct turn *t, bool *by_word)
{
	uint32_t own, seconded;

	while (t->backed < g->approvable_count && !waits(g, g->approvable[t->backed], true, false))
		t->backed++;
	while (t->both < g->secondable_count && !waits(g, g->secondable[t->both], true, true))
		t->both++;
	while (t->seconded < g->secondable_count && !waits(g, g->secondable[t->seconded], false, true))
		t->seconded++;
	while (t->next < g->revocation_count && g->records[g->revocations[t->next]].revocation->decided)
		t->next++;
	*by_word = t->backed < g->approvable_count || t->seconded < g->secondable_count;
	if (t->next == g->revocation_count)
		return VD_NOWHERE;
	if (t->backed < g->approvable_count)
		return t->both < g->secondable_count ? g->secondable[t->both] : g->approvable[t->backed];
	own = g->revocations[t->next];
	if (t->seconded == g->secondable_count)
		return own;
	seconded = g->secondable[t->seconded];
	return g->devices[g->records[own].by].senior == 0 && g->records[own].place < g->records[seconded].place ? own : seconded;
}

static void decide(struct vd_group *g)
{
	struct turn turn = { 0, 0, 0, 0 };
	bool dirty = false, by_word;

	for (;;) {
		uint32_t at = strongest(g, &turn, &by_word);

		if (at == VD_NOWHERE)
			break;
		if (dirty && (by_word || !surely_stands(g, g->records[at].by))) {
			settle(g);
			dirty = false;
			turn.backed = turn.both = turn.seconded = 0;
			continue;
		}
		g->records[at].revocation->decided = true;
		if (!counts_by(g, &g->records[at]))
			continue;
		dirty |= join(g, at);
		if (accept_heads(g, g->records[at].revocation)) {
			settle(g);
			dirty = false;
			turn.backed = turn.both = turn.seconded = 0;
		}
	}
	if (dirty)
		settle(g);
}

void vd_group_judge(struct vd_group *g)
{
	begin(g);
	settle(g);
	decide(g);
	for (size_t i = 0; i < g->record_count; i++) {
		struct vd_group_record *r = &g->records[i];
		const struct vd_statement *s = r->statement;

		r->counts = r->effect && (r->revocation ? r->revocation->holds : counts_by(g, r) || i == g->founding);
		r->stands = s && s->device != VD_NOWHERE && r->counts && stands(r);
	}
}
