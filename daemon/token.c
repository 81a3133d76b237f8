#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "panic.h"
#include "proto/err.h"
#include "store/file.h"
#include "store/vault.h"

static bool device_there(dev_t device)
{
	char path[64];

	snprintf(path, sizeof path, "/sys/dev/block/%u:%u", major(device), minor(device));
	return access(path, F_OK) == 0;
}

static int read_all(int fd, struct vd_buf *out)
{
	uint8_t bytes[VD_VAULT_TOKEN_MAX + 1];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof bytes && (got = read(fd, bytes + n, sizeof bytes - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			sodium_memzero(bytes, sizeof bytes);
			return VD_EIO;
		}
		n += (size_t)got;
	}
	bool good = n >= VD_VAULT_TOKEN_MIN && n <= VD_VAULT_TOKEN_MAX;
	if (good)
		vd_buf_put(out, bytes, n);
	sodium_memzero(bytes, sizeof bytes);
	return good ? vd_buf_check(out) : VD_EFORMAT;
}

int vd_token_read(const char *path, struct vd_buf *out, struct vd_token_mark *mark)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc;
	size_t before = out->n;
	struct stat st;

	memset(mark, 0, sizeof *mark);
	if (fd < 0)
		return errno == ENOTDIR ? VD_ENOTFOUND : vd_file_errno(errno);
	if (fstat(fd, &st))
		rc = VD_EIO;
	else
		rc = S_ISREG(st.st_mode) ? read_all(fd, out) : VD_EFORMAT;
	close(fd);
	if (rc)
		return rc;
	mark->device = st.st_dev;
	mark->inode = st.st_ino;
	mark->size = st.st_size;
	mark->written = st.st_mtim;
	mark->changed = st.st_ctim;
	mark->block = device_there(st.st_dev);
	crypto_generichash(mark->hash, sizeof mark->hash, out->p + before, out->n - before, NULL, 0);
	return 0;
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* Is what was read still there? Reads it again when the file was touched. */
static bool stands(const char *path, const struct vd_token_mark *mark)
{
	struct vd_buf bytes = {0};
	struct vd_token_mark now;
	struct stat st;
	bool same;

	if (stat(path, &st) || (mark->block && !device_there(mark->device)))
		return false;
	if (st.st_dev == mark->device && st.st_ino == mark->inode && st.st_size == mark->size && same_time(st.st_mtim, mark->written) &&
	    same_time(st.st_ctim, mark->changed))
		return true;
	same = !vd_token_read(path, &bytes, &now) && !sodium_memcmp(now.hash, mark->hash, sizeof now.hash);
	vd_buf_wipe(&bytes);
	return same;
}

static int watch_folder(const char *path)
{
	char folder[PATH_MAX], *slash;
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	snprintf(folder, sizeof folder, "%s", path);
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	/* one that cannot be watched is looked at all the same */
	if (fd >= 0)
		(void)inotify_add_watch(fd, slash ? folder : ".", IN_ATTRIB | IN_MODIFY | IN_CLOSE_WRITE | IN_DELETE | IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF);
	return fd;
}

static void *look_after(void *arg)
{
	struct vd_token_guard *g = arg;
	struct pollfd fds[2] = {{g->stop, POLLIN, 0}, {watch_folder(g->path), POLLIN, 0}};

	while (stands(g->path, &g->mark)) {
		char events[4096];

		(void)poll(fds, fds[1].fd < 0 ? 1 : 2, VD_TOKEN_LOOK_MS);
		if (fds[0].revents)
			goto done;
		if (fds[1].fd >= 0)
			while (read(fds[1].fd, events, sizeof events) > 0)
				;
	}
	uv_async_send(&g->async);
	if (poll(fds, 1, VD_TOKEN_PATIENCE_MS) > 0)
		goto done;
	/* Whatever the loop is at: the file systems can take it, as they can take a power cut. */
	vd_panic_lock();
done:
	if (fds[1].fd >= 0)
		close(fds[1].fd);
	return NULL;
}

static void on_async(uv_async_t *async)
{
	struct vd_token_guard *g = async->data;

	g->gone = true;
	g->pulled(g->ctx);
}

int vd_token_guard_start(struct vd_token_guard *g, uv_loop_t *loop, const char *path, const struct vd_token_mark *mark, void (*pulled)(void *),
                         void *ctx)
{
	g->path = path;
	g->mark = *mark;
	g->pulled = pulled;
	g->ctx = ctx;
	g->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->stop < 0)
		return VD_EIO;
	if (uv_async_init(loop, &g->async, on_async)) {
		close(g->stop);
		return VD_ENOMEM;
	}
	g->async.data = g;
	g->gone = false;
	g->runs = !pthread_create(&g->thread, NULL, look_after, g);
	if (g->runs)
		return 0;
	uv_close((uv_handle_t *)&g->async, NULL);
	close(g->stop);
	return VD_ENOMEM;
}

void vd_token_guard_stop(struct vd_token_guard *g)
{
	if (!g->runs)
		return;
	g->runs = false;
	if (!g->gone) { /* else it sees to it that this process becomes another one */
		(void)!eventfd_write(g->stop, 1);
		pthread_join(g->thread, NULL);
		close(g->stop);
	}
	uv_close((uv_handle_t *)&g->async, NULL);
}
