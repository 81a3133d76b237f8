/* why: who is known to have a record, or what a member is not known to have; by which way word came, and what to do. Nothing counts as arrived
 * that was not confirmed. */
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "for_whom.h"
#include "proto/err.h"
#include "times.h"
#include "where.h"

enum {
	NAMED = 3,           /* members that an advice names */
	STEPS = 20000,       /* records passed on the way to those that are missing */
	URGENT = 20,         /* of which so many urgent ones are named */
};

/* The first of some members, for an advice. */
struct names {
	struct vd_buf text;
	size_t count;
};

/* What is being told, for people at once, for programs at the end. */
struct why {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_custody *custody;
	struct vd_stick *sticks;
	size_t stick_count;
	json_t *holders, *missing, *advice;
	uint64_t *lacks;             /* of each keeper: how many chunks of what the record attaches it is not known to hold; NULL: none is attached */
	uint64_t lacks_here;         /* … and how many this device does not */
	bool bounded;                /* bulk.max keeps some of these away, which is: */
	char most[VD_SIZE_SAID];
	struct vd_for_whom whom;     /* who may read the record */
	size_t members, with;        /* with a role; of them known to have it */
	size_t readers, readers_with;/* of these, those whom it is for, or may be */
	struct names lacking;        /* … who are not known to have it */
	struct names carriers;       /* nor are these, and it is not for them */
	bool on_stick;
	char stick[VD_WHERE_TEXT];   /* the last one that has it */
};

static void advise(struct why *w, enum vd_msg msg, const char *a, const char *b)
{
	json_array_append_new(w->advice, vd_json_said(w->cli, msg, a, b, NULL));
	if (!w->cli->opt.json)
		vd_say(w->cli, msg, a, b, NULL);
}

static void note_name(struct names *names, const char *name)
{
	if (names->count++ < NAMED) {
		if (names->text.n)
			vd_buf_put_slice(&names->text, vd_slice_str(", "));
		vd_buf_put_slice(&names->text, vd_slice_str(name));
	} else if (names->count == NAMED + 1) {
		vd_buf_put_slice(&names->text, vd_slice_str(", …"));
	}
}

static const char *names_said(struct names *names)
{
	vd_buf_put_u8(&names->text, 0);
	return names->text.failed ? "" : (const char *)names->text.p;
}

static bool is_ours(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES])
{
	const struct vd_identity *us = vd_group_identity(group);
	const struct vd_device *d = us ? vd_group_find(group, us->author) : NULL;

	return d && memcmp(d->person, person, VD_PERSON_BYTES) == 0;
}

static json_t *member_json(const struct vd_device *d, const char *name)
{
	return json_pack("{s:s,s:o,s:o}", "kind", "member", "member", vd_json_hex(d->author, VD_KEY_BYTES), "name", vd_json_text(vd_slice_str(name)));
}

/* Null: perhaps. */
static json_t *for_json(enum vd_for is_for)
{
	return is_for == VD_FOR_PERHAPS ? json_null() : json_boolean(is_for == VD_FOR_THEM);
}

static json_t *time_or_null(uint64_t ms)
{
	return ms ? vd_json_time(ms) : json_null();
}

static int begin(struct why *w)
{
	int rc = vd_sticks(w->cli->store, &w->sticks, &w->stick_count);

	w->holders = json_array();
	w->missing = json_array();
	w->advice = json_array();
	if (!rc)
		rc = vd_custody_open(w->cli->store, w->group, &w->custody);
	return rc;
}

static void end(struct why *w)
{
	vd_custody_close(w->custody);
	free(w->lacks);
	free(w->sticks);
	json_decref(w->holders);
	json_decref(w->missing);
	json_decref(w->advice);
	vd_buf_deinit(&w->lacking.text);
	vd_buf_deinit(&w->carriers.text);
	vd_group_free(w->group);
}

/* --- one record --- */

struct subject {
	uint8_t group[VD_GROUP_BYTES];
	uint64_t arrival, received_ms;
	struct vd_buf raw;
	struct vd_record record;
};

static const char *how_word(enum vd_holding how)
{
	return how == VD_HOLDS_OWN ? "author" : how == VD_HOLDS_MET || how == VD_HOLDS_LANE ? "digest" : how == VD_HOLDS_SPAN ? "receipt" : "ack";
}

