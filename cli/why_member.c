/* why MEMBER: what a member is not known to have, and what to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "for_whom.h"
#include "proto/err.h"
#include "times.h"
#include "why.h"

enum {
	STEPS = 20000,       /* records passed on the way to those that are missing */
	URGENT = 20,         /* of which so many urgent ones are named */
};

/* Those of a gap: urgent ones are named, and of all the oldest is told. */
struct naming {
	struct vd_why *why;
	const struct vd_target *whom;
	size_t urgent;
	uint64_t to_read;    /* of them for that member, or perhaps */
	uint64_t oldest_ms;
	json_t *ids;
};

static int name_one(void *ctx, uint64_t arrival, const struct vd_record *r)
{
	struct naming *n = ctx;
	char id[9], time[VD_TIME_TEXT];
	struct vd_for_whom whom;
	bool reads;
	int rc = vd_for_whom(n->why->cli, n->why->group, r, &whom);

	(void)arrival;
	if (rc)
		return rc;
	reads = vd_is_for(n->why->group, &whom, n->whom->person) != VD_FOR_NOT;
	n->to_read += reads;
	if (!n->oldest_ms || r->time_ms < n->oldest_ms)
		n->oldest_ms = r->time_ms;
	if (r->lane != VD_LANE_URGENT || n->urgent == URGENT)
		return 0;
	n->urgent++;
	json_array_append_new(n->ids, vd_json_hex(r->id.b, VD_ID_BYTES));
	vd_hex(id, r->id.b, 4);
	vd_time_local(r->time_ms, time);
	if (!n->why->cli->opt.json)
		vd_say(n->why->cli, reads ? VD_MSG_WHY_URGENT : VD_MSG_WHY_URGENT_CARRY, id, time, NULL);
	return 0;
}

/* *oldest_ms: 0 when there are more than were looked at; *to_read then at least 1. */
static int tell_lanes(struct vd_why *w, const struct vd_target *whom, const struct vd_missing *missing, const struct vd_gap *gaps, size_t count,
                      uint64_t *oldest_ms, uint64_t *to_read)
{
	bool deep = missing->unsure;
	int rc = VD_OK;

	for (uint8_t lane = 0; lane < VD_LANES && !rc; lane++) {
		struct naming n = { .why = w, .whom = whom, .ids = json_array() };
		uint64_t left, all_left = 0;

		if (missing->records[lane] && !w->cli->opt.json)
			vd_say(w->cli, VD_MSG_WHY_LANE, vd_text(w->cli->lang, vd_lane_text(lane)), vd_num(w->cli, missing->records[lane]), NULL);
		for (size_t i = 0; i < count && !rc; i++)
			if (gaps[i].lane == lane) {
				rc = vd_custody_walk(w->cli->store, &gaps[i], STEPS, name_one, &n, &left);
				all_left += left;
			}
		deep |= all_left > 0;
		*to_read += n.to_read;
		if (n.oldest_ms && (!*oldest_ms || n.oldest_ms < *oldest_ms))
			*oldest_ms = n.oldest_ms;
		if (missing->records[lane])
			json_array_append_new(w->missing, json_pack("{s:s,s:o,s:O,s:o}", "lane", vd_lane_word(lane), "records",
			                                            vd_json_number(missing->records[lane]), "urgent", n.ids, "oldest", vd_why_time(all_left ? 0 : n.oldest_ms)));
		json_decref(n.ids);
	}
	if (deep) {
		*oldest_ms = 0;
		*to_read += !*to_read;
	}
	return rc;
}

/* Is all that they lack but content, of records of which a device of theirs has the stubs? What is urgent nobody lets go of unasked. */
static int only_content(struct vd_why *w, const bool *who, const struct vd_missing *missing, bool *yes)
{
	int rc = VD_OK;

	*yes = !missing->records[VD_LANE_CONTROL] && !missing->records[VD_LANE_URGENT];
	for (uint8_t lane = VD_LANE_NORMAL; lane < VD_LANES && *yes && !rc; lane++) {
		bool same = !missing->records[lane];

		for (size_t i = 0; i < vd_custody_count(w->custody) && !same && !rc; i++)
			if (who[i])
				rc = vd_custody_same_ids(w->custody, i, lane, &same);
		*yes = same;
	}
	return rc;
}

/* The stick seen last that holds all of ours takes them there. */
static void advise_on_member(struct vd_why *w, const char *name, uint64_t all, uint64_t to_read, bool content)
{
	uint64_t latest;

	if (!all) {
		vd_why_advise(w, VD_MSG_WHY_NEXT_NOTHING, name, NULL);
		return;
	}
	if (content) {
		vd_why_advise(w, VD_MSG_WHY_NEXT_LET_GO, name, NULL);
		return;
	}
	if (!to_read) {
		vd_why_advise(w, VD_MSG_WHY_NEXT_NOT_THEIRS, name, NULL);
		return;
	}
	if (w->stick_count && !vd_store_latest(w->cli->store, &latest) && vd_stick_since(&w->sticks[0], latest))
		vd_why_advise_stick(w, &w->sticks[0], name);
	else
		vd_why_advise(w, VD_MSG_WHY_NEXT_SYNC, name, NULL);
}

