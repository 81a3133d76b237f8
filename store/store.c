#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "index.h"
#include "inside.h"
#include "lanes.h"
#include "medium.h"
#include "names.h"
#include "proto/err.h"
#include "sealing.h"

/* The value "store": u8 format ‖ device ‖ name. */
int vd_store_read_device(struct vd_store *s)
{
	struct vd_buf value = { 0 };
	struct vd_slice name;
	struct vd_rd r;
	int rc = vd_value_read(s, "store", NULL, 0, &value);

	if (rc)
		return rc == VD_ENOTFOUND ? VD_EDAMAGED : rc;
	r = vd_rd(vd_buf_slice(&value));
	if (vd_rd_u8(&r) != VD_STORE_FORMAT)
		rc = r.err ? VD_EDAMAGED : VD_EVERSION;
	vd_rd_copy(&r, s->device, sizeof(s->device));
	name = vd_rd_take(&r, r.n);
	if (!rc && (r.err || name.n > VD_DEVICE_NAME_MAX || !vd_utf8_ok(name)))
		rc = VD_EDAMAGED;
	if (!rc && name.n)
		memcpy(s->name, name.p, name.n);
	vd_buf_deinit(&value);
	return rc;
}

static int write_device(void *ctx, struct vd_store *s)
{
	const char *name = ctx;
	struct vd_buf value = { 0 };
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	randombytes_buf(s->device, sizeof(s->device));
	vd_buf_put_u8(&value, VD_STORE_FORMAT);
	vd_buf_put(&value, s->device, sizeof(s->device));
	vd_buf_put_slice(&value, vd_slice_str(name));
	if (value.failed)
		w->err = VD_ENOMEM;
	vd_effects_value(&w->effects, s, "store", NULL, 0, vd_buf_slice(&value));
	rc = vd_write_end(w);
	vd_buf_deinit(&value);
	return rc;
}

/* The vault is the store's from now on, also when this fails. */
static int store_new(const char *home, const char *folder, bool create, struct vd_vault *vault, struct vd_store **out)
{
	struct vd_store *s = calloc(1, sizeof(*s));
	int rc = VD_ENOMEM;

	if (!s) {
		vd_vault_free(vault);
		return rc;
	}
	pthread_mutex_init(&s->workers_mutex, NULL);
	pthread_mutex_init(&s->lately_mutex, NULL);
	s->home = strdup(home);
	s->being_made = create;
	s->vault = vault;
	if (s->home && s->vault)
		rc = vd_authors_new(&s->authors);
	if (!rc)
		rc = vd_db_open(folder, create, &s->db);
	if (rc) {
		vd_store_close(s);
		return rc;
	}
	*out = s;
	return VD_OK;
}

static int sync_folder(const char *path)
{
	int rc = VD_OK, fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return vd_file_errno(errno);
	if (fsync(fd) && errno != EINVAL) /* some file systems cannot sync a folder */
		rc = vd_file_errno(errno);
	close(fd);
	return rc;
}

/* Makes `path` and its parents, each durable in its own parent before anything is put into it. */
static int make_folders(const char *path)
{
	char part[PATH_MAX], parent[PATH_MAX];
	size_t n = strlen(path);

	if (!n || n >= sizeof(part))
		return VD_EINVAL;
	for (size_t i = 1; i <= n; i++) {
		char *slash;
		int rc;

		if (i < n && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0700)) {
			if (errno == EEXIST || errno == EISDIR)
				continue;
			return vd_file_errno(errno);
		}
		memcpy(parent, part, i + 1);
		slash = strrchr(parent, '/');
		if (slash)
			slash[slash == parent] = '\0';
		rc = sync_folder(slash ? parent : ".");
		if (rc)
			return rc;
	}
	return VD_OK;
}

