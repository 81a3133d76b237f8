#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proto/err.h"

enum { BLOCK_BYTES = 64 * 1024, STALE_S = 24 * 60 * 60 };

/* ".XXXXXX.tmp", as mkostemps fills it in. */
static const char temp_end[] = ".tmp";
enum { TEMP_RANDOM = VD_FILE_TAIL, TEMP_END = sizeof(temp_end) - 1, TEMP_TAIL = 1 + TEMP_RANDOM + TEMP_END };

struct vd_file_out {
	int fd;
	bool stream;        /* standard output */
	bool beside;        /* takes no other file's place */
	bool held;
	uint64_t size;
	/* Of all that was written, under a key of its own: a medium cannot know which change it would not notice. Three times as fast as a hash. */
	crypto_onetimeauth_state sum;
	uint8_t key[crypto_onetimeauth_KEYBYTES];
	char *path, *temp, *folder;
};

void vd_file_fill_standard(void)
{
	int fd;

	/* One that can only be read: what is said there fails, as it would have. */
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int vd_file_errno(int code)
{
	switch (code) {
	case 0:
		return VD_OK;
	case ENOMEM:
		return VD_ENOMEM;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return VD_ENOSPACE;
	case ENOENT:
	case ENOTDIR:
		return VD_ENOTFOUND;
	case EEXIST:
		return VD_EEXISTS;
	case EBUSY:
	case EAGAIN:
	case ETXTBSY:
		return VD_EBUSY;
	case EPIPE:
	case ECONNRESET:
		return VD_ECLOSED;
	case EINVAL:
	case EISDIR:
	case ENAMETOOLONG:
	case ELOOP:
		return VD_EINVAL;
	case EACCES:
	case EPERM:
		return VD_EDENIED;
	default: /* EROFS too: after a failure many systems let a disk only be read */
		return VD_EIO;
	}
}

static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static void file_free(struct vd_file_out *f)
{
	if (f->fd >= 0 && !f->stream)
		close(f->fd);
	free(f->path);
	free(f->temp);
	free(f->folder);
	free(f);
}

/* "<base>.<six>.tmp", hidden or not; any base when NULL. */
static bool is_temp(const char *name, const char *base)
{
	size_t n = strlen(name);

	if (n <= TEMP_TAIL || strcmp(name + n - TEMP_END, temp_end) != 0 || name[n - TEMP_TAIL] != '.')
		return false;
	n -= TEMP_TAIL;
	if (!base || (strlen(base) == n && strncmp(name, base, n) == 0))
		return true;
	return name[0] == '.' && strlen(base) == n - 1 && strncmp(name + 1, base, n - 1) == 0;
}

void vd_file_sweep(const char *folder, const char *base)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat st;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (is_temp(entry->d_name, base) && fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime < time(NULL) - STALE_S)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
}

/* Removes it, if nobody is writing it: who did, and was killed, has no lock any more. False: somebody is. */
static bool remove_dead(int folder, const char *name, bool remove)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool dead = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0, taken = fd >= 0 && !dead && errno == EWOULDBLOCK;

	/* While we have the lock, so that who has just made it and waits for that sees it go (open_new). */
	if (dead && remove)
		unlinkat(folder, name, 0);
	if (fd >= 0)
		close(fd);
	return !taken;
}

void vd_file_sweep_own(const char *folder, bool (*is_own)(void *ctx, const char *base, const char tail[VD_FILE_TAIL + 1]), void *ctx)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char base[sizeof(entry->d_name)], tail[VD_FILE_TAIL + 1];
		size_t n = strlen(entry->d_name);

		if (!is_temp(entry->d_name, NULL))
			continue;
		snprintf(base, sizeof(base), "%.*s", (int)(n - TEMP_TAIL), entry->d_name);
		snprintf(tail, sizeof(tail), "%.*s", VD_FILE_TAIL, entry->d_name + n - TEMP_TAIL + 1);
		if (is_own(ctx, base, tail))
			remove_dead(dirfd(dir), entry->d_name, true);
	}
	if (dir)
		closedir(dir);
}

/* ".<base>.<six>.tmp", or that of a volume of it: ".<base>.<three digits or more>.<six>.tmp". */
static bool is_of_set(const char *name, const char *base)
{
	size_t n = strlen(name), base_n = strlen(base), digits;

	if (name[0] != '.' || !is_temp(name, NULL) || n < 1 + base_n + TEMP_TAIL || strncmp(name + 1, base, base_n) != 0)
		return false;
	name += 1 + base_n;
	n -= 1 + base_n;
	digits = name[0] == '.' ? strspn(name + 1, "0123456789") : 0;
	return n == TEMP_TAIL || (digits >= 3 && n == 1 + digits + TEMP_TAIL);
}

