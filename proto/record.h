/* A record: the signed, immutable unit. PROTOCOL.md section 3. */
#ifndef VD_RECORD_H
#define VD_RECORD_H

#include "bytes.h"
#include "limits.h"

enum vd_lane { VD_LANE_CONTROL, VD_LANE_URGENT, VD_LANE_NORMAL, VD_LANE_BULK };

struct vd_id {
	uint8_t b[VD_ID_BYTES];
};

/* A decoded view. Slices borrow from the raw bytes; the fixed-size fields are copies. */
struct vd_record {
	uint8_t version;
	uint8_t group[VD_GROUP_BYTES];
	uint8_t author[VD_KEY_BYTES];
	uint8_t lane;
	uint64_t seq;
	bool has_prev;
	struct vd_id prev;
	uint64_t time_ms;
	bool has_expires;
	uint32_t expires_day;
	struct vd_slice ext;
	uint32_t body_bytes;  /* as signed; body.n is 0 in a stub */
	uint8_t body_hash[VD_HASH_BYTES];
	struct vd_id id;
	struct vd_slice raw;       /* all of it: header, signature, body */
	struct vd_slice header, signature, body;
	bool stub;
};

/* Checks everything but the signature: canonical header, bounds, body hash; computes the id. `raw` must be exactly one
 * record or stub. VD_EFORMAT, VD_ECAP, VD_ESIGNATURE (body does not match its hash); *out is undefined on error. */
int vd_record_decode(struct vd_slice raw, struct vd_record *out);
/* The same of a record that was checked when it came in: does not compute the body's hash again. */
int vd_record_view(struct vd_slice raw, struct vd_record *out);

/* The record's own signature. VD_ESIGNATURE. The author key must have passed vd_sign_key_ok() (group.c keeps that). */
int vd_record_verify(const struct vd_record *);

/* A record of the bulk lane that holds a chunk of what another one attaches (attachment.h). */
struct vd_part {
	struct vd_id of;
	uint8_t attachment;          /* which of its attachments, from 0 */
	uint32_t number;             /* which chunk of that, from 0 */
};

/* What vd_record_create needs; the author's clock and chain are the caller's. */
struct vd_record_fields {
	uint8_t group[VD_GROUP_BYTES];
	uint8_t author[VD_KEY_BYTES];
	uint8_t lane;
	uint64_t seq;
	bool has_prev;
	struct vd_id prev;
	uint64_t time_ms;
	bool has_expires;
	uint32_t expires_day;
	const struct vd_id *redacts; /* a redaction of that record; NULL: none. Goes into ext */
	bool hands_keys;             /* keys of epochs for the coordinators: nothing for people. Goes into ext, when `redacts` does not */
	const struct vd_part *part;  /* NULL: none. Goes into ext, when neither of these does */
};

/* Does the record redact another one? What it says in ext alone; whether that holds is the group's and the store's to say. */
bool vd_record_redacts(const struct vd_record *, struct vd_id *out);
/* Does it say of itself that it hands over keys (PROTOCOL.md section 6)? Then lists need not show it. */
bool vd_record_hands_keys(const struct vd_record *);
/* Is it a chunk of something? Also a stub tells, and one whose body does not open. */
bool vd_record_part(const struct vd_record *, struct vd_part *out);

/* Puts a record of version 1 without ext together: appends it to *out, and gives the view that vd_record_decode would, whose slices borrow
 * from *out until that grows. `body` as it is; or, for a stub, stub_bytes above 0 and the body's hash instead. `signature`, of
 * VD_SIGNATURE_BYTES, is not looked at. VD_EFORMAT: no record has such fields; VD_ENOMEM. *out unchanged on error. */
int vd_record_join(const struct vd_record_fields *, const uint8_t *signature, struct vd_slice body, uint32_t stub_bytes,
                   const uint8_t *stub_hash, struct vd_buf *out, struct vd_record *);

/* Associated data of the body: the header cut to nine elements. Appends to *out. */
void vd_record_ad(const struct vd_record_fields *, struct vd_buf *out);
/* The same from a decoded record. */
void vd_record_ad_of(const struct vd_record *, struct vd_buf *out);

/* Signs and appends the record to *out; *id gets its id. Deterministic (RFC 8032). VD_EINVAL when a field is out of
 * bounds, VD_ENOMEM. Does not verify: whoever stores a run of records verifies its head, which vouches for the rest. */
int vd_record_create(const struct vd_record_fields *, struct vd_slice body, const uint8_t secret[VD_SECRET_SIGN_BYTES],
                     struct vd_buf *out, struct vd_id *id);

#endif
