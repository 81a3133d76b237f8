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
#include "pages.h"
#include "proto/err.h"
#include "salvage_inside.h"
#include "sealing.h"
#include "walked.h"

enum {
	KEEP_MAX = 1000,        /* broken files in one folder */
	ARRIVAL_GAP = 1 << 20,  /* numbers given to records that are lost must not name others */
};

/* Without who we are in each group the records would lie there, and nobody could read or send them. */
static int groups_left(struct vd_salvaging *s)
{
	const struct vd_piece *list = vd_salvaging_named(s, s->groups);
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_slice value = { 0 };
	int rc = list ? vd_salvaging_value(s, list, &value) : VD_ENOTFOUND;

	for (size_t at = 0; !rc && at < value.n; at += sizeof(struct vd_membership)) {
		struct vd_slice part = vd_slice(value.p + at + offsetof(struct vd_membership, group), VD_GROUP_BYTES);

		vd_value_key(&s->keys, "identity", &part, 1, key);
		if (!vd_salvaging_named(s, key))
			rc = VD_ENOTFOUND;
	}
	return rc;
}

/* --- the new file --- */

struct building {
	struct vd_salvaging *s;
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

/* One of a run of which others are lost or stand better elsewhere, or one that got another number. */
static int put_alone(const struct building *b, MDB_txn *txn, const struct vd_piece *one)
{
	struct vd_salvaging *s = b->s;
	struct vd_buf made = { 0 };
	struct vd_slice value;
	struct vd_stored stored;
	int rc = vd_salvaging_value(s, one, &value);

	if (!rc)
		rc = vd_salvaging_record(s, one, value, &stored);
	if (!rc && stored.compact) {
		rc = vd_stored_encode(&stored.view, stored.number, vd_get_u64(one->key), stored.flags, stored.received_ms, &made);
		value = vd_buf_slice(&made);
	}
	if (!rc)
		rc = put_fresh(b, txn, VD_TABLE_RECORDS, one->key, 8, value);
	vd_buf_deinit(&made);
	return rc;
}

static int put_pieces(const struct building *b, MDB_txn *txn)
{
	struct vd_salvaging *s = b->s;
	int rc = 0;

	for (size_t i = 0, n; i < s->count && !rc; i += n ? n : 1) {
		const struct vd_piece *one = &s->pieces[i];

		n = vd_salvaging_together(s, i);
		if (!n) {
			rc = put_alone(b, txn, one);
			continue;
		}
		rc = vd_salvaging_value(s, one, NULL);
		if (!rc) /* sealed for the number of its last */
			rc = put(b, txn, one->table, one->from, one->key_n, vd_buf_slice(&s->value));
	}
	return rc;
}

static bool author_left(struct vd_salvaging *s, const uint8_t key[VD_INDEX_KEY_BYTES])
{
	const struct vd_piece *one = vd_salvaging_named(s, key);
	struct vd_slice value;
	struct vd_author who;

	return one && !vd_salvaging_value(s, one, &value) && vd_author_read(value, &who);
}

/* Every number that a record names has somebody: else the next author would get it. */
static int put_authors(const struct building *b, MDB_txn *txn)
{
	uint8_t key[VD_INDEX_KEY_BYTES], value[VD_AUTHOR_VALUE_BYTES];
	struct vd_salvaging *s = b->s;
	int rc = 0;

	for (uint64_t i = 0; i < VD_AUTHOR_COPIES * s->numbers && !rc; i++) {
		uint32_t number = (uint32_t)(i / VD_AUTHOR_COPIES);
		struct vd_author who = { 0 };

		vd_author_key(&s->keys, number, i % VD_AUTHOR_COPIES, key);
		if (author_left(s, key))
			continue;
		(void)vd_salvaging_author(s, number, &who); /* nobody at all when not even one of their records is left */
		vd_author_value(&who, value);
		rc = put_fresh(b, txn, VD_TABLE_VALUES, key, sizeof(key), vd_slice(value, sizeof(value)));
	}
	return rc;
}

/* The device's number and name are lost: it goes on as a new one. */
static int put_device(const struct building *b, MDB_txn *txn)
{
	uint8_t value[1 + VD_STORE_DEVICE_BYTES] = { VD_STORE_FORMAT };

	if (vd_salvaging_named(b->s, b->s->store))
		return 0;
	randombytes_buf(value + 1, VD_STORE_DEVICE_BYTES);
	return put_fresh(b, txn, VD_TABLE_VALUES, b->s->store, VD_INDEX_KEY_BYTES, vd_slice(value, sizeof(value)));
}

static int build(void *ctx, MDB_txn *txn)
{
	static const uint8_t dropped[VD_STORED_HEAD] = { VD_STORED_DROPPED };
	struct building *b = ctx;
	struct vd_salvaging *s = b->s;
	uint8_t key[8];
	int rc = put_device(b, txn);

	if (!rc)
		rc = put_pieces(b, txn);
	if (!rc)
		rc = put_authors(b, txn); /* over what is damaged of theirs */
	vd_set_u64(key, s->last + ARRIVAL_GAP);
	return rc ? rc : put_fresh(b, txn, VD_TABLE_RECORDS, key, sizeof(key), vd_slice(dropped, sizeof(dropped)));
}

static void remove_new(int folder)
{
	unlinkat(folder, "new/data.mdb", 0);
	unlinkat(folder, "new/lock.mdb", 0);
	unlinkat(folder, "new", AT_REMOVEDIR);
}

static int build_new(struct vd_salvaging *s, const char *home)
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
static int exchange(struct vd_salvaging *s, char kept[32])
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

static int rebuild(struct vd_salvaging *s, const char *home, struct vd_salvage *out)
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
	rc = vd_salvaging_gather(s);
	if (rc)
		return rc == VD_EDAMAGED ? VD_ENOTFOUND : rc;
	rc = groups_left(s);
	if (!rc)
		rc = vd_salvaging_lost(s, ARRIVAL_GAP, &out->lost);
	if (!rc)
		rc = build_new(s, home);
	if (!rc)
		rc = exchange(s, out->kept);
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
		vd_write_lost(f.write, groups[i], f.author, now_ms);
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
	struct vd_salvaging s = { .fd = -1 };
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
		rc = rebuild(&s, home, out);
	if (s.fd >= 0)
		close(s.fd);
	if (s.folder >= 0)
		close(s.folder);
	vd_salvaging_deinit(&s);
	if (!rc)
		rc = vd_store_open_with(home, secret, &store);
	if (!rc)
		rc = vd_check(store, true, &out->check);
	if (!rc)
		rc = follow_all(store, now_ms);
	out->records = out->check.records - out->check.bad;
	out->lost += out->check.bad + out->check.own_last;
	out->lost_own = out->check.own_missing < out->lost ? out->check.own_missing : out->lost;
	vd_store_close(store);
	return rc;
}
