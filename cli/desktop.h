/* A word to who sits at the desktop, where there is one. */
#ifndef VD_CLI_DESKTOP_H
#define VD_CLI_DESKTOP_H

#include "cli.h"

/* By notify-send, if that is installed and there is a session bus; else nothing happens. Waits a few seconds at most. Variadic as vd_say. */
void vd_desktop_say(struct vd_cli *, enum vd_msg, ...) __attribute__((sentinel));

#endif
