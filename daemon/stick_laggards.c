#include "stick_laggards.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "stick_hearings.h"

enum { GRANTS_MAX = 8 }; /* of one device that are looked at; who has more is not taken to know by its admission */

static const char note_use[] = "has epoch"; /* of a device in a group: the last one it was found to have */

struct search {
	struct vd_store *store;
	struct vd_group *group;
	const uint8_t *epoch;     /* the one to write with */
	size_t act;               /* that made it */
	uint64_t arrival;         /* of that record here */
	size_t sealed_act;        /* of the device looked at: that sealed it to this one, who may have had the other long before */
	uint64_t sealed_arrival;
	bool *known;              /* room for vd_group_knows */
	uint8_t (*behind)[VD_KEY_BYTES]; /* those that say so */
	size_t behind_count;
	struct vd_laggards *out;
};

/* False when there is nothing to ask for: no epoch, or one we have no keys of or not its record. */
static int find_epoch(struct search *s, bool *found)
{
	const uint8_t *epoch = vd_group_current_epoch(s->group);
	const struct vd_act *act = NULL;
	int rc;

	*found = false;
	if (!epoch || vd_group_epoch_count(s->group) == 0 || memcmp(vd_group_epoch_id(s->group, 0), epoch, VD_EPOCH_BYTES) != 0)
		return VD_OK;
	s->epoch = epoch;
	for (s->act = 0; s->act < vd_group_act_count(s->group); s->act++) {
		act = vd_group_act(s->group, s->act);
		if (memcmp(act->id.b, epoch, VD_EPOCH_BYTES) == 0)
			break;
		act = NULL;
	}
	if (!act)
		return VD_OK;
	rc = vd_store_find(s->store, &act->id, &s->arrival);
	*found = !rc;
	return rc == VD_ENOTFOUND ? VD_OK : rc;
}

static void note_key(const struct search *s, const uint8_t device[VD_KEY_BYTES], uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES])
{
	memcpy(key, vd_group_id(s->group), VD_GROUP_BYTES);
	memcpy(key + VD_GROUP_BYTES, device, VD_KEY_BYTES);
}

/* By a session, or by what was found on an earlier visit. */
static int has_heard(const struct search *s, const uint8_t device[VD_KEY_BYTES], bool *yes)
{
	uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES];
	struct vd_buf epoch = { 0 };
	uint64_t heard = 0;
	int rc = vd_store_heard(s->store, vd_group_id(s->group), device, &heard);

	*yes = !rc && heard >= s->sealed_arrival;
	if (!*yes && (!rc || rc == VD_ENOTFOUND || rc == VD_EDAMAGED)) {
		note_key(s, device, key);
		rc = vd_store_note(s->store, note_use, vd_slice(key, sizeof(key)), &epoch);
		*yes = !rc && vd_slice_eq(vd_buf_slice(&epoch), vd_slice(s->epoch, VD_EPOCH_BYTES));
	}
	vd_buf_deinit(&epoch);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static bool shows(struct search *s, const uint8_t device[VD_KEY_BYTES], const struct vd_id *grant, size_t act)
{
	memset(s->known, 0, vd_group_act_count(s->group) * sizeof(*s->known));
	vd_group_knows(s->group, device, NULL, 0, grant, grant != NULL, s->known);
	return s->known[act];
}

/* By a control record of its own; or whichever grant it came by, its welcome held the epoch already. */
static bool must_know(struct search *s, const uint8_t device[VD_KEY_BYTES])
{
	size_t grants = 0;

	if (memcmp(vd_group_act(s->group, s->act)->author, device, VD_KEY_BYTES) == 0 || shows(s, device, NULL, s->sealed_act))
		return true;
	for (size_t i = 0; i < vd_group_act_count(s->group); i++) {
		const struct vd_act *act = vd_group_act(s->group, i);

		if (act->kind != VD_ACT_GRANT || !act->device || memcmp(act->device, device, VD_KEY_BYTES) != 0)
			continue;
		if (++grants > GRANTS_MAX || !shows(s, device, &act->id, s->act))
			return false;
	}
	return grants > 0;
}

