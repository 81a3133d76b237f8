#include "slips.h"

#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "proto/err.h"
#include "proto/slip.h"
#include "store/bundle.h"
#include "store/file.h"

enum {
	TEXT_MAX = 256 * 1024,      /* bytes read at a time: 25 of the longest slips */
	LINES_MAX = 16,             /* that one code is typed in */
	GROUP = 4, GROUPS = 10,     /* characters, and groups in a line: so the eye keeps its place */
};

/* --- onto paper --- */

static void say_code(struct vd_cli *cli, const char *code)
{
	for (size_t i = 0; code[i]; i += GROUP) {
		vd_say_raw(cli, vd_slice(code + i, strnlen(code + i, GROUP)));
		vd_say_raw(cli, vd_slice_str(i / GROUP % GROUPS == GROUPS - 1 || !code[i + GROUP] ? "\n" : " "));
	}
	vd_say_raw(cli, vd_slice_str("\n"));
}

static int say_codes(struct vd_cli *cli, const struct vd_id *id, char (*codes)[VD_SLIP_TEXT + 1], size_t count)
{
	json_t *list = cli->opt.json ? json_array() : NULL;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		if (cli->opt.json) {
			json_array_append_new(list, json_string(codes[i]));
			continue;
		}
		vd_say(cli, VD_MSG_SLIP_CODE, vd_num(cli, i + 1), vd_num(cli, count), NULL);
		rc = vd_say_qr(cli, codes[i]);
		say_code(cli, codes[i]);
	}
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:i,s:o}", "id", vd_json_hex(id->b, sizeof id->b), "records", 1, "codes", list));
	else if (!rc)
		vd_note(cli, VD_MSG_SLIP_DONE, NULL);
	return rc;
}

static int make_codes(struct vd_cli *cli, const struct vd_record *record, char (*codes)[VD_SLIP_TEXT + 1], size_t *count)
{
	struct vd_group *group = NULL;
	int rc = vd_store_group(cli->store, record->group, &group);

	if (!rc && !vd_group_epoch_count(group))
		rc = VD_EKEY;
	if (!rc)
		rc = vd_slip_make(vd_group_epoch_keys(group, 0)->key[VD_KEY_LINK], record, codes, count);
	vd_group_free(group);
	return rc;
}

int vd_slips_print(struct vd_cli *cli, const char *prefix)
{
	char (*codes)[VD_SLIP_TEXT + 1] = calloc(VD_SLIP_CODES_MAX, sizeof *codes);
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival = 0, received_ms;
	struct vd_id id;
	size_t count = 0;
	int code = 0, rc = VD_ENOMEM;

	if (codes)
		code = vd_cli_record(cli, prefix, &id, &arrival, NULL);
	if (codes && !code)
		rc = vd_store_read(cli->store, arrival, &raw, &record, &received_ms);
	if (!code && !rc && record.stub)
		code = vd_refuse(cli, VD_EXIT_FAILED, "not-here", VD_MSG_HINT_SLIP_STUB, VD_MSG_SLIP_STUB, prefix, NULL);
	if (!code && !rc)
		rc = make_codes(cli, &record, codes, &count);
	if (!code && rc == VD_ECAP)
		code = vd_refuse(cli, VD_EXIT_FAILED, "too-large", VD_MSG_HINT_SLIP_LARGE, VD_MSG_SLIP_LARGE, prefix, vd_num(cli, VD_SLIP_RECORD_MAX), NULL);
	else if (!code && rc)
		code = vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_SLIP_FAILED, prefix, NULL);
	if (!code)
		code = say_codes(cli, &id, codes, count);
	vd_buf_deinit(&raw);
	free(codes);
	return code;
}

/* --- and back --- */

struct reader {
	struct vd_cli *cli;
	struct vd_bundle_groups groups;
	struct vd_slips slips;
	size_t codes, unread;
	size_t place, count;        /* of the slip of the code read last: its codes that are here, and all */
};

/* With every link key there is. */
static int open_code(struct reader *r, struct vd_slice text)
{
	uint8_t bytes[VD_SLIP_CODE_BYTES];
	size_t n, which;
	int rc = vd_slip_bytes(text, bytes, &n);

	if (rc)
		return VD_EKEY;
	for (size_t g = 0; g < r->groups.count; g++) {
		struct vd_group *group = r->groups.group[g];

		for (size_t i = 0; i < vd_group_epoch_count(group); i++) {
			rc = vd_slips_add(&r->slips, vd_group_epoch_keys(group, i)->key[VD_KEY_LINK], vd_group_id(group), bytes, n, &which);
			if (rc == VD_EKEY)
				continue;
			if (!rc) {
				r->place = (size_t)__builtin_popcount(r->slips.slips[which].have);
				r->count = r->slips.slips[which].count;
			}
			return rc;
		}
	}
	return VD_EKEY;
}

