#include "attach.h"

#include <sodium.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/err.h"
#include "proto/strip.h"
#include "store/file.h"
#include "store/shares.h"
#include "times.h"

static const uint64_t size_most = (uint64_t)VD_ATTACHED_MIB << 20;

static int cannot_read(struct vd_cli *cli, int err, const char *path)
{
	if (err == VD_ECAP)
		return vd_refuse(cli, VD_EXIT_FAILED, "too_big", VD_MSG_HINT_ATTACH_BIG, VD_MSG_ATTACH_BIG, vd_num(cli, VD_ATTACHED_MIB), path, NULL);
	if (err == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_FAILED, vd_err_name(err), VD_MSG_HINT_ATTACH_READ, VD_MSG_ATTACH_NO_FILE, path, NULL);
	return vd_fail(cli, err, VD_MSG_HINT_ATTACH_READ, VD_MSG_ATTACH_READ_FAILED, path, NULL);
}

/* Takes out what a picture tells besides itself, or says that nobody did. */
static int clean(struct vd_cli *cli, struct vd_attach_file *f)
{
	bool keep = vd_options_get(&cli->opt, VD_OPT_KEEP_METADATA);
	struct vd_buf bare = { 0 };
	enum vd_media_tells tells;
	char taken[VD_SIZE_SAID];
	int rc;

	f->type = vd_media_type(vd_buf_slice(&f->bytes), vd_slice_str(f->name), &tells);
	f->metadata = tells == VD_MEDIA_SAYS ? "none" : keep ? "kept" : tells == VD_MEDIA_STRIPS ? "removed" : "may_tell";
	if (tells == VD_MEDIA_SAYS)
		return 0;
	if (keep || tells == VD_MEDIA_TELLS) {
		vd_note(cli, keep ? VD_MSG_ATTACH_KEPT : VD_MSG_ATTACH_TELLS, f->name, f->type, NULL);
		return 0;
	}
	rc = vd_strip(vd_buf_slice(&f->bytes), &bare);
	if (rc)
		vd_buf_wipe(&bare);
	if (rc == VD_EFORMAT)
		return vd_refuse(cli, VD_EXIT_FAILED, "format", VD_MSG_HINT_ATTACH_BROKEN, VD_MSG_ATTACH_BROKEN, f->name, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_WRITE_RECORD_FAILED, NULL);
	if (bare.n >= f->bytes.n)
		vd_note(cli, VD_MSG_ATTACH_CLEAN, f->name, NULL);
	else
		vd_note(cli, VD_MSG_ATTACH_STRIPPED, f->name, vd_size_said(cli, f->bytes.n - bare.n, taken), NULL);
	vd_buf_wipe(&f->bytes);
	f->bytes = bare;
	return 0;
}

static int read_one(struct vd_cli *cli, struct vd_attach *a, const char *path)
{
	struct vd_attach_file *f = &a->files[a->count++];
	struct stat s;
	int rc = vd_cli_named(cli, path);

	if (rc)
		return rc;
	if (vd_cli_is_folder(path))
		return vd_misuse(cli, VD_MSG_HINT_ATTACH_FOLDER, VD_MSG_ATTACH_FOLDER, path, NULL);
	/* A pipe or a device may let us wait for ever, or never end. */
	if (strcmp(path, "-") != 0 && !stat(path, &s) && !S_ISREG(s.st_mode))
		return vd_misuse(cli, VD_MSG_HINT_ATTACH_NO_FILE, VD_MSG_ATTACH_IRREGULAR, path, NULL);
	vd_attachment_name(vd_slice_str(path), f->name);
	rc = vd_file_read(path, size_most - a->size, &f->bytes);
	if (rc)
		return cannot_read(cli, rc, path);
	rc = clean(cli, f);
	if (rc)
		return rc;
	a->size += f->bytes.n;
	f->chunks = (uint32_t)((f->bytes.n + VD_ATTACHMENT_DATA - 1) / VD_ATTACHMENT_DATA);
	crypto_generichash(f->hash, sizeof f->hash, f->bytes.n ? f->bytes.p : (const uint8_t *)"", f->bytes.n, NULL, 0);
	return 0;
}

int vd_attach_read(struct vd_cli *cli, struct vd_attach *a)
{
	const char *path;
	size_t at = 0;
	int rc = 0;

	while (!rc && (path = vd_options_each(&cli->opt, VD_OPT_ATTACH, &at))) {
		if (a->count == VD_ATTACHMENTS_MAX)
			return vd_misuse(cli, VD_MSG_HINT_ATTACH_MANY, VD_MSG_ATTACH_MANY, vd_num(cli, VD_ATTACHMENTS_MAX), NULL);
		rc = read_one(cli, a, path);
	}
	return rc;
}