/* Then a segment would not help it: it gets one when a coordinator has sealed the epoch to it. */
static bool has_no_keys(struct search *s, const uint8_t device[VD_KEY_BYTES])
{
	const struct vd_device *d;

	for (size_t i = 0; (d = vd_group_epoch_lacks(s->group, i)); i++)
		if (memcmp(d->author, device, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

/* Which record brings it the keys: the epoch's own, if none behind it does. VD_ENOTFOUND: we lack it. */
static int find_sealed(struct search *s, const uint8_t device[VD_KEY_BYTES])
{
	s->sealed_act = vd_group_sealed_act(s->group, s->act, device);
	if (s->sealed_act == vd_group_act_count(s->group))
		s->sealed_act = s->act;
	return vd_store_find(s->store, &vd_group_act(s->group, s->sealed_act)->id, &s->sealed_arrival);
}

/* Does it have the epoch, as far as we know? What it says here itself comes before all that it once knew: it may have been restored from
 * a backup since, or there is a copy of it. Of `us` another copy may have said so. */
static int is_up(struct search *s, size_t g, const struct vd_segments *segments, const uint8_t device[VD_KEY_BYTES], bool us, bool *yes,
                 bool *says_no)
{
	enum vd_hears hears = vd_hearings_of(s->group, g, segments, device, s->sealed_act, s->known);
	int rc;

	*says_no = hears == VD_HEARS_NOT;
	*yes = hears == VD_HEARS || (us && !*says_no);
	if (*yes || *says_no)
		return VD_OK;
	rc = has_heard(s, device, yes);
	if (!rc && !*yes)
		*yes = must_know(s, device);
	return rc;
}

static int gather(struct search *s, size_t g, const struct vd_segments *segments)
{
	const uint8_t *us = vd_group_identity(s->group)->author;

	for (size_t i = 0; i < vd_group_device_count(s->group); i++) {
		const struct vd_device *d = vd_group_device(s->group, i);
		bool knows, says_no;
		int rc;

		if (d->role == VD_ROLE_NONE || (d->flags & VD_GRANT_PAPER) || !vd_seal_box_ok(d->box) || has_no_keys(s, d->author))
			continue;
		rc = find_sealed(s, d->author);
		if (rc == VD_ENOTFOUND || (!rc && vd_segments_serve(segments, g, d->author, s->sealed_arrival)))
			continue;
		if (!rc)
			rc = is_up(s, g, segments, d->author, memcmp(d->author, us, VD_KEY_BYTES) == 0, &knows, &says_no);
		if (rc)
			return rc;
		if (says_no)
			memcpy(s->behind[s->behind_count++], d->author, VD_KEY_BYTES);
		else if (!knows)
			memcpy(s->out->devices[s->out->count++], d->author, VD_KEY_BYTES);
	}
	return VD_OK;
}

static int by_author(const void *a, const void *b)
{
	return memcmp(a, b, VD_KEY_BYTES);
}

/* Did it write under that epoch? Then it goes behind the others. */
static int strike_writer(void *ctx, uint64_t arrival, uint64_t received_ms, struct vd_slice raw)
{
	struct search *s = ctx;
	struct vd_laggards *out = s->out;
	uint8_t (*found)[VD_KEY_BYTES];
	struct vd_record record;

	(void)arrival, (void)received_ms;
	if (vd_record_decode(raw, &record) || record.lane == VD_LANE_CONTROL || record.stub || record.body.n < 2 + VD_EPOCH_BYTES ||
	    memcmp(record.body.p + 2, s->epoch, VD_EPOCH_BYTES) != 0)
		return VD_OK;
	found = bsearch(record.author, out->devices, out->count, VD_KEY_BYTES, by_author);
	if (!found)
		return VD_OK;
	out->count--;
	memmove(found, found + 1, (size_t)(out->devices + out->count - found) * VD_KEY_BYTES);
	memcpy(out->devices[out->count], record.author, VD_KEY_BYTES);
	return out->count == 0;
}

/* So that nobody walks for these again. */
static int remember(const struct search *s, size_t from, size_t to)
{
	struct vd_write *w;
	int rc = from < to ? vd_write_begin(s->store, &w) : VD_OK;

	if (rc || from == to)
		return rc;
	for (; from < to && !rc; from++) {
		uint8_t key[VD_GROUP_BYTES + VD_KEY_BYTES];

		note_key(s, s->out->devices[from], key);
		rc = vd_write_note(w, note_use, vd_slice(key, sizeof(key)), vd_slice(s->epoch, VD_EPOCH_BYTES));
	}
	if (!rc)
		return vd_write_commit(w);
	vd_write_abort(w);
	return rc;
}

int vd_laggards_find(struct vd_store *store, struct vd_group *group, size_t g, const struct vd_segments *segments, struct vd_laggards *out)
{
	struct search s = { .store = store, .group = group, .out = out };
	size_t gathered;
	bool found;
	int rc;

	*out = (struct vd_laggards){ 0 };
	rc = find_epoch(&s, &found);
	if (rc || !found)
		return rc;
	s.known = calloc(vd_group_act_count(group) + 1, sizeof(*s.known));
	out->devices = calloc(vd_group_device_count(group) + 1, VD_KEY_BYTES);
	s.behind = calloc(vd_group_device_count(group) + 1, VD_KEY_BYTES);
	rc = s.known && s.behind && out->devices ? gather(&s, g, segments) : VD_ENOMEM;
	gathered = out->count;
	if (!rc && gathered) {
		qsort(out->devices, out->count, VD_KEY_BYTES, by_author);
		/* What came before the epoch's own record was written before, or else it costs a segment too many. */
		rc = vd_store_walk(store, vd_group_id(group), 255, s.arrival, strike_writer, &s);
		if (rc == VD_OK || rc == 1 || rc == VD_EDAMAGED)
			rc = remember(&s, out->count, gathered);
	}
	for (size_t i = 0; i < s.behind_count && !rc; i++)
		memcpy(out->devices[out->count++], s.behind[i], VD_KEY_BYTES);
	free(s.behind);
	free(s.known);
	return rc;
}

void vd_laggards_deinit(struct vd_laggards *laggards)
{
	free(laggards->devices);
	*laggards = (struct vd_laggards){ 0 };
}
