/* sync: once, with a folder or a host. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "admin.h"
#include "declined.h"
#include "daemon/link_stick.h"
#include "daemon/link_tcp.h"
#include "mounted.h"
#include "proto/err.h"
#include "secret.h"
#include "stick_room.h"
#include "sync.h"
#include "store/inbox.h"
#include "times.h"
#include "watch.h"
#include "where.h"

static void say_outcome(struct vd_cli *cli, const char *target, const struct vd_outcome *o, const struct vd_stick_result *stick,
                        const struct vd_stick *which)
{
	json_t *line;

	if (!cli->opt.json) {
		vd_say(cli, VD_MSG_SYNC_DONE, target, vd_num(cli, o->received), vd_num(cli, o->sent), NULL);
		if (cli->opt.verbose)
			vd_say(cli, VD_MSG_SYNC_COST, vd_num(cli, o->bytes_in), vd_num(cli, o->bytes_out), vd_num(cli, o->round_trips),
			       vd_num(cli, o->elapsed_ms), NULL);
		if (o->later)
			vd_note(cli, VD_MSG_SYNC_LATER, target, vd_num(cli, o->later), NULL);
		return;
	}
	line = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "target", vd_json_text(vd_slice_str(target)), "sent",
	                 vd_json_number(o->sent), "received", vd_json_number(o->received), "declined", vd_json_number(o->declined),
	                 "later", vd_json_number(o->later), "bytes_out", vd_json_number(o->bytes_out), "bytes_in", vd_json_number(o->bytes_in), "round_trips",
	                 vd_json_number(o->round_trips), "elapsed_ms", vd_json_number(o->elapsed_ms), "complete", o->complete);
	if (line && stick) {
		json_object_set_new(line, "safe_to_remove", json_boolean(stick->safe_to_remove));
		json_object_set_new(line, "read_only", json_boolean(stick->read_only));
		json_object_set_new(line, "unsaid", json_boolean(stick->unsaid));
		json_object_set_new(line, "parts_refused", vd_json_number(stick->chunks_bad));
		json_object_set_new(line, "not_written", vd_stick_room_left(stick));
		json_object_set_new(line, "known", vd_json_number(stick->spared));
		json_object_set_new(line, "stick", which ? vd_json_hex(which->id, VD_STICK_ID_BYTES) : json_null());
	}
	vd_say_json(cli, line);
}

/* Whether it may be pulled. Of one that failed or went away the error says what is to be done, and nothing else does. */
static void say_safe(struct vd_cli *cli, const char *dir, int err, bool safe)
{
	if (!cli->opt.json && err != VD_EIO)
		vd_say(cli, safe ? VD_MSG_SYNC_SAFE : VD_MSG_SYNC_NOT_SAFE, dir, NULL);
}

