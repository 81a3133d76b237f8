/* admit: a newcomer, another device of a member, or more for a device that is in. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "admin.h"
#include "proto/err.h"
#include "store/acts.h"
#include "store/bundle.h"
#include "times.h"
#include "welcome.h"

static int card_problem(struct vd_cli *cli, int err)
{
	if (err == VD_EFORMAT || err == VD_ECAP)
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_BAD, NULL);
	if (err == VD_ESIGNATURE)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_FORGED, NULL);
	return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_CARD_BAD, NULL);
}

/* NONE: not said. */
static int parse_role(struct vd_cli *cli, const char *word, enum vd_role *role)
{
	static const enum vd_role roles[] = { VD_ROLE_COORDINATOR, VD_ROLE_MEMBER, VD_ROLE_REPORTER, VD_ROLE_COURIER };
	static const char *const words[] = { "coordinator", "member", "reporter", "courier", NULL };
	const char *near;

	*role = VD_ROLE_NONE;
	if (!word)
		return 0;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0) {
			*role = roles[i];
			return 0;
		}
	near = vd_options_nearest(word, words);
	if (near)
		return vd_misuse(cli, VD_MSG_DID_YOU_MEAN_ROLE, VD_MSG_ADMIT_ROLE_UNKNOWN, "admit", word, near, NULL);
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_ROLE_UNKNOWN, "admit", word, NULL);
}

/* What a coordinator says of a device, as far as it was said. */
struct terms {
	struct vd_admission admission;
	char name[VD_NAME_MAX + 1];
	bool said_name;
};

/* A device of somebody else who bears that name: one that is in before one that was removed. */
static const struct vd_device *named(struct vd_group *group, const char *name, const struct vd_device *known)
{
	const struct vd_device *found = NULL;

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (!d->name[0] || strcasecmp(d->name, name) != 0 || (known && memcmp(d->person, known->person, VD_PERSON_BYTES) == 0))
			continue;
		if (!found || (found->role == VD_ROLE_NONE && d->role != VD_ROLE_NONE))
			found = d;
	}
	return found;
}

/* Another device of a member: theirs are name and role, unless others were said. */
static int of_person(struct vd_cli *cli, struct vd_group *group, const struct vd_device *known, const char *word, struct terms *t)
{
	enum vd_role role;
	struct vd_target target;
	int rc = vd_cli_target(cli, group, word, VD_AMONG_IN, &target);

	if (rc)
		return rc;
	if (known && memcmp(known->person, target.person, VD_PERSON_BYTES) != 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_OTHER_PERSON, VD_MSG_OTHER_PERSON, known->name, target.name, NULL);
	if (!known && vd_person_role(group, target.person, false) != VD_ROLE_NONE)
		vd_note(cli, VD_MSG_ADMIT_FURTHER, target.name, NULL);
	memcpy(t->admission.person, target.person, VD_PERSON_BYTES);
	if (!t->said_name)
		snprintf(t->name, sizeof t->name, "%s", target.name);
	role = vd_person_role(group, target.person, false);
	if (!known && t->admission.role == VD_ROLE_NONE)
		t->admission.role = role;
	return 0;
}

/* The person to admit the card for: the one it is (`known`), a new one, or, when a member of that name is there and --yes says so,
 * that one. */
static int choose_person(struct vd_cli *cli, struct vd_group *group, const struct vd_device *known, struct terms *t)
{
	const char *person = vd_options_get(&cli->opt, VD_OPT_PERSON);
	const struct vd_device *other;

	if (person)
		return of_person(cli, group, known, person, t);
	other = named(group, t->name, known);
	if (other && !cli->opt.yes)
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_NAME_TAKEN, VD_MSG_ADMIT_NAME_TAKEN, t->name, NULL);
	if (known)
		memcpy(t->admission.person, known->person, VD_PERSON_BYTES);
	else if (other)
		memcpy(t->admission.person, other->person, VD_PERSON_BYTES);
	else
		randombytes_buf(t->admission.person, VD_PERSON_BYTES);
	return 0;
}

