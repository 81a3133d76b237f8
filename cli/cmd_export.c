/* export: sealed files for any channel, and one record on paper. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "heard.h"
#include "known.h"
#include "proto/err.h"
#include "sizes.h"
#include "slips.h"
#include "store/bundle.h"
#include "times.h"

enum { RECEIPT_BYTES = 32 * 1024 }; /* of what devices hold: it must not make a small file a large one */

struct wanted {
	struct vd_cli *cli;
	struct vd_group *group;
	bool has_since;
	uint64_t since_ms;
	uint64_t matched;           /* that are no control records */
	struct vd_buf room, whole;
	struct vd_id of;            /* whose part was asked about last, and whether that is of the kinds */
	bool of_asked, of_is;
	const char *for_whom;       /* --for: how that person is called; NULL: everyone */
	char whom[VD_WHO_TEXT];
	uint8_t devices[VD_SLOTS - 1][VD_KEY_BYTES];
	size_t device_count;
	struct vd_known known;      /* what they have */
	uint64_t known_count;       /* left out, as they have it */
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

/* A part of a file is asked for with what it belongs to, and comes after that or beside its other parts. */
static bool belongs_to_kinds(struct wanted *w, const struct vd_record *r)
{
	struct vd_record whole;
	struct vd_part part;
	uint64_t arrival, received_ms;

	if (w->cli->opt.arg_count == 1 || !vd_record_part(r, &part))
		return is_of_kinds(w, r);
	if (!w->of_asked || memcmp(&w->of, &part.of, sizeof w->of) != 0) {
		vd_buf_reset(&w->whole);
		w->of = part.of;
		w->of_asked = true;
		w->of_is = !vd_store_find(w->cli->store, &part.of, &arrival) &&
		           !vd_store_read(w->cli->store, arrival, &w->whole, &whole, &received_ms) && is_of_kinds(w, &whole);
	}
	return w->of_is;
}

/* Control records always go along, but to who has them: whoever reads the rest needs them. Redactions too: what one of them hides may be in it. */
static bool wants(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct wanted *w = ctx;
	struct vd_id hidden;

	if (r->lane != VD_LANE_CONTROL) {
		bool asked = (!w->has_since || r->time_ms >= w->since_ms) && belongs_to_kinds(w, r);

		if (!asked && !vd_record_redacts(r, &hidden))
			return false;
		w->matched += asked;
	}
	if (!vd_known_has(&w->known, arrival, r))
		return true;
	w->known_count++;
	return false;
}

/* May the bundle go there? What is there already stays, unless --yes. */
static int check_place(struct vd_cli *cli, const char *path)
{
	int rc = vd_cli_new_file(cli, path);

	if (!rc && access(path, F_OK) == 0 && !cli->opt.yes)
		rc = vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_EXPORT_EXISTS, VD_MSG_EXPORT_EXISTS, path, NULL);
	return rc;
}

/* Any of them: who made fewer this time would pass on some of the last time. */
static int check_volumes(struct vd_cli *cli, const char *path)
{
	int rc = 0;

	for (size_t i = 1; i <= VD_VOLUMES_MAX && !rc; i++) {
		char *name = vd_volume_path(path, i);

		if (!name)
			return vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_EXPORT_FAILED, path, NULL);
		rc = check_place(cli, name);
		free(name);
	}
	return rc;
}

static int say_removed(struct vd_cli *cli, const char *whom)
{
	return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_EXPORT_FOR_REMOVED, VD_MSG_EXPORT_FOR_REMOVED, whom, NULL);
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

		/* Who names one device means it, and not the others of that person. */
		if (d->role == VD_ROLE_NONE && vd_cli_is_prefix(w->for_whom, d->author, VD_KEY_BYTES))
			return say_removed(cli, w->for_whom);
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
	if (!w->device_count && !paper)
		return say_removed(cli, w->for_whom);
	vd_who_person(w->group, person, w->whom);
	w->for_whom = w->whom;
	return 0;
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

static json_t *volume_names(const char *path, uint64_t count)
{
	json_t *names = json_array();

	for (size_t i = 1; i <= count; i++) {
		char *name = vd_volume_path(path, i);

		if (!name)
			vd_json_lacks();
		json_array_append_new(names, name ? json_string(name) : NULL);
		free(name);
	}
	return names;
}

