/* What was said on the command line: options of the program, the command, its options, its arguments. */
#ifndef VD_OPTIONS_H
#define VD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "messages.h"

/* Codes of options; those of one letter are the letter. */
enum vd_opt {
	VD_OPT_NONE = 0,
	VD_OPT_MESSAGE = 'm',
	VD_OPT_OUT = 'o',
	VD_OPT_FIRST = 256,
	VD_OPT_HOME, VD_OPT_JSON, VD_OPT_QUIET, VD_OPT_VERBOSE, VD_OPT_NO_COLOR, VD_OPT_YES, VD_OPT_NO_INPUT, VD_OPT_LANG,
	VD_OPT_PASSPHRASE_FILE, VD_OPT_PASSPHRASE_FD, VD_OPT_GROUP, VD_OPT_HELP, VD_OPT_VERSION,
	VD_OPT_NAME, VD_OPT_NO_PASSPHRASE, VD_OPT_QR, VD_OPT_ROLE, VD_OPT_FOCAL, VD_OPT_ABOUT, VD_OPT_REPLACES, VD_OPT_ATTACH,
	VD_OPT_EXPIRES, VD_OPT_TO, VD_OPT_SEVERITY, VD_OPT_STAGE, VD_OPT_MAP, VD_OPT_DRY_RUN, VD_OPT_AGAIN, VD_OPT_SINCE,
	VD_OPT_UNTIL, VD_OPT_NEW, VD_OPT_AUTHOR, VD_OPT_SEARCH, VD_OPT_LIMIT, VD_OPT_QUARANTINED, VD_OPT_FOR, VD_OPT_CHECK,
	VD_OPT_STDIO, VD_OPT_REPAIR,
	VD_OPT_PERSON, VD_OPT_ALL, VD_OPT_DEVICE, VD_OPT_REASON, VD_OPT_UNDO, VD_OPT_KEEP, VD_OPT_ACCEPT, VD_OPT_LEAVE,
	VD_OPT_WORDS_FILE, VD_OPT_ACTS,
	VD_OPT_ADD, VD_OPT_TOKEN, VD_OPT_REMOVE, VD_OPT_LIST, VD_OPT_NEW_PASSPHRASE_FILE, VD_OPT_BUNDLE,
	VD_OPT_PAPER, VD_OPT_BACKUP_PASSPHRASE_FILE, VD_OPT_SCRATCH,
	VD_OPT_VOLUMES, VD_OPT_TEXT, VD_OPT_MAX,
	VD_OPT_KEEP_METADATA, VD_OPT_OLDER, VD_OPT_LANE,
};

enum { VD_TAKES_MAX = 12, VD_GIVEN_MAX = 512 };

/* A command as the parser sees it. */
struct vd_syntax {
	const char *name;
	enum vd_opt takes[VD_TAKES_MAX]; /* its own options, 0-terminated */
};

struct vd_given {
	enum vd_opt option;
	const char *value;          /* NULL for a flag */
};

struct vd_options {
	const char *home, *group, *lang, *passphrase_file, *passphrase_fd;
	bool json, quiet, verbose, no_color, yes, no_input, help, version;
	const char *command;        /* as typed; NULL: none */
	const struct vd_syntax *syntax; /* NULL: no such command */
	struct vd_given given[VD_GIVEN_MAX]; /* the command's own, in order */
	size_t given_count;
	char **args;                /* arguments of the command */
	int arg_count;
};

/* What is wrong with it: a message and its argument. */
struct vd_usage {
	enum vd_msg msg;
	char detail[128];
};

/* Parses; options may stand before and after the command and its arguments, "--" ends them. `commands` ends with a NULL name.
 * Borrows argv (and reorders it) for as long as *out lives. VD_EINVAL with *usage; --json and --lang are right even then. */
int vd_options_parse(int argc, char **argv, const struct vd_syntax *const *commands, struct vd_options *out, struct vd_usage *usage);
/* Last value given, or NULL; a flag's value is "". */
const char *vd_options_get(const struct vd_options *, enum vd_opt);
/* Each value in turn: start with *at = 0; NULL at the end. */
const char *vd_options_each(const struct vd_options *, enum vd_opt, size_t *at);

/* The candidate nearest to what was typed, or NULL when none is near. `names` ends with NULL. */
const char *vd_options_nearest(const char *typed, const char *const *names);

#endif
