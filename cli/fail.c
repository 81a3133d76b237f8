#include "fail.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "lent.h"
#include "proto/err.h"

struct failure {
	int err;
	enum vd_exit code;
	const char *word;       /* stable, for programs */
	enum vd_msg reason, hint;
};

static const struct failure failures[] = {
	{ VD_ENOMEM, VD_EXIT_FAILED, "memory", VD_MSG_ERR_NOMEM, VD_MSG_HINT_NOMEM },
	{ VD_EFORMAT, VD_EXIT_INTEGRITY, "integrity", VD_MSG_ERR_FORMAT, VD_MSG_HINT_FORMAT },
	{ VD_ECAP, VD_EXIT_FAILED, "too-large", VD_MSG_ERR_CAP, VD_MSG_HINT_CAP },
	{ VD_ESIGNATURE, VD_EXIT_INTEGRITY, "integrity", VD_MSG_ERR_SIGNATURE, VD_MSG_HINT_SIGNATURE },
	{ VD_EGROUP, VD_EXIT_KEY, "other-group", VD_MSG_ERR_GROUP, VD_MSG_HINT_GROUP },
	{ VD_EAUTHOR, VD_EXIT_FAILED, "not-entitled", VD_MSG_ERR_AUTHOR, VD_MSG_HINT_AUTHOR },
	{ VD_EKEY, VD_EXIT_KEY, "no-key", VD_MSG_ERR_KEY, VD_MSG_HINT_KEY },
	{ VD_EVERSION, VD_EXIT_FAILED, "newer-version", VD_MSG_ERR_VERSION, VD_MSG_HINT_VERSION },
	{ VD_ENOTFOUND, VD_EXIT_FAILED, "not-found", VD_MSG_ERR_NOTFOUND, VD_MSG_HINT_NOTFOUND },
	{ VD_EEXISTS, VD_EXIT_FAILED, "exists", VD_MSG_ERR_EXISTS, VD_MSG_HINT_EXISTS },
	{ VD_EAGAIN, VD_EXIT_BUSY, "busy", VD_MSG_ERR_BUSY, VD_MSG_HINT_BUSY },
	{ VD_EBUSY, VD_EXIT_BUSY, "busy", VD_MSG_ERR_BUSY, VD_MSG_HINT_BUSY },
	{ VD_ECLOSED, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_ERR_CLOSED, VD_MSG_HINT_CLOSED },
	{ VD_ETORN, VD_EXIT_PARTLY, "torn", VD_MSG_ERR_TORN, VD_MSG_HINT_TORN },
	{ VD_EDAMAGED, VD_EXIT_INTEGRITY, "integrity", VD_MSG_ERR_DAMAGED, VD_MSG_HINT_DAMAGED },
	{ VD_ENOSPACE, VD_EXIT_NO_SPACE, "no-space", VD_MSG_ERR_NOSPACE, VD_MSG_HINT_NOSPACE },
	{ VD_EIO, VD_EXIT_NO_SPACE, "medium", VD_MSG_ERR_IO, VD_MSG_HINT_IO },
	{ VD_ENOSTORE, VD_EXIT_NO_STORE, "no-store", VD_MSG_ERR_NOSTORE, VD_MSG_HINT_NOSTORE },
	{ VD_EINVAL, VD_EXIT_USAGE, "usage", VD_MSG_ERR_INVAL, VD_MSG_HINT_INVAL },
	{ VD_EAMBIGUOUS, VD_EXIT_DECIDE, "ambiguous", VD_MSG_ERR_AMBIGUOUS, VD_MSG_HINT_AMBIGUOUS },
	{ VD_ECRYPTO, VD_EXIT_FAILED, "crypto", VD_MSG_ERR_CRYPTO, VD_MSG_HINT_CRYPTO },
	{ VD_EDENIED, VD_EXIT_FAILED, "permission", VD_MSG_ERR_DENIED, VD_MSG_HINT_DENIED },
	{ VD_ESEALED, VD_EXIT_KEY, "sealed", VD_MSG_ERR_SEALED, VD_MSG_HINT_SEALED },
};

static const struct failure *find(int err)
{
	static const struct failure unknown = { 0, VD_EXIT_FAILED, "failed", VD_MSG_ERR_UNKNOWN, VD_MSG_HINT_UNKNOWN };

	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		if (failures[i].err == err)
			return &failures[i];
	return &unknown;
}

enum vd_exit vd_exit_of(int err)
{
	return err ? find(err)->code : VD_EXIT_DONE;
}

/* Without memory for what there is to say: that much at least, from the catalogue as it stands. */
static void unsaid(struct vd_cli *cli)
{
	vd_note_line(cli, vd_slice_str(vd_text(cli->lang, VD_MSG_ERR_NOMEM)));
}

