/* The file `vault`: two copies of one block, so that one bad sector locks nobody out. What stands in a block is slots.c's matter.
 * Changes are whole or not at all, and overwrite what the file was. */
#ifndef VD_SLOTS_FILE_H
#define VD_SLOTS_FILE_H

#include "proto/bytes.h"
#include "proto/limits.h"

enum {
	VD_SLOTS_BLOCK = 4096,
	VD_SLOTS_END = VD_SLOTS_BLOCK - VD_HASH_BYTES, /* from here on the hash of all before */
	VD_SLOTS_VERSION = 1,
};

/* As it was read: block 0 is the one that counts, when it is whole. */
struct vd_slots_file {
	uint8_t block[2][VD_SLOTS_BLOCK];
	size_t count;       /* blocks to try: 1 when one is whole, else 2 */
	size_t copies;      /* how many were whole */
	bool whole;
};

int vd_slots_file_folder(const char *home, int *fd);
/* Opens the folder `home` and reads; `change`: under the writers' lock, which stands until vd_slots_file_end. VD_ENOTFOUND; VD_EDAMAGED: it is no
 * such file; VD_EVERSION; VD_EIO, VD_EDENIED. */
int vd_slots_file_begin(const char *home, bool change, int *fd, struct vd_slots_file *);
/* Closes the folder, unless it is negative, and wipes what was read. */
void vd_slots_file_end(int fd, struct vd_slots_file *);
/* Removes what an interrupted change left, unless somebody is changing it now. */
void vd_slots_file_sweep(int fd);
/* A block with its head and zeros. */
void vd_slots_file_empty(struct vd_slots_file *);
/* Writes block 0, twice. VD_ENOSPACE, VD_EIO. */
int vd_slots_file_write(int fd, struct vd_slots_file *);

#endif
