/* Gaps: numbers in ascending order, told by the difference of each from the one before.
 *
 * Golomb-Rice codes (Golomb, "Run-length encodings", 1966; Rice, "Some practical universal noiseless coding techniques", JPL 79-22,
 * 1979): a difference g is floor(g / 2^low) ones, a zero, and the low bits of g. With low = bits - ceil(log2(total)) numbers scattered
 * evenly over [0, 2^bits) take log2(2^bits / total) + 1.5 to 1.7 bits each, which is within 0.15 of what they must. PROTOCOL.md
 * section 9. */
#ifndef VD_GAPS_H
#define VD_GAPS_H

#include "bytes.h"

struct vd_gaps {
	uint64_t last;       /* number told */
	uint8_t bits, low;
};

/* Before the first of `total` numbers below 2^bits; bits 1 to 63. */
struct vd_gaps vd_gaps(uint8_t bits, uint64_t total);

/* Whole bytes of them at a time: what is left of the last byte is ones. Zero but for `out` is empty. */
struct vd_gaps_writer {
	struct vd_buf *out;  /* borrowed */
	uint8_t byte, used;  /* bits that do not fill a byte yet */
};
/* Not below the last one, and below 2^bits. */
void vd_gaps_put(struct vd_gaps *, struct vd_gaps_writer *, uint64_t value);
void vd_gaps_put_end(struct vd_gaps_writer *);

struct vd_gaps_reader {
	struct vd_slice in;  /* borrowed */
	size_t at;           /* bits read; zero at first */
};
/* VD_ENOTFOUND: these bytes hold no more. VD_EFORMAT: not as vd_gaps_put and vd_gaps_put_end write them. */
int vd_gaps_next(struct vd_gaps *, struct vd_gaps_reader *, uint64_t *value);

#endif
