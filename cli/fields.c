#include "fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/body.h"
#include "proto/err.h"

static int wrong(struct vd_bad_field *bad, enum vd_msg msg, struct vd_slice field, const char *detail)
{
	size_t n = field.n < VD_KIND_MAX ? field.n : VD_KIND_MAX;

	while (n > 0 && n < field.n && (field.p[n] & 0xc0) == 0x80)
		n--;
	bad->msg = msg;
	if (n)
		memcpy(bad->field, field.p, n);
	bad->field[n] = '\0';
	snprintf(bad->detail, sizeof bad->detail, "%s", detail);
	return VD_EINVAL;
}

int vd_fields_init(struct vd_fields *f, const char *kind, const struct vd_id_finder *finder)
{
	size_t n = strlen(kind);

	memset(f, 0, sizeof *f);
	if (n == 0 || n > VD_KIND_MAX || strspn(kind, "abcdefghijklmnopqrstuvwxyz0123456789_-") != n || kind[0] < 'a')
		return VD_EINVAL;
	memcpy(f->kind_text, kind, n + 1);
	f->kind = vd_slice(f->kind_text, n);
	f->def = vd_kind_find(f->kind);
	f->finder = finder;
	return 0;
}

void vd_fields_deinit(struct vd_fields *f)
{
	vd_buf_deinit(&f->room);
	f->count = 0;
}

void vd_fields_reset(struct vd_fields *f)
{
	vd_buf_reset(&f->room);
	f->count = 0;
}

bool vd_field_name_ok(struct vd_slice name)
{
	if (name.n == 0 || name.n > VD_KIND_MAX || !vd_utf8_ok(name))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return true;
}

static struct vd_field *add(struct vd_fields *f, struct vd_slice name, enum vd_mp_type type, struct vd_bad_field *bad)
{
	struct vd_field *field;

	if (!vd_field_name_ok(name)) {
		wrong(bad, VD_MSG_FIELD_NAME_BAD, name, "");
		return NULL;
	}
	for (size_t i = 0; i < f->count; i++)
		if (vd_slice_eq(f->list[i].name, name)) {
			wrong(bad, VD_MSG_FIELD_TWICE, name, "");
			return NULL;
		}
	if (f->count == VD_FIELDS_MAX) {
		wrong(bad, VD_MSG_FIELDS_MANY, name, "");
		return NULL;
	}
	f->room_at[f->count] = SIZE_MAX;
	field = &f->list[f->count++];
	memset(field, 0, sizeof *field);
	field->name = name;
	field->value.type = type;
	return field;
}

static int put_text(struct vd_fields *f, struct vd_slice name, struct vd_slice value, struct vd_bad_field *bad)
{
	struct vd_field *field;

	if (!vd_utf8_ok(value) || (value.n && memchr(value.p, 0, value.n)))
		return wrong(bad, VD_MSG_FIELD_TEXT, name, "");
	field = add(f, name, VD_MP_STR, bad);
	if (!field)
		return VD_EINVAL;
	field->value.bytes = value;
	return 0;
}

static int put_number(struct vd_fields *f, struct vd_slice name, struct vd_slice value, struct vd_bad_field *bad)
{
	uint64_t n = 0;
	struct vd_field *field;

	for (size_t i = 0; i < value.n; i++) {
		uint64_t digit = (uint64_t)(value.p[i] - '0');

		if (value.p[i] < '0' || value.p[i] > '9' || n > (UINT64_MAX - digit) / 10)
			return wrong(bad, VD_MSG_FIELD_NUMBER, name, "");
		n = n * 10 + digit;
	}
	field = add(f, name, VD_MP_UINT, bad);
	if (!field)
		return VD_EINVAL;
	field->value.number = n;
	return 0;
}

