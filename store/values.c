#include <string.h>

#include "inside.h"
#include "proto/err.h"

struct vd_slice vd_spot(enum vd_table table, const uint8_t *key, size_t n, uint8_t room[VD_SPOT_BYTES])
{
	room[0] = (uint8_t)table;
	memcpy(room + 1, key, n);
	return vd_slice(room, 1 + n);
}

void vd_value_key(const struct vd_store *s, const char *use, const struct vd_slice *parts, size_t count,
                  uint8_t key[VD_INDEX_KEY_BYTES])
{
	vd_vault_index_key(s->vault, use, parts, count, key);
}

int vd_value_get(struct vd_store *s, MDB_txn *txn, const uint8_t key[VD_INDEX_KEY_BYTES], struct vd_buf *out)
{
	MDB_val k = { VD_INDEX_KEY_BYTES, (void *)(uintptr_t)key }, v;
	struct vd_buf room = { 0 };
	uint8_t spot[VD_SPOT_BYTES];
	struct vd_slice value;
	int rc = vd_db_err(mdb_get(txn, vd_db_table(s->db, VD_TABLE_VALUES), &k, &v));

	if (rc)
		return rc;
	rc = vd_vault_open(s->vault, vd_spot(VD_TABLE_VALUES, key, VD_INDEX_KEY_BYTES, spot),
	                   vd_slice(v.mv_data, v.mv_size), &room, &value);
	if (!rc) {
		vd_buf_put_slice(out, value);
		rc = vd_buf_check(out);
	}
	vd_buf_wipe(&room);
	return rc;
}

int vd_value_read(struct vd_store *s, const char *use, const struct vd_slice *parts, size_t count, struct vd_buf *out)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	MDB_txn *txn;
	int rc;

	vd_value_key(s, use, parts, count, key);
	rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	rc = vd_value_get(s, txn, key, out);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_memberships(struct vd_store *s, MDB_txn *txn, struct vd_membership *out, size_t *count)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf list = { 0 };
	int rc;

	*count = 0;
	vd_value_key(s, "groups", NULL, 0, key);
	rc = vd_value_get(s, txn, key, &list);
	if (rc == VD_ENOTFOUND)
		rc = VD_OK;
	if (!rc && (list.n % sizeof(*out) || list.n / sizeof(*out) > VD_STORE_GROUPS_MAX))
		rc = VD_EDAMAGED;
	if (!rc && list.n) {
		*count = list.n / sizeof(*out);
		memcpy(out, list.p, list.n); /* group ‖ salt, packed as it stands */
	}
	vd_buf_deinit(&list);
	return rc;
}
