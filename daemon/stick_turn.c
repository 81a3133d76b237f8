#include "stick_turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"

enum { LOOK_MS = 100 };

/* A byte of the file that others lock as a whole (ctl_server.c), and at its first byte: two sticks that share one by chance wait for each other. */
static off_t place_of(const struct stat *folder)
{
	uint64_t mixed = ((uint64_t)folder->st_dev * UINT64_C(0x9e3779b97f4a7c15)) ^ ((uint64_t)folder->st_ino * UINT64_C(0xc2b2ae3d27d4eb4f));

	return (off_t)((UINT64_C(1) << 32) + mixed % (UINT64_C(1) << 32));
}

static int open_lock(const char *home)
{
	char *path;
	int fd;

	if (asprintf(&path, "%s/ctl.lock", home) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	free(path);
	return fd;
}

int vd_stick_turn_begin(const char *home, const struct stat *folder, uint32_t wait_ms, int *turn)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = place_of(folder), .l_len = 1 };

	*turn = open_lock(home);
	if (*turn < 0)
		return VD_OK;
	/* Of the open file, not of the process: so two threads of one wait for each other, too. */
	for (uint32_t waited = 0; fcntl(*turn, F_OFD_SETLK, &lock); waited += LOOK_MS) {
		bool busy = errno == EAGAIN || errno == EACCES;

		if (!busy || waited >= wait_ms) {
			vd_stick_turn_end(*turn);
			*turn = -1;
			return busy ? VD_EBUSY : VD_OK;
		}
		nanosleep(&look, NULL);
	}
	return VD_OK;
}

void vd_stick_turn_end(int turn)
{
	if (turn >= 0)
		close(turn);
}
