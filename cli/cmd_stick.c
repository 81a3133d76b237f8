/* stick: those that a person marked, so that they sync by themselves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "daemon/link_stick.h"
#include "desktop.h"
#include "proto/err.h"
#include "sync.h"
#include "times.h"
#include "where.h"

static json_t *stick_json(const struct vd_stick *stick)
{
	return json_pack("{s:o,s:b,s:o,s:o,s:o}", "name", vd_json_text(vd_slice_str(stick->name)), "marked", stick->marked, "id",
	                 vd_json_hex(stick->id, VD_STICK_ID_BYTES), "first_seen", vd_json_time(stick->first_ms), "last_seen",
	                 vd_json_time(stick->seen_ms));
}

/* By its name, or what it is called without one. VD_ENOTFOUND, or what reading them fails with. */
static int find_called(struct vd_cli *cli, const char *word, struct vd_stick *out)
{
	char called[VD_WHERE_TEXT];
	struct vd_stick *all = NULL;
	size_t count = 0, i = 0;
	int rc = vd_sticks(cli->store, &all, &count);

	while (i < count && strcmp(vd_stick_called(cli, &all[i], called), word) != 0)
		i++;
	if (i < count)
		*out = all[i];
	else if (!rc)
		rc = VD_ENOTFOUND;
	free(all);
	return rc;
}

/* So, or by the folder it stands in. What is wrong was said. */
static int find_stick(struct vd_cli *cli, const char *which, struct vd_stick *out)
{
	int rc = find_called(cli, which, out);

	if (rc == VD_ENOTFOUND)
		rc = vd_stick_which(cli->store, which, VD_STICK_TURN_MS, out);
	if (rc == VD_ENOTFOUND || rc == VD_EINVAL)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_STICK_LIST, VD_MSG_STICK_NO_SUCH, which, NULL);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, which, NULL) : 0;
}

/* A stick is known by what this device has seen on it, so it is visited first; whatever there is to be said of that is said. */
static int visit(struct vd_cli *cli, const char *dir, bool mark, bool *full)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc = vd_sync_check_folder(cli, dir);

	if (!rc)
		rc = vd_cli_groups(cli, groups, &count);
	if (!rc && count == 0)
		rc = vd_refuse(cli, VD_EXIT_FAILED, "no-group", VD_MSG_HINT_NO_GROUP, VD_MSG_NO_GROUP, NULL);
	if (rc)
		return rc;
	rc = vd_sync_folder(cli, dir, 0, mark, groups, count, full);
	vd_cli_tend(cli);
	vd_cli_poke(cli);
	return rc;
}

static int stick_mark(struct vd_cli *cli)
{
	const char *dir = cli->opt.args[1], *name = vd_options_get(&cli->opt, VD_OPT_NAME);
	struct vd_stick stick, other;
	int rc, known, code;
	bool taken;

	if (!name)
		return vd_misuse(cli, VD_MSG_HINT_STICK_NAME, VD_MSG_STICK_NAMELESS, NULL);
	if (!vd_name_ok(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, name, NULL);
	rc = vd_cli_open(cli);
	if (rc)
		return rc;
	if (!vd_cli_is_folder(dir))
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_SYNC_NO_FOLDER, VD_MSG_SYNC_NO_FOLDER, dir, NULL);
	/* Before --yes is asked for, for another reason. */
	rc = vd_sync_check_folder(cli, dir);
	if (rc)
		return rc;
	known = vd_stick_which(cli->store, dir, VD_STICK_TURN_MS, &stick);
	if (known == VD_EBUSY)
		return vd_refuse(cli, VD_EXIT_BUSY, "busy", VD_MSG_HINT_SYNC_BUSY, VD_MSG_SYNC_BUSY, dir, NULL);
	rc = find_called(cli, name, &other);
	taken = !rc && (known || memcmp(stick.id, other.id, VD_STICK_ID_BYTES) != 0);
	if (rc && rc != VD_ENOTFOUND)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, dir, NULL);
	/* Of two with one name nobody could tell which is done. One that was wiped is another one, and takes the name over. */
	if (taken && !cli->opt.yes)
		return vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_STICK_TAKEN, VD_MSG_STICK_TAKEN, name, NULL);
	code = visit(cli, dir, true, NULL);
	if (code == VD_EXIT_BUSY)
		return code;
	rc = vd_stick_which(cli->store, dir, VD_STICK_TURN_MS, &stick);
	/* It could not be told from a copy, nor at all once others have taken away what this device saw there. */
	if (rc == VD_ENOTFOUND || (!rc && !stick.anchored))
		return vd_refuse(cli, code ? (enum vd_exit)code : VD_EXIT_FAILED, "not-found", VD_MSG_HINT_STICK_UNKNOWN, VD_MSG_STICK_UNKNOWN, dir, NULL);
	stick.marked = true;
	snprintf(stick.name, sizeof stick.name, "%s", name);
	if (!rc && taken)
		rc = vd_stick_forget(cli->store, other.id);
	if (!rc)
		rc = vd_stick_put(cli->store, &stick);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, dir, NULL);
	if (cli->opt.json)
		vd_say_json(cli, stick_json(&stick));
	else
		vd_say(cli, VD_MSG_STICK_MARKED, dir, name, NULL);
	return code;
}

/* Opens the store and finds the stick that the command line names: 0, or the exit code of what was said. */
static int open_stick(struct vd_cli *cli, const char **which, struct vd_stick *out)
{
	int rc = vd_cli_open(cli);

	*which = cli->opt.args[1];
	return rc ? rc : find_stick(cli, *which, out);
}

