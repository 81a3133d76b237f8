#include "stick_segments.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/err.h"
#include "proto/hearing.h"
#include "store/file.h"

enum {
	NOTICE_BYTES = 1 + VD_SEGMENT_ID_BYTES, DEVICES_BYTES = VD_SEGMENT_FOR_MAX * VD_KEY_BYTES,
	NOTE_FILE = 254, NOTE_FILE_BYTES = 8 + 1 + VD_EPOCH_BYTES, /* its size, and by which link key it opens, if by one */
	NOTE_STICK = 253,          /* on which it was seen */
	NOTE_RECEIPTS_ALONE = 252,
	NOTE_HEADS = 251, NOTE_HEADS_BYTES = 2 * VD_BUNDLE_HEAD_NOTED, /* behind NOTE_FILE: how they begin */
	NOTE_OURS = 255,
};

/* What others say of a segment. FOR_ALL: in one that stays in use, so that those who come later read it too; what is said only where
 * it goes out of use has to be said again. */
enum saying { REPLACED, DAMAGED, REPLACED_FOR_ALL, DAMAGED_FOR_ALL, SAYINGS };

_Static_assert(SAYINGS == sizeof(((struct vd_segment *)0)->said) / sizeof(uint64_t), "a mask each");
_Static_assert(VD_STORE_GROUPS_MAX <= 64, "one bit a group");

static bool is_segment(int folder, const char *name, struct stat *st)
{
	return strlen(name) == VD_SEGMENT_NAME && strspn(name, "0123456789abcdef") == 2 * VD_SEGMENT_ID_BYTES &&
	       strcmp(name + 2 * VD_SEGMENT_ID_BYTES, ".bin") == 0 && fstatat(folder, name, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct vd_segment *)a)->id, ((const struct vd_segment *)b)->id, VD_SEGMENT_ID_BYTES);
}

static int add(struct vd_segments *all, size_t *capacity, const char *name, const struct stat *st)
{
	struct vd_segment *s;
	size_t n;

	if (!vd_room(&all->p, all->count, capacity, 64, sizeof(*all->p)))
		return VD_ENOMEM;
	s = &all->p[all->count++];
	*s = (struct vd_segment){ .size = (uint64_t)st->st_size, .written = st->st_mtim, .group = VD_STORE_GROUPS_MAX };
	memcpy(s->name, name, VD_SEGMENT_NAME);
	/* The hex part alone. */
	s->name[2 * VD_SEGMENT_ID_BYTES] = '\0';
	(void)vd_unhex(s->id, sizeof(s->id), s->name, &n);
	s->name[2 * VD_SEGMENT_ID_BYTES] = '.';
	return VD_OK;
}

int vd_segments_list(struct vd_segments *all, const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t capacity = 0;
	int rc = VD_OK;

	*all = (struct vd_segments){ 0 };
	if (!dir)
		return vd_file_errno(errno);
	errno = 0;
	while (!rc && (entry = readdir(dir))) {
		struct stat st;

		if (is_segment(dirfd(dir), entry->d_name, &st))
			rc = add(all, &capacity, entry->d_name, &st);
		errno = 0;
	}
	if (!rc && errno)
		rc = vd_file_errno(errno);
	closedir(dir);
	if (all->count)
		qsort(all->p, all->count, sizeof(*all->p), by_id);
	return rc;
}

void vd_segments_deinit(struct vd_segments *all)
{
	for (size_t i = 0; i < all->count; i++) {
		vd_buf_deinit(&all->p[i].list);
		vd_buf_deinit(&all->p[i].notices);
		vd_buf_deinit(&all->p[i].devices);
		vd_buf_deinit(&all->p[i].hearing);
		vd_buf_deinit(&all->p[i].receipts);
	}
	free(all->p);
	*all = (struct vd_segments){ 0 };
}

struct vd_segment *vd_segments_find(const struct vd_segments *all, const uint8_t id[VD_SEGMENT_ID_BYTES])
{
	struct vd_segment wanted;

	memcpy(wanted.id, id, VD_SEGMENT_ID_BYTES);
	return all->count ? bsearch(&wanted, all->p, all->count, sizeof(*all->p), by_id) : NULL;
}

