/* Preloaded into a program: the files below $STICK_DIR stand on a bad stick.
 *   STICK_ROOM=N       so many more bytes can be written, then it is full, in the middle of a write if need be
 *   STICK_HOLDS=N      so many are kept; of what is written behind them the stick says that it is there, until the kernel has let go of it
 *   STICK_BAD=AT,N,PATH   that file cannot be read there
 * What a file is, is learnt when it is opened: the child that reads foreign files may not ask. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/faults/opening.h"

enum { DESCRIPTORS = 1024, LOST_MAX = 64 };

static char dir[PATH_MAX];
static size_t dir_n;
static bool on_stick[DESCRIPTORS], is_bad_file[DESCRIPTORS];
static ino_t bad_file;
static unsigned long long room = ULLONG_MAX, holds = ULLONG_MAX, bad_at, bad_n;
static struct {
	ino_t file;
	off_t from; /* the rest of it is not there */
} lost[LOST_MAX];
static size_t lost_count;

__attribute__((constructor)) static void start(void)
{
	const char *below = getenv("STICK_DIR"), *room_text = getenv("STICK_ROOM"), *holds_text = getenv("STICK_HOLDS"), *bad = getenv("STICK_BAD");
	struct stat st;
	int path = 0;

	if (!below || !realpath(below, dir))
		abort();
	dir_n = strlen(dir);
	if ((room_text && sscanf(room_text, "%llu", &room) != 1) || (holds_text && sscanf(holds_text, "%llu", &holds) != 1) ||
	    (bad && (sscanf(bad, "%llu,%llu,%n", &bad_at, &bad_n, &path) != 2 || stat(bad + path, &st))))
		abort();
	bad_file = bad ? st.st_ino : 0;
}

static int learn(int fd)
{
	char name[64], path[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fd < 0 || fd >= DESCRIPTORS)
		return fd;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, path, sizeof(path) - 1);
	on_stick[fd] = n > (ssize_t)dir_n && memcmp(path, dir, dir_n) == 0 && path[dir_n] == '/' && !fstat(fd, &st) && S_ISREG(st.st_mode);
	is_bad_file[fd] = on_stick[fd] && bad_file && st.st_ino == bad_file;
	return fd;
}

static bool is_on_stick(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && on_stick[fd];
}

static int open_with(int folder, const char *path, int flags, mode_t mode)
{
	return learn((int)syscall(SYS_openat, folder, path, flags, mode));
}

int close(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		on_stick[fd] = false;
	return (int)syscall(SYS_close, fd);
}

static bool is_bad(int fd, size_t n, off_t at)
{
	if (!is_on_stick(fd) || !is_bad_file[fd] || (unsigned long long)at >= bad_at + bad_n || (unsigned long long)at + n <= bad_at)
		return false;
	errno = EIO;
	return true;
}

ssize_t read(int fd, void *p, size_t n)
{
	/* Of other descriptors the child that reads foreign files may not even ask. */
	return bad_n && is_on_stick(fd) && is_bad(fd, n, lseek(fd, 0, SEEK_CUR)) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	return is_bad(fd, n, at) ? -1 : syscall(SYS_pread64, fd, p, n, at);
}
AS(ssize_t, pread64, (int, void *, size_t, off_t), pread);

static void lose(int fd, off_t from)
{
	struct stat st;

	if (fstat(fd, &st))
		abort();
	for (size_t i = 0; i < lost_count; i++)
		if (lost[i].file == st.st_ino)
			return;
	if (lost_count == LOST_MAX)
		abort();
	lost[lost_count].file = st.st_ino;
	lost[lost_count++].from = from;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (!is_on_stick(fd))
		return syscall(SYS_write, fd, p, n);
	if (room == 0) {
		errno = ENOSPC;
		return -1;
	}
	if (n > room)
		n = (size_t)room;
	if (room != ULLONG_MAX)
		room -= n;
	if (n > holds)
		lose(fd, lseek(fd, 0, SEEK_CUR) + (off_t)holds);
	if (holds != ULLONG_MAX)
		holds -= n < holds ? n : holds;
	return syscall(SYS_write, fd, p, n);
}

/* The kernel lets go of what it has in memory: now what the stick never kept is seen. */
int posix_fadvise(int fd, off_t at, off_t n, int advice)
{
	char name[64];
	struct stat st;

	if (is_on_stick(fd) && advice == POSIX_FADV_DONTNEED && !fstat(fd, &st))
		for (size_t i = 0; i < lost_count; i++) {
			int out;

			if (lost[i].file != st.st_ino)
				continue;
			snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
			out = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY);
			if (out < 0 || syscall(SYS_ftruncate, out, lost[i].from) || syscall(SYS_ftruncate, out, st.st_size))
				abort();
			syscall(SYS_close, out);
		}
	return (int)syscall(SYS_fadvise64, fd, at, n, advice);
}
AS(int, posix_fadvise64, (int, off_t, off_t, int), posix_fadvise);
