/* The device's clock: nobody corrects it without a network, and every record bears its time. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "store/tend.h"
#include "times.h"

/* Who has not met for months is no news; whose clock lags behind what was written already is. */
enum { AHEAD_DAYS = 400, BEHIND_DAYS = 2, LOOKED_AT = 64 };

/* The newest time that others gave to one of the last records that came; 0: none of theirs is among them. */
static uint64_t newest_of_others(struct vd_cli *cli, struct vd_group *group, char name[VD_NAME_MAX + 1])
{
	const struct vd_identity *self = vd_group_identity(group);
	uint64_t arrival = 0, newest_ms = 0;
	struct vd_buf raw = { 0 };
	struct vd_record record;

	/* What cannot be read says nothing about the clock; the command itself will tell. */
	if (vd_store_latest(cli->store, &arrival))
		arrival = 0;
	for (int i = 0; i < LOOKED_AT && arrival; i++, arrival--) {
		const struct vd_device *author;

		if (vd_store_read(cli->store, arrival, &raw, &record, NULL) || memcmp(record.group, vd_group_id(group), VD_GROUP_BYTES) != 0 ||
		    (self && memcmp(record.author, self->author, VD_KEY_BYTES) == 0) || record.time_ms < newest_ms)
			continue;
		author = vd_group_find(group, record.author);
		snprintf(name, VD_NAME_MAX + 1, "%s", author ? author->name : "");
		newest_ms = record.time_ms;
	}
	vd_buf_deinit(&raw);
	return newest_ms;
}

bool vd_cli_clock_warning(struct vd_cli *cli, struct vd_group *group, struct vd_buf *out)
{
	char name[VD_NAME_MAX + 1] = "", now[VD_TIME_TEXT], then[VD_TIME_TEXT] = "";
	const char *const args[] = { now, then, name, NULL };
	uint64_t now_ms = vd_time_now_ms(), newest_ms;
	enum vd_msg msg = VD_MSG_NONE;

	if (!vd_clock_can_be(now_ms)) {
		msg = VD_MSG_WARN_CLOCK;
	} else if (group) {
		newest_ms = newest_of_others(cli, group, name);
		vd_time_local(newest_ms, then);
		if (newest_ms && (now_ms > newest_ms + AHEAD_DAYS * VD_DAY_MS || now_ms + BEHIND_DAYS * VD_DAY_MS < newest_ms))
			msg = VD_MSG_WARN_CLOCKS;
	}
	vd_time_local(now_ms, now);
	if (msg)
		vd_text_format(cli->lang, msg, args, !cli->opt.json, out);
	vd_buf_put_u8(out, 0);
	return msg && !vd_buf_check(out);
}

int vd_cli_clock_set(struct vd_cli *cli)
{
	return vd_time_now_ms() ? 0 : vd_refuse(cli, VD_EXIT_FAILED, "clock", VD_MSG_HINT_CLOCK, VD_MSG_CLOCK_UNSET, NULL);
}

int vd_cli_clock_ends(struct vd_cli *cli, struct vd_group *group)
{
	struct vd_buf why = { 0 };
	int rc = 0;

	if (!cli->opt.yes && vd_cli_clock_warning(cli, group, &why))
		rc = vd_refuse(cli, VD_EXIT_DECIDE, "clock", VD_MSG_HINT_EXPIRES_CLOCK, VD_MSG_EXPIRES_CLOCK, (const char *)why.p, NULL);
	vd_buf_deinit(&why);
	return rc;
}
