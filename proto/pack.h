/* Content made smaller before it is sealed: zstd (RFC 8878) with a dictionary of our own. PROTOCOL.md section 5.
 *
 * Each content is packed alone, so its length tells nothing of any other. Any thread may call these; what zstd works with is made once and
 * kept, one of each kind, for the next call (about 1 MB to pack, 160 kB to unpack), and holds traces of the last text until then. */
#ifndef VD_PACK_H
#define VD_PACK_H

#include "bytes.h"

enum vd_packing {
	VD_PACKING_PLAIN = 0,
	VD_PACKING_ZSTD = 1,    /* with dictionary 1; better ones get the next numbers */
};

/* Appends the packed form to *out, or nothing: it would not be smaller (or there is no memory to find out). VD_ENOMEM: *out has no room. */
int vd_pack(struct vd_slice content, struct vd_buf *out);
/* Appends what was packed, at most `max` bytes. VD_EVERSION: a packing that we do not know. VD_EFORMAT: not one frame of known length and
 * nothing else, as vd_pack would write it, or longer than max. VD_ENOMEM. *out unchanged on error. Holds no more memory than max for it,
 * whatever it claims. */
int vd_unpack(uint8_t packing, struct vd_slice packed, size_t max, struct vd_buf *out);

#endif
