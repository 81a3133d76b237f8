/* prune: texts and files of others go to make room, while enough others keep them. */
#include <string.h>
#include <strings.h>

#include "admin.h"
#include "proto/err.h"
#include "sizes.h"
#include "store/prune.h"
#include "times.h"

enum { DAY_MS = 86400000 };

/* --lane, again and again; without it all that may go. */
static int take_lanes(struct vd_cli *cli, struct vd_prune_rule *rule)
{
	const char *word;
	size_t at = 0;

	while ((word = vd_options_each(&cli->opt, VD_OPT_LANE, &at))) {
		uint8_t lane = VD_LANE_URGENT;

		while (lane < VD_LANES && strcmp(word, vd_lane_word(lane)) != 0)
			lane++;
		if (lane == VD_LANES)
			return vd_misuse(cli, VD_MSG_HINT_PRUNE_LANE, VD_MSG_PRUNE_LANE, word, NULL);
		rule->lanes |= (uint8_t)(1 << lane);
	}
	if (!rule->lanes)
		rule->lanes = 1 << VD_LANE_URGENT | 1 << VD_LANE_NORMAL | 1 << VD_LANE_BULK;
	return 0;
}

static int take_rule(struct vd_cli *cli, struct vd_prune_rule *rule)
{
	const char *older = vd_options_get(&cli->opt, VD_OPT_OLDER), *most = vd_options_get(&cli->opt, VD_OPT_MAX);

	*rule = (struct vd_prune_rule){ .most_bytes = UINT64_MAX, .dry = vd_options_get(&cli->opt, VD_OPT_DRY_RUN),
		                        .older_ms = (uint64_t)VD_PRUNE_DAYS * DAY_MS };
	if (older && vd_time_duration(older, &rule->older_ms))
		return vd_misuse(cli, VD_MSG_HINT_PRUNE_OLDER, VD_MSG_BAD_TIME, older, NULL);
	if (most && !vd_size_parse(most, &rule->most_bytes))
		return vd_misuse(cli, VD_MSG_HINT_CONFIG_SIZE, VD_MSG_PRUNE_MAX, most, NULL);
	return take_lanes(cli, rule);
}

static int prune_all(struct vd_cli *cli, const struct vd_prune_rule *rule, struct vd_pruned *out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int code = vd_cli_groups(cli, groups, &count), rc = 0;

	*out = (struct vd_pruned){ 0 };
	if (code)
		return code;
	for (size_t i = 0; i < count && !rc && out->bytes < rule->most_bytes; i++) {
		struct vd_group *group;

		rc = vd_store_group(cli->store, groups[i], &group);
		if (rc)
			break;
		rc = vd_prune(cli->store, group, rule, vd_time_now_ms(), out);
		vd_group_free(group);
	}
	if (rc == VD_EAGAIN)
		return vd_refuse(cli, VD_EXIT_FAILED, "clock", VD_MSG_HINT_PRUNE_CLOCK, VD_MSG_PRUNE_CLOCK, NULL);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_PRUNE_FAILED, NULL) : 0;
}

static int promised(struct vd_cli *cli, const struct vd_pruned *p)
{
	char day[VD_TIME_TEXT];

	vd_time_local(p->promised_until * (uint64_t)DAY_MS, day);
	return vd_refuse(cli, VD_EXIT_FAILED, "promised", VD_MSG_HINT_PRUNE_PROMISED, VD_MSG_PRUNE_PROMISED, day, NULL);
}

static void say(struct vd_cli *cli, const struct vd_pruned *p, bool dry)
{
	char size[VD_SIZE_SAID];

	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:b,s:{s:o,s:o,s:o}}", "records", vd_json_number(p->records), "bytes", vd_json_number(p->bytes),
		                           "dry_run", dry, "kept", "own", vd_json_number(p->own), "young", vd_json_number(p->young), "few",
		                           vd_json_number(p->few)));
		return;
	}
	vd_say(cli, dry ? VD_MSG_PRUNE_WOULD : VD_MSG_PRUNED, vd_num(cli, p->records), vd_size_said(cli, p->bytes, size), NULL);
	vd_say(cli, VD_MSG_PRUNE_KEPT, vd_num(cli, p->own), vd_num(cli, p->young), vd_num(cli, p->few), NULL);
}

static int confirm(struct vd_cli *cli, const struct vd_pruned *p)
{
	const char *word = vd_text(cli->lang, VD_MSG_PRUNE_WORD);
	char typed[64], size[VD_SIZE_SAID];

	if (cli->opt.yes)
		return 0;
	vd_note(cli, VD_MSG_PRUNE_WHAT, vd_num(cli, p->records), vd_size_said(cli, p->bytes, size), NULL);
	if (vd_can_ask(cli) && vd_ask(cli, false, typed, sizeof typed, VD_MSG_WIPE_ASK, word, NULL) && strcasecmp(typed, word) == 0)
		return 0;
	return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_PRUNE_YES, VD_MSG_PRUNE_UNCONFIRMED, NULL);
}

static int prune_run(struct vd_cli *cli)
{
	struct vd_prune_rule rule, count;
	struct vd_pruned pruned;
	int rc = take_rule(cli, &rule);

	if (!rc)
		rc = vd_cli_open(cli);
	/* What would go is counted first: it is what the person is asked about. */
	count = rule;
	count.dry = true;
	if (!rc)
		rc = prune_all(cli, &count, &pruned);
	if (rc)
		return rc;
	if (!pruned.records && pruned.promised_until)
		return promised(cli, &pruned);
	if (!rule.dry && pruned.records) {
		rc = confirm(cli, &pruned);
		if (!rc)
			rc = prune_all(cli, &rule, &pruned);
		if (rc)
			return rc;
		vd_cli_poke(cli);
	}
	say(cli, &pruned, rule.dry);
	return VD_EXIT_DONE;
}

const struct vd_command vd_command_prune = {
	.syntax = { "prune", { VD_OPT_OLDER, VD_OPT_LANE, VD_OPT_MAX, VD_OPT_DRY_RUN } },
	.run = prune_run, .summary = VD_MSG_SUM_PRUNE, .help = VD_MSG_HELP_PRUNE, .args_min = 0, .args_max = 0,
};
