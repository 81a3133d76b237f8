#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "proto/err.h"

static const struct {
	const char *name;
	int code;
	bool value;
} all[] = {
	/* of the whole program */
	{ "home", VD_OPT_HOME, true }, { "json", VD_OPT_JSON, false }, { "quiet", VD_OPT_QUIET, false },
	{ "verbose", VD_OPT_VERBOSE, false }, { "no-color", VD_OPT_NO_COLOR, false }, { "yes", VD_OPT_YES, false },
	{ "no-input", VD_OPT_NO_INPUT, false }, { "lang", VD_OPT_LANG, true },
	{ "passphrase-file", VD_OPT_PASSPHRASE_FILE, true }, { "passphrase-fd", VD_OPT_PASSPHRASE_FD, true },
	{ "group", VD_OPT_GROUP, true }, { "help", VD_OPT_HELP, false }, { "version", VD_OPT_VERSION, false },
	/* of commands */
	{ "name", VD_OPT_NAME, true }, { "no-passphrase", VD_OPT_NO_PASSPHRASE, false }, { "qr", VD_OPT_QR, false },
	{ "role", VD_OPT_ROLE, true }, { "focal", VD_OPT_FOCAL, false }, { "output", VD_OPT_OUT, true },
	{ "message", VD_OPT_MESSAGE, true }, { "about", VD_OPT_ABOUT, true }, { "replaces", VD_OPT_REPLACES, true },
	{ "attach", VD_OPT_ATTACH, true }, { "expires", VD_OPT_EXPIRES, true }, { "to", VD_OPT_TO, true },
	{ "severity", VD_OPT_SEVERITY, true }, { "stage", VD_OPT_STAGE, true }, { "map", VD_OPT_MAP, true },
	{ "dry-run", VD_OPT_DRY_RUN, false }, { "again", VD_OPT_AGAIN, false }, { "since", VD_OPT_SINCE, true },
	{ "until", VD_OPT_UNTIL, true }, { "new", VD_OPT_NEW, false }, { "author", VD_OPT_AUTHOR, true },
	{ "search", VD_OPT_SEARCH, true }, { "limit", VD_OPT_LIMIT, true }, { "quarantined", VD_OPT_QUARANTINED, false },
	{ "for", VD_OPT_FOR, true }, { "check", VD_OPT_CHECK, true }, { "stdio", VD_OPT_STDIO, false },
	{ "repair", VD_OPT_REPAIR, false },
	{ "keep-metadata", VD_OPT_KEEP_METADATA, false }, { "older", VD_OPT_OLDER, true }, { "lane", VD_OPT_LANE, true },
	/* of who may do what */
	{ "person", VD_OPT_PERSON, true }, { "all", VD_OPT_ALL, false }, { "device", VD_OPT_DEVICE, true },
	{ "reason", VD_OPT_REASON, true }, { "undo", VD_OPT_UNDO, true }, { "keep", VD_OPT_KEEP, false },
	{ "accept", VD_OPT_ACCEPT, false }, { "leave", VD_OPT_LEAVE, false }, { "words-file", VD_OPT_WORDS_FILE, true },
	{ "acts", VD_OPT_ACTS, false },
	/* of the vault */
	{ "add", VD_OPT_ADD, false }, { "token", VD_OPT_TOKEN, true }, { "remove", VD_OPT_REMOVE, true }, { "list", VD_OPT_LIST, false },
	{ "new-passphrase-file", VD_OPT_NEW_PASSPHRASE_FILE, true }, { "bundle", VD_OPT_BUNDLE, true },
	/* of bundles */
	{ "volumes", VD_OPT_VOLUMES, true }, { "text", VD_OPT_TEXT, false },
	/* of sticks */
	{ "max", VD_OPT_MAX, true },
	/* of backups */
	{ "paper", VD_OPT_PAPER, false }, { "backup-passphrase-file", VD_OPT_BACKUP_PASSPHRASE_FILE, true }, { "scratch", VD_OPT_SCRATCH, true },
};

