#include "wipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "names.h"
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

enum { SEALED_START = 64 * 1024 }; /* of a sealed database: its first pages, which say where all others are */

static const char *const slots[] = { "vault", "vault.new", "vault.old" };
/* What a store is known by goes last, so that an interrupted wipe can be repeated. */
static const char *const known_by[] = { "data.mdb", "lock.mdb", "walked" };
static const size_t inbox = 1, sealing = 2; /* of vd_name_folders */

/* Without making it longer: that would need space. */
static bool overwrite_open(int fd, off_t most)
{
	static const uint8_t zeros[65536];
	struct stat st;
	bool good;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	if (st.st_size < most)
		most = st.st_size;
	for (off_t at = 0; at < most;) {
		size_t n = (uint64_t)(most - at) < sizeof(zeros) ? (size_t)(most - at) : sizeof(zeros);
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

static bool overwrite(int folder, const char *name, bool follow)
{
	int fd = openat(folder, name, O_WRONLY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW) | O_NONBLOCK);
	bool done;

	if (fd < 0)
		return false;
	done = overwrite_open(fd, INT64_MAX);
	close(fd);
	return done;
}

static bool gone(int folder, const char *name)
{
	return faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/* What cannot be overwritten is unlinked all the same. */
static bool take(int folder, const char *name)
{
	(void)overwrite(folder, name, false);
	return !unlinkat(folder, name, 0) || errno == ENOENT;
}

/* Who has a sealed database open has its key, too, perhaps: to them it becomes an empty file. */
static bool take_sealed(int home, const char *name)
{
	int fd = openat(home, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd >= 0) {
		(void)overwrite_open(fd, SEALED_START);
		if (ftruncate(fd, 0))
			(void)overwrite_open(fd, INT64_MAX);
		close(fd);
	}
	return !unlinkat(home, name, 0) || errno == ENOENT;
}

static bool is_ours(const struct vd_wipe *w, int folder, size_t which, const char *name)
{
	if (which < VD_NAME_FOLDERS)
		return vd_name_in_folder(folder, which, name);
	for (size_t i = 0; i < sizeof(known_by) / sizeof(*known_by); i++)
		if (!strcmp(known_by[i], name))
			return false; /* its turn comes */
	return vd_name_in_home(w->home_fd, name) != VD_NAME_OTHER;
}

/* Takes what is ours in one of our folders, or (VD_NAME_FOLDERS) in the home itself. */
static bool clear(const struct vd_wipe *w, size_t which)
{
	const char *path = which < VD_NAME_FOLDERS ? vd_name_folders[which] : ".";
	uint64_t room[512];
	bool clean = true;
	long n;
	int folder = openat(w->home_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (folder < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
	while ((n = syscall(SYS_getdents64, folder, room, sizeof(room))) > 0) {
		for (long at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)((const char *)room + at);

			at += e->length;
			if (is_ours(w, folder, which, e->name))
				clean = take(folder, e->name) && clean;
		}
	}
	(void)fsync(folder);
	close(folder);
	if (which < VD_NAME_FOLDERS)
		unlinkat(w->home_fd, path, AT_REMOVEDIR); /* with files of others in it, it stays */
	return clean && n == 0;
}

int vd_wipe_prepare(const char *home, struct vd_wipe *w)
{
	bool store;

	*w = (struct vd_wipe){ -1, -1, false };
	w->home_fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->home_fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? VD_ENOSTORE : VD_EIO;
	store = vd_names_store(w->home_fd);
	if (store && vd_name_in_home(w->home_fd, slots[0]) == VD_NAME_SLOTS)
		w->vault_fd = openat(w->home_fd, slots[0], O_RDWR | O_CLOEXEC | O_NONBLOCK);
	/* While it is being sealed, the database may be the readable one still. */
	w->sealed = !gone(w->home_fd, slots[0]) && gone(w->home_fd, vd_name_folders[sealing]);
	if (!store)
		vd_wipe_release(w);
	return store ? VD_OK : VD_ENOSTORE;
}

void vd_wipe_release(struct vd_wipe *w)
{
	if (w->vault_fd >= 0)
		close(w->vault_fd);
	if (w->home_fd >= 0)
		close(w->home_fd);
	*w = (struct vd_wipe){ -1, -1, false };
}

/* True: it is taken, or there is none. */
static bool take_slots(int home, const char *name)
{
	struct stat st;
	bool zeroed, link;

	if (fstatat(home, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT;
	link = S_ISLNK(st.st_mode);
	if (vd_name_in_home(home, name) != VD_NAME_SLOTS)
		return !link; /* somebody else's file is no slot; a link may lead to slots on a medium that is not here now */
	zeroed = overwrite(home, name, link);
	if (link && !zeroed)
		return false; /* the link says where they are */
	unlinkat(home, name, 0);
	return gone(home, name) || zeroed;
}

bool vd_wipe_keys(const struct vd_wipe *w)
{
	enum { TIMES = 3 }; /* somebody may just be changing slots: what they put in place once more is overwritten, too */
	bool taken = false, any = w->vault_fd >= 0;

	/* Perhaps no more the file of that name, but then one whose slots somebody may keep. */
	if (w->vault_fd >= 0)
		(void)overwrite_open(w->vault_fd, INT64_MAX);
	for (size_t i = 0; i < TIMES && !taken; i++) {
		taken = true;
		for (size_t s = 0; s < sizeof(slots) / sizeof(*slots); s++) {
			any = any || !gone(w->home_fd, slots[s]);
			taken = take_slots(w->home_fd, slots[s]) && taken;
		}
	}
	if (any)
		(void)fsync(w->home_fd);
	return taken;
}

bool vd_wipe_rest(const struct vd_wipe *w)
{
	bool clean = clear(w, sealing);

	clean = clear(w, inbox) && clean;
	clean = clear(w, 0) && clean;
	clean = clear(w, VD_NAME_FOLDERS) && clean;
	for (size_t i = 0; i < sizeof(known_by) / sizeof(*known_by); i++) {
		if (vd_name_in_home(w->home_fd, known_by[i]) == VD_NAME_OTHER)
			continue;
		if (!i && w->sealed)
			clean = take_sealed(w->home_fd, known_by[i]) && clean;
		else
			clean = take(w->home_fd, known_by[i]) && clean;
	}
	(void)fsync(w->home_fd);
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
