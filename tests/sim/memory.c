#include "hearsay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
	if (!p)
		abort();
	return p;
}

/* --- index --- */

static void index_put(struct memory_index *x, uint64_t key, uint32_t record)
{
	size_t i;

	if (2 * (x->count + 1) > x->capacity) {
		struct memory_index bigger = { .capacity = x->capacity ? 2 * x->capacity : 64 };

		bigger.slots = must(calloc(bigger.capacity, sizeof(*bigger.slots)));
		bigger.keys = must(calloc(bigger.capacity, sizeof(*bigger.keys)));
		for (i = 0; i < x->capacity; i++)
			if (x->slots[i])
				index_put(&bigger, x->keys[i], x->slots[i] - 1);
		free(x->slots);
		free(x->keys);
		*x = bigger;
	}
	for (i = key % x->capacity; x->slots[i]; i = (i + 1) % x->capacity)
		;
	x->slots[i] = record + 1;
	x->keys[i] = key;
	x->count++;
}

/* The n-th record under that key, or -1. */
static int64_t index_get(const struct memory_index *x, uint64_t key, size_t n)
{
	if (!x->capacity)
		return -1;
	for (size_t i = key % x->capacity; x->slots[i]; i = (i + 1) % x->capacity)
		if (x->keys[i] == key && n-- == 0)
			return (int64_t)x->slots[i] - 1;
	return -1;
}

static int64_t find(const struct memory *m, const struct vd_id *id)
{
	int64_t i;

	for (size_t n = 0; (i = index_get(&m->by_id, vd_get_u64(id->b), n)) >= 0; n++)
		if (memcmp(&m->records[i].id, id, sizeof(*id)) == 0)
			return i;
	return -1;
}

/* What a record is found by: the item, of which in a narrow store the first bits say it all. */
static uint64_t item_key(const struct memory *m, const uint8_t item[VD_ITEM_BYTES])
{
	unsigned bits = m->narrow;
	uint64_t key = bits ? vd_get_u64(item) >> (64 - bits) : 0;

	return bits ? key << (64 - bits) | (key * UINT64_C(0x9e3779b97f4a7c15) >> bits) : vd_get_u64(item);
}

/* --- port --- */

static int port_lane(void *ctx, const uint8_t *group, uint8_t lane, struct vd_lane_state *out, struct vd_symbol *symbols, size_t n)
{
	struct memory *m = ctx;

	(void)group;
	assert(n <= VD_SKETCH_SYMBOLS);
	*out = m->lanes[lane];
	out->latest = m->count;
	if (symbols)
		memcpy(symbols, m->symbols[lane], n * sizeof(*symbols));
	for (size_t i = 0; symbols && m->lies && i < n; i++)
		symbols[i].sum[0] ^= (uint8_t)(i * 31 + 1);
	return VD_OK;
}

static int port_lane_without(void *ctx, const uint8_t *group, uint8_t lane, struct vd_leaving *leaving, struct vd_lane_state *out,
                             struct vd_symbol *symbols, size_t n)
{
	struct memory *m = ctx;
	int rc = port_lane(ctx, group, lane, out, symbols, n);

	leaving->passed = m->dear ? m->count : 0;
	if (leaving->passed > leaving->may_pass)
		return VD_EBUSY;
	for (size_t i = 0; i < m->count; i++) {
		const struct memory_record *r = &m->records[i];
		bool left = false;

		for (size_t k = 0; k < leaving->count && r->lane == lane; k++)
			left |= memcmp(leaving->who[k].author, r->author, VD_KEY_BYTES) == 0;
		if (!left)
			continue;
		vd_digest_remove(&out->digest, &r->id);
		if (r->stub)
			vd_digest_remove(&out->wanted, &r->id);
		out->stubs -= r->stub;
		if (symbols)
			vd_sketch_apply(symbols, 0, n, &r->item, -1);
	}
	return rc;
}

static int port_declined(void *ctx, const uint8_t *group, struct vd_declined_set *out)
{
	(void)group;
	*out = ((struct memory *)ctx)->declined;
	return VD_OK;
}

static void arrival_of(const struct memory *m, size_t i, struct vd_arrival *out)
{
	*out = (struct vd_arrival){ .arrival = i + 1, .id = m->records[i].id, .stub = m->records[i].stub };
	memcpy(out->author, m->records[i].author, VD_KEY_BYTES);
}

static int port_find_item(void *ctx, const uint8_t *group, uint8_t lane, const uint8_t item[VD_ITEM_BYTES],
                          struct vd_arrival *out, size_t max, size_t *n)
{
	struct memory *m = ctx;
	int64_t i;

	(void)group;
	*n = 0;
	for (size_t k = 0; *n < max && (i = index_get(&m->by_item, item_key(m, item), k)) >= 0; k++)
		if (m->records[i].lane == lane)
			arrival_of(m, (size_t)i, &out[(*n)++]);
	return VD_OK;
}

