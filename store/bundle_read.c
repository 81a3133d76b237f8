#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "bundle_open.h"
#include "inside.h"
#include "judge.h"
#include "proto/err.h"

enum { UNPROVED_KEPT = 256 };

/* What merging needs besides. */
struct merger {
	struct vd_sealed_file *reader;
	struct vd_store *store;
	struct vd_group *group;
	bool dry_run;
	struct vd_bulk *bulk;
	struct vd_batch *batch;      /* its */
	bool control_ended;          /* a record of another lane came */
	bool backwards;              /* what is judged must be vouched for by what came before */
	struct vd_merge merge;       /* what the bulk made of it */
	struct vd_record *unproved;  /* the first of those whose signature did not hold; what they borrow is gone */
	size_t unproved_count;
	struct vd_arrivals *arrivals;
	struct vd_buf receipts;      /* u32 length and bytes of each */
	size_t receipt_count;
	const struct vd_bundle_notices *notices;
	const struct vd_bundle_watch *watch;
	struct vd_bundle_stats *stats;
};

/* What would become of a batch. */
static int count_dry(struct vd_store *store, struct vd_group *group, struct vd_batch *batch, struct vd_merge *merge)
{
	struct vd_buf raw = { 0 };
	int rc = vd_store_judge(store, group, batch);

	for (size_t i = 0; i < batch->count && !rc; i++) {
		const struct vd_batch_entry *e = &batch->entries[i];
		struct vd_record ours;
		uint64_t arrival, received_ms;
		int known;

		if (e->verdict) {
			merge->pooled += e->verdict == VD_EAUTHOR;
			merge->refused += e->verdict != VD_EAUTHOR;
			merge->refused_why[-e->verdict]++;
			continue;
		}
		known = vd_store_find(store, &e->record.id, &arrival);
		if (known == VD_ENOTFOUND) {
			merge->fresh++;
			continue;
		}
		rc = known ? known : vd_store_read(store, arrival, &raw, &ours, &received_ms);
		if (!rc && ours.stub && !e->record.stub)
			merge->filled++;
		else
			merge->known++;
	}
	vd_buf_deinit(&raw);
	return rc;
}

int vd_batch_merge(struct vd_store *store, struct vd_group *group, struct vd_batch *batch, bool dry_run, struct vd_merge *merge)
{
	return dry_run ? count_dry(store, group, batch, merge) : vd_store_merge(store, group, batch, merge);
}

static int note_unproved(struct merger *m, const struct vd_record *record)
{
	if (!m->unproved)
		m->unproved = calloc(UNPROVED_KEPT, sizeof(*m->unproved));
	if (!m->unproved)
		return VD_ENOMEM;
	if (m->unproved_count < UNPROVED_KEPT)
		m->unproved[m->unproved_count++] = *record;
	return VD_OK;
}