/* Is `home` a folder of ours alone? */
int vd_store_check_home(const char *home)
{
	struct stat st;

	if (stat(home, &st))
		return errno == ENOENT || errno == ENOTDIR ? VD_ENOSTORE : vd_file_errno(errno);
	if (!S_ISDIR(st.st_mode))
		return VD_ENOSTORE;
	if (st.st_uid != geteuid())
		return VD_EDENIED;
	if (vd_medium_check(home, false))
		return VD_EINVAL;
	if (st.st_mode & 077)
		(void)chmod(home, 0700); /* a file system without modes cannot */
	return VD_OK;
}

static void remove_new(const char *folder)
{
	static const char *const files[] = { "data.mdb", "lock.mdb" };
	char path[PATH_MAX + 16];

	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* Is any database here, whole, broken or set aside? */
static bool any_database(const char *home)
{
	static const char start[] = "data.mdb";
	DIR *dir = opendir(home);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = !strncmp(entry->d_name, start, sizeof(start) - 1);
	if (dir)
		closedir(dir);
	return found;
}

/* The database is made whole in a folder of its own and then moved: an interrupted init leaves no store. A vault without any database is what
 * such an init left of it. */
static int make_database(const char *home, struct vd_vault *vault, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                         int (*fill)(void *ctx, struct vd_store *), void *ctx)
{
	char folder[PATH_MAX], made[PATH_MAX + 16], final[PATH_MAX + 16];
	struct vd_store *s = NULL;
	int rc;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/new", home) >= sizeof(folder)) {
		vd_vault_free(vault);
		return VD_EINVAL;
	}
	snprintf(made, sizeof(made), "%s/data.mdb", folder);
	snprintf(final, sizeof(final), "%s/data.mdb", home);
	if (!access(final, F_OK) || (vd_vault_exists(home) && any_database(home))) {
		vd_vault_free(vault);
		return VD_EEXISTS;
	}
	remove_new(folder);
	rc = mkdir(folder, 0700) ? vd_file_errno(errno) : VD_OK;
	if (!rc)
		rc = secret ? vd_vault_make(home, vault, secret, cost) : vd_vault_unmake(home);
	if (rc)
		vd_vault_free(vault);
	else
		rc = store_new(home, folder, true, vault, &s);
	if (!rc)
		rc = fill(ctx, s);
	vd_store_close(s);
	if (!rc && rename(made, final))
		rc = vd_file_errno(errno);
	if (rc && secret)
		(void)vd_vault_unmake(home); /* best effort: one without a database is in nobody's way */
	remove_new(folder);
	if (!rc)
		rc = sync_folder(home);
	return rc;
}

int vd_store_create(const char *home, const char *device_name)
{
	return vd_store_create_with(home, device_name, NULL, NULL);
}

int vd_store_create_with(const char *home, const char *device_name, const struct vd_secret *secret, const struct vd_vault_cost *cost)
{
	char name[VD_DEVICE_NAME_MAX + 1];
	size_t n = strlen(device_name);

	if (n > VD_DEVICE_NAME_MAX || !vd_utf8_ok(vd_slice_str(device_name)))
		return VD_EINVAL;
	memcpy(name, device_name, n + 1);
	return vd_store_make(home, secret ? vd_vault_new_sealed() : vd_vault_new_plain(), secret, cost, write_device, name);
}

int vd_store_make(const char *home, struct vd_vault *vault, const struct vd_secret *secret, const struct vd_vault_cost *cost,
                  int (*fill)(void *ctx, struct vd_store *), void *ctx)
{
	int fd = -1, rc = vault ? vd_medium_check_new(home) : VD_ENOMEM;

	if (!rc)
		rc = make_folders(home);
	if (!rc)
		rc = vd_store_check_home(home);
	if (!rc)
		fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (!rc && fd < 0)
		rc = vd_file_errno(errno);
	else if (!rc && flock(fd, LOCK_EX))
		rc = VD_EIO;
	/* Files of somebody else under our names: we would write over them, and a wipe would take them. */
	if (!rc && vd_names_stranger(fd))
		rc = VD_EEXISTS;
	if (!rc)
		rc = vd_sealing_finish_locked(fd);
	if (rc)
		vd_vault_free(vault);
	else
		rc = make_database(home, vault, secret, cost, fill, ctx);
	if (fd >= 0)
		close(fd);
	return rc;
}

