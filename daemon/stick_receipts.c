#include "stick_receipts.h"

#include <string.h>

#include "proto/err.h"
#include "store/custody.h"

/* May it go into another one, or be taken away by whoever comes by? Then what stands in it may be gone, and who writes hands it on. */
static bool is_loose(const struct vd_segment *s)
{
	return s->receipts_alone || (s->ours && s->size == vd_sealed_bytes(1));
}

/* That one, or a later one; one from the future is none. */
static bool stands_in(const struct vd_segment *s, const uint8_t author[VD_KEY_BYTES], uint64_t count, uint64_t now_ms)
{
	for (size_t at = 0; at < s->receipts.n; at += VD_SEGMENT_RECEIPT) {
		uint64_t there = vd_get_u64(s->receipts.p + at + VD_KEY_BYTES);

		if (memcmp(s->receipts.p + at, author, VD_KEY_BYTES) == 0 && (there == count || (there > count && !vd_receipt_ahead(there, now_ms))))
			return true;
	}
	return false;
}

static bool is_there(const struct vd_visit *v, size_t g, const uint8_t author[VD_KEY_BYTES], uint64_t count, bool loose_too)
{
	for (size_t i = 0; i < v->segments.count; i++) {
		const struct vd_segment *s = &v->segments.p[i];

		if (s->group == g && vd_segment_in_use(s) && !vd_segment_is_catch_up(s) && (loose_too || !is_loose(s)) && stands_in(s, author, count, v->now_ms))
			return true;
	}
	return false;
}

struct asking {
	const struct vd_visit *visit;
	size_t g;
};

static bool lacks(void *ctx, const struct vd_told *told)
{
	const struct asking *a = ctx;

	return !is_there(a->visit, a->g, told->author, told->count, false);
}

int vd_visit_receipts(struct vd_visit *v, size_t g, size_t max_bytes)
{
	struct asking a = { v, g };
	struct vd_receipts *r = &v->receipts[g];
	int rc;

	rc = vd_receipts_gather(v->store, v->groups.group[g], v->now_ms, max_bytes, lacks, &a, r);
	/* More in one file do not count. */
	r->count = r->count < VD_BUNDLE_RECEIPTS ? r->count : VD_BUNDLE_RECEIPTS;
	for (size_t i = 0; i < r->count && !rc; i++)
		v->receipts_due[g] |= !is_there(v, g, r->told[i].author, r->told[i].count, true);
	return rc;
}

static bool is_among(const struct vd_receipts *r, const uint8_t author[VD_KEY_BYTES], uint64_t count)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->told[i].count >= count && memcmp(r->told[i].author, author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

bool vd_visit_receipts_covered(const struct vd_visit *v, size_t g, const struct vd_segment *s)
{
	for (size_t at = 0; at < s->receipts.n; at += VD_SEGMENT_RECEIPT) {
		const uint8_t *author = s->receipts.p + at;
		uint64_t count = vd_get_u64(author + VD_KEY_BYTES);

		if (!is_among(&v->receipts[g], author, count) && !is_there(v, g, author, count, false))
			return false;
	}
	return true;
}

/* Was each of them written on this visit, or a later one? Of a device that made two of one count either may stand there. */
static int are_handed_on(const struct vd_visit *v, size_t g, const struct vd_segment *s, bool *yes)
{
	int rc = VD_OK;

	*yes = true;
	for (size_t at = 0; at < s->receipts.n && *yes && !rc; at += VD_SEGMENT_RECEIPT) {
		const uint8_t *author = s->receipts.p + at;
		bool doubtful = false;

		*yes = is_among(&v->receipts[g], author, vd_get_u64(author + VD_KEY_BYTES));
		if (*yes)
			rc = vd_custody_doubtful(v->store, vd_group_id(v->groups.group[g]), author, &doubtful);
		*yes = *yes && !doubtful;
	}
	return rc;
}

/* Can who could open it open what we wrote? A device with a role to which that is sealed and that has not got the keys yet finds them in a catch-up segment here. */
static bool is_ours_to_open(const struct vd_segment *s, struct vd_group *group)
{
	const uint8_t *ours = vd_group_epoch_id(group, 0);

	return s->key.by_link && (memcmp(s->key.epoch, ours, VD_EPOCH_BYTES) == 0 || vd_group_epoch_reaches(group, ours, s->key.epoch));
}

int vd_visit_receipts_spent(const struct vd_visit *v, size_t g, const struct vd_segment *s, bool *spent)
{
	int rc;

	*spent = false;
	if (!v->receipts_left[g] || s->group != g || !s->receipts_alone || !vd_segment_in_use(s) || s->state == VD_SEGMENT_LOST || vd_segment_called_damaged(s))
		return VD_OK;
	if (s->ours) {
		*spent = vd_visit_receipts_covered(v, g, s);
		return VD_OK;
	}
	rc = are_handed_on(v, g, s, spent);
	*spent = *spent && !rc && is_ours_to_open(s, v->groups.group[g]);
	return rc;
}

int vd_visit_receipts_give_way(struct vd_visit *v, size_t g, bool *made)
{
	const bool left = v->receipts_left[g];
	uint64_t room = 0, bytes = 0;
	bool spent;
	int rc = vd_visit_room(v, VD_ROOM_URGENT, &room);

	*made = false;
	if (rc || room >= vd_sealed_bytes(1) || left || !v->receipts[g].count)
		return rc;
	/* As if they were written. */
	v->receipts_left[g] = true;
	for (int remove = 0; remove < 2 && !rc; remove++) {
		for (size_t i = 0; i < v->segments.count && !rc; i++) {
			struct vd_segment *s = &v->segments.p[i];

			rc = vd_visit_receipts_spent(v, g, s, &spent);
			if (rc || !spent)
				continue;
			bytes += remove ? 0 : s->size;
			if (remove)
				rc = vd_visit_remove(v, s);
			*made |= s->gone;
		}
		if (room + bytes < vd_sealed_bytes(1))
			break;
	}
	v->receipts_left[g] = left;
	v->receipts_due[g] |= *made;
	return rc;
}

void vd_visit_note_receipts(const struct vd_visit *v, size_t g, struct vd_segment *s)
{
	const struct vd_receipts *r = &v->receipts[g];
	uint8_t count[8];

	for (size_t i = 0; i < r->count; i++) {
		vd_set_u64(count, r->told[i].count);
		vd_buf_put(&s->receipts, r->told[i].author, VD_KEY_BYTES);
		vd_buf_put(&s->receipts, count, sizeof(count));
	}
}