void vd_attach_deinit(struct vd_attach *a)
{
	for (size_t i = 0; i < a->count; i++)
		vd_buf_wipe(&a->files[i].bytes);
	vd_buf_deinit(&a->elements);
	a->count = 0;
}

int vd_attach_put(struct vd_attach *a, struct vd_fields *fields, struct vd_bad_field *bad)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct vd_attach_file *f = &a->files[i];
		struct vd_attachment one = { .name = vd_slice_str(f->name), .type = vd_slice_str(f->type), .size = f->bytes.n, .chunks = f->chunks };

		memcpy(one.hash, f->hash, sizeof one.hash);
		vd_attachment_encode(&one, &a->elements);
	}
	if (!a->count)
		return 0;
	if (vd_buf_check(&a->elements))
		return VD_ENOMEM;
	return vd_fields_put_elements(fields, "attachments", vd_buf_slice(&a->elements), a->count, bad);
}

static int write_file(const struct vd_attach_file *f, uint8_t number, struct vd_write *write, struct vd_group *group, const struct vd_draft *of,
                      const struct vd_id *id)
{
	struct vd_part part = { .of = *id, .attachment = number };
	struct vd_buf content = { 0 };
	struct vd_draft draft = *of;
	struct vd_id ignored;
	int rc = 0;

	draft.lane = VD_LANE_BULK;
	draft.part = &part;
	for (size_t at = 0; at < f->bytes.n && !rc; at += VD_ATTACHMENT_DATA, part.number++) {
		size_t left = f->bytes.n - at;

		vd_buf_reset(&content);
		rc = vd_chunk_encode(vd_slice(f->bytes.p + at, left < VD_ATTACHMENT_DATA ? left : VD_ATTACHMENT_DATA), &content);
		draft.content = vd_buf_slice(&content);
		if (!rc)
			rc = vd_write_own(write, group, &draft, &ignored);
	}
	vd_buf_wipe(&content);
	return rc;
}

int vd_attach_write(struct vd_attach *a, struct vd_write *write, struct vd_group *group, const struct vd_draft *draft, const struct vd_id *of)
{
	int rc = 0;

	for (size_t i = 0; i < a->count && !rc; i++) {
		rc = write_file(&a->files[i], (uint8_t)i, write, group, draft, of);
		vd_buf_wipe(&a->files[i].bytes);
	}
	return rc;
}

json_t *vd_attach_json(const struct vd_attach *a)
{
	json_t *out = json_array();

	for (size_t i = 0; i < a->count; i++)
		json_array_append_new(out, json_pack("{s:s,s:s,s:o,s:o,s:s}", "name", a->files[i].name, "type", a->files[i].type, "hash",
		                                     vd_json_hex(a->files[i].hash, VD_HASH_BYTES), "chunks", vd_json_number(a->files[i].chunks),
		                                     "metadata", a->files[i].metadata));
	return out;
}

bool vd_attach_bounded(struct vd_cli *cli, const struct vd_attached *here, uint8_t attachment, uint32_t chunks, char most[VD_SIZE_SAID])
{
	uint64_t most_bytes = 0;
	bool full = false;

	if (!vd_attached_waits(here, attachment, chunks) || vd_shares_bulk_full(cli->store, &full, &most_bytes) || !full)
		return false;
	vd_size_said(cli, most_bytes, most);
	return true;
}

bool vd_body_later(struct vd_cli *cli, struct vd_group *group, const struct vd_record *record, uint64_t bytes, struct vd_later_said *said)
{
	struct vd_shares set;
	bool later;

	if (vd_shares_later(cli->store, record->group, record->author, bytes, vd_time_now_ms(), &later) || !later || vd_shares_get(cli->store, &set))
		return false;
	vd_who(group, record->author, said->who);
	vd_size_said(cli, set.day_bytes, said->most);
	return true;
}

bool vd_attach_later(struct vd_cli *cli, struct vd_group *group, const struct vd_record *record, const struct vd_attached *here, uint8_t attachment, uint32_t chunks,
                     struct vd_later_said *said)
{
	for (size_t i = 0; i < here->count; i++) {
		const struct vd_attached_chunk *c = &here->chunks[i];

		if (c->attachment == attachment && c->number < chunks && c->waits)
			return vd_body_later(cli, group, record, c->bytes, said);
	}
	return false;
}