/* How much of the text is one line with its end. */
static size_t line_bytes(struct vd_slice text)
{
	const uint8_t *end = memchr(text.p, '\n', text.n);

	return end ? (size_t)(end - text.p) + 1 : text.n;
}

/* Characters of a code in it; 0 also where there are others. */
static size_t characters(struct vd_slice line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		const uint8_t c = line.p[i];

		if (memchr(" \t\r\n-", c, 5))
			continue;
		if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')))
			return 0;
		n++;
	}
	return n;
}

/* One code at the start of the text, in as few lines as hold it. *bytes is how much that is; VD_EKEY: none, it is the first line then. */
static int take_code(struct reader *r, struct vd_slice text, size_t *bytes)
{
	struct vd_slice some = vd_slice(text.p, 0);
	int rc;

	*bytes = line_bytes(text);
	for (int lines = 0; lines < LINES_MAX && some.n < text.n; lines++) {
		size_t more = line_bytes(vd_slice(text.p + some.n, text.n - some.n));

		if (!characters(vd_slice(text.p + some.n, more)))
			break;
		some.n += more;
		rc = open_code(r, some);
		if (rc == VD_EKEY)
			continue;
		*bytes = some.n;
		return rc;
	}
	return VD_EKEY;
}

/* A run of lines that look like a code, and no part of which opened, counts as one that was not read. */
static int take_text(struct reader *r, struct vd_slice text)
{
	size_t unread = 0, bytes;
	int rc;

	r->codes = r->unread = 0;
	while (text.n) {
		struct vd_slice line = vd_slice(text.p, line_bytes(text));

		rc = take_code(r, text, &bytes);
		if (rc == VD_ENOMEM)
			return rc;
		/* Of its form, and yet nothing that belongs to what is here. */
		r->codes += !rc;
		r->unread += rc && rc != VD_EKEY;
		if (rc == VD_EKEY && characters(line)) {
			unread += characters(line);
		} else {
			r->unread += unread >= VD_SLIP_CODE_MIN / 5 * 8;
			unread = 0;
		}
		text = vd_slice(text.p + bytes, text.n - bytes);
	}
	r->unread += unread >= VD_SLIP_CODE_MIN / 5 * 8;
	return VD_OK;
}

static bool all_whole(const struct reader *r)
{
	for (size_t i = 0; i < r->slips.count; i++)
		if (!vd_slip_whole(&r->slips.slips[i]))
			return false;
	return r->slips.count > 0;
}

/* A person types or scans line after line, and is told of each code; it ends by itself once what was begun is whole. What could not be read
 * before an empty line is forgotten: they type it again. */
static int ask_text(struct reader *r, struct vd_buf *text)
{
	char line[2 * VD_SLIP_TEXT];
	size_t codes = 0;
	int rc = VD_OK;

	vd_note(r->cli, VD_MSG_SLIP_ASK, NULL);
	while (!rc && text->n < TEXT_MAX && !all_whole(r) && vd_ask(r->cli, false, line, sizeof line, VD_MSG_SLIP_PROMPT, NULL, NULL)) {
		vd_buf_put_slice(text, vd_slice_str(line));
		vd_buf_put_u8(text, '\n');
		rc = vd_buf_check(text);
		if (!rc)
			rc = take_text(r, vd_buf_slice(text));
		if (!rc && r->codes)
			vd_note(r->cli, VD_MSG_SLIP_READ, vd_num(r->cli, r->place), vd_num(r->cli, r->count), NULL);
		else if (!rc && !line[0] && r->unread)
			vd_note(r->cli, VD_MSG_SLIP_MISREAD, NULL);
		if (r->codes || !line[0])
			vd_buf_reset(text);
		codes += r->codes;
	}
	r->codes = codes;
	if (!text->n)
		r->unread = 0;
	return rc;
}

static int read_text(struct reader *r, struct vd_buf *text, const char **failed)
{
	struct vd_cli *cli = r->cli;
	int rc = VD_OK;

	if (!cli->opt.arg_count && vd_can_ask(cli))
		return ask_text(r, text);
	*failed = cli->opt.arg_count ? NULL : "-";
	if (*failed)
		rc = vd_file_read(*failed, TEXT_MAX, text);
	for (int i = 0; i < cli->opt.arg_count && !rc; i++) {
		*failed = cli->opt.args[i];
		rc = vd_file_read(*failed, TEXT_MAX, text);
		vd_buf_put_slice(text, vd_slice_str("\n\n"));
	}
	if (!rc)
		rc = vd_buf_check(text);
	return rc ? rc : take_text(r, vd_buf_slice(text));
}