int vd_store_make_hidden(const char *scratch, struct vd_vault *vault, struct vd_store **out)
{
	sigset_t all, before;
	char folder[PATH_MAX];
	struct stat st;
	int rc = VD_OK;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/vereda-XXXXXX", scratch) >= sizeof(folder))
		rc = VD_EINVAL;
	else if (stat(scratch, &st) || !S_ISDIR(st.st_mode))
		rc = VD_ENOSTORE;
	else if (!vault)
		rc = VD_ENOMEM;
	/* Nothing may end us between the names' being made and their being gone. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	if (!rc && !mkdtemp(folder))
		rc = vd_file_errno(errno);
	if (rc) {
		vd_vault_free(vault);
	} else {
		rc = store_new(folder, folder, true, vault, out);
		if (rc)
			remove_new(folder);
		else
			vd_db_hide((*out)->db);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int vd_store_open(const char *home, struct vd_store **out)
{
	return vd_store_open_with(home, NULL, out);
}

int vd_store_vault_of(const char *home, const struct vd_secret *secret, struct vd_vault **out)
{
	int rc = VD_EKEY;

	if (secret)
		rc = vd_vault_open_home(home, secret, out);
	else if (!vd_vault_exists(home))
		rc = VD_ENOTFOUND;
	if (rc != VD_ENOTFOUND)
		return rc;
	*out = vd_vault_new_plain();
	return *out ? VD_OK : VD_ENOMEM;
}

static int open_once(const char *home, const struct vd_secret *secret, struct vd_store **out)
{
	struct vd_store *s = NULL;
	struct vd_vault *vault;
	int rc = vd_store_vault_of(home, secret, &vault);

	if (!rc)
		rc = store_new(home, home, false, vault, &s);
	if (!rc)
		rc = vd_store_read_device(s);
	if (rc) {
		vd_store_close(s);
		return rc;
	}
	vd_lanes_heal(s);
	*out = s;
	return VD_OK;
}

/* The folder in which a store was made, or mended, and that was killed before it could remove it. */
static void sweep_new(const char *home)
{
	char folder[PATH_MAX];
	int fd;

	if ((size_t)snprintf(folder, sizeof(folder), "%s/new", home) >= sizeof(folder) || access(folder, F_OK))
		return;
	fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB)) /* else somebody is at it */
		remove_new(folder);
	if (fd >= 0)
		close(fd);
}

int vd_store_open_with(const char *home, const struct vd_secret *secret, struct vd_store **out)
{
	bool sealed;
	int rc = vd_store_check_home(home);

	if (!rc)
		rc = vd_sealing_finish(home);
	if (rc)
		return rc;
	sealed = vd_vault_exists(home);
	rc = open_once(home, secret, out);
	if (!rc)
		sweep_new(home);
	if (!rc || sealed || !vd_vault_exists(home))
		return rc;
	rc = vd_sealing_finish(home); /* somebody sealed it between two of our looks */
	return rc ? rc : open_once(home, secret, out);
}

void vd_store_close(struct vd_store *s)
{
	if (!s)
		return;
	vd_workers_free(s->workers);
	pthread_mutex_destroy(&s->workers_mutex);
	vd_reading_wipe(&s->lately);
	pthread_mutex_destroy(&s->lately_mutex);
	vd_db_close(s->db);
	vd_vault_free(s->vault);
	vd_authors_free(s->authors);
	free(s->home);
	free(s);
}

struct vd_workers *vd_store_workers(struct vd_store *s)
{
	struct vd_workers *workers;

	pthread_mutex_lock(&s->workers_mutex);
	if (!s->workers)
		s->workers = vd_workers_new(vd_workers_useful());
	workers = s->workers;
	pthread_mutex_unlock(&s->workers_mutex);
	return workers;
}

void vd_store_on_broken(void (*say)(void))
{
	vd_db_on_broken(say);
}

