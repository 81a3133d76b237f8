#include "examine.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/link_stick.h"
#include "proto/err.h"
#include "store/bundle.h"
#include "store/check.h"
#include "store/file.h"
#include "store/store.h"
#include "tests/crash/secret.h"

static const char *const homes[] = { "hub", "ana" };

struct examination {
	const struct promise *promises;
	size_t count;
	char *why;
	struct vd_store *store[2];
};

static bool broken(struct examination *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool broken(struct examination *e, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(e->why, 256, format, list);
	va_end(list);
	return false;
}

static bool promised(const struct examination *e, const char *what, const char *where)
{
	for (size_t i = 0; i < e->count; i++)
		if (strcmp(e->promises[i].what, what) == 0 && strcmp(e->promises[i].where, where) == 0)
			return true;
	return false;
}

static struct vd_store *store_of(const struct examination *e, const char *home)
{
	return e->store[strcmp(home, homes[0]) != 0];
}

static int find(struct vd_store *store, const char *hex, uint64_t *arrival)
{
	struct vd_id id;
	size_t n;

	if (vd_unhex(id.b, sizeof(id.b), hex, &n) || n != sizeof(id.b))
		return VD_EFORMAT;
	return vd_store_find(store, &id, arrival);
}

static bool sound(struct examination *e, const char *home, struct vd_store **store)
{
	int rc = vd_store_open_with(home, &crash_secret, store);
	struct vd_check check;

	if (rc == VD_ENOSTORE && !promised(e, "store", home))
		return true;
	if (rc)
		return broken(e, "%s does not open: %s", home, vd_err_name(rc));
	rc = vd_check(*store, false, &check);
	if (rc || check.bad || check.derived_bad)
		return broken(e, "%s is not sound: %s, %d bad records, %d bad indexes", home, vd_err_name(rc), (int)check.bad,
		              (int)check.derived_bad);
	return true;
}

static bool is_member(struct vd_store *store)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;

	return vd_store_groups(store, groups, &count) == 0 && count == 1;
}

static bool owns(struct vd_store *store, const char *author)
{
	struct vd_bundle_groups groups;
	struct vd_identity identity;
	char hex[2 * VD_KEY_BYTES + 1];
	bool yes = false;

	if (vd_bundle_groups_load(store, &groups))
		return false;
	for (size_t i = 0; i < groups.count; i++) {
		vd_hex(hex, vd_group_identity(groups.group[i])->author, VD_KEY_BYTES);
		yes = yes || strcmp(hex, author) == 0;
	}
	vd_bundle_groups_free(&groups);
	if (yes || vd_store_next_identity(store, &identity))
		return yes;
	vd_hex(hex, identity.author, VD_KEY_BYTES);
	vd_identity_wipe(&identity);
	return strcmp(hex, author) == 0;
}

/* One with an end may stand somewhere without its body. */
static bool is_record(const struct promise *p)
{
	return strcmp(p->what, "record") == 0 || strcmp(p->what, "ending") == 0;
}

/* What every device has may have made room on a stick. */
static bool is_everywhere(struct examination *e, const char *id)
{
	bool everywhere = true;

	for (size_t i = 0; i < 2 && everywhere; i++) {
		struct vd_buf raw = { 0 };
		struct vd_record r;
		uint64_t arrival;

		everywhere = e->store[i] && find(e->store[i], id, &arrival) == 0 && vd_store_read(e->store[i], arrival, &raw, &r, NULL) == 0 && !r.stub;
		vd_buf_deinit(&raw);
	}
	return everywhere;
}

/* Every record promised to be at `home` before promise number `until`. */
static bool holds(struct examination *e, const struct vd_arrivals *held, const char *home, size_t until, const char *place, bool may_be_full)
{
	uint64_t arrival;

	for (size_t i = 0; i < until; i++) {
		const struct promise *p = &e->promises[i];

		bool ends = strcmp(p->what, "ending") == 0;

		if (!is_record(p) || strcmp(p->where, home) != 0)
			continue;
		if (find(store_of(e, home), p->detail, &arrival) ||
		    (!(ends ? vd_arrivals_held : vd_arrivals_whole)(held, arrival) && !(may_be_full && is_everywhere(e, p->detail))))
			return broken(e, "%s lacks record %.12s", place, p->detail);
	}
	return true;
}

/* A sealed file that stands under its name is whole. Adds what it holds of what `store` holds. */
static bool whole(struct examination *e, struct vd_store *store, const char *path, struct vd_arrivals *held)
{
	struct vd_bundle_stats stats;
	int rc = vd_bundle_merge(store, path, true, held, &stats);

	return rc ? broken(e, "%s: %s", path, vd_err_name(rc)) : true;
}

