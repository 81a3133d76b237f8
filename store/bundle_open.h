/* A sealed file on disk, opened for reading: what bundle_read.c and bundle_control.c share; nobody else includes it. */
#ifndef VD_BUNDLE_OPEN_H
#define VD_BUNDLE_OPEN_H

#include "bundle.h"

struct vd_sealed_file {
	int fd;
	uint64_t size;          /* of the file */
	uint64_t chunks;        /* whole ones there */
	bool shaped;            /* a whole file may have that size */
	bool unreadable;        /* the medium refused a part */
	struct vd_unsealer *unsealer; /* NULL until it was opened with a key */
	bool has_first, has_last;
	uint8_t first[VD_HEAD_BYTES], last[VD_HEAD_BYTES];
	uint8_t sealed[VD_CHUNK_BYTES], plain[VD_CHUNK_PLAIN];
};

/* Reads the heads too. path "-": standard input; that and whatever else cannot be read twice is copied into `home` first. VD_EFORMAT: shorter
 * than a head; VD_EINVAL: a folder; VD_ENOTFOUND, VD_EDENIED, VD_EIO, VD_ENOSPACE, VD_ENOMEM. */
int vd_sealed_file_open(const char *home, const char *path, struct vd_sealed_file **out);
void vd_sealed_file_close(struct vd_sealed_file *); /* NULL is fine */
/* VD_EKEY: opens neither head. */
int vd_sealed_file_try(struct vd_sealed_file *, const struct vd_opener *);
/* With all link keys of each group, then with its identity and the masks it may know: *place of the group whose keys open it. */
int vd_sealed_file_try_groups(struct vd_sealed_file *, const struct vd_bundle_groups *, size_t *place);
/* Opens chunk i into plain and starts on its entries. Of chunk 0 the manifest is decoded and behind us. VD_ESIGNATURE: damaged;
 * VD_EFORMAT, VD_EVERSION: its manifest. */
int vd_sealed_file_chunk(struct vd_sealed_file *, uint64_t i, struct vd_manifest *, bool *is_last, struct vd_rd *entries);

#endif
