#include "lists.h"

#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "proto/bytes.h"
#include "proto/err.h"

enum {
	BLOCK_MAX = 984,          /* bytes of a value: four blocks fill a page of 4 KiB */
	BLOCK_SPLIT = BLOCK_MAX * 3 / 4, /* of each part at most, when one is split in its midst */
	STEP_MAX = 1 + 10 + 10,   /* of one entry in it */
};

/* An entry as two numbers, in the same order as its bytes. */
struct entry {
	uint64_t list, arrival;
};

static struct entry entry_of(const uint8_t bytes[VD_ENTRY_BYTES])
{
	return (struct entry){ vd_get_u64(bytes), vd_get_u64(bytes + VD_LIST_KEY_BYTES) };
}

static void entry_put(struct entry e, uint8_t bytes[VD_ENTRY_BYTES])
{
	vd_set_u64(bytes, e.list);
	vd_set_u64(bytes + VD_LIST_KEY_BYTES, e.arrival);
}

static bool below(struct entry a, struct entry b)
{
	return a.list < b.list || (a.list == b.list && a.arrival < b.arrival);
}

static bool same(struct entry a, struct entry b)
{
	return a.list == b.list && a.arrival == b.arrival;
}

void vd_entry_key(const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival, uint8_t entry[VD_ENTRY_BYTES])
{
	memcpy(entry, list, VD_LIST_KEY_BYTES);
	vd_set_u64(entry + VD_LIST_KEY_BYTES, arrival);
}

/* --- reading a block --- */

/* Its entries, one after the other. */
struct block {
	struct entry at;
	unsigned shift;           /* bits that are zero at the end of every list key in it */
	struct vd_rd rest;
};

static int block_open(const MDB_val *k, const MDB_val *v, struct block *out)
{
	uint8_t significant;

	if (k->mv_size != VD_ENTRY_BYTES)
		return VD_EDAMAGED;
	out->at = entry_of(k->mv_data);
	out->rest = vd_rd(vd_slice(v->mv_data, v->mv_size));
	out->shift = 0;
	if (!v->mv_size)
		return VD_OK;
	significant = vd_rd_u8(&out->rest);
	if (significant < 1 || significant > VD_LIST_KEY_BYTES || !out->rest.n)
		return VD_EDAMAGED;
	out->shift = 8u * (VD_LIST_KEY_BYTES - significant);
	return out->at.list & ((UINT64_C(1) << out->shift) - 1) ? VD_EDAMAGED : VD_OK;
}

/* Most steps take one to three bytes, and there are many. */
static uint64_t step(struct vd_rd *r)
{
	uint64_t v;

	if (!r->n || r->p[0] & 0x80)
		return vd_rd_varint(r);
	v = r->p[0];
	r->p++;
	r->n--;
	return v;
}

/* VD_ENOTFOUND: that was the last. */
static int block_next(struct block *b)
{
	uint64_t ahead;

	if (!b->rest.n)
		return VD_ENOTFOUND;
	ahead = step(&b->rest);
	if (ahead) {
		if (b->rest.err || ahead > UINT64_MAX - b->at.arrival)
			return VD_EDAMAGED;
		b->at.arrival += ahead;
		return VD_OK;
	}
	ahead = step(&b->rest);
	b->at.arrival = step(&b->rest);
	if (b->rest.err || !ahead || ahead > (UINT64_MAX - b->at.list) >> b->shift)
		return VD_EDAMAGED;
	b->at.list += ahead << b->shift;
	return VD_OK;
}

/* The first entry that is not below `from`, in its block. */
static int seek(MDB_cursor *cursor, struct entry from, struct block *out)
{
	uint8_t key[VD_ENTRY_BYTES];
	MDB_val k = { sizeof(key), key }, v;
	bool behind = false;
	struct block next = { 0 };
	int rc;

	entry_put(from, key);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (rc && rc != MDB_NOTFOUND)
		return vd_db_err(rc);
	if (!rc) {
		rc = block_open(&k, &v, &next);
		if (rc)
			return rc;
		behind = true;
		if (same(next.at, from)) {
			*out = next;
			return VD_OK;
		}
	}
	/* Or within the block before. */
	rc = mdb_cursor_get(cursor, &k, &v, behind ? MDB_PREV : MDB_LAST);
	if (rc && rc != MDB_NOTFOUND)
		return vd_db_err(rc);
	if (!rc) {
		for (rc = block_open(&k, &v, out); !rc; rc = block_next(out))
			if (!below(out->at, from))
				return VD_OK;
		if (rc != VD_ENOTFOUND)
			return rc;
	}
	*out = next;
	return behind ? VD_OK : VD_ENOTFOUND;
}

