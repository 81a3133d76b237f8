/* init, status, check, version, and `vereda` alone: the store as a whole. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "cli.h"
#include "daemon/ctl.h"
#include "daemon/link_tcp.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "proto/vereda.h"
#include "store/salvage.h"
#include "times.h"

static int init_run(struct vd_cli *cli)
{
	const char *name = vd_options_get(&cli->opt, VD_OPT_NAME);
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char stored[VD_DEVICE_NAME_MAX + 1];
	struct stat st;
	int rc;

	if (name && !vd_name_ok(name))
		return vd_misuse(cli, VD_MSG_HINT_NAME, VD_MSG_BAD_NAME, name, NULL);
	rc = vd_sign_selftest();
	if (!rc)
		rc = vd_store_create(cli->home, name ? name : "");
	if (rc == VD_EEXISTS)
		return vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_INIT_EXISTS, VD_MSG_INIT_EXISTS, cli->home, NULL);
	if (rc && stat(cli->home, &st) == 0 && !S_ISDIR(st.st_mode))
		return vd_misuse(cli, VD_MSG_HINT_HOME_FILE, VD_MSG_HOME_FILE, cli->home, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_INIT_FAILED, cli->home, NULL);
	rc = vd_cli_open(cli);
	if (rc)
		return rc;
	vd_store_device(cli->store, device, stored);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o}", "device", vd_json_hex(device, sizeof device), "home",
		                           vd_json_text(vd_slice_str(cli->home))));
	else
		vd_say(cli, VD_MSG_INIT_DONE, cli->home, NULL);
	if (!vd_options_get(&cli->opt, VD_OPT_NO_PASSPHRASE))
		vd_note(cli, VD_MSG_INIT_READABLE, NULL);
	return VD_EXIT_DONE;
}

const struct vd_command vd_command_init = {
	.syntax = { "init", { VD_OPT_NAME, VD_OPT_NO_PASSPHRASE } },
	.run = init_run, .summary = VD_MSG_SUM_INIT, .help = VD_MSG_HELP_INIT,
};

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
	size_t members = 0, devices = vd_group_device_count(group);

	for (size_t i = 0; i < devices; i++) {
		const struct vd_device *d = vd_group_device(group, i);
		bool first = d->role != VD_ROLE_NONE;

		for (size_t j = 0; j < i && first; j++) {
			const struct vd_device *e = vd_group_device(group, j);

			first = e->role == VD_ROLE_NONE || memcmp(e->person, d->person, VD_PERSON_BYTES) != 0;
		}
		members += first;
	}
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
	vd_say(cli, VD_MSG_STATUS_GROUP, vd_group_name(v->group), id, vd_text(cli->lang, vd_role_text(vd_group_role(v->group))),
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
	}
}

/* Did this device's own records come from somewhere else? */
static bool written_elsewhere(struct vd_cli *cli, const struct group_view *v)
{
	const struct vd_identity *self = vd_group_identity(v->group);
	uint64_t noticed_ms;

	return self && !vd_store_elsewhere(cli->store, vd_group_id(v->group), self->author, &noticed_ms);
}

static void warn(json_t *out, const char *text)
{
	json_array_append_new(out, vd_json_text(vd_slice_str(text)));
}

