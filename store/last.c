/* What an author wrote last, without reading what they wrote before. */
#include <string.h>

#include "index.h"
#include "inside.h"
#include "proto/err.h"

int vd_index_last(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t author[VD_KEY_BYTES], uint64_t *arrivals,
                  size_t max, size_t *count)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = UINT64_MAX;
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
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor));
	if (!rc) {
		while (*count < max && !(rc = vd_list_back(cursor, list, &arrival)))
			arrivals[(*count)++] = arrival;
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}
