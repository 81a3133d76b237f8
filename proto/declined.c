#include "declined.h"

#include <string.h>

#include "err.h"
#include "record.h"

_Static_assert(sizeof(struct vd_declined) == 1 + VD_KEY_BYTES, "compared and sent as it stands");

/* Place of the first that is not below. */
static size_t place(const struct vd_declined_set *s, const struct vd_declined *who)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&s->who[middle], who, sizeof(*who)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct vd_declined make(uint8_t lane, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_declined who = { .lane = lane };

	memcpy(who.author, author, VD_KEY_BYTES);
	return who;
}

bool vd_declined_has(const struct vd_declined_set *s, uint8_t lane, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_declined who;
	size_t at;

	if (!s->count)
		return false;
	who = make(lane, author);
	at = place(s, &who);
	return at < s->count && memcmp(&s->who[at], &who, sizeof(who)) == 0;
}

bool vd_declined_add(struct vd_declined_set *s, uint8_t lane, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_declined who = make(lane, author);
	size_t at = place(s, &who);

	if (at < s->count && memcmp(&s->who[at], &who, sizeof(who)) == 0)
		return true;
	if (s->count == sizeof(s->who) / sizeof(s->who[0]))
		return false;
	memmove(&s->who[at + 1], &s->who[at], (s->count - at) * sizeof(who));
	s->who[at] = who;
	s->count++;
	return true;
}

bool vd_declined_remove(struct vd_declined_set *s, uint8_t lane, const uint8_t author[VD_KEY_BYTES])
{
	struct vd_declined who = make(lane, author);
	size_t at = place(s, &who);

	if (at == s->count || memcmp(&s->who[at], &who, sizeof(who)) != 0)
		return false;
	s->count--;
	memmove(&s->who[at], &s->who[at + 1], (s->count - at) * sizeof(who));
	return true;
}

size_t vd_declined_of_lane(const struct vd_declined_set *s, uint8_t lane, const struct vd_declined **first)
{
	size_t begin = 0, end;

	while (begin < s->count && s->who[begin].lane < lane)
		begin++;
	for (end = begin; end < s->count && s->who[end].lane == lane; end++)
		;
	*first = &s->who[begin];
	return end - begin;
}

void vd_declined_encode(const struct vd_declined_set *s, struct vd_buf *out)
{
	size_t n = s->count < VD_DECLINED_MAX ? s->count : VD_DECLINED_MAX;

	vd_buf_put_varint(out, n);
	vd_buf_put(out, s->who, n * sizeof(s->who[0]));
}

int vd_declined_decode(struct vd_rd *r, struct vd_declined_set *out)
{
	uint64_t n = vd_rd_varint(r);
	int rc = r->err ? VD_EFORMAT : n > VD_DECLINED_MAX ? VD_ECAP : VD_OK;

	out->count = 0;
	for (size_t i = 0; !rc && i < n; i++) {
		struct vd_declined *who = &out->who[i];

		who->lane = vd_rd_u8(r);
		vd_rd_copy(r, who->author, VD_KEY_BYTES);
		if (r->err || who->lane <= VD_LANE_CONTROL || who->lane >= VD_LANES ||
		    (i && memcmp(who - 1, who, sizeof(*who)) >= 0))
			rc = VD_EFORMAT;
	}
	out->count = rc ? 0 : (size_t)n;
	return rc;
}
