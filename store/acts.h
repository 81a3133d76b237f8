/* Acts: what a coordinator does to a group, each in one commit. All of them add to `group`, which is loaded anew after an error.
 *
 * Each first takes in what other processes stored since; what it is given may be the group's own and is copied before. Whom it gives a role
 * gets the keys, unless nothing can be sealed to them; who has none by it (a revocation is in the way) gets none.
 *
 * VD_EAUTHOR: this device is no coordinator (any more; to revoke, review and approve it is enough to have been one: whether it counts is
 * for the others' view to say). VD_EKEY: it lacks the keys to hand on. Or as vd_write_commit. */
#ifndef VD_ACTS_H
#define VD_ACTS_H

#include "store.h"

/* Admits a device, or adds to what it is: the grant, and the keys of every epoch we can read that it has not. */
struct vd_admission {
	const struct vd_card *card;
	uint8_t person[VD_PERSON_BYTES];
	enum vd_role role;
	uint32_t flags;
	const char *name;
};
int vd_act_admit(struct vd_store *, struct vd_group *, const struct vd_admission *, uint64_t now_ms, struct vd_id *grant);

/* Makes a new epoch for every device with a role. */
int vd_act_rotate(struct vd_store *, struct vd_group *, uint64_t now_ms, uint8_t epoch[VD_EPOCH_BYTES]);

/* Removes devices, or a member with all devices, accepting everything of theirs that is here; lane 0 only up to before `undo`, when that is
 * not NULL: without it, what leads to it, and what may, as records between are not here. At most VD_LIST_MAX heads a lane, the devices
 * taking turns. The new epoch is in it. VD_ENOTFOUND: `undo` is no control record of theirs; VD_EINVAL: nobody; VD_ECAP: too many. */
struct vd_revocation {
	const uint8_t (*devices)[VD_KEY_BYTES]; /* at most VD_LIST_MAX; with a person there may be none */
	size_t device_count;
	const uint8_t *person;   /* NULL: those devices only */
	const char *reason;      /* may be empty, or NULL: then it says "-" */
	const struct vd_id *undo;
	struct vd_hidings *leave; /* not NULL: what vd_act_hidings finds is left in quarantine by the same commit, and told here */
};
/* Redactions of what others wrote: the latest of `all`, in the order in which they came. */
struct vd_hidings {
	struct vd_id ids[VD_LIST_MAX];
	size_t count, all;
};
/* By these devices, as far as they have a role, of what none of them wrote: those that hold, that no review is about yet, and that came here
 * so lately that what they hide is not erased. A device in the wrong hands must not destroy testimony. */
int vd_act_hidings(struct vd_store *, struct vd_group *, const uint8_t (*devices)[VD_KEY_BYTES], size_t count, uint64_t now_ms,
                   struct vd_hidings *out);
int vd_act_revoke(struct vd_store *, struct vd_group *, const struct vd_revocation *, uint64_t now_ms, struct vd_id *id,
                  uint8_t epoch[VD_EPOCH_BYTES]);
int vd_act_review(struct vd_store *, struct vd_group *, const struct vd_id *about, bool accept, uint64_t now_ms, struct vd_id *id);
/* Seals the epochs to a device that has its role by this. VD_ENOTFOUND: no control record of that id. */
int vd_act_approve(struct vd_store *, struct vd_group *, const struct vd_id *about, uint64_t now_ms, struct vd_id *id);
/* Gives a device without a role the one it had, or was granted by who was removed. As vd_group_make_restore. */
int vd_act_restore(struct vd_store *, struct vd_group *, const uint8_t device[VD_KEY_BYTES], uint64_t now_ms, struct vd_id *grant);

/* Has this device's own chain of control records forked, and is there a coordinator of another member who could act instead? Then
 * commands ask before they act, and nothing is done unasked. */
bool vd_act_braked(struct vd_store *, struct vd_group *);

/* ---- paper key: a coordinator's identity that exists only as words (proto/id.h reads them) ---- */

/* Admits a new paper identity for our own member and gives its words, blank between them, with NUL. They stand nowhere else. */
int vd_act_paper(struct vd_store *, struct vd_group *, uint64_t now_ms, char words[VD_PAPER_TEXT]);
/* Takes a group from any bundle, segment or welcome sealed since the paper key was made (a path, or a stick's folder), and admits this
 * device's next identity as a coordinator of the paper key's member (by that member's name, if `name` is NULL or empty). Only the control
 * records: the others are merged from it afterwards as ever. One commit; the store is as it was after an error. The paper stays valid.
 *   0            also: the device was in the group, and got keys that only the paper had
 *   VD_EKEY      no slot in it for this paper, or no keys behind it; VD_EAUTHOR: the paper is no coordinator (any more)
 *   VD_EEXISTS   this device is in the group already, and lacks nothing that the paper has
 *   VD_ESIGNATURE the paper never confirmed that group: it is somebody else's doing, or not whole
 *   VD_ETORN, VD_EDAMAGED  what is whole is not enough; VD_ENOTFOUND, VD_EIO, VD_EINVAL: name; VD_ECAP
 * Of a file that is not whole, what is whole may do. */
int vd_act_recover(struct vd_store *, const struct vd_identity *paper, const char *path, const char *name, uint64_t now_ms,
                   uint8_t group[VD_GROUP_BYTES]);

#endif