static void say_export(struct vd_cli *cli, struct wanted *w, const char *path, bool volumes, const struct vd_bundle_stats *stats)
{
	json_t *result, *without = w->for_whom ? NULL : without_keys(w);
	const bool to_stdout = strcmp(path, "-") == 0;
	const char *said = vd_cli_path_said(cli, path, VD_MSG_PIPE_OUT);

	/* The file stands; rather a failure than silence on who cannot open it. */
	if (!w->for_whom && !without && !cli->out_error)
		cli->out_error = ENOMEM;
	if (!cli->opt.json) {
		enum vd_msg done = w->for_whom ? VD_MSG_EXPORT_FOR_DONE : VD_MSG_EXPORT_DONE;
		const char *records = vd_num(cli, stats->records), *bytes = vd_num(cli, stats->bytes);

		if (to_stdout)
			vd_note(cli, done, records, bytes, said, w->for_whom, NULL);
		else
			vd_say(cli, done, records, bytes, path, w->for_whom, NULL);
		if (volumes)
			vd_say(cli, VD_MSG_EXPORT_VOLUMES, vd_num(cli, stats->files), path, NULL);
		say_without(cli, without);
	} else {
		result = json_pack("{s:o,s:o,s:o}", "records", vd_json_number(stats->records), "bytes", vd_json_number(stats->bytes),
		                   "files", vd_json_number(stats->files));
		if (w->for_whom)
			json_object_set_new(result, "known", vd_json_number(w->known_count));
		if (volumes)
			json_object_set_new(result, "names", volume_names(path, stats->files));
		if (without)
			json_object_set(result, "without_keys", without);
		(to_stdout ? vd_note_json : vd_say_json)(cli, result);
	}
	json_decref(without);
	if (w->known_count)
		vd_note(cli, VD_MSG_EXPORT_KNOWN, vd_num(cli, w->known_count), w->for_whom, NULL);
	if (!w->matched)
		vd_note(cli, VD_MSG_EXPORT_ONLY_MEMBERSHIP, said, NULL);
}

static int volume_size(struct vd_cli *cli, const char *path, uint64_t *bytes)
{
	const char *size = vd_options_get(&cli->opt, VD_OPT_VOLUMES);
	char least[VD_SIZE_TEXT];

	*bytes = 0;
	if (!size)
		return 0;
	vd_size_text(VD_VOLUME_LEAST, least);
	if (strcmp(path, "-") == 0)
		return vd_misuse(cli, VD_MSG_HINT_EXPORT_TTY, VD_MSG_EXPORT_VOLUMES_PIPE, NULL);
	if (!vd_size_parse(size, bytes) || *bytes < VD_VOLUME_LEAST)
		return vd_misuse(cli, VD_MSG_HINT_EXPORT_VOLUMES, VD_MSG_EXPORT_VOLUMES_SIZE, size, least, NULL);
	return 0;
}

/* Is it a volume, one of our groups'? Whatever is damaged in it. */
static bool is_volume(struct vd_cli *cli, struct vd_bundle_groups *groups, const char *path)
{
	struct vd_bundle_stats stats = { 0 };
	int ignored = vd_bundle_merge_into(cli->store, groups, path, true, NULL, NULL, &stats);

	(void)ignored;
	return stats.volume.count != 0;
}

/* The rest of an older and longer set would be passed on with this one, and its others miss for ever. */
static void remove_older(struct vd_cli *cli, const char *path, uint64_t count)
{
	struct vd_bundle_groups groups;
	uint64_t removed = 0;
	int rc = vd_bundle_groups_load(cli->store, &groups);

	for (size_t i = count + 1; i <= VD_VOLUMES_MAX && !rc; i++) {
		char *name = vd_volume_path(path, i);

		if (!name)
			rc = VD_ENOMEM;
		else if (access(name, F_OK) == 0 && is_volume(cli, &groups, name) && unlink(name) == 0)
			removed++;
		else if (access(name, F_OK) == 0)
			vd_note(cli, VD_MSG_EXPORT_VOLUMES_BESIDE, name, NULL);
		free(name);
	}
	vd_bundle_groups_free(&groups);
	if (rc && !cli->out_error)
		cli->out_error = ENOMEM;
	if (removed)
		vd_note(cli, VD_MSG_EXPORT_VOLUMES_OLDER, vd_num(cli, removed), NULL);
}

/* An interruption ends it in good order: nothing half made stays. */
static bool stop(void)
{
	return vd_interrupted();
}

static int say_failed(struct vd_cli *cli, int err, const char *path, bool volumes, const struct vd_bundle_stats *stats)
{
	if (err == VD_ECLOSED && vd_interrupted())
		return vd_refuse(cli, VD_EXIT_INTERRUPTED, "interrupted", VD_MSG_HINT_BACKUP_STOPPED, VD_MSG_BACKUP_STOPPED, NULL);
	if (err == VD_ECAP && volumes)
		return vd_misuse(cli, VD_MSG_HINT_EXPORT_VOLUMES, VD_MSG_EXPORT_VOLUMES_MANY, vd_num(cli, VD_VOLUMES_MAX), NULL);
	if (stats->files && volumes)
		vd_note(cli, VD_MSG_EXPORT_VOLUMES_UNDONE, vd_num(cli, stats->files), NULL);
	if (err == VD_ECLOSED)
		return vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_EXPORT_READER_GONE, VD_MSG_EXPORT_READER_GONE, NULL);
	return vd_fail(cli, err, VD_MSG_NONE, strcmp(path, "-") == 0 ? VD_MSG_EXPORT_OUT_FAILED : VD_MSG_EXPORT_FAILED, path, NULL);
}

