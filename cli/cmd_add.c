/* add, alert, ack: one record, written by a person. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin.h"
#include "attach.h"
#include "audience.h"
#include "fields.h"
#include "proto/err.h"
#include "times.h"

enum { CLOCK_PUSH_MS = 60 * 60 * 1000 };

/* One record in the making: what the options say, before it is signed. */
struct making {
	struct vd_fields fields;
	struct vd_id_finder finder;
	struct vd_buf text;         /* -m -: what standard input said */
	struct vd_draft draft;
	struct vd_to to;
	struct vd_attach attach;
	uint64_t clock_ms;          /* ours, when it began */
	struct vd_buf warning;
};

/* Once it is stored: what of it vereda does not know. */
static void say_notes(struct vd_cli *cli, struct making *m)
{
	for (size_t i = 0; i < m->fields.count && m->fields.def; i++) {
		struct vd_slice name = m->fields.list[i].name;
		char field[VD_KIND_MAX + 1] = "";

		if (vd_kind_field(m->fields.def, name) || vd_is_attachments(&m->fields.list[i]))
			continue;
		memcpy(field, name.p, name.n);
		vd_note(cli, VD_MSG_FIELD_UNKNOWN, field, m->fields.kind_text, NULL);
	}
	vd_cli_kind_note(cli, m->fields.kind_text);
}

static int put(struct vd_cli *cli, struct making *m, const char *name, size_t name_n, struct vd_slice value)
{
	struct vd_slice field = vd_slice(name, name_n);
	struct vd_bad_field bad;
	int rc = vd_fields_put(&m->fields, field, value, &bad);

	if (rc == VD_EINVAL)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, bad.msg, cli->opt.command, bad.field, bad.detail, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL);
	return 0;
}

static int put_text(struct vd_cli *cli, struct making *m, const char *name, const char *value)
{
	return put(cli, m, name, strlen(name), vd_slice_str(value));
}

/* Standard input as one text, without the line end that a shell puts behind it. */
static int read_stdin(struct vd_cli *cli, struct vd_buf *out)
{
	for (;;) {
		uint8_t chunk[4096];
		ssize_t n = read(STDIN_FILENO, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vd_refuse(cli, VD_EXIT_FAILED, "io", VD_MSG_HINT_HELP_COMMAND, VD_MSG_READ_STDIN_FAILED, cli->opt.command, NULL);
		if (n == 0)
			break;
		vd_buf_put(out, chunk, (size_t)n);
		if (out->n > VD_BODY_MAX)
			return vd_misuse(cli, VD_MSG_HINT_TOO_LONG, VD_MSG_TOO_LONG, NULL);
	}
	if (out->n && out->p[out->n - 1] == '\n')
		out->n--;
	return vd_buf_check(out) ? vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL) : 0;
}

static int put_main_text(struct vd_cli *cli, struct making *m, const char *text)
{
	const char *name = m->fields.def ? m->fields.def->main_text : "text";
	int rc;

	if (strcmp(text, "-") != 0)
		return put_text(cli, m, name, text);
	rc = read_stdin(cli, &m->text);
	return rc ? rc : put(cli, m, name, strlen(name), vd_buf_slice(&m->text));
}

/* FIELD=VALUE arguments from the i-th on. */
static int put_arguments(struct vd_cli *cli, struct making *m, int i)
{
	for (; i < cli->opt.arg_count; i++) {
		const char *arg = cli->opt.args[i], *eq = strchr(arg, '=');
		int rc;

		if (!eq)
			return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_FIELD_NO_VALUE, cli->opt.command, arg, NULL);
		rc = put(cli, m, arg, (size_t)(eq - arg), vd_slice_str(eq + 1));
		if (rc)
			return rc;
	}
	return 0;
}

/* Refers to another record. An answer is later than what it answers, whatever the two clocks say; but a foreign clock never pushes
 * ours more than an hour ahead. */
static int put_link(struct vd_cli *cli, struct making *m, const char *field, const char *prefix)
{
	uint64_t furthest_ms = m->clock_ms + CLOCK_PUSH_MS, time_ms;
	struct vd_id id;
	/* Through the store first, so that an unknown or ambiguous id gets its own words. */
	int rc = vd_cli_record(cli, prefix, &id, NULL, &time_ms);

	if (rc)
		return rc;
	if (time_ms >= m->draft.now_ms)
		m->draft.now_ms = time_ms < furthest_ms ? time_ms + 1 : furthest_ms;
	return put_text(cli, m, field, prefix);
}

static int put_links(struct vd_cli *cli, struct making *m)
{
	const char *about = vd_options_get(&cli->opt, VD_OPT_ABOUT), *replaced;
	size_t at = 0;
	int rc = about ? put_link(cli, m, "about", about) : 0;

	while (!rc && (replaced = vd_options_each(&cli->opt, VD_OPT_REPLACES, &at)))
		rc = put_link(cli, m, "replaces", replaced);
	return rc;
}

