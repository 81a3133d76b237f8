#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum { SYMBOL_BYTES = VD_ITEM_BYTES + 4 + 4, BLOCK_BYTES = SYMBOL_BYTES * VD_SKETCH_BLOCK };

/* author NULL: of the whole lane. */
static void digest_key(const struct vd_store *s, const uint8_t *group, uint8_t lane, const uint8_t *author,
                       uint8_t key[VD_INDEX_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(&lane, 1), vd_slice(author, VD_KEY_BYTES) };

	vd_value_key(s, author ? "left digest" : "digest", parts, author ? 3 : 2, key);
}

static void wanted_key(const struct vd_store *s, const uint8_t *group, uint8_t lane, const uint8_t *author,
                       uint8_t key[VD_INDEX_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(&lane, 1), vd_slice(author, VD_KEY_BYTES) };

	vd_value_key(s, author ? "left wanted" : "wanted digest", parts, author ? 3 : 2, key);
}

static void block_key(const struct vd_store *s, const uint8_t *group, uint8_t lane, const uint8_t *author, size_t block,
                      uint8_t key[VD_INDEX_KEY_BYTES])
{
	uint8_t number[4];
	struct vd_slice parts[] = { vd_slice(group, VD_GROUP_BYTES), vd_slice(&lane, 1),
		                    vd_slice(number, sizeof(number)), vd_slice(author, VD_KEY_BYTES) };

	vd_set_u32(number, (uint32_t)block);
	vd_value_key(s, author ? "left sketch" : "sketch", parts, author ? 4 : 3, key);
}

static void symbol_encode(const struct vd_symbol *symbol, uint8_t *out)
{
	memcpy(out, symbol->sum, VD_ITEM_BYTES);
	vd_set_u32(out + VD_ITEM_BYTES, symbol->check);
	vd_set_u32(out + VD_ITEM_BYTES + 4, (uint32_t)symbol->count);
}

static void symbol_decode(const uint8_t *in, struct vd_symbol *symbol)
{
	memcpy(symbol->sum, in, VD_ITEM_BYTES);
	symbol->check = vd_get_u32(in + VD_ITEM_BYTES);
	symbol->count = (int32_t)vd_get_u32(in + VD_ITEM_BYTES + 4);
}

/* Reads one value that must have exactly `n` bytes; absent: *out stays empty. */
static int get_exact(struct vd_store *s, MDB_txn *txn, const uint8_t key[VD_INDEX_KEY_BYTES], size_t n,
                     struct vd_buf *out)
{
	int rc;

	vd_buf_reset(out);
	rc = vd_value_get(s, txn, key, out);
	if (rc == VD_ENOTFOUND)
		return VD_OK;
	if (!rc && out->n != n)
		rc = VD_EDAMAGED;
	return rc;
}

int vd_lane_read(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, struct vd_lane_state *state,
                 struct vd_symbol *symbols, size_t n)
{
	return vd_lane_read_of(s, txn, group, lane, NULL, state, symbols, n);
}

int vd_lane_read_of(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, const uint8_t *author,
                    struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	int rc;

	memset(state, 0, sizeof(*state));
	if (n)
		memset(symbols, 0, n * sizeof(*symbols));
	digest_key(s, group, lane, author, key);
	rc = get_exact(s, txn, key, VD_DIGEST_STORED_BYTES, &value);
	if (!rc && value.n)
		vd_digest_decode(value.p, &state->digest);
	if (!rc) {
		wanted_key(s, group, lane, author, key);
		rc = get_exact(s, txn, key, VD_DIGEST_STORED_BYTES, &value);
	}
	if (!rc && value.n)
		vd_digest_decode(value.p, &state->wanted);
	for (size_t i = 0; i < n && !rc; i += VD_SKETCH_BLOCK) {
		block_key(s, group, lane, author, i / VD_SKETCH_BLOCK, key);
		rc = get_exact(s, txn, key, BLOCK_BYTES, &value);
		for (size_t j = 0; !rc && value.n && j < VD_SKETCH_BLOCK && i + j < n; j++)
			symbol_decode(value.p + j * SYMBOL_BYTES, &symbols[i + j]);
	}
	vd_buf_deinit(&value);
	return rc;
}

static int put_if_other(struct vd_store *s, MDB_txn *txn, const uint8_t key[VD_INDEX_KEY_BYTES],
                        struct vd_slice value, struct vd_buf *room)
{
	MDB_dbi table = vd_db_table(s->db, VD_TABLE_VALUES);
	MDB_val k = { VD_INDEX_KEY_BYTES, (void *)(uintptr_t)key }, v;
	uint8_t spot[VD_SPOT_BYTES];
	int rc;

	vd_buf_reset(room);
	rc = vd_value_get(s, txn, key, room);
	if (!rc && vd_slice_eq(vd_buf_slice(room), value))
		return 0;
	vd_buf_reset(room);
	rc = vd_vault_seal(s->vault, vd_spot(VD_TABLE_VALUES, key, VD_INDEX_KEY_BYTES, spot), value, room);
	if (rc)
		return rc;
	v = (MDB_val){ room->n, room->p };
	return mdb_put(txn, table, &k, &v, 0);
}

int vd_lane_put(struct vd_store *s, MDB_txn *txn, const struct vd_lane_data *lane)
{
	uint8_t key[VD_INDEX_KEY_BYTES], bytes[VD_DIGEST_STORED_BYTES + BLOCK_BYTES];
	const uint8_t *author = lane->of_author ? lane->author : NULL;
	struct vd_buf room = { 0 };
	int rc;

	digest_key(s, lane->group, lane->lane, author, key);
	vd_digest_encode(&lane->state.digest, bytes);
	rc = put_if_other(s, txn, key, vd_slice(bytes, VD_DIGEST_STORED_BYTES), &room);
	if (!rc) {
		wanted_key(s, lane->group, lane->lane, author, key);
		vd_digest_encode(&lane->state.wanted, bytes);
		rc = put_if_other(s, txn, key, vd_slice(bytes, VD_DIGEST_STORED_BYTES), &room);
	}
	for (size_t block = 0; block < VD_LANE_BLOCKS && !rc; block++) {
		for (size_t j = 0; j < VD_SKETCH_BLOCK; j++)
			symbol_encode(&lane->symbols[block * VD_SKETCH_BLOCK + j], bytes + j * SYMBOL_BYTES);
		block_key(s, lane->group, lane->lane, author, block, key);
		rc = put_if_other(s, txn, key, vd_slice(bytes, BLOCK_BYTES), &room);
	}
	vd_buf_deinit(&room);
	return rc;
}
