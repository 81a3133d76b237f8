/* import: what came in sealed files, or on paper. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "declined.h"
#include "proto/err.h"
#include "slips.h"
#include "store/bundle.h"
#include "store/volumes.h"
#include "watch.h"

/* What all files of one import came to. */
struct imported {
	struct vd_cli *cli;
	bool dry_run;
	struct vd_bundle_groups groups; /* once has_groups: as the last file left them; to load one of a hundred members takes 10 ms */
	bool has_groups;
	struct vd_merge merge;
	uint64_t quarantined;       /* of the fresh ones */
	uint64_t salvaged;
	uint64_t parts_refused;     /* chunks that are damaged */
	json_t *gaps;
	uint64_t gap_count;
	struct vd_id last;          /* the record before, while looking for gaps */
	struct came *sets;          /* of which one came, or tried to */
	size_t set_count, set_capacity;
};

struct came {
	struct vd_volume_set volumes;
	const char *path;           /* of one of them: sets have no name that says something to people */
};

enum { GAPS_TOLD = 1000 };

/* A fresh record whose predecessor we lack: something is still on its way. */
static int look_for_gap(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct imported *im = ctx;
	struct vd_record r;
	uint64_t found;
	bool follows;
	int rc;

	(void)received_ms;
	if (arrival > im->merge.last_arrival || im->gap_count == GAPS_TOLD)
		return 1;
	if (vd_record_decode(raw, &r))
		return 0;
	follows = r.has_prev && memcmp(r.prev.b, im->last.b, VD_ID_BYTES) == 0;
	im->last = r.id;
	rc = r.has_prev && !follows ? vd_store_find(im->cli->store, &r.prev, &found) : VD_ENOTFOUND;
	if (rc == VD_ENOMEM)
		return rc;
	if (follows || (r.has_prev && rc != VD_ENOTFOUND) || (!r.has_prev && r.seq == 1))
		return 0;
	im->gap_count++;
	json_array_append_new(im->gaps, json_pack("{s:o,s:o,s:s,s:o}", "group", vd_json_hex(r.group, VD_GROUP_BYTES), "author",
	                                          vd_json_hex(r.author, VD_KEY_BYTES), "lane", vd_lane_word(r.lane), "before",
	                                          vd_json_number(r.seq)));
	return 0;
}

/* Where no predecessor was missed when its record came there is nothing to look for; and who misses that many gets no longer list. */
static void look_for_gaps(struct imported *im)
{
	if (im->merge.gaps && vd_store_walk(im->cli->store, NULL, 255, im->merge.first_arrival - 1, look_for_gap, im) == VD_ENOMEM)
		vd_json_lacks();
	if (im->gap_count == GAPS_TOLD)
		im->gap_count = im->merge.gaps;
}

/* The set of a volume that was opened; whole: it was taken in, all of it. Not to know costs a line of what is told, and no record. */
static void note_volume(struct imported *im, const char *path, const struct vd_volume *v, bool whole)
{
	struct vd_volume_set *set = NULL;

	if (!v->count)
		return;
	for (size_t i = 0; i < im->set_count && !set; i++)
		if (memcmp(im->sets[i].volumes.set, v->set, sizeof v->set) == 0 && im->sets[i].volumes.count == v->count)
			set = &im->sets[i].volumes;
	if (!set) {
		if (!vd_room(&im->sets, im->set_count, &im->set_capacity, 4, sizeof *im->sets) ||
		    vd_volumes_find(im->cli->store, v, &im->sets[im->set_count].volumes))
			return;
		im->sets[im->set_count].path = path;
		set = &im->sets[im->set_count++].volumes;
	}
	if (!whole)
		return;
	vd_volume_mark(set, v->number);
	if (!im->dry_run && vd_volumes_arrived(im->cli->store, v))
		vd_note(im->cli, VD_MSG_IMPORT_VOLUME_UNNOTED, NULL);
}