const char *vd_store_home(const struct vd_store *s)
{
	return s->home;
}

void vd_store_device(const struct vd_store *s, uint8_t device[VD_STORE_DEVICE_BYTES],
                     char name[VD_DEVICE_NAME_MAX + 1])
{
	memcpy(device, s->device, VD_STORE_DEVICE_BYTES);
	memcpy(name, s->name, VD_DEVICE_NAME_MAX + 1);
}

void vd_store_engine(char out[VD_STORE_ENGINE_TEXT])
{
	int major, minor, patch;

	mdb_version(&major, &minor, &patch);
	snprintf(out, VD_STORE_ENGINE_TEXT, "%d.%d.%d", major, minor, patch);
}

bool vd_store_readable(const struct vd_store *s)
{
	return vd_vault_readable(s->vault);
}

const struct vd_vault *vd_store_vault(const struct vd_store *s)
{
	return s->vault;
}

int vd_store_size(struct vd_store *s, uint64_t *records, uint64_t *bytes)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_lanes_count(s, txn, VD_ANY_LANE, records);
	vd_db_done(s->db, txn);
	if (!rc && vd_vault_forgotten(s->vault))
		rc = VD_EKEY; /* keys made since then name nothing */
	*bytes = vd_db_bytes(s->db);
	return rc;
}

int vd_store_latest(struct vd_store *s, uint64_t *arrival)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_latest(s, txn, arrival);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_store_read(struct vd_store *s, uint64_t arrival, struct vd_buf *raw, struct vd_record *out,
                  uint64_t *received_ms)
{
	struct vd_stored stored;
	int rc;

	vd_buf_reset(raw);
	rc = vd_stored_read(s, arrival, raw, &stored);
	if (rc)
		return rc;
	if (vd_record_decode(vd_buf_slice(raw), out) || memcmp(out->id.b, stored.id.b, VD_ID_BYTES))
		return VD_EDAMAGED;
	if (received_ms)
		*received_ms = stored.received_ms;
	return VD_OK;
}

int vd_store_gone(struct vd_store *s, uint64_t arrival, enum vd_gone *out)
{
	struct vd_buf raw = { 0 };
	struct vd_stored stored;
	int rc = vd_stored_read(s, arrival, &raw, &stored);

	if (!rc)
		*out = !(stored.flags & VD_STORED_STUB)     ? VD_GONE_NOT :
		       stored.flags & VD_STORED_UNWANTED    ? VD_GONE_REDACTED :
		       stored.flags & VD_STORED_EXPIRED     ? VD_GONE_EXPIRED :
		       stored.flags & VD_STORED_PRUNED      ? VD_GONE_PRUNED :
		       stored.flags & VD_STORED_WAITING     ? VD_GONE_WAITS :
		                                              VD_GONE_YET;
	vd_buf_wipe(&raw);
	return rc;
}

int vd_store_find(struct vd_store *s, const struct vd_id *id, uint64_t *arrival)
{
	struct vd_membership in[VD_STORE_GROUPS_MAX];
	struct vd_reading reading = { 0 };
	struct vd_stored stored;
	MDB_cursor *cursor;
	size_t count;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_memberships(s, txn, in, &count);
	if (!rc)
		rc = vd_db_err(mdb_cursor_open(txn, vd_db_table(s->db, VD_TABLE_ITEMS), &cursor));
	if (!rc) {
		rc = VD_ENOTFOUND;
		for (size_t i = 0; i < count && rc == VD_ENOTFOUND; i++)
			rc = vd_find_stored(s, txn, cursor, &in[i], id, &reading, &stored);
		mdb_cursor_close(cursor);
	}
	vd_db_done(s->db, txn);
	vd_reading_wipe(&reading);
	if (!rc)
		*arrival = stored.arrival;
	return rc;
}

static int read_lane(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_lane_state *state,
                     struct vd_symbol *symbols, size_t n)
{
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_lane_read(s, txn, group, lane, state, symbols, symbols ? n : 0);
	if (!rc)
		rc = vd_latest(s, txn, &state->latest);
	vd_db_done(s->db, txn);
	return rc;
}

