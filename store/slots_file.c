/* The file `vault` on the disk: written whole under another name, and what it was is overwritten. */
#include "slots_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "proto/err.h"
#include "proto/hash.h"
#include "vault.h"

enum { FILE_BYTES = 2 * VD_SLOTS_BLOCK, MAGIC_BYTES = 16, AT_VERSION = 16 };

static const char magic[MAGIC_BYTES] = "vereda vault", file_name[] = "vault", new_name[] = "vault.new", old_name[] = "vault.old";

static void block_hash(const uint8_t *block, uint8_t out[VD_HASH_BYTES])
{
	struct vd_slice parts[] = { vd_slice_str("file"), vd_slice(block, VD_SLOTS_END) };

	vd_hash(VD_HASH_VAULT, vd_slice(NULL, 0), out, VD_HASH_BYTES, parts, 2);
}

static bool block_whole(const uint8_t *block)
{
	uint8_t hash[VD_HASH_BYTES];

	block_hash(block, hash);
	return !memcmp(block, magic, MAGIC_BYTES) && !memcmp(block + VD_SLOTS_END, hash, sizeof(hash));
}

static int read_file(int home, struct vd_slots_file *t)
{
	int fd = openat(home, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint8_t *bytes = (uint8_t *)t->block;
	size_t at = 0, got = 0;
	bool failed = false;
	int rc = VD_OK;

	*t = (struct vd_slots_file){ .count = 2 };
	if (fd < 0)
		return errno == ELOOP || errno == ENXIO ? VD_EDAMAGED : vd_file_errno(errno);
	while (at < FILE_BYTES) {
		ssize_t n = pread(fd, bytes + at, FILE_BYTES - at, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		failed |= n < 0 && errno == EIO;
		if (n < 0 && errno == EIO && at < VD_SLOTS_BLOCK) { /* a bad sector: the other copy may stand elsewhere */
			at = VD_SLOTS_BLOCK;
			continue;
		}
		if (n < 0 && errno != EIO)
			rc = errno == EISDIR ? VD_EDAMAGED : vd_file_errno(errno);
		if (n <= 0)
			break;
		at += (size_t)n;
		got += (size_t)n;
	}
	close(fd);
	if (!rc && failed && !got)
		rc = VD_EIO; /* the medium's fault, not the file's */
	if (rc)
		return rc;
	for (size_t i = 0; i < 2; i++) {
		if (!block_whole(t->block[i]))
			continue;
		t->copies++;
		if (t->whole)
			continue;
		t->whole = true;
		t->count = 1;
		if (i)
			memcpy(t->block[0], t->block[1], VD_SLOTS_BLOCK);
	}
	return t->whole && vd_get_u32(t->block[0] + AT_VERSION) != VD_SLOTS_VERSION ? VD_EVERSION : VD_OK;
}

static int write_all(int fd, const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t written = pwrite(fd, bytes + at, n - at, (off_t)at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? vd_file_errno(errno) : VD_ENOSPACE;
		at += (size_t)written;
	}
	return VD_OK;
}

static int sync_home(int home)
{
	return fsync(home) && errno != EINVAL ? vd_file_errno(errno) : VD_OK;
}

/* The bytes of a slots' file that is none any more. */
static void scrub(int fd)
{
	uint8_t noise[FILE_BYTES];

	randombytes_buf(noise, sizeof(noise));
	if (!write_all(fd, noise, sizeof(noise)))
		(void)!fsync(fd);
}

/* What an interrupted change left. */
static void sweep(int home)
{
	static const char *const names[] = { old_name, new_name };
	struct stat st, left;

	for (size_t i = 0; i < 2; i++) {
		int fd;

		if (fstatat(home, names[i], &left, AT_SYMLINK_NOFOLLOW))
			continue;
		/* Before the new one took its name, the old one had two. */
		if (S_ISREG(left.st_mode) && (fstatat(home, file_name, &st, AT_SYMLINK_NOFOLLOW) || st.st_ino != left.st_ino)) {
			fd = openat(home, names[i], O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
			if (fd >= 0) {
				scrub(fd);
				close(fd);
			}
		}
		unlinkat(home, names[i], 0);
	}
}

static int write_new(int home, const uint8_t *bytes)
{
	int rc, fd = openat(home, new_name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return vd_file_errno(errno);
	rc = write_all(fd, bytes, FILE_BYTES);
	if (!rc && fsync(fd))
		rc = vd_file_errno(errno);
	if (close(fd) && !rc)
		rc = vd_file_errno(errno);
	if (rc)
		unlinkat(home, new_name, 0);
	return rc;
}

int vd_slots_file_write(int home, struct vd_slots_file *t)
{
	int rc, old;

	block_hash(t->block[0], t->block[0] + VD_SLOTS_END);
	memcpy(t->block[1], t->block[0], VD_SLOTS_BLOCK);
	sweep(home);
	rc = write_new(home, (const uint8_t *)t->block);
	if (rc)
		return rc;
	old = openat(home, file_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (old >= 0)
		(void)!linkat(home, file_name, home, old_name, 0); /* found again after a power cut; where there are no links, it is not */
	rc = sync_home(home);
	if (!rc && renameat(home, new_name, home, file_name))
		rc = vd_file_errno(errno);
	if (!rc)
		rc = sync_home(home);
	if (!rc && old >= 0)
		scrub(old);
	if (old >= 0)
		close(old);
	sweep(home);
	return rc;
}

int vd_slots_file_folder(const char *home, int *fd)
{
	*fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? vd_file_errno(errno) : VD_OK;
}

int vd_slots_file_begin(const char *home, bool change, int *fd, struct vd_slots_file *t)
{
	int rc = vd_slots_file_folder(home, fd);

	if (rc)
		return rc;
	while (change && flock(*fd, LOCK_EX)) {
		if (errno != EINTR) {
			rc = VD_EIO;
			break;
		}
	}
	if (!rc && change)
		sweep(*fd);
	if (!rc)
		rc = read_file(*fd, t);
	return rc;
}

void vd_slots_file_end(int fd, struct vd_slots_file *t)
{
	if (fd >= 0)
		close(fd);
	sodium_memzero(t, sizeof(*t));
}

void vd_slots_file_sweep(int home)
{
	if (!faccessat(home, old_name, F_OK, AT_SYMLINK_NOFOLLOW) && !flock(home, LOCK_EX | LOCK_NB)) {
		sweep(home);
		flock(home, LOCK_UN);
	}
}

void vd_slots_file_empty(struct vd_slots_file *t)
{
	*t = (struct vd_slots_file){ .count = 1, .whole = true };
	memcpy(t->block[0], magic, MAGIC_BYTES);
	vd_set_u32(t->block[0] + AT_VERSION, VD_SLOTS_VERSION);
}

bool vd_vault_exists(const char *home)
{
	char path[PATH_MAX + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", home, file_name);
	return !lstat(path, &st) || (errno != ENOENT && errno != ENOTDIR);
}

int vd_vault_unmake(const char *folder)
{
	int home, fd, rc = vd_slots_file_folder(folder, &home);

	if (rc)
		return rc;
	fd = openat(home, file_name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0) {
		scrub(fd);
		close(fd);
	}
	if (unlinkat(home, file_name, 0) && errno != ENOENT)
		rc = vd_file_errno(errno);
	sweep(home);
	if (!rc)
		rc = sync_home(home);
	close(home);
	return rc;
}
