/* revoke: takes a member, or one device, out of the group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "times.h"

enum { UNDO_DAYS = 30 };

struct plan {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_target target;
	uint8_t (*devices)[VD_KEY_BYTES];  /* those that have a role now */
	size_t count;
	bool self, last, coordinated;      /* it is us; no coordinator is left; one of them was one */
	bool has_undo, leaves;
	struct vd_id undo;
	struct vd_hidings hidings;         /* what they hid of others' records lately: left in quarantine, when `leaves` */
	/* what stood before */
	struct vd_id *counted;
	size_t counted_count;
	enum vd_role *roles;               /* by place */
	size_t role_count;
};

static bool is_target(const struct plan *p, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < p->count; i++)
		if (memcmp(p->devices[i], author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

static int gather(struct plan *p)
{
	const uint8_t *self = vd_group_identity(p->group)->author;
	size_t devices = vd_group_device_count(p->group), left = 0;

	p->devices = calloc(devices + 1, sizeof *p->devices);
	p->roles = calloc(devices + 1, sizeof *p->roles);
	p->counted = calloc(vd_group_act_count(p->group) + 1, sizeof *p->counted);
	if (!p->devices || !p->roles || !p->counted)
		return VD_ENOMEM;
	for (size_t i = 0; i < devices; i++) {
		const struct vd_device *d = vd_group_device(p->group, i);
		bool meant = memcmp(d->person, p->target.person, VD_PERSON_BYTES) == 0 &&
		             (!p->target.one_device || memcmp(d->author, p->target.device, VD_KEY_BYTES) == 0);

		p->roles[p->role_count++] = d->role;
		if (meant && d->role != VD_ROLE_NONE) {
			memcpy(p->devices[p->count++], d->author, VD_KEY_BYTES);
			p->coordinated = p->coordinated || d->coordinator_ever;
			p->self = p->self || memcmp(d->author, self, VD_KEY_BYTES) == 0;
		} else {
			left += d->role == VD_ROLE_COORDINATOR;
		}
	}
	p->last = left == 0;
	for (size_t i = 0; i < vd_group_act_count(p->group); i++)
		if (vd_group_act(p->group, i)->counts)
			p->counted[p->counted_count++] = vd_group_act(p->group, i)->id;
	return 0;
}

/* Does the act remove somebody who was a coordinator, other than its author? */
static bool removes_coordinator(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *author = vd_group_find(group, act->author);

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);
		bool removed = act->person ? memcmp(d->person, act->person, VD_PERSON_BYTES) == 0 :
		                             act->device && memcmp(d->author, act->device, VD_KEY_BYTES) == 0;

		if (removed && d->coordinator_ever && (!author || memcmp(author->person, d->person, VD_PERSON_BYTES) != 0))
			return true;
	}
	return false;
}

static bool came_lately(struct vd_cli *cli, const struct vd_id *id)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival, received_ms = 0, now_ms = vd_time_now_ms();
	int rc = vd_store_find(cli->store, id, &arrival);

	if (!rc)
		rc = vd_store_read(cli->store, arrival, &raw, &record, &received_ms);
	vd_buf_deinit(&raw);
	return !rc && (received_ms >= now_ms || now_ms - received_ms <= UNDO_DAYS * VD_DAY_MS);
}

/* The first of their acts that looks like taking over: a coordinator removed on their word alone, lately. */
static void find_takeover(struct plan *p)
{
	for (size_t i = 0; i < vd_group_act_count(p->group) && !p->has_undo; i++) {
		const struct vd_act *act = vd_group_act(p->group, i);

		if (act->kind != VD_ACT_REVOKE || !act->counts || act->backed || !is_target(p, act->author) ||
		    !removes_coordinator(p->group, act) || !came_lately(p->cli, &act->id))
			continue;
		p->has_undo = true;
		p->undo = act->id;
	}
}

/* Who leaves takes back nothing of what they hid; of whom others remove, nobody knows since when somebody else held the device. */
static int find_hidings(struct plan *p)
{
	size_t devices = vd_group_device_count(p->group), count = 0;
	uint8_t (*theirs)[VD_KEY_BYTES] = calloc(devices + 1, sizeof *theirs);
	int err = theirs ? 0 : VD_ENOMEM;

	for (size_t i = 0; i < devices && !err; i++) {
		const struct vd_device *d = vd_group_device(p->group, i);

		if (is_target(p, d->author) || (!p->target.one_device && memcmp(d->person, p->target.person, VD_PERSON_BYTES) == 0))
			memcpy(theirs[count++], d->author, VD_KEY_BYTES);
	}
	if (!err && p->leaves)
		err = vd_act_hidings(p->cli->store, p->group, (const uint8_t (*)[VD_KEY_BYTES])theirs, count, vd_time_now_ms(), &p->hidings);
	free(theirs);
	return err ? vd_fail(p->cli, err, VD_MSG_NONE, VD_MSG_REVOKE_FAILED, p->target.name, NULL) : 0;
}

