/* What is left in a broken file, and proves itself. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages.h"
#include "proto/err.h"
#include "salvage_inside.h"

enum {
	VALUE_MAX = 2 * (VD_STORED_HEAD + VD_RECORD_MAX), /* sealed and padded */
	AUTHORS_MAX = 1 << 16,  /* whose numbers are looked for */
	SECTOR = 512,           /* bytes: LMDB's smallest page */
};

static const uint64_t arrival_max = (uint64_t)1 << 48;

static int read_value(struct vd_salvaging *s, uint64_t at, uint64_t n)
{
	uint8_t *room;

	vd_buf_reset(&s->value);
	room = vd_buf_extend(&s->value, (size_t)n);
	if (!room)
		return VD_ENOMEM;
	return pread(s->fd, room, (size_t)n, (off_t)at) == (ssize_t)n ? VD_OK : VD_EDAMAGED;
}

/* Are these the bytes of the record with that id? */
static bool is_record(struct vd_slice raw, const uint8_t *id, bool *stub)
{
	struct vd_record record;

	if (vd_record_decode(raw, &record) || memcmp(record.id.b, id, VD_ID_BYTES))
		return false;
	*stub = record.stub;
	return true;
}

/* --- authors --- */

static int author_of(void *ctx, uint64_t number, struct vd_author *out)
{
	struct vd_salvaging *s = ctx;
	uint8_t key[VD_INDEX_KEY_BYTES];

	s->highest = number > s->highest ? number : s->highest;
	if (number >= AUTHORS_MAX)
		return VD_EDAMAGED;
	for (size_t i = 0; i < s->found_count; i++) {
		if (s->found[i].number == number) {
			*out = s->found[i].who;
			return VD_OK;
		}
	}
	for (unsigned copy = 0; copy < VD_AUTHOR_COPIES; copy++) {
		vd_author_key(&s->keys, (uint32_t)number, copy, key);
		for (size_t i = 0; i < s->known_count; i++) {
			if (!memcmp(s->known[i].key, key, sizeof(key))) {
				*out = s->known[i].who;
				return VD_OK;
			}
		}
	}
	if (!s->trying) {
		s->number = number;
		return VD_ENOTFOUND;
	}
	memset(out->key, 0, sizeof(out->key));
	memcpy(out->group, s->trying->group, sizeof(out->group));
	if (number == s->number)
		*out = *s->trying;
	return VD_OK;
}

static int remember(struct vd_salvaging *s, uint32_t number, const struct vd_author *who)
{
	struct vd_found_author *found = reallocarray(s->found, s->found_count + 1, sizeof(*found));

	if (!found)
		return VD_ENOMEM;
	s->found = found;
	found[s->found_count++] = (struct vd_found_author){ number, *who };
	return VD_OK;
}

static bool wrote_any(struct vd_salvaging *s, const struct vd_author *who)
{
	for (uint64_t at = s->reading.first; at <= s->reading.last; at++) {
		struct vd_stored stored;

		if (!vd_reading_record(&s->reading, at, &stored) && !memcmp(stored.view.author, who->key, VD_KEY_BYTES))
			return true;
	}
	return false;
}

/* Reads the value of one record or several. Where it is lost whose number it names, whoever it fits it is by. */
static int read_stored(struct vd_salvaging *s, struct vd_slice value, uint64_t last)
{
	int rc;

	s->highest = 0;
	while ((rc = vd_reading_begin(&s->reading, value, last, author_of, s)) == VD_ENOTFOUND) {
		for (size_t i = 0; rc == VD_ENOTFOUND && i < s->known_count; i++) {
			s->trying = &s->known[i].who;
			if (!vd_reading_begin(&s->reading, value, last, author_of, s) && wrote_any(s, s->trying))
				rc = remember(s, (uint32_t)s->number, s->trying);
			s->trying = NULL;
		}
		if (rc)
			return rc;
	}
	return rc;
}

/* --- records and values --- */

static int add_piece(struct vd_salvaging *s, const struct vd_piece *one)
{
	if (!vd_room(&s->pieces, s->count, &s->cap, 1024, sizeof(*s->pieces)))
		return VD_ENOMEM;
	s->pieces[s->count++] = *one;
	return VD_OK;
}

static int note_dropped(struct vd_salvaging *s, uint64_t arrival)
{
	if (!vd_room(&s->dropped, s->dropped_count, &s->dropped_cap, 64, sizeof(*s->dropped)))
		return VD_ENOMEM;
	s->dropped[s->dropped_count++] = arrival;
	return VD_OK;
}

