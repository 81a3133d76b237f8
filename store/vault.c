#include "vault.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hash.h"

enum { PARTS_MAX = 8 };

struct vd_vault {
	uint8_t index_key[VD_KEY_BYTES];
	bool readable;
};

struct vd_vault *vd_vault_new_plain(void)
{
	struct vd_vault *v = calloc(1, sizeof(*v));

	if (v)
		v->readable = true; /* and the index key stays all zero: there is nothing to hide */
	return v;
}

void vd_vault_free(struct vd_vault *v)
{
	if (v)
		sodium_memzero(v, sizeof(*v));
	free(v);
}

bool vd_vault_readable(const struct vd_vault *v)
{
	return v->readable;
}

int vd_vault_seal(const struct vd_vault *v, struct vd_slice place, struct vd_slice value, struct vd_buf *out)
{
	(void)v;
	(void)place;
	vd_buf_put_u8(out, VD_SEAL_PLAIN);
	vd_buf_put_slice(out, value);
	return vd_buf_check(out);
}

int vd_vault_open(const struct vd_vault *v, struct vd_slice place, struct vd_slice sealed, struct vd_buf *room,
                  struct vd_slice *value)
{
	(void)v;
	(void)place;
	(void)room;
	if (!sealed.n)
		return VD_EDAMAGED;
	if (sealed.p[0] != VD_SEAL_PLAIN)
		return VD_EVERSION;
	*value = vd_slice(sealed.p + 1, sealed.n - 1);
	return VD_OK;
}

void vd_vault_index_key(const struct vd_vault *v, const char *use, const struct vd_slice *parts, size_t count,
                        uint8_t out[VD_INDEX_KEY_BYTES])
{
	struct vd_slice all[1 + PARTS_MAX] = { vd_slice(use, strlen(use) + 1) };

	if (count > PARTS_MAX)
		abort(); /* our own table of uses never comes near */
	for (size_t i = 0; i < count; i++)
		all[1 + i] = parts[i];
	vd_hash(VD_HASH_INDEX, vd_slice(v->index_key, sizeof(v->index_key)), out, VD_INDEX_KEY_BYTES, all, 1 + count);
}
