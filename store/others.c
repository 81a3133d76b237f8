/* What others' last words say of our clock. */
#include <stdlib.h>
#include <string.h>

#include "inside.h"
#include "kept.h"
#include "proto/err.h"

enum {
	LATELY_RECORDS = 64, /* that came last */
	ABOUT_DAYS = 10,     /* a stick goes round in that */
	LEAPT_DAYS = 7,      /* a clock that ran so long is believed (clock.c) */
};

/* The last word of a device. */
struct word {
	uint64_t said_ms, came_ms; /* by its clock; by ours */
};

static bool is_other(struct vd_group *group, const struct vd_device *d)
{
	const struct vd_identity *us = vd_group_identity(group);

	return d->role != VD_ROLE_NONE && !(d->flags & VD_GRANT_PAPER) && (!us || memcmp(us->author, d->author, VD_KEY_BYTES) != 0);
}

static int heed_receipts(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct word *words, size_t *ahead)
{
	int rc = VD_OK;

	for (size_t i = 0; i < vd_group_device_count(group) && !rc; i++) {
		const struct vd_device *d = vd_group_device(group, i);
		struct vd_kept kept;

		if (!is_other(group, d))
			continue;
		rc = vd_kept_read(s, vd_group_id(group), d->author, &kept);
		if (rc) {
			rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
			continue;
		}
		/* Nobody's wrong clock says that ours is behind: what they wrote by it may. */
		if (vd_receipt_ahead(kept.receipt.time_ms, now_ms))
			++*ahead;
		else
			words[i] = (struct word){ kept.receipt.time_ms, kept.heard_ms };
		vd_kept_deinit(&kept);
	}
	return rc;
}

/* They do not come in the order in which they were written: of each author the latest counts. */
static int heed_records(struct vd_store *s, struct vd_group *group, struct word *words)
{
	struct vd_buf raw = { 0 };
	uint64_t arrival = 0;
	int rc = vd_store_latest(s, &arrival);

	for (int left = LATELY_RECORDS; left && arrival && !rc; left--, arrival--) {
		struct vd_record r;
		uint64_t came_ms;

		rc = vd_store_read(s, arrival, &raw, &r, &came_ms);
		if (rc) {
			rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
			continue;
		}
		for (size_t i = 0; i < vd_group_device_count(group) && !memcmp(r.group, vd_group_id(group), VD_GROUP_BYTES); i++)
			if (!memcmp(vd_group_device(group, i)->author, r.author, VD_KEY_BYTES) && r.time_ms > words[i].said_ms)
				words[i] = (struct word){ r.time_ms, came_ms };
	}
	vd_buf_wipe(&raw);
	return rc;
}

int vd_custody_others(struct vd_store *s, struct vd_group *group, uint64_t now_ms, struct vd_others *out)
{
	struct word *words = calloc(vd_group_device_count(group) + 1, sizeof(*words));
	struct vd_clock clock;
	int rc = words ? vd_clock_read(s, now_ms, &clock) : VD_ENOMEM;

	*out = (struct vd_others){ .about = 0 };
	if (!rc)
		rc = heed_receipts(s, group, now_ms, words, &out->ahead);
	if (!rc)
		rc = heed_records(s, group, words);
	for (size_t i = 0; i < vd_group_device_count(group) && !rc; i++) {
		const struct vd_device *d = vd_group_device(group, i);
		const struct word *word = &words[i];

		if (!word->said_ms || !is_other(group, d))
			continue;
		out->ahead += vd_receipt_ahead(word->said_ms, now_ms);
		/* What came before our clock jumped would agree with whatever it was put back to. */
		out->about += !vd_receipt_ahead(word->said_ms, now_ms) && word->said_ms + ABOUT_DAYS * (uint64_t)VD_DAY_MS >= now_ms &&
		              word->came_ms >= clock.jumped_ms && word->came_ms <= now_ms + VD_DAY_MS;
		if (word->said_ms > out->newest_ms) {
			out->newest_ms = word->said_ms;
			memcpy(out->newest, d->author, VD_KEY_BYTES);
		}
	}
	free(words);
	return rc;
}

int vd_clock_leapt(struct vd_store *s, uint64_t now_ms, bool *yes)
{
	struct vd_clock clock;
	int rc = vd_clock_read(s, now_ms, &clock);

	*yes = !rc && now_ms - clock.jumped_ms < LEAPT_DAYS * (uint64_t)VD_DAY_MS;
	return rc;
}