/* What a person should know, as an array of texts. */
static json_t *warnings(struct vd_cli *cli, const struct group_view *views, size_t count)
{
	json_t *out = json_array();
	struct vd_buf clock = { 0 };
	bool said = false;

	for (size_t i = 0; i < count; i++)
		if (written_elsewhere(cli, &views[i])) {
			warn(out, vd_text(cli->lang, VD_MSG_WARN_ELSEWHERE));
			break;
		}
	if (vd_store_readable(cli->store))
		warn(out, vd_text(cli->lang, VD_MSG_WARN_READABLE));
	if (count == 0)
		warn(out, vd_text(cli->lang, VD_MSG_WARN_NO_GROUP));
	for (size_t i = 0; i < count; i++)
		if (views[i].members < 2) {
			warn(out, vd_text(cli->lang, VD_MSG_WARN_ALONE));
			break;
		}
	for (size_t i = 0; i <= count && !said; i++) {
		vd_buf_reset(&clock);
		said = vd_cli_clock_warning(cli, i < count ? views[i].group : NULL, &clock);
	}
	if (said)
		warn(out, (const char *)clock.p);
	vd_buf_deinit(&clock);
	return out;
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

static void status_json(struct vd_cli *cli, struct group_view *views, size_t count, json_t *daemon, uint64_t records,
                        uint64_t bytes)
{
	json_t *groups = json_array();
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1];

	for (size_t i = 0; i < count; i++)
		json_array_append_new(groups, group_json(&views[i]));
	vd_store_device(cli->store, device, name);
	vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o,s:b,s:o,s:o,s:{s:o,s:o},s:o}", "device", vd_json_hex(device, sizeof device), "name",
	                           vd_json_text(vd_slice_str(name)), "home", vd_json_text(vd_slice_str(cli->home)), "groups", groups,
	                           "daemon", daemon != NULL, "listen", listen_json(daemon), "peers", peers_json(daemon), "store", "records",
	                           vd_json_number(records), "bytes", vd_json_number(bytes), "warnings", warnings(cli, views, count)));
}

static void status_people(struct vd_cli *cli, struct group_view *views, size_t count, json_t *daemon, uint64_t records,
                          uint64_t bytes)
{
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char name[VD_DEVICE_NAME_MAX + 1], id[13];
	json_t *list = warnings(cli, views, count), *warning;
	size_t i;

	vd_store_device(cli->store, device, name);
	vd_hex(id, device, 6);
	vd_say(cli, VD_MSG_STATUS_DEVICE, *name ? name : vd_text(cli->lang, VD_MSG_UNNAMED), id, cli->home, NULL);
	vd_say(cli, VD_MSG_STATUS_STORE, vd_num(cli, records), vd_num(cli, bytes / 1024), NULL);
	for (size_t g = 0; g < count; g++)
		say_group(cli, &views[g]);
	say_peers(cli, views, count, daemon);
	json_array_foreach (list, i, warning)
		vd_say(cli, VD_MSG_WARNING, json_string_value(warning), NULL);
	json_decref(list);
}

static int status_run(struct vd_cli *cli)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	struct group_view *views = calloc(VD_STORE_GROUPS_MAX, sizeof *views);
	size_t count = 0, seen = 0;
	uint64_t records = 0, bytes = 0;
	json_t *daemon;
	int rc = views ? vd_cli_groups(cli, groups, &count) : VD_EXIT_FAILED, err = 0;

	if (rc)
		goto done;
	err = vd_store_size(cli->store, &records, &bytes);
	while (!err && seen < count) {
		err = look(cli, groups[seen], &views[seen]);
		seen += !err;
	}
	if (err) {
		rc = vd_fail(cli, err, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);
		goto done;
	}
	daemon = ask_daemon(cli);
	(cli->opt.json ? status_json : status_people)(cli, views, count, daemon, records, bytes);
	json_decref(daemon);
done:
	for (size_t i = 0; i < seen; i++)
		vd_group_free(views[i].group);
	free(views);
	return rc;
}

const struct vd_command vd_command_status = {
	.syntax = { "status", { VD_OPT_NONE } },
	.run = status_run, .summary = VD_MSG_SUM_STATUS, .help = VD_MSG_HELP_STATUS,
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
		int err = look(cli, groups[i], &v);

		if (err)
			return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_STATUS_FAILED, NULL);
		vd_say(cli, VD_MSG_START_GROUP, vd_group_name(v.group), vd_text(cli->lang, vd_role_text(vd_group_role(v.group))),
		       vd_num(cli, v.members), vd_num(cli, v.lanes.records[1] + v.lanes.records[2] + v.lanes.records[3]), NULL);
		vd_group_free(v.group);
	}
	vd_say(cli, VD_MSG_START_NEXT, NULL);
	return VD_EXIT_DONE;
}