static int write_bundle(struct wanted *w, const char *path, uint64_t volume_bytes)
{
	struct vd_cli *cli = w->cli;
	struct vd_bundle_choice choice = { .want = wants, .ctx = w, .volume_bytes = volume_bytes };
	struct vd_bundle_stats stats = { 0 };
	struct vd_receipts receipts;
	int rc = vd_receipts_gather(cli->store, w->group, vd_time_now_ms(), RECEIPT_BYTES, NULL, NULL, &receipts);

	choice.receipts = receipts.list;
	choice.receipt_count = receipts.count;
	if (!rc && w->for_whom) {
		choice.devices = (const uint8_t (*)[VD_KEY_BYTES])w->devices;
		choice.device_count = w->device_count;
		if (!vd_options_get(&cli->opt, VD_OPT_ALL))
			rc = vd_known_init(&w->known, cli->store, w->group, choice.devices, choice.device_count);
	}
	/* Who waits for a pipe is not to wait for that. */
	if (strcmp(path, "-") != 0) {
		vd_interrupt_graceful(true);
		choice.stop = stop;
	}
	if (!rc)
		rc = vd_bundle_write(cli->store, w->group, VD_SEALED_BUNDLE, &choice, path, strcmp(path, "-") != 0, &stats);
	vd_interrupt_graceful(false);
	vd_known_deinit(&w->known);
	vd_buf_deinit(&w->room);
	vd_buf_deinit(&w->whole);
	vd_receipts_deinit(&receipts);
	if ((!rc || stats.unreadable) && volume_bytes && cli->opt.yes)
		remove_older(cli, path, stats.files);
	if (!rc || stats.unreadable)
		say_export(cli, w, path, volume_bytes != 0, &stats);
	if (rc && !stats.unreadable)
		return say_failed(cli, rc, path, volume_bytes != 0, &stats);
	/* All that could be read is in it. */
	return stats.unreadable ?
	       vd_refuse(cli, VD_EXIT_PARTLY, "damaged", VD_MSG_HINT_CHECK_BAD, VD_MSG_EXPORT_UNREADABLE,
	                 vd_cli_path_said(cli, path, VD_MSG_PIPE_OUT), NULL) :
	       VD_EXIT_DONE;
}

/* vereda export --qr ID */
static int export_qr(struct vd_cli *cli)
{
	static const enum vd_opt others[] = { VD_OPT_FOR, VD_OPT_SINCE, VD_OPT_VOLUMES, VD_OPT_ALL };

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (vd_options_get(&cli->opt, others[i]) || cli->opt.arg_count > 1)
			return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_EXPORT_QR_ALONE, "export", NULL);
	return vd_slips_print(cli, cli->opt.args[0]);
}

static int export_run(struct vd_cli *cli)
{
	const char *path = cli->opt.args[0], *since = vd_options_get(&cli->opt, VD_OPT_SINCE);
	struct wanted w = { .cli = cli, .has_since = since != NULL, .for_whom = vd_options_get(&cli->opt, VD_OPT_FOR) };
	uint64_t volume_bytes = 0;
	int rc;

	if (vd_options_get(&cli->opt, VD_OPT_QR))
		return export_qr(cli);
	if (since && vd_time_parse(since, vd_time_now_ms(), true, &w.since_ms))
		return vd_misuse(cli, VD_MSG_HINT_TIME, VD_MSG_BAD_TIME, since, NULL);
	rc = vd_cli_named(cli, path);
	if (!rc)
		rc = volume_size(cli, path, &volume_bytes);
	if (!rc && volume_bytes)
		rc = check_volumes(cli, path);
	else if (!rc && strcmp(path, "-") != 0)
		rc = check_place(cli, path);
	else if (!rc && isatty(STDOUT_FILENO))
		rc = vd_misuse(cli, VD_MSG_HINT_EXPORT_TTY, VD_MSG_EXPORT_TTY, NULL);
	for (int i = 1; i < cli->opt.arg_count && !rc; i++)
		rc = vd_cli_kind(cli, cli->opt.args[i]);
	if (!rc)
		rc = vd_cli_group(cli, &w.group);
	if (!rc && w.for_whom)
		rc = find_devices(&w);
	if (!rc)
		rc = write_bundle(&w, path, volume_bytes);
	vd_group_free(w.group);
	return rc;
}

const struct vd_command vd_command_export = {
	.syntax = { "export", { VD_OPT_FOR, VD_OPT_ALL, VD_OPT_SINCE, VD_OPT_VOLUMES, VD_OPT_QR } },
	.run = export_run, .summary = VD_MSG_SUM_EXPORT, .help = VD_MSG_HELP_EXPORT, .args_min = 1, .args_max = -1,
};
