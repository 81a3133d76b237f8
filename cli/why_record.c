/* why ID: who is known to have a record, by which way word came, and what to do. */
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "proto/err.h"
#include "times.h"
#include "why.h"

enum { NAMED = 3 }; /* members that an advice names */

/* The first of some members, for an advice. */
struct names {
	struct vd_buf text;
	size_t count;
};

/* What is told of the record. */
struct telling {
	struct vd_why *why;
	uint64_t *lacks;             /* of each keeper: how many chunks of what the record attaches it is not known to hold; NULL: none is attached */
	uint64_t lacks_here;         /* … and how many this device does not */
	bool parts_pruned;           /* some of these went to make room */
	bool bounded;                /* bulk.max keeps some of these away, which is: */
	char most[VD_SIZE_SAID];
	bool late;                   /* share.day keeps it, or some of these, away until another day: */
	struct vd_later_said later;
	bool *gives;                 /* of each keeper: is some of what it lacks of these here? */
	struct names having;         /* who is known to have all of it */
	struct vd_for_whom whom;     /* who may read the record */
	size_t members, with;        /* with a role; of them known to have it */
	size_t readers, readers_with;/* of these, those whom it is for, or may be */
	struct names lacking;        /* … who are not known to have it */
	struct names carriers;       /* nor are these, and it is not for them */
	struct names bare;           /* these have it without its content: let go of to make room, or never taken */
	const struct vd_stick *stick;/* the one seen last of those that have it; NULL: none */
	enum vd_gone gone;
	bool over_here;              /* EXPIRED, and here with its content for a while yet */
	bool *without;               /* of each keeper of the member at hand: is it not known to have it? */
	json_t *devices;             /* such devices of members who have it on another */
	bool quarantined;
	bool redacted;               /* so it is hidden, whether or not it is gone: by this one */
	char redaction[9];
	struct vd_why_subject word;  /* the redaction, if it is here and what it takes back is gone: who knows of it is all there is to know */
};

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

static json_t *member_json(const struct vd_device *d, const char *name)
{
	return json_pack("{s:s,s:o,s:o}", "kind", "member", "member", vd_json_hex(d->author, VD_KEY_BYTES), "name", vd_json_text(vd_slice_str(name)));
}

/* Null: perhaps. */
static json_t *for_json(enum vd_for is_for)
{
	return is_for == VD_FOR_PERHAPS ? json_null() : json_boolean(is_for == VD_FOR_THEM);
}

/* For good, everywhere: whoever lacks it lacks nothing. */
static bool is_gone(const struct telling *t)
{
	return t->gone == VD_GONE_EXPIRED || t->gone == VD_GONE_REDACTED;
}

/* Is the keeper known to hold it; or, where it is gone, to know of it? */
static int find_how(struct telling *t, const struct vd_why_subject *s, size_t keeper, enum vd_holding *how)
{
	const struct vd_why_subject *of = t->word.arrival ? &t->word : s;
	bool knows = false;
	int rc = vd_custody_holds(t->why->custody, keeper, of->arrival, &of->record, how);

	if (!rc && *how == VD_HOLDS_NOT && is_gone(t))
		rc = vd_custody_knows(t->why->custody, keeper, of->arrival, &of->record, &knows);
	if (knows)
		*how = VD_HOLDS_SPAN;
	return rc;
}

static const char *how_word(enum vd_holding how)
{
	return how == VD_HOLDS_OWN ? "author" : how == VD_HOLDS_MET || how == VD_HOLDS_LANE ? "digest" : how == VD_HOLDS_SPAN ? "receipt" : "ack";
}

