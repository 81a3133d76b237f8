/* Whom a word means, and how people are called. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin.h"

static bool same_person(const struct vd_device *d, const uint8_t *person)
{
	return memcmp(d->person, person, VD_PERSON_BYTES) == 0;
}

void vd_who(struct vd_group *group, const uint8_t author[VD_KEY_BYTES], char out[VD_WHO_TEXT])
{
	const struct vd_device *d = vd_group_find(group, author);

	if (d && d->name[0])
		snprintf(out, VD_WHO_TEXT, "%s", d->name);
	else
		vd_hex(out, author, VD_KEY_SHOWN);
}

const char *vd_person_name(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES])
{
	const char *name = "";

	/* As a device that is in is called; else as one that was. */
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (same_person(d, person) && d->name[0] && (!*name || d->role != VD_ROLE_NONE))
			name = d->name;
	}
	return name;
}

void vd_who_person(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES], char out[VD_WHO_TEXT])
{
	const char *name = vd_person_name(group, person);

	if (*name) {
		snprintf(out, VD_WHO_TEXT, "%s", name);
		return;
	}
	vd_hex(out, person, VD_KEY_SHOWN);
	for (size_t i = vd_group_device_count(group); i > 0; i--)
		if (same_person(vd_group_device(group, i - 1), person))
			vd_hex(out, vd_group_device(group, i - 1)->author, VD_KEY_SHOWN);
}

const char *vd_role_said(struct vd_cli *cli, enum vd_role role, bool focal, char room[VD_ROLE_TEXT])
{
	snprintf(room, VD_ROLE_TEXT, "%s%s", vd_text(cli->lang, vd_role_text(role)), focal ? vd_text(cli->lang, VD_MSG_FOCAL) : "");
	return room;
}

/* Words by which --to means many: nobody is called so. */
static bool means_many(const char *name)
{
	static const char *const words[] = { "everyone", "everybody", "all", "members", "todos", "todas", "integrantes", "miembros", NULL };

	for (size_t i = 0; words[i]; i++)
		if (strcasecmp(words[i], name) == 0)
			return true;
	return false;
}

/* The next code point of a text that is UTF-8. */
static uint32_t next_letter(const unsigned char **at)
{
	const unsigned char *p = *at;
	size_t more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
	uint32_t letter = more ? *p & (0x3fu >> more) : *p;

	for (p++; more; more--)
		letter = letter << 6 | (*p++ & 0x3fu);
	*at = p;
	return letter;
}

/* Letters of scripts that look alike side by side, or blanks that do not look like one: such a name passes for another. */
static bool looks_like_another(const char *name)
{
	bool latin = false, alike = false, blank = false;

	for (const unsigned char *at = (const unsigned char *)name; *at;) {
		uint32_t c = next_letter(&at);

		latin |= (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= 0xc0 && c < 0x250) || (c >= 0x1e00 && c < 0x1f00);
		alike |= (c >= 0x370 && c < 0x530) || (c >= 0x1f00 && c < 0x2000);
		blank |= c == 0xa0 || c == 0xad || (c >= 0x2000 && c <= 0x200d) || c == 0x202f || c == 0x205f || c == 0x2060 ||
		         c == 0x3000 || c == 0xfeff;
	}
	return blank || (latin && alike);
}