static int stick_code(struct vd_cli *cli, const char *dir, int err, const struct vd_stick_result *r, struct vd_left_out *left_out)
{
	if (err == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_NO_FOLDER, VD_MSG_SYNC_NO_FOLDER, dir, NULL);
	if (r->segments_bad && r->segments_bad == r->heads_bad && (!err || err == VD_EDAMAGED))
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SYNC_HEADS, VD_MSG_SYNC_HEADS, dir,
		                 vd_num(cli, r->heads_bad), NULL);
	if ((err == VD_EDAMAGED || (!err && r->segments_bad)) && !r->chunks_bad)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SYNC_DAMAGED, VD_MSG_SYNC_DAMAGED_ALL, dir,
		                 vd_num(cli, r->segments_bad), NULL);
	if (err == VD_EDAMAGED || (!err && r->segments_bad))
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SYNC_DAMAGED, VD_MSG_SYNC_DAMAGED, dir,
		                 vd_num(cli, r->segments_bad), vd_num(cli, r->chunks_bad), vd_num(cli, r->chunks),
		                 vd_num(cli, r->chunks_bad * VD_CHUNK_BYTES), NULL);
	if (err == VD_ENOSPACE && r->full && r->unsaid)
		vd_note(cli, VD_MSG_SYNC_UNSAID_ROOM, dir, NULL);
	if (err == VD_ENOSPACE && r->full)
		return vd_stick_room_say(cli, dir, r);
	if (err && r->forgets)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_FORGETS, VD_MSG_SYNC_FORGETS, dir, NULL);
	if (err == VD_ETORN || (!err && r->segments_torn))
		return vd_refuse(cli, VD_EXIT_PARTLY, "torn", VD_MSG_HINT_SYNC_TORN, VD_MSG_SYNC_TORN, dir,
		                 vd_num(cli, r->segments_torn), NULL);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_SYNC_FAILED, dir, NULL);
	if (r->unreadable)
		return vd_refuse(cli, VD_EXIT_PARTLY, "damaged", VD_MSG_HINT_CHECK_BAD, VD_MSG_SYNC_UNREADABLE, dir, NULL);
	if (r->read_only && !r->complete)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SYNC_READ_ONLY, VD_MSG_SYNC_READ_ONLY, dir, NULL);
	if (r->unsaid && !r->read_only)
		return vd_refuse(cli, VD_EXIT_PARTLY, "unsaid", VD_MSG_HINT_SYNC_UNSAID_ROOM, VD_MSG_SYNC_UNSAID_ROOM, dir, NULL);
	if (r->unsaid)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SYNC_READ_ONLY, VD_MSG_SYNC_UNSAID, dir, NULL);
	if (r->complete)
		return vd_left_out_say(left_out, cli, dir);
	if (r->segments_untried)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SYNC_UNTRIED, VD_MSG_SYNC_UNTRIED, dir, vd_num(cli, r->segments_foreign), vd_num(cli, r->segments_untried), NULL);
	return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SYNC_PARTLY, r->others ? VD_MSG_SYNC_OTHERS : VD_MSG_SYNC_PARTLY, dir, NULL);
}

int vd_sync_folder(struct vd_cli *cli, const char *dir, uint64_t max_bytes, bool mark, uint8_t (*groups)[VD_GROUP_BYTES], size_t count, bool *full)
{
	uint64_t start = vd_time_steady_ms();
	struct vd_left_out left_out = { 0 };
	struct vd_stick_wish wish = { .max_bytes = max_bytes, .anchor = mark, .wait_ms = VD_STICK_TURN_MS };
	struct vd_stick_result r;
	struct vd_outcome o = { 0 };
	struct vd_watch watch;
	struct vd_stick which;
	char called[VD_WHERE_TEXT];
	int err, unknown, code;

	memset(&r, 0, sizeof r);
	vd_interrupt_word(cli, VD_MSG_HINT_SYNC_INTERRUPTED, VD_MSG_SYNC_INTERRUPTED);
	wish.watch = vd_watch_begin(&watch, cli);
	err = vd_stick_sync_as(cli->store, dir, &wish, &r);
	vd_interrupt_word(cli, VD_MSG_NONE, VD_MSG_NONE);
	vd_watch_end(&watch);
	if (full)
		*full = err == VD_ENOSPACE && r.full;
	if (r.busy)
		return vd_refuse(cli, VD_EXIT_BUSY, "busy", VD_MSG_HINT_SYNC_BUSY, VD_MSG_SYNC_BUSY, dir, NULL);
	unknown = err == VD_ENOTFOUND ? err : vd_stick_which(cli->store, dir, VD_STICK_TURN_MS, &which);
	/* By now somebody else may be at it. */
	if (!err && unknown != VD_ENOTFOUND && unknown != VD_EBUSY)
		err = unknown;
	o = (struct vd_outcome){ .sent = r.sent, .received = r.received, .declined = r.declined, .later = r.later, .bytes_out = r.bytes_out, .bytes_in = r.bytes_in,
	                      .elapsed_ms = vd_time_steady_ms() - start, .complete = r.complete && !err };
	if (err != VD_ENOTFOUND)
		say_outcome(cli, dir, &o, &r, unknown ? NULL : &which);
	if (!cli->opt.json && err != VD_ENOTFOUND) {
		if (!unknown)
			vd_say(cli, VD_MSG_SYNC_WHICH, dir, vd_stick_called(cli, &which, called), NULL);
		say_safe(cli, dir, err, r.safe_to_remove);
		if (r.spared)
			vd_note(cli, VD_MSG_SYNC_SPARED, dir, vd_num(cli, r.spared), NULL);
		if (r.segments_foreign && cli->opt.verbose)
			vd_note(cli, VD_MSG_SYNC_FOREIGN, vd_num(cli, r.segments_foreign), NULL);
	}
	/* A person marked it: then it is meant. */
	if (err != VD_ENOTFOUND && (unknown || !which.marked))
		vd_mounted_note(cli, dir);
	left_out.here = r.declined;
	if (r.declined)
		vd_left_out_groups(&left_out, cli, groups, count);
	code = stick_code(cli, dir, err, &r, &left_out);
	vd_left_out_deinit(&left_out);
	return code;
}

