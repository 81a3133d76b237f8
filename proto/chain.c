#include "chain.h"

#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "group.h"

void vd_batch_deinit(struct vd_batch *batch)
{
	free(batch->entries);
	free(batch->checks);
	vd_buf_deinit(&batch->bytes);
	*batch = (struct vd_batch){ 0 };
}

void vd_batch_reset(struct vd_batch *batch)
{
	batch->count = 0;
	batch->verified = 0;
	batch->check_count = 0;
	vd_buf_reset(&batch->bytes);
}

static int reserve(struct vd_batch *batch)
{
	return vd_room(&batch->entries, batch->count, &batch->capacity, 64, sizeof(*batch->entries)) ? VD_OK : VD_ENOMEM;
}

int vd_batch_add(struct vd_batch *batch, struct vd_slice raw)
{
	struct vd_batch_entry *e;
	int rc = reserve(batch);

	if (rc)
		return rc;
	e = &batch->entries[batch->count];
	*e = (struct vd_batch_entry){ .at = batch->bytes.n, .verdict = VD_EAGAIN };
	rc = vd_record_decode(raw, &e->record);
	if (rc)
		return rc;
	e->ext_at = (size_t)(e->record.ext.p - raw.p);
	vd_buf_put_slice(&batch->bytes, raw);
	if (vd_buf_check(&batch->bytes)) {
		batch->bytes.failed = false; /* what is in the batch stays good */
		return VD_ENOMEM;
	}
	batch->count++;
	return VD_OK;
}

int vd_batch_add_compact(struct vd_batch *batch, struct vd_compact *stream, struct vd_slice in)
{
	struct vd_batch_entry *e;
	int rc = reserve(batch);

	if (rc)
		return rc;
	e = &batch->entries[batch->count];
	*e = (struct vd_batch_entry){ .at = batch->bytes.n, .verdict = VD_EAGAIN };
	rc = vd_compact_decode(stream, in, &batch->bytes, &e->record);
	if (rc) {
		batch->bytes.failed = false; /* what is in the batch stays good */
		return rc;
	}
	e->ext_at = (size_t)(e->record.ext.p - e->record.raw.p);
	batch->count++;
	return VD_OK;
}

void vd_batch_drop_last(struct vd_batch *batch)
{
	batch->bytes.n = batch->entries[--batch->count].at;
}

void vd_batch_seal(struct vd_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct vd_batch_entry *e = &batch->entries[i];
		struct vd_record *r = &e->record;

		r->raw.p = batch->bytes.p + e->at;
		r->ext.p = r->raw.p + e->ext_at;
		r->header.p = r->raw.p;
		r->signature.p = r->header.p + r->header.n;
		r->body.p = r->signature.p + r->signature.n;
	}
}

/* Lane, author, group, seq, id ascending: one author's lane is a run, in which predecessors stand lower and forks side by
 * side. */
static int compare(const void *a, const void *b)
{
	const struct vd_record *x = &((const struct vd_batch_entry *)a)->record;
	const struct vd_record *y = &((const struct vd_batch_entry *)b)->record;
	int order;

	if (x->lane != y->lane)
		return x->lane < y->lane ? -1 : 1;
	order = memcmp(x->author, y->author, VD_KEY_BYTES);
	if (!order)
		order = memcmp(x->group, y->group, VD_GROUP_BYTES);
	if (order)
		return order;
	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return memcmp(x->id.b, y->id.b, VD_ID_BYTES);
}

/* What one verification works on. */
struct walk {
	struct vd_group *group;
	const struct vd_chain_port *port;
	uint64_t verified;
};

/* Entries of one lane, author and group: [first, end). They are judged together, so the first one's verdict tells whether
 * they were. */
struct run {
	struct vd_batch_entry *first, *end;
};

static struct run run_at(struct vd_batch_entry *first, struct vd_batch_entry *end)
{
	struct run run = { first, first };

	while (run.end < end && run.end->record.lane == first->record.lane &&
	       !memcmp(run.end->record.author, first->record.author, VD_KEY_BYTES) &&
	       !memcmp(run.end->record.group, first->record.group, VD_GROUP_BYTES))
		run.end++;
	return run;
}

