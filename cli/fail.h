/* Inside print.c and fail.c: how a message and its places become a line. */
#ifndef VD_FAIL_H
#define VD_FAIL_H

#include <stdarg.h>

#include "cli.h"

enum { VD_PLACES = 10 };

size_t vd_places(va_list, const char *args[VD_PLACES + 1]);
/* A line on standard error, as it is, after what standard output has waiting. */
void vd_note_line(struct vd_cli *, struct vd_slice line);

#endif
