/* lock, unlock, passphrase: who can read what rests on this disk. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/ctl.h"
#include "proto/err.h"
#include "lent.h"
#include "proto/sign.h"
#include "secret.h"
#include "store/file.h"
#include "store/passphrase.h"
#include "store/sealing.h"
#include "store/users.h"

enum { LOCK_MS = 10000, NOTICE_MS = 1000, STEP_MS = 20, USERS_MAX = 128 };

static bool answered(const struct vd_buf *answer, const char *word)
{
	return answer->n == strlen(word) && memcmp(answer->p, word, answer->n) == 0;
}

/* --- lock, unlock --- */

static bool stands(const char *home, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	return (size_t)snprintf(path, sizeof path, "%s/%s", home, name) < sizeof path && !lstat(path, &st);
}

/* Who used a key that was lent ends by now; who has one of their own does not. */
static void name_others(struct vd_cli *cli)
{
	int fd = vd_users_open(cli->home);
	pid_t all[USERS_MAX];
	size_t n = vd_users_list(fd, all, USERS_MAX);
	char names[USERS_MAX * 12] = "";

	for (int ms = NOTICE_MS; n && ms > 0; ms -= STEP_MS) {
		poll(NULL, 0, STEP_MS);
		n = vd_users_list(fd, all, USERS_MAX);
	}
	for (size_t i = 0; i < n; i++)
		snprintf(names + strlen(names), sizeof names - strlen(names), i ? ", %d" : "%d", (int)all[i]);
	if (n)
		vd_note(cli, VD_MSG_LOCK_OTHERS, names, NULL);
	if (fd >= 0)
		close(fd);
}

static int lock_run(struct vd_cli *cli)
{
	struct vd_buf answer = { 0 };
	pid_t daemon = 0;
	int rc = vd_ctl_request_within(cli->home, "lock", LOCK_MS, &answer, &daemon), code = VD_EXIT_DONE;
	bool store = rc != VD_ENOTFOUND || stands(cli->home, "data.mdb");

	if (!store && !stands(cli->home, "vault"))
		code = vd_cli_open_failed(cli, VD_ENOSTORE);
	else if (rc == VD_EAGAIN && stands(cli->home, "vault"))
		code = vd_refuse(cli, VD_EXIT_BUSY, "busy", VD_MSG_HINT_LOCK_STOPPED, VD_MSG_LOCK_STOPPED, daemon > 0 ? vd_num(cli, (uint64_t)daemon) : "?", NULL);
	else if (rc == VD_ENOTFOUND && !stands(cli->home, "vault"))
		code = vd_refuse(cli, VD_EXIT_FAILED, "readable", VD_MSG_HINT_LOCK_READABLE, VD_MSG_LOCK_READABLE, NULL);
	else if (rc == VD_ENOTFOUND)
		code = vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_LOCK_NO_DAEMON, VD_MSG_LOCK_NO_DAEMON, NULL);
	else if (rc)
		code = vd_fail(cli, rc, VD_MSG_HINT_LOCK_FAILED, VD_MSG_LOCK_FAILED, NULL);
	else if (answered(&answer, "error: readable"))
		code = vd_refuse(cli, VD_EXIT_FAILED, "readable", VD_MSG_HINT_LOCK_READABLE, VD_MSG_LOCK_READABLE, NULL);
	else if (!answered(&answer, "ok"))
		code = vd_refuse(cli, VD_EXIT_FAILED, "failed", VD_MSG_HINT_LOCK_FAILED, VD_MSG_LOCK_FAILED, NULL);
	else if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:b}", "locked", true));
	else
		vd_say(cli, VD_MSG_LOCK_DONE, NULL);
	if (!code || (rc == VD_ENOTFOUND && code == VD_EXIT_UNREACHABLE))
		name_others(cli);
	vd_buf_deinit(&answer);
	return code;
}

const struct vd_command vd_command_lock = {
	.syntax = { "lock", { VD_OPT_NONE } },
	.run = lock_run, .summary = VD_MSG_SUM_LOCK, .help = VD_MSG_HELP_LOCK,
};