static void tell_holder(struct telling *t, const struct vd_device *d, const char *name, enum vd_for is_for, enum vd_holding how, const struct vd_keeper *k)
{
	char time[VD_TIME_TEXT] = "", room[VD_WHERE_TEXT];
	json_t *one;

	t->with++;
	t->readers_with += is_for != VD_FOR_NOT;
	if (t->why->cli->opt.json) {
		one = member_json(d, name);
		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "how", json_string(how_word(how)));
		json_object_set_new(one, "heard", vd_why_time(k->heard_ms));
		json_object_set_new(one, "route", vd_route_json(t->why->cli, &k->route));
		json_object_set_new(one, "confirmed", json_true());
		json_array_append_new(t->why->holders, one);
		return;
	}
	vd_time_local(k->heard_ms, time);
	if (is_gone(t))
		vd_say(t->why->cli, VD_MSG_WHY_KNOWS, name, NULL);
	else if (how == VD_HOLDS_OWN)
		vd_say(t->why->cli, VD_MSG_WHY_WROTE, name, NULL);
	else if (how == VD_HOLDS_ACK)
		vd_say(t->why->cli, VD_MSG_WHY_ACKED, name, NULL);
	else if (!k->heard_ms) /* by a clock that was wrong: nobody knows when */
		vd_say(t->why->cli, is_for == VD_FOR_NOT ? VD_MSG_WHY_CARRIES_ONCE : VD_MSG_WHY_HAS_ONCE, name, NULL);
	else
		vd_say(t->why->cli, is_for == VD_FOR_NOT ? VD_MSG_WHY_CARRIES : VD_MSG_WHY_HAS, name, time, vd_route_said(t->why->cli, &k->route, room), NULL);
}

/* `parts`: it has the record, but for so many chunks of what that attaches, some of which are here (`gives`); 0: it does not have it; `bare`: not its
 * content. */
static void tell_lack(struct telling *t, const struct vd_device *d, const char *name, enum vd_for is_for, uint64_t parts, bool gives, bool bare,
                      uint64_t ahead_ms)
{
	char time[VD_TIME_TEXT], room[VD_WHERE_TEXT];
	struct vd_route route;
	uint64_t last = vd_last_word(t->why->cli, t->why->group, t->why->custody, d->person, &route);
	json_t *one;

	/* Nobody is sent there with what this device lacks, too. */
	if (bare || !parts || gives)
		note_name(bare ? &t->bare : is_for == VD_FOR_NOT ? &t->carriers : &t->lacking, name);
	if (t->why->cli->opt.json) {
		one = member_json(d, name);
		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "heard", vd_why_time(last));
		json_object_set_new(one, "route", vd_route_json(t->why->cli, &route));
		if (parts)
			json_object_set_new(one, "parts", vd_json_number(parts));
		if (bare)
			json_object_set_new(one, "content_only", json_true());
		if (ahead_ms)
			json_object_set_new(one, "clock", vd_json_time(ahead_ms));
		json_array_append_new(t->why->missing, one);
		return;
	}
	if (is_gone(t)) {
		vd_say(t->why->cli, VD_MSG_WHY_NOT_KNOWS, name, NULL);
		return;
	}
	if (bare) {
		vd_say(t->why->cli, VD_MSG_WHY_NOT_CONTENT, name, NULL);
		return;
	}
	if (is_for == VD_FOR_NOT) {
		vd_say(t->why->cli, VD_MSG_WHY_NOT_CARRIES, name, NULL);
		return;
	}
	if (parts) {
		vd_say(t->why->cli, VD_MSG_WHY_NOT_PARTS, name, vd_num(t->why->cli, parts), NULL);
		return;
	}
	if (!last) {
		vd_say(t->why->cli, VD_MSG_WHY_NOT_NEVER, name, NULL);
		return;
	}
	vd_time_local(last, time);
	vd_say(t->why->cli, VD_MSG_WHY_NOT, name, time, vd_route_said(t->why->cli, &route, room), NULL);
}

static void tell_missing(struct telling *t, const struct vd_device *d, const char *name, enum vd_for is_for, uint64_t parts, bool gives, bool bare)
{
	uint64_t ahead_ms = vd_clock_ahead(t->why->cli, t->why->group, t->why->custody, d->person);
	char time[VD_TIME_TEXT];

	tell_lack(t, d, name, is_for, parts, gives, bare, ahead_ms);
	if (!ahead_ms || t->why->cli->opt.json)
		return;
	vd_time_local(ahead_ms, time);
	vd_say(t->why->cli, VD_MSG_WHERE_CLOCK, name, time, NULL);
}

/* Of a member who has it: their devices that are not known to. */
static void tell_devices(struct telling *t, const struct vd_device *d, const char *name, const bool *without)
{
	char key[2 * VD_KEY_SHOWN + 1];

	for (size_t i = 0; i < vd_custody_count(t->why->custody) && !is_gone(t); i++) {
		const struct vd_keeper *k = vd_custody_keeper(t->why->custody, i);

		if (!without[i] || memcmp(k->person, d->person, VD_PERSON_BYTES) != 0)
			continue;
		vd_hex(key, k->author, VD_KEY_SHOWN);
		json_array_append_new(t->devices, json_pack("{s:o,s:o}", "device", vd_json_hex(k->author, VD_KEY_BYTES), "name", vd_json_text(vd_slice_str(name))));
		if (!t->why->cli->opt.json)
			vd_say(t->why->cli, VD_MSG_WHY_NOT_DEVICE, name, key, NULL);
	}
}

