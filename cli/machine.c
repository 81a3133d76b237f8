/* doctor's look at the machine: swap, walls, memory that cannot be locked; and the report for whoever helps. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <sodium.h>

#include "machine.h"
#include "proto/vereda.h"
#include "store/file.h"
#include "store/vault.h"

/* Is there swap on a medium? Compressed memory is none. */
static bool swaps(void)
{
	FILE *in = fopen("/proc/swaps", "re");
	char line[512];
	bool found = false, head = true;

	while (in && fgets(line, sizeof line, in)) {
		found = found || (!head && strncmp(line, "/dev/zram", 9) != 0 && line[0] == '/');
		head = false;
	}
	if (in)
		fclose(in);
	return found;
}

/* Each wall that does not stand, with what raises it. */
static void find_walls(struct vd_findings *f, const json_t *daemon)
{
	static const struct {
		const char *name;
		enum vd_msg words, next;
	} each[] = {
		{ "no_core", VD_MSG_WALL_CORE, VD_MSG_NEXT_WALL_CORE }, { "no_new_privileges", VD_MSG_WALL_RIGHTS, VD_MSG_NEXT_WALLS },
		{ "no_capabilities", VD_MSG_WALL_ROOT, VD_MSG_NEXT_WALL_ROOT }, { "landlock", VD_MSG_WALL_FILES, VD_MSG_NEXT_WALLS },
		{ "seccomp", VD_MSG_WALL_CALLS, VD_MSG_NEXT_WALLS }, { "parser", VD_MSG_WALL_PARSER, VD_MSG_NEXT_WALLS },
		{ "locked_memory", VD_MSG_WALL_SWAP, VD_MSG_NEXT_MEMORY },
	};

	for (size_t i = 0; i < sizeof each / sizeof *each; i++)
		if (json_is_false(json_object_get(json_object_get(daemon, "walls"), each[i].name)))
			vd_finding(f, "walls", "warning", VD_MSG_WARN_WALLS, each[i].next, vd_text(f->cli->lang, each[i].words), NULL);
}

void vd_find_machine(struct vd_findings *f, const json_t *daemon)
{
	const struct vd_store *store = f->cli->store;

	if (swaps())
		vd_finding(f, "swap", "warning", VD_MSG_WARN_SWAP, VD_MSG_NEXT_SWAP, NULL);
	find_walls(f, daemon);
	if (store && !vd_store_readable(store) && !vd_vault_locked_memory(vd_store_vault(store)))
		vd_finding(f, "memory", "warning", VD_MSG_WARN_MEMORY, VD_MSG_NEXT_MEMORY, NULL);
}

/* --- the report --- */

static json_t *counts(struct vd_cli *cli, const struct vd_look *look)
{
	json_t *lanes = json_array();
	struct vd_lane_state state;

	for (uint8_t lane = 0; lane < VD_LANES; lane++)
		if (!vd_store_lane(cli->store, vd_group_id(look->group), lane, &state, NULL, 0))
			json_array_append_new(lanes, json_pack("{s:s,s:o,s:o}", "lane", vd_lane_word(lane), "records", vd_json_number(state.digest.count),
			                                       "wanted", vd_json_number(state.wanted.count)));
	return json_pack("{s:s,s:o,s:o}", "role", vd_role_word(vd_group_role(look->group)), "members", vd_json_number(look->members), "lanes", lanes);
}

/* Nothing that tells who, where or what: no name, key, id, address, path, time or word of anybody. */
static json_t *make_report(const struct vd_findings *f, const json_t *daemon)
{
	json_t *findings = json_array(), *groups = json_array(), *walls = json_object_get(daemon, "walls"), *finding;
	char engine[VD_STORE_ENGINE_TEXT];
	uint64_t records = 0, bytes = 0;
	struct utsname system;
	size_t i;

	json_array_foreach (f->list, i, finding)
		json_array_append_new(findings, json_pack("{s:O,s:O}", "what", json_object_get(finding, "what"), "severity",
		                                          json_object_get(finding, "severity")));
	for (i = 0; i < f->count; i++)
		json_array_append_new(groups, counts(f->cli, &f->looks[i]));
	vd_store_engine(engine);
	(void)vd_store_size(f->cli->store, &records, &bytes);
	if (uname(&system))
		memset(&system, 0, sizeof system);
	return json_pack("{s:s,s:{s:s,s:s,s:s},s:{s:s,s:s,s:s},s:b,s:b,s:{s:o,s:o},s:o,s:o,s:o}", "version", VEREDA_RELEASE, "libraries", "libsodium",
	                 sodium_version_string(), "lmdb", engine, "jansson", jansson_version_str(), "system", "kernel", system.sysname, "release",
	                 system.release, "machine", system.machine, "sealed", !vd_store_readable(f->cli->store), "daemon", f->daemon, "store",
	                 "records", vd_json_number(records), "bytes", vd_json_number(bytes), "groups", groups, "walls",
	                 walls ? json_incref(walls) : json_null(), "findings", findings);
}

int vd_write_report(const struct vd_findings *f, const json_t *daemon, const char *path)
{
	json_t *report = make_report(f, daemon);
	char *text = report ? json_dumps(report, JSON_INDENT(1)) : NULL;
	int fd, rc = text ? 0 : VD_ENOMEM;
	size_t n = text ? strlen(text) : 0;

	if (!rc) {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0 || write(fd, text, n) != (ssize_t)n || write(fd, "\n", 1) != 1 || fsync(fd))
			rc = vd_file_errno(errno);
		if (fd >= 0)
			close(fd);
		if (rc && fd >= 0)
			unlink(path);
	}
	free(text);
	json_decref(report);
	if (rc)
		return vd_fail(f->cli, rc, VD_MSG_NONE, VD_MSG_REPORT_FAILED, path, NULL);
	vd_note(f->cli, VD_MSG_REPORT_DONE, path, NULL);
	return 0;
}
