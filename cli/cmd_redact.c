/* redact: hides a record everywhere, and in time erases what it says. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "admin.h"
#include "audience.h"
#include "times.h"

enum { DIGITS_TYPED = 6, CLOCK_PUSH_MS = 60 * 60 * 1000 };

/* What is to be hidden, as it stands now. */
struct redacting {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_id id;
	uint64_t arrival, time_ms;
	uint8_t author[VD_KEY_BYTES], group_id[VD_GROUP_BYTES];
	bool control, redaction;
	bool has_audience;
	enum vd_audience audience;
	enum vd_standing standing;
	struct vd_id by;            /* standing REDACTED */
	char hex[2 * VD_ID_BYTES + 1];
};

static int take_target(void *ctx, const struct vd_found *f)
{
	struct redacting *r = ctx;
	struct vd_id ignored;

	memcpy(r->author, f->record->author, VD_KEY_BYTES);
	memcpy(r->group_id, f->record->group, VD_GROUP_BYTES);
	r->time_ms = f->record->time_ms;
	r->control = f->record->lane == VD_LANE_CONTROL;
	r->redaction = f->record->lane == VD_LANE_URGENT && vd_record_redacts(f->record, &ignored);
	r->has_audience = vd_record_audience(f->record, &r->audience);
	r->standing = f->standing;
	r->by = f->redaction;
	return 0;
}

static int find_target(struct redacting *r)
{
	struct vd_cli *cli = r->cli;
	int err, rc = vd_cli_record(cli, cli->opt.args[0], &r->id, &r->arrival, NULL);

	if (rc)
		return rc;
	vd_hex(r->hex, r->id.b, VD_ID_BYTES);
	err = vd_query_one(cli->store, r->arrival, take_target, r);
	if (err)
		return vd_cli_query_failed(cli, err);
	err = vd_store_group(cli->store, r->group_id, &r->group);
	return err ? vd_fail(cli, err, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL) : 0;
}

/* PROTOCOL.md section 6: its author, the same person, or a coordinator; and only while what we write counts. */
static int check_entitled(struct redacting *r)
{
	const struct vd_device *self = vd_group_find(r->group, vd_group_identity(r->group)->author);
	const struct vd_device *author = vd_group_find(r->group, r->author);
	struct vd_cli *cli = r->cli;
	char who[VD_WHO_TEXT];

	if (r->control)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-redactable", VD_MSG_HINT_REDACT_CONTROL, VD_MSG_REDACT_CONTROL, r->hex, NULL);
	if (r->redaction)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-redactable", VD_MSG_HINT_REDACT_REDACTION, VD_MSG_REDACT_REDACTION, r->hex, NULL);
	if (self && self->most == VD_ROLE_COURIER)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_COURIER_WRITES, VD_MSG_COURIER_WRITES, NULL);
	if (!self || self->role == VD_ROLE_NONE)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_REDACT_OTHERS, VD_MSG_REDACT_REMOVED, NULL);
	if (self->most == VD_ROLE_COORDINATOR || memcmp(self->author, r->author, VD_KEY_BYTES) == 0 ||
	    (author && memcmp(self->person, author->person, VD_PERSON_BYTES) == 0))
		return 0;
	vd_who(r->group, r->author, who);
	return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_REDACT_OTHERS, VD_MSG_REDACT_NOT_OURS, who, NULL);
}

/* As long as the target: everyone who may see it should see who hid it. A reporter tells its focal points, and itself. */
static int choose_audience(struct redacting *r, struct vd_to *to)
{
	const struct vd_device *self = vd_group_find(r->group, vd_group_identity(r->group)->author);

	if (self->most == VD_ROLE_REPORTER)
		return vd_cli_to_focal(r->cli, r->group, true, to);
	memset(to, 0, sizeof *to);
	to->audience = !r->has_audience || r->audience == VD_AUDIENCE_EVERYONE ? VD_AUDIENCE_EVERYONE : VD_AUDIENCE_MEMBERS;
	return 0;
}

/* The first digits of the id typed, or --yes. */
static int confirm(struct redacting *r)
{
	struct vd_cli *cli = r->cli;
	char digits[DIGITS_TYPED + 1], who[VD_WHO_TEXT], time[VD_TIME_TEXT], typed[2 * VD_ID_BYTES + 8];

	snprintf(digits, sizeof digits, "%.6s", r->hex);
	vd_who(r->group, r->author, who);
	vd_time_local(r->time_ms, time);
	vd_note(cli, VD_MSG_REDACT_WHAT, digits, who, time, NULL);
	if (cli->opt.yes)
		return 0;
	if (vd_can_ask(cli) && vd_ask(cli, false, typed, sizeof typed, VD_MSG_REDACT_ASK, digits, NULL) &&
	    strlen(typed) >= DIGITS_TYPED && strncasecmp(typed, r->hex, strlen(typed)) == 0)
		return 0;
	return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_REDACT_YES, VD_MSG_REDACT_UNCONFIRMED, digits, NULL);
}