/* Is it the same record as the entry after it: twice here, perhaps as stub and whole? */
static bool doubled(const struct run *run, const struct vd_batch_entry *e)
{
	return e + 1 < run->end && !memcmp(e->record.id.b, e[1].record.id.b, VD_ID_BYTES);
}

static bool is_named_by(const struct vd_batch_entry *e, const struct vd_record *next)
{
	return e->record.seq == next->seq - 1 && !memcmp(e->record.id.b, next->prev.b, VD_ID_BYTES);
}

/* Marks the entry below `e` that the valid record `e` names: of several copies the last, which is judged for all. */
static void vouch(const struct run *run, struct vd_batch_entry *e)
{
	struct vd_batch_entry *low = run->first, *high = run->end;

	if (!e->record.has_prev || e == run->first)
		return;
	/* Most stand side by side. */
	if (is_named_by(&e[-1], &e->record)) {
		e[-1].vouched = true;
		return;
	}
	while (low < high) {
		struct vd_batch_entry *middle = low + (high - low) / 2;
		const struct vd_record *r = &middle->record;
		bool below = r->seq != e->record.seq - 1 ? r->seq < e->record.seq - 1
		                                         : memcmp(r->id.b, e->record.prev.b, VD_ID_BYTES) <= 0;

		if (below)
			low = middle + 1;
		else
			high = middle;
	}
	if (low > run->first && is_named_by(&low[-1], &e->record))
		low[-1].vouched = true;
}

static bool proved(struct walk *w, const struct run *run, struct vd_batch_entry *e)
{
	if (doubled(run, e))
		return e[1].verdict != VD_ESIGNATURE; /* the same id is the same header and signature */
	if (e->vouched || e->proof != VD_PROOF_NONE)
		return e->vouched || e->proof == VD_PROOF_GOOD;
	if (w->port && w->port->vouched(w->port->ctx, &e->record))
		return true;
	w->verified++;
	return vd_record_verify(&e->record) == VD_OK;
}

/* The verdict on one record whose author is entitled to its lane. */
static int judge(struct walk *w, const struct run *run, struct vd_batch_entry *e)
{
	if (!proved(w, run, e))
		return VD_ESIGNATURE;
	return e->record.lane ? VD_OK : vd_group_add(w->group, &e->record);
}

/* Heads first, then what they vouch for. */
static int judge_run(struct walk *w, const struct run *run)
{
	for (size_t i = (size_t)(run->end - run->first); i-- > 0;) {
		struct vd_batch_entry *e = &run->first[i];

		e->verdict = judge(w, run, e);
		if (e->verdict == VD_ENOMEM)
			return VD_ENOMEM;
		if (!e->verdict && !(doubled(run, e) && !e[1].verdict))
			vouch(run, e);
	}
	return VD_OK;
}

/* Whose signature has to be checked if all are good? */
static void plan_run(struct walk *w, struct vd_batch *batch, const struct run *run)
{
	for (size_t i = (size_t)(run->end - run->first); i-- > 0;) {
		struct vd_batch_entry *e = &run->first[i];

		if (doubled(run, e))
			continue;
		if (!e->vouched && w->port && w->port->vouched(w->port->ctx, &e->record))
			e->proof = VD_PROOF_GOOD;
		else if (!e->vouched)
			batch->checks[batch->check_count++] = (uint32_t)(e - batch->entries);
		vouch(run, e);
	}
	for (struct vd_batch_entry *e = run->first; e < run->end; e++)
		e->vouched = false; /* that is for who is judged */
}

/* Who may do anything in a group follows from its founding record, so that one comes before every other. */
static int found(struct walk *w, struct vd_batch_entry *first, struct vd_batch_entry *end)
{
	for (struct vd_batch_entry *e = first; e < end && !vd_group_salt(w->group); e++) {
		if (e->verdict != VD_EAGAIN || e->record.seq != 1 || e->record.stub)
			continue;
		w->verified++;
		if (vd_record_verify(&e->record) == VD_OK && vd_group_add(w->group, &e->record) == VD_ENOMEM)
			return VD_ENOMEM;
	}
	return VD_OK;
}

