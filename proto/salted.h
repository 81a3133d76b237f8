/* Salted pass: one lane's items under a salt nobody could know before, so that nobody can have mined records against it. O(n). */
#ifndef VD_SALTED_H
#define VD_SALTED_H

#include "port.h"

struct vd_salted_entry {
	uint64_t item, arrival; /* the item as a number */
};

/* All zero is empty. */
struct vd_salted {
	struct vd_salted_entry *entries; /* by item, then arrival, ascending */
	size_t count, capacity;
};

/* Takes in the lane's records up to arrival number `latest`, without those that `apart` names; adds them to `symbols` too, unless n is 0. VD_ENOMEM, or the port's
 * error. */
int vd_salted_scan(struct vd_salted *, const struct vd_port *, const uint8_t *group, uint8_t lane, uint64_t latest,
                   const struct vd_declined_set *apart, const uint8_t salt[VD_SALT_BYTES], struct vd_symbol *symbols, size_t n);
void vd_salted_deinit(struct vd_salted *);
/* Place of the first entry whose item is not below; `count` when there is none. */
size_t vd_salted_find(const struct vd_salted *, uint64_t item);

#endif
