/* Control socket: home/ctl, mode 0600, Unix stream. One line in, one line out. The client half is for the command line. */
#ifndef VD_CTL_H
#define VD_CTL_H

#include "proto/bytes.h"

/* Client, blocking, 2 s at most. VD_ENOTFOUND: no daemon is running on this store.
 *   "poke"    the store grew: read it and push            -> "ok"
 *   "status"  -> one line of JSON: {"listen":[…],"peers":[{"member":hex,"group":hex,"addr":…,"state":…,"since_ms":…}]}
 *   "sync"    call every known peer now                    -> "ok" */
int vd_ctl_request(const char *home, const char *line, struct vd_buf *answer);

#endif
