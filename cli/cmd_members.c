/* members: who is in, with which devices, and who does not know it yet. */
#include <stdio.h>
#include <string.h>

#include "heard.h"
#include "proto/err.h"
#include "times.h"
#include "where.h"

struct listing {
	struct vd_cli *cli;
	struct vd_group *group;
	struct vd_heard heard;
	bool damaged;
};

static uint64_t last_of(struct listing *l, const uint8_t author[VD_KEY_BYTES])
{
	uint64_t time_ms = 0, received_ms = 0;

	/* Who is in is known all the same; only when they were last heard may not be. */
	if (vd_last_heard(l->cli, l->group, author, &time_ms, &received_ms))
		l->damaged = true;
	return time_ms;
}

static bool device_lacks(const struct listing *l, const uint8_t author[VD_KEY_BYTES])
{
	for (size_t i = 0; i < l->heard.listener_count && l->heard.last < l->heard.act_count; i++)
		if (memcmp(l->heard.listeners[i].author, author, VD_KEY_BYTES) == 0)
			return !vd_heard_by(&l->heard, l->heard.last, i);
	return false;
}

/* A member, as its devices say. */
struct member {
	const struct vd_device *first;
	enum vd_role role;
	bool focal, not_heard, removed;
	uint64_t since_ms, last_ms;  /* last_ms: of what they wrote; */
	uint64_t word_ms;            /* when anything of theirs last came here; 0: never */
};

static bool is_of(const struct vd_device *d, const struct member *m)
{
	return memcmp(d->person, m->first->person, VD_PERSON_BYTES) == 0;
}

static struct member look(struct listing *l, const struct vd_device *first)
{
	struct member m = { .first = first, .since_ms = first->since_ms };

	m.role = vd_person_role(l->group, first->person, false);
	if (m.role == VD_ROLE_NONE)
		m.role = vd_person_role(l->group, first->person, true);
	m.removed = m.role == VD_ROLE_NONE;
	m.not_heard = l->heard.last < l->heard.act_count && vd_heard_lacks(&l->heard, l->heard.last, first->person);
	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *d = vd_group_device(l->group, i);
		uint64_t last;

		if (!is_of(d, &m))
			continue;
		m.focal = m.focal || (d->role != VD_ROLE_NONE && d->flags & VD_GRANT_FOCAL);
		m.since_ms = d->since_ms < m.since_ms ? d->since_ms : m.since_ms;
		last = last_of(l, d->author);
		m.last_ms = last > m.last_ms ? last : m.last_ms;
	}
	m.word_ms = vd_last_word(l->cli, l->group, l->heard.custody, first->person, NULL);
	return m;
}

static json_t *member_json(struct listing *l, const struct member *m)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *d = vd_group_device(l->group, i);
		uint64_t last;

		if (!is_of(d, m))
			continue;
		last = last_of(l, d->author);
		json_array_append_new(devices, json_pack("{s:o,s:s,s:o,s:b,s:b,s:b,s:b,s:b,s:o}", "device", vd_json_hex(d->author, VD_KEY_BYTES),
		                                         "role", vd_role_word(d->role), "since", vd_json_time(d->since_ms), "removed",
		                                         d->role == VD_ROLE_NONE, "fell", vd_device_fell(d), "paper", (d->flags & VD_GRANT_PAPER) != 0, "forked", d->forked,
		                                         "not_heard", device_lacks(l, d->author), "last_record",
		                                         last ? vd_json_time(last) : json_null()));
	}
	return json_pack("{s:o,s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:b,s:b}", "member", vd_json_hex(m->first->person, VD_PERSON_BYTES), "name",
	                 vd_person_name(l->group, m->first->person),
	                 "role", vd_role_word(m->role), "focal", m->focal, "devices", devices, "since", vd_json_time(m->since_ms),
	                 "last_record", m->last_ms ? vd_json_time(m->last_ms) : json_null(), "heard",
	                 m->word_ms ? vd_json_time(m->word_ms) : json_null(), "not_heard", m->not_heard, "removed",
	                 m->removed);
}

