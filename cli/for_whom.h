/* Whom a record is for: those who may read it, as far as this device can tell. All others with a role can but carry it. */
#ifndef VD_FOR_WHOM_H
#define VD_FOR_WHOM_H

#include "admin.h"

enum vd_for { VD_FOR_NOT, VD_FOR_PERHAPS, VD_FOR_THEM };

struct vd_for_whom {
	enum {
		VD_FOR_ALL,        /* an act, or nothing tells: everybody with a role */
		VD_FOR_EVERYONE,   /* all but couriers */
		VD_FOR_MEMBERS,
		VD_FOR_FOCAL,      /* a reporter's, in confidence */
		VD_FOR_NAMED,      /* `devices` */
		VD_FOR_HIDDEN,     /* somebody by name: known to them alone, and to its author if a copy was kept */
	} kind;
	uint8_t author[VD_PERSON_BYTES];           /* FOCAL, NAMED: who wrote it is none of those */
	uint8_t devices[VD_NAMED_SLOTS][VD_KEY_BYTES];
	size_t count;
};

/* 0 or an enum vd_err. */
int vd_for_whom(struct vd_cli *, struct vd_group *, const struct vd_record *, struct vd_for_whom *out);
/* A person with a role. */
enum vd_for vd_is_for(struct vd_group *, const struct vd_for_whom *, const uint8_t person[VD_PERSON_BYTES]);

#endif