int vd_segment_by_age(const void *a, const void *b)
{
	const struct vd_segment *x = *(struct vd_segment *const *)a, *y = *(struct vd_segment *const *)b;

	if (x->written.tv_sec != y->written.tv_sec)
		return x->written.tv_sec < y->written.tv_sec ? -1 : 1;
	if (x->written.tv_nsec != y->written.tv_nsec)
		return x->written.tv_nsec < y->written.tv_nsec ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* However much a segment says, what is kept of it is bounded by the number of files. */
static void take_notice(void *ctx, enum vd_entry_type type, const uint8_t id[VD_SEGMENT_ID_BYTES])
{
	struct vd_segments *all = ctx;
	struct vd_segment *about = vd_segments_find(all, id), *by = &all->p[all->noting];
	size_t *noted = about ? &about->noted[type == VD_ENTRY_REPLACED] : NULL;

	/* Not on this stick, about itself, or said already. */
	if (!about || about == by || *noted == all->turn)
		return;
	*noted = all->turn;
	vd_buf_put_u8(&by->notices, (uint8_t)type);
	vd_buf_put(&by->notices, id, VD_SEGMENT_ID_BYTES);
}

static bool is_for(const struct vd_segment *s, const uint8_t device[VD_KEY_BYTES])
{
	for (size_t at = 0; at < s->devices.n; at += VD_KEY_BYTES)
		if (memcmp(s->devices.p + at, device, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

static void take_device(void *ctx, const uint8_t device[VD_KEY_BYTES])
{
	struct vd_segments *all = ctx;
	struct vd_segment *by = &all->p[all->noting];

	if (by->devices.n < DEVICES_BYTES && !is_for(by, device))
		vd_buf_put(&by->devices, device, VD_KEY_BYTES);
}

/* One a segment. */
static void take_hearing(void *ctx, struct vd_slice bytes)
{
	struct vd_segments *all = ctx;
	struct vd_segment *by = &all->p[all->noting];
	struct vd_hearing hearing;

	if (!by->hearing.n && vd_hearing_decode(bytes, &hearing) == VD_OK)
		vd_buf_put_slice(&by->hearing, bytes);
}

static void put_receipt(struct vd_segment *s, struct vd_slice one)
{
	if (s->receipts.n < (size_t)VD_BUNDLE_RECEIPTS * VD_SEGMENT_RECEIPT)
		vd_buf_put_slice(&s->receipts, one);
}

static void take_receipt(void *ctx, struct vd_slice bytes)
{
	struct vd_segments *all = ctx;
	uint8_t one[VD_SEGMENT_RECEIPT];
	struct vd_receipt r;

	if (vd_receipt_decode(bytes, &r))
		return;
	memcpy(one, r.author, VD_KEY_BYTES);
	vd_set_u64(one + VD_KEY_BYTES, r.count);
	put_receipt(&all->p[all->noting], vd_slice(one, sizeof(one)));
}

struct vd_bundle_notices vd_segment_notices(struct vd_segments *all, size_t i)
{
	vd_buf_reset(&all->p[i].notices);
	vd_buf_reset(&all->p[i].devices);
	vd_buf_reset(&all->p[i].hearing);
	vd_buf_reset(&all->p[i].receipts);
	all->noting = i;
	all->turn++;
	return (struct vd_bundle_notices){ .take = take_notice, .take_for = take_device, .take_hearing = take_hearing, .take_receipt = take_receipt, .ctx = all };
}

/* Of what stands behind that type. */
static size_t note_bytes(uint8_t type, struct vd_rd *r)
{
	switch (type) {
	case VD_ENTRY_DAMAGED:
	case VD_ENTRY_REPLACED:
		return VD_SEGMENT_ID_BYTES;
	case VD_ENTRY_FOR:
		return VD_KEY_BYTES;
	case VD_ENTRY_HEARING:
		return vd_rd_u16(r);
	case VD_ENTRY_RECEIPT:
		return VD_SEGMENT_RECEIPT;
	case NOTE_FILE:
		return NOTE_FILE_BYTES;
	case NOTE_STICK:
		return VD_STICK_ID_BYTES;
	case NOTE_HEADS:
		return NOTE_HEADS_BYTES;
	case NOTE_OURS:
	case NOTE_RECEIPTS_ALONE:
		return 0;
	}
	r->err = VD_EDAMAGED;
	return 0;
}

static void read_file_note(struct vd_segment *s, const uint8_t note[NOTE_FILE_BYTES])
{
	s->as_noted = vd_get_u64(note) == s->size;
	s->key = (struct vd_bundle_key){ .place = s->group, .by_link = note[8] != 0 };
	memcpy(s->key.epoch, note + 9, VD_EPOCH_BYTES);
}

static void put_file_note(struct vd_buf *note, const struct vd_segment *s)
{
	vd_buf_put_u8(note, NOTE_FILE);
	vd_buf_put_u64(note, s->size);
	vd_buf_put_u8(note, s->key.by_link);
	vd_buf_put(note, s->key.epoch, VD_EPOCH_BYTES);
	vd_buf_put_u8(note, NOTE_HEADS);
	vd_buf_put(note, s->key.heads, NOTE_HEADS_BYTES);
}

/* A note is the list, a zero (no list holds one), the group's id, then what file it is, notices, devices, the hearing and whose receipts, each
 * behind its type (the hearing behind its length too), the stick, NOTE_RECEIPTS_ALONE if they are, and NOTE_OURS if it is. */
static int read_note(struct vd_segments *all, size_t i, const struct vd_bundle_groups *groups, struct vd_slice note, uint64_t latest)
{
	struct vd_bundle_notices to = vd_segment_notices(all, i);
	struct vd_segment *s = &all->p[i];
	struct vd_rd r = vd_rd(note);
	struct vd_slice group;
	uint64_t at = 0, v;
	size_t list;

	while ((v = vd_rd_varint(&r)) != 0) {
		if (v / 2 == 0 || v / 2 > latest - at)
			return VD_EDAMAGED;
		at += v / 2;
	}
	list = note.n - r.n - !r.err;
	group = vd_rd_take(&r, VD_GROUP_BYTES);
	if (r.err)
		return VD_EDAMAGED;
	for (size_t g = 0; g < groups->count; g++)
		if (memcmp(vd_group_id(groups->group[g]), group.p, VD_GROUP_BYTES) == 0)
			s->group = g;
	while (r.n) {
		uint8_t type = vd_rd_u8(&r);
		struct vd_slice about = vd_rd_take(&r, note_bytes(type, &r));

		if (r.err)
			return VD_EDAMAGED;
		s->on_stick |= type == NOTE_STICK;
		if (type == NOTE_OURS)
			s->ours = true;
		else if (type == NOTE_RECEIPTS_ALONE)
			s->receipts_alone = true;
		else if (type == NOTE_FILE)
			read_file_note(s, about.p);
		else if (type == NOTE_HEADS)
			memcpy(s->key.heads, about.p, about.n);
		else if (type == NOTE_STICK)
			memcpy(s->stick, about.p, about.n);
		else if (type == VD_ENTRY_RECEIPT)
			put_receipt(s, about);
		else if (type == VD_ENTRY_HEARING)
			to.take_hearing(to.ctx, about);
		else if (type == VD_ENTRY_FOR)
			to.take_for(to.ctx, about.p);
		else
			to.take(to.ctx, type, about.p);
	}
	vd_buf_put(&s->list, note.p, list);
	return s->list.failed || s->notices.failed || s->devices.failed || s->hearing.failed || s->receipts.failed ? VD_ENOMEM : s->group == VD_STORE_GROUPS_MAX ? VD_EDAMAGED : VD_OK;
}

int vd_segment_recall(struct vd_segments *all, size_t i, struct vd_store *store, const struct vd_bundle_groups *groups, uint64_t latest)
{
	struct vd_segment *s = &all->p[i];
	struct vd_buf note = { 0 };
	int rc = vd_store_segment_known(store, s->name, &note, &s->before);

	if (!rc)
		rc = read_note(all, i, groups, vd_buf_slice(&note), latest);
	vd_buf_deinit(&note);
	if (!rc)
		s->state = VD_SEGMENT_KNOWN;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

int vd_segment_look(struct vd_segment *s, struct vd_store *store, const struct vd_bundle_groups *groups, const char *path)
{
	struct vd_bundle_key found = { 0 };
	uint64_t chunks;
	int rc = vd_bundle_whose(store, groups, path, &found);

	if (rc == VD_ENOMEM)
		return rc;
	if (rc && rc != VD_ENOTFOUND) {
		s->state = VD_SEGMENT_LOST;
		return VD_OK;
	}
	if (rc || found.place != s->group || !vd_bundle_same_heads(&s->key, &found)) {
		s->state = VD_SEGMENT_UNREAD;
		s->ours = s->as_noted = s->before = s->receipts_alone = false;
		vd_buf_reset(&s->list);
		vd_buf_reset(&s->notices);
		vd_buf_reset(&s->devices);
		vd_buf_reset(&s->hearing);
		vd_buf_reset(&s->receipts);
	} else if (!vd_sealed_layout(s->size, &chunks)) {
		s->state = VD_SEGMENT_LOST;
	}
	if (!rc)
		s->key = found;
	return VD_OK;
}

int vd_segment_learn(struct vd_store *store, const uint8_t group[VD_GROUP_BYTES], const struct vd_segment *s)
{
	struct vd_buf note = { 0 };
	int rc;

	vd_buf_put_slice(&note, vd_buf_slice(&s->list));
	vd_buf_put_u8(&note, 0);
	vd_buf_put(&note, group, VD_GROUP_BYTES);
	put_file_note(&note, s);
	vd_buf_put_slice(&note, vd_buf_slice(&s->notices));
	for (size_t at = 0; at < s->devices.n; at += VD_KEY_BYTES) {
		vd_buf_put_u8(&note, VD_ENTRY_FOR);
		vd_buf_put(&note, s->devices.p + at, VD_KEY_BYTES);
	}
	if (s->hearing.n) {
		vd_buf_put_u8(&note, VD_ENTRY_HEARING);
		vd_buf_put_u16(&note, (uint16_t)s->hearing.n);
		vd_buf_put_slice(&note, vd_buf_slice(&s->hearing));
	}
	for (size_t at = 0; at < s->receipts.n; at += VD_SEGMENT_RECEIPT) {
		vd_buf_put_u8(&note, VD_ENTRY_RECEIPT);
		vd_buf_put(&note, s->receipts.p + at, VD_SEGMENT_RECEIPT);
	}
	if (s->on_stick) {
		vd_buf_put_u8(&note, NOTE_STICK);
		vd_buf_put(&note, s->stick, VD_STICK_ID_BYTES);
	}
	if (s->receipts_alone)
		vd_buf_put_u8(&note, NOTE_RECEIPTS_ALONE);
	if (s->ours)
		vd_buf_put_u8(&note, NOTE_OURS);
	rc = vd_buf_check(&note);
	if (!rc)
		rc = vd_store_segment_learn(store, s->name, vd_buf_slice(&note));
	vd_buf_deinit(&note);
	return rc;
}

int vd_segment_move(struct vd_store *store, const struct vd_segment *s, const uint8_t stick[VD_STICK_ID_BYTES])
{
	struct vd_buf note = { 0 };
	bool before = false;
	int rc = vd_store_segment_known(store, s->name, &note, &before);

	/* Of two that a note names the last one counts. */
	vd_buf_put_u8(&note, NOTE_STICK);
	vd_buf_put(&note, stick, VD_STICK_ID_BYTES);
	if (!rc)
		rc = vd_buf_check(&note);
	/* One that a repair is to read again is noted anew then. */
	if (!rc && !before)
		rc = vd_store_segment_learn(store, s->name, vd_buf_slice(&note));
	vd_buf_deinit(&note);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static bool speaks(const struct vd_segment *s)
{
	return s->state == VD_SEGMENT_KNOWN || s->state == VD_SEGMENT_LOST || s->state == VD_SEGMENT_WHOLE;
}

/* Is there a segment of its group that says so? */
static bool is_said(const struct vd_segment *s, enum saying saying)
{
	return s->group < VD_STORE_GROUPS_MAX && (s->said[saying] >> s->group & 1);
}

bool vd_segment_maybe_replaced(const struct vd_segment *s)
{
	return s->said[REPLACED] != 0;
}

bool vd_segment_replaced(const struct vd_segment *s)
{
	return is_said(s, REPLACED);
}

bool vd_segment_is_over(const struct vd_segment *s)
{
	return vd_segment_replaced(s) ||
	       (s->group == VD_STORE_GROUPS_MAX && !s->foreign && s->size < vd_sealed_bytes(0) && vd_segment_maybe_replaced(s));
}

bool vd_segment_called_damaged(const struct vd_segment *s)
{
	return is_said(s, DAMAGED);
}

void vd_segment_replace(struct vd_segment *s)
{
	s->said[REPLACED] |= UINT64_C(1) << s->group;
}

bool vd_segment_in_use(const struct vd_segment *s)
{
	return speaks(s) && !s->drop && !s->gone && !vd_segment_replaced(s);
}

bool vd_segment_is_catch_up(const struct vd_segment *s)
{
	return s->devices.n > 0;
}

static bool list_holds(struct vd_slice list, uint64_t arrival)
{
	struct vd_rd r = vd_rd(list);
	uint64_t at = 0;

	while (r.n && !r.err && at < arrival)
		at += vd_rd_varint(&r) / 2;
	return at == arrival;
}

bool vd_segments_serve(const struct vd_segments *all, size_t g, const uint8_t device[VD_KEY_BYTES], uint64_t arrival)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct vd_segment *s = &all->p[i];

		if (s->group == g && vd_segment_in_use(s) && is_for(s, device) &&
		    list_holds(vd_buf_slice(&s->list), arrival))
			return true;
	}
	return false;
}

static void spread(struct vd_segments *all, const struct vd_segment *s, enum vd_entry_type type, enum saying saying)
{
	for (size_t at = 0; at < s->notices.n; at += NOTICE_BYTES)
		if (s->notices.p[at] == type)
			vd_segments_find(all, s->notices.p + at + 1)->said[saying] |= UINT64_C(1) << s->group;
}

void vd_segment_heed(struct vd_segments *all, size_t i)
{
	if (speaks(&all->p[i]))
		spread(all, &all->p[i], VD_ENTRY_REPLACED, REPLACED);
}

static int say(struct vd_segments *all, struct vd_segment_say *out)
{
	enum { FULL = VD_SEGMENT_SAY_MAX * VD_SEGMENT_ID_BYTES };
	bool failed = false;

	for (size_t i = 0; i < all->count; i++) {
		struct vd_segment *s = &all->p[i];
		bool bad = s->state == VD_SEGMENT_DAMAGED || s->state == VD_SEGMENT_TORN, replaced = s->drop || vd_segment_replaced(s);
		struct vd_buf *to;

		if (s->group == VD_STORE_GROUPS_MAX || !(bad || replaced) || is_said(s, replaced ? REPLACED_FOR_ALL : DAMAGED_FOR_ALL))
			continue;
		to = replaced ? &out[s->group].replaced : &out[s->group].damaged;
		if (to->n < FULL)
			vd_buf_put(to, s->id, VD_SEGMENT_ID_BYTES);
		else
			s->drop = false;
		failed = failed || to->failed;
	}
	return failed ? VD_ENOMEM : VD_OK;
}

int vd_segments_settle(struct vd_segments *all, struct vd_segment_say out[VD_STORE_GROUPS_MAX])
{
	for (size_t i = 0; i < all->count; i++)
		if (speaks(&all->p[i]) && !vd_segment_replaced(&all->p[i]))
			spread(all, &all->p[i], VD_ENTRY_DAMAGED, DAMAGED);
	for (size_t i = 0; i < all->count; i++) {
		struct vd_segment *s = &all->p[i];

		s->drop = !vd_segment_replaced(s) &&
		          (s->state == VD_SEGMENT_LOST || (s->state == VD_SEGMENT_KNOWN && is_said(s, DAMAGED)));
	}
	for (size_t i = 0; i < all->count; i++) {
		struct vd_segment *s = &all->p[i];

		if (!speaks(s) || s->drop || vd_segment_replaced(s))
			continue;
		spread(all, s, VD_ENTRY_REPLACED, REPLACED_FOR_ALL);
		spread(all, s, VD_ENTRY_DAMAGED, DAMAGED_FOR_ALL);
	}
	return say(all, out);
}
