/* Receipts in the store: our own, and the latest of every other device. Outside the set.
 *
 * Value "receipt" of a group and device: u64 when it came ‖ u8 doubtful ‖ u8 kind of its route ‖ u8 n ‖ n bytes of its text ‖ the receipt.
 * Value "ahead" of a group and device: u64 when one from the future came after that ‖ u64 what its maker's clock showed. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "kept.h"
#include "proto/err.h"
#include "shares.h"

enum {
	ROOMY = 4,         /* times what is kept free of the medium: with less we promise nothing new */
	MOMENT_MS = 10000, /* within it one command, or the rounds of one session, may ask again */
};

void vd_kept_parts(const uint8_t *group, const uint8_t *device, struct vd_slice parts[2])
{
	parts[0] = vd_slice(group, VD_GROUP_BYTES);
	parts[1] = vd_slice(device, VD_KEY_BYTES);
}

void vd_route_read(struct vd_rd *r, struct vd_route *out)
{
	struct vd_slice text;

	out->kind = vd_rd_u8(r);
	text = vd_rd_take(r, vd_rd_u8(r));
	if (text.n >= VD_ROUTE_TEXT || out->kind > VD_ROUTE_FILE)
		vd_rd_fail(r, VD_EDAMAGED);
	else if (text.n)
		memcpy(out->text, text.p, text.n);
}

void vd_route_put(struct vd_buf *value, const struct vd_route *route)
{
	size_t n = strnlen(route->text, VD_ROUTE_TEXT - 1);

	vd_buf_put_u8(value, (uint8_t)route->kind);
	vd_buf_put_u8(value, (uint8_t)n);
	vd_buf_put(value, route->text, n);
}

int vd_kept_read(struct vd_store *s, const uint8_t *group, const uint8_t *device, struct vd_kept *out)
{
	struct vd_slice parts[2];
	struct vd_rd r;
	int rc;

	*out = (struct vd_kept){ .value = { 0 } };
	vd_kept_parts(group, device, parts);
	rc = vd_value_read(s, "receipt", parts, 2, &out->value);
	if (rc)
		goto done;
	r = vd_rd(vd_buf_slice(&out->value));
	out->heard_ms = vd_rd_u64(&r);
	out->doubtful = vd_rd_u8(&r) != 0;
	vd_route_read(&r, &out->route);
	rc = r.err ? VD_EDAMAGED : VD_OK;
	out->bytes = vd_slice(r.p, r.n);
	if (!rc && (vd_receipt_decode(out->bytes, &out->receipt) || memcmp(out->receipt.author, device, VD_KEY_BYTES) != 0))
		rc = VD_EDAMAGED;
done:
	if (rc)
		vd_kept_deinit(out);
	return rc;
}

void vd_kept_deinit(struct vd_kept *kept)
{
	vd_buf_deinit(&kept->value);
}

bool vd_receipt_ahead(uint64_t count, uint64_t now_ms)
{
	return count > now_ms && count - now_ms > VD_RECEIPT_AHEAD_MS;
}

bool vd_kept_timely(const struct vd_kept *kept, uint64_t now_ms)
{
	return !vd_receipt_ahead(kept->receipt.count, kept->heard_ms < now_ms ? kept->heard_ms : now_ms);
}

/* What cannot be read is as good as none: the next one takes its place. */
static int read_if_any(struct vd_store *s, const uint8_t *group, const uint8_t *device, struct vd_kept *out, bool *any)
{
	int rc = vd_kept_read(s, group, device, out);

	*any = rc == VD_OK;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static void put_receipt(struct vd_write *w, const uint8_t *group, const uint8_t *device, struct vd_slice bytes, const struct vd_route *route,
                        bool doubtful, uint64_t now_ms)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };

	vd_buf_put_u64(&value, now_ms);
	vd_buf_put_u8(&value, doubtful);
	vd_route_put(&value, route);
	vd_buf_put_slice(&value, bytes);
	vd_kept_parts(group, device, parts);
	if (value.failed)
		w->err = VD_ENOMEM;
	else
		vd_effects_value(&w->effects, w->store, "receipt", parts, 2, vd_buf_slice(&value));
	vd_buf_deinit(&value);
}

