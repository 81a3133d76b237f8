/* why: who is known to have a record (why_record.c), or what a member is not known to have (why_member.c); by which way word came, and what to do. Nothing
 * counts as arrived that was not confirmed. */
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "why.h"

void vd_why_advise(struct vd_why *w, enum vd_msg msg, const char *a, const char *b)
{
	json_array_append_new(w->advice, vd_json_said(w->cli, msg, a, b, NULL));
	if (!w->cli->opt.json)
		vd_say(w->cli, msg, a, b, NULL);
}

void vd_why_advise_stick(struct vd_why *w, const struct vd_stick *stick, const char *to)
{
	char called[VD_WHERE_TEXT];

	vd_why_advise(w, VD_MSG_WHY_NEXT_STICK, vd_stick_called(w->cli, stick, called), to);
	if (!*stick->name)
		vd_why_advise(w, VD_MSG_WHY_NEXT_NAME, called, NULL);
}

bool vd_why_ours(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES])
{
	const struct vd_identity *us = vd_group_identity(group);
	const struct vd_device *d = us ? vd_group_find(group, us->author) : NULL;

	return d && memcmp(d->person, person, VD_PERSON_BYTES) == 0;
}

json_t *vd_why_time(uint64_t ms)
{
	return ms ? vd_json_time(ms) : json_null();
}

int vd_why_begin(struct vd_why *w)
{
	int rc = vd_sticks(w->cli->store, &w->sticks, &w->stick_count);

	w->holders = json_array();
	w->missing = json_array();
	w->advice = json_array();
	if (!rc)
		rc = vd_custody_open(w->cli->store, w->group, &w->custody);
	return rc;
}

static void end(struct vd_why *w)
{
	vd_custody_close(w->custody);
	free(w->sticks);
	json_decref(w->holders);
	json_decref(w->missing);
	json_decref(w->advice);
	vd_group_free(w->group);
}

static bool is_hex(const char *word)
{
	return strspn(word, "0123456789abcdefABCDEF") == strlen(word);
}

/* What a word means: a record, if its first digits are those; else somebody. */
static int find_record(struct vd_cli *cli, const char *word, struct vd_why_subject *s)
{
	size_t n = strlen(word);
	int rc = n < 6 || n > 2 * VD_ID_BYTES || !is_hex(word) ? VD_ENOTFOUND : vd_store_find_prefix(cli->store, word, &s->arrival);

	if (!rc)
		rc = vd_store_read(cli->store, s->arrival, &s->raw, &s->record, &s->received_ms);
	if (!rc)
		memcpy(s->group, s->record.group, VD_GROUP_BYTES);
	return rc;
}

/* Of several groups, the one that knows somebody of that name. What is wrong was said. */
static int find_group_of(struct vd_cli *cli, const char *word, struct vd_group **out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0, hits = 0;
	int rc = vd_cli_groups(cli, groups, &count), err = VD_OK;

	if (rc)
		return rc;
	if (count < 2)
		return vd_cli_group(cli, out);
	for (size_t i = 0; i < count && !err; i++) {
		struct vd_group *group = NULL;

		err = vd_store_group(cli->store, groups[i], &group);
		if (!err && vd_member_known(group, word) && !hits++)
			*out = group;
		else
			vd_group_free(group);
	}
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
	if (!hits && is_hex(word))
		return vd_fail(cli, VD_ENOTFOUND, VD_MSG_HINT_NO_SUCH_RECORD, VD_MSG_NO_SUCH_RECORD, word, NULL);
	if (!hits)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_MEMBER, VD_MSG_UNKNOWN_MEMBER, word, NULL);
	return hits > 1 ? vd_misuse(cli, VD_MSG_HINT_WHICH_GROUP, VD_MSG_WHICH_GROUP, NULL) : 0;
}

static int why_run(struct vd_cli *cli)
{
	const char *word = cli->opt.args[0];
	struct vd_why w = { .cli = cli };
	struct vd_why_subject s = { .arrival = 0 };
	struct vd_target target;
	int rc = vd_cli_open(cli), found;

	if (rc)
		return rc;
	found = find_record(cli, word, &s);
	if (!found) {
		found = vd_store_group(cli->store, s.group, &w.group);
		rc = found ? vd_fail(cli, found, VD_MSG_NONE, VD_MSG_WHY_FAILED, NULL) : vd_why_record(&w, &s);
	} else if (found != VD_ENOTFOUND) {
		rc = vd_fail(cli, found, VD_MSG_NONE, VD_MSG_NO_SUCH_RECORD, word, NULL);
	} else {
		rc = find_group_of(cli, word, &w.group);
		if (!rc && !vd_member_known(w.group, word) && is_hex(word))
			rc = vd_fail(cli, VD_ENOTFOUND, VD_MSG_HINT_NO_SUCH_RECORD, VD_MSG_NO_SUCH_RECORD, word, NULL);
		if (!rc)
			rc = vd_cli_target(cli, w.group, word, VD_AMONG_IN, &target);
		if (!rc)
			rc = vd_why_member(&w, &target);
	}
	vd_buf_deinit(&s.raw);
	end(&w);
	return rc;
}

const struct vd_command vd_command_why = {
	.syntax = { "why", { VD_OPT_NONE } },
	.run = why_run, .summary = VD_MSG_SUM_WHY, .help = VD_MSG_HELP_WHY, .args_min = 1, .args_max = 1,
};
