/* A record's content put together from what a person types, a table's cells or a JSON object says: each value becomes what the
 * kind's table wants of that field, text where it wants nothing. */
#ifndef VD_FIELDS_H
#define VD_FIELDS_H

#include <jansson.h>

#include "messages.h"
#include "proto/kind.h"

/* Finds a whole id by its first digits: 0, or why not. */
struct vd_id_finder {
	int (*find)(void *ctx, const char *prefix, struct vd_id *out);
	void *ctx;
};

struct vd_fields {
	char kind_text[VD_KIND_MAX + 1];
	struct vd_slice kind;
	const struct vd_kind *def;      /* NULL: generic */
	const struct vd_id_finder *finder; /* NULL: only whole ids */
	struct vd_field list[VD_FIELDS_MAX];
	size_t room_at[VD_FIELDS_MAX];  /* where a made value stands in room; SIZE_MAX: the value borrows */
	size_t count;
	struct vd_buf room;
};

/* What is wrong with a value: a message and its two places, the field and what would be right. */
struct vd_bad_field {
	enum vd_msg msg;
	char field[VD_KIND_MAX + 1];
	char detail[256];
};

/* VD_EINVAL: no name for a kind (1 to 32 bytes of lower-case letters, digits, '_' and '-', a letter first). */
int vd_fields_init(struct vd_fields *, const char *kind, const struct vd_id_finder *);
void vd_fields_deinit(struct vd_fields *);
/* Forget the fields, keep the kind. */
void vd_fields_reset(struct vd_fields *);
/* May this name a field? 1 to 32 bytes of UTF-8 without control characters. */
bool vd_field_name_ok(struct vd_slice name);

/* Adds a field; name and value are borrowed until vd_fields_encode. Lists: items joined by '|', and saying a field again adds to it.
 * A blank value of a number, id or list is left out. 0, VD_ENOMEM, or VD_EINVAL with *bad. */
int vd_fields_put(struct vd_fields *, struct vd_slice name, struct vd_slice value, struct vd_bad_field *bad);
/* The same from JSON: strings as above, whole numbers, booleans, arrays of strings or whole numbers; null is left out. A number
 * where the table wants text is stored as its shortest text. The value must live until vd_fields_encode. */
int vd_fields_put_json(struct vd_fields *, struct vd_slice name, const json_t *value, struct vd_bad_field *bad);
/* A list that no text says: its elements, encoded with vd_mp_put_*, live until vd_fields_encode. */
int vd_fields_put_elements(struct vd_fields *, const char *name, struct vd_slice elements, size_t count, struct vd_bad_field *bad);
/* Checks against the kind's table and appends the canonical content. */
int vd_fields_encode(struct vd_fields *, struct vd_buf *out, struct vd_bad_field *bad);

#endif
