/* id, group, admit, join, members: who belongs. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "cli.h"
#include "proto/err.h"
#include "store/bundle.h"
#include "times.h"

static int id_run(struct vd_cli *cli)
{
	struct vd_identity identity;
	struct vd_card card;
	char text[VD_CARD_TEXT + 1];
	int rc = vd_cli_open(cli);

	if (rc)
		return rc;
	if (vd_options_get(&cli->opt, VD_OPT_QR))
		return vd_misuse(cli, VD_MSG_HINT_NOT_IN_VERSION, VD_MSG_NOT_IN_VERSION, "--qr", NULL);
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
		vd_note(cli, VD_MSG_ID_NEXT, NULL);
	}
	return VD_EXIT_DONE;
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

	if (!vd_name_ok(name) || (member && !vd_name_ok(member)))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, vd_name_ok(name) ? member : name, NULL);
	rc = vd_cli_open(cli);
	if (rc)
		return rc;
	vd_store_device(cli->store, device, device_name);
	if (!member)
		member = device_name[0] ? device_name : vd_role_word(VD_ROLE_COORDINATOR);
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
			vd_say(cli, VD_MSG_GROUP_LINE, vd_group_name(group), id, vd_text(cli->lang, vd_role_text(vd_group_role(group))), NULL);
		vd_group_free(group);
	}
	return VD_EXIT_DONE;
}

static int group_run(struct vd_cli *cli)
{
	static const char *const subcommands[] = { "create", "list", NULL };
	const char *what = cli->opt.args[0], *near;

	if (strcmp(what, "create") == 0 && cli->opt.arg_count == 2)
		return group_create(cli);
	if (strcmp(what, "create") == 0)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "group", NULL);
	if (strcmp(what, "list") == 0 && cli->opt.arg_count == 1)
		return group_list(cli);
	near = vd_options_nearest(what, subcommands);
	if (near && strcmp(near, what) != 0)
		return vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_GROUP_SUBCOMMAND, what, near, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_GROUP_SUBCOMMAND, "group", what, NULL);
}

const struct vd_command vd_command_group = {
	.syntax = { "group", { VD_OPT_NAME } },
	.run = group_run, .summary = VD_MSG_SUM_GROUP, .help = VD_MSG_HELP_GROUP, .args_min = 1, .args_max = 2,
};

/* The words both sides compare: the coordinator in them is the one who signed the grant, whoever hands over the welcome. */
static int words_of(struct vd_cli *cli, struct vd_group *group, const uint8_t newcomer[VD_KEY_BYTES], const struct vd_id *grant,
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

static int card_problem(struct vd_cli *cli, int err)
{
	if (err == VD_EFORMAT || err == VD_ECAP)
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_BAD, NULL);
	if (err == VD_ESIGNATURE)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_FORGED, NULL);
	return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_CARD_BAD, NULL);
}

static int parse_role(struct vd_cli *cli, const char *word, enum vd_role *role)
{
	*role = VD_ROLE_MEMBER;
	if (!word || strcmp(word, "member") == 0)
		return 0;
	*role = VD_ROLE_COORDINATOR;
	if (strcmp(word, "coordinator") == 0)
		return 0;
	if (strcmp(word, "reporter") == 0 || strcmp(word, "courier") == 0)
		return vd_misuse(cli, VD_MSG_HINT_NOT_IN_VERSION, VD_MSG_ADMIT_ROLE_LATER, word, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_ROLE_UNKNOWN, "admit", word, NULL);
}

/* The person to admit the card for: the one it is (`known`), a new one, or, when a member of that name is there and --yes says so,
 * that one. */
static int choose_person(struct vd_cli *cli, struct vd_group *group, const struct vd_device *known, const char *name,
                         uint8_t person[VD_PERSON_BYTES])
{
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (strcasecmp(d->name, name) != 0 || (known && memcmp(d->person, known->person, VD_PERSON_BYTES) == 0))
			continue;
		if (!cli->opt.yes)
			return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_NAME_TAKEN, VD_MSG_ADMIT_NAME_TAKEN, name, NULL);
		memcpy(person, d->person, VD_PERSON_BYTES);
		return 0;
	}
	if (known)
		memcpy(person, known->person, VD_PERSON_BYTES);
	else
		randombytes_buf(person, VD_PERSON_BYTES);
	return 0;
}