static int parse_id(const struct vd_fields *f, struct vd_slice text, struct vd_id *id)
{
	char hex[2 * VD_ID_BYTES + 1];
	size_t n = 0;

	if (text.n < 6 || text.n > 2 * VD_ID_BYTES)
		return VD_EINVAL;
	memcpy(hex, text.p, text.n);
	hex[text.n] = '\0';
	if (strspn(hex, "0123456789abcdefABCDEF") != text.n)
		return VD_EINVAL;
	if (text.n == 2 * VD_ID_BYTES)
		return vd_unhex(id->b, VD_ID_BYTES, hex, &n);
	return f->finder ? f->finder->find(f->finder->ctx, hex, id) : VD_ENOTFOUND;
}

static int put_id(struct vd_fields *f, struct vd_slice name, struct vd_slice value, struct vd_bad_field *bad)
{
	struct vd_id id;
	struct vd_field *field;

	if (parse_id(f, value, &id))
		return wrong(bad, VD_MSG_FIELD_ID, name, "");
	field = add(f, name, VD_MP_BIN, bad);
	if (!field)
		return VD_EINVAL;
	f->room_at[f->count - 1] = f->room.n;
	field->value.bytes.n = VD_ID_BYTES;
	vd_buf_put(&f->room, id.b, VD_ID_BYTES);
	return vd_buf_check(&f->room);
}

/* The list of that name, opened at the end of room: what it held moves there, so that it can grow. */
static struct vd_field *open_list(struct vd_fields *f, struct vd_slice name, struct vd_bad_field *bad)
{
	for (size_t i = 0; i < f->count; i++) {
		struct vd_field *field = &f->list[i];
		size_t at = f->room_at[i], n = field->value.bytes.n;

		if (!vd_slice_eq(field->name, name) || field->value.type != VD_MP_ARRAY)
			continue;
		f->room_at[i] = f->room.n;
		if (n && vd_buf_extend(&f->room, n))
			memcpy(f->room.p + f->room_at[i], f->room.p + at, n);
		return field;
	}
	struct vd_field *field = add(f, name, VD_MP_ARRAY, bad);

	if (field)
		f->room_at[f->count - 1] = f->room.n;
	return field;
}

static int put_item(struct vd_fields *f, struct vd_field *list, enum vd_field_type type, struct vd_slice item,
                    struct vd_bad_field *bad)
{
	size_t before = f->room.n;
	struct vd_id id;

	if (list->value.number == VD_LIST_MAX)
		return wrong(bad, VD_MSG_FIELD_LIST, list->name, "");
	if (type == VD_FIELD_IDS) {
		if (parse_id(f, item, &id))
			return wrong(bad, VD_MSG_FIELD_ID, list->name, "");
		vd_mp_put_bin(&f->room, vd_slice(id.b, VD_ID_BYTES));
	} else {
		if (!vd_utf8_ok(item) || (item.n && memchr(item.p, 0, item.n)))
			return wrong(bad, VD_MSG_FIELD_TEXT, list->name, "");
		vd_mp_put_str(&f->room, item);
	}
	list->value.number++;
	list->value.bytes.n += f->room.n - before;
	return vd_buf_check(&f->room);
}

static int put_list(struct vd_fields *f, struct vd_slice name, enum vd_field_type type, struct vd_slice value,
                    struct vd_bad_field *bad)
{
	struct vd_field *list = open_list(f, name, bad);
	int rc = list ? 0 : VD_EINVAL;

	while (!rc) {
		const uint8_t *bar = memchr(value.p, '|', value.n);
		size_t n = bar ? (size_t)(bar - value.p) : value.n;

		rc = put_item(f, list, type, vd_slice(value.p, n), bad);
		if (!bar)
			break;
		value = vd_slice(value.p + n + 1, value.n - n - 1);
	}
	return rc;
}

static enum vd_field_type type_of(const struct vd_fields *f, struct vd_slice name)
{
	const struct vd_field_def *def = vd_kind_field(f->def, name);

	return def ? def->type : VD_FIELD_TEXT;
}

int vd_fields_put(struct vd_fields *f, struct vd_slice name, struct vd_slice value, struct vd_bad_field *bad)
{
	enum vd_field_type type = type_of(f, name);

	switch (type) {
	case VD_FIELD_TEXT:
	case VD_FIELD_CHOICE:
	case VD_FIELD_TIME: return put_text(f, name, value, bad);
	case VD_FIELD_NUMBER: return value.n ? put_number(f, name, value, bad) : 0;
	case VD_FIELD_ID: return value.n ? put_id(f, name, value, bad) : 0;
	case VD_FIELD_IDS:
	case VD_FIELD_LIST: return value.n ? put_list(f, name, type, value, bad) : 0;
	}
	return VD_EINVAL;
}