/* For how long. */
static int put_terms(struct vd_cli *cli, struct making *m)
{
	const char *expires = vd_options_get(&cli->opt, VD_OPT_EXPIRES);
	uint64_t ms;

	m->draft.lane = (uint8_t)vd_kind_lane(m->fields.kind);
	if (expires && vd_time_expires(expires, m->draft.now_ms, &m->draft.expires_day))
		return vd_misuse(cli, VD_MSG_HINT_TIME, VD_MSG_BAD_TIME, expires, NULL);
	if (expires && vd_time_duration(expires, &ms) == 0 && ms && ms < VD_DAY_MS)
		return vd_misuse(cli, VD_MSG_HINT_EXPIRES, VD_MSG_EXPIRES_SHORT, expires, NULL);
	if (expires && m->draft.expires_day * VD_DAY_MS <= m->clock_ms)
		return vd_misuse(cli, VD_MSG_HINT_EXPIRES, VD_MSG_EXPIRES_PAST, expires, NULL);
	m->draft.has_expires = expires != NULL;
	return 0;
}

static int put_attachments(struct vd_cli *cli, struct making *m)
{
	struct vd_bad_field bad;
	int rc = vd_attach_read(cli, &m->attach);

	if (rc)
		return rc;
	rc = vd_attach_put(&m->attach, &m->fields, &bad);
	if (rc == VD_EINVAL)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, bad.msg, cli->opt.command, bad.field, bad.detail, NULL);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL) : 0;
}

/* `m`: the caller's, all zero; NULL: there was no memory for it. */
static int begin(struct vd_cli *cli, struct making *m, const char *kind)
{
	int rc;

	if (!m)
		return vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL);
	m->finder = (struct vd_id_finder){ vd_cli_find_id, cli };
	m->draft.now_ms = m->clock_ms = vd_time_now_ms();
	if (vd_fields_init(&m->fields, kind, &m->finder))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_BAD_KIND, cli->opt.command, kind, NULL);
	rc = vd_cli_kind_by_hand(cli, kind);
	if (!rc)
		rc = vd_cli_open(cli);
	if (!rc)
		rc = vd_cli_clock_set(cli);
	if (!rc)
		vd_cli_make_room(cli);
	return rc;
}

static int store(struct vd_cli *cli, struct making *m, struct vd_group *group, struct vd_id *id)
{
	struct vd_write *write = NULL;
	struct vd_buf content = { 0 };
	struct vd_bad_field bad;
	int rc = vd_fields_encode(&m->fields, &content, &bad);

	if (rc == VD_EINVAL) {
		vd_buf_deinit(&content);
		return vd_misuse(cli, bad.msg == VD_MSG_TOO_LONG ? VD_MSG_HINT_TOO_LONG : VD_MSG_HINT_HELP_COMMAND, bad.msg,
		                 cli->opt.command, bad.field, bad.detail, NULL);
	}
	m->draft.content = vd_buf_slice(&content);
	vd_to_draft(&m->to, &m->draft);
	if (!rc)
		rc = vd_write_begin(cli->store, &write);
	if (!rc) {
		rc = vd_write_own(write, group, &m->draft, id);
		/* In the same transaction: it is stored with all it brings along, or not at all. */
		if (!rc)
			rc = vd_attach_write(&m->attach, write, group, &m->draft, id);
		if (rc)
			vd_write_abort(write);
		else
			rc = vd_write_commit(write);
	}
	vd_buf_deinit(&content);
	return rc ? vd_fail(cli, rc, rc == VD_ENOSPACE ? VD_MSG_HINT_NOSPACE_HERE : VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL) : 0;
}

/* Signs, stores, says the id. */
static int finish(struct vd_cli *cli, struct making *m)
{
	struct vd_group *group = NULL;
	char hex[2 * VD_ID_BYTES + 1];
	struct vd_id id;
	int rc = put_terms(cli, m);

	if (!rc)
		rc = put_attachments(cli, m);
	if (!rc && m->fields.count == 0)
		rc = vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_NOTHING_TO_SAY, cli->opt.command, NULL);
	if (!rc)
		rc = vd_cli_group(cli, &group);
	if (!rc && m->draft.has_expires)
		rc = vd_cli_clock_ends(cli, group);
	if (!rc)
		rc = vd_cli_to(cli, group, &m->to);
	if (!rc)
		rc = store(cli, m, group, &id);
	if (!rc && vd_cli_clock_warning(cli, group, &m->warning))
		vd_note(cli, VD_MSG_WARNING, (const char *)m->warning.p, NULL);
	if (!rc) {
		vd_hex(hex, id.b, sizeof id.b);
		cli->in_vain = VD_MSG_NONE;
		cli->done = VD_MSG_ADDED_UNSAID;
		memcpy(cli->done_what, hex, sizeof hex);
		say_notes(cli, m);
		if (cli->opt.json)
			vd_say_json(cli, json_pack("{s:s,s:s,s:o}", "id", hex, "audience", vd_audience_word(m->to.audience), "attachments",
			                           vd_attach_json(&m->attach)));
		else
			vd_say(cli, VD_MSG_ADDED, hex, NULL);
		vd_cli_to_note(cli, group, &m->to);
		vd_cli_poke(cli);
	}
	vd_group_free(group);
	return rc;
}