/* A record, if it proves itself. */
static int take_record(struct vd_salvaging *s, const struct vd_piece *value, uint64_t arrival)
{
	struct vd_piece one = *value;
	struct vd_stored stored;
	bool stub = false;
	int rc = vd_reading_record(&s->reading, arrival, &stored);

	if (rc == VD_ENOTFOUND && arrival <= arrival_max)
		return note_dropped(s, arrival);
	if (rc || arrival < 1 || arrival > arrival_max)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (stored.compact)
		stub = stored.view.stub;
	else if (!is_record(stored.raw, stored.id.b, &stub) || stub != (bool)(stored.flags & VD_STORED_STUB))
		return VD_OK;
	if (stored.compact && s->highest >= s->numbers)
		s->numbers = s->highest + 1;
	one.table = VD_TABLE_RECORDS;
	one.whole = !stub;
	one.id = stored.id;
	one.of = s->reading.count;
	one.index = (uint8_t)(arrival - s->reading.first);
	vd_set_u64(one.key, arrival);
	s->last = arrival > s->last ? arrival : s->last;
	return add_piece(s, &one);
}

static int take_records(struct vd_salvaging *s, const struct vd_piece *value, struct vd_slice opened)
{
	uint64_t number = vd_get_u64(value->from), last, bytes;
	int rc;

	/* An old key led to where another stands by now: take_alone finds that. */
	if (vd_stored_says(opened, &last, &bytes) && (last != number || bytes != opened.n))
		return VD_OK;
	rc = read_stored(s, opened, number);
	for (uint64_t at = s->reading.first; !rc && at <= s->reading.last; at++)
		rc = take_record(s, value, at);
	return rc == VD_ENOMEM ? rc : VD_OK;
}

/* The second copy of a control record, if it is one. */
static int take_again(struct vd_salvaging *s, const struct vd_piece *value, struct vd_slice opened)
{
	struct vd_piece one = *value;
	struct vd_slice whole;
	uint64_t arrival;

	if (!vd_twice_read(opened, &arrival, &whole) || arrival > arrival_max)
		return VD_ENOTFOUND;
	one.table = VD_TABLE_RECORDS;
	one.whole = one.again = one.moved = true; /* moved: to where the record is */
	memcpy(one.id.b, whole.p + 1 + 8, VD_ID_BYTES);
	one.of = 1;
	memset(one.key, 0, sizeof(one.key));
	vd_set_u64(one.key, arrival);
	s->last = arrival > s->last ? arrival : s->last;
	return add_piece(s, &one);
}

/* Is it to be taken, and of which table? Only what proves itself is, but for the few named values. */
static bool judge(const struct vd_salvaging *s, struct vd_piece *one, struct vd_slice value)
{
	bool stub;

	one->whole = true;
	if (one->key_n == VD_INDEX_KEY_BYTES) {
		one->table = VD_TABLE_VALUES;
		if (!memcmp(one->key, s->index, sizeof(one->key)))
			return false; /* it is made anew */
		if (!memcmp(one->key, s->groups, sizeof(one->key)))
			return value.n && value.n % sizeof(struct vd_membership) == 0 &&
			       value.n / sizeof(struct vd_membership) <= VD_STORE_GROUPS_MAX;
		/* An old one may be in use already: two groups would be linked by it. */
		return one->live || memcmp(one->key, s->next_identity, sizeof(one->key)) != 0;
	}
	one->table = VD_TABLE_POOL;
	return value.n > VD_ID_BYTES &&
	       is_record(vd_slice(value.p + VD_ID_BYTES, value.n - VD_ID_BYTES), value.p, &stub);
}

/* A sealed value opens only under the name of the table that it is of. */
static int open_piece(struct vd_salvaging *s, const struct vd_piece *one, struct vd_slice *value)
{
	static const enum vd_table of_number[] = { VD_TABLE_RECORDS, VD_TABLE_POOL }, of_name[] = { VD_TABLE_VALUES, VD_TABLE_VALUES };
	const enum vd_table *tables = one->key_n == 8 ? of_number : of_name;
	uint8_t spot[VD_SPOT_BYTES];
	int rc = VD_EDAMAGED;

	for (size_t i = 0; i < 2 && rc == VD_EDAMAGED; i++)
		rc = vd_vault_open(s->keys.vault, vd_spot(tables[i], one->from, one->key_n, spot), vd_buf_slice(&s->value), &s->room, value);
	return rc;
}

