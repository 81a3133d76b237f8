#include "link_stick.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "proto/err.h"
#include "store/file.h"
#include "stick_hearings.h"
#include "stick_laggards.h"
#include "stick_reach.h"
#include "stick_segments.h"

enum {
	SEGMENT_BYTES = 16 * 1024 * 1024,  /* an interrupted visit loses one; alerts are on the stick before the next is begun */
	SLACK_BYTES = 256 * 1024,          /* left free: folder entries, clusters of 64 KiB */
};

struct visit {
	struct vd_store *store;
	struct vd_bundle_groups groups;
	const char *dir;
	char *cache;
	struct vd_segments segments;
	struct vd_segment_say say[VD_STORE_GROUPS_MAX];
	struct vd_buf hearing[VD_STORE_GROUPS_MAX]; /* to be left in each group */
	struct vd_arrivals stick;    /* of our records, what the stick holds */
	struct vd_arrivals wanted;   /* our stubs whose body we want */
	const struct vd_bundle_watch *watch;
	uint64_t to_read, bytes_read, records_read; /* for it: of the segments that are to be read, and of those that were */
	size_t pending;              /* segments that could not be taken whole: more may be when what their records build on has come */
	struct vd_stick_result *result;
};

static char *path_of(const struct visit *v, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", v->cache, name) < 0 ? NULL : path;
}

static size_t place_of(const struct visit *v, const struct vd_group *group)
{
	size_t i = 0;

	while (i < v->groups.count && v->groups.group[i] != group)
		i++;
	return i < v->groups.count ? i : VD_STORE_GROUPS_MAX;
}

static int find_wanted(struct visit *v)
{
	enum { AT_ONCE = 256 };
	struct vd_arrival found[AT_ONCE];
	struct vd_port port;
	int rc = VD_OK;

	vd_store_port(v->store, &port);
	for (size_t i = 0; i < v->groups.count; i++) {
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			uint64_t after = 0;
			size_t n = AT_ONCE;

			while (!rc && n == AT_ONCE) {
				rc = port.wanted(port.ctx, vd_group_id(v->groups.group[i]), lane, after, found, AT_ONCE, &n);
				for (size_t j = 0; j < n && !rc; j++)
					rc = vd_arrivals_add(&v->wanted, found[j].arrival, true);
				after = n ? found[n - 1].arrival : after;
			}
		}
	}
	return rc;
}

/* A body that we had, or left for later, may be wanted since the segment was read. */
static bool holds_wanted(const struct visit *v, const struct vd_segment *s, uint64_t latest)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;
	bool stub;

	while (v->wanted.count && vd_arrivals_list_next(&r, latest, &at, &stub))
		if (!stub && vd_arrivals_held(&v->wanted, at))
			return true;
	return false;
}

/* Of a segment that this store knows, only the heads are looked at: a file that was cut or wiped is ours to replace. */
static int recall(struct visit *v, size_t i, uint64_t latest)
{
	struct vd_segment *s = &v->segments.p[i];
	int rc = vd_segment_recall(&v->segments, i, v->store, &v->groups, latest);
	uint64_t chunks;
	char *path;

	if (rc || s->state != VD_SEGMENT_KNOWN)
		return rc;
	path = path_of(v, s->name);
	if (!path)
		return VD_ENOMEM;
	rc = vd_bundle_whose(v->store, &v->groups, path, &s->key);
	free(path);
	if (rc == VD_ENOMEM)
		return rc;
	if (rc == VD_ENOTFOUND)
		s->state = VD_SEGMENT_UNREAD;
	else if (rc || s->key.place != s->group || !vd_sealed_layout(s->size, &chunks))
		s->state = VD_SEGMENT_LOST;
	else if (holds_wanted(v, s, latest))
		s->state = VD_SEGMENT_UNREAD;
	else
		vd_segment_heed(&v->segments, i);
	return VD_OK;
}

