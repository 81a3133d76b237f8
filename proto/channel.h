/* Channel: from a raw byte stream to proved messages. PROTOCOL.md section 8, steps 1 to 4.
 *
 * Prologue, Noise handshake with trial over the link keys, framing, proof of identity. Pure: bytes in, bytes out. */
#ifndef VD_CHANNEL_H
#define VD_CHANNEL_H

#include "group.h"
#include "noise.h"

struct vd_channel;

enum vd_channel_state {
	VD_CHANNEL_SHAKING, /* not yet proved */
	VD_CHANNEL_OPEN,    /* both proved: messages flow */
	VD_CHANNEL_SILENT,  /* the other end knows no link key of ours: say nothing, wait for the deadline */
	VD_CHANNEL_FAILED,  /* close it */
};

enum { VD_CHANNEL_SEED_BYTES = 96 }; /* prologue, static, ephemeral: 32 each */

/* Responder: groups it may answer for (borrowed until free). Initiator: exactly the one it calls for.
 * `seed` is fresh random. NULL: no memory. */
struct vd_channel *vd_channel_new(bool initiator, struct vd_group *const *groups, size_t count,
                                  const uint8_t seed[VD_CHANNEL_SEED_BYTES]);
void vd_channel_free(struct vd_channel *);

enum vd_channel_state vd_channel_state(const struct vd_channel *);
/* Once open: whose group, and who. */
struct vd_group *vd_channel_group(const struct vd_channel *);
const uint8_t *vd_channel_peer(const struct vd_channel *);

/* Takes raw bytes from the link. Returns 0, or why it FAILED. What they opened to waits in the inbox. Bytes given in
 * SILENT or FAILED are dropped. Holds at most one frame and one message of memory beyond what was not yet taken. */
int vd_channel_feed(struct vd_channel *, struct vd_slice raw);
/* Next whole message: 1 with *type and *payload (borrowed until the next call on this channel), 0 when none, or an error. */
int vd_channel_next(struct vd_channel *, uint8_t *type, struct vd_slice *payload);
/* Queues one message. Frames of at most `frame` plaintext bytes. VD_EINVAL before OPEN. */
int vd_channel_send(struct vd_channel *, uint8_t type, struct vd_slice payload);
/* Raw bytes waiting to be sent; the caller drops what it took. */
struct vd_buf *vd_channel_out(struct vd_channel *);
/* Raw bytes both ways so far; and as it was when both proofs had passed. */
void vd_channel_traffic(const struct vd_channel *, uint64_t *out_bytes, uint64_t *in_bytes);

#endif
