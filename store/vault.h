/* The one seal function for values and the one key function for index keys. Plain until a passphrase or a token
 * protects the store; the bytes already have their place: a value starts with the version of its seal. */
#ifndef VD_VAULT_H
#define VD_VAULT_H

#include "proto/bytes.h"
#include "proto/limits.h"

struct vd_vault;

enum { VD_SEAL_PLAIN = 0, VD_INDEX_KEY_BYTES = 16 };

/* NULL: no memory. */
struct vd_vault *vd_vault_new_plain(void);
void vd_vault_free(struct vd_vault *);
/* Is what it seals readable by whoever holds the disk? */
bool vd_vault_readable(const struct vd_vault *);

/* Appends the sealed value to *out. `place` (database and key) is authenticated so that values cannot be swapped. */
int vd_vault_seal(const struct vd_vault *, struct vd_slice place, struct vd_slice value, struct vd_buf *out);
/* *value borrows from `sealed` when plain, else from *room. VD_EDAMAGED, VD_EVERSION, VD_EKEY. */
int vd_vault_open(const struct vd_vault *, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room,
                  struct vd_slice *value);
/* A fixed-size key for an exact look-up: H_index(vault index key; use ‖ NUL ‖ parts)[16]. In the plain vault
 * the index key is a constant. */
void vd_vault_index_key(const struct vd_vault *, const char *use, const struct vd_slice *parts, size_t count,
                        uint8_t out[VD_INDEX_KEY_BYTES]);

#endif