int vd_list_next(MDB_cursor *cursor, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *arrival)
{
	size_t n;
	int rc = vd_list_some(cursor, list, arrival, arrival, 1, &n);

	return rc || n ? rc : VD_ENOTFOUND;
}

int vd_list_some(MDB_cursor *cursor, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *after, uint64_t *out, size_t max, size_t *n)
{
	*n = 0;
	while (*n < max && *after < UINT64_MAX) {
		struct entry from = { vd_get_u64(list), *after + 1 };
		struct block b;
		int rc = seek(cursor, from, &b);

		if (rc)
			return rc == VD_ENOTFOUND ? VD_OK : rc;
		/* The rest of its block is walked through once. */
		while (!rc && *n < max && b.at.list == from.list) {
			out[(*n)++] = *after = b.at.arrival;
			rc = *n < max ? block_next(&b) : VD_OK;
		}
		if (rc != VD_ENOTFOUND)
			return rc;
	}
	return VD_OK;
}

int vd_list_back(MDB_cursor *cursor, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t *arrival)
{
	struct entry before = { vd_get_u64(list), *arrival }, found = { 0 };
	uint8_t key[VD_ENTRY_BYTES];
	MDB_val k = { sizeof(key), key }, v;
	struct block b;
	int rc;

	entry_put(before, key);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	rc = mdb_cursor_get(cursor, &k, &v, rc == MDB_NOTFOUND ? MDB_LAST : MDB_PREV);
	if (rc)
		return vd_db_err(rc);
	for (rc = block_open(&k, &v, &b); !rc && below(b.at, before); rc = block_next(&b))
		found = b.at;
	if (rc && rc != VD_ENOTFOUND)
		return rc;
	if (found.list != before.list || !below(found, before))
		return VD_ENOTFOUND;
	*arrival = found.arrival;
	return VD_OK;
}

bool vd_list_has(MDB_cursor *cursor, const uint8_t list[VD_LIST_KEY_BYTES], uint64_t arrival)
{
	struct entry wanted = { vd_get_u64(list), arrival };
	struct block found;

	return !seek(cursor, wanted, &found) && same(found.at, wanted);
}