void vd_outcome_say(struct vd_cli *cli, const char *target, const struct vd_outcome *o)
{
	say_outcome(cli, target, o, NULL, NULL);
}

static bool is_serial(const char *target)
{
	return strncasecmp(target, "serial:", strlen("serial:")) == 0;
}

/* ssh://hub, serial:/dev/ttyUSB0, ftp://hub: what has a slash, and is no folder. */
static bool is_url(const char *target)
{
	size_t n = strspn(target, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return is_serial(target) || (n && strncmp(target + n, "://", 3) == 0);
}

static bool is_folder(const char *target)
{
	struct stat st;

	return !is_url(target) && (strchr(target, '/') || (stat(target, &st) == 0 && S_ISDIR(st.st_mode)));
}

int vd_sync_check_folder(struct vd_cli *cli, const char *dir)
{
	int rc = vd_mounted_check(cli, dir);

	return !rc && vd_stick_odd(dir) ? vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_CACHE, VD_MSG_SYNC_CACHE, dir, NULL) : rc;
}

/* Is it a folder, HOST:PORT or ssh://HOST, by the look of it? 0, or the exit code of what was said. */
static int check_target(struct vd_cli *cli, const char *target)
{
	const char *colon = strrchr(target, ':');

	if (vd_sync_is_ssh(target))
		return vd_sync_ssh_check(cli, target);
	if (is_serial(target))
		return vd_misuse(cli, VD_MSG_HINT_NOT_IN_VERSION, VD_MSG_SYNC_SCHEME_LATER, target, NULL);
	if (is_folder(target))
		return vd_sync_check_folder(cli, target);
	if (is_url(target) || !colon || colon == target || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
		return vd_misuse(cli, VD_MSG_HINT_SYNC_TARGET, VD_MSG_SYNC_BAD_TARGET, target, NULL);
	return 0;
}

static void note_clock(void *ctx, const char *name, const char *time)
{
	vd_note(ctx, VD_MSG_WHERE_CLOCK, name, time, NULL);
}

/* Devices whose word is not counted, as another came in their place. */
static void tell_replaced(struct vd_cli *cli, struct vd_group *group, const struct vd_custody *custody, json_t *list)
{
	size_t said = 0;

	for (size_t i = 0; i < vd_custody_count(custody); i++) {
		const struct vd_keeper *k = vd_custody_keeper(custody, i);
		char name[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];

		if (!vd_custody_replaced(group, k))
			continue;
		vd_who_person(group, k->person, name);
		vd_hex(key, k->author, VD_KEY_SHOWN);
		if (list)
			json_array_append_new(list, json_pack("{s:o,s:o}", "member", vd_json_hex(k->author, VD_KEY_BYTES), "name", vd_json_text(vd_slice_str(name))));
		else if (said++ < VD_CLOCKS_SAID)
			vd_note(cli, VD_MSG_SYNC_CHECK_REPLACED, name, key, NULL);
	}
}

/* Members whose word of what they hold is not believed for its time, and those who got another device, where something is unconfirmed: to the lists, or
 * for people. What cannot be read is left out: it but explains. */
static void tell_reasons(struct vd_cli *cli, const struct vd_stick_check *c, json_t *clocks, json_t *replaced)
{
	for (size_t i = 0; i < c->group_count; i++) {
		struct vd_custody *custody = NULL;
		struct vd_group *group = NULL;

		if (!vd_store_group(cli->store, c->groups[i], &group) && !vd_custody_open(cli->store, group, &custody))
			vd_clocks_ahead(cli, group, custody, clocks, clocks ? NULL : note_clock, cli);
		if (custody)
			tell_replaced(cli, group, custody, replaced);
		vd_custody_close(custody);
		vd_group_free(group);
	}
}

static json_t *check_json(struct vd_cli *cli, const char *dir, const struct vd_stick_check *c)
{
	json_t *clocks = json_array(), *replaced = json_array();

	tell_reasons(cli, c, clocks, replaced);
	return json_pack("{s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "target", vd_json_text(vd_slice_str(dir)), "safe_to_wipe", c->safe, "unconfirmed",
	                 vd_json_number(c->unconfirmed), "records", vd_json_number(c->records), "not_here", vd_json_number(c->absent + c->left), "closed",
	                 vd_json_number(c->foreign), "damaged", vd_json_number(c->bad), "clocks", clocks, "replaced", replaced,
	                 "waiting", vd_json_number(c->waiting), "lapsed", vd_json_number(c->lapsed));
}

/* vereda sync --check DIR */
static int check_folder(struct vd_cli *cli, const char *dir)
{
	struct vd_stick_check c;
	int err = vd_stick_check(cli->store, dir, &c), code;

	if (err == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_NO_FOLDER, VD_MSG_SYNC_NO_FOLDER, dir, NULL);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_SYNC_CHECK_FAILED, dir, NULL);
	if (cli->opt.json)
		vd_say_json(cli, check_json(cli, dir, &c));
	vd_mounted_note(cli, dir);
	if (c.safe) {
		if (!cli->opt.json)
			vd_say(cli, c.records ? VD_MSG_SYNC_CHECK_SAFE : VD_MSG_SYNC_CHECK_EMPTY, dir, vd_num(cli, c.records), NULL);
		if (!cli->opt.json && c.waiting)
			vd_say(cli, VD_MSG_SYNC_CHECK_WAITING, dir, vd_num(cli, c.waiting), NULL);
		if (!cli->opt.json && c.lapsed)
			vd_say(cli, VD_MSG_SYNC_CHECK_LAPSED, vd_num(cli, c.lapsed), NULL);
		return VD_EXIT_DONE;
	}
	if (c.absent)
		return vd_refuse(cli, VD_EXIT_PARTLY, "unconfirmed", VD_MSG_HINT_SYNC_CHECK_ABSENT, VD_MSG_SYNC_CHECK_ABSENT, dir, vd_num(cli, c.absent), NULL);
	if (c.left)
		return vd_refuse(cli, VD_EXIT_PARTLY, "unconfirmed", VD_MSG_HINT_SYNC_CHECK_LEFT, VD_MSG_SYNC_CHECK_LEFT, dir, vd_num(cli, c.left), NULL);
	if (c.unconfirmed) {
		code = vd_refuse(cli, VD_EXIT_PARTLY, "unconfirmed", VD_MSG_HINT_SYNC_CHECK_UNCONFIRMED, VD_MSG_SYNC_CHECK_UNCONFIRMED, dir,
		                 vd_num(cli, c.unconfirmed), vd_num(cli, c.records), NULL);
		if (!cli->opt.json)
			tell_reasons(cli, &c, NULL, NULL);
		return code;
	}
	if (c.bad)
		return vd_refuse(cli, VD_EXIT_PARTLY, "unconfirmed", VD_MSG_HINT_SYNC_CHECK_BAD, VD_MSG_SYNC_CHECK_BAD, dir, vd_num(cli, c.bad), NULL);
	return vd_refuse(cli, VD_EXIT_PARTLY, "unconfirmed", VD_MSG_HINT_SYNC_CHECK_FOREIGN, VD_MSG_SYNC_CHECK_FOREIGN, dir, vd_num(cli, c.foreign), NULL);
}