static int give_key(struct vd_cli *cli, struct vd_buf *answer)
{
	const uint8_t *key = vd_vault_key(vd_store_vault(cli->store));
	char line[sizeof "unlock " + 2 * VD_VAULT_KEY_BYTES] = "unlock ";
	int rc;

	vd_hex(line + strlen(line), key, VD_VAULT_KEY_BYTES);
	rc = vd_ctl_request(cli->home, line, answer);
	sodium_memzero(line, sizeof line);
	return rc;
}

static int unlock_run(struct vd_cli *cli)
{
	struct vd_buf answer = { 0 };
	int rc, code = vd_cli_open(cli);

	if (code)
		return code;
	if (vd_store_readable(cli->store))
		return vd_refuse(cli, VD_EXIT_FAILED, "readable", VD_MSG_HINT_LOCK_READABLE, VD_MSG_LOCK_READABLE, NULL);
	rc = give_key(cli, &answer);
	if (rc == VD_ENOTFOUND)
		code = vd_refuse(cli, VD_EXIT_UNREACHABLE, "unreachable", VD_MSG_HINT_UNLOCK_NO_DAEMON, VD_MSG_UNLOCK_NO_DAEMON, NULL);
	else if (rc || !answered(&answer, "ok"))
		code = vd_refuse(cli, VD_EXIT_FAILED, "failed", VD_MSG_HINT_UNLOCK_FAILED, VD_MSG_UNLOCK_FAILED, NULL);
	else if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:b}", "locked", false));
	else
		vd_say(cli, VD_MSG_UNLOCK_DONE, NULL);
	vd_buf_deinit(&answer);
	return code;
}

const struct vd_command vd_command_unlock = {
	.syntax = { "unlock", { VD_OPT_NONE } },
	.run = unlock_run, .summary = VD_MSG_SUM_UNLOCK, .help = VD_MSG_HELP_UNLOCK,
};

/* --- passphrase --- */

/* The key file of that name, made of random bytes when there is none. */
static int take_token(struct vd_cli *cli, const char *path, struct vd_buf *out)
{
	uint8_t *room = vd_buf_extend(out, VD_VAULT_TOKEN_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
	ssize_t n;

	if (!room)
		return vd_fail(cli, VD_ENOMEM, VD_MSG_NONE, VD_MSG_TOKEN_FAILED, path, NULL);
	if (fd < 0 && errno == ENOENT) {
		uint8_t fresh[2 * VD_VAULT_TOKEN_MIN];

		randombytes_buf(fresh, sizeof fresh);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			errno = ENOSPC; /* of a write that is cut short */
		if (fd < 0 || write(fd, fresh, sizeof fresh) != sizeof fresh || fsync(fd) || lseek(fd, 0, SEEK_SET))
			rc = vd_file_errno(errno);
		if (rc && fd >= 0)
			unlink(path); /* half a key file would be in the way of the next try */
		sodium_memzero(fresh, sizeof fresh);
	} else if (fd < 0) {
		rc = vd_file_errno(errno);
	}
	n = rc ? 0 : read(fd, room, VD_VAULT_TOKEN_MAX);
	if (n < 0)
		rc = vd_file_errno(errno);
	if (fd >= 0)
		close(fd);
	if (!rc && n < VD_VAULT_TOKEN_MIN)
		rc = VD_EINVAL;
	out->n = rc ? 0 : (size_t)n;
	return rc ? vd_fail(cli, rc, VD_MSG_HINT_TOKEN, VD_MSG_TOKEN_FAILED, path, NULL) : 0;
}

/* A new secret: what is asked for, or given by file. Fills *room, which *secret borrows. */
static int new_secret(struct vd_cli *cli, struct vd_buf *room, struct vd_secret *secret, struct vd_vault_cost *cost)
{
	const char *token = vd_options_get(&cli->opt, VD_OPT_TOKEN), *path = vd_options_get(&cli->opt, VD_OPT_NEW_PASSPHRASE_FILE);
	int code;

	*secret = (struct vd_secret){ 0 };
	if (token) {
		code = take_token(cli, token, room);
		secret->token = vd_buf_slice(room);
		return code;
	}
	code = vd_secret_new(cli, path, VD_MSG_ASK_NEW, room);
	secret->passphrase = vd_buf_slice(room);
	if (!code)
		vd_passphrase_measure(cost);
	return code;
}

/* Neither table is whole: one may still open it, and nothing can be written from them. */
static int slots_torn(struct vd_cli *cli)
{
	return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLOTS_HALF_TORN, VD_MSG_SLOTS_UNLISTED, NULL);
}