/* May a device that was admitted before be admitted so? Grants only add. */
static int check_known(struct vd_cli *cli, const struct vd_device *known, struct terms *t)
{
	char key[2 * VD_KEY_SHOWN + 1];

	vd_hex(key, known->author, VD_KEY_SHOWN);
	if (known->removed)
		return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_ADMIT_REMOVED, VD_MSG_ADMIT_REMOVED, known->name, key, NULL);
	if (known->flags & VD_GRANT_PAPER)
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_PAPER, NULL);
	if (t->admission.role != VD_ROLE_NONE && vd_role_rank(t->admission.role) < vd_role_rank(known->role))
		return vd_refuse(cli, VD_EXIT_FAILED, "narrower", VD_MSG_HINT_ADMIT_NARROWER, VD_MSG_ADMIT_NARROWER, known->name,
		                 vd_text(cli->lang, vd_role_text(known->role)), vd_text(cli->lang, vd_role_text(t->admission.role)), key, NULL);
	return 0;
}

static bool is_own(struct vd_cli *cli, struct vd_group *group, const struct vd_card *card, int *err)
{
	struct vd_identity next;
	bool own;

	*err = vd_store_next_identity(cli->store, &next);
	if (*err)
		return false;
	own = memcmp(card->author, vd_group_identity(group)->author, VD_KEY_BYTES) == 0 ||
	      memcmp(card->author, next.author, VD_KEY_BYTES) == 0;
	vd_identity_wipe(&next);
	return own;
}

/* Is it in just so already? */
static bool same_terms(const struct vd_device *known, const struct terms *t)
{
	return t->admission.role == known->role && t->admission.flags == known->flags && strcmp(t->name, known->name) == 0 &&
	       memcmp(t->admission.person, known->person, VD_PERSON_BYTES) == 0;
}

/* Grants what is new: nothing when the device was admitted just so. What was not said stays as it is. */
static int admit_as(struct vd_cli *cli, struct vd_group *group, struct terms *t, struct vd_id *grant)
{
	const struct vd_device *known = vd_group_find(group, t->admission.card->author);
	struct vd_admission *a = &t->admission;
	char role[VD_ROLE_TEXT];
	int rc = known ? check_known(cli, known, t) : 0;

	if (rc)
		return rc;
	if (known && !t->said_name)
		snprintf(t->name, sizeof t->name, "%s", known->name);
	rc = choose_person(cli, group, known, t);
	if (rc)
		return rc;
	if (known) {
		a->role = a->role == VD_ROLE_NONE ? vd_device_granted(group, known) : a->role;
		a->flags |= vd_device_fell(known) ? 0 : known->flags;
		*grant = known->grant;
	} else if (a->role == VD_ROLE_NONE) {
		a->role = VD_ROLE_MEMBER;
	}
	if (known && same_terms(known, t)) {
		vd_note(cli, VD_MSG_ADMIT_AGAIN, known->name, NULL);
		return 0;
	}
	rc = vd_cli_brake(cli, group);
	if (rc)
		return rc;
	if (known)
		vd_note(cli, VD_MSG_ADMIT_CHANGED, known->name, t->name, vd_role_said(cli, a->role, a->flags & VD_GRANT_FOCAL, role), NULL);
	rc = vd_act_admit(cli->store, group, a, vd_time_now_ms(), grant);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, t->name, NULL);
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
	return 0;
}

/* Names of the focal points, for who admits a reporter. */
static void say_focal(struct vd_cli *cli, struct vd_group *group, const char *newcomer)
{
	struct vd_buf names = { 0 };

	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);
		char who[VD_WHO_TEXT];

		if (!d->focal || d->role == VD_ROLE_NONE || !vd_first_of_person(group, i))
			continue;
		vd_who(group, d->author, who);
		if (names.n)
			vd_buf_put_slice(&names, vd_slice_str(", "));
		vd_buf_put_slice(&names, vd_slice_str(who));
	}
	vd_buf_put_u8(&names, 0);
	if (!names.failed)
		vd_say(cli, VD_MSG_ADMIT_REPORTER, newcomer, (const char *)names.p, NULL);
	vd_buf_deinit(&names);
}