static int take_segment(struct visit *v, size_t i, struct vd_bundle_stats *stats)
{
	struct vd_segment *s = &v->segments.p[i];
	struct vd_bundle_notices notices = vd_segment_notices(&v->segments, i);
	struct vd_arrivals holds = { 0 };
	char *path = path_of(v, s->name);
	int rc, noted;

	if (!path)
		return VD_ENOMEM;
	rc = vd_bundle_merge_into(v->store, &v->groups, path, false, &holds, &notices, stats);
	free(path);
	v->result->received += stats->merge.fresh + stats->merge.filled;
	s->group = place_of(v, stats->group);
	s->key = stats->key;
	s->pending = stats->merge.pooled || stats->merge.declined > stats->merge.over_share || stats->merge.refused_why[-VD_EAUTHOR] || stats->merge.refused_why[-VD_ESIGNATURE];
	/* Read again each time, as long as there is something to be had if the bound is lifted. */
	s->declined = stats->merge.over_share;
	vd_buf_reset(&s->list);
	noted = vd_arrivals_encode(&holds, &s->list);
	vd_arrivals_deinit(&holds);
	if (!noted)
		noted = s->notices.failed || s->devices.failed || s->hearing.failed ? VD_ENOMEM : VD_OK;
	/* Known from now on only when nothing on it could become ours later. */
	if (!noted && !rc && !s->pending && !s->declined)
		noted = vd_segment_learn(v->store, vd_group_id(stats->group), s);
	return noted ? noted : rc;
}

static int read_segment(struct visit *v, size_t i)
{
	struct vd_segment *s = &v->segments.p[i];
	bool first = s->state == VD_SEGMENT_UNREAD;
	struct vd_bundle_stats stats;
	int rc = take_segment(v, i, &stats);

	if (first) {
		v->result->chunks += stats.chunks_ok + stats.chunks_bad;
		v->result->chunks_bad += stats.chunks_bad;
		v->result->heads_bad += rc == VD_EDAMAGED && stats.head_bad && !stats.chunks_bad;
	}
	v->bytes_read += s->size;
	v->records_read += stats.records;
	s->foreign = false;
	switch (rc) {
	case VD_OK:
		s->state = VD_SEGMENT_WHOLE;
		v->result->segments_read++;
		vd_segment_heed(&v->segments, i);
		break;
	case VD_EKEY:
	case VD_EGROUP:
	case VD_EVERSION:
		s->foreign = true;
		s->pending = false;
		return VD_OK;
	case VD_ENOTFOUND:
		return VD_OK;
	case VD_EFORMAT: /* shorter than a head */
	case VD_ETORN:
		s->state = VD_SEGMENT_TORN;
		break;
	case VD_EDAMAGED:
		s->state = VD_SEGMENT_DAMAGED;
		break;
	case VD_EDENIED:
	case VD_EIO:
		/* One that cannot be read must not keep us from the others; a store that fails has taken records in. */
		if (stats.records)
			return rc;
		s->state = VD_SEGMENT_DAMAGED;
		return VD_OK;
	default:
		return rc;
	}
	v->result->bytes_in += stats.bytes;
	v->pending += s->pending;
	return VD_OK;
}

/* Segments come in no order: one may hold the grant that the records of another wait for. Each turn through those that wait must
 * bring something. */
static int read_pending(struct visit *v)
{
	uint64_t before;

	do {
		before = v->result->received;
		for (size_t i = 0; i < v->segments.count; i++) {
			struct vd_bundle_stats stats;
			int rc;

			if (!v->segments.p[i].pending)
				continue;
			rc = take_segment(v, i, &stats);
			if (rc && rc != VD_ETORN && rc != VD_EDAMAGED)
				return rc;
			v->pending -= !v->segments.p[i].pending;
		}
	} while (v->pending && v->result->received > before);
	return VD_OK;
}

/* Is it out of use? Then it is not even read. Only its own group may say so. */
static bool is_over(struct visit *v, struct vd_segment *s)
{
	char *path = path_of(v, s->name);

	if (path && vd_bundle_whose(v->store, &v->groups, path, &s->key) == VD_OK)
		s->group = s->key.place;
	free(path);
	return vd_segment_replaced(s);
}

/* Of a segment that stays in use: what it holds counts if the others can read it too. */
static int count_in(struct visit *v, struct vd_reach *reach, struct vd_segment *s)
{
	char *path;
	int rc;

	/* Our slot in it opened it, and it may have brought the key that the others open it with. */
	if (!s->key.by_link) {
		path = path_of(v, s->name);
		rc = path ? vd_bundle_whose(v->store, &v->groups, path, &s->key) : VD_ENOMEM;
		free(path);
		if (rc)
			return rc == VD_ENOMEM ? rc : VD_OK;
	}
	return vd_reach_add(reach, &s->key, vd_buf_slice(&s->list), &v->stick);
}

