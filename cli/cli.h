/* One run of the command line: what every command shares. Commands return their exit code. */
#ifndef VD_CLI_H
#define VD_CLI_H

#include <jansson.h>

#include "messages.h"
#include "options.h"
#include "store/index.h"
#include "store/store.h"

/* CLI.md, Everywhere. */
enum vd_exit {
	VD_EXIT_DONE = 0,
	VD_EXIT_FAILED = 1,
	VD_EXIT_USAGE = 2,
	VD_EXIT_PARTLY = 3,
	VD_EXIT_NO_STORE = 10,
	VD_EXIT_BUSY = 11,
	VD_EXIT_KEY = 12,
	VD_EXIT_UNREACHABLE = 13,
	VD_EXIT_INTEGRITY = 14,
	VD_EXIT_NO_SPACE = 15,
	VD_EXIT_DECIDE = 16,
	VD_EXIT_INTERRUPTED = 130,
};

struct vd_cli {
	struct vd_options opt;
	enum vd_lang lang;
	bool color;
	char home[4096];
	struct vd_store *store;     /* NULL until vd_cli_open */
	int out_error;              /* errno of the first failed write to standard output */
	enum vd_msg done;           /* what was done for good, should the output not arrive; NONE: running it again does no harm */
	char done_what[72];         /* its place: an id, a name */
	enum vd_msg in_vain;        /* what to add to every error: what did not happen */
	char numbers[8][24];        /* vd_num's */
	unsigned next_number;
};

struct vd_command {
	struct vd_syntax syntax;
	int (*run)(struct vd_cli *);
	enum vd_msg summary, help;
	int args_min, args_max;     /* -1: any number */
};

extern const struct vd_command vd_command_init, vd_command_id, vd_command_group, vd_command_admit, vd_command_join,
	vd_command_members, vd_command_revoke, vd_command_review, vd_command_approve, vd_command_restore, vd_command_doctor,
	vd_command_add, vd_command_alert, vd_command_ack, vd_command_load, vd_command_redact, vd_command_list, vd_command_show, vd_command_get, vd_command_prune,
	vd_command_watch, vd_command_sync, vd_command_stick, vd_command_why, vd_command_export, vd_command_import, vd_command_status, vd_command_check,
	vd_command_version, vd_command_config, vd_command_lock, vd_command_unlock, vd_command_passphrase, vd_command_wipe, vd_command_backup;

/* The whole program. */
int vd_cli_run(int argc, char **argv);
/* `vereda` alone. */
int vd_cli_state(struct vd_cli *);

/* To be called first: JSON that lacks a part for want of memory is never printed as a result, but an error said instead. */
void vd_json_watch(struct vd_cli *);
/* What json_dumps gave. */
void vd_json_release(void *);
/* On standard error, and nothing else: where there is neither memory nor a program yet. */
void vd_note_alone(enum vd_msg, enum vd_lang);
void vd_json_lacks(void); /* a part is lacking that libjansson was not even asked for */

/* --- print.c: words for people and JSON for programs. Variadic arguments are strings that fill a text's places; end with NULL. */

/* A line on standard output. */
void vd_say(struct vd_cli *, enum vd_msg, ...) __attribute__((sentinel));
/* A line on standard error, unless --quiet. */
void vd_note(struct vd_cli *, enum vd_msg, ...) __attribute__((sentinel));
/* Text of people on standard output, made safe for a terminal. */
void vd_say_text(struct vd_cli *, struct vd_slice text, bool newlines);
/* Layout (blanks, line ends, ready lines) on standard output as it is. */
void vd_say_raw(struct vd_cli *, struct vd_slice);
/* One line of JSON on standard output; takes the reference. */
void vd_say_json(struct vd_cli *, json_t *);
/* The same on standard error, for a command whose standard output is a file. */
void vd_note_json(struct vd_cli *, json_t *);
/* A line on the terminal that the next one overwrites; VD_MSG_NONE wipes it. */
void vd_progress(struct vd_cli *, enum vd_msg, ...) __attribute__((sentinel));
/* False once standard output cannot be written any more: stop producing. */
bool vd_say_ok(struct vd_cli *);
/* What was said so far arrives now. */
void vd_say_flush(struct vd_cli *);
/* Flushes; `code`, or a failure when something could not be written. */
int vd_say_end(struct vd_cli *, int code);
/* Decimal digits, valid until eight more were asked for. */
const char *vd_num(struct vd_cli *, uint64_t);
/* A size as people read it; small ones in KiB or bytes. */
enum { VD_SIZE_SAID = 32 };
const char *vd_size_said(struct vd_cli *, uint64_t bytes, char room[VD_SIZE_SAID]);

/* --- fail.c: the one place where errors become exit codes, words and advice. */

/* Says `what` failed and why; `hint` replaces the usual advice for that error. Returns the exit code. */
int vd_fail(struct vd_cli *, int err, enum vd_msg hint, enum vd_msg what, ...) __attribute__((sentinel));
/* Says `what` alone, under an exit code and a stable word of our choice. */
int vd_refuse(struct vd_cli *, enum vd_exit, const char *word, enum vd_msg hint, enum vd_msg what, ...) __attribute__((sentinel));
/* The command line makes no sense: exit 2. */
int vd_misuse(struct vd_cli *, enum vd_msg hint, enum vd_msg what, ...) __attribute__((sentinel));
/* Exit code of an error, without a word. */
enum vd_exit vd_exit_of(int err);

/* --- find.c: what people name. Each returns 0 or an exit code, having said what is wrong. */

