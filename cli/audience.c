/* Audiences. A record for somebody is sealed to devices, so that a name stands for those its member has now. */
#include "audience.h"

#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "proto/seal.h"

enum { REMOVED_LOOKED_AT = 64, WORDS_MAX = 200 };

const char *vd_audience_word(enum vd_audience audience)
{
	switch (audience) {
	case VD_AUDIENCE_EVERYONE: return "everyone";
	case VD_AUDIENCE_MEMBERS: return "members";
	case VD_AUDIENCE_NAMED: break;
	}
	return "named";
}

static const struct vd_device *self_of(struct vd_group *group)
{
	const struct vd_identity *self = vd_group_identity(group);

	return self ? vd_group_find(group, self->author) : NULL;
}

static bool is_reporter(struct vd_group *group)
{
	const struct vd_device *self = self_of(group);

	return self && self->most == VD_ROLE_REPORTER;
}

static bool same_person(const struct vd_device *a, const uint8_t person[VD_PERSON_BYTES])
{
	return memcmp(a->person, person, VD_PERSON_BYTES) == 0;
}

/* Can it open what is sealed to it? A paper key opens nothing: who recovers from it has a new identity. */
static bool reads(const struct vd_device *d)
{
	return d->role != VD_ROLE_NONE && d->role != VD_ROLE_COURIER && !(d->flags & VD_GRANT_PAPER) && vd_seal_box_ok(d->box);
}

/* What may this device write, and may anybody read it? 0: it may write. A device that never may has been told why; one that was removed
 * is told what that means, and may. */
static int may_write(struct vd_cli *cli, struct vd_group *group)
{
	const struct vd_device *self = self_of(group);

	if (self && self->most == VD_ROLE_COURIER)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_COURIER_WRITES, VD_MSG_COURIER_WRITES, NULL);
	if (self && self->role == VD_ROLE_NONE)
		vd_note(cli, VD_MSG_REMOVED_WRITES, NULL);
	return 0;
}

/* --- devices --- */

static bool has(const struct vd_to *to, const struct vd_device *d)
{
	for (size_t i = 0; i < to->count; i++)
		if (memcmp(to->devices[i], d->author, VD_KEY_BYTES) == 0)
			return true;
	return false;
}

/* False when there is no place for it. */
static bool take(struct vd_to *to, const struct vd_device *d)
{
	if (has(to, d))
		return true;
	if (to->count == VD_NAMED_SLOTS)
		return false;
	memcpy(to->devices[to->count++], d->author, VD_KEY_BYTES);
	return true;
}

static size_t count_reading(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES])
{
	size_t n = 0;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		n += same_person(d, person) && reads(d);
	}
	return n;
}

/* All of a person; the number of those that found no place. */
static size_t take_person(struct vd_group *group, struct vd_to *to, const uint8_t person[VD_PERSON_BYTES])
{
	size_t over = 0;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		over += same_person(d, person) && reads(d) && !take(to, d);
	}
	return over;
}

/* Our own person's. */
static size_t keep(struct vd_cli *cli, struct vd_group *group, struct vd_to *to)
{
	const struct vd_device *self = self_of(group);

	if (!self)
		return 0;
	if (count_reading(group, self->person) == 0)
		vd_note(cli, VD_MSG_KEEP_NOTHING, NULL);
	return take_person(group, to, self->person);
}

static void see_kept(struct vd_group *group, struct vd_to *to)
{
	const struct vd_device *self = self_of(group);

	to->kept = self && has(to, self);
}

/* --- a reporter's focal points --- */

/* The first device of each focal person, then the others. */
static void take_focal(struct vd_group *group, struct vd_to *to)
{
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < vd_group_device_count(group); i++) {
			const struct vd_device *d = vd_group_device(group, i);
			bool first = true;

			if (!d->focal || !reads(d))
				continue;
			for (size_t j = 0; j < i && first; j++) {
				const struct vd_device *before = vd_group_device(group, j);

				first = !(same_person(before, d->person) && before->focal && reads(before));
			}
			if (first != !others)
				continue;
			to->left_out += !take(to, d);
		}
	}
}

