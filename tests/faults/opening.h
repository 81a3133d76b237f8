/* The calls that open a file, for what is preloaded: each comes to open_with, which the includer defines. */
#ifndef FAULTS_OPENING_H
#define FAULTS_OPENING_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AS(type, name, parameters, real) type name parameters __attribute__((alias(#real)))

static int open_with(int folder, const char *path, int flags, mode_t mode);

#define MODE_OF(flags) \
	mode_t mode = 0; \
	va_list list; \
	va_start(list, flags); \
	if (flags & (O_CREAT | __O_TMPFILE)) \
		mode = va_arg(list, mode_t); \
	va_end(list)

int open(const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_with(AT_FDCWD, path, flags, mode);
}
AS(int, open64, (const char *, int, ...), open);

int openat(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_with(folder, path, flags, mode);
}
AS(int, openat64, (int, const char *, int, ...), openat);

int __open_2(const char *path, int flags);
int __open_2(const char *path, int flags)
{
	return open_with(AT_FDCWD, path, flags, 0);
}
AS(int, __open64_2, (const char *, int), __open_2);

/* As the C library does it, whose own opening would not be seen. */
int mkostemps(char *name, int end, int flags)
{
	char *at = name + strlen(name) - (size_t)end - 6;

	for (int tries = 0; tries < 100; tries++) {
		uint32_t random;
		int fd;

		if (syscall(SYS_getrandom, &random, sizeof(random), 0) != sizeof(random))
			return -1;
		for (int i = 0; i < 6; i++, random /= 32)
			at[i] = (char)('a' + random % 26);
		fd = open_with(AT_FDCWD, name, flags | O_RDWR | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}
AS(int, mkostemps64, (char *, int, int), mkostemps);

#endif
