/* Digest, wanted and sketch of each lane, changed in the same commit as its records.
 *
 * Derived data: what does not hold is made anew from the records. The head of a lane says what its parts must be:
 *
 *   digest ‖ u64 stubs ‖ u64 arrival of the last record on the lane's list ‖ u32 check of wanted ‖ a u32 check of every block ‖ u64 its own check
 *
 * So a value that was spoilt, or is of another moment or place, is noticed when it is read, and nobody has to read what it does not
 * need.
 *
 * A block: its symbols one after the other. In the control lane of a readable store, where that is shorter, of each that is not empty u8 which
 * it is ‖ the symbol, ascending, or no value at all: that lane is small everywhere, and would else take as much as one of ten thousand. How
 * long such a block is tells how many records there are, which of control records a disk shows anyway, as they stand alone (stored.h), but of
 * no other lane: a store may be sealed later, and then no value's length must say how many alerts there were. */
#include <stdlib.h>
#include <string.h>

#include "lanes.h"
#include "proto/err.h"
#include "proto/hash.h"

enum {
	SYMBOL_BYTES = VD_ITEM_BYTES + 4 + 4,
	BLOCK_BYTES = SYMBOL_BYTES * VD_SKETCH_BLOCK,
	SPARSE_BYTES = 1 + SYMBOL_BYTES, /* of each symbol of a block that says which there are */
	HEAD_BYTES = VD_DIGEST_STORED_BYTES + 8 + 8 + 4 + 4 * VD_LANE_BLOCKS + 8,
};

_Static_assert(VD_SKETCH_BLOCK <= UINT8_MAX + 1, "as a block says which symbols there are");

/* A part of a lane: which value it is, and what its check is bound to. */
struct part {
	const char *use;
	const uint8_t *group, *author; /* author NULL: of the whole lane */
	uint8_t lane, number[4];
	bool numbered;
};

static struct part part_of(const char *whole, const char *of_author, const uint8_t *group, uint8_t lane, const uint8_t *author,
                           size_t block)
{
	struct part part = { .use = author ? of_author : whole, .group = group, .author = author, .lane = lane };

	part.numbered = block != SIZE_MAX;
	vd_set_u32(part.number, (uint32_t)block);
	return part;
}

static struct part head_of(const uint8_t *group, uint8_t lane, const uint8_t *author)
{
	return part_of("digest", "left digest", group, lane, author, SIZE_MAX);
}

static struct part wanted_of(const uint8_t *group, uint8_t lane, const uint8_t *author)
{
	return part_of("wanted digest", "left wanted", group, lane, author, SIZE_MAX);
}

static struct part block_of(const uint8_t *group, uint8_t lane, const uint8_t *author, size_t block)
{
	return part_of("sketch", "left sketch", group, lane, author, block);
}

static void part_key(const struct vd_store *s, const struct part *part, uint8_t key[VD_INDEX_KEY_BYTES])
{
	struct vd_slice parts[4] = { vd_slice(part->group, VD_GROUP_BYTES), vd_slice(&part->lane, 1) };
	size_t n = 2;

	if (part->numbered)
		parts[n++] = vd_slice(part->number, sizeof(part->number));
	if (part->author)
		parts[n++] = vd_slice(part->author, VD_KEY_BYTES);
	vd_value_key(s, part->use, parts, n, key);
}

static void check_of(const struct part *part, struct vd_slice bytes, uint8_t *out, size_t n)
{
	struct vd_slice parts[] = { vd_slice((const uint8_t *)part->use, strlen(part->use) + 1), vd_slice(part->group, VD_GROUP_BYTES),
		                    vd_slice(&part->lane, 1), vd_slice(part->number, sizeof(part->number)),
		                    vd_slice(part->author, part->author ? VD_KEY_BYTES : 0), bytes };

	vd_hash(VD_HASH_CHECKSUM, vd_slice(NULL, 0), out, n, parts, 6);
}

