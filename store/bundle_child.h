/* Unsealing in a disposable child: it finds the key, opens the chunks, takes them apart and decodes what is in them; what does not decode never reaches us.
 * bundle_open.c's; nobody else includes it. */
#ifndef VD_BUNDLE_CHILD_H
#define VD_BUNDLE_CHILD_H

#include "child.h"
#include "proto/seal.h"
#include "store.h"

/* A file and what may open it. Borrowed until the child runs. */
struct vd_unsealing {
	int file;
	uint64_t size, chunks;
	bool shaped;                     /* a whole file may have that size */
	const struct vd_opener *openers; /* of their identities the author's secret is not needed */
	size_t opener_count;
	void (*forget)(void *ctx);       /* wipes, in the child, what else is secret */
	void *ctx;
};

struct vd_unsealing_child;

/* 0, which of the openers fits, and which of its link keys (VD_NO_LINK: none of them); *unreadable: the medium refused a head. VD_EKEY: none fits. VD_EIO: no head can be read. VD_EDAMAGED: the child did not live to say. VD_ENOMEM. */
int vd_unsealing_start(const struct vd_unsealing *, struct vd_unsealing_child **out, size_t *which, size_t *link, bool *unreadable);
void vd_unsealing_end(struct vd_unsealing_child *); /* NULL is fine */

/* The type of an entry that the child passed over, as nothing here knows it, or not of that length. */
enum { VD_UNSEALED_PASSED = 127 };

struct vd_unsealed {
	bool is_last, unreadable;        /* unreadable: the medium refused it */
	struct vd_manifest manifest;     /* of chunk 0 */
	struct vd_rd entries;            /* for vd_unsealed_entry; borrows from the child's struct until the next chunk */
};
/* In any order; one after the other, up or down, is fastest. VD_ESIGNATURE: damaged, or the child is gone, as it is then for all that follow. VD_EFORMAT,
 * VD_EVERSION: the manifest in chunk 0. */
int vd_unsealing_chunk(struct vd_unsealing_child *, uint64_t i, struct vd_unsealed *out);
/* As vd_chunk_entry; *why, when it is not VD_OK, is what vd_record_decode said of a record, whose bytes are not here. */
int vd_unsealed_entry(struct vd_rd *, uint8_t *type, struct vd_slice *bytes, int *why);

#endif
