/* export, import: sealed files for any channel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "declined.h"
#include "heard.h"
#include "proto/err.h"
#include "store/bundle.h"
#include "times.h"
#include "watch.h"

struct wanted {
	struct vd_cli *cli;
	struct vd_group *group;
	bool has_since;
	uint64_t since_ms;
	uint64_t matched;           /* that are no control records */
	struct vd_buf room;
	const char *for_whom;       /* --for; NULL: everyone */
	uint8_t devices[VD_SLOTS - 1][VD_KEY_BYTES];
	size_t device_count;
};

static bool is_of_kinds(struct wanted *w, const struct vd_record *r)
{
	struct vd_content content;

	if (w->cli->opt.arg_count == 1)
		return true;
	vd_buf_reset(&w->room);
	if (vd_group_open_body(w->group, r, &w->room) || vd_content_decode(vd_buf_slice(&w->room), &content))
		return false;
	for (int i = 1; i < w->cli->opt.arg_count; i++)
		if (vd_slice_eq(content.kind, vd_slice_str(w->cli->opt.args[i])))
			return true;
	return false;
}

/* Control records always go along: whoever reads the rest needs them. */
static bool wants(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct wanted *w = ctx;

	(void)arrival;
	if (r->lane == VD_LANE_CONTROL)
		return true;
	if ((w->has_since && r->time_ms < w->since_ms) || !is_of_kinds(w, r))
		return false;
	w->matched++;
	return true;
}

/* May the bundle go there? What is there already stays, unless --yes. */
static int check_place(struct vd_cli *cli, const char *path)
{
	int rc = vd_cli_new_file(cli, path);

	if (!rc && access(path, F_OK) == 0 && !cli->opt.yes)
		rc = vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_EXPORT_EXISTS, VD_MSG_EXPORT_EXISTS, path, NULL);
	return rc;
}

/* The devices of the member of --for: none that was removed, nor paper, which has a slot in every bundle. */
static int find_devices(struct wanted *w)
{
	struct vd_cli *cli = w->cli;
	uint8_t person[VD_PERSON_BYTES];
	size_t paper = 0;
	int rc = vd_cli_member(cli, w->for_whom, person);

	if (rc)
		return rc;
	for (size_t i = 0; i < vd_group_device_count(w->group); i++) {
		const struct vd_device *d = vd_group_device(w->group, i);

		if (memcmp(d->person, person, VD_PERSON_BYTES) != 0 || d->role == VD_ROLE_NONE || !vd_seal_box_ok(d->box))
			continue;
		if (d->flags & VD_GRANT_PAPER)
			paper++;
		else if (w->device_count == VD_SLOTS - 1)
			return vd_refuse(cli, VD_EXIT_FAILED, "too-large", VD_MSG_HINT_EXPORT_FOR_MANY, VD_MSG_EXPORT_FOR_MANY, w->for_whom,
			                 vd_num(cli, VD_SLOTS - 1), NULL);
		else
			memcpy(w->devices[w->device_count++], d->author, VD_KEY_BYTES);
	}
	if (w->device_count || paper)
		return 0;
	return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_EXPORT_FOR_REMOVED, VD_MSG_EXPORT_FOR_REMOVED, w->for_whom, NULL);
}

/* Who is not known to have the keys that the bundle is sealed with. NULL: no memory, or unread. */
static json_t *without_keys(struct wanted *w)
{
	const uint8_t *epoch = vd_group_current_epoch(w->group);
	json_t *names = NULL;
	struct vd_heard heard;
	size_t act = 0, count;
	int rc = vd_heard_init(&heard, w->cli, w->group);

	/* What cannot be read only makes somebody seem not to have them. */
	if (rc && rc != VD_EDAMAGED)
		return NULL;
	while (epoch && act < heard.act_count && memcmp(vd_group_act(w->group, act)->id.b, epoch, VD_EPOCH_BYTES) != 0)
		act++;
	names = epoch && act < heard.act_count ? vd_heard_not(&heard, act, &count) : json_array();
	vd_heard_deinit(&heard);
	return names;
}

