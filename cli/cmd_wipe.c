/* wipe: makes the store unreadable for ever. */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "admin.h"
#include "daemon/ctl.h"
#include "proto/err.h"
#include "store/vault.h"
#include "store/wipe.h"

static int confirm_wipe(struct vd_cli *cli)
{
	const char *word = vd_text(cli->lang, VD_MSG_WIPE_WORD);
	char typed[64];

	if (cli->opt.yes)
		return 0;
	vd_note(cli, VD_MSG_WIPE_WHAT, cli->home, NULL);
	if (vd_can_ask(cli) && vd_ask(cli, false, typed, sizeof typed, VD_MSG_WIPE_ASK, word, NULL) && strcasecmp(typed, word) == 0)
		return 0;
	return vd_refuse(cli, VD_EXIT_DECIDE, "conflict", VD_MSG_HINT_WIPE_YES, VD_MSG_WIPE_UNCONFIRMED, NULL);
}

/* Only what stood read-only from the start has lost nothing. */
static bool can_only_be_read(const char *home)
{
	return access(home, W_OK) && errno == EROFS;
}

/* What VD_EIO says elsewhere, that all is safe, is the bad news here. */
static int wipe_failed(struct vd_cli *cli, bool read_only, bool daemon_told)
{
	if (!read_only)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_WIPE_FAILED, VD_MSG_WIPE_FAILED, cli->home, NULL);
	if (daemon_told)
		vd_note(cli, VD_MSG_WIPE_MEMORY, NULL);
	return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_WIPE_READ_ONLY,
	                 vd_vault_exists(cli->home) ? VD_MSG_WIPE_READ_ONLY_SEALED : VD_MSG_WIPE_READ_ONLY, cli->home, NULL);
}

/* Asks for no passphrase: whoever must wipe has no time for it, and who may delete the folder needs none. */
static int wipe_run(struct vd_cli *cli)
{
	struct vd_buf answer = { 0 };
	struct vd_wipe wipe;
	bool keys, read_only, told;
	int rc, code = confirm_wipe(cli);

	if (code)
		return code;
	rc = vd_wipe_prepare(cli->home, &wipe);
	if (rc)
		return vd_cli_open_failed(cli, rc);
	read_only = can_only_be_read(cli->home);
	told = !vd_ctl_request(cli->home, "wipe", &answer); /* its memory goes with it; the files go whatever it says */
	if (told && vd_slice_eq(vd_buf_slice(&answer), vd_slice_str("ok")))
		read_only = false; /* only to us: the daemon could write */
	vd_buf_deinit(&answer);
	keys = vd_wipe_keys(&wipe);
	vd_wipe_release(&wipe);
	rc = vd_wipe_files(cli->home);
	if (!keys || rc == VD_EIO)
		return wipe_failed(cli, read_only, told);
	if (rc)
		return vd_fail(cli, rc, VD_MSG_HINT_WIPE_FAILED, VD_MSG_WIPE_FAILED, cli->home, NULL);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:b,s:o}", "wiped", true, "home", vd_json_text(vd_slice_str(cli->home))));
	else
		vd_say(cli, VD_MSG_WIPE_DONE, cli->home, NULL);
	vd_note(cli, VD_MSG_WIPE_FLASH, NULL);
	return VD_EXIT_DONE;
}

const struct vd_command vd_command_wipe = {
	.syntax = { "wipe", { VD_OPT_NONE } },
	.run = wipe_run, .summary = VD_MSG_SUM_WIPE, .help = VD_MSG_HELP_WIPE,
};