void vd_file_sweep_set(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	char *folder = folder_of(path);
	DIR *dir = folder ? opendir(folder) : NULL;
	struct dirent *entry;
	bool all_dead = true;

	/* Who writes several holds no lock on each of them. */
	while (dir && all_dead && (entry = readdir(dir)))
		if (is_of_set(entry->d_name, base))
			all_dead = remove_dead(dirfd(dir), entry->d_name, false);
	if (dir)
		rewinddir(dir);
	while (dir && all_dead && (entry = readdir(dir)))
		if (is_of_set(entry->d_name, base))
			remove_dead(dirfd(dir), entry->d_name, true);
	if (dir)
		closedir(dir);
	free(folder);
}

/* Under that name and no other. */
static int open_own(struct vd_file_out *f, const char tail[VD_FILE_TAIL + 1])
{
	memcpy(f->temp + strlen(f->temp) - TEMP_END - VD_FILE_TAIL, tail, VD_FILE_TAIL);
	f->fd = open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return vd_file_errno(errno);
	/* Without locks it is swept by its age. */
	if (flock(f->fd, LOCK_EX | LOCK_NB))
		errno = 0;
	return VD_OK;
}

/* Under a random one. */
static int open_new(struct vd_file_out *f)
{
	char *six = f->temp + strlen(f->temp) - TEMP_END - TEMP_RANDOM;
	struct stat st;

	for (;;) {
		memset(six, 'X', TEMP_RANDOM);
		f->fd = mkostemps(f->temp, TEMP_END, O_CLOEXEC);
		if (f->fd < 0)
			return vd_file_errno(errno);
		/* Without locks it is swept by its age. */
		if (flock(f->fd, LOCK_EX))
			errno = 0;
		if (fstat(f->fd, &st) || st.st_nlink)
			return VD_OK;
		/* Before it had its lock somebody took it for a dead one. */
		close(f->fd);
	}
}

static int create(const char *path, const char *tail, struct vd_file_out **out)
{
	struct vd_file_out *f = calloc(1, sizeof(*f));
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	int rc = VD_ENOMEM;

	if (!f)
		return VD_ENOMEM;
	f->fd = -1;
	crypto_onetimeauth_keygen(f->key);
	crypto_onetimeauth_init(&f->sum, f->key);
	if (strcmp(path, "-") == 0) {
		f->stream = true;
		f->fd = STDOUT_FILENO;
		*out = f;
		return VD_OK;
	}
	f->path = strdup(path);
	f->folder = folder_of(path);
	if (!f->path || !f->folder || asprintf(&f->temp, "%.*s%s%s.XXXXXX%s", (int)(base - path), path, tail ? "" : ".", base, temp_end) < 0) {
		f->temp = NULL;
		goto done;
	}
	vd_file_sweep(f->folder, base);
	rc = tail ? open_own(f, tail) : open_new(f);
	if (rc)
		goto done;
	*out = f;
	return VD_OK;
done:
	file_free(f);
	return rc;
}

int vd_file_create(const char *path, struct vd_file_out **out)
{
	return create(path, NULL, out);
}

int vd_file_create_as(const char *path, const char tail[VD_FILE_TAIL + 1], struct vd_file_out **out)
{
	return create(path, tail, out);
}

