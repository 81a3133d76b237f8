/* Content: what a body says, once open. PROTOCOL.md section 4. */
#ifndef VD_CONTENT_H
#define VD_CONTENT_H

#include "mp.h"
#include "limits.h"

struct vd_value {
	enum vd_mp_type type;      /* STR, UINT, BOOL, BIN or ARRAY */
	struct vd_slice bytes;     /* STR, BIN; for ARRAY the encoded elements after the array header */
	uint64_t number;           /* UINT, BOOL; for ARRAY the count of elements */
};

struct vd_field {
	struct vd_slice name;
	struct vd_value value;
};

/* A decoded view, borrowed from the encoded bytes. */
struct vd_content {
	struct vd_slice kind;
	uint32_t count;
	struct vd_field fields[VD_FIELDS_MAX];
};

/* VD_EFORMAT, VD_ECAP: not the one canonical encoding. */
int vd_content_decode(struct vd_slice, struct vd_content *out);
/* NULL when the field is not there. */
const struct vd_field *vd_content_find(const struct vd_content *, const char *name);
/* The field when it is there with that type (and, for BIN, that length unless n is 0); else NULL. */
const struct vd_value *vd_content_get(const struct vd_content *, const char *name, enum vd_mp_type, size_t n);
/* Elements of an array value: init a cursor, take one at a time; false at the end. */
struct vd_rd vd_value_items(const struct vd_value *);
bool vd_value_next(struct vd_rd *, struct vd_value *out);

/* Encodes. Fields may come in any order and are sorted (the array is reordered in place); values borrow. An ARRAY's `bytes` are its elements,
 * encoded with vd_mp_put_*, and `number` their count. VD_EINVAL: a name empty, too long or twice; not UTF-8; over a cap. */
int vd_content_encode(struct vd_slice kind, struct vd_field *fields, size_t count, struct vd_buf *out);

#endif
