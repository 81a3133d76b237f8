/* Preloaded into a program: records what it does to files below $CRASH_ROOT, in order and with the bytes, into $CRASH_LOG.
 *
 * LMDB's lock file is left out: its content means nothing after a power cut. Files written through a mapping would not be seen;
 * the store maps its data read-only. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/crash/events.h"

/* Under both names: programs built with large file offsets call the second. */
#define ALIAS64(type, name, parameters) type name##64 parameters __attribute__((alias(#name)))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char root[PATH_MAX];
static size_t root_n;
static int log_fd = -1;
static bool child; /* forked: it has no file to write, and may not make the calls that recording takes */

static void in_child(void)
{
	child = true;
}

__attribute__((constructor)) static void start(void)
{
	const char *log = getenv(CRASH_LOG), *below = getenv(CRASH_ROOT);

	if (!log || !below || !realpath(below, root))
		abort();
	root_n = strlen(root);
	log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0 || pthread_atfork(NULL, NULL, in_child))
		abort();
}

static void put(const void *p, size_t n)
{
	for (ssize_t wrote; n; p = (const char *)p + wrote, n -= (size_t)wrote) {
		wrote = syscall(SYS_write, log_fd, p, n);
		if (wrote <= 0)
			abort();
	}
}

static void record(uint32_t type, uint64_t file, uint64_t at, const char *path, const char *path2, const void *data, size_t data_n)
{
	struct crash_event e = {
		.type = type, .file = file, .at = at, .data_n = (uint32_t)data_n,
		.path_n = path ? (uint32_t)strlen(path) : 0, .path2_n = path2 ? (uint32_t)strlen(path2) : 0,
	};
	int saved = errno;

	put(&e, sizeof(e));
	put(path, e.path_n);
	put(path2, e.path2_n);
	put(data, data_n);
	errno = saved;
}

/* The path below the root, or NULL when it is none of our business. */
static const char *below(const char *path)
{
	size_t n = strlen(path);

	if (strncmp(path, root, root_n) != 0 || path[root_n] != '/')
		return NULL;
	if (n >= 9 && strcmp(path + n - 9, "/lock.mdb") == 0)
		return NULL;
	return path + root_n + 1;
}

static const char *below_fd(int fd, char room[PATH_MAX])
{
	char link[64];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, room, PATH_MAX - 1);
	if (n <= 0)
		return NULL;
	room[n] = '\0';
	return below(room);
}

/* The path as the kernel will take it, without following a last link. */
static const char *below_at(int folder, const char *path, char room[PATH_MAX])
{
	char parent[PATH_MAX], resolved[PATH_MAX], full[2 * PATH_MAX], link[64], *slash;

	if (path[0] == '/' || folder == AT_FDCWD) {
		snprintf(full, sizeof(full), "%s", path);
	} else {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", folder);
		n = readlink(link, parent, sizeof(parent) - 1);
		if (n <= 0)
			return NULL;
		parent[n] = '\0';
		snprintf(full, sizeof(full), "%s/%s", parent, path);
	}
	slash = strrchr(full, '/');
	if (!slash) {
		if (!realpath(".", resolved))
			return NULL;
		slash = full - 1;
	} else {
		*slash = '\0';
		if (!realpath(full[0] ? full : "/", resolved))
			return NULL;
	}
	if ((size_t)snprintf(room, PATH_MAX, "%s/%s", resolved, slash + 1) >= PATH_MAX)
		return NULL;
	return below(room);
}

static uint64_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

