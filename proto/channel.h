/* Channel: from a raw byte stream to proved messages. PROTOCOL.md section 8, steps 1 to 4. Who proves to have no role now, but to have
 * been coordinator once, opens it too: what it gets is for who drives the session to see to.
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

enum {
	VD_CHANNEL_PROLOGUE_BYTES = 32,     /* the responder's first: all that anyone gets who knows no link key of its */
	VD_CHANNEL_TAGS = 4,                /* in it: as many of its groups can tell by it which epoch it is at */
	VD_CHANNEL_SEED_BYTES = 104,        /* prologue, static, ephemeral: 32 each; u64 that draws groups and places of the tags */
	VD_CHANNEL_FRAME_BYTES = 16 * 1024, /* plaintext of one frame we send: an alert waits behind no more than that */
};

/* Responder: groups it may answer for (borrowed until free; the array itself is copied). Initiator: exactly the one it calls
 * for, under its epoch to write with; when the prologue tells that the responder is at an older epoch, it is a call back under that
 * one. `seed` is fresh random. NULL: no memory. */
struct vd_channel *vd_channel_new(bool initiator, struct vd_group *const *groups, size_t count,
                                  const uint8_t seed[VD_CHANNEL_SEED_BYTES]);
/* Initiator of a call back, to a device that may know no newer epoch than that one: it proves itself first. What the prologue tells
 * goes before. It fails with VD_EKEY when the group does not have that epoch's link key. */
struct vd_channel *vd_channel_call_back(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES],
                                        const uint8_t seed[VD_CHANNEL_SEED_BYTES]);
/* Responder whose prologue has been sent already, on a pipe. */
struct vd_channel *vd_channel_answer(struct vd_group *const *groups, size_t count,
                                     const uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES], const uint8_t seed[VD_CHANNEL_SEED_BYTES]);
void vd_channel_free(struct vd_channel *); /* wipes keys */

/* What a responder for these groups says first, as vd_channel_new makes it of such a seed. `high`: its first bytes are 255, so that
 * hardly any other is higher. */
void vd_channel_prologue(struct vd_group *const *groups, size_t count, bool high, const uint8_t seed[VD_CHANNEL_SEED_BYTES],
                         uint8_t out[VD_CHANNEL_PROLOGUE_BYTES]);
/* Does one of its tags name an epoch of that group that we know? */
bool vd_channel_prologue_shows(const uint8_t prologue[VD_CHANNEL_PROLOGUE_BYTES], struct vd_group *);

enum vd_channel_state vd_channel_state(const struct vd_channel *);
/* Once open: whose group, and who (the author key; our own when the peer is a clone of us). NULL else. */
struct vd_group *vd_channel_group(const struct vd_channel *);
const uint8_t *vd_channel_peer(const struct vd_channel *);
/* Failed with VD_EAUTHOR: who proved to be somebody that may open no session, and of which group. NULL: nobody proved anything. */
const uint8_t *vd_channel_refused(const struct vd_channel *, struct vd_group **group);
/* Once open: the epoch under whose link key it runs, NULL else; and whether that is the group's epoch to write with, as of now. If
 * not, we know more than the handshake shows the peer to know. */
const uint8_t *vd_channel_epoch(const struct vd_channel *);
bool vd_channel_is_current(const struct vd_channel *);

/* Takes raw bytes from the link, split anyhow. Returns 0, or why it FAILED, now or earlier. What they opened to waits in the
 * inbox: call vd_channel_next until it has no more, then memory beyond that is one frame and one message at most. Bytes given
 * in SILENT or FAILED are dropped. Why it fails: VD_EFORMAT or VD_ECAP a rule broken, VD_ESIGNATURE bytes changed on the way or
 * a proof that does not hold, VD_EAUTHOR a peer that has no role and never was coordinator, VD_EKEY we have no link key, VD_ENOMEM. */
int vd_channel_feed(struct vd_channel *, struct vd_slice raw);
/* Next whole message: 1 with *type and *payload (borrowed until the next call on this channel), 0 when none, or why it FAILED.
 * Never gives a PROOF. */
int vd_channel_next(struct vd_channel *, uint8_t *type, struct vd_slice *payload);
/* Queues one message in frames of at most VD_CHANNEL_FRAME_BYTES. VD_EINVAL unless OPEN, or for a PROOF; VD_ECAP: payload of
 * VD_MESSAGE_MAX bytes or more. VD_ENOMEM: it has FAILED. */
int vd_channel_send(struct vd_channel *, uint8_t type, struct vd_slice payload);
/* Raw bytes waiting to be sent, also after it FAILED; the caller drops what it took. */
struct vd_buf *vd_channel_out(struct vd_channel *);
/* Raw bytes both ways so far: queued, and fed. */
void vd_channel_traffic(const struct vd_channel *, uint64_t *out_bytes, uint64_t *in_bytes);

#endif