static int choose_undo(struct plan *p)
{
	const char *undo = vd_options_get(&p->cli->opt, VD_OPT_UNDO);
	bool keep = vd_options_get(&p->cli->opt, VD_OPT_KEEP) != NULL;
	struct vd_act act;
	int rc;

	if (undo && keep)
		return vd_misuse(p->cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_UNDO_AND_KEEP, "revoke", NULL);
	p->leaves = !keep && !p->self;
	if (!undo && !keep)
		find_takeover(p);
	if (!undo)
		return 0;
	rc = vd_cli_act(p->cli, p->group, undo, &act);
	if (rc)
		return rc;
	if (!is_target(p, act.author))
		return vd_misuse(p->cli, VD_MSG_HINT_ACT_ID, VD_MSG_UNDO_NOT_THEIRS, undo, p->target.name, NULL);
	p->has_undo = true;
	p->undo = act.id;
	return 0;
}

/* What is about to happen, before anybody says yes to it. */
static void explain(struct plan *p)
{
	struct vd_cli *cli = p->cli;
	char key[2 * VD_KEY_SHOWN + 1], id[2 * VD_KEY_SHOWN + 1];

	vd_hex(key, p->devices[0], VD_KEY_SHOWN);
	if (p->self)
		vd_note(cli, VD_MSG_REVOKE_SELF, NULL);
	else if (p->target.one_device)
		vd_note(cli, VD_MSG_REVOKE_ONE, p->target.name, key, NULL);
	else
		vd_note(cli, VD_MSG_REVOKE_ALL, p->target.name, vd_num(cli, p->count), NULL);
	if (p->last)
		vd_note(cli, VD_MSG_REVOKE_LAST, NULL);
	if (p->has_undo) {
		struct vd_buf what = { 0 };

		vd_hex(id, p->undo.b, VD_KEY_SHOWN);
		vd_act_text(cli, p->group, vd_find_act(p->group, &p->undo), &what);
		vd_buf_put_u8(&what, 0);
		if (!what.failed)
			vd_note(cli, VD_MSG_REVOKE_UNDO, p->target.name, (const char *)what.p, id, NULL);
		vd_buf_deinit(&what);
	}
	if (p->hidings.all)
		vd_note(cli, VD_MSG_REVOKE_LEAVES, p->target.name, vd_num(cli, p->hidings.count), vd_num(cli, VD_REDACT_DAYS), NULL);
}

/* The name typed, or --yes. */
static int confirm(struct plan *p)
{
	struct vd_cli *cli = p->cli;
	char typed[4 * VD_NAME_MAX];

	if (cli->opt.yes)
		return 0;
	if (p->last)
		return vd_refuse(cli, VD_EXIT_DECIDE, "last-coordinator", VD_MSG_HINT_REVOKE_LAST, VD_MSG_REVOKE_LAST_REFUSED, NULL);
	if (!vd_can_ask(cli))
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_REVOKE_YES, VD_MSG_REVOKE_UNCONFIRMED, p->target.name, NULL);
	if (!vd_ask(cli, false, typed, sizeof typed, VD_MSG_REVOKE_ASK, p->target.name, NULL) || strcasecmp(typed, p->target.name) != 0)
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_REVOKE_YES, VD_MSG_REVOKE_UNCONFIRMED, p->target.name, NULL);
	return 0;
}

static bool counts_now(const struct plan *p, const struct vd_id *id)
{
	const struct vd_act *act = vd_find_act(p->group, id);

	return act && act->counts;
}

/* Who has a role again because of it. */
static json_t *restored(const struct plan *p)
{
	json_t *names = json_array();

	for (size_t i = 0; i < p->role_count && i < vd_group_device_count(p->group); i++) {
		const struct vd_device *d = vd_group_device(p->group, i);
		char who[VD_WHO_TEXT];

		if (p->roles[i] != VD_ROLE_NONE || d->role == VD_ROLE_NONE)
			continue;
		vd_who(p->group, d->author, who);
		json_array_append_new(names, vd_json_text(vd_slice_str(who)));
	}
	return names;
}

