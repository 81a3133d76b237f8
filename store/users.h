/* Who has the database of a home open: by the locks that LMDB keeps on lock.mdb while it is open, which only the kernel can have given. */
#ifndef VD_USERS_H
#define VD_USERS_H

#include <stddef.h>
#include <sys/types.h>

/* For the calls below; -1: there is no such file. Closing it would drop the locks of this very process: for who has no store of that home open. It goes on to tell
 * when the file was unlinked. */
int vd_users_open(const char *home);
/* At most `max` processes; one that cannot be named (of another container) is 0. Returns how many. */
size_t vd_users_list(int fd, pid_t *out, size_t max);

#endif
