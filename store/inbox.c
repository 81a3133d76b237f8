#include "inbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bundle.h"
#include "file.h"
#include "shares.h"
#include "proto/err.h"
#include "proto/hash.h"

enum { ID = 2 * VD_SEGMENT_ID_BYTES, NAME = ID + 4, STICK_SLACK_BYTES = 256 * 1024, COPY_BYTES = 65536 };

static const char kept_name[] = "kept";
enum state { NEW, OLD, HAD };
static const char *const endings[] = { ".bin", ".old", ".had" };

struct item {
	char id[ID + 1];
	enum state state;
	uint64_t size;
	struct timespec written;
	bool gone, pending;
};

struct list {
	struct item *p;
	size_t count, room, odd;
};

struct inbox {
	char *path;
	int fd;                 /* locked as long as it is open */
	uint64_t kept_bytes;    /* of its disk, free */
	struct list items;
};

static int open_inbox(const char *home, bool make, struct inbox *box)
{
	struct stat st;

	*box = (struct inbox){ .fd = -1 };
	if (stat(home, &st) || !S_ISDIR(st.st_mode))
		return VD_ENOSTORE;
	if (asprintf(&box->path, "%s/inbox", home) < 0) {
		box->path = NULL;
		return VD_ENOMEM;
	}
	if (make && !mkdir(box->path, 0700)) {
		int rc = vd_file_sync_folder(home);

		if (rc)
			return rc;
	}
	box->fd = open(box->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (box->fd < 0)
		return vd_file_errno(errno);
	if (flock(box->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? VD_EBUSY : VD_EIO;
	return VD_OK;
}

static void close_inbox(struct inbox *box)
{
	if (box->fd >= 0)
		close(box->fd);
	free(box->path);
	free(box->items.p);
}

static int add(struct list *l, const struct item *item)
{
	if (!vd_room(&l->p, l->count, &l->room, 64, sizeof(*l->p)))
		return VD_ENOMEM;
	l->p[l->count++] = *item;
	return VD_OK;
}

/* Newest first. */
static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct item *)a)->written, *y = &((const struct item *)b)->written;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	if (x->tv_nsec != y->tv_nsec)
		return x->tv_nsec < y->tv_nsec ? 1 : -1;
	return strcmp(((const struct item *)a)->id, ((const struct item *)b)->id);
}

/* `ours`: with all three endings; else what a stick has, of sizes that segments have. */
static int read_list(const char *folder, bool ours, struct list *out)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int rc = VD_OK;

	if (!dir)
		return vd_file_errno(errno);
	for (size_t looked = 0; !rc && looked < VD_INBOX_LOOK_MAX && (entry = readdir(dir)); looked++) {
		const char *name = entry->d_name;
		struct item item = { .gone = false };
		struct stat st;
		uint64_t chunks;
		size_t ending = 0;

		if (strlen(name) != NAME || strspn(name, "0123456789abcdef") != ID)
			continue;
		while (ending < 3 && strcmp(name + ID, endings[ending]) != 0)
			ending++;
		if (ending == 3 || (ending && !ours) || fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
			continue;
		memcpy(item.id, name, ID);
		item.state = (enum state)ending;
		item.size = (uint64_t)st.st_size;
		item.written = st.st_mtim;
		if (item.state != HAD && !vd_sealed_layout(item.size, &chunks))
			out->odd++;
		else
			rc = add(out, &item);
	}
	closedir(dir);
	if (out->count)
		qsort(out->p, out->count, sizeof(*out->p), by_age);
	return rc;
}

/* Under what name it is kept that it was had. The name on the stick is random: nobody finds it from this one. Locked, there is no key to turn it with. */
static void had_id(const char *id, char out[ID + 1])
{
	static const uint8_t anyone[VD_KEY_BYTES];
	struct vd_slice parts[] = { vd_slice("had", 4), vd_slice(id, ID) };
	uint8_t hash[ID / 2];

	vd_hash(VD_HASH_INDEX, vd_slice(anyone, sizeof(anyone)), hash, sizeof(hash), parts, 2);
	vd_hex(out, hash, sizeof(hash));
}

static struct item *find(const struct list *l, const char *id)
{
	char had[ID + 1];

	had_id(id, had);
	for (size_t i = 0; i < l->count; i++) {
		if (!l->p[i].gone && !memcmp(l->p[i].id, l->p[i].state == HAD ? had : id, ID))
			return &l->p[i];
	}
	return NULL;
}

static void name_of(const char *id, enum state state, char name[NAME + 1])
{
	memcpy(name, id, ID);
	memcpy(name + ID, endings[state], 5);
}