static int tell_member(struct telling *t, const struct vd_why_subject *s, size_t first, enum vd_for is_for)
{
	const struct vd_device *d = vd_group_device(t->why->group, first);
	enum vd_holding best = VD_HOLDS_NOT, how;
	const struct vd_keeper *by = NULL;
	uint64_t parts = 0;
	bool gives = false;
	char name[VD_WHO_TEXT];
	bool bare = false;

	t->members++;
	t->readers += is_for != VD_FOR_NOT;
	vd_who_person(t->why->group, d->person, name);
	for (size_t i = 0; i < vd_custody_count(t->why->custody); i++) {
		const struct vd_keeper *k = vd_custody_keeper(t->why->custody, i);
		int rc;

		if (memcmp(k->person, d->person, VD_PERSON_BYTES) != 0)
			continue;
		rc = find_how(t, s, i, &how);
		/* What is urgent nobody lets go of unasked. */
		if (!rc && how == VD_HOLDS_NOT && s->record.lane > VD_LANE_URGENT && !bare && !is_gone(t))
			rc = vd_custody_same_ids(t->why->custody, i, s->record.lane, &bare);
		if (rc)
			return rc;
		t->without[i] = how == VD_HOLDS_NOT || (t->lacks && t->lacks[i]);
		if (how != VD_HOLDS_NOT && t->lacks && t->lacks[i]) {
			parts = !parts || t->lacks[i] < parts ? t->lacks[i] : parts;
			gives |= t->gives[i];
			continue;
		}
		if (how != VD_HOLDS_NOT && (best == VD_HOLDS_NOT || how == VD_HOLDS_OWN)) {
			best = how;
			by = k;
		}
	}
	if (vd_why_ours(t->why->group, d->person) && (is_gone(t) || (!s->record.stub && !t->lacks_here))) { /* this device */
		t->with++;
		t->readers_with += is_for != VD_FOR_NOT;
		tell_devices(t, d, name, t->without);
	} else if (by) {
		note_name(&t->having, name);
		tell_holder(t, d, name, is_for, best, by);
		tell_devices(t, d, name, t->without);
	} else if (!vd_why_ours(t->why->group, d->person)) {
		tell_missing(t, d, name, is_for, parts, gives, bare && !parts);
	} else if (!s->record.stub && t->why->cli->opt.json) {
		json_t *one = member_json(d, name);

		json_object_set_new(one, "for", for_json(is_for));
		json_object_set_new(one, "parts", vd_json_number(t->lacks_here));
		json_array_append_new(t->why->missing, one);
	}
	return VD_OK;
}

/* Those whom it is for first. */
static int tell_members(struct telling *t, const struct vd_why_subject *s)
{
	int rc = VD_OK;

	for (int carriers = 0; carriers < 2; carriers++)
		for (size_t i = 0; i < vd_group_device_count(t->why->group) && !rc; i++) {
			const uint8_t *person = vd_group_device(t->why->group, i)->person;
			enum vd_for is_for = vd_is_for(t->why->group, &t->whom, person);

			if (vd_first_of_person(t->why->group, i) && vd_person_role(t->why->group, person, false) != VD_ROLE_NONE && (is_for == VD_FOR_NOT) == carriers)
				rc = tell_member(t, s, i, is_for);
		}
	return rc;
}

static void tell_count(struct telling *t, const struct vd_why_subject *s)
{
	const struct vd_identity *us = vd_group_identity(t->why->group);
	bool ours = us && memcmp(us->author, s->record.author, VD_KEY_BYTES) == 0;

	if (t->why->cli->opt.json)
		return;
	if (is_gone(t)) {
		vd_say(t->why->cli, VD_MSG_WHY_COUNT_KNOWS, vd_num(t->why->cli, t->with), vd_num(t->why->cli, t->members), NULL);
		return;
	}
	if (t->whom.kind == VD_FOR_HIDDEN)
		vd_say(t->why->cli, ours ? VD_MSG_WHY_HIDDEN_OURS : VD_MSG_WHY_HIDDEN, NULL);
	if (t->readers == t->members || t->whom.kind == VD_FOR_HIDDEN)
		vd_say(t->why->cli, VD_MSG_WHY_COUNT, vd_num(t->why->cli, t->with), vd_num(t->why->cli, t->members), NULL);
	else if (t->readers)
		vd_say(t->why->cli, VD_MSG_WHY_COUNT_FOR, vd_num(t->why->cli, t->readers_with), vd_num(t->why->cli, t->readers), NULL);
}

