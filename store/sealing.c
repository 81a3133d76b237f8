#include "sealing.h"

#include <dirent.h>
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
#include "names.h"
#include "proto/err.h"
#include "walked.h"

enum {
	BATCH_COUNT = 1 << 16,  /* entries and … */
	BATCH_BYTES = 16 << 20, /* … bytes of one commit */
	SCRUB_BYTES = 1 << 20,
};

/* In `home`: the copy while it is made; under its second name once it is whole; the readable file when it has left its place. */
static const char folder_name[] = "sealing", made_name[] = "sealing/data.mdb", ready_name[] = "sealing/sealed.mdb",
                  left_name[] = "sealing/readable.mdb", lock_name[] = "sealing/lock.mdb", data_name[] = "data.mdb", vault_name[] = "vault";

/* --- what is left to do --- */

static bool there(int home, const char *name)
{
	return !faccessat(home, name, F_OK, AT_SYMLINK_NOFOLLOW);
}

static int sync_one(int home, const char *folder)
{
	int rc = VD_OK, fd = openat(home, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		rc = vd_file_errno(errno);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int sync_both(int home)
{
	int rc = sync_one(home, folder_name);

	return rc ? rc : sync_one(home, ".");
}

/* With what no medium can leave out or make smaller. */
static int overwrite(int fd, uint64_t bytes)
{
	uint8_t key[crypto_stream_chacha20_KEYBYTES], nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };
	uint8_t *noise = malloc(SCRUB_BYTES);
	int rc = noise ? VD_OK : VD_ENOMEM;

	randombytes_buf(key, sizeof(key));
	for (uint64_t at = 0, number = 0; at < bytes && !rc; number++) {
		size_t n = bytes - at < SCRUB_BYTES ? (size_t)(bytes - at) : SCRUB_BYTES, done = 0;

		vd_set_u64(nonce, number);
		crypto_stream_chacha20(noise, n, nonce, key);
		while (done < n && !rc) {
			ssize_t written = pwrite(fd, noise + done, n - done, (off_t)(at + done));

			if (written < 0 && errno == EINTR)
				continue;
			if (written <= 0)
				rc = written ? vd_file_errno(errno) : VD_EIO;
			else
				done += (size_t)written;
		}
		at += n;
	}
	free(noise);
	if (!rc && fsync(fd))
		rc = vd_file_errno(errno);
	return rc;
}

/* Overwrites and removes. */
static int scrub(int home, const char *name)
{
	struct stat st;
	int rc = VD_OK, fd = openat(home, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? VD_OK : vd_file_errno(errno);
	if (fstat(fd, &st))
		rc = vd_file_errno(errno);
	else if (S_ISREG(st.st_mode))
		rc = overwrite(fd, (uint64_t)st.st_size);
	close(fd);
	/* One that cannot be written to any more goes all the same. */
	if (unlinkat(home, name, 0) && !rc)
		rc = vd_file_errno(errno);
	return rc;
}

/* Broken files that were set aside when the store was readable. */
static int scrub_damaged(int home)
{
	int rc = VD_OK, fd = openat(home, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		rc = vd_file_errno(errno);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	while ((entry = readdir(dir))) {
		int one = vd_name_in_home(home, entry->d_name) == VD_NAME_SET_ASIDE ? scrub(home, entry->d_name) : VD_OK;

		rc = rc ? rc : one;
	}
	closedir(dir);
	return rc;
}

static void clear_away(int home)
{
	static const char *const names[] = { made_name, ready_name, lock_name };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlinkat(home, names[i], 0);
	unlinkat(home, folder_name, AT_REMOVEDIR);
}

/* The sealed file takes the place of the readable one, which keeps a name until it is overwritten. Each step is durable before the next. */
static int change_places(int home)
{
	int rc = VD_OK;

	if (there(home, data_name)) {
		if (renameat(home, data_name, home, left_name))
			return vd_file_errno(errno);
		rc = sync_both(home);
	}
	if (!rc && renameat(home, ready_name, home, data_name))
		rc = vd_file_errno(errno);
	if (!rc)
		rc = sync_both(home);
	return rc;
}

int vd_sealing_finish_locked(int home)
{
	int rc = VD_OK;

	if (!there(home, folder_name))
		return VD_OK;
	if (!there(home, vault_name)) { /* it was not decided */
		clear_away(home);
		return VD_OK;
	}
	if (there(home, ready_name))
		rc = change_places(home);
	if (!rc)
		rc = scrub(home, left_name);
	if (!rc)
		rc = scrub_damaged(home);
	if (!rc) {
		clear_away(home);
		rc = sync_one(home, ".");
	}
	return rc;
}

int vd_sealing_finish(const char *home)
{
	int rc = VD_OK, fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool decided;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? VD_ENOSTORE : vd_file_errno(errno);
	if (there(fd, folder_name)) {
		decided = there(fd, vault_name);
		/* Before it is decided, whoever holds the lock may be at work, and the readable store stands. */
		while (flock(fd, LOCK_EX | (decided ? 0 : LOCK_NB)) && !rc)
			rc = errno == EINTR ? VD_OK : decided ? VD_EIO : VD_EBUSY;
		if (!rc)
			rc = vd_sealing_finish_locked(fd);
		else if (!decided)
			rc = VD_OK;
	}
	close(fd);
	return rc;
}

/* --- the copy --- */

struct sealing {
	struct vd_db *from;
	struct vd_vault *plain;
	struct vd_store to;       /* only its vault and database */
	MDB_txn *txn;             /* of `from` */
	struct vd_effects batch;
	struct vd_buf room;
	uint64_t count[VD_TABLES];
};

/* The key under which a value, a record or a pooled one stands in the sealed store. */
static int key_of(const struct sealing *s, enum vd_table table, const MDB_val *k, uint8_t out[VD_INDEX_KEY_BYTES])
{
	size_t n = table == VD_TABLE_RECORDS || table == VD_TABLE_POOL ? 8 : VD_INDEX_KEY_BYTES;

	if (k->mv_size != n)
		return VD_EDAMAGED;
	memcpy(out, k->mv_data, n);
	if (table == VD_TABLE_VALUES)
		vd_vault_turn_key(s->to.vault, out, out);
	return VD_OK;
}

static int value_of(const struct sealing *s, enum vd_table table, const MDB_val *k, const MDB_val *v, struct vd_slice *out)
{
	uint8_t spot[VD_SPOT_BYTES];

	return vd_vault_open(s->plain, vd_spot(table, k->mv_data, k->mv_size, spot), vd_slice(v->mv_data, v->mv_size), NULL, out);
}

static int apply(void *ctx, MDB_txn *txn)
{
	struct sealing *s = ctx;

	return vd_effects_apply(&s->batch, &s->to, txn);
}

static int flush(struct sealing *s)
{
	int rc = s->batch.count ? vd_db_change(s->to.db, apply, s) : VD_OK;

	vd_effects_deinit(&s->batch);
	return rc;
}

static int flush_if_large(struct sealing *s)
{
	if (s->batch.failed)
		return VD_ENOMEM;
	return s->batch.count >= BATCH_COUNT || s->batch.bytes.n >= BATCH_BYTES ? flush(s) : VD_OK;
}

/* The entries of a block, each on its turned list. */
struct turning {
	struct sealing *sealing;
	enum vd_table table;
	MDB_cursor *copy;         /* to compare with */
};

static void turned(const struct turning *t, const uint8_t entry[VD_ENTRY_BYTES], uint8_t list[VD_LIST_KEY_BYTES])
{
	vd_vault_turn_list(t->sealing->to.vault, entry, vd_list_bytes(t->table), list);
}

static int copy_entry(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	struct turning *t = ctx;
	uint8_t list[VD_LIST_KEY_BYTES];

	turned(t, entry, list);
	vd_effects_entry(&t->sealing->batch, t->table, list, vd_get_u64(entry + VD_LIST_KEY_BYTES));
	t->sealing->count[t->table]++;
	return VD_OK;
}

static int copy_one(struct sealing *s, enum vd_table table, const MDB_val *k, const MDB_val *v)
{
	struct turning t = { s, table, NULL };
	uint8_t key[VD_INDEX_KEY_BYTES];
	struct vd_slice value;
	int rc;

	if (vd_is_list(table)) {
		rc = vd_lists_block(k, v, copy_entry, &t);
		return rc ? rc : flush_if_large(s);
	}
	rc = key_of(s, table, k, key);
	if (!rc)
		rc = value_of(s, table, k, v, &value);
	if (rc)
		return rc;
	vd_effects_put(&s->batch, &s->to, table, key, k->mv_size, value);
	s->count[table]++;
	return flush_if_large(s);
}

static int compare_entry(void *ctx, const uint8_t entry[VD_ENTRY_BYTES])
{
	struct turning *t = ctx;
	uint8_t list[VD_LIST_KEY_BYTES];

	turned(t, entry, list);
	return vd_list_has(t->copy, list, vd_get_u64(entry + VD_LIST_KEY_BYTES)) ? VD_OK : VD_EDAMAGED;
}

static int compare_block(struct sealing *s, enum vd_table table, const MDB_val *k, const MDB_val *v)
{
	struct turning t = { s, table, NULL };
	MDB_txn *txn;
	int rc = vd_db_read(s->to.db, &txn);

	if (rc)
		return rc;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->to.db, table), &t.copy));
	if (!rc)
		rc = vd_lists_block(k, v, compare_entry, &t);
	if (t.copy)
		mdb_cursor_close(t.copy);
	vd_db_done(s->to.db, txn);
	return rc;
}

