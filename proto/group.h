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
enum { VD_GRANT_FOCAL = 1, VD_GRANT_PAPER = 2 };
enum vd_epoch_key { VD_KEY_LINK, VD_KEY_EVERYONE, VD_KEY_MEMBERS };

struct vd_epoch_keys {
	uint8_t key[VD_EPOCH_KEYS][VD_KEY_BYTES];
};

/* A device of a member, as the acts that count say. Owned by the group, valid until the next vd_group_add. */
struct vd_device {
	uint8_t author[VD_KEY_BYTES];
	uint8_t box[VD_KEY_BYTES];
	uint8_t person[VD_PERSON_BYTES];
	enum vd_role role;           /* NONE: removed, or never admitted by an act that counts */
	enum vd_role most;           /* the most that any grant of it that counts ever gave: what it was allowed to write */
	uint32_t flags;
	bool focal;                  /* of a focal point, marked or because none is */
	bool confidant;              /* of somebody who is or was a focal point or a coordinator: may read what reporters confided to them */
	bool removed;                /* by the revocation `revoke` */
	bool forked;                 /* two of its control records have one seq: restored, cloned, or worse */
	char name[VD_NAME_MAX + 1];  /* empty when we have no key to read it */
	uint64_t since_ms;           /* time of the first grant */
	bool coordinator_ever;
	struct vd_id grant;          /* gave name and flags */
	struct vd_id revoke;         /* when removed: the last in control order that counts and removes it */
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
/* The card by which that device was admitted last, for another grant of it. VD_ENOTFOUND: no such device, or it is only the founder's
 * own word. */
int vd_group_card(struct vd_group *, const uint8_t device[VD_KEY_BYTES], struct vd_card *);
/* Ever granted: its records belong to the set. */
bool vd_group_is_author(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Ever coordinator: its control records belong to the set. */
bool vd_group_may_control(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* May open a session now: has a role. */
bool vd_group_may_connect(struct vd_group *, const uint8_t author[VD_KEY_BYTES]);
/* Moves whenever the set of control records does. */
uint64_t vd_group_generation(const struct vd_group *);
/* Is that control record a grant for this device? Whether it holds is another question. */
bool vd_group_is_grant_for(const struct vd_record *, const uint8_t device[VD_KEY_BYTES]);

/* The epoch to write with, the same for everyone with this set, whether we have its keys or not; NULL before the first. */
const uint8_t *vd_group_current_epoch(struct vd_group *);
/* Is it sealed to no device without a role? If not, a coordinator has to make a new one. */
bool vd_group_epoch_clean(struct vd_group *);
/* Is it sealed to a coordinator with a role, who can seal it to others? If not, a coordinator has to make a new one as well: it was made
 * where a removal was known by which nobody was left. */
bool vd_group_epoch_kept(struct vd_group *);
/* A device with a role that the epoch to write with is not sealed to: the i-th. NULL: no more. */
const struct vd_device *vd_group_epoch_lacks(struct vd_group *, size_t i);
/* ---- keys for those who were apart ----
 * Who is in reads what was written under every epoch, as who is admitted does. PROTOCOL.md section 6, "Keys handed on". Each looks at
 * the epochs of which we have all keys: the one to write with, the others that count, then the rest, the newest first, 4,096 at most. */

/* For a coordinator: the first epoch that a device with a role lacks, and the first of these devices, in the order of vd_group_device.
 * Their number; 0: nobody lacks anything that we have, or we are no coordinator. */
size_t vd_group_unsealed(struct vd_group *, uint8_t epoch[VD_EPOCH_BYTES], uint8_t devices[VD_EPOCH_DEVICES][VD_KEY_BYTES]);
/* For a member: those that no coordinator with a role has, who could seal them on. Their number, at most `max`; 0 for others. */
size_t vd_group_orphans(struct vd_group *, uint8_t (*epochs)[VD_EPOCH_BYTES], size_t max);
/* For a coordinator: is there an epoch of which we have not all keys? */
bool vd_group_wants_keys(struct vd_group *);
/* Keys that somebody hands over are taken if they are that epoch's (its commitments say so) and we lack some; true then. They are
 * forgotten with the group unless they are sealed to us. */
bool vd_group_learn_keys(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const struct vd_epoch_keys *);

/* Is that epoch sealed to that device, in whatever part of it that we know? Which of its keys is another question. Looks at all
 * control records. */
bool vd_group_epoch_has(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES]);
/* Has everyone with a role (but a paper key) to whom epoch `like` is sealed been sealed `epoch` as well, by parts that count? Of epochs whose
 * link key we have; else false. Looks at all control records. */
bool vd_group_epoch_reaches(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t like[VD_EPOCH_BYTES]);
/* The link key of the oldest epoch sealed to that device: one it is sure to know. NULL: none was, or we lack it. */
const uint8_t *vd_group_mask_link(struct vd_group *, const uint8_t device[VD_KEY_BYTES]);
/* Epochs whose link key we have: number 0 is the one to write with, or else the newest we can use, with all keys of our role if there is
 * one; then newest first. Keys our role does not get are zero (vd_group_key tells). Pointers valid until the next add. */
size_t vd_group_epoch_count(struct vd_group *);
const uint8_t *vd_group_epoch_id(struct vd_group *, size_t i);
const struct vd_epoch_keys *vd_group_epoch_keys(struct vd_group *, size_t i);
/* NULL when we lack that epoch or that key of it. */
const uint8_t *vd_group_key(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], enum vd_epoch_key);
/* Opens a record's body whatever its lane: control content is in the clear. Appends the content to *out.
 * VD_EKEY: sealed to us, a key may yet come; or we never were more than a courier, who opens nothing. VD_ESEALED: sealed to others
 * (named, and not to us). VD_EAUTHOR: it opens, but its author's role does not let us read it, or does not allow it: both may change
 * with the set. VD_ENOTFOUND: a stub; VD_EVERSION; VD_ESIGNATURE; VD_EFORMAT.
 * Removal does not close anything: what an author without a role wrote opens like what it was ever allowed to write, and by one without
 * any grant that counts if it can be opened at all. Whether it is in quarantine is for the caller to ask. */
int vd_group_open_body(struct vd_group *, const struct vd_record *, struct vd_buf *out);
/* Seals content as the body of a record under the epoch to write with; not for VD_AUDIENCE_NAMED. VD_EKEY when we have none, or not that
 * audience's key. VD_EAUTHOR: our role does not allow it, so that nobody's vereda would show it. */
int vd_group_seal_body(struct vd_group *, const struct vd_record_fields *, enum vd_audience,
                       const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_slice content, struct vd_buf *out);
/* The same, named: to the devices of these author keys, 1 to VD_NAMED_SLOTS. `seed`: fresh. VD_ENOTFOUND: no device of the
 * group, or one that is to read nothing (removed, a courier); VD_EINVAL: none, too many, or a box key that is no key; VD_EKEY;
 * VD_EAUTHOR: we are a courier, or a reporter and one of them is neither of a focal point nor ours. */
int vd_group_seal_named(struct vd_group *, const struct vd_record_fields *, const uint8_t (*devices)[VD_KEY_BYTES], size_t count,
                        const uint8_t nonce[VD_BODY_NONCE_BYTES], const uint8_t seed[VD_BODY_SEED_BYTES], struct vd_slice content,
                        struct vd_buf *out);

/* ---- removal, and what it leaves of what somebody wrote ---- */

/* Heads of that lane that the revocations which count and remove this author accept, none twice: *ids is borrowed until the next
 * add. 0 when it is not removed, or nothing of it was accepted (or there is no memory to say what). */
size_t vd_group_accepted(struct vd_group *, const uint8_t author[VD_KEY_BYTES], uint8_t lane, const struct vd_id **ids);
enum vd_review { VD_REVIEW_NONE, VD_REVIEW_LEFT, VD_REVIEW_ACCEPTED };
/* The last word of a coordinator that counts about that record. */
enum vd_review vd_group_reviewed(struct vd_group *, const struct vd_id *);

/* ---- administrative acts, for people ---- */

enum vd_act_kind { VD_ACT_FOUND, VD_ACT_NAME, VD_ACT_GRANT, VD_ACT_EPOCH, VD_ACT_REVOKE, VD_ACT_REVIEW, VD_ACT_APPROVE, VD_ACT_OTHER };
struct vd_act {
	enum vd_act_kind kind;   /* OTHER: malformed, or of a newer version */
	struct vd_id id;
	uint8_t author[VD_KEY_BYTES];
	uint64_t time_ms;
	bool counts;
	bool continues;          /* an epoch sealed to more devices: part of what went before */
	bool backed;             /* a second voice approved it */
	bool seconded;           /* the founder did: it is judged as the founder's own */
	uint32_t approvals;      /* that count, whether they make it backed or not */
	enum vd_role role;       /* GRANT */
	uint32_t flags;          /* GRANT */
	const uint8_t *device;   /* GRANT: author key. REVOKE: the first of those it lists; NULL */
	const uint8_t *person;   /* GRANT: of the device. REVOKE: of the member, NULL when only devices are removed */
	struct vd_id about;      /* REVIEW, APPROVE */
	bool accept;             /* REVIEW */
};
/* In control order; valid until the next add. */
size_t vd_group_act_count(struct vd_group *);
const struct vd_act *vd_group_act(struct vd_group *, size_t i);
/* Why, when act i is a revocation and we have the key: else "". */
void vd_group_act_reason(struct vd_group *, size_t i, char out[VD_NAME_MAX + 1]);
/* Control records that no other one names, the latest `max` (at most VD_LIST_MAX) in control order: ids ascending. */
size_t vd_group_heads(struct vd_group *, struct vd_id *out, size_t max);
/* Of the epoch that act number `epoch` begins: the first act that counts and seals it to that device, by which it came to have the keys.
 * vd_group_act_count: none does. */
size_t vd_group_sealed_act(struct vd_group *, size_t epoch, const uint8_t device[VD_KEY_BYTES]);
/* Which acts a device has shown that it knows: those in the past of its own control records, of the epochs in `epochs` (which it wrote
 * under: ids of VD_EPOCH_BYTES) and of the records in `ids`. known[i] is set for act i (never cleared); there are vd_group_act_count. */
void vd_group_knows(struct vd_group *, const uint8_t author[VD_KEY_BYTES], const uint8_t (*epochs)[VD_EPOCH_BYTES], size_t epoch_count,
                    const struct vd_id *ids, size_t id_count, bool *known);

/* ---- creators ----
 * Append the canonical content of one control record to *out, `seen` filled from the group's heads. Except for the founding,
 * VD_EAUTHOR: this device is no coordinator (revoke, review, approve: never was one); VD_EKEY: it lacks a key it would need;
 * VD_ENOMEM. *out is unchanged on error. */
void vd_group_make_id(const uint8_t founder[VD_KEY_BYTES], const uint8_t salt[VD_SALT_BYTES], uint8_t out[VD_GROUP_BYTES]);
int vd_group_make_founding(const struct vd_identity *, const uint8_t person[VD_PERSON_BYTES],
                           const uint8_t salt[VD_SALT_BYTES], struct vd_buf *out);
/* A new epoch for every device that has a role, at most VD_EPOCH_DEVICES a record: the first call has part 0, which names the
 * epoch by its record's id; parts 1.. pass the first VD_EPOCH_BYTES of that id as `of`. VD_ENOTFOUND when `part` is past the
 * last. Between the parts nothing but they may be added, or a device may be left out. */
int vd_group_make_epoch(struct vd_group *, const struct vd_epoch_keys *, const uint8_t *of, size_t part, struct vd_buf *out);
/* Seals epoch `epoch` of ours to one device more, as its role says: the continuation that follows a grant. VD_ENOTFOUND: no
 * such device, or it has no role; VD_EINVAL: its box key is no key. */
int vd_group_make_epoch_for(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t device[VD_KEY_BYTES],
                            struct vd_buf *out);
/* The same to 1 to VD_EPOCH_DEVICES devices in one record: VD_ENOTFOUND, VD_EINVAL for any of them. */
int vd_group_make_epoch_part(struct vd_group *, const uint8_t epoch[VD_EPOCH_BYTES], const uint8_t (*devices)[VD_KEY_BYTES], size_t count,
                             struct vd_buf *out);
/* nonce seals the name, which is 1 to VD_NAME_MAX bytes of UTF-8. VD_EINVAL: name, role or box key; VD_ESIGNATURE: the card's
 * proof; VD_ECAP: VD_MEMBERS_MAX devices. */
int vd_group_make_grant(struct vd_group *, const struct vd_card *, const uint8_t person[VD_PERSON_BYTES], enum vd_role,
                        uint32_t flags, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);
/* Whom a revocation removes, and what of theirs it accepts. */
struct vd_removal {
	const uint8_t (*devices)[VD_KEY_BYTES]; /* 1 to VD_LIST_MAX */
	size_t device_count;
	const uint8_t *person;                  /* the whole member; NULL: those devices only */
	const struct vd_id *heads[VD_LANES];    /* at most VD_LIST_MAX a lane. Of lane 0: whatever a coordinator did that none of these
	                                         * leads to counts no more, the grants by which others have their roles neither */
	size_t head_count[VD_LANES];
	const char *reason;                     /* 1 to VD_NAME_MAX bytes of UTF-8, read by members */
};
/* The first part of a new epoch stands in it, for the devices that will have a role: parts 1.. by vd_group_make_epoch. VD_EINVAL: no
 * device, one the group does not have, too many heads, or the reason. */
int vd_group_make_revoke(struct vd_group *, const struct vd_removal *, const struct vd_epoch_keys *,
                         const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);
int vd_group_make_review(struct vd_group *, const struct vd_id *about, bool accept, struct vd_buf *out);
/* VD_ENOTFOUND: no control record of that id. */
int vd_group_make_approve(struct vd_group *, const struct vd_id *about, struct vd_buf *out);
/* The grant that gives a device without a role one again, made from the last grant it had: it was removed, or who admitted it was, before
 * anybody heard of it. VD_ENOTFOUND: it has a role, or was never granted one; VD_EKEY: we cannot read its name. */
int vd_group_make_restore(struct vd_group *, const uint8_t device[VD_KEY_BYTES], const uint8_t nonce[VD_BODY_NONCE_BYTES],
                          struct vd_buf *out);
int vd_group_make_name(struct vd_group *, const char *name, const uint8_t nonce[VD_BODY_NONCE_BYTES], struct vd_buf *out);

#endif
