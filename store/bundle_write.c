#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle_lines.h"
#include "bundle_temp.h"
#include "inside.h"
#include "file.h"
#include "proto/err.h"

/* One file: which of the lines stand in it. */
struct part {
	size_t again;           /* the first so many, which are control records that stood in the one before */
	size_t from, count;
	uint64_t chunks;
};

struct writer {
	struct vd_store *store;
	struct vd_group *group;
	const struct vd_bundle_choice *choice;
	struct vd_lines lines;
	struct vd_slice names[2]; /* that go in: damaged, replaced */
	struct vd_buf filled[2];  /* where they stand if there are fills */
	struct vd_recipient to[VD_SLOTS];
	size_t to_count;
	struct part *parts;
	size_t part_count, part_capacity;
	uint8_t set[VD_VOLUME_SET_BYTES]; /* the name that volumes of one export share */
	struct vd_manifest manifest;
	size_t receipts;             /* that go in: all that were chosen, or none */
};

/* Plans one file of at most `max` chunks: the names, the `again` first lines, and as many as fit of those from part->from on. */
static int plan_part(const struct writer *w, uint64_t max, struct part *part)
{
	static const uint8_t nobody[VD_GROUP_BYTES];
	struct vd_compact stream;
	struct vd_seal_plan p;
	size_t n = part->again;
	int rc = VD_OK;

	vd_compact_init(&stream, nobody);
	vd_seal_plan_start(&p, w->manifest.what);
	if (w->choice->volume_bytes)
		vd_seal_plan_entry(&p, VD_VOLUME_BYTES);
	for (size_t i = (w->names[0].n + w->names[1].n) / VD_SEGMENT_ID_BYTES; i > 0; i--)
		vd_seal_plan_entry(&p, VD_SEGMENT_ID_BYTES);
	for (size_t i = 0; w->choice->name_them && i < w->choice->device_count; i++)
		vd_seal_plan_entry(&p, VD_KEY_BYTES);
	if (w->choice->hearing.n)
		vd_seal_plan_entry(&p, w->choice->hearing.n);
	for (size_t i = 0; i < w->receipts; i++)
		vd_seal_plan_entry(&p, w->choice->receipts[i].n);
	if (part->again)
		rc = vd_lines_fit(&w->lines, 0, part->again, max, &p, &stream, &n);
	if (!rc && n == part->again)
		rc = vd_lines_fit(&w->lines, part->from, w->lines.count, max, &p, &stream, &part->count);
	vd_compact_deinit(&stream);
	part->chunks = vd_seal_plan_chunks(&p);
	return rc;
}

static int add_part(struct writer *w, const struct part *part)
{
	if (!vd_room(&w->parts, w->part_count, &w->part_capacity, 1, sizeof(*w->parts)))
		return VD_ENOMEM;
	w->parts[w->part_count++] = *part;
	return VD_OK;
}

static uint64_t chunks_in(uint64_t bytes)
{
	return bytes < vd_sealed_bytes(1) ? 0 : (bytes - vd_sealed_bytes(0)) / VD_CHUNK_BYTES;
}

/* The receipts go, or they stay out for what else there is. */
static int plan_receipts(struct writer *w, uint64_t max, struct part *part)
{
	struct part without = { 0 };
	int rc = plan_part(w, max, part);

	if (rc || !w->receipts || !w->choice->receipts_spare)
		return rc;
	w->receipts = 0;
	rc = plan_part(w, max, &without);
	if (without.count > part->count || without.chunks < part->chunks)
		*part = without;
	else
		w->receipts = w->choice->receipt_count;
	return rc;
}

