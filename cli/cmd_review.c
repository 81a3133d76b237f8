/* review, approve, restore: a coordinator's word about what was written, done or removed. */
#include <string.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "times.h"

static int keep_standing(void *ctx, const struct vd_found *f)
{
	enum vd_standing *standing = ctx;

	*standing = f->standing;
	return 0;
}

/* Is the record one that can be reviewed, and is there anything to say? *nothing: it is so already. */
static int check_record(struct vd_cli *cli, struct vd_group *group, const char *prefix, bool accept, struct vd_id *id, bool *nothing)
{
	enum vd_standing standing = VD_STANDING_SHOWN;
	struct vd_buf raw = { 0 };
	struct vd_record r;
	const struct vd_device *author;
	char who[VD_WHO_TEXT];
	uint64_t arrival;
	int err, rc = vd_cli_record(cli, prefix, id, &arrival, NULL);

	if (rc)
		return rc;
	err = vd_store_read(cli->store, arrival, &raw, &r, NULL);
	if (!err)
		err = vd_query_one(cli->store, arrival, keep_standing, &standing);
	vd_buf_deinit(&raw);
	if (err)
		return vd_cli_query_failed(cli, err);
	author = vd_group_find(group, r.author);
	vd_who(group, r.author, who);
	if (r.lane == VD_LANE_CONTROL)
		return vd_misuse(cli, VD_MSG_HINT_REVIEW_CONTROL, VD_MSG_REVIEW_CONTROL, prefix, NULL);
	*nothing = vd_group_reviewed(group, id) == (accept ? VD_REVIEW_ACCEPTED : VD_REVIEW_LEFT);
	if (*nothing)
		return 0;
	/* What was accepted with the removal can be left afterwards: nobody looked at each record then. */
	if ((author && author->role != VD_ROLE_NONE) ||
	    (accept && standing != VD_STANDING_QUARANTINED && vd_group_reviewed(group, id) != VD_REVIEW_LEFT))
		return vd_refuse(cli, VD_EXIT_FAILED, "not-quarantined", VD_MSG_HINT_REVIEW_NONE, VD_MSG_REVIEW_NONE, prefix, who, NULL);
	return 0;
}

static int write_review(struct vd_cli *cli, struct vd_group *group, const char *prefix, bool accept)
{
	struct vd_id about, id;
	const struct vd_act *act;
	bool nothing;
	int err, rc = check_record(cli, group, prefix, accept, &about, &nothing);

	if (rc)
		return rc;
	if (nothing) {
		vd_note(cli, accept ? VD_MSG_REVIEW_ACCEPTED_ALREADY : VD_MSG_REVIEW_LEFT_ALREADY, prefix, NULL);
		return VD_EXIT_DONE;
	}
	err = vd_act_review(cli->store, group, &about, accept, vd_time_now_ms(), &id);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_REVIEW_FAILED, prefix, NULL);
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
	act = vd_find_act(group, &id);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:s,s:b}", "id", vd_json_hex(id.b, VD_ID_BYTES), "about",
		                           vd_json_hex(about.b, VD_ID_BYTES), "verdict", accept ? "accept" : "leave", "counts",
		                           act && act->counts));
	else
		vd_say(cli, accept ? VD_MSG_REVIEW_ACCEPTED : VD_MSG_REVIEW_LEFT, prefix, NULL);
	return VD_EXIT_DONE;
}

static int review_run(struct vd_cli *cli)
{
	bool accept = vd_options_get(&cli->opt, VD_OPT_ACCEPT) != NULL, leave = vd_options_get(&cli->opt, VD_OPT_LEAVE) != NULL;
	struct vd_group *group = NULL;
	int rc;

	if (accept == leave)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_REVIEW_WHICH, "review", NULL);
	rc = vd_cli_group(cli, &group);
	if (!rc)
		rc = vd_cli_coordinator(cli, group, true);
	if (!rc)
		rc = vd_cli_brake(cli, group);
	for (int i = 0; !rc && i < cli->opt.arg_count; i++)
		rc = write_review(cli, group, cli->opt.args[i], accept);
	vd_group_free(group);
	return rc;
}

const struct vd_command vd_command_review = {
	.syntax = { "review", { VD_OPT_ACCEPT, VD_OPT_LEAVE } },
	.run = review_run, .summary = VD_MSG_SUM_REVIEW, .help = VD_MSG_HELP_REVIEW, .args_min = 1, .args_max = -1,
};

