/* The device's clock: nobody corrects it without a network, and every record bears its time. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "store/custody.h"
#include "store/tend.h"
#include "times.h"

/* Who has not met for months is no news, unless the clock just jumped; whose clock lags behind what was said already is. */
enum { AHEAD_DAYS = 400, LEAPT_DAYS = 30, BEHIND_DAYS = 2 };

/* The newest time that others gave to what they wrote or said last; 0: there is none. What cannot be read says nothing about the clock: the command
 * itself will tell. *leapt: it need not be as old. */
static uint64_t newest_of_others(struct vd_cli *cli, struct vd_group *group, uint64_t now_ms, char name[VD_WHO_TEXT], bool *leapt)
{
	struct vd_others others;

	*leapt = false;
	if (vd_custody_others(cli->store, group, now_ms, &others) || !others.newest_ms)
		return 0;
	vd_who(group, others.newest, name);
	return vd_clock_leapt(cli->store, now_ms, leapt) ? 0 : others.newest_ms;
}

bool vd_cli_clock_warning(struct vd_cli *cli, struct vd_group *group, struct vd_buf *out)
{
	char name[VD_WHO_TEXT] = "", now[VD_TIME_TEXT], then[VD_TIME_TEXT] = "";
	const char *const args[] = { now, then, name, NULL };
	uint64_t now_ms = vd_time_now_ms(), newest_ms;
	enum vd_msg msg = VD_MSG_NONE;
	bool leapt;

	if (!vd_clock_can_be(now_ms)) {
		msg = VD_MSG_WARN_CLOCK;
	} else if (group) {
		newest_ms = newest_of_others(cli, group, now_ms, name, &leapt);
		vd_time_local(newest_ms, then);
		if (newest_ms && (now_ms > newest_ms + (leapt ? LEAPT_DAYS : AHEAD_DAYS) * VD_DAY_MS || now_ms + BEHIND_DAYS * VD_DAY_MS < newest_ms))
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