int vd_file_write(struct vd_file_out *f, struct vd_slice bytes)
{
	crypto_onetimeauth_update(&f->sum, bytes.p, bytes.n);
	while (bytes.n) {
		ssize_t n = write(f->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vd_file_errno(errno);
		bytes.p += n;
		bytes.n -= (size_t)n;
		f->size += (uint64_t)n;
	}
	return VD_OK;
}

void vd_file_share(struct vd_file_out *f)
{
	/* A file system without modes has nothing to refuse. */
	if (!f->stream && fchmod(f->fd, 0644))
		errno = 0;
}

void vd_file_beside(struct vd_file_out *f)
{
	f->beside = true;
}

/* Gives the temporary file its name. */
static int settle(const struct vd_file_out *f)
{
	struct stat there;

	if (!f->beside)
		return rename(f->temp, f->path) ? vd_file_errno(errno) : VD_OK;
	if (!link(f->temp, f->path))
		return unlink(f->temp) ? vd_file_errno(errno) : VD_OK;
	if (errno == EEXIST)
		return VD_EEXISTS;
	/* FAT has no second name for a file. */
	if (!lstat(f->path, &there))
		return VD_EEXISTS;
	return rename(f->temp, f->path) ? vd_file_errno(errno) : VD_OK;
}

void vd_file_hold(struct vd_file_out *f)
{
	f->held = true;
}

uint64_t vd_file_size(const struct vd_file_out *f)
{
	return f->size;
}

/* Reads the temporary file from the medium, not from memory, and compares it with all that was written. */
static int compare(struct vd_file_out *f)
{
	crypto_onetimeauth_state sum;
	uint8_t wrote[crypto_onetimeauth_BYTES], found[crypto_onetimeauth_BYTES], *block = malloc(BLOCK_BYTES);
	int fd = open(f->temp, O_RDONLY | O_CLOEXEC);
	int rc = VD_OK;
	ssize_t n = 1;

	if (fd < 0 || !block) {
		rc = fd < 0 ? vd_file_errno(errno) : VD_ENOMEM;
		goto done;
	}
	/* The pages are clean after fsync: the kernel lets go of them, and what we read now comes from the medium. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	crypto_onetimeauth_init(&sum, f->key);
	while (n) {
		n = read(fd, block, BLOCK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = vd_file_errno(errno);
			goto done;
		}
		crypto_onetimeauth_update(&sum, block, (size_t)n);
	}
	crypto_onetimeauth_final(&sum, found);
	crypto_onetimeauth_final(&f->sum, wrote);
	if (memcmp(wrote, found, sizeof(wrote)) != 0)
		rc = VD_EDAMAGED;
done:
	if (fd >= 0)
		close(fd);
	free(block);
	return rc;
}

int vd_file_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = VD_OK;

	if (fd < 0)
		return vd_file_errno(errno);
	/* Some file systems have nothing to sync in a folder, and say so. */
	if (fsync(fd) && errno != EINVAL && errno != ENOTSUP)
		rc = vd_file_errno(errno);
	close(fd);
	return rc;
}

int vd_file_finish(struct vd_file_out *f, bool read_back)
{
	int rc = VD_OK, fd = f->fd;

	/* A pipe or terminal cannot be synced; a file behind the redirection can. */
	if (fsync(fd) && !(f->stream && (errno == EINVAL || errno == ENOTSUP || errno == EROFS)))
		rc = vd_file_errno(errno);
	if (f->stream)
		return rc;
	if (!rc && read_back)
		rc = compare(f);
	if (!rc && !f->held) {
		f->fd = -1;
		if (close(fd))
			rc = vd_file_errno(errno);
	}
	return rc;
}

int vd_file_place(struct vd_file_out *f)
{
	int rc = f->stream ? VD_OK : settle(f);

	if (rc) {
		vd_file_abort(f);
		return rc;
	}
	if (!f->stream)
		rc = vd_file_sync_folder(f->folder);
	if (rc)
		(void)unlink(f->path);
	file_free(f);
	return rc;
}

int vd_file_commit(struct vd_file_out *f, bool read_back)
{
	int rc = vd_file_finish(f, read_back);

	if (!rc)
		return vd_file_place(f);
	vd_file_abort(f);
	return rc;
}

void vd_file_abort(struct vd_file_out *f)
{
	if (!f)
		return;
	if (f->temp)
		(void)unlink(f->temp);
	file_free(f);
}

int vd_file_read(const char *path, size_t max, struct vd_buf *out)
{
	bool stream = strcmp(path, "-") == 0;
	int fd = stream ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	size_t start = out->n;
	int rc = VD_OK;
	ssize_t n = 1;

	if (fd < 0)
		return vd_file_errno(errno);
	while (n && !rc) {
		uint8_t *p = vd_buf_extend(out, BLOCK_BYTES);

		if (!p) {
			rc = VD_ENOMEM;
			break;
		}
		n = read(fd, p, BLOCK_BYTES);
		out->n -= BLOCK_BYTES - (n < 0 ? 0 : (size_t)n);
		if (n < 0 && errno != EINTR)
			rc = vd_file_errno(errno);
		else if (out->n - start > max)
			rc = VD_ECAP;
	}
	if (!stream)
		close(fd);
	if (rc)
		out->n = start;
	return rc;
}
