#include "users.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>


int vd_users_open(const char *home)
{
	int fd = -1, folder = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder >= 0) {
		fd = openat(folder, "lock.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		close(folder);
	}
	return fd;
}

/* LMDB locks the byte whose number is the process's own; byte 0 is everyone's. */
static size_t list(int fd, off_t from, off_t to, pid_t *out, size_t max)
{
	size_t n = 0;

	while (n < max && from < to) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = from, .l_len = to - from };

		if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK || lock.l_len <= 0)
			break;
		/* The kernel names any of them, not the first. */
		n += list(fd, from, lock.l_start, out + n, max - n);
		if (n < max)
			out[n++] = lock.l_pid > 0 ? lock.l_pid : 0;
		from = lock.l_start + lock.l_len;
	}
	return n;
}

size_t vd_users_list(int fd, pid_t *out, size_t max)
{
	return fd < 0 ? 0 : list(fd, 1, (off_t)1 << 30, out, max);
}