/* Is the same in the copy? */
static int compare_one(struct sealing *s, enum vd_table table, const MDB_val *k, const MDB_val *v)
{
	uint8_t key[VD_INDEX_KEY_BYTES], spot[VD_SPOT_BYTES];
	struct vd_slice value, copy = { 0 };
	MDB_val at = { k->mv_size, key }, found;
	MDB_txn *txn;
	int rc;

	if (vd_is_list(table))
		return compare_block(s, table, k, v);
	rc = key_of(s, table, k, key);
	if (!rc)
		rc = value_of(s, table, k, v, &value);
	if (!rc)
		rc = vd_db_read(s->to.db, &txn);
	if (rc)
		return rc;
	rc = vd_db_err(mdb_get(txn, vd_db_table(s->to.db, table), &at, &found));
	if (!rc && found.mv_size)
		rc = vd_vault_open(s->to.vault, vd_spot(table, key, k->mv_size, spot), vd_slice(found.mv_data, found.mv_size), &s->room, &copy);
	vd_db_done(s->to.db, txn);
	if (!rc && !vd_slice_eq(value, copy))
		rc = VD_EDAMAGED;
	return rc == VD_ENOTFOUND ? VD_EDAMAGED : rc;
}

static int each(struct sealing *s, int (*visit)(struct sealing *, enum vd_table, const MDB_val *k, const MDB_val *v))
{
	int rc = VD_OK;

	for (enum vd_table table = 0; table < VD_TABLES && !rc; table++) {
		MDB_cursor *cursor;
		MDB_val k, v;

		rc = vd_db_err(mdb_cursor_open(s->txn, vd_db_table(s->from, table), &cursor));
		if (rc)
			break;
		while (!rc && !(rc = vd_db_err(mdb_cursor_get(cursor, &k, &v, MDB_NEXT))))
			rc = visit(s, table, &k, &v);
		mdb_cursor_close(cursor);
		if (rc == VD_ENOTFOUND)
			rc = VD_OK;
	}
	return rc;
}

