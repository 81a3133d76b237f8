/* A judged batch becomes durable, and what waited for its control records is tried again. */
#include "inside.h"
#include "judge.h"
#include "pool.h"
#include "proto/err.h"

/* Commits a judged batch; on failure *merge is as it was. */
static int commit_batch(struct vd_store *s, struct vd_group *group, struct vd_batch *batch, bool from_pool, struct vd_tops *tops,
                        struct vd_merge *merge, bool *control_grew)
{
	struct vd_merge counted = *merge;
	struct vd_write *w;
	bool no_room;
	int rc;

	*control_grew = false;
	if (!batch->count)
		return VD_OK;
	rc = vd_write_begin(s, &w);
	if (rc)
		return rc;
	/* Somebody else wrote since. */
	if (tops && w->next != tops->next)
		tops->count = 0;
	rc = vd_merge_into(w, group, batch, from_pool, tops, &counted, control_grew);
	if (rc) {
		if (tops)
			tops->count = 0;
		vd_write_abort(w);
		return rc;
	}
	no_room = w->no_room;
	if (tops)
		tops->next = w->next;
	rc = vd_write_end(w);
	if (!rc)
		*merge = counted;
	else if (tops)
		tops->count = 0;
	return rc || !no_room ? rc : VD_ENOSPACE;
}

void vd_merge_add(struct vd_merge *sum, const struct vd_merge *m)
{
	sum->fresh += m->fresh;
	sum->known += m->known;
	sum->filled += m->filled;
	sum->refused += m->refused;
	sum->pooled += m->pooled;
	sum->declined += m->declined;
	sum->over_share += m->over_share;
	sum->later += m->later;
	sum->gaps += m->gaps;
	for (size_t i = 0; i < sizeof(sum->refused_why) / sizeof(*sum->refused_why); i++)
		sum->refused_why[i] += m->refused_why[i];
	if (m->first_arrival && (!sum->first_arrival || m->first_arrival < sum->first_arrival))
		sum->first_arrival = m->first_arrival;
	if (m->last_arrival > sum->last_arrival)
		sum->last_arrival = m->last_arrival;
}

/* Tries the pool's records of the group again; valid control records are added to it. */
static int pool_retry(struct vd_store *s, struct vd_group *group, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };
	bool control_grew;
	int rc = vd_pool_take(s, vd_group_id(group), &batch);

	if (!rc && batch.count)
		rc = vd_store_judge(s, group, &batch);
	if (!rc && batch.count)
		rc = commit_batch(s, group, &batch, true, NULL, merge, &control_grew);
	vd_batch_deinit(&batch);
	return rc;
}

int vd_pool_retry_alone(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], struct vd_merge *merge)
{
	struct vd_group *own = NULL;
	MDB_stat stat;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_db_err(mdb_stat(txn, vd_db_table(s->db, VD_TABLE_POOL), &stat));
	vd_db_done(s->db, txn);
	if (rc || !stat.ms_entries)
		return rc;
	rc = vd_store_group(s, group, &own);
	if (!rc)
		rc = pool_retry(s, own, merge);
	vd_group_free(own);
	return rc;
}

int vd_store_merge(struct vd_store *s, struct vd_group *group, struct vd_batch *batch, struct vd_merge *merge)
{
	bool control_grew;
	int rc = vd_store_judge(s, group, batch);

	if (!rc)
		rc = commit_batch(s, group, batch, false, NULL, merge, &control_grew);
	if (!rc && control_grew)
		rc = pool_retry(s, group, merge);
	return rc;
}

int vd_store_commit_next(struct vd_store *s, struct vd_group *group, struct vd_batch *batch, struct vd_tops *tops, struct vd_merge *merge)
{
	bool control_grew;
	int rc = commit_batch(s, group, batch, false, tops, merge, &control_grew);

	/* The caller's group may be in use by another thread: the pool is judged with one of its own. The batch
	 * is durable whatever becomes of the pool. */
	if (!rc && control_grew)
		(void)vd_pool_retry_alone(s, vd_group_id(group), merge);
	return rc;
}

int vd_store_commit(struct vd_store *s, struct vd_group *group, struct vd_batch *batch, struct vd_merge *merge)
{
	return vd_store_commit_next(s, group, batch, NULL, merge);
}
