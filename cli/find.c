#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "daemon/ctl.h"
#include "fields.h"
#include "labels.h"
#include "secret.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "store/names.h"

static enum vd_msg medium_text(const char *folder)
{
	switch (vd_medium_of(folder)) {
	case VD_MEDIUM_NETWORK: return VD_MSG_HOME_NETWORK;
	case VD_MEDIUM_FAT: return VD_MSG_HOME_FAT;
	default: return VD_MSG_HOME_MEDIUM;
	}
}

int vd_cli_open_failed(struct vd_cli *cli, int err)
{
	enum vd_slots_state slots;
	struct stat st;

	if (strlen(cli->home) >= PATH_MAX - 64)
		return vd_misuse(cli, VD_MSG_HINT_HELP, VD_MSG_HOME_LONG, NULL);
	if (stat(cli->home, &st) == 0 && !S_ISDIR(st.st_mode))
		return vd_refuse(cli, VD_EXIT_NO_STORE, "no-store", VD_MSG_HINT_HOME_FILE, VD_MSG_HOME_FILE, cli->home, NULL);
	if (err == VD_EINVAL)
		return vd_refuse(cli, VD_EXIT_FAILED, "file-system", VD_MSG_HINT_HOME_MEDIUM, medium_text(cli->home), cli->home, NULL);
	slots = err == VD_EDAMAGED ? vd_vault_slots_state(cli->home) : VD_SLOTS_NONE;
	if (slots == VD_SLOTS_GONE)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLOTS_GONE, VD_MSG_SLOTS_GONE, cli->home, NULL);
	if (slots == VD_SLOTS_TORN)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLOTS_TORN, VD_MSG_SLOTS_TORN, cli->home, NULL);
	if (err == VD_EDAMAGED || err == VD_EFORMAT)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_STORE_BROKEN, VD_MSG_STORE_DAMAGED, cli->home, NULL);
	return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_OPEN_FAILED, cli->home, NULL);
}

int vd_cli_taken(struct vd_cli *cli, enum vd_msg hint, enum vd_msg what)
{
	int fd = open(cli->home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *stranger = fd < 0 || vd_names_store(fd) ? NULL : vd_names_stranger(fd);

	if (fd >= 0)
		close(fd);
	if (stranger)
		return vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_HOME_STRANGER, VD_MSG_HOME_STRANGER, cli->home, stranger, NULL);
	return vd_refuse(cli, VD_EXIT_FAILED, "exists", hint, what, cli->home, NULL);
}

static char broken_text[1024], gone_text[PATH_MAX + 1024], home[PATH_MAX];

bool vd_cli_gone(const char *folder)
{
	char start[32] = "";
	int at = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC), fd = at < 0 ? -1 : openat(at, "data.mdb", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool gone = fd < 0 && errno == ENOENT;

	if (fd >= 0) {
		gone = pread(fd, start, sizeof start, 0) >= 0;
		for (size_t i = 0; i < sizeof start; i++)
			gone = gone && !start[i];
		close(fd);
	}
	if (at >= 0)
		close(at);
	return gone;
}

/* From a signal handler: nothing but what is safe there. */
static void broken(void)
{
	bool gone = vd_cli_gone(home);
	const char *text = gone ? gone_text : broken_text;
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;
	_exit(gone ? VD_EXIT_NO_STORE : VD_EXIT_INTEGRITY);
}

static void heed_broken(struct vd_cli *cli)
{
	const char *const args[] = { cli->home, NULL };
	struct vd_buf text = { 0 };

	vd_text_format(cli->lang, VD_MSG_STORE_GONE, args, true, &text);
	vd_buf_put_u8(&text, 0);
	snprintf(gone_text, sizeof gone_text, "%s%s%s%s\n", vd_text(cli->lang, VD_MSG_ERROR), text.failed ? "" : (const char *)text.p,
	         vd_text(cli->lang, VD_MSG_HINT), vd_text(cli->lang, VD_MSG_HINT_STORE_GONE));
	vd_buf_deinit(&text);
	snprintf(broken_text, sizeof broken_text, "%s", vd_text(cli->lang, VD_MSG_STORE_BROKE));
	snprintf(home, sizeof home, "%s", cli->home);
	vd_store_on_broken(broken);
}

int vd_cli_open_with(struct vd_cli *cli, const struct vd_secret *secret)
{
	int rc;

	heed_broken(cli);
	rc = vd_store_open_with(cli->home, secret, &cli->store);
	return rc ? vd_cli_open_failed(cli, rc) : 0;
}

static int ready(struct vd_cli *cli)
{
	heed_broken(cli);
	return vd_sign_selftest();
}

int vd_cli_open_or_not(struct vd_cli *cli, enum vd_msg prompt)
{
	int rc = ready(cli);

	return rc ? vd_cli_open_failed(cli, rc) : vd_secret_open_or_not(cli, prompt);
}