/* In a table of lists the entries. */
static int count_all(struct sealing *s, MDB_txn *txn, enum vd_table table, uint64_t *out)
{
	MDB_cursor *cursor;
	MDB_stat stat;
	int rc = vd_db_err(mdb_stat(txn, vd_db_table(s->to.db, table), &stat));

	*out = rc ? 0 : stat.ms_entries;
	if (rc || !vd_is_list(table))
		return rc;
	rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->to.db, table), &cursor));
	if (!rc) {
		rc = vd_lists_count(cursor, out);
		mdb_cursor_close(cursor);
	}
	return rc;
}

/* No more and no fewer. */
static int compare_counts(struct sealing *s)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->to.db, &txn);

	if (rc)
		return rc;
	for (enum vd_table table = 0; table < VD_TABLES && !rc; table++) {
		uint64_t count;

		rc = count_all(s, txn, table, &count);
		if (!rc && count != s->count[table])
			rc = VD_EDAMAGED;
	}
	vd_db_done(s->to.db, txn);
	return rc;
}

static int copy_all(struct sealing *s, int fd, const char *home)
{
	char path[PATH_MAX];
	int rc;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", home, folder_name) >= sizeof(path))
		return VD_EINVAL;
	if (mkdirat(fd, folder_name, 0700))
		return vd_file_errno(errno);
	rc = vd_db_open(path, true, &s->to.db);
	if (!rc)
		rc = vd_db_lock(s->to.db);
	if (rc)
		return rc;
	rc = vd_db_read(s->from, &s->txn);
	if (!rc) {
		rc = each(s, copy_one);
		if (!rc)
			rc = flush(s);
		if (!rc)
			rc = compare_counts(s);
		if (!rc)
			rc = each(s, compare_one);
		vd_db_done(s->from, s->txn);
	}
	vd_db_unlock(s->to.db);
	return rc;
}

