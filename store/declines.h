/* Declines: whose records another device takes no more of, as it said when this one met it last. Whom this one declines is in shares.h. */
#ifndef VD_DECLINES_H
#define VD_DECLINES_H

#include "store.h"

/* Notes it of a device: `apart` is whom the session left out, those whom we decline ourselves among them, which are not noted. Writes only when that is
 * something else than what is noted. */
int vd_declines_note(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_declined_set *apart,
                     uint64_t now_ms);
/* What is noted, and since when. VD_ENOTFOUND: it takes everybody's, or was not met; VD_EDAMAGED. */
int vd_declines_of(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], struct vd_declined_set *out,
                   uint64_t *noted_ms);

#endif
