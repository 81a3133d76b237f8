/* Kinds and their fields: the field's own words (HURIDOCS, OASIS CAP 1.2). One table, kind_table.c. */
#ifndef VD_KIND_H
#define VD_KIND_H

#include "content.h"
#include "record.h"

enum vd_field_type {
	VD_FIELD_TEXT,   /* str */
	VD_FIELD_CHOICE, /* str out of `choices` */
	VD_FIELD_NUMBER, /* uint */
	VD_FIELD_TIME,   /* str, RFC 3339 or YYYY[-MM[-DD]]: precision as known */
	VD_FIELD_ID,     /* bin 32 */
	VD_FIELD_IDS,    /* array of bin 32 */
	VD_FIELD_LIST,   /* array of str */
};

struct vd_field_def {
	const char *name;
	enum vd_field_type type;
	const char *const *choices; /* NULL-terminated; NULL when free */
	bool required;
};

struct vd_kind {
	const char *name;
	enum vd_lane lane;
	const char *main_text;      /* the field -m fills */
	const struct vd_field_def *fields;
	size_t count;
};

extern const struct vd_kind vd_kinds[];
extern const size_t vd_kind_count;
/* about, replaces, text: the same in every kind. */
extern const struct vd_field_def vd_kind_common[];
extern const size_t vd_kind_common_count;

/* NULL: not in the table, generic (normal lane, main text "text"). */
const struct vd_kind *vd_kind_find(struct vd_slice name);
const struct vd_field_def *vd_kind_field(const struct vd_kind *, struct vd_slice field); /* kind may be NULL: about, replaces, text */
enum vd_lane vd_kind_lane(struct vd_slice name);
const char *vd_kind_main_text(struct vd_slice name);
/* RFC 3339, or YYYY, YYYY-MM, YYYY-MM-DD: as precise as it is known. Days exist. */
bool vd_time_text_ok(struct vd_slice);
/* Checks what an author is about to write (never what is received): choices, required, types. Fields no one defined are
 * allowed, and so is a blank time or choice that is not required. VD_EINVAL with *bad the offending field's definition. */
int vd_kind_check(const struct vd_content *, const struct vd_field_def **bad);

#endif