struct parts_here {
	struct telling *telling;
	const struct vd_attached *here;
};

/* Who can read the record knows of parts of which not even the stub came. */
static int count_here(void *ctx, const struct vd_found *f)
{
	struct parts_here *p = ctx;
	struct telling *t = p->telling;
	struct vd_attachment list[VD_ATTACHMENTS_MAX];
	size_t count = f->body ? 0 : vd_attachments_of(f->content, list);

	t->redacted = f->standing == VD_STANDING_REDACTED;
	t->quarantined = f->standing == VD_STANDING_QUARANTINED;
	if (t->redacted) {
		t->word.record.id = f->redaction;
		vd_hex(t->redaction, f->redaction.b, 4);
		return VD_OK;
	}
	for (size_t i = 0; i < VD_ATTACHMENTS_MAX; i++) {
		uint32_t stubs, all, have = vd_attached_count(p->here, (uint8_t)i, i < count ? list[i].chunks : UINT32_MAX, &stubs);

		all = i < count ? list[i].chunks : have + stubs;
		t->lacks_here += all - have;
		t->parts_pruned |= vd_attached_pruned(p->here, (uint8_t)i, all);
		if (all > have && !t->late)
			t->late = vd_attach_later(t->why->cli, t->why->group, f->record, p->here, (uint8_t)i, all, &t->later);
		if (all > have && !t->bounded)
			t->bounded = vd_attach_bounded(t->why->cli, p->here, (uint8_t)i, all, t->most);
	}
	return VD_OK;
}

/* What the record attaches is held with it, or it is not held. */
static int count_parts(struct telling *t, const struct vd_why_subject *s)
{
	struct vd_attached here;
	struct parts_here parts = { t, &here };
	struct vd_buf raw = { 0 };
	int rc = vd_attached_find(t->why->cli->store, &s->record, &here);

	rc = rc == VD_EDAMAGED ? VD_OK : rc;
	if (!rc)
		rc = vd_query_one(t->why->cli->store, s->arrival, count_here, &parts);
	if (!rc && here.count && (!(t->lacks = calloc(vd_custody_count(t->why->custody) + 1, sizeof(*t->lacks))) ||
	                          !(t->gives = calloc(vd_custody_count(t->why->custody) + 1, sizeof(*t->gives)))))
		rc = VD_ENOMEM;
	for (size_t c = 0; c < here.count && !rc; c++) {
		enum vd_holding how;
		struct vd_record r;

		rc = vd_store_read(t->why->cli->store, here.chunks[c].arrival, &raw, &r, NULL);
		for (size_t i = 0; i < vd_custody_count(t->why->custody) && !rc; i++) {
			rc = vd_custody_holds(t->why->custody, i, here.chunks[c].arrival, &r, &how);
			t->lacks[i] += how == VD_HOLDS_NOT;
			t->gives[i] |= how == VD_HOLDS_NOT && !here.chunks[c].stub;
		}
		rc = rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
	}
	vd_attached_deinit(&here);
	vd_buf_deinit(&raw);
	return rc;
}

static bool is_over(const struct telling *t)
{
	return t->redacted || is_gone(t);
}