static void say_admitted(struct vd_cli *cli, struct vd_group *group, const struct terms *t, const char *path, const char *words)
{
	const struct vd_admission *a = &t->admission;
	char role[VD_ROLE_TEXT];

	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:s,s:o,s:s,s:o,s:b}", "member", vd_json_hex(a->person, VD_PERSON_BYTES), "file",
		                           vd_json_text(vd_slice_str(path)), "words", words, "name", vd_json_text(vd_slice_str(t->name)),
		                           "role", vd_role_word(a->role), "device", vd_json_hex(a->card->author, VD_KEY_BYTES), "focal",
		                           (a->flags & VD_GRANT_FOCAL) != 0));
		return;
	}
	vd_say(cli, VD_MSG_ADMIT_DONE, t->name, path, vd_role_said(cli, a->role, a->flags & VD_GRANT_FOCAL, role), NULL);
	if (a->role == VD_ROLE_REPORTER)
		say_focal(cli, group, t->name);
	if (a->role == VD_ROLE_COURIER)
		vd_say(cli, VD_MSG_ADMIT_COURIER, t->name, NULL);
	vd_say(cli, VD_MSG_WORDS, words, NULL);
	vd_say(cli, VD_MSG_ADMIT_NEXT, path, NULL);
}

static int admit_to(struct vd_cli *cli, struct vd_group *group, struct terms *t, const char *path)
{
	const struct vd_card *card = t->admission.card;
	char words[VD_WORDS_TEXT];
	struct vd_id grant;
	int rc, code = vd_cli_coordinator(cli, group, false);

	if (code)
		return code;
	if (is_own(cli, group, card, &rc))
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_OWN, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, t->name, NULL);
	code = admit_as(cli, group, t, &grant);
	if (code)
		return code;
	rc = vd_welcome_words(cli, group, card->author, &grant, words);
	if (!rc)
		rc = vd_welcome_write(cli->store, group, card, &grant, path);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_HINT_WELCOME_FAILED, VD_MSG_WELCOME_FAILED, path, NULL);
	say_admitted(cli, group, t, path, words);
	return VD_EXIT_DONE;
}

/* --- somebody who is in: by name or key, and without a new identity text --- */

struct change {
	struct vd_target target;
	uint8_t (*devices)[VD_KEY_BYTES]; /* those meant, that have a role or were granted one by who was removed, and are no paper */
	size_t count;
};

static int gather(struct vd_group *group, struct change *c)
{
	size_t devices = vd_group_device_count(group);

	c->devices = calloc(devices + 1, sizeof *c->devices);
	for (size_t i = 0; c->devices && i < devices; i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if ((d->role != VD_ROLE_NONE || (vd_device_fell(d) && !d->removed && vd_restorable(group, d, &c->target))) && !(d->flags & VD_GRANT_PAPER) &&
		    memcmp(d->person, c->target.person, VD_PERSON_BYTES) == 0 &&
		    (!c->target.one_device || memcmp(d->author, c->target.device, VD_KEY_BYTES) == 0))
			memcpy(c->devices[c->count++], d->author, VD_KEY_BYTES);
	}
	return c->devices ? 0 : VD_ENOMEM;
}