/* The records of whole slips of one group. */
static int merge_group(struct reader *r, struct vd_group *group, bool dry_run, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };
	int rc = VD_OK;

	for (size_t i = 0; i < r->slips.count && rc != VD_ENOMEM; i++) {
		const struct vd_slip *slip = &r->slips.slips[i];

		if (memcmp(slip->group, vd_group_id(group), VD_GROUP_BYTES) != 0 || !vd_slip_whole(slip))
			continue;
		rc = vd_slip_record(slip, &batch);
		if (rc && rc != VD_ENOMEM) {
			merge->refused++;
			merge->refused_why[-rc]++;
		}
	}
	if (rc != VD_ENOMEM && batch.count)
		rc = vd_batch_merge(r->cli->store, group, &batch, dry_run, merge);
	else if (rc != VD_ENOMEM)
		rc = VD_OK;
	vd_batch_deinit(&batch);
	return rc;
}

static size_t note_gaps(const struct reader *r, json_t *gaps)
{
	size_t incomplete = 0;

	for (size_t i = 0; i < r->slips.count; i++) {
		const struct vd_slip *slip = &r->slips.slips[i];
		json_t *missing;

		if (vd_slip_whole(slip))
			continue;
		missing = json_array();
		for (int n = 0; n < slip->count; n++)
			if (!(slip->have >> n & 1))
				json_array_append_new(missing, json_integer(n + 1));
		json_array_append_new(gaps, json_pack("{s:o,s:o,s:i,s:o}", "group", vd_json_hex(slip->group, VD_GROUP_BYTES), "slip",
		                                      vd_json_hex(slip->mark, VD_SLIP_MARK_BYTES), "of", slip->count, "missing", missing));
		incomplete++;
	}
	return incomplete;
}

/* Which codes are missing, a line a slip. */
static void say_missing(struct vd_cli *cli, const struct reader *r)
{
	for (size_t i = 0; i < r->slips.count; i++) {
		const struct vd_slip *slip = &r->slips.slips[i];
		struct vd_buf list = { 0 };

		for (size_t n = 0; n < slip->count; n++)
			if (!(slip->have >> n & 1)) {
				if (list.n)
					vd_buf_put_slice(&list, vd_slice_str(", "));
				vd_buf_put_slice(&list, vd_slice_str(vd_num(cli, n + 1)));
			}
		if (list.n) {
			vd_buf_put_u8(&list, 0);
			if (list.failed && !cli->out_error)
				vd_json_lacks();
			if (!list.failed)
				vd_note(cli, VD_MSG_SLIP_MISSING, vd_num(cli, slip->count), (const char *)list.p, NULL);
		}
		vd_buf_deinit(&list);
	}
}

static int say_taken(struct reader *r, struct vd_slips_taken *t)
{
	struct vd_cli *cli = r->cli;
	const size_t incomplete = note_gaps(r, t->gaps);

	if (!r->codes && !r->unread)
		return vd_refuse(cli, VD_EXIT_FAILED, "no-code", VD_MSG_HINT_SLIP_NONE, VD_MSG_SLIP_NONE, NULL);
	if (!r->codes)
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_SLIP_UNREAD, VD_MSG_SLIP_UNREAD_ALL, vd_num(cli, r->unread), NULL);
	if (!cli->opt.json)
		say_missing(cli, r);
	if (t->merge.refused)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLIP_REFUSED, VD_MSG_SLIP_REFUSED, vd_num(cli, t->merge.refused), NULL);
	if (incomplete)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SLIP_INCOMPLETE, VD_MSG_SLIP_INCOMPLETE, vd_num(cli, incomplete), NULL);
	if (r->unread)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SLIP_UNREAD, VD_MSG_SLIP_UNREAD, vd_num(cli, r->unread), NULL);
	return VD_EXIT_DONE;
}

int vd_slips_take(struct vd_cli *cli, bool dry_run, struct vd_slips_taken *t)
{
	struct reader r = { .cli = cli };
	struct vd_buf text = { 0 };
	const char *failed = "-";
	int code, rc = vd_bundle_groups_load(cli->store, &r.groups);

	if (!rc)
		rc = read_text(&r, &text, &failed);
	for (size_t g = 0; g < r.groups.count && !rc; g++)
		rc = merge_group(&r, r.groups.group[g], dry_run, &t->merge);
	t->codes = r.codes;
	t->unread = r.unread;
	code = rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_IMPORT_FAILED, failed, NULL) : say_taken(&r, t);
	vd_buf_deinit(&text);
	vd_slips_deinit(&r.slips);
	vd_bundle_groups_free(&r.groups);
	return code;
}