/* Remembers what of the batch is in our set now, and what is not for want of proof. */
static int note_stored(void *ctx, const struct vd_batch *batch)
{
	struct merger *m = ctx;
	int rc = VD_OK;

	for (size_t i = 0; i < batch->count && !rc; i++) {
		const struct vd_batch_entry *e = &batch->entries[i];
		uint64_t arrival = e->arrival;

		if (e->verdict == VD_ESIGNATURE)
			rc = note_unproved(m, &e->record);
		if (e->verdict || !m->arrivals)
			continue;
		if (!arrival)
			rc = vd_store_find(m->store, &e->record.id, &arrival);
		if (!rc)
			rc = vd_arrivals_add(m->arrivals, arrival, e->record.stub);
		else if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	return rc;
}

static int flush_dry(struct merger *m)
{
	int rc = count_dry(m->store, m->group, m->batch, &m->stats->merge);

	if (!rc)
		rc = note_stored(m, m->batch);
	vd_batch_reset(m->batch);
	return rc;
}

/* Control records stand first and must be committed before anything behind them is judged, so they go alone: while the others are
 * committed the next are judged. Once a file, whatever it holds. */
static bool control_ends(struct merger *m)
{
	const struct vd_batch *batch = m->batch;

	if (m->control_ended || batch->entries[batch->count - 1].record.lane == VD_LANE_CONTROL)
		return false;
	m->control_ended = true;
	return batch->count > 1;
}

static int push_if_full(struct merger *m)
{
	bool full = m->batch->count >= VD_BULK_RECORDS || m->batch->bytes.n >= VD_BULK_BYTES || (m->batch->count && control_ends(m));

	if (!full)
		return VD_OK;
	return m->dry_run ? flush_dry(m) : m->backwards ? vd_bulk_flush(m->bulk) : vd_bulk_push(m->bulk);
}

/* Does it count? */
static bool take_receipt(struct merger *m, struct vd_slice bytes)
{
	struct vd_receipt r;

	if (m->backwards || vd_receipt_decode(bytes, &r) || m->receipt_count == VD_BUNDLE_RECEIPTS ||
	    m->receipts.n + bytes.n > VD_BUNDLE_RECEIPT_BYTES)
		return false;
	vd_buf_put_u32(&m->receipts, (uint32_t)bytes.n);
	vd_buf_put_slice(&m->receipts, bytes);
	m->receipt_count++;
	if (m->notices && m->notices->take_receipt)
		m->notices->take_receipt(m->notices->ctx, bytes);
	return true;
}

/* Whose devices made them the file's own control records may have said. */
static int keep_receipts(struct merger *m, const struct vd_route *route)
{
	const struct vd_route file = { .kind = VD_ROUTE_FILE };
	struct vd_slice *list = calloc(m->receipt_count + 1, sizeof(*list));
	struct vd_rd r = vd_rd(vd_buf_slice(&m->receipts));
	int rc = list && !m->receipts.failed ? VD_OK : VD_ENOMEM;

	for (size_t i = 0; i < m->receipt_count && !rc; i++)
		list[i] = vd_rd_take(&r, vd_rd_u32(&r));
	if (!rc && m->receipt_count)
		rc = vd_custody_keep(m->store, m->group, list, m->receipt_count, route ? route : &file, vd_now_ms(), NULL);
	free(list);
	/* Where the medium takes nothing more the records are what counts; receipts come again. */
	return rc == VD_ENOSPACE || rc == VD_EDENIED ? VD_OK : rc;
}

static int take_entries(struct merger *m, struct vd_rd *entries)
{
	struct vd_merge *merge = &m->stats->merge;
	struct vd_slice bytes;
	uint8_t type;
	int rc, added;

	while ((rc = vd_unsealed_entry(entries, &type, &bytes, &added)) == VD_OK) {
		if ((type == VD_ENTRY_DAMAGED || type == VD_ENTRY_REPLACED) && bytes.n == VD_SEGMENT_ID_BYTES && m->notices)
			m->notices->take(m->notices->ctx, type, bytes.p);
		if (type == VD_ENTRY_FOR && bytes.n == VD_KEY_BYTES && m->notices && m->notices->take_for)
			m->notices->take_for(m->notices->ctx, bytes.p);
		if (type == VD_ENTRY_HEARING && m->notices && m->notices->take_hearing)
			m->notices->take_hearing(m->notices->ctx, bytes);
		m->stats->beside += type != VD_ENTRY_RECEIPT || !take_receipt(m, bytes);
		/* The first is its own; one that makes no sense is none. */
		if (type == VD_ENTRY_VOLUME && m->stats->volume.count == 0 && vd_volume_decode(bytes, &m->stats->volume))
			continue;
		if (type != VD_ENTRY_RECORD)
			continue;
		m->stats->records++;
		if (!added)
			added = vd_batch_add(m->batch, bytes);
		if (added == VD_ENOMEM)
			return added;
		if (added) {
			merge->refused++;
			merge->refused_why[-added]++;
		}
		rc = push_if_full(m);
		if (rc)
			return rc;
	}
	if (rc == VD_ENOTFOUND)
		return VD_OK;
	/* Sealed by someone with the key, and yet no run of entries: what came before it counts. */
	merge->refused++;
	merge->refused_why[-VD_EFORMAT]++;
	return VD_OK;
}

static int first_pass(struct merger *m)
{
	struct vd_sealed_file *r = m->reader;
	struct vd_bundle_stats *stats = m->stats;
	struct vd_manifest *manifest = &stats->manifest;
	uint64_t chunks = r->chunks;
	bool ended = false;
	int rc = VD_OK;

	for (uint64_t i = 0; i < chunks && !rc && !ended; i++) {
		struct vd_rd entries;
		bool is_last;

		if (m->watch)
			m->watch->tell(m->watch->ctx, i * VD_CHUNK_BYTES, r->size, stats->records);
		rc = vd_sealed_file_chunk(r, i, manifest, &is_last, &entries);
		if (rc == VD_ESIGNATURE || (!rc && manifest->chunks && is_last != (i + 1 == manifest->chunks))) {
			stats->chunks_bad++;
			stats->bytes_bad += VD_CHUNK_BYTES;
			rc = VD_OK;
			continue;
		}
		if (!rc && i == 0) {
			if (memcmp(manifest->group, vd_group_id(m->group), VD_GROUP_BYTES) != 0)
				rc = VD_EGROUP;
			else if (chunks > manifest->chunks)
				chunks = manifest->chunks;
		}
		if (rc)
			return rc;
		stats->chunks_ok++;
		ended = is_last;
		rc = take_entries(m, &entries);
	}
	if (!rc)
		rc = m->dry_run ? flush_dry(m) : vd_bulk_flush(m->bulk);
	if (manifest->chunks) {
		stats->torn = r->size < vd_sealed_bytes(manifest->chunks);
		stats->head_bad = !manifest->first_head_ok || (!stats->torn && !manifest->last_head_ok);
	} else {
		stats->torn = !r->shaped || !ended;
	}
	return rc;
}

/* Does what came later vouch for any of those that were refused for their signature? */
static bool is_vouched_now(const struct merger *m)
{
	/* Of more than are kept nobody knows. */
	bool any = m->unproved_count == UNPROVED_KEPT;

	for (size_t i = 0; i < m->unproved_count && !any; i++)
		any = vd_vouched(m->store, &m->unproved[i]);
	return any;
}

/* A record whose own signature fails may be vouched for by a successor that came in a later batch. Backwards, every successor is
 * stored before what it vouches for: once is enough. */
static int second_pass(struct merger *m)
{
	struct vd_bundle_stats *stats = m->stats, again = { 0 };
	uint64_t chunks = m->reader->chunks, *refused = &stats->merge.refused_why[-VD_ESIGNATURE];
	struct vd_merge *merge = &m->merge;
	int rc = VD_OK;

	if (stats->manifest.chunks && chunks > stats->manifest.chunks)
		chunks = stats->manifest.chunks;
	m->stats = &again;
	m->backwards = true;
	*merge = (struct vd_merge){ 0 };
	while (chunks-- && !rc) {
		struct vd_rd entries;
		bool is_last;

		rc = vd_sealed_file_chunk(m->reader, chunks, &again.manifest, &is_last, &entries);
		if (!rc)
			rc = take_entries(m, &entries);
		else if (rc == VD_ESIGNATURE)
			rc = VD_OK;
	}
	if (!rc)
		rc = vd_bulk_flush(m->bulk);
	m->stats = stats;
	if (merge->fresh > *refused)
		merge->fresh = *refused;
	stats->merge.refused -= merge->fresh;
	*refused -= merge->fresh;
	*merge = (struct vd_merge){ .fresh = merge->fresh, .first_arrival = merge->first_arrival, .last_arrival = merge->last_arrival };
	vd_merge_add(&stats->merge, merge);
	return rc;
}

int vd_bundle_merge_into(struct vd_store *store, struct vd_bundle_groups *groups, const char *path, bool dry_run,
                         struct vd_arrivals *arrivals, const struct vd_bundle_notices *notices, struct vd_bundle_stats *stats)
{
	struct vd_sealed_file *r = NULL;
	struct merger m = {
		.store = store, .dry_run = dry_run, .arrivals = arrivals, .notices = notices, .watch = groups->watch, .stats = stats,
	};
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	rc = vd_sealed_file_open(vd_store_home(store), path, &r);
	if (rc)
		goto done;
	m.reader = r;
	rc = vd_sealed_file_try_groups(r, store, groups, &stats->key);
	stats->bytes = r->size;
	stats->at_reserve = r->at_reserve;
	if (rc)
		goto done;
	stats->group = m.group = groups->group[stats->key.place];
	rc = vd_bulk_begin(store, m.group, &m.merge, note_stored, &m, &m.bulk);
	if (rc)
		goto done;
	m.batch = vd_bulk_batch(m.bulk);
	rc = first_pass(&m);
	vd_bulk_idle(m.bulk);
	vd_merge_add(&stats->merge, &m.merge);
	if (!rc && !dry_run && is_vouched_now(&m))
		rc = second_pass(&m);
	if (!rc && !dry_run)
		rc = keep_receipts(&m, groups->route);
	if (rc)
		goto done;
	if (r->unreadable && stats->chunks_ok == 0)
		rc = VD_EIO;
	else if (stats->chunks_bad || stats->head_bad)
		rc = VD_EDAMAGED;
	else if (stats->torn)
		rc = VD_ETORN;
done:
	vd_bulk_end(m.bulk);
	free(m.unproved);
	vd_buf_deinit(&m.receipts);
	vd_sealed_file_close(r);
	return rc;
}

int vd_bundle_merge(struct vd_store *store, const char *path, bool dry_run, struct vd_arrivals *arrivals, struct vd_bundle_stats *stats)
{
	struct vd_bundle_groups groups;
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	rc = vd_bundle_groups_load(store, &groups);
	if (!rc)
		rc = vd_bundle_merge_into(store, &groups, path, dry_run, arrivals, NULL, stats);
	stats->group = NULL;
	vd_bundle_groups_free(&groups);
	return rc;
}

int vd_bundle_whose(struct vd_store *store, const struct vd_bundle_groups *groups, const char *path,
                    struct vd_bundle_key *key)
{
	struct vd_sealed_file *r = NULL;
	int rc = vd_sealed_file_open(vd_store_home(store), path, &r);

	if (!rc)
		rc = vd_sealed_file_try_groups(r, store, groups, key);
	vd_sealed_file_close(r);
	return rc;
}

int vd_bundle_heads(const char *path, struct vd_bundle_key *key)
{
	struct vd_sealed_file *r = NULL;
	int rc = vd_sealed_file_open("", path, &r);

	if (!rc)
		rc = vd_sealed_file_heads(r, key);
	vd_sealed_file_close(r);
	return rc;
}

bool vd_bundle_same_heads(const struct vd_bundle_key *noted, const struct vd_bundle_key *found)
{
	bool known = false, same = false;

	for (int i = 0; i < 2; i++) {
		if (sodium_is_zero(noted->heads[i], VD_BUNDLE_HEAD_NOTED) || sodium_is_zero(found->heads[i], VD_BUNDLE_HEAD_NOTED))
			continue;
		known = true;
		same |= memcmp(noted->heads[i], found->heads[i], VD_BUNDLE_HEAD_NOTED) == 0;
	}
	return same || !known;
}

int vd_bundle_groups_load(struct vd_store *store, struct vd_bundle_groups *out)
{
	uint8_t ids[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc;

	*out = (struct vd_bundle_groups){ 0 };
	rc = vd_store_groups(store, ids, &count);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = vd_store_group(store, ids[i], &out->group[i]);
		out->count += !rc;
	}
	return rc;
}

void vd_bundle_groups_free(struct vd_bundle_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		vd_group_free(groups->group[i]);
	groups->count = 0;
}
