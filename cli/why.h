/* The two things that why tells of, and what both need. */
#ifndef VD_WHY_H
#define VD_WHY_H

#include "for_whom.h"
#include "where.h"

/* What is being told, for people at once, for programs at the end. */
struct vd_why {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_custody *custody;
	struct vd_stick *sticks;     /* the one seen last first */
	size_t stick_count;
	json_t *holders, *missing, *advice;
};

/* A record, as it stands here. */
struct vd_why_subject {
	uint8_t group[VD_GROUP_BYTES];
	uint64_t arrival, received_ms;
	struct vd_buf raw;
	struct vd_record record;
};

/* Once the group is there: makes all else. 0 or an enum vd_err; cmd_why.c frees it in any case. */
int vd_why_begin(struct vd_why *);
void vd_why_advise(struct vd_why *, enum vd_msg, const char *a, const char *b);
/* That the stick is to be taken to those; and how it gets a name, if it has none. */
void vd_why_advise_stick(struct vd_why *, const struct vd_stick *, const char *to);
/* Is it who uses this device? */
bool vd_why_ours(struct vd_group *, const uint8_t person[VD_PERSON_BYTES]);
/* Null: 0. */
json_t *vd_why_time(uint64_t ms);

/* Both begin, and give an exit code, having said what is wrong. */
int vd_why_record(struct vd_why *, const struct vd_why_subject *);
int vd_why_member(struct vd_why *, const struct vd_target *);

#endif
