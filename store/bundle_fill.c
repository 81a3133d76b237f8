/* What else goes into the room that is left in a segment's last chunk: the padding would take it otherwise. */
#include <string.h>

#include "bundle_lines.h"
#include "inside.h"
#include "proto/err.h"

/* Is a stub all there ever will be of it? */
static int is_gone(const struct vd_lines *l, uint64_t arrival, const struct vd_record *record, bool *yes)
{
	struct vd_stored stored;
	struct vd_buf raw = { 0 };
	int rc = vd_stored_read(l->store, arrival, &raw, &stored);

	*yes = !rc && (stored.flags & VD_STORED_UNWANTED ||
	               (stored.flags & VD_STORED_EXPIRED && vd_store_is_over(record, l->choice->expired_through)));
	vd_buf_deinit(&raw);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* `stub`: so it stands in the list. */
static int add(struct vd_lines *l, uint64_t arrival, bool stub, const struct vd_many_one *one, bool *ok)
{
	int rc = VD_OK;

	*ok = one->err != VD_ENOTFOUND && one->err != VD_EDAMAGED;
	if (*ok && one->err)
		return one->err;
	*ok = *ok && memcmp(one->record.group, vd_group_id(l->group), VD_GROUP_BYTES) == 0;
	if (*ok && one->record.stub && !stub)
		rc = is_gone(l, arrival, &one->record, ok);
	return *ok && !rc ? vd_lines_add(l, arrival, &one->record) : rc;
}

static int add_list(struct vd_lines *l, struct vd_many *many, const struct vd_arrivals *there, struct vd_slice list, bool *ok)
{
	uint64_t at = 0, numbers[VD_MANY_AT_ONCE];
	bool stubs[VD_MANY_AT_ONCE], more = true;
	struct vd_rd r = vd_rd(list);
	int rc = VD_OK;

	for (*ok = true; *ok && !rc && more;) {
		const struct vd_many_one *ones;
		size_t n = 0;

		while (n < VD_MANY_AT_ONCE && (more = vd_arrivals_list_next(&r, UINT64_MAX, &at, &stubs[n])))
			if (!vd_arrivals_held(there, at))
				numbers[n++] = at;
			else
				*ok = *ok && (stubs[n] || vd_arrivals_whole(there, at));
		vd_many_ask(many, numbers, n);
		ones = vd_many_take(many);
		for (size_t i = 0; i < n && *ok && !rc; i++)
			rc = add(l, numbers[i], stubs[i], &ones[i], ok);
	}
	return rc || !r.err ? rc : VD_EDAMAGED;
}

int vd_lines_fill(struct vd_lines *l, struct vd_many *many, struct vd_slice list, bool *ok)
{
	struct vd_arrivals there = { 0 };
	int rc = VD_OK;

	*ok = false;
	for (size_t i = 0; i < l->count && !rc; i++)
		rc = vd_arrivals_add(&there, l->line[i].arrival, l->line[i].stub && !l->line[i].over);
	if (!rc)
		rc = add_list(l, many, &there, list, ok);
	vd_lines_sort(l);
	vd_arrivals_deinit(&there);
	return rc;
}
