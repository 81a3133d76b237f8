#include "sticks.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "proto/err.h"
#include "stick_segments.h"
#include "tell.h"

/* --- what came and went --- */

static struct vd_seen *find(struct vd_sticks *s, const char *path)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->seen[i].path, path))
			return &s->seen[i];
	return NULL;
}

/* A stick-dir that is a stick itself has its segments where a stick would be. */
static void warn_if_segments(const char *path)
{
	struct vd_segments segments;

	if (!vd_segments_list(&segments, path) && segments.count)
		vd_log(VD_LOG_WARNING, "a stick-dir is a stick itself: nothing is exchanged with it; name the folder that sticks are mounted in, as /media/ana for /media/ana/usb");
	vd_segments_deinit(&segments);
}

static void see(struct vd_sticks *s, const char *path, uint64_t now_ms)
{
	struct vd_seen *seen = find(s, path);
	struct statx st;
	uint64_t device;

	/* nothing is mounted for our look, and no link is followed */
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO | STATX_MNT_ID, &st) || !S_ISDIR(st.stx_mode))
		return;
	device = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	if (!seen) {
		if (s->count == VD_STICKS_SEEN_MAX)
			return;
		seen = &s->seen[s->count++];
		*seen = (struct vd_seen){ .due = false };
		snprintf(seen->path, sizeof seen->path, "%s", path);
	} else if (seen->mount == st.stx_mnt_id && seen->device == device && seen->inode == st.stx_ino) {
		seen->there = true;
		return;
	}
	seen->mount = st.stx_mnt_id;
	seen->device = device;
	seen->inode = st.stx_ino;
	seen->there = seen->due = true;
	seen->at_ms = now_ms;
	if (!strcmp(strrchr(path, '/'), "/cache"))
		warn_if_segments(path);
}

static void list(struct vd_sticks *s, const char *folder, uint64_t now_ms)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		char path[PATH_MAX];
		int n = snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);

		if (entry->d_name[0] != '.' && n > 0 && (size_t)n < sizeof path)
			see(s, path, now_ms);
	}
	if (dir)
		closedir(dir);
}

static void forget_gone(struct vd_sticks *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->seen[i].there)
			memmove(&s->seen[kept++], &s->seen[i], sizeof *s->seen);
	s->count = kept;
}

/* --- a visit --- */

static void work(uv_work_t *request)
{
	struct vd_sticks *s = request->data;

	s->rc = vd_stick_which(s->store, s->path, 0, &s->stick);
	s->marked = !s->rc && s->stick.marked;
	if (s->marked)
		s->rc = vd_stick_sync(s->store, s->path, &s->result);
}

/* No name and no path here: the log is readable, and the stick may be found with the machine. */
static void tell(const struct vd_sticks *s)
{
	const struct vd_stick_result *r = &s->result;
	bool full = s->rc == VD_ENOSPACE && r->full;
	const char *how = full ? "full" : s->rc ? "failed" : r->read_only ? "only read" : r->complete ? "done" : "partly done";

	vd_log(s->rc ? VD_LOG_WARNING : VD_LOG_INFO, "stick %s received=%llu sent=%llu safe_to_remove=%d why=%s", how, (unsigned long long)r->received,
	       (unsigned long long)r->sent, r->safe_to_remove, s->rc ? vd_err_name(s->rc) : r->unreadable ? "damaged" : "done");
	vd_tell(full ? "full" : s->rc ? "failed" : r->complete && r->safe_to_remove ? "done" : "partly");
	vd_notify(full ? "STATUS=stick: full, can be removed" : s->rc ? "STATUS=stick: failed" : r->safe_to_remove ? "STATUS=stick: done, safe to remove" : "STATUS=stick: read");
}

static void after(uv_work_t *request, int status)
{
	struct vd_sticks *s = request->data;
	struct vd_seen *seen = find(s, s->path);

	bool waits = s->rc == VD_ENOMEM || s->rc == VD_EBUSY || s->rc == VD_EAGAIN;

	s->busy = false;
	if (s->stopping)
		uv_close((uv_handle_t *)&s->end, NULL);
	if (status)
		return;
	/* Somebody is at it by hand, and is told how that went. */
	if (s->marked && !s->result.busy)
		tell(s);
	else if (!s->marked && !waits)
		vd_log(VD_LOG_INFO, "stick left alone why=%s", s->rc && s->rc != VD_ENOTFOUND ? vd_err_name(s->rc) : "unmarked");
	/* One that is there, and for which there was no room or no turn just now. */
	if (seen && waits) {
		seen->due = true;
		seen->at_ms = uv_now(s->loop) + VD_STICKS_AGAIN_MS;
	}
	if (s->marked)
		s->done(s->ctx);
}

void vd_sticks_init(struct vd_sticks *s, uv_loop_t *loop, struct vd_store *store, const struct vd_conf *conf, void (*done)(void *ctx), void *ctx)
{
	*s = (struct vd_sticks){ .loop = loop, .store = store, .conf = conf, .done = done, .ctx = ctx };
	s->work.data = s;
	if (conf->stick_dir_count)
		s->seen = calloc(VD_STICKS_SEEN_MAX, sizeof *s->seen);
	if (conf->stick_dir_count && !s->seen)
		vd_log(VD_LOG_ERROR, "sticks are not looked for why=%s", vd_err_name(VD_ENOMEM));
}

void vd_sticks_look(struct vd_sticks *s, uint64_t now_ms)
{
	if (!s->loop || !s->seen || s->stopping)
		return;
	for (size_t i = 0; i < s->count; i++)
		s->seen[i].there = false;
	for (size_t i = 0; i < s->conf->stick_dir_count; i++)
		list(s, s->conf->stick_dir[i], now_ms);
	forget_gone(s);
	for (size_t i = 0; i < s->count && !s->busy; i++) {
		if (!s->seen[i].due || now_ms < s->seen[i].at_ms)
			continue;
		snprintf(s->path, sizeof s->path, "%s", s->seen[i].path);
		memset(&s->result, 0, sizeof s->result);
		s->seen[i].due = false;
		s->busy = uv_queue_work(s->loop, &s->work, work, after) == 0;
		s->seen[i].due = !s->busy;
	}
}

static void on_end(uv_timer_t *timer)
{
	(void)timer;
	vd_log(VD_LOG_NOTICE, "stick left in the middle; nothing is lost");
	_exit(0);
}

void vd_sticks_stop(struct vd_sticks *s)
{
	if (s->stopping)
		return;
	s->stopping = true;
	if (s->busy) {
		uv_timer_init(s->loop, &s->end);
		uv_timer_start(&s->end, on_end, VD_STICKS_END_MS, 0);
	}
}

void vd_sticks_deinit(struct vd_sticks *s)
{
	free(s->seen);
	s->seen = NULL;
}
