/* Attachments: files that a record brings along. PROTOCOL.md section 4.
 *
 * The record names them in its content, each with the hash of the whole. Their bytes travel as chunks: records of the bulk lane by the same device and
 * to the same people, which say in their header whose they are (struct vd_part) and so can be carried, counted, redacted and dropped by who
 * cannot read them. Only chunks by the record's own author device count, and the hash decides: nobody else can slip in a false one. */
#ifndef VD_ATTACHMENT_H
#define VD_ATTACHMENT_H

#include "content.h"

struct vd_attachment {
	struct vd_slice name;           /* as it came: vd_attachment_name before it names a file */
	struct vd_slice type;           /* media type, RFC 6838 */
	uint64_t size;                  /* bytes */
	uint8_t hash[VD_HASH_BYTES];    /* plain BLAKE2b-256, so that any tool can check it (b2sum -l 256) */
	uint32_t chunks;                /* their data one after the other, from number 0, is the file */
};

/* The cursor's elements for the field "attachments": appended to *out. name and type are valid UTF-8 within their caps. */
void vd_attachment_encode(const struct vd_attachment *, struct vd_buf *out);
/* Those that a content names, in order: at most VD_ATTACHMENTS_MAX, borrowed from it. What is malformed there is no attachment, yet keeps its place: it has
 * an empty name. */
size_t vd_attachments_of(const struct vd_content *, struct vd_attachment out[VD_ATTACHMENTS_MAX]);

/* Content of a chunk, and back. VD_EFORMAT: it is none. */
int vd_chunk_encode(struct vd_slice data, struct vd_buf *out);
int vd_chunk_decode(struct vd_slice content, struct vd_slice *data);

/* A name under which a file may be written on any medium, made of one that may come from anybody: the last part of a path, without control
 * characters, marks that turn the direction of writing, and those that FAT forbids; no dot, dash or blank in front, no dot or blank at the end; at most
 * VD_ATTACHMENT_NAME_MAX bytes, its ending kept; never empty. */
void vd_attachment_name(struct vd_slice from, char out[VD_ATTACHMENT_NAME_MAX + 1]);

#endif