/* What the stick holds, and what is wrong with it. */
static int settle(struct visit *v)
{
	struct vd_reach reach;
	int rc = vd_reach_init(&reach, v->store, &v->groups);

	if (!rc)
		rc = vd_segments_settle(&v->segments, v->say);
	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		struct vd_segment *s = &v->segments.p[i];
		uint64_t chunks;

		v->result->segments_foreign += s->foreign;
		v->result->declined += s->declined;
		if (vd_segment_replaced(s))
			continue;
		if (s->state == VD_SEGMENT_TORN || (s->state == VD_SEGMENT_LOST && !vd_sealed_layout(s->size, &chunks)))
			v->result->segments_torn++;
		else if (s->state == VD_SEGMENT_DAMAGED || s->state == VD_SEGMENT_LOST || s->drop)
			v->result->segments_bad++;
		if (s->state != VD_SEGMENT_UNREAD && !s->drop && !vd_segment_is_catch_up(s))
			rc = count_in(v, &reach, s);
	}
	vd_reach_deinit(&reach);
	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = vd_hearings_heed(v->store, v->groups.group[i], i, &v->segments);
	return rc;
}

/* Which keys we have of all groups: they come with control records, and are never lost. */
static size_t count_keys(const struct visit *v)
{
	size_t count = 0;

	for (size_t i = 0; i < v->groups.count; i++)
		count += vd_group_epoch_count(v->groups.group[i]);
	return count;
}

static int by_age(const void *a, const void *b)
{
	const struct vd_segment *x = *(struct vd_segment *const *)a, *y = *(struct vd_segment *const *)b;

	if (x->written.tv_sec != y->written.tv_sec)
		return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
	if (x->written.tv_nsec != y->written.tv_nsec)
		return x->written.tv_nsec < y->written.tv_nsec ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* The oldest first: it mostly holds what the others build on. If the medium's times lie, some are read twice. */
static int read_unread(struct visit *v)
{
	struct vd_segment **unread = calloc(v->segments.count + 1, sizeof(*unread));
	size_t count = 0;
	int rc = unread ? VD_OK : VD_ENOMEM;

	v->to_read = v->bytes_read;
	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		if (v->segments.p[i].state != VD_SEGMENT_UNREAD)
			continue;
		unread[count++] = &v->segments.p[i];
		v->to_read += v->segments.p[i].size;
	}
	if (count)
		qsort(unread, count, sizeof(*unread), by_age);
	for (size_t i = 0; i < count && !rc; i++) {
		if (!(vd_segment_maybe_replaced(unread[i]) && is_over(v, unread[i])))
			rc = read_segment(v, (size_t)(unread[i] - v->segments.p));
	}
	free(unread);
	return rc ? rc : read_pending(v);
}

static int read_stick(struct visit *v)
{
	uint64_t latest;
	size_t keys;
	int rc = vd_segments_list(&v->segments, v->cache);

	if (rc)
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	rc = vd_store_latest(v->store, &latest);
	if (!rc)
		rc = find_wanted(v);
	for (size_t i = 0; i < v->segments.count && !rc; i++)
		rc = recall(v, i, latest);
	/* What gives a device that was away the new keys is one segment among those they open. */
	do {
		keys = count_keys(v);
		if (!rc)
			rc = read_unread(v);
	} while (!rc && count_keys(v) > keys);
	return rc ? rc : settle(v);
}

/* Of a record that stands under this number: does the stick lack it, or its body, which we have? */
static int lacks(struct visit *v, uint64_t at, struct vd_buf *raw, bool *out)
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

/* Appends the arrival numbers of our records that the stick lacks, or of whose body it lacks and we have. */
static int find_lacking(struct visit *v, struct vd_buf *out)
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

/* Puts the names that the segment said into the form of a note. */
static void note_said(struct vd_buf *notices, enum vd_entry_type type, struct vd_buf *said)
{
	for (size_t at = 0; at < said->n; at += VD_SEGMENT_ID_BYTES) {
		vd_buf_put_u8(notices, (uint8_t)type);
		vd_buf_put(notices, said->p + at, VD_SEGMENT_ID_BYTES);
	}
	vd_buf_reset(said);
}