/* Who has none any more because of it, and is not who was meant: whoever admitted them is out, and that admission was not accepted. */
static json_t *taken_along(const struct plan *p)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < p->role_count && i < vd_group_device_count(p->group); i++) {
		const struct vd_device *d = vd_group_device(p->group, i);

		if (p->roles[i] != VD_ROLE_NONE && d->role == VD_ROLE_NONE && !is_target(p, d->author))
			json_array_append_new(devices, vd_json_hex(d->author, VD_KEY_BYTES));
	}
	return devices;
}

static void say_taken_along(struct plan *p, const json_t *devices)
{
	uint8_t author[VD_KEY_BYTES];
	const json_t *device;
	size_t i, n = 0;

	json_array_foreach (devices, i, device) {
		char who[VD_WHO_TEXT], key[2 * VD_KEY_SHOWN + 1];

		if (vd_unhex(author, sizeof author, json_string_value(device), &n))
			continue;
		vd_who(p->group, author, who);
		vd_hex(key, author, VD_KEY_SHOWN);
		vd_say(p->cli, VD_MSG_REVOKE_TAKEN_ALONG, who, key, p->target.name, NULL);
	}
}

static json_t *undone(const struct plan *p)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < p->counted_count; i++)
		if (!counts_now(p, &p->counted[i]))
			json_array_append_new(ids, vd_json_hex(p->counted[i].b, VD_ID_BYTES));
	return ids;
}

static json_t *left(const struct plan *p)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < p->hidings.count; i++)
		json_array_append_new(ids, vd_json_hex(p->hidings.ids[i].b, VD_ID_BYTES));
	return ids;
}

/* Which of what they hid is shown again, and how it is hidden after all. */
static void say_left(struct plan *p)
{
	struct vd_cli *cli = p->cli;
	struct vd_buf ids = { 0 };
	char id[2 * VD_KEY_SHOWN + 1];

	for (size_t i = 0; i < p->hidings.count; i++) {
		vd_hex(id, p->hidings.ids[i].b, VD_KEY_SHOWN);
		if (i)
			vd_buf_put_u8(&ids, ' ');
		vd_buf_put_slice(&ids, vd_slice_str(id));
	}
	vd_buf_put_u8(&ids, 0);
	if (p->hidings.count && !ids.failed)
		vd_say(cli, VD_MSG_REVOKE_LEFT_HIDINGS, p->target.name, vd_num(cli, p->hidings.count), (const char *)ids.p, NULL);
	if (p->hidings.all > p->hidings.count)
		vd_say(cli, VD_MSG_REVOKE_LEFT_MORE, p->target.name, vd_num(cli, p->hidings.all - p->hidings.count), NULL);
	vd_buf_deinit(&ids);
}

static bool all_out(const struct plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (vd_group_find(p->group, p->devices[i])->role != VD_ROLE_NONE)
			return false;
	return true;
}

static void say_done(struct plan *p, const struct vd_id *id, const uint8_t epoch[VD_EPOCH_BYTES])
{
	struct vd_cli *cli = p->cli;
	json_t *back = restored(p), *gone = undone(p), *along = taken_along(p), *name, *devices = json_array();
	bool out = all_out(p);
	char act[2 * VD_KEY_SHOWN + 1], key[2 * VD_KEY_SHOWN + 1];
	size_t i;

	vd_hex(act, id->b, VD_KEY_SHOWN);
	vd_hex(key, p->devices[0], VD_KEY_SHOWN);
	for (i = 0; i < p->count; i++)
		json_array_append_new(devices, vd_json_hex(p->devices[i], VD_KEY_BYTES));
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o,s:O,s:O,s:O,s:o,s:b}", "member", vd_json_hex(p->target.person, VD_PERSON_BYTES), "epoch",
		                           vd_json_hex(epoch, VD_EPOCH_BYTES), "id", vd_json_hex(id->b, VD_ID_BYTES), "devices", devices,
		                           "undone", gone, "restored", back, "fell", along, "left", left(p), "counts", out));
	} else {
		json_decref(devices);
		if (!out)
			vd_say(cli, VD_MSG_REVOKE_WAITS, p->target.name, act, NULL);
		else if (p->self)
			vd_say(cli, VD_MSG_REVOKE_LEFT, NULL);
		else
			vd_say(cli, p->target.one_device ? VD_MSG_REVOKE_DONE_ONE : VD_MSG_REVOKE_DONE, p->target.name, key, NULL);
		if (json_array_size(gone))
			vd_say(cli, VD_MSG_REVOKE_UNDONE, vd_num(cli, json_array_size(gone)), NULL);
		json_array_foreach (back, i, name)
			vd_say(cli, VD_MSG_REVOKE_RESTORED, json_string_value(name), NULL);
		say_taken_along(p, along);
		say_left(p);
		if (out && p->coordinated && !p->self)
			vd_say(cli, VD_MSG_REVOKE_UNHEARD, p->target.name, NULL);
		if (out)
			vd_say(cli, VD_MSG_REVOKE_NEXT, NULL);
		if (out && !p->self)
			vd_say(cli, VD_MSG_REVOKE_BUNDLES, NULL);
	}
	json_decref(back);
	json_decref(gone);
	json_decref(along);
}

