#include "follow.h"

#include "err.h"

enum { SCAN_AT_ONCE = 16 };

void vd_follow_deinit(struct vd_follow *f)
{
	vd_batch_deinit(&f->waiting);
}

/* Any refusal but one for want of memory is the record's own affair. */
static int offer(struct vd_follow *f, const struct vd_record *record, bool *waits)
{
	int rc = vd_group_add(f->group, record);

	*waits = rc == VD_EAUTHOR;
	return rc == VD_ENOMEM ? rc : VD_OK;
}

static int take(struct vd_follow *f, const struct vd_port *port, uint64_t arrival, struct vd_buf *room)
{
	struct vd_record record;
	bool waits;
	int rc;

	vd_buf_reset(room);
	rc = port->read(port->ctx, arrival, room);
	if (!rc)
		rc = vd_buf_check(room);
	if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
		return VD_OK;
	if (rc || vd_record_decode(vd_buf_slice(room), &record))
		return rc;
	rc = offer(f, &record, &waits);
	return rc || !waits ? rc : vd_batch_add(&f->waiting, record.raw);
}

/* Who is entitled may follow from a record that came later: again, until nothing grows. */
static int offer_waiting(struct vd_follow *f)
{
	int rc = VD_OK;

	vd_batch_seal(&f->waiting);
	while (!rc && f->waiting.count && f->tried != vd_group_generation(f->group)) {
		size_t left = 0;

		f->tried = vd_group_generation(f->group);
		for (size_t i = 0; i < f->waiting.count; i++) {
			bool waits = true;

			if (!rc)
				rc = offer(f, &f->waiting.entries[i].record, &waits);
			if (rc || waits)
				f->waiting.entries[left++] = f->waiting.entries[i];
		}
		f->waiting.count = left;
	}
	if (rc)
		f->tried = ~f->tried; /* not all were */
	if (!f->waiting.count)
		vd_batch_deinit(&f->waiting);
	return rc;
}

int vd_follow_store(struct vd_follow *f, const struct vd_port *port)
{
	struct vd_arrival found[SCAN_AT_ONCE];
	struct vd_buf room = { 0 };
	size_t waited = f->waiting.count, count;
	int rc;

	do {
		rc = port->scan(port->ctx, vd_group_id(f->group), VD_LANE_CONTROL, f->after, found, SCAN_AT_ONCE, &count);
		for (size_t i = 0; !rc && i < count; i++) {
			rc = take(f, port, found[i].arrival, &room);
			if (!rc)
				f->after = found[i].arrival;
		}
	} while (!rc && count);
	vd_buf_deinit(&room);
	if (f->waiting.count > waited)
		f->tried = ~vd_group_generation(f->group);
	return rc ? rc : offer_waiting(f);
}
