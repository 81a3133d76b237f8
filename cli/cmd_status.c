/* status, doctor, and `vereda` alone: where things stand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "daemon/ctl.h"
#include "findings.h"
#include "machine.h"
#include "proto/err.h"
#include "store/shares.h"
#include "proto/sign.h"
#include "secret.h"
#include "times.h"
#include "where.h"

struct lane_counts {
	uint64_t records[VD_LANES];
	char digest[VD_LANES][2 * VD_HASH_BYTES + 1];
};

struct group_view {
	struct vd_group *group;
	size_t members;
	struct lane_counts lanes;
};

static size_t count_members(struct vd_group *group)
{
	size_t members = 0;

	for (size_t i = 0; i < vd_group_device_count(group); i++)
		members += vd_first_of_person(group, i) && vd_person_role(group, vd_group_device(group, i)->person, true) != VD_ROLE_NONE;
	return members;
}

static int look(struct vd_cli *cli, const uint8_t id[VD_GROUP_BYTES], struct group_view *out)
{
	int rc = vd_store_group(cli->store, id, &out->group);

	for (uint8_t lane = 0; !rc && lane < VD_LANES; lane++) {
		struct vd_lane_state *state = malloc(sizeof *state);
		uint8_t hash[VD_HASH_BYTES];

		rc = state ? vd_store_lane(cli->store, id, lane, state, NULL, 0) : VD_ENOMEM;
		if (!rc) {
			vd_digest_hash(&state->digest, hash);
			vd_hex(out->lanes.digest[lane], hash, sizeof hash);
			out->lanes.records[lane] = state->digest.count;
		}
		free(state);
	}
	if (!rc)
		out->members = count_members(out->group);
	else
		vd_group_free(out->group);
	return rc;
}

static json_t *group_json(struct group_view *v)
{
	json_t *lanes = json_array();

	for (uint8_t lane = 0; lane < VD_LANES; lane++)
		json_array_append_new(lanes, json_pack("{s:s,s:o,s:s}", "lane", vd_lane_word(lane), "records",
		                                       vd_json_number(v->lanes.records[lane]), "digest", v->lanes.digest[lane]));
	return json_pack("{s:o,s:o,s:s,s:o,s:o}", "group", vd_json_hex(vd_group_id(v->group), VD_GROUP_BYTES), "name",
	                 vd_json_text(vd_slice_str(vd_group_name(v->group))), "role", vd_role_word(vd_group_role(v->group)),
	                 "members", vd_json_number(v->members), "lanes", lanes);
}

static void say_group(struct vd_cli *cli, struct group_view *v)
{
	char id[13], digest[13];

	vd_hex(id, vd_group_id(v->group), 6);
	vd_say(cli, VD_MSG_STATUS_GROUP, *vd_group_name(v->group) ? vd_group_name(v->group) : vd_text(cli->lang, VD_MSG_UNNAMED), id, vd_text(cli->lang, vd_role_text(vd_group_role(v->group))),
	       vd_num(cli, v->members), NULL);
	for (uint8_t lane = 0; lane < VD_LANES; lane++) {
		memcpy(digest, v->lanes.digest[lane], 12);
		digest[12] = '\0';
		vd_say(cli, VD_MSG_STATUS_LANE, vd_text(cli->lang, vd_lane_text(lane)), vd_num(cli, v->lanes.records[lane]), digest, NULL);
	}
}

/* What a running daemon says of itself, or NULL. */
static json_t *ask_daemon(struct vd_cli *cli)
{
	struct vd_buf answer = { 0 };
	json_t *out = NULL;

	if (vd_ctl_request(cli->home, "status", &answer) == 0)
		out = json_loadb((const char *)answer.p, answer.n, 0, NULL);
	vd_buf_deinit(&answer);
	return out;
}

static const char *peer_text(const json_t *peer, const char *key)
{
	const char *text = json_string_value(json_object_get(peer, key));

	return text ? text : "";
}

static const char *peer_name(struct vd_group *group, const json_t *peer)
{
	uint8_t author[VD_KEY_BYTES];
	const struct vd_device *device;
	size_t n = 0;

	if (vd_unhex(author, sizeof author, peer_text(peer, "member"), &n) || n != sizeof author)
		return "";
	device = vd_group_find(group, author);
	return device ? device->name : "";
}