/* Which volumes of what was made together are lacking. */
static void look_for_volumes(struct imported *im)
{
	for (size_t i = 0; i < im->set_count; i++) {
		const struct vd_volume_set *set = &im->sets[i].volumes;
		json_t *missing = json_array();
		struct vd_buf list = { 0 };

		for (uint16_t n = 1; n <= set->count; n++) {
			if (vd_volume_here(set, n))
				continue;
			json_array_append_new(missing, json_integer(n));
			if (list.n)
				vd_buf_put_slice(&list, vd_slice_str(", "));
			vd_buf_put_slice(&list, vd_slice_str(vd_num(im->cli, n)));
		}
		vd_buf_put_u8(&list, 0);
		if (list.failed)
			vd_json_lacks();
		else if (list.n > 1 && !im->cli->opt.json)
			vd_note(im->cli, im->dry_run ? VD_MSG_IMPORT_VOLUMES_DRY : VD_MSG_IMPORT_VOLUMES, vd_num(im->cli, set->count),
			        (const char *)list.p, im->sets[i].path, NULL);
		if (list.n > 1)
			json_array_append_new(im->gaps, json_pack("{s:o,s:i,s:O}", "volumes", vd_json_hex(set->set, sizeof set->set), "of",
			                                          set->count, "missing", missing));
		json_decref(missing);
		vd_buf_deinit(&list);
	}
}

static void add_up(struct imported *im, const struct vd_bundle_stats *s, bool whole)
{
	vd_merge_add(&im->merge, &s->merge);
	im->parts_refused += s->chunks_bad;
	if (!whole)
		im->salvaged += s->merge.fresh + s->merge.known;
}

/* Bytes that stand behind the last head, where they are as many as another sealed file has: 0 else, or where nothing tells. */
static uint64_t behind(const struct vd_bundle_stats *s)
{
	uint64_t whole = vd_sealed_bytes(s->manifest.chunks);

	return s->manifest.chunks && s->bytes >= whole + vd_sealed_bytes(1) ? s->bytes - whole : 0;
}

/* Was all that the file holds taken in, whatever was done to its heads? */
static bool is_whole(int err, const struct vd_bundle_stats *s)
{
	return (err == VD_OK || (err == VD_EDAMAGED && s->head_bad)) && !s->chunks_bad && !s->torn && !s->merge.refused;
}