static char *path_in(const char *folder, const char *id, enum state state)
{
	char name[NAME + 1], *path;

	name_of(id, state, name);
	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* --- room --- */

int vd_inbox_keep_free(const char *home, uint64_t bytes)
{
	char *folder, *path = NULL;
	struct vd_file_out *file = NULL;
	uint8_t value[8];
	int rc = VD_ENOMEM;

	if (asprintf(&folder, "%s/inbox", home) < 0)
		return rc;
	if (asprintf(&path, "%s/%s", folder, kept_name) < 0)
		path = NULL;
	else if (bytes == (uint64_t)VD_RESERVE_MIB << 20)
		rc = unlink(path) && errno != ENOENT ? vd_file_errno(errno) : VD_OK;
	else if (mkdir(folder, 0700) && errno != EEXIST)
		rc = vd_file_errno(errno);
	else
		rc = vd_file_create(path, &file);
	if (file) {
		vd_set_u64(value, bytes);
		rc = vd_file_write(file, vd_slice(value, sizeof(value)));
		if (rc)
			vd_file_abort(file);
		else
			rc = vd_file_commit(file, false);
	}
	free(path);
	free(folder);
	return rc;
}

/* As everywhere: of a small medium less. */
static uint64_t small(const struct inbox *box, uint64_t bytes)
{
	struct statvfs fs;
	uint64_t most = !statvfs(box->path, &fs) && fs.f_blocks ? (uint64_t)fs.f_blocks * fs.f_frsize / VD_RESERVE_SMALL_PART : UINT64_MAX;

	return bytes < most ? bytes : most;
}

static int find_kept(struct inbox *box)
{
	struct vd_buf value = { 0 };
	char *path;
	int rc = asprintf(&path, "%s/%s", box->path, kept_name) < 0 ? VD_ENOMEM : VD_OK;

	if (rc)
		return rc;
	rc = vd_file_read(path, 8, &value);
	box->kept_bytes = small(box, !rc && value.n == 8 ? vd_get_u64(value.p) : (uint64_t)VD_RESERVE_MIB << 20);
	vd_buf_deinit(&value);
	free(path);
	return rc == VD_ENOMEM ? rc : VD_OK;
}

static uint64_t free_in(const char *folder, uint64_t spare)
{
	struct statvfs fs;
	uint64_t bytes;

	if (statvfs(folder, &fs))
		return 0;
	if (fs.f_blocks == 0) /* some drivers do not tell */
		return UINT64_MAX;
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return bytes > spare ? bytes - spare : 0;
}

static void totals(const struct list *l, uint64_t *bytes, size_t *files)
{
	*bytes = *files = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (l->p[i].gone || l->p[i].state == HAD)
			continue;
		*bytes += l->p[i].size;
		++*files;
	}
}

static void drop(struct inbox *box, struct item *item)
{
	char name[NAME + 1];

	name_of(item->id, item->state, name);
	item->gone = unlinkat(box->fd, name, 0) == 0 || errno == ENOENT;
}

/* What has not been looked at is never given up for something new. */
static bool make_room(struct inbox *box, uint64_t size, bool *at_reserve)
{
	for (;;) {
		struct item *oldest = NULL;
		uint64_t bytes;
		size_t files;

		totals(&box->items, &bytes, &files);
		*at_reserve = false;
		if (size > VD_INBOX_BYTES_MAX)
			return false;
		*at_reserve = bytes + size <= VD_INBOX_BYTES_MAX && files < VD_INBOX_FILES_MAX;
		if (*at_reserve && free_in(box->path, box->kept_bytes) >= size)
			return true;
		for (size_t i = 0; i < box->items.count; i++)
			if (!box->items.p[i].gone && box->items.p[i].state == OLD)
				oldest = &box->items.p[i];
		if (!oldest)
			return false;
		drop(box, oldest);
		if (!oldest->gone)
			return false;
	}
}

/* Of what was had only the names are kept, and of those the latest. */
static void trim_had(struct inbox *box)
{
	size_t had = 0;

	for (size_t i = 0; i < box->items.count; i++) {
		if (!box->items.p[i].gone && box->items.p[i].state == HAD && ++had > VD_INBOX_FILES_MAX)
			drop(box, &box->items.p[i]);
	}
}

/* --- copying --- */

static int copy_bytes(int from, uint64_t size, struct vd_file_out *to)
{
	uint8_t *bytes = malloc(COPY_BYTES);
	int rc = bytes ? VD_OK : VD_ENOMEM;
	uint64_t done = 0;

	while (!rc && done < size) {
		size_t want = size - done < COPY_BYTES ? (size_t)(size - done) : COPY_BYTES;
		ssize_t n = read(from, bytes, want);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			rc = n ? vd_file_errno(errno) : VD_ETORN; /* it got shorter under us */
		else
			rc = vd_file_write(to, vd_slice(bytes, (size_t)n));
		done += n > 0 ? (uint64_t)n : 0;
	}
	free(bytes);
	return rc;
}