/* Never 0, which says that there is none. */
static uint32_t small_check(const struct part *part, struct vd_slice bytes)
{
	uint8_t raw[4];

	check_of(part, bytes, raw, sizeof(raw));
	return vd_get_u32(raw) ? vd_get_u32(raw) : 1;
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

static bool is_empty(const struct vd_symbol *symbol)
{
	static const uint8_t nothing[VD_ITEM_BYTES];

	return !symbol->count && !symbol->check && !memcmp(symbol->sum, nothing, sizeof(nothing));
}

/* Bytes of it in `out`; 0: nothing is in it. */
static size_t block_encode(const struct vd_symbol symbols[VD_SKETCH_BLOCK], bool sparse, uint8_t out[BLOCK_BYTES])
{
	size_t there = 0, at = 0;

	for (size_t i = 0; i < VD_SKETCH_BLOCK; i++)
		there += !is_empty(&symbols[i]);
	if (!sparse || there * SPARSE_BYTES >= BLOCK_BYTES) {
		for (size_t i = 0; i < VD_SKETCH_BLOCK; i++)
			symbol_encode(&symbols[i], out + i * SYMBOL_BYTES);
		return BLOCK_BYTES;
	}
	for (size_t i = 0; i < VD_SKETCH_BLOCK; i++) {
		if (is_empty(&symbols[i]))
			continue;
		out[at] = (uint8_t)i;
		symbol_encode(&symbols[i], out + at + 1);
		at += SPARSE_BYTES;
	}
	return at;
}

/* Its first n symbols. VD_EDAMAGED: it is no block. */
static int block_decode(struct vd_slice block, struct vd_symbol *symbols, size_t n)
{
	memset(symbols, 0, n * sizeof(*symbols));
	if (block.n == BLOCK_BYTES) {
		for (size_t i = 0; i < n; i++)
			symbol_decode(block.p + i * SYMBOL_BYTES, &symbols[i]);
		return VD_OK;
	}
	if (block.n > BLOCK_BYTES || block.n % SPARSE_BYTES)
		return VD_EDAMAGED;
	for (size_t at = 0; at < block.n; at += SPARSE_BYTES)
		if (block.p[at] < n)
			symbol_decode(block.p + at + 1, &symbols[block.p[at]]);
	return VD_OK;
}

/* --- reading --- */

/* A value that must have that check; none is there if the check is 0. */
static int get_part(struct vd_store *s, MDB_txn *txn, const struct part *part, uint32_t check, struct vd_buf *out)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	int rc;

	vd_buf_reset(out);
	if (!check)
		return VD_OK;
	part_key(s, part, key);
	rc = vd_value_get(s, txn, key, out);
	if (rc == VD_ENOTFOUND || (!rc && small_check(part, vd_buf_slice(out)) != check))
		rc = VD_EDAMAGED;
	return rc;
}

static int last_on_list(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, uint64_t *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = UINT64_MAX;
	MDB_cursor *cursor;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor));

	*out = 0;
	if (rc)
		return rc;
	vd_lane_list(s, "lane", group, lane, list);
	rc = vd_list_back(cursor, list, &arrival);
	mdb_cursor_close(cursor);
	if (!rc)
		*out = arrival;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_lane_open(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, const uint8_t *author, struct vd_lane_head *head,
                 struct vd_lane_state *state)
{
	const struct part part = head_of(group, lane, author), wanted = wanted_of(group, lane, author);
	uint8_t key[VD_INDEX_KEY_BYTES], check[8];
	struct vd_buf value = { 0 };
	uint64_t last = 0;
	int rc = author ? VD_OK : last_on_list(s, txn, group, lane, &last);

	memset(state, 0, sizeof(*state));
	*head = (struct vd_lane_head){ 0 };
	if (rc)
		return rc;
	part_key(s, &part, key);
	rc = vd_value_get(s, txn, key, &value);
	if (rc == VD_ENOTFOUND && !last)
		return VD_OK; /* nobody wrote to it: checks of 0, and no value */
	if (rc == VD_ENOTFOUND || (!rc && value.n != HEAD_BYTES))
		rc = VD_EDAMAGED;
	if (!rc) {
		struct vd_rd r = vd_rd(vd_slice(value.p + VD_DIGEST_STORED_BYTES, HEAD_BYTES - VD_DIGEST_STORED_BYTES));

		check_of(&part, vd_slice(value.p, HEAD_BYTES - sizeof(check)), check, sizeof(check));
		vd_digest_decode(value.p, &state->digest);
		state->stubs = vd_rd_u64(&r);
		head->last = vd_rd_u64(&r);
		head->wanted = vd_rd_u32(&r);
		for (size_t i = 0; i < VD_LANE_BLOCKS; i++)
			head->blocks[i] = vd_rd_u32(&r);
		if (memcmp(vd_rd_take(&r, sizeof(check)).p, check, sizeof(check)) != 0 || head->last != last)
			rc = VD_EDAMAGED;
	}
	if (!rc)
		rc = get_part(s, txn, &wanted, head->wanted, &value);
	if (!rc && value.n && value.n != VD_DIGEST_STORED_BYTES)
		rc = VD_EDAMAGED;
	if (!rc && value.n)
		vd_digest_decode(value.p, &state->wanted);
	vd_buf_deinit(&value);
	return rc;
}