static void tell_holder(struct why *w, const struct vd_device *d, const char *name, enum vd_for is_for, enum vd_holding how, const struct vd_keeper *k)
{
	char time[VD_TIME_TEXT] = "", room[VD_WHERE_TEXT];
	json_t *one;

	w->with++;
	w->readers_with += is_for != VD_FOR_NOT;
	if (w->cli->opt.json) {
		one = member_json(d, name);
		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "how", json_string(how_word(how)));
		json_object_set_new(one, "heard", time_or_null(k->heard_ms));
		json_object_set_new(one, "route", vd_route_json(w->cli, &k->route));
		json_object_set_new(one, "confirmed", json_true());
		json_array_append_new(w->holders, one);
		return;
	}
	if (k->heard_ms)
		vd_time_local(k->heard_ms, time);
	if (how == VD_HOLDS_OWN)
		vd_say(w->cli, VD_MSG_WHY_WROTE, name, NULL);
	else if (how == VD_HOLDS_ACK)
		vd_say(w->cli, VD_MSG_WHY_ACKED, name, NULL);
	else
		vd_say(w->cli, is_for == VD_FOR_NOT ? VD_MSG_WHY_CARRIES : VD_MSG_WHY_HAS, name, time, vd_route_said(w->cli, &k->route, room), NULL);
}

/* `parts`: it has the record, but for so many chunks of what that attaches; 0: it does not have it. */
static void tell_lack(struct why *w, const struct vd_device *d, const char *name, enum vd_for is_for, uint64_t parts, uint64_t ahead_ms)
{
	char time[VD_TIME_TEXT], room[VD_WHERE_TEXT];
	struct vd_route route;
	uint64_t last = vd_last_word(w->cli, w->group, w->custody, d->person, &route);
	json_t *one;

	note_name(is_for == VD_FOR_NOT ? &w->carriers : &w->lacking, name);
	if (w->cli->opt.json) {
		one = member_json(d, name);
		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "heard", time_or_null(last));
		json_object_set_new(one, "route", vd_route_json(w->cli, &route));
		if (parts)
			json_object_set_new(one, "parts", vd_json_number(parts));
		if (ahead_ms)
			json_object_set_new(one, "clock", vd_json_time(ahead_ms));
		json_array_append_new(w->missing, one);
		return;
	}
	if (is_for == VD_FOR_NOT) {
		vd_say(w->cli, VD_MSG_WHY_NOT_CARRIES, name, NULL);
		return;
	}
	if (parts) {
		vd_say(w->cli, VD_MSG_WHY_NOT_PARTS, name, vd_num(w->cli, parts), NULL);
		return;
	}
	if (!last) {
		vd_say(w->cli, VD_MSG_WHY_NOT_NEVER, name, NULL);
		return;
	}
	vd_time_local(last, time);
	vd_say(w->cli, VD_MSG_WHY_NOT, name, time, vd_route_said(w->cli, &route, room), NULL);
}

static void tell_missing(struct why *w, const struct vd_device *d, const char *name, enum vd_for is_for, uint64_t parts)
{
	uint64_t ahead_ms = vd_clock_ahead(w->cli, w->group, w->custody, d->person);
	char time[VD_TIME_TEXT];

	tell_lack(w, d, name, is_for, parts, ahead_ms);
	if (!ahead_ms || w->cli->opt.json)
		return;
	vd_time_local(ahead_ms, time);
	vd_say(w->cli, VD_MSG_WHY_NOT_CLOCK, name, time, NULL);
}

static int tell_member(struct why *w, const struct subject *s, size_t first, enum vd_for is_for)
{
	const struct vd_device *d = vd_group_device(w->group, first);
	enum vd_holding best = VD_HOLDS_NOT, how;
	const struct vd_keeper *by = NULL;
	uint64_t parts = 0;
	char name[VD_WHO_TEXT];

	w->members++;
	w->readers += is_for != VD_FOR_NOT;
	vd_who_person(w->group, d->person, name);
	for (size_t i = 0; i < vd_custody_count(w->custody); i++) {
		const struct vd_keeper *k = vd_custody_keeper(w->custody, i);
		int rc;

		if (memcmp(k->person, d->person, VD_PERSON_BYTES) != 0)
			continue;
		rc = vd_custody_holds(w->custody, i, s->arrival, &s->record, &how);
		if (rc)
			return rc;
		if (how != VD_HOLDS_NOT && w->lacks && w->lacks[i]) {
			parts = !parts || w->lacks[i] < parts ? w->lacks[i] : parts;
			continue;
		}
		if (how != VD_HOLDS_NOT && (best == VD_HOLDS_NOT || how == VD_HOLDS_OWN)) {
			best = how;
			by = k;
		}
	}
	if (is_ours(w->group, d->person) && !s->record.stub && !w->lacks_here) { /* this device */
		w->with++;
		w->readers_with += is_for != VD_FOR_NOT;
	} else if (by) {
		tell_holder(w, d, name, is_for, best, by);
	} else if (!is_ours(w->group, d->person)) {
		tell_missing(w, d, name, is_for, parts);
	} else if (!s->record.stub && w->cli->opt.json) {
		json_t *one = member_json(d, name);

		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "parts", vd_json_number(w->lacks_here));
		json_array_append_new(w->missing, one);
	}
	return VD_OK;
}

