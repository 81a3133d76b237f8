#include "stick_reach.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"

/* Does what stands under that epoch reach everyone whom the one we write with reaches? */
struct vd_reach_answer {
	size_t group;
	uint8_t epoch[VD_EPOCH_BYTES];
	bool yes;
};

static int load_control(struct vd_reach *r, struct vd_store *store, const uint8_t *group)
{
	enum { AT_ONCE = 256 };
	uint64_t numbers[AT_ONCE], after = 0;
	size_t n = AT_ONCE;
	int rc = VD_OK;

	while (!rc && n == AT_ONCE) {
		rc = vd_store_lane_numbers(store, group, VD_LANE_CONTROL, after, numbers, AT_ONCE, &n);
		for (size_t i = 0; i < n && !rc; i++)
			rc = vd_arrivals_add(&r->control, after = numbers[i], false);
	}
	return rc;
}

int vd_reach_init(struct vd_reach *r, struct vd_store *store, const struct vd_bundle_groups *groups)
{
	int rc = VD_OK;

	*r = (struct vd_reach){ .groups = groups };
	for (size_t i = 0; i < groups->count && !rc; i++)
		rc = load_control(r, store, vd_group_id(groups->group[i]));
	return rc;
}

void vd_reach_deinit(struct vd_reach *r)
{
	vd_arrivals_deinit(&r->control);
	free(r->answers);
	*r = (struct vd_reach){ 0 };
}

static int ask(struct vd_reach *r, const struct vd_bundle_key *key, const uint8_t *ours, bool *yes)
{
	struct vd_reach_answer *a;

	for (size_t i = 0; i < r->count; i++) {
		a = &r->answers[i];
		*yes = a->yes;
		if (a->group == key->place && memcmp(a->epoch, key->epoch, VD_EPOCH_BYTES) == 0)
			return VD_OK;
	}
	if (!vd_room(&r->answers, r->count, &r->capacity, 16, sizeof(*r->answers)))
		return VD_ENOMEM;
	a = &r->answers[r->count++];
	*a = (struct vd_reach_answer){ .group = key->place, .yes = vd_group_epoch_reaches(r->groups->group[key->place], key->epoch, ours) };
	memcpy(a->epoch, key->epoch, VD_EPOCH_BYTES);
	*yes = a->yes;
	return VD_OK;
}

int vd_reach_add(struct vd_reach *r, const struct vd_bundle_key *key, struct vd_slice list, struct vd_arrivals *stick)
{
	struct vd_group *group = r->groups->group[key->place];
	struct vd_rd rd = vd_rd(list);
	const uint8_t *ours;
	uint64_t at = 0;
	bool yes = false, stub;
	int rc;

	/* Without a key we write nothing. */
	if (!vd_group_epoch_count(group))
		return vd_arrivals_decode(stick, list, UINT64_MAX);
	ours = vd_group_epoch_id(group, 0);
	if (key->by_link && memcmp(key->epoch, ours, VD_EPOCH_BYTES) == 0)
		return vd_arrivals_decode(stick, list, UINT64_MAX);
	rc = key->by_link ? ask(r, key, ours, &yes) : VD_OK;
	/* By control records the others get the key of that epoch: these are there for whoever has ours. */
	while (!rc && yes && vd_arrivals_list_next(&rd, UINT64_MAX, &at, &stub))
		if (!vd_arrivals_held(&r->control, at))
			rc = vd_arrivals_add(stick, at, stub);
	return rc;
}

bool vd_reach_all(struct vd_group *group)
{
	const uint8_t *current = vd_group_current_epoch(group);
	const struct vd_device *d;

	if (!current || !vd_group_epoch_count(group) || memcmp(vd_group_epoch_id(group, 0), current, VD_EPOCH_BYTES) != 0)
		return false;
	for (size_t i = 0; (d = vd_group_epoch_lacks(group, i)); i++)
		/* Where its box key is no key nothing can be sealed to it. */
		if (!(d->flags & VD_GRANT_PAPER) && vd_seal_box_ok(d->box))
			return false;
	return true;
}
