/* What sessions showed of what devices hold, and what these said there. Outside of the set.
 *
 * Value "met" of a group and device: u64 when ‖ u8 kind of its route ‖ u8 n ‖ n bytes of its text ‖ 4 × (u64 through ‖ the lane's digest then (16) ‖
 * u64 count of the device's last receipt then, as far as it was known). */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "kept.h"
#include "proto/err.h"

enum { SEEN_AGAIN_MS = 3600000 }; /* so long a meeting that showed nothing new is not written down */

int vd_met_read(struct vd_store *s, const uint8_t *group, const uint8_t *device, struct vd_met *out)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	*out = (struct vd_met){ .seen_ms = 0 };
	vd_kept_parts(group, device, parts);
	rc = vd_value_read(s, "met", parts, 2, &value);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		out->seen_ms = vd_rd_u64(&r);
		vd_route_read(&r, &out->route);
		for (size_t l = 0; l < VD_LANES; l++) {
			out->held.through[l] = vd_rd_u64(&r);
			vd_rd_copy(&r, out->held.digest[l], VD_RECEIPT_DIGEST);
			out->held.said[l] = vd_rd_u64(&r);
		}
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	if (rc)
		*out = (struct vd_met){ .seen_ms = 0 };
	return rc;
}

/* The count of its last receipt then, or of one before: by its low bits the next after the one that was here. Counts are of a clock: what would be yet
 * to come is of one put back, whose next receipts are not to be taken for older. */
static uint64_t said_by(const struct vd_held *held, uint8_t lane, uint64_t now_ms)
{
	uint64_t said = held->said[lane], last = said + (uint32_t)(held->last - (uint32_t)said);

	return said && held->last && last <= now_ms ? last : said;
}

/* Takes in what is new of it: where records came in between, or nothing was known; and where the same was shown again, after other receipts. */
static int more_of(struct vd_store *s, const uint8_t *group, const struct vd_held *held, uint64_t now_ms, struct vd_met *met, bool *more)
{
	struct vd_held *known = &met->held;
	uint64_t next;
	size_t n;
	int rc = VD_OK;

	for (uint8_t l = 0; l < VD_LANES && !rc; l++) {
		uint64_t said = said_by(held, l, now_ms);

		if (!held->through[l] || held->through[l] < known->through[l])
			continue;
		rc = vd_store_lane_numbers(s, group, l, known->through[l], &next, 1, &n);
		if (rc || ((!n || next > held->through[l]) && (!known->through[l] || said <= known->said[l])))
			continue;
		known->said[l] = said;
		known->through[l] = held->through[l];
		memcpy(known->digest[l], held->digest[l], VD_RECEIPT_DIGEST);
		*more = true;
	}
	return rc;
}

int vd_custody_met(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], const struct vd_held *held,
                   const struct vd_route *route, uint64_t now_ms)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };
	struct vd_met met;
	struct vd_write *w;
	bool more = false;
	int rc = vd_met_read(s, group, device, &met);

	if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
		rc = VD_OK;
	if (!rc)
		rc = more_of(s, group, held, now_ms, &met, &more);
	if (rc || (!more && now_ms >= met.seen_ms && now_ms - met.seen_ms < SEEN_AGAIN_MS))
		return rc;
	rc = vd_write_begin(s, &w);
	if (rc)
		return rc;
	vd_buf_put_u64(&value, now_ms);
	vd_route_put(&value, route);
	for (size_t l = 0; l < VD_LANES; l++) {
		vd_buf_put_u64(&value, met.held.through[l]);
		vd_buf_put(&value, met.held.digest[l], VD_RECEIPT_DIGEST);
		vd_buf_put_u64(&value, met.held.said[l]);
	}
	vd_kept_parts(group, device, parts);
	if (value.failed)
		w->err = VD_ENOMEM;
	else
		vd_effects_value(&w->effects, s, "met", parts, 2, vd_buf_slice(&value));
	vd_buf_deinit(&value);
	return vd_write_end(w);
}

/* --- what was said --- */

/* Was it said already, or something later? */
static bool is_known(struct vd_store *s, const uint8_t *group, const uint8_t *device, uint64_t count, uint64_t now_ms)
{
	struct vd_kept kept;
	bool known;

	if (vd_kept_read(s, group, device, &kept))
		return false;
	known = kept.receipt.count >= count && kept.heard_ms <= now_ms && vd_kept_timely(&kept, now_ms);
	vd_kept_deinit(&kept);
	return known;
}

