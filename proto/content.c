#include "content.h"

#include <stdlib.h>

#include "err.h"

/* One value of a field, or, nested, one element of a list. What the cursor does not allow leaves it failed. */
static void take_value(struct vd_rd *r, struct vd_value *out, bool nested)
{
	const uint8_t *start;
	struct vd_value element;

	*out = (struct vd_value){ .type = vd_mp_peek(r) };
	switch (out->type) {
	case VD_MP_STR:
		out->bytes = vd_mp_str(r, VD_BODY_MAX);
		return;
	case VD_MP_BIN:
		out->bytes = vd_mp_bin(r, VD_BODY_MAX);
		return;
	case VD_MP_UINT:
		out->number = vd_mp_uint(r, UINT64_MAX);
		return;
	case VD_MP_BOOL:
		if (nested)
			break;
		out->number = vd_mp_bool(r);
		return;
	case VD_MP_ARRAY:
		if (nested)
			break;
		out->number = vd_mp_array(r, VD_LIST_MAX);
		start = r->p;
		for (uint64_t i = 0; i < out->number && !r->err; i++)
			take_value(r, &element, true);
		out->bytes = vd_slice(start, (size_t)(r->p - start));
		return;
	case VD_MP_NIL:
	case VD_MP_NONE:
		break;
	}
	vd_rd_fail(r, VD_EFORMAT);
}

static struct vd_slice take_name(struct vd_rd *r)
{
	struct vd_slice name = vd_mp_str(r, VD_KIND_MAX);

	if (!name.n)
		vd_rd_fail(r, VD_EFORMAT);
	return name;
}

int vd_content_decode(struct vd_slice bytes, struct vd_content *out)
{
	struct vd_rd r = vd_rd(bytes);

	if (vd_mp_array(&r, 2) != 2)
		vd_rd_fail(&r, VD_EFORMAT);
	out->kind = take_name(&r);
	out->count = vd_mp_array(&r, VD_FIELDS_MAX);
	for (uint32_t i = 0; i < out->count && !r.err; i++) {
		struct vd_field *f = &out->fields[i];

		if (vd_mp_array(&r, 2) != 2)
			vd_rd_fail(&r, VD_EFORMAT);
		f->name = take_name(&r);
		if (i && vd_slice_cmp(f[-1].name, f->name) >= 0)
			vd_rd_fail(&r, VD_EFORMAT);
		take_value(&r, &f->value, false);
	}
	return vd_rd_end(&r);
}

static int compare_names(const void *a, const void *b)
{
	return vd_slice_cmp(((const struct vd_field *)a)->name, ((const struct vd_field *)b)->name);
}

const struct vd_field *vd_content_find(const struct vd_content *content, const char *name)
{
	struct vd_field key = { .name = vd_slice_str(name) };

	return bsearch(&key, content->fields, content->count, sizeof(key), compare_names);
}

const struct vd_value *vd_content_get(const struct vd_content *content, const char *name, enum vd_mp_type type, size_t n)
{
	const struct vd_field *f = vd_content_find(content, name);

	if (!f || f->value.type != type || (type == VD_MP_BIN && n && f->value.bytes.n != n))
		return NULL;
	return &f->value;
}

struct vd_rd vd_value_items(const struct vd_value *value)
{
	return vd_rd(value->type == VD_MP_ARRAY ? value->bytes : vd_slice(NULL, 0));
}

bool vd_value_next(struct vd_rd *r, struct vd_value *out)
{
	if (r->err || !r->n)
		return false;
	take_value(r, out, true);
	return !r->err;
}

static void put_value(struct vd_buf *out, const struct vd_value *v)
{
	switch (v->type) {
	case VD_MP_STR: vd_mp_put_str(out, v->bytes); break;
	case VD_MP_BIN: vd_mp_put_bin(out, v->bytes); break;
	case VD_MP_UINT: vd_mp_put_uint(out, v->number); break;
	case VD_MP_BOOL: vd_mp_put_bool(out, v->number != 0); break;
	case VD_MP_ARRAY:
		vd_mp_put_array(out, (uint32_t)v->number);
		vd_buf_put_slice(out, v->bytes);
		break;
	case VD_MP_NIL:
	case VD_MP_NONE: vd_mp_put_nil(out); break; /* which the check below refuses */
	}
}

int vd_content_encode(struct vd_slice kind, struct vd_field *fields, size_t count, struct vd_buf *out)
{
	struct vd_content check;
	size_t start = out->n;
	int rc;

	if (count > VD_FIELDS_MAX)
		return VD_EINVAL;
	for (size_t i = 0; i < count; i++)
		if (fields[i].value.type == VD_MP_ARRAY && fields[i].value.number > VD_LIST_MAX)
			return VD_EINVAL;
	if (count)
		qsort(fields, count, sizeof(*fields), compare_names);
	vd_mp_put_array(out, 2);
	vd_mp_put_str(out, kind);
	vd_mp_put_array(out, (uint32_t)count);
	for (size_t i = 0; i < count; i++) {
		vd_mp_put_array(out, 2);
		vd_mp_put_str(out, fields[i].name);
		put_value(out, &fields[i].value);
	}
	rc = vd_buf_check(out);
	/* One set of rules: what our own reader would refuse is not written. */
	if (!rc && vd_content_decode(vd_slice(out->p + start, out->n - start), &check))
		rc = VD_EINVAL;
	if (rc)
		out->n = start;
	return rc;
}