static int say_file(struct vd_cli *cli, const char *path, bool dry, int err, const struct vd_bundle_stats *s)
{
	const struct vd_merge *m = &s->merge;
	const bool pipe = strcmp(path, "-") == 0;
	uint64_t kept = m->fresh + m->known;

	path = vd_cli_path_said(cli, path, VD_MSG_PIPE_IN);
	if (behind(s) && is_whole(err, s))
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_IMPORT_BEHIND, dry ? VD_MSG_IMPORT_BEHIND_DRY : VD_MSG_IMPORT_BEHIND,
		                 path, vd_num(cli, kept), vd_num(cli, behind(s)), NULL);
	if (s->at_reserve)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "no-space", VD_MSG_HINT_IMPORT_RESERVE, VD_MSG_IMPORT_RESERVE, path, NULL);
	switch (err) {
	case 0: break;
	case VD_ETORN:
		return vd_refuse(cli, VD_EXIT_PARTLY, "torn", pipe ? VD_MSG_HINT_IMPORT_PIPE : VD_MSG_HINT_IMPORT_TORN,
		                 dry ? VD_MSG_IMPORT_TORN_DRY : VD_MSG_IMPORT_TORN, path, vd_num(cli, kept), vd_num(cli, s->chunks_ok), NULL);
	case VD_EDAMAGED:
		/* Changed at its beginning, which costs nothing, and cut, which does. */
		if (s->torn && !s->chunks_bad)
			return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_TORN, dry ? VD_MSG_IMPORT_TORN_DRY : VD_MSG_IMPORT_TORN,
			                 path, vd_num(cli, kept), NULL);
		if (s->head_bad && !s->chunks_bad)
			return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_HEAD,
			                 dry ? VD_MSG_IMPORT_HEAD_DRY : VD_MSG_IMPORT_HEAD, path, vd_num(cli, kept), NULL);
		if (behind(s))
			vd_note(cli, VD_MSG_IMPORT_BEHIND_TOO, path, vd_num(cli, behind(s)), NULL);
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_DAMAGED,
		                 dry ? VD_MSG_IMPORT_DAMAGED_DRY : VD_MSG_IMPORT_DAMAGED, path, vd_num(cli, kept), vd_num(cli, s->chunks_bad), vd_num(cli, s->chunks_ok + s->chunks_bad),
		                 vd_num(cli, s->bytes_bad), NULL);
	case VD_EKEY:
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", pipe ? VD_MSG_HINT_IMPORT_NOT_OURS_PIPE : VD_MSG_HINT_IMPORT_NOT_OURS, VD_MSG_IMPORT_NOT_OURS, path, NULL);
	case VD_EFORMAT:
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", pipe ? VD_MSG_HINT_IMPORT_PIPE : VD_MSG_HINT_IMPORT_NO_BUNDLE,
		                 VD_MSG_IMPORT_NO_BUNDLE, path, NULL);
	default: return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_IMPORT_FAILED, path, NULL);
	}
	if (m->refused)
		return vd_refuse(cli, m->refused_why[-VD_ESIGNATURE] ? VD_EXIT_INTEGRITY : VD_EXIT_PARTLY,
		                 m->refused_why[-VD_ESIGNATURE] ? "integrity" : "partly", VD_MSG_HINT_IMPORT_REFUSED,
		                 dry ? VD_MSG_IMPORT_REFUSED_DRY : VD_MSG_IMPORT_REFUSED, path, vd_num(cli, m->refused), NULL);
	return VD_EXIT_DONE;
}

static const char *whom_it_declines(struct vd_cli *cli, struct vd_left_out *left_out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;

	if (!vd_store_groups(cli->store, groups, &count))
		vd_left_out_groups(left_out, cli, groups, count);
	if (left_out->here_of.n)
		vd_buf_put_u8(&left_out->here_of, 0);
	return left_out->here_of.failed || !left_out->here_of.n ? "?" : (const char *)left_out->here_of.p;
}

/* What the file held and this device did not take, though nothing was wrong with it. */
static int say_held_back(struct vd_cli *cli, const char *path, const struct vd_merge *m)
{
	struct vd_left_out left_out = { .here = m->over_share };
	int code = VD_EXIT_DONE;

	if (m->declined > m->over_share)
		code = vd_refuse(cli, VD_EXIT_PARTLY, "declined", VD_MSG_HINT_IMPORT_DECLINED, VD_MSG_IMPORT_DECLINED, path,
		                 vd_num(cli, m->declined - m->over_share), NULL);
	if (left_out.here)
		code = vd_refuse(cli, VD_EXIT_PARTLY, "declined", VD_MSG_HINT_IMPORT_OVER_SHARE, VD_MSG_IMPORT_OVER_SHARE, path,
		                 vd_num(cli, left_out.here), whom_it_declines(cli, &left_out), NULL);
	if (m->later)
		code = vd_refuse(cli, VD_EXIT_PARTLY, "later", VD_MSG_HINT_IMPORT_LATER, VD_MSG_IMPORT_LATER, path, vd_num(cli, m->later), NULL);
	vd_left_out_deinit(&left_out);
	return code;
}

static int count_quarantined(void *ctx, const struct vd_found *f)
{
	struct imported *im = ctx;

	im->quarantined += f->arrival <= im->merge.last_arrival;
	return 0;
}

static void drop_groups(struct imported *im)
{
	vd_bundle_groups_free(&im->groups);
	im->has_groups = false;
}

