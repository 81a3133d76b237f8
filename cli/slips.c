#include "slips.h"

#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "codes.h"
#include "proto/err.h"
#include "store/bundle.h"
#include "store/file.h"

enum {
	LINE_MAX_BYTES = 4096,      /* as long as a terminal lets a line be */
	ASKED_MAX = 8192,           /* bytes of lines looked at again with each that follows */
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

static int see_standing(void *ctx, const struct vd_found *f)
{
	*(enum vd_standing *)ctx = f->standing;
	return 0;
}

/* Paper says nothing of a redaction: who types it in would read what others no longer show. */
static int check_shown(struct vd_cli *cli, const char *prefix, uint64_t arrival)
{
	enum vd_standing standing = VD_STANDING_SHOWN;
	int rc = vd_query_one(cli->store, arrival, see_standing, &standing);

	if (rc)
		return vd_cli_query_failed(cli, rc);
	return standing != VD_STANDING_REDACTED ? 0 :
	       vd_refuse(cli, VD_EXIT_FAILED, "redacted", VD_MSG_HINT_SLIP_REDACTED, VD_MSG_SLIP_REDACTED, prefix, NULL);
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
		code = check_shown(cli, prefix, arrival);
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
	struct vd_codes codes;
};

static bool all_whole(const struct reader *r)
{
	for (size_t i = 0; i < r->codes.slips.count; i++)
		if (!vd_slip_whole(&r->codes.slips.slips[i]))
			return false;
	return r->codes.slips.count > 0;
}

/* A person types or scans line after line, and is told of each code; it ends by itself once what was begun is whole. What could not be read
 * before a code or an empty line is forgotten: they type it again. */
static int ask_text(struct reader *r, struct vd_buf *text)
{
	struct vd_codes *codes = &r->codes;
	char line[LINE_MAX_BYTES];
	size_t read = 0;
	int rc = VD_OK;

	vd_note(r->cli, VD_MSG_SLIP_ASK, NULL);
	while (!rc && !all_whole(r) && vd_ask(r->cli, false, line, sizeof line, VD_MSG_SLIP_PROMPT, NULL, NULL)) {
		vd_buf_put_slice(text, vd_slice_str(line));
		vd_buf_put_u8(text, '\n');
		rc = vd_buf_check(text);
		codes->read = codes->unread = codes->misread_count = 0;
		if (!rc)
			rc = vd_codes_take(codes, vd_buf_slice(text));
		if (rc)
			break;
		if (codes->read)
			vd_note(r->cli, VD_MSG_SLIP_READ, vd_num(r->cli, codes->place), vd_num(r->cli, codes->count), NULL);
		if (codes->unread && (codes->read || !line[0]))
			vd_note(r->cli, VD_MSG_SLIP_MISREAD, NULL);
		if (codes->read || !line[0])
			vd_buf_reset(text);
		else if (text->n > ASKED_MAX)
			vd_buf_drop(text, text->n - ASKED_MAX);
		read += codes->read;
	}
	codes->read = read;
	if (!text->n)
		codes->unread = codes->misread_count = 0;
	return rc;
}

static int read_text(struct reader *r, struct vd_buf *text, const char **failed)
{
	struct vd_cli *cli = r->cli;
	int rc = VD_OK;

	if (!cli->opt.arg_count && vd_can_ask(cli))
		return ask_text(r, text);
	for (int i = 0; (i < cli->opt.arg_count || i == 0) && !rc; i++) {
		*failed = cli->opt.arg_count ? cli->opt.args[i] : "-";
		vd_buf_reset(text);
		rc = vd_file_read(*failed, VD_CODES_TEXT_MAX, text);
		if (!rc)
			rc = vd_codes_take(&r->codes, vd_buf_slice(text));
	}
	return rc;
}

/* The records of whole slips of one group. */
static int merge_group(struct reader *r, struct vd_group *group, bool dry_run, struct vd_merge *merge)
{
	struct vd_batch batch = { 0 };
	int rc = VD_OK;

	for (size_t i = 0; i < r->codes.slips.count && rc != VD_ENOMEM; i++) {
		const struct vd_slip *slip = &r->codes.slips.slips[i];

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

	for (size_t i = 0; i < r->codes.slips.count; i++) {
		const struct vd_slip *slip = &r->codes.slips.slips[i];
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
	for (size_t i = 0; i < r->codes.slips.count; i++) {
		const struct vd_slip *slip = &r->codes.slips.slips[i];
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
	const struct vd_codes *codes = &r->codes;
	const size_t incomplete = note_gaps(r, t->gaps);

	if (!codes->read && !codes->unread)
		return vd_refuse(cli, VD_EXIT_FAILED, "no-code", VD_MSG_HINT_SLIP_NONE, VD_MSG_SLIP_NONE, NULL);
	if (!cli->opt.json) {
		for (size_t i = 0; i < codes->misread_count; i++)
			vd_note(cli, VD_MSG_SLIP_MISREAD_AT, codes->misread[i].begin, vd_num(cli, codes->misread[i].line), NULL);
		say_missing(cli, r);
	}
	if (!codes->read)
		return vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_SLIP_UNREAD, VD_MSG_SLIP_UNREAD_ALL, vd_num(cli, codes->unread), NULL);
	if (t->merge.refused)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLIP_REFUSED, VD_MSG_SLIP_REFUSED, vd_num(cli, t->merge.refused), NULL);
	if (incomplete && codes->unread)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SLIP_UNREAD, VD_MSG_SLIP_UNREAD_INCOMPLETE, vd_num(cli, codes->unread),
		                 vd_num(cli, incomplete), NULL);
	if (incomplete)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SLIP_INCOMPLETE, VD_MSG_SLIP_INCOMPLETE, vd_num(cli, incomplete), NULL);
	if (codes->unread)
		return vd_refuse(cli, VD_EXIT_PARTLY, "partly", VD_MSG_HINT_SLIP_UNREAD, VD_MSG_SLIP_UNREAD, vd_num(cli, codes->unread), NULL);
	return VD_EXIT_DONE;
}

int vd_slips_take(struct vd_cli *cli, bool dry_run, struct vd_slips_taken *t)
{
	struct reader r = { .cli = cli };
	struct vd_buf text = { 0 };
	const char *failed = "-";
	int code, rc = vd_bundle_groups_load(cli->store, &r.groups);

	r.codes.groups = &r.groups;
	if (!rc)
		rc = read_text(&r, &text, &failed);
	for (size_t g = 0; g < r.groups.count && !rc; g++)
		rc = merge_group(&r, r.groups.group[g], dry_run, &t->merge);
	t->codes = r.codes.read;
	t->unread = r.codes.unread;
	code = rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_IMPORT_FAILED, failed, NULL) : say_taken(&r, t);
	vd_buf_deinit(&text);
	vd_codes_deinit(&r.codes);
	vd_bundle_groups_free(&r.groups);
	return code;
}