static void say_without(struct vd_cli *cli, json_t *names)
{
	struct vd_buf list = { 0 };
	json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		if (i)
			vd_buf_put_slice(&list, vd_slice_str(", "));
		vd_buf_put_slice(&list, vd_slice_str(json_string_value(name)));
	}
	vd_buf_put_u8(&list, 0);
	if (list.failed && !cli->out_error)
		cli->out_error = ENOMEM;
	if (json_array_size(names) && !list.failed)
		vd_note(cli, json_array_size(names) == 1 ? VD_MSG_EXPORT_WITHOUT_ONE : VD_MSG_EXPORT_WITHOUT, vd_num(cli, json_array_size(names)),
		        (const char *)list.p, NULL);
	vd_buf_deinit(&list);
}

static void say_export(struct vd_cli *cli, struct wanted *w, const char *path, bool to_stdout, const struct vd_bundle_stats *stats)
{
	json_t *result, *without = w->for_whom ? NULL : without_keys(w);

	/* The file stands; rather a failure than silence on who cannot open it. */
	if (!w->for_whom && !without && !cli->out_error)
		cli->out_error = ENOMEM;
	if (!cli->opt.json) {
		enum vd_msg done = w->for_whom ? VD_MSG_EXPORT_FOR_DONE : VD_MSG_EXPORT_DONE;
		const char *records = vd_num(cli, stats->records), *bytes = vd_num(cli, stats->bytes);

		if (to_stdout)
			vd_note(cli, done, records, bytes, path, w->for_whom, NULL);
		else
			vd_say(cli, done, records, bytes, path, w->for_whom, NULL);
		say_without(cli, without);
	} else {
		result = json_pack("{s:o,s:o,s:i}", "records", vd_json_number(stats->records), "bytes", vd_json_number(stats->bytes),
		                   "files", 1);
		if (without)
			json_object_set(result, "without_keys", without);
		(to_stdout ? vd_note_json : vd_say_json)(cli, result);
	}
	json_decref(without);
	if (!w->matched)
		vd_note(cli, VD_MSG_EXPORT_ONLY_MEMBERSHIP, path, NULL);
}

static int export_run(struct vd_cli *cli)
{
	const char *path = cli->opt.args[0], *since = vd_options_get(&cli->opt, VD_OPT_SINCE);
	bool to_stdout = strcmp(path, "-") == 0;
	struct wanted w = { .cli = cli, .has_since = since != NULL, .for_whom = vd_options_get(&cli->opt, VD_OPT_FOR) };
	struct vd_bundle_choice choice = { .want = wants, .ctx = &w };
	struct vd_bundle_stats stats;
	int rc;

	if (since && vd_time_parse(since, vd_time_now_ms(), true, &w.since_ms))
		return vd_misuse(cli, VD_MSG_HINT_TIME, VD_MSG_BAD_TIME, since, NULL);
	if (to_stdout && isatty(STDOUT_FILENO))
		return vd_misuse(cli, VD_MSG_HINT_EXPORT_TTY, VD_MSG_EXPORT_TTY, NULL);
	rc = to_stdout ? 0 : check_place(cli, path);
	for (int i = 1; i < cli->opt.arg_count && !rc; i++)
		rc = vd_cli_kind(cli, cli->opt.args[i]);
	if (!rc)
		rc = vd_cli_group(cli, &w.group);
	if (!rc && w.for_whom)
		rc = find_devices(&w);
	if (rc) {
		vd_group_free(w.group);
		return rc;
	}
	if (w.for_whom) {
		choice.devices = (const uint8_t (*)[VD_KEY_BYTES])w.devices;
		choice.device_count = w.device_count;
	}
	memset(&stats, 0, sizeof stats);
	rc = vd_bundle_write(cli->store, w.group, VD_SEALED_BUNDLE, &choice, path, !to_stdout, &stats);
	vd_buf_deinit(&w.room);
	if (!rc || stats.unreadable)
		say_export(cli, &w, path, to_stdout, &stats);
	vd_group_free(w.group);
	if (rc && !stats.unreadable)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_EXPORT_FAILED, path, NULL);
	/* All that could be read is in it. */
	return stats.unreadable ?
	       vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_CHECK_BAD, VD_MSG_EXPORT_UNREADABLE, path, NULL) :
	       VD_EXIT_DONE;
}

const struct vd_command vd_command_export = {
	.syntax = { "export", { VD_OPT_FOR, VD_OPT_SINCE } },
	.run = export_run, .summary = VD_MSG_SUM_EXPORT, .help = VD_MSG_HELP_EXPORT, .args_min = 1, .args_max = -1,
};

