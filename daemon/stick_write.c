/* The writing half of a visit to a stick: what it lacks, what is to be said of segments on it, and what devices that were away need. */
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/err.h"
#include "stick_hearings.h"
#include "stick_inside.h"
#include "stick_laggards.h"
#include "stick_receipts.h"
#include "stick_which.h"
#include "store/file.h"

enum {
	SEGMENT_RECORDS = 65536,           /* that are looked at for one: 16 MiB of texts */
};

/* Puts names that the segment says into the form of a note. */
static void note_said(struct vd_buf *notices, enum vd_entry_type type, struct vd_slice said)
{
	for (size_t at = 0; at < said.n; at += VD_SEGMENT_ID_BYTES) {
		vd_buf_put_u8(notices, (uint8_t)type);
		vd_buf_put(notices, said.p + at, VD_SEGMENT_ID_BYTES);
	}
}

/* What we write: with the link key of the group's epoch to write with. */
static void be_ours(const struct vd_visit *v, size_t g, const struct vd_bundle_stats *stats, struct vd_segment *s)
{
	char *path = vd_visit_path(v, s->name);

	s->ours = s->on_stick = true;
	memcpy(s->stick, v->stick_id, sizeof(s->stick));
	s->size = stats->bytes;
	s->key = (struct vd_bundle_key){ .place = g, .by_link = true };
	memcpy(s->key.epoch, vd_group_epoch_id(v->groups.group[g], 0), VD_EPOCH_BYTES);
	/* Whoever has pulled it finds that out below. */
	if (path)
		(void)vd_bundle_heads(path, &s->key);
	free(path);
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
	note_said(&s.notices, VD_ENTRY_DAMAGED, choice->damaged);
	if (stats->left == 0)
		note_said(&s.notices, VD_ENTRY_REPLACED, choice->replaced);
	vd_buf_reset(&say->damaged);
	if (stats->left == 0 && choice->replaced.n)
		vd_buf_reset(&say->replaced);
	for (size_t i = 0; i < folds->count; i++) {
		if (!folds->fills[i].taken)
			continue;
		note_said(&s.notices, VD_ENTRY_DAMAGED, vd_buf_slice(&folds->damaged[i]));
		note_said(&s.notices, VD_ENTRY_REPLACED, vd_buf_slice(&folds->replaced[i]));
	}
	vd_buf_put_slice(&s.hearing, choice->hearing);
	if (stats->receipts)
		vd_visit_note_receipts(v, g, &s);
	if (!rc)
		rc = s.notices.failed || s.hearing.failed || s.receipts.failed ? VD_ENOMEM : VD_OK;
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	if (!rc)
		rc = vd_anchor_written(v, name);
	vd_buf_deinit(&s.list);
	vd_buf_deinit(&s.notices);
	vd_buf_deinit(&s.hearing);
	vd_buf_deinit(&s.receipts);
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

/* Of writing a segment: a record of ours is spoilt and stayed out, which is told; or the medium gave back other bytes than it was given. */
static int as_kept(struct vd_visit *v, int rc, const struct vd_bundle_stats *stats)
{
	v->result->unreadable |= stats->unreadable;
	if (rc != VD_EDAMAGED || stats->unreadable)
		return rc == VD_EDAMAGED ? VD_OK : rc;
	v->result->forgets = true;
	return VD_EIO;
}

/* Does what is written now take room that was kept for alerts and the like? Then receipts have what it leaves of its last chunk. */
static bool is_short(struct vd_visit *v, uint64_t max_bytes)
{
	bool at_max = v->result->at_max;
	uint64_t room = 0;
	int rc = vd_visit_room(v, VD_ROOM_NEWS, &room);

	v->result->at_max = at_max;
	return rc || max_bytes < vd_sealed_bytes(2) || room < vd_sealed_bytes(2);
}

/* The next `count` of its queue; or, when nothing of that is left, a segment of ours written anew without what it should not hold any more. */
static int write_segment(struct vd_visit *v, size_t g, size_t count, struct vd_segment *shed, uint64_t max_bytes, struct vd_bundle_stats *stats)
{
	static const uint64_t none[1];
	const struct vd_queue *q = &v->queues[g];
	const size_t end = q->at + count;
	bool last = end >= vd_queue_spare(q);
	struct vd_arrivals written = { 0 };
	struct vd_folds folds = { .count = 0 };
	char name[VD_SEGMENT_NAME + 1], *path = new_name(v, name);
	/* Nothing goes in for their sake alone. */
	bool tells = !v->receipts_left[g] && (count || shed || v->say[g].damaged.n || v->say[g].replaced.n);
	/* Where alerts alone have room, theirs are kept few as well. */
	int rc = last || shed || end == q->lane_ends[VD_LANE_URGENT] ? vd_folds_find(v, g, shed, &folds) : VD_OK;
	const struct vd_bundle_choice choice = {
		/* NULL would be everything. */
		.arrivals = count ? q->numbers + q->at : none, .count = count, .all_of_it = true, .max_bytes = max_bytes, .written = &written,
		.fills = folds.fills, .fill_count = folds.count, .expired_through = v->expired_through[g], .shed = shed != NULL, .damaged = vd_buf_slice(&v->say[g].damaged),
		/* Nothing is replaced before all of it is written that somebody may lack. */
		.replaced = vd_slice(v->say[g].replaced.p, last ? v->say[g].replaced.n : 0), .hearing = hearing_to_go(v, g, count > 0 || shed, &folds),
		.receipts = v->receipts[g].list, .receipt_count = tells ? v->receipts[g].count : 0,
		.receipts_spare = tells && is_short(v, max_bytes),
	};

	*stats = (struct vd_bundle_stats){ 0 };
	if (!rc)
		rc = path ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, stats) : VD_ENOMEM;
	free(path);
	rc = as_kept(v, rc, stats);
	if (!rc) {
		v->result->sent += stats->records - stats->filled;
		v->result->bytes_out += stats->bytes;
		v->used_bytes += stats->bytes;
		rc = account(v, g, name, &choice, &folds, stats);
		if (count || shed)
			vd_buf_reset(&v->hearing[g]);
		v->receipts_left[g] |= stats->receipts > 0;
	}
	/* Receipts that stood in what goes, and for which there was no room here. */
	for (size_t i = 0; i < folds.count && !rc; i++)
		v->receipts_due[g] |= folds.fills[i].taken && folds.segments[i]->receipts.n;
	if (!rc)
		rc = vd_folds_remove(v, &folds);
	vd_folds_deinit(&folds);
	vd_arrivals_deinit(&written);
	return rc;
}