static int stick_unmark(struct vd_cli *cli)
{
	const char *which;
	struct vd_stick stick;
	int rc = open_stick(cli, &which, &stick);

	if (rc)
		return rc;
	stick.marked = false;
	rc = vd_stick_put(cli->store, &stick);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, which, NULL);
	if (cli->opt.json)
		vd_say_json(cli, stick_json(&stick));
	else
		vd_say(cli, VD_MSG_STICK_UNMARKED, stick.name[0] ? stick.name : which, NULL);
	return VD_EXIT_DONE;
}

static int stick_forget(struct vd_cli *cli)
{
	const char *which;
	struct vd_stick stick;
	int rc = open_stick(cli, &which, &stick);

	if (rc)
		return rc;
	rc = vd_stick_forget(cli->store, stick.id);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, which, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:b}", "name", vd_json_text(vd_slice_str(stick.name)), "id",
		                           vd_json_hex(stick.id, VD_STICK_ID_BYTES), "forgotten", true));
	else
		vd_say(cli, VD_MSG_STICK_FORGOTTEN, which, NULL);
	return VD_EXIT_DONE;
}

static int stick_list(struct vd_cli *cli)
{
	struct vd_stick *all = NULL;
	size_t count = 0;
	int rc = vd_cli_open(cli);

	if (rc)
		return rc;
	rc = vd_sticks(cli->store, &all, &count);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_LIST_FAILED, NULL);
	for (size_t i = 0; i < count; i++) {
		char seen[VD_TIME_TEXT], called[VD_WHERE_TEXT];

		if (cli->opt.json) {
			vd_say_json(cli, stick_json(&all[i]));
			continue;
		}
		vd_time_local(all[i].seen_ms, seen);
		vd_say(cli, all[i].marked ? VD_MSG_STICK_LINE_MARKED : VD_MSG_STICK_LINE,
		       vd_stick_called(cli, &all[i], called), seen, NULL);
	}
	if (!count)
		vd_note(cli, VD_MSG_STICK_NONE, NULL);
	free(all);
	return VD_EXIT_DONE;
}

/* What a unit runs when a stick was plugged in: one that nobody marked is left alone, and that is no failure. */
static int stick_sync(struct vd_cli *cli)
{
	const char *dir = cli->opt.args[1];
	struct vd_stick stick;
	int code = vd_cli_open(cli), rc;
	bool full = false;

	if (code)
		return code;
	rc = vd_stick_which(cli->store, dir, VD_STICK_TURN_MS, &stick);
	if (!rc && stick.marked) {
		code = visit(cli, dir, false, &full);
		vd_desktop_say(cli, full ? VD_MSG_STICK_FULL : !code ? VD_MSG_STICK_DONE : code == VD_EXIT_PARTLY ? VD_MSG_STICK_PARTLY : VD_MSG_STICK_NOT_DONE,
		               NULL);
		return code;
	}
	if (rc == VD_EBUSY)
		return vd_refuse(cli, VD_EXIT_BUSY, "busy", VD_MSG_HINT_SYNC_BUSY, VD_MSG_SYNC_BUSY, dir, NULL);
	if (rc && rc != VD_ENOTFOUND)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_STICK_FAILED, dir, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:b}", "target", vd_json_text(vd_slice_str(dir)), "marked", false));
	else
		vd_say(cli, VD_MSG_STICK_LEFT_ALONE, dir, NULL);
	return VD_EXIT_DONE;
}

/* For veredad, which may start no program itself: tells the desktop what it reads, a line a stick: how it went. Which one is not said: programs get what
 * they are to show as arguments, which everybody on this machine sees. No store is opened. */
static int stick_tell(struct vd_cli *cli)
{
	static const struct {
		const char *word;
		enum vd_msg text;
	} known[] = { { "done", VD_MSG_STICK_DONE }, { "partly", VD_MSG_STICK_PARTLY }, { "full", VD_MSG_STICK_FULL }, { "failed", VD_MSG_STICK_NOT_DONE } };
	char line[16];

	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof known / sizeof *known; i++)
			if (strcmp(line, known[i].word) == 0)
				vd_desktop_say(cli, known[i].text, NULL);
	}
	return VD_EXIT_DONE;
}

static int stick_run(struct vd_cli *cli)
{
	static const struct {
		const char *word;
		int args;
		int (*run)(struct vd_cli *);
	} all[] = { { "mark", 2, stick_mark }, { "unmark", 2, stick_unmark }, { "forget", 2, stick_forget }, { "list", 1, stick_list }, { "sync", 2, stick_sync },
		    { "tell", 1, stick_tell } };
	static const char *const names[] = { "mark", "unmark", "forget", "list", "sync", NULL };
	const char *what = cli->opt.args[0], *near;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(what, all[i].word) == 0)
			return cli->opt.arg_count == all[i].args ? all[i].run(cli) :
			                                           vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "stick", NULL);
	near = vd_options_nearest(what, names);
	if (near && strcmp(near, what) != 0)
		return vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_STICK_SUBCOMMAND, what, near, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_STICK_SUBCOMMAND, "stick", what, NULL);
}

const struct vd_command vd_command_stick = {
	.syntax = { "stick", { VD_OPT_NAME } },
	.run = stick_run, .summary = VD_MSG_SUM_STICK, .help = VD_MSG_HELP_STICK, .args_min = 1, .args_max = 2,
};