int vd_cli_open(struct vd_cli *);
/* Asks a person, who may type nothing: 0 then, and no store. `prompt` says so. */
int vd_cli_open_or_not(struct vd_cli *, enum vd_msg prompt);
/* No store can be made here: says whether one is there already, or who else's file is in the way. */
int vd_cli_taken(struct vd_cli *, enum vd_msg hint, enum vd_msg what);
/* Is the database of that home gone, or emptied, as a wipe does? Async-signal-safe. */
bool vd_cli_gone(const char *home);
/* With a secret that is known already. */
int vd_cli_open_with(struct vd_cli *, const struct vd_secret *);
/* Says why the store did not open. */
int vd_cli_open_failed(struct vd_cli *, int err);
/* The group of --group, or the only one. Caller frees. */
int vd_cli_group(struct vd_cli *, struct vd_group **out);
/* All groups, or the one of --group, as ids. */
int vd_cli_groups(struct vd_cli *, uint8_t (*groups)[VD_GROUP_BYTES], size_t *count);
/* Says why the records could not be read: VD_EDAMAGED is after all the others were. Returns the exit code. */
int vd_cli_query_failed(struct vd_cli *, int err);
/* A whole id from its first digits: 0 or an enum vd_err, without a word. `ctx` is the struct vd_cli. */
int vd_cli_find_id(void *ctx, const char *prefix, struct vd_id *out);
/* A record by prefix; arrival and time_ms (its author's) may be NULL. */
int vd_cli_record(struct vd_cli *, const char *prefix, struct vd_id *id, uint64_t *arrival, uint64_t *time_ms);
/* Does a person's word name this id? 6 or more hex digits of its start. */
bool vd_cli_is_prefix(const char *word, const uint8_t *id, size_t bytes);
/* A member by name or key prefix, in any of our groups (or the one of --group). */
int vd_cli_member(struct vd_cli *, const char *name, uint8_t person[VD_PERSON_BYTES]);
/* A kind to look for: could anything be of it? Notes one that vereda does not know. */
int vd_cli_kind(struct vd_cli *, const char *kind);
void vd_cli_kind_note(struct vd_cli *, const char *kind);
/* 1 to VD_NAME_MAX bytes of printable UTF-8. */
bool vd_name_ok(const char *name);
bool vd_cli_is_folder(const char *path);
/* A path that is no name at all ("", from a variable of a script that was not set): the exit code of what was said; else 0. */
int vd_cli_named(struct vd_cli *, const char *path);
/* For messages: "-" is `pipe` there, every other path itself. */
const char *vd_cli_path_said(struct vd_cli *, const char *path, enum vd_msg pipe);
/* May a file be made at this path? Whole files are renamed into place, which would put one where a device, a pipe or a folder
 * stands: those are refused. */
int vd_cli_new_file(struct vd_cli *, const char *path);
/* Tells a running daemon that the store grew; none running is fine. */
void vd_cli_poke(struct vd_cli *);

/* --- clock.c: nobody sets a device's clock without a network, and every record bears its time. */

/* Appends, with its NUL, why this device's clock can hardly be right: by itself or (group not NULL) by what others wrote. */
bool vd_cli_clock_warning(struct vd_cli *, struct vd_group *, struct vd_buf *out);
/* 0, or an exit code, having said that the clock gives no time that a record could bear. */
int vd_cli_clock_set(struct vd_cli *);
/* 0, or an exit code, having said that an end is not signed by a clock that can hardly be right (--yes does). */
int vd_cli_clock_ends(struct vd_cli *, struct vd_group *);

/* --- view.c: a record as JSON and as lines. */

json_t *vd_json_hex(const void *bytes, size_t n);
json_t *vd_json_text(struct vd_slice);
json_t *vd_json_number(uint64_t);
json_t *vd_json_time(uint64_t ms);
/* The keys of `list`. Of what was redacted nothing that it says. NULL: no memory. */
json_t *vd_json_record(const struct vd_found *);
/* Does that field name attachments? It is shown as what it means. */
bool vd_is_attachments(const struct vd_field *);
/* To whom it is sealed, as anybody can see; false where nothing tells. */
bool vd_record_audience(const struct vd_record *, enum vd_audience *out);
/* Why a record's body is not shown. */
enum vd_msg vd_body_text(const struct vd_found *);
const char *vd_lane_word(uint8_t lane);
const char *vd_role_word(enum vd_role);
enum vd_msg vd_lane_text(uint8_t lane);
enum vd_msg vd_role_text(enum vd_role);
/* One line of a list. */
void vd_say_record(struct vd_cli *, const struct vd_found *, bool replaced);
/* What replaces a record that is shown: the newest, for one may be corrected more than once. False: nothing. */
bool vd_find_successor(struct vd_cli *, const struct vd_id *, struct vd_id *by);

/* --- interrupt.c */

/* SIGINT, SIGTERM and SIGHUP end the program with 130 at once (the store survives that at any moment), or, while `graceful`, only
 * make vd_interrupted() true; a second one ends it. */
void vd_interrupt_init(void);
void vd_interrupt_graceful(bool graceful);
bool vd_interrupted(void);
/* From another thread: who waits gracefully for an interruption ends; nobody else. */
void vd_interrupt_softly(void);
/* What the end with 130 at once says on standard error, as vd_refuse would; NONE: nothing more. For work whose every moment is a good one to end. */
void vd_interrupt_word(struct vd_cli *, enum vd_msg hint, enum vd_msg what);

#endif
