/* bundle_write.c's and bundle_temp.c's; nobody else includes it. */
#ifndef VD_BUNDLE_TEMP_H
#define VD_BUNDLE_TEMP_H

#include "bundle.h"
#include "file.h"

/* The six characters of a segment that this device writes for that group, by its name: to all others random ones. */
void vd_bundle_temp_tail(struct vd_group *, const char *base, char tail[VD_FILE_TAIL + 1]);

#endif