/* --- our own --- */

int vd_custody_lanes(struct vd_store *s, const uint8_t *group, struct vd_receipt_lane out[VD_LANES])
{
	struct vd_lane_state *state = malloc(sizeof(*state));
	int rc = state ? VD_OK : VD_ENOMEM;

	for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
		uint8_t hash[VD_HASH_BYTES];

		rc = vd_store_lane(s, group, lane, state, NULL, 0);
		if (rc)
			break;
		vd_digest_hash(&state->digest, hash);
		out[lane] = (struct vd_receipt_lane){ .count = state->digest.count, .whole = state->stubs == 0 };
		memcpy(out[lane].digest, hash, VD_RECEIPT_DIGEST);
	}
	free(state);
	return rc;
}

int vd_custody_spans(struct vd_store *s, struct vd_group *group, uint8_t lanes, uint8_t links, struct vd_span **out, size_t *count)
{
	static const uint8_t order[VD_LANES] = { VD_LANE_URGENT, VD_LANE_NORMAL, VD_LANE_CONTROL, VD_LANE_BULK };
	const uint8_t *salt = vd_group_salt(group);
	size_t devices = vd_group_device_count(group), capacity = 0;
	struct vd_runs *runs = calloc(devices + 1, sizeof(*runs));
	int rc = !runs ? VD_ENOMEM : !salt ? VD_ENOTFOUND : VD_OK;

	*out = NULL;
	*count = 0;
	for (size_t i = 0; i < devices && !rc; i++) {
		rc = vd_runs_read(s, vd_group_id(group), vd_group_device(group, i)->author, &runs[i]);
		if (rc == VD_EDAMAGED) {
			runs[i] = (struct vd_runs){ 0 };
			rc = VD_OK;
		}
	}
	for (size_t o = 0; o < VD_LANES && !rc; o++)
		for (size_t i = 0; i < devices && !rc; i++) {
			const struct vd_run_lane *lane = &runs[i].lanes[order[o] + (links >> order[o] & 1 ? VD_LINKS : 0)];

			for (size_t k = 0; k < lane->count && lanes >> order[o] & 1 && !rc; k++) {
				struct vd_item item;

				if (!vd_room(out, *count, &capacity, 32, sizeof(**out))) {
					rc = VD_ENOMEM;
					break;
				}
				vd_item_of(salt, &lane->runs[k].head, &item);
				memcpy((*out)[*count].item, item.b, VD_ITEM_BYTES);
				(*out)[(*count)++].length = lane->runs[k].high - lane->runs[k].low + 1;
			}
		}
	free(runs);
	return rc;
}

/* For so many days from now we promise. */
static uint32_t promise_days(struct vd_store *s)
{
	uint64_t free_bytes, kept_bytes;
	struct vd_shares set;

	if (vd_shares_get(s, &set) || vd_shares_room(s, &free_bytes, &kept_bytes) || free_bytes / ROOMY < kept_bytes)
		return 0;
	return (uint32_t)set.promise_days;
}

static int keep_own(struct vd_store *s, struct vd_group *group, struct vd_slice bytes, uint64_t now_ms)
{
	const struct vd_route here = { .kind = VD_ROUTE_NONE };
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	put_receipt(w, vd_group_id(group), vd_group_identity(group)->author, bytes, &here, false, now_ms);
	return vd_write_end(w);
}

/* Is it our own last word that was from the future, rather than our clock that is behind now? To be wrong destroys nothing: who knows of that word takes
 * none of ours until its time. So what can be believed for that does, and one other whose word came since and is of about now, if no more say that it is later. */
static int is_put_right(struct vd_store *s, struct vd_group *group, uint64_t now_ms, bool *yes)
{
	struct vd_others others;
	int rc = vd_clock_believed(s, vd_group_id(group), now_ms, UINT64_MAX, yes);

	if (rc || *yes)
		return rc;
	rc = vd_custody_others(s, group, now_ms, &others);
	*yes = !rc && others.about > others.ahead;
	return rc;
}

