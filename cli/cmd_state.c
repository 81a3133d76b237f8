/* init, check, version: the store as a whole. */
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "admin.h"
#include "daemon/link_tcp.h"
#include "proto/err.h"
#include "proto/sign.h"
#include "proto/vereda.h"
#include "secret.h"
#include "store/passphrase.h"
#include "store/salvage.h"
#include "store/wipe.h"
#include "times.h"

/* What is to seal the store. Nobody gets a readable one without having said so. */
static int new_passphrase(struct vd_cli *cli, struct vd_buf *out)
{
	struct stat st;
	char file[4096 + 16];
	int code;

	snprintf(file, sizeof file, "%s/data.mdb", cli->home);
	if (stat(file, &st) == 0)
		return vd_cli_taken(cli, VD_MSG_HINT_INIT_EXISTS, VD_MSG_INIT_EXISTS);
	code = vd_secret_given(cli, out);
	if (!code && out->n)
		return vd_secret_fits(cli, out);
	if (!code && !vd_can_ask(cli))
		return vd_misuse(cli, VD_MSG_HINT_INIT_HOW, VD_MSG_INIT_HOW, NULL);
	return code ? code : vd_secret_ask(cli, VD_MSG_ASK_FIRST, true, out);
}

/* Room for the store, and none to open it: nobody shall find one that nobody was told of. */
static void unmake(const char *home)
{
	struct vd_wipe wipe;

	if (vd_wipe_prepare(home, &wipe))
		return;
	(void)(vd_wipe_keys(&wipe) && vd_wipe_rest(&wipe));
	vd_wipe_release(&wipe);
}

static int init_run(struct vd_cli *cli)
{
	const char *name = vd_options_get(&cli->opt, VD_OPT_NAME);
	uint8_t device[VD_STORE_DEVICE_BYTES];
	char stored[VD_DEVICE_NAME_MAX + 1];
	struct vd_buf passphrase = { 0 };
	struct vd_vault_cost cost = { 0 };
	struct vd_secret secret;
	struct stat st;
	bool sealed;
	int rc;

	/* A group that this device founds knows it by this name. */
	rc = name ? vd_cli_new_name(cli, name) : 0;
	if (rc)
		return rc;
	if (vd_options_get(&cli->opt, VD_OPT_NO_PASSPHRASE) && (cli->opt.passphrase_file || cli->opt.passphrase_fd))
		return vd_misuse(cli, VD_MSG_HINT_INIT_HOW, VD_MSG_INIT_BOTH, NULL);
	rc = vd_sign_selftest();
	if (!rc && !vd_options_get(&cli->opt, VD_OPT_NO_PASSPHRASE)) {
		int code = new_passphrase(cli, &passphrase);

		if (code)
			return code;
		vd_passphrase_measure(&cost);
	}
	secret = (struct vd_secret){ .passphrase = vd_buf_slice(&passphrase) };
	if (!rc)
		rc = vd_store_create_with(cli->home, name ? name : "", passphrase.n ? &secret : NULL, &cost);
	if (!rc) {
		rc = vd_store_open_with(cli->home, passphrase.n ? &secret : NULL, &cli->store);
		if (rc)
			unmake(cli->home);
	}
	sealed = passphrase.n > 0;
	vd_buf_wipe(&passphrase);
	if (rc == VD_EEXISTS)
		return vd_cli_taken(cli, VD_MSG_HINT_INIT_EXISTS, VD_MSG_INIT_EXISTS);
	if (rc && stat(cli->home, &st) == 0 && !S_ISDIR(st.st_mode))
		return vd_misuse(cli, VD_MSG_HINT_HOME_FILE, VD_MSG_HOME_FILE, cli->home, NULL);
	if (rc == VD_EINVAL)
		return vd_cli_open_failed(cli, rc);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_NONE, VD_MSG_INIT_FAILED, cli->home, NULL);
	vd_store_device(cli->store, device, stored);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:b}", "device", vd_json_hex(device, sizeof device), "home",
		                           vd_json_text(vd_slice_str(cli->home)), "sealed", sealed));
	else
		vd_say(cli, VD_MSG_INIT_DONE, cli->home, NULL);
	if (sealed)
		vd_note(cli, VD_MSG_INIT_SEALED, NULL);
	return VD_EXIT_DONE;
}

const struct vd_command vd_command_init = {
	.syntax = { "init", { VD_OPT_NAME, VD_OPT_NO_PASSPHRASE } },
	.run = init_run, .summary = VD_MSG_SUM_INIT, .help = VD_MSG_HELP_INIT,
};

