#include "kind.h"

#include <string.h>

#include "err.h"

const struct vd_kind *vd_kind_find(struct vd_slice name)
{
	for (size_t i = 0; i < vd_kind_count; i++)
		if (vd_slice_eq(name, vd_slice_str(vd_kinds[i].name)))
			return &vd_kinds[i];
	return NULL;
}

static const struct vd_field_def *search(const struct vd_field_def *defs, size_t count, struct vd_slice name)
{
	for (size_t i = 0; i < count; i++)
		if (vd_slice_eq(name, vd_slice_str(defs[i].name)))
			return &defs[i];
	return NULL;
}

const struct vd_field_def *vd_kind_field(const struct vd_kind *kind, struct vd_slice field)
{
	const struct vd_field_def *def = kind ? search(kind->fields, kind->count, field) : NULL;

	return def ? def : search(vd_kind_common, vd_kind_common_count, field);
}

enum vd_lane vd_kind_lane(struct vd_slice name)
{
	const struct vd_kind *kind = vd_kind_find(name);

	return kind ? kind->lane : VD_LANE_NORMAL;
}

const char *vd_kind_main_text(struct vd_slice name)
{
	const struct vd_kind *kind = vd_kind_find(name);

	return kind ? kind->main_text : "text";
}

/* Exactly `digits` decimal digits; -1 when there are not. */
static int take_number(struct vd_rd *r, size_t digits)
{
	struct vd_slice s = vd_rd_take(r, digits);
	int v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -1;
		v = 10 * v + (s.p[i] - '0');
	}
	return s.n ? v : -1;
}

static bool take_char(struct vd_rd *r, const char *any_of)
{
	uint8_t c = vd_rd_u8(r);

	return c && strchr(any_of, c);
}

static int days_in(int year, int month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2)
		return leap ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* HH:MM */
static bool take_clock(struct vd_rd *r)
{
	int hour = take_number(r, 2);

	if (hour < 0 || hour > 23 || !take_char(r, ":"))
		return false;
	hour = take_number(r, 2);
	return hour >= 0 && hour <= 59;
}

/* The part after the date: T, HH:MM:SS, perhaps a fraction, Z or an offset. */
static bool time_of_day_ok(struct vd_rd *r)
{
	int second;

	if (!take_char(r, "Tt ") || !take_clock(r) || !take_char(r, ":"))
		return false;
	second = take_number(r, 2);
	if (second < 0 || second > 60)
		return false;
	if (r->n && *r->p == '.') {
		vd_rd_u8(r);
		if (take_number(r, 1) < 0)
			return false;
		while (r->n && *r->p >= '0' && *r->p <= '9')
			vd_rd_u8(r);
	}
	if (r->n == 1)
		return take_char(r, "Zz");
	return take_char(r, "+-") && take_clock(r) && !r->n;
}

bool vd_time_text_ok(struct vd_slice text)
{
	struct vd_rd r = vd_rd(text);
	int year = take_number(&r, 4), month, day;

	if (year < 0)
		return false;
	if (!r.n)
		return true;
	if (!take_char(&r, "-") || (month = take_number(&r, 2)) < 1 || month > 12)
		return false;
	if (!r.n)
		return true;
	if (!take_char(&r, "-") || (day = take_number(&r, 2)) < 1 || day > days_in(year, month))
		return false;
	return !r.n || time_of_day_ok(&r);
}

static bool all_items(const struct vd_value *value, enum vd_mp_type type, size_t n)
{
	struct vd_rd r = vd_value_items(value);
	struct vd_value item;

	if (value->type != VD_MP_ARRAY)
		return false;
	while (vd_value_next(&r, &item))
		if (item.type != type || (n && item.bytes.n != n))
			return false;
	return true;
}

static bool chosen(const struct vd_field_def *def, struct vd_slice value)
{
	for (const char *const *choice = def->choices; *choice; choice++)
		if (vd_slice_eq(value, vd_slice_str(*choice)))
			return true;
	return false;
}

static bool value_ok(const struct vd_field_def *def, const struct vd_value *value)
{
	/* A form's empty box: not stated, where it need not be. */
	bool blank = value->type == VD_MP_STR && !value->bytes.n && !def->required;

	switch (def->type) {
	case VD_FIELD_TEXT: return value->type == VD_MP_STR;
	case VD_FIELD_CHOICE: return blank || (value->type == VD_MP_STR && chosen(def, value->bytes));
	case VD_FIELD_NUMBER: return value->type == VD_MP_UINT;
	case VD_FIELD_TIME: return blank || (value->type == VD_MP_STR && vd_time_text_ok(value->bytes));
	case VD_FIELD_ID: return value->type == VD_MP_BIN && value->bytes.n == VD_ID_BYTES;
	case VD_FIELD_IDS: return all_items(value, VD_MP_BIN, VD_ID_BYTES);
	case VD_FIELD_LIST: return all_items(value, VD_MP_STR, 0);
	}
	return false;
}

int vd_kind_check(const struct vd_content *content, const struct vd_field_def **bad)
{
	const struct vd_kind *kind = vd_kind_find(content->kind);

	*bad = NULL;
	for (size_t i = 0; kind && i < kind->count; i++)
		if (kind->fields[i].required && !vd_content_find(content, kind->fields[i].name)) {
			*bad = &kind->fields[i];
			return VD_EINVAL;
		}
	for (size_t i = 0; i < content->count; i++) {
		const struct vd_field_def *def = vd_kind_field(kind, content->fields[i].name);

		if (def && !value_ok(def, &content->fields[i].value)) {
			*bad = def;
			return VD_EINVAL;
		}
	}
	return VD_OK;
}