int vd_cli_to_focal(struct vd_cli *cli, struct vd_group *group, bool keeps, struct vd_to *out)
{
	const struct vd_device *self = self_of(group);

	memset(out, 0, sizeof *out);
	out->audience = VD_AUDIENCE_NAMED;
	out->focal = true;
	/* Its own place first: it was asked for, and focal points are many. */
	if (keeps && self && reads(self))
		take(out, self);
	take_focal(group, out);
	if (out->count == 0 || (out->count == 1 && self && has(out, self) && !self->focal))
		return vd_refuse(cli, VD_EXIT_FAILED, "nobody", VD_MSG_HINT_NO_FOCAL, VD_MSG_NO_FOCAL, NULL);
	if (keeps)
		keep(cli, group, out);
	see_kept(group, out);
	return 0;
}

/* --- by name --- */

static void add_person(struct vd_to *to, const uint8_t person[VD_PERSON_BYTES])
{
	size_t at = 0;

	while (at < to->person_count && memcmp(to->persons[at], person, VD_PERSON_BYTES) < 0)
		at++;
	memmove(to->persons[at + 1], to->persons[at], (to->person_count - at) * VD_PERSON_BYTES);
	memcpy(to->persons[at], person, VD_PERSON_BYTES);
	to->person_count++;
}

static bool has_person(const struct vd_to *to, const uint8_t person[VD_PERSON_BYTES])
{
	for (size_t i = 0; i < to->person_count; i++)
		if (memcmp(to->persons[i], person, VD_PERSON_BYTES) == 0)
			return true;
	return false;
}

static void say_person(struct vd_cli *cli, struct vd_group *group, const uint8_t person[VD_PERSON_BYTES], bool counted, struct vd_buf *out)
{
	char who[VD_WHO_TEXT];

	vd_who_person(group, person, who);
	if (out->n)
		vd_buf_put_slice(out, vd_slice_str(", "));
	vd_buf_put_slice(out, vd_slice_str(who));
	if (counted) {
		vd_buf_put_slice(out, vd_slice_str(" ("));
		vd_buf_put_slice(out, vd_slice_str(vd_num(cli, count_reading(group, person))));
		vd_buf_put_slice(out, vd_slice_str(")"));
	}
}

/* Too many: who they are, with how many devices each. */
static int refuse_many(struct vd_cli *cli, struct vd_group *group, const struct vd_to *to, const uint8_t *besides)
{
	const struct vd_device *self = self_of(group);
	struct vd_buf names = { 0 };
	int rc;

	for (size_t i = 0; i < to->person_count; i++)
		say_person(cli, group, to->persons[i], true, &names);
	if (besides)
		say_person(cli, group, besides, true, &names);
	if (vd_options_get(&cli->opt, VD_OPT_KEEP) && self && !has_person(to, self->person))
		say_person(cli, group, self->person, true, &names);
	vd_buf_put_u8(&names, 0);
	rc = vd_refuse(cli, VD_EXIT_FAILED, "too-many", VD_MSG_HINT_TO_MANY, VD_MSG_TO_MANY, names.failed ? "" : (const char *)names.p,
	               NULL);
	vd_buf_deinit(&names);
	return rc;
}

/* A reporter speaks to focal points, and keeps what is its own. */
static bool may_name(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES])
{
	const struct vd_device *self = self_of(group);

	if (!is_reporter(group) || (self && same_person(self, person)))
		return true;
	for (size_t i = 0; i < vd_group_device_count(group); i++)
		if (same_person(vd_group_device(group, i), person) && vd_group_device(group, i)->focal)
			return true;
	return false;
}