enum { ALL = sizeof all / sizeof *all, GLOBALS = 13 };

static int usage_error(struct vd_usage *usage, enum vd_msg msg, const char *detail)
{
	usage->msg = msg;
	snprintf(usage->detail, sizeof usage->detail, "%s", detail);
	return VD_EINVAL;
}

static bool takes(const struct vd_syntax *syntax, int code)
{
	for (size_t i = 0; syntax && i < VD_TAKES_MAX && syntax->takes[i]; i++)
		if ((int)syntax->takes[i] == code)
			return true;
	return false;
}

/* The tables that getopt_long wants: the program's options and those of one command. */
static void tables(const struct vd_syntax *syntax, struct option options[ALL + 1], char letters[16])
{
	size_t n = 0;

	strcat(letters, ":hv");
	for (size_t i = 0; i < ALL; i++) {
		if (i >= GLOBALS && !takes(syntax, all[i].code))
			continue;
		options[n++] = (struct option){ all[i].name, all[i].value ? required_argument : no_argument, NULL, all[i].code };
	}
	memset(&options[n], 0, sizeof options[n]);
	if (takes(syntax, VD_OPT_MESSAGE))
		strcat(letters, "m:");
	if (takes(syntax, VD_OPT_OUT))
		strcat(letters, "o:");
}

/* What is wrong with the option getopt stumbled over. */
static int complain(int got, char *argument, const struct vd_syntax *syntax, struct vd_usage *usage)
{
	size_t n = strcspn(argument, "=");

	if (got == ':')
		return usage_error(usage, VD_MSG_OPTION_NEEDS_VALUE, argument);
	if (strncmp(argument, "--", 2) != 0)
		return usage_error(usage, VD_MSG_UNKNOWN_OPTION, argument);
	for (size_t i = 0; i < ALL; i++) {
		if (strlen(all[i].name) != n - 2 || strncmp(all[i].name, argument + 2, n - 2) != 0)
			continue;
		return usage_error(usage, i < GLOBALS || takes(syntax, all[i].code) ? VD_MSG_OPTION_TAKES_NO_VALUE : VD_MSG_OPTION_NOT_HERE,
		                   argument);
	}
	return usage_error(usage, VD_MSG_UNKNOWN_OPTION, argument);
}

static int apply(struct vd_options *o, int code, const char *value, struct vd_usage *usage)
{
	switch (code) {
	case VD_OPT_HOME: o->home = value; break;
	case VD_OPT_JSON: o->json = true; break;
	case VD_OPT_QUIET: o->quiet = true; break;
	case 'v':
	case VD_OPT_VERBOSE: o->verbose = true; break;
	case VD_OPT_NO_COLOR: o->no_color = true; break;
	case VD_OPT_YES: o->yes = true; break;
	case VD_OPT_NO_INPUT: o->no_input = true; break;
	case VD_OPT_LANG: o->lang = value; break;
	case VD_OPT_PASSPHRASE_FILE: o->passphrase_file = value; break;
	case VD_OPT_PASSPHRASE_FD: o->passphrase_fd = value; break;
	case VD_OPT_GROUP: o->group = value; break;
	case 'h':
	case VD_OPT_HELP: o->help = true; break;
	case VD_OPT_VERSION: o->version = true; break;
	default:
		if (o->given_count == VD_GIVEN_MAX)
			return usage_error(usage, VD_MSG_ARGUMENT_EXTRA, value ? value : "");
		o->given[o->given_count++] = (struct vd_given){ (enum vd_opt)code, value ? value : "" };
	}
	return 0;
}

/* One run of getopt_long over argv[1..]. stop: at the first argument. *next: index of the first argument. */
static int scan(int argc, char **argv, const struct vd_syntax *syntax, bool stop, struct vd_options *o, int *next,
                struct vd_usage *usage)
{
	struct option options[ALL + 1];
	char letters[16] = "";
	int got, rc = 0;

