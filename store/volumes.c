#include "volumes.h"

#include <string.h>

#include "proto/err.h"

enum { NOTE_MAX = 4096 };
static const char use[] = "volumes";

void vd_volume_mark(struct vd_volume_set *s, uint16_t number)
{
	s->have[(number - 1) / 8] |= (uint8_t)(1 << (number - 1) % 8);
}

bool vd_volume_here(const struct vd_volume_set *s, uint16_t number)
{
	return s->have[(number - 1) / 8] >> (number - 1) % 8 & 1;
}

static bool next(struct vd_rd *r, struct vd_volume_set *out)
{
	*out = (struct vd_volume_set){ 0 };
	vd_rd_copy(r, out->set, sizeof(out->set));
	out->count = vd_rd_u16(r);
	if (out->count > VD_VOLUMES_MAX)
		vd_rd_fail(r, VD_EDAMAGED);
	vd_rd_copy(r, out->have, (out->count + 7u) / 8);
	return !r->err;
}

static void put(struct vd_buf *out, const struct vd_volume_set *s)
{
	vd_buf_put(out, s->set, sizeof(s->set));
	vd_buf_put_u16(out, s->count);
	vd_buf_put(out, s->have, (s->count + 7u) / 8);
}

static bool is_of(const struct vd_volume_set *s, const struct vd_volume *v)
{
	return s->count == v->count && memcmp(s->set, v->set, sizeof(s->set)) == 0;
}

static int load(struct vd_store *store, struct vd_buf *out)
{
	int rc = vd_store_note(store, use, vd_slice(NULL, 0), out);

	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static void find(const struct vd_buf *note, const struct vd_volume *v, struct vd_volume_set *out)
{
	struct vd_rd r = vd_rd(vd_buf_slice(note));

	while (next(&r, out))
		if (is_of(out, v))
			return;
	*out = (struct vd_volume_set){ .count = v->count };
	memcpy(out->set, v->set, sizeof(out->set));
}

int vd_volumes_find(struct vd_store *store, const struct vd_volume *v, struct vd_volume_set *out)
{
	struct vd_buf note = { 0 };
	int rc = load(store, &note);

	find(&note, v, out);
	vd_buf_deinit(&note);
	return rc;
}

int vd_volumes_arrived(struct vd_store *store, const struct vd_volume *v)
{
	struct vd_buf before = { 0 }, after = { 0 };
	struct vd_volume_set set;
	struct vd_write *w = NULL;
	struct vd_rd r;
	int rc = vd_write_begin(store, &w);

	if (!rc)
		rc = load(store, &before);
	if (rc)
		goto done;
	find(&before, v, &set);
	if (vd_volume_here(&set, v->number))
		goto done;
	vd_volume_mark(&set, v->number);
	put(&after, &set);
	r = vd_rd(vd_buf_slice(&before));
	while (next(&r, &set)) {
		if (is_of(&set, v))
			continue;
		if (after.n + sizeof(set.set) + 2 + (set.count + 7u) / 8 > NOTE_MAX)
			break;
		put(&after, &set);
	}
	rc = vd_buf_check(&after);
	if (!rc)
		rc = vd_write_note(w, use, vd_slice(NULL, 0), vd_buf_slice(&after));
	if (!rc) {
		rc = vd_write_commit(w);
		w = NULL;
	}
done:
	if (w)
		vd_write_abort(w);
	vd_buf_deinit(&before);
	vd_buf_deinit(&after);
	return rc;
}
