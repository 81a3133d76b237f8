#include "acts.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "accepted.h"
#include "deed.h"
#include "index.h"
#include "inside.h"
#include "proto/err.h"

static int copy_text(const char *text, char out[VD_NAME_MAX + 1])
{
	size_t n = text ? strnlen(text, VD_NAME_MAX + 1) : 0;

	if (n > VD_NAME_MAX)
		return VD_EINVAL;
	memcpy(out, text ? text : "", n);
	out[n] = '\0';
	return VD_OK;
}

static bool coordinates(struct vd_group *group)
{
	return vd_group_role(group) == VD_ROLE_COORDINATOR;
}

/* How many keys of an epoch a role gets. */
static int keys_of(enum vd_role role)
{
	switch (role) {
	case VD_ROLE_COORDINATOR:
	case VD_ROLE_MEMBER:
		return 3;
	case VD_ROLE_REPORTER:
		return 2;
	case VD_ROLE_COURIER:
		return 1;
	case VD_ROLE_NONE:
		break;
	}
	return 0;
}

static int role_keys(struct vd_group *group, const uint8_t *author)
{
	const struct vd_device *device = vd_group_find(group, author);

	return device ? keys_of(device->role) : 0;
}

static int admit(struct vd_deed *d, const struct vd_card *card, const struct vd_admission *a, const char *name, struct vd_id *grant)
{
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	int before = role_keys(d->group, card->author), rc;

	if (coordinates(d->group) && !vd_group_epoch_count(d->group))
		return VD_EKEY;
	randombytes_buf(nonce, sizeof(nonce));
	rc = vd_group_make_grant(d->group, card, a->person, a->role, a->flags, name, nonce, &d->content);
	if (!rc)
		rc = vd_deed_say(d, grant);
	/* So the newcomer reads what the group wrote before; who becomes more than it was gets what came before then, too. */
	return rc ? rc : vd_deed_seal(d, card->author, before && role_keys(d->group, card->author) > before, NULL);
}

int vd_act_admit(struct vd_store *s, struct vd_group *group, const struct vd_admission *a, uint64_t now_ms, struct vd_id *grant)
{
	const struct vd_admission own = *a;
	const struct vd_card card = *a->card;
	char name[VD_NAME_MAX + 1];
	struct vd_deed d;
	int rc = copy_text(a->name, name);

	if (!rc)
		rc = vd_deed_begin(&d, s, group, now_ms);
	return rc ? rc : vd_deed_end(&d, admit(&d, &card, &own, name, grant));
}

int vd_act_rotate(struct vd_store *s, struct vd_group *group, uint64_t now_ms, uint8_t epoch[VD_EPOCH_BYTES])
{
	struct vd_deed d;
	struct vd_id id = { { 0 } };
	int rc = vd_deed_begin(&d, s, group, now_ms);

	if (!rc)
		rc = vd_deed_end(&d, vd_deed_epoch(&d, &id));
	if (!rc)
		memcpy(epoch, id.b, VD_EPOCH_BYTES);
	return rc;
}

/* --- removal --- */

struct removing {
	uint8_t devices[VD_MEMBERS_MAX][VD_KEY_BYTES]; /* those that were named first */
	size_t count;
	uint8_t person[VD_PERSON_BYTES];
	bool has_person;
	char reason[VD_NAME_MAX + 1];
	struct vd_id undo;
	bool has_undo;
	struct vd_accepted accepted;
	struct vd_hidings *leave;
};

static int add_device(struct removing *r, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < r->count; i++) {
		if (!memcmp(r->devices[i], author, VD_KEY_BYTES))
			return VD_OK;
	}
	if (r->count == VD_MEMBERS_MAX)
		return VD_ECAP;
	memcpy(r->devices[r->count++], author, VD_KEY_BYTES);
	return VD_OK;
}

static int copy_revocation(const struct vd_revocation *asked, struct removing *r)
{
	int rc = copy_text(asked->reason && asked->reason[0] ? asked->reason : "-", r->reason);

	if (asked->device_count > VD_LIST_MAX)
		return VD_ECAP;
	for (size_t i = 0; i < asked->device_count && !rc; i++)
		rc = add_device(r, asked->devices[i]);
	r->has_person = asked->person;
	if (asked->person)
		memcpy(r->person, asked->person, VD_PERSON_BYTES);
	r->has_undo = asked->undo;
	if (asked->undo)
		r->undo = *asked->undo;
	r->leave = asked->leave;
	return rc;
}

/* A member is removed with all devices, those without a role too: what they wrote is judged by the same record. */
static int add_person(struct vd_group *group, struct removing *r)
{
	int rc = VD_OK;

	for (size_t i = 0; i < vd_group_device_count(group) && r->has_person && !rc; i++) {
		const struct vd_device *device = vd_group_device(group, i);

		if (!memcmp(device->person, r->person, VD_PERSON_BYTES))
			rc = add_device(r, device->author);
	}
	return rc ? rc : r->count ? VD_OK : VD_EINVAL;
}

/* What they hid shows again when, and only while, the revocation counts. */
static int leave_hidings(struct vd_deed *d, const struct vd_hidings *hidings)
{
	int rc = VD_OK;

	for (size_t i = 0; i < hidings->count && !rc; i++) {
		rc = vd_group_make_review(d->group, &hidings->ids[i], false, &d->content);
		if (!rc)
			rc = vd_deed_say(d, NULL);
	}
	return rc;
}

