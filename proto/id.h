/* A device's identity in one group, its text form, the six words, and an identity as words on paper. PROTOCOL.md section 6. */
#ifndef VD_ID_H
#define VD_ID_H

#include "bytes.h"
#include "limits.h"

/* Secret. Wipe with vd_identity_wipe. */
struct vd_identity {
	uint8_t author[VD_KEY_BYTES];          /* Ed25519 public key: the author key */
	uint8_t author_secret[VD_SECRET_SIGN_BYTES];
	uint8_t box[VD_KEY_BYTES];             /* X25519 public key */
	uint8_t box_secret[VD_KEY_BYTES];
};

/* What a newcomer shows: public keys and the proof that they belong together. */
struct vd_card {
	uint8_t author[VD_KEY_BYTES];
	uint8_t box[VD_KEY_BYTES];
	uint8_t proof[VD_SIGNATURE_BYTES];
};

enum {
	VD_IDENTITY_SEED_BYTES = 64,
	VD_CARD_TEXT = 223,          /* characters, without final NUL */
	VD_WORDS_TEXT = 6 * 7,       /* bytes for the six words with blanks and NUL, at most */
};

/* Deterministic from 64 random bytes. */
void vd_identity_from_seed(const uint8_t seed[VD_IDENTITY_SEED_BYTES], struct vd_identity *out);
void vd_identity_wipe(struct vd_identity *);
int vd_card_create(const struct vd_identity *, struct vd_card *out);
/* Author key sound, proof holds: 0 or VD_ESIGNATURE. */
int vd_card_check(const struct vd_card *);
void vd_card_text(const struct vd_card *, char out[VD_CARD_TEXT + 1]);
/* Checks checksum and proof. VD_EFORMAT (mistyped: say so), VD_ESIGNATURE, VD_EVERSION. */
int vd_card_parse(const char *text, struct vd_card *out);

void vd_words(const uint8_t group[VD_GROUP_BYTES], const uint8_t coordinator[VD_KEY_BYTES],
              const uint8_t newcomer[VD_KEY_BYTES], const uint8_t grant_id[VD_ID_BYTES], char out[VD_WORDS_TEXT]);

/* A paper key: an identity that follows from 16 random bytes, which are written down as words. */
enum { VD_PAPER_BYTES = 16, VD_PAPER_WORDS = 12, VD_PAPER_TEXT = 96 };
void vd_identity_from_paper(const uint8_t paper[VD_PAPER_BYTES], struct vd_identity *out);
/* The words, a blank between them, with NUL. */
void vd_paper_words(const uint8_t paper[VD_PAPER_BYTES], char words[VD_PAPER_TEXT]);
/* Words as a person types them to the identity: case does not matter, nor do blanks, line ends, commas, numbers and whatever else of ASCII
 * stands between them. VD_EFORMAT: not the words, *out unchanged; *wrong is the first that none of ours is (from 1; the one that is
 * missing, or VD_PAPER_WORDS + 1 when there are more), or 0 when only their sum does not hold. */
int vd_paper_identity(const char *words, struct vd_identity *out, size_t *wrong);

/* How many words the text has, as vd_paper_identity reads it. */
size_t vd_paper_count(const char *words);

#endif