static int check_run(struct vd_cli *cli)
{
	const char *dir = vd_options_get(&cli->opt, VD_OPT_CHECK);
	bool behind = !*dir && cli->opt.arg_count > 0; /* sync DIR --check */
	int rc;

	if (vd_options_get(&cli->opt, VD_OPT_STDIO))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_SYNC_CHECK_STDIO, "sync", NULL);
	if (cli->opt.arg_count > behind)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_EXTRA, "sync", cli->opt.args[behind], NULL);
	if (behind)
		dir = cli->opt.args[0];
	if (!*dir)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_OPTION_NEEDS_VALUE, "sync", "--check", NULL);
	if (!is_folder(dir))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_SYNC_CHECK_ONLY_FOLDER, "sync", dir, NULL);
	rc = vd_sync_check_folder(cli, dir);
	if (!rc)
		rc = vd_cli_open(cli);
	return rc ? rc : check_folder(cli, dir);
}

static int sync_one(struct vd_cli *cli, const char *target, uint64_t max_bytes, uint8_t (*groups)[VD_GROUP_BYTES], size_t count)
{
	int code = check_target(cli, target);

	if (code)
		return code;
	if (vd_sync_is_ssh(target))
		return vd_sync_ssh(cli, target, groups, count);
	if (is_folder(target))
		return vd_sync_folder(cli, target, max_bytes, false, groups, count, NULL);
	return vd_sync_host(cli, target, groups, count);
}

