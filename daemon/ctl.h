/* Control socket: home/ctl, mode 0600, Unix stream. One line in, one line out. The client half is for the command line. */
#ifndef VD_CTL_H
#define VD_CTL_H

#include <stdbool.h>
#include <sys/types.h>

#include "proto/bytes.h"

/* Client, blocking, 2 s at most; 60 s for unlock. *answer: the line without its end; where it is a key, the caller wipes it (vd_buf_wipe), and no
 * other copy of it stays here. VD_ENOTFOUND: no daemon is running on this store. VD_EAGAIN: it does not answer in time, or is stopped (Ctrl-Z, SIGSTOP), which is seen at once; VD_ECLOSED (also: it
 * is just locking itself), VD_EIO, VD_ENOMEM.
 *   "poke"    the store grew: read it and push            -> "ok"
 *   "status"  -> one line of JSON: {"listen":[addr…],"peers":[{"addr","state","since_ms","outgoing","bytes_in","bytes_out",
 *             and once proved "member" (the device's author key) and "group" in hex}],"discover_on":[…],
 *             "walls":{…} (each of walls.h: does it stand?),
 *             "disk":null, or {"state":"full" or "failing","since_ms"}: what arrives is not stored}
 *             state: calling greeting syncing settled closing; since_ms: Unix time of its opening
 *             and "locked": true (then nothing else of it says anything) or false
 *   "sync"    call every known peer now                    -> "ok"
 *   "key"     -> "key " and the vault key in 128 hex digits; "error: readable": the store has no vault
 *   "lock"    -> "ok": it is locked, the keys are gone from its memory; "error: readable"
 *   "unlock " and the vault key in 128 hex digits -> "ok": the store is open, the daemon runs (also: it did before); "error: key": it is
 *             not this store's; "error: readable"; "error: …": the store cannot be opened, it stays locked
 *   "wipe"    -> "ok": no key slot stands any more (of a readable store: its files are not there any more); then the daemon ends. "error: disk": keys are gone
 *             from its memory, but what is on the disk could not be overwritten. Without asking: whoever asks has asked
 * A locked one answers poke, sync and key with "error: locked".
 *   other                                                  -> "error: …" */
int vd_ctl_request(const char *home, const char *line, struct vd_buf *answer);
/* The same within `ms`. *pid: the daemon's, by what the kernel says of its socket, also when it does not answer; 0: not known. */
int vd_ctl_request_within(const char *home, const char *line, int ms, struct vd_buf *answer, pid_t *pid);

/* A daemon whose store is open and sealed holds a lock on a byte of ctl.lock; it ends when its keys do, or it does. */
enum { VD_CTL_LENDS = 0 /* which byte */ };
/* Of that file, open: does somebody lend? */
bool vd_ctl_lends(int lock);

enum vd_ctl_process { VD_CTL_RUNS, VD_CTL_STOPPED, VD_CTL_ENDED };
enum vd_ctl_process vd_ctl_process(pid_t);

#endif
