/* A coordinator's act being written. Inside the store only. */
#ifndef VD_DEED_H
#define VD_DEED_H

#include "inside.h"

struct vd_deed {
	struct vd_store *store;
	struct vd_group *group;    /* who acts; gets what is written */
	struct vd_group *also;     /* another view of it that gets it too; or NULL */
	struct vd_write *write;
	uint64_t now_ms;
	struct vd_buf content;     /* of the next control record */
};
/* Takes the writers' lock and brings the group up to date: an act rests on all that is here. */
int vd_deed_begin(struct vd_deed *, struct vd_store *, struct vd_group *, uint64_t now_ms);
/* Writes the content, and empties it. id may be NULL. */
int vd_deed_say(struct vd_deed *, struct vd_id *id);
/* The rest of the epoch that began with record `first`. */
int vd_deed_epoch_parts(struct vd_deed *, const struct vd_epoch_keys *, const struct vd_id *first);
/* A whole new one. */
int vd_deed_epoch(struct vd_deed *, struct vd_id *first);
/* Seals to the device what it lacks of the epochs we can read, oldest first; *count (may be NULL) of them. A device without a role gets
 * nothing. `again`: also what it has, which may be fewer keys than its role gets now. */
int vd_deed_seal(struct vd_deed *, const uint8_t device[VD_KEY_BYTES], bool again, size_t *count);
/* Commits when rc is 0, else ends without a trace. Returns rc, or why it could not be committed. */
int vd_deed_end(struct vd_deed *, int rc);

#endif