/* One control record: made by the group, signed and stored by the write. */
static int write_control(struct vd_write *write, struct vd_group *group, const struct vd_buf *content, struct vd_id *id)
{
	struct vd_draft draft = { .lane = VD_LANE_CONTROL, .content = vd_buf_slice(content), .now_ms = vd_time_now_ms() };

	return vd_write_own(write, group, &draft, id);
}

/* What a coordinator says of a device. */
struct terms {
	enum vd_role role;
	uint32_t flags;
	const char *name;
	uint8_t person[VD_PERSON_BYTES];
};

/* The grant, and unless it has them the keys of every epoch we can read, so that the newcomer reads what the group wrote before.
 * One commit. */
static int write_grant(struct vd_cli *cli, struct vd_group *group, const struct vd_card *card, const struct terms *terms, bool has_keys,
                       struct vd_id *grant)
{
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_write *write = NULL;
	struct vd_buf content = { 0 };
	struct vd_id ignored;
	size_t epochs = vd_group_epoch_count(group);
	int rc = epochs ? vd_write_begin(cli->store, &write) : VD_EKEY;

	randombytes_buf(nonce, sizeof nonce);
	if (!rc)
		rc = vd_group_make_grant(group, card, terms->person, terms->role, terms->flags, terms->name, nonce, &content);
	if (!rc)
		rc = write_control(write, group, &content, grant);
	/* Oldest first; the list shrinks by none while we write. */
	for (size_t i = has_keys ? 0 : epochs; !rc && i > 0; i--) {
		uint8_t epoch[VD_EPOCH_BYTES];

		memcpy(epoch, vd_group_epoch_id(group, i - 1), sizeof epoch);
		vd_buf_reset(&content);
		rc = vd_group_make_epoch_for(group, epoch, card->author, &content);
		if (!rc)
			rc = write_control(write, group, &content, &ignored);
	}
	vd_buf_deinit(&content);
	if (!rc)
		return vd_write_commit(write);
	vd_write_abort(write);
	return rc;
}

static bool is_own(struct vd_cli *cli, struct vd_group *group, const struct vd_card *card, int *err)
{
	struct vd_identity next;
	bool own;

	*err = vd_store_next_identity(cli->store, &next);
	if (*err)
		return false;
	own = memcmp(card->author, vd_group_identity(group)->author, VD_KEY_BYTES) == 0 ||
	      memcmp(card->author, next.author, VD_KEY_BYTES) == 0;
	vd_identity_wipe(&next);
	return own;
}

/* Grants what is new: nothing when the device was admitted just so. What was not said stays as it is. */
static int admit_as(struct vd_cli *cli, struct vd_group *group, const struct vd_card *card, struct terms *terms, struct vd_id *grant)
{
	const struct vd_device *known = vd_group_find(group, card->author);
	int rc;

	if (known && known->role == VD_ROLE_NONE)
		known = NULL;
	if (known) {
		terms->role = vd_options_get(&cli->opt, VD_OPT_ROLE) ? terms->role : known->role;
		terms->flags |= known->flags;
		*grant = known->grant;
	}
	rc = choose_person(cli, group, known, terms->name, terms->person);
	if (rc)
		return rc;
	if (known && terms->role == known->role && terms->flags == known->flags && strcmp(terms->name, known->name) == 0 &&
	    memcmp(terms->person, known->person, VD_PERSON_BYTES) == 0) {
		vd_note(cli, VD_MSG_ADMIT_AGAIN, known->name, NULL);
		return 0;
	}
	if (known)
		vd_note(cli, VD_MSG_ADMIT_CHANGED, known->name, terms->name, vd_text(cli->lang, vd_role_text(terms->role)), NULL);
	rc = write_grant(cli, group, card, terms, known != NULL, grant);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, terms->name, NULL);
	vd_cli_poke(cli);
	return 0;
}