/* A database that cannot be opened is built anew from what can be read of it. */
static int salvage_with(struct vd_cli *cli, const struct vd_secret *secret, struct vd_salvage *saved)
{
	int rc = vd_store_salvage(cli->home, secret, vd_time_now_ms(), saved);

	if (rc == VD_EEXISTS)
		return 0;
	if (rc == VD_EBUSY)
		return vd_fail(cli, rc, VD_MSG_HINT_SALVAGE_BUSY, VD_MSG_CHECK_FAILED, NULL);
	if (rc == VD_ENOTFOUND)
		return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_STORE_DAMAGED, VD_MSG_STORE_DAMAGED, cli->home, NULL);
	if (rc)
		return vd_cli_open_failed(cli, rc);
	if (!cli->opt.json)
		vd_say(cli, VD_MSG_STORE_SALVAGED, vd_num(cli, saved->records), saved->kept, NULL);
	return 0;
}

/* A sealed one is open after that: the passphrase is asked for once. */
static int salvage(struct vd_cli *cli, struct vd_salvage *saved)
{
	struct vd_vault *vault = NULL;
	struct vd_secret secret = { 0 };
	int rc;

	if (!vd_vault_exists(cli->home))
		return salvage_with(cli, NULL, saved);
	rc = vd_secret_vault(cli, &vault);
	if (rc)
		return rc;
	secret.key = vd_vault_key(vault);
	rc = salvage_with(cli, &secret, saved);
	if (!rc)
		rc = vd_cli_open_with(cli, &secret);
	vd_vault_free(vault);
	return rc;
}

/* The file with the key slots, which stands twice. True: one of the two is not whole. */
static bool half_slots(struct vd_cli *cli)
{
	enum vd_slots_state state = vd_vault_slots_state(cli->home);

	return state == VD_SLOTS_HALF || state == VD_SLOTS_TORN;
}

/* A repair that could not keep everything ends with that word. */
static int say_lost(struct vd_cli *cli, const struct vd_salvage *saved)
{
	if (!saved->lost)
		return VD_EXIT_DONE;
	return vd_refuse(cli, VD_EXIT_PARTLY, "lost", VD_MSG_HINT_CHECK_LOST, VD_MSG_CHECK_LOST, vd_num(cli, saved->lost), vd_num(cli, saved->lost_own), NULL);
}

static int check_run(struct vd_cli *cli)
{
	bool repair = vd_options_get(&cli->opt, VD_OPT_REPAIR) != NULL;
	struct vd_check result = { 0 };
	struct vd_salvage saved = { 0 };
	bool half;
	int rc = vd_sign_selftest();

	if (rc)
		return vd_cli_open_failed(cli, rc);
	rc = repair ? salvage(cli, &saved) : 0;
	if (!rc)
		rc = vd_cli_open(cli);
	if (rc)
		return rc;
	half = half_slots(cli);
	rc = half && repair ? vd_vault_slots_rewrite(cli->home) : 0;
	if (rc)
		return vd_fail(cli, rc, rc == VD_EDAMAGED ? VD_MSG_HINT_SLOTS_HALF_TORN : VD_MSG_NONE, VD_MSG_SLOTS_HALF, NULL);
	if (half && repair && !cli->opt.json)
		vd_say(cli, VD_MSG_SLOTS_REWRITTEN, NULL);
	rc = vd_check(cli->store, repair, &result);
	/* Not even counted: nothing that --repair could do. */
	if (rc && (rc != VD_EDAMAGED || (result.bad == 0 && result.derived_bad == 0)))
		return vd_fail(cli, rc, rc == VD_EDAMAGED ? VD_MSG_HINT_STORE_DAMAGED : VD_MSG_NONE, VD_MSG_CHECK_FAILED, NULL);
	if (!rc && !result.bad)
		vd_cli_tend_due(cli);
	if (!rc && repair) {
		saved.lost_own += result.own_missing < result.bad ? result.own_missing : result.bad;
		saved.lost += result.bad;
	}
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", "salvaged", vd_json_number(saved.records), "lost", vd_json_number(saved.lost),
		                           "lost_own", vd_json_number(saved.lost_own), "records", vd_json_number(result.records), "bad",
		                           vd_json_number(result.bad), "repaired", vd_json_number(result.repaired), "derived_bad",
		                           vd_json_number(result.derived_bad), "slots_damaged", half));
	if (!rc && result.bad == 0 && result.derived_bad == 0) {
		if (half && !repair)
			return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_SLOTS_HALF, VD_MSG_SLOTS_HALF, NULL);
		if (!cli->opt.json)
			vd_say(cli, VD_MSG_CHECK_GOOD, vd_num(cli, result.records), NULL);
		return say_lost(cli, &saved);
	}
	if (!rc && repair) {
		if (!cli->opt.json)
			vd_say(cli, VD_MSG_CHECK_REPAIRED, vd_num(cli, result.records), vd_num(cli, result.repaired),
			       vd_num(cli, result.bad), NULL);
		return say_lost(cli, &saved);
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