/* Those whom it is for first. */
static int tell_members(struct why *w, const struct subject *s)
{
	int rc = VD_OK;

	for (int carriers = 0; carriers < 2; carriers++)
		for (size_t i = 0; i < vd_group_device_count(w->group) && !rc; i++) {
			const uint8_t *person = vd_group_device(w->group, i)->person;
			enum vd_for is_for = vd_is_for(w->group, &w->whom, person);

			if (vd_first_of_person(w->group, i) && vd_person_role(w->group, person, false) != VD_ROLE_NONE && (is_for == VD_FOR_NOT) == carriers)
				rc = tell_member(w, s, i, is_for);
		}
	return rc;
}

static void tell_count(struct why *w, const struct subject *s)
{
	const struct vd_identity *us = vd_group_identity(w->group);
	bool ours = us && memcmp(us->author, s->record.author, VD_KEY_BYTES) == 0;

	if (w->cli->opt.json)
		return;
	if (w->whom.kind == VD_FOR_HIDDEN)
		vd_say(w->cli, ours ? VD_MSG_WHY_HIDDEN_OURS : VD_MSG_WHY_HIDDEN, NULL);
	if (w->readers == w->members || w->whom.kind == VD_FOR_HIDDEN)
		vd_say(w->cli, VD_MSG_WHY_COUNT, vd_num(w->cli, w->with), vd_num(w->cli, w->members), NULL);
	else if (w->readers)
		vd_say(w->cli, VD_MSG_WHY_COUNT_FOR, vd_num(w->cli, w->readers_with), vd_num(w->cli, w->readers), NULL);
}

struct parts_here {
	struct why *why;
	const struct vd_attached *here;
};

/* Who can read the record knows of parts of which not even the stub came. */
static int count_here(void *ctx, const struct vd_found *f)
{
	struct parts_here *p = ctx;
	struct why *w = p->why;
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	size_t count = f->body ? 0 : vd_attachments_of(f->content, list);

	if (f->standing == VD_STANDING_REDACTED)
		return VD_OK;
	for (size_t i = 0; i < VD_ATTACHMENTS_MAX; i++) {
		uint32_t stubs, all, have = vd_attached_count(p->here, (uint8_t)i, i < count ? list[i].chunks : UINT32_MAX, &stubs);

		all = i < count ? list[i].chunks : have + stubs;
		w->lacks_here += all - have;
		if (all > have && !w->bounded)
			w->bounded = vd_attach_bounded(w->cli, p->here, (uint8_t)i, all, w->most);
	}
	return VD_OK;
}

/* What the record attaches is held with it, or it is not held. */
static int count_parts(struct why *w, const struct subject *s)
{
	struct vd_attached here;
	struct parts_here parts = { w, &here };
	struct vd_buf raw = { 0 };
	int rc = vd_attached_find(w->cli->store, &s->record, &here);

	rc = rc == VD_EDAMAGED ? VD_OK : rc;
	if (!rc)
		rc = vd_query_one(w->cli->store, s->arrival, count_here, &parts);
	if (!rc && here.count && !(w->lacks = calloc(vd_custody_count(w->custody) + 1, sizeof(*w->lacks))))
		rc = VD_ENOMEM;
	for (size_t c = 0; c < here.count && !rc; c++) {
		enum vd_holding how;
		struct vd_record r;

		rc = vd_store_read(w->cli->store, here.chunks[c].arrival, &raw, &r, NULL);
		for (size_t i = 0; i < vd_custody_count(w->custody) && !rc; i++) {
			rc = vd_custody_holds(w->custody, i, here.chunks[c].arrival, &r, &how);
			w->lacks[i] += how == VD_HOLDS_NOT;
		}
		rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	}
	vd_attached_deinit(&here);
	vd_buf_deinit(&raw);
	return rc;
}

