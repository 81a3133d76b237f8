/* id, group, join: this device and its groups. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "store/bundle.h"
#include "times.h"
#include "welcome.h"

static int id_run(struct vd_cli *cli)
{
	struct vd_identity identity;
	struct vd_card card;
	char text[VD_CARD_TEXT + 1];
	int rc = vd_cli_open(cli);

	if (rc)
		return rc;
	rc = vd_store_next_identity(cli->store, &identity);
	if (!rc)
		rc = vd_card_create(&identity, &card);
	vd_identity_wipe(&identity);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ID_FAILED, NULL);
	vd_card_text(&card, text);
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:s}", "id", text));
	} else {
		vd_say_text(cli, vd_slice_str(text), false);
		vd_say_raw(cli, vd_slice_str("\n"));
		if (vd_options_get(&cli->opt, VD_OPT_QR))
			rc = vd_say_qr(cli, text);
		vd_note(cli, VD_MSG_ID_NEXT, NULL);
	}
	return rc;
}

const struct vd_command vd_command_id = {
	.syntax = { "id", { VD_OPT_QR } },
	.run = id_run, .summary = VD_MSG_SUM_ID, .help = VD_MSG_HELP_ID,
};

static json_t *group_json(struct vd_group *group)
{
	return json_pack("{s:o,s:o,s:s}", "group", vd_json_hex(vd_group_id(group), VD_GROUP_BYTES), "name",
	                 vd_json_text(vd_slice_str(vd_group_name(group))), "role", vd_role_word(vd_group_role(group)));
}

static int group_create(struct vd_cli *cli)
{
	const char *name = cli->opt.args[1], *member = vd_options_get(&cli->opt, VD_OPT_NAME);
	uint8_t id[VD_GROUP_BYTES], device[VD_STORE_DEVICE_BYTES];
	char device_name[VD_DEVICE_NAME_MAX + 1];
	struct vd_group *group = NULL;
	int rc;

	if (!vd_name_ok(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, name, NULL);
	rc = member ? vd_cli_new_name(cli, member) : 0;
	if (!rc)
		rc = vd_cli_open(cli);
	if (rc)
		return rc;
	vd_store_device(cli->store, device, device_name);
	if (!member)
		member = device_name[0] ? device_name : vd_role_word(VD_ROLE_COORDINATOR);
	rc = vd_cli_new_name(cli, member);
	if (rc)
		return rc;
	rc = vd_store_found(cli->store, name, member, vd_time_now_ms(), id);
	if (!rc)
		rc = vd_store_group(cli->store, id, &group);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FOUND_FAILED, name, NULL);
	cli->done = VD_MSG_FOUNDED_UNSAID;
	snprintf(cli->done_what, sizeof cli->done_what, "%s", name);
	if (cli->opt.json)
		vd_say_json(cli, group_json(group));
	else
		vd_say(cli, VD_MSG_GROUP_FOUNDED, name, member, NULL);
	vd_group_free(group);
	vd_cli_poke(cli);
	return VD_EXIT_DONE;
}

static int group_list(struct vd_cli *cli)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc = vd_cli_groups(cli, groups, &count);

	if (rc)
		return rc;
	if (count == 0)
		vd_note(cli, VD_MSG_START_NO_GROUP, NULL);
	for (size_t i = 0; i < count; i++) {
		struct vd_group *group = NULL;
		char id[13];

		rc = vd_store_group(cli->store, groups[i], &group);
		if (rc)
			return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
		vd_hex(id, groups[i], 6);
		if (cli->opt.json)
			vd_say_json(cli, group_json(group));
		else
			vd_say(cli, VD_MSG_GROUP_LINE, *vd_group_name(group) ? vd_group_name(group) : vd_text(cli->lang, VD_MSG_UNNAMED), id, vd_text(cli->lang, vd_role_text(vd_group_role(group))), NULL);
		vd_group_free(group);
	}
	return VD_EXIT_DONE;
}

static int group_rotate(struct vd_cli *cli)
{
	uint8_t epoch[VD_EPOCH_BYTES];
	char room[VD_WHO_TEXT];
	struct vd_group *group = NULL;
	int err, rc = vd_cli_group(cli, &group);

	if (!rc)
		rc = vd_cli_coordinator(cli, group, false);
	if (!rc)
		rc = vd_cli_brake(cli, group);
	if (rc)
		goto done;
	err = vd_act_rotate(cli->store, group, vd_time_now_ms(), epoch);
	if (err) {
		rc = vd_fail(cli, err, VD_MSG_NONE, VD_MSG_ROTATE_FAILED, NULL);
		goto done;
	}
	vd_cli_poke(cli);
	if (cli->opt.json) {
		json_t *out = group_json(group);

		json_object_set_new(out, "epoch", vd_json_hex(epoch, sizeof epoch));
		vd_say_json(cli, out);
	} else {
		vd_say(cli, VD_MSG_ROTATED, vd_group_called(cli, group, room), NULL);
	}
done:
	vd_group_free(group);
	return rc;
}

static int group_run(struct vd_cli *cli)
{
	static const char *const subcommands[] = { "create", "list", "rotate", "paper", "recover", NULL };
	const char *what = cli->opt.args[0], *near;

	if (strcmp(what, "create") == 0 && cli->opt.arg_count == 2)
		return group_create(cli);
	if (strcmp(what, "create") == 0)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "group", NULL);
	if (strcmp(what, "list") == 0 && cli->opt.arg_count == 1)
		return group_list(cli);
	if (strcmp(what, "rotate") == 0 && cli->opt.arg_count == 1)
		return group_rotate(cli);
	if (strcmp(what, "paper") == 0 && cli->opt.arg_count == 1)
		return vd_group_paper(cli);
	if (strcmp(what, "recover") == 0)
		return cli->opt.arg_count == 2 ? vd_group_recover(cli) :
		                                 vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "group", NULL);
	near = vd_options_nearest(what, subcommands);
	if (near && strcmp(near, what) != 0)
		return vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_GROUP_SUBCOMMAND, what, near, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_GROUP_SUBCOMMAND, "group", what, NULL);
}

const struct vd_command vd_command_group = {
	.syntax = { "group", { VD_OPT_NAME, VD_OPT_WORDS_FILE } },
	.run = group_run, .summary = VD_MSG_SUM_GROUP, .help = VD_MSG_HELP_GROUP, .args_min = 1, .args_max = 2,
};

int vd_welcome_words(struct vd_cli *cli, struct vd_group *group, const uint8_t newcomer[VD_KEY_BYTES], const struct vd_id *grant,
                     char words[VD_WORDS_TEXT])
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival, received_ms;
	int rc = vd_store_find(cli->store, grant, &arrival);

	if (!rc)
		rc = vd_store_read(cli->store, arrival, &raw, &record, &received_ms);
	if (!rc)
		vd_words(vd_group_id(group), record.author, newcomer, grant->b, words);
	vd_buf_deinit(&raw);
	return rc;
}

/* Does the welcome grant the identity by which this device is in the group? */
static bool grants_us(const struct vd_batch *control, struct vd_group *group, const struct vd_id *grant)
{
	for (size_t i = 0; i < control->count; i++)
		if (memcmp(control->entries[i].record.id.b, grant->b, VD_ID_BYTES) == 0)
			return vd_group_is_grant_for(&control->entries[i].record, vd_group_identity(group)->author);
	return false;
}

