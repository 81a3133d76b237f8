/* What is not as it should be, each with what it means and the next step: for doctor and, as far as it is cheap, for status. */
#ifndef VD_FINDINGS_H
#define VD_FINDINGS_H

#include "heard.h"

/* A group with who has heard what in it. */
struct vd_look {
	struct vd_group *group;
	struct vd_heard heard;
	size_t members;
};

struct vd_findings {
	struct vd_cli *cli;
	const struct vd_look *looks;
	size_t count;
	bool daemon;       /* veredad runs */
	const json_t *disk;/* what it says of its disk; NULL or null: nothing bad */
	json_t *list;      /* {what, severity, words, next} each */
	bool broken;       /* one of them is */
};

/* Adds one; the arguments fill the places of both texts. */
void vd_finding(struct vd_findings *, const char *what, const char *severity, enum vd_msg words, enum vd_msg next, ...)
	__attribute__((sentinel));
/* Appends a name to a list of them. */
void vd_list_name(struct vd_buf *names, const char *name);
/* Reads no record but a few. The list is the caller's. */
void vd_find_quick(struct vd_findings *);
/* What can be told of a store that nobody opened. */
void vd_find_locked(struct vd_findings *);
/* Who is silent or has not heard, and a walk over records for chains that forked. */
void vd_find_deep(struct vd_findings *);

/* --- find_custody.c */

/* Of one group: what exists on this device alone, and who has been silent. */
void vd_find_custody(struct vd_findings *, const struct vd_look *, const char *name);

/* --- find_declined.c */

/* Of one group: whose records this device takes no more of, and who said so when they were met last. */
void vd_find_declined(struct vd_findings *, const struct vd_look *);

/* --- acts_list.c */

/* Of one group, appended to the array. */
void vd_json_acts(struct vd_cli *, const struct vd_look *, json_t *out);
/* For people: those that somebody has not heard of, the latest ones, and how many there are besides. */
void vd_say_acts(struct vd_cli *, const struct vd_look *, bool all);

#endif
