/* wipe: makes the store unreadable for ever. */
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "daemon/ctl.h"
#include "proto/err.h"
#include "store/users.h"
#include "store/vault.h"
#include "store/wipe.h"

enum {
	DAEMON_MS = 2000,   /* for its answer */
	NOTICE_MS = 1500,   /* commands look every half second whether they may go on */
	KILL_MS = 1000,
	STEP_MS = 10,
	USERS_MAX = 128,    /* LMDB has room for 126 */
	SHOWN = 5,          /* names of files */
};

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
static int wipe_failed(struct vd_cli *cli, bool read_only, bool memory)
{
	if (!read_only)
		return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_WIPE_FAILED, VD_MSG_WIPE_FAILED, cli->home, NULL);
	if (memory)
		vd_note(cli, VD_MSG_WIPE_MEMORY, NULL);
	return vd_refuse(cli, VD_EXIT_NO_SPACE, "medium", VD_MSG_HINT_WIPE_READ_ONLY,
	                 vd_vault_exists(cli->home) ? VD_MSG_WIPE_READ_ONLY_SEALED : VD_MSG_WIPE_READ_ONLY, cli->home, NULL);
}

/* What stays in the folder, as names with commas between; how many there are. */
static size_t others(struct vd_cli *cli, struct vd_buf *names, json_t *list)
{
	DIR *dir = opendir(cli->home);
	struct dirent *e;
	size_t n = 0;

	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (n++ < SHOWN) {
			vd_buf_put_slice(names, vd_slice_str(n > 1 ? ", " : ""));
			vd_buf_put_slice(names, vd_slice_str(e->d_name));
		}
		if (list)
			json_array_append_new(list, vd_json_text(vd_slice_str(e->d_name)));
	}
	if (dir)
		closedir(dir);
	if (n > SHOWN)
		vd_buf_put_slice(names, vd_slice_str(", …"));
	vd_buf_put_u8(names, 0);
	return n;
}

/* Nobody shall believe that a store is gone which stands elsewhere. */
static int nothing_to_wipe(struct vd_cli *cli)
{
	struct vd_buf names = { 0 };
	struct stat st;
	int code;

	if (stat(cli->home, &st) || !S_ISDIR(st.st_mode))
		code = vd_cli_open_failed(cli, VD_ENOSTORE);
	else if (!others(cli, &names, NULL))
		code = vd_refuse(cli, VD_EXIT_NO_STORE, "no-store", VD_MSG_HINT_WIPE_NOTHING, VD_MSG_WIPE_EMPTY, cli->home, NULL);
	else
		code = vd_refuse(cli, VD_EXIT_NO_STORE, "no-store", VD_MSG_HINT_WIPE_NOTHING, VD_MSG_WIPE_NO_STORE, cli->home, NULL);
	vd_buf_deinit(&names);
	return code;
}

/* --- who still has keys in memory --- */

static bool ends_within(pid_t pid, int ms)
{
	for (; vd_ctl_process(pid) != VD_CTL_ENDED; ms -= STEP_MS) {
		if (ms <= 0)
			return false;
		poll(NULL, 0, STEP_MS);
	}
	return true;
}

/* What it has in memory goes with it: the kernel clears its pages. */
static bool kill_it(pid_t pid)
{
	return (!kill(pid, SIGKILL) || errno == ESRCH) && ends_within(pid, KILL_MS);
}

struct memory {
	bool daemon;      /* one ran */
	size_t ended;     /* other processes that had the database open */
	pid_t held;       /* one that could not be ended; -1: that cannot be named; 0: none */
};

static void end_daemon(struct vd_cli *cli, struct memory *m, pid_t *daemon)
{
	struct vd_buf answer = { 0 };
	int rc = vd_ctl_request_within(cli->home, "wipe", DAEMON_MS, &answer, daemon);

	vd_buf_deinit(&answer);
	m->daemon = rc != VD_ENOTFOUND;
	if (*daemon <= 0 || *daemon == getpid() || ends_within(*daemon, rc ? 0 : KILL_MS))
		return;
	/* It does not answer: the panic signal reaches it in the middle of anything, unless it is stopped. */
	if (vd_ctl_process(*daemon) != VD_CTL_STOPPED && !kill(*daemon, SIGUSR2) && ends_within(*daemon, KILL_MS))
		return;
	if (!kill_it(*daemon))
		m->held = *daemon;
}