/* How many chunks, and, under a bound, how many of the lines. */
static int plan_one(struct writer *w, struct vd_bundle_stats *stats)
{
	uint64_t max = w->choice->max_bytes ? chunks_in(w->choice->max_bytes) : UINT64_MAX;
	size_t count = w->lines.count, alone;
	struct part part = { 0 };
	int rc;

	stats->left = count;
	if (max == 0)
		return VD_ENOSPACE;
	w->names[0] = w->choice->damaged;
	w->names[1] = w->choice->replaced;
	rc = plan_receipts(w, max, &part);
	if (!rc && part.count < count && w->names[1].n) {
		/* Nothing is replaced before all of it is written. */
		w->names[1] = vd_slice(NULL, 0);
		rc = plan_part(w, max, &part);
	}
	if (rc)
		return rc;
	stats->left = count - part.count + (w->choice->replaced.n - w->names[1].n) / VD_SEGMENT_ID_BYTES;
	if (part.chunks > max || ((w->choice->control || w->choice->all_of_it) && part.count < count))
		return VD_ENOSPACE;
	alone = w->choice->count ? 0 : w->choice->hearing.n + w->choice->receipt_count;
	if (part.count == 0 && w->manifest.what == VD_SEALED_SEGMENT && !w->choice->shed && (count || !(w->names[0].n + w->names[1].n + alone)))
		return count ? VD_ENOSPACE : VD_ENOTFOUND;
	return add_part(w, &part);
}

static int name_filled(struct writer *w, struct vd_slice damaged, struct vd_slice replaced)
{
	vd_buf_put_slice(&w->filled[0], damaged);
	vd_buf_put_slice(&w->filled[1], replaced);
	for (int i = 0; i < 2; i++)
		w->names[i] = vd_buf_slice(&w->filled[i]);
	return w->filled[0].failed || w->filled[1].failed ? VD_ENOMEM : VD_OK;
}

static int plan_fill(struct writer *w, struct vd_many *many, uint64_t max, struct vd_bundle_fill *fill)
{
	const size_t count = w->lines.count, names[2] = { w->filled[0].n, w->filled[1].n };
	struct vd_line *before = calloc(count + 1, sizeof(*before));
	struct part part = { 0 };
	bool ok = false;
	int rc = before ? VD_OK : VD_ENOMEM;

	fill->taken = false;
	if (!rc && count)
		memcpy(before, w->lines.line, count * sizeof(*before));
	if (!rc)
		rc = vd_lines_fill(&w->lines, many, fill->list, &ok);
	if (!rc && ok)
		rc = name_filled(w, fill->damaged, fill->replaced);
	if (!rc && ok)
		rc = plan_part(w, max, &part);
	fill->taken = !rc && ok && part.count == w->lines.count && part.chunks <= max;
	if (fill->taken) {
		*w->parts = part;
	} else if (before) {
		if (count)
			memcpy(w->lines.line, before, count * sizeof(*before));
		w->lines.count = count;
		for (int i = 0; i < 2; i++)
			w->names[i] = vd_slice(w->filled[i].p, w->filled[i].n = names[i]);
	}
	free(before);
	return rc;
}

/* All that was chosen goes into one file: what else does without one more chunk. */
static int plan_fills(struct writer *w, struct vd_many *many, struct vd_bundle_stats *stats)
{
	size_t chosen = w->lines.count;
	int rc = name_filled(w, w->names[0], w->names[1]);

	for (size_t i = 0; i < w->choice->fill_count && !rc; i++) {
		bool sheds = w->choice->shed && i == 0;

		if (w->choice->fills[i].with_receipts && w->receipts < w->choice->receipt_count)
			continue;
		rc = plan_fill(w, many, !sheds ? w->parts->chunks : w->choice->max_bytes ? chunks_in(w->choice->max_bytes) : UINT64_MAX, &w->choice->fills[i]);
		if (!rc && sheds && !w->choice->fills[i].taken)
			rc = VD_ENOTFOUND;
	}
	stats->filled = w->lines.count - chosen;
	return rc;
}