/* *spoilt: what was to be read is the trouble, and others may be fine. */
static int copy(const char *from, const char *to, uint64_t size, bool share, bool *spoilt)
{
	struct vd_file_out *out;
	struct stat st;
	int rc, fd = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	*spoilt = true;
	if (fd < 0)
		return vd_file_errno(errno);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		close(fd);
		return VD_ETORN;
	}
	rc = vd_file_create(to, &out);
	if (rc) {
		*spoilt = false;
		close(fd);
		return rc;
	}
	if (share)
		vd_file_share(out);
	rc = copy_bytes(fd, size, out);
	close(fd);
	*spoilt = rc == VD_ETORN || rc == VD_EIO;
	if (rc) {
		vd_file_abort(out);
		return rc;
	}
	return vd_file_commit(out, true);
}

/* Takes one over; a full medium and a spoilt file do not keep us from the others. */
static int carry(const char *from_folder, const struct item *item, const char *to_folder, bool share, uint64_t *count, uint64_t *bytes, uint64_t *without_room)
{
	char *from = path_in(from_folder, item->id, item->state), *to = path_in(to_folder, item->id, NEW);
	bool spoilt = false;
	int rc = from && to ? copy(from, to, item->size, share, &spoilt) : VD_ENOMEM;

	free(from);
	free(to);
	if (!rc) {
		++*count;
		*bytes += item->size;
	} else if (rc == VD_ENOSPACE) {
		++*without_room;
	} else if (!spoilt) {
		return rc;
	}
	return rc == VD_ENOMEM ? rc : VD_OK;
}

static int receive(struct inbox *box, const char *cache, const struct list *stick, struct vd_inbox_result *r)
{
	int rc = VD_OK;

	for (size_t i = 0; i < stick->count && !rc; i++) {
		struct item item = stick->p[i];
		uint64_t before = r->received;
		bool at_reserve = false;

		if (find(&box->items, item.id))
			continue;
		if (!make_room(box, item.size, &at_reserve)) {
			r->left++;
			r->at_reserve |= at_reserve;
			continue;
		}
		rc = carry(cache, &item, box->path, false, &r->received, &r->bytes_in, &r->left);
		if (!rc && r->received > before)
			rc = add(&box->items, &item);
	}
	return rc;
}

static int make_cache(const char *dir, const char *cache)
{
	if (mkdir(cache, 0777))
		return errno == EEXIST ? VD_OK : vd_file_errno(errno);
	/* As link_stick does: the next machine knows us by another number. */
	if (chmod(cache, 01777))
		errno = 0;
	return vd_file_sync_folder(dir);
}

static int give(struct inbox *box, const char *dir, const char *cache, const struct list *stick, size_t from, struct vd_inbox_result *r)
{
	bool made = false;
	int rc = VD_OK;

	/* Only what was here before: the rest is from this very stick. */
	for (size_t i = 0; i < from && !rc; i++) {
		const struct item *item = &box->items.p[i];

		if (item->gone || item->state == HAD || find(stick, item->id))
			continue;
		if (!made)
			rc = make_cache(dir, cache);
		made = true;
		if (rc)
			break;
		if (free_in(cache, STICK_SLACK_BYTES) < item->size)
			r->unsent++;
		else
			rc = carry(box->path, item, cache, true, &r->sent, &r->bytes_out, &r->unsent);
	}
	return rc;
}

static int visit(struct inbox *box, const char *dir, const char *cache, struct list *stick, struct vd_inbox_result *r)
{
	struct stat st;
	size_t before;
	bool there = !lstat(cache, &st);
	int rc = read_list(box->path, true, &box->items);

	if (there && !S_ISDIR(st.st_mode)) /* a link would lead us elsewhere */
		return VD_EINVAL;
	vd_file_sweep(box->path, NULL);
	before = box->items.count;
	if (!rc && there)
		rc = read_list(cache, false, stick);
	r->odd = stick->odd;
	if (!rc)
		rc = find_kept(box);
	r->reserve_bytes = box->kept_bytes;
	if (!rc)
		rc = receive(box, cache, stick, r);
	r->read_only = access(there ? cache : dir, W_OK) != 0;
	r->safe_to_remove = !rc;
	if (rc || r->read_only)
		return rc;
	r->safe_to_remove = false;
	rc = give(box, dir, cache, stick, before, r);
	r->safe_to_remove = !rc;
	return rc;
}