/* The same of a segment, which may be under keys that only the other store has yet. */
static bool segment_whole(struct examination *e, struct vd_store *store, const char *path, struct vd_arrivals *held)
{
	struct vd_bundle_stats stats;
	int rc = vd_bundle_merge(store, path, true, held, &stats);

	for (size_t i = 0; i < 2 && rc == VD_EKEY; i++)
		if (e->store[i] && e->store[i] != store)
			rc = vd_bundle_merge(e->store[i], path, true, NULL, &stats);
	return rc ? broken(e, "%s: %s", path, vd_err_name(rc)) : true;
}

static bool stick_whole(struct examination *e, struct vd_store *store, struct vd_arrivals *held)
{
	DIR *dir = opendir("usb/cache");
	struct dirent *entry;
	bool ok = true;

	while (dir && ok && (entry = readdir(dir))) {
		char path[512];
		size_t n = strlen(entry->d_name);

		snprintf(path, sizeof(path), "usb/cache/%s", entry->d_name);
		if (n == 36 && strcmp(entry->d_name + 32, ".bin") == 0)
			ok = segment_whole(e, store, path, held);
	}
	if (dir)
		closedir(dir);
	return ok;
}

/* A note and the records it speaks of were written in one commit: never the one without the other. */
static bool note_holds(struct examination *e, const char *home, bool must_be)
{
	struct vd_buf note = { 0 };
	struct vd_id id = { { 0 } };
	uint64_t arrival;
	int rc = vd_store_note(store_of(e, home), "crash", vd_slice_str("newest"), &note);
	bool ok = !must_be && rc == VD_ENOTFOUND;

	if (rc == 0 && note.n == sizeof(id.b)) {
		memcpy(id.b, note.p, sizeof(id.b));
		ok = vd_store_find(store_of(e, home), &id, &arrival) == 0;
	}
	vd_buf_deinit(&note);
	return ok || broken(e, "%s: the note does not fit its records", home);
}

static bool keep(struct examination *e, size_t number)
{
	const struct promise *p = &e->promises[number];
	struct vd_store *store = store_of(e, p->where);
	struct vd_arrivals held = { 0 };
	uint64_t arrival;
	bool ok = true;

	if (strcmp(p->what, "identity") == 0) {
		ok = owns(store, p->detail) || broken(e, "%s lost the identity it showed", p->where);
	} else if (strcmp(p->what, "member") == 0) {
		ok = is_member(store) || broken(e, "%s is not in the group", p->where);
	} else if (is_record(p)) {
		ok = find(store, p->detail, &arrival) == 0 || broken(e, "%s lacks record %.12s", p->where, p->detail);
	} else if (strcmp(p->what, "note") == 0) {
		ok = note_holds(e, p->where, true);
	} else if (strcmp(p->what, "sealed") == 0) {
		ok = !vd_store_readable(store) || broken(e, "%s is not sealed", p->where);
	} else if (strcmp(p->what, "file") == 0) {
		ok = access(p->where, R_OK) == 0 || broken(e, "%s is not there", p->where);
	} else if (strcmp(p->what, "bundle") == 0) {
		ok = whole(e, e->store[0], p->where, &held) && holds(e, &held, homes[0], number, p->where, false);
	} else if (strcmp(p->what, "stick") == 0) {
		ok = stick_whole(e, store, &held) && holds(e, &held, p->where, number, "the stick", true);
	}
	vd_arrivals_deinit(&held);
	return ok;
}

static bool in_file(const char *path, const uint8_t *bytes, size_t n)
{
	struct vd_buf file = { 0 };
	bool is = !vd_file_read(path, (size_t)1 << 30, &file) && memmem(file.p, file.n, bytes, n);

	vd_buf_deinit(&file);
	return is;
}

/* Once a store that is sealed has been opened, nothing readable is left of the time before; and of what was begun nothing at all. */
static bool nothing_left(struct examination *e, const char *home, struct vd_store *store)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	char path[512];
	size_t count;
	DIR *dir;
	struct dirent *entry;
	bool ok = true;

	snprintf(path, sizeof(path), "%s/sealing", home);
	if (access(path, F_OK) == 0)
		return broken(e, "%s: what sealing began is still there", home);
	if (vd_store_readable(store) || vd_store_groups(store, groups, &count) || !count)
		return true;
	dir = opendir(home);
	while (dir && ok && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%s/%s", home, entry->d_name);
		ok = !in_file(path, groups[0], VD_GROUP_BYTES) || broken(e, "%s can be read", path);
	}
	if (dir)
		closedir(dir);
	return ok;
}

static bool files_whole(struct examination *e)
{
	uint8_t group[VD_GROUP_BYTES], grant[VD_ID_BYTES];
	struct vd_batch control = { 0 };
	int rc;

	for (size_t i = 0; i < 2; i++)
		if (e->store[i] && is_member(e->store[i]) && !stick_whole(e, e->store[i], NULL))
			return false;
	if (e->store[0] && access("out.vb", F_OK) == 0 && !whole(e, e->store[0], "out.vb", NULL))
		return false;
	if (!e->store[1] || access("welcome", F_OK) != 0)
		return true;
	rc = vd_welcome_read(e->store[1], "welcome", group, grant, &control);
	vd_batch_deinit(&control);
	return rc ? broken(e, "welcome: %s", vd_err_name(rc)) : true;
}

