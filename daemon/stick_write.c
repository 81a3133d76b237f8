/* The writing half of a visit to a stick: what it lacks, what is to be said of segments on it, and what devices that were away need. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/err.h"
#include "stick_hearings.h"
#include "stick_inside.h"
#include "stick_laggards.h"
#include "store/file.h"

enum {
	SEGMENT_BYTES = 16 * 1024 * 1024,  /* an interrupted visit loses one; alerts are on the stick before the next is begun */
	SLACK_BYTES = 256 * 1024,          /* left free: folder entries, clusters of 64 KiB */
};

/* Of a record that stands under this number: does the stick lack it, or its body, which we have? */
static int lacks(struct vd_visit *v, uint64_t at, struct vd_buf *raw, bool *out)
{
	struct vd_record record;
	uint64_t received_ms;
	int rc;

	*out = !vd_arrivals_held(&v->stick, at);
	if (*out || vd_arrivals_whole(&v->stick, at))
		return VD_OK;
	rc = vd_store_read(v->store, at, raw, &record, &received_ms);
	*out = !rc && !record.stub;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

int vd_visit_lacking(struct vd_visit *v, struct vd_buf *out)
{
	enum { AT_ONCE = 256 };
	uint64_t latest, at = 0, numbers[AT_ONCE];
	struct vd_buf raw = { 0 };
	size_t n = 1;
	int rc = vd_store_latest(v->store, &latest);

	vd_buf_reset(out);
	/* Numbers may lie far apart, and on the stick may be all of very many. */
	while (!rc && n && (at = vd_arrivals_next_lacking(&v->stick, at, latest))) {
		rc = vd_store_numbers(v->store, at - 1, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++) {
			bool lacking;

			at = numbers[i];
			rc = lacks(v, at, &raw, &lacking);
			if (!rc && lacking)
				vd_buf_put(out, &at, sizeof(at));
		}
	}
	vd_buf_deinit(&raw);
	return rc ? rc : vd_buf_check(out);
}

/* Puts names that the segment says into the form of a note. */
static void note_said(struct vd_buf *notices, enum vd_entry_type type, const struct vd_buf *said)
{
	for (size_t at = 0; at < said->n; at += VD_SEGMENT_ID_BYTES) {
		vd_buf_put_u8(notices, (uint8_t)type);
		vd_buf_put(notices, said->p + at, VD_SEGMENT_ID_BYTES);
	}
}

/* What we write: with the link key of the group's epoch to write with. */
static void be_ours(const struct vd_visit *v, size_t g, const struct vd_bundle_stats *stats, struct vd_segment *s)
{
	s->ours = true;
	s->size = stats->bytes;
	s->key = (struct vd_bundle_key){ .place = g, .by_link = true };
	memcpy(s->key.epoch, vd_group_epoch_id(v->groups.group[g], 0), VD_EPOCH_BYTES);
}

/* It is on the stick: remembers what it holds. */
static int account(struct vd_visit *v, size_t g, const char *name, const struct vd_bundle_choice *choice, const struct vd_folds *folds,
                   const struct vd_bundle_stats *stats)
{
	struct vd_segment_say *say = &v->say[g];
	struct vd_segment s = { 0 };
	int rc = vd_arrivals_encode(choice->written, &s.list);

	memcpy(s.name, name, sizeof(s.name));
	be_ours(v, g, stats, &s);
	if (!rc)
		rc = vd_arrivals_decode(&v->stick, vd_buf_slice(&s.list), UINT64_MAX);
	note_said(&s.notices, VD_ENTRY_DAMAGED, &say->damaged);
	vd_buf_reset(&say->damaged);
	if (stats->left == 0) {
		note_said(&s.notices, VD_ENTRY_REPLACED, &say->replaced);
		vd_buf_reset(&say->replaced);
	}
	for (size_t i = 0; i < folds->count; i++) {
		if (!folds->fills[i].taken)
			continue;
		note_said(&s.notices, VD_ENTRY_DAMAGED, &folds->damaged[i]);
		note_said(&s.notices, VD_ENTRY_REPLACED, &folds->replaced[i]);
	}
	vd_buf_put_slice(&s.hearing, choice->hearing);
	if (!rc)
		rc = s.notices.failed || s.hearing.failed ? VD_ENOMEM : VD_OK;
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	vd_buf_deinit(&s.list);
	vd_buf_deinit(&s.notices);
	vd_buf_deinit(&s.hearing);
	return rc;
}

/* A name nobody has, and its path. NULL: no memory. */
static char *new_name(const struct vd_visit *v, char name[VD_SEGMENT_NAME + 1])
{
	uint8_t random[VD_SEGMENT_ID_BYTES];

	randombytes_buf(random, sizeof(random));
	vd_hex(name, random, sizeof(random));
	memcpy(name + 2 * VD_SEGMENT_ID_BYTES, ".bin", 5);
	return vd_visit_path(v, name);
}

/* Nothing goes in for the sake of a hearing alone. */
static struct vd_slice hearing_to_go(const struct vd_visit *v, size_t g, bool any, const struct vd_folds *folds)
{
	if (v->hearing[g].n)
		return vd_slice(v->hearing[g].p, any ? v->hearing[g].n : 0);
	return any || v->say[g].damaged.n || v->say[g].replaced.n ? folds->hearing : vd_slice(NULL, 0);
}

/* Of writing a segment: a record of ours is spoilt and stayed out, which `check` tells; or the medium gave back other bytes than it was given. */
static int as_kept(struct vd_visit *v, int rc, const struct vd_bundle_stats *stats)
{
	if (rc != VD_EDAMAGED || stats->unreadable)
		return rc == VD_EDAMAGED ? VD_OK : rc;
	v->result->forgets = true;
	return VD_EIO;
}

static int write_segment(struct vd_visit *v, size_t g, const struct vd_buf *lacking, uint64_t max_bytes, struct vd_bundle_stats *stats)
{
	static const uint64_t none[1];
	struct vd_arrivals written = { 0 };
	struct vd_folds folds;
	char name[VD_SEGMENT_NAME + 1], *path = new_name(v, name);
	int rc = vd_folds_find(v, g, &folds);
	const struct vd_bundle_choice choice = {
		/* NULL would be everything. */
		.arrivals = lacking->n ? (const uint64_t *)(const void *)lacking->p : none, .count = lacking->n / sizeof(uint64_t),
		.max_bytes = max_bytes, .written = &written, .fills = folds.fills, .fill_count = folds.count,
		.damaged = vd_buf_slice(&v->say[g].damaged), .replaced = vd_buf_slice(&v->say[g].replaced),
		.hearing = hearing_to_go(v, g, lacking->n > 0, &folds),
	};

	if (!rc)
		rc = path ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, stats) : VD_ENOMEM;
	free(path);
	rc = as_kept(v, rc, stats);
	if (!rc) {
		v->result->sent += stats->records - stats->filled;
		v->result->bytes_out += stats->bytes;
		rc = account(v, g, name, &choice, &folds, stats);
		if (lacking->n)
			vd_buf_reset(&v->hearing[g]);
	}
	if (!rc)
		rc = vd_folds_remove(v, &folds);
	vd_folds_deinit(&folds);
	vd_arrivals_deinit(&written);
	return rc;
}