/* `lacks`: there is something of which it counts. */
static void tell_heard(struct vd_why *w, const struct vd_target *t, bool lacks, json_t *out)
{
	char time[VD_TIME_TEXT], room[VD_WHERE_TEXT];
	struct vd_route route;
	uint64_t last = vd_last_word(w->cli, w->group, w->custody, t->person, &route);
	uint64_t ahead_ms = lacks ? vd_clock_ahead(w->cli, w->group, w->custody, t->person) : 0;

	json_object_set_new(out, "heard", vd_why_time(last));
	json_object_set_new(out, "route", vd_route_json(w->cli, &route));
	json_object_set_new(out, "clock", vd_why_time(ahead_ms));
	if (w->cli->opt.json)
		return;
	vd_time_local(last, time);
	if (last)
		vd_say(w->cli, VD_MSG_WHY_HEARD, t->name, time, vd_route_said(w->cli, &route, room), NULL);
	else
		vd_say(w->cli, VD_MSG_WHY_NEVER_HEARD, t->name, NULL);
	vd_time_local(ahead_ms, time);
	if (ahead_ms)
		vd_say(w->cli, VD_MSG_WHERE_CLOCK, t->name, time, NULL);
}

/* Of one device, and of the others of who uses this one, it is told by their name and that. */
static void call_devices(struct vd_why *w, const struct vd_target *whom, const bool *who, struct vd_target *out)
{
	char key[2 * VD_KEY_SHOWN + 1] = "";
	size_t count = 0;
	json_t *called;

	*out = *whom;
	for (size_t i = 0; i < vd_custody_count(w->custody); i++)
		if (who[i]) {
			vd_hex(key, vd_custody_keeper(w->custody, i)->author, VD_KEY_SHOWN);
			count++;
		}
	if (!whom->one_device && !vd_why_ours(w->group, whom->person))
		return;
	called = vd_json_said(w->cli, count == 1 ? VD_MSG_WHY_DEVICE_OF : VD_MSG_WHY_DEVICES_OF, whom->name, key, NULL);
	snprintf(out->name, sizeof(out->name), "%s", json_string_value(called) ? json_string_value(called) : whom->name);
	json_decref(called);
}

int vd_why_member(struct vd_why *w, const struct vd_target *whom)
{
	const struct vd_target *t = whom;
	struct vd_target called;
	bool *who = NULL, any = false, content = false;
	struct vd_missing missing = { .unsure = false };
	struct vd_gap *gaps = NULL;
	uint64_t all = 0, oldest_ms = 0, to_read = 0;
	char time[VD_TIME_TEXT];
	size_t count = 0;
	json_t *out;
	int rc = vd_why_begin(w);

	if (!rc && !(who = calloc(vd_custody_count(w->custody) + 1, sizeof(*who))))
		rc = VD_ENOMEM;
	for (size_t i = 0; !rc && i < vd_custody_count(w->custody); i++) {
		const struct vd_keeper *k = vd_custody_keeper(w->custody, i);

		who[i] = !memcmp(k->person, t->person, VD_PERSON_BYTES) && (!t->one_device || !memcmp(k->author, t->device, VD_KEY_BYTES));
		any |= who[i];
	}
	if (!rc && !any) {
		free(who);
		return vd_why_ours(w->group, t->person) ?
		       vd_refuse(w->cli, VD_EXIT_FAILED, "self", VD_MSG_NONE, VD_MSG_WHY_SELF, t->name, NULL) :
		       vd_refuse(w->cli, VD_EXIT_FAILED, "removed", VD_MSG_NONE, VD_MSG_WHY_OUT, t->name, NULL);
	}
	if (!rc) {
		call_devices(w, whom, who, &called);
		t = &called;
		rc = vd_custody_missing(w->custody, who, &missing, &gaps, &count);
	}
	for (int lane = 0; lane < VD_LANES; lane++)
		all += missing.records[lane];
	if (!rc && all)
		rc = only_content(w, who, &missing, &content);
	out = json_pack("{s:o,s:o}", "name", vd_json_text(vd_slice_str(whom->name)), "devices", json_array());
	for (size_t i = 0; !rc && i < vd_custody_count(w->custody); i++)
		if (who[i])
			json_array_append_new(json_object_get(out, "devices"), vd_json_hex(vd_custody_keeper(w->custody, i)->author, VD_KEY_BYTES));
	if (!rc) {
		tell_heard(w, t, all > 0, out);
		if (!w->cli->opt.json && all)
			vd_say(w->cli, content ? VD_MSG_WHY_LACKS_CONTENT : missing.unsure ? VD_MSG_WHY_LACKS_ABOUT : VD_MSG_WHY_LACKS, t->name, vd_num(w->cli, all), NULL);
		rc = tell_lanes(w, t, &missing, gaps, count, &oldest_ms, &to_read);
	}
	free(gaps);
	free(who);
	if (rc) {
		json_decref(out);
		return vd_fail(w->cli, rc, VD_MSG_NONE, VD_MSG_WHY_FAILED, NULL);
	}
	if (oldest_ms && !w->cli->opt.json) {
		vd_time_local(oldest_ms, time);
		vd_say(w->cli, VD_MSG_WHY_OLDEST, time, NULL);
	}
	advise_on_member(w, t->name, all, to_read, content);
	json_object_set_new(out, "records", vd_json_number(all));
	json_object_set_new(out, "unsure", json_boolean(missing.unsure));
	json_object_set_new(out, "content_only", json_boolean(content));
	json_object_set_new(out, "oldest", vd_why_time(oldest_ms));
	json_object_set(out, "holders", w->holders);
	json_object_set(out, "missing", w->missing);
	json_object_set(out, "advice", w->advice);
	if (w->cli->opt.json)
		vd_say_json(w->cli, out);
	else
		json_decref(out);
	return VD_EXIT_DONE;
}