/* What all files of one import came to. */
struct imported {
	struct vd_cli *cli;
	bool dry_run;
	struct vd_merge merge;
	uint64_t quarantined;       /* of the fresh ones */
	uint64_t salvaged;
	json_t *gaps;
	uint64_t gap_count;
	struct vd_id last;          /* the record before, while looking for gaps */
};

enum { GAPS_TOLD = 1000 };

/* A fresh record whose predecessor we lack: something is still on its way. */
static int look_for_gap(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct imported *im = ctx;
	struct vd_record r;
	uint64_t found;
	bool follows;

	(void)received_ms;
	if (arrival > im->merge.last_arrival || im->gap_count == GAPS_TOLD)
		return 1;
	if (vd_record_decode(raw, &r))
		return 0;
	follows = r.has_prev && memcmp(r.prev.b, im->last.b, VD_ID_BYTES) == 0;
	im->last = r.id;
	if (follows || (r.has_prev && vd_store_find(im->cli->store, &r.prev, &found) != VD_ENOTFOUND) || (!r.has_prev && r.seq == 1))
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
	if (im->merge.gaps)
		(void)vd_store_walk(im->cli->store, NULL, 255, im->merge.first_arrival - 1, look_for_gap, im);
	if (im->gap_count == GAPS_TOLD)
		im->gap_count = im->merge.gaps;
}

static void add_up(struct imported *im, const struct vd_bundle_stats *s, bool whole)
{
	vd_merge_add(&im->merge, &s->merge);
	if (!whole)
		im->salvaged += s->merge.fresh + s->merge.known;
}

static int say_file(struct vd_cli *cli, const char *path, int err, const struct vd_bundle_stats *s)
{
	const struct vd_merge *m = &s->merge;
	uint64_t kept = m->fresh + m->known;

	switch (err) {
	case 0: break;
	case VD_ETORN:
		return vd_refuse(cli, VD_EXIT_PARTLY, "torn", VD_MSG_HINT_IMPORT_TORN, VD_MSG_IMPORT_TORN, path, vd_num(cli, kept),
		                 vd_num(cli, s->chunks_ok), NULL);
	case VD_EDAMAGED:
		if (s->head_bad && !s->chunks_bad)
			return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_HEAD, VD_MSG_IMPORT_HEAD, path, vd_num(cli, kept), NULL);
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_DAMAGED, VD_MSG_IMPORT_DAMAGED, path,
		                 vd_num(cli, kept), vd_num(cli, s->chunks_bad), vd_num(cli, s->chunks_ok + s->chunks_bad),
		                 vd_num(cli, s->bytes_bad), NULL);
	case VD_EKEY:
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_IMPORT_NOT_OURS, VD_MSG_IMPORT_NOT_OURS, path, NULL);
	case VD_EFORMAT:
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_IMPORT_NO_BUNDLE, VD_MSG_IMPORT_NO_BUNDLE, path, NULL);
	default: return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_IMPORT_FAILED, path, NULL);
	}
	if (m->refused)
		return vd_refuse(cli, m->refused_why[-VD_ESIGNATURE] ? VD_EXIT_INTEGRITY : VD_EXIT_PARTLY,
		                 m->refused_why[-VD_ESIGNATURE] ? "integrity" : "partly", VD_MSG_HINT_IMPORT_REFUSED,
		                 VD_MSG_IMPORT_REFUSED, path, vd_num(cli, m->refused), NULL);
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
	vd_left_out_deinit(&left_out);
	return code;
}

static int count_quarantined(void *ctx, const struct vd_found *f)
{
	struct imported *im = ctx;

	im->quarantined += f->arrival <= im->merge.last_arrival;
	return 0;
}

static bool somebody_is_out(struct vd_cli *cli, const uint8_t id[VD_GROUP_BYTES])
{
	struct vd_group *group = NULL;
	bool out = false;

	if (vd_store_group(cli->store, id, &group))
		return false;
	for (size_t i = 0; i < vd_group_device_count(group) && !out; i++)
		out = vd_group_device(group, i)->role == VD_ROLE_NONE;
	vd_group_free(group);
	return out;
}

