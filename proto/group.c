/* A group's control records: which belong to the set, and who its authors are. Both only ever grow, so they are kept up to
 * date as records come; everything that depends on their order is computed when asked for (group_state.c). */
#include "group_priv.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "sign.h"

struct vd_group *vd_group_new(const uint8_t group[VD_GROUP_BYTES], const struct vd_identity *identity)
{
	struct vd_group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	memcpy(g->id, group, sizeof(g->id));
	if (identity) {
		g->identity = *identity;
		g->has_identity = true;
	}
	g->name_held = g->founding = g->current = VD_NOWHERE;
	return g;
}

static void record_deinit(struct vd_group_record *r)
{
	if (r->epoch)
		sodium_memzero(r->epoch, sizeof(*r->epoch));
	free(r->epoch);
	free(r->statement);
	free(r->revocation);
	free(r->opinion);
	free(r->refs);
}

static void forget_answers(struct vd_group *g)
{
	for (size_t i = 0; i < g->device_count; i++)
		for (size_t lane = 0; lane < VD_LANES; lane++) {
			free(g->devices[i].accepted[lane]);
			g->devices[i].accepted[lane] = NULL;
		}
}

void vd_group_free(struct vd_group *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->record_count; i++)
		record_deinit(&g->records[i]);
	forget_answers(g);
	free(g->records);
	free(g->by_id.slots);
	free(g->devices);
	free(g->by_author.slots);
	free(g->stack);
	free(g->places);
	free(g->keys);
	free(g->past);
	free(g->grants_of);
	free(g->acts_by);
	free(g->reviews);
	free(g->revocations);
	free(g->approvable);
	free(g->secondable);
	free(g->batch);
	free(g->labels);
	free(g->acts);
	free(g->order);
	free(g->doms);
	free(g->lacks);
	free(g->epochs);
	sodium_memzero(g, sizeof(*g));
	free(g);
}

/* ---- tables and room ---- */

static size_t slot_of(const struct vd_table *t, const uint8_t *key)
{
	uint64_t h;

	memcpy(&h, key, sizeof(h));
	return (size_t)h & (t->capacity - 1);
}

uint32_t vd_table_find(const struct vd_table *t, const void *base, size_t stride, const uint8_t *key)
{
	if (!t->capacity)
		return VD_NOWHERE;
	for (size_t i = slot_of(t, key); t->slots[i]; i = (i + 1) & (t->capacity - 1)) {
		uint32_t at = t->slots[i] - 1;

		if (memcmp((const uint8_t *)base + at * stride, key, VD_ID_BYTES) == 0)
			return at;
	}
	return VD_NOWHERE;
}

static void table_put(struct vd_table *t, const uint8_t *key, uint32_t at)
{
	size_t i = slot_of(t, key);

	while (t->slots[i])
		i = (i + 1) & (t->capacity - 1);
	t->slots[i] = at + 1;
	t->count++;
}

/* Room for one more, at most half full. */
static int table_reserve(struct vd_table *t, const void *base, size_t stride)
{
	struct vd_table bigger = {.capacity = t->capacity ? 2 * t->capacity : 64};

	if (2 * (t->count + 1) <= t->capacity)
		return 0;
	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	if (!bigger.slots)
		return VD_ENOMEM;
	for (size_t i = 0; i < t->count; i++)
		table_put(&bigger, (const uint8_t *)base + i * stride, (uint32_t)i);
	free(t->slots);
	*t = bigger;
	return 0;
}

static int array_grow(void *array, size_t capacity, size_t size)
{
	void *bigger;

	memcpy(&bigger, array, sizeof(bigger));
	bigger = realloc(bigger, capacity * size);
	if (!bigger)
		return VD_ENOMEM;
	memcpy(array, &bigger, sizeof(bigger));
	return 0;
}