static int make_content(const struct redacting *r, const char *reason, struct vd_buf *out)
{
	struct vd_field fields[2] = {
		{ vd_slice_str("about"), { .type = VD_MP_BIN, .bytes = vd_slice(r->id.b, VD_ID_BYTES) } },
		{ vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str(reason ? reason : "") } },
	};

	return vd_content_encode(vd_slice_str("redaction"), fields, reason && *reason ? 2 : 1, out);
}

static int write_redaction(struct redacting *r, const struct vd_to *to, struct vd_id *id)
{
	uint64_t now_ms = vd_time_now_ms(), furthest_ms = now_ms + CLOCK_PUSH_MS;
	struct vd_draft draft = { .lane = VD_LANE_URGENT, .now_ms = now_ms, .redacts = &r->id };
	struct vd_write *write = NULL;
	struct vd_buf content = { 0 };
	int rc = make_content(r, vd_options_get(&r->cli->opt, VD_OPT_REASON), &content);

	/* Later than what it hides, as any answer. */
	if (r->time_ms >= now_ms)
		draft.now_ms = r->time_ms < furthest_ms ? r->time_ms + 1 : furthest_ms;
	draft.content = vd_buf_slice(&content);
	vd_to_draft(to, &draft);
	if (!rc)
		rc = vd_write_begin(r->cli->store, &write);
	if (!rc) {
		rc = vd_write_own(write, r->group, &draft, id);
		if (rc)
			vd_write_abort(write);
		else
			rc = vd_write_commit(write);
	}
	vd_buf_deinit(&content);
	return rc;
}

struct versions {
	const struct redacting *r;
	struct vd_buf ids;
	bool any;
};

static int add_version(void *ctx, const struct vd_found *f)
{
	struct versions *v = ctx;
	char id[9];

	if (memcmp(f->record->id.b, v->r->id.b, VD_ID_BYTES) == 0)
		return 0;
	vd_hex(id, f->record->id.b, 4);
	if (v->any)
		vd_buf_put_slice(&v->ids, vd_slice_str(", "));
	vd_buf_put_slice(&v->ids, vd_slice_str(id));
	v->any = true;
	return 0;
}

/* A correction says it all again: each version is hidden on its own. */
static void note_versions(struct redacting *r)
{
	const struct vd_query query = { .history = &r->id };
	struct versions v = { .r = r };
	int ignored = vd_query(r->cli->store, &query, add_version, &v);

	(void)ignored;
	vd_buf_put_u8(&v.ids, 0);
	if (v.any && !v.ids.failed)
		vd_note(r->cli, VD_MSG_REDACT_VERSIONS, (const char *)v.ids.p, NULL);
	vd_buf_deinit(&v.ids);
}

static void say_done(struct redacting *r, const struct vd_id *id)
{
	if (r->cli->opt.json)
		vd_say_json(r->cli, json_pack("{s:o,s:o}", "id", vd_json_hex(id->b, VD_ID_BYTES), "redacted",
		                              vd_json_hex(r->id.b, VD_ID_BYTES)));
	else
		vd_say(r->cli, VD_MSG_REDACTED, r->hex, vd_num(r->cli, VD_REDACT_DAYS), NULL);
	note_versions(r);
}

static int redact(struct redacting *r)
{
	struct vd_cli *cli = r->cli;
	struct vd_to to;
	struct vd_id id;
	int err, rc = find_target(r);

	if (!rc)
		rc = check_entitled(r);
	if (rc)
		return rc;
	if (r->standing == VD_STANDING_REDACTED) {
		vd_note(cli, VD_MSG_REDACTED_ALREADY, r->hex, NULL);
		if (cli->opt.json)
			say_done(r, &r->by);
		return VD_EXIT_DONE;
	}
	rc = choose_audience(r, &to);
	if (!rc)
		rc = vd_cli_clock_set(cli);
	if (!rc)
		rc = confirm(r);
	if (rc)
		return rc;
	err = write_redaction(r, &to, &id);
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_REDACT_FAILED, r->hex, NULL);
	cli->done = VD_MSG_REDACTED_UNSAID;
	memcpy(cli->done_what, r->hex, sizeof r->hex);
	vd_cli_poke(cli);
	say_done(r, &id);
	return VD_EXIT_DONE;
}

static int redact_run(struct vd_cli *cli)
{
	const char *reason = vd_options_get(&cli->opt, VD_OPT_REASON);
	struct redacting r = { .cli = cli };
	int rc;

	if (reason && *reason && !vd_name_ok(reason))
		return vd_misuse(cli, VD_MSG_HINT_REASON, VD_MSG_BAD_REASON, NULL);
	rc = redact(&r);
	vd_group_free(r.group);
	return rc;
}

const struct vd_command vd_command_redact = {
	.syntax = { "redact", { VD_OPT_REASON } },
	.run = redact_run, .summary = VD_MSG_SUM_REDACT, .help = VD_MSG_HELP_REDACT, .args_min = 1, .args_max = 1,
};