/* Whoever gets one volume alone should be able to take in what is in it: the control records stand in each, where they leave half of it. */
static int plan_volumes(struct writer *w)
{
	const uint64_t max = chunks_in(w->choice->volume_bytes);
	size_t control = 0;
	struct part part = { 0 };
	int rc = VD_OK;

	while (control < w->lines.count && w->lines.line[control].lane == VD_LANE_CONTROL)
		control++;
	if (control) {
		const size_t all = w->lines.count;

		w->lines.count = control;
		rc = plan_part(w, max / 2, &part);
		w->lines.count = all;
		if (part.count < control)
			control = 0;
		part = (struct part){ 0 };
	}
	do {
		if (!rc)
			rc = plan_part(w, max, &part);
		if (!rc && (part.chunks > max || (!part.count && w->lines.count)))
			rc = VD_ENOSPACE;
		if (!rc && w->part_count == VD_VOLUMES_MAX)
			rc = VD_ECAP;
		if (!rc)
			rc = add_part(w, &part);
		part.from += part.count;
		part.again = control;
	} while (!rc && part.from < w->lines.count);
	return rc;
}

/* The record as it was when it was chosen: a body may have come since. */
static int as_chosen(const struct vd_line *line, const struct vd_many_one *one, struct vd_record *record)
{
	*record = one->record;
	if (one->err || record->stub == line->stub)
		return one->err;
	if (!line->stub)
		return VD_EAGAIN;
	return vd_record_view(vd_slice(record->raw.p, record->header.n + record->signature.n), record);
}

static int write_names(struct writer *w, size_t number, struct vd_sealer *sealer, struct vd_file_out *file)
{
	struct vd_buf out = { 0 };
	int rc = VD_OK;

	if (w->choice->volume_bytes) {
		uint8_t volume[VD_VOLUME_BYTES];

		memcpy(volume, w->set, sizeof(w->set));
		vd_set_u16(volume + sizeof(w->set), (uint16_t)(number + 1));
		vd_set_u16(volume + sizeof(w->set) + 2, (uint16_t)w->part_count);
		rc = vd_sealer_entry(sealer, VD_ENTRY_VOLUME, vd_slice(volume, sizeof(volume)), &out);
	}
	for (int i = 0; i < 2; i++)
		for (size_t at = 0; at < w->names[i].n && !rc; at += VD_SEGMENT_ID_BYTES)
			rc = vd_sealer_entry(sealer, i ? VD_ENTRY_REPLACED : VD_ENTRY_DAMAGED,
			                     vd_slice(w->names[i].p + at, VD_SEGMENT_ID_BYTES), &out);
	for (size_t i = 0; w->choice->name_them && i < w->choice->device_count && !rc; i++)
		rc = vd_sealer_entry(sealer, VD_ENTRY_FOR, vd_slice(w->choice->devices[i], VD_KEY_BYTES), &out);
	if (!rc && w->choice->hearing.n)
		rc = vd_sealer_entry(sealer, VD_ENTRY_HEARING, w->choice->hearing, &out);
	for (size_t i = 0; i < w->receipts && !rc; i++)
		rc = vd_sealer_entry(sealer, VD_ENTRY_RECEIPT, w->choice->receipts[i], &out);
	if (!rc && out.n)
		rc = vd_file_write(file, vd_buf_slice(&out));
	vd_buf_deinit(&out);
	return rc;
}

/* Of the i-th record of a file, counted from 0. */
static const struct vd_line *line_of(const struct writer *w, const struct part *part, size_t i)
{
	return &w->lines.line[i < part->again ? i : part->from + i - part->again];
}

static size_t ask_for_lines(struct writer *w, const struct part *part, struct vd_many *many, size_t from, uint64_t *room)
{
	size_t count = 0;

	for (; count < VD_MANY_AT_ONCE && from + count < part->again + part->count; count++)
		room[count] = line_of(w, part, from + count)->arrival;
	vd_many_ask(many, room, count);
	return count;
}

static int write_some(const struct writer *w, const struct part *part, size_t from, const struct vd_many_one *ones, size_t count,
                      struct vd_sealer *sealer, struct vd_file_out *file, struct vd_buf *out)
{
	struct vd_record record;
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		rc = as_chosen(line_of(w, part, from + i), &ones[i], &record);
		if (!rc)
			rc = vd_sealer_record(sealer, &record, out);
		if (!rc && out->n)
			rc = vd_file_write(file, vd_buf_slice(out));
		vd_buf_reset(out);
	}
	return rc;
}