static int reserve_records(struct vd_group *g)
{
	size_t more = g->record_capacity ? 2 * g->record_capacity : 32;

	/* One beyond, for vd_group_suppose. */
	if (g->record_count + 1 < g->record_capacity)
		return 0;
	if (array_grow(&g->records, more, sizeof(*g->records)) || array_grow(&g->stack, more, sizeof(*g->stack)) ||
	    array_grow(&g->places, more, sizeof(*g->places)) || array_grow(&g->keys, more, sizeof(*g->keys)) ||
	    array_grow(&g->past, more, sizeof(*g->past)) || array_grow(&g->grants_of, more, sizeof(*g->grants_of)) ||
	    array_grow(&g->acts_by, more, sizeof(*g->acts_by)) || array_grow(&g->reviews, more, sizeof(*g->reviews)) ||
	    array_grow(&g->revocations, more, sizeof(*g->revocations)) || array_grow(&g->labels, more, sizeof(*g->labels)) ||
	    array_grow(&g->approvable, more, sizeof(*g->approvable)) ||
	    array_grow(&g->secondable, more, sizeof(*g->secondable)) || array_grow(&g->acts, more, sizeof(*g->acts)))
		return VD_ENOMEM;
	if (!g->batch && array_grow(&g->batch, VD_PAST_BATCH, sizeof(*g->batch)))
		return VD_ENOMEM;
	g->record_capacity = more;
	return 0;
}

static int reserve_devices(struct vd_group *g)
{
	size_t more = g->device_capacity ? 2 * g->device_capacity : 16;

	if (g->device_count < g->device_capacity)
		return 0;
	if (array_grow(&g->devices, more, sizeof(*g->devices)) || array_grow(&g->order, more, sizeof(*g->order)) ||
	    array_grow(&g->doms, more, sizeof(*g->doms)) || array_grow(&g->lacks, more, sizeof(*g->lacks)))
		return VD_ENOMEM;
	g->device_capacity = more;
	return 0;
}

/* Room for one record, device and epoch more, in the tables and in what vd_group_refresh computes. */
static int reserve(struct vd_group *g)
{
	size_t more = g->epoch_capacity ? 2 * g->epoch_capacity : 4;

	if (reserve_records(g) || reserve_devices(g))
		return VD_ENOMEM;
	if (g->epoch_starts + 1 >= g->epoch_capacity) {
		if (array_grow(&g->epochs, more, sizeof(*g->epochs)))
			return VD_ENOMEM;
		g->epoch_capacity = more;
	}
	if (table_reserve(&g->by_id, g->records, sizeof(*g->records)))
		return VD_ENOMEM;
	return table_reserve(&g->by_author, g->devices, sizeof(*g->devices));
}

/* ---- adding ---- */

struct vd_group_device *vd_group_entry(struct vd_group *g, const uint8_t author[VD_KEY_BYTES])
{
	uint32_t at = vd_table_find(&g->by_author, g->devices, sizeof(*g->devices), author);

	return at == VD_NOWHERE ? NULL : &g->devices[at];
}

/* Do the newcomer's own keys belong together? Re-grants repeat the card they were made from, so that one is remembered. */
static bool card_holds(struct vd_group *g, const struct vd_control *c)
{
	const struct vd_group_device *d = vd_group_entry(g, c->device);
	struct vd_card card;

	if (d && memcmp(d->proved_box, c->box, sizeof(card.box)) == 0 && memcmp(d->proof, c->proof, sizeof(card.proof)) == 0)
		return true;
	memcpy(card.author, c->device, sizeof(card.author));
	memcpy(card.box, c->box, sizeof(card.box));
	memcpy(card.proof, c->proof, sizeof(card.proof));
	return vd_card_check(&card) == 0;
}

static int read_refs(const struct vd_record *r, const struct vd_control *c, struct vd_group_record *out)
{
	size_t count = (size_t)c->seen.number + r->has_prev;
	struct vd_rd items = vd_value_items(&c->seen);
	struct vd_value item;

	if (!count)
		return 0;
	out->refs = malloc(count * sizeof(*out->refs));
	if (!out->refs)
		return VD_ENOMEM;
	if (r->has_prev)
		out->refs[out->ref_count++] = (struct vd_group_ref){r->prev, VD_NOWHERE};
	while (out->ref_count < count && vd_value_next(&items, &item)) {
		struct vd_group_ref *ref = &out->refs[out->ref_count++];

		memcpy(ref->id.b, item.bytes.p, sizeof(ref->id.b));
		ref->at = VD_NOWHERE;
	}
	return 0;
}