static int carry_out(struct plan *p)
{
	const char *reason = vd_options_get(&p->cli->opt, VD_OPT_REASON);
	struct vd_revocation r = { .devices = (const uint8_t (*)[VD_KEY_BYTES])p->devices, .device_count = p->count,
	                           .person = p->target.one_device ? NULL : p->target.person, .reason = reason ? reason : "",
	                           .undo = p->has_undo ? &p->undo : NULL, .leave = p->leaves ? &p->hidings : NULL };
	uint8_t epoch[VD_EPOCH_BYTES] = { 0 };
	struct vd_id id;
	int err;

	vd_cli_tend_before_keys(p->cli, p->group);
	err = vd_act_revoke(p->cli->store, p->group, &r, vd_time_now_ms(), &id, epoch);
	if (err)
		return vd_fail(p->cli, err, VD_MSG_NONE, VD_MSG_REVOKE_FAILED, p->target.name, NULL);
	p->cli->done = VD_MSG_REVOKED_UNSAID;
	snprintf(p->cli->done_what, sizeof p->cli->done_what, "%s", p->target.name);
	vd_cli_tend_group(p->cli, p->group);
	vd_cli_poke(p->cli);
	say_done(p, &id, epoch);
	return VD_EXIT_DONE;
}

static int revoke_target(struct plan *p)
{
	const char *device = vd_options_get(&p->cli->opt, VD_OPT_DEVICE);
	int rc = vd_cli_target(p->cli, p->group, p->cli->opt.args[0], VD_AMONG_IN, &p->target);
	char key[2 * VD_KEY_SHOWN + 1];
	int err;

	if (!rc && device)
		rc = vd_cli_device(p->cli, p->group, device, &p->target);
	if (rc)
		return rc;
	err = gather(p);
	if (err)
		return vd_fail(p->cli, err, VD_MSG_NONE, VD_MSG_REVOKE_FAILED, p->target.name, NULL);
	rc = vd_cli_coordinator(p->cli, p->group, true);
	if (!rc && p->count == 0 && p->target.one_device && vd_person_role(p->group, p->target.person, true) != VD_ROLE_NONE) {
		vd_hex(key, p->target.device, VD_KEY_SHOWN);
		rc = vd_refuse(p->cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_REVOKED_ALREADY, VD_MSG_REVOKED_ALREADY_ONE, p->target.name, key, NULL);
	}
	if (!rc && p->count == 0)
		rc = vd_refuse(p->cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_REVOKED_ALREADY, VD_MSG_REVOKED_ALREADY, p->target.name, NULL);
	if (!rc)
		rc = choose_undo(p);
	if (!rc)
		rc = find_hidings(p);
	if (!rc)
		rc = vd_cli_brake(p->cli, p->group);
	if (rc)
		return rc;
	explain(p);
	rc = confirm(p);
	return rc ? rc : carry_out(p);
}

static int revoke_run(struct vd_cli *cli)
{
	const char *reason = vd_options_get(&cli->opt, VD_OPT_REASON);
	struct plan p = { .cli = cli };
	int rc;

	if (reason && *reason && !vd_name_ok(reason))
		return vd_misuse(cli, VD_MSG_HINT_REASON, VD_MSG_BAD_REASON, NULL);
	rc = vd_cli_group(cli, &p.group);
	if (!rc)
		rc = revoke_target(&p);
	free(p.devices);
	free(p.roles);
	free(p.counted);
	vd_group_free(p.group);
	return rc;
}

const struct vd_command vd_command_revoke = {
	.syntax = { "revoke", { VD_OPT_DEVICE, VD_OPT_REASON, VD_OPT_UNDO, VD_OPT_KEEP } },
	.run = revoke_run, .summary = VD_MSG_SUM_REVOKE, .help = VD_MSG_HELP_REVOKE, .args_min = 1, .args_max = 1,
};
