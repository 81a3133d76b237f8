/* A group: membership and keys as a pure function of the set of its control records. PROTOCOL.md section 6.
 *
 * The state does not depend on the order of vd_group_add calls. Nothing here signs or stores: creators return content that
 * the caller signs as a lane-0 record. Asking may compute: a group is for one thread at a time. */
#ifndef VD_GROUP_H
#define VD_GROUP_H

#include "body.h"
#include "content.h"
#include "id.h"
#include "record.h"

struct vd_group;

enum vd_role { VD_ROLE_NONE, VD_ROLE_COORDINATOR, VD_ROLE_MEMBER, VD_ROLE_REPORTER, VD_ROLE_COURIER };
enum { VD_GRANT_FOCAL = 1 };
enum vd_epoch_key { VD_KEY_LINK, VD_KEY_EVERYONE, VD_KEY_MEMBERS };

struct vd_epoch_keys {
	uint8_t key[VD_EPOCH_KEYS][VD_KEY_BYTES];
};

/* A device of a member, as the control records say. Owned by the group, valid until the next vd_group_add. */
struct vd_device {
	uint8_t author[VD_KEY_BYTES];
	uint8_t box[VD_KEY_BYTES];
	uint8_t person[VD_PERSON_BYTES];
	enum vd_role role;
	uint32_t flags;
	char name[VD_NAME_MAX + 1];  /* empty when we have no key to read it */
	uint64_t since_ms;           /* time of the first grant */
	bool coordinator_ever;
	struct vd_id grant;          /* the grant that holds */
};

/* An empty group of that id. `identity` (copied; may be NULL: nothing can be opened) is our device in it. NULL: no memory. */
struct vd_group *vd_group_new(const uint8_t group[VD_GROUP_BYTES], const struct vd_identity *identity);
void vd_group_free(struct vd_group *); /* wipes keys */

/* Adds one control record of this group whose signature or chain holds already. Copies it.
 *   0           in the set (also when it was there already)
 *   VD_EAUTHOR  its author is not entitled, as far as we know: offer it again when the set has grown; not kept
 *   VD_EFORMAT  no control content; VD_EGROUP; VD_ECAP (VD_CONTROL_MAX); VD_ENOMEM
 * Of a newer version, by an entitled author: 0, in the set without effect. */
int vd_group_add(struct vd_group *, const struct vd_record *);

const uint8_t *vd_group_id(const struct vd_group *);
/* NULL until the founding record is there. */
const uint8_t *vd_group_salt(const struct vd_group *);
const char *vd_group_name(struct vd_group *);      /* "" when unknown or sealed */
const struct vd_identity *vd_group_identity(const struct vd_group *);
enum vd_role vd_group_role(struct vd_group *);     /* our own */
size_t vd_group_device_count(struct vd_group *);
const struct vd_device *vd_group_device(struct vd_group *, size_t i); /* by first grant in control order; stable for one set */
const struct vd_device *vd_group_find(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Ever granted: its records belong to the set. */
bool vd_group_is_author(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Ever coordinator: its control records belong to the set. */
bool vd_group_may_control(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* May open a session now: granted and not removed. */
bool vd_group_may_connect(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Moves whenever the set of control records does. */
uint64_t vd_group_generation(const struct vd_group *);
/* Is that control record a grant for this device? Whether it holds is another question. */
bool vd_group_is_grant_for(const struct vd_record *, const uint8_t device[VD_KEY_BYTES]);

/* The group's current epoch, the same for everyone with this set, whether we have its keys or not; NULL before the first. */
const uint8_t *vd_group_current_epoch(struct vd_group *);
/* Epochs whose link key we have, newest first: number 0 is the current one, or else the newest we can use. Keys our role
 * does not get are zero (vd_group_key tells). Pointers valid until the next add. */
size_t vd_group_epoch_count(struct vd_group *);
const uint8_t *vd_group_epoch_id(struct vd_group *, size_t i);
const struct vd_epoch_keys *vd_group_epoch_keys(struct vd_group *, size_t i);
/* NULL when we lack that epoch or that key of it. */
const uint8_t *vd_group_key(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], enum vd_epoch_key);
/* Opens a record's body whatever its lane: control content is in the clear. Appends the content to *out.
 * VD_EKEY: sealed to us; VD_ENOTFOUND: a stub; VD_EVERSION; VD_ESIGNATURE; VD_EFORMAT. */
int vd_group_open_body(struct vd_group *, const struct vd_record *, struct vd_buf *out);
/* Seals content as the body of a record under our newest epoch. VD_EKEY when we have none, or not that audience's key. */
int vd_group_seal_body(struct vd_group *, const struct vd_record_fields *, enum vd_audience,
                       const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice content, struct vd_buf *out);

/* Creators: append the canonical content of one control record to *out, `seen` filled from the group's heads. Except for the
 * founding, VD_EAUTHOR: this device is no coordinator; VD_EKEY: it lacks a key it would need; VD_ENOMEM. *out is unchanged on
 * error. */
void vd_group_make_id(const uint8_t founder[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES], uint8_t out[VD_GROUP_BYTES]);
int vd_group_make_founding(const struct vd_identity *, const uint8_t person[VD_PERSON_BYTES],
                           const uint8_t salt[VD_SALT_BYTES], struct vd_buf *out);
/* A new epoch for every device of the group, at most VD_EPOCH_DEVICES a record: the first call has part 0, which names the
 * epoch by its record's id; parts 1.. pass the first VD_EPOCH_BYTES of that id as `of`. VD_ENOTFOUND when `part` is past the
 * last. Between the parts nothing but they may be added, or a device may be left out. */
int vd_group_make_epoch(struct vd_group *, const struct vd_epoch_keys *, const uint8_t *of, size_t part, struct vd_buf *out);
/* Seals epoch `epoch` of ours to one device more, as its role says: the continuation that follows a grant. VD_ENOTFOUND: no
 * such device; VD_EINVAL: its box key is no key. */
int vd_group_make_epoch_for(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES],
                            struct vd_buf *out);
/* nonce seals the name, which is 1 to VD_NAME_MAX bytes of UTF-8. VD_EINVAL: name, role or box key; VD_ESIGNATURE: the card's
 * proof; VD_ECAP: VD_MEMBERS_MAX devices. */
int vd_group_make_grant(struct vd_group *, const struct vd_card *, const uint8_t person[VD_PERSON_BYTES], enum vd_role,
                        uint32_t flags, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);
int vd_group_make_name(struct vd_group *, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);

#endif