static int know(struct vd_salvaging *s, const uint8_t key[VD_INDEX_KEY_BYTES], const struct vd_author *who)
{
	struct vd_known_author *known;

	if (s->known_count == AUTHORS_MAX)
		return VD_OK;
	if (!vd_room(&s->known, s->known_count, &s->known_cap, 64, sizeof(*s->known)))
		return VD_ENOMEM;
	known = &s->known[s->known_count++];
	memcpy(known->key, key, sizeof(known->key));
	known->who = *who;
	return VD_OK;
}

static void note_groups(struct vd_salvaging *s, struct vd_slice value)
{
	struct vd_membership in;

	for (size_t at = 0; at + sizeof(in) <= value.n && s->our_count < sizeof(s->ours) / sizeof(s->ours[0]); at += sizeof(in)) {
		size_t i = 0;

		memcpy(&in, value.p + at, sizeof(in));
		while (i < s->our_count && memcmp(s->ours[i], in.group, VD_GROUP_BYTES))
			i++;
		if (i == s->our_count)
			memcpy(s->ours[s->our_count++], in.group, VD_GROUP_BYTES);
	}
}

/* A first look at everything: only who the authors are, and who we are. */
static int note_author(void *ctx, const struct vd_pages_piece *offered)
{
	struct vd_piece one = { .at = offered->at, .n = offered->n, .key_n = VD_INDEX_KEY_BYTES };
	struct vd_salvaging *s = ctx;
	struct vd_slice value;
	struct vd_author who;
	int rc;

	if (offered->key_n != VD_INDEX_KEY_BYTES || offered->n < sizeof(struct vd_membership) || offered->n > VALUE_MAX)
		return VD_OK;
	memcpy(one.from, offered->key, sizeof(one.from));
	rc = read_value(s, one.at, one.n);
	if (rc)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (open_piece(s, &one, &value))
		return VD_OK;
	if (!memcmp(one.from, s->groups, sizeof(one.from)))
		note_groups(s, value);
	else if (vd_author_read(value, &who))
		return know(s, one.from, &who);
	else if (value.n == VD_IDENTITY_SEED_BYTES)
		return know(s, one.from, (const struct vd_author *)memcpy(&who, value.p, sizeof(who)));
	return VD_OK;
}

_Static_assert(sizeof(struct vd_author) == VD_IDENTITY_SEED_BYTES, "the seed of an identity is noted in an author's place");

/* Seeds among what was noted become whose they are. */
static void know_ourselves(struct vd_salvaging *s)
{
	uint8_t key[VD_INDEX_KEY_BYTES], seed[VD_IDENTITY_SEED_BYTES];
	struct vd_identity self = { 0 };

	for (size_t i = 0; i < s->our_count; i++) {
		struct vd_slice part = vd_slice(s->ours[i], VD_GROUP_BYTES);

		vd_value_key(&s->keys, "identity", &part, 1, key);
		for (size_t k = 0; k < s->known_count; k++) {
			struct vd_known_author *known = &s->known[k];

			if (memcmp(known->key, key, sizeof(key)))
				continue;
			memcpy(seed, &known->who, sizeof(seed));
			vd_identity_from_seed(seed, &self);
			memcpy(known->who.group, s->ours[i], VD_GROUP_BYTES);
			memcpy(known->who.key, self.author, VD_KEY_BYTES);
		}
	}
	vd_identity_wipe(&self);
	sodium_memzero(seed, sizeof(seed));
}

static int take(void *ctx, const struct vd_pages_piece *offered)
{
	struct vd_piece one = { .live = offered->live, .at = offered->at, .n = offered->n };
	struct vd_salvaging *s = ctx;
	struct vd_slice value;
	int rc;

	if ((offered->key_n != 8 && offered->key_n != VD_INDEX_KEY_BYTES) || offered->n < 2 || offered->n > VALUE_MAX)
		return VD_OK;
	memcpy(one.key, offered->key, offered->key_n);
	memcpy(one.from, offered->key, offered->key_n);
	one.key_n = (uint8_t)offered->key_n;
	rc = read_value(s, one.at, one.n);
	if (rc)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (open_piece(s, &one, &value))
		return VD_OK;
	rc = one.key_n == VD_INDEX_KEY_BYTES ? take_again(s, &one, value) : VD_ENOTFOUND;
	if (rc != VD_ENOTFOUND)
		return rc;
	if (judge(s, &one, value))
		return add_piece(s, &one);
	return one.key_n == 8 ? take_records(s, &one, value) : VD_OK;
}