/* At most a block's symbols, from its first on. */
static int get_block(struct vd_store *s, MDB_txn *txn, const struct part *part, uint32_t check, struct vd_buf *room,
                     struct vd_symbol *symbols, size_t n)
{
	int rc = get_part(s, txn, part, check, room);

	return rc ? rc : block_decode(vd_buf_slice(room), symbols, n);
}

int vd_lane_read_of(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, const uint8_t *author,
                    struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	struct vd_buf room = { 0 };
	struct vd_lane_head head;
	int rc = vd_lane_open(s, txn, group, lane, author, &head, state);

	for (size_t i = 0; i < n && !rc; i += VD_SKETCH_BLOCK) {
		struct part part = block_of(group, lane, author, i / VD_SKETCH_BLOCK);

		rc = get_block(s, txn, &part, head.blocks[i / VD_SKETCH_BLOCK], &room, symbols + i,
		               n - i < VD_SKETCH_BLOCK ? n - i : VD_SKETCH_BLOCK);
	}
	vd_buf_deinit(&room);
	return rc;
}

int vd_lane_read(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, struct vd_lane_state *state,
                 struct vd_symbol *symbols, size_t n)
{
	return vd_lane_read_of(s, txn, group, lane, NULL, state, symbols, n);
}

/* --- changing --- */

static int read_block(struct vd_store *s, MDB_txn *txn, struct vd_lane_data *data, size_t block)
{
	struct part part = block_of(data->group, data->lane, NULL, block);
	struct vd_buf room = { 0 };
	int rc = get_block(s, txn, &part, data->head.blocks[block], &room, data->symbols + block * VD_SKETCH_BLOCK, VD_SKETCH_BLOCK);

	vd_buf_deinit(&room);
	if (!rc) {
		data->touched[block] = true;
		data->touched_count++;
	}
	return rc;
}

int vd_lane_apply(struct vd_store *s, MDB_txn *txn, struct vd_lane_data *data, const struct vd_item *item, int sign)
{
	struct vd_mapping m = vd_mapping_start(item);
	int rc = VD_OK;

	for (; !rc && data->touched_count < VD_LANE_BLOCKS && m.index < VD_SKETCH_SYMBOLS; vd_mapping_next(&m))
		if (!data->touched[m.index / VD_SKETCH_BLOCK])
			rc = read_block(s, txn, data, m.index / VD_SKETCH_BLOCK);
	if (rc == VD_EDAMAGED)
		rc = vd_lane_remake(s, txn, data, false);
	if (!rc)
		vd_sketch_apply(data->symbols, 0, VD_SKETCH_SYMBOLS, item, sign);
	return rc;
}

void vd_lane_touch_all(struct vd_lane_data *data)
{
	memset(data->touched, true, sizeof(data->touched));
	data->touched_count = VD_LANE_BLOCKS;
}

static int salt_of(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t salt[VD_SALT_BYTES])
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t count;
	int rc = vd_memberships(s, txn, in, &count);

	for (size_t i = 0; i < count && !rc; i++)
		if (!memcmp(in[i].group, group, VD_GROUP_BYTES)) {
			memcpy(salt, in[i].salt, VD_SALT_BYTES);
			return VD_OK;
		}
	return rc ? rc : VD_ENOTFOUND;
}

/* The lists may be what is spoilt, so every record is looked at. One that is spoilt itself is nobody's: `check` tells. */
static int take_all(struct vd_store *s, MDB_txn *txn, struct vd_lane_data *data, const uint8_t salt[VD_SALT_BYTES])
{
	struct vd_reading reading = { 0 };
	MDB_cursor *cursor;
	MDB_val k, v;
	int rc = mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_RECORDS), &cursor);

	if (rc)
		return vd_db_err(rc);
	for (rc = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); !rc; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (vd_stored_open(s, txn, &k, &v, &reading))
			continue;
		for (uint64_t at = reading.first; at <= reading.last; at++) {
			struct vd_stored stored;
			struct vd_item item;

			if (vd_reading_record(&reading, at, &stored) || !vd_raw_in(stored.raw, data->group, data->lane))
				continue;
			vd_digest_add(&data->state.digest, &stored.id);
			if (vd_flags_wanted(stored.flags))
				vd_digest_add(&data->state.wanted, &stored.id);
			data->state.stubs += (stored.flags & VD_STORED_STUB) != 0;
			vd_item_of(salt, &stored.id, &item);
			vd_sketch_apply(data->symbols, 0, VD_SKETCH_SYMBOLS, &item, +1);
		}
	}
	mdb_cursor_close(cursor);
	vd_reading_wipe(&reading);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