static int remove_devices(struct vd_deed *d, struct removing *r, struct vd_id *id)
{
	struct vd_removal removal = { .devices = (const uint8_t (*)[VD_KEY_BYTES])r->devices, .reason = r->reason };
	uint8_t nonce[VD_BODY_NONCE_BYTES];
	struct vd_epoch_keys keys;
	int rc = add_person(d->group, r);

	if (!rc)
		rc = vd_accepted_heads(d->store, vd_group_id(d->group), removal.devices, r->count, r->has_undo ? &r->undo : NULL,
		                       &r->accepted);
	if (!rc && r->leave)
		rc = vd_act_hidings(d->store, d->group, removal.devices, r->count, d->now_ms, r->leave);
	if (rc)
		return rc;
	removal.device_count = r->count < VD_LIST_MAX ? r->count : VD_LIST_MAX;
	removal.person = r->has_person ? r->person : NULL;
	for (size_t lane = 0; lane < VD_LANES; lane++) {
		removal.heads[lane] = r->accepted.heads[lane];
		removal.head_count[lane] = r->accepted.count[lane];
	}
	randombytes_buf(nonce, sizeof(nonce));
	randombytes_buf(&keys, sizeof(keys));
	rc = vd_group_make_revoke(d->group, &removal, &keys, nonce, &d->content);
	if (!rc)
		rc = vd_deed_say(d, id);
	if (!rc)
		rc = vd_deed_epoch_parts(d, &keys, id);
	if (!rc && r->leave)
		rc = leave_hidings(d, r->leave);
	sodium_memzero(&keys, sizeof(keys));
	return rc;
}

int vd_act_revoke(struct vd_store *s, struct vd_group *group, const struct vd_revocation *asked, uint64_t now_ms, struct vd_id *id,
                  uint8_t epoch[VD_EPOCH_BYTES])
{
	struct removing *r = calloc(1, sizeof(*r));
	struct vd_deed d;
	int rc;

	if (!r)
		return VD_ENOMEM;
	rc = copy_revocation(asked, r);
	if (!rc)
		rc = vd_index_catch_up(s); /* whose lists of authors' records spare reading everybody's */
	if (!rc)
		rc = vd_deed_begin(&d, s, group, now_ms);
	if (!rc)
		rc = vd_deed_end(&d, remove_devices(&d, r, id));
	if (!rc)
		memcpy(epoch, id->b, VD_EPOCH_BYTES);
	free(r);
	return rc;
}

/* --- a coordinator's word --- */

int vd_act_review(struct vd_store *s, struct vd_group *group, const struct vd_id *about, bool accept, uint64_t now_ms, struct vd_id *id)
{
	const struct vd_id own = *about;
	struct vd_deed d;
	int rc = vd_deed_begin(&d, s, group, now_ms);

	if (rc)
		return rc;
	rc = vd_group_make_review(group, &own, accept, &d.content);
	if (!rc)
		rc = vd_deed_say(&d, id);
	return vd_deed_end(&d, rc);
}

/* The device that the act gives a role to; NULL: it is no grant. */
static const uint8_t *granted(struct vd_group *group, const struct vd_id *act)
{
	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *one = vd_group_act(group, i);

		if (!memcmp(one->id.b, act->b, VD_ID_BYTES))
			return one->kind == VD_ACT_GRANT ? one->device : NULL;
	}
	return NULL;
}

int vd_act_approve(struct vd_store *s, struct vd_group *group, const struct vd_id *about, uint64_t now_ms, struct vd_id *id)
{
	const struct vd_id own = *about;
	const uint8_t *device;
	struct vd_deed d;
	int rc = vd_deed_begin(&d, s, group, now_ms);

	if (rc)
		return rc;
	rc = vd_group_make_approve(group, &own, &d.content);
	if (!rc)
		rc = vd_deed_say(&d, id);
	/* A restored device may have its role by this word alone: then it gets the keys now. */
	device = rc || !coordinates(group) ? NULL : granted(group, &own);
	if (device)
		rc = vd_deed_seal(&d, device, false, NULL);
	return vd_deed_end(&d, rc);
}

int vd_act_restore(struct vd_store *s, struct vd_group *group, const uint8_t device[VD_KEY_BYTES], uint64_t now_ms, struct vd_id *grant)
{
	uint8_t nonce[VD_BODY_NONCE_BYTES], own[VD_KEY_BYTES];
	struct vd_deed d;
	int rc;

	memcpy(own, device, sizeof(own));
	rc = vd_deed_begin(&d, s, group, now_ms);
	if (rc)
		return rc;
	randombytes_buf(nonce, sizeof(nonce));
	rc = vd_group_make_restore(group, own, nonce, &d.content);
	if (!rc)
		rc = vd_deed_say(&d, grant);
	if (!rc)
		rc = vd_deed_seal(&d, own, false, NULL);
	return vd_deed_end(&d, rc);
}

bool vd_act_braked(struct vd_store *s, struct vd_group *group)
{
	const struct vd_identity *self = vd_group_identity(group);
	const struct vd_device *own = self ? vd_group_find(group, self->author) : NULL;

	(void)s;
	if (!own || !own->forked)
		return false;
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *other = vd_group_device(group, i);

		/* A paper key in a drawer acts for nobody. */
		if (other->role == VD_ROLE_COORDINATOR && !(other->flags & VD_GRANT_PAPER) &&
		    memcmp(other->person, own->person, VD_PERSON_BYTES))
			return true;
	}
	return false;
}
