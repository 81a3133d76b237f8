#include <string.h>

#include "bundle_open.h"
#include "proto/err.h"

/* What merging needs besides. */
struct merger {
	struct vd_sealed_file *reader;
	struct vd_store *store;
	struct vd_group *group;
	bool dry_run;
	struct vd_chain_port port;
	struct vd_batch batch;
	struct vd_arrivals *arrivals;
	const struct vd_bundle_notices *notices;
	struct vd_bundle_stats *stats;
};

static int count_dry(struct merger *m)
{
	struct vd_merge *merge = &m->stats->merge;
	struct vd_buf raw = { 0 };
	int rc = vd_chain_verify(&m->batch, m->group, &m->port, NULL);

	for (size_t i = 0; i < m->batch.count && !rc; i++) {
		const struct vd_batch_entry *e = &m->batch.entries[i];
		struct vd_record ours;
		uint64_t arrival, received_ms;
		int known;

		if (e->verdict) {
			merge->pooled += e->verdict == VD_EAUTHOR;
			merge->refused += e->verdict != VD_EAUTHOR;
			merge->refused_why[-e->verdict]++;
			continue;
		}
		known = vd_store_find(m->store, &e->record.id, &arrival);
		if (known == VD_ENOTFOUND) {
			merge->fresh++;
			continue;
		}
		rc = known ? known : vd_store_read(m->store, arrival, &raw, &ours, &received_ms);
		if (!rc && ours.stub && !e->record.stub)
			merge->filled++;
		else
			merge->known++;
	}
	vd_buf_deinit(&raw);
	return rc;
}

/* Remembers what of the batch is in our set now. */
static int note_arrivals(struct merger *m)
{
	uint64_t arrival;
	int rc = VD_OK;

	for (size_t i = 0; m->arrivals && i < m->batch.count && !rc; i++) {
		const struct vd_batch_entry *e = &m->batch.entries[i];

		if (e->verdict)
			continue;
		rc = vd_store_find(m->store, &e->record.id, &arrival);
		if (!rc)
			rc = vd_arrivals_add(m->arrivals, arrival, e->record.stub);
		else if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	return rc;
}

static int flush(struct merger *m)
{
	int rc;

	if (m->batch.count == 0)
		return VD_OK;
	if (m->dry_run)
		rc = count_dry(m);
	else
		rc = vd_store_merge(m->store, m->group, &m->batch, &m->stats->merge);
	if (!rc)
		rc = note_arrivals(m);
	vd_batch_reset(&m->batch);
	return rc;
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
		if (type != VD_ENTRY_RECORD)
			continue;
		m->stats->records++;
		if (!added)
			added = vd_batch_add(&m->batch, bytes);
		if (added == VD_ENOMEM)
			return added;
		if (added) {
			merge->refused++;
			merge->refused_why[-added]++;
		}
		if (m->batch.count >= VD_BATCH_RECORDS || m->batch.bytes.n >= VD_BATCH_BYTES) {
			rc = flush(m);
			if (rc)
				return rc;
		}
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
		rc = flush(m);
	if (manifest->chunks) {
		stats->torn = r->size < vd_sealed_bytes(manifest->chunks);
		stats->head_bad = !manifest->first_head_ok || (!stats->torn && !manifest->last_head_ok);
	} else {
		stats->torn = !r->shaped || !ended;
	}
	return rc;
}

/* A record whose own signature fails may be vouched for by a successor that came in a later batch. Backwards, every successor is
 * stored before what it vouches for: once is enough. */
static int second_pass(struct merger *m)
{
	struct vd_bundle_stats *stats = m->stats, again = { 0 };
	uint64_t chunks = m->reader->chunks, *refused = &stats->merge.refused_why[-VD_ESIGNATURE];
	int rc = VD_OK;

	if (stats->manifest.chunks && chunks > stats->manifest.chunks)
		chunks = stats->manifest.chunks;
	m->stats = &again;
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
		rc = flush(m);
	m->stats = stats;
	if (again.merge.fresh > *refused)
		again.merge.fresh = *refused;
	stats->merge.fresh += again.merge.fresh;
	stats->merge.refused -= again.merge.fresh;
	*refused -= again.merge.fresh;
	if (again.merge.fresh && again.merge.last_arrival > stats->merge.last_arrival)
		stats->merge.last_arrival = again.merge.last_arrival;
	if (again.merge.fresh && !stats->merge.first_arrival)
		stats->merge.first_arrival = again.merge.first_arrival;
	return rc;
}

int vd_bundle_merge_into(struct vd_store *store, struct vd_bundle_groups *groups, const char *path, bool dry_run,
                         struct vd_arrivals *arrivals, const struct vd_bundle_notices *notices, struct vd_bundle_stats *stats)
{
	struct vd_sealed_file *r = NULL;
	struct merger m = {
		.store = store, .dry_run = dry_run, .arrivals = arrivals, .notices = notices, .stats = stats,
	};
	struct vd_port port;
	size_t place;
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	vd_store_port(store, &port);
	m.port = (struct vd_chain_port){ .ctx = port.ctx, .vouched = port.vouched };
	rc = vd_sealed_file_open(vd_store_home(store), path, &r);
	if (rc)
		goto done;
	m.reader = r;
	stats->bytes = r->size;
	rc = vd_sealed_file_try_groups(r, store, groups, &place);
	if (rc)
		goto done;
	stats->group = m.group = groups->group[place];
	rc = first_pass(&m);
	if (!rc && !dry_run && stats->merge.refused_why[-VD_ESIGNATURE])
		rc = second_pass(&m);
	if (rc)
		goto done;
	if (r->unreadable && stats->chunks_ok == 0)
		rc = VD_EIO;
	else if (stats->chunks_bad || stats->head_bad)
		rc = VD_EDAMAGED;
	else if (stats->torn)
		rc = VD_ETORN;
done:
	vd_batch_deinit(&m.batch);
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

int vd_bundle_whose(struct vd_store *store, const struct vd_bundle_groups *groups, const char *path, size_t *place)
{
	struct vd_sealed_file *r = NULL;
	int rc = vd_sealed_file_open(vd_store_home(store), path, &r);

	if (!rc)
		rc = vd_sealed_file_try_groups(r, store, groups, place);
	vd_sealed_file_close(r);
	return rc;
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
