/* Can our clock be believed, for what destroys? A battery that died, or a date typed wrong, must destroy nothing. It can when it has run for a week
 * without a jump, as far as we looked; or when two others lately wrote at about the time it shows; but not one that shows a time at which there was no
 * vereda yet, or will be none.
 *
 * And how long has something been here? A clock may be wrong and run well for years: what it shows tells nothing of that, but what it ran does. So the time
 * is counted that goes by between two looks with no jump between them; of a longer gap it counts only when others agreed on the time before it and after.
 * Of what came a list says how much had been counted by then, thinned out towards its beginning: what came counts as no older than the next mark.
 *
 * The value "clock": u64 our clock when we last looked ‖ u64 our clock when we first did, or it jumped last ‖ u64 ms counted ‖ u64 our clock when others
 * last agreed (0: never) ‖ u64 ms counted by then ‖ u64 how often this was written on that day ‖ (u64 arrival ‖ u64 ms counted) * n, ascending. */
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum {
	HEAD_BYTES = 6 * 8,
	MARK_BYTES = 2 * 8,
	JUMP_DAYS = 10,      /* between two looks, and between us and others: a jump */
	STEADY_DAYS = 7,     /* without one: the clock can be believed */
	LATELY_RECORDS = 64, /* that came last, among which we look for others' times */
	WRITES_A_DAY = 4,    /* for marks alone */
	ASKED_MAX = 8,       /* authors who may agree */
	CORRECTION_MS = 60 * 1000, /* back by no more: no jump */
};
static const uint64_t jump_ms = JUMP_DAYS * (uint64_t)VD_DAY_MS;

bool vd_clock_can_be(uint64_t now_ms)
{
	return now_ms >= UINT64_C(1767225600000) && now_ms < UINT64_C(2082758400000); /* 2026-01-01 to 2036-01-01 */
}

static void decode(struct vd_slice value, struct vd_clock *out)
{
	struct vd_rd r = vd_rd(value);

	*out = (struct vd_clock){ .set = true, .last_ms = vd_rd_u64(&r), .jumped_ms = vd_rd_u64(&r) };
	out->ran_ms = vd_rd_u64(&r);
	out->agreed_ms = vd_rd_u64(&r);
	out->agreed_ran_ms = vd_rd_u64(&r);
	out->writes = vd_rd_u64(&r);
	while (r.n && out->mark_count < VD_CLOCK_MARKS) {
		struct vd_clock_mark *mark = &out->marks[out->mark_count++];

		mark->arrival = vd_rd_u64(&r);
		mark->ran_ms = vd_rd_u64(&r);
	}
	if (vd_rd_end(&r))
		*out = (struct vd_clock){ 0 };
}

static int read_seen(struct vd_store *s, struct vd_clock *out)
{
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, "clock", NULL, 0, &value);

	*out = (struct vd_clock){ 0 };
	if (!rc)
		decode(vd_buf_slice(&value), out);
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

/* As it is now. A network that sets it right by less than a minute is no jump. What was counted for a jump ahead that was small enough to be none is taken off when the clock goes back. */
static void go_on(struct vd_clock *c, uint64_t now_ms)
{
	uint64_t on_ms = now_ms > c->last_ms ? now_ms - c->last_ms : 0, back_ms = c->last_ms > now_ms ? c->last_ms - now_ms : 0;
	bool steady = c->set && on_ms <= jump_ms && back_ms <= CORRECTION_MS;

	back_ms = back_ms < jump_ms ? back_ms : jump_ms;
	if (steady)
		c->ran_ms += on_ms;
	c->ran_ms -= back_ms < c->ran_ms ? back_ms : c->ran_ms;
	if (!steady)
		c->jumped_ms = now_ms;
	if (!c->set || c->last_ms / VD_DAY_MS != now_ms / VD_DAY_MS)
		c->writes = 0;
	c->last_ms = now_ms;
	c->set = true;
}

/* Others agree now. */
static void agree(struct vd_clock *c, uint64_t now_ms)
{
	if (c->agreed_ms && now_ms > c->agreed_ms && c->agreed_ran_ms + (now_ms - c->agreed_ms) > c->ran_ms)
		c->ran_ms = c->agreed_ran_ms + (now_ms - c->agreed_ms);
	c->agreed_ms = now_ms;
	c->agreed_ran_ms = c->ran_ms;
}

/* All that is here was by now. The last mark moves on while it is within a day of the one before, so there are at most two a day. */
static void mark(struct vd_clock *c, uint64_t latest)
{
	size_t n = c->mark_count, kept = 0;

	if (n && c->marks[n - 1].arrival >= latest)
		return;
	if (n > 1 && c->ran_ms < c->marks[n - 2].ran_ms + VD_DAY_MS)
		n--;
	if (n == VD_CLOCK_MARKS) {
		for (size_t i = 0; i < n; i++)
			if (i >= n / 2 || i % 2)
				c->marks[kept++] = c->marks[i];
		n = kept;
	}
	c->marks[n] = (struct vd_clock_mark){ latest, c->ran_ms };
	c->mark_count = n + 1;
}

uint64_t vd_clock_lived(const struct vd_clock *c, uint64_t arrival)
{
	size_t from = 0, to = c->mark_count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (c->marks[mid].arrival < arrival)
			from = mid + 1;
		else
			to = mid;
	}
	return from < c->mark_count && c->ran_ms > c->marks[from].ran_ms ? c->ran_ms - c->marks[from].ran_ms : 0;
}