/* The promise alone is said again when half of it is over. */
static bool is_promised(uint32_t until, uint32_t today, uint32_t days)
{
	return !days || until >= today + days / 2;
}

static bool is_restored(struct vd_store *s, struct vd_group *group)
{
	uint64_t noticed_ms;

	return vd_store_elsewhere(s, vd_group_id(group), vd_group_identity(group)->author, &noticed_ms) == VD_OK;
}

int vd_custody_said(struct vd_store *s, struct vd_group *group, uint64_t now_ms, uint64_t *count)
{
	struct vd_receipt_lane lanes[VD_LANES];
	struct vd_kept last;
	bool any, same;
	int rc = read_if_any(s, vd_group_id(group), vd_group_identity(group)->author, &last, &any);

	*count = 0;
	if (rc || !any)
		return rc;
	rc = vd_custody_lanes(s, vd_group_id(group), lanes);
	same = !rc && !last.doubtful && !vd_receipt_ahead(last.receipt.count, now_ms) && last.receipt.restored == is_restored(s, group) &&
	       is_promised(last.receipt.keep_until, (uint32_t)(now_ms / VD_DAY_MS), promise_days(s));
	for (size_t l = 0; l < VD_LANES && same; l++) {
		const struct vd_receipt_lane *then = &last.receipt.lanes[l];

		same = then->count == lanes[l].count && then->whole == lanes[l].whole &&
		       (!then->count || memcmp(then->digest, lanes[l].digest, VD_RECEIPT_DIGEST) == 0);
	}
	if (same)
		*count = last.receipt.count;
	vd_kept_deinit(&last);
	return rc;
}

/* After much came at once the index is behind, and with it the spans: what is said of chains then is what was so before, but for bodies that went since, and
 * the lanes' digests say the rest to who has the same. That is said once; who is asked again a moment later says all. */
static int catch_up(struct vd_store *s, const struct vd_kept *last, uint64_t now_ms)
{
	uint64_t since_ms;

	if (vd_index_waits(s, now_ms, &since_ms) && (!last || last->heard_ms < since_ms || last->heard_ms > now_ms || now_ms - last->heard_ms < MOMENT_MS))
		return vd_index_settle(s);
	return vd_index_catch_up(s);
}

int vd_custody_say(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_buf *out)
{
	const uint8_t *id = vd_group_id(group);
	uint32_t today = (uint32_t)(now_ms / VD_DAY_MS), days;
	struct vd_kept last = { .value = { 0 } };
	struct vd_receipt now = { .time_ms = now_ms };
	struct vd_span *spans = NULL;
	size_t count = 0, from = out->n;
	bool any = false, ahead = false;
	int rc = !vd_group_identity(group) ? VD_EKEY : read_if_any(s, id, vd_group_identity(group)->author, &last, &any);

	if (!rc)
		rc = catch_up(s, any ? &last : NULL, now_ms);
	if (!rc)
		rc = vd_custody_lanes(s, id, now.lanes);
	if (!rc)
		rc = vd_custody_spans(s, group, VD_LANES_ALL, 0, &spans, &count);
	if (rc)
		goto done;
	/* Above what a copy of this device may have said, if the clocks agree; and above what came here of that; but not of what was said by a
	 * clock in the future, which nobody believes: when it is known that it was that, and not that ours is behind now. */
	if (any && vd_receipt_ahead(last.receipt.count, now_ms) && is_put_right(s, group, now_ms, &ahead))
		ahead = false;
	now.count = any && !ahead && last.receipt.count >= now_ms ? last.receipt.count + 1 : now_ms;
	now.restored = is_restored(s, group);
	days = promise_days(s);
	now.keep_until = days ? today + days : 0;
	if (any && last.receipt.keep_until > now.keep_until)
		now.keep_until = last.receipt.keep_until;
	rc = vd_receipt_make(group, &now, spans, count, out);
	if (rc)
		goto done;
	if (any && !ahead && !last.doubtful && vd_receipt_same(last.bytes, vd_slice(out->p + from, out->n - from)) &&
	    is_promised(last.receipt.keep_until, today, days)) {
		out->n = from;
		vd_buf_put_slice(out, last.bytes);
		rc = vd_buf_check(out);
	} else {
		rc = keep_own(s, group, vd_slice(out->p + from, out->n - from), now_ms);
	}
done:
	free(spans);
	vd_kept_deinit(&last);
	return rc;
}

