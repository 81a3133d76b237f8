#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bundle.h"
#include "file.h"
#include "proto/err.h"

enum { WELCOME_BYTES_MAX = 64 * 1024 * 1024 };

struct reader {
	int fd;
	uint64_t size;          /* of the file */
	uint64_t chunks;        /* whole ones there */
	bool shaped;            /* a whole file may have that size */
	bool unreadable;        /* the medium refused a part */
	struct vd_unsealer *unsealer;
	uint8_t sealed[VD_CHUNK_BYTES], plain[VD_CHUNK_PLAIN];
};

/* What merging needs besides. */
struct merger {
	struct reader *reader;
	struct vd_store *store;
	struct vd_group *group;
	bool dry_run;
	struct vd_chain_port port;
	struct vd_batch batch;
	struct vd_arrivals *arrivals;
	const struct vd_bundle_notices *notices;
	struct vd_bundle_stats *stats;
};

/* Copies what cannot be read twice to a file without a name: the last head may be needed before the first chunk. */
static int spool(const char *home, int from, int *out)
{
	enum { BLOCK = 64 * 1024 };
	uint8_t *block = malloc(BLOCK);
	char *name = NULL;
	int fd = -1, rc = VD_ENOMEM;
	ssize_t n = 1;

	if (!block || asprintf(&name, "%s/spool.XXXXXX.tmp", home) < 0) {
		name = NULL;
		goto done;
	}
	vd_file_sweep(home, "spool");
	fd = mkostemps(name, 4, O_CLOEXEC);
	rc = fd < 0 ? vd_file_errno(errno) : VD_OK;
	if (fd >= 0)
		unlink(name);
	while (n && !rc) {
		n = read(from, block, BLOCK);
		if (n < 0 && errno != EINTR)
			rc = vd_file_errno(errno);
		for (ssize_t at = 0, step; at < n && !rc; at += step) {
			step = write(fd, block + at, (size_t)(n - at));
			if (step < 0 && errno != EINTR)
				rc = vd_file_errno(errno);
			if (step < 0)
				step = 0;
		}
	}
done:
	free(block);
	free(name);
	if (rc && fd >= 0)
		close(fd);
	else if (!rc)
		*out = fd;
	return rc;
}

static int source_open(struct reader *r, const char *home, const char *path)
{
	bool stream = strcmp(path, "-") == 0;
	int fd = stream ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = VD_OK;
	struct stat st;

	r->fd = -1;
	if (fd < 0 || fstat(fd, &st))
		rc = vd_file_errno(errno);
	else if (S_ISDIR(st.st_mode))
		rc = VD_EINVAL;
	else if (stream || !S_ISREG(st.st_mode))
		/* Opened without blocking so that a pipe nobody writes to cannot hold us; read it as usual. */
		rc = fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) ? vd_file_errno(errno) : spool(home, fd, &r->fd);
	else
		r->fd = fd;
	if (fd >= 0 && fd != r->fd && !stream)
		close(fd);
	if (rc)
		return rc;
	if (fstat(r->fd, &st)) {
		rc = vd_file_errno(errno);
		close(r->fd);
		r->fd = -1;
		return rc;
	}
	r->size = (uint64_t)st.st_size;
	r->shaped = vd_sealed_layout(r->size, &r->chunks);
	return VD_OK;
}

static void reader_close(struct reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	vd_unsealer_free(r->unsealer);
	sodium_memzero(r, sizeof(*r));
	r->fd = -1;
}