static int write_lines(struct writer *w, const struct part *part, struct vd_many *many, struct vd_sealer *sealer, struct vd_file_out *file)
{
	uint64_t *rooms = calloc(2, VD_MANY_AT_ONCE * sizeof(*rooms));
	struct vd_buf out = { 0 };
	size_t at = 0, turn = 0, count, more;
	int rc = VD_OK;

	if (!rooms)
		return VD_ENOMEM;
	count = ask_for_lines(w, part, many, 0, rooms);
	while (count && !rc) {
		const struct vd_many_one *ones = vd_many_take(many);

		turn = !turn;
		more = ask_for_lines(w, part, many, at + count, rooms + turn * VD_MANY_AT_ONCE);
		rc = w->choice->stop && w->choice->stop() ? VD_ECLOSED : write_some(w, part, at, ones, count, sealer, file, &out);
		at += count;
		count = more;
	}
	(void)vd_many_take(many);
	if (!rc)
		rc = vd_sealer_finish(sealer, &out);
	if (!rc)
		rc = vd_file_write(file, vd_buf_slice(&out));
	vd_buf_deinit(&out);
	free(rooms);
	return rc;
}

static int report_written(const struct writer *w, const struct part *part)
{
	int rc = VD_OK;

	for (size_t i = 0; w->choice->written && i < part->count && !rc; i++)
		rc = vd_arrivals_add(w->choice->written, line_of(w, part, part->again + i)->arrival, line_of(w, part, part->again + i)->stub);
	return rc;
}

static int create(const struct writer *w, const char *path, struct vd_file_out **out)
{
	const char *slash = strrchr(path, '/');
	char tail[VD_FILE_TAIL + 1];

	if (w->manifest.what != VD_SEALED_SEGMENT)
		return vd_file_create(path, out);
	vd_bundle_temp_tail(w->group, slash ? slash + 1 : path, tail);
	return vd_file_create_as(path, tail, out);
}

/* Under a temporary name. *out: to be placed. */
static int write_part(struct writer *w, size_t number, struct vd_many *many, const char *path, bool read_back, struct vd_file_out **out)
{
	const struct part *part = &w->parts[number];
	uint8_t seed[VD_SEAL_SEED_BYTES];
	struct vd_sealer *sealer = NULL;
	struct vd_file_out *file = NULL;
	int rc;

	w->manifest.records = part->again + part->count;
	w->manifest.chunks = part->chunks;
	randombytes_buf(seed, sizeof(seed));
	rc = vd_sealer_new(&w->manifest, w->to, w->to_count, seed, &sealer);
	sodium_memzero(seed, sizeof(seed));
	if (!rc)
		rc = create(w, path, &file);
	if (!rc && w->manifest.what == VD_SEALED_SEGMENT)
		vd_file_share(file);
	/* So that as long as any of the set has but its temporary name one of it is locked. */
	if (!rc && (number == 0 || number + 1 == w->part_count))
		vd_file_hold(file);
	if (!rc)
		rc = write_names(w, number, sealer, file);
	if (!rc)
		rc = write_lines(w, part, many, sealer, file);
	if (!rc)
		rc = vd_file_finish(file, read_back);
	if (!rc) {
		*out = file;
		file = NULL;
	}
	vd_file_abort(file);
	vd_sealer_free(sealer);
	return rc;
}

/* It stands then. */
static int place_part(struct writer *w, size_t number, struct vd_file_out *file, struct vd_bundle_stats *stats)
{
	const struct part *part = &w->parts[number];
	uint64_t bytes = vd_file_size(file);
	int rc = vd_file_place(file);

	if (rc)
		return rc;
	stats->files++;
	stats->bytes += bytes;
	stats->records += part->count;
	stats->receipts = w->receipts;
	stats->chunks_ok += part->chunks;
	w->manifest.records = part->again + part->count;
	w->manifest.chunks = part->chunks;
	stats->manifest = w->manifest;
	return report_written(w, part);
}