static int name_one(struct vd_cli *cli, struct vd_group *group, struct vd_to *to, const char *word)
{
	struct vd_target target;
	int rc = vd_cli_target(cli, group, word, VD_AMONG_IN, &target);

	if (rc)
		return rc;
	if (has_person(to, target.person))
		return 0;
	if (vd_person_role(group, target.person, false) == VD_ROLE_NONE)
		return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_MEMBER, VD_MSG_TO_REMOVED, target.name, NULL);
	if (!may_name(group, target.person))
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_REPORTER_TO, VD_MSG_REPORTER_TO_MEMBER, target.name, NULL);
	if (count_reading(group, target.person) == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "courier", VD_MSG_HINT_MEMBER, VD_MSG_TO_COURIER, target.name, NULL);
	if (to->person_count == VD_NAMED_SLOTS || take_person(group, to, target.person))
		return refuse_many(cli, group, to, target.person);
	add_person(to, target.person);
	return 0;
}

static int name_all(struct vd_cli *cli, struct vd_group *group, struct vd_to *to)
{
	const char *word;
	size_t at = 0;
	int rc = 0;

	while (!rc && (word = vd_options_each(&cli->opt, VD_OPT_TO, &at)))
		rc = name_one(cli, group, to, word);
	if (!rc && vd_options_get(&cli->opt, VD_OPT_KEEP) && keep(cli, group, to))
		rc = refuse_many(cli, group, to, NULL);
	see_kept(group, to);
	return rc;
}

/* --- the options --- */

static bool of_all(const char *word)
{
	return strcmp(word, "everyone") == 0 || strcmp(word, "members") == 0;
}

/* A word nobody is called by that is nearly one of ours: a name is looked for first. */
static int misspelt(struct vd_cli *cli, struct vd_group *group, const char *word)
{
	static const char *const ours[] = { "everyone", "members", NULL };
	/* What it reads as, in the help's other language. */
	static const char *const said[][2] = { { "todos", "everyone" }, { "todas", "everyone" }, { "integrantes", "members" },
		                               { "miembros", "members" } };
	const char *near = vd_options_nearest(word, ours);

	for (size_t i = 0; i < sizeof said / sizeof *said; i++)
		if (strcmp(word, said[i][0]) == 0)
			near = said[i][1];
	if (!near || vd_member_known(group, word))
		return 0;
	return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_DID_YOU_MEAN, VD_MSG_UNKNOWN_MEMBER, word, near, NULL);
}

/* *audience stays NAMED when members are named, or nothing is said. */
static int of_options(struct vd_cli *cli, struct vd_group *group, enum vd_audience *audience)
{
	const char *word, *all = NULL, *one = NULL;
	size_t at = 0;
	int rc = 0;

	while (!rc && (word = vd_options_each(&cli->opt, VD_OPT_TO, &at))) {
		if (!of_all(word))
			rc = misspelt(cli, group, one = word);
		else if (all && strcmp(all, word) != 0)
			return vd_misuse(cli, VD_MSG_HINT_TO_MIXED, VD_MSG_TO_MIXED, all, word, NULL);
		else
			all = word;
	}
	if (rc || !all)
		return rc;
	if (one)
		return vd_misuse(cli, VD_MSG_HINT_TO_MIXED, VD_MSG_TO_MIXED, all, one, NULL);
	if (is_reporter(group))
		return vd_refuse(cli, VD_EXIT_FAILED, "not-entitled", VD_MSG_HINT_REPORTER_TO, VD_MSG_REPORTER_TO_ALL, all, NULL);
	*audience = strcmp(all, "everyone") == 0 ? VD_AUDIENCE_EVERYONE : VD_AUDIENCE_MEMBERS;
	return 0;
}

