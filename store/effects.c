#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

void vd_effects_deinit(struct vd_effects *e)
{
	free(e->list);
	vd_buf_wipe(&e->bytes); /* seeds of identities pass through here */
	*e = (struct vd_effects){ 0 };
}

static struct vd_effect *append(struct vd_effects *e, enum vd_table table, const uint8_t *key, size_t n)
{
	struct vd_effect *one;

	if (e->failed)
		return NULL;
	if (!vd_room(&e->list, e->count, &e->cap, 256, sizeof(*e->list))) {
		e->failed = true;
		return NULL;
	}
	one = &e->list[e->count];
	*one = (struct vd_effect){ .table = table, .key_n = (uint8_t)n, .order = e->count, .at = e->bytes.n };
	memcpy(one->key, key, n);
	e->count++;
	return one;
}

void vd_effects_put(struct vd_effects *e, const struct vd_store *s, enum vd_table table, const uint8_t *key,
                    size_t n, struct vd_slice value)
{
	struct vd_effect *one = append(e, table, key, n);

	if (!one || !value.n)
		return;
	if (vd_vault_lay(s->vault, value, &e->bytes))
		e->failed = true;
	one->n = e->bytes.n - one->at;
	one->laid = true;
}

struct sealing_laid {
	struct vd_effects *effects;
	const struct vd_vault *vault;
	atomic_int rc;
};

static void seal_some(void *ctx, size_t from, size_t to)
{
	struct sealing_laid *s = ctx;
	uint8_t spot[VD_SPOT_BYTES];

	for (size_t i = from; i < to; i++) {
		struct vd_effect *one = &s->effects->list[i];
		int rc = VD_OK;

		if (one->laid)
			rc = vd_vault_seal_laid(s->vault, vd_spot(one->table, one->key, one->key_n, spot), s->effects->bytes.p + one->at, one->n);
		one->laid = false;
		if (rc)
			atomic_store(&s->rc, rc);
	}
}

/* Each value is laid out where it is to be sealed. That takes as long as the rest of what is done with it here, and so all cores do it. */
int vd_effects_seal(struct vd_effects *e, struct vd_store *s)
{
	enum { PART = 256 };
	struct sealing_laid sealing = { .effects = e, .vault = s->vault };

	if (e->failed || e->bytes.failed)
		return VD_ENOMEM;
	vd_workers_do(e->count <= PART || vd_vault_readable(s->vault) ? NULL : vd_store_workers(s), e->count, PART, seal_some, &sealing);
	return atomic_load(&sealing.rc);
}

void vd_effects_put_sealed(struct vd_effects *e, enum vd_table table, const uint8_t *key, size_t n, struct vd_slice sealed)
{
	struct vd_effect *one = append(e, table, key, n);

	if (!one)
		return;
	vd_buf_put_slice(&e->bytes, sealed);
	one->n = sealed.n;
}

void vd_effects_remove(struct vd_effects *e, enum vd_table table, const uint8_t *key, size_t n)
{
	struct vd_effect *one = append(e, table, key, n);

	if (one)
		one->remove = true;
}

void vd_effects_entry(struct vd_effects *e, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES],
                      uint64_t arrival)
{
	uint8_t key[VD_ENTRY_BYTES];

	vd_entry_key(list, arrival, key);
	append(e, table, key, sizeof(key));
}

void vd_effects_entry_remove(struct vd_effects *e, enum vd_table table, const uint8_t list[VD_LIST_KEY_BYTES],
                             uint64_t arrival)
{
	uint8_t key[VD_ENTRY_BYTES];

	vd_entry_key(list, arrival, key);
	vd_effects_remove(e, table, key, sizeof(key));
}

void vd_effects_value(struct vd_effects *e, const struct vd_store *s, const char *use,
                      const struct vd_slice *parts, size_t count, struct vd_slice value)
{
	uint8_t key[VD_INDEX_KEY_BYTES];

	vd_value_key(s, use, parts, count, key);
	if (value.n)
		vd_effects_put(e, s, VD_TABLE_VALUES, key, sizeof(key), value);
	else
		vd_effects_remove(e, VD_TABLE_VALUES, key, sizeof(key));
}

/* Effects in the order in which they are applied: by table and key, the earlier first. Small, so that sorting moves little, and mostly
 * looks at nothing else. */
struct place {
	uint64_t prefix;                 /* of the key, as a number */
	const struct vd_effect *effect;
};

