/* group paper, group recover: a coordinator's key that exists only as words, so that a group outlives its laptops. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "store/bundle.h"
#include "store/file.h"
#include "times.h"

enum { WORDS_ROOM = 1024, WORDS_LINE = 256 };

static int say_paper(struct vd_cli *cli, struct vd_group *group, const char *words)
{
	char room[VD_WHO_TEXT], line[VD_PAPER_TEXT];
	size_t n = 0, from = 0;
	int rc;

	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:s,s:s}", "group", vd_json_hex(vd_group_id(group), VD_GROUP_BYTES), "name",
		                           vd_json_text(vd_slice_str(vd_group_name(group))), "role", vd_role_word(vd_group_role(group)),
		                           "paper", words));
		return VD_EXIT_DONE;
	}
	vd_say(cli, VD_MSG_PAPER_WORDS, vd_group_called(cli, group, room), NULL);
	/* Four to a line, numbered: so they are copied and read back without losing the place. */
	for (size_t i = 0; words[i]; i++) {
		if (words[i + 1] && words[i + 1] != ' ')
			continue;
		snprintf(line, sizeof line, "%s%2zu %-12.*s", n % 4 ? "" : "   ", n + 1, (int)(i + 1 - from), words + from);
		vd_say_raw(cli, vd_slice_str(line));
		if (++n % 4 == 0)
			vd_say_raw(cli, vd_slice_str("\n"));
		from = i + 2;
	}
	sodium_memzero(line, sizeof line);
	vd_say_raw(cli, vd_slice_str("\n"));
	rc = vd_say_qr(cli, words);
	vd_say(cli, VD_MSG_PAPER_KEEP, NULL);
	return rc;
}

int vd_group_paper(struct vd_cli *cli)
{
	struct vd_group *group = NULL;
	char words[VD_PAPER_TEXT];
	int err, rc = vd_cli_group(cli, &group);

	if (!rc)
		rc = vd_cli_coordinator(cli, group, false);
	/* Into a file or a pipe only for who says so: the words are the group. */
	if (!rc && !cli->opt.yes && !isatty(STDOUT_FILENO))
		rc = vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_PAPER_TTY, VD_MSG_PAPER_TTY, NULL);
	if (!rc)
		rc = vd_cli_brake(cli, group);
	if (rc)
		goto done;
	err = vd_act_paper(cli->store, group, vd_time_now_ms(), words);
	if (err) {
		rc = vd_fail(cli, err, VD_MSG_NONE, VD_MSG_PAPER_FAILED, NULL);
		goto done;
	}
	cli->done = VD_MSG_PAPER_UNSAID;
	rc = say_paper(cli, group, words);
	vd_say_flush(cli);
	sodium_memzero(words, sizeof words);
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
done:
	vd_group_free(group);
	return rc;
}

/* --- words back --- */

/* From a person, a line or several; nothing of it appears. */
static int ask_words(struct vd_cli *cli, char room[WORDS_ROOM])
{
	char line[WORDS_LINE];
	int rc = 0;

	room[0] = '\0';
	while (!rc && vd_paper_count(room) < VD_PAPER_WORDS) {
		if (!vd_ask(cli, true, line, sizeof line, VD_MSG_PAPER_ASK, vd_num(cli, vd_paper_count(room)), vd_num(cli, VD_PAPER_WORDS)) ||
		    strlen(room) + strlen(line) + 2 > WORDS_ROOM || vd_paper_count(line) == 0) {
			rc = vd_interrupted() ? VD_EXIT_INTERRUPTED : vd_misuse(cli, VD_MSG_HINT_PAPER_WORDS, VD_MSG_PAPER_NO_WORDS, NULL);
		} else {
			strcat(room, line);
			strcat(room, " ");
		}
	}
	sodium_memzero(line, sizeof line);
	return rc;
}

static int take_words(struct vd_cli *cli, char room[WORDS_ROOM])
{
	const char *path = vd_options_get(&cli->opt, VD_OPT_WORDS_FILE);
	struct vd_buf text = { 0 };
	int rc;

	if (!path && isatty(STDIN_FILENO)) {
		if (vd_can_ask(cli))
			return ask_words(cli, room);
		return vd_misuse(cli, VD_MSG_HINT_PAPER_WORDS, VD_MSG_PAPER_NO_WORDS, NULL);
	}
	rc = vd_file_read(path ? path : "-", WORDS_ROOM - 1, &text);
	if (!rc && text.n) {
		memcpy(room, text.p, text.n);
		room[text.n] = '\0';
	}
	vd_buf_wipe(&text);
	return rc ? vd_fail(cli, rc, VD_MSG_HINT_PAPER_WORDS, VD_MSG_PAPER_FILE, path ? path : "-", NULL) : 0;
}

static int wrong_words(struct vd_cli *cli, int err, size_t count, size_t wrong)
{
	if (err != VD_EFORMAT)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_RECOVER_FAILED, cli->opt.args[1], NULL);
	if (!count)
		return vd_misuse(cli, VD_MSG_HINT_PAPER_WORDS, VD_MSG_PAPER_NO_WORDS, NULL);
	if (count != VD_PAPER_WORDS)
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_PAPER_COUNT, VD_MSG_PAPER_COUNT, vd_num(cli, count),
		                 vd_num(cli, VD_PAPER_WORDS), NULL);
	if (wrong)
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_PAPER_WRONG, VD_MSG_PAPER_WRONG, vd_num(cli, wrong), NULL);
	return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_PAPER_WRONG, VD_MSG_PAPER_SUM, NULL);
}

