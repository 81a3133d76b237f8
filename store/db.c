#include "db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "pages.h"
#include "proto/err.h"
#include "walked.h"

enum {
	MAP_START = 4 << 20,
	MAP_STEP_MAX = 256 << 20, /* doubling ends here, so that 32-bit address space is not asked for in vain */
};
static const char *const table_names[VD_TABLES] = { "records", "items", "lists", "index", "values", "pool" };
static size_t map_start = MAP_START;

struct vd_db {
	MDB_env *env;
	MDB_dbi table[VD_TABLES];
	char *folder;
	int folder_fd;          /* flock on it is the writers' lock between processes */
	int mark;               /* walked.h; -1: a new one, or none */
	bool fresh;             /* being made: nothing to be walked */
	bool read_only;         /* mounted so: after a failure many systems do that by themselves */
	bool hidden;            /* its file has no name any more */
	dev_t device;           /* of the file that is mapped */
	ino_t file;
	pthread_mutex_t writer; /* and this between threads */
	pthread_rwlock_t map;   /* shared by every transaction; exclusive to change the map */
};

void vd_db_set_start(size_t bytes)
{
	map_start = bytes;
}

int vd_db_err(int rc)
{
	switch (rc) {
	case ENOSPC: case EDQUOT: case EFBIG: return VD_ENOSPACE;
	case EIO: case ENODEV: case ENXIO: case EROFS: return VD_EIO;
	case ENOMEM: return VD_ENOMEM;
	case EACCES: case EPERM: return VD_EDENIED;
	case EAGAIN: case EBUSY: case MDB_READERS_FULL: return VD_EBUSY;
	case ENOENT: return VD_ENOSTORE;
	case MDB_NOTFOUND: return VD_ENOTFOUND;
	case MDB_MAP_FULL: case MDB_TXN_FULL: return VD_ENOSPACE;
	case MDB_VERSION_MISMATCH: return VD_EVERSION;
	case MDB_CORRUPTED: case MDB_PAGE_NOTFOUND: case MDB_INVALID: case MDB_INCOMPATIBLE: return VD_EDAMAGED;
	}
	/* Ours are small negative numbers, LMDB's are below -30000. */
	return rc <= 0 && rc > -1000 ? rc : VD_EIO;
}

static int open_file(int folder, int *fd)
{
	*fd = openat(folder, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd >= 0)
		return VD_OK;
	return errno == ELOOP || errno == ENXIO ? VD_EDAMAGED : vd_db_err(errno);
}

/* Of a database without a name LMDB has the only descriptor. */
static int own_file(struct vd_db *db, int *fd)
{
	int rc = db->env ? mdb_env_get_fd(db->env, fd) : EIO;

	if (!rc)
		*fd = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
	return rc ? vd_db_err(rc) : *fd < 0 ? vd_db_err(errno) : VD_OK;
}

/* LMDB trusts its file: a page that is not what it should be ends the process. So nothing is mapped before all
 * of it was read with care. */
static int walk(struct vd_db *db)
{
	struct vd_pages pages;
	int fd, rc = db->hidden ? own_file(db, &fd) : open_file(db->folder_fd, &fd);

	if (rc)
		return rc;
	rc = vd_pages_read(fd, &pages);
	if (!rc)
		rc = vd_pages_walk(fd, &pages);
	close(fd);
	return rc;
}

int vd_db_walk(struct vd_db *db)
{
	int rc = walk(db);

	if (rc == VD_EDAMAGED)
		vd_walked_forget(db->folder_fd);
	return rc;
}

static int lock_folder(struct vd_db *db)
{
	while (flock(db->folder_fd, LOCK_EX)) {
		if (errno != EINTR)
			return VD_EIO;
	}
	return VD_OK;
}

/* Under the writers' lock: walks the file unless it is known to be sound. */
static int make_sure(struct vd_db *db)
{
	int rc;

	if (vd_walked_holds(db->mark, db->folder_fd))
		return VD_OK;
	rc = vd_db_walk(db);
	if (!rc)
		vd_walked_renew(db->mark, db->folder_fd);
	return rc;
}

/* Before the file is opened. */
static int inspect(struct vd_db *db)
{
	int rc, fd;

	rc = open_file(db->folder_fd, &fd);
	if (rc)
		return rc;
	close(fd);
	db->mark = vd_walked_open(db->folder_fd);
	if (vd_walked_holds(db->mark, db->folder_fd))
		return VD_OK;
	rc = lock_folder(db);
	if (rc)
		return rc;
	rc = make_sure(db);
	flock(db->folder_fd, LOCK_UN);
	return rc;
}

