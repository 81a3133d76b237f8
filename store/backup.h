/* Backup: a whole store in one sealed file, made while others use it. Everything of the store is in it, its identities too: who restores it is
 * that device again (a copy, if the first lives: store.h, vd_store_elsewhere, says how that is noticed).
 *
 * The file is sealed to a passphrase, to paper keys, or to both, and looks like random bytes of a whole number of chunks: backup_file.h says every
 * byte of the outside, this:
 *
 *   u8 format ‖ u64 made_ms ‖ u8 sealed ‖ if so the vault key (64) ‖ u64 entries ‖ u64 records
 *   u8 groups ‖ each: id (32) ‖ each lane: u64 count ‖ hash of its digest (32)
 *   each entry of the database: u8 table ‖ key (8 or 16, as its table has) ‖ u32 length ‖ value
 *
 * the inside. Entries, not pages: what is restored is built anew, by whatever LMDB and on whatever machine, and no page of a foreign file is
 * ever mapped. Of a sealed store they stand as they are stored, sealed with the vault key once more. */
#ifndef VD_BACKUP_H
#define VD_BACKUP_H

#include "store.h"
#include "vault.h"

enum { VD_BACKUP_PAPERS = VD_PAPER_SLOTS };

struct vd_backup_stats {
	uint64_t records, bytes;     /* of the file */
	uint64_t made_ms;            /* our clock when it was made */
};
/* Whom it is sealed to. All zero is nobody. A passphrase costs at most VD_VAULT_OPS_MAX passes over VD_VAULT_MEASURED_MAX bytes; what asks for more is
 * refused. */
struct vd_backup_for {
	struct vd_slice passphrase;  /* VD_PASSPHRASE_MIN to VD_PASSPHRASE_MAX bytes; n 0: none */
	const struct vd_vault_cost *cost; /* what guessing it costs; NULL: measured, which takes some seconds */
	struct vd_backup_paper {
		uint8_t author[VD_KEY_BYTES], box[VD_KEY_BYTES]; /* of the paper key's identity */
	} papers[VD_BACKUP_PAPERS];
	size_t paper_count;
	bool (*stop)(void);          /* asked now and then; true: VD_ECLOSED, and nothing is there. NULL: never */
};
/* What it is opened with: either. */
struct vd_backup_key {
	struct vd_slice passphrase;
	const struct vd_identity *paper;
	bool (*stop)(void);
};

/* Of one moment of the store, which is read until the file is written. Whole or not there, read back. Notes when, for doctor; that it cannot is
 * no failure. What stands at `path` is replaced. VD_EINVAL: for nobody, a passphrase too short or long, or no place for a file; VD_EDAMAGED: what is stored
 * is, or the medium gave back other bytes; VD_ENOSPACE, VD_EIO, VD_EDENIED, VD_ENOMEM. */
int vd_backup_create(struct vd_store *, const struct vd_backup_for *, const char *path, uint64_t now_ms, struct vd_backup_stats *);

/* Restores into a folder of its own in the folder `scratch`, checks every record there, and compares the lanes with those of the file. What is
 * written there is sealed, with the vault key of the store or a fresh one, and has no name from the start: whatever ends the process, it is gone.
 * VD_EKEY: this opens it not; VD_ETORN: its end is missing; VD_EDAMAGED: bytes are not what was written, or what was written is not whole;
 * VD_EFORMAT: no backup; VD_EVERSION; VD_ENOTFOUND, VD_EDENIED, VD_EIO; VD_ENOSPACE, VD_ENOSTORE: of `scratch`. */
int vd_backup_verify(const char *path, const struct vd_backup_key *, const char *scratch, struct vd_backup_stats *);

/* Makes a store at `home`, which has none (VD_EEXISTS), sealed with `secret` (and its cost) or, with NULL, readable, whatever it was before. Whole or
 * not there. Arrival numbers go on far behind those of the backup, so that none ever names two records. Errors as above. */
int vd_backup_restore(const char *path, const struct vd_backup_key *, const char *home, const struct vd_secret *secret,
                      const struct vd_vault_cost *, struct vd_backup_stats *);

/* When this store was last backed up, by our clock. VD_ENOTFOUND: never. */
int vd_backup_last(struct vd_store *, uint64_t *made_ms);

#endif
