/* Can a store stand there? What LMDB needs of a file system: a shared mapping that shows at once what was written, locks between processes,
 * and syncs that mean it; what we need besides: files that only we can read. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "medium.h"
#include "file.h"
#include "inside.h"
#include "proto/err.h"

enum { FUSE = 0x65735546, PROBE_BYTES = 8192 };

/* Of statfs. There another machine may hold the locks, and a mapping may show old pages. */
static const uint32_t of_networks[] = {
	0x6969 /* NFS */, 0x517b /* SMB */, 0xff534d42 /* CIFS */, 0xfe534d42 /* SMB 2 */, 0x564c /* NCP */, 0x01021997 /* 9p */, 0x00c36400 /* Ceph */,
	0x5346414f /* AFS */, 0x6b414653 /* kAFS */, 0x73757245 /* Coda */, 0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */, 0x01161970 /* GFS2 */,
	0x7461636f /* OCFS2 */, 0x19830326 /* BeeGFS */, 0x20030528 /* OrangeFS */, 0xaad7aaea /* PanFS */, 0x61636673 /* ACFS */,
	0x786f4256 /* vboxsf */, 0xbacbacbc /* VMware's */, 0x7c7c6673 /* Parallels' */,
};
/* There every account reads every file, and a power cut can cost files that nobody was writing to. */
static const uint32_t of_fat[] = { 0x4d44 /* FAT */, 0x2011bab0 /* exFAT */ };

/* Behind FUSE: by the name of the type in /proc/self/mountinfo, after "fuse." or "fuseblk.", or as a whole. */
static const char *const network_names[] = {
	"sshfs", "rclone", "s3fs", "s3ql", "goofys", "mountpoint-s3", "geesefs", "gcsfuse", "blobfuse", "blobfuse2", "google-drive-ocamlfuse", "drivefs",
	"onedriver", "dropbox", "megafs", "pcloud", "davfs", "davfs2", "wdfs", "curlftpfs", "ftpfs", "httpfs", "smbnetfs", "fusesmb", "cifs", "nfs", "fuse-nfs",
	"glusterfs", "ceph", "ceph-fuse", "mfs", "moosefs", "lizardfs", "saunafs", "juicefs", "seaweedfs", "JuiceFS", "hdfs", "fuse_dfs", "alluxio-fuse", "ipfs",
	"tahoe", "unifyfs", "xtreemfs", "cvmfs2", "orangefs", "gvfsd-fuse", "gvfs-fuse-daemon", "kio-fuse", "keybase", "9p", "vmhgfs-fuse",
	"prl_fsd", "mtpfs", "simple-mtpfs", "jmtpfs", "go-mtpfs", "aft-mtp-mount", "ifuse", "gphotofs", "obexfs",
};
static const char *const fat_names[] = { "exfat", "exfat-fuse", "vfat", "fat", "fusefat", "msdos", "umsdos" };

static bool among(const char *name, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

enum vd_medium vd_medium_of_type(const char *type)
{
	static const char *const fronts[] = { "fuse.", "fuseblk." };

	for (size_t i = 0; i < 2; i++)
		if (!strncmp(type, fronts[i], strlen(fronts[i]))) {
			type += strlen(fronts[i]);
			break;
		}
	if (among(type, network_names, sizeof(network_names) / sizeof(network_names[0])))
		return VD_MEDIUM_NETWORK;
	return among(type, fat_names, sizeof(fat_names) / sizeof(fat_names[0])) ? VD_MEDIUM_FAT : VD_MEDIUM_FINE;
}

/* "36 35 98:0 /root /at rw,noatime shared:1 - fuse.sshfs host:/ rw": the third word is the device, the first after the dash the type. The last line of a device
 * counts. */
static enum vd_medium mounted_as(dev_t device)
{
	enum vd_medium found = VD_MEDIUM_FINE;
	FILE *in = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;

	while (in && getline(&line, &room, in) > 0) {
		unsigned major, minor;
		char *dash = strstr(line, " - "), type[64];

		if (dash && sscanf(line, "%*s %*s %u:%u ", &major, &minor) == 2 && major == major(device) && minor == minor(device) &&
		    sscanf(dash + 3, "%63s", type) == 1)
			found = vd_medium_of_type(type);
	}
	free(line);
	if (in)
		fclose(in);
	return found;
}

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

static bool has(const uint32_t *list, size_t count, uint32_t type)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == type)
			return true;
	return false;
}

/* Of a folder that is there. */
static enum vd_medium look(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs))
		return VD_MEDIUM_FINE; /* what is wrong with it the next step says */
	if (has(of_networks, sizeof(of_networks) / sizeof(of_networks[0]), (uint32_t)fs.f_type))
		return VD_MEDIUM_NETWORK;
	if (has(of_fat, sizeof(of_fat) / sizeof(of_fat[0]), (uint32_t)fs.f_type))
		return VD_MEDIUM_FAT;
	if ((uint32_t)fs.f_type != FUSE || stat(path, &st))
		return VD_MEDIUM_FINE;
	return mounted_as(st.st_dev);
}

int vd_medium_check(const char *path, bool thoroughly)
{
	struct statfs fs;

	if (look(path) != VD_MEDIUM_FINE)
		return VD_EINVAL;
	return thoroughly && !statfs(path, &fs) && (uint32_t)fs.f_type == FUSE ? probe(path) : VD_OK;
}

/* The folder itself, or the next one above it that is there. */
static bool nearest(const char *path, char part[PATH_MAX])
{
	struct stat st;
	char *slash;

	if (strlen(path) >= PATH_MAX)
		return false;
	strcpy(part, path);
	while (stat(part, &st)) {
		slash = strrchr(part, '/');
		if (!slash) {
			strcpy(part, ".");
			return true;
		}
		if (slash == part) {
			part[1] = '\0';
			return true;
		}
		*slash = '\0';
	}
	return true;
}

int vd_medium_check_new(const char *path)
{
	char part[PATH_MAX];

	return nearest(path, part) ? vd_medium_check(part, true) : VD_EINVAL;
}

enum vd_medium vd_medium_of(const char *path)
{
	char part[PATH_MAX];
	enum vd_medium kind = nearest(path, part) ? look(part) : VD_MEDIUM_FINE;

	return kind == VD_MEDIUM_FINE ? VD_MEDIUM_OTHER : kind;
}
