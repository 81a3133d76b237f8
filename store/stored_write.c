/* Writing what stands in the table of records: stored.h. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

_Static_assert(VD_COMPACT_MAX <= UINT16_MAX, "as a run counts them");

/* --- a run being gathered --- */

void vd_stored_run_deinit(struct vd_stored_run *run)
{
	vd_compact_deinit(&run->stream);
	vd_buf_deinit(&run->forms);
	*run = (struct vd_stored_run){ 0 };
}

/* Bytes of the value of its first `count` records, or a few more, without what it says of itself. */
static size_t bare_bytes(const struct vd_stored_run *run, size_t count)
{
	size_t bytes = 1 + 1 + vd_varint_bytes(vd_zigzag(run->received_ms - run->time_ms)) + 1;

	for (size_t i = 0; i < run->ones[count - 1].authors; i++)
		bytes += vd_varint_bytes(run->numbers[i]);
	for (size_t i = 0; i < count; i++)
		bytes += vd_varint_bytes(VD_STORED_CHECK_BYTES + (uint64_t)run->ones[i].n) + VD_STORED_CHECK_BYTES + run->ones[i].n;
	return bytes;
}

/* A value with pages of its own says where it ends and belongs. */
static bool says(const struct vd_stored_run *run, size_t count)
{
	return bare_bytes(run, count) > VD_STORED_RUN_HALF;
}

static uint64_t last_of(const struct vd_stored_run *run, size_t count)
{
	return run->last - run->count + count;
}

static size_t run_bytes(const struct vd_stored_run *run, size_t count)
{
	return bare_bytes(run, count) + (says(run, count) ? vd_varint_bytes(last_of(run, count)) + 4 : 0);
}

static bool belongs(const struct vd_stored_run *run, const struct vd_record *record, uint64_t arrival, uint8_t flags, uint64_t received_ms)
{
	return run->count < VD_STORED_RUN_MAX && arrival == run->last + 1 && flags == run->flags && received_ms == run->received_ms &&
	       !memcmp(record->group, run->group, VD_GROUP_BYTES);
}

/* Whose it is, as the stream has to know before it stands there. */
static int know(struct vd_stored_run *run, const struct vd_record *record, uint32_t number, uint8_t *authors)
{
	uint8_t i = 0;

	while (i < run->authors && run->numbers[i] != number)
		i++;
	*authors = i == run->authors ? (uint8_t)(i + 1) : run->authors;
	if (i < run->authors)
		return VD_OK;
	run->numbers[i] = number;
	return vd_compact_know(&run->stream, record->author);
}

int vd_stored_run_add(struct vd_stored_run *run, const struct vd_record *record, uint32_t number, uint64_t arrival, uint8_t flags, uint64_t received_ms)
{
	size_t at = run->forms.n;
	uint8_t authors;
	int rc;

	if (run->count && !belongs(run, record, arrival, flags, received_ms))
		return VD_ECAP;
	if (!run->count) {
		run->authors = 0;
		run->flags = flags;
		run->received_ms = received_ms;
		run->time_ms = record->time_ms;
		memcpy(run->group, record->group, VD_GROUP_BYTES);
		vd_compact_reset(&run->stream, record->group);
		vd_buf_reset(&run->forms);
		at = 0;
	}
	rc = know(run, record, number, &authors);
	if (!rc)
		rc = vd_compact_encode(&run->stream, record, &run->forms);
	if (rc)
		return rc;
	run->ones[run->count].n = (uint16_t)(run->forms.n - at);
	run->ones[run->count].authors = authors;
	memcpy(run->ones[run->count].check, record->id.b, VD_STORED_CHECK_BYTES);
	if (run->count && run_bytes(run, run->count + 1u) > VD_STORED_RUN_BYTES) {
		run->forms.n = at;
		return VD_ECAP;
	}
	run->authors = authors;
	run->last = arrival;
	run->count++;
	return VD_OK;
}

int vd_stored_run_encode(const struct vd_stored_run *run, size_t count, struct vd_buf *out)
{
	bool telling = says(run, count);
	size_t at = 0, begin = 0;

	vd_buf_put_u8(out, run->flags | VD_STORED_COMPACT | (telling ? VD_STORED_SAYS : 0));
	vd_buf_put_u8(out, (uint8_t)count);
	if (telling) {
		vd_buf_put_varint(out, last_of(run, count));
		vd_buf_put_u32(out, 0); /* known at the end */
		begin = out->n;
	}
	vd_buf_put_varint(out, vd_zigzag(run->received_ms - run->time_ms));
	vd_buf_put_u8(out, run->ones[count - 1].authors);
	for (size_t i = 0; i < run->ones[count - 1].authors; i++)
		vd_buf_put_varint(out, run->numbers[i]);
	for (size_t i = 0; i < count; i++) {
		size_t n = run->ones[i].n;

		if (i + 1 < count)
			vd_buf_put_varint(out, VD_STORED_CHECK_BYTES + n);
		vd_buf_put_u8(out, (uint8_t)(run->ones[i].check[0] + count));
		vd_buf_put(out, run->ones[i].check + 1, VD_STORED_CHECK_BYTES - 1);
		vd_buf_put(out, run->forms.p + at, n);
		at += n;
	}
	if (telling && !vd_buf_check(out))
		vd_set_u32(out->p + begin - 4, (uint32_t)(out->n - begin));
	return vd_buf_check(out);
}