int vd_lane_remake(struct vd_store *s, MDB_txn *txn, struct vd_lane_data *data, bool head)
{
	struct vd_lane_data *made = calloc(1, sizeof(*made));
	uint8_t salt[VD_SALT_BYTES];
	int rc = made ? salt_of(s, txn, data->group, salt) : VD_ENOMEM;

	if (!rc) {
		memcpy(made->group, data->group, VD_GROUP_BYTES);
		made->lane = data->lane;
		rc = take_all(s, txn, made, salt);
	}
	/* Nothing of this transaction is in a block that it did not touch. */
	for (size_t i = 0; i < VD_LANE_BLOCKS && !rc; i++)
		if (head || !data->touched[i])
			memcpy(data->symbols + i * VD_SKETCH_BLOCK, made->symbols + i * VD_SKETCH_BLOCK, sizeof(made->symbols[0]) * VD_SKETCH_BLOCK);
	if (!rc && head) {
		data->state = made->state;
		data->head.wanted = 0;
		rc = last_on_list(s, txn, data->group, data->lane, &data->head.last);
	}
	if (!rc)
		vd_lane_touch_all(data);
	free(made);
	return rc;
}

static int count_listed(struct vd_store *s, MDB_txn *txn, const uint8_t *group, uint8_t lane, uint64_t *out)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	uint64_t arrival = 0;
	MDB_cursor *cursor;
	int rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_LISTS), &cursor));

	*out = 0;
	if (rc)
		return rc;
	vd_lane_list(s, "lane", group, lane, list);
	while (!(rc = vd_list_next(cursor, list, &arrival)))
		++*out;
	mdb_cursor_close(cursor);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_lanes_count(struct vd_store *s, MDB_txn *txn, uint8_t lane, uint64_t *out)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_lane_state state;
	size_t count;
	int rc = vd_memberships(s, txn, in, &count);

	*out = 0;
	for (size_t i = 0; !rc && i < VD_LANES * count; i++) {
		if (lane != VD_ANY_LANE && lane != i % VD_LANES)
			continue;
		rc = vd_lane_read(s, txn, in[i / VD_LANES].group, i % VD_LANES, &state, NULL, 0);
		if (rc == VD_EDAMAGED)
			rc = count_listed(s, txn, in[i / VD_LANES].group, i % VD_LANES, &state.digest.count); /* until it is healed */
		*out += state.digest.count;
	}
	return rc;
}

int vd_lane_heal(struct vd_store *s, const uint8_t *group, uint8_t lane)
{
	struct vd_lane_data *data;
	struct vd_lane_state state;
	struct vd_write *w;
	MDB_txn *txn;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	data = calloc(1, sizeof(*data));
	rc = data ? vd_db_read(s->db, &txn) : VD_ENOMEM;
	if (rc)
		goto done;
	/* Somebody else may have been faster. */
	rc = vd_lane_read(s, txn, group, lane, &state, data->symbols, VD_SKETCH_SYMBOLS);
	if (rc == VD_EDAMAGED) {
		memcpy(data->group, group, VD_GROUP_BYTES);
		data->lane = lane;
		rc = vd_lane_remake(s, txn, data, true);
		if (!rc)
			rc = vd_write_lane(w, data);
		if (!rc)
			data = NULL; /* the transaction's now */
	}
	vd_db_done(s->db, txn);
	if (!rc) {
		rc = vd_write_end(w);
		w = NULL;
	}
done:
	free(data);
	vd_write_abort(w);
	return rc;
}