/* Of what is new. What is damaged is told by who lists it. Asking opens all that came, which most groups are spared. */
static void look_for_quarantined(struct imported *im)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int ignored = vd_store_groups(im->cli->store, groups, &count);

	for (size_t i = 0; i < count && !ignored; i++) {
		const struct vd_query query = { .group = groups[i], .quarantined = true, .after = im->merge.first_arrival - 1 };

		if (somebody_is_out(im->cli, groups[i]) && vd_query(im->cli->store, &query, count_quarantined, im) == VD_ENOMEM)
			return;
	}
}

static void say_result(struct imported *im)
{
	struct vd_cli *cli = im->cli;
	const struct vd_merge *m = &im->merge;
	json_t *refusals = json_array();

	for (size_t i = 0; i < sizeof m->refused_why / sizeof *m->refused_why; i++)
		if (m->refused_why[i])
			json_array_append_new(refusals, json_pack("{s:s,s:o}", "why", vd_err_name(-(int)i), "count",
			                                          vd_json_number(m->refused_why[i])));
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:O}", "new", vd_json_number(m->fresh), "known",
		                           vd_json_number(m->known), "refused", vd_json_number(m->refused), "quarantined",
		                           vd_json_number(im->quarantined), "salvaged", vd_json_number(im->salvaged), "filled", vd_json_number(m->filled), "pooled",
		                           vd_json_number(m->pooled), "declined", vd_json_number(m->declined), "refusals", refusals, "gaps", im->gaps));
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
		vd_note(cli, VD_MSG_IMPORT_GAPS, vd_num(cli, im->gap_count), NULL);
}

static int merge_file(struct vd_cli *cli, const char *path, bool dry_run, struct vd_bundle_stats *stats)
{
	struct vd_bundle_groups groups;
	struct vd_watch watch;
	int rc = vd_bundle_groups_load(cli->store, &groups);

	groups.watch = vd_watch_begin(&watch, cli);
	if (!rc)
		rc = vd_bundle_merge_into(cli->store, &groups, path, dry_run, NULL, NULL, stats);
	vd_watch_end(&watch);
	stats->group = NULL;
	vd_bundle_groups_free(&groups);
	return rc;
}

static int import_run(struct vd_cli *cli)
{
	struct imported im = { .cli = cli, .dry_run = vd_options_get(&cli->opt, VD_OPT_DRY_RUN) != NULL };
	int code = VD_EXIT_DONE, held_back, rc = vd_cli_open(cli);

	if (rc)
		return rc;
	im.gaps = json_array();
	for (int i = 0; i < cli->opt.arg_count; i++) {
		struct vd_bundle_stats stats;

		memset(&stats, 0, sizeof stats);
		if (vd_cli_is_folder(cli->opt.args[i])) {
			rc = vd_misuse(cli, VD_MSG_HINT_IS_FOLDER, VD_MSG_IS_FOLDER, cli->opt.args[i], NULL);
			code = i == 0 ? rc : VD_EXIT_PARTLY;
			continue;
		}
		rc = merge_file(cli, cli->opt.args[i], im.dry_run, &stats);
		add_up(&im, &stats, rc == 0);
		held_back = say_held_back(cli, cli->opt.args[i], &stats.merge);
		rc = say_file(cli, cli->opt.args[i], rc, &stats);
		rc = rc ? rc : held_back;
		/* Damage and a full disk outrank the rest; unlike outcomes are "partly". */
		if (i == 0 || rc == VD_EXIT_NO_SPACE || (rc == VD_EXIT_INTEGRITY && code != VD_EXIT_NO_SPACE))
			code = rc;
		else if (rc != code && code != VD_EXIT_NO_SPACE && code != VD_EXIT_INTEGRITY)
			code = VD_EXIT_PARTLY;
	}
	if (im.merge.first_arrival && !im.dry_run) {
		look_for_quarantined(&im);
		look_for_gaps(&im);
	}
	say_result(&im);
	json_decref(im.gaps);
	if (im.merge.fresh && !im.dry_run) {
		vd_cli_tend(cli);
		vd_cli_poke(cli);
	} else if (!im.dry_run) {
		vd_cli_tend_due(cli);
	}
	return code;
}

const struct vd_command vd_command_import = {
	.syntax = { "import", { VD_OPT_DRY_RUN } },
	.run = import_run, .summary = VD_MSG_SUM_IMPORT, .help = VD_MSG_HELP_IMPORT, .args_min = 1, .args_max = -1,
};
