#include "where.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heard.h"
#include "proto/err.h"
#include "times.h"

static void format(struct vd_cli *cli, char room[VD_WHERE_TEXT], enum vd_msg msg, const char *arg)
{
	const char *const args[] = { arg, NULL };
	struct vd_buf out = { 0 };

	vd_text_format(cli->lang, msg, args, true, &out);
	snprintf(room, VD_WHERE_TEXT, "%.*s", out.failed ? 0 : (int)out.n, out.p ? (const char *)out.p : "");
	vd_buf_deinit(&out);
}

const char *vd_stick_called(struct vd_cli *cli, const struct vd_stick *stick, char room[VD_WHERE_TEXT])
{
	char hex[2 * VD_KEY_SHOWN + 1];

	vd_hex(hex, stick->id, VD_KEY_SHOWN);
	format(cli, room, VD_MSG_WHERE_STICK, *stick->name ? stick->name : hex);
	return room;
}

/* Of the stick whose id that is in hex. */
static void stick_of(struct vd_cli *cli, const char *hex, struct vd_stick *out)
{
	uint8_t id[VD_STICK_ID_BYTES];
	size_t n = 0;

	*out = (struct vd_stick){ .marked = false };
	if (!vd_unhex(id, sizeof id, hex, &n) && n == sizeof id)
		(void)vd_stick_get(cli->store, id, out); /* one that was forgotten has no name */
}

const char *vd_route_said(struct vd_cli *cli, const struct vd_route *route, char room[VD_WHERE_TEXT])
{
	char called[VD_WHERE_TEXT];
	struct vd_stick stick;

	switch (route->kind) {
	case VD_ROUTE_LINK:
		format(cli, room, VD_MSG_WHERE_BY_LINK, route->text);
		return room;
	case VD_ROUTE_STICK:
		stick_of(cli, route->text, &stick);
		format(cli, room, VD_MSG_WHERE_BY_STICK, vd_stick_called(cli, &stick, called));
		return room;
	case VD_ROUTE_FILE:
		return vd_text(cli->lang, VD_MSG_WHERE_BY_FILE);
	case VD_ROUTE_NONE:
		break;
	}
	return "";
}

json_t *vd_route_json(struct vd_cli *cli, const struct vd_route *route)
{
	char called[VD_WHERE_TEXT];
	struct vd_stick stick;

	switch (route->kind) {
	case VD_ROUTE_LINK:
		return json_pack("{s:s,s:o}", "by", "link", "address", vd_json_text(vd_slice_str(route->text)));
	case VD_ROUTE_STICK:
		stick_of(cli, route->text, &stick);
		return json_pack("{s:s,s:o}", "by", "stick", "stick", vd_json_text(vd_slice_str(vd_stick_called(cli, &stick, called))));
	case VD_ROUTE_FILE:
		return json_pack("{s:s}", "by", "file");
	case VD_ROUTE_NONE:
		break;
	}
	return json_null();
}

json_t *vd_json_said(struct vd_cli *cli, enum vd_msg msg, ...)
{
	const char *args[10];
	struct vd_buf out = { 0 };
	json_t *text;
	va_list list;
	size_t n = 0;

	va_start(list, msg);
	while (n < 9 && (args[n] = va_arg(list, const char *)))
		n++;
	args[n] = NULL;
	va_end(list);
	vd_text_format(cli->lang, msg, args, true, &out);
	if (out.failed)
		vd_json_lacks();
	text = vd_json_text(vd_buf_slice(&out));
	vd_buf_deinit(&out);
	return text;
}

uint64_t vd_last_word(struct vd_cli *cli, struct vd_group *group, const struct vd_custody *c, const uint8_t person[VD_PERSON_BYTES],
                      struct vd_route *route)
{
	uint64_t last = 0, now_ms = vd_time_now_ms();

	if (route)
		*route = (struct vd_route){ .kind = VD_ROUTE_NONE };
	for (size_t i = 0; c && i < vd_custody_count(c); i++) {
		const struct vd_keeper *k = vd_custody_keeper(c, i);
		/* What came while the clock here was wrong came after it was said, at least. */
		uint64_t word_ms = k->heard_ms ? k->heard_ms : k->said_ms <= now_ms ? k->said_ms : 0;

		if (memcmp(k->person, person, VD_PERSON_BYTES) != 0 || word_ms <= last)
			continue;
		last = word_ms;
		if (route)
			*route = k->route;
	}
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);
		uint64_t time_ms, received_ms;

		if (memcmp(d->person, person, VD_PERSON_BYTES) != 0 || vd_last_heard(cli, group, d->author, &time_ms, &received_ms) || received_ms <= last || received_ms > now_ms)
			continue;
		last = received_ms;
		if (route)
			*route = (struct vd_route){ .kind = VD_ROUTE_NONE };
	}
	return last;
}

uint64_t vd_clock_ahead(struct vd_cli *cli, struct vd_group *group, const struct vd_custody *c, const uint8_t person[VD_PERSON_BYTES])
{
	uint64_t ahead = 0, now_ms = vd_time_now_ms();

	for (size_t i = 0; c && i < vd_custody_count(c); i++) {
		const struct vd_keeper *k = vd_custody_keeper(c, i);
		uint64_t time_ms, received_ms;

		if (memcmp(k->person, person, VD_PERSON_BYTES) != 0)
			continue;
		ahead = k->ahead_ms > ahead ? k->ahead_ms : ahead;
		/* Where an older receipt is believed, one from the future is not even kept. */
		if (!vd_last_heard(cli, group, k->author, &time_ms, &received_ms) && vd_receipt_ahead(time_ms, now_ms) && received_ms >= k->heard_ms && time_ms > ahead)
			ahead = time_ms;
	}
	return ahead;
}

void vd_clocks_ahead(struct vd_cli *cli, struct vd_group *group, const struct vd_custody *c, json_t *list,
                     void (*say)(void *ctx, const char *name, const char *time), void *ctx)
{
	size_t said = 0;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);
		uint64_t ahead_ms = vd_first_of_person(group, i) ? vd_clock_ahead(cli, group, c, d->person) : 0;
		char name[VD_WHO_TEXT], time[VD_TIME_TEXT];

		if (!ahead_ms)
			continue;
		vd_who_person(group, d->person, name);
		vd_time_local(ahead_ms, time);
		if (list)
			json_array_append_new(list, json_pack("{s:o,s:o,s:o}", "member", vd_json_hex(d->author, VD_KEY_BYTES), "name",
			                                      vd_json_text(vd_slice_str(name)), "clock", vd_json_time(ahead_ms)));
		if (say && said++ < VD_CLOCKS_SAID)
			say(ctx, name, time);
	}
}