static void tell_here(struct why *w, const struct subject *s)
{
	char time[VD_TIME_TEXT];
	enum vd_msg msg = s->record.stub ? VD_MSG_WHY_STUB : w->lacks_here ? VD_MSG_WHY_HERE_PARTS : VD_MSG_WHY_HERE;

	vd_time_local(s->received_ms, time);
	if (!w->cli->opt.json)
		vd_say(w->cli, msg, time, vd_num(w->cli, w->lacks_here), NULL);
	else if (!s->record.stub && !w->lacks_here)
		json_array_append_new(w->holders, json_pack("{s:s,s:o,s:b}", "kind", "here", "since", vd_json_time(s->received_ms), "confirmed", true));
}

/* Then a stick that is full may be without it. */
static int is_everywhere(struct why *w, const struct subject *s, bool *yes)
{
	int rc = VD_OK;

	*yes = true;
	for (size_t i = 0; i < vd_custody_count(w->custody) && *yes && !rc; i++) {
		enum vd_holding how;

		rc = vd_custody_holds(w->custody, i, s->arrival, &s->record, &how);
		*yes = how != VD_HOLDS_NOT;
	}
	return rc;
}

static void tell_sticks(struct why *w, const struct subject *s, bool everywhere)
{
	for (size_t i = w->stick_count; i-- > 0;) {
		uint64_t since = vd_stick_since(&w->sticks[i], s->arrival);
		char time[VD_TIME_TEXT];

		if (!since || (everywhere && s->arrival <= w->sticks[i].spared))
			continue;
		w->on_stick = true;
		vd_stick_called(w->cli, &w->sticks[i], w->stick);
		vd_time_local(since, time);
		if (!w->cli->opt.json)
			vd_say(w->cli, VD_MSG_WHY_ON_STICK, w->stick, time, NULL);
		else
			json_array_append_new(w->holders, json_pack("{s:s,s:o,s:o,s:o,s:b}", "kind", "stick", "name", vd_json_text(vd_slice_str(w->sticks[i].name)),
			                                            "since", vd_json_time(since), "seen", vd_json_time(w->sticks[i].seen_ms), "confirmed", false));
	}
}

static void advise_on_record(struct why *w, const struct subject *s)
{
	if (s->record.stub)
		advise(w, VD_MSG_WHY_NEXT_STUB, NULL, NULL);
	else if (w->members == 1)
		advise(w, VD_MSG_WHY_NEXT_ALONE, NULL, NULL);
	else if (!w->readers)
		advise(w, VD_MSG_WHY_NEXT_NOBODY, NULL, NULL);
	else if (!w->lacking.count && !w->lacks_here)
		advise(w, w->readers == w->members ? VD_MSG_WHY_NEXT_ALL : VD_MSG_WHY_NEXT_ALL_FOR, NULL, NULL);
	else if (w->lacking.count && w->on_stick)
		advise(w, VD_MSG_WHY_NEXT_STICK, w->stick, names_said(&w->lacking));
	else if (w->lacking.count)
		advise(w, VD_MSG_WHY_NEXT_SYNC, names_said(&w->lacking), NULL);
	if (w->bounded)
		advise(w, VD_MSG_WHY_NEXT_BOUNDED, w->most, NULL);
	else if (!s->record.stub && w->lacks_here)
		advise(w, VD_MSG_WHY_NEXT_PARTS, NULL, NULL);
	if (!s->record.stub && w->lacking.count && w->carriers.count)
		advise(w, VD_MSG_WHY_NEXT_CARRY, names_said(&w->carriers), NULL);
}

static int why_record(struct why *w, const struct subject *s)
{
	bool everywhere = false;
	int rc = begin(w);

	if (!rc)
		rc = vd_for_whom(w->cli, w->group, &s->record, &w->whom);
	if (!rc)
		rc = count_parts(w, s);
	if (!rc)
		rc = is_everywhere(w, s, &everywhere);
	if (!rc) {
		tell_here(w, s);
		tell_sticks(w, s, everywhere);
		rc = tell_members(w, s);
	}
	if (rc)
		return vd_fail(w->cli, rc, VD_MSG_NONE, VD_MSG_WHY_FAILED, NULL);
	tell_count(w, s);
	advise_on_record(w, s);
	if (w->cli->opt.json) {
		bool hidden = w->whom.kind == VD_FOR_HIDDEN;

		vd_say_json(w->cli, json_pack("{s:o,s:o,s:o,s:o,s:o,s:O,s:O,s:O}", "id", vd_json_hex(s->record.id.b, VD_ID_BYTES), "members", vd_json_number(w->members),
		                              "members_with", vd_json_number(w->with), "for", hidden ? json_null() : vd_json_number(w->readers), "for_with",
		                              hidden ? json_null() : vd_json_number(w->readers_with), "holders", w->holders, "missing", w->missing, "advice", w->advice));
	}
	return VD_EXIT_DONE;
}