static bool runs(const pid_t *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (all[i] > 0 && vd_ctl_process(all[i]) == VD_CTL_RUNS)
			return true;
	return false;
}

/* Commands notice by themselves that the slots are gone; who does not, or has stopped, is ended. */
static void end_others(struct memory *m, int users, pid_t daemon)
{
	pid_t all[USERS_MAX];
	size_t found = vd_users_list(users, all, USERS_MAX), n = 0;

	for (size_t i = 0; i < found; i++)
		if (all[i] != getpid() && (all[i] != daemon || !daemon))
			all[n++] = all[i];
	for (int ms = NOTICE_MS; ms > 0 && runs(all, n); ms -= STEP_MS)
		poll(NULL, 0, STEP_MS);
	for (size_t i = 0; i < n; i++) {
		if (all[i] > 0 && (ends_within(all[i], 0) || kill_it(all[i])))
			m->ended++;
		else
			m->held = all[i] ? all[i] : -1;
	}
}

static void say_done(struct vd_cli *cli, const struct memory *m)
{
	struct vd_buf names = { 0 };
	json_t *left = cli->opt.json ? json_array() : NULL;
	size_t n = others(cli, &names, left);

	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:b,s:o,s:o}", "wiped", true, "home", vd_json_text(vd_slice_str(cli->home)), "left", left));
	else
		vd_say(cli, VD_MSG_WIPE_DONE, cli->home, NULL);
	if (n && !names.failed)
		vd_note(cli, VD_MSG_WIPE_OTHERS, cli->home, (const char *)names.p, NULL);
	if (m->ended)
		vd_note(cli, VD_MSG_WIPE_ENDED, vd_num(cli, m->ended), NULL);
	vd_note(cli, VD_MSG_WIPE_FLASH, NULL);
	vd_buf_deinit(&names);
}

/* Asks for no passphrase: whoever must wipe has no time for it, and who may delete the folder needs none. */
static int wipe_run(struct vd_cli *cli)
{
	struct memory m = { .held = 0 };
	struct vd_wipe wipe;
	bool keys, read_only, clean;
	pid_t daemon;
	int users, rc = vd_wipe_prepare(cli->home, &wipe), code;

	if (rc)
		return rc == VD_ENOSTORE ? nothing_to_wipe(cli) : vd_cli_open_failed(cli, rc);
	code = confirm_wipe(cli);
	if (code)
		goto done;
	read_only = can_only_be_read(cli->home);
	keys = vd_wipe_keys(&wipe); /* first of all: nobody is waited for */
	users = vd_users_open(cli->home);
	end_daemon(cli, &m, &daemon);
	end_others(&m, users, daemon);
	if (users >= 0)
		close(users);
	/* Only to us perhaps: the daemon could write. */
	keys = vd_wipe_keys(&wipe) || keys;
	clean = vd_wipe_rest(&wipe);
	if (!keys || !clean) {
		code = wipe_failed(cli, read_only, m.daemon && !m.held);
	} else {
		say_done(cli, &m);
		code = VD_EXIT_DONE;
	}
	if (m.held)
		code = vd_refuse(cli, code ? (enum vd_exit)code : VD_EXIT_PARTLY, "held", VD_MSG_HINT_WIPE_HELD, VD_MSG_WIPE_HELD,
		                 m.held > 0 ? vd_num(cli, (uint64_t)m.held) : "?", NULL);
done:
	vd_wipe_release(&wipe);
	return code;
}

const struct vd_command vd_command_wipe = {
	.syntax = { "wipe", { VD_OPT_NONE } },
	.run = wipe_run, .summary = VD_MSG_SUM_WIPE, .help = VD_MSG_HELP_WIPE,
};