static const char silent_note[] = "receipts";

int vd_custody_silent(struct vd_store *s, bool *out)
{
	struct vd_buf note = { 0 };
	int rc = vd_store_note(s, silent_note, vd_slice(NULL, 0), &note);

	*out = !rc;
	vd_buf_deinit(&note);
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_custody_silence(struct vd_store *s, bool silent)
{
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (rc)
		return rc;
	rc = vd_write_note(w, silent_note, vd_slice(NULL, 0), vd_slice("off", silent ? 3 : 0));
	if (rc) {
		vd_write_abort(w);
		return rc;
	}
	return vd_write_end(w);
}

int vd_custody_promised(struct vd_store *s, struct vd_group *group, uint32_t *day)
{
	const struct vd_identity *us = vd_group_identity(group);
	struct vd_kept kept;
	int rc = us ? vd_kept_read(s, vd_group_id(group), us->author, &kept) : VD_ENOTFOUND;

	*day = 0;
	if (rc)
		return rc == VD_ENOTFOUND ? VD_OK : rc;
	*day = kept.receipt.keep_until;
	vd_kept_deinit(&kept);
	return VD_OK;
}

/* --- others' --- */

/* Is it later than what is kept, or as late and another one? What is from the future comes before all that is not. */
static int is_news(struct vd_store *s, struct vd_group *group, struct vd_slice bytes, uint64_t now_ms, bool *news, bool *doubtful)
{
	struct vd_receipt r;
	struct vd_kept kept;
	bool any;
	int rc = vd_receipt_decode(bytes, &r) ? VD_EFORMAT : read_if_any(s, vd_group_id(group), r.author, &kept, &any);

	*news = *doubtful = false;
	if (rc)
		return rc == VD_EFORMAT ? VD_OK : rc;
	if (any && kept.receipt.count == r.count) {
		*doubtful = !kept.doubtful && !vd_slice_eq(kept.bytes, bytes);
		/* Heard when our clock was in the future, or so far behind that this was from the future: heard now. */
		*news = *doubtful || (!kept.doubtful && (kept.heard_ms > now_ms || (!vd_kept_timely(&kept, now_ms) && !vd_receipt_ahead(r.count, now_ms))));
	} else if (any && vd_kept_timely(&kept, now_ms) == vd_receipt_ahead(r.count, now_ms)) {
		*news = !vd_receipt_ahead(r.count, now_ms);
	} else {
		*news = !any || kept.receipt.count < r.count;
	}
	if (any)
		vd_kept_deinit(&kept);
	if (*news && vd_receipt_verify(group, bytes, &r))
		*news = false;
	return VD_OK;
}

/* Of two with one count everybody keeps the same. */
static int keep_one(struct vd_write *w, struct vd_group *group, struct vd_slice bytes, bool doubtful, const struct vd_route *route, uint64_t now_ms)
{
	struct vd_receipt r;
	struct vd_kept kept;
	int rc = vd_receipt_decode(bytes, &r);

	if (rc || !doubtful) {
		if (!rc)
			put_receipt(w, vd_group_id(group), r.author, bytes, route, false, now_ms);
		return rc;
	}
	rc = vd_kept_read(w->store, vd_group_id(group), r.author, &kept);
	if (rc)
		return rc;
	put_receipt(w, vd_group_id(group), r.author, vd_slice_cmp(bytes, kept.bytes) > 0 ? bytes : kept.bytes, route, true, now_ms);
	vd_kept_deinit(&kept);
	return VD_OK;
}

/* By a later one among those that came together? */
static bool is_superseded(const struct vd_slice *receipts, size_t count, uint64_t now_ms, size_t i)
{
	struct vd_receipt one, other;

	if (vd_receipt_decode(receipts[i], &one))
		return true;
	for (size_t k = 0; k < count; k++)
		if (k != i && !vd_receipt_decode(receipts[k], &other) && !memcmp(one.author, other.author, VD_KEY_BYTES)) {
			bool ahead = vd_receipt_ahead(other.count, now_ms);

			if (ahead != vd_receipt_ahead(one.count, now_ms) ? !ahead : other.count > one.count || (other.count == one.count && k < i))
				return true;
		}
	return false;
}

int vd_ahead_read(struct vd_store *s, const uint8_t *group, const uint8_t *device, struct vd_ahead *out)
{
	struct vd_slice parts[2];
	struct vd_buf value = { 0 };
	struct vd_rd r;
	int rc;

	*out = (struct vd_ahead){ 0 };
	vd_kept_parts(group, device, parts);
	rc = vd_value_read(s, "ahead", parts, 2, &value);
	if (!rc) {
		r = vd_rd(vd_buf_slice(&value));
		out->heard_ms = vd_rd_u64(&r);
		out->shown_ms = vd_rd_u64(&r);
		rc = vd_rd_end(&r) ? VD_EDAMAGED : VD_OK;
	}
	vd_buf_deinit(&value);
	return rc;
}

/* One that is no news for being from the future: that it came tells why nothing newer is known. */
static int note_ahead(struct vd_store *s, struct vd_group *group, struct vd_slice bytes, uint64_t now_ms, struct vd_write **w, bool *noted)
{
	struct vd_slice parts[2];
	struct vd_ahead known;
	struct vd_receipt r;
	uint8_t value[16];
	int rc;

	if (vd_receipt_decode(bytes, &r) || !vd_receipt_ahead(r.count, now_ms))
		return VD_OK;
	rc = vd_ahead_read(s, vd_group_id(group), r.author, &known);
	if (!rc && known.shown_ms >= r.count && known.heard_ms <= now_ms)
		return VD_OK;
	rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	if (rc || vd_receipt_verify(group, bytes, &r))
		return rc;
	if (!*w)
		rc = vd_write_begin(s, w);
	if (rc)
		return rc;
	vd_set_u64(value, now_ms);
	vd_set_u64(value + 8, r.count);
	vd_kept_parts(vd_group_id(group), r.author, parts);
	vd_effects_value(&(*w)->effects, s, "ahead", parts, 2, vd_slice(value, sizeof(value)));
	*noted = true;
	return VD_OK;
}

int vd_custody_keep(struct vd_store *s, struct vd_group *group, const struct vd_slice *receipts, size_t count, const struct vd_route *route,
                    uint64_t now_ms, size_t *kept)
{
	struct vd_write *w = NULL;
	bool noted = false;
	size_t n = 0;
	int rc = VD_OK;

	for (size_t i = 0; i < count && !rc; i++) {
		bool news, doubtful;

		if (is_superseded(receipts, count, now_ms, i))
			continue;
		rc = is_news(s, group, receipts[i], now_ms, &news, &doubtful);
		if (!rc && !news)
			rc = note_ahead(s, group, receipts[i], now_ms, &w, &noted);
		if (rc || !news)
			continue;
		if (!w)
			rc = vd_write_begin(s, &w);
		/* Another process may have been quicker. */
		if (!rc)
			rc = is_news(s, group, receipts[i], now_ms, &news, &doubtful);
		if (!rc && news)
			rc = keep_one(w, group, receipts[i], doubtful, route, now_ms);
		n += !rc && news;
	}
	if (kept)
		*kept = rc ? 0 : n;
	if (rc || (!n && !noted)) {
		vd_write_abort(w);
		return rc;
	}
	return vd_write_end(w);
}

static int by_author(const void *a, const void *b)
{
	return memcmp(((const struct vd_told *)a)->author, ((const struct vd_told *)b)->author, VD_KEY_BYTES);
}

int vd_custody_told(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_told **out, size_t *count)
{
	size_t devices = vd_group_device_count(group);
	struct vd_told *told = calloc(devices + 1, sizeof(*told));
	int rc = told ? VD_OK : VD_ENOMEM;

	*out = NULL;
	*count = 0;
	for (size_t i = 0; i < devices && !rc; i++) {
		const struct vd_device *d = vd_group_device(group, i);
		struct vd_kept kept;
		bool any;

		if (d->role == VD_ROLE_NONE)
			continue;
		rc = read_if_any(s, vd_group_id(group), d->author, &kept, &any);
		if (rc || !any)
			continue;
		if (vd_kept_timely(&kept, now_ms)) {
			told[*count] = (struct vd_told){ .count = kept.receipt.count, .bytes = kept.bytes.n };
			memcpy(told[(*count)++].author, d->author, VD_KEY_BYTES);
		}
		vd_kept_deinit(&kept);
	}
	if (rc) {
		free(told);
		return rc;
	}
	if (*count)
		qsort(told, *count, sizeof(*told), by_author);
	*out = told;
	return VD_OK;
}

static int gather_one(struct vd_store *s, const uint8_t *group, const struct vd_told *told, struct vd_receipts *out)
{
	size_t from = out->bytes.n;
	int rc = vd_custody_receipt(s, group, told->author, &out->bytes);

	if (rc)
		return rc;
	out->told[out->count] = *told;
	/* Where it stands once all are there. */
	out->list[out->count++].n = out->bytes.n - from;
	return VD_OK;
}

int vd_receipts_gather(struct vd_store *s, struct vd_group *group, uint64_t now_ms, size_t max_bytes, bool (*lacks)(void *ctx, const struct vd_told *),
                       void *ctx, struct vd_receipts *out)
{
	struct vd_buf own = { 0 };
	struct vd_told *told = NULL;
	const uint8_t *at;
	size_t count = 0;
	bool silent = false;
	int rc = vd_custody_silent(s, &silent);

	*out = (struct vd_receipts){ .count = 0 };
	if (!rc && !silent)
		rc = vd_custody_say(s, group, now_ms, &own);
	vd_buf_deinit(&own);
	/* On a medium that takes nothing any more nothing new is promised: what was said last goes along. */
	if (rc == VD_EIO || rc == VD_ENOSPACE || rc == VD_EDENIED)
		rc = VD_OK;
	if (rc == VD_EKEY || rc == VD_ENOTFOUND || !vd_group_identity(group))
		return VD_OK;
	if (!rc)
		rc = vd_custody_told(s, group, now_ms, &told, &count);
	out->list = calloc(count + 1, sizeof(*out->list));
	out->told = calloc(count + 1, sizeof(*out->told));
	if (!rc && (!out->list || !out->told))
		rc = VD_ENOMEM;
	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < count && !rc; i++) {
			bool ours = !memcmp(told[i].author, vd_group_identity(group)->author, VD_KEY_BYTES);

			if (ours == !others && !(ours && silent) && out->bytes.n + told[i].bytes <= max_bytes && (!lacks || lacks(ctx, &told[i])))
				rc = gather_one(s, vd_group_id(group), &told[i], out);
		}
	at = out->bytes.p;
	for (size_t i = 0; i < out->count; i++) {
		out->list[i].p = at;
		at += out->list[i].n;
	}
	free(told);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

void vd_receipts_deinit(struct vd_receipts *r)
{
	vd_buf_deinit(&r->bytes);
	free(r->list);
	free(r->told);
	*r = (struct vd_receipts){ .count = 0 };
}

int vd_custody_receipt(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], struct vd_buf *out)
{
	struct vd_kept kept;
	int rc = vd_kept_read(s, group, device, &kept);

	if (rc)
		return rc;
	vd_buf_put_slice(out, kept.bytes);
	vd_kept_deinit(&kept);
	return vd_buf_check(out);
}

int vd_custody_doubtful(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], const uint8_t device[VD_KEY_BYTES], bool *yes)
{
	struct vd_kept kept;
	bool any;
	int rc = read_if_any(s, group, device, &kept, &any);

	*yes = false;
	if (rc || !any)
		return rc;
	*yes = kept.doubtful;
	vd_kept_deinit(&kept);
	return VD_OK;
}
