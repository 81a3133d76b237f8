/* Which records go into a sealed file, in which order, and how many of them fit. bundle_write.c's and bundle_fill.c's; nobody else includes it. */
#ifndef VD_BUNDLE_LINES_H
#define VD_BUNDLE_LINES_H

#include "bundle.h"
#include "many.h"

/* A record that goes in, where it stands, and what the length of its compact form depends on. */
struct vd_line {
	uint64_t arrival, seq, time_ms;
	uint64_t id, prev;    /* tags, the same for the same id */
	uint32_t author;      /* its place among the group's authors */
	uint32_t bytes;       /* of the body; of one that stands whole, of all */
	uint32_t expires_day;
	uint8_t lane;
	bool stub, has_prev, has_expires, whole;
	bool over;            /* so it goes as a stub, though its body is here */
};

struct vd_lines {
	struct vd_store *store;
	struct vd_group *group;
	const struct vd_bundle_choice *choice;
	uint8_t lane;                 /* 255: all */
	uint8_t tag_key[16];          /* fresh: nobody can make two ids with one tag */
	struct vd_line_author *authors; /* by key */
	size_t author_count;
	struct vd_line *line;         /* by lane, author and seq */
	size_t count, capacity;
	bool unreadable;              /* a stored record is spoilt: it stays out, the others must not suffer */
};

void vd_lines_init(struct vd_lines *, struct vd_store *, struct vd_group *, const struct vd_bundle_choice *);
void vd_lines_deinit(struct vd_lines *);
int vd_lines_choose(struct vd_lines *, struct vd_many *);
/* One more, unless the choice does not want it; and all into their order. VD_ENOMEM. */
int vd_lines_add(struct vd_lines *, uint64_t arrival, const struct vd_record *);
void vd_lines_sort(struct vd_lines *);
/* How many of the lines of [from, to) go into `max` chunks behind what *plan has already, of which the last stands in its stream; adds them to
 * the plan. VD_ENOMEM. */
int vd_lines_fit(const struct vd_lines *, size_t from, size_t to, uint64_t max, struct vd_seal_plan *plan, struct vd_compact *stream,
                 size_t *count);

/* --- bundle_fill.c --- */

/* Adds those of a fill's list that are not there, and brings all into their order. *ok: each of the list is here, with its body where it has to be; else what
 * was added is of no use. VD_EDAMAGED: no list. VD_ENOMEM, VD_EIO. */
int vd_lines_fill(struct vd_lines *, struct vd_many *, struct vd_slice list, bool *ok);

#endif
