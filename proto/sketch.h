/* Sketch: finds the difference of two sets at the cost of the difference.
 *
 * Rateless IBLT: Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024; mapping and peeling of its
 * section 4. Symbols are linear: the symbols of two sets subtract to those of their difference. PROTOCOL.md section 9. */
#ifndef VD_SKETCH_H
#define VD_SKETCH_H

#include "record.h"

struct vd_item {
	uint8_t b[VD_ITEM_BYTES];
};

struct vd_symbol {
	uint8_t sum[VD_ITEM_BYTES]; /* XOR of the items */
	uint32_t check;             /* XOR of their checks */
	int32_t count;              /* how many; modulo 2^32 for huge sets */
};

/* item = H_item(salt; id). */
void vd_item_of(const uint8_t salt[VD_SALT_BYTES], const struct vd_id *, struct vd_item *out);
/* The symbols an item is in, ascending, below `limit`: call with a cursor of vd_mapping_start. First is always 0. */
struct vd_mapping {
	uint64_t state;
	uint64_t index;
};
struct vd_mapping vd_mapping_start(const struct vd_item *);
void vd_mapping_next(struct vd_mapping *); /* index saturates at UINT64_MAX */
uint32_t vd_item_check(const struct vd_item *);

/* Adds (count +1) or removes (count -1) an item in symbols[first .. first + n). */
void vd_sketch_apply(struct vd_symbol *symbols, uint64_t first, uint64_t n, const struct vd_item *, int sign);

/* Peeling decoder of a difference "theirs minus ours". */
struct vd_peeler;
/* At most `max_symbols` are ever taken (VD_ECAP beyond), which bounds memory to about 80 bytes each. */
struct vd_peeler *vd_peeler_new(size_t max_symbols);
void vd_peeler_free(struct vd_peeler *);
/* Appends difference symbols number count.. and peels as far as possible. VD_ECAP, VD_ENOMEM, or VD_EFORMAT when more items
 * came out than symbols went in: a jammed sketch. */
int vd_peeler_add(struct vd_peeler *, const struct vd_symbol *theirs, const struct vd_symbol *ours, size_t n);
/* Symbol 0 is empty after peeling: everything was found (as far as the sketch can tell; the digest decides). */
bool vd_peeler_done(const struct vd_peeler *);
size_t vd_peeler_symbols(const struct vd_peeler *);
/* Items found so far: sign +1 only theirs, -1 only ours. */
size_t vd_peeler_found(const struct vd_peeler *);
const struct vd_item *vd_peeler_item(const struct vd_peeler *, size_t i, int *sign);

/* Estimate of the difference from the counts of symbols vd_estimate_at[8] of both sides (low 16 bits) and set sizes. */
enum { VD_ESTIMATES = 8 };
extern const uint16_t vd_estimate_at[VD_ESTIMATES];
uint64_t vd_sketch_estimate(const uint16_t theirs[VD_ESTIMATES], const uint16_t ours[VD_ESTIMATES], uint64_t their_count,
                            uint64_t our_count);

#endif