static int open_tables(struct vd_db *db, bool create)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(db->env, NULL, create ? 0 : MDB_RDONLY, &txn);

	if (rc)
		return rc;
	for (int i = 0; i < VD_TABLES && !rc; i++)
		rc = mdb_dbi_open(txn, table_names[i], create ? MDB_CREATE : 0, &db->table[i]);
	if (rc) {
		mdb_txn_abort(txn);
		return rc == MDB_NOTFOUND ? VD_EDAMAGED : rc;
	}
	return mdb_txn_commit(txn);
}

static void (*volatile on_broken)(void);
static volatile sig_atomic_t mapped = -1; /* folder of the newest database opened */

/* The medium changed, or failed, under the map since the file was walked: the next one to open it walks it again. */
static void broken(MDB_env *env, const char *message)
{
	(void)env;
	(void)message;
	if (mapped >= 0)
		vd_walked_forget(mapped);
	if (on_broken)
		on_broken();
}

static void on_bus(int number)
{
	broken(NULL, NULL);
	signal(number, SIG_DFL); /* the same access fails once more */
}

void vd_db_on_broken(void (*say)(void))
{
	struct sigaction action = { .sa_handler = on_bus };

	on_broken = say;
	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
}

/* Which file is it? Another may be put in its place while we work. */
static int identify(struct vd_db *db)
{
	struct stat st;

	if (fstatat(db->folder_fd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW))
		return errno;
	db->device = st.st_dev;
	db->file = st.st_ino;
	return 0;
}

/* LMDB makes its table of readers by ftruncate, and writes to it through a mapping: on a full disk the first touch would end the process.
 * No environment is open on it now, whose locks closing a descriptor would drop. */
static int make_reader_table(const struct vd_db *db)
{
	enum { BYTES = 8192 }; /* for the 126 readers that LMDB has room for by default */
	int rc, fd = openat(db->folder_fd, "lock.mdb", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return 0; /* LMDB will say why */
	rc = posix_fallocate(fd, 0, BYTES);
	close(fd);
	return rc == ENOSPC || rc == EDQUOT || rc == EFBIG || rc == EIO ? rc : 0;
}

/* Opens db->env. Returns LMDB's codes or ours. */
static int open_env(struct vd_db *db, bool create)
{
	int rc = make_reader_table(db);

	if (!rc)
		rc = mdb_env_create(&db->env);
	if (rc)
		return rc;
	rc = mdb_env_set_maxdbs(db->env, VD_TABLES);
	if (!rc)
		rc = mdb_env_set_assert(db->env, broken);
	if (!rc)
		rc = mdb_env_set_mapsize(db->env, map_start); /* LMDB takes the file's own when that is larger */
	if (!rc)
		rc = mdb_env_open(db->env, db->folder, MDB_NOTLS | (db->read_only ? MDB_RDONLY : 0), 0600);
	if (!rc) {
		int dead;

		mdb_reader_check(db->env, &dead); /* slots of processes that were killed: they would pin pages */
		rc = open_tables(db, create);
	}
	if (!rc)
		rc = identify(db);
	if (rc) {
		mdb_env_close(db->env);
		db->env = NULL;
	}
	/* A disk that lets itself be read only is read: nobody else can write there either, so LMDB needs no lock. */
	if (rc == EROFS && !create && !db->read_only) {
		db->read_only = true;
		rc = open_env(db, create);
	}
	return rc;
}

int vd_db_open(const char *folder, bool create, struct vd_db **out)
{
	struct vd_db *db = calloc(1, sizeof(*db));
	pthread_mutexattr_t checked;
	int rc = VD_ENOMEM;

	if (!db)
		return rc;
	db->folder_fd = db->mark = -1;
	db->fresh = create;
	pthread_mutexattr_init(&checked);
	pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&db->writer, &checked);
	pthread_mutexattr_destroy(&checked);
	pthread_rwlock_init(&db->map, NULL);
	db->folder = strdup(folder);
	if (!db->folder)
		goto done;
	db->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (db->folder_fd < 0) {
		rc = vd_db_err(errno);
		goto done;
	}
	rc = create ? VD_OK : inspect(db);
	if (!rc)
		rc = vd_db_err(open_env(db, create));
	if (rc)
		goto done;
	mapped = db->folder_fd;
	*out = db;
	db = NULL;
done:
	vd_db_close(db);
	return rc;
}

void vd_db_hide(struct vd_db *db)
{
	db->hidden = true;
	unlinkat(db->folder_fd, "data.mdb", 0);
	unlinkat(db->folder_fd, "lock.mdb", 0);
	rmdir(db->folder);
}