/* --- the whole --- */

/* Has another process it open? The descriptor stays open as long as we have: closing it would take our own lock away. */
static bool in_use(int lock)
{
	struct flock range = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1 };

	return lock >= 0 && !fcntl(lock, F_GETLK, &range) && range.l_type != F_UNLCK;
}

/* What a newer vereda keeps may have keys of other kinds. */
static int check_format(struct sealing *s)
{
	struct vd_store from = { .db = s->from, .vault = s->plain };
	struct vd_buf value = { 0 };
	int rc = vd_value_read(&from, "store", NULL, 0, &value);

	if (!rc && (!value.n || value.p[0] != VD_STORE_FORMAT))
		rc = value.n ? VD_EVERSION : VD_EDAMAGED;
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND ? VD_EDAMAGED : rc;
}

/* `home` is open as `fd`. */
static int seal_locked(struct sealing *s, const char *home, int fd, int lock, const struct vd_secret *secret,
                       const struct vd_vault_cost *cost)
{
	int rc = vd_sealing_finish_locked(fd);

	if (!rc)
		rc = check_format(s);
	if (!rc)
		rc = copy_all(s, fd, home);
	vd_db_close(s->to.db);
	s->to.db = NULL;
	if (!rc && renameat(fd, made_name, fd, ready_name))
		rc = vd_file_errno(errno);
	if (!rc)
		rc = sync_both(fd);
	if (!rc && in_use(lock))
		rc = VD_EBUSY;
	if (!rc) {
		rc = vd_vault_make(home, s->to.vault, secret, cost); /* this decides */
		if (rc && !there(fd, vault_name))
			(void)vd_vault_unmake(home);
	}
	if (!rc)
		vd_walked_forget(fd);
	if (!rc || !there(fd, vault_name)) {
		int finished = vd_sealing_finish_locked(fd);

		rc = rc ? rc : finished;
	}
	return rc;
}

int vd_store_seal(const char *home, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	struct sealing s = { .to.workers_mutex = PTHREAD_MUTEX_INITIALIZER };
	int rc, folder = -1, lock = -1;

	if (!vd_vault_can_make(secret, cost))
		return VD_EINVAL;
	rc = vd_store_check_home(home);
	if (!rc)
		rc = vd_sealing_finish(home);
	if (rc)
		return rc;
	if (vd_vault_exists(home))
		return VD_EEXISTS;
	folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return vd_file_errno(errno);
	lock = openat(folder, "lock.mdb", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (in_use(lock)) {
		rc = VD_EBUSY;
		goto done;
	}
	s.plain = vd_vault_new_plain();
	s.to.vault = vd_vault_new_sealed();
	rc = s.plain && s.to.vault ? vd_db_open(home, false, &s.from) : VD_ENOMEM;
	if (!rc)
		rc = vd_db_lock(s.from);
	if (!rc) {
		rc = vd_vault_exists(home) ? VD_EEXISTS : seal_locked(&s, home, folder, lock, secret, cost);
		vd_db_unlock(s.from);
	}
done:
	vd_db_close(s.from);
	if (lock >= 0)
		close(lock);
	close(folder);
	vd_vault_free(s.plain);
	vd_workers_free(s.to.workers);
	vd_vault_free(s.to.vault);
	vd_effects_deinit(&s.batch);
	vd_buf_wipe(&s.room);
	return rc;
}