/* One segment of the group, of at most `share` bytes: as many of its queue before `end` as fit, in that order. *full: some of them did not. */
static int write_next(struct vd_visit *v, size_t g, size_t end, uint64_t share, bool *full)
{
	struct vd_queue *q = &v->queues[g];
	size_t count = end - q->at < SEGMENT_RECORDS ? end - q->at : SEGMENT_RECORDS;
	uint64_t max_bytes = share < v->segment_bytes ? share : v->segment_bytes;
	struct vd_bundle_stats stats;
	int rc = max_bytes < vd_sealed_bytes(1) ? VD_ENOSPACE : write_segment(v, g, count, NULL, max_bytes, &stats);

	while (rc == VD_ENOSPACE && max_bytes >= vd_sealed_bytes(1)) {
		if (stats.left && stats.left < count) {
			count -= stats.left;
		} else if (stats.left || max_bytes / 2 < vd_sealed_bytes(1)) {
			break;
		} else {
			/* Less than it said is free, or it takes no file of that size. */
			max_bytes /= 2;
			v->segment_bytes = max_bytes;
		}
		rc = write_segment(v, g, count, NULL, max_bytes, &stats);
	}
	if (!rc)
		q->at += count;
	/* Only records make it full: what is to be said of segments can wait. */
	*full = q->at < end && (rc == VD_ENOSPACE || share < v->segment_bytes);
	return rc;
}

