/* Locked and unlocked: how the daemon gets and gives up its keys. By the control socket (ctl.h), by a token (token.h), and what it took along unread meanwhile
 * (store/inbox.h). Part of the loop. */
#ifndef VD_LOCKED_H
#define VD_LOCKED_H

#include "ctl_server.h"
#include "loop_inside.h"

/* Opens the store with what is there: nothing, for a readable one; the token. Without a key a sealed store is no error: d->store stays NULL. Logs what is one. */
int vd_locked_open(struct daemon *);
/* Once the control socket stands, and the rest of an open store: looks after the token, or for it. */
void vd_locked_started(struct daemon *);
/* From here on this process can be locked at any moment, by signal too: what is to be passed on, as of now. */
int vd_locked_prepare(struct daemon *);
/* key, lock and unlock. False: the process that this one becomes answers. */
bool vd_locked_command(struct daemon *, const struct vd_ctl_asked *, struct vd_buf *answer);
/* Takes in the inbox beside the loop. */
void vd_locked_take_in(struct daemon *);
void vd_locked_stop(struct daemon *);

#endif
