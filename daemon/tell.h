/* Tell: a word to the desktop about a stick, where there is one. Behind its walls veredad can start no program; so, before they stand, it starts
 * `vereda stick tell`, which has no key and no store, hears a word a stick over a pipe, and says it in the user's language. */
#ifndef VD_TELL_H
#define VD_TELL_H

#include <stdbool.h>

/* Before vd_panic_start: makes the pipe, or takes over that of an earlier life of this process. Nothing without a session bus. */
void vd_tell_prepare(void);
/* Before the walls: starts the one who tells, the `vereda` beside this program, unless it runs already. Not wanted: there will be nothing to tell. */
void vd_tell_start(bool wanted);
/* How it went ("done", "partly", "full": what is on it can travel, "failed") with a stick. Never waits; nothing depends on it. */
void vd_tell(const char *how);

#endif