void vd_db_close(struct vd_db *db)
{
	if (!db)
		return;
	if (db->env)
		mdb_env_close(db->env);
	if (db->mark >= 0)
		close(db->mark);
	if (mapped == db->folder_fd)
		mapped = -1;
	if (db->folder_fd >= 0)
		close(db->folder_fd);
	pthread_mutex_destroy(&db->writer);
	pthread_rwlock_destroy(&db->map);
	free(db->folder);
	free(db);
}

/* Is the file still the one that is mapped? What is written to one that was taken away is lost. */
static int same_file(const struct vd_db *db)
{
	struct stat st;

	if (fstatat(db->folder_fd, "data.mdb", &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? VD_EIO : vd_db_err(errno);
	return st.st_dev == db->device && st.st_ino == db->file ? VD_OK : VD_EIO;
}

static int begin(struct vd_db *db, unsigned flags, MDB_txn **out);

/* A writer that was killed between its commit's meta page and the number it publishes leaves readers one commit behind, and a
 * write planned from such a snapshot would overwrite that commit. LMDB catches up when the next write transaction takes its lock
 * over from the dead; so take it once before anybody plans. */
static int catch_up(struct vd_db *db)
{
	MDB_txn *txn;
	int rc = vd_db_err(begin(db, 0, &txn));

	if (!rc)
		vd_db_done(db, txn);
	return rc;
}

bool vd_db_read_only(const struct vd_db *db)
{
	return db->read_only;
}

int vd_db_lock(struct vd_db *db)
{
	int rc;

	if (db->read_only)
		return VD_EIO;
	if (pthread_mutex_lock(&db->writer))
		return VD_EBUSY; /* this thread has a transaction open: waiting for it would be for ever */
	rc = lock_folder(db);
	if (rc) {
		pthread_mutex_unlock(&db->writer);
		return rc;
	}
	if (!db->fresh) {
		rc = same_file(db);
		if (!rc)
			rc = make_sure(db);
	}
	if (!rc)
		rc = catch_up(db);
	if (rc)
		vd_db_unlock(db);
	return rc;
}

void vd_db_unlock(struct vd_db *db)
{
	flock(db->folder_fd, LOCK_UN);
	pthread_mutex_unlock(&db->writer);
}

/* After a failed write of its meta page LMDB refuses everything until it is opened anew, and after a failed
 * mapping it has none. */
static int reopen(struct vd_db *db)
{
	if (db->env)
		mdb_env_close(db->env);
	db->env = NULL;
	return open_env(db, false);
}

/* Makes room after `why`. Nobody has a transaction open while the map moves. */
static int recover(struct vd_db *db, int why)
{
	MDB_envinfo info;
	size_t step;
	int rc;

	pthread_rwlock_wrlock(&db->map);
	if (!db->env || why == MDB_PANIC) {
		rc = reopen(db);
	} else if (why == MDB_MAP_RESIZED) {
		rc = mdb_env_set_mapsize(db->env, 0); /* as large as the other process made it */
	} else {
		mdb_env_info(db->env, &info);
		step = info.me_mapsize < MAP_STEP_MAX ? info.me_mapsize : MAP_STEP_MAX;
		rc = info.me_mapsize > SIZE_MAX - step ? ENOMEM
		                                       : mdb_env_set_mapsize(db->env, info.me_mapsize + step);
	}
	if (rc && why != MDB_PANIC) {
		int again = reopen(db);

		rc = again ? again : rc;
	}
	pthread_rwlock_unlock(&db->map);
	return rc;
}

/* A transaction, with the map's lock held. */
static int begin(struct vd_db *db, unsigned flags, MDB_txn **out)
{
	int rc = MDB_PANIC;

	for (int tries = 0; tries < 8; tries++) {
		pthread_rwlock_rdlock(&db->map);
		rc = db->env ? mdb_txn_begin(db->env, NULL, flags, out) : MDB_PANIC;
		if (!rc)
			return 0;
		pthread_rwlock_unlock(&db->map);
		if (rc != MDB_MAP_RESIZED && rc != MDB_PANIC)
			break;
		rc = recover(db, rc);
		if (rc)
			break;
	}
	return rc;
}

int vd_db_read(struct vd_db *db, MDB_txn **out)
{
	return vd_db_err(begin(db, MDB_RDONLY, out));
}

void vd_db_done(struct vd_db *db, MDB_txn *txn)
{
	if (!txn)
		return;
	mdb_txn_abort(txn);
	pthread_rwlock_unlock(&db->map);
}

/* LMDB says EIO for a write that was cut short, which is how a disk fills up. Ask the file for one page more. */
static int why_short(struct vd_db *db)
{
	static const uint8_t zeros[4096];
	struct stat st;
	int rc = EIO, fd;

	if (db->hidden && own_file(db, &fd))
		return EIO;
	if (!db->hidden)
		fd = openat(db->folder_fd, "data.mdb", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return EIO;
	if (!fstat(fd, &st)) {
		ssize_t n = pwrite(fd, zeros, sizeof(zeros), st.st_size);

		if (n < 0)
			rc = errno;
		else if (n < (ssize_t)sizeof(zeros))
			rc = ENOSPC;
		if (n > 0 && ftruncate(fd, st.st_size))
			rc = errno;
	}
	close(fd);
	return rc;
}

/* Pages beyond the last that was ever committed hold nothing, and belong to whoever has the writers' lock. */
static uint64_t tail_bytes(struct vd_db *db, uint64_t *used)
{
	uint64_t bytes = vd_db_bytes(db);
	MDB_envinfo info;
	MDB_stat stat;

	if (!db->env || mdb_env_info(db->env, &info) || mdb_env_stat(db->env, &stat))
		return 0;
	*used = (info.me_last_pgno + (uint64_t)1) * stat.ms_psize;
	return bytes > *used ? bytes - *used : 0;
}

/* What a transaction that found no room wrote in vain goes back to the medium: others need it. Nobody looks at those pages, as they are in no snapshot. */
static void give_back(struct vd_db *db)
{
	uint64_t used;
	MDB_txn *txn;
	int fd;

	if (db->hidden || begin(db, MDB_RDONLY, &txn))
		return;
	if (tail_bytes(db, &used)) {
		fd = openat(db->folder_fd, "data.mdb", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd >= 0 && ftruncate(fd, (off_t)used))
			errno = 0;
		if (fd >= 0)
			close(fd);
	}
	vd_db_done(db, txn);
}

int vd_db_change(struct vd_db *db, int (*apply)(void *ctx, MDB_txn *), void *ctx)
{
	for (;;) {
		MDB_txn *txn;
		int rc = begin(db, 0, &txn);

		if (rc)
			return vd_db_err(rc);
		rc = apply(ctx, txn);
		if (rc)
			mdb_txn_abort(txn);
		else
			rc = mdb_txn_commit(txn);
		pthread_rwlock_unlock(&db->map);
		if (!rc && !db->fresh)
			vd_walked_renew(db->mark, db->folder_fd);
		if (rc == EIO)
			rc = why_short(db);
		if (rc == ENOSPC || rc == EDQUOT)
			give_back(db);
		if (rc == MDB_MAP_FULL)
			rc = recover(db, rc);
		else
			return vd_db_err(rc);
		if (rc)
			return vd_db_err(rc);
	}
}

MDB_dbi vd_db_table(const struct vd_db *db, enum vd_table table)
{
	return db->table[table];
}

int vd_db_room(const struct vd_db *db, uint64_t *free_bytes, uint64_t *total)
{
	struct statvfs fs;

	if (fstatvfs(db->folder_fd, &fs))
		return VD_EIO;
	*free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*total = (uint64_t)fs.f_blocks * fs.f_frsize;
	return VD_OK;
}

/* As mdb_stat(1) does: the list of free pages is a table of LMDB's own, whose values begin with how many they name. */
int vd_db_spare(struct vd_db *db, uint64_t *bytes)
{
	MDB_cursor *cursor;
	MDB_val key, value;
	uint64_t pages = 0, used;
	MDB_stat stat;
	MDB_txn *txn;
	int rc = vd_db_read(db, &txn);

	*bytes = 0;
	if (rc)
		return rc;
	rc = mdb_stat(txn, 0, &stat);
	if (!rc)
		rc = mdb_cursor_open(txn, 0, &cursor);
	if (!rc) {
		while (!(rc = mdb_cursor_get(cursor, &key, &value, MDB_NEXT))) {
			size_t count = 0;

			if (value.mv_size >= sizeof(count))
				memcpy(&count, value.mv_data, sizeof(count));
			pages += count;
		}
		mdb_cursor_close(cursor);
		*bytes = pages * stat.ms_psize + tail_bytes(db, &used);
	}
	vd_db_done(db, txn);
	return rc == MDB_NOTFOUND ? VD_OK : vd_db_err(rc);
}

uint64_t vd_db_bytes(struct vd_db *db)
{
	struct stat st;

	return fstatat(db->folder_fd, "data.mdb", &st, 0) ? 0 : (uint64_t)st.st_size;
}
