/* Files that are whole or not there: temp, fsync, rename, fsync of the folder, read back. */
#ifndef VD_FILE_H
#define VD_FILE_H

#include "proto/bytes.h"

struct vd_file_out;

/* Opens a temporary file beside `path` (".<its name>.<six characters>.tmp", which no NAME.* of a person's matches; mode 0600), locked (flock) until it
 * is finished, and removes those of the same name that an interrupted run left more than a day ago. `path` "-" is standard output: nothing is atomic there. */
int vd_file_create(const char *path, struct vd_file_out **out);
/* The same not hidden, and with the caller's own six characters; VD_EEXISTS: one of that name stands there. Who was killed holds no lock. Not for
 * standard output. */
enum { VD_FILE_TAIL = 6 };
int vd_file_create_as(const char *path, const char tail[VD_FILE_TAIL + 1], struct vd_file_out **out);
/* For each temporary file in the folder: `is_own` of what it was to become and of its six characters. Removes those for which it says yes, if no process
 * is writing them; where the file system knows no locks that cannot be told, and they stay. */
void vd_file_sweep_own(const char *folder, bool (*is_own)(void *ctx, const char *base, const char tail[VD_FILE_TAIL + 1]), void *ctx);
/* Removes the hidden ones of `path` and of its volumes (vd_volume_path), however young, if no process is writing any of them: who writes a set holds
 * (vd_file_hold) one of it at all times. As above without locks. */
void vd_file_sweep_set(const char *path);
int vd_file_write(struct vd_file_out *, struct vd_slice);
/* Everyone may read it: what goes from machine to machine on one medium, where other users have our number. For sealed files only. */
void vd_file_share(struct vd_file_out *);
/* It will not take the place of anything that stands at `path` when it is committed: VD_EEXISTS then. */
void vd_file_beside(struct vd_file_out *);
/* It keeps its descriptor, and its lock, until it is placed. */
void vd_file_hold(struct vd_file_out *);
/* Bytes so far. */
uint64_t vd_file_size(const struct vd_file_out *);
/* fsync, optionally read back past the page cache and compare with what was written, rename, fsync the folder; frees.
 * VD_ENOSPACE, VD_EIO, VD_EDAMAGED (the medium gave back other bytes); then nothing stands at `path`. */
int vd_file_commit(struct vd_file_out *, bool read_back);
/* The same in two steps, for files that are to stand all or none: first each of them is finished, and has only its temporary name, then each is placed.
 * A finished one that is not held costs no descriptor. An error of the first leaves it to vd_file_abort; the second frees. */
int vd_file_finish(struct vd_file_out *, bool read_back);
int vd_file_place(struct vd_file_out *);
void vd_file_abort(struct vd_file_out *); /* removes the temporary file; NULL is fine */

/* For the start of a program: opens those of the three standard descriptors that are closed. The next file to be opened would get
 * their number, and what is printed or logged would go into the store. */
void vd_file_fill_standard(void);
/* Appends the whole file, at most `max` bytes (VD_ECAP), to *out, which is unchanged on error. "-" is standard input. */
int vd_file_read(const char *path, size_t max, struct vd_buf *out);
/* Removes temporary files of vd_file_create older than a day; `base` NULL: whatever they were to become. */
void vd_file_sweep(const char *folder, const char *base);
/* Makes what was created, renamed or removed in it durable. */
int vd_file_sync_folder(const char *folder);
/* VD_ENOSPACE, VD_EIO, VD_ENOTFOUND… for an errno. */
int vd_file_errno(int code);

#endif