int vd_cli_paper(struct vd_cli *cli, struct vd_identity *out)
{
	char words[WORDS_ROOM] = "";
	size_t wrong = 0;
	int err, rc = take_words(cli, words);

	if (!rc) {
		err = vd_paper_identity(words, out, &wrong);
		rc = err ? wrong_words(cli, err, vd_paper_count(words), wrong) : 0;
	}
	sodium_memzero(words, sizeof words);
	return rc;
}

static int recover_failed(struct vd_cli *cli, int err, const char *path)
{
	switch (err) {
	case VD_EKEY: return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_RECOVER_KEY, VD_MSG_RECOVER_KEY, path, NULL);
	case VD_EAUTHOR: return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_RECOVER_REMOVED, VD_MSG_RECOVER_REMOVED, NULL);
	case VD_ESIGNATURE:
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_RECOVER_FORGED, VD_MSG_RECOVER_FORGED, path, NULL);
	case VD_EEXISTS: return vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_RECOVER_EXISTS, VD_MSG_RECOVER_EXISTS, NULL);
	case VD_EFORMAT:
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_RECOVER_KEY, VD_MSG_RECOVER_NO_BUNDLE, path, NULL);
	case VD_ETORN:
	case VD_EDAMAGED:
		return vd_refuse(cli, VD_EXIT_INTEGRITY, err == VD_ETORN ? "torn" : "integrity", VD_MSG_HINT_RECOVER_SPOILT,
		                 VD_MSG_RECOVER_SPOILT, path, NULL);
	default: return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_RECOVER_FAILED, path, NULL);
	}
}

/* The rest of the file, now that its keys are here. What is damaged in it can be had from others; a stick is for sync. */
static uint64_t take_rest(struct vd_cli *cli, const char *path)
{
	struct vd_bundle_stats stats;
	int rc;

	if (vd_cli_is_folder(path))
		return 0;
	memset(&stats, 0, sizeof stats);
	rc = vd_bundle_merge(cli->store, path, false, NULL, &stats);
	if (rc)
		vd_note(cli, VD_MSG_IMPORT_FAILED, path, NULL);
	return stats.merge.fresh;
}

static int say_recovered(struct vd_cli *cli, const uint8_t id[VD_GROUP_BYTES], uint64_t records)
{
	struct vd_group *group = NULL;
	const struct vd_device *own;
	char room[VD_WHO_TEXT], who[VD_WHO_TEXT];
	int rc = vd_store_group(cli->store, id, &group);

	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
	vd_cli_tend_group(cli, group);
	vd_who(group, vd_group_identity(group)->author, who);
	own = vd_group_find(group, vd_group_identity(group)->author);
	if (own)
		vd_who_person(group, own->person, who); /* as all list them, whatever this device is called */
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:s,s:o,s:o}", "group", vd_json_hex(id, VD_GROUP_BYTES), "name",
		                           vd_json_text(vd_slice_str(vd_group_name(group))), "role", vd_role_word(vd_group_role(group)),
		                           "member_name", vd_json_text(vd_slice_str(who)), "records", vd_json_number(records)));
	else
		vd_say(cli, VD_MSG_RECOVERED, vd_group_called(cli, group, room), who,
		       vd_text(cli->lang, vd_role_text(vd_group_role(group))), NULL);
	vd_group_free(group);
	return VD_EXIT_DONE;
}

/* This device is in the group already: as a coordinator perhaps because an earlier run was interrupted before it had taken in the rest of the file. */
static uint64_t go_on(struct vd_cli *cli, const uint8_t id[VD_GROUP_BYTES], const char *path)
{
	struct vd_group *group = NULL;
	bool leads = !vd_store_group(cli->store, id, &group) && vd_group_role(group) == VD_ROLE_COORDINATOR;

	vd_group_free(group);
	return leads ? take_rest(cli, path) : 0;
}

int vd_group_recover(struct vd_cli *cli)
{
	const char *path = cli->opt.args[1], *name = vd_options_get(&cli->opt, VD_OPT_NAME);
	struct vd_identity paper;
	uint8_t id[VD_GROUP_BYTES];
	uint64_t records;
	int err, rc;

	rc = name ? vd_cli_new_name(cli, name) : 0;
	if (!rc)
		rc = vd_cli_open(cli);
	if (!rc && access(path, R_OK) != 0)
		rc = vd_fail(cli, vd_file_errno(errno), VD_MSG_NONE, VD_MSG_RECOVER_FAILED, path, NULL);
	if (!rc)
		rc = vd_cli_paper(cli, &paper);
	if (rc)
		return rc;
	err = vd_act_recover(cli->store, &paper, path, name, vd_time_now_ms(), id);
	vd_identity_wipe(&paper);
	if (err && err != VD_EEXISTS)
		return recover_failed(cli, err, path);
	records = err ? go_on(cli, id, path) : take_rest(cli, path);
	if (err && !records)
		return recover_failed(cli, err, path);
	cli->done = VD_MSG_RECOVERED_UNSAID;
	rc = say_recovered(cli, id, records);
	vd_cli_poke(cli);
	return rc;
}