int vd_clock_read(struct vd_store *s, uint64_t now_ms, struct vd_clock *out)
{
	int rc = read_seen(s, out);

	go_on(out, now_ms);
	return rc;
}

static int put(struct vd_store *s, const struct vd_clock *c)
{
	const uint64_t head[] = { c->last_ms, c->jumped_ms, c->ran_ms, c->agreed_ms, c->agreed_ran_ms, c->writes };
	uint8_t value[HEAD_BYTES + VD_CLOCK_MARKS * MARK_BYTES];
	struct vd_write *w;
	int rc = vd_write_begin(s, &w);

	if (!rc) {
		w->takes_in = true; /* not worth the reserve */
		for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++)
			vd_set_u64(value + i * 8, head[i]);
		for (size_t i = 0; i < c->mark_count; i++) {
			vd_set_u64(value + HEAD_BYTES + i * MARK_BYTES, c->marks[i].arrival);
			vd_set_u64(value + HEAD_BYTES + i * MARK_BYTES + 8, c->marks[i].ran_ms);
		}
		vd_effects_value(&w->effects, s, "clock", NULL, 0, vd_slice(value, HEAD_BYTES + c->mark_count * MARK_BYTES));
		rc = vd_write_end(w);
	}
	/* Where it cannot be written down, a week is counted later. */
	return rc == VD_ENOMEM || rc == VD_EKEY ? rc : VD_OK;
}

static bool is_about(uint64_t now_ms, uint64_t time_ms)
{
	return (time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms) <= jump_ms;
}

/* Did two others, of those whose records came last, write at about the time that our clock shows? The group is loaded only when it seems so. */
static int others_agree(struct vd_store *s, const uint8_t group_id[VD_GROUP_BYTES], uint64_t now_ms, bool *out)
{
	uint8_t authors[ASKED_MAX][VD_KEY_BYTES];
	struct vd_group *group = NULL;
	struct vd_buf raw = { 0 };
	size_t count = 0, agreeing = 0;
	uint64_t arrival = 0;
	int rc = vd_store_latest(s, &arrival);

	for (int i = 0; i < LATELY_RECORDS && arrival && count < ASKED_MAX && !rc; i++, arrival--) {
		struct vd_record record;
		size_t k = 0;

		rc = vd_store_read(s, arrival, &raw, &record, NULL);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED) {
			rc = VD_OK;
			continue;
		}
		if (rc || memcmp(record.group, group_id, VD_GROUP_BYTES) || !is_about(now_ms, record.time_ms))
			continue;
		while (k < count && memcmp(record.author, authors[k], VD_KEY_BYTES))
			k++;
		if (k == count)
			memcpy(authors[count++], record.author, VD_KEY_BYTES);
	}
	if (!rc && count >= 2)
		rc = vd_store_group(s, group_id, &group);
	for (size_t k = 0; k < count && group; k++) {
		const struct vd_device *author = vd_group_find(group, authors[k]);

		agreeing += author && author->role != VD_ROLE_NONE && memcmp(authors[k], vd_group_identity(group)->author, VD_KEY_BYTES);
	}
	vd_group_free(group);
	vd_buf_wipe(&raw);
	*out = agreeing >= 2;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

/* Worth asking: not twice in a day when they agreed, nor while nothing came since they did not. */
static int agree_now(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint64_t latest, bool again, struct vd_clock *c,
                     bool *moved)
{
	uint64_t asked = latest ^ vd_get_u64(group);
	bool yes;
	int rc;

	*moved = false;
	if (c->agreed_ms / VD_DAY_MS == now_ms / VD_DAY_MS || (!again && atomic_load(&s->clock_asked) == asked))
		return VD_OK;
	rc = others_agree(s, group, now_ms, &yes);
	atomic_store(&s->clock_asked, asked);
	*moved = !rc && yes;
	if (*moved)
		agree(c, now_ms);
	return rc;
}

int vd_clock_look(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms)
{
	uint64_t latest = 0;
	struct vd_clock seen, now;
	bool due, agreed;
	int rc = read_seen(s, &seen);

	if (!rc)
		rc = vd_store_latest(s, &latest);
	if (rc)
		return rc;
	now = seen;
	go_on(&now, now_ms);
	due = !seen.set || now.jumped_ms != seen.jumped_ms || now_ms / VD_DAY_MS != seen.last_ms / VD_DAY_MS;
	rc = agree_now(s, group, now_ms, latest, due, &now, &agreed);
	if (rc)
		return rc;
	due |= agreed || (now.writes < WRITES_A_DAY && latest && (!now.mark_count || now.marks[now.mark_count - 1].arrival < latest));
	if (!due)
		return VD_OK;
	mark(&now, latest);
	now.writes++;
	return put(s, &now);
}

int vd_clock_believed(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint64_t since_ms, bool *out)
{
	struct vd_clock now;
	int rc = vd_clock_read(s, now_ms, &now);

	*out = false;
	if (rc || !vd_clock_can_be(now_ms))
		return rc;
	*out = now.jumped_ms <= since_ms && now_ms - now.jumped_ms >= STEADY_DAYS * (uint64_t)VD_DAY_MS;
	return *out ? rc : others_agree(s, group, now_ms, out);
}
