#include "link_stick.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/bundle.h"
#include "store/file.h"

enum {
	NAME_RANDOM = 16,
	NAME_LENGTH = 2 * NAME_RANDOM + 4, /* hex and ".bin" */
	SEGMENT_BYTES = 16 * 1024 * 1024,  /* an interrupted visit loses one; alerts are on the stick before the next is begun */
	SLACK_BYTES = 256 * 1024,          /* left free: folder entries, clusters of 64 KiB */
};

/* A segment that could not be taken whole: more may be taken when what its records build on has come. */
struct pending {
	char name[NAME_LENGTH + 1];
	struct pending *next;
};

struct visit {
	struct vd_store *store;
	struct vd_bundle_groups groups;
	const char *dir;
	char *cache;
	struct vd_arrivals stick;    /* of our records, what the stick holds */
	struct pending *pending;
	struct vd_stick_result *result;
};

static bool is_segment(int folder, const char *name, struct stat *st)
{
	return strlen(name) == NAME_LENGTH && strspn(name, "0123456789abcdef") == 2 * NAME_RANDOM &&
	       strcmp(name + 2 * NAME_RANDOM, ".bin") == 0 && fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

/* Does this store know what the segment holds? A file that was cut since is read again. */
static int recall(struct visit *v, const char *name, uint64_t size, uint64_t latest, bool *known)
{
	struct vd_buf list = { 0 };
	uint64_t chunks;
	int rc;

	*known = false;
	rc = vd_sealed_layout(size, &chunks) ? vd_store_segment_known(v->store, name, &list) : VD_ENOTFOUND;
	if (!rc)
		rc = vd_arrivals_decode(&v->stick, vd_buf_slice(&list), latest);
	*known = !rc;
	vd_buf_deinit(&list);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* Adds what a segment holds to what the stick holds; remembers it for the next visit. */
static int account(struct visit *v, const char *name, const struct vd_arrivals *holds, bool learn)
{
	struct vd_buf list = { 0 };
	int rc = vd_arrivals_encode(holds, &list);

	if (!rc)
		rc = vd_arrivals_decode(&v->stick, vd_buf_slice(&list), UINT64_MAX);
	if (!rc && learn)
		rc = vd_store_segment_learn(v->store, name, vd_buf_slice(&list));
	vd_buf_deinit(&list);
	return rc;
}

static char *path_of(const struct visit *v, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", v->cache, name) < 0 ? NULL : path;
}

static int take_segment(struct visit *v, const char *name, struct vd_bundle_stats *stats)
{
	struct vd_arrivals holds = { 0 };
	char *path = path_of(v, name);
	bool whole;
	int rc, accounted;

	if (!path)
		return VD_ENOMEM;
	rc = vd_bundle_merge_into(v->store, &v->groups, path, false, &holds, stats);
	free(path);
	v->result->received += stats->merge.fresh + stats->merge.filled;
	/* Known from now on only when nothing on it could become ours later. */
	whole = !rc && !stats->merge.pooled && !stats->merge.refused_why[-VD_EAUTHOR] && !stats->merge.refused_why[-VD_ESIGNATURE];
	accounted = account(v, name, &holds, whole);
	vd_arrivals_deinit(&holds);
	return accounted ? accounted : rc;
}

static int remember(struct visit *v, const char *name)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return VD_ENOMEM;
	memcpy(p->name, name, NAME_LENGTH);
	p->next = v->pending;
	v->pending = p;
	return VD_OK;
}

static int read_segment(struct visit *v, const char *name)
{
	struct vd_bundle_stats stats;
	struct vd_stick_result *result = v->result;
	int rc = take_segment(v, name, &stats);

	switch (rc) {
	case VD_OK:
		result->segments_read++;
		break;
	case VD_EKEY:
	case VD_EGROUP:
	case VD_EVERSION:
		result->segments_foreign++;
		return VD_OK;
	case VD_ENOTFOUND:
		return VD_OK;
	case VD_EFORMAT: /* shorter than a head */
	case VD_ETORN:
		result->segments_torn++;
		break;
	case VD_EDAMAGED:
		result->segments_bad++;
		break;
	case VD_EIO:
		/* One that cannot be read must not keep us from the others; a store that fails has taken records in. */
		if (stats.records)
			return rc;
		result->segments_bad++;
		return VD_OK;
	default:
		return rc;
	}
	result->bytes_in += stats.bytes;
	if (stats.merge.pooled || stats.merge.refused_why[-VD_EAUTHOR] || stats.merge.refused_why[-VD_ESIGNATURE])
		return remember(v, name);
	return VD_OK;
}

/* Segments come in no order: one may hold the grant that the records of another wait for. Each turn through those that wait must
 * bring something. */
static int read_pending(struct visit *v)
{
	uint64_t before;

	do {
		before = v->result->received;
		for (struct pending **p = &v->pending; *p;) {
			struct pending *done = *p;
			struct vd_bundle_stats stats;
			int rc = take_segment(v, done->name, &stats);

			if (rc && rc != VD_ETORN && rc != VD_EDAMAGED)
				return rc;
			if (stats.merge.pooled || stats.merge.refused_why[-VD_EAUTHOR] || stats.merge.refused_why[-VD_ESIGNATURE]) {
				p = &done->next;
				continue;
			}
			*p = done->next;
			free(done);
		}
	} while (v->pending && v->result->received > before);
	return VD_OK;
}

static int read_stick(struct visit *v)
{
	DIR *dir = opendir(v->cache);
	struct dirent *entry;
	uint64_t latest;
	int rc;

	if (!dir)
		return errno == ENOENT ? VD_OK : vd_file_errno(errno);
	rc = vd_store_latest(v->store, &latest);
	errno = 0;
	while (!rc && (entry = readdir(dir))) {
		struct stat st;
		bool known = false;

		if (is_segment(dirfd(dir), entry->d_name, &st)) {
			rc = recall(v, entry->d_name, (uint64_t)st.st_size, latest, &known);
			if (!rc && !known)
				rc = read_segment(v, entry->d_name);
		}
		errno = 0;
	}
	if (!rc && errno)
		rc = vd_file_errno(errno);
	closedir(dir);
	return rc ? rc : read_pending(v);
}

/* Appends the arrival numbers of our records that the stick lacks, or of whose body it lacks and we have. */
static int find_lacking(struct visit *v, struct vd_buf *out)
{
	struct vd_buf raw = { 0 };
	uint64_t latest, at = 0;
	int rc = vd_store_latest(v->store, &latest);

	vd_buf_reset(out);
	while (!rc && (at = vd_arrivals_next_lacking(&v->stick, at, latest))) {
		bool skip = false;

		if (vd_arrivals_held(&v->stick, at)) {
			struct vd_record record;
			uint64_t received_ms;

			rc = vd_store_read(v->store, at, &raw, &record, &received_ms);
			skip = rc || record.stub;
		}
		if (!skip)
			vd_buf_put(out, &at, sizeof(at));
		if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	vd_buf_deinit(&raw);
	return rc ? rc : vd_buf_check(out);
}

static int write_segment(struct visit *v, struct vd_group *group, const struct vd_buf *lacking, uint64_t max_bytes,
                         struct vd_bundle_stats *stats)
{
	struct vd_arrivals written = { 0 };
	const struct vd_bundle_choice choice = {
		.arrivals = (const uint64_t *)(const void *)lacking->p, .count = lacking->n / sizeof(uint64_t),
		.max_bytes = max_bytes, .written = &written,
	};
	uint8_t random[NAME_RANDOM];
	char name[NAME_LENGTH + 1], *path;
	int rc;

	randombytes_buf(random, sizeof(random));
	vd_hex(name, random, sizeof(random));
	memcpy(name + 2 * NAME_RANDOM, ".bin", 5);
	path = path_of(v, name);
	rc = path ? vd_bundle_write(v->store, group, VD_SEALED_SEGMENT, &choice, path, true, stats) : VD_ENOMEM;
	free(path);
	/* The medium gave back other bytes than it was given. */
	if (rc == VD_EDAMAGED)
		rc = VD_EIO;
	if (!rc) {
		v->result->sent += stats->records;
		v->result->bytes_out += stats->bytes;
		rc = account(v, name, &written, true);
	}
	vd_arrivals_deinit(&written);
	return rc;
}

static int free_bytes(const char *folder, uint64_t *out)
{
	struct statvfs fs;

	if (statvfs(folder, &fs))
		return vd_file_errno(errno);
	*out = (uint64_t)fs.f_bavail * fs.f_frsize;
	*out = *out > SLACK_BYTES ? *out - SLACK_BYTES : 0;
	return VD_OK;
}

/* One segment a group and turn, so that no group waits for another's photos; what room there is they share. */
static int write_turn(struct visit *v, struct vd_buf *lacking, bool *done, size_t *left, bool *full)
{
	for (size_t i = 0; i < v->groups.count; i++) {
		struct vd_bundle_stats stats;
		uint64_t room = 0, share;
		int rc;

		if (done[i])
			continue;
		rc = free_bytes(v->cache, &room);
		if (rc)
			return rc;
		share = room / *left;
		/* 0 would be no bound. */
		rc = share == 0 ? VD_ENOSPACE : write_segment(v, v->groups.group[i], lacking, share < SEGMENT_BYTES ? share : SEGMENT_BYTES, &stats);
		if (rc == VD_ENOSPACE || (!rc && stats.left && share < SEGMENT_BYTES))
			*full = true;
		else if (rc && rc != VD_ENOTFOUND && rc != VD_EKEY)
			return rc;
		if (rc || stats.left == 0 || share < SEGMENT_BYTES) {
			done[i] = true;
			--*left;
		}
	}
	return *left ? find_lacking(v, lacking) : VD_OK;
}

static int make_cache(struct visit *v)
{
	if (mkdir(v->cache, 0777))
		return errno == EEXIST ? VD_OK : vd_file_errno(errno);
	/* The next machine knows us by another number, if its file system knows numbers at all. */
	if (chmod(v->cache, 0777))
		errno = 0;
	return vd_file_sync_folder(v->dir);
}

static int write_stick(struct visit *v, bool *full)
{
	bool done[VD_STORE_GROUPS_MAX] = { false };
	size_t left = v->groups.count;
	struct vd_buf lacking = { 0 };
	int rc = find_lacking(v, &lacking);

	if (!rc && lacking.n && !v->result->read_only)
		rc = make_cache(v);
	while (!rc && lacking.n && left && !v->result->read_only)
		rc = write_turn(v, &lacking, done, &left, full);
	vd_buf_deinit(&lacking);
	return rc;
}

static int visit_cache(struct visit *v)
{
	const char *write_to = v->cache;
	struct stat st;
	bool full = false;
	int rc;

	if (stat(v->dir, &st))
		return vd_file_errno(errno);
	if (!S_ISDIR(st.st_mode))
		return VD_ENOTFOUND;
	/* A link would lead us to write elsewhere than on the stick. */
	if (lstat(v->cache, &st))
		write_to = v->dir;
	else if (!S_ISDIR(st.st_mode))
		return VD_EINVAL;
	vd_file_sweep(v->cache, NULL);
	v->result->read_only = access(write_to, W_OK) != 0;
	v->result->safe_to_remove = true;
	rc = read_stick(v);
	if (rc)
		return rc;
	v->result->safe_to_remove = false;
	rc = write_stick(v, &full);
	if (rc)
		return rc;
	v->result->safe_to_remove = true;
	if (full)
		return VD_ENOSPACE;
	if (v->result->segments_bad)
		return VD_EDAMAGED;
	return v->result->segments_torn ? VD_ETORN : VD_OK;
}

/* Is all of ours on it? */
static int judge(struct visit *v)
{
	struct vd_buf lacking = { 0 };
	int rc = find_lacking(v, &lacking);

	v->result->complete = !rc && lacking.n == 0 && !v->pending;
	vd_buf_deinit(&lacking);
	return rc;
}

int vd_stick_sync(struct vd_store *store, const char *dir, struct vd_stick_result *result)
{
	struct visit v = { .store = store, .dir = dir, .result = result };
	int rc, judged = VD_OK;

	*result = (struct vd_stick_result){ 0 };
	if (asprintf(&v.cache, "%s/cache", dir) < 0)
		return VD_ENOMEM;
	rc = vd_bundle_groups_load(store, &v.groups);
	if (!rc)
		rc = visit_cache(&v);
	if (!rc)
		judged = judge(&v);
	while (v.pending) {
		struct pending *next = v.pending->next;

		free(v.pending);
		v.pending = next;
	}
	vd_bundle_groups_free(&v.groups);
	vd_arrivals_deinit(&v.stick);
	free(v.cache);
	return rc ? rc : judged;
}
