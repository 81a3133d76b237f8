#include "heard.h"

#include <stdlib.h>
#include <string.h>

#include "proto/err.h"
#include "times.h"

enum { LAST = 16 }; /* records of a device that are looked at: they do not come in the order in which they were written */

bool vd_act_is_part(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *author = act->kind == VD_ACT_APPROVE ? vd_group_find(group, act->author) : NULL;

	/* By which a new paper key confirms the group: it does nothing else unless somebody holds the paper. */
	if (author && author->flags & VD_GRANT_PAPER)
		return !memcmp(author->grant.b, act->about.b, VD_ID_BYTES);
	return act->continues;
}

bool vd_heard_by(const struct vd_heard *h, size_t act, size_t listener)
{
	size_t bit = act * h->listener_count + listener;

	return h->known[bit / 8] >> bit % 8 & 1;
}

static void set_known(struct vd_heard *h, size_t act, size_t listener)
{
	size_t bit = act * h->listener_count + listener;

	h->known[bit / 8] = (uint8_t)(h->known[bit / 8] | 1u << bit % 8);
}

bool vd_heard_lacks(const struct vd_heard *h, size_t act, const uint8_t person[VD_PERSON_BYTES])
{
	for (size_t i = 0; i < h->listener_count; i++)
		if (!memcmp(h->listeners[i].person, person, VD_PERSON_BYTES) && !vd_heard_by(h, act, i))
			return true;
	return false;
}

json_t *vd_heard_not(const struct vd_heard *h, size_t act, size_t *count)
{
	json_t *names = json_array();

	*count = 0;
	for (size_t i = 0; i < h->listener_count; i++) {
		size_t first = h->listeners[i].first;

		if (h->told[first] == act + 1 || vd_heard_by(h, act, i))
			continue;
		h->told[first] = act + 1;
		if (++*count <= VD_HEARD_NAMES)
			json_array_append_new(names, vd_json_text(vd_slice_str(h->listeners[first].who)));
	}
	/* The next time this act is asked about, nobody was told. */
	memset(h->told, 0, h->listener_count * sizeof *h->told);
	return names;
}

/* The epochs under which a device's last records were written: it knows what led to them. */
struct shown {
	uint8_t epochs[LAST][VD_EPOCH_BYTES];
	size_t count;
	bool any;           /* it has written at all */
};

static int look(struct vd_cli *cli, struct vd_group *group, const uint8_t *author, struct shown *shown, uint64_t *time_ms,
                uint64_t *received_ms)
{
	uint64_t arrivals[LAST], received = 0, now_ms = vd_time_now_ms();
	struct vd_buf raw = { 0 };
	struct vd_record r;
	size_t count = 0;
	int damaged = 0, rc = vd_index_last(cli->store, vd_group_id(group), author, arrivals, LAST, &count);

	for (size_t i = 0; !rc && i < count; i++) {
		rc = vd_store_read(cli->store, arrivals[i], &raw, &r, &received);
		if (rc == VD_EDAMAGED || rc == VD_ENOTFOUND) {
			damaged = rc == VD_EDAMAGED ? rc : damaged;
			rc = 0;
			continue;
		}
		if (rc)
			break;
		if (time_ms && r.time_ms > *time_ms)
			*time_ms = r.time_ms;
		/* By a clock that was in the future then: not before it was written, at least. */
		received = received <= now_ms ? received : r.time_ms <= now_ms ? r.time_ms : 0;
		if (received_ms && received > *received_ms)
			*received_ms = received;
		if (!shown)
			continue;
		shown->any = true;
		/* Envelope version, audience, epoch. */
		if (r.lane != VD_LANE_CONTROL && r.body.n > 2 + VD_EPOCH_BYTES && r.body.p[0] == 1)
			memcpy(shown->epochs[shown->count++], r.body.p + 2, VD_EPOCH_BYTES);
	}
	vd_buf_deinit(&raw);
	return rc ? rc : damaged;
}

int vd_last_heard(struct vd_cli *cli, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], uint64_t *time_ms,
                  uint64_t *received_ms)
{
	*time_ms = *received_ms = 0;
	return look(cli, group, author, NULL, time_ms, received_ms);
}

/* The act that admitted the device: its welcome held all that led to it. */
static const struct vd_act *admission(struct vd_group *group, const uint8_t *author, size_t *place)
{
	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		if (act->kind != VD_ACT_GRANT || !act->device || memcmp(act->device, author, VD_KEY_BYTES))
			continue;
		*place = i;
		return act;
	}
	return NULL;
}

static int listen_to(struct vd_heard *h, struct vd_cli *cli, size_t listener, bool *known)
{
	const uint8_t *author = h->listeners[listener].author;
	struct shown shown = { .count = 0 };
	size_t place = 0;
	const struct vd_act *admitted = admission(h->group, author, &place);
	uint64_t arrival = 0;
	int damaged = look(cli, h->group, author, &shown, NULL, NULL);
	int rc = vd_store_heard(cli->store, vd_group_id(h->group), author, &arrival);

	if (rc && rc != VD_ENOTFOUND)
		return rc;
	memset(known, 0, h->act_count * sizeof *known);
	if (admitted) {
		vd_group_knows(h->group, author, NULL, 0, &admitted->id, 1, known);
		/* Of the admission itself it knows when it has shown itself. */
		known[place] = shown.any;
	}
	vd_group_knows(h->group, author, (const uint8_t (*)[VD_EPOCH_BYTES])shown.epochs, shown.count, NULL, 0, known);
	for (size_t i = 0; i < h->act_count; i++)
		if (known[i] || (h->arrival[i] && arrival >= h->arrival[i]))
			set_known(h, i, listener);
	return damaged;
}

