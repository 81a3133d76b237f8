/* backup: the whole store in one sealed file; trying it; and a device back from it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin.h"
#include "proto/err.h"
#include "proto/seal.h"
#include "secret.h"
#include "store/backup.h"
#include "store/passphrase.h"
#include "times.h"

/* One run: what the backup is sealed to, or opened with. */
struct backup {
	struct vd_cli *cli;
	const char *file;
	struct vd_buf passphrase;    /* of the backup, not of a store */
	struct vd_identity paper;
	bool has_paper;
	struct vd_backup_stats stats;
};

static void backup_wipe(struct backup *b)
{
	vd_buf_wipe(&b->passphrase);
	vd_identity_wipe(&b->paper);
}

/* An interruption ends it in good order: nothing half made stays. */
static bool stop(void)
{
	return vd_interrupted();
}

static int interrupted(struct vd_cli *cli)
{
	return vd_refuse(cli, VD_EXIT_INTERRUPTED, "interrupted", VD_MSG_HINT_BACKUP_STOPPED, VD_MSG_BACKUP_STOPPED, NULL);
}

/* --- create --- */

/* The paper keys of our groups, or of the one of --group. */
static int find_papers(struct vd_cli *cli, struct vd_backup_for *to)
{
	uint8_t groups[VD_STORE_GROUPS_MAX][VD_GROUP_BYTES];
	size_t count = 0;
	int rc = vd_cli_groups(cli, groups, &count);

	for (size_t i = 0; i < count && !rc; i++) {
		struct vd_group *group;
		int err = vd_store_group(cli->store, groups[i], &group);

		if (err)
			return vd_fail(cli, err, VD_MSG_NONE, VD_MSG_GROUP_FAILED, NULL);
		for (size_t at = 0; at < vd_group_device_count(group); at++) {
			const struct vd_device *d = vd_group_device(group, at);

			if (!(d->flags & VD_GRANT_PAPER) || d->role != VD_ROLE_COORDINATOR || !vd_seal_box_ok(d->box) ||
			    to->paper_count == VD_BACKUP_PAPERS)
				continue;
			memcpy(to->papers[to->paper_count].author, d->author, VD_KEY_BYTES);
			memcpy(to->papers[to->paper_count++].box, d->box, VD_KEY_BYTES);
		}
		vd_group_free(group);
	}
	if (!rc && !to->paper_count)
		rc = vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_BACKUP_NO_PAPER, VD_MSG_BACKUP_NO_PAPER, NULL);
	return rc;
}

/* May the file go there? What is there already stays, unless --yes. */
static int check_place(struct vd_cli *cli, const char *path)
{
	int rc = strcmp(path, "-") == 0 ? vd_misuse(cli, VD_MSG_HINT_NOT_A_FILE, VD_MSG_NOT_A_FILE, path, NULL) : vd_cli_new_file(cli, path);

	if (!rc && access(path, F_OK) == 0 && !cli->opt.yes)
		rc = vd_refuse(cli, VD_EXIT_FAILED, "exists", VD_MSG_HINT_EXPORT_EXISTS, VD_MSG_EXPORT_EXISTS, path, NULL);
	return rc;
}

static void say_made(struct backup *b, enum vd_msg done)
{
	struct vd_cli *cli = b->cli;
	char when[VD_TIME_TEXT];

	vd_time_local(b->stats.made_ms, when);
	if (cli->opt.json)
		vd_say_json(cli, json_pack("{s:o,s:o,s:o,s:o}", "file", vd_json_text(vd_slice_str(b->file)), "records",
		                           vd_json_number(b->stats.records), "bytes", vd_json_number(b->stats.bytes), "made",
		                           vd_json_time(b->stats.made_ms)));
	else
		vd_say(cli, done, b->file, vd_num(cli, b->stats.records), vd_num(cli, b->stats.bytes), when, cli->home, NULL);
}

static int create_failed(struct backup *b, int err)
{
	if (err == VD_ECLOSED)
		return interrupted(b->cli);
	/* The same word says that the store is damaged, and that the stick is: create read it back. */
	return vd_fail(b->cli, err, err == VD_EDAMAGED ? VD_MSG_HINT_BACKUP_SOURCE : VD_MSG_NONE, VD_MSG_BACKUP_FAILED, b->file, NULL);
}