static int read_statement(const struct vd_control *c, struct vd_group_record *out)
{
	struct vd_statement *s = calloc(1, sizeof(*s) + c->name.n);

	if (!s)
		return VD_ENOMEM;
	s->device = VD_NOWHERE;
	s->role = c->role;
	s->flags = c->flags;
	if (c->device) {
		memcpy(s->box, c->box, sizeof(s->box));
		memcpy(s->person, c->person, sizeof(s->person));
	}
	if (c->proof)
		memcpy(s->proof, c->proof, sizeof(s->proof));
	s->name_bytes = c->name.n;
	if (c->name.n)
		memcpy(s->name, c->name.p, c->name.n);
	out->statement = s;
	return 0;
}

/* Appends the elements of an array of bins, one after the other; where they begin. */
static const uint8_t *lay_out(const struct vd_value *list, uint8_t **at)
{
	struct vd_rd items = vd_value_items(list);
	struct vd_value item;
	uint8_t *begin = *at;

	while (vd_value_next(&items, &item)) {
		memcpy(*at, item.bytes.p, item.bytes.n);
		*at += item.bytes.n;
	}
	return begin;
}

static int read_epoch_part(const struct vd_group *g, const struct vd_control *c, struct vd_group_record *out)
{
	struct vd_epoch_part *e = calloc(1, sizeof(*e) + (size_t)c->keys.number * sizeof(e->sealed[0]));
	struct vd_rd items = vd_value_items(&c->keys);
	struct vd_value item;

	if (!e)
		return VD_ENOMEM;
	memcpy(e->commits, c->commits, sizeof(e->commits));
	e->continues = c->of != NULL;
	if (c->of)
		memcpy(e->of, c->of, sizeof(e->of));
	while (vd_value_next(&items, &item)) {
		struct vd_sealed *sealed = &e->sealed[e->sealed_count++];

		memcpy(sealed->author, item.bytes.p, sizeof(sealed->author));
		memcpy(sealed->begin, item.bytes.p + VD_KEY_BYTES, sizeof(sealed->begin));
	}
	if (g->has_identity)
		vd_epoch_part_open(e, &c->keys, &g->identity);
	out->epoch = e;
	return 0;
}

static int read_revocation(const struct vd_control *c, struct vd_group_record *out)
{
	size_t n = (size_t)c->devices.number * VD_KEY_BYTES + c->name.n;
	struct vd_revocation *v;
	uint8_t *at;

	for (size_t lane = 0; lane < VD_LANES; lane++)
		n += (size_t)c->heads[lane].number * VD_ID_BYTES;
	v = calloc(1, sizeof(*v) + n);
	if (!v)
		return VD_ENOMEM;
	at = v->bytes;
	v->device_count = (uint32_t)c->devices.number;
	v->devices = lay_out(&c->devices, &at);
	for (size_t lane = 0; lane < VD_LANES; lane++) {
		v->head_count[lane] = (uint32_t)c->heads[lane].number;
		v->heads[lane] = lay_out(&c->heads[lane], &at);
	}
	memcpy(at, c->name.p, c->name.n);
	v->reason = vd_slice(at, c->name.n);
	v->whole = c->person != NULL;
	if (c->person)
		memcpy(v->person, c->person, sizeof(v->person));
	out->revocation = v;
	return 0;
}

static int read_opinion(const struct vd_control *c, struct vd_group_record *out)
{
	struct vd_opinion *o = calloc(1, sizeof(*o));

	if (!o)
		return VD_ENOMEM;
	memcpy(o->about.b, c->about, sizeof(o->about.b));
	o->accept = c->accept;
	o->at = VD_NOWHERE;
	out->opinion = o;
	return 0;
}

/* Fills what an act may change. */
static int read_effect(struct vd_group *g, const struct vd_control *c, struct vd_group_record *out)
{
	int rc;

	out->effect = c->good && (c->kind != VD_CONTROL_GRANT || card_holds(g, c));
	if (!out->effect)
		return 0;
	switch (c->kind) {
	case VD_CONTROL_GROUP:
	case VD_CONTROL_GRANT: return read_statement(c, out);
	case VD_CONTROL_EPOCH: return read_epoch_part(g, c, out);
	case VD_CONTROL_REVOKE:
		rc = read_epoch_part(g, c, out);
		return rc ? rc : read_revocation(c, out);
	case VD_CONTROL_REVIEW:
	case VD_CONTROL_APPROVE: return read_opinion(c, out);
	case VD_CONTROL_NEWER: break;
	}
	return 0;
}

