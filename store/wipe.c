#include "wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "proto/err.h"

/* Everything here but vd_wipe_prepare may run in a signal handler, with the heap and the C library's own state in any condition: system calls and bytes on
 * the stack only. */

/* Of 64 bits on every machine; the C library's dirent is not usable without a heap. */
struct entry {
	uint64_t inode;
	int64_t next;
	uint16_t length;
	uint8_t type;
	char name[];
};

static const char *const slots[] = { "vault", "vault.new", "vault.old" };
/* What is ours in a home, by how its name starts. */
static const char *const ours[] = { "vault", "data.mdb", "lock.mdb", "walked", "reserve", "ctl", "backup" };
/* Folders of ours, and all in them. */
static const char *const sealed_folders[] = { "new", "inbox" }, *const readable_folder = "sealing";

static bool starts(const char *name, const char *start)
{
	return !strncmp(name, start, strlen(start));
}

static bool is_ours(const char *name)
{
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++) {
		if (starts(name, ours[i]))
			return true;
	}
	return false;
}

/* Without making it longer: that would need space. */
static bool overwrite_open(int fd)
{
	static const uint8_t zeros[65536];
	struct stat st;
	bool good;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	for (off_t at = 0; at < st.st_size;) {
		size_t n = (uint64_t)(st.st_size - at) < sizeof(zeros) ? (size_t)(st.st_size - at) : sizeof(zeros);
		ssize_t written = pwrite(fd, zeros, n, at);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		at += written;
	}
	/* The bytes first, then whatever else the file system has to say: its journal may be long. */
	good = !sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	return !fdatasync(fd) || good;
}

static bool overwrite(int folder, const char *name)
{
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool done;

	if (fd < 0)
		return false;
	done = overwrite_open(fd);
	close(fd);
	return done;
}

static bool gone(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/* A database that was set aside may be one from before the store was sealed: it is for vd_wipe_rest. */
static bool set_aside(const char *name)
{
	return starts(name, "data.mdb.");
}

/* Unlinks what is in a folder. `all`: not only what is named like ours. `zero`: overwrites it first. */
static bool clear(int home, const char *name, bool all, bool zero)
{
	uint64_t room[512];
	bool clean = true;
	long n;
	int folder = openat(home, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (folder < 0)
		return errno == ENOENT;
	while ((n = syscall(SYS_getdents64, folder, room, sizeof(room))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)((const char *)room + at);

			at += e->length;
			if (!strcmp(e->name, ".") || !strcmp(e->name, "..") || (!all && !is_ours(e->name)) || (!zero && set_aside(e->name)))
				continue;
			if (zero && !overwrite(folder, e->name))
				errno = 0; /* unlinked all the same */
			if (unlinkat(folder, e->name, 0) && errno != ENOENT && errno != EISDIR)
				clean = false;
		}
	}
	(void)fsync(folder);
	close(folder);
	return clean && n == 0;
}

int vd_wipe_prepare(const char *home, struct vd_wipe *w)
{
	*w = (struct vd_wipe){ -1, -1 };
	w->home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->home_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? VD_ENOSTORE : VD_EIO;
	w->vault_fd = openat(w->home_fd, slots[0], O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return VD_OK;
}

void vd_wipe_release(struct vd_wipe *w)
{
	if (w->vault_fd >= 0)
		close(w->vault_fd);
	if (w->home_fd >= 0)
		close(w->home_fd);
	*w = (struct vd_wipe){ -1, -1 };
}

bool vd_wipe_keys(const struct vd_wipe *w)
{
	enum { TIMES = 3 }; /* somebody may just be changing slots: what they put in place once more is overwritten, too */
	bool sealed = w->vault_fd >= 0, standing = true;

	/* Perhaps no more the file of that name, but then one whose slots somebody may keep. */
	if (w->vault_fd >= 0)
		(void)overwrite_open(w->vault_fd);
	for (size_t i = 0; i < TIMES && standing; i++) {
		standing = false;
		for (size_t s = 0; s < sizeof(slots) / sizeof(*slots); s++) {
			bool was = !gone(w->home_fd, slots[s]), zeroed = was && overwrite(w->home_fd, slots[s]);

			sealed = sealed || was;
			unlinkat(w->home_fd, slots[s], 0);
			standing = standing || (!gone(w->home_fd, slots[s]) && !zeroed);
		}
	}
	if (sealed) {
		(void)fsync(w->home_fd);
		(void)clear(w->home_fd, ".", false, false);
		for (size_t i = 0; i < sizeof(sealed_folders) / sizeof(*sealed_folders); i++) {
			(void)clear(w->home_fd, sealed_folders[i], true, false);
			unlinkat(w->home_fd, sealed_folders[i], AT_REMOVEDIR);
		}
	}
	return !standing;
}

bool vd_wipe_rest(const struct vd_wipe *w)
{
	bool clean = clear(w->home_fd, readable_folder, true, true);

	unlinkat(w->home_fd, readable_folder, AT_REMOVEDIR);
	for (size_t i = 0; i < sizeof(sealed_folders) / sizeof(*sealed_folders); i++) {
		clean = clear(w->home_fd, sealed_folders[i], true, true) && clean;
		unlinkat(w->home_fd, sealed_folders[i], AT_REMOVEDIR);
	}
	clean = clear(w->home_fd, ".", false, true) && clean;
	return clean;
}

int vd_wipe_files(const char *home)
{
	struct vd_wipe w;
	int rc = vd_wipe_prepare(home, &w);

	if (rc)
		return rc;
	if (!vd_wipe_rest(&w))
		rc = VD_EIO;
	vd_wipe_release(&w);
	return rc;
}
