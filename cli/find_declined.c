/* Whose share of a disk is used up, here or at others: for status and doctor. */
#include <string.h>

#include "findings.h"
#include "store/declines.h"
#include "store/shares.h"
#include "times.h"

/* Whose share of this device is used up. Who was removed gets no more by a setting. */
static void find_here(struct vd_findings *f, const struct vd_look *l)
{
	uint64_t records[VD_LANES];
	struct vd_declined_set set;

	if (vd_shares_declined(f->cli->store, vd_group_id(l->group), &set))
		return;
	for (size_t i = 0; i < set.count; i++) {
		const struct vd_declined *who = &set.who[i];
		bool out = !vd_group_may_connect(l->group, who->author);
		char room[VD_WHO_TEXT];

		if (vd_shares_held(f->cli->store, vd_group_id(l->group), who->author, records))
			continue;
		vd_who(l->group, who->author, room);
		vd_finding(f, "declined", out ? "note" : "warning", VD_MSG_WARN_DECLINED, out ? VD_MSG_NEXT_DECLINED_OUT : VD_MSG_NEXT_DECLINED, room,
		           vd_num(f->cli, records[who->lane]), vd_text(f->cli->lang, vd_lane_text(who->lane)),
		           vd_num(f->cli, 2 * records[who->lane]), NULL);
	}
}

/* Who took no more of somebody's records when this device met them last; an author of several lanes is named once. */
static void find_there(struct vd_findings *f, const struct vd_look *l)
{
	for (size_t d = 0; d < vd_group_device_count(l->group); d++) {
		const struct vd_device *device = vd_group_device(l->group, d);
		char who[VD_WHO_TEXT], author[VD_WHO_TEXT], time[VD_TIME_TEXT];
		struct vd_buf names = { 0 };
		struct vd_declined_set set;
		uint64_t noted_ms;

		if (device->role == VD_ROLE_NONE || vd_declines_of(f->cli->store, vd_group_id(l->group), device->author, &set, &noted_ms))
			continue;
		for (size_t i = 0; i < set.count; i++) {
			bool named = false;

			for (size_t j = 0; j < i; j++)
				named |= memcmp(set.who[j].author, set.who[i].author, VD_KEY_BYTES) == 0;
			if (named)
				continue;
			vd_who(l->group, set.who[i].author, author);
			vd_list_name(&names, author);
		}
		vd_buf_put_u8(&names, 0);
		vd_who(l->group, device->author, who);
		vd_time_local(noted_ms, time);
		if (!names.failed)
			vd_finding(f, "declined-there", "note", VD_MSG_WARN_DECLINED_THERE, VD_MSG_HINT_DECLINED_THERE, who, (const char *)names.p, time, NULL);
		vd_buf_deinit(&names);
	}
}

/* Whose content waits, as their share of today is used up. */
static void find_later(struct vd_findings *f, const struct vd_look *l)
{
	struct vd_later later[VD_LATER_MOST];
	char room[VD_WHO_TEXT], most[VD_SIZE_SAID];
	struct vd_shares set;
	size_t count;

	if (vd_shares_get(f->cli->store, &set) || vd_shares_later_all(f->cli->store, vd_group_id(l->group), vd_time_now_ms(), later, &count))
		return;
	vd_size_said(f->cli, set.day_bytes, most);
	for (size_t i = 0; i < count; i++) {
		vd_who(l->group, later[i].author, room);
		vd_finding(f, "later", "note", VD_MSG_WARN_LATER, VD_MSG_NEXT_LATER, room, most, vd_num(f->cli, later[i].bodies), NULL);
	}
}

void vd_find_declined(struct vd_findings *f, const struct vd_look *l)
{
	find_here(f, l);
	find_later(f, l);
	find_there(f, l);
}
