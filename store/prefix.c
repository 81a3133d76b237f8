/* Records by the first digits of their id. */
#include <string.h>

#include "index.h"
#include "inside.h"
#include "proto/err.h"

enum { DIGITS_MIN = 6 };       /* fewer would be another record's tomorrow */

static bool starts_with(const struct vd_id *id, const char *hex, size_t digits)
{
	char text[2 * VD_ID_BYTES + 1];

	vd_hex(text, id->b, VD_ID_BYTES);
	return !strncasecmp(text, hex, digits);
}

/* Counts one more candidate in; VD_EAMBIGUOUS when there was another. */
static int candidate(const struct vd_id *id, uint64_t number, const char *hex, size_t digits, uint64_t *arrival)
{
	if (!starts_with(id, hex, digits))
		return VD_OK;
	if (*arrival)
		return VD_EAMBIGUOUS;
	*arrival = number;
	return VD_OK;
}

static int find_in_index(struct vd_store *s, const char *hex, size_t digits, struct vd_slice first, uint64_t *arrival)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	struct vd_reading reading = { 0 };
	MDB_cursor *cursor = NULL;
	uint64_t at = 0;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	vd_index_list(s, VD_INDEX_ID, NULL, first, list);
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_INDEX), &cursor));
	while (!rc && !(rc = vd_list_next(cursor, list, &at))) {
		struct vd_stored stored;

		if (!vd_stored_get(s, txn, at, &reading, &stored))
			rc = candidate(&stored.id, at, hex, digits, arrival);
	}
	if (cursor)
		mdb_cursor_close(cursor);
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int find_by_walk(struct vd_store *s, const char *hex, size_t digits, uint64_t *arrival)
{
	struct vd_page page = { 0 };
	int rc = VD_OK;

	while (!rc && !page.end) {
		rc = vd_page_read(s, NULL, VD_ANY_LANE, page.last, VD_PAGE_RECORDS, false, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			if (!page.entries[i].err)
				rc = candidate(&page.entries[i].id, page.entries[i].arrival, hex, digits, arrival);
		}
	}
	vd_page_deinit(&page);
	return rc;
}

int vd_store_find_prefix(struct vd_store *s, const char *hex, uint64_t *arrival)
{
	size_t digits = strlen(hex);
	uint8_t first[VD_INDEX_ID_PREFIX];
	char start[2 * VD_INDEX_ID_PREFIX + 1] = { 0 };
	uint64_t found = 0;
	size_t n;
	int rc;

	if (digits < DIGITS_MIN || digits > 2 * VD_ID_BYTES ||
	    strspn(hex, "0123456789abcdefABCDEF") != digits)
		return VD_EINVAL;
	memcpy(start, hex, sizeof(start) - 1);
	rc = vd_unhex(first, sizeof(first), start, &n);
	if (rc)
		return rc;
	rc = vd_index_catch_up(s);
	if (!rc)
		rc = find_in_index(s, hex, digits, vd_slice(first, sizeof(first)), &found);
	else if (rc == VD_ENOSPACE || rc == VD_EIO || rc == VD_EBUSY)
		rc = find_by_walk(s, hex, digits, &found);
	if (rc)
		return rc;
	if (!found)
		return VD_ENOTFOUND;
	*arrival = found;
	return VD_OK;
}