static char *part_path(const struct writer *w, const char *path, size_t number)
{
	return w->choice->volume_bytes ? vd_volume_path(path, number + 1) : strdup(path);
}

static int write_parts(struct writer *w, struct vd_many *many, const char *path, bool read_back, struct vd_bundle_stats *stats)
{
	struct vd_file_out **files = calloc(w->part_count, sizeof(struct vd_file_out *));
	size_t placed = 0;
	char *name;
	int rc = files ? VD_OK : VD_ENOMEM;

	if (w->manifest.what != VD_SEALED_SEGMENT)
		vd_file_sweep_set(path);
	for (size_t i = 0; i < w->part_count && !rc; i++) {
		name = part_path(w, path, i);
		rc = name ? write_part(w, i, many, name, read_back, &files[i]) : VD_ENOMEM;
		free(name);
	}
	for (; placed < w->part_count && !rc; placed++) {
		rc = place_part(w, placed, files[placed], stats);
		files[placed] = NULL;
	}
	for (size_t i = 0; files && i < w->part_count; i++)
		vd_file_abort(files[i]);
	/* Who tries again starts another set, in which these would have no place. */
	for (size_t i = w->choice->volume_bytes ? stats->files : 0; rc && i > 0; i--) {
		name = part_path(w, path, i - 1);
		if (name)
			unlink(name);
		free(name);
	}
	free(files);
	return rc;
}

static int write_files(struct writer *w, const char *path, bool read_back, struct vd_bundle_stats *stats)
{
	struct vd_many *many = NULL;
	int rc;

	vd_lines_init(&w->lines, w->store, w->group, w->choice);
	randombytes_buf(w->set, sizeof(w->set));
	rc = vd_many_new(w->store, &many);
	if (!rc)
		rc = vd_lines_choose(&w->lines, many);
	if (!rc && w->lines.unreadable && w->manifest.what == VD_SEALED_WELCOME)
		rc = VD_EDAMAGED; /* who starts with less than all cannot tell */
	if (!rc)
		rc = w->choice->volume_bytes ? plan_volumes(w) : plan_one(w, stats);
	if (!rc && w->choice->fill_count && !stats->left && w->part_count == 1)
		rc = plan_fills(w, many, stats);
	if (!rc)
		rc = write_parts(w, many, path, read_back, stats);
	if (!rc && w->lines.unreadable) {
		stats->unreadable = true;
		vd_store_unread_one(w->store);
		rc = VD_EDAMAGED;
	}
	vd_many_free(many);
	vd_lines_deinit(&w->lines);
	for (int i = 0; i < 2; i++)
		vd_buf_deinit(&w->filled[i]);
	free(w->parts);
	return rc;
}

