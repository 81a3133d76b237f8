/* Who has heard of which administrative act, as far as this device can know: by a session that ended with equal sets, by a receipt,
 * or by what a device has written since. Whoever has not heard still trusts, and writes for, those who were removed. */
#ifndef VD_HEARD_H
#define VD_HEARD_H

#include "admin.h"
#include "store/custody.h"

/* A device that must hear: it has a role, is not ours, and is no paper. */
struct vd_listener {
	uint8_t author[VD_KEY_BYTES];
	uint8_t person[VD_PERSON_BYTES];
	size_t first;                 /* listener of that person */
	char who[VD_WHO_TEXT];        /* that person's name */
};

struct vd_heard {
	struct vd_group *group;       /* borrowed; unchanged while this is in use */
	struct vd_listener *listeners;
	size_t listener_count, act_count;
	uint64_t *arrival;            /* of each act's record; 0: not stored */
	uint8_t *known;               /* a bit for each act and listener */
	size_t *told;                 /* by listener: 1 + the act for which its person was named last */
	struct vd_custody *custody;   /* who holds what; NULL: that cannot be told quickly */
	size_t last;                  /* the act that counts and came last here; act_count: none */
};

/* 0 or an enum vd_err. VD_EDAMAGED: records by which somebody may have shown that they know could not be read; all else is there. */
int vd_heard_init(struct vd_heard *, struct vd_cli *, struct vd_group *);
void vd_heard_deinit(struct vd_heard *);
bool vd_heard_by(const struct vd_heard *, size_t act, size_t listener);
/* Has any device of that member not heard of the act? */
bool vd_heard_lacks(const struct vd_heard *, size_t act, const uint8_t person[VD_PERSON_BYTES]);
/* The names of members with a device that has not heard of it, each once, in an array: the first VD_HEARD_NAMES of *count. */
enum { VD_HEARD_NAMES = 200 };
json_t *vd_heard_not(const struct vd_heard *, size_t act, size_t *count);
/* Parts of another act rather than one of its own. */
bool vd_act_is_part(struct vd_group *, const struct vd_act *);

/* The newest time that one of a device's last records bears, and when it came; 0: there is none. 0 or an enum vd_err. */
int vd_last_heard(struct vd_cli *, struct vd_group *, const uint8_t author[VD_KEY_BYTES], uint64_t *time_ms, uint64_t *received_ms);

#endif