int vd_lists_block(const MDB_val *key, const MDB_val *value, int (*visit)(void *ctx, const uint8_t entry[VD_ENTRY_BYTES]), void *ctx)
{
	uint8_t entry[VD_ENTRY_BYTES];
	struct block b;
	int rc, visited;

	for (rc = block_open(key, value, &b); !rc; rc = block_next(&b)) {
		entry_put(b.at, entry);
		visited = visit(ctx, entry);
		if (visited)
			return visited;
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_lists_walk(MDB_cursor *cursor, int (*visit)(void *ctx, const uint8_t entry[VD_ENTRY_BYTES]), void *ctx)
{
	MDB_val k, v;
	int got, rc = VD_OK;

	for (got = mdb_cursor_get(cursor, &k, &v, MDB_FIRST); !got && !rc; got = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))
		rc = vd_lists_block(&k, &v, visit, ctx);
	return rc || got == MDB_NOTFOUND ? rc : vd_db_err(got);
}

static int count_one(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	(void)entry;
	++*(uint64_t *)ctx;
	return VD_OK;
}

int vd_lists_count(MDB_cursor *cursor, uint64_t *count)
{
	*count = 0;
	return vd_lists_walk(cursor, count_one, count);
}

/* --- changing blocks --- */

struct changing {
	MDB_cursor *cursor;
	struct entry *entries;    /* of the block being changed, as it will be */
	size_t count, cap;
	struct block old;         /* it, as it was; borrows from the page until the first change */
	bool has_old, is_last;    /* nothing stands behind it */
};

static int push(struct changing *c, struct entry e)
{
	if (!vd_room(&c->entries, c->count, &c->cap, 1024, sizeof(*c->entries)))
		return VD_ENOMEM;
	c->entries[c->count++] = e;
	return VD_OK;
}

static size_t step_bytes(struct entry from, struct entry to, unsigned shift)
{
	if (from.list == to.list)
		return vd_varint_bytes(to.arrival - from.arrival);
	return 1 + vd_varint_bytes((to.list - from.list) >> shift) + vd_varint_bytes(to.arrival);
}

static unsigned shift_of(const struct entry *entries, size_t count)
{
	uint64_t all = 0;
	unsigned shift = 0;

	for (size_t i = 0; i < count; i++)
		all |= entries[i].list;
	while (shift < 56 && !(all >> shift & 0xff))
		shift += 8;
	return shift;
}

static size_t put_step(uint8_t *out, struct entry from, struct entry to, unsigned shift)
{
	size_t n;

	if (from.list == to.list)
		return vd_put_varint(out, to.arrival - from.arrival);
	*out = 0;
	n = 1 + vd_put_varint(out + 1, (to.list - from.list) >> shift);
	return n + vd_put_varint(out + n, to.arrival);
}

static int put_bytes(struct changing *c, struct entry first, uint8_t *bytes, size_t n)
{
	uint8_t key[VD_ENTRY_BYTES];
	MDB_val k = { sizeof(key), key }, v = { n, bytes };

	entry_put(first, key);
	return mdb_cursor_put(c->cursor, &k, &v, 0);
}

/* Of BLOCK_MAX bytes at most, or little more. */
static int put_block(struct changing *c, const struct entry *entries, size_t count)
{
	uint8_t value[BLOCK_MAX + STEP_MAX];
	unsigned shift = shift_of(entries, count);
	size_t n = 0;

	if (count > 1)
		value[n++] = (uint8_t)(VD_LIST_KEY_BYTES - shift / 8);
	for (size_t i = 1; i < count; i++)
		n += put_step(value + n, entries[i - 1], entries[i], shift);
	return put_bytes(c, entries[0], value, n);
}

/* In blocks of at most that many bytes each. */
static int put_blocks(struct changing *c, const struct entry *entries, size_t count, size_t most)
{
	unsigned shift = shift_of(entries, count);
	size_t first = 0, bytes = 1;
	int rc = 0;

	for (size_t i = 1; i <= count && !rc; i++) {
		size_t more = i < count ? step_bytes(entries[i - 1], entries[i], shift) : 0;

		if (i < count && bytes + more <= most) {
			bytes += more;
			continue;
		}
		rc = put_block(c, entries + first, i - first);
		first = i;
		bytes = 1;
	}
	return rc;
}

/* The block in which an entry stands, or would; what is not below *bound, if there is a bound, is for the next. Before the first block the
 * first grows. */
static int find_block(struct changing *c, struct entry e, struct entry *bound)
{
	uint8_t key[VD_ENTRY_BYTES];
	MDB_val k = { sizeof(key), key }, v;
	int rc;

	entry_put(e, key);
	rc = mdb_cursor_get(c->cursor, &k, &v, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c->cursor, &k, &v, MDB_LAST);
	else if (!rc && (k.mv_size != sizeof(key) || memcmp(k.mv_data, key, sizeof(key)) != 0))
		rc = mdb_cursor_get(c->cursor, &k, &v, MDB_PREV);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c->cursor, &k, &v, MDB_FIRST);
	c->has_old = !rc;
	c->is_last = true;
	if (!rc)
		rc = block_open(&k, &v, &c->old);
	if (rc)
		return rc == MDB_NOTFOUND ? 0 : rc;
	rc = mdb_cursor_get(c->cursor, &k, &v, MDB_NEXT);
	if (rc)
		return rc == MDB_NOTFOUND ? mdb_cursor_get(c->cursor, &k, &v, MDB_LAST) : rc;
	if (k.mv_size != sizeof(key))
		return VD_EDAMAGED;
	*bound = entry_of(k.mv_data);
	c->is_last = false;
	return mdb_cursor_get(c->cursor, &k, &v, MDB_PREV);
}

/* The old entries and the changes to them, in order. *last_new: how many there are up to the last one that is new. */
static int combine(struct changing *c, const struct vd_entry_change *changes, size_t count, size_t *last_new)
{
	int rc = c->has_old ? VD_OK : VD_ENOTFOUND;
	struct block old = c->old;
	size_t i = 0;

	c->count = *last_new = 0;
	while (!rc || i < count) {
		struct entry change = i < count ? entry_of(changes[i].entry) : (struct entry){ 0 };
		bool known = !rc && i < count && same(old.at, change);
		int pushed = VD_OK;

		if (!rc && (i == count || below(old.at, change))) {
			pushed = push(c, old.at);
			rc = block_next(&old);
		} else {
			if (!changes[i].remove)
				pushed = push(c, change);
			if (!changes[i++].remove && !known)
				*last_new = c->count;
			if (known)
				rc = block_next(&old);
		}
		if (pushed || (rc && rc != VD_ENOTFOUND))
			return pushed ? pushed : rc;
	}
	return VD_OK;
}

static size_t block_bytes(const struct entry *entries, size_t count)
{
	unsigned shift = shift_of(entries, count);
	size_t bytes = 1;

	for (size_t i = 1; i < count; i++)
		bytes += step_bytes(entries[i - 1], entries[i], shift);
	return bytes;
}

/* In blocks of about the same size, which have room to grow. */
static int put_evenly(struct changing *c)
{
	size_t bytes = block_bytes(c->entries, c->count), blocks = bytes / BLOCK_SPLIT + 1;

	return put_blocks(c, c->entries, c->count, bytes / blocks + STEP_MAX);
}