static bool has_slot(const struct writer *w, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < w->to_count; i++)
		if (w->to[i].how != VD_FOR_LINK && memcmp(w->to[i].author, author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

/* How many epochs the group ever had. */
static size_t count_epochs(struct vd_group *group)
{
	size_t count = 0;

	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		count += (act->kind == VD_ACT_EPOCH || act->kind == VD_ACT_REVOKE) && !act->continues;
	}
	return count;
}

/* A link key that the device is sure to have, NULL: none. The newest is none for who may be waiting for it. */
static const uint8_t *sure_link(struct writer *w, const uint8_t device[VD_KEY_BYTES])
{
	const uint8_t *link = vd_group_mask_link(w->group, device);
	bool newest = link && memcmp(link, vd_group_epoch_keys(w->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES) == 0;

	return newest && (w->choice->name_them || count_epochs(w->group) > 1) ? NULL : link;
}

/* A slot of its own for a device: masked by a link key it is sure to have, or by what its card shows. */
static int add_device(struct writer *w, const struct vd_device *device)
{
	const uint8_t *link;
	struct vd_recipient *to = &w->to[w->to_count];

	if (!device || !vd_seal_box_ok(device->box))
		return VD_EINVAL;
	if (has_slot(w, device->author))
		return VD_OK;
	if (w->to_count == VD_SLOTS)
		return VD_ECAP;
	/* Paper has nothing but its words. */
	link = device->flags & VD_GRANT_PAPER ? NULL : sure_link(w, device->author);
	to->how = link ? VD_FOR_DEVICE : VD_FOR_CARD;
	if (link)
		memcpy(to->link, link, VD_KEY_BYTES);
	memcpy(to->author, device->author, VD_KEY_BYTES);
	memcpy(to->box, device->box, VD_KEY_BYTES);
	w->to_count++;
	return VD_OK;
}

static void add_paper_keys(struct writer *w)
{
	size_t added = 0;

	for (size_t i = vd_group_device_count(w->group); i > 0 && added < VD_PAPER_SLOTS && w->to_count < VD_SLOTS; i--) {
		const struct vd_device *d = vd_group_device(w->group, i - 1);

		/* One to which nothing can be sealed keeps nobody else from theirs. */
		if (d->role != VD_ROLE_NONE && (d->flags & VD_GRANT_PAPER) && add_device(w, d) == VD_OK)
			added++;
	}
}

static int address(struct writer *w)
{
	const struct vd_bundle_choice *c = w->choice;
	int rc = VD_OK;

	if (!c->devices || c->for_link) {
		if (vd_group_epoch_count(w->group) == 0)
			return VD_EKEY;
		w->to[0].how = VD_FOR_LINK;
		memcpy(w->to[0].link, vd_group_epoch_keys(w->group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES);
		w->to_count = 1;
	} else {
		rc = add_device(w, vd_group_find(w->group, vd_group_identity(w->group)->author));
	}
	for (size_t i = 0; c->devices && i < c->device_count && !rc; i++)
		rc = add_device(w, vd_group_find(w->group, c->devices[i]));
	if (!rc && !c->name_them)
		add_paper_keys(w);
	return rc;
}

char *vd_volume_path(const char *path, size_t number)
{
	char *name;

	return asprintf(&name, "%s.%03zu", path, number) < 0 ? NULL : name;
}

int vd_bundle_write(struct vd_store *store, struct vd_group *group, enum vd_sealed_what what, const struct vd_bundle_choice *choice,
                    const char *path, bool read_back, struct vd_bundle_stats *stats)
{
	struct writer w = {
		.store = store, .group = group, .choice = choice, .manifest = { .what = what }, .receipts = choice->receipt_count,
	};
	int rc;

	*stats = (struct vd_bundle_stats){ 0 };
	if (what == VD_SEALED_WELCOME || (choice->volume_bytes && (what != VD_SEALED_BUNDLE || strcmp(path, "-") == 0)))
		return VD_EINVAL;
	memcpy(w.manifest.group, vd_group_id(group), VD_GROUP_BYTES);
	rc = address(&w);
	if (!rc)
		rc = write_files(&w, path, read_back, stats);
	sodium_memzero(w.to, sizeof(w.to));
	return rc;
}

int vd_welcome_write(struct vd_store *store, struct vd_group *group, const struct vd_card *card, const struct vd_id *grant,
                     const char *path)
{
	const struct vd_bundle_choice all = { .control = true };
	struct writer w = {
		.store = store, .group = group, .choice = &all, .to = { { .how = VD_FOR_CARD } }, .to_count = 1,
		.manifest = { .what = VD_SEALED_WELCOME, .has_grant = true },
	};
	struct vd_bundle_stats stats = { 0 };

	memcpy(w.to[0].author, card->author, VD_KEY_BYTES);
	memcpy(w.to[0].box, card->box, VD_KEY_BYTES);
	memcpy(w.manifest.group, vd_group_id(group), VD_GROUP_BYTES);
	memcpy(w.manifest.grant, grant->b, VD_ID_BYTES);
	return write_files(&w, path, true, &stats);
}
