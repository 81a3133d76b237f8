/* A sealed file on disk, opened for reading: what bundle_read.c and bundle_control.c share; nobody else includes it. */
#ifndef VD_BUNDLE_OPEN_H
#define VD_BUNDLE_OPEN_H

#include "bundle.h"
#include "bundle_child.h"

struct vd_sealed_file {
	int fd;
	uint64_t size;          /* of the file */
	uint64_t chunks;        /* whole ones there */
	bool shaped;            /* a whole file may have that size */
	bool unreadable;        /* the medium refused a part */
	int from;               /* what cannot be read twice, of which only the first head was copied yet; -1: nothing is to come */
	bool at_reserve;        /* what is kept free of the disk has no room for the copy */
	struct vd_unsealing_child *child; /* NULL until it was opened with a key */
};

/* Opens it; nothing of it is looked at before a child does. path "-": standard input; that and whatever else cannot be read twice is copied into
 * `home`, at first as much of it as a head has. VD_EFORMAT: shorter than a head; VD_EINVAL: a folder; VD_ENOTFOUND, VD_EDENIED, VD_EIO, VD_ENOSPACE, VD_ENOMEM. */
int vd_sealed_file_open(const char *home, const char *path, struct vd_sealed_file **out);
void vd_sealed_file_close(struct vd_sealed_file *); /* NULL is fine */
/* Starts the child, which tries these identities, in this order. Once a file. VD_EKEY: none opens either head; VD_EDAMAGED: it did not live to say.
 * Of what is copied the first head must open, VD_EKEY else; then the rest is copied, and only now size and chunks are known. VD_ENOSPACE, VD_EIO. */
int vd_sealed_file_try(struct vd_sealed_file *, struct vd_store *, const struct vd_identity *const *, size_t count);
/* How its heads begin. Only the bytes: what they say is the child's to find. */
int vd_sealed_file_heads(const struct vd_sealed_file *, struct vd_bundle_key *);
/* With all link keys of each group, then with its identity and the masks it may know. */
int vd_sealed_file_try_groups(struct vd_sealed_file *, struct vd_store *, const struct vd_bundle_groups *, struct vd_bundle_key *);
/* Opens chunk i and starts on its entries (vd_unsealed_entry), which borrow from it until the next. Of chunk 0 the manifest is decoded and behind us.
 * VD_ESIGNATURE: damaged; VD_EFORMAT, VD_EVERSION: its manifest. */
int vd_sealed_file_chunk(struct vd_sealed_file *, uint64_t i, struct vd_manifest *, bool *is_last, struct vd_rd *entries);

#endif
