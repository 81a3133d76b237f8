/* Bodies that are to go everywhere, in segments of ours on a stick: what a redaction took, and what expired. PROTOCOL.md section 7, folding. */
#include <sodium.h>

#include "proto/err.h"
#include "stick_inside.h"

enum {
	STUB_BYTES = 40,             /* of a stub, instead of a body: its length and hash */
	FREED_PART = 4,              /* so much of a segment must go with what expired: no file is rewritten for one body */
};

typedef int (*numbers_fn)(struct vd_store *, const uint8_t group[VD_GROUP_BYTES], uint64_t after, uint64_t *numbers, size_t max, size_t *n);

static int load(struct vd_visit *v, size_t g, numbers_fn read, struct vd_arrivals *out)
{
	enum { AT_ONCE = 256 };
	uint64_t numbers[AT_ONCE], after = 0;
	size_t n = AT_ONCE;
	int rc = VD_OK;

	while (!rc && n == AT_ONCE) {
		rc = read(v->store, vd_group_id(v->groups.group[g]), after, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++)
			rc = vd_arrivals_add(out, after = numbers[i], true);
	}
	return rc;
}

/* The next record behind *at whose body stands there and is in `gone`. */
static bool next_gone(struct vd_rd *r, const struct vd_arrivals *gone, uint64_t *at)
{
	bool stub;

	while (vd_arrivals_list_next(r, UINT64_MAX, at, &stub))
		if (!stub && vd_arrivals_held(gone, *at))
			return true;
	return false;
}

/* Bytes of its bodies that expired, counted up to what is enough. Another visit begins elsewhere, and looks at others. */
static int weigh(struct vd_visit *v, size_t g, const struct vd_segment *s, const struct vd_arrivals *expired, size_t *looked_at, bool *enough)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0, freed = 0;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	int rc = VD_OK;

	for (*enough = false; !rc && !*enough && *looked_at < VD_SHED_LOOKED_AT && next_gone(&r, expired, &at); ++*looked_at) {
		rc = vd_store_read(v->store, at, &raw, &record, NULL);
		if (!rc && record.stub && vd_store_is_over(&record, v->expired_through[g]) && record.body_bytes > STUB_BYTES)
			freed += record.body_bytes - STUB_BYTES;
		*enough = freed >= s->size / FREED_PART;
		rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	}
	vd_buf_deinit(&raw);
	return rc;
}

static bool holds(const struct vd_segment *s, const struct vd_arrivals *redacted)
{
	struct vd_rd r = vd_rd(vd_buf_slice(&s->list));
	uint64_t at = 0;

	return next_gone(&r, redacted, &at);
}

/* From anywhere: one that cannot be written anew, as another of its bodies is not here, keeps no other waiting for good. */
static int find(struct vd_visit *v, size_t g, const struct vd_arrivals *redacted, const struct vd_arrivals *expired, struct vd_segment **out)
{
	const size_t count = v->segments.count, from = count ? randombytes_uniform((uint32_t)count) : 0;
	size_t looked_at = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < count && redacted->count && !*out; i++) {
		struct vd_segment *s = &v->segments.p[(from + i) % count];

		if (vd_folds_may_take(v, g, s) && holds(s, redacted))
			*out = s;
	}
	for (size_t i = 0; i < count && expired->count && !*out && !rc; i++) {
		struct vd_segment *s = &v->segments.p[(from + i) % count];
		bool enough = false;

		if (vd_folds_may_take(v, g, s))
			rc = weigh(v, g, s, expired, &looked_at, &enough);
		if (enough)
			*out = s;
	}
	return rc;
}

int vd_visit_shed(struct vd_visit *v, size_t g, struct vd_segment **out)
{
	struct vd_arrivals redacted = { 0 }, expired = { 0 };
	int rc = load(v, g, vd_store_redacted_numbers, &redacted);

	*out = NULL;
	if (!rc && v->expired_through[g])
		rc = load(v, g, vd_store_expired_numbers, &expired);
	if (!rc)
		rc = find(v, g, &redacted, &expired, out);
	vd_arrivals_deinit(&redacted);
	vd_arrivals_deinit(&expired);
	return rc;
}
