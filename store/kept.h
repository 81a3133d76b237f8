/* What receipts.c and met.c keep, and custody.c and custody_known.c read. Nobody else includes it. */
#ifndef VD_KEPT_H
#define VD_KEPT_H

#include "custody.h"

/* A device's latest receipt. */
struct vd_kept {
	struct vd_buf value;
	uint64_t heard_ms;         /* when it came, by our clock */
	struct vd_route route;
	bool doubtful;             /* it made two of one count */
	struct vd_slice bytes;     /* the receipt, in value */
	struct vd_receipt receipt; /* borrows from value */
};
/* VD_ENOTFOUND; VD_EDAMAGED. To be deinit after 0. */
int vd_kept_read(struct vd_store *, const uint8_t *group, const uint8_t *device, struct vd_kept *out);
void vd_kept_deinit(struct vd_kept *);
/* Can its count be believed? Not when it came from the future, by our clock as it comes now or as it was then: its maker's clock was wrong, or ours, and what
 * it says would stand against all that the device says until then. */
bool vd_kept_timely(const struct vd_kept *, uint64_t now_ms);
/* What it is kept under; and by which way it came, as it stands there. */
void vd_kept_parts(const uint8_t *group, const uint8_t *device, struct vd_slice parts[2]);
void vd_route_read(struct vd_rd *, struct vd_route *out);
void vd_route_put(struct vd_buf *value, const struct vd_route *);
/* A receipt from the future that came where one stands that can be believed: when it came, and what its maker's clock showed. VD_ENOTFOUND; VD_EDAMAGED. */
struct vd_ahead {
	uint64_t heard_ms, shown_ms;
};
int vd_ahead_read(struct vd_store *, const uint8_t *group, const uint8_t *device, struct vd_ahead *out);
/* What a session showed. VD_ENOTFOUND; VD_EDAMAGED. */
struct vd_met {
	uint64_t seen_ms;          /* by our clock */
	struct vd_route route;
	struct vd_held held;       /* said: then the device had made that receipt, or one with a higher count; last: 0 */
};
int vd_met_read(struct vd_store *, const uint8_t *group, const uint8_t *device, struct vd_met *out);
/* What our own receipt would say of the lanes now. */
int vd_custody_lanes(struct vd_store *, const uint8_t *group, struct vd_receipt_lane out[VD_LANES]);
/* … and its spans of those lanes, as the index knows them: of each author's chains, what is urgent first, as it must fit; of lanes that are in `links`, too,
 * as if all bodies were here. The caller frees *out in any case. */
enum { VD_LANES_ALL = (1 << VD_LANES) - 1 };
int vd_custody_spans(struct vd_store *, struct vd_group *, uint8_t lanes, uint8_t links, struct vd_span **out, size_t *count);

#endif