/* A database that cannot be opened is built anew from what can be read of it. */
static int salvage(struct vd_cli *cli, uint64_t *records)
{
	struct vd_salvage saved;
	int rc = vd_store_salvage(cli->home, vd_time_now_ms(), &saved);

	if (rc == VD_EEXISTS)
		return 0;
	if (rc == VD_EBUSY)
		return vd_fail(cli, rc, VD_MSG_HINT_SALVAGE_BUSY, VD_MSG_CHECK_FAILED, NULL);
	if (rc == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_STORE_DAMAGED, VD_MSG_STORE_DAMAGED, cli->home, NULL);
	if (rc)
		return vd_cli_open_failed(cli, rc);
	*records = saved.records;
	if (!cli->opt.json)
		vd_say(cli, VD_MSG_STORE_SALVAGED, vd_num(cli, saved.records), saved.kept, NULL);
	return 0;
}

static int check_run(struct vd_cli *cli)
{
	bool repair = vd_options_get(&cli->opt, VD_OPT_REPAIR) != NULL;
	struct vd_check result = { 0 };
	uint64_t salvaged = 0;
	int rc = vd_sign_selftest();

	if (rc)
		return vd_cli_open_failed(cli, rc);
	rc = repair ? salvage(cli, &salvaged) : 0;
	if (!rc)
		rc = vd_cli_open(cli);
	if (rc)
		return rc;
	rc = vd_check(cli->store, repair, &result);
	/* Not even counted: nothing that --repair could do. */
	if (rc && (rc != VD_EDAMAGED || (result.bad == 0 && result.derived_bad == 0)))
		return vd_fail(cli, rc, rc == VD_EDAMAGED ? VD_MSG_HINT_STORE_DAMAGED : VD_MSG_NONE, VD_MSG_CHECK_FAILED, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o,s:o}", "salvaged", vd_json_number(salvaged), "records", vd_json_number(result.records), "bad",
		                           vd_json_number(result.bad), "repaired", vd_json_number(result.repaired), "derived_bad",
		                           vd_json_number(result.derived_bad)));
	if (!rc && result.bad == 0 && result.derived_bad == 0) {
		if (!cli->opt.json)
			vd_say(cli, VD_MSG_CHECK_GOOD, vd_num(cli, result.records), NULL);
		return VD_EXIT_DONE;
	}
	if (!rc && repair) {
		if (!cli->opt.json)
			vd_say(cli, VD_MSG_CHECK_REPAIRED, vd_num(cli, result.records), vd_num(cli, result.repaired),
			       vd_num(cli, result.bad), NULL);
		return VD_EXIT_DONE;
	}
	return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_CHECK_BAD, VD_MSG_CHECK_BAD, vd_num(cli, result.records),
	                 vd_num(cli, result.bad), vd_num(cli, result.derived_bad), NULL);
}

const struct vd_command vd_command_check = {
	.syntax = { "check", { VD_OPT_REPAIR } },
	.run = check_run, .summary = VD_MSG_SUM_CHECK, .help = VD_MSG_HELP_CHECK,
};

static int version_run(struct vd_cli *cli)
{
	char lmdb[VD_STORE_ENGINE_TEXT];

	vd_store_engine(lmdb);
	if (cli->opt.json) {
		vd_say_json(cli, json_pack("{s:s,s:i,s:{s:s,s:s,s:s,s:s}}", "version", VEREDA_RELEASE, "protocol", VD_VERSION, "libraries",
		                           "libsodium", sodium_version_string(), "lmdb", lmdb, "libuv", vd_tcp_engine(), "jansson",
		                           jansson_version_str()));
		return VD_EXIT_DONE;
	}
	vd_say(cli, VD_MSG_VERSION, VEREDA_RELEASE, vd_num(cli, VD_VERSION), NULL);
	vd_say(cli, VD_MSG_VERSION_LIBRARY, "libsodium", sodium_version_string(), NULL);
	vd_say(cli, VD_MSG_VERSION_LIBRARY, "lmdb", lmdb, NULL);
	vd_say(cli, VD_MSG_VERSION_LIBRARY, "libuv", vd_tcp_engine(), NULL);
	vd_say(cli, VD_MSG_VERSION_LIBRARY, "jansson", jansson_version_str(), NULL);
	return VD_EXIT_DONE;
}

const struct vd_command vd_command_version = {
	.syntax = { "version", { VD_OPT_NONE } },
	.run = version_run, .summary = VD_MSG_SUM_VERSION, .help = VD_MSG_HELP_VERSION,
};
