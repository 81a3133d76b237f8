#include "for_whom.h"

#include <string.h>

#include "proto/body.h"
#include "proto/err.h"

static int by_name(struct vd_cli *cli, struct vd_group *group, const struct vd_record *r, struct vd_for_whom *out)
{
	const struct vd_device *author = vd_group_find(group, r->author);
	struct vd_part part;
	int rc = vd_store_named(cli->store, vd_record_part(r, &part) ? &part.of : &r->id, out->devices, &out->count);

	if (author)
		memcpy(out->author, author->person, VD_PERSON_BYTES);
	out->kind = !rc ? VD_FOR_NAMED : author && author->most == VD_ROLE_REPORTER ? VD_FOR_FOCAL : VD_FOR_HIDDEN;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

int vd_for_whom(struct vd_cli *cli, struct vd_group *group, const struct vd_record *r, struct vd_for_whom *out)
{
	enum vd_audience audience;

	*out = (struct vd_for_whom){ .kind = VD_FOR_ALL };
	if (!vd_record_audience(r, &audience))
		return VD_OK;
	switch (audience) {
	case VD_AUDIENCE_EVERYONE: out->kind = VD_FOR_EVERYONE; break;
	case VD_AUDIENCE_MEMBERS: out->kind = VD_FOR_MEMBERS; break;
	case VD_AUDIENCE_NAMED: return by_name(cli, group, r, out);
	}
	return VD_OK;
}

static bool is_named(const struct vd_for_whom *f, const struct vd_device *d)
{
	for (size_t i = 0; i < f->count; i++)
		if (memcmp(f->devices[i], d->author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

/* Has the person a device that is focal, or named? */
static bool is_meant(struct vd_group *group, const struct vd_for_whom *f, const uint8_t person[VD_PERSON_BYTES])
{
	if (memcmp(f->author, person, VD_PERSON_BYTES) == 0)
		return false;
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (memcmp(d->person, person, VD_PERSON_BYTES) == 0 && (f->kind == VD_FOR_FOCAL ? d->focal : is_named(f, d)))
			return true;
	}
	return false;
}

enum vd_for vd_is_for(struct vd_group *group, const struct vd_for_whom *f, const uint8_t person[VD_PERSON_BYTES])
{
	enum vd_role role = vd_person_role(group, person, false);

	switch (f->kind) {
	case VD_FOR_ALL: return VD_FOR_THEM;
	case VD_FOR_EVERYONE: return role == VD_ROLE_COURIER ? VD_FOR_NOT : VD_FOR_THEM;
	case VD_FOR_MEMBERS: return role == VD_ROLE_COORDINATOR || role == VD_ROLE_MEMBER ? VD_FOR_THEM : VD_FOR_NOT;
	case VD_FOR_HIDDEN: return role == VD_ROLE_COURIER ? VD_FOR_NOT : VD_FOR_PERHAPS;
	case VD_FOR_FOCAL:
	case VD_FOR_NAMED: return is_meant(group, f, person) ? VD_FOR_THEM : VD_FOR_NOT;
	}
	return VD_FOR_THEM;
}