/* --- while the store is locked --- */

/* Is there no way to open it but for what a person may type? */
static bool is_locked(struct vd_cli *cli)
{
	return vd_vault_exists(cli->home) && !cli->store && !cli->opt.passphrase_file && !cli->opt.passphrase_fd && !vd_secret_is_lent(cli);
}

static int count_folders(struct vd_cli *cli)
{
	int count = 0;

	for (int i = 0; i < cli->opt.arg_count; i++)
		count += is_folder(cli->opt.args[i]);
	return count;
}

static int carry(struct vd_cli *cli, const char *dir)
{
	uint64_t start = vd_time_steady_ms();
	char said[VD_SIZE_SAID];
	struct vd_inbox_result r;
	int err = vd_inbox_exchange(cli->home, dir, &r);

	if (err == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_NO_FOLDER, VD_MSG_SYNC_NO_FOLDER, dir, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:b}", "target", vd_json_text(vd_slice_str(dir)), "locked", true,
		                           "files_sent", vd_json_number(r.sent), "files_received", vd_json_number(r.received), "bytes_out",
		                           vd_json_number(r.bytes_out), "bytes_in", vd_json_number(r.bytes_in), "elapsed_ms",
		                           vd_json_number(vd_time_steady_ms() - start), "complete", false, "safe_to_remove", r.safe_to_remove,
		                           "read_only", r.read_only));
	else
		vd_say(cli, VD_MSG_SYNC_CARRIED, dir, vd_num(cli, r.received), vd_num(cli, r.sent), NULL);
	say_safe(cli, dir, err, r.safe_to_remove);
	if (err == VD_ENOSPACE && r.at_reserve)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "space", VD_MSG_HINT_SYNC_LEFT_RESERVE, VD_MSG_SYNC_LEFT_RESERVE, dir, vd_num(cli, r.left),
		                 vd_num(cli, r.unsent), vd_size_said(cli, r.reserve_bytes, said), NULL);
	if (err == VD_ENOSPACE && (r.left || r.unsent))
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "space", VD_MSG_HINT_SYNC_LEFT, VD_MSG_SYNC_LEFT, dir, vd_num(cli, r.left),
		                 vd_num(cli, r.unsent), NULL);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_SYNC_FAILED, dir, NULL);
	vd_note(cli, VD_MSG_SYNC_CARRIED_NOTE, NULL);
	return VD_EXIT_PARTLY;
}