/* Digits of a JSON number, the shortest that read back as the same. */
static void number_text(const json_t *value, char *out, size_t n)
{
	if (json_is_integer(value)) {
		snprintf(out, n, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, n, "%.*g", digits, json_real_value(value));
		if (!(strtod(out, NULL) < json_real_value(value)) && !(strtod(out, NULL) > json_real_value(value)))
			return;
	}
}

static int put_number_json(struct vd_fields *f, struct vd_slice name, const json_t *value, struct vd_bad_field *bad)
{
	const struct vd_field_def *def = vd_kind_field(f->def, name);
	bool whole = json_is_integer(value) && json_integer_value(value) >= 0;
	char text[40];
	struct vd_field *field;

	if (whole && (!def || def->type == VD_FIELD_NUMBER)) {
		field = add(f, name, VD_MP_UINT, bad);
		if (!field)
			return VD_EINVAL;
		field->value.number = (uint64_t)json_integer_value(value);
		return 0;
	}
	if (def && def->type == VD_FIELD_NUMBER)
		return wrong(bad, VD_MSG_FIELD_NUMBER, name, "");
	if (def && def->type != VD_FIELD_TEXT && def->type != VD_FIELD_CHOICE && def->type != VD_FIELD_TIME)
		return wrong(bad, VD_MSG_FIELD_TYPE, name, "");
	number_text(value, text, sizeof text);
	field = add(f, name, VD_MP_STR, bad);
	if (!field)
		return VD_EINVAL;
	f->room_at[f->count - 1] = f->room.n;
	field->value.bytes.n = strlen(text);
	vd_buf_put(&f->room, text, strlen(text));
	return vd_buf_check(&f->room);
}

static int put_array_json(struct vd_fields *f, struct vd_slice name, const json_t *array, struct vd_bad_field *bad)
{
	enum vd_field_type type = type_of(f, name);
	struct vd_field *list;
	const json_t *item;
	size_t i;

	if (vd_kind_field(f->def, name) && type != VD_FIELD_IDS && type != VD_FIELD_LIST)
		return wrong(bad, VD_MSG_FIELD_TYPE, name, "");
	list = add(f, name, VD_MP_ARRAY, bad);
	if (!list)
		return VD_EINVAL;
	f->room_at[f->count - 1] = f->room.n;
	json_array_foreach (array, i, item) {
		size_t before = f->room.n;
		int rc = 0;

		if (json_is_string(item)) {
			rc = put_item(f, list, type == VD_FIELD_IDS ? VD_FIELD_IDS : VD_FIELD_LIST,
			              vd_slice(json_string_value(item), json_string_length(item)), bad);
		} else if (json_is_integer(item) && json_integer_value(item) >= 0 && !vd_kind_field(f->def, name)) {
			if (list->value.number == VD_LIST_MAX)
				return wrong(bad, VD_MSG_FIELD_LIST, name, "");
			vd_mp_put_uint(&f->room, (uint64_t)json_integer_value(item));
			list->value.number++;
			list->value.bytes.n += f->room.n - before;
			rc = vd_buf_check(&f->room);
		} else {
			return wrong(bad, VD_MSG_FIELD_TYPE, name, "");
		}
		if (rc)
			return rc;
	}
	return 0;
}