static int list_slots(struct vd_cli *cli)
{
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	json_t *list = json_array();
	size_t passphrases = 0;
	int rc = vd_vault_slots(cli->home, kinds);

	if (rc == VD_ENOTFOUND) {
		json_decref(list);
		return vd_refuse(cli, VD_EXIT_FAILED, "readable", VD_MSG_HINT_LOCK_READABLE, VD_MSG_LOCK_READABLE, NULL);
	}
	if (rc == VD_EDAMAGED && vd_vault_slots_state(cli->home) == VD_SLOTS_GONE) {
		json_decref(list);
		return vd_cli_open_failed(cli, rc);
	}
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++) {
		bool token = kinds[i] == VD_SLOT_TOKEN;

		if (kinds[i] == VD_SLOT_FREE)
			continue;
		passphrases += !token;
		json_array_append_new(list, json_pack("{s:i,s:s}", "slot", (int)i + 1, "kind", token ? "token" : "passphrase"));
		if (!cli->opt.json)
			vd_say(cli, token ? VD_MSG_SLOT_TOKEN : VD_MSG_SLOT_PASSPHRASE, vd_num(cli, i + 1), NULL);
	}
	if (!rc && cli->opt.json)
		vd_say_json(cli, json_pack("{s:O}", "slots", list));
	json_decref(list);
	if (rc == VD_EDAMAGED)
		return slots_torn(cli);
	if (!rc && passphrases > 1)
		vd_note(cli, VD_MSG_SLOTS_MANY, vd_num(cli, passphrases), NULL);
	return rc ? vd_cli_open_failed(cli, rc) : VD_EXIT_DONE;
}

static int remove_slot(struct vd_cli *cli, const char *number)
{
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	size_t passphrases = 0;
	char *end;
	long slot = strtol(number, &end, 10);
	int rc = vd_vault_slots(cli->home, kinds);

	if (*end || end == number || slot < 1 || slot > VD_VAULT_SLOTS)
		return vd_misuse(cli, VD_MSG_HINT_SLOT_NONE, VD_MSG_SLOT_NONE, number, NULL);
	for (size_t i = 0; !rc && i < VD_VAULT_SLOTS; i++)
		passphrases += kinds[i] == VD_SLOT_PASSPHRASE;
	/* A token alone is lost too easily, and with it everything. */
	if (!rc && kinds[slot - 1] == VD_SLOT_PASSPHRASE && passphrases == 1)
		rc = VD_EINVAL;
	if (!rc)
		rc = vd_vault_slot_remove(cli->home, (size_t)slot - 1);
	if (rc == VD_EINVAL)
		return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_LAST_SLOT, VD_MSG_LAST_SLOT, number, NULL);
	if (rc == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_FAILED, "not-found", VD_MSG_HINT_SLOT_NONE, VD_MSG_SLOT_NONE, number, NULL);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_PASSPHRASE_FAILED, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:i}", "removed", (int)slot));
	else
		vd_say(cli, VD_MSG_SLOT_REMOVED, number, NULL);
	return VD_EXIT_DONE;
}

static int said(struct vd_cli *cli, enum vd_msg msg, size_t slot)
{
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:i}", "slot", (int)slot + 1));
	else
		vd_say(cli, msg, vd_num(cli, slot + 1), NULL);
	return VD_EXIT_DONE;
}

/* A readable store is sealed where it stands. */
static int seal_store(struct vd_cli *cli)
{
	struct vd_vault_cost cost = { 0 };
	struct vd_buf room = { 0 };
	struct vd_secret secret;
	int rc, code;

	vd_lent_stop();
	vd_store_close(cli->store);
	cli->store = NULL;
	code = new_secret(cli, &room, &secret, &cost);
	if (!code) {
		rc = vd_store_seal(cli->home, &secret, &cost);
		if (rc == VD_EBUSY)
			code = vd_fail(cli, rc, VD_MSG_HINT_SEAL_BUSY, VD_MSG_SEAL_FAILED, NULL);
		else if (rc)
			code = vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_SEAL_FAILED, NULL);
		else
			code = said(cli, VD_MSG_SEAL_DONE, 0);
	}
	vd_buf_wipe(&room);
	return code;
}

