/* Noise Protocol Framework, revision 34: handshakes as tables of tokens, 25519, ChaChaPoly, SHA256. */
#ifndef VD_NOISE_H
#define VD_NOISE_H

#include "bytes.h"
#include "limits.h"

enum vd_noise_token { VD_NOISE_END, VD_NOISE_E, VD_NOISE_S, VD_NOISE_EE, VD_NOISE_ES, VD_NOISE_SE, VD_NOISE_SS, VD_NOISE_PSK };
enum { VD_NOISE_MESSAGES_MAX = 4, VD_NOISE_TOKENS_MAX = 6, VD_NOISE_PSKS_MAX = 2 };

/* Messages alternate, the initiator's first; each row ends with VD_NOISE_END. */
struct vd_noise_pattern {
	const char *name;             /* the full protocol name, hashed */
	enum vd_noise_token pre_initiator, pre_responder; /* VD_NOISE_S: static known beforehand */
	uint8_t messages[VD_NOISE_MESSAGES_MAX][VD_NOISE_TOKENS_MAX + 1];
	size_t message_count;
};

/* The one vereda speaks: Noise_XXpsk0_25519_ChaChaPoly_SHA256. */
extern const struct vd_noise_pattern vd_noise_xxpsk0;

struct vd_noise_cipher {
	uint8_t key[VD_KEY_BYTES];
	uint64_t nonce;
	bool keyed;
};

struct vd_noise_keypair {
	uint8_t secret[VD_KEY_BYTES], public[VD_KEY_BYTES];
};

/* Secret: wipe with vd_noise_wipe. */
struct vd_noise {
	const struct vd_noise_pattern *pattern;
	bool initiator;
	size_t message;               /* next one */
	uint8_t h[32], ck[32];
	struct vd_noise_cipher cipher;
	struct vd_noise_keypair s, e;
	uint8_t rs[VD_KEY_BYTES], re[VD_KEY_BYTES];
	uint8_t psks[VD_NOISE_PSKS_MAX][VD_KEY_BYTES];
	size_t psk_next, psk_count;
};

struct vd_noise_setup {
	bool initiator;
	struct vd_slice prologue;
	struct vd_noise_keypair s, e; /* fresh; e is used as given, so that vectors repeat */
	uint8_t rs[VD_KEY_BYTES];     /* for patterns that know it */
	uint8_t psks[VD_NOISE_PSKS_MAX][VD_KEY_BYTES];
	size_t psk_count;
};

void vd_noise_keypair(const uint8_t secret[VD_KEY_BYTES], struct vd_noise_keypair *out);
void vd_noise_init(struct vd_noise *, const struct vd_noise_pattern *, const struct vd_noise_setup *);
void vd_noise_wipe(struct vd_noise *);
/* Is it our turn to write? */
bool vd_noise_writes(const struct vd_noise *);
bool vd_noise_complete(const struct vd_noise *);
/* Appends the next message; `payload` must not borrow from *out. VD_EINVAL out of turn or a psk is missing, VD_ECAP over
 * VD_FRAME_MAX, VD_EFORMAT the other end's key is of small order, VD_ENOMEM: both unchanged. */
int vd_noise_write(struct vd_noise *, struct vd_slice payload, struct vd_buf *out);
/* Reads the next message, appends its payload. VD_ESIGNATURE, VD_EFORMAT (short, long, or a key of small order), VD_EINVAL out
 * of turn, VD_ENOMEM: both unchanged (another key may be tried). */
int vd_noise_read(struct vd_noise *, struct vd_slice message, struct vd_buf *payload);
/* After the last message: transport ciphers for us, and the channel binding. Wipe the handshake then. VD_EINVAL before. */
int vd_noise_split(struct vd_noise *, struct vd_noise_cipher *send, struct vd_noise_cipher *receive, uint8_t hash[32]);

/* Transport: appends to *out, from bytes that are not *out's. VD_ECAP: the nonce would wrap, or more than VD_FRAME_MAX.
 * On open VD_EFORMAT: shorter than a tag or over VD_FRAME_MAX; VD_ESIGNATURE: not the next frame, or changed. Both and
 * VD_ENOMEM leave the cipher as it was. */
int vd_noise_seal(struct vd_noise_cipher *, struct vd_slice plain, struct vd_buf *out);
int vd_noise_open(struct vd_noise_cipher *, struct vd_slice sealed, struct vd_buf *out);

#endif
