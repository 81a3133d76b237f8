#include "unseen.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool vd_unseen_has(const struct vd_unseen *u, uint64_t arrival)
{
	return arrival > u->mark || bsearch(&arrival, u->waiting, u->count, sizeof *u->waiting, by_number);
}

uint64_t vd_unseen_after(const struct vd_unseen *u)
{
	return u->count ? u->waiting[0] - 1 : u->mark;
}

void vd_unseen_read(struct vd_store *store, struct vd_slice key, struct vd_unseen *out)
{
	struct vd_buf value = { 0 };

	memset(out, 0, sizeof *out);
	if (vd_store_note(store, "list", key, &value) == 0 && value.n >= 8 && value.n <= 8 + sizeof out->waiting) {
		out->mark = vd_get_u64(value.p);
		for (size_t at = 8; at + 8 <= value.n; at += 8) {
			uint64_t arrival = vd_get_u64(value.p + at), before = out->count ? out->waiting[out->count - 1] : 0;

			if (arrival > before && arrival <= out->mark)
				out->waiting[out->count++] = arrival;
		}
	}
	vd_buf_deinit(&value);
}

int vd_unseen_write(struct vd_store *store, struct vd_slice key, const struct vd_unseen *u)
{
	uint8_t value[8 + sizeof u->waiting];
	struct vd_write *write = NULL;
	int rc = vd_write_begin(store, &write);

	if (rc)
		return rc;
	vd_set_u64(value, u->mark);
	for (size_t i = 0; i < u->count; i++)
		vd_set_u64(value + 8 + 8 * i, u->waiting[i]);
	rc = vd_write_note(write, "list", key, vd_slice(value, 8 + 8 * u->count));
	if (!rc)
		return vd_write_commit(write);
	vd_write_abort(write);
	return rc;
}

struct gathering {
	const struct vd_unseen *seen, *other;
	uint64_t mark;
	struct vd_buf found;        /* arrival numbers */
};

bool vd_unseen_waits(const struct vd_found *f)
{
	if (f->standing == VD_STANDING_QUARANTINED)
		return true;
	if (f->standing != VD_STANDING_SHOWN || !f->body)
		return false;
	return f->body == VD_ENOTFOUND || f->body == VD_EVERSION || vd_body_text(f) == VD_MSG_BODY_NO_KEY;
}

static int gather(void *ctx, const struct vd_found *f)
{
	struct gathering *g = ctx;

	if (f->arrival > g->mark || !vd_unseen_has(g->seen, f->arrival) || (g->other && !vd_unseen_has(g->other, f->arrival)) ||
	    !vd_unseen_waits(f))
		return 0;
	vd_buf_put(&g->found, &f->arrival, sizeof f->arrival);
	return vd_buf_check(&g->found);
}

int vd_unseen_next(struct vd_store *store, const struct vd_query *asked, const struct vd_unseen *seen, const struct vd_unseen *other,
                   uint64_t mark, struct vd_unseen *next)
{
	struct gathering g = { .seen = seen, .other = other, .mark = mark };
	struct vd_query query = { .group = asked->group, .person = asked->person, .author = asked->author, .hidden = true,
	                          .after = vd_unseen_after(seen) };
	size_t count, first;
	int rc;

	if (other && vd_unseen_after(other) > query.after)
		query.after = vd_unseen_after(other);
	rc = vd_query(store, &query, gather, &g);
	count = g.found.n / sizeof(uint64_t);
	if (count)
		qsort(g.found.p, count, sizeof(uint64_t), by_number);
	first = count > VD_UNSEEN_MAX ? count - VD_UNSEEN_MAX : 0;
	next->mark = mark;
	next->count = count - first;
	if (next->count)
		memcpy(next->waiting, g.found.p + first * sizeof(uint64_t), next->count * sizeof(uint64_t));
	vd_buf_deinit(&g.found);
	return rc;
}
