/* Inside backup.c: the sealed file. Bytes in order:
 *
 *   32       salt
 *   2        ops, and the logarithm to 2 of the bytes of memory, that Argon2id takes; XOR the last two bytes of the salt
 *   80       the file key for a passphrase: XChaCha20-Poly1305 of it and 32 zeros, nonce zero, under
 *            Argon2id(passphrase, first 16 bytes of the salt), as passphrase.h says
 *   8 × 80   … for paper keys: a sealed box of it, XOR ChaCha20 under H_mask(author ‖ box ‖ salt ‖ place), so that no curve point shows
 *   24       header of a secretstream (libsodium: XChaCha20-Poly1305) under the file key
 *   n × 64 KiB  its messages, the last one marked; the first is bound to all bytes before it
 *
 * Places nobody has hold random bytes. What is left of the last message is zeros. */
#ifndef VD_BACKUP_FILE_H
#define VD_BACKUP_FILE_H

#include "backup.h"

enum {
	VD_BACKUP_PLACES = 1 + VD_BACKUP_PAPERS,
	VD_BACKUP_COST = VD_SALT_BYTES,              /* where it stands */
	VD_BACKUP_PLACE = VD_BACKUP_COST + 2,
	VD_BACKUP_STREAM = VD_BACKUP_PLACE + VD_BACKUP_PLACES * VD_SLOT_BYTES,
	VD_BACKUP_HEAD = VD_BACKUP_STREAM + 24,
};

/* --- writing --- */

struct vd_backup_out;

int vd_backup_out_open(const char *path, const struct vd_backup_for *, struct vd_backup_out **out);
int vd_backup_out_put(struct vd_backup_out *, struct vd_slice);
/* The last message, then as vd_file_commit. Frees. */
int vd_backup_out_commit(struct vd_backup_out *, uint64_t *bytes);
void vd_backup_out_abort(struct vd_backup_out *); /* NULL is fine */

/* --- reading --- */

/* What stands in a head; VD_EFORMAT: more than we are ready to pay. */
int vd_backup_head_cost(const uint8_t head[VD_BACKUP_HEAD], struct vd_vault_cost *);

struct vd_backup_in;

/* The descriptor is its own from now on, also when this fails. VD_EINVAL: no file; VD_ETORN, VD_EFORMAT, VD_EKEY, VD_ENOMEM, VD_EIO. */
int vd_backup_in_open(int fd, const struct vd_backup_key *, struct vd_backup_in **out);
/* The next n bytes, all or none. VD_ETORN: they are not there; VD_EDAMAGED. */
int vd_backup_in_get(struct vd_backup_in *, void *dst, size_t n);
/* Is nothing left but zeros, and the end marked? VD_ETORN, VD_EDAMAGED. */
int vd_backup_in_end(struct vd_backup_in *);
uint64_t vd_backup_in_bytes(const struct vd_backup_in *); /* of the file */
void vd_backup_in_close(struct vd_backup_in *); /* NULL is fine */

/* --- what stands in it --- */

struct vd_backup_group {
	uint8_t group[VD_GROUP_BYTES];
	struct {
		uint64_t count;
		uint8_t digest[VD_HASH_BYTES];
	} lanes[VD_LANES];
};
struct vd_backup_manifest {
	uint64_t made_ms, entries, records;
	bool sealed;
	uint8_t key[VD_VAULT_KEY_BYTES];             /* when sealed: wipe */
	size_t group_count;
	struct vd_backup_group groups[VD_STORE_GROUPS_MAX];
};
struct vd_backup_entry {
	uint8_t table;                               /* below VD_TABLES */
	uint8_t key[VD_INDEX_KEY_BYTES], key_n;
	struct vd_buf value;
};
/* VD_EVERSION: of a newer vereda; VD_EDAMAGED. */
int vd_backup_manifest_read(struct vd_backup_in *, struct vd_backup_manifest *);
/* The next one; its value's memory is used again. Takes no more memory than was read. */
int vd_backup_entry_read(struct vd_backup_in *, struct vd_backup_entry *);

#endif