int vd_store_lane(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint8_t lane, struct vd_lane_state *state,
                  struct vd_symbol *symbols, size_t n)
{
	int rc;

	if (lane >= VD_LANES || (symbols && n > VD_SKETCH_SYMBOLS))
		return VD_EINVAL;
	rc = read_lane(s, group, lane, state, symbols, n);
	if (rc == VD_EDAMAGED && !vd_lane_heal(s, group, lane))
		rc = read_lane(s, group, lane, state, symbols, n);
	return rc;
}

int vd_store_walk(struct vd_store *s, const uint8_t *group, uint8_t lane, uint64_t after,
                  int (*visit)(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw), void *ctx)
{
	struct vd_page page = { .last = after };
	bool damaged = false;
	uint64_t latest;
	int rc = vd_store_latest(s, &latest);

	/* What comes while we walk is not part of it: arrival numbers only grow, so that is all a snapshot
	 * would give. */
	while (!rc && !page.end) {
		rc = vd_page_read(s, group, lane, page.last, VD_PAGE_RECORDS, true, &page);
		for (size_t i = 0; i < page.count && !rc; i++) {
			const struct vd_page_entry *entry = &page.entries[i];

			if (entry->arrival > latest) {
				page.end = true;
				break;
			}
			if (vd_page_sound(&page, entry)) /* the others must not suffer */
				rc = visit(ctx, entry->arrival, entry->received_ms, vd_page_raw(&page, entry));
			else
				damaged = true;
		}
	}
	vd_page_deinit(&page);
	return rc || !damaged ? rc : VD_EDAMAGED;
}

int vd_store_note(struct vd_store *s, const char *use, struct vd_slice key, struct vd_buf *out)
{
	struct vd_slice parts[] = { vd_slice(use, strlen(use) + 1), key };

	return vd_value_read(s, "note", parts, 2, out);
}

/* What stands in front of what is noted of a segment, so that one which holds nothing is known too: by how many repairs, but for whole rounds. */
static int repair_mark(struct vd_store *s, uint8_t *out)
{
	uint64_t repairs;
	MDB_txn *txn;
	int rc = vd_db_read(s->db, &txn);

	if (rc)
		return rc;
	rc = vd_repairs(s, txn, &repairs);
	vd_db_done(s->db, txn);
	*out = (uint8_t)(1 + repairs % 255);
	return rc;
}

int vd_store_segment_known(struct vd_store *s, const char *name, struct vd_buf *arrivals, bool *before)
{
	struct vd_slice part = vd_slice_str(name);
	struct vd_buf value = { 0 };
	uint8_t mark = 0;
	int rc = vd_value_read(s, "segment", &part, 1, &value);

	if (!rc && before) {
		rc = repair_mark(s, &mark);
		*before = !value.n || value.p[0] != mark;
	}
	if (!rc && arrivals) {
		vd_buf_put_slice(arrivals, vd_slice(value.p + 1, value.n ? value.n - 1 : 0));
		rc = vd_buf_check(arrivals);
	}
	vd_buf_deinit(&value);
	return rc;
}

int vd_store_segment_learn(struct vd_store *s, const char *name, struct vd_slice arrivals)
{
	struct vd_slice part = vd_slice_str(name);
	struct vd_buf value = { 0 };
	struct vd_write *w;
	uint8_t mark;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = repair_mark(s, &mark); /* nobody repairs meanwhile */
	if (rc) {
		vd_write_abort(w);
		return rc;
	}
	vd_buf_put_u8(&value, mark);
	vd_buf_put_slice(&value, arrivals);
	if (value.failed)
		w->err = VD_ENOMEM;
	w->takes_in = true;
	vd_effects_value(&w->effects, s, "segment", &part, 1, vd_buf_slice(&value));
	rc = vd_write_end(w);
	vd_buf_deinit(&value);
	return rc;
}
