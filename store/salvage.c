#include "salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "inside.h"
#include "pages.h"
#include "proto/err.h"
#include "sealing.h"
#include "walked.h"

enum {
	KEEP_MAX = 1000,        /* broken files in one folder */
	ARRIVAL_GAP = 1 << 20,  /* numbers given to records that are lost must not name others */
	VALUE_MAX = 2 * (VD_STORED_HEAD + VD_RECORD_MAX), /* sealed and padded */
	AUTHORS_MAX = 1 << 16,  /* whose numbers are looked for */
};

static const uint64_t arrival_max = (uint64_t)1 << 48;

struct piece {
	enum vd_table table;
	bool live, whole;       /* of the newest state; with its body */
	uint8_t key[VD_INDEX_KEY_BYTES], key_n;
	uint8_t from[VD_INDEX_KEY_BYTES]; /* the key under which it stood */
	struct vd_id id;        /* of a record */
	uint8_t of, index;      /* … which of how many in its value it is */
	bool moved;             /* … and it has another number from now on */
	uint64_t at, n;         /* of the value in the file */
};

/* An author that some record is by, and under which name of VALUES that stood. Who got a number keeps it. */
struct known {
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_author who;
};

struct salvage {
	int fd, folder;
	struct vd_store keys;   /* only its vault: to name values */
	struct piece *pieces;
	size_t count, cap;
	uint64_t last;          /* highest arrival number */
	uint8_t groups[VD_INDEX_KEY_BYTES], next_identity[VD_INDEX_KEY_BYTES], index[VD_INDEX_KEY_BYTES];
	uint8_t store[VD_INDEX_KEY_BYTES];
	struct vd_buf value, room;
	struct vd_reading reading;
	struct known *known;
	size_t known_count, known_cap;
	const struct vd_author *trying; /* whoever the first number says that nobody has; who has others is left open then */
	uint64_t number;        /* that one */
	uint64_t highest;       /* that was asked for */
	struct found {          /* numbers whose value is lost, and yet it came out whose they are */
		uint32_t number;
		struct vd_author who;
	} *found;
	size_t found_count;
	uint64_t numbers;       /* more than any that was asked for */
};

static int read_value(struct salvage *s, uint64_t at, uint64_t n)
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
	struct salvage *s = ctx;
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

static int remember(struct salvage *s, uint32_t number, const struct vd_author *who)
{
	struct found *found = reallocarray(s->found, s->found_count + 1, sizeof(*found));

	if (!found)
		return VD_ENOMEM;
	s->found = found;
	found[s->found_count++] = (struct found){ number, *who };
	return VD_OK;
}

static bool wrote_any(struct salvage *s, const struct vd_author *who)
{
	for (uint64_t at = s->reading.first; at <= s->reading.last; at++) {
		struct vd_stored stored;

		if (!vd_reading_record(&s->reading, at, &stored) && !memcmp(stored.view.author, who->key, VD_KEY_BYTES))
			return true;
	}
	return false;
}

/* Reads the value of one record or several. Where it is lost whose number it names, whoever it fits it is by. */
static int read_stored(struct salvage *s, struct vd_slice value, uint64_t last)
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

static int add_piece(struct salvage *s, const struct piece *one)
{
	if (!vd_room(&s->pieces, s->count, &s->cap, 1024, sizeof(*s->pieces)))
		return VD_ENOMEM;
	s->pieces[s->count++] = *one;
	return VD_OK;
}

