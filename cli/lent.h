/* A key that was lent is given back. While a command has a sealed store open, a thread looks every quarter of a second:
 *   - does veredad still lend? (by the lock it holds on ctl.lock meanwhile, which ends with its keys, however it ends: lock, a pulled token, the panic signal, a crash)
 *     Only for a key that it lent: who typed the passphrase holds the key for themselves, until the command ends.
 *   - do the key slots still stand? Not after a wipe, for nobody.
 * If not, the key is wiped at once, and the command ends within half a second with VD_EXIT_KEY or VD_EXIT_NO_STORE: in its own order where it can be interrupted. */
#ifndef VD_LENT_H
#define VD_LENT_H

#include "cli.h"

/* From here until vd_lent_stop, which comes before cli->store is closed. A thread that cannot be started ends nothing. */
void vd_lent_watch(struct vd_cli *, bool lent);
void vd_lent_stop(void);
/* Was the key taken back? Whatever fails now fails for that: nothing is said of it but what vd_lent_code says. */
bool vd_lent_over(void);
/* For the end of the program: its exit code, having said why, if the key was taken back before it was done. */
int vd_lent_code(struct vd_cli *, int code);

#endif