/* Whose records a peer takes no more of, by name. */
static void say_declines(struct vd_cli *cli, struct group_view *views, size_t count, const json_t *peer)
{
	struct vd_buf names = { 0 };
	json_t *each;
	size_t i;

	json_array_foreach (json_object_get(peer, "declines"), i, each) {
		json_t *as_peer = json_pack("{s:O}", "member", each);
		const char *name = "", *hex = json_string_value(each);

		for (size_t g = 0; g < count && !*name; g++)
			name = peer_name(views[g].group, as_peer);
		json_decref(as_peer);
		if (names.n)
			vd_buf_put_slice(&names, vd_slice_str(", "));
		vd_buf_put_slice(&names, *name || !hex ? vd_slice_str(name) : vd_slice(hex, strnlen(hex, 2 * VD_KEY_SHOWN)));
	}
	vd_buf_put_u8(&names, 0);
	if (names.n > 1 && !names.failed)
		vd_say(cli, VD_MSG_STATUS_PEER_DECLINES, (const char *)names.p, NULL);
	vd_buf_deinit(&names);
}

/* An address that nobody can type is no help: where veredad listens on all of them, the port is what counts. */
static void say_listen(struct vd_cli *cli, const char *address)
{
	const char *port = strrchr(address, ':');

	if (port && (!strncmp(address, "[::]:", 5) || !strncmp(address, "0.0.0.0:", 8)))
		vd_say(cli, VD_MSG_STATUS_LISTEN_ANY, port + 1, NULL);
	else
		vd_say(cli, VD_MSG_STATUS_LISTEN, address, NULL);
}

static void say_peers(struct vd_cli *cli, struct group_view *views, size_t count, json_t *daemon)
{
	json_t *peers = json_object_get(daemon, "peers"), *peer, *address;
	size_t i;

	vd_say(cli, daemon ? VD_MSG_STATUS_DAEMON : VD_MSG_STATUS_NO_DAEMON, NULL);
	json_array_foreach (json_object_get(daemon, "listen"), i, address)
		say_listen(cli, json_string_value(address) ? json_string_value(address) : "");
	if (daemon && json_array_size(peers) == 0)
		vd_say(cli, VD_MSG_STATUS_NO_PEERS, NULL);
	json_array_foreach (peers, i, peer) {
		const char *name = "";

		for (size_t g = 0; g < count && !*name; g++)
			name = peer_name(views[g].group, peer);
		vd_say(cli, VD_MSG_STATUS_PEER, *name ? name : vd_text(cli->lang, VD_MSG_UNNAMED), peer_text(peer, "addr"),
		       peer_text(peer, "state"), NULL);
		say_declines(cli, views, count, peer);
	}
}

/* What keeps a fault in the daemon from giving away much, as far as this machine has it. */
static void say_walls(struct vd_cli *cli, const json_t *walls)
{
	static const struct {
		const char *key;
		enum vd_msg words;
	} each[] = {
		{ "no_core", VD_MSG_WALL_CORE }, { "no_new_privileges", VD_MSG_WALL_RIGHTS }, { "no_capabilities", VD_MSG_WALL_ROOT },
		{ "landlock", VD_MSG_WALL_FILES }, { "seccomp", VD_MSG_WALL_CALLS }, { "parser", VD_MSG_WALL_PARSER }, { "locked_memory", VD_MSG_WALL_SWAP },
	};
	char missing[1024] = "";

	for (size_t i = 0; i < sizeof each / sizeof *each; i++)
		if (!json_is_true(json_object_get(walls, each[i].key))) {
			size_t n = strlen(missing);

			snprintf(missing + n, sizeof missing - n, "%s%s", n ? ", " : "", vd_text(cli->lang, each[i].words));
		}
	if (json_is_object(walls))
		vd_say(cli, *missing ? VD_MSG_STATUS_WALLS_MISSING : VD_MSG_STATUS_WALLS, missing, NULL);
}

/* The control socket's times are numbers; ours are RFC 3339. */
static json_t *peers_json(const json_t *daemon)
{
	json_t *peers = json_deep_copy(json_object_get(daemon, "peers")), *peer;
	size_t i;

	json_array_foreach (peers, i, peer) {
		const json_t *since = json_object_get(peer, "since_ms");

		json_object_set_new(peer, "since", json_is_integer(since) ? vd_json_time((uint64_t)json_integer_value(since)) : json_null());
		json_object_del(peer, "since_ms");
	}
	return peers ? peers : json_array();
}

static json_t *listen_json(const json_t *daemon)
{
	json_t *listen = json_object_get(daemon, "listen");

	return listen ? json_incref(listen) : json_array();
}

/* All that status says, gathered. */
struct whole {
	struct group_view views[VD_STORE_GROUPS_MAX];
	struct vd_look looks[VD_STORE_GROUPS_MAX];
	size_t count;
	json_t *daemon;
	uint64_t records, bytes;
};

