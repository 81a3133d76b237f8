/* A lane without some authors: what a session speaks of when one of its ends takes no more of theirs. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"
#include "lanes.h"
#include "shares.h"

/* What an author adds to a lane is kept as a lane is (lanes.c), and beside it the value "left out" group, lane, author: u64 repairs
 * (a later one makes it void) ‖ u64 arrival up to which it goes ‖ u64 records of the lane up to there ‖ hash of the lane's wanted set
 * that its wanted part belongs to. */
enum { STATE_BYTES = 24 + VD_HASH_BYTES, AFRESH = 1024 /* records that are passed over each time rather than written down */ };

struct part {
	struct vd_lane_data *data;
	uint64_t through, passed;
	uint8_t wanted[VD_HASH_BYTES];
	bool rewanted;             /* the wanted part is to be made anew */
};

struct leaving {
	struct vd_store *store;
	MDB_txn *txn;
	struct vd_leaving *what;
	const uint8_t *group;
	uint8_t lane;
	uint8_t salt[VD_SALT_BYTES];
	uint8_t wanted[VD_HASH_BYTES]; /* of the whole lane, now */
	uint64_t repairs, through;     /* through: the newest record there is */
	struct part *parts;
	size_t symbols;                /* of each that are read and made */
	bool remember;                 /* worth writing down */
	struct vd_reading reading;
};