static bool find_keeper(const struct vd_custody *c, const uint8_t author[VD_KEY_BYTES], size_t *out)
{
	for (*out = 0; *out < vd_custody_count(c); ++*out)
		if (!memcmp(vd_custody_keeper(c, *out)->author, author, VD_KEY_BYTES))
			return true;
	return false;
}

/* Whose receipt shows that the act is there has heard of it. What only explains may be missing where it cannot be read. */
static int heed_receipts(struct vd_heard *h, struct vd_cli *cli, size_t act, const size_t *keepers)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	int rc = VD_OK;
	bool read = false;

	for (size_t i = 0; i < h->listener_count && !rc; i++) {
		bool yes = false;

		if (keepers[i] == SIZE_MAX || vd_heard_by(h, act, i))
			continue;
		if (!read)
			rc = vd_store_read(cli->store, h->arrival[act], &raw, &record, NULL);
		read = true;
		if (!rc)
			rc = vd_custody_confirmed(h->custody, keepers[i], h->arrival[act], &record, &yes);
		if (yes)
			set_known(h, act, i);
	}
	vd_buf_deinit(&raw);
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static int heed_all_receipts(struct vd_heard *h, struct vd_cli *cli)
{
	size_t *keepers = calloc(h->listener_count + 1, sizeof *keepers);
	int rc = keepers ? VD_OK : VD_ENOMEM;

	if (!rc && vd_custody_ready(cli->store, vd_time_now_ms()))
		rc = vd_custody_open(cli->store, h->group, &h->custody);
	/* Receipts only add to what the records show: a disk that is full or can only be read keeps nobody from that. */
	rc = rc == VD_ENOMEM ? rc : VD_OK;
	for (size_t i = 0; i < h->listener_count && h->custody; i++)
		if (!find_keeper(h->custody, h->listeners[i].author, &keepers[i]))
			keepers[i] = SIZE_MAX;
	for (size_t act = 0; act < h->act_count && h->custody && !rc; act++)
		if (h->arrival[act])
			rc = heed_receipts(h, cli, act, keepers);
	free(keepers);
	return rc;
}

static void add_listener(struct vd_heard *h, const struct vd_device *d)
{
	struct vd_listener *l = &h->listeners[h->listener_count];

	memcpy(l->author, d->author, VD_KEY_BYTES);
	memcpy(l->person, d->person, VD_PERSON_BYTES);
	while (memcmp(h->listeners[l->first].person, d->person, VD_PERSON_BYTES) != 0)
		l->first++;
	if (l->first == h->listener_count)
		vd_who_person(h->group, d->person, l->who);
	h->listener_count++;
}

static int gather(struct vd_heard *h, struct vd_cli *cli)
{
	const struct vd_identity *self = vd_group_identity(h->group);
	size_t devices = vd_group_device_count(h->group);

	h->act_count = h->last = vd_group_act_count(h->group);
	h->listeners = calloc(devices + 1, sizeof *h->listeners);
	h->arrival = calloc(h->act_count + 1, sizeof *h->arrival);
	if (!h->listeners || !h->arrival)
		return VD_ENOMEM;
	for (size_t i = 0; i < devices; i++) {
		const struct vd_device *d = vd_group_device(h->group, i);

		if (d->role == VD_ROLE_NONE || d->flags & VD_GRANT_PAPER || (self && !memcmp(self->author, d->author, VD_KEY_BYTES)))
			continue;
		add_listener(h, d);
	}
	h->known = calloc(h->act_count * h->listener_count / 8 + 1, 1);
	h->told = calloc(h->listener_count + 1, sizeof *h->told);
	if (!h->known || !h->told)
		return VD_ENOMEM;
	for (size_t i = 0; i < h->act_count; i++) {
		const struct vd_act *act = vd_group_act(h->group, i);
		int rc = vd_store_find(cli->store, &act->id, &h->arrival[i]);

		if (rc && rc != VD_ENOTFOUND && rc != VD_EDAMAGED)
			return rc;
		if (act->counts && !vd_act_is_part(h->group, act) && (h->last == h->act_count || h->arrival[i] > h->arrival[h->last]))
			h->last = i;
	}
	return 0;
}

int vd_heard_init(struct vd_heard *h, struct vd_cli *cli, struct vd_group *group)
{
	bool *known = NULL;
	int damaged = 0, rc;

	memset(h, 0, sizeof *h);
	h->group = group;
	rc = gather(h, cli);
	if (!rc && !(known = calloc(h->act_count + 1, sizeof *known)))
		rc = VD_ENOMEM;
	for (size_t i = 0; !rc && i < h->listener_count; i++) {
		rc = listen_to(h, cli, i, known);
		if (rc == VD_EDAMAGED) {
			damaged = rc;
			rc = 0;
		}
	}
	free(known);
	if (!rc)
		rc = heed_all_receipts(h, cli);
	if (rc)
		vd_heard_deinit(h);
	return rc ? rc : damaged;
}

void vd_heard_deinit(struct vd_heard *h)
{
	vd_custody_close(h->custody);
	free(h->listeners);
	free(h->arrival);
	free(h->known);
	free(h->told);
	memset(h, 0, sizeof *h);
}
