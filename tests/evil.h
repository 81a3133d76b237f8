/* A peer that knows a group's link key, and for the rest does as it likes: drives a channel by hand. */
#ifndef VD_EVIL_H
#define VD_EVIL_H

#include <sodium.h>

#include "proto/channel.h"
#include "proto/hash.h"
#include "proto/sign.h"
#include "tests/village.h"

struct evil {
	bool initiator;
	struct vd_noise noise;
	struct vd_noise_cipher send, receive;
	uint8_t hash[32];
};

/* Takes `n` raw bytes that the channel has sent. */
static inline void evil_take(struct vd_channel *c, void *dst, size_t n)
{
	struct vd_buf *out = vd_channel_out(c);

	village_check(out->n >= n);
	memcpy(dst, out->p, n);
	vd_buf_drop(out, n);
}

static inline void evil_write(struct evil *e, struct vd_channel *c)
{
	struct vd_buf message = { 0 };

	village_check(vd_noise_write(&e->noise, vd_slice(NULL, 0), &message) == 0);
	village_check(vd_channel_feed(c, vd_buf_slice(&message)) == 0);
	vd_buf_deinit(&message);
}

static inline void evil_read(struct evil *e, struct vd_channel *c, size_t n)
{
	uint8_t message[96];
	struct vd_buf payload = { 0 };

	evil_take(c, message, n);
	village_check(vd_noise_read(&e->noise, vd_slice(message, n), &payload) == 0);
	vd_buf_deinit(&payload);
}

/* Shakes hands under the newest link key of `group`, as it is or for a call back, until the channel waits for a proof. */
static inline void evil_shake_as(struct evil *e, struct vd_channel *c, bool channel_initiates, struct vd_group *group, bool call_back)
{
	const struct vd_slice parts[] = { vd_slice(vd_group_id(group), VD_GROUP_BYTES), vd_slice("\x01", 1) };
	uint8_t prologue[32] = { 'e' }, secret[VD_KEY_BYTES] = { 'v', 1 };
	struct vd_noise_setup setup = { .initiator = !channel_initiates, .prologue = vd_slice(prologue, 32), .psk_count = 1 };

	e->initiator = !channel_initiates;
	vd_noise_keypair(secret, &setup.s);
	secret[1] = 2;
	vd_noise_keypair(secret, &setup.e);
	vd_hash(VD_HASH_LINK_PSK, vd_slice(vd_group_epoch_keys(group, 0)->key[VD_KEY_LINK], VD_KEY_BYTES), setup.psks[0],
	        VD_KEY_BYTES, parts, call_back ? 2 : 1);
	if (channel_initiates)
		village_check(vd_channel_feed(c, setup.prologue) == 0);
	else
		evil_take(c, prologue, sizeof(prologue));
	vd_noise_init(&e->noise, &vd_noise_xxpsk0, &setup);
	if (channel_initiates) {
		evil_read(e, c, 48);
		evil_write(e, c);
		evil_read(e, c, 64);
	} else {
		evil_write(e, c);
		evil_read(e, c, 96);
		evil_write(e, c);
	}
	village_check(vd_noise_split(&e->noise, &e->send, &e->receive, e->hash) == 0);
}

static inline void evil_shake(struct evil *e, struct vd_channel *c, bool channel_initiates, struct vd_group *group)
{
	evil_shake_as(e, c, channel_initiates, group, false);
}

/* Sends one frame of these plaintext bytes; what the channel says to it. */
static inline int evil_frame(struct evil *e, struct vd_channel *c, struct vd_slice plain)
{
	struct vd_buf frame = { 0 };
	int rc;

	vd_buf_put_u16(&frame, (uint16_t)(plain.n + 16));
	village_check(vd_noise_seal(&e->send, plain, &frame) == 0);
	rc = vd_channel_feed(c, vd_buf_slice(&frame));
	vd_buf_deinit(&frame);
	return rc;
}

/* Appends the plaintext of all frames that the channel has sent. */
static inline void evil_listen(struct evil *e, struct vd_channel *c, struct vd_buf *plain)
{
	struct vd_buf *out = vd_channel_out(c);

	while (out->n) {
		size_t n = vd_get_u16(out->p);

		village_check(vd_noise_open(&e->receive, vd_slice(out->p + 2, n), plain) == 0);
		vd_buf_drop(out, 2 + n);
	}
}

/* Appends the message PROOF that this identity would send in that role. */
static inline void evil_proof(const struct evil *e, bool as_initiator, const struct vd_identity *who, struct vd_buf *out)
{
	uint8_t text[33], signature[VD_SIGNATURE_BYTES];

	text[0] = as_initiator ? 1 : 2;
	memcpy(text + 1, e->hash, 32);
	village_check(vd_sign("vereda session", vd_slice(text, sizeof(text)), who->author_secret, signature) == 0);
	vd_buf_put_varint(out, 1 + VD_KEY_BYTES + VD_SIGNATURE_BYTES);
	vd_buf_put_u8(out, 1);
	vd_buf_put(out, who->author, VD_KEY_BYTES);
	vd_buf_put(out, signature, sizeof(signature));
}

#endif
