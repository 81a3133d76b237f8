/* What a record attaches, as far as it is here (proto/attachment.h). */
#ifndef VD_ATTACHED_H
#define VD_ATTACHED_H

#include "file.h"
#include "proto/attachment.h"
#include "store.h"

/* The chunks that are here of all that one record attaches, by its own author, in order of attachment and number; of several of one number first those whose
 * body is here. */
struct vd_attached {
	struct vd_attached_chunk {
		uint64_t arrival;
		uint32_t number;
		uint8_t attachment;
		uint32_t bytes;      /* of its body */
		bool stub;           /* its body is not here: it has yet to come, or was declined or dropped */
		bool waits;          /* … and is not taken until there is room for it (shares.h) */
		bool pruned;         /* … or went to make room (prune.h) */
	} *chunks;
	size_t count, cap;
};
/* Those of a record. Catches the index up if it can. Caller ends with vd_attached_deinit, also after an error. VD_EDAMAGED: some were spoilt, the others are there. */
int vd_attached_find(struct vd_store *, const struct vd_record *, struct vd_attached *);
void vd_attached_deinit(struct vd_attached *);
/* Of the chunks from 0 to below `chunks`: how many are here with their bodies; *stubs (may be NULL): and how many without. */
uint32_t vd_attached_count(const struct vd_attached *, uint8_t attachment, uint32_t chunks, uint32_t *stubs);
/* Does one of these chunks wait for room, or has not even come as a stub? */
bool vd_attached_waits(const struct vd_attached *, uint8_t attachment, uint32_t chunks);
/* Did the body of one of them go to make room? */
bool vd_attached_pruned(const struct vd_attached *, uint8_t attachment, uint32_t chunks);
/* Writes the file that is `which` of that record. VD_ENOTFOUND: chunks are missing; VD_EDAMAGED: they are not what the record says; VD_EKEY: they do not open; or what
 * vd_file_write says. */
int vd_attached_write(struct vd_store *, struct vd_group *, const struct vd_attached *, uint8_t which, const struct vd_attachment *,
                      struct vd_file_out *);

#endif