/* What this device is in the group. */
static const char *said_role(struct vd_cli *cli, struct vd_group *group, char room[VD_ROLE_TEXT])
{
	const struct vd_device *own = vd_group_find(group, vd_group_identity(group)->author);

	return vd_role_said(cli, vd_group_role(group), own && own->flags & VD_GRANT_FOCAL, room);
}

static int join_run(struct vd_cli *cli)
{
	const char *path = cli->opt.args[0];
	uint8_t id[VD_GROUP_BYTES];
	struct vd_id grant;
	struct vd_batch control = { 0 };
	struct vd_group *group = NULL;
	char words[VD_WORDS_TEXT], called[VD_WHO_TEXT], role[VD_ROLE_TEXT];
	bool already;
	int rc = vd_cli_named(cli, path);

	if (!rc)
		rc = vd_cli_open(cli);
	if (rc)
		return rc;
	if (vd_cli_is_folder(path))
		return vd_misuse(cli, VD_MSG_HINT_IS_FOLDER, VD_MSG_IS_FOLDER, path, NULL);
	rc = vd_welcome_read(cli->store, path, id, grant.b, &control);
	if (!rc)
		rc = vd_store_join(cli->store, id, &control, grant.b);
	if (rc == VD_ETORN || rc == VD_EDAMAGED || rc == VD_EFORMAT) {
		rc = vd_refuse(cli, VD_EXIT_INTEGRITY, rc == VD_ETORN ? "torn" : "integrity", VD_MSG_HINT_JOIN_SPOILT,
		               rc == VD_ETORN ? VD_MSG_JOIN_TORN : VD_MSG_JOIN_SPOILT, path, NULL);
		goto done;
	}
	if (rc == VD_EKEY) {
		rc = vd_fail(cli, rc, VD_MSG_HINT_JOIN_NOT_OURS, VD_MSG_JOIN_NOT_OURS, path, NULL);
		goto done;
	}
	already = rc == VD_EEXISTS;
	if (already)
		rc = 0;
	if (!rc)
		rc = vd_store_group(cli->store, id, &group);
	if (!rc && already) {
		vd_batch_seal(&control);
		if (!grants_us(&control, group, &grant)) {
			char self[2 * VD_KEY_SHOWN + 1];

			vd_hex(self, vd_group_identity(group)->author, VD_KEY_SHOWN);
			rc = vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_JOIN_OTHER, VD_MSG_JOIN_OTHER, vd_group_called(cli, group, called),
			               said_role(cli, group, role), self, NULL);
			goto done;
		}
	}
	if (!rc)
		rc = vd_welcome_words(cli, group, vd_group_identity(group)->author, &grant, words);
	if (rc) {
		rc = vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_JOIN_FAILED, path, NULL);
		goto done;
	}
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
	if (cli->opt.json) {
		json_t *out = group_json(group);

		json_object_set_new(out, "words", json_string(words));
		vd_say_json(cli, out);
	} else {
		vd_say(cli, already ? VD_MSG_JOIN_ALREADY : VD_MSG_JOIN_DONE, vd_group_called(cli, group, called),
		       said_role(cli, group, role), NULL);
		if (vd_group_role(group) == VD_ROLE_REPORTER || vd_group_role(group) == VD_ROLE_COURIER)
			vd_say(cli, vd_group_role(group) == VD_ROLE_REPORTER ? VD_MSG_JOIN_REPORTER : VD_MSG_JOIN_COURIER, NULL);
		vd_say(cli, VD_MSG_WORDS, words, NULL);
		vd_say(cli, VD_MSG_JOIN_NEXT, NULL);
	}
done:
	vd_group_free(group);
	vd_batch_deinit(&control);
	return rc;
}

const struct vd_command vd_command_join = {
	.syntax = { "join", { VD_OPT_NONE } },
	.run = join_run, .summary = VD_MSG_SUM_JOIN, .help = VD_MSG_HELP_JOIN, .args_min = 1, .args_max = 1,
};
