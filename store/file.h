/* Files that are whole or not there: temp, fsync, rename, fsync of the folder, read back. */
#ifndef VD_FILE_H
#define VD_FILE_H

#include "proto/bytes.h"

struct vd_file_out;

/* Opens a temporary file beside `path` (same folder, ".tmp", mode 0600). `path` "-" is standard output: nothing is atomic there. */
int vd_file_create(const char *path, struct vd_file_out **out);
int vd_file_write(struct vd_file_out *, struct vd_slice);
/* Bytes so far. */
uint64_t vd_file_size(const struct vd_file_out *);
/* fsync, optionally read back past the page cache and compare with what was written, rename, fsync the folder; frees.
 * VD_ENOSPACE, VD_EIO, VD_EDAMAGED (the medium gave back other bytes); then nothing stands at `path`. */
int vd_file_commit(struct vd_file_out *, bool read_back);
void vd_file_abort(struct vd_file_out *); /* removes the temporary file; NULL is fine */

/* Whole file, at most `max` bytes (VD_ECAP), into *out. */
int vd_file_read(const char *path, size_t max, struct vd_buf *out);
/* VD_ENOSPACE, VD_EIO, VD_ENOTFOUND… for an errno. */
int vd_file_errno(int code);

#endif