int vd_cli_to(struct vd_cli *cli, struct vd_group *group, struct vd_to *out)
{
	int rc = may_write(cli, group);

	memset(out, 0, sizeof *out);
	out->audience = VD_AUDIENCE_NAMED;
	if (!rc)
		rc = of_options(cli, group, &out->audience);
	if (rc || out->audience != VD_AUDIENCE_NAMED)
		return rc;
	if (vd_options_get(&cli->opt, VD_OPT_TO))
		return name_all(cli, group, out);
	if (is_reporter(group))
		return vd_cli_to_focal(cli, group, vd_options_get(&cli->opt, VD_OPT_KEEP) != NULL, out);
	out->audience = VD_AUDIENCE_MEMBERS;
	return 0;
}

void vd_to_draft(const struct vd_to *to, struct vd_draft *draft)
{
	draft->audience = to->audience;
	draft->devices = to->devices;
	draft->device_count = to->count;
}

/* --- what is said of it --- */

static void say_named(struct vd_cli *cli, struct vd_group *group, const struct vd_to *to)
{
	struct vd_buf names = { 0 };

	for (size_t i = 0; i < to->person_count; i++)
		say_person(cli, group, to->persons[i], false, &names);
	vd_buf_put_u8(&names, 0);
	if (to->focal)
		vd_note(cli, VD_MSG_TO_FOCAL, NULL);
	else if (!names.failed)
		vd_note(cli, VD_MSG_TO_ONLY, (const char *)names.p, NULL);
	vd_note(cli, to->kept ? VD_MSG_TO_KEPT : VD_MSG_TO_NOT_KEPT, NULL);
	if (to->left_out)
		vd_note(cli, VD_MSG_TO_LEFT_OUT, vd_num(cli, to->left_out), NULL);
	vd_buf_deinit(&names);
}

/* Those without a role who have the key it was sealed with. */
static void name_leavers(struct vd_cli *cli, struct vd_group *group, enum vd_audience audience, struct vd_buf *names)
{
	enum vd_role least = audience == VD_AUDIENCE_EVERYONE ? VD_ROLE_REPORTER : VD_ROLE_MEMBER;
	const uint8_t *epoch = vd_group_epoch_id(group, 0);
	size_t looked = 0;

	for (size_t i = 0; i < vd_group_device_count(group) && epoch && looked < REMOVED_LOOKED_AT; i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (d->role != VD_ROLE_NONE || vd_role_rank(d->most) < vd_role_rank(least))
			continue;
		looked++;
		if (vd_group_epoch_has(group, epoch, d->author) && names->n < WORDS_MAX)
			say_person(cli, group, d->person, false, names);
	}
}

/* The keys it was written with may be known to somebody who is out by now. */
static void say_epoch(struct vd_cli *cli, struct vd_group *group, const struct vd_to *to)
{
	const uint8_t *current = vd_group_current_epoch(group), *used = vd_group_epoch_id(group, 0);
	const struct vd_device *self = self_of(group);
	bool clean = vd_group_epoch_clean(group);
	struct vd_buf names = { 0 };

	if (to->audience == VD_AUDIENCE_NAMED || (self && self->role == VD_ROLE_NONE) ||
	    (clean && current && used && memcmp(current, used, VD_EPOCH_BYTES) == 0))
		return;
	name_leavers(cli, group, to->audience, &names);
	if (names.n)
		vd_buf_put_u8(&names, 0);
	if (names.n && !names.failed)
		vd_note(cli, VD_MSG_LEAVERS_READ, (const char *)names.p, NULL);
	else if (!clean)
		vd_note(cli, VD_MSG_SOMEBODY_READS, NULL);
	vd_buf_deinit(&names);
}

void vd_cli_to_note(struct vd_cli *cli, struct vd_group *group, const struct vd_to *to)
{
	if (to->audience == VD_AUDIENCE_NAMED)
		say_named(cli, group, to);
	say_epoch(cli, group, to);
}

int vd_cli_kind_by_hand(struct vd_cli *cli, const char *kind)
{
	if (strcmp(kind, "redaction") != 0)
		return 0;
	return vd_misuse(cli, VD_MSG_HINT_REDACTION_BY_HAND, VD_MSG_REDACTION_BY_HAND, NULL);
}