/* --- one member --- */

/* Those of a gap: urgent ones are named, and of all the oldest is told. */
struct naming {
	struct why *why;
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
static int tell_lanes(struct why *w, const struct vd_target *whom, const struct vd_missing *missing, const struct vd_gap *gaps, size_t count,
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
			                                            vd_json_number(missing->records[lane]), "urgent", n.ids, "oldest", time_or_null(all_left ? 0 : n.oldest_ms)));
		json_decref(n.ids);
	}
	if (deep) {
		*oldest_ms = 0;
		*to_read += !*to_read;
	}
	return rc;
}

/* The stick seen last that holds all of ours takes them there. */
static void advise_on_member(struct why *w, const char *name, uint64_t all, uint64_t to_read)
{
	uint64_t latest;

	if (!all) {
		advise(w, VD_MSG_WHY_NEXT_NOTHING, name, NULL);
		return;
	}
	if (!to_read) {
		advise(w, VD_MSG_WHY_NEXT_NOT_THEIRS, name, NULL);
		return;
	}
	if (w->stick_count && !vd_store_latest(w->cli->store, &latest) && vd_stick_since(&w->sticks[0], latest))
		advise(w, VD_MSG_WHY_NEXT_STICK, vd_stick_called(w->cli, &w->sticks[0], w->stick), name);
	else
		advise(w, VD_MSG_WHY_NEXT_SYNC, name, NULL);
}

static void tell_heard(struct why *w, const struct vd_target *t, json_t *out)
{
	char time[VD_TIME_TEXT], room[VD_WHERE_TEXT];
	struct vd_route route;
	uint64_t last = vd_last_word(w->cli, w->group, w->custody, t->person, &route);

	json_object_set_new(out, "heard", time_or_null(last));
	json_object_set_new(out, "route", vd_route_json(w->cli, &route));
	if (w->cli->opt.json)
		return;
	if (!last) {
		vd_say(w->cli, VD_MSG_WHY_NEVER_HEARD, t->name, NULL);
		return;
	}
	vd_time_local(last, time);
	vd_say(w->cli, VD_MSG_WHY_HEARD, t->name, time, vd_route_said(w->cli, &route, room), NULL);
}