static void say_devices(struct listing *l, const struct member *m)
{
	for (size_t i = 0; i < vd_group_device_count(l->group); i++) {
		const struct vd_device *d = vd_group_device(l->group, i);
		char key[2 * VD_KEY_SHOWN + 1], since[VD_TIME_TEXT];
		bool paper = d->flags & VD_GRANT_PAPER;

		if (!is_of(d, m))
			continue;
		vd_hex(key, d->author, VD_KEY_SHOWN);
		vd_time_local(d->since_ms, since);
		vd_say(l->cli, paper ? VD_MSG_DEVICE_PAPER : VD_MSG_DEVICE_LINE, key, since, vd_text(l->cli->lang, vd_role_text(d->role)),
		       device_lacks(l, d->author) ? vd_text(l->cli->lang, VD_MSG_DEVICE_NOT_HEARD) : "", NULL);
	}
}

static size_t count_devices(struct listing *l, const struct member *m)
{
	size_t n = 0;

	for (size_t i = 0; i < vd_group_device_count(l->group); i++)
		n += is_of(vd_group_device(l->group, i), m);
	return n;
}

static void say_member(struct listing *l, const struct member *m)
{
	struct vd_cli *cli = l->cli;
	char since[VD_TIME_TEXT], heard[VD_TIME_TEXT], key[2 * VD_KEY_SHOWN + 1];
	const char *name = vd_person_name(l->group, m->first->person);
	size_t devices = count_devices(l, m);

	vd_time_local(m->since_ms, since);
	vd_time_local(m->word_ms, heard);
	vd_hex(key, m->first->author, VD_KEY_SHOWN);
	vd_say(cli, VD_MSG_MEMBER_LINE, *name ? name : vd_text(cli->lang, VD_MSG_UNNAMED),
	       vd_text(cli->lang, vd_role_text(m->role)), m->focal ? vd_text(cli->lang, VD_MSG_FOCAL) : "", key, since,
	       m->word_ms ? heard : vd_text(cli->lang, VD_MSG_NEVER), NULL);
	if (devices > 1)
		say_devices(l, m);
	else if (m->not_heard)
		vd_say(cli, VD_MSG_MEMBER_NOT_HEARD, NULL);
}

static void list(struct listing *l)
{
	bool all = vd_options_get(&l->cli->opt, VD_OPT_ALL) != NULL;
	bool names = false;
	size_t removed = 0;

	for (size_t i = 0; i < vd_group_device_count(l->group) && vd_say_ok(l->cli); i++) {
		struct member m;

		names = names || vd_group_device(l->group, i)->name[0];
		if (!vd_first_of_person(l->group, i))
			continue;
		m = look(l, vd_group_device(l->group, i));
		removed += m.removed;
		if (m.removed && !all)
			continue;
		if (l->cli->opt.json)
			vd_say_json(l->cli, member_json(l, &m));
		else
			say_member(l, &m);
	}
	if (!names && !l->cli->opt.json)
		vd_note(l->cli, VD_MSG_MEMBERS_UNNAMED, NULL);
	if (removed && !all && !l->cli->opt.json)
		vd_note(l->cli, VD_MSG_MEMBERS_REMOVED, vd_num(l->cli, removed), NULL);
}

static int members_run(struct vd_cli *cli)
{
	struct listing l = { .cli = cli };
	int err, rc = vd_cli_group(cli, &l.group);

	if (rc)
		return rc;
	err = vd_heard_init(&l.heard, cli, l.group);
	l.damaged = err == VD_EDAMAGED;
	if (err && !l.damaged)
		rc = vd_cli_query_failed(cli, err);
	else
		list(&l);
	vd_heard_deinit(&l.heard);
	vd_group_free(l.group);
	return !rc && l.damaged ? vd_cli_query_failed(cli, VD_EDAMAGED) : rc;
}

const struct vd_command vd_command_members = {
	.syntax = { "members", { VD_OPT_ALL } },
	.run = members_run, .summary = VD_MSG_SUM_MEMBERS, .help = VD_MSG_HELP_MEMBERS,
};
