/* Every administrative act: who did what, whether it counts, and who has not heard of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "findings.h"
#include "times.h"

enum { LATELY_DAYS = 30, NAMES_SHOWN = 12 };

static enum vd_msg state_text(enum vd_act_state state)
{
	switch (state) {
	case VD_ACT_HOLDS: break;
	case VD_ACT_WAITS: return VD_MSG_ACT_WAITS;
	case VD_ACT_AUTHOR_OUT: return VD_MSG_ACT_AUTHOR_OUT;
	case VD_ACT_OUTRANKED: return VD_MSG_ACT_OUTRANKED;
	case VD_ACT_UNREADABLE: return VD_MSG_ACT_UNREADABLE;
	}
	return VD_MSG_NONE;
}

/* Of two decisions about one record the later holds, and the other counts for nothing. */
static bool overruled(struct vd_group *group, const struct vd_act *act)
{
	return act->kind == VD_ACT_REVIEW && act->counts &&
	       vd_group_reviewed(group, &act->about) != (act->accept ? VD_REVIEW_ACCEPTED : VD_REVIEW_LEFT);
}

/* Why it does not do what it says, or NULL. */
static const char *why(struct vd_cli *cli, struct vd_group *group, const struct vd_act *act, struct vd_buf *room)
{
	const struct vd_device *author = vd_group_find(group, act->author);
	char id[2 * VD_KEY_SHOWN + 1], who[VD_WHO_TEXT], by[VD_WHO_TEXT] = "?";
	const char *const args[] = { id, who, by, NULL };
	enum vd_msg msg = state_text(vd_act_state(group, act));

	if (msg == VD_MSG_ACT_WAITS && vd_act_said(group, act))
		msg = VD_MSG_ACT_WAITS_OTHERS;
	if (msg == VD_MSG_ACT_AUTHOR_OUT && !author->removed)
		msg = VD_MSG_ACT_AUTHOR_NEVER;
	if (overruled(group, act))
		msg = VD_MSG_ACT_OVERRULED;
	if (!msg)
		return NULL;
	vd_hex(id, act->id.b, VD_KEY_SHOWN);
	vd_who(group, act->author, who);
	if (author && author->removed) {
		const struct vd_act *removal = vd_find_act(group, &author->revoke);

		if (removal)
			vd_who(group, removal->author, by);
	}
	vd_buf_reset(room);
	vd_text_format(cli->lang, msg, args, !cli->opt.json, room);
	vd_buf_put_u8(room, 0);
	if (room->failed)
		cli->out_error = ENOMEM; /* rather no list than one that is silent on why */
	return room->failed ? NULL : (const char *)room->p;
}

void vd_json_acts(struct vd_cli *cli, const struct vd_look *look, json_t *out)
{
	struct vd_group *group = look->group;
	struct vd_buf room = { 0 };

	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);
		const struct vd_device *author = vd_group_find(group, act->author);
		bool about = act->kind == VD_ACT_REVIEW || act->kind == VD_ACT_APPROVE;
		json_t *not_heard;
		const char *reason;
		size_t silent = 0;

		if (vd_act_is_part(group, act))
			continue;
		reason = why(cli, group, act, &room);
		not_heard = vd_heard_not(&look->heard, i, &silent);
		json_array_append_new(out, json_pack(
			"{s:o,s:o,s:s,s:o,s:s,s:o,s:b,s:b,s:o,s:i,s:b,s:b,s:o,s:o,s:o,s:s,s:o,s:o}", "group", vd_json_hex(vd_group_id(group), VD_GROUP_BYTES),
			"id", vd_json_hex(act->id.b, VD_ID_BYTES), "kind", vd_act_word(act->kind), "author", vd_json_hex(act->author, VD_KEY_BYTES),
			"author_name", author ? author->name : "", "time", vd_json_time(act->time_ms), "counts", act->counts, "waiting",
			vd_act_state(group, act) == VD_ACT_WAITS, "why", reason ? vd_json_text(vd_slice_str(reason)) : json_null(), "approvals",
			(int)act->approvals, "backed", act->backed, "seconded", act->seconded, "about", about ? vd_json_hex(act->about.b, VD_ID_BYTES) : json_null(), "device",
			act->device ? vd_json_hex(act->device, VD_KEY_BYTES) : json_null(), "member",
			act->person ? vd_json_hex(act->person, VD_PERSON_BYTES) : json_null(), "member_name",
			act->person ? vd_person_name(group, act->person) : "", "not_heard", not_heard,
			"not_heard_count", vd_json_number(silent)));
	}
	vd_buf_deinit(&room);
}

