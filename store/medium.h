/* Is that a file system for a store? Inside the store only. */
#ifndef VD_MEDIUM_H
#define VD_MEDIUM_H

#include "store.h"

/* VD_EINVAL: no file system for a store. thoroughly: where its type does not tell, writes a file for a moment, which can end with VD_ENOSPACE,
 * VD_EIO, VD_EDENIED. */
int vd_medium_check(const char *path, bool thoroughly);
/* The same for a folder that may not be there yet. */
int vd_medium_check_new(const char *path);
/* By the name of a FUSE type in /proc/self/mountinfo; FINE: it tells nothing. */
enum vd_medium vd_medium_of_type(const char *type);

#endif