int vd_stored_encode(const struct vd_record *record, uint32_t number, uint64_t arrival, uint8_t flags, uint64_t received_ms, struct vd_buf *out)
{
	struct vd_stored_run run = { 0 };
	int rc = vd_stored_run_add(&run, record, number, arrival, flags, received_ms);

	if (!rc)
		rc = vd_stored_run_encode(&run, 1, out);
	vd_stored_run_deinit(&run);
	return rc;
}

/* --- in a transaction --- */

static int put_value(struct vd_write *w, uint64_t last)
{
	uint8_t key[8];

	vd_set_u64(key, last);
	vd_effects_put(&w->effects, w->store, VD_TABLE_RECORDS, key, sizeof(key), vd_buf_slice(&w->value));
	return w->effects.failed ? VD_ENOMEM : VD_OK;
}

static int put_whole(struct vd_write *w, uint64_t arrival, const struct vd_record *record, uint8_t flags, uint64_t received_ms)
{
	vd_buf_reset(&w->value);
	vd_buf_put_u8(&w->value, flags);
	vd_buf_put_u64(&w->value, received_ms);
	vd_buf_put(&w->value, record->id.b, VD_ID_BYTES);
	vd_buf_put_slice(&w->value, record->raw);
	return vd_buf_check(&w->value) ? VD_ENOMEM : put_value(w, arrival);
}

static int put_alone(struct vd_write *w, uint64_t arrival, const struct vd_record *record, uint32_t number, uint8_t flags, uint64_t received_ms)
{
	int rc;

	vd_buf_reset(&w->value);
	rc = vd_stored_encode(record, number, arrival, flags, received_ms, &w->value);
	return rc ? rc : put_value(w, arrival);
}

/* How many of them go together so that pages are full. */
static size_t how_many(const struct vd_stored_run *run)
{
	size_t n = run->count, bytes = run_bytes(run, n);

	if (bytes >= VD_STORED_RUN_MOST)
		return n;
	while (n > 1 && bytes > VD_STORED_RUN_HALF)
		bytes = run_bytes(run, --n);
	return n;
}

static int author_of(void *ctx, uint64_t number, struct vd_author *out)
{
	const struct vd_stored_run *run = ctx;
	size_t i = 0;

	while (run->numbers[i] != number)
		i++;
	memcpy(out->group, run->group, VD_GROUP_BYTES);
	memcpy(out->key, run->stream.authors[i].key, VD_KEY_BYTES);
	return VD_OK;
}

/* Its first `done` records are written: the rest begins another. */
static int go_on(struct vd_write *w, size_t done)
{
	uint64_t last = w->run.last, at = last - w->run.count + 1 + done;
	struct vd_reading r = { 0 };
	struct vd_stored stored;
	int rc = VD_OK;

	vd_buf_reset(&w->value);
	if (at <= last)
		rc = vd_stored_run_encode(&w->run, w->run.count, &w->value);
	if (!rc && at <= last)
		rc = vd_reading_begin(&r, vd_buf_slice(&w->value), last, author_of, &w->run);
	w->run.count = 0;
	for (; at <= last && !rc; at++) {
		rc = vd_reading_record(&r, at, &stored);
		if (!rc)
			rc = vd_stored_run_add(&w->run, &stored.view, stored.number, at, stored.flags, stored.received_ms);
	}
	vd_reading_wipe(&r);
	return rc;
}

static int flush(struct vd_write *w)
{
	int rc = VD_OK;

	while (w->run.count && !rc) {
		size_t n = how_many(&w->run);

		vd_buf_reset(&w->value);
		rc = vd_stored_run_encode(&w->run, n, &w->value);
		if (!rc)
			rc = put_value(w, w->run.last - w->run.count + n);
		if (!rc)
			rc = go_on(w, n);
	}
	return rc;
}

int vd_stored_put(struct vd_write *w, uint64_t arrival, const struct vd_record *record, uint8_t flags, uint64_t received_ms, bool whole)
{
	uint32_t number;
	int rc;

	if (whole) {
		rc = flush(w);
		return rc ? rc : put_whole(w, arrival, record, flags, received_ms);
	}
	rc = vd_author_number(w, record, &number);
	if (!rc)
		rc = vd_stored_run_add(&w->run, record, number, arrival, flags, received_ms);
	if (rc == VD_ECAP) {
		rc = flush(w);
		if (!rc)
			rc = vd_stored_run_add(&w->run, record, number, arrival, flags, received_ms);
	}
	return rc;
}

