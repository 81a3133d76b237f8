#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin.h"
#include "audience.h"
#include "labels.h"
#include "proto/attachment.h"
#include "proto/body.h"
#include "proto/err.h"
#include "proto/kind.h"
#include "times.h"

json_t *vd_json_hex(const void *bytes, size_t n)
{
	struct vd_buf hex = { 0 };
	uint8_t *p = vd_buf_extend(&hex, 2 * n + 1);
	json_t *out = NULL;

	if (p) {
		vd_hex((char *)p, bytes, n);
		out = json_stringn((const char *)p, 2 * n);
	} else {
		vd_json_lacks();
	}
	vd_buf_deinit(&hex);
	return out;
}

json_t *vd_json_text(struct vd_slice text)
{
	json_t *out = json_stringn(text.n ? (const char *)text.p : "", text.n);
	struct vd_buf escaped = { 0 };

	if (out)
		return out;
	/* No UTF-8 (a file name, an argument): say it in escapes rather than not at all. */
	vd_text_escape(text, true, &escaped);
	if (escaped.failed)
		vd_json_lacks();
	out = json_stringn((const char *)escaped.p, escaped.n);
	vd_buf_deinit(&escaped);
	return out;
}

json_t *vd_json_number(uint64_t n)
{
	struct vd_buf digits = { 0 };
	json_t *out;

	if (n <= INT64_MAX)
		return json_integer((json_int_t)n);
	/* Past what JSON programs hold exactly: as text. */
	for (uint64_t rest = n; rest; rest /= 10)
		vd_buf_put_u8(&digits, (uint8_t)('0' + rest % 10));
	for (size_t i = 0; i < digits.n / 2; i++) {
		uint8_t swap = digits.p[i];

		digits.p[i] = digits.p[digits.n - 1 - i];
		digits.p[digits.n - 1 - i] = swap;
	}
	out = vd_json_text(vd_buf_slice(&digits));
	vd_buf_deinit(&digits);
	return out;
}

json_t *vd_json_time(uint64_t ms)
{
	char text[VD_TIME_TEXT];

	vd_time_rfc3339(ms, text);
	return json_string(text);
}

static json_t *value_json(const struct vd_value *value)
{
	struct vd_rd items;
	struct vd_value item;
	json_t *array;

	switch (value->type) {
	case VD_MP_STR: return vd_json_text(value->bytes);
	case VD_MP_BIN: return vd_json_hex(value->bytes.p, value->bytes.n);
	case VD_MP_UINT: return vd_json_number(value->number);
	case VD_MP_BOOL: return json_boolean(value->number);
	case VD_MP_ARRAY:
		array = json_array();
		items = vd_value_items(value);
		while (vd_value_next(&items, &item))
			json_array_append_new(array, value_json(&item));
		return array;
	case VD_MP_NONE:
	case VD_MP_NIL: break;
	}
	return json_null();
}

static json_t *fields_json(const struct vd_content *content)
{
	json_t *fields = json_object();

	for (size_t i = 0; content && i < content->count; i++) {
		const struct vd_field *f = &content->fields[i];

		if (vd_is_attachments(f))
			continue;
		json_object_setn_new(fields, (const char *)f->name.p, f->name.n, value_json(&f->value));
	}
	return fields;
}

bool vd_is_attachments(const struct vd_field *f)
{
	return f->value.type == VD_MP_ARRAY && vd_slice_eq(f->name, vd_slice_str("attachments"));
}

/* What it names, in order; what is malformed is null. */
static json_t *attachments_json(const struct vd_content *content)
{
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	size_t n = content ? vd_attachments_of(content, list) : 0;
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, !list[i].name.n ? json_null() :
		                                             json_pack("{s:o,s:o,s:o,s:o,s:o}", "name", vd_json_text(list[i].name), "type",
		                                                       vd_json_text(list[i].type), "size", vd_json_number(list[i].size), "hash",
		                                                       vd_json_hex(list[i].hash, VD_HASH_BYTES), "chunks",
		                                                       vd_json_number(list[i].chunks)));
	return out;
}

static const char *body_word(int body)
{
	return body == 0 ? "present" : body == VD_ENOTFOUND ? "stub" : "sealed";
}

static const char *standing_word(enum vd_standing standing)
{
	switch (standing) {
	case VD_STANDING_SHOWN: return "shown";
	case VD_STANDING_QUARANTINED: return "quarantined";
	case VD_STANDING_REDACTED: return "redacted";
	case VD_STANDING_NOT_ENTITLED: return "not_entitled";
	}
	return "shown";
}

bool vd_record_audience(const struct vd_record *r, enum vd_audience *out)
{
	struct vd_body_prefix prefix;

	if (r->lane == VD_LANE_CONTROL || r->stub || r->version != VD_VERSION || vd_body_peek(r->body, &prefix))
		return false;
	*out = prefix.audience;
	return true;
}