/* A record, if it proves itself. */
static int take_record(struct salvage *s, const struct piece *value, uint64_t arrival)
{
	struct piece one = *value;
	struct vd_stored stored;
	bool stub = false;
	int rc = vd_reading_record(&s->reading, arrival, &stored);

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

static int take_records(struct salvage *s, const struct piece *value, struct vd_slice opened)
{
	int rc = read_stored(s, opened, vd_get_u64(value->from));

	for (uint64_t at = s->reading.first; !rc && at <= s->reading.last; at++)
		rc = take_record(s, value, at);
	return rc == VD_ENOMEM ? rc : VD_OK;
}

/* Is it to be taken, and of which table? Only what proves itself is, but for the few named values. */
static bool judge(const struct salvage *s, struct piece *one, struct vd_slice value)
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
static int open_piece(struct salvage *s, const struct piece *one, struct vd_slice *value)
{
	static const enum vd_table of_number[] = { VD_TABLE_RECORDS, VD_TABLE_POOL }, of_name[] = { VD_TABLE_VALUES, VD_TABLE_VALUES };
	const enum vd_table *tables = one->key_n == 8 ? of_number : of_name;
	uint8_t spot[VD_SPOT_BYTES];
	int rc = VD_EDAMAGED;

	for (size_t i = 0; i < 2 && rc == VD_EDAMAGED; i++)
		rc = vd_vault_open(s->keys.vault, vd_spot(tables[i], one->from, one->key_n, spot), vd_buf_slice(&s->value), &s->room, value);
	return rc;
}

/* A first look at everything: only who the authors are. */
static int note_author(void *ctx, const struct vd_pages_piece *offered)
{
	struct piece one = { .at = offered->at, .n = offered->n, .key_n = VD_INDEX_KEY_BYTES };
	struct salvage *s = ctx;
	struct vd_slice value;
	struct known *known;
	int rc;

	if (offered->key_n != VD_INDEX_KEY_BYTES || offered->n < VD_GROUP_BYTES + VD_KEY_BYTES || offered->n > VALUE_MAX ||
	    s->known_count == AUTHORS_MAX)
		return VD_OK;
	memcpy(one.from, offered->key, sizeof(one.from));
	rc = read_value(s, one.at, one.n);
	if (rc)
		return rc == VD_ENOMEM ? rc : VD_OK;
	if (!vd_room(&s->known, s->known_count, &s->known_cap, 64, sizeof(*s->known)))
		return VD_ENOMEM;
	known = &s->known[s->known_count];
	memcpy(known->key, offered->key, sizeof(known->key));
	s->known_count += !open_piece(s, &one, &value) && vd_author_read(value, &known->who);
	return VD_OK;
}

static int take(void *ctx, const struct vd_pages_piece *offered)
{
	struct piece one = { .live = offered->live, .at = offered->at, .n = offered->n };
	struct salvage *s = ctx;
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
	if (judge(s, &one, value))
		return add_piece(s, &one);
	return one.key_n == 8 ? take_records(s, &one, value) : VD_OK;
}

/* --- of several copies the best --- */

static int by_worth(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;
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
	return a->n != b->n ? (a->n > b->n ? -1 : 1) : a->at < b->at ? -1 : a->at > b->at;
}

static bool same(const struct piece *a, const struct piece *b)
{
	if (a->table != b->table)
		return false;
	return a->table == VD_TABLE_RECORDS ? !memcmp(a->id.b, b->id.b, VD_ID_BYTES) : !memcmp(a->key, b->key, sizeof(a->key));
}

static int by_key(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;
	int order = a->table == b->table ? memcmp(a->key, b->key, sizeof(a->key)) : a->table < b->table ? -1 : 1;

	return order ? order : a->at < b->at ? -1 : a->at > b->at;
}

static void choose(struct salvage *s)
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

static const struct piece *named(const struct salvage *s, const uint8_t key[VD_INDEX_KEY_BYTES])
{
	for (size_t i = s->count; i-- > 0;) {
		if (s->pieces[i].table == VD_TABLE_VALUES && !memcmp(s->pieces[i].key, key, VD_INDEX_KEY_BYTES))
			return &s->pieces[i];
	}
	return NULL;
}

/* Without who we are in each group the records would lie there, and nobody could read or send them. */
static int groups_left(struct salvage *s)
{
	const struct piece *list = named(s, s->groups);
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_slice value = { 0 };
	int rc = list ? read_value(s, list->at, list->n) : VD_ENOTFOUND;

	if (!rc)
		rc = open_piece(s, list, &value);
	for (size_t at = 0; !rc && at < value.n; at += sizeof(struct vd_membership)) {
		struct vd_slice part = vd_slice(value.p + at + offsetof(struct vd_membership, group), VD_GROUP_BYTES);

		vd_value_key(&s->keys, "identity", &part, 1, key);
		if (!named(s, key))
			rc = VD_ENOTFOUND;
	}
	return rc;
}

/* --- the new file --- */

struct building {
	struct salvage *s;
	struct vd_db *db;
};

static int put(const struct building *b, MDB_txn *txn, enum vd_table table, const uint8_t *key, size_t n, struct vd_slice value)
{
	MDB_val k = { n, (void *)(uintptr_t)key }, v = { value.n, (void *)(uintptr_t)value.p };

	return mdb_put(txn, vd_db_table(b->db, table), &k, &v, 0);
}

/* Seals a value that no piece has. */
static int put_fresh(const struct building *b, MDB_txn *txn, enum vd_table table, const uint8_t *key, size_t n, struct vd_slice value)
{
	struct vd_buf sealed = { 0 };
	uint8_t spot[VD_SPOT_BYTES];
	int rc = vd_vault_seal(b->s->keys.vault, vd_spot(table, key, n, spot), value, &sealed);

	if (!rc)
		rc = put(b, txn, table, key, n, vd_buf_slice(&sealed));
	vd_buf_deinit(&sealed);
	return rc;
}

/* How many pieces from here on are all that is in their value, as it was? */
static size_t together(const struct salvage *s, size_t i)
{
	const struct piece *first = &s->pieces[i];

	if (first->table != VD_TABLE_RECORDS)
		return 1;
	for (size_t k = 0; k < first->of; k++) {
		const struct piece *one = first + k;

		if (i + k == s->count || one->table != first->table || one->at != first->at || one->index != k || one->moved)
			return 0;
	}
	return first->of;
}

/* One of a run of which others are lost or stand better elsewhere, or one that got another number. */
static int put_alone(const struct building *b, MDB_txn *txn, const struct piece *one)
{
	struct salvage *s = b->s;
	struct vd_buf made = { 0 };
	struct vd_slice value;
	struct vd_stored stored;
	int rc = read_value(s, one->at, one->n);

	if (!rc)
		rc = open_piece(s, one, &value);
	if (!rc)
		rc = read_stored(s, value, vd_get_u64(one->from));
	if (!rc)
		rc = vd_reading_record(&s->reading, s->reading.first + one->index, &stored);
	if (!rc && stored.compact) {
		rc = vd_stored_encode(&stored.view, stored.number, stored.flags, stored.received_ms, &made);
		value = vd_buf_slice(&made);
	}
	if (!rc)
		rc = put_fresh(b, txn, VD_TABLE_RECORDS, one->key, one->key_n, value);
	vd_buf_deinit(&made);
	return rc;
}

static int put_pieces(const struct building *b, MDB_txn *txn)
{
	struct salvage *s = b->s;
	int rc = 0;

	for (size_t i = 0, n; i < s->count && !rc; i += n ? n : 1) {
		const struct piece *one = &s->pieces[i];

		n = together(s, i);
		if (!n) {
			rc = put_alone(b, txn, one);
			continue;
		}
		rc = read_value(s, one->at, one->n);
		if (!rc) /* sealed for the number of its last */
			rc = put(b, txn, one->table, one->from, one->key_n, vd_buf_slice(&s->value));
	}
	return rc;
}

/* Every number that a record names has somebody: else the next author would get it. */
static int put_authors(const struct building *b, MDB_txn *txn)
{
	uint8_t key[VD_INDEX_KEY_BYTES], value[VD_GROUP_BYTES + VD_KEY_BYTES];
	struct salvage *s = b->s;
	int rc = 0;

	for (uint64_t i = 0; i < VD_AUTHOR_COPIES * s->numbers && !rc; i++) {
		uint32_t number = (uint32_t)(i / VD_AUTHOR_COPIES);
		struct vd_author who = { 0 };

		vd_author_key(&s->keys, number, i % VD_AUTHOR_COPIES, key);
		if (named(s, key))
			continue;
		(void)author_of(s, number, &who); /* nobody at all when not even one of their records is left */
		memcpy(value, who.group, VD_GROUP_BYTES);
		memcpy(value + VD_GROUP_BYTES, who.key, VD_KEY_BYTES);
		rc = put_fresh(b, txn, VD_TABLE_VALUES, key, sizeof(key), vd_slice(value, sizeof(value)));
	}
	return rc;
}

/* The device's number and name are lost: it goes on as a new one. */
static int put_device(const struct building *b, MDB_txn *txn)
{
	uint8_t value[1 + VD_STORE_DEVICE_BYTES] = { VD_STORE_FORMAT };

	if (named(b->s, b->s->store))
		return 0;
	randombytes_buf(value + 1, VD_STORE_DEVICE_BYTES);
	return put_fresh(b, txn, VD_TABLE_VALUES, b->s->store, VD_INDEX_KEY_BYTES, vd_slice(value, sizeof(value)));
}

static int build(void *ctx, MDB_txn *txn)
{
	static const uint8_t dropped[VD_STORED_HEAD] = { VD_STORED_DROPPED };
	struct building *b = ctx;
	struct salvage *s = b->s;
	uint8_t key[8];
	int rc = put_device(b, txn);

	if (!rc)
		rc = put_authors(b, txn);
	if (!rc)
		rc = put_pieces(b, txn);
	vd_set_u64(key, s->last + ARRIVAL_GAP);
	return rc ? rc : put_fresh(b, txn, VD_TABLE_RECORDS, key, sizeof(key), vd_slice(dropped, sizeof(dropped)));
}

static void remove_new(int folder)
{
	unlinkat(folder, "new/data.mdb", 0);
	unlinkat(folder, "new/lock.mdb", 0);
	unlinkat(folder, "new", AT_REMOVEDIR);
}

static int build_new(struct salvage *s, const char *home)
{
	struct building b = { .s = s };
	char path[PATH_MAX];
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s/new", home) >= sizeof(path))
		return VD_EINVAL;
	remove_new(s->folder);
	if (mkdirat(s->folder, "new", 0700))
		return vd_file_errno(errno);
	rc = vd_db_open(path, true, &b.db);
	if (!rc)
		rc = vd_db_lock(b.db);
	if (!rc) {
		rc = vd_db_change(b.db, build, &b);
		vd_db_unlock(b.db);
	}
	vd_db_close(b.db);
	return rc;
}

/* The broken file keeps a name; the new one takes its place in one step, so that there is one at every moment. */
static int exchange(struct salvage *s, char kept[32])
{
	int rc = 0;

	for (int i = 1; i <= KEEP_MAX; i++) {
		snprintf(kept, 32, "data.mdb.damaged-%d", i);
		rc = linkat(s->folder, "data.mdb", s->folder, kept, 0) ? errno : 0;
		if (rc == EPERM || rc == EOPNOTSUPP || rc == EMLINK) /* a file system without links */
			rc = faccessat(s->folder, kept, F_OK, 0) ? renameat(s->folder, "data.mdb", s->folder, kept) ? errno : 0 : EEXIST;
		if (rc != EEXIST)
			break;
	}
	if (!rc && renameat(s->folder, "new/data.mdb", s->folder, "data.mdb"))
		rc = errno;
	vd_walked_forget(s->folder);
	if (!rc && fsync(s->folder) && errno != EINVAL)
		rc = errno;
	return rc ? vd_file_errno(rc) : VD_OK;
}

/* Another process that has it open would go on writing to the broken file. */
static bool in_use(int folder)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };
	int fd = openat(folder, "lock.mdb", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool yes = fd >= 0 && !fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK;

	if (fd >= 0)
		close(fd);
	return yes;
}

