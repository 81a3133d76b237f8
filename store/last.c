/* What an author wrote last, without reading what they wrote before. */
#include <string.h>

#include "index.h"
#include "inside.h"
#include "proto/err.h"

int vd_index_last(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t *arrivals,
                  size_t max, size_t *count)
{
	uint8_t list[VD_LIST_KEY_BYTES], from[VD_ENTRY_BYTES];
	MDB_val k = { sizeof from, from }, v;
	MDB_cursor *cursor;
	MDB_txn *txn;
	int rc = vd_index_catch_up(s);

	*count = 0;
	/* A disk that takes nothing keeps nobody from reading what the index has. */
	if (!rc || rc == VD_ENOSPACE || rc == VD_EIO || rc == VD_EBUSY)
		rc = vd_db_read(s->db, &txn);
	if (rc)
		return rc;
	vd_index_list(s, VD_INDEX_AUTHOR, group, vd_slice(author, VD_KEY_BYTES), list);
	vd_entry_key(list, UINT64_MAX, from);
	rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor);
	if (!rc) {
		/* The first past its end, and from there back. */
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
		rc = mdb_cursor_get(cursor, &k, &v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
		while (!rc && *count < max && k.mv_size == VD_ENTRY_BYTES && !memcmp(k.mv_data, list, VD_LIST_KEY_BYTES)) {
			arrivals[(*count)++] = vd_get_u64((const uint8_t *)k.mv_data + VD_LIST_KEY_BYTES);
			rc = mdb_cursor_get(cursor, &k, &v, MDB_PREV);
		}
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	return rc == MDB_NOTFOUND ? 0 : vd_db_err(rc);
}
