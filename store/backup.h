/* Backup: a whole store in one sealed file, made while others use it. Everything of the store is in it, its identities too: who restores it is
 * that device again (a copy, if the first lives: acts.h, index.h say what becomes of those).
 *
 * File: salt ‖ cost ‖ two places for the file key (passphrase; paper key), then chunks as in PROTOCOL.md section 7 (STREAM), over a compact copy of the database and
 * the vault key. backup.c says every byte. */
#ifndef VD_BACKUP_H
#define VD_BACKUP_H

#include "store.h"
#include "vault.h"

struct vd_backup_stats {
	uint64_t records, bytes;     /* of the file */
	uint64_t made_ms;            /* our clock when it was made */
};
/* Whom it is sealed to: a passphrase, the card of a paper key (acts.h), or both. */
struct vd_backup_for {
	struct vd_slice passphrase;
	const struct vd_card *paper; /* NULL: none */
};
/* Hot; whole or not there; read back. Notes when, for doctor. VD_EEXISTS: something stands at `path`; VD_EINVAL: for nobody; VD_ENOSPACE, VD_EIO. */
int vd_backup_create(struct vd_store *, const struct vd_backup_for *, const char *path, uint64_t now_ms, struct vd_backup_stats *);
/* Opens with a passphrase, or a paper's identity (NULL: none). Restores into a folder beside `scratch` (made, and removed again), checks every record there,
 * and compares the digests with those that stand in the file. VD_EKEY, VD_ETORN, VD_EDAMAGED, VD_EFORMAT. */
int vd_backup_verify(const char *path, struct vd_slice passphrase, const struct vd_identity *paper, const char *scratch, struct vd_backup_stats *);
/* Makes a store at `home`, which has none (VD_EEXISTS), sealed with `secret` or, with NULL, readable. Whole or not there. */
int vd_backup_restore(const char *path, struct vd_slice passphrase, const struct vd_identity *paper, const char *home,
                      const struct vd_secret *secret, struct vd_backup_stats *);
/* When this store was last backed up. VD_ENOTFOUND. */
int vd_backup_last(struct vd_store *, uint64_t *made_ms);

#endif