static int create(struct backup *b)
{
	const char *secret_file = vd_options_get(&b->cli->opt, VD_OPT_BACKUP_PASSPHRASE_FILE);
	struct vd_backup_for to = { .stop = stop };
	struct vd_cli *cli = b->cli;
	int err, rc = check_place(cli, b->file);

	if (!rc)
		rc = vd_cli_open(cli);
	if (!rc && vd_options_get(&cli->opt, VD_OPT_PAPER))
		rc = find_papers(cli, &to);
	if (!rc && (secret_file || !to.paper_count))
		rc = vd_secret_new(cli, secret_file, VD_MSG_BACKUP_ASK, &b->passphrase);
	if (rc)
		return rc;
	to.passphrase = vd_buf_slice(&b->passphrase);
	vd_interrupt_graceful(true);
	err = vd_backup_create(cli->store, &to, b->file, vd_time_now_ms(), &b->stats);
	vd_interrupt_graceful(false);
	if (err)
		return create_failed(b, err);
	say_made(b, VD_MSG_BACKUP_DONE);
	return VD_EXIT_DONE;
}

/* --- verify, restore --- */

static int open_failed(struct backup *b, int err, enum vd_msg what)
{
	struct vd_cli *cli = b->cli;

	switch (err) {
	case VD_ECLOSED: return interrupted(cli);
	case VD_EKEY:
		return b->has_paper ? vd_refuse(cli, VD_EXIT_KEY, "no-key", VD_MSG_HINT_BACKUP_PAPER_WRONG, VD_MSG_BACKUP_PAPER_WRONG, b->file, NULL)
		                    : vd_refuse(cli, VD_EXIT_KEY, "passphrase", VD_MSG_HINT_BACKUP_WRONG, VD_MSG_BACKUP_WRONG, b->file, NULL);
	case VD_ETORN: return vd_refuse(cli, VD_EXIT_INTEGRITY, "torn", VD_MSG_HINT_BACKUP_SPOILT, VD_MSG_BACKUP_TORN, b->file, NULL);
	case VD_ECAP: return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_BACKUP_SPOILT, VD_MSG_BACKUP_LONGER, b->file, NULL);
	case VD_EDAMAGED: return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_BACKUP_SPOILT, VD_MSG_BACKUP_SPOILT, b->file, NULL);
	case VD_EFORMAT: return vd_refuse(cli, VD_EXIT_INTEGRITY, "integrity", VD_MSG_HINT_BACKUP_NONE, VD_MSG_BACKUP_NONE, b->file, NULL);
	default: return vd_fail(cli, err, VD_MSG_NONE, what, b->file, NULL);
	}
}

/* The words of a paper key with --paper; else the backup's passphrase. */
static int take_key(struct backup *b, struct vd_backup_key *with)
{
	const char *secret_file = vd_options_get(&b->cli->opt, VD_OPT_BACKUP_PASSPHRASE_FILE);
	struct vd_cli *cli = b->cli;
	int rc;

	if (access(b->file, R_OK))
		return vd_fail(cli, errno == ENOENT ? VD_ENOTFOUND : VD_EDENIED, VD_MSG_NONE, VD_MSG_BACKUP_OPEN_FAILED, b->file, NULL);
	if (vd_options_get(&cli->opt, VD_OPT_PAPER)) {
		rc = vd_cli_paper(cli, &b->paper);
		b->has_paper = !rc;
	} else {
		rc = secret_file ? vd_secret_file(cli, secret_file, &b->passphrase) : vd_secret_ask(cli, VD_MSG_BACKUP_ASK, false, &b->passphrase);
	}
	*with = (struct vd_backup_key){ .passphrase = vd_buf_slice(&b->passphrase), .paper = b->has_paper ? &b->paper : NULL, .stop = stop };
	return rc;
}