int vd_inbox_exchange(const char *home, const char *stick_dir, struct vd_inbox_result *r)
{
	struct list stick = { 0 };
	struct inbox box;
	struct stat st;
	char *cache = NULL;
	int rc;

	*r = (struct vd_inbox_result){ 0 };
	rc = open_inbox(home, true, &box);
	if (!rc && (stat(stick_dir, &st) || !S_ISDIR(st.st_mode)))
		rc = VD_ENOTFOUND;
	if (!rc && asprintf(&cache, "%s/cache", stick_dir) < 0) {
		cache = NULL;
		rc = VD_ENOMEM;
	}
	if (!rc)
		rc = visit(&box, stick_dir, cache, &stick, r);
	free(stick.p);
	free(cache);
	close_inbox(&box);
	return rc || (!r->left && !r->unsent) ? rc : VD_ENOSPACE;
}

/* --- taking in --- */

/* It was looked at, and this is what is left of it. */
static int become(struct inbox *box, struct item *item, enum state state)
{
	char now[NAME + 1], then[NAME + 1], had[ID + 1];

	if (item->state == state)
		return VD_OK;
	name_of(item->id, item->state, now);
	name_of(item->id, state, then);
	if (state == HAD) {
		had_id(item->id, had);
		name_of(had, HAD, then);
		int fd = openat(box->fd, then, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

		if (fd >= 0) /* without it, it comes once more */
			close(fd);
		drop(box, item);
		return item->gone ? VD_OK : VD_EIO;
	}
	if (renameat(box->fd, now, box->fd, then))
		return vd_file_errno(errno);
	item->state = state;
	return VD_OK;
}

static int take_file(struct inbox *box, struct vd_store *s, struct vd_bundle_groups *groups, struct item *item, struct vd_inbox_taken *out)
{
	char *path = path_in(box->path, item->id, item->state);
	struct vd_bundle_stats stats;
	int rc;

	if (!path)
		return VD_ENOMEM;
	rc = vd_bundle_merge_into(s, groups, path, false, NULL, NULL, &stats);
	free(path);
	out->received += stats.merge.fresh + stats.merge.filled;
	switch (rc) {
	case VD_OK:
	case VD_ETORN:
	case VD_EDAMAGED:
		/* What may become ours when more has come stays. */
		item->pending = stats.merge.pooled || stats.merge.declined || stats.merge.refused_why[-VD_EAUTHOR] || stats.merge.refused_why[-VD_ESIGNATURE];
		if (item->pending)
			return VD_OK;
		out->files++;
		return become(box, item, HAD);
	case VD_EKEY:
	case VD_EGROUP:
	case VD_EVERSION:
		item->pending = true;
		return VD_OK;
	case VD_EFORMAT:
	case VD_ENOTFOUND:
		drop(box, item);
		return VD_OK;
	default: return rc;
	}
}

static size_t count_keys(const struct vd_bundle_groups *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < groups->count; i++)
		count += vd_group_epoch_count(groups->group[i]);
	return count;
}

static int take_all(struct inbox *box, struct vd_store *s, struct vd_bundle_groups *groups, const atomic_bool *stop, struct vd_inbox_taken *out)
{
	uint64_t before;
	size_t keys;
	int rc = VD_OK;

	/* They come in no order: one may hold the key, or the grant, that another waits for. */
	do {
		before = out->received;
		keys = count_keys(groups);
		for (size_t i = 0; i < box->items.count && !rc; i++) {
			struct item *item = &box->items.p[i];

			if (stop && atomic_load(stop))
				return VD_OK;
			if (!item->gone && item->state != HAD)
				rc = take_file(box, s, groups, item, out);
		}
	} while (!rc && (out->received > before || count_keys(groups) > keys));
	for (size_t i = 0; i < box->items.count && !rc; i++) {
		struct item *item = &box->items.p[i];

		if (item->gone || !item->pending)
			continue;
		out->kept++;
		rc = become(box, item, OLD);
	}
	return rc;
}

int vd_inbox_take_in(struct vd_store *s, const atomic_bool *stop, struct vd_inbox_taken *out)
{
	struct vd_bundle_groups groups = { .count = 0 };
	struct vd_shares set;
	struct inbox box;
	int rc;

	*out = (struct vd_inbox_taken){ 0 };
	rc = open_inbox(vd_store_home(s), false, &box);
	if (rc == VD_ENOTFOUND) {
		close_inbox(&box);
		return VD_OK;
	}
	if (!rc)
		rc = read_list(box.path, true, &box.items);
	if (!rc)
		rc = vd_bundle_groups_load(s, &groups);
	if (!rc)
		rc = take_all(&box, s, &groups, stop, out);
	if (!rc) {
		trim_had(&box);
		if (fsync(box.fd) && errno != EINVAL)
			rc = vd_file_errno(errno);
	}
	/* What was set by another version, or could not be written then. */
	if (!rc && !vd_shares_get(s, &set) && !find_kept(&box) && small(&box, set.reserve_bytes) != box.kept_bytes)
		(void)vd_inbox_keep_free(vd_store_home(s), set.reserve_bytes);
	vd_bundle_groups_free(&groups);
	close_inbox(&box);
	return rc;
}