static json_t *findings(struct vd_cli *cli, const struct whole *w)
{
	struct vd_findings f = { .cli = cli, .looks = w->looks, .count = w->count, .daemon = w->daemon != NULL,
	                         .disk = json_object_get(w->daemon, "disk"), .list = json_array() };

	vd_find_quick(&f);
	return f.list;
}

/* A warning is what it means and the next step, in one text. */
static json_t *warnings(struct vd_cli *cli, const struct whole *w)
{
	json_t *list = findings(cli, w), *out = json_array(), *finding;
	size_t i;

	json_array_foreach (list, i, finding) {
		const char *next = json_string_value(json_object_get(finding, "next"));

		json_array_append_new(out, *next ? json_sprintf("%s %s", json_string_value(json_object_get(finding, "words")), next) :
		                                   json_incref(json_object_get(finding, "words")));
	}
	json_decref(list);
	return out;
}

static json_t *acts_json(struct vd_cli *cli, const struct whole *w)
{
	json_t *acts = json_array();

	for (size_t i = 0; i < w->count; i++)
		vd_json_acts(cli, &w->looks[i], acts);
	return acts;
}

/* Of attachments: bytes that are here, that have yet to come, and that are kept at most. */
static json_t *bulk_json(struct vd_cli *cli)
{
	uint64_t here, wanted;
	struct vd_shares set;

	if (vd_shares_get(cli->store, &set) || vd_shares_bulk(cli->store, &here, &wanted))
		return json_null();
	return json_pack("{s:o,s:o,s:o}", "here", vd_json_number(here), "wanted", vd_json_number(wanted), "max",
	                 set.bulk_bytes == VD_BULK_ALL ? json_null() : vd_json_number(set.bulk_bytes));
}

/* Did it hold all that is here, when it was last seen? */
static bool holds_all(struct vd_cli *cli, const struct vd_stick *stick)
{
	uint64_t latest;

	return !vd_store_latest(cli->store, &latest) && vd_stick_since(stick, latest);
}

static json_t *sticks_json(struct vd_cli *cli)
{
	json_t *out = json_array();
	struct vd_stick *all;
	size_t count;

	if (vd_sticks(cli->store, &all, &count))
		return out;
	for (size_t i = 0; i < count; i++)
		json_array_append_new(out, json_pack("{s:o,s:o,s:b,s:o,s:b}", "stick", vd_json_hex(all[i].id, VD_STICK_ID_BYTES), "name",
		                                     vd_json_text(vd_slice_str(all[i].name)), "marked", all[i].marked, "seen",
		                                     vd_json_time(all[i].seen_ms), "holds_all", holds_all(cli, &all[i])));
	free(all);
	return out;
}

static void say_sticks(struct vd_cli *cli)
{
	enum { SHOWN = 8 };
	char time[VD_TIME_TEXT], called[VD_WHERE_TEXT];
	struct vd_stick *all;
	size_t count;

	if (vd_sticks(cli->store, &all, &count))
		return;
	for (size_t i = 0; i < count && i < SHOWN; i++) {
		vd_time_local(all[i].seen_ms, time);
		vd_say(cli, holds_all(cli, &all[i]) ? VD_MSG_STATUS_STICK_ALL : VD_MSG_STATUS_STICK, vd_stick_called(cli, &all[i], called), time, NULL);
	}
	free(all);
}

static void status_json(struct vd_cli *cli, struct whole *w)
{
	json_t *groups = json_array(), *out;
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];

	for (size_t i = 0; i < w->count; i++)
		json_array_append_new(groups, group_json(&w->views[i]));
	vd_store_device(cli->store, device, name);
	out = json_pack("{s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:{s:o,s:o},s:o}", "device", vd_json_hex(device, sizeof device), "name",
	                vd_json_text(vd_slice_str(name)), "home", vd_json_text(vd_slice_str(cli->home)), "groups", groups, "daemon",
	                w->daemon != NULL, "listen", listen_json(w->daemon), "peers", peers_json(w->daemon), "store", "records",
	                vd_json_number(w->records), "bytes", vd_json_number(w->bytes), "warnings", warnings(cli, w));
	json_object_set_new(out, "acts", acts_json(cli, w));
	json_object_set_new(out, "sticks", sticks_json(cli));
	json_object_set_new(json_object_get(out, "store"), "bulk", bulk_json(cli));
	json_object_set_new(out, "walls", json_is_object(json_object_get(w->daemon, "walls")) ?
	                    json_incref(json_object_get(w->daemon, "walls")) : json_null());
	vd_say_json(cli, out);
}