static int carry_one(struct vd_cli *cli, const char *target)
{
	int code = check_target(cli, target);

	if (code)
		return code;
	if (is_folder(target))
		return carry(cli, target);
	return vd_refuse(cli, VD_EXIT_KEY, "locked", VD_MSG_HINT_LOCKED, VD_MSG_LOCKED, cli->home, NULL);
}

/* Sticks can be served without a key; everything else says that it is locked. */
static int carry_all(struct vd_cli *cli)
{
	int worst = VD_EXIT_DONE;

	for (int i = 0; i < cli->opt.arg_count; i++) {
		int code = carry_one(cli, cli->opt.args[i]);

		if (code && (!worst || worst == VD_EXIT_PARTLY))
			worst = code;
	}
	return worst;
}

/* What was carried here while it was locked is judged before anything is exchanged; where the daemon is at it, that is as good. */
static void take_in_inbox(struct vd_cli *cli)
{
	struct vd_inbox_taken taken;

	(void)vd_inbox_take_in(cli->store, NULL, &taken); /* a disk that fails says so in what follows; what was not taken waits */
}

static int sync_run(struct vd_cli *cli)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	uint64_t max_bytes;
	size_t count = 0;
	int code = VD_EXIT_DONE, done = 0, rc;
	bool stdio = vd_options_get(&cli->opt, VD_OPT_STDIO) != NULL;
	struct vd_ends ends;

	if (vd_options_get(&cli->opt, VD_OPT_CHECK))
		return check_run(cli);
	if (stdio) {
		rc = vd_sync_stdio_begin(cli, &ends);
		if (rc)
			return rc;
	} else if (cli->opt.arg_count == 0) {
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "sync", NULL);
	}
	rc = vd_stick_room(cli, count_folders(cli) > 0 && count_folders(cli) == cli->opt.arg_count, &max_bytes);
	if (rc)
		return rc;
	if (!stdio && is_locked(cli) && (count_folders(cli) || !vd_can_ask(cli))) {
		/* Who carries a stick for others need not be able to open the store. */
		rc = vd_can_ask(cli) ? vd_cli_open_or_not(cli, VD_MSG_ASK_PASSPHRASE_OR_CARRY) : 0;
		if (rc || !cli->store)
			return rc ? rc : max_bytes ? vd_misuse(cli, VD_MSG_HINT_LOCKED, VD_MSG_SYNC_MAX_FOLDER, NULL) : carry_all(cli);
	}
	rc = vd_cli_groups(cli, groups, &count);
	if (rc)
		return rc;
	take_in_inbox(cli);
	if (count == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "no-group", VD_MSG_HINT_NO_GROUP, VD_MSG_NO_GROUP, NULL);
	vd_cli_make_room(cli);
	if (stdio)
		code = vd_sync_pipe(cli, &ends, groups, count);
	for (int i = 0; i < cli->opt.arg_count; i++) {
		rc = sync_one(cli, cli->opt.args[i], max_bytes, groups, count);
		done += rc == VD_EXIT_DONE;
		if (rc && !code)
			code = rc;
	}
	vd_cli_tend(cli);
	vd_cli_poke(cli);
	if (!code || !done)
		return code;
	/* Some targets went well: partly done, whatever befell the others. */
	return VD_EXIT_PARTLY;
}

const struct vd_command vd_command_sync = {
	.syntax = { "sync", { VD_OPT_MAX, VD_OPT_CHECK, VD_OPT_STDIO } },
	.run = sync_run, .summary = VD_MSG_SUM_SYNC, .help = VD_MSG_HELP_SYNC, .args_max = -1,
};
