/* Salted pass: one lane's items under a salt nobody could know before, so that nobody can have mined records against it. O(n). */
#ifndef VD_SALTED_H
#define VD_SALTED_H

#include "port.h"

/* All zero is empty. An entry is a record's arrival number in the lowest `shift` bits, and above it as much of its item, as a number, as
 * there is room for: of a million records 44 bits, which one in seventeen million shares with another. What that is asked for then goes along. */
struct vd_salted {
	uint64_t *entries; /* ascending */
	size_t count, capacity;
	uint8_t shift;
};

/* Takes in the lane's records up to arrival number `latest`, about so many, without those that `apart` names; adds them to `symbols` too, unless n is
 * 0. VD_ENOMEM, or the port's error. */
int vd_salted_scan(struct vd_salted *, const struct vd_port *, const uint8_t *group, uint8_t lane, uint64_t latest, uint64_t about,
                   const struct vd_declined_set *apart, const uint8_t salt[VD_SALT_BYTES], struct vd_symbol *symbols, size_t n);
void vd_salted_deinit(struct vd_salted *);
/* Place of the first entry whose item is not below; `count` when there is none. */
size_t vd_salted_find(const struct vd_salted *, uint64_t item);
/* May the entry's item be this one? */
bool vd_salted_is(const struct vd_salted *, uint64_t entry, uint64_t item);
uint64_t vd_salted_arrival(const struct vd_salted *, uint64_t entry);

#endif