static int load_groups(struct imported *im)
{
	int rc = im->has_groups ? VD_OK : vd_bundle_groups_load(im->cli->store, &im->groups);

	im->has_groups = true;
	if (rc)
		drop_groups(im);
	return rc;
}

static bool somebody_is_out(struct vd_group *group)
{
	for (size_t i = 0; i < vd_group_device_count(group); i++)
		if (vd_group_device(group, i)->role == VD_ROLE_NONE)
			return true;
	return false;
}

/* Of what is new. What is damaged is told by who lists it. Asking opens all that came, which most groups are spared. */
static void look_for_quarantined(struct imported *im)
{
	if (load_groups(im))
		return;
	for (size_t i = 0; i < im->groups.count; i++) {
		const struct vd_query query = { .group = vd_group_id(im->groups.group[i]), .quarantined = true, .after = im->merge.first_arrival - 1 };

		if (somebody_is_out(im->groups.group[i]) && vd_query(im->cli->store, &query, count_quarantined, im) == VD_ENOMEM)
			return;
	}
}

static void say_result(struct imported *im, const struct vd_slips_taken *taken)
{
	struct vd_cli *cli = im->cli;
	const struct vd_merge *m = &im->merge;
	json_t *refusals = json_array();

	for (size_t i = 0; i < sizeof m->refused_why / sizeof *m->refused_why; i++)
		if (m->refused_why[i])
			json_array_append_new(refusals, json_pack("{s:s,s:o}", "why", vd_err_name(-(int)i), "count",
			                                          vd_json_number(m->refused_why[i])));
	if (cli->opt.json) {
		json_t *result = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O}", "new", vd_json_number(m->fresh), "known",
		                           vd_json_number(m->known), "refused", vd_json_number(m->refused), "parts_refused",
		                           vd_json_number(im->parts_refused), "quarantined",
		                           vd_json_number(im->quarantined), "salvaged", vd_json_number(im->salvaged), "filled", vd_json_number(m->filled), "pooled",
		                           vd_json_number(m->pooled), "declined", vd_json_number(m->declined), "later", vd_json_number(m->later), "refusals", refusals, "gaps", im->gaps);

		if (taken)
			json_object_set_new(result, "codes", json_pack("{s:o,s:o}", "read", vd_json_number(taken->codes), "unread",
			                                               vd_json_number(taken->unread)));
		vd_say_json(cli, result);
		return;
	}
	json_decref(refusals);
	vd_say(cli, im->dry_run ? VD_MSG_IMPORT_DRY : VD_MSG_IMPORT_DONE, vd_num(cli, m->fresh), vd_num(cli, m->known),
	       vd_num(cli, m->refused), NULL);
	if (im->quarantined)
		vd_note(cli, VD_MSG_IMPORT_QUARANTINED, vd_num(cli, im->quarantined), NULL);
	if (m->pooled)
		vd_note(cli, VD_MSG_IMPORT_POOLED, vd_num(cli, m->pooled), NULL);
	if (im->gap_count)
		vd_note(cli, im->gap_count == 1 ? VD_MSG_IMPORT_GAPS_ONE : VD_MSG_IMPORT_GAPS, vd_num(cli, im->gap_count), NULL);
}

static int merge_file(struct imported *im, const char *path, struct vd_bundle_stats *stats)
{
	struct vd_watch watch;
	int rc;

	drop_groups(im);
	rc = load_groups(im);
	im->groups.watch = vd_watch_begin(&watch, im->cli);
	if (!rc)
		rc = vd_bundle_merge_into(im->cli->store, &im->groups, path, im->dry_run, NULL, NULL, stats);
	vd_watch_end(&watch);
	im->groups.watch = NULL;
	stats->group = NULL;
	/* What was tried, or failed, may have left in a group what the store does not have. */
	if (rc || im->dry_run)
		drop_groups(im);
	return rc;
}

