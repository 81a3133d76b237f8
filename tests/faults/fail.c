/* Preloaded into a program: makes the Nth call of a kind fail, as a disk or a memory that is full or broken would. What the loader and
 * other libraries do before main neither counts nor fails. Calls inside libc itself are not seen, but for those named below. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "tests/faults/fail.h"
#include "tests/faults/opening.h"
#include "tests/faults/small.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes" /* other libraries call some by names of glibc's own */

static struct fault own, *fault = &own;
static bool armed;

/* Pipes, sockets and events are no disks. Learnt when a descriptor is made: later the program may have given up asking the kernel. */
enum { DESCRIPTORS = 1024 };
static bool is_file[DESCRIPTORS];

static int learn(int fd)
{
	struct stat st;

	if (fd >= 0 && fd < DESCRIPTORS)
		is_file[fd] = !fstat(fd, &st) && S_ISREG(st.st_mode);
	return fd;
}

/* --- which call fails --- */

/* libseccomp, which builds the walls before anything is opened, dies of a failing malloc by itself. */
static uintptr_t spared, spared_end;

static int find_spared(struct dl_phdr_info *info, size_t size, void *ctx)
{
	(void)size;
	(void)ctx;
	if (!strstr(info->dlpi_name, "libseccomp"))
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && end > spared_end)
			spared_end = end;
	}
	spared = info->dlpi_addr;
	return 1;
}

#define MEMORY_FAILS() ((uintptr_t)__builtin_return_address(0) - spared >= spared_end - spared && fails(FAULT_MEMORY))

static bool fails(enum fault_kind kind)
{
	uint64_t number;

	if (!armed)
		return false;
	number = atomic_fetch_add(&fault->seen[kind], 1) + 1;
	if (kind != fault->kind || !fault->at || (fault->for_good ? number < fault->at : number != fault->at))
		return false;
	atomic_fetch_add(&fault->failed, 1);
	errno = (int)fault->code;
	return true;
}

static bool opening_fails(bool makes)
{
	bool first = fails(FAULT_OPEN), second = makes && fails(FAULT_MAKE);

	return first || second;
}

static void tell(void)
{
	static const char *const names[] = { "read", "write", "sync", "map", "memory", "open", "make" };

	armed = false;
	for (int i = 0; i < FAULT_KINDS; i++)
		dprintf(STDERR_FILENO, "%s=%llu ", names[i], (unsigned long long)fault->seen[i]);
	dprintf(STDERR_FILENO, "failed=%llu\n", (unsigned long long)fault->failed);
}

static void prepare(void)
{
	const char *area = getenv(FAULT_AREA), *by_hand = getenv(FAULT_BY_HAND);
	unsigned long long at = 0;

	if (area) {
		long fd = syscall(SYS_openat, AT_FDCWD, area, O_RDWR | O_CLOEXEC);
		long p = fd < 0 ? -1 : syscall(SYS_mmap, NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (p == -1)
			abort();
		syscall(SYS_close, fd);
		fault = (struct fault *)p;
	} else if (by_hand) {
		if (sscanf(by_hand, "%u,%llu,%u,%u", &own.kind, &at, &own.code, &own.for_good) != 4)
			abort();
		own.at = at;
	}
	dl_iterate_phdr(find_spared, NULL);
	learn(STDIN_FILENO);
	learn(STDOUT_FILENO);
	if (getenv(FAULT_TELL))
		atexit(tell);
}

static int (*real_main)(int, char **, char **);

static int wrapped_main(int argc, char **argv, char **env)
{
	prepare();
	armed = true;
	return real_main(argc, argv, env);
}

int __libc_start_main(int (*entry)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*end)(void), void *stack)
{
	int (*real)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

	*(void **)&real = dlsym(RTLD_NEXT, "__libc_start_main");
	real_main = entry;
	return real(wrapped_main, argc, argv, init, fini, end, stack);
}

static void *next(const char *name)
{
	bool was = armed;
	void *found;

	armed = false;
	found = dlsym(RTLD_NEXT, name);
	armed = was;
	if (!found)
		abort();
	return found;
}

/* --- memory --- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t n)
{
	return MEMORY_FAILS() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return MEMORY_FAILS() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return MEMORY_FAILS() ? NULL : __libc_realloc(p, n);
}

int posix_memalign(void **out, size_t alignment, size_t n)
{
	void *p = MEMORY_FAILS() ? NULL : __libc_memalign(alignment, n);

	if (!p)
		return ENOMEM;
	*out = p;
	return 0;
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return MEMORY_FAILS() ? NULL : __libc_memalign(alignment, n);
}

void *mmap(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return fails(FAULT_MAP) ? MAP_FAILED : (void *)syscall(SYS_mmap, at, n, protection, flags, fd, offset);
}
AS(void *, mmap64, (void *, size_t, int, int, int, off_t), mmap);

void *mremap(void *old, size_t old_n, size_t n, int flags, ...)
{
	void *to = NULL;
	va_list list;

	va_start(list, flags);
	if (flags & MREMAP_FIXED)
		to = va_arg(list, void *);
	va_end(list);
	return fails(FAULT_MAP) ? MAP_FAILED : (void *)syscall(SYS_mremap, old, old_n, n, flags, to);
}

/* --- reading and writing --- */

