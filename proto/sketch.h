/* Sketch: finds the difference of two sets at the cost of the difference.
 *
 * Rateless IBLT: Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024; mapping and peeling of its
 * section 4. Symbols are linear: the symbols of two sets subtract to those of their difference. PROTOCOL.md section 9.
 *
 * An item has 8 bytes. It is a hash keyed with the group's salt, so nobody outside can aim at one, and that two records among a
 * million, of which ten thousand differ, share theirs has a chance of 1e-9. Who knows the salt finds two that do after 2^32 hashes,
 * as longer items would let them find sets whose sum vanishes: two of one set cancel out and the decode stalls, one in each looks
 * like no difference. The digests, which nobody can aim at, tell; a pass under a fresh salt then finds the records. */
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
enum { VD_SYMBOL_BYTES = VD_ITEM_BYTES + 4 + 1 }; /* on the wire, at least, and mostly */

/* item = H_item(salt; id). */
void vd_item_of(const uint8_t salt[VD_SALT_BYTES], const struct vd_id *, struct vd_item *out);
/* The symbols an item is in, ascending: vd_mapping_start gives the first, which is always 0; each item is in symbol i
 * with probability 2 / (i + 2), independently. */
struct vd_mapping {
	uint64_t state;
	uint64_t index;
};
struct vd_mapping vd_mapping_start(const struct vd_item *);
void vd_mapping_next(struct vd_mapping *); /* index saturates at UINT64_MAX */
uint32_t vd_item_check(const struct vd_item *);

/* Adds (sign +1) or removes (sign -1) an item in the symbols numbered first to first + n - 1, which `symbols` holds. */
void vd_sketch_apply(struct vd_symbol *symbols, uint64_t first, uint64_t n, const struct vd_item *, int sign);

/* Symbol number `index` on the wire: sum, check, and its count relative to what a set of `set_count` items leads to
 * expect, which mostly leaves one byte. */
void vd_symbol_encode(const struct vd_symbol *, uint64_t index, uint64_t set_count, struct vd_buf *out);
/* Fails the cursor on a count that no set has. */
void vd_symbol_decode(struct vd_rd *, uint64_t index, uint64_t set_count, struct vd_symbol *out);

/* Peeling decoder of a difference "theirs minus ours". */
struct vd_peeler;
/* At most `max_symbols` are ever taken (VD_ECAP beyond), which bounds memory to about 80 bytes each. */
struct vd_peeler *vd_peeler_new(size_t max_symbols);
void vd_peeler_free(struct vd_peeler *);
/* Appends the next `n` difference symbols and peels as far as possible. VD_ECAP, VD_ENOMEM: nothing changed. VD_EFORMAT:
 * more items came out than symbols went in, a jammed sketch; only vd_peeler_free makes sense then. */
int vd_peeler_add(struct vd_peeler *, const struct vd_symbol *theirs, const struct vd_symbol *ours, size_t n);
/* Symbol 0 is empty after peeling: everything was found (as far as the sketch can tell; the digest decides). */
bool vd_peeler_done(const struct vd_peeler *);
size_t vd_peeler_symbols(const struct vd_peeler *);
/* Items found so far: sign +1 only theirs, -1 only ours. */
size_t vd_peeler_found(const struct vd_peeler *);
const struct vd_item *vd_peeler_item(const struct vd_peeler *, size_t i, int *sign);
/* Estimate of what was not found yet, from what is left in the symbols taken so far: the more of them, the better. */
uint64_t vd_peeler_rest(const struct vd_peeler *);
/* Symbols that most likely settle a difference of d. */
uint64_t vd_sketch_symbols_for(uint64_t d);
/* … one that was estimated at d: in 19 of 20 cases they do. */
uint64_t vd_sketch_burst_for(uint64_t d);

/* Estimate of the difference from the counts (their low 8 bits) of the `n` symbols from VD_ESTIMATE_AT on, of both sides, and the set
 * sizes. Of 64 the standard deviation is 18 % of a difference of 100 or more, 25 % of 10. Beyond some 50,000 it tells only that. */
enum { VD_ESTIMATES = 64, VD_ESTIMATE_AT = 8 };
uint64_t vd_sketch_estimate(const uint8_t *theirs, const uint8_t *ours, size_t n, uint64_t their_count, uint64_t our_count);

#endif
