/* Which commands there are, and how a run goes: parse, set up, run one, say whether the output arrived. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "cli.h"
#include "lent.h"
#include "store/file.h"

static const struct vd_command *const commands[] = {
	&vd_command_init, &vd_command_id, &vd_command_group, &vd_command_admit, &vd_command_join, &vd_command_members,
	&vd_command_revoke, &vd_command_review, &vd_command_approve, &vd_command_restore,
	&vd_command_add, &vd_command_alert, &vd_command_ack, &vd_command_load, &vd_command_redact, &vd_command_list, &vd_command_show,
	&vd_command_get, &vd_command_prune,
	&vd_command_watch, &vd_command_sync, &vd_command_stick, &vd_command_export, &vd_command_import, &vd_command_status, &vd_command_why, &vd_command_doctor,
	&vd_command_check, &vd_command_lock, &vd_command_unlock, &vd_command_passphrase, &vd_command_wipe,
	&vd_command_backup, &vd_command_config, &vd_command_version,
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct vd_command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->syntax.name, name) == 0)
			return commands[i];
	return NULL;
}

static int unknown_command(struct vd_cli *cli, const char *name)
{
	const char *names[COMMANDS + 2], *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->syntax.name;
	names[COMMANDS] = "help";
	names[COMMANDS + 1] = NULL;
	near = vd_options_nearest(name, names);
	if (near)
		return vd_misuse(cli, VD_MSG_DID_YOU_MEAN, VD_MSG_UNKNOWN_COMMAND, name, near, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP, VD_MSG_UNKNOWN_COMMAND, name, NULL);
}

static int help(struct vd_cli *cli, const struct vd_command *command)
{
	char name[16];

	if (command) {
		vd_say(cli, command->help, NULL);
		return VD_EXIT_DONE;
	}
	vd_say(cli, VD_MSG_PROGRAM, NULL);
	for (size_t i = 0; i < COMMANDS; i++) {
		snprintf(name, sizeof name, "%-9s", commands[i]->syntax.name);
		vd_say(cli, VD_MSG_PROGRAM_COMMANDS, name, vd_text(cli->lang, commands[i]->summary), NULL);
	}
	vd_say(cli, VD_MSG_PROGRAM_OPTIONS, NULL);
	return VD_EXIT_DONE;
}

/* CLI.md: --home, else $VEREDA_HOME, else $XDG_DATA_HOME/vereda, else ~/.local/share/vereda. */
static int choose_home(struct vd_cli *cli)
{
	const char *vereda = getenv("VEREDA_HOME"), *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	size_t cap = sizeof cli->home;
	int n;

	/* asked only when it is needed: it reads files, and glibc's dies of a failing malloc */
	if (!cli->opt.home && !(vereda && *vereda) && !(xdg && xdg[0] == '/') && (!home || !*home)) {
		const struct passwd *user = getpwuid(getuid());

		home = user ? user->pw_dir : NULL;
	}
	if (cli->opt.home)
		n = snprintf(cli->home, cap, "%s", cli->opt.home);
	else if (vereda && *vereda)
		n = snprintf(cli->home, cap, "%s", vereda);
	else if (xdg && xdg[0] == '/')
		n = snprintf(cli->home, cap, "%s/vereda", xdg);
	else
		n = home ? snprintf(cli->home, cap, "%s/.local/share/vereda", home) : 0;
	if (cli->opt.home && !*cli->opt.home)
		return vd_misuse(cli, VD_MSG_HINT_HOME_FILE, VD_MSG_HOME_EMPTY, NULL);
	if (n > 0 && (size_t)n >= cap)
		return vd_misuse(cli, VD_MSG_HINT_HOME_FILE, VD_MSG_HOME_LONG, NULL);
	if (n <= 0)
		return vd_misuse(cli, VD_MSG_HINT_HELP, VD_MSG_NO_HOME, NULL);
	return 0;
}

static bool wants_color(const struct vd_cli *cli)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return !cli->opt.no_color && !(no_color && *no_color) && isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

static int run_command(struct vd_cli *cli, const struct vd_command *command)
{
	char name[64];

	if (command->args_min > cli->opt.arg_count)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_MISSING, command->syntax.name, NULL);
	if (command->args_max >= 0 && cli->opt.arg_count > command->args_max) {
		snprintf(name, sizeof name, "%s", command->syntax.name);
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ARGUMENT_EXTRA, name, cli->opt.args[command->args_max], NULL);
	}
	return command->run(cli);
}

static const struct vd_syntax help_syntax = { "help", { VD_OPT_NONE } };

/* vereda help [COMMAND] */
static int help_run(struct vd_cli *cli)
{
	const char *about = cli->opt.arg_count ? cli->opt.args[0] : NULL;

	return about && !find(about) ? unknown_command(cli, about) : help(cli, about ? find(about) : NULL);
}

static int dispatch(struct vd_cli *cli)
{
	const char *name = cli->opt.version ? "version" : cli->opt.command;
	const struct vd_command *command = name ? find(name) : NULL;
	int rc;

	if (cli->opt.syntax == &help_syntax)
		return help_run(cli);
	if (name && !command)
		return unknown_command(cli, name);
	if (cli->opt.help)
		return help(cli, command);
	rc = choose_home(cli);
	if (rc)
		return rc;
	return command ? run_command(cli, command) : vd_cli_state(cli);
}

int vd_cli_run(int argc, char **argv)
{
	const struct vd_syntax *syntaxes[COMMANDS + 2];
	struct vd_cli *cli = calloc(1, sizeof *cli);
	struct vd_usage usage;
	int code;

	if (!cli || sodium_init() < 0) {
		vd_note_alone(cli ? VD_MSG_ERR_CRYPTO : VD_MSG_ERR_NOMEM, vd_text_lang_env());
		free(cli);
		return VD_EXIT_FAILED;
	}
	vd_file_fill_standard();
	vd_json_watch(cli);
	vd_interrupt_init();
	for (size_t i = 0; i < COMMANDS; i++)
		syntaxes[i] = &commands[i]->syntax;
	syntaxes[COMMANDS] = &help_syntax;
	syntaxes[COMMANDS + 1] = NULL;
	cli->lang = vd_text_lang_env();
	code = vd_options_parse(argc, argv, syntaxes, &cli->opt, &usage);
	cli->color = wants_color(cli);
	if (cli->opt.lang && vd_text_lang(cli->opt.lang, &cli->lang))
		code = vd_misuse(cli, VD_MSG_HINT_HELP, VD_MSG_BAD_LANG, cli->opt.lang, NULL);
	else if (code && cli->opt.syntax)
		code = vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, usage.msg, cli->opt.syntax->name, usage.detail, NULL);
	else if (code)
		code = vd_misuse(cli, VD_MSG_HINT_HELP, usage.msg, "", usage.detail, NULL);
	else
		code = dispatch(cli);
	vd_lent_stop();
	code = vd_lent_code(cli, vd_say_end(cli, code));
	vd_store_close(cli->store);
	free(cli);
	return code;
}