int vd_cli_open(struct vd_cli *cli)
{
	int rc;

	if (cli->store)
		return 0;
	rc = ready(cli);
	if (!rc)
		rc = vd_store_open(cli->home, &cli->store);
	if (rc == VD_EKEY)
		return vd_secret_open(cli);
	/* Never let someone believe that a passphrase protects what it does not. */
	if (!rc && (cli->opt.passphrase_file || cli->opt.passphrase_fd))
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_NOT_SEALED, VD_MSG_NOT_SEALED, cli->home, NULL);
	return rc ? vd_cli_open_failed(cli, rc) : 0;
}

bool vd_cli_is_prefix(const char *word, const uint8_t *id, size_t bytes)
{
	char hex[2 * VD_ID_BYTES + 1];
	size_t n = strlen(word);

	if (n < 6 || n > 2 * bytes)
		return false;
	vd_hex(hex, id, bytes);
	return strncasecmp(word, hex, n) == 0;
}

static int one_group(struct vd_cli *cli, uint8_t (*groups)[VD_GROUP_BYTES], size_t count, size_t *chosen)
{
	const char *wanted = cli->opt.group;
	size_t hits = 0;

	for (size_t i = 0; i < count; i++) {
		struct vd_group *group = NULL;
		int rc = vd_store_group(cli->store, groups[i], &group);

		if (rc)
			return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
		if (vd_cli_is_prefix(wanted, groups[i], VD_GROUP_BYTES) || strcasecmp(wanted, vd_group_name(group)) == 0) {
			*chosen = i;
			hits++;
		}
		vd_group_free(group);
	}
	if (hits == 0)
		return vd_refuse(cli, VD_EXIT_USAGE, "usage", VD_MSG_HINT_WHICH_GROUP, VD_MSG_UNKNOWN_GROUP, wanted, NULL);
	if (hits > 1)
		return vd_refuse(cli, VD_EXIT_DECIDE, "ambiguous", VD_MSG_HINT_WHICH_GROUP, VD_MSG_WHICH_GROUP, wanted, NULL);
	return 0;
}

int vd_cli_groups(struct vd_cli *cli, uint8_t (*groups)[VD_GROUP_BYTES], size_t *count)
{
	size_t chosen = 0;
	int rc = vd_cli_open(cli);

	if (rc)
		return rc;
	rc = vd_store_groups(cli->store, groups, count);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
	if (!cli->opt.group)
		return 0;
	rc = one_group(cli, groups, *count, &chosen);
	if (rc)
		return rc;
	memmove(groups[0], groups[chosen], VD_GROUP_BYTES);
	*count = 1;
	return 0;
}

int vd_cli_group(struct vd_cli *cli, struct vd_group **out)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc = vd_cli_groups(cli, groups, &count);

	if (rc)
		return rc;
	if (count == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "no-group", VD_MSG_HINT_NO_GROUP, VD_MSG_NO_GROUP, NULL);
	if (count > 1)
		return vd_misuse(cli, VD_MSG_HINT_WHICH_GROUP, VD_MSG_WHICH_GROUP, NULL);
	rc = vd_store_group(cli->store, groups[0], out);
	return rc ? vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL) : 0;
}

int vd_cli_find_id(void *ctx, const char *prefix, struct vd_id *out)
{
	struct vd_cli *cli = ctx;
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t arrival, received_ms;
	int rc = vd_store_find_prefix(cli->store, prefix, &arrival);

	if (!rc)
		rc = vd_store_read(cli->store, arrival, &raw, &record, &received_ms);
	if (!rc)
		*out = record.id;
	vd_buf_deinit(&raw);
	return rc;
}

int vd_cli_query_failed(struct vd_cli *cli, int err)
{
	if (err == VD_EDAMAGED)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_CHECK_BAD, VD_MSG_RECORDS_DAMAGED, NULL);
	return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_QUERY_FAILED, NULL);
}

int vd_cli_record(struct vd_cli *cli, const char *prefix, struct vd_id *id, uint64_t *arrival, uint64_t *time_ms)
{
	struct vd_buf raw = { 0 };
	struct vd_record record;
	uint64_t at = 0, received_ms;
	size_t n = strlen(prefix);
	int rc = vd_cli_open(cli);

	if (rc)
		return rc;
	if (n < 6 || n > 2 * VD_ID_BYTES || strspn(prefix, "0123456789abcdefABCDEF") != n)
		return vd_misuse(cli, VD_MSG_HINT_ID, VD_MSG_BAD_ID, prefix, NULL);
	rc = vd_store_find_prefix(cli->store, prefix, &at);
	if (!rc)
		rc = vd_store_read(cli->store, at, &raw, &record, &received_ms);
	if (!rc) {
		*id = record.id;
		if (arrival)
			*arrival = at;
		if (time_ms)
			*time_ms = record.time_ms;
	}
	vd_buf_deinit(&raw);
	return rc ? vd_fail(cli, rc, rc == VD_ENOTFOUND ? VD_MSG_HINT_NO_SUCH_RECORD : VD_MSG_NONE, VD_MSG_NO_SUCH_RECORD, prefix, NULL) : 0;
}