/* What a record takes in a chunk, at most; one that cannot be read takes nothing. */
static int weigh(struct vd_visit *v, uint64_t number, struct vd_buf *raw, size_t *bytes)
{
	struct vd_record r;
	int rc = vd_store_read(v->store, number, raw, &r, NULL);

	*bytes += rc ? 0 : r.raw.n + VD_VISIT_ENTRY_BYTES;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* *count: as many of what is next and before `end` as come to half a chunk with all of that segment. The other half is left for alerts. */
static int count_beside(struct vd_visit *v, size_t g, size_t end, const struct vd_segment *s, size_t *count)
{
	const struct vd_queue *q = &v->queues[g];
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	struct vd_buf raw = { 0 };
	uint64_t at = 0;
	size_t bytes = 0;
	bool stub;
	int rc = VD_OK;

	while (!rc && bytes <= VD_CHUNK_PLAIN / 2 && vd_arrivals_list_next(&r, UINT64_MAX, &at, &stub))
		rc = weigh(v, at, &raw, &bytes);
	for (*count = 0; !rc && q->at + *count < end; ++*count) {
		rc = weigh(v, q->numbers[q->at + *count], &raw, &bytes);
		if (bytes > VD_CHUNK_PLAIN / 2)
			break;
	}
	vd_buf_deinit(&raw);
	return rc;
}

/* So many in one chunk with all of that segment, which then goes. VD_ENOSPACE: there is no room for one. */
static int write_beside(struct vd_visit *v, size_t g, size_t end, struct vd_segment *s)
{
	struct vd_bundle_stats stats;
	size_t count;
	int rc = count_beside(v, g, end, s, &count);

	if (!rc)
		rc = count ? write_segment(v, g, count, s, vd_sealed_bytes(1), &stats) : VD_ENOSPACE;
	if (!rc)
		v->queues[g].at += count;
	/* With receipts it may be too much after all, or a body of it is not here any more. */
	return rc == VD_ENOTFOUND ? VD_ENOSPACE : rc;
}

/* What finds no room beside the reserve still takes the place of a file of ours, with what stands in that: the reserve is used only as long as both stand. */
static int write_in_place(struct vd_visit *v, size_t g, size_t end)
{
	const bool at_max = v->result->at_max;
	struct vd_folds folds = { .count = 0 };
	uint64_t room = 0;
	int rc = vd_visit_room(v, VD_ROOM_URGENT, &room), found = VD_ENOSPACE;

	v->result->at_max = at_max;
	if (!rc && room >= vd_sealed_bytes(1))
		rc = vd_folds_find(v, g, NULL, &folds);
	for (size_t i = 0; i < folds.count && !rc && found == VD_ENOSPACE; i++)
		found = write_beside(v, g, end, folds.segments[i]);
	vd_folds_deinit(&folds);
	return rc ? rc : found;
}

/* Alerts and control records may use the reserve, and so may what is to be said of segments. */
static int write_one(struct vd_visit *v, size_t g, size_t left, bool *full)
{
	struct vd_queue *q = &v->queues[g];
	bool spare = q->at >= vd_queue_spare(q), made;
	uint64_t room = 0;
	int rc = vd_visit_room(v, q->at == q->count ? VD_ROOM_URGENT : spare ? VD_ROOM_SPARE : VD_ROOM_NEWS, &room);

	if (!rc)
		rc = write_next(v, g, spare ? q->count : vd_queue_spare(q), room / left, full);
	if ((rc && rc != VD_ENOSPACE) || !*full || spare)
		return rc;
	if (q->at >= q->lane_ends[VD_LANE_URGENT]) {
		rc = write_in_place(v, g, vd_queue_spare(q));
		/* More of it may take the place of another one. */
		*full = rc != VD_OK;
		return rc;
	}
	/* Receipts stand in one file, and go into this one or another as soon as there is room. */
	rc = vd_visit_receipts_give_way(v, g, &made);
	if (!rc)
		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
	/* There may be less of it than a file for each group. */
	return rc ? rc : write_next(v, g, q->lane_ends[VD_LANE_URGENT], room / left < vd_sealed_bytes(1) ? room : room / left, full);
}

/* One segment a group and turn, so that no group waits for another's photos; what room there is they share. */
static int write_turn(struct vd_visit *v, bool *done, size_t *left, bool *full)
{
	for (size_t i = 0; i < v->groups.count; i++) {
		bool no_more = false;
		int rc;

		if (done[i])
			continue;
		rc = write_one(v, i, *left, &no_more);
		if (rc && rc != VD_ENOSPACE && rc != VD_ENOTFOUND && rc != VD_EKEY)
			return rc;
		*full = *full || (no_more && v->queues[i].at < vd_queue_spare(&v->queues[i]));
		done[i] = rc || no_more || (v->queues[i].at == v->queues[i].count && !v->say[i].replaced.n);
		*left -= done[i];
	}
	return VD_OK;
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

int vd_visit_write_anchor(struct vd_visit *v, size_t g)
{
	const struct vd_folds none = { .count = 0 };
	struct vd_arrivals written = { 0 };
	struct vd_bundle_stats stats = { 0 };
	char name[VD_SEGMENT_NAME + 1], *path = new_name(v, name);
	uint64_t first, room = 0;
	struct vd_bundle_choice choice = { .arrivals = &first, .all_of_it = true, .written = &written };
	int rc = path ? make_cache(v) : VD_ENOMEM;

	if (!rc)
		rc = vd_store_lane_numbers(v->store, vd_group_id(v->groups.group[g]), VD_LANE_CONTROL, 0, &first, 1, &choice.count);
	if (!rc)
		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
	choice.max_bytes = room;
	if (!rc)
		rc = room < vd_sealed_bytes(1) ? VD_ENOSPACE : choice.count ? vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats) : VD_ENOTFOUND;
	rc = as_kept(v, rc, &stats);
	free(path);
	v->result->bytes_out += stats.bytes;
	v->used_bytes += stats.bytes;
	if (!rc)
		rc = account(v, g, name, &choice, &none, &stats);
	vd_arrivals_deinit(&written);
	return rc;
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
		v->used_bytes += stats.bytes;
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

		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
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

static int write_word(struct vd_visit *v, size_t g, struct vd_slice hearing, bool tells)
{
	static const uint64_t none[1];
	const struct vd_bundle_choice choice = {
		.arrivals = none, .hearing = hearing, .receipts = v->receipts[g].list, .receipt_count = tells ? v->receipts[g].count : 0,
	};
	struct vd_segment s = { 0 };
	char *path = new_name(v, s.name);
	struct vd_bundle_stats stats = { 0 };
	uint64_t room = 0;
	int rc = path ? make_cache(v) : VD_ENOMEM;

	if (!rc)
		rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
	if (!rc)
		rc = room < vd_sealed_bytes(1) ? VD_ENOSPACE
		                               : vd_bundle_write(v->store, v->groups.group[g], VD_SEALED_SEGMENT, &choice, path, true, &stats);
	rc = as_kept(v, rc, &stats);
	free(path);
	v->result->bytes_out += stats.bytes;
	v->used_bytes += stats.bytes;
	if (!rc) {
		be_ours(v, g, &stats, &s);
		v->receipts_left[g] |= tells;
	}
	vd_buf_put_slice(&s.hearing, hearing);
	if (tells)
		vd_visit_note_receipts(v, g, &s);
	s.receipts_alone = s.receipts.n && !hearing.n;
	if (!rc)
		rc = s.hearing.failed || s.receipts.failed ? VD_ENOMEM : VD_OK;
	if (!rc)
		rc = vd_segment_learn(v->store, vd_group_id(v->groups.group[g]), &s);
	vd_buf_deinit(&s.hearing);
	vd_buf_deinit(&s.receipts);
	return rc;
}

/* Would what goes take receipts with it that stand nowhere else? */
static bool takes_receipts_away(const struct vd_visit *v, size_t g)
{
	for (size_t i = 0; i < v->segments.count; i++)
		if (v->segments.p[i].receipts.n && vd_hearing_is_spent(v->groups.group[g], g, &v->segments.p[i], v->shut))
			return true;
	return false;
}

static bool hearing_due(const struct vd_visit *v, size_t g)
{
	return v->hearing[g].n && (v->shut || vd_group_role(v->groups.group[g]) == VD_ROLE_COURIER);
}

bool vd_visit_has_word(const struct vd_visit *v, size_t g)
{
	return hearing_due(v, g) || v->receipts_due[g] || v->say[g].damaged.n || v->say[g].replaced.n;
}

static int write_words(struct vd_visit *v, size_t g, bool hears, bool tells)
{
	struct vd_slice hearing = hears ? vd_buf_slice(&v->hearing[g]) : vd_slice(NULL, 0);
	int rc = VD_OK;

	/* In a file of their own there is room for more of them. */
	if (tells) {
		vd_receipts_deinit(&v->receipts[g]);
		rc = vd_visit_receipts(v, g, VD_WORD_RECEIPTS_BYTES);
	}
	if (!rc)
		rc = write_word(v, g, hearing, tells);
	if (rc == VD_ENOSPACE && tells) {
		bool made = false;

		rc = vd_visit_receipts_give_way(v, g, &made);
		if (!rc)
			rc = made ? write_word(v, g, hearing, tells) : VD_ENOSPACE;
	}
	if (rc == VD_ENOSPACE && tells) {
		v->result->unsaid |= v->receipts_due[g];
		v->receipts[g].count = 0;
		rc = hears ? write_word(v, g, hearing, false) : rc;
	}
	return rc;
}

/* What this visit put in its place stands, durable. */
static int remove_spent(struct vd_visit *v, size_t g, struct vd_segment *s)
{
	bool spent = false;
	int rc = vd_visit_receipts_spent(v, g, s, &spent);

	if (!rc && !spent)
		spent = vd_hearing_is_spent(v->groups.group[g], g, s, v->shut) && vd_visit_receipts_covered(v, g, s);
	return rc || !spent ? rc : vd_visit_remove(v, s);
}

int vd_visit_leave_word(struct vd_visit *v, size_t g)
{
	bool hears = hearing_due(v, g);
	bool tells = v->receipts[g].count && !v->receipts_left[g] && (hears || v->receipts_due[g] || takes_receipts_away(v, g));
	int rc = VD_OK;

	if (hears || tells)
		rc = write_words(v, g, hears, tells);
	for (size_t i = 0; i < v->segments.count && !rc; i++)
		rc = remove_spent(v, g, &v->segments.p[i]);
	/* Who has no room for it, or no key, is as well off as before. */
	return rc == VD_ENOSPACE || rc == VD_EKEY ? VD_OK : rc;
}

static int help_all(struct vd_visit *v, bool *full)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = help_laggards(v, i, full);
	return rc;
}

/* By lanes, what did not go. What everybody is known to have counts as being there. */
static int count_left(struct vd_visit *v)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count; i++) {
		const struct vd_queue *q = &v->queues[i];
		size_t from = q->at;

		for (int lane = 0; lane < VD_LANES; lane++) {
			v->result->left[lane] += q->lane_ends[lane] > from ? q->lane_ends[lane] - from : 0;
			from = q->lane_ends[lane] > from ? q->lane_ends[lane] : from;
		}
		for (; from < q->count && !rc; from++) {
			v->result->spared++;
			v->spared = q->numbers[from] > v->spared ? q->numbers[from] : v->spared;
			rc = vd_arrivals_add(&v->stick, q->numbers[from], false);
		}
	}
	return rc;
}