static void tell_here(struct telling *t, const struct vd_why_subject *s)
{
	char time[VD_TIME_TEXT], id[9];
	enum vd_msg msg = t->over_here                  ? VD_MSG_WHY_OVER :
	                  t->gone == VD_GONE_EXPIRED    ? VD_MSG_WHY_EXPIRED :
	                  t->gone == VD_GONE_REDACTED   ? VD_MSG_WHY_ERASED :
	                  t->gone == VD_GONE_PRUNED     ? VD_MSG_WHY_PRUNED :
	                  s->record.stub                ? VD_MSG_WHY_STUB :
	                  t->parts_pruned               ? VD_MSG_WHY_HERE_PRUNED :
	                  t->lacks_here                 ? VD_MSG_WHY_HERE_PARTS : VD_MSG_WHY_HERE;

	vd_time_local(s->received_ms, time);
	vd_hex(id, s->record.id.b, 4);
	if (t->quarantined && !t->why->cli->opt.json)
		vd_say(t->why->cli, VD_MSG_WHY_QUARANTINED, id, NULL);
	if (!t->why->cli->opt.json)
		vd_say(t->why->cli, msg, time, vd_num(t->why->cli, t->lacks_here), NULL);
	else if (!s->record.stub && !t->lacks_here)
		json_array_append_new(t->why->holders, json_pack("{s:s,s:o,s:b}", "kind", "here", "since", vd_json_time(s->received_ms), "confirmed", true));
}

/* Then a stick that is full may be without it. */
static int is_everywhere(struct telling *t, const struct vd_why_subject *s, bool *yes)
{
	int rc = VD_OK;

	*yes = true;
	for (size_t i = 0; i < vd_custody_count(t->why->custody) && *yes && !rc; i++) {
		enum vd_holding how;

		rc = vd_custody_holds(t->why->custody, i, s->arrival, &s->record, &how);
		*yes = how != VD_HOLDS_NOT;
	}
	return rc;
}

static void tell_sticks(struct telling *t, const struct vd_why_subject *s, bool everywhere)
{
	for (size_t i = t->why->stick_count; i-- > 0;) {
		const struct vd_stick *stick = &t->why->sticks[i];
		uint64_t since = vd_stick_since(stick, s->arrival);
		char time[VD_TIME_TEXT], called[VD_WHERE_TEXT];

		if (!since || (everywhere && s->arrival <= stick->spared))
			continue;
		t->stick = stick;
		vd_time_local(since, time);
		if (!t->why->cli->opt.json)
			vd_say(t->why->cli, VD_MSG_WHY_ON_STICK, vd_stick_called(t->why->cli, stick, called), time, NULL);
		else
			json_array_append_new(t->why->holders, json_pack("{s:s,s:o,s:o,s:o,s:o,s:b}", "kind", "stick", "stick", vd_json_hex(stick->id, VD_STICK_ID_BYTES),
			                                                 "name", vd_json_text(vd_slice_str(stick->name)), "since", vd_json_time(since),
			                                                 "seen", vd_json_time(stick->seen_ms), "confirmed", false));
	}
}

static void advise_on_record(struct telling *t, const struct vd_why_subject *s)
{
	/* It is wanted nowhere any more; whoever lacks it lacks nothing. */
	if (is_over(t)) {
		vd_why_advise(t->why, t->redacted ? VD_MSG_WHY_NEXT_REDACTED : VD_MSG_WHY_NEXT_OVER, t->redaction, NULL);
		return;
	}
	if (s->record.stub && t->gone == VD_GONE_WAITS && vd_body_later(t->why->cli, t->why->group, &s->record, s->record.body_bytes, &t->later))
		vd_why_advise(t->why, VD_MSG_LATER, t->later.who, t->later.most);
	else if (s->record.stub && t->gone != VD_GONE_PRUNED && t->having.count)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_STUB_OF, names_said(&t->having), NULL);
	else if (s->record.stub)
		vd_why_advise(t->why, t->gone == VD_GONE_PRUNED ? VD_MSG_WHY_NEXT_PRUNED : VD_MSG_WHY_NEXT_STUB, NULL, NULL);
	else if (t->members == 1)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_ALONE, NULL, NULL);
	else if (!t->readers)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_NOBODY, NULL, NULL);
	else if (!t->lacking.count && t->bare.count)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_LET_GO, names_said(&t->bare), NULL);
	else if (!t->lacking.count && !t->lacks_here)
		vd_why_advise(t->why, t->readers == t->members ? VD_MSG_WHY_NEXT_ALL : VD_MSG_WHY_NEXT_ALL_FOR, NULL, NULL);
	else if (t->lacking.count && t->stick)
		vd_why_advise_stick(t->why, t->stick, names_said(&t->lacking));
	else if (t->lacking.count)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_SYNC, names_said(&t->lacking), NULL);
	if (t->bounded)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_BOUNDED, t->most, NULL);
	else if (!s->record.stub && t->late)
		vd_why_advise(t->why, VD_MSG_LATER, t->later.who, t->later.most);
	else if (!s->record.stub && t->lacks_here && !t->parts_pruned && t->having.count)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_PARTS_OF, names_said(&t->having), NULL);
	else if (!s->record.stub && t->lacks_here)
		vd_why_advise(t->why, t->parts_pruned ? VD_MSG_WHY_NEXT_PRUNED : VD_MSG_WHY_NEXT_PARTS, NULL, NULL);
	if (!s->record.stub && t->lacking.count && t->carriers.count)
		vd_why_advise(t->why, VD_MSG_WHY_NEXT_CARRY, names_said(&t->carriers), NULL);
}

