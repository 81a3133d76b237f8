/* Sealing a readable store where it stands. */
#ifndef VD_SEALING_H
#define VD_SEALING_H

#include "store.h"
#include "vault.h"

/* Seals the store of `home` with a secret whose passphrase costs that much. Nobody may have it open, this process neither. All that is in it stays:
 * arrival numbers, indexes, notes. It takes as much room again until it is done.
 *
 * A sealed copy is made in the folder `sealing`, compared with the store value by value, and made durable; the file `vault` decides: without it the readable
 * store stands as it did, with it the sealed one does. Then the files change places, and the readable one, and broken ones that a repair had
 * set aside, are overwritten and removed. A power cut at any moment leaves one of the two whole, and whoever opens the store next finishes. What a flash medium
 * keeps of overwritten bytes nobody can promise.
 *   VD_EEXISTS    it is sealed
 *   VD_EBUSY      another process has it open
 *   VD_EINVAL     the secret is too short or long; cost out of bounds
 *   VD_EDAMAGED   the store is broken: repair it first
 *   VD_ENOSTORE, VD_EVERSION, VD_EDENIED, VD_ENOSPACE, VD_EIO, VD_ENOMEM
 * In all these cases nothing was changed. VD_EIO and VD_EDENIED can also mean that the store is sealed, and that its readable file could not be removed yet; opening it tries
 * again and says the same until it is. */
int vd_store_seal(const char *home, const struct vd_secret *, const struct vd_vault_cost *);

/* Finishes, or clears away, what an interrupted sealing left: before a store is opened, made or mended. */
int vd_sealing_finish(const char *home);
/* The same for who holds the writers' lock of that folder. */
int vd_sealing_finish_locked(int home);

#endif