int vd_repairs(struct vd_store *s, MDB_txn *txn, uint64_t *out)
{
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	int rc;

	*out = 0;
	vd_value_key(s, "repairs", NULL, 0, key);
	rc = vd_value_get(s, txn, key, &value);
	if (!rc && value.n != 8)
		rc = VD_EDAMAGED;
	if (!rc)
		*out = vd_get_u64(value.p);
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static void state_key(const struct leaving *l, size_t i, uint8_t key[VD_INDEX_KEY_BYTES])
{
	struct vd_slice parts[] = { vd_slice(l->group, VD_GROUP_BYTES), vd_slice(&l->lane, 1),
		                    vd_slice(l->what->who[i].author, VD_KEY_BYTES) };

	vd_value_key(l->store, "left out", parts, 3, key);
}

/* What is remembered of one author: nothing if it does not fit the lane (any more). */
static int recall(struct leaving *l, size_t i, uint64_t lane_count)
{
	struct part *part = &l->parts[i];
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	state_key(l, i, key);
	rc = vd_value_get(l->store, l->txn, key, &value);
	if (!rc) {
		bool fits;

		r = vd_rd(vd_buf_slice(&value));
		fits = vd_rd_u64(&r) == l->repairs;
		part->through = vd_rd_u64(&r);
		part->passed = vd_rd_u64(&r);
		vd_rd_copy(&r, part->wanted, VD_HASH_BYTES);
		if (vd_rd_end(&r) || !fits || part->passed > lane_count)
			*part = (struct part){ 0 };
	}
	vd_buf_deinit(&value);
	part->rewanted = memcmp(part->wanted, l->wanted, VD_HASH_BYTES) != 0;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int part_make(struct leaving *l, size_t i)
{
	struct part *part = &l->parts[i];
	struct vd_lane_data *data = calloc(1, sizeof(*data));
	int rc;

	if (!data)
		return VD_ENOMEM;
	part->data = data;
	memcpy(data->group, l->group, VD_GROUP_BYTES);
	memcpy(data->author, l->what->who[i].author, VD_KEY_BYTES);
	data->lane = l->lane;
	data->of_author = true;
	vd_lane_touch_all(data);
	if (!part->through)
		return VD_OK;
	rc = vd_lane_read_of(l->store, l->txn, data->group, l->lane, data->author, &data->state, data->symbols, l->symbols);
	if (rc != VD_EDAMAGED)
		return rc;
	/* Then nothing is remembered of that author, and it is worth writing down again. */
	memset(&data->state, 0, sizeof(data->state));
	memset(data->symbols, 0, sizeof(data->symbols));
	*part = (struct part){ .data = data, .rewanted = true };
	return VD_OK;
}

/* Which of the authors is it? */
static struct part *part_of(struct leaving *l, const uint8_t *author)
{
	size_t low = 0, high = l->what->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(l->what->who[middle].author, author, VD_KEY_BYTES);

		if (!order)
			return &l->parts[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void take_in(struct leaving *l, struct part *part, const struct vd_stored *stored, bool wanted)
{
	struct vd_item item;

	if (wanted) {
		if (part->rewanted)
			vd_digest_add(&part->data->state.wanted, &stored->id);
		return;
	}
	if (stored->arrival <= part->through)
		return;
	vd_digest_add(&part->data->state.digest, &stored->id);
	if (!l->symbols)
		return;
	vd_item_of(l->salt, &stored->id, &item);
	vd_sketch_apply(part->data->symbols, 0, l->symbols, &item, +1);
}

/* Passes over a list of the lane from behind `after`. What cannot be read is nobody's: the lanes differ until it is repaired. */
static int pass(struct leaving *l, const char *use, uint64_t after)
{
	uint8_t list[VD_LIST_KEY_BYTES];
	MDB_cursor *cursor;
	int rc = vd_db_err(mdb_cursor_open(l->txn, vd_db_table(l->store->db, VD_TABLE_LISTS), &cursor));

	if (rc)
		return rc;
	vd_lane_list(l->store, use, l->group, l->lane, list);
	while (!(rc = vd_list_next(cursor, list, &after))) {
		const uint8_t *author;
		struct vd_stored stored;
		struct part *part;

		if (vd_stored_get(l->store, l->txn, after, &l->reading, &stored))
			continue;
		author = vd_raw_author(stored.raw);
		part = author ? part_of(l, author) : NULL;
		if (part)
			take_in(l, part, &stored, use[0] == 'w');
	}
	mdb_cursor_close(cursor);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* How much is to be passed over, and is that allowed? */
static int weigh(struct leaving *l, const struct vd_lane_state *state)
{
	uint64_t behind = 0, wanted = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < l->what->count && !rc; i++) {
		rc = recall(l, i, state->digest.count);
		if (rc)
			break;
		if (state->digest.count - l->parts[i].passed > behind)
			behind = state->digest.count - l->parts[i].passed;
		if (l->parts[i].rewanted)
			wanted = state->wanted.count;
	}
	l->remember = behind > AFRESH || wanted > AFRESH;
	l->what->passed = l->remember ? behind + wanted : 0;
	return !rc && l->what->passed > l->what->may_pass ? VD_EBUSY : rc;
}

static int work_out(struct leaving *l)
{
	uint64_t after = UINT64_MAX;
	bool rewanted = false;
	int rc = VD_OK;

	for (size_t i = 0; i < l->what->count && !rc; i++) {
		struct part *part = &l->parts[i];

		rc = part_make(l, i);
		if (part->through < after)
			after = part->through;
		if (!rc && part->rewanted)
			memset(&part->data->state.wanted, 0, sizeof(part->data->state.wanted));
		rewanted |= part->rewanted;
	}
	if (!rc)
		rc = pass(l, "lane", after);
	return rc || !rewanted ? rc : pass(l, "wanted", 0);
}

static void take_out(struct vd_digest *from, const struct vd_digest *what)
{
	for (size_t i = 0; i < VD_DIGEST_COMPONENTS; i++)
		from->sum[i] = (uint16_t)(from->sum[i] - what->sum[i]);
	from->count -= what->count;
}

static void subtract(const struct part *part, struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	take_out(&state->digest, &part->data->state.digest);
	take_out(&state->wanted, &part->data->state.wanted);
	for (size_t i = 0; i < n; i++) {
		const struct vd_symbol *one = &part->data->symbols[i];

		for (size_t b = 0; b < VD_ITEM_BYTES; b++)
			symbols[i].sum[b] ^= one->sum[b];
		symbols[i].check ^= one->check;
		symbols[i].count = (int32_t)((uint32_t)symbols[i].count - (uint32_t)one->count);
	}
}

/* For the next time. That it cannot be written down is no reason not to answer. */
static void write_down(struct leaving *l, uint64_t lane_count)
{
	struct vd_write *w;

	if (vd_write_begin(l->store, &w))
		return;
	for (size_t i = 0; i < l->what->count; i++) {
		uint8_t key[VD_INDEX_KEY_BYTES], value[STATE_BYTES];

		vd_set_u64(value, l->repairs);
		vd_set_u64(value + 8, l->through);
		vd_set_u64(value + 16, lane_count);
		memcpy(value + 24, l->wanted, VD_HASH_BYTES);
		state_key(l, i, key);
		vd_effects_put(&w->effects, l->store, VD_TABLE_VALUES, key, sizeof(key), vd_slice(value, sizeof(value)));
		if (!vd_write_lane(w, l->parts[i].data))
			l->parts[i].data = NULL; /* the transaction's now */
	}
	(void)vd_write_end(w);
}

static int salt_of(struct leaving *l)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	size_t count;
	int rc = vd_memberships(l->store, l->txn, in, &count);

	for (size_t i = 0; i < count && !rc; i++)
		if (!memcmp(in[i].group, l->group, VD_GROUP_BYTES)) {
			memcpy(l->salt, in[i].salt, VD_SALT_BYTES);
			return VD_OK;
		}
	return rc ? rc : VD_ENOTFOUND;
}

static int lane_without(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_leaving *leaving,
                        struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	struct leaving l = { .store = s, .group = group, .lane = lane, .what = leaving };
	uint64_t count = 0;
	int rc;

	leaving->passed = 0;
	n = symbols ? n : 0;
	if (lane >= VD_LANES || n > VD_SKETCH_SYMBOLS)
		return VD_EINVAL;
	l.parts = calloc(leaving->count ? leaving->count : 1, sizeof(*l.parts));
	rc = l.parts ? vd_db_read(s->db, &l.txn) : VD_ENOMEM;
	if (!rc)
		rc = vd_lane_read(s, l.txn, group, lane, state, symbols, n);
	if (!rc)
		rc = vd_latest(s, l.txn, &state->latest);
	l.through = state->latest;
	if (!rc)
		rc = vd_repairs(s, l.txn, &l.repairs);
	if (!rc)
		rc = salt_of(&l);
	if (!rc) {
		vd_digest_hash(&state->wanted, l.wanted);
		count = state->digest.count;
		rc = weigh(&l, state);
	}
	l.symbols = l.remember ? VD_SKETCH_SYMBOLS : n;
	if (!rc)
		rc = work_out(&l);
	vd_db_done(s->db, l.txn);
	for (size_t i = 0; i < leaving->count && !rc; i++)
		subtract(&l.parts[i], state, symbols, n);
	if (!rc && l.remember)
		write_down(&l, count);
	for (size_t i = 0; l.parts && i < leaving->count; i++)
		free(l.parts[i].data);
	free(l.parts);
	vd_reading_wipe(&l.reading);
	return rc;
}

int vd_shares_lane(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_leaving *leaving,
                   struct vd_lane_state *state, struct vd_symbol *symbols, size_t n)
{
	int rc = lane_without(s, group, lane, leaving, state, symbols, n);

	if (rc == VD_EDAMAGED && !vd_lane_heal(s, group, lane))
		rc = lane_without(s, group, lane, leaving, state, symbols, n);
	return rc;
}