static bool on_a_disk(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && is_file[fd];
}

ssize_t read(int fd, void *p, size_t n)
{
	return on_a_disk(fd) && fails(FAULT_READ) ? -1 : syscall(SYS_read, fd, p, n);
}

ssize_t __read_chk(int fd, void *p, size_t n, size_t room)
{
	(void)room;
	return read(fd, p, n);
}

ssize_t pread(int fd, void *p, size_t n, off_t at)
{
	return on_a_disk(fd) && fails(FAULT_READ) ? -1 : syscall(SYS_pread64, fd, p, n, at);
}
AS(ssize_t, pread64, (int, void *, size_t, off_t), pread);

ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t room)
{
	(void)room;
	return pread(fd, p, n, at);
}
AS(ssize_t, __pread64_chk, (int, void *, size_t, off_t, size_t), __pread_chk);

ssize_t readv(int fd, const struct iovec *parts, int count)
{
	return on_a_disk(fd) && fails(FAULT_READ) ? -1 : syscall(SYS_readv, fd, parts, count);
}

struct dirent *readdir(DIR *dir)
{
	static struct dirent *(*real)(DIR *);

	if (!real)
		*(void **)&real = next("readdir");
	return fails(FAULT_READ) ? NULL : real(dir);
}

struct dirent64 *readdir64(DIR *dir)
{
	return (struct dirent64 *)readdir(dir); /* one layout on 64 bits */
}

/* A disk fills up in the middle of a write: half of it goes in, and nothing after that. */
static bool writing_fails(int fd, size_t *n)
{
	if (fd == STDERR_FILENO || !on_a_disk(fd) || !fails(FAULT_WRITE))
		return false;
	if (fault->code != ENOSPC || !fault->for_good || fault->failed > 1 || *n < 2)
		return true;
	*n /= 2;
	return false;
}

ssize_t write(int fd, const void *p, size_t n)
{
	return writing_fails(fd, &n) ? -1 : syscall(SYS_write, fd, p, n);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	return writing_fails(fd, &n) ? -1 : syscall(SYS_pwrite64, fd, p, n, at);
}
AS(ssize_t, pwrite64, (int, const void *, size_t, off_t), pwrite);

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	size_t n = count > 1 ? (size_t)count : 1;

	return writing_fails(fd, &n) ? -1 : syscall(SYS_writev, fd, parts, count > 1 ? (int)n : count);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	size_t n = count > 1 ? (size_t)count : 1;

	return writing_fails(fd, &n) ? -1 : syscall(SYS_pwritev, fd, parts, count > 1 ? (int)n : count, at, 0);
}
AS(ssize_t, pwritev64, (int, const struct iovec *, int, off_t), pwritev);

/* libc writes what it gathered by itself: standard output that cannot be written. */
int fflush(FILE *file)
{
	static int (*real)(FILE *);
	size_t n = 0;

	if (!real)
		*(void **)&real = next("fflush");
	return file == stdout && writing_fails(STDOUT_FILENO, &n) ? EOF : real(file);
}

int fsync(int fd)
{
	return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int msync(void *p, size_t n, int flags)
{
	return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_msync, p, n, flags);
}

/* --- folders and names --- */

static int open_with(int folder, const char *path, int flags, mode_t mode)
{
	return opening_fails(flags & O_CREAT) ? -1 : learn((int)syscall(SYS_openat, folder, path, flags, mode));
}

int close(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		is_file[fd] = false;
	return (int)syscall(SYS_close, fd);
}

int mkostemp(char *path, int flags)
{
	return mkostemps(path, 0, flags);
}
AS(int, mkostemp64, (char *, int), mkostemp);

FILE *fopen(const char *path, const char *mode)
{
	static FILE *(*real)(const char *, const char *);

	if (!real)
		*(void **)&real = next("fopen");
	if (!strcmp(path, "/proc/self/mountinfo") && getenv(FAULT_MOUNTINFO))
		path = getenv(FAULT_MOUNTINFO);
	return opening_fails(*mode != 'r') ? NULL : real(path, mode);
}
AS(FILE *, fopen64, (const char *, const char *), fopen);

DIR *opendir(const char *path)
{
	static DIR *(*real)(const char *);

	if (!real)
		*(void **)&real = next("opendir");
	return opening_fails(false) ? NULL : real(path);
}

int rename(const char *from, const char *to)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int mkdir(const char *path, mode_t mode)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_mkdirat, folder, path, mode);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

int ftruncate(int fd, off_t n)
{
	return opening_fails(true) ? -1 : (int)syscall(SYS_ftruncate, fd, n);
}
AS(int, ftruncate64, (int, off_t), ftruncate);

int unlink(const char *path)
{
	return opening_fails(false) ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int unlinkat(int folder, const char *path, int flags)
{
	return opening_fails(false) ? -1 : (int)syscall(SYS_unlinkat, folder, path, flags);
}

int statfs(const char *path, struct statfs *out)
{
	const char *type = getenv(FAULT_STATFS);
	int rc = (int)syscall(SYS_statfs, path, out);

	if (!rc && type)
		out->f_type = (__typeof__(out->f_type))strtoul(type, NULL, 16);
	return rc;
}
