/* An administrative act in words. */
#include <stdlib.h>
#include <string.h>

#include "admin.h"

const char *vd_act_word(enum vd_act_kind kind)
{
	static const char *const words[] = { "found", "name", "admit", "epoch", "revoke", "review", "approve", "other" };

	return (size_t)kind < sizeof words / sizeof *words ? words[kind] : "other";
}

static bool led_to(struct vd_group *group, const struct vd_id *earlier, const struct vd_id *later)
{
	static const uint8_t nobody[VD_KEY_BYTES];
	size_t count = vd_group_act_count(group);
	bool *known = calloc(count + 1, sizeof *known), led = false;

	if (!known)
		return false;
	vd_group_knows(group, nobody, NULL, 0, later, 1, known);
	for (size_t i = 0; i < count && !led; i++)
		led = known[i] && !memcmp(vd_group_act(group, i)->id.b, earlier->b, VD_ID_BYTES);
	free(known);
	return led;
}

bool vd_act_restores(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *d = act->kind == VD_ACT_GRANT && act->device ? vd_group_find(group, act->device) : NULL;

	return d && d->removed && d->role == VD_ROLE_NONE && led_to(group, &d->revoke, &act->id);
}

bool vd_is_founder(struct vd_group *group, const uint8_t author[VD_KEY_BYTES])
{
	const struct vd_act *first = vd_group_act(group, 0);

	return first && first->kind == VD_ACT_FOUND && !memcmp(first->author, author, VD_KEY_BYTES);
}

enum vd_act_state vd_act_state(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *author = vd_group_find(group, act->author);

	if (act->kind == VD_ACT_OTHER)
		return VD_ACT_UNREADABLE;
	if (act->counts)
		return !act->backed && vd_act_restores(group, act) ? VD_ACT_WAITS : VD_ACT_HOLDS;
	/* What a removed coordinator says of others needs somebody who stands by it. */
	if (act->kind == VD_ACT_REVOKE && !act->backed && author && author->coordinator_ever && !vd_is_founder(group, act->author))
		return VD_ACT_WAITS;
	return author && author->role == VD_ROLE_NONE ? VD_ACT_AUTHOR_OUT : VD_ACT_OUTRANKED;
}

bool vd_act_said(struct vd_group *group, const struct vd_act *about)
{
	const struct vd_identity *self = vd_group_identity(group);

	for (size_t i = 0; self && i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		if (act->kind == VD_ACT_APPROVE && !memcmp(act->about.b, about->id.b, VD_ID_BYTES) &&
		    !memcmp(act->author, self->author, VD_KEY_BYTES))
			return true;
	}
	return false;
}

static bool is_paper(struct vd_group *group, const struct vd_act *act)
{
	const struct vd_device *d = act->device ? vd_group_find(group, act->device) : NULL;

	return d && d->flags & VD_GRANT_PAPER && !memcmp(d->grant.b, act->id.b, VD_ID_BYTES);
}

/* Was the device admitted before? */
static bool again(struct vd_group *group, const struct vd_act *act)
{
	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *a = vd_group_act(group, i);

		if (!memcmp(a->id.b, act->id.b, VD_ID_BYTES))
			break;
		if (a->kind == VD_ACT_GRANT && a->device && !memcmp(a->device, act->device, VD_KEY_BYTES))
			return true;
	}
	return false;
}

void vd_act_text(struct vd_cli *cli, struct vd_group *group, const struct vd_act *act, struct vd_buf *out)
{
	char author[VD_WHO_TEXT], whom[VD_WHO_TEXT] = "", what[2 * VD_KEY_SHOWN + 1] = "";
	char role[VD_ROLE_TEXT];
	const char *args[] = { author, whom, what, vd_role_said(cli, act->role, act->flags & VD_GRANT_FOCAL, role), NULL };
	enum vd_msg msg = VD_MSG_ACT_OTHER;

	vd_who(group, act->author, author);
	if (act->device) {
		vd_who(group, act->device, whom);
		vd_hex(what, act->device, VD_KEY_SHOWN);
	}
	switch (act->kind) {
	case VD_ACT_FOUND: msg = VD_MSG_ACT_FOUND; break;
	case VD_ACT_NAME: msg = VD_MSG_ACT_NAME; break;
	case VD_ACT_GRANT: msg = act->device && again(group, act) ? VD_MSG_ACT_GRANT_AGAIN : VD_MSG_ACT_GRANT;
		msg = is_paper(group, act) ? VD_MSG_ACT_PAPER : msg;
		break;
	case VD_ACT_EPOCH: msg = VD_MSG_ACT_EPOCH; break;
	case VD_ACT_REVOKE:
		msg = act->person ? VD_MSG_ACT_REVOKE : VD_MSG_ACT_REVOKE_DEVICE;
		if (act->person)
			vd_who_person(group, act->person, whom);
		break;
	case VD_ACT_REVIEW:
		msg = act->accept ? VD_MSG_ACT_REVIEW_ACCEPT : VD_MSG_ACT_REVIEW_LEAVE;
		vd_hex(what, act->about.b, VD_KEY_SHOWN);
		break;
	case VD_ACT_APPROVE:
		msg = VD_MSG_ACT_APPROVE;
		vd_hex(what, act->about.b, VD_KEY_SHOWN);
		break;
	case VD_ACT_OTHER: break;
	}
	vd_text_format(cli->lang, msg, args, !cli->opt.json, out);
}
