/* Packed lists: which arrival numbers stand on which list, densely.
 *
 * A table of lists is one ordered set of entries, list (8 bytes) ‖ arrival (8 bytes). Neighbours share a block: the first entry is its key,
 * and the value says the others by how far each lies behind the one before. So an arrival on a long list takes one or two bytes, and one on
 * a list of its own some seven, where an entry with a key to itself took 36. Blocks are split like the pages of a B-tree; one that only
 * grows at its end is left full behind.
 *
 * The value: nothing of a block of one entry; else
 *   u8 k (1 to 8): how many bytes of the list keys in it are not all zero at the end, then for each further entry
 *   varint 0 ‖ varint how much larger the list's first k bytes are, as a number ‖ varint arrival     (another list)
 *   varint how much larger the arrival is                                                            (the same list) */
#ifndef VD_LISTS_H
#define VD_LISTS_H

#include <lmdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault.h"

enum { VD_ENTRY_BYTES = VD_LIST_KEY_BYTES + 8 };

void vd_entry_key(const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival, uint8_t entry[VD_ENTRY_BYTES]);

/* All of these: the cursor is on a table of lists, and stands somewhere else afterwards. VD_EDAMAGED: a block is not what it must be. */

/* Next arrival > *arrival of a list. VD_ENOTFOUND at its end. */
int vd_list_next(MDB_cursor *, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *arrival);
/* The next `max` of them at most, for less than one after the other; *n of them, fewer at its end, and *after moves to the last. After an
 * error those of *n are right. */
int vd_list_some(MDB_cursor *, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *after, uint64_t *out, size_t max, size_t *n);
/* The one before: the last < *arrival. */
int vd_list_back(MDB_cursor *, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *arrival);
bool vd_list_has(MDB_cursor *, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival);
/* The entries of one block, as it stands in a table. */
int vd_lists_block(const MDB_val *key, const MDB_val *value, int (*visit)(void *ctx, const uint8_t entry[VD_ENTRY_BYTES]), void *ctx);
/* Every entry of the table in order, until `visit` returns other than 0. */
int vd_lists_walk(MDB_cursor *, int (*visit)(void *ctx, const uint8_t entry[VD_ENTRY_BYTES]), void *ctx);
/* How many entries the table has. */
int vd_lists_count(MDB_cursor *, uint64_t *count);

/* What a transaction does to one entry. */
struct vd_entry_change {
	uint8_t entry[VD_ENTRY_BYTES];
	bool remove;
};
/* Ascending, each entry once. What is there already, or not there to be removed, is no error. Returns LMDB's codes or ours. */
int vd_lists_change(MDB_cursor *, const struct vd_entry_change *, size_t count);

#endif
