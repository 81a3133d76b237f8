/* The body envelope: sealed to an audience under an epoch, committing to its key. PROTOCOL.md section 5. */
#ifndef VD_BODY_H
#define VD_BODY_H

#include "bytes.h"
#include "limits.h"

enum vd_audience { VD_AUDIENCE_EVERYONE = 1, VD_AUDIENCE_MEMBERS = 2, VD_AUDIENCE_NAMED = 3 };

enum {
	VD_BODY_NONCE_BYTES = 24,
	VD_BODY_SEED_BYTES = 32,
	VD_BODY_MAC_BYTES = 32,
	VD_BODY_PREFIX_BYTES = 2 + VD_EPOCH_BYTES + VD_BODY_NONCE_BYTES,
	/* Ephemeral key and slots of a named body. */
	VD_BODY_NAMED_BYTES = VD_KEY_BYTES + VD_NAMED_SLOTS * (VD_KEY_BYTES + 16),
	/* Padded plaintext at most: the last bucket, the same whatever the audience. */
	VD_BODY_PLAIN_MAX = VD_BODY_MAX - VD_BODY_PREFIX_BYTES - VD_BODY_NAMED_BYTES - VD_BODY_MAC_BYTES,
};

/* The part before the ciphertext. */
struct vd_body_prefix {
	enum vd_audience audience;
	uint8_t epoch[VD_EPOCH_BYTES];
};

/* Which key does it want? VD_EFORMAT, VD_EVERSION (newer envelope). Reads no secret. */
int vd_body_peek(struct vd_slice body, struct vd_body_prefix *out);

/* Appends the envelope of `content` to *out: packed (pack.h) when that takes a smaller bucket. VD_ECAP when it would exceed the last bucket
 * as it is; VD_EINVAL for VD_AUDIENCE_NAMED. */
int vd_body_seal(enum vd_audience, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t key[VD_KEY_BYTES],
                 const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice ad, struct vd_slice content,
                 struct vd_buf *out);
/* Appends the content to *out. VD_ESIGNATURE: the MAC does not hold under this key and AD. VD_EFORMAT: opened, but its
 * inside is malformed. VD_EVERSION: a packing we do not know. *out unchanged on error. */
int vd_body_open(struct vd_slice body, const uint8_t key[VD_KEY_BYTES], struct vd_slice ad, struct vd_buf *out);

/* The same for recipients by name: 1 to VD_NAMED_SLOTS box keys. Everything random but the nonce follows from `seed`, fresh. VD_EINVAL:
 * their number, or a box key that is no key. */
int vd_body_seal_named(const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t (*boxes)[VD_KEY_BYTES], size_t count,
                       const uint8_t nonce[VD_BODY_NONCE_BYTES], const uint8_t seed[VD_BODY_SEED_BYTES], struct vd_slice ad,
                       struct vd_slice content, struct vd_buf *out);
/* Opens it with a recipient's box key pair. VD_ESEALED: no slot opens with it, or it has none. Else as vd_body_open: VD_ESIGNATURE when
 * slots open, and the MAC holds under the key of none. */
int vd_body_open_named(struct vd_slice body, const uint8_t box[VD_KEY_BYTES], const uint8_t box_secret[VD_KEY_BYTES],
                       struct vd_slice ad, struct vd_buf *out);

/* Bucket that `n` bytes of plaintext (packing and length included) are padded to; 0 when over VD_BODY_PLAIN_MAX. */
size_t vd_body_bucket(size_t n);

#endif