/* A founding or a grant makes its device an author, for ever. Room is there. */
static void admit_device(struct vd_group *g, const struct vd_control *c, struct vd_statement *s)
{
	struct vd_group_device *d = vd_group_entry(g, c->device);

	if (!d) {
		d = &g->devices[g->device_count];
		memset(d, 0, sizeof(*d));
		memcpy(d->shown.author, c->device, sizeof(d->shown.author));
		d->first = d->held = VD_NOWHERE;
		table_put(&g->by_author, c->device, (uint32_t)g->device_count++);
	}
	s->device = (uint32_t)(d - g->devices);
	if (c->role == VD_ROLE_COORDINATOR)
		d->shown.coordinator_ever = true;
	if (c->proof) {
		memcpy(d->proved_box, c->box, sizeof(d->proved_box));
		memcpy(d->proof, c->proof, sizeof(d->proof));
	}
}

/* Entitled: the founder, whose key and salt the group id was made of, and whoever a grant made coordinator. */
static bool entitled(struct vd_group *g, const struct vd_record *r, const struct vd_control *c)
{
	if (c->founding && c->good)
		return vd_group_may_control(g, r->author) || vd_sign_key_ok(r->author);
	return vd_group_may_control(g, r->author);
}

int vd_group_add(struct vd_group *g, const struct vd_record *r)
{
	struct vd_group_record fresh = {.id = r->id, .time_ms = r->time_ms, .seq = r->seq, .has_prev = r->has_prev};
	struct vd_control c;
	int rc;

	if (memcmp(r->group, g->id, sizeof(g->id)) != 0)
		return VD_EGROUP;
	if (vd_table_find(&g->by_id, g->records, sizeof(*g->records), r->id.b) != VD_NOWHERE)
		return 0;
	rc = vd_control_decode(r, &c);
	if (rc)
		return rc;
	if (!entitled(g, r, &c))
		return VD_EAUTHOR;
	if (g->record_count == VD_CONTROL_MAX)
		return VD_ECAP;
	fresh.kind = (uint8_t)c.kind;
	fresh.founding = c.founding && c.good;
	rc = reserve(g);
	if (!rc)
		rc = read_refs(r, &c, &fresh);
	if (!rc)
		rc = read_effect(g, &c, &fresh);
	if (rc) {
		record_deinit(&fresh);
		return rc;
	}
	if (fresh.statement && c.device)
		admit_device(g, &c, fresh.statement);
	fresh.by = (uint32_t)(vd_group_entry(g, r->author) - g->devices);
	if (c.founding && c.good) {
		memcpy(g->salt, c.salt, sizeof(g->salt));
		g->has_salt = true;
	}
	if (fresh.epoch && !fresh.epoch->continues)
		g->epoch_starts++;
	table_put(&g->by_id, fresh.id.b, (uint32_t)g->record_count);
	g->records[g->record_count++] = fresh;
	g->generation++;
	g->fresh = false;
	forget_answers(g);
	return 0;
}

/* ---- questions that need no order ---- */

const uint8_t *vd_group_id(const struct vd_group *g)
{
	return g->id;
}

const uint8_t *vd_group_salt(const struct vd_group *g)
{
	return g->has_salt ? g->salt : NULL;
}

const struct vd_identity *vd_group_identity(const struct vd_group *g)
{
	return g->has_identity ? &g->identity : NULL;
}

uint64_t vd_group_generation(const struct vd_group *g)
{
	return g->generation;
}

size_t vd_group_device_count(struct vd_group *g)
{
	return g->device_count;
}

bool vd_group_is_author(struct vd_group *g, const uint8_t author[VD_KEY_BYTES])
{
	return vd_group_entry(g, author) != NULL;
}

bool vd_group_may_control(struct vd_group *g, const uint8_t author[VD_KEY_BYTES])
{
	const struct vd_group_device *d = vd_group_entry(g, author);

	return d && d->shown.coordinator_ever;
}
