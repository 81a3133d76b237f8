/* Is there a stick where somebody says that one is? Else what is meant for it would go to the machine's own disk. */
#ifndef VD_CLI_MOUNTED_H
#define VD_CLI_MOUNTED_H

#include "cli.h"

/* 0, or the exit code of what was said: below /media, /run/media and /mnt a folder with nothing mounted on it, or on the way there, is refused, but
 * with --yes. One that cannot be looked at is left to who uses it. */
int vd_mounted_check(struct vd_cli *, const char *dir);
/* Says so where that folder is on the file system of the store. */
void vd_mounted_note(struct vd_cli *, const char *dir);

#endif
