/* Files that a record brings along: on their way in read, rid of metadata, said in the record, written as its chunks; and what keeps them away. */
#ifndef VD_ATTACH_H
#define VD_ATTACH_H

#include "admin.h"
#include "cli.h"
#include "fields.h"
#include "proto/attachment.h"
#include "store/attached.h"

struct vd_attach {
	struct vd_attach_file {
		char name[VD_ATTACHMENT_NAME_MAX + 1];
		const char *type;
		struct vd_buf bytes;
		uint8_t hash[VD_HASH_BYTES];
		uint32_t chunks;
		const char *metadata;   /* the word for JSON of what became of it */
	} files[VD_ATTACHMENTS_MAX];
	size_t count;
	uint64_t size;                  /* of all */
	struct vd_buf elements;
};

/* Reads what --attach names, and says of each what of its metadata was taken out or may tell too much: before anything is stored. 0 or an exit code,
 * having said why. Ends with vd_attach_deinit, also after an error. */
int vd_attach_read(struct vd_cli *, struct vd_attach *);
void vd_attach_deinit(struct vd_attach *);
/* The field that names them; nothing where there are none. It lives as long as the files. */
int vd_attach_put(struct vd_attach *, struct vd_fields *, struct vd_bad_field *);
/* Their chunks, in the transaction and by the draft that wrote the record `of`; lets go of the bytes. */
int vd_attach_write(struct vd_attach *, struct vd_write *, struct vd_group *, const struct vd_draft *, const struct vd_id *of);
/* What was attached, for JSON. */
json_t *vd_attach_json(const struct vd_attach *);

/* Does bulk.max keep away what is missing of chunks 0 to below `chunks`? `most` then says what it is. */
bool vd_attach_bounded(struct vd_cli *, const struct vd_attached *, uint8_t attachment, uint32_t chunks, char most[VD_SIZE_SAID]);

/* Whose share of this device is used up for today, for people. */
struct vd_later_said {
	char who[VD_WHO_TEXT], most[VD_SIZE_SAID];
};
/* Does that keep away what waits of chunks 0 to below `chunks`, of the record's author; or a body of so many bytes, which waits? */
bool vd_attach_later(struct vd_cli *, struct vd_group *, const struct vd_record *, const struct vd_attached *, uint8_t attachment, uint32_t chunks,
                     struct vd_later_said *);
bool vd_body_later(struct vd_cli *, struct vd_group *, const struct vd_record *, uint64_t bytes, struct vd_later_said *);

#endif