/* False when the medium does not give all n bytes back: a scratch, for what lies beside it may be whole. */
static bool read_at(struct reader *r, uint64_t at, uint8_t *out, size_t n)
{
	while (n) {
		ssize_t got = pread(r->fd, out, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->unreadable = true;
			return false;
		}
		out += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

/* Reads the heads once, then tries one opener after the other on them. */
struct heads {
	uint8_t first[VD_HEAD_BYTES], last[VD_HEAD_BYTES];
	bool has_first, has_last;
};

static int read_heads(struct reader *r, struct heads *h)
{
	if (r->size < VD_HEAD_BYTES)
		return VD_EFORMAT;
	h->has_first = read_at(r, 0, h->first, VD_HEAD_BYTES);
	h->has_last = r->shaped && read_at(r, r->size - VD_HEAD_BYTES, h->last, VD_HEAD_BYTES);
	return VD_OK;
}

static int try_open(struct reader *r, const struct heads *h, const struct vd_opener *with)
{
	return vd_unsealer_new(vd_slice(h->first, h->has_first ? VD_HEAD_BYTES : 0),
	                       vd_slice(h->last, h->has_last ? VD_HEAD_BYTES : 0), with, &r->unsealer);
}

static int try_group(struct reader *r, const struct heads *h, struct vd_group *group, bool links_only)
{
	size_t count = vd_group_epoch_count(group);
	uint8_t *links = calloc(count + 1, VD_KEY_BYTES);
	struct vd_opener with = { .links = links, .link_count = count, .identity = links_only ? NULL : vd_group_identity(group) };
	int rc;

	if (!links)
		return VD_ENOMEM;
	for (size_t i = 0; i < count; i++)
		memcpy(links + i * VD_KEY_BYTES, vd_group_epoch_keys(group, i)->key[VD_KEY_LINK], VD_KEY_BYTES);
	rc = try_open(r, h, &with);
	sodium_memzero(links, count * VD_KEY_BYTES);
	free(links);
	return rc;
}

/* Opens chunk i into r->plain and starts on its entries. The manifest, if it is there, is decoded. */
static int open_chunk(struct reader *r, uint64_t i, struct vd_manifest *manifest, bool *is_last, struct vd_rd *entries)
{
	struct vd_slice bytes;
	uint8_t type;

	if (!read_at(r, VD_HEAD_BYTES + i * VD_CHUNK_BYTES, r->sealed, VD_CHUNK_BYTES))
		return VD_ESIGNATURE;
	if (vd_unsealer_chunk(r->unsealer, i, r->sealed, r->plain, is_last))
		return VD_ESIGNATURE;
	*entries = vd_rd(vd_slice(r->plain, VD_CHUNK_PLAIN));
	if (i > 0)
		return VD_OK;
	if (vd_chunk_entry(entries, &type, &bytes) || type != VD_ENTRY_MANIFEST)
		return VD_EFORMAT;
	return vd_unsealer_manifest(r->unsealer, bytes, manifest);
}

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

	while ((rc = vd_chunk_entry(entries, &type, &bytes)) == VD_OK) {
		if ((type == VD_ENTRY_DAMAGED || type == VD_ENTRY_REPLACED) && bytes.n == VD_SEGMENT_ID_BYTES && m->notices)
			m->notices->take(m->notices->ctx, type, bytes.p);
		if (type != VD_ENTRY_RECORD)
			continue;
		m->stats->records++;
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
	struct reader *r = m->reader;
	struct vd_bundle_stats *stats = m->stats;
	struct vd_manifest *manifest = &stats->manifest;
	uint64_t chunks = r->chunks;
	bool ended = false;
	int rc = VD_OK;

	for (uint64_t i = 0; i < chunks && !rc && !ended; i++) {
		struct vd_rd entries;
		bool is_last;

		rc = open_chunk(r, i, manifest, &is_last, &entries);
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

		rc = open_chunk(m->reader, chunks, &again.manifest, &is_last, &entries);
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

static int open_for_groups(struct reader *r, const struct vd_bundle_groups *groups, bool links_only, size_t *place)
{
	struct heads heads = { 0 };
	int rc = read_heads(r, &heads);

	if (rc)
		return rc;
	if (!heads.has_first && !heads.has_last)
		return VD_EIO;
	rc = VD_EKEY;
	for (size_t i = 0; i < groups->count && rc == VD_EKEY; i++) {
		rc = try_group(r, &heads, groups->group[i], links_only);
		*place = i;
	}
	return rc;
}

int vd_bundle_merge_into(struct vd_store *store, struct vd_bundle_groups *groups, const char *path, bool dry_run,
                         struct vd_arrivals *arrivals, const struct vd_bundle_notices *notices, struct vd_bundle_stats *stats)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct merger m = {
		.reader = r, .store = store, .dry_run = dry_run, .arrivals = arrivals, .notices = notices, .stats = stats,
	};
	struct vd_port port;
	size_t place;
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	if (!r)
		return VD_ENOMEM;
	vd_store_port(store, &port);
	m.port = (struct vd_chain_port){ .ctx = port.ctx, .vouched = port.vouched };
	rc = source_open(r, vd_store_home(store), path);
	if (rc)
		goto done;
	stats->bytes = r->size;
	rc = open_for_groups(r, groups, false, &place);
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
	reader_close(r);
	free(r);
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
	struct reader *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return VD_ENOMEM;
	rc = source_open(r, vd_store_home(store), path);
	if (!rc)
		rc = open_for_groups(r, groups, true, place);
	reader_close(r);
	free(r);
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

static int open_welcome(struct vd_store *store, struct reader *r)
{
	struct vd_bundle_groups groups;
	struct vd_identity next;
	struct vd_opener with = { .identity = &next };
	struct heads heads = { 0 };
	int rc = read_heads(r, &heads);

	if (!rc)
		rc = vd_store_next_identity(store, &next);
	if (rc)
		return rc;
	rc = try_open(r, &heads, &with);
	vd_identity_wipe(&next);
	if (rc != VD_EKEY)
		return rc;
	/* A welcome that was used already is still ours: joining says so. */
	rc = vd_bundle_groups_load(store, &groups);
	if (!rc)
		rc = VD_EKEY;
	for (size_t i = 0; i < groups.count && rc == VD_EKEY; i++) {
		with.identity = vd_group_identity(groups.group[i]);
		rc = try_open(r, &heads, &with);
	}
	vd_bundle_groups_free(&groups);
	return rc;
}

static int take_welcome(struct reader *r, struct vd_manifest *manifest, struct vd_batch *control)
{
	int rc = VD_OK;

	if (r->chunks == 0)
		return VD_ETORN;
	for (uint64_t i = 0; i < r->chunks && !rc; i++) {
		struct vd_slice bytes;
		struct vd_rd entries;
		uint8_t type;
		bool is_last;

		rc = open_chunk(r, i, manifest, &is_last, &entries);
		if (!rc && i == 0 && (manifest->what != VD_SEALED_WELCOME || r->size > WELCOME_BYTES_MAX))
			return VD_EFORMAT;
		if (!rc && i == 0 && r->size < vd_sealed_bytes(manifest->chunks))
			return VD_ETORN;
		if (rc == VD_ESIGNATURE || (!rc && is_last != (i + 1 == manifest->chunks)))
			return VD_EDAMAGED;
		while (!rc && (rc = vd_chunk_entry(&entries, &type, &bytes)) == VD_OK)
			if (type == VD_ENTRY_RECORD)
				rc = vd_batch_add(control, bytes);
		if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	if (!rc && !(manifest->first_head_ok && manifest->last_head_ok))
		rc = VD_EDAMAGED;
	return rc;
}

int vd_welcome_read(struct vd_store *store, const char *path, uint8_t group[VD_GROUP_BYTES], uint8_t grant[VD_ID_BYTES],
                    struct vd_batch *control)
{
	struct reader *r = calloc(1, sizeof(*r));
	struct vd_manifest manifest = { 0 };
	int rc;

	if (!r)
		return VD_ENOMEM;
	rc = source_open(r, vd_store_home(store), path);
	if (!rc)
		rc = open_welcome(store, r);
	if (!rc)
		rc = take_welcome(r, &manifest, control);
	if (!rc) {
		memcpy(group, manifest.group, VD_GROUP_BYTES);
		memcpy(grant, manifest.grant, VD_ID_BYTES);
	} else {
		vd_batch_reset(control);
	}
	reader_close(r);
	free(r);
	return rc;
}
