#include "many.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum { PART = 64, PARTS = VD_MANY_AT_ONCE / PART };

struct set {
	const uint64_t *arrivals;
	struct vd_store *store;
	struct vd_many_one ones[VD_MANY_AT_ONCE];
	struct vd_buf bytes[PARTS]; /* of each part's records */
	struct vd_job job;
};

struct vd_many {
	struct vd_workers *workers;
	struct set sets[2];
	size_t now;               /* what was asked for last */
	bool asked;
};

static void read_one(struct set *set, MDB_txn *txn, size_t i, struct vd_reading *reading, struct vd_buf *bytes)
{
	struct vd_many_one *one = &set->ones[i];
	struct vd_stored stored;

	one->err = vd_stored_get(set->store, txn, set->arrivals[i], reading, &stored);
	if (!one->err && (vd_stored_view(&stored, &one->record) || memcmp(one->record.id.b, stored.id.b, VD_ID_BYTES) ||
	                  one->record.stub != (bool)(stored.flags & VD_STORED_STUB)))
		one->err = VD_EDAMAGED;
	if (one->err && one->err != VD_ENOTFOUND && one->err != VD_ENOMEM && one->err != VD_EIO)
		one->err = VD_EDAMAGED;
	if (one->err)
		return;
	one->at = bytes->n;
	one->ext_at = (size_t)(one->record.ext.p - stored.raw.p);
	vd_buf_put_slice(bytes, stored.raw);
	if (vd_buf_check(bytes))
		one->err = VD_ENOMEM;
}

static void point_into(struct vd_record *r, const uint8_t *raw, size_t ext_at)
{
	r->raw.p = r->header.p = raw;
	r->ext.p = raw + ext_at;
	r->signature.p = r->header.p + r->header.n;
	r->body.p = r->signature.p + r->signature.n;
}

/* One part, and nothing but it. */
static void read_part(void *ctx, size_t from, size_t to)
{
	struct set *set = ctx;
	struct vd_reading reading = { 0 };
	struct vd_buf *bytes = &set->bytes[from / PART];
	MDB_txn *txn;
	int rc = vd_db_read(set->store->db, &txn);

	vd_buf_reset(bytes);
	for (size_t i = from; i < to; i++) {
		if (rc)
			set->ones[i].err = rc;
		else
			read_one(set, txn, i, &reading, bytes);
	}
	for (size_t i = from; i < to; i++)
		if (!set->ones[i].err)
			point_into(&set->ones[i].record, bytes->p + set->ones[i].at, set->ones[i].ext_at);
	if (!rc)
		vd_db_done(set->store->db, txn);
	vd_reading_wipe(&reading);
}

int vd_many_new(struct vd_store *s, struct vd_many **out)
{
	struct vd_many *m = calloc(1, sizeof(*m));

	if (!m)
		return VD_ENOMEM;
	m->workers = vd_store_workers(s);
	m->sets[0].store = m->sets[1].store = s;
	*out = m;
	return VD_OK;
}

void vd_many_ask(struct vd_many *m, const uint64_t *arrivals, size_t count)
{
	struct set *set;

	m->now = !m->now;
	m->asked = true;
	set = &m->sets[m->now];
	set->arrivals = arrivals;
	set->job = (struct vd_job){ .work = read_part, .ctx = set, .n = count, .part = PART };
	vd_workers_begin(m->workers, &set->job);
}

const struct vd_many_one *vd_many_take(struct vd_many *m)
{
	struct set *set = &m->sets[m->now];

	vd_workers_finish(m->workers, &set->job);
	m->asked = false;
	return set->ones;
}

void vd_many_free(struct vd_many *m)
{
	if (!m)
		return;
	if (m->asked)
		(void)vd_many_take(m);
	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; k < PARTS; k++)
			vd_buf_wipe(&m->sets[i].bytes[k]);
	free(m);
}
