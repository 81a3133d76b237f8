/* Which volumes of an export were taken in here: kept outside the set, so that who imports them one by one is told what is lacking. */
#ifndef VD_VOLUMES_H
#define VD_VOLUMES_H

#include "proto/seal.h"
#include "store.h"

struct vd_volume_set {
	uint8_t set[VD_VOLUME_SET_BYTES];
	uint16_t count;
	uint8_t have[(VD_VOLUMES_MAX + 7) / 8];  /* bit n - 1, from the lowest: volume n */
};

void vd_volume_mark(struct vd_volume_set *, uint16_t number);
bool vd_volume_here(const struct vd_volume_set *, uint16_t number);
/* What is known of the set of that volume; one that is new to the store has none. */
int vd_volumes_find(struct vd_store *, const struct vd_volume *, struct vd_volume_set *out);
/* Notes that it was taken in wholly. The sets that were added to last are kept, 4 KiB of them: some two hundred of eight volumes, or 28 of the
 * largest. VD_ENOSPACE, VD_EIO. */
int vd_volumes_arrived(struct vd_store *, const struct vd_volume *);

#endif
