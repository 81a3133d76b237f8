/* config: what a person may set on this device alone. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli.h"
#include "sizes.h"
#include "store/custody.h"
#include "store/shares.h"

enum { SHARE_RECORDS, SHARE_DAY, RESERVE, BULK_MAX, PROMISE, RECEIPTS, KEYS };
enum { PROMISE_MOST = 3650 }; /* days */
static const char *const keys[KEYS + 1] = { "share.records", "share.day", "reserve", "bulk.max", "promise", "receipts", NULL };

static uint64_t *value_of(struct vd_shares *set, size_t key)
{
	switch (key) {
	case SHARE_RECORDS: return &set->records;
	case SHARE_DAY: return &set->day_bytes;
	case BULK_MAX: return &set->bulk_bytes;
	case PROMISE: return &set->promise_days;
	default: return &set->reserve_bytes;
	}
}

/* KEYS: none of ours; *code then is what to end with. */
static size_t key_named(struct vd_cli *cli, const char *name, int *code)
{
	const char *near;

	for (size_t i = 0; i < KEYS; i++)
		if (strcmp(keys[i], name) == 0)
			return i;
	near = vd_options_nearest(name, keys);
	*code = near ? vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_CONFIG_NO_KEY, name, near, NULL)
	             : vd_misuse(cli, VD_MSG_HINT_CONFIG_KEYS, VD_MSG_CONFIG_NO_KEY, name, NULL);
	return KEYS;
}

static bool parse(const char *text, size_t key, uint64_t *out)
{
	if (key == BULK_MAX && strcmp(text, "all") == 0) {
		*out = VD_BULK_ALL;
		return true;
	}
	if (key == PROMISE)
		return vd_count_parse(text, out) && *out <= PROMISE_MOST;
	return key == SHARE_RECORDS ? vd_count_parse(text, out) : vd_size_parse(text, out);
}

static void print(uint64_t value, size_t key, char out[VD_SIZE_TEXT])
{
	if (key == BULK_MAX && value == VD_BULK_ALL)
		snprintf(out, VD_SIZE_TEXT, "all");
	else if (key == SHARE_RECORDS || key == PROMISE)
		snprintf(out, VD_SIZE_TEXT, "%llu", (unsigned long long)value);
	else
		vd_size_text(value, out);
}

static json_t *value_json(uint64_t value, size_t key)
{
	return key == BULK_MAX && value == VD_BULK_ALL ? json_null() : vd_json_number(value);
}

static const char *on_off(bool silent)
{
	return silent ? "off" : "on";
}

static int get(struct vd_cli *cli, struct vd_shares *set, bool silent, size_t only)
{
	json_t *object = cli->opt.json ? json_object() : NULL;
	char text[VD_SIZE_TEXT];

	for (size_t i = 0; i < KEYS; i++) {
		if (only != KEYS && only != i)
			continue;
		if (i == RECEIPTS && cli->opt.json)
			json_object_set_new(object, keys[i], json_boolean(!silent));
		else if (i == RECEIPTS)
			vd_say(cli, VD_MSG_CONFIG_LINE, keys[i], on_off(silent), NULL);
		if (i == RECEIPTS)
			continue;
		print(*value_of(set, i), i, text);
		if (cli->opt.json)
			json_object_set_new(object, keys[i], value_json(*value_of(set, i), i));
		else
			vd_say(cli, VD_MSG_CONFIG_LINE, keys[i], text, NULL);
	}
	if (cli->opt.json)
		vd_say_json(cli, object);
	return VD_EXIT_DONE;
}

static int set_one(struct vd_cli *cli, struct vd_shares *set, size_t key, const char *text)
{
	uint64_t least = key == SHARE_RECORDS ? 1 : key == SHARE_DAY ? VD_BODY_MAX : 0, value;
	char now[VD_SIZE_TEXT], before[VD_SIZE_TEXT], least_text[VD_SIZE_TEXT];
	int rc;

	if (!parse(text, key, &value))
		return vd_misuse(cli, key == PROMISE ? VD_MSG_HINT_CONFIG_DAYS : key == SHARE_RECORDS ? VD_MSG_HINT_CONFIG_NUMBER : VD_MSG_HINT_CONFIG_SIZE, VD_MSG_CONFIG_NO_VALUE,
		                 keys[key], text, NULL);
	print(least, key, least_text);
	if (value < least)
		return vd_misuse(cli, VD_MSG_HINT_CONFIG_LEAST, VD_MSG_CONFIG_LESS, keys[key], least_text, NULL);
	print(*value_of(set, key), key, before);
	*value_of(set, key) = value;
	print(value, key, now);
	rc = vd_shares_set(cli->store, set, (uint64_t)time(NULL) * 1000);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_CONFIG_FAILED, NULL);
	vd_cli_poke(cli);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o}", keys[key], value_json(value, key)));
	else
		vd_say(cli, VD_MSG_CONFIG_SET, keys[key], now, before, NULL);
	return VD_EXIT_DONE;
}

static int set_receipts(struct vd_cli *cli, bool before, const char *text)
{
	bool silent = strcmp(text, "off") == 0;
	int rc;

	if (!silent && strcmp(text, "on") != 0)
		return vd_misuse(cli, VD_MSG_HINT_CONFIG_ON_OFF, VD_MSG_CONFIG_NO_VALUE, keys[RECEIPTS], text, NULL);
	rc = vd_custody_silence(cli->store, silent);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_CONFIG_FAILED, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:b}", keys[RECEIPTS], !silent));
	else
		vd_say(cli, VD_MSG_CONFIG_SET, keys[RECEIPTS], on_off(silent), on_off(before), NULL);
	return VD_EXIT_DONE;
}

/* vereda config get [KEY], vereda config set KEY VALUE */
static int config_run(struct vd_cli *cli)
{
	static const char *const subcommands[] = { "get", "set", "list", NULL };
	const char *what = cli->opt.args[0], *near;
	struct vd_shares set;
	bool silent = false, sets = strcmp(what, "set") == 0, lists = strcmp(what, "list") == 0;
	size_t key = KEYS;
	int rc = 0, wanted;

	if (!sets && !lists && strcmp(what, "get") != 0) {
		near = vd_options_nearest(what, subcommands);
		if (near)
			return vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_CONFIG_SUBCOMMAND, what, near, NULL);
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_CONFIG_SUBCOMMAND, "config", what, NULL);
	}
	if (cli->opt.arg_count > 1 && !lists)
		key = key_named(cli, cli->opt.args[1], &rc);
	if (rc)
		return rc;
	wanted = sets ? 3 : lists ? 1 : 2;
	if (cli->opt.arg_count > wanted)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_EXTRA, "config", cli->opt.args[wanted], NULL);
	if (sets && cli->opt.arg_count < wanted)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, "config", NULL);
	rc = vd_cli_open(cli);
	if (rc)
		return rc;
	rc = vd_shares_get(cli->store, &set);
	if (!rc)
		rc = vd_custody_silent(cli->store, &silent);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_CONFIG_FAILED, NULL);
	if (sets && key == RECEIPTS)
		return set_receipts(cli, silent, cli->opt.args[2]);
	return sets ? set_one(cli, &set, key, cli->opt.args[2]) : get(cli, &set, silent, key);
}

const struct vd_command vd_command_config = {
	.syntax = { "config", { VD_OPT_NONE } },
	.run = config_run, .summary = VD_MSG_SUM_CONFIG, .help = VD_MSG_HELP_CONFIG, .args_min = 1, .args_max = 3,
};