json_t *vd_json_record(const struct vd_found *f)
{
	const struct vd_record *r = f->record;
	bool redacted = f->standing == VD_STANDING_REDACTED;
	/* Whoever hid it hid all it says. */
	const struct vd_content *content = f->body == 0 && !redacted ? f->content : NULL;
	const struct vd_device *author = vd_group_find(f->group, r->author);
	const struct vd_value *about = content ? vd_content_get(content, "about", VD_MP_BIN, VD_ID_BYTES) : NULL;
	enum vd_audience audience;
	json_t *out = json_pack("{s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:s,s:s}",
	                        "id", vd_json_hex(r->id.b, VD_ID_BYTES),
	                        "group", vd_json_hex(r->group, VD_GROUP_BYTES),
	                        "author", vd_json_hex(r->author, VD_KEY_BYTES),
	                        "author_name", author ? author->name : "",
	                        "seq", vd_json_number(r->seq),
	                        "time", vd_json_time(r->time_ms),
	                        "received", vd_json_time(f->received_ms),
	                        "lane", vd_lane_word(r->lane),
	                        "kind", content ? vd_json_text(content->kind) : json_null(),
	                        "fields", fields_json(content),
	                        "about", about ? vd_json_hex(about->bytes.p, VD_ID_BYTES) : json_null(),
	                        "expires", r->has_expires ? vd_json_time(r->expires_day * VD_DAY_MS) : json_null(),
	                        "body", body_word(f->body),
	                        "standing", standing_word(f->standing));

	if (out && f->gone == VD_GONE_PRUNED)
		json_object_set_new(out, "gone", json_string("pruned"));
	if (out)
		json_object_set_new(out, "attachments", attachments_json(content));
	if (out)
		json_object_set_new(out, "audience", vd_record_audience(r, &audience) ? json_string(vd_audience_word(audience)) : json_null());
	if (out && f->standing == VD_STANDING_QUARANTINED)
		json_object_set_new(out, "review", json_string(f->review == VD_REVIEW_LEFT ? "left" : "none"));
	return out;
}

/* Sealed with a key we do not have: does it ever come? */
static enum vd_msg no_key(const struct vd_device *self, bool known, enum vd_audience audience)
{
	if (self && self->most == VD_ROLE_COURIER)
		return VD_MSG_BODY_COURIER;
	if (self && self->most == VD_ROLE_REPORTER && known && audience == VD_AUDIENCE_MEMBERS)
		return VD_MSG_BODY_FOR_MEMBERS;
	if (self && self->role == VD_ROLE_NONE)
		return VD_MSG_BODY_AFTER_REMOVAL;
	return VD_MSG_BODY_NO_KEY;
}

enum vd_msg vd_body_text(const struct vd_found *f)
{
	const struct vd_identity *we = vd_group_identity(f->group);
	const struct vd_device *self = we ? vd_group_find(f->group, we->author) : NULL;
	const struct vd_device *author = vd_group_find(f->group, f->record->author);
	enum vd_audience audience = VD_AUDIENCE_NAMED;
	bool known = vd_record_audience(f->record, &audience);

	if (f->standing == VD_STANDING_REDACTED)
		return VD_MSG_BODY_REDACTED;
	switch (f->body) {
	case VD_ENOTFOUND:
		if (f->gone == VD_GONE_PRUNED)
			return VD_MSG_BODY_PRUNED;
		if (f->gone == VD_GONE_WAITS && f->record->lane != VD_LANE_BULK)
			return VD_MSG_BODY_LATER;
		return f->record->has_expires && f->record->expires_day * (uint64_t)VD_DAY_MS < vd_time_now_ms() ? VD_MSG_BODY_EXPIRED : VD_MSG_BODY_STUB;
	case VD_EVERSION: return VD_MSG_BODY_VERSION;
	case VD_EKEY: return no_key(self, known, audience);
	case VD_ESEALED:
		return we && memcmp(we->author, f->record->author, VD_KEY_BYTES) == 0 ? VD_MSG_BODY_NOT_KEPT : VD_MSG_BODY_OTHERS;
	case VD_EAUTHOR:
		return known && audience == VD_AUDIENCE_NAMED && author && author->most == VD_ROLE_REPORTER ? VD_MSG_BODY_FOCAL :
		                                                                                              VD_MSG_BODY_NOT_ENTITLED;
	default: break;
	}
	return VD_MSG_BODY_BROKEN;
}

const char *vd_lane_word(uint8_t lane)
{
	static const char *const words[VD_LANES] = { "control", "urgent", "normal", "bulk" };

	return lane < VD_LANES ? words[lane] : "";
}