/* --- values of which the page with their key is lost --- */

static uint8_t taken_bit(const struct vd_salvaging *s, uint64_t at, uint8_t **byte)
{
	uint64_t sector = at / SECTOR;

	*byte = s->taken && sector / 8 < s->taken_bytes ? &s->taken[sector / 8] : NULL;
	return (uint8_t)(1u << sector % 8);
}

/* What some key led to, and proved itself, is not looked at again. */
static int note_taken(struct vd_salvaging *s)
{
	struct stat st;
	uint8_t *byte;

	if (fstat(s->fd, &st))
		return VD_EIO;
	s->taken_bytes = (size_t)((uint64_t)st.st_size / SECTOR / 8 + 1);
	s->taken = calloc(1, s->taken_bytes);
	if (!s->taken)
		return VD_ENOMEM;
	for (size_t i = 0; i < s->count; i++) {
		uint8_t bit = taken_bit(s, s->pieces[i].at, &byte);

		if (byte)
			*byte |= bit;
	}
	return VD_OK;
}

/* A run says its number and how long it is (stored.h): it is opened once, as if its key had been found. What of it stands elsewhere too is chosen from as ever. */
static int take_alone(void *ctx, const struct vd_pages_piece *offered)
{
	uint8_t begin[VD_SEALED_BEGIN_BYTES], says[VD_STORED_SAYS_BYTES], key[8], *byte, bit;
	struct vd_pages_piece found = { .key = key, .key_n = sizeof(key), .at = offered->at };
	struct vd_salvaging *s = ctx;
	uint64_t last, bytes;

	bit = taken_bit(s, offered->at, &byte);
	if ((byte && *byte & bit) || offered->n < sizeof(begin) || pread(s->fd, begin, sizeof(begin), (off_t)offered->at) != (ssize_t)sizeof(begin))
		return VD_OK;
	if (vd_vault_peek(s->keys.vault, vd_slice(begin, sizeof(begin)), says, sizeof(says)) ||
	    !vd_stored_says(vd_slice(says, sizeof(says)), &last, &bytes) || bytes > VALUE_MAX)
		return VD_OK;
	found.n = vd_vault_sealed_bytes(s->keys.vault, (size_t)bytes);
	vd_set_u64(key, last);
	return found.n > offered->n ? VD_OK : take(s, &found);
}

/* --- of several copies the best --- */

static int by_worth(const void *x, const void *y)
{
	const struct vd_piece *a = x, *b = y;
	int order;

	if (a->table != b->table)
		return a->table < b->table ? -1 : 1;
	order = a->table == VD_TABLE_RECORDS ? memcmp(a->id.b, b->id.b, VD_ID_BYTES) : memcmp(a->key, b->key, sizeof(a->key));
	if (order)
		return order;
	if (a->live != b->live)
		return a->live ? -1 : 1;
	if (a->whole != b->whole)
		return a->whole ? -1 : 1;
	if (a->again != b->again)
		return a->again ? 1 : -1;
	return a->n != b->n ? (a->n > b->n ? -1 : 1) : a->at < b->at ? -1 : a->at > b->at;
}

static bool same(const struct vd_piece *a, const struct vd_piece *b)
{
	if (a->table != b->table)
		return false;
	return a->table == VD_TABLE_RECORDS ? !memcmp(a->id.b, b->id.b, VD_ID_BYTES) : !memcmp(a->key, b->key, sizeof(a->key));
}