/* Its spans: those that it named, and ours of what it holds as we do; of a lane of which it has every body also where we have not. */
static int spans_of(struct vd_store *s, struct vd_group *group, const struct vd_receipt *r, uint8_t named, struct vd_span **out, size_t *count)
{
	struct vd_slice rest = r->spans;
	uint8_t whole = 0;
	size_t capacity;
	int rc;

	for (size_t l = 0; l < VD_LANES; l++)
		whole = (uint8_t)(whole | r->lanes[l].whole << l);
	rc = vd_custody_spans(s, group, VD_LANES_ALL & ~named, whole, out, count);
	capacity = *count;
	while (!rc && rest.n) {
		if (!vd_room(out, *count, &capacity, 32, sizeof(**out)))
			return VD_ENOMEM;
		if (!vd_receipt_next(&rest, &(*out)[*count]))
			return VD_EFORMAT;
		++*count;
	}
	return rc;
}

/* A device that holds what we do says of it what we would: only what it alone can tell, and its signature, came. Nothing is appended when it is known, or none. */
static int restore(struct vd_store *s, struct vd_group *group, const uint8_t *device, struct vd_slice brief, uint64_t now_ms, struct vd_buf *out)
{
	struct vd_receipt_lane lanes[VD_LANES];
	struct vd_span *spans = NULL;
	struct vd_brief how;
	struct vd_receipt r;
	size_t count;
	int rc = VD_OK;

	if (vd_receipt_brief_decode(brief, &r, &how) || is_known(s, vd_group_id(group), device, r.count, now_ms))
		return VD_OK;
	if (!vd_index_may_wait(s, now_ms))
		rc = vd_index_catch_up(s);
	if (!rc)
		rc = vd_custody_lanes(s, vd_group_id(group), lanes);
	if (!rc)
		rc = spans_of(s, group, &r, how.named, &spans, &count);
	for (size_t l = 0; l < VD_LANES && !rc; l++) {
		if (how.marked >> l & 1)
			continue;
		lanes[l].whole = r.lanes[l].whole;
		r.lanes[l] = lanes[l];
	}
	memcpy(r.author, device, VD_KEY_BYTES);
	if (!rc)
		rc = vd_receipt_restore(&r, spans, count, how.signature, out);
	free(spans);
	return rc;
}

int vd_custody_heed(struct vd_store *s, struct vd_group *group, const uint8_t device[VD_KEY_BYTES], const struct vd_words *words,
                    const struct vd_route *route, uint64_t now_ms, size_t *kept)
{
	struct vd_slice rest = vd_buf_slice(&words->others);
	struct vd_slice *list = calloc(rest.n / VD_RECEIPT_HEAD_MIN + 2, sizeof(*list));
	struct vd_buf own = { 0 };
	size_t count = 0;
	int rc = !list ? VD_ENOMEM : words->own.n ? restore(s, group, device, vd_buf_slice(&words->own), now_ms, &own) : VD_OK;

	if (kept)
		*kept = 0;
	if (!rc && own.n)
		list[count++] = vd_buf_slice(&own);
	while (!rc && vd_receipts_next(&rest, &list[count]))
		count += list[count].n >= VD_RECEIPT_HEAD_MIN;
	if (!rc && count)
		rc = vd_custody_keep(s, group, list, count, route, now_ms, kept);
	vd_buf_deinit(&own);
	free(list);
	return rc;
}

int vd_custody_list(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_told_list *out)
{
	bool silent = true;
	int rc = vd_custody_silent(s, &silent);

	*out = (struct vd_told_list){ .through = now_ms + VD_RECEIPT_AHEAD_MS, .gives = !silent && vd_group_identity(group) && vd_group_role(group) != VD_ROLE_NONE };
	if (!rc)
		rc = vd_custody_told(s, group, now_ms, &out->told, &out->count);
	if (!rc && out->gives)
		rc = vd_custody_said(s, group, now_ms, &out->mine);
	if (rc) {
		free(out->told);
		*out = (struct vd_told_list){ .count = 0 };
	}
	return rc;
}
