/* A slip: one record as codes for paper and a camera, or for who types. PROTOCOL.md section 7. Bytes in, text out, and back.
 *
 * Each code is sealed by itself under a link key, so that one that was misread is told from those that were not, and nobody without the key
 * tells a code from random letters. The seal is a synthetic IV (Rogaway, Shrimpton, *Deterministic Authenticated-Encryption*, 2006): the same
 * record under the same key gives the same codes, and a second print replaces what was lost of the first. */
#ifndef VD_SLIP_H
#define VD_SLIP_H

#include "chain.h"

enum {
	VD_SLIP_RECORD_MAX = 4096,  /* bytes of a record in compact form: what still makes sense on paper */
	VD_SLIP_TAG_BYTES = 10,     /* 80 bits: the codes a group ever prints share none, and nobody hits on one */
	VD_SLIP_MARK_BYTES = 4,     /* tells the codes of one slip from another's on the same table */
	VD_SLIP_HEAD_BYTES = VD_SLIP_MARK_BYTES + 2,
	VD_SLIP_CODE_BYTES = 190,   /* of one code, at most: 304 characters, which a QR code of 57 by 57 modules (version 10, level M) holds */
	VD_SLIP_CODE_MIN = 20,      /* bytes */
	VD_SLIP_PIECE_BYTES = VD_SLIP_CODE_BYTES - VD_SLIP_TAG_BYTES - VD_SLIP_HEAD_BYTES,
	VD_SLIP_CODES_MAX = 24,     /* (2 + VD_SLIP_RECORD_MAX) / VD_SLIP_PIECE_BYTES */
	VD_SLIP_TEXT = VD_SLIP_CODE_BYTES / 5 * 8,
	VD_SLIPS_MAX = 64,          /* put together at a time: 270 kB */
};

/* The codes of a record, or stub, under a link key: *count texts with NUL, all of one length. VD_ECAP: over VD_SLIP_RECORD_MAX; VD_ENOMEM. */
int vd_slip_make(const uint8_t link[VD_KEY_BYTES], const struct vd_record *, char (*codes)[VD_SLIP_TEXT + 1], size_t *count);

/* The bytes of a code as a person or a camera gives it: case does not matter, nor do blanks, line ends and hyphens; O is 0, I and L are 1, U is V.
 * VD_EFORMAT: another character, or no code has that length. */
int vd_slip_bytes(struct vd_slice text, uint8_t bytes[VD_SLIP_CODE_BYTES], size_t *n);

/* Could a code begin with these bytes, sealed under that key? Of those that are none one in 200 passes: so text is searched at a seventh of the cost. */
bool vd_slip_begins(const uint8_t link[VD_KEY_BYTES], const uint8_t first[VD_SLIP_TAG_BYTES + VD_SLIP_HEAD_BYTES]);

/* What is being put together. All zero is a valid empty start; ends with vd_slips_deinit. */
struct vd_slip {
	uint8_t group[VD_GROUP_BYTES];
	uint8_t mark[VD_SLIP_MARK_BYTES];
	uint8_t count;              /* codes it has */
	uint8_t piece;              /* bytes in each */
	uint32_t have;              /* bit i: code i + 1 is here */
	uint8_t *bytes;             /* of all pieces */
};
struct vd_slips {
	struct vd_slip *slips;
	size_t count, capacity;
};
void vd_slips_deinit(struct vd_slips *);
/* Opens a code with a link key of that group, and keeps what is in it; *which (of slips) it belongs to. 0 also when it was here already.
 * VD_EKEY: not sealed with that key, or misread; VD_EFORMAT: no member's vereda makes such a one; VD_EEXISTS: another with that place in the same
 * slip is here; VD_ECAP: VD_SLIPS_MAX; VD_ENOMEM. Then nothing changed. */
int vd_slips_add(struct vd_slips *, const uint8_t link[VD_KEY_BYTES], const uint8_t group[VD_GROUP_BYTES], const uint8_t *code, size_t n, size_t *which);
bool vd_slip_whole(const struct vd_slip *);
/* Adds the record of a whole slip to the batch, decoded but unverified. VD_EFORMAT, or as vd_compact_decode. */
int vd_slip_record(const struct vd_slip *, struct vd_batch *);

#endif
