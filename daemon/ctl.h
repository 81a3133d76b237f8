/* Control socket: home/ctl, mode 0600, Unix stream. One line in, one line out. The client half is for the command line. */
#ifndef VD_CTL_H
#define VD_CTL_H

#include "proto/bytes.h"

/* Client, blocking, 2 s at most. *answer: the line without its end. VD_ENOTFOUND: no daemon is running on this store.
 * VD_EAGAIN: it does not answer in time; VD_ECLOSED, VD_EIO, VD_ENOMEM.
 *   "poke"    the store grew: read it and push            -> "ok"
 *   "status"  -> one line of JSON: {"listen":[addr…],"peers":[{"addr","state","since_ms","outgoing","bytes_in","bytes_out",
 *             and once proved "member" (the device's author key) and "group" in hex}],"discover_on":[…],
 *             "walls":{…}} (each of walls.h: does it stand?)
 *             state: calling greeting syncing settled closing; since_ms: Unix time of its opening
 *   "sync"    call every known peer now                    -> "ok"
 *   other                                                  -> "error: …" */
int vd_ctl_request(const char *home, const char *line, struct vd_buf *answer);

#endif