/* Can all of it be done? Nothing is, otherwise. */
static int check_change(struct vd_cli *cli, struct vd_group *group, const struct change *c, struct terms *t, const char *path)
{
	const struct vd_device *first = c->count ? vd_group_find(group, c->devices[0]) : NULL;
	const struct vd_device *known = first ? first : vd_group_find(group, c->target.device);
	char key[2 * VD_KEY_SHOWN + 1];
	int rc = 0;

	if (!first && (!known || known->role != VD_ROLE_NONE))
		return vd_misuse(cli, VD_MSG_HINT_CARD_BAD, VD_MSG_CARD_PAPER, NULL);
	if (!first) {
		vd_hex(key, known->author, VD_KEY_SHOWN);
		return vd_refuse(cli, VD_EXIT_FAILED, "removed", VD_MSG_HINT_ADMIT_REMOVED, VD_MSG_ADMIT_REMOVED, c->target.name, key, NULL);
	}
	if (path && c->count > 1)
		return vd_misuse(cli, VD_MSG_HINT_ADMIT_ONE, VD_MSG_ADMIT_ONE, c->target.name, vd_num(cli, c->count), NULL);
	if (t->said_name && named(group, t->name, first))
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_NAME_TAKEN_OTHER, VD_MSG_ADMIT_NAME_TAKEN, t->name, NULL);
	for (size_t i = 0; i < c->count && !rc; i++)
		rc = check_known(cli, vd_group_find(group, c->devices[i]), t);
	return rc ? rc : vd_cli_brake(cli, group);
}

static int change_one(struct vd_cli *cli, struct vd_group *group, const uint8_t author[VD_KEY_BYTES], const struct terms *asked,
                      struct vd_card *card, struct vd_id *grant)
{
	const struct vd_device *d = vd_group_find(group, author);
	struct terms t = *asked;
	int rc = vd_group_card(group, author, card);

	t.admission.card = card;
	t.admission.name = t.name;
	if (t.admission.role == VD_ROLE_NONE)
		t.admission.role = vd_device_granted(group, d);
	t.admission.flags |= vd_device_fell(d) ? 0 : d->flags;
	if (!t.said_name)
		snprintf(t.name, sizeof t.name, "%s", d->name);
	memcpy(t.admission.person, d->person, VD_PERSON_BYTES);
	*grant = d->grant;
	if (!rc && !same_terms(d, &t))
		rc = vd_act_admit(cli->store, group, &t.admission, vd_time_now_ms(), grant);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, t.name, NULL) : 0;
}

static void say_changed(struct vd_cli *cli, struct vd_group *group, const struct change *c, const char *path, const char *words)
{
	const struct vd_device *d = vd_group_find(group, c->devices[0]);
	char role[VD_ROLE_TEXT];
	bool focal = false;
	json_t *devices = json_array();

	for (size_t i = 0; i < c->count; i++) {
		focal = focal || vd_group_find(group, c->devices[i])->flags & VD_GRANT_FOCAL;
		json_array_append_new(devices, vd_json_hex(c->devices[i], VD_KEY_BYTES));
	}
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:s,s:s,s:b,s:o}", "member", vd_json_hex(d->person, VD_PERSON_BYTES), "file",
		                           path ? vd_json_text(vd_slice_str(path)) : json_null(), "words", path ? json_string(words) : json_null(),
		                           "name", d->name, "role", vd_role_word(d->role), "focal", focal, "devices", devices));
		return;
	}
	json_decref(devices);
	vd_say(cli, VD_MSG_ADMIT_ROLE, d->name, vd_role_said(cli, d->role, focal, role), NULL);
	if (d->role == VD_ROLE_REPORTER)
		say_focal(cli, group, d->name);
	if (path) {
		vd_say(cli, VD_MSG_WORDS, words, NULL);
		vd_say(cli, VD_MSG_ADMIT_NEXT, path, NULL);
	}
}

