/* Declined: whose records of one lane a device takes no more, because that author's share of it is used up. PROTOCOL.md section 9.
 * Local policy, never validity: a session leaves out what either end named, so that the rest settles as if it did not exist. */
#ifndef VD_DECLINED_H
#define VD_DECLINED_H

#include "bytes.h"
#include "limits.h"

struct vd_declined {
	uint8_t lane; /* 1 to 3: control records are never declined */
	uint8_t author[VD_KEY_BYTES];
};

/* By lane, then author, ascending, none twice. All zero is empty. Holds what both ends of a session name. */
struct vd_declined_set {
	struct vd_declined who[2 * VD_DECLINED_MAX];
	size_t count;
	bool bulk_bodies; /* of the bulk lane stubs are taken, and no body; not part of what is encoded here: HELLO says it */
};

bool vd_declined_has(const struct vd_declined_set *, uint8_t lane, const uint8_t author[VD_KEY_BYTES]);
/* False when it is full: then it is as it was. */
bool vd_declined_add(struct vd_declined_set *, uint8_t lane, const uint8_t author[VD_KEY_BYTES]);
/* False when it was not in it. */
bool vd_declined_remove(struct vd_declined_set *, uint8_t lane, const uint8_t author[VD_KEY_BYTES]);
/* Those of one lane: *first is borrowed. */
size_t vd_declined_of_lane(const struct vd_declined_set *, uint8_t lane, const struct vd_declined **first);

/* varint n ‖ n × (u8 lane ‖ author key), at most VD_DECLINED_MAX: the rest is left out. */
void vd_declined_encode(const struct vd_declined_set *, struct vd_buf *out);
/* VD_EFORMAT: lane, order, or the end is missing; VD_ECAP: more than VD_DECLINED_MAX. Then *out is empty. */
int vd_declined_decode(struct vd_rd *, struct vd_declined_set *out);

#endif
