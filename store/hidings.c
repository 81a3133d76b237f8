/* What a device hid of others' records, when it is about to be removed. */
#include <string.h>

#include "acts.h"
#include "accepted.h"
#include "index.h"
#include "inside.h"
#include "standing.h"
#include "proto/err.h"

struct hiding {
	struct vd_store *store;
	struct vd_group *group;
	const struct vd_device *by;
	const uint8_t (*devices)[VD_KEY_BYTES];
	size_t device_count;
	uint64_t since_ms;
	struct vd_hidings *out;
	uint64_t came_ms[VD_LIST_MAX]; /* of those in *out, ascending */
	struct vd_buf raw;
};

static bool is_listed(const struct hiding *h, const uint8_t *author)
{
	for (size_t i = 0; i < h->device_count; i++) {
		if (!memcmp(h->devices[i], author, VD_KEY_BYTES))
			return true;
	}
	return false;
}

/* Would it hold, against somebody else's record? What is not here yet a coordinator may have hidden all the same. */
static int hides_others(struct hiding *h, const struct vd_id *what, bool *yes)
{
	bool coordinator = h->by->most == VD_ROLE_COORDINATOR;
	const struct vd_device *author;
	struct vd_record record;
	uint64_t arrival;
	int rc = vd_store_find(h->store, what, &arrival);

	*yes = coordinator;
	if (!rc)
		rc = vd_store_read(h->store, arrival, &h->raw, &record, NULL);
	if (rc)
		return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	author = vd_group_find(h->group, record.author);
	*yes = !memcmp(record.group, vd_group_id(h->group), VD_GROUP_BYTES) && vd_is_redactable(&record) && !is_listed(h, record.author) &&
	       (coordinator || (author && !memcmp(author->person, h->by->person, VD_PERSON_BYTES)));
	return VD_OK;
}

/* Among the latest, if there is room or it came later than one of them. */
static void keep(struct hiding *h, const struct vd_id *id, uint64_t came_ms)
{
	struct vd_hidings *out = h->out;
	size_t at = out->count;

	out->all++;
	while (at && h->came_ms[at - 1] > came_ms)
		at--;
	if (out->count == VD_LIST_MAX) {
		if (!at)
			return;
		memmove(&out->ids[0], &out->ids[1], (at - 1) * sizeof(out->ids[0]));
		memmove(&h->came_ms[0], &h->came_ms[1], (at - 1) * sizeof(h->came_ms[0]));
		at--;
	} else {
		memmove(&out->ids[at + 1], &out->ids[at], (out->count - at) * sizeof(out->ids[0]));
		memmove(&h->came_ms[at + 1], &h->came_ms[at], (out->count - at) * sizeof(h->came_ms[0]));
		out->count++;
	}
	out->ids[at] = *id;
	h->came_ms[at] = came_ms;
}

static int look(void *ctx, uint64_t received_ms, const struct vd_record *record)
{
	struct hiding *h = ctx;
	struct vd_id what;
	bool others;
	int rc;

	if (received_ms < h->since_ms || !vd_is_redaction(record, &what) ||
	    vd_group_reviewed(h->group, &record->id) != VD_REVIEW_NONE)
		return VD_OK;
	rc = hides_others(h, &what, &others);
	if (!rc && others)
		keep(h, &record->id, received_ms);
	return rc;
}

int vd_act_hidings(struct vd_store *s, struct vd_group *group, const uint8_t (*devices)[VD_KEY_BYTES], size_t count, uint64_t now_ms,
                   struct vd_hidings *out)
{
	const uint64_t kept_ms = (uint64_t)VD_REDACT_DAYS * VD_DAY_MS;
	struct hiding h = { .store = s, .group = group, .devices = devices, .device_count = count, .out = out,
		            .since_ms = now_ms > kept_ms ? now_ms - kept_ms : 0 };
	int rc = VD_OK;

	out->count = out->all = 0;
	for (size_t i = 0; i < count && !rc; i++) {
		h.by = vd_group_find(group, devices[i]);
		if (h.by && h.by->role != VD_ROLE_NONE)
			rc = vd_author_walk(s, vd_group_id(group), devices[i], look, &h);
	}
	vd_buf_wipe(&h.raw);
	return rc;
}