static int free_bytes(const char *folder, uint64_t *out)
{
	struct statvfs fs;

	if (statvfs(folder, &fs))
		return vd_file_errno(errno);
	/* Some drivers do not tell. */
	if (fs.f_blocks == 0) {
		*out = UINT64_MAX;
		return VD_OK;
	}
	*out = (uint64_t)fs.f_bavail * fs.f_frsize;
	*out = *out > SLACK_BYTES ? *out - SLACK_BYTES : 0;
	return VD_OK;
}

/* Less than it said may be free, or it did not say: the most urgent goes in all the same. */
static int write_what_fits(struct vd_visit *v, size_t g, const struct vd_buf *lacking, uint64_t *share, struct vd_bundle_stats *stats)
{
	int rc;

	while (true) {
		rc = write_segment(v, g, lacking, *share < SEGMENT_BYTES ? *share : SEGMENT_BYTES, stats);
		if (rc != VD_ENOSPACE || *share / 2 < vd_sealed_bytes(1))
			return rc;
		*share = (*share < SEGMENT_BYTES ? *share : SEGMENT_BYTES) / 2;
	}
}

/* One segment a group and turn, so that no group waits for another's photos; what room there is they share. */
static int write_turn(struct vd_visit *v, struct vd_buf *lacking, bool *done, size_t *left, bool *full)
{
	for (size_t i = 0; i < v->groups.count; i++) {
		struct vd_bundle_stats stats = { 0 };
		uint64_t room = 0, share;
		int rc;

		if (done[i])
			continue;
		rc = free_bytes(v->cache, &room);
		if (rc)
			return rc;
		share = room / *left;
		/* 0 would be no bound. */
		rc = share == 0 ? VD_ENOSPACE : write_what_fits(v, i, lacking, &share, &stats);
		/* Only records make it full: what is to be said of segments can wait. */
		if (rc == VD_ENOSPACE || (!rc && stats.left && share < SEGMENT_BYTES))
			*full = *full || lacking->n > 0;
		else if (rc && rc != VD_ENOTFOUND && rc != VD_EKEY)
			return rc;
		if (rc || stats.left == 0 || share < SEGMENT_BYTES) {
			done[i] = true;
			--*left;
		}
	}
	return *left ? vd_visit_lacking(v, lacking) : VD_OK;
}

