/* Segments of other groups: none of our keys opened them, so they need not be tried again until we have others. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "stick_inside.h"

/* A note of each stick: u64 how many keys we had, and how the ids of such segments begin, ascending. Of more segments than it has room for some are tried
 * each time. */
enum { PREFIX = 6, NOTE_KEYS = 8, PREFIXES_MAX = (4096 - NOTE_KEYS) / PREFIX };
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

static int read_note(struct vd_visit *v, struct vd_buf *note)
{
	int rc = vd_store_note(v->store, note_use, vd_slice(v->stick_id, sizeof(v->stick_id)), note);

	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

int vd_foreign_recall(struct vd_visit *v, size_t keys)
{
	struct vd_segments *all = &v->segments;
	size_t *known = calloc(all->count + 1, sizeof(*known)), count = 0;
	struct vd_buf note = { 0 };
	int rc = known ? read_note(v, &note) : VD_ENOMEM;

	for (size_t i = 0; i < all->count; i++)
		all->p[i].passed = false;
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

int vd_foreign_note(struct vd_visit *v, size_t keys)
{
	struct vd_buf before = { 0 }, note = { 0 };
	struct vd_write *w;
	int rc = read_note(v, &before);

	vd_buf_put_u64(&note, keys);
	/* They are sorted. */
	for (size_t i = 0; i < v->segments.count && note.n < NOTE_KEYS + PREFIX * PREFIXES_MAX; i++)
		if (v->segments.p[i].no_key)
			vd_buf_put(&note, v->segments.p[i].id, PREFIX);
	if (!rc)
		rc = vd_buf_check(&note);
	if (!rc && !vd_slice_eq(vd_buf_slice(&note), vd_buf_slice(&before)) && (note.n > NOTE_KEYS || before.n > NOTE_KEYS)) {
		rc = vd_write_begin(v->store, &w);
		if (!rc) {
			rc = vd_write_note(w, note_use, vd_slice(v->stick_id, sizeof(v->stick_id)), vd_buf_slice(&note));
			if (!rc)
				rc = vd_write_commit(w);
			else
				vd_write_abort(w);
		}
	}
	vd_buf_deinit(&before);
	vd_buf_deinit(&note);
	return rc;
}
