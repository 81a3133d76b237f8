/* Can a store stand there? What LMDB needs of a file system: a shared mapping that shows at once what was written, locks between processes,
 * and syncs that mean it; what we need besides: files that only we can read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "file.h"
#include "inside.h"
#include "proto/err.h"

enum { FUSE = 0x65735546, PROBE_BYTES = 8192 };

static const uint32_t refused[] = {
	/* There another machine may hold the locks, and a mapping may show old pages. */
	0x6969 /* NFS */, 0x517b /* SMB */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB 2 */,
	/* There every account reads every file, and a power cut can cost files that nobody was writing to. */
	0x4d44 /* FAT */, 0x2011bab0 /* exFAT */,
};

static bool maps_well(int fd)
{
	char *map = mmap(NULL, PROBE_BYTES, PROT_READ, MAP_SHARED, fd, 0);
	bool well;

	if (map == MAP_FAILED)
		return false;
	well = map[0] == 0 && pwrite(fd, "x", 1, 0) == 1 && map[0] == 'x' && pwrite(fd, "y", 1, PROBE_BYTES - 1) == 1 && map[PROBE_BYTES - 1] == 'y';
	munmap(map, PROBE_BYTES);
	return well;
}

static bool does_what_is_needed(int folder, int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	struct stat st;

	return !fchmod(fd, 0600) && !fstat(fd, &st) && !(st.st_mode & 077) && !fcntl(fd, F_SETLK, &lock) && maps_well(fd) && !fsync(fd) &&
	       !fsync(folder);
}

/* Behind FUSE stand encrypted folders, which are fine, as well as FAT and other machines: so it is tried. Two machines that use one folder
 * at a time through it cannot be told from one. */
static int probe(const char *path)
{
	static const char name[] = ".vereda-probe";
	int rc = VD_OK, fd, folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return vd_file_errno(errno);
	unlinkat(folder, name, 0);
	fd = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		rc = errno == ENOSPC || errno == EDQUOT || errno == EACCES || errno == EROFS ? vd_file_errno(errno) : VD_EINVAL;
	else if (posix_fallocate(fd, 0, PROBE_BYTES) == ENOSPC)
		rc = VD_ENOSPACE;
	else if (ftruncate(fd, PROBE_BYTES) || !does_what_is_needed(folder, fd))
		rc = VD_EINVAL;
	if (fd >= 0) {
		close(fd);
		unlinkat(folder, name, 0);
	}
	close(folder);
	return rc;
}

int vd_medium_check(const char *path, bool thoroughly)
{
	struct statfs fs;

	if (statfs(path, &fs))
		return VD_OK; /* what is wrong with it the next step says */
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if ((uint32_t)fs.f_type == refused[i])
			return VD_EINVAL;
	}
	return thoroughly && (uint32_t)fs.f_type == FUSE ? probe(path) : VD_OK;
}

int vd_medium_check_new(const char *path)
{
	char part[PATH_MAX];
	struct stat st;
	char *slash;

	if (strlen(path) >= sizeof(part))
		return VD_EINVAL;
	strcpy(part, path);
	while (stat(part, &st)) {
		slash = strrchr(part, '/');
		if (!slash)
			return vd_medium_check(".", true);
		slash[slash == part] = '\0';
		if (slash == part)
			break;
	}
	return vd_medium_check(part, true);
}