static int port_read(void *ctx, uint64_t arrival, struct vd_buf *out)
{
	struct memory *m = ctx;

	if (!arrival || arrival > m->count || !m->records[arrival - 1].raw)
		return VD_ENOTFOUND;
	vd_buf_put(out, m->records[arrival - 1].raw, m->records[arrival - 1].raw_bytes);
	if (m->flips && ++m->reads % 8 == 0)
		out->p[out->n - 1 - m->reads * 7919 % m->records[arrival - 1].raw_bytes] ^= 4;
	return VD_OK;
}

static int port_scan(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max, size_t *n)
{
	struct memory *m = ctx;

	(void)group;
	*n = 0;
	for (size_t i = (size_t)after; i < m->count && *n < max; i++)
		if (lane == 255 || m->records[i].lane == lane)
			arrival_of(m, i, &out[(*n)++]);
	return VD_OK;
}

static int port_numbers(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, uint64_t *out, size_t max, size_t *n)
{
	struct memory *m = ctx;

	(void)group;
	*n = 0;
	for (size_t i = (size_t)after; i < m->count && *n < max; i++)
		if (m->records[i].lane == lane)
			out[(*n)++] = i + 1;
	return VD_OK;
}

static int port_wanted(void *ctx, const uint8_t *group, uint8_t lane, uint64_t after, struct vd_arrival *out, size_t max,
                       size_t *n)
{
	struct memory *m = ctx;

	(void)group;
	*n = 0;
	for (size_t i = (size_t)after; i < m->count && *n < max; i++)
		if (m->records[i].lane == lane && m->records[i].stub)
			arrival_of(m, i, &out[(*n)++]);
	return VD_OK;
}

static bool port_vouched(void *ctx, const struct vd_record *r)
{
	struct memory *m = ctx;
	int64_t i;

	for (size_t n = 0; (i = index_get(&m->by_prev, vd_get_u64(r->id.b), n)) >= 0; n++) {
		const struct memory_record *s = &m->records[i];

		if (memcmp(&s->prev, &r->id, sizeof(s->prev)) == 0 && s->lane == r->lane && s->seq == r->seq + 1 &&
		    memcmp(s->author, r->author, sizeof(s->author)) == 0)
			return true;
	}
	return false;
}

/* --- store --- */

void memory_init(struct memory *m, struct vd_group *group, const uint8_t salt[VD_SALT_BYTES])
{
	*m = (struct memory){ .group = group };
	m->port = (struct vd_port){ m,         port_lane, port_lane_without, port_declined, port_find_item,
		                    port_read, port_scan, port_numbers,      port_wanted,   port_vouched, NULL, NULL, NULL };
	memcpy(m->salt, salt, VD_SALT_BYTES);
	for (size_t l = 0; l < VD_LANES; l++)
		m->symbols[l] = must(calloc(VD_SKETCH_SYMBOLS, sizeof(struct vd_symbol)));
}

void memory_deinit(struct memory *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->records[i].raw);
	free(m->records);
	for (size_t l = 0; l < VD_LANES; l++)
		free(m->symbols[l]);
	for (struct memory_index *x = &m->by_id; x <= &m->by_prev; x++) {
		free(x->slots);
		free(x->keys);
	}
	vd_batch_deinit(&m->pool);
	hearsay_deinit(m);
	*m = (struct memory){ 0 };
}

void memory_item(const struct memory *m, const struct vd_id *id, struct vd_item *out)
{
	vd_item_of(m->salt, id, out);
	vd_set_u64(out->b, item_key(m, out->b));
}

static struct memory_record *append(struct memory *m, uint8_t lane, const struct vd_id *id)
{
	struct memory_record *r;

	if (m->count == m->capacity) {
		m->capacity = m->capacity ? 2 * m->capacity : 64;
		m->records = must(realloc(m->records, m->capacity * sizeof(*m->records)));
	}
	r = &m->records[m->count];
	*r = (struct memory_record){ .id = *id, .lane = lane };
	memory_item(m, id, &r->item);
	vd_digest_add(&m->lanes[lane].digest, id);
	vd_sketch_apply(m->symbols[lane], 0, VD_SKETCH_SYMBOLS, &r->item, 1);
	index_put(&m->by_id, vd_get_u64(id->b), (uint32_t)m->count);
	index_put(&m->by_item, item_key(m, r->item.b), (uint32_t)m->count);
	m->count++;
	return r;
}