/* Life goes on: a record written now is there afterwards. */
static bool writes(struct examination *e, const char *home, struct vd_store **store)
{
	struct vd_field field = { vd_slice_str("text"), { .type = VD_MP_STR, .bytes = vd_slice_str("after the cut") } };
	struct vd_draft draft = { .lane = VD_LANE_NORMAL, .audience = VD_AUDIENCE_MEMBERS, .now_ms = UINT64_C(1800000000000) };
	struct vd_bundle_groups groups;
	struct vd_buf content = { 0 };
	struct vd_write *w;
	struct vd_id id;
	uint64_t arrival;
	int rc;

	if (!*store || !is_member(*store))
		return true;
	rc = vd_bundle_groups_load(*store, &groups);
	if (!rc)
		rc = vd_content_encode(vd_slice_str("message"), &field, 1, &content);
	if (!rc)
		rc = vd_write_begin(*store, &w);
	if (!rc) {
		draft.content = vd_buf_slice(&content);
		rc = vd_write_own(w, groups.group[0], &draft, &id);
		if (rc)
			vd_write_abort(w);
		else
			rc = vd_write_commit(w);
	}
	vd_buf_deinit(&content);
	vd_bundle_groups_free(&groups);
	vd_store_close(*store);
	*store = NULL;
	if (!rc)
		rc = vd_store_open_with(home, &crash_secret, store);
	if (!rc)
		rc = vd_store_find(*store, &id, &arrival);
	return rc ? broken(e, "%s takes no records any more: %s", home, vd_err_name(rc)) : true;
}

static bool visits(struct examination *e, size_t i)
{
	struct vd_stick_result r = { 0 };
	int rc = vd_stick_sync(e->store[i], "usb", &r);

	if (rc || !r.complete || !r.safe_to_remove || r.segments_bad || r.segments_torn || r.chunks_bad || r.declined)
		return broken(e, "the next visit of %s: %s, complete %d, safe %d, %d bad, %d torn", homes[i], vd_err_name(rc), r.complete,
		              r.safe_to_remove, (int)r.segments_bad, (int)r.segments_torn);
	return true;
}

/* Twice each, and both have all that either had. */
static bool goes_on(struct examination *e)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count;
	bool ok = true;

	if (!e->store[0] || !e->store[1] || !is_member(e->store[0]) || !is_member(e->store[1]) || access("usb", F_OK) != 0)
		return true;
	for (size_t i = 0; i < 4 && ok; i++)
		ok = visits(e, i % 2);
	if (ok && vd_store_groups(e->store[0], groups, &count))
		return broken(e, "no group");
	for (uint8_t lane = 0; lane < VD_LANES && ok; lane++) {
		struct vd_lane_state a, b;

		ok = vd_store_lane(e->store[0], groups[0], lane, &a, NULL, 0) == 0 && vd_store_lane(e->store[1], groups[0], lane, &b, NULL, 0) == 0 &&
		     vd_digest_eq(&a.digest, &b.digest) && vd_digest_eq(&a.wanted, &b.wanted);
		if (!ok)
			broken(e, "after the next visits lane %d is not the same", lane);
	}
	for (size_t i = 0; i < e->count && ok; i++) {
		const struct promise *p = &e->promises[i];
		uint64_t arrival;

		if (is_record(p) && (find(e->store[0], p->detail, &arrival) || find(e->store[1], p->detail, &arrival)))
			ok = broken(e, "after the next visits record %.12s is not everywhere", p->detail);
	}
	return ok;
}

bool examine(const struct promise *promises, size_t count, char why[256])
{
	struct examination e = { .promises = promises, .count = count, .why = why };
	bool ok = true;

	for (size_t i = 0; i < 2 && ok; i++)
		ok = sound(&e, homes[i], &e.store[i]);
	for (size_t i = 0; i < count && ok; i++)
		ok = keep(&e, i);
	for (size_t i = 0; i < 2 && ok; i++)
		ok = !e.store[i] || note_holds(&e, homes[i], false);
	for (size_t i = 0; i < 2 && ok; i++)
		ok = !e.store[i] || nothing_left(&e, homes[i], e.store[i]);
	if (ok)
		ok = files_whole(&e);
	for (size_t i = 0; i < 2 && ok; i++)
		ok = writes(&e, homes[i], &e.store[i]);
	if (ok)
		ok = goes_on(&e);
	vd_store_close(e.store[0]);
	vd_store_close(e.store[1]);
	return ok;
}