static void status_people(struct vd_cli *cli, struct whole *w)
{
	bool all = vd_options_get(&cli->opt, VD_OPT_ACTS) != NULL;
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1], id[13];
	json_t *list = warnings(cli, w), *warning;
	size_t i;

	vd_store_device(cli->store, device, name);
	vd_hex(id, device, 6);
	vd_say(cli, VD_MSG_STATUS_DEVICE, *name ? name : vd_text(cli->lang, VD_MSG_UNNAMED), id, cli->home, NULL);
	vd_say(cli, VD_MSG_STATUS_STORE, vd_num(cli, w->records), vd_num(cli, w->bytes / 1024), NULL);
	for (size_t g = 0; g < w->count; g++) {
		say_group(cli, &w->views[g]);
		vd_say_acts(cli, &w->looks[g], all);
	}
	say_peers(cli, w->views, w->count, w->daemon);
	say_walls(cli, json_object_get(w->daemon, "walls"));
	say_sticks(cli);
	json_array_foreach (list, i, warning)
		vd_say(cli, VD_MSG_WARNING, json_string_value(warning), NULL);
	json_decref(list);
}

static void whole_free(struct whole *w)
{
	for (size_t i = 0; w && i < w->count; i++) {
		vd_heard_deinit(&w->looks[i].heard);
		vd_group_free(w->views[i].group);
	}
	if (w)
		json_decref(w->daemon);
	free(w);
}

static int look_at_all(struct vd_cli *cli, struct whole **out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct whole *w = calloc(1, sizeof *w);
	size_t count = 0;
	int err, rc = w ? vd_cli_groups(cli, groups, &count) : vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);

	*out = w;
	if (rc)
		return rc;
	err = vd_store_size(cli->store, &w->records, &w->bytes);
	while (!err && w->count < count) {
		struct group_view *view = &w->views[w->count];
		struct vd_look *l = &w->looks[w->count];

		err = look(cli, groups[w->count], view);
		if (err)
			break;
		w->count++;
		l->group = view->group;
		l->members = view->members;
		err = vd_heard_init(&l->heard, cli, view->group);
		/* What cannot be read only makes somebody seem not to have heard; doctor and check tell of it. */
		if (err == VD_EDAMAGED)
			err = 0;
	}
	if (err)
		return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);
	w->daemon = ask_daemon(cli);
	return 0;
}

static int status_run(struct vd_cli *cli)
{
	struct whole *w;
	int rc = look_at_all(cli, &w);

	if (!rc)
		(cli->opt.json ? status_json : status_people)(cli, w);
	whole_free(w);
	return rc;
}

const struct vd_command vd_command_status = {
	.syntax = { "status", { VD_OPT_ACTS } },
	.run = status_run, .summary = VD_MSG_SUM_STATUS, .help = VD_MSG_HELP_STATUS,
};

/* --- doctor --- */

static enum vd_msg severity_text(const char *severity)
{
	return strcmp(severity, "note") == 0 ? VD_MSG_SEVERITY_NOTE : strcmp(severity, "warning") == 0 ? VD_MSG_SEVERITY_WARNING :
	       strcmp(severity, "serious") == 0 ? VD_MSG_SEVERITY_SERIOUS : VD_MSG_SEVERITY_BROKEN;
}

static void say_finding(struct vd_cli *cli, json_t *finding)
{
	const char *next = json_string_value(json_object_get(finding, "next"));

	vd_say(cli, VD_MSG_FINDING, vd_text(cli->lang, severity_text(json_string_value(json_object_get(finding, "severity")))),
	       json_string_value(json_object_get(finding, "words")), NULL);
	if (*next)
		vd_say(cli, VD_MSG_FINDING_NEXT, next, NULL);
}

static void say_findings(struct vd_cli *cli, const struct vd_findings *f)
{
	json_t *finding;
	size_t i;

	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:O}", "findings", f->list));
		return;
	}
	json_array_foreach (f->list, i, finding)
		say_finding(cli, finding);
	if (json_array_size(f->list) == 0)
		vd_say(cli, VD_MSG_DOCTOR_WELL, NULL);
}

/* The disk, the clock and the machine say how they are without a key. */
static int doctor_locked(struct vd_cli *cli)
{
	json_t *daemon = ask_daemon(cli);
	struct vd_findings f = { .cli = cli, .daemon = daemon != NULL, .disk = json_object_get(daemon, "disk"), .list = json_array() };

	vd_find_locked(&f);
	vd_find_machine(&f, daemon);
	say_findings(cli, &f);
	json_decref(f.list);
	json_decref(daemon);
	return vd_refuse(cli, VD_EXIT_KEY, "locked", VD_MSG_HINT_LOCKED, VD_MSG_LOCKED, cli->home, NULL);
}