const char *vd_role_word(enum vd_role role)
{
	static const char *const words[] = { "none", "coordinator", "member", "reporter", "courier" };

	return (size_t)role < sizeof words / sizeof *words ? words[role] : words[0];
}

enum vd_msg vd_lane_text(uint8_t lane)
{
	static const enum vd_msg texts[VD_LANES] = { VD_MSG_LANE_CONTROL, VD_MSG_LANE_URGENT, VD_MSG_LANE_NORMAL, VD_MSG_LANE_BULK };

	return lane < VD_LANES ? texts[lane] : VD_MSG_NONE;
}

enum vd_msg vd_role_text(enum vd_role role)
{
	static const enum vd_msg texts[] = { VD_MSG_ROLE_NONE, VD_MSG_ROLE_COORDINATOR, VD_MSG_ROLE_MEMBER, VD_MSG_ROLE_REPORTER,
	                                     VD_MSG_ROLE_COURIER };

	return (size_t)role < sizeof texts / sizeof *texts ? texts[role] : texts[0];
}

/* The one text of a record that stands for it in a list: its title where it has one, else the kind's main text. */
static struct vd_slice headline(struct vd_cli *cli, const struct vd_found *f)
{
	static const char *const other[] = { "description", "stage", "headline", "name" };
	const struct vd_value *v;

	if (f->body || f->standing == VD_STANDING_REDACTED)
		return vd_slice_str(vd_text(cli->lang, vd_body_text(f)));
	v = vd_content_get(f->content, "title", VD_MP_STR, 0);
	if (!v || !v->bytes.n)
		v = vd_content_get(f->content, vd_kind_main_text(f->content->kind), VD_MP_STR, 0);
	if (v && v->bytes.n)
		return v->bytes;
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		v = vd_content_get(f->content, other[i], VD_MP_STR, 0);
		if (v && v->bytes.n)
			return vd_label_choice(cli->lang, f->content->kind, vd_slice_str(other[i]), v->bytes);
	}
	return vd_slice_str("");
}

/* Columns of the terminal, 0 when standard output is none. */
static size_t width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 40 ? size.ws_col : 80;
}

/* Cuts UTF-8 to so many characters; `max` 0: as it is. */
static void cut(struct vd_buf *line, size_t max)
{
	size_t seen = 0;

	for (size_t i = 0; max && i < line->n; i++) {
		if ((line->p[i] & 0xc0) == 0x80 || seen++ < max - 1)
			continue;
		line->n = i;
		vd_buf_put_slice(line, vd_slice_str("\u2026"));
		return;
	}
}

void vd_say_record(struct vd_cli *cli, const struct vd_found *f, bool replaced)
{
	bool urgent = cli->color && f->record->lane == VD_LANE_URGENT;
	char time[VD_TIME_TEXT], id[9], who[VD_WHO_TEXT], mark[32];
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	struct vd_buf line = { 0 };
	size_t attached;

	vd_time_local(f->record->time_ms, time);
	vd_hex(id, f->record->id.b, 4);
	vd_who(f->group, f->record->author, who);
	vd_buf_put_slice(&line, vd_slice_str(time));
	vd_buf_put_slice(&line, vd_slice_str("  "));
	vd_buf_put_slice(&line, vd_slice_str(id));
	vd_buf_put_slice(&line, vd_slice_str("  "));
	vd_text_escape(vd_slice_str(who), false, &line);
	vd_buf_put_slice(&line, vd_slice_str("  "));
	if (!f->body && f->standing != VD_STANDING_REDACTED)
		vd_text_escape(vd_label_kind(cli->lang, f->content->kind), false, &line);
	vd_buf_put_slice(&line, vd_slice_str("  "));
	if (f->standing == VD_STANDING_QUARANTINED)
		vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, f->review == VD_REVIEW_LEFT ? VD_MSG_MARK_LEFT :
		                                                                                      VD_MSG_MARK_QUARANTINED)));
	if (!f->body && vd_store_withholds(cli->store, f->record))
		vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, VD_MSG_MARK_OVER)));
	if (!f->body && f->standing != VD_STANDING_REDACTED && (attached = vd_attachments_of(f->content, list))) {
		snprintf(mark, sizeof mark, "[+%zu] ", attached);
		vd_buf_put_slice(&line, vd_slice_str(mark));
	}
	if (replaced)
		vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, VD_MSG_REPLACED)));
	vd_text_escape(headline(cli, f), false, &line);
	cut(&line, width());
	if (urgent)
		vd_say_raw(cli, vd_slice_str("\033[1m"));
	vd_say_raw(cli, vd_buf_slice(&line));
	vd_say_raw(cli, vd_slice_str(urgent ? "\033[0m\n" : "\n"));
	vd_buf_deinit(&line);
}