	if (stop)
		strcat(letters, "+");
	tables(syntax, options, letters);
	opterr = 0;
	optind = 0; /* glibc and musl: start afresh */
	while (!rc && (got = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		char letter[3] = { '-', (char)optopt, '\0' };
		bool is_letter = (got == '?' || got == ':') && optopt > 0 && optopt < 256;

		if (got == '?' || got == ':')
			rc = complain(got, is_letter ? letter : argv[optind - 1], syntax, usage);
		else
			rc = apply(o, got, optarg, usage);
	}
	*next = optind;
	return rc;
}

/* sync DIR --check: of the options only this one's value may stand before it, as the argument that people type first. */
static void check_behind(int argc, char **argv)
{
	static char empty[] = "--check=";

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--check") == 0 && (i + 1 == argc || argv[i + 1][0] == '-'))
			argv[i] = empty;
}

/* --json and --lang, so that even a complaint about the command line comes in the form asked for. */
static void look_ahead(int argc, char **argv, struct vd_options *o)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--lang") == 0 && i + 1 < argc)
			o->lang = argv[i + 1];
		else if (strncmp(argv[i], "--lang=", 7) == 0)
			o->lang = argv[i] + 7;
	}
}

int vd_options_parse(int argc, char **argv, const struct vd_syntax *const *commands, struct vd_options *out, struct vd_usage *usage)
{
	int next = 0, rc;

	memset(out, 0, sizeof *out);
	memset(usage, 0, sizeof *usage);
	look_ahead(argc, argv, out);
	rc = scan(argc, argv, NULL, true, out, &next, usage);
	if (rc || next >= argc)
		return rc;
	argc -= next;
	argv += next;
	out->command = argv[0];
	for (; *commands; commands++)
		if (strcmp((*commands)->name, out->command) == 0)
			out->syntax = *commands;
	if (!out->syntax)
		return 0;
	if (takes(out->syntax, VD_OPT_CHECK))
		check_behind(argc, argv);
	rc = scan(argc, argv, out->syntax, false, out, &next, usage);
	out->args = argv + next;
	out->arg_count = argc - next;
	return rc;
}

const char *vd_options_get(const struct vd_options *o, enum vd_opt option)
{
	for (size_t i = o->given_count; i > 0; i--)
		if (o->given[i - 1].option == option)
			return o->given[i - 1].value;
	return NULL;
}

const char *vd_options_each(const struct vd_options *o, enum vd_opt option, size_t *at)
{
	while (*at < o->given_count) {
		const struct vd_given *g = &o->given[(*at)++];

		if (g->option == option)
			return g->value;
	}
	return NULL;
}

/* Edits from a to b: insert, delete, replace, swap neighbours (optimal string alignment). Both below 32 bytes. */
static size_t edits(const char *a, const char *b)
{
	size_t d[33][33], n = strlen(a), m = strlen(b);

	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			best = d[i - 1][j] + 1 < best ? d[i - 1][j] + 1 : best;
			best = d[i][j - 1] + 1 < best ? d[i][j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[n][m];
}

const char *vd_options_nearest(const char *typed, const char *const *names)
{
	const char *nearest = NULL;
	size_t best = 6, n = strlen(typed);

	if (n == 0 || n > 32)
		return NULL;
	for (; *names; names++) {
		size_t m = strlen(*names), far;

		if (m > 32)
			continue;
		/* What begins so is nearer than any typing error; of several, the one that lacks least. */
		if (m > n && n >= 2 && strncmp(*names, typed, n) == 0)
			far = 1;
		else if ((far = 2 * edits(typed, *names)) >= 2 * m)
			continue;
		if (far < best || (far == 1 && best == 1 && m < strlen(nearest))) {
			best = far;
			nearest = *names;
		}
	}
	return nearest;
}