static int admit_to(struct vd_cli *cli, struct vd_group *group, const struct vd_card *card, struct terms *terms, const char *path)
{
	char words[VD_WORDS_TEXT];
	struct vd_id grant;
	int rc, code;

	if (vd_group_role(group) != VD_ROLE_COORDINATOR)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_NOT_COORDINATOR, VD_MSG_ADMIT_NOT_COORDINATOR, NULL);
	if (is_own(cli, group, card, &rc))
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_OWN, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, terms->name, NULL);
	code = admit_as(cli, group, card, terms, &grant);
	if (code)
		return code;
	rc = words_of(cli, group, card->author, &grant, words);
	if (!rc)
		rc = vd_welcome_write(cli->store, group, card, &grant, path);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_HINT_WELCOME_FAILED, VD_MSG_WELCOME_FAILED, path, NULL);
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:s}", "member", vd_json_hex(terms->person, sizeof terms->person), "file",
		                           vd_json_text(vd_slice_str(path)), "words", words));
		return VD_EXIT_DONE;
	}
	vd_say(cli, VD_MSG_ADMIT_DONE, terms->name, path, NULL);
	vd_say(cli, VD_MSG_WORDS, words, NULL);
	vd_say(cli, VD_MSG_ADMIT_NEXT, path, NULL);
	return VD_EXIT_DONE;
}

static int admit_run(struct vd_cli *cli)
{
	const char *name = vd_options_get(&cli->opt, VD_OPT_NAME), *path = vd_options_get(&cli->opt, VD_OPT_OUT);
	struct vd_group *group = NULL;
	struct vd_card card;
	struct terms terms = { .name = name, .flags = vd_options_get(&cli->opt, VD_OPT_FOCAL) ? VD_GRANT_FOCAL : 0 };
	int rc;

	if (!name)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_NO_NAME, "admit", NULL);
	if (!path || !*path)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_NO_FILE, "admit", NULL);
	if (!vd_name_ok(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, name, NULL);
	rc = parse_role(cli, vd_options_get(&cli->opt, VD_OPT_ROLE), &terms.role);
	if (!rc)
		rc = vd_cli_new_file(cli, path);
	if (rc)
		return rc;
	rc = vd_cli_group(cli, &group);
	if (rc)
		return rc;
	rc = vd_card_parse(cli->opt.args[0], &card);
	rc = rc ? card_problem(cli, rc) : admit_to(cli, group, &card, &terms, path);
	vd_group_free(group);
	return rc;
}

const struct vd_command vd_command_admit = {
	.syntax = { "admit", { VD_OPT_NAME, VD_OPT_ROLE, VD_OPT_FOCAL, VD_OPT_OUT } },
	.run = admit_run, .summary = VD_MSG_SUM_ADMIT, .help = VD_MSG_HELP_ADMIT, .args_min = 1, .args_max = 1,
};

/* Does the welcome grant the identity by which this device is in the group? */
static bool grants_us(const struct vd_batch *control, struct vd_group *group, const struct vd_id *grant)
{
	for (size_t i = 0; i < control->count; i++)
		if (memcmp(control->entries[i].record.id.b, grant->b, VD_ID_BYTES) == 0)
			return vd_group_is_grant_for(&control->entries[i].record, vd_group_identity(group)->author);
	return false;
}