int vd_cli_new_name(struct vd_cli *cli, const char *name)
{
	size_t n = strlen(name);

	if (!vd_name_ok(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, name, NULL);
	if (name[0] == ' ' || name[n - 1] == ' ')
		return vd_misuse(cli, VD_MSG_HINT_NAME_OTHER, VD_MSG_NAME_BLANKS, name, NULL);
	if (name[0] == '-')
		return vd_misuse(cli, VD_MSG_HINT_NAME_OTHER, VD_MSG_NAME_DASH, name, NULL);
	if (means_many(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME_OTHER, VD_MSG_NAME_MANY, name, NULL);
	if (n >= 6 && strspn(name, "0123456789abcdefABCDEF") == n)
		return vd_misuse(cli, VD_MSG_HINT_NAME_OTHER, VD_MSG_NAME_KEY, name, NULL);
	if (looks_like_another(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME_OTHER, VD_MSG_NAME_ALIKE, name, NULL);
	return 0;
}

const char *vd_group_called(struct vd_cli *cli, struct vd_group *group, char room[VD_WHO_TEXT])
{
	char id[13];

	if (vd_group_name(group)[0])
		return vd_group_name(group);
	vd_hex(id, vd_group_id(group), 6);
	snprintf(room, VD_WHO_TEXT, "%s %s", vd_text(cli->lang, VD_MSG_UNNAMED), id);
	return room;
}

unsigned vd_role_rank(enum vd_role role)
{
	switch (role) {
	case VD_ROLE_COORDINATOR: return 4;
	case VD_ROLE_MEMBER: return 3;
	case VD_ROLE_REPORTER: return 2;
	case VD_ROLE_COURIER: return 1;
	case VD_ROLE_NONE: break;
	}
	return 0;
}

enum vd_role vd_person_role(struct vd_group *group, const uint8_t person[VD_PERSON_BYTES], bool paper)
{
	enum vd_role most = VD_ROLE_NONE;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (same_person(d, person) && (paper || !(d->flags & VD_GRANT_PAPER)) && vd_role_rank(d->role) > vd_role_rank(most))
			most = d->role;
	}
	return most;
}

bool vd_device_fell(const struct vd_device *d)
{
	return d->role == VD_ROLE_NONE && d->most == VD_ROLE_NONE;
}

enum vd_role vd_device_granted(struct vd_group *group, const struct vd_device *d)
{
	const struct vd_act *grant = d->role == VD_ROLE_NONE ? vd_find_act(group, &d->grant) : NULL;

	return !grant ? d->role : grant->kind == VD_ACT_FOUND ? VD_ROLE_COORDINATOR : grant->role;
}

bool vd_restorable(struct vd_group *group, const struct vd_device *d, const struct vd_target *target)
{
	if (d->role != VD_ROLE_NONE || !same_person(d, target->person))
		return false;
	if (target->one_device)
		return !memcmp(d->author, target->device, VD_KEY_BYTES);
	for (size_t i = 0; vd_device_fell(d) && i < vd_group_device_count(group); i++) {
		const struct vd_device *other = vd_group_device(group, i);

		if (same_person(other, target->person) && !vd_device_fell(other))
			return false;
	}
	return true;
}

bool vd_first_of_person(struct vd_group *group, size_t i)
{
	const uint8_t *person = vd_group_device(group, i)->person;

	for (size_t j = 0; j < i; j++)
		if (same_person(vd_group_device(group, j), person))
			return false;
	return true;
}

/* Do these begin with what a person typed, 6 or more hex digits of it? */
static bool begins(const char *word, const uint8_t *bytes, size_t count)
{
	char hex[2 * VD_ID_BYTES + 1];
	size_t n = strlen(word);

	if (n < 6 || n > 2 * count)
		return false;
	vd_hex(hex, bytes, count);
	return strncasecmp(word, hex, n) == 0;
}

static bool is_among(struct vd_group *group, const struct vd_device *d, enum vd_among among)
{
	bool in = vd_person_role(group, d->person, true) != VD_ROLE_NONE;

	return among == VD_AMONG_ALL || (among == VD_AMONG_IN) == in;
}

/* Hits are counted by member for names, and by device for keys. */
struct hits {
	size_t members, devices;
	struct vd_target first;
};

static void hit(struct hits *h, const struct vd_device *d, bool by_name)
{
	if (by_name && h->members && same_person(d, h->first.person))
		return;
	if (!h->members && !h->devices) {
		memcpy(h->first.person, d->person, VD_PERSON_BYTES);
		memcpy(h->first.device, d->author, VD_KEY_BYTES);
		h->first.one_device = !by_name;
	}
	if (by_name)
		h->members++;
	else
		h->devices++;
}

static struct hits look(struct vd_group *group, const char *word, enum vd_among among)
{
	struct hits h = { 0 };

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (!is_among(group, d, among))
			continue;
		if ((d->name[0] && strcasecmp(word, d->name) == 0) || begins(word, d->person, VD_PERSON_BYTES))
			hit(&h, d, true);
		else if (begins(word, d->author, VD_KEY_BYTES))
			hit(&h, d, false);
	}
	return h;
}

bool vd_member_known(struct vd_group *group, const char *word)
{
	struct hits h = look(group, word, VD_AMONG_ALL);

	return h.members + h.devices > 0;
}

/* NULL: no name is near what was typed. */
static const char *nearest(struct vd_group *group, const char *word)
{
	size_t devices = vd_group_device_count(group), n = 0;
	const char **names = calloc(devices + 1, sizeof *names), *near;

	if (!names)
		return NULL;
	for (size_t i = 0; i < devices; i++)
		if (vd_group_device(group, i)->name[0])
			names[n++] = vd_group_device(group, i)->name;
	near = vd_options_nearest(word, names);
	free(names);
	return near;
}

int vd_cli_target(struct vd_cli *cli, struct vd_group *group, const char *word, enum vd_among among, struct vd_target *out)
{
	struct hits h = look(group, word, among);
	const char *near;

	/* Of several of that name, the one of whom it can be said; and if none is, whoever it is. */
	if (h.members + h.devices == 0)
		h = look(group, word, VD_AMONG_ALL);
	if (h.members + h.devices == 0) {
		near = nearest(group, word);
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", near ? VD_MSG_DID_YOU_MEAN : VD_MSG_HINT_MEMBER, VD_MSG_UNKNOWN_MEMBER, word,
		                 near, NULL);
	}
	if (h.members + h.devices > 1)
		return vd_refuse(cli, VD_EXIT_DECIDE, "ambiguous", VD_MSG_HINT_AMBIGUOUS_MEMBER, VD_MSG_AMBIGUOUS_MEMBER, word, NULL);
	*out = h.first;
	vd_who_person(group, out->person, out->name);
	return 0;
}

