/* The strict msgpack subset of PROTOCOL.md section 2: one value, one encoding.
 *
 * Packing uses msgpack-c. Reading never does: its object tree reserves by claimed sizes. The reader below allocates
 * nothing, and refuses every encoding that the writer would not have produced. */
#ifndef VD_MP_H
#define VD_MP_H

#include "bytes.h"

/* Appends to the buffer; failures are the buffer's sticky ones. */
void vd_mp_put_array(struct vd_buf *, uint32_t count);
void vd_mp_put_uint(struct vd_buf *, uint64_t);
void vd_mp_put_bin(struct vd_buf *, struct vd_slice);
void vd_mp_put_str(struct vd_buf *, struct vd_slice);
void vd_mp_put_bool(struct vd_buf *, bool);
void vd_mp_put_nil(struct vd_buf *);

enum vd_mp_type { VD_MP_NONE, VD_MP_NIL, VD_MP_BOOL, VD_MP_UINT, VD_MP_BIN, VD_MP_STR, VD_MP_ARRAY };

/* Type of the next value, VD_MP_NONE at the end or when it is none of ours. Reads nothing. */
enum vd_mp_type vd_mp_peek(const struct vd_rd *);
/* All set VD_EFORMAT in the cursor (and return zero) when the next value is of another type, not in its shortest form,
 * truncated, or over `max` (VD_ECAP). Slices borrow from the cursor's bytes. */
uint32_t vd_mp_array(struct vd_rd *, uint32_t max);
uint64_t vd_mp_uint(struct vd_rd *, uint64_t max);
struct vd_slice vd_mp_bin(struct vd_rd *, size_t max);
struct vd_slice vd_mp_bin_exact(struct vd_rd *, size_t n);
struct vd_slice vd_mp_str(struct vd_rd *, size_t max); /* UTF-8 without U+0000 */
bool vd_mp_bool(struct vd_rd *);
void vd_mp_nil(struct vd_rd *);
/* Checks and passes over one value of any allowed type, arrays at most `depth` deep. */
void vd_mp_skip(struct vd_rd *, unsigned depth);

#endif
