/* Writing what stands in the table of records: stored.h. */
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

/* Bytes of the value of its first `count` records, or a few more. */
static size_t run_bytes(const struct vd_stored_run *run, size_t count)
{
	size_t bytes = 1 + 1 + vd_varint_bytes(vd_zigzag(run->received_ms - run->time_ms)) + 1;

	for (size_t i = 0; i < run->ones[count - 1].authors; i++)
		bytes += vd_varint_bytes(run->numbers[i]);
	for (size_t i = 0; i < count; i++)
		bytes += vd_varint_bytes(VD_STORED_CHECK_BYTES + (uint64_t)run->ones[i].n) + VD_STORED_CHECK_BYTES + run->ones[i].n;
	return bytes;
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
	size_t at = 0;

	vd_buf_put_u8(out, run->flags | VD_STORED_COMPACT);
	vd_buf_put_u8(out, (uint8_t)count);
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
	return vd_buf_check(out);
}

int vd_stored_encode(const struct vd_record *record, uint32_t number, uint8_t flags, uint64_t received_ms, struct vd_buf *out)
{
	struct vd_stored_run run = { 0 };
	int rc = vd_stored_run_add(&run, record, number, 1, flags, received_ms);

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
	rc = vd_stored_encode(record, number, flags, received_ms, &w->value);
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

int vd_stored_flush(struct vd_write *w)
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
		rc = vd_stored_flush(w);
		return rc ? rc : put_whole(w, arrival, record, flags, received_ms);
	}
	rc = vd_author_number(w, record, &number);
	if (!rc)
		rc = vd_stored_run_add(&w->run, record, number, arrival, flags, received_ms);
	if (rc == VD_ECAP) {
		rc = vd_stored_flush(w);
		if (!rc)
			rc = vd_stored_run_add(&w->run, record, number, arrival, flags, received_ms);
	}
	return rc;
}

int vd_stored_put_again(struct vd_write *w, const struct vd_place *place, const struct vd_record *record, uint8_t flags)
{
	int rc = place->alone ? VD_OK : vd_stored_take_apart(w, place->arrival);
	uint32_t number;

	if (!rc && !place->compact)
		return put_whole(w, place->arrival, record, flags, place->received_ms);
	if (!rc)
		rc = vd_author_number(w, record, &number);
	return rc ? rc : put_alone(w, place->arrival, record, number, flags, place->received_ms);
}

/* What stands there, and whose number stays. */
static int put_dropped(struct vd_write *w, uint64_t arrival)
{
	static const struct vd_record nothing;

	return put_whole(w, arrival, &nothing, VD_STORED_DROPPED, 0);
}

static int take_apart(struct vd_write *w)
{
	struct vd_reading *r = &w->reading;
	int rc = VD_OK;

	for (uint64_t at = r->first; at <= r->last && !rc; at++) {
		struct vd_stored stored;

		rc = vd_reading_record(r, at, &stored);
		if (!rc)
			rc = put_alone(w, at, &stored.view, stored.number, stored.flags, stored.received_ms);
		else if (rc == VD_EDAMAGED)
			rc = put_dropped(w, at);
		if (!rc)
			rc = vd_arrivals_add(&w->apart, at, false);
	}
	return rc;
}

/* Once in a transaction, or it would undo what was put since. */
int vd_stored_take_apart(struct vd_write *w, uint64_t arrival)
{
	struct vd_stored stored;
	MDB_txn *txn;
	int rc;

	if (vd_arrivals_held(&w->apart, arrival))
		return VD_OK;
	rc = vd_write_snapshot(w, &txn);
	if (rc)
		return rc;
	rc = vd_stored_get(w->store, txn, arrival, &w->reading, &stored);
	if (rc == VD_ENOTFOUND || (rc == VD_EDAMAGED && w->reading.snapshot))
		rc = VD_OK;
	if (!rc && w->reading.snapshot && w->reading.first < w->reading.last && arrival >= w->reading.first && arrival <= w->reading.last)
		rc = take_apart(w);
	vd_write_snapshot_done(w, txn);
	return rc;
}