static int change_devices(struct vd_cli *cli, struct vd_group *group, struct change *c, struct terms *t, const char *path)
{
	char words[VD_WORDS_TEXT] = "";
	struct vd_card card;
	struct vd_id grant;
	int err = gather(group, c);
	int rc = err ? vd_fail(cli, err, VD_MSG_NONE, VD_MSG_ADMIT_FAILED, c->target.name, NULL) : check_change(cli, group, c, t, path);

	for (size_t i = 0; i < c->count && !rc; i++)
		rc = change_one(cli, group, c->devices[i], t, &card, &grant);
	if (rc)
		return rc;
	vd_cli_tend_group(cli, group);
	vd_cli_poke(cli);
	if (path) {
		err = vd_welcome_words(cli, group, card.author, &grant, words);
		if (!err)
			err = vd_welcome_write(cli->store, group, &card, &grant, path);
	}
	if (err)
		return vd_fail(cli, err, VD_MSG_HINT_WELCOME_FAILED, VD_MSG_WELCOME_FAILED, path, NULL);
	say_changed(cli, group, c, path, words);
	return VD_EXIT_DONE;
}

static int change_member(struct vd_cli *cli, struct vd_group *group, struct terms *t, const char *path)
{
	struct change c = { .devices = NULL };
	int rc = vd_cli_coordinator(cli, group, false);

	if (rc)
		return rc;
	if (vd_options_get(&cli->opt, VD_OPT_PERSON))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_PERSON_IN, "admit", cli->opt.args[0], NULL);
	if (!t->said_name && t->admission.role == VD_ROLE_NONE && !t->admission.flags)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_NOTHING, "admit", cli->opt.args[0], NULL);
	rc = vd_cli_target(cli, group, cli->opt.args[0], VD_AMONG_IN, &c.target);
	if (!rc)
		rc = change_devices(cli, group, &c, t, path);
	free(c.devices);
	return rc;
}

/* --- either --- */

/* What must be said of a newcomer. */
static int check_newcomer(struct vd_cli *cli, const char *name, const char *path)
{
	if (!name && !vd_options_get(&cli->opt, VD_OPT_PERSON))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_NO_NAME, "admit", NULL);
	if (!path || !*path)
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_ADMIT_NO_FILE, "admit", NULL);
	return 0;
}

static int admit_run(struct vd_cli *cli)
{
	const char *name = vd_options_get(&cli->opt, VD_OPT_NAME), *path = vd_options_get(&cli->opt, VD_OPT_OUT);
	struct vd_group *group = NULL;
	struct vd_card card;
	struct terms terms = { .said_name = name != NULL };
	bool text = strncasecmp(cli->opt.args[0], "vereda1", 7) == 0;
	int err, rc = text ? check_newcomer(cli, name, path) : 0;

	if (!rc && name)
		rc = vd_cli_new_name(cli, name);
	if (!rc)
		rc = parse_role(cli, vd_options_get(&cli->opt, VD_OPT_ROLE), &terms.admission.role);
	if (!rc && path)
		rc = vd_cli_new_file(cli, path);
	if (rc)
		return rc;
	snprintf(terms.name, sizeof terms.name, "%s", name ? name : "");
	rc = vd_cli_group(cli, &group);
	if (rc)
		return rc;
	terms.admission.card = &card;
	terms.admission.name = terms.name;
	terms.admission.flags = vd_options_get(&cli->opt, VD_OPT_FOCAL) ? VD_GRANT_FOCAL : 0;
	err = vd_card_parse(cli->opt.args[0], &card);
	/* No identity text, and no attempt at one: somebody who is in is meant. */
	if (err && !text && (!name || !path || vd_member_known(group, cli->opt.args[0])))
		rc = change_member(cli, group, &terms, path);
	else
		rc = err ? card_problem(cli, err) : admit_to(cli, group, &terms, path);
	vd_group_free(group);
	return rc;
}

const struct vd_command vd_command_admit = {
	.syntax = { "admit", { VD_OPT_NAME, VD_OPT_ROLE, VD_OPT_FOCAL, VD_OPT_PERSON, VD_OPT_OUT } },
	.run = admit_run, .summary = VD_MSG_SUM_ADMIT, .help = VD_MSG_HELP_ADMIT, .args_min = 1, .args_max = 1,
};