/* "3 members have not heard: Beto, Carla, Dora". */
static void put_not_heard(struct vd_cli *cli, const struct vd_heard *heard, size_t act, struct vd_buf *line)
{
	size_t silent = 0, i;
	json_t *names = vd_heard_not(heard, act, &silent), *name;
	struct vd_buf list = { 0 };

	json_array_foreach (names, i, name) {
		if (i)
			vd_buf_put_slice(&list, vd_slice_str(", "));
		vd_buf_put_slice(&list, vd_slice_str(i < NAMES_SHOWN ? json_string_value(name) : "\u2026"));
		if (i == NAMES_SHOWN)
			break;
	}
	vd_buf_put_u8(&list, 0);
	if (silent && !list.failed) {
		const char *const args[] = { vd_num(cli, silent), (const char *)list.p, NULL };

		vd_buf_put_slice(line, vd_slice_str("; "));
		vd_text_format(cli->lang, silent == 1 ? VD_MSG_ACT_NOT_HEARD_ONE : VD_MSG_ACT_NOT_HEARD, args, true, line);
	}
	json_decref(names);
	vd_buf_deinit(&list);
}

static bool somebody_lacks(const struct vd_heard *h, size_t act)
{
	for (size_t i = 0; i < h->listener_count; i++)
		if (!vd_heard_by(h, act, i))
			return true;
	return false;
}

static void say_act(struct vd_cli *cli, const struct vd_look *look, size_t i)
{
	const struct vd_act *act = vd_group_act(look->group, i);
	struct vd_buf line = { 0 }, room = { 0 };
	char time[VD_TIME_TEXT], id[2 * VD_KEY_SHOWN + 1], head[64];
	const char *reason = why(cli, look->group, act, &room);

	vd_time_local(act->time_ms, time);
	vd_hex(id, act->id.b, VD_KEY_SHOWN);
	snprintf(head, sizeof head, "    %s  %s  ", time, id);
	vd_buf_put_slice(&line, vd_slice_str(head));
	vd_act_text(cli, look->group, act, &line);
	if (act->backed || act->seconded) {
		vd_buf_put_slice(&line, vd_slice_str("; "));
		vd_buf_put_slice(&line, vd_slice_str(vd_text(cli->lang, act->backed ? VD_MSG_ACT_BACKED : VD_MSG_ACT_SECONDED)));
	}
	if (reason) {
		vd_buf_put_slice(&line, vd_slice_str("; "));
		vd_buf_put_slice(&line, vd_slice_str(reason));
	}
	put_not_heard(cli, &look->heard, i, &line);
	vd_buf_put_u8(&line, '\n');
	vd_say_raw(cli, vd_buf_slice(&line));
	vd_buf_deinit(&line);
	vd_buf_deinit(&room);
}

/* What only repeats the founding: its first keys, its name, the founder's own admission. */
static bool is_founding(struct vd_group *group, size_t i)
{
	const struct vd_act *act = vd_group_act(group, i), *first = vd_group_act(group, 0);

	return i > 0 && i < 4 && !memcmp(act->author, first->author, VD_KEY_BYTES) &&
	       (act->kind == VD_ACT_NAME || act->kind == VD_ACT_EPOCH ||
	        (act->kind == VD_ACT_GRANT && act->device && !memcmp(act->device, act->author, VD_KEY_BYTES)));
}

void vd_say_acts(struct vd_cli *cli, const struct vd_look *look, bool all)
{
	uint64_t now_ms = vd_time_now_ms();
	size_t folded = 0;
	bool headed = false;

	for (size_t i = 0; i < vd_group_act_count(look->group) && vd_say_ok(cli); i++) {
		const struct vd_act *act = vd_group_act(look->group, i);
		bool late = act->time_ms + LATELY_DAYS * VD_DAY_MS >= now_ms;

		if (vd_act_is_part(look->group, act) || (!all && is_founding(look->group, i)))
			continue;
		if (!all && !late && !somebody_lacks(&look->heard, i)) {
			folded++;
			continue;
		}
		if (!headed)
			vd_say(cli, VD_MSG_STATUS_ACTS, NULL);
		headed = true;
		say_act(cli, look, i);
	}
	if (folded)
		vd_say(cli, VD_MSG_STATUS_ACTS_FOLDED, vd_num(cli, folded), NULL);
}