static int rebuild(struct salvage *s, const char *home, char kept[32])
{
	struct vd_pages pages;
	int rc;

	s->fd = openat(s->folder, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (s->fd < 0)
		return errno == ENOENT ? VD_ENOSTORE : vd_file_errno(errno);
	rc = vd_pages_read(s->fd, &pages);
	if (!rc)
		rc = vd_pages_walk(s->fd, &pages);
	if (rc != VD_EDAMAGED)
		return rc ? rc : VD_EEXISTS;
	if (in_use(s->folder))
		return VD_EBUSY;
	vd_value_key(&s->keys, "groups", NULL, 0, s->groups);
	vd_value_key(&s->keys, "next identity", NULL, 0, s->next_identity);
	vd_value_key(&s->keys, "index", NULL, 0, s->index);
	vd_value_key(&s->keys, "store", NULL, 0, s->store);
	rc = vd_pages_scan(s->fd, note_author, s);
	if (!rc)
		rc = vd_pages_scan(s->fd, take, s);
	if (rc)
		return rc == VD_EDAMAGED ? VD_ENOTFOUND : rc;
	choose(s);
	rc = groups_left(s);
	if (!rc)
		rc = build_new(s, home);
	if (!rc)
		rc = exchange(s, kept);
	remove_new(s->folder);
	return rc;
}

/* --- the new store goes on where the old one was --- */

struct following {
	struct vd_write *write;
	uint8_t author[VD_KEY_BYTES];
	uint64_t now_ms;
};

static int follow(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct following *f = ctx;
	struct vd_record record;

	(void)arrival;
	(void)received_ms;
	if (vd_record_decode(raw, &record) || memcmp(record.author, f->author, VD_KEY_BYTES))
		return VD_OK;
	return vd_write_follow(f->write, &record, true, f->now_ms);
}

static int follow_all(struct vd_store *store, uint64_t now_ms)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct following f = { .now_ms = now_ms };
	size_t count;
	int rc = vd_store_groups(store, groups, &count);

	for (size_t i = 0; i < count && !rc; i++) {
		struct vd_group *group;

		rc = vd_store_group(store, groups[i], &group);
		if (rc)
			return rc;
		memcpy(f.author, vd_group_identity(group)->author, VD_KEY_BYTES);
		vd_group_free(group);
		rc = vd_write_begin(store, &f.write);
		if (rc)
			return rc;
		rc = vd_store_walk(store, groups[i], VD_ANY_LANE, 0, follow, &f);
		if (rc)
			vd_write_abort(f.write);
		else
			rc = vd_write_end(f.write);
	}
	return rc;
}