static int by_key(const void *x, const void *y)
{
	const struct vd_piece *a = x, *b = y;
	int order = a->table == b->table ? memcmp(a->key, b->key, sizeof(a->key)) : a->table < b->table ? -1 : 1;

	if (!order && a->again != b->again)
		return a->again ? 1 : -1;
	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static void choose(struct vd_salvaging *s)
{
	size_t kept = 0;

	if (!s->count)
		return;
	qsort(s->pieces, s->count, sizeof(*s->pieces), by_worth);
	for (size_t i = 0; i < s->count; i++) {
		if (!kept || !same(&s->pieces[kept - 1], &s->pieces[i]))
			s->pieces[kept++] = s->pieces[i];
	}
	s->count = kept;
	qsort(s->pieces, s->count, sizeof(*s->pieces), by_key);
	/* Two records under one number: a flipped key. Compared with the last that kept its own. */
	for (size_t i = 1, last = 0; i < s->count; i++) {
		if (s->pieces[i].table == VD_TABLE_RECORDS && s->pieces[last].table == VD_TABLE_RECORDS &&
		    !memcmp(s->pieces[i].key, s->pieces[last].key, 8)) {
			vd_set_u64(s->pieces[i].key, ++s->last);
			s->pieces[i].moved = true;
		} else {
			last = i;
		}
	}
}

const struct vd_piece *vd_salvaging_named(const struct vd_salvaging *s, const uint8_t key[VD_INDEX_KEY_BYTES])
{
	for (size_t i = s->count; i-- > 0;) {
		if (s->pieces[i].table == VD_TABLE_VALUES && !memcmp(s->pieces[i].key, key, VD_INDEX_KEY_BYTES))
			return &s->pieces[i];
	}
	return NULL;
}

size_t vd_salvaging_together(const struct vd_salvaging *s, size_t i)
{
	const struct vd_piece *first = &s->pieces[i];

	if (first->table != VD_TABLE_RECORDS)
		return 1;
	for (size_t k = 0; k < first->of; k++) {
		const struct vd_piece *one = first + k;

		if (i + k == s->count || one->table != first->table || one->at != first->at || one->index != k || one->moved)
			return 0;
	}
	return first->of;
}

int vd_salvaging_value(struct vd_salvaging *s, const struct vd_piece *one, struct vd_slice *opened)
{
	int rc = read_value(s, one->at, one->n);

	if (!rc && opened)
		rc = open_piece(s, one, opened);
	if (!rc && opened && one->again)
		*opened = vd_slice(opened->p + 8, opened->n - 8);
	return rc;
}

int vd_salvaging_record(struct vd_salvaging *s, const struct vd_piece *one, struct vd_slice opened, struct vd_stored *out)
{
	int rc = read_stored(s, opened, vd_get_u64(one->again ? one->key : one->from));

	return rc ? rc : vd_reading_record(&s->reading, s->reading.first + one->index, out);
}

static int by_number(const void *x, const void *y)
{
	const uint64_t *a = x, *b = y;

	return *a < *b ? -1 : *a > *b;
}

int vd_salvaging_lost(const struct vd_salvaging *s, uint64_t gap, uint64_t *out)
{
	uint64_t *known = calloc(s->count + s->dropped_count + 1, sizeof(*known)), before = 0;
	size_t n = 0;

	*out = 0;
	if (!known)
		return VD_ENOMEM;
	for (size_t i = 0; i < s->count; i++)
		if (s->pieces[i].table == VD_TABLE_RECORDS) /* who moved stands behind the last, or where another copy says */
			known[n++] = vd_get_u64(s->pieces[i].key);
	if (s->dropped_count)
		memcpy(known + n, s->dropped, s->dropped_count * sizeof(*known));
	n += s->dropped_count;
	qsort(known, n, sizeof(*known), by_number);
	for (size_t i = 0; i < n; before = known[i++]) {
		uint64_t missing = known[i] > before ? known[i] - before - 1 : 0;

		*out += missing >= gap - 1 ? (missing + 1) % gap : missing;
	}
	free(known);
	return VD_OK;
}

int vd_salvaging_author(struct vd_salvaging *s, uint64_t number, struct vd_author *out)
{
	return author_of(s, number, out);
}

int vd_salvaging_gather(struct vd_salvaging *s)
{
	int rc = vd_pages_scan(s->fd, note_author, s);

	if (!rc)
		know_ourselves(s);
	if (!rc)
		rc = vd_pages_scan(s->fd, take, s);
	if (!rc)
		rc = note_taken(s);
	if (!rc)
		rc = vd_pages_scan_values(s->fd, take_alone, s);
	if (!rc)
		choose(s);
	return rc;
}

void vd_salvaging_deinit(struct vd_salvaging *s)
{
	vd_vault_free(s->keys.vault);
	free(s->pieces);
	free(s->taken);
	free(s->dropped);
	if (s->known) /* also "next identity" and what of old pages else is secret */
		sodium_memzero(s->known, s->known_cap * sizeof(*s->known));
	free(s->known);
	free(s->found);
	vd_reading_wipe(&s->reading);
	vd_buf_wipe(&s->value);
	vd_buf_wipe(&s->room);
}
