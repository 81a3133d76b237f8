/* Preloaded into a program: counts what it and its children read from, and write to, files below the folder $COUNT_BELOW, in bytes, into the
 * file $COUNT_INTO: two numbers of 64 bits, in memory that all of them share. Only what goes through a descriptor: nothing there is mapped. With
 * $COUNT_FILE_MAX no file there grows beyond so many bytes, as FAT's beyond 4 GiB. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/faults/opening.h"

enum { DESCRIPTORS = 1024 };
static _Atomic uint64_t own[2], *counts = own;
static char below[PATH_MAX];
static size_t below_n;
static off_t file_max;
static bool counted[DESCRIPTORS]; /* learnt when opened: a child may not ask the kernel */

__attribute__((constructor)) static void start(void)
{
	const char *folder = getenv("COUNT_BELOW"), *into = getenv("COUNT_INTO");
	long fd = into ? syscall(SYS_openat, AT_FDCWD, into, O_RDWR | O_CLOEXEC) : -1, p;

	if (!folder || !realpath(folder, below) || fd < 0)
		abort();
	below_n = strlen(below);
	p = syscall(SYS_mmap, NULL, sizeof(own), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	syscall(SYS_close, fd);
	if (p == -1)
		abort();
	counts = (_Atomic uint64_t *)p;
	file_max = getenv("COUNT_FILE_MAX") ? atol(getenv("COUNT_FILE_MAX")) : 0;
}

static int learn(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t n;

	if (fd < 0 || fd >= DESCRIPTORS)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	counted[fd] = below_n && strncmp(path, below, below_n) == 0 && path[below_n] == '/';
	return fd;
}

static ssize_t count(int way, int fd, ssize_t n)
{
	if (n > 0 && fd >= 0 && fd < DESCRIPTORS && counted[fd])
		atomic_fetch_add(&counts[way], (uint64_t)n);
	return n;
}

static int open_with(int folder, const char *path, int flags, mode_t mode)
{
	return learn((int)syscall(SYS_openat, folder, path, flags, mode));
}

ssize_t read(int fd, void *p, size_t n)
{
	return count(0, fd, syscall(SYS_read, fd, p, n));
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	(void)room;
	return read(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	return count(0, fd, syscall(SYS_pread64, fd, p, n, at));
}
AS(ssize_t, pread64, (int, void *, size_t, off_t), pread);

ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	(void)room;
	return pread(fd, p, n, at);
}
AS(ssize_t, __pread64_chk, (int, void *, size_t, off_t, size_t), __pread_chk);

ssize_t write(int fd, const void *p, size_t n)
{
	if (file_max && fd >= 0 && fd < DESCRIPTORS && counted[fd] && lseek(fd, 0, SEEK_CUR) + (off_t)n > file_max) {
		errno = EFBIG;
		return -1;
	}
	return count(1, fd, syscall(SYS_write, fd, p, n));
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return count(1, fd, syscall(SYS_pwrite64, fd, p, n, at));
}
AS(ssize_t, pwrite64, (int, const void *, size_t, off_t), pwrite);