int vd_store_salvage(const char *home, const struct vd_secret *secret, uint64_t now_ms, struct vd_salvage *out)
{
	struct salvage s = { .fd = -1 };
	struct vd_store *store = NULL;
	int rc = vd_sealing_finish(home);

	if (!rc)
		rc = vd_store_vault_of(home, secret, &s.keys.vault);
	*out = (struct vd_salvage){ 0 };
	s.folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && s.folder < 0)
		rc = errno == ENOENT || errno == ENOTDIR ? VD_ENOSTORE : vd_file_errno(errno);
	if (!rc && flock(s.folder, LOCK_EX))
		rc = VD_EIO;
	if (!rc)
		rc = rebuild(&s, home, out->kept);
	if (s.fd >= 0)
		close(s.fd);
	if (s.folder >= 0)
		close(s.folder);
	vd_vault_free(s.keys.vault);
	free(s.pieces);
	free(s.known);
	free(s.found);
	vd_reading_wipe(&s.reading);
	vd_buf_wipe(&s.value);
	vd_buf_wipe(&s.room);
	if (!rc)
		rc = vd_store_open_with(home, secret, &store);
	if (!rc)
		rc = vd_check(store, true, &out->check);
	if (!rc)
		rc = follow_all(store, now_ms);
	out->records = out->check.records - out->check.bad;
	vd_store_close(store);
	return rc;
}