static bool exists(int folder, const char *path)
{
	struct stat st;

	return fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int openat(int folder, const char *path, int flags, ...)
{
	char room[PATH_MAX];
	const char *name;
	bool fresh;
	mode_t mode = 0;
	int fd;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_list list;

		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	pthread_mutex_lock(&lock);
	fresh = (flags & O_CREAT) && !exists(folder, path);
	fd = (int)syscall(SYS_openat, folder, path, flags, mode);
	name = fd >= 0 ? below_fd(fd, room) : NULL;
	if (name && fresh)
		record(CRASH_CREATE, inode(fd), 0, name, NULL, NULL, 0);
	else if (name && (flags & O_TRUNC) && (flags & O_ACCMODE) != O_RDONLY)
		record(CRASH_TRUNCATE, inode(fd), 0, NULL, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	return fd;
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_list list;

		va_start(list, flags);
		mode = va_arg(list, mode_t);
		va_end(list);
	}
	return openat(AT_FDCWD, path, flags, mode);
}

int creat(const char *path, mode_t mode)
{
	return openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
int open64(const char *, int, ...) __attribute__((alias("open")));
ALIAS64(int, creat, (const char *, mode_t));

/* The C library's own would open past us. */
int mkostemps(char *template, int suffix, int flags)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	char *x = template + strlen(template) - (size_t)suffix - 6;

	for (int tries = 0; tries < 100; tries++) {
		uint8_t random[6];
		int fd;

		if (getrandom(random, sizeof(random), 0) != sizeof(random))
			return -1;
		for (int i = 0; i < 6; i++)
			x[i] = letters[random[i] % 32];
		fd = openat(AT_FDCWD, template, flags | O_CREAT | O_EXCL | O_RDWR, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int mkostemp(char *template, int flags)
{
	return mkostemps(template, 0, flags);
}

int mkstemps(char *template, int suffix)
{
	return mkostemps(template, suffix, 0);
}

int mkstemp(char *template)
{
	return mkostemps(template, 0, 0);
}

ALIAS64(int, mkostemps, (char *, int, int));
ALIAS64(int, mkostemp, (char *, int));
ALIAS64(int, mkstemps, (char *, int));
ALIAS64(int, mkstemp, (char *));

static void record_write(int fd, const void *data, size_t n, off_t at)
{
	char room[PATH_MAX];

	if (!below_fd(fd, room))
		return;
	record(CRASH_WRITE, inode(fd), (uint64_t)at, NULL, NULL, data, n);
	if (fcntl(fd, F_GETFL) & (O_DSYNC | O_SYNC))
		record(CRASH_WRITTEN_THROUGH, inode(fd), 0, NULL, NULL, NULL, 0);
}

static off_t position(int fd)
{
	struct stat st;

	if (fcntl(fd, F_GETFL) & O_APPEND)
		return fstat(fd, &st) ? 0 : st.st_size;
	return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t n)
{
	ssize_t wrote = (ssize_t)n;
	off_t at;

	if (child)
		return syscall(SYS_write, fd, data, n);
	pthread_mutex_lock(&lock);
	if (fd == CRASH_ACK_FD) {
		record(CRASH_ACK, 0, 0, NULL, NULL, data, n);
	} else {
		at = position(fd);
		wrote = syscall(SYS_write, fd, data, n);
		if (wrote > 0)
			record_write(fd, data, (size_t)wrote, at);
	}
	pthread_mutex_unlock(&lock);
	return wrote;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	ssize_t wrote;

	pthread_mutex_lock(&lock);
	wrote = syscall(SYS_pwrite64, fd, data, n, at);
	if (wrote > 0)
		record_write(fd, data, (size_t)wrote, at);
	pthread_mutex_unlock(&lock);
	return wrote;
}

static void record_vector(int fd, const struct iovec *list, int count, ssize_t wrote, off_t at)
{
	for (int i = 0; i < count && wrote > 0; i++) {
		size_t n = list[i].iov_len < (size_t)wrote ? list[i].iov_len : (size_t)wrote;

		record_write(fd, list[i].iov_base, n, at);
		at += (off_t)n;
		wrote -= (ssize_t)n;
	}
}

ssize_t pwritev(int fd, const struct iovec *list, int count, off_t at)
{
	ssize_t wrote;

	pthread_mutex_lock(&lock);
	wrote = syscall(SYS_pwritev, fd, list, count, (unsigned long)at, 0UL);
	record_vector(fd, list, count, wrote, at);
	pthread_mutex_unlock(&lock);
	return wrote;
}

ssize_t writev(int fd, const struct iovec *list, int count)
{
	ssize_t wrote;
	off_t at;

	pthread_mutex_lock(&lock);
	at = position(fd);
	wrote = syscall(SYS_writev, fd, list, count);
	record_vector(fd, list, count, wrote, at);
	pthread_mutex_unlock(&lock);
	return wrote;
}

int ftruncate(int fd, off_t length)
{
	char room[PATH_MAX];
	int rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(SYS_ftruncate, fd, length);
	if (!rc && below_fd(fd, room))
		record(CRASH_TRUNCATE, inode(fd), (uint64_t)length, NULL, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

ALIAS64(ssize_t, pwrite, (int, const void *, size_t, off_t));
ALIAS64(ssize_t, pwritev, (int, const struct iovec *, int, off_t));
ALIAS64(int, ftruncate, (int, off_t));

/* A sync holds for the file, whatever descriptor it came through. */
static int synced(int fd, long number)
{
	char room[PATH_MAX];
	const char *name;
	struct stat st;
	int rc;

	pthread_mutex_lock(&lock);
	rc = (int)syscall(number, fd);
	name = rc ? NULL : below_fd(fd, room);
	if (!rc && !fstat(fd, &st) && S_ISDIR(st.st_mode) && (name || strcmp(room, root) == 0))
		record(CRASH_SYNC_FOLDER, 0, 0, name ? name : "", NULL, NULL, 0);
	else if (name)
		record(CRASH_SYNC, st.st_ino, 0, NULL, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int fsync(int fd)
{
	return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return synced(fd, SYS_fdatasync);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	char room[2][PATH_MAX];
	const char *a, *b;
	int rc;

	pthread_mutex_lock(&lock);
	a = below_at(from_folder, from, room[0]);
	b = below_at(to_folder, to, room[1]);
	rc = (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
	if (!rc && a && b)
		record(CRASH_RENAME, 0, 0, a, b, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	char room[2][PATH_MAX];
	const char *a, *b;
	int rc;

	pthread_mutex_lock(&lock);
	a = below_at(from_folder, from, room[0]);
	b = below_at(to_folder, to, room[1]);
	rc = (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
	if (!rc && a && b)
		record(CRASH_LINK, 0, 0, a, b, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

int link(const char *from, const char *to)
{
	return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

static int named(int folder, const char *path, uint32_t type, long (*call)(int, const char *, mode_t), mode_t mode)
{
	char room[PATH_MAX];
	const char *name;
	int rc;

	pthread_mutex_lock(&lock);
	name = below_at(folder, path, room);
	rc = (int)call(folder, path, mode);
	if (!rc && name)
		record(type, 0, 0, name, NULL, NULL, 0);
	pthread_mutex_unlock(&lock);
	return rc;
}

static long call_unlink(int folder, const char *path, mode_t mode)
{
	(void)mode;
	return syscall(SYS_unlinkat, folder, path, 0);
}

static long call_rmdir(int folder, const char *path, mode_t mode)
{
	(void)mode;
	return syscall(SYS_unlinkat, folder, path, AT_REMOVEDIR);
}

static long call_mkdir(int folder, const char *path, mode_t mode)
{
	return syscall(SYS_mkdirat, folder, path, mode);
}

int unlinkat(int folder, const char *path, int flags)
{
	if (flags & AT_REMOVEDIR)
		return named(folder, path, CRASH_RMDIR, call_rmdir, 0);
	return named(folder, path, CRASH_UNLINK, call_unlink, 0);
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	return named(folder, path, CRASH_MKDIR, call_mkdir, mode);
}

int mkdir(const char *path, mode_t mode)
{
	return mkdirat(AT_FDCWD, path, mode);
}
