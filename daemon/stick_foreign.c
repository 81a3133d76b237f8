/* Segments of other groups: none of our keys opened them, so they need not be tried again until we have others. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "stick_inside.h"

/* Notes of each stick, in pages: u64 how many keys we had, and how the ids of such segments begin, ascending through all pages; one that is not full is the
 * last. 6 bytes a name, at most 256 KiB a stick: of more segments than that some are tried each time. */
enum { PREFIX = 6, NOTE_KEYS = 8, PAGE_PREFIXES = (4096 - NOTE_KEYS) / PREFIX, PAGES_MAX = 64 };
static const char note_use[] = "no key opens";

static bool is_noted(struct vd_slice note, const uint8_t id[VD_SEGMENT_ID_BYTES])
{
	size_t low = 0, high = note.n < NOTE_KEYS ? 0 : (note.n - NOTE_KEYS) / PREFIX;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(note.p + NOTE_KEYS + middle * PREFIX, id, PREFIX);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The first page's key is the stick's id, as it was when there was one. */
static struct vd_slice page_key(const uint8_t stick[VD_STICK_ID_BYTES], uint8_t page, uint8_t room[VD_STICK_ID_BYTES + 1])
{
	memcpy(room, stick, VD_STICK_ID_BYTES);
	room[VD_STICK_ID_BYTES] = page;
	return vd_slice(room, page ? VD_STICK_ID_BYTES + 1 : VD_STICK_ID_BYTES);
}

static int read_page(struct vd_store *store, const uint8_t stick[VD_STICK_ID_BYTES], uint8_t page, struct vd_buf *out)
{
	uint8_t room[VD_STICK_ID_BYTES + 1];
	int rc = vd_store_note(store, note_use, page_key(stick, page, room), out);

	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* All prefixes, behind the number of keys; pages that were noted with another number of keys are none. */
static int read_notes(struct vd_store *store, const uint8_t stick[VD_STICK_ID_BYTES], struct vd_buf *out)
{
	int rc = read_page(store, stick, 0, out);

	for (uint8_t page = 1; !rc && page < PAGES_MAX && out->n == NOTE_KEYS + (size_t)page * PAGE_PREFIXES * PREFIX; page++) {
		struct vd_buf more = { 0 };

		rc = read_page(store, stick, page, &more);
		if (!rc && more.n > NOTE_KEYS && vd_get_u64(more.p) == vd_get_u64(out->p))
			vd_buf_put(out, more.p + NOTE_KEYS, more.n - NOTE_KEYS);
		vd_buf_deinit(&more);
	}
	return rc ? rc : vd_buf_check(out);
}

size_t vd_foreign_keys(const struct vd_bundle_groups *groups)
{
	size_t count = 0;

	for (size_t i = 0; i < groups->count; i++)
		count += vd_group_epoch_count(groups->group[i]);
	return count;
}

int vd_foreign_recall(struct vd_store *store, const uint8_t stick[VD_STICK_ID_BYTES], struct vd_segments *all, size_t keys)
{
	size_t *known = calloc(all->count + 1, sizeof(*known)), count = 0;
	struct vd_buf note = { 0 };
	int rc = known ? read_notes(store, stick, &note) : VD_ENOMEM;

	for (size_t i = 0; i < all->count; i++)
		all->p[i].passed = all->p[i].untried = false;
	if (!rc && note.n >= NOTE_KEYS && vd_get_u64(note.p) == keys)
		for (size_t i = 0; i < all->count; i++)
			if (all->p[i].state == VD_SEGMENT_UNREAD && is_noted(vd_buf_slice(&note), all->p[i].id))
				known[count++] = i;
	/* Some are tried all the same: it may have been the medium that gave back something else. */
	for (size_t n = 0; n < count; n++) {
		size_t other = n + randombytes_uniform((uint32_t)(count - n)), i = known[other];

		known[other] = known[n];
		all->p[i].foreign = all->p[i].no_key = all->p[i].passed = n >= VD_FOREIGN_TRIED;
	}
	vd_buf_deinit(&note);
	free(known);
	return rc;
}

static int write_pages(struct vd_visit *v, struct vd_slice before, struct vd_slice now)
{
	struct vd_write *w;
	int rc = vd_write_begin(v->store, &w);

	for (uint8_t page = 0; page < PAGES_MAX && !rc; page++) {
		size_t from = NOTE_KEYS + (size_t)page * PAGE_PREFIXES * PREFIX, n = now.n > from ? now.n - from : 0;
		uint8_t room[VD_STICK_ID_BYTES + 1];
		struct vd_buf one = { 0 };

		if (page && now.n <= from && before.n <= from)
			break;
		vd_buf_put(&one, now.p, page && !n ? 0 : NOTE_KEYS);
		vd_buf_put(&one, now.p + from, n > PAGE_PREFIXES * PREFIX ? PAGE_PREFIXES * PREFIX : n);
		rc = vd_buf_check(&one);
		/* An empty one goes. */
		if (!rc)
			rc = vd_write_note(w, note_use, page_key(v->stick_id, page, room), vd_buf_slice(&one));
		vd_buf_deinit(&one);
	}
	if (!rc)
		return vd_write_commit(w);
	vd_write_abort(w);
	return rc;
}

int vd_foreign_note(struct vd_visit *v, size_t keys)
{
	struct vd_buf before = { 0 }, note = { 0 };
	int rc = read_notes(v->store, v->stick_id, &before);

	vd_buf_put_u64(&note, keys);
	/* They are sorted. */
	for (size_t i = 0; i < v->segments.count && note.n < NOTE_KEYS + (size_t)PAGES_MAX * PAGE_PREFIXES * PREFIX; i++)
		if (v->segments.p[i].no_key)
			vd_buf_put(&note, v->segments.p[i].id, PREFIX);
	if (!rc)
		rc = vd_buf_check(&note);
	if (!rc && !vd_slice_eq(vd_buf_slice(&note), vd_buf_slice(&before)) && (note.n > NOTE_KEYS || before.n > NOTE_KEYS))
		rc = write_pages(v, vd_buf_slice(&before), vd_buf_slice(&note));
	vd_buf_deinit(&before);
	vd_buf_deinit(&note);
	return rc;
}