int vd_fields_put_json(struct vd_fields *f, struct vd_slice name, const json_t *value, struct vd_bad_field *bad)
{
	const struct vd_field_def *def = vd_kind_field(f->def, name);
	struct vd_field *field;

	switch (json_typeof(value)) {
	case JSON_NULL: return 0;
	case JSON_STRING: return vd_fields_put(f, name, vd_slice(json_string_value(value), json_string_length(value)), bad);
	case JSON_INTEGER:
	case JSON_REAL: return put_number_json(f, name, value, bad);
	case JSON_ARRAY: return put_array_json(f, name, value, bad);
	case JSON_TRUE:
	case JSON_FALSE:
		if (def)
			return wrong(bad, VD_MSG_FIELD_TYPE, name, "");
		field = add(f, name, VD_MP_BOOL, bad);
		if (!field)
			return VD_EINVAL;
		field->value.number = json_is_true(value);
		return 0;
	case JSON_OBJECT: break;
	}
	return wrong(bad, VD_MSG_FIELD_TYPE, name, "");
}

int vd_fields_put_elements(struct vd_fields *f, const char *name, struct vd_slice elements, size_t count, struct vd_bad_field *bad)
{
	struct vd_field *list = add(f, vd_slice_str(name), VD_MP_ARRAY, bad);

	if (!list)
		return VD_EINVAL;
	list->value.bytes = elements;
	list->value.number = count;
	return 0;
}

/* Says what the table wants of the field that vd_kind_check did not like. */
static int explain(const struct vd_content *content, const struct vd_field_def *def, struct vd_bad_field *bad)
{
	static const enum vd_msg wants[] = {
		[VD_FIELD_TEXT] = VD_MSG_FIELD_TYPE, [VD_FIELD_CHOICE] = VD_MSG_FIELD_CHOICE, [VD_FIELD_NUMBER] = VD_MSG_FIELD_NUMBER,
		[VD_FIELD_TIME] = VD_MSG_FIELD_TIME, [VD_FIELD_ID] = VD_MSG_FIELD_ID, [VD_FIELD_IDS] = VD_MSG_FIELD_ID,
		[VD_FIELD_LIST] = VD_MSG_FIELD_TYPE,
	};
	char choices[sizeof bad->detail] = "";

	if (!def)
		return wrong(bad, VD_MSG_FIELD_TYPE, vd_slice(NULL, 0), "");
	if (!vd_content_find(content, def->name))
		return wrong(bad, VD_MSG_FIELD_MISSING, vd_slice_str(def->name), "");
	for (const char *const *c = def->choices; def->type == VD_FIELD_CHOICE && *c; c++) {
		size_t n = strlen(choices);

		snprintf(choices + n, sizeof choices - n, "%s%s", n ? ", " : "", *c);
	}
	return wrong(bad, wants[def->type], vd_slice_str(def->name), choices);
}

int vd_fields_encode(struct vd_fields *f, struct vd_buf *out, struct vd_bad_field *bad)
{
	const struct vd_field_def *def = NULL;
	struct vd_content content;
	size_t before = out->n, bytes = 0;
	int rc;

	for (size_t i = 0; i < f->count; i++)
		if (f->room_at[i] != SIZE_MAX) {
			/* An empty list alone leaves no room at all. */
			f->list[i].value.bytes.p = f->room.p ? f->room.p + f->room_at[i] : (const uint8_t *)"";
			f->room_at[i] = SIZE_MAX; /* encoding sorts the list */
		}
	rc = vd_content_encode(f->kind, f->list, f->count, out);
	/* What the reader's own rules refuse: longer than any text or list may be, for one. */
	for (size_t i = 0; i < f->count; i++)
		bytes += f->list[i].value.bytes.n;
	if (rc == VD_EINVAL)
		return wrong(bad, vd_body_bucket(bytes) ? VD_MSG_FIELD_TYPE : VD_MSG_TOO_LONG, vd_slice(NULL, 0), "");
	if (rc)
		return rc == VD_ECAP ? wrong(bad, VD_MSG_TOO_LONG, vd_slice(NULL, 0), "") : rc;
	/* As vd_body_seal packs it: one byte, and a length of at most three. */
	if (!vd_body_bucket(out->n - before + 4)) {
		out->n = before;
		return wrong(bad, VD_MSG_TOO_LONG, vd_slice(NULL, 0), "");
	}
	rc = vd_content_decode(vd_slice(out->p + before, out->n - before), &content);
	if (!rc && vd_kind_check(&content, &def))
		rc = explain(&content, def, bad);
	if (rc)
		out->n = before;
	return rc;
}
