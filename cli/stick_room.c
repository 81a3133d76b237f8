#include "stick_room.h"

#include <stdio.h>

#include "sizes.h"

enum { LEAST = 320 << 10 }; /* what is kept free (daemon/stick_room.c), and a file of what it takes to read an alert */

int vd_stick_room(struct vd_cli *cli, bool folders, uint64_t *max_bytes)
{
	const char *size = vd_options_get(&cli->opt, VD_OPT_MAX);
	char least[VD_SIZE_TEXT];

	*max_bytes = 0;
	if (!size)
		return 0;
	vd_size_text(LEAST, least);
	if (!vd_size_parse(size, max_bytes) || *max_bytes < LEAST)
		return vd_misuse(cli, VD_MSG_HINT_SYNC_MAX, VD_MSG_SYNC_MAX, size, least, NULL);
	return folders ? 0 : vd_misuse(cli, VD_MSG_HINT_SYNC_MAX, VD_MSG_SYNC_MAX_FOLDER, NULL);
}

json_t *vd_stick_room_left(const struct vd_stick_result *r)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "control", vd_json_number(r->left[0]), "urgent", vd_json_number(r->left[1]), "normal",
	                 vd_json_number(r->left[2]), "bulk", vd_json_number(r->left[3]));
}

int vd_stick_room_say(struct vd_cli *cli, const char *dir, const struct vd_stick_result *r)
{
	static const enum vd_msg names[VD_LANES] = { VD_MSG_LANE_CONTROL, VD_MSG_LANE_URGENT, VD_MSG_LANE_NORMAL, VD_MSG_LANE_BULK };
	enum vd_msg went = VD_MSG_SYNC_WENT;
	const char *said;
	bool travels;
	char lanes[256] = "";
	uint64_t all = 0;
	size_t n = 0;

	for (int lane = 0; lane < VD_LANES; lane++) {
		all += r->left[lane];
		if (r->left[lane] && n < sizeof(lanes))
			n += (size_t)snprintf(lanes + n, sizeof(lanes) - n, "%s%s: %s", n ? ", " : "", vd_text(cli->lang, names[lane]),
			                      vd_num(cli, r->left[lane]));
	}
	/* Only what went can travel, and nobody should count on it for an alert that stayed. */
	if (r->left[VD_LANE_URGENT])
		went = r->sent ? VD_MSG_SYNC_NO_ALERT : VD_MSG_SYNC_NO_ALERT_NOTHING;
	else if (!r->sent)
		went = VD_MSG_SYNC_WENT_NOTHING;
	travels = went == VD_MSG_SYNC_WENT;
	said = vd_text(cli->lang, went);
	if (r->at_max)
		return vd_refuse(cli, VD_EXIT_PARTLY, "max", travels ? VD_MSG_HINT_SYNC_AT_MAX : VD_MSG_HINT_SYNC_AT_MAX_REST, VD_MSG_SYNC_AT_MAX, dir,
		                 vd_num(cli, all), lanes, said, NULL);
	return vd_refuse(cli, VD_EXIT_NO_SPACE, "no-space", travels ? VD_MSG_HINT_SYNC_FULL : VD_MSG_HINT_SYNC_FULL_REST, VD_MSG_SYNC_FULL, dir,
	                 vd_num(cli, all), lanes, said, NULL);
}