/* Null: its content is here, or did not come yet, and is shown to who may read it. */
static json_t *gone_json(const struct telling *t)
{
	return is_over(t) ? json_string(t->gone == VD_GONE_EXPIRED ? "expired" : "redacted") : t->gone == VD_GONE_PRUNED ? json_string("pruned") : json_null();
}

/* Where it is not here any more, or cannot be read, what it took back must do. */
static int find_word(struct telling *t)
{
	struct vd_why_subject *word = &t->word;
	int rc = vd_store_find(t->why->cli->store, &word->record.id, &word->arrival);

	if (!rc)
		rc = vd_store_read(t->why->cli->store, word->arrival, &word->raw, &word->record, NULL);
	if (rc)
		word->arrival = 0;
	return rc == VD_ENOTFOUND || rc == VD_EDAMAGED ? VD_OK : rc;
}

static int tell_all(struct telling *t, const struct vd_why_subject *s)
{
	bool everywhere = false;
	int rc = vd_why_begin(t->why);

	if (!rc)
		rc = vd_for_whom(t->why->cli, t->why->group, &s->record, &t->whom);
	if (!rc)
		rc = count_parts(t, s);
	if (!rc)
		rc = is_everywhere(t, s, &everywhere);
	if (!rc)
		rc = vd_store_gone(t->why->cli->store, s->arrival, &t->gone);
	t->over_here = !rc && t->gone == VD_GONE_NOT && !t->redacted && vd_store_withholds(t->why->cli->store, &s->record);
	if (t->over_here)
		t->gone = VD_GONE_EXPIRED;
	if (!rc && t->redacted && is_gone(t))
		rc = find_word(t);
	if (!rc && !(t->without = calloc(vd_custody_count(t->why->custody) + 1, sizeof(*t->without))))
		rc = VD_ENOMEM;
	if (!rc) {
		if (is_gone(t))
			t->whom.kind = VD_FOR_ALL;
		tell_here(t, s);
		if (!is_gone(t))
			tell_sticks(t, s, everywhere);
		rc = tell_members(t, s);
	}
	if (rc)
		return vd_fail(t->why->cli, rc, VD_MSG_NONE, VD_MSG_WHY_FAILED, NULL);
	tell_count(t, s);
	advise_on_record(t, s);
	if (t->why->cli->opt.json) {
		bool hidden = t->whom.kind == VD_FOR_HIDDEN;

		vd_say_json(t->why->cli, json_pack("{s:o,s:o,s:o,s:o,s:o,s:O,s:O,s:O,s:O,s:o,s:b}", "id", vd_json_hex(s->record.id.b, VD_ID_BYTES),
		                                   "members", vd_json_number(t->members), "members_with", vd_json_number(t->with),
		                                   "for", hidden ? json_null() : vd_json_number(t->readers),
		                                   "for_with", hidden ? json_null() : vd_json_number(t->readers_with),
		                                   "holders", t->why->holders, "missing", t->why->missing, "devices", t->devices, "advice", t->why->advice,
		                                   "gone", gone_json(t), "quarantined", t->quarantined));
	}
	return VD_EXIT_DONE;
}

int vd_why_record(struct vd_why *why, const struct vd_why_subject *s)
{
	struct telling t = { .why = why, .devices = json_array() };
	int rc = tell_all(&t, s);

	free(t.lacks);
	free(t.gives);
	vd_buf_deinit(&t.having.text);
	free(t.without);
	json_decref(t.devices);
	vd_buf_deinit(&t.word.raw);
	vd_buf_deinit(&t.lacking.text);
	vd_buf_deinit(&t.carriers.text);
	vd_buf_deinit(&t.bare.text);
	return rc;
}