void vd_lanes_heal(struct vd_store *s)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t count = 0;
	MDB_txn *txn;

	if (vd_db_read(s->db, &txn))
		return;
	if (vd_memberships(s, txn, in, &count))
		count = 0;
	vd_db_done(s->db, txn);
	for (size_t i = 0; i < count; i++)
		for (uint8_t lane = 0; lane < VD_LANES; lane++) {
			struct vd_lane_state state;

			(void)vd_store_lane(s, in[i].group, lane, &state, NULL, 0);
		}
}

/* --- writing --- */

static int put_part(struct vd_store *s, MDB_txn *txn, const struct part *part, struct vd_slice value, struct vd_buf *room)
{
	MDB_dbi table = vd_db_table(s->db, VD_TABLE_VALUES);
	uint8_t key[VD_INDEX_KEY_BYTES], spot[VD_SPOT_BYTES];
	MDB_val k = { sizeof(key), key }, v;
	int rc;

	part_key(s, part, key);
	vd_buf_reset(room);
	rc = vd_vault_seal(s->vault, vd_spot(VD_TABLE_VALUES, key, VD_INDEX_KEY_BYTES, spot), value, room);
	if (rc)
		return rc;
	v = (MDB_val){ room->n, room->p };
	return mdb_put(txn, table, &k, &v, 0);
}

static int put_wanted(struct vd_store *s, MDB_txn *txn, const struct vd_lane_data *data, const uint8_t *author,
                      struct vd_lane_head *head, struct vd_buf *room)
{
	const struct part part = wanted_of(data->group, data->lane, author);
	uint8_t bytes[VD_DIGEST_STORED_BYTES];
	uint32_t check;

	vd_digest_encode(&data->state.wanted, bytes);
	check = small_check(&part, vd_slice(bytes, sizeof(bytes)));
	if (check == head->wanted)
		return 0;
	head->wanted = check;
	return put_part(s, txn, &part, vd_slice(bytes, sizeof(bytes)), room);
}

static int remove_part(struct vd_store *s, MDB_txn *txn, const struct part *part)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	MDB_val k = { sizeof(key), key };
	int rc;

	part_key(s, part, key);
	rc = mdb_del(txn, vd_db_table(s->db, VD_TABLE_VALUES), &k, NULL);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int put_block(struct vd_store *s, MDB_txn *txn, const struct vd_lane_data *data, const uint8_t *author, size_t block,
                     struct vd_lane_head *head, struct vd_buf *room)
{
	const struct part part = block_of(data->group, data->lane, author, block);
	bool sparse = data->lane == VD_LANE_CONTROL && vd_vault_readable(s->vault);
	uint8_t bytes[BLOCK_BYTES];
	struct vd_slice value = vd_slice(bytes, block_encode(data->symbols + block * VD_SKETCH_BLOCK, sparse, bytes));

	head->blocks[block] = value.n ? small_check(&part, value) : 0;
	return value.n ? put_part(s, txn, &part, value, room) : remove_part(s, txn, &part);
}

/* *data stays as it is: a transaction that found the map too small is made again. */
int vd_lane_put(struct vd_store *s, MDB_txn *txn, const struct vd_lane_data *data)
{
	const uint8_t *author = data->of_author ? data->author : NULL;
	const struct part part = head_of(data->group, data->lane, author);
	uint8_t check[8], digest[VD_DIGEST_STORED_BYTES];
	struct vd_lane_head head = data->head;
	struct vd_buf room = { 0 }, value = { 0 };
	int rc = put_wanted(s, txn, data, author, &head, &room);

	for (size_t i = 0; i < VD_LANE_BLOCKS && !rc; i++)
		if (data->touched[i])
			rc = put_block(s, txn, data, author, i, &head, &room);
	vd_digest_encode(&data->state.digest, digest);
	vd_buf_put(&value, digest, sizeof(digest));
	vd_buf_put_u64(&value, data->state.stubs);
	vd_buf_put_u64(&value, head.last);
	vd_buf_put_u32(&value, head.wanted);
	for (size_t i = 0; i < VD_LANE_BLOCKS; i++)
		vd_buf_put_u32(&value, head.blocks[i]);
	if (!rc)
		rc = vd_buf_check(&value);
	if (!rc) {
		check_of(&part, vd_buf_slice(&value), check, sizeof(check));
		vd_buf_put(&value, check, sizeof(check));
		rc = vd_buf_check(&value);
	}
	if (!rc)
		rc = put_part(s, txn, &part, vd_buf_slice(&value), &room);
	vd_buf_deinit(&value);
	vd_buf_deinit(&room);
	return rc;
}