/* Blocks instead of one that grew too large. What comes at the end of a list goes on coming there: what is before it is left full. */
static int split(struct changing *c, size_t last_new)
{
	bool grows_here = last_new > 1 && c->entries[last_new - 1].list == c->entries[last_new - 2].list &&
	                  (last_new == c->count || c->entries[last_new].list != c->entries[last_new - 1].list);
	int rc;

	if (!grows_here)
		return put_evenly(c);
	rc = put_blocks(c, c->entries, last_new, BLOCK_MAX);
	if (!rc && last_new < c->count)
		rc = put_blocks(c, c->entries + last_new, c->count - last_new, BLOCK_MAX);
	return rc;
}

/* The copy of a block with more entries than it had. */
struct copy {
	const uint8_t *from;      /* what comes next of the old bytes */
	size_t n;
	bool full;
	uint8_t bytes[BLOCK_MAX + STEP_MAX];
};

static void copy_until(struct copy *copy, const uint8_t *end)
{
	size_t n = (size_t)(end - copy->from);

	copy->full |= copy->n + n > BLOCK_MAX;
	if (copy->full)
		return;
	memcpy(copy->bytes + copy->n, copy->from, n);
	copy->n += n;
	copy->from = end;
}

static void copy_step(struct copy *copy, struct entry from, struct entry to, unsigned shift)
{
	if (!copy->full)
		copy->n += put_step(copy->bytes + copy->n, from, to, shift);
	copy->full |= copy->n > BLOCK_MAX;
}

/* Mostly a few entries are added to a block that has room for them: the steps between the others stay as they are. copy->full: this is not so.
 * The bytes are what put_block would have made. */
static int add_between(const struct block *old, const struct vd_entry_change *changes, size_t count, struct copy *copy)
{
	struct block next = *old;
	struct entry before = old->at;
	const uint8_t *step_at = old->rest.p;
	bool torn = false;        /* next's step is from another than `before` */
	int rc = block_next(&next);

	copy->from = step_at - 1;
	copy->n = 0;
	for (size_t i = 0; i < count && (!rc || rc == VD_ENOTFOUND); i++) {
		struct entry e = entry_of(changes[i].entry);

		copy->full |= changes[i].remove || e.list & ((UINT64_C(1) << old->shift) - 1);
		for (; !rc && below(next.at, e); rc = block_next(&next)) {
			if (torn) {
				copy_step(copy, before, next.at, old->shift);
				copy->from = next.rest.p;
			}
			torn = false;
			before = next.at;
			step_at = next.rest.p;
		}
		if (copy->full || (rc && rc != VD_ENOTFOUND))
			return rc == VD_ENOTFOUND ? VD_OK : rc;
		if (!rc && same(next.at, e))
			continue;
		if (!torn)
			copy_until(copy, step_at);
		copy_step(copy, before, e, old->shift);
		before = e;
		torn = !rc;
	}
	if (rc && rc != VD_ENOTFOUND)
		return rc;
	if (torn) {
		copy_step(copy, before, next.at, old->shift);
		copy->from = next.rest.p;
	}
	copy_until(copy, old->rest.p + old->rest.n);
	return VD_OK;
}

/* Changes one block by the first of the changes, and by those after it that belong there; *done of them. */
static int change_block(struct changing *c, const struct vd_entry_change *changes, size_t count, size_t *done)
{
	struct entry bound = { 0 };
	struct copy copy;
	size_t last_new;
	int rc = find_block(c, entry_of(changes[0].entry), &bound);

	if (rc)
		return rc;
	for (*done = 1; *done < count && (c->is_last || below(entry_of(changes[*done].entry), bound)); ++*done)
		;
	copy.full = !c->has_old || !c->old.rest.n || !below(c->old.at, entry_of(changes[0].entry));
	if (!copy.full)
		rc = add_between(&c->old, changes, *done, &copy);
	if (!rc && !copy.full) /* longer, unless it had them all */
		return copy.n > 1 + c->old.rest.n ? put_bytes(c, c->old.at, copy.bytes, copy.n) : VD_OK;
	if (!rc)
		rc = combine(c, changes, *done, &last_new);
	if (rc)
		return rc;
	if (c->has_old && (!c->count || !same(c->entries[0], c->old.at)))
		rc = mdb_cursor_del(c->cursor, 0);
	if (rc || !c->count)
		return rc;
	if (block_bytes(c->entries, c->count) > BLOCK_MAX)
		return split(c, last_new);
	return put_block(c, c->entries, c->count);
}

int vd_lists_change(MDB_cursor *cursor, const struct vd_entry_change *changes, size_t count)
{
	struct changing c = { .cursor = cursor };
	size_t at = 0, done;
	int rc = 0;

	for (; at < count && !rc; at += done)
		rc = change_block(&c, changes + at, count - at, &done);
	free(c.entries);
	return rc;
}
