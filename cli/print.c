#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "fail.h"
#include "store/file.h"

size_t vd_places(va_list list, const char *args[VD_PLACES + 1])
{
	size_t n = 0;

	while (n < VD_PLACES && (args[n] = va_arg(list, const char *)))
		n++;
	args[n] = NULL;
	return n;
}

static void write_out(struct vd_cli *cli, struct vd_slice bytes)
{
	if (cli->out_error || !bytes.n)
		return;
	if (fwrite(bytes.p, 1, bytes.n, stdout) != bytes.n)
		cli->out_error = errno ? errno : EIO;
}

void vd_say_raw(struct vd_cli *cli, struct vd_slice bytes)
{
	write_out(cli, bytes);
}

/* A line that found no memory would be missing without anybody noticing. */
static void write_line(struct vd_cli *cli, struct vd_buf *line)
{
	if (line->failed && !cli->out_error)
		cli->out_error = ENOMEM;
	write_out(cli, vd_buf_slice(line));
	vd_buf_deinit(line);
}

void vd_say_text(struct vd_cli *cli, struct vd_slice text, bool newlines)
{
	struct vd_buf line = { 0 };

	vd_text_escape(text, newlines, &line);
	write_line(cli, &line);
}

void vd_say(struct vd_cli *cli, enum vd_msg msg, ...)
{
	const char *args[VD_PLACES + 1];
	struct vd_buf line = { 0 };
	va_list list;

	va_start(list, msg);
	vd_places(list, args);
	va_end(list);
	vd_text_format(cli->lang, msg, args, true, &line);
	vd_buf_put_u8(&line, '\n');
	write_line(cli, &line);
}

/* Diagnostics are best effort: a closed standard error must not stop the work. */
static void write_err(struct vd_slice bytes)
{
	size_t ignored = fwrite(bytes.p, 1, bytes.n, stderr);

	(void)ignored;
}

/* A failed flush throws away what it held: what is not noticed here is never noticed. */
void vd_say_flush(struct vd_cli *cli)
{
	if (fflush(stdout) != 0 && !cli->out_error)
		cli->out_error = errno ? errno : EIO;
}

void vd_note_line(struct vd_cli *cli, struct vd_slice line)
{
	vd_say_flush(cli);
	write_err(line);
	write_err(vd_slice_str("\n"));
}

/* An object that lacks what found no memory would pass for a whole one, and libjansson's callers rarely ask. So there is some put by, and
 * when that is used up the program ends; what was made with it is no result. */
static struct {
	_Alignas(16) uint8_t room[64 * 1024];
	size_t used;
} put_by;
static bool lacking;
static const struct vd_cli *watched;

void vd_json_lacks(void)
{
	lacking = true;
}

static void *json_memory(size_t n)
{
	void *p = malloc(n);

	if (p)
		return p;
	lacking = true;
	n = (n + 15) & ~(size_t)15;
	if (n <= sizeof put_by.room - put_by.used) {
		put_by.used += n;
		return put_by.room + put_by.used - n;
	}
	vd_note_alone(VD_MSG_ERR_NOMEM, watched->lang);
	_exit(VD_EXIT_FAILED);
}

void vd_json_release(void *p)
{
	if ((uintptr_t)p - (uintptr_t)put_by.room >= sizeof put_by.room)
		free(p);
}

void vd_json_watch(struct vd_cli *cli)
{
	watched = cli;
	json_set_alloc_funcs(json_memory, vd_json_release);
}

void vd_note_alone(enum vd_msg msg, enum vd_lang lang)
{
	write_err(vd_slice_str(vd_text(lang, msg)));
	write_err(vd_slice_str("\n"));
}

static void dump(FILE *to, struct vd_cli *cli, json_t *object)
{
	/* A terminal obeys some characters beyond ASCII, too. */
	size_t flags = JSON_COMPACT | (isatty(fileno(to)) ? JSON_ENSURE_ASCII : 0);
	char *text = object ? json_dumps(object, flags) : NULL;

	if (to == stdout && (!text || lacking))
		cli->out_error = ENOMEM;
	else if (text && to == stdout) {
		write_out(cli, vd_slice_str(text));
		write_out(cli, vd_slice_str("\n"));
	} else if (text) {
		vd_note_line(cli, vd_slice_str(text));
	} else {
		vd_note_line(cli, vd_slice_str(vd_text(cli->lang, VD_MSG_ERR_NOMEM)));
	}
	vd_json_release(text);
	json_decref(object);
}

void vd_say_json(struct vd_cli *cli, json_t *object)
{
	dump(stdout, cli, object);
}

void vd_note_json(struct vd_cli *cli, json_t *object)
{
	dump(stderr, cli, object);
}

void vd_note(struct vd_cli *cli, enum vd_msg msg, ...)
{
	const char *args[VD_PLACES + 1];
	struct vd_buf line = { 0 };
	va_list list;

	if (cli->opt.quiet)
		return;
	va_start(list, msg);
	vd_places(list, args);
	va_end(list);
	vd_text_format(cli->lang, msg, args, !cli->opt.json, &line);
	if (cli->opt.json)
		dump(stderr, cli, json_pack("{s:o}", "note", vd_json_text(vd_buf_slice(&line))));
	else
		vd_note_line(cli, vd_buf_slice(&line));
	vd_buf_deinit(&line);
}

void vd_progress(struct vd_cli *cli, enum vd_msg msg, ...)
{
	const char *args[VD_PLACES + 1];
	struct vd_buf line = { 0 };
	va_list list;

	va_start(list, msg);
	vd_places(list, args);
	va_end(list);
	vd_buf_put_slice(&line, vd_slice_str("\r\033[K"));
	vd_text_format(cli->lang, msg, args, true, &line);
	write_err(vd_buf_slice(&line));
	fflush(stderr);
	vd_buf_deinit(&line);
}

bool vd_say_ok(struct vd_cli *cli)
{
	return !cli->out_error;
}

int vd_say_end(struct vd_cli *cli, int code)
{
	int failed;

	vd_say_flush(cli);
	if (!cli->out_error)
		return code;
	/* Whoever closed the pipe (head, less) knows; anything else is worth a word. */
	if (cli->out_error == EPIPE)
		return code ? code : VD_EXIT_FAILED;
	if (cli->done)
		failed = vd_fail(cli, vd_file_errno(cli->out_error), VD_MSG_HINT_DONE_UNSAID, cli->done, cli->done_what, NULL);
	else
		failed = vd_fail(cli, vd_file_errno(cli->out_error), VD_MSG_NONE, VD_MSG_WRITE_FAILED, NULL);

	return code ? code : failed;
}

const char *vd_num(struct vd_cli *cli, uint64_t n)
{
	char *text = cli->numbers[cli->next_number++ % 8];

	snprintf(text, sizeof cli->numbers[0], "%llu", (unsigned long long)n);
	return text;
}

const char *vd_size_said(struct vd_cli *cli, uint64_t bytes, char room[VD_SIZE_SAID])
{
	static const char *const units[] = { "B", "KiB", "MiB" };
	size_t unit = bytes < (uint64_t)10 << 10 ? 0 : bytes < (uint64_t)10 << 20 ? 1 : 2;

	snprintf(room, VD_SIZE_SAID, "%s %s", vd_num(cli, bytes >> 10 * unit), units[unit]);
	return room;
}