/* Who is given a role back may have removed others: that would count again with it. A person must know before. */
static int check_return(struct vd_cli *cli, struct vd_group *group, const uint8_t device[VD_KEY_BYTES])
{
	for (size_t i = 0; i < vd_group_act_count(group) && !cli->opt.yes; i++) {
		const struct vd_act *act = vd_group_act(group, i);
		char who[VD_WHO_TEXT], whom[VD_WHO_TEXT] = "?";

		if (act->kind != VD_ACT_REVOKE || act->counts || memcmp(act->author, device, VD_KEY_BYTES) != 0)
			continue;
		vd_who(group, device, who);
		if (act->person)
			vd_who_person(group, act->person, whom);
		else if (act->device)
			vd_who(group, act->device, whom);
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_RETURN, VD_MSG_RETURN, who, whom, NULL);
	}
	return 0;
}

/* --- approve --- */

/* Why our word makes no second voice. */
static enum vd_msg alone_text(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *self = vd_group_find(group, vd_group_identity(group)->author), *author = vd_group_find(group, act->author);

	if (!self || self->role != VD_ROLE_COORDINATOR)
		return VD_MSG_APPROVED_NO_ROLE;
	if (author && !memcmp(self->person, author->person, VD_PERSON_BYTES))
		return VD_MSG_APPROVED_SAME;
	if (vd_is_founder(group, act->author))
		return VD_MSG_APPROVED_FOUNDERS;
	return VD_MSG_APPROVED_ALONE;
}

/* No word can make count what a removed coordinator did; but the same can be done again. */
static void say_in_vain(struct vd_cli *cli, struct vd_group *group, const struct vd_act *act, const char *what)
{
	const struct vd_device *whom = act->device ? vd_group_find(group, act->device) : NULL;
	char author[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1] = "";

	vd_who(group, act->author, author);
	if (whom)
		vd_hex(key, whom->author, VD_KEY_SHOWN);
	if (act->kind == VD_ACT_GRANT && whom && whom->role != VD_ROLE_NONE)
		vd_say(cli, VD_MSG_APPROVED_IN_ANYWAY, what, author, NULL);
	else
		vd_say(cli, act->kind == VD_ACT_GRANT ? VD_MSG_APPROVED_VAIN_ADMIT : VD_MSG_APPROVED_VAIN, what, author, key, NULL);
}

static void say_approved(struct vd_cli *cli, struct vd_group *group, const struct vd_id *about, const struct vd_id *id)
{
	const struct vd_act *act = vd_find_act(group, about);
	struct vd_buf what = { 0 };
	char prefix[2 * VD_KEY_SHOWN + 1], author[VD_WHO_TEXT];

	vd_hex(prefix, about->b, VD_KEY_SHOWN);
	vd_who(group, act->author, author);
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:b,s:b,s:b,s:i}", "id", id ? vd_json_hex(id->b, VD_ID_BYTES) : json_null(), "about",
		                           vd_json_hex(about->b, VD_ID_BYTES), "backed", act->backed, "seconded", act->seconded, "counts",
		                           vd_act_state(group, act) == VD_ACT_HOLDS, "approvals", (int)act->approvals));
		return;
	}
	vd_act_text(cli, group, act, &what);
	vd_buf_put_u8(&what, 0);
	if (!what.failed && vd_act_state(group, act) == VD_ACT_AUTHOR_OUT)
		say_in_vain(cli, group, act, (const char *)what.p);
	else if (!what.failed)
		vd_say(cli, act->backed ? VD_MSG_APPROVED : act->seconded ? VD_MSG_APPROVED_SECONDED : alone_text(group, act),
		       (const char *)what.p, prefix, author, NULL);
	vd_buf_deinit(&what);
}

static int approve_act(struct vd_cli *cli, struct vd_group *group)
{
	const char *prefix = cli->opt.args[0];
	struct vd_act act;
	struct vd_id about, id;
	int err, rc = vd_cli_act(cli, group, prefix, &act);

	if (rc)
		return rc;
	about = act.id;
	if (memcmp(act.author, vd_group_identity(group)->author, VD_KEY_BYTES) == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "own-act", VD_MSG_HINT_APPROVE_OWN, VD_MSG_APPROVE_OWN, NULL);
	if (act.kind != VD_ACT_REVOKE && act.kind != VD_ACT_GRANT)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-approvable", VD_MSG_HINT_APPROVE_KIND, VD_MSG_APPROVE_KIND, prefix, NULL);
	if (vd_act_said(group, &act)) {
		vd_note(cli, VD_MSG_APPROVE_AGAIN, NULL);
		say_approved(cli, group, &about, NULL);
		return VD_EXIT_DONE;
	}
	rc = vd_act_restores(group, vd_find_act(group, &about)) ? check_return(cli, group, act.device) : 0;
	if (rc)
		return rc;
	err = vd_act_approve(cli->store, group, &about, vd_time_now_ms(), &id);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_APPROVE_FAILED, prefix, NULL);
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
	say_approved(cli, group, &about, &id);
	return VD_EXIT_DONE;
}

