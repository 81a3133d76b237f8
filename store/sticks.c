/* Values: "sticks" is their ids; "stick" id: u8 marked ‖ u8 n ‖ name ‖ u64 first seen ‖ u64 last seen ‖ u8 m ‖ m × (u64 when ‖ u64 through) ‖ u64 spared, not there in an older note ‖
 * the anchor, if it has one: its id ‖ u64 seconds ‖ u32 nanoseconds. */
#include "sticks.h"

#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "proto/err.h"

static void read_anchor(struct vd_rd *r, struct vd_stick *out)
{
	struct vd_slice id = vd_rd_take(r, VD_SEGMENT_ID_BYTES);

	out->anchor.written.tv_sec = (time_t)vd_rd_u64(r);
	out->anchor.written.tv_nsec = (long)vd_rd_u32(r);
	out->anchored = !r->err;
	if (out->anchored)
		memcpy(out->anchor.id, id.p, sizeof(out->anchor.id));
}

int vd_stick_get(struct vd_store *s, const uint8_t id[VD_STICK_ID_BYTES], struct vd_stick *out)
{
	const struct vd_slice part = vd_slice(id, VD_STICK_ID_BYTES);
	struct vd_buf value = { 0 };
	struct vd_slice name;
	struct vd_rd r;
	size_t count;
	int rc = vd_value_read(s, "stick", &part, 1, &value); /* VD_ENOTFOUND, or what reading fails with */

	*out = (struct vd_stick){ .marked = false };
	memcpy(out->id, id, VD_STICK_ID_BYTES);
	if (rc)
		return rc;
	r = vd_rd(vd_buf_slice(&value));
	out->marked = vd_rd_u8(&r) != 0;
	name = vd_rd_take(&r, vd_rd_u8(&r));
	if (name.n > VD_NAME_MAX)
		vd_rd_fail(&r, VD_EDAMAGED);
	else if (name.n)
		memcpy(out->name, name.p, name.n);
	out->first_ms = vd_rd_u64(&r);
	out->seen_ms = vd_rd_u64(&r);
	count = vd_rd_u8(&r);
	for (; !r.err && out->visit_count < count && count <= VD_STICK_VISITS; out->visit_count++) {
		out->visits[out->visit_count].at_ms = vd_rd_u64(&r);
		out->visits[out->visit_count].through = vd_rd_u64(&r);
	}
	if (!r.err && r.n)
		out->spared = vd_rd_u64(&r);
	if (!r.err && r.n)
		read_anchor(&r, out);
	vd_buf_deinit(&value);
	if (!vd_rd_end(&r))
		return VD_OK;
	*out = (struct vd_stick){ .marked = false };
	memcpy(out->id, id, VD_STICK_ID_BYTES);
	return VD_EDAMAGED;
}