/* --- what stands there already --- */

static int note_change(struct vd_write *w, const struct vd_place *place, const struct vd_record *record, uint8_t flags)
{
	struct vd_stored_changes *c = &w->changes;

	if (!vd_room(&c->list, c->count, &c->cap, 64, sizeof(*c->list)))
		return VD_ENOMEM;
	c->list[c->count] = (struct vd_stored_change){ .arrival = place->arrival, .received_ms = place->received_ms, .flags = flags,
		                                       .whole = !place->compact, .order = c->count, .at = c->raws.n, .n = record->raw.n, .id = record->id };
	c->count++;
	vd_buf_put_slice(&c->raws, record->raw);
	return vd_buf_check(&c->raws);
}

int vd_stored_put_again(struct vd_write *w, const struct vd_place *place, const struct vd_record *record, uint8_t flags)
{
	uint32_t number;
	int rc;

	if (!place->alone)
		return note_change(w, place, record, flags);
	if (!place->compact)
		return put_whole(w, place->arrival, record, flags, place->received_ms);
	rc = vd_author_number(w, record, &number);
	return rc ? rc : put_alone(w, place->arrival, record, number, flags, place->received_ms);
}

int vd_stored_drop(struct vd_write *w, uint64_t arrival)
{
	static const struct vd_record nothing;

	return note_change(w, &(struct vd_place){ .arrival = arrival }, &nothing, VD_STORED_DROPPED);
}

static int by_arrival(const void *x, const void *y)
{
	const struct vd_stored_change *a = x, *b = y;

	if (a->arrival != b->arrival)
		return a->arrival < b->arrival ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int put_change(struct vd_write *w, const struct vd_stored_change *change)
{
	struct vd_record record = { .id = change->id, .raw = vd_slice(w->changes.raws.p + change->at, change->n) };
	int rc = change->whole ? VD_OK : vd_record_view(record.raw, &record);

	return rc ? rc : vd_stored_put(w, change->arrival, &record, change->flags, change->received_ms, change->whole);
}

/* What stands there stays; of what is damaged the number. */
static int put_as_it_was(struct vd_write *w, uint64_t arrival)
{
	static const struct vd_record nothing;
	struct vd_stored stored;
	int rc = vd_reading_record(&w->reading, arrival, &stored);

	if (rc == VD_EDAMAGED)
		return vd_stored_put(w, arrival, &nothing, VD_STORED_DROPPED, 0, true);
	return rc ? rc : vd_stored_put(w, arrival, &stored.view, stored.flags, stored.received_ms, false);
}

/* The run in which the first of some changes stands, with all that change of it; *done of them. Its last number is a key before and after. */
static int put_run_again(struct vd_write *w, MDB_txn *txn, const struct vd_stored_change *changes, size_t count, size_t *done)
{
	struct vd_reading *r = &w->reading;
	uint64_t first = changes[0].arrival, last = first;
	struct vd_stored stored;
	size_t i = 0;
	int rc = vd_stored_get(w->store, txn, first, r, &stored);

	if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED)
		return rc;
	rc = VD_OK;
	if (r->snapshot && r->first <= first && r->last >= first) {
		first = r->first;
		last = r->last;
	}
	for (uint64_t at = first; at <= last && !rc; at++) {
		while (i + 1 < count && changes[i].arrival == at && changes[i + 1].arrival == at)
			i++; /* the later one wins */
		if (i < count && changes[i].arrival == at)
			rc = put_change(w, &changes[i++]);
		else
			rc = put_as_it_was(w, at);
	}
	*done = i;
	return rc ? rc : flush(w);
}

int vd_stored_settle(struct vd_write *w)
{
	struct vd_stored_changes *c = &w->changes;
	size_t done;
	MDB_txn *txn;
	int rc = flush(w);

	if (rc || !c->count)
		return rc;
	rc = vd_write_snapshot(w, &txn);
	if (rc)
		return rc;
	qsort(c->list, c->count, sizeof(*c->list), by_arrival);
	for (size_t i = 0; i < c->count && !rc; i += done)
		rc = put_run_again(w, txn, c->list + i, c->count - i, &done);
	vd_write_snapshot_done(w, txn);
	c->count = 0;
	vd_buf_reset(&c->raws);
	return rc;
}

void vd_stored_changes_deinit(struct vd_stored_changes *c)
{
	free(c->list);
	vd_buf_deinit(&c->raws);
	*c = (struct vd_stored_changes){ 0 };
}