/* Lane 0: each round judges the authors that the rounds before made coordinators. */
static int judge_control(struct walk *w, struct vd_batch_entry *first, struct vd_batch_entry *end)
{
	bool grew = true;
	int rc = found(w, first, end);

	while (!rc && grew) {
		grew = false;
		for (struct run run = { first, first }; !rc && run.end < end;) {
			run = run_at(run.end, end);
			if (run.first->verdict != VD_EAGAIN || !vd_group_may_control(w->group, run.first->record.author))
				continue;
			rc = judge_run(w, &run);
			grew = true;
		}
	}
	return rc;
}

/* Verdicts that need no verification: none yet, or another group's. */
static void start(struct vd_batch *batch, const uint8_t *group)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct vd_batch_entry *e = &batch->entries[i];

		e->vouched = e->stray = false;
		e->proof = VD_PROOF_NONE;
		e->verdict = memcmp(e->record.group, group, VD_GROUP_BYTES) ? VD_EGROUP : VD_EAGAIN;
	}
}

static void sort(struct vd_batch *batch)
{
	size_t i = 1;

	/* Files are written in this order. */
	while (i < batch->count && compare(&batch->entries[i - 1], &batch->entries[i]) <= 0)
		i++;
	if (i < batch->count)
		qsort(batch->entries, batch->count, sizeof(*batch->entries), compare);
}

static struct vd_batch_entry *after_control(const struct vd_batch *batch)
{
	struct vd_batch_entry *e = batch->entries, *end = e + batch->count;

	while (e < end && !e->record.lane)
		e++;
	return e;
}

static void refuse(struct vd_batch_entry *first, struct vd_batch_entry *end)
{
	for (struct vd_batch_entry *e = first; e < end; e++)
		if (e->verdict == VD_EAGAIN)
			e->verdict = VD_EAUTHOR;
}

int vd_chain_plan(struct vd_batch *batch, struct vd_group *group, const struct vd_chain_port *port, size_t *checks)
{
	struct walk w = { .group = group, .port = port };
	struct vd_batch_entry *data, *end;
	int rc;

	*checks = batch->check_count = 0;
	if (!batch->count)
		return VD_OK;
	end = batch->entries + batch->count;
	if (batch->count > UINT32_MAX)
		return VD_ECAP;
	free(batch->checks);
	batch->checks = calloc(batch->count, sizeof(*batch->checks));
	if (!batch->checks)
		return VD_ENOMEM;
	vd_batch_seal(batch);
	start(batch, vd_group_id(group));
	sort(batch);
	data = after_control(batch);
	rc = judge_control(&w, batch->entries, data);
	if (rc)
		return rc;
	refuse(batch->entries, data);
	for (struct run run = { data, data }; run.end < end;) {
		bool stray;

		run = run_at(run.end, end);
		if (run.first->verdict != VD_EAGAIN)
			continue;
		if (!vd_group_is_author(group, run.first->record.author)) {
			refuse(run.first, run.end);
			continue;
		}
		stray = !vd_group_may_connect(group, run.first->record.author);
		for (struct vd_batch_entry *e = run.first; e < run.end; e++)
			e->stray = stray;
		plan_run(&w, batch, &run);
	}
	batch->verified += w.verified;
	*checks = batch->check_count;
	return VD_OK;
}

void vd_chain_check(struct vd_batch *batch, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		struct vd_batch_entry *e = &batch->entries[batch->checks[i]];

		e->proof = vd_record_verify(&e->record) ? VD_PROOF_BAD : VD_PROOF_GOOD;
	}
}

void vd_chain_settle(struct vd_batch *batch, const struct vd_chain_port *port)
{
	struct walk w = { .port = port, .verified = batch->check_count };
	struct vd_batch_entry *end, *data;

	if (!batch->count)
		return;
	end = batch->entries + batch->count;
	data = after_control(batch);
	for (struct run run = { data, data }; run.end < end;) {
		run = run_at(run.end, end);
		if (run.first->verdict == VD_EAGAIN)
			(void)judge_run(&w, &run); /* of these lanes it takes no memory */
	}
	batch->verified += w.verified;
}

int vd_chain_verify(struct vd_batch *batch, struct vd_group *group, const struct vd_chain_port *port, uint64_t *verified)
{
	uint64_t before = batch->verified;
	size_t checks;
	int rc = vd_chain_plan(batch, group, port, &checks);

	if (!rc) {
		vd_chain_check(batch, 0, checks);
		vd_chain_settle(batch, port);
	}
	if (verified)
		*verified += batch->verified - before;
	return rc;
}