int vd_cli_device(struct vd_cli *cli, struct vd_group *group, const char *prefix, struct vd_target *target)
{
	size_t hits = 0;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (!same_person(d, target->person) || !begins(prefix, d->author, VD_KEY_BYTES))
			continue;
		memcpy(target->device, d->author, VD_KEY_BYTES);
		hits++;
	}
	if (hits == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_MEMBER, VD_MSG_UNKNOWN_DEVICE, target->name, prefix, NULL);
	if (hits > 1)
		return vd_refuse(cli, VD_EXIT_DECIDE, "ambiguous", VD_MSG_HINT_AMBIGUOUS, VD_MSG_AMBIGUOUS_MEMBER, prefix, NULL);
	target->one_device = true;
	return 0;
}

const struct vd_act *vd_find_act(struct vd_group *group, const struct vd_id *id)
{
	for (size_t i = 0; i < vd_group_act_count(group); i++)
		if (memcmp(vd_group_act(group, i)->id.b, id->b, VD_ID_BYTES) == 0)
			return vd_group_act(group, i);
	return NULL;
}

int vd_cli_act(struct vd_cli *cli, struct vd_group *group, const char *prefix, struct vd_act *out)
{
	size_t hits = 0, n = strlen(prefix);

	if (n < 6 || n > 2 * VD_ID_BYTES || strspn(prefix, "0123456789abcdefABCDEF") != n)
		return vd_misuse(cli, VD_MSG_HINT_ACT_ID, VD_MSG_BAD_ACT_ID, prefix, NULL);
	for (size_t i = 0; i < vd_group_act_count(group); i++) {
		const struct vd_act *act = vd_group_act(group, i);

		if (!begins(prefix, act->id.b, VD_ID_BYTES))
			continue;
		*out = *act;
		hits++;
	}
	if (hits == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_ACT_ID, VD_MSG_NO_SUCH_ACT, prefix, NULL);
	if (hits > 1)
		return vd_refuse(cli, VD_EXIT_DECIDE, "ambiguous", VD_MSG_HINT_AMBIGUOUS, VD_MSG_NO_ONE_ACT, prefix, NULL);
	return 0;
}