static int import_file(struct imported *im, const char *path)
{
	struct vd_cli *cli = im->cli;
	struct vd_bundle_stats stats;
	const char *said = vd_cli_path_said(cli, path, VD_MSG_PIPE_IN);
	int code = vd_cli_named(cli, path), held_back, rc;

	if (code)
		return code;
	if (vd_cli_is_folder(path))
		return vd_misuse(cli, VD_MSG_HINT_IS_FOLDER, VD_MSG_IS_FOLDER, path, NULL);
	memset(&stats, 0, sizeof stats);
	rc = merge_file(im, path, &stats);
	add_up(im, &stats, rc == 0 || (behind(&stats) && is_whole(rc, &stats)));
	held_back = say_held_back(cli, said, &stats.merge);
	code = say_file(cli, path, im->dry_run, rc, &stats);
	note_volume(im, said, &stats.volume, is_whole(rc, &stats) && !held_back);
	return code ? code : held_back;
}

static int import_text(struct imported *im, struct vd_slips_taken *taken)
{
	int code = vd_slips_take(im->cli, im->dry_run, taken), held_back;

	vd_merge_add(&im->merge, &taken->merge);
	held_back = say_held_back(im->cli, "--text", &taken->merge);
	return code ? code : held_back;
}

static int import_run(struct vd_cli *cli)
{
	struct imported im = { .cli = cli, .dry_run = vd_options_get(&cli->opt, VD_OPT_DRY_RUN) != NULL };
	const bool text = vd_options_get(&cli->opt, VD_OPT_TEXT) != NULL;
	struct vd_slips_taken taken = { 0 };
	int code = VD_EXIT_DONE, rc = 0;
	bool any = false;

	if (!cli->opt.arg_count && !text)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "import", NULL);
	rc = vd_cli_open(cli);
	if (rc)
		return rc;
	vd_interrupt_word(cli, im.dry_run ? VD_MSG_NONE : VD_MSG_HINT_IMPORT_STOPPED,
	                  im.dry_run ? VD_MSG_IMPORT_STOPPED_DRY : VD_MSG_IMPORT_STOPPED);
	im.gaps = taken.gaps = json_array();
	if (!im.dry_run)
		vd_cli_make_room(cli);
	if (text)
		code = import_text(&im, &taken);
	for (int i = 0; i < cli->opt.arg_count && !text; i++) {
		rc = import_file(&im, cli->opt.args[i]);
		any |= rc == VD_EXIT_DONE || rc == VD_EXIT_PARTLY;
		/* Damage and a full disk outrank the rest; unlike outcomes are "partly", if something came of one. */
		if (i == 0 || rc == VD_EXIT_NO_SPACE || (rc == VD_EXIT_INTEGRITY && code != VD_EXIT_NO_SPACE))
			code = rc;
		else if (any && rc != code && code != VD_EXIT_NO_SPACE && code != VD_EXIT_INTEGRITY)
			code = VD_EXIT_PARTLY;
	}
	look_for_volumes(&im);
	if (im.merge.first_arrival && !im.dry_run) {
		look_for_quarantined(&im);
		look_for_gaps(&im);
	}
	say_result(&im, text ? &taken : NULL);
	json_decref(im.gaps);
	free(im.sets);
	if (im.merge.fresh && !im.dry_run) {
		rc = load_groups(&im);
		vd_cli_tend_loaded(cli, &im.groups, rc);
		vd_cli_poke(cli);
	} else if (!im.dry_run) {
		vd_cli_tend_due(cli);
	}
	drop_groups(&im);
	vd_interrupt_word(cli, VD_MSG_NONE, VD_MSG_NONE);
	return code;
}

const struct vd_command vd_command_import = {
	.syntax = { "import", { VD_OPT_DRY_RUN, VD_OPT_TEXT } },
	.run = import_run, .summary = VD_MSG_SUM_IMPORT, .help = VD_MSG_HELP_IMPORT, .args_min = 0, .args_max = -1,
};