static int read_ids(struct vd_store *s, struct vd_buf *ids)
{
	int rc = vd_value_read(s, "sticks", NULL, 0, ids);

	if (!rc && ids->n % VD_STICK_ID_BYTES)
		rc = VD_EDAMAGED;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static int by_seen(const void *a, const void *b)
{
	const struct vd_stick *x = a, *y = b;

	if (x->seen_ms != y->seen_ms)
		return x->seen_ms > y->seen_ms ? -1 : 1;
	return memcmp(x->id, y->id, VD_STICK_ID_BYTES);
}

int vd_sticks(struct vd_store *s, struct vd_stick **out, size_t *count)
{
	struct vd_buf ids = { 0 };
	int rc = read_ids(s, &ids);

	*count = 0;
	*out = calloc(ids.n / VD_STICK_ID_BYTES + 1, sizeof(**out));
	if (!rc && !*out)
		rc = VD_ENOMEM;
	for (size_t at = 0; at < ids.n && !rc; at += VD_STICK_ID_BYTES) {
		rc = vd_stick_get(s, ids.p + at, &(*out)[*count]);
		*count += !rc;
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
	}
	vd_buf_deinit(&ids);
	if (rc) {
		free(*out);
		*out = NULL;
		*count = 0;
	} else if (*count) {
		qsort(*out, *count, sizeof(**out), by_seen);
	}
	return rc;
}

static void put_stick(struct vd_write *w, const struct vd_stick *stick)
{
	const struct vd_slice part = vd_slice(stick->id, VD_STICK_ID_BYTES);
	size_t n = strnlen(stick->name, VD_NAME_MAX);
	struct vd_buf value = { 0 };

	vd_buf_put_u8(&value, stick->marked);
	vd_buf_put_u8(&value, (uint8_t)n);
	vd_buf_put(&value, stick->name, n);
	vd_buf_put_u64(&value, stick->first_ms);
	vd_buf_put_u64(&value, stick->seen_ms);
	vd_buf_put_u8(&value, (uint8_t)stick->visit_count);
	for (size_t i = 0; i < stick->visit_count; i++) {
		vd_buf_put_u64(&value, stick->visits[i].at_ms);
		vd_buf_put_u64(&value, stick->visits[i].through);
	}
	vd_buf_put_u64(&value, stick->spared);
	if (stick->anchored) {
		vd_buf_put(&value, stick->anchor.id, sizeof(stick->anchor.id));
		vd_buf_put_u64(&value, (uint64_t)stick->anchor.written.tv_sec);
		vd_buf_put_u32(&value, (uint32_t)stick->anchor.written.tv_nsec);
	}
	if (value.failed)
		w->err = VD_ENOMEM;
	else
		vd_effects_value(&w->effects, w->store, "stick", &part, 1, vd_buf_slice(&value));
	vd_buf_deinit(&value);
}

static void drop_stick(struct vd_write *w, const uint8_t id[VD_STICK_ID_BYTES])
{
	const struct vd_slice part = vd_slice(id, VD_STICK_ID_BYTES);

	vd_effects_value(&w->effects, w->store, "stick", &part, 1, vd_slice(NULL, 0));
}

/* Onto the list, if it is not; the one that is longest gone and nobody marked makes room, and nothing is kept of it. */
static int list_stick(struct vd_write *w, const uint8_t id[VD_STICK_ID_BYTES])
{
	struct vd_stick *all = NULL;
	struct vd_buf ids = { 0 };
	size_t count = 0, drop;
	bool listed = false;
	int rc = vd_sticks(w->store, &all, &count);

	for (size_t i = 0; i < count; i++)
		listed = listed || memcmp(all[i].id, id, VD_STICK_ID_BYTES) == 0;
	if (rc || listed)
		goto done;
	for (drop = count; drop > 0 && all[drop - 1].marked; drop--)
		;
	for (size_t i = 0; i < count; i++) {
		if (count < VD_STICKS_MAX || i + 1 != drop)
			vd_buf_put(&ids, all[i].id, VD_STICK_ID_BYTES);
		else
			drop_stick(w, all[i].id);
	}
	vd_buf_put(&ids, id, VD_STICK_ID_BYTES);
	rc = vd_buf_check(&ids);
	if (!rc)
		vd_effects_value(&w->effects, w->store, "sticks", NULL, 0, vd_buf_slice(&ids));
done:
	vd_buf_deinit(&ids);
	free(all);
	return rc;
}

/* In a transaction of the caller's, which this ends. */
static int put_and_end(struct vd_write *w, const struct vd_stick *stick)
{
	int rc = list_stick(w, stick->id);

	if (rc) {
		vd_write_abort(w);
		return rc;
	}
	put_stick(w, stick);
	return vd_write_end(w);
}

int vd_stick_put(struct vd_store *s, const struct vd_stick *stick)
{
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	return rc ? rc : put_and_end(w, stick);
}

int vd_stick_forget(struct vd_store *s, const uint8_t id[VD_STICK_ID_BYTES])
{
	struct vd_buf ids = { 0 }, kept = { 0 };
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = read_ids(s, &ids);
	for (size_t at = 0; at < ids.n && !rc; at += VD_STICK_ID_BYTES)
		if (memcmp(ids.p + at, id, VD_STICK_ID_BYTES) != 0)
			vd_buf_put(&kept, ids.p + at, VD_STICK_ID_BYTES);
	if (!rc)
		rc = vd_buf_check(&kept);
	if (rc) {
		vd_write_abort(w);
	} else {
		vd_effects_value(&w->effects, s, "sticks", NULL, 0, vd_buf_slice(&kept));
		drop_stick(w, id);
		rc = vd_write_end(w);
	}
	vd_buf_deinit(&ids);
	vd_buf_deinit(&kept);
	return rc;
}

int vd_stick_visited(struct vd_store *s, const uint8_t id[VD_STICK_ID_BYTES], uint64_t now_ms, uint64_t through, uint64_t spared)
{
	struct vd_stick stick;
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	if (vd_stick_get(s, id, &stick))
		stick.first_ms = now_ms;
	stick.seen_ms = now_ms;
	stick.spared = spared;
	/* What it holds less of than before was lost. */
	while (stick.visit_count && stick.visits[stick.visit_count - 1].through > through)
		stick.visit_count--;
	if (through && (!stick.visit_count || stick.visits[stick.visit_count - 1].through < through)) {
		if (stick.visit_count == VD_STICK_VISITS)
			memmove(stick.visits, stick.visits + 1, --stick.visit_count * sizeof(stick.visits[0]));
		stick.visits[stick.visit_count].at_ms = now_ms;
		stick.visits[stick.visit_count++].through = through;
	}
	return put_and_end(w, &stick);
}

int vd_stick_anchor(struct vd_store *s, const uint8_t id[VD_STICK_ID_BYTES], uint64_t now_ms, const struct vd_anchor *anchor)
{
	struct vd_stick stick;
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	if (vd_stick_get(s, id, &stick))
		stick.first_ms = stick.seen_ms = now_ms;
	stick.anchored = true;
	stick.anchor = *anchor;
	return put_and_end(w, &stick);
}

uint64_t vd_stick_since(const struct vd_stick *stick, uint64_t arrival)
{
	for (size_t i = 0; i < stick->visit_count; i++)
		if (stick->visits[i].through >= arrival)
			return stick->visits[i].at_ms;
	return 0;
}