/* All control records once more, sealed to each of these devices as well. Whole or not at all. */
static int write_catch_up(struct vd_visit *v, size_t g, const uint8_t (*devices)[VD_KEY_BYTES], size_t count, uint64_t room)
{
	struct vd_arrivals written = { 0 };
	const struct vd_bundle_choice choice = {
		.control = true, .devices = devices, .device_count = count, .for_link = true, .name_them = true,
		.max_bytes = room, .written = &written,
	};
	struct vd_segment s = { 0 };
	char *path = new_name(v, s.name);
	struct vd_bundle_stats stats = { 0 };
	int rc = path ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats) : VD_ENOMEM;

	free(path);
	rc = as_kept(v, rc, &stats);
	if (!rc) {
		v->result->bytes_out += stats.bytes;
		be_ours(v, g, &stats, &s);
		vd_buf_put(&s.devices, devices, count * VD_KEY_BYTES);
		rc = vd_arrivals_encode(&written, &s.list);
	}
	if (!rc)
		rc = vd_buf_check(&s.devices);
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	vd_buf_deinit(&s.list);
	vd_buf_deinit(&s.devices);
	vd_arrivals_deinit(&written);
	return rc;
}

/* For devices that may lack the keys everything else on the stick is sealed under. */
static int help_laggards(struct vd_visit *v, size_t g, bool *full)
{
	struct vd_laggards behind;
	int rc = vd_laggards_find(v->store, v->groups.group[g], g, &v->segments, &behind);

	for (size_t i = 0; i < behind.count && !rc; i += VD_SEGMENT_FOR_MAX) {
		size_t n = behind.count - i < VD_SEGMENT_FOR_MAX ? behind.count - i : VD_SEGMENT_FOR_MAX;
		uint64_t room = 0;

		rc = free_bytes(v->cache, &room);
		/* 0 would be no bound. */
		if (!rc)
			rc = room ? write_catch_up(v, g, (const uint8_t (*)[VD_KEY_BYTES])(behind.devices + i), n, room) : VD_ENOSPACE;
	}
	vd_laggards_deinit(&behind);
	if (rc != VD_ENOSPACE)
		return rc;
	*full = true;
	return VD_OK;
}

static int write_hearing(struct vd_visit *v, size_t g, struct vd_slice hearing)
{
	static const uint64_t none[1];
	const struct vd_bundle_choice choice = { .arrivals = none, .hearing = hearing };
	struct vd_segment s = { 0 };
	char *path = new_name(v, s.name);
	struct vd_bundle_stats stats = { 0 };
	uint64_t room = 0;
	int rc = path ? free_bytes(v->cache, &room) : VD_ENOMEM;

	if (!rc)
		rc = room < vd_sealed_bytes(1) ? VD_ENOSPACE
		                               : vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats);
	rc = as_kept(v, rc, &stats);
	free(path);
	v->result->bytes_out += stats.bytes;
	if (!rc)
		be_ours(v, g, &stats, &s);
	vd_buf_put_slice(&s.hearing, hearing);
	if (!rc)
		rc = vd_buf_check(&s.hearing);
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	vd_buf_deinit(&s.hearing);
	return rc;
}

int vd_visit_leave_hearing(struct vd_visit *v, size_t g)
{
	int rc = VD_OK;

	if (v->hearing[g].n && (v->shut || vd_group_role(v->groups.group[g]) == VD_ROLE_COURIER))
		rc = write_hearing(v, g, vd_buf_slice(&v->hearing[g]));
	for (size_t i = 0; i < v->segments.count && !rc; i++)
		if (vd_hearing_is_spent(v->groups.group[g], g, &v->segments.p[i], v->shut))
			rc = vd_visit_remove(v, &v->segments.p[i]);
	/* Who has no room for it, or no key, is as well off as before. */
	return rc == VD_ENOSPACE || rc == VD_EKEY ? VD_OK : rc;
}

static int make_cache(struct vd_visit *v)
{
	if (mkdir(v->cache, 0777))
		return errno == EEXIST ? VD_OK : vd_file_errno(errno);
	/* The next machine knows us by another number, if its file system knows numbers at all. Whoever adds removes nobody else's. */
	if (chmod(v->cache, 01777))
		errno = 0;
	return vd_file_sync_folder(v->dir);
}

static bool has_to_say(const struct vd_visit *v)
{
	size_t bytes = 0;

	for (size_t i = 0; i < v->groups.count; i++)
		bytes += v->say[i].damaged.n + v->say[i].replaced.n;
	return bytes > 0;
}

static int help_all(struct vd_visit *v, bool *full)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = help_laggards(v, i, full);
	return rc;
}

int vd_visit_write(struct vd_visit *v, bool *full)
{
	bool done[VD_STORE_GROUPS_MAX] = { false };
	size_t left = v->groups.count;
	struct vd_buf lacking = { 0 };
	int rc = v->result->read_only ? VD_OK : vd_visit_lacking(v, &lacking);
	bool turned = false;

	if (!rc && lacking.n)
		rc = make_cache(v);
	while (!rc && (lacking.n || has_to_say(v)) && left) {
		rc = write_turn(v, &lacking, done, &left, full);
		/* Behind what is urgent, before the photos. */
		if (!rc && !turned)
			rc = help_all(v, full);
		turned = true;
	}
	if (!rc && !turned && !v->result->read_only)
		rc = help_all(v, full);
	vd_buf_deinit(&lacking);
	return rc;
}
