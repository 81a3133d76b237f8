/* Can our clock be believed, for what destroys? A battery that died, or a date typed wrong, must destroy nothing. It can when it has run for a week
 * without a jump, as far as we looked; or when two others lately wrote at about the time it shows.
 *
 * The value "clock": u64 our clock when we last looked ‖ u64 our clock when we first did, or it jumped last. Written once a day, and when it jumped. */
#include <string.h>

#include "inside.h"
#include "proto/err.h"

enum {
	CLOCK_BYTES = 2 * 8,
	JUMP_DAYS = 10,      /* between two looks, and between us and others: a jump */
	STEADY_DAYS = 7,     /* without one: the clock can be believed */
	LATELY_RECORDS = 64, /* that came last, among which we look for others' times */
};

struct seen {
	uint64_t last_ms, jumped_ms;
	bool set;
};

static int read_seen(struct vd_store *s, struct seen *out)
{
	struct vd_buf value = { 0 };
	int rc = vd_value_read(s, "clock", NULL, 0, &value);

	out->set = !rc && value.n == CLOCK_BYTES;
	out->last_ms = out->set ? vd_get_u64(value.p) : 0;
	out->jumped_ms = out->set ? vd_get_u64(value.p + 8) : 0;
	vd_buf_deinit(&value);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static uint64_t jumped_last(const struct seen *seen, uint64_t now_ms)
{
	bool steady = seen->set && now_ms >= seen->last_ms && now_ms - seen->last_ms <= JUMP_DAYS * (uint64_t)VD_DAY_MS;

	return steady ? seen->jumped_ms : now_ms;
}

int vd_clock_look(struct vd_store *s, uint64_t now_ms)
{
	uint8_t value[CLOCK_BYTES];
	struct vd_write *w;
	struct seen seen;
	uint64_t jumped_ms;
	int rc = read_seen(s, &seen);

	if (rc)
		return rc;
	jumped_ms = jumped_last(&seen, now_ms);
	if (seen.set && jumped_ms == seen.jumped_ms && now_ms / VD_DAY_MS == seen.last_ms / VD_DAY_MS)
		return VD_OK;
	rc = vd_write_begin(s, &w);
	if (!rc) {
		w->takes_in = true; /* not worth the reserve */
		vd_set_u64(value, now_ms);
		vd_set_u64(value + 8, jumped_ms);
		vd_effects_value(&w->effects, s, "clock", NULL, 0, vd_slice(value, sizeof(value)));
		rc = vd_write_end(w);
	}
	/* Where it cannot be written down, a week is counted later. */
	return rc == VD_ENOMEM || rc == VD_EKEY ? rc : VD_OK;
}

static bool is_about(uint64_t now_ms, uint64_t time_ms)
{
	return (time_ms > now_ms ? time_ms - now_ms : now_ms - time_ms) <= JUMP_DAYS * (uint64_t)VD_DAY_MS;
}

/* Did two others, of those whose records came last, write at about the time that our clock shows? */
static int others_agree(struct vd_store *s, const uint8_t group_id[VD_GROUP_BYTES], uint64_t now_ms, bool *out)
{
	uint8_t authors[2][VD_KEY_BYTES];
	struct vd_group *group = NULL;
	struct vd_buf raw = { 0 };
	size_t count = 0;
	uint64_t arrival = 0;
	int rc = vd_store_group(s, group_id, &group);

	if (!rc)
		rc = vd_store_latest(s, &arrival);
	for (int i = 0; i < LATELY_RECORDS && arrival && count < 2 && !rc; i++, arrival--) {
		const struct vd_device *author;
		struct vd_record record;

		rc = vd_store_read(s, arrival, &raw, &record, NULL);
		if (rc == VD_ENOTFOUND || rc == VD_EDAMAGED)
			rc = VD_OK;
		else if (!rc && !memcmp(record.group, group_id, VD_GROUP_BYTES) && is_about(now_ms, record.time_ms) &&
		         memcmp(record.author, vd_group_identity(group)->author, VD_KEY_BYTES) &&
		         (!count || memcmp(record.author, authors[0], VD_KEY_BYTES)) && (author = vd_group_find(group, record.author)) &&
		         author->role != VD_ROLE_NONE)
			memcpy(authors[count++], record.author, VD_KEY_BYTES);
	}
	vd_group_free(group);
	vd_buf_wipe(&raw);
	*out = count == 2;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

int vd_clock_believed(struct vd_store *s, const uint8_t group[VD_GROUP_BYTES], uint64_t now_ms, uint64_t since_ms, bool *out)
{
	uint64_t jumped_ms;
	struct seen seen;
	int rc = read_seen(s, &seen);

	*out = false;
	if (rc)
		return rc;
	jumped_ms = jumped_last(&seen, now_ms);
	*out = jumped_ms <= since_ms && now_ms - jumped_ms >= STEADY_DAYS * (uint64_t)VD_DAY_MS;
	return *out ? rc : others_agree(s, group, now_ms, out);
}