static void end(struct making *m)
{
	vd_fields_deinit(&m->fields);
	vd_attach_deinit(&m->attach);
	vd_buf_deinit(&m->text);
	vd_buf_deinit(&m->warning);
	free(m);
}

static int add_run(struct vd_cli *cli)
{
	const char *text = vd_options_get(&cli->opt, VD_OPT_MESSAGE);
	struct making *m = calloc(1, sizeof *m);
	int rc = begin(cli, m, cli->opt.args[0]);

	if (!rc)
		rc = put_arguments(cli, m, 1);
	if (!rc && text)
		rc = put_main_text(cli, m, text);
	if (!rc)
		rc = put_links(cli, m);
	if (!rc)
		rc = finish(cli, m);
	if (m)
		end(m);
	return rc;
}

const struct vd_command vd_command_add = {
	.syntax = { "add", { VD_OPT_MESSAGE, VD_OPT_ABOUT, VD_OPT_REPLACES, VD_OPT_ATTACH, VD_OPT_KEEP_METADATA, VD_OPT_EXPIRES, VD_OPT_TO, VD_OPT_KEEP } },
	.run = add_run, .summary = VD_MSG_SUM_ADD, .help = VD_MSG_HELP_ADD, .args_min = 1, .args_max = -1,
};

static int alert_run(struct vd_cli *cli)
{
	static const char *const defaults[][2] = { { "status", "actual" }, { "type", "alert" } };
	const char *severity = vd_options_get(&cli->opt, VD_OPT_SEVERITY);
	struct making *m = calloc(1, sizeof *m);
	int rc;

	cli->in_vain = VD_MSG_ALERT_NOT_SENT;
	rc = begin(cli, m, "alert");
	if (!rc && strspn(cli->opt.args[0], " \t\r\n") == strlen(cli->opt.args[0]))
		rc = vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_NOTHING_TO_SAY, "alert", NULL);
	if (!rc)
		rc = put_main_text(cli, m, cli->opt.args[0]);
	if (!rc)
		rc = put_arguments(cli, m, 1);
	if (!rc && severity)
		rc = put_text(cli, m, "severity", severity);
	if (!rc)
		rc = put_links(cli, m);
	/* What CAP wants of every alert, unless something else was said. */
	for (size_t i = 0; !rc && i < sizeof defaults / sizeof *defaults; i++) {
		bool said = false;

		for (size_t j = 0; j < m->fields.count; j++)
			said |= vd_slice_eq(m->fields.list[j].name, vd_slice_str(defaults[i][0]));
		if (!said)
			rc = put_text(cli, m, defaults[i][0], defaults[i][1]);
	}
	if (!rc)
		rc = finish(cli, m);
	if (m)
		end(m);
	return rc;
}

const struct vd_command vd_command_alert = {
	.syntax = { "alert", { VD_OPT_SEVERITY, VD_OPT_ABOUT, VD_OPT_REPLACES, VD_OPT_ATTACH, VD_OPT_KEEP_METADATA, VD_OPT_EXPIRES, VD_OPT_TO, VD_OPT_KEEP } },
	.run = alert_run, .summary = VD_MSG_SUM_ALERT, .help = VD_MSG_HELP_ALERT, .args_min = 1, .args_max = -1,
};

static int ack_run(struct vd_cli *cli)
{
	const char *stage = vd_options_get(&cli->opt, VD_OPT_STAGE), *text = vd_options_get(&cli->opt, VD_OPT_MESSAGE);
	struct making *m = calloc(1, sizeof *m);
	int rc = begin(cli, m, "ack");

	if (!rc)
		rc = put_link(cli, m, "about", cli->opt.args[0]);
	/* Whoever types this has read it. */
	if (!rc)
		rc = put_text(cli, m, "stage", stage ? stage : "seen");
	if (!rc && text)
		rc = put_main_text(cli, m, text);
	if (!rc)
		rc = finish(cli, m);
	if (m)
		end(m);
	return rc;
}

const struct vd_command vd_command_ack = {
	.syntax = { "ack", { VD_OPT_STAGE, VD_OPT_MESSAGE, VD_OPT_TO, VD_OPT_KEEP } },
	.run = ack_run, .summary = VD_MSG_SUM_ACK, .help = VD_MSG_HELP_ACK, .args_min = 1, .args_max = 1,
};