/* Adds to the hits those members of one group that the word names; hits of one person count once. */
static void match_members(struct vd_group *group, const char *name, uint8_t person[VD_PERSON_BYTES], size_t *hits)
{
	for (size_t i = 0; i < vd_group_device_count(group); i++) {
		const struct vd_device *d = vd_group_device(group, i);

		if (strcasecmp(name, d->name) != 0 && !vd_cli_is_prefix(name, d->author, VD_KEY_BYTES) &&
		    !vd_cli_is_prefix(name, d->person, VD_PERSON_BYTES))
			continue;
		if (*hits && memcmp(person, d->person, VD_PERSON_BYTES) == 0)
			continue;
		memcpy(person, d->person, VD_PERSON_BYTES);
		++*hits;
	}
}

int vd_cli_member(struct vd_cli *cli, const char *name, uint8_t person[VD_PERSON_BYTES])
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0, hits = 0;
	int rc = vd_cli_groups(cli, groups, &count);
	bool courier = false;

	for (size_t i = 0; !rc && i < count; i++) {
		struct vd_group *group = NULL;

		rc = vd_store_group(cli->store, groups[i], &group);
		if (rc)
			return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
		courier |= vd_group_role(group) == VD_ROLE_COURIER;
		match_members(group, name, person, &hits);
		vd_group_free(group);
	}
	if (rc || hits == 1)
		return rc;
	if (hits == 0)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", courier ? VD_MSG_HINT_MEMBER_COURIER : VD_MSG_HINT_MEMBER, VD_MSG_UNKNOWN_MEMBER, name,
		                 NULL);
	return vd_refuse(cli, VD_EXIT_DECIDE, "ambiguous", VD_MSG_HINT_AMBIGUOUS_MEMBER, VD_MSG_AMBIGUOUS_MEMBER, name, NULL);
}

/* Who reads "alerta" in a list types it. */
static const char *nearest_kind(const char *kind)
{
	const char *names[32];
	size_t n = 0;

	for (size_t i = 0; i < vd_kind_count; i++)
		if (vd_slice_eq(vd_label_kind(VD_LANG_ES, vd_slice_str(vd_kinds[i].name)), vd_slice_str(kind)))
			return vd_kinds[i].name;
	for (; n < vd_kind_count && n < 31; n++)
		names[n] = vd_kinds[n].name;
	names[n] = NULL;
	return vd_options_nearest(kind, names);
}

void vd_cli_kind_note(struct vd_cli *cli, const char *kind)
{
	const char *near;

	if (vd_kind_find(vd_slice_str(kind)))
		return;
	near = nearest_kind(kind);
	if (near)
		vd_note(cli, VD_MSG_KIND_GENERIC_MEANT, kind, near, NULL);
	else
		vd_note(cli, VD_MSG_KIND_GENERIC, kind, NULL);
}

int vd_cli_kind(struct vd_cli *cli, const char *kind)
{
	struct vd_fields fields;

	if (vd_fields_init(&fields, kind, NULL))
		return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_BAD_KIND, cli->opt.command, kind, NULL);
	vd_fields_deinit(&fields);
	vd_cli_kind_note(cli, kind);
	return 0;
}

bool vd_name_ok(const char *name)
{
	size_t n = strlen(name);

	/* What a terminal must not see must not be in a name either. */
	return n > 0 && n <= VD_NAME_MAX && vd_text_is_plain(vd_slice_str(name)) && strspn(name, " ") != n;
}

bool vd_cli_is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int vd_cli_named(struct vd_cli *cli, const char *path)
{
	return *path ? 0 : vd_misuse(cli, VD_MSG_HINT_NO_FILE_NAME, VD_MSG_NO_FILE_NAME, NULL);
}

const char *vd_cli_path_said(struct vd_cli *cli, const char *path, enum vd_msg pipe)
{
	return strcmp(path, "-") == 0 ? vd_text(cli->lang, pipe) : path;
}

int vd_cli_new_file(struct vd_cli *cli, const char *path)
{
	struct stat st;

	if (!*path)
		return vd_cli_named(cli, path);
	if (stat(path, &st) != 0 || S_ISREG(st.st_mode))
		return 0;
	return vd_misuse(cli, VD_MSG_HINT_NOT_A_FILE, VD_MSG_NOT_A_FILE, path, NULL);
}

void vd_cli_poke(struct vd_cli *cli)
{
	struct vd_buf answer = { 0 };
	int ignored = vd_ctl_request(cli->home, "poke", &answer);

	(void)ignored;
	vd_buf_deinit(&answer);
}