static int by_key_order(const void *x, const void *y)
{
	const struct place *p = x, *q = y;
	const struct vd_effect *a = p->effect, *b = q->effect;
	int order;

	if (p->prefix != q->prefix)
		return p->prefix < q->prefix ? -1 : 1;
	order = memcmp(a->key, b->key, sizeof(a->key)); /* one table, one key length; the rest is zero */
	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* NULL: no memory. */
static struct place *sort(const struct vd_effects *e)
{
	struct place *places = calloc(e->count ? e->count : 1, sizeof(*places));
	size_t end[VD_TABLES] = { 0 }, first = 0;

	if (!places)
		return NULL;
	for (size_t i = 0; i < e->count; i++)
		end[e->list[i].table]++;
	for (size_t t = 0; t < VD_TABLES; t++) {
		size_t n = end[t];

		end[t] = first;
		first += n;
	}
	for (size_t i = 0; i < e->count; i++)
		places[end[e->list[i].table]++] = (struct place){ vd_get_u64(e->list[i].key), &e->list[i] };
	first = 0;
	for (size_t t = 0; t < VD_TABLES; first = end[t++])
		if (end[t] > first + 1)
			qsort(places + first, end[t] - first, sizeof(*places), by_key_order);
	return places;
}

/* Records and pool are written at their end. */
static bool at_end(MDB_cursor *cursor, const struct vd_effect *one)
{
	MDB_val k, v;

	if (one->table != VD_TABLE_RECORDS && one->table != VD_TABLE_POOL)
		return false;
	if (mdb_cursor_get(cursor, &k, &v, MDB_LAST))
		return true;
	return k.mv_size == one->key_n && memcmp(k.mv_data, one->key, k.mv_size) < 0;
}

static int apply_one(struct vd_effects *e, const struct vd_effect *one, MDB_cursor *cursor, bool *appending)
{
	MDB_val k = { one->key_n, (void *)(uintptr_t)one->key }, v = { one->n, one->n ? e->bytes.p + one->at : NULL };
	int rc;

	if (!one->remove) {
		*appending = *appending || at_end(cursor, one);
		return mdb_cursor_put(cursor, &k, &v, *appending ? MDB_APPEND : 0);
	}
	*appending = false;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc ? rc : mdb_cursor_del(cursor, 0);
}

/* The entries of one table of lists, from effect *i on. */
static int apply_entries(const struct place *places, size_t count, size_t *i, MDB_cursor *cursor)
{
	enum { AT_ONCE = 512 };
	struct vd_entry_change changes[AT_ONCE];
	enum vd_table table = places[*i].effect->table;
	size_t n = 0;
	int rc = 0;

	for (; *i < count && places[*i].effect->table == table && !rc; ++*i) {
		const struct vd_effect *one = places[*i].effect;

		if (n && !memcmp(changes[n - 1].entry, one->key, VD_ENTRY_BYTES)) {
			changes[n - 1].remove = one->remove; /* the later one wins */
			continue;
		}
		if (n == AT_ONCE) {
			rc = vd_lists_change(cursor, changes, n);
			n = 0;
		}
		memcpy(changes[n].entry, one->key, VD_ENTRY_BYTES);
		changes[n++].remove = one->remove;
	}
	return rc ? rc : vd_lists_change(cursor, changes, n);
}

int vd_effects_apply(struct vd_effects *e, struct vd_store *s, MDB_txn *txn)
{
	int rc = vd_effects_seal(e, s); /* what was not yet */
	size_t i = 0;

	struct place *places;

	if (vd_vault_forgotten(s->vault))
		return VD_EKEY; /* keys made since then name nothing */
	places = sort(e);
	if (!places)
		return VD_ENOMEM;
	while (i < e->count && !rc) {
		enum vd_table table = places[i].effect->table;
		bool appending = false;
		MDB_cursor *cursor;

		rc = mdb_cursor_open(txn, vd_db_table(s->db, table), &cursor);
		if (rc)
			break;
		if (vd_is_list(table))
			rc = apply_entries(places, e->count, &i, cursor);
		for (; i < e->count && places[i].effect->table == table && !rc; i++) {
			const struct vd_effect *one = places[i].effect, *next = i + 1 < e->count ? places[i + 1].effect : NULL;

			if (next && next->table == table && !memcmp(next->key, one->key, sizeof(next->key)))
				continue; /* the later one wins */
			rc = apply_one(e, one, cursor, &appending);
		}
		mdb_cursor_close(cursor);
	}
	free(places);
	return rc;
}