static int why_member(struct why *w, const struct vd_target *t)
{
	bool *who = NULL, any = false;
	struct vd_missing missing = { .unsure = false };
	struct vd_gap *gaps = NULL;
	uint64_t all = 0, oldest_ms = 0, to_read = 0;
	char time[VD_TIME_TEXT];
	size_t count = 0;
	json_t *out;
	int rc = begin(w);

	if (!rc && !(who = calloc(vd_custody_count(w->custody) + 1, sizeof(*who))))
		rc = VD_ENOMEM;
	for (size_t i = 0; !rc && i < vd_custody_count(w->custody); i++) {
		const struct vd_keeper *k = vd_custody_keeper(w->custody, i);

		who[i] = !memcmp(k->person, t->person, VD_PERSON_BYTES) && (!t->one_device || !memcmp(k->author, t->device, VD_KEY_BYTES));
		any |= who[i];
	}
	if (!rc && !any) {
		free(who);
		return is_ours(w->group, t->person) ?
		       vd_refuse(w->cli, VD_EXIT_FAILED, "self", VD_MSG_NONE, VD_MSG_WHY_SELF, t->name, NULL) :
		       vd_refuse(w->cli, VD_EXIT_FAILED, "removed", VD_MSG_NONE, VD_MSG_WHY_OUT, t->name, NULL);
	}
	if (!rc)
		rc = vd_custody_missing(w->custody, who, &missing, &gaps, &count);
	for (int lane = 0; lane < VD_LANES; lane++)
		all += missing.records[lane];
	out = json_pack("{s:o}", "name", vd_json_text(vd_slice_str(t->name)));
	if (!rc) {
		tell_heard(w, t, out);
		if (!w->cli->opt.json && all)
			vd_say(w->cli, missing.unsure ? VD_MSG_WHY_LACKS_ABOUT : VD_MSG_WHY_LACKS, t->name, vd_num(w->cli, all), NULL);
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
	advise_on_member(w, t->name, all, to_read);
	json_object_set_new(out, "records", vd_json_number(all));
	json_object_set_new(out, "unsure", json_boolean(missing.unsure));
	json_object_set_new(out, "oldest", time_or_null(oldest_ms));
	json_object_set(out, "holders", w->holders);
	json_object_set(out, "missing", w->missing);
	json_object_set(out, "advice", w->advice);
	if (w->cli->opt.json)
		vd_say_json(w->cli, out);
	else
		json_decref(out);
	return VD_EXIT_DONE;
}

/* --- */

static bool is_hex(const char *word)
{
	return strspn(word, "0123456789abcdefABCDEF") == strlen(word);
}

/* What a word means: a record, if its first digits are those; else somebody. */
static int find_record(struct vd_cli *cli, const char *word, struct subject *s)
{
	size_t n = strlen(word);
	int rc = n < 6 || n > 2 * VD_ID_BYTES || !is_hex(word) ? VD_ENOTFOUND : vd_store_find_prefix(cli->store, word, &s->arrival);

	if (!rc)
		rc = vd_store_read(cli->store, s->arrival, &s->raw, &s->record, &s->received_ms);
	if (!rc)
		memcpy(s->group, s->record.group, VD_GROUP_BYTES);
	return rc;
}

/* Of several groups, the one that knows somebody of that name. What is wrong was said. */
static int find_group_of(struct vd_cli *cli, const char *word, struct vd_group **out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0, hits = 0;
	int rc = vd_cli_groups(cli, groups, &count), err = VD_OK;

	if (rc)
		return rc;
	if (count < 2)
		return vd_cli_group(cli, out);
	for (size_t i = 0; i < count && !err; i++) {
		struct vd_group *group = NULL;

		err = vd_store_group(cli->store, groups[i], &group);
		if (!err && vd_member_known(group, word) && !hits++)
			*out = group;
		else
			vd_group_free(group);
	}
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
	if (!hits && is_hex(word))
		return vd_fail(cli, VD_ENOTFOUND, VD_MSG_HINT_NO_SUCH_RECORD, VD_MSG_NO_SUCH_RECORD, word, NULL);
	if (!hits)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_MEMBER, VD_MSG_UNKNOWN_MEMBER, word, NULL);
	return hits > 1 ? vd_misuse(cli, VD_MSG_HINT_WHICH_GROUP, VD_MSG_WHICH_GROUP, NULL) : 0;
}

static int why_run(struct vd_cli *cli)
{
	const char *word = cli->opt.args[0];
	struct why w = { .cli = cli };
	struct subject s = { .arrival = 0 };
	struct vd_target target;
	int rc = vd_cli_open(cli), found;

	if (rc)
		return rc;
	found = find_record(cli, word, &s);
	if (!found) {
		found = vd_store_group(cli->store, s.group, &w.group);
		rc = found ? vd_fail(cli, found, VD_MSG_NONE, VD_MSG_WHY_FAILED, NULL) : why_record(&w, &s);
	} else if (found != VD_ENOTFOUND) {
		rc = vd_fail(cli, found, VD_MSG_NONE, VD_MSG_NO_SUCH_RECORD, word, NULL);
	} else {
		rc = find_group_of(cli, word, &w.group);
		if (!rc && !vd_member_known(w.group, word) && is_hex(word))
			rc = vd_fail(cli, VD_ENOTFOUND, VD_MSG_HINT_NO_SUCH_RECORD, VD_MSG_NO_SUCH_RECORD, word, NULL);
		if (!rc)
			rc = vd_cli_target(cli, w.group, word, VD_AMONG_IN, &target);
		if (!rc)
			rc = why_member(&w, &target);
	}
	vd_buf_deinit(&s.raw);
	end(&w);
	return rc;
}

const struct vd_command vd_command_why = {
	.syntax = { "why", { VD_OPT_NONE } },
	.run = why_run, .summary = VD_MSG_SUM_WHY, .help = VD_MSG_HELP_WHY, .args_min = 1, .args_max = 1,
};
