/* Authors by number: a record that stands compact names who wrote it, and in which group, by one or two bytes. Numbers are given in order,
 * from 0, and never change. All they wrote hangs on it, so each stands in two places, and proves itself: one broken page, and one wrong bit, takes
 * nobody's name. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"
#include "proto/hash.h"

/* What was read of them. Records are read by several threads at once. */
struct vd_authors {
	pthread_mutex_t mutex;
	struct vd_author *list;
	size_t count, cap;
};

int vd_authors_new(struct vd_authors **out)
{
	struct vd_authors *a = calloc(1, sizeof(*a));

	if (!a)
		return VD_ENOMEM;
	if (pthread_mutex_init(&a->mutex, NULL)) {
		free(a);
		return VD_ENOMEM;
	}
	*out = a;
	return VD_OK;
}

void vd_authors_free(struct vd_authors *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->mutex);
	free(a->list);
	free(a);
}

void vd_author_key(const struct vd_store *s, uint32_t number, unsigned copy, uint8_t key[VD_INDEX_KEY_BYTES])
{
	uint8_t bytes[4] = { 0 };
	struct vd_slice part = vd_slice(bytes, sizeof(bytes));

	vd_set_u32(bytes, number);
	vd_value_key(s, copy ? "author again" : "author", &part, 1, key);
}

void vd_author_value(const struct vd_author *who, uint8_t value[VD_AUTHOR_VALUE_BYTES])
{
	struct vd_slice both = vd_slice(value, VD_GROUP_BYTES + VD_KEY_BYTES);

	memcpy(value, who->group, VD_GROUP_BYTES);
	memcpy(value + VD_GROUP_BYTES, who->key, VD_KEY_BYTES);
	vd_hash(VD_HASH_CHECKSUM, vd_slice(NULL, 0), value + VD_GROUP_BYTES + VD_KEY_BYTES, VD_AUTHOR_CHECK_BYTES, &both, 1);
}

bool vd_author_read(struct vd_slice value, struct vd_author *out)
{
	uint8_t expected[VD_AUTHOR_VALUE_BYTES];

	if (value.n != VD_AUTHOR_VALUE_BYTES)
		return false;
	memcpy(out->group, value.p, VD_GROUP_BYTES);
	memcpy(out->key, value.p + VD_GROUP_BYTES, VD_KEY_BYTES);
	vd_author_value(out, expected);
	return !memcmp(expected, value.p, sizeof(expected));
}

/* One more than was read so far. VD_ENOTFOUND: there is none. */
static int read_next(struct vd_store *s, MDB_txn *txn)
{
	struct vd_authors *a = s->authors;
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_buf value = { 0 };
	int rc = VD_ENOTFOUND;

	if (!vd_room(&a->list, a->count, &a->cap, 32, sizeof(*a->list)))
		return VD_ENOMEM;
	for (unsigned copy = 0; copy < VD_AUTHOR_COPIES && (rc == VD_ENOTFOUND || rc == VD_EDAMAGED); copy++) {
		vd_author_key(s, (uint32_t)a->count, copy, key);
		vd_buf_reset(&value);
		rc = vd_value_get(s, txn, key, &value);
		if (!rc && !vd_author_read(vd_buf_slice(&value), &a->list[a->count]))
			rc = VD_EDAMAGED;
	}
	a->count += !rc;
	vd_buf_deinit(&value);
	return rc;
}

int vd_author_of(struct vd_store *s, MDB_txn *txn, uint64_t number, struct vd_author *out)
{
	struct vd_authors *a = s->authors;
	int rc = VD_OK;

	pthread_mutex_lock(&a->mutex);
	while (!rc && number >= a->count)
		rc = read_next(s, txn);
	if (!rc)
		*out = a->list[number];
	pthread_mutex_unlock(&a->mutex);
	return rc == VD_ENOTFOUND ? VD_EDAMAGED : rc;
}

static bool is(const struct vd_author *a, const struct vd_record *record)
{
	return !memcmp(a->key, record->author, VD_KEY_BYTES) && !memcmp(a->group, record->group, VD_GROUP_BYTES);
}

/* Among those that were read so far, from *i on. */
static bool look(struct vd_authors *a, const struct vd_record *record, size_t *i)
{
	while (*i < a->count && !is(&a->list[*i], record))
		++*i;
	return *i < a->count;
}

/* Among those that were there when this transaction began. Whoever reads takes the mutex within a snapshot, and so does this. */
static int find(struct vd_write *w, const struct vd_record *record, uint32_t *number)
{
	struct vd_authors *a = w->store->authors;
	MDB_txn *txn = NULL;
	size_t i = 0;
	int rc = VD_OK;

	pthread_mutex_lock(&a->mutex);
	if (!look(a, record, &i) && !w->authors_read) {
		pthread_mutex_unlock(&a->mutex);
		rc = vd_write_snapshot(w, &txn);
		if (rc)
			return rc;
		pthread_mutex_lock(&a->mutex);
		while (!(rc = read_next(w->store, txn)))
			;
		w->authors_read = rc == VD_ENOTFOUND;
		rc = w->authors_read ? VD_OK : rc;
		look(a, record, &i);
	}
	w->authors_here = a->count;
	pthread_mutex_unlock(&a->mutex);
	if (txn)
		vd_write_snapshot_done(w, txn);
	*number = (uint32_t)i;
	return rc;
}

int vd_author_number(struct vd_write *w, const struct vd_record *record, uint32_t *number)
{
	uint8_t key[VD_INDEX_KEY_BYTES], value[VD_AUTHOR_VALUE_BYTES];
	struct vd_author *fresh;
	size_t i = 0;
	int rc = VD_OK;

	if (w->last_author_set && is(&w->last_author, record)) {
		*number = w->last_author_number;
		return VD_OK;
	}
	while (i < w->fresh_author_count && !is(&w->fresh_authors[i], record))
		i++;
	if (i < w->fresh_author_count)
		*number = (uint32_t)(w->authors_here + i);
	else
		rc = find(w, record, number);
	if (rc)
		return rc;
	if (i == w->fresh_author_count && *number == w->authors_here) {
		fresh = reallocarray(w->fresh_authors, i + 1, sizeof(*fresh));
		if (!fresh)
			return VD_ENOMEM;
		w->fresh_authors = fresh;
		memcpy(fresh[i].group, record->group, VD_GROUP_BYTES);
		memcpy(fresh[i].key, record->author, VD_KEY_BYTES);
		w->fresh_author_count++;
		*number += (uint32_t)i;
		vd_author_value(&fresh[i], value);
		for (unsigned copy = 0; copy < VD_AUTHOR_COPIES; copy++) {
			vd_author_key(w->store, *number, copy, key);
			vd_effects_put(&w->effects, w->store, VD_TABLE_VALUES, key, sizeof(key), vd_slice(value, sizeof(value)));
		}
	}
	memcpy(w->last_author.group, record->group, VD_GROUP_BYTES);
	memcpy(w->last_author.key, record->author, VD_KEY_BYTES);
	w->last_author_number = *number;
	w->last_author_set = true;
	return VD_OK;
}