/* The slot that the old passphrase opens goes when the new one stands: typed or given, not lent, so that who finds the machine unlocked
 * cannot lock its owner out. */
static int old_slot(struct vd_cli *cli, size_t *slot)
{
	struct vd_buf old = { 0 };
	struct vd_secret secret;
	int rc, code = vd_secret_given(cli, &old);

	if (!code && !old.n)
		code = vd_secret_ask(cli, VD_MSG_ASK_PASSPHRASE, false, &old);
	if (code)
		return code;
	secret = (struct vd_secret){ .passphrase = vd_buf_slice(&old) };
	rc = vd_vault_slot_of(cli->home, &secret, slot);
	if (!rc && !cli->store)
		rc = vd_store_open_with(cli->home, &secret, &cli->store);
	vd_buf_wipe(&old);
	if (rc == VD_EKEY)
		return vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_PASSPHRASE_WRONG, VD_MSG_PASSPHRASE_WRONG, NULL);
	return rc ? vd_cli_open_failed(cli, rc) : 0;
}

static int change(struct vd_cli *cli, bool add)
{
	struct vd_vault_cost cost = { 0 };
	struct vd_buf room = { 0 };
	struct vd_secret secret;
	size_t old = 0, slot = 0;
	int rc, code = old_slot(cli, &old);

	if (!code)
		code = new_secret(cli, &room, &secret, &cost);
	if (!code) {
		rc = add ? vd_vault_slot_add(cli->home, vd_store_vault(cli->store), &secret, &cost, &slot)
		         : vd_vault_slot_change(cli->home, vd_store_vault(cli->store), old, &secret, &cost, &slot);
		if (rc == VD_EDAMAGED)
			code = slots_torn(cli);
		else if (rc == VD_ECAP)
			code = vd_refuse(cli, VD_EXIT_FAILED, "slots-full", VD_MSG_HINT_SLOTS_FULL, VD_MSG_SLOTS_FULL, NULL);
		else if (rc)
			code = vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_PASSPHRASE_FAILED, NULL);
		else
			code = said(cli, secret.token.n ? VD_MSG_TOKEN_ADDED : add ? VD_MSG_PASSPHRASE_ADDED : VD_MSG_PASSPHRASE_CHANGED, slot);
	}
	vd_buf_wipe(&room);
	return code;
}

static int passphrase_run(struct vd_cli *cli)
{
	const char *removed = vd_options_get(&cli->opt, VD_OPT_REMOVE), *token = vd_options_get(&cli->opt, VD_OPT_TOKEN);
	enum vd_slot_kind kinds[VD_VAULT_SLOTS];
	int rc = vd_sign_selftest();

	if (rc)
		return vd_cli_open_failed(cli, rc);
	if (vd_options_get(&cli->opt, VD_OPT_LIST))
		return list_slots(cli);
	if (vd_vault_slots(cli->home, kinds) == VD_ENOTFOUND) {
		bool given = cli->opt.passphrase_file || cli->opt.passphrase_fd;

		if (given) /* there is no old one */
			return vd_misuse(cli, VD_MSG_HINT_NOT_SEALED, VD_MSG_NOT_SEALED, cli->home, NULL);
		rc = vd_cli_open(cli);
		return rc ? rc : seal_store(cli);
	}
	if (removed) {
		size_t opened;

		rc = old_slot(cli, &opened);
		return rc ? rc : remove_slot(cli, removed);
	}
	return change(cli, token || vd_options_get(&cli->opt, VD_OPT_ADD));
}

const struct vd_command vd_command_passphrase = {
	.syntax = { "passphrase", { VD_OPT_ADD, VD_OPT_TOKEN, VD_OPT_REMOVE, VD_OPT_LIST, VD_OPT_NEW_PASSPHRASE_FILE } },
	.run = passphrase_run, .summary = VD_MSG_SUM_PASSPHRASE, .help = VD_MSG_HELP_PASSPHRASE,
};