static int join_run(struct vd_cli *cli)
{
	const char *path = cli->opt.args[0];
	uint8_t id[VD_GROUP_BYTES];
	struct vd_id grant;
	struct vd_batch control = { 0 };
	struct vd_group *group = NULL;
	char words[VD_WORDS_TEXT];
	bool already;
	int rc = vd_cli_open(cli);

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
			rc = vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_JOIN_OTHER, VD_MSG_JOIN_OTHER, vd_group_name(group),
			               vd_text(cli->lang, vd_role_text(vd_group_role(group))), NULL);
			goto done;
		}
	}
	if (!rc)
		rc = words_of(cli, group, vd_group_identity(group)->author, &grant, words);
	if (rc) {
		rc = vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_JOIN_FAILED, path, NULL);
		goto done;
	}
	vd_cli_poke(cli);
	if (cli->opt.json) {
		json_t *out = group_json(group);

		json_object_set_new(out, "words", json_string(words));
		vd_say_json(cli, out);
	} else {
		vd_say(cli, already ? VD_MSG_JOIN_ALREADY : VD_MSG_JOIN_DONE, vd_group_name(group),
		       vd_text(cli->lang, vd_role_text(vd_group_role(group))), NULL);
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

static int keep_time(void *ctx, const struct vd_found *f)
{
	uint64_t *last = ctx;

	if (f->record->time_ms > *last)
		*last = f->record->time_ms;
	return 0;
}

/* Is device i the first of its person? Then it stands for the member. */
static bool first_of_person(struct vd_group *group, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (memcmp(vd_group_device(group, j)->person, vd_group_device(group, i)->person, VD_PERSON_BYTES) == 0)
			return false;
	return true;
}

static json_t *member_json(struct vd_group *group, const struct vd_device *member, uint64_t last)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (memcmp(d->person, member->person, VD_PERSON_BYTES) == 0)
			json_array_append_new(devices, json_pack("{s:o,s:s,s:o}", "device", vd_json_hex(d->author, VD_KEY_BYTES), "role",
			                                         vd_role_word(d->role), "since", vd_json_time(d->since_ms)));
	}
	return json_pack("{s:o,s:s,s:s,s:b,s:o,s:o,s:o}", "member", vd_json_hex(member->person, VD_PERSON_BYTES), "name", member->name,
	                 "role", vd_role_word(member->role), "focal", (member->flags & VD_GRANT_FOCAL) != 0, "devices", devices,
	                 "since", vd_json_time(member->since_ms), "last_record", last ? vd_json_time(last) : json_null());
}

static void say_member(struct vd_cli *cli, const struct vd_device *member, uint64_t last)
{
	char since[VD_TIME_TEXT], heard[VD_TIME_TEXT], key[9];

	vd_time_local(member->since_ms, since);
	if (last)
		vd_time_local(last, heard);
	vd_hex(key, member->author, 4);
	vd_say(cli, VD_MSG_MEMBER_LINE, member->name[0] ? member->name : vd_text(cli->lang, VD_MSG_UNNAMED),
	       vd_text(cli->lang, vd_role_text(member->role)), member->flags & VD_GRANT_FOCAL ? vd_text(cli->lang, VD_MSG_FOCAL) : "",
	       key, since, last ? heard : vd_text(cli->lang, VD_MSG_NEVER), NULL);
}

static int members_run(struct vd_cli *cli)
{
	struct vd_group *group = NULL;
	int rc = vd_cli_group(cli, &group);
	bool damaged = false;

	if (rc)
		return rc;
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *member = vd_group_device(group, i);
		struct vd_query query = { .group = vd_group_id(group), .person = member->person, .limit = 1, .control = true };
		uint64_t last = 0;
		int err;

		if (!first_of_person(group, i))
			continue;
		err = vd_query(cli->store, &query, keep_time, &last);
		/* Who is in is known all the same; only when they were last heard may not be. */
		if (err == VD_EDAMAGED)
			damaged = true;
		else if (err) {
			rc = vd_cli_query_failed(cli, err);
			break;
		}
		if (cli->opt.json)
			vd_say_json(cli, member_json(group, member, last));
		else
			say_member(cli, member, last);
	}
	vd_group_free(group);
	return !rc && damaged ? vd_cli_query_failed(cli, VD_EDAMAGED) : rc;
}

const struct vd_command vd_command_members = {
	.syntax = { "members", { VD_OPT_NONE } },
	.run = members_run, .summary = VD_MSG_SUM_MEMBERS, .help = VD_MSG_HELP_MEMBERS,
};
