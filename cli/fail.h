/* Inside print.c and fail.c: how a message and its places become a line. */
#ifndef VD_FAIL_H
#define VD_FAIL_H

#include <stdarg.h>

#include "cli.h"

enum { VD_PLACES = 10 };

size_t vd_places(va_list, const char *args[VD_PLACES + 1]);
/* A line on standard error, as it is, after what standard output has waiting. */
void vd_note_line(struct vd_cli *, struct vd_slice line);
/* One error and its hint (may be NONE) as a line with its end, for people or programs. `out` has failed where memory did. */
void vd_fail_line(struct vd_cli *, const char *word, enum vd_msg what, enum vd_msg hint, struct vd_buf *out);

#endif