/* It is on the stick: remembers what it holds. */
static int account(struct visit *v, size_t g, const char *name, const struct vd_arrivals *written, struct vd_slice hearing, bool all)
{
	struct vd_segment s = { .ours = true };
	int rc = vd_arrivals_encode(written, &s.list);

	memcpy(s.name, name, sizeof(s.name));
	if (!rc)
		rc = vd_arrivals_decode(&v->stick, vd_buf_slice(&s.list), UINT64_MAX);
	note_said(&s.notices, VD_ENTRY_DAMAGED, &v->say[g].damaged);
	if (all)
		note_said(&s.notices, VD_ENTRY_REPLACED, &v->say[g].replaced);
	vd_buf_put_slice(&s.hearing, hearing);
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
static char *new_name(const struct visit *v, char name[VD_SEGMENT_NAME + 1])
{
	uint8_t random[VD_SEGMENT_ID_BYTES];

	randombytes_buf(random, sizeof(random));
	vd_hex(name, random, sizeof(random));
	memcpy(name + 2 * VD_SEGMENT_ID_BYTES, ".bin", 5);
	return path_of(v, name);
}

static int write_segment(struct visit *v, size_t g, const struct vd_buf *lacking, uint64_t max_bytes, struct vd_bundle_stats *stats)
{
	static const uint64_t none[1];
	struct vd_arrivals written = { 0 };
	const struct vd_bundle_choice choice = {
		/* NULL would be everything. */
		.arrivals = lacking->n ? (const uint64_t *)(const void *)lacking->p : none, .count = lacking->n / sizeof(uint64_t),
		.max_bytes = max_bytes, .written = &written,
		.damaged = vd_buf_slice(&v->say[g].damaged), .replaced = vd_buf_slice(&v->say[g].replaced),
		.hearing = lacking->n ? vd_buf_slice(&v->hearing[g]) : vd_slice(NULL, 0),
	};
	char name[VD_SEGMENT_NAME + 1], *path = new_name(v, name);
	int rc = path ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, stats) : VD_ENOMEM;
	free(path);
	/* A record of ours is spoilt and stayed out: `check` tells. Or the medium gave back other bytes than it was given. */
	if (rc == VD_EDAMAGED)
		rc = stats->unreadable ? VD_OK : VD_EIO;
	if (!rc) {
		v->result->sent += stats->records;
		v->result->bytes_out += stats->bytes;
		rc = account(v, g, name, &written, choice.hearing, stats->left == 0);
		if (choice.hearing.n)
			vd_buf_reset(&v->hearing[g]);
	}
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
static int write_what_fits(struct visit *v, size_t g, const struct vd_buf *lacking, uint64_t *share, struct vd_bundle_stats *stats)
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
static int write_turn(struct visit *v, struct vd_buf *lacking, bool *done, size_t *left, bool *full)
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
	return *left ? find_lacking(v, lacking) : VD_OK;
}

/* All control records once more, sealed to each of these devices as well. Whole or not at all. */
static int write_catch_up(struct visit *v, size_t g, const uint8_t (*devices)[VD_KEY_BYTES], size_t count, uint64_t room)
{
	struct vd_arrivals written = { 0 };
	const struct vd_bundle_choice choice = {
		.control = true, .devices = devices, .device_count = count, .for_link = true, .name_them = true,
		.max_bytes = room, .written = &written,
	};
	struct vd_segment s = { .ours = true };
	char *path = new_name(v, s.name);
	struct vd_bundle_stats stats = { 0 };
	int rc = path ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats) : VD_ENOMEM;

	free(path);
	if (rc == VD_EDAMAGED)
		rc = stats.unreadable ? VD_OK : VD_EIO;
	if (!rc) {
		v->result->bytes_out += stats.bytes;
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
static int help_laggards(struct visit *v, size_t g, bool *full)
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

static int write_hearing(struct visit *v, size_t g, struct vd_slice hearing)
{
	static const uint64_t none[1];
	const struct vd_bundle_choice choice = { .arrivals = none, .hearing = hearing };
	struct vd_segment s = { .ours = true };
	char *path = new_name(v, s.name);
	struct vd_bundle_stats stats = { 0 };
	uint64_t room = 0;
	int rc = path ? free_bytes(v->cache, &room) : VD_ENOMEM;

	if (!rc)
		rc = room < vd_sealed_bytes(1) ? VD_ENOSPACE
		                               : vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats);
	free(path);
	v->result->bytes_out += stats.bytes;
	vd_buf_put_slice(&s.hearing, hearing);
	if (!rc)
		rc = vd_buf_check(&s.hearing);
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	vd_buf_deinit(&s.hearing);
	return rc;
}

/* Is there something that none of our keys opens, and of which nobody says that it is out of use? */
static bool is_shut(const struct visit *v)
{
	for (size_t i = 0; i < v->segments.count; i++)
		if (v->segments.p[i].foreign && !vd_segment_maybe_replaced(&v->segments.p[i]))
			return true;
	return false;
}

/* A courier writes nothing that it could go with, and who cannot open everything may wait for an answer: they leave it in a file of its
 * own, and the one before it, which they wrote and which holds nothing else, goes. */