void memory_narrow(struct memory *m, unsigned bits)
{
	m->narrow = bits;
	free(m->by_item.slots);
	free(m->by_item.keys);
	m->by_item = (struct memory_index){ 0 };
	for (size_t i = 0; i < m->count; i++) {
		struct memory_record *r = &m->records[i];

		vd_sketch_apply(m->symbols[r->lane], 0, VD_SKETCH_SYMBOLS, &r->item, -1);
		vd_set_u64(r->item.b, item_key(m, r->item.b));
		vd_sketch_apply(m->symbols[r->lane], 0, VD_SKETCH_SYMBOLS, &r->item, 1);
		index_put(&m->by_item, item_key(m, r->item.b), (uint32_t)i);
	}
}

static void keep_raw(struct memory_record *r, struct vd_slice raw)
{
	free(r->raw);
	r->raw = must(malloc(raw.n));
	memcpy(r->raw, raw.p, raw.n);
	r->raw_bytes = raw.n;
}

int memory_add(struct memory *m, const struct vd_record *record)
{
	int64_t known = find(m, &record->id);
	struct memory_record *r;

	if (known >= 0) {
		r = &m->records[known];
		if (r->stub && !record->stub) {
			vd_digest_remove(&m->lanes[r->lane].wanted, &r->id);
			m->lanes[r->lane].stubs--;
			r->stub = false;
			keep_raw(r, record->raw);
		}
		return 0;
	}
	r = append(m, record->lane, &record->id);
	r->prev = record->prev;
	r->has_prev = record->has_prev;
	memcpy(r->author, record->author, sizeof(r->author));
	r->seq = record->seq;
	r->stub = record->stub;
	keep_raw(r, record->raw);
	if (r->stub)
		vd_digest_add(&m->lanes[r->lane].wanted, &r->id);
	m->lanes[r->lane].stubs += r->stub;
	if (r->has_prev)
		index_put(&m->by_prev, vd_get_u64(r->prev.b), (uint32_t)(m->count - 1));
	return 1;
}

void memory_add_id(struct memory *m, uint8_t lane, const struct vd_id *id)
{
	if (find(m, id) < 0)
		append(m, lane, id);
}

/* Is the share of its author in the lane used up? Then it is named from now on. */
static bool declines(struct memory *m, const struct vd_record *record)
{
	size_t held = 0;

	if (!m->share || record->lane == VD_LANE_CONTROL || find(m, &record->id) >= 0 ||
	    memcmp(m->own, record->author, VD_KEY_BYTES) == 0)
		return false;
	for (size_t i = 0; i < m->count; i++)
		held += m->records[i].lane == record->lane && memcmp(m->records[i].author, record->author, VD_KEY_BYTES) == 0;
	if (held < m->share)
		return false;
	if (m->declined.count < VD_DECLINED_MAX)
		vd_declined_add(&m->declined, record->lane, record->author);
	m->declines++;
	return true;
}

/* The newest of an author first: a record that only its successor vouches for is not to stand here without it. */
static size_t store_valid(struct memory *m, struct vd_batch *batch, bool *control)
{
	size_t fresh = 0;

	for (size_t i = batch->count; i-- > 0;)
		if (batch->entries[i].verdict == VD_OK && !declines(m, &batch->entries[i].record) && memory_add(m, &batch->entries[i].record)) {
			fresh++;
			*control |= batch->entries[i].record.lane == VD_LANE_CONTROL;
		}
	return fresh;
}

/* Lane 0 grew: who was unknown may be known now. */
static size_t retry_pool(struct memory *m)
{
	const struct vd_chain_port chain = { m, port_vouched };
	struct vd_batch left = { 0 };
	size_t fresh;
	bool control = false;

	if (!m->pool.count || vd_chain_verify(&m->pool, m->group, &chain, NULL))
		return 0;
	fresh = store_valid(m, &m->pool, &control);
	for (size_t i = 0; i < m->pool.count; i++)
		if (m->pool.entries[i].verdict == VD_EAUTHOR && vd_batch_add(&left, m->pool.entries[i].record.raw))
			abort();
	vd_batch_deinit(&m->pool);
	m->pool = left;
	return fresh;
}

size_t memory_commit(struct memory *m, struct vd_batch *batch)
{
	bool control = false;
	size_t fresh = store_valid(m, batch, &control);

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].verdict)
			m->refused++;
		if (batch->entries[i].verdict == VD_EAUTHOR && m->pool.count < VD_POOL_RECORDS) {
			m->pooled++;
			if (vd_batch_add(&m->pool, batch->entries[i].record.raw))
				abort();
		}
	}
	return fresh + (control ? retry_pool(m) : 0);
}

bool memory_has(const struct memory *m, const struct vd_id *id, bool with_body)
{
	int64_t i = find(m, id);

	return i >= 0 && (!with_body || !m->records[i].stub);
}

bool memory_equal(const struct memory *a, const struct memory *b)
{
	for (size_t l = 0; l < VD_LANES; l++)
		if (!vd_digest_eq(&a->lanes[l].digest, &b->lanes[l].digest) || !vd_digest_eq(&a->lanes[l].wanted, &b->lanes[l].wanted))
			return false;
	return true;
}