static int write_all(struct vd_visit *v, bool *full)
{
	bool done[VD_STORE_GROUPS_MAX] = { false }, turned = false;
	size_t left = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count; i++) {
		done[i] = !vd_visit_has_to_write(v, i);
		left += !done[i];
	}
	if (left)
		rc = make_cache(v);
	if (!rc && left)
		rc = vd_visit_make_room(v);
	while (!rc && left) {
		rc = write_turn(v, done, &left, full);
		/* Behind what is urgent, before the photos. */
		if (!rc && !turned)
			rc = help_all(v, full);
		turned = true;
	}
	return rc || turned ? rc : help_all(v, full);
}

/* One on each visit. */
static int shed_one(struct vd_visit *v, size_t g)
{
	struct vd_bundle_stats stats;
	struct vd_segment *shed;
	uint64_t room = 0;
	int rc = vd_visit_shed(v, g, &shed);

	if (rc || !shed)
		return rc;
	rc = vd_visit_room(v, VD_ROOM_URGENT, &room);
	/* 0 would be no bound. */
	if (!rc)
		rc = room ? write_segment(v, g, 0, shed, room, &stats) : VD_ENOSPACE;
	/* It stands as it did. */
	return rc == VD_ENOTFOUND || rc == VD_ENOSPACE || rc == VD_EKEY ? VD_OK : rc;
}

int vd_visit_write(struct vd_visit *v, bool *full)
{
	int rc = VD_OK;

	for (size_t i = 0; i < v->groups.count && !rc; i++)
		rc = vd_store_expired_through(v->store, vd_group_id(v->groups.group[i]), v->now_ms, &v->expired_through[i]);
	if (!rc)
		rc = vd_visit_queue(v);
	v->segment_bytes = VD_STICK_SEGMENT_BYTES;
	for (size_t i = 0; i < v->segments.count; i++)
		v->used_bytes += v->segments.p[i].size;
	if (!rc && !v->result->read_only)
		rc = write_all(v, full);
	for (size_t i = 0; i < v->groups.count && !rc && !v->result->read_only; i++)
		rc = shed_one(v, i);
	return rc ? rc : count_left(v);
}