static int approve_run(struct vd_cli *cli)
{
	struct vd_group *group = NULL;
	int rc = vd_cli_group(cli, &group);

	if (!rc)
		rc = vd_cli_coordinator(cli, group, true);
	if (!rc)
		rc = vd_cli_brake(cli, group);
	if (!rc)
		rc = approve_act(cli, group);
	vd_group_free(group);
	return rc;
}

const struct vd_command vd_command_approve = {
	.syntax = { "approve", { VD_OPT_NONE } },
	.run = approve_run, .summary = VD_MSG_SUM_APPROVE, .help = VD_MSG_HELP_APPROVE, .args_min = 1, .args_max = 1,
};

/* --- restore --- */

/* One removed device; *holds: it has its role again. */
static int restore_one(struct vd_cli *cli, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], json_t *grants, bool *holds)
{
	const struct vd_device *d;
	struct vd_id grant;
	char who[VD_WHO_TEXT], id[2 * VD_KEY_SHOWN + 1];
	bool fell = vd_device_fell(vd_group_find(group, author));
	int err;

	vd_who(group, author, who);
	vd_hex(id, author, VD_KEY_SHOWN);
	err = check_return(cli, group, author);
	if (err)
		return err;
	err = vd_act_restore(cli->store, group, author, vd_time_now_ms(), &grant);
	if (err == VD_EKEY)
		return vd_refuse(cli, VD_EXIT_FAILED, "key", VD_MSG_HINT_RESTORE_NAMELESS, VD_MSG_RESTORE_NAMELESS, who, id, NULL);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_RESTORE_FAILED, who, NULL);
	d = vd_group_find(group, author);
	*holds = d && d->role != VD_ROLE_NONE;
	vd_hex(id, grant.b, VD_KEY_SHOWN);
	json_array_append_new(grants, vd_json_hex(grant.b, VD_ID_BYTES));
	if (cli->opt.json)
		return 0;
	if (*holds)
		vd_say(cli, fell ? VD_MSG_RESTORED_OWN : VD_MSG_RESTORED, who, vd_text(cli->lang, vd_role_text(d->role)), NULL);
	else
		vd_say(cli, VD_MSG_RESTORE_WAITS, who, id, NULL);
	return 0;
}

static int restore_target(struct vd_cli *cli, struct vd_group *group)
{
	size_t devices = vd_group_device_count(group), done = 0;
	struct vd_target target;
	bool all = true;
	json_t *grants = json_array();
	int rc = vd_cli_target(cli, group, cli->opt.args[0], VD_AMONG_REMOVED, &target);

	for (size_t i = 0; !rc && i < devices; i++) {
		const struct vd_device *d = vd_group_device(group, i);
		uint8_t author[VD_KEY_BYTES];
		bool holds = false;

		if (!vd_restorable(group, d, &target))
			continue;
		memcpy(author, d->author, VD_KEY_BYTES);
		rc = restore_one(cli, group, author, grants, &holds);
		all = all && holds;
		done++;
	}
	if (!rc && !done)
		rc = vd_refuse(cli, VD_EXIT_FAILED, "not-removed", VD_MSG_HINT_MEMBER, VD_MSG_RESTORE_NONE, target.name, NULL);
	if (!rc && cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:O,s:b}", "member", vd_json_hex(target.person, VD_PERSON_BYTES), "grants", grants, "counts", all));
	json_decref(grants);
	if (done) {
		vd_cli_tend_group(cli, group);
		vd_cli_poke(cli);
	}
	return rc;
}

static int restore_run(struct vd_cli *cli)
{
	struct vd_group *group = NULL;
	int rc = vd_cli_group(cli, &group);

	if (!rc)
		rc = vd_cli_coordinator(cli, group, false);
	if (!rc)
		rc = vd_cli_brake(cli, group);
	if (!rc)
		rc = restore_target(cli, group);
	vd_group_free(group);
	return rc;
}

const struct vd_command vd_command_restore = {
	.syntax = { "restore", { VD_OPT_NONE } },
	.run = restore_run, .summary = VD_MSG_SUM_RESTORE, .help = VD_MSG_HELP_RESTORE, .args_min = 1, .args_max = 1,
};
