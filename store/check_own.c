/* What of our own chains is not here, though it was: counted from our newest back to the first. */
#include <string.h>

#include "check_inside.h"
#include "proto/err.h"

/* Of one chain, whose good records stand from `at` on, the newest first. */
static int look_at_chain(struct vd_checking *c, const uint8_t *group, const uint8_t *author, uint8_t lane, size_t at)
{
	uint64_t head, top = 0, here = 0, above;
	size_t first = at;
	int rc = vd_write_own_head(c->write, group, author, lane, &head);

	if (rc == VD_EDAMAGED)
		head = 0; /* the records that are left tell */
	else if (rc)
		return rc;
	above = UINT64_MAX;
	for (; at < c->count && vd_checked_same_chain(&c->seen[first], &c->seen[at]); at++) {
		if (c->seen[at].bad || c->seen[at].seq >= above)
			continue;
		above = c->seen[at].seq;
		top = above > top ? above : top;
		here++;
	}
	head = head > top ? head : top;
	c->out->own_missing += head - here;
	c->out->own_last += head - top;
	return VD_OK;
}

int vd_checking_own(struct vd_checking *c)
{
	size_t at = 0;
	int rc = c->write ? VD_OK : VD_ENOTFOUND;

	for (size_t g = 0; g < c->group_count && !rc; g++) {
		struct vd_group *group = vd_readers_find(&c->readers, c->in[g].group);
		const struct vd_identity *self = group ? vd_group_identity(group) : NULL;
		uint64_t before = c->out->own_missing;

		for (uint8_t lane = 0; self && lane < VD_LANES && !rc; lane++) {
			size_t first;

			while (at < c->count && (c->seen[at].group < g || (c->seen[at].group == g && c->seen[at].lane < lane)))
				at++;
			first = at;
			while (first < c->count && c->seen[first].group == g && c->seen[first].lane == lane &&
			       memcmp(c->authors[c->seen[first].author].key, self->author, VD_KEY_BYTES))
				first++;
			if (first < c->count && (c->seen[first].group != g || c->seen[first].lane != lane))
				first = c->count;
			rc = look_at_chain(c, c->in[g].group, self->author, lane, first);
		}
		if (!rc && self && c->out->bad && c->out->own_missing > before)
			vd_write_lost(c->write, c->in[g].group, self->author, vd_now_ms()); /* kept if this is a repair */
	}
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}