static int leave_hearing(struct visit *v, size_t g)
{
	bool shut = is_shut(v);
	int rc = VD_OK;

	if (v->hearing[g].n && (shut || vd_group_role(v->groups.group[g]) == VD_ROLE_COURIER))
		rc = write_hearing(v, g, vd_buf_slice(&v->hearing[g]));
	for (size_t i = 0; i < v->segments.count && !rc; i++) {
		char *path;

		if (!vd_hearing_is_spent(v->groups.group[g], g, &v->segments.p[i], shut))
			continue;
		path = path_of(v, v->segments.p[i].name);
		if (path && !unlink(path))
			rc = vd_file_sync_folder(v->cache);
		free(path);
	}
	/* Who has no room for it, or no key, is as well off as before. */
	return rc == VD_ENOSPACE || rc == VD_EKEY ? VD_OK : rc;
}

static int make_cache(struct visit *v)
{
	if (mkdir(v->cache, 0777))
		return errno == EEXIST ? VD_OK : vd_file_errno(errno);
	/* The next machine knows us by another number, if its file system knows numbers at all. Whoever adds removes nobody else's. */
	if (chmod(v->cache, 01777))
		errno = 0;
	return vd_file_sync_folder(v->dir);
}

static bool has_to_say(const struct visit *v)
{
	size_t bytes = 0;

	for (size_t i = 0; i < v->groups.count; i++)
		bytes += v->say[i].damaged.n + v->say[i].replaced.n;
	return bytes > 0;
}

static int help_all(struct visit *v, bool *full)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = help_laggards(v, i, full);
	return rc;
}

static int write_stick(struct visit *v, bool *full)
{
	bool done[VD_STORE_GROUPS_MAX] = { false };
	size_t left = v->groups.count;
	struct vd_buf lacking = { 0 };
	int rc = v->result->read_only ? VD_OK : find_lacking(v, &lacking);
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
	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = vd_hearings_ours(v->groups.group[i], i, &v->segments, is_shut(v), &v->hearing[i]);
	if (!rc)
		rc = write_stick(v, &full);
	for (size_t i = 0; i < v->groups.count && !rc && !v->result->read_only; i++)
		rc = leave_hearing(v, i);
	if (rc)
		return rc;
	v->result->safe_to_remove = true;
	if (full)
		return VD_ENOSPACE;
	if (v->result->segments_bad)
		return VD_EDAMAGED;
	return v->result->segments_torn ? VD_ETORN : VD_OK;
}

/* Is all of ours on it, so that everyone can read it? */
static int judge(struct visit *v)
{
	struct vd_buf lacking = { 0 };
	int rc = find_lacking(v, &lacking);

	v->result->complete = !rc && lacking.n == 0 && v->pending == 0;
	for (size_t i = 0; i < v->groups.count; i++)
		v->result->complete = v->result->complete && vd_reach_all(v->groups.group[i]);
	vd_buf_deinit(&lacking);
	return rc;
}

/* Of one segment, in proportion to all. */
static void tell_watch(void *ctx, uint64_t done, uint64_t all, uint64_t records)
{
	const struct visit *v = ctx;

	(void)all;
	v->watch->tell(v->watch->ctx, v->bytes_read + done, v->to_read, v->records_read + records);
}

int vd_stick_sync(struct vd_store *store, const char *dir, struct vd_stick_result *result)
{
	return vd_stick_sync_watched(store, dir, NULL, result);
}

int vd_stick_sync_watched(struct vd_store *store, const char *dir, const struct vd_bundle_watch *watch, struct vd_stick_result *result)
{
	struct visit v = { .store = store, .dir = dir, .watch = watch, .result = result };
	const struct vd_bundle_watch all = { tell_watch, &v };
	int rc, judged = VD_OK;

	*result = (struct vd_stick_result){ 0 };
	if (asprintf(&v.cache, "%s/cache", dir) < 0)
		return VD_ENOMEM;
	rc = vd_bundle_groups_load(store, &v.groups);
	if (watch)
		v.groups.watch = &all;
	if (!rc)
		rc = visit_cache(&v);
	if (!rc)
		judged = judge(&v);
	for (size_t i = 0; i < v.groups.count; i++) {
		vd_buf_deinit(&v.say[i].damaged);
		vd_buf_deinit(&v.say[i].replaced);
		vd_buf_deinit(&v.hearing[i]);
	}
	vd_segments_deinit(&v.segments);
	vd_bundle_groups_free(&v.groups);
	vd_arrivals_deinit(&v.stick);
	vd_arrivals_deinit(&v.wanted);
	free(v.cache);
	return rc ? rc : judged;
}