static int verify(struct backup *b)
{
	const char *scratch = vd_options_get(&b->cli->opt, VD_OPT_SCRATCH), *given = getenv("TMPDIR");
	struct vd_backup_key with;
	int err, rc;

	if (!scratch)
		scratch = given && *given ? given : "/tmp";
	if (!vd_cli_is_folder(scratch))
		return vd_misuse(b->cli, VD_MSG_HINT_SCRATCH, VD_MSG_SCRATCH_NONE, scratch, NULL);
	rc = take_key(b, &with);
	if (rc)
		return rc;
	vd_interrupt_graceful(true);
	err = vd_backup_verify(b->file, &with, scratch, &b->stats);
	vd_interrupt_graceful(false);
	if (err == VD_ENOSPACE)
		return vd_fail(b->cli, err, VD_MSG_HINT_SCRATCH, VD_MSG_BACKUP_VERIFY_FAILED, b->file, NULL);
	if (err)
		return open_failed(b, err, VD_MSG_BACKUP_VERIFY_FAILED);
	say_made(b, VD_MSG_BACKUP_SOUND);
	return VD_EXIT_DONE;
}

static int home_taken(struct vd_cli *cli)
{
	return vd_cli_taken(cli, VD_MSG_HINT_BACKUP_HOME, VD_MSG_BACKUP_HOME);
}

/* What is to seal the new store: as init asks for it. */
static int new_store_secret(struct vd_cli *cli, struct vd_buf *out)
{
	int rc = vd_secret_given(cli, out);

	if (rc || out->n)
		return rc ? rc : vd_secret_fits(cli, out);
	if (vd_options_get(&cli->opt, VD_OPT_NO_PASSPHRASE))
		return 0;
	if (!vd_can_ask(cli))
		return vd_misuse(cli, VD_MSG_HINT_INIT_HOW, VD_MSG_INIT_HOW, NULL);
	return vd_secret_ask(cli, VD_MSG_BACKUP_ASK_STORE, true, out);
}

static int restore(struct backup *b)
{
	struct vd_cli *cli = b->cli;
	struct vd_buf passphrase = { 0 };
	struct vd_vault_cost cost = { 0 };
	struct vd_backup_key with;
	struct vd_secret secret;
	char data[sizeof cli->home + 16];
	int err, rc;

	snprintf(data, sizeof data, "%s/data.mdb", cli->home);
	if (access(data, F_OK) == 0)
		return home_taken(cli);
	rc = take_key(b, &with);
	if (!rc)
		rc = new_store_secret(cli, &passphrase);
	if (rc)
		goto done;
	if (passphrase.n)
		vd_passphrase_measure(&cost);
	secret = (struct vd_secret){ .passphrase = vd_buf_slice(&passphrase) };
	vd_interrupt_graceful(true);
	err = vd_backup_restore(b->file, &with, cli->home, passphrase.n ? &secret : NULL, &cost, &b->stats);
	vd_interrupt_graceful(false);
	if (err) {
		rc = err == VD_EEXISTS ? home_taken(cli) : open_failed(b, err, VD_MSG_BACKUP_RESTORE_FAILED);
		goto done;
	}
	cli->done = VD_MSG_BACKUP_RESTORED_UNSAID;
	say_made(b, VD_MSG_BACKUP_RESTORED);
	vd_note(cli, VD_MSG_BACKUP_COPY, NULL);
done:
	vd_buf_wipe(&passphrase);
	return rc;
}

static int backup_run(struct vd_cli *cli)
{
	static const struct {
		const char *name;
		int (*run)(struct backup *);
	} subs[] = { { "create", create }, { "verify", verify }, { "restore", restore } };
	struct backup b = { .cli = cli, .file = cli->opt.args[1] };
	int rc;

	for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
		if (strcmp(cli->opt.args[0], subs[i].name))
			continue;
		rc = subs[i].run(&b);
		backup_wipe(&b);
		return rc;
	}
	return vd_misuse(cli, VD_MSG_HINT_HELP_COMMAND, VD_MSG_BACKUP_SUBCOMMAND, "backup", NULL);
}

const struct vd_command vd_command_backup = {
	.syntax = { "backup", { VD_OPT_PAPER, VD_OPT_BACKUP_PASSPHRASE_FILE, VD_OPT_WORDS_FILE, VD_OPT_SCRATCH, VD_OPT_NO_PASSPHRASE } },
	.run = backup_run, .summary = VD_MSG_SUM_BACKUP, .help = VD_MSG_HELP_BACKUP, .args_min = 2, .args_max = 2,
};
