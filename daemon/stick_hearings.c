#include "stick_hearings.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "proto/hearing.h"

struct place {
	struct vd_id id;
	size_t act;
};

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct place *)a)->id.b, ((const struct place *)b)->id.b, VD_ID_BYTES);
}

struct heeding {
	struct vd_store *store;
	struct vd_group *group;
	struct place *places;      /* of its acts, by id */
	bool *known;
	size_t acts;
};

static bool is_known(const struct heeding *h, const struct vd_id *id)
{
	struct place wanted = { .id = *id };
	const struct place *found = h->acts ? bsearch(&wanted, h->places, h->acts, sizeof(wanted), by_id) : NULL;

	/* What is no act of the group nobody needs to have heard. */
	return !found || h->known[found->act];
}

/* Up to the first control record of ours that it does not show. */
static int heed(struct heeding *h, const struct vd_hearing *hearing)
{
	enum { AT_ONCE = 64 };
	const uint8_t *group = vd_group_id(h->group);
	struct vd_arrival next[AT_ONCE];
	uint64_t noted = 0, through;
	struct vd_port port;
	bool all = true;
	size_t n = AT_ONCE;
	int rc = vd_store_heard(h->store, group, hearing->author, &noted);

	if (rc && rc != VD_ENOTFOUND)
		return rc;
	memset(h->known, 0, h->acts * sizeof(*h->known));
	vd_hearing_shows(h->group, hearing, h->known);
	vd_store_port(h->store, &port);
	rc = VD_OK;
	for (through = noted; !rc && all && n == AT_ONCE;) {
		rc = port.scan(port.ctx, group, VD_LANE_CONTROL, through, next, AT_ONCE, &n);
		for (size_t i = 0; !rc && i < n && (all = is_known(h, &next[i].id)); i++)
			through = next[i].arrival;
	}
	return rc || through == noted ? rc : vd_store_heard_set(h->store, group, hearing->author, through);
}

static int begin(struct heeding *h)
{
	h->acts = vd_group_act_count(h->group);
	h->known = calloc(h->acts + 1, sizeof(*h->known));
	h->places = calloc(h->acts + 1, sizeof(*h->places));
	if (!h->known || !h->places)
		return VD_ENOMEM;
	for (size_t i = 0; i < h->acts; i++)
		h->places[i] = (struct place){ vd_group_act(h->group, i)->id, i };
	qsort(h->places, h->acts, sizeof(*h->places), by_id);
	return VD_OK;
}

int vd_hearings_heed(struct vd_store *store, struct vd_group *group, size_t g, const struct vd_segments *all)
{
	struct heeding h = { .store = store, .group = group };
	struct vd_hearing hearing;
	int rc = VD_OK;

	for (size_t i = 0; i < all->count && !rc; i++) {
		const struct vd_segment *s = &all->p[i];

		if (s->group != g || s->state != VD_SEGMENT_WHOLE || !s->hearing.n ||
		    vd_hearing_verify(group, vd_buf_slice(&s->hearing), &hearing))
			continue;
		if (!h.known)
			rc = begin(&h);
		if (!rc)
			rc = heed(&h, &hearing);
	}
	free(h.known);
	free(h.places);
	return rc;
}

enum vd_hears vd_hearings_of(struct vd_group *group, size_t g, const struct vd_segments *all, const uint8_t device[VD_KEY_BYTES], size_t act,
                             bool *known)
{
	enum vd_hears hears = VD_HEARS_UNKNOWN;
	struct vd_hearing hearing;

	for (size_t i = 0; i < all->count && hears != VD_HEARS_NOT; i++) {
		const struct vd_segment *s = &all->p[i];

		if (s->group != g || s->ours || !s->hearing.n || !vd_segment_in_use(s) ||
		    vd_hearing_decode(vd_buf_slice(&s->hearing), &hearing) || memcmp(hearing.author, device, VD_KEY_BYTES) != 0 ||
		    vd_hearing_verify(group, vd_buf_slice(&s->hearing), &hearing))
			continue;
		memset(known, 0, vd_group_act_count(group) * sizeof(*known));
		vd_hearing_shows(group, &hearing, known);
		if (known[act])
			hears = VD_HEARS;
		else if (hearing.shut)
			hears = VD_HEARS_NOT;
	}
	return hears;
}

/* Do control records of ours show all that we know? Then who has them needs no other sign. */
static int is_shown(struct vd_group *group, bool *yes)
{
	size_t acts = vd_group_act_count(group);
	bool *known = calloc(acts + 1, sizeof(*known));

	if (!known)
		return VD_ENOMEM;
	vd_group_knows(group, vd_group_identity(group)->author, NULL, 0, NULL, 0, known);
	*yes = true;
	for (size_t i = 0; i < acts; i++)
		*yes = *yes && known[i];
	free(known);
	return VD_OK;
}

int vd_hearings_ours(struct vd_group *group, size_t g, const struct vd_segments *all, bool shut, struct vd_buf *out)
{
	size_t from = out->n;
	bool shown = false;
	int rc = shut ? VD_OK : is_shown(group, &shown);

	if (rc || shown)
		return rc;
	rc = vd_hearing_make(group, shut, out);
	if (rc)
		return rc == VD_EKEY || rc == VD_ENOTFOUND ? VD_OK : rc;
	for (size_t i = 0; i < all->count; i++) {
		const struct vd_segment *s = &all->p[i];

		if (s->group == g && vd_segment_in_use(s) && vd_slice_eq(vd_buf_slice(&s->hearing), vd_slice(out->p + from, out->n - from))) {
			out->n = from;
			break;
		}
	}
	return VD_OK;
}

/* False too when nothing can be said. */
static bool differs(struct vd_group *group, const struct vd_segment *s, bool shut, bool *same)
{
	struct vd_buf now = { 0 };
	bool made = vd_hearing_make(group, shut, &now) == VD_OK;

	*same = made && vd_slice_eq(vd_buf_slice(&s->hearing), vd_buf_slice(&now));
	vd_buf_deinit(&now);
	return made && !*same;
}

bool vd_hearing_is_current(struct vd_group *group, const struct vd_segment *s, bool shut)
{
	bool same;

	(void)differs(group, s, shut, &same);
	return same;
}

bool vd_hearing_is_spent(struct vd_group *group, size_t g, const struct vd_segment *s, bool shut)
{
	bool same;

	return s->group == g && s->ours && s->hearing.n && !s->list.n && !s->notices.n && !s->devices.n && vd_segment_in_use(s) &&
	       differs(group, s, shut, &same);
}