/* … and nobody is there to open it. */
static bool stays_locked(struct vd_cli *cli)
{
	return !cli->opt.passphrase_file && !cli->opt.passphrase_fd && !vd_can_ask(cli) && vd_vault_exists(cli->home) &&
	       vd_vault_slots_state(cli->home) != VD_SLOTS_GONE && !vd_secret_is_lent(cli);
}

static int doctor_run(struct vd_cli *cli)
{
	const char *report = vd_options_get(&cli->opt, VD_OPT_BUNDLE);
	struct whole *w;
	int rc;

	if (stays_locked(cli))
		return doctor_locked(cli);
	rc = look_at_all(cli, &w);
	if (!rc) {
		struct vd_findings f = { .cli = cli, .looks = w->looks, .count = w->count, .daemon = w->daemon != NULL,
	                         .disk = json_object_get(w->daemon, "disk"), .list = json_array() };

		vd_find_quick(&f);
		vd_find_deep(&f);
		vd_find_machine(&f, w->daemon);
		rc = f.broken ? VD_EXIT_FAILED : VD_EXIT_DONE;
		say_findings(cli, &f);
		if (report) {
			int code = vd_write_report(&f, w->daemon, report);

			rc = code ? code : rc;
		}
		json_decref(f.list);
	}
	whole_free(w);
	return rc;
}

const struct vd_command vd_command_doctor = {
	.syntax = { "doctor", { VD_OPT_BUNDLE } },
	.run = doctor_run, .summary = VD_MSG_SUM_DOCTOR, .help = VD_MSG_HELP_DOCTOR,
};

/* `vereda --json` alone: where things stand, in one object. */
static int state_json(struct vd_cli *cli)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	json_t *list = json_array();
	size_t count = 0;
	int rc = cli->store ? vd_cli_groups(cli, groups, &count) : 0;

	for (size_t i = 0; i < count && !rc; i++) {
		struct group_view v = { 0 };
		int err = look(cli, groups[i], &v);

		if (err) {
			rc = vd_fail(cli, err, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);
			break;
		}
		json_array_append_new(list, group_json(&v));
		vd_group_free(v.group);
	}
	if (rc)
		json_decref(list);
	else
		vd_say_json(cli, json_pack("{s:o,s:b,s:o,s:s}", "home", vd_json_text(vd_slice_str(cli->home)), "store", cli->store != NULL,
		                           "groups", list, "next", !cli->store ? "init" : count ? "list --new" : "id"));
	return rc;
}

int vd_cli_state(struct vd_cli *cli)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc = vd_sign_selftest();

	if (!rc)
		rc = vd_store_open(cli->home, &cli->store);
	if (rc == VD_EKEY && !cli->opt.passphrase_file && !cli->opt.passphrase_fd && !vd_secret_is_lent(cli) &&
	    vd_vault_slots_state(cli->home) != VD_SLOTS_GONE) {
		if (cli->opt.json)
			vd_say_json(cli, json_pack("{s:o,s:b,s:b,s:s}", "home", vd_json_text(vd_slice_str(cli->home)), "store", true, "locked", true,
			                           "next", "unlock"));
		else
			vd_say(cli, VD_MSG_START_LOCKED, cli->home, NULL);
		return VD_EXIT_DONE;
	}
	if (rc == VD_EKEY) {
		rc = vd_secret_open(cli);
		if (rc)
			return rc;
	}
	if (cli->opt.json && (!rc || rc == VD_ENOSTORE))
		return state_json(cli);
	if (rc == VD_ENOSTORE) {
		vd_say(cli, VD_MSG_START_NO_STORE, cli->home, NULL);
		return VD_EXIT_DONE;
	}
	if (rc)
		return vd_cli_open_failed(cli, rc);
	rc = vd_cli_groups(cli, groups, &count);
	if (rc)
		return rc;
	if (count == 0) {
		vd_say(cli, VD_MSG_START_NO_GROUP, NULL);
		return VD_EXIT_DONE;
	}
	for (size_t i = 0; i < count; i++) {
		struct group_view v = { 0 };
		char called[VD_WHO_TEXT];
		int err = look(cli, groups[i], &v);

		if (err)
			return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);
		vd_say(cli, VD_MSG_START_GROUP, vd_group_called(cli, v.group, called), vd_text(cli->lang, vd_role_text(vd_group_role(v.group))),
		       vd_num(cli, v.members), vd_num(cli, v.lanes.records[1] + v.lanes.records[2] + v.lanes.records[3]), NULL);
		vd_group_free(v.group);
	}
	vd_say(cli, VD_MSG_START_NEXT, NULL);
	return VD_EXIT_DONE;
}

