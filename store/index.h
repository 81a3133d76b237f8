/* The index of readable content: kind, day, about, replaces. Follows the arrival log by a cursor of its own, outside the commits that bring
 * records, so that merging never waits for it; every query first catches it up. */
#ifndef VD_INDEX_H
#define VD_INDEX_H

#include "store.h"

struct vd_query {
	const uint8_t *group;            /* NULL: every group of this device */
	const char *kind;                /* NULL: any */
	bool has_since, has_until;
	uint64_t since_ms, until_ms;     /* author's time, [since, until) */
	const uint8_t *author;           /* of a device; NULL: any */
	const uint8_t *person;           /* VD_PERSON_BYTES: any device of that member; NULL: any */
	const struct vd_id *about;
	const struct vd_id *history;     /* this record, what it replaces and what replaces it, over any number of steps */
	const char *search;              /* substring of any text field, ASCII case and common accents folded */
	uint64_t after;                  /* arrival number, for --new and watch */
	size_t limit;                    /* newest n; 0: all */
	bool control;                    /* also control records (default: content only) */
	bool quarantined;                /* only what is in quarantine; else nothing that is hidden, unless `hidden` */
	bool hidden;                     /* also what is in quarantine, redacted, or not its author's to write */
};

/* What the group says of a record that is in the set, as of the last catching up. Control records are always shown. */
enum vd_standing {
	VD_STANDING_SHOWN,
	VD_STANDING_QUARANTINED, /* its author was removed, and this was not accepted */
	VD_STANDING_REDACTED,    /* by a redaction that holds */
	VD_STANDING_NOT_ENTITLED,/* its author's role does not allow it */
};

/* What a visitor gets: everything borrowed for the call. */
struct vd_found {
	uint64_t arrival, received_ms;
	const struct vd_record *record;
	struct vd_group *group;
	int body;                         /* 0: content is filled in; else VD_EKEY, VD_ENOTFOUND (stub), VD_EVERSION … */
	const struct vd_content *content; /* when body is 0 */
	enum vd_gone gone;                /* why it is a stub */
	enum vd_standing standing;
	enum vd_review review;            /* quarantined: LEFT when a coordinator looked at it and left it there */
	struct vd_id redaction;           /* REDACTED: which */
};

/* Opens what came since the last time. Cheap when nothing did. */
int vd_index_catch_up(struct vd_store *);
/* Calls `visit` in DESIGN's order for people: by author's time capped at arrival time, then author, lane, seq
 * and id, oldest first. Non-zero stops. VD_EDAMAGED: something stored is not what it must be and may be missing
 * from the answer; all the rest was visited. */
int vd_query(struct vd_store *, const struct vd_query *, int (*visit)(void *ctx, const struct vd_found *), void *ctx);
/* One record, opened, whatever its standing. */
int vd_query_one(struct vd_store *, uint64_t arrival, int (*visit)(void *ctx, const struct vd_found *), void *ctx);
/* The arrival numbers of the last `max` records by that device, control records too, the last one first; *count of them. */
int vd_index_last(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t *arrivals,
                  size_t max, size_t *count);
/* Highest arrival number of one `list --new`: kept as a note. */

#endif