/* One error, as people or programs read it. `reason` may be NONE. */
static void report(struct vd_cli *cli, const char *word, enum vd_msg what, const char *const *args, enum vd_msg reason,
                   enum vd_msg hint)
{
	bool people = !cli->opt.json, why = what == VD_MSG_KEY_TAKEN || what == VD_MSG_STORE_GONE;
	const struct passwd *user = reason == VD_MSG_ERR_DENIED ? getpwuid(geteuid()) : NULL;
	const char *const who[] = { user ? user->pw_name : vd_num(cli, geteuid()), NULL };
	struct vd_buf message = { 0 }, advice = { 0 }, line = { 0 };

	if (vd_lent_over() && !why)
		return; /* it follows from that */
	vd_text_format(cli->lang, what, args, people, &message);
	if (reason) {
		vd_buf_put_slice(&message, vd_slice_str(": "));
		vd_text_format(cli->lang, reason, who, people, &message);
	}
	if (cli->in_vain) {
		vd_buf_put_slice(&message, vd_slice_str(". "));
		vd_text_format(cli->lang, cli->in_vain, args, people, &message);
	}
	if (hint)
		vd_text_format(cli->lang, hint, args, people, &advice);
	if (message.failed || advice.failed)
		unsaid(cli);
	else if (people) {
		vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, VD_MSG_ERROR)));
		vd_buf_put_slice(&line, vd_buf_slice(&message));
		if (hint) {
			vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, VD_MSG_HINT)));
			vd_buf_put_slice(&line, vd_buf_slice(&advice));
		}
		if (line.failed)
			unsaid(cli);
		else
			vd_note_line(cli, vd_buf_slice(&line));
	} else {
		vd_note_json(cli, json_pack("{s:s,s:o,s:o}", "error", word, "message", vd_json_text(vd_buf_slice(&message)), "hint",
		                            vd_json_text(vd_buf_slice(&advice))));
	}
	vd_buf_deinit(&message);
	vd_buf_deinit(&advice);
	vd_buf_deinit(&line);
}

void vd_fail_line(struct vd_cli *cli, const char *word, enum vd_msg what, enum vd_msg hint, struct vd_buf *out)
{
	json_t *object;
	char *text;

	if (cli->opt.json) {
		object = json_pack("{s:s,s:s,s:s}", "error", word, "message", vd_text(cli->lang, what), "hint", hint ? vd_text(cli->lang, hint) : "");
		text = object ? json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
		if (text)
			vd_buf_put_slice(out, vd_slice_str(text));
		else
			out->failed = true;
		vd_json_release(text);
		json_decref(object);
	} else {
		vd_buf_put_slice(out, vd_slice_str(vd_text(cli->lang, VD_MSG_ERROR)));
		vd_buf_put_slice(out, vd_slice_str(vd_text(cli->lang, what)));
		if (hint) {
			vd_buf_put_slice(out, vd_slice_str(vd_text(cli->lang, VD_MSG_HINT)));
			vd_buf_put_slice(out, vd_slice_str(vd_text(cli->lang, hint)));
		}
	}
	vd_buf_put_u8(out, '\n');
}

int vd_fail(struct vd_cli *cli, int err, enum vd_msg hint, enum vd_msg what, ...)
{
	const struct failure *f = find(err);
	const char *args[VD_PLACES + 1];
	va_list list;

	/* Whose disk it is: what is read from here, or what is written to. */
	if (err == VD_ENOSPACE && !hint && cli->store && !vd_store_has_room(cli->store))
		hint = VD_MSG_HINT_NOSPACE_HERE;
	if (cli->store && vd_cli_gone(cli->home))
		return vd_refuse(cli, VD_EXIT_NO_STORE, "no-store", VD_MSG_HINT_STORE_GONE, VD_MSG_STORE_GONE, cli->home, NULL);
	va_start(list, what);
	vd_places(list, args);
	va_end(list);
	report(cli, f->word, what, args, f->reason, hint ? hint : f->hint);
	return (int)f->code;
}

int vd_refuse(struct vd_cli *cli, enum vd_exit code, const char *word, enum vd_msg hint, enum vd_msg what, ...)
{
	const char *args[VD_PLACES + 1];
	va_list list;

	va_start(list, what);
	vd_places(list, args);
	va_end(list);
	report(cli, word, what, args, VD_MSG_NONE, hint);
	return (int)code;
}

int vd_misuse(struct vd_cli *cli, enum vd_msg hint, enum vd_msg what, ...)
{
	const char *args[VD_PLACES + 1];
	va_list list;

	va_start(list, what);
	vd_places(list, args);
	va_end(list);
	report(cli, "usage", what, args, VD_MSG_NONE, hint);
	return VD_EXIT_USAGE;
}
