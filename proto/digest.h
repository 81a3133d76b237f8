/* Digest: proof that two sets of ids are equal.
 *
 * LtHash16, 1,024 components: Lewi, Kim, Maykov, Weis, "Securing Update Propagation with Homomorphic Hashing", 2019.
 * At least 200 bits against a member who grinds ids. PROTOCOL.md section 9. */
#ifndef VD_DIGEST_H
#define VD_DIGEST_H

#include "record.h"

enum { VD_DIGEST_COMPONENTS = 1024, VD_DIGEST_STORED_BYTES = 8 + 2 * VD_DIGEST_COMPONENTS };

/* All zero: the empty set. */
struct vd_digest {
	uint64_t count;
	uint16_t sum[VD_DIGEST_COMPONENTS];
};

void vd_digest_add(struct vd_digest *, const struct vd_id *);
void vd_digest_remove(struct vd_digest *, const struct vd_id *);
bool vd_digest_eq(const struct vd_digest *, const struct vd_digest *);
/* 32 zero bytes for the empty set. */
void vd_digest_hash(const struct vd_digest *, uint8_t out[VD_HASH_BYTES]);
/* u64 count, then the components little-endian: what the store keeps. */
void vd_digest_encode(const struct vd_digest *, uint8_t out[VD_DIGEST_STORED_BYTES]);
void vd_digest_decode(const uint8_t in[VD_DIGEST_STORED_BYTES], struct vd_digest *out);

#endif
